//! Data folders that are foreign, newer, damaged, in use, or only to be read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rialto_journal::contents::INLINE_BYTES;
use rialto_journal::sqlite::{SqliteJournal, SqliteReader};
use rialto_journal::{Journal, JournalError, LogReader, verify};
use rusqlite::Connection;

use crate::{append, content, envelope, name};

fn filled(folder: &Path) -> SqliteJournal {
    let mut journal = SqliteJournal::open(folder).unwrap();
    for first in [1, 4, 7, 10] {
        append(&mut journal, first, 3, &[50, INLINE_BYTES + 1]).unwrap();
    }
    journal
}

/// Both ways to open a folder; the error of each.
fn open_errors(folder: &Path) -> [JournalError; 2] {
    [
        SqliteJournal::open(folder).unwrap_err(),
        SqliteReader::open(folder).unwrap_err(),
    ]
}

#[test]
fn foreign_and_newer_files_are_told_apart() {
    let cases = [
        (
            "an empty folder",
            "CREATE TABLE t (a)",
            "was not written by Rialto",
        ),
        (
            "an empty folder",
            "PRAGMA application_id = 7; CREATE TABLE t (a)",
            "was not written by Rialto",
        ),
        (
            "a log",
            "PRAGMA application_id = 7",
            "was not written by Rialto",
        ),
        (
            "a log",
            "PRAGMA user_version = 0",
            "was not written by Rialto",
        ),
        ("a log", "PRAGMA user_version = 9", "format version 9"),
    ];
    for (start, sql, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        if start == "a log" {
            drop(filled(folder.path()));
        }
        Connection::open(folder.path().join("log.db"))
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        for error in open_errors(folder.path()) {
            assert!(
                error.to_string().contains(expected),
                "{start}, {sql}: {error}"
            );
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("log.db"), "dear diary ".repeat(100)).unwrap();
    for error in open_errors(folder.path()) {
        assert!(matches!(error, JournalError::Foreign { .. }), "{error}");
    }
}

#[test]
fn newer_frame_is_told_apart_from_damage() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    let conn = Connection::open(folder.path().join("log.db")).unwrap();
    conn.execute_batch("UPDATE frames SET facts = CAST(substr(facts, 1, 8) || x'02000000' || substr(facts, 13) AS BLOB) WHERE first = 10").unwrap();
    drop(conn);
    let error = SqliteJournal::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, JournalError::NewerVersion { found: 2, .. }),
        "{error}"
    );
}

