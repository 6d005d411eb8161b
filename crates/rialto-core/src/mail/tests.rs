//! Conversations, consent and inboxes as tables.

use std::format;
use std::string::String;
use std::vec::Vec;

use crate::limits;
use crate::mail::Lane;
use crate::spec::{World, check};

const PEOPLE: &str = r#"
    owner ann
    owner bob
    owner cat
    agent ann @ann1 request
    agent ann @ann2 request
    agent bob @bob1 request
    agent cat @cat1 closed
    agent cat @open open
"#;

fn table(lines: &str) -> World {
    check(&[PEOPLE, lines].concat())
}

#[test]
fn few_owners_leave_room_at_an_agent_for_all_others() {
    let mut world = check(
        r#"
        owner vic
        owner zed
        owner dealt
        agent vic @vic1
        agent zed @zed1
        agent dealt @dealt1
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0} => ok
        @vic1 listing.publish {"terms": {"title": "t"}} => ok
        @vic1 social.follow {"agent": "@dealt1", "follow": true} => ok
        "#,
    );
    let call = |who: &str| {
        std::format!(
            r#"{who} call.open {{"body": "x", "invite": ["@vic1"], "open_for_ms": 2592000000}}"#
        )
    };
    let mut sent = 0;
    for owner in 0..20 {
        world.run(&std::format!("owner s{owner}\nagent s{owner} @s{owner}"));
        let call = call(&std::format!("@s{owner}"));
        for _ in 0..limits::WAITING_OF_STRANGER {
            if world.command(&call, "ok").is_err() {
                break;
            }
            sent += 1;
        }
    }
    // The first owners have their parts, and each further one has a place.
    assert_eq!(sent, limits::WAITING_CROWDED + 10);
    world.run(&std::format!("{} => ok", call("@zed1")));
    // Whoever has no place is passed over, and nobody is left to call.
    world.run(&std::format!("{} => RLT0512", call("@zed1")));
    for _ in 0..2 {
        world.run(&std::format!("{} => ok", call("@dealt1")));
    }
    world.settle();
}

/// Whatever reaches another owner's agent unasked counts as a message of the sender's owner, and is
/// refused with the rate; and what it is does not matter.
#[test]
fn whatever_reaches_another_owner_counts_as_a_message() {
    let steps: &[(&str, [&str; 2])] = &[
        (
            r#"@att1 team.create {"name": "t"} => ok $t"#,
            [
                r#"@att1 team.invite {"team": "$t", "agent": "@vic1", "role": "member"}"#,
                r#"@att1 team.remove {"team": "$t", "agent": "@vic1"}"#,
            ],
        ),
        // by an admin without an agent too
        (
            r#"@att1 team.create {"name": "t"} => ok $t"#,
            [
                r#"att team.invite {"team": "$t", "agent": "@vic1", "role": "member"}"#,
                r#"att team.remove {"team": "$t", "agent": "@vic1"}"#,
            ],
        ),
        (
            r#"
            @att1 team.create {"name": "t"} => ok $t
            @att1 team.invite {"team": "$t", "agent": "@vic1", "role": "member"} => ok
            @vic1 team.join {"team": "$t", "join": true} => ok
            "#,
            [
                r#"@att1 team.propose_split {"team": "$t", "shares": [{"agent": "$att1", "ppm": 1}, {"agent": "$vic1", "ppm": 999999}]}"#,
                r#"@att1 team.propose_split {"team": "$t", "shares": [{"agent": "$att1", "ppm": 2}, {"agent": "$vic1", "ppm": 999998}]}"#,
            ],
        ),
        (
            "",
            [
                r#"@att1 task.create {"worker": "@vic1", "body": "x"}"#,
                r#"@att2 task.create {"worker": "@vic1", "body": "x"}"#,
            ],
        ),
        (
            r#"
            @att1 community.create {"name": "club", "rules": "x"} => ok
            @vic1 community.join {"community": "club", "join": true} => ok
            "#,
            [
                r#"@att1 community.appoint {"community": "club", "agent": "@vic1", "moderator": true}"#,
                r#"@att1 community.appoint {"community": "club", "agent": "@vic1", "moderator": false}"#,
            ],
        ),
    ];
    for (before, each) in steps {
        let mut world = check(
            r#"
            owner att
            owner vic
            agent att @att1
            agent att @att2
            agent vic @vic1
            operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 3, "offers_per_minute": 0, "agents_per_owner": 0} => ok
            "#,
        );
        world.run(before);
        world.run("time +2m");
        for (number, step) in (1..=4).zip(each.iter().cycle()) {
            let outcome = if number > 3 { "RLT0603" } else { "ok" };
            world.run(&std::format!("{step} => {outcome}"));
        }
        world.run(r#"@att2 mail.send {"to": {"agent": "@vic1"}, "body": "x"} => RLT0603"#);
        world.settle();
    }
}

