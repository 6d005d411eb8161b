//! Generators of traffic, fitted to traces or written by hand.
//!
//! A [`TrafficModel`] is a non-homogeneous Poisson process whose rate is (mean rate) x (curve) x (burst):
//! the curve repeats, and the burst is a gamma variate of mean 1, drawn again for each window. Where
//! requests arrive in batches, every arrival waits for the next multiple of the batches' spacing. Lengths
//! come from quantile tables, outputs conditional on the input's quantile bin, so that marginals and
//! dependence are those of the trace; between the quantiles of the upper tail they follow a power law, not
//! a line. With sessions, arrivals open sessions whose turns extend one prompt. A thinned share of the
//! process ([`Share`]) is again such a process, and shares of one model are independent given the bursts
//! they have in common: this is what lets a cell of a large fleet be simulated by itself.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use super::{MAX_TOKENS, Prefix, Request};
use crate::rng::{Distributions, Rng, key, mix64};

/// Lengths of prompts and answers as quantile tables. Between two probabilities a length is on a line;
/// from the 90th percentile on, and below the last probability, it falls off as a power of what is left
/// above (a Pareto law between each two quantiles), as lengths do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lengths {
    /// Rising probabilities from 0 to 1, shared by all rows below.
    pub probabilities: Vec<f64>,
    /// Prompt tokens at those probabilities.
    pub input_tokens: Vec<f64>,
    /// Answer tokens at those probabilities, a row for each equal-probability bin of the input.
    pub output_tokens: Vec<Vec<f64>>,
}

/// How requests follow one another within a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// Mean number of turns of a session (geometric), at least 1.
    pub turns_mean: f64,
    /// Mean time between the arrivals of two turns, seconds (exponential).
    pub turn_gap_s: f64,
    /// Mean tokens a turn adds to the previous prompt (exponential); includes the last answer.
    pub turn_tokens_mean: f64,
    /// Leading prompt tokens that all sessions share.
    pub shared_tokens: u32,
    /// A prompt stops growing here, tokens.
    pub max_input_tokens: u32,
}

/// A traffic generator. Rates count requests, not sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficModel {
    /// Name for reports.
    pub name: String,
    /// Where the figures come from.
    pub source: String,
    /// Mean rate, requests a second.
    pub rate_per_s: f64,
    /// Length of one entry of the curve, seconds.
    pub curve_bin_s: f64,
    /// Relative rate by bin; scaled to mean 1, repeated past its end.
    pub curve: Vec<f64>,
    /// Length of a burst window, seconds.
    pub burst_window_s: f64,
    /// Squared coefficient of variation of the rate between burst windows; 0 is plain Poisson.
    pub burst_cv2: f64,
    /// Time between batches, seconds: requests arrive only at its multiples, all that the process
    /// has drawn since the last. Zero where each arrives by itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub batch_s: f64,
    /// Lengths of prompts and answers.
    pub lengths: Lengths,
    /// Sessions; absent where requests are unrelated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Sessions>,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// A value in a traffic model that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}`: {message}")]
pub struct ModelError {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

fn check(ok: bool, field: &'static str, message: &str) -> Result<(), ModelError> {
    if ok {
        Ok(())
    } else {
        Err(ModelError {
            field,
            message: message.to_owned(),
        })
    }
}

fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

impl TrafficModel {
    /// Checks every figure.
    ///
    /// # Errors
    /// The first field that is negative, empty, not a number or of the wrong length.
    pub fn validate(&self) -> Result<(), ModelError> {
        check(
            positive(self.rate_per_s),
            "rate_per_s",
            "must be above zero requests a second",
        )?;
        check(
            positive(self.curve_bin_s),
            "curve_bin_s",
            "must be above zero seconds",
        )?;
        check(
            positive(self.burst_window_s),
            "burst_window_s",
            "must be above zero seconds",
        )?;
        let cv2_ok = self.burst_cv2.is_finite() && (0.0..=100.0).contains(&self.burst_cv2);
        check(cv2_ok, "burst_cv2", "must be between 0 and 100")?;
        let batch_ok = self.batch_s.is_finite() && (0.0..=86_400.0).contains(&self.batch_s);
        check(batch_ok, "batch_s", "must be between 0 and 86,400 seconds")?;
        let curve_ok = self.curve.iter().all(|r| r.is_finite() && *r >= 0.0)
            && self.curve.iter().sum::<f64>() > 0.0;
        check(
            curve_ok,
            "curve",
            "needs rates of zero or more, at least one above zero",
        )?;
        self.lengths.validate()?;
        self.sessions.as_ref().map_or(Ok(()), Sessions::validate)
    }

