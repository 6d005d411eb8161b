//! One replica of a model, iteration by iteration.
//!
//! Holds the scheduler that serving engines share (continuous batching with chunked prefill under a token
//! budget, cache blocks of 16 tokens, pre-emption by recomputation, a prefix cache with least-recently-used
//! eviction) and the record of what happened to each request. The rules are those of vLLM's V1 scheduler,
//! with two stated differences: a prompt's blocks are reserved when it is admitted rather than chunk by
//! chunk, and decodes come before prompt chunks within a step.
//!
//! While no request joins or leaves the batch, the steps between two events are not simulated one by one:
//! their times form an arithmetic series in the growing context, and the sum is computed in closed form in
//! whole picoseconds. The result is exactly that of one step at a time; a property test compares it with a
//! plain step-by-step scheduler.
//!
//! It never routes between replicas and never draws random numbers.

mod cache;
mod clock;
mod job;
mod metrics;
mod replica;
mod table;

pub(crate) use cache::MixedMap;
pub use clock::TokenClock;
pub use job::{Job, JobId, Jobs};
pub use metrics::{Histogram, Outcome, Recorder, SeriesBin, Slo, WeightedHistogram};
pub use replica::{Context, Handoff, Replica, Role};
pub use table::StepTable;

/// Tokens in a cache block, as in vLLM.
pub const BLOCK_TOKENS: u32 = 16;

/// Picoseconds in a nanosecond: the engine counts picoseconds so that sums of step times are exact.
pub const PS_PER_NS: u64 = 1_000;

/// Picoseconds in a second.
pub const PS_PER_S: f64 = 1e12;

/// Settings of one replica's scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// Most sequences that run at once.
    pub max_sequences: u32,
    /// Most tokens in a step: one for each decoding sequence (more with speculation), the rest for
    /// prompt chunks.
    pub token_budget: u32,
    /// Cache blocks of [`BLOCK_TOKENS`] tokens.
    pub kv_blocks: u64,
    /// Most requests that wait at a replica; more are rejected.
    pub max_waiting: u32,
    /// Whether blocks of finished prompts are kept for others.
    pub prefix_cache: bool,
}

impl EngineConfig {
    /// Blocks that stay free when a request is admitted while others run, so that those can grow: one in a
    /// hundred, like vLLM's watermark.
    #[must_use]
    pub fn watermark_blocks(&self) -> u64 {
        self.kv_blocks / 100
    }
}
