//! A webhook is told how much waits, and no more than that.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::faults::server::{Server, fresh, operator, serve, text};

/// The longest that anything here may take; nothing waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A receiver on loopback that answers with these statuses and then with 204. What it was sent: the
/// head and the body.
pub(crate) fn receiver(statuses: &'static [u16]) -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?key=k3y", listener.local_addr().unwrap());
    let mut statuses = statuses.iter().copied().chain(std::iter::repeat(204));
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                let (name, value) = line.split_once(':').unwrap_or_default();
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let status = statuses.next().unwrap();
            let answer = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            if tell.send((head, String::from_utf8(body).unwrap())).is_err() {
                return;
            }
        }
    });
    (url, told)
}

fn start(folder: &Path, url: &str) -> Server {
    let mut command = serve(folder);
    command.args(["--webhook", url]);
    Server::run(command)
}

/// Signs an owner up with an agent. The owner's id and both tokens.
pub(crate) fn owner(
    server: &Server,
    boss: &str,
    name: &str,
    contact: &str,
) -> (String, String, String) {
    let mut door = server.door(boss);
    let asked = json!({ "name": name, "kind": "organisation" });
    let made = door.op("owner.sign_up", &asked).unwrap().accepted();
    let (id, admin) = (&made["ids"]["owner"], text(&made["token"]["secret"]));
    let asked = json!({ "handle": format!("{name}1"), "profile": { "contact": contact } });
    let agent = server.door(&admin).op("agent.register", &asked).unwrap();
    let agent = text(&agent.accepted()["token"]["secret"]);
    (text(id), admin, agent)
}

pub(crate) fn next(told: &Receiver<(String, String)>) -> (String, String, Value) {
    let (head, body) = told.recv_timeout(PATIENCE).unwrap();
    let value = serde_json::from_str(&body).unwrap();
    (head, body, value)
}

/// By what a repeat can be told.
pub(crate) fn id_of(head: &str) -> String {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let id = fields.find(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"));
    id.unwrap().1.to_owned()
}

/// The kinds that wait, with how many.
fn some(told: &Value) -> Value {
    let kinds = told["waiting"].as_object().unwrap();
    let some = kinds.iter().filter(|(_, count)| **count != json!(0));
    some.map(|(kind, count)| (kind.clone(), count.clone()))
        .collect()
}

#[test]
fn what_waits_is_told_in_counts() {
    let (_place, folder) = fresh();
    let (url, told) = receiver(&[500, 302]);
    let server = start(&folder, &url);
    let boss = operator(&folder);
    let (house, admin, shy) = owner(&server, &boss, "house", "request");
    let (_, _, writer) = owner(&server, &boss, "writers", "open");
    let hello = json!({ "to": { "agent": "@house1" }, "body": "pss-text-of-mine" });
    let sent = server.door(&writer).op("mail.send", &hello).unwrap();
    let sent = sent.accepted()["position"].as_u64().unwrap();

    // The first two answers are failures, so that it comes three times, each time as the same.
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let (head, body, value) = next(&told);
        ids.insert(id_of(&head));
        assert!(head.starts_with("POST /hook?key=k3y HTTP/1.1"), "{head}");
        assert!(
            head.to_lowercase()
                .contains("content-type: application/json"),
            "{head}"
        );
        assert_eq!(value["owner"], json!(house));
        assert_eq!(value["name"], json!("house"));
        assert_eq!(some(&value), json!({ "contact_requests": 1 }));
        assert!(value["position"].as_u64().unwrap() >= sent, "{value}");
        let mut named: Vec<_> = value.as_object().unwrap().keys().collect();
        named.sort();
        assert_eq!(named, ["name", "owner", "position", "realm", "waiting"]);
        for secret in ["pss-text", "rlt_", &admin, &shy, &writer, "authorization"] {
            let all = format!("{head}{body}").to_lowercase();
            assert!(!all.contains(&secret.to_lowercase()), "{secret} is told");
        }
    }

    assert_eq!(ids.len(), 1, "{ids:?}");
    let report = json!({ "target": { "agent": "@house1" }, "ground": "spam", "text": "pss-text" });
    let report = server.door(&writer).op("social.report", &report).unwrap();
    report.accepted();
    let (_, body, value) = next(&told);
    assert_eq!(
        (&value["owner"], &value["name"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(some(&value), json!({ "reports": 1 }));
    assert!(!body.contains("pss-text"), "{body}");

    // What waited before a start is counted when there is more, and not told by itself.
    assert_eq!(server.terminate(), Some(0));
    let server = start(&folder, &url);
    let (_, _, other) = owner(&server, &boss, "others", "open");
    server
        .door(&other)
        .op("mail.send", &hello)
        .unwrap()
        .accepted();
    let (_, _, value) = next(&told);
    assert_eq!(value["owner"], json!(house));
    assert_eq!(some(&value), json!({ "contact_requests": 2 }));
    assert_eq!(server.terminate(), Some(0));
    assert!(told.try_recv().is_err(), "nothing is told twice");
}

#[test]
fn an_address_that_cannot_be_told_is_refused_before_anything_is_founded() {
    let (_place, folder) = fresh();
    for url in [
        "ftp://127.0.0.1/s3cret",
        "127.0.0.1:81/s3cret",
        "https://me:s3cret@127.0.0.1/",
    ] {
        let done = serve(&folder)
            .args(["--webhook", url])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{told}");
        assert!(
            told.contains("--webhook") && !told.contains("s3cret"),
            "{told}"
        );
        assert!(!folder.exists(), "nothing is founded");
    }
}

#[test]
fn a_receiver_that_is_away_keeps_nobody_waiting() {
    let (_place, folder) = fresh();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", gone.local_addr().unwrap());
    drop(gone);
    let server = start(&folder, &url);
    let boss = operator(&folder);
    let _ = owner(&server, &boss, "house", "request");
    let (_, _, writer) = owner(&server, &boss, "writers", "open");
    let hello = json!({ "to": { "agent": "@house1" }, "body": "hello" });
    server
        .door(&writer)
        .op("mail.send", &hello)
        .unwrap()
        .accepted();
    server.is_ready(&writer);
    // It is killed while tries are outstanding; what is owed is still owed.
    let list = "/api/obligations?state=open";
    let owed = |server: &Server| {
        let page = server.door(&boss).get(list).unwrap().accepted();
        page["items"].as_array().unwrap().clone()
    };
    let waited = std::time::Instant::now();
    let first = loop {
        match owed(&server).first() {
            Some(row) if row["why"] != Value::Null => break row.clone(),
            _ => assert!(waited.elapsed() < PATIENCE, "nothing is owed"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(first["owner"]["name"], json!("house"));
    server.kill();
    let (url, told) = receiver(&[]);
    let server = start(&folder, &url);
    let (head, _, value) = next(&told);
    assert_eq!(json!(id_of(&head)), first["id"]);
    assert_eq!(some(&value), json!({ "contact_requests": 1 }));
    while !owed(&server).is_empty() {
        assert!(waited.elapsed() < PATIENCE, "still owed");
        std::thread::sleep(Duration::from_millis(50));
    }
    let one = format!("/api/obligations/{}", text(&first["id"]));
    let one = server.door(&boss).get(&one).unwrap().accepted();
    assert_eq!(one["state"], json!("done"));
    assert_eq!(server.terminate(), Some(0));
}
