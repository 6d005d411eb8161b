//! The rows of the matrix: every operation and every read, aimed at what is ours.

use rialto_core::hash::Hash;
use rialto_core::noun::{self, Act, Field, Kind, Noun};
use serde_json::{Value, json};

use super::world::World;

/// Operations with what they are aimed at and their arguments.
pub(super) fn commands(world: &World) -> Vec<(&'static str, &'static str, Value)> {
    let mut rows = realm(world);
    rows.extend(identity(world));
    rows.extend(mail_and_work(world));
    rows.extend(money(world));
    rows.extend(market(world));
    rows.extend(square(world));
    rows.extend(nouns(world));
    rows
}

/// What is done to plain nouns, of which the world has one each.
fn nouns(w: &World) -> Rows {
    let acts = noun::all().flat_map(|noun| noun.acts.iter().map(move |act| (noun, act)));
    acts.map(|(noun, act)| {
        let aim = act.on.map_or("", |_| "ours");
        (act.op, aim, arguments(w, noun, act))
    })
    .collect()
}

/// The arguments that an act of a plain noun needs, done to the one that the world has.
pub(super) fn arguments(w: &World, noun: &Noun, act: &Act) -> Value {
    let on = act.on.map(|on| (on, w.id(noun.name).into()));
    let fields = act.fields.iter().filter(|field| field.required);
    let value = |field: &Field| match noun::with_prefix(field.name) {
        Some(noun) => w.id(noun.name).into(),
        None => sample(w, field.kind),
    };
    let fields = fields.map(|field| (field.name, value(field)));
    let all = on.into_iter().chain(fields);
    Value::Object(all.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A value of a kind, as a command takes it.
fn sample(w: &World, kind: Kind) -> Value {
    match kind {
        Kind::Id | Kind::Agent => w.id("agent").into(),
        Kind::Owner => w.id("owner").into(),
        Kind::Text | Kind::Word => "a text".into(),
        Kind::State(states) => states.first().copied().into(),
        Kind::Number | Kind::Time => 1.into(),
        Kind::Amount => "1".into(),
    }
}

/// The terms of a deployment for the agents of its owner.
pub(super) fn deployment() -> Value {
    let price = json!({ "input": "1", "output": "1" });
    json!({
        "model": "fast", "provider": "house", "upstream": "fast-1",
        "prices": { "per_million": price }
    })
}

type Rows = Vec<(&'static str, &'static str, Value)>;

fn realm(w: &World) -> Rows {
    let key = Hash::of(&[b"another key"]);
    let settings = json!({
        "agents_per_owner": 9, "messages_per_minute": 9, "offers_per_minute": 9,
        "sign_up_open": true, "sign_ups_per_hour": 9
    });
    let limit = |node: Value| json!({ "node": node, "per_deal": "7", "period_ms": 60_000 });
    vec![
        ("clock.tick", "", json!({})),
        (
            "token.end_leaked",
            "",
            json!({ "token": "tok_000000000000" }),
        ),
        (
            "obligation.notice",
            "",
            json!({ "owners": [w.id("owner")], "operator": true, "position": 1 }),
        ),
        (
            "obligation.done",
            "our obligation",
            json!({ "obligation": w.id("obligation") }),
        ),
        ("clock.accept", "", json!({})),
        ("clock.set_back", "", json!({})),
        ("realm.found", "", json!({ "name": "again", "key": key })),
        ("realm.reset_operator_token", "", json!({})),
        ("realm.rotate_key", "", json!({ "key": key })),
        (
            "realm.erase",
            "our content",
            json!({ "contents": [w.id("content")] }),
        ),
        (
            "service.create",
            "",
            json!({ "name": "bank-2", "grants": [] }),
        ),
        ("invitation.create", "", json!({ "uses": 2 })),
        (
            "invitation.end",
            "an invitation",
            json!({ "invitation": w.id("invitation") }),
        ),
        (
            "deployment.create",
            "for our owner",
            json!({ "owner": w.id("owner"), "terms": deployment() }),
        ),
        (
            "deployment.change",
            "ours",
            json!({ "deployment": w.id("deployment"), "terms": deployment() }),
        ),
        (
            "ledger.create_asset",
            "",
            json!({ "code": "EUR", "scale": 2 }),
        ),
        ("policy.set_settings", "", settings),
        ("policy.set_allowance", "the realm", limit(json!("realm"))),
        (
            "policy.set_allowance",
            "our owner",
            limit(json!({ "owner": w.id("owner") })),
        ),
        (
            "policy.set_allowance",
            "our team",
            limit(json!({ "team": w.id("team") })),
        ),
        (
            "policy.set_allowance",
            "our agent",
            limit(json!({ "agent": w.id("handle") })),
        ),
        (
            "policy.set_block",
            "by our owner",
            json!({ "party": { "owner": w.id("theirs.owner") }, "by": { "owner": w.id("owner") }, "block": true }),
        ),
        (
            "policy.set_block",
            "by our agent",
            json!({ "party": { "owner": w.id("theirs.owner") }, "by": { "agent": w.id("handle") }, "block": true }),
        ),
        (
            "policy.answer_approval",
            "our approval",
            json!({ "approval": w.id("approval"), "approve": true }),
        ),
    ]
}

fn identity(w: &World) -> Rows {
    let subjects = [
        ("our owner", json!({ "owner": w.id("owner") })),
        ("our person", json!({ "person": w.id("viewer") })),
        ("our agent", json!({ "agent": w.id("handle") })),
        ("the service", json!({ "service": w.id("service") })),
    ];
    let mut rows = vec![
        (
            "owner.sign_up",
            "",
            json!({ "name": "fifth", "kind": "person" }),
        ),
        (
            "person.add",
            "our owner",
            json!({ "owner": w.id("owner"), "name": "eve", "role": "viewer" }),
        ),
        (
            "person.set_role",
            "our viewer",
            json!({ "person": w.id("viewer"), "role": "admin" }),
        ),
        (
            "agent.register",
            "our owner",
            json!({ "handle": "fresh", "owner": w.id("owner") }),
        ),
        (
            "agent.set_profile",
            "our agent",
            json!({ "agent": w.id("handle"), "profile": {} }),
        ),
        (
            "agent.move",
            "our agent",
            json!({ "agent": w.id("handle"), "team": w.id("team") }),
        ),
        (
            "agent.rotate_key",
            "our agent",
            json!({ "agent": w.id("handle") }),
        ),
        (
            "token.rotate",
            "our agent's token",
            json!({ "token": w.id("token") }),
        ),
        (
            "token.revoke",
            "our agent's token",
            json!({ "token": w.id("token") }),
        ),
    ];
    rows.push((
        "owner.stop",
        "our owner",
        json!({ "owner": w.id("owner"), "stop": true }),
    ));
    for (name, subject) in subjects {
        let args = json!({ "subject": subject });
        if name != "our owner" {
            rows.push(("token.issue", name, args.clone()));
        }
        rows.push(("identity.suspend", name, args.clone()));
        rows.push(("identity.resume", name, args));
    }
    rows
}

fn mail_and_work(w: &World) -> Rows {
    let shares = json!([{ "agent": w.id("agent"), "ppm": 1_000_000 }]);
    let (conversation, group) = (w.id("conversation"), w.id("group"));
    let (task, errand, team) = (w.id("task"), w.id("errand"), w.id("team"));
    vec![
        (
            "mail.send",
            "our agent",
            json!({ "to": { "agent": w.id("handle") }, "body": "hello" }),
        ),
        (
            "mail.send",
            "our conversation",
            json!({ "to": { "conversation": conversation }, "body": "hello" }),
        ),
        (
            "mail.open_group",
            "our agent",
            json!({ "title": "all", "members": [w.id("handle")] }),
        ),
        (
            "mail.change_group",
            "our group",
            json!({ "conversation": group, "remove": ["@theirs-agent"] }),
        ),
        (
            "mail.answer_request",
            "who asked our agent",
            json!({ "agent": "@third-second", "admit": true }),
        ),
        ("mail.acknowledge", "one's own", json!({ "through": 1 })),
        (
            "task.create",
            "our agent",
            json!({ "worker": w.id("handle"), "body": "work" }),
        ),
        (
            "task.create",
            "in our team",
            json!({ "worker": "@theirs-agent", "team": team, "body": "work" }),
        ),
        (
            "task.create",
            "as a part of our agent's work",
            json!({ "worker": "@theirs-agent", "parent": errand, "body": "work" }),
        ),
        (
            "task.update",
            "our agent's work",
            json!({ "task": errand, "state": "working" }),
        ),
        (
            "task.add_artifact",
            "our agent's work",
            json!({ "task": errand, "name": "a", "body": "made" }),
        ),
        (
            "task.cancel",
            "what our agent asked for",
            json!({ "task": task }),
        ),
        (
            "team.create",
            "our owner",
            json!({ "name": "second", "owner": w.id("owner") }),
        ),
        (
            "team.invite",
            "our team",
            json!({ "team": team, "agent": "@ours-gone", "role": "member" }),
        ),
        (
            "team.join",
            "our team",
            json!({ "team": team, "join": true }),
        ),
        (
            "team.remove",
            "our team",
            json!({ "team": team, "agent": "@ours-other" }),
        ),
        (
            "team.propose_split",
            "our team",
            json!({ "team": team, "shares": shares }),
        ),
        (
            "team.agree_split",
            "our team",
            json!({ "team": team, "shares": shares }),
        ),
    ]
}

fn money(w: &World) -> Rows {
    let (ours, hold) = (w.id("handle"), w.id("hold"));
    let transfer = |spec: Value| json!({ "transfers": [spec] });
    let out = json!({ "from": ours, "to": "@theirs-agent", "amount": "1" });
    let from_account =
        json!({ "from": w.id("account"), "to": w.id("theirs.account"), "amount": "1" });
    let mut set_aside = out.clone();
    set_aside["expires_in_ms"] = json!(60_000);
    vec![
        (
            "ledger.open_account",
            "our owner",
            json!({ "holder": w.id("owner"), "label": "second" }),
        ),
        (
            "ledger.open_account",
            "our team",
            json!({ "holder": w.id("team") }),
        ),
        (
            "ledger.open_account",
            "our agent",
            json!({ "holder": ours, "label": "second" }),
        ),
        (
            "ledger.close_account",
            "our agent's",
            json!({ "account": w.id("spare") }),
        ),
        (
            "ledger.issue",
            "to our agent",
            json!({ "to": ours, "amount": "1" }),
        ),
        (
            "ledger.deposit",
            "to our agent",
            json!({ "to": ours, "amount": "1", "reference": "d-1" }),
        ),
        (
            "ledger.withdraw",
            "from our agent",
            json!({ "from": ours, "amount": "1", "reference": "w-2" }),
        ),
        (
            "ledger.withdraw",
            "from our account",
            json!({ "from": w.id("account"), "amount": "1", "reference": "w-3" }),
        ),
        (
            "obligation.failed",
            "our obligation",
            json!({ "obligation": w.id("obligation"), "why": "the bank is closed" }),
        ),
        (
            "inference.settle",
            "our call of a model",
            json!({ "calls": [{ "inference": w.id("inference"), "end": "failed" }] }),
        ),
        (
            "ledger.end_withdrawal",
            "our withdrawal",
            json!({ "hold": w.id("withdrawal"), "paid": true }),
        ),
        (
            "ledger.transfer",
            "from our agent",
            transfer(json!({ "post": out })),
        ),
        (
            "ledger.transfer",
            "from our account",
            transfer(json!({ "post": from_account })),
        ),
        (
            "ledger.transfer",
            "holds of our agent's",
            transfer(json!({ "hold": set_aside })),
        ),
        (
            "ledger.transfer",
            "posts our hold",
            transfer(json!({ "post_hold": { "hold": hold } })),
        ),
        (
            "ledger.transfer",
            "voids our hold",
            transfer(json!({ "void_hold": { "hold": hold } })),
        ),
        (
            "ledger.capture",
            "from our hold",
            json!({ "hold": hold, "amount": "0.01" }),
        ),
        (
            "ledger.raise",
            "our hold",
            json!({ "hold": hold, "amount": "0.01" }),
        ),
        (
            "ledger.correct",
            "our entry",
            json!({ "transfer": w.id("entry"), "from": "@theirs-agent", "to": ours, "amount": "1", "reason": "wrong" }),
        ),
    ]
}

fn market(w: &World) -> Rows {
    let terms = json!({ "price": "3", "lines": [{ "item": "Taco" }] });
    let stall = json!({ "title": "Tacos", "items": [{ "name": "Taco", "price": "2" }] });
    let (negotiation, call) = (w.id("negotiation"), w.id("call"));
    let (selling, buying) = (w.id("deal we sell"), w.id("deal we buy"));
    let rule = json!({ "deal": w.id("deal in dispute"), "to_seller": "1", "reason": "so" });
    vec![
        ("listing.publish", "one's own", json!({ "terms": stall })),
        (
            "listing.update",
            "our listing",
            json!({ "listing": w.id("listing"), "terms": stall }),
        ),
        (
            "listing.withdraw",
            "our listing",
            json!({ "listing": w.id("listing") }),
        ),
        (
            "call.open",
            "inviting our agent",
            json!({ "body": "wanted", "invite": [w.id("handle")], "open_for_ms": 60_000 }),
        ),
        (
            "call.propose",
            "our call",
            json!({ "call": call, "terms": terms, "valid_for_ms": 60_000 }),
        ),
        ("call.refuse", "our call", json!({ "call": call })),
        ("call.cancel", "our call", json!({ "call": call })),
        (
            "negotiation.open",
            "with our agent",
            json!({ "with": w.id("handle"), "side": "sell", "terms": terms, "valid_for_ms": 60_000 }),
        ),
        (
            "negotiation.open",
            "paid from our account",
            json!({ "with": "@theirs-agent", "side": "buy", "terms": terms, "pay_from": w.id("account"), "valid_for_ms": 60_000 }),
        ),
        (
            "negotiation.counter",
            "our negotiation",
            json!({ "negotiation": negotiation, "terms": terms, "valid_for_ms": 60_000 }),
        ),
        (
            "negotiation.leave",
            "our negotiation",
            json!({ "negotiation": negotiation }),
        ),
        (
            "negotiation.accept",
            "their offer to us",
            json!({ "negotiation": negotiation, "offer": w.id("offer") }),
        ),
        (
            "deal.deliver",
            "what we sell",
            json!({ "deal": selling, "body": "taco" }),
        ),
        ("deal.refund", "what we sell", json!({ "deal": selling })),
        ("deal.accept", "what we buy", json!({ "deal": buying })),
        (
            "deal.dispute",
            "what we buy",
            json!({ "deal": buying, "reason": "cold" }),
        ),
        ("deal.rule", "our dispute", rule),
    ]
}

fn square(w: &World) -> Rows {
    let (post, community) = (w.id("post"), w.id("community"));
    let (report, measure) = (w.id("report"), w.id("measure"));
    let asks = json!({ "community": community, "join": true });
    vec![
        (
            "social.follow",
            "our agent",
            json!({ "agent": w.id("handle"), "follow": true }),
        ),
        (
            "social.mute",
            "our agent",
            json!({ "agent": w.id("handle"), "mute": true }),
        ),
        (
            "social.mute",
            "our owner",
            json!({ "owner": w.id("owner"), "mute": true }),
        ),
        (
            "social.post",
            "our community",
            json!({ "body": "x", "community": community }),
        ),
        (
            "social.post",
            "under our post",
            json!({ "body": "x", "parent": post }),
        ),
        (
            "social.edit",
            "our post",
            json!({ "post": post, "body": "x" }),
        ),
        ("social.delete", "our post", json!({ "post": post })),
        (
            "social.react",
            "our post",
            json!({ "post": post, "reaction": "agree" }),
        ),
        (
            "social.report",
            "our post",
            json!({ "target": { "post": post }, "ground": "spam" }),
        ),
        (
            "community.create",
            "",
            json!({ "name": "fresh-ones", "rules": "x" }),
        ),
        (
            "community.update",
            "our community",
            json!({ "community": community, "rules": "x" }),
        ),
        ("community.join", "our community", asks),
        (
            "community.answer",
            "their request to join",
            json!({ "community": w.id("theirs.door"), "agent": "@theirs-agent", "admit": true }),
        ),
        (
            "community.appoint",
            "our community",
            json!({ "community": community, "agent": "@theirs-agent", "moderator": true }),
        ),
        (
            "moderation.dismiss",
            "a report of our post",
            json!({ "reports": [report], "reason": "x" }),
        ),
        (
            "moderation.act",
            "our post",
            json!({ "target": { "post": post }, "step": "hide", "reason": "x" }),
        ),
        (
            "moderation.revoke",
            "our measure",
            json!({ "measure": measure, "reason": "x" }),
        ),
        (
            "moderation.appeal",
            "against their post",
            json!({ "measure": w.id("theirs.label"), "statement": "x" }),
        ),
        (
            "moderation.decide_appeal",
            "our measure",
            json!({ "measure": measure, "uphold": true, "reason": "x" }),
        ),
        (
            "agent.close",
            "our agent",
            json!({ "agent": w.id("handle") }),
        ),
    ]
}

/// The addresses that a route of the API description is read at, with what they are aimed at and
/// the body; none when the route is not known here.
pub(super) fn reads(w: &World, path: &str) -> Vec<(String, String, Value)> {
    let kinds: &[&str] = match path {
        "/api/agents/{agent}"
        | "/api/agents/{agent}/listings"
        | "/api/agents/{agent}/posts"
        | "/api/agents/{agent}/replies"
        | "/api/agents/{agent}/mutes"
        | "/api/agents/{agent}/blocks"
        | "/api/agents/{agent}/communities"
        | "/api/agents/{agent}/reactions"
        | "/api/agents/{agent}/following"
        | "/api/agents/{agent}/followers"
        | "/api/agents/{agent}/measures" => &["agent"],
        "/api/agents/{agent}/reputation" => return reputation(w, path),
        "/api/posts/{id}"
        | "/api/posts/{id}/thread"
        | "/api/posts/{id}/history"
        | "/api/posts/{id}/measures"
        | "/api/posts/{id}/reactions" => &["post"],
        "/api/communities/{community}" | "/api/communities/{community}/members" => &["community"],
        "/api/moderation/measures/{id}" => &["measure"],
        "/api/approvals/{id}" => &["approval"],
        "/api/calls/{id}" => &["call"],
        "/api/conversations/{id}" | "/api/conversations/{id}/messages" => {
            &["conversation", "group"]
        }
        "/api/deals/{id}" => &["deal we sell", "deal we buy", "deal in dispute"],
        "/api/ledger/accounts/{id}" | "/api/ledger/accounts/{id}/entries" => {
            &["account", "theirs.account"]
        }
        "/api/ledger/entries/{id}" => &["entry"],
        "/api/ledger/holds/{id}" => &["hold", "withdrawal"],
        "/api/listings/{id}" => &["listing"],
        "/api/messages/{id}" => &["message"],
        "/api/negotiations/{id}" => &["negotiation"],
        "/api/owners/{id}"
        | "/api/owners/{id}/persons"
        | "/api/owners/{id}/allowances"
        | "/api/owners/{id}/blocks"
        | "/api/owners/{id}/export" => &["owner", "theirs.owner"],
        "/api/tasks/{id}" => &["task", "errand"],
        "/api/teams/{id}" => &["team"],
        "/api/inferences/{id}/receipt" => &["inference"],
        "/api/trace/{id}" => return traces(w),
        path => match noun::all().find(|noun| noun.one_path == path) {
            // The world names one of each plain noun as the noun is called.
            Some(noun) => std::slice::from_ref(&noun.name),
            None => &[],
        },
    };
    let places = ["{id}", "{agent}", "{community}"];
    if let Some(place) = places.into_iter().find(|place| path.contains(place)) {
        let at = |kind: &&str| {
            let named = kind.replace("theirs.", "their ");
            (named, path.replace(place, w.id(kind)), Value::Null)
        };
        return kinds.iter().map(at).collect();
    }
    let (address, body) = match path {
        "/api/log/{position}" => ("/api/log/3".to_owned(), Value::Null),
        "/errors/{code}" => ("/errors/RLT0103".to_owned(), Value::Null),
        "/api/messages" => ("/api/messages?text=private".to_owned(), Value::Null),
        "/api/report/accounts/events" => {
            let address = format!("{path}?by=owner&key={}", w.id("owner"));
            (address, Value::Null)
        }
        "/api/approvals" => ("/api/approvals?all=true".to_owned(), Value::Null),
        "/api/feed" => (format!("{path}?feed=ranked"), Value::Null),
        "/api/posts" => ("/api/posts?text=terrace".to_owned(), Value::Null),
        "/api/search/listings" => (path.to_owned(), json!({ "items": ["Taco"] })),
        "/api/commands" => (path.to_owned(), json!({ "commands": [] })),
        path if noun::all().any(|noun| noun.list_path == path) => (path.to_owned(), Value::Null),
        _ if path.contains('{') || !LISTS.contains(&path) => return Vec::new(),
        _ => (path.to_owned(), Value::Null),
    };
    vec![(String::new(), address, body)]
}

/// The routes that are read as they stand.
const LISTS: [&str; 40] = [
    "/api/inferences/receipts",
    "/api/config/reload",
    "/api/invitations",
    "/api/agents",
    "/api/access-key",
    "/api/assets",
    "/api/calls",
    "/api/conversations",
    "/api/deals",
    "/api/digest",
    "/api/inbox",
    "/api/inbox/stream",
    "/api/ledger/accounts",
    "/api/ledger/holds",
    "/api/ledger/trial-balance",
    "/api/ledger/withdrawals",
    "/api/log",
    "/api/negotiations",
    "/api/openapi.json",
    "/api/owners",
    "/api/realm",
    "/api/realm/allowances",
    "/api/report/accounts",
    "/api/services",
    "/api/tasks",
    "/api/teams",
    "/api/tokens",
    "/api/whoami",
    "/healthz",
    "/metrics",
    "/readyz",
    "/api/approvals",
    "/api/messages",
    "/api/commands",
    "/api/feed/stream",
    "/api",
    "/api/",
    "/api/communities",
    "/api/moderation/reports",
    "/api/moderation/measures",
];

/// Our agent's reputation, also as our agent sees it.
fn reputation(w: &World, path: &str) -> Vec<(String, String, Value)> {
    let address = path.replace("{agent}", w.id("agent"));
    let seen = format!("{address}?seen_from={}", w.id("agent"));
    vec![
        ("agent".to_owned(), address, Value::Null),
        ("agent, in its own eyes".to_owned(), seen, Value::Null),
    ]
}

/// Everything of ours that has an id, traced.
fn traces(w: &World) -> Vec<(String, String, Value)> {
    let named = w
        .ids
        .iter()
        .filter(|(name, _)| !name.starts_with("theirs.") && !matches!(**name, "handle" | "offer"));
    named
        .map(|(name, id)| ((*name).to_owned(), format!("/api/trace/{id}"), Value::Null))
        .collect()
}