#[test]
fn news_of_a_team_or_an_office_does_not_pass_a_block() {
    check(
        r#"
        owner att
        owner vic
        agent att @att1
        agent vic @vic1
        @att1 team.create {"name": "t"} => ok $t
        @att1 team.invite {"team": "$t", "agent": "@vic1", "role": "member"} => ok
        @vic1 team.join {"team": "$t", "join": true} => ok
        @att1 community.create {"name": "club", "rules": "x"} => ok
        @vic1 community.join {"community": "club", "join": true} => ok
        inbox @vic1 team
        vic policy.set_block {"by": {"owner": "$vic"}, "party": {"owner": "$att"}, "block": true} => ok
        @att1 team.propose_split {"team": "$t", "shares": [{"agent": "$att1", "ppm": 1}, {"agent": "$vic1", "ppm": 999999}]} => ok
        @att1 community.appoint {"community": "club", "agent": "@vic1", "moderator": true} => ok
        att team.remove {"team": "$t", "agent": "@vic1"} => ok
        inbox @vic1 team
        "#,
    );
}

#[test]
fn a_strangers_first_message_waits_to_be_admitted() {
    table(
        r#"
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "hello"} => ok $m $c
        inbox @bob1 request
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "again"} => RLT0202
        @ann1 mail.send {"to": {"conversation": "$c"}, "body": "again"} => RLT0202
        @bob1 mail.answer_request {"agent": "@ann1", "admit": true} => ok
        inbox @ann1 contact
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "again"} => ok
        @ann1 mail.send {"to": {"conversation": "$c"}, "body": "and again"} => ok
        inbox @bob1 request message message
        // a receiver may change its mind
        @bob1 mail.answer_request {"agent": "@ann1", "admit": false} => ok
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "more"} => RLT0203
        @bob1 mail.answer_request {"agent": "@cat1", "admit": true} => RLT0206
        "#,
    );
}

#[test]
fn changes_of_a_group_count_as_messages() {
    table(
        r#"
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 3, "offers_per_minute": 0, "agents_per_owner": 0} => ok
        @ann1 mail.open_group {"title": "plans", "members": ["@ann2", "@open"]} => ok $g
        @ann1 mail.change_group {"conversation": "$g", "remove": ["@open"]} => ok
        @ann1 mail.change_group {"conversation": "$g", "add": ["@open"]} => ok
        @ann1 mail.change_group {"conversation": "$g", "remove": ["@open"]} => RLT0603
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "x"} => RLT0603
        // whoever wants to go may go
        @open mail.change_group {"conversation": "$g", "remove": ["@open"]} => ok
        @ann1 mail.change_group {"conversation": "$g", "remove": ["@ann1"]} => ok
        "#,
    );
}

#[test]
fn an_answer_admits() {
    table(
        r#"
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "hello"} => ok
        // the answer needs no admission: who writes first has admitted the other
        @bob1 mail.send {"to": {"agent": "@ann1"}, "body": "hi"} => ok
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "so"} => ok
        inbox @ann1 message
        inbox @bob1 request message
        "#,
    );
}

#[test]
fn closed_open_own_and_self() {
    table(
        r#"
        @ann1 mail.send {"to": {"agent": "@cat1"}, "body": "x"} => RLT0203
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "x"} => ok
        @ann1 mail.send {"to": {"agent": "@ann2"}, "body": "x"} => ok
        @open mail.send {"to": {"agent": "@cat1"}, "body": "x"} => ok
        @ann1 mail.send {"to": {"agent": "@ann1"}, "body": "x"} => RLT0210
        @ann1 mail.send {"to": {"agent": "@gone"}, "body": "x"} => RLT0103
        // whom a closed agent writes to may answer
        @cat1 mail.send {"to": {"agent": "@ann1"}, "body": "x"} => ok
        @ann1 mail.send {"to": {"agent": "@cat1"}, "body": "x"} => ok
        "#,
    );
}

#[test]
fn conversations_of_others_do_not_exist() {
    table(
        r#"
        @ann1 mail.send {"to": {"agent": "@ann2"}, "body": "x"} => ok $m $c
        @bob1 mail.send {"to": {"conversation": "$c"}, "body": "x"} => RLT0103
        @bob1 mail.send {"to": {"conversation": "conv_000000000000"}, "body": "x"} => RLT0103
        @bob1 mail.change_group {"conversation": "$c", "remove": ["@ann1"]} => RLT0103
        @ann1 mail.change_group {"conversation": "$c", "add": ["@open"]} => RLT0103
        "#,
    );
}

