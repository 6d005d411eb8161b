//! The driver: commands as JSON, decided by the core, applied to its state and kept for the views.

use rialto_core::amount::Amount;
use rialto_core::command::Command;
use rialto_core::decide::{Decision, Request, Stamp, Verdict, decide};
use rialto_core::event::Event;
use rialto_core::hash::Hash;
use rialto_core::id::{AgentId, AnyId, ContentId, OwnerId, PersonId, TransferId, number};
use rialto_core::identity::{AgentRef, Auth, Principal};
use rialto_core::ledger::{Entry, LedgerCommand, LedgerEvent, Moved, Purpose};
use rialto_core::reject::Rejection;
use rialto_core::state::State;
use rialto_core::text::Labels;
use rialto_core::time::Time;
use rialto_views::{Indexed, Views};
use rialto_wire::body::{Body, seal};
use serde_json::{Value, json};

pub(crate) struct Realm {
    pub(crate) state: State,
    pub(crate) log: Vec<Indexed>,
    pub(crate) now_ms: u64,
    pub(crate) cause: Option<AnyId>,
    fed: usize,
}

#[derive(Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) id: OwnerId,
    pub(crate) admin: Principal,
}

impl Realm {
    pub(crate) fn new() -> Self {
        let mut realm = Self {
            state: State::new(7),
            log: Vec::new(),
            now_ms: 1_700_000_000_000,
            cause: None,
            fed: 0,
        };
        realm.operator(
            "realm.found",
            json!({ "name": "test", "key": "11".repeat(32) }),
        );
        realm.operator(
            "policy.set_settings",
            json!({ "sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0,
                    "offers_per_minute": 0, "agents_per_owner": 0, "creations_per_minute": 0, "least_review_ms": 60_000 }),
        );
        realm.operator("ledger.create_asset", json!({ "code": "USD", "scale": 9 }));
        realm
    }

    pub(crate) fn attempt(
        &mut self,
        principal: Principal,
        acting: Option<AgentId>,
        op: &str,
        args: Value,
    ) -> Result<Vec<AnyId>, Rejection> {
        let read = Command::<Body>::read_args(op, args).expect("a known operation");
        let command = read.expect("well-formed arguments");
        let mut bodies = Vec::new();
        let command = command.map(&mut |body: Body| {
            let (bytes, salt) = (body.to_bytes().expect("small"), [7; 16]);
            let ordinal = u16::try_from(bodies.len()).expect("few");
            let sealed = seal(ordinal, &salt, &bytes, Labels::BY_AGENT);
            bodies.push(bytes);
            sealed
        });
        let command = match command {
            Command::Ledger(LedgerCommand::Correct(mut args)) => {
                args.entry = self.moved(args.transfer);
                LedgerCommand::Correct(args).into()
            }
            other => other,
        };
        let request = Request {
            principal,
            auth: Auth::None,
            acting: acting.map(AgentRef::Id),
            key: None,
            cause: self.cause,
        };
        let key = Hash::of(&[&self.state.position().to_le_bytes()]);
        let stamp = Stamp {
            now: Time(self.now_ms),
            steady_ms: self.now_ms,
            began_ms: 0,
            entropy: *key.bytes(),
            custody: Some((key, key.short())),
        };
        match decide(&self.state, &request, &command, &stamp)? {
            Verdict::Accepted(decision) => Ok(self.accept(decision, bodies)),
            _ => Ok(Vec::new()),
        }
    }

