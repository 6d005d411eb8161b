//! What both backends promise alike.

use rialto_journal::contents::INLINE_BYTES;
use rialto_journal::memory::{MemoryDisk, MemoryJournal};
use rialto_journal::sqlite::SqliteJournal;
use rialto_journal::{Frame, Head, Journal, JournalError, LogReader, verify};

use crate::{append, append_next, content, envelope, frame, name};

/// Runs a check on an empty log of each backend.
fn check(test: impl Fn(&str, Box<dyn Journal>)) {
    test(
        "memory",
        Box::new(MemoryJournal::open(&MemoryDisk::default()).unwrap()),
    );
    let folder = tempfile::tempdir().unwrap();
    test(
        "sqlite",
        Box::new(SqliteJournal::open(folder.path()).unwrap()),
    );
}

fn fill(journal: &mut dyn Journal, counts: &[u64]) {
    for count in counts {
        append_next(journal, *count, &[10, 20]).unwrap();
    }
}

fn spans(reader: &mut dyn LogReader, from: u64, max_bytes: usize) -> Vec<(u64, u64)> {
    reader
        .read_from(from, max_bytes)
        .unwrap()
        .iter()
        .map(|f| (f.first, f.last()))
        .collect()
}

#[test]
fn empty_log_reads_as_empty() {
    check(|backend, journal| {
        assert_eq!(journal.head(), Head::EMPTY, "{backend}");
        let mut reader = journal.reader();
        assert_eq!(reader.head().unwrap(), Head::EMPTY, "{backend}");
        assert_eq!(reader.read_from(0, 100).unwrap(), [], "{backend}");
        assert_eq!(reader.envelope(0).unwrap(), None, "{backend}");
        assert_eq!(reader.envelope(1).unwrap(), None, "{backend}");
        assert_eq!(reader.content(&name(1, 0)).unwrap(), None, "{backend}");
        assert_eq!(
            verify(&mut *reader, &mut |_, _| {}).unwrap().head,
            Head::EMPTY,
            "{backend}"
        );
    });
}

#[test]
fn reading_gives_whole_frames_from_the_one_that_holds_the_position() {
    check(|backend, mut journal| {
        fill(&mut *journal, &[1, 5, 3]);
        let mut reader = journal.reader();
        let all = [(1, 1), (2, 6), (7, 9)];
        type Case<'a> = (u64, usize, &'a [(u64, u64)]);
        let cases: [Case<'_>; 9] = [
            (0, usize::MAX, &all),
            (1, usize::MAX, &all),
            (2, usize::MAX, &all[1..]),
            (4, usize::MAX, &all[1..]),
            (6, usize::MAX, &all[1..]),
            (7, usize::MAX, &all[2..]),
            (9, 0, &all[2..]),
            (10, usize::MAX, &[]),
            (1, 0, &all[..1]),
        ];
        for (from, max_bytes, expected) in cases {
            assert_eq!(
                spans(&mut *reader, from, max_bytes),
                expected,
                "{backend} from {from}"
            );
        }
        for position in 1..=9 {
            assert_eq!(
                reader.envelope(position).unwrap(),
                Some(envelope(position)),
                "{backend}"
            );
        }
        assert_eq!(reader.envelope(10).unwrap(), None, "{backend}");
        assert_eq!(reader.head().unwrap(), journal.head(), "{backend}");
    });
}

#[test]
fn chain_is_the_same_on_every_backend() {
    let chains = std::cell::RefCell::new(Vec::new());
    check(|_, mut journal| {
        fill(&mut *journal, &[2, 1, 7]);
        chains.borrow_mut().push(journal.head());
    });
    let chains = chains.into_inner();
    assert_eq!(chains[0], chains[1]);
    assert_eq!(chains[0].position, 10);
}

