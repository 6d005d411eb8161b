//! The chip-seconds and the cost of a million input, cached and output tokens of a placement.
//!
//! Busy time is divided among the kinds of token by what each adds to a step, and idle time in the same
//! proportion. The three kinds together pay for every chip-second of the placement.

use serde::Serialize;

use crate::cluster::{CellResult, Pool};
use crate::step::StepLoad;

/// Chip-seconds and dollars for a million tokens of each kind, idle and spare chips included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TokenCosts {
    /// Chip-seconds for a million prompt tokens that are computed.
    pub chip_seconds_per_million_input_tokens: f64,
    /// Chip-seconds for a million prompt tokens found in the prefix cache.
    pub chip_seconds_per_million_cached_tokens: f64,
    /// Chip-seconds for a million answer tokens.
    pub chip_seconds_per_million_output_tokens: f64,
    /// Price of a chip-second, dollars; absent without a price.
    pub usd_per_chip_second: Option<f64>,
}

/// Length of the prompt from which the marginal times are computed, tokens.
const PROMPT_TOKENS: u32 = 512;
/// Cached context before it, tokens.
const CONTEXT_TOKENS: u32 = 4096;
/// Prompts never get more than this share of busy time: the rest is the answers'.
const MOST_PROMPT_SHARE: f64 = 0.9;

impl TokenCosts {
    /// The costs when the same tokens are served by `factor` times as many chips.
    #[must_use]
    pub fn times(mut self, factor: f64) -> Self {
        self.chip_seconds_per_million_input_tokens *= factor;
        self.chip_seconds_per_million_cached_tokens *= factor;
        self.chip_seconds_per_million_output_tokens *= factor;
        self
    }

    /// Dollars for a million input, cached and output tokens; absent without a price.
    #[must_use]
    pub fn usd_per_million(&self) -> Option<(f64, f64, f64)> {
        let usd = self.usd_per_chip_second?;
        Some((
            usd * self.chip_seconds_per_million_input_tokens,
            usd * self.chip_seconds_per_million_cached_tokens,
            usd * self.chip_seconds_per_million_output_tokens,
        ))
    }
}

/// Divides the chip-seconds of one simulated cell among its tokens.
pub(super) fn token_costs(
    pool: &Pool,
    cell: &CellResult,
    usd_per_chip_hour: Option<f64>,
) -> Option<TokenCosts> {
    let r = &cell.recorder;
    let table = pool.tables.first()?;
    let prompt_ps = |context: u64| {
        table.mixed_ps(&StepLoad {
            prefill_tokens: PROMPT_TOKENS,
            prefill_sequences: 1,
            prefill_context_tokens: StepLoad::prefill_context(context, PROMPT_TOKENS.into()),
            ..StepLoad::default()
        }) as f64
    };
    let alone = prompt_ps(0);
    let input_ps = alone / f64::from(PROMPT_TOKENS);
    let cached_ps = (prompt_ps(CONTEXT_TOKENS.into()) - alone) / f64::from(CONTEXT_TOKENS);
    let (busy_ps, answers) = (r.busy_ps as f64, r.output_tokens as f64);
    if busy_ps <= 0.0 || answers <= 0.0 {
        return None;
    }
    let prompts_ps = input_ps * r.prefilled_tokens as f64 + cached_ps * r.cached_tokens as f64;
    let fair = (MOST_PROMPT_SHARE * busy_ps / prompts_ps.max(1.0)).min(1.0);
    let output_ps = (busy_ps - fair * prompts_ps) / answers;
    // Every busy picosecond of a replica also pays for its idle ones, chip by chip.
    let all_ps = (cell.up_s + cell.down_s + cell.drained_s + cell.cold_s) * 1e12;
    let chip_seconds = pool.replica_chips() as f64 * (all_ps / busy_ps).max(1.0) * 1e-12 * 1e6;
    Some(TokenCosts {
        chip_seconds_per_million_input_tokens: input_ps * fair * chip_seconds,
        chip_seconds_per_million_cached_tokens: cached_ps.max(0.0) * fair * chip_seconds,
        chip_seconds_per_million_output_tokens: output_ps * chip_seconds,
        usd_per_chip_second: usd_per_chip_hour.map(|usd| usd / 3600.0),
    })
}
