//! How much of each realm-wide table one owner may fill, so that nobody can crowd out the rest.
//!
//! Every entry of a realm-wide table that owners fill is charged to the owner that brought it, and
//! one owner may fill at most one part in [`limits::OWNER_PART`] of it. The counts are derived:
//! they are rebuilt when a snapshot is loaded and are not part of the digest.

use crate::decide::Ctx;
use crate::entity::{Changes, Entity, EntityKey, Store};
use crate::id::{AgentId, OwnerId};
use crate::identity::Agent;
use crate::ledger::{Account, Hold, Holder, Payment};
use crate::limits;
use crate::mail::{Contact, ContactState, Conversation, MessageKey};
use crate::market::{Call, Deal, Listing, Negotiation, Pair};
use crate::policy::{Allowance, Block, Node, Party, owner_of_principal};
use crate::reject::{Code, Rejection};
use crate::social::{
    Community, Dismissed, Following, Measure, Membership, Mute, OwnerMute, Post, Report,
};
use crate::state::{Remembered, State, pair};
use crate::table::Table;
use crate::work::Task;

/// How many entries of each kind each owner has brought.
pub(crate) type Shares = Table<(u8, OwnerId), u32>;

/// An entity of a realm-wide table that an owner fills.
pub(crate) trait Charged: Entity {
    /// The most entries that the realm holds.
    const MOST: usize;
    /// What the entries are called in an error.
    const WHAT: &'static str;

    /// The owner that brought it; nobody for the realm's own entries.
    fn payer(&self, key: &Self::Key, state: &State) -> Option<OwnerId>;
    /// Its table.
    fn store(state: &State) -> &Store<Self>
    where
        Self: Sized;
    /// Its table, to change.
    fn store_mut(state: &mut State) -> (&mut Store<Self>, &mut Changes)
    where
        Self: Sized;
}

macro_rules! charged {
    ($($entity:ident $field:ident $most:ident $what:literal, |$it:pat_param, $key:pat_param, $state:pat_param| $payer:expr;)*) => {
        $(impl Charged for $entity {
            const MOST: usize = limits::$most;
            const WHAT: &'static str = $what;

            fn payer(&self, key: &Self::Key, state: &State) -> Option<OwnerId> {
                let ($it, $key, $state) = (self, key, state);
                $payer
            }
            fn store(state: &State) -> &Store<Self> {
                &state.$field
            }
            fn store_mut(state: &mut State) -> (&mut Store<Self>, &mut Changes) {
                (&mut state.$field, &mut state.changes)
            }
        })*

        /// Who pays for the entity with this key, if it is of a kind that is charged.
        pub(crate) fn payer_of(state: &State, key: &EntityKey) -> Option<(u8, OwnerId)> {
            match key.kind() {
                $($entity::KIND => {
                    let typed = key.typed()?;
                    let payer = state.$field.get(&typed)?.payer(&typed, state)?;
                    Some(($entity::KIND, payer))
                })*
                _ => None,
            }
        }

        /// Counts every charged entity.
        pub(crate) fn count(state: &State, seed: u64) -> Shares {
            let mut shares = Shares::new(seed);
            $(state.$field.for_each(|key, entity| {
                if let Some(payer) = entity.payer(key, state) {
                    charge(&mut shares, ($entity::KIND, payer));
                }
            });)*
            shares
        }
    };
}

