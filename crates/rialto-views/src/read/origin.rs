//! How a thing came to be: what the event that made it says of it for good. A thing's number names the
//! envelope that made it, so no table has to keep this a second time.

use std::collections::BTreeMap;

use rialto_core::event::{Envelope, Event};
use rialto_core::fact::Fact;
use rialto_core::id::{
    AccountId, AgentId, AnyId, CallId, CommunityId, ConversationId, HoldId, OwnerId, position_of,
};
use rialto_core::ledger::{Entry, EntryKind, LedgerEvent};
use rialto_core::mail::MailEvent;
use rialto_core::market::MarketEvent;
use rialto_core::policy::PolicyEvent;
use rialto_core::social::{SocialEvent, Target};
use rialto_core::work::WorkEvent;
use rusqlite::OptionalExtension;

use super::Snap;
use crate::db::{int, split, uint};
use crate::{Error, Result};

/// What the making of a thing says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An owner, person, team, agent, service or token, and whose it is.
    Known(Option<OwnerId>),
    Asset,
    Account,
    /// The agent that offers.
    Listing(AgentId),
    Call {
        buyer: AgentId,
        public: bool,
    },
    Negotiation {
        seller: AgentId,
        call: Option<CallId>,
    },
    /// The author.
    Post(AgentId),
    /// Who founded it.
    Community(AgentId),
    Report {
        by: AgentId,
        target: Target,
        community: Option<CommunityId>,
    },
    Measure {
        target: Target,
        against: Option<AgentId>,
        community: Option<CommunityId>,
    },
    /// An entry of the ledger, or the hold that it made.
    Entry {
        from: AccountId,
        to: AccountId,
    },
    /// The conversation that it was sent in.
    Message(ConversationId),
    /// What only those see whom it was shown to.
    Seen,
    /// A text.
    Text,
}

impl Snap<'_> {
    /// How a thing came to be; nothing if there is none at the position of this snapshot.
    pub(crate) fn origin(&self, id: AnyId) -> Result<Option<Origin>> {
        let made = position_of(id.number());
        if made > self.position {
            return Ok(None);
        }
        match id {
            AnyId::OwnerId(_)
            | AnyId::PersonId(_)
            | AnyId::TeamId(_)
            | AnyId::AgentId(_)
            | AnyId::ServiceId(_)
            | AnyId::TokenId(_) => return self.grounded(id),
            AnyId::AssetId(_) => {
                let found = self.has("SELECT 1 FROM asset WHERE id = ?", id)?;
                return Ok(found.then_some(Origin::Asset));
            }
            AnyId::AccountId(_) => {
                let found = self.has("SELECT 1 FROM holder WHERE account = ?", id)?;
                return Ok(found.then_some(Origin::Account));
            }
            _ => {}
        }
        if let Some((envelope, things)) = self.hand.filter(|(it, _)| it.position == made) {
            let things = things.get_or_init(|| made_by(envelope));
            return Ok(things.get(&id).copied());
        }
        if let Some((position, things)) = &*self.origins.borrow()
            && *position == made
        {
            return Ok(things.get(&id).copied());
        }
        let things = self.made_at(made)?;
        let found = things.get(&id).copied();
        *self.origins.borrow_mut() = Some((made, things));
        Ok(found)
    }

    /// What an envelope of the log made. Things are asked for together that were made together.
    fn made_at(&self, position: u64) -> Result<Made> {
        let sql = "SELECT envelope FROM event WHERE position = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([int(position)])?;
        let Some(row) = rows.next()? else {
            return Ok(Made::new());
        };
        let bytes = row.get_ref(0)?.as_blob().unwrap_or_default();
        let envelope =
            Envelope::decode(bytes).map_err(|_| Error::Damaged("an envelope that is kept"))?;
        Ok(made_by(&envelope))
    }

    fn grounded(&self, id: AnyId) -> Result<Option<Origin>> {
        let sql = "SELECT owner FROM kin WHERE kind = ? AND id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let owner = query.query_row(split(id), |r| r.get::<_, Option<i64>>(0));
        let owner = owner.optional()?;
        Ok(owner.map(|owner| Origin::Known(owner.map(|o| OwnerId(uint(o))))))
    }

    fn has(&self, sql: &str, id: AnyId) -> Result<bool> {
        Ok(self.db.prepare_cached(sql)?.exists([int(id.number())])?)
    }
}

