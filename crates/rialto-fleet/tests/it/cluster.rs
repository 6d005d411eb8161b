//! Whole scenarios: conservation, determinism, sampling, queueing theory, replays.

use std::collections::HashMap;

use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::cluster::{
    Autoscale, Disaggregate, Drain, Faults, Fleet, Mode, Policy, PoolSpec, RunOptions,
    ServingReport, ServingScenario, TrafficSource, run,
};
use rialto_fleet::step::{Parameters, Plan, StepLoad, StepModel};
use rialto_fleet::traffic::{Lengths, PrefixTable, Request, Trace, TrafficModel};

fn shipped(name: &str) -> TrafficSource {
    TrafficSource::Model(TrafficModel::shipped(name).unwrap().unwrap())
}

pub(crate) fn sources() -> HashMap<String, TrafficSource> {
    ["azure-conv", "azure-code", "agent", "mooncake-conversation"]
        .map(|name| (name.to_owned(), shipped(name)))
        .into()
}

pub(crate) fn build(scenario: &ServingScenario, sources: &HashMap<String, TrafficSource>) -> Fleet {
    let catalogue = Catalogue::shipped().unwrap();
    let parameters = Parameters::shipped().unwrap();
    Fleet::build("test", "", scenario, &catalogue, &parameters, sources).unwrap()
}

pub(crate) fn pool(name: &str, replicas: u32, traffic: &str, rate: f64) -> PoolSpec {
    let plan = Plan::SINGLE;
    let mut pool = PoolSpec::new(name, "llama3.1-8b", "h100_sxm", plan, replicas, traffic);
    pool.rate_per_s = Some(rate);
    pool.max_sequences = 64;
    pool
}

pub(crate) fn scenario(pool: PoolSpec, duration_s: f64) -> ServingScenario {
    let mut s = ServingScenario::of_pool("test".into(), pool);
    s.duration_s = Some(duration_s);
    s.seed = 42;
    s
}

pub(crate) fn report(scenario: &ServingScenario, mode: Mode, threads: usize) -> ServingReport {
    let fleet = build(scenario, &sources());
    let options = RunOptions {
        mode,
        threads,
        bin_s: 10.0,
        keep_outcomes: false,
    };
    let result = run(&fleet, &options, &|_, _| {});
    ServingReport::new(&fleet, &result, mode, 10.0)
}

pub(crate) fn faulty() -> Faults {
    Faults {
        chip_mtbf_h: Some(0.5),
        chip_mttr_h: 0.02,
        node_mtbf_h: Some(3.0),
        node_mttr_h: 0.02,
        rack_mtbf_h: Some(10.0),
        rack_mttr_h: 0.01,
        restart_s: 20.0,
        straggler_share: 0.1,
        straggler_slowdown: 1.5,
    }
}

