//! What a deal on model capacity used of which chips, by what its listing says.
//!
//! A provider that publishes a modelled price list states in the listing's attributes the kind of
//! chip and, for each kind of token, chip-seconds and cost of a million. With the quantities of the
//! accepted offer that gives a hop: modelled, never measured, and by the seller's words.

use rialto_core::amount::Decimal;
use rialto_core::id::DealId;
use rusqlite::OptionalExtension;
use serde_json::Value;

use crate::Result;
use crate::db::int;
use crate::read::Snap;

/// The kinds of token that a price list tells apart.
const KINDS: [&str; 3] = ["output", "input", "cached"];
/// Digits after the point of what a hop prints.
const SCALE: u8 = 6;

impl Snap<'_> {
    /// In words what a deal used of which chips; nothing when its listing does not say.
    pub(crate) fn chips_of(&self, deal: DealId) -> Result<Option<String>> {
        let sql = "SELECT l.terms, o.terms FROM deal d
            JOIN negotiation n ON n.id = d.negotiation JOIN listing l ON l.id = n.listing
            JOIN offer o ON o.negotiation = n.id AND o.hash = d.offer WHERE d.id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let found: Option<(String, String)> = query
            .query_row([int(deal.0)], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        Ok(found.and_then(|(listing, offer)| {
            let listing: Value = serde_json::from_str(&listing).ok()?;
            let offer: Value = serde_json::from_str(&offer).ok()?;
            used(&listing, &offer)
        }))
    }
}

fn used(listing: &Value, offer: &Value) -> Option<String> {
    let chip = attribute(listing, "chip")?;
    if attribute(listing, "basis")? != "modelled" {
        return None;
    }
    let (mut seconds, mut cost) = (0_i128, 0_i128);
    let mut any = false;
    for kind in KINDS {
        let quantity = quantity(offer, &format!("million {kind} tokens"));
        let of = |what: &str| {
            let named = format!("{what}_per_million_{kind}_tokens");
            let value: Decimal = attribute(listing, &named)?.parse().ok()?;
            Some(value.amount(SCALE).ok()?.0.checked_mul(quantity))
        };
        if quantity == 0 {
            continue;
        }
        seconds = seconds.checked_add(of("chip_seconds")??)?;
        cost = cost.checked_add(of("cost")??)?;
        any = true;
    }
    let print = |units: i128| {
        Decimal {
            units,
            scale: SCALE,
        }
        .text()
    };
    let model = attribute(listing, "model").unwrap_or("a model");
    any.then(|| {
        format!(
            "{model} on {chip}: {} chip-seconds, cost {}",
            print(seconds),
            print(cost)
        )
    })
}

fn attribute<'a>(listing: &'a Value, name: &str) -> Option<&'a str> {
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
        name.eq_ignore_ascii_case(item)
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
    use serde_json::json;

    use super::used;

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
        assert_eq!(
            used(&listing("modelled"), &offer).unwrap(),
            "llama3.1-8b on trainium2: 291.00 chip-seconds, cost 0.19"
        );
        assert_eq!(used(&listing("measured"), &offer), None);
        let cached = json!({ "lines": [{ "item": "million cached tokens", "quantity": 1 }] });
        assert_eq!(
            used(&listing("modelled"), &cached),
            None,
            "the listing does not say"
        );
        assert_eq!(used(&json!({}), &offer), None);
    }
}
