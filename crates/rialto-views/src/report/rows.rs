//! The dimensions of a report's rows, and the modelled use of chips behind its deals.

use std::fmt::Write as _;
use std::rc::Rc;

use super::{Dimension, Fact, FactKind};
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
        }
    }

    /// `d` for a row of deals or `u` for the unattributed one, then the ids, then the names.
    pub(super) fn text(&self, deals: bool) -> String {
        let part = |id: Option<i64>| id.map(|id| format!("{id:x}")).unwrap_or_default();
        let way = if deals { 'd' } else { 'u' };
        let (owner, agent, other) = (part(self.owner), part(self.agent), part(self.other));
        let mut text = format!("{way}.{:x}.{owner}.{agent}.{other}", self.asset);
        for (mark, name) in [('m', &self.model), ('c', &self.chip)] {
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
}

/// A sum of facts.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rolled {
    /// How many.
    pub(crate) count: u64,
    pub(crate) amount: i128,
    /// Millionths of chip-seconds and of their cost, if any deal states them.
    pub(crate) chips: Option<(i128, i128)>,
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
    }
}

/// Looks up what deals used of which chips while facts are visited, as far as it is needed.
pub(super) struct Capacity {
    apart: bool,
    last: Option<(i64, Option<Used>)>,
}

impl Capacity {
    /// With `apart` models and chips are told apart; else what was spent is looked at alone.
    pub(super) fn new(apart: bool) -> Self {
        Self { apart, last: None }
    }

    pub(super) fn by(by: &[Dimension]) -> Self {
        Self::new(by.contains(&Dimension::Model) || by.contains(&Dimension::Chip))
    }

    /// What a fact adds to which sum. A deal pays once: its use is counted with that.
    pub(super) fn of(&mut self, snap: &Snap<'_>, fact: &Fact) -> Result<(RollKey, Rolled)> {
        let used = self.used(snap, fact)?;
        let chips = used.as_ref().filter(|_| fact.kind == FactKind::Spent);
        let rolled = Rolled {
            count: 1,
            amount: fact.amount,
            chips: chips.map(|used| (used.seconds, used.cost)),
        };
        let key = RollKey {
            kind: fact.kind,
            deals: !fact.is_unattributed(),
            asset: fact.asset,
            owner: fact.owner,
            agent: fact.agent,
            other: fact.other,
            model: used.as_ref().and_then(|used| used.model.clone()),
            chip: used.map(|used| used.chip),
        };
        Ok((key, rolled))
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
