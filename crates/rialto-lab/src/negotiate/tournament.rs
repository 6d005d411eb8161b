//! Runs every strategy against every other, over many domains, on both sides.
//!
//! Holds the schedule, its parallel run and the summary of the results. For each scenario (two profiles of
//! a domain) and each ordered pair of strategies, each side opens once, so every pair of strategies
//! negotiates four times in each scenario. Results are in the order of the schedule, whatever the number of
//! threads. It never reads a clock: for a deadline by time the caller provides one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

use super::analysis::{Analysis, Point, distance};
use super::domain::{Domain, Space};
use super::preferences::{Preferences, Side};
use super::session::{Clock, Deadline, End, Settled, negotiate};
use super::strategy::Spec;
use rialto_random::SplitMix64;

/// Two profiles of a domain, ready for negotiation.
#[derive(Clone, Debug)]
pub struct NegotiationScenario {
    /// The domain's name, with the profiles' where the domain has more than two.
    pub name: String,
    /// Both sides.
    pub sides: [Side; 2],
    /// What the two sides can reach.
    pub analysis: Analysis,
}

impl NegotiationScenario {
    /// The scenarios of a domain: every two of its profiles.
    #[must_use]
    pub fn of(domain: &Domain) -> Vec<Self> {
        let space: Arc<Space> = Arc::new(domain.space.clone());
        let all: Vec<Arc<Preferences>> = domain
            .profiles
            .iter()
            .map(|p| Arc::new(Preferences::new(p)))
            .collect();
        let mut scenarios = Vec::new();
        for i in 0..all.len() {
            for j in i + 1..all.len() {
                let name = if all.len() == 2 {
                    domain.name.clone()
                } else {
                    let names = [&domain.profiles[i].name, &domain.profiles[j].name];
                    format!("{} ({} and {})", domain.name, names[0], names[1])
                };
                let side = |k: usize| Side {
                    space: space.clone(),
                    wishes: all[k].clone(),
                };
                let analysis = Analysis::new(&all[i], &all[j]);
                scenarios.push(Self {
                    name,
                    sides: [side(i), side(j)],
                    analysis,
                });
            }
        }
        scenarios
    }

    /// Runs one negotiation.
    pub fn play(
        &self,
        pair: [&Spec; 2],
        first: usize,
        deadline: Deadline,
        seed: u64,
        clock: &mut dyn Clock,
    ) -> Settled {
        let seeds = [0, 1].map(|side| SplitMix64::named(seed, &[side]).next_u64());
        let mut a = pair[0].build(&self.sides[0], seeds[0]);
        let mut b = pair[1].build(&self.sides[1], seeds[1]);
        let len = self.sides[0].space.len();
        negotiate(
            [&mut *a, &mut *b],
            len,
            deadline,
            first,
            clock,
            &mut |_, _, _| (),
        )
    }

    /// What a result is worth to both sides, at its time.
    #[must_use]
    pub fn utilities(&self, settled: &Settled) -> Point {
        [0, 1].map(|i| {
            let wishes = &self.sides[i].wishes;
            let utility = match settled.agreement {
                Some(outcome) => wishes.utility(outcome),
                None => wishes.reservation(),
            };
            wishes.discounted(utility, settled.time)
        })
    }

    /// The same without discount, for the comparison with what the domain allows.
    #[must_use]
    pub fn point(&self, settled: &Settled) -> Point {
        [0, 1].map(|i| {
            let wishes = &self.sides[i].wishes;
            settled
                .agreement
                .map_or(wishes.reservation(), |outcome| wishes.utility(outcome))
        })
    }
}

/// The settings of a tournament.
#[derive(Clone, Debug)]
pub struct TournamentPlan {
    /// The strategies that take part.
    pub strategies: Vec<Spec>,
    /// When a negotiation ends.
    pub deadline: Deadline,
    /// How often each negotiation is run, each time with another seed.
    pub repeats: u32,
    /// The seed of all randomness.
    pub seed: u64,
}

/// One negotiation of a tournament.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Record {
    /// Index of the scenario.
    pub scenario: usize,
    /// Indices of the strategies on both sides.
    pub pair: [usize; 2],
    /// The side that opened.
    pub first: usize,
    /// Which repeat.
    pub repeat: u32,
    /// How it ended.
    pub end: End,
    /// Rounds begun.
    pub rounds: u32,
    /// Relative time of the end.
    pub time: f64,
    /// Utilities with discount.
    pub utilities: Point,
    /// Distance from the nearest point of the Pareto frontier, without discount.
    pub to_pareto: f64,
    /// Distance from the Nash point.
    pub to_nash: f64,
    /// Distance from the Kalai-Smorodinsky point.
    pub to_kalai: f64,
}

