//! The fleet as the log knows it: price lists on model capacity, what settled deals used of it, and
//! who depends on whom.
//!
//! A price list is a listing on the market that states modelled rates ([`crate::chips`]). Use is told
//! of deals that paid something, when they were settled, to those who are a party of them. What was
//! charged is measured: it stands in the ledger. Chip-seconds, their cost, and so the margin are
//! modelled by the seller's price list. Shares are of what deals in one asset charged, of the tokens
//! that they agreed on, and of their modelled chip-seconds; what a listing says of chip, vendor, host
//! and region are its seller's words. A deal that names none of these is unattributed, and never
//! spread over others.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use rialto_core::amount::{Amount, Decimal};
use rialto_core::id::{DealId, ListingId};
use rialto_core::time::Time;
use rialto_wire::names::name_key;
use rialto_wire::search::ListingView;
use rusqlite::OptionalExtension;
use serde_json::Value;

use super::rows::Key;
use crate::Result;
use crate::chips::{KINDS, Rates, SCALE, Used, attribute, in_words, tokens_of};
use crate::codec::purpose;
use crate::db::{Units, kind_of};
use crate::fold::market::{ATTRIBUTE, rank_price};
use crate::read::{Page, Paging, Scope, Snap, ViewReader, Who, cursor, limit};

/// The most names that one table of use or of shares has; of further ones only the count is told.
pub const MOST_NAMES: usize = 50;

/// The dimensions of concentration: the provider, then what its listing says of itself.
const DIMENSIONS: [&str; 6] = ["provider", "vendor", "model", "chip", "host", "region"];

/// What a million tokens of one kind cost, in whole units of the price list's asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenPrice {
    /// What the seller asks.
    pub price: Option<String>,
    /// What they cost the seller, by its model.
    pub modelled_cost: Option<String>,
    /// The chip-seconds that they take, by its model.
    pub modelled_chip_seconds: Option<String>,
}

/// A price list on model capacity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceList {
    /// The listing.
    pub id: ListingId,
    /// Who sells.
    pub seller: Who,
    /// What it is called.
    pub title: String,
    /// The model that is served.
    pub model: Option<String>,
    /// The kind of chip.
    pub chip: String,
    /// Who makes the chip.
    pub vendor: Option<String>,
    /// Who runs the machines.
    pub host: Option<String>,
    /// Where they stand.
    pub region: Option<String>,
    /// The asset of its prices.
    pub asset: String,
    /// Tokens read anew.
    pub input: TokenPrice,
    /// Tokens found in a cache.
    pub cached: TokenPrice,
    /// Tokens written.
    pub output: TokenPrice,
}

/// Figures by the sellers' models, never measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modelled {
    /// Chip-seconds.
    pub chip_seconds: String,
    /// What these cost the sellers, in whole units of the asset.
    pub cost: String,
    /// What was charged for them less their cost, in whole units.
    pub margin: Option<String>,
    /// The margin by what was charged, as a fraction to six digits.
    pub margin_fraction: Option<String>,
}

/// What was used under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityRow {
    /// The chip or model; none for deals whose listing states none.
    pub name: Option<String>,
    /// By which the facts behind it are found, as of the row of the accounts by chip or model; empty
    /// for a sum.
    pub key: String,
    /// The asset.
    pub asset: String,
    /// Settled deals.
    pub deals: u64,
    /// What they paid, in whole units.
    pub charged: String,
    /// What they used; none where no price list says.
    pub modelled: Option<Modelled>,
}

/// What was used, told apart by name: in each asset the most charged first, the unattributed last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// At most [`MOST_NAMES`] of each asset, and the unattributed.
    pub rows: Vec<CapacityRow>,
    /// How many names there are beyond.
    pub left_out: usize,
}

/// What shares are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// What was charged: measured.
    Charged,
    /// The tokens that were agreed on: measured.
    Tokens,
    /// The chip-seconds behind them: modelled by the sellers' price lists.
    ChipSeconds,
}

