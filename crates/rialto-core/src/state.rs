//! The state of a realm: every entity, the look-ups over them, and where in the log it stands.
//!
//! State changes only by applying envelopes. Its tables follow from the list of modules
//! ([`crate::modules`]); what is found by what is derived ([`crate::index`]) and no part of the digest.

use alloc::vec::Vec;

use crate::clock::Clock;
use crate::ctx::Ctx;
use crate::entity::{self, Changes, Due, Entity, EntityKey, Store, Stored};
use crate::event::Envelope;
use crate::handles::{self, Looks};
use crate::id::AgentId;
use crate::identity::Principal;
use crate::index::Index;
use crate::mail::{self, KeptIndex};
use crate::market;
use crate::modules::modules;
use crate::noun::Noun;
use crate::policy::{self, Settings};
use crate::realm::{Remembered, forgotten_at};
use crate::reject::{Code, Rejection};
use crate::share::{self, Shares, Windows};
use crate::social::{Benches, Standing};

macro_rules! stores {
    ($(
        $(#[$_about:meta])*
        $module:ident: $_name:ident = $_number:literal, $_event:ident, $_command:ident $(<$_texts:ident>)? {
            $($(#[$doc:meta])* $field:ident: $entity:ident;)*
        }
    )*) => {
        /// The state of a realm.
        pub struct State {
            $($($(#[$doc])* pub $field: Store<crate::$module::$entity>,)*)*
            /// What was touched, and what is due.
            pub changes: Changes,
            pub(crate) index: Index,
            position: u64,
            by: Principal,
            seed: u64,
            actor: Option<AgentId>,
        }

        /// What is said of each entity that is a plain noun.
        pub(crate) const NOUNS: &[Option<&'static Noun>] =
            &[$($(<crate::$module::$entity as Entity>::NOUN,)*)*];

        $($(impl Stored for crate::$module::$entity {
            fn store(state: &State) -> &Store<Self> {
                &state.$field
            }
            fn parts(state: &mut State) -> (&mut Store<Self>, &mut Changes, &mut Index) {
                (&mut state.$field, &mut state.changes, &mut state.index)
            }
        })*)*

        impl State {
            /// The state before the first command, with the process's secret hash seed.
            #[must_use]
            pub fn new(seed: u64) -> Self {
                Self {
                    $($($field: Store::new(seed),)*)*
                    changes: Changes::new(seed),
                    index: Index::new(seed),
                    position: 0,
                    by: Principal::Realm,
                    seed,
                    actor: None,
                }
            }

            /// The canonical encoding of an entity; nothing if it does not exist (any more).
            #[must_use]
            pub fn encode_entity(&self, key: &EntityKey) -> Option<Vec<u8>> {
                match key.kind() {
                    $($(<crate::$module::$entity>::KIND => self.$field.encode(key),)*)*
                    _ => None,
                }
            }

            /// Loads one entity of a snapshot.
            ///
            /// # Errors
            /// When the bytes are no entity that this version knows.
            pub fn load_entity(&mut self, key: &[u8], value: &[u8]) -> Result<(), BadSnapshot> {
                let key = EntityKey::from_slice(key).ok_or(BadSnapshot)?;
                match key.kind() {
                    $($(<crate::$module::$entity>::KIND => {
                        load::<crate::$module::$entity>(self, &key, value)
                    })*)*
                    _ => Err(BadSnapshot),
                }
            }

            /// Lets an entity leave memory.
            pub(crate) fn retire(&mut self, key: &EntityKey) {
                self.note_forgotten(key);
                let gone = match key.kind() {
                    $($(<crate::$module::$entity>::KIND => {
                        key.typed().and_then(|k| self.take::<crate::$module::$entity>(&k)).is_some()
                    })*)*
                    _ => false,
                };
                if !gone {
                    self.changes.defect();
                }
            }

            /// Visits the key of every entity, in arbitrary order.
            pub fn for_each_key(&self, mut visit: impl FnMut(EntityKey)) {
                $($(self.$field.for_each(|key, _| {
                    visit(entity::key_of::<crate::$module::$entity>(key));
                });)*)*
            }

            /// Counts what every owner has brought, and orders what leaves by itself.
            pub(crate) fn count_shares(&self) -> (Shares, Windows) {
                let mut shares = Shares::new(self.seed);
                let mut windows = Windows::new(self.seed);
                $($(share::count::<crate::$module::$entity>(self, &mut shares, &mut windows);)*)*
                (shares, windows)
            }
        }

        /// Does what is due about one entity. True if it simply leaves memory.
        ///
        /// # Errors
        /// When it cannot be done now.
        pub(crate) fn expire(ctx: &mut Ctx<'_>, key: &EntityKey) -> Result<bool, Rejection> {
            match key.kind() {
                $($(<crate::$module::$entity>::KIND => act::<crate::$module::$entity>(ctx, key),)*)*
                _ => Err(Code::Defect.into()),
            }
        }
    };
}

modules!(stores);

fn load<E: Stored>(state: &mut State, key: &EntityKey, value: &[u8]) -> Result<(), BadSnapshot> {
    let typed = key.typed().ok_or(BadSnapshot)?;
    let entity: E = minicbor::decode(value).map_err(|_| BadSnapshot)?;
    let (store, changes, index) = E::parts(state);
    entity::note(&entity, typed, index);
    store.load(typed, entity, changes);
    Ok(())
}

fn act<E: Entity>(ctx: &mut Ctx<'_>, key: &EntityKey) -> Result<bool, Rejection> {
    let typed = key.typed().ok_or(Code::Defect)?;
    match E::DUE {
        Due::Never => Err(Code::Defect.into()),
        Due::Leaves(_) => Ok(true),
        Due::Acts(_, act) => act(ctx, typed),
    }
}

/// The bytes are not an entity that this version knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSnapshot;

/// Two agents in the order of their ids.
#[must_use]
pub fn pair(a: AgentId, b: AgentId) -> (AgentId, AgentId) {
    if a <= b { (a, b) } else { (b, a) }
}

impl State {
    /// The position of the last applied envelope; 0 before the first.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Ends the loading of a snapshot that was made at `position`.
    pub fn loaded(&mut self, position: u64) {
        self.position = position;
        (self.index.shares, self.index.windows) = self.count_shares();
        let mut looks = core::mem::replace(&mut self.index.looks, Looks::new(self.seed));
        handles::know_all(self, &mut looks);
        self.index.looks = looks;
        self.index.kept = KeptIndex::of(self, self.seed);
        self.index.blocked_owners = policy::count_blocked(self, self.seed);
        self.index.cases = market::count_cases(self, self.seed);
        self.index.benches = Benches::count(self);
    }

    /// The process's secret hash seed.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The principal of the envelope being applied, or of the last one.
    pub(crate) fn by(&self) -> Principal {
        self.by
    }

    /// The agent that acted in the envelope being applied, if one did.
    pub(crate) fn acting(&self) -> Option<AgentId> {
        self.actor
    }

    /// An agent's counts on the square.
    #[must_use]
    pub fn standing(&self, agent: AgentId) -> Standing {
        self.standings.get(&agent).copied().unwrap_or_default()
    }

    /// The edition of the rules that the realm follows.
    pub(crate) fn edition(&self) -> u16 {
        self.rules.get(&()).map_or(0, |r| r.edition)
    }

    /// The operator's settings.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.realm
            .get(&())
            .map(|r| r.settings.clone())
            .unwrap_or_default()
    }

    /// Applies an envelope: the next one after [`State::position`].
    pub fn apply(&mut self, envelope: &Envelope) {
        if envelope.position != self.position + 1 || envelope.at < self.now() {
            self.changes.defect();
        }
        self.position = envelope.position;
        self.by = envelope.principal;
        self.actor = envelope.actor;
        let clock = Clock::after(self.clock.get(&()), envelope);
        self.bring((), clock);
        if let Some(key) = envelope.key {
            let settings = self.realm.get(&()).map(|r| &r.settings);
            let kept_ms = settings.and_then(|s| s.keep_keys_ms);
            let remembered = Remembered {
                request: key.request,
                position: envelope.position,
                at: envelope.at,
                ids: envelope.ids.clone(),
                owner: policy::owner_of_principal(self, envelope.principal),
                made_at_s: key.made_at_s,
                until: kept_ms.map(|ms| forgotten_at(envelope.at, ms)),
            };
            self.bring(key.key, remembered);
        }
        for event in &envelope.events {
            mail::count_reach(self, event);
            policy::count_creations(self, event);
            self.evolve(event);
        }
    }
}
