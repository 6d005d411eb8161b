//! The dimensions of a report's rows, and the modelled use of chips behind its deals.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::rc::Rc;

use super::{Dimension, Fact, FactKind};
use crate::Result;
use crate::chips::{KnownRates, Used};
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

    pub(super) fn of(fact: &Fact, used: Option<&Used>, by: &[Dimension]) -> Self {
        let wanted = |d: Dimension, id: Option<i64>| id.filter(|_| by.contains(&d));
        let named = |d: Dimension, name: Option<Rc<str>>| name.filter(|_| by.contains(&d));
        Self {
            asset: fact.asset,
            owner: wanted(Dimension::Owner, fact.owner),
            agent: wanted(Dimension::Agent, fact.agent),
            other: wanted(Dimension::Counterparty, fact.other),
            model: named(Dimension::Model, used.and_then(|u| u.model.clone())),
            chip: named(Dimension::Chip, used.map(|u| u.chip.clone())),
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

/// Looks up what deals used of which chips while facts are visited, as far as a report needs it.
pub(super) struct Capacity {
    known: KnownRates,
    apart: bool,
    last: Option<(i64, Option<Used>)>,
    counted: HashSet<i64>,
}

impl Capacity {
    pub(super) fn new(by: &[Dimension]) -> Self {
        let apart = by.contains(&Dimension::Model) || by.contains(&Dimension::Chip);
        Self {
            known: KnownRates::default(),
            apart,
            last: None,
            counted: HashSet::new(),
        }
    }

    /// What the deal of a fact used; not looked up if neither rows nor sums need it.
    pub(super) fn of(&mut self, snap: &Snap<'_>, fact: &Fact) -> Result<Option<Used>> {
        let needed = self.apart || fact.kind == FactKind::Spent;
        let Some(deal) = fact.deal.filter(|_| needed) else {
            return Ok(None);
        };
        if let Some((of, used)) = &self.last
            && *of == deal
        {
            return Ok(used.clone());
        }
        let used = snap.chips_used(deal, &mut self.known)?;
        self.last = Some((deal, used.clone()));
        Ok(used)
    }

    /// Whether this fact is the one at which its deal's use is counted.
    pub(super) fn counts(&mut self, fact: &Fact) -> bool {
        let spent = fact.deal.filter(|_| fact.kind == FactKind::Spent);
        spent.is_some_and(|deal| self.counted.insert(deal))
    }
}
