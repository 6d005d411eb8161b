//! The promises that hold at all times, checked after every line of a table and step of a random run.

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use rialto_core::amount::Amount;
use rialto_core::event::{Envelope, Event, RealmEvent};
use rialto_core::id::{
    AgentId, AnyId, AssetId, CommunityId, DealId, HoldId, ListingId, TransferId,
};
use rialto_core::identity::{Principal, Role, Status};
use rialto_core::ledger::{Entry, EntryKind, LedgerEvent, Moved, Purpose};
use rialto_core::mail::ContactState;
use rialto_core::market::NegotiationState;
use rialto_core::model::ModelEvent;
use rialto_core::policy::{LineScope, Node, Party, PolicyEvent, SpentOn, Unit, Work};
use rialto_core::social::Standing;
use rialto_core::state::State;
use rialto_core::time::Time;

/// What the log says that an entry moved, and what corrections of it come to.
pub(super) fn moved(log: &[Envelope], transfer: TransferId) -> Option<Moved> {
    let entries = || {
        let events = log.iter().flat_map(|envelope| &envelope.events);
        events.filter_map(|event| match event {
            Event::Ledger(LedgerEvent::Entries { entries, .. }) => Some(entries),
            _ => None,
        })
    };
    let entry = entries().flatten().find(|e| e.transfer == transfer)?;
    let corrections = entries()
        .flatten()
        .filter(|e| e.purpose == Purpose::Correction(transfer));
    Some(Moved {
        from: entry.from,
        to: entry.to,
        asset: entry.asset,
        amount: match entry.kind.moves() {
            true => entry.amount,
            false => Amount::ZERO,
        },
        corrected: Amount(corrections.map(|e| e.amount.0).sum()),
    })
}

/// Every entry's corrections together stay within it and between its accounts, and are what the state
/// keeps of them.
pub(crate) fn corrections_stay_within(state: &State, log: &[Envelope]) -> Result<(), String> {
    let mut wrong = None;
    state.corrected.for_each(|id, kept| {
        let entry = moved(log, *id);
        let bounded = entry.is_some_and(|e| e.corrected == kept.amount && e.corrected <= e.amount);
        if !bounded {
            wrong = Some(format!("{id} moved {entry:?}, corrected {kept:?}"));
        }
    });
    wrong.map_or(Ok(()), Err)
}

/// What holds at every position.
pub(crate) fn promises(state: &State) -> Result<(), String> {
    if state.changes.defects() != 0 {
        return Err("an event named what does not exist".into());
    }
    money_is_conserved(state)?;
    deals_have_their_money(state)?;
    offers_have_their_money(state)?;
    stock_is_stock(state)?;
    inboxes_say_what_they_keep(state)?;
    if !state.shares_hold() {
        return Err("an owner's share of a table was miscounted".into());
    }
    if !state.known_handles_hold() {
        return Err("a handle is known that should not be, or the other way round".into());
    }
    if !state.lookups_hold() {
        return Err("a look-up is not what the entities say".into());
    }
    counters_count(state)?;
    the_square_counts(state)
}

fn money_is_conserved(state: &State) -> Result<(), String> {
    let mut sums: BTreeMap<AssetId, i128> = BTreeMap::new();
    let mut pending = BTreeMap::new();
    state.holds.for_each(|_, hold| {
        pending.entry(hold.from).or_insert((0, 0)).0 += hold.amount.0;
        pending.entry(hold.to).or_insert((0, 0)).1 += hold.amount.0;
    });
    let mut wrong = None;
    state.accounts.for_each(|id, account| {
        *sums.entry(account.asset).or_default() += account.balance.0;
        let held = pending.get(id).copied().unwrap_or_default();
        if held != (account.pending_out.0, account.pending_in.0) {
            wrong = Some(format!("{id} has {account:?} but its holds are {held:?}"));
        }
        if account.available().0 < 0 && !account.may_go_negative() {
            wrong = Some(format!("{id} is overdrawn: {account:?}"));
        }
    });
    match sums.iter().find(|(_, sum)| **sum != 0) {
        Some((asset, sum)) => Err(format!("{asset} sums to {sum}")),
        None => wrong.map_or(Ok(()), Err),
    }
}

