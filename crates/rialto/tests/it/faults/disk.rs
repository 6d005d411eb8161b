//! Disks that are full, failing, slow or damaged.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, thread};

use serde_json::json;

use super::http::{Answer, Door};
use super::server::{Server, found, fresh, key, operator, serve, verified};

/// Messages sent one after another, each with its key, until one is not accepted. How many were, with
/// their positions, and what the end looked like: an answer, or a cut connection.
fn until_refused(door: &mut Door, text: &str) -> (Vec<(String, u64)>, Option<Answer>) {
    let mut accepted = Vec::new();
    loop {
        let key = key(&format!("m{}", accepted.len()));
        match door.keyed("mail.send", &message(text), &key) {
            Ok(answer) if answer.status == 200 => {
                accepted.push((key, answer.body["position"].as_u64().unwrap()));
            }
            Ok(answer) => return (accepted, Some(answer)),
            Err(_) => return (accepted, None),
        }
        assert!(accepted.len() < 100_000, "nothing ever failed");
    }
}

fn message(text: &str) -> serde_json::Value {
    json!({ "to": { "agent": "@receiver" }, "body": text })
}

/// Every accepted message is known under its key, at its position, and new ones are taken.
fn still_there(door: &mut Door, accepted: &[(String, u64)], text: &str) {
    assert!(!accepted.is_empty(), "the fault came before anything");
    for (key, position) in accepted {
        let known = door.keyed("mail.send", &message(text), key).unwrap();
        let known = known.accepted();
        assert_eq!(
            (&known["duplicate"], &known["position"]),
            (&json!(true), &json!(position))
        );
    }
    door.op("mail.send", &message("on we go"))
        .unwrap()
        .accepted();
}

/// Serves on a disk of 8 MiB of its own, and again when it has grown.
const SMALL_DISK: &str = r#"
    mount -t tmpfs -o size=8m none "$1" || exit 99
    "$2" serve --listen 127.0.0.1:0 --data "$1/realm"
    echo "ended with $?"
    mount -o remount,size=64m "$1"
    exec "$2" serve --listen 127.0.0.1:0 --data "$1/realm"
"#;

fn may_mount() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "true"]);
    command.stderr(Stdio::null());
    command.status().is_ok_and(|s| s.success())
}

