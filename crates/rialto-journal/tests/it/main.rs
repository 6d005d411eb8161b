//! The journal from outside, both backends: append and read, faults, erasure, archive,
//! backup, entities.

#![allow(clippy::unwrap_used, reason = "a test's helper may fail the test")]

mod archive;
mod backup;
mod contents;
mod entities;
mod erasure;
mod files;
mod kill;
mod log;
mod memory_faults;
mod plain;
mod private;
mod staged;

use rialto_journal::{
    Content, ContentName, Frame, Hash, Head, Journal, JournalError, Position, Staged, content_id,
};

/// A frame with envelopes that tell their position, and so many contents.
fn frame(first: Position, count: u64, contents: usize) -> Frame {
    let envelopes = (first..first + count).map(envelope).collect();
    let contents = (0..).take(contents);
    Frame {
        first,
        envelopes,
        contents: contents.map(|ordinal| name(first, ordinal).hash).collect(),
    }
}

fn envelope(position: Position) -> Vec<u8> {
    format!(
        "envelope {position} {}",
        "x".repeat((position * 37 % 300) as usize)
    )
    .into_bytes()
}

/// Content whose bytes are full of a marker that is nowhere else.
fn content(position: Position, ordinal: u16, bytes: usize) -> Content {
    let marker = marker(position, ordinal);
    let bytes = marker.bytes().cycle().take(bytes).collect();
    let mut salt = [0; 16];
    // Printable, so that raw files can be searched as text.
    salt.copy_from_slice(&blake3::hash(marker.as_bytes()).to_hex().as_bytes()[..16]);
    Content {
        id: content_id(position, ordinal).unwrap(),
        salt,
        bytes,
    }
}

/// How facts would name that content.
fn name(position: Position, ordinal: u16) -> ContentName {
    ContentName {
        hash: hash(position, ordinal),
        id: content_id(position, ordinal).unwrap(),
    }
}

fn hash(position: Position, ordinal: u16) -> Hash {
    blake3::hash(format!("hash of {}", marker(position, ordinal)).as_bytes()).into()
}

fn marker(position: Position, ordinal: u16) -> String {
    format!("<secret-{position:06}-{ordinal:03}>")
}

/// Stages a content.
fn stage<J: Journal + ?Sized>(
    journal: &J,
    position: Position,
    ordinal: u16,
    bytes: usize,
) -> Result<Staged, JournalError> {
    let Content { salt, bytes, .. } = content(position, ordinal, bytes);
    let contents = journal.contents();
    contents.put(&hash(position, ordinal), &salt, &bytes)
}

/// Stages a content of each given size, and appends a frame that takes them.
fn append<J: Journal + ?Sized>(
    journal: &mut J,
    first: Position,
    count: u64,
    sizes: &[usize],
) -> Result<Head, JournalError> {
    let staged: Result<Vec<Staged>, JournalError> = (0..)
        .zip(sizes)
        .map(|(ordinal, bytes)| stage(journal, first, ordinal, *bytes))
        .collect();
    let _staged = staged?;
    journal.append(&frame(first, count, sizes.len()))
}

/// The same at the end of the log.
fn append_next<J: Journal + ?Sized>(
    journal: &mut J,
    count: u64,
    sizes: &[usize],
) -> Result<Head, JournalError> {
    let first = journal.head().position + 1;
    append(journal, first, count, sizes)
}
