//! The trace: every cause and every effect of a thing, as a list of hops in the order of the log.
//!
//! From the requested thing, links are followed back to its causes and forward to its effects;
//! every event about a reached thing is a hop. Things that the scope may not see are named by id
//! only, and nothing beyond them is followed. An id that is named as a cause, but does not exist
//! for whoever named it, is a gap.

use std::collections::{BTreeMap, BTreeSet};

use rialto_core::event::{Envelope, Event};
use rialto_core::fact::{Fact, Told};
use rialto_core::id::{AnyId, HoldId, position_of};
use rialto_core::identity::Principal;
use rialto_core::market::MarketEvent;
use rialto_core::time::Time;
use serde::Serialize;

use crate::Result;
use crate::db::{Units, int, join, split, uint};
use crate::read::{Scope, Snap, ViewReader};

/// The most things that one trace follows.
const THINGS: usize = 1_000;
/// The most effects of one thing that a trace looks at.
const EFFECTS: usize = 100_000;
/// The most hops of one trace.
const HOPS: usize = 2_000;

/// How far a hop can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// It happened in this realm and is in its log.
    Measured,
    /// It was computed by a model.
    Modelled,
    /// It stands in for a part that does not exist yet.
    StandIn,
}

/// One event about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hop {
    /// The thing.
    pub id: AnyId,
    /// What happened, such as `market.offer_made`; of a private thing only its kind.
    pub kind: String,
    /// True when the scope may not see it; the other fields are then empty.
    pub private: bool,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The position of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// Who did it: a handle, or the kind of principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The older agent, known by its deals, that this handle could be taken for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who_resembles: Option<String>,
    /// What happened, in one line that reads behind the name of who did it, without anybody's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// How much money, with the asset's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// What had caused the thing by then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<AnyId>,
    /// How far it can be relied on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
}

/// An id that was named as a cause, but does not exist for whoever named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gap {
    /// The id.
    pub id: AnyId,
    /// What named it.
    pub named_by: AnyId,
}

/// The thread of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trace {
    /// What was asked for.
    pub id: AnyId,
    /// The hops, in the order of the log; private things at the end.
    pub hops: Vec<Hop>,
    /// Causes that do not exist. None in a trace without gaps.
    pub gaps: Vec<Gap>,
    /// True when the thread is longer than one answer.
    pub truncated: bool,
    /// The position that the trace was made at.
    pub position: u64,
}

/// The things reached so far.
#[derive(Default)]
struct Reached {
    seen: BTreeSet<AnyId>,
    private: BTreeSet<AnyId>,
    gaps: Vec<Gap>,
    truncated: bool,
}

impl ViewReader {
    /// The thread of a thing; nothing if there is no such thing or the scope may not see it.
    ///
    /// # Errors
    /// As every read.
    pub fn trace(&self, scope: Scope, id: AnyId) -> Result<Option<Trace>> {
        self.read(|snap| {
            if !snap.sees(scope, id)? {
                return Ok(None);
            }
            let mut reached = Reached::default();
            let start = snap.thing(id)?;
            snap.follow(scope, start, Way::Back, &mut reached)?;
            snap.follow(scope, start, Way::Forward, &mut reached)?;
            snap.trace(scope, id, reached).map(Some)
        })
    }
}

#[derive(Clone, Copy)]
enum Way {
    Back,
    Forward,
}

