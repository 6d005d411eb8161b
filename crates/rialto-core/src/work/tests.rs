//! Tasks and teams as tables.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::TaskState;
use crate::limits;
use crate::spec::{World, check};

const PEOPLE: &str = r#"
    owner ann
    owner bob
    agent ann @boss
    agent ann @work
    agent bob @other
    agent bob @shy request
"#;

fn table(lines: &str) -> World {
    check(&[PEOPLE, lines].concat())
}

#[test]
fn the_life_cycle_of_a_task_for_every_pair_of_states() {
    use TaskState as T;
    let all = [
        (T::Submitted, "submitted"),
        (T::Working, "working"),
        (T::InputRequired, "input_required"),
        (T::AuthRequired, "auth_required"),
        (T::Completed, "completed"),
        (T::Failed, "failed"),
        (T::Canceled, "canceled"),
        (T::Rejected, "rejected"),
    ];
    // From (row) to (column), by the worker: y is possible, n is not, - is never by the worker.
    let rows = [
        "n y y y y y - y",
        "n y y y y y - n",
        "n y n y y y - n",
        "n y y n y y - n",
        "f f f f f f f f",
        "f f f f f f f f",
        "f f f f f f f f",
        "f f f f f f f f",
    ];
    for ((from, from_name), row) in all.iter().zip(rows) {
        for ((_, to_name), cell) in all.iter().zip(row.split(' ')) {
            let way = match from {
                T::Submitted => String::new(),
                T::Canceled => r#"@boss task.cancel {"task": "$t"} => ok"#.into(),
                _ => format!(r#"@work task.update {{"task": "$t", "state": "{from_name}"}} => ok"#),
            };
            let outcome = match cell {
                "y" => "ok",
                "n" => "RLT0302",
                "f" => "RLT0301",
                _ => "RLT0304",
            };
            let end = if cell == "y" { to_name } else { from_name };
            table(&format!(
                r#"
                @boss task.create {{"worker": "@work", "body": "do"}} => ok $t
                {way}
                @work task.update {{"task": "$t", "state": "{to_name}"}} => {outcome}
                task $t {end}
                "#
            ));
        }
    }
}

#[test]
fn who_is_blocked_ends_its_task_without_a_word() {
    table(
        r#"
        @boss task.create {"worker": "@other", "body": "do"} => ok $t
        @boss policy.set_block {"party": {"agent": "@other"}, "block": true} => ok
        @other task.update {"task": "$t", "state": "working"} => RLT0602
        @other task.add_artifact {"task": "$t", "name": "draft", "body": "words"} => RLT0602
        @other task.update {"task": "$t", "state": "failed", "note": "words"} => RLT0602
        @other task.update {"task": "$t", "state": "failed"} => ok
        // so does the requester
        @other task.create {"worker": "@boss", "body": "do"} => RLT0602
        @boss policy.set_block {"party": {"agent": "@other"}, "block": false} => ok
        @boss task.create {"worker": "@other", "body": "do"} => ok $t
        @other policy.set_block {"party": {"agent": "@boss"}, "block": true} => ok
        @boss task.cancel {"task": "$t", "reason": "words"} => RLT0602
        @boss task.cancel {"task": "$t"} => ok
        "#,
    );
}

#[test]
fn what_a_worker_tells_counts_as_messages() {
    table(
        r#"
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 3, "offers_per_minute": 0, "agents_per_owner": 0} => ok
        @boss task.create {"worker": "@work", "body": "do"} => ok $t
        @work task.update {"task": "$t", "state": "working"} => ok
        @work task.add_artifact {"task": "$t", "name": "a", "body": "x"} => ok
        @work task.update {"task": "$t", "state": "input_required"} => ok
        @work task.update {"task": "$t", "state": "working"} => RLT0603
        @work task.add_artifact {"task": "$t", "name": "b", "body": "x"} => RLT0603
        @work mail.send {"to": {"agent": "@boss"}, "body": "x"} => RLT0603
        time +20s
        @work task.update {"task": "$t", "state": "working"} => ok
        // the end is never too much
        @work task.update {"task": "$t", "state": "completed"} => ok
        "#,
    );
}

