//! What happens while the server is down, and while a request waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::http::Door;
use super::server::{Server, found, fresh, operator, text};

#[test]
fn a_hold_that_ran_out_while_the_server_was_down_is_given_back() {
    let (_place, folder) = fresh();
    let server = Server::start(&folder);
    let tokens = found(&server, &folder, &["payer", "payee"]);
    let mut door = server.door(&tokens[0]);
    let hold = json!({ "transfers": [{ "hold": { "from": "@payer", "to": "@payee",
        "amount": "100", "expires_in_ms": 1_000 } }] });
    let held = door.op("ledger.transfer", &hold).unwrap().accepted();
    let hold = text(&held["ids"]["hold"]);
    server.kill();
    thread::sleep(Duration::from_millis(1_500));
    let server = Server::start(&folder);
    let mut door = server.door(&tokens[0]);
    // It is over at once, whether or not the clock has come to it.
    let late = json!({ "transfers": [{ "post_hold": { "hold": hold } }] });
    let refused = door.op("ledger.transfer", &late).unwrap();
    assert_eq!(refused.code(), "RLT0406");
    let given_up = Instant::now() + Duration::from_secs(30);
    loop {
        let accounts = door.get("/api/ledger/accounts").unwrap().accepted();
        if accounts["items"][0]["available"] == "1000000.00" {
            break;
        }
        assert!(Instant::now() < given_up, "{accounts}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn nothing_is_done_for_a_token_after_its_revocation() {
    let (_place, folder) = fresh();
    let server = Server::start(&folder);
    let tokens = found(&server, &folder, &["sender", "receiver"]);
    for round in 0..10 {
        let mut operator = server.door(&operator(&folder));
        let asked = json!({ "subject": { "agent": "@sender" }, "label": format!("t{round}") });
        let mut sender = server.door(&tokens[0]);
        let issued = sender.op("token.issue", &asked).unwrap().accepted();
        let (id, secret) = (&issued["token"]["id"], text(&issued["token"]["secret"]));
        let stop = Arc::new(AtomicBool::new(false));
        let users: Vec<_> = (0..4)
            .map(|_| {
                let (url, secret, stop) = (server.url.clone(), secret.clone(), stop.clone());
                thread::spawn(move || used(&url, &secret, &stop))
            })
            .collect();
        thread::sleep(Duration::from_millis(30));
        let revoked = operator
            .op("token.revoke", &json!({ "token": id }))
            .unwrap();
        let revoked = revoked.accepted()["position"].as_u64().unwrap();
        thread::sleep(Duration::from_millis(20));
        stop.store(true, Ordering::SeqCst);
        let last = users.into_iter().filter_map(|u| u.join().unwrap()).max();
        assert!(
            last.unwrap() < revoked,
            "{last:?} with a token revoked at {revoked}"
        );
    }
}

/// Writes until it is refused. The last position at which it was not.
fn used(url: &str, token: &str, stop: &AtomicBool) -> Option<u64> {
    let mut door = Door::open(url, token).unwrap();
    let message = json!({ "to": { "agent": "@receiver" }, "body": "x" });
    let mut last = None;
    while !stop.load(Ordering::SeqCst) {
        let answer = door.op("mail.send", &message).unwrap();
        if answer.status != 200 {
            assert!(
                ["RLT0015", "RLT0106"].contains(&answer.code()),
                "{answer:?}"
            );
            continue;
        }
        last = answer.body["position"].as_u64();
    }
    last
}
