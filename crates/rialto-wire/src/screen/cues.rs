//! The cues of `rules:v3`: groups of words, and of a few words in a row, that say much the same.
//!
//! Holds words only, by what they are about. [`super::rules`] says which groups together make a label, and
//! has the few groups of single rules.

mod claims;
mod orders;
mod pressure;
mod requests;
mod talk;

pub(super) use claims::{CROWD, DEMAND, HARD_PROOF, IMPERSONATE, MANY, PROOF};
pub(super) use orders::{
    ALL_BEFORE, COMMAND_READER, FAVOUR, INSTRUCTIONS, NEW_ROLE, OVERRIDE, PLAY, PRIOR, READER,
    TO_PROGRAMS, UNBOUND,
};
pub(super) use pressure::{HARD_LOSS, KEPT_FROM, LOSS, LOSS_SECOND, PRESS, SECRECY};
pub(super) use requests::{GIVE, OFF_RAIL, PAY, SECRET};
pub(super) use talk::{NAMED, ORDER, SAID, TALK, TOLD, URGED};
