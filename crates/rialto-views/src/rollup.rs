//! Roll-ups of the accounts: the sums of a span's facts, so that a report adds up spans instead of entries.
//!
//! A span is an hour, a day of 24 or a thirty of 720 hours, counted from the beginning of 1970. Hours are
//! rolled up from the rows of trade once they are over, by the same code that a report reads them with;
//! days and thirties from the hours in them. What cuts a span at either end of a period is read entry by
//! entry, and so is what is not rolled up yet, so that a report's sums are the ledger's whatever is rolled up.
//!
//! Days and thirties keep their sums in cuts: over all axes, by owner, and by neither owner nor agent. Whose
//! other parties are many has nearly as many sums over all axes as deals, and few by owner. In an hour there
//! is little to add up, so it has the first cut alone.
//!
//! A grain is one table of sums over certain axes, and a domain of its own with its own version: another axis
//! is another grain, one entry in the list of domains, and no other domain is rebuilt for it. Its fold notes
//! where spans begin, and which are to be rolled up again: a hold that becomes a deal's is accounted for as
//! if the deal had held it from the start, and a clock that is set back moves what happened meanwhile.

use std::collections::BTreeMap;

use rialto_core::event::{Event, RealmEvent};
use rialto_core::id::{number, position_of};
use rialto_core::ledger::LedgerEvent;
use rusqlite::{Connection, OptionalExtension};

use crate::Result;
use crate::db::{Units, int, uint};
use crate::domain::{BY_PARTNER, BY_SIDE};
use crate::fold::Folding;
use crate::read::{Scope, Snap, is_refused};
use crate::report::{Calls, Dimension, FactKind, Range, RollKey, Rolled};

/// The hours of a span, by its level.
const WIDTHS: [i64; 3] = [1, 24, 720];
/// An hour, in milliseconds.
const HOUR: i64 = 3_600_000;

/// A table of sums over certain axes.
#[derive(Clone, Copy)]
pub(crate) struct Grain {
    /// Its domain.
    pub(crate) name: &'static str,
    /// Whether the other party of a deal is one of its axes.
    pub(crate) partners: bool,
}

/// By owner, agent, and what served: model, chip, provider, deployment.
pub(crate) const SIDE: Grain = Grain {
    name: BY_SIDE,
    partners: false,
};
/// By the other party as well.
pub(crate) const PARTNER: Grain = Grain {
    name: BY_PARTNER,
    partners: true,
};
/// Every grain.
pub(crate) const GRAINS: [Grain; 2] = [SIDE, PARTNER];

/// Which axes the sums of a span have, besides those of their kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// All; they stand by agent.
    Whole,
    /// The owner, and the other party in [`PARTNER`]; they stand by owner.
    Owners,
    /// The other party in [`PARTNER`].
    Neither,
}

impl Cut {
    /// The cuts of a level.
    fn of_level(level: i64) -> &'static [Self] {
        match level {
            0 => &[Self::Whole],
            _ => &[Self::Whole, Self::Owners, Self::Neither],
        }
    }

    /// Its stored number.
    fn number(self) -> i64 {
        self as i64
    }

    /// The sum in this cut to which one over all axes belongs.
    fn project(self, key: &RollKey) -> RollKey {
        let mut key = key.clone();
        if self != Self::Whole {
            (key.agent, key.model, key.chip) = (None, None, None);
            (key.provider, key.deployment) = (None, None);
        }
        if self == Self::Neither {
            key.owner = None;
        }
        key
    }

    /// By what the sums stand.
    fn lead(self, key: &RollKey) -> i64 {
        match self {
            Self::Whole => key.agent.unwrap_or(0),
            Self::Owners => key.owner.unwrap_or(0),
            Self::Neither => 0,
        }
    }
}

/// Which sums of a span are looked at: those of a cut, or those of one lead within it.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    cut: Cut,
    lead: Option<i64>,
}

