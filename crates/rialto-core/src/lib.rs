//! The core of a realm: every rule of identity, mail, work, ledger, market, the square and policy.
//!
//! A [`Command`](command::Command) is decided against the [`State`](state::State) into
//! [`Event`](event::Event)s, or refused with a [`Rejection`](reject::Rejection); events evolve the
//! state. That is all: the crate is `no_std`, so the compiler keeps clocks, I/O and the standard
//! hash map out. It also never uses floating point, never draws randomness (time and entropy come
//! with the [`Stamp`](decide::Stamp)), never sees a message body (only a salted hash of it), and
//! nothing observable depends on the order of a table.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate self as rialto_core;
#[cfg(test)]
extern crate std;

pub mod amount;
pub mod clock;
pub mod command;
mod ctx;
pub mod decide;
pub mod entity;
pub mod event;
pub mod fact;
mod figures;
pub mod handles;
pub mod hash;
pub mod id;
pub mod identity;
mod index;
pub mod ledger;
pub mod limits;
pub mod mail;
pub mod market;
pub mod model;
mod modules;
pub mod names;
pub mod noun;
pub mod obligation;
pub mod policy;
pub mod realm;
pub mod reject;
mod share;
pub mod social;
#[cfg(test)]
#[allow(
    dead_code,
    reason = "the integration tests share it and use more of it"
)]
mod spec;
pub mod state;
pub mod table;
pub mod text;
pub mod time;
pub mod work;