/// Things that an envelope made, with what its events say of them.
pub(crate) type Made = BTreeMap<AnyId, Origin>;

/// What an envelope made.
fn made_by(envelope: &Envelope) -> Made {
    let mut things = Made::new();
    for event in &envelope.events {
        made(event, &mut |thing, origin| {
            things.entry(thing).or_insert(origin);
        });
    }
    things
}

/// Visits what an event made, and what it says of each.
fn made(event: &Event, visit: &mut impl FnMut(AnyId, Origin)) {
    match event {
        Event::Mail(event) => by_mail(event, visit),
        Event::Ledger(LedgerEvent::Entries { entries, .. }) => {
            entries.iter().for_each(|entry| by_entry(entry, visit));
        }
        Event::Market(event) => by_market(event, visit),
        Event::Social(event) => by_social(event, visit),
        Event::Work(WorkEvent::TaskCreated { task, .. }) => visit((*task).into(), Origin::Seen),
        Event::Policy(PolicyEvent::ApprovalRequested { approval, .. }) => {
            visit((*approval).into(), Origin::Seen);
        }
        _ => {}
    }
    event.texts(&mut |text, _| visit(text.id.into(), Origin::Text));
    for row in event.rows() {
        visit(row.id, Origin::Seen);
    }
}

fn by_mail(event: &MailEvent, visit: &mut impl FnMut(AnyId, Origin)) {
    match event {
        MailEvent::ConversationOpened { conversation, .. } => {
            visit((*conversation).into(), Origin::Seen);
        }
        MailEvent::MessageSent {
            message,
            conversation,
            ..
        } => visit((*message).into(), Origin::Message(*conversation)),
        _ => {}
    }
}

/// A hold has the number of the entry that made it.
fn by_entry(entry: &Entry, visit: &mut impl FnMut(AnyId, Origin)) {
    let between = Origin::Entry {
        from: entry.from,
        to: entry.to,
    };
    visit(entry.transfer.into(), between);
    if entry.kind == EntryKind::Hold {
        visit(HoldId(entry.transfer.0).into(), between);
    }
}

fn by_market(event: &MarketEvent, visit: &mut impl FnMut(AnyId, Origin)) {
    match event {
        MarketEvent::ListingPublished { listing, agent, .. } => {
            visit((*listing).into(), Origin::Listing(*agent));
        }
        MarketEvent::CallOpened {
            call,
            buyer,
            public,
            ..
        } => visit(
            (*call).into(),
            Origin::Call {
                buyer: *buyer,
                public: *public,
            },
        ),
        MarketEvent::OfferMade {
            negotiation,
            opening: Some(opening),
            ..
        } => visit(
            (*negotiation).into(),
            Origin::Negotiation {
                seller: opening.seller,
                call: opening.call,
            },
        ),
        MarketEvent::DealAgreed { deal, .. } => visit((*deal).into(), Origin::Seen),
        _ => {}
    }
}

fn by_social(event: &SocialEvent, visit: &mut impl FnMut(AnyId, Origin)) {
    match event {
        SocialEvent::Posted { post, author, .. } => visit((*post).into(), Origin::Post(*author)),
        SocialEvent::CommunityCreated { community, by, .. } => {
            visit((*community).into(), Origin::Community(*by));
        }
        SocialEvent::Reported {
            report,
            by,
            target,
            community,
            ..
        } => visit(
            (*report).into(),
            Origin::Report {
                by: *by,
                target: *target,
                community: *community,
            },
        ),
        SocialEvent::MeasureTaken {
            measure,
            target,
            against,
            community,
            ..
        } => visit(
            (*measure).into(),
            Origin::Measure {
                target: *target,
                against: *against,
                community: *community,
            },
        ),
        _ => {}
    }
}
