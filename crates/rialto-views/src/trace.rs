//! The trace: every cause and every effect of a thing, as a list of hops in the order of the log.
//!
//! From the requested thing, links are followed back to its causes and forward to its effects;
//! every event about a reached thing is a hop. Things that the scope may not see are named by id
//! only, and nothing beyond them is followed. An id that is named as a cause, but does not exist
//! for whoever named it, is a gap.
//!
//! A thread comes in pages, and many hops of one kind by one agent are one line with their sum. Only a
//! thread that is longer than [`THINGS`] is cut: then nobody knows whether it has gaps, and none are
//! claimed to be absent.

use std::collections::{BTreeMap, BTreeSet};

use rialto_core::event::{Envelope, Event};
use rialto_core::fact::{Fact, Told};
use rialto_core::id::{AnyId, AssetId, HoldId, position_of};
use rialto_core::identity::Principal;
use rialto_core::market::MarketEvent;
use rialto_core::model::{Deployment, ModelEvent, Receipt};
use rialto_core::policy::{PolicyEvent, Work};
use rialto_core::time::Time;
use serde::Serialize;

use crate::codec::Coded;
use crate::db::{Units, int, join, split, uint};
use crate::read::{Scope, Snap, ViewReader};
use crate::{Error, Result};

/// The most things that one trace follows.
const THINGS: usize = 20_000;
/// The most effects of one thing that a trace looks at.
const EFFECTS: usize = 100_000;
/// The most events about one thing, and causes of one, that a trace looks at.
const BESIDE: usize = 20_000;
/// The most lines of one page.
const PAGE: usize = 1_000;
/// From how many hops of one kind by one agent on they are one line.
const FOLDED: usize = 16;

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
    /// What a line that stands for many hops of its kind comes to; the other fields are the first one's,
    /// and `amount` is the sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folded: Option<Folded>,
}

/// Many hops of one kind by one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Folded {
    /// How many.
    pub hops: usize,
    /// The position of the last.
    pub until: u64,
    /// The tokens and the time that they used together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
}

/// Which part of a thread is wanted.
#[derive(Clone, Debug, Default)]
pub struct TracePart {
    /// Only hops of this kind, each on a line of its own.
    pub kind: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
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
    /// Causes that do not exist: empty in a trace without gaps, null when the thread was cut, since what was
    /// not followed may have some.
    pub gaps: Option<Vec<Gap>>,
    /// True when the thread was cut, because it is longer than a trace follows.
    pub truncated: bool,
    /// Where the next page begins, if there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
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

/// What an event says of a thing, before it is put into words.
#[derive(Clone, Copy)]
struct Found {
    position: u64,
    /// Which of its envelope's events, and which of the event's lines.
    at: (usize, usize),
    kind: &'static str,
    /// Who did it, as a number.
    did: (i64, i64),
    money: Option<(AssetId, i128)>,
    work: Option<Work>,
}

/// A line of a trace.
enum Line {
    One(Found),
    Many(Found, Sum),
    Private(AnyId),
}

/// What many hops of a kind come to.
struct Sum {
    hops: usize,
    until: u64,
    money: BTreeMap<AssetId, i128>,
    work: Option<Work>,
}

impl Sum {
    fn of(first: &Found) -> Self {
        let mut sum = Self {
            hops: 0,
            until: first.position,
            money: BTreeMap::new(),
            work: None,
        };
        sum.add(first);
        sum
    }

    fn add(&mut self, found: &Found) {
        self.hops += 1;
        self.until = found.position;
        if let Some((asset, units)) = found.money {
            let sum = self.money.entry(asset).or_default();
            *sum = sum.saturating_add(units);
        }
        if let Some(work) = found.work {
            let sum = self.work.get_or_insert_default();
            sum.tokens = sum.tokens.saturating_add(work.tokens);
            sum.milliseconds = sum.milliseconds.saturating_add(work.milliseconds);
        }
    }
}

/// The lines of a thread: of a kind that one agent did often there is one, where the first stood.
fn folded(found: Vec<Found>) -> Vec<Line> {
    let mut sums: BTreeMap<(&str, (i64, i64)), Sum> = BTreeMap::new();
    for hop in &found {
        match sums.get_mut(&(hop.kind, hop.did)) {
            Some(sum) => sum.add(hop),
            None => {
                sums.insert((hop.kind, hop.did), Sum::of(hop));
            }
        }
    }
    let few: BTreeSet<_> = sums
        .extract_if(.., |_, sum| sum.hops < FOLDED)
        .map(|(of, _)| of)
        .collect();
    let line = |hop: Found| match few.contains(&(hop.kind, hop.did)) {
        true => Some(Line::One(hop)),
        false => (sums.remove(&(hop.kind, hop.did))).map(|sum| Line::Many(hop, sum)),
    };
    found.into_iter().filter_map(line).collect()
}

/// The work that an event says was done.
fn work_of(event: &Event) -> Option<Work> {
    match event {
        Event::Policy(PolicyEvent::UsageSettled { work, .. }) => Some(*work),
        _ => None,
    }
}

impl ViewReader {
    /// The thread of a thing, its first page; nothing if there is no such thing or the scope may not see it.
    ///
    /// # Errors
    /// As every read.
    pub fn trace(&self, scope: Scope, id: AnyId) -> Result<Option<Trace>> {
        self.trace_part(scope, id, &TracePart::default())
    }

