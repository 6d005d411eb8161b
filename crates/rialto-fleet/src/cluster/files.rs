//! Files of a report: one HTML page, charts, JSON and CSV. Every figure is modelled.
//!
//! Holds their texts; the caller writes the files.

use std::fmt::Write as _;

use super::pool::Fleet;
use super::report::{SeriesPoint, ServingReport, Totals};
use super::run::RunResult;
use crate::cells::text_cell;
use crate::chart::{Chart, PngError, Series, escape};
use crate::echo::figure;
use crate::engine::{Histogram, Recorder};

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A figure that JSON has no form for.
    #[error("the report as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A chart that cannot be drawn.
    #[error("a chart as PNG: {0}")]
    Png(#[from] PngError),
}

/// Every request's outcome as CSV.
#[must_use]
pub fn requests_csv(fleet: &Fleet, result: &RunResult) -> String {
    let mut text = String::from(
        "pool,number,arrival_s,input_tokens,output_tokens,queue_s,ttft_s,tpot_s,e2e_s,\
         preemptions,failures,provenance\n",
    );
    for (pool, outcomes) in fleet.pools.iter().zip(&result.pools) {
        for o in &outcomes.outcomes {
            let r = &o.job.request;
            let arrival_ps = r.arrival_ns * 1000;
            let since = |ps: u64| ps.saturating_sub(arrival_ps) as f64 * 1e-12;
            let decode_s = o.finished_ps.saturating_sub(o.job.first_token_ps) as f64 * 1e-12;
            let _ = writeln!(
                text,
                "{},{},{:.9},{},{},{:.9},{:.9},{:.9},{:.9},{},{},modelled",
                text_cell(&pool.spec.name),
                o.job.number,
                r.arrival_ns as f64 * 1e-9,
                r.input_tokens,
                r.output_tokens,
                since(o.job.scheduled_ps),
                since(o.job.first_token_ps),
                decode_s / f64::from(r.output_tokens.max(2) - 1),
                since(o.finished_ps),
                o.job.preemptions,
                o.job.failures,
            );
        }
    }
    text
}

/// The report's files by name: `report.html`, `report.json`, `pools.csv`, `series.csv` and each chart as
/// SVG and PNG.
///
/// # Errors
/// When a figure has no form in JSON, or a chart cannot be drawn.
pub fn files(
    report: &ServingReport,
    result: &RunResult,
) -> Result<Vec<(String, Vec<u8>)>, FilesError> {
    let mut files = Vec::new();
    let mut file = |name: &str, text: String| files.push((name.to_owned(), text.into_bytes()));
    file("report.json", serde_json::to_string_pretty(report)?);
    file("pools.csv", pools_csv(report));
    file("series.csv", series_csv(report));
    let charts = charts(report, result);
    file("report.html", html(report, &charts));
    for (name, chart) in &charts {
        file(&format!("{name}.svg"), chart.svg());
    }
    for (name, chart) in &charts {
        files.push((format!("{name}.png"), chart.png()?));
    }
    Ok(files)
}

fn charts(report: &ServingReport, result: &RunResult) -> Vec<(&'static str, Chart)> {
    let bin_s = report.series_bin_s.max(1e-9);
    let over_time = |name: &str, value: &dyn Fn(&SeriesPoint) -> f64| Series {
        name: name.to_owned(),
        points: report
            .series
            .iter()
            .enumerate()
            .map(|(i, p)| ((i as f64 + 0.5) * bin_s, value(p)))
            .collect(),
    };
    let chart = |title: &str, x: &str, y: &str, log_x, series| Chart {
        title: format!("{title} [modelled]"),
        x_label: x.to_owned(),
        y_label: y.to_owned(),
        log_x,
        series,
    };
    let cumulative = |name: &str, which: fn(&Recorder) -> &Histogram| {
        let histogram = ServingReport::histogram(result, which);
        let mut below = 0.0;
        let points = histogram
            .buckets()
            .map(|(upper_s, count)| {
                below += count;
                (upper_s * 1e3, 100.0 * below / histogram.count().max(1e-9))
            })
            .collect();
        Series {
            name: name.to_owned(),
            points,
        }
    };
    let time = "simulated time, s";
    vec![
        (
            "requests",
            chart(
                "Requests",
                time,
                "requests a second",
                false,
                vec![
                    over_time("arrived", &|p| p.arrived / bin_s),
                    over_time("finished", &|p| p.finished / bin_s),
                ],
            ),
        ),
        (
            "tokens",
            chart(
                "Answer tokens",
                time,
                "tokens a second",
                false,
                vec![over_time("tokens", &|p| p.output_tokens / bin_s)],
            ),
        ),
        (
            "ttft",
            chart(
                "Mean time to first token",
                time,
                "milliseconds",
                false,
                vec![over_time("TTFT", &|p| {
                    1e3 * p.ttft_sum_s / p.finished.max(1.0)
                })],
            ),
        ),
        (
            "latency",
            chart(
                "Latency",
                "milliseconds",
                "% of requests within",
                true,
                vec![
                    cumulative("TPOT", |r| &r.tpot),
                    cumulative("TTFT", |r| &r.ttft),
                    cumulative("end to end", |r| &r.e2e),
                ],
            ),
        ),
    ]
}

