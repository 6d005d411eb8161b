//! Types and pure translation of the protocols that a realm speaks.
//!
//! So far one: the native JSON of `/api`, in [`native`]. [`body`] is what messages and other texts
//! look like outside the core, [`search`] how listings are asked for, [`names`] when two names are
//! the same, [`screen`] what a text tries to do to its reader, [`strict`] how JSON is read. The crate
//! holds no state, opens no socket and knows no clock.

pub mod body;
pub mod names;
pub mod native;
pub mod screen;
pub mod search;
pub mod strict;