#[test]
fn reader_follows_the_writer_from_another_thread() {
    check(|backend, mut journal| {
        let mut reader = journal.reader();
        let follower = std::thread::spawn(move || {
            let mut seen = Vec::new();
            while seen.len() < 40 {
                let frames = reader.read_from(seen.len() as u64 + 1, 2000).unwrap();
                seen.extend(frames.into_iter().flat_map(|frame| frame.envelopes));
            }
            seen
        });
        fill(&mut *journal, &[4; 10]);
        let expected: Vec<_> = (1..=40).map(envelope).collect();
        assert_eq!(follower.join().unwrap(), expected, "{backend}");
    });
}

#[test]
fn contents_of_all_sizes_come_back() {
    check(|backend, mut journal| {
        let sizes = [0, 1, 4096, INLINE_BYTES, INLINE_BYTES + 1, 1 << 20];
        append(&mut *journal, 1, 1, &[]).unwrap();
        append(&mut *journal, 2, 2, &sizes).unwrap();
        let mut reader = journal.reader();
        let expected: Vec<_> = (0..)
            .zip(sizes)
            .map(|(i, bytes)| Some(content(2, i, bytes)))
            .collect();
        let names: Vec<_> = (0..6).map(|i| name(2, i)).collect();
        assert_eq!(reader.contents(&names).unwrap(), expected, "{backend}");
        let mixed = [name(1, 0), names[3], name(9, 9)];
        assert_eq!(
            reader.contents(&mixed).unwrap(),
            [None, expected[3].clone(), None],
            "{backend}"
        );
    });
}

#[test]
fn any_failed_append_poisons() {
    let cases: [(&str, Frame); 4] = [
        ("log expects 3", frame(2, 1, 0)),
        ("log expects 3", frame(4, 1, 0)),
        ("0 envelopes", frame(3, 0, 0)),
        ("not staged", frame(3, 1, 1)),
    ];
    for (expected, bad) in cases {
        check(|backend, mut journal| {
            fill(&mut *journal, &[2]);
            let head = journal.head();
            let message = journal.append(&bad).unwrap_err().to_string();
            assert!(message.contains(expected), "{backend}: {message}");
            let later = append(&mut *journal, 3, 1, &[]).unwrap_err();
            assert!(
                matches!(later, JournalError::Poisoned),
                "{backend}: {later}"
            );
            assert_eq!(
                (journal.head(), journal.reader().head().unwrap()),
                (head, head),
                "{backend}"
            );
        });
    }
}

#[test]
fn verify_walks_everything_and_reports_progress() {
    check(|backend, mut journal| {
        fill(&mut *journal, &[3; 20]);
        let mut steps = Vec::new();
        let report = verify(&mut *journal.reader(), &mut |at, of| steps.push((at, of))).unwrap();
        assert_eq!(
            (report.frames, report.envelopes, report.head),
            (20, 60, journal.head()),
            "{backend}"
        );
        let bytes: usize = (1..=60).map(|position| envelope(position).len()).sum();
        assert_eq!(report.envelope_bytes, bytes as u64, "{backend}");
        assert_eq!(steps.last(), Some(&(60, 60)), "{backend}");
    });
}

#[test]
fn log_goes_on_after_reopening() {
    let disk = MemoryDisk::default();
    let folder = tempfile::tempdir().unwrap();
    type Open<'a> = &'a dyn Fn() -> Box<dyn Journal>;
    let open: [(&str, Open<'_>); 2] = [
        ("memory", &|| Box::new(MemoryJournal::open(&disk).unwrap())),
        ("sqlite", &|| {
            Box::new(SqliteJournal::open(folder.path()).unwrap())
        }),
    ];
    for (backend, open) in open {
        let mut head = Head::EMPTY;
        for round in 1..=4 {
            let mut journal = open();
            assert_eq!(journal.head(), head, "{backend}");
            fill(&mut *journal, &[round, 1]);
            head = journal.head();
        }
        let report = verify(&mut *open().reader(), &mut |_, _| {}).unwrap();
        assert_eq!((report.envelopes, report.head), (14, head), "{backend}");
    }
}
