//! Live tokens as doors look them up: by the hash of their secret, at the same time as the writer
//! works. Holds no secret.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rialto_core::hash::Hash;
use rialto_core::id::{OwnerId, TokenId};
use rialto_core::identity::{Network, Principal, Rights, TokenScope};
use rialto_core::state::State;
use rialto_core::table::Table;

/// A live token, as doors look it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenInfo {
    /// Its id.
    pub token: TokenId,
    /// Whose it is.
    pub principal: Principal,
    /// The owner whose agent or person that is.
    pub owner: Option<OwnerId>,
    /// What it may do.
    pub may: Rights,
}

/// All live tokens.
pub(super) struct Tokens(RwLock<Live>);

/// In shards, because the writer adds to them: growing a single map would stop it for a tenth of a
/// second at a million tokens.
struct Live {
    by_hash: Table<Hash, TokenInfo>,
    hashes: Table<TokenId, Hash>,
    /// Whose agents and people there are. Nobody changes the owner.
    owners: Table<Principal, OwnerId>,
    /// From where those tokens may be used that may not be used from everywhere.
    networks: HashMap<TokenId, Vec<Network>>,
    operator: Option<TokenId>,
}

impl Live {
    fn new() -> Self {
        let chance = RandomState::new();
        Self {
            by_hash: Table::new(chance.hash_one(0)),
            hashes: Table::new(chance.hash_one(1)),
            owners: Table::new(chance.hash_one(2)),
            networks: HashMap::new(),
            operator: None,
        }
    }

    fn add(&mut self, hash: Hash, token: TokenId, of: (Principal, Option<&TokenScope>)) {
        let (principal, scope) = of;
        let info = TokenInfo {
            token,
            principal,
            owner: self.owners.get(&principal).copied(),
            may: scope.map_or(Rights::EVERYTHING, |scope| scope.may),
        };
        if let Some(scope) = scope.filter(|scope| !scope.from.is_empty()) {
            self.networks.insert(token, scope.from.clone());
        }
        if info.principal == Principal::Operator {
            self.operator = Some(info.token);
        }
        self.hashes.insert(info.token, hash);
        self.by_hash.insert(hash, info);
    }

    fn end(&mut self, token: TokenId) {
        if let Some(hash) = self.hashes.remove(&token) {
            self.by_hash.remove(&hash);
        }
        self.networks.remove(&token);
    }
}

impl Tokens {
    /// The live tokens of a state.
    pub(super) fn of(state: &State) -> Self {
        let mut table = Live::new();
        state.agents.for_each(|id, agent| {
            table.owners.insert(Principal::Agent(*id), agent.owner);
        });
        state.persons.for_each(|id, person| {
            table.owners.insert(Principal::Person(*id), person.owner);
        });
        state.tokens.for_each(|id, token| {
            table.add(token.hash, *id, (token.principal, token.scope.as_deref()));
        });
        Self(RwLock::new(table))
    }

    fn read(&self) -> RwLockReadGuard<'_, Live> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Live> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token whose secret has this hash.
    pub(super) fn get(&self, hash: &Hash) -> Option<TokenInfo> {
        self.read().by_hash.get(hash).copied()
    }

    /// The token with this id.
    pub(super) fn of_id(&self, token: TokenId) -> Option<TokenInfo> {
        let live = self.read();
        live.by_hash.get(live.hashes.get(&token)?).copied()
    }

    /// Whether a token may be used from an address; nothing is the address of this process.
    pub(super) fn may_come_from(&self, token: TokenId, address: Option<IpAddr>) -> bool {
        match self.read().networks.get(&token) {
            Some(networks) => address.is_some_and(|a| networks.iter().any(|n| n.contains(a))),
            None => true,
        }
    }

    /// True while a token is live.
    pub(super) fn holds(&self, token: TokenId) -> bool {
        self.read().hashes.contains(&token)
    }

    /// The owner of an agent or person.
    pub(super) fn owner_of(&self, principal: Principal) -> Option<OwnerId> {
        self.read().owners.get(&principal).copied()
    }

    /// A token was issued.
    pub(super) fn add(&self, hash: Hash, token: TokenId, of: (Principal, Option<&TokenScope>)) {
        self.write().add(hash, token, of);
    }

    /// An agent or a person came to an owner.
    pub(super) fn belongs(&self, principal: Principal, owner: OwnerId) {
        self.write().owners.insert(principal, owner);
    }

    /// A token has ended.
    pub(super) fn end(&self, token: TokenId) {
        self.write().end(token);
    }

    /// The operator's token was replaced.
    pub(super) fn replace_operator(&self, hash: Hash, token: TokenId) {
        let mut table = self.write();
        if let Some(old) = table.operator {
            table.end(old);
        }
        table.add(hash, token, (Principal::Operator, None));
    }
}
