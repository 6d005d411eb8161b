//! Erased bytes are gone: from reads, from the raw files, from later backups.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rialto_journal::memory::{MemoryDisk, MemoryJournal};
use rialto_journal::sqlite::{INLINE_BYTES, SqliteJournal};
use rialto_journal::{ContentId, Journal, backup, content_id, verify};

use crate::{content, frame, marker};

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
fn holds(folder: &Path, needle: &[u8]) -> bool {
    files(folder)
        .iter()
        .any(|(_, bytes)| bytes.windows(needle.len()).any(|window| window == needle))
}

/// Every marker of [`content`] in a folder's files.
fn markers(folder: &Path) -> BTreeSet<String> {
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
/// many, in a blob.
const SIZES: [usize; 8] = [
    40,
    200,
    900,
    3000,
    5000,
    20_000,
    INLINE_BYTES,
    INLINE_BYTES + 4000,
];

#[test]
fn erased_bytes_and_salt_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    for position in 1..=16 {
        journal.append(&frame(position, 1, &SIZES)).unwrap();
    }
    let head = journal.head();
    // In three rounds, so that rows beside erased ones are erased later.
    let mut erased: Vec<ContentId> = Vec::new();
    for round in 0..3 {
        let batch: Vec<_> = (1..=16_u64)
            .flat_map(|position| (0..8).map(move |ordinal| (position, ordinal)))
            .filter(|(position, ordinal)| (position * 5 + u64::from(*ordinal)) % 4 == round)
            .collect();
        let ids: Vec<_> = batch
            .iter()
            .map(|(position, ordinal)| content_id(*position, *ordinal).unwrap())
            .collect();
        assert_eq!(journal.erase(&ids).unwrap(), ids.len());
        assert_eq!(journal.erase(&ids).unwrap(), 0);
        let left = markers(folder.path());
        let log = fs::read(folder.path().join("log.db")).unwrap();
        let log = String::from_utf8_lossy(&log);
        for (position, ordinal) in batch {
            let salt = content(position, ordinal, 0).salt;
            assert!(
                !left.contains(&marker(position, ordinal)),
                "bytes of {position}/{ordinal}"
            );
            assert!(
                !log.contains(str::from_utf8(&salt).unwrap()),
                "salt of {position}/{ordinal}"
            );
        }
        erased.extend(ids);
        journal
            .append(&frame(journal.head().position + 1, 1, &[]))
            .unwrap();
    }
    let mut reader = journal.reader();
    for position in 1..=16 {
        for (ordinal, bytes) in (0..8).zip(SIZES) {
            let expected = content(position, ordinal, bytes);
            let expected = (!erased.contains(&expected.id)).then_some(expected);
            let id = content_id(position, ordinal).unwrap();
            assert_eq!(
                reader.content(id).unwrap(),
                expected,
                "{position}/{ordinal}"
            );
        }
    }
    let report = verify(&mut *reader, &mut |_, _| {}).unwrap();
    assert_eq!(report.head.position, head.position + 3);
}

#[test]
fn bytes_not_erased_are_there_to_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    journal.append(&frame(1, 1, &SIZES)).unwrap();
    for (ordinal, bytes) in (0..8).zip(SIZES) {
        assert!(
            holds(folder.path(), marker(1, ordinal).as_bytes()),
            "{ordinal}"
        );
        assert!(
            holds(folder.path(), &content(1, ordinal, bytes).salt),
            "{ordinal}"
        );
    }
}

#[test]
fn erasure_outlives_reopening_and_leaves_no_blob() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    journal.append(&frame(1, 1, &SIZES)).unwrap();
    let ids: Vec<_> = (0..8)
        .map(|ordinal| content_id(1, ordinal).unwrap())
        .collect();
    journal.erase(&ids).unwrap();
    assert_eq!(
        fs::read_dir(folder.path().join("blobs")).unwrap().count(),
        0
    );
    drop(journal);
    let journal = SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(journal.reader().contents(&ids).unwrap(), vec![None; 8]);
}

#[test]
fn backup_holds_nothing_erased() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let mut journal = SqliteJournal::open(&data).unwrap();
    journal.append(&frame(1, 1, &SIZES)).unwrap();
    let ids: Vec<_> = (0..7)
        .map(|ordinal| content_id(1, ordinal).unwrap())
        .collect();
    journal.erase(&ids).unwrap();
    let report = backup(&data, &copy, &mut |_, _| {}).unwrap();
    assert_eq!((report.contents, report.blobs), (1, 1));
    for ordinal in 0..7 {
        assert!(!holds(&copy, marker(1, ordinal).as_bytes()), "{ordinal}");
    }
    assert!(holds(&copy, marker(1, 7).as_bytes()));
}

#[test]
fn memory_forgets_as_well() {
    let disk = MemoryDisk::default();
    let mut journal = MemoryJournal::open(&disk).unwrap();
    journal.append(&frame(1, 1, &SIZES)).unwrap();
    let ids: Vec<_> = (0..8)
        .map(|ordinal| content_id(1, ordinal).unwrap())
        .collect();
    assert_eq!(journal.erase(&ids[..5]).unwrap(), 5);
    assert_eq!(journal.erase(&ids).unwrap(), 3);
    disk.crash();
    let journal = MemoryJournal::open(&disk).unwrap();
    assert_eq!(journal.reader().contents(&ids).unwrap(), vec![None; 8]);
}

/// Many small rows share a page, erased a few at a time: what moves within or between pages may
/// leave no copy.
#[test]
fn rows_that_share_a_page_leave_no_copy_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path()).unwrap();
    let sizes = |position: u64| {
        [
            60,
            90 + position as usize % 700,
            300,
            1400,
            30 + position as usize,
        ]
    };
    for position in 1..=200 {
        journal
            .append(&frame(position, 1, &sizes(position)))
            .unwrap();
    }
    let mut erased = Vec::new();
    for round in 0..10_u64 {
        let batch: Vec<_> = (1..=200_u64)
            .flat_map(|position| (0..5).map(move |ordinal| (position, ordinal)))
            .filter(|(position, ordinal)| (position * 7 + u64::from(*ordinal) * 3) % 11 == round)
            .collect();
        let ids: Vec<_> = batch
            .iter()
            .map(|(position, ordinal)| content_id(*position, *ordinal).unwrap())
            .collect();
        assert_eq!(journal.erase(&ids).unwrap(), ids.len());
        erased.extend(batch);
        let left = markers(folder.path());
        for (position, ordinal) in &erased {
            assert!(
                !left.contains(&marker(*position, *ordinal)),
                "round {round}: {position}/{ordinal}"
            );
        }
        assert_eq!(left.len() + erased.len(), 1000, "nothing else is gone");
        assert_eq!(
            fs::metadata(folder.path().join("log.db-wal"))
                .unwrap()
                .len(),
            0
        );
    }
}
