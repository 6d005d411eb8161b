//! Data folders by the command line: kills, backups, damage.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{Done, OPERATOR, Place, deal, market, text};

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    let deal = deal(&place, &server);
    let before = place.told(&server, OPERATOR, &["log", "digest"]);

    let second = place.run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "rialto-data",
        "--json",
    ]);
    assert_eq!(last_line(&second), (4, "RLT0907".to_owned()));
    let reset = place.run(&["operator", "reset-token", "--json"]);
    assert_eq!(last_line(&reset), (4, "RLT0907".to_owned()));

    server.kill();
    let server = place.serve("rialto-data");
    let after = place.told(&server, OPERATOR, &["log", "digest"]);
    assert_eq!(after["digest"], before["digest"]);
    assert_eq!(
        place.told(&server, "ana.token", &["deal", "show", &deal])["deal"]["state"],
        json!("settled")
    );
    assert_eq!(server.terminate(), Some(0));
}

/// The last line of standard error, which may hold the server's log before it.
fn last_line(done: &Done) -> (i32, String) {
    let told: Value = serde_json::from_str(done.err.lines().last().unwrap_or_default()).unwrap();
    (done.code, text(&told["error"]["code"]).to_owned())
}

#[test]
fn a_backup_holds_the_texts_that_its_keys_open() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    let sent = ["message", "send", "@casa", "a private word"];
    let sent = place.told(&server, "ana.token", &sent);
    let message = text(&sent["ids"]["msg"]).to_owned();
    let shown = place.told(&server, "ana.token", &["message", "show", &message]);
    let content = text(&shown["body"]["content"]).to_owned();
    let backup = place.run(&["backup", "copy", "--json"]).json();
    let contents = backup["contents"].as_u64().unwrap();
    // Erased after the backup was made; then its keys are renewed.
    place.told(&server, OPERATOR, &["erase", &content]);
    std::fs::copy(place.path("copy/keys.db"), place.path("apart.db")).unwrap();
    let renewed = place.run(&["backup", "copy", "--keys-only"]);
    assert_eq!(renewed.code, 0, "{}", renewed.err);
    assert_eq!(server.terminate(), Some(0));
    let count = |folder: &str| {
        let verified = place
            .run(&["log", "verify", "--data", folder, "--json"])
            .json();
        let number = |name: &str| verified[name].as_u64().unwrap();
        number("contents") - number("erased")
    };
    let restore = |args: &[&str]| place.run(&[&["restore", "copy", "--data"], args].concat());
    assert_eq!(restore(&["renewed"]).code, 0);
    assert_eq!(count("renewed"), contents - 1);
    assert_eq!(restore(&["with-older", "--keys", "apart.db"]).code, 0);
    assert_eq!(count("with-older"), contents);

    std::fs::remove_file(place.path("copy/keys.db")).unwrap();
    assert_eq!(
        restore(&["none", "--json"]).refused(),
        (4, "RLT0916".to_owned())
    );
    assert!(!place.path("none").exists());
    assert_eq!(restore(&["log-only", "--without-texts"]).code, 0);
    assert_eq!(count("log-only"), 0);
    for folder in ["log-only", "with-older"] {
        let key = place.path(&format!("{folder}/realm.key"));
        std::fs::copy(place.path("rialto-data/realm.key"), key).unwrap();
    }
    let server = place.serve("log-only");
    assert_eq!(server.terminate(), Some(0));
    for name in ["keys.db", "keys.db-wal", "keys.db-shm"] {
        let _ = std::fs::remove_file(place.path(&format!("with-older/{name}")));
    }
    let served = [
        "serve",
        "--data",
        "with-older",
        "--listen",
        "127.0.0.1:0",
        "--json",
    ];
    let served = place.run(&served);
    assert_eq!(served.refused(), (4, "RLT0916".to_owned()));
}

#[test]
fn a_backup_taken_while_serving_is_served_again() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    let deal = deal(&place, &server);
    let sent = place.told(
        &server,
        "ana.token",
        &["message", "send", "@casa", "a private word"],
    );
    let shown = place.told(
        &server,
        "ana.token",
        &["message", "show", text(&sent["ids"]["msg"])],
    );
    let content = text(&shown["body"]["content"]).to_owned();
    place.told(&server, OPERATOR, &["erase", &content]);
    let digest = place.told(&server, OPERATOR, &["log", "digest"])["digest"].clone();

    assert_eq!(
        place
            .run(&["backup", "copy", "--with-secrets", "--json"])
            .json()["secrets"],
        json!(["realm.key", "operator.token"])
    );
    assert_eq!(
        place.run(&["backup", "copy", "--json"]).refused(),
        (4, "RLT0912".to_owned())
    );
    let plain = place.run(&["backup", "plain"]);
    assert!(
        plain.code == 0 && !place.path("plain/realm.key").exists(),
        "{}",
        plain.err
    );
    assert_eq!(server.terminate(), Some(0));

    let verified = place
        .run(&["log", "verify", "--data", "copy", "--json"])
        .json();
    assert_eq!(
        (&verified["digest"], &verified["erased"]),
        (&digest, &json!(1))
    );
    assert_eq!(place.run(&["restore", "copy", "--data", "again"]).code, 0);
    let server = place.serve("again");
    let again = "again/operator.token";
    assert_eq!(
        place.told(&server, again, &["log", "digest"])["digest"],
        digest
    );
    assert_eq!(
        place.told(&server, "ana.token", &["deal", "show", &deal])["deal"]["state"],
        json!("settled")
    );
    assert_eq!(server.terminate(), Some(0));

    // A lost operator token: the holder of the folder gets a new one.
    std::fs::copy(place.path(again), place.path("old.token")).unwrap();
    assert_eq!(
        place
            .run(&["operator", "reset-token", "--data", "again"])
            .code,
        0
    );
    assert_eq!(
        place
            .run(&["operator", "rotate-key", "--data", "again"])
            .code,
        0
    );
    let server = place.serve("again");
    assert_eq!(
        place
            .ask(&server, "old.token", &["log", "digest"])
            .refused(),
        (1, "RLT0015".to_owned())
    );
    assert!(
        place.told(&server, again, &["log", "digest"])["position"]
            .as_u64()
            .unwrap()
            > 0
    );
}

#[test]
fn damage_is_named() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    assert_eq!(server.terminate(), Some(0));
    std::fs::create_dir(place.path("foreign")).unwrap();
    std::fs::write(
        place.path("foreign/log.db"),
        "this is no database of any kind",
    )
    .unwrap();
    let refused = place
        .run(&["log", "verify", "--data", "foreign", "--json"])
        .refused();
    assert_eq!(refused, (4, "RLT0906".to_owned()));
    damage(&place.path("rialto-data"), b"bistro");
    let refused = place.run(&["log", "verify", "--json"]).refused();
    assert_eq!(refused, (4, "RLT0904".to_owned()));
}

/// Changes every place in a log's files where some bytes stand.
fn damage(folder: &Path, needle: &[u8]) {
    let mut changed = 0;
    for name in ["log.db", "log.db-wal"] {
        let Ok(mut bytes) = std::fs::read(folder.join(name)) else {
            continue;
        };
        let places = bytes
            .windows(needle.len())
            .enumerate()
            .filter(|(_, window)| *window == needle);
        for at in places.map(|(at, _)| at).collect::<Vec<_>>() {
            bytes[at] ^= 1;
            changed += 1;
        }
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    assert!(changed > 0, "the log holds the bytes");
}
