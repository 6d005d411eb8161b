//! The request log of a gateway, and what the calibration learns from it about the deployments that served
//! the calls.
//!
//! Holds the log's reader and the update of the fitted parameters: for each configuration (model, chip,
//! engine, number format), scales on top of the fit to measured points, as far as the log's evidence
//! outweighs the error of that fit. It never fits parameters from a log alone. `docs/fleet/accuracy.md`
//! documents the format.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::benchmark::Benchmark;
use super::point::{Point, Replica, Serving};
use super::solve::{Explained, predict_ln};
use rialto_fleet::catalogue::{Catalogue, CatalogueError};
use rialto_fleet::echo::bounded;
use rialto_fleet::place::read_json;
use rialto_fleet::step::{
    Deployment, Engine, Errors, Layer, On, Parameters, Residuals, StepError, Term, group_key,
};
use rialto_fleet::traffic::{Call, CallBasis, MAX_TOKENS, parse_time_ns};

/// A log that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, field `{field}`: {message}")]
pub struct CallsError {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// The field.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Checks a call. Returns its time to first token and its time per later token, milliseconds; an answer of
/// one token has no time per later token.
fn check(call: &Call) -> Result<(f64, Option<f64>), (&'static str, String)> {
    let positive = |field: &'static str, value: f64| {
        if value.is_finite() && value > 0.0 {
            return Ok(());
        }
        Err((field, format!("{value} must be above zero")))
    };
    for (field, value) in [
        ("tensor", call.tensor),
        ("pipeline", call.pipeline),
        ("expert", call.expert),
        ("data", call.data),
        ("replicas", call.replicas),
        ("input_tokens", call.input_tokens),
        ("output_tokens", call.output_tokens),
    ] {
        positive(field, value.into())?;
    }
    for (field, tokens) in [
        ("input_tokens", call.input_tokens),
        ("output_tokens", call.output_tokens),
    ] {
        if tokens > MAX_TOKENS {
            return Err((field, format!("{tokens} tokens is above {MAX_TOKENS}")));
        }
    }
    if call.cached_tokens > call.input_tokens {
        let message = format!("{} is above input_tokens", call.cached_tokens);
        return Err(("cached_tokens", message));
    }
    positive("ttft_ms", call.ttft_ms)?;
    call.concurrency
        .map_or(Ok(()), |c| positive("concurrency", c))?;
    let no_time = |text: &str| format!("`{text}` is no time like 2026-11-22T13:04:05.25Z");
    let start = parse_time_ns(&call.time).ok_or_else(|| ("time", no_time(&call.time)))?;
    let start_ms = start as f64 * 1e-6;
    let later = f64::from(call.output_tokens - 1);
    if call.output_tokens == 1 {
        return Ok((start_ms, None));
    }
    if let Some(tpot_ms) = call.tpot_ms {
        positive("tpot_ms", tpot_ms)?;
        return Ok((start_ms, Some(tpot_ms)));
    }
    let Some(ended) = &call.ended else {
        return Err(("tpot_ms", "neither it nor `ended` is given".to_owned()));
    };
    let end = parse_time_ns(ended).ok_or_else(|| ("ended", no_time(ended)))?;
    let decode_ms = (end - start) as f64 * 1e-6 - call.ttft_ms;
    if decode_ms <= 0.0 {
        let message = "it ended before its first token, by `time` and `ttft_ms`";
        return Err(("ended", message.to_owned()));
    }
    Ok((start_ms, Some(decode_ms / later)))
}

/// A parsed call, with what follows from its fields.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedCall {
    /// The line as written.
    pub call: Call,
    /// Where it stands in the log, from 1.
    pub line: usize,
    start_ms: f64,
    tpot_ms: Option<f64>,
}

impl LoggedCall {
    fn end_ms(&self) -> f64 {
        let later = f64::from(self.call.output_tokens.saturating_sub(1));
        self.start_ms + self.call.ttft_ms + later * self.tpot_ms.unwrap_or(0.0)
    }
}