    /// The same traffic at another mean rate, requests a second.
    #[must_use]
    pub fn at_rate(mut self, rate_per_s: f64) -> Self {
        self.rate_per_s = rate_per_s;
        self
    }
}

impl Lengths {
    fn validate(&self) -> Result<(), ModelError> {
        let p = &self.probabilities;
        let ends = p.first() == Some(&0.0) && p.last() == Some(&1.0);
        let rising = p.windows(2).all(|w| w[0] < w[1]);
        check(
            ends && rising,
            "lengths.probabilities",
            "must rise from 0 to 1",
        )?;
        let row_ok = |row: &Vec<f64>| {
            row.len() == p.len()
                && row.windows(2).all(|w| w[0] <= w[1])
                && row
                    .iter()
                    .all(|t| (1.0..=f64::from(MAX_TOKENS)).contains(t))
        };
        let message = "needs one token count, 1 or more and never falling, per probability";
        check(row_ok(&self.input_tokens), "lengths.input_tokens", message)?;
        let rows_ok = !self.output_tokens.is_empty() && self.output_tokens.iter().all(row_ok);
        check(rows_ok, "lengths.output_tokens", message)
    }

    fn quantile(&self, row: &[f64], u: f64) -> f64 {
        let above = self
            .probabilities
            .partition_point(|p| *p <= u)
            .clamp(1, row.len() - 1);
        Piece::of(&self.probabilities, row, above).at(u)
    }

    /// Draws a prompt length and an answer length.
    pub fn draw(&self, rng: &mut Rng) -> (u32, u32) {
        let u = rng.unit();
        let input = self.quantile(&self.input_tokens, u);
        let bins = self.output_tokens.len();
        let row = &self.output_tokens[((u * bins as f64) as usize).min(bins - 1)];
        let output = self.quantile(row, rng.unit());
        (input.max(1.0) as u32, output.max(1.0) as u32)
    }

    /// Mean prompt and answer length, tokens, of the distribution as drawn.
    #[must_use]
    pub fn means(&self) -> (f64, f64) {
        let mean = |row: &[f64]| {
            let pieces = 1..self.probabilities.len();
            pieces
                .map(|above| Piece::of(&self.probabilities, row, above).share_of_mean())
                .sum::<f64>()
        };
        let outputs = self.output_tokens.iter().map(|row| mean(row)).sum::<f64>();
        (
            mean(&self.input_tokens),
            outputs / self.output_tokens.len() as f64,
        )
    }
}

/// Probability from which the quantiles are those of a tail.
const TAIL_FROM: f64 = 0.9;

/// A quantile function between two neighbouring probabilities.
struct Piece {
    probabilities: (f64, f64),
    tokens: (f64, f64),
    /// Power of what is left above by which the tokens rise; none where they are on a line.
    power: Option<f64>,
}

impl Piece {
    /// The piece that ends at entry `above` (at least 1) of a table.
    fn of(probabilities: &[f64], row: &[f64], above: usize) -> Self {
        let (p0, p1) = (probabilities[above - 1], probabilities[above]);
        let (t0, t1) = (row[above - 1], row[above]);
        let tail = p0 >= TAIL_FROM && p1 < 1.0;
        Self {
            probabilities: (p0, p1),
            tokens: (t0, t1),
            power: tail.then(|| libm::log(t1 / t0) / libm::log((1.0 - p0) / (1.0 - p1))),
        }
    }

