//! The accounts: what was spent, reserved, earned and returned, by whom, from the ledger alone.
//!
//! Every entry of the ledger becomes facts about one side of it or both:
//!
//! | entry | debit side | credit side |
//! |---|---|---|
//! | a deal's hold | *bought* (a count) by the deal's buyer | *sold* (a count) by its seller |
//! | a deal's payment | *spent* by the buyer | *earned* by the seller; nothing if a team is paid |
//! | a share of a team's proceeds | | *earned* by the member |
//! | what a deal's hold gave back | *returned* to the buyer | |
//! | a transfer, or a correction between holders | *moved out* | *moved in* |
//! | a call of a model | *spent* by the caller | *earned* by the owner of the deployment |
//! | the end of a call, whatever it cost | *called* (a count, and tokens) by the caller | *served* (likewise) by the owner of the deployment |
//! | what a call's hold gave back | *returned* to the caller | |
//! | what another hold gave back | *returned*, unattributed | |
//! | issue, deposit, withdrawal, correction with the realm | *withdrawn* | *issued*, *deposited* |
//! | a hold that is open at the end of the period | *reserved* | |
//!
//! A fact's owner is the owner of the account on its side, whose money it is. Its agent is the
//! deal's party, who acted, or the caller. What was moved otherwise is in the `unattributed` row, never
//! spread over others. The operator's acts are separate.
//!
//! A deal on model capacity whose listing states modelled rates ([`crate::chips`]) brings its model
//! and kind of chip as dimensions, and, where it was spent, the chip-seconds that its quantities take
//! and what these cost the seller, both modelled. They stand with the buyer, once a deal, whatever
//! share of the price was paid. Other deals are `unattributed` to any model or chip.
//!
//! A call of a model brings model, provider, deployment and kind of chip by the terms that stood when it
//! began, and the tokens that were reported of it: measured. Its agent is the caller, whoever paid.
//!
//! For each asset, over the whole realm and from the beginning:
//! - total spent = total earned (deals and moves alike);
//! - what deals and calls held = what they spent + returned + reserve;
//! - what owners, teams and agents hold = issued + deposited - withdrawn + corrected;
//!
//! and for each owner: what its accounts hold = issued + deposited - withdrawn + corrected +
//! total earned - total spent.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use rialto_core::amount::{Amount, Decimal};
use rialto_core::id::{
    AgentId, AnyId, DealId, DeploymentId, InferenceId, OwnerId, TransferId, number, position_of,
};
use rialto_core::ledger::{Holder, Purpose};
use rialto_core::time::Time;
use rusqlite::OptionalExtension;
use serde::Serialize;

use crate::chips::in_words;
use crate::codec::purpose;
use crate::db::{Units, int, uint};
use crate::read::{Page, Paging, Scope, Snap, ViewReader, cursor, limit, time};
use crate::rollup::{PARTNER, Part, SIDE, Wanted};
use crate::{Error, Result};

mod booked;
mod fleet;
mod rows;

use booked::{BOOKED, Side, booked, chain, joined};
pub use fleet::{
    CapacityRow, Concentration, FleetUse, MOST_NAMES, Measure, Modelled, PriceList, Share, Split,
    TokenPrice,
};
use rows::{Capacity, Key};
pub(crate) use rows::{RollKey, Rolled};

/// The model or chip of a deal that states none.
const UNATTRIBUTED: &str = "unattributed";

/// The most rows of a report.
pub const MAX_ROWS: usize = 10_000;

/// What rows are grouped by, besides the asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The owner of the money.
    Owner,
    /// The acting agent.
    Agent,
    /// The other party of the deal.
    Counterparty,
    /// The asset; rows are always grouped by it.
    Asset,
    /// The model that was called, or that a deal on capacity bought, by its listing.
    Model,
    /// The kind of chip behind it.
    Chip,
    /// Through whom a called model was served.
    Provider,
    /// The deployment that served it.
    Deployment,
}

impl Dimension {
    /// Every dimension by its name.
    pub const ALL: [(&'static str, Self); 8] = [
        ("owner", Self::Owner),
        ("agent", Self::Agent),
        ("counterparty", Self::Counterparty),
        ("asset", Self::Asset),
        ("model", Self::Model),
        ("chip", Self::Chip),
        ("provider", Self::Provider),
        ("deployment", Self::Deployment),
    ];
}

impl std::str::FromStr for Dimension {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, dimension)| *dimension).ok_or_else(|| {
            let known = Self::ALL.map(|(name, _)| name).join(", ");
            Error::BadQuery(format!("no dimension {text}; there are {known}"))
        })
    }
}

