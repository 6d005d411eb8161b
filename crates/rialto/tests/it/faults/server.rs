//! A server as a process of its own on a folder, and how it ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::http::Door;

/// A running server. It ends with this value.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
    out: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `rialto serve` on a folder.
pub(crate) fn serve(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
    // The name by which tests that speak plain HTTP call it.
    command.args(["serve", "--host", "rialto", "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(folder);
    command
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::run(serve(folder))
    }

    /// Runs a command that becomes a server, and waits until it says where it listens.
    pub(crate) fn run(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self {
            child,
            url: String::new(),
            out,
        };
        server.listen();
        server
    }

    /// Waits for the (next) address. The lines that were printed before it.
    pub(crate) fn listen(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "it ended after {said:?}");
            if line.contains("address") {
                self.url = line.split_whitespace().last().unwrap().to_owned();
                return said;
            }
            said.push(line.trim().to_owned());
        }
    }

    /// Ends it without warning.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends by itself. Its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Ends it as an operator does. Its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }

    pub(crate) fn door(&self, token: &str) -> Door {
        Door::open(&self.url, token).unwrap()
    }

    /// Waits until it says that it is ready, however long a busy machine keeps its lists behind.
    pub(crate) fn is_ready(&self, token: &str) {
        let until = Instant::now() + Duration::from_secs(120);
        let mut door = self.door(token);
        loop {
            let said = door.get("/readyz").unwrap();
            if said.status == 200 {
                return;
            }
            assert!(Instant::now() < until, "{}", said.body);
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The token that a server has stored for its operator.
pub(crate) fn operator(folder: &Path) -> String {
    let stored = std::fs::read_to_string(folder.join("operator.token")).unwrap();
    stored.trim().to_owned()
}

/// An idempotency key made now.
pub(crate) fn key(name: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{}.{name}", now.as_secs())
}

/// A realm without limits on rates, and agents of one owner with money: their tokens, by handle.
pub(crate) fn found(server: &Server, folder: &Path, agents: &[&str]) -> Vec<String> {
    let mut door = server.door(&operator(folder));
    let asked = json!({ "sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0,
        "offers_per_minute": 0, "agents_per_owner": 0, "creations_per_minute": 0 });
    door.op("policy.set_settings", &asked).unwrap().accepted();
    let asked = json!({ "name": "house", "kind": "organisation" });
    let owner = door.op("owner.sign_up", &asked).unwrap().accepted();
    let (id, secret) = (&owner["ids"]["owner"], text(&owner["token"]["secret"]));
    let mut admin = server.door(&secret);
    let mut tokens = Vec::new();
    for handle in agents {
        let asked = json!({ "owner": id, "handle": handle, "profile": { "contact": "open" } });
        let made = admin.op("agent.register", &asked).unwrap().accepted();
        tokens.push(text(&made["token"]["secret"]));
        let asked = json!({ "to": format!("@{handle}"), "amount": "1000000" });
        door.op("ledger.issue", &asked).unwrap().accepted();
    }
    tokens
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}

/// What `rialto log verify` says of a folder: the chain walked, the state replayed from the first
/// event, its digest compared with the snapshot's.
pub(crate) fn verified(folder: &Path) -> Value {
    let done = Command::new(env!("CARGO_BIN_EXE_rialto"))
        .args(["--json", "log", "verify", "--data"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    serde_json::from_slice(&done.stdout).unwrap()
}

/// A folder for a realm that does not exist yet.
pub(crate) fn fresh() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("realm");
    (place, folder)
}