#[test]
fn tasks_are_given_told_of_and_leave_memory() {
    table(
        r#"
        @boss task.create {"worker": "@work", "body": "do"} => ok $t
        inbox @work task
        @work task.update {"task": "$t", "state": "working", "note": "on it"} => ok
        @work task.add_artifact {"task": "$t", "name": "draft", "body": "..."} => ok
        @boss task.add_artifact {"task": "$t", "name": "draft", "body": "..."} => RLT0303
        @boss task.update {"task": "$t", "state": "completed"} => RLT0303
        @other task.update {"task": "$t", "state": "completed"} => RLT0103
        @other task.cancel {"task": "$t"} => RLT0103
        @work task.cancel {"task": "$t"} => RLT0304
        @work task.update {"task": "$t", "state": "canceled"} => RLT0304
        inbox @boss task
        @boss task.cancel {"task": "$t", "reason": "never mind"} => ok
        inbox @work task task
        @boss task.cancel {"task": "$t"} => RLT0301
        @work task.add_artifact {"task": "$t", "name": "late", "body": "..."} => RLT0301
        task $t canceled
        wait +2h
        task $t gone
        @boss task.cancel {"task": "$t"} => RLT0103
        "#,
    );
}

#[test]
fn who_may_give_work_to_whom() {
    table(
        r#"
        @boss task.create {"worker": "@boss", "body": "x"} => RLT0210
        @boss task.create {"worker": "@shy", "body": "x"} => RLT0203
        @boss task.create {"worker": "@other", "body": "x"} => ok
        // a person asks only agents of its own owner
        ann task.create {"worker": "@work", "body": "x"} => ok $t
        ann task.create {"worker": "@other", "body": "x"} => RLT0101
        operator task.create {"worker": "@work", "body": "x"} => RLT0102
        @work task.update {"task": "$t", "state": "completed"} => ok
        ann task.create {"worker": "@work", "body": "x"} => ok $t
        bob task.cancel {"task": "$t"} => RLT0103
        ann task.cancel {"task": "$t"} => ok
        ann identity.suspend {"subject": {"agent": "@work"}} => ok
        @boss task.create {"worker": "@work", "body": "x"} => RLT0105
        // a team that work is named for must be one's own
        bob team.create {"name": "crew"} => ok $bobs
        ann task.create {"worker": "@boss", "body": "x", "team": "$bobs"} => RLT0103
        @other task.create {"worker": "@boss", "body": "x", "team": "$bobs"} => RLT0307
        @boss task.create {"worker": "@other", "body": "x", "team": "$bobs"} => RLT0103
        @boss task.create {"worker": "@other", "body": "x", "team": "team_000000000000"} => RLT0103
        "#,
    );
}