impl Wanted {
    /// The fewest sums that tell a scope apart by these axes.
    pub(crate) fn of(scope: Scope, by: &[Dimension]) -> Self {
        let has = |d: Dimension| by.contains(&d);
        let whole = by
            .iter()
            .any(|d| !matches!(d, Dimension::Owner | Dimension::Counterparty));
        let (cut, lead) = match scope {
            Scope::Agent(agent) => (Cut::Whole, Some(int(agent.0))),
            _ if whole => (Cut::Whole, None),
            Scope::Owner(owner) => (Cut::Owners, Some(int(owner.0))),
            Scope::Realm if has(Dimension::Owner) => (Cut::Owners, None),
            Scope::Realm => (Cut::Neither, None),
        };
        Self { cut, lead }
    }

    /// What there is of these at a level: in an hour, those of all axes.
    fn at(self, level: i64) -> Self {
        if Cut::of_level(level).contains(&self.cut) {
            return self;
        }
        Self {
            cut: Cut::Whole,
            lead: None,
        }
    }
}

/// Part of a period.
pub(crate) enum Part {
    /// Entries that are read one by one.
    Raw(Range),
    /// A span whose sums are there.
    Span { level: usize, bucket: i64 },
}

/// Notes the spans by [`SIDE`].
pub(crate) fn by_side(fold: &mut Folding<'_>) -> Result<()> {
    fold.spans(&SIDE)
}

/// Notes the spans by [`PARTNER`].
pub(crate) fn by_partner(fold: &mut Folding<'_>) -> Result<()> {
    fold.spans(&PARTNER)
}

impl Folding<'_> {
    fn spans(&mut self, grain: &Grain) -> Result<()> {
        for event in &self.envelope.events {
            match event {
                Event::Ledger(LedgerEvent::HoldTaken { hold, .. }) => {
                    stale(self.db, grain, position_of(hold.0))?;
                }
                Event::Realm(RealmEvent::ClockSetBack { to, .. }) => {
                    set_back(self.db, grain, int(to.0) / HOUR)?;
                    self.forget_hour(grain.name);
                }
                _ => {}
            }
        }
        let hour = self.now() / HOUR;
        if !self.is_new_hour(grain.name, hour) {
            return Ok(());
        }
        let sql = format!(
            "INSERT OR IGNORE INTO {}_span(level, bucket, first) VALUES(?, ?, ?)",
            grain.name
        );
        for (level, width) in (0_i64..).zip(WIDTHS) {
            self.run(&sql, (level, hour / width, int(self.position)))?;
        }
        Ok(())
    }
}

/// The spans in which a position lies are to be rolled up again. Hours begin in the order of the log, so the
/// one that holds a position of late is found among the last, however many there are.
fn stale(db: &Connection, grain: &Grain, position: u64) -> Result<()> {
    let sql = format!(
        "UPDATE {0}_span SET rolled = 0 WHERE level = ?1 AND bucket =
           (SELECT bucket FROM {0}_span WHERE level = 0 AND first <= ?2
            ORDER BY bucket DESC LIMIT 1) / ?3",
        grain.name
    );
    for (level, width) in (0_i64..).zip(WIDTHS) {
        let mut update = db.prepare_cached(&sql)?;
        update.execute((level, int(position), width))?;
    }
    Ok(())
}

/// The position at which the first span of a level begins that is this one or a later one.
fn begin(db: &Connection, name: &str, level: i64, bucket: i64) -> Result<Option<i64>> {
    let sql = format!(
        "SELECT first FROM {name}_span WHERE level = ? AND bucket >= ? ORDER BY bucket LIMIT 1"
    );
    let mut query = db.prepare_cached(&sql)?;
    let first = query.query_row((level, bucket), |r| r.get(0));
    Ok(first.optional()?)
}

/// What happened after an hour now lies in it.
fn set_back(db: &Connection, grain: &Grain, hour: i64) -> Result<()> {
    let name = grain.name;
    for (level, width) in (0_i64..).zip(WIDTHS) {
        let bucket = hour / width;
        let first = begin(db, name, level, bucket)?;
        for table in ["span", "sum"] {
            let sql = format!("DELETE FROM {name}_{table} WHERE level = ? AND bucket >= ?");
            db.execute(&sql, (level, bucket))?;
        }
        let sql = format!("INSERT INTO {name}_span(level, bucket, first) VALUES(?, ?, ?)");
        if let Some(first) = first {
            db.execute(&sql, (level, bucket, first))?;
        }
    }
    Ok(())
}

