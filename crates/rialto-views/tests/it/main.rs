//! A small realm in memory, decided by the core and fed to the views, and what every read shows.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a helper of a test may fail it, and takes JSON as it is written"
)]

mod accounts;
mod activity;
mod apart;
mod calls;
mod domains;
mod erase;
mod feeds;
mod fleet;
mod held;
mod impartial;
mod judged;
mod reads;
mod realm;
mod rebuild;
mod rollups;
mod search;
mod square;
mod texts;
mod trace;
mod trust;
mod waiting;