impl Measure {
    const ALL: [Self; 3] = [Self::Charged, Self::Tokens, Self::ChipSeconds];

    /// In words: in whole units of the asset, in tokens, or in chip-seconds.
    fn text(self, amount: i128, scale: u8) -> String {
        match self {
            Self::Charged => Amount(amount).display(scale),
            Self::Tokens => amount.to_string(),
            Self::ChipSeconds => in_words(amount),
        }
    }
}

/// One name's share.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The name; none for what is unattributed.
    pub name: Option<String>,
    /// What was charged, in whole units; or tokens; or chip-seconds.
    pub amount: String,
    /// The part of the whole, unattributed included: 0 to 1.
    pub share: f64,
}

/// The concentration of the deals in one asset along one dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Concentration {
    /// What the shares are of.
    pub measure: Measure,
    /// `provider`, `vendor`, `model`, `chip`, `host` or `region`.
    pub dimension: &'static str,
    /// The asset.
    pub asset: String,
    /// Largest first, unattributed last; at most [`MOST_NAMES`] names.
    pub shares: Vec<Share>,
    /// How many names there are beyond.
    pub left_out: usize,
    /// Herfindahl-Hirschman index over the attributed part: the sum of squared shares, 0 to 1.
    pub hhi: f64,
    /// One over the index: so many equal parts would be as concentrated.
    pub effective_count: f64,
}

/// What settled deals used of the fleet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FleetUse {
    /// By the kind of chip.
    pub by_chip: Split,
    /// By the model.
    pub by_model: Split,
    /// The sums, one row an asset, the unattributed included in what was charged. Its margin is of
    /// what price lists explain.
    pub total: Vec<CapacityRow>,
    /// Who depends on whom, asset by asset and measure by measure; dimensions that no listing names
    /// are left out.
    pub concentration: Vec<Concentration>,
    /// The position that it was made at.
    pub position: u64,
}

/// What a listing says of its capacity.
#[derive(Debug, Default)]
struct Said {
    rates: Option<Rates>,
    /// In the order of [`DIMENSIONS`] after the provider.
    names: [Option<Rc<str>>; 5],
}

impl Said {
    fn of(listing: &Value) -> Self {
        let [_, named @ ..] = DIMENSIONS;
        Self {
            rates: Rates::of(listing),
            names: named.map(|name| attribute(listing, name).map(Rc::from)),
        }
    }
}

/// What is known of listings and sellers while many deals are looked at.
#[derive(Default)]
struct Known {
    listings: HashMap<i64, Rc<Said>>,
    sellers: HashMap<i64, Rc<str>>,
}

impl Known {
    /// How many of each are kept at hand.
    const MOST: usize = 100_000;
}

/// What deals with a price list charged and used, in smallest units.
#[derive(Clone, Copy, Default)]
struct Explained {
    charged: i128,
    seconds: i128,
    cost: i128,
}

#[derive(Default)]
struct Sums {
    deals: u64,
    charged: i128,
    explained: Option<Explained>,
}

impl Sums {
    fn add(&mut self, paid: i128, used: Option<&Used>) {
        self.deals += 1;
        self.charged = self.charged.saturating_add(paid);
        if let Some(used) = used {
            let e = self.explained.get_or_insert_default();
            e.charged = e.charged.saturating_add(paid);
            e.seconds = e.seconds.saturating_add(used.seconds);
            e.cost = e.cost.saturating_add(used.cost);
        }
    }

    fn row(&self, name: Option<&str>, key: String, asset: &str, scale: u8) -> CapacityRow {
        CapacityRow {
            name: name.map(str::to_owned),
            key,
            asset: asset.to_owned(),
            deals: self.deals,
            charged: Amount(self.charged).display(scale),
            modelled: self.explained.map(|e| e.figures(scale)),
        }
    }
}