/// The figures of a row, in whole units of its asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Figures {
    /// What was paid.
    pub spent: String,
    /// What is set aside at the end of the period.
    pub reserved: String,
    /// What was received.
    pub earned: String,
    /// What holds gave back.
    pub returned: String,
    /// Earned less spent.
    pub margin: String,
    /// Margin divided by spent, as a fraction with six digits; none if nothing was spent.
    pub return_on_spend: Option<String>,
    /// Deals agreed as buyer.
    pub bought: u64,
    /// Deals agreed as seller.
    pub sold: u64,
    /// Chip-seconds behind what was spent, modelled by the sellers' price lists; none if no deal
    /// states any.
    pub modelled_chip_seconds: Option<String>,
    /// What these cost the sellers, modelled likewise, in whole units of the asset.
    pub modelled_chip_cost: Option<String>,
    /// Calls of models that were made, and are over; none if there were none.
    pub called: Option<Calls>,
    /// Calls of models that own deployments served, likewise.
    pub served: Option<Calls>,
}

/// Calls of models, and the tokens that were reported of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Calls {
    /// How many.
    pub calls: u64,
    /// Tokens of input.
    pub input: u64,
    /// Of them read from a cache.
    pub cached: u64,
    /// Tokens of output.
    pub output: u64,
    /// Of them reasoning.
    pub reasoning: u64,
}

impl Calls {
    pub(crate) fn add(&mut self, more: &Self) {
        self.calls = self.calls.saturating_add(more.calls);
        self.input = self.input.saturating_add(more.input);
        self.cached = self.cached.saturating_add(more.cached);
        self.output = self.output.saturating_add(more.output);
        self.reasoning = self.reasoning.saturating_add(more.reasoning);
    }
}

/// A row of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportRow {
    /// The key by which the events behind it are found.
    pub key: String,
    /// Its dimensions and their values, readable.
    pub by: BTreeMap<String, String>,
    /// The ids behind these values.
    pub ids: BTreeMap<String, AnyId>,
    /// The handles, known by their deals, that handles among these values could be taken for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resembles: BTreeMap<String, String>,
    /// The asset.
    pub asset: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The sum over all rows of an asset, including the unattributed one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TotalRow {
    /// The asset.
    pub asset: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// What the operator and payment services did, in whole units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OperatorRow {
    /// The asset.
    pub asset: String,
    /// Realm credit issued.
    pub issued: String,
    /// Money that came from outside.
    pub deposited: String,
    /// Money that went outside.
    pub withdrawn: String,
    /// Corrections with the realm's own accounts: above zero in favour of holders.
    pub corrected: String,
}

/// The accounts of a scope and period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Report"))]
pub struct AccountsReport {
    /// From deals, grouped by the dimensions, in order of their ids.
    pub rows: Vec<ReportRow>,
    /// What no deal explains, one row an asset.
    pub unattributed: Vec<ReportRow>,
    /// The sums, one row an asset.
    pub total: Vec<TotalRow>,
    /// Money that entered or left, one row an asset.
    pub operator: Vec<OperatorRow>,
    /// The position that the report was made at.
    pub position: u64,
}

/// The kind of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The table in the module's doc says what each is.
pub enum FactKind {
    Bought,
    Sold,
    Spent,
    Earned,
    Returned,
    Reserved,
    MovedOut,
    MovedIn,
    Issued,
    Deposited,
    Withdrawn,
    Corrected,
    Called,
    Served,
}

impl FactKind {
    /// Every kind, in the order of the numbers that the roll-ups keep.
    const ALL: [Self; 14] = [
        Self::Bought,
        Self::Sold,
        Self::Spent,
        Self::Earned,
        Self::Returned,
        Self::Reserved,
        Self::MovedOut,
        Self::MovedIn,
        Self::Issued,
        Self::Deposited,
        Self::Withdrawn,
        Self::Corrected,
        Self::Called,
        Self::Served,
    ];

    /// Whether it is money that the operator or a payment service let in or out.
    fn is_operators(self) -> bool {
        matches!(
            self,
            Self::Issued | Self::Deposited | Self::Withdrawn | Self::Corrected
        )
    }

    /// Whether it is of the end of a call, and not of an entry.
    fn is_of_call(self) -> bool {
        matches!(self, Self::Called | Self::Served)
    }

