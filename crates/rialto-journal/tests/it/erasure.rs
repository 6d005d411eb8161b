//! Erased contents are gone: from reads, their keys from the raw files, and so from backups.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use rialto_journal::contents::INLINE_BYTES;
use rialto_journal::sqlite::{SqliteJournal, SqliteReader};
use rialto_journal::{
    ContentName, Journal, JournalError, KeysFrom, LogReader, backup, refresh_keys, restore, verify,
};
use rusqlite::Connection;

use crate::{append, append_next, content, hash, marker, name, stage};

/// Every regular file below a folder, with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

/// Whether the bytes are in any file of the folder.
pub(crate) fn holds(folder: &Path, needle: &[u8]) -> bool {
    files(folder)
        .iter()
        .any(|(_, bytes)| bytes.windows(needle.len()).any(|window| window == needle))
}

/// Every marker of [`content`] in a folder's files.
pub(crate) fn markers(folder: &Path) -> BTreeSet<String> {
    let length = marker(1, 1).len();
    let mut found = BTreeSet::new();
    for (_, bytes) in files(folder) {
        let text = String::from_utf8_lossy(&bytes);
        let starts = text.match_indices("<secret-").map(|(at, _)| at);
        found.extend(
            starts
                .filter_map(|at| text.get(at..at + length))
                // Not one that a page's end cuts in two.
                .filter(|found| found.bytes().filter(u8::is_ascii_digit).count() == 9)
                .filter(|found| found.ends_with('>'))
                .map(str::to_owned),
        );
    }
    found
}

/// Sizes around every place that SQLite treats differently: in the row, on one overflow page, on
/// many, in a file.
pub(crate) const SIZES: [usize; 8] = [
    40,
    200,
    900,
    3000,
    5000,
    20_000,
    INLINE_BYTES,
    INLINE_BYTES + 4000,
];

/// The key of a content, from the file.
fn key(folder: &Path, position: u64, ordinal: u16) -> Vec<u8> {
    let id = |conn: Connection| -> i64 {
        let sql = "SELECT key FROM sealed WHERE hash = ?1";
        conn.query_one(sql, [hash(position, ordinal)], |row| row.get(0))
            .unwrap()
    };
    let id = id(Connection::open(folder.join("log.db")).unwrap());
    let keys = Connection::open(folder.join("keys.db")).unwrap();
    let sql = "SELECT key FROM keys WHERE id = ?1";
    keys.query_one(sql, [id], |row| row.get(0)).unwrap()
}

/// Which of some keys are in any file of the folder.
fn found(folder: &Path, keys: &[Vec<u8>]) -> BTreeSet<usize> {
    let starts: HashMap<&[u8], usize> = (0..).zip(keys).map(|(i, key)| (&key[..8], i)).collect();
    let mut found = BTreeSet::new();
    for (_, bytes) in files(folder) {
        for (at, window) in bytes.windows(8).enumerate() {
            if let Some(i) = starts.get(window)
                && bytes[at..].starts_with(&keys[*i])
            {
                found.insert(*i);
            }
        }
    }
    found
}

fn names(position: u64, ordinals: std::ops::Range<u16>) -> Vec<ContentName> {
    ordinals.map(|ordinal| name(position, ordinal)).collect()
}

#[test]
fn no_file_holds_bytes_or_salt_of_any_content() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    append(&mut journal, 1, 1, &SIZES).unwrap();
    for (ordinal, bytes) in (0..).zip(SIZES) {
        let text = content(1, ordinal, bytes);
        assert!(!holds(folder.path(), &text.salt), "{ordinal}");
        assert!(!holds(folder.path(), &text.bytes[..16]), "{ordinal}");
    }
    assert!(markers(folder.path()).is_empty());
}

#[test]
fn erased_keys_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    for position in 1..=6 {
        append(&mut journal, position, 1, &SIZES).unwrap();
    }
    let all = || (1..=6_u64).flat_map(|position| (0..8).map(move |o| (position, o)));
    let keys: Vec<_> = all().map(|(p, o)| key(folder.path(), p, o)).collect();
    assert_eq!(found(folder.path(), &keys).len(), keys.len());
    let mut erased = BTreeSet::new();
    // In three rounds, so that keys beside erased ones are erased later.
    for round in 0..3 {
        let batch: Vec<_> = all()
            .filter(|(position, ordinal)| (position * 5 + u64::from(*ordinal)) % 4 == round)
            .collect();
        let names: Vec<_> = batch.iter().map(|(p, o)| name(*p, *o)).collect();
        assert_eq!(journal.erase(&names).unwrap(), names.len());
        assert_eq!(journal.erase(&names).unwrap(), 0);
        erased.extend(batch);
        let left = all().enumerate().filter(|(_, of)| !erased.contains(of));
        let left: BTreeSet<usize> = left.map(|(i, _)| i).collect();
        assert_eq!(found(folder.path(), &keys), left, "round {round}");
        append_next(&mut journal, 1, &[50]).unwrap();
    }
    let mut reader = journal.reader();
    for (position, ordinal) in all() {
        let expected = content(position, ordinal, SIZES[usize::from(ordinal)]);
        let expected = (!erased.contains(&(position, ordinal))).then_some(expected);
        let found = reader.content(&name(position, ordinal)).unwrap();
        assert_eq!(found, expected, "{position}/{ordinal}");
    }
    let report = verify(&mut *reader, &mut |_, _| {}).unwrap();
    assert_eq!(report.head.position, 9);
}