#[test]
fn second_writer_is_refused_until_the_first_ends() {
    let folder = tempfile::tempdir().unwrap();
    let journal = filled(folder.path());
    let error = SqliteJournal::open(folder.path()).unwrap_err();
    assert!(matches!(error, JournalError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("log.lock"));
    drop(journal);
    SqliteJournal::open(folder.path()).unwrap();
}

#[test]
fn reader_of_nothing_says_so_and_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let error = SqliteReader::open(&folder.path().join("absent")).unwrap_err();
    assert!(matches!(error, JournalError::NotFound { .. }), "{error}");
    let error = SqliteReader::open(folder.path()).unwrap_err();
    assert!(matches!(error, JournalError::NotFound { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Names and bytes of a folder, but for the bytes of SQLite's shared-memory index.
fn listing(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let bytes = if name.ends_with("-shm") {
                Vec::new()
            } else {
                fs::read(path).unwrap()
            };
            (name, bytes)
        })
        .collect()
}

fn read_everything(folder: &Path) {
    let mut reader = SqliteReader::open(folder).unwrap();
    assert_eq!(verify(&mut reader, &mut |_, _| {}).unwrap().envelopes, 12);
    for first in [1, 4, 7, 10] {
        for (ordinal, bytes) in [(0, 50), (1, INLINE_BYTES + 1)] {
            let expected = content(first, ordinal, bytes);
            let found = reader.content(&name(first, ordinal)).unwrap();
            assert_eq!(found, Some(expected));
        }
    }
}

#[test]
fn reading_changes_no_file_whether_the_log_is_open_closed_crashed_or_copied() {
    let base = tempfile::tempdir().unwrap();
    let copy = |from: &Path, name: &str, skip: &str| {
        let to = base.path().join(name);
        fs::create_dir_all(to.join("contents")).unwrap();
        for folder in ["", "contents"] {
            for entry in fs::read_dir(from.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() && (skip.is_empty() || !path.to_str().unwrap().ends_with(skip)) {
                    fs::copy(&path, to.join(folder).join(path.file_name().unwrap())).unwrap();
                }
            }
        }
        to
    };
    let open = base.path().join("open");
    let journal = filled(&open);
    let crashed = copy(&open, "crashed", "");
    let unfinished = copy(&open, "unfinished", "-shm");
    let closed = base.path().join("closed");
    drop(filled(&closed));
    let bare = copy(&closed, "ba re?#%", "-shm");
    fs::remove_file(bare.join("log.db-wal")).unwrap();
    for folder in [&open, &crashed, &closed, &bare] {
        let before = listing(folder);
        read_everything(folder);
        assert!(listing(folder) == before, "{} changed", folder.display());
    }
    let before = listing(&unfinished);
    let error = SqliteReader::open(&unfinished).unwrap_err();
    assert!(
        matches!(error, JournalError::NeedsRecovery { .. }),
        "{error}"
    );
    assert!(listing(&unfinished) == before);
    drop(journal);
    // The server's own opening recovers it.
    assert_eq!(
        SqliteJournal::open(&unfinished).unwrap().head().position,
        12
    );
    read_everything(&unfinished);
}

#[test]
fn files_without_a_row_are_collected_and_missing_ones_reported() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    let files = folder.path().join("contents");
    let of = |hash: [u8; 32]| -> String { hash.iter().map(|byte| format!("{byte:02x}")).collect() };
    let wanted = name(4, 1);
    let stray = files.join(format!("{}-{:016x}", of(name(99, 0).hash), 5));
    fs::write(&stray, "left by a crash").unwrap();
    fs::write(files.join("README"), "not a content").unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    assert!(!stray.exists() && files.join("README").exists());
    let mut reader = journal.reader();
    let expected = content(4, 1, INLINE_BYTES + 1);
    assert_eq!(reader.content(&wanted).unwrap(), Some(expected));

    let mut paths = fs::read_dir(&files).unwrap().map(|e| e.unwrap().path());
    let is_wanted = |path: &PathBuf| path.to_str().unwrap().contains(&of(wanted.hash));
    let path = paths.find(is_wanted).unwrap();
    let sealed = fs::read(&path).unwrap();
    let mut other = sealed.clone();
    other[1000] ^= 1;
    let damages = [
        (&b"short"[..], "wrong length"),
        (&other, "does not open with its key"),
    ];
    for (bytes, expected) in damages {
        fs::write(&path, bytes).unwrap();
        let error = reader.content(&wanted).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    fs::remove_file(&path).unwrap();
    let error = reader.content(&wanted).unwrap_err();
    assert!(
        matches!(&error, JournalError::Corrupt { position: 4, what } if what.contains("missing")),
        "{error}"
    );
}

#[test]
fn missing_and_exchanged_frames_are_found() {
    let cases = [
        ("DELETE FROM frames WHERE first = 4", 4),
        ("DELETE FROM frames WHERE first = 1", 1),
        (
            "UPDATE frames SET facts = (SELECT facts FROM frames WHERE first = 1) WHERE first = 4",
            4,
        ),
        ("UPDATE frames SET last = 8 WHERE first = 7", 7),
        ("UPDATE frames SET facts = zeroblob(10) WHERE first = 7", 7),
    ];
    for (sql, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        drop(filled(folder.path()));
        Connection::open(folder.path().join("log.db"))
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        let mut reader = SqliteReader::open(folder.path()).unwrap();
        match verify(&mut reader, &mut |_, _| {}).unwrap_err() {
            JournalError::Corrupt { position, .. } => assert_eq!(position, expected, "{sql}"),
            error => panic!("{sql}: {error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Wherever the power is cut while the write-ahead file is written: a whole, earlier log.
    #[test]
    fn cut_write_ahead_file_gives_a_prefix_of_whole_frames(at: prop::sample::Index) {
        let base = tempfile::tempdir().unwrap();
        let (live, cut) = (base.path().join("live"), base.path().join("cut"));
        fs::create_dir(&cut).unwrap();
        let journal = filled(&live);
        for name in ["log.db", "keys.db", "keys.db-wal"] {
            fs::copy(live.join(name), cut.join(name)).unwrap();
        }
        let wal = fs::read(live.join("log.db-wal")).unwrap();
        fs::write(cut.join("log.db-wal"), &wal[..at.index(wal.len() + 1)]).unwrap();
        drop(journal);

        let journal = SqliteJournal::open(&cut).unwrap();
        prop_assert!([0, 3, 6, 9, 12].contains(&journal.head().position));
        prop_assert_eq!(verify(&mut *journal.reader(), &mut |_, _| {}).unwrap().head, journal.head());
    }

    /// Whatever byte of the log file goes bad: an error, or the very facts that were written.
    #[test]
    fn damaged_files_never_give_wrong_facts(at: prop::sample::Index, mask in 1..=255_u8, cut: bool) {
        let folder = tempfile::tempdir().unwrap();
        drop(filled(folder.path()));
        let path = folder.path().join("log.db");
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        if cut {
            bytes.truncate(at);
        }
        fs::write(&path, bytes).unwrap();
        let frames = SqliteReader::open(folder.path()).and_then(|mut reader| {
            verify(&mut reader, &mut |_, _| {})?;
            reader.read_from(1, usize::MAX)
        });
        if let Ok(frames) = frames {
            let read: Vec<_> = frames.into_iter().flat_map(|frame| frame.envelopes).collect();
            let written: Vec<_> = (1..=12).map(envelope).collect();
            prop_assert!(written.starts_with(&read));
        }
        // Neither may opening it for writing panic.
        let _ = SqliteJournal::open(folder.path());
    }
}

/// What version 2 had instead: an index of texts by their hashes alone.
const VERSION_2: &str = "
CREATE INDEX sealed_names ON sealed (name);
DROP INDEX sealed_places;
PRAGMA user_version = 2;
";

#[test]
fn a_log_of_version_2_is_read_as_it_is_and_gets_its_new_index_from_the_next_writer() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    let log = || Connection::open(folder.path().join("log.db")).unwrap();
    log().execute_batch(VERSION_2).unwrap();
    let names: Vec<_> = [1, 4, 7, 10]
        .into_iter()
        .flat_map(|first| [name(first, 0), name(first, 1)])
        .collect();
    let expected: Vec<_> = [1, 4, 7, 10]
        .into_iter()
        .flat_map(|first| [content(first, 0, 50), content(first, 1, INLINE_BYTES + 1)])
        .map(Some)
        .collect();
    let mut beside = SqliteReader::open(folder.path()).unwrap();
    assert_eq!(beside.contents(&names).unwrap(), expected);

    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(journal.reader().contents(&names).unwrap(), expected);
    // A reader from before goes on.
    assert_eq!(beside.contents(&names).unwrap(), expected);
    let indices = "SELECT group_concat(name) FROM sqlite_schema WHERE type = 'index'";
    let indices: String = log().query_one(indices, [], |row| row.get(0)).unwrap();
    assert_eq!(indices, "sealed_places");
    let version = "PRAGMA user_version";
    let version: u32 = log().query_one(version, [], |row| row.get(0)).unwrap();
    assert_eq!(version, 3);

    assert_eq!(journal.erase(&names[..2]).unwrap(), 2);
    append(&mut journal, 13, 1, &[50]).unwrap();
    let mut reader = journal.reader();
    assert_eq!(reader.contents(&names[..2]).unwrap(), vec![None, None]);
    assert_eq!(reader.contents(&names[2..]).unwrap(), expected[2..]);
    assert_eq!(
        reader.content(&name(13, 0)).unwrap(),
        Some(content(13, 0, 50))
    );
}

#[test]
fn a_text_is_found_at_its_own_position_only() {
    let folder = tempfile::tempdir().unwrap();
    let journal = filled(folder.path());
    let mut reader = journal.reader();
    let here = name(4, 0);
    assert!(reader.content(&here).unwrap().is_some());
    for elsewhere in [1, 7, 10, 100] {
        let id = name(elsewhere, 0).id;
        let other = rialto_journal::ContentName { id, ..here };
        assert_eq!(reader.content(&other).unwrap(), None, "{elsewhere}");
    }
}
