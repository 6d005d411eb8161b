//! What waits for an owner or the operator, and for whom something has begun to wait.

use rialto_core::id::{AgentId, AnyId};
use rialto_views::{Paging, Scope};
use serde_json::json;

use crate::realm::{Owner, Realm, id_of};
use crate::square::{Square, post};

#[test]
fn what_waits_for_an_owner_waits_until_it_is_answered() {
    let Square {
        mut realm,
        owners,
        agents: [ann, bob, cid],
    } = Square::new();
    let shy = realm.agent(owners[0], "shy", json!({ "contact": "request" }));
    let mut write = |from: AgentId, to: AgentId| {
        let args = json!({ "to": { "agent": to }, "body": "hello" });
        realm.by(from, "mail.send", args);
    };
    write(bob, shy);
    write(cid, shy);
    // Writing to a stranger answers what it had asked.
    write(shy, cid);
    let scope = Scope::Owner(owners[0].id);
    let waits = |realm: &Realm| realm.views().reader().waiting(scope).unwrap();
    assert_eq!(waits(&realm).contact_requests, 1);
    let found = realm.views().reader();
    let found = found.contact_requests(scope, &Paging::default()).unwrap();
    let pairs: Vec<_> = found.items.iter().map(|r| (r.to.id, r.from.id)).collect();
    assert_eq!(pairs, [(shy, bob)]);
    realm.by(
        shy,
        "mail.answer_request",
        json!({ "agent": bob, "admit": false }),
    );
    assert_eq!(waits(&realm).contact_requests, 0);

    let team = realm.by(bob, "team.create", json!({ "name": "kitchen" }));
    let team = id_of(&team, "team");
    realm.by(
        bob,
        "team.invite",
        json!({ "team": team, "agent": ann, "role": "member" }),
    );
    assert_eq!(waits(&realm).invitations, 1);
    realm.by(ann, "team.join", json!({ "team": team, "join": true }));
    let shares = json!([{ "agent": bob, "ppm": 500_000 }, { "agent": ann, "ppm": 500_000 }]);
    let split = json!({ "team": team, "shares": shares });
    realm.by(bob, "team.propose_split", split.clone());
    assert_eq!((waits(&realm).invitations, waits(&realm).splits), (0, 1));
    realm.by(ann, "team.agree_split", split);
    assert_eq!(waits(&realm).splits, 0);

    let rules = json!({ "name": "tacos", "rules": "be kind", "entry": "request" });
    realm.by(ann, "community.create", rules);
    realm.by(
        bob,
        "community.join",
        json!({ "community": "#tacos", "join": true }),
    );
    assert_eq!(waits(&realm).joins, 1);
    let asked = realm.views().reader().join_requests(scope).unwrap();
    assert_eq!(
        (asked[0].community.as_str(), asked[0].agent.id),
        ("#tacos", bob)
    );
    realm.by(
        ann,
        "community.answer",
        json!({ "community": "#tacos", "agent": bob, "admit": true }),
    );
    assert_eq!(waits(&realm).joins, 0);

    let there = post(
        &mut realm,
        bob,
        json!({ "body": "buy", "community": "#tacos" }),
    );
    realm.by(
        ann,
        "social.report",
        json!({ "target": { "post": there }, "ground": "spam" }),
    );
    realm.by(
        ann,
        "social.report",
        json!({ "target": { "agent": cid }, "ground": "fraud" }),
    );
    assert_eq!(waits(&realm).reports, 1, "that of the community");
    let operator = realm.views().reader().waiting(Scope::Realm).unwrap();
    assert_eq!(operator.reports, 1, "that of none");
    let others = Scope::Owner(owners[2].id);
    let theirs = realm.views().reader().waiting(others).unwrap();
    assert_eq!(theirs, rialto_views::Waiting::default());
}

/// For whom something began to wait since the last look, as places among the owners; none is the
/// operator.
fn newly(realm: &Realm, owners: &[Owner], looked: &mut u64) -> Vec<Option<usize>> {
    let reader = realm.views().reader();
    let newly = reader.newly_waiting(*looked).unwrap();
    assert_eq!(newly.position, reader.position().unwrap());
    assert!(newly.raised.values().all(|at| *at > *looked));
    *looked = newly.position;
    let place = |id| owners.iter().position(|o| o.id == id).unwrap();
    newly.raised.keys().map(|id| id.map(place)).collect()
}