charged! {
    // Agents that were closed count on: their handles are never given away.
    Agent agents AGENTS "agents, closed ones among them", |it, _, _| Some(it.owner);
    Remembered remembered IDEMPOTENCY_KEYS "idempotency keys", |it, _, _| it.owner;
    Account accounts ACCOUNTS "accounts", |it, _, state| holder(state, it.holder);
    Hold holds HOLDS "open holds", |it, _, state| {
        state.accounts.get(&it.from).and_then(|a| holder(state, a.holder))
    };
    Payment payments PAYMENTS "references of payments", |it, _, _| it.owner;
    Conversation conversations CONVERSATIONS "conversations", |it, _, state| owner(state, it.opened_by);
    Contact contacts CONTACTS "contacts", |it, (receiver, sender), state| {
        // A first message is its sender's doing; what the receiver then says is the receiver's.
        let by = if it.state == ContactState::Requested { sender } else { receiver };
        owner(state, *by)
    };
    MessageKey message_keys MESSAGE_IDS "remembered message ids", |it, _, state| owner(state, it.from);
    Task tasks TASKS "open tasks", |it, _, state| owner_of_principal(state, it.requester);
    Listing listings LISTINGS "listings", |it, _, state| owner(state, it.agent);
    Call calls DEALS "open calls", |it, _, state| owner(state, it.buyer);
    Negotiation negotiations DEALS "open negotiations", |it, _, state| owner(state, it.opened_by);
    Deal deals DEALS "open deals", |it, _, state| owner(state, it.buyer);
    Pair pairs PAIRS "pairs of agents that have dealt", |_, (first, _), state| owner(state, *first);
    Allowance allowances ALLOWANCES "allowances", |_, (whose, _), state| node(state, *whose);
    Block blocks BLOCKS "blocks", |_, (by, _), state| party(state, *by);
    Following follows FOLLOWS "follows", |_, (by, _), state| owner(state, *by);
    Mute mutes MUTES "mutes", |_, (by, _), state| owner(state, *by);
    OwnerMute owner_mutes MUTES "mutes of owners", |_, (by, _), state| owner(state, *by);
    Post posts POSTS "open posts", |it, _, state| owner(state, it.author);
    Community communities COMMUNITIES "communities", |it, _, state| owner(state, it.created_by);
    Membership memberships MEMBERSHIPS "memberships", |_, (_, agent), state| owner(state, *agent);
    Report reports REPORTS "open reports", |it, _, state| owner(state, it.by);
    Measure measures MEASURES "measures", |it, _, state| owner_of_principal(state, it.by);
    Dismissed dismissals DISMISSALS "dismissed reports", |_, (owner, _), _| Some(*owner);
}

fn charge(shares: &mut Shares, whose: (u8, OwnerId)) {
    match shares.get_mut(&whose) {
        Some(have) => *have = have.saturating_add(1),
        None => {
            shares.insert(whose, 1);
        }
    }
}

fn discharge(shares: &mut Shares, whose: (u8, OwnerId)) {
    let left = shares.get_mut(&whose).map(|have| {
        *have = have.saturating_sub(1);
        *have
    });
    if left == Some(0) {
        shares.remove(&whose);
    }
}

/// The owner of an agent.
pub(crate) fn owner(state: &State, agent: AgentId) -> Option<OwnerId> {
    state.agents.get(&agent).map(|a| a.owner)
}

/// The owner behind the holder of an account.
pub(crate) fn holder(state: &State, holder: Holder) -> Option<OwnerId> {
    match holder {
        Holder::Owner(id) => Some(id),
        Holder::Team(id) => state.teams.get(&id).map(|t| t.owner),
        Holder::Agent(id) => owner(state, id),
        Holder::Issuance | Holder::Outside => None,
    }
}

/// The owner above a node of the tree.
pub(crate) fn node(state: &State, node: Node) -> Option<OwnerId> {
    match node {
        Node::Realm => None,
        Node::Owner(id) => Some(id),
        Node::Team(id) => state.teams.get(&id).map(|t| t.owner),
        Node::Agent(id) => owner(state, id),
    }
}

/// The owner behind who sets a block.
pub(crate) fn party(state: &State, party: Party) -> Option<OwnerId> {
    match party {
        Party::Owner(id) => Some(id),
        Party::Agent(id) => owner(state, id),
    }
}

impl State {
    /// Puts an entity into its table and charges it to who brought it.
    pub(crate) fn bring<E: Charged>(&mut self, key: E::Key, entity: E) {
        self.forget_charge::<E>(&key);
        if let Some(payer) = entity.payer(&key, self) {
            charge(self.shares_mut(), (E::KIND, payer));
        }
        let (store, changes) = E::store_mut(self);
        store.put(key, entity, changes);
    }

