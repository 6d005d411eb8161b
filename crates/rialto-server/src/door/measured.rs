//! What is counted of calls of models, in the Prometheus text format: by model and provider how they ended, their
//! tokens, and how long they took; by deployment what is under way. Counts nothing itself.

use std::fmt::Write;

use rialto_gateway::{BOUNDS, Gateway, Series, Times};

use super::ops::as_f64;

/// Writes all of it. Writing to a String cannot fail.
pub(super) fn write(text: &mut String, gateway: &Gateway) {
    let all = gateway.metrics().all();
    head(
        text,
        "rialto_model_calls_total",
        "counter",
        "calls of models that are over, by how they ended",
    );
    for ((model, provider), series) in &all {
        for (end, count) in [
            ("served", series.served),
            ("left", series.left),
            ("failed", series.failed),
        ] {
            let _ = writeln!(
                text,
                "rialto_model_calls_total{{model=\"{model}\",provider=\"{provider}\",end=\"{end}\"}} {count}"
            );
        }
    }
    head(
        text,
        "rialto_model_tokens_total",
        "counter",
        "tokens of calls of models; cached ones are input too",
    );
    for ((model, provider), series) in &all {
        for (kind, count) in [
            ("input", series.input),
            ("cached", series.cached),
            ("output", series.output),
        ] {
            let _ = writeln!(
                text,
                "rialto_model_tokens_total{{model=\"{model}\",provider=\"{provider}\",kind=\"{kind}\"}} {count}"
            );
        }
    }
    let first = |series: &Series| series.first.clone();
    times(
        text,
        &all,
        (
            "rialto_model_first_seconds",
            "time until a model's answer began",
        ),
        first,
    );
    let took = |series: &Series| series.took.clone();
    times(
        text,
        &all,
        (
            "rialto_model_seconds",
            "time that calls of models took in all",
        ),
        took,
    );
    head(
        text,
        "rialto_deployment_calls",
        "gauge",
        "calls under way, by deployment",
    );
    for (deployment, calls) in gateway.under_way() {
        let _ = writeln!(
            text,
            "rialto_deployment_calls{{deployment=\"{deployment}\"}} {calls}"
        );
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn times(
    text: &mut String,
    all: &[((String, String), Series)],
    (name, help): (&str, &str),
    of: impl Fn(&Series) -> Times,
) {
    head(text, name, "histogram", help);
    for ((model, provider), series) in all {
        let labels = format!("model=\"{model}\",provider=\"{provider}\"");
        let times = of(series);
        let mut sum = 0;
        for (bound, count) in BOUNDS.iter().zip(times.counts) {
            sum += count;
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {sum}");
        }
        let all: u64 = times.counts.iter().sum();
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {all}");
        let _ = writeln!(
            text,
            "{name}_sum{{{labels}}} {}\n{name}_count{{{labels}}} {}",
            times.sum,
            as_f64(all)
        );
    }
}
