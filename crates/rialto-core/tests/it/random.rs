//! Long random runs: after every step the promises hold, and a replay and a snapshot agree.

use proptest::prelude::*;
use rialto_core::command::Command;
use rialto_core::decide::{Request, RequestKey, Verdict, decide};
use rialto_core::hash::Hash;

use crate::driver::Driver;
use crate::spec::{
    corrections_stay_within, digest, entities, holds_are_what_the_log_says, promises, reload,
    spent_is_what_the_log_says,
};

/// What a run came to, so that a run that never gets anywhere is noticed.
#[derive(Default)]
struct Reach {
    accepted: usize,
    rejected: usize,
    duplicates: usize,
    ops: std::collections::BTreeMap<&'static str, usize>,
}

fn run(seed: u64, steps: usize, reach: &mut Reach) -> Driver {
    let mut driver = Driver::new(seed);
    let (mut twin, mut keyed) = (None, None);
    for step in 0..steps {
        if step == steps / 2 {
            twin = Some(reload(&driver.world.state, seed ^ 0xABCD));
        }
        pass_time(&mut driver, &mut twin);
        let (request, command) = with_key(&mut driver, &mut keyed);
        let (op, command) = (command.op(), driver.world.sealed(command));
        let stamp = driver.world.next_stamp();
        let mirrored = twin
            .as_ref()
            .map(|t| format!("{:?}", decide(t, &request, &command, &stamp)));
        let before = (step % 16 == 0).then(|| digest(&driver.world.state));
        let outcome = driver.world.execute(&request, &command);
        if let Some(mirrored) = mirrored {
            assert_eq!(
                mirrored,
                format!("{outcome:?}"),
                "seed {seed} step {step}: {op}"
            );
        }
        match outcome {
            Ok(Verdict::Accepted(decision)) => {
                reach.accepted += 1;
                *reach.ops.entry(op).or_default() += 1;
                if let Some(twin) = &mut twin {
                    twin.apply(&decision.envelope);
                }
                driver.learn(driver.world.log.len() - 1);
            }
            Ok(_) => reach.duplicates += 1,
            Err(_) => {
                reach.rejected += 1;
                let after = before.map(|_| digest(&driver.world.state));
                assert_eq!(
                    before, after,
                    "seed {seed} step {step}: a rejected {op} left a trace"
                );
            }
        }
        if let Err(why) = promises(&driver.world.state) {
            panic!("seed {seed} step {step}: after {op}: {why}");
        }
        if step % 64 == 0
            && let Err(why) = spent_is_what_the_log_says(&driver.world.state, &driver.world.log)
                .and_then(|()| corrections_stay_within(&driver.world.state, &driver.world.log))
                .and_then(|()| holds_are_what_the_log_says(&driver.world.state, &driver.world.log))
        {
            panic!("seed {seed} step {step}: {why}");
        }
    }
    driver.world.settle();
    if let Some(twin) = twin {
        assert_eq!(
            entities(&twin),
            entities(&driver.world.state),
            "seed {seed}"
        );
    }
    driver
}

/// The next command, sometimes with an idempotency key, or the last keyed one once more.
fn with_key(
    driver: &mut Driver,
    keyed: &mut Option<(Request, Command<String>)>,
) -> (Request, Command<String>) {
    if let Some(again) = keyed.clone().filter(|_| driver.rng.chance(10)) {
        return again;
    }
    let (mut request, command) = driver.command();
    if driver.rng.chance(15) {
        request.key = Some(RequestKey {
            made_at_s: driver.world.now.0 / 1_000,
            key: Hash::of(&[&driver.rng.below(200).to_le_bytes()]).short(),
            request: Hash::of(&[format!("{command:?}").as_bytes()]).short(),
            signed: false,
        });
        *keyed = Some((request.clone(), command.clone()));
    }
    (request, command)
}

/// Mostly a few seconds; sometimes half an hour, after which the clock ticks; rarely a day. Now and then
/// the machine's clock alone is moved, ahead or back.
fn pass_time(driver: &mut Driver, twin: &mut Option<rialto_core::state::State>) {
    let from = driver.world.log.len();
    let (steps, step_ms) = match driver.rng.below(200) {
        0 => (48, 30 * 60_000),
        1..=6 => (1, driver.rng.below(35 * 60_000)),
        7..=30 => (1, driver.rng.below(90_000)),
        31 => {
            driver.world.now = driver.world.now.after(20 * 60_000);
            (0, 0)
        }
        32 => {
            driver.world.now.0 -= 20 * 60_000;
            (0, 0)
        }
        _ => (0, 0),
    };
    for _ in 0..steps {
        driver.world.pass(step_ms as u64);
        driver.world.tick_all();
    }
    for envelope in &driver.world.log[from..] {
        if let Some(twin) = twin {
            twin.apply(envelope);
        }
    }
}

#[test]
fn the_promises_hold_after_every_step_of_long_random_runs() {
    let mut reach = Reach::default();
    for seed in 1..=10 {
        run(seed, 1_500, &mut reach);
    }
    // A run in which nothing happens would prove nothing.
    assert!(reach.accepted > 2_500, "{} accepted", reach.accepted);
    assert!(reach.rejected > 1_000, "{} rejected", reach.rejected);
    assert!(reach.duplicates > 20, "{} duplicates", reach.duplicates);
    for op in [
        "negotiation.accept",
        "deal.deliver",
        "deal.accept",
        "deal.dispute",
        "deal.rule",
        "deal.refund",
        "call.propose",
        "ledger.transfer",
        "ledger.deposit",
        "ledger.withdraw",
        "ledger.end_withdrawal",
        "ledger.correct",
        "ledger.capture",
        "ledger.raise",
        "policy.answer_approval",
        "usage.reserve",
        "usage.settle",
        "deployment.create",
        "inference.reserve",
        "inference.settle",
        "owner.stop",
        "team.agree_split",
        "task.update",
        "mail.send",
        "agent.close",
        "social.post",
        "social.edit",
        "social.react",
        "community.join",
        "community.appoint",
        "social.report",
        "moderation.act",
        "moderation.appeal",
        "moderation.decide_appeal",
    ] {
        assert!(reach.ops.contains_key(op), "no {op} was ever accepted");
    }
}

#[test]
fn the_same_seed_makes_the_same_run() {
    let digests: Vec<_> = (0..2)
        .map(|_| digest(&run(99, 400, &mut Reach::default()).world.state))
        .collect();
    assert_eq!(digests[0], digests[1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_hold_for_any_seed(seed: u64) {
        run(seed, 300, &mut Reach::default());
    }
}
