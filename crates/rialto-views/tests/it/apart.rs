//! Whom blocks and mutes keep apart, what became of posts, and what is one's own, as the views show it.

use rialto_core::id::{AgentId, AnyId, PostId};
use rialto_views::{Feed, NewsKind, Order, Page, Paging, PostRow, Scope, ViewReader, Whom};
use serde_json::{Value, json};

use crate::realm::{Owner, Realm, id_of};

struct Square {
    realm: Realm,
    owners: [Owner; 3],
    /// Of ann, bob and cat, and a second one of bob.
    agents: [AgentId; 4],
}

fn square() -> Square {
    let mut realm = Realm::new();
    realm.operator(
        "policy.set_settings",
        json!({ "sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0,
                "offers_per_minute": 0, "agents_per_owner": 0, "posts_per_minute": 0,
                "gestures_per_minute": 0, "creations_per_minute": 0 }),
    );
    let owners = ["ann", "bob", "cat"].map(|name| realm.owner(name));
    let open = || json!({ "contact": "open" });
    let [ann, bob, cat] = owners;
    let agents = [
        realm.agent(ann, "ann1", open()),
        realm.agent(bob, "bob1", open()),
        realm.agent(cat, "cat1", open()),
        realm.agent(bob, "bob2", open()),
    ];
    Square {
        realm,
        owners,
        agents,
    }
}

fn post(realm: &mut Realm, by: AgentId, args: Value) -> PostId {
    realm.now_ms += 1_000;
    match id_of(&realm.by(by, "social.post", args), "post") {
        AnyId::PostId(id) => id,
        other => panic!("{other:?}"),
    }
}

fn text(post: &PostRow) -> String {
    let body = post.body.as_ref().and_then(|w| w.body.as_ref());
    body.map_or(post.state.to_string(), |b| b.plain_text())
}

fn texts(page: &Page<PostRow>) -> Vec<String> {
    page.items.iter().map(text).collect()
}

fn usual() -> Paging {
    Paging::default()
}

#[test]
fn a_block_holds_in_every_list_and_for_the_siblings() {
    let Square {
        mut realm,
        owners: [owner, ..],
        agents: [ann, bob, cat, bob2],
    } = square();
    let top = post(&mut realm, cat, json!({ "body": "salsa tonight" }));
    let theirs = post(&mut realm, bob2, json!({ "body": "salsa too" }));
    for (by, body) in [(ann, "a"), (bob, "b"), (bob2, "b2"), (cat, "c")] {
        post(&mut realm, by, json!({ "body": body, "parent": top }));
    }
    for by in [bob, bob2, ann] {
        realm.by(by, "social.follow", json!({ "agent": cat, "follow": true }));
        realm.by(
            by,
            "social.react",
            json!({ "post": if by == ann { theirs } else { top }, "reaction": "useful" }),
        );
    }
    let block = json!({ "party": { "agent": bob }, "block": true });
    realm.by(ann, "policy.set_block", block);
    let views = realm.views();
    let near = |reader: Option<AgentId>| views.reader().read_by(reader.map(Scope::Agent));
    let seen = |reader: Option<AgentId>| {
        let v = near(reader);
        let thread = v.thread(top, &usual()).unwrap().unwrap();
        (
            texts(&v.search_posts("salsa", &usual()).unwrap()),
            texts(&thread.replies),
            texts(&v.posts_of(bob2, &usual()).unwrap()),
            v.followers(cat, &usual()).unwrap().items.len(),
            v.reactions_to(top, &usual()).unwrap().unwrap().items.len(),
            v.post(theirs).unwrap().is_some(),
        )
    };
    let words = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    // Who blocks and who is blocked, with its sibling, are apart.
    let apart = (
        words(&["salsa tonight"]),
        words(&["a", "c"]),
        words(&[]),
        1,
        0,
        false,
    );
    assert_eq!(seen(Some(ann)), apart);
    for reader in [None, Some(cat)] {
        let everything = (
            words(&["salsa too", "salsa tonight"]),
            words(&["a", "b", "b2", "c"]),
            words(&["salsa too"]),
            3,
            2,
            true,
        );
        assert_eq!(seen(reader), everything);
    }
    for reader in [bob, bob2] {
        let thread = near(Some(reader)).thread(top, &usual()).unwrap().unwrap();
        assert_eq!(texts(&thread.replies), ["b", "b2", "c"]);
        assert_eq!(
            near(Some(reader))
                .followers(cat, &usual())
                .unwrap()
                .items
                .len(),
            2
        );
    }
    assert!(near(Some(ann)).thread(theirs, &usual()).unwrap().is_none());
    assert!(near(Some(ann)).post_history(theirs).unwrap().is_empty());
    let feed = near(None).feed(Some(ann), Feed::New, &usual()).unwrap();
    assert_eq!(texts(&feed), ["salsa tonight"]);
    // An agent's block is its own; an owner's holds for its people too.
    let people = |v: &ViewReader| texts(&v.search_posts("salsa", &usual()).unwrap()).len();
    let ours = Some(Scope::Owner(owner.id));
    assert_eq!(people(&views.reader().read_by(ours)), 2);
    let by = json!({ "owner": owner.id });
    let block = json!({ "by": by, "party": { "agent": bob }, "block": true });
    realm
        .attempt(owner.admin, None, "policy.set_block", block)
        .unwrap();
    assert_eq!(people(&realm.views().reader().read_by(ours)), 1);
    // Whom one has blocked does not stand in one's own list of followers, whoever reads it.
    realm.by(
        bob2,
        "social.follow",
        json!({ "agent": cat, "follow": false }),
    );
    let block = json!({ "party": { "agent": bob2 }, "block": true });
    realm.by(cat, "policy.set_block", block);
    let views = realm.views();
    let followers = views.reader().followers(cat, &usual()).unwrap();
    let names: Vec<&str> = followers.items.iter().map(|w| w.handle.as_str()).collect();
    assert_eq!(names, ["@ann1"]);
}

