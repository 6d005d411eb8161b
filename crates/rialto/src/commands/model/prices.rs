//! Reads price files in the form of LiteLLM's `model_prices_and_context_window.json`: one object a model,
//! with prices in dollars a token.
//!
//! Prices a token become exact decimals a million tokens. What has more digits than a price may have is
//! rounded up, and said. A price that looks like a slip is questioned here as it is by the realm.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rialto_core::amount::Decimal;
use rialto_core::model::PricesSpec;
use rialto_core::text::Alias;
use serde_json::{Map, Value, json};

use super::super::show;
use super::terms;
use crate::output::{CliError, Output};

/// Our kinds of token, and the fields that price them; `{}` stands for the step of long input.
const KINDS: [(&str, &str); 9] = [
    ("input", "input_cost_per_token{}"),
    ("output", "output_cost_per_token{}"),
    ("cached", "cache_read_input_token_cost{}"),
    ("written", "cache_creation_input_token_cost{}"),
    (
        "written_long",
        "cache_creation_input_token_cost_above_1hr{}",
    ),
    ("image", "input_cost_per_image_token{}"),
    ("sound_in", "input_cost_per_audio_token{}"),
    ("reasoning", "output_cost_per_reasoning_token{}"),
    ("sound_out", "output_cost_per_audio_token{}"),
];
/// Digits after the point of a price of a million tokens.
const SCALE: u8 = 6;

/// Lists the models of a file, or prints one as terms.
///
/// # Errors
/// A usage error when the file cannot be read, is no such file, or prices no such model by tokens.
pub(super) fn run(file: &Path, model: Option<&str>, out: Output) -> Result<(), CliError> {
    let at = |why: String| CliError::usage(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| at(e.to_string()))?;
    let book: BTreeMap<String, Value> =
        serde_json::from_str(&text).map_err(|e| at(e.to_string()))?;
    let Some(name) = model else {
        return list(&book, out);
    };
    let entry = book.get(name).ok_or_else(|| {
        let hint = "without --model the command lists the models of the file";
        at(format!("names no model {name:?}")).hint(hint)
    })?;
    let found = terms_of(name, entry);
    let found = found.ok_or_else(|| at(format!("has no prices by token for {name}")))?;
    for doubt in &found.doubts {
        out.note(format!("{name}: {doubt}"));
    }
    terms::print(out, &found.terms)
}

fn list(book: &BTreeMap<String, Value>, out: Output) -> Result<(), CliError> {
    let rows: Vec<Value> = book
        .iter()
        .filter_map(|(name, entry)| {
            let found = terms_of(name, entry)?;
            let mut row = found.terms;
            row["name"] = json!(name);
            row["doubts"] = json!(found.doubts.join("; "));
            Some(row)
        })
        .collect();
    out.json(&rows)?;
    if out.is_json() {
        return Ok(());
    }
    let columns = [
        ("MODEL", "/name"),
        ("PROVIDER", "/provider"),
        ("INPUT", "/prices/per_million/input"),
        ("CACHED", "/prices/per_million/cached"),
        ("OUTPUT", "/prices/per_million/output"),
        ("IN DOUBT", "/doubts"),
    ];
    show::table(out, &rows, &columns)
}

/// A model of the file as terms of a deployment.
struct Found {
    terms: Value,
    /// What is worth a look, in words.
    doubts: Vec<String>,
}

fn terms_of(name: &str, entry: &Value) -> Option<Found> {
    let mut doubts = Vec::new();
    let base = rates(entry, "", &Map::new(), &mut doubts);
    if !base.contains_key("input") && !base.contains_key("output") {
        return None;
    }
    let free = |mut rates: Map<String, Value>| {
        // A side without a price is one that the model has not, such as the output of embeddings.
        for side in ["input", "output"] {
            rates.entry(side).or_insert_with(|| json!("0"));
        }
        rates
    };
    let steps: Vec<Value> = thresholds(entry)
        .into_iter()
        .map(|thousands| {
            let step = format!("_above_{thousands}k_tokens");
            let rates = free(rates(entry, &step, &base, &mut doubts));
            json!({ "above": thousands * 1_000, "prices": rates })
        })
        .collect();
    let mut prices = json!({ "per_million": free(base) });
    if !steps.is_empty() {
        prices["steps"] = json!(steps);
    }
    let a_call = entry.get("input_cost_per_request").and_then(Value::as_f64);
    if let Some((price, _)) = a_call.and_then(|dollars| decimal(dollars, 0)) {
        prices["a_call"] = json!(price);
    }
    let spec = serde_json::from_value::<PricesSpec>(prices.clone());
    match spec.map(|spec| spec.read()) {
        Ok(Ok(_)) => {}
        Ok(Err(why)) => doubts.push(format!("{}: {why}", why.code)),
        Err(why) => doubts.push(why.to_string()),
    }
    let provider = entry.get("litellm_provider").and_then(Value::as_str);
    let provider = provider.unwrap_or("unknown");
    let own = format!("{provider}/");
    let upstream = name.strip_prefix(&own).unwrap_or(name);
    Some(Found {
        terms: json!({
            "model": alias(upstream), "provider": alias(provider), "upstream": upstream,
            "prices": prices
        }),
        doubts,
    })
}

