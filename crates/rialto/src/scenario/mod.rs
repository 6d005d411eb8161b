//! A market scenario: who comes to market, how built-in customers and businesses act there, and
//! what the day was worth.
//!
//! - [`load`] reads a scenario folder (YAML) into typed values;
//! - [`strategy`] is what a customer and a business decide, each from what it may know;
//! - [`welfare`] measures a finished day against the best one possible;
//! - [`fit`] brings names to the form that a realm takes;
//! - [`money`] and [`yaml`] are the small parts under them.
//!
//! Everything here is pure and deterministic. It holds no HTTP, no clock and no randomness, and
//! nothing in it reads a description, a rating or any other self-praise to decide.

pub(crate) mod fit;
pub(crate) mod load;
pub(crate) mod money;
pub(crate) mod strategy;
pub(crate) mod welfare;
pub(crate) mod yaml;

#[cfg(test)]
pub(crate) mod reference;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rialto_wire::names::{Name, has_all};

use money::{ONE, Usd};

/// A whole scenario folder.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// Name of the folder.
    pub(crate) name: String,
    /// Customers in the order of their files' names.
    pub(crate) customers: Vec<Customer>,
    /// Businesses in the order of their files' names.
    pub(crate) businesses: Vec<Business>,
    /// Shipped reference figures, where the folder has them: `baseline -> figure -> USD`. Read to
    /// report against, never to decide.
    pub(crate) baselines: Option<Baselines>,
    /// What was read with tolerance and might surprise: unknown fields, repeated keys.
    pub(crate) notes: Vec<String>,
}

/// Reference utilities by baseline and figure (`constant`, `median`, `min` …).
pub(crate) type Baselines = BTreeMap<String, BTreeMap<String, Usd>>;

/// A named thing with a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// What it is called.
    pub(crate) name: Name,
    /// Price in USD, never negative.
    pub(crate) price: Usd,
}

/// One who comes to buy.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    /// Unique id, becomes the handle.
    pub(crate) id: String,
    /// Display name.
    pub(crate) name: String,
    /// The request in words: shown and sent along, never parsed for a decision.
    pub(crate) request: String,
    /// What it wants, each with the price it listed for it.
    pub(crate) wants: Vec<Item>,
    /// Attributes a seller must have.
    pub(crate) attributes: Vec<Name>,
}

impl Customer {
    /// What having all wanted items is worth to it: twice the sum of the prices it listed.
    #[must_use]
    pub(crate) fn worth(&self) -> Usd {
        self.wants.iter().map(|item| item.price).sum::<Usd>() * 2
    }
}

/// One who comes to sell.
#[derive(Clone, Debug)]
pub(crate) struct Business {
    /// Unique id, becomes the handle.
    pub(crate) id: String,
    /// Display name.
    pub(crate) name: String,
    /// Its own words about itself: published, never decisive.
    pub(crate) description: String,
    /// What it sells, at list price.
    pub(crate) menu: Vec<Item>,
    /// The attributes it has.
    pub(crate) attributes: Vec<Name>,
    /// Private: the lowest share of the list price it accepts, in 1e-9 (between 0 and 1e9).
    pub(crate) min_price_factor: i128,
}

impl Business {
    /// The lowest price it accepts for a bundle of this list price. Private to the business.
    #[must_use]
    pub(crate) fn floor_price(&self, list_price: Usd) -> Usd {
        list_price.scaled_up(self.min_price_factor, ONE)
    }

    /// True if it has every one of `wanted` attributes.
    #[must_use]
    pub(crate) fn has_attributes(&self, wanted: &[Name]) -> bool {
        has_all(&self.attributes, wanted)
    }
}

/// The entry of `menu` that a wanted name means: the one written exactly so, else the dearest of
/// those with the same key, so that a cheap double in other letters never makes a menu look
/// cheaper.
#[must_use]
pub(crate) fn find_item<'a>(menu: &'a [Item], wanted: &Name) -> Option<&'a Item> {
    let same = menu.iter().filter(|item| item.name.key() == wanted.key());
    same.max_by_key(|item| (item.name.text() == wanted.text(), item.price))
}

/// The list price of all wanted items together, or `None` if one is missing.
#[must_use]
pub(crate) fn bundle_price(menu: &[Item], wanted: &[Name]) -> Option<Usd> {
    wanted
        .iter()
        .map(|name| find_item(menu, name).map(|item| item.price))
        .sum()
}
