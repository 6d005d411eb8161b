//! Fits a [`TrafficModel`] to a trace.
//!
//! Rate curve: counts in equal bins of about a minute. Batches: where many requests share a time and the
//! times stand a fixed distance apart, that distance. Bursts: the dispersion of counts in ten-second
//! windows beyond what a Poisson process with that curve shows (method of moments: Var = m + m^2 cv^2);
//! with batches, in windows of whole batches, so that three batches in one window and four in the next do
//! not look like a burst. Lengths: quantiles of the input, and of the output within eight equal-probability
//! bins of the input, in the tail down to the trace's longest request; where there are sessions, inputs are
//! those that open one. Sessions: a request whose longest known prefix goes past the prefix most requests
//! share continues the session that last used that block.

use std::collections::HashMap;

use super::model::{Lengths, Sessions, TrafficModel};
use super::trace::Trace;

/// Probabilities of the fitted quantile tables below their tail.
const BODY: [f64; 20] = [
    0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95,
    0.98, 0.99, 0.995,
];

/// Shares above the probabilities of the tail. The longest requests of a trace are few and take much
/// of its work: each step of the table holds half as many, down to the longest one.
const TAIL: [f64; 9] = [2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5, 1e-6];

/// The probabilities of a table for this many requests: no step of the tail holds less than one of them.
fn probabilities(requests: usize) -> Vec<f64> {
    let tail = TAIL
        .into_iter()
        .filter(|left| left * requests as f64 >= 1.0);
    let tail = tail.map(|left| rounded(1.0 - left, 1e9));
    BODY.into_iter().chain(tail).chain([1.0]).collect()
}

/// Number of equal-probability bins of the input, each with its own table of outputs.
const INPUT_BINS: usize = 8;

/// Window in which bursts are measured and reproduced, seconds; with batches, the nearest multiple
/// of their distance.
const BURST_WINDOW_S: f64 = 10.0;

/// Fewest requests that share a time, on average, for arrivals to count as batches.
const LEAST_BATCH: f64 = 1.5;

/// Fits a generator to a trace of at least two requests at different times; `name` and `source`
/// are carried into the model.
#[must_use]
pub fn fit(trace: &Trace, name: &str, source: &str) -> TrafficModel {
    let (sessions, openings) = fit_sessions(trace);
    let duration_s = trace.duration_s().max(1e-3);
    let bins = (duration_s / 60.0).round().clamp(1.0, 1440.0);
    let curve_bin_s = duration_s / bins;
    let batch_s = fit_batches(trace);
    let burst_window_s = if batch_s > 0.0 {
        rounded((BURST_WINDOW_S / batch_s).round().max(1.0) * batch_s, 1e6)
    } else {
        BURST_WINDOW_S
    };
    let counts = windowed(trace, curve_bin_s, bins as usize);
    let mean = trace.requests.len() as f64 / bins;
    TrafficModel {
        name: name.to_owned(),
        source: source.to_owned(),
        rate_per_s: rounded(trace.requests.len() as f64 / duration_s, 1e4),
        curve_bin_s: rounded(curve_bin_s, 1e3),
        curve: counts.iter().map(|n| rounded(n / mean, 1e3)).collect(),
        burst_window_s,
        burst_cv2: rounded(
            burst_cv2(trace, &counts, curve_bin_s, burst_window_s, batch_s),
            1e4,
        ),
        batch_s,
        lengths: fit_lengths(trace, openings),
        sessions,
    }
}

fn rounded(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}

fn windowed(trace: &Trace, width_s: f64, count: usize) -> Vec<f64> {
    windowed_from(trace, 0.0, width_s, count)
}

fn windowed_from(trace: &Trace, start_s: f64, width_s: f64, count: usize) -> Vec<f64> {
    let mut counts = vec![0.0; count.max(1)];
    let last = counts.len() - 1;
    for request in &trace.requests {
        let since_s = request.arrival_ns as f64 * 1e-9 - start_s;
        let index = (since_s / width_s).max(0.0) as usize;
        counts[index.min(last)] += 1.0;
    }
    counts
}

/// Distance between batches, seconds; zero when requests do not come in batches. The median
/// distance of two times counts when nine in ten are within a hundredth of a multiple of it.
fn fit_batches(trace: &Trace) -> f64 {
    let mut times_ns: Vec<u64> = trace.requests.iter().map(|r| r.arrival_ns).collect();
    times_ns.dedup();
    if (times_ns.len() as f64) * LEAST_BATCH > trace.requests.len() as f64 || times_ns.len() < 10 {
        return 0.0;
    }
    let mut gaps: Vec<f64> = times_ns.windows(2).map(|w| (w[1] - w[0]) as f64).collect();
    gaps.sort_unstable_by(f64::total_cmp);
    let median = gaps[gaps.len() / 2];
    let steps = |gap: f64| (gap / median).round();
    let near =
        |gap: &&f64| steps(**gap) >= 1.0 && (**gap - steps(**gap) * median).abs() <= 0.01 * median;
    if gaps.iter().filter(near).count() * 10 < gaps.len() * 9 {
        return 0.0;
    }
    rounded(median * 1e-9, 1e3)
}

