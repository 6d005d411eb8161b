//! Failures, drains and outages: what they cost, whom they hold up, and what a sample knows of them.

use std::collections::HashMap;

use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::cluster::{
    Autoscale, Disaggregate, Drain, Faults, Mode, Policy, RunOptions, ServingReport,
    ServingScenario, TrafficSource, run,
};
use rialto_fleet::traffic::{PrefixTable, Request, Trace};

use crate::cluster::{build, faulty, pool, report, scenario, sources};

/// What follows from the timetable of failures and drains is the same whichever cells are
/// simulated, and the same as a simulation of all of them finds.
#[test]
fn a_sample_knows_chip_hours_and_losses_exactly() {
    for duration in [Some(900.0), None] {
        let requests = (0..900u64).map(|i| Request {
            arrival_ns: i * 1_000_000_000,
            input_tokens: 100,
            output_tokens: 20,
            ..Request::default()
        });
        let trace = Trace {
            requests: requests.collect(),
            prefixes: PrefixTable::default(),
        };
        let sources = HashMap::from([("t".to_owned(), TrafficSource::Trace(trace))]);
        let mut p = pool("a", 120, "t", 1.0);
        p.rate_per_s = None;
        p.cell_replicas = Some(2);
        p.drain = vec![Drain {
            at_s: 100.0,
            duration_s: 300.0,
            share: 0.3,
        }];
        let mut s = ServingScenario::of_pool("t".into(), p);
        s.duration_s = duration;
        s.faults = Faults {
            chip_mtbf_h: Some(1.0),
            chip_mttr_h: 0.1,
            node_mtbf_h: Some(20.0),
            node_mttr_h: 0.05,
            restart_s: 30.0,
            ..Faults::default()
        };
        let fleet = build(&s, &sources);
        let of = |mode| {
            let options = RunOptions {
                mode,
                ..RunOptions::default()
            };
            let result = run(&fleet, &options, &|_, _| {});
            (ServingReport::new(&fleet, &result, mode, 0.0), result)
        };
        let (exact, result) = of(Mode::Exact);
        let (sampled, _) = of(Mode::Sampled { share: 0.2 });
        let (e, p) = (&exact.fleet, &sampled.fleet);
        assert!(e.replica_failures > 10.0 && e.drained_chip_hours > 2.0);
        let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-3 * b, "{duration:?}: {a} {b}");
        near(e.chip_hours, 120.0 * exact.simulated_s / 3600.0);
        near(p.chip_hours, 120.0 * sampled.simulated_s / 3600.0);
        near(p.down_chip_hours, e.down_chip_hours);
        near(p.drained_chip_hours, e.drained_chip_hours);
        near(p.availability, e.availability);
        near(p.replica_failures, e.replica_failures);
        let i = sampled.intervals.unwrap();
        assert!(i.replica_failures.holds(p.replica_failures));
        assert!(i.chip_hours.low == i.chip_hours.high);
        if duration.is_some() {
            let seen = |figure: fn(&rialto_fleet::cluster::CellResult) -> f64| {
                result.pools[0].blend.total(figure)
            };
            near(e.down_chip_hours, seen(|c| c.down_s) / 3600.0);
            near(e.drained_chip_hours, seen(|c| c.drained_s) / 3600.0);
            near(
                e.chip_hours - e.down_chip_hours - e.drained_chip_hours,
                seen(|c| c.up_s) / 3600.0,
            );
            near(e.replica_failures, seen(|c| c.failures as f64));
        }
    }
}

/// A failure after the last request is none of the run's: a replay ends with its last request, or
/// its trace, whichever is later, and chips count until then.
#[test]
fn a_replay_ends_with_its_last_request_whatever_fails_later() {
    for (prefill, scaled) in [(0, false), (2, false), (0, true)] {
        for seed in 0..6 {
            let requests: Vec<Request> = (0..400u64)
                .map(|i| Request {
                    arrival_ns: i * 1_000_000_000,
                    input_tokens: 200,
                    output_tokens: 40,
                    ..Request::default()
                })
                .collect();
            let trace = Trace {
                requests,
                prefixes: PrefixTable::default(),
            };
            let sources = HashMap::from([("t".to_owned(), TrafficSource::Trace(trace))]);
            let mut p = pool("a", 6, "t", 1.0);
            p.rate_per_s = None;
            p.disaggregate = (prefill > 0).then_some(Disaggregate {
                prefill_replicas: prefill,
                transfer_gb_s: 100.0,
                transfer_latency_ms: 0.1,
            });
            p.autoscale = scaled.then_some(Autoscale {
                min_replicas: 2,
                target_outstanding: 8.0,
                interval_s: 45.0,
                startup_s: 10.0,
            });
            let mut s = ServingScenario::of_pool("trace".into(), p);
            s.seed = seed;
            s.faults = Faults {
                chip_mtbf_h: Some(0.5),
                chip_mttr_h: 0.01,
                restart_s: 5.0,
                ..Faults::default()
            };
            let fleet = build(&s, &sources);
            let options = RunOptions {
                keep_outcomes: true,
                ..RunOptions::default()
            };
            let result = run(&fleet, &options, &|_, _| {});
            let r = ServingReport::new(&fleet, &result, Mode::Exact, 0.0);
            let case = format!("{prefill} prefill replicas, scaled {scaled}, seed {seed}");
            let outcomes = result.pools[0].outcomes.iter();
            let last_s = outcomes.map(|o| o.finished_ps).max().unwrap() as f64 / 1e12;
            assert_eq!(r.fleet.finished, 400.0, "{case}");
            assert!((399.0..500.0).contains(&last_s), "{case}: {last_s}");
            assert_eq!(r.simulated_s, last_s, "{case}");
            let chip_hours = r.fleet.chip_hours;
            let most = 6.0 * last_s / 3600.0;
            assert!(chip_hours <= most * (1.0 + 1e-9), "{case}: {chip_hours}");
            assert!(scaled || chip_hours > most * (1.0 - 1e-9), "{case}");
            assert!(r.fleet.down_chip_hours < 0.5 * most, "{case}");
        }
    }
}

