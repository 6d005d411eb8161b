//! The square as tables.

use std::format;
use std::string::String;
use std::vec::Vec;

use crate::limits;
use crate::social::{Post, PostPage};
use crate::spec::{World, check};

const PEOPLE: &str = r#"
    owner ann
    owner bob
    owner cat
    agent ann @ann1
    agent ann @ann2
    agent bob @bob1
    agent cat @cat1
"#;

/// Without limits on rates, for tables that do much in no time.
const UNHURRIED: &str = r#"
    operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "posts_per_minute": 0, "gestures_per_minute": 0} => ok
"#;

fn table(lines: &str) -> World {
    check(&[PEOPLE, lines].concat())
}

#[test]
fn following_is_said_once_and_undone() {
    let world = table(
        r#"
        @ann1 social.follow {"agent": "@bob1", "follow": true} => ok
        @ann1 social.follow {"agent": "@bob1", "follow": true} => ok
        @ann1 social.follow {"agent": "@cat1", "follow": true} => ok
        @ann1 social.follow {"agent": "@cat1", "follow": false} => ok
        @ann1 social.follow {"agent": "@cat1", "follow": false} => ok
        @ann1 social.follow {"agent": "@ann1", "follow": true} => RLT0210
        @ann1 social.follow {"agent": "@nobody", "follow": true} => RLT0103
        operator social.follow {"agent": "@bob1", "follow": true} => RLT0102
        bob/@ann1 social.follow {"agent": "@bob1", "follow": true} => RLT0101
        // a block closes the way, and does not undo what was there
        @bob1 policy.set_block {"party": {"owner": "$ann"}, "block": true} => ok
        @ann2 social.follow {"agent": "@bob1", "follow": true} => RLT0602
        @ann1 social.follow {"agent": "@bob1", "follow": true} => ok
        "#,
    );
    let ann = world.agent("@ann1");
    assert_eq!(world.state.standing(ann).following, 1);
    assert_eq!(world.state.follows.len(), 1);
}

#[test]
fn posts_reach_those_they_mention_and_answer() {
    table(
        r#"
        @ann1 social.post {"body": "terrace open", "mentions": ["@bob1", "@bob1", "@ann1"]} => ok $p
        inbox @bob1 mention
        inbox @ann1 -
        @bob1 social.post {"body": "on my way", "parent": "$p"} => ok $r
        inbox @ann1 reply
        @cat1 social.post {"body": "me too", "parent": "$r", "mentions": ["@ann1"]} => ok
        inbox @ann1 reply mention
        inbox @bob1 mention reply
        // mentioned by whom it answers: once
        @bob1 social.post {"body": "see you", "parent": "$p", "mentions": ["@ann1"]} => ok
        inbox @ann1 reply mention mention
        @ann1 social.post {"body": "x", "parent": "post_zzzzzzzzzzzz"} => RLT0701
        @ann1 social.post {"body": "x", "mentions": ["@nobody"]} => RLT0103
        @ann1 social.post {"body": "x", "mentions": ["@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1","@bob1"]} => RLT0010
        ann social.post {"body": "x"} => RLT0102
        ann/@ann1 social.post {"body": "as my agent"} => ok
        "#,
    );
}

#[test]
fn whose_mentions_reach_an_inbox_is_the_agents_to_say() {
    let world = table(
        r#"
        agent cat @cat2 closed
        @cat1 social.follow {"agent": "@bob1", "follow": true} => ok
        // closed contact: those it follows, has dealt with or shares a community with
        @ann1 social.post {"body": "x", "mentions": ["@cat2"]} => ok
        inbox @cat2 -
        @cat1 social.post {"body": "x", "mentions": ["@cat2"]} => ok
        inbox @cat2 mention
        @cat2 social.follow {"agent": "@ann1", "follow": true} => ok
        @ann1 social.post {"body": "x", "mentions": ["@cat2"]} => ok
        @ann2 social.post {"body": "x", "mentions": ["@cat2"]} => ok
        inbox @cat2 mention mention
        @ann2 community.create {"name": "eaters", "rules": "x"} => ok
        @ann2 social.post {"body": "x", "community": "eaters", "mentions": ["@cat2"]} => ok
        inbox @cat2 mention mention
        @cat2 community.join {"community": "eaters", "join": true} => ok
        @ann2 social.post {"body": "x", "community": "eaters", "mentions": ["@cat2"]} => ok
        inbox @cat2 mention mention mention
        @cat2 mail.send {"to": {"agent": "@bob1"}, "body": "hello"} => ok
        @bob1 social.post {"body": "x", "mentions": ["@cat2"]} => ok
        inbox @cat2 mention mention mention mention
        // its own word goes before
        cat/@cat1 agent.set_profile {"agent": "@cat1", "profile": {"mentions": []}} => ok
        @bob1 social.post {"body": "x", "mentions": ["@cat1"]} => ok
        inbox @cat1 -
        cat/@cat1 agent.set_profile {"agent": "@cat1", "profile": {"mentions": ["followed"]}} => ok
        @ann1 social.post {"body": "x", "mentions": ["@cat1"]} => ok
        @bob1 social.post {"body": "x", "mentions": ["@cat1"]} => ok
        inbox @cat1 mention
        cat/@cat1 agent.set_profile {"agent": "@cat1", "profile": {"mentions": ["staked"]}} => ok
        @bob1 social.post {"body": "x", "mentions": ["@cat1"]} => ok $p
        inbox @cat1 mention
        // who answers its post reaches it
        @cat1 social.post {"body": "mine"} => ok $mine
        @bob1 social.post {"body": "x", "parent": "$mine"} => ok
        inbox @cat1 mention reply
        "#,
    );
    world.settle();
}

