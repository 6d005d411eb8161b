//! The lanes of an inbox: which deliveries can displace others, and which are never displaced.
//!
//! Every delivery is in one lane. Deliveries that wait for an act of the reader are in a lane that
//! is never trimmed; their number is bounded when they are sent. The other lanes are bounded, and a
//! full lane drops the oldest delivery of the owner that fills most of it: nobody pushes out what
//! others sent, however many agents it has. The index here is derived from the deliveries and not
//! part of the digest; it never decides what a delivery says or who may read it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{ContactState, Delivery, Inbox, Item, contact};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::id::{AgentId, OwnerId, PostId};
use crate::identity::Principal;
use crate::limits;
use crate::market::{Answer, CallState, DealState, NegotiationState};
use crate::realm::rules;
use crate::share::owner;
use crate::state::{State, pair};
use crate::table::Table;
use crate::time::{DAY_MS, Time};
use crate::work::TaskState;

/// A part of an inbox with its own bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Waits for an act of the reader: an offer, a deal, a task, an approval, a call or a first
    /// message. Kept until it is acknowledged or over.
    #[n(0)]
    Waiting,
    /// From the realm, from agents of the same owner, and from those that the reader has dealt with
    /// or has admitted.
    #[n(1)]
    Known,
    /// From all others.
    #[n(2)]
    Strangers,
    /// Posts that mention the reader or reply to it, and later changes of these posts.
    #[n(3)]
    Mentions,
}

impl Lane {
    const ALL: [Self; 4] = [Self::Waiting, Self::Known, Self::Strangers, Self::Mentions];

    /// How many deliveries the lane keeps; none for the lane that is bounded when deliveries are
    /// sent.
    fn bound(self) -> Option<usize> {
        match self {
            Self::Waiting => None,
            Self::Known => Some(limits::INBOX_DELIVERIES),
            Self::Strangers => Some(limits::INBOX_STRANGERS),
            Self::Mentions => Some(limits::INBOX_MENTIONS),
        }
    }
}

/// Marks that inboxes have lanes. A realm whose log began before lanes existed follows the older
/// rules until the event that sets this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Lanes {}

impl Entity for Lanes {
    const KIND: u8 = 35;
    type Key = ();
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// The deliveries of a lane by the owner they came from; owner 0 stands for the realm.
#[derive(Debug, Default, PartialEq, Eq)]
struct Queue {
    len: usize,
    owners: BTreeMap<OwnerId, BTreeSet<u64>>,
    sizes: BTreeSet<(usize, OwnerId)>,
}

impl Queue {
    fn change(&mut self, whose: OwnerId, change: impl FnOnce(&mut BTreeSet<u64>)) {
        let numbers = self.owners.entry(whose).or_default();
        let before = numbers.len();
        change(numbers);
        let after = numbers.len();
        if after == 0 {
            self.owners.remove(&whose);
        }
        self.sizes.remove(&(before, whose));
        if after > 0 {
            self.sizes.insert((after, whose));
        }
        self.len = (self.len + after).saturating_sub(before);
    }

    /// The oldest delivery of the owner that has most.
    fn next_to_go(&self) -> Option<u64> {
        let (_, whose) = self.sizes.last()?;
        self.owners.get(whose)?.first().copied()
    }

    /// What is of one owner, oldest first.
    fn of(&self, whose: OwnerId) -> Option<&BTreeSet<u64>> {
        self.owners.get(&whose)
    }
}

/// What an inbox keeps.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    numbers: BTreeSet<u64>,
    waiting: BTreeSet<u64>,
    lanes: [Queue; 4],
    /// The waiting deliveries by their subject.
    about: BTreeMap<Item, BTreeSet<u64>>,
}

impl Kept {
    fn lane(&self, lane: Lane) -> Option<&Queue> {
        self.lanes.get(lane as usize)
    }

