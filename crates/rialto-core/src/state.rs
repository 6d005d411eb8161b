//! The state of a realm: every entity, the indexes over them, and the clock.
//!
//! State changes only by applying envelopes. Indexes are derived: they are rebuilt when a snapshot is
//! loaded and are no part of the digest.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::clock::Clock;
use crate::entity::{Changes, Entity, EntityKey, Store};
use crate::event::{Envelope, Event, RealmEvent};
use crate::handles::{self, Looks};
use crate::hash::{Hash, Short};
use crate::id::{
    AccountId, AgentId, AnyId, AssetId, CommunityId, ConversationId, ListingId, OwnerId, ReportId,
    TaskId, TeamId, TokenId,
};
use crate::identity::{Agent, Invitation, Owner, Person, Principal, Service, Stake, Token};
use crate::ledger::{Account, Asset, Corrected, Hold, Holder, Payment};
use crate::limits;
use crate::mail::{
    Contact, Conversation, ConversationKind, Delivery, Inbox, KeptIndex, Lanes, MessageKey,
};
use crate::market::{Call, Deal, Listing, ListingTerms, Negotiation, Pair, Reputation, Stock};
use crate::names::name_key;
use crate::policy::{Allowance, Approval, Block, BlockedOwners, Bucket, Meter, Settings};
use crate::rules::Rules;
use crate::share::{self, Shares};
use crate::social::{
    Benches, Community, Dismissed, Following, Measure, Membership, Mute, OwnerMute, Post, PostPage,
    Report, Square, Standing, Target,
};
use crate::table::Table;
use crate::text::{AssetCode, Handle, Name};
use crate::time::Time;
use crate::work::{Task, Team, Unwinding};
use crate::{identity, ledger, mail, market, policy, social, work};

/// The realm itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Realm {
    /// Its name.
    #[n(0)]
    pub name: Handle,
    /// Its Ed25519 public key.
    #[n(1)]
    pub key: Hash,
    /// The operator's token.
    #[n(2)]
    pub operator_token: Option<TokenId>,
    /// What the operator has set.
    #[n(3)]
    pub settings: Settings,
    /// The asset that is meant where none is named.
    #[n(4)]
    pub asset: Option<AssetId>,
}

impl Entity for Realm {
    const KIND: u8 = 1;
    type Key = ();
}

/// A remembered idempotency key. Keyed by the hash of principal, acting agent and key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Remembered {
    /// The hash of the request.
    #[n(0)]
    pub request: Short,
    /// Where it was accepted.
    #[n(1)]
    pub position: u64,
    /// When.
    #[n(2)]
    pub at: Time,
    /// The ids that the answer named.
    #[n(3)]
    pub ids: Vec<AnyId>,
    /// The owner behind who sent it, if any.
    #[n(4)]
    pub owner: Option<OwnerId>,
    /// When the client made the key, in seconds since 1970; missing where the hash is of principal
    /// and key only.
    #[n(5)]
    pub made_at_s: Option<u64>,
}

impl Entity for Remembered {
    const KIND: u8 = 3;
    type Key = Short;

    fn due(&self) -> Option<Time> {
        // A key may be a whole IDEMPOTENCY_MS old, and lie ahead by IDEMPOTENCY_AHEAD_MS, when used;
        // it is forgotten only after the last moment at which it could be used again.
        Some(
            self.at
                .after(limits::IDEMPOTENCY_MS + limits::IDEMPOTENCY_AHEAD_MS + 1),
        )
    }
}

