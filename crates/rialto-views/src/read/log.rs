//! The log in readable form, and counts.

#[cfg(feature = "schema")]
use rialto_core::event::LoggedKey;
use rialto_core::event::{Envelope, Event};
#[cfg(feature = "schema")]
use rialto_core::id::AnyId;
use rialto_core::id::{AgentId, ContentId, PersonId};
#[cfg(feature = "schema")]
use rialto_core::identity::Auth;
use rialto_core::identity::Principal;
#[cfg(feature = "schema")]
use rialto_core::time::Time;
use rusqlite::OptionalExtension;
use serde::Serialize;
use serde_json::Value;

use super::{Page, Paging, Scope, Snap, ViewReader, cursor, limit};
use crate::db::{int, uint};
use crate::fold::texts::Use;
use crate::{Error, Result};

/// How many bytes of JSON a stored byte of an envelope comes to, about.
const WORDY: usize = 6;

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this kind, such as `market.deal_agreed`.
    pub kind: Option<String>,
    /// By this agent.
    pub actor: Option<AgentId>,
    /// By this person, whichever agent it acted for; only to those who may see the person.
    pub person: Option<PersonId>,
}

impl EventFilter {
    /// Refuses a kind that no event is of: it would find nothing, whatever happens.
    ///
    /// # Errors
    /// [`Error::BadQuery`], with the kinds that were perhaps meant.
    pub fn check(&self) -> Result<()> {
        let Some(kind) = self.kind.as_deref() else {
            return Ok(());
        };
        if Event::NAMES.contains(&kind) {
            return Ok(());
        }
        let near = near(kind);
        let near = match near.is_empty() {
            true => "kinds are such as market.deal_agreed".to_owned(),
            false => format!("perhaps {}", near.join(" or ")),
        };
        Err(Error::BadQuery(format!(
            "no event is of the kind {kind:?}; {near}"
        )))
    }
}

/// The most kinds that are named in place of one that is not there.
const NEAR: usize = 3;

/// The kinds that have most words in common with a text.
fn near(text: &str) -> Vec<&'static str> {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(['.', '_', '-', ' ']);
        words
            .map(|word| word.trim_end_matches('s').to_lowercase())
            .collect()
    };
    let wanted = words(text);
    let common = |name: &str| {
        words(name)
            .iter()
            .filter(|word| wanted.contains(word))
            .count()
    };
    let mut near: Vec<(usize, &str)> = Event::NAMES
        .iter()
        .map(|name| (common(name), *name))
        .filter(|(common, _)| *common > 0)
        .collect();
    near.sort_by_key(|(common, _)| std::cmp::Reverse(*common));
    let best = near.first().map_or(0, |(common, _)| *common);
    near.retain(|(common, _)| *common == best);
    near.into_iter().map(|(_, name)| name).take(NEAR).collect()
}

/// An envelope as its reader may see it: what [`ViewReader::events`] hands out as JSON.
#[cfg(feature = "schema")]
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "LoggedEvents")]
pub struct ToldEvent {
    /// The version it was written in.
    pub version: u16,
    /// Its place in the log.
    pub position: u64,
    /// The logical time.
    pub at: Time,
    /// Who asked.
    pub principal: Asker,
    /// The agent that acted, if one did.
    pub actor: Option<AgentId>,
    /// Who did it, by name: an agent's handle, a person whom the reader may know, or what else it was.
    pub by: String,
    /// What happened, in order; of what others did, as far as it concerns the reader.
    pub events: Vec<Event>,
    /// What happened, in words, where the things it is about do not say enough.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<String>,
    /// How it was proved who asked; only of the reader's own doing, like all that follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// The idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<LoggedKey>,
    /// What caused it, as the asker said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<AnyId>,
    /// The ids that the answer names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<AnyId>>,
    /// The reading of the realm's steady clock, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steady_ms: Option<u64>,
}

/// Who asked; a person of others without its id.
#[cfg(feature = "schema")]
#[derive(Serialize, schemars::JsonSchema)]
pub struct Asker {
    /// `operator`, `realm`, `person`, `agent`, `service` or `public`.
    pub kind: String,
    /// Its id, if it has one and the reader may know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<AnyId>,
}

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // Each is the number of rows of the thing it names.
pub struct Counts {
    pub position: u64,
    pub owners: u64,
    pub agents: u64,
    pub conversations: u64,
    pub messages: u64,
    pub tasks: u64,
    pub listings: u64,
    pub calls: u64,
    pub negotiations: u64,
    pub deals: u64,
    pub accounts: u64,
    pub entries: u64,
    pub holds_open: u64,
    pub approvals_open: u64,
    pub file_bytes: u64,
}

