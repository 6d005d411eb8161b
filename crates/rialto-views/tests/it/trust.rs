//! What a set of owners gains in evidence is bounded by the money that came to it from outside the
//! set, whatever it does with it; and what a reader sees, no stranger's ring can move.

use std::collections::BTreeMap;

use rialto_core::event::Event;
use rialto_core::id::{AgentId, AnyId, HoldId, OwnerId, TransferId};
use rialto_core::identity::Principal;
use rialto_core::ledger::{Entry, Holder, LedgerEvent, Purpose};
use rialto_core::state::State;
use rialto_views::{Feed, Paging, SeenScore, Views};
use serde_json::{Value, json};

use crate::realm::{Owner, Realm, id_of};
use crate::square::{follow, post};

/// What an evidence of one counts.
const ONE: u64 = 1_024;

struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % most.max(1)
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

/// How a deal ends.
#[derive(Clone, Copy)]
enum End {
    Settled,
    GivenBack,
    /// Disputed; the operator gives the seller this part of the price, in tenths.
    Ruled(u64),
    Late,
}

struct World {
    realm: Realm,
    owners: Vec<Owner>,
    /// One of each owner, then a second one of the first.
    agents: Vec<AgentId>,
    holds: Vec<HoldId>,
    /// A payment service.
    bank: Principal,
    number: u64,
}

impl World {
    fn new(owners: usize) -> Self {
        let mut realm = Realm::new();
        let settings = json!({ "sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0,
            "offers_per_minute": 0, "agents_per_owner": 0, "posts_per_minute": 0,
            "gestures_per_minute": 0, "creations_per_minute": 0, "least_review_ms": 60_000 });
        realm.operator("policy.set_settings", settings);
        let bank = json!({ "name": "bank", "grants": ["payments"] });
        let AnyId::ServiceId(bank) = id_of(&realm.operator("service.create", bank), "svc") else {
            panic!()
        };
        let owners: Vec<Owner> = (0..owners)
            .map(|n| realm.owner(&format!("owner-{n}")))
            .collect();
        let homes = owners.iter().chain(owners.first());
        let agents = homes.enumerate();
        let agents = agents.map(|(n, owner)| realm.agent(*owner, &format!("agent-{n}"), json!({})));
        let agents = agents.collect();
        Self {
            realm,
            owners,
            agents,
            holds: Vec::new(),
            bank: Principal::Service(bank),
            number: 0,
        }
    }

    fn tries(&mut self, by: AgentId, op: &str, args: Value) -> Vec<AnyId> {
        let done = self.realm.attempt(Principal::Agent(by), None, op, args);
        done.unwrap_or_default()
    }

    /// A deal between two agents, if the buyer can pay it.
    fn deal(&mut self, buyer: AgentId, seller: AgentId, cents: u64, team: Option<AnyId>, end: End) {
        let mut terms = json!({ "price": money(cents), "lines": [{ "item": "Soup" }] });
        if let Some(team) = team {
            terms["payee_team"] = json!(team);
        }
        let opening =
            json!({ "with": buyer, "side": "sell", "terms": terms, "valid_for_ms": 600_000 });
        let opened = self.tries(seller, "negotiation.open", opening);
        let Some(AnyId::NegotiationId(id)) = opened.first().copied() else {
            return;
        };
        let hash = self.realm.state.negotiations.get(&id).unwrap().latest.hash;
        let accept = json!({ "negotiation": id, "offer": hash });
        let accepted = self.tries(buyer, "negotiation.accept", accept);
        let Some(deal) = accepted.iter().find(|id| id.prefix() == "deal").copied() else {
            return;
        };
        let deliver = json!({ "deal": deal, "body": "soup" });
        match end {
            End::Late => return self.realm.tick(90_000_000),
            End::GivenBack => drop(self.tries(seller, "deal.refund", json!({ "deal": deal }))),
            End::Settled => {
                self.tries(seller, "deal.deliver", deliver);
                self.tries(buyer, "deal.accept", json!({ "deal": deal }));
            }
            End::Ruled(tenths) => {
                self.tries(seller, "deal.deliver", deliver);
                let dispute = json!({ "deal": deal, "reason": "cold" });
                self.tries(buyer, "deal.dispute", dispute);
                let part = money(cents * tenths / 10);
                let rule = json!({ "deal": deal, "to_seller": part, "reason": "so it is" });
                let _ = (self.realm).attempt(Principal::Operator, None, "deal.rule", rule);
            }
        }
        self.realm.now_ms += 1_000;
    }

