//! What lists and details show, and to whom.

use rialto_core::id::{AnyId, CallId, DealId, NegotiationId};
use rialto_core::time::Time;
use rialto_views::{AgentQuery, EventFilter, Order, Paging, Scope, ViewReader, Views};
use serde_json::{Value, json};

use crate::realm::{Day, Realm, id_of};

fn all() -> Paging {
    Paging {
        cursor: None,
        limit: 100,
    }
}

fn call_id(day: &Day) -> CallId {
    let AnyId::CallId(id) = day.call else {
        panic!()
    };
    id
}

fn deal_id(day: &Day) -> DealId {
    let AnyId::DealId(id) = day.deal else {
        panic!()
    };
    id
}

#[test]
fn proposals_stay_sealed_until_all_are_in() {
    let mut day = Day::new();
    let AnyId::NegotiationId(won) = day.won else {
        panic!()
    };
    // The first proposal stands, the second has not come yet: as the log was one envelope earlier.
    let last = day.realm.log.pop().expect("the rival's proposal");
    let mut views = day.realm.views();
    let reader = views.reader();
    let answers = |scope| -> Vec<String> {
        let call = reader.call(scope, call_id(&day)).unwrap().expect("seen");
        call.invites.into_iter().map(|i| i.answer).collect()
    };
    assert_eq!(answers(Scope::Agent(day.buyer)), ["sealed", "sealed"]);
    assert_eq!(answers(Scope::Agent(day.seller)), ["proposed"]);
    assert_eq!(answers(Scope::Agent(day.rival)), ["none"]);
    let sees = |reader: &ViewReader, scope| reader.negotiation(scope, won).unwrap().is_some();
    assert!(!sees(&reader, Scope::Agent(day.buyer)) && !sees(&reader, Scope::Owner(day.ours.id)));
    assert!(sees(&reader, Scope::Agent(day.seller)) && sees(&reader, Scope::Owner(day.theirs.id)));
    views.apply(&[last]).unwrap();
    assert!(sees(&reader, Scope::Agent(day.buyer)));
    assert!(
        !sees(&reader, Scope::Agent(day.rival)),
        "a seller sees its own proposal only"
    );
    let call = reader
        .call(Scope::Agent(day.buyer), call_id(&day))
        .unwrap()
        .expect("seen");
    assert_eq!(call.call.state, "revealed");
    assert!(
        call.invites
            .iter()
            .all(|i| i.answer == "proposed" && i.negotiation.is_some())
    );
    let call = reader
        .call(Scope::Agent(day.rival), call_id(&day))
        .unwrap()
        .expect("invited");
    assert_eq!(
        (call.invites.len(), call.call.task),
        (1, None),
        "the goal is the caller's affair"
    );
}

#[test]
fn a_deal_is_told_from_offer_to_settlement() {
    let day = Day::new().trade();
    let views = day.realm.views();
    let reader = views.reader();
    let deal = reader
        .deal(Scope::Agent(day.buyer), deal_id(&day))
        .unwrap()
        .expect("a party");
    let states: Vec<&str> = deal.timeline.iter().map(|s| s.state.as_str()).collect();
    assert_eq!(states, ["agreed", "delivered", "settled"]);
    assert_eq!(
        (deal.deal.price.as_str(), deal.deal.asset.as_str()),
        ("20.00", "USD")
    );
    assert_eq!(deal.deal.paid.as_deref(), Some("20.00"));
    assert_eq!(
        deal.accepted.map(|o| (o.number, o.by.handle)),
        Some((2, "@buyer".to_owned()))
    );
    let AnyId::NegotiationId(won) = day.won else {
        panic!()
    };
    let negotiation: NegotiationId = won;
    let view = reader
        .negotiation(Scope::Agent(day.seller), negotiation)
        .unwrap()
        .expect("a party");
    let prices: Vec<String> = view.offers.iter().map(|o| o.price.clone()).collect();
    assert_eq!(prices, ["22.48", "20.00"]);
    let task = reader
        .task(Scope::Owner(day.ours.id), deal.deal.task)
        .unwrap()
        .expect("a party");
    assert_eq!(
        (task.task.state.as_str(), task.artifacts.len()),
        ("completed", 1)
    );
    assert_eq!(task.task.parent.map(AnyId::from), Some(day.goal));
    let card = reader.agent_by_handle("@seller").unwrap().expect("there");
    assert_eq!((card.reputation.sold, card.reputation.partners), (1, 1));
    assert!(card.did.starts_with("did:key:z6Mk"), "{}", card.did);
    assert_eq!(card.skills, json!(["Cooking"]));
}

