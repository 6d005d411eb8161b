//! Random commands from several owners, agents, services and strangers: sensible more often than
//! not, so that runs go deep, and hostile in between. The same seed makes the same commands.

mod market;
mod square;

use std::collections::BTreeMap;

use rialto_core::command::Command;
use rialto_core::decide::Request;
use rialto_core::identity::{AgentRef, Status};
use rialto_core::ledger::Holder;
use serde_json::{Value, json};

use crate::spec::{World, read};

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same everywhere.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    pub(crate) fn chance(&mut self, in_a_hundred: usize) -> bool {
        self.below(100) < in_a_hundred
    }
}

const AGENTS: [&str; 7] = ["@a0", "@a1", "@b0", "@b1", "@c0", "@c1", "@c2"];
const PEOPLE: [&str; 5] = ["ann", "bob", "cat", "eve", "sue"];
const AMOUNTS: [&str; 12] = [
    "1",
    "2.5",
    "10",
    "0.01",
    "0.000000001",
    "40",
    "3.333333333",
    "0",
    "-1",
    "0.0000000001",
    "1000000",
    "1267650600228229401496.703205376",
];
const PERIODS: [u64; 6] = [60_000, 600_000, 3_600_000, 86_400_000, 0, u64::MAX];

pub(crate) struct Driver {
    pub(crate) world: World,
    pub(crate) rng: Rng,
    ids: BTreeMap<&'static str, Vec<String>>,
    made: u64,
}

/// The people, agents and money that every run begins with.
pub(crate) const SETUP: &str = r#"
    owner ann
    owner bob
    owner cat
    ann person.add {"owner": "$ann", "name": "eve", "role": "approver"} => ok
    bob person.add {"owner": "$bob", "name": "sue", "role": "viewer"} => ok
    operator service.create {"name": "pay", "grants": ["payments"]} => ok
    operator service.create {"name": "meter", "grants": ["metering"]} => ok
    operator ledger.create_asset {"code": "EUR", "scale": 2} => ok
    agent ann @a0
    agent ann @a1 request
    agent bob @b0
    agent bob @b1 request
    agent cat @c0
    agent cat @c1 request
    agent cat @c2 closed
    operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 60, "messages_per_minute": 600, "offers_per_minute": 600, "agents_per_owner": 10000, "least_review_ms": 60000} => ok
    fund @a0 500
    fund @b0 500
    fund @c0 500
    fund @a1 20
    fund $ann 3
    fund $bob 3
"#;