/// Reads a log.
///
/// # Errors
/// The first line that is not a call, with its field.
pub fn read_calls(file: &str, text: &str) -> Result<Vec<LoggedCall>, CallsError> {
    let mut calls = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let error = |field: &str, message: String| CallsError {
            file: file.to_owned(),
            line: index + 1,
            field: bounded(field).into_owned(),
            message: bounded(&message).into_owned(),
        };
        let call: Call = read_json(line).map_err(|(field, message)| error(&field, message))?;
        let (start_ms, tpot_ms) = check(&call).map_err(|(f, m)| error(f, m))?;
        calls.push(LoggedCall {
            call,
            line: index + 1,
            start_ms,
            tpot_ms,
        });
    }
    if calls.is_empty() {
        return Err(CallsError {
            file: file.to_owned(),
            line: 1,
            field: "line".to_owned(),
            message: "the log holds no call".to_owned(),
        });
    }
    Ok(calls)
}

/// Errors of the forecasts of a configuration's calls, percent of what the log says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LogError {
    /// Mean absolute error of the time to first token.
    pub ttft_mape_percent: f64,
    /// Its median.
    pub ttft_median_percent: f64,
    /// Mean absolute error of the time per output token.
    pub tpot_mape_percent: f64,
    /// Its median.
    pub tpot_median_percent: f64,
}

/// What the update learnt about one configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfigurationUpdate {
    /// Model, chip, engine and number format.
    pub configuration: String,
    /// Calls.
    pub calls: usize,
    /// `modelled` when any of its calls is a twin's.
    pub basis: CallBasis,
    /// Factor by which the update changed the forecast time to first token.
    pub ttft_factor: f64,
    /// Factor by which the update changed the forecast time per token.
    pub tpot_factor: f64,
    /// Errors before the update.
    pub before: LogError,
    /// Errors after the update.
    pub after: LogError,
}

/// The parameters after a log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogUpdate {
    /// The updated parameters.
    pub parameters: Parameters,
    /// Configuration by configuration.
    pub configurations: Vec<ConfigurationUpdate>,
}

/// Calls of one configuration and plan share a catalogue entry and a clock.
type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

/// The least scatter of a call's logarithmic error that is assumed, so that a few calls change little.
const LEAST_SCATTER: f64 = 0.25;
/// The 80 % interval of a normal distribution in standard deviations, on one side.
const NORMAL_TENTH: f64 = 1.281_552;

/// Updates fitted parameters from a log.
///
/// Before the log, the scale of a configuration is expected to be one, with the spread of the errors in
/// cross-validation. The log's median logarithmic error, with its standard error, moves it (the posterior
/// mean of a normal scale under normal evidence). `source` is the log's name.
///
/// # Errors
/// The line and field of a name that no catalogue knows, or of a plan that its chip cannot run.
pub fn update_from_calls(
    calls: &[LoggedCall],
    catalogue: &Catalogue,
    parameters: &Parameters,
    source: &str,
) -> Result<LogUpdate, CallsError> {
    let mut groups: BTreeMap<Key<'_>, Vec<&LoggedCall>> = BTreeMap::new();
    let mut plans = BTreeSet::new();
    for logged in calls {
        let c = &logged.call;
        let error = |field: &str, message: String| CallsError {
            file: source.to_owned(),
            line: logged.line,
            field: field.to_owned(),
            message,
        };
        let known = |field: &'static str| move |e: CatalogueError| error(field, e.to_string());
        let model = catalogue.model(&c.model).map_err(known("model"))?;
        let chip = catalogue.chip(&c.chip).map_err(known("chip"))?;
        let precision = catalogue
            .precision(&c.precision)
            .map_err(known("precision"))?;
        if plans.insert((&model.name, c.tensor, c.pipeline, c.expert, c.data)) {
            c.plan().check(model).map_err(|e| match &e {
                StepError::DoesNotDivide { field, .. } => error(field, e.to_string()),
                _ => error("expert", e.to_string()),
            })?;
        }
        let (model, chip, precision) = (&model.name, &chip.name, &precision.name);
        let engine = Engine::named(&c.engine).name();
        groups
            .entry((model, chip, engine, precision))
            .or_default()
            .push(logged);
    }
    let unknown = |e: CatalogueError| CallsError {
        file: source.to_owned(),
        line: 1,
        field: "model".to_owned(),
        message: e.to_string(),
    };
    let mut updated = parameters.clone();
    let mut configurations = Vec::new();
    for ((model, chip, engine, precision), group) in groups {
        // Every name was found above.
        let cases = cases(&group, catalogue).map_err(unknown)?;
        let before = errors(&cases, parameters);
        let (ttft_factor, tpot_factor) = settle(&cases, &mut updated.tpot, &parameters.errors);
        let modelled = group.iter().any(|l| l.call.basis == CallBasis::Modelled);
        if !modelled && !updated.measured_chips.iter().any(|c| c == chip) {
            updated.measured_chips.push(chip.to_owned());
        }
        configurations.push(ConfigurationUpdate {
            configuration: format!("{model} on {chip}, {engine}, {precision}"),
            calls: group.len(),
            basis: if modelled {
                CallBasis::Modelled
            } else {
                CallBasis::Measured
            },
            ttft_factor,
            tpot_factor,
            before,
            after: errors(&cases, &updated),
        });
    }
    updated.fitted_on = format!(
        "{}; then {} calls of {source}",
        updated.fitted_on,
        calls.len()
    );
    Ok(LogUpdate {
        parameters: updated,
        configurations,
    })
}

