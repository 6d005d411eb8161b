//! A realm goes on without the part of its log that is archived, says when it needs it, and loses
//! nothing wherever archiving is interrupted.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rialto_core::hash::Hash;
use rialto_core::id::{OwnerId, number};
use rialto_core::identity::Principal;
use rialto_core::text::Handle;
use rialto_core::time::Time;
use rialto_journal::sqlite::{SqliteJournal, SqliteReader};
use rialto_journal::{Journal, JournalError, LogReader, verify};
use rialto_server::node::{
    Archived, Ask, BootError, SecretsError, SeededChance, Step, VirtualClock, archive,
};
use rialto_server::realm::{Realm, Setup};
use rialto_views::{EventFilter, Scope, Views};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::workload::{Dice, ask, something};

const BEGAN: u64 = 1_795_000_000_000;
/// Later than anything that happens.
const ALL: Time = Time(u64::MAX);

/// A realm in a folder that has done something, and is closed.
struct Place {
    base: tempfile::TempDir,
    digest: String,
    position: u64,
    /// Every event as the views tell it.
    events: Vec<Value>,
}

impl Place {
    async fn new(seed: u64, steps: u64) -> Self {
        let base = tempfile::tempdir().unwrap();
        let clock = VirtualClock::new(Time(BEGAN));
        let mut place = Self {
            base,
            digest: String::new(),
            position: 0,
            events: Vec::new(),
        };
        let setup = place
            .setup(None)
            .driven_by(clock.clone(), SeededChance::new(seed));
        let realm = Realm::open(setup).await.unwrap();
        let mut dice = Dice::new(seed);
        for ask in peopled() {
            realm.node().ask(ask).await.unwrap();
        }
        for _ in 0..steps {
            clock.advance_ms(1_000);
            let seed = dice.roll();
            let next = realm
                .node()
                .read(move |state| something(state, &mut Dice::new(seed)));
            let (_, ask) = next.await.unwrap();
            realm.node().ask(ask).await.unwrap();
        }
        (place.digest, place.position) = digest(&realm).await;
        place.events = events(&realm).await;
        realm.close().await.unwrap();
        place
    }

    fn data(&self) -> PathBuf {
        self.base.path().join("data")
    }

    fn to(&self) -> PathBuf {
        self.base.path().join("archive")
    }

    fn setup(&self, archive: Option<PathBuf>) -> Setup {
        Setup::folder(self.data(), Handle::new("test").unwrap()).with_archive(archive)
    }

    /// Opens the realm with a clock that has no time pass.
    async fn open(&self, archive: Option<PathBuf>) -> Result<Realm, BootError> {
        let clock = VirtualClock::new(Time(BEGAN));
        let setup = self.setup(archive);
        Realm::open(setup.driven_by(clock, SeededChance::new(1))).await
    }

    fn archive(&self, before: Time) -> Result<Archived, BootError> {
        archive(
            &self.data(),
            before,
            &self.to(),
            &SeededChance::new(1),
            &mut |_| {},
        )
    }

    /// The realm is what it was: the same state, the same events.
    async fn check(&self, archive: Option<PathBuf>) {
        let realm = self.open(archive).await.unwrap();
        assert_eq!(digest(&realm).await, (self.digest.clone(), self.position));
        assert_eq!(events(&realm).await, self.events);
        realm.close().await.unwrap();
    }

    fn remove(&self, name: &str) {
        for ending in ["", "-wal", "-shm"] {
            let path = self.data().join(format!("{name}{ending}"));
            if path.exists() {
                fs::remove_file(path).unwrap();
            }
        }
    }

    fn verify_all(&self) {
        let mut reader = SqliteReader::open(&self.data())
            .unwrap()
            .with_archive(Some(&self.to()));
        let found = verify(&mut reader, &mut |_, _| {}).unwrap();
        assert_eq!(found.envelopes, self.position);
    }
}