/// When nothing serves, requests are held; they are spread over all that come back, at one instant
/// or one after another, and nothing that arrives later overtakes them.
#[test]
fn what_an_outage_held_is_spread_over_the_replicas_that_come_back() {
    let policies = [
        Policy::Random,
        Policy::RoundRobin,
        Policy::LeastLoad,
        Policy::PowerOfTwo,
        Policy::PrefixAffinity,
    ];
    for policy in policies {
        for waiting in [4096, 40] {
            let mut p = pool("a", 16, "azure-conv", 40.0);
            p.routing = policy;
            p.max_waiting = waiting;
            p.drain = vec![Drain {
                at_s: 60.0,
                duration_s: 60.0,
                share: 1.0,
            }];
            let s = scenario(p, 240.0);
            let fleet = build(&s, &sources());
            let options = RunOptions {
                keep_outcomes: true,
                ..RunOptions::default()
            };
            let result = run(&fleet, &options, &|_, _| {});
            let outcomes = &result.pools[0].outcomes;
            let case = format!("{policy:?}, at most {waiting} waiting");
            let arrived_s =
                |o: &rialto_fleet::engine::Outcome| o.job.request.arrival_ns as f64 * 1e-9;
            let started_s = |o: &rialto_fleet::engine::Outcome| o.job.scheduled_ps as f64 * 1e-12;
            let held: Vec<_> = outcomes
                .iter()
                .filter(|o| (60.5..119.5).contains(&arrived_s(o)))
                .collect();
            assert!(held.len() > 600, "{case}: {} held", held.len());
            let last = held.iter().map(|o| started_s(o)).fold(0.0, f64::max);
            assert!(
                (120.0..135.0).contains(&last),
                "{case}: the last of {} held requests starts at {last} s",
                held.len()
            );
        }
    }
}

/// A drain takes its share of the pool's replicas, rounded, however they lie in cells.
#[test]
fn a_drain_takes_exactly_its_share_of_the_pool() {
    for (replicas, cell, share, taken) in [
        (16, 16, 0.5, 8),
        (16, 4, 0.5, 8),
        (16, 3, 0.3, 5),
        (50, 7, 0.05, 3),
        (50, 1, 0.5, 25),
        (16, 16, 1.0, 16),
        (16, 5, 0.0, 0),
    ] {
        let mut chosen = std::collections::HashSet::new();
        for seed in 0..8 {
            let mut p = pool("a", replicas, "azure-conv", 5.0);
            p.cell_replicas = Some(cell);
            p.drain = vec![Drain {
                at_s: 30.0,
                duration_s: 60.0,
                share,
            }];
            let mut s = scenario(p, 120.0);
            s.seed = seed;
            let fleet = build(&s, &sources());
            let settings = rialto_fleet::cluster::CellSettings {
                seed,
                horizon_ns: 120_000_000_000,
                warmup_ns: 0,
                bin_ns: 0,
                keep_outcomes: false,
                count_late: false,
                misses_allowed: u64::MAX,
            };
            let cells: Vec<f64> = (0..fleet.pools[0].cells.len())
                .map(|c| {
                    let cell = rialto_fleet::cluster::simulate_cell(&fleet.pools[0], c, &settings);
                    cell.drained_s / 60.0
                })
                .collect();
            let case = format!("{share} of {replicas} in cells of {cell}, seed {seed}");
            let all: f64 = cells.iter().sum();
            assert!((all - f64::from(taken)).abs() < 1e-6, "{case}: {all}");
            for (got, size) in cells.iter().zip(&fleet.pools[0].cells) {
                let fair = f64::from(taken) * f64::from(*size) / f64::from(replicas);
                assert!(
                    (got - fair).abs() < 1.0,
                    "{case}: {got} of {size} in a cell"
                );
            }
            chosen.insert(cells.iter().map(|c| c.round() as u32).collect::<Vec<_>>());
        }
        if share == 0.3 || share == 0.05 {
            assert!(chosen.len() > 1, "the seed says which cells give more");
        }
    }
}

#[test]
fn lost_chip_hours_have_their_price() {
    let catalogue = Catalogue::shipped().unwrap();
    let h100 = catalogue.chip("h100_sxm").unwrap();
    let on_demand = h100.on_demand_usd_per_hour.unwrap();
    for (price, usd, basis) in [(Some(2.5), 2.5, "scenario"), (None, on_demand, "on_demand")] {
        let mut p = pool("a", 8, "azure-conv", 2.0);
        p.price_usd_per_chip_hour = price;
        p.drain = vec![Drain {
            at_s: 10.0,
            duration_s: 90.0,
            share: 0.5,
        }];
        let mut s = scenario(p, 400.0);
        s.faults = faulty();
        s.faults.chip_mtbf_h = Some(0.1);
        let r = report(&s, Mode::Exact, 1);
        let t = &r.fleet;
        assert!(t.down_chip_hours > 0.0 && t.drained_chip_hours > 0.0);
        assert_eq!(r.pools[0].price.map(|p| p.basis), Some(basis));
        assert_eq!(t.down_usd, Some(t.down_chip_hours * usd));
        assert_eq!(t.drained_usd, Some(t.drained_chip_hours * usd));
        assert_eq!(t.down_usd, r.pools[0].totals.down_usd);
    }
}
