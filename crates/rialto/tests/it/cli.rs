//! A realm served and used through the command line alone: a whole deal, crashes, copies of the data,
//! exit codes, and output for programs.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A folder with a realm in it, and the command line at work there.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    // Kept open, so that the server never writes into a closed pipe.
    _out: BufReader<std::process::ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Ends it as an operator does, and returns its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let kill = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(kill.success());
        self.child.wait().unwrap().code()
    }

    /// Ends it without warning.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What a command printed, and how it ended.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }

    /// The exit code and stable code of a refusal.
    pub(crate) fn refused(&self) -> (i32, String) {
        assert_eq!(self.out, "", "an error leaves standard output empty");
        let told: Value =
            serde_json::from_str(&self.err).unwrap_or_else(|e| panic!("{e}: {}", self.err));
        assert_eq!(told["error"]["exit"], json!(self.code));
        (
            self.code,
            told["error"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear();
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path());
        command
    }

    pub(crate) fn serve(&self, data: &str) -> Server {
        self.serve_at(data, "127.0.0.1:0")
    }

    pub(crate) fn serve_at(&self, data: &str, listen: &str) -> Server {
        self.serve_with(&["--listen", listen, "--data", data])
    }

    pub(crate) fn serve_with(&self, args: &[&str]) -> Server {
        let mut command = self.command(&[&["serve"][..], args].concat());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("address") {
            line.clear();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "the server ended");
        }
        let url = line.split_whitespace().last().unwrap().to_owned();
        Server {
            child,
            url,
            _out: out,
        }
    }

    pub(crate) fn run(&self, args: &[&str]) -> Done {
        done(&mut self.command(args))
    }

    /// Runs a command against a server with the token in a file of this place.
    pub(crate) fn ask(&self, server: &Server, token: &str, args: &[&str]) -> Done {
        let mut command = self.command(args);
        done(command.args(["--json", "--server", &server.url, "--token-file", token]))
    }

    /// The same with what was asked for as JSON.
    pub(crate) fn told(&self, server: &Server, token: &str, args: &[&str]) -> Value {
        self.ask(server, token, args).json()
    }
}

