//! Folders of the first format, whose contents are kept by position and in the clear: they open, and
//! are read, copied and erased where they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rialto_journal::contents::INLINE_BYTES;
use rialto_journal::sqlite::{SqliteJournal, SqliteReader};
use rialto_journal::{
    Content, ContentName, Head, Journal, JournalError, KeysFrom, LogReader, backup, refresh_keys,
    restore, verify,
};
use rusqlite::Connection;

use crate::erasure::{SIZES, holds, markers};
use crate::{append, append_next, content, marker, name};

/// What the first format wrote, word for word.
const FIRST_FORMAT: &str = "
CREATE TABLE contents (
    id INTEGER PRIMARY KEY, erased INTEGER NOT NULL, salt BLOB NOT NULL, bytes BLOB, blob_bytes INTEGER
) STRICT;
CREATE INDEX erasures ON contents (id) WHERE erased = 1;
DROP TABLE sealed;
PRAGMA user_version = 1;
VACUUM;
";

/// A folder as the first format left it: frames of one envelope, each with contents of these sizes.
fn filled(folder: &Path, frames: u64, sizes: &dyn Fn(u64) -> Vec<usize>) -> Head {
    let mut journal = SqliteJournal::open(folder).unwrap();
    for _ in 0..frames {
        append_next(&mut journal, 1, &[]).unwrap();
    }
    let head = journal.head();
    drop(journal);
    let conn = Connection::open(folder.join("log.db")).unwrap();
    conn.execute_batch(FIRST_FORMAT).unwrap();
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON;")
        .unwrap();
    fs::create_dir(folder.join("blobs")).unwrap();
    for position in 1..=frames {
        conn.execute_batch("BEGIN").unwrap();
        for (ordinal, size) in (0..).zip(sizes(position)) {
            let Content { id, salt, bytes } = content(position, ordinal, size);
            let (inline, blob) = match size > INLINE_BYTES {
                false => (Some(bytes), None),
                true => {
                    let path = folder.join("blobs").join(format!("{id:016x}"));
                    fs::write(path, bytes).unwrap();
                    (None, Some(size as i64))
                }
            };
            let sql = "INSERT INTO contents VALUES (?1, 0, ?2, ?3, ?4)";
            conn.execute(sql, (id as i64, salt, inline, blob)).unwrap();
        }
        conn.execute_batch("COMMIT").unwrap();
    }
    drop(conn);
    for gone in [
        "keys.db",
        "keys.db-wal",
        "keys.db-shm",
        "log.db-wal",
        "log.db-shm",
    ] {
        let _ = fs::remove_file(folder.join(gone));
    }
    fs::remove_dir(folder.join("contents")).unwrap();
    head
}

fn all(frames: u64) -> impl Iterator<Item = (u64, u16, usize)> {
    (1..=frames).flat_map(|position| (0..).zip(SIZES).map(move |(o, size)| (position, o, size)))
}

fn assert_reads(reader: &mut dyn LogReader, frames: u64) {
    for (position, ordinal, size) in all(frames) {
        let found = reader.content(&name(position, ordinal)).unwrap();
        assert_eq!(found, Some(content(position, ordinal, size)));
    }
}

#[test]
fn they_are_read_before_and_after_they_are_opened_and_go_on_with_the_new_format() {
    let folder = tempfile::tempdir().unwrap();
    let head = filled(folder.path(), 3, &|_| SIZES.to_vec());
    let mut reader = SqliteReader::open(folder.path()).unwrap();
    assert_reads(&mut reader, 3);
    assert_eq!(verify(&mut reader, &mut |_, _| {}).unwrap().head, head);
    drop(reader);

    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(journal.head(), head);
    append(&mut journal, 4, 1, &SIZES).unwrap();
    let mut reader = journal.reader();
    assert_reads(&mut *reader, 4);
    drop(journal);
    let journal = SqliteJournal::open(folder.path()).unwrap();
    assert_reads(&mut *journal.reader(), 4);
    for (ordinal, size) in (0..).zip(SIZES) {
        let (old, new) = (marker(3, ordinal), marker(4, ordinal));
        assert!(holds(folder.path(), old.as_bytes()), "{size}");
        assert!(!holds(folder.path(), new.as_bytes()), "{size}");
    }
}

