//! The simulated disk: each fault does what it says, and over many seeds nothing acknowledged is
//! lost and nothing unacknowledged is half there.

use rialto_journal::memory::{Fault, FaultPlan, FaultRates, MemoryDisk, MemoryJournal, Tail};
use rialto_journal::{Head, Journal, JournalError, verify};

use crate::{append, content, name};

/// Appends two frames, the second under a fault, crashes, and gives the outcome of the second and
/// what opening finds.
fn after(
    fault: Fault,
) -> (
    Result<Head, JournalError>,
    Result<Head, JournalError>,
    MemoryDisk,
) {
    let disk = MemoryDisk::new(FaultPlan::script([(2, fault)]));
    let mut journal = MemoryJournal::open(&disk).unwrap();
    append(&mut journal, 1, 1, &[10]).unwrap();
    let second = append(&mut journal, 2, 3, &[10]);
    if second.is_err() {
        assert_eq!(journal.reader().head().unwrap().position, 1, "{fault:?}");
        assert!(matches!(
            append(&mut journal, 2, 1, &[]),
            Err(JournalError::Poisoned)
        ));
    }
    disk.crash();
    assert!(matches!(
        append(&mut journal, 2, 1, &[]),
        Err(JournalError::Poisoned)
    ));
    let found = MemoryJournal::open(&disk).map(|journal| journal.head());
    (second, found, disk)
}

#[test]
fn each_fault_does_what_it_says() {
    let cases = [
        (Fault::SyncFails(Tail::Kept), "cannot sync the log", Some(4)),
        (
            Fault::SyncFails(Tail::Dropped),
            "cannot sync the log",
            Some(1),
        ),
        (
            Fault::SyncFails(Tail::Torn { bytes: 0 }),
            "cannot sync the log",
            Some(1),
        ),
        (
            Fault::SyncFails(Tail::Torn { bytes: 70 }),
            "cannot sync the log",
            Some(1),
        ),
        (
            Fault::SyncFails(Tail::Torn { bytes: u32::MAX }),
            "cannot sync the log",
            Some(1),
        ),
        (Fault::StorageFull, "disk is full", Some(1)),
        (Fault::SyncIgnored, "", Some(1)),
        (Fault::Slow { latency_us: 5 }, "", Some(4)),
        (
            Fault::FlipByte {
                frame: 0,
                offset: 3,
            },
            "",
            Some(4),
        ),
    ];
    for (fault, error, survives) in cases {
        let (second, found, disk) = after(fault);
        match second {
            Ok(head) => assert!(error.is_empty() && head.position == 4, "{fault:?}"),
            Err(found) => assert!(
                !error.is_empty() && found.to_string().contains(error),
                "{fault:?}: {found}"
            ),
        }
        let found = found.unwrap();
        assert_eq!(Some(found.position), survives, "{fault:?}");
        let mut reader = MemoryJournal::open(&disk).unwrap().reader();
        assert_eq!(
            reader.content(&name(2, 0)).unwrap().is_some(),
            found.position == 4,
            "{fault:?}"
        );
        let damaged = matches!(fault, Fault::FlipByte { .. });
        assert_eq!(
            verify(&mut *reader, &mut |_, _| {}).is_err(),
            damaged,
            "{fault:?}"
        );
    }
}

#[test]
fn latency_is_only_reported() {
    let plan = FaultPlan::script([
        (1, Fault::Slow { latency_us: 40 }),
        (2, Fault::Slow { latency_us: 2 }),
    ]);
    let disk = MemoryDisk::new(plan);
    let mut journal = MemoryJournal::open(&disk).unwrap();
    append(&mut journal, 1, 1, &[]).unwrap();
    append(&mut journal, 2, 1, &[]).unwrap();
    assert_eq!(disk.latency_us(), 42);
}

#[test]
fn damage_to_a_synced_last_frame_is_not_taken_for_a_torn_tail() {
    for offset in 0..200 {
        let disk = MemoryDisk::default();
        append(&mut MemoryJournal::open(&disk).unwrap(), 1, 2, &[]).unwrap();
        assert!(disk.flip_byte(2, offset));
        let error = MemoryJournal::open(&disk).unwrap_err();
        let told = matches!(
            error,
            JournalError::Corrupt { .. } | JournalError::NewerVersion { .. }
        );
        assert!(told, "{offset}: {error}");
        assert!(!disk.flip_byte(3, offset));
    }
}

#[test]
fn opening_again_ends_the_life_of_earlier_journals() {
    let disk = MemoryDisk::default();
    let mut first = MemoryJournal::open(&disk).unwrap();
    let mut second = MemoryJournal::open(&disk).unwrap();
    assert!(matches!(
        append(&mut first, 1, 1, &[]),
        Err(JournalError::Poisoned)
    ));
    assert!(matches!(
        first.erase(&[name(1, 0)]),
        Err(JournalError::Poisoned)
    ));
    append(&mut second, 1, 1, &[]).unwrap();
}

/// Runs one life of a disk under a seed: crash and reopen on every failure. Gives every outcome.
fn life(seed: u64) -> Vec<(u64, bool)> {
    let rates = FaultRates {
        sync_fails: 1500,
        storage_full: 500,
        flip_byte: 0,
        slow: 500,
    };
    let disk = MemoryDisk::new(FaultPlan::seeded(seed, rates));
    let mut journal = MemoryJournal::open(&disk).unwrap();
    let mut acknowledged = Head::EMPTY;
    let mut outcomes = Vec::new();
    for step in 0..30 {
        let first = acknowledged.position + 1;
        let tried = first + (seed + step) % 4;
        let outcome = append(&mut journal, first, tried - first + 1, &[8]);
        outcomes.push((first, outcome.is_ok()));
        match outcome {
            Ok(head) => acknowledged = head,
            Err(_) => {
                disk.crash();
                journal = MemoryJournal::open(&disk).unwrap();
                let found = journal.head();
                let whole = found == acknowledged || found.position == tried;
                assert!(whole, "seed {seed}: {found:?} after {acknowledged:?}");
                acknowledged = found;
            }
        }
    }
    let mut reader = journal.reader();
    let report = verify(&mut *reader, &mut |_, _| {}).unwrap();
    assert_eq!(report.head, acknowledged, "seed {seed}");
    for frame in reader.read_from(1, usize::MAX).unwrap() {
        let expected = content(frame.first, 0, 8);
        assert_eq!(
            reader.content(&name(frame.first, 0)).unwrap(),
            Some(expected),
            "seed {seed}"
        );
    }
    outcomes
}

#[test]
fn nothing_acknowledged_is_lost_over_many_seeds() {
    let failures: usize = (0..2000)
        .map(|seed| life(seed).iter().filter(|(_, ok)| !ok).count())
        .sum();
    assert!(failures > 5000, "the plan bit only {failures} times");
    assert_eq!(life(7), life(7));
}

#[test]
fn lying_disk_is_caught_by_comparing_with_what_was_acknowledged() {
    let disk = MemoryDisk::new(FaultPlan::script([(3, Fault::SyncIgnored)]));
    let mut journal = MemoryJournal::open(&disk).unwrap();
    for first in 1..=5 {
        append(&mut journal, first, 1, &[4]).unwrap();
    }
    assert_eq!(
        MemoryJournal::open(&disk).unwrap().head().position,
        5,
        "no crash, no loss"
    );
    disk.crash();
    assert_eq!(MemoryJournal::open(&disk).unwrap().head().position, 2);
}