/// Of every hold the log says that what was captured and what is held still are together what was
/// ever held, that nothing more was captured, and that nothing happened after its end.
pub(crate) fn holds_are_what_the_log_says(state: &State, log: &[Envelope]) -> Result<(), String> {
    let mut open: BTreeMap<HoldId, (i128, i128)> = BTreeMap::new();
    let events = log.iter().flat_map(|envelope| &envelope.events);
    let entries = events.filter_map(|event| match event {
        Event::Ledger(LedgerEvent::Entries { entries, .. }) => Some(entries),
        _ => None,
    });
    for entry in entries.flatten() {
        let Some(id) = entry.hold else { continue };
        if entry.kind == EntryKind::Hold && open.insert(id, (entry.amount.0, 0)).is_some() {
            return Err(format!("{id} was made twice"));
        }
        let over = || format!("{id} was over before {}", entry.transfer);
        let (ever, captured) = open.get_mut(&id).ok_or_else(over)?;
        match entry.kind {
            EntryKind::RaiseHold => *ever += entry.amount.0,
            kind if kind.moves() => *captured += entry.amount.0,
            _ => {}
        }
        if entry.amount.0 < 0 || captured > ever {
            return Err(format!("{captured} of {ever} of {id} were captured"));
        }
        if entry.kind.ends() {
            open.remove(&id);
        }
    }
    let mut kept = BTreeMap::new();
    state.holds.for_each(|id, hold| {
        let raised: i128 = hold.raises().iter().map(|raised| raised.amount.0).sum();
        assert!((0..=hold.amount.0).contains(&raised), "{id} is {hold:?}");
        kept.insert(*id, (hold.amount.0 + hold.captured().0, hold.captured().0));
    });
    match kept == open {
        true => Ok(()),
        false => Err(format!("the holds are {kept:?}, the log says {open:?}")),
    }
}

fn deals_have_their_money(state: &State) -> Result<(), String> {
    let mut held: BTreeSet<DealId> = BTreeSet::new();
    state.holds.for_each(|_, hold| {
        if let Purpose::Deal(deal) = hold.purpose {
            held.insert(deal);
        }
    });
    let mut open: BTreeSet<DealId> = BTreeSet::new();
    let mut wrong = None;
    state.deals.for_each(|id, deal| {
        if deal.state.is_terminal() {
            return;
        }
        open.insert(*id);
        let hold = state.holds.get(&deal.hold);
        if hold.map(|h| (h.purpose, h.amount)) != Some((Purpose::Deal(*id), deal.bargain.price)) {
            wrong = Some(format!("{id} has the hold {hold:?}"));
        }
    });
    if held != open {
        return Err(format!("holds for {held:?}, open deals {open:?}"));
    }
    wrong.map_or(Ok(()), Err)
}

/// A funded offer's money is held for it exactly as long as it can be accepted.
fn offers_have_their_money(state: &State) -> Result<(), String> {
    let mut held = BTreeMap::new();
    state.holds.for_each(|id, hold| {
        if let Purpose::Offer(negotiation) = hold.purpose {
            held.insert(*id, (negotiation, hold.amount));
        }
    });
    let mut wrong = None;
    state.negotiations.for_each(|id, n| {
        let Some(hold) = n.latest.hold else { return };
        let of_offer = held.remove(&hold);
        let wanted = (n.state == NegotiationState::Open).then_some((*id, n.latest.bargain.price));
        if of_offer != wanted {
            wrong = Some(format!("{id} is {:?}, its hold {of_offer:?}", n.state));
        }
    });
    match held.pop_first() {
        Some(hold) => Err(format!("held for no offer: {hold:?}")),
        None => wrong.map_or(Ok(()), Err),
    }
}

