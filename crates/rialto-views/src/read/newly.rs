//! For whom something began to wait recently, so that they can be notified.
//!
//! New waiting things are found by position: messages, approvals and reports by their ids, which
//! contain positions; the rest, all of it rare, by the kinds of events.

use std::collections::{BTreeMap, BTreeSet};

use rialto_core::event::Event;
use rialto_core::id::{ORDINAL_BITS, OwnerId, number, position_of};
use rialto_core::identity::IdentityEvent;
use rialto_core::market::MarketEvent;
use rialto_core::social::SocialEvent;
use rialto_core::work::WorkEvent;
use rusqlite::{OptionalExtension, Params};

use super::{Snap, ViewReader};
use crate::Result;
use crate::codec::principal;
use crate::db::{int, uint};

/// How many positions one call looks at.
const STRETCH: u64 = 4_096;

/// Events that make something wait and whose things have no number of their own to find them by.
const KINDS: [&str; 7] = [
    "work.member_invited",
    "work.split_proposed",
    "social.join_requested",
    "social.moderator_set",
    "social.appealed",
    "market.deal_disputed",
    "identity.token_leaked",
];

/// Owners of what was made at positions, with its number: a query's parameters are the first number
/// of the stretch and the first behind it.
const MADE: [&str; 3] = [
    "SELECT owner, id FROM approval WHERE id >= ?1 AND id < ?2",
    "SELECT a.owner, m.id FROM message m
     JOIN member b ON b.conversation = m.conversation AND b.agent <> m.author
     JOIN agent a ON a.id = b.agent WHERE m.id >= ?1 AND m.id < ?2 AND m.request",
    // Not for the owner of whom it is about.
    "SELECT a.owner, max(r.id) FROM report r
     JOIN membership b ON b.community = r.community JOIN agent a ON a.id = b.agent
     LEFT JOIN agent t ON t.id = r.against
     WHERE r.id >= ?1 AND r.id < ?2 AND b.moderator AND a.owner IS NOT t.owner
     GROUP BY a.owner",
];

/// Reports in no community.
const REPORTED: &str =
    "SELECT NULL, id FROM report WHERE id >= ?1 AND id < ?2 AND community IS NULL";

/// Owners of people whose open questions were asked at positions.
fn asked() -> String {
    format!(
        "SELECT p.owner, s.position << ?3
         FROM task t INDEXED BY task_asks JOIN person p ON p.id = t.requester
         JOIN task_step s ON s.task = t.id AND s.position > ?1 AND s.position <= ?2
         WHERE t.requester_kind = {} AND t.state IN ('input_required', 'auth_required')
         AND s.state IN ('input_required', 'auth_required')",
        principal::PERSON
    )
}

const OWNER: &str = "SELECT owner, ?2 FROM agent WHERE id = ?1";

const MODERATORS: &str = "SELECT a.owner, ?2 FROM membership b JOIN agent a ON a.id = b.agent
     WHERE b.community = ?1 AND b.moderator";

/// For whom something began to wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newly {
    /// Owners, the operator being none, with the last position at which something began to wait.
    pub raised: BTreeMap<Option<OwnerId>, u64>,
    /// How far the log was looked at.
    pub position: u64,
}

impl ViewReader {
    /// For whom something began to wait after a position; some of it may have been answered since.
    /// Reads some thousands of positions: call again from where it ended until it reaches the
    /// position of the views.
    ///
    /// # Errors
    /// As every read.
    pub fn newly_waiting(&self, after: u64) -> Result<Newly> {
        self.read(|snap| snap.newly_waiting(after))
    }
}

