//! What can only be tested from inside: a disk that fills up, and checkpoints.

use super::*;
use crate::{ContentName, content_id};

fn frame(first: u64, bytes: usize) -> Frame {
    Frame {
        first,
        envelopes: vec![vec![7; bytes]],
        contents: Vec::new(),
    }
}

#[test]
fn full_disk_is_a_typed_error_and_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    journal.append(&frame(1, 1000)).unwrap();
    // SQLite gives the same error here as when the file system has no space left.
    journal
        .conn
        .execute_batch("PRAGMA max_page_count = 40")
        .unwrap();
    let mut acknowledged = journal.head();
    let error = loop {
        match journal.append(&frame(acknowledged.position + 1, 10_000)) {
            Ok(head) => acknowledged = head,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::StorageFull), "{error}");
    let later = journal
        .append(&frame(acknowledged.position + 1, 1))
        .unwrap_err();
    assert!(matches!(later, JournalError::Poisoned), "{later}");
    assert!(matches!(journal.erase(&[]), Err(JournalError::Poisoned)));
    drop(journal);

    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(journal.head(), acknowledged);
    journal
        .append(&frame(acknowledged.position + 1, 10_000))
        .unwrap();
}

#[test]
fn write_ahead_file_stays_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    let mut largest = 0;
    for _ in 0..60 {
        journal
            .append(&frame(journal.head().position + 1, 1 << 20))
            .unwrap();
        let wal = std::fs::metadata(folder.path().join("log.db-wal")).unwrap();
        largest = largest.max(wal.len());
    }
    assert!(largest < 2 * CHECKPOINT_BYTES as u64, "{largest} bytes");
}

#[test]
fn erase_waits_long_for_no_read_and_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    let id = content_id(1, 0).unwrap();
    let name = ContentName { hash: [1; 32], id };
    let contents = journal.contents();
    let _staged = contents.put(&name.hash, &[1; 16], &[3; 100]).unwrap();
    journal
        .append(&Frame {
            contents: vec![name.hash],
            ..frame(1, 10)
        })
        .unwrap();

    // Long reads of the log do not matter, those of the keys do.
    let log = file::open_reader(folder.path()).unwrap();
    log.execute_batch("BEGIN; SELECT count(*) FROM frames;")
        .unwrap();
    let keys = Connection::open(folder.path().join(KEYS_NAME)).unwrap();
    keys.execute_batch("BEGIN; SELECT count(*) FROM keys;")
        .unwrap();
    let error = journal.erase(&[name]).unwrap_err();
    assert!(matches!(error, JournalError::EraseIncomplete), "{error}");
    assert_eq!(journal.reader().content(&name).unwrap(), None);
    keys.execute_batch("COMMIT").unwrap();
    assert_eq!(journal.erase(&[]).unwrap(), 0);
    let wal = std::fs::metadata(folder.path().join("keys.db-wal")).unwrap();
    assert_eq!(wal.len(), 0);
    journal.append(&frame(2, 10)).unwrap();
}

#[test]
fn a_copy_of_the_lock_that_a_starting_process_holds_locks_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let held = file::lock(folder.path()).unwrap();
    assert!(matches!(
        file::lock(folder.path()),
        Err(JournalError::Locked { .. })
    ));
    let copy = held.copy();
    drop(held);
    file::lock(folder.path()).unwrap();
    drop(copy);
}