#[test]
fn delegation_shows_its_parent_and_has_a_depth() {
    let mut lines = String::from(r#"@boss task.create {"worker": "@work", "body": "0"} => ok $t0"#);
    for depth in 1..limits::TASK_DEPTH {
        let (from, to) = if depth % 2 == 1 {
            ("@work", "@boss")
        } else {
            ("@boss", "@work")
        };
        let above = depth - 1;
        lines.push_str(&format!(
            "\n{from} task.create {{\"worker\": \"{to}\", \"body\": \"{depth}\", \"parent\": \"$t{above}\"}} => ok $t{depth}"
        ));
    }
    lines.push_str(
        r#"
        @boss task.create {"worker": "@work", "body": "x", "parent": "$t15"} => RLT0305
        @boss negotiation.open {"with": "@work", "side": "buy", "terms": {"price": "1"}, "valid_for_ms": 1000, "task": "$t15"} => RLT0305
        // only the worker of the whole gives out a part, and strangers learn nothing of it
        @boss task.create {"worker": "@work", "body": "x", "parent": "$t0"} => RLT0303
        @other task.create {"worker": "@work", "body": "x", "parent": "$t0"} => RLT0103
        @work task.update {"task": "$t0", "state": "failed"} => ok
        @work task.create {"worker": "@boss", "body": "x", "parent": "$t0"} => RLT0301
        "#,
    );
    table(&lines);
}

#[test]
fn a_task_has_at_most_a_thousand_artifacts() {
    let mut world = table(
        r#"
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0} => ok
        @boss task.create {"worker": "@work", "body": "do"} => ok $t
        "#,
    );
    let line = r#"@work task.add_artifact {"task": "$t", "name": "a", "body": "b"} => ok"#;
    let all: Vec<&str> = (0..limits::ARTIFACTS_PER_TASK).map(|_| line).collect();
    world.run(&all.join("\n"));
    world.run(r#"@work task.add_artifact {"task": "$t", "name": "a", "body": "b"} => RLT0010"#);
}

#[test]
fn teams_invite_join_and_agree_on_a_split() {
    table(
        r#"
        @boss team.create {"name": "crew"} => ok $team
        @work team.create {"name": "crew"} => RLT0104
        @work team.create {"name": "other", "owner": "$bob"} => RLT0112
        bob team.create {"name": "crew"} => ok
        bob team.create {"name": "more", "owner": "$ann"} => RLT0101
        @work team.invite {"team": "$team", "agent": "@other", "role": "member"} => RLT0101
        @other team.join {"team": "$team", "join": true} => RLT0103
        @boss team.invite {"team": "$team", "agent": "@other", "role": "member"} => ok
        @boss team.invite {"team": "$team", "agent": "@other", "role": "lead"} => RLT0310
        inbox @other team
        // the invited have no say and no share until they join
        @other team.agree_split {"team": "$team", "shares": []} => RLT0307
        @boss team.propose_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 700000}, {"agent": "$other", "ppm": 300000}]} => RLT0309
        @other team.join {"team": "$team", "join": true} => ok
        @other team.join {"team": "$team", "join": true} => RLT0310
        @other team.propose_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 1}, {"agent": "$other", "ppm": 999999}]} => RLT0101
        @boss team.propose_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 700000}, {"agent": "$other", "ppm": 300001}]} => RLT0309
        @boss team.propose_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 500000}, {"agent": "$boss", "ppm": 500000}]} => RLT0309
        @boss team.propose_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 1000000}]} => RLT0309
        @other team.agree_split {"team": "$team", "shares": []} => RLT0309
        @boss team.propose_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 700000}, {"agent": "$other", "ppm": 300000}]} => ok
        @other team.agree_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 600000}, {"agent": "$other", "ppm": 400000}]} => RLT0309
        @work team.agree_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 700000}, {"agent": "$other", "ppm": 300000}]} => RLT0307
        @shy team.agree_split {"team": "$team", "shares": []} => RLT0103
        "#,
    );
}

