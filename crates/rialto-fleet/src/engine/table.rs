//! The step-time model compiled for one deployment: integer picoseconds, affine in the context.
//!
//! For each batch size the decode step time is taken to be linear in the context between points chosen so
//! that the chord stays within a third of a percent of the model (tested); the roofline is linear except
//! for a knee where compute takes longer than memory, so few points are enough. Steps with prompt chunks
//! call the model itself.

use super::{PS_PER_S, TokenClock};
use crate::step::{StepLoad, StepModel};

/// Mean context, tokens, up to which lines are fitted; the last one runs on past it.
const MEAN_CONTEXT_END: u64 = 262_144;

/// Largest relative difference between a line and the model at the points compared.
const TOLERANCE: f64 = 0.003;

/// Decode step time `base + slope * context`, picoseconds, up to a total context.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StepLine {
    pub(super) base_ps: i64,
    pub(super) slope_ps: u64,
    /// The line holds below this total context.
    pub(super) below: u64,
    power_w: f32,
}

impl StepLine {
    /// Time of one step over a total context.
    pub(super) fn at(&self, context: u64) -> u64 {
        (self.base_ps + (self.slope_ps * context) as i64).max(1) as u64
    }
}

/// Step times and power of one deployment, shared by all its replicas.
#[derive(Clone, Debug)]
pub struct StepTable {
    model: StepModel,
    slowdown: f64,
    clock: TokenClock,
    verified_tokens: u32,
    lines: Vec<StepLine>,
    /// Where the lines of each number of sequences start, from 1; one more entry at the end.
    starts: Vec<u32>,
    idle_power_w: f64,
}

impl StepTable {
    /// Compiles a model for up to `max_sequences` sequences. Every step takes `slowdown` times as
    /// long as the model says: 1 for a healthy replica, more for a straggler. `verified_tokens` is
    /// the share of the token budget a decoding sequence takes: 1, or 1 + drafted tokens.
    #[must_use]
    pub fn compile(
        model: &StepModel,
        max_sequences: u32,
        verified_tokens: u32,
        slowdown: f64,
    ) -> Self {
        let mut lines = Vec::new();
        let mut starts = vec![0];
        for sequences in 1..=max_sequences {
            add_lines(&mut lines, model, sequences, slowdown);
            starts.push(lines.len() as u32);
        }
        Self {
            model: model.clone(),
            slowdown,
            clock: TokenClock::new(model.tokens_per_decode_step()),
            verified_tokens: verified_tokens.max(1),
            lines,
            starts,
            idle_power_w: model.idle_energy(crate::units::Nanos(1_000_000_000)).0,
        }
    }

    /// The same deployment with every step `factor` times as long.
    #[must_use]
    pub fn slower(&self, factor: f64) -> Self {
        let mut table = self.clone();
        table.slowdown *= factor;
        for line in &mut table.lines {
            line.base_ps = (line.base_ps as f64 * factor).round() as i64;
            line.slope_ps = (line.slope_ps as f64 * factor).round() as u64;
        }
        table
    }

    /// The line for `sequences` decoding sequences (at least 1) over `context` tokens in all.
    pub(super) fn line(&self, sequences: u32, context: u64) -> &StepLine {
        let place = sequences as usize;
        let row = &self.lines[self.starts[place - 1] as usize..self.starts[place] as usize];
        row.iter()
            .find(|line| context < line.below)
            .unwrap_or(&row[row.len() - 1])
    }

    /// Time of a step with prompt chunks, picoseconds.
    #[must_use]
    pub fn mixed_ps(&self, load: &StepLoad) -> u64 {
        to_ps(self.model.step_seconds(load) * self.slowdown)
    }

    /// Energy of a step with prompt chunks, joules.
    pub(super) fn mixed_joules(&self, load: &StepLoad) -> f64 {
        self.model.energy(load).0 * self.slowdown
    }

    /// Energy of decode steps that take `ps` in all, joules.
    pub(super) fn decode_joules(&self, line: &StepLine, ps: u64) -> f64 {
        f64::from(line.power_w) * (ps as f64 / PS_PER_S)
    }