/// What deals have taken of a listing's items is at most what it sells, unless it sells fewer since.
fn stock_is_stock(state: &State) -> Result<(), String> {
    let mut taken: BTreeMap<(ListingId, String), u32> = BTreeMap::new();
    state.deals.for_each(|_, deal| {
        if deal.state.is_terminal() {
            return;
        }
        let claims = deal.claim.iter().chain(deal.claims.iter().flatten());
        for (listing, line) in claims.flat_map(|c| c.lines.iter().map(|l| (c.listing, l))) {
            *taken.entry((listing, line.item.to_string())).or_default() += line.quantity;
        }
    });
    let mut wrong = None;
    state.listings.for_each(|id, listing| {
        for stock in listing.stock.iter().flatten() {
            let open = taken.get(&(*id, stock.item.to_string()));
            if open.copied().unwrap_or(0) > stock.taken {
                wrong = Some(format!("{id} is {stock:?}, open deals take {open:?}"));
            }
            if !state.stocked(listing.agent, &stock.item).contains(id) {
                wrong = Some(format!("{id} is not found by {}", stock.item));
            }
        }
    });
    wrong.map_or(Ok(()), Err)
}

/// The head of an inbox says what it keeps, and the index over it what its deliveries say.
fn inboxes_say_what_they_keep(state: &State) -> Result<(), String> {
    let mut kept = 0;
    let mut wrong = None;
    state.inboxes.for_each(|agent, inbox| {
        let numbers: Vec<u64> = state.kept_after(*agent, 0).collect();
        kept += numbers.len();
        let first = numbers.first().copied().unwrap_or(inbox.next);
        let there = |n: &u64| state.deliveries.contains(&(*agent, *n));
        let judged = inbox.judged.unwrap_or(0);
        let unjudged = numbers.iter().find(|n| **n > judged);
        let oldest = unjudged.and_then(|n| state.deliveries.get(&(*agent, *n)));
        let sound = numbers.iter().all(there)
            && numbers.last().is_none_or(|n| *n < inbox.next)
            && inbox.first == first
            && inbox.acknowledged < inbox.next
            && inbox.oldest == oldest.map(|d| d.at);
        if !sound {
            wrong = Some(format!("inbox of {agent} is {inbox:?}, keeps {numbers:?}"));
        }
    });
    if kept != state.deliveries.len() {
        return Err(format!("{} deliveries", state.deliveries.len()));
    }
    if !state.lanes_hold() {
        return Err("the index of what inboxes keep is wrong".into());
    }
    wrong.map_or(Ok(()), Err)
}