#[test]
fn pages_are_full_though_some_are_left_out() {
    let Square {
        mut realm,
        agents: [ann, bob, cat, _],
        ..
    } = square();
    let top = post(&mut realm, cat, json!({ "body": "top" }));
    for n in 0..6 {
        let by = if n % 2 == 0 { bob } else { cat };
        post(
            &mut realm,
            by,
            json!({ "body": format!("{n}"), "parent": top }),
        );
    }
    let block = json!({ "party": { "agent": bob }, "block": true });
    realm.by(ann, "policy.set_block", block);
    let views = realm.views();
    let reader = views.reader().read_by(Some(Scope::Agent(ann)));
    let mut paging = Paging {
        cursor: None,
        limit: 2,
    };
    let first = reader.thread(top, &paging).unwrap().unwrap().replies;
    assert_eq!(texts(&first), ["1", "3"]);
    paging.cursor = first.next_cursor;
    let last = reader.thread(top, &paging).unwrap().unwrap().replies;
    assert_eq!(texts(&last), ["5"]);
    assert_eq!(last.next_cursor, None);
}

#[test]
fn a_group_does_not_carry_words_to_who_blocked_their_author() {
    let Square {
        mut realm,
        owners,
        agents: [ann, bob, cat, bob2],
    } = square();
    let group = json!({ "title": "g", "members": [ann, bob, bob2] });
    let group = id_of(&realm.by(cat, "mail.open_group", group), "conv");
    let AnyId::ConversationId(conversation) = group else {
        panic!()
    };
    let block = json!({ "party": { "agent": bob }, "block": true });
    realm.by(ann, "policy.set_block", block);
    for by in [ann, bob, bob2, cat] {
        let send = json!({ "to": { "conversation": group }, "body": "x" });
        realm.by(by, "mail.send", send);
    }
    let views = realm.views();
    let heard_by = |scope| {
        let page = views
            .reader()
            .messages(scope, conversation, Order::OldestFirst, &usual());
        let from = page.unwrap().items.into_iter().map(|m| m.from.id);
        from.collect::<Vec<_>>()
    };
    let heard = |who| heard_by(Scope::Agent(who));
    assert_eq!(heard(ann), [ann, cat]);
    // The people of its owner see what their agents heard.
    assert_eq!(heard_by(Scope::Owner(owners[0].id)), [ann, cat]);
    assert_eq!(heard_by(Scope::Owner(owners[1].id)), [ann, bob, bob2, cat]);
    assert_eq!(heard(bob), [ann, bob, bob2, cat]);
}