impl Snap<'_> {
    /// What is followed for an id: a transfer that holds money is told of as its hold.
    fn thing(&self, id: AnyId) -> Result<AnyId> {
        let AnyId::TransferId(transfer) = id else {
            return Ok(id);
        };
        let hold = AnyId::from(HoldId(transfer.0));
        Ok(if self.exists(hold)? { hold } else { id })
    }

    fn follow(&self, scope: Scope, start: AnyId, way: Way, reached: &mut Reached) -> Result<()> {
        let mut waiting = vec![start];
        let mut passed = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if !passed.insert(id) {
                continue;
            }
            if !self.sees(scope, id)? {
                // A private cause is named, since what it led to names it. A private effect never
                // comes here: it would tell that others answered.
                // But for a report: whom it is about is not told that there was one.
                if !matches!(id, AnyId::ReportId(_)) {
                    reached.private.insert(id);
                }
                continue;
            }
            if reached.seen.len() > THINGS {
                reached.truncated = true;
                return Ok(());
            }
            reached.seen.insert(id);
            match way {
                Way::Back => self.causes_of(id, &mut waiting, reached)?,
                Way::Forward => self.effects_of(scope, id, &mut waiting, reached)?,
            }
        }
        Ok(())
    }

    fn causes_of(&self, id: AnyId, waiting: &mut Vec<AnyId>, reached: &mut Reached) -> Result<()> {
        waiting.extend(self.causes(id)?);
        let gaps = "SELECT cause_kind, cause FROM gap WHERE kind = ? AND id = ? LIMIT 1000";
        for cause in self.beside(gaps, id)? {
            if !reached.gaps.iter().any(|gap| gap.id == cause) {
                reached.gaps.push(Gap {
                    id: cause,
                    named_by: id,
                });
            }
        }
        Ok(())
    }

    /// Effects that the scope may see, so that those of others do not take their place. Links made
    /// before the thing existed do not count: their author guessed the id.
    fn effects_of(
        &self,
        scope: Scope,
        id: AnyId,
        waiting: &mut Vec<AnyId>,
        reached: &mut Reached,
    ) -> Result<()> {
        let (kind, number) = split(id);
        let sql = "SELECT to_kind, to_id FROM link
                   WHERE from_kind = ? AND from_id = ? AND position >= ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query((kind, number, int(position_of(id.number()))))?;
        let mut looked_at = 0;
        while let Some(row) = rows.next()? {
            looked_at += 1;
            if looked_at > EFFECTS || waiting.len() > THINGS {
                reached.truncated = true;
                return Ok(());
            }
            let Some(effect) = join(row.get(0)?, row.get(1)?) else {
                continue;
            };
            if self.sees(scope, effect)? {
                waiting.push(effect);
            }
        }
        Ok(())
    }

    /// The causes that a thing had by the time of an event: what came later did not bring that about.
    fn causes_by(&self, id: AnyId, position: u64) -> Result<Vec<AnyId>> {
        let sql = "SELECT from_kind, from_id FROM link WHERE to_kind = ? AND to_id = ?
                   AND position <= ? LIMIT 1000";
        let (kind, number) = split(id);
        let mut query = self.db.prepare_cached(sql)?;
        let ids = query.query_map((kind, number, int(position)), |r| {
            Ok((r.get(0)?, r.get(1)?))
        })?;
        let ids: Vec<(i64, i64)> = ids.collect::<rusqlite::Result<_>>()?;
        Ok(ids
            .into_iter()
            .filter_map(|(kind, id)| join(kind, id))
            .collect())
    }

    fn causes(&self, id: AnyId) -> Result<Vec<AnyId>> {
        let sql = "SELECT from_kind, from_id FROM link WHERE to_kind = ? AND to_id = ? LIMIT 1000";
        self.beside(sql, id)
    }

    /// The ids that a query over one thing gives.
    fn beside(&self, sql: &str, id: AnyId) -> Result<Vec<AnyId>> {
        let (kind, number) = split(id);
        let mut query = self.db.prepare_cached(sql)?;
        let ids = query.query_map((kind, number), |r| Ok((r.get(0)?, r.get(1)?)))?;
        let ids: Vec<(i64, i64)> = ids.collect::<rusqlite::Result<_>>()?;
        Ok(ids
            .into_iter()
            .filter_map(|(kind, number)| join(kind, number))
            .collect())
    }

    /// The positions of all events about a thing.
    fn positions(&self, id: AnyId) -> Result<Vec<u64>> {
        let (kind, number) = split(id);
        let sql =
            "SELECT position FROM touch WHERE kind = ? AND id = ? ORDER BY position LIMIT 2000";
        let mut query = self.db.prepare_cached(sql)?;
        let later = query.query_map((kind, number), |r| r.get::<_, i64>(0))?;
        let mut positions = vec![position_of(id.number())];
        for position in later {
            positions.push(uint(position?));
        }
        Ok(positions)
    }

    fn trace(&self, scope: Scope, id: AnyId, mut reached: Reached) -> Result<Trace> {
        let mut about: BTreeMap<u64, BTreeSet<AnyId>> = BTreeMap::new();
        for thing in &reached.seen {
            for position in self.positions(*thing)? {
                about.entry(position).or_default().insert(*thing);
            }
        }
        let mut hops = Vec::new();
        for (position, things) in &about {
            let Some(envelope) = self.envelope(int(*position))? else {
                continue;
            };
            for event in &envelope.events {
                if self.is_sealed(scope, event)? {
                    continue;
                }
                for line in event.told() {
                    if !things.contains(&line.subject) {
                        continue;
                    }
                    if hops.len() == HOPS {
                        reached.truncated = true;
                        break;
                    }
                    let hop = self.hop(scope, &envelope, event, &line)?;
                    let chips = self.chips_hop(event, &hop)?;
                    hops.push(hop);
                    hops.extend(chips);
                }
            }
        }
        for private in reached.private {
            hops.push(Hop {
                id: private,
                kind: private.prefix().to_owned(),
                private: true,
                at: None,
                position: None,
                who: None,
                who_resembles: None,
                what: None,
                amount: None,
                links: Vec::new(),
                basis: None,
            });
        }
        let (gaps, truncated, position) = (reached.gaps, reached.truncated, self.position);
        Ok(Trace {
            id,
            hops,
            gaps,
            truncated,
            position,
        })
    }

    /// The modelled hop behind a deal that bought capacity from a published price list.
    fn chips_hop(&self, event: &Event, agreed: &Hop) -> Result<Option<Hop>> {
        let Event::Market(MarketEvent::DealAgreed { deal, .. }) = event else {
            return Ok(None);
        };
        Ok(self.chips_of(*deal)?.map(|what| Hop {
            kind: "fleet.chips".to_owned(),
            who: None,
            who_resembles: None,
            what: Some(what),
            amount: None,
            links: vec![agreed.id],
            basis: Some(Basis::Modelled),
            ..agreed.clone()
        }))
    }

    fn hop(&self, scope: Scope, envelope: &Envelope, event: &Event, line: &Told) -> Result<Hop> {
        let amount = match line.amount {
            Some((units, asset)) => {
                let (code, _) = self.asset(int(asset.0))?;
                Some(format!(
                    "{} {code}",
                    self.decimal(Units(units.0), int(asset.0))?
                ))
            }
            None => None,
        };
        let did = line.by.or(envelope.actor);
        let who = self.doer(scope, did.map_or(envelope.principal, Principal::Agent))?;
        Ok(Hop {
            id: line.subject,
            kind: event.name().to_owned(),
            private: false,
            at: Some(envelope.at),
            position: Some(envelope.position),
            who_resembles: self.resembled(&who)?,
            who: Some(who),
            what: Some(self.line_said(event, line)?),
            amount,
            links: self.causes_by(line.subject, envelope.position)?,
            basis: Some(Basis::Measured),
        })
    }
}