/// Rolls up one span of a grain that is over, the smallest first. Returns whether there was one. Reads the
/// entries of an hour at the most.
pub(crate) fn roll(snap: &Snap<'_>, grain: &Grain) -> Result<bool> {
    let (db, name) = (snap.db, grain.name);
    let sql = format!("SELECT max(bucket) FROM {name}_span WHERE level = 0");
    let last: Option<i64> = db.prepare_cached(&sql)?.query_row([], |r| r.get(0))?;
    let Some(last) = last else {
        return Ok(false);
    };
    for (level, width) in (0_i64..).zip(WIDTHS) {
        let sql = format!(
            "SELECT bucket, first FROM {name}_span
             WHERE level = ? AND rolled = 0 AND bucket < ? ORDER BY bucket LIMIT 1"
        );
        let left = db
            .prepare_cached(&sql)?
            .query_row((level, last / width), |r| Ok((r.get(0)?, r.get(1)?)));
        let Some((bucket, first)) = left.optional()? else {
            continue;
        };
        let sums = match level {
            0 => of_entries(snap, grain, bucket, first)?,
            _ => of_spans(db, grain, level - 1, (bucket * width, (bucket + 1) * width))?,
        };
        keep(db, grain, (level, bucket), &sums)?;
        return Ok(true);
    }
    Ok(false)
}

type Sums = BTreeMap<RollKey, Rolled>;

/// The sums of an hour, from its entries.
fn of_entries(snap: &Snap<'_>, grain: &Grain, bucket: i64, first: i64) -> Result<Sums> {
    let next = begin(snap.db, grain.name, 0, bucket + 1)?;
    let range = Range {
        low: int(number(uint(first), 0)),
        high: next.map_or(i64::MAX, |next| int(number(uint(next), 0))),
    };
    let mut sums = Sums::new();
    snap.rolled_facts(&range, grain.partners, &mut |key, rolled| {
        sums.entry(key).or_default().add(&rolled);
    })?;
    Ok(sums)
}

/// The sums of a longer span, from those in it.
fn of_spans(db: &Connection, grain: &Grain, level: i64, hours: (i64, i64)) -> Result<Sums> {
    let width = usize::try_from(level)
        .ok()
        .and_then(|l| WIDTHS.get(l).copied());
    let width = width.unwrap_or(1);
    let mut sums = Sums::new();
    visit(
        db,
        grain,
        "level = ?1 AND bucket >= ?2 AND bucket < ?3 AND cut = ?4",
        (level, hours.0 / width, hours.1 / width, Cut::Whole.number()),
        &mut |key, rolled| {
            sums.entry(key).or_default().add(&rolled);
            Ok(())
        },
    )?;
    Ok(sums)
}

fn keep(db: &Connection, grain: &Grain, span: (i64, i64), sums: &Sums) -> Result<()> {
    let name = grain.name;
    let sql = format!("DELETE FROM {name}_sum WHERE level = ? AND bucket = ?");
    db.prepare_cached(&sql)?.execute(span)?;
    for cut in Cut::of_level(span.0) {
        if *cut == Cut::Whole {
            insert(db, grain, span, *cut, sums)?;
            continue;
        }
        let mut fewer = Sums::new();
        for (key, rolled) in sums {
            fewer.entry(cut.project(key)).or_default().add(rolled);
        }
        insert(db, grain, span, *cut, &fewer)?;
    }
    let sql = format!("UPDATE {name}_span SET rolled = 1 WHERE level = ? AND bucket = ?");
    db.prepare_cached(&sql)?.execute(span)?;
    Ok(())
}

