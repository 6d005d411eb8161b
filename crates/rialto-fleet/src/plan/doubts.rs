//! Finds what looks like a mistake in a question: one column read for another, a unit mixed up.
//!
//! Holds the limits beyond which the user must confirm the question to get an answer. Each doubt states
//! what was seen and what mistake it looks like.

use crate::catalogue::Model;
use crate::cluster::TrafficSource;
use crate::traffic::Trace;

use super::Placement;

/// Answers this many times as long as prompts are doubted: in recorded traffic, prompts are longer than
/// answers. The doubt also meets long reasoning on short prompts; there the user confirms it.
const LONG_ANSWERS: f64 = 3.0;

/// Mean answer, tokens, below which such a ratio is not doubted.
const SHORT_ANSWER: f64 = 200.0;

/// Mean prompt, tokens, above which another column may have been read.
const LONGEST_MEAN_PROMPT: f64 = 200_000.0;

/// Mean answer, tokens, likewise.
const LONGEST_MEAN_ANSWER: f64 = 20_000.0;

/// Rate, requests a second, above which the figure may be meant for a minute or a day.
const HIGHEST_RATE_PER_S: f64 = 50_000.0;

/// Share of requests beyond a model's context above which another model or column may be meant.
const BEYOND_CONTEXT: f64 = 0.05;

/// Length of a trace in seconds, at the rate asked for, below which a plan sees only the start of its load.
const SHORTEST_S: f64 = 10.0;

/// Requests of a trace from which a column that only rises is doubted.
const ENOUGH_TO_JUDGE: usize = 50;

/// Chips above which a plan is doubted.
const MOST_CHIPS: u64 = 20_000;

/// What looks wrong in traffic, independent of the model and chip.
#[must_use]
pub fn traffic_doubts(traffic: &TrafficSource) -> Vec<String> {
    let (input, output) = means(traffic);
    let mut doubts = Vec::new();
    if output > LONG_ANSWERS * input && output > SHORT_ANSWER {
        doubts.push(format!(
            "answers are {:.1} times as long as prompts ({output:.0} and {input:.0} tokens in the mean): \
             are the two columns swapped?",
            output / input.max(1.0)
        ));
    }
    for (what, mean, limit) in [
        ("prompt", input, LONGEST_MEAN_PROMPT),
        ("answer", output, LONGEST_MEAN_ANSWER),
    ] {
        if mean > limit {
            doubts.push(format!(
                "the mean {what} has {mean:.0} tokens: was another column read, or characters for tokens?"
            ));
        }
    }
    if let TrafficSource::Trace(trace) = traffic {
        doubts.extend(counters(trace));
    }
    doubts
}

/// What looks wrong in traffic at a rate, requests a second, for a model.
#[must_use]
pub fn doubts(traffic: &TrafficSource, rate_per_s: f64, model: &Model) -> Vec<String> {
    let mut doubts = traffic_doubts(traffic);
    if rate_per_s > HIGHEST_RATE_PER_S {
        doubts.push(format!(
            "{rate_per_s} requests a second: is it a minute's or a day's number?"
        ));
    }
    if let TrafficSource::Trace(trace) = traffic {
        let beyond = trace.requests.iter().filter(|r| {
            u64::from(r.input_tokens) + u64::from(r.output_tokens)
                > u64::from(model.max_context_tokens)
        });
        let lasts_s = trace.requests.len() as f64 / rate_per_s;
        if lasts_s < SHORTEST_S {
            doubts.push(format!(
                "{rate_per_s} requests a second are through the trace in {lasts_s:.1} s, too short to plan \
                 by: fit a generator with `rialto fleet traffic` for such a rate, or is another rate meant?"
            ));
        }
        let share = beyond.count() as f64 / (trace.requests.len() as f64).max(1.0);
        if share > BEYOND_CONTEXT {
            doubts.push(format!(
                "{:.1} % of the requests are longer than the {} tokens that {} takes: was another column \
                 read, or is another model meant?",
                100.0 * share,
                model.max_context_tokens,
                model.name
            ));
        }
    }
    doubts
}

/// What looks wrong in a placement, if anything.
#[must_use]
pub fn plan_doubt(
    placement: &Placement,
    traffic: &TrafficSource,
    rate_per_s: f64,
) -> Option<String> {
    let chips = placement.chips.filter(|chips| *chips > MOST_CHIPS)?;
    let (input, output) = means(traffic);
    Some(format!(
        "{chips} {} chips for {} requests a second of {input:.0} prompt and {output:.0} answer tokens in the \
         mean, {:.0} answer tokens a second and chip: are rate, lengths and objective meant so?",
        placement.chip, rate_per_s, placement.output_tokens_per_s_per_chip
    ))
}

/// Columns of a trace that only rise, as a counter or a time does and a length does not.
fn counters(trace: &Trace) -> Option<String> {
    if trace.requests.len() < ENOUGH_TO_JUDGE {
        return None;
    }
    let rises = |tokens: fn(&crate::traffic::Request) -> u32| {
        let pairs = || trace.requests.windows(2);
        let (first, last) = (trace.requests.first(), trace.requests.last());
        pairs().all(|w| tokens(&w[0]) <= tokens(&w[1])) && first.map(tokens) < last.map(tokens)
    };
    let column = if rises(|r| r.input_tokens) {
        "prompt"
    } else if rises(|r| r.output_tokens) {
        "answer"
    } else {
        return None;
    };
    Some(format!(
        "the {column} lengths only rise from row to row: was a counter or a time read?"
    ))
}

/// Mean prompt and answer, tokens.
fn means(traffic: &TrafficSource) -> (f64, f64) {
    match traffic {
        TrafficSource::Model(model) => model.lengths.means(),
        TrafficSource::Trace(trace) => {
            let count = (trace.requests.len() as f64).max(1.0);
            let (input, output) = trace.requests.iter().fold((0.0, 0.0), |(i, o), r| {
                (
                    i + f64::from(r.input_tokens),
                    o + f64::from(r.output_tokens),
                )
            });
            (input / count, output / count)
        }
    }
}
