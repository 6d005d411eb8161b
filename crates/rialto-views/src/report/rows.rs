//! The dimensions of a report's rows, and the modelled use of chips behind its deals.

use std::fmt::Write as _;
use std::rc::Rc;

use rusqlite::OptionalExtension;

use super::{Calls, Dimension, Fact, FactKind};
use crate::Result;
use crate::chips::Used;
use crate::read::Snap;

/// The dimensions of a row; those not asked for are none.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) asset: i64,
    pub(super) owner: Option<i64>,
    pub(super) agent: Option<i64>,
    pub(super) other: Option<i64>,
    pub(super) model: Option<Rc<str>>,
    pub(super) chip: Option<Rc<str>>,
    pub(super) provider: Option<Rc<str>>,
    pub(super) deployment: Option<i64>,
}

impl Key {
    /// The row of what no deal explains.
    pub(super) fn of_asset(asset: i64) -> Self {
        Self {
            asset,
            ..Self::default()
        }
    }

    pub(super) fn of(key: &RollKey, by: &[Dimension]) -> Self {
        let wanted = |d: Dimension, id: Option<i64>| id.filter(|_| by.contains(&d));
        let named = |d: Dimension, name: &Option<Rc<str>>| name.clone().filter(|_| by.contains(&d));
        Self {
            asset: key.asset,
            owner: wanted(Dimension::Owner, key.owner),
            agent: wanted(Dimension::Agent, key.agent),
            other: wanted(Dimension::Counterparty, key.other),
            model: named(Dimension::Model, &key.model),
            chip: named(Dimension::Chip, &key.chip),
            provider: named(Dimension::Provider, &key.provider),
            deployment: wanted(Dimension::Deployment, key.deployment),
        }
    }

    /// `d` for a row of deals and calls or `u` for the unattributed one, then the ids, then the names.
    pub(super) fn text(&self, deals: bool) -> String {
        let part = |id: Option<i64>| id.map(|id| format!("{id:x}")).unwrap_or_default();
        let way = if deals { 'd' } else { 'u' };
        let (owner, agent, other) = (part(self.owner), part(self.agent), part(self.other));
        let mut text = format!("{way}.{:x}.{owner}.{agent}.{other}", self.asset);
        if let Some(deployment) = self.deployment {
            // Writing to a string cannot fail.
            let _ = write!(text, ".d{deployment:x}");
        }
        for (mark, name) in [('m', &self.model), ('c', &self.chip), ('p', &self.provider)] {
            if let Some(name) = name {
                // Writing to a string cannot fail.
                let _ = write!(text, ".{mark}{}:{name}", name.len());
            }
        }
        text
    }
}

/// What a sum is of: what the facts are, and whose.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RollKey {
    pub(crate) kind: FactKind,
    /// Whether deals or calls of models explain them.
    pub(crate) deals: bool,
    pub(crate) asset: i64,
    pub(crate) owner: Option<i64>,
    pub(crate) agent: Option<i64>,
    pub(crate) other: Option<i64>,
    pub(crate) model: Option<Rc<str>>,
    pub(crate) chip: Option<Rc<str>>,
    pub(crate) provider: Option<Rc<str>>,
    pub(crate) deployment: Option<i64>,
}

/// A sum of facts.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rolled {
    /// How many.
    pub(crate) count: u64,
    pub(crate) amount: i128,
    /// Millionths of chip-seconds and of their cost, if any deal states them.
    pub(crate) chips: Option<(i128, i128)>,
    /// Calls that are over, if it is a sum of these.
    pub(crate) calls: Option<Calls>,
}

impl Rolled {
    pub(crate) fn add(&mut self, more: &Self) {
        self.count += more.count;
        self.amount += more.amount;
        if let Some((seconds, cost)) = more.chips {
            let so_far = self.chips.unwrap_or_default();
            self.chips = Some((
                so_far.0.saturating_add(seconds),
                so_far.1.saturating_add(cost),
            ));
        }
        if let Some(calls) = &more.calls {
            self.calls.get_or_insert_default().add(calls);
        }
    }
}

/// What served a call.
#[derive(Clone)]
struct ServedBy {
    model: Rc<str>,
    provider: Rc<str>,
    deployment: i64,
    chip: Option<Rc<str>>,
}

/// Looks up what deals used of which chips, and what served calls, while facts are visited, as far as it is
/// needed.
pub(super) struct Capacity {
    apart: bool,
    last: Option<(i64, Option<Used>)>,
    call: Option<(i64, Option<ServedBy>)>,
}

impl Capacity {
    /// With `apart` models, chips, providers and deployments are told apart; else what was spent is looked at alone.
    pub(super) fn new(apart: bool) -> Self {
        Self {
            apart,
            last: None,
            call: None,
        }
    }

    pub(super) fn by(by: &[Dimension]) -> Self {
        let served = [
            Dimension::Model,
            Dimension::Chip,
            Dimension::Provider,
            Dimension::Deployment,
        ];
        Self::new(by.iter().any(|dimension| served.contains(dimension)))
    }

    /// What a fact adds to which sum. A deal pays once: its use is counted with that.
    pub(super) fn of(&mut self, snap: &Snap<'_>, fact: &Fact) -> Result<(RollKey, Rolled)> {
        let used = self.used(snap, fact)?;
        let chips = used.as_ref().filter(|_| fact.kind == FactKind::Spent);
        let rolled = Rolled {
            count: 1,
            amount: fact.amount,
            chips: chips.map(|used| (used.seconds, used.cost)),
            calls: fact.calls,
        };
        let call = self.served_by(snap, fact)?;
        let of_deal = used.as_ref().and_then(|used| used.model.clone());
        let key = RollKey {
            kind: fact.kind,
            deals: !fact.is_unattributed(),
            asset: fact.asset,
            owner: fact.owner,
            agent: fact.agent,
            other: fact.other,
            model: of_deal.or_else(|| call.as_ref().map(|call| call.model.clone())),
            chip: used
                .map(|used| used.chip)
                .or_else(|| call.as_ref().and_then(|call| call.chip.clone())),
            provider: call.as_ref().map(|call| call.provider.clone()),
            deployment: call.map(|call| call.deployment),
        };
        Ok((key, rolled))
    }

    fn served_by(&mut self, snap: &Snap<'_>, fact: &Fact) -> Result<Option<ServedBy>> {
        let Some(call) = fact.inference.filter(|_| self.apart) else {
            return Ok(None);
        };
        if let Some((of, served)) = &self.call
            && *of == call
        {
            return Ok(served.clone());
        }
        let sql = "SELECT model, provider, deployment, chip FROM inference WHERE id = ?";
        let mut query = snap.db.prepare_cached(sql)?;
        let text = |text: String| Rc::from(text);
        let served = query.query_row([call], |r| {
            Ok(ServedBy {
                model: text(r.get(0)?),
                provider: text(r.get(1)?),
                deployment: r.get(2)?,
                chip: r.get::<_, Option<String>>(3)?.map(text),
            })
        });
        let served = served.optional()?;
        self.call = Some((call, served.clone()));
        Ok(served)
    }

    fn used(&mut self, snap: &Snap<'_>, fact: &Fact) -> Result<Option<Used>> {
        let needed = self.apart || fact.kind == FactKind::Spent;
        let Some(deal) = fact.deal.filter(|_| needed) else {
            return Ok(None);
        };
        if let Some((of, used)) = &self.last
            && *of == deal
        {
            return Ok(used.clone());
        }
        let used = snap.chips_used(deal)?;
        self.last = Some((deal, used.clone()));
        Ok(used)
    }
}