    fn lane_mut(&mut self, lane: Lane) -> Option<&mut Queue> {
        self.lanes.get_mut(lane as usize)
    }

    fn add(&mut self, seq: u64, lane: Lane, whose: OwnerId, item: Item) {
        self.numbers.insert(seq);
        if let Some(queue) = self.lane_mut(lane) {
            queue.change(whose, |numbers| {
                numbers.insert(seq);
            });
        }
        if lane == Lane::Waiting {
            self.waiting.insert(seq);
            self.about.entry(item).or_default().insert(seq);
        }
    }

    fn remove(&mut self, seq: u64, lane: Lane, whose: OwnerId, item: Item) {
        self.numbers.remove(&seq);
        self.waiting.remove(&seq);
        if let Some(queue) = self.lane_mut(lane) {
            queue.change(whose, |numbers| {
                numbers.remove(&seq);
            });
        }
        if let Some(numbers) = self.about.get_mut(&item) {
            numbers.remove(&seq);
            if numbers.is_empty() {
                self.about.remove(&item);
            }
        }
    }
}

/// What all inboxes keep, and who keeps a post that was delivered.
pub(crate) struct KeptIndex {
    inboxes: Table<AgentId, Kept>,
    told: Table<PostId, BTreeSet<AgentId>>,
}

impl KeptIndex {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            inboxes: Table::new(seed),
            told: Table::new(seed),
        }
    }

    fn change(&mut self, agent: AgentId, change: impl FnOnce(&mut Kept)) {
        if !self.inboxes.contains(&agent) {
            self.inboxes.insert(agent, Kept::default());
        }
        if let Some(kept) = self.inboxes.get_mut(&agent) {
            change(kept);
            if kept.numbers.is_empty() {
                self.inboxes.remove(&agent);
            }
        }
    }

    fn add(&mut self, (agent, seq): (AgentId, u64), delivery: &Delivery, whose: OwnerId) {
        let (lane, item) = (delivery.stands_in(), delivery.item);
        self.change(agent, |kept| kept.add(seq, lane, whose, item));
        if let Item::Mention(post) | Item::Reply(post) = item {
            match self.told.get_mut(&post) {
                Some(told) => {
                    told.insert(agent);
                }
                None => {
                    self.told.insert(post, BTreeSet::from([agent]));
                }
            }
        }
    }

    fn remove(&mut self, (agent, seq): (AgentId, u64), delivery: &Delivery, whose: OwnerId) {
        let (lane, item) = (delivery.stands_in(), delivery.item);
        self.change(agent, |kept| kept.remove(seq, lane, whose, item));
        if let Item::Mention(post) | Item::Reply(post) = item
            && let Some(told) = self.told.get_mut(&post)
        {
            told.remove(&agent);
            if told.is_empty() {
                self.told.remove(&post);
            }
        }
    }

    /// Rebuilds the counts from the deliveries of a snapshot.
    pub(crate) fn of(state: &State, seed: u64) -> Self {
        let mut index = Self::new(seed);
        state.deliveries.for_each(|key, delivery| {
            index.add(*key, delivery, from(state, delivery));
        });
        index
    }

    /// True if both say the same.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let mut same = self.inboxes.len() == other.inboxes.len();
        same &= self.told.len() == other.told.len();
        let one = |agent: &AgentId, kept: &Kept| same &= other.inboxes.get(agent) == Some(kept);
        self.inboxes.for_each(one);
        let one = |post: &PostId, told: &_| same &= other.told.get(post) == Some(told);
        self.told.for_each(one);
        same
    }
}

impl Item {
    /// Whether it can wait for an act.
    fn can_wait(self) -> bool {
        matches!(
            self,
            Self::Request(_)
                | Self::Call(_)
                | Self::Negotiation(_)
                | Self::Deal(_)
                | Self::Task(_)
                | Self::Approval(_)
        )
    }
}