#[test]
fn groups_reach_all_members_and_admit_nobody() {
    table(
        r#"
        @ann1 mail.open_group {"title": "plans", "members": ["@bob1"]} => RLT0203
        @ann1 mail.open_group {"title": "plans", "members": ["@ann2", "@open", "@open", "@ann1"]} => ok $g
        inbox @ann2 conversation
        @ann2 mail.send {"to": {"conversation": "$g"}, "body": "hi all"} => ok
        inbox @ann1 message
        inbox @open conversation message
        @bob1 mail.send {"to": {"conversation": "$g"}, "body": "hi"} => RLT0103
        // a word to the group is no admission: the other member still has to ask
        @open mail.send {"to": {"agent": "@ann2"}, "body": "you and me"} => ok
        inbox @ann2 conversation request
        // members leave by themselves; only who leads it, at first who opened it, takes others out
        @open mail.change_group {"conversation": "$g", "remove": ["@ann2"]} => RLT0101
        @open mail.change_group {"conversation": "$g", "add": ["@cat1"]} => ok
        @open mail.change_group {"conversation": "$g", "remove": ["@open"]} => ok
        @open mail.send {"to": {"conversation": "$g"}, "body": "hi"} => RLT0103
        @ann1 mail.change_group {"conversation": "$g", "remove": ["@cat1", "@cat1"]} => ok
        @cat1 mail.send {"to": {"conversation": "$g"}, "body": "hi"} => RLT0103
        @ann1 mail.change_group {"conversation": "$g", "remove": ["@ann1", "@ann2"]} => ok
        @ann1 mail.send {"to": {"conversation": "$g"}, "body": "nobody"} => RLT0103
        "#,
    );
}

#[test]
fn a_client_id_is_sent_once() {
    table(
        r#"
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "pay", "client_id": "m1"} => ok
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "pay", "client_id": "m1"} => dup
        // to the same place, however it is named
        @ann1 mail.send {"to": {"agent": "$open"}, "body": "pay", "client_id": "m1"} => dup
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "more"} => ok $more $talk
        @ann1 mail.send {"to": {"conversation": "$talk"}, "body": "pay", "client_id": "m1"} => dup
        // another text, of the same length too, or about something else
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "other", "client_id": "m1"} => RLT0209
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "ray", "client_id": "m1"} => RLT0209
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "pay", "reply_to": "$more", "client_id": "m1"} => RLT0209
        // nor anywhere else, be it a talk of others or nothing at all
        @ann2 mail.send {"to": {"agent": "@open"}, "body": "hello"} => ok $hello $theirs
        @ann1 mail.send {"to": {"conversation": "$theirs"}, "body": "pay", "client_id": "m1"} => RLT0209
        @ann1 mail.send {"to": {"agent": "@nobody"}, "body": "pay", "client_id": "m1"} => RLT0209
        @ann1 mail.send {"to": {"agent": "@ann2"}, "body": "pay", "client_id": "m1"} => RLT0209
        // another sender's ids are its own
        @ann2 mail.send {"to": {"agent": "@open"}, "body": "pay", "client_id": "m1"} => ok
        inbox @open message message message message
        wait +1d
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "other", "client_id": "m1"} => ok
        "#,
    );
}

/// Four ids to an owner, each for ten minutes at least.
const SMALL_WINDOW: &str = r#"
    operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "keep_message_ids_ms": 600000, "message_id_bytes": 1280} => ok
    @ann1 mail.send {"to": {"agent": "@open"}, "body": "1", "client_id": "m1"} => ok $m1
    @ann1 mail.send {"to": {"agent": "@open"}, "body": "2", "client_id": "m2"} => ok
    @ann1 mail.send {"to": {"agent": "@open"}, "body": "3", "client_id": "m3"} => ok
    time +1m
    @ann2 mail.send {"to": {"agent": "@open"}, "body": "4", "client_id": "m4"} => ok
"#;

#[test]
fn a_full_window_of_ids_refuses_and_says_when_there_is_room() {
    let mut world = table(
        &[
            SMALL_WINDOW,
            r#"
            time +8m
            // all agents of an owner share it, and nothing in it is forgotten before its time
            @ann1 mail.send {"to": {"agent": "@open"}, "body": "5", "client_id": "m5"} => RLT0027 4 ids of this owner's agents (1280 bytes) are kept for 600 s at least; room again at 2027-01-15T08:10:00.000Z
            @ann2 mail.send {"to": {"agent": "@open"}, "body": "5", "client_id": "m5"} => RLT0027
            // a repeat needs no room, nor does a message without an id, nor another owner's
            @ann1 mail.send {"to": {"agent": "@open"}, "body": "1", "client_id": "m1"} => dup $m1
            @ann1 mail.send {"to": {"agent": "@open"}, "body": "one", "client_id": "m1"} => RLT0209
            @ann1 mail.send {"to": {"agent": "@open"}, "body": "5"} => ok
            @open mail.send {"to": {"agent": "@ann1"}, "body": "5", "client_id": "m5"} => ok
            time +1m
            @ann1 mail.send {"to": {"agent": "@open"}, "body": "5", "client_id": "m5"} => ok
            // those past their time have left, the rest is known
            @ann1 mail.send {"to": {"agent": "@open"}, "body": "one", "client_id": "m1"} => ok
            @ann2 mail.send {"to": {"agent": "@open"}, "body": "4", "client_id": "m4"} => dup
            @ann1 mail.send {"to": {"agent": "@open"}, "body": "5", "client_id": "m5"} => dup
            "#,
        ]
        .concat(),
    );
    // A larger window goes on from there, a smaller one shrinks as it is used.
    world.run(
        r#"
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0} => ok
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "6", "client_id": "m6"} => ok
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "7", "client_id": "m7"} => ok
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "message_id_bytes": 1} => ok
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "8", "client_id": "m8"} => RLT0027
        time +10m
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "8", "client_id": "m8"} => ok
        "#,
    );
    assert_eq!(world.state.message_keys.len(), 2);
    // Who no longer sends takes no memory, not even in the look-ups.
    world.run("wait +1d");
    assert_eq!(world.state.message_keys.len(), 0);
    assert!(world.state.windows().is_empty() && world.state.shares_hold());
    world.settle();
}

