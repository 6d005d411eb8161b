//! Tables that read as a specification: one line a command and its outcome, or a fact that must hold.
//!
//! Shared by the unit tests of the modules and the integration tests. After every line the promises
//! that hold at all times are checked, and at the end the whole log is replayed from its stored form
//! with another hash seed and must come to the same digest.
//!
//! ```text
//! @ann ledger.transfer {"transfers": [...]} => ok $first     bind the answer's ids, in order
//! ann/@bob mail.send {...} => RLT0103                        a person acting as an agent
//! @ann ledger.transfer {…} => RLT0401 1.00 available         what the detail says; - is nothing
//! @ann#tok … => RLT0106                                      with the token bound to $tok
//! public … {"invitation": "$first.code"} => ok               the secret that was told with the id $first
//! @ann key=k1 … => dup     @ann key=k1:-90000 … => RLT0012   idempotency key, its age in seconds
//! time +90m        tick        wait +3d                      wait ticks all along
//! wall +59m        wall -59m                                 only the machine's clock is moved
//! balance @ann 95.00 pending 5.00 incoming 0.00
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use rialto_core::amount::Amount;
use rialto_core::command::{Command, Nothing};
use rialto_core::decide::{Decision, Request, RequestKey, Stamp, Verdict, decide, resolve_agent};
use rialto_core::event::{Envelope, Event};
use rialto_core::hash::Hash;
use rialto_core::id::{
    AgentId, AnyId, AssetId, CommunityId, DealId, HoldId, ListingId, TokenId, TransferId,
};
use rialto_core::identity::{AgentRef, Auth, IdentityEvent, Principal, Role, Status};
use rialto_core::ledger::{Account, EntryKind, Holder, LedgerCommand, LedgerEvent, Moved, Purpose};
use rialto_core::mail::ContactState;
use rialto_core::market::NegotiationState;
use rialto_core::policy::{Node, Party};
use rialto_core::realm::RealmCommand;
use rialto_core::reject::{Code, Rejection};
use rialto_core::social::Standing;
use rialto_core::state::State;
use rialto_core::text::{Labels, Sealed};
use rialto_core::time::Time;

/// When every table begins: 2027-01-15T08:00:00Z.
pub(crate) const START_MS: u64 = 1_800_000_000_000;

/// Carries texts as their plain hash, as a door does with a salted one.
pub(crate) fn seal(command: Command<String>) -> Command<Sealed> {
    let mut ordinal = 0;
    command.map(&mut |text| {
        let sealed = Sealed {
            ordinal,
            hash: Hash::of(&[text.as_bytes()]),
            len: u32::try_from(text.len()).unwrap(),
            labels: Labels::BY_AGENT,
            blank: text.trim().is_empty(),
            same: Hash::of(&[text.as_bytes()]).short(),
        };
        ordinal += 1;
        sealed
    })
}

/// A command as a door reads it.
pub(crate) fn read(op: &str, args: &str) -> Result<Command<String>, String> {
    let mut args = serde_json::Deserializer::from_str(args);
    match Command::read_args(op, &mut args) {
        Some(read) => read.map_err(|why| why.to_string()),
        None => Err(format!("there is no {op}")),
    }
}

/// A command in its JSON form, its texts sealed.
pub(crate) fn sealed(json: &str) -> Command<Sealed> {
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    let op = json["op"].as_str().unwrap();
    seal(read(op, &json["args"].to_string()).unwrap())
}

/// A digest of all entities, independent of the order of tables.
pub(crate) fn digest(state: &State) -> [u64; 4] {
    let mut sum = [0_u64; 4];
    state.for_each_key(|key| {
        let value = state.encode_entity(&key).unwrap();
        let hash = Hash::of(&[&key.to_vec(), &value]);
        for (word, bytes) in sum.iter_mut().zip(hash.bytes().chunks_exact(8)) {
            *word = word.wrapping_add(u64::from_le_bytes(bytes.try_into().unwrap()));
        }
    });
    sum
}

/// Every entity as a snapshot stores it.
pub(crate) fn entities(state: &State) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut all = BTreeMap::new();
    state.for_each_key(|key| {
        all.insert(key.to_vec(), state.encode_entity(&key).unwrap());
    });
    all
}

/// A state loaded from a snapshot of `state`.
pub(crate) fn reload(state: &State, seed: u64) -> State {
    let mut fresh = State::new(seed);
    for (key, value) in entities(state) {
        fresh.load_entity(&key, &value).unwrap();
    }
    fresh.loaded(state.position());
    fresh
}