impl Explained {
    fn figures(self, scale: u8) -> Modelled {
        let margin = self.margin(scale);
        Modelled {
            chip_seconds: in_words(self.seconds),
            cost: in_words(self.cost),
            margin: margin.map(|(margin, _)| margin.text()),
            margin_fraction: margin.and_then(|(_, fraction)| Some(fraction?.text())),
        }
    }

    /// What was charged less its cost, and that by what was charged; none beyond all bounds.
    fn margin(self, scale: u8) -> Option<(Decimal, Option<Decimal>)> {
        let fine = scale.max(SCALE);
        let lifted = |units: i128, from: u8| {
            let factor = 10_i128.checked_pow(u32::from(fine.saturating_sub(from)))?;
            units.checked_mul(factor)
        };
        let charged = lifted(self.charged, scale)?;
        let units = charged.checked_sub(lifted(self.cost, SCALE)?)?;
        let fraction = units
            .checked_mul(1_000_000)
            .and_then(|ppm| ppm.checked_div(charged))
            .map(|units| Decimal { units, scale: 6 });
        Some((Decimal { units, scale: fine }, fraction))
    }
}

type ByName<T> = BTreeMap<Option<Rc<str>>, T>;

/// What was charged and used in one asset.
#[derive(Default)]
struct InAsset {
    total: Sums,
    chips: ByName<Sums>,
    models: ByName<Sums>,
    /// In the order of [`DIMENSIONS`], and in each of [`Measure::ALL`].
    amounts: [ByName<[i128; 3]>; 6],
}

impl InAsset {
    fn add(&mut self, paid: i128, offer: Option<&Value>, seller: Rc<str>, said: &Said) {
        let used = said.rates.as_ref().zip(offer);
        let used = used.and_then(|(rates, offer)| rates.used(offer));
        let seconds = used.as_ref().map_or(0, |u| u.seconds);
        let (used, tokens) = (used.as_ref(), offer.map_or(0, tokens_of));
        self.total.add(paid, used);
        let chip = used.map(|u| u.chip.clone());
        let model = used.and_then(|u| u.model.clone());
        self.chips.entry(chip).or_default().add(paid, used);
        self.models.entry(model).or_default().add(paid, used);
        let names = std::iter::once(Some(seller)).chain(said.names.iter().cloned());
        for (amounts, name) in self.amounts.iter_mut().zip(names) {
            let sums = amounts.entry(name).or_default();
            for (sum, amount) in sums.iter_mut().zip([paid, tokens, seconds]) {
                *sum = sum.saturating_add(amount);
            }
        }
    }
}

impl ViewReader {
    /// Price lists on the market, newest first; those of suspended agents or owners are left out.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn price_lists(&self, paging: &Paging) -> Result<Page<PriceList>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        self.read(|snap| {
            let sql = "SELECT DISTINCT n.listing FROM term t JOIN listing_term n ON n.term = t.id
                       JOIN listing l ON l.id = n.listing JOIN agent a ON a.id = l.agent
                       JOIN owner o ON o.id = a.owner WHERE t.kind = ? AND t.key = ?
                       AND n.listing < ? AND l.withdrawn = 0 AND a.status = 'active'
                       AND o.status = 'active' ORDER BY n.listing DESC";
            let mut query = snap.db.prepare_cached(sql)?;
            let mut rows = query.query((ATTRIBUTE, name_key("chip"), before))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()?.filter(|_| found.len() <= limit) {
                let id = row.get(0)?;
                found.extend(snap.price_list(id)?.map(|list| (id, list)));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// What the deals of a scope used of the fleet that were settled within a period (from, until:
    /// the end is not part of it).
    ///
    /// # Errors
    /// As every read.
    pub fn fleet_use(&self, scope: Scope, period: Option<(Time, Time)>) -> Result<FleetUse> {
        self.read(|snap| {
            let mut told = FleetUse {
                position: snap.position,
                ..FleetUse::default()
            };
            for (asset, sums) in &snap.settled_use(scope, period)? {
                snap.tell(&mut told, *asset, sums)?;
            }
            Ok(told)
        })
    }
}

impl Snap<'_> {
    /// A listing as a price list; none when it states no modelled rates.
    fn price_list(&self, id: i64) -> Result<Option<PriceList>> {
        let Some((view, said)) = self.listing(id)?.zip(self.said(id)?) else {
            return Ok(None);
        };
        let Some(rates) = &said.rates else {
            return Ok(None);
        };
        let [vendor, _, _, host, region] = &said.names;
        let word = |name: &Option<Rc<str>>| name.as_deref().map(str::to_owned);
        Ok(Some(PriceList {
            model: word(&rates.model),
            chip: rates.chip.to_string(),
            vendor: word(vendor),
            host: word(host),
            region: word(region),
            input: token_price(&view, rates, "input"),
            cached: token_price(&view, rates, "cached"),
            output: token_price(&view, rates, "output"),
            id: view.id,
            seller: Who {
                id: view.agent,
                handle: view.seller,
                resembles: view.seller_resembles,
            },
            title: view.title.to_string(),
            asset: view.asset,
        }))
    }