    fn settled(&mut self, buyer: AgentId, seller: AgentId, cents: u64) {
        self.deal(buyer, seller, cents, None, End::Settled);
    }

    fn transfer(&mut self, from: AgentId, to: AgentId, cents: u64) {
        let one = json!({ "from": from, "to": to, "amount": money(cents) });
        self.tries(
            from,
            "ledger.transfer",
            json!({ "transfers": [{ "post": one }] }),
        );
    }

    /// One random act among all that move money.
    fn step(&mut self, dice: &mut Dice, teams: &[AnyId]) {
        let agents = self.agents.clone();
        let (a, b) = (dice.one_of(&agents), dice.one_of(&agents));
        let cents = 1 + dice.below(3_000);
        match dice.below(16) {
            0 => self.realm.fund(a, &money(cents)),
            1 | 2 => self.transfer(a, b, cents),
            3 => {
                let one =
                    json!({ "from": a, "to": b, "amount": money(cents), "expires_in_ms": 600_000 });
                let made = self.tries(
                    a,
                    "ledger.transfer",
                    json!({ "transfers": [{ "hold": one }] }),
                );
                self.holds.extend(made.iter().filter_map(|id| match id {
                    AnyId::HoldId(hold) => Some(*hold),
                    _ => None,
                }));
            }
            4 => {
                let Some(hold) = self.holds.pop() else { return };
                let part = json!({ "hold": hold, "amount": money(1 + dice.below(cents)) });
                let how = dice.one_of(&["post_hold", "void_hold"]);
                let args = match how {
                    "void_hold" => json!({ "hold": hold }),
                    _ => part,
                };
                self.tries(
                    a,
                    "ledger.transfer",
                    json!({ "transfers": [{ how: args }] }),
                );
            }
            5 => self.withdraw(a, cents),
            6 => self.correct(dice),
            7 => self.deal(a, b, cents, None, End::Ruled(dice.below(11))),
            8 => self.deal(a, b, cents, None, End::GivenBack),
            9 => self.deal(a, b, cents, Some(dice.one_of(teams)), End::Settled),
            _ => self.settled(a, b, cents),
        }
    }

    fn withdraw(&mut self, agent: AgentId, cents: u64) {
        self.number += 1;
        let reference = format!("out-{}", self.number);
        let args = json!({ "from": agent, "amount": money(cents), "reference": reference });
        let made = self.tries(agent, "ledger.withdraw", args);
        let Some(AnyId::HoldId(hold)) = made.first().copied() else {
            return;
        };
        let ended = json!({ "hold": hold, "paid": self.number.is_multiple_of(2) });
        let _ = (self.realm).attempt(self.bank, None, "ledger.end_withdrawal", ended);
        // Now and then it comes back in at once.
        let back = json!({ "to": agent, "amount": money(cents), "reference": reference });
        if self.number.is_multiple_of(4) {
            let _ = (self.realm).attempt(self.bank, None, "ledger.deposit", back);
        }
    }

    /// Undoes a part of some entry.
    fn correct(&mut self, dice: &mut Dice) {
        let moved: Vec<TransferId> = self.entries().iter().map(|e| e.transfer).collect();
        let wrong = dice.one_of(&moved);
        let args =
            json!({ "transfer": wrong, "amount": money(1 + dice.below(500)), "reason": "x" });
        let _ = (self.realm).attempt(Principal::Operator, None, "ledger.correct", args);
    }

    /// All entries that moved money.
    fn entries(&self) -> Vec<Entry> {
        let events = self.realm.log.iter().flat_map(|i| &i.envelope.events);
        let entries = events.filter_map(|event| match event {
            Event::Ledger(LedgerEvent::Entries { entries, .. }) => Some(entries),
            _ => None,
        });
        entries
            .flatten()
            .filter(|e| e.kind.moves())
            .cloned()
            .collect()
    }