    /// The tokens at a probability within.
    fn at(&self, u: f64) -> f64 {
        let ((p0, p1), (t0, t1)) = (self.probabilities, self.tokens);
        match self.power {
            Some(power) => t0 * libm::pow((1.0 - p0) / (1.0 - u), power),
            None => t0 + (t1 - t0) * (u - p0) / (p1 - p0),
        }
    }

    /// What this piece adds to the mean.
    fn share_of_mean(&self) -> f64 {
        let ((p0, p1), (t0, t1)) = (self.probabilities, self.tokens);
        let (left0, left1) = (1.0 - p0, 1.0 - p1);
        match self.power {
            Some(power) if (power - 1.0).abs() < 1e-9 => t0 * left0 * libm::log(left0 / left1),
            Some(power) => (t0 * left0 - t1 * left1) / (1.0 - power),
            None => (p1 - p0) * (t0 + t1) / 2.0,
        }
    }
}

impl Sessions {
    fn validate(&self) -> Result<(), ModelError> {
        let turns_ok = (1.0..=MAX_TURNS).contains(&self.turns_mean);
        check(turns_ok, "sessions.turns_mean", "must be between 1 and 256")?;
        let gap_ok = self.turn_gap_s.is_finite() && (0.0..=86_400.0).contains(&self.turn_gap_s);
        check(
            gap_ok,
            "sessions.turn_gap_s",
            "must be between 0 and 86,400 seconds",
        )?;
        let growth_ok = self.turn_tokens_mean.is_finite() && self.turn_tokens_mean >= 0.0;
        check(
            growth_ok,
            "sessions.turn_tokens_mean",
            "must be zero or more tokens",
        )?;
        let max_ok = (1..=MAX_TOKENS).contains(&self.max_input_tokens);
        check(
            max_ok,
            "sessions.max_input_tokens",
            "must be between 1 and 16,777,216 tokens",
        )
    }
}

/// The longest session, in turns; more are cut.
const MAX_TURNS: f64 = 256.0;

/// The part of a model's traffic that a generator draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Names the traffic, so that two pools with the same model differ.
    pub stream: u64,
    /// Names the part.
    pub index: u32,
    /// Its fraction of the whole, above 0 and at most 1.
    pub fraction: f64,
}

impl Share {
    /// All of the traffic named `stream`.
    #[must_use]
    pub fn whole(stream: u64) -> Self {
        Self {
            stream,
            index: 0,
            fraction: 1.0,
        }
    }
}

/// A turn yet to come: ordered by time, then by session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    arrival_ns: u64,
    session: u64,
    input_tokens: u32,
    turns_left: u32,
}

/// Draws a model's requests in order of arrival, up to a horizon.
#[derive(Clone, Debug)]
pub struct Generator<'a> {
    model: &'a TrafficModel,
    share: Share,
    seed: u64,
    rng: Rng,
    /// Opening arrivals a second at curve 1 and burst 1, for this share.
    base_rate: f64,
    curve_scale: f64,
    /// Time of the last opening, seconds from the start of the run, negative before it.
    now_s: f64,
    /// Rate now and when it changes.
    rate: f64,
    rate_until_s: f64,
    horizon_ns: u64,
    batch_ns: u64,
    next_open: Option<u64>,
    turns: BinaryHeap<Reverse<Turn>>,
    sessions_opened: u64,
    app_blocks: u32,
}

