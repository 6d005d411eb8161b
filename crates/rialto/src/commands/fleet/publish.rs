//! `rialto fleet publish`: the price list of a plan becomes a listing on the realm.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::table;
use crate::commands::remote::{self, Remote};
use crate::output::{CliError, Output};

/// Publishes the price list that a plan derives, one listing a model, as the agent that asks.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// What `rialto fleet plan --json` printed.
    plan: PathBuf,
    /// Percent laid over the modelled cost.
    #[arg(long, default_value_t = 0.0)]
    margin_percent: f64,
    /// Days of the plan's capacity that are for sale: of each kind of tokens, as many as its replicas
    /// serve in that time. Offers beyond are refused.
    #[arg(long, default_value_t = 30.0)]
    days: f64,
    /// Where the chips stand; becomes an attribute of the listing.
    #[arg(long)]
    region: Option<String>,
    /// Who runs the machines; becomes an attribute of the listing.
    #[arg(long)]
    host: Option<String>,
    /// The asset of its prices; the realm's first when absent.
    #[arg(long, value_name = "CODE")]
    asset: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// What of a plan's JSON is read.
#[derive(Deserialize)]
struct Plan {
    models: Vec<ModelPlan>,
}

#[derive(Deserialize)]
struct ModelPlan {
    model: String,
    cheapest: Option<Cheapest>,
}

#[derive(Deserialize)]
struct Cheapest {
    chip: String,
    vendor: String,
    precision: String,
    plan: String,
    token_costs: Option<Costs>,
    capacity: Option<Capacity>,
}

#[derive(Deserialize)]
struct Capacity {
    input_tokens_per_s: f64,
    cached_tokens_per_s: f64,
    output_tokens_per_s: f64,
}

#[derive(Deserialize)]
struct Costs {
    chip_seconds_per_million_input_tokens: f64,
    chip_seconds_per_million_cached_tokens: f64,
    chip_seconds_per_million_output_tokens: f64,
    usd_per_chip_second: Option<f64>,
}

/// Runs the command.
///
/// # Errors
/// When the plan holds no price list, or as the server's.
pub(crate) async fn run(args: PublishArgs, out: Output) -> Result<(), CliError> {
    if !args.margin_percent.is_finite() || args.margin_percent <= -100.0 {
        let what = format!(
            "--margin-percent is {}; it must be above -100",
            args.margin_percent
        );
        return Err(CliError::usage(what));
    }
    if !args.days.is_finite() || args.days <= 0.0 {
        let what = format!("--days is {}; it must be above zero", args.days);
        return Err(CliError::usage(what));
    }
    let shown = args.plan.display();
    let plan: Plan = serde_json::from_str(&table::read(&args.plan)?).map_err(|e| {
        CliError::usage(format!("{shown}: {e}"))
            .hint("write it with `rialto --json fleet plan … > plan.json`")
    })?;
    let mut listings = Vec::new();
    for model in &plan.models {
        listings.push(
            listing(model, &args)
                .map_err(|why| CliError::usage(format!("{shown}: {}: {why}", model.model)))?,
        );
    }
    if listings.is_empty() {
        return Err(CliError::usage(format!("{shown}: the plan holds no model")));
    }
    for terms in listings {
        let args_of_it = json!({ "terms": terms });
        remote::carry_out(&args.remote, out, "listing.publish", args_of_it).await?;
    }
    Ok(())
}

/// The listing of one model's cheapest placement.
fn listing(model: &ModelPlan, args: &PublishArgs) -> Result<Value, String> {
    let p = model
        .cheapest
        .as_ref()
        .ok_or("no placement holds the objective with 80 %")?;
    let costs = p
        .token_costs
        .as_ref()
        .ok_or("the placement serves no tokens")?;
    let usd = costs
        .usd_per_chip_second
        .ok_or_else(|| format!("{} has no price; plan with another --price", p.chip))?;
    let capacity = p
        .capacity
        .as_ref()
        .ok_or("the plan states no capacity; plan again")?;
    let margin = 1.0 + args.margin_percent / 100.0;
    let (output, input, cached) = (
        costs.chip_seconds_per_million_output_tokens,
        costs.chip_seconds_per_million_input_tokens,
        costs.chip_seconds_per_million_cached_tokens,
    );
    let item = |kind: &str, chip_seconds: f64, tokens_per_s: f64| {
        let quantity = millions(tokens_per_s, args.days);
        let price = price(usd * chip_seconds * margin);
        let name = format!("million {kind} tokens");
        (quantity > 0).then(|| json!({ "name": name, "price": price, "quantity": quantity }))
    };
    let items = [
        item("output", output, capacity.output_tokens_per_s),
        item("input", input, capacity.input_tokens_per_s),
        item("cached", cached, capacity.cached_tokens_per_s),
    ];
    let items: Vec<Value> = items.into_iter().flatten().collect();
    if items.is_empty() {
        return Err("it serves less than a million tokens in --days; give more".to_owned());
    }
    let mut attributes = vec![
        // A plan is a twin's whatever its file says of itself.
        text("basis", "modelled"),
        text("model", &model.model),
        text("chip", &p.chip),
        text("vendor", &p.vendor),
        text("precision", &p.precision),
        text("plan", &p.plan.replace(',', "")),
        text("capacity_days", &args.days.to_string()),
    ];
    for (kind, chip_seconds) in [("output", output), ("input", input), ("cached", cached)] {
        let seconds = format!("chip_seconds_per_million_{kind}_tokens");
        attributes.push(text(&seconds, &price(chip_seconds)));
        let cost = format!("cost_per_million_{kind}_tokens");
        attributes.push(text(&cost, &price(usd * chip_seconds)));
    }
    for (name, value) in [("region", &args.region), ("host", &args.host)] {
        attributes.extend(value.iter().map(|v| text(name, v)));
    }
    Ok(remote::without_nulls(json!({
        "title": format!("{} on {}", model.model, p.chip),
        "items": items,
        "attributes": attributes,
        "tags": ["model capacity"],
        "asset": args.asset,
    })))
}

fn text(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": { "text": value } })
}

/// Whole millions of tokens that so many a second come to in days, rounded down.
fn millions(tokens_per_s: f64, days: f64) -> u32 {
    // The cast stops at the largest quantity that a listing can state.
    (tokens_per_s * days * 86_400.0 / 1e6) as u32
}

/// Dollars or chip-seconds to the millionth, rounded up so that no price falls to zero.
fn price(value: f64) -> String {
    format!("{:.6}", (value * 1e6).ceil().max(1.0) / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_whole_millions_and_bounded() {
        assert_eq!(millions(100.0, 30.0), 259);
        assert_eq!(millions(0.1, 1.0), 0);
        assert_eq!(millions(1e15, 365.0), u32::MAX);
    }

    #[test]
    fn prices_keep_six_digits_and_never_vanish() {
        for (value, want) in [
            (1.5, "1.500000"),
            (1e-9, "0.000001"),
            (0.123_456_1, "0.123457"),
        ] {
            assert_eq!(price(value), want);
        }
    }
}
