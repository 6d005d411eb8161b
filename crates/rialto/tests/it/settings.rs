//! Settings with tables: judged before they are used, read again by a running server as a whole or not at all, with
//! secrets that are named by where they are kept.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults::server::{Server, fresh, operator, serve, text};
use crate::webhook::{next, owner, receiver};

const PATIENCE: Duration = Duration::from_secs(60);

/// The binary in a folder whose rialto.toml counts, and in which no other file of settings does.
fn rialto(place: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
    command.current_dir(place).env("HOME", place);
    command.env_remove("XDG_CONFIG_HOME").stdin(Stdio::null());
    command
}

fn run(place: &Path, args: &[&str]) -> Output {
    rialto(place).args(args).output().unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Stores a secret from standard input.
pub(crate) fn store(folder: &Path, name: &str, secret: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rialto"))
        .args(["secret", "set", name, "--data"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // Who refuses the name or the folder reads nothing.
    let _ = input.write_all(secret.as_bytes());
    drop(input);
    child.wait_with_output().unwrap()
}

#[test]
fn settings_are_judged_before_they_are_used() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("some.toml");
    for (settings, code, want) in [
        ("listen = \"127.0.0.1:7601\"", 0, "127.0.0.1:7601"),
        (
            "[webhooks.ops]\nurl = \"https://ops.example/s3cret\"\nkey = \"env:NO_SUCH_KEY\"",
            0,
            "webhooks.ops.key: env:NO_SUCH_KEY is not set",
        ),
        (
            "[webhooks.ops]\nurl = \"https://ops.example/s3cret\"",
            0,
            "https://ops.example ",
        ),
        ("lisen = \"x\"", 2, "no setting \"lisen\""),
        ("listen = \"s3cret\"", 2, "not an address"),
        ("log_format = \"xml\"", 2, "neither text nor json"),
        ("proxies = \"here\"", 2, "not an IP address"),
        ("ca = \"/nowhere/ca.pem\"", 2, "/nowhere/ca.pem"),
        (
            "[webhooks.ops]\nurl = \"https://me:s3cret@ops.example\"",
            2,
            "[webhooks.ops] url",
        ),
        (
            "[webhooks.ops]\nurl = \"https://ops.example\"\nkey = \"s3cret\"",
            2,
            "[webhooks.ops] key",
        ),
        ("[webhook.ops]", 2, "no tables [webhook]"),
        ("key = \"s3cret", 2, "line 1"),
    ] {
        std::fs::write(&file, settings).unwrap();
        let done = run(place.path(), &["config", "check", "some.toml"]);
        let told = said(&done.stdout) + &said(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{settings}: {told}");
        assert!(told.contains(want), "{settings}: {told}");
        let repeats = told.contains("s3cret") && !settings.starts_with("listen");
        assert!(!repeats, "{settings}: {told}");
    }
    let done = run(place.path(), &["config", "check", "none.toml"]);
    assert!(
        said(&done.stderr).contains("RLT0938"),
        "{}",
        said(&done.stderr)
    );
    assert_eq!(
        run(place.path(), &["config", "check"]).status.code(),
        Some(0)
    );
}

/// Has a server read its settings again, as a person does: in another folder, whose settings are others.
fn reload(server: &Server, folder: &Path) -> Output {
    let mut command = rialto(folder);
    command.args(["--json", "config", "reload", "--server", &server.url]);
    command.env("RIALTO_DATA", folder).output().unwrap()
}

#[test]
fn a_server_reads_its_settings_again_as_a_whole_or_not_at_all() {
    let (place, folder) = fresh();
    let place = place.path();
    let settings = place.join("rialto.toml");
    let mut command = serve(&folder);
    command.current_dir(place).env("HOME", place);
    let server = Server::run(command);
    let boss = operator(&folder);
    let (house, _, _) = owner(&server, &boss, "house", "request");
    let (_, _, writer) = owner(&server, &boss, "writers", "open");

    // The first has a key, which is stored only after it was named.
    let (first, told) = receiver(&[]);
    let (second, told_too) = receiver(&[500]);
    let hook = |name: &str, url: &str| format!("[webhooks.{name}]\nurl = \"{url}\"\n");
    let both = hook("first", &first) + "key = \"secret:hook\"\n" + &hook("second", &second);
    std::fs::write(
        &settings,
        format!("public_url = \"https://new.example\"\n{both}"),
    )
    .unwrap();
    let done = reload(&server, &folder);
    let outcome: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        outcome["applied"],
        json!(["webhooks.first", "webhooks.second"])
    );
    assert_eq!(outcome["needs_restart"], json!(["public_url"]));
    let warning = text(&outcome["warnings"][0]);
    assert!(warning.contains("rialto secret set hook"), "{warning}");
    assert!(
        store(&folder, "hook", "hook-k3y-of-mine\n")
            .status
            .success()
    );

    let hello = json!({ "to": { "agent": "@house1" }, "body": "hello" });
    server
        .door(&writer)
        .op("mail.send", &hello)
        .unwrap()
        .accepted();
    // The second fails once, and the first does not get it again for that.
    let (head, _, value) = next(&told);
    assert!(head.contains("Bearer hook-k3y-of-mine"), "{head}");
    assert_eq!(value["owner"], json!(house));
    let ids: Vec<String> = (0..2)
        .map(|_| crate::webhook::id_of(&next(&told_too).0))
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert!(told.try_recv().is_err(), "the first was told twice");

    // What is wrong changes nothing, and says where it is.
    std::fs::write(
        &settings,
        format!("{}[webhooks.third]\nurl = \"x\"", hook("second", &first)),
    )
    .unwrap();
    let done = reload(&server, &folder);
    let why = said(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{why}");
    assert!(
        why.contains("RLT0938") && why.contains("[webhooks.third] url"),
        "{why}"
    );
    let metrics = || text(&server.door(&boss).get("/metrics").unwrap().body);
    assert!(
        metrics().contains("\nrialto_settings_reloads_total 1\n"),
        "{}",
        metrics()
    );
    assert!(
        metrics().contains("\nrialto_settings_refused_total 1\n"),
        "{}",
        metrics()
    );
    let (_, _, other) = owner(&server, &boss, "others", "open");
    server
        .door(&other)
        .op("mail.send", &hello)
        .unwrap()
        .accepted();
    let (_, _, value) = next(&told);
    assert_eq!(value["waiting"]["contact_requests"], json!(2));
    next(&told_too);

    // The signal does the same as the command.
    std::fs::write(&settings, hook("second", &second)).unwrap();
    let id = server.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-HUP", &id])
            .status()
            .unwrap()
            .success()
    );
    let since = Instant::now();
    while !metrics().contains("\nrialto_settings_reloads_total 2\n") {
        assert!(since.elapsed() < PATIENCE, "not read again");
        std::thread::sleep(Duration::from_millis(50));
    }
    let (_, _, more) = owner(&server, &boss, "more", "open");
    server
        .door(&more)
        .op("mail.send", &hello)
        .unwrap()
        .accepted();
    next(&told_too);
    assert!(told.try_recv().is_err(), "the first is told no more");
    // Nobody but the operator may.
    let refused = server
        .door(&writer)
        .op("config/reload", &json!({}))
        .unwrap();
    assert_eq!(refused.status, 403);
    assert_eq!(server.terminate(), Some(0));
    for file in [
        "log.db",
        "log.db-wal",
        "views.db",
        "views.db-wal",
        "entities.db",
    ] {
        let bytes = std::fs::read(folder.join(file)).unwrap_or_default();
        let key = b"hook-k3y-of-mine";
        let leaks = bytes.windows(key.len()).any(|part| part == key);
        assert!(!leaks, "the key is in {file}");
    }
}

#[test]
fn secrets_are_set_listed_and_removed_without_being_shown() {
    let (place, folder) = fresh();
    let early = store(&folder, "hook", "x");
    assert_ne!(early.status.code(), Some(0), "there is no realm yet");
    assert_eq!(Server::start(&folder).terminate(), Some(0));
    for (name, secret, want) in [
        ("hook", "s3cret", 0),
        ("Hook", "s3cret", 2),
        ("empty", "\n", 1),
    ] {
        let done = store(&folder, name, secret);
        assert_eq!(
            done.status.code(),
            Some(want),
            "{name}: {}",
            said(&done.stderr)
        );
        assert!(!said(&done.stdout).contains("s3cret") && !said(&done.stderr).contains("s3cret"));
    }
    let data = folder.to_str().unwrap();
    let listed = run(place.path(), &["--json", "secret", "list", "--data", data]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["name"], "hook");
    assert_eq!(listed["items"][0]["used_at"], Value::Null);
    let remove = ["secret", "remove", "hook", "--data", data];
    assert_eq!(run(place.path(), &remove).status.code(), Some(0));
    let again = run(place.path(), &remove);
    assert!(
        said(&again.stderr).contains("RLT0936"),
        "{}",
        said(&again.stderr)
    );
}
