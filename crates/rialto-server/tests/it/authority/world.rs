//! A realm with one of everything of ours, and one principal of every kind to ask for it.

use std::collections::BTreeMap;

use axum::http::Method;
use rialto_core::amount::Amount;
use rialto_core::command::Command;
use rialto_core::decide::{Request, Stamp, decide, resolve_agent};
use rialto_core::hash::Hash;
use rialto_core::identity::{Auth, Principal, Right};
use rialto_core::ledger::{AccountRef, Holder, LedgerCommand, Moved};
use rialto_core::noun;
use rialto_core::realm::RealmCommand;
use rialto_core::reject::Rejection;
use rialto_core::state::State;
use rialto_core::time::{MINUTE_MS, Time};
use rialto_server::node::Clock;
use serde_json::{Value, json};

use super::rows;
use crate::door::Realm;
use crate::workload::ask;

/// One column: who asks.
pub(crate) struct Who {
    pub(crate) name: &'static str,
    /// What it sends as its bearer token.
    pub(crate) token: Option<String>,
    pub(crate) principal: Principal,
    pub(crate) auth: Auth,
    /// The agent that it names where an agent must act.
    pub(crate) acts_as: Option<&'static str>,
}

/// The realm, the columns and the objects.
pub(crate) struct World {
    pub(crate) realm: Realm,
    pub(crate) who: Vec<Who>,
    /// Our agent by tokens that are each for one thing.
    pub(crate) scoped: Vec<Who>,
    /// Our objects by name; `theirs.` names those of others.
    pub(crate) ids: BTreeMap<&'static str, String>,
}

/// Our objects that everybody may see: an owner's and an agent's name, what it sells.
const PUBLIC: [&str; 8] = [
    "owner",
    "agent",
    "listing",
    "service",
    "handle",
    "post",
    "community",
    "measure",
];

/// By how much the realm's clock is ahead of the machine's, in milliseconds.
const AHEAD_MS: u64 = 40 * MINUTE_MS;

const OURS: &str = "@ours-agent";
/// The digits of an id that nothing has.
pub(crate) const MADE_UP: &str = "0zzzzzzzzzzz";
const THEIRS: &str = "@theirs-agent";

/// The id of a kind in an answer.
fn id(answer: &Value, kind: &str) -> String {
    let found = answer["ids"][kind].as_str();
    found
        .unwrap_or_else(|| panic!("no {kind} in {answer}"))
        .to_owned()
}

fn secret(answer: &Value) -> String {
    answer["token"]["secret"].as_str().unwrap().to_owned()
}

/// What the seller and the buyer need to agree on a deal.
fn terms(price: &str) -> Value {
    json!({ "price": price, "lines": [{ "item": "Taco" }] })
}

/// The tokens that build the realm.
struct Builders {
    operator: String,
    admin: String,
    ours: String,
    other: String,
    their_admin: String,
    theirs: String,
    third_admin: String,
    third: String,
}

/// A jump of the clock that came back, so that the realm's is ahead of the machine's.
async fn led_astray(realm: &Realm) {
    let now = realm.clock.now();
    realm.clock.set(now.after(AHEAD_MS));
    realm.ok(&realm.operator, "clock.accept", json!({})).await;
    realm.clock.set(now);
}

impl World {
    pub(crate) async fn new() -> Self {
        let realm = Realm::new().await;
        led_astray(&realm).await;
        let (admin, ours) = realm.owner("ours").await;
        let (their_admin, theirs) = realm.owner("theirs").await;
        let (third_admin, third) = realm.owner("third").await;
        let other = realm
            .ok(&admin, "agent.register", json!({ "handle": "ours-other" }))
            .await;
        let by = Builders {
            operator: realm.operator.clone(),
            admin,
            ours,
            other: secret(&other),
            their_admin,
            theirs,
            third_admin,
            third,
        };
        let mut world = Self {
            realm,
            who: Vec::new(),
            scoped: Vec::new(),
            ids: BTreeMap::new(),
        };
        world.people(&by).await;
        world.mail_and_work(&by).await;
        world.market(&by).await;
        world.money(&by).await;
        world.square(&by).await;
        world.nouns(&by).await;
        world
    }

