//! The stored form of version 1 is frozen: a log written by it replays to the digest it had.
//!
//! `RIALTO_WRITE_GOLDEN=1 cargo test -p rialto-core golden` writes the file anew, which is right only
//! before a version is released.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rialto_core::event::Envelope;
use rialto_core::state::State;

use crate::spec::{World, digest, replay};

/// The digest that the golden log replays to: the wrapping sum of the hashes of all entities.
const DIGEST: &str = "ba01db28857e26c6d3861a594d2d4f626ece4ae7261c98919b9058ba9ede407b";

/// Everything that can happen, once at least.
const SCRIPT: &str = r#"
    operator realm.rotate_key {"key": "$key"} => ok
    owner ann
    owner bob
    ann person.add {"owner": "$ann", "name": "eve", "role": "viewer"} => ok $eve
    ann person.set_role {"person": "$eve", "role": "approver"} => ok
    operator identity.suspend {"subject": {"person": "$eve"}} => ok
    operator identity.resume {"subject": {"person": "$eve"}} => ok
    operator identity.suspend {"subject": {"owner": "$bob"}} => ok
    operator identity.resume {"subject": {"owner": "$bob"}} => ok
    operator service.create {"name": "pay", "grants": ["payments"]} => ok
    operator identity.suspend {"subject": {"service": "$pay"}} => ok
    operator identity.resume {"subject": {"service": "$pay"}} => ok
    agent ann @buyer
    agent ann @quiet request
    agent bob @seller
    agent bob @second
    ann agent.set_profile {"agent": "@buyer", "profile": {"description": "buys", "skills": ["buying"], "tags": ["a"], "prices": [{"item": "hour", "price": "1.50", "asset": "USD"}], "endpoint": "https://example.org/a2a", "contact": "open"}} => ok
    ann identity.suspend {"subject": {"agent": "@buyer"}} => ok
    ann identity.resume {"subject": {"agent": "@buyer"}} => ok
    @buyer agent.rotate_key {"agent": "@buyer"} => ok
    ann token.issue {"subject": {"agent": "@buyer"}, "label": "laptop", "expires_in_ms": 600000} => ok $tok
    ann token.issue {"subject": {"agent": "@buyer"}} => ok $tok2
    ann token.revoke {"token": "$tok2"} => ok
    fund @buyer 1000
    pay ledger.deposit {"to": "@seller", "amount": "20", "reference": "bank-1"} => ok
    @seller ledger.withdraw {"from": "@seller", "amount": "5", "reference": "iban"} => ok $w
    pay ledger.end_withdrawal {"hold": "$w", "paid": true} => ok
    @buyer ledger.open_account {"holder": "@buyer", "label": "savings"} => ok $savings
    @buyer key=k1 ledger.transfer {"transfers": [{"post": {"from": "@buyer", "to": "$savings", "amount": "10"}}, {"hold": {"from": "@buyer", "to": "@seller", "amount": "3", "expires_in_ms": 600000}}], "memo": "for later"} => ok $x
    operator ledger.correct {"transfer": "$x", "from": "$savings", "to": "@buyer", "amount": "1", "reason": "oops"} => ok
    @buyer mail.send {"to": {"agent": "@seller"}, "body": "hello", "client_id": "m1"} => ok $m $c
    @seller mail.send {"to": {"agent": "@quiet"}, "body": "a stranger"} => ok
    @quiet mail.answer_request {"agent": "@seller", "admit": true} => ok
    @buyer mail.open_group {"title": "plans", "members": ["@seller", "@quiet"]} => ok $g
    @buyer mail.change_group {"conversation": "$g", "add": ["@second"], "remove": ["@quiet"]} => ok
    @second mail.send {"to": {"conversation": "$g"}, "body": "hi all", "reply_to": "$m"} => ok
    @seller mail.acknowledge {"through": 1} => ok
    operator realm.erase {"contents": ["cont_000000000000"]} => ok
    ann task.create {"worker": "@buyer", "body": "a goal"} => ok $goal
    @buyer task.update {"task": "$goal", "state": "working", "note": "on it"} => ok
    @buyer task.add_artifact {"task": "$goal", "name": "plan", "body": "..."} => ok
    @buyer task.create {"worker": "@quiet", "body": "a part", "parent": "$goal"} => ok $part
    @buyer task.cancel {"task": "$part", "reason": "no need"} => ok
    @seller team.create {"name": "crew"} => ok $team
    bob agent.move {"agent": "@second", "team": "$team"} => ok
    @seller team.invite {"team": "$team", "agent": "@second", "role": "spender"} => ok
    @second team.join {"team": "$team", "join": true} => ok
    @seller team.invite {"team": "$team", "agent": "@quiet", "role": "member"} => ok
    @quiet team.join {"team": "$team", "join": false} => ok
    @seller team.propose_split {"team": "$team", "shares": [{"agent": "$seller", "ppm": 600000}, {"agent": "$second", "ppm": 400000}]} => ok
    @seller team.agree_split {"team": "$team", "shares": [{"agent": "$seller", "ppm": 600000}, {"agent": "$second", "ppm": 400000}]} => ok
    @second team.agree_split {"team": "$team", "shares": [{"agent": "$seller", "ppm": 600000}, {"agent": "$second", "ppm": 400000}]} => ok
    @seller listing.publish {"terms": {"title": "tacos", "description": "the best", "items": [{"name": "taco", "price": "2.5"}], "attributes": [{"name": "outdoor", "value": {"flag": true}}, {"name": "seats", "value": {"number": 4}}, {"name": "style", "value": {"text": "plain"}}], "tags": ["food"]}} => ok $list
    @seller listing.update {"listing": "$list", "terms": {"title": "more tacos"}} => ok
    @second listing.publish {"terms": {"title": "soup"}} => ok $list2
    @second listing.withdraw {"listing": "$list2"} => ok
    @buyer call.open {"body": "dinner", "wanted": [{"item": "taco", "quantity": 3}], "attributes": [{"name": "outdoor", "value": {"flag": true}}], "invite": ["@seller", "@second"], "open_for_ms": 600000, "task": "$goal"} => ok $call
    @seller call.propose {"call": "$call", "terms": {"price": "8", "lines": [{"item": "taco", "quantity": 3}], "issues": [{"name": "hour", "value": {"number": 20}}], "payee_team": "$team", "arbiter": {"agent": "@quiet"}}, "valid_for_ms": 600000, "note": "fresh"} => ok $n
    @second call.refuse {"call": "$call"} => ok
    @buyer negotiation.counter {"negotiation": "$n", "terms": {"price": "7", "payee_team": "$team", "arbiter": {"agent": "@quiet"}}, "valid_for_ms": 600000} => ok
    @seller negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $deal
    @seller deal.deliver {"deal": "$deal", "body": "tacos"} => ok
    @buyer deal.dispute {"deal": "$deal", "reason": "cold"} => ok
    @quiet deal.rule {"deal": "$deal", "to_seller": "5", "reason": "lukewarm"} => ok
    @buyer call.open {"body": "lunch", "invite": ["@seller"], "open_for_ms": 600000} => ok $call
    @buyer call.cancel {"call": "$call"} => ok
    @second negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "4"}, "valid_for_ms": 600000} => ok $n
    @buyer negotiation.leave {"negotiation": "$n"} => ok
    @second negotiation.open {"with": "@buyer", "side": "sell", "terms": {"price": "4"}, "valid_for_ms": 600000} => ok $n
    ann policy.set_allowance {"node": {"agent": "@buyer"}, "per_deal": "100", "per_period": "500", "approval_above": "2"} => ok
    @buyer negotiation.accept {"negotiation": "$n", "offer": "$n.offer"} => ok $appr
    eve policy.answer_approval {"approval": "$appr", "approve": true} => ok $deal
    @second deal.deliver {"deal": "$deal", "body": "soup"} => ok
    @buyer policy.set_block {"party": {"agent": "@second"}, "block": true} => ok
    @buyer policy.set_block {"party": {"agent": "@second"}, "block": false} => ok
    operator policy.set_settings {"sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "offers_per_minute": 0, "agents_per_owner": 0, "posts_per_minute": 60, "gestures_per_minute": 0, "stake": {"free_agents": 2, "amount": "1.50", "asset": "USD"}} => ok
    fund $ann 10
    ann agent.register {"handle": "@staked"} => ok
    ann agent.close {"agent": "@staked"} => ok
    @buyer social.follow {"agent": "@seller", "follow": true} => ok
    @buyer social.follow {"agent": "@second", "follow": true} => ok
    @buyer social.follow {"agent": "@second", "follow": false} => ok
    @quiet social.mute {"agent": "@second", "mute": true} => ok
    @second social.mute {"agent": "@quiet", "mute": true} => ok
    @second social.mute {"agent": "@quiet", "mute": false} => ok
    @buyer community.create {"name": "food", "rules": "be kind", "entry": "request"} => ok $food
    @seller community.join {"community": "food", "join": true} => ok
    @buyer community.answer {"community": "food", "agent": "@seller", "admit": true} => ok
    @quiet community.join {"community": "food", "join": true} => ok
    @buyer community.answer {"community": "food", "agent": "@quiet", "admit": false} => ok
    @buyer community.appoint {"community": "food", "agent": "@seller", "moderator": true} => ok
    @buyer community.appoint {"community": "food", "agent": "@seller", "moderator": false} => ok
    @buyer community.update {"community": "food", "rules": "be kinder", "entry": "open"} => ok
    @second community.join {"community": "food", "join": true} => ok
    @buyer social.post {"body": "soup was fine", "community": "food", "mentions": ["@second", "@quiet"], "about": ["$deal", "$list", "$goal"]} => ok $post
    @second social.post {"body": "glad", "parent": "$post"} => ok $reply
    @second social.edit {"post": "$reply", "body": "very glad"} => ok
    @seller social.react {"post": "$reply", "reaction": "useful"} => ok
    @seller social.react {"post": "$reply"} => ok
    @seller social.post {"body": "never mind", "community": "food"} => ok $gone
    @seller social.delete {"post": "$gone"} => ok
    @seller social.report {"target": {"post": "$reply"}, "ground": "spam", "text": "again"} => ok $r1
    @seller social.report {"target": {"agent": "@second"}, "ground": "impersonation"} => ok $r2
    @seller social.report {"target": {"post": "$post"}, "ground": "other"} => ok
    operator moderation.dismiss {"reports": ["$r2"], "reason": "no"} => ok
    @buyer moderation.act {"target": {"post": "$reply"}, "step": "hide", "reports": ["$r1"], "reason": "spam"} => ok $hidden
    @second moderation.appeal {"measure": "$hidden", "statement": "it is not"} => ok
    operator moderation.decide_appeal {"measure": "$hidden", "uphold": false, "reason": "it is not"} => ok
    operator moderation.act {"target": {"post": "$post"}, "step": {"label": "off_topic"}, "reason": "x"} => ok $label
    operator moderation.revoke {"measure": "$label", "reason": "mistake"} => ok
    @buyer moderation.act {"target": {"agent": "@second"}, "community": "food", "step": {"suspend": {"for_ms": 3600000}}, "reason": "calm down"} => ok
    operator moderation.act {"target": {"agent": "@seller"}, "step": {"suspend": {"for_ms": 60000}}, "reason": "calm down"} => ok
    operator moderation.act {"target": {"agent": "@seller"}, "step": {"label": "disputed"}, "reason": "x"} => ok
    @second community.join {"community": "food", "join": false} => ok
    operator policy.set_settings {"sign_up_open": false, "sign_ups_per_hour": 1, "messages_per_minute": 2, "offers_per_minute": 3, "agents_per_owner": 4} => ok
    time +2h
    operator clock.accept => ok
    tick
    time +31d
    operator clock.accept => ok
    tick
    time +401d
    operator clock.accept => ok
    tick
"#;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1.log")
}

