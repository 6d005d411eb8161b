//! The search contract.

use rialto_views::{Error, Views};
use rialto_wire::search::{HitPage, ListingQuery};
use serde_json::{Value, json};

use crate::realm::Realm;

/// One seller a listing, in order: `s0`, `s1`, …
fn market(listings: &[Value]) -> (Realm, Views) {
    let mut realm = Realm::new();
    let owner = realm.owner("ours");
    for (number, terms) in listings.iter().enumerate() {
        let agent = realm.agent(owner, &format!("s{number}"), json!({}));
        realm.by(agent, "listing.publish", json!({ "terms": terms }));
    }
    let views = realm.views();
    (realm, views)
}

fn listing(title: &str, items: &[(&str, &str)], attributes: &[&str]) -> Value {
    let items: Vec<Value> = items
        .iter()
        .map(|(name, price)| json!({ "name": name, "price": price }))
        .collect();
    let attributes: Vec<Value> = attributes
        .iter()
        .map(|a| json!({ "name": a, "value": { "flag": true } }))
        .collect();
    json!({ "title": title, "items": items, "attributes": attributes })
}

fn ask(views: &Views, query: Value) -> HitPage {
    let query: ListingQuery = serde_json::from_value(query).expect("a query");
    views.reader().search_listings(&query).expect("an answer")
}

fn sellers(page: &HitPage) -> Vec<&str> {
    page.hits
        .iter()
        .map(|h| h.listing.seller.as_str())
        .collect()
}

#[test]
fn queries_find_what_the_contract_says() {
    let mut denied = listing("denied", &[("Taco", "1"), ("Flan", "1")], &[]);
    denied["attributes"] = json!([{ "name": "Patio", "value": { "flag": false } }]);
    let mut described = listing("Sopa", &[("Soup", "4")], &[]);
    described["description"] = json!("the best taco in town, taco taco taco");
    described["tags"] = json!(["Late Night"]);
    let (_, views) = market(&[
        listing(
            "dear",
            &[("Taco", "5"), ("Flan", "5.00")],
            &["Patio", "Wifi"],
        ),
        listing("cheap", &[("TACO", "2"), ("flan", "2.5")], &["PATIO"]),
        listing("no flan", &[("Taco", "1")], &["Patio"]),
        denied,
        described,
        listing("tie", &[("Taco", "3"), ("Flan", "1.5")], &["patio"]),
        listing(
            "near",
            &[
                ("Jalapeño Poppers", "3"),
                ("Sizzling Beef Quesadillas", "9"),
            ],
            &[],
        ),
    ]);
    for (name, query, want) in [
        (
            "all items and attributes, by price, ties to the older",
            json!({ "items": ["Taco", "Flan"], "attributes": ["patio"] }),
            vec!["@s1", "@s5", "@s0"],
        ),
        (
            "a false attribute is absent",
            json!({ "items": ["Taco", "Flan"] }),
            vec!["@s3", "@s1", "@s5", "@s0"],
        ),
        (
            "one item",
            json!({ "items": ["taco"] }),
            vec!["@s2", "@s3", "@s1", "@s5", "@s0"],
        ),
        (
            "at most",
            json!({ "items": ["Taco", "Flan"], "max_price": "4.5" }),
            vec!["@s3", "@s1", "@s5"],
        ),
        (
            "unknown item",
            json!({ "items": ["Taco", "Caviar"] }),
            vec![],
        ),
        (
            "attributes alone",
            json!({ "attributes": ["patio"] }),
            vec!["@s0", "@s1", "@s2", "@s5"],
        ),
        ("tags", json!({ "tags": ["late night"] }), vec!["@s4"]),
        ("text alone", json!({ "text": "town" }), vec!["@s4"]),
        (
            "any: fewest missing first",
            json!({ "items": ["Taco", "Flan"], "attributes": ["wifi"], "match": "any" }),
            vec!["@s0", "@s1", "@s3", "@s5", "@s2"],
        ),
        (
            "any with text: the text's hit comes last",
            json!({ "items": ["Flan"], "match": "any", "text": "soup" }),
            vec!["@s0", "@s1", "@s3", "@s5", "@s4"],
        ),
        (
            "self-praise orders nothing by price",
            json!({ "items": ["Soup"], "text": "taco" }),
            vec!["@s4"],
        ),
        (
            "diacritics are another item",
            json!({ "items": ["Jalapeno Poppers"] }),
            vec![],
        ),
        (
            "other typing is the same item",
            json!({ "items": ["JALAPEN\u{303}O  poppers"] }),
            vec!["@s6"],
        ),
    ] {
        assert_eq!(sellers(&ask(&views, query)), want, "{name}");
    }
    let page = ask(
        &views,
        json!({ "items": ["Sizzling Beef Quesadilla", "Jalapeno Popper", "Taco"],
        "match": "any", "text": "sizzling beef quesadilla" }),
    );
    let hit = page
        .hits
        .iter()
        .find(|h| h.listing.seller == "@s6")
        .expect("by text");
    assert_eq!(hit.bundle_price, None);
    assert_eq!(hit.missing_items.len(), 3);
    let near: Vec<&str> = hit.near_items.iter().map(|n| n.item.as_str()).collect();
    assert_eq!(near, ["Sizzling Beef Quesadillas", "Jalapeño Poppers"]);
    let page = ask(&views, json!({ "items": ["taco", "FLAN"] }));
    let hit = serde_json::to_value(&page.hits[1]).unwrap();
    assert_eq!(hit["bundle_price"], "4.5");
    assert_eq!(
        hit["bundle"][1],
        json!({ "wanted": "FLAN", "item": "flan", "price": "2.5" })
    );
    assert_eq!(
        hit["listing"]["attributes"],
        json!([{ "name": "PATIO", "value": { "flag": true } }])
    );
}

