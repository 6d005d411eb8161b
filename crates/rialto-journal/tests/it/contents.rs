//! Contents of the simulated disk under faults: what a fact names is there, and what nothing names
//! goes away.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rialto_journal::contents::INLINE_BYTES;
use rialto_journal::memory::{Fault, FaultPlan, FaultRates, MemoryDisk, MemoryJournal, Tail};
use rialto_journal::{Journal, JournalError};

use crate::erasure::SIZES;
use crate::{append, append_next, content, frame, name, stage};

const LARGE: usize = INLINE_BYTES + 1;

#[test]
fn memory_forgets_as_well() {
    let disk = MemoryDisk::default();
    let mut journal = MemoryJournal::open(&disk).unwrap();
    append(&mut journal, 1, 1, &SIZES).unwrap();
    let names: Vec<_> = (0..8).map(|ordinal| name(1, ordinal)).collect();
    assert_eq!(disk.ciphertexts(), 8);
    assert_eq!(journal.erase(&names[..5]).unwrap(), 5);
    assert_eq!(journal.erase(&names).unwrap(), 3);
    disk.crash();
    let journal = MemoryJournal::open(&disk).unwrap();
    assert_eq!(journal.reader().contents(&names).unwrap(), vec![None; 8]);
    assert_eq!(disk.ciphertexts(), 0);
}

#[test]
fn a_crash_between_staging_and_frame_leaves_nothing() {
    let disk = MemoryDisk::default();
    let journal = MemoryJournal::open(&disk).unwrap();
    let staged = [
        stage(&journal, 1, 0, LARGE).unwrap(),
        stage(&journal, 1, 1, 50).unwrap(),
    ];
    assert_eq!(disk.ciphertexts(), 1, "the small one waits for its frame");
    disk.crash();
    // The process is gone: its staged contents clean nothing up.
    drop(staged);
    assert_eq!(disk.ciphertexts(), 1);
    let mut journal = MemoryJournal::open(&disk).unwrap();
    assert_eq!(disk.ciphertexts(), 0);
    append(&mut journal, 1, 1, &[LARGE, 50]).unwrap();
    MemoryJournal::open(&disk).unwrap();
    assert_eq!(disk.ciphertexts(), 2, "what a frame took stays");
}

#[test]
fn a_crash_between_key_and_ciphertext_is_finished_by_the_next_opening() {
    let disk = MemoryDisk::default();
    let mut journal = MemoryJournal::open(&disk).unwrap();
    append(&mut journal, 1, 1, &[LARGE, 50]).unwrap();
    disk.cut_next_erasure();
    journal.erase(&[name(1, 0), name(1, 1)]).unwrap_err();
    assert!(matches!(journal.erase(&[]), Err(JournalError::Poisoned)));
    let mut reader = journal.reader();
    let names = [name(1, 0), name(1, 1)];
    assert_eq!(reader.contents(&names).unwrap(), [None, None]);
    assert_eq!(disk.ciphertexts(), 2);
    disk.crash();
    MemoryJournal::open(&disk).unwrap();
    assert_eq!(disk.ciphertexts(), 0);
    assert_eq!(reader.contents(&names).unwrap(), [None, None]);
}

#[test]
fn a_content_that_cannot_be_stored_harms_nothing_else() {
    let faults = [
        Fault::StorageFull,
        Fault::SyncFails(Tail::Dropped),
        Fault::SyncFails(Tail::Kept),
        Fault::SyncFails(Tail::Torn { bytes: 70 }),
    ];
    for fault in faults {
        let disk = MemoryDisk::default();
        disk.set_staging_plan(FaultPlan::script([(1, fault)]));
        let mut journal = MemoryJournal::open(&disk).unwrap();
        assert!(stage(&journal, 1, 0, LARGE).is_err(), "{fault:?}");
        append(&mut journal, 1, 1, &[LARGE, 50]).unwrap();
        disk.crash();
        let journal = MemoryJournal::open(&disk).unwrap();
        assert_eq!(disk.ciphertexts(), 2, "{fault:?}");
        let found = journal.reader().content(&name(1, 0)).unwrap();
        assert_eq!(found, Some(content(1, 0, LARGE)), "{fault:?}");
    }
}