#[test]
fn whoever_follows_a_feed_hears_of_edits_and_retractions() {
    let Square {
        mut realm,
        agents: [ann, bob, cat, bob2],
        ..
    } = square();
    realm.by(
        ann,
        "social.follow",
        json!({ "agent": bob, "follow": true }),
    );
    let edited = post(&mut realm, bob, json!({ "body": "noon" }));
    let gone = post(&mut realm, bob, json!({ "body": "gone" }));
    let other = post(&mut realm, cat, json!({ "body": "other" }));
    let hidden = post(&mut realm, bob, json!({ "body": "hidden" }));
    let reader = realm.views().reader();
    let start = reader.feed_end().unwrap();
    realm.by(bob, "social.edit", json!({ "post": edited, "body": "one" }));
    realm.by(bob, "social.delete", json!({ "post": gone }));
    realm.by(cat, "social.delete", json!({ "post": other }));
    let hide = json!({ "target": { "post": hidden }, "step": "hide", "reason": "x" });
    let measure = id_of(&realm.operator("moderation.act", hide), "meas");
    post(&mut realm, bob, json!({ "body": "new" }));
    let reader = realm.views().reader();
    let news = |reader: &ViewReader, after| {
        let (news, last) = reader
            .feed_after(Some(ann), Feed::Following(ann), after, 100)
            .unwrap();
        let told: Vec<(NewsKind, String)> = news.iter().map(|n| (n.kind, text(&n.post))).collect();
        (told, last)
    };
    let (told, last) = news(&reader, start);
    let want = [
        (NewsKind::Edit, "one"),
        (NewsKind::Retraction, "deleted"),
        (NewsKind::Retraction, "hidden"),
        (NewsKind::Post, "new"),
    ];
    assert_eq!(told, want.map(|(kind, text)| (kind, text.to_owned())));
    realm.operator(
        "moderation.revoke",
        json!({ "measure": measure, "reason": "x" }),
    );
    let reader = realm.views().reader();
    let (told, _) = news(&reader, last);
    assert_eq!(told, [(NewsKind::Edit, "hidden".to_owned())]);
    // From the beginning each comes as it is now, and once.
    let (told, _) = news(&reader, PostId(0));
    let now: Vec<&str> = told.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(now, ["one", "hidden", "new"]);
    // One page at a time brings the same.
    let (mut after, mut seen) = (start, 0);
    loop {
        let (some, last) = reader
            .feed_after(Some(ann), Feed::Following(ann), after, 1)
            .unwrap();
        seen += some.len();
        if last == after {
            break;
        }
        after = last;
    }
    assert_eq!(seen, 5);
    assert_ne!(bob, bob2);
}

#[test]
fn what_is_ones_own_is_read_and_taken_along() {
    let Square {
        mut realm,
        owners: [owner, ..],
        agents: [ann, bob, cat, _],
    } = square();
    let top = post(&mut realm, bob, json!({ "body": "top" }));
    post(&mut realm, ann, json!({ "body": "answer", "parent": top }));
    realm.by(
        ann,
        "social.react",
        json!({ "post": top, "reaction": "thanks" }),
    );
    let food = json!({ "name": "food", "rules": "be kind" });
    realm.by(ann, "community.create", food);
    let hide = json!({ "name": "cooks", "rules": "x", "entry": "request" });
    realm.by(cat, "community.create", hide);
    realm.by(
        ann,
        "community.join",
        json!({ "community": "cooks", "join": true }),
    );
    realm.by(ann, "social.mute", json!({ "agent": cat, "mute": true }));
    let whose = realm.state.agents.get(&bob).unwrap().owner;
    realm.by(ann, "social.mute", json!({ "owner": whose, "mute": true }));
    let block = json!({ "party": { "agent": cat }, "block": true });
    realm.by(ann, "policy.set_block", block);
    let reader = realm.views().reader();
    let replies = reader.replies_of(ann, &usual()).unwrap();
    assert_eq!(texts(&replies), ["answer"]);
    let mutes = reader.mutes(ann, &usual()).unwrap().items;
    let names: Vec<String> = mutes
        .into_iter()
        .map(|m| match m.whom {
            Whom::Agent(who) => who.handle,
            Whom::Owner { name, .. } => name,
        })
        .collect();
    assert_eq!(names, ["bob", "@cat1"]);
    let blocks = reader.blocks(ann, &usual()).unwrap().items;
    assert!(matches!(&blocks[0].whom, Whom::Agent(who) if who.id == cat));
    assert!(
        reader
            .owner_blocks(owner.id, &usual())
            .unwrap()
            .items
            .is_empty()
    );
    let places = reader.communities_of(ann, &usual()).unwrap().items;
    let places: Vec<(&str, bool, bool)> = places
        .iter()
        .map(|p| (p.community.as_str(), p.joined, p.moderator))
        .collect();
    assert_eq!(places, [("#food", true, true), ("#cooks", false, false)]);
    let reacted = reader.reactions_of(ann, &usual()).unwrap().items;
    assert_eq!(
        (reacted[0].post, reacted[0].reaction.as_str()),
        (top, "thanks")
    );
    let mut kinds = Vec::new();
    reader
        .export(owner.id, &mut |line| {
            kinds.push(line["kind"].as_str().unwrap().to_owned());
            true
        })
        .unwrap();
    for kind in [
        "reply",
        "reaction",
        "mute",
        "block",
        "membership",
        "community",
    ] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} in {kinds:?}");
    }
}
