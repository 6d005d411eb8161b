//! Listings, calls, negotiations and deals.

use rialto_core::market::{DealState, NegotiationState};
use serde_json::{Value, json};

use super::Driver;

impl Driver {
    fn terms(&mut self) -> Value {
        let silence = ["settle", "refund", "halve"];
        let arbiter = match self.rng.chance(40) {
            true => json!({"agent": self.agent()}),
            false => json!("operator"),
        };
        let team = self.rng.chance(40).then(|| self.id("team"));
        let item = *self.rng.pick(&["i", "j"]);
        let lines = match self.rng.below(4) {
            0 => json!([]),
            _ => json!([{"item": item, "quantity": self.rng.below(4)}]),
        };
        json!({
            "lines": lines,
            "price": self.amount(), "arbiter": arbiter, "payee_team": team,
            "on_no_review": self.rng.pick(&silence), "on_no_ruling": self.rng.pick(&silence),
            "deliver_within_ms": self.period(), "review_within_ms": self.period(),
            "rule_within_ms": self.period(),
        })
    }

    pub(super) fn bargain(&mut self) -> (String, &'static str, Value) {
        let (from, to) = (self.agent(), self.agent());
        let call = self.id("call");
        let task = self.rng.chance(10).then(|| self.id("task"));
        match self.rng.below(12) {
            0 => (
                from.into(),
                "listing.publish",
                json!({"terms": {
                    "title": "x", "funded_offers_only": self.rng.chance(20),
                    "items": [{"name": "I", "price": self.amount(), "quantity": self.rng.below(20)}],
                }}),
            ),
            1 => (
                from.into(),
                "listing.withdraw",
                json!({"listing": self.id("list")}),
            ),
            2 => (
                from.into(),
                "call.open",
                json!({"body": "x", "invite": [to, self.agent()], "public": self.rng.chance(20), "open_for_ms": self.period(), "task": task}),
            ),
            3 | 4 => (
                from.into(),
                "call.propose",
                json!({"call": call, "terms": self.terms(), "valid_for_ms": self.period()}),
            ),
            5 => (
                from.into(),
                if self.rng.chance(60) {
                    "call.refuse"
                } else {
                    "call.cancel"
                },
                json!({"call": call}),
            ),
            6 | 7 => {
                let side = *self.rng.pick(&["buy", "sell"]);
                (
                    from.into(),
                    "negotiation.open",
                    json!({
                        "with": to, "side": side, "terms": self.terms(), "task": task,
                        "valid_for_ms": self.period(), "fund": side == "buy" && self.rng.chance(50),
                    }),
                )
            }
            _ => self.answer_offer(),
        }
    }

    /// Counters, leaves or accepts, mostly by whoever's turn it is.
    fn answer_offer(&mut self) -> (String, &'static str, Value) {
        let id = self.id("neg");
        let negotiation = id
            .parse()
            .ok()
            .and_then(|n| self.world.state.negotiations.get(&n));
        let Some(negotiation) = negotiation.filter(|n| n.state == NegotiationState::Open) else {
            return (
                self.agent().into(),
                "negotiation.leave",
                json!({"negotiation": id}),
            );
        };
        let turn = negotiation.other(negotiation.latest.by);
        let buys = turn == negotiation.buyer;
        let (hash, turn) = (negotiation.latest.hash, self.handle(turn));
        match self.rng.below(10) {
            0 | 1 => (
                turn,
                "negotiation.counter",
                json!({
                    "negotiation": id, "terms": self.terms(), "valid_for_ms": self.period(),
                    "fund": buys && self.rng.chance(50),
                }),
            ),
            2 => (turn, "negotiation.leave", json!({"negotiation": id})),
            3 => {
                let pay_from = Some(self.account());
                (
                    turn,
                    "negotiation.accept",
                    json!({"negotiation": id, "offer": hash, "pay_from": pay_from}),
                )
            }
            _ => (
                turn,
                "negotiation.accept",
                json!({"negotiation": id, "offer": hash}),
            ),
        }
    }

    pub(super) fn deal(&mut self) -> (String, &'static str, Value) {
        let id = self.id("deal");
        let deal = id
            .parse()
            .ok()
            .and_then(|d| self.world.state.deals.get(&d))
            .cloned();
        let Some(deal) = deal else {
            return self.bargain();
        };
        let (buyer, seller) = (self.spoken_for(deal.buyer), self.spoken_for(deal.seller));
        let rules = deal
            .bargain
            .arbiter
            .map_or("operator".into(), |a| self.handle(a));
        let rules = match self.rng.below(4) {
            0 => "operator".into(),
            _ => rules,
        };
        match (deal.state, self.rng.below(6)) {
            (_, 1) if rules == "operator" => (
                rules,
                "deal.rule",
                json!({"deal": id, "to_seller": "0", "reason": "x"}),
            ),
            (_, 0) => (seller, "deal.refund", json!({"deal": id})),
            (DealState::Agreed, _) => (seller, "deal.deliver", json!({"deal": id, "body": "x"})),
            (DealState::Delivered, 1..=3) => {
                (buyer, "deal.dispute", json!({"deal": id, "reason": "x"}))
            }
            (DealState::Delivered, _) => (buyer, "deal.accept", json!({"deal": id})),
            _ => {
                let to_seller = *self.rng.pick(&["0", "0.01", "1", "-1", "1000000"]);
                (
                    rules,
                    "deal.rule",
                    json!({"deal": id, "to_seller": to_seller, "reason": "x"}),
                )
            }
        }
    }
}
