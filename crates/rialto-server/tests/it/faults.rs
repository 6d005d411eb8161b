//! The node's engine on a faulty disk, over thousands of seeds.
//!
//! Every run decides random commands, lets answers go only when their position is durable (the next
//! frame is decided while the last one is being synced), crashes at random points and on every
//! failed sync, and starts again from what the disk kept. After every start it checks the promises:
//! nothing acknowledged is lost or doubled, money is conserved, and snapshot plus replay give the
//! same state as a replay from the first event. A failure names its seed.

use std::collections::BTreeMap;

use rialto_core::decide::{RequestKey, Stamp};
use rialto_core::event::Envelope;
use rialto_core::hash::Hash;
use rialto_core::id::AnyId;
use rialto_core::state::State;
use rialto_core::time::Time;
use rialto_journal::digest::{Digest, entity_hash};
use rialto_journal::entities::{EntityStore, MemoryEntities, Upsert};
use rialto_journal::memory::{Fault, FaultPlan, FaultRates, MemoryDisk, MemoryJournal};
use rialto_journal::{Journal, LogReader, Staged};
use rialto_server::node::{
    Answered, Ask, Batch, Engine, Reply, content_refs, name_of, restore, stage,
};
use rialto_wire::body::content_hash;

use super::workload::{Dice, founding, something};

const SEEDS: u64 = 2_000;
const STEPS: u64 = 120;

/// What a client was told: at this position, these ids, and which facts stood behind it.
struct Told {
    ids: Vec<AnyId>,
    facts: Option<Vec<u8>>,
    key: Option<(Ask, RequestKey)>,
}

/// A frame that is being synced, its staged texts, and who waits for it.
type InFlight = (Batch, Vec<Staged>, Vec<(u64, Told)>);

struct World {
    dice: Dice,
    disk: MemoryDisk,
    journal: MemoryJournal,
    entities: MemoryEntities,
    engine: Engine,
    now: u64,
    in_flight: Option<InFlight>,
    /// The texts of what is decided and not handed over yet.
    staged: Vec<Staged>,
    parked: Vec<(u64, Told)>,
    told: BTreeMap<u64, Vec<Told>>,
    keys: u64,
    crashes: u64,
}

impl World {
    fn new(seed: u64, plan: FaultPlan) -> Self {
        let disk = MemoryDisk::new(plan);
        let (journal, engine, entities) = start(&disk, MemoryEntities::default(), seed);
        Self {
            dice: Dice::new(seed),
            disk,
            journal,
            entities,
            engine,
            now: 1_795_000_000_000,
            in_flight: None,
            staged: Vec::new(),
            parked: Vec::new(),
            told: BTreeMap::new(),
            keys: 0,
            crashes: 0,
        }
    }

    fn stamp(&mut self) -> Stamp {
        self.now += self.dice.below(400);
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&self.dice.roll().to_le_bytes());
        Stamp {
            now: Time(self.now),
            steady_ms: self.now,
            began_ms: 0,
            entropy,
            custody: None,
        }
    }

    fn ask(&mut self, mut ask: Ask) {
        let founded = self.engine.state().position() > 0;
        let keyed = (founded && self.dice.one_in(4)).then(|| {
            self.keys += 1;
            let key = Hash::of(&[b"key", &self.keys.to_le_bytes()]).short();
            RequestKey {
                made_at_s: self.now / 1_000,
                key,
                request: key,
                signed: false,
            }
        });
        ask.request.key = keyed;
        let again = ask.clone();
        let Ok(staged) = stage(&self.journal.contents(), &ask) else {
            return;
        };
        let stamp = self.stamp();
        let mut facts = None;
        let answered = self
            .engine
            .ask(ask, &stamp, &mut |e: &Envelope| facts = Some(e.encode()));
        assert!(
            self.engine.defect().is_none(),
            "an event did not fit the state"
        );
        let ids = match answered.reply {
            Reply::Accepted { ids, .. } => {
                self.staged.extend(staged);
                ids
            }
            _ => Vec::new(),
        };
        let key = keyed.filter(|_| facts.is_some()).map(|k| (again, k));
        self.parked
            .push((answered.position, Told { ids, facts, key }));
    }

    /// Decides on while a frame may be in flight, as the writer does.
    fn step(&mut self) {
        if self.engine.state().position() == 0 {
            founding().into_iter().for_each(|ask| self.ask(ask));
        } else {
            let ask = something(self.engine.state(), &mut self.dice);
            self.ask(ask);
        }
        if self.dice.one_in(3) {
            self.sync();
        }
        if self.dice.one_in(4) {
            self.hand_over();
        }
        if self.dice.one_in(60) {
            self.crash();
        }
    }

    fn hand_over(&mut self) {
        if self.in_flight.is_some() {
            return;
        }
        let (batch, _) = self.engine.take_batch();
        let waiting = std::mem::take(&mut self.parked);
        let staged = std::mem::take(&mut self.staged);
        match batch {
            Some(batch) => self.in_flight = Some((batch, staged, waiting)),
            None => waiting
                .into_iter()
                .for_each(|(at, told)| self.tell(at, told)),
        }
    }

    fn sync(&mut self) {
        let Some((batch, staged, waiting)) = self.in_flight.take() else {
            return;
        };
        let Ok(head) = self.journal.append(&batch.frame) else {
            return self.crash();
        };
        drop(staged);
        for (at, told) in waiting {
            assert!(
                at <= head.position,
                "an answer left before its position was durable"
            );
            self.tell(at, told);
        }
        // The keeper follows behind, with the state as it stands at a durable position.
        if self.engine.pending_envelopes() == 0 && self.dice.one_in(3) {
            let state = self.engine.state_mut();
            let keys = state.changes.take_touched();
            let upserts: Vec<Upsert> = keys
                .into_iter()
                .map(|key| (key.to_vec(), state.encode_entity(&key)))
                .collect();
            self.entities
                .apply(head.position, head.chain, &upserts)
                .unwrap();
        }
    }

    fn tell(&mut self, at: u64, told: Told) {
        self.told.entry(at).or_default().push(told);
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.disk.crash();
        self.in_flight = None;
        self.staged.clear();
        self.parked.clear();
        let (journal, engine, entities) =
            start(&self.disk, self.entities.clone(), self.dice.roll());
        (self.journal, self.engine, self.entities) = (journal, engine, entities);
        self.check();
    }

    fn check(&mut self) {
        let mut reader = self.journal.reader();
        let head = self.journal.head().position;
        for (at, told) in &self.told {
            assert!(*at <= head, "told of position {at}, the log ends at {head}");
            for told in told {
                let Some(facts) = &told.facts else { continue };
                assert_eq!(
                    reader.envelope(*at).unwrap().as_ref(),
                    Some(facts),
                    "position {at} was rewritten"
                );
            }
        }
        assert_conserved(self.engine.state());
        assert_eq!(
            digest(self.engine.state()),
            digest(&replayed(reader.as_mut())),
            "snapshot differs from replay"
        );
        self.check_keys();
    }

    /// A repeated key gets the first answer again and does nothing.
    fn check_keys(&mut self) {
        let keyed = self
            .told
            .iter()
            .flat_map(|(at, told)| told.iter().map(move |t| (*at, t)));
        let keyed: Vec<_> = keyed
            .filter_map(|(at, t)| Some((at, t.ids.clone(), t.key.clone()?)))
            .collect();
        for (at, ids, (mut ask, key)) in keyed.into_iter().rev().take(3) {
            ask.request.key = Some(key);
            let stamp = self.stamp();
            let Answered { reply, .. } =
                self.engine.ask(ask, &stamp, &mut |_| panic!("done twice"));
            assert_eq!(reply, Reply::Duplicate { position: at, ids });
        }
    }
}