/// The prices of a million tokens that an entry states for a step; what it does not state is that of `base`.
fn rates(
    entry: &Value,
    step: &str,
    base: &Map<String, Value>,
    doubts: &mut Vec<String>,
) -> Map<String, Value> {
    let mut rates = base.clone();
    for (kind, field) in KINDS {
        let field = field.replace("{}", step);
        let Some(dollars) = entry.get(&field).and_then(Value::as_f64) else {
            continue;
        };
        match decimal(dollars, 6) {
            Some((price, exact)) => {
                if !exact {
                    doubts.push(format!("{kind} is rounded up to {price}"));
                }
                rates.insert(kind.to_owned(), json!(price));
            }
            None => doubts.push(format!("{field} is no price: {dollars}")),
        }
    }
    rates
}

/// From how many thousand tokens of input on an entry states other prices.
fn thresholds(entry: &Value) -> BTreeSet<u64> {
    let fields = entry.as_object().into_iter().flat_map(Map::keys);
    let above = fields.filter_map(|field| {
        let (_, above) = field.rsplit_once("_above_")?;
        above.strip_suffix("k_tokens")?.parse().ok()
    });
    above.filter(|thousands| *thousands < 1_000_000).collect()
}

/// Dollars times a power of ten as a decimal with at most [`SCALE`] digits after the point, rounded up, and
/// whether that is exact. The shortest digits that give the number are what the file says.
fn decimal(dollars: f64, power: i32) -> Option<(String, bool)> {
    let text = format!("{dollars:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let shift = exponent.parse::<i32>().ok()? - places + power + i32::from(SCALE);
    let ten = 10_i128.checked_pow(shift.unsigned_abs());
    let (units, exact) = match (shift >= 0, ten) {
        (true, ten) => (digits.checked_mul(ten?)?, true),
        (false, Some(ten)) => {
            let rest = digits.rem_euclid(ten);
            let up = i128::from(rest > 0);
            (digits.div_euclid(ten).checked_add(up)?, rest == 0)
        }
        (false, None) => (i128::from(digits > 0), digits == 0),
    };
    let decimal = Decimal {
        units,
        scale: SCALE,
    };
    (units >= 0).then(|| (decimal.text(), exact))
}

/// A name as an alias may be written.
fn alias(name: &str) -> String {
    let plain = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '-' | '_' | '.' | '/' | ':') => c,
        _ => '-',
    };
    let text: String = name.chars().map(plain).collect();
    let text: String = text
        .trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
        .chars()
        .take(64)
        .collect();
    match Alias::new(&text) {
        Ok(_) => text,
        Err(_) => "model".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_a_token_become_exact_prices_of_a_million() {
        for (dollars, want) in [
            (3e-6, Some(("3.00", true))),
            (1.5e-7, Some(("0.15", true))),
            (0.000_002_5, Some(("2.50", true))),
            (1e-12, Some(("0.000001", true))),
            (8.333_333e-8, Some(("0.083334", false))),
            (1e-40, Some(("0.000001", false))),
            (0.0, Some(("0.00", true))),
            (-1e-6, None),
            (f64::NAN, None),
            (1e300, None),
        ] {
            let found = decimal(dollars, 6);
            let found = found.as_ref().map(|(text, exact)| (text.as_str(), *exact));
            assert_eq!(found, want, "{dollars}");
        }
    }

    #[test]
    fn a_model_of_the_file_becomes_terms() {
        let entry = json!({
            "litellm_provider": "house", "mode": "chat", "max_tokens": 8_192,
            "input_cost_per_token": 3e-6, "output_cost_per_token": 1.5e-5,
            "cache_read_input_token_cost": 3e-7, "cache_creation_input_token_cost": 3.75e-6,
            "input_cost_per_token_above_200k_tokens": 6e-6,
            "output_cost_per_token_above_200k_tokens": 2.25e-5,
        });
        let found = terms_of("house/Big Model", &entry).unwrap();
        assert_eq!(found.doubts, Vec::<String>::new());
        assert_eq!(
            found.terms,
            json!({ "model": "big-model", "provider": "house", "upstream": "Big Model",
                "prices": {
                    "per_million": { "input": "3.00", "output": "15.00", "cached": "0.30", "written": "3.75" },
                    "steps": [{ "above": 200_000, "prices":
                        { "input": "6.00", "output": "22.50", "cached": "0.30", "written": "3.75" } }]
                } })
        );
        // A price of a million tokens where one of a token belongs, and one that is too small.
        for (price, doubt) in [(3.0, "RLT0621"), (3e-12, "RLT0622")] {
            let entry = json!({ "input_cost_per_token": price, "output_cost_per_token": 1e-6 });
            let doubts = terms_of("m", &entry).unwrap().doubts.join("; ");
            assert!(doubts.contains(doubt), "{price}: {doubts}");
        }
        assert!(terms_of("pictures", &json!({ "output_cost_per_image": 0.04 })).is_none());
    }
}
