//! Contents are at hand before their frame is written, and leave nothing behind without one.

use std::fs;
use std::path::Path;

use rialto_journal::contents::{INLINE_BYTES, is_large};
use rialto_journal::sqlite::SqliteJournal;
use rialto_journal::{Journal, JournalError};

use crate::{append, content, frame, hash, name, stage};

const LARGE: usize = INLINE_BYTES + 1;

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("contents")).unwrap();
    entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_frame_takes_what_was_staged_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    let staged = [
        stage(&journal, 1, 0, LARGE).unwrap(),
        stage(&journal, 1, 1, 50).unwrap(),
    ];
    let before = files(folder.path());
    let [large] = before.as_slice() else {
        panic!("{before:?}")
    };
    let hex: String = hash(1, 0)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(large.starts_with(&hex), "{large}");
    // The file is what the frame keeps: it is not written a second time.
    let path = folder.path().join("contents").join(large);
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    journal.append(&frame(1, 1, 2)).unwrap();
    drop(staged);
    assert_eq!(files(folder.path()), before);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    let mut reader = journal.reader();
    for (ordinal, bytes) in [(0, LARGE), (1, 50)] {
        let found = reader.content(&name(1, ordinal)).unwrap();
        assert_eq!(found, Some(content(1, ordinal, bytes)));
    }
}

#[test]
fn what_no_frame_takes_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    for bytes in [LARGE, 50] {
        let staged = stage(&journal, 1, 0, bytes).unwrap();
        assert_eq!(files(folder.path()).len(), usize::from(is_large(bytes)));
        drop(staged);
        assert_eq!(files(folder.path()).len(), 0);
        // A frame cannot take it any more.
        let named = journal.contents().put(&hash(2, 0), &[0; 16], b"other");
        let error = journal.append(&frame(1, 1, 1)).unwrap_err();
        assert!(error.to_string().contains("not staged"), "{error}");
        drop(named);
        drop(journal);
        journal = SqliteJournal::open(folder.path()).unwrap();
    }
    // The process ends between staging and frame.
    std::mem::forget(stage(&journal, 1, 0, LARGE).unwrap());
    drop(journal);
    assert_eq!(files(folder.path()).len(), 1);
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(files(folder.path()).len(), 0);
    append(&mut journal, 1, 1, &[LARGE]).unwrap();
    drop(journal);
    SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(files(folder.path()).len(), 1, "what a frame took stays");
}

/// Two contents may have the same bytes and salt: each is there for its own fact.
#[test]
fn the_same_content_twice_is_kept_twice_and_erased_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    for bytes in [50, LARGE] {
        let first = journal.head().position + 1;
        let put = |journal: &SqliteJournal| {
            let text = content(first, 0, bytes);
            journal
                .contents()
                .put(&hash(first, 0), &text.salt, &text.bytes)
        };
        let (one, two) = (put(&journal).unwrap(), put(&journal).unwrap());
        drop(one);
        let mut twice = frame(first, 1, 1);
        twice.contents.push(hash(first, 0));
        let three = put(&journal).unwrap();
        journal.append(&twice).unwrap();
        drop((two, three));
        let mut reader = journal.reader();
        let named = name(first, 0);
        assert!(reader.content(&named).unwrap().is_some());
        assert_eq!(journal.erase(&[named]).unwrap(), 2);
        assert_eq!(reader.content(&named).unwrap(), None);
    }
    assert_eq!(files(folder.path()).len(), 0);
}

#[test]
fn a_content_beyond_the_limit_is_refused_before_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    let huge = vec![0; rialto_journal::frame::MAX_CONTENT_BYTES + 1];
    let error = journal
        .contents()
        .put(&[1; 32], &[0; 16], &huge)
        .unwrap_err();
    assert!(matches!(error, JournalError::Invalid { .. }), "{error}");
    assert_eq!(files(folder.path()).len(), 0);
}

#[test]
fn only_contents_above_the_bound_are_large() {
    assert!(!is_large(INLINE_BYTES));
    assert!(is_large(LARGE));
}