/// Every combination of policy and disturbance keeps the books.
#[test]
fn every_request_finishes_is_rejected_or_is_in_flight() {
    let policies = [
        Policy::Random,
        Policy::RoundRobin,
        Policy::LeastLoad,
        Policy::PowerOfTwo,
        Policy::PrefixAffinity,
    ];
    for policy in policies {
        for disturbance in 0..5 {
            let rate = if disturbance == 4 { 6.0 } else { 18.0 };
            let mut p = pool("a", 12, "agent", rate);
            p.routing = policy;
            let mut faults = Faults::default();
            match disturbance {
                1 => faults = faulty(),
                2 => {
                    p.drain = vec![Drain {
                        at_s: 60.0,
                        duration_s: 60.0,
                        share: 0.5,
                    }];
                }
                3 => {
                    p.autoscale = Some(Autoscale {
                        min_replicas: 1,
                        target_outstanding: 8.0,
                        interval_s: 5.0,
                        startup_s: 10.0,
                    });
                }
                4 => {
                    p.disaggregate = Some(Disaggregate {
                        prefill_replicas: 5,
                        transfer_gb_s: 50.0,
                        transfer_latency_ms: 1.0,
                    });
                    faults = faulty();
                }
                _ => {}
            }
            p.max_waiting = 20;
            let mut s = scenario(p, 240.0);
            s.faults = faults;
            let fleet = build(&s, &sources());
            let options = RunOptions {
                keep_outcomes: true,
                ..RunOptions::default()
            };
            let result = run(&fleet, &options, &|_, _| {});
            let r = ServingReport::new(&fleet, &result, Mode::Exact, 0.0);
            let t = &r.fleet;
            let case = format!("{policy:?} {disturbance}");
            assert!(t.arrived > 1_000.0, "{case}: {}", t.arrived);
            assert_eq!(t.arrived, t.finished + t.rejected + t.in_flight, "{case}");
            assert!(
                t.finished > 0.5 * t.arrived,
                "{case}: {} finished",
                t.finished
            );
            assert!(t.peak_kv_share <= 1.0, "{case}: cache over capacity");
            let outcomes = &result.pools[0].outcomes;
            assert_eq!(outcomes.len() as f64, t.finished, "{case}");
            for o in outcomes {
                let j = &o.job;
                assert_eq!(j.generated, j.request.output_tokens, "{case}: tokens out");
                assert!(j.request.arrival_ns * 1000 <= j.scheduled_ps, "{case}");
                assert!(j.scheduled_ps < j.first_token_ps, "{case}");
                assert!(j.first_token_ps <= o.finished_ps, "{case}");
            }
            if disturbance == 1 {
                assert!(t.replica_failures > 0.0 && t.interrupted > 0.0, "{case}");
                assert!(t.availability < 1.0, "{case}");
            }
            if disturbance == 2 {
                assert!(t.drained_chip_hours > 0.0, "{case}");
            }
            if disturbance == 3 {
                assert!(
                    t.chip_hours < 12.0 * 240.0 / 3600.0,
                    "{case}: never scaled down"
                );
            }
        }
    }
}

#[test]
fn seeds_repeat_and_differ() {
    let s = scenario(pool("a", 6, "azure-conv", 20.0), 120.0);
    let one = report(&s, Mode::Exact, 1);
    assert_eq!(
        one,
        report(&s, Mode::Exact, 1),
        "same seed, same report to the last bit"
    );
    let mut other = s.clone();
    other.seed = 43;
    assert_ne!(one.fleet, report(&other, Mode::Exact, 1).fleet);
}

fn many_cells() -> ServingScenario {
    let mut chat = pool("chat", 400, "azure-conv", 1_600.0);
    chat.cell_replicas = Some(4);
    let mut code = pool("code", 240, "azure-code", 500.0);
    code.cell_replicas = Some(3);
    code.routing = Policy::LeastLoad;
    let mut s = scenario(chat, 120.0);
    s.pool.push(code);
    s.warmup_s = 10.0;
    s.faults = Faults {
        chip_mtbf_h: Some(100.0),
        chip_mttr_h: 0.5,
        node_mtbf_h: Some(400.0),
        rack_mtbf_h: None,
        restart_s: 10.0,
        ..faulty()
    };
    s
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let s = many_cells();
    for mode in [Mode::Exact, Mode::Sampled { share: 0.2 }] {
        let one = report(&s, mode, 1);
        for threads in [2, 5] {
            assert_eq!(
                one,
                report(&s, mode, threads),
                "{mode:?} on {threads} threads"
            );
        }
    }
}

