//! What an hour of a chip costs, and by which kind of price.
//!
//! Holds the rule that the prices of one table are of one kind: on demand against on demand, blocks
//! against blocks. Kinds are mixed only where the question names several, and every price keeps its own.

use serde::Serialize;

use crate::catalogue::Chip;
use crate::echo::bounded;

/// The highest price of a chip-hour that is accepted, dollars.
const MOST_USD_PER_HOUR: f64 = 1e4;

/// The kind of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// On demand, by the hour.
    OnDemand,
    /// In a block reserved for days or weeks.
    CapacityBlock,
    /// Three-year rent.
    Rent,
    /// A hyperscaler's cost of ownership, by a third party's model.
    Tco,
    /// A list price that does not say whether it is on demand or for a block.
    List,
    /// The price that the question gives.
    Own,
}

impl PriceBasis {
    /// The kinds that a catalogue holds, in the order in which they are tried.
    pub const CATALOGUE: [Self; 5] = [
        Self::OnDemand,
        Self::CapacityBlock,
        Self::Rent,
        Self::Tco,
        Self::List,
    ];

    /// The name by which a question asks for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on_demand",
            Self::CapacityBlock => "capacity_block",
            Self::Rent => "rent",
            Self::Tco => "tco",
            Self::List => "list",
            Self::Own => "own",
        }
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::OnDemand => "on demand",
            Self::CapacityBlock => "capacity block",
            Self::Rent => "three-year rent",
            Self::Tco => "cost of ownership",
            Self::List => "list price of no stated kind",
            Self::Own => "own price",
        }
    }

    /// The chip's price of this kind, dollars an hour, if the catalogue has it.
    #[must_use]
    pub fn of(self, chip: &Chip) -> Option<f64> {
        match self {
            Self::OnDemand => chip.on_demand_usd_per_hour,
            Self::CapacityBlock => chip.capacity_block_usd_per_hour,
            Self::Rent => chip.rent_usd_per_hour,
            Self::Tco => chip.tco_usd_per_hour,
            Self::List => chip.list_usd_per_hour,
            Self::Own => None,
        }
    }
}

/// A price of a chip-hour with its kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Price {
    /// Dollars an hour.
    pub usd_per_chip_hour: f64,
    /// Of which kind it is.
    pub basis: PriceBasis,
}

/// The prices of one question: own prices first, then the first of the named kinds that a chip has.
#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    bases: Vec<PriceBasis>,
    /// Chip's name in the catalogue, and its price.
    own: Vec<(String, f64)>,
}

impl Prices {
    /// Prices of one kind.
    #[must_use]
    pub fn of_kind(basis: PriceBasis) -> Self {
        Self {
            bases: vec![basis],
            own: Vec::new(),
        }
    }

    /// The prices by which `chips` are compared. `bases` are the kinds asked for and `own` the prices
    /// given, by the chip's name in the catalogue.
    ///
    /// A single kind is used as asked, even if some chip has no such price. Several kinds, or a kind
    /// together with own prices, ask for a mix: for each chip the first that it has counts. Without either,
    /// the first kind of [`PriceBasis::CATALOGUE`] counts that every chip with a price has, except list
    /// prices of no stated kind.
    ///
    /// # Errors
    /// When the chips have no kind in common, when own prices cover only some of them, or when an own price
    /// is for none of the chips or is not above zero. The error says what was found, and how to ask.
    pub fn choose(
        chips: &[&Chip],
        bases: &[PriceBasis],
        own: &[(String, f64)],
    ) -> Result<Self, String> {
        for (name, usd) in own {
            let name = bounded(name);
            if !chips.iter().any(|c| c.name == *name) {
                return Err(format!(
                    "a price is given for {name}, which is not among the chips"
                ));
            }
            if !(*usd > 0.0 && *usd <= MOST_USD_PER_HOUR) {
                return Err(format!(
                    "{usd} is no price of a chip-hour in dollars: above zero, at most {MOST_USD_PER_HOUR}"
                ));
            }
        }
        let given = |chip: &Chip| own.iter().any(|(name, _)| *name == chip.name);
        if bases.is_empty() && !own.is_empty() {
            let without: Vec<&str> = chips
                .iter()
                .filter(|c| !given(c))
                .map(|c| c.name.as_str())
                .collect();
            if !without.is_empty() {
                return Err(format!(
                    "own prices are given for some of the chips and not for {}; give theirs too, or name \
                     the kind of price that counts for the others",
                    without.join(", ")
                ));
            }
        }
        let bases = if bases.is_empty() && own.is_empty() {
            vec![common(chips)?]
        } else {
            bases.to_vec()
        };
        Ok(Self {
            bases,
            own: own.to_vec(),
        })
    }

    /// The chip's price; none when it has none of the kinds that count.
    #[must_use]
    pub fn of(&self, chip: &Chip) -> Option<Price> {
        let own = self.own.iter().find(|(name, _)| *name == chip.name);
        if let Some((_, usd_per_chip_hour)) = own {
            return Some(Price {
                usd_per_chip_hour: *usd_per_chip_hour,
                basis: PriceBasis::Own,
            });
        }
        self.bases.iter().find_map(|basis| {
            basis.of(chip).map(|usd_per_chip_hour| Price {
                usd_per_chip_hour,
                basis: *basis,
            })
        })
    }

