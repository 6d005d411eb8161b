//! Market days: the customers and businesses of a scenario, how they act when built-in strategies decide
//! for them, and what a day was worth.
//!
//! - [`load`] reads a scenario folder (YAML) into typed values, and [`fit()`] brings its names into a form
//!   that a realm accepts;
//! - [`strategy`] decides for customers and businesses, each from what it may know;
//! - [`welfare`] measures a finished day against the best one possible;
//! - [`day`] runs a day through the API of a realm, in this process or on a server;
//! - [`demo`] is the shipped day with extra scenes, reported while it happens;
//! - [`ask`] holds the requests that all of them make.
//!
//! Nothing here prints or knows a command line, and no decision uses a description, a rating or any other
//! self-praise. Strategies and figures are pure and deterministic: no HTTP, no clock, no randomness.

pub mod ask;
pub mod day;
pub mod demo;
mod error;
mod fit;
mod load;
mod money;
mod strategy;
pub mod welfare;
mod yaml;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use error::DayError;
pub use fit::{fit, handles};
pub use load::{LoadError, load};
pub use money::dollars;

use std::collections::BTreeMap;

use rialto_core::amount::Amount;
use rialto_wire::names::{Name, has_all};

use money::ONE;

/// A whole scenario folder.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Name of the folder.
    pub name: String,
    /// Customers in the order of their files' names.
    pub customers: Vec<Customer>,
    /// Businesses in the order of their files' names.
    pub businesses: Vec<Business>,
    /// Shipped reference figures, where the folder has them: `baseline -> figure -> USD`. The report
    /// compares with them; no decision uses them.
    pub baselines: Option<Baselines>,
    /// Notes on what the reader tolerated and might surprise: unknown fields, repeated keys.
    pub notes: Vec<String>,
}

/// Reference utilities by baseline and figure (`constant`, `median`, `min` …).
pub type Baselines = BTreeMap<String, BTreeMap<String, Amount>>;

/// A named thing with a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is called.
    pub name: Name,
    /// Price in USD, never negative.
    pub price: Amount,
}

/// A customer.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Unique id; becomes the handle.
    pub id: String,
    /// Display name.
    pub name: String,
    /// The request in words: shown and sent along, never parsed for a decision.
    pub request: String,
    /// What it wants, each with the price it listed for it.
    pub wants: Vec<Item>,
    /// Attributes a seller must have.
    pub attributes: Vec<Name>,
}

impl Customer {
    /// What all wanted items together are worth to the customer: twice the sum of the prices it listed.
    #[must_use]
    pub fn worth(&self) -> Amount {
        Amount(2 * money::total(self.wants.iter().map(|item| item.price)).0)
    }
}

/// A business.
#[derive(Clone, Debug)]
pub struct Business {
    /// Unique id; becomes the handle.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Its own words about itself: published, never decisive.
    pub description: String,
    /// What it sells, at list price.
    pub menu: Vec<Item>,
    /// The attributes it has.
    pub attributes: Vec<Name>,
    /// Private: the lowest share of the list price it accepts, in 1e-9 (between 0 and 1e9).
    pub min_price_factor: i128,
}

impl Business {
    /// The lowest price it accepts for a bundle of this list price. Private to the business.
    #[must_use]
    pub fn floor_price(&self, list_price: Amount) -> Amount {
        money::scaled_up(list_price, self.min_price_factor, ONE)
    }

    /// True if it has every one of `wanted` attributes.
    #[must_use]
    pub fn has_attributes(&self, wanted: &[Name]) -> bool {
        has_all(&self.attributes, wanted)
    }
}

/// The entry of `menu` that a wanted name means: the one with exactly this spelling, else the dearest of
/// those with the same key, so that a cheap duplicate in another spelling never makes a menu look cheaper.
#[must_use]
pub fn find_item<'a>(menu: &'a [Item], wanted: &Name) -> Option<&'a Item> {
    let same = menu.iter().filter(|item| item.name.key() == wanted.key());
    same.max_by_key(|item| (item.name.text() == wanted.text(), item.price))
}

/// The list price of all wanted items together, or `None` if one is missing.
#[must_use]
pub fn bundle_price(menu: &[Item], wanted: &[Name]) -> Option<Amount> {
    wanted
        .iter()
        .map(|name| find_item(menu, name).map(|item| item.price.0))
        .sum::<Option<i128>>()
        .map(Amount)
}
