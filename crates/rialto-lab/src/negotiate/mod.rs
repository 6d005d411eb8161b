//! Negotiation over several issues between two sides, and the comparison of strategies over many domains.
//!
//! Holds domains ([`domain`]) and their files ([`native`], [`genius`]), what sides want ([`preferences`]),
//! what a domain allows ([`analysis`]), the protocol ([`session`]), strategies ([`strategy`]), generated
//! domains ([`generate`]), tournaments ([`tournament`]) and a comparison with people ([`people`]). It never
//! moves money and knows no agent of a realm.

pub mod analysis;
pub mod domain;
pub mod generate;
pub mod genius;
mod locate;
pub mod native;
pub mod people;
pub mod preferences;
pub mod session;
pub mod strategy;
pub mod tournament;