#[test]
fn with_room_in_its_window_an_id_is_known_for_a_day() {
    table(
        &[
            SMALL_WINDOW,
            r#"
            wait +23h
            @ann1 mail.send {"to": {"agent": "@open"}, "body": "1", "client_id": "m1"} => dup $m1
            @ann1 mail.send {"to": {"agent": "@open"}, "body": "2", "client_id": "m1"} => RLT0209
            wait +1h
            @ann1 mail.send {"to": {"agent": "@open"}, "body": "2", "client_id": "m1"} => ok
            // neither time may be nothing, or more than a day
            operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "keep_message_ids_ms": 0} => RLT0009
            operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "keep_keys_ms": 86400001} => RLT0009
            "#,
        ]
        .concat(),
    );
}

#[test]
fn acknowledgement_moves_forward_only() {
    table(
        r#"
        @ann1 mail.acknowledge {"through": 0} => ok
        @ann1 mail.acknowledge {"through": 1} => RLT0205
        @ann2 mail.send {"to": {"agent": "@ann1"}, "body": "1"} => ok
        @ann2 mail.send {"to": {"agent": "@ann1"}, "body": "2"} => ok
        @ann1 mail.acknowledge {"through": 2} => ok
        @ann1 mail.acknowledge {"through": 1} => ok
        @ann1 mail.acknowledge {"through": 3} => RLT0205
        "#,
    );
}

#[test]
fn blocks_close_the_way_in_one_direction() {
    table(
        r#"
        @open policy.set_block {"party": {"agent": "@ann1"}, "block": true} => ok
        @ann1 mail.send {"to": {"agent": "@open"}, "body": "x"} => RLT0602
        @ann1 mail.open_group {"title": "g", "members": ["@open"]} => RLT0602
        @ann1 task.create {"worker": "@open", "body": "x"} => RLT0602
        // a block of an agent holds for the other agents of its owner
        @ann2 mail.send {"to": {"agent": "@open"}, "body": "x"} => RLT0602
        @ann2 task.create {"worker": "@open", "body": "x"} => RLT0602
        @bob1 mail.send {"to": {"agent": "@open"}, "body": "x"} => ok
        @open policy.set_block {"party": {"agent": "@ann1"}, "block": false} => ok
        @ann2 mail.send {"to": {"agent": "@open"}, "body": "x"} => ok
        // within an owner it holds for the one that it names
        @ann1 policy.set_block {"party": {"agent": "@ann2"}, "block": true} => ok
        ann agent.register {"handle": "@ann3"} => ok
        @ann2 mail.send {"to": {"agent": "@ann1"}, "body": "x"} => RLT0602
        ann/@ann3 mail.send {"to": {"agent": "@ann1"}, "body": "x"} => ok
        cat policy.set_block {"by": {"owner": "$cat"}, "party": {"owner": "$ann"}, "block": true} => ok
        @ann2 mail.send {"to": {"agent": "@open"}, "body": "x"} => RLT0602
        @open mail.send {"to": {"agent": "@ann2"}, "body": "x"} => ok
        "#,
    );
}

#[test]
fn in_a_group_a_block_keeps_words_from_the_one_that_set_it() {
    table(
        r#"
        agent bob @bob2 open
        agent ann @ann3 open
        @open mail.open_group {"title": "g", "members": ["@bob2", "@ann3"]} => ok $g
        inbox @bob2 conversation
        @bob2 policy.set_block {"party": {"agent": "@ann3"}, "block": true} => ok
        @ann3 mail.send {"to": {"conversation": "$g"}, "body": "hi"} => ok
        inbox @open message
        inbox @bob2 conversation
        // the other way it is heard
        @bob2 mail.send {"to": {"conversation": "$g"}, "body": "hi"} => ok
        inbox @ann3 conversation message
        "#,
    );
}