    /// Its stored number.
    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    /// The kind with a stored number.
    pub(crate) fn stored(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// A fact behind a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FactRow {
    /// What it says.
    pub kind: FactKind,
    /// The entry of the ledger; none for the end of a call.
    pub entry: Option<TransferId>,
    /// The deal.
    pub deal: Option<DealId>,
    /// The call of a model.
    pub inference: Option<InferenceId>,
    /// How much, in whole units.
    pub amount: String,
    /// The asset.
    pub asset: String,
    /// When.
    pub at: Time,
    /// The position of the event.
    pub position: u64,
}

/// A fact while it is counted.
#[derive(Clone, Copy)]
pub(crate) struct Fact {
    kind: FactKind,
    entry: i64,
    at: i64,
    asset: i64,
    owner: Option<i64>,
    agent: Option<i64>,
    other: Option<i64>,
    deal: Option<i64>,
    /// The call of a model that it is for.
    inference: Option<i64>,
    amount: i128,
    /// The call itself, once it is over.
    calls: Option<Calls>,
}

impl Fact {
    fn is_operators(&self) -> bool {
        self.kind.is_operators()
    }

    /// What no deal and no call of a model explains.
    fn is_unattributed(&self) -> bool {
        self.deal.is_none() && self.inference.is_none()
    }
}

#[derive(Default)]
struct Sums {
    spent: i128,
    reserved: i128,
    earned: i128,
    returned: i128,
    bought: u64,
    sold: u64,
    chips: Option<(i128, i128)>,
    called: Option<Calls>,
    served: Option<Calls>,
}

impl Sums {
    fn add(&mut self, kind: FactKind, rolled: &Rolled) {
        match kind {
            FactKind::Bought => self.bought += rolled.count,
            FactKind::Sold => self.sold += rolled.count,
            FactKind::Spent | FactKind::MovedOut => self.spent += rolled.amount,
            FactKind::Earned | FactKind::MovedIn => self.earned += rolled.amount,
            FactKind::Returned => self.returned += rolled.amount,
            FactKind::Reserved => self.reserved += rolled.amount,
            // The operator's stand apart.
            FactKind::Issued | FactKind::Deposited | FactKind::Withdrawn | FactKind::Corrected => {}
            FactKind::Called => add_calls(&mut self.called, rolled),
            FactKind::Served => add_calls(&mut self.served, rolled),
        }
        if let Some((seconds, cost)) = rolled.chips {
            let so_far = self.chips.unwrap_or_default();
            self.chips = Some((
                so_far.0.saturating_add(seconds),
                so_far.1.saturating_add(cost),
            ));
        }
    }

    fn figures(&self, scale: u8) -> Figures {
        let print = |units: i128| Amount(units).display(scale);
        let margin = self.earned - self.spent;
        let ppm = margin
            .checked_mul(1_000_000)
            .and_then(|m| m.checked_div(self.spent));
        Figures {
            spent: print(self.spent),
            reserved: print(self.reserved),
            earned: print(self.earned),
            returned: print(self.returned),
            margin: print(margin),
            return_on_spend: ppm.map(|units| Decimal { units, scale: 6 }.text()),
            bought: self.bought,
            sold: self.sold,
            modelled_chip_seconds: self.chips.map(|(seconds, _)| in_words(seconds)),
            modelled_chip_cost: self.chips.map(|(_, cost)| in_words(cost)),
            called: self.called,
            served: self.served,
        }
    }
}

fn add_calls(sum: &mut Option<Calls>, rolled: &Rolled) {
    if let Some(calls) = &rolled.calls {
        sum.get_or_insert_default().add(calls);
    }
}

impl ViewReader {
    /// What was spent, reserved, earned and returned within a scope and a period (from, until: the
    /// end is not part of it), grouped by `by` and the asset.
    ///
    /// # Errors
    /// [`Error::TooBroad`] past [`MAX_ROWS`] rows, and as every read.
    pub fn accounts_report(
        &self,
        scope: Scope,
        by: &[Dimension],
        period: Option<(Time, Time)>,
    ) -> Result<AccountsReport> {
        self.read(|snap| snap.report(scope, by, period, true))
    }

