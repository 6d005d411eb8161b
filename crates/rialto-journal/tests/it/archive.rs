//! Frames that leave the log for segments: what stays, what reads them, what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use rialto_journal::digest::{Digest, entity_hash};
use rialto_journal::entities::Upsert;
use rialto_journal::segment::{HEADER_BYTES, Segment, SegmentBuilder, Signer, StateSum};
use rialto_journal::sqlite::{SqliteJournal, SqliteReader};
use rialto_journal::{
    Checkpoint, Hash, Head, Journal, JournalError, KeysFrom, LogReader, StoredFrame, backup,
    restore, verify,
};
use rusqlite::Connection;

use crate::{content, frame, name, stage};

struct Key(SigningKey);

impl Signer for Key {
    fn key(&self) -> Hash {
        self.0.verifying_key().to_bytes()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

fn key() -> Key {
    Key(SigningKey::from_bytes(&[7; 32]))
}

/// A data folder, its archive, and the log as it was before anything left it.
struct Place {
    _base: tempfile::TempDir,
    data: PathBuf,
    archive: PathBuf,
    all: Vec<StoredFrame>,
    head: Head,
}

impl Place {
    /// A log of frames with so many envelopes each; `seed` makes it another log.
    fn new(counts: &[u64], seed: u8) -> Self {
        let base = tempfile::tempdir().unwrap();
        let (data, archive) = (base.path().join("data"), base.path().join("archive"));
        fs::create_dir(&archive).unwrap();
        let mut journal = SqliteJournal::open(&data).unwrap();
        for count in counts {
            let first = journal.head().position + 1;
            let _staged = stage(&journal, first, 0, 90).unwrap();
            let mut next = frame(first, *count, 1);
            next.envelopes[0].push(seed);
            journal.append(&next).unwrap();
        }
        let all = journal.reader().read_from(1, usize::MAX).unwrap();
        let head = journal.head();
        Self {
            _base: base,
            data,
            archive,
            all,
            head,
        }
    }

    /// Seals the next frames after those archived before.
    fn seal(&self, journal: &SqliteJournal, frames: usize, upserts: &[Upsert]) -> Checkpoint {
        let base = journal.reader().base().unwrap();
        let before = base.as_ref().map_or(Head::EMPTY, Checkpoint::head);
        let mut builder = SegmentBuilder::new(base.map(|base| base.realm), before);
        let from = before.position;
        for stored in self.all.iter().filter(|it| it.first > from).take(frames) {
            builder.push(stored.clone()).unwrap();
        }
        let sealed = builder.seal(journal.base_after(upserts).unwrap(), &key());
        sealed.write(&self.archive).unwrap();
        let mut read = Segment::open(&self.archive, &sealed.checkpoint)
            .unwrap()
            .unwrap();
        read.verify().unwrap();
        sealed.checkpoint
    }

    fn archive(&self, frames: usize, upserts: &[Upsert]) -> Checkpoint {
        let mut journal = SqliteJournal::open(&self.data).unwrap();
        let checkpoint = self.seal(&journal, frames, upserts);
        journal.archive(&checkpoint, upserts).unwrap();
        checkpoint
    }

    fn reader(&self) -> SqliteReader {
        SqliteReader::open(&self.data).unwrap()
    }

    fn with_archive(&self) -> SqliteReader {
        self.reader().with_archive(Some(&self.archive))
    }

    fn segment(&self, checkpoint: &Checkpoint) -> PathBuf {
        self.archive.join(checkpoint.file_name())
    }
}

fn put(key: &str, value: &str) -> Upsert {
    (key.into(), Some(value.into()))
}

fn read_all(reader: &mut SqliteReader, max_bytes: usize) -> Vec<StoredFrame> {
    let (mut frames, mut next) = (Vec::new(), 1);
    loop {
        let read = reader.read_from(next, max_bytes).unwrap();
        let Some(last) = read.last() else {
            return frames;
        };
        next = last.last() + 1;
        frames.extend(read);
    }
}

fn is_archived(error: &JournalError, checkpoint: &Checkpoint) -> bool {
    matches!(error, JournalError::Archived { first, last, .. }
        if (*first, *last) == (checkpoint.first, checkpoint.last))
}

/// Everything that is promised of a log of which a part is archived.
fn check(place: &Place, checkpoints: &[Checkpoint]) -> Result<(), TestCaseError> {
    let base = checkpoints.last().unwrap();
    let mut plain = place.reader();
    prop_assert_eq!(plain.head().unwrap(), place.head);
    prop_assert_eq!(plain.start().unwrap(), base.head());
    let rest: Vec<_> = place.all.iter().filter(|it| it.first > base.last).collect();
    let read = plain.read_from(base.last + 1, usize::MAX).unwrap();
    prop_assert_eq!(read.iter().collect::<Vec<_>>(), rest);
    let verified = verify(&mut plain, &mut |_, _| {}).unwrap();
    prop_assert_eq!((verified.start, verified.head), (base.head(), place.head));
    for checkpoint in checkpoints {
        for position in [checkpoint.first, checkpoint.last] {
            let error = plain.envelope(position).unwrap_err();
            prop_assert!(is_archived(&error, checkpoint), "{}", error);
        }
    }
    // Contents stay in the folder.
    let first = content(1, 0, 90);
    prop_assert_eq!(plain.content(&name(1, 0)).unwrap(), Some(first));

    let mut whole = place.with_archive();
    for max_bytes in [0, 400, usize::MAX] {
        prop_assert_eq!(&read_all(&mut whole, max_bytes), &place.all);
    }
    let verified = verify(&mut whole, &mut |_, _| {}).unwrap();
    prop_assert_eq!((verified.start, verified.head), (Head::EMPTY, place.head));
    prop_assert_eq!(verified.frames, place.all.len() as u64);
    // From anywhere, also backwards.
    for stored in place.all.iter().rev() {
        let last = stored.envelopes.last().cloned();
        prop_assert_eq!(whole.envelope(stored.last()).unwrap(), last);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_log_goes_on_without_what_is_archived_and_reads_it_with_the_archive(
        counts in prop::collection::vec(1..5_u64, 2..14),
        cuts in prop::collection::vec(1..6_usize, 1..4),
    ) {
        let place = Place::new(&counts, 0);
        let (mut left, mut checkpoints) = (counts.len() - 1, Vec::new());
        for (index, cut) in cuts.into_iter().enumerate() {
            let frames = cut.min(left);
            if frames > 0 {
                checkpoints.push(place.archive(frames, &[put(&format!("{}", index / 2), "value")]));
                left -= frames;
            }
        }
        check(&place, &checkpoints)?;
        let mut journal = SqliteJournal::open(&place.data).unwrap();
        prop_assert!(journal.compact().unwrap());
        check(&place, &checkpoints)?;
        let next = journal.head().position + 1;
        journal.append(&frame(next, 2, 0)).unwrap();
        prop_assert_eq!(place.with_archive().read_from(next, 0).unwrap().len(), 1);
    }
}

#[test]
fn the_state_at_the_end_of_what_is_archived_stays() {
    let place = Place::new(&[1; 6], 0);
    place.archive(2, &[put("a", "1"), put("b", "1")]);
    let last = place.archive(2, &[put("a", "2"), ("b".into(), None), put("c", "3")]);
    let expected = [("a", "2"), ("c", "3")];
    let mut digest = Digest::default();
    for (key, value) in expected {
        digest.add(&entity_hash(key.as_bytes(), value.as_bytes()));
    }
    let entities = 2;
    assert_eq!(last.state, StateSum { digest, entities });
    let mut found = Vec::new();
    place
        .reader()
        .base_entities(&mut |key, value| {
            found.push((String::from_utf8_lossy(key).into_owned(), value.to_vec()));
        })
        .unwrap();
    let expected = expected.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
    assert_eq!(found, expected);
}

#[test]
fn space_comes_back_and_nothing_of_the_frames_stays_in_the_log() {
    let place = Place::new(&[40; 60], 0);
    let size = || fs::metadata(place.data.join("log.db")).unwrap().len();
    drop(SqliteJournal::open(&place.data).unwrap());
    let before = size();
    place.archive(55, &[]);
    let mut journal = SqliteJournal::open(&place.data).unwrap();
    assert!(journal.compact().unwrap());
    assert!(size() < before / 4, "{} of {before}", size());
    let bytes = fs::read(place.data.join("log.db")).unwrap();
    let archived = b"envelope 100 ";
    assert!(!bytes.windows(archived.len()).any(|it| it == archived));
}

#[test]
fn a_backup_begins_where_its_log_begins() {
    let place = Place::new(&[2; 8], 0);
    let checkpoints = [
        place.archive(3, &[put("a", "1")]),
        place.archive(2, &[put("a", "2"), put("b", "1")]),
    ];
    let (copy, again) = (
        place.archive.with_file_name("copy"),
        place.archive.with_file_name("again"),
    );
    let report = backup(&place.data, &copy, &mut |_, _| {}).unwrap();
    assert_eq!(
        report,
        restore(&copy, &again, KeysFrom::Backup, &mut |_, _| {}).unwrap()
    );
    assert_eq!(report.contents, 8);
    let restored = Place {
        data: again,
        ..place
    };
    let journal = SqliteJournal::open(&restored.data).unwrap();
    assert_eq!(journal.head(), report.head);
    check(&restored, &checkpoints).unwrap();
    let mut entities = 0;
    restored
        .reader()
        .base_entities(&mut |_, _| entities += 1)
        .unwrap();
    assert_eq!(entities, 2);
}

#[test]
fn what_is_not_the_beginning_of_the_log_does_not_leave_it() {
    let place = Place::new(&[1; 6], 0);
    let other = Place::new(&[1; 6], 1);
    let upserts = [put("a", "1")];
    let journal = || SqliteJournal::open(&place.data).unwrap();
    let first = place.seal(&journal(), 2, &[]);
    let foreign = other.seal(&SqliteJournal::open(&other.data).unwrap(), 2, &[]);
    let all = place.seal(&journal(), 6, &[]);
    let cases = [
        ("of another log", foreign, &[][..]),
        ("all of the log", all, &[]),
        ("another state", first.clone(), &upserts),
    ];
    for (what, checkpoint, upserts) in cases {
        let mut journal = journal();
        let refused = journal.archive(&checkpoint, upserts).unwrap_err();
        assert!(
            matches!(refused, JournalError::Invalid { .. }),
            "{what}: {refused}"
        );
        let later = journal.append(&frame(7, 1, 0)).unwrap_err();
        assert!(matches!(later, JournalError::Poisoned), "{what}: {later}");
    }
    assert_eq!(read_all(&mut place.reader(), usize::MAX), place.all);
    // A gap: the second segment before the first.
    let mut opened = journal();
    opened.archive(&first, &[]).unwrap();
    drop(opened);
    let second = place.seal(&journal(), 2, &[]);
    assert!(journal().archive(&first, &[]).is_err(), "the same again");
    journal().archive(&second, &[]).unwrap();
    check(&place, &[first, second]).unwrap();
}

#[test]
fn a_segment_that_is_not_the_one_is_refused() {
    let place = Place::new(&[2; 9], 0);
    let other = Place::new(&[2; 9], 1);
    let checkpoint = place.archive(4, &[]);
    let good = fs::read(place.segment(&checkpoint)).unwrap();
    let foreign = fs::read(other.segment(&other.archive(4, &[]))).unwrap();
    let part = fs::read(other.segment(&other.archive(3, &[]))).unwrap();
    let mut resigned = good.clone();
    resigned[300] ^= 1;
    let cases = [
        ("another realm's", foreign, "another realm"),
        ("another part", part, "another realm"),
        ("empty", Vec::new(), "cut short"),
        ("a header alone", good[..HEADER_BYTES].to_vec(), "length"),
        ("one byte short", good[..good.len() - 1].to_vec(), "length"),
        (
            "one byte longer",
            [good.clone(), vec![0]].concat(),
            "length",
        ),
        ("another file", vec![b'x'; 5000], "begin as a segment"),
        ("another signature", resigned, "signature"),
    ];
    for (what, bytes, expected) in cases {
        fs::write(place.segment(&checkpoint), bytes).unwrap();
        let error = place.with_archive().read_from(1, 0).unwrap_err();
        assert!(
            matches!(error, JournalError::BadSegment { .. }),
            "{what}: {error}"
        );
        assert!(error.to_string().contains(expected), "{what}: {error}");
    }
    // Any bit, also of the blocks.
    for at in (0..good.len()).step_by(23) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(place.segment(&checkpoint), bytes).unwrap();
        let read = place.with_archive().read_from(1, 0);
        assert!(read.is_err(), "byte {at}");
    }
    fs::remove_file(place.segment(&checkpoint)).unwrap();
    let error = place.with_archive().read_from(1, 0).unwrap_err();
    assert!(is_archived(&error, &checkpoint), "{error}");
    assert!(error.to_string().contains("which is not in"), "{error}");
    // What is in the log needs no segment.
    let next = checkpoint.last + 1;
    assert_eq!(
        place
            .with_archive()
            .read_from(next, usize::MAX)
            .unwrap()
            .len(),
        5
    );
}

#[test]
fn a_file_of_the_same_name_is_replaced_only_by_the_same_facts() {
    let place = Place::new(&[2; 6], 0);
    let other = Place::new(&[2; 6], 1);
    let seal = |place: &Place, folder: &Path| {
        let mut builder = SegmentBuilder::new(None, Head::EMPTY);
        for stored in place.all.iter().take(3) {
            builder.push(stored.clone()).unwrap();
        }
        builder.seal(StateSum::default(), &key()).write(folder)
    };
    seal(&place, &place.archive).unwrap();
    // An attempt that was interrupted before the frames left.
    seal(&place, &place.archive).unwrap();
    let refused = seal(&other, &place.archive).unwrap_err();
    assert!(
        matches!(refused, JournalError::BadSegment { .. }),
        "{refused}"
    );
    assert_eq!(fs::read_dir(&place.archive).unwrap().count(), 1);
}

#[test]
fn a_log_without_its_beginning_or_its_record_is_damaged() {
    let place = Place::new(&[2; 6], 0);
    place.archive(3, &[put("a", "1")]);
    let db = || Connection::open(place.data.join("log.db")).unwrap();
    // The record says less than has left.
    db().execute_batch("DELETE FROM frames WHERE first = 7")
        .unwrap();
    let refused = SqliteJournal::open(&place.data).unwrap_err();
    assert!(
        matches!(refused, JournalError::Corrupt { position: 7, .. }),
        "{refused}"
    );
    // The record itself.
    db().execute_batch(
        "UPDATE segments SET checkpoint = CAST(substr(checkpoint, 1, 200) || zeroblob(116) AS BLOB)",
    )
    .unwrap();
    let refused = place.reader().base().unwrap_err();
    assert!(
        matches!(refused, JournalError::BadSegment { .. }),
        "{refused}"
    );
}
