//! What arrives at the fleet: recorded traces, and generators fitted to them.
//!
//! Holds the request as the twin sees it (when, how long, which prefix it shares), parsers for four trace
//! formats ([`trace`]), and generators ([`model`]) that reproduce a trace's rate curve, bursts, lengths and
//! sessions at any scale. It never opens a file: callers pass the text and the name to use in errors. It
//! never holds the content of a request, only token counts and hashes.

pub mod calls;
pub mod fit;
pub mod likeness;
pub mod model;
pub mod trace;

#[cfg(test)]
mod tests;

pub use calls::{Call, CallBasis, write_calls};
pub use fit::fit;
pub use likeness::{Pair, likeness};
pub use model::{Generator, Lengths, Sessions, Share, TrafficModel};
pub use trace::{Format, Trace, TraceError};
pub use trace::{format_time_ns, parse_day, parse_time_ns};

use crate::rng::mix64;

/// The most tokens one request may carry in either direction; more is refused as malformed.
pub const MAX_TOKENS: u32 = 16_777_216;

/// Which leading blocks of a prompt other requests share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefix {
    /// Nothing is known to be shared.
    #[default]
    Unique,
    /// Hashes `start .. start + len` of the trace's table, one a block.
    Listed {
        /// First entry in the table.
        start: u32,
        /// Number of blocks.
        len: u32,
    },
    /// A session whose prompts each extend the one before, opened by a prompt that all sessions
    /// of the same application share.
    Session {
        /// Names the shared opening.
        app: u64,
        /// How many leading blocks that opening fills.
        app_blocks: u32,
        /// Names the session.
        session: u64,
    },
}

/// One request: arrival, lengths and shared prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Arrival, nanoseconds from the start of the run.
    pub arrival_ns: u64,
    /// Prompt length in tokens, at least 1.
    pub input_tokens: u32,
    /// Answer length in tokens, at least 1.
    pub output_tokens: u32,
    /// What the prompt shares with others.
    pub prefix: Prefix,
}

/// The hashes behind [`Prefix::Listed`], and the number of tokens a hashed block holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixTable {
    hashes: Vec<u64>,
    block_tokens: u32,
}

impl PrefixTable {
    /// A table of hashes for blocks of `block_tokens` tokens (at least 1).
    #[must_use]
    pub fn new(block_tokens: u32, hashes: Vec<u64>) -> Self {
        Self {
            hashes,
            block_tokens: block_tokens.max(1),
        }
    }

    /// Tokens a hashed block holds.
    #[must_use]
    pub fn block_tokens(&self) -> u32 {
        self.block_tokens
    }

    /// How many whole blocks of the request's prompt have a hash.
    #[must_use]
    pub fn blocks(&self, request: &Request) -> u32 {
        let whole = request.input_tokens / self.block_tokens;
        match request.prefix {
            Prefix::Unique => 0,
            Prefix::Listed { len, .. } => whole.min(len),
            Prefix::Session { .. } => whole,
        }
    }

    /// The hash of block `index`; two requests share a block exactly when their hashes agree.
    #[must_use]
    pub fn hash(&self, prefix: Prefix, index: u32) -> u64 {
        match prefix {
            Prefix::Unique => 0,
            Prefix::Listed { start, .. } => self
                .hashes
                .get((start + index) as usize)
                .copied()
                .unwrap_or(0),
            Prefix::Session {
                app,
                app_blocks,
                session,
            } => {
                let owner = if index < app_blocks { app } else { session };
                mix64(owner ^ mix64(u64::from(index)))
            }
        }
    }
}

impl Default for PrefixTable {
    fn default() -> Self {
        Self::new(512, Vec::new())
    }
}