fn burst_cv2(trace: &Trace, curve: &[f64], curve_bin_s: f64, window_s: f64, batch_s: f64) -> f64 {
    let windows = (trace.duration_s() / window_s) as usize;
    if windows < 10 {
        return 0.0;
    }
    // A batch holds what came before it, and its time may be off by a little to either side.
    let counts = windowed_from(trace, batch_s / 2.0, window_s, windows);
    let (mut excess, mut squares) = (0.0, 0.0);
    for (i, n) in counts.iter().enumerate() {
        let centre_s = (i as f64 + 0.5) * window_s;
        let bin = ((centre_s / curve_bin_s) as usize).min(curve.len() - 1);
        let m = curve[bin] * window_s / curve_bin_s;
        excess += (n - m) * (n - m) - m;
        squares += m * m;
    }
    (excess / squares.max(1e-9)).clamp(0.0, 100.0)
}

fn quantiles(mut values: Vec<u32>, probabilities: &[f64]) -> Vec<f64> {
    values.sort_unstable();
    let last = (values.len() - 1) as f64;
    // Each value stands in the middle of its share, so that the table has the mean of the values, of the
    // longest too.
    let at = |p: f64| {
        let position = (p * values.len() as f64 - 0.5).clamp(0.0, last);
        let low = values[position as usize];
        let high = values[(position as usize + 1).min(values.len() - 1)];
        f64::from(low) + (f64::from(high) - f64::from(low)) * position.fract()
    };
    probabilities
        .iter()
        .map(|p| rounded(at(*p), 10.0))
        .collect()
}

/// Outputs by all requests; inputs by those that open a session, as the rest extend them.
fn fit_lengths(trace: &Trace, openings: Vec<u32>) -> Lengths {
    let mut pairs: Vec<(u32, u32)> = trace
        .requests
        .iter()
        .map(|r| (r.input_tokens, r.output_tokens))
        .collect();
    pairs.sort_unstable();
    let bins = INPUT_BINS.min(pairs.len());
    let probabilities = probabilities(pairs.len());
    let rows = (0..bins).map(|bin| {
        let (from, to) = (bin * pairs.len() / bins, (bin + 1) * pairs.len() / bins);
        let outputs = pairs[from..to].iter().map(|pair| pair.1).collect();
        quantiles(outputs, &probabilities)
    });
    Lengths {
        output_tokens: rows.collect(),
        input_tokens: quantiles(openings, &probabilities),
        probabilities,
    }
}

/// The number of leading blocks that at least half of the requests share.
fn common_blocks(trace: &Trace) -> u32 {
    let mut depth = 0;
    loop {
        let mut counts: HashMap<u64, usize> = HashMap::new();
        for request in &trace.requests {
            if trace.prefixes.blocks(request) > depth {
                *counts
                    .entry(trace.prefixes.hash(request.prefix, depth))
                    .or_default() += 1;
            }
        }
        if counts
            .values()
            .max()
            .is_none_or(|most| most * 2 < trace.requests.len())
        {
            return depth;
        }
        depth += 1;
    }
}

/// Sessions, if there are any, and the prompt lengths of the requests that open one.
fn fit_sessions(trace: &Trace) -> (Option<Sessions>, Vec<u32>) {
    let common = common_blocks(trace);
    let block_tokens = trace.prefixes.block_tokens();
    let mut last_use: HashMap<u64, (u64, u32)> = HashMap::new();
    let mut openings = Vec::new();
    let (mut continued, mut gap_s, mut added) = (0.0, 0.0, 0.0);
    for request in &trace.requests {
        let blocks = trace.prefixes.blocks(request);
        let known = (common..blocks)
            .rev()
            .find_map(|i| last_use.get(&trace.prefixes.hash(request.prefix, i)));
        match known {
            Some(&(then_ns, then_tokens)) => {
                continued += 1.0;
                gap_s += (request.arrival_ns - then_ns) as f64 * 1e-9;
                added += f64::from(request.input_tokens.saturating_sub(then_tokens));
            }
            None => openings.push(request.input_tokens),
        }
        for i in common..blocks {
            let hash = trace.prefixes.hash(request.prefix, i);
            last_use.insert(hash, (request.arrival_ns, request.input_tokens));
        }
    }
    if continued < 1.0 {
        return (None, openings);
    }
    let opened = openings.len() as f64;
    let sessions = Sessions {
        turns_mean: rounded(f64::min((opened + continued) / opened, 256.0), 1e3),
        turn_gap_s: rounded(gap_s / continued, 1e2),
        turn_tokens_mean: rounded(added / continued, 1e1),
        shared_tokens: common * block_tokens,
        max_input_tokens: trace
            .requests
            .iter()
            .map(|r| r.input_tokens)
            .max()
            .unwrap_or(1),
    };
    (Some(sessions), openings)
}
