//! More of everything than there is room for: connections, readers that do not read, memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::server::{Server, found, fresh, operator, serve, text};

/// A command that runs with as many open files as this user may have.
fn with_many_files(mut inner: Command) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -n "$(ulimit -Hn)"; exec "$@""#, "sh"]);
    command.arg(inner.get_program()).args(inner.get_args());
    inner.env_clear();
    command
}

/// How many files this process may have open.
fn files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|l| l.starts_with("Max open files"));
    let soft = line.and_then(|l| l.split_whitespace().nth(3));
    soft.and_then(|n| n.parse().ok()).unwrap_or(1_024)
}

#[test]
fn ten_thousand_half_open_connections_keep_nobody_out() {
    let (_place, folder) = fresh();
    let server = Server::run(with_many_files(serve(&folder)));
    let most = 10_000.min(files().saturating_sub(300));
    if most < 10_000 {
        eprintln!("this process may open only {most} connections");
    }
    let address = server.url.trim_start_matches("http://").to_owned();
    let mut half_open = Vec::with_capacity(most);
    for n in 0..most {
        let mut stream = TcpStream::connect(&address).unwrap();
        if n % 2 == 0 {
            stream
                .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-")
                .unwrap();
        }
        half_open.push(stream);
    }
    // Everybody else is served as ever.
    found(&server, &folder, &["sender", "receiver"]);
    let mut door = server.door(&operator(&folder));
    assert_eq!(door.get("/readyz").unwrap().status, 200);
    // Who does not finish asking within 15 seconds is shown out.
    let mut last = half_open.pop().unwrap();
    last.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut rest = Vec::new();
    let _ = last.read_to_end(&mut rest);
    let mut first = half_open.swap_remove(0);
    first
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let _ = first.read_to_end(&mut rest);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_reader_that_does_not_read_holds_up_nobody_and_misses_nothing() {
    const MESSAGES: u64 = 3_000;
    let (_place, folder) = fresh();
    let server = Server::start(&folder);
    let tokens = found(&server, &folder, &["sender", "receiver"]);
    let address = server.url.trim_start_matches("http://");
    let mut lazy = TcpStream::connect(address).unwrap();
    let ask = format!(
        "GET /api/inbox/stream?after=0 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        tokens[1]
    );
    lazy.write_all(ask.as_bytes()).unwrap();
    let mut door = server.door(&tokens[0]);
    let body = "y".repeat(4_000);
    let message = json!({ "to": { "agent": "@receiver" }, "body": body });
    for _ in 0..MESSAGES {
        door.op("mail.send", &message).unwrap().accepted();
    }
    // Twelve megabytes did not fit between the two; now it reads, and each has its number.
    lazy.set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut seen = Vec::new();
    let mut bytes = vec![0; 1 << 16];
    let wanted = format!("id: {MESSAGES}\n");
    while !String::from_utf8_lossy(&seen[seen.len().saturating_sub(20_000)..]).contains(&wanted) {
        let read = lazy.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "it was cut off");
        seen.extend_from_slice(&bytes[..read]);
    }
    let ids: Vec<u64> = String::from_utf8_lossy(&seen)
        .lines()
        .filter_map(|l| l.strip_prefix("id: ")?.trim().parse().ok())
        .collect();
    assert_eq!(ids, (1..=MESSAGES).collect::<Vec<_>>());
}

#[test]
fn out_of_memory_it_ends_and_comes_back_whole() {
    let (_place, folder) = fresh();
    let server = Server::start(&folder);
    let tokens = found(&server, &folder, &["sender", "receiver"]);
    let id = server.child.id();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let held = status.lines().find_map(|l| l.strip_prefix("VmSize:"));
    let held: u64 = held
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    // Room for some 24 MiB more.
    let limit = format!("--as={}", (held + 24 * 1_024) * 1_024);
    let set = Command::new("prlimit")
        .args(["--pid", &id.to_string(), &limit])
        .status();
    if !set.is_ok_and(|s| s.success()) {
        eprintln!("skipped: prlimit is not to be had");
        return;
    }
    let mut door = server.door(&tokens[0]);
    let mut opened = Vec::new();
    for round in 0..2_000 {
        let commands: Vec<_> = (0..50)
            .map(|n| {
                json!({ "op": "ledger.open_account",
                "args": { "holder": "@sender", "label": format!("r{round}n{n}") } })
            })
            .collect();
        let Ok(answer) = door.op("commands", &json!({ "commands": commands })) else {
            break;
        };
        if answer.status != 200 {
            break;
        }
        for outcome in answer.body["outcomes"].as_array().unwrap() {
            opened.push(text(&outcome["accepted"]["ids"]["acct"]));
        }
    }
    eprintln!("{} accounts until memory ran out", opened.len());
    server.kill();
    let server = Server::start(&folder);
    let mut door = server.door(&tokens[0]);
    let end = door.get("/api/realm").unwrap().accepted()["position"].clone();
    for id in opened.iter().rev().take(200) {
        let path = format!("/api/ledger/accounts/{id}?min_position={end}");
        door.get(&path).unwrap().accepted();
    }
}