    /// What the log says that an entry moved, as the door asks the views.
    pub(crate) fn moved(&self, transfer: TransferId) -> Option<Moved> {
        let entries: Vec<&Entry> = self
            .log
            .iter()
            .flat_map(|indexed| &indexed.envelope.events)
            .filter_map(|event| match event {
                Event::Ledger(LedgerEvent::Entries { entries, .. }) => Some(entries),
                _ => None,
            })
            .flatten()
            .collect();
        let entry = entries.iter().find(|e| e.transfer == transfer)?;
        let corrections = entries
            .iter()
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

    fn accept(&mut self, decision: Decision, bodies: Vec<Vec<u8>>) -> Vec<AnyId> {
        let envelope = decision.envelope;
        self.state.apply(&envelope);
        assert_eq!(self.state.changes.defects(), 0);
        let ids = envelope.ids.clone();
        let place = |(ordinal, bytes)| (ContentId(number(envelope.position, ordinal)), bytes);
        let contents = (0_u64..).zip(bodies).map(place).collect();
        self.log.push(Indexed { envelope, contents });
        ids
    }

    pub(crate) fn operator(&mut self, op: &str, args: Value) -> Vec<AnyId> {
        self.attempt(Principal::Operator, None, op, args).expect(op)
    }

    pub(crate) fn by(&mut self, agent: AgentId, op: &str, args: Value) -> Vec<AnyId> {
        self.attempt(Principal::Agent(agent), None, op, args)
            .expect(op)
    }

    pub(crate) fn tick(&mut self, later_ms: u64) {
        for _ in 0..=later_ms / 3_000_000 {
            self.now_ms += (later_ms).min(3_000_000);
            let _ = self.attempt(Principal::Realm, None, "clock.tick", json!({}));
        }
    }

    pub(crate) fn owner(&mut self, name: &str) -> Owner {
        let ids = self.operator(
            "owner.sign_up",
            json!({ "name": name, "kind": "organisation" }),
        );
        let (Some(AnyId::OwnerId(id)), Some(AnyId::PersonId(person))) =
            (ids.first().copied(), ids.get(1).copied())
        else {
            panic!("{ids:?}")
        };
        let _: PersonId = person;
        Owner {
            id,
            admin: Principal::Person(person),
        }
    }

    pub(crate) fn agent(&mut self, owner: Owner, handle: &str, profile: Value) -> AgentId {
        let mut profile = profile;
        if profile["contact"].is_null() {
            profile["contact"] = json!("open");
        }
        let args = json!({ "handle": handle, "profile": profile });
        let ids = self
            .attempt(owner.admin, None, "agent.register", args)
            .expect(handle);
        match ids.first() {
            Some(AnyId::AgentId(id)) => *id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn fund(&mut self, to: impl ToString, amount: &str) {
        self.operator(
            "ledger.issue",
            json!({ "to": to.to_string(), "amount": amount }),
        );
    }

    /// Feeds what was not fed yet, in batches of three.
    pub(crate) fn feed(&mut self, views: &mut Views) {
        for batch in self.log[self.fed..].chunks(3) {
            views.apply(batch).expect("fed in order");
        }
        self.fed = self.log.len();
    }

    pub(crate) fn views(&self) -> Views {
        let mut views = Views::in_memory().expect("memory");
        for batch in self.log.chunks(5) {
            views.apply(batch).expect("fed in order");
        }
        views
    }
}

pub(crate) fn id_of(ids: &[AnyId], prefix: &str) -> AnyId {
    *ids.iter()
        .find(|id| id.prefix() == prefix)
        .unwrap_or_else(|| panic!("{prefix} in {ids:?}"))
}

/// A day of two owners: a goal, a call, two proposals, a deal that is delivered and settled.
pub(crate) struct Day {
    pub(crate) realm: Realm,
    pub(crate) ours: Owner,
    pub(crate) theirs: Owner,
    pub(crate) stranger: Owner,
    pub(crate) buyer: AgentId,
    pub(crate) seller: AgentId,
    pub(crate) rival: AgentId,
    pub(crate) goal: AnyId,
    pub(crate) call: AnyId,
    pub(crate) won: AnyId,
    pub(crate) lost: AnyId,
    pub(crate) deal: AnyId,
}

impl Day {
    /// Up to the proposals, all answered.
    pub(crate) fn new() -> Self {
        let mut realm = Realm::new();
        let (ours, theirs) = (realm.owner("ours"), realm.owner("theirs"));
        let stranger = realm.owner("stranger");
        let buyer = realm.agent(ours, "buyer", json!({ "description": "buys quixotry" }));
        let seller = realm.agent(
            theirs,
            "seller",
            json!({ "description": "sells wonders", "skills": ["Cooking"], "tags": ["food"] }),
        );
        let rival = realm.agent(stranger, "rival", json!({}));
        realm.fund("@buyer", "100");
        let ids = realm
            .attempt(
                ours.admin,
                None,
                "task.create",
                json!({ "worker": "@buyer", "body": "tacos for two" }),
            )
            .expect("goal");
        let goal = id_of(&ids, "task");
        let ids = realm.by(
            buyer,
            "call.open",
            json!({ "body": "who has tacos", "wanted": [{ "item": "Taco", "quantity": 2 }],
                    "invite": ["@seller", "@rival"], "open_for_ms": 60000, "task": goal }),
        );
        let call = id_of(&ids, "call");
        let propose = |price: &str| {
            json!({ "call": call, "terms": { "price": price, "lines": [{ "item": "Taco", "quantity": 2 }] },
                    "valid_for_ms": 600000, "note": "fresh" })
        };
        let won = id_of(&realm.by(seller, "call.propose", propose("22.48")), "neg");
        let mut day = Self {
            realm,
            ours,
            theirs,
            stranger,
            buyer,
            seller,
            rival,
            goal,
            call,
            won,
            lost: won,
            deal: won,
        };
        day.realm.feed(&mut Views::in_memory().expect("memory"));
        day.realm.fed = 0;
        day.lost = id_of(&day.realm.by(rival, "call.propose", propose("30")), "neg");
        day
    }

    /// Counter, accept, deliver, settle.
    pub(crate) fn trade(mut self) -> Self {
        let AnyId::NegotiationId(won) = self.won else {
            panic!()
        };
        let terms = json!({ "price": "20", "lines": [{ "item": "Taco", "quantity": 2 }] });
        self.realm.by(
            self.buyer,
            "negotiation.counter",
            json!({ "negotiation": won, "terms": terms, "valid_for_ms": 600000 }),
        );
        let hash = self
            .realm
            .state
            .negotiations
            .get(&won)
            .expect("open")
            .latest
            .hash;
        let ids = self.realm.by(
            self.seller,
            "negotiation.accept",
            json!({ "negotiation": won, "offer": hash }),
        );
        self.deal = id_of(&ids, "deal");
        self.realm.by(
            self.seller,
            "deal.deliver",
            json!({ "deal": self.deal, "body": "two tacos" }),
        );
        self.realm
            .by(self.buyer, "deal.accept", json!({ "deal": self.deal }));
        self
    }
}