impl TournamentPlan {
    /// How many negotiations this many scenarios give.
    #[must_use]
    pub fn negotiations(&self, scenarios: usize) -> usize {
        let pairs = self.strategies.len() * self.strategies.len();
        scenarios * pairs * 2 * self.repeats as usize
    }

    /// Runs all negotiations on `threads` threads. Calls `done` after each; `clock` makes a clock for each.
    pub fn run(
        &self,
        scenarios: &[NegotiationScenario],
        threads: usize,
        clock: &(dyn Fn() -> Box<dyn Clock> + Sync),
        done: &(dyn Fn() + Sync),
    ) -> Vec<Record> {
        let total = self.negotiations(scenarios.len());
        // A block is one scenario's negotiations: its outcomes stay in the cache.
        let block = total / scenarios.len().max(1);
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut found = Vec::new();
            loop {
                let scenario = next.fetch_add(1, Ordering::Relaxed);
                if scenario >= scenarios.len() {
                    return found;
                }
                let records = (0..block).map(|job| {
                    let record = self.one(scenarios, scenario, job, &mut *clock());
                    done();
                    record
                });
                found.push((scenario, records.collect::<Vec<Record>>()));
            }
        };
        let mut all: Vec<(usize, Vec<Record>)> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(worker)).collect();
            let joined = handles.into_iter().map(|h| match h.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.flatten().collect()
        });
        all.sort_by_key(|(scenario, _)| *scenario);
        all.into_iter().flat_map(|(_, records)| records).collect()
    }

    fn one(
        &self,
        scenarios: &[NegotiationScenario],
        scenario: usize,
        job: usize,
        clock: &mut dyn Clock,
    ) -> Record {
        let count = self.strategies.len();
        let (repeat, rest) = (job / (2 * count * count), job % (2 * count * count));
        let (first, pair) = (rest % 2, [rest / 2 / count, rest / 2 % count]);
        let at = &scenarios[scenario];
        let names = [
            scenario as u64,
            pair[0] as u64,
            pair[1] as u64,
            first as u64,
            repeat as u64,
        ];
        let seed = SplitMix64::named(self.seed, &names).next_u64();
        let specs = pair.map(|i| &self.strategies[i]);
        let settled = at.play(specs, first, self.deadline, seed, clock);
        let point = at.point(&settled);
        Record {
            scenario,
            pair,
            first,
            repeat: repeat as u32,
            end: settled.end,
            rounds: settled.rounds,
            time: settled.time,
            utilities: at.utilities(&settled),
            to_pareto: at.analysis.to_pareto(point),
            to_nash: distance(point, at.analysis.nash),
            to_kalai: distance(point, at.analysis.kalai),
        }
    }
}

/// A mean and the half-width of its 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Half the width of its 95 % interval over scenarios; zero with fewer than two.
    pub error: f64,
}

impl Mean {
    /// The mean of independent values, with the normal interval.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        if values.is_empty() {
            return Self::default();
        }
        let mean = values.iter().sum::<f64>() / n;
        if values.len() < 2 {
            return Self { mean, error: 0.0 };
        }
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
        Self {
            mean,
            error: 1.96 * (variance / n).sqrt(),
        }
    }
}

/// The results of a strategy over all its negotiations, including those with itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// The strategy.
    pub strategy: String,
    /// Sides played.
    pub played: usize,
    /// Share of them with an agreement.
    pub agreed: f64,
    /// Its own utility.
    pub own: Mean,
    /// The other side's utility.
    pub other: Mean,
    /// Sum of both.
    pub joint: f64,
    /// Mean distances from the frontier and the points.
    pub to_pareto: f64,
    /// See [`Record::to_nash`].
    pub to_nash: f64,
    /// See [`Record::to_kalai`].
    pub to_kalai: f64,
    /// Mean rounds.
    pub rounds: f64,
    /// The leader's own utility minus this one's, scenario by scenario; none for the leader.
    pub behind: Option<Mean>,
}

