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
//! down +2h                                                   no server runs for that long
//! balance @ann 95.00 pending 5.00 incoming 0.00
//! ```

mod facts;
mod promises;

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use rialto_core::command::{Command, Nothing};
use rialto_core::decide::{Decision, Request, RequestKey, Stamp, Verdict, decide, resolve_agent};
use rialto_core::event::{Envelope, Event};
use rialto_core::hash::Hash;
use rialto_core::id::{AgentId, TokenId};
use rialto_core::identity::{AgentRef, Auth, IdentityEvent, Principal};
use rialto_core::ledger::LedgerCommand;
use rialto_core::realm::RealmCommand;
use rialto_core::reject::{Code, Rejection};
use rialto_core::state::State;
use rialto_core::text::{Labels, Sealed};
use rialto_core::time::{HOUR_MS, Time};

use promises::moved;
pub(crate) use promises::{
    corrections_stay_within, holds_are_what_the_log_says, promises, spent_is_what_the_log_says,
};

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
    /// What it read when the server started.
    began_ms: u64,
    names: BTreeMap<String, String>,
    who: BTreeMap<String, Principal>,
    tokens: BTreeMap<Principal, TokenId>,
    secrets: Vec<(TokenId, String)>,
    draws: u64,
}

/// The result of one command.
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
            began_ms: 0,
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
        holds_are_what_the_log_says(&self.state, &self.log).unwrap();
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
            ["down", step] => self.down(duration(step)),
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
                signed: false,
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
            began_ms: self.began_ms,
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

    /// No server runs for a while; the next one takes what passed from the wall clock, an hour at most.
    fn down(&mut self, ms: u64) {
        self.now = self.now.after(ms);
        self.steady_ms += ms.min(HOUR_MS);
        self.began_ms = self.steady_ms;
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