/// One figure of one call: the terms that explain it, and its logarithm.
struct Figure {
    explained: Explained,
    logged_ln: f64,
}

impl Figure {
    fn new(explained: Explained, logged_ms: f64) -> Self {
        Self {
            explained,
            logged_ln: libm::log(logged_ms),
        }
    }

    /// Logged over forecast, as a logarithm.
    fn error_ln(&self, layer: &Layer) -> f64 {
        self.logged_ln - predict_ln(layer, &self.explained)
    }
}

/// One call with its forecast.
struct Case {
    /// Scale over all terms of its configuration's steps.
    step_key: String,
    /// Scale over their prompt computation.
    prompt_key: String,
    ttft: Figure,
    /// None for an answer of one token.
    tpot: Option<Figure>,
}

/// One of a call's figures.
type Pick = fn(&Case) -> Option<&Figure>;

fn cases(group: &[&LoggedCall], catalogue: &Catalogue) -> Result<Vec<Case>, CatalogueError> {
    let count = group.len() as f64;
    let mean =
        |of: fn(&Call) -> u32| group.iter().map(|l| f64::from(of(&l.call))).sum::<f64>() / count;
    // What the others of a batch bring decides how long a step takes, not the call's own lengths.
    let input = mean(|c| (c.input_tokens - c.cached_tokens).max(1));
    let output = mean(|c| c.output_tokens);
    let in_flight = InFlight::new(group);
    let mut cases = Vec::with_capacity(group.len());
    for logged in group {
        let c = &logged.call;
        let concurrency = c.concurrency.unwrap_or_else(|| in_flight.beside(logged));
        let own = f64::from((c.input_tokens - c.cached_tokens).max(1));
        let for_steps = point(c, catalogue, input, output, concurrency)?;
        let for_first = point(c, catalogue, own, output, concurrency)?;
        let p = &for_steps;
        let deployment = Deployment::unchecked(&p.chip, &p.model, &p.precision, c.plan(), p.engine);
        cases.push(Case {
            step_key: group_key(On::All, &deployment),
            prompt_key: group_key(On::Term(Term::Prefill), &deployment),
            tpot: logged
                .tpot_ms
                .map(|ms| Figure::new(Benchmark::new(&for_steps).normal_step(), ms)),
            ttft: Figure::new(Benchmark::new(&for_first).normal_first_token(), c.ttft_ms),
        });
    }
    Ok(cases)
}

/// A call as a run in the setting that the step-time model takes as normal.
fn point(
    call: &Call,
    catalogue: &Catalogue,
    input_tokens: f64,
    output_tokens: f64,
    concurrency: f64,
) -> Result<Point, CatalogueError> {
    let engine = Engine::named(&call.engine);
    Ok(Point {
        file: String::new(),
        line: 0,
        id: String::new(),
        written_group: String::new(),
        model: catalogue.model(&call.model)?.clone(),
        chip: catalogue.chip(&call.chip)?.clone(),
        precision: catalogue.precision(&call.precision)?.clone(),
        engine,
        build: String::new(),
        day: String::new(),
        client: if engine == Engine::Neuron {
            "fixed"
        } else {
            "sweep"
        },
        serving: Serving::Together(Replica {
            chips: call.tensor * call.data * call.pipeline,
            expert: call.expert,
            data: call.data > 1,
        }),
        input_tokens,
        output_tokens,
        length_share: 1.0,
        concurrency,
        drafted: false,
        speculative: None,
        batch_limit: None,
        configuration: None,
        assumed: false,
        ttft_ms: None,
        tpot_ms: None,
        output_tokens_per_second: None,
    })
}

