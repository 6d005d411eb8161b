//! A small realm and random things that happen in it.

use rialto_core::command::Command;
use rialto_core::decide::Request;
use rialto_core::hash::Hash;
use rialto_core::id::{AgentId, AnyId, HoldId, NegotiationId};
use rialto_core::identity::{Auth, Principal};
use rialto_core::market::{DealState, NegotiationState};
use rialto_core::state::State;
use rialto_core::text::{Labels, Sealed};
use rialto_random::SplitMix64;
use rialto_server::node::Ask;
use rialto_wire::body::{self, Body};
use rialto_wire::native::parse_command;
use serde_json::{Value, json};

/// Enough chance for a test, the same everywhere.
pub(crate) struct Dice(SplitMix64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0.next_u64()
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let index = usize::try_from(self.below(u64::try_from(from.len()).ok()?.max(1))).ok()?;
        from.get(index).cloned()
    }
}

pub(crate) fn ask(principal: Principal, op: &str, args: &Value) -> Ask {
    let mut contents = Vec::new();
    let command: Command<Sealed> =
        parse_command(op, args.to_string().as_bytes())
            .unwrap()
            .map(&mut |b: Body| {
                let bytes = b.to_bytes().unwrap();
                let salt = [7; 16];
                let sealed = body::seal(
                    u16::try_from(contents.len()).unwrap(),
                    &salt,
                    &bytes,
                    Labels::BY_AGENT,
                );
                contents.push((salt, bytes));
                sealed
            });
    let request = Request {
        principal,
        auth: Auth::Local,
        acting: None,
        key: None,
        cause: None,
    };
    let public = Hash::of(&[b"a key in custody"]);
    Ask {
        request,
        command,
        contents,
        custody: Some((public, public.short())),
        leaked: Vec::new(),
    }
}

/// What founds the realm and peoples it: run once on an empty log.
pub(crate) fn founding() -> Vec<Ask> {
    let key = Hash::of(&[b"test key"]);
    let op = Principal::Operator;
    let mut asks = vec![
        ask(
            Principal::Realm,
            "realm.found",
            &json!({ "name": "test", "key": key }),
        ),
        ask(
            op,
            "ledger.create_asset",
            &json!({ "code": "USD", "scale": 2 }),
        ),
        ask(
            op,
            "owner.sign_up",
            &json!({ "name": "north", "kind": "organisation" }),
        ),
        ask(
            op,
            "owner.sign_up",
            &json!({ "name": "south", "kind": "person" }),
        ),
    ];
    // Owners get the ids of positions 3 and 4; see rialto_core::id.
    for (index, position) in [(0, 3), (1, 4), (2, 3), (3, 4)] {
        let owner = rialto_core::id::OwnerId(rialto_core::id::number(position, 0));
        let args = json!({
            "owner": owner, "handle": format!("agent-{index}"), "key": key, "profile": { "contact": "open" }
        });
        asks.push(ask(op, "agent.register", &args));
    }
    // Deals are over within seconds here.
    let settings = json!({
        "sign_up_open": true, "sign_ups_per_hour": 60, "messages_per_minute": 600,
        "offers_per_minute": 600, "agents_per_owner": 10_000, "least_review_ms": 1_000
    });
    asks.push(ask(op, "policy.set_settings", &settings));
    for index in 0..4 {
        asks.push(ask(
            op,
            "ledger.issue",
            &json!({ "to": format!("@agent-{index}"), "amount": "1000" }),
        ));
    }
    asks
}

fn agents(state: &State) -> Vec<AgentId> {
    let mut agents = Vec::new();
    state.agents.for_each(|id, _| agents.push(*id));
    agents.sort();
    agents
}

fn sorted<T: Ord>(mut found: Vec<T>) -> Vec<T> {
    found.sort();
    found
}