impl Delivery {
    /// Its lane. A delivery from before lanes existed waits if its kind can.
    #[must_use]
    pub fn stands_in(&self) -> Lane {
        self.lane.unwrap_or(match self.item.can_wait() {
            true => Lane::Waiting,
            false => Lane::Known,
        })
    }
}

/// The owner that a delivery came from; 0 for the realm.
fn from(state: &State, delivery: &Delivery) -> OwnerId {
    let by = delivery.by.and_then(|by| owner(state, by));
    by.unwrap_or_default()
}

/// Whether `agent` knows `other`: same owner, admitted, or dealt with.
pub(crate) fn known(state: &State, agent: AgentId, other: AgentId) -> bool {
    owner(state, agent) == owner(state, other)
        || contact(state, agent, other) == Some(ContactState::Admitted)
        || state.pairs.contains(&pair(agent, other))
}

/// The lane of a delivery that does not wait.
fn at_rest(state: &State, agent: AgentId, item: Item, by: Option<AgentId>) -> Lane {
    match item {
        Item::Mention(_) | Item::Reply(_) | Item::Changed(_) => Lane::Mentions,
        _ if by.is_none_or(|by| known(state, agent, by)) => Lane::Known,
        _ => Lane::Strangers,
    }
}

/// Whether `agent` has still to act on what was delivered to it.
fn waits(state: &State, agent: AgentId, item: Item, by: Option<AgentId>) -> bool {
    match item {
        Item::Request(_) => {
            by.is_some_and(|by| contact(state, agent, by) == Some(ContactState::Requested))
        }
        Item::Call(id) => state.calls.get(&id).is_some_and(|c| match c.state {
            CallState::Open => c
                .invites
                .iter()
                .any(|i| i.agent == agent && i.answer == Answer::None),
            CallState::Revealed => c.buyer == agent,
            CallState::Awarded | CallState::Closed => false,
        }),
        Item::Negotiation(id) => state
            .negotiations
            .get(&id)
            .is_some_and(|n| n.state == NegotiationState::Open && n.latest.by != agent),
        Item::Deal(id) => state.deals.get(&id).is_some_and(|d| match d.state {
            DealState::Agreed => d.seller == agent,
            DealState::Delivered => d.buyer == agent,
            DealState::Disputed => d.seller == agent || d.bargain.arbiter == Some(agent),
            DealState::Settled | DealState::Split | DealState::Refunded | DealState::Expired => {
                false
            }
        }),
        Item::Task(id) => state.tasks.get(&id).is_some_and(|t| match t.state {
            TaskState::Submitted => t.worker == agent,
            TaskState::InputRequired | TaskState::AuthRequired => {
                t.requester == Principal::Agent(agent)
            }
            TaskState::Working
            | TaskState::Completed
            | TaskState::Failed
            | TaskState::Canceled
            | TaskState::Rejected => false,
        }),
        Item::Approval(_) => true,
        Item::Message(_)
        | Item::Team(_)
        | Item::Contact(_)
        | Item::Conversation(_)
        | Item::Mention(_)
        | Item::Reply(_)
        | Item::Community(_)
        | Item::Measure(_)
        | Item::Changed(_) => false,
    }
}

/// Who caused a delivery: the agent that acted, or else the other party of its subject.
fn cause(state: &State, agent: AgentId, item: Item) -> Option<AgentId> {
    let acting = state.acting().filter(|by| *by != agent);
    acting.or_else(|| match item {
        Item::Call(id) => state.calls.get(&id).map(|c| c.buyer),
        Item::Negotiation(id) => state.negotiations.get(&id).map(|n| n.other(agent)),
        Item::Deal(id) => state.deals.get(&id).map(|d| match d.buyer == agent {
            true => d.seller,
            false => d.buyer,
        }),
        Item::Task(id) => {
            state
                .tasks
                .get(&id)
                .and_then(|t| match (t.worker == agent, t.requester) {
                    (false, _) => Some(t.worker),
                    (true, Principal::Agent(requester)) => Some(requester),
                    (true, _) => None,
                })
        }
        Item::Message(_)
        | Item::Request(_)
        | Item::Approval(_)
        | Item::Team(_)
        | Item::Contact(_)
        | Item::Conversation(_)
        | Item::Mention(_)
        | Item::Reply(_)
        | Item::Community(_)
        | Item::Measure(_)
        | Item::Changed(_) => None,
    })
}