/// How many calls of a configuration were in flight at each time.
struct InFlight {
    starts_ms: Vec<f64>,
    ends_ms: Vec<f64>,
}

impl InFlight {
    fn new(group: &[&LoggedCall]) -> Self {
        let sorted = |of: fn(&LoggedCall) -> f64| {
            let mut times: Vec<f64> = group.iter().map(|l| of(l)).collect();
            times.sort_by(f64::total_cmp);
            times
        };
        Self {
            starts_ms: sorted(|l| l.start_ms),
            ends_ms: sorted(LoggedCall::end_ms),
        }
    }

    /// Calls on one replica in the middle of a call's answer, itself included.
    fn beside(&self, logged: &LoggedCall) -> f64 {
        let first = logged.start_ms + logged.call.ttft_ms;
        let middle = first.midpoint(logged.end_ms());
        let begun = self.starts_ms.partition_point(|t| *t <= middle);
        let over = self.ends_ms.partition_point(|t| *t < middle);
        let all = begun.saturating_sub(over) as f64;
        (all / f64::from(logged.call.replicas)).max(1.0)
    }
}

/// How far the errors of the log move the logarithm of a scale.
fn posterior_shift(mut seen: Vec<f64>, prior: Residuals) -> f64 {
    if seen.is_empty() {
        return 0.0;
    }
    let middle = median(&mut seen);
    let mut off: Vec<f64> = seen.iter().map(|e| (e - middle).abs()).collect();
    // Of a normal distribution the median deviation is 0.6745 standard deviations.
    let scatter = (median(&mut off) / 0.6745).max(LEAST_SCATTER);
    let evidence = scatter * scatter / seen.len() as f64;
    let spread = (prior.high - prior.low) / (2.0 * NORMAL_TENTH);
    let expected = spread * spread;
    middle * expected / (expected + evidence)
}

fn errors_ln(cases: &[Case], layer: &Layer, pick: Pick) -> Vec<f64> {
    let of = |c: &Case| Some(pick(c)?.error_ln(layer));
    cases.iter().filter_map(of).collect()
}

/// The farthest that a log moves the scale of prompt computation, as a logarithm: where a step waits for
/// memory or the host, that scale hardly affects the time to first token.
const FARTHEST_PROMPT_LN: f64 = 2.0;
/// The calls from which the two scales are computed.
const SETTLED_CALLS: usize = 500;

/// Moves two scales of a configuration as far as the log supports it: the scale over all terms of its steps
/// by the times per token, and the scale of its prompt computation by the error that the times to first
/// token then still have. Returns the factors by which the forecasts of the two times changed, first token
/// first.
fn settle(cases: &[Case], layer: &mut Layer, prior: &Errors) -> (f64, f64) {
    let Some(case) = cases.first() else {
        return (1.0, 1.0);
    };
    let mean_ln = |layer: &Layer, pick: Pick| {
        let searched = cases.iter().step_by(cases.len() / SETTLED_CALLS + 1);
        let all: Vec<f64> = searched
            .filter_map(pick)
            .map(|f| predict_ln(layer, &f.explained))
            .collect();
        all.iter().sum::<f64>() / all.len().max(1) as f64
    };
    let (first, later): (Pick, Pick) = (|c| Some(&c.ttft), |c| c.tpot.as_ref());
    let before = (mean_ln(layer, first), mean_ln(layer, later));
    let step = |layer: &mut Layer, moved: f64| {
        *layer.effects.entry(case.step_key.clone()).or_default() += moved;
    };
    step(
        layer,
        posterior_shift(errors_ln(cases, layer, later), prior.tpot),
    );
    let later_goal = mean_ln(layer, later);
    let first_goal =
        mean_ln(layer, first) + posterior_shift(errors_ln(cases, layer, first), prior.ttft);
    let start = layer.effects.get(&case.prompt_key).copied();
    // Prompts slow the steps they share, so the two are settled in turn.
    for _ in 0..4 {
        let (mut low, mut high) = (-FARTHEST_PROMPT_LN, FARTHEST_PROMPT_LN);
        for _ in 0..24 {
            let middle = low.midpoint(high);
            let scale = start.unwrap_or_default() + middle;
            layer.effects.insert(case.prompt_key.clone(), scale);
            if mean_ln(layer, first) < first_goal {
                low = middle;
            } else {
                high = middle;
            }
        }
        let off = later_goal - mean_ln(layer, later);
        step(layer, off);
    }
    (
        libm::exp(mean_ln(layer, first) - before.0),
        libm::exp(mean_ln(layer, later) - before.1),
    )
}

