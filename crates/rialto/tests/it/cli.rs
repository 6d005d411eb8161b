//! A realm served and used through the command line alone: a whole deal, crashes, copies of the data,
//! exit codes, and output for programs.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
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
    fn terminate(mut self) -> Option<i32> {
        let kill = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(kill.success());
        self.child.wait().unwrap().code()
    }

    /// Ends it without warning.
    fn kill(mut self) {
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
    fn refused(&self) -> (i32, String) {
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

    fn serve_at(&self, data: &str, listen: &str) -> Server {
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

const OPERATOR: &str = "rialto-data/operator.token";

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
fn a_whole_deal_through_the_command_line() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    let ana = |args: &[&str]| place.told(&server, "ana.token", args);
    let casa = |args: &[&str]| place.told(&server, "casa.token", args);

    casa(&[
        "listing",
        "publish",
        "Casa",
        "--item",
        "Taco=3.50",
        "--attribute",
        "outdoor",
        "--description",
        "by the canal",
    ]);
    let found = ana(&[
        "listing",
        "search",
        "--item",
        "taco",
        "--attribute",
        "Outdoor",
    ]);
    assert_eq!(found["hits"][0]["listing"]["seller"], json!("@casa"));

    ana(&["message", "send", "@casa", "is there a table?"]);
    let inbox = casa(&["inbox", "read"]);
    assert_eq!(inbox["deliveries"][0]["item"]["kind"], json!("request"));
    casa(&["inbox", "admit", "@ana"]);
    casa(&["inbox", "ack", "1"]);
    assert_eq!(casa(&["inbox", "read"])["acknowledged"], json!(1));
    assert_eq!(
        ana(&["message", "search", "table"])["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );

    let deal = deal(&place, &server);
    let shown = ana(&["deal", "show", &deal]);
    assert_eq!(
        (&shown["deal"]["state"], &shown["deal"]["paid"]),
        (&json!("settled"), &json!("7.50"))
    );
    let statement = casa(&["ledger", "statement", "@casa"]);
    assert_eq!(statement["items"][0]["balance"], json!("7.50"));
    let trial = ana(&["ledger", "trial-balance"]);
    assert_eq!(trial["items"][0]["sum"], json!("0.00"));
    let accounts = place.told(
        &server,
        OPERATOR,
        &["accounts", "--by", "agent,counterparty"],
    );
    assert_eq!(
        (
            &accounts["total"][0]["spent"],
            &accounts["total"][0]["earned"]
        ),
        (&json!("7.50"), &json!("7.50"))
    );
    let key = text(&accounts["rows"][0]["key"]);
    let events = place.told(
        &server,
        OPERATOR,
        &["accounts", "--by", "agent,counterparty", "--events", key],
    );
    assert!(!events["items"].as_array().unwrap().is_empty());
    let trace = ana(&["trace", &deal]);
    assert_eq!(trace["gaps"], json!([]));
    assert!(trace["hops"].as_array().unwrap().len() >= 6, "{trace}");

    // Read from the files beside the server, the log leads to the state that the server has.
    let digest = place.told(&server, OPERATOR, &["log", "digest"]);
    let verified = place.run(&["log", "verify", "--json"]).json();
    assert_eq!(
        (&verified["digest"], &verified["position"]),
        (&digest["digest"], &digest["position"])
    );
    assert_eq!(verified["entities"], digest["entities"]);
    let agreed = place
        .run(&[
            "log",
            "show",
            "--data",
            "rialto-data",
            "--kind",
            "market.deal_agreed",
            "--json",
        ])
        .json();
    assert_eq!(agreed["items"].as_array().map(Vec::len), Some(1));
    let mut same = place.told(
        &server,
        OPERATOR,
        &["log", "show", "--kind", "market.deal_agreed"],
    );
    // Only the server has the views that say it in words.
    let said = same["items"][0].as_object_mut().unwrap().remove("said");
    assert_eq!(said.and_then(|s| s.as_array().map(Vec::len)), Some(3));
    assert_eq!(agreed["items"], same["items"]);

    // An owner leaves with everything of its own.
    let export = place.run(&[
        "owner",
        "export",
        "--server",
        &server.url,
        "--token-file",
        "acme.token",
    ]);
    assert_eq!(export.code, 0, "{}", export.err);
    assert!(export.out.lines().count() > 5);
    assert!(
        export
            .out
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
}

#[test]
fn text_is_for_people() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    place.told(
        &server,
        "casa.token",
        &["listing", "publish", "Casa", "--item", "Taco=3.50"],
    );
    deal(&place, &server);
    let lines = |args: &[&str]| {
        let mut command = place.command(args);
        let done = done(command.args(["--server", &server.url, "--token-file", "ana.token"]));
        assert_eq!(done.code, 0, "{args:?} {}", done.err);
        assert!(!done.out.contains('\u{1b}'), "no colours off a terminal");
        done.out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let deals = lines(&["deal", "list"]);
    assert!(
        deals[0].starts_with("ID ") && deals[0].contains("STATE"),
        "{deals:?}"
    );
    assert!(
        deals[1].contains("@ana") && deals[1].contains("settled") && deals[1].contains("7.50"),
        "{deals:?}"
    );
    let cards = lines(&["agent", "list"]);
    assert!(
        cards.iter().any(|line| line.starts_with("@casa")),
        "{cards:?}"
    );
    let wanted = lines(&["listing", "search"]);
    assert!(
        wanted.iter().any(|line| line.contains("Taco 3.50")),
        "{wanted:?}"
    );
    let deal = deals[1].split(' ').next().unwrap();
    let shown = lines(&["deal", "show", deal]).join("\n");
    assert!(shown.contains("price      7.50 USD"), "{shown}");
    let event = done(
        place
            .command(&["log", "show", "5"])
            .args(["--server", &server.url]),
    );
    assert_eq!(event.code, 0, "{}", event.err);
    let accounts = lines(&["accounts"]);
    assert!(
        accounts.iter().any(|line| line.starts_with("total")),
        "{accounts:?}"
    );
    let statement = lines(&["ledger", "statement", "@ana"]);
    assert!(statement[0].contains("BALANCE"), "{statement:?}");
}

#[test]
fn an_offer_says_how_it_is_accepted() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    let text = |token: &str, args: &[&str]| {
        let mut command = place.command(args);
        let done = done(command.args(["--server", &server.url, "--token-file", token]));
        assert_eq!(done.code, 0, "{args:?} {}", done.err);
        format!("{}{}", done.out, done.err)
    };
    // Who sells something takes offers from strangers.
    text(
        "casa.token",
        &["listing", "publish", "Casa", "--item", "Taco=9"],
    );
    let none = text("ana.token", &["deal", "list"]);
    assert!(none.contains("there are no open negotiations"), "{none}");
    let offered = text(
        "ana.token",
        &[
            "deal", "offer", "--with", "@casa", "--side", "buy", "--price", "7.50",
        ],
    );
    let none = text("ana.token", &["deal", "list"]);
    assert!(
        none.contains("1 negotiation is open: rialto deal list --negotiations"),
        "{none}"
    );
    // What the one side is told, the other can do.
    let accept = offered
        .lines()
        .find_map(|line| line.split_once("rialto deal accept "))
        .unwrap_or_else(|| panic!("no word on accepting in {offered}"))
        .1;
    let (talk, hash) = accept.split_once(' ').unwrap();
    let inbox = text("casa.token", &["inbox", "read"]);
    assert!(
        inbox.contains(&format!("rialto deal accept {talk} {hash}")),
        "{inbox}"
    );
    let shown = text("casa.token", &["deal", "show", talk]);
    assert!(
        shown.contains(&format!(
            "@casa may accept it with: rialto deal accept {talk} {hash}"
        )),
        "{shown}"
    );
    let told = place.told(&server, "casa.token", &["deal", "show", talk]);
    let bargain = &told["offers"][0]["terms"]["bargain"];
    assert_eq!(
        (&bargain["price"], &bargain["asset"]),
        (&json!("7.50"), &json!("USD"))
    );
    let countered = place.told(
        &server,
        "casa.token",
        &["deal", "counter", talk, "--price", "8"],
    );
    let hash = &countered["offer"].as_str().unwrap()[..8];
    let agreed = place.told(&server, "ana.token", &["deal", "accept", talk, hash]);
    let deal = agreed["ids"]["deal"].as_str().unwrap();
    let inbox = text("casa.token", &["inbox", "read"]);
    assert!(
        inbox.contains(&format!("rialto deal deliver {deal} TEXT")),
        "{inbox}"
    );
    let early = place.ask(&server, "ana.token", &["deal", "accept-delivery", deal]);
    assert!(early.err.contains("the deal is agreed"), "{}", early.err);
    // The log counts in smallest units; nobody else has to.
    let log = place.told(
        &server,
        OPERATOR,
        &["log", "show", "--kind", "market.deal_agreed"],
    );
    let agreed = log["items"][0]["events"].as_array().unwrap().iter();
    let prices: Vec<&Value> = agreed
        .filter_map(|e| e.pointer("/market/deal_agreed/bargain/price"))
        .collect();
    assert_eq!(prices, [&json!("8.00")]);
    let at = log["items"][0]["position"].to_string();
    let shown = place.run(&["log", "show", &at, "--data", "rialto-data"]);
    let period = |line: &str| line.trim().starts_with("deliver_within ") && line.ends_with(" 1 d");
    assert!(shown.out.lines().any(period), "{}", shown.out);
    assert!(!shown.out.contains("8000000000"), "{}", shown.out);
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
        file.starts_with("error: the server does not know the token in wrong.token (from environment RIALTO_TOKEN_FILE)"),
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

#[test]
fn an_inbox_is_followed_across_a_restart() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    let url = server.url.clone();
    let mut follow = place.command(&[
        "inbox",
        "follow",
        "--json",
        "--server",
        &url,
        "--token-file",
        "casa.token",
    ]);
    let mut child = follow
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        serde_json::from_str::<Value>(&line).unwrap()["seq"].clone()
    };
    place.told(&server, "ana.token", &["message", "send", "@casa", "one"]);
    assert_eq!(next(), json!(1));
    assert_eq!(
        server.terminate(),
        Some(0),
        "an open stream does not hold the server"
    );
    let again = place.serve_at("rialto-data", url.trim_start_matches("http://"));
    place.told(&again, "casa.token", &["inbox", "admit", "@ana"]);
    place.told(&again, "ana.token", &["message", "send", "@casa", "two"]);
    assert_eq!(
        next(),
        json!(2),
        "nothing is missed and nothing comes twice"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}