    fn note(&mut self, name: &'static str, id: String) {
        self.ids.insert(name, id);
    }

    pub(crate) fn id(&self, name: &str) -> &str {
        self.ids.get(name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// The ids that only ours and their counterparties may learn of.
    pub(crate) fn private(&self) -> impl Iterator<Item = (&str, &str)> {
        let ours = self.ids.iter().map(|(name, id)| (*name, id.as_str()));
        ours.filter(|(name, _)| !PUBLIC.contains(name) && !name.starts_with("theirs."))
    }

    /// Whether a text names something private of ours.
    pub(crate) fn names_ours(&self, text: &str) -> bool {
        self.private().any(|(_, id)| text.contains(id))
    }

    /// The same text about another thing of the same kind, which does not exist.
    pub(crate) fn instead(text: &str, id: &str) -> Option<String> {
        let (kind, _) = id.split_once('_')?;
        text.contains(id)
            .then(|| text.replace(id, &format!("{kind}_{MADE_UP}")))
    }

    /// The same arguments about things of ours that do not exist.
    pub(crate) fn absent(&self, args: &Value) -> Value {
        let ours = self
            .private()
            .filter_map(|(_, id)| id.split_once('_').map(|(kind, _)| (id, kind)));
        let text = ours.fold(args.to_string(), |text, (id, kind)| {
            text.replace(id, &format!("{kind}_{MADE_UP}"))
        });
        serde_json::from_str(&text).unwrap()
    }

    async fn whoami(&self, token: &str) -> Value {
        self.realm.get(token, "/api/whoami").await.1
    }

    async fn column(&mut self, name: &'static str, token: &str, acts_as: Option<&'static str>) {
        let who = self.principal(name, token, acts_as).await;
        self.who.push(who);
    }

    async fn principal(
        &self,
        name: &'static str,
        token: &str,
        acts_as: Option<&'static str>,
    ) -> Who {
        let who = self.whoami(token).await;
        let principal = &who["principal"];
        let id = principal["id"].as_str().unwrap_or_default();
        let principal = match principal["kind"].as_str().unwrap() {
            "person" => Principal::Person(id.parse().unwrap()),
            "agent" => Principal::Agent(id.parse().unwrap()),
            "service" => Principal::Service(id.parse().unwrap()),
            _ => Principal::Operator,
        };
        let auth = Auth::Token(who["auth"]["token"].as_str().unwrap().parse().unwrap());
        let token = Some(token.to_owned());
        Who {
            name,
            token,
            principal,
            auth,
            acts_as,
        }
    }

    /// A token of our agent for each right, and for no other.
    async fn tokens(&mut self, by: &Builders) {
        for right in Right::ALL {
            let args = json!({ "subject": { "agent": OURS }, "may": [right] });
            let issued = self.realm.ok(&by.admin, "token.issue", args).await;
            let who = self.principal(right.name(), &secret(&issued), None).await;
            self.scoped.push(who);
        }
    }

    async fn person(&mut self, by: &Builders, role: &'static str) -> String {
        let args = json!({ "owner": self.id("owner"), "name": role, "role": role });
        let added = self.realm.ok(&by.admin, "person.add", args).await;
        self.note(role, id(&added, "person"));
        secret(&added)
    }

    async fn people(&mut self, by: &Builders) {
        let me = self.whoami(&by.admin).await;
        self.note("owner", me["owner"].as_str().unwrap().into());
        self.note("person", me["principal"]["id"].as_str().unwrap().into());
        let me = self.whoami(&by.ours).await;
        self.note("agent", me["principal"]["id"].as_str().unwrap().into());
        let them = self.whoami(&by.their_admin).await;
        self.note("theirs.owner", them["owner"].as_str().unwrap().into());
        self.note("handle", OURS.into());
        let (approver, viewer) = (
            self.person(by, "approver").await,
            self.person(by, "viewer").await,
        );
        let service = json!({ "name": "bank", "grants": ["payments", "metering"] });
        let service = self.realm.ok(&by.operator, "service.create", service).await;
        self.note("service", id(&service, "svc"));
        let invited = json!({ "label": "for a friend" });
        let invited = self
            .realm
            .ok(&by.operator, "invitation.create", invited)
            .await;
        self.note("invitation", id(&invited, "tok"));
        let spare = json!({ "subject": { "agent": OURS } });
        let spare = self.realm.ok(&by.admin, "token.issue", spare).await;
        self.note("token", id(&spare, "tok"));

        self.who.push(Who {
            name: "nobody",
            token: None,
            principal: Principal::Public,
            auth: Auth::None,
            acts_as: None,
        });
        self.column("operator", &by.operator, Some(OURS)).await;
        self.column("our admin", &by.admin, Some(OURS)).await;
        self.column("our approver", &approver, Some(OURS)).await;
        self.column("our viewer", &viewer, Some(OURS)).await;
        self.column("our agent", &by.ours, None).await;
        self.column("our other agent", &by.other, None).await;
        self.column("their admin", &by.their_admin, Some(THEIRS))
            .await;
        self.column("their agent", &by.theirs, None).await;
        self.column("stranger's admin", &by.third_admin, Some("@third-agent"))
            .await;
        self.column("stranger", &by.third, None).await;
        self.column("service", &secret(&service), Some(OURS)).await;
        self.tokens(by).await;
        self.idle(by).await;
        self.stopped(by).await;
    }

    /// Everybody who can be stopped, stopped.
    async fn stopped(&mut self, by: &Builders) {
        let person = self.person(by, "admin").await;
        self.column("suspended person", &person, Some(OURS)).await;
        let subject = json!({ "subject": { "person": self.id("admin") } });
        self.realm.ok(&by.admin, "identity.suspend", subject).await;
        let (admin, agent) = self.realm.owner("fourth").await;
        let owner = self.whoami(&admin).await["owner"].clone();
        self.column("of a suspended owner", &admin, Some("@fourth-agent"))
            .await;
        self.column("its agent", &agent, None).await;
        let subject = json!({ "subject": { "owner": owner } });
        let r = &self.realm;
        r.ok(&by.operator, "identity.suspend", subject).await;
        let (admin, agent) = self.realm.owner("stopping").await;
        self.column("of stopped agents", &agent, None).await;
        let stop = json!({ "stop": true });
        self.realm.ok(&admin, "owner.stop", stop).await;
        let args = json!({ "name": "bank-0", "grants": ["payments"] });
        let service = self.realm.ok(&by.operator, "service.create", args).await;
        self.column("suspended service", &secret(&service), Some(OURS))
            .await;
        let subject = json!({ "subject": { "service": id(&service, "svc") } });
        let r = &self.realm;
        r.ok(&by.operator, "identity.suspend", subject).await;
        let args = json!({ "handle": "ours-closed" });
        let agent = self.realm.ok(&by.admin, "agent.register", args).await;
        self.column("closed", &secret(&agent), None).await;
        let args = json!({ "agent": "@ours-closed" });
        self.realm.ok(&by.admin, "agent.close", args).await;
        self.ids.remove("admin");
    }

    /// An agent that is suspended, and one whose token was revoked.
    async fn idle(&mut self, by: &Builders) {
        for (name, handle) in [("suspended", "ours-asleep"), ("revoked", "ours-gone")] {
            let args = json!({ "handle": handle });
            let agent = self.realm.ok(&by.admin, "agent.register", args).await;
            self.column(name, &secret(&agent), None).await;
            let (op, args) = if name == "revoked" {
                ("token.revoke", json!({ "token": id(&agent, "tok") }))
            } else {
                let subject = json!({ "agent": format!("@{handle}") });
                ("identity.suspend", json!({ "subject": subject }))
            };
            self.realm.ok(&by.admin, op, args).await;
        }
    }

    async fn mail_and_work(&mut self, by: &Builders) {
        for (token, agent) in [(&by.ours, OURS), (&by.theirs, THEIRS)] {
            let contact = if agent == OURS { "request" } else { "open" };
            let args = json!({ "agent": agent, "profile": { "contact": contact } });
            self.realm.ok(token, "agent.set_profile", args).await;
        }
        let r = &self.realm;
        let args = json!({ "to": { "agent": THEIRS }, "body": "a private word" });
        let sent = r.ok(&by.ours, "mail.send", args).await;
        let args = json!({ "to": { "conversation": id(&sent, "conv") }, "body": "an answer" });
        r.ok(&by.theirs, "mail.send", args).await;
        let args = json!({ "handle": "third-second" });
        let second = r.ok(&by.third_admin, "agent.register", args).await;
        let args = json!({ "to": { "agent": OURS }, "body": "may I" });
        r.ok(&secret(&second), "mail.send", args).await;
        let args = json!({ "title": "a private group", "members": [THEIRS] });
        let group = r.ok(&by.ours, "mail.open_group", args).await;
        let (_, inbox) = r.get(&by.theirs, "/api/inbox").await;
        let texts = inbox["deliveries"][0]["texts"].as_object().unwrap();
        let content = texts.keys().next().unwrap().clone();
        let args = json!({ "worker": THEIRS, "body": "do this" });
        let task = r.ok(&by.ours, "task.create", args).await;
        let args = json!({ "worker": OURS, "body": "do that" });
        let errand = r.ok(&by.theirs, "task.create", args).await;
        let team = r
            .ok(&by.admin, "team.create", json!({ "name": "ours" }))
            .await;
        let team = id(&team, "team");
        for (token, agent, role) in [
            (&by.ours, OURS, "lead"),
            (&by.other, "@ours-other", "member"),
        ] {
            let args = json!({ "team": team, "agent": agent, "role": role });
            r.ok(&by.admin, "team.invite", args).await;
            if agent == OURS {
                let args = json!({ "team": team, "join": true });
                r.ok(token, "team.join", args).await;
            }
        }
        let shares = json!([{ "agent": self.id("agent"), "ppm": 1_000_000 }]);
        let args = json!({ "team": team, "shares": shares });
        r.ok(&by.ours, "team.propose_split", args).await;
        self.note("conversation", id(&sent, "conv"));
        self.note("message", id(&sent, "msg"));
        self.note("content", content);
        self.note("group", id(&group, "conv"));
        self.note("task", id(&task, "task"));
        self.note("errand", id(&errand, "task"));
        self.note("team", team);
    }

    async fn deal(&self, seller: (&str, &str), buyer: (&str, &str)) -> String {
        let r = &self.realm;
        let args =
            json!({ "with": seller.1, "side": "buy", "valid_for_ms": 60_000, "terms": terms("3") });
        let opened = r.ok(buyer.0, "negotiation.open", args).await;
        let args = json!({ "negotiation": id(&opened, "neg"), "offer": opened["offer"] });
        id(&r.ok(seller.0, "negotiation.accept", args).await, "deal")
    }

    async fn market(&mut self, by: &Builders) {
        let r = &self.realm;
        for to in [OURS, THEIRS] {
            let args = json!({ "to": to, "amount": "1000" });
            r.ok(&by.operator, "ledger.issue", args).await;
        }
        let stall = json!({ "title": "Tacos", "items": [{ "name": "Taco", "price": "3" }] });
        let listing = r
            .ok(&by.ours, "listing.publish", json!({ "terms": stall }))
            .await;
        let args = json!({ "body": "tacos wanted", "invite": [THEIRS], "open_for_ms": 60_000 });
        let call = r.ok(&by.ours, "call.open", args).await;
        let args =
            json!({ "with": OURS, "side": "buy", "valid_for_ms": 60_000, "terms": terms("4") });
        let opened = r.ok(&by.theirs, "negotiation.open", args).await;
        let (ours, theirs) = ((by.ours.as_str(), OURS), (by.theirs.as_str(), THEIRS));
        let selling = self.deal(ours, theirs).await;
        let buying = self.deal(theirs, ours).await;
        let disputed = self.deal(theirs, ours).await;
        for deal in [&buying, &disputed] {
            let args = json!({ "deal": deal, "body": "one taco" });
            r.ok(&by.theirs, "deal.deliver", args).await;
        }
        let args = json!({ "deal": disputed, "reason": "cold" });
        r.ok(&by.ours, "deal.dispute", args).await;
        self.note("listing", id(&listing, "list"));
        self.note("call", id(&call, "call"));
        self.note("negotiation", id(&opened, "neg"));
        self.note("offer", opened["offer"].as_str().unwrap().to_owned());
        self.note("deal we sell", selling);
        self.note("deal we buy", buying);
        self.note("deal in dispute", disputed);
    }

    /// One of each plain noun that people make themselves.
    async fn nouns(&mut self, by: &Builders) {
        let deployed = json!({ "terms": rows::deployment() });
        let deployed = self
            .realm
            .ok(&by.admin, "deployment.create", deployed)
            .await;
        self.note("deployment", id(&deployed, "deployment"));
        for noun in noun::all() {
            let Some(act) = noun.acts.iter().find(|act| act.on.is_none()) else {
                continue;
            };
            let args = rows::arguments(self, noun, act);
            let made = self.realm.ok(&by.ours, act.op, args).await;
            self.note(noun.name, id(&made, noun.name));
        }
    }

    async fn money(&mut self, by: &Builders) {
        let r = &self.realm;
        let to = json!({ "from": OURS, "to": THEIRS, "amount": "5" });
        let args = json!({ "transfers": [{ "post": to }] });
        let paid = r.ok(&by.ours, "ledger.transfer", args).await;
        let hold = json!({ "from": OURS, "to": THEIRS, "amount": "5", "expires_in_ms": 60_000 });
        let args = json!({ "transfers": [{ "hold": hold }] });
        let held = r.ok(&by.ours, "ledger.transfer", args).await;
        let args = json!({ "from": OURS, "amount": "5", "reference": "w-1" });
        let leaving = r.ok(&by.ours, "ledger.withdraw", args).await;
        let (_, accounts) = r.get(&by.ours, "/api/ledger/accounts").await;
        let account = accounts["items"][0]["id"].as_str();
        let account = account.unwrap_or_else(|| panic!("{accounts}")).to_owned();
        let args =
            json!({ "node": { "agent": OURS }, "approval_above": "50", "period_ms": 60_000 });
        r.ok(&by.admin, "policy.set_allowance", args).await;
        let much = json!({ "from": OURS, "to": THEIRS, "amount": "60" });
        let args = json!({ "transfers": [{ "post": much }] });
        let waiting = r.ok(&by.ours, "ledger.transfer", args).await;
        let (_, accounts) = r.get(&by.theirs, "/api/ledger/accounts").await;
        let theirs = accounts["items"][0]["id"].as_str().unwrap().to_owned();
        let args = json!({ "holder": OURS, "label": "spare" });
        let spare = r.ok(&by.ours, "ledger.open_account", args).await;
        self.note("spare", id(&spare, "acct"));
        self.note("entry", id(&paid, "xfer"));
        self.note("hold", id(&held, "hold"));
        self.note("withdrawal", id(&leaving, "hold"));
        self.note("obligation", id(&leaving, "obligation"));
        self.note("account", account);
        self.note("approval", id(&waiting, "appr"));
        self.note("theirs.account", theirs);
    }

    /// A community of ours, a post of ours in it that they report, and one of theirs that we hide.
    async fn square(&mut self, by: &Builders) {
        let r = &self.realm;
        let args = json!({ "name": "tasters", "rules": "be kind" });
        let community = id(&r.ok(&by.ours, "community.create", args).await, "comm");
        let args = json!({ "body": "terrace open", "community": community });
        let post = id(&r.ok(&by.ours, "social.post", args).await, "post");
        let args = json!({ "community": community, "join": true });
        r.ok(&by.theirs, "community.join", args).await;
        let args = json!({ "body": "cheap gold", "community": community });
        let spam = id(&r.ok(&by.theirs, "social.post", args).await, "post");
        let args = json!({ "target": { "post": post }, "ground": "spam" });
        let report = id(&r.ok(&by.theirs, "social.report", args).await, "report");
        let args = json!({ "target": { "post": spam }, "step": "hide", "reason": "spam" });
        let measure = id(&r.ok(&by.ours, "moderation.act", args).await, "meas");
        let args = json!({ "measure": measure, "statement": "it is real gold" });
        r.ok(&by.theirs, "moderation.appeal", args).await;
        let args = json!({ "body": "cheaper gold", "community": community });
        let more = id(&r.ok(&by.theirs, "social.post", args).await, "post");
        let args =
            json!({ "target": { "post": more }, "step": { "label": "spam" }, "reason": "spam" });
        let label = id(&r.ok(&by.ours, "moderation.act", args).await, "meas");
        let args = json!({ "name": "cooks", "rules": "be kind", "entry": "request" });
        let closed = id(&r.ok(&by.ours, "community.create", args).await, "comm");
        let args = json!({ "community": closed, "join": true });
        r.ok(&by.theirs, "community.join", args).await;
        self.note("community", community);
        self.note("theirs.label", label);
        self.note("theirs.door", closed);
        self.note("post", post);
        self.note("theirs.post", spam);
        self.note("report", report);
        self.note("measure", measure);
    }

    /// What a command would come to now. Nothing is applied.
    pub(crate) async fn judged(
        &self,
        who: &Who,
        op: &str,
        args: &Value,
        acting: Option<&str>,
    ) -> Result<(), Rejection> {
        let mut command = ask(who.principal, op, args).command;
        let request = Request {
            principal: who.principal,
            auth: who.auth,
            acting: acting.map(|name| name.parse().unwrap()),
            key: None,
            cause: None,
        };
        let judged = self.realm.node.read(move |state| {
            let key = Hash::of(&[b"a fresh key"]);
            // Only a machine's clock that is behind lets the realm's be set back.
            let behind = match command {
                Command::Realm(RealmCommand::SetClockBack(_)) => AHEAD_MS / 2,
                _ => 0,
            };
            let stamp = Stamp {
                now: Time(state.now().0 - behind),
                steady_ms: state.steady_ms().unwrap_or(0),
                began_ms: 0,
                entropy: [9; 32],
                custody: Some((key, key.short())),
            };
            if let Command::Ledger(LedgerCommand::Correct(args)) = &mut command {
                args.entry = moved(state, args.to.as_ref(), args.from.as_ref());
            }
            decide(state, &request, &command, &stamp).map(|_| ())
        });
        judged.await.unwrap().1
    }

    /// The same as a word: `ok`, or the code.
    pub(crate) async fn decided(
        &self,
        who: &Who,
        op: &str,
        args: &Value,
        acting: Option<&str>,
    ) -> String {
        let judged = self.judged(who, op, args, acting).await;
        judged.map_or_else(|why| why.code.to_string(), |()| "ok".into())
    }

    /// The status and the body of a request; of a stream only the status.
    pub(crate) async fn asked(
        &self,
        who: &Who,
        method: &str,
        path: &str,
        acting: Option<&str>,
        body: &Value,
    ) -> (u16, Value) {
        let bearer = who.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers = Vec::new();
        if let Some(bearer) = &bearer {
            headers.push(("authorization", bearer.as_str()));
        }
        if let Some(agent) = acting {
            headers.push(("rialto-agent", agent));
        }
        let bytes = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let method: Method = method.to_uppercase().parse().unwrap();
        if path.ends_with("/stream") {
            let status = self.realm.status(method, path, &headers).await;
            return (status.as_u16(), Value::Null);
        }
        let (status, said) = self.realm.send(method, path, &headers, bytes).await;
        (status.as_u16(), said)
    }
}

/// An entry that moved enough from one agent's account to another's, as the door finds it in the views.
fn moved(state: &State, from: Option<&AccountRef>, to: Option<&AccountRef>) -> Option<Moved> {
    let asset = state.realm.get(&())?.asset?;
    let account = |name: Option<&AccountRef>| match name {
        Some(AccountRef::Agent(name)) => {
            let agent = resolve_agent(state, name).ok()?;
            state.main_account(Holder::Agent(agent), asset)
        }
        _ => None,
    };
    Some(Moved {
        from: account(from)?,
        to: account(to)?,
        asset,
        amount: Amount(5_000_000_000),
        corrected: Amount::ZERO,
    })
}