#[test]
fn a_decoy_never_improves_a_rank() {
    let (_, views) = market(&[
        listing("honest", &[("Taco", "3")], &[]),
        listing("decoy", &[("TACO", "1"), ("tacO", "9")], &[]),
        listing("exact", &[("TACO", "1"), ("Taco", "4")], &[]),
    ]);
    let page = ask(&views, json!({ "items": ["Taco"] }));
    let prices: Vec<String> = page
        .hits
        .iter()
        .map(|h| h.bundle_price.unwrap().text())
        .collect();
    assert_eq!(
        (sellers(&page), prices.join(" ")),
        (vec!["@s0", "@s2", "@s1"], "3 4 9".to_owned())
    );
}

#[test]
fn nothing_in_a_query_is_syntax() {
    let (_, views) = market(&[listing("Café \"Olé\"", &[("Taco", "3")], &[])]);
    for text in [
        "\"",
        "\"\"",
        "taco OR \"",
        "NEAR(a b)",
        "title:café",
        "*",
        "taco*",
        "^taco",
        "a AND NOT b",
        "(((",
        "-- ; DROP TABLE listing",
        "\0",
        "'",
        "{x}:y",
        "\u{202e}taco",
        "…",
    ] {
        let query = json!({ "items": ["Taco"], "match": "any", "text": text });
        assert_eq!(ask(&views, query).hits.len(), 1, "{text}");
        ask(&views, json!({ "text": text }));
    }
    assert_eq!(
        ask(&views, json!({ "text": "cafe" })).hits.len(),
        1,
        "text forgives accents"
    );
    let reader = views.reader();
    let many: Vec<String> = (0..33).map(|n| format!("i{n}")).collect();
    for bad in [
        json!({ "limit": 0 }),
        json!({ "items": many }),
        json!({ "text": "a", "limit": 0 }),
        json!({ "text": "a", "limit": 101 }),
        json!({ "text": "a", "cursor": "p.0.0.0.0." }),
        json!({ "text": "a", "cursor": "r.0.0" }),
        json!({ "text": "a", "cursor": "r.0.0.0.0.x" }),
    ] {
        let query: ListingQuery = serde_json::from_value(bad.clone()).expect("a query");
        let refused = reader.search_listings(&query);
        assert!(
            matches!(
                refused,
                Err(Error::BadQuery(_) | Error::BadLimit { .. } | Error::BadCursor)
            ),
            "{bad}"
        );
    }
}