    /// The evidence of each owner's agents together.
    fn evidence(&self) -> Vec<u64> {
        let views = self.realm.views();
        let reader = views.reader();
        let of = |owner: &Owner| {
            let own = self.agents.iter();
            let own = own.filter(|a| self.realm.state.agents.get(a).unwrap().owner == owner.id);
            let told = own.map(|a| reader.reputation(None, *a, None).unwrap().unwrap());
            told.map(|t| t.score.evidence).sum()
        };
        self.owners.iter().map(of).collect()
    }

    /// How much came to each owner from each other and, last, from outside, in smallest units.
    fn flows(&self) -> Vec<Vec<i128>> {
        let outside = self.owners.len();
        let place: BTreeMap<OwnerId, usize> = (self.owners.iter().map(|o| o.id)).zip(0..).collect();
        let mut flows = vec![vec![0; outside]; outside + 1];
        for entry in self.entries() {
            let at = |account| {
                let held = self.realm.state.accounts.get(&account).unwrap();
                owner_of(&self.realm.state, held.holder).map_or(outside, |o| place[&o])
            };
            let (from, to) = (at(entry.from), at(entry.to));
            if to < outside {
                flows[from][to] += entry.amount.0;
            }
        }
        flows
    }

    /// Asserts the bound for every set of owners.
    fn holds_for_every_set(&self) {
        let (evidence, flows) = (self.evidence(), self.flows());
        let outside = self.owners.len();
        for set in 1_u32..1 << outside {
            let within = |at: usize| at < outside && set >> at & 1 == 1;
            let members = || (0..outside).filter(|at| within(*at));
            let gained: u64 = members().map(|at| evidence[at]).sum();
            let from = (0..=outside).filter(|at| !within(*at));
            let inflow: i128 = from
                .flat_map(|from| members().map(move |to| (from, to)))
                .map(|(from, to)| flows[from][to])
                .sum();
            // Smallest units are 10^-9.
            let most = inflow * i128::from(ONE) / 1_000_000_000;
            assert!(i128::from(gained) <= most, "{set:b}: {gained} of {most}");
        }
    }
}

