//! Events as JSON for people and programs: amounts as decimals, assets by their code.
//!
//! The log counts in an asset's smallest unit and names assets by id. Outside the log it says
//! `"price": "3.50", "asset": "USD"`. Nothing else is changed, and an unknown asset stays as it is.

use rialto_core::amount::Amount;
use rialto_core::event::{Envelope, Event};
use rialto_core::id::AssetId;
use rialto_core::ledger::LedgerEvent;
use serde_json::Value;

/// The members that hold an amount of the asset beside them.
const AMOUNTS: [&str; 8] = [
    "amount",
    "price",
    "paid",
    "returned",
    "per_deal",
    "per_period",
    "approval_above",
    "limit",
];

/// An asset's code, and how many digits are after the point.
pub type Scale = (String, u8);

/// An envelope with all its events. `asset` gives what is known of an asset.
pub fn readable(envelope: &Envelope, asset: &mut dyn FnMut(AssetId) -> Option<Scale>) -> Value {
    let mut value = serde_json::to_value(envelope).unwrap_or_default();
    rewrite(&mut value, settled_in(envelope), asset);
    value
}

/// One event of an envelope.
pub fn readable_event(
    event: &Event,
    envelope: &Envelope,
    asset: &mut dyn FnMut(AssetId) -> Option<Scale>,
) -> Value {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    rewrite(&mut value, settled_in(envelope), asset);
    value
}

/// The asset in which a deal that ends in this envelope is settled: its payment is in the same
/// envelope.
fn settled_in(envelope: &Envelope) -> Option<AssetId> {
    envelope.events.iter().find_map(|event| match event {
        Event::Ledger(LedgerEvent::Entries { entries, .. }) => entries.first().map(|e| e.asset),
        _ => None,
    })
}

/// Rewrites what names an asset, and the fields beside it.
pub(crate) fn rewrite(
    value: &mut Value,
    settled: Option<AssetId>,
    asset: &mut dyn FnMut(AssetId) -> Option<Scale>,
) {
    let fields = match value {
        Value::Array(entries) => {
            for entry in entries {
                rewrite(entry, settled, asset);
            }
            return;
        }
        Value::Object(fields) => fields,
        _ => return,
    };
    let named = fields.get("asset").and_then(Value::as_str);
    let named = match named {
        // The event that creates an asset speaks of its id.
        Some(_) if fields.contains_key("code") => None,
        Some(id) => id.parse().ok(),
        // The end of a deal says how much, and in which asset stands beside it.
        None if fields.contains_key("paid") => settled,
        None => None,
    };
    if let Some((code, scale)) = named.and_then(&mut *asset) {
        for name in AMOUNTS {
            let units = fields.get(name).and_then(Value::as_str);
            if let Some(units) = units.and_then(|text| text.parse().ok()) {
                fields.insert(name.to_owned(), Amount(units).display(scale).into());
            }
        }
        fields.insert("asset".to_owned(), code.into());
    }
    for field in fields.values_mut() {
        rewrite(field, settled, asset);
    }
}

/// Makes the schema of what is logged that of its readable form, as [`rewrite`] does with values.
#[cfg(feature = "schema")]
pub fn readable_schema(schema: &mut Value) {
    let fields = match schema {
        Value::Array(entries) => return entries.iter_mut().for_each(readable_schema),
        Value::Object(fields) => fields,
        _ => return,
    };
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        let by_id = properties.get("asset").is_some_and(|asset| {
            let named = asset.get("$ref").and_then(Value::as_str);
            named.is_some_and(|name| name.ends_with("/AssetId"))
        });
        let settles = properties.contains_key("paid") && properties.contains_key("returned");
        if (by_id && !properties.contains_key("code"))
            || (settles && !properties.contains_key("asset"))
        {
            let code = serde_json::json!({ "type": "string", "description": "The asset's code, or its id where nothing more is known." });
            properties.insert("asset".to_owned(), code);
        }
    }
    fields.values_mut().for_each(readable_schema);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_are_decimals_of_the_asset_beside_them() {
        let usd = AssetId(7);
        let id = usd.to_string();
        for (mut value, want) in [
            (
                json!({ "asset": id, "price": "35000000000", "deliver_within_ms": 5 }),
                json!({ "asset": "USD", "price": "35.00", "deliver_within_ms": 5 }),
            ),
            (
                json!([{ "asset": id, "amount": "-1", "per_deal": null }]),
                json!([{ "asset": "USD", "amount": "-0.000000001", "per_deal": null }]),
            ),
            (
                json!({ "asset": id, "code": "USD", "scale": 9 }),
                json!({ "asset": id, "code": "USD", "scale": 9 }),
            ),
            (
                json!({ "deal_ended": { "paid": "0", "returned": "2500000000" } }),
                json!({ "deal_ended": { "paid": "0.00", "returned": "2.50", "asset": "USD" } }),
            ),
            // A listing's prices are decimals already, and its asset is a code.
            (
                json!({ "asset": "USD", "items": [{ "name": "Taco", "price": "35" }] }),
                json!({ "asset": "USD", "items": [{ "name": "Taco", "price": "35" }] }),
            ),
            (
                json!({ "asset": AssetId(8), "amount": "5" }),
                json!({ "asset": AssetId(8), "amount": "5" }),
            ),
        ] {
            let mut known = |asset| (asset == usd).then(|| ("USD".to_owned(), 9));
            rewrite(&mut value, Some(usd), &mut known);
            assert_eq!(value, want);
        }
    }
}