#[test]
fn pages_neither_repeat_nor_skip_while_listings_come() {
    let names: Vec<Value> = (0..25)
        .map(|n| {
            listing(
                "x",
                &[("Taco", &format!("{}", 1 + n % 5))],
                if n % 2 == 0 { &["Patio"] } else { &[] },
            )
        })
        .collect();
    for query in [
        json!({ "items": ["Taco"], "limit": 4 }),
        json!({ "items": ["Taco"], "attributes": ["Patio"], "match": "any", "text": "taco x", "limit": 4 }),
        json!({ "text": "x taco", "limit": 3 }),
        json!({ "limit": 4 }),
        json!({ "sort": "price", "limit": 4 }),
    ] {
        let (mut realm, mut views) = market(&names);
        let fed = realm.log.len();
        let all = ask(&views, {
            let mut q = query.clone();
            q["limit"] = json!(100);
            q
        });
        let mut want: Vec<_> = all.hits.iter().map(|h| h.listing.id).collect();
        let (mut got, mut query, mut fed) = (Vec::new(), query, fed);
        let owner = realm.owner("late");
        for round in 0.. {
            let page = ask(&views, query.clone());
            got.extend(page.hits.iter().map(|h| h.listing.id));
            let Some(next) = page.next_cursor else { break };
            query["cursor"] = json!(next);
            let agent = realm.agent(owner, &format!("late{round}"), json!({}));
            realm.by(
                agent,
                "listing.publish",
                json!({ "terms": listing("y z", &[("Taco", "1")], &[]) }),
            );
            views.apply(&realm.log[fed..]).unwrap();
            fed = realm.log.len();
        }
        let old = got.clone();
        got.retain(|id| want.contains(id));
        assert_eq!(got, want);
        want.clear();
        let mut once = old.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), old.len());
    }
}

#[test]
fn the_suspended_and_withdrawn_are_left_out() {
    let (mut realm, mut views) = market(&[
        listing("a", &[("Taco", "1")], &[]),
        listing("b", &[("Taco", "2")], &[]),
        listing("c", &[("Taco", "3")], &[]),
    ]);
    let fed = realm.log.len();
    realm.operator("identity.suspend", json!({ "subject": { "agent": "@s0" } }));
    let seller = realm
        .state
        .agent_named(&rialto_core::text::Handle::new("s1").unwrap())
        .unwrap();
    let mut withdrawn = None;
    realm.state.listings.for_each(|id, l| {
        if l.agent == seller {
            withdrawn = Some(*id);
        }
    });
    realm.by(seller, "listing.withdraw", json!({ "listing": withdrawn }));
    views.apply(&realm.log[fed..]).unwrap();
    assert_eq!(sellers(&ask(&views, json!({ "items": ["taco"] }))), ["@s2"]);
    assert_eq!(
        sellers(&ask(&views, json!({ "text": "taco a b c" }))),
        ["@s2"]
    );
    assert_eq!(sellers(&ask(&views, json!({}))), ["@s2"]);
}

#[test]
fn a_changed_listing_is_found_by_what_it_is_now() {
    let (mut realm, mut views) = market(&[listing("first", &[("Taco", "1")], &["Patio"])]);
    let (mut id, mut agent) = (None, None);
    realm
        .state
        .listings
        .for_each(|l, e| (id, agent) = (Some(*l), Some(e.agent)));
    let fed = realm.log.len();
    let terms = listing("second", &[("Soup", "2")], &[]);
    realm.by(
        agent.unwrap(),
        "listing.update",
        json!({ "listing": id, "terms": terms }),
    );
    views.apply(&realm.log[fed..]).unwrap();
    for (query, hits) in [
        (json!({ "items": ["Taco"] }), 0),
        (json!({ "attributes": ["Patio"] }), 0),
        (json!({ "text": "first" }), 0),
        (json!({ "text": "second" }), 1),
        (json!({ "items": ["soup"] }), 1),
    ] {
        assert_eq!(ask(&views, query.clone()).hits.len(), hits, "{query}");
    }
    assert_eq!(
        views
            .reader()
            .listings_of(agent.unwrap(), &rialto_views::Paging::default())
            .unwrap()
            .items
            .len(),
        1
    );
}