/// Two owners with two agents each, who have money; opening has founded the realm.
fn peopled() -> Vec<Ask> {
    let op = Principal::Operator;
    let sign_up = |name| {
        ask(
            op,
            "owner.sign_up",
            &json!({ "name": name, "kind": "person" }),
        )
    };
    let mut asks = vec![sign_up("north"), sign_up("south")];
    for index in 0..4_u8 {
        let owner = OwnerId(number(3 + u64::from(index % 2), 0));
        let key = Hash::of(&[b"test key", &[index]]);
        let args = json!({
            "owner": owner, "handle": format!("agent-{index}"), "key": key, "profile": { "contact": "open" }
        });
        asks.push(ask(op, "agent.register", &args));
        let issued = json!({ "to": format!("@agent-{index}"), "amount": "1000" });
        asks.push(ask(op, "ledger.issue", &issued));
    }
    asks
}

async fn digest(realm: &Realm) -> (String, u64) {
    let found = realm.node().digest().await.unwrap();
    (found.digest.to_string(), found.position)
}

async fn events(realm: &Realm) -> Vec<Value> {
    let hub = realm.node().hub();
    let mut indexed = hub.watch_indexed();
    let end = hub.durable();
    hub.want(end);
    indexed.wait_for(|at| *at >= end).await.unwrap();
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = realm
            .views()
            .events_after(Scope::Realm, after, 100, &EventFilter::default())
            .unwrap();
        let Some(last) = page.items.last() else {
            return found;
        };
        after = last["position"].as_u64().unwrap();
        found.extend(page.items);
    }
}