    fn said(&self, listing: i64) -> Result<Option<Said>> {
        let sql = "SELECT terms FROM listing WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let terms: Option<String> = query.query_row([listing], |r| r.get(0)).optional()?;
        let value = terms.and_then(|terms| serde_json::from_str::<Value>(&terms).ok());
        Ok(value.as_ref().map(Said::of))
    }

    /// What deals charged and used, by asset.
    fn settled_use(
        &self,
        scope: Scope,
        period: Option<(Time, Time)>,
    ) -> Result<BTreeMap<i64, InAsset>> {
        let range = self.range(period)?;
        let mut query = self.db.prepare_cached(&settled(scope))?;
        let mut rows = query.query((range.low, range.high, scope.viewer()))?;
        let (mut assets, mut known) = (BTreeMap::<i64, InAsset>::new(), Known::default());
        while let Some(row) = rows.next()? {
            let paid = row.get::<_, Units>(2)?.0;
            if paid <= 0 {
                continue;
            }
            let said = self.known(row.get(3)?, &mut known)?;
            let offer: Option<String> = row.get(4)?;
            // Most deals are on other things than tokens; their terms need no reading.
            let offer = offer.filter(|terms| mentions_tokens(terms));
            let offer = offer.and_then(|terms| serde_json::from_str::<Value>(&terms).ok());
            let seller = self.seller(row.get(0)?, &mut known)?;
            let sums = assets.entry(row.get(1)?).or_default();
            sums.add(paid, offer.as_ref(), seller, &said);
        }
        Ok(assets)
    }

    fn known(&self, listing: Option<i64>, known: &mut Known) -> Result<Rc<Said>> {
        let Some(listing) = listing else {
            return Ok(Rc::default());
        };
        if let Some(said) = known.listings.get(&listing) {
            return Ok(said.clone());
        }
        let said = Rc::new(self.said(listing)?.unwrap_or_default());
        if known.listings.len() >= Known::MOST {
            known.listings.clear();
        }
        known.listings.insert(listing, said.clone());
        Ok(said)
    }

    fn seller(&self, agent: i64, known: &mut Known) -> Result<Rc<str>> {
        if let Some(handle) = known.sellers.get(&agent) {
            return Ok(handle.clone());
        }
        let handle: Rc<str> = self.who(agent)?.handle.into();
        if known.sellers.len() >= Known::MOST {
            known.sellers.clear();
        }
        known.sellers.insert(agent, handle.clone());
        Ok(handle)
    }