/// Something random that an agent does; it may well be refused.
pub(crate) fn something(state: &State, dice: &mut Dice) -> Ask {
    let agents = agents(state);
    let (Some(a), Some(b)) = (dice.pick(&agents), dice.pick(&agents)) else {
        return ask(Principal::Realm, "clock.tick", &json!({}));
    };
    let me = Principal::Agent(a);
    let amount = format!("{}.{:02}", dice.below(300), dice.below(100));
    match dice.below(9) {
        0 => transfer(
            me,
            &json!({ "post": { "from": a, "to": b, "amount": amount } }),
        ),
        1 => {
            let expires = 1 + dice.below(5_000);
            transfer(
                me,
                &json!({ "hold": { "from": a, "to": b, "amount": amount, "expires_in_ms": expires } }),
            )
        }
        2 => end_hold(state, dice),
        3 => ask(
            me,
            "mail.send",
            &json!({ "to": { "agent": b }, "body": format!("hello {amount}") }),
        ),
        4 => ask(
            me,
            "negotiation.open",
            &json!({
                "with": b, "side": if dice.one_in(2) { "buy" } else { "sell" }, "valid_for_ms": 1 + dice.below(9_000),
                "terms": { "price": amount, "deliver_within_ms": 5_000, "review_within_ms": 5_000, "rule_within_ms": 5_000 }
            }),
        ),
        5 | 6 => negotiate(state, dice),
        7 => move_deal(state, dice),
        _ => ask(Principal::Realm, "clock.tick", &json!({})),
    }
}

fn transfer(me: Principal, spec: &Value) -> Ask {
    ask(me, "ledger.transfer", &json!({ "transfers": [spec] }))
}

fn end_hold(state: &State, dice: &mut Dice) -> Ask {
    let mut open: Vec<(HoldId, Principal)> = Vec::new();
    state.holds.for_each(|id, hold| open.push((*id, hold.by)));
    let Some((hold, by)) = dice.pick(&sorted(open)) else {
        return ask(Principal::Realm, "clock.tick", &json!({}));
    };
    match dice.below(5) {
        3 => ask(
            by,
            "ledger.capture",
            &json!({ "hold": hold, "amount": "0.01" }),
        ),
        4 => ask(
            by,
            "ledger.raise",
            &json!({ "hold": hold, "amount": "0.01" }),
        ),
        0 => transfer(by, &json!({ "void_hold": { "hold": hold } })),
        1 => transfer(
            by,
            &json!({ "post_hold": { "hold": hold, "amount": "0.01" } }),
        ),
        _ => transfer(by, &json!({ "post_hold": { "hold": hold } })),
    }
}

fn negotiate(state: &State, dice: &mut Dice) -> Ask {
    let mut open: Vec<(NegotiationId, AgentId, Hash)> = Vec::new();
    state.negotiations.for_each(|id, n| {
        if n.state == NegotiationState::Open {
            open.push((*id, n.other(n.latest.by), n.latest.hash));
        }
    });
    let Some((negotiation, other, offer)) = dice.pick(&sorted(open)) else {
        return ask(Principal::Realm, "clock.tick", &json!({}));
    };
    let me = Principal::Agent(other);
    match dice.below(4) {
        0 => ask(
            me,
            "negotiation.leave",
            &json!({ "negotiation": negotiation }),
        ),
        1 => ask(
            me,
            "negotiation.counter",
            &json!({
                "negotiation": negotiation, "valid_for_ms": 5_000, "terms": { "price": dice.below(200).max(1).to_string() }
            }),
        ),
        _ => ask(
            me,
            "negotiation.accept",
            &json!({ "negotiation": negotiation, "offer": offer }),
        ),
    }
}

fn move_deal(state: &State, dice: &mut Dice) -> Ask {
    let mut open: Vec<(AnyId, DealState, AgentId, AgentId)> = Vec::new();
    state
        .deals
        .for_each(|id, d| open.push(((*id).into(), d.state, d.buyer, d.seller)));
    open.sort_by_key(|(id, ..)| *id);
    let Some((deal, stands, buyer, seller)) = dice.pick(&open) else {
        return ask(Principal::Realm, "clock.tick", &json!({}));
    };
    let (buyer, seller) = (Principal::Agent(buyer), Principal::Agent(seller));
    match (stands, dice.below(3)) {
        (DealState::Agreed, _) => ask(
            seller,
            "deal.deliver",
            &json!({ "deal": deal, "body": "done" }),
        ),
        (DealState::Delivered, 0) => ask(
            buyer,
            "deal.dispute",
            &json!({ "deal": deal, "reason": "no" }),
        ),
        (DealState::Disputed, _) => ask(
            Principal::Operator,
            "deal.rule",
            &json!({ "deal": deal, "to_seller": "0", "reason": "so" }),
        ),
        (_, 1) => ask(seller, "deal.refund", &json!({ "deal": deal })),
        _ => ask(buyer, "deal.accept", &json!({ "deal": deal })),
    }
}
