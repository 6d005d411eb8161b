//! How much of each realm-wide table one owner may fill, so that nobody can crowd out the rest.
//!
//! Every entry of a bounded table is charged to the owner that brought it there, and one owner may
//! fill at most one part in [`limits::OWNER_PART`] of what the others leave, so that however many fill
//! their part there is some for the next. Who that is stands with each kind of entity
//! ([`crate::entity::Charge`]). The counts are derived: they are made anew
//! when a snapshot is loaded and are no part of the digest.

use alloc::collections::BTreeSet;

use crate::ctx::{Ctx, room};
use crate::entity::{Charge, Entity, Stored, key_of};
use crate::hash::Short;
use crate::id::{AgentId, OwnerId};
use crate::identity::Principal;
use crate::ledger::Holder;
use crate::limits;
use crate::mail::Contact;
use crate::market::Pair;
use crate::policy::{self, Node, Party};
use crate::reject::{Code, Rejection};
use crate::state::{State, pair};
use crate::table::Table;
use crate::time::Time;

/// How many entries of each kind each owner has brought.
pub(crate) type Shares = Table<(u8, OwnerId), u32>;

/// When which entries of an owner leave by themselves, for the kinds that have windows.
pub(crate) type Windows = Table<(u8, OwnerId), BTreeSet<(Time, Short)>>;

/// Counts the entities of one kind.
pub(crate) fn count<E: Stored>(state: &State, shares: &mut Shares, windows: &mut Windows) {
    if matches!(E::CHARGE, Charge::Nobody) {
        return;
    }
    E::store(state).for_each(|key, entity| {
        let Some(payer) = payer(entity, key, state) else {
            return;
        };
        charge(shares, (E::KIND, payer));
        if let Some(leaves) = leaves(entity, key) {
            enter(windows, (E::KIND, payer), leaves);
        }
    });
}

/// The owner that an entity is charged to, if one is.
fn payer<E: Entity>(entity: &E, key: &E::Key, state: &State) -> Option<OwnerId> {
    match E::CHARGE {
        Charge::Nobody => None,
        Charge::Owner { payer, .. } | Charge::Window { payer, .. } => payer(entity, key, state),
    }
}

/// When an entity leaves its owner's window, if it is of a kind with windows.
fn leaves<E: Entity>(entity: &E, key: &E::Key) -> Option<(Time, Short)> {
    if !matches!(E::CHARGE, Charge::Window { .. }) {
        return None;
    }
    Some((entity.due()?, key_of::<E>(key).typed()?))
}

fn enter(windows: &mut Windows, whose: (u8, OwnerId), leaves: (Time, Short)) {
    match windows.get_mut(&whose) {
        Some(window) => {
            window.insert(leaves);
        }
        None => {
            windows.insert(whose, BTreeSet::from([leaves]));
        }
    }
}

fn leave(windows: &mut Windows, whose: (u8, OwnerId), leaves: (Time, Short)) {
    let left = windows.get_mut(&whose).map(|window| {
        window.remove(&leaves);
        window.len()
    });
    if left == Some(0) {
        windows.remove(&whose);
    }
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

/// The owner that a command or envelope is of: the acting agent's, else the principal's.
pub(crate) fn acting(
    state: &State,
    principal: Principal,
    actor: Option<AgentId>,
) -> Option<OwnerId> {
    let acting = actor.and_then(|agent| owner(state, agent));
    acting.or_else(|| policy::owner_of_principal(state, principal))
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
    /// Charges an entity that is about to come to who brings it.
    pub(crate) fn charge<E: Entity>(&mut self, key: &E::Key, entity: &E) {
        let Some(payer) = payer(entity, key, self) else {
            return;
        };
        let whose = (E::KIND, payer);
        charge(self.shares_mut(), whose);
        if let Some(leaves) = leaves(entity, key) {
            enter(self.windows_mut(), whose, leaves);
        }
    }

    /// Ends the charge of the entity with this key, if it is there.
    pub(crate) fn end_charge<E: Stored>(&mut self, key: &E::Key) {
        let Some(entity) = E::store(self).get(key) else {
            return;
        };
        let Some(payer) = payer(entity, key, self) else {
            return;
        };
        let (whose, leaves) = ((E::KIND, payer), leaves(entity, key));
        discharge(self.shares_mut(), whose);
        if let Some(leaves) = leaves {
            leave(self.windows_mut(), whose, leaves);
        }
    }

    /// What of an owner's window of a kind leaves when, the first first.
    pub(crate) fn leaving(
        &self,
        kind: u8,
        owner: OwnerId,
    ) -> impl Iterator<Item = (Time, Short)> + '_ {
        let window = self.windows().get(&(kind, owner));
        window.into_iter().flatten().copied()
    }
}

/// The most entries of a table, and what they are called; only for kinds that an owner is charged for.
const fn bound<E: Entity>() -> (usize, &'static str) {
    assert!(
        !matches!(E::CHARGE, Charge::Nobody),
        "nobody has a share of the table"
    );
    match E::CHARGE {
        Charge::Owner { most, what, .. } | Charge::Window { most, what, .. } => (most, what),
        Charge::Nobody => (0, ""),
    }
}

/// How many entries of a table of `most` an owner may fill of which other owners have filled some.
pub(crate) fn part_of(most: usize, others: usize) -> usize {
    most.saturating_sub(others) / limits::OWNER_PART
}

impl Ctx<'_> {
    /// Refuses when the table has no room for one more beside `planned`, or `payer` has filled its
    /// part of it.
    pub(crate) fn room_for<E: Stored>(
        &self,
        payer: Option<OwnerId>,
        planned: usize,
    ) -> Result<(), Rejection> {
        let (most, what) = const { bound::<E>() };
        room(what, E::store(self.state).len() + planned, most)?;
        self.part_for::<E>(payer, planned)
    }

    /// Refuses when `payer` has filled its part of the table.
    pub(crate) fn part_for<E: Stored>(
        &self,
        payer: Option<OwnerId>,
        planned: usize,
    ) -> Result<(), Rejection> {
        let Some(payer) = payer else { return Ok(()) };
        let (most, what) = const { bound::<E>() };
        let have = self.state.share(E::KIND, payer) as usize;
        let others = E::store(self.state).len().saturating_sub(have);
        let most = part_of(most, others);
        if have + planned >= most {
            let detail = alloc::format!("at most {most} {what} an owner");
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
    use crate::identity::Agent;
    use crate::ledger::{Account, Hold, Payment};
    use crate::mail::{Conversation, MessageKey};
    use crate::market::{Call, Deal, Listing, Negotiation};
    use crate::policy::{Allowance, Block};
    use crate::realm::Remembered;
    use crate::social::{Community, Following, Measure, Membership, Mute, OwnerMute, Post, Report};
    use crate::spec::World;
    use crate::text::Handle;
    use crate::work::Task;

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
            r#"@buyer mail.send {"to": {"agent": "@seller"}, "body": "x", "client_id": "c"} => RLT0027"#,
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

    /// However many owners fill their part, there is some for the next.
    #[test]
    fn an_owner_may_fill_a_part_of_what_the_others_leave() {
        let most = 1_000_usize;
        let mut taken = 0;
        for _ in 0..40 {
            let part = part_of(most, taken);
            assert!(part > 0, "{taken} are taken");
            taken += part;
        }
        assert_eq!(part_of(most, 0), most / limits::OWNER_PART);
        assert_eq!(part_of(most, most + 1), 0);
    }
}