pub(crate) fn done(command: &mut Command) -> Done {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Done {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

pub(crate) const OPERATOR: &str = "rialto-data/operator.token";

/// Two owners with an agent each; the buyer has 40.
pub(crate) fn market(place: &Place, server: &Server) {
    for (owner, agent) in [("acme", "ana"), ("bistro", "casa")] {
        let admin = format!("{owner}.token");
        let signed = place.run(&[
            "owner",
            "sign-up",
            owner,
            "--save",
            &admin,
            "--server",
            &server.url,
        ]);
        assert_eq!(signed.code, 0, "{}", signed.err);
        assert!(!signed.out.contains("rlt_"), "a saved token is not printed");
        let registered = place.told(
            server,
            &admin,
            &[
                "agent",
                "register",
                &format!("@{agent}"),
                "--save",
                &format!("{agent}.token"),
            ],
        );
        assert_eq!(registered["token"]["file"], json!(format!("{agent}.token")));
        assert!(registered["token"].get("secret").is_none());
    }
    place.told(server, OPERATOR, &["ledger", "issue", "@ana", "40"]);
}

/// A call, a proposal, a counter-offer, a deal, its delivery and its payment; returns the deal's id.
pub(crate) fn deal(place: &Place, server: &Server) -> String {
    let ana = |args: &[&str]| place.told(server, "ana.token", args);
    let casa = |args: &[&str]| place.told(server, "casa.token", args);
    let call = ana(&[
        "call",
        "open",
        "lunch for two",
        "--open-for",
        "1h",
        "--want",
        "Taco=2",
        "--invite",
        "@casa",
    ]);
    let call = text(&call["ids"]["call"]).to_owned();
    let proposed = casa(&[
        "call",
        "propose",
        &call,
        "--price",
        "9",
        "--line",
        "Taco=2",
        "--valid-for",
        "1h",
    ]);
    let negotiation = text(&proposed["ids"]["neg"]).to_owned();
    ana(&[
        "deal",
        "counter",
        &negotiation,
        "--price",
        "7.50",
        "--line",
        "Taco=2",
        "--note",
        "a regular",
    ]);
    let offers = ana(&["deal", "show", &negotiation]);
    let (first, second) = (
        text(&offers["offers"][0]["hash"]),
        text(&offers["offers"][1]["hash"]),
    );
    let stale = place.ask(
        server,
        "casa.token",
        &["deal", "accept", &negotiation, first],
    );
    assert_eq!(stale.refused(), (1, "RLT0501".to_owned()));
    let agreed = casa(&["deal", "accept", &negotiation, &second[..8]]);
    let deal = text(&agreed["ids"]["deal"]).to_owned();
    casa(&["deal", "deliver", &deal, "two tacos"]);
    ana(&["deal", "accept-delivery", &deal]);
    deal
}

#[test]
fn a_missing_token_is_explained() {
    let place = Place::new();
    let server = place.serve("elsewhere");
    std::fs::write(place.path("wrong.token"), "rlt_wrong\n").unwrap();
    let ask = |args: &[&str], env: Option<(&str, &str)>| {
        let mut command = place.command(args);
        command
            .args(["deal", "list", "--server", &server.url])
            .envs(env);
        let done = done(&mut command);
        assert_eq!((done.code, done.out.as_str()), (1, ""));
        assert!(
            done.err.contains("rialto owner sign-up NAME --save FILE"),
            "{}",
            done.err
        );
        assert!(done.err.contains("code: RLT0015"), "{}", done.err);
        done.err
    };
    let none = ask(&[], None);
    for looked in [
        "--token-file",
        "RIALTO_TOKEN_FILE",
        "no rialto-data/operator.token",
    ] {
        assert!(
            none.lines().next().unwrap().contains(looked),
            "{looked}: {none}"
        );
    }
    let file = ask(&[], Some(("RIALTO_TOKEN_FILE", "wrong.token")));
    assert!(
        file.starts_with(&format!("error: the server at {} does not know the token in wrong.token (from environment RIALTO_TOKEN_FILE)", server.url)),
        "{file}"
    );
    let trace = place.run(&["trace", "foo"]);
    assert_eq!(trace.code, 2);
    assert!(
        trace.err.contains("\"foo\" is not an id") && trace.err.contains("deal_000000005001"),
        "{}",
        trace.err
    );
}

#[test]
fn a_server_that_cannot_listen_founds_nothing() {
    let place = Place::new();
    let first = place.serve("first");
    let taken = first.url.trim_start_matches("http://");
    let serve = ["serve", "--listen", taken, "--data", "second"];
    let told = place.run(&serve);
    assert_eq!(told.code, 2, "{}", told.err);
    for says in ["RLT0915", taken, "demo running", "--listen 127.0.0.1:"] {
        assert!(told.err.contains(says), "{says}: {}", told.err);
    }
    assert!(!place.path("second").exists(), "nothing is founded");
}

#[test]
fn a_wrong_command_line_is_json_too() {
    let place = Place::new();
    for (wrong, says) in [
        (&["--json", "nosuch"][..], "nosuch"),
        (&["deal", "lst", "--json"][..], "lst"),
        (&["--json", "deal", "offer", "--with", "@a"][..], "--side"),
        (&["--json", "deal"][..], "ends too early"),
    ] {
        let told = place.run(wrong);
        assert_eq!(told.refused(), (2, String::new()), "{wrong:?}");
        let told: Value = serde_json::from_str(&told.err).unwrap();
        let message = text(&told["error"]["message"]);
        assert!(message.contains(says), "{wrong:?}: {told}");
        assert!(text(&told["error"]["hint"]).contains("Usage"), "{told}");
    }
    assert!(place.run(&["deal", "lst"]).err.starts_with("error: "));
    assert_eq!(place.run(&["--json", "--version"]).code, 0);
}

#[test]
fn endings_have_their_codes() {
    let place = Place::new();
    let nowhere = ["--server", "http://127.0.0.1:1", "--json"];
    assert_eq!(
        place
            .run(&[&["agent", "list"][..], &nowhere].concat())
            .refused(),
        (3, "RLT0909".to_owned())
    );
    assert_eq!(
        place
            .run(&["log", "verify", "--data", "none", "--json"])
            .refused(),
        (4, "RLT0906".to_owned())
    );
    assert_eq!(
        place
            .run(&["operator", "reset-token", "--data", "none", "--json"])
            .refused(),
        (4, "RLT0906".to_owned())
    );
    assert!(
        !place.path("none").exists(),
        "nothing is founded by the way"
    );
    for wrong in [
        &["deal", "lst"][..],
        &[
            "deal", "offer", "--with", "@a", "--side", "buy", "--price", "ten",
        ],
        &["op", "deal.steal"],
        &["op", "deal.accept", "{"],
        &["explain", "RLT9999"],
        &["agent", "list", "--limit", "0"],
        &["accounts", "--period", "yesterday"],
        &["agent", "list", "--token-file", "missing"],
        &["serve", "--listen", "nonsense"],
    ] {
        let done = place.run(wrong);
        assert_eq!(done.code, 2, "{wrong:?} {}", done.err);
        assert!(done.out.is_empty() && !done.err.is_empty(), "{wrong:?}");
    }
    let told = place
        .run(&[&["agent", "list"][..], &nowhere[..2]].concat())
        .err;
    assert!(
        told.starts_with("error: the server cannot be reached: http://127.0.0.1:1"),
        "{told}"
    );
    assert!(
        told.contains("\n\nhint: ") && told.contains("\ncode: RLT0909"),
        "{told}"
    );
}

#[test]
fn a_reader_may_stop_early() {
    let place = Place::new();
    let mut command = place.command(&["explain", "--all"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 8];
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut first).unwrap();
    drop(out);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(
        (
            ended.status.code(),
            String::from_utf8(ended.stderr).unwrap()
        ),
        (Some(0), String::new())
    );
}

#[test]
fn settings_say_where_they_come_from() {
    let place = Place::new();
    std::fs::create_dir_all(place.path(".config/rialto")).unwrap();
    std::fs::write(
        place.path(".config/rialto/config.toml"),
        "server = \"http://user\"\nagent = \"@me\"\n",
    )
    .unwrap();
    std::fs::write(place.path("rialto.toml"), "server = \"http://project\"\n").unwrap();
    let shown = done(
        place
            .command(&["config", "show", "--origin", "--json"])
            .env("RIALTO_LISTEN", "127.0.0.1:1"),
    )
    .json();
    assert_eq!(
        shown["server"],
        json!({ "value": "http://project", "origin": "file rialto.toml" })
    );
    assert_eq!(
        shown["listen"],
        json!({ "value": "127.0.0.1:1", "origin": "environment RIALTO_LISTEN" })
    );
    assert_eq!(shown["agent"]["value"], json!("@me"));
    assert_eq!(
        shown["data"],
        json!({ "value": "rialto-data", "origin": "default" })
    );
    std::fs::write(place.path("rialto.toml"), "sever = \"x\"\n").unwrap();
    let wrong = place.run(&["config", "show"]);
    assert!(
        wrong.code == 2
            && wrong
                .err
                .contains("rialto.toml: there is no setting \"sever\""),
        "{}",
        wrong.err
    );
}

#[test]
fn shells_get_completions_and_codes_an_explanation() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.run(&["completions", shell]);
        assert!(
            script.code == 0 && script.out.contains("accept-delivery"),
            "{shell}"
        );
    }
    let explained = place.run(&["explain", "rlt0401", "--json"]).json();
    assert_eq!(
        (&explained["code"], &explained["http_status"]),
        (&json!("RLT0401"), &json!(402))
    );
    let text = place.run(&["explain", "RLT0401"]).out;
    assert!(
        text.contains("the account does not have enough money"),
        "{text}"
    );
    assert!(
        text.contains("\n  cause ") && text.contains("\n  remedy "),
        "{text}"
    );
    assert!(!text.contains("##"), "no markup: {text}");
}
