//! Whom an event concerns, and which part of an envelope others than its author may read.
//!
//! An owner can read every event about its agents and its money, whoever caused it: the effect of
//! another party's act on them, and nothing else in the same envelope. Nothing here decides.

use std::collections::BTreeSet;

use rialto_core::event::{Envelope, Event};
use rialto_core::fact::Fact;
use rialto_core::id::AnyId;
use rialto_core::identity::Principal;
use rialto_core::ledger::{Entry, LedgerEvent};
use rialto_core::model::ModelEvent;
use rialto_core::policy::SpentOn;
use serde_json::Value;

use crate::Result;
use crate::db::int;
use crate::read::{Scope, Snap};

impl Snap<'_> {
    /// An envelope as a reader whom it concerns may see it: whole if it is the reader's own, else
    /// the events that concern it. Nothing if there are none, or none of the wanted kind.
    pub(crate) fn told_to(
        &self,
        scope: Scope,
        envelope: &Envelope,
        own: bool,
        kind: Option<&str>,
    ) -> Result<Option<Value>> {
        if own || scope == Scope::Realm {
            return self.told(scope, envelope).map(Some);
        }
        let mut part = envelope.clone();
        part.events.clear();
        for event in &envelope.events {
            part.events.extend(self.part_for(scope, event)?);
        }
        let wanted = |event: &Event| kind.is_none_or(|kind| event.name() == kind);
        if !part.events.iter().any(wanted) {
            return Ok(None);
        }
        // Who stood behind an agent of others, with which token and key, is theirs.
        let mut value = self.told(scope, &part)?;
        if let Some(fields) = value.as_object_mut() {
            for name in ["auth", "key", "cause", "ids", "steady_ms"] {
                fields.remove(name);
            }
            let who = fields.get_mut("principal").and_then(Value::as_object_mut);
            if let (Principal::Person(_), Some(who)) = (envelope.principal, who) {
                who.remove("id");
            }
        }
        self.withhold(&mut value);
        Ok(Some(value))
    }

    /// The part of an event that concerns a scope, if any.
    fn part_for(&self, scope: Scope, event: &Event) -> Result<Option<Event>> {
        if let Event::Ledger(LedgerEvent::Entries {
            by,
            entries,
            memo,
            reference,
        }) = event
        {
            let mut own = Vec::new();
            for entry in entries {
                own.extend(self.entry_for(scope, entry)?);
            }
            return Ok((!own.is_empty()).then(|| {
                Event::Ledger(LedgerEvent::Entries {
                    by: match by {
                        Principal::Person(_) => Principal::Public,
                        other => *other,
                    },
                    entries: own,
                    memo: *memo,
                    reference: reference.clone(),
                })
            }));
        }
        let mut things = BTreeSet::new();
        event.concerns(&mut |thing| {
            things.insert(thing);
        });
        for thing in things {
            if self.is_party(scope, thing)? {
                return self.as_told(scope, event).map(Some);
            }
        }
        Ok(None)
    }

    /// An event as a scope that it concerns may read it. Who serves a call does not read what it is for.
    fn as_told(&self, scope: Scope, event: &Event) -> Result<Event> {
        let mut event = event.clone();
        if let Event::Model(ModelEvent::Reserved { reserved, .. }) = &mut event
            && !self.is_party(scope, reserved.agent.into())?
        {
            reserved.after = None;
            reserved.charged.clear();
            let model = reserved.on.model.take();
            *reserved.on = SpentOn {
                model,
                ..SpentOn::default()
            };
        }
        Ok(event)
    }

    /// An entry on an account of the scope. Only the payer sees at which limits it counts, and what it
    /// is spent on.
    fn entry_for(&self, scope: Scope, entry: &Entry) -> Result<Option<Entry>> {
        let pays = self.is_party(scope, entry.from.into())?;
        if !pays && !self.is_party(scope, entry.to.into())? {
            return Ok(None);
        }
        let mut part = entry.clone();
        if !pays {
            part.charged.clear();
            part.spent_on = None;
        }
        Ok(Some(part))
    }

    pub(crate) fn is_party(&self, scope: Scope, thing: AnyId) -> Result<bool> {
        let parties = self.parties_of_named(thing)?;
        Ok(match scope {
            Scope::Realm => true,
            Scope::Owner(owner) => parties.owners.contains(&owner),
            Scope::Agent(agent) => parties.agents.contains(&agent),
        })
    }

    /// The numbers of the agents and owners that a thing concerns.
    pub(crate) fn viewers_of(&self, thing: AnyId) -> Result<Vec<i64>> {
        let parties = self.parties_of_named(thing)?;
        let agents = parties.agents.iter().map(|agent| int(agent.0));
        Ok(agents
            .chain(parties.owners.iter().map(|owner| int(owner.0)))
            .collect())
    }
}
