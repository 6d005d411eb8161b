//! The node of a realm and its doors.
//!
//! [`node`] holds the one writer: it decides, applies, journals and answers, in that order, and
//! feeds the snapshot and the views behind it. [`door`] holds the doors: one module a protocol, each
//! authenticates, translates and answers. [`realm`] puts them together, and takes them apart in order;
//! [`webhook`] tells a receiver how much waits. The crate takes no decision of its own (those are
//! `rialto-core`'s) and defines no protocol type (those are `rialto-wire`'s).

pub mod door;
pub mod node;
pub mod realm;
pub mod webhook;