/// Every counter in an entity is the number of what it counts.
fn counters_count(state: &State) -> Result<(), String> {
    let mut count: BTreeMap<(String, &str), u32> = BTreeMap::new();
    let mut add = |what: String, which| *count.entry((what, which)).or_default() += 1;
    state.agents.for_each(|_, a| {
        if a.status != Status::Closed {
            add(a.owner.to_string(), "agents");
        }
    });
    state
        .teams
        .for_each(|_, t| add(t.owner.to_string(), "teams"));
    state.persons.for_each(|_, p| {
        add(p.owner.to_string(), "persons");
        if p.role == Role::Admin && p.status == Status::Active {
            add(p.owner.to_string(), "admins");
        }
    });
    state.tokens.for_each(|_, t| match t.principal {
        Principal::Person(id) => add(id.to_string(), "tokens"),
        Principal::Agent(id) => add(id.to_string(), "tokens"),
        Principal::Service(id) => add(id.to_string(), "tokens"),
        _ => {}
    });
    state
        .listings
        .for_each(|_, l| add(l.agent.to_string(), "listings"));
    state
        .approvals
        .for_each(|_, a| add(a.agent.to_string(), "approvals"));
    state.contacts.for_each(|(_, sender), contact| {
        if contact.state == ContactState::Requested {
            add(sender.to_string(), "requests");
        }
    });
    state.blocks.for_each(|(by, _), _| match by {
        Party::Agent(id) => add(id.to_string(), "blocks"),
        Party::Owner(id) => add(id.to_string(), "blocks"),
    });
    let mut wrong = None;
    let mut compare = |id: String, pairs: &[(&'static str, u32)]| {
        for (which, have) in pairs {
            let counted = count.get(&(id.clone(), *which)).copied().unwrap_or(0);
            if counted != *have {
                wrong = Some(format!("{id} says {have} {which}, there are {counted}"));
            }
        }
    };
    state.owners.for_each(|id, o| {
        compare(
            id.to_string(),
            &[
                ("agents", o.agents),
                ("teams", o.teams),
                ("persons", o.persons),
                ("admins", o.admins),
                ("blocks", o.blocks),
            ],
        );
    });
    state.agents.for_each(|id, a| {
        compare(
            id.to_string(),
            &[
                ("tokens", a.tokens),
                ("listings", a.listings),
                ("approvals", a.approvals),
                ("requests", a.open_requests),
                ("blocks", a.blocks),
            ],
        );
    });
    state
        .persons
        .for_each(|id, p| compare(id.to_string(), &[("tokens", p.tokens)]));
    state
        .services
        .for_each(|id, s| compare(id.to_string(), &[("tokens", s.tokens)]));
    wrong.map_or(Ok(()), Err)
}

/// Counters on the square count, every open post is on one page, every stake has its hold.
fn the_square_counts(state: &State) -> Result<(), String> {
    let mut count: BTreeMap<AgentId, Standing> = BTreeMap::new();
    state
        .follows
        .for_each(|(by, _), _| count.entry(*by).or_default().following += 1);
    state
        .mutes
        .for_each(|(by, _), _| count.entry(*by).or_default().mutes += 1);
    state
        .owner_mutes
        .for_each(|(by, _), _| count.entry(*by).or_default().mutes += 1);
    state
        .reports
        .for_each(|_, r| count.entry(r.by).or_default().reports += 1);
    let mut members: BTreeMap<CommunityId, u32> = BTreeMap::new();
    state.memberships.for_each(|(community, agent), m| {
        if !m.left {
            count.entry(*agent).or_default().communities += 1;
            *members.entry(*community).or_default() += u32::from(m.joined);
        }
    });
    let mut wrong = None;
    state.standings.for_each(|agent, have| {
        let counted = count.remove(agent).unwrap_or_default();
        let both = |s: &Standing| (s.following, s.mutes, s.communities, s.reports);
        if both(have) != both(&counted) {
            wrong = Some(format!("{agent} is {have:?}, counted {counted:?}"));
        }
    });
    state.communities.for_each(|id, c| {
        let counted = members.remove(id).unwrap_or(0);
        let inside = |a: &AgentId| {
            let place = state.memberships.get(&(*id, *a));
            let open = state.agents.get(a).map(|a| a.status) != Some(Status::Closed);
            open && place.is_some_and(|m| m.joined && !m.left)
        };
        if counted != c.members || !c.moderators.iter().all(inside) {
            wrong = Some(format!("{id} is {c:?}, {counted} members"));
        }
    });
    let mut paged = BTreeSet::new();
    let square = state.square.get(&()).copied().unwrap_or_default();
    state.post_pages.for_each(|number, page| {
        let place = square.first..=square.last;
        if !place.contains(number) || !page.posts.iter().all(|p| paged.insert(*p)) {
            wrong = Some(format!("page {number} of {square:?} is {page:?}"));
        }
    });
    state.posts.for_each(|id, _| {
        if !paged.contains(id) {
            wrong = Some(format!("{id} is on no page"));
        }
    });
    state.stakes.for_each(|agent, stake| {
        let hold = state.holds.get(&stake.hold).map(|h| h.purpose);
        if hold != Some(Purpose::Stake(*agent)) {
            wrong = Some(format!("the stake of {agent} is held as {hold:?}"));
        }
    });
    if !count.is_empty() {
        return Err(format!("without a standing: {count:?}"));
    }
    wrong.map_or(Ok(()), Err)
}

/// A limit that counts: an allowance in an asset, or a line, by its place at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Counter {
    Allowance(Node, AssetId),
    Line(Node, usize),
}

/// What one step of a hold or reservation counted, and is not used up: where, and how much.
type Step = Vec<(Counter, i128)>;

/// Work that is reserved: how much, where it counts, and what each limit has counted of it.
struct Reserved {
    work: Work,
    charged: Vec<Node>,
    on: Option<SpentOn>,
    step: Step,
}

