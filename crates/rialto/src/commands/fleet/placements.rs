//! Placements in words and rows, for `plan` and `compare`.
//!
//! Every figure that depends on the forecast's error is shown with its range, and every price with its
//! kind.

use rialto_fleet::plan::{Count, HOLDS_WITH, Placement};

use super::table::{Table, dash};
use crate::output::{CliError, Output};

const HEADS: [&str; 14] = [
    "chip",
    "format",
    "plan",
    "buy: replicas x chips",
    "even odds",
    "80 % range",
    "$/chip-h",
    "$/h (80 % range)",
    "$/M out (80 % range)",
    "TTFT p99 | held",
    "TPOT p99 | held",
    "tok/s/chip",
    "J/tok",
    "binds",
];

/// Placements as a table.
pub fn table<'a>(placements: impl Iterator<Item = &'a Placement>) -> Table {
    let mut table = Table::new(&HEADS);
    for p in placements {
        table.row(row(p));
    }
    table
}

/// What the columns mean; printed once, below the tables.
pub fn legend(out: Output) -> Result<(), CliError> {
    let percent = 100.0 * HOLDS_WITH;
    super::table::wrapped(
        out,
        "  ",
        &format!(
            "buy: the count that holds the objective with {percent} % probability, given the forecast's \
             error; even odds: the count that the forecast itself asks for; 80 % range: the counts and \
             their cost at both ends of the error's 80 % interval, - where no count holds; held: what the \
             latency stays below with {percent} % probability"
        ),
    )
}

fn row(p: &Placement) -> Vec<String> {
    let spread = p.spread;
    let low = spread.and_then(|s| s.low);
    let high = spread.and_then(|s| s.high);
    let median = spread.and_then(|s| s.median);
    let buy = p.replicas.map_or_else(dash, |replicas| {
        let chips = p.chips.unwrap_or(0);
        format!("{replicas} x {} = {chips}", p.replica_chips)
    });
    let buy = match p.holds_with {
        Some(share) if spread.is_none() => format!("{buy}, holds with {:.0} %", 100.0 * share),
        _ => buy,
    };
    let range = match (low, high) {
        (None, None) => dash(),
        (low, high) => ends(low, high, |c| Some(c.replicas.to_string())),
    };
    let money = |value: Option<f64>, digits: usize, of: fn(&Count) -> Option<f64>| {
        let text = value.map_or_else(dash, |v| format!("{v:.digits$}"));
        let range = ends(low, high, |c| of(c).map(|v| format!("{v:.digits$}")));
        match (p.price, low.or(high)) {
            (None, _) => "no price".to_owned(),
            (_, None) => text,
            _ => format!("{text} ({range})"),
        }
    };
    let price = p.price.map_or_else(
        || "no price".to_owned(),
        |price| format!("{} {}", price.usd_per_chip_hour, price.basis.words()),
    );
    let served = p.replicas.is_some();
    let figure = |text: String| if served { text } else { dash() };
    let latency = |forecast_s: f64, held_s: f64, digits: usize| {
        let (forecast, held) = (forecast_s * 1e3, held_s * 1e3);
        figure(format!("{forecast:.digits$} | {held:.digits$} ms"))
    };
    vec![
        p.chip.clone(),
        p.precision.clone(),
        p.plan.clone(),
        buy,
        median.map_or_else(dash, |c| c.replicas.to_string()),
        range,
        price,
        money(p.usd_per_hour, 2, |c| c.usd_per_hour),
        money(p.usd_per_million_output_tokens, 3, |c| {
            c.usd_per_million_output_tokens
        }),
        latency(p.ttft_p99_s, p.ttft_p99_held_s, 0),
        latency(p.tpot_p99_s, p.tpot_p99_held_s, 1),
        figure(format!("{:.1}", p.output_tokens_per_s_per_chip)),
        figure(format!("{:.2}", p.joules_per_output_token)),
        match (served, spread) {
            (false, Some(_)) => format!("with {:.0} %: {}", 100.0 * HOLDS_WITH, p.binds.words()),
            _ => p.binds.words(),
        },
    ]
}

/// `low .. high`, a dash for an end at which no count holds.
fn ends(
    low: Option<Count>,
    high: Option<Count>,
    show: impl Fn(&Count) -> Option<String>,
) -> String {
    let [low, high] = [low, high].map(|c| c.as_ref().and_then(&show).unwrap_or_else(dash));
    format!("{low} .. {high}")
}

/// The plan to buy, and the count that the forecast alone asks for, in sentences.
pub fn bought(p: &Placement) -> Vec<String> {
    let price =
        |usd: Option<f64>| usd.map_or_else(String::new, |usd| format!(", {usd:.2} $ an hour"));
    let mut lines = vec![format!(
        "cheapest: {} {}, {}: {}{}; holds with {:.0} %; binds: {}",
        p.chip,
        p.precision,
        p.plan,
        count(p),
        price(p.usd_per_hour),
        100.0 * p.holds_with.unwrap_or(HOLDS_WITH),
        p.binds.words()
    )];
    if let Some(spread) = p.spread {
        let replicas = |c: Option<Count>, none: &str| {
            c.map_or_else(|| none.to_owned(), |c| of(c.replicas.into(), "replica"))
        };
        if let Some(median) = spread.median {
            lines.push(format!(
                "the forecast itself asks for {}{}, which hold with even odds; the error's 80 % interval \
                 reaches from {} to {}",
                of(median.replicas.into(), "replica"),
                price(median.usd_per_hour),
                replicas(spread.low, "none"),
                replicas(spread.high, "no number that holds")
            ));
        }
        lines.extend(seeds(p));
    }
    lines
}

/// Over which seeds the count varies.
pub fn seeds(p: &Placement) -> Option<String> {
    let spread = p.spread?;
    let fewest = spread.fewest?;
    let most = spread
        .most
        .map_or_else(|| "none that holds".to_owned(), |n| n.to_string());
    let spares = if p.spare_replicas > 0 {
        " before spares"
    } else {
        ""
    };
    Some(match spread.most {
        Some(most) if most == fewest => format!("all {} seeds agree on the count", spread.seeds),
        _ => format!(
            "the count is the median of {} seeds, which ask for {fewest} to {most}{spares}",
            spread.seeds
        ),
    })
}

/// `1 chip`, `2 chips`.
fn of(n: u64, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// `12 replicas x 4 chips = 48 chips (1 replica is a spare)`.
fn count(p: &Placement) -> String {
    let replicas = p.replicas.unwrap_or(0);
    let mut text = format!(
        "{} x {} = {}",
        of(replicas.into(), "replica"),
        of(p.replica_chips.into(), "chip"),
        of(p.chips.unwrap_or(0), "chip"),
    );
    if let Some(share) = p.working_share {
        // Cut, not rounded, so that the stated share is reached.
        let percent = (share * 1e4).floor() / 100.0;
        text.push_str(&format!(
            ", {} of the replicas spare, so that enough work {percent:.2} % of the time",
            p.spare_replicas
        ));
    }
    text
}

/// The error of the forecasts, once for each chip shown.
pub fn notes(placements: &[Placement], out: Output) -> Result<(), CliError> {
    let mut shown: Vec<&str> = Vec::new();
    for p in placements {
        if shown.contains(&p.chip.as_str()) || (p.replicas.is_none() && p.spread.is_none()) {
            continue;
        }
        shown.push(&p.chip);
        if let Some(error) = &p.error {
            out.line(format!("  {}: {}", p.chip, error.words()))?;
        }
    }
    Ok(())
}
