//! Folds envelopes into the tables, one event after another.

mod deals;
pub(crate) mod identity;
mod ledger;
mod mail;
pub(crate) mod market;
mod models;
mod nouns;
mod policy;
mod social;
pub(crate) mod texts;
mod work;

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeSet, HashMap};

use rialto_core::event::{Envelope, Event, RealmEvent};
use rialto_core::fact::{Fact, TextOf};
use rialto_core::id::{
    AccountId, AgentId, AnyId, ApprovalId, ContentId, OwnerId, PersonId, number, position_of,
};
use rialto_core::identity::Principal;
use rialto_core::obligation::{Duty, ObligationEvent};
use rialto_core::text::ContentRef;
use rialto_core::time::Time;
use rusqlite::{Connection, OptionalExtension, Params};
use serde::Serialize;

use crate::Result;
use crate::codec::{Coded, holder};
use crate::db::{int, split};
use crate::read::{Scope, Scores, Snap};
use crate::views::Indexed;

pub(crate) use deals::in_parts;
#[cfg(test)]
pub(crate) use nouns::stored;
pub(crate) use texts::{erase, indexed_text};

/// What a batch keeps at hand. Bounded by the batch.
#[derive(Default)]
pub(crate) struct Cache {
    accounts: HashMap<i64, ledger::Held>,
    owners: HashMap<i64, Option<i64>>,
    holders: HashMap<i64, Vec<i64>>,
    pub(crate) erased: usize,
}

impl Cache {
    /// Writes accounts back.
    pub(crate) fn flush(&mut self, db: &Connection) -> Result<()> {
        ledger::flush(db, self.accounts.drain())
    }
}

/// One envelope being folded.
struct Fold<'a> {
    db: &'a Connection,
    cache: &'a mut Cache,
    contents: &'a [(ContentId, Vec<u8>)],
    position: u64,
    at: Time,
    principal: Principal,
    actor: Option<AgentId>,
    caused: bool,
    approved: Option<ApprovalId>,
    subjects: Vec<AnyId>,
    /// The deals whose money this envelope has paid or given back.
    ended: Vec<deals::Ended>,
}

/// Folds one envelope.
pub(crate) fn envelope(db: &Connection, cache: &mut Cache, indexed: &Indexed) -> Result<()> {
    let envelope = &indexed.envelope;
    let mut fold = Fold {
        db,
        cache,
        contents: &indexed.contents,
        position: envelope.position,
        at: envelope.at,
        principal: envelope.principal,
        actor: envelope.actor,
        caused: envelope.cause.is_some(),
        approved: None,
        subjects: Vec::new(),
        ended: Vec::new(),
    };
    let owner = match (envelope.actor, envelope.principal) {
        (Some(agent), _) => fold.owner_of_agent(agent)?,
        (None, principal) => fold.owner_of(principal)?,
    };
    fold.run(
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
            fold.run(
                "INSERT INTO event_kind VALUES(?, ?)",
                (kind, int(envelope.position)),
            )?;
        }
        fold.event(event)?;
    }
    fold.count_ended()?;
    fold.concerned(envelope, owner)?;
    if let Some(cause) = envelope.cause {
        let there = fold.is_there(cause, envelope.actor, owner)?;
        for subject in std::mem::take(&mut fold.subjects) {
            match there {
                true if subject != cause => fold.link(cause, subject, "caused")?,
                true => {}
                false => fold.gap(subject, cause)?,
            }
        }
    }
    Ok(())
}