impl State {
    /// The numbers that an inbox keeps after `after`, in order.
    pub fn kept_after(&self, agent: AgentId, after: u64) -> impl Iterator<Item = u64> {
        let kept = self.kept().inboxes.get(&agent);
        let numbers = kept.map(|k| k.numbers.range(after.saturating_add(1)..));
        numbers.into_iter().flatten().copied()
    }

    /// Whether `agent` has still to act on what was delivered to it.
    #[must_use]
    pub fn awaits(&self, agent: AgentId, delivery: &Delivery) -> bool {
        waits(self, agent, delivery.item, delivery.by)
    }

    /// True if the running index of what inboxes keep equals a fresh one. It always does; tests ask.
    #[must_use]
    pub fn lanes_hold(&self) -> bool {
        self.kept().same(&KeptIndex::of(self, 1))
    }

    /// The numbers up to `through` of what waits in an inbox, oldest first.
    fn waiting_through(&self, agent: AgentId, through: u64) -> Vec<u64> {
        let kept = self.kept().inboxes.get(&agent);
        let numbers = kept.map(|k| k.waiting.range(..=through));
        numbers.into_iter().flatten().copied().collect()
    }

    fn kept_in(&self, agent: AgentId, lane: Lane) -> Option<&Queue> {
        self.kept().inboxes.get(&agent)?.lane(lane)
    }

    /// What waits in a queue of `agent`'s by those that it knows, or by those that it does not.
    fn unmet_of(&self, agent: AgentId, queue: &Queue, is_known: bool) -> usize {
        let same = |seq: &&u64| {
            let delivery = self.deliveries.get(&(agent, **seq));
            let by = delivery.and_then(|d| d.by);
            by.is_none_or(|by| known(self, agent, by)) == is_known
        };
        let numbers = queue.owners.values().flatten();
        self.unmet(agent, numbers.filter(same))
    }

    /// What of the deliveries with these numbers `agent` has neither acknowledged nor acted on.
    fn unmet<'a>(&self, agent: AgentId, numbers: impl Iterator<Item = &'a u64>) -> usize {
        numbers.filter(|seq| is_unmet(self, agent, **seq)).count()
    }
}

fn is_unmet(state: &State, agent: AgentId, seq: u64) -> bool {
    let acknowledged = state.inboxes.get(&agent).map_or(0, |i| i.acknowledged);
    let delivery = state.deliveries.get(&(agent, seq));
    seq > acknowledged && delivery.is_some_and(|d| waits(state, agent, d.item, d.by))
}

/// Whether `by` may send `agent` nothing more that waits until some of it is acknowledged or over:
/// nothing, or the bound. What known agents sent takes no room of strangers, nor the reverse. An owner's deliveries to its own agents are not bounded.
pub(super) fn full_for(state: &State, agent: AgentId, by: AgentId) -> Option<usize> {
    let (whose, own) = (owner(state, by), owner(state, agent));
    if whose == own {
        return None;
    }
    let is_known = known(state, agent, by);
    let (each, all) = match is_known {
        true => (limits::WAITING_OF_OWNER, limits::INBOX_WAITING),
        false => (limits::WAITING_OF_STRANGER, limits::INBOX_WAITING / 2),
    };
    let queue = state.kept_in(agent, Lane::Waiting)?;
    let whose = whose.unwrap_or_default();
    // What is over is only counted out when the count matters.
    let theirs = queue.of(whose).filter(|numbers| numbers.len() >= each);
    if theirs.is_some_and(|numbers| state.unmet(agent, numbers.iter()) >= each) {
        return Some(each);
    }
    (queue.len >= all && state.unmet_of(agent, queue, is_known) >= all).then_some(all)
}