/// 95 % intervals hold the exact figure in at least nine of ten comparisons.
#[test]
fn a_sample_agrees_with_the_exact_run_within_its_error() {
    let (mut held, mut asked) = (0, 0);
    for seed in 0..30 {
        let mut s = many_cells();
        s.seed = seed;
        let exact = report(&s, Mode::Exact, 2);
        let sampled = report(&s, Mode::Sampled { share: 0.25 }, 2);
        assert!(sampled.requests < exact.requests / 3);
        let i = sampled.intervals.unwrap();
        let t = &exact.fleet;
        for (name, interval, value) in [
            ("finished", i.finished_per_s, t.finished_per_s),
            ("tokens", i.output_tokens_per_s, t.output_tokens_per_s),
            ("goodput", i.goodput_per_s, t.goodput_per_s),
            ("ttft p50", i.ttft_p50_s, t.ttft.p50_s),
            ("ttft p99", i.ttft_p99_s, t.ttft.p99_s),
            ("tpot p99", i.tpot_p99_s, t.tpot.p99_s),
            ("e2e p99", i.e2e_p99_s, t.e2e.p99_s),
        ] {
            asked += 1;
            held += i32::from(interval.holds(value));
            let off = (interval.estimate / value - 1.0).abs();
            assert!(off < 0.25, "seed {seed} {name}: {interval:?} for {value}");
        }
        assert!(
            exact.intervals.is_none(),
            "an exact run has no sampling error"
        );
    }
    assert!(
        held * 10 >= asked * 9,
        "{held} of {asked} intervals held the exact figure"
    );
}

/// 160 cells of eight replicas.
fn cells_of_eight(rate_per_s: f64, duration_s: f64, seed: u64) -> ServingScenario {
    let mut p = pool("a", 1280, "azure-conv", rate_per_s);
    p.cell_replicas = Some(8);
    let mut s = scenario(p, duration_s);
    s.seed = seed;
    s
}

/// A few slow cells decide the tail of the time per token, and a sample of twelve sees some of them.
#[test]
fn intervals_hold_where_a_few_slow_cells_make_the_tail() {
    let (mut held, mut asked) = (0, 0);
    for seed in 0..24 {
        let mut s = cells_of_eight(6_000.0, 60.0, seed);
        s.warmup_s = 15.0;
        s.faults = Faults {
            straggler_share: 0.02,
            straggler_slowdown: 1.5,
            ..Faults::default()
        };
        let exact = report(&s, Mode::Exact, 2).fleet;
        let sampled = report(&s, Mode::Sampled { share: 0.05 }, 2);
        assert_eq!(sampled.pools[0].cells, (12, 160));
        let i = sampled.intervals.unwrap();
        for (name, interval, value) in [
            ("tpot p99", i.tpot_p99_s, exact.tpot.p99_s),
            ("e2e p99", i.e2e_p99_s, exact.e2e.p99_s),
        ] {
            asked += 1;
            held += i32::from(interval.holds(value));
            let wide = interval.relative_error();
            assert!(wide < 0.2, "seed {seed} {name}: {interval:?}");
        }
    }
    assert!(
        held * 10 >= asked * 9,
        "{held} of {asked} intervals held the exact figure"
    );
}

/// Few cells have a failure, and only they interrupt requests: they are drawn before slow ones.
#[test]
fn interrupted_requests_are_found_where_failures_are_few() {
    let (mut held, mut met) = (0, 0);
    for seed in 0..20 {
        let mut s = cells_of_eight(3_000.0, 40.0, seed);
        s.faults = Faults {
            chip_mtbf_h: Some(5.0),
            chip_mttr_h: 0.01,
            straggler_share: 0.03,
            straggler_slowdown: 1.25,
            ..Faults::default()
        };
        let exact = report(&s, Mode::Exact, 2).fleet;
        let sampled = report(&s, Mode::Sampled { share: 0.1 }, 2);
        let interval = sampled.intervals.unwrap().interrupted;
        held += i32::from(interval.holds(exact.interrupted));
        met += i32::from(exact.interrupted > 0.0);
    }
    assert!(met > 10, "{met} runs met a failure under load");
    assert!(held >= 18, "{held} of 20 intervals held the exact figure");
}