/// Two strategies' negotiations with each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Meeting {
    /// The strategy whose view this is.
    pub strategy: String,
    /// The strategy it met.
    pub against: String,
    /// Its own utility.
    pub own: Mean,
    /// Its own utility minus the other's.
    pub lead: Mean,
    /// Share of agreements.
    pub agreed: f64,
}

/// A tournament's results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// Scenarios.
    pub scenarios: usize,
    /// Negotiations.
    pub negotiations: usize,
    /// Negotiations that ended by a side's fault.
    pub faults: usize,
    /// Strategies from the greatest own utility.
    pub standings: Vec<Standing>,
    /// Each strategy with each, in the order of the plan.
    pub meetings: Vec<Meeting>,
}

/// Sums of one strategy, or of one pair, in one scenario.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: f64,
    agreed: f64,
    own: f64,
    other: f64,
    pareto: f64,
    nash: f64,
    kalai: f64,
    rounds: f64,
}

impl Sum {
    fn add(&mut self, record: &Record, side: usize) {
        self.count += 1.0;
        self.agreed += f64::from(u8::from(record.end == End::Agreed));
        self.own += record.utilities[side];
        self.other += record.utilities[1 - side];
        self.pareto += record.to_pareto;
        self.nash += record.to_nash;
        self.kalai += record.to_kalai;
        self.rounds += f64::from(record.rounds);
    }
}

impl Table {
    /// Summarises the records of a plan.
    #[must_use]
    pub fn of(plan: &TournamentPlan, scenarios: usize, records: &[Record]) -> Self {
        let count = plan.strategies.len();
        let mut own = vec![vec![Sum::default(); scenarios]; count];
        let mut pairs = vec![vec![Sum::default(); scenarios]; count * count];
        for record in records {
            for side in 0..2 {
                let (me, you) = (record.pair[side], record.pair[1 - side]);
                own[me][record.scenario].add(record, side);
                pairs[me * count + you][record.scenario].add(record, side);
            }
        }
        let names: Vec<String> = plan.strategies.iter().map(Spec::to_string).collect();
        let mut standings: Vec<(usize, Standing)> = (0..count)
            .map(|i| (i, standing(&names[i], &own[i])))
            .collect();
        standings.sort_by(|a, b| b.1.own.mean.total_cmp(&a.1.own.mean));
        if let Some(leader) = standings.first().map(|(i, _)| *i) {
            for (i, standing) in standings.iter_mut().skip(1) {
                let pairs = own[leader].iter().zip(&own[*i]);
                let gaps: Vec<f64> = pairs
                    .map(|(l, s)| l.own / l.count - s.own / s.count)
                    .collect();
                standing.behind = Some(Mean::of(&gaps));
            }
        }
        let meetings = (0..count * count)
            .map(|at| meeting(&names[at / count], &names[at % count], &pairs[at]))
            .collect();
        Self {
            scenarios,
            negotiations: records.len(),
            faults: records.iter().filter(|r| r.end == End::Fault).count(),
            standings: standings
                .into_iter()
                .map(|(_, standing)| standing)
                .collect(),
            meetings,
        }
    }
}

fn mean(sums: &[Sum], value: impl Fn(&Sum) -> f64) -> Mean {
    let played = sums.iter().filter(|s| s.count > 0.0);
    let values: Vec<f64> = played.map(|s| value(s) / s.count).collect();
    Mean::of(&values)
}

fn standing(name: &str, sums: &[Sum]) -> Standing {
    let (own, other) = (mean(sums, |s| s.own), mean(sums, |s| s.other));
    Standing {
        strategy: name.to_owned(),
        played: sums.iter().map(|s| s.count as usize).sum(),
        agreed: mean(sums, |s| s.agreed).mean,
        own,
        other,
        joint: own.mean + other.mean,
        to_pareto: mean(sums, |s| s.pareto).mean,
        to_nash: mean(sums, |s| s.nash).mean,
        to_kalai: mean(sums, |s| s.kalai).mean,
        rounds: mean(sums, |s| s.rounds).mean,
        behind: None,
    }
}

fn meeting(name: &str, against: &str, sums: &[Sum]) -> Meeting {
    Meeting {
        strategy: name.to_owned(),
        against: against.to_owned(),
        own: mean(sums, |s| s.own),
        lead: mean(sums, |s| s.own - s.other),
        agreed: mean(sums, |s| s.agreed).mean,
    }
}
