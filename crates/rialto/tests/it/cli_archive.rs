//! A realm whose log is archived, by the command line: what goes on, what needs a segment and says so.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::{Done, OPERATOR, Place, Server, deal, market, text};

/// What people look at of a realm, through the server.
fn looks(place: &Place, server: &Server, operator: &str, deal: &str) -> Vec<Value> {
    let inbox = place.told(server, "casa.token", &["inbox", "read"]);
    let export = place.ask(server, "acme.token", &["owner", "export"]);
    assert_eq!(export.code, 0, "{}", export.err);
    vec![
        place.told(server, operator, &["log", "digest"])["digest"].clone(),
        place.told(server, operator, &["log", "show", "3"]),
        place.told(server, operator, &["log", "show", "--limit", "100"]),
        place.told(server, "ana.token", &["deal", "show", deal]),
        place.told(server, operator, &["trace", deal]),
        place.told(
            server,
            operator,
            &["accounts", "--by", "agent,counterparty"],
        ),
        place.told(server, "ana.token", &["ledger", "statement", "@ana"]),
        json!(export.out),
        inbox["items"].clone(),
    ]
}

fn code(done: &Done) -> (i32, String) {
    let told: Value = serde_json::from_str(done.err.lines().last().unwrap_or_default()).unwrap();
    (done.code, text(&told["error"]["code"]).to_owned())
}

fn segments(place: &Place) -> Vec<PathBuf> {
    let names = fs::read_dir(place.path("attic")).unwrap();
    names.map(|name| name.unwrap().path()).collect()
}

#[test]
fn a_realm_goes_on_without_what_is_archived_and_says_when_it_needs_it() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    let deal = deal(&place, &server);
    place.told(
        &server,
        "ana.token",
        &["message", "send", "@casa", "are you still there?"],
    );
    let before = looks(&place, &server, OPERATOR, &deal);
    let archive = ["log", "archive", "--before", "2099-01-01", "--to", "attic"];
    let with = |more: &[&'static str]| [&archive[..], more].concat();
    let locked = place.run(&with(&["--json"]));
    assert_eq!(locked.refused(), (4, "RLT0907".to_owned()));
    assert_eq!(server.terminate(), Some(0));

    let verified = place.run(&["log", "verify", "--json"]).json();
    let none = place.run(&[
        "log",
        "archive",
        "--before",
        "2001-01-01",
        "--to",
        "attic",
        "--json",
    ]);
    assert_eq!(none.json()["segments"], json!(0));
    let done = place.run(&with(&["--json"])).json();
    let position = verified["position"].as_u64().unwrap();
    let until = done["until"].as_u64().unwrap();
    assert!(until >= 10 && until < position, "{done}");
    assert_eq!((&done["from"], &done["segments"]), (&json!(1), &json!(1)));
    assert_eq!(segments(&place).len(), 1);

    // The server reads nothing of it, and shows the same.
    let server = place.serve("rialto-data");
    assert_eq!(looks(&place, &server, OPERATOR, &deal), before);
    assert_eq!(place.run(&["backup", "copy", "--with-secrets"]).code, 0);
    assert_eq!(server.terminate(), Some(0));

    verifies(&place, &verified, until);
    shows(&place, until);
    views_come_back(&place, &before, &deal);

    // The backup begins where its log does.
    let rest = place
        .run(&["log", "verify", "--data", "copy", "--json"])
        .json();
    assert_eq!(rest["archived"], json!(until));
    assert_eq!(place.run(&["restore", "copy", "--data", "again"]).code, 0);
    let server = place.serve_with(&[
        "--listen",
        "127.0.0.1:0",
        "--data",
        "again",
        "--archive",
        "attic",
    ]);
    let again = looks(&place, &server, "again/operator.token", &deal);
    assert_eq!(again, before);
    assert_eq!(server.terminate(), Some(0));
}

fn verifies(place: &Place, before: &Value, until: u64) {
    let rest = place.run(&["log", "verify", "--json"]).json();
    let same = ["position", "digest", "entities", "chain"];
    for field in same {
        assert_eq!(rest[field], before[field], "{field}");
    }
    assert_eq!(rest["archived"], json!(until));
    assert_eq!(rest["verified_from"], json!(until + 1));
    let told = place.run(&["log", "verify"]).out;
    assert!(told.contains("--archive DIR verifies all"), "{told}");
    let all = place
        .run(&["log", "verify", "--archive", "attic", "--json"])
        .json();
    for field in [&same[..], &["frames", "bytes", "contents"]].concat() {
        assert_eq!(all[field], before[field], "{field}");
    }
    assert_eq!(all["verified_from"], json!(1));

    // A segment that was changed, and one that is missing.
    let path = segments(place).remove(0);
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(&path, bad).unwrap();
    let verify = ["log", "verify", "--archive", "attic", "--json"];
    assert_eq!(place.run(&verify).refused(), (4, "RLT0919".to_owned()));
    fs::remove_file(&path).unwrap();
    assert_eq!(place.run(&verify).refused(), (4, "RLT0918".to_owned()));
    fs::write(&path, good).unwrap();
}

fn shows(place: &Place, until: u64) {
    let show = ["log", "show", "--data", "rialto-data", "--json"];
    let with = |more: &[&'static str]| place.run(&[&show[..], more].concat());
    let first = |page: Value| page["items"][0]["position"].clone();
    assert_eq!(first(with(&[]).json()), json!(until + 1));
    assert_eq!(with(&["3"]).refused(), (4, "RLT0918".to_owned()));
    assert_eq!(with(&["--after", "0"]).refused(), (4, "RLT0918".to_owned()));
    assert_eq!(first(with(&["--archive", "attic"]).json()), json!(1));
    let third = with(&["3", "--archive", "attic"]).json();
    assert_eq!(third["envelope"]["position"], json!(3));
}

/// Without views, a server needs the archive, as the option or as the setting.
fn views_come_back(place: &Place, before: &[Value], deal: &str) {
    for name in ["views.db", "views.db-wal", "views.db-shm"] {
        let _ = fs::remove_file(place.path("rialto-data").join(name));
    }
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    assert_eq!(code(&refused), (4, "RLT0918".to_owned()));
    assert!(refused.err.contains("segment"), "{}", refused.err);
    fs::write(place.path("rialto.toml"), "archive = \"attic\"").unwrap();
    let server = place.serve("rialto-data");
    assert_eq!(looks(place, &server, OPERATOR, deal), before);
    assert_eq!(server.terminate(), Some(0));
    fs::remove_file(place.path("rialto.toml")).unwrap();
}

/// Killed at any moment, archiving leaves a realm that goes on, and can be finished.
#[test]
fn archiving_that_is_killed_is_done_again() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    deal(&place, &server);
    assert_eq!(server.terminate(), Some(0));
    let before = place.run(&["log", "verify", "--json"]).json();
    let archive = ["log", "archive", "--before", "2099-01-01", "--to", "attic"];
    for ms in [2, 5, 10, 15, 20, 25, 30, 40, 60, 90] {
        let mut command = place.command(&archive);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(ms));
        child.kill().unwrap();
        child.wait().unwrap();
        let verified = place
            .run(&["log", "verify", "--archive", "attic", "--json"])
            .json();
        assert_eq!(verified["digest"], before["digest"], "after {ms} ms");
    }
    let done = place.run(&archive);
    assert_eq!(done.code, 0, "{}", done.err);
    let all = place
        .run(&["log", "verify", "--archive", "attic", "--json"])
        .json();
    for field in ["position", "digest", "chain", "frames"] {
        assert_eq!(all[field], before[field], "{field}");
    }
}
