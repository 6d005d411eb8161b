//! The shipped day, run for people to watch: one customer after another, then scenes that the day itself
//! does not contain, then what the realm reports about all of it.
//!
//! A [`Listener`] gets every fact as it happens. Nothing is printed here, and nothing is reported that did
//! not happen in this run.

mod scenes;
mod shipped;
mod square;
mod story;

use std::collections::BTreeMap;
use std::time::Duration;

use rialto_client::Client;
use rialto_core::id::AnyId;
use serde::Serialize;
use serde_json::Value;

use crate::Scenario;
use crate::day::{
    Actions, Buyer, DayPlan, DayReport, Held, Participants, Prices, Venue, books, meter,
    open_market, purchases, report, setup,
};
use crate::error::DayError;
use crate::money::dollars;

use story::{goal, line, measured, tell};

pub use shipped::shipped;
pub use story::{Basis, DemoLine, Listener};

/// How the day is shown.
#[derive(Clone, Copy, Debug)]
pub struct DemoPlan {
    /// Breaks ties between equal prices.
    pub seed: u64,
    /// How long to wait between customers.
    pub pace: Duration,
}

/// The results of the day.
#[derive(Clone, Debug, Serialize)]
pub struct DemoReport {
    /// The day's figures.
    pub day: DayReport,
    /// The deals of the scenes.
    pub extras: Vec<String>,
    /// The goal that was traced.
    pub goal: AnyId,
    /// What was spent and earned, by owner.
    pub accounts: Value,
    /// The goal's trace.
    pub trace: Value,
    /// The sum over all accounts, by asset.
    pub trial_balance: BTreeMap<String, String>,
    /// The digest of the realm's state at the end.
    pub digest: String,
}

/// Runs the day in a realm that nobody has used before, where `operator` acts for the operator.
///
/// # Errors
/// When the realm refuses something, the books differ, or the listener ends the day.
#[must_use]
pub fn show<'a>(
    operator: &'a Client,
    scenario: &'a Scenario,
    plan: DemoPlan,
    to: &'a mut dyn Listener,
) -> Held<'a, DemoReport> {
    Box::pin(day(operator, scenario, plan, to))
}

async fn day(
    operator: &Client,
    scenario: &Scenario,
    demo: DemoPlan,
    to: &mut dyn Listener,
) -> Result<DemoReport, DayError> {
    let venue = Venue::served(operator.clone(), true);
    let plan = DayPlan {
        prices: Prices::Bargained,
        seed: demo.seed,
        lanes: 1,
    };
    let mut participants = setup::prepare(&venue, scenario, plan.prices, plan.seed).await?;
    let who = format!(
        "{} customers and {} businesses, deciding by built-in strategies, no model",
        participants.buyers.len(),
        participants.sellers.len()
    );
    line(to, "agents", who, Basis::StandIn)?;
    open_market(&venue, &mut participants, plan.lanes).await?;
    measured(
        to,
        "market",
        format!(
            "{} listings published · {} issued to customers",
            participants.sellers.len(),
            dollars(participants.issued)
        ),
    )?;
    let begun = std::time::Instant::now();
    one_by_one(&venue, &mut participants, demo.pace, to).await?;
    let actions = Actions::of(
        meter(&mut participants),
        begun.elapsed().as_secs_f64(),
        plan.lanes,
    );
    let books = books::read(&venue, &participants).await?;
    let day = report::make(scenario, &participants, &books, actions, plan);
    let extras = scenes::play(to, operator).await?;
    let goal = traced(&participants)?;
    let ending = Ending::read(operator, goal).await?;
    ending.tell(to, &day)?;
    Ok(DemoReport {
        day,
        extras: extras.iter().map(ToString::to_string).collect(),
        goal,
        accounts: ending.accounts,
        trace: ending.trace,
        trial_balance: ending.trial,
        digest: ending.digest,
    })
}

/// Customers come one after another, so that people can follow each from goal to deal.
async fn one_by_one(
    venue: &Venue,
    participants: &mut Participants,
    pace: Duration,
    to: &mut dyn Listener,
) -> Result<(), DayError> {
    let everybody = std::mem::take(&mut participants.buyers);
    let mut done: Vec<Buyer> = Vec::with_capacity(everybody.len());
    for buyer in everybody {
        measured(to, "", goal(&buyer))?;
        participants.buyers = vec![buyer];
        purchases(venue, participants, 1, &mut |buyer| tell(to, buyer)).await?;
        done.append(&mut participants.buyers);
        tokio::time::sleep(pace).await;
    }
    participants.buyers = done;
    Ok(())
}