    /// The kinds that count, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let own = (!self.own.is_empty()).then_some(PriceBasis::Own);
        let kinds: Vec<&str> = own
            .iter()
            .chain(&self.bases)
            .map(|basis| basis.words())
            .collect();
        kinds.join(", else ")
    }
}

/// The first kind that every chip with a price has.
fn common(chips: &[&Chip]) -> Result<PriceBasis, String> {
    let kinds = || PriceBasis::CATALOGUE.into_iter();
    let stated = || kinds().filter(|b| *b != PriceBasis::List);
    let priced: Vec<&&Chip> = chips
        .iter()
        .filter(|c| kinds().any(|b| b.of(c).is_some()))
        .collect();
    let all_have = |b: &PriceBasis| priced.iter().all(|c| b.of(c).is_some());
    if let Some(basis) = stated().find(all_have) {
        return Ok(basis);
    }
    let of_chip = |chip: &&&Chip| {
        let has: Vec<&str> = kinds()
            .filter(|b| b.of(chip).is_some())
            .map(PriceBasis::name)
            .collect();
        format!("{} has {}", chip.name, has.join(", "))
    };
    let found: Vec<String> = priced.iter().map(of_chip).collect();
    Err(format!(
        "no kind of price is common to the chips, and prices of different kinds do not compare: {}",
        found.join("; ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    /// Chips, kinds asked for, own prices, and the basis of each chip or the words of the refusal.
    #[test]
    fn one_basis_a_table_unless_a_mix_is_asked_for() {
        use PriceBasis::{CapacityBlock, OnDemand, Own, Rent, Tco};
        let catalogue = Catalogue::shipped().unwrap();
        type Row<'a> = (
            &'a str,
            &'a [PriceBasis],
            &'a [(&'a str, f64)],
            Result<&'a [Option<PriceBasis>], &'a str>,
        );
        let table: [Row<'_>; 11] = [
            (
                "trainium2 h100_sxm h200_sxm b200_sxm",
                &[],
                &[],
                Ok(&[Some(CapacityBlock); 4]),
            ),
            ("h100_sxm h200_sxm", &[], &[], Ok(&[Some(OnDemand); 2])),
            ("h100_sxm mi300x", &[], &[], Ok(&[Some(Rent); 2])),
            ("h100_sxm tpu_v5e", &[], &[], Ok(&[Some(OnDemand), None])),
            (
                "trainium2 mi300x",
                &[],
                &[],
                Err("trainium2 has capacity_block; mi300x has rent, tco"),
            ),
            (
                "trainium2 mi300x",
                &[CapacityBlock, Rent],
                &[],
                Ok(&[Some(CapacityBlock), Some(Rent)]),
            ),
            ("trainium2 h100_sxm", &[Tco], &[], Ok(&[None, Some(Tco)])),
            (
                "trainium2 h100_sxm",
                &[],
                &[("h100_sxm", 2.9), ("trainium2", 1.5)],
                Ok(&[Some(Own); 2]),
            ),
            (
                "trainium2 h100_sxm",
                &[],
                &[("h100_sxm", 2.9)],
                Err("not for trainium2"),
            ),
            (
                "trainium2 h100_sxm",
                &[CapacityBlock],
                &[("h100_sxm", 2.9)],
                Ok(&[Some(CapacityBlock), Some(Own)]),
            ),
            (
                "trainium2",
                &[],
                &[("h100_sxm", 2.9)],
                Err("not among the chips"),
            ),
        ];
        for (names, bases, own, expected) in table {
            let chips: Vec<&Chip> = names
                .split(' ')
                .map(|n| catalogue.chip(n).unwrap())
                .collect();
            let own: Vec<(String, f64)> = own.iter().map(|(n, p)| ((*n).to_owned(), *p)).collect();
            match (Prices::choose(&chips, bases, &own), expected) {
                (Ok(prices), Ok(expected)) => {
                    let found: Vec<_> = chips
                        .iter()
                        .map(|c| prices.of(c).map(|p| p.basis))
                        .collect();
                    assert_eq!(found, expected, "{names}");
                }
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{names}: {why}"),
                (found, _) => panic!("{names}: {found:?}"),
            }
        }
        let h100 = catalogue.chip("h100_sxm").unwrap();
        for usd in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(Prices::choose(&[h100], &[], &[("h100_sxm".into(), usd)]).is_err());
        }
    }

    /// A list price of no stated kind never decides by itself.
    #[test]
    fn a_list_price_without_a_kind_counts_only_when_asked_for() {
        let mut chip = Catalogue::shipped()
            .unwrap()
            .chip("tpu_v5e")
            .unwrap()
            .clone();
        chip.list_usd_per_hour = Some(1.2);
        assert!(Prices::choose(&[&chip], &[], &[]).is_err());
        let asked = Prices::choose(&[&chip], &[PriceBasis::List], &[]).unwrap();
        assert_eq!(asked.of(&chip).map(|p| p.usd_per_chip_hour), Some(1.2));
    }
}