    /// The same report, from the entries alone: what the sums of whole hours have to come to.
    ///
    /// # Errors
    /// As [`accounts_report`](Self::accounts_report).
    pub fn accounts_entry_by_entry(
        &self,
        scope: Scope,
        by: &[Dimension],
        period: Option<(Time, Time)>,
    ) -> Result<AccountsReport> {
        self.read(|snap| snap.report(scope, by, period, false))
    }

    /// The facts behind a row of the same report, in the order of the ledger; those of holds still
    /// open come last.
    ///
    /// # Errors
    /// [`Error::BadCursor`], [`Error::BadLimit`], and as every read.
    pub fn report_rows_events(
        &self,
        scope: Scope,
        by: &[Dimension],
        period: Option<(Time, Time)>,
        key: &str,
        paging: &Paging,
    ) -> Result<Page<FactRow>> {
        let (limit, skip) = (limit(paging)?, cursor(paging)?.unwrap_or(0));
        self.read(|snap| {
            let mut found: Vec<(i64, Fact)> = Vec::new();
            let mut capacity = Capacity::by(by);
            let range = snap.range(period)?;
            let mut place = 0_i64;
            let mut tell = |fact: &Fact| {
                let deals = !fact.is_unattributed();
                let row = if deals {
                    Key::of(&capacity.of(snap, fact)?.0, by)
                } else {
                    Key::of_asset(fact.asset)
                };
                if !fact.is_operators() && row.text(deals) == key {
                    place += 1;
                    if place > skip && found.len() <= limit {
                        found.push((place, *fact));
                    }
                }
                Ok(())
            };
            snap.facts(scope, &range, &mut tell)?;
            snap.reserved(scope, &range, &mut tell)?;
            let rows = found
                .into_iter()
                .map(|(at, fact)| Ok((at, snap.fact_row(&fact)?)));
            Ok(snap.page(rows.collect::<Result<_>>()?, limit))
        })
    }
}

/// A range of entries, the end not among them.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// Which facts belong to a scope.
fn belongs(scope: Scope, fact: &Fact) -> bool {
    is_in(scope, fact.owner, fact.agent)
}

fn is_in(scope: Scope, fact_owner: Option<i64>, fact_agent: Option<i64>) -> bool {
    match scope {
        Scope::Realm => true,
        Scope::Owner(owner) => fact_owner == Some(int(owner.0)),
        Scope::Agent(agent) => fact_agent == Some(int(agent.0)),
    }
}

/// A report while it is counted.
struct Count<'a> {
    by: &'a [Dimension],
    rows: BTreeMap<Key, Sums>,
    others: BTreeMap<i64, Sums>,
    total: BTreeMap<i64, Sums>,
    operator: BTreeMap<i64, [i128; 4]>,
}

impl Count<'_> {
    fn add(&mut self, key: &RollKey, rolled: &Rolled) -> Result<()> {
        let [issued, deposited, withdrawn, corrected] = match key.kind.is_operators() {
            true => self.operator.entry(key.asset).or_default(),
            false => &mut [0; 4],
        };
        match key.kind {
            FactKind::Issued => *issued += rolled.amount,
            FactKind::Deposited => *deposited += rolled.amount,
            FactKind::Withdrawn => *withdrawn += rolled.amount,
            FactKind::Corrected => *corrected += rolled.amount,
            FactKind::Bought
            | FactKind::Sold
            | FactKind::Spent
            | FactKind::Earned
            | FactKind::Returned
            | FactKind::Reserved
            | FactKind::MovedOut
            | FactKind::MovedIn
            | FactKind::Called
            | FactKind::Served => return self.add_theirs(key, rolled),
        }
        Ok(())
    }

    /// Adds what is not the operator's.
    fn add_theirs(&mut self, key: &RollKey, rolled: &Rolled) -> Result<()> {
        let total = self.total.entry(key.asset).or_default();
        total.add(key.kind, rolled);
        if !key.deals {
            let others = self.others.entry(key.asset).or_default();
            others.add(key.kind, rolled);
            return Ok(());
        }
        let row = self.rows.entry(Key::of(key, self.by)).or_default();
        row.add(key.kind, rolled);
        if self.rows.len() > MAX_ROWS {
            return Err(Error::TooBroad(MAX_ROWS));
        }
        Ok(())
    }
}