impl Driver {
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = World::new();
        world.run(SETUP);
        let mut driver = Self {
            world,
            rng: Rng(seed),
            ids: BTreeMap::new(),
            made: 0,
        };
        for at in 0..driver.world.log.len() {
            driver.learn(at);
        }
        driver
    }

    /// Learns the ids that an envelope's answer named.
    pub(crate) fn learn(&mut self, at: usize) {
        for id in &self.world.log[at].ids {
            self.ids
                .entry(id.prefix())
                .or_default()
                .push(id.to_string());
        }
    }

    /// An id of a kind: mostly a young one, sometimes an old one or one that does not exist.
    fn id(&mut self, prefix: &'static str) -> String {
        let all = self.ids.get(prefix).map_or(&[][..], Vec::as_slice);
        if all.is_empty() || self.rng.chance(3) {
            return format!("{prefix}_{:0>12}", self.rng.below(10));
        }
        let young = all.len().saturating_sub(6);
        let from = if self.rng.chance(85) { young } else { 0 };
        all[from + self.rng.below(all.len() - from)].clone()
    }

    fn agent(&mut self) -> &'static str {
        AGENTS[self.rng.below(AGENTS.len())]
    }

    fn amount(&mut self) -> &'static str {
        let most = if self.rng.chance(92) {
            7
        } else {
            AMOUNTS.len()
        };
        AMOUNTS[self.rng.below(most)]
    }

    fn period(&mut self) -> u64 {
        let most = if self.rng.chance(95) {
            4
        } else {
            PERIODS.len()
        };
        PERIODS[self.rng.below(most)]
    }

    /// A payment's reference: mostly a new one, sometimes one that was used.
    fn reference(&mut self) -> String {
        self.made += 1;
        let most = usize::try_from(self.made).unwrap();
        let number = if self.rng.chance(80) {
            most
        } else {
            self.rng.below(most)
        };
        format!("r{number}")
    }

    fn account(&mut self) -> String {
        match self.rng.below(10) {
            0 => self.id("acct"),
            1 => self.id("team"),
            2 => self.id("owner"),
            _ => self.agent().to_string(),
        }
    }

    fn anybody(&mut self) -> String {
        match self.rng.below(20) {
            0 | 1 => "operator".into(),
            2 => "pay".into(),
            3 => "public".into(),
            4..=6 => (*self.rng.pick(&PEOPLE)).to_string(),
            7 => format!("{}/{}", self.rng.pick(&PEOPLE), self.agent()),
            _ => self.agent().to_string(),
        }
    }

    /// The handle of an agent, to speak for it.
    fn handle(&self, agent: rialto_core::id::AgentId) -> String {
        let entity = self.world.state.agents.get(&agent);
        entity.map_or("@a0".into(), |a| a.handle.to_string())
    }

    /// Who speaks for an agent: itself, or an admin of its owner when it is stopped.
    fn spoken_for(&self, agent: rialto_core::id::AgentId) -> String {
        let handle = self.handle(agent);
        let entity = self.world.state.agents.get(&agent);
        let admin = match handle.as_bytes().get(1) {
            Some(b'a') => "ann",
            Some(b'b') => "bob",
            _ => "cat",
        };
        match entity.is_some_and(|a| a.status != Status::Active) {
            true => format!("{admin}/{handle}"),
            false => handle,
        }
    }

    /// Somebody who asks, and what.
    pub(crate) fn command(&mut self) -> (Request, Command<String>) {
        let (who, op, args) = match self.rng.below(100) {
            0..=7 => self.identity(),
            8..=18 => self.mail(),
            19..=29 => self.work(),
            30..=46 => self.ledger(),
            47..=66 => self.bargain(),
            67..=80 => self.deal(),
            81..=88 => self.policy(),
            89 | 90 => self.models(),
            _ => self.square(),
        };
        let who = if self.rng.chance(6) {
            self.anybody()
        } else {
            who
        };
        let mut request = self.world.request(&who).unwrap();
        if self.rng.chance(2) {
            request.acting = Some(self.agent().parse::<AgentRef>().unwrap());
        }
        let args = args.to_string();
        let command = read(op, &args).unwrap_or_else(|why| panic!("{why}: {op} {args}"));
        (request, command)
    }

    fn identity(&mut self) -> (String, &'static str, Value) {
        self.made += 1;
        let (person, agent) = (self.rng.pick(&PEOPLE).to_string(), self.agent());
        match self.rng.below(13) {
            0 => (
                "public".into(),
                "owner.sign_up",
                json!({"name": format!("o{}", self.made), "kind": "person"}),
            ),
            1 => (
                person,
                "agent.register",
                json!({"handle": format!("n{}", self.made)}),
            ),
            2 => (
                person,
                "token.issue",
                json!({"subject": {"agent": agent}, "expires_in_ms": 600_000 + self.rng.below(1_000_000)}),
            ),
            3 => (person, "token.revoke", json!({"token": self.id("tok")})),
            4 if self.rng.chance(20) => (person, "owner.stop", json!({"stop": true})),
            4 => (
                person,
                "identity.suspend",
                json!({"subject": {"agent": agent}}),
            ),
            5 => (person, "owner.stop", json!({"stop": false})),
            6 => (
                "operator".into(),
                "identity.resume",
                json!({"subject": {"agent": agent}}),
            ),
            7 => (agent.into(), "agent.rotate_key", json!({"agent": agent})),
            8 => (
                person,
                "person.set_role",
                json!({"person": self.id("person"), "role": "admin"}),
            ),
            9 => (
                "operator".into(),
                "identity.suspend",
                json!({"subject": {"person": self.id("person")}}),
            ),
            10 => (
                "operator".into(),
                "identity.resume",
                json!({"subject": {"person": self.id("person")}}),
            ),
            11 => {
                // Only agents registered in the run: the seven of the setup stay.
                let one = self.id("agent");
                let entity = one
                    .parse()
                    .ok()
                    .and_then(|a| self.world.state.agents.get(&a));
                let late = entity.filter(|a| a.handle.as_str().starts_with('n'));
                let one = late.map_or("@nobody".to_string(), |a| a.handle.to_string());
                ("operator".into(), "agent.close", json!({"agent": one}))
            }
            _ => {
                let contact = *self.rng.pick(&["open", "request", "closed"]);
                (
                    agent.into(),
                    "agent.set_profile",
                    json!({"agent": agent, "profile": {"contact": contact}}),
                )
            }
        }
    }

    fn mail(&mut self) -> (String, &'static str, Value) {
        let (from, to) = (self.agent(), self.agent());
        let client_id = self
            .rng
            .chance(30)
            .then(|| format!("m{}", self.rng.below(50)));
        let (op, args) = match self.rng.below(10) {
            0..=3 => (
                "mail.send",
                json!({"to": {"agent": to}, "body": "hello", "client_id": client_id}),
            ),
            4 | 5 => (
                "mail.send",
                json!({"to": {"conversation": self.id("conv")}, "body": "hello"}),
            ),
            6 => (
                "mail.open_group",
                json!({"title": "g", "members": [to, self.agent()]}),
            ),
            7 => (
                "mail.change_group",
                json!({"conversation": self.id("conv"), "add": [to], "remove": [self.agent()]}),
            ),
            8 => (
                "mail.answer_request",
                json!({"agent": to, "admit": self.rng.chance(70)}),
            ),
            _ => ("mail.acknowledge", json!({"through": self.rng.below(40)})),
        };
        (from.into(), op, args)
    }

    fn work(&mut self) -> (String, &'static str, Value) {
        let (from, to) = (self.agent(), self.agent());
        let task = self.id("task");
        let worker = task
            .parse()
            .ok()
            .and_then(|t| self.world.state.tasks.get(&t))
            .map(|t| t.worker);
        let worker = worker.map_or(from.to_string(), |w| self.handle(w));
        let team = self.id("team");
        match self.rng.below(11) {
            0 | 1 => {
                let parent = self.rng.chance(40).then_some(task);
                (
                    worker,
                    "task.create",
                    json!({"worker": to, "body": "do", "parent": parent}),
                )
            }
            2..=4 => {
                let state = *self.rng.pick(&[
                    "working",
                    "input_required",
                    "auth_required",
                    "completed",
                    "failed",
                    "rejected",
                    "submitted",
                ]);
                (worker, "task.update", json!({"task": task, "state": state}))
            }
            5 => (
                worker,
                "task.add_artifact",
                json!({"task": task, "name": "a", "body": "b"}),
            ),
            6 => (from.into(), "task.cancel", json!({"task": task})),
            7 => (
                from.into(),
                "team.create",
                json!({"name": format!("t{}", self.rng.below(6))}),
            ),
            8 if self.rng.chance(15) => (
                from.into(),
                "team.remove",
                json!({"team": team, "agent": to}),
            ),
            8 => (
                from.into(),
                "team.invite",
                json!({"team": team, "agent": to, "role": "spender"}),
            ),
            9 => (
                from.into(),
                "team.join",
                json!({"team": team, "join": self.rng.chance(80)}),
            ),
            _ => self.split(&team),
        }
    }

    /// The split that fits a team, proposed by its lead or agreed to by a member.
    fn split(&mut self, team: &str) -> (String, &'static str, Value) {
        let entity = team
            .parse()
            .ok()
            .and_then(|t| self.world.state.teams.get(&t))
            .cloned();
        let joined: Vec<_> = entity
            .iter()
            .flat_map(|t| t.members.iter().filter(|m| m.joined).map(|m| m.agent))
            .collect();
        let Some(first) = joined.first().copied() else {
            return (
                "@a0".into(),
                "team.propose_split",
                json!({"team": team, "shares": []}),
            );
        };
        let table = entity.map(|t| t.split).unwrap_or_default();
        if !table.is_empty() && self.rng.chance(85) {
            let who = *self.rng.pick(&joined);
            return (
                self.handle(who),
                "team.agree_split",
                json!({"team": team, "shares": table}),
            );
        }
        let each = 1_000_000 / u32::try_from(joined.len()).unwrap();
        let rest = 1_000_000 - each * u32::try_from(joined.len()).unwrap();
        let shares: Vec<Value> = joined
            .iter()
            .map(|a| json!({"agent": a, "ppm": if *a == first { each + rest } else { each }}))
            .collect();
        (
            self.handle(first),
            "team.propose_split",
            json!({"team": team, "shares": shares}),
        )
    }

    /// What something is spent on; mostly nothing in particular.
    fn spent_on(&mut self) -> Value {
        let model = self.rng.chance(20).then_some("fast");
        let run = self.rng.chance(20).then_some("r");
        let task = self.rng.chance(10).then(|| self.id("task"));
        json!({"model": model, "run": run, "task": task})
    }

    fn transfer(&mut self, from: &str) -> Value {
        let (to, amount) = (self.account(), self.amount());
        let on = self.spent_on();
        match self.rng.below(8) {
            0..=3 => json!({"post": {"from": from, "to": to, "amount": amount, "spent_on": on}}),
            4 | 5 => {
                json!({"hold": {"from": from, "to": to, "amount": amount, "spent_on": on, "expires_in_ms": self.period()}})
            }
            6 => {
                let part = self.rng.chance(50).then_some(amount);
                json!({"post_hold": {"hold": self.id("hold"), "amount": part}})
            }
            _ => json!({"void_hold": {"hold": self.id("hold")}}),
        }
    }

    /// The agent from whose account a hold would pay.
    fn payer(&self, hold: &str) -> Option<String> {
        let state = &self.world.state;
        let hold = state.holds.get(&hold.parse().ok()?)?;
        match state.accounts.get(&hold.from)?.holder {
            Holder::Agent(agent) => Some(self.handle(agent)),
            _ => None,
        }
    }

    fn ledger(&mut self) -> (String, &'static str, Value) {
        let who = self.agent();
        match self.rng.below(20) {
            0 => (
                "operator".into(),
                "ledger.issue",
                json!({"to": self.account(), "amount": self.amount()}),
            ),
            1 => (
                "pay".into(),
                "ledger.deposit",
                json!({"to": self.account(), "amount": self.amount(), "reference": self.reference()}),
            ),
            2 => (
                who.into(),
                "ledger.withdraw",
                json!({"from": who, "amount": self.amount(), "reference": self.reference()}),
            ),
            3 => (
                "pay".into(),
                "ledger.end_withdrawal",
                json!({"hold": self.id("hold"), "paid": self.rng.chance(50)}),
            ),
            4 => {
                let label = self.rng.chance(50).then_some("l");
                let asset = *self.rng.pick(&["USD", "EUR", "XXX"]);
                (
                    who.into(),
                    "ledger.open_account",
                    json!({"holder": who, "label": label, "asset": asset}),
                )
            }
            12 => (
                who.into(),
                "ledger.close_account",
                json!({"account": self.id("acct")}),
            ),
            5 => {
                let (transfer, to) = (self.id("xfer"), self.account());
                let to = self.rng.chance(20).then_some(to);
                (
                    "operator".into(),
                    "ledger.correct",
                    json!({"transfer": transfer, "to": to, "amount": self.amount(), "reason": "x"}),
                )
            }
            6..=11 => {
                let hold = self.id("hold");
                let op = *self.rng.pick(&["ledger.capture", "ledger.raise"]);
                let who = self.payer(&hold).unwrap_or(who.into());
                (who, op, json!({"hold": hold, "amount": self.amount()}))
            }
            _ => {
                let many = if self.rng.chance(60) {
                    1
                } else {
                    1 + self.rng.below(6)
                };
                let all: Vec<Value> = (0..many)
                    .map(|_| {
                        let from = if self.rng.chance(85) {
                            who.to_string()
                        } else {
                            self.account()
                        };
                        self.transfer(&from)
                    })
                    .collect();
                (
                    who.into(),
                    "ledger.transfer",
                    json!({"transfers": all, "independent": self.rng.chance(40)}),
                )
            }
        }
    }

    fn models(&mut self) -> (String, &'static str, Value) {
        let agent = self.agent();
        match self.rng.below(12) {
            0 | 1 => {
                let price = |rng: &mut Rng| *rng.pick(&["0", "3", "15", "0.25"]);
                let mut prices = json!({"input": price(&mut self.rng), "output": price(&mut self.rng), "cached": "0.3"});
                let more = json!([{"above": 500, "prices": prices}]);
                prices["output"] = json!(price(&mut self.rng));
                let open_to = *self.rng.pick(&["owner", "everyone", "everyone"]);
                let terms = json!({
                    "model": "fast", "provider": "house", "upstream": "fast-1", "open_to": open_to,
                    "prices": {"per_million": prices, "steps": more, "a_call": price(&mut self.rng)}
                });
                let person = (*self.rng.pick(&["ann", "bob", "cat"])).to_string();
                match self.rng.chance(60) {
                    true => (person, "deployment.create", json!({"terms": terms})),
                    false => {
                        let deployment = self.id("deployment");
                        let args = json!({"deployment": deployment, "terms": terms});
                        (person, "deployment.change", args)
                    }
                }
            }
            2 => {
                let person = (*self.rng.pick(&["ann", "bob", "cat"])).to_string();
                let deployment = self.id("deployment");
                (
                    person,
                    "deployment.retire",
                    json!({"deployment": deployment}),
                )
            }
            3..=7 => {
                let (input, output) = (self.rng.below(1_000), self.rng.below(1_000));
                let task = self.rng.chance(20).then(|| self.id("task"));
                let pay_from = self.rng.chance(20).then(|| self.account());
                (
                    agent.into(),
                    "inference.reserve",
                    json!({"deployment": self.id("deployment"), "input": input, "output": output, "task": task, "pay_from": pay_from}),
                )
            }
            _ => {
                let calls: Vec<Value> = (0..=self.rng.below(3))
                    .map(|_| {
                        let (input, output) = (self.rng.below(1_200), self.rng.below(1_200));
                        let cached = self.rng.below(input + 1);
                        let end = *self.rng.pick(&["served", "left", "failed"]);
                        json!({"inference": self.id("inference"), "end": end, "tokens": {"input": input, "cached": cached, "output": output}})
                    })
                    .collect();
                ("meter".into(), "inference.settle", json!({"calls": calls}))
            }
        }
    }

    fn policy(&mut self) -> (String, &'static str, Value) {
        let (agent, other) = (self.agent(), self.agent());
        let person = match &agent[1..2] {
            "a" => "ann",
            "b" => "bob",
            _ => "cat",
        };
        match self.rng.below(14) {
            9 | 10 => {
                let node = match self.rng.below(3) {
                    0 => json!({"owner": self.id("owner")}),
                    _ => json!({"agent": agent}),
                };
                let on = match self.rng.below(5) {
                    0 => json!({"model": "fast"}),
                    1 => json!({"run": "r"}),
                    2 => json!({"task": self.id("task")}),
                    _ => json!("all"),
                };
                let unit = *self.rng.pick(&["money", "tokens", "milliseconds"]);
                let period_ms = *self.rng.pick(&[Some(3_600_000), Some(86_400_000), None]);
                let name = json!({"on": on, "unit": unit, "period_ms": period_ms});
                let mut args = json!({"node": node});
                match self.rng.chance(80) {
                    true => {
                        let mut line = name;
                        line["limit"] = json!(*self.rng.pick(&["20", "60", "100000"]));
                        args["lines"] = json!([line]);
                    }
                    false => args["clear_lines"] = json!([name]),
                }
                (person.into(), "policy.set_allowance", args)
            }
            11 | 12 => {
                let work = |rng: &mut Rng| {
                    if rng.chance(90) {
                        rng.below(40)
                    } else {
                        200_000
                    }
                };
                let (tokens, ms) = (work(&mut self.rng), work(&mut self.rng));
                let on = self.spent_on();
                let expires = self.period();
                (
                    agent.into(),
                    "usage.reserve",
                    json!({"tokens": tokens, "milliseconds": ms, "model": on["model"], "task": on["task"], "run": on["run"], "expires_in_ms": expires}),
                )
            }
            13 => {
                let usage = self.id("usage");
                let of = usage.parse().ok();
                let of = of.and_then(|id| Some(self.world.state.usages.get(&id)?.agent));
                let who = of.map_or(agent.into(), |agent| self.spoken_for(agent));
                (
                    who,
                    "usage.settle",
                    json!({"usage": usage, "tokens": self.rng.below(60), "milliseconds": self.rng.below(60)}),
                )
            }
            0..=2 => {
                let node = match self.rng.below(5) {
                    0 => json!({"owner": self.id("owner")}),
                    1 => json!({"team": self.id("team")}),
                    2 => json!("realm"),
                    _ => json!({"agent": agent}),
                };
                let per_deal = self.rng.chance(30).then_some("30");
                let per_period = self.rng.chance(60).then_some("60");
                let above = self.rng.chance(40).then_some("5");
                let period_ms = *self.rng.pick(&[3_600_000, 86_400_000]);
                let named = [
                    ("per_deal", per_deal),
                    ("per_period", per_period),
                    ("approval_above", above),
                ];
                let gone = named.iter().filter(|(_, limit)| limit.is_none());
                let gone: Vec<&str> = gone.map(|(name, _)| *name).collect();
                let clear = if self.rng.chance(70) {
                    gone
                } else {
                    Vec::new()
                };
                let who = if node == json!("realm") {
                    "operator"
                } else {
                    person
                };
                (
                    who.into(),
                    "policy.set_allowance",
                    json!({"node": node, "per_deal": per_deal, "per_period": per_period, "approval_above": above, "period_ms": period_ms, "clear": clear}),
                )
            }
            3 | 4 => {
                let approve = self.rng.chance(75);
                (
                    person.into(),
                    "policy.answer_approval",
                    json!({"approval": self.id("appr"), "approve": approve}),
                )
            }
            5 => (
                "operator".into(),
                "policy.set_settings",
                json!({"sign_up_open": true, "sign_ups_per_hour": 10, "messages_per_minute": 30, "offers_per_minute": 60, "agents_per_owner": 10, "stake": {"free_agents": 4, "amount": "0.5"}, "least_review_ms": 600_000, "keep_references_ms": self.rng.chance(50).then_some(86_400_000), "message_id_bytes": self.rng.chance(50).then_some(640), "keep_message_ids_ms": self.rng.chance(50).then_some(1_000), "keep_keys_ms": self.rng.chance(20).then_some(600_000)}),
            ),
            _ => (
                agent.into(),
                "policy.set_block",
                json!({"party": {"agent": other}, "block": self.rng.chance(40)}),
            ),
        }
    }
}
