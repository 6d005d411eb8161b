//! How built-in agents write and read what they send and receive: wants, terms, prices.

use rialto_core::amount::Amount;
use rialto_core::id::AnyId;
use rialto_core::market::{Attribute, ItemLine, Terms, Value as Flag};
use rialto_core::text::{AssetCode, Name as Fact};
use rialto_wire::names::Name;
use serde_json::{Value, json};

use super::agent::{id_in, text_in};
use crate::error::DayError;
use crate::money::{self, carried};
use crate::strategy::{Call, Competition, Listing, Proposal, Wants};
use crate::{Business, Item, find_item};

/// How long a call for proposals stays open, in milliseconds. It ends as soon as all have answered.
pub(super) const OPEN_FOR_MS: u64 = 10 * 60 * 1_000;
/// How long an offer can be accepted, in milliseconds.
pub(super) const VALID_FOR_MS: u64 = 30 * 60 * 1_000;

/// The asset of a market day.
pub(super) const ASSET: &str = "USD";

fn fact(name: &Name) -> Result<Fact, DayError> {
    Fact::new(name.text()).map_err(|e| DayError::defect(format!("{:?}: {e}", name.text())))
}

fn facts(names: &[Name]) -> Result<Vec<Fact>, DayError> {
    names.iter().map(fact).collect()
}

/// An amount as the API writes it.
pub(super) fn amount(value: Option<&Value>) -> Result<Amount, DayError> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    money::read(text)
        .ok_or_else(|| DayError::foreign(format!("the door's price {text:?} is no amount")))
}

/// The terms of an offer: one price for items with a warranty of attributes.
pub(super) fn terms(items: &[Name], attributes: &[Name], price: Amount) -> Result<Value, DayError> {
    let lines = items.iter().map(|name| {
        Ok(ItemLine {
            item: fact(name)?,
            quantity: 1,
        })
    });
    let mut terms = Terms::of_price(carried(price));
    terms.asset = AssetCode::new(ASSET).ok();
    terms.lines = lines.collect::<Result<_, DayError>>()?;
    terms.issues = flags(attributes)?;
    serde_json::to_value(terms).map_err(|e| DayError::defect(e.to_string()))
}

fn flags(attributes: &[Name]) -> Result<Vec<Attribute>, DayError> {
    attributes
        .iter()
        .map(|name| {
            Ok(Attribute {
                name: fact(name)?,
                value: Flag::Flag(true),
            })
        })
        .collect()
}

/// The arguments of `listing.publish`. A tag distinguishes the market's listings from others.
pub(super) fn listing(listing: &Listing, market: Option<&str>) -> Result<Value, DayError> {
    let items = listing
        .items
        .iter()
        .map(|item| Ok(json!({"name": fact(&item.name)?, "price": carried(item.price)})));
    let items: Vec<Value> = items.collect::<Result<_, DayError>>()?;
    let mut terms = json!({
        "title": listing.title,
        "items": items,
        "attributes": flags(&listing.attributes)?,
        "tags": market.into_iter().collect::<Vec<_>>(),
        "asset": ASSET,
    });
    if let (false, Some(fields)) = (listing.description.is_empty(), terms.as_object_mut()) {
        fields.insert("description".into(), json!(listing.description));
    }
    Ok(json!({ "terms": terms }))
}

/// The arguments of `call.open`.
pub(super) fn call(
    request: &str,
    call: &Call,
    sellers: &[String],
    task: &str,
) -> Result<Value, DayError> {
    let lines: Vec<Value> = facts(&call.wants.items)?
        .iter()
        .map(|item| json!({"item": item, "quantity": 1}))
        .collect();
    let mut body = vec![json!({ "text": request })];
    if let Some(competition) = call.competition {
        body.push(json!({"data": {
            "best_price": carried(competition.best_price),
            "competitors": competition.competitors,
        }}));
    }
    Ok(json!({
        "body": body,
        "wanted": lines,
        "attributes": flags(&call.wants.attributes)?,
        "invite": sellers,
        "open_for_ms": OPEN_FOR_MS,
        "task": task,
    }))
}

/// A call as an invited seller reads it: the structured part, and the figures of a revised call.
pub(super) fn read_call(fact: &Value, texts: &Value) -> Call {
    let wants = Wants {
        items: line_names(fact.get("wanted")),
        attributes: flag_names(fact.get("attributes")),
    };
    Call {
        wants,
        competition: parts(texts).find_map(read_competition),
    }
}