#[test]
fn a_full_disk_is_named_and_loses_nothing() {
    if !may_mount() {
        rialto_testing::skipped("this user may not mount a disk of its own");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", SMALL_DISK, "sh"]);
    command.arg(place.path()).arg(env!("CARGO_BIN_EXE_rialto"));
    let mut server = Server::run(command);
    // Its disk is to be seen through the process only.
    let inside = format!(
        "/proc/{}/root{}/realm",
        server.child.id(),
        place.path().display()
    );
    let tokens = found(&server, Path::new(&inside), &["sender", "receiver"]);
    let text = "x".repeat(20_000);
    let (accepted, end) = until_refused(&mut server.door(&tokens[0]), &text);
    if let Some(refusal) = end {
        assert_eq!((refusal.status, refusal.code()), (503, "RLT0903"));
    }
    let said = server.listen();
    assert!(said.iter().any(|line| line == "ended with 4"), "{said:?}");
    still_there(&mut server.door(&tokens[0]), &accepted, &text);
}

/// The server under strace, which lets system calls fail or take their time.
fn tampered(folder: &Path, inject: &str) -> Command {
    let mut command = Command::new("strace");
    command.args([
        "-D",
        "-f",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync,fdatasync",
        "-e",
        inject,
    ]);
    let plain = serve(folder);
    command.arg(plain.get_program()).args(plain.get_args());
    command
}

#[test]
fn a_failed_sync_stops_the_server_and_loses_nothing() {
    let (_place, folder) = fresh();
    let first = Server::start(&folder);
    let tokens = found(&first, &folder, &["sender", "receiver"]);
    assert_eq!(first.terminate(), Some(0));
    // Some syncs belong to the start; from the sixtieth on, all fail.
    let failing = "inject=fsync,fdatasync:error=EIO:when=60+";
    let server = Server::run(tampered(&folder, failing));
    let (accepted, end) = until_refused(&mut server.door(&tokens[0]), "hello");
    if let Some(refusal) = end {
        assert_eq!((refusal.status, refusal.code()), (503, "RLT0902"));
    }
    assert_eq!(server.end(), Some(4), "it stops; nothing is retried");
    let server = Server::start(&folder);
    still_there(&mut server.door(&tokens[0]), &accepted, "hello");
    assert_eq!(server.terminate(), Some(0));
    verified(&folder);
}

#[test]
fn a_slow_disk_slows_and_changes_nothing() {
    let (_place, folder) = fresh();
    let first = Server::start(&folder);
    let tokens = found(&first, &folder, &["sender", "receiver"]);
    assert_eq!(first.terminate(), Some(0));
    // Every sync takes a tenth of a second.
    let slow = "inject=fsync,fdatasync:delay_enter=100000";
    let server = Server::run(tampered(&folder, slow));
    let senders: Vec<_> = (0..16)
        .map(|n| {
            let (url, token) = (server.url.clone(), tokens[0].clone());
            thread::spawn(move || {
                let mut door = Door::open(&url, &token).unwrap();
                let sent = (0..10).map(|m| {
                    let key = key(&format!("s{n}m{m}"));
                    let answer = door.keyed("mail.send", &message("hello"), &key).unwrap();
                    (key, answer.accepted()["position"].as_u64().unwrap())
                });
                sent.collect::<Vec<_>>()
            })
        })
        .collect();
    let sent: Vec<_> = senders
        .into_iter()
        .flat_map(|s| s.join().unwrap())
        .collect();
    server.kill();
    // strace ends with the server that it followed.
    let server = Server::start(&folder);
    still_there(&mut server.door(&tokens[0]), &sent, "hello");
}

/// A realm with some history, ended as given.
fn history(end: impl Fn(Server)) -> (tempfile::TempDir, std::path::PathBuf) {
    let (place, folder) = fresh();
    let server = Server::start(&folder);
    let tokens = found(&server, &folder, &["sender", "receiver"]);
    let mut door = server.door(&tokens[0]);
    for n in 0..200 {
        door.op("mail.send", &message(&format!("message {n}")))
            .unwrap()
            .accepted();
    }
    end(server);
    (place, folder)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What verifying says of a damaged copy: the digest, or the stable code of what is wrong.
fn judged(folder: &Path) -> Result<String, String> {
    let done = Command::new(env!("CARGO_BIN_EXE_rialto"))
        .args(["--json", "log", "verify", "--data"])
        .arg(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let code = done
        .status
        .code()
        .unwrap_or_else(|| panic!("ended by a signal: {said}"));
    if code == 0 {
        let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        return Ok(told["digest"].to_string());
    }
    assert_eq!(code, 4, "{said}");
    let told: serde_json::Value =
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    Err(told["error"]["code"].as_str().unwrap().to_owned())
}

#[test]
fn a_flipped_byte_is_found_or_harmless_wherever_it_is() {
    let (place, folder) = history(|server| assert_eq!(server.terminate(), Some(0)));
    let sound = judged(&folder).unwrap();
    let length = fs::metadata(folder.join("log.db")).unwrap().len();
    let (mut found, mut harmless) = (0, 0);
    for n in 0..120_u64 {
        let at = usize::try_from(n * length / 120 + n * 37 % 97).unwrap();
        let damaged = place.path().join("damaged");
        copy(&folder, &damaged);
        let mut bytes = fs::read(damaged.join("log.db")).unwrap();
        let Some(byte) = bytes.get_mut(at) else {
            continue;
        };
        *byte ^= 0x41;
        fs::write(damaged.join("log.db"), bytes).unwrap();
        match judged(&damaged) {
            // Room that no row uses.
            Ok(digest) if digest == sound => harmless += 1,
            Ok(digest) => panic!("byte {at} changed the state unnoticed: {digest}"),
            Err(code) => {
                assert!(
                    ["RLT0902", "RLT0904", "RLT0905", "RLT0906"].contains(&code.as_str()),
                    "{code}"
                );
                found += 1;
            }
        }
        fs::remove_dir_all(&damaged).unwrap();
    }
    eprintln!("{found} found, {harmless} harmless");
    assert!(found > 40);
}

#[test]
fn a_torn_end_is_cut_off_or_named() {
    let (place, folder) = history(Server::kill);
    let wal = fs::read(folder.join("log.db-wal")).unwrap();
    for cut in [1, 7, 100, 4_000, 5_000, 20_000, 100_000] {
        let torn = place.path().join("torn");
        copy(&folder, &torn);
        let left = wal.len().saturating_sub(cut);
        fs::write(torn.join("log.db-wal"), &wal[..left]).unwrap();
        let judged = judged(&torn);
        assert!(
            judged.is_ok() || judged == Err("RLT0904".into()),
            "{cut}: {judged:?}"
        );
        fs::remove_dir_all(&torn).unwrap();
    }
}

#[test]
fn missing_and_foreign_views_are_made_anew() {
    let (_place, folder) = history(|server| assert_eq!(server.terminate(), Some(0)));
    let views = folder.join("views.db");
    let sound = fs::read(&views).unwrap();
    let half = sound[..sound.len() / 2].to_vec();
    let spoilt: [(&str, Option<Vec<u8>>); 4] = [
        ("missing", None),
        (
            "no database",
            Some(b"not a database at all, only a few words".repeat(200)),
        ),
        (
            "another database",
            Some(fs::read(folder.join("log.db")).unwrap()),
        ),
        ("half of it", Some(half)),
    ];
    for (what, bytes) in spoilt {
        match bytes {
            None => fs::remove_file(&views).unwrap(),
            Some(bytes) => fs::write(&views, bytes).unwrap(),
        }
        let server = Server::start(&folder);
        let mut door = server.door(&operator(&folder));
        let end = door.get("/api/realm").unwrap().accepted()["position"].clone();
        let agents = door
            .get(&format!("/api/agents?min_position={end}"))
            .unwrap();
        let agents = agents.accepted();
        assert_eq!(
            agents["items"].as_array().unwrap().len(),
            2,
            "{what}: {agents}"
        );
        assert_eq!(server.terminate(), Some(0), "{what}");
    }
}