    /// A part of the thread of a thing.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], and as every read.
    pub fn trace_part(&self, scope: Scope, id: AnyId, part: &TracePart) -> Result<Option<Trace>> {
        self.read(|snap| {
            if !snap.sees(scope, id)? {
                return Ok(None);
            }
            let mut reached = Reached::default();
            let start = snap.thing(id)?;
            snap.follow(scope, start, Way::Back, &mut reached)?;
            snap.follow(scope, start, Way::Forward, &mut reached)?;
            snap.trace(scope, id, reached, part).map(Some)
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
                Way::Back => self.causes_of(scope, id, &mut waiting, reached)?,
                Way::Forward => self.effects_of(scope, id, &mut waiting, reached)?,
            }
        }
        Ok(())
    }

    fn causes_of(
        &self,
        scope: Scope,
        id: AnyId,
        waiting: &mut Vec<AnyId>,
        reached: &mut Reached,
    ) -> Result<()> {
        let causes = self.causes(id)?;
        reached.truncated |= causes.len() >= BESIDE;
        for cause in causes {
            if self.may_name(scope, id, cause)? {
                waiting.push(cause);
            }
        }
        let gaps = "SELECT cause_kind, cause FROM gap WHERE kind = ? AND id = ?";
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

    /// Whether a cause of a thing may be named to a scope. What a call of a model is for is not told to who
    /// serves it: that would name the tasks of others.
    fn may_name(&self, scope: Scope, id: AnyId, cause: AnyId) -> Result<bool> {
        Ok(!matches!(id, AnyId::InferenceId(_)) || self.sees(scope, cause)?)
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

    /// Those of them that may be named to a scope.
    fn named_causes(&self, scope: Scope, id: AnyId, position: u64) -> Result<Vec<AnyId>> {
        let mut causes = self.causes_by(id, position)?;
        if matches!(id, AnyId::InferenceId(_)) {
            let mut named = Vec::with_capacity(causes.len());
            for cause in causes {
                if self.may_name(scope, id, cause)? {
                    named.push(cause);
                }
            }
            causes = named;
        }
        Ok(causes)
    }

    fn causes(&self, id: AnyId) -> Result<Vec<AnyId>> {
        let sql = "SELECT from_kind, from_id FROM link WHERE to_kind = ? AND to_id = ?";
        self.beside(sql, id)
    }

    /// The ids that a query over one thing gives, [`BESIDE`] at the most.
    fn beside(&self, sql: &str, id: AnyId) -> Result<Vec<AnyId>> {
        let (kind, number) = split(id);
        let mut query = self.db.prepare_cached(&format!("{sql} LIMIT {BESIDE}"))?;
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
        let sql = format!(
            "SELECT position FROM touch WHERE kind = ? AND id = ? ORDER BY position LIMIT {BESIDE}"
        );
        let mut query = self.db.prepare_cached(&sql)?;
        let later = query.query_map((kind, number), |r| r.get::<_, i64>(0))?;
        let mut positions = vec![position_of(id.number())];
        for position in later {
            positions.push(uint(position?));
        }
        Ok(positions)
    }

    fn trace(
        &self,
        scope: Scope,
        id: AnyId,
        mut reached: Reached,
        part: &TracePart,
    ) -> Result<Trace> {
        let skip = match &part.cursor {
            Some(cursor) => cursor.parse().map_err(|_| Error::BadCursor)?,
            None => 0,
        };
        let mut found = self.hops_of(scope, &mut reached)?;
        let mut lines: Vec<Line> = match &part.kind {
            Some(kind) => {
                found.retain(|hop| hop.kind == kind);
                found.into_iter().map(Line::One).collect()
            }
            None => folded(found),
        };
        if part.kind.is_none() {
            lines.extend(reached.private.iter().copied().map(Line::Private));
        }
        let mut hops = Vec::new();
        for line in lines.iter().skip(skip).take(PAGE) {
            self.put_in_words(scope, line, &mut hops)?;
        }
        let next = skip.saturating_add(PAGE);
        Ok(Trace {
            id,
            hops,
            gaps: (!reached.truncated).then_some(reached.gaps),
            truncated: reached.truncated,
            next_cursor: (next < lines.len()).then(|| next.to_string()),
            position: self.position,
        })
    }

    /// What the events about the things that were reached say of them, in the order of the log.
    fn hops_of(&self, scope: Scope, reached: &mut Reached) -> Result<Vec<Found>> {
        let mut about: BTreeMap<u64, BTreeSet<AnyId>> = BTreeMap::new();
        for thing in &reached.seen {
            let positions = self.positions(*thing)?;
            reached.truncated |= positions.len() > BESIDE;
            for position in positions {
                about.entry(position).or_default().insert(*thing);
            }
        }
        let mut found = Vec::new();
        for (position, things) in &about {
            let Some(envelope) = self.envelope(int(*position))? else {
                continue;
            };
            for (number, event) in envelope.events.iter().enumerate() {
                if self.is_sealed(scope, event)? {
                    continue;
                }
                for (line, told) in event.told().into_iter().enumerate() {
                    if things.contains(&told.subject) {
                        found.push(Found {
                            position: *position,
                            at: (number, line),
                            kind: event.name(),
                            did: doer(&envelope, &told).split(),
                            money: told.amount.map(|(units, asset)| (asset, units.0)),
                            work: work_of(event),
                        });
                    }
                }
            }
        }
        Ok(found)
    }

    /// Puts a line into words.
    fn put_in_words(&self, scope: Scope, line: &Line, hops: &mut Vec<Hop>) -> Result<()> {
        let (found, sum) = match line {
            Line::Private(id) => {
                hops.push(private(*id));
                return Ok(());
            }
            Line::One(found) => (found, None),
            Line::Many(found, sum) => (found, Some(sum)),
        };
        let Some(envelope) = self.envelope(int(found.position))? else {
            return Ok(());
        };
        let Some(event) = envelope.events.get(found.at.0) else {
            return Ok(());
        };
        let Some(told) = event.told().into_iter().nth(found.at.1) else {
            return Ok(());
        };
        let mut hop = self.hop(scope, &envelope, event, &told)?;
        let Some(sum) = sum else {
            let chips = match event {
                Event::Model(event) => self.served_hop(event, &hop)?,
                _ => self.chips_hop(event, &hop)?,
            };
            hops.push(hop);
            hops.extend(chips);
            return Ok(());
        };
        hop.amount = self.sums(&sum.money)?;
        let what = hop.what.take().unwrap_or_default();
        hop.what = Some(format!("{what}, and {} more such acts", sum.hops - 1));
        hop.folded = Some(Folded {
            hops: sum.hops,
            until: sum.until,
            work: sum.work,
        });
        hops.push(hop);
        Ok(())
    }

    /// Sums of money, each with its asset's code.
    fn sums(&self, money: &BTreeMap<AssetId, i128>) -> Result<Option<String>> {
        let mut parts = Vec::new();
        for (asset, units) in money {
            let (code, _) = self.asset(int(asset.0))?;
            parts.push(format!(
                "{} {code}",
                self.decimal(Units(*units), int(asset.0))?
            ));
        }
        Ok((!parts.is_empty()).then(|| parts.join(" + ")))
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

    /// The hop of what served a call: deployment, chip, tokens and times, as they were reported.
    fn served_hop(&self, event: &ModelEvent, over: &Hop) -> Result<Option<Hop>> {
        let ModelEvent::Settled {
            inference,
            deployment,
            receipt,
            ..
        } = event
        else {
            return Ok(None);
        };
        let Some((_, call)) = self.call_begun(*inference)? else {
            return Ok(None);
        };
        Ok(Some(Hop {
            id: (*deployment).into(),
            kind: "fleet.chips".to_owned(),
            who: None,
            who_resembles: None,
            what: Some(served_by(&call.terms, receipt)),
            amount: None,
            links: vec![over.id],
            basis: Some(match receipt.estimated {
                true => Basis::Modelled,
                false => Basis::Measured,
            }),
            ..over.clone()
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
        let who = self.doer(scope, doer(envelope, line))?;
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
            links: self.named_causes(scope, line.subject, envelope.position)?,
            basis: Some(Basis::Measured),
            folded: None,
        })
    }
}

/// What served a call, in one line.
fn served_by(terms: &Deployment, receipt: &Receipt) -> String {
    let (tokens, upstream) = (&receipt.tokens, &terms.upstream);
    let mut line = format!(
        "{} of {}",
        receipt.served.as_ref().unwrap_or(upstream),
        terms.provider
    );
    if let Some(chip) = &terms.chip {
        line = format!("{line} on {chip}");
    }
    let (read, cached, made) = (tokens.input, tokens.cached, tokens.output);
    line = format!("{line}: {read} tokens of input, {cached} of them cached, and {made} of output");
    for (ms, what) in [
        (receipt.first_ms, "to the first byte"),
        (receipt.took_ms, "in all"),
    ] {
        if let Some(ms) = ms {
            line = format!("{line}, {ms} ms {what}");
        }
    }
    line
}

/// Who did what a line says.
fn doer(envelope: &Envelope, line: &Told) -> Principal {
    let did = line.by.or(envelope.actor);
    did.map_or(envelope.principal, Principal::Agent)
}

/// The line of a thing that the scope may not see.
fn private(id: AnyId) -> Hop {
    Hop {
        id,
        kind: id.prefix().to_owned(),
        private: true,
        at: None,
        position: None,
        who: None,
        who_resembles: None,
        what: None,
        amount: None,
        links: Vec::new(),
        basis: None,
        folded: None,
    }
}
