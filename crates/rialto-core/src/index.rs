//! Look-ups derived from the entities: by name, by secret, by what stands under what.
//!
//! What notes an entity here stands with the entity ([`crate::entity::Lookup`]). No look-up is part of
//! the digest: all are made anew when a snapshot is loaded.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::handles::{self, Looks};
use crate::hash::Hash;
use crate::id::{
    AccountId, AgentId, ApprovalId, AssetId, CommunityId, ConversationId, ListingId, OwnerId,
    ReportId, TaskId, TeamId, TokenId,
};
use crate::identity::{Keys, Status};
use crate::ledger::Holder;
use crate::mail::KeptIndex;
use crate::market::{self, Cases};
use crate::names::name_key;
use crate::obligation::Owed;
use crate::policy::BlockedOwners;
use crate::share::{Shares, Windows};
use crate::social::{Benches, Target};
use crate::state::{State, pair};
use crate::table::Table;
use crate::text::{AssetCode, Handle, Name};

/// Look-ups derived from entities.
pub struct Index {
    pub(crate) owner_names: Table<Handle, OwnerId>,
    pub(crate) handles: Table<Handle, AgentId>,
    pub(crate) keys: Keys,
    pub(crate) secrets: Table<Hash, TokenId>,
    pub(crate) asset_codes: Table<AssetCode, AssetId>,
    pub(crate) main_accounts: Table<(Holder, AssetId), AccountId>,
    pub(crate) labelled_accounts: Table<Holder, u32>,
    pub(crate) direct: Table<(AgentId, AgentId), ConversationId>,
    pub(crate) team_names: Table<(OwnerId, String), TeamId>,
    pub(crate) shares: Shares,
    pub(crate) windows: Windows,
    pub(crate) community_names: Table<Handle, CommunityId>,
    pub(crate) reported: Table<(AgentId, Target), ReportId>,
    pub(crate) looks: Looks,
    pub(crate) stocked: Table<(AgentId, String), Vec<ListingId>>,
    pub(crate) kept: KeptIndex,
    pub(crate) blocked_owners: BlockedOwners,
    pub(crate) cases: Cases,
    pub(crate) benches: Benches,
    pub(crate) parts: BTreeSet<(TaskId, TaskId)>,
    pub(crate) waiting: BTreeSet<(AgentId, ApprovalId)>,
    pub(crate) owed: Owed,
}

impl Index {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            owner_names: Table::new(seed),
            handles: Table::new(seed),
            keys: Keys::new(seed),
            secrets: Table::new(seed),
            asset_codes: Table::new(seed),
            main_accounts: Table::new(seed),
            labelled_accounts: Table::new(seed),
            direct: Table::new(seed),
            team_names: Table::new(seed),
            shares: Table::new(seed),
            windows: Table::new(seed),
            community_names: Table::new(seed),
            reported: Table::new(seed),
            looks: Looks::new(seed),
            stocked: Table::new(seed),
            kept: KeptIndex::new(seed),
            blocked_owners: Table::new(seed),
            cases: Table::new(seed),
            benches: Benches::default(),
            parts: BTreeSet::new(),
            waiting: BTreeSet::new(),
            owed: Owed::new(seed),
        }
    }
}

impl State {
    /// Which handles read alike, and which are known by deals.
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

    pub(crate) fn cases(&self) -> &Cases {
        &self.index.cases
    }

    pub(crate) fn cases_mut(&mut self) -> &mut Cases {
        &mut self.index.cases
    }

    /// Whether a living agent has this public key.
    pub(crate) fn is_agent_key(&self, key: &Hash) -> bool {
        self.index.keys.contains(key)
    }

    pub(crate) fn keys_mut(&mut self) -> &mut Keys {
        &mut self.index.keys
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

    /// The approvals that an agent waits for, the oldest first.
    pub(crate) fn approvals_of(&self, agent: AgentId) -> impl Iterator<Item = ApprovalId> + '_ {
        let all = (agent, ApprovalId(0))..=(agent, ApprovalId(u64::MAX));
        self.index.waiting.range(all).map(|(_, approval)| *approval)
    }

    /// True if the look-ups of communities, members, wholes, approvals, keys and cases equal rebuilt ones. They
    /// always do; tests ask.
    #[must_use]
    pub fn lookups_hold(&self) -> bool {
        let mut parts = BTreeSet::new();
        self.tasks.for_each(|id, task| {
            parts.extend(task.parent.map(|whole| (whole, *id)));
        });
        let mut keys = Keys::new(self.seed());
        self.agents.for_each(|_, agent| {
            if agent.status != Status::Closed {
                keys.add(agent.key);
            }
        });
        let cases = market::count_cases(self, self.seed());
        let mut same = cases.len() == self.index.cases.len();
        cases.for_each(|key, have| same &= self.index.cases.get(key) == Some(have));
        let mut waiting = BTreeSet::new();
        self.approvals.for_each(|id, approval| {
            waiting.insert((approval.agent, *id));
        });
        same && parts == self.index.parts
            && waiting == self.index.waiting
            && keys.agrees(&self.index.keys)
            && Benches::count(self) == self.index.benches
    }

    /// How many entities of a kind an owner has brought.
    pub(crate) fn share(&self, kind: u8, owner: OwnerId) -> u32 {
        self.index.shares.get(&(kind, owner)).copied().unwrap_or(0)
    }

    pub(crate) fn shares_mut(&mut self) -> &mut Shares {
        &mut self.index.shares
    }

    pub(crate) fn windows(&self) -> &Windows {
        &self.index.windows
    }

    pub(crate) fn windows_mut(&mut self) -> &mut Windows {
        &mut self.index.windows
    }

    /// True if the running counts of what each owner has brought, and the order in which it leaves, equal
    /// fresh ones. They always do; tests ask.
    #[must_use]
    pub fn shares_hold(&self) -> bool {
        let (shares, windows) = self.count_shares();
        let mut same = shares.len() == self.index.shares.len();
        same &= windows.len() == self.index.windows.len();
        shares.for_each(|whose, have| same &= self.index.shares.get(whose) == Some(have));
        windows.for_each(|whose, window| same &= self.index.windows.get(whose) == Some(window));
        same
    }

    /// True if the known handles equal those of a rebuilt look-up. They always do; tests ask.
    #[must_use]
    pub fn known_handles_hold(&self) -> bool {
        let mut fresh = Looks::new(self.seed());
        handles::know_all(self, &mut fresh);
        fresh.agrees(&self.index.looks)
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

    /// How many accounts with a label a holder has.
    pub(crate) fn labelled_accounts(&self, holder: Holder) -> u32 {
        let have = self.index.labelled_accounts.get(&holder);
        have.copied().unwrap_or(0)
    }

    /// The direct conversation of two agents.
    #[must_use]
    pub fn direct(&self, a: AgentId, b: AgentId) -> Option<ConversationId> {
        self.index.direct.get(&pair(a, b)).copied()
    }

    /// The team of an owner with this name.
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

    /// The listings of an agent that state a quantity of an item, the oldest first.
    #[must_use]
    pub fn stocked(&self, agent: AgentId, item: &Name) -> &[ListingId] {
        let listings = self.index.stocked.get(&(agent, market::item_key(item)));
        listings.map_or(&[], Vec::as_slice)
    }
}
