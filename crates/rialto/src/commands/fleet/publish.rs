//! `rialto fleet publish`: publishes a plan's price list as a listing on the realm.

use std::path::PathBuf;

use clap::Args;
use rialto_core::amount::Decimal;
use rialto_core::market::{Attribute, Item, ListingTerms, PublishListing, Value};
use rialto_core::text::{AssetCode, Name};
use rialto_wire::body::Body;
use serde::Deserialize;

use super::table;
use crate::commands::remote::{self, Remote};
use crate::output::{CliError, Output};

/// Publishes the price list of a plan, one listing for each model, in the name of the agent that asks.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// What `rialto fleet plan --json` printed.
    plan: PathBuf,
    /// Percent to add to the modelled cost.
    #[arg(long, default_value_t = 0.0)]
    margin_percent: f64,
    /// Days of the plan's capacity to sell: for each kind of token, as many tokens as the replicas serve in
    /// that time. The realm refuses offers beyond that.
    #[arg(long, default_value_t = 30.0)]
    days: f64,
    /// Where the chips are; becomes an attribute of the listing.
    #[arg(long)]
    region: Option<String>,
    /// Who runs the machines; becomes an attribute of the listing.
    #[arg(long)]
    host: Option<String>,
    /// The asset that the prices are in; the realm's first asset if not given.
    #[arg(long, value_name = "CODE")]
    asset: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// The part of a plan's JSON that this command reads.
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
/// When the plan holds no price list; or an error of the server.
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
        let args_of_it = serde_json::to_value(PublishListing { terms })
            .map_err(|e| CliError::bug(e.to_string()))?;
        remote::carry_out(&args.remote, out, "listing.publish", args_of_it).await?;
    }
    Ok(())
}

/// The listing of one model's cheapest placement.
fn listing(model: &ModelPlan, args: &PublishArgs) -> Result<ListingTerms<Body>, String> {
    let p = model
        .cheapest
        .as_ref()
        .ok_or("no placement holds the objective with 80 % probability")?;
    let rates = Rates::of(p)?;
    let capacity = p
        .capacity
        .as_ref()
        .ok_or("the plan states no capacity; plan again")?;
    let asset = args.asset.as_deref().map(AssetCode::new).transpose();
    Ok(ListingTerms {
        title: name(&format!("{} on {}", model.model, p.chip))?,
        description: None,
        items: items(&rates, capacity, args)?,
        attributes: attributes(&model.model, p, &rates, args)?,
        tags: vec![name("model capacity")?],
        asset: asset.map_err(|e| format!("--asset: {e}"))?,
        funded_offers_only: None,
    })
}

/// The chip-seconds that a million tokens of each kind take, and their cost.
struct Rates {
    /// Each kind with the chip-seconds of a million.
    kinds: [(&'static str, f64); 3],
    /// Dollars a chip-second.
    usd: f64,
}

impl Rates {
    fn of(p: &Cheapest) -> Result<Self, String> {
        let costs = p
            .token_costs
            .as_ref()
            .ok_or("the placement serves no tokens")?;
        let usd = costs
            .usd_per_chip_second
            .ok_or_else(|| format!("{} has no price; plan with another --price", p.chip))?;
        let kinds = [
            ("output", costs.chip_seconds_per_million_output_tokens),
            ("input", costs.chip_seconds_per_million_input_tokens),
            ("cached", costs.chip_seconds_per_million_cached_tokens),
        ];
        Ok(Self { kinds, usd })
    }
}

/// Each kind of tokens that the plan serves, with its price and how many are for sale.
fn items(rates: &Rates, capacity: &Capacity, args: &PublishArgs) -> Result<Vec<Item>, String> {
    let margin = 1.0 + args.margin_percent / 100.0;
    let served = [
        capacity.output_tokens_per_s,
        capacity.input_tokens_per_s,
        capacity.cached_tokens_per_s,
    ];
    let mut items = Vec::new();
    for ((kind, chip_seconds), tokens_per_s) in rates.kinds.into_iter().zip(served) {
        let quantity = millions(tokens_per_s, args.days);
        if quantity > 0 {
            items.push(Item {
                name: name(&format!("million {kind} tokens"))?,
                price: price(rates.usd * chip_seconds * margin)?,
                quantity: Some(quantity),
            });
        }
    }
    if items.is_empty() {
        return Err("it serves less than a million tokens in --days; give more".to_owned());
    }
    Ok(items)
}

/// The attributes of the listing: searches find it by them, and the cost of its use is computed from them.
fn attributes(
    model: &str,
    p: &Cheapest,
    rates: &Rates,
    args: &PublishArgs,
) -> Result<Vec<Attribute>, String> {
    let mut attributes = vec![
        // A plan is a twin's whatever its file says of itself.
        text("basis", "modelled")?,
        text("model", model)?,
        text("chip", &p.chip)?,
        text("vendor", &p.vendor)?,
        text("precision", &p.precision)?,
        text("plan", &p.plan.replace(',', ""))?,
        text("capacity_days", &args.days.to_string())?,
    ];
    for (kind, chip_seconds) in rates.kinds {
        let seconds = format!("chip_seconds_per_million_{kind}_tokens");
        attributes.push(text(&seconds, &digits(chip_seconds))?);
        let cost = format!("cost_per_million_{kind}_tokens");
        attributes.push(text(&cost, &digits(rates.usd * chip_seconds))?);
    }
    for (name, value) in [("region", &args.region), ("host", &args.host)] {
        if let Some(value) = value {
            attributes.push(text(name, value)?);
        }
    }
    Ok(attributes)
}

fn name(text: &str) -> Result<Name, String> {
    Name::new(text).map_err(|e| format!("{text:?}: {e}"))
}

fn text(what: &str, value: &str) -> Result<Attribute, String> {
    Ok(Attribute {
        name: name(what)?,
        value: Value::Text(name(value)?),
    })
}

/// How many millions of tokens a rate per second gives in a number of days, rounded down.
fn millions(tokens_per_s: f64, days: f64) -> u32 {
    // The cast stops at the largest quantity that a listing can state.
    (tokens_per_s * days * 86_400.0 / 1e6) as u32
}

/// Dollars or chip-seconds to the millionth, rounded up so that no price falls to zero.
fn digits(value: f64) -> String {
    format!("{:.6}", (value * 1e6).ceil().max(1.0) / 1e6)
}

fn price(value: f64) -> Result<Decimal, String> {
    let text = digits(value);
    text.parse().map_err(|e| format!("a price of {text}: {e}"))
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
            assert_eq!(digits(value), want);
        }
    }
}
