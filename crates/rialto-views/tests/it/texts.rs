//! What is found in texts of every script, and what is told of handles and tokens.

use rialto_core::id::AnyId;
use rialto_core::identity::Principal;
use rialto_views::{AgentQuery, Paging, Scope};
use rialto_wire::search::ListingQuery;
use serde_json::json;

use crate::realm::Realm;

#[test]
fn words_of_every_script_are_found_in_every_index() {
    let texts = [
        "新しいラーメン屋がオープン🚀 東京タワーの近く",
        "Negotiations about e-mail delivery, children's menus",
        "Crème brûlée and Straße, nego\u{ad}tiable by notebook",
        "서울에서 라면을 먹자 👨\u{200d}🍳",
        "ข้าวผัดอร่อยมาก",
        "Пельмени и ЩИ",
    ];
    let mut realm = Realm::new();
    let owner = realm.owner("ours");
    let mut agents = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let agent = realm.agent(owner, &format!("s{number}"), json!({ "description": text }));
        realm.by(
            agent,
            "listing.publish",
            json!({ "terms": { "title": "x", "description": text } }),
        );
        realm.by(agent, "social.post", json!({ "body": text }));
        agents.push(agent);
    }
    for (agent, text) in agents.iter().zip(&texts) {
        let to = agents.iter().find(|a| *a != agent).unwrap();
        realm.by(
            *agent,
            "mail.send",
            json!({ "to": { "agent": to }, "body": text }),
        );
    }
    let views = realm.views();
    let reader = views.reader();
    for (query, found) in [
        ("ラーメン", Some(0)),
        ("ﾗｰﾒﾝ", Some(0)),
        ("メン屋", Some(0)),
        ("京", Some(0)),
        ("く", Some(0)),
        ("🚀", Some(0)),
        ("ラーメン 東京", Some(0)),
        ("negotiation", Some(1)),
        ("negotiations", Some(1)),
        ("NEGOTIATION deliveries", Some(1)),
        ("email", Some(1)),
        ("e-mails", Some(1)),
        ("child's", None),
        ("children menu", Some(1)),
        ("creme", Some(2)),
        ("CRÈME BRULEE", Some(2)),
        ("strasse", Some(2)),
        ("negotiable", Some(2)),
        ("note book", Some(2)),
        ("라면", Some(3)),
        ("👨", Some(3)),
        ("👨\u{200d}🍳", Some(3)),
        ("ผัด", Some(4)),
        ("пельмени", Some(5)),
        ("щи", Some(5)),
        ("メラ", None),
        ("ギョーザ", None),
        ("🍕", None),
        ("note", None),
    ] {
        let paging = Paging::default();
        let want: Vec<_> = found.map(|n: usize| agents[n]).into_iter().collect();
        let listings = ListingQuery {
            text: Some(query.into()),
            ..ListingQuery::default()
        };
        // Words of a listing query add up, so the best hit is looked at.
        let hits = reader.search_listings(&listings).unwrap().hits;
        let first: Vec<_> = hits.iter().take(1).map(|h| h.listing.agent).collect();
        assert_eq!(first, want, "listings: {query}");
        let posts = reader.search_posts(query, &paging).unwrap().items;
        assert_eq!(
            posts.iter().map(|p| p.author.id).collect::<Vec<_>>(),
            want,
            "posts: {query}"
        );
        let messages = reader
            .search_messages(Scope::Realm, query, &paging)
            .unwrap()
            .items;
        assert_eq!(
            messages.iter().map(|m| m.from.id).collect::<Vec<_>>(),
            want,
            "messages: {query}"
        );
        let cards = AgentQuery {
            text: Some(query.into()),
            ..AgentQuery::default()
        };
        let cards = reader.agents(&cards, &paging).unwrap().items;
        assert_eq!(
            cards.iter().map(|c| c.id).collect::<Vec<_>>(),
            want,
            "agents: {query}"
        );
    }
}

#[test]
fn items_are_found_however_they_are_typed() {
    let mut realm = Realm::new();
    let owner = realm.owner("ours");
    let agent = realm.agent(owner, "s1", json!({ "skills": ["Übersetzen"] }));
    let items = json!([{ "name": "Straße nach Crème", "price": "1" }]);
    realm.by(
        agent,
        "listing.publish",
        json!({ "terms": { "title": "x", "items": items } }),
    );
    let views = realm.views();
    let ask = |item: &str| {
        let query: ListingQuery = serde_json::from_value(json!({ "items": [item] })).unwrap();
        views.reader().search_listings(&query).unwrap().hits.len()
    };
    assert_eq!(ask("STRASSE  NACH CRÈME"), 1);
    assert_eq!(ask("strasse nach creme"), 0);
    let skilled = AgentQuery {
        skill: Some("ÜBERSETZEN".into()),
        ..AgentQuery::default()
    };
    assert_eq!(
        views
            .reader()
            .agents(&skilled, &Paging::default())
            .unwrap()
            .items
            .len(),
        1
    );
}

#[test]
fn a_leaked_token_waits_for_its_owner_until_there_is_a_new_one() {
    let mut realm = Realm::new();
    let (ours, theirs) = (realm.owner("ours"), realm.owner("theirs"));
    let agent = realm.agent(ours, "s1", json!({}));
    let mut token = None;
    realm.state.tokens.for_each(|id, t| {
        if t.principal == Principal::Agent(agent) {
            token = Some(*id);
        }
    });
    let mut views = realm.views();
    let waits =
        |views: &rialto_views::Views, scope| views.reader().waiting(scope).unwrap().leaked_tokens;
    let fed = realm.log.len();
    let args = json!({ "token": token.unwrap() });
    realm
        .attempt(Principal::Realm, None, "token.end_leaked", args)
        .unwrap();
    views.apply(&realm.log[fed..]).unwrap();
    assert_eq!(waits(&views, Scope::Owner(ours.id)), 1);
    assert_eq!(waits(&views, Scope::Agent(agent)), 1);
    assert_eq!(waits(&views, Scope::Owner(theirs.id)), 0);
    assert_eq!(waits(&views, Scope::Realm), 0);
    let newly = views.reader().newly_waiting(fed as u64).unwrap();
    assert_eq!(
        newly.raised.keys().copied().collect::<Vec<_>>(),
        [Some(ours.id)]
    );
    let fed = realm.log.len();
    let subject = json!({ "subject": { "agent": "@s1" } });
    let issued = realm
        .attempt(ours.admin, None, "token.issue", subject)
        .unwrap();
    assert!(matches!(issued.first(), Some(AnyId::TokenId(_))));
    views.apply(&realm.log[fed..]).unwrap();
    assert_eq!(waits(&views, Scope::Owner(ours.id)), 0);
}
