//! The node: one writer with group commit, and the threads behind it.
//!
//! ```text
//! asks -> writer (decide, apply) -> frame -> syncer (append, sync) -> answers
//!                                              |-> keeper: entity table (snapshot, digest)
//!                                              |-> hub: wakes who follows what changed
//!                                              `-> indexer: views
//!                                        patrol: reads it all again
//! ```
//! The next frame is decided while the last is being synced. An answer carries the position it was
//! decided at and leaves when that position is durable, whether it accepts, refuses or only reads.
//! A failed sync is never retried: the node stops, and memory is rebuilt from the log.

mod archive;
mod boot;
mod clock;
mod engine;
mod health;
mod hub;
mod indexer;
mod keeper;
mod mailbox;
mod paces;
mod patrol;
mod pipeline;
mod secrets;
mod staging;
mod subjects;
mod syncer;
mod tail;
mod text_rate;
mod tokens;
mod writer;

pub use archive::{Archived, Step, archive};
pub use boot::{
    BootError, Opened, Storage, accept_clock, base_state, open, reset_operator_token, restore,
    rotate_realm_key,
};
pub use clock::{
    Chance, Clock, ClockState, Clocks, SeededChance, SystemChance, SystemClock, VirtualClock,
};
pub use engine::{Answered, Ask, Batch, Engine, Reply};
pub use health::{Health, Trouble};
pub use hub::{Hub, Lag};
pub use indexer::Indexer;
pub use paces::Pace as RatePace;
pub use patrol::{Pace, Patrol};
pub use pipeline::{Digested, Early, Failure, Node, NodeConfig, Stats};
pub(crate) use secrets::write_private;
pub use secrets::{RealmSecrets, SecretsError, metrics_secret, vault};
pub use staging::stage;
pub use subjects::{Following, Subject};
pub use tail::{Seen, Tail, name_of};
pub use tokens::TokenInfo;

use rialto_core::event::Event;
use rialto_core::fact::Fact;
use rialto_core::text::ContentRef;

/// The contents that an event names.
#[must_use]
pub fn content_refs(event: &Event) -> Vec<ContentRef> {
    let mut contents = Vec::new();
    event.texts(&mut |text, _| contents.push(*text));
    contents
}