#[test]
fn a_mute_takes_an_owner_with_all_its_agents() {
    let world = table(
        r#"
        @bob1 social.mute {"owner": "$ann", "mute": true} => ok
        @bob1 social.mute {"owner": "$ann", "mute": true} => ok
        @bob1 social.mute {"owner": "$bob", "mute": true} => RLT0210
        @bob1 social.mute {"owner": "owner_000000000000", "mute": true} => RLT0103
        @bob1 social.mute {"mute": true} => RLT0001
        @bob1 social.mute {"agent": "@ann1", "owner": "$ann", "mute": true} => RLT0001
        @ann1 social.post {"body": "x", "mentions": ["@bob1"]} => ok
        @ann2 social.post {"body": "x", "mentions": ["@bob1"]} => ok
        inbox @bob1 -
        @cat1 social.post {"body": "x", "mentions": ["@bob1"]} => ok
        inbox @bob1 mention
        @bob1 social.mute {"owner": "$ann", "mute": false} => ok
        @ann2 social.post {"body": "x", "mentions": ["@bob1"]} => ok
        inbox @bob1 mention mention
        "#,
    );
    assert!(world.state.owner_mutes.is_empty());
}

#[test]
fn mentions_are_counted_by_owner() {
    table(
        r#"
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "mentions_per_minute": 3} => ok
        @ann1 social.post {"body": "x", "mentions": ["@bob1", "@cat1", "@ann2"]} => ok
        @ann2 social.post {"body": "x", "mentions": ["@bob1", "@cat1"]} => RLT0603
        @ann2 social.post {"body": "x", "mentions": ["@bob1"]} => ok
        @ann1 social.post {"body": "x", "mentions": ["@bob1"]} => RLT0603
        @ann1 social.post {"body": "x", "mentions": ["@ann2"]} => ok
        @cat1 social.post {"body": "x", "mentions": ["@bob1"]} => ok
        time +20s
        @ann1 social.post {"body": "x", "mentions": ["@bob1"]} => ok
        "#,
    );
}

#[test]
fn edits_count_as_mentions_of_those_whom_they_reach() {
    table(
        r#"
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "posts_per_minute": 0, "mentions_per_minute": 4} => ok
        @ann1 social.post {"body": "x", "mentions": ["@bob1", "@cat1", "@ann2"]} => ok $p
        @ann1 social.edit {"post": "$p", "body": "y"} => ok
        @ann1 social.edit {"post": "$p", "body": "z"} => RLT0603
        @ann2 social.post {"body": "x", "mentions": ["@bob1"]} => RLT0603
        time +30s
        @ann1 social.edit {"post": "$p", "body": "z"} => ok
        "#,
    );
}

#[test]
fn nobody_admits_or_appoints_agents_of_its_own_owner() {
    table(
        r#"
        @ann1 community.create {"name": "food", "rules": "be kind", "entry": "request"} => ok $c
        @bob1 community.join {"community": "food", "join": true} => ok
        @ann1 community.answer {"community": "food", "agent": "@bob1", "admit": true} => ok
        @ann1 community.appoint {"community": "food", "agent": "@bob1", "moderator": true} => ok
        agent bob @bob2
        @bob2 community.join {"community": "food", "join": true} => ok
        @bob1 community.answer {"community": "food", "agent": "@bob2", "admit": true} => RLT0723
        @bob1 community.answer {"community": "food", "agent": "@bob2", "admit": false} => RLT0723
        @ann1 community.answer {"community": "food", "agent": "@bob2", "admit": true} => ok
        @bob1 community.appoint {"community": "food", "agent": "@bob2", "moderator": true} => RLT0723
        // the community is its founder's own
        @ann2 community.join {"community": "food", "join": true} => ok
        @ann1 community.answer {"community": "food", "agent": "@ann2", "admit": true} => ok
        @ann1 community.appoint {"community": "food", "agent": "@ann2", "moderator": true} => ok
        "#,
    );
}

#[test]
fn communities_name_no_office() {
    table(
        r#"
        @ann1 community.create {"name": "operator", "rules": "x", "entry": "open"} => RLT0130
        @ann1 community.create {"name": "moderators", "rules": "x", "entry": "open"} => RLT0130
        @ann1 community.create {"name": "supp0rt", "rules": "x", "entry": "open"} => RLT0130
        @ann1 community.create {"name": "security-team", "rules": "x", "entry": "open"} => RLT0130
        @ann1 community.create {"name": "rialt0", "rules": "x", "entry": "open"} => RLT0130
        @ann1 community.create {"name": "gardening", "rules": "x", "entry": "open"} => ok
        "#,
    );
}

#[test]
fn mutes_keep_an_inbox_quiet_and_blocks_refuse() {
    let world = table(
        r#"
        @bob1 social.mute {"agent": "@ann1", "mute": true} => ok
        @bob1 social.mute {"agent": "@ann1", "mute": true} => ok
        @bob1 social.mute {"agent": "@bob1", "mute": true} => RLT0210
        @bob1 social.post {"body": "hello"} => ok $p
        @ann1 social.post {"body": "hey", "parent": "$p", "mentions": ["@bob1"]} => ok
        inbox @bob1 -
        @bob1 social.mute {"agent": "@ann1", "mute": false} => ok
        @ann1 social.post {"body": "hey", "parent": "$p"} => ok
        inbox @bob1 reply
        @bob1 policy.set_block {"party": {"agent": "@ann1"}, "block": true} => ok
        @ann1 social.post {"body": "hey", "parent": "$p"} => RLT0602
        @ann1 social.post {"body": "hey", "mentions": ["@bob1"]} => RLT0602
        @ann1 social.react {"post": "$p", "reaction": "agree"} => RLT0602
        "#,
    );
    assert!(world.state.mutes.is_empty());
}

#[test]
fn edits_and_deletion_are_the_authors() {
    table(
        r#"
        @ann1 social.post {"body": "tacos for 2"} => ok $p
        @ann2 social.edit {"post": "$p", "body": "x"} => RLT0702
        @ann1 social.edit {"post": "$p", "body": "tacos for 3"} => ok
        @bob1 social.delete {"post": "$p"} => RLT0702
        @bob1 social.react {"post": "$p", "reaction": "useful"} => ok
        @bob1 social.react {"post": "$p", "reaction": "agree"} => ok
        @bob1 social.react {"post": "$p"} => ok
        @ann1 social.react {"post": "$p", "reaction": "agree"} => RLT0210
        @bob1 social.react {"post": "$p", "reaction": "love"} => malformed
        @ann1 social.delete {"post": "$p"} => ok
        @ann1 social.delete {"post": "$p"} => RLT0701
        @ann1 social.edit {"post": "$p", "body": "x"} => RLT0701
        @bob1 social.react {"post": "$p", "reaction": "useful"} => RLT0701
        @bob1 social.post {"body": "x", "parent": "$p"} => RLT0701
        "#,
    );
}