/// Envelopes one after another, each after its length in four bytes, the lowest first.
fn write(log: &[Envelope]) -> Vec<u8> {
    let mut out = Vec::new();
    for envelope in log {
        let bytes = envelope.encode();
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_le_bytes());
        out.extend_from_slice(&bytes);
    }
    out
}

fn read() -> Vec<Envelope> {
    let stored = std::fs::read(path()).unwrap();
    let mut rest = stored.as_slice();
    let mut log = Vec::new();
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let len = usize::try_from(u32::from_le_bytes(*len)).unwrap();
        let (bytes, after) = after.split_at(len);
        let envelope = Envelope::decode(bytes).unwrap();
        assert_eq!(
            envelope.encode(),
            bytes,
            "an envelope is stored in another form than it was"
        );
        log.push(envelope);
        rest = after;
    }
    log
}

fn text(state: &State) -> String {
    digest(state)
        .iter()
        .map(|word| format!("{word:016x}"))
        .collect()
}

#[test]
fn the_golden_log_of_version_1_replays_to_its_digest() {
    if std::env::var_os("RIALTO_WRITE_GOLDEN").is_some() {
        let mut world = World::new();
        world.run(SCRIPT);
        world.settle();
        std::fs::write(path(), write(&world.log)).unwrap();
        eprintln!(
            "wrote {} envelopes, digest {}",
            world.log.len(),
            text(&world.state)
        );
    }
    let state = replay(&read(), 4242);
    assert_eq!(state.changes.defects(), 0);
    assert_eq!(text(&state), DIGEST);
}