    /// Takes an entity out of its table.
    pub(crate) fn take<E: Charged>(&mut self, key: &E::Key) -> Option<E> {
        self.forget_charge::<E>(key);
        let (store, changes) = E::store_mut(self);
        store.remove(key, changes)
    }

    fn forget_charge<E: Charged>(&mut self, key: &E::Key) {
        let known = E::store(self).get(key);
        if let Some(payer) = known.and_then(|e| e.payer(key, self)) {
            discharge(self.shares_mut(), (E::KIND, payer));
        }
    }

    /// Ends the charge of an entity that is about to leave.
    pub(crate) fn end_charge(&mut self, key: &EntityKey) {
        if let Some(whose) = payer_of(self, key) {
            discharge(self.shares_mut(), whose);
        }
    }
}

impl Ctx<'_> {
    /// Refuses when the table has no room for one more beside `planned`, or `payer` has filled its
    /// part of it.
    pub(crate) fn room_for<E: Charged>(
        &self,
        payer: Option<OwnerId>,
        planned: usize,
    ) -> Result<(), Rejection> {
        crate::decide::room(E::WHAT, E::store(self.state).len() + planned, E::MOST)?;
        self.part_for::<E>(payer, planned)
    }

    /// Refuses when `payer` has filled its part of the table.
    pub(crate) fn part_for<E: Charged>(
        &self,
        payer: Option<OwnerId>,
        planned: usize,
    ) -> Result<(), Rejection> {
        let Some(payer) = payer else { return Ok(()) };
        let most = E::MOST / limits::OWNER_PART;
        if self.state.share(E::KIND, payer) as usize + planned >= most {
            let detail = alloc::format!("at most {most} {} an owner", E::WHAT);
            return Err(Rejection::new(Code::OwnerFull, detail));
        }
        Ok(())
    }

    /// Refuses if there is no room to remember a first contact between the two.
    pub(crate) fn room_for_contact(&self, by: AgentId, other: AgentId) -> Result<(), Rejection> {
        if self.state.contacts.contains(&(by, other)) {
            return Ok(());
        }
        self.room_for::<Contact>(owner(self.state, by), 0)
    }

    /// Refuses if there is no room to remember the two as a new pair.
    pub(crate) fn room_for_pair(&self, a: AgentId, b: AgentId) -> Result<(), Rejection> {
        let both = pair(a, b);
        if self.state.pairs.contains(&both) {
            return Ok(());
        }
        self.room_for::<Pair>(owner(self.state, both.0), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::World;
    use crate::text::Handle;

    const MARKET: &str = r#"
        owner ann
        owner bob
        agent ann @buyer
        agent bob @seller
        fund @buyer 100
        @seller listing.publish {"terms": {"title": "tacos"}} => ok $l
        @seller negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "5", "deliver_within_ms": 3600000, "review_within_ms": 3600000, "rule_within_ms": 3600000, "arbiter": "operator"}, "valid_for_ms": 60000} => ok $n
        @buyer community.create {"name": "eaters", "rules": "x"} => ok $eaters
        @seller community.create {"name": "cooks", "rules": "x"} => ok
        @seller community.join {"community": "eaters", "join": true} => ok
    "#;

    /// The refusal if the buyer's owner has filled its part of a table.
    const TABLE: &[(u8, &str)] = &[
        (
            Remembered::KIND,
            r#"@buyer key=k mail.send {"to": {"agent": "@seller"}, "body": "x"} => RLT0014"#,
        ),
        (
            Account::KIND,
            r#"@buyer ledger.open_account {"holder": "@buyer", "label": "more"} => RLT0114"#,
        ),
        (
            Hold::KIND,
            r#"@buyer ledger.transfer {"transfers": [{"hold": {"from": "@buyer", "to": "@seller", "amount": "1", "expires_in_ms": 1000}}]} => RLT0114"#,
        ),
        (
            Payment::KIND,
            r#"@buyer ledger.withdraw {"from": "@buyer", "amount": "1", "reference": "w"} => RLT0114"#,
        ),
        (
            Conversation::KIND,
            r#"@buyer mail.open_group {"title": "g", "members": []} => RLT0114"#,
        ),
        (
            Contact::KIND,
            r#"@buyer mail.send {"to": {"agent": "@seller"}, "body": "x"} => RLT0114"#,
        ),
        (
            MessageKey::KIND,
            r#"@buyer mail.send {"to": {"agent": "@seller"}, "body": "x", "client_id": "c"} => RLT0114"#,
        ),
        (
            Task::KIND,
            r#"@buyer task.create {"worker": "@seller", "body": "x"} => RLT0114"#,
        ),
        (
            Listing::KIND,
            r#"@buyer listing.publish {"terms": {"title": "hats"}} => RLT0114"#,
        ),
        (
            Call::KIND,
            r#"@buyer call.open {"body": "x", "invite": ["@seller"], "open_for_ms": 1000} => RLT0114"#,
        ),
        (
            Negotiation::KIND,
            r#"@buyer negotiation.open {"with": "@seller", "side": "buy", "terms": {"price": "5", "deliver_within_ms": 3600000, "review_within_ms": 3600000, "rule_within_ms": 3600000, "arbiter": "operator"}, "valid_for_ms": 60000} => RLT0114"#,
        ),
        (
            Deal::KIND,
            r#"@buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0114"#,
        ),
        (
            Pair::KIND,
            r#"@buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => RLT0114"#,
        ),
        (
            Allowance::KIND,
            r#"operator policy.set_allowance {"node": {"agent": "@buyer"}, "per_deal": "1", "period_ms": 1000} => RLT0114"#,
        ),
        (
            Block::KIND,
            r#"@buyer policy.set_block {"party": {"agent": "@seller"}, "block": true} => RLT0114"#,
        ),
        (
            Agent::KIND,
            r#"ann agent.register {"handle": "@more"} => RLT0114"#,
        ),
        (
            Following::KIND,
            r#"@buyer social.follow {"agent": "@seller", "follow": true} => RLT0114"#,
        ),
        (
            Mute::KIND,
            r#"@buyer social.mute {"agent": "@seller", "mute": true} => RLT0114"#,
        ),
        (
            OwnerMute::KIND,
            r#"@buyer social.mute {"owner": "$bob", "mute": true} => RLT0114"#,
        ),
        (Post::KIND, r#"@buyer social.post {"body": "x"} => RLT0114"#),
        (
            Community::KIND,
            r#"@buyer community.create {"name": "hungry", "rules": "x"} => RLT0114"#,
        ),
        (
            Membership::KIND,
            r#"@buyer community.join {"community": "cooks", "join": true} => RLT0114"#,
        ),
        (
            Report::KIND,
            r#"@buyer social.report {"target": {"agent": "@seller"}, "ground": "spam"} => RLT0114"#,
        ),
        (
            Measure::KIND,
            r#"@buyer moderation.act {"target": {"agent": "@seller"}, "step": {"suspend": {"for_ms": 1000}}, "community": "eaters", "reason": "x"} => RLT0114"#,
        ),
    ];

    #[test]
    fn nobody_fills_more_than_a_part_of_a_table() {
        for (kind, line) in TABLE {
            let mut world = World::new();
            world.run(MARKET);
            let (command, refusal) = line.split_once(" => ").unwrap();
            let owner = world.state.owner_named(&Handle::new("ann").unwrap());
            let whose = (*kind, owner.unwrap());
            let real = world.state.share(whose.0, whose.1);
            world.state.shares_mut().insert(whose, u32::MAX);
            assert_eq!(world.command(command, refusal), Ok(()), "{line}");
            // Nothing else was in the way.
            world.state.shares_mut().insert(whose, real);
            assert_eq!(world.command(command, "ok"), Ok(()), "{line}");
        }
    }
}
