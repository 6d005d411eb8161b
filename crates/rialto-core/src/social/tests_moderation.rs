//! Reports, measures, appeals and who may judge, as tables.

use std::format;
use std::string::String;
use std::vec::Vec;

use crate::limits;
use crate::spec::World;

use super::tests::{PEOPLE, UNHURRIED, table};

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
        bob team.create {"name": "bakers"} => ok $crew
        bob team.invite {"team": "$crew", "agent": "@ann1", "role": "member"} => ok
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
        r#"team.join {"team": "$crew", "join": true}"#,
        r#"agent.set_profile {"agent": "@ann1", "profile": {"tags": ["cheap"]}}"#,
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
        ann agent.set_profile {"agent": "@ann1", "profile": {"tags": ["cheap"]}} => RLT0713
        @ann1 team.join {"team": "$crew", "join": false} => ok
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
