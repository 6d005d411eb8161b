//! More of everything than there is room for: connections, readers that do not read, memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
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

/// How many files this process may have open: as many as it is allowed.
fn files() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(20_000).min(20_000);
    if current.is_some_and(|files| files < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            maximum,
        };
        let _ = setrlimit(Resource::Nofile, raised);
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    usize::try_from(files).unwrap()
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
                .write_all(b"GET /healthz HTTP/1.1\r\nhost: rialto\r\nx-")
                .unwrap();
        }
        half_open.push(stream);
    }
    // Everybody else is served as ever.
    found(&server, &folder, &["sender", "receiver"]);
    server.is_ready(&operator(&folder));
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

/// A command that runs with no more open files than this, whatever it would like.
fn with_files(most: u32, mut inner: Command) -> Command {
    let mut command = Command::new("sh");
    let script = format!(r#"ulimit -n {most}; exec "$@""#);
    command.args(["-c", &script, "sh"]);
    command.arg(inner.get_program()).args(inner.get_args());
    inner.env_clear();
    command
}

#[test]
fn more_connections_than_files_do_not_stop_the_realm() {
    let (_place, folder) = fresh();
    if files() < 1_500 {
        rialto_testing::skipped(format_args!("this process may open only {} files", files()));
        return;
    }
    let server = Server::run(with_files(1_024, serve(&folder)));
    let tokens = found(&server, &folder, &["sender", "receiver"]);
    let address = server.url.trim_start_matches("http://").to_owned();
    let mut half_open = Vec::new();
    for _ in 0..1_100 {
        let mut stream = TcpStream::connect(&address).unwrap();
        let _ = stream.write_all(b"POST /api/owner.sign_up HTTP/1.1\r\nhost: rialto\r\nx-");
        half_open.push(stream);
    }
    // Long texts need files of their own, and lists the views'.
    let mut door = server.door(&tokens[0]);
    for n in 0..20 {
        let body = format!("{n} {}", "x".repeat(100_000));
        let message = json!({ "to": { "agent": "@receiver" }, "body": body });
        door.op("mail.send", &message).unwrap().accepted();
    }
    server.is_ready(&operator(&folder));
    let mut door = server.door(&operator(&folder));
    let end = door.get("/api/realm").unwrap().accepted()["position"].clone();
    let listed = door.get(&format!("/api/owners?min_position={end}"));
    listed.unwrap().accepted();
    drop(half_open);
    assert_eq!(server.terminate(), Some(0));
}

/// Asks and gives back the connection with the head of the answer, as far as there is one.
fn asked(address: &str, path: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let ask = format!("GET {path} HTTP/1.1\r\nhost: rialto\r\n\r\n");
    stream.write_all(ask.as_bytes()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut head = vec![0; 4_096];
    let read = stream.read(&mut head).unwrap_or(0);
    (stream, String::from_utf8_lossy(&head[..read]).into_owned())
}

#[test]
fn idle_connections_and_streams_without_a_token_keep_nobody_out() {
    let (_place, folder) = fresh();
    if files() < 1_500 {
        rialto_testing::skipped(format_args!("this process may open only {} files", files()));
        return;
    }
    let server = Server::run(with_files(1_024, serve(&folder)));
    let address = server.url.trim_start_matches("http://").to_owned();
    let served = || {
        server.is_ready(&operator(&folder));
        let mut door = server.door(&operator(&folder));
        door.get("/api/realm").unwrap().accepted();
    };
    // Who asked once and then is silent makes room.
    let idle: Vec<_> = (0..900).map(|_| asked(&address, "/api/realm")).collect();
    assert!(
        idle.iter()
            .all(|(_, head)| head.starts_with("HTTP/1.1 200"))
    );
    served();
    found(&server, &folder, &["sender"]);
    // Streams of one address are an eighth of all connections; the others are refused at once.
    let feed = "/api/feed/stream?feed=new";
    let streams: Vec<_> = (0..900).map(|_| asked(&address, feed)).collect();
    let follow = |head: &&(TcpStream, String)| head.1.starts_with("HTTP/1.1 200");
    assert_eq!(streams.iter().filter(follow).count(), 96);
    served();
    drop((idle, streams));
    assert_eq!(server.terminate(), Some(0));
}

/// Memory that a process holds, in KiB.
fn held(id: u32, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix(what)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Sends the head and 15 of 16 announced MiB of a body, as far as the server takes them, and nothing more.
fn most_of_a_body(address: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /api/mail.send HTTP/1.1\r\nhost: rialto\r\ncontent-type: application/json\r\n{headers}\
         content-length: {}\r\n\r\n",
        16 << 20
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let part = vec![b' '; 1 << 20];
    for _ in 0..15 {
        // Who is refused early cannot send the rest.
        if stream.write_all(&part).is_err() {
            break;
        }
    }
    stream
}

/// What the server answers, as far as it can be read.
fn answered(mut stream: TcpStream) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut answer = Vec::new();
    // A server that refuses early may reset the connection under the rest of the body.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn bodies_that_do_not_end_hold_little_and_not_for_long() {
    let (_place, folder) = fresh();
    let server = Server::start(&folder);
    let tokens = found(&server, &folder, &["sender", "receiver"]);
    let address = server.url.trim_start_matches("http://").to_owned();
    let before = held(server.child.id(), "VmRSS:");
    let strangers: Vec<TcpStream> = (0..60).map(|_| most_of_a_body(&address, "")).collect();
    let grown = held(server.child.id(), "VmRSS:").saturating_sub(before);
    assert!(grown < 48 << 10, "{grown} KiB for those without a token");
    drop(strangers);
    // One token holds as much as one may, and no longer than a pause is allowed.
    let bearer = format!(
        "authorization: Bearer {}\r\nconnection: close\r\n",
        tokens[0]
    );
    let mut door = server.door(&operator(&folder));
    let first = most_of_a_body(&address, &bearer);
    let first = std::thread::spawn(move || answered(first));
    // The others come when the first is held: of several that grow at once, all may be refused.
    let whole = format!("rialto_body_bytes {}\n", 15 << 20);
    while !text(&door.get("/metrics").unwrap().body).contains(&whole) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let sending: Vec<_> = (0..7)
        .map(|_| {
            let (address, bearer) = (address.clone(), bearer.clone());
            std::thread::spawn(move || answered(most_of_a_body(&address, &bearer)))
        })
        .collect();
    let sending = std::iter::once(first).chain(sending);
    let answers: Vec<String> = sending.map(|s| s.join().unwrap()).collect();
    let slow = answers.iter().filter(|a| a.contains("RLT0023")).count();
    assert_eq!(slow, 1, "of {answers:?}");
    let metrics = door.get("/metrics").unwrap().body;
    assert!(
        text(&metrics).contains("rialto_body_bytes 0\n"),
        "{metrics}"
    );
    let message = json!({ "to": { "agent": "@receiver" }, "body": "on we go" });
    let mut door = server.door(&tokens[0]);
    door.op("mail.send", &message).unwrap().accepted();
    let grown = held(server.child.id(), "VmRSS:").saturating_sub(before);
    assert!(grown < 200 << 10, "{grown} KiB after one with a token");
}

/// Reads a stream of an inbox from after a number, until it is cut off or has come to the last; gives back
/// the numbers of whole events.
fn numbers(stream: &mut TcpStream, last: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    let mut bytes = vec![0; 1 << 16];
    let wanted = format!("id: {last}\n");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    while !String::from_utf8_lossy(&seen[seen.len().saturating_sub(20_000)..]).contains(&wanted) {
        match stream.read(&mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(read) => seen.extend_from_slice(&bytes[..read]),
        }
    }
    let text = String::from_utf8_lossy(&seen).into_owned();
    let number = |line: &str| line.strip_prefix("id: ")?.trim().parse().ok();
    let mut found: Vec<u64> = text.lines().filter_map(number).collect();
    if found.last() != Some(&last) {
        // Of the last one not everything may have come.
        found.pop();
    }
    found
}

#[test]
fn a_reader_that_does_not_read_holds_up_nobody_and_misses_nothing() {
    const MESSAGES: u64 = 3_000;
    let (_place, folder) = fresh();
    let server = Server::start(&folder);
    let tokens = found(&server, &folder, &["sender", "receiver"]);
    let address = server.url.trim_start_matches("http://");
    let follow = |after: u64| {
        let mut stream = TcpStream::connect(address).unwrap();
        let ask = format!(
            "GET /api/inbox/stream HTTP/1.1\r\nhost: rialto\r\nlast-event-id: {after}\r\nauthorization: Bearer {}\r\n\r\n",
            tokens[1]
        );
        stream.write_all(ask.as_bytes()).unwrap();
        stream
    };
    let mut lazy = follow(0);
    let mut door = server.door(&tokens[0]);
    let body = "y".repeat(4_000);
    let message = json!({ "to": { "agent": "@receiver" }, "body": body });
    for _ in 0..MESSAGES {
        door.op("mail.send", &message).unwrap().accepted();
    }
    // Twelve megabytes did not fit between the two; now it reads, and each has its number. If it was cut
    // off meanwhile, it goes on where it was.
    let mut ids = numbers(&mut lazy, MESSAGES);
    while ids.last() != Some(&MESSAGES) {
        let more = numbers(&mut follow(ids.last().copied().unwrap_or(0)), MESSAGES);
        assert!(!more.is_empty(), "nothing after {:?}", ids.last());
        ids.extend(more);
    }
    assert_eq!(ids, (1..=MESSAGES).collect::<Vec<_>>());
}

#[test]
fn out_of_memory_it_ends_and_comes_back_whole() {
    let (_place, folder) = fresh();
    let server = Server::start(&folder);
    let tokens = found(&server, &folder, &["sender", "receiver"]);
    let id = server.child.id();
    let held = held(id, "VmSize:");
    // Room for some 24 MiB more.
    let limit = format!("--as={}", (held + 24 * 1_024) * 1_024);
    let set = Command::new("prlimit")
        .args(["--pid", &id.to_string(), &limit])
        .status();
    if !set.is_ok_and(|s| s.success()) {
        rialto_testing::skipped("prlimit is not to be had");
        return;
    }
    let mut door = server.door(&tokens[0]);
    let mut opened = Vec::new();
    for round in 0..2_000 {
        let commands: Vec<_> = (0..50)
            .map(|n| {
                json!({ "op": "usage.reserve",
                "args": { "tokens": 1, "run": format!("r{round}n{n}") } })
            })
            .collect();
        let Ok(answer) = door.op("commands", &json!({ "commands": commands })) else {
            break;
        };
        if answer.status != 200 {
            break;
        }
        for outcome in answer.body["outcomes"].as_array().unwrap() {
            opened.push(text(&outcome["accepted"]["ids"]["usage"]));
        }
    }
    eprintln!("{} reservations until memory ran out", opened.len());
    server.kill();
    let server = Server::start(&folder);
    let mut door = server.door(&tokens[0]);
    let end = door.get("/api/realm").unwrap().accepted()["position"].clone();
    for id in opened.iter().rev().take(200) {
        let path = format!("/api/usages/{id}?min_position={end}");
        door.get(&path).unwrap().accepted();
    }
}