/// What is kept of an inbox, by lane.
fn lanes(world: &World, name: &str) -> Vec<(u64, Lane)> {
    let agent = world.agent(name);
    let lane = |seq| {
        world
            .state
            .deliveries
            .get(&(agent, seq))
            .map(|d| d.stands_in())
    };
    let kept = world.state.kept_after(agent, 0);
    kept.filter_map(|seq| Some((seq, lane(seq)?))).collect()
}

fn count(world: &World, name: &str, lane: Lane) -> usize {
    lanes(world, name)
        .iter()
        .filter(|(_, l)| *l == lane)
        .count()
}

/// Without limits on rates, for tables that do much in no time.
const UNHURRIED: &str = r#"
    operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "posts_per_minute": 0, "gestures_per_minute": 0, "mentions_per_minute": 0} => ok
"#;

/// Executes one command, which must be accepted.
fn must(world: &mut World, who: &str, command: &str) {
    let who = world.request(who).unwrap();
    let command = crate::spec::sealed(command);
    world.execute(&who, &command).unwrap();
}

const MARKET: &str = r#"
    agent bob @victim closed
    agent cat @buyer request
    fund @buyer 100
    @victim listing.publish {"terms": {"title": "tacos"}} => ok $l
"#;

const TERMS: &str = r#""side": "buy", "terms": {"price": "5", "deliver_within_ms": 60000, "review_within_ms": 3600000, "rule_within_ms": 3600000, "arbiter": "operator"}, "valid_for_ms": 600000"#;

#[test]
fn strangers_empty_no_inbox() {
    let mut world = World::new();
    world.run(&[PEOPLE, UNHURRIED, MARKET].concat());
    world.run(&format!(
        r#"
        @buyer negotiation.open {{"with": "@victim", {TERMS}}} => ok
        @buyer mail.send {{"to": {{"agent": "@bob1"}}, "body": "hello"}} => ok
        @buyer social.post {{"body": "you two", "mentions": ["@victim", "@bob1"]}} => ok
        inbox @victim negotiation
        inbox @bob1 request mention
        @victim agent.set_profile {{"agent": "@victim", "profile": {{"contact": "closed", "mentions": ["all"]}}}} => ok
        @buyer social.post {{"body": "you two", "mentions": ["@victim"]}} => ok
        owner mob
        "#
    ));
    let agents = 30;
    for n in 0..agents {
        world.run(&format!("agent mob @mob{n} open"));
    }
    let most = limits::INBOX_MENTIONS;
    for n in 0..most + 100 {
        let post =
            r#"{"op": "social.post", "args": {"body": "buy", "mentions": ["@victim", "@bob1"]}}"#;
        must(&mut world, &format!("@mob{}", n % agents), post);
    }
    // What waits is there, so is what another owner's agent said, and the mob pushed out its own.
    for name in ["@victim", "@bob1"] {
        let kept = lanes(&world, name);
        assert_eq!(kept.first(), Some(&(1, Lane::Waiting)), "{name}");
        assert_eq!(kept.get(1), Some(&(2, Lane::Mentions)), "{name}");
        assert_eq!(kept.len(), most + 1, "{name}");
    }
    world.settle();
}

#[test]
fn what_waits_stays_until_it_is_acknowledged_or_over() {
    let world = table(&format!(
        r#"{MARKET}
        @buyer negotiation.open {{"with": "@victim", {TERMS}}} => ok $n
        @ann1 task.create {{"worker": "@ann2", "body": "x"}} => ok $t
        wait +29d
        @ann2 task.update {{"task": "$t", "state": "working"}} => ok
        @ann1 task.create {{"worker": "@ann2", "body": "y"}} => ok $u
        inbox @victim negotiation negotiation
        wait +2d
        // the offer expired and the first task was begun; the second still waits
        inbox @victim -
        inbox @ann2 task
        wait +60d
        inbox @ann2 task
        inbox @ann1 -
        @ann2 task.update {{"task": "$u", "state": "working"}} => ok
        wait +1d
        inbox @ann2 -
        @ann1 task.create {{"worker": "@ann2", "body": "z"}} => ok
        wait +40d
        inbox @ann2 task
        @ann2 mail.acknowledge {{"through": 3}} => ok
        inbox @ann2 -
        "#
    ));
    let inbox = world.state.inboxes.get(&world.agent("@ann2")).unwrap();
    assert_eq!((inbox.first, inbox.next), (4, 4));
    world.settle();
}