#[test]
fn a_statement_carries_the_running_balance() {
    let day = Day::new().trade();
    let views = day.realm.views();
    let reader = views.reader();
    let scope = Scope::Agent(day.buyer);
    let account = reader.accounts(scope, &all()).unwrap().items.remove(0);
    assert_eq!(
        (account.balance.as_str(), account.holder_name.as_str()),
        ("80.00", "@buyer")
    );
    let statement = reader
        .statement(scope, account.id, &all())
        .unwrap()
        .expect("own");
    let rows: Vec<String> = statement
        .items
        .iter()
        .map(|r| {
            format!(
                "{} {} {} {} {}",
                r.entry.kind, r.change, r.balance, r.available, r.counterparty
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "post_hold -20.00 80.00 80.00 @seller",
            "hold 0.00 100.00 80.00 @seller",
            "post 100.00 100.00 100.00 issuance",
        ]
    );
    for balance in reader.trial_balance().unwrap() {
        assert_eq!(
            (balance.sum.as_str(), balance.issued.as_str()),
            ("0.00", "100.00")
        );
    }
    let stranger = Scope::Owner(day.stranger.id);
    assert!(
        reader
            .statement(stranger, account.id, &all())
            .unwrap()
            .is_none()
    );
}

#[test]
fn another_owner_sees_nothing_private() {
    let mut day = Day::new().trade();
    let outsider = day.realm.owner("outsider");
    let spy = day.realm.agent(outsider, "spy", json!({}));
    let ids = day.realm.by(
        day.buyer,
        "mail.send",
        json!({ "to": { "agent": "@seller" }, "body": "zebra secret" }),
    );
    let views = day.realm.views();
    let reader = views.reader();
    for scope in [Scope::Owner(outsider.id), Scope::Agent(spy)] {
        let none = |what: &str, items: Vec<Value>| assert!(items.is_empty(), "{what}: {items:?}");
        let json = |v: &dyn erased::Json| v.json();
        none(
            "tasks",
            json(&reader.tasks(scope, &[], &all()).unwrap().items),
        );
        none("calls", json(&reader.calls(scope, &all()).unwrap().items));
        none(
            "negotiations",
            json(&reader.negotiations(scope, &all()).unwrap().items),
        );
        none("deals", json(&reader.deals(scope, &all()).unwrap().items));
        none(
            "conversations",
            json(&reader.conversations(scope, &all()).unwrap().items),
        );
        none(
            "messages",
            json(
                &reader
                    .search_messages(scope, "zebra", &all())
                    .unwrap()
                    .items,
            ),
        );
        none(
            "accounts",
            json(&reader.accounts(scope, &all()).unwrap().items),
        );
        none("holds", json(&reader.holds(scope, &all()).unwrap().items));
        none(
            "approvals",
            json(&reader.approvals(scope, false, &all()).unwrap().items),
        );
        none("teams", json(&reader.teams(scope, &all()).unwrap().items));
        let report = reader.accounts_report(scope, &[], None).unwrap();
        assert!(report.rows.is_empty() && report.total.is_empty() && report.operator.is_empty());
        for id in [day.goal, day.call, day.won, day.lost, day.deal]
            .iter()
            .chain(&ids)
        {
            assert!(!reader.sees(scope, *id).unwrap(), "{id}");
            assert!(reader.trace(scope, *id).unwrap().is_none(), "{id}");
        }
    }
    let own = reader
        .events(Scope::Agent(spy), &EventFilter::default(), &all())
        .unwrap();
    // Nothing has ever concerned it but that it was registered.
    let facts = own
        .items
        .iter()
        .flat_map(|e| e["events"].as_array().unwrap());
    let foreign: Vec<_> = facts
        .filter(|fact| fact.get("identity").is_none())
        .collect();
    assert!(!own.items.is_empty() && foreign.is_empty(), "{foreign:?}");
    let mut lines = String::new();
    reader
        .export(outsider.id, &mut |line| {
            lines.push_str(&line.to_string());
            true
        })
        .unwrap();
    assert!(!lines.contains("zebra") && !lines.contains("tacos") && lines.contains("@spy"));
    let mut lines = String::new();
    reader
        .export(day.ours.id, &mut |line| {
            lines.push_str(&line.to_string());
            true
        })
        .unwrap();
    for word in [
        "zebra secret",
        "tacos for two",
        "22.48",
        "two tacos",
        "\"balance\":\"80.00\"",
    ] {
        assert!(lines.contains(word), "{word}");
    }
}

mod erased {
    use serde::Serialize;
    use serde_json::Value;

    pub(super) trait Json {
        fn json(&self) -> Vec<Value>;
    }

    impl<T: Serialize> Json for Vec<T> {
        fn json(&self) -> Vec<Value> {
            self.iter()
                .map(|row| serde_json::to_value(row).unwrap())
                .collect()
        }
    }
}

#[test]
fn a_member_sees_what_it_was_sent_and_no_more() {
    let mut realm = Realm::new();
    let owner = realm.owner("ours");
    let [a, b, c] = ["aa", "bb", "cc"].map(|h| realm.agent(owner, h, json!({})));
    let ids = realm.by(
        a,
        "mail.open_group",
        json!({ "title": "group", "members": ["@bb"] }),
    );
    let AnyId::ConversationId(group) = id_of(&ids, "conv") else {
        panic!()
    };
    let to = json!({ "conversation": group });
    realm.by(a, "mail.send", json!({ "to": to, "body": "before apple" }));
    realm.by(
        a,
        "mail.change_group",
        json!({ "conversation": group, "add": ["@cc"] }),
    );
    realm.by(a, "mail.send", json!({ "to": to, "body": "during apple" }));
    realm.by(
        a,
        "mail.change_group",
        json!({ "conversation": group, "remove": ["@cc"] }),
    );
    realm.by(b, "mail.send", json!({ "to": to, "body": "after apple" }));
    let views = realm.views();
    let reader = views.reader();
    let said = |scope, order| -> Vec<String> {
        let page = reader.messages(scope, group, order, &all()).unwrap();
        page.items
            .iter()
            .map(|m| m.body.as_ref().unwrap().body.as_ref().unwrap().plain_text())
            .collect()
    };
    assert_eq!(said(Scope::Agent(c), Order::OldestFirst), ["during apple"]);
    assert_eq!(
        said(Scope::Agent(b), Order::OldestFirst),
        ["before apple", "during apple", "after apple"]
    );
    assert_eq!(said(Scope::Realm, Order::NewestFirst)[0], "after apple");
    for (scope, hits) in [
        (Scope::Agent(c), 1),
        (Scope::Agent(a), 3),
        (Scope::Owner(owner.id), 3),
    ] {
        assert_eq!(
            reader
                .search_messages(scope, "APPLE", &all())
                .unwrap()
                .items
                .len(),
            hits
        );
    }
    for hostile in [
        "\"",
        "apple OR",
        "NEAR(apple",
        "*",
        "body:apple",
        "-apple",
        "apple\0",
        "(((",
        "^",
    ] {
        reader
            .search_messages(Scope::Realm, hostile, &all())
            .expect(hostile);
    }
    let mut paging = Paging {
        cursor: None,
        limit: 1,
    };
    let mut seen = Vec::new();
    loop {
        let page = reader
            .search_messages(Scope::Agent(a), "apple", &paging)
            .unwrap();
        seen.extend(page.items.into_iter().map(|m| m.id));
        match page.next_cursor {
            Some(next) => paging.cursor = Some(next),
            None => break,
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 3);
}

#[test]
fn agents_are_found_by_text_skill_and_tag() {
    let mut day = Day::new();
    day.realm
        .attempt(day.ours.admin, None, "agent.set_profile",
            json!({ "agent": "@buyer", "profile": { "description": "now sings", "tags": ["Opera"] } }))
        .expect("profile");
    let views = day.realm.views();
    let reader = views.reader();
    let found = |text: Option<&str>, skill: Option<&str>, tag: Option<&str>| -> Vec<String> {
        let query = AgentQuery {
            text: text.map(str::to_owned),
            skill: skill.map(str::to_owned),
            tag: tag.map(str::to_owned),
            ..AgentQuery::default()
        };
        let page = reader.agents(&query, &all()).unwrap();
        page.items.into_iter().map(|a| a.handle).collect()
    };
    assert_eq!(found(Some("wonders"), None, None), ["@seller"]);
    assert_eq!(
        found(Some("quixotry"), None, None),
        [""; 0],
        "an old profile is not found"
    );
    assert_eq!(found(Some("sings"), None, Some("opera")), ["@buyer"]);
    assert_eq!(found(None, Some(" COOKING"), None), ["@seller"]);
    assert_eq!(found(None, None, None), ["@buyer", "@seller", "@rival"]);
}

#[test]
fn suspended_agents_are_seen_by_those_they_belong_to() {
    let mut day = Day::new();
    day.realm.operator(
        "identity.suspend",
        json!({ "subject": { "agent": "@seller" } }),
    );
    let views = day.realm.views();
    let reader = views.reader();
    let everybody = AgentQuery::default();
    let seller = reader.agent_by_handle("@seller").unwrap().unwrap();
    let buyer = reader.agent_by_handle("@buyer").unwrap().unwrap();
    for (seen_by, there) in [
        (None, false),
        (Some(Scope::Owner(buyer.owner)), false),
        (Some(Scope::Agent(buyer.id)), false),
        (Some(Scope::Owner(seller.owner)), true),
        (Some(Scope::Agent(seller.id)), true),
        (Some(Scope::Realm), true),
    ] {
        let query = AgentQuery {
            seen_by,
            ..everybody.clone()
        };
        let page = reader.agents(&query, &all()).unwrap();
        let shown = page.items.iter().find(|a| a.id == seller.id);
        assert_eq!(
            shown.map(|a| a.status.as_str()),
            there.then_some("suspended"),
            "{seen_by:?}"
        );
        assert!(page.items.iter().any(|a| a.id == buyer.id));
    }
}

#[test]
fn events_are_read_by_kind_and_with_their_texts() {
    let day = Day::new().trade();
    let views = day.realm.views();
    let reader = views.reader();
    let filter = EventFilter {
        kind: Some("market.deal_agreed".to_owned()),
        ..EventFilter::default()
    };
    let page = reader.events(Scope::Realm, &filter, &all()).unwrap();
    assert_eq!(page.items.len(), 1);
    let position = day.realm.log.iter().find(|i| {
        let json = serde_json::to_string(&i.envelope).unwrap();
        json.contains("call_opened")
    });
    let position = position.expect("a call").envelope.position;
    let told = reader
        .describe(position)
        .unwrap()
        .expect("there")
        .to_string();
    assert!(told.contains("who has tacos"), "{told}");
    assert!(
        !reader
            .event(position)
            .unwrap()
            .expect("there")
            .to_string()
            .contains("who has tacos")
    );
    assert_eq!(reader.event(0).unwrap(), None);
    let first = Paging {
        cursor: None,
        limit: 2,
    };
    let page = reader
        .events(Scope::Realm, &EventFilter::default(), &first)
        .unwrap();
    let second = Paging {
        cursor: page.next_cursor,
        limit: 2,
    };
    let page = reader
        .events(Scope::Realm, &EventFilter::default(), &second)
        .unwrap();
    assert_eq!(page.items[0]["position"], 3);
    let counts = reader.counts().unwrap();
    assert_eq!(
        (counts.deals, counts.agents, counts.position),
        (1, 3, day.realm.state.position())
    );
}

#[test]
fn parties_are_told_to_whoever_judges_access() {
    let day = Day::new().trade();
    let views = day.realm.views();
    let reader = views.reader();
    let deal = reader.parties(day.deal).unwrap().expect("there");
    assert_eq!(deal.agents, [day.buyer, day.seller]);
    assert_eq!(deal.owners, [day.ours.id, day.theirs.id]);
    assert!(!deal.public);
    assert_eq!(reader.parties(AnyId::DealId(DealId(1))).unwrap(), None);
}

#[test]
fn bad_pages_are_refused() {
    let views = Views::in_memory().unwrap();
    let reader = views.reader();
    for limit in [0, 101] {
        assert!(
            reader
                .owners(&Paging {
                    cursor: None,
                    limit
                })
                .is_err()
        );
    }
    for cursor in ["", "k", "x1", "k-1", "kzz", "k11111111111111111"] {
        let paging = Paging {
            cursor: Some(cursor.to_owned()),
            limit: 1,
        };
        assert!(reader.owners(&paging).is_err(), "{cursor}");
    }
    let empty = reader
        .accounts_report(Scope::Realm, &[], Some((Time(0), Time(1))))
        .unwrap();
    assert!(empty.rows.is_empty());
}