/// A state replayed from the stored form of a log.
pub(crate) fn replay<'a>(log: impl IntoIterator<Item = &'a Envelope>, seed: u64) -> State {
    let mut state = State::new(seed);
    for envelope in log {
        let read = Envelope::decode(&envelope.encode()).unwrap();
        assert_eq!(&read, envelope);
        state.apply(&read);
    }
    state
}

/// A realm under test, with everything that was logged.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) log: Vec<Envelope>,
    pub(crate) now: Time,
    /// The steady clock, in milliseconds.
    steady_ms: u64,
    names: BTreeMap<String, String>,
    who: BTreeMap<String, Principal>,
    tokens: BTreeMap<Principal, TokenId>,
    secrets: Vec<(TokenId, String)>,
    draws: u64,
}

/// What became of one command.
pub(crate) type Outcome = Result<Verdict, Rejection>;

impl World {
    /// Before the first command.
    pub(crate) fn bare() -> Self {
        let mut who = BTreeMap::new();
        who.insert("operator".to_string(), Principal::Operator);
        who.insert("public".to_string(), Principal::Public);
        who.insert("clock".to_string(), Principal::Realm);
        Self {
            state: State::new(1),
            log: Vec::new(),
            now: Time(START_MS),
            steady_ms: 0,
            names: BTreeMap::new(),
            who,
            tokens: BTreeMap::new(),
            secrets: Vec::new(),
            draws: 0,
        }
    }

    /// A founded realm whose money is USD with nine digits.
    pub(crate) fn new() -> Self {
        let mut world = Self::bare();
        world.run(
            r#"
            operator realm.found {"name": "rialto", "key": "$key"} => ok
            operator ledger.create_asset {"code": "USD", "scale": 9} => ok $usd
            "#,
        );
        world
    }

