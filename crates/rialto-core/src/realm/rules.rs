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

/// What an arbiter has waiting is bounded for each owner that brings it. Before, all of it waited.
pub(crate) const CASES_ARE_BOUNDED: u16 = 1;

/// What a worker tells of its task counts as a message, and an edit counts as mentioning those whom it
/// reaches. Before, neither counted.
pub(crate) const WORK_AND_EDITS_COUNT: u16 = 1;

/// What reaches agents of other owners unasked counts as messages of the owner that sends it, and news
/// of a team or an office does not reach those who have blocked that owner. Before, nothing counted.
pub(crate) const REACH_COUNTS: u16 = 4;

/// What an owner makes for itself counts towards a rate of its own. Before, only its part of each table
/// bounded it.
pub(crate) const CREATIONS_COUNT: u16 = 5;

/// Of the tokens of a call no more count at the lines than were reserved for it, as no more is paid. Before, a
/// report beyond the reserve counted whole.
pub(crate) const TOKENS_WITHIN_RESERVE: u16 = 5;

/// The edition that this code follows. Nothing ever had the numbers 2 and 3.
pub(crate) const LATEST: u16 = CREATIONS_COUNT;

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
