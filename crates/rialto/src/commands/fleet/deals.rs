//! The settled deals of a realm, each with what its listing says about the capacity it sells.

use std::collections::BTreeMap;

use rialto_economics::concentration::SettledDeal;
use rialto_views::{Rates, tokens_of};
use serde_json::Value;

use crate::commands::remote::{self, Remote};
use crate::output::CliError;
use rialto_client::{Client, quoted};

/// The most deals that the command reads; with more, it reports an error.
const MOST_DEALS: usize = 100_000;

/// Every settled deal in an asset that the token may see.
///
/// # Errors
/// An error of the server, or more deals than one answer can hold.
pub(super) async fn settled(remote: &Remote, asset: &str) -> Result<Vec<SettledDeal>, CliError> {
    let client = remote.client()?;
    let mut listings = BTreeMap::new();
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let query = [("limit", Some("100".to_owned())), ("cursor", cursor)];
        let page = client.get(&remote::query("/api/deals", &query)).await?;
        for deal in page
            .get("items")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if !text(deal, "/paid").is_empty() && text(deal, "/asset") == asset {
                found.push(one(&client, deal, &mut listings).await?);
            }
        }
        if found.len() > MOST_DEALS {
            return Err(CliError::failed(format!(
                "more than {MOST_DEALS} settled deals"
            )));
        }
        cursor = page
            .get("next_cursor")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

async fn one(
    client: &Client,
    deal: &Value,
    listings: &mut BTreeMap<String, Value>,
) -> Result<SettledDeal, CliError> {
    let negotiation = quoted(text(deal, "/negotiation"));
    let negotiation = client
        .get(&format!("/api/negotiations/{negotiation}"))
        .await?;
    let id = text(&negotiation, "/negotiation/listing").to_owned();
    if !id.is_empty() && !listings.contains_key(&id) {
        let listing = client
            .get(&format!("/api/listings/{}", quoted(&id)))
            .await?;
        listings.insert(id.clone(), listing);
    }
    let listing = listings.get(&id);
    let says = |name: &str| listing.map_or_else(String::new, |l| attribute(l, name));
    // Only the latest offer can be accepted.
    let offers = negotiation.pointer("/offers").and_then(Value::as_array);
    let terms = offers.and_then(|o| o.last()?.get("terms"));
    let used = listing.and_then(Rates::of).zip(terms);
    let used = used.and_then(|(rates, terms)| rates.used(terms));
    Ok(SettledDeal {
        provider: text(deal, "/seller/handle").to_owned(),
        vendor: says("vendor"),
        model: says("model"),
        chip: says("chip"),
        host: says("host"),
        region: says("region"),
        paid: text(deal, "/paid").parse().unwrap_or(0.0),
        tokens: terms.map_or(0.0, |terms| tokens_of(terms) as f64),
        chip_seconds: used.map_or(0.0, |used| used.seconds as f64 / 1e6),
    })
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A text attribute of a listing; empty when the listing has none of that name.
fn attribute(listing: &Value, name: &str) -> String {
    let attributes = listing.pointer("/attributes").and_then(Value::as_array);
    let attributes = attributes.map_or(&[][..], Vec::as_slice);
    let named = attributes.iter().find(|a| text(a, "/name") == name);
    named.map_or_else(String::new, |a| text(a, "/value/text").to_owned())
}