impl<'a> Generator<'a> {
    /// A generator over `[0, horizon_ns)`. Sessions opened before time zero are drawn too, so
    /// that the run starts in the steady state. The model must be valid.
    #[must_use]
    pub fn new(
        model: &'a TrafficModel,
        seed: u64,
        share: Share,
        horizon_ns: u64,
        block_tokens: u32,
    ) -> Self {
        let turns_mean = model.sessions.as_ref().map_or(1.0, |s| s.turns_mean);
        let preroll_s = model
            .sessions
            .as_ref()
            .map_or(0.0, |s| (s.turns_mean * s.turn_gap_s * 4.0).min(1e5));
        let mut generator = Self {
            model,
            share,
            seed,
            rng: Rng::keyed(seed, &[share.stream, u64::from(share.index), 0x67656e]),
            base_rate: model.rate_per_s / turns_mean * share.fraction,
            curve_scale: model.curve.len() as f64 / model.curve.iter().sum::<f64>(),
            now_s: -preroll_s,
            rate: 0.0,
            rate_until_s: -preroll_s,
            horizon_ns,
            batch_ns: (model.batch_s * 1e9) as u64,
            next_open: None,
            turns: BinaryHeap::new(),
            sessions_opened: 0,
            app_blocks: model
                .sessions
                .as_ref()
                .map_or(0, |s| s.shared_tokens / block_tokens.max(1)),
        };
        generator.advance_to_opening();
        generator
    }

    /// Rate from `now_s` on, and until when it holds.
    fn refresh_rate(&mut self) {
        let period_s = self.model.curve_bin_s;
        let bin = libm::floor(self.now_s / period_s + 1e-9);
        let window = libm::floor(self.now_s / self.model.burst_window_s + 1e-9);
        let bins = self.model.curve.len() as f64;
        let index = (bin - libm::floor(bin / bins) * bins) as usize;
        let curve = self.model.curve[index.min(self.model.curve.len() - 1)] * self.curve_scale;
        let burst = if self.model.burst_cv2 > 0.0 {
            let words = [self.share.stream, window as i64 as u64, 0x6275_7273];
            Rng::keyed(self.seed, &words).gamma_unit_mean(self.model.burst_cv2)
        } else {
            1.0
        };
        self.rate = self.base_rate * curve * burst;
        self.rate_until_s =
            ((bin + 1.0) * period_s).min((window + 1.0) * self.model.burst_window_s);
    }

    /// Finds the next opening arrival: one unit of exponential work after the last.
    fn advance_to_opening(&mut self) {
        let mut work = self.rng.exponential(1.0);
        let horizon_s = self.horizon_ns as f64 * 1e-9;
        loop {
            if self.now_s >= self.rate_until_s {
                self.refresh_rate();
            }
            let room = self.rate * (self.rate_until_s - self.now_s);
            if work < room {
                self.now_s += work / self.rate;
                break;
            }
            work -= room;
            self.now_s = self.rate_until_s;
            if self.now_s >= horizon_s {
                self.next_open = None;
                return;
            }
        }
        if self.model.sessions.is_some() {
            self.open_session();
        } else {
            let at_ns = (self.now_s.max(0.0) * 1e9) as u64;
            self.next_open = (at_ns < self.horizon_ns).then_some(at_ns);
        }
    }

    /// Opens a session at `now_s`; its first turn within the run goes to the heap.
    fn open_session(&mut self) {
        let Some(sessions) = &self.model.sessions else {
            return;
        };
        self.sessions_opened += 1;
        let session = mix64(key(&[
            self.seed,
            self.share.stream,
            u64::from(self.share.index),
            self.sessions_opened,
        ]));
        let mut turns = self
            .rng
            .geometric(sessions.turns_mean)
            .min(MAX_TURNS as u32);
        let (first, _) = self.model.lengths.draw(&mut self.rng);
        let mut input = first
            .max(sessions.shared_tokens + 1)
            .min(sessions.max_input_tokens);
        let mut at_s = self.now_s;
        while at_s < 0.0 && turns > 0 {
            at_s += self.rng.exponential(sessions.turn_gap_s);
            input = grow(input, sessions, &mut self.rng);
            turns -= 1;
        }
        if turns > 0 {
            let arrival_ns = (at_s * 1e9) as u64;
            let turn = Turn {
                arrival_ns,
                session,
                input_tokens: input,
                turns_left: turns - 1,
            };
            self.turns.push(Reverse(turn));
        }
        self.next_open = (self.now_s < self.horizon_ns as f64 * 1e-9)
            .then_some((self.now_s.max(0.0) * 1e9) as u64);
    }

