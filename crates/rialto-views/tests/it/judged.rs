//! Reports and measures: who is involved sees its part, and nobody else does.

use rialto_core::id::{AgentId, AnyId, MeasureId, OwnerId};
use rialto_views::{Paging, Scope, ViewReader};
use serde_json::json;

use crate::realm::{Realm, id_of};
use crate::square::{Square, post};

/// A community of two moderators, and a member beside them.
struct Court {
    realm: Realm,
    founder: AgentId,
    moderator: AgentId,
    member: AgentId,
    /// An agent of the moderator's owner.
    sibling: AgentId,
    /// The owners of the three.
    owners: [OwnerId; 3],
    stranger: AgentId,
}

fn court() -> Court {
    let Square {
        mut realm,
        agents: [founder, moderator, member],
        owners,
    } = Square::new();
    let sibling = realm.agent(owners[1], "sibling", json!({}));
    let other = realm.owner("dan");
    let stranger = realm.agent(other, "stranger", json!({}));
    let create = json!({ "name": "food", "rules": "x" });
    realm.by(founder, "community.create", create);
    for agent in [moderator, member, sibling] {
        let join = json!({ "community": "food", "join": true });
        realm.by(agent, "community.join", join);
    }
    let appoint = json!({ "community": "food", "agent": moderator, "moderator": true });
    realm.by(founder, "community.appoint", appoint);
    Court {
        realm,
        founder,
        moderator,
        member,
        sibling,
        owners: owners.map(|owner| owner.id),
        stranger,
    }
}

/// How many reports, open or not, each scope is shown.
fn reports(reader: &ViewReader, scopes: &[Scope]) -> Vec<usize> {
    let shown = |scope: &Scope| {
        let page = reader.reports(*scope, true, &Paging::default()).unwrap();
        page.items.len()
    };
    scopes.iter().map(shown).collect()
}

#[test]
fn who_is_reported_is_not_shown_by_whom() {
    let Court {
        mut realm,
        founder,
        moderator,
        member,
        sibling,
        owners,
        stranger,
    } = court();
    let says = json!({ "body": "buy", "community": "food" });
    let own = post(&mut realm, moderator, says.clone());
    let siblings = post(&mut realm, sibling, says);
    let (before, mut report) = (realm.state.position(), None);
    for target in [own, siblings] {
        let args = json!({ "target": { "post": target }, "ground": "spam", "text": "again" });
        report = Some(id_of(&realm.by(member, "social.report", args), "report"));
    }
    let report = report.unwrap();
    let scopes = [
        Scope::Realm,
        Scope::Agent(founder),
        Scope::Owner(owners[0]),
        Scope::Agent(moderator),
        Scope::Owner(owners[1]),
        Scope::Agent(sibling),
        Scope::Agent(member),
        Scope::Owner(owners[2]),
        Scope::Agent(stranger),
    ];
    let reader = realm.views().reader();
    assert_eq!(reports(&reader, &scopes), [2, 2, 2, 0, 0, 0, 2, 2, 0]);
    // Nor does its list of errands, or what newly waits, tell it of them.
    let waits = |scope| reader.waiting(scope).unwrap().reports;
    assert_eq!(scopes.map(waits), [0, 2, 2, 0, 0, 0, 0, 0, 0]);
    let seen = |scope| reader.sees(scope, report).unwrap();
    assert_eq!(
        scopes.map(seen),
        [true, true, true, false, false, false, true, true, false]
    );
    let raised = reader.newly_waiting(before).unwrap().raised;
    assert!(raised.contains_key(&Some(owners[0])) && !raised.contains_key(&Some(owners[1])));
    // Nor does the trace of the measure that answers one lead to it.
    let answer = json!({ "target": { "post": siblings }, "step": "hide", "reports": [report], "reason": "x" });
    let taken = id_of(&realm.by(founder, "moderation.act", answer), "meas");
    let reader = realm.views().reader();
    let traced = |scope| {
        let trace = reader.trace(scope, taken).unwrap().unwrap();
        assert!(trace.gaps == Some(Vec::new()));
        trace.hops.iter().any(|hop| hop.id.prefix() == "report")
    };
    assert!(!traced(Scope::Agent(sibling)) && !traced(Scope::Owner(owners[1])));
}