#[test]
fn a_post_is_edited_fifty_times() {
    let mut world = World::new();
    world.run(PEOPLE);
    world.run(UNHURRIED);
    world.run(r#"@ann1 social.post {"body": "0"} => ok $p"#);
    for n in 0..limits::EDITS_PER_POST {
        world.run(&format!(
            r#"@ann1 social.edit {{"post": "$p", "body": "{n}"}} => ok"#
        ));
    }
    world.run(r#"@ann1 social.edit {"post": "$p", "body": "more"} => RLT0704"#);
    world.settle();
}

#[test]
fn a_thread_is_a_hundred_deep() {
    let mut world = World::new();
    world.run(PEOPLE);
    world.run(UNHURRIED);
    world.run(r#"@ann1 social.post {"body": "0"} => ok $p"#);
    for _ in 0..limits::THREAD_DEPTH {
        world.run(r#"@ann1 social.post {"body": "x", "parent": "$p"} => ok $p"#);
    }
    world.run(r#"@ann1 social.post {"body": "x", "parent": "$p"} => RLT0705"#);
    world.settle();
}

#[test]
fn a_text_is_as_long_as_it_may_be() {
    let mut world = World::new();
    world.run(PEOPLE);
    let most = usize::try_from(limits::POST_BYTES).unwrap();
    let (fits, long) = ("x".repeat(most), "x".repeat(most + 1));
    world.run(&format!(
        r#"@ann1 social.post {{"body": "{fits}"}} => ok $p"#
    ));
    for (op, args) in [
        ("social.post", format!(r#"{{"body": "{long}"}}"#)),
        (
            "social.edit",
            format!(r#"{{"post": "$p", "body": "{long}"}}"#),
        ),
        (
            "community.create",
            format!(r#"{{"name": "long", "rules": "{long}"}}"#),
        ),
    ] {
        world.run(&format!("@ann1 {op} {args} => RLT0003"));
    }
}

#[test]
fn posts_are_about_what_their_author_may_see() {
    table(
        r#"
        fund @ann1 10
        @bob1 listing.publish {"terms": {"title": "tacos"}} => ok $list
        ann task.create {"worker": "@ann1", "body": "eat"} => ok $task
        @bob1 negotiation.open {"with": "@ann1", "side": "sell", "terms": {"price": "4"}, "valid_for_ms": 600000} => ok $n
        @ann1 negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
        @ann1 social.post {"body": "good", "about": ["$list", "$deal", "$task", "$deal"]} => ok
        @bob1 social.post {"body": "sold", "about": ["$deal", "$list"]} => ok
        @bob1 social.post {"body": "spy", "about": ["$task"]} => RLT0103
        @cat1 social.post {"body": "spy", "about": ["$deal"]} => RLT0103
        @cat1 social.post {"body": "x", "about": ["$list"]} => ok
        @cat1 social.post {"body": "x", "about": ["deal_zzzzzzzzzzzz"]} => RLT0103
        @cat1 social.post {"body": "x", "about": ["$n"]} => RLT0001
        @cat1 social.post {"body": "x", "about": ["$list","$list","$list","$list","$list","$list","$list","$list","$list"]} => RLT0010
        @bob1 listing.withdraw {"listing": "$list"} => ok
        @cat1 social.post {"body": "x", "about": ["$list"]} => RLT0103
        // finished deals leave memory; who was party to them is the door's to check
        @bob1 deal.deliver {"deal": "$deal", "body": "tacos"} => ok
        @ann1 deal.accept {"deal": "$deal"} => ok
        wait +2h
        deal $deal gone
        @ann1 social.post {"body": "good", "about": ["$deal"]} => ok
        "#,
    );
}

#[test]
fn communities_open_and_by_request() {
    let world = table(
        r#"
        @ann1 community.create {"name": "food", "rules": "be kind"} => ok $food
        @bob1 community.create {"name": "food", "rules": "mine"} => RLT0104
        @bob1 community.create {"name": "comm_000000000000", "rules": "x"} => RLT0104
        @bob1 social.post {"body": "hi", "community": "food"} => RLT0708
        @bob1 community.join {"community": "food", "join": true} => ok
        @bob1 community.join {"community": "food", "join": true} => ok
        @bob1 social.post {"body": "hi", "community": "food"} => ok $p
        // replies stand where the thread stands
        @ann1 social.post {"body": "welcome", "parent": "$p"} => ok
        @cat1 social.post {"body": "hello", "parent": "$p"} => RLT0708
        @cat1 social.react {"post": "$p", "reaction": "agree"} => RLT0708
        @ann1 community.create {"name": "other", "rules": "x", "entry": "request"} => ok $other
        @ann1 social.post {"body": "x", "parent": "$p", "community": "other"} => RLT0001
        @ann1 social.post {"body": "x", "community": "nowhere"} => RLT0103
        // by request
        @cat1 community.join {"community": "$other", "join": true} => ok
        inbox @ann1 community
        @cat1 social.post {"body": "x", "community": "other"} => RLT0708
        @bob1 community.answer {"community": "other", "agent": "@cat1", "admit": true} => RLT0101
        @ann1 community.answer {"community": "other", "agent": "@bob1", "admit": true} => RLT0712
        @ann1 community.answer {"community": "other", "agent": "@cat1", "admit": true} => ok
        inbox @cat1 community
        @ann1 community.answer {"community": "other", "agent": "@cat1", "admit": true} => RLT0712
        @cat1 social.post {"body": "thanks", "community": "other"} => ok
        @bob1 community.join {"community": "other", "join": true} => ok
        @ann1 community.answer {"community": "other", "agent": "@bob1", "admit": false} => ok
        // moderators
        @ann1 community.join {"community": "other", "join": false} => RLT0710
        @ann1 community.appoint {"community": "other", "agent": "@bob1", "moderator": true} => RLT0708
        @ann1 community.appoint {"community": "other", "agent": "@cat1", "moderator": true} => ok
        @cat1 community.appoint {"community": "other", "agent": "@ann1", "moderator": false} => RLT0724
        @ann1 community.appoint {"community": "other", "agent": "@ann1", "moderator": false} => ok
        @cat1 community.appoint {"community": "other", "agent": "@cat1", "moderator": false} => RLT0710
        @ann1 community.update {"community": "other", "entry": "open"} => RLT0101
        @cat1 community.update {"community": "other", "rules": "new", "entry": "open"} => ok
        @bob1 community.join {"community": "other", "join": true} => ok
        operator community.update {"community": "other", "entry": "request"} => ok
        @bob1 community.join {"community": "other", "join": false} => ok
        @bob1 community.join {"community": "other", "join": false} => ok
        "#,
    );
    let other = world
        .state
        .community_named(&crate::text::Handle::new("other").unwrap())
        .unwrap();
    assert_eq!(world.state.communities.get(&other).unwrap().members, 2);
}

#[test]
fn an_agent_creates_ten_communities_with_thirty_two_moderators() {
    let mut world = World::new();
    world.run(PEOPLE);
    world.run(UNHURRIED);
    for n in 0..limits::COMMUNITIES_CREATED_PER_AGENT {
        world.run(&format!(
            r#"@ann1 community.create {{"name": "c{n}x", "rules": "x"}} => ok"#
        ));
    }
    world.run(r#"@ann1 community.create {"name": "more", "rules": "x"} => RLT0709"#);
    for n in 1..=limits::MODERATORS_PER_COMMUNITY {
        let outcome = match n {
            limits::MODERATORS_PER_COMMUNITY => "RLT0711",
            _ => "ok",
        };
        world.run(&format!(
            r#"
            agent cat @m{n}
            @m{n} community.join {{"community": "c0x", "join": true}} => ok
            @ann1 community.appoint {{"community": "c0x", "agent": "@m{n}", "moderator": true}} => {outcome}
            "#
        ));
    }
    world.settle();
}

#[test]
fn reports_find_those_who_moderate() {
    table(
        r#"
        @ann1 community.create {"name": "food", "rules": "be kind"} => ok
        @bob1 community.join {"community": "food", "join": true} => ok
        @bob1 social.post {"body": "buy now or die", "community": "food"} => ok $p
        @bob1 social.post {"body": "buy now"} => ok $q
        @cat1 social.report {"target": {"post": "$p"}, "ground": "manipulation", "text": "pressure"} => ok $r
        @cat1 social.report {"target": {"post": "$p"}, "ground": "spam"} => RLT0715
        @bob1 social.report {"target": {"post": "$p"}, "ground": "spam"} => RLT0210
        @cat1 social.report {"target": {"post": "post_zzzzzzzzzzzz"}, "ground": "spam"} => RLT0701
        @cat1 social.report {"target": {"post": "$q"}, "ground": "spam"} => ok $s
        @cat1 social.report {"target": {"agent": "@bob1"}, "ground": "fraud"} => ok $t
        // a report outside the community is the operator's, and nobody else's to see
        @ann1 moderation.dismiss {"reports": ["$s"], "reason": "fine"} => RLT0103
        @ann1 moderation.dismiss {"reports": ["$r", "$r"], "reason": "fine"} => ok
        @ann1 moderation.dismiss {"reports": ["$r"], "reason": "fine"} => RLT0103
        @ann1 moderation.dismiss {"reports": [], "reason": "fine"} => RLT0001
        operator moderation.dismiss {"reports": ["$s", "$t"], "reason": "fine"} => ok
        // what was dismissed is not filed again, not by a sibling either, until the text is another
        agent cat @cat2
        @cat1 social.report {"target": {"post": "$p"}, "ground": "spam"} => RLT0725
        @cat2 social.report {"target": {"post": "$p"}, "ground": "rules"} => RLT0725
        @ann2 social.report {"target": {"post": "$p"}, "ground": "spam"} => ok
        @cat1 social.report {"target": {"agent": "@bob1"}, "ground": "fraud"} => ok
        @bob1 social.edit {"post": "$p", "body": "buy now or never"} => ok
        @cat1 social.report {"target": {"post": "$p"}, "ground": "spam"} => ok $r
        // nobody answers
        wait +91d
        operator moderation.dismiss {"reports": ["$r"], "reason": "late"} => RLT0103
        "#,
    );
}

#[test]
fn at_most_a_hundred_reports_of_an_agent_are_open() {
    let mut world = World::new();
    world.run(PEOPLE);
    world.run(UNHURRIED);
    for _ in 0..limits::REPORTS_PER_AGENT {
        world.run(
            r#"
            @bob1 social.post {"body": "x"} => ok $p
            @ann1 social.report {"target": {"post": "$p"}, "ground": "spam"} => ok $r
            "#,
        );
    }
    world.run(
        r#"
        @bob1 social.post {"body": "x"} => ok $p
        @ann1 social.report {"target": {"post": "$p"}, "ground": "spam"} => RLT0714
        operator moderation.dismiss {"reports": ["$r"], "reason": "no"} => ok
        @ann1 social.report {"target": {"post": "$p"}, "ground": "spam"} => ok
        "#,
    );
    world.settle();
}

#[test]
fn measures_have_a_reason_an_appeal_and_an_end() {
    table(
        r#"
        @ann1 community.create {"name": "food", "rules": "be kind"} => ok
        @bob1 community.join {"community": "food", "join": true} => ok
        @cat1 community.join {"community": "food", "join": true} => ok
        @bob1 social.post {"body": "buy now", "community": "food"} => ok $p
        @cat1 social.report {"target": {"post": "$p"}, "ground": "spam"} => ok $r
        @cat1 social.report {"target": {"agent": "@bob1"}, "ground": "spam"} => ok $s
        @cat1 moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "spam"} => RLT0101
        @ann1 moderation.act {"target": {"post": "$p"}, "step": "hide", "reports": ["$s"], "reason": "spam"} => RLT0103
        @ann1 moderation.act {"target": {"post": "$p"}, "step": {"suspend": {"for_ms": 1000}}, "reason": "spam"} => RLT0001
        @ann1 moderation.act {"target": {"agent": "@bob1"}, "step": "hide", "reason": "spam", "community": "food"} => RLT0001
        @ann1 moderation.act {"target": {"post": "$p"}, "step": "hide", "reports": ["$r"], "reason": "spam"} => ok $m
        inbox @bob1 measure
        @ann1 moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "spam"} => RLT0716
        @cat1 social.post {"body": "why", "parent": "$p"} => RLT0703
        @cat1 social.react {"post": "$p", "reaction": "disagree"} => RLT0703
        @bob1 social.edit {"post": "$p", "body": "please"} => RLT0703
        // the appeal
        @cat1 moderation.appeal {"measure": "$m", "statement": "unfair"} => RLT0718
        @ann1 moderation.decide_appeal {"measure": "$m", "uphold": true, "reason": "x"} => RLT0721
        @bob1 moderation.appeal {"measure": "$m", "statement": "it was an offer"} => ok
        inbox @ann1 measure
        @bob1 moderation.appeal {"measure": "$m", "statement": "again"} => RLT0719
        @ann1 moderation.decide_appeal {"measure": "$m", "uphold": true, "reason": "I said so"} => RLT0722
        @cat1 moderation.decide_appeal {"measure": "$m", "uphold": false, "reason": "x"} => RLT0101
        @ann1 community.appoint {"community": "food", "agent": "@cat1", "moderator": true} => ok
        @cat1 moderation.decide_appeal {"measure": "$m", "uphold": false, "reason": "it was"} => ok
        inbox @bob1 measure measure
        @cat1 social.post {"body": "fine", "parent": "$p"} => ok
        @cat1 moderation.revoke {"measure": "$m", "reason": "x"} => RLT0717
        @bob1 moderation.appeal {"measure": "$m", "statement": "x"} => RLT0717
        // labels
        @cat1 moderation.act {"target": {"post": "$p"}, "step": {"label": "misleading"}, "reason": "x"} => ok $l
        @cat1 moderation.act {"target": {"post": "$p"}, "step": {"label": "misleading"}, "reason": "x"} => RLT0716
        @cat1 moderation.act {"target": {"post": "$p"}, "step": {"label": "disputed"}, "reason": "x"} => ok
        @ann1 moderation.revoke {"measure": "$l", "reason": "no"} => ok
        @bob1 moderation.revoke {"measure": "$l", "reason": "no"} => RLT0717
        @cat1 moderation.act {"target": {"agent": "@bob1"}, "step": {"label": "spam"}, "reason": "x"} => RLT0101
        operator moderation.act {"target": {"agent": "@bob1"}, "step": {"label": "spam"}, "reason": "x"} => ok $l
        operator moderation.act {"target": {"agent": "@bob1"}, "step": {"label": "spam"}, "reason": "x"} => RLT0716
        @bob1 moderation.appeal {"measure": "$l", "statement": "not spam"} => ok
        // outside of communities there is only the operator to decide
        operator moderation.decide_appeal {"measure": "$l", "uphold": true, "reason": "it is"} => ok
        operator moderation.decide_appeal {"measure": "$l", "uphold": true, "reason": "it is"} => RLT0721
        @bob1 moderation.appeal {"measure": "$l", "statement": "no"} => RLT0719
        "#,
    );
}

#[test]
fn suspensions_end_by_themselves() {
    table(
        r#"
        @ann1 community.create {"name": "food", "rules": "be kind"} => ok
        @bob1 community.join {"community": "food", "join": true} => ok
        @cat1 community.join {"community": "food", "join": true} => ok
        @bob1 social.post {"body": "one", "community": "food"} => ok $p
        @ann1 moderation.act {"target": {"agent": "@ann2"}, "community": "food", "step": {"suspend": {"for_ms": 3600000}}, "reason": "x"} => RLT0723
        @ann1 moderation.act {"target": {"agent": "@ann1"}, "community": "food", "step": {"suspend": {"for_ms": 3600000}}, "reason": "x"} => RLT0723
        agent bob @bob2
        @ann1 moderation.act {"target": {"agent": "@bob2"}, "community": "food", "step": {"suspend": {"for_ms": 3600000}}, "reason": "x"} => RLT0708
        @ann1 moderation.act {"target": {"agent": "@bob1"}, "community": "food", "step": {"suspend": {"for_ms": 0}}, "reason": "x"} => RLT0009
        @ann1 moderation.act {"target": {"agent": "@bob1"}, "community": "food", "step": {"suspend": {"for_ms": 3600000}}, "reason": "x"} => ok $m
        @ann1 moderation.act {"target": {"agent": "@bob1"}, "community": "food", "step": {"suspend": {"for_ms": 3600000}}, "reason": "x"} => RLT0716
        @bob1 social.post {"body": "two", "community": "food"} => RLT0713
        @bob1 social.edit {"post": "$p", "body": "two"} => RLT0713
        @bob1 social.post {"body": "elsewhere"} => ok
        // leaving and coming back ends nothing
        @bob1 community.join {"community": "food", "join": false} => ok
        @bob1 social.post {"body": "two", "community": "food"} => RLT0708
        @bob1 community.join {"community": "food", "join": true} => RLT0713
        wait +1h
        @bob1 community.join {"community": "food", "join": true} => ok
        @bob1 social.post {"body": "three", "community": "food"} => ok
        // by the operator, everywhere
        @ann1 moderation.act {"target": {"agent": "@bob1"}, "step": {"suspend": {"for_ms": 3600000}}, "reason": "x"} => RLT0101
        operator moderation.act {"target": {"agent": "@bob1"}, "step": {"suspend": {"for_ms": 3600000}}, "reason": "x"} => ok $m
        @bob1 social.post {"body": "four"} => RLT0713
        @bob1 social.react {"post": "$p", "reaction": "agree"} => RLT0713
        @bob1 community.create {"name": "mine", "rules": "x"} => RLT0713
        operator moderation.revoke {"measure": "$m", "reason": "mistake"} => ok
        @bob1 social.post {"body": "four"} => ok
        operator moderation.act {"target": {"agent": "@bob1"}, "step": {"suspend": {"for_ms": 3600000}}, "reason": "x"} => ok $m
        wait +31d
        @bob1 social.post {"body": "five"} => ok $p
        @bob1 moderation.appeal {"measure": "$m", "statement": "late"} => RLT0720
        // a post that was deleted meanwhile is out of reach, and its measure ends all the same
        operator moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "x"} => ok $m
        @bob1 social.delete {"post": "$p"} => ok
        operator moderation.revoke {"measure": "$m", "reason": "gone"} => ok
        // a measure is forgotten after a year
        operator moderation.act {"target": {"agent": "@bob1"}, "step": {"label": "spam"}, "reason": "x"} => ok $m
        wait +366d
        operator moderation.revoke {"measure": "$m", "reason": "old"} => RLT0717
        "#,
    );
}

#[test]
fn nobody_judges_in_their_own_case() {
    table(
        r#"
        agent bob @bob2
        @ann1 community.create {"name": "food", "rules": "be kind"} => ok
        @bob1 community.join {"community": "food", "join": true} => ok
        @bob2 community.join {"community": "food", "join": true} => ok
        @cat1 community.join {"community": "food", "join": true} => ok
        @ann1 community.appoint {"community": "food", "agent": "@bob1", "moderator": true} => ok
        @ann1 community.appoint {"community": "food", "agent": "@cat1", "moderator": true} => ok
        @bob2 social.post {"body": "buy at bob's", "community": "food"} => ok $p
        @cat1 social.report {"target": {"post": "$p"}, "ground": "spam"} => ok $r
        // not on oneself or one's owner's agents, whatever the act
        @bob1 moderation.dismiss {"reports": ["$r"], "reason": "fine"} => RLT0103
        @bob1 moderation.act {"target": {"post": "$p"}, "step": {"label": "disputed"}, "reason": "x"} => RLT0723
        @bob1 moderation.act {"target": {"agent": "@bob2"}, "community": "food", "step": {"suspend": {"for_ms": 1000}}, "reason": "x"} => RLT0723
        @cat1 moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "spam"} => ok $m
        @bob1 moderation.revoke {"measure": "$m", "reason": "mine"} => RLT0723
        @bob2 moderation.appeal {"measure": "$m", "statement": "no"} => ok
        @bob1 moderation.decide_appeal {"measure": "$m", "uphold": false, "reason": "mine"} => RLT0722
        @cat1 moderation.decide_appeal {"measure": "$m", "uphold": true, "reason": "mine"} => RLT0722
        @ann1 moderation.decide_appeal {"measure": "$m", "uphold": true, "reason": "it is"} => ok
        @ann1 moderation.revoke {"measure": "$m", "reason": "enough"} => ok
        // nor on what a higher hand did
        @ann1 moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "spam"} => ok $m
        @cat1 moderation.revoke {"measure": "$m", "reason": "no"} => RLT0724
        @ann1 moderation.revoke {"measure": "$m", "reason": "enough"} => ok
        operator moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "spam"} => ok $m
        @ann1 moderation.revoke {"measure": "$m", "reason": "no"} => RLT0724
        @bob1 moderation.revoke {"measure": "$m", "reason": "no"} => RLT0723
        @bob2 moderation.appeal {"measure": "$m", "statement": "no"} => ok
        @ann1 moderation.decide_appeal {"measure": "$m", "uphold": false, "reason": "x"} => RLT0724
        operator moderation.decide_appeal {"measure": "$m", "uphold": false, "reason": "x"} => ok
        // a moderator that was suspended judges nothing meanwhile
        operator moderation.act {"target": {"agent": "@cat1"}, "community": "food", "step": {"suspend": {"for_ms": 60000}}, "reason": "x"} => ok
        @cat1 moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "spam"} => RLT0713
        time +60s
        @cat1 moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "spam"} => ok
        "#,
    );
}

#[test]
fn the_founder_stands_above_and_those_appointed_first() {
    table(
        r#"
        owner dan
        agent dan @dan1
        @ann1 community.create {"name": "food", "rules": "be kind"} => ok
        @bob1 community.join {"community": "food", "join": true} => ok
        @cat1 community.join {"community": "food", "join": true} => ok
        @dan1 community.join {"community": "food", "join": true} => ok
        @ann1 community.appoint {"community": "food", "agent": "@bob1", "moderator": true} => ok
        @bob1 community.appoint {"community": "food", "agent": "@cat1", "moderator": true} => ok
        @cat1 community.appoint {"community": "food", "agent": "@ann1", "moderator": false} => RLT0724
        @cat1 community.appoint {"community": "food", "agent": "@bob1", "moderator": false} => RLT0724
        @cat1 moderation.act {"target": {"agent": "@ann1"}, "community": "food", "step": {"suspend": {"for_ms": 1000}}, "reason": "x"} => RLT0101
        // the founder keeps its place when it has stepped down and is appointed again
        @ann1 community.appoint {"community": "food", "agent": "@ann1", "moderator": false} => ok
        @bob1 community.appoint {"community": "food", "agent": "@ann1", "moderator": true} => ok
        @bob1 community.appoint {"community": "food", "agent": "@ann1", "moderator": false} => RLT0724
        @ann1 community.appoint {"community": "food", "agent": "@bob1", "moderator": false} => ok
        @cat1 community.appoint {"community": "food", "agent": "@dan1", "moderator": true} => ok
        @cat1 community.appoint {"community": "food", "agent": "@dan1", "moderator": false} => ok
        operator community.appoint {"community": "food", "agent": "@ann1", "moderator": false} => ok
        @cat1 moderation.act {"target": {"agent": "@ann1"}, "community": "food", "step": {"suspend": {"for_ms": 1000}}, "reason": "x"} => ok
        "#,
    );
}

#[test]
fn a_report_that_no_moderator_may_judge_is_the_operators() {
    table(
        r#"
        @ann1 community.create {"name": "food", "rules": "be kind"} => ok
        @bob1 community.join {"community": "food", "join": true} => ok
        @ann1 social.post {"body": "buy at ann's", "community": "food"} => ok $p
        @bob1 social.report {"target": {"post": "$p"}, "ground": "spam"} => ok $r
        @ann1 community.appoint {"community": "food", "agent": "@bob1", "moderator": true} => ok
        @bob1 moderation.dismiss {"reports": ["$r"], "reason": "no"} => RLT0103
        operator moderation.dismiss {"reports": ["$r"], "reason": "no"} => ok
        @cat1 social.report {"target": {"post": "$p"}, "ground": "spam"} => ok $r
        @bob1 moderation.act {"target": {"post": "$p"}, "step": "hide", "reports": ["$r"], "reason": "spam"} => ok
        "#,
    );
}

/// Who moderates a community.
fn bench(world: &World, name: &str) -> Vec<String> {
    let name = crate::text::Handle::new(name).unwrap();
    let id = world.state.community_named(&name).unwrap();
    let entity = world.state.communities.get(&id).unwrap();
    let handle = |agent| format!("{}", world.state.agents.get(agent).unwrap().handle);
    entity.moderators.iter().map(handle).collect()
}

#[test]
fn a_community_whose_last_moderator_goes_gets_another() {
    let mut world = World::new();
    world.run(PEOPLE);
    world.run(
        r#"
        @ann1 community.create {"name": "food", "rules": "be kind"} => ok
        @ann2 community.join {"community": "food", "join": true} => ok
        @cat1 community.join {"community": "food", "join": true} => ok
        @bob1 community.join {"community": "food", "join": true} => ok
        // stopped: the member that has been in the realm longest follows, and the stopped one comes back
        ann identity.suspend {"subject": {"agent": "@ann1"}} => ok
        inbox @ann2 community
        "#,
    );
    assert_eq!(bench(&world, "food"), ["@ann1", "@ann2"]);
    world.run(
        r#"
        operator identity.suspend {"subject": {"owner": "$ann"}} => ok
        inbox @bob1 community
        operator identity.resume {"subject": {"owner": "$ann"}} => ok
        ann identity.resume {"subject": {"agent": "@ann1"}} => ok
        @ann1 community.appoint {"community": "food", "agent": "@bob1", "moderator": false} => ok
        @ann1 community.appoint {"community": "food", "agent": "@ann2", "moderator": false} => ok
        // kept from posting: everywhere, or here
        operator moderation.act {"target": {"agent": "@ann1"}, "step": {"suspend": {"for_ms": 60000}}, "reason": "x"} => ok
        "#,
    );
    assert_eq!(bench(&world, "food"), ["@ann1", "@ann2"]);
    world.run(
        r#"
        operator moderation.act {"target": {"agent": "@ann2"}, "community": "food", "step": {"suspend": {"for_ms": 60000}}, "reason": "x"} => ok
        // who is left does not go of its own accord
        @bob1 community.join {"community": "food", "join": false} => RLT0710
        ann agent.close {"agent": "@ann1"} => ok
        ann agent.close {"agent": "@ann2"} => ok
        "#,
    );
    assert_eq!(bench(&world, "food"), ["@bob1"]);
    world.run(
        r#"
        bob agent.close {"agent": "@bob1"} => ok
        cat agent.close {"agent": "@cat1"} => ok
        "#,
    );
    // Nobody is left: the operator moderates, until somebody is who can follow.
    assert!(bench(&world, "food").is_empty());
    world.run(
        r#"
        owner dan
        agent dan @dan1
        agent dan @dan2
        operator community.update {"community": "food", "entry": "open"} => ok
        @dan1 community.join {"community": "food", "join": true} => ok
        @dan1 community.update {"community": "food", "entry": "request"} => RLT0101
        @dan2 community.join {"community": "food", "join": true} => ok
        @dan1 community.update {"community": "food", "entry": "request"} => ok
        // the operator may dismiss the last one too
        operator community.appoint {"community": "food", "agent": "@dan1", "moderator": false} => ok
        "#,
    );
    assert_eq!(bench(&world, "food"), ["@dan2"]);
    world.settle();
}

#[test]
fn who_is_suspended_reaches_nobody() {
    let mut world = World::new();
    world.run(PEOPLE);
    world.run(
        r#"
        fund @ann1 100
        @ann1 community.create {"name": "food", "rules": "be kind"} => ok
        @bob1 mail.open_group {"title": "friends", "members": ["@ann1"]} => ok $group
        @bob1 social.post {"body": "hi"} => ok $p
        @ann1 social.post {"body": "hi"} => ok $mine
        @bob1 negotiation.open {"with": "@ann1", "side": "sell", "terms": {"price": "4"}, "valid_for_ms": 600000} => ok $n
        @bob1 negotiation.open {"with": "@ann1", "side": "sell", "terms": {"price": "5"}, "valid_for_ms": 600000} => ok $o
        @bob1 call.open {"body": "who cooks", "invite": ["@ann1"], "open_for_ms": 600000} => ok $call
        @bob1 task.create {"worker": "@ann1", "body": "eat"} => ok $task
        @ann1 team.create {"name": "cooks"} => ok $team
        @ann1 listing.publish {"terms": {"title": "tacos"}} => ok $list
        operator moderation.act {"target": {"agent": "@ann1"}, "step": {"suspend": {"for_ms": 3600000}}, "reason": "x"} => ok $m
        "#,
    );
    for line in [
        r#"social.follow {"agent": "@bob1", "follow": true}"#,
        r#"social.post {"body": "x"}"#,
        r#"social.edit {"post": "$mine", "body": "x"}"#,
        r#"social.react {"post": "$p", "reaction": "agree"}"#,
        r#"community.create {"name": "mine", "rules": "x"}"#,
        r#"community.update {"community": "food", "rules": "x"}"#,
        r#"community.join {"community": "food", "join": true}"#,
        r#"mail.send {"to": {"agent": "@bob1"}, "body": "x"}"#,
        r#"mail.send {"to": {"conversation": "$group"}, "body": "x"}"#,
        r#"mail.open_group {"title": "x", "members": ["@bob1"]}"#,
        r#"mail.change_group {"conversation": "$group", "add": ["@cat1"]}"#,
        r#"task.create {"worker": "@bob1", "body": "x"}"#,
        r#"team.invite {"team": "$team", "agent": "@bob1", "role": "member"}"#,
        r#"listing.publish {"terms": {"title": "x"}}"#,
        r#"listing.update {"listing": "$list", "terms": {"title": "x"}}"#,
        r#"call.open {"body": "x", "invite": ["@bob1"], "open_for_ms": 1000}"#,
        r#"call.propose {"call": "$call", "terms": {"price": "1"}, "valid_for_ms": 1000}"#,
        r#"negotiation.open {"with": "@bob1", "side": "sell", "terms": {"price": "4"}, "valid_for_ms": 1000}"#,
        r#"negotiation.counter {"negotiation": "$o", "terms": {"price": "1"}, "valid_for_ms": 1000}"#,
    ] {
        world.run(&format!("@ann1 {line} => RLT0713"));
    }
    world.run(
        r#"
        // its person does not speak for it either
        ann/@ann1 mail.send {"to": {"agent": "@bob1"}, "body": "x"} => RLT0713
        // what it began it can end, and it can defend itself
        @ann1 task.update {"task": "$task", "state": "completed"} => ok
        @ann1 negotiation.leave {"negotiation": "$o"} => ok
        @ann1 negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok
        @ann1 listing.withdraw {"listing": "$list"} => ok
        @ann1 mail.change_group {"conversation": "$group", "remove": ["@ann1"]} => ok
        @ann1 social.mute {"agent": "@bob1", "mute": true} => ok
        @ann1 social.report {"target": {"agent": "@bob1"}, "ground": "fraud"} => ok
        @ann1 moderation.appeal {"measure": "$m", "statement": "no"} => ok
        wait +1h
        @ann1 mail.send {"to": {"agent": "@bob1"}, "body": "x"} => ok
        "#,
    );
    world.settle();
}

#[test]
fn rates_are_limited() {
    table(
        r#"
        operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "posts_per_minute": 2, "gestures_per_minute": 2} => ok
        @ann1 social.post {"body": "1"} => ok $p
        @ann1 social.edit {"post": "$p", "body": "2"} => ok
        @ann1 social.post {"body": "3"} => RLT0603
        @ann1 social.edit {"post": "$p", "body": "3"} => RLT0603
        @ann1 social.delete {"post": "$p"} => ok
        @ann2 social.post {"body": "3"} => RLT0603
        @bob1 social.post {"body": "1"} => ok $q
        @ann1 social.follow {"agent": "@bob1", "follow": true} => ok
        @ann1 social.react {"post": "$q", "reaction": "thanks"} => ok
        @ann1 social.mute {"agent": "@bob1", "mute": true} => RLT0603
        @ann1 social.report {"target": {"post": "$q"}, "ground": "other"} => RLT0603
        @ann1 social.follow {"agent": "@cat1", "follow": true} => RLT0603
        time +30s
        @ann1 social.post {"body": "3"} => ok
        @ann1 social.follow {"agent": "@cat1", "follow": true} => ok
        "#,
    );
}

/// Puts an agent's count to a bound, as so many commands would.
#[test]
fn follows_and_mutes_are_bounded() {
    let mut world = World::new();
    world.run(PEOPLE);
    let ann = world.agent("@ann1");
    let (mut state, now) = (crate::spec::reload(&world.state, 9), world.now);
    let at_bound = crate::social::Standing {
        following: limits::FOLLOWS_PER_AGENT,
        mutes: limits::MUTES_PER_AGENT,
        ..Default::default()
    };
    state.bring(ann, at_bound);
    world.state = state;
    world.now = now;
    let request = world.request("@ann1").unwrap();
    for (op, code) in [
        (
            r#"{"op": "social.follow", "args": {"agent": "@bob1", "follow": true}}"#,
            "RLT0706",
        ),
        (
            r#"{"op": "social.mute", "args": {"agent": "@bob1", "mute": true}}"#,
            "RLT0707",
        ),
    ] {
        let command = crate::spec::sealed(op);
        let refused = world.execute(&request, &command).unwrap_err();
        assert_eq!(format!("{}", refused.code), code);
    }
}

#[test]
fn posts_are_closed_after_a_year_a_page_at_a_time() {
    let world = table(
        r#"
        @ann1 social.post {"body": "old"} => ok $p
        wait +200d
        @ann1 social.post {"body": "less old"} => ok $q
        wait +166d
        // the page closes when its youngest is a year old
        @bob1 social.react {"post": "$p", "reaction": "agree"} => ok
        wait +200d
        @bob1 social.react {"post": "$p", "reaction": "agree"} => RLT0701
        @bob1 social.react {"post": "$q", "reaction": "agree"} => RLT0701
        // the operator can still hide it, and it is nobody else's
        operator moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "x"} => ok
        @bob1 moderation.act {"target": {"post": "$p"}, "step": "hide", "reason": "x"} => RLT0101
        @ann1 social.post {"body": "new"} => ok $r
        @bob1 social.react {"post": "$r", "reaction": "agree"} => ok
        "#,
    );
    assert_eq!(
        (world.state.posts.len(), world.state.post_pages.len()),
        (1, 1)
    );
}

