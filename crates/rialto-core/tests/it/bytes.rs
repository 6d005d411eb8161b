//! Hostile bytes: stored forms and the command parser never panic, and round trips are exact.

use proptest::prelude::*;
use rialto_core::command::Command;
use rialto_core::event::{BadEnvelope, Envelope};
use rialto_core::state::State;

use crate::driver::{Driver, Rng};
use crate::spec::{entities, read};

/// A log and a state with something of everything in it.
fn sample() -> Driver {
    let mut driver = Driver::new(5);
    for _ in 0..600 {
        let (request, command) = driver.command();
        if driver
            .world
            .execute(&request, &driver.world.sealed(command))
            .is_ok()
        {
            driver.learn(driver.world.log.len() - 1);
        }
    }
    driver
}

#[test]
fn a_damaged_envelope_is_refused_or_another_envelope_and_never_a_panic() {
    let sample = sample();
    let mut rng = Rng(8);
    for envelope in &sample.world.log {
        let stored = envelope.encode();
        for _ in 0..40 {
            let mut bytes = stored.clone();
            let at = rng.below(bytes.len());
            match rng.below(3) {
                0 => bytes[at] ^= 1 << rng.below(8),
                1 => bytes.truncate(at),
                _ => bytes[at] = rng.next() as u8,
            }
            let _ = Envelope::decode(&bytes);
        }
    }
}

#[test]
fn an_envelope_of_a_newer_version_is_told_apart_from_a_damaged_one() {
    let mut envelope = sample().world.log[0].clone();
    envelope.version = rialto_core::event::VERSION + 1;
    assert_eq!(
        Envelope::decode(&envelope.encode()),
        Err(BadEnvelope::Newer(envelope.version))
    );
    assert_eq!(Envelope::decode(&[]), Err(BadEnvelope::Malformed));
}

#[test]
fn a_damaged_entity_is_refused_or_another_entity_and_never_a_panic() {
    let sample = sample();
    let mut rng = Rng(9);
    let mut state = State::new(3);
    for (key, value) in entities(&sample.world.state) {
        for _ in 0..40 {
            let (mut key, mut value) = (key.clone(), value.clone());
            let damaged = if rng.chance(30) { &mut key } else { &mut value };
            if damaged.is_empty() {
                continue;
            }
            let at = rng.below(damaged.len());
            match rng.below(3) {
                0 => damaged[at] ^= 1 << rng.below(8),
                1 => damaged.truncate(at),
                _ => damaged[at] = rng.next() as u8,
            }
            let _ = state.load_entity(&key, &value);
        }
    }
}

#[test]
fn every_command_survives_json() {
    let mut driver = Driver::new(6);
    for _ in 0..2_000 {
        let (request, command) = driver.command();
        let json = serde_json::to_value(&command).unwrap();
        assert_eq!(json["op"], command.op());
        assert_eq!(
            read(command.op(), &json["args"].to_string()),
            Ok(command.clone())
        );
        let _ = driver
            .world
            .execute(&request, &driver.world.sealed(command));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0_u8..82) {
        let _ = Envelope::decode(&bytes);
        let mut state = State::new(1);
        let key: Vec<u8> = std::iter::once(kind).chain(bytes.iter().copied().take(16)).collect();
        let _ = state.load_entity(&key, &bytes);
    }

    #[test]
    fn random_text_as_arguments_never_panics(op in prop::sample::select(Command::<String>::OPS), text in "\\PC{0,60}") {
        for args in [text.clone(), format!("{{\"amount\": {text:?}, \"name\": {text:?}}}")] {
            let _ = read(op, &args);
        }
    }

    #[test]
    fn a_decimal_equals_what_its_text_reads_back_as(whole in 0_u64..1_000_000, fraction in "[0-9]{0,18}", negative: bool) {
        let sign = if negative { "-" } else { "" };
        let text = if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
        let decimal: rialto_core::amount::Decimal = text.parse().unwrap();
        prop_assert_eq!(decimal.text().parse(), Ok(decimal));
    }
}