/// All parts of all texts.
fn parts(texts: &Value) -> impl Iterator<Item = &Value> {
    texts
        .as_object()
        .into_iter()
        .flat_map(|t| t.values())
        .filter_map(Value::as_array)
        .flatten()
}

fn read_competition(part: &Value) -> Option<Competition> {
    let data = part.get("data")?;
    let best_price = money::read(data.get("best_price")?.as_str()?)?;
    let competitors = u32::try_from(data.get("competitors")?.as_u64()?).ok()?;
    Some(Competition {
        best_price,
        competitors,
    })
}

/// The names of lines.
pub(super) fn line_names(lines: Option<&Value>) -> Vec<Name> {
    texts_of(lines, |line| line.get("item"))
}

/// The names of attributes or issues that are true.
pub(super) fn flag_names(attributes: Option<&Value>) -> Vec<Name> {
    texts_of(attributes, |attribute| {
        let holds = attribute.get("value")?.get("flag")?.as_bool()?;
        if holds { attribute.get("name") } else { None }
    })
}

fn texts_of(list: Option<&Value>, pick: fn(&Value) -> Option<&Value>) -> Vec<Name> {
    let entries = list.and_then(Value::as_array).into_iter().flatten();
    entries
        .filter_map(|entry| pick(entry)?.as_str())
        .map(Name::from)
        .collect()
}

/// The negotiations that the answers to an opened call began.
pub(super) fn read_answers(call: &Value) -> Result<Vec<AnyId>, DayError> {
    let invites = call
        .get("invites")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let proposed = invites.filter(|invite| invite.get("negotiation").is_some_and(Value::is_string));
    proposed
        .map(|invite| id_in(invite, "negotiation"))
        .collect()
}

/// The seller's proposal in a negotiation as the buyer sees it, with its hash.
pub(super) fn read_proposal(view: &Value) -> Result<(String, Proposal), DayError> {
    let offer = view
        .get("offers")
        .and_then(Value::as_array)
        .and_then(|offers| offers.last());
    let offer =
        offer.ok_or_else(|| DayError::foreign("the door shows a negotiation without an offer"))?;
    let price = amount(offer.get("price"))?;
    let proposal = Proposal {
        seller: text_in(
            view.pointer("/negotiation/seller").unwrap_or(&Value::Null),
            "handle",
        )?
        .to_owned(),
        items: line_names(offer.pointer("/terms/lines")),
        attributes: flag_names(offer.pointer("/terms/issues")),
        price,
    };
    Ok((text_in(offer, "hash")?.to_owned(), proposal))
}

/// A listing as a search shows it.
pub(super) fn read_listing(listing: &Value) -> Result<Listing, DayError> {
    let text = |field: &str| {
        listing
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut items = Vec::new();
    for item in listing
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        let price = item
            .get("price")
            .and_then(Value::as_str)
            .and_then(money::read);
        let price = price
            .ok_or_else(|| DayError::foreign(format!("the price of {name:?} is no amount")))?;
        items.push(Item {
            name: Name::from(name),
            price,
        });
    }
    let attributes = flag_names(listing.get("attributes"));
    Ok(Listing {
        seller: text("seller"),
        title: text("title"),
        description: text("description"),
        items,
        attributes,
    })
}

/// What a business delivers for an agreement: the part of it that it really has.
pub(super) fn delivery(business: &Business, items: &[Name], attributes: &[Name]) -> Value {
    let handed = items
        .iter()
        .filter_map(|name| find_item(&business.menu, name))
        .map(|item| item.name.text());
    let held = attributes
        .iter()
        .filter(|name| business.has_attributes(std::slice::from_ref(*name)));
    json!([{"data": {
        "items": handed.collect::<Vec<_>>(),
        "attributes": held.map(Name::text).collect::<Vec<_>>(),
    }}])
}

/// What a delivery holds: items and attributes.
pub(super) fn read_delivery(body: Option<&Value>) -> (Vec<Name>, Vec<Name>) {
    let data = body
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find_map(|part| part.get("data"));
    let list = |field: &str| texts_of(data.and_then(|d| d.get(field)), |name| Some(name));
    (list("items"), list("attributes"))
}