fn errors(cases: &[Case], parameters: &Parameters) -> LogError {
    let percent = |layer: &Layer, pick: Pick| {
        let off = |c: &Case| Some(100.0 * (libm::exp(-pick(c)?.error_ln(layer)) - 1.0).abs());
        let mut all: Vec<f64> = cases.iter().filter_map(off).collect();
        let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
        (mean, median(&mut all))
    };
    let (ttft_mape_percent, ttft_median_percent) = percent(&parameters.tpot, |c| Some(&c.ttft));
    let (tpot_mape_percent, tpot_median_percent) = percent(&parameters.tpot, |c| c.tpot.as_ref());
    LogError {
        ttft_mape_percent,
        ttft_median_percent,
        tpot_mape_percent,
        tpot_median_percent,
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => values[n / 2 - 1].midpoint(values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_fleet::step::Plan;
    use rialto_fleet::traffic::format_time_ns;
    use rialto_fleet::traffic::write_calls;

    fn call(time_s: u64, tpot_ms: f64) -> Call {
        Call {
            time: format_time_ns(time_s * 1_000_000_000),
            model: "llama3.1-8b".into(),
            chip: "h100_sxm".into(),
            engine: "vllm".into(),
            precision: "bf16".into(),
            tensor: 1,
            pipeline: 1,
            expert: 1,
            data: 1,
            replicas: 1,
            input_tokens: 1000,
            cached_tokens: 0,
            output_tokens: 100,
            concurrency: Some(8.0),
            ttft_ms: 80.0,
            tpot_ms: Some(tpot_ms),
            ended: None,
            basis: CallBasis::Measured,
        }
    }

    fn update(calls: &[Call], parameters: &Parameters) -> LogUpdate {
        let read = read_calls("log", &write_calls(calls)).unwrap();
        let catalogue = Catalogue::shipped().unwrap();
        update_from_calls(&read, &catalogue, parameters, "log").unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let calls = vec![call(1, 9.0), call(2, 10.0)];
        let read = read_calls("log", &write_calls(&calls)).unwrap();
        assert_eq!(
            read.iter().map(|l| l.call.clone()).collect::<Vec<_>>(),
            calls
        );
    }

    #[test]
    fn an_end_gives_the_time_per_token() {
        let mut ended = call(10, 1.0);
        ended.tpot_ms = None;
        ended.ended = Some("1970-01-01T00:00:11.07Z".into());
        let read = read_calls("log", &write_calls([&ended])).unwrap();
        assert!(
            (read[0].tpot_ms.unwrap() - 10.0).abs() < 0.1,
            "{:?}",
            read[0]
        );
    }

    #[test]
    fn bad_lines_name_their_field() {
        let good = serde_json::to_value(call(1, 9.0)).unwrap();
        let with = |field: &str, value: serde_json::Value| {
            let mut line = good.clone();
            line[field] = value;
            read_calls("calls.jsonl", &format!("\n{line}")).unwrap_err()
        };
        for (field, value) in [
            ("time", serde_json::json!("yesterday")),
            ("ttft_ms", serde_json::json!(-1.0)),
            ("tpot_ms", serde_json::json!(0.0)),
            ("tensor", serde_json::json!(0)),
            ("cached_tokens", serde_json::json!(1001)),
        ] {
            let error = with(field, value);
            assert_eq!((error.field.as_str(), error.line), (field, 2), "{error}");
        }
        for (field, value) in [
            ("output_tokens", serde_json::json!(600.5)),
            ("ttft_ms", serde_json::json!("fast")),
            ("input_tokens", serde_json::json!(20_000_000)),
        ] {
            let error = with(field, value);
            assert_eq!((error.field.as_str(), error.line), (field, 2), "{error}");
            assert!(!error.message.contains("line 1"), "{error}");
        }
        let mut lacking = good.clone();
        lacking.as_object_mut().unwrap().remove("model");
        let error = read_calls("x", &lacking.to_string()).unwrap_err();
        assert_eq!(error.field, "model");
        assert!(read_calls("x", "").is_err());
    }

    #[test]
    fn names_and_plans_that_cannot_be_name_line_and_field() {
        let error = |change: fn(&mut Call)| {
            let mut bad = call(2, 9.0);
            change(&mut bad);
            let read = read_calls("log.jsonl", &write_calls([&call(1, 9.0), &bad])).unwrap();
            let (catalogue, parameters) = (Catalogue::shipped(), Parameters::shipped());
            let (catalogue, parameters) = (catalogue.unwrap(), parameters.unwrap());
            update_from_calls(&read, &catalogue, &parameters, "log.jsonl").unwrap_err()
        };
        let unknown = error(|c| c.model = "giant-9t".into());
        assert_eq!(
            (unknown.line, unknown.field.as_str()),
            (2, "model"),
            "{unknown}"
        );
        let seven = error(|c| c.tensor = 7);
        assert_eq!((seven.line, seven.field.as_str()), (2, "tensor"), "{seven}");
        assert!(
            seven
                .message
                .contains("does not divide the attention heads"),
            "{seven}"
        );
    }

    #[test]
    fn a_log_moves_the_scale_as_far_as_its_evidence_reaches() {
        let parameters = Parameters::shipped().unwrap();
        let alone = update(&[call(0, 10.0)], &parameters);
        let expected = 10.0 / alone.configurations[0].before_ratio();
        let slow: Vec<Call> = (0..200).map(|i| call(i, 1.5 * expected)).collect();
        let many = update(&slow, &parameters);
        let of = |u: &LogUpdate| u.configurations[0].tpot_factor;
        assert!((of(&many) / 1.5 - 1.0).abs() < 0.02, "{}", of(&many));
        assert!(many.configurations[0].after.tpot_mape_percent < 2.0);
        assert!(many.configurations[0].before.tpot_mape_percent > 30.0);
        let few = update(&slow[..1], &parameters);
        assert!(of(&few) > 1.05 && of(&few) < 1.4, "{}", of(&few));
        // A second look at the same log finds hardly anything to move.
        assert!((of(&update(&slow, &many.parameters)) - 1.0).abs() < 0.02);
    }

    #[test]
    fn slow_first_tokens_slow_the_simulators_prompts() {
        let parameters = Parameters::shipped().unwrap();
        let prompt_ms = |p: &Parameters| {
            let c = Catalogue::shipped().unwrap();
            let (chip, model) = (c.chip("h100_sxm").unwrap(), c.model("llama3.1-8b").unwrap());
            let precision = c.precision("bf16").unwrap();
            let d = Deployment::new(chip, model, precision, Plan::SINGLE, Engine::Vllm).unwrap();
            let step = rialto_fleet::step::StepModel::new(&d, p);
            step.step_seconds(&rialto_fleet::step::StepLoad::prefill(1, 1000)) * 1e3
        };
        // Long answers, so that prompts take a small part of the steps.
        let long = |i| Call {
            output_tokens: 2000,
            ..call(i, 10.0)
        };
        let calls: Vec<Call> = (0..200).map(long).collect();
        let usual = update(&calls, &parameters);
        let slow: Vec<Call> = calls
            .iter()
            .map(|c| Call {
                ttft_ms: 3.0 * c.ttft_ms,
                ..c.clone()
            })
            .collect();
        let slow = update(&slow, &parameters);
        let (was, is) = (prompt_ms(&usual.parameters), prompt_ms(&slow.parameters));
        assert!(is > 2.0 * was, "{was} ms, then {is} ms");
        let after = &slow.configurations[0].after;
        assert!(after.ttft_mape_percent < 20.0, "{after:?}");
    }

    #[test]
    fn concurrency_is_counted_from_the_log() {
        let mut calls: Vec<Call> = (0..4).map(|_| call(0, 10.0)).collect();
        for c in &mut calls {
            c.concurrency = None;
            c.replicas = 2;
        }
        let read = read_calls("log", &write_calls(&calls)).unwrap();
        let group: Vec<&LoggedCall> = read.iter().collect();
        assert_eq!(InFlight::new(&group).beside(&read[0]), 2.0);
    }

    impl ConfigurationUpdate {
        /// Logged over forecast of a log of one call.
        fn before_ratio(&self) -> f64 {
            // One call whose forecast is off by x % lies at 1 / (1 ± x %).
            let off = self.before.tpot_mape_percent / 100.0;
            if self.tpot_factor >= 1.0 {
                1.0 / (1.0 - off)
            } else {
                1.0 / (1.0 + off)
            }
        }
    }
}