    /// The next turn, once no session that opens earlier is missing.
    fn next_turn(&mut self) -> Option<Request> {
        let sessions = self.model.sessions.as_ref()?;
        loop {
            let due = self.turns.peek().map(|Reverse(turn)| turn.arrival_ns);
            match (due, self.next_open) {
                (None, None) => return None,
                (Some(due), Some(open)) if due <= open => break,
                (Some(_), None) => break,
                _ => self.advance_to_opening(),
            }
        }
        let Reverse(turn) = self.turns.pop()?;
        if turn.arrival_ns >= self.horizon_ns {
            return None;
        }
        if turn.turns_left > 0 {
            let gap_ns = (self.rng.exponential(sessions.turn_gap_s) * 1e9) as u64;
            let input_tokens = grow(turn.input_tokens, sessions, &mut self.rng);
            self.turns.push(Reverse(Turn {
                arrival_ns: turn.arrival_ns + gap_ns,
                input_tokens,
                turns_left: turn.turns_left - 1,
                ..turn
            }));
        }
        let (_, output_tokens) = self.model.lengths.draw(&mut self.rng);
        Some(Request {
            arrival_ns: turn.arrival_ns,
            input_tokens: turn.input_tokens,
            output_tokens,
            prefix: Prefix::Session {
                app: mix64(self.share.stream),
                app_blocks: self.app_blocks,
                session: turn.session,
            },
        })
    }
}

fn grow(input: u32, sessions: &Sessions, rng: &mut Rng) -> u32 {
    let added = 1.0 + rng.exponential(sessions.turn_tokens_mean);
    (f64::from(input) + added).min(f64::from(sessions.max_input_tokens)) as u32
}

impl Iterator for Generator<'_> {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        let mut request = self.next_alone()?;
        if self.batch_ns > 0 {
            let batch_ns = request.arrival_ns.div_ceil(self.batch_ns) * self.batch_ns;
            if batch_ns >= self.horizon_ns {
                return None;
            }
            request.arrival_ns = batch_ns;
        }
        Some(request)
    }
}

impl Generator<'_> {
    /// The next request at the time the process draws, before it waits for a batch.
    fn next_alone(&mut self) -> Option<Request> {
        if self.model.sessions.is_some() {
            return self.next_turn();
        }
        let arrival_ns = self.next_open?;
        let (input_tokens, output_tokens) = self.model.lengths.draw(&mut self.rng);
        self.advance_to_opening();
        Some(Request {
            arrival_ns,
            input_tokens,
            output_tokens,
            prefix: Prefix::Unique,
        })
    }
}

impl TrafficModel {
    /// The traffic shipped with the crate: name and TOML text. The first three are fits of public
    /// traces made by `rialto fleet traffic`; the agent traffic is an assumption, labelled so.
    pub const SHIPPED: [(&'static str, &'static str); 4] = [
        ("azure-conv", include_str!("shipped/azure-conv.toml")),
        ("azure-code", include_str!("shipped/azure-code.toml")),
        (
            "mooncake-conversation",
            include_str!("shipped/mooncake-conversation.toml"),
        ),
        ("agent", include_str!("shipped/agent.toml")),
    ];

    /// The shipped traffic of this name, if there is one.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Result<Self, super::TraceError>> {
        let (name, text) = Self::SHIPPED.iter().find(|(known, _)| *known == name)?;
        Some(Self::parse(name, text))
    }

    /// Reads and checks a traffic model in TOML.
    ///
    /// # Errors
    /// Names file, line and field of the first thing wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, super::TraceError> {
        let error = |line: usize, field: &str, message: String| super::TraceError {
            file: file.to_owned(),
            line,
            field: field.to_owned(),
            message,
        };
        let model: Self = crate::place::read_toml(text)
            .map_err(|misfit| error(misfit.line.unwrap_or(1), &misfit.field, misfit.message))?;
        model.validate().map_err(|e| {
            let key = e.field.rsplit('.').next().unwrap_or(e.field);
            let at = text
                .lines()
                .position(|l| l.trim_start().starts_with(key))
                .unwrap_or(0);
            error(at + 1, e.field, e.message)
        })?;
        Ok(model)
    }
}