/// What the log says that each limit has counted in its current period since it began to count.
struct Counts<'a> {
    state: &'a State,
    sums: BTreeMap<Counter, i128>,
}

impl Counts<'_> {
    /// Counts spending of an envelope at nodes, and says at which limits that still matters.
    fn count(
        &mut self,
        envelope: &Envelope,
        nodes: &[Node],
        amount: impl Fn(Unit) -> i128,
        on: Option<&SpentOn>,
    ) -> Step {
        let mut step = Step::new();
        let counts = |since: u64, window: Time, period_ms: Option<u64>| {
            let end = period_ms.map_or(Time(u64::MAX), |ms| window.after(ms));
            envelope.position > since && (window..end).contains(&envelope.at)
        };
        for node in nodes {
            self.state.allowances.for_each(|(whose, asset), a| {
                if whose == node && counts(a.since, a.window, Some(a.period_ms)) {
                    let counter = Counter::Allowance(*node, *asset);
                    step.push((counter, amount(Unit::Money(*asset))));
                }
            });
            let lines = self.state.lines.get(node).cloned().unwrap_or_default();
            for (place, line) in lines.lines.iter().enumerate() {
                let covered = match &line.terms.on {
                    LineScope::All => true,
                    LineScope::Model(model) => {
                        on.is_some_and(|on| on.model.as_ref() == Some(model))
                    }
                    LineScope::Task(task) => on.is_some_and(|on| on.tasks.contains(task)),
                    LineScope::Run(run) => on.is_some_and(|on| on.run.as_ref() == Some(run)),
                };
                if covered && counts(line.since, line.window, line.terms.period_ms) {
                    step.push((Counter::Line(*node, place), amount(line.terms.unit)));
                }
            }
        }
        for (counter, amount) in &step {
            *self.sums.entry(*counter).or_default() += amount;
        }
        step
    }

    /// Counts work that is reserved.
    fn reserve(
        &mut self,
        envelope: &Envelope,
        (work, charged, on): (Work, &[Node], Option<&SpentOn>),
    ) -> Reserved {
        Reserved {
            work,
            charged: charged.to_vec(),
            on: on.cloned(),
            step: self.count(envelope, charged, |unit| of_work(work, unit), on),
        }
    }

    /// Gives back what was not used, and counts what was used beyond what was reserved.
    fn settle(&mut self, envelope: &Envelope, reserved: Reserved, work: Work) {
        let used = |unit| of_work(work, unit);
        let state = self.state;
        let unused = |(counter, amount): (Counter, i128)| {
            let unit = unit_of(state, counter);
            (counter, (amount - unit.map_or(0, used)).max(0))
        };
        self.give_back(reserved.step.into_iter().map(unused).collect());
        let more = |unit| (used(unit) - of_work(reserved.work, unit)).max(0);
        self.count(envelope, &reserved.charged, more, reserved.on.as_ref());
    }

    fn give_back(&mut self, step: Step) {
        for (counter, amount) in step {
            *self.sums.entry(counter).or_default() -= amount;
        }
    }
}

/// From this edition of the rules on, no more tokens of a call count than were reserved for it.
const TOKENS_WITHIN_RESERVE: u16 = 5;

