//! Erased means gone from the file.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use rialto_core::id::ContentId;
use rialto_views::{Paging, Scope, Views};
use rusqlite::Connection;
use serde_json::json;

use crate::realm::{Realm, id_of};

const WORD: &str = "xylographarchy";

fn holds_word(folder: &Path) -> bool {
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

/// A word that is nowhere else, and hardly like another.
fn word(number: u64) -> String {
    let mut state = number + 1;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(99);
        char::from(b'a' + ((state >> 33) % 26) as u8)
    };
    (0..16).map(|_| letter()).collect()
}

/// Which words' second halves are in the folder's files.
fn left(folder: &Path, words: &HashMap<Vec<u8>, u64>) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        found.extend(bytes.windows(8).filter_map(|window| words.get(window)));
    }
    found
}

/// Rows and words of many sizes, erased a few at a time, while the view goes on: what moves within or
/// between pages leaves no copy, and what is not erased stays.
#[test]
fn erased_texts_leave_no_copy_wherever_rows_and_words_have_moved() {
    const COUNT: u64 = 250;
    let folder = tempfile::tempdir().unwrap();
    let mut realm = Realm::new();
    let owner = realm.owner("ours");
    let [a, _] = ["aa", "bb"].map(|h| realm.agent(owner, h, json!({})));
    let mut views = Views::open(&folder.path().join("views.db")).unwrap();
    let says = |number: u64| {
        let filler = "filler words ".repeat((number * 7 % 400) as usize);
        format!("{} {filler} {}", word(number), word(number + COUNT))
    };
    let mut contents = Vec::new();
    for number in 0..COUNT {
        let args = json!({ "to": { "agent": "@bb" }, "body": says(number) });
        realm.by(a, "mail.send", args);
        contents.extend(realm.log.last().unwrap().contents.iter().map(|c| c.0));
        if number % 9 == 0 {
            realm.feed(&mut views);
        }
    }
    realm.feed(&mut views);
    let half = |number| word(number).as_bytes()[8..].to_vec();
    let words = (0..2 * COUNT)
        .map(|number| (half(number), number))
        .collect();
    let mut kept: BTreeSet<u64> = (0..2 * COUNT).collect();
    assert_eq!(left(folder.path(), &words), kept);
    for round in 0..10 {
        let batch: Vec<u64> = (0..COUNT)
            .filter(|n| (n * 7919 + 13) % 12 == round)
            .collect();
        let ids: Vec<ContentId> = batch.iter().map(|n| contents[*n as usize]).collect();
        assert_eq!(views.erase(&ids).unwrap(), ids.len());
        kept.retain(|word| !batch.contains(&(word % COUNT)));
        if round % 3 == 0 {
            assert_eq!(left(folder.path(), &words), kept, "round {round}");
        }
        realm.by(
            a,
            "mail.send",
            json!({ "to": { "agent": "@bb" }, "body": "more" }),
        );
        realm.feed(&mut views);
    }
    let reader = views.reader();
    for number in 0..COUNT {
        let hits = reader.search_messages(Scope::Realm, &word(number), &Paging::default());
        let found = hits.unwrap().items.len();
        assert_eq!(found, usize::from(kept.contains(&number)), "{number}");
    }
    let whole: String = Connection::open(folder.path().join("views.db"))
        .and_then(|db| db.query_one("PRAGMA integrity_check", [], |row| row.get(0)))
        .unwrap();
    assert_eq!(whole, "ok");
}

/// A file of an earlier build, whose indexes only marked what they forgot.
#[test]
fn a_file_that_did_not_delete_securely_does_from_its_next_opening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("views.db");
    let (mut realm, contents) = talk();
    let mut views = Views::open(&path).unwrap();
    realm.feed(&mut views);
    drop(views);
    let db = Connection::open(&path).unwrap();
    for index in ["message_fts", "listing_fts", "agent_fts", "post_fts"] {
        let sql = format!("INSERT INTO {index}({index}, rank) VALUES('secure-delete', 0)");
        db.execute(&sql, []).unwrap();
    }
    drop(db);
    let mut views = Views::open(&path).unwrap();
    views.erase(&contents).unwrap();
    assert!(!holds_word(folder.path()));
}
