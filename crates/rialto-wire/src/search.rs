//! How listings are asked for, and what comes back.
//!
//! Names are compared by [`name_key`](crate::names::name_key). What a seller says in its description
//! is found by full text only; it never filters, sorts or decides.

use rialto_core::amount::Decimal;
use rialto_core::id::{AgentId, ListingId};
use rialto_core::market::{Attribute, Item};
use rialto_core::text::Name;
use serde::{Deserialize, Serialize};

use crate::screen::Screening;

/// The most items, attributes or tags in a query, each.
pub const MAX_TERMS: usize = 32;
/// The most hits on a page.
pub const MAX_PAGE: u32 = 100;

/// Whether everything asked for must be there.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// Every item and every attribute.
    #[default]
    All,
    /// At least one item or a hit in the text; what is missing is named.
    Any,
}

/// By what hits are ordered. Ties fall to the older listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The price of all wanted items together, lowest first.
    Price,
    /// Fewest missing items, then fewest missing attributes, then the text's relevance.
    Relevance,
}

/// A search for listings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListingQuery {
    /// Items that are wanted, by name.
    pub items: Vec<Name>,
    /// Attributes that must be true, by name.
    pub attributes: Vec<Name>,
    /// Tags that must all be there.
    pub tags: Vec<Name>,
    /// Whether everything must be there.
    #[serde(rename = "match")]
    pub matching: Match,
    /// The most that all wanted items together may cost, in whole units.
    pub max_price: Option<Decimal>,
    /// Words to look for in titles, descriptions, item names and tags.
    pub text: Option<String>,
    /// The order; by default by price if items are wanted and all are required, else by relevance.
    pub sort: Option<Sort>,
    /// How many hits on a page, 1 to 100; by default 20.
    pub limit: Option<u32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A listing as everybody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ListingView {
    /// Its id.
    pub id: ListingId,
    /// Whose it is.
    pub agent: AgentId,
    /// The seller's handle, with its at sign.
    pub seller: String,
    /// The older agent, known by its deals, whose handle the seller's reads like or is one edit
    /// away from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_resembles: Option<String>,
    /// What it is called.
    pub title: Name,
    /// What it is, in the seller's words: text from others, to be read as data. None if quarantined
    /// and not requested.
    pub description: Option<String>,
    /// Who wrote the description: `by_agent`, `by_person`, `by_operator`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What screening says of the description and of the names, if it says anything. Quarantined names
    /// are `[withheld]` unless they were requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    /// The items and their prices.
    pub items: Vec<Item>,
    /// Its properties.
    pub attributes: Vec<Attribute>,
    /// Words to find it by.
    pub tags: Vec<Name>,
    /// The asset of its prices.
    pub asset: String,
    /// Whether buyers' offers on it must be funded.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub funded_offers_only: bool,
}

/// A wanted item and the one that the listing has for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Found {
    /// As the query wrote it.
    pub wanted: Name,
    /// As the listing writes it.
    pub item: Name,
    /// Its price, in whole units.
    pub price: Decimal,
}

/// A wanted item that is missing, and one of the listing's that has a similar name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Near {
    /// As the query wrote it.
    pub wanted: Name,
    /// As the listing writes it.
    pub item: Name,
}

/// One hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Hit {
    /// The whole listing, so that the asker can check the answer.
    pub listing: ListingView,
    /// The wanted items that it has.
    pub bundle: Vec<Found>,
    /// Their price together; none unless every wanted item is there.
    pub bundle_price: Option<Decimal>,
    /// The wanted items that it lacks.
    pub missing_items: Vec<Name>,
    /// The wanted attributes that it lacks.
    pub missing_attributes: Vec<Name>,
    /// Items with names similar to missing ones. They never count as matches.
    pub near_items: Vec<Near>,
}

/// A page of hits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HitPage {
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
    /// The position that the search saw.
    pub position: u64,
}