macro_rules! stores {
    ($($(#[$doc:meta])* $field:ident: $entity:ty;)*) => {
        /// The state of a realm.
        pub struct State {
            $($(#[$doc])* pub $field: Store<$entity>,)*
            /// What was touched, and what is due.
            pub changes: Changes,
            position: u64,
            by: Principal,
            seed: u64,
            actor: Option<AgentId>,
            index: Index,
        }

        impl State {
            /// The state before the first command, with the process's secret hash seed.
            #[must_use]
            pub fn new(seed: u64) -> Self {
                Self {
                    $($field: Store::new(seed),)*
                    changes: Changes::new(seed),
                    position: 0,
                    by: Principal::Realm,
                    seed,
                    actor: None,
                    index: Index::new(seed),
                }
            }

            /// The canonical encoding of an entity; nothing if it does not exist (any more).
            #[must_use]
            pub fn encode_entity(&self, key: &EntityKey) -> Option<Vec<u8>> {
                match key.kind() {
                    $(<$entity>::KIND => self.$field.encode(key),)*
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
                    $(<$entity>::KIND => {
                        let typed = key.typed().ok_or(BadSnapshot)?;
                        let entity: $entity = minicbor::decode(value).map_err(|_| BadSnapshot)?;
                        self.index.add(&typed, &entity);
                        self.$field.load(typed, entity, &mut self.changes);
                        Ok(())
                    })*
                    _ => Err(BadSnapshot),
                }
            }

            fn retire(&mut self, key: &EntityKey) {
                self.note_forgotten(key);
                self.end_charge(key);
                self.forget_part(key);
                let gone = match key.kind() {
                    $(<$entity>::KIND => {
                        key.typed().and_then(|k| self.$field.remove(&k, &mut self.changes)).is_some()
                    })*
                    _ => false,
                };
                if !gone {
                    self.changes.defect();
                }
            }

            /// Visits the key of every entity, in an order that means nothing.
            pub fn for_each_key(&self, mut visit: impl FnMut(EntityKey)) {
                $(self.$field.for_each(|key, _| visit(crate::entity::key_of::<$entity>(key)));)*
            }
        }
    };
}

stores! {
    /// The realm itself.
    realm: Realm;
    /// The clock.
    clock: Clock;
    /// The edition of the rules.
    rules: Rules;
    /// Remembered idempotency keys.
    remembered: Remembered;
    /// Owners.
    owners: Owner;
    /// People.
    persons: Person;
    /// Agents.
    agents: Agent;
    /// Services.
    services: Service;
    /// Tokens.
    tokens: Token;
    /// Open invitations.
    invitations: Invitation;
    /// Assets.
    assets: Asset;
    /// Accounts.
    accounts: Account;
    /// Open holds.
    holds: Hold;
    /// References of payments that count once.
    payments: Payment;
    /// What corrections of entries come to.
    corrected: Corrected;
    /// Conversations.
    conversations: Conversation;
    /// Heads of inboxes.
    inboxes: Inbox;
    /// Deliveries.
    deliveries: Delivery;
    /// Answers to first messages.
    contacts: Contact;
    /// Remembered message ids.
    message_keys: MessageKey;
    /// That inboxes have lanes.
    lanes: Lanes;
    /// Tasks.
    tasks: Task;
    /// Teams.
    teams: Team;
    /// Listings.
    listings: Listing;
    /// Calls for proposals.
    calls: Call;
    /// Negotiations.
    negotiations: Negotiation;
    /// Deals.
    deals: Deal;
    /// Reputations.
    reputations: Reputation;
    /// Settled deals by pair of agents.
    pairs: Pair;
    /// Allowances.
    allowances: Allowance;
    /// Blocks.
    blocks: Block;
    /// Rate limits in use, as they were counted before there was a steady clock.
    buckets: Bucket;
    /// Rate limits in use.
    meters: Meter;
    /// Open approvals.
    approvals: Approval;
    /// Stakes held for agents.
    stakes: Stake;
    /// The pages that posts are kept on.
    square: Square;
    /// Agents' parts in the square.
    standings: Standing;
    /// Who follows whom.
    follows: Following;
    /// Who has muted whom.
    mutes: Mute;
    /// Who has muted which owners.
    owner_mutes: OwnerMute;
    /// Open posts.
    posts: Post;
    /// Open posts by age.
    post_pages: PostPage;
    /// Communities.
    communities: Community;
    /// Members of communities.
    memberships: Membership;
    /// Open reports.
    reports: Report;
    /// Measures in force.
    measures: Measure;
    /// Reports that were dismissed.
    dismissals: Dismissed;
    /// Tasks that were called off with more parts than at once.
    unwindings: Unwinding;
}

/// The bytes are no entity that this version knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSnapshot;

/// Look-ups derived from entities.
struct Index {
    owner_names: Table<Handle, OwnerId>,
    handles: Table<Handle, AgentId>,
    secrets: Table<Hash, TokenId>,
    asset_codes: Table<AssetCode, AssetId>,
    main_accounts: Table<(Holder, AssetId), AccountId>,
    direct: Table<(AgentId, AgentId), ConversationId>,
    team_names: Table<(OwnerId, String), TeamId>,
    shares: Shares,
    community_names: Table<Handle, CommunityId>,
    reported: Table<(AgentId, Target), ReportId>,
    looks: Looks,
    stocked: Table<(AgentId, String), Vec<ListingId>>,
    kept: KeptIndex,
    blocked_owners: BlockedOwners,
    benches: Benches,
    parts: BTreeSet<(TaskId, TaskId)>,
}

impl Index {
    fn new(seed: u64) -> Self {
        Self {
            owner_names: Table::new(seed),
            handles: Table::new(seed),
            secrets: Table::new(seed),
            asset_codes: Table::new(seed),
            main_accounts: Table::new(seed),
            direct: Table::new(seed),
            team_names: Table::new(seed),
            shares: Table::new(seed),
            community_names: Table::new(seed),
            reported: Table::new(seed),
            looks: Looks::new(seed),
            stocked: Table::new(seed),
            kept: KeptIndex::new(seed),
            blocked_owners: Table::new(seed),
            benches: Benches::default(),
            parts: BTreeSet::new(),
        }
    }

    fn add<E: Indexed>(&mut self, key: &E::Key, entity: &E) {
        entity.index(*key, self);
    }
}

/// An entity's entries in the indexes. Most have none.
trait Indexed: Entity {
    fn index(&self, _key: Self::Key, _index: &mut Index) {}
}

impl Indexed for Owner {
    fn index(&self, key: OwnerId, index: &mut Index) {
        index.owner_names.insert(self.name.clone(), key);
    }
}

impl Indexed for Agent {
    fn index(&self, key: AgentId, index: &mut Index) {
        index.looks.add(&self.handle, key);
        index.handles.insert(self.handle.clone(), key);
    }
}

impl Indexed for Token {
    fn index(&self, key: TokenId, index: &mut Index) {
        index.secrets.insert(self.hash, key);
    }
}

impl Indexed for Asset {
    fn index(&self, key: AssetId, index: &mut Index) {
        index.asset_codes.insert(self.code.clone(), key);
    }
}

impl Indexed for Account {
    fn index(&self, key: AccountId, index: &mut Index) {
        if self.label.is_none() {
            index.main_accounts.insert((self.holder, self.asset), key);
        }
    }
}

impl Indexed for Conversation {
    fn index(&self, key: ConversationId, index: &mut Index) {
        if let (ConversationKind::Direct, [a, b]) = (self.kind, self.members.as_slice()) {
            index.direct.insert(pair(*a, *b), key);
        }
    }
}

impl Indexed for Team {
    fn index(&self, key: TeamId, index: &mut Index) {
        index
            .team_names
            .insert((self.owner, name_key(self.name.as_str())), key);
    }
}

impl Indexed for Listing {
    fn index(&self, key: ListingId, index: &mut Index) {
        for stock in self.stock.iter().flatten() {
            let item = (self.agent, market::item_key(&stock.item));
            match index.stocked.get_mut(&item) {
                Some(listings) => {
                    if let Err(place) = listings.binary_search(&key) {
                        listings.insert(place, key);
                    }
                }
                None => {
                    index.stocked.insert(item, Vec::from([key]));
                }
            }
        }
    }
}

impl Indexed for Community {
    fn index(&self, key: CommunityId, index: &mut Index) {
        index.community_names.insert(self.name.clone(), key);
    }
}

impl Indexed for Task {
    fn index(&self, key: TaskId, index: &mut Index) {
        index.parts.extend(self.parent.map(|whole| (whole, key)));
    }
}

impl Indexed for Report {
    fn index(&self, key: ReportId, index: &mut Index) {
        index.reported.insert((self.by, self.target), key);
    }
}

macro_rules! not_indexed {
    ($($entity:ty)*) => { $(impl Indexed for $entity {})* };
}

not_indexed! {
    Realm Clock Rules Remembered Person Service Hold Payment Corrected Inbox Delivery Contact MessageKey Unwinding Call
    Negotiation Deal Reputation Pair Allowance Block Bucket Meter Approval Stake Square Standing Following
    Mute OwnerMute Lanes Post PostPage Membership Measure Invitation Dismissed
}

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
        self.index.shares = share::count(self, self.seed);
        let mut looks = core::mem::replace(&mut self.index.looks, Looks::new(self.seed));
        handles::know_all(self, &mut looks);
        self.index.looks = looks;
        self.index.kept = KeptIndex::of(self, self.seed);
        self.index.blocked_owners = policy::count_blocked(self, self.seed);
        self.index.benches = Benches::count(self);
    }

    /// Which handles are read alike, and whose are known by deals.
    pub(crate) fn looks(&self) -> &Looks {
        &self.index.looks
    }

    /// Two agents have settled a deal.
    pub(crate) fn have_dealt(&mut self, a: AgentId, b: AgentId) {
        if let (Some(one), Some(other)) = (self.agents.get(&a), self.agents.get(&b))
            && one.owner != other.owner
        {
            self.index.looks.know(&one.handle, a);
            self.index.looks.know(&other.handle, b);
        }
    }

    /// The edition of the rules that the realm goes by.
    pub(crate) fn edition(&self) -> u16 {
        self.rules.get(&()).map_or(0, |r| r.edition)
    }

    /// Whether inboxes have lanes yet.
    pub(crate) fn has_lanes(&self) -> bool {
        self.lanes.contains(&())
    }

    pub(crate) fn kept(&self) -> &KeptIndex {
        &self.index.kept
    }

    pub(crate) fn kept_mut(&mut self) -> &mut KeptIndex {
        &mut self.index.kept
    }

    pub(crate) fn blocked_owners(&self) -> &BlockedOwners {
        &self.index.blocked_owners
    }

    pub(crate) fn blocked_owners_mut(&mut self) -> &mut BlockedOwners {
        &mut self.index.blocked_owners
    }

    pub(crate) fn benches(&self) -> &Benches {
        &self.index.benches
    }

    pub(crate) fn benches_mut(&mut self) -> &mut Benches {
        &mut self.index.benches
    }

    /// The parts of a task that are in memory, the oldest first.
    pub(crate) fn parts_of(&self, whole: TaskId) -> impl Iterator<Item = TaskId> + '_ {
        let all = (whole, TaskId(0))..=(whole, TaskId(u64::MAX));
        self.index.parts.range(all).map(|(_, part)| *part)
    }

    /// True if what is looked up by communities, members and wholes equals what a fresh look would
    /// find. It always does; tests ask.
    #[must_use]
    pub fn lookups_hold(&self) -> bool {
        let mut parts = BTreeSet::new();
        self.tasks.for_each(|id, task| {
            parts.extend(task.parent.map(|whole| (whole, *id)));
        });
        parts == self.index.parts && Benches::count(self) == self.index.benches
    }

    /// How many entities of a kind an owner has brought.
    pub(crate) fn share(&self, kind: u8, owner: OwnerId) -> u32 {
        self.index.shares.get(&(kind, owner)).copied().unwrap_or(0)
    }

    pub(crate) fn shares_mut(&mut self) -> &mut Shares {
        &mut self.index.shares
    }

    /// True if the running counts of what each owner has brought equal a fresh count. They always do;
    /// tests ask.
    #[must_use]
    pub fn shares_hold(&self) -> bool {
        let fresh = share::count(self, self.seed);
        let mut same = fresh.len() == self.index.shares.len();
        fresh.for_each(|whose, have| same &= self.index.shares.get(whose) == Some(have));
        same
    }

    /// True if those whose handles are known are those whom a fresh look finds. They always are; tests
    /// ask.
    #[must_use]
    pub fn known_handles_hold(&self) -> bool {
        let mut fresh = Looks::new(self.seed);
        handles::know_all(self, &mut fresh);
        fresh.agrees(&self.index.looks)
    }

    /// Whose envelope is being applied, or was last.
    pub(crate) fn by(&self) -> Principal {
        self.by
    }

    /// The agent that acted in the envelope being applied, if one did.
    pub(crate) fn acting(&self) -> Option<AgentId> {
        self.actor
    }

    /// The owner with this name.
    #[must_use]
    pub fn owner_named(&self, name: &Handle) -> Option<OwnerId> {
        self.index.owner_names.get(name).copied()
    }

    /// The agent with this handle.
    #[must_use]
    pub fn agent_named(&self, handle: &Handle) -> Option<AgentId> {
        self.index.handles.get(handle).copied()
    }

    /// The live token whose secret has this hash.
    #[must_use]
    pub fn token_with(&self, hash: &Hash) -> Option<TokenId> {
        self.index.secrets.get(hash).copied()
    }

    /// The asset with this code.
    #[must_use]
    pub fn asset_coded(&self, code: &AssetCode) -> Option<AssetId> {
        self.index.asset_codes.get(code).copied()
    }

    /// A holder's main account in an asset.
    #[must_use]
    pub fn main_account(&self, holder: Holder, asset: AssetId) -> Option<AccountId> {
        self.index.main_accounts.get(&(holder, asset)).copied()
    }

    /// The direct conversation of two agents.
    #[must_use]
    pub fn direct(&self, a: AgentId, b: AgentId) -> Option<ConversationId> {
        self.index.direct.get(&pair(a, b)).copied()
    }

    /// The team of an owner with this name, however it is typed.
    #[must_use]
    pub fn team_named(&self, owner: OwnerId, name: &Name) -> Option<TeamId> {
        let key = name_key(name.as_str());
        self.index.team_names.get(&(owner, key)).copied()
    }

    /// The community with this name.
    #[must_use]
    pub fn community_named(&self, name: &Handle) -> Option<CommunityId> {
        self.index.community_names.get(name).copied()
    }

    /// The open report of a target by an agent.
    #[must_use]
    pub fn report_of(&self, by: AgentId, target: Target) -> Option<ReportId> {
        self.index.reported.get(&(by, target)).copied()
    }

    /// The listings of an agent that say how many of an item it sells, the oldest first.
    #[must_use]
    pub fn stocked(&self, agent: AgentId, item: &Name) -> &[ListingId] {
        let listings = self.index.stocked.get(&(agent, market::item_key(item)));
        listings.map_or(&[], Vec::as_slice)
    }

    /// An agent's part in the square.
    #[must_use]
    pub fn standing(&self, agent: AgentId) -> Standing {
        self.standings.get(&agent).copied().unwrap_or_default()
    }

    /// What the operator has set.
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
        self.clock.put((), clock, &mut self.changes);
        if let Some(key) = envelope.key {
            let remembered = Remembered {
                request: key.request,
                position: envelope.position,
                at: envelope.at,
                ids: envelope.ids.clone(),
                owner: policy::owner_of_principal(self, envelope.principal),
                made_at_s: key.made_at_s,
            };
            self.bring(key.key, remembered);
        }
        for event in &envelope.events {
            self.evolve(event);
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::Realm(event) => self.evolve_realm(event),
            Event::Identity(event) => identity::evolve(self, event),
            Event::Mail(event) => mail::evolve(self, event),
            Event::Work(event) => work::evolve(self, event),
            Event::Ledger(event) => ledger::evolve(self, event),
            Event::Market(event) => market::evolve(self, event),
            Event::Policy(event) => policy::evolve(self, event),
            Event::Social(event) => social::evolve(self, event),
        }
    }

    fn evolve_realm(&mut self, event: &RealmEvent) {
        match event {
            RealmEvent::Founded { name, key } => {
                let realm = Realm {
                    name: name.clone(),
                    key: *key,
                    operator_token: None,
                    settings: Settings::default(),
                    asset: None,
                };
                self.realm.put((), realm, &mut self.changes);
            }
            RealmEvent::OperatorTokenReset { token, hash } => {
                if let Some(old) = self.realm.get(&()).and_then(|r| r.operator_token) {
                    self.drop_token(old);
                }
                self.add_token(
                    *token,
                    Token {
                        principal: Principal::Operator,
                        hash: *hash,
                        expires: None,
                    },
                );
                self.realm
                    .modify(&(), &mut self.changes, |r| r.operator_token = Some(*token));
            }
            RealmEvent::KeyRotated { key } => {
                self.realm.modify(&(), &mut self.changes, |r| r.key = *key);
            }
            RealmEvent::ClockAccepted | RealmEvent::ClockMoved { .. } => {}
            RealmEvent::ClockSetBack { from, to, jumped } => self.set_back(*from, *to, *jumped),
            RealmEvent::RulesAdopted { edition } => {
                let edition = *edition;
                self.rules.put((), Rules { edition }, &mut self.changes);
            }
            RealmEvent::Retired { keys } => {
                for key in keys {
                    match EntityKey::from_slice(key) {
                        Some(key) => self.retire(&key),
                        None => self.changes.defect(),
                    }
                }
            }
        }
    }

    pub(crate) fn add_token(&mut self, id: TokenId, token: Token) {
        self.index.add(&id, &token);
        self.tokens.put(id, token, &mut self.changes);
    }

    pub(crate) fn drop_token(&mut self, id: TokenId) -> Option<Token> {
        let token = self.tokens.remove(&id, &mut self.changes)?;
        self.index.secrets.remove(&token.hash);
        Some(token)
    }

    pub(crate) fn add_owner(&mut self, id: OwnerId, owner: Owner) {
        self.index.add(&id, &owner);
        self.owners.put(id, owner, &mut self.changes);
    }

    pub(crate) fn add_agent(&mut self, id: AgentId, agent: Agent) {
        self.index.add(&id, &agent);
        self.bring(id, agent);
    }

    pub(crate) fn add_asset(&mut self, id: AssetId, asset: Asset) {
        self.index.add(&id, &asset);
        self.assets.put(id, asset, &mut self.changes);
        let first = |r: &mut Realm| r.asset = r.asset.or(Some(id));
        self.realm.modify(&(), &mut self.changes, first);
    }

    pub(crate) fn add_account(&mut self, id: AccountId, account: Account) {
        self.index.add(&id, &account);
        self.bring(id, account);
    }

    pub(crate) fn add_conversation(&mut self, id: ConversationId, conversation: Conversation) {
        self.index.add(&id, &conversation);
        self.bring(id, conversation);
    }

    pub(crate) fn drop_conversation(&mut self, id: ConversationId) {
        match self.take::<Conversation>(&id) {
            None => self.changes.defect(),
            Some(gone) => {
                if let (ConversationKind::Direct, [a, b]) = (gone.kind, gone.members.as_slice()) {
                    self.index.direct.remove(&pair(*a, *b));
                }
            }
        }
    }

    pub(crate) fn add_listing(&mut self, id: ListingId, listing: Listing) {
        self.index.add(&id, &listing);
        self.bring(id, listing);
    }

    pub(crate) fn renew_listing<C>(
        &mut self,
        id: ListingId,
        terms: &ListingTerms<C>,
        decided: Option<&[Stock]>,
    ) {
        self.forget_stock(id);
        let renew = |l: &mut Listing| l.renew(terms, decided);
        self.listings.modify(&id, &mut self.changes, renew);
        if let Some(listing) = self.listings.get(&id) {
            self.index.add(&id, listing);
        }
    }

    pub(crate) fn drop_listing(&mut self, id: ListingId) -> Option<Listing> {
        self.forget_stock(id);
        self.take::<Listing>(&id)
    }

    fn forget_stock(&mut self, id: ListingId) {
        let Some(listing) = self.listings.get(&id) else {
            return;
        };
        for stock in listing.stock.iter().flatten() {
            let item = (listing.agent, market::item_key(&stock.item));
            let left = self.index.stocked.get_mut(&item).map(|listings| {
                listings.retain(|l| *l != id);
                listings.len()
            });
            if left == Some(0) {
                self.index.stocked.remove(&item);
            }
        }
    }

    pub(crate) fn add_community(&mut self, id: CommunityId, community: Community) {
        self.index.add(&id, &community);
        self.bring(id, community);
    }

    pub(crate) fn add_report(&mut self, id: ReportId, report: Report) {
        self.index.add(&id, &report);
        self.bring(id, report);
    }

    pub(crate) fn drop_report(&mut self, id: ReportId) -> Option<Report> {
        let report = self.take::<Report>(&id)?;
        self.index.reported.remove(&(report.by, report.target));
        Some(report)
    }

    pub(crate) fn add_task(&mut self, id: TaskId, task: Task) {
        self.index.add(&id, &task);
        self.bring(id, task);
    }

    /// Forgets of which task a task was a part, before it leaves memory.
    fn forget_part(&mut self, key: &EntityKey) {
        let task = (key.kind() == Task::KIND).then(|| key.typed::<TaskId>());
        if let Some(id) = task.flatten()
            && let Some(whole) = self.tasks.get(&id).and_then(|t| t.parent)
        {
            self.index.parts.remove(&(whole, id));
        }
    }

    pub(crate) fn add_team(&mut self, id: TeamId, team: Team) {
        self.index.add(&id, &team);
        self.teams.put(id, team, &mut self.changes);
    }
}
