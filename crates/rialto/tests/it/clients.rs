//! The clients in `clients/` against a server of this build: their own tests, and the examples of their
//! README as they stand there.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::faults::http::Door;
use crate::faults::server::Server;

const README: &str = include_str!("../../../../clients/README.md");
fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients")
}

/// A realm that is served.
struct Realm {
    server: Server,
    data: tempfile::TempDir,
}

impl Realm {
    fn serve() -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(&data.path().join("realm"));
        Self { server, data }
    }

    fn operator_token(&self) -> PathBuf {
        self.data.path().join("realm/operator.token")
    }

    /// An agent that sells tacos, whom the README's examples meet.
    fn open_a_stall(&self) {
        let door = |token: &str| Door::open(&self.server.url, token).unwrap();
        let secret = |told: serde_json::Value| told["token"]["secret"].as_str().unwrap().to_owned();
        let owner = json!({ "name": "casa-co", "kind": "organisation" });
        let operator = std::fs::read_to_string(self.operator_token()).unwrap();
        let operator = operator.trim();
        let owner = secret(
            door(operator)
                .op("owner.sign_up", &owner)
                .unwrap()
                .accepted(),
        );
        let agent = json!({ "handle": "@casa", "profile": { "contact": "open" } });
        let agent = secret(
            door(&owner)
                .op("agent.register", &agent)
                .unwrap()
                .accepted(),
        );
        let listing = json!({ "terms": { "title": "Casa", "items": [{ "name": "Tacos", "price": "12.50" }] } });
        let listed = door(&agent).op("listing.publish", &listing).unwrap();
        listed.accepted();
    }
}

/// The example of a language, which stands in the README as it is.
fn example(file: &str, language: &str) -> PathBuf {
    let path = clients().join(file);
    let code = std::fs::read_to_string(&path).unwrap();
    let block = format!("```{language}\n{code}```");
    assert!(
        README.contains(&block),
        "clients/README.md does not show {file} as it is"
    );
    assert!(code.lines().count() <= 19, "{file}: an example is short");
    path
}

/// Runs a program of a test, and what it prints.
fn told(program: &mut Command) -> String {
    // Loopback is asked directly.
    for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        program.env_remove(proxy);
    }
    let output = program.output().unwrap();
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program:?}: {why}");
    String::from_utf8(output.stdout).unwrap()
}

fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        rialto_testing::skipped(format_args!("{program} is absent"));
    }
    there
}

#[test]
fn the_python_client_speaks_with_a_realm() {
    if !has("python3") {
        return;
    }
    let realm = Realm::serve();
    realm.open_a_stall();
    // `-B`: no compiled files are left behind in the project.
    let file = example("python/example.py", "python");
    // A second run meets what the first has left behind.
    for _ in 0..2 {
        let mut shown = Command::new("python3");
        shown.arg("-B").arg(&file).arg(&realm.server.url);
        check_example(&told(&mut shown));
    }

    let mut test = Command::new("python3");
    test.arg("-B").arg(clients().join("python/tests/live.py"));
    test.arg(&realm.server.url).arg(realm.operator_token());
    assert_eq!(told(&mut test), "all is well\n");
}

#[test]
fn the_typescript_client_speaks_with_a_realm() {
    if !has("node") {
        return;
    }
    let realm = Realm::serve();
    realm.open_a_stall();
    let file = example("typescript/example.mjs", "typescript");
    for _ in 0..2 {
        let mut shown = Command::new("node");
        check_example(&told(shown.arg(&file).arg(&realm.server.url)));
    }

    let mut test = Command::new("node");
    test.arg(clients().join("typescript/tests/live.mjs"));
    test.arg(&realm.server.url).arg(realm.operator_token());
    assert_eq!(told(&mut test), "all is well\n");
}

/// Both examples print the same.
fn check_example(told: &str) {
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "@casa 12.50", "{told}");
    assert!(lines[1].starts_with("RLT0002 "), "{told}");
    assert!(lines[2].starts_with("delivery "), "{told}");
}
