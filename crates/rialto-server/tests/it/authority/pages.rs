//! What the console says of itself: a page answers whom the API answers, and nobody else.

use axum::http::StatusCode;
use rialto_core::id::{AnyId, position_of};
use rialto_core::noun;

use super::STOPPED;
use super::world::{Who, World};
use crate::console::{get, sign_in};

/// Each page of one thing, the read of the same thing, and what it is tried with.
const PAGES: [(&str, &str, &[&str]); 18] = [
    (
        "/trace/{}",
        "/api/trace/{}",
        &["deal we sell", "task", "hold", "message", "negotiation"],
    ),
    (
        "/deals/{}",
        "/api/deals/{}",
        &["deal we sell", "deal we buy", "deal in dispute"],
    ),
    ("/negotiations/{}", "/api/negotiations/{}", &["negotiation"]),
    ("/market/listings/{}", "/api/listings/{}", &["listing"]),
    ("/market/calls/{}", "/api/calls/{}", &["call"]),
    ("/agents/{}", "/api/agents/{}", &["agent", "handle"]),
    (
        "/agents/{}/following",
        "/api/agents/{}/following",
        &["agent"],
    ),
    (
        "/agents/{}/followers",
        "/api/agents/{}/followers",
        &["agent"],
    ),
    ("/owners/{}", "/api/owners/{}", &["owner", "theirs.owner"]),
    ("/teams/{}", "/api/teams/{}", &["team"]),
    (
        "/messages/{}",
        "/api/conversations/{}",
        &["conversation", "group"],
    ),
    ("/tasks/{}", "/api/tasks/{}", &["task", "errand"]),
    ("/approvals/{}", "/api/approvals/{}", &["approval"]),
    (
        "/ledger/accounts/{}",
        "/api/ledger/accounts/{}",
        &["account", "theirs.account"],
    ),
    ("/ledger/entries/{}", "/api/ledger/entries/{}", &["entry"]),
    (
        "/ledger/holds/{}",
        "/api/ledger/holds/{}",
        &["hold", "withdrawal"],
    ),
    (
        "/log/{}",
        "/api/log/{}",
        &["position of ours", "position of theirs"],
    ),
    (
        "/square/posts/{}",
        "/api/posts/{}",
        &["post", "theirs.post"],
    ),
];

/// Who cannot sign in at the console beside those who are stopped: services, and tokens that were ended.
const NO_SESSION: [&str; 2] = ["service", "revoked"];

/// Whether the API answers it, acting as one of the caller's agents where that is what it takes.
async fn answered(world: &World, who: &Who, path: &str) -> bool {
    let alone = world.asked(who, "get", path, None, &serde_json::Value::Null);
    if alone.await.0 == 200 {
        return true;
    }
    let acting = world.asked(who, "get", path, who.acts_as, &serde_json::Value::Null);
    acting.await.0 == 200
}

/// The position of the envelope that made a thing.
fn position(world: &World, thing: &str) -> String {
    let id: AnyId = world.id(thing).parse().unwrap();
    position_of(id.number()).to_string()
}

fn may_sign_in(name: &str) -> bool {
    !NO_SESSION.contains(&name) && STOPPED.iter().all(|(stopped, ..)| *stopped != name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_there_for_whom_the_read_is() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for who in &world.who {
        let Some(token) = who.token.as_deref().filter(|_| may_sign_in(who.name)) else {
            continue;
        };
        let cookie = sign_in(&world.realm, token).await;
        let nouns: Vec<(String, String, &str)> = noun::all()
            .map(|noun| {
                let page = format!("/{}/{{}}", noun.plural);
                (page, format!("/api/{}/{{}}", noun.plural), noun.name)
            })
            .collect();
        let nouns = nouns
            .iter()
            .map(|(page, read, thing)| (page.as_str(), read.as_str(), std::slice::from_ref(thing)));
        for (page, read, things) in PAGES.into_iter().chain(nouns) {
            for thing in things {
                let named = match *thing {
                    "position of ours" => position(&world, "deal we sell"),
                    "position of theirs" => position(&world, "theirs.post"),
                    thing => world.id(thing).to_owned(),
                };
                let fill = |path: &str| path.replace("{}", &named);
                let shown = get(&world.realm, &cookie, &fill(page)).await.status;
                let read = answered(&world, who, &fill(read)).await;
                let fits = if read {
                    shown == StatusCode::OK
                } else {
                    shown == StatusCode::NOT_FOUND || shown == StatusCode::FORBIDDEN
                };
                if !fits {
                    wrong.push(format!(
                        "{}: {page} of {thing} is {shown}, the read {}",
                        who.name,
                        if read { "answers" } else { "does not" }
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.realm.stop();
}
