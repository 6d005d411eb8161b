//! Backup beside a running writer, and restore.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use rialto_journal::contents::INLINE_BYTES;
use rialto_journal::sqlite::{SqliteJournal, SqliteReader};
use rialto_journal::{Journal, JournalError, KeysFrom, LogReader, backup, restore, verify};
use rusqlite::Connection;

use crate::{append, append_next, content, name};

const SIZES: [usize; 2] = [300, INLINE_BYTES + 9];

#[test]
fn backup_beside_a_writer_restores_to_a_prefix_of_its_log() {
    let base = tempfile::tempdir().unwrap();
    let (data, copy, restored) = (
        base.path().join("a"),
        base.path().join("b"),
        base.path().join("c"),
    );
    let mut journal = SqliteJournal::open(&data).unwrap();
    for _ in 0..30 {
        append_next(&mut journal, 3, &SIZES).unwrap();
    }
    let stop = AtomicBool::new(false);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                append_next(&mut journal, 3, &SIZES).unwrap();
            }
        });
        let report = backup(&data, &copy, &mut |_, _| {}).unwrap();
        stop.store(true, Ordering::Relaxed);
        report
    });
    let frames = report.head.position / 3;
    assert!(frames >= 30);
    assert_eq!((report.contents, report.blobs), (frames * 2, frames));

    assert_eq!(
        restore(&copy, &restored, KeysFrom::Backup, &mut |_, _| {}).unwrap(),
        report
    );
    let mut again = SqliteJournal::open(&restored).unwrap();
    assert_eq!(again.head(), report.head);
    let (mut original, mut reader) = (journal.reader(), again.reader());
    let copied = reader.read_from(1, usize::MAX).unwrap();
    assert_eq!(
        copied,
        original.read_from(1, usize::MAX).unwrap()[..copied.len()]
    );
    for frame in &copied {
        for (ordinal, bytes) in (0..).zip(SIZES) {
            let expected = content(frame.first, ordinal, bytes);
            assert_eq!(
                reader.content(&name(frame.first, ordinal)).unwrap(),
                Some(expected)
            );
        }
    }
    append(&mut again, report.head.position + 1, 1, &[]).unwrap();
}

#[test]
fn targets_that_hold_anything_are_refused() {
    let base = tempfile::tempdir().unwrap();
    let (data, copy) = (base.path().join("data"), base.path().join("copy"));
    let mut journal = SqliteJournal::open(&data).unwrap();
    append(&mut journal, 1, 1, &[]).unwrap();
    drop(journal);
    backup(&data, &copy, &mut |_, _| {}).unwrap();
    let full = base.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("note"), "mine").unwrap();
    for result in [
        backup(&data, &full, &mut |_, _| {}),
        restore(&copy, &full, KeysFrom::Backup, &mut |_, _| {}),
        restore(&copy, &data, KeysFrom::Backup, &mut |_, _| {}),
    ] {
        assert!(
            matches!(result, Err(JournalError::NotEmpty { .. })),
            "{result:?}"
        );
    }
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1);
}

#[test]
fn damaged_or_unfinished_backup_is_not_restored() {
    let base = tempfile::tempdir().unwrap();
    let (data, copy, target) = (
        base.path().join("a"),
        base.path().join("b"),
        base.path().join("c"),
    );
    let mut journal = SqliteJournal::open(&data).unwrap();
    for first in 1..=5 {
        append(&mut journal, first, 1, &[]).unwrap();
    }
    backup(&data, &copy, &mut |_, _| {}).unwrap();
    let conn = Connection::open(copy.join("log.db")).unwrap();
    conn.execute_batch("DELETE FROM frames WHERE first = 3")
        .unwrap();
    drop(conn);
    let error = restore(&copy, &target, KeysFrom::Backup, &mut |_, _| {}).unwrap_err();
    assert!(
        matches!(error, JournalError::Corrupt { position: 3, .. }),
        "{error}"
    );
    assert!(!target.exists());
    fs::rename(copy.join("log.db"), copy.join("log.db.partial")).unwrap();
    let error = restore(&copy, &target, KeysFrom::Backup, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, JournalError::NotFound { .. }), "{error}");
}

#[test]
fn backup_is_plain_files_and_can_be_verified_in_place() {
    let base = tempfile::tempdir().unwrap();
    let (data, copy) = (base.path().join("data"), base.path().join("copy"));
    let mut journal = SqliteJournal::open(&data).unwrap();
    let head = append(&mut journal, 1, 4, &SIZES).unwrap();
    backup(&data, &copy, &mut |_, _| {}).unwrap();
    let mut reader = SqliteReader::open(&copy).unwrap();
    assert_eq!(verify(&mut reader, &mut |_, _| {}).unwrap().head, head);
    let mut names: Vec<_> = fs::read_dir(&copy)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["contents", "keys.db", "log.db"]);
}

#[test]
fn empty_log_can_be_backed_up() {
    let base = tempfile::tempdir().unwrap();
    let (data, copy, target) = (
        base.path().join("a"),
        base.path().join("b"),
        base.path().join("c"),
    );
    drop(SqliteJournal::open(&data).unwrap());
    backup(&data, &copy, &mut |_, _| {}).unwrap();
    assert_eq!(
        restore(&copy, &target, KeysFrom::Backup, &mut |_, _| {})
            .unwrap()
            .head
            .position,
        0
    );
    assert_eq!(
        SqliteReader::open(&target)
            .unwrap()
            .head()
            .unwrap()
            .position,
        0
    );
}
