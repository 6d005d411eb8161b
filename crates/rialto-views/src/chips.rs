//! What a deal on model capacity used of which chips, according to its listing.
//!
//! A provider that publishes a modelled price list states in the listing's attributes the kind of
//! chip and, for each kind of token, chip-seconds and cost of a million. With the quantities of the
//! accepted offer that gives a hop of the trace and figures of the accounts: modelled, never
//! measured, and by the seller's words as they stood when the deal was struck.

use std::rc::Rc;

use rialto_core::amount::Decimal;
use rialto_core::id::DealId;
use rialto_core::names::same_name;
use rusqlite::OptionalExtension;
use serde_json::Value;

use crate::Result;
use crate::db::{Units, int};
use crate::read::Snap;

/// The kinds of token that a price list distinguishes.
pub(crate) const KINDS: [&str; 3] = ["output", "input", "cached"];
/// Digits after the point of chip-seconds and their cost.
pub(crate) const SCALE: u8 = 6;

/// What a deal used of which chips.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The model that was served.
    pub model: Option<Rc<str>>,
    /// The kind of chip.
    pub chip: Rc<str>,
    /// Millionths of a chip-second.
    pub seconds: i128,
    /// Millionths of the listing's asset.
    pub cost: i128,
}

/// A price list's rates: what a million tokens of each kind take.
#[derive(Debug)]
pub struct Rates {
    pub(crate) model: Option<Rc<str>>,
    pub(crate) chip: Rc<str>,
    /// Chip-seconds and cost of a million tokens, in the order of [`KINDS`]; none if not stated.
    pub(crate) per_million: [Option<(i128, i128)>; 3],
}

impl Rates {
    /// The rates of a listing; none if it is not a modelled price list.
    #[must_use]
    pub fn of(listing: &Value) -> Option<Self> {
        let chip = attribute(listing, "chip")?;
        if attribute(listing, "basis")? != "modelled" {
            return None;
        }
        let rate = |what: &str, kind: &str| {
            let named = format!("{what}_per_million_{kind}_tokens");
            let value: Decimal = attribute(listing, &named)?.parse().ok()?;
            Some(value.amount(SCALE).ok()?.0)
        };
        Some(Self {
            model: attribute(listing, "model").map(Rc::from),
            chip: Rc::from(chip),
            per_million: KINDS.map(|kind| Some((rate("chip_seconds", kind)?, rate("cost", kind)?))),
        })
    }

    /// What an offer's quantities use; none if it buys no tokens or one kind has no rate.
    #[must_use]
    pub fn used(&self, offer: &Value) -> Option<Used> {
        let (mut seconds, mut cost) = (0_i128, 0_i128);
        let mut any = false;
        for (kind, rate) in KINDS.iter().zip(self.per_million) {
            let quantity = quantity(offer, &format!("million {kind} tokens"));
            if quantity == 0 {
                continue;
            }
            let (of_seconds, of_cost) = rate?;
            seconds = seconds.checked_add(of_seconds.checked_mul(quantity)?)?;
            cost = cost.checked_add(of_cost.checked_mul(quantity)?)?;
            any = true;
        }
        any.then(|| Used {
            model: self.model.clone(),
            chip: self.chip.clone(),
            seconds,
            cost,
        })
    }
}

/// The tokens of every kind that an offer's lines promise: lines that name no `million … tokens` hold none.
#[must_use]
pub fn tokens_of(offer: &Value) -> i128 {
    let of = |kind: &str| quantity(offer, &format!("million {kind} tokens"));
    KINDS
        .map(of)
        .iter()
        .fold(0_i128, |all, millions| all.saturating_add(*millions))
        .saturating_mul(1_000_000)
}

/// Chip-seconds or cost in words.
pub(crate) fn in_words(units: i128) -> String {
    Decimal {
        units,
        scale: SCALE,
    }
    .text()
}

