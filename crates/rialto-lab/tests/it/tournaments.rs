//! Tournaments: reproducible on any number of threads, and what ours does against the others.

use rialto_lab::negotiate::domain::Domain;
use rialto_lab::negotiate::generate::{Shape, generate};
use rialto_lab::negotiate::session::{Deadline, End, Steady, Still};
use rialto_lab::negotiate::strategy::Spec;
use rialto_lab::negotiate::tournament::{NegotiationScenario, Table, TournamentPlan};

fn scenarios(shapes: &[Shape], seeds: std::ops::Range<u64>) -> Vec<NegotiationScenario> {
    let all = shapes
        .iter()
        .flat_map(|shape| seeds.clone().map(move |seed| (*shape, seed)));
    all.flat_map(|(shape, seed)| {
        NegotiationScenario::of(&Domain::build(&generate(shape, seed)).unwrap())
    })
    .collect()
}

fn plan(rounds: u32) -> TournamentPlan {
    TournamentPlan {
        strategies: Spec::all(),
        deadline: Deadline::rounds(rounds),
        repeats: 1,
        seed: 7,
    }
}

#[test]
fn a_seed_gives_the_same_records_on_any_number_of_threads() {
    let scenarios = scenarios(&[Shape::Small, Shape::Pressed, Shape::Bundles], 0..3);
    let plan = plan(40);
    let run = |threads| plan.run(&scenarios, threads, &|| Box::new(Still), &|| ());
    let records = run(1);
    assert_eq!(records.len(), plan.negotiations(scenarios.len()));
    assert_eq!(records.len(), scenarios.len() * 7 * 7 * 2);
    assert_eq!(run(3), records);
    // Each side was held by each strategy, and each opened half the time.
    let opened = records.iter().filter(|r| r.first == 0).count();
    assert_eq!(opened * 2, records.len());
    let mut other = plan.clone();
    other.seed = 8;
    let others = other.run(&scenarios, 2, &|| Box::new(Still), &|| ());
    assert_ne!(others, records, "MiCRO draws from the seed");
}

#[test]
fn no_strategy_breaks_the_protocol_or_accepts_less_than_no_agreement() {
    let scenarios = scenarios(
        &[
            Shape::Small,
            Shape::Opposed,
            Shape::Pressed,
            Shape::Trade,
            Shape::Bundles,
            Shape::Steep,
        ],
        50..54,
    );
    for rounds in [1, 2, 3, 25] {
        for record in plan(rounds).run(&scenarios, 2, &|| Box::new(Still), &|| ()) {
            assert!(
                matches!(record.end, End::Agreed | End::Deadline),
                "{record:?}"
            );
            let sides = &scenarios[record.scenario].sides;
            for (side, utility) in sides.iter().zip(record.utilities) {
                let least = side
                    .wishes
                    .discounted(side.wishes.reservation(), record.time);
                assert!(utility >= least - 1e-6, "{record:?}");
            }
        }
    }
}

#[test]
fn a_deadline_by_time_ends_every_negotiation() {
    let scenarios = scenarios(&[Shape::Small, Shape::Opposed], 0..3);
    let mut plan = plan(1);
    plan.deadline = Deadline {
        rounds: None,
        seconds: Some(1.0),
    };
    let clock = || -> Box<dyn rialto_lab::negotiate::session::Clock> {
        Box::new(Steady {
            step: 0.005,
            turns: 0,
        })
    };
    let records = plan.run(&scenarios, 2, &clock, &|| ());
    assert!(records.iter().all(|r| r.rounds <= 100 && r.time <= 1.0));
    let table = Table::of(&plan, scenarios.len(), &records);
    assert!(table.standings.iter().all(|s| s.agreed > 0.4), "{table:?}");
}

/// On domains that no constant was chosen on: other seeds, and shapes that were kept apart.
#[test]
fn ours_leads_and_is_not_exploited_on_domains_it_was_not_made_on() {
    let held_out = [
        Shape::Small,
        Shape::Medium,
        Shape::Trade,
        Shape::Bundles,
        Shape::Switches,
        Shape::Steep,
    ];
    let scenarios = scenarios(&held_out, 500_000..500_025);
    let plan = plan(100);
    let records = plan.run(&scenarios, 2, &|| Box::new(Still), &|| ());
    let table = Table::of(&plan, scenarios.len(), &records);
    assert_eq!(table.standings[0].strategy, "rialto");
    for standing in &table.standings[1..] {
        let behind = standing.behind.unwrap();
        assert!(behind.mean - behind.error > 0.0, "{standing:?}");
    }
    for meeting in table.meetings.iter().filter(|m| m.strategy == "rialto") {
        assert!(meeting.lead.mean + meeting.lead.error >= 0.0, "{meeting:?}");
    }
}