fn insert(db: &Connection, grain: &Grain, span: (i64, i64), cut: Cut, sums: &Sums) -> Result<()> {
    let sql = format!(
        "INSERT INTO {}_sum VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        grain.name
    );
    let mut insert = db.prepare_cached(&sql)?;
    for (key, rolled) in sums {
        insert.execute(rusqlite::params![
            span.0,
            span.1,
            cut.number(),
            cut.lead(key),
            key.kind.number(),
            key.deals,
            key.asset,
            key.owner.unwrap_or(0),
            key.agent.unwrap_or(0),
            key.other.unwrap_or(0),
            key.model.as_deref().unwrap_or(""),
            key.chip.as_deref().unwrap_or(""),
            key.provider.as_deref().unwrap_or(""),
            key.deployment.unwrap_or(0),
            int(rolled.count),
            Units(rolled.amount),
            rolled.chips.map(|(seconds, _)| Units(seconds)),
            rolled.chips.map(|(_, cost)| Units(cost)),
            rolled.calls.map(|calls| int(calls.input)),
            rolled.calls.map(|calls| int(calls.cached)),
            rolled.calls.map(|calls| int(calls.output)),
            rolled.calls.map(|calls| int(calls.reasoning)),
        ])?;
    }
    Ok(())
}

/// Visits sums.
fn visit(
    db: &Connection,
    grain: &Grain,
    which: &str,
    params: impl rusqlite::Params,
    tell: &mut dyn FnMut(RollKey, Rolled) -> Result<()>,
) -> Result<()> {
    let sql = format!(
        "SELECT kind, deals, asset, owner, agent, other, model, chip, provider, deployment,
                count, amount, seconds, cost, input, cached, output, reasoning
         FROM {}_sum WHERE {which}",
        grain.name
    );
    let id = |id: i64| (id != 0).then_some(id);
    let text = |text: &str| (!text.is_empty()).then(|| text.into());
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query(params)?;
    while let Some(row) = rows.next()? {
        let Some(kind) = FactKind::stored(row.get(0)?) else {
            continue;
        };
        let key = RollKey {
            kind,
            deals: row.get(1)?,
            asset: row.get(2)?,
            owner: id(row.get(3)?),
            agent: id(row.get(4)?),
            other: id(row.get(5)?),
            model: text(row.get_ref(6)?.as_str().unwrap_or_default()),
            chip: text(row.get_ref(7)?.as_str().unwrap_or_default()),
            provider: text(row.get_ref(8)?.as_str().unwrap_or_default()),
            deployment: id(row.get(9)?),
        };
        let seconds: Option<Units> = row.get(12)?;
        let cost: Option<Units> = row.get(13)?;
        let count = uint(row.get(10)?);
        let calls = match row.get::<_, Option<i64>>(14)? {
            Some(input) => Some(Calls {
                calls: count,
                input: uint(input),
                cached: uint(row.get(15)?),
                output: uint(row.get(16)?),
                reasoning: uint(row.get(17)?),
            }),
            None => None,
        };
        let rolled = Rolled {
            count,
            amount: row.get::<_, Units>(11)?.0,
            chips: seconds.zip(cost).map(|(s, c)| (s.0, c.0)),
            calls,
        };
        tell(key, rolled)?;
    }
    Ok(())
}

/// A level-0 span.
struct Hour {
    bucket: i64,
    first: i64,
    rolled: bool,
}

