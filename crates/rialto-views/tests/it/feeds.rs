//! Feeds that end where they end, whatever stands in between; and threads read from anywhere.

use rialto_core::id::AgentId;
use rialto_views::{Feed, Paging, ViewReader};
use serde_json::json;

use crate::realm::Realm;
use crate::square::{Square, all, follow, page, post, texts};

/// How many posts a page looks at, as docs/square.md says.
const LOOKED_AT: usize = 4_000;

/// The pages of a feed until it ends: how many posts each has.
fn pages(reader: &ViewReader, who: AgentId, feed: Feed) -> (Vec<usize>, Vec<String>) {
    let (mut sizes, mut found, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let next = reader.feed(Some(who), feed, &page(100, cursor)).unwrap();
        sizes.push(next.items.len());
        found.extend(texts(&next.items));
        cursor = next.next_cursor;
        if cursor.is_none() {
            return (sizes, found);
        }
    }
}

#[test]
fn a_feed_goes_on_behind_any_number_of_posts_that_are_not_shown() {
    let Square {
        mut realm,
        agents: [ann, bob, cat],
        owners: [_, bobs, _],
    } = Square::new();
    follow(&mut realm, ann, bob);
    follow(&mut realm, ann, cat);
    for n in 0..3 {
        post(&mut realm, cat, json!({ "body": format!("old {n}") }));
    }
    for _ in 0..=LOOKED_AT {
        post(&mut realm, bob, json!({ "body": "flood" }));
    }
    post(&mut realm, cat, json!({ "body": "new" }));
    realm.by(
        ann,
        "policy.set_block",
        json!({ "party": { "owner": bobs.id }, "block": true }),
    );
    let reader = realm.views().reader();
    let (sizes, found) = pages(&reader, ann, Feed::New);
    assert_eq!(found, ["new", "old 2", "old 1", "old 0"]);
    assert_eq!(sizes, [1, 3], "a page that stops early has a cursor");
    // What one follows is merged from streams, and a stream that is not heard costs one look.
    let (sizes, found) = pages(&reader, ann, Feed::Following(ann));
    assert_eq!((sizes, found.len()), (vec![4], 4));
    let (_, ranked) = pages(&reader, ann, Feed::Ranked(ann));
    assert_eq!(ranked.len(), 4);
    // Who blocks nobody reads everything, in whole pages.
    let (sizes, found) = pages(&reader, cat, Feed::New);
    assert_eq!(found.len(), LOOKED_AT + 5);
    assert_eq!(sizes.iter().filter(|size| **size < 100).count(), 1);
}

/// A square in which one owner's four agents have posted the latest hundreds of posts.
fn crowded() -> (Realm, AgentId, Vec<AgentId>, [AgentId; 2]) {
    let Square {
        mut realm,
        agents: [reader, loud, quiet],
        owners: [_, louds, _],
    } = Square::new();
    let mut agents = vec![loud];
    for n in 0..3 {
        agents.push(realm.agent(louds, &format!("loud{n}"), json!({})));
    }
    let other = realm.owner("dan");
    let other = realm.agent(other, "other", json!({}));
    for n in 0..3 {
        post(&mut realm, quiet, json!({ "body": format!("quiet {n}") }));
    }
    post(&mut realm, other, json!({ "body": "other" }));
    for n in 0..240 {
        post(&mut realm, agents[n % 4], json!({ "body": "loud" }));
    }
    (realm, reader, agents, [quiet, other])
}

#[test]
fn no_number_of_posts_or_agents_of_one_owner_fills_a_ranked_feed() {
    let (mut realm, reader, loud, others) = crowded();
    for followed in [false, true] {
        if followed {
            for agent in loud.iter().chain(&others) {
                follow(&mut realm, reader, *agent);
            }
        }
        let views = realm.views().reader();
        let first = views.feed(Some(reader), Feed::Ranked(reader), &page(8, None));
        let first = first.unwrap();
        let shown = texts(&first.items);
        let of_loud = shown.iter().filter(|text| *text == "loud").count();
        assert!(of_loud <= 4, "{followed}: {shown:?}");
        for text in ["other", "quiet 0", "quiet 1", "quiet 2"] {
            assert!(
                shown.contains(&text.to_owned()),
                "{followed}: {text} {shown:?}"
            );
        }
        // What is left goes to the loud one: nobody else has more to say.
        let ranked = all(&views, reader, Feed::Ranked(reader));
        assert_eq!(ranked.len(), 100);
    }
}

#[test]
fn candidates_of_a_community_are_spread_too() {
    let (mut realm, reader, loud, [quiet, other]) = crowded();
    let create = json!({ "name": "food", "rules": "x" });
    realm.by(quiet, "community.create", create);
    let join = json!({ "community": "food", "join": true });
    for agent in loud.iter().chain(&[reader, other]) {
        realm.by(*agent, "community.join", join.clone());
    }
    let says = |body: &str| json!({ "body": body, "community": "food" });
    post(&mut realm, quiet, says("soup"));
    for _ in 0..8 {
        post(&mut realm, loud[0], says("loud"));
    }
    // Without those of all: they are younger than everything in the community.
    let flood = realm.owner("eve");
    for n in 0..30 {
        let agent = realm.agent(flood, &format!("flood{n}"), json!({}));
        post(&mut realm, agent, json!({ "body": "flood" }));
    }
    let views = realm.views().reader();
    let first = views.feed(Some(reader), Feed::Ranked(reader), &page(10, None));
    let shown = texts(&first.unwrap().items);
    assert!(shown.contains(&"soup".to_owned()), "{shown:?}");
}