#[test]
fn backups_of_them_are_restored_whatever_wrote_them() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    filled(&at("data"), 3, &|_| SIZES.to_vec());
    // The folder itself is what the first format's own backup looked like.
    let report = restore(&at("data"), &at("old"), KeysFrom::Backup, &mut |_, _| {}).unwrap();
    assert_eq!((report.contents, report.blobs), (24, 3));
    assert_reads(&mut SqliteReader::open(&at("old")).unwrap(), 3);

    let mut journal = SqliteJournal::open(&at("data")).unwrap();
    append(&mut journal, 4, 1, &SIZES).unwrap();
    journal
        .erase(&[name(1, 0), name(1, 7), name(4, 0)])
        .unwrap();
    let report = backup(&at("data"), &at("copy"), &mut |_, _| {}).unwrap();
    assert_eq!((report.contents, report.blobs), (29, 3));
    let again = restore(&at("copy"), &at("again"), KeysFrom::Backup, &mut |_, _| {});
    assert_eq!(again.unwrap(), report);
    let mut reader = SqliteReader::open(&at("again")).unwrap();
    for (position, ordinal, size) in all(4) {
        let gone = [(1, 0), (1, 7), (4, 0)].contains(&(position, ordinal));
        let expected = (!gone).then(|| content(position, ordinal, size));
        assert_eq!(reader.content(&name(position, ordinal)).unwrap(), expected);
    }
    refresh_keys(&at("data"), &at("copy")).unwrap();
    refresh_keys(&at("data"), &at("old")).unwrap();
    SqliteJournal::open(&at("again")).unwrap();
}

#[test]
fn erased_bytes_and_salt_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 16, &|_| SIZES.to_vec());
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    let mut erased: BTreeSet<(u64, u16)> = BTreeSet::new();
    // In three rounds, so that rows beside erased ones are erased later.
    for round in 0..3 {
        let batch: Vec<_> = all(16)
            .map(|(position, ordinal, _)| (position, ordinal))
            .filter(|(position, ordinal)| (position * 5 + u64::from(*ordinal)) % 4 == round)
            .collect();
        let names: Vec<ContentName> = batch.iter().map(|(p, o)| name(*p, *o)).collect();
        assert_eq!(journal.erase(&names).unwrap(), names.len());
        assert_eq!(journal.erase(&names).unwrap(), 0);
        let left = markers(folder.path());
        let log = fs::read(folder.path().join("log.db")).unwrap();
        let log = String::from_utf8_lossy(&log);
        for (position, ordinal) in batch {
            let salt = content(position, ordinal, 0).salt;
            let bytes = marker(position, ordinal);
            assert!(!left.contains(&bytes), "bytes of {position}/{ordinal}");
            let salt = str::from_utf8(&salt).unwrap();
            assert!(!log.contains(salt), "salt of {position}/{ordinal}");
            erased.insert((position, ordinal));
        }
        append_next(&mut journal, 1, &[]).unwrap();
    }
    let mut reader = journal.reader();
    for (position, ordinal, size) in all(16) {
        let gone = erased.contains(&(position, ordinal));
        let expected = (!gone).then(|| content(position, ordinal, size));
        assert_eq!(reader.content(&name(position, ordinal)).unwrap(), expected);
    }
    let head = verify(&mut *reader, &mut |_, _| {}).unwrap().head;
    assert_eq!(head.position, 19);
}

/// Many small rows share a page, erased a few at a time: what moves within or between pages may
/// leave no copy.
#[test]
fn rows_that_share_a_page_leave_no_copy_behind() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = |position: u64| {
        let some = position as usize;
        vec![60, 90 + some % 700, 300, 1400, 30 + some]
    };
    filled(folder.path(), 200, &sizes);
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    let mut erased = Vec::new();
    for round in 0..10_u64 {
        let batch: Vec<_> = (1..=200_u64)
            .flat_map(|position| (0..5).map(move |ordinal| (position, ordinal)))
            .filter(|(position, ordinal)| (position * 7 + u64::from(*ordinal) * 3) % 11 == round)
            .collect();
        let names: Vec<_> = batch.iter().map(|(p, o)| name(*p, *o)).collect();
        assert_eq!(journal.erase(&names).unwrap(), names.len());
        erased.extend(batch);
        let left = markers(folder.path());
        for (position, ordinal) in &erased {
            assert!(
                !left.contains(&marker(*position, *ordinal)),
                "round {round}: {position}/{ordinal}"
            );
        }
        assert_eq!(left.len() + erased.len(), 1000, "nothing else is gone");
        let wal = fs::metadata(folder.path().join("log.db-wal")).unwrap();
        assert_eq!(wal.len(), 0);
    }
}

#[test]
fn stray_and_missing_blobs_are_found() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 2, &|_| SIZES.to_vec());
    let blobs = folder.path().join("blobs");
    let stray = blobs.join(format!("{:016x}", name(99, 0).id));
    let staged = blobs.join("staged-0123");
    for path in [&stray, &staged, &blobs.join("README")] {
        fs::write(path, "x").unwrap();
    }
    let journal = SqliteJournal::open(folder.path()).unwrap();
    assert!(!stray.exists() && !staged.exists() && blobs.join("README").exists());
    let path = blobs.join(format!("{:016x}", name(2, 7).id));
    let mut reader = journal.reader();
    fs::write(&path, "short").unwrap();
    let error = reader.content(&name(2, 7)).unwrap_err();
    assert!(error.to_string().contains("wrong length"), "{error}");
    fs::remove_file(&path).unwrap();
    let error = reader.content(&name(2, 7)).unwrap_err();
    assert!(
        matches!(&error, JournalError::Corrupt { position: 2, what } if what.contains("missing")),
        "{error}"
    );
}