impl ViewReader {
    /// Envelopes as JSON, oldest first. An owner or agent sees its own events, and those of others
    /// that concern it.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn events(
        &self,
        scope: Scope,
        filter: &EventFilter,
        paging: &Paging,
    ) -> Result<Page<Value>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(0));
        self.read(|snap| snap.events(scope, after, limit, filter))
    }

    /// The same after a known position.
    ///
    /// # Errors
    /// [`crate::Error::BadLimit`], and as every read.
    pub fn events_after(
        &self,
        scope: Scope,
        after: u64,
        limit: u32,
        filter: &EventFilter,
    ) -> Result<Page<Value>> {
        let limit = super::limit(&Paging {
            cursor: None,
            limit,
        })?;
        self.read(|snap| snap.events(scope, int(after), limit, filter))
    }

    /// The same, newest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn latest_events(
        &self,
        scope: Scope,
        filter: &EventFilter,
        paging: &Paging,
    ) -> Result<Page<Value>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        self.read(|snap| snap.stretch(scope, ("<", "DESC"), before, limit, filter))
    }

    /// The envelope at a position; nothing at 0 and past the end.
    ///
    /// # Errors
    /// As every read.
    pub fn envelope(&self, position: u64) -> Result<Option<Envelope>> {
        self.read(|snap| snap.envelope(int(position)))
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// As every read.
    pub fn event(&self, position: u64) -> Result<Option<Value>> {
        self.read(|snap| {
            let envelope = snap.envelope(int(position))?;
            envelope.map(|e| snap.told(Scope::Realm, &e)).transpose()
        })
    }

    /// As [`ViewReader::describe`] to a scope, as far as the event concerns it: what it did itself
    /// whole, of what others did the part about it. Nothing if it does not.
    ///
    /// # Errors
    /// As every read.
    pub fn describe_to(&self, scope: Scope, position: u64) -> Result<Option<Value>> {
        self.read(|snap| {
            let sql = "SELECT actor, owner FROM event WHERE position = ?";
            let mut query = snap.db.prepare_cached(sql)?;
            let row = query.query_row([int(position)], |r| {
                Ok((r.get::<_, Option<i64>>(0)?, r.get::<_, Option<i64>>(1)?))
            });
            let (Some((actor, owner)), Some(envelope)) =
                (row.optional()?, snap.envelope(int(position))?)
            else {
                return Ok(None);
            };
            let did = match scope {
                Scope::Realm => None,
                Scope::Owner(_) => owner,
                Scope::Agent(_) => actor,
            };
            let own = did.is_some() && did == scope.viewer();
            let Some(mut told) = snap.told_to(scope, &envelope, own, None)? else {
                return Ok(None);
            };
            let reader = Some(scope).filter(|scope| !own && *scope != Scope::Realm);
            snap.fill_in(&mut told, reader)?;
            Ok(Some(told))
        })
    }

    /// The same with the texts that it refers to filled in: beside the `id` of each content its
    /// `body`, which is null once erased.
    ///
    /// # Errors
    /// As every read.
    pub fn describe(&self, position: u64) -> Result<Option<Value>> {
        self.read(|snap| {
            let Some(envelope) = snap.envelope(int(position))? else {
                return Ok(None);
            };
            let mut value = snap.told(Scope::Realm, &envelope)?;
            snap.fill_in(&mut value, None)?;
            Ok(Some(value))
        })
    }

    /// Counts for metrics. They count whole tables: for occasional use, not for every request.
    ///
    /// # Errors
    /// As every read.
    pub fn counts(&self) -> Result<Counts> {
        self.read(|snap| snap.counts())
    }
}

