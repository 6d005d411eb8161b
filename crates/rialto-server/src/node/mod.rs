//! The node: one writer with group commit, and the threads behind it.
//!
//! ```text
//! asks -> writer (decide, apply) -> frame -> syncer (append, sync) -> answers
//!                                              |-> keeper: entity table (snapshot, digest)
//!                                              |-> hub: wakes readers of inboxes
//!                                              `-> indexer: views
//!                                        patrol: reads it all again
//! ```
//! The next frame is decided while the last is being synced. An answer carries the position it was
//! decided at and leaves when that position is durable, whether it accepts, refuses or only reads.
//! A failed sync is never retried: the node stops, and memory is rebuilt from the log.

mod boot;
mod clock;
mod engine;
mod health;
mod hub;
mod indexer;
mod keeper;
mod patrol;
mod pipeline;
mod secrets;
mod staging;
mod tail;
mod tokens;

pub use boot::{
    BootError, Opened, Storage, accept_clock, open, reset_operator_token, restore, rotate_realm_key,
};
pub use clock::{
    Chance, Clock, ClockState, Clocks, SeededChance, SystemChance, SystemClock, VirtualClock,
};
pub use engine::{Answered, Ask, Engine, Reply};
pub use health::{Health, Trouble};
pub use hub::Hub;
pub use indexer::Indexer;
pub use patrol::{Pace, Patrol};
pub use pipeline::{Digested, Failure, Node, NodeConfig, Stats};
pub use secrets::{RealmSecrets, SecretsError, metrics_secret};
pub use tail::{Seen, Tail};
pub use tokens::TokenInfo;

use rialto_core::event::Event;
use rialto_core::identity::IdentityEvent;
use rialto_core::ledger::LedgerEvent;
use rialto_core::mail::MailEvent;
use rialto_core::market::MarketEvent;
use rialto_core::policy::{Bound, PolicyEvent};
use rialto_core::social::SocialEvent;
use rialto_core::text::ContentRef;
use rialto_core::work::WorkEvent;

/// The contents that an event names.
#[must_use]
pub fn content_refs(event: &Event) -> Vec<ContentRef> {
    let one = |c: &ContentRef| vec![*c];
    let maybe = |c: &Option<ContentRef>| c.iter().copied().collect();
    match event {
        Event::Identity(
            IdentityEvent::AgentRegistered { profile, .. }
            | IdentityEvent::ProfileSet { profile, .. },
        ) => maybe(&profile.description),
        Event::Mail(MailEvent::MessageSent { body, .. }) => one(body),
        Event::Mail(MailEvent::ConversationOpened { title, .. }) => maybe(title),
        Event::Work(WorkEvent::TaskCreated { body, .. }) => maybe(body),
        Event::Work(WorkEvent::TaskUpdated { note, .. }) => maybe(note),
        Event::Work(WorkEvent::ArtifactAdded { body, .. }) => one(body),
        Event::Ledger(LedgerEvent::Entries { memo, .. }) => maybe(memo),
        Event::Market(
            MarketEvent::ListingPublished { terms, .. } | MarketEvent::ListingUpdated { terms, .. },
        ) => maybe(&terms.description),
        Event::Market(MarketEvent::CallOpened { body, .. }) => one(body),
        Event::Market(MarketEvent::OfferMade { note, .. }) => maybe(note),
        Event::Policy(PolicyEvent::ApprovalRequested { request, .. }) => match &request.bound {
            Bound::Offer { offer } => maybe(&offer.note),
            Bound::Accept { .. } | Bound::Transfer { .. } => Vec::new(),
        },
        Event::Market(MarketEvent::DealDisputed { reason, .. }) => one(reason),
        Event::Market(MarketEvent::DealEnded { reason, .. }) => maybe(reason),
        Event::Social(event) => social_refs(event),
        _ => Vec::new(),
    }
}

fn social_refs(event: &SocialEvent) -> Vec<ContentRef> {
    match event {
        SocialEvent::Posted { body, .. } | SocialEvent::Edited { body, .. } => vec![*body],
        SocialEvent::CommunityCreated { rules, .. } => vec![*rules],
        SocialEvent::CommunityUpdated { rules, .. } => rules.iter().copied().collect(),
        SocialEvent::Reported { text, .. } => text.iter().copied().collect(),
        SocialEvent::ReportsEnded { reason, .. } => reason.iter().copied().collect(),
        SocialEvent::MeasureTaken { reason, .. }
        | SocialEvent::MeasureRevoked { reason, .. }
        | SocialEvent::AppealDecided { reason, .. } => vec![*reason],
        SocialEvent::Appealed { statement, .. } => vec![*statement],
        _ => Vec::new(),
    }
}
