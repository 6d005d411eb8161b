//! The entity table against a plain map, on both backends.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use rialto_journal::JournalError;
use rialto_journal::digest::{Digest, entity_hash};
use rialto_journal::entities::{EntityState, EntityStore, MemoryEntities, SqliteEntities, Upsert};
use rusqlite::Connection;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn open(folder: &Path) -> [(&'static str, Box<dyn EntityStore>); 2] {
    let sqlite = SqliteEntities::open(&folder.join("entities.db")).unwrap();
    [
        ("memory", Box::new(MemoryEntities::default())),
        ("sqlite", Box::new(sqlite)),
    ]
}

fn state_of(model: &Model, position: u64, chain: [u8; 32]) -> EntityState {
    let mut digest = Digest::default();
    model
        .iter()
        .for_each(|(key, value)| digest.add(&entity_hash(key, value)));
    EntityState {
        position,
        chain,
        digest,
        count: model.len() as u64,
    }
}

fn loaded(store: &mut dyn EntityStore) -> Model {
    let mut model = Model::new();
    let state = store
        .load(&mut |key, value| assert!(model.insert(key.to_vec(), value.to_vec()).is_none()))
        .unwrap();
    assert_eq!(state, store.state());
    model
}

fn change(model: &mut Model, upserts: &[Upsert]) {
    for (key, value) in upserts {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
}

fn batches() -> impl Strategy<Value = Vec<Vec<Upsert>>> {
    let key = prop::collection::vec(0..3_u8, 0..3);
    let value = prop::option::weighted(0.7, prop::collection::vec(any::<u8>(), 0..20));
    prop::collection::vec(prop::collection::vec((key, value), 0..12), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn table_and_digest_follow_a_plain_map(batches in batches()) {
        let folder = tempfile::tempdir().unwrap();
        for (backend, mut store) in open(folder.path()) {
            let mut model = Model::new();
            for (position, batch) in (1..).zip(&batches) {
                change(&mut model, batch);
                let chain = [position as u8; 32];
                let state = store.apply(position, chain, batch).unwrap();
                prop_assert_eq!(state, state_of(&model, position, chain), "{}", backend);
            }
            prop_assert_eq!(loaded(&mut *store), model, "{}", backend);
        }
        let last = batches.len() as u64;
        let mut again = SqliteEntities::open(&folder.path().join("entities.db")).unwrap();
        let mut model = Model::new();
        batches.iter().for_each(|batch| change(&mut model, batch));
        prop_assert_eq!(again.state(), state_of(&model, last, [last as u8; 32]));
        prop_assert_eq!(loaded(&mut again), model);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Wherever the power is cut while the write-ahead file is written: the table of an earlier batch.
    #[test]
    fn cut_write_ahead_file_gives_an_earlier_whole_table(at: prop::sample::Index) {
        let folder = tempfile::tempdir().unwrap();
        let (live, cut) = (folder.path().join("live.db"), folder.path().join("cut.db"));
        let mut store = SqliteEntities::open(&live).unwrap();
        let mut states = vec![store.state()];
        for position in 1..=12 {
            let upserts = [some("a", &"x".repeat(position * 900)), some(&format!("b{position}"), "1")];
            states.push(store.apply(position as u64, [2; 32], &upserts).unwrap());
        }
        std::fs::copy(&live, &cut).unwrap();
        let wal = std::fs::read(folder.path().join("live.db-wal")).unwrap();
        std::fs::write(folder.path().join("cut.db-wal"), &wal[..at.index(wal.len() + 1)]).unwrap();

        let mut store = SqliteEntities::open(&cut).unwrap();
        let state = store.load(&mut |_, _| {}).unwrap();
        prop_assert!(states.contains(&state), "{:?}", state);
    }
}

fn some(key: &str, value: &str) -> Upsert {
    (key.into(), Some(value.into()))
}

#[test]
fn new_and_reset_tables_are_empty() {
    let folder = tempfile::tempdir().unwrap();
    for (backend, mut store) in open(folder.path()) {
        assert_eq!(store.state(), EntityState::default(), "{backend}");
        store.apply(9, [9; 32], &[some("a", "1")]).unwrap();
        store.reset().unwrap();
        assert_eq!(store.state(), EntityState::default(), "{backend}");
        assert!(loaded(&mut *store).is_empty(), "{backend}");
        store.apply(1, [1; 32], &[some("b", "2")]).unwrap();
        assert_eq!(loaded(&mut *store).len(), 1, "{backend}");
    }
    let again = SqliteEntities::open(&folder.path().join("entities.db")).unwrap();
    assert_eq!((again.state().position, again.state().count), (1, 1));
}

#[test]
fn going_back_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (backend, mut store) in open(folder.path()) {
        let state = store.apply(5, [5; 32], &[some("a", "1")]).unwrap();
        let error = store.apply(4, [4; 32], &[some("a", "2")]).unwrap_err();
        assert!(
            matches!(error, JournalError::Invalid { .. }),
            "{backend}: {error}"
        );
        assert_eq!(store.state(), state, "{backend}");
        // The same position again is fine: a batch may be split.
        store.apply(5, [5; 32], &[some("b", "1")]).unwrap();
    }
}

#[test]
fn memory_table_is_found_again_through_its_clone() {
    let mut first = MemoryEntities::default();
    let kept = first.clone();
    let state = first.apply(1, [1; 32], &[some("a", "1")]).unwrap();
    drop(first);
    assert_eq!(kept.state(), state);
}

#[test]
fn foreign_newer_and_damaged_tables_are_told_apart() {
    let made = |sql: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("entities.db");
        let mut store = SqliteEntities::open(&path).unwrap();
        store
            .apply(1, [1; 32], &[some("a", "1"), some("b", "2")])
            .unwrap();
        drop(store);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let opened = SqliteEntities::open(&path);
        (
            opened
                .and_then(|mut store| store.load(&mut |_, _| {}))
                .unwrap_err()
                .to_string(),
            folder,
        )
    };
    let cases = [
        ("PRAGMA application_id = 5", "was not written by Rialto"),
        ("PRAGMA user_version = 2", "format version 2"),
        ("UPDATE state SET count = 3", "does not add up"),
        ("UPDATE state SET digest = zeroblob(3)", "damaged"),
    ];
    for (sql, expected) in cases {
        let (error, _folder) = made(sql);
        assert!(error.contains(expected), "{sql}: {error}");
    }
}

/// Enough batches that old ones are emptied and deleted many times over, with removals whose older
/// values must not come back.
#[test]
fn file_stays_within_bounds_and_forgets_only_what_is_stale() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("entities.db");
    let mut store = SqliteEntities::open(&path).unwrap();
    let mut model = Model::new();
    let mut random = 1_u64;
    let mut draw = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut largest = 0;
    for position in 1..=150 {
        let batch: Vec<Upsert> = (0..300)
            .map(|_| {
                let key = draw(1500).to_be_bytes().to_vec();
                let value = (draw(4) > 0).then(|| vec![draw(256) as u8; draw(2000) as usize]);
                (key, value)
            })
            .collect();
        change(&mut model, &batch);
        store.apply(position, [1; 32], &batch).unwrap();
        assert_eq!(store.state(), state_of(&model, position, [1; 32]));
        largest = largest.max(std::fs::metadata(&path).unwrap().len());
        if position % 40 == 0 {
            store = SqliteEntities::open(&path).unwrap();
            assert_eq!(loaded(&mut store), model, "after {position} batches");
        }
    }
    assert_eq!(loaded(&mut store), model);
    // Some 1100 entities of 1 kB, twice, with slack; 34 MB were written.
    assert!(largest < 12 << 20, "{largest} bytes");
    let removals: Vec<Upsert> = model.keys().map(|key| (key.clone(), None)).collect();
    store.apply(151, [1; 32], &removals).unwrap();
    let mut store = SqliteEntities::open(&path).unwrap();
    assert!(loaded(&mut store).is_empty());
    assert_eq!(store.state().digest, Digest::default());
}