fn owner_of(state: &State, holder: Holder) -> Option<OwnerId> {
    match holder {
        Holder::Issuance | Holder::Outside => None,
        Holder::Owner(owner) => Some(owner),
        Holder::Team(team) => Some(state.teams.get(&team).unwrap().owner),
        Holder::Agent(agent) => Some(state.agents.get(&agent).unwrap().owner),
    }
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A team of an agent whose proceeds are shared half and half with an agent of another owner.
fn team(world: &mut World, lead: AgentId, member: AgentId, name: &str) -> AnyId {
    let made = world.realm.by(lead, "team.create", json!({ "name": name }));
    let team = id_of(&made, "team");
    let invite = json!({ "team": team, "agent": member, "role": "member" });
    world.realm.by(lead, "team.invite", invite);
    world
        .realm
        .by(member, "team.join", json!({ "team": team, "join": true }));
    let shares = json!([{ "agent": lead, "ppm": 500_000 }, { "agent": member, "ppm": 500_000 }]);
    let split = json!({ "team": team, "shares": shares });
    world.realm.by(lead, "team.propose_split", split.clone());
    for agent in [lead, member] {
        world.realm.by(agent, "team.agree_split", split.clone());
    }
    team
}

#[test]
fn what_every_set_of_owners_gains_is_bounded_by_what_came_to_it_from_outside() {
    let (mut shared, mut corrected, mut paid_out) = (false, false, false);
    for seed in 1..=6 {
        let mut world = World::new(5);
        let mut dice = Dice(seed * 7_919);
        let [a, b, c] = [world.agents[0], world.agents[1], world.agents[2]];
        let teams = [team(&mut world, a, b, "one"), team(&mut world, b, c, "two")];
        for agent in world.agents.clone() {
            world.realm.fund(agent, "20");
        }
        for _ in 0..3 {
            for _ in 0..40 {
                world.step(&mut dice, &teams);
            }
            world.holds_for_every_set();
        }
        assert!(world.evidence().iter().sum::<u64>() > 0, "deals {seed}");
        for entry in world.entries() {
            shared |= matches!(entry.purpose, Purpose::Share(_));
            corrected |= matches!(entry.purpose, Purpose::Correction(_));
            paid_out |= entry.purpose == Purpose::Withdrawal;
        }
    }
    assert!(shared && corrected && paid_out, "the strange ways of money");
}

/// A seller with one deal of 20.00 with each of three buyers who have their money from outside.
fn honest(world: &mut World, [seller, buyers @ ..]: [AgentId; 4]) {
    for buyer in buyers {
        world.realm.fund(buyer, "20");
        world.settled(buyer, seller, 2_000);
    }
}

fn scores(world: &World) -> Vec<u32> {
    let views = world.realm.views();
    let told = |a: &AgentId| views.reader().reputation(None, *a, None).unwrap().unwrap();
    world.agents.iter().map(|a| told(a).score.score).collect()
}

/// What weighs little pushes out nothing that weighs more, however often it comes.
#[test]
fn two_hundred_small_deals_erase_no_reputation() {
    let mut world = World::new(5);
    let [seller, first, second, third, dust, ..] = world.agents[..] else {
        panic!("five owners");
    };
    honest(&mut world, [seller, first, second, third]);
    let before = scores(&world)[0];
    for _ in 0..220 {
        world.settled(dust, seller, 1);
    }
    let after = scores(&world)[0];
    assert!(before > 0 && after >= before, "{before} became {after}");
}

#[test]
fn eight_owners_with_fifty_in_a_circle() {
    let mut world = World::new(12);
    let ring: Vec<AgentId> = world.agents[..8].to_vec();
    let (seller, buyers) = (world.agents[8], [9, 10, 11].map(|at| world.agents[at]));
    honest(&mut world, [seller, buyers[0], buyers[1], buyers[2]]);
    world.realm.fund(ring[0], "50");
    for at in 0..48 {
        world.settled(ring[at % 8], ring[(at + 1) % 8], 5_000);
    }
    let gained: u64 = world.evidence()[..8].iter().sum();
    assert!(gained > 0 && gained <= 50 * ONE, "{gained}");
    let all = scores(&world);
    let best = all[..8].iter().max().unwrap();
    assert!(*best < all[8] && all[8] > 100, "{all:?}");
}

#[test]
fn twenty_owners_with_one_coin_are_no_newcomers_first_sight() {
    let mut world = World::new(25);
    let ring: Vec<AgentId> = world.agents[..20].to_vec();
    let [seller, one, two, three, newcomer] = [20, 21, 22, 23, 24].map(|at| world.agents[at]);
    honest(&mut world, [seller, one, two, three]);
    world.realm.fund(ring[0], "511");
    for at in 0..60 {
        world.settled(ring[at % 20], ring[(at + 1 + at / 20) % 20], 51_100);
    }
    let gained: u64 = world.evidence()[..20].iter().sum();
    assert!(gained > 0 && gained <= 511 * ONE, "{gained}");
    let all = scores(&world);
    assert!(all[..20].iter().all(|s| *s < all[20]), "{all:?}");
    for agent in ring.iter().chain([&seller]) {
        post(&mut world.realm, *agent, json!({ "body": "hello" }));
    }
    let views = world.realm.views();
    let page = Paging {
        cursor: None,
        limit: 30,
    };
    let told = views
        .reader()
        .feed(Some(newcomer), Feed::Ranked(newcomer), &page);
    let first = &told.unwrap().items[0];
    assert_eq!(first.author.id, seller);
}

/// How a reader sees an agent.
fn seen(views: &Views, reader: AgentId, agent: AgentId) -> SeenScore {
    let told = views.reader().reputation(None, agent, Some(reader));
    let seen = told.unwrap().unwrap().seen.unwrap();
    assert_eq!(seen.from.id, reader);
    seen.score
}

#[test]
fn no_strangers_ring_moves_what_a_reader_sees() {
    let mut world = World::new(12);
    let [reader, seller, friend, other, stranger] = [0, 1, 2, 3, 4].map(|at| world.agents[at]);
    let ring: Vec<AgentId> = world.agents[5..12].to_vec();
    for agent in [reader, friend, stranger] {
        world.realm.fund(agent, "100");
    }
    // The reader has dealt with a seller and a friend; the friend with another seller.
    world.settled(reader, seller, 2_000);
    world.settled(friend, reader, 1_000);
    world.settled(friend, other, 3_000);
    world.settled(stranger, other, 100);
    let views = world.realm.views();
    let everybody = world.agents.clone();
    let sight = |views: &Views| -> Vec<SeenScore> {
        everybody
            .iter()
            .map(|agent| seen(views, reader, *agent))
            .collect()
    };
    let before = sight(&views);
    let of = |agent: AgentId| &before[everybody.iter().position(|a| *a == agent).unwrap()];
    assert!(of(seller).own > 0 && of(seller).through == 0);
    assert!(of(other).own == 0 && of(other).through == 1 && of(other).score > 0);
    assert_eq!(of(stranger).score, 0, "nobody vouches for it");

    // A ring with much money of its own, which deals with itself and with strangers.
    let mut dice = Dice(3);
    for agent in &ring {
        world.realm.fund(agent, "500");
    }
    let reached: Vec<AgentId> = ring.iter().copied().chain([other, stranger]).collect();
    for _ in 0..60 {
        let (buyer, seller) = (dice.one_of(&ring), dice.one_of(&reached));
        let cents = 1 + dice.below(20_000);
        match dice.below(4) {
            0 => world.deal(buyer, seller, cents, None, End::Ruled(dice.below(11))),
            1 => world.deal(buyer, seller, cents, None, End::GivenBack),
            _ => world.settled(buyer, seller, cents),
        }
    }
    let views = world.realm.views();
    assert_eq!(sight(&views), before);
    for agent in &ring {
        assert_eq!(seen(&views, reader, *agent), SeenScore::default());
    }
    // Nor does it move the order in which the reader is shown posts by it.
    follow(&mut world.realm, reader, ring[0]);
    post(&mut world.realm, seller, json!({ "body": "soup" }));
    post(&mut world.realm, ring[0], json!({ "body": "riches" }));
    let views = world.realm.views();
    let page = Paging::default();
    let told = views
        .reader()
        .feed(Some(reader), Feed::Ranked(reader), &page);
    let points = told.unwrap().items.into_iter();
    let points: Vec<(AgentId, i32)> = points
        .map(|p| (p.author.id, p.why.unwrap().reputation))
        .collect();
    assert!(points.contains(&(ring[0], 0)), "{points:?}");
    assert!(
        points
            .iter()
            .any(|(who, points)| *who == seller && *points > 100),
        "{points:?}"
    );
}

#[test]
fn a_buyers_earnings_vouch_for_half_and_given_back_money_for_nothing() {
    let mut world = World::new(4);
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| world.agents[at]);
    let vouched = |world: &World, agent| {
        let views = world.realm.views();
        let scope = Some(rialto_views::Scope::Realm);
        let told = views.reader().reputation(scope, agent, None).unwrap();
        let deals = told.unwrap().deals.into_iter();
        deals.map(|d| d.vouched).collect::<Vec<_>>()
    };
    world.realm.fund(a, "20");
    world.deal(a, b, 2_000, None, End::GivenBack);
    assert_eq!(vouched(&world, b), ["0.00"]);
    world.settled(a, b, 2_000);
    world.settled(b, c, 2_000);
    world.settled(c, d, 2_000);
    assert_eq!(vouched(&world, b)[..2], ["10.00", "20.00"]);
    assert_eq!(vouched(&world, d), ["5.00"]);
    // A gift back, and a share of a ruling.
    world.transfer(d, a, 2_000);
    world.deal(a, b, 2_000, None, End::Ruled(5));
    assert_eq!(vouched(&world, b)[0], "2.50");
    assert_eq!(
        vouched(&world, a)[0],
        "0.00",
        "a buyer who was right gains nothing"
    );
    world.deal(a, b, 1_000, None, End::Late);
    assert_eq!(vouched(&world, b)[0], "0.00");
}

#[test]
fn a_teams_deal_vouches_for_a_seller_by_its_share() {
    let mut world = World::new(3);
    let [lead, member, buyer] = [0, 1, 2].map(|at| world.agents[at]);
    let team = team(&mut world, lead, member, "kitchen");
    world.realm.fund(buyer, "40");
    world.deal(buyer, member, 2_000, Some(team), End::Settled);
    world.deal(buyer, lead, 2_000, Some(team), End::Settled);
    let views = world.realm.views();
    let vouched = |agent| {
        let scope = Some(rialto_views::Scope::Realm);
        let told = views.reader().reputation(scope, agent, None).unwrap();
        told.unwrap().deals[0].vouched.clone()
    };
    assert_eq!(vouched(member), "10.00", "half of it came to its owner");
    assert_eq!(vouched(lead), "20.00", "it is its owner's team");
    world.holds_for_every_set();
}
