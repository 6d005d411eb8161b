//! Each domain stands alone: dropped and folded again from the log, it comes to the same rows, wherever the
//! others stand, and they go on meanwhile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rialto_core::event::Envelope;
use rialto_core::fact::Fact;
use rialto_views::{Error, Indexed, Scope, Views};
use rialto_wire::body::Body;
use rusqlite::Connection;

use crate::realm::Day;
use crate::rebuild::dump;

/// The golden logs of the core, each text with words of its own, and a day of trade.
fn logs() -> Vec<(String, Vec<Indexed>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../rialto-core/tests/golden");
    let mut logs = vec![("a day".to_owned(), Day::new().trade().realm.log)];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "log") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            logs.push((name, golden(&path)));
        }
    }
    assert!(logs.len() > 10);
    logs
}

fn golden(path: &Path) -> Vec<Indexed> {
    let stored = std::fs::read(path).unwrap();
    let (mut rest, mut log) = (stored.as_slice(), Vec::new());
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let (bytes, after) = after.split_at(u32::from_le_bytes(*len) as usize);
        let envelope = Envelope::decode(bytes).unwrap();
        let mut contents = Vec::new();
        for event in &envelope.events {
            event.texts(&mut |text, _| {
                let body = Body::text(format!("words of {} and more", text.id));
                contents.push((text.id, body.to_bytes().unwrap()));
            });
        }
        log.push(Indexed { envelope, contents });
        rest = after;
    }
    log
}

fn built(path: &Path, log: &[Indexed]) {
    let mut views = Views::open(path).unwrap();
    for batch in log.chunks(16) {
        views.apply(batch).unwrap();
    }
    while views.roll_up().unwrap() {}
}

/// The names of the domains of a file.
fn domains(path: &Path) -> Vec<String> {
    let db = Connection::open(path).unwrap();
    let mut query = db.prepare("SELECT name FROM domain").unwrap();
    let names = query.query_map([], |r| r.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

/// Makes a file one that was written when a domain had another version.
fn outdate(path: &Path, domain: &str) {
    let db = Connection::open(path).unwrap();
    let sql = "UPDATE domain SET version = 0 WHERE name = ?";
    assert_eq!(db.execute(sql, [domain]).unwrap(), 1);
}

/// Reads some of the log again, as a rebuilding needs it. Returns whether there was something to do.
fn some_again(views: &mut Views, log: &[Indexed]) -> bool {
    let Some(from) = views.rebuilds_from() else {
        return false;
    };
    let from = usize::try_from(from).unwrap() - 1;
    views.rebuild(&log[from..log.len().min(from + 23)]).unwrap();
    true
}

#[test]
fn a_domain_that_is_rebuilt_alone_comes_to_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    for (name, log) in logs() {
        let path = folder.path().join(format!("{name}.db"));
        built(&path, &log);
        let before = dump(&path);
        for domain in domains(&path) {
            outdate(&path, &domain);
            let mut views = Views::open(&path).unwrap();
            let behind: Vec<&str> = views.rebuilding().iter().map(|b| b.domain).collect();
            match domain.as_str() {
                // Its rows are what the sums are of.
                "trade" => assert_eq!(behind, ["trade", "by_side", "by_partner"]),
                alone => assert_eq!(behind, [alone]),
            }
            assert_eq!(
                views.position(),
                log.len() as u64,
                "the others stand at the head"
            );
            while some_again(&mut views, &log) {}
            while views.roll_up().unwrap() {}
            assert!(views.rebuilding().is_empty());
            drop(views);
            let after = dump(&path);
            let only = |a: &[String], b: &[String]| -> Vec<String> {
                let b: BTreeSet<_> = b.iter().collect();
                a.iter().filter(|row| !b.contains(row)).cloned().collect()
            };
            assert!(
                before == after,
                "{name}, {domain}: lost {:#?}, gained {:#?}",
                only(&before, &after),
                only(&after, &before)
            );
        }
    }
}

#[test]
fn the_others_take_in_new_envelopes_while_one_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let varied = ["a day", "deals", "square", "texts"];
    for (name, log) in logs()
        .into_iter()
        .filter(|(name, _)| varied.contains(&name.as_str()))
    {
        let whole = folder.path().join(format!("{name}.db"));
        built(&whole, &log);
        let before = dump(&whole);
        for domain in domains(&whole) {
            let path = folder.path().join(format!("{name}-{domain}.db"));
            let (old, new) = log.split_at(log.len() / 2);
            built(&path, old);
            outdate(&path, &domain);
            let mut views = Views::open(&path).unwrap();
            let mut new = new.chunks(11);
            loop {
                if views.waits() {
                    let refused = views.apply(&log);
                    assert!(matches!(refused, Err(Error::Rebuilding(_))), "{domain}");
                } else if let Some(batch) = new.next() {
                    views.apply(batch).unwrap();
                } else if views.rebuilding().is_empty() {
                    break;
                }
                some_again(&mut views, &log);
            }
            while views.roll_up().unwrap() {}
            assert_eq!(views.position(), log.len() as u64);
            drop(views);
            assert!(before == dump(&path), "{name}, {domain}");
        }
    }
}

#[test]
fn what_reads_a_domain_is_refused_until_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("views.db");
    let log = Day::new().trade().realm.log;
    built(&path, &log);
    outdate(&path, "square");
    let mut views = Views::open(&path).unwrap();
    let reader = views.reader();
    let posts = |reader: &rialto_views::ViewReader| reader.communities(&Default::default());
    views.rebuild(&log[..9]).unwrap();
    let Err(Error::Rebuilding(behind)) = posts(&reader) else {
        panic!("communities are of the square");
    };
    assert_eq!(
        (behind[0].domain, behind[0].position, behind[0].of),
        ("square", 9, log.len() as u64)
    );
    assert_eq!(behind, reader.rebuilding());
    let rows = reader
        .accounts_report(Scope::Realm, &[], None)
        .unwrap()
        .rows;
    assert_eq!(rows.len(), 1, "the others serve");
    while some_again(&mut views, &log) {}
    assert!(posts(&reader).is_ok() && reader.rebuilding().is_empty());
}

#[test]
fn a_rebuilding_goes_on_where_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("views.db");
    let log = Day::new().trade().realm.log;
    built(&path, &log);
    let before = dump(&path);
    outdate(&path, "mail");
    Views::open(&path).unwrap().rebuild(&log[..9]).unwrap();
    outdate(&path, "work");
    let mut views = Views::open(&path).unwrap();
    let stand = |views: &Views| -> Vec<(&str, u64)> {
        views
            .rebuilding()
            .iter()
            .map(|b| (b.domain, b.position))
            .collect()
    };
    assert_eq!(stand(&views), [("mail", 9), ("work", 0)]);
    views.rebuild(&log).unwrap();
    assert_eq!(
        stand(&views),
        [("mail", 9), ("work", 9)],
        "then both together"
    );
    while some_again(&mut views, &log) {}
    drop(views);
    assert_eq!(before, dump(&path));
}

#[test]
fn each_table_is_of_one_domain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("views.db");
    drop(Views::open(&path).unwrap());
    let db = Connection::open(&path).unwrap();
    let names = |sql: &str| -> BTreeSet<String> {
        let mut query = db.prepare(sql).unwrap();
        let names = query.query_map([], |r| r.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    };
    let tables = names(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
         AND name NOT IN ('meta', 'domain', 'owned')",
    );
    assert_eq!(tables, names("SELECT name FROM owned"));
    assert_eq!(
        names("SELECT name FROM domain"),
        names("SELECT DISTINCT domain FROM owned")
    );
}