/// Whether so much waits at `agent` that further things are only of owners that have none waiting there, and
/// `by` has some: what few owners send leaves room for all others.
pub(super) fn crowded_for(state: &State, agent: AgentId, by: AgentId) -> bool {
    let (whose, own) = (owner(state, by), owner(state, agent));
    let followed = state.follows.contains(&(agent, by));
    let is_known = known(state, agent, by);
    let crowded = match is_known || followed {
        true => limits::WAITING_CROWDED_KNOWN,
        false => limits::WAITING_CROWDED,
    };
    let queue = state.kept_in(agent, Lane::Waiting);
    let Some(queue) = queue.filter(|q| whose != own && q.len >= crowded) else {
        return false;
    };
    let theirs = queue.of(whose.unwrap_or_default());
    let has_some = theirs.is_some_and(|numbers| state.unmet(agent, numbers.iter()) > 0);
    has_some && state.unmet_of(agent, queue, is_known) >= crowded
}

/// Whether a dispute is brought to its arbiter by one that may have nothing more waiting there. A buyer
/// may always dispute, so it is told, but does not wait: nobody fills an inbox with cases.
fn is_case_too_many(state: &State, agent: AgentId, item: Item, by: Option<AgentId>) -> bool {
    let Item::Deal(deal) = item else { return false };
    let deal = state.deals.get(&deal);
    state.edition() >= rules::CASES_ARE_BOUNDED
        && deal.is_some_and(|d| d.bargain.arbiter == Some(agent))
        && by.is_some_and(|by| full_for(state, agent, by).is_some())
}

/// Puts a delivery into an inbox, and lets go what its lane has no room for.
pub(super) fn keep(state: &mut State, agent: AgentId, seq: u64, (at, item): (Time, Item)) {
    let by = cause(state, agent, item);
    let waiting = waits(state, agent, item, by) && !is_case_too_many(state, agent, item, by);
    let lane = match waiting {
        true => Lane::Waiting,
        false => at_rest(state, agent, item, by),
    };
    let delivery = Delivery {
        at,
        position: state.position(),
        item,
        lane: Some(lane),
        by,
    };
    let superseded = match lane {
        Lane::Waiting => state.kept().inboxes.get(&agent),
        _ => None,
    };
    let superseded = superseded.and_then(|k| k.about.get(&item)).cloned();
    put(state, agent, seq, delivery);
    for older in superseded.into_iter().flatten() {
        release(state, agent, older);
    }
    let waiting = state.kept_in(agent, Lane::Waiting).map_or(0, |q| q.len);
    if lane == Lane::Waiting && waiting.is_multiple_of(limits::WAITING_SWEEP) {
        sweep(state, agent);
    }
    make_room(state, agent);
}

/// Puts a delivery into its table and the index.
pub(super) fn put(state: &mut State, agent: AgentId, seq: u64, delivery: Delivery) {
    let whose = from(state, &delivery);
    state.kept_mut().add((agent, seq), &delivery, whose);
    state.bring((agent, seq), delivery);
}

/// Takes a delivery out of its table and the index.
pub(super) fn drop(state: &mut State, agent: AgentId, seq: u64) {
    if let Some(gone) = state.take::<Delivery>(&(agent, seq)) {
        let whose = from(state, &gone);
        state.kept_mut().remove((agent, seq), &gone, whose);
    }
}

/// Lets the lanes that are over their bounds keep to them.
fn make_room(state: &mut State, agent: AgentId) {
    for lane in Lane::ALL {
        let Some(bound) = lane.bound() else { continue };
        while let Some(seq) = state
            .kept_in(agent, lane)
            .filter(|q| q.len > bound)
            .and_then(Queue::next_to_go)
        {
            drop(state, agent, seq);
        }
    }
    head(state, agent);
}