fn needs(error: &BootError) -> bool {
    matches!(
        error,
        BootError::Journal(JournalError::Archived { first: 1, .. })
    ) && error.code().to_string() == "RLT0918"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_goes_on_without_what_is_archived() {
    for seed in 1..4 {
        let place = Place::new(seed, 60).await;
        let middle = Time(BEGAN + seed * 14_000);
        let done = place.archive(middle).unwrap();
        assert_eq!((done.from, done.segments), (1, 1));
        assert!(done.until > 0 && done.until < place.position, "{done:?}");
        place.check(None).await;
        // Nothing is from before then any more.
        assert_eq!(place.archive(middle).unwrap().segments, 0);
        // The rest but for the newest frame; as a restored folder is, without files beside the log.
        fs::remove_file(place.data().join("log.db-wal")).unwrap();
        fs::remove_file(place.data().join("log.db-shm")).unwrap();
        let more = place.archive(ALL).unwrap();
        assert_eq!(
            (more.from, more.until),
            (done.until + 1, place.position - 1)
        );
        place.check(None).await;
        place.verify_all();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_wholly_before_the_time_leaves() {
    let place = Place::new(9, 60).await;
    let before = Time(BEGAN + 22_000);
    let until = place.archive(before).unwrap().until;
    let at = |position: u64| {
        let event = &place.events[usize::try_from(position - 1).unwrap()];
        assert_eq!(event["position"], position);
        event["at"].as_str().unwrap().to_owned()
    };
    let before = before.to_string();
    assert!(at(until) < before && at(until + 1) >= before);
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_rebuilt_with_the_archive_and_not_without() {
    let place = Place::new(2, 40).await;
    place.archive(ALL).unwrap();
    place.remove("views.db");
    let refused = place.open(None).await.err().unwrap();
    assert!(needs(&refused), "{refused}");
    assert!(refused.to_string().contains("--archive"), "{refused}");
    assert!(!place.data().join("views.db").exists(), "nothing was begun");
    place.check(Some(place.to())).await;
    place.check(None).await;
    // A file of another version is left alone, too.
    let db = Connection::open(place.data().join("views.db")).unwrap();
    db.execute_batch("PRAGMA user_version = 1").unwrap();
    drop(db);
    let refused = place.open(None).await.err().unwrap();
    assert!(needs(&refused), "{refused}");
    assert!(fs::metadata(place.data().join("views.db")).unwrap().len() > 100_000);
    place.check(Some(place.to())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_entity_table_is_rebuilt_from_the_checkpoint() {
    let place = Place::new(3, 40).await;
    place.archive(Time(BEGAN + 20_000)).unwrap();
    place.remove("entities.db");
    place.check(None).await;
    // One that ends within what is archived: an older copy of it.
    place.archive(ALL).unwrap();
    place.remove("entities.db");
    place.check(None).await;
    // Neither that nor the state of the checkpoint: never an empty realm.
    place.remove("entities.db");
    let db = Connection::open(place.data().join("log.db")).unwrap();
    db.execute_batch("DELETE FROM base_entities").unwrap();
    drop(db);
    let refused = place.open(None).await.err().unwrap();
    assert_eq!(refused.code().to_string(), "RLT0904", "{refused}");
    assert!(refused.to_string().contains("--archive"), "{refused}");
    place.check(Some(place.to())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_step_leaves_a_log_that_opens() {
    for step in 0..3 {
        let place = Place::new(4, 40).await;
        let mut left = step;
        let interrupted = catch_unwind(AssertUnwindSafe(|| {
            let mut hear = |_: &Step| {
                assert!(left > 0, "interrupted");
                left -= 1;
            };
            archive(
                &place.data(),
                ALL,
                &place.to(),
                &SeededChance::new(1),
                &mut hear,
            )
        }));
        assert!(interrupted.is_err());
        place.check(None).await;
        // What had been done counts; the rest is done again.
        let again = place.archive(ALL).unwrap();
        assert_eq!(again.segments, u64::from(step == 0));
        assert_eq!(fs::read_dir(place.to()).unwrap().count(), 1);
        place.check(None).await;
        place.verify_all();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_take_the_segments_changes_nothing() {
    let place = Place::new(5, 20).await;
    // A file in the place of the folder; another realm's segment in the place of ours.
    fs::write(place.to(), "x").unwrap();
    let refused = place.archive(ALL).unwrap_err();
    assert_eq!(refused.code().to_string(), "RLT0911", "{refused}");
    fs::remove_file(place.to()).unwrap();
    let other = Place::new(6, 20).await;
    assert_eq!(other.archive(ALL).unwrap().segments, 1);
    fs::create_dir(place.to()).unwrap();
    let foreign = fs::read_dir(other.to()).unwrap().next().unwrap().unwrap();
    let ours = format!("log-{:016}-{:016}.segment", 1, place.position - 1);
    fs::copy(foreign.path(), place.to().join(ours)).unwrap();
    let refused = place.archive(ALL).unwrap_err();
    assert_eq!(refused.code().to_string(), "RLT0919", "{refused}");
    place.check(None).await;
    let mut reader = SqliteReader::open(&place.data()).unwrap();
    assert_eq!(reader.base().unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_realms_own_key_signs_and_only_without_a_server() {
    let place = Place::new(7, 10).await;
    let key = place.data().join("realm.key");
    let own = fs::read_to_string(&key).unwrap();
    let realm = place.open(None).await.unwrap();
    let locked = place.archive(ALL).unwrap_err();
    assert_eq!(locked.code().to_string(), "RLT0907", "{locked}");
    realm.close().await.unwrap();
    let other = own.replace(&own[8..12], "0000");
    fs::write(&key, other).unwrap();
    let refused = place.archive(ALL).unwrap_err();
    let foreign = matches!(&refused, BootError::Secrets(SecretsError::Foreign { .. }));
    assert!(foreign, "{refused}");
    fs::write(&key, own).unwrap();
    assert_eq!(place.archive(ALL).unwrap().segments, 1);
    // Nothing is created where there is no realm.
    let nowhere = place.base.path().join("nowhere");
    let refused = archive(
        &nowhere,
        ALL,
        &place.to(),
        &SeededChance::new(1),
        &mut |_| {},
    );
    assert_eq!(refused.unwrap_err().code().to_string(), "RLT0906");
    assert!(!Path::new(&nowhere).exists());
}

/// The views of a realm whose server was killed before they had all are brought up first.
#[tokio::test(flavor = "multi_thread")]
async fn views_that_lag_are_brought_up_before_frames_leave() {
    let place = Place::new(8, 30).await;
    place.remove("views.db");
    place.archive(ALL).unwrap();
    // Some are read further than to the end of what leaves.
    let views = place.data().join("views.db");
    assert!(Views::position_in(&views) >= place.position - 1);
    place.check(None).await;
    let journal = SqliteJournal::open(&place.data()).unwrap();
    assert_eq!(journal.head().position, place.position);
}