/// Every limit has counted what the log charged to it in its current period since it began to count,
/// less what holds and reservations gave back.
pub(crate) fn spent_is_what_the_log_says(state: &State, log: &[Envelope]) -> Result<(), String> {
    let mut counts = Counts {
        state,
        sums: BTreeMap::new(),
    };
    // What was held in each step and is held still, the oldest first, with where it counted.
    let mut holds: BTreeMap<HoldId, Vec<(Step, i128)>> = BTreeMap::new();
    let mut works: BTreeMap<AnyId, Reserved> = BTreeMap::new();
    let mut edition = 0;
    for (envelope, event) in log
        .iter()
        .flat_map(|e| e.events.iter().map(move |v| (e, v)))
    {
        match event {
            Event::Ledger(LedgerEvent::Entries { entries, .. }) => {
                for entry in entries {
                    count_entry(&mut counts, &mut holds, envelope, entry)?;
                }
            }
            Event::Realm(RealmEvent::RulesAdopted { edition: now }) => edition = *now,
            Event::Policy(PolicyEvent::UsageReserved { usage, reserved }) => {
                let it = (reserved.work, &*reserved.charged, reserved.on.as_deref());
                works.insert(AnyId::from(*usage), counts.reserve(envelope, it));
            }
            Event::Policy(PolicyEvent::UsageSettled { usage, work }) => {
                let reserved = works.remove(&AnyId::from(*usage)).ok_or("settled twice")?;
                counts.settle(envelope, reserved, *work);
            }
            Event::Policy(PolicyEvent::UsageExpired { usage }) => {
                let reserved = works.remove(&AnyId::from(*usage)).ok_or("ended twice")?;
                counts.settle(envelope, reserved, Work::default());
            }
            Event::Model(ModelEvent::Reserved {
                inference,
                reserved,
            }) => {
                let it = (reserved.work(), &*reserved.charged, Some(&*reserved.on));
                works.insert(AnyId::from(*inference), counts.reserve(envelope, it));
            }
            Event::Model(ModelEvent::Settled {
                inference, receipt, ..
            }) => {
                let reserved = works
                    .remove(&AnyId::from(*inference))
                    .ok_or("settled twice")?;
                let beyond = edition < TOKENS_WITHIN_RESERVE;
                let most = if beyond {
                    u64::MAX
                } else {
                    reserved.work.tokens
                };
                let work = Work {
                    tokens: receipt.tokens.sum().min(most),
                    milliseconds: 0,
                };
                counts.settle(envelope, reserved, work);
            }
            _ => {}
        }
    }
    counts_are(state, &counts.sums)
}

fn count_entry(
    counts: &mut Counts<'_>,
    holds: &mut BTreeMap<HoldId, Vec<(Step, i128)>>,
    envelope: &Envelope,
    entry: &Entry,
) -> Result<(), String> {
    let amount = |unit| match unit {
        Unit::Money(asset) if asset == entry.asset => entry.amount.0,
        _ => 0,
    };
    let on = entry.spent_on.as_deref();
    let step = counts.count(envelope, &entry.charged, amount, on);
    let Some(id) = entry.hold else { return Ok(()) };
    let steps = holds.entry(id).or_default();
    if entry.kind.holds() {
        steps.push((step, entry.amount.0));
        return Ok(());
    }
    let mut moved = entry.amount.0;
    for (step, held) in steps.iter_mut() {
        let taken = moved.min(*held);
        (*held, moved) = (*held - taken, moved - taken);
        for (_, amount) in step.iter_mut().filter(|(_, amount)| *amount > 0) {
            *amount = *held;
        }
    }
    if entry.kind.ends() {
        for (step, _) in holds.remove(&id).ok_or("ended twice")? {
            counts.give_back(step);
        }
    }
    Ok(())
}

fn of_work(work: Work, unit: Unit) -> i128 {
    match unit {
        Unit::Money(_) => 0,
        Unit::Tokens => work.tokens.into(),
        Unit::Milliseconds => work.milliseconds.into(),
    }
}

fn unit_of(state: &State, counter: Counter) -> Option<Unit> {
    match counter {
        Counter::Allowance(..) => None,
        Counter::Line(node, place) => Some(state.lines.get(&node)?.lines.get(place)?.terms.unit),
    }
}

fn counts_are(state: &State, sums: &BTreeMap<Counter, i128>) -> Result<(), String> {
    let mut wrong = None;
    let sum = |counter: Counter| sums.get(&counter).copied().unwrap_or(0);
    state.allowances.for_each(|(node, asset), allowance| {
        let sum = sum(Counter::Allowance(*node, *asset));
        if allowance.spent.0 != sum {
            wrong = Some(format!("{node} is {allowance:?}, the log says {sum}"));
        }
    });
    state.lines.for_each(|node, lines| {
        for (place, line) in lines.lines.iter().enumerate() {
            let sum = sum(Counter::Line(*node, place));
            if line.used.0 != sum {
                wrong = Some(format!("{node} has {line:?}, the log says {sum}"));
            }
        }
    });
    wrong.map_or(Ok(()), Err)
}
