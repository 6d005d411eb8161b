//! The newest frames of the log, kept in memory so that inboxes and views need not read them back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rialto_core::event::Envelope;
use rialto_core::text::ContentRef;
use rialto_journal::{Content, ContentName, JournalError, LogReader, content_position};
use rialto_wire::body::content_hash;

use super::boot::{BootError, decode};
use super::engine::Batch;

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
    frames: VecDeque<(Arc<Batch>, usize)>,
    bytes: usize,
}

fn size(batch: &Batch) -> usize {
    let facts: usize = batch.frame.envelopes.iter().map(Vec::len).sum();
    let texts: usize = batch.texts.iter().map(|c| c.bytes.len() + 64).sum();
    facts + texts + 64
}

impl Tail {
    pub(super) fn push(&self, batch: Batch) {
        let size = size(&batch);
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.bytes += size;
        tail.frames.push_back((Arc::new(batch), size));
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

    /// The frame that holds a position, with its texts, if it is still here.
    #[must_use]
    pub fn batch(&self, position: u64) -> Option<Arc<Batch>> {
        let tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let frames = &tail.frames;
        let after = frames.partition_point(|(batch, _)| batch.frame.first <= position);
        let (batch, _) = frames.get(after.checked_sub(1)?)?;
        let last = batch.frame.first + batch.frame.envelopes.len() as u64 - 1;
        (position <= last).then(|| batch.clone())
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
        if let Some(batch) = self.batch(position) {
            let mut seen = seen_in(&batch, position)?;
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
        let named = events.iter().flat_map(super::content_refs);
        let earlier: Vec<ContentRef> = named
            .filter(|named| content_position(named.id.0) != position)
            .filter(|named| seen.contents.iter().all(|c| c.id != named.id.0))
            .collect();
        for named in earlier {
            let found = match self.batch(content_position(named.id.0)) {
                Some(batch) => batch.texts.iter().find(|c| c.id == named.id.0).cloned(),
                None => reader.content(&name_of(&named))?,
            };
            seen.contents.extend(found);
        }
        Ok(())
    }
}

/// How the journal knows a content.
#[must_use]
pub fn name_of(named: &ContentRef) -> ContentName {
    ContentName {
        hash: *named.hash.bytes(),
        id: named.id.0,
    }
}

/// How the journal knows contents of which only the ids are at hand: the facts that brought them
/// say. An id that they do not name has no hash there, and may still be that of a content of the
/// first format.
///
/// # Errors
/// As the reader's; [`BootError::Corrupt`] when what is at its position is no envelope.
pub(super) fn names_of(
    reader: &mut dyn LogReader,
    ids: &[u64],
) -> Result<Vec<ContentName>, BootError> {
    let mut names = Vec::with_capacity(ids.len());
    for id in ids {
        let position = content_position(*id);
        let mut found = None;
        if let Some(facts) = reader.envelope(position)? {
            let envelope = decode(position, &facts)?;
            let mut named = envelope.events.iter().flat_map(super::content_refs);
            found = named.find(|named| named.id.0 == *id);
        }
        names.push(found.as_ref().map_or_else(
            || ContentName {
                hash: [0; 32],
                id: *id,
            },
            name_of,
        ));
    }
    Ok(names)
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
        let Some(content) = reader.content(&name_of(&named))? else {
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

pub(super) fn seen_in(batch: &Batch, position: u64) -> Result<Seen, BootError> {
    let Batch { frame, texts } = batch;
    let index = usize::try_from(position - frame.first).unwrap_or(usize::MAX);
    let facts = frame.envelopes.get(index).ok_or(BootError::Corrupt {
        position,
        what: "not in its frame",
    })?;
    let envelope = decode(position, facts)?;
    // Contents stand in ascending order of id, so those of a position stand together.
    let from = texts.partition_point(|c| content_position(c.id) < position);
    let until = texts.partition_point(|c| content_position(c.id) <= position);
    let contents = texts.get(from..until).unwrap_or_default().to_vec();
    Ok(Seen { envelope, contents })
}