/// One replica that takes one request at a time, prompts of one length, Poisson arrivals: M/D/1,
/// whose mean wait is rho / (2 (1 - rho)) services (Pollaczek-Khinchine).
#[test]
fn waiting_follows_the_m_d_1_queue() {
    let mut p = pool("a", 1, "fixed", 1.0);
    p.max_sequences = 1;
    p.token_budget = 4096;
    p.prefix_cache = false;
    p.max_waiting = 1_000_000;
    let lengths = Lengths {
        probabilities: vec![0.0, 1.0],
        input_tokens: vec![2000.0, 2000.0],
        output_tokens: vec![vec![1.0, 1.0]],
    };
    let model = TrafficModel {
        name: "fixed".into(),
        source: "test".into(),
        rate_per_s: 1.0,
        curve_bin_s: 3600.0,
        curve: vec![1.0],
        burst_window_s: 3600.0,
        burst_cv2: 0.0,
        batch_s: 0.0,
        lengths,
        sessions: None,
    };
    let sources = HashMap::from([("fixed".to_owned(), TrafficSource::Model(model))]);
    let catalogue = Catalogue::shipped().unwrap();
    let deployment = rialto_fleet::cluster::deployment(&p, &catalogue).unwrap();
    let step = StepModel::new(&deployment, &Parameters::shipped().unwrap());
    let service_s = step.step_seconds(&StepLoad::prefill(1, 2000));
    for rho in [0.3, 0.6, 0.8] {
        p.rate_per_s = Some(rho / service_s);
        let s = scenario(p.clone(), 60_000.0 * service_s / rho);
        let fleet = build(&s, &sources);
        let result = run(&fleet, &RunOptions::default(), &|_, _| {});
        let r = ServingReport::new(&fleet, &result, Mode::Exact, 0.0);
        let expected = rho / (2.0 * (1.0 - rho)) * service_s;
        let got = r.fleet.queue.mean_s;
        assert!(
            (got / expected - 1.0).abs() < 0.05,
            "rho {rho}: {got} for {expected}"
        );
        assert!(
            (r.fleet.utilisation / rho - 1.0).abs() < 0.02,
            "{}",
            r.fleet.utilisation
        );
    }
}

#[test]
fn better_routing_queues_less() {
    let queue = |policy| {
        let mut p = pool("a", 16, "azure-code", 60.0);
        p.routing = policy;
        report(&scenario(p, 300.0), Mode::Exact, 1).fleet.ttft.p99_s
    };
    let (random, two, least) = (
        queue(Policy::Random),
        queue(Policy::PowerOfTwo),
        queue(Policy::LeastLoad),
    );
    assert!(two < random, "power of two {two}, random {random}");
    assert!(least < random, "least load {least}, random {random}");
}

#[test]
fn prefix_affinity_finds_more_in_the_cache() {
    let cached = |policy, cache| {
        let mut p = pool("a", 8, "agent", 10.0);
        p.routing = policy;
        p.prefix_cache = cache;
        report(&scenario(p, 300.0), Mode::Exact, 1)
            .fleet
            .cached_share
    };
    let affine = cached(Policy::PrefixAffinity, true);
    let random = cached(Policy::Random, true);
    assert!(affine > random + 0.1, "affinity {affine}, random {random}");
    assert_eq!(cached(Policy::PrefixAffinity, false), 0.0);
}