    pub(crate) fn run(&mut self, table: &str) {
        for (number, line) in table.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with("//") {
                self.line(line)
                    .unwrap_or_else(|why| panic!("line {number}: {line}\n  {why}"));
                promises(&self.state).unwrap_or_else(|why| {
                    panic!("line {number}: {line}\n  broke a promise: {why}")
                });
            }
        }
    }

    /// The log replayed, and the snapshot reloaded, come to the same state.
    pub(crate) fn settle(&self) {
        assert_eq!(self.state.changes.defects(), 0);
        let again = replay(&self.log, 77);
        assert_eq!(digest(&again), digest(&self.state), "replay differs");
        assert_eq!(again.changes.next_due(), self.state.changes.next_due());
        let loaded = reload(&self.state, 78);
        assert_eq!(digest(&loaded), digest(&self.state), "snapshot differs");
        assert_eq!(loaded.changes.next_due(), self.state.changes.next_due());
        spent_is_what_the_log_says(&self.state, &self.log).unwrap();
        corrections_stay_within(&self.state, &self.log).unwrap();
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some((command, outcome)) = line.rsplit_once(" => ") {
            return self.command(command.trim(), outcome.trim());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["time", step] => self.pass(duration(step)),
            ["wall", step] => {
                self.now = match step.strip_prefix('-') {
                    Some(back) => Time(self.now.0 - duration(&format!("+{back}"))),
                    None => self.now.after(duration(step)),
                };
            }
            ["tick"] => self.tick_all(),
            ["wait", step] => self.wait(duration(step)),
            ["owner", name] => {
                let args = format!(r#"{{"name": "{name}", "kind": "organisation"}}"#);
                return self.command(&format!("operator owner.sign_up {args}"), "ok");
            }
            ["agent", owner, handle, contact @ ..] => {
                let contact = contact.first().unwrap_or(&"open");
                let args = format!(
                    r#"{{"owner": "${owner}", "handle": "{handle}", "profile": {{"contact": "{contact}"}}}}"#
                );
                return self.command(&format!("operator agent.register {args}"), "ok");
            }
            ["fund", to, amount] => {
                let args = format!(r#"{{"to": "{to}", "amount": "{amount}"}}"#);
                return self.command(&format!("operator ledger.issue {args}"), "ok");
            }
            _ => return self.fact(&words),
        }
        Ok(())
    }

    pub(crate) fn command(&mut self, command: &str, wanted: &str) -> Result<(), String> {
        let (who, rest) = command.split_once(' ').ok_or("no operation")?;
        let (key, rest) = match rest.strip_prefix("key=").and_then(|r| r.split_once(' ')) {
            Some((key, rest)) => (Some(key), rest),
            None => (None, rest),
        };
        let (op, args) = rest.split_once(' ').unwrap_or((rest, "{}"));
        let args = self.substitute(args)?;
        let text = format!(r#"{{"op": "{op}", "args": {args}}}"#);
        let parsed = match read(op, &args) {
            Ok(command) => command,
            Err(_) if wanted == "malformed" => return Ok(()),
            Err(why) => return Err(format!("{why} in {text}")),
        };
        let mut request = self.request(who)?;
        if let Some(key) = key {
            let (name, age) = key.split_once(':').unwrap_or((key, "0"));
            let age: i64 = age.parse().map_err(|_| "age of key")?;
            request.key = Some(RequestKey {
                made_at_s: (self.now.0 / 1_000).saturating_add_signed(age),
                key: Hash::of(&[
                    format!("{:?}", request.principal).as_bytes(),
                    name.as_bytes(),
                ])
                .short(),
                request: Hash::of(&[text.as_bytes()]).short(),
            });
        }
        let command = self.sealed(parsed);
        let outcome = self.execute(&request, &command);
        self.compare(outcome, wanted)
    }

    /// The command as a door hands it on: texts sealed, and what a corrected entry moved looked up.
    pub(crate) fn sealed(&self, command: Command<String>) -> Command<Sealed> {
        let mut command = seal(command);
        if let Command::Ledger(LedgerCommand::Correct(args)) = &mut command {
            args.entry = moved(&self.log, args.transfer);
        }
        command
    }

    /// Decides and, if accepted, applies and logs.
    pub(crate) fn execute(&mut self, request: &Request, command: &Command<Sealed>) -> Outcome {
        let stamp = self.next_stamp();
        self.draws += 1;
        let verdict = decide(&self.state, request, command, &stamp)?;
        if let Verdict::Accepted(decision) = &verdict {
            self.state.apply(&decision.envelope);
            self.log.push(decision.envelope.clone());
            self.secrets.extend(decision.secrets.iter().cloned());
            self.meet(&decision.envelope);
        }
        Ok(verdict)
    }

    /// Time and chance as the next command will see them.
    pub(crate) fn next_stamp(&self) -> Stamp {
        let public = Hash::of(&[b"public", &self.draws.to_le_bytes()]);
        Stamp {
            now: self.now,
            steady_ms: self.steady_ms,
            entropy: *Hash::of(&[&self.draws.to_le_bytes()]).bytes(),
            custody: Some((public, public.short())),
        }
    }

    /// Learns the names of new principals, and their tokens.
    fn meet(&mut self, envelope: &Envelope) {
        for event in &envelope.events {
            let Event::Identity(event) = event else {
                continue;
            };
            match event {
                IdentityEvent::OwnerCreated { owner, name, .. } => {
                    self.names
                        .insert(name.as_str().to_string(), owner.to_string());
                }
                IdentityEvent::PersonAdded { person, name, .. } => {
                    self.who
                        .insert(name.to_string(), Principal::Person(*person));
                    self.names.insert(format!("{name}_id"), person.to_string());
                }
                IdentityEvent::AgentRegistered { agent, handle, .. } => {
                    self.who
                        .insert(handle.to_string(), Principal::Agent(*agent));
                    self.names
                        .insert(handle.as_str().to_string(), agent.to_string());
                }
                IdentityEvent::ServiceCreated { service, name, .. } => {
                    self.who
                        .insert(name.to_string(), Principal::Service(*service));
                    self.names.insert(name.to_string(), service.to_string());
                }
                IdentityEvent::TokenIssued {
                    token, principal, ..
                } => {
                    self.tokens.entry(*principal).or_insert(*token);
                }
                _ => {}
            }
        }
    }

    fn compare(&mut self, outcome: Outcome, wanted: &str) -> Result<(), String> {
        let mut words = wanted.split_whitespace();
        let first = words.next().unwrap_or_default();
        match outcome {
            Err(why) if why.code.to_string() == first => {
                let wanted = words.collect::<Vec<_>>().join(" ");
                let says = match wanted.as_str() {
                    "-" => why.detail.is_empty(),
                    _ => why.detail.contains(&wanted),
                };
                says.then_some(()).ok_or(format!("says {:?}", why.detail))
            }
            Err(why) => Err(format!("came to {} ({why})", why.code)),
            Ok(Verdict::Nothing) if first == "nothing" => Ok(()),
            Ok(Verdict::Duplicate { ids, .. }) if first == "dup" => {
                let have: Vec<String> = ids.iter().map(ToString::to_string).collect();
                let wanted: Vec<String> = words
                    .map(|w| self.substitute(w))
                    .collect::<Result<_, _>>()?;
                let same = wanted.is_empty() || wanted == have;
                same.then_some(()).ok_or(format!("repeats {have:?}"))
            }
            Ok(Verdict::Accepted(decision)) if first == "ok" => {
                self.bind(&decision, &words.collect::<Vec<_>>())
            }
            Ok(other) => Err(format!("came to {other:?}")),
        }
    }

    /// Binds the answer's ids, and compares the refused entries of an independent batch.
    fn bind(&mut self, decision: &Decision, words: &[&str]) -> Result<(), String> {
        let (names, refused): (Vec<&str>, Vec<&str>) =
            words.iter().partition(|w| w.starts_with('$'));
        for (at, name) in names.iter().enumerate() {
            let id = decision.envelope.ids.get(at).ok_or("too few ids")?;
            self.names.insert(name[1..].to_string(), id.to_string());
        }
        let had: Vec<String> = decision
            .refused
            .iter()
            .map(|(index, why)| format!("{index}:{}", why.code))
            .collect();
        if had == refused {
            Ok(())
        } else {
            Err(format!("refused {had:?}"))
        }
    }

    /// The request of a principal in the form `name`, `name/@agent`, either with `#token`.
    pub(crate) fn request(&self, who: &str) -> Result<Request, String> {
        let (who, token) = match who.split_once('#') {
            Some((who, token)) => (who, Some(token)),
            None => (who, None),
        };
        let (name, acting) = match who.split_once('/') {
            Some((name, acting)) => (name, Some(acting)),
            None => (who, None),
        };
        let principal = self.who.get(name).ok_or(format!("who is {name}?"))?;
        let token = match token {
            Some(name) => Some(self.id::<TokenId>(&format!("${name}"))?),
            None => self.tokens.get(principal).copied(),
        };
        Ok(Request {
            principal: *principal,
            auth: token.map_or(Auth::None, Auth::Token),
            acting: acting.map(|a| a.parse::<AgentRef>().unwrap()),
            key: None,
            cause: None,
        })
    }

    /// Replaces `$name` by what is bound to it, and `$name.offer` by the latest offer's hash.
    fn substitute(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut parts = text.split('$');
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let end = part
                .find(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c))
                .unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            let value = match name {
                "key" => Hash::of(&[b"a key"]).to_string(),
                _ => self.bound(name)?,
            };
            if let Some(rest) = rest.strip_prefix(".code") {
                let told = self.secrets.iter().find(|(id, _)| id.to_string() == value);
                out.push_str(&told.ok_or("nothing was told with it")?.1);
                out.push_str(rest);
                continue;
            }
            match rest.strip_prefix(".offer") {
                Some(rest) => {
                    let id = value.parse().map_err(|_| "no negotiation")?;
                    let negotiation = self.state.negotiations.get(&id).ok_or("gone")?;
                    out.push_str(&negotiation.latest.hash.to_string());
                    out.push_str(rest);
                }
                None => {
                    out.push_str(&value);
                    out.push_str(rest);
                }
            }
        }
        Ok(out)
    }

    fn bound(&self, name: &str) -> Result<String, String> {
        self.names
            .get(name)
            .cloned()
            .ok_or(format!("${name} is not bound"))
    }

    fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, String> {
        let bound = self.bound(name.strip_prefix('$').unwrap_or(name))?;
        bound
            .parse()
            .map_err(|_| format!("{name} is another kind of id"))
    }

    pub(crate) fn agent(&self, name: &str) -> AgentId {
        resolve_agent(&self.state, &name.parse().unwrap()).unwrap()
    }

    /// Lets the clock do everything that is due.
    pub(crate) fn tick_all(&mut self) {
        let request = self.request("clock").unwrap();
        for _ in 0..1_000 {
            let tick = RealmCommand::Tick(Nothing {}).into();
            let now = self.state.time_at(self.now, self.steady_ms);
            match self.execute(&request, &tick) {
                Ok(Verdict::Nothing) => return,
                Ok(_) if self.state.changes.due_at(now).next().is_none() => return,
                Ok(_) => {}
                Err(why) => panic!("the clock was refused: {} {why}", why.code),
            }
        }
        panic!("the clock never comes to an end");
    }

    fn wait(&mut self, ms: u64) {
        let end = self.now.after(ms);
        while self.now < end {
            self.pass(end.since(self.now).min(30 * 60_000));
            self.tick_all();
        }
    }

    /// Time passes, on both of the machine's clocks.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now = self.now.after(ms);
        self.steady_ms += ms;
    }

    fn account(&self, name: &str) -> Result<&Account, String> {
        let asset = self.state.realm.get(&()).and_then(|r| r.asset).unwrap();
        let holder = match name.starts_with('@') {
            true => Holder::Agent(self.agent(name)),
            false => match self.id::<AnyId>(name)? {
                AnyId::OwnerId(id) => Holder::Owner(id),
                AnyId::TeamId(id) => Holder::Team(id),
                AnyId::AccountId(id) => return self.state.accounts.get(&id).ok_or("none".into()),
                _ => return Err("no holder".into()),
            },
        };
        let id = self.state.main_account(holder, asset).ok_or("no account")?;
        self.state.accounts.get(&id).ok_or("no account".into())
    }

    fn fact(&self, words: &[&str]) -> Result<(), String> {
        match words {
            ["balance", name, balance, more @ ..] => {
                let account = self.account(name)?;
                let mut have = std::vec![account.balance.display(9)];
                for word in more.iter().step_by(2) {
                    have.push(word.to_string());
                    have.push(match *word {
                        "pending" => account.pending_out.display(9),
                        "incoming" => account.pending_in.display(9),
                        _ => return Err(format!("what is {word}?")),
                    });
                }
                same(&have.join(" "), &[&[*balance][..], more].concat().join(" "))
            }
            ["no-account", name] => match self.account(name) {
                Ok(account) => Err(format!("there is {account:?}")),
                Err(_) => Ok(()),
            },
            ["deal", name, wanted] => {
                let deal = self.state.deals.get(&self.id(name)?);
                same(&word_of(deal.map(|d| d.state)), wanted)
            }
            ["task", name, wanted] => {
                let task = self.state.tasks.get(&self.id(name)?);
                same(&word_of(task.map(|t| t.state)), wanted)
            }
            ["call", name, wanted] => {
                let call = self.state.calls.get(&self.id(name)?);
                same(&word_of(call.map(|c| c.state)), wanted)
            }
            ["negotiation", name, wanted] => {
                let negotiation = self.state.negotiations.get(&self.id(name)?);
                same(&word_of(negotiation.map(|n| n.state)), wanted)
            }
            ["hold", name, wanted] => {
                let open = self.state.holds.contains(&self.id::<HoldId>(name)?);
                same(if open { "open" } else { "gone" }, wanted)
            }
            ["approval", name, wanted] => {
                let open = self.state.approvals.contains(&self.id(name)?);
                same(if open { "open" } else { "gone" }, wanted)
            }
            ["marks", wanted @ ..] => same(&self.marks().join(" "), &wanted.join(" ")),
            ["spent", name, wanted] => same(&self.spent(name)?, wanted),
            ["inbox", name, wanted @ ..] => same(&self.inbox(name), &wanted.join(" ")),
            ["reputation", name, wanted @ ..] => {
                let r = self.state.reputations.get(&self.agent(name)).cloned();
                let r = r.unwrap_or_default();
                let have = format!(
                    "sold {} bought {} disputed {} refunded {} expired {} partners {}",
                    r.sold, r.bought, r.disputed, r.refunded, r.expired, r.partners
                );
                same(&have, &wanted.join(" "))
            }
            _ => Err(format!("what is {words:?}?")),
        }
    }

    /// Every mark of a handle, in the order of the log: `@casal~@casa`.
    fn marks(&self) -> Vec<String> {
        let handle = |agent| self.state.agents.get(agent).map(|a| a.handle.to_string());
        let events = self.log.iter().flat_map(|envelope| &envelope.events);
        let marks = events.filter_map(|event| match event {
            Event::Identity(IdentityEvent::HandleMarked { agent, resembles }) => {
                Some(format!("{}~{}", handle(agent)?, handle(resembles)?))
            }
            _ => None,
        });
        marks.collect()
    }

    fn spent(&self, name: &str) -> Result<String, String> {
        let asset = self.state.realm.get(&()).and_then(|r| r.asset).unwrap();
        let node = match name {
            "realm" => Node::Realm,
            _ if name.starts_with('@') => Node::Agent(self.agent(name)),
            _ => match self.id::<AnyId>(name)? {
                AnyId::OwnerId(id) => Node::Owner(id),
                AnyId::TeamId(id) => Node::Team(id),
                _ => return Err("no node".into()),
            },
        };
        let allowance = self.state.allowances.get(&(node, asset));
        Ok(allowance.map_or("none".into(), |a| a.spent.display(9)))
    }

    /// The kinds of all deliveries still kept, in order; `-` for an empty inbox.
    fn inbox(&self, name: &str) -> String {
        let agent = self.agent(name);
        let kinds: Vec<String> = self
            .state
            .kept_after(agent, 0)
            .filter_map(|seq| self.state.deliveries.get(&(agent, seq)))
            .map(|d| {
                let text = serde_json::to_value(d.item).unwrap();
                text["kind"].as_str().unwrap().to_string()
            })
            .collect();
        if kinds.is_empty() {
            "-".into()
        } else {
            kinds.join(" ")
        }
    }

    /// The token whose secret this is, as a door looks it up.
    pub(crate) fn secrets(&self) -> &[(TokenId, String)] {
        &self.secrets
    }
}

