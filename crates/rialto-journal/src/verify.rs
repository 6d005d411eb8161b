//! Walks a log and recomputes its chain, from where its reader begins.
//!
//! Never looks at contents: they are outside the chain.

use crate::{Head, JournalError, LogReader};

/// Facts read at a time, in bytes.
const STEP_BYTES: usize = 8 << 20;

/// What a verified log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Where the walk began: at nothing, or at the end of what is archived out of reach.
    pub start: Head,
    /// Frames (commits).
    pub frames: u64,
    /// Envelopes.
    pub envelopes: u64,
    /// Bytes in the envelopes.
    pub envelope_bytes: u64,
    /// End of the verified chain.
    pub head: Head,
}

/// Reads every frame from the reader's first one to the head as it stands at the start, verifying
/// checksums, positions and chain; calls `progress(position, head_position)` after each step of some
/// megabytes.
///
/// # Errors
/// The first damage met, with its position.
pub fn verify(
    reader: &mut dyn LogReader,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, JournalError> {
    let end = reader.head()?;
    let start = reader.start()?;
    let mut report = Verification {
        start,
        frames: 0,
        envelopes: 0,
        envelope_bytes: 0,
        head: start,
    };
    while report.head.position < end.position {
        let frames = reader.read_from(report.head.position + 1, STEP_BYTES)?;
        if frames.is_empty() {
            return Err(JournalError::corrupt(
                report.head.position + 1,
                "the log ends before its head",
            ));
        }
        for frame in frames
            .iter()
            .take_while(|frame| frame.first <= end.position)
        {
            if frame.first != report.head.position + 1 || frame.previous != report.head.chain {
                return Err(JournalError::corrupt(
                    frame.first,
                    "the frame does not follow the one before",
                ));
            }
            report.frames += 1;
            report.envelopes += frame.envelopes.len() as u64;
            report.envelope_bytes += frame.envelopes.iter().map(|e| e.len() as u64).sum::<u64>();
            report.head = Head {
                position: frame.last(),
                chain: frame.chain,
            };
        }
        progress(report.head.position, end.position);
    }
    if report.head != end {
        return Err(JournalError::corrupt(
            end.position,
            "the chain does not end in the log's head",
        ));
    }
    Ok(report)
}