/// A trace in batches whose prompts share a short opening, and the generator fitted to it, agree on
/// which routing policy is better.
#[test]
fn a_trace_and_its_generator_rank_routing_policies_alike() {
    let name = "mooncake_conversation.jsonl";
    let Some(path) = rialto_testing::outside_data(&format!("fleet/{name}")) else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let trace = Trace::parse(name, &text, None).unwrap();
    let sources = HashMap::from([
        ("trace".to_owned(), TrafficSource::Trace(trace)),
        (
            "mooncake-conversation".to_owned(),
            shipped("mooncake-conversation"),
        ),
    ]);
    for traffic in ["trace", "mooncake-conversation"] {
        let mean_s = |policy| {
            let mut p = pool("a", 16, traffic, 3.4);
            p.routing = policy;
            p.rate_per_s = None;
            p.max_sequences = 256;
            let fleet = build(&scenario(p, 3_537.0), &sources);
            let result = run(&fleet, &RunOptions::default(), &|_, _| {});
            ServingReport::new(&fleet, &result, Mode::Exact, 0.0)
                .fleet
                .ttft
                .mean_s
        };
        let (random, two) = (mean_s(Policy::Random), mean_s(Policy::PowerOfTwo));
        let (least, affinity) = (mean_s(Policy::LeastLoad), mean_s(Policy::PrefixAffinity));
        let all = format!("{traffic}: {random} {two} {least} {affinity}");
        assert!(two < random, "{all}");
        assert!(least < two && affinity < two, "{all}");
    }
}

#[test]
fn idle_replicas_cost_nothing() {
    let few = report(
        &scenario(pool("a", 100, "azure-conv", 5.0), 100.0),
        Mode::Exact,
        1,
    );
    let many = report(
        &scenario(pool("a", 100_000, "azure-conv", 5.0), 100.0),
        Mode::Exact,
        1,
    );
    assert_eq!(few.fleet.arrived, many.fleet.arrived);
    assert!(many.steps < few.steps * 2, "idle replicas take no steps");
}

#[test]
fn disaggregation_keeps_decoding_clear_of_prompts() {
    let tpot = |split: bool| {
        let mut p = pool("a", 8, "azure-code", 20.0);
        p.disaggregate = split.then_some(Disaggregate {
            prefill_replicas: 5,
            transfer_gb_s: 100.0,
            transfer_latency_ms: 0.1,
        });
        report(&scenario(p, 200.0), Mode::Exact, 1).fleet.tpot.p90_s
    };
    assert!(tpot(true) < tpot(false), "{} {}", tpot(true), tpot(false));
}

/// Requests past their prompt never outnumber what the decode replicas can run, however far the
/// prefill replicas could run ahead.
#[test]
fn a_full_decode_side_holds_the_prompts_back() {
    let mut p = pool("a", 5, "azure-conv", 30.0);
    p.disaggregate = Some(Disaggregate {
        prefill_replicas: 4,
        transfer_gb_s: 100.0,
        transfer_latency_ms: 0.1,
    });
    p.max_sequences = 8;
    let s = scenario(p, 60.0);
    let fleet = build(&s, &sources());
    let options = RunOptions {
        keep_outcomes: true,
        ..RunOptions::default()
    };
    let result = run(&fleet, &options, &|_, _| {});
    let outcomes = &result.pools[0].outcomes;
    assert!(outcomes.len() > 200, "{}", outcomes.len());
    let mut changes: Vec<(u64, i32)> = Vec::new();
    for o in outcomes {
        changes.push((o.job.scheduled_ps, 1));
        changes.push((o.finished_ps, -1));
    }
    changes.sort_unstable();
    let mut inside = 0;
    let most = changes.iter().map(|(_, change)| {
        inside += change;
        inside
    });
    let most = most.max().unwrap();
    assert!(most > 4, "the decode replica is kept busy: {most}");
    assert!(most <= 8, "one decode replica runs 8 sequences: {most}");
    let waits = outcomes
        .iter()
        .filter(|o| o.job.scheduled_ps - o.job.request.arrival_ns * 1000 > 1_000_000_000_000);
    assert!(waits.count() > 100, "prompts wait for the decode side");
}

