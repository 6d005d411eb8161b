//! The node of a realm and its doors.
//!
//! [`node`] holds the one writer: it decides, applies, journals and answers, in that order, and
//! then feeds the snapshot and the views. [`door`] holds the doors: one module per protocol, which
//! authenticates, translates and answers. [`realm`] opens all of it together, and closes it in order;
//! [`webhook`] has the receivers of notifications of how much waits, [`reload`] the way on which settings are read again. The crate makes no decision of its own
//! (`rialto-core` does) and defines no protocol type (`rialto-wire` does).

pub mod door;
mod executor;
mod histogram;
pub mod node;
pub mod realm;
pub mod reload;
pub mod webhook;