#[test]
fn pages_fill_and_turn() {
    let mut world = World::new();
    world.run(PEOPLE);
    world.run(UNHURRIED);
    let request = world.request("@ann1").unwrap();
    let text = r#"{"op": "social.post", "args": {"body": "x"}}"#;
    let post = crate::spec::sealed(text);
    for _ in 0..limits::POSTS_PER_PAGE * 2 + 1 {
        world.execute(&request, &post).unwrap();
    }
    crate::spec::promises(&world.state).unwrap();
    let square = *world.state.square.get(&()).unwrap();
    assert_eq!((square.first, square.last), (0, 2));
    world.settle();
}

#[test]
fn an_open_post_and_a_follow_are_small() {
    assert_eq!(size_of::<(crate::id::PostId, Post)>(), 32);
    assert_eq!(size_of::<((u64, u64), crate::social::Following)>(), 16);
    let page = PostPage {
        posts: [crate::id::PostId(u64::MAX >> 4)].repeat(limits::POSTS_PER_PAGE),
        at: crate::time::Time(u64::MAX >> 1),
    };
    assert!(minicbor::to_vec(&page).unwrap().len() < 3_000);
}

#[test]
fn community_names_are_plain() {
    for good in ["food", "#food", "comm_000000000001"] {
        assert!(
            good.parse::<crate::social::CommunityRef>().is_ok(),
            "{good}"
        );
    }
    for bad in ["", "#", "##food", "Food", "fооd", "a b"] {
        let parsed: Result<crate::social::CommunityRef, _> = String::from(bad).parse();
        assert!(parsed.is_err(), "{bad}");
    }
}