/// What may happen to a log with contents.
#[derive(Clone, Debug)]
enum Step {
    /// A command with these contents is accepted.
    Accept(Vec<usize>),
    /// One is refused after it was staged.
    Refuse(usize),
    /// The process ends between staging and frame.
    Vanish(usize),
    Erase(prop::sample::Index),
    /// The same, cut between keys and ciphertexts.
    CutErase(prop::sample::Index),
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = || prop_oneof![3 => 0..300_usize, 1 => Just(LARGE)];
    let index = || any::<prop::sample::Index>();
    prop::collection::vec(
        prop_oneof![
            6 => prop::collection::vec(size(), 0..4).prop_map(Step::Accept),
            2 => size().prop_map(Step::Refuse),
            2 => size().prop_map(Step::Vanish),
            2 => index().prop_map(Step::Erase),
            1 => index().prop_map(Step::CutErase),
            1 => Just(Step::Crash),
        ],
        1..40,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Against a plain map: whatever happens between staging, frame, key and ciphertext, a content
    /// that a fact names is there until it is erased, and nothing else stays.
    #[test]
    fn what_facts_name_is_there_and_nothing_else_stays(steps in steps(), seed: u64) {
        let rates = FaultRates { sync_fails: 800, storage_full: 300, ..FaultRates::default() };
        let disk = MemoryDisk::new(FaultPlan::seeded(seed, rates));
        disk.set_staging_plan(FaultPlan::seeded(seed ^ 1, rates));
        let mut journal = MemoryJournal::open(&disk).unwrap();
        // By position and ordinal: the size, or nothing once erased.
        let mut model: BTreeMap<(u64, u16), Option<usize>> = BTreeMap::new();
        for step in steps {
            let first = journal.head().position + 1;
            let mut failed = matches!(step, Step::Crash);
            match step {
                Step::Accept(sizes) => {
                    let staged: Vec<_> = (0..).zip(&sizes)
                        .map(|(ordinal, size)| stage(&journal, first, ordinal, *size)).collect();
                    if staged.iter().all(Result::is_ok) {
                        // One that fails may still have reached the disk, whole.
                        failed = journal.append(&frame(first, 1, sizes.len())).is_err();
                        if failed {
                            disk.crash();
                            journal = MemoryJournal::open(&disk).unwrap();
                        }
                        if journal.head().position == first {
                            for (ordinal, size) in (0..).zip(sizes) {
                                model.insert((first, ordinal), Some(size));
                            }
                        }
                        failed = false;
                    }
                }
                Step::Refuse(size) => drop(stage(&journal, first, 0, size)),
                Step::Vanish(size) => {
                    std::mem::forget(stage(&journal, first, 0, size));
                    failed = true;
                }
                Step::Erase(_) | Step::CutErase(_) if model.is_empty() => {}
                Step::Erase(index) | Step::CutErase(index) => {
                    let cut = matches!(step, Step::CutErase(_));
                    if cut {
                        disk.cut_next_erasure();
                    }
                    let of = *index.get(&model.keys().copied().collect::<Vec<_>>());
                    let erased = journal.erase(&[name(of.0, of.1)]);
                    prop_assert_eq!(erased.is_err(), cut);
                    model.insert(of, None);
                    failed = cut;
                }
                Step::Crash => {}
            }
            if failed {
                disk.crash();
                journal = MemoryJournal::open(&disk).unwrap();
            }
            let mut reader = journal.reader();
            for ((position, ordinal), size) in &model {
                let found = reader.content(&name(*position, *ordinal)).unwrap();
                let expected = size.map(|size| content(*position, *ordinal, size));
                prop_assert_eq!(found, expected);
            }
        }
        MemoryJournal::open(&disk).unwrap();
        let kept = model.values().flatten().count();
        prop_assert_eq!(disk.ciphertexts(), kept);
    }
}

#[test]
fn a_frame_takes_all_its_contents_or_none() {
    let disk = MemoryDisk::default();
    let mut journal = MemoryJournal::open(&disk).unwrap();
    let staged = stage(&journal, 1, 0, 50).unwrap();
    journal.append(&frame(1, 1, 2)).unwrap_err();
    // The one that was staged is still its owner's to give up.
    drop(staged);
    let mut journal = MemoryJournal::open(&disk).unwrap();
    append_next(&mut journal, 1, &[50, 60]).unwrap();
    assert_eq!(disk.ciphertexts(), 2);
}