/// The names of all events of `event.rs` and the modules, read from their source.
fn variants() -> BTreeSet<String> {
    let sources = [
        (
            "realm",
            include_str!("../../src/event.rs"),
            "pub enum RealmEvent {",
        ),
        (
            "identity",
            include_str!("../../src/identity/mod.rs"),
            "pub enum IdentityEvent {",
        ),
        (
            "mail",
            include_str!("../../src/mail/mod.rs"),
            "pub enum MailEvent {",
        ),
        (
            "work",
            include_str!("../../src/work/mod.rs"),
            "pub enum WorkEvent {",
        ),
        (
            "ledger",
            include_str!("../../src/ledger/mod.rs"),
            "pub enum LedgerEvent {",
        ),
        (
            "market",
            include_str!("../../src/market/event.rs"),
            "pub enum MarketEvent {",
        ),
        (
            "social",
            include_str!("../../src/social/event.rs"),
            "pub enum SocialEvent {",
        ),
        (
            "policy",
            include_str!("../../src/policy/mod.rs"),
            "pub enum PolicyEvent {",
        ),
    ];
    let mut all = BTreeSet::new();
    for (module, source, head) in sources {
        let body = source.split_once(head).unwrap().1;
        let body = body.split_once("\n}\n").unwrap().0;
        for line in body
            .lines()
            .filter(|l| l.starts_with("    ") && !l.starts_with("     "))
        {
            let name: String = line
                .trim()
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            if name.starts_with(|c: char| c.is_ascii_uppercase()) {
                all.insert(format!("{module}.{name}"));
            }
        }
    }
    all
}

#[test]
fn every_event_is_in_the_golden_log() {
    let mut seen = BTreeSet::new();
    for envelope in read() {
        for event in &envelope.events {
            let debug = format!("{event:?}");
            let (module, rest) = debug.split_once('(').unwrap();
            let name: String = rest
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            seen.insert(format!("{}.{name}", module.to_lowercase()));
        }
    }
    let all = variants();
    assert!(
        all.len() >= 81,
        "{} events were found in the source",
        all.len()
    );
    let missing: Vec<_> = all.difference(&seen).collect();
    assert!(missing.is_empty(), "not in the golden log: {missing:?}");
}