/// The goal whose deal took the most steps.
fn traced(participants: &Participants) -> Result<AnyId, DayError> {
    let bought = participants
        .buyers
        .iter()
        .filter(|buyer| buyer.deal.is_some());
    let richest = bought.max_by_key(|buyer| buyer.outcome.asked.len());
    richest
        .map(|buyer| buyer.goal)
        .ok_or_else(|| DayError::Nothing("nobody bought anything, so there is nothing to trace"))
}

/// What is read back at the end.
struct Ending {
    accounts: Value,
    trace: Value,
    trial: BTreeMap<String, String>,
    digest: String,
    position: u64,
}

impl Ending {
    async fn read(operator: &Client, goal: AnyId) -> Result<Self, DayError> {
        let (digest, position) = books::digest(operator).await?;
        let at = format!("min_position={position}");
        Ok(Self {
            accounts: operator
                .get(&format!("/api/report/accounts?by=owner&{at}"))
                .await?,
            trace: operator.get(&format!("/api/trace/{goal}?{at}")).await?,
            trial: books::trial_balance(operator, position).await?,
            digest,
            position,
        })
    }

    fn tell(&self, to: &mut dyn Listener, report: &DayReport) -> Result<(), DayError> {
        let welfare = &report.welfare;
        let worth = format!(
            "{} for customers · {} at best without bargaining · {} gained by bargaining",
            dollars(welfare.total),
            dollars(welfare.optimal),
            dollars(welfare.bargaining_gain)
        );
        measured(to, "welfare", worth)?;
        for row in list(&self.accounts, "rows") {
            let owner = row
                .pointer("/by/owner")
                .and_then(Value::as_str)
                .unwrap_or("unattributed");
            measured(to, "accounts", format!("{owner}: {}", figures(row)))?;
        }
        for row in list(&self.accounts, "total") {
            measured(to, "  total", figures(row))?;
        }
        self.tell_trace(to)?;
        let sums: Vec<String> = self
            .trial
            .iter()
            .map(|(asset, sum)| format!("{asset} {sum}"))
            .collect();
        measured(
            to,
            "ledger",
            format!("trial balance {} over all accounts", sums.join(", ")),
        )?;
        let made = &report.actions;
        let speed = format!(
            "{} requests · p50 {:.2} ms, p99 {:.2} ms, one at a time",
            made.count, made.p50_ms, made.p99_ms
        );
        measured(to, "actions", speed)?;
        measured(
            to,
            "digest",
            format!("{} at {}", self.digest, self.position),
        )
    }

    fn tell_trace(&self, to: &mut dyn Listener) -> Result<(), DayError> {
        measured(to, "trace", chain(list(&self.trace, "hops")).join(" -> "))?;
        let gaps = self.trace.get("gaps").and_then(Value::as_array);
        let gaps = match gaps.map(Vec::len) {
            Some(0) => "no gaps".to_owned(),
            Some(some) => format!("{some} gaps"),
            None => "cut before its end".to_owned(),
        };
        let hops = list(&self.trace, "hops").len();
        measured(
            to,
            "",
            format!("{hops} hops from the goal to the settlement, {gaps}"),
        )
    }
}

/// The kinds of things that a thread passes through, in order, each with its id or how many.
fn chain(hops: &[Value]) -> Vec<String> {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for id in hops.iter().filter_map(|hop| hop.get("id")?.as_str()) {
        let kind = id.split('_').next().unwrap_or(id);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, ids)) if ids.contains(&id) => {}
            Some((_, ids)) => ids.push(id),
            None => kinds.push((kind, vec![id])),
        }
    }
    let shown = kinds.into_iter().map(|(kind, ids)| match ids.as_slice() {
        [only] => (*only).to_owned(),
        some => format!("{} {kind}", some.len()),
    });
    shown.collect()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn figures(row: &Value) -> String {
    let figure = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("0");
    format!(
        "spent {} · earned {} · reserved {} · margin {}",
        figure("spent"),
        figure("earned"),
        figure("reserved"),
        figure("margin")
    )
}
