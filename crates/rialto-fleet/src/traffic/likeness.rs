//! Compares a trace with the generator fitted to it: lengths and tokens a second of both.
//!
//! Holds the comparison only; the reader decides whether the fit is good enough. The figures of the
//! generator come from a random draw, because a quantile table does not contain sessions, which lengthen
//! prompts.

use serde::Serialize;

use super::model::{Generator, Share, TrafficModel};
use super::trace::Trace;
use super::{MAX_TOKENS, Request};

/// Tokens of one kind of a request.
type Tokens = fn(&Request) -> u32;

/// The fewest requests drawn from the generator, so that its 99.9th percentile is known.
const DRAWN: f64 = 100_000.0;

/// Seed of the draw.
const SEED: u64 = 1;

/// The probabilities compared.
const PROBABILITIES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

/// One figure of a trace and of its fit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// What it is of, with its unit.
    pub figure: String,
    /// The trace's.
    pub trace: f64,
    /// The fit's.
    pub fit: f64,
}

/// Quantiles of prompts and answers, and requests and tokens a second, of a trace and of its fit.
#[must_use]
pub fn likeness(trace: &Trace, fit: &TrafficModel) -> Vec<Pair> {
    let duration_s = trace.duration_s().max(1e-3);
    let horizon_s = duration_s.max(DRAWN / fit.rate_per_s);
    let drawn: Vec<Request> = Generator::new(
        fit,
        SEED,
        Share::whole(SEED),
        (horizon_s * 1e9) as u64,
        super::PrefixTable::default().block_tokens(),
    )
    .collect();
    let sides = [(&trace.requests, duration_s), (&drawn, horizon_s)];
    let pair = |figure: String, of: &dyn Fn(&[Request], f64) -> f64| {
        let [trace, fit] = sides.map(|(requests, seconds)| of(requests, seconds));
        Pair { figure, trace, fit }
    };
    let mut pairs = vec![pair("requests a second".to_owned(), &|r, s| {
        r.len() as f64 / s
    })];
    let prompt: Tokens = |r| r.input_tokens;
    let answer: Tokens = |r| r.output_tokens;
    let kinds = [("prompt", prompt), ("answer", answer)];
    for (kind, tokens) in kinds {
        let sum = |r: &[Request]| r.iter().map(|r| f64::from(tokens(r))).sum::<f64>();
        pairs.push(pair(format!("{kind} tokens a second"), &|r, s| sum(r) / s));
        pairs.push(pair(format!("mean {kind}, tokens"), &|r, _| {
            sum(r) / (r.len() as f64).max(1.0)
        }));
        for p in PROBABILITIES {
            let name = match p {
                1.0 => format!("longest {kind}, tokens"),
                p => format!("{kind} p{}, tokens", 100.0 * p),
            };
            pairs.push(pair(name, &|r, _| quantile(r, tokens, p)));
        }
    }
    pairs
}

fn quantile(requests: &[Request], tokens: fn(&Request) -> u32, p: f64) -> f64 {
    let mut all: Vec<u32> = requests.iter().map(tokens).collect();
    all.sort_unstable();
    let rank = (p * all.len() as f64).ceil().max(1.0) as usize;
    let at = all.get(rank.min(all.len()).saturating_sub(1));
    f64::from(at.copied().unwrap_or(0).min(MAX_TOKENS))
}