impl Snap<'_> {
    fn newly_waiting(&self, after: u64) -> Result<Newly> {
        let until = self.position.min(after.saturating_add(STRETCH));
        let mut newly = Newly {
            position: until.max(after),
            ..Newly::default()
        };
        if until <= after {
            return Ok(newly);
        }
        let numbers = (int(number(after + 1, 0)), int(number(until + 1, 0)));
        for sql in MADE {
            self.add(&mut newly, sql, numbers)?;
        }
        self.add(&mut newly, REPORTED, numbers)?;
        self.add(&mut newly, &asked(), (int(after), int(until), ORDINAL_BITS))?;
        for position in self.telling(after, until)? {
            let envelope = self.envelope(position)?;
            let events = envelope.map(|e| e.events).unwrap_or_default();
            for event in &events {
                self.concerned(&mut newly, uint(position), event)?;
            }
        }
        Ok(newly)
    }

    /// The positions of a stretch with events that may make something wait.
    fn telling(&self, after: u64, until: u64) -> Result<BTreeSet<i64>> {
        let sql =
            "SELECT position FROM event_kind WHERE kind = ? AND position > ? AND position <= ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut found = BTreeSet::new();
        for kind in KINDS {
            let mut rows = query.query((kind, int(after), int(until)))?;
            while let Some(row) = rows.next()? {
                found.insert(row.get(0)?);
            }
        }
        Ok(found)
    }

    /// Adds the owners that a query finds, with the numbers that tell the positions.
    fn add(&self, newly: &mut Newly, sql: &str, params: impl Params) -> Result<()> {
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query(params)?;
        while let Some(row) = rows.next()? {
            let owner: Option<i64> = row.get(0)?;
            let owner = owner.map(|id| OwnerId(uint(id)));
            newly.raise(owner, position_of(uint(row.get(1)?)));
        }
        Ok(())
    }

    /// Those for whom an event makes something wait. Its kind stands in [`KINDS`] then.
    fn concerned(&self, newly: &mut Newly, position: u64, event: &Event) -> Result<()> {
        let at = int(number(position, 0));
        match event {
            Event::Work(event) => self.asked_at_work(newly, at, event),
            Event::Social(event) => self.asked_on_the_square(newly, position, event),
            Event::Market(event) => self.asked_to_rule(newly, at, event),
            Event::Identity(event) => self.warned(newly, at, event),
            // Messages and approvals are found by their numbers; of the others nothing waits.
            Event::Mail(_)
            | Event::Policy(_)
            | Event::Ledger(_)
            | Event::Realm(_)
            | Event::Obligation(_)
            | Event::Model(_) => Ok(()),
        }
    }

    fn asked_at_work(&self, newly: &mut Newly, at: i64, event: &WorkEvent) -> Result<()> {
        match event {
            WorkEvent::MemberInvited { agent, .. } => self.add(newly, OWNER, (int(agent.0), at)),
            WorkEvent::SplitProposed { shares, .. } => shares
                .iter()
                .try_for_each(|share| self.add(newly, OWNER, (int(share.agent.0), at))),
            // A question of a task is found by its step.
            WorkEvent::TaskCreated { .. }
            | WorkEvent::TaskUpdated { .. }
            | WorkEvent::ArtifactAdded { .. }
            | WorkEvent::TeamCreated { .. }
            | WorkEvent::MemberJoined { .. }
            | WorkEvent::MemberLeft { .. }
            | WorkEvent::SplitAgreed { .. }
            | WorkEvent::MemberRemoved { .. }
            | WorkEvent::PartsLeft { .. } => Ok(()),
        }
    }

    fn asked_on_the_square(
        &self,
        newly: &mut Newly,
        position: u64,
        event: &SocialEvent,
    ) -> Result<()> {
        let at = int(number(position, 0));
        match event {
            SocialEvent::ModeratorSet {
                agent,
                moderator: true,
                ..
            } => self.add(newly, OWNER, (int(agent.0), at)),
            SocialEvent::JoinRequested { community, .. } => {
                self.add(newly, MODERATORS, (int(community.0), at))
            }
            SocialEvent::Appealed { measure, .. } => {
                newly.raise(None, position);
                let sql = "SELECT community FROM measure WHERE id = ?";
                let mut query = self.db.prepare_cached(sql)?;
                let found = query.query_row([int(measure.0)], |r| r.get(0)).optional()?;
                let community: Option<i64> = found.flatten();
                self.add(newly, MODERATORS, (community, at))
            }
            // Reports are found by their numbers.
            SocialEvent::Followed { .. }
            | SocialEvent::Unfollowed { .. }
            | SocialEvent::Muted { .. }
            | SocialEvent::Unmuted { .. }
            | SocialEvent::Posted { .. }
            | SocialEvent::Edited { .. }
            | SocialEvent::Deleted { .. }
            | SocialEvent::Reacted { .. }
            | SocialEvent::PostsClosed { .. }
            | SocialEvent::CommunityCreated { .. }
            | SocialEvent::CommunityUpdated { .. }
            | SocialEvent::Joined { .. }
            | SocialEvent::JoinAnswered { .. }
            | SocialEvent::Left { .. }
            | SocialEvent::ModeratorSet { .. }
            | SocialEvent::Reported { .. }
            | SocialEvent::ReportsEnded { .. }
            | SocialEvent::MeasureTaken { .. }
            | SocialEvent::MeasureRevoked { .. }
            | SocialEvent::AppealDecided { .. }
            | SocialEvent::OwnerMuted { .. }
            | SocialEvent::OwnerUnmuted { .. } => Ok(()),
        }
    }

    fn asked_to_rule(&self, newly: &mut Newly, at: i64, event: &MarketEvent) -> Result<()> {
        match event {
            MarketEvent::DealDisputed { deal, .. } => {
                let ruled = "SELECT NULL, ?2 FROM deal WHERE id = ?1 AND arbiter IS NULL";
                self.add(newly, ruled, (int(deal.0), at))
            }
            MarketEvent::ListingPublished { .. }
            | MarketEvent::ListingUpdated { .. }
            | MarketEvent::ListingWithdrawn { .. }
            | MarketEvent::CallOpened { .. }
            | MarketEvent::CallRefused { .. }
            | MarketEvent::CallRevealed { .. }
            | MarketEvent::CallClosed { .. }
            | MarketEvent::OfferMade { .. }
            | MarketEvent::NegotiationEnded { .. }
            | MarketEvent::DealAgreed { .. }
            | MarketEvent::DealDelivered { .. }
            | MarketEvent::DealEnded { .. } => Ok(()),
        }
    }

    fn warned(&self, newly: &mut Newly, at: i64, event: &IdentityEvent) -> Result<()> {
        match event {
            IdentityEvent::TokenLeaked { token, .. } => {
                let whose = "SELECT owner, ?2 FROM token WHERE id = ?1";
                self.add(newly, whose, (int(token.0), at))
            }
            IdentityEvent::OwnerCreated { .. }
            | IdentityEvent::PersonAdded { .. }
            | IdentityEvent::RoleSet { .. }
            | IdentityEvent::AgentRegistered { .. }
            | IdentityEvent::ProfileSet { .. }
            | IdentityEvent::AgentMoved { .. }
            | IdentityEvent::KeyRotated { .. }
            | IdentityEvent::TokenIssued { .. }
            | IdentityEvent::TokenEnded { .. }
            | IdentityEvent::TokenReplaced { .. }
            | IdentityEvent::TokenSpent { .. }
            | IdentityEvent::OwnerSwitched { .. }
            | IdentityEvent::PersonSwitched { .. }
            | IdentityEvent::AgentSwitched { .. }
            | IdentityEvent::ServiceCreated { .. }
            | IdentityEvent::ServiceSwitched { .. }
            | IdentityEvent::StakeHeld { .. }
            | IdentityEvent::AgentClosed { .. }
            | IdentityEvent::AgentsStopped { .. }
            | IdentityEvent::HandleMarked { .. }
            | IdentityEvent::Invited { .. }
            | IdentityEvent::InvitationUsed { .. }
            | IdentityEvent::InvitationEnded { .. } => Ok(()),
        }
    }
}

impl Newly {
    fn raise(&mut self, whom: Option<OwnerId>, position: u64) {
        let last = self.raised.entry(whom).or_default();
        *last = position.max(*last);
    }
}