#[test]
fn erasure_outlives_reopening_and_removes_the_ciphertexts() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    append(&mut journal, 1, 1, &SIZES).unwrap();
    journal.erase(&names(1, 0..8)).unwrap();
    let files = || {
        fs::read_dir(folder.path().join("contents"))
            .unwrap()
            .count()
    };
    assert_eq!(files(), 0);
    let rows: i64 = Connection::open(folder.path().join("log.db"))
        .and_then(|conn| conn.query_one("SELECT count(*) FROM sealed", [], |row| row.get(0)))
        .unwrap();
    assert_eq!(rows, 0);
    drop(journal);
    let journal = SqliteJournal::open(folder.path()).unwrap();
    let found = journal.reader().contents(&names(1, 0..8)).unwrap();
    assert_eq!(found, vec![None; 8]);
}

/// Numbers of keys are never given again, so no later key opens an earlier ciphertext, or fails to.
#[test]
fn a_number_of_a_key_is_given_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 1..=5_u32 {
        let mut journal = SqliteJournal::open(folder.path()).unwrap();
        append(&mut journal, round.into(), 1, &[10, 10]).unwrap();
        let sql = "SELECT min(key), max(key) FROM sealed WHERE frame = ?1";
        let conn = Connection::open(folder.path().join("log.db")).unwrap();
        let (least, most): (i64, i64) = conn
            .query_one(sql, [round], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert!(least > last, "round {round}");
        last = most;
        journal.erase(&names(round.into(), 0..2)).unwrap();
    }
}

#[test]
fn a_crash_between_key_and_ciphertext_is_finished_when_the_log_is_opened() {
    let base = tempfile::tempdir().unwrap();
    let (data, cut) = (base.path().join("data"), base.path().join("cut"));
    let mut journal = SqliteJournal::open(&data).unwrap();
    append(&mut journal, 1, 1, &SIZES).unwrap();
    drop(journal);
    // The log and the files of before, with the keys of after.
    fs::create_dir_all(cut.join("contents")).unwrap();
    fs::copy(data.join("log.db"), cut.join("log.db")).unwrap();
    for file in fs::read_dir(data.join("contents")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), cut.join("contents").join(file.file_name())).unwrap();
    }
    let conn = Connection::open(data.join("keys.db")).unwrap();
    let erased = "UPDATE keys SET key = zeroblob(32) WHERE id <= 8;";
    conn.execute_batch(erased).unwrap();
    let log = Connection::open(data.join("log.db")).unwrap();
    for ordinal in 0..8 {
        let sql = "SELECT key FROM sealed WHERE hash = ?1";
        let id: i64 = log
            .query_one(sql, [hash(1, ordinal)], |row| row.get(0))
            .unwrap();
        conn.execute("INSERT INTO erased VALUES (?1, ?2)", (id, hash(1, ordinal)))
            .unwrap();
    }
    drop((conn, log));
    fs::copy(data.join("keys.db"), cut.join("keys.db")).unwrap();
    // They count as erased before anybody opens the log for writing.
    let found = SqliteReader::open(&cut)
        .unwrap()
        .contents(&names(1, 0..8))
        .unwrap();
    assert_eq!(found, vec![None; 8]);
    let journal = SqliteJournal::open(&cut).unwrap();
    assert_eq!(fs::read_dir(cut.join("contents")).unwrap().count(), 0);
    let conn = Connection::open(cut.join("log.db")).unwrap();
    assert!(
        !conn
            .prepare("SELECT 1 FROM sealed")
            .unwrap()
            .exists([])
            .unwrap()
    );
    drop(conn);
    drop(journal);
    let conn = Connection::open(cut.join("keys.db")).unwrap();
    assert!(
        !conn
            .prepare("SELECT 1 FROM erased")
            .unwrap()
            .exists([])
            .unwrap()
    );
}

#[test]
fn a_folder_without_its_keys_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    append(&mut journal, 1, 1, &[50]).unwrap();
    drop(journal);
    for name in ["keys.db", "keys.db-wal", "keys.db-shm"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    // Facts can be read, contents cannot.
    let mut reader = SqliteReader::open(folder.path()).unwrap();
    assert_eq!(verify(&mut reader, &mut |_, _| {}).unwrap().envelopes, 1);
    assert_eq!(reader.content(&name(1, 0)).unwrap(), None);
    let error = SqliteJournal::open(folder.path()).unwrap_err();
    assert!(matches!(error, JournalError::KeysMissing { .. }), "{error}");
    assert!(!folder.path().join("keys.db").exists());
}

