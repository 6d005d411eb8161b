//! The requests of a run as a gateway would have logged them.

use super::pool::{Fleet, Pool};
use super::run::RunResult;
use crate::engine::{Outcome, PS_PER_NS};
use crate::step::Engine;
use crate::traffic::{Call, CallBasis, format_time_ns};

/// Every finished request of a run that kept its outcomes, in order of arrival within each pool, marked as
/// modelled. The simulated time starts at the beginning of 1970.
#[must_use]
pub fn calls(fleet: &Fleet, result: &RunResult) -> Vec<Call> {
    let mut calls = Vec::new();
    for (pool, outcomes) in fleet.pools.iter().zip(&result.pools) {
        let mut ordered: Vec<&Outcome> = outcomes.outcomes.iter().collect();
        ordered.sort_by_key(|o| (o.job.request.arrival_ns, o.job.number));
        calls.extend(ordered.into_iter().map(|o| call(pool, o)));
    }
    calls
}

fn call(pool: &Pool, outcome: &Outcome) -> Call {
    let (spec, job) = (&pool.spec, &outcome.job);
    let arrival_ps = job.request.arrival_ns * PS_PER_NS;
    let millis = |from: u64, to: u64| to.saturating_sub(from) as f64 * 1e-9;
    let later = job.request.output_tokens - 1;
    let decode_ms = millis(job.first_token_ps, outcome.finished_ps);
    let decoding = spec.replicas - spec.disaggregate.as_ref().map_or(0, |d| d.prefill_replicas);
    Call {
        time: format_time_ns(job.request.arrival_ns),
        model: spec.model.clone(),
        chip: pool.chip.name.clone(),
        engine: Engine::named(&spec.engine).name().to_owned(),
        precision: spec.precision.clone(),
        tensor: spec.tensor,
        pipeline: spec.pipeline,
        expert: spec.expert,
        data: spec.data,
        replicas: decoding.max(1),
        input_tokens: job.request.input_tokens,
        cached_tokens: job.cached_tokens.min(job.request.input_tokens),
        output_tokens: job.request.output_tokens,
        concurrency: None,
        // A prompt that is in the cache whole still takes a step.
        ttft_ms: millis(arrival_ps, job.first_token_ps).max(1e-6),
        tpot_ms: (later > 0).then(|| (decode_ms / f64::from(later)).max(1e-6)),
        ended: None,
        basis: CallBasis::Modelled,
    }
}