    /// Adds the figures of one asset, in words.
    fn tell(&self, told: &mut FleetUse, asset: i64, sums: &InAsset) -> Result<()> {
        let (code, scale) = self.asset(asset)?;
        let by_chip = |name: Option<Rc<str>>| Key {
            chip: name,
            ..Key::of_asset(asset)
        };
        let by_model = |name: Option<Rc<str>>| Key {
            model: name,
            ..Key::of_asset(asset)
        };
        split(&mut told.by_chip, &sums.chips, by_chip, &code, scale);
        split(&mut told.by_model, &sums.models, by_model, &code, scale);
        let total = sums.total.row(None, String::new(), &code, scale);
        told.total.push(total);
        for (place, measure) in Measure::ALL.into_iter().enumerate() {
            for (dimension, amounts) in DIMENSIONS.into_iter().zip(&sums.amounts) {
                let of = |sums: &[i128; 3]| sums.get(place).copied().unwrap_or(0);
                let amounts = amounts.iter().map(|(name, sums)| (name.clone(), of(sums)));
                let amounts = amounts.filter(|(_, amount)| *amount > 0).collect();
                let one = concentration(measure, dimension, &amounts, &code, scale);
                told.concentration.extend(one);
            }
        }
        Ok(())
    }
}

/// The deals of a scope that were settled within a range of entries: the realm's by when their holds
/// ended, others' by what the viewer sees and is a party of.
fn settled(scope: Scope) -> String {
    let deal = kind_of(DealId::PREFIX);
    let own = format!(
        "seen s CROSS JOIN deal d ON s.viewer = ?3 AND s.kind = {deal} AND d.id = s.id
         CROSS JOIN hold h ON h.id = d.hold"
    );
    let (from, party) = match scope {
        Scope::Realm => (
            format!(
                "hold h CROSS JOIN deal d ON h.purpose = {} AND d.id = h.purpose_id",
                purpose::DEAL
            ),
            "?3 IS NULL",
        ),
        Scope::Owner(_) => (
            own,
            "EXISTS (SELECT 1 FROM agent a WHERE a.id IN (d.buyer, d.seller) AND a.owner = ?3)",
        ),
        Scope::Agent(_) => (own, "?3 IN (d.buyer, d.seller)"),
    };
    format!(
        "SELECT d.seller, d.asset, d.paid, n.listing,
           (SELECT o.terms FROM offer o WHERE o.negotiation = n.id AND o.hash = d.offer)
         FROM {from} CROSS JOIN negotiation n ON n.id = d.negotiation
         WHERE h.ended >= ?1 AND h.ended < ?2 AND d.paid IS NOT NULL AND {party}"
    )
}

/// Whether an offer's terms speak of tokens, by the quick way where it suffices.
fn mentions_tokens(terms: &str) -> bool {
    if terms.is_ascii() {
        terms.to_ascii_lowercase().contains("tokens")
    } else {
        name_key(terms).contains("tokens")
    }
}

/// The price and the modelled rates of one of [`KINDS`]; of two items of a name the dearer.
fn token_price(view: &ListingView, rates: &Rates, kind: &str) -> TokenPrice {
    let key = name_key(&format!("million {kind} tokens"));
    let named = view.items.iter();
    let named = named.filter(|item| name_key(item.name.as_str()) == key);
    let price = named.map(|item| item.price).max_by_key(|p| rank_price(*p));
    let place = KINDS.iter().position(|known| *known == kind);
    let rate = place.and_then(|place| rates.per_million.get(place).copied().flatten());
    TokenPrice {
        price: price.map(Decimal::text),
        modelled_chip_seconds: rate.map(|(seconds, _)| in_words(seconds)),
        modelled_cost: rate.map(|(_, cost)| in_words(cost)),
    }
}