impl Snap<'_> {
    /// What a deal used of which chips, in words; nothing if its listing does not say.
    pub(crate) fn chips_of(&self, deal: DealId) -> Result<Option<String>> {
        let used = self.chips_used(int(deal.0))?;
        Ok(used.map(|used| {
            format!(
                "{} on {}: {} chip-seconds, cost {}",
                used.model.as_deref().unwrap_or("a model"),
                used.chip,
                in_words(used.seconds),
                in_words(used.cost)
            )
        }))
    }

    /// What a deal used of which chips, by the price list that it was struck on.
    pub(crate) fn chips_used(&self, deal: i64) -> Result<Option<Used>> {
        let sql = "SELECT model, chip, chip_seconds, chip_cost FROM deal
                   WHERE id = ? AND chip IS NOT NULL";
        let mut query = self.db.prepare_cached(sql)?;
        let found = query.query_row([deal], |r| {
            let (seconds, cost): (Units, Units) = (r.get(2)?, r.get(3)?);
            Ok(Used {
                model: r.get::<_, Option<String>>(0)?.map(Rc::from),
                chip: Rc::from(r.get::<_, String>(1)?),
                seconds: seconds.0,
                cost: cost.0,
            })
        });
        Ok(found.optional()?)
    }
}

/// What a listing says of itself under a name, in words.
pub(crate) fn attribute<'a>(listing: &'a Value, name: &str) -> Option<&'a str> {
    let attributes = listing.get("attributes")?.as_array()?;
    let named = attributes
        .iter()
        .find(|a| a.get("name").and_then(Value::as_str) == Some(name))?;
    named.pointer("/value/text")?.as_str()
}

/// How many of an item the offer's lines promise.
fn quantity(offer: &Value, item: &str) -> i128 {
    let lines = offer
        .get("lines")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let of_item = |l: &&Value| {
        let name = l.get("item").and_then(Value::as_str).unwrap_or_default();
        same_name(name, item)
    };
    let count = |l: &Value| l.get("quantity").and_then(Value::as_u64).unwrap_or(0);
    lines
        .iter()
        .filter(of_item)
        .map(|l| i128::from(count(l)))
        .sum()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Rates, in_words, tokens_of};

    #[test]
    fn quantities_times_what_a_million_takes() {
        let text = |name: &str, value: &str| json!({ "name": name, "value": { "text": value } });
        let listing = |basis: &str| {
            json!({ "attributes": [
                text("basis", basis), text("chip", "trainium2"), text("model", "llama3.1-8b"),
                text("chip_seconds_per_million_output_tokens", "120.5"),
                text("cost_per_million_output_tokens", "0.07"),
                text("chip_seconds_per_million_input_tokens", "10"),
                text("cost_per_million_input_tokens", "0.01"),
            ] })
        };
        let offer = json!({ "lines": [
            { "item": "million output tokens", "quantity": 2 },
            { "item": "Million input tokens", "quantity": 5 },
        ] });
        let used = |listing: &Value, offer: &Value| Rates::of(listing)?.used(offer);
        let found = used(&listing("modelled"), &offer).unwrap();
        assert_eq!(
            (found.model.as_deref(), &*found.chip),
            (Some("llama3.1-8b"), "trainium2")
        );
        assert_eq!(
            (in_words(found.seconds), in_words(found.cost)),
            ("291.00".into(), "0.19".into())
        );
        assert_eq!(used(&listing("measured"), &offer), None);
        assert_eq!(tokens_of(&offer), 7_000_000);
        assert_eq!(
            tokens_of(&json!({ "lines": [{ "item": "lunch", "quantity": 2 }] })),
            0
        );
        let cached = json!({ "lines": [{ "item": "million cached tokens", "quantity": 1 }] });
        assert_eq!(
            used(&listing("modelled"), &cached),
            None,
            "the listing does not say"
        );
        assert_eq!(used(&json!({}), &offer), None);
    }
}