    /// Power of a replica that waits, watts.
    #[must_use]
    pub fn idle_power_w(&self) -> f64 {
        self.idle_power_w
    }

    /// Tokens per step.
    #[must_use]
    pub fn clock(&self) -> TokenClock {
        self.clock
    }

    /// Tokens of the step budget that one decoding sequence takes.
    #[must_use]
    pub fn verified_tokens(&self) -> u32 {
        self.verified_tokens
    }

    /// Time of one decode step of `sequences` (at least 1) over `context` tokens in all,
    /// picoseconds.
    #[must_use]
    pub fn decode_ps(&self, sequences: u32, context: u64) -> u64 {
        self.line(sequences, context).at(context)
    }
}

fn to_ps(seconds: f64) -> u64 {
    ((seconds * PS_PER_S).round() as u64).max(1)
}

/// Lines for one batch size: each doubling of the mean context is halved until the chord follows
/// the model at the quarter points.
fn add_lines(lines: &mut Vec<StepLine>, model: &StepModel, sequences: u32, slowdown: f64) {
    let count = u64::from(sequences);
    let seconds = |mean: u64| model.step_seconds(&StepLoad::decode(sequences, mean)) * slowdown;
    let mut pending: Vec<(u64, u64)> = (0..)
        .map(|i| MEAN_CONTEXT_END >> i)
        .take_while(|to| *to > 64)
        .map(|to| (to / 2, to))
        .collect();
    pending.push((0, 64));
    while let Some((from, to)) = pending.pop() {
        let (low, high) = (seconds(from), seconds(to));
        let follows = |quarter: u64| {
            let chord = low + (high - low) * quarter as f64 / 4.0;
            (chord / seconds(from + (to - from) * quarter / 4) - 1.0).abs() < TOLERANCE
        };
        if to - from > 16 && !(1..4).all(follows) {
            let middle = from.midpoint(to);
            pending.push((middle, to));
            pending.push((from, middle));
            continue;
        }
        let width = (to - from) * count;
        let slope_ps = (to_ps(high).saturating_sub(to_ps(low)) + width / 2) / width;
        let base_ps = to_ps(low) as i64 - (slope_ps * from * count) as i64;
        let load = StepLoad::decode(sequences, from.midpoint(to));
        let power_w = (model.energy(&load).0 / model.step_seconds(&load).max(1e-12)) as f32;
        let below = if to == MEAN_CONTEXT_END {
            u64::MAX
        } else {
            to * count
        };
        lines.push(StepLine {
            base_ps,
            slope_ps,
            below,
            power_w,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::step::{Deployment, Engine, Parameters, Plan};

    #[test]
    fn the_table_follows_the_model() {
        let c = Catalogue::shipped().unwrap();
        for (model, chip, tensor) in [
            ("llama3.1-8b", "h100_sxm", 1),
            ("llama3.1-70b", "trainium2", 16),
            ("gpt-oss-120b", "h100_sxm", 4),
        ] {
            let d = Deployment::new(
                c.chip(chip).unwrap(),
                c.model(model).unwrap(),
                c.precision("bf16").unwrap(),
                Plan::tensor(tensor),
                Engine::Vllm,
            )
            .unwrap();
            let step = StepModel::new(&d, &Parameters::shipped().unwrap());
            let table = StepTable::compile(&step, 256, 1, 1.0);
            for sequences in [1, 7, 64, 255, 256] {
                for mean in [1, 100, 511, 512, 700, 1500, 3000, 9000, 40_000, 200_000] {
                    let load = StepLoad::decode(sequences, mean);
                    let exact = step.step_seconds(&load);
                    let got =
                        table.decode_ps(sequences, u64::from(sequences) * mean) as f64 / PS_PER_S;
                    let error = (got / exact - 1.0).abs();
                    assert!(error < 0.005, "{model} {sequences}x{mean}: {got} {exact}");
                }
            }
        }
    }
}