impl Snap<'_> {
    pub(crate) fn envelope(&self, position: i64) -> Result<Option<Envelope>> {
        let sql = "SELECT envelope FROM event WHERE position = ?";
        let bytes = self
            .db
            .prepare_cached(sql)?
            .query_row([position], |r| r.get::<_, Vec<u8>>(0));
        let Some(bytes) = bytes.optional()? else {
            return Ok(None);
        };
        Envelope::decode(&bytes)
            .map(Some)
            .map_err(|_| Error::Damaged("an envelope"))
    }

    fn events(
        &self,
        scope: Scope,
        after: i64,
        limit: usize,
        filter: &EventFilter,
    ) -> Result<Page<Value>> {
        self.stretch(scope, (">", "ASC"), after, limit, filter)
    }

    /// Envelopes on one side of a position, the nearest first.
    fn stretch(
        &self,
        scope: Scope,
        (side, way): (&str, &str),
        from_here: i64,
        limit: usize,
        filter: &EventFilter,
    ) -> Result<Page<Value>> {
        filter.check()?;
        if let Some(person) = filter.person
            && !self.sees(scope, person.into())?
        {
            return Ok(self.page(Vec::new(), limit));
        }
        let concerns = match scope {
            Scope::Realm => "?3 IS NULL",
            _ => "EXISTS(SELECT 1 FROM concern c WHERE c.viewer = ?3 AND c.position = e.position)",
        };
        let from = match (&filter.kind, scope) {
            (Some(_), _) => format!(
                "event_kind k CROSS JOIN event e ON e.position = k.position
                        WHERE k.kind = ?4 AND k.position {side} ?1 AND {concerns}"
            ),
            (None, Scope::Realm) => {
                format!("event e WHERE ?4 IS NULL AND e.position {side} ?1 AND {concerns}")
            }
            (None, _) => format!(
                "concern k CROSS JOIN event e ON e.position = k.position
                        WHERE k.viewer = ?3 AND ?4 IS NULL AND k.position {side} ?1"
            ),
        };
        let sql = format!(
            "SELECT e.position, e.envelope, e.actor, e.owner FROM {from}
             AND (?5 IS NULL OR e.actor = ?5) ORDER BY e.position {way} LIMIT ?2"
        );
        let wide = match scope {
            Scope::Realm if filter.person.is_none() => {
                i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
            }
            // An envelope may hold nothing of the wanted kind for the viewer: the next may.
            _ => i64::MAX,
        };
        let by = filter.person.map(Principal::Person);
        let actor = filter.actor.map(|a| int(a.0));
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query((from_here, wide, scope.viewer(), &filter.kind, actor))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let bytes: Vec<u8> = row.get(1)?;
            let envelope = Envelope::decode(&bytes).map_err(|_| Error::Damaged("an envelope"))?;
            if by.is_some_and(|by| by != envelope.principal) {
                continue;
            }
            let did = match scope {
                Scope::Realm => None,
                Scope::Owner(_) => row.get(3)?,
                Scope::Agent(_) => row.get::<_, Option<i64>>(2)?,
            };
            let own = did.is_some() && did == scope.viewer();
            if let Some(told) = self.told_to(scope, &envelope, own, filter.kind.as_deref())? {
                self.show(bytes.len().saturating_mul(WORDY));
                found.push((row.get(0)?, told));
            }
            if found.len() > limit || self.is_full() {
                break;
            }
        }
        Ok(self.page(found, limit))
    }

    /// Puts the bodies of contents beside their references; for a reader only those that it could read
    /// elsewhere.
    fn fill_in(&self, value: &mut Value, reader: Option<Scope>) -> Result<()> {
        match value {
            Value::Array(entries) => entries.iter_mut().try_for_each(|e| self.fill_in(e, reader)),
            Value::Object(fields) => {
                let id = fields.get("id").and_then(Value::as_str);
                let content = id.and_then(|id| id.parse::<ContentId>().ok());
                if let Some(content) = content.filter(|_| fields.contains_key("hash")) {
                    let shown = match reader {
                        Some(reader) => self.still_reads(reader, int(content.0))?,
                        None => true,
                    };
                    let content = Some(int(content.0)).filter(|_| shown);
                    let body = self.written(content)?.and_then(|w| w.body);
                    let body = serde_json::to_value(body).unwrap_or_default();
                    fields.insert("body".to_owned(), body);
                    return Ok(());
                }
                fields
                    .values_mut()
                    .try_for_each(|field| self.fill_in(field, reader))
            }
            _ => Ok(()),
        }
    }

    /// Whether a scope may still read a text of others: that of a post while the post can be read and no
    /// block stands between, that of a message while the message is shown to it.
    fn still_reads(&self, scope: Scope, content: i64) -> Result<bool> {
        let sql = "SELECT c.use_kind, c.use_id, p.author, p.state FROM content c
                   LEFT JOIN post p ON p.id = c.use_id WHERE c.id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let row = query.query_row([content], |r| {
            Ok((
                r.get::<_, i64>(0)?,
                r.get::<_, i64>(1)?,
                r.get::<_, Option<i64>>(2)?,
                r.get::<_, Option<i64>>(3)?,
            ))
        });
        let Some((used, by, author, state)) = row.optional()? else {
            return Ok(false);
        };
        match Use::stored(used) {
            Some(Use::Post | Use::PostBefore) => match author {
                Some(author) => Ok(state == Some(0) && !self.is_apart(scope, author)?),
                None => Ok(false),
            },
            Some(Use::Message) => Ok(self.visible_message(scope, by)?.is_some()),
            // Of what they stand in, the event itself is told only to whom it concerns.
            Some(Use::Other | Use::Listing | Use::Agent) => Ok(true),
            None => Ok(false),
        }
    }

    fn counts(&self) -> Result<Counts> {
        let count = |from: &str| -> Result<u64> {
            let sql = format!("SELECT count(*) FROM {from}");
            Ok(uint(
                self.db.prepare_cached(&sql)?.query_row([], |r| r.get(0))?,
            ))
        };
        let pages: i64 = self.db.query_row("PRAGMA page_count", [], |r| r.get(0))?;
        let page_bytes: i64 = self.db.query_row("PRAGMA page_size", [], |r| r.get(0))?;
        Ok(Counts {
            position: self.position,
            owners: count("owner")?,
            agents: count("agent")?,
            conversations: count("conversation")?,
            messages: count("message")?,
            tasks: count("task")?,
            listings: count("listing WHERE withdrawn = 0")?,
            calls: count("call")?,
            negotiations: count("negotiation")?,
            deals: count("deal")?,
            accounts: count("account")?,
            entries: count("entry")?,
            holds_open: count("hold WHERE ended IS NULL")?,
            approvals_open: count("approval WHERE ended IS NULL")?,
            file_bytes: uint(pages.saturating_mul(page_bytes)),
        })
    }
}
