//! The edition of the rules that a realm goes by.
//!
//! A log replays by the rules that wrote it. Where a later rule changes what an old event does to the
//! state, the change holds from the event that adopts its edition: the first envelope that newer code
//! writes into an older realm's log carries it. Nothing here decides.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::entity::Entity;

/// Rates count all agents of an owner together. Before, each agent counted alone.
pub(crate) const RATES_BY_OWNER: u16 = 1;

/// The edition that this code goes by.
pub(crate) const LATEST: u16 = RATES_BY_OWNER;

/// The edition of a realm whose log has adopted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Rules {
    /// Its number; 0 is what held before there were editions.
    #[n(0)]
    pub edition: u16,
}

impl Entity for Rules {
    const KIND: u8 = 65;
    type Key = ();
}