#[test]
fn a_trace_is_replayed_to_its_end_and_split_over_cells() {
    let requests: Vec<Request> = (0..500u64)
        .map(|i| Request {
            arrival_ns: i * 20_000_000,
            input_tokens: 100 + (i % 7) as u32 * 50,
            output_tokens: 1 + (i % 90) as u32,
            ..Request::default()
        })
        .collect();
    let wanted: f64 = requests.iter().map(|r| f64::from(r.output_tokens)).sum();
    let trace = Trace {
        requests,
        prefixes: PrefixTable::default(),
    };
    let sources = HashMap::from([("t".to_owned(), TrafficSource::Trace(trace))]);
    let mut p = pool("a", 6, "t", 1.0);
    p.rate_per_s = None;
    p.cell_replicas = Some(2);
    let s = ServingScenario::of_pool("trace".into(), p);
    let fleet = build(&s, &sources);
    assert_eq!(fleet.pools[0].cells, [2, 2, 2]);
    let result = run(&fleet, &RunOptions::default(), &|_, _| {});
    let r = ServingReport::new(&fleet, &result, Mode::Exact, 0.0);
    assert_eq!(r.fleet.finished, 500.0);
    assert!((r.fleet.output_tokens_per_s * r.fleet.window_s / wanted - 1.0).abs() < 1e-9);
}

/// A context longer than the model takes is turned away and counted, however large the cache.
#[test]
fn requests_longer_than_the_models_context_are_rejected() {
    let catalogue = Catalogue::shipped().unwrap();
    let most = catalogue.model("llama3.1-8b").unwrap().max_context_tokens;
    for prefill in [0, 1] {
        let lengths = [(most - 10, 10), (most - 10, 11), (200_000, 1), (100, 10)];
        let requests = lengths
            .iter()
            .zip(0..)
            .map(|(&(input, output), i)| Request {
                arrival_ns: i * 60_000_000_000,
                input_tokens: input,
                output_tokens: output,
                ..Request::default()
            });
        let trace = Trace {
            requests: requests.collect(),
            prefixes: PrefixTable::default(),
        };
        let sources = HashMap::from([("t".to_owned(), TrafficSource::Trace(trace))]);
        let mut p = pool("a", 2, "t", 1.0);
        p.rate_per_s = None;
        p.disaggregate = (prefill > 0).then_some(Disaggregate {
            prefill_replicas: prefill,
            transfer_gb_s: 100.0,
            transfer_latency_ms: 0.1,
        });
        let fleet = build(&ServingScenario::of_pool("t".into(), p), &sources);
        assert!(
            fleet.pools[0].config.kv_blocks * 16 > 200_000,
            "the cache would hold it"
        );
        let result = run(&fleet, &RunOptions::default(), &|_, _| {});
        let t = ServingReport::new(&fleet, &result, Mode::Exact, 0.0).fleet;
        assert_eq!((t.arrived, t.finished, t.rejected), (4.0, 2.0, 2.0));
    }
}

#[test]
fn unknown_names_and_plans_that_do_not_fit_name_the_field() {
    let catalogue = Catalogue::shipped().unwrap();
    let parameters = Parameters::shipped().unwrap();
    let text = "name = \"x\"\nduration_s = 10\n[[pool]]\nname = \"a\"\nmodel = \"llama3.1-70b\"\n\
        chip = \"h100_sxm\"\ntensor = 4\nreplicas = 1\ntraffic = \"azure-conv\"\n";
    let table = [
        ("llama3.1-70b", "llama9", 5, "pool[0].model"),
        ("h100_sxm", "h1000", 6, "pool[0].chip"),
        ("tensor = 4", "tensor = 1", 7, "pool[0].tensor"),
        ("tensor = 4", "tensor = 7", 7, "pool[0].tensor"),
        ("azure-conv", "azure-talk", 9, "pool[0].traffic"),
        ("duration_s = 10\n", "", 8, "pool[0].traffic"),
    ];
    for (from, to, line, field) in table {
        let text = text.replace(from, to);
        let scenario = ServingScenario::parse("s.toml", &text).unwrap();
        let error = Fleet::build(
            "s.toml",
            &text,
            &scenario,
            &catalogue,
            &parameters,
            &sources(),
        )
        .unwrap_err();
        assert_eq!((error.line, error.field.as_str()), (line, field), "{error}");
        assert!(error.to_string().starts_with("s.toml, line "), "{error}");
    }
}
