//! The newest frames of the log, kept in memory so that inboxes and views need not read them back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rialto_core::event::Envelope;
use rialto_journal::{Content, Frame, JournalError, LogReader, content_position};
use rialto_wire::body::content_hash;

use super::boot::{BootError, decode};

/// The most bytes of facts and contents that are kept.
const KEEP_BYTES: usize = 32 << 20;

/// An envelope with its contents.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The envelope.
    pub envelope: Envelope,
    /// Its contents, except erased ones.
    pub contents: Vec<Content>,
}

/// The newest frames.
#[derive(Default)]
pub struct Tail(Mutex<Frames>);

#[derive(Default)]
struct Frames {
    frames: VecDeque<(Arc<Frame>, usize)>,
    bytes: usize,
}

fn size(frame: &Frame) -> usize {
    let facts: usize = frame.envelopes.iter().map(Vec::len).sum();
    let contents: usize = frame.contents.iter().map(|c| c.bytes.len() + 32).sum();
    facts + contents + 64
}

impl Tail {
    pub(super) fn push(&self, frame: Frame) {
        let size = size(&frame);
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.bytes += size;
        tail.frames.push_back((Arc::new(frame), size));
        while tail.bytes > KEEP_BYTES && tail.frames.len() > 1 {
            if let Some((_, size)) = tail.frames.pop_front() {
                tail.bytes -= size;
            }
        }
    }

    /// Forgets everything: something in it was erased.
    pub(super) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Frames::default();
    }

    /// The frame that holds a position, if it is still here.
    #[must_use]
    pub fn frame(&self, position: u64) -> Option<Arc<Frame>> {
        let tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let after = tail.frames.partition_point(|(f, _)| f.first <= position);
        let (frame, _) = tail.frames.get(after.checked_sub(1)?)?;
        let last = frame.first + frame.envelopes.len() as u64 - 1;
        (position <= last).then(|| frame.clone())
    }

    /// The envelope at a position with its contents, from memory or else from the log; what is archived
    /// out of reach comes from `archived`, which has the facts from elsewhere.
    ///
    /// # Errors
    /// As the reader's; [`BootError::Corrupt`] when what is there is no envelope.
    pub fn seen(
        &self,
        position: u64,
        reader: &mut dyn LogReader,
        archived: impl FnOnce() -> Result<Option<Envelope>, BootError>,
    ) -> Result<Option<Seen>, BootError> {
        if let Some(frame) = self.frame(position) {
            let mut seen = seen_in(&frame, position)?;
            self.add_earlier(&mut seen, position, reader)?;
            return Ok(Some(seen));
        }
        let envelope = match reader.envelope(position) {
            Ok(facts) => facts.map(|facts| decode(position, &facts)).transpose()?,
            Err(error @ JournalError::Archived { .. }) => Some(archived()?.ok_or(error)?),
            Err(error) => return Err(error.into()),
        };
        let Some(envelope) = envelope else {
            return Ok(None);
        };
        let contents = checked_contents(reader, &envelope)?;
        Ok(Some(Seen { envelope, contents }))
    }

    /// Adds the contents of an earlier envelope: a parked offer names the texts of its original
    /// request.
    fn add_earlier(
        &self,
        seen: &mut Seen,
        position: u64,
        reader: &mut dyn LogReader,
    ) -> Result<(), BootError> {
        let events = &seen.envelope.events;
        let named = events.iter().flat_map(super::content_refs).map(|c| c.id.0);
        let earlier: Vec<u64> = named
            .filter(|id| content_position(*id) != position)
            .filter(|id| seen.contents.iter().all(|c| c.id != *id))
            .collect();
        for id in earlier {
            let found = match self.frame(content_position(id)) {
                Some(frame) => frame.contents.iter().find(|c| c.id == id).cloned(),
                None => reader.content(id)?,
            };
            seen.contents.extend(found);
        }
        Ok(())
    }
}

/// The contents that an envelope names, except erased ones, each compared with the hash in its
/// fact: the log's own checksums do not cover contents, because they can be erased.
///
/// # Errors
/// As the reader's; [`BootError::Corrupt`] when one is not what was written.
pub(super) fn checked_contents(
    reader: &mut dyn LogReader,
    envelope: &Envelope,
) -> Result<Vec<Content>, BootError> {
    let mut contents = Vec::new();
    for named in envelope.events.iter().flat_map(super::content_refs) {
        let Some(content) = reader.content(named.id.0)? else {
            continue;
        };
        if content_hash(&content.salt, &content.bytes) != named.hash {
            return Err(BootError::Corrupt {
                position: envelope.position,
                what: "a text does not match its hash",
            });
        }
        contents.push(content);
    }
    Ok(contents)
}

pub(super) fn seen_in(frame: &Frame, position: u64) -> Result<Seen, BootError> {
    let index = usize::try_from(position - frame.first).unwrap_or(usize::MAX);
    let facts = frame.envelopes.get(index).ok_or(BootError::Corrupt {
        position,
        what: "not in its frame",
    })?;
    let envelope = decode(position, facts)?;
    // Contents stand in ascending order of id, so those of a position stand together.
    let from = frame
        .contents
        .partition_point(|c| content_position(c.id) < position);
    let until = frame
        .contents
        .partition_point(|c| content_position(c.id) <= position);
    let contents = frame.contents.get(from..until).unwrap_or_default().to_vec();
    Ok(Seen { envelope, contents })
}
