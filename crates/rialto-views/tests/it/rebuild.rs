//! Deleting the file loses nothing.

use std::path::Path;

use rialto_views::{Error, Scope, Views};
use rusqlite::Connection;
use serde_json::json;

use crate::realm::Day;

/// Every row of every table but those inside the full-text indexes, and every term of these.
pub(crate) fn dump(path: &Path) -> Vec<String> {
    let db = Connection::open(path).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%fts%' ORDER BY name";
    let names = db
        .prepare(sql)
        .unwrap()
        .query_map([], |r| r.get(0))
        .unwrap()
        .collect::<Result<Vec<String>, _>>();
    let mut tables: Vec<String> = names.unwrap();
    for index in ["message", "listing", "agent", "post"] {
        db.execute_batch(&format!(
            "CREATE VIRTUAL TABLE temp.{index}_terms USING fts5vocab(main, {index}_fts, instance)"
        ))
        .unwrap();
        tables.push(format!("temp.{index}_terms"));
    }
    let mut rows = Vec::new();
    for table in tables {
        let mut query = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = query.column_count();
        let found = query.query_map([], |r| {
            let values: Vec<String> = (0..columns)
                .map(|c| format!("{:?}", r.get_ref(c).unwrap()))
                .collect();
            Ok(format!("{table} {}", values.join("|")))
        });
        rows.extend(found.unwrap().map(Result::unwrap));
    }
    rows.sort();
    rows
}

#[test]
fn from_scratch_equals_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one.db"), folder.path().join("other.db"));
    let mut day = Day::new().trade();
    let text = day
        .realm
        .log
        .iter()
        .find(|i| !i.contents.is_empty())
        .unwrap()
        .contents[0]
        .0;
    day.realm
        .operator("realm.erase", json!({ "contents": [text] }));
    let mut views = Views::open(&one).unwrap();
    for indexed in &day.realm.log {
        views.apply(std::slice::from_ref(indexed)).unwrap();
    }
    // The log no longer has what was erased when it is read again.
    for indexed in &mut day.realm.log {
        indexed.contents.retain(|(id, _)| *id != text);
    }
    let mut rebuilt = Views::open(&other).unwrap();
    assert_eq!(
        rebuilt.apply(&day.realm.log).unwrap(),
        day.realm.state.position()
    );
    drop((views, rebuilt));
    let (one, other) = (dump(&one), dump(&other));
    assert!(one.len() > 100);
    assert_eq!(one, other);
}

#[test]
fn what_was_fed_is_skipped_and_a_gap_is_refused() {
    let day = Day::new();
    let mut views = Views::in_memory().unwrap();
    views.apply(&day.realm.log[..5]).unwrap();
    assert_eq!(views.apply(&day.realm.log[2..7]).unwrap(), 7);
    let refused = views.apply(&day.realm.log[8..]);
    assert!(matches!(
        refused,
        Err(Error::Gap {
            expected: 8,
            got: 9
        })
    ));
    assert_eq!(
        (views.position(), views.reader().position().unwrap()),
        (7, 7)
    );
}

#[test]
fn a_file_that_is_no_use_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("views.db");
    let day = Day::new();
    for spoil in ["nothing", "noise", "another version", "another program"] {
        match spoil {
            "noise" => {
                std::fs::write(&path, "this is no database, whatever its name".repeat(999))
                    .unwrap();
            }
            "another version" => Connection::open(&path)
                .unwrap()
                .execute_batch("PRAGMA user_version = 99")
                .unwrap(),
            "another program" => {
                std::fs::remove_file(&path).unwrap();
                Connection::open(&path)
                    .unwrap()
                    .execute_batch("CREATE TABLE cats(name)")
                    .unwrap();
            }
            _ => {}
        }
        let mut views = Views::open(&path).expect(spoil);
        assert_eq!(views.position(), 0, "{spoil}");
        views.apply(&day.realm.log).unwrap();
        drop(views);
        let again = Views::open(&path).unwrap();
        assert_eq!(again.position(), day.realm.state.position(), "{spoil}");
        assert_eq!(
            again
                .reader()
                .agents(&Default::default(), &Default::default())
                .unwrap()
                .items
                .len(),
            3
        );
    }
}

#[test]
fn readers_on_many_threads_see_whole_batches() {
    let folder = tempfile::tempdir().unwrap();
    let mut day = Day::new().trade();
    let mut views = Views::open(&folder.path().join("views.db")).unwrap();
    let reader = views.reader();
    std::thread::scope(|threads| {
        for _ in 0..8 {
            let reader = reader.clone();
            threads.spawn(move || {
                for _ in 0..50 {
                    for balance in reader.trial_balance().unwrap() {
                        assert_eq!(balance.sum, "0.00");
                    }
                    reader.accounts_report(Scope::Realm, &[], None).unwrap();
                }
            });
        }
        day.realm.feed(&mut views);
    });
    assert_eq!(reader.position().unwrap(), day.realm.state.position());
}