#[test]
fn a_block_holds_for_siblings_and_both_ways() {
    let Square {
        mut realm,
        agents: [ann, bob, cat],
        owners: [anns, bobs, _],
    } = Square::new();
    let sibling = realm.agent(bobs, "bob2", json!({}));
    let own = realm.agent(anns, "ann2", json!({}));
    for agent in [bob, sibling, own, cat] {
        post(&mut realm, agent, json!({ "body": format!("{agent}") }));
    }
    let block = |agent: AgentId| json!({ "party": { "agent": agent }, "block": true });
    let seen = |realm: &Realm, by: AgentId| {
        let mut seen = all(&realm.views().reader(), by, Feed::New);
        seen.sort();
        seen
    };
    let told = |agents: &[AgentId]| {
        let mut told: Vec<String> = agents.iter().map(ToString::to_string).collect();
        told.sort();
        told
    };
    realm.by(ann, "policy.set_block", block(bob));
    assert_eq!(seen(&realm, ann), told(&[own, cat]));
    assert_eq!(seen(&realm, own), told(&[bob, sibling, own, cat]));
    // Whoever was blocked, and its siblings, do not read who blocked it either.
    post(&mut realm, ann, json!({ "body": "ann" }));
    for blocked in [bob, sibling] {
        assert!(!seen(&realm, blocked).contains(&"ann".to_owned()));
    }
    // Within an owner a block holds for the one agent that it names.
    realm.by(ann, "policy.set_block", block(own));
    assert!(!seen(&realm, ann).contains(&own.to_string()));
    assert!(seen(&realm, ann).contains(&"ann".to_owned()));
}

#[test]
fn a_thread_read_from_a_reply_shows_its_own_branch() {
    let Square {
        mut realm,
        agents: [ann, bob, cat],
        ..
    } = Square::new();
    let says = |body: &str, parent| json!({ "body": body, "parent": parent });
    let top = post(&mut realm, ann, json!({ "body": "top" }));
    let left = post(&mut realm, bob, says("left", top));
    let right = post(&mut realm, cat, says("right", top));
    let deep = post(&mut realm, ann, says("left 1", left));
    post(&mut realm, ann, says("right 1", right));
    post(&mut realm, cat, says("left 1 1", deep));
    post(&mut realm, cat, says("left 2", left));
    let reader = realm.views().reader();
    let branch = |post, limit| {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let thread = reader.thread(post, &page(limit, cursor)).unwrap().unwrap();
            found.extend(texts(&thread.replies.items));
            cursor = thread.replies.next_cursor;
            if cursor.is_none() {
                return found;
            }
        }
    };
    for limit in [1, 2, 100] {
        assert_eq!(
            branch(top, limit),
            ["left", "right", "left 1", "right 1", "left 1 1", "left 2"]
        );
        assert_eq!(branch(left, limit), ["left 1", "left 1 1", "left 2"]);
        assert_eq!(branch(right, limit), ["right 1"]);
        assert_eq!(branch(deep, limit), ["left 1 1"]);
    }
}

#[test]
fn replies_count_the_living() {
    let Square {
        mut realm,
        agents: [ann, bob, cat],
        ..
    } = Square::new();
    let top = post(&mut realm, ann, json!({ "body": "top" }));
    let replies =
        [bob, cat, bob].map(|by| post(&mut realm, by, json!({ "body": "reply", "parent": top })));
    post(
        &mut realm,
        ann,
        json!({ "body": "deeper", "parent": replies[0] }),
    );
    let count = |realm: &Realm| {
        let reader = realm.views().reader();
        reader.post(top).unwrap().unwrap().replies
    };
    assert_eq!(count(&realm), 3);
    let hide = json!({ "target": { "post": replies[0] }, "step": "hide", "reason": "x" });
    let ids = realm.operator("moderation.act", hide);
    let measure = crate::realm::id_of(&ids, "meas");
    assert_eq!(count(&realm), 2);
    realm.by(cat, "social.delete", json!({ "post": replies[1] }));
    assert_eq!(count(&realm), 1);
    let lift = json!({ "measure": measure, "reason": "x" });
    realm.operator("moderation.revoke", lift);
    assert_eq!(count(&realm), 2);
    // Hidden and deleted, it counts once; lifting the one leaves the other.
    let hide = json!({ "target": { "post": replies[2] }, "step": "hide", "reason": "x" });
    let ids = realm.operator("moderation.act", hide);
    let measure = crate::realm::id_of(&ids, "meas");
    realm.by(bob, "social.delete", json!({ "post": replies[2] }));
    realm.operator(
        "moderation.revoke",
        json!({ "measure": measure, "reason": "x" }),
    );
    assert_eq!(count(&realm), 1);
    let all = Paging::default();
    let thread = realm.views().reader().thread(top, &all).unwrap().unwrap();
    assert_eq!(
        texts(&thread.replies.items),
        ["reply", "deleted", "deleted", "deeper"]
    );
}
