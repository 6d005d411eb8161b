//! Large contents are on disk before their frame is written, and leave nothing behind without one.

use std::fs;
use std::path::Path;

use rialto_journal::sqlite::{INLINE_BYTES, SqliteJournal};
use rialto_journal::{Journal, Stage};

use crate::{content, frame};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("blobs")).unwrap();
    entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_frame_takes_what_was_staged_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    let stage = journal.stage().unwrap();
    let large = content(1, 0, INLINE_BYTES + 1);
    let staged = stage.put(&large.salt, &large.bytes).unwrap();
    let name = names(folder.path()).pop().unwrap();
    let salt = std::str::from_utf8(&large.salt).unwrap();
    assert!(
        name.starts_with("staged-") && !name.contains(salt),
        "{name}"
    );
    // The file is what the frame keeps: it is not written a second time.
    let path = folder.path().join("blobs").join(&name);
    fs::write(&path, "y".repeat(large.bytes.len())).unwrap();
    journal.append(&frame(1, 1, &[INLINE_BYTES + 1])).unwrap();
    let kept = journal.reader().content(large.id).unwrap().unwrap();
    assert!(kept.bytes.iter().all(|byte| *byte == b'y'));
    drop(staged);
    assert_eq!(names(folder.path()), [format!("{:016x}", large.id)]);
    // What nobody staged is written with its frame.
    journal.append(&frame(2, 1, &[INLINE_BYTES + 1])).unwrap();
    let large = content(2, 0, INLINE_BYTES + 1);
    assert_eq!(journal.reader().content(large.id).unwrap(), Some(large));
}

#[test]
fn what_no_frame_takes_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    let stage = journal.stage().unwrap();
    let staged = stage.put(&[1; 16], &[0; 100]).unwrap();
    assert_eq!(names(folder.path()).len(), 1);
    drop(staged);
    assert_eq!(names(folder.path()).len(), 0);
    // The process ends in between.
    std::mem::forget(stage.put(&[2; 16], &[0; 100]).unwrap());
    drop(journal);
    assert_eq!(names(folder.path()).len(), 1);
    SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(names(folder.path()).len(), 0);
}

#[test]
fn only_large_contents_are_staged() {
    assert!(!Stage::takes(INLINE_BYTES));
    assert!(Stage::takes(INLINE_BYTES + 1));
}