/// The stored name of a state, role or other plain choice.
fn word(choice: &impl Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// The number of a content that there may be.
fn text_id(content: Option<&ContentRef>) -> Option<i64> {
    content.map(|content| int(content.id.0))
}

/// Structured facts as JSON text.
fn json(facts: &impl Serialize) -> String {
    serde_json::to_string(facts).unwrap_or_default()
}

impl Fold<'_> {
    fn event(&mut self, event: &Event) -> Result<()> {
        let mut kept = Ok(());
        event.texts(&mut |text, whose| {
            if kept.is_ok() {
                kept = self.keep(text, whose);
            }
        });
        kept?;
        match event {
            Event::Realm(event) => self.realm(event),
            Event::Identity(event) => self.identity(event),
            Event::Mail(event) => self.mail(event),
            Event::Work(event) => self.work(event),
            Event::Ledger(event) => self.ledger(event),
            Event::Market(event) => self.market(event),
            Event::Policy(event) => self.policy(event),
            Event::Social(event) => self.social(event),
            // What its rows do not say: what it is owed for.
            Event::Obligation(ObligationEvent::Opened {
                obligation,
                duty: Duty::PayOut { hold },
                ..
            }) => self.link(*hold, *obligation, "is owed by"),
            Event::Obligation(_) => Ok(()),
            Event::Model(event) => self.model(event),
        }?;
        event.rows().iter().try_for_each(|row| self.row(row))
    }

    fn realm(&mut self, event: &RealmEvent) -> Result<()> {
        match event {
            RealmEvent::Founded { name, .. } => self.run(
                "UPDATE meta SET realm = ?, at = ?",
                (name.as_str(), int(self.at.0)),
            ),
            // Tokens of the operator are in the log; forgetting is memory's, not history's.
            RealmEvent::OperatorTokenReset { .. }
            | RealmEvent::KeyRotated { .. }
            | RealmEvent::ClockAccepted
            | RealmEvent::ClockMoved { .. }
            | RealmEvent::RulesAdopted { .. }
            | RealmEvent::Retired { .. } => Ok(()),
            RealmEvent::ClockSetBack { from, to, jumped } => {
                // Times are searched by position: what happened meanwhile is found at the time that
                // the clock was set back to. The envelopes keep what they say.
                self.run(
                    "UPDATE event SET at = ?1 WHERE position >= ?2 AND at > ?1",
                    (int(to.0), int(*jumped)),
                )?;
                self.run(
                    "UPDATE token SET expires = max(expires - ?1, ?2)
                     WHERE id >= ?3 AND expires IS NOT NULL AND ended IS NULL",
                    (int(from.since(*to)), int(to.0), int(number(*jumped, 0))),
                )
            }
        }
    }

    /// Records whom an envelope concerns, besides those who caused it.
    fn concerned(&mut self, envelope: &Envelope, owner: Option<OwnerId>) -> Result<()> {
        let mut viewers: BTreeSet<i64> = envelope.actor.iter().map(|a| int(a.0)).collect();
        viewers.extend(owner.map(|o| int(o.0)));
        let mut things = BTreeSet::new();
        for event in &envelope.events {
            event.concerns(&mut |thing| {
                things.insert(thing);
            });
        }
        for thing in things {
            match thing {
                AnyId::AccountId(account) => viewers.extend(self.holders(account)?),
                other => viewers.extend(self.snap(&Scores::default()).viewers_of(other)?),
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
        let sql = "SELECT holder_kind FROM account WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let kind: Option<i64> = query.query_row([id], |r| r.get(0)).optional()?;
        if kind != Some(holder::TEAM) {
            self.cache.holders.insert(id, viewers.clone());
        }
        Ok(viewers)
    }

    fn snap<'s>(&'s self, scores: &'s Scores) -> Snap<'s> {
        Snap {
            db: self.db,
            scores,
            position: self.position,
            reveal: false,
            reader: None,
            blocks: OnceCell::new(),
            shown: Cell::new(0),
        }
    }

    fn run(&self, sql: &str, params: impl Params) -> Result<()> {
        self.db.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    fn now(&self) -> i64 {
        int(self.at.0)
    }

    /// The bytes of a content, unless they were erased.
    fn bytes_of(&self, content: &ContentRef) -> Option<&[u8]> {
        let found = self.contents.iter().find(|(id, _)| *id == content.id);
        found.map(|(_, bytes)| bytes.as_slice())
    }

    /// What is indexed of a content, unless it was erased.
    fn words_of(&self, content: &ContentRef) -> Option<String> {
        self.bytes_of(content).map(indexed_text)
    }

    /// Keeps a content.
    fn keep(&self, content: &ContentRef, whose: TextOf) -> Result<()> {
        let bytes = self.bytes_of(content);
        let (used, by) = texts::use_of(whose);
        self.run(
            "INSERT OR IGNORE INTO content VALUES(?, ?, ?, ?, ?, ?)",
            (
                int(content.id.0),
                content.labels.0,
                used as i64,
                int(by),
                texts::screened(content.labels, bytes),
                bytes,
            ),
        )
    }

    /// Notes that this envelope says something about a thing.
    fn touch(&mut self, thing: impl Into<AnyId>) -> Result<()> {
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

    fn link(&self, from: impl Into<AnyId>, to: impl Into<AnyId>, how: &str) -> Result<()> {
        let ((from_kind, from), (to_kind, to)) = (split(from.into()), split(to.into()));
        self.run(
            "INSERT OR IGNORE INTO link VALUES(?, ?, ?, ?, ?, ?)",
            (from_kind, from, to_kind, to, how, int(self.position)),
        )
    }

    /// Lets an agent, and with it its owner, see a thing.
    fn show(&mut self, thing: impl Into<AnyId>, agent: AgentId) -> Result<()> {
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

    fn show_owner(&self, thing: impl Into<AnyId>, owner: OwnerId) -> Result<()> {
        let (kind, id) = split(thing.into());
        self.run(
            "INSERT OR IGNORE INTO seen VALUES(?, ?, ?)",
            (int(owner.0), kind, id),
        )
    }

    fn show_principal(&mut self, thing: AnyId, principal: Principal) -> Result<()> {
        if let Principal::Agent(agent) = principal {
            return self.show(thing, agent);
        }
        match self.owner_of(principal)? {
            Some(owner) => self.show_owner(thing, owner),
            None => Ok(()),
        }
    }

    fn owner_of_agent(&mut self, agent: AgentId) -> Result<Option<OwnerId>> {
        self.cached_owner("SELECT owner FROM agent WHERE id = ?", agent.0)
    }

    fn owner_of_account(&mut self, account: AccountId) -> Result<Option<OwnerId>> {
        let sql = "SELECT owner FROM account WHERE id = ? AND owner IS NOT NULL";
        self.cached_owner(sql, account.0)
    }

    fn owner_of_person(&mut self, person: PersonId) -> Result<Option<OwnerId>> {
        self.cached_owner("SELECT owner FROM person WHERE id = ?", person.0)
    }

    /// An owner never changes once known; an unknown one is not remembered.
    fn cached_owner(&mut self, sql: &str, id: u64) -> Result<Option<OwnerId>> {
        let id = int(id);
        let owner = match self.cache.owners.get(&id) {
            Some(known) => *known,
            None => {
                let found = self.db.prepare_cached(sql)?.query_row([id], |r| r.get(0));
                let found: Option<i64> = found.optional()?;
                if found.is_some() {
                    self.cache.owners.insert(id, found);
                }
                found
            }
        };
        Ok(owner.map(|o| OwnerId(crate::db::uint(o))))
    }

    fn owner_of(&mut self, principal: Principal) -> Result<Option<OwnerId>> {
        match principal {
            Principal::Agent(id) => self.owner_of_agent(id),
            Principal::Person(id) => self.owner_of_person(id),
            Principal::Realm | Principal::Operator | Principal::Service(_) | Principal::Public => {
                Ok(None)
            }
        }
    }

    /// Who acted: the agent, or else the principal.
    fn by(&self) -> (i64, i64) {
        self.actor.map_or(self.principal, Principal::Agent).split()
    }
}
