//! Folds envelopes into the tables: one function for each domain ([`crate::domain`]), which reads no tables
//! but its own, the foundation, and what the envelope says.

mod deals;
mod ground;
pub(crate) mod identity;
mod ledger;
mod log;
mod mail;
pub(crate) mod market;
mod models;
mod nouns;
mod policy;
mod social;
pub(crate) mod texts;
mod threads;
mod work;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use rialto_core::event::{Envelope, Event, RealmEvent};
use rialto_core::fact::Fact;
use rialto_core::id::{AccountId, AgentId, AnyId, ApprovalId, ContentId, OwnerId, TeamId, number};
use rialto_core::identity::Principal;
use rialto_core::text::ContentRef;
use rialto_core::time::Time;
use rusqlite::{Connection, OptionalExtension, Params};
use serde::Serialize;

use crate::Result;
use crate::chips::Rates;
use crate::codec::Coded;
use crate::db::{int, split, uint};
use crate::domain::{Domain, TEXTS};
use crate::read::Made;
use crate::views::Indexed;

pub(crate) use deals::in_parts;
#[cfg(test)]
pub(crate) use nouns::stored;
pub(crate) use texts::{erase, indexed_text};

/// What a batch keeps at hand. Bounded by the batch.
#[derive(Default)]
pub(crate) struct Cache {
    accounts: HashMap<i64, ledger::Held>,
    owners: HashMap<(i64, i64), OwnerId>,
    holders: HashMap<i64, Vec<i64>>,
    /// Price lists, by listing.
    rates: HashMap<i64, Option<Rc<Rates>>>,
    /// The hour that each roll-up last noted: there are few.
    hours: Vec<(&'static str, i64)>,
    pub(crate) erased: usize,
}

impl Cache {
    /// Writes accounts back.
    pub(crate) fn flush(&mut self, db: &Connection) -> Result<()> {
        if self.accounts.is_empty() {
            return Ok(());
        }
        ledger::flush(db, self.accounts.drain())
    }
}

/// Which domains take in an envelope.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    /// The domains, in the order of the list.
    pub(crate) domains: &'a [Domain],
    /// Whether it is the newest envelope, rather than one that is read again.
    pub(crate) live: bool,
}

impl Pass<'_> {
    fn has(&self, name: &str) -> bool {
        self.domains.iter().any(|domain| domain.name == name)
    }
}

/// One envelope being folded.
pub(crate) struct Folding<'a> {
    pub(crate) db: &'a Connection,
    cache: &'a mut Cache,
    pass: Pass<'a>,
    pub(crate) envelope: &'a Envelope,
    /// What the envelope makes, once somebody has asked.
    made: OnceCell<Made>,
    contents: &'a [(ContentId, Vec<u8>)],
    pub(crate) position: u64,
    at: Time,
    principal: Principal,
    actor: Option<AgentId>,
    caused: bool,
    approved: Option<ApprovalId>,
    subjects: Vec<AnyId>,
    /// The deals whose money this envelope has paid or given back.
    ended: Vec<deals::Ended>,
}

