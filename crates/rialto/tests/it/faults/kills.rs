//! Killed at random moments under concurrent load, again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rialto_random::mix64;
use serde_json::{Value, json};

use super::http::Door;
use super::server::{Server, found, fresh, key, operator, text, verified};

/// How often the server is killed.
const ROUNDS: u64 = 200;
const CLIENTS: usize = 6;

/// Something that was asked for under a key, and what is known of it.
#[derive(Clone, Debug)]
struct Asked {
    op: &'static str,
    args: Value,
    key: String,
    /// The position at which it was acknowledged.
    acknowledged: Option<u64>,
}

/// Everything one client has asked for in this round, the last perhaps without an answer.
type Asks = Vec<Asked>;

/// Pays its neighbour one unit, or writes to it, until the server is gone.
fn load(url: &str, token: &str, client: usize, round: u64, stop: &AtomicBool) -> Asks {
    let mut asks = Asks::new();
    let Ok(mut door) = Door::open(url, token) else {
        return asks;
    };
    let to = format!("@a{}", (client + 1) % CLIENTS);
    while !stop.load(Ordering::SeqCst) {
        let n = asks.len();
        let key = key(&format!("r{round}c{client}n{n}"));
        let (op, args) = match n % 3 {
            0 => (
                "mail.send",
                json!({ "to": { "agent": to }, "body": format!("{key}") }),
            ),
            _ => (
                "ledger.transfer",
                json!({ "transfers": [{ "post":
                    { "from": format!("@a{client}"), "to": to, "amount": "1" } }] }),
            ),
        };
        let answer = door.keyed(op, &args, &key);
        let position = answer.as_ref().ok().map(|a| {
            assert_eq!(a.status, 200, "{:?}", a.body);
            a.body["position"].as_u64().unwrap()
        });
        asks.push(Asked {
            op,
            args,
            key,
            acknowledged: position,
        });
        if position.is_none() {
            return asks;
        }
    }
    asks
}

/// Asks again for what was asked before the kill: what was acknowledged must be known at the same
/// position, what was not is carried out now if it was not before.
fn again(door: &mut Door, asked: &Asked) {
    let answer = door.keyed(asked.op, &asked.args, &asked.key).unwrap();
    let answer = answer.accepted();
    if let Some(position) = asked.acknowledged {
        assert_eq!(answer["duplicate"], true, "lost: {asked:?}");
        assert_eq!(answer["position"], position, "moved: {asked:?}");
    }
}

/// What each client has, once views have taken in everything up to a position.
fn balance(door: &mut Door, position: u64) -> String {
    let path = format!("/api/ledger/accounts?min_position={position}");
    let accounts = door.get(&path).unwrap().accepted();
    text(&accounts["items"][0]["balance"])
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_in_two_hundred_kills() {
    let (_place, folder) = fresh();
    let handles: Vec<String> = (0..CLIENTS).map(|n| format!("a{n}")).collect();
    let names: Vec<&str> = handles.iter().map(String::as_str).collect();
    let first = Server::start(&folder);
    let tokens = found(&first, &folder, &names);
    first.kill();
    let mut paid = [0_i64; CLIENTS];
    let (mut acknowledged, mut open) = (0, 0);
    for round in 0..ROUNDS {
        let asks = one_round(&folder, &tokens, round);
        let server = Server::start(&folder);
        for (client, asks) in asks.iter().enumerate() {
            let mut door = server.door(&tokens[client]);
            // Older ones are as safe as the newest, and checked by the sums below.
            for asked in asks.iter().rev().take(12) {
                again(&mut door, asked);
            }
            let done = asks.iter().filter(|a| a.op == "ledger.transfer").count();
            paid[client] += i64::try_from(done).unwrap();
            acknowledged += asks.iter().filter(|a| a.acknowledged.is_some()).count();
            open += asks.iter().filter(|a| a.acknowledged.is_none()).count();
        }
        let mut door = server.door(&operator(&folder));
        let end = door.get("/api/realm").unwrap().accepted();
        let end = end["position"].as_u64().unwrap();
        for client in 0..CLIENTS {
            let got = paid[(client + CLIENTS - 1) % CLIENTS];
            let want = 1_000_000 + got - paid[client];
            let have = balance(&mut server.door(&tokens[client]), end);
            assert_eq!(have, format!("{want}.00"), "round {round}");
        }
        let sums = format!("/api/ledger/trial-balance?min_position={end}");
        let sums = door.get(&sums).unwrap().accepted();
        assert_eq!(sums["items"][0]["sum"], "0.00", "{sums}");
        server.kill();
    }
    eprintln!("{acknowledged} acknowledged, {open} cut off, {ROUNDS} kills");
    // Enough that the kills came in the middle of something, on a slow machine too.
    let rounds = usize::try_from(ROUNDS).unwrap();
    assert!(
        acknowledged > 2 * rounds && open > rounds / 4,
        "the load was no load"
    );
    verified(&folder);
}

/// Serves, loads, kills after a random while. What each client had asked for.
fn one_round(folder: &std::path::Path, tokens: &[String], round: u64) -> Vec<Asks> {
    let server = Server::start(folder);
    let stop = Arc::new(AtomicBool::new(false));
    let all = Arc::new(Mutex::new(vec![Asks::new(); CLIENTS]));
    let mut threads = Vec::new();
    for (client, token) in tokens.iter().enumerate() {
        let (url, token) = (server.url.clone(), token.clone());
        let (stop, all) = (stop.clone(), all.clone());
        threads.push(thread::spawn(move || {
            let asks = load(&url, &token, client, round, &stop);
            all.lock().unwrap()[client] = asks;
        }));
    }
    thread::sleep(Duration::from_micros(5_000 + mix64(round) % 60_000));
    server.kill();
    stop.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().unwrap();
    }
    all.lock().unwrap().clone()
}
