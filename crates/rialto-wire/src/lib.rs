//! Types and pure translation of the protocols that a realm speaks.
//!
//! The native JSON of `/api` is in [`native`]; [`body`] has the form of messages and other texts
//! outside the core, [`search`] queries for listings, [`names`] the comparison of names, [`screen`]
//! the screening of texts, [`strict`] the reading of JSON. What model servers speak is in
//! [`openai`], [`anthropic`] and [`bedrock`], each read into and written from the neutral form of
//! [`model`]; [`dialect`] holds them side by side, [`sse`] the framing of their streams, [`words`] what servers say of a call's cost. The crate
//! holds no state, opens no socket and knows no clock.

pub mod anthropic;
pub mod bedrock;
pub mod body;
pub mod dialect;
mod json;
pub mod model;
pub mod names;
pub mod native;
pub mod openai;
pub mod screen;
pub mod search;
pub mod sse;
pub mod strict;
pub mod words;