impl Snap<'_> {
    /// Visits the sums of a span. Those of an hour have all axes, whichever are wanted.
    pub(crate) fn sums_of(
        &self,
        grain: &Grain,
        (level, bucket): (usize, i64),
        wanted: Wanted,
        tell: &mut dyn FnMut(RollKey, Rolled) -> Result<()>,
    ) -> Result<()> {
        let level = i64::try_from(level).unwrap_or(0);
        let Wanted { cut, lead } = wanted.at(level);
        let cut = cut.number();
        match lead {
            Some(lead) => {
                let which = "level = ?1 AND bucket = ?2 AND cut = ?3 AND lead = ?4";
                visit(self.db, grain, which, (level, bucket, cut, lead), tell)
            }
            None => {
                let which = "level = ?1 AND bucket = ?2 AND cut = ?3";
                visit(self.db, grain, which, (level, bucket, cut), tell)
            }
        }
    }

    /// The parts of a range that is the entries of a period: spans as long as there are, the rest entry by
    /// entry; that is all of it while the grain is being rebuilt.
    pub(crate) fn parts(
        &self,
        grain: &Grain,
        range: &Range,
        (from, until): (i64, i64),
    ) -> Result<Vec<Part>> {
        let whole = (from.saturating_add(HOUR - 1) / HOUR, until / HOUR);
        match self.spans_within(grain, whole) {
            Ok((hours, longer, next)) => Ok(cover(range, &hours, &longer, next)),
            Err(crate::Error::Store(why)) if is_refused(&why) => Ok(vec![Part::Raw(*range)]),
            Err(why) => Err(why),
        }
    }

    /// The hours that lie within a time, the longer spans that are rolled up, the longest first, and where
    /// the first hour after them begins.
    #[allow(clippy::type_complexity)]
    fn spans_within(
        &self,
        grain: &Grain,
        (from, until): (i64, i64),
    ) -> Result<(Vec<Hour>, Vec<(usize, i64)>, Option<i64>)> {
        let name = grain.name;
        let sql = format!(
            "SELECT bucket, first, rolled FROM {name}_span
             WHERE level = 0 AND bucket >= ? AND bucket < ? ORDER BY bucket"
        );
        let mut query = self.db.prepare_cached(&sql)?;
        let hours = query.query_map((from, until), |r| {
            Ok(Hour {
                bucket: r.get(0)?,
                first: r.get(1)?,
                rolled: r.get(2)?,
            })
        })?;
        let hours: Vec<Hour> = hours.collect::<rusqlite::Result<_>>()?;
        let mut longer = Vec::new();
        for (level, width) in WIDTHS.iter().enumerate().skip(1).rev() {
            let sql = format!(
                "SELECT bucket FROM {name}_span WHERE level = ? AND rolled = 1
                 AND bucket >= ? AND bucket < ? ORDER BY bucket"
            );
            let mut query = self.db.prepare_cached(&sql)?;
            let begin = from.saturating_add(width - 1) / width;
            let found = query.query_map(
                (i64::try_from(level).unwrap_or(0), begin, until / width),
                |r| r.get::<_, i64>(0),
            )?;
            for bucket in found {
                longer.push((level, bucket?));
            }
        }
        let next = begin(self.db, name, 0, until)?;
        Ok((hours, longer, next))
    }
}

/// Divides a range into spans and what is read entry by entry.
fn cover(range: &Range, hours: &[Hour], longer: &[(usize, i64)], next: Option<i64>) -> Vec<Part> {
    let begin = |position: i64| int(number(uint(position), 0)).clamp(range.low, range.high);
    let width = |level: usize| WIDTHS.get(level).copied().unwrap_or(1);
    let mut parts = Vec::new();
    // Where entries begin that are in no span yet.
    let mut raw = Some(range.low);
    let mut hours = hours.iter().peekable();
    while let Some(hour) = hours.next() {
        let long = longer
            .iter()
            .find(|(level, bucket)| hour.bucket / width(*level) == *bucket);
        let Some((level, bucket)) = long.copied().or(hour.rolled.then_some((0, hour.bucket)))
        else {
            raw.get_or_insert(begin(hour.first));
            continue;
        };
        parts.extend(raw.take().map(|low| {
            Part::Raw(Range {
                low,
                high: begin(hour.first),
            })
        }));
        parts.push(Part::Span { level, bucket });
        while hours
            .next_if(|next| next.bucket / width(level) == bucket)
            .is_some()
        {}
    }
    parts.push(Part::Raw(Range {
        low: raw.unwrap_or(next.map_or(range.high, begin)),
        high: range.high,
    }));
    parts.retain(|part| !matches!(part, Part::Raw(range) if range.low >= range.high));
    parts
}