#[test]
fn a_backup_has_what_its_keys_file_opens() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    let mut journal = SqliteJournal::open(&at("data")).unwrap();
    append(&mut journal, 1, 1, &SIZES).unwrap();
    journal.erase(&names(1, 0..1)).unwrap();
    let report = backup(&at("data"), &at("copy"), &mut |_, _| {}).unwrap();
    assert_eq!((report.contents, report.blobs), (7, 1));
    // Later: more is erased, and more is said under keys that were drawn before the backup.
    let keys: Vec<_> = (1..8).map(|o| key(&at("data"), 1, o)).collect();
    journal.erase(&[name(1, 1), name(1, 7)]).unwrap();
    append(&mut journal, 2, 1, &[40]).unwrap();
    assert!(
        !holds(&at("copy"), &key(&at("data"), 2, 0)),
        "a key of later"
    );
    for key in &keys {
        assert!(holds(&at("copy"), key));
    }
    // An old keys file still opens what was erased since; a renewed one does not.
    let readable = |keys: KeysFrom<'_>, to: &str| {
        restore(&at("copy"), &at(to), keys, &mut |_, _| {}).unwrap();
        let journal = SqliteJournal::open(&at(to)).unwrap();
        let found = journal.reader().contents(&names(1, 0..8)).unwrap();
        let ordinals = (0..8).filter(|o| found[*o].is_some());
        ordinals.collect::<Vec<_>>()
    };
    assert_eq!(readable(KeysFrom::Backup, "r1"), [1, 2, 3, 4, 5, 6, 7]);
    fs::copy(at("copy").join("keys.db"), at("apart.db")).unwrap();
    refresh_keys(&at("data"), &at("copy")).unwrap();
    assert_eq!(readable(KeysFrom::Backup, "r2"), [2, 3, 4, 5, 6]);
    assert!(!holds(&at("copy"), &keys[0]) && !holds(&at("r2"), &keys[6]));
    let apart = at("apart.db");
    assert_eq!(
        readable(KeysFrom::File(&apart), "r3"),
        [1, 2, 3, 4, 5, 6, 7]
    );

    fs::remove_file(at("copy").join("keys.db")).unwrap();
    let error = restore(&at("copy"), &at("r4"), KeysFrom::Backup, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, JournalError::KeysMissing { .. }), "{error}");
    assert!(!at("r4").exists());
    assert_eq!(readable(KeysFrom::Nowhere, "r5"), [0; 0]);
    // Such a realm goes on, with contents of its own.
    let mut journal = SqliteJournal::open(&at("r5")).unwrap();
    append(&mut journal, 2, 1, &[40]).unwrap();
    let found = journal.reader().content(&name(2, 0)).unwrap();
    assert_eq!(found, Some(content(2, 0, 40)));
}

/// What they lack would look as if it had been erased.
#[test]
fn keys_from_before_the_backup_are_refused() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    let mut journal = SqliteJournal::open(&at("data")).unwrap();
    for (position, copy) in [(1, "early"), (2, "late")] {
        append(&mut journal, position, 1, &[50]).unwrap();
        backup(&at("data"), &at(copy), &mut |_, _| {}).unwrap();
    }
    let with = |backup: &str, keys: &str, to: &str| {
        let keys = at(keys).join("keys.db");
        let keys = KeysFrom::File(&keys);
        restore(&at(backup), &at(to), keys, &mut |_, _| {})
    };
    let error = with("late", "early", "one").unwrap_err();
    assert!(matches!(error, JournalError::KeysOther { .. }), "{error}");
    assert_eq!(with("early", "late", "two").unwrap().contents, 1);
}

#[test]
fn keys_of_another_realm_are_refused() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    for name in ["one", "two"] {
        let mut journal = SqliteJournal::open(&at(name)).unwrap();
        append(&mut journal, 1, 1, &[50]).unwrap();
        backup(&at(name), &at(&format!("{name}-copy")), &mut |_, _| {}).unwrap();
    }
    let keys = at("two-copy").join("keys.db");
    let restored = restore(
        &at("one-copy"),
        &at("back"),
        KeysFrom::File(&keys),
        &mut |_, _| {},
    );
    let error = restored.unwrap_err();
    assert!(matches!(error, JournalError::KeysOther { .. }), "{error}");
    assert!(!at("back").exists());
}

#[test]
fn what_is_staged_while_a_backup_runs_is_no_part_of_it() {
    let base = tempfile::tempdir().unwrap();
    let (data, copy) = (base.path().join("data"), base.path().join("copy"));
    let mut journal = SqliteJournal::open(&data).unwrap();
    append(&mut journal, 1, 1, &[50]).unwrap();
    let staged = stage(&journal, 2, 0, INLINE_BYTES + 1).unwrap();
    let report = backup(&data, &copy, &mut |_, _| {}).unwrap();
    assert_eq!((report.contents, report.blobs), (1, 0));
    assert_eq!(fs::read_dir(copy.join("contents")).unwrap().count(), 0);
    drop(staged);
}
