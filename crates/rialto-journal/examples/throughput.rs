//! Measures the journal on this machine's disk: durable frames, replay, texts, entity upserts.
//!
//! `cargo run --release -p rialto-journal --example throughput -- FOLDER [frames|texts|entities]` (a new
//! folder on the disk to measure; it stays behind).

use std::io::{Write as _, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use rialto_journal::entities::{EntityStore, SqliteEntities, Upsert};
use rialto_journal::sqlite::SqliteJournal;
use rialto_journal::{ContentName, Frame, Journal, JournalError, content_id, verify};

const ENVELOPE_BYTES: usize = 200;
const ENTITY_BYTES: usize = 100;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("usage: throughput FOLDER [WHAT]")?;
    let folder = Path::new(&folder);
    let only = args.next();
    let wanted = |what: &str| only.as_deref().is_none_or(|only| only == what);
    if wanted("frames") {
        for (batch, commits) in [(1, 5_000), (16, 5_000), (256, 4_000), (4096, 500)] {
            frames(&folder.join(format!("log-{batch}")), batch, commits)?;
        }
    }
    if wanted("texts") {
        for (batch, commits) in [(1, 2_000), (128, 1_000), (1_024, 200)] {
            texts(&folder.join(format!("texts-{batch}")), batch, commits)?;
        }
    }
    if wanted("entities") {
        entities(&folder.join("entities"))?;
    }
    Ok(())
}

/// One text of 66 bytes an envelope: staged, appended, and read back in order.
fn texts(folder: &Path, batch: u64, commits: u64) -> Outcome {
    let mut journal = SqliteJournal::open(folder)?;
    let contents = journal.contents();
    let mut names = Vec::new();
    let (mut staging, mut appending) = (Duration::ZERO, Duration::ZERO);
    for commit in 0..commits {
        let first = journal.head().position + 1;
        let of_frame = (0..batch).map(|i| {
            let hash = hash(commit * batch + i);
            let id = content_id(first + i, 0).unwrap_or(0);
            ContentName { hash, id }
        });
        let of_frame: Vec<ContentName> = of_frame.collect();
        let begun = Instant::now();
        let staged = of_frame
            .iter()
            .map(|name| contents.put(&name.hash, &[7; 16], &[b'x'; 66]))
            .collect::<Result<Vec<_>, _>>()?;
        staging += begun.elapsed();
        let frame = Frame {
            first,
            envelopes: of_frame
                .iter()
                .map(|name| filler(name.id, ENVELOPE_BYTES))
                .collect(),
            contents: of_frame.iter().map(|name| name.hash).collect(),
        };
        let begun = Instant::now();
        journal.append(&frame)?;
        drop(staged);
        appending += begun.elapsed();
        names.extend(of_frame);
    }
    let mut reader = journal.reader();
    let begun = Instant::now();
    for some in names.chunks(512) {
        if reader.contents(some)?.iter().any(Option::is_none) {
            return Err("a text is missing".into());
        }
    }
    let us = |time: Duration| time.as_secs_f64() * 1e6 / names.len() as f64;
    writeln!(
        stdout(),
        "texts {batch:>5} a frame: staged in {:.1} us, appended in {:.1} us, read in {:.1} us each",
        us(staging),
        us(appending),
        us(begun.elapsed())
    )?;
    Ok(())
}

/// Numbers that look drawn, as hashes do.
fn hash(seed: u64) -> [u8; 32] {
    let mut hash = [0; 32];
    for (chunk, n) in hash.chunks_mut(8).zip(1..) {
        let mixed = (seed * 4 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 29)).to_le_bytes());
    }
    hash
}

fn frames(folder: &Path, batch: usize, commits: u64) -> Outcome {
    let mut journal = SqliteJournal::open(folder)?;
    let mut waits = Vec::new();
    for commit in 0..commits {
        let envelopes = (0..batch)
            .map(|i| filler(commit * 7919 + i as u64, ENVELOPE_BYTES))
            .collect();
        let frame = Frame {
            first: journal.head().position + 1,
            envelopes,
            contents: Vec::new(),
        };
        let before = Instant::now();
        journal.append(&frame)?;
        waits.push(before.elapsed());
    }
    let busy: Duration = waits.iter().sum();
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let per_s = commits as f64 / busy.as_secs_f64();
    write!(
        stdout(),
        "append {batch:>4} x {ENVELOPE_BYTES} B: {per_s:>7.0} frames/s {:>9.0} envelopes/s",
        per_s * batch as f64
    )?;
    write!(
        stdout(),
        "  p50 {:.2} p99 {:.2} max {:.2} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    )?;
    let start = Instant::now();
    let report = verify(&mut *journal.reader(), &mut |_, _| {})?;
    writeln!(
        stdout(),
        "  verify {:>9.0} envelopes/s",
        report.envelopes as f64 / start.elapsed().as_secs_f64()
    )?;
    Ok(())
}

fn entities(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder)?;
    for (count, batch) in [
        (100_000, 4096),
        (100_000, 16384),
        (1_000_000, 4096),
        (1_000_000, 16384),
    ] {
        let mut store = SqliteEntities::open(&folder.join(format!("{count}-{batch}.db")))?;
        let fresh = upserts(&mut store, batch, count, |i| i)?;
        let updates = upserts(&mut store, batch, count.max(400_000), |i| {
            i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % count
        })?;
        let hot = upserts(&mut store, batch, count.max(400_000), |i| {
            i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (count / 20)
        })?;
        let start = Instant::now();
        let state = store.load(&mut |_, _| {})?;
        let load = state.count as f64 / start.elapsed().as_secs_f64();
        writeln!(
            stdout(),
            "entities {count:>7} by {batch:>5}: insert {fresh:>7.0}/s, update anywhere {updates:>7.0}/s, update in 5 % {hot:>7.0}/s, load {load:>8.0}/s"
        )?;
    }
    Ok(())
}

/// Applies changes in batches and gives how many a second.
fn upserts(
    store: &mut SqliteEntities,
    batch: u64,
    count: u64,
    key: impl Fn(u64) -> u64,
) -> Result<f64, JournalError> {
    let mut busy = Duration::ZERO;
    let mut done = 0;
    while done < count {
        let changes: Vec<Upsert> = (done..count.min(done + batch))
            .map(|i| {
                let key = key(i);
                // Two tables of entities with ids in order, as a state has them.
                let table = [if key.is_multiple_of(2) { 1 } else { 2 }];
                (
                    [&table[..], &key.to_be_bytes()].concat(),
                    Some(filler(i ^ done, ENTITY_BYTES)),
                )
            })
            .collect();
        let start = Instant::now();
        store.apply(store.state().position + 1, [1; 32], &changes)?;
        busy += start.elapsed();
        done += changes.len() as u64;
    }
    Ok(count as f64 / busy.as_secs_f64())
}

fn filler(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed | 1;
    (0..bytes)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}
