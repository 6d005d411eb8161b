//! Erased means gone from the file.

use rialto_core::id::ContentId;
use rialto_views::{Paging, Scope, Views};
use serde_json::json;

use crate::realm::{Realm, id_of};

const WORD: &str = "xylographarchy";

fn holds_word(folder: &std::path::Path) -> bool {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| std::fs::read(f.unwrap().path()).unwrap());
    let needle = WORD.as_bytes();
    // The index stores a term's beginning once for neighbours, so half the word counts too.
    let half = &needle[needle.len() / 2..];
    files.into_iter().any(|bytes| {
        bytes.windows(needle.len()).any(|w| w == needle)
            || bytes.windows(half.len()).any(|w| w == half)
    })
}

fn talk() -> (Realm, Vec<ContentId>) {
    let mut realm = Realm::new();
    let owner = realm.owner("ours");
    let [a, _] = ["aa", "bb"].map(|h| {
        realm.agent(
            owner,
            h,
            json!({ "description": format!("{h} likes {WORD}") }),
        )
    });
    let mut contents: Vec<ContentId> = realm
        .log
        .iter()
        .flat_map(|i| i.contents.iter().map(|c| c.0))
        .collect();
    for number in 0..300 {
        let word = if number % 10 == 5 { WORD } else { "plain" };
        let body = format!(
            "message {number} says {word} and more words {}",
            number * 7919
        );
        let ids = realm.by(
            a,
            "mail.send",
            json!({ "to": { "agent": "@bb" }, "body": body }),
        );
        let _ = id_of(&ids, "msg");
        if word == WORD {
            contents.extend(realm.log.last().unwrap().contents.iter().map(|c| c.0));
        }
    }
    let terms =
        json!({ "title": "t", "description": WORD, "items": [{ "name": "Taco", "price": "1" }] });
    realm.by(a, "listing.publish", json!({ "terms": terms }));
    contents.extend(realm.log.last().unwrap().contents.iter().map(|c| c.0));
    (realm, contents)
}

#[test]
fn erased_texts_leave_tables_index_and_file() {
    for through_the_log in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (mut realm, contents) = talk();
        let mut views = Views::open(&folder.path().join("views.db")).unwrap();
        realm.feed(&mut views);
        let reader = views.reader();
        let hits = |word: &str| {
            reader
                .search_messages(Scope::Realm, word, &Paging::default())
                .unwrap()
                .items
                .len()
        };
        assert_eq!(hits(WORD), 20);
        assert!(holds_word(folder.path()), "the check itself works");
        if through_the_log {
            realm.operator("realm.erase", json!({ "contents": contents }));
            realm.feed(&mut views);
        } else {
            assert_eq!(views.erase(&contents).unwrap(), contents.len());
            assert_eq!(views.erase(&contents).unwrap(), 0);
        }
        assert_eq!(hits(WORD), 0);
        assert_eq!(hits("plain"), 20);
        assert!(
            !holds_word(folder.path()),
            "through the log: {through_the_log}"
        );
        let card = reader.agent_by_handle("aa").unwrap().unwrap();
        assert_eq!(card.description.map(|d| d.body), Some(None));
        let query = serde_json::from_value(json!({ "items": ["taco"] })).unwrap();
        let page = reader.search_listings(&query).unwrap();
        assert_eq!(page.hits[0].listing.description, None);
    }
}