impl Snap<'_> {
    fn report(
        &self,
        scope: Scope,
        by: &[Dimension],
        period: Option<(Time, Time)>,
        summed: bool,
    ) -> Result<AccountsReport> {
        let mut count = Count {
            by,
            rows: BTreeMap::new(),
            others: BTreeMap::new(),
            total: BTreeMap::new(),
            operator: BTreeMap::new(),
        };
        let mut capacity = Capacity::by(by);
        let range = self.range(period)?;
        let grain = match by.contains(&Dimension::Counterparty) {
            true => PARTNER,
            false => SIDE,
        };
        let whole = period.map_or((0, i64::MAX), |(from, until)| (int(from.0), int(until.0)));
        let parts = match summed {
            true => self.parts(&grain, &range, whole)?,
            false => vec![Part::Raw(range)],
        };
        let wanted = Wanted::of(scope, by);
        for part in parts {
            match part {
                Part::Raw(range) => self.facts(scope, &range, &mut |fact| {
                    let (key, rolled) = capacity.of(self, fact)?;
                    count.add(&key, &rolled)
                })?,
                Part::Span { level, bucket } => {
                    let span = (level, bucket);
                    self.sums_of(&grain, span, wanted, &mut |key, rolled| match is_in(
                        scope, key.owner, key.agent,
                    ) {
                        true => count.add(&key, &rolled),
                        false => Ok(()),
                    })?;
                }
            }
        }
        self.reserved(scope, &range, &mut |fact| {
            let (key, rolled) = capacity.of(self, fact)?;
            count.add(&key, &rolled)
        })?;
        let Count {
            rows,
            others,
            total,
            operator,
            ..
        } = count;
        let mut report = AccountsReport {
            rows: Vec::with_capacity(rows.len()),
            unattributed: Vec::new(),
            total: Vec::new(),
            operator: Vec::new(),
            position: self.position,
        };
        for (key, sums) in &rows {
            report.rows.push(self.report_row(true, key, sums, by)?);
        }
        for (asset, sums) in &others {
            let key = Key::of_asset(*asset);
            report
                .unattributed
                .push(self.report_row(false, &key, sums, &[])?);
        }
        for (asset, sums) in &total {
            let (asset, scale) = self.asset(*asset)?;
            report.total.push(TotalRow {
                asset,
                figures: sums.figures(scale),
            });
        }
        for (asset, sums) in operator {
            let (asset, scale) = self.asset(asset)?;
            let [issued, deposited, withdrawn, corrected] =
                sums.map(|units| Amount(units).display(scale));
            report.operator.push(OperatorRow {
                asset,
                issued,
                deposited,
                withdrawn,
                corrected,
            });
        }
        Ok(report)
    }

    fn report_row(
        &self,
        deals: bool,
        key: &Key,
        sums: &Sums,
        by: &[Dimension],
    ) -> Result<ReportRow> {
        let (owner, agent, other) = (key.owner, key.agent, key.other);
        let (code, scale) = self.asset(key.asset)?;
        let stated = |name: &Option<Rc<str>>| name.as_deref().unwrap_or(UNATTRIBUTED).to_owned();
        let (mut names, mut ids) = (BTreeMap::new(), BTreeMap::new());
        let mut resembles = BTreeMap::new();
        if !deals {
            names.insert(UNATTRIBUTED.to_owned(), "moved without a deal".to_owned());
        }
        for dimension in by {
            let (name, value, id): (&str, String, Option<AnyId>) = match dimension {
                Dimension::Asset => ("asset", code.clone(), None),
                Dimension::Model => ("model", stated(&key.model), None),
                Dimension::Chip => ("chip", stated(&key.chip), None),
                Dimension::Provider => ("provider", stated(&key.provider), None),
                Dimension::Deployment => {
                    let id = key.deployment.map(|id| AnyId::from(DeploymentId(uint(id))));
                    let named = id.map_or_else(|| UNATTRIBUTED.to_owned(), |id| id.to_string());
                    ("deployment", named, id)
                }
                Dimension::Owner => {
                    let id = owner.map(|o| OwnerId(uint(o)).into());
                    (
                        "owner",
                        owner.map_or(Ok(String::new()), |o| {
                            self.holder_name(Holder::Owner(OwnerId(uint(o))))
                        })?,
                        id,
                    )
                }
                Dimension::Agent => ("agent", self.handle(agent)?, agent_id(agent)),
                Dimension::Counterparty => ("counterparty", self.handle(other)?, agent_id(other)),
            };
            let other = self.resembled(&value)?;
            resembles.extend(other.map(|other| (name.to_owned(), other)));
            names.insert(name.to_owned(), value);
            ids.extend(id.map(|id| (name.to_owned(), id)));
        }
        Ok(ReportRow {
            key: key.text(deals),
            by: names,
            ids,
            resembles,
            asset: code,
            figures: sums.figures(scale),
        })
    }

    fn handle(&self, agent: Option<i64>) -> Result<String> {
        agent.map_or(Ok(String::new()), |a| Ok(self.who(a)?.handle))
    }

    fn fact_row(&self, fact: &Fact) -> Result<FactRow> {
        let entry = uint(fact.entry);
        Ok(FactRow {
            kind: fact.kind,
            entry: (!fact.kind.is_of_call()).then_some(TransferId(entry)),
            deal: fact.deal.map(|d| DealId(uint(d))),
            inference: fact.inference.map(|id| InferenceId(uint(id))),
            amount: self.decimal(Units(fact.amount), fact.asset)?,
            asset: self.asset(fact.asset)?.0,
            at: time(fact.at),
            position: position_of(entry),
        })
    }

    /// Visits what the entries of a range add to the sums of the whole realm. With `partners` the other parties
    /// of deals are told apart.
    pub(crate) fn rolled_facts(
        &self,
        range: &Range,
        partners: bool,
        tell: &mut dyn FnMut(RollKey, Rolled),
    ) -> Result<()> {
        let mut capacity = Capacity::new(true);
        self.facts(Scope::Realm, range, &mut |fact| {
            let (mut key, rolled) = capacity.of(self, fact)?;
            key.other = key.other.filter(|_| partners);
            tell(key, rolled);
            Ok(())
        })
    }

    /// Visits every fact of a scope that the entries of a range tell.
    fn facts(
        &self,
        scope: Scope,
        range: &Range,
        tell: &mut dyn FnMut(&Fact) -> Result<()>,
    ) -> Result<()> {
        let mut sides: HashMap<i64, Side> = HashMap::new();
        let (from, of) = match scope {
            Scope::Realm => ("entry e".to_owned(), None),
            Scope::Owner(owner) => (
                format!(
                    "(SELECT DISTINCT id FROM ({})) s CROSS JOIN entry e ON e.id = s.id",
                    chain("a.owner = ?3")
                ),
                Some(int(owner.0)),
            ),
            Scope::Agent(agent) => (
                "(SELECT id FROM ({CHAIN}) UNION
                  SELECT h.id FROM seen s JOIN deal d ON d.id = s.id JOIN hold h ON h.id = d.hold
                  WHERE s.viewer = ?3 AND s.kind = {DEAL} UNION
                  SELECT h.ended FROM seen s JOIN deal d ON d.id = s.id JOIN hold h ON h.id = d.hold
                  WHERE s.viewer = ?3 AND s.kind = {DEAL} AND h.ended IS NOT NULL UNION
                  SELECT p.entry FROM seen s JOIN deal d ON d.id = s.id
                  JOIN hold_step p ON p.hold = d.hold
                  WHERE s.viewer = ?3 AND s.kind = {DEAL} UNION
                  SELECT h.ended FROM inference i JOIN hold h ON h.id = i.hold
                  WHERE i.agent = ?3 AND h.ended IS NOT NULL)
                 s CROSS JOIN entry e ON e.id = s.id"
                    .replace("{CHAIN}", &chain("a.holder = ?3"))
                    .replace("{DEAL}", &crate::db::kind_of(DealId::PREFIX).to_string()),
                Some(int(agent.0)),
            ),
        };
        let sql = format!(
            "SELECT {BOOKED} FROM {from} {}
             WHERE e.id >= ?1 AND e.id < ?2 AND (?3 IS NULL OR 1) ORDER BY e.id",
            joined()
        );
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query((range.low, range.high, of))?;
        while let Some(row) = rows.next()? {
            let entry = booked(row)?;
            let debit = self.side(&mut sides, entry.debit)?;
            let credit = self.side(&mut sides, entry.credit)?;
            let mut told = Vec::with_capacity(4);
            if matches!(entry.purpose, Purpose::Correction(_)) {
                entry.corrects(debit, credit, -1, &mut |f| told.push(f));
                entry.corrects(credit, debit, 1, &mut |f| told.push(f));
            } else {
                entry.debits(debit, &mut |f| told.push(f));
                entry.credits(credit, &mut |f| told.push(f));
            }
            told.iter()
                .filter(|f| belongs(scope, f))
                .try_for_each(&mut *tell)?;
        }
        self.calls(scope, range, tell)
    }

    /// Visits the calls of models that ended within a range, as the caller's and as the seller's.
    fn calls(
        &self,
        scope: Scope,
        range: &Range,
        tell: &mut dyn FnMut(&Fact) -> Result<()>,
    ) -> Result<()> {
        let sql =
            "SELECT id, ended, at, asset, agent, owner, seller, input, cached, output, reasoning
                   FROM inference WHERE ended >= ? AND ended < ? ORDER BY ended, id";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query((range.low, range.high))?;
        while let Some(row) = rows.next()? {
            let agent: i64 = row.get(4)?;
            let tokens = |column| Ok::<u64, Error>(uint(row.get(column)?));
            let called = Fact {
                kind: FactKind::Called,
                entry: row.get(1)?,
                at: row.get(2)?,
                asset: row.get(3)?,
                owner: row.get(5)?,
                agent: Some(agent),
                other: None,
                deal: None,
                inference: Some(row.get(0)?),
                amount: 0,
                calls: Some(Calls {
                    calls: 1,
                    input: tokens(7)?,
                    cached: tokens(8)?,
                    output: tokens(9)?,
                    reasoning: tokens(10)?,
                }),
            };
            let served = Fact {
                kind: FactKind::Served,
                owner: row.get(6)?,
                agent: None,
                other: Some(agent),
                ..called
            };
            let told = [called, served];
            let own = told.iter().filter(|fact| belongs(scope, fact));
            own.into_iter().try_for_each(&mut *tell)?;
        }
        Ok(())
    }

    /// Holds that were open at the end of the range.
    fn reserved(
        &self,
        scope: Scope,
        range: &Range,
        tell: &mut dyn FnMut(&Fact) -> Result<()>,
    ) -> Result<()> {
        let mut sides: HashMap<i64, Side> = HashMap::new();
        let sql = "SELECT h.id, h.at, h.debit,
                     coalesce((SELECT p.rest FROM hold_step p WHERE p.hold = h.id AND p.entry < ?1
                               ORDER BY p.entry DESC LIMIT 1),
                              (SELECT e.amount FROM entry e WHERE e.id = h.id)),
                     h.asset, d.id, d.buyer, d.seller, i.id, i.agent FROM hold h
                   LEFT JOIN deal d ON h.purpose = ?2 AND d.id = h.purpose_id
                   LEFT JOIN inference i ON h.purpose = ?3 AND i.id = h.purpose_id
                   WHERE h.id < ?1 AND (h.ended IS NULL OR h.ended >= ?1) ORDER BY h.id";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([range.high, purpose::DEAL, purpose::INFERENCE])?;
        while let Some(row) = rows.next()? {
            let side = self.side(&mut sides, row.get(2)?)?;
            let deal: Option<i64> = row.get(5)?;
            let buyer: Option<i64> = row.get(6)?;
            let caller: Option<i64> = row.get(9)?;
            let fact = Fact {
                kind: FactKind::Reserved,
                entry: row.get(0)?,
                at: row.get(1)?,
                asset: row.get(4)?,
                owner: side.owner,
                agent: buyer.or(caller).or(side.agent),
                other: row.get(7)?,
                deal,
                inference: row.get(8)?,
                amount: row.get::<_, Units>(3)?.0,
                calls: None,
            };
            if belongs(scope, &fact) {
                tell(&fact)?;
            }
        }
        Ok(())
    }

    /// The entries of a period, found by the times of the log, which never run back.
    fn range(&self, period: Option<(Time, Time)>) -> Result<Range> {
        let Some((from, until)) = period else {
            return Ok(Range {
                low: 0,
                high: i64::MAX,
            });
        };
        let low = int(number(self.first_at(from)?, 0));
        Ok(Range {
            low,
            high: int(number(self.first_at(until)?, 0)),
        })
    }

    /// The position of the first envelope at or after a time; one past the end if there is none.
    pub(crate) fn first_at(&self, at: Time) -> Result<u64> {
        let (mut low, mut high) = (1, self.position + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let sql = "SELECT at FROM event WHERE position = ?";
            let found = self
                .db
                .prepare_cached(sql)?
                .query_row([int(middle)], |r| r.get(0));
            let found: Option<i64> = found.optional()?;
            if found.is_some_and(|then| uint(then) < at.0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

fn agent_id(agent: Option<i64>) -> Option<AnyId> {
    agent.map(|a| AgentId(uint(a)).into())
}