#[test]
fn appeals_wait_for_who_may_decide_them() {
    let Court {
        mut realm,
        founder,
        moderator,
        member,
        sibling,
        owners,
        ..
    } = court();
    let says = json!({ "body": "buy", "community": "food" });
    let by_founder = post(&mut realm, sibling, says.clone());
    let by_moderator = post(&mut realm, member, says.clone());
    let by_operator = post(&mut realm, member, says);
    let hide = |post| json!({ "target": { "post": post }, "step": "hide", "reason": "x" });
    let mut taken = vec![
        (
            sibling,
            realm.by(founder, "moderation.act", hide(by_founder)),
        ),
        (
            member,
            realm.by(moderator, "moderation.act", hide(by_moderator)),
        ),
        (member, realm.operator("moderation.act", hide(by_operator))),
    ];
    for (author, ids) in &mut taken {
        let appeal = json!({ "measure": id_of(ids, "meas"), "statement": "no" });
        realm.by(*author, "moderation.appeal", appeal);
    }
    let reader = realm.views().reader();
    let waits = |scope| reader.waiting(scope).unwrap().appeals;
    // The first: the founder took it, and the moderator's sibling wrote the post.
    assert_eq!(
        [
            Scope::Realm,
            Scope::Agent(founder),
            Scope::Agent(moderator),
            Scope::Owner(owners[1]),
            Scope::Agent(member)
        ]
        .map(waits),
        [3, 1, 0, 0, 0]
    );
}

#[test]
fn measures_against_agents_are_no_public_matter() {
    let Court {
        mut realm,
        founder,
        moderator,
        member,
        owners,
        stranger,
        ..
    } = court();
    let target = json!({ "agent": member });
    let label = json!({ "target": target, "step": { "label": "spam" }, "reason": "secret one" });
    realm.operator("moderation.act", label);
    let suspend = json!({ "suspend": { "for_ms": 60_000 } });
    let step =
        json!({ "target": target, "step": suspend, "community": "food", "reason": "secret two" });
    let suspended = id_of(&realm.by(founder, "moderation.act", step), "meas");
    let appeal = json!({ "measure": suspended, "statement": "secret three" });
    realm.by(member, "moderation.appeal", appeal);
    let AnyId::MeasureId(suspended) = suspended else {
        panic!()
    };
    let reader = realm.views().reader();
    let told = |scope: Option<Scope>| {
        let rows = reader.measures_against(scope, member.into()).unwrap();
        let secrets = serde_json::to_string(&rows)
            .unwrap()
            .matches("secret")
            .count();
        (rows.len(), secrets)
    };
    // Everybody sees the operator's label and no reason; the rest is for whom it concerns.
    for scope in [None, Some(Scope::Agent(stranger))] {
        assert_eq!(told(scope), (1, 0), "{scope:?}");
    }
    for scope in [Scope::Realm, Scope::Agent(member), Scope::Owner(owners[2])] {
        assert_eq!(told(Some(scope)), (2, 3), "{scope:?}");
    }
    // A moderator knows what was done where it moderates, and of the operator's what everybody knows.
    for scope in [
        Scope::Agent(founder),
        Scope::Agent(moderator),
        Scope::Owner(owners[0]),
    ] {
        assert_eq!(told(Some(scope)), (2, 2), "{scope:?}");
    }
    let one = |scope, id: MeasureId| reader.measure(scope, id).unwrap().is_some();
    assert!(one(Scope::Agent(moderator), suspended) && one(Scope::Agent(member), suspended));
    assert!(!one(Scope::Agent(stranger), suspended));
    assert!(
        reader
            .trace(Scope::Agent(stranger), suspended.into())
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_lifted_measure_keeps_its_reason_until_the_text_is_another() {
    let Court {
        mut realm,
        founder,
        member,
        ..
    } = court();
    let written = post(
        &mut realm,
        member,
        json!({ "body": "buy", "community": "food" }),
    );
    let hide = json!({ "target": { "post": written }, "step": "hide", "reason": "spam" });
    let taken = id_of(&realm.by(founder, "moderation.act", hide), "meas");
    let reasons = |realm: &Realm, step: &str| {
        let reader = realm.views().reader();
        let found = reader.lifted_reasons(written.into(), (step, 0), None);
        found.unwrap().len()
    };
    assert_eq!(reasons(&realm, "hide"), 0);
    let lift = json!({ "measure": taken, "reason": "not spam" });
    realm.operator("moderation.revoke", lift);
    assert_eq!((reasons(&realm, "hide"), reasons(&realm, "label")), (1, 0));
    realm.now_ms += 1_000;
    let edit = json!({ "post": written, "body": "buy now" });
    realm.by(member, "social.edit", edit);
    assert_eq!(reasons(&realm, "hide"), 0);
}