/// Runs a table in a fresh realm.
pub(crate) fn check(table: &str) -> World {
    let mut world = World::new();
    world.run(table);
    world.settle();
    world
}

fn same(have: &str, wanted: &str) -> Result<(), String> {
    if have == wanted {
        Ok(())
    } else {
        Err(format!("is {have}"))
    }
}

fn word_of<T: serde::Serialize>(state: Option<T>) -> String {
    let Some(state) = state else {
        return "gone".into();
    };
    let value = serde_json::to_value(state).unwrap();
    value.as_str().unwrap_or("?").to_string()
}

fn duration(text: &str) -> u64 {
    let text = text.strip_prefix('+').expect("a step begins with +");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        other => panic!("unit {other}"),
    };
    digits.parse::<u64>().unwrap() * unit
}

/// What the log says that an entry moved, and what corrections of it come to.
fn moved(log: &[Envelope], transfer: TransferId) -> Option<Moved> {
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
        amount: match entry.kind {
            EntryKind::Post | EntryKind::PostHold => entry.amount,
            EntryKind::Hold | EntryKind::VoidHold => Amount::ZERO,
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

/// Every allowance's `spent` is the sum of what the log charged to it in its current period since
/// it began to count, less what holds gave back.
pub(crate) fn spent_is_what_the_log_says(state: &State, log: &[Envelope]) -> Result<(), String> {
    let mut sums: BTreeMap<(Node, AssetId), i128> = BTreeMap::new();
    let mut holds: BTreeMap<HoldId, (Vec<(Node, AssetId)>, i128)> = BTreeMap::new();
    for envelope in log {
        for event in &envelope.events {
            let Event::Ledger(LedgerEvent::Entries { entries, .. }) = event else {
                continue;
            };
            for entry in entries {
                let counted: Vec<_> = entry
                    .charged
                    .iter()
                    .map(|node| (*node, entry.asset))
                    .filter(|key| {
                        state.allowances.get(key).is_some_and(|a| {
                            let end = a.window.after(a.period_ms);
                            envelope.position > a.since && (a.window..end).contains(&envelope.at)
                        })
                    })
                    .collect();
                for key in &counted {
                    *sums.entry(*key).or_default() += entry.amount.0;
                }
                match (entry.kind, entry.hold) {
                    (EntryKind::Hold, Some(id)) => {
                        holds.insert(id, (counted, entry.amount.0));
                    }
                    (EntryKind::PostHold | EntryKind::VoidHold, Some(id)) => {
                        let (keys, held) = holds.remove(&id).ok_or("ended twice")?;
                        for key in keys {
                            *sums.entry(key).or_default() -= held - entry.amount.0;
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    let mut wrong = None;
    state.allowances.for_each(|key, allowance| {
        let sum = sums.get(key).copied().unwrap_or(0);
        if allowance.spent.0 != sum {
            wrong = Some(format!("{key:?} is {allowance:?}, the log says {sum}"));
        }
    });
    wrong.map_or(Ok(()), Err)
}

/// Every code of a range that no table produces, but for those that are named as unreachable.
pub(crate) fn codes_without_a_line(tables: &str, range: std::ops::Range<u16>) -> Vec<Code> {
    let produced: BTreeSet<&str> = tables
        .lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .filter_map(|l| l.rsplit_once(" => "))
        .flat_map(|(_, outcome)| outcome.split(|c: char| !c.is_ascii_alphanumeric()))
        .collect();
    Code::ALL
        .iter()
        .copied()
        .filter(|c| range.contains(&(*c as u16)) && !produced.contains(c.to_string().as_str()))
        .collect()
}