#[test]
fn one_thing_waits_once() {
    let world = table(&format!(
        r#"{MARKET}
        @buyer negotiation.open {{"with": "@victim", {TERMS}}} => ok $n
        @victim negotiation.counter {{"negotiation": "$n", "terms": {{"price": "7", "deliver_within_ms": 60000, "review_within_ms": 3600000, "rule_within_ms": 3600000, "arbiter": "operator"}}, "valid_for_ms": 600000}} => ok
        @buyer negotiation.counter {{"negotiation": "$n", "terms": {{"price": "6", "deliver_within_ms": 60000, "review_within_ms": 3600000, "rule_within_ms": 3600000, "arbiter": "operator"}}, "valid_for_ms": 600000}} => ok
        @victim negotiation.accept {{"negotiation": "$n", "offer": "$n.offer"}} => ok $d
        inbox @victim negotiation negotiation
        "#
    ));
    let kept = lanes(&world, "@victim");
    assert_eq!(kept, [(1, Lane::Strangers), (2, Lane::Waiting)]);
}

#[test]
fn an_owner_puts_only_so_much_before_a_stranger() {
    let mut world = World::new();
    world.run(
        &[
            PEOPLE,
            UNHURRIED,
            MARKET,
            "agent cat @second request\n    fund @second 10\n    fund @open 10\n    fund @ann1 10",
        ]
        .concat(),
    );
    let most = limits::WAITING_OF_STRANGER;
    for n in 0..most {
        let who = if n % 2 == 0 { "@buyer" } else { "@second" };
        let open = format!(
            r#"{{"op": "negotiation.open", "args": {{"with": "@victim", "pay_from": null, {TERMS}}}}}"#
        );
        must(&mut world, who, &open);
    }
    world.run(&format!(
        r#"
        @buyer negotiation.open {{"with": "@victim", {TERMS}}} => RLT0211
        @second negotiation.open {{"with": "@victim", {TERMS}}} => RLT0211
        // another owner is not in the way, nor the victim's own
        @open negotiation.open {{"with": "@victim", {TERMS}}} => RLT0211
        @ann1 negotiation.open {{"with": "@victim", {TERMS}}} => ok
        @bob1 task.create {{"worker": "@victim", "body": "x"}} => ok
        // what is acknowledged, or over, makes room
        @victim mail.acknowledge {{"through": 1}} => ok
        @buyer negotiation.open {{"with": "@victim", {TERMS}}} => ok $n
        @buyer negotiation.open {{"with": "@victim", {TERMS}}} => RLT0211
        @victim negotiation.leave {{"negotiation": "$n"}} => ok
        @buyer negotiation.open {{"with": "@victim", {TERMS}}} => ok
        // whom it has admitted may put more before it
        @victim mail.send {{"to": {{"agent": "@buyer"}}, "body": "x"}} => ok
        @buyer negotiation.open {{"with": "@victim", {TERMS}}} => ok
        @second negotiation.open {{"with": "@victim", {TERMS}}} => RLT0211
        wait +20m
        @second negotiation.open {{"with": "@victim", {TERMS}}} => ok
        "#
    ));
    world.settle();
}

#[test]
fn nobody_fills_an_arbiters_inbox_with_cases() {
    let mut world = World::new();
    world.run(&[PEOPLE, UNHURRIED, MARKET].concat());
    world.run(
        r#"
        @victim agent.set_profile {"agent": "@victim", "profile": {"contact": "request"}} => ok
        @ann1 listing.publish {"terms": {"title": "rope"}} => ok
        @buyer negotiation.open {"with": "@ann1", "side": "buy", "terms": {"price": "1", "arbiter": {"agent": "@victim"}}, "valid_for_ms": 600000} => ok $n
        @ann1 negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
        @ann1 deal.deliver {"deal": "$deal", "body": "x"} => ok
        "#,
    );
    for _ in 0..limits::WAITING_OF_STRANGER {
        let open =
            format!(r#"{{"op": "negotiation.open", "args": {{"with": "@victim", {TERMS}}}}}"#);
        must(&mut world, "@buyer", &open);
    }
    world.run(
        r#"
        // none can name it any more, and the one that has a case is heard, but does not wait
        @buyer negotiation.open {"with": "@ann1", "side": "buy", "terms": {"price": "1", "arbiter": {"agent": "@victim"}}, "valid_for_ms": 600000} => RLT0211
        @buyer deal.dispute {"deal": "$deal", "reason": "x"} => ok
        "#,
    );
    let kept = lanes(&world, "@victim");
    assert_eq!(kept.last().map(|(_, lane)| *lane), Some(Lane::Strangers));
    assert_eq!(
        count(&world, "@victim", Lane::Waiting),
        limits::WAITING_OF_STRANGER
    );
    world.settle();
}

#[test]
fn only_the_loudest_owner_of_a_full_lane_loses() {
    let mut world = World::new();
    world.run(&[PEOPLE, UNHURRIED].concat());
    must(
        &mut world,
        "@cat1",
        r#"{"op": "mail.send", "args": {"to": {"agent": "@open"}, "body": "own"}}"#,
    );
    must(
        &mut world,
        "@bob1",
        r#"{"op": "mail.send", "args": {"to": {"agent": "@open"}, "body": "once"}}"#,
    );
    let most = limits::INBOX_STRANGERS;
    for n in 0..most + 10 {
        let who = if n % 2 == 0 { "@ann1" } else { "@ann2" };
        let send = r#"{"op": "mail.send", "args": {"to": {"agent": "@open"}, "body": "x"}}"#;
        must(&mut world, who, send);
    }
    let kept = lanes(&world, "@open");
    assert_eq!(kept.first(), Some(&(1, Lane::Known)));
    assert_eq!(kept.get(1), Some(&(2, Lane::Strangers)));
    assert_eq!(count(&world, "@open", Lane::Strangers), most);
    assert_eq!(kept.last().map(|(seq, _)| *seq), Some(most as u64 + 12));
    world.settle();
}

#[test]
fn a_correction_follows_the_text_into_each_inbox() {
    table(
        r#"
        @ann1 social.post {"body": "noon", "mentions": ["@bob1", "@cat1"]} => ok $p
        @bob1 social.post {"body": "fine", "parent": "$p"} => ok $r
        @ann1 social.edit {"post": "$p", "body": "one"} => ok
        inbox @bob1 mention changed
        inbox @cat1 -
        inbox @ann1 reply
        @bob1 social.edit {"post": "$r", "body": "ok"} => ok
        inbox @ann1 reply changed
        operator moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "x"} => ok $m
        inbox @bob1 mention changed changed
        operator moderation.revoke {"measure": "$m", "reason": "x"} => ok
        inbox @bob1 mention changed changed changed
        // edits of those it does not hear any more are not told; that a text is gone is
        @bob1 social.mute {"owner": "$ann", "mute": true} => ok
        @ann1 social.edit {"post": "$p", "body": "two"} => ok
        inbox @bob1 mention changed changed changed
        @ann1 social.delete {"post": "$p"} => ok
        inbox @bob1 mention changed changed changed changed
        "#,
    );
}

