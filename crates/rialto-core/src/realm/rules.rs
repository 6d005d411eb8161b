//! The edition of the rules that a realm follows.
//!
//! A log replays by the rules that wrote it. Where a later rule changes what an old event does to the
//! state, the change holds from the event that adopts its edition: the first envelope that newer code
//! writes into an older realm's log carries it. Nothing here decides.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::entity::{Charge, Due, Entity, Lookup};

/// Rates count all agents of an owner together. Before, each agent counted alone.
pub(crate) const RATES_BY_OWNER: u16 = 1;

/// What a worker tells of its task counts as a message, and an edit counts as mentioning those whom it
/// reaches. Before, neither counted.
pub(crate) const WORK_AND_EDITS_COUNT: u16 = 1;

/// The edition that this code follows.
pub(crate) const LATEST: u16 = RATES_BY_OWNER;

/// The edition of a realm whose log has adopted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Rules {
    /// Its number; 0 stands for the rules before there were editions.
    #[n(0)]
    pub edition: u16,
}

impl Entity for Rules {
    const KIND: u8 = 65;
    type Key = ();
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}