#[test]
fn a_split_binds_once_all_have_agreed_and_until_a_member_comes_or_goes() {
    let mut world = table(
        r#"
        @boss team.create {"name": "crew"} => ok $team
        @boss team.invite {"team": "$team", "agent": "@work", "role": "member"} => ok
        @work team.join {"team": "$team", "join": true} => ok
        @boss team.propose_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 500000}, {"agent": "$work", "ppm": 500000}]} => ok
        @boss team.agree_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 500000}, {"agent": "$work", "ppm": 500000}]} => ok
        "#,
    );
    let agreed = |world: &World| {
        let mut agreed = false;
        let all = &world.state.teams;
        all.for_each(|_, t| agreed = t.agreed_split(|_| false).is_some());
        agreed
    };
    assert!(!agreed(&world), "one has not agreed");
    world.run(r#"@work team.agree_split {"team": "$team", "shares": [{"agent": "$boss", "ppm": 500000}, {"agent": "$work", "ppm": 500000}]} => ok"#);
    assert!(agreed(&world));
    world.run(r#"@boss team.invite {"team": "$team", "agent": "@other", "role": "member"} => ok"#);
    assert!(
        agreed(&world),
        "an invitation that nobody answers blocks nothing"
    );
    world.run(r#"@other team.join {"team": "$team", "join": false} => ok"#);
    assert!(agreed(&world), "declining changes nothing");
    world.run(
        r#"
        @boss team.invite {"team": "$team", "agent": "@other", "role": "member"} => ok
        @other team.join {"team": "$team", "join": true} => ok
        "#,
    );
    assert!(!agreed(&world), "a new member has to agree too");
    world.settle();
}

#[test]
fn who_blocks_an_owner_is_not_invited_by_it() {
    table(
        r#"
        @boss team.create {"name": "crew"} => ok $team
        @other policy.set_block {"party": {"owner": "$ann"}, "block": true} => ok
        @boss team.invite {"team": "$team", "agent": "@other", "role": "member"} => RLT0602
        ann team.invite {"team": "$team", "agent": "@other", "role": "member"} => RLT0602
        inbox @other -
        "#,
    );
}

#[test]
fn a_member_is_taken_out_by_those_who_may() {
    let remove = |who: &str, whom: &str, outcome: &str| {
        format!(
            r#"{who} team.remove {{"team": "$t", "agent": "{whom}"}} => {outcome}
            "#
        )
    };
    let pay = |outcome: &str| {
        format!(
            r#"@other ledger.transfer {{"transfers": [{{"post": {{"from": "$t", "to": "@other", "amount": "1"}}}}]}} => {outcome}
            "#
        )
    };
    table(
        &[
            r#"
            agent bob @second
            @boss team.create {"name": "crew"} => ok $t
            fund $t 100
            @boss team.invite {"team": "$t", "agent": "@other", "role": "spender"} => ok
            @other team.join {"team": "$t", "join": true} => ok
            @boss team.invite {"team": "$t", "agent": "@second", "role": "lead"} => ok
            @second team.join {"team": "$t", "join": true} => ok
            @boss team.invite {"team": "$t", "agent": "@shy", "role": "member"} => ok
            "#,
            &pay("ok"),
            &remove("@other", "@second", "RLT0101"),
            &remove("bob", "@other", "RLT0101"),
            &remove("@boss", "@work", "RLT0307"),
            // leads are equal
            &remove("@boss", "@second", "RLT0101"),
            &remove("@second", "@boss", "RLT0101"),
            &remove("@boss", "@other", "ok"),
            "inbox @other team team\n",
            &pay("RLT0103"),
            // an invitation is taken back
            &remove("@second", "@shy", "ok"),
            r#"@shy team.join {"team": "$t", "join": true} => RLT0103
            @other team.join {"team": "$t", "join": true} => RLT0103
            "#,
            &remove("ann", "@second", "ok"),
            &remove("@second", "@boss", "RLT0101"),
        ]
        .concat(),
    );
}

#[test]
fn a_lead_of_another_owner_has_no_say_over_the_owners_own() {
    table(
        r#"
        agent bob @friend
        @boss team.create {"name": "crew"} => ok $t
        @boss team.invite {"team": "$t", "agent": "@work", "role": "spender"} => ok
        @work team.join {"team": "$t", "join": true} => ok
        @boss team.invite {"team": "$t", "agent": "@other", "role": "lead"} => ok
        @other team.join {"team": "$t", "join": true} => ok
        @other team.remove {"team": "$t", "agent": "@work"} => RLT0101
        @other team.invite {"team": "$t", "agent": "@friend", "role": "lead"} => RLT0101
        @other team.invite {"team": "$t", "agent": "@friend", "role": "member"} => ok
        @other team.remove {"team": "$t", "agent": "@friend"} => ok
        @boss team.invite {"team": "$t", "agent": "@friend", "role": "lead"} => ok
        "#,
    );
}

#[test]
fn whom_its_owner_blocks_or_the_operator_suspends_spends_nothing_of_a_team() {
    let pay = |outcome: &str| {
        format!(
            r#"@other ledger.transfer {{"transfers": [{{"post": {{"from": "$t", "to": "@other", "amount": "1"}}}}]}} => {outcome}
            "#
        )
    };
    let block = |on: bool| {
        format!(
            r#"ann policy.set_block {{"by": {{"owner": "$ann"}}, "party": {{"owner": "$bob"}}, "block": {on}}} => ok
            "#
        )
    };
    table(
        &[
            r#"
            @boss team.create {"name": "crew"} => ok $t
            fund $t 100
            @boss team.invite {"team": "$t", "agent": "@other", "role": "lead"} => ok
            @other team.join {"team": "$t", "join": true} => ok
            "#,
            &pay("ok"),
            &block(true),
            &pay("RLT0101"),
            r#"@other team.invite {"team": "$t", "agent": "@work", "role": "member"} => RLT0101
            "#,
            &block(false),
            &pay("ok"),
            r#"operator moderation.act {"target": {"agent": "@other"}, "step": {"suspend": {"for_ms": 86400000}}, "reason": "fraud"} => ok
            "#,
            &pay("RLT0101"),
        ]
        .concat(),
    );
}

#[test]
fn the_stop_of_an_owner_stops_its_teams_money_for_all() {
    let pay = |outcome: &str| {
        format!(
            r#"@other ledger.transfer {{"transfers": [{{"post": {{"from": "$t", "to": "@other", "amount": "1"}}}}]}} => {outcome}
            "#
        )
    };
    table(
        &[
            r#"
            @boss team.create {"name": "crew"} => ok $t
            fund $t 100
            @boss team.invite {"team": "$t", "agent": "@other", "role": "spender"} => ok
            @other team.join {"team": "$t", "join": true} => ok
            ann owner.stop {"stop": true} => ok
            "#,
            &pay("RLT0105 ann"),
            "ann owner.stop {\"stop\": false} => ok\n",
            &pay("ok"),
            "operator identity.suspend {\"subject\": {\"owner\": \"$ann\"}} => ok\n",
            &pay("RLT0105 ann"),
            "operator identity.resume {\"subject\": {\"owner\": \"$ann\"}} => ok\n",
            &pay("ok"),
        ]
        .concat(),
    );
}

#[test]
fn a_team_has_at_most_sixty_four_members() {
    let mut world = table(r#"@boss team.create {"name": "crew"} => ok $team"#);
    for n in 1..limits::TEAM_MEMBERS {
        world.run(&format!(
            "agent bob @m{n}\n@boss team.invite {{\"team\": \"$team\", \"agent\": \"@m{n}\", \"role\": \"member\"}} => ok"
        ));
    }
    world.run(
        r#"@boss team.invite {"team": "$team", "agent": "@other", "role": "member"} => RLT0109"#,
    );
}

/// A team's places, and what its accounts take of its owner's part, are its owner's.
#[test]
fn a_lead_of_another_owner_does_not_shut_the_owner_out() {
    let mut world = table(
        r#"
        @boss team.create {"name": "crew"} => ok $team
        @boss team.invite {"team": "$team", "agent": "@other", "role": "lead"} => ok
        @other team.join {"team": "$team", "join": true} => ok
        @other ledger.open_account {"holder": "$team", "label": "x"} => RLT0101
        @boss ledger.open_account {"holder": "$team", "label": "x"} => ok
        ann ledger.open_account {"holder": "$team", "label": "y"} => ok
        "#,
    );
    let invite = |by: &str, n: usize, outcome: &str| {
        format!(
            "agent bob @m{n}\n{by} team.invite {{\"team\": \"$team\", \"agent\": \"@m{n}\", \"role\": \"member\"}} => {outcome}"
        )
    };
    let most = limits::TEAM_MEMBERS - limits::TEAM_PLACES_OF_OWNER;
    for n in 2..most {
        world.run(&invite("@other", n, "ok"));
    }
    world.run(&invite("@other", most, "RLT0109"));
    for n in most + 1..=limits::TEAM_MEMBERS {
        world.run(&invite("@boss", n, "ok"));
    }
    world.run(&invite("@boss", 0, "RLT0109"));
}

#[test]
fn what_is_called_off_goes_with_all_its_parts() {
    table(
        r#"
        owner cat
        agent cat @third
        fund @other 10
        ann task.create {"worker": "@boss", "body": "a feast"} => ok $whole
        @boss task.create {"worker": "@work", "body": "cook", "parent": "$whole"} => ok $part
        @boss task.create {"worker": "@other", "body": "music", "parent": "$whole"} => ok $music
        @other task.create {"worker": "@third", "body": "drums", "parent": "$music"} => ok $drums
        @boss task.create {"worker": "@other", "body": "flowers", "parent": "$whole"} => ok $done
        @other task.update {"task": "$done", "state": "completed"} => ok
        @other task.create {"worker": "@third", "body": "other work"} => ok $else
        // a part that a deal delivers stays: its money is held
        @third negotiation.open {"with": "@other", "side": "sell", "terms": {"price": "4"}, "valid_for_ms": 600000, "task": "$music"} => RLT0103
        @other negotiation.open {"with": "@third", "side": "buy", "terms": {"price": "4"}, "valid_for_ms": 600000, "task": "$music"} => ok $n
        @third negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal $bought
        ann task.cancel {"task": "$whole", "reason": "it rains"} => ok
        task $whole canceled
        task $part canceled
        task $music canceled
        task $drums canceled
        task $done completed
        task $else submitted
        task $bought submitted
        deal $deal agreed
        inbox @work task task
        @third task.update {"task": "$drums", "state": "working"} => RLT0301
        // who gave a part out calls it off with the parts below, and what is above goes on
        ann task.create {"worker": "@boss", "body": "again"} => ok $whole
        @boss task.create {"worker": "@other", "body": "music", "parent": "$whole"} => ok $music
        @other task.create {"worker": "@third", "body": "drums", "parent": "$music"} => ok $drums
        @third task.cancel {"task": "$whole"} => RLT0103
        @boss task.cancel {"task": "$music"} => ok
        task $whole submitted
        task $drums canceled
        "#,
    );
}

#[test]
fn more_parts_than_at_once_are_called_off_by_the_clock() {
    let mut world = World::new();
    world.run(PEOPLE);
    world.run(
        r#"
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0} => ok
        ann task.create {"worker": "@boss", "body": "much"} => ok $whole
        @boss task.create {"worker": "@other", "body": "some", "parent": "$whole"} => ok $first
        "#,
    );
    for parent in ["$first", "$whole"] {
        let who = if parent == "$first" {
            "@other"
        } else {
            "@boss"
        };
        for _ in 0..=limits::PARTS_AT_ONCE {
            world.run(&format!(
                r#"{who} task.create {{"worker": "@work", "body": "x", "parent": "{parent}"}} => ok $last"#
            ));
        }
    }
    world.run(
        r#"
        ann task.cancel {"task": "$whole"} => ok
        task $first canceled
        task $last submitted
        tick
        task $last canceled
        "#,
    );
    let mut open = 0;
    world
        .state
        .tasks
        .for_each(|_, task| open += usize::from(!task.state.is_terminal()));
    assert_eq!((open, world.state.unwindings.len()), (0, 0));
    let most = world.log.iter().map(|envelope| envelope.events.len()).max();
    assert!(most <= Some(2 * limits::PARTS_AT_ONCE), "{most:?}");
    world.settle();
}