/// A delivery no longer waits: it moves to the lane of its kind, or is dropped if its time is past.
fn release(state: &mut State, agent: AgentId, seq: u64) {
    let Some(delivery) = state.deliveries.get(&(agent, seq)).cloned() else {
        return;
    };
    let lane = Some(at_rest(state, agent, delivery.item, delivery.by));
    drop(state, agent, seq);
    let judged = state.inboxes.get(&agent).and_then(|i| i.judged);
    if judged.is_none_or(|judged| seq > judged) {
        put(state, agent, seq, Delivery { lane, ..delivery });
    }
}

/// Ends the waiting of what is over.
fn sweep(state: &mut State, agent: AgentId) {
    for seq in state.waiting_through(agent, u64::MAX) {
        if !is_unmet(state, agent, seq) {
            release(state, agent, seq);
        }
    }
}

/// Ends the waiting of what was acknowledged.
pub(super) fn acknowledged(state: &mut State, agent: AgentId, through: u64) {
    for seq in state.waiting_through(agent, through) {
        release(state, agent, seq);
    }
    make_room(state, agent);
}

/// Drops what is too old up to a number, except what still waits; the clock checks that again after
/// a day. The result of an approval is kept as long as any other delivery, and a first message is
/// forgotten at that age.
pub(super) fn clear(state: &mut State, agent: AgentId, through: u64) {
    let changes = &mut state.changes;
    state.inboxes.modify(&agent, changes, |i| {
        i.judged = Some(i.judged.unwrap_or(0).max(through));
    });
    let numbers: Vec<u64> = state
        .kept_after(agent, 0)
        .take_while(|seq| *seq <= through)
        .collect();
    let mut held = false;
    for seq in numbers {
        let item = state.deliveries.get(&(agent, seq)).map(|d| d.item);
        let ends = matches!(item, Some(Item::Approval(_) | Item::Request(_)));
        if !ends && is_unmet(state, agent, seq) {
            held = true;
        } else {
            drop(state, agent, seq);
        }
    }
    let again = held.then(|| state.now().after(DAY_MS));
    let changes = &mut state.changes;
    state.inboxes.modify(&agent, changes, |i| i.again = again);
    head(state, agent);
}

/// Up to which number the clock can check an inbox at `now`: past what is old, a bounded number at
/// a time, and at least as far as before.
pub(super) fn judge(state: &State, agent: AgentId, inbox: &Inbox, now: Time) -> u64 {
    let judged = inbox.judged.unwrap_or(0);
    let old = |seq: &u64| {
        let delivery = state.deliveries.get(&(agent, *seq));
        delivery.is_some_and(|d| now.since(d.at) >= limits::DELIVERY_MS)
    };
    let numbers = state.kept_after(agent, judged);
    let old = numbers.take(limits::TICK_EXPIRIES).take_while(old);
    old.last().unwrap_or(judged)
}

/// Brings the head of an inbox in line with what is kept.
fn head(state: &mut State, agent: AgentId) {
    let Some(inbox) = state.inboxes.get(&agent) else {
        state.changes.defect();
        return;
    };
    let first = state.kept_after(agent, 0).next().unwrap_or(inbox.next);
    let unjudged = state.kept_after(agent, inbox.judged.unwrap_or(0)).next();
    let oldest = unjudged.and_then(|seq| state.deliveries.get(&(agent, seq)));
    let oldest = oldest.map(|d| d.at);
    if (inbox.first, inbox.oldest) != (first, oldest) {
        state.inboxes.modify(&agent, &mut state.changes, |i| {
            (i.first, i.oldest) = (first, oldest);
        });
    }
}

/// Who keeps a delivery of a post, in order.
pub(super) fn told(state: &State, post: PostId) -> Vec<AgentId> {
    let told = state.kept().told.get(&post);
    told.into_iter().flatten().copied().collect()
}
