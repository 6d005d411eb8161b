//! The journal from outside, both backends: append and read, faults, erasure, archive,
//! backup, entities.

#![allow(clippy::unwrap_used, reason = "a test's helper may fail the test")]

mod archive;
mod backup;
mod entities;
mod erasure;
mod files;
mod kill;
mod log;
mod memory_faults;
mod private;
mod staged;

use rialto_journal::{Content, Frame, Position, content_id};

/// A frame with envelopes that tell their position, and a content of each given size.
fn frame(first: Position, count: u64, content_bytes: &[usize]) -> Frame {
    let envelopes = (first..first + count).map(envelope).collect();
    let contents = (0..)
        .zip(content_bytes)
        .map(|(ordinal, bytes)| content(first, ordinal, *bytes))
        .collect();
    Frame {
        first,
        envelopes,
        contents,
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

fn marker(position: Position, ordinal: u16) -> String {
    format!("<secret-{position:06}-{ordinal:03}>")
}
