//! Stored forms are frozen: a log written by any earlier code replays to the digest it had then.
//!
//! In `tests/golden`, `NAME.log` holds the envelopes, `NAME.digest` what they replay to, and `NAME.script`
//! the table they were made from. `v1` has no script any more: today's rules would decide some of its
//! commands otherwise. `RIALTO_WRITE_GOLDEN=NAME cargo test -p rialto-core golden` writes a new log from
//! its script; a log that is there stays as it is.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rialto_core::event::{Envelope, Event};
use rialto_core::fact::Fact;
use rialto_core::mail::{Delivery, Lane};
use rialto_core::state::State;

use crate::spec::{World, digest, promises, replay};

fn path(name: &str, ending: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.{ending}"))
}

/// The names of all golden logs and scripts.
fn names() -> BTreeSet<String> {
    let folder = path("v1", "log");
    std::fs::read_dir(folder.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_string())
        .collect()
}

/// Envelopes one after another, each after its length in four bytes, the lowest first.
fn write(log: &[Envelope]) -> Vec<u8> {
    let mut out = Vec::new();
    for envelope in log {
        let bytes = envelope.encode();
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_le_bytes());
        out.extend_from_slice(&bytes);
    }
    out
}

fn read(name: &str) -> Vec<Envelope> {
    let stored = std::fs::read(path(name, "log")).unwrap();
    let mut rest = stored.as_slice();
    let mut log = Vec::new();
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let len = usize::try_from(u32::from_le_bytes(*len)).unwrap();
        let (bytes, after) = after.split_at(len);
        let envelope = Envelope::decode(bytes).unwrap();
        assert_eq!(
            envelope.encode(),
            bytes,
            "{name}: an envelope is stored in another form than it was"
        );
        log.push(envelope);
        rest = after;
    }
    log
}

fn text(state: &State) -> String {
    digest(state)
        .iter()
        .map(|word| format!("{word:016x}"))
        .collect()
}

/// Writes the log that `RIALTO_WRITE_GOLDEN` names from its script.
fn write_if_asked(name: &str) {
    if std::env::var("RIALTO_WRITE_GOLDEN").as_deref() != Ok(name) || path(name, "log").exists() {
        return;
    }
    let mut world = World::new();
    world.run(&std::fs::read_to_string(path(name, "script")).unwrap());
    world.settle();
    std::fs::write(path(name, "log"), write(&world.log)).unwrap();
    std::fs::write(path(name, "digest"), format!("{}\n", text(&world.state))).unwrap();
}

#[test]
fn golden_logs_replay_to_their_digests() {
    for name in names() {
        write_if_asked(&name);
        let state = replay(&read(&name), 4242);
        assert_eq!(state.changes.defects(), 0, "{name}");
        let was = std::fs::read_to_string(path(&name, "digest")).unwrap();
        assert_eq!(text(&state), was.trim_end(), "{name}");
    }
}

#[test]
fn an_older_realm_gets_lanes_with_its_next_envelope() {
    let (mut world, mut state) = (World::bare(), State::new(7));
    let mut log = read("v1");
    // Where its inboxes keep most.
    let kept = log.iter().map(|envelope| {
        state.apply(envelope);
        state.deliveries.len()
    });
    let most = kept.enumerate().max_by_key(|(_, kept)| *kept);
    log.truncate(most.unwrap().0 + 1);
    world.state = replay(&log, 7);
    (world.log, world.now) = (log, world.state.now());
    assert!(world.state.lanes.is_empty() && !world.state.deliveries.is_empty());
    assert_eq!(promises(&world.state), Ok(()));
    world.run("wait +31d");
    assert_eq!(world.state.lanes.len(), 1);
    // By then of what was delivered before only that is kept which waits.
    let kept = |d: &Delivery| d.lane.is_some() || d.stands_in() == Lane::Waiting;
    let each = |_: &_, d: &Delivery| assert!(kept(d), "{d:?}");
    world.state.deliveries.for_each(each);
    world.settle();
}

#[test]
fn every_event_is_in_a_golden_log() {
    let mut seen = BTreeSet::new();
    for envelope in names().iter().flat_map(|name| read(name)) {
        seen.extend(envelope.events.iter().map(Fact::name));
    }
    let all: BTreeSet<&str> = Event::NAMES.iter().copied().collect();
    assert_eq!(all.len(), Event::NAMES.len(), "two events have one name");
    let missing: Vec<_> = all.difference(&seen).collect();
    assert!(missing.is_empty(), "in no golden log: {missing:?}");
}

/// A name is the module's and the variant's, as they stand in JSON.
#[test]
fn events_are_named_as_they_are_written() {
    for event in names()
        .iter()
        .flat_map(|name| read(name))
        .flat_map(|e| e.events)
    {
        let json = serde_json::to_value(&event).unwrap();
        let (module, inner) = json.as_object().unwrap().iter().next().unwrap();
        let variant = match inner {
            serde_json::Value::String(variant) => variant,
            inner => inner.as_object().unwrap().keys().next().unwrap(),
        };
        assert_eq!(event.name(), format!("{module}.{variant}"));
    }
}