/// One row a pool, figures with their unit in the column's name.
fn pools_csv(report: &ServingReport) -> String {
    let mut text = String::from(
        "pool,model,chip,plan,replicas,chips,requests_per_s,output_tokens_per_s,\
         output_tokens_per_s_per_chip,goodput_per_s,slo_share,ttft_p50_s,ttft_p99_s,tpot_p50_s,\
         tpot_p99_s,e2e_p50_s,e2e_p99_s,queue_p99_s,utilisation,availability,energy_kwh,\
         joules_per_output_token,chip_hours,down_chip_hours,drained_chip_hours,down_usd,\
         drained_usd,provenance\n",
    );
    for p in &report.pools {
        let t = &p.totals;
        let figures = [
            t.replicas,
            t.chips,
            t.finished_per_s,
            t.output_tokens_per_s,
            t.output_tokens_per_s_per_chip,
            t.goodput_per_s,
            t.slo_share,
            t.ttft.p50_s,
            t.ttft.p99_s,
            t.tpot.p50_s,
            t.tpot.p99_s,
            t.e2e.p50_s,
            t.e2e.p99_s,
            t.queue.p99_s,
            t.utilisation,
            t.availability,
            t.energy_kwh,
            t.joules_per_output_token,
            t.chip_hours,
            t.down_chip_hours,
            t.drained_chip_hours,
        ];
        let mut figures: Vec<String> = figures.iter().map(f64::to_string).collect();
        let usd = [t.down_usd, t.drained_usd];
        figures.extend(usd.map(|v| v.map_or_else(String::new, |v| v.to_string())));
        let figures = figures.join(",");
        let _ = writeln!(
            text,
            "{},{},{},{},{figures},modelled",
            text_cell(&p.name),
            text_cell(&p.model),
            text_cell(&p.chip),
            text_cell(&p.plan)
        );
    }
    text
}

fn series_csv(report: &ServingReport) -> String {
    let mut text = String::from("start_s,arrived,finished,output_tokens,mean_ttft_s,provenance\n");
    for (i, p) in report.series.iter().enumerate() {
        let _ = writeln!(
            text,
            "{},{},{},{},{},modelled",
            i as f64 * report.series_bin_s,
            p.arrived,
            p.finished,
            p.output_tokens,
            p.ttft_sum_s / p.finished.max(1.0)
        );
    }
    text
}

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color:#222}table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem .7rem;\
    border-bottom:1px solid #ddd;text-align:right}th:first-child,td:first-child{text-align:left}\
    svg{width:100%;height:auto}.note{background:#fff6e0;padding:.5rem 1rem}";

fn html(report: &ServingReport, charts: &[(&'static str, Chart)]) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\
         <style>{STYLE}</style></head><body><h1>{0}</h1>\
         <p class=\"note\"><strong>Every figure is a twin's: modelled, not measured.</strong> {1}</p>\
         <p>{2} run, seed {3}, {4:.0} simulated seconds, {5} requests simulated.</p>",
        escape(&report.scenario),
        escape(&report.label),
        report.mode,
        report.seed,
        report.simulated_s,
        report.requests
    );
    page.push_str("<h2>Pools</h2><table><tr><th>pool</th>");
    for head in HEADS {
        let _ = write!(page, "<th>{head}</th>");
    }
    page.push_str("</tr>");
    for pool in &report.pools {
        let name = format!(
            "{}: {} on {} {}",
            pool.name, pool.model, pool.chip, pool.plan
        );
        html_row(&mut page, &name, &pool.totals);
    }
    html_row(&mut page, "all", &report.fleet);
    page.push_str("</table><ul>");
    for pool in &report.pools {
        let (name, error) = (escape(&pool.name), escape(&pool.forecast_error.words()));
        let _ = write!(page, "<li>{name}: {error}</li>");
    }
    page.push_str("</ul>");
    if let Some(i) = &report.intervals {
        page.push_str(
            "<h2>Sampling error</h2><table><tr><th>95 % interval</th><th>low</th>\
                       <th>high</th><th>+-</th></tr>",
        );
        for (name, interval) in [
            ("requests a second", i.finished_per_s),
            ("answer tokens a second", i.output_tokens_per_s),
            ("goodput a second", i.goodput_per_s),
            ("TTFT p50, s", i.ttft_p50_s),
            ("TTFT p99, s", i.ttft_p99_s),
            ("TPOT p99, s", i.tpot_p99_s),
            ("end to end p99, s", i.e2e_p99_s),
        ] {
            let _ = write!(
                page,
                "<tr><td>{name}</td><td>{}</td><td>{}</td><td>{:.2} %</td></tr>",
                figure(interval.low),
                figure(interval.high),
                100.0 * interval.relative_error()
            );
        }
        page.push_str("</table>");
    }
    for (_, chart) in charts {
        page.push_str(&chart.svg());
    }
    if !report.sources.is_empty() {
        page.push_str("<h2>Sources</h2><ul>");
        for source in &report.sources {
            let _ = write!(page, "<li>{}</li>", escape(source));
        }
        page.push_str("</ul>");
    }
    page.push_str("</body></html>\n");
    page
}

const HEADS: [&str; 9] = [
    "chips",
    "requests/s",
    "answer tokens/s",
    "tokens/s a chip",
    "TTFT p50 / p99, ms",
    "TPOT p50 / p99, ms",
    "within objective",
    "available",
    "J per token",
];

fn html_row(page: &mut String, name: &str, t: &Totals) {
    let _ = write!(
        page,
        "<tr><td>{}</td><td>{}</td><td>{:.1}</td><td>{:.0}</td><td>{:.1}</td>\
         <td>{:.0} / {:.0}</td><td>{:.1} / {:.1}</td><td>{:.2} %</td><td>{:.2} %</td>\
         <td>{:.2}</td></tr>",
        escape(name),
        t.chips,
        t.finished_per_s,
        t.output_tokens_per_s,
        t.output_tokens_per_s_per_chip,
        t.ttft.p50_s * 1e3,
        t.ttft.p99_s * 1e3,
        t.tpot.p50_s * 1e3,
        t.tpot.p99_s * 1e3,
        100.0 * t.slo_share,
        100.0 * t.availability,
        t.joules_per_output_token
    );
}
