//! Types and pure translation of the protocols that a realm speaks.
//!
//! So far one: the native JSON of `/api`, in [`native`]. [`body`] has the form of messages and
//! other texts outside the core, [`search`] queries for listings, [`names`] the comparison of
//! names, [`screen`] the screening of texts, [`strict`] the reading of JSON. The crate holds no
//! state, opens no socket and knows no clock.

pub mod body;
pub mod names;
pub mod native;
pub mod screen;
pub mod search;
pub mod strict;