#[test]
fn those_are_found_for_whom_something_begins_to_wait() {
    let Square {
        mut realm,
        owners,
        agents: [ann, bob, cid],
    } = Square::new();
    let shy = realm.agent(owners[0], "shy", json!({ "contact": "request" }));
    realm.fund(bob, "100");
    let mut looked = realm.views().position();
    let none: &[Option<usize>] = &[];
    let mut told = |realm: &Realm| newly(realm, &owners, &mut looked);
    assert_eq!(told(&realm), none);

    let hello = |to: AgentId| json!({ "to": { "agent": to }, "body": "hello" });
    realm.by(bob, "mail.send", hello(shy));
    assert_eq!(told(&realm), [Some(0)], "a first message");
    realm.by(bob, "mail.send", hello(ann));
    let refuse = json!({ "agent": bob, "admit": false });
    realm.by(shy, "mail.answer_request", refuse);
    assert_eq!(told(&realm), none, "open agents and answers");

    let args = json!({ "worker": ann, "body": "x" });
    let task = realm.attempt(owners[0].admin, None, "task.create", args);
    let task = id_of(&task.unwrap(), "task");
    let update = |state: &str| json!({ "task": task, "state": state });
    realm.by(ann, "task.update", update("working"));
    assert_eq!(told(&realm), none, "work");
    realm.by(ann, "task.update", update("input_required"));
    assert_eq!(told(&realm), [Some(0)], "a question");
    realm.by(ann, "task.update", update("working"));
    assert_eq!(told(&realm), none, "no question any more");

    let team = realm.by(bob, "team.create", json!({ "name": "kitchen" }));
    let team = id_of(&team, "team");
    let invite = json!({ "team": team, "agent": ann, "role": "member" });
    realm.by(bob, "team.invite", invite);
    assert_eq!(told(&realm), [Some(0)], "an invitation");
    realm.by(ann, "team.join", json!({ "team": team, "join": true }));
    let shares = json!([{ "agent": bob, "ppm": 500_000 }, { "agent": ann, "ppm": 500_000 }]);
    let split = json!({ "team": team, "shares": shares });
    realm.by(bob, "team.propose_split", split);
    assert_eq!(told(&realm), [Some(0), Some(1)], "a split");

    let rules = json!({ "name": "tacos", "rules": "be kind", "entry": "request" });
    realm.by(ann, "community.create", rules);
    let join = json!({ "community": "#tacos", "join": true });
    realm.by(bob, "community.join", join.clone());
    assert_eq!(told(&realm), [Some(0)], "a request to join");
    let admit = json!({ "community": "#tacos", "agent": bob, "admit": true });
    realm.by(ann, "community.answer", admit);
    let there = json!({ "body": "buy", "community": "#tacos" });
    let there = post(&mut realm, bob, there);
    assert_eq!(told(&realm), none, "posts");
    let report = json!({ "target": { "post": there }, "ground": "spam" });
    let report = realm.by(cid, "social.report", report);
    assert_eq!(told(&realm), [Some(0)], "a report in a community");
    let report_of = json!({ "target": { "agent": cid }, "ground": "fraud" });
    realm.by(ann, "social.report", report_of);
    assert_eq!(told(&realm), [None], "a report elsewhere");
    let measure = json!({ "target": { "post": there }, "step": "hide", "reason": "x",
                          "reports": [id_of(&report, "report")] });
    let measure = realm.by(ann, "moderation.act", measure);
    let measure = id_of(&measure, "meas");
    let appeal = json!({ "measure": measure, "statement": "only once" });
    realm.by(bob, "moderation.appeal", appeal);
    assert_eq!(told(&realm), [None, Some(0)], "an appeal");

    let opening = json!({ "with": ann, "side": "buy", "valid_for_ms": 600_000,
                          "terms": { "price": "7", "lines": [{ "item": "Soup" }] } });
    let AnyId::NegotiationId(id) = id_of(&realm.by(bob, "negotiation.open", opening), "neg") else {
        panic!()
    };
    let hash = realm.state.negotiations.get(&id).unwrap().latest.hash;
    let accepted = json!({ "negotiation": id, "offer": hash });
    let deal = id_of(&realm.by(ann, "negotiation.accept", accepted), "deal");
    let delivered = json!({ "deal": deal, "body": "soup" });
    realm.by(ann, "deal.deliver", delivered);
    assert_eq!(told(&realm), none, "a deal");
    let dispute = json!({ "deal": deal, "reason": "cold" });
    realm.by(bob, "deal.dispute", dispute);
    assert_eq!(
        told(&realm),
        [None],
        "a dispute for the operator to rule on"
    );

    let limit = json!({ "node": { "agent": bob }, "approval_above": "1", "period_ms": 60_000 });
    let limited = realm.attempt(owners[1].admin, None, "policy.set_allowance", limit);
    limited.unwrap();
    let pay = json!({ "from": "@agent2", "to": "@agent3", "amount": "5" });
    realm.by(
        bob,
        "ledger.transfer",
        json!({ "transfers": [{ "post": pay }] }),
    );
    assert_eq!(told(&realm), [Some(1)], "an approval");
    assert_eq!(told(&realm), none);
}