/// Folds one envelope into the tables of the domains of a pass.
pub(crate) fn envelope(
    db: &Connection,
    cache: &mut Cache,
    pass: Pass<'_>,
    indexed: &Indexed,
) -> Result<()> {
    let envelope = &indexed.envelope;
    let mut fold = Folding {
        db,
        cache,
        pass,
        envelope,
        made: OnceCell::new(),
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
    let fold = &mut fold;
    pass.domains
        .iter()
        .try_for_each(|domain| (domain.fold)(fold))
}

/// What never changes once it is there.
pub(crate) fn ground(fold: &mut Folding<'_>) -> Result<()> {
    fold.each(Folding::grounded)
}

/// The texts.
pub(crate) fn texts(fold: &mut Folding<'_>) -> Result<()> {
    fold.each(Folding::kept)
}

/// The log, its threads of cause and effect, and who is party to what.
pub(crate) fn log(fold: &mut Folding<'_>) -> Result<()> {
    fold.logged()
}

/// Owners, people, agents, tokens and services.
pub(crate) fn directory(fold: &mut Folding<'_>) -> Result<()> {
    fold.each(|fold, event| match event {
        Event::Identity(event) => fold.identity(event),
        Event::Realm(RealmEvent::ClockSetBack { from, to, jumped }) => fold.run(
            "UPDATE token SET expires = max(expires - ?1, ?2)
             WHERE id >= ?3 AND expires IS NOT NULL AND ended IS NULL",
            (int(from.since(*to)), int(to.0), int(number(*jumped, 0))),
        ),
        _ => Ok(()),
    })
}

/// Conversations and messages.
pub(crate) fn mail(fold: &mut Folding<'_>) -> Result<()> {
    fold.each(|fold, event| match event {
        Event::Mail(event) => fold.mail(event),
        Event::Market(event) => fold.met(event),
        _ => Ok(()),
    })
}

/// Tasks and teams.
pub(crate) fn work(fold: &mut Folding<'_>) -> Result<()> {
    fold.each(|fold, event| match event {
        Event::Work(event) => fold.work(event),
        _ => Ok(()),
    })
}

/// The ledger and the market, what ended deals say of their parties, and calls of models: that follows from
/// the fresh money on the accounts, or is accounted for with the entries, so they stand in one domain.
pub(crate) fn trade(fold: &mut Folding<'_>) -> Result<()> {
    fold.each(|fold, event| match event {
        Event::Identity(event) => fold.recorded(event),
        Event::Ledger(event) => fold.ledger(event),
        Event::Market(event) => fold.market(event),
        Event::Model(event) => fold.model(event),
        _ => Ok(()),
    })?;
    fold.count_ended()
}

/// Approvals, allowances and blocks.
pub(crate) fn policy(fold: &mut Folding<'_>) -> Result<()> {
    fold.each(|fold, event| match event {
        Event::Policy(event) => fold.policy(event),
        _ => Ok(()),
    })
}

/// The square.
pub(crate) fn square(fold: &mut Folding<'_>) -> Result<()> {
    fold.each(|fold, event| match event {
        Event::Social(event) => fold.social(event),
        _ => Ok(()),
    })
}

/// Plain nouns.
pub(crate) fn nouns(fold: &mut Folding<'_>) -> Result<()> {
    fold.each(|fold, event| event.rows().iter().try_for_each(|row| fold.row(row)))
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

impl Folding<'_> {
    /// Takes in each event.
    fn each(&mut self, mut take: impl FnMut(&mut Self, &Event) -> Result<()>) -> Result<()> {
        let envelope = self.envelope;
        envelope
            .events
            .iter()
            .try_for_each(|event| take(self, event))
    }

    /// Whether a roll-up has not noted an hour yet in this batch; notes it.
    pub(crate) fn is_new_hour(&mut self, grain: &'static str, hour: i64) -> bool {
        let hours = &mut self.cache.hours;
        match hours.iter_mut().find(|(noted_by, _)| *noted_by == grain) {
            Some((_, noted)) => std::mem::replace(noted, hour) != hour,
            None => {
                hours.push((grain, hour));
                true
            }
        }
    }

    /// Has the hour noted again.
    pub(crate) fn forget_hour(&mut self, grain: &'static str) {
        self.cache.hours.retain(|(noted_by, _)| *noted_by != grain);
    }

    pub(crate) fn run(&self, sql: &str, params: impl Params) -> Result<()> {
        self.db.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    pub(crate) fn now(&self) -> i64 {
        int(self.at.0)
    }

    /// What is indexed of a content, unless it was erased. A domain that is folded again takes the text from
    /// where the texts are kept: what was erased since is not there any more.
    fn words_of(&self, content: &ContentRef) -> Result<Option<String>> {
        if self.pass.has(TEXTS) {
            return Ok(self.bytes_of(content).map(indexed_text));
        }
        let sql = "SELECT bytes FROM content WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let bytes = query.query_row([int(content.id.0)], |r| r.get::<_, Option<Vec<u8>>>(0));
        Ok(bytes
            .optional()?
            .flatten()
            .map(|bytes| indexed_text(&bytes)))
    }

    /// The bytes of a content, unless they were erased.
    fn bytes_of(&self, content: &ContentRef) -> Option<&[u8]> {
        let found = self.contents.iter().find(|(id, _)| *id == content.id);
        found.map(|(_, bytes)| bytes.as_slice())
    }

    fn owner_of_agent(&mut self, agent: AgentId) -> Result<Option<OwnerId>> {
        self.kin(agent)
    }

    fn owner_of_team(&mut self, team: TeamId) -> Result<Option<OwnerId>> {
        self.kin(team)
    }

    fn owner_of_account(&mut self, account: AccountId) -> Result<Option<OwnerId>> {
        let sql = "SELECT owner FROM holder WHERE ?1 >= 0 AND account = ?2";
        self.cached_owner(sql, account.into())
    }

    /// Whose an agent, person, team or token is.
    fn kin(&mut self, thing: impl Into<AnyId>) -> Result<Option<OwnerId>> {
        self.cached_owner(
            "SELECT owner FROM kin WHERE kind = ? AND id = ?",
            thing.into(),
        )
    }

    /// An owner never changes once known; an unknown one is not remembered.
    fn cached_owner(&mut self, sql: &str, thing: AnyId) -> Result<Option<OwnerId>> {
        let key = split(thing);
        if let Some(known) = self.cache.owners.get(&key) {
            return Ok(Some(*known));
        }
        let mut query = self.db.prepare_cached(sql)?;
        let found = query.query_row(key, |r| r.get::<_, Option<i64>>(0));
        let owner = found.optional()?.flatten().map(|o| OwnerId(uint(o)));
        if let Some(owner) = owner {
            self.cache.owners.insert(key, owner);
        }
        Ok(owner)
    }

    fn owner_of(&mut self, principal: Principal) -> Result<Option<OwnerId>> {
        match principal {
            Principal::Agent(id) => self.kin(id),
            Principal::Person(id) => self.kin(id),
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
