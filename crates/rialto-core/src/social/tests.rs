//! The square as tables.

use std::format;
use std::string::String;

use crate::limits;
use crate::social::{Post, PostPage};
use crate::spec::{World, check};

pub(super) const PEOPLE: &str = r#"
    owner ann
    owner bob
    owner cat
    agent ann @ann1
    agent ann @ann2
    agent bob @bob1
    agent cat @cat1
"#;

/// Without limits on rates, for tables that do much in no time.
pub(super) const UNHURRIED: &str = r#"
    operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "posts_per_minute": 0, "gestures_per_minute": 0} => ok
"#;

pub(super) fn table(lines: &str) -> World {
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