#[test]
fn deliveries_leave_after_thirty_days() {
    let world = table(
        r#"
        @ann2 mail.send {"to": {"agent": "@ann1"}, "body": "old"} => ok
        wait +29d
        @ann2 mail.send {"to": {"agent": "@ann1"}, "body": "new"} => ok
        inbox @ann1 message message
        wait +1d
        inbox @ann1 message
        wait +29d
        inbox @ann1 -
        @ann2 mail.send {"to": {"agent": "@ann1"}, "body": "newer"} => ok
        inbox @ann1 message
        "#,
    );
    let inbox = world.state.inboxes.get(&world.agent("@ann1")).unwrap();
    assert_eq!((inbox.first, inbox.next), (3, 4));
}

#[test]
fn an_inbox_keeps_ten_thousand_deliveries() {
    let mut world = World::new();
    world.run(PEOPLE);
    world.run(
        r#"operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0} => ok"#,
    );
    let request = world.request("@ann2").unwrap();
    let text = r#"{"op": "mail.send", "args": {"to": {"agent": "@ann1"}, "body": "x"}}"#;
    let send = crate::spec::sealed(text);
    for _ in 0..limits::INBOX_DELIVERIES + 5 {
        world.execute(&request, &send).unwrap();
    }
    let inbox = world.state.inboxes.get(&world.agent("@ann1")).unwrap();
    let most = limits::INBOX_DELIVERIES as u64;
    assert_eq!((inbox.first, inbox.next), (6, most + 6));
    crate::spec::promises(&world.state).unwrap();
    world.run("wait +30d\ninbox @ann1 -");
    world.settle();
}

#[test]
fn at_most_a_hundred_first_messages_wait_at_strangers() {
    let mut world = World::new();
    world.run("owner ann\nowner bob\nagent ann @ann1");
    for n in 0..limits::OPEN_REQUESTS_PER_AGENT {
        world.run(&format!("agent bob @bob{n} request"));
        world.run(&format!(
            r#"@ann1 mail.send {{"to": {{"agent": "@bob{n}"}}, "body": "x"}} => ok"#
        ));
    }
    world.run(
        r#"
        agent bob @last request
        @ann1 mail.send {"to": {"agent": "@last"}, "body": "x"} => RLT0207
        @bob7 mail.answer_request {"agent": "@ann1", "admit": false} => ok
        @ann1 mail.send {"to": {"agent": "@last"}, "body": "x"} => ok
        @ann1 mail.send {"to": {"agent": "@last"}, "body": "x"} => RLT0202
        "#,
    );
}