fn start(
    disk: &MemoryDisk,
    mut entities: MemoryEntities,
    seed: u64,
) -> (MemoryJournal, Engine, MemoryEntities) {
    let mut journal = MemoryJournal::open(disk).unwrap();
    let (state, _) = restore(&mut journal, &mut entities, seed).unwrap();
    (journal, Engine::new(state), entities)
}

fn replayed(reader: &mut dyn LogReader) -> State {
    let mut state = State::new(99);
    let mut next = 1;
    loop {
        let frames = reader.read_from(next, 1 << 20).unwrap();
        if frames.is_empty() {
            return state;
        }
        for facts in frames.iter().flat_map(|f| &f.envelopes) {
            state.apply(&Envelope::decode(facts).unwrap());
            next += 1;
        }
    }
}

/// Every text that a fact names is there, and is the one that it names.
fn assert_contents(reader: &mut dyn LogReader) {
    let frames = reader.read_from(1, usize::MAX).unwrap();
    for facts in frames.iter().flat_map(|frame| &frame.envelopes) {
        let envelope = Envelope::decode(facts).unwrap();
        for named in envelope.events.iter().flat_map(content_refs) {
            let text = reader.content(&name_of(&named)).unwrap().unwrap();
            assert_eq!(content_hash(&text.salt, &text.bytes), named.hash);
        }
    }
}

fn digest(state: &State) -> Digest {
    let mut sum = Digest::default();
    state.for_each_key(|key| {
        let value = state.encode_entity(&key).unwrap();
        sum.add(&entity_hash(&key.to_vec(), &value));
    });
    sum
}

fn assert_conserved(state: &State) {
    let mut sums = BTreeMap::new();
    state.accounts.for_each(|_, account| {
        *sums.entry(account.asset).or_insert(0) += account.balance.0;
        assert!(
            account.may_go_negative() || account.available().0 >= 0,
            "an account is overdrawn"
        );
    });
    assert!(
        sums.values().all(|sum| *sum == 0),
        "money was made or lost: {sums:?}"
    );
}

fn run(seed: u64, plan: FaultPlan) -> World {
    let mut world = World::new(seed, plan);
    for _ in 0..STEPS {
        world.step();
    }
    world.crash();
    assert_contents(world.journal.reader().as_mut());
    world
}

#[test]
fn nothing_acknowledged_is_lost_over_thousands_of_seeds() {
    let rates = FaultRates {
        sync_fails: 300,
        storage_full: 100,
        flip_byte: 0,
        slow: 0,
    };
    let (mut crashes, mut told) = (0, 0);
    for seed in 0..SEEDS {
        let outcome = std::panic::catch_unwind(|| {
            let world = run(seed, FaultPlan::seeded(seed, rates));
            (world.crashes, world.told.len())
        });
        let Ok((crashed, acknowledged)) = outcome else {
            panic!("seed {seed} breaks a promise")
        };
        crashes += crashed;
        told += acknowledged;
    }
    assert!(
        crashes > SEEDS && told > 10_000,
        "the runs did too little: {crashes} crashes, {told} answers"
    );
}

/// The harness must be able to fail: on a disk that lies about syncing, it notices the loss.
#[test]
fn a_lying_disk_is_noticed() {
    let caught = (0..40).any(|seed| {
        let lies = (0..200).map(|n| (n, Fault::SyncIgnored));
        std::panic::catch_unwind(|| drop(run(seed, FaultPlan::script(lies)))).is_err()
    });
    assert!(caught);
}
