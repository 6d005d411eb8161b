//! The log itself, one row an envelope, with whom each concerns, and the threads of cause and effect.

use std::collections::BTreeSet;

use rialto_core::event::{Event, RealmEvent};
use rialto_core::fact::Fact;
use rialto_core::id::{AccountId, AgentId, AnyId, OwnerId, position_of};
use rialto_core::identity::Principal;
use rusqlite::OptionalExtension;

use super::Folding;
use crate::Result;
use crate::codec::holder;
use crate::db::{int, split};
use crate::read::{Scope, Scores, Snap};

impl Folding<'_> {
    pub(super) fn logged(&mut self) -> Result<()> {
        let envelope = self.envelope;
        let owner = match (envelope.actor, envelope.principal) {
            (Some(agent), _) => self.owner_of_agent(agent)?,
            (None, principal) => self.owner_of(principal)?,
        };
        self.run(
            "INSERT INTO event VALUES(?, ?, ?, ?, ?)",
            (
                int(envelope.position),
                int(envelope.at.0),
                envelope.actor.map(|a| int(a.0)),
                owner.map(|o| int(o.0)),
                envelope.encode(),
            ),
        )?;
        for (index, event) in envelope.events.iter().enumerate() {
            let kind = event.name();
            if !envelope.events.iter().take(index).any(|e| e.name() == kind) {
                self.run(
                    "INSERT INTO event_kind VALUES(?, ?)",
                    (kind, int(envelope.position)),
                )?;
            }
            if let Event::Realm(RealmEvent::ClockSetBack { to, jumped, .. }) = event {
                // Times are searched by position: what happened meanwhile is found at the time that
                // the clock was set back to. The envelopes keep what they say.
                self.run(
                    "UPDATE event SET at = ?1 WHERE position >= ?2 AND at > ?1",
                    (int(to.0), int(*jumped)),
                )?;
            }
            self.threaded(event)?;
        }
        self.concerned(owner)?;
        let Some(cause) = envelope.cause else {
            return Ok(());
        };
        let there = self.is_there(cause, envelope.actor, owner)?;
        for subject in std::mem::take(&mut self.subjects) {
            match there {
                true if subject != cause => self.link(cause, subject, "caused")?,
                true => {}
                false => self.gap(subject, cause)?,
            }
        }
        Ok(())
    }

    /// Records whom an envelope concerns, besides those who caused it.
    fn concerned(&mut self, owner: Option<OwnerId>) -> Result<()> {
        let envelope = self.envelope;
        let mut viewers: BTreeSet<i64> = envelope.actor.iter().map(|a| int(a.0)).collect();
        viewers.extend(owner.map(|o| int(o.0)));
        let mut things = BTreeSet::new();
        for event in &envelope.events {
            event.concerns(&mut |thing| {
                things.insert(thing);
            });
        }
        for thing in &things {
            if let AnyId::AccountId(account) = thing {
                viewers.extend(self.holders(*account)?);
            }
        }
        // One snapshot for all: things that were made together are looked up together.
        let scores = Scores::default();
        let snap = self.snap(&scores);
        for thing in things {
            if !matches!(thing, AnyId::AccountId(_)) {
                viewers.extend(snap.viewers_of(thing)?);
            }
        }
        let sql = "INSERT OR IGNORE INTO concern VALUES(?, ?)";
        viewers
            .into_iter()
            .try_for_each(|viewer| self.run(sql, (viewer, int(envelope.position))))
    }

    /// Whom an account concerns. A batch moves the same accounts again and again, and only a team's
    /// changes hands.
    fn holders(&mut self, account: AccountId) -> Result<Vec<i64>> {
        let id = int(account.0);
        if let Some(known) = self.cache.holders.get(&id) {
            return Ok(known.clone());
        }
        let viewers = self.snap(&Scores::default()).viewers_of(account.into())?;
        let sql = "SELECT kind FROM holder WHERE account = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let kind: Option<i64> = query.query_row([id], |r| r.get(0)).optional()?;
        if kind != Some(holder::TEAM) {
            self.cache.holders.insert(id, viewers.clone());
        }
        Ok(viewers)
    }

    pub(super) fn snap<'s>(&'s self, scores: &'s Scores) -> Snap<'s> {
        Snap {
            hand: Some((self.envelope, &self.made)),
            ..Snap::of(self.db, self.position, scores)
        }
    }

    /// Notes that this envelope says something about a thing.
    pub(super) fn touch(&mut self, thing: impl Into<AnyId>) -> Result<()> {
        let thing = thing.into();
        if position_of(thing.number()) != self.position {
            let (kind, id) = split(thing);
            self.run(
                "INSERT OR IGNORE INTO touch VALUES(?, ?, ?)",
                (kind, id, int(self.position)),
            )?;
        }
        if self.caused && !self.subjects.contains(&thing) {
            self.subjects.push(thing);
        }
        Ok(())
    }

    /// Whether a cause exists for whoever named it. Private things of others do not: so strangers
    /// cannot crowd their traces, and learn no more about them than about things that never
    /// existed.
    fn is_there(
        &self,
        cause: AnyId,
        actor: Option<AgentId>,
        owner: Option<OwnerId>,
    ) -> Result<bool> {
        let scope = match (actor, owner) {
            (Some(agent), _) => Scope::Agent(agent),
            (None, Some(owner)) => Scope::Owner(owner),
            (None, None) => Scope::Realm,
        };
        let scores = Scores::default();
        self.snap(&scores).sees(scope, cause)
    }

    fn gap(&self, thing: AnyId, cause: AnyId) -> Result<()> {
        let ((kind, id), (cause_kind, cause)) = (split(thing), split(cause));
        self.run(
            "INSERT OR IGNORE INTO gap VALUES(?, ?, ?, ?)",
            (kind, id, cause_kind, cause),
        )
    }

    pub(super) fn link(
        &self,
        from: impl Into<AnyId>,
        to: impl Into<AnyId>,
        how: &str,
    ) -> Result<()> {
        let ((from_kind, from), (to_kind, to)) = (split(from.into()), split(to.into()));
        self.run(
            "INSERT OR IGNORE INTO link VALUES(?, ?, ?, ?, ?, ?)",
            (from_kind, from, to_kind, to, how, int(self.position)),
        )
    }

    /// Lets an agent, and with it its owner, see a thing.
    pub(super) fn show(&mut self, thing: impl Into<AnyId>, agent: AgentId) -> Result<()> {
        let thing = thing.into();
        if let Some(owner) = self.owner_of_agent(agent)? {
            self.show_owner(thing, owner)?;
        }
        let (kind, id) = split(thing);
        self.run(
            "INSERT OR IGNORE INTO seen VALUES(?, ?, ?)",
            (int(agent.0), kind, id),
        )
    }

    pub(super) fn show_owner(&self, thing: impl Into<AnyId>, owner: OwnerId) -> Result<()> {
        let (kind, id) = split(thing.into());
        self.run(
            "INSERT OR IGNORE INTO seen VALUES(?, ?, ?)",
            (int(owner.0), kind, id),
        )
    }

    pub(super) fn show_principal(&mut self, thing: AnyId, principal: Principal) -> Result<()> {
        if let Principal::Agent(agent) = principal {
            return self.show(thing, agent);
        }
        match self.owner_of(principal)? {
            Some(owner) => self.show_owner(thing, owner),
            None => Ok(()),
        }
    }
}