/// The rows of one asset: the most charged first, the unattributed last.
fn split(
    told: &mut Split,
    sums: &ByName<Sums>,
    key: impl Fn(Option<Rc<str>>) -> Key,
    asset: &str,
    scale: u8,
) {
    let mut rows: Vec<_> = sums.iter().filter(|(name, _)| name.is_some()).collect();
    // Those of equal sums stay in the order of their names.
    rows.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.charged));
    told.left_out += rows.len().saturating_sub(MOST_NAMES);
    rows.truncate(MOST_NAMES);
    rows.extend(sums.get_key_value(&None));
    for (name, sums) in rows {
        let key = key(name.clone()).text(true);
        told.rows.push(sums.row(name.as_deref(), key, asset, scale));
    }
}

/// The shares of one measure along one dimension in one asset; none when nothing is named.
///
/// The index is reckoned in `rialto-economics` too, over the floats of scenarios and with credits: neither
/// crate may depend on the other, and the core, on which this one stands, knows no floats.
fn concentration(
    measure: Measure,
    dimension: &'static str,
    amounts: &ByName<i128>,
    asset: &str,
    scale: u8,
) -> Option<Concentration> {
    let mut named: Vec<_> = amounts.iter().filter(|(name, _)| name.is_some()).collect();
    let attributed: i128 = named.iter().map(|(_, sum)| **sum).sum();
    if attributed <= 0 {
        return None;
    }
    let total: i128 = amounts.values().sum();
    let hhi: f64 = named
        .iter()
        .map(|(_, sum)| part(**sum, attributed).powi(2))
        .sum();
    named.sort_by_key(|(_, sum)| std::cmp::Reverse(**sum));
    let left_out = named.len().saturating_sub(MOST_NAMES);
    named.truncate(MOST_NAMES);
    named.extend(amounts.get_key_value(&None));
    let share = |(name, sum): (&Option<Rc<str>>, &i128)| Share {
        name: name.as_deref().map(str::to_owned),
        amount: measure.text(*sum, scale),
        share: part(*sum, total),
    };
    Some(Concentration {
        measure,
        dimension,
        asset: asset.to_owned(),
        shares: named.into_iter().map(share).collect(),
        left_out,
        hhi,
        effective_count: 1.0 / hhi,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "shares need no more than a float keeps"
)]
fn part(of: i128, whole: i128) -> f64 {
    of as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::{ByName, Explained, Measure, concentration};

    #[test]
    fn margins_are_exact_whatever_the_scales() {
        for (scale, charged, cost, margin, fraction) in [
            (9_u8, 3_000_000_000_i128, 750_000_i128, "2.25", "0.75"),
            (2, 100, 2_000_000, "-1.00", "-1.00"),
            (0, 3, 1, "2.999999", "0.999999"),
        ] {
            let explained = Explained {
                charged,
                seconds: 0,
                cost,
            };
            let told = explained.figures(scale);
            assert_eq!(told.margin.as_deref(), Some(margin));
            assert_eq!(told.margin_fraction.as_deref(), Some(fraction));
        }
        let beyond = Explained {
            charged: i128::MAX,
            seconds: 0,
            cost: 0,
        };
        assert_eq!(beyond.figures(0).margin, None);
    }

    #[test]
    fn the_index_is_of_what_is_named() {
        let charged = [(None, 50), (Some("a".into()), 30), (Some("b".into()), 10)];
        let told = concentration(Measure::Charged, "chip", &ByName::from(charged), "USD", 0);
        let told = told.unwrap();
        assert!((told.hhi - (0.75 * 0.75 + 0.25 * 0.25)).abs() < 1e-12);
        assert!((told.effective_count * told.hhi - 1.0).abs() < 1e-12);
        let shares: Vec<_> = told
            .shares
            .iter()
            .map(|s| (s.name.as_deref(), s.share))
            .collect();
        let want = [
            (Some("a"), 30.0 / 90.0),
            (Some("b"), 10.0 / 90.0),
            (None, 50.0 / 90.0),
        ];
        assert_eq!(shares, want);
        let nobody = ByName::from([(None, 5)]);
        assert_eq!(
            concentration(Measure::Tokens, "chip", &nobody, "USD", 0),
            None
        );
    }
}