#[test]
fn a_group_has_at_most_a_thousand_members() {
    let mut world = World::new();
    world.run("owner ann");
    let names: Vec<String> = (0..=limits::GROUP_MEMBERS)
        .map(|n| format!("@m{n}"))
        .collect();
    let quoted = |names: &[String]| {
        let all: Vec<String> = names.iter().map(|n| format!("\"{n}\"")).collect();
        all.join(",")
    };
    let who = world.request("operator").unwrap();
    for name in &names {
        let text = format!(
            r#"{{"op": "agent.register", "args": {{"owner": "{}", "handle": "{name}"}}}}"#,
            world
                .state
                .owner_named(&crate::text::Handle::new("ann").unwrap())
                .unwrap()
        );
        let command = crate::spec::sealed(&text);
        world.execute(&who, &command).unwrap();
    }
    let most = limits::GROUP_MEMBERS;
    world.run(&format!(
        r#"
        @m0 mail.open_group {{"title": "all", "members": [{}]}} => RLT0010
        @m0 mail.open_group {{"title": "all", "members": [{}]}} => ok $g
        @m0 mail.change_group {{"conversation": "$g", "add": ["@m{most}"]}} => RLT0208
        @m0 mail.change_group {{"conversation": "$g", "add": ["@m{most}"], "remove": ["@m1"]}} => ok
        @m0 mail.send {{"to": {{"conversation": "$g"}}, "body": "hi"}} => ok
        "#,
        quoted(&names[1..=most]),
        quoted(&names[1..most]),
    ));
    world.settle();
}

#[test]
fn erasure_is_the_operators_and_leaves_the_digest_alone() {
    table(
        r#"
        @ann1 realm.erase {"contents": ["cont_000000000000"]} => RLT0101
        operator realm.erase {"contents": ["cont_000000000000"]} => ok
        "#,
    );
}

#[test]
fn a_message_names_a_task_only_of_its_own() {
    table(
        r#"
        @ann1 task.create {"worker": "@ann2", "body": "do"} => ok $t
        @ann2 mail.send {"to": {"agent": "@ann1"}, "body": "x", "task": "$t"} => ok
        @bob1 mail.send {"to": {"agent": "@open"}, "body": "x", "task": "$t"} => RLT0103
        "#,
    );
}

#[test]
fn silence_is_forgotten() {
    table(
        r#"
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "hello"} => ok $m $c
        wait +30d
        // the question left the inbox with the first message, so it may be asked again
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "again"} => ok
        inbox @bob1 request
        @bob1 mail.answer_request {"agent": "@ann1", "admit": true} => ok
        wait +200d
        @ann1 mail.send {"to": {"conversation": "$c"}, "body": "still here"} => ok
        wait +390d
        // counted from the last message, not from the first
        @ann1 mail.send {"to": {"conversation": "$c"}, "body": "again"} => ok
        wait +400d
        @ann1 mail.send {"to": {"conversation": "$c"}, "body": "too late"} => RLT0103
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "first again"} => ok
        inbox @bob1 request
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "second"} => RLT0202
        "#,
    );
}

#[test]
fn an_empty_group_leaves_memory() {
    let mut world = table(
        r#"
        @ann1 mail.open_group {"title": "g", "members": ["@ann2"]} => ok $g
        @ann1 mail.change_group {"conversation": "$g", "remove": ["@ann1"]} => ok
        tick
        @ann2 mail.send {"to": {"conversation": "$g"}, "body": "alone"} => ok
        @ann2 mail.change_group {"conversation": "$g", "remove": ["@ann2"]} => ok
        "#,
    );
    assert_eq!(world.state.conversations.len(), 1);
    world.run("tick");
    assert_eq!(world.state.conversations.len(), 0);
    world.settle();
}

#[test]
fn a_group_whose_opener_left_is_led_by_the_next() {
    check(
        r#"
        owner ann
        owner bob
        agent ann @ann1
        agent bob @bob1
        agent bob @bob2
        agent ann @ann2
        @ann1 mail.open_group {"title": "friends", "members": ["@bob1", "@bob2", "@ann2"]} => ok $g
        @bob1 mail.change_group {"conversation": "$g", "remove": ["@ann2"]} => RLT0101
        @ann1 mail.change_group {"conversation": "$g", "remove": ["@ann1"]} => ok
        @bob2 mail.change_group {"conversation": "$g", "remove": ["@ann2"]} => RLT0101
        @bob1 mail.change_group {"conversation": "$g", "remove": ["@ann2"]} => ok
        // who comes back, comes last
        @bob1 mail.change_group {"conversation": "$g", "add": ["@ann1", "@ann2"]} => ok
        @ann1 mail.change_group {"conversation": "$g", "remove": ["@ann2"]} => RLT0101
        // and a stopped or closed agent leads nothing
        bob identity.suspend {"subject": {"agent": "@bob1"}} => ok
        @bob2 mail.change_group {"conversation": "$g", "remove": ["@ann2"]} => ok
        bob identity.resume {"subject": {"agent": "@bob1"}} => ok
        @bob2 mail.change_group {"conversation": "$g", "remove": ["@ann1"]} => RLT0101
        bob agent.close {"agent": "@bob1"} => ok
        @bob2 mail.change_group {"conversation": "$g", "remove": ["@ann1", "@bob1"]} => ok
        "#,
    );
}
