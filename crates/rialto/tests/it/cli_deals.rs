//! Dealing by the command line: what a person types, what it says, and what an inbox shows.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::cli::{OPERATOR, Place, deal, done, market, text};

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
    let told = same["items"][0].as_object_mut().unwrap();
    assert_eq!(told.remove("by"), Some(json!("@casa")));
    let said = told.remove("said");
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
        assert!(!done.out.contains('…'), "nothing is cut off a terminal");
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
    assert!(event.out.contains("auth       token tok_"), "{}", event.out);
    // By whom: an agent's handle, in the log of the server as in that of the folder.
    for from in [&["--server", &server.url][..], &["--data", "rialto-data"]] {
        let told = |args: &[&str]| place.run(&[&["log", "show"][..], args, from].concat());
        let by_casa = told(&["--actor", "@casa", "--kind", "market.deal_agreed"]);
        assert_eq!(by_casa.out.lines().count(), 2, "{}", by_casa.out);
        let by_ana = told(&["--actor", "@ana", "--kind", "market.deal_agreed"]);
        assert_eq!(by_ana.out, "", "{}", by_ana.err);
        let unknown = told(&["--kind", "approval_ended"]);
        assert_ne!(unknown.code, 0);
        assert!(
            unknown.err.contains("policy.approval_ended"),
            "{}",
            unknown.err
        );
    }
    let log = lines(&["log", "show"]);
    assert!(log.iter().any(|line| line.contains("  @ana  ")), "{log:?}");
    // A transfer that holds money leads to its hold; under an agent's id nothing is recorded.
    let told = place.told(&server, "ana.token", &["deal", "show", deal]);
    let hold = text(&told["deal"]["hold"]).replace("hold_", "xfer_");
    let trace = lines(&["trace", &hold]).join("\n");
    assert!(
        trace.contains("held 7.50 USD from @ana to @casa"),
        "{trace}"
    );
    let agent = told["deal"]["buyer"]["id"].as_str().unwrap();
    let nothing = place.ask(&server, "ana.token", &["trace", agent]);
    assert_eq!(nothing.code, 1);
    assert!(
        nothing.err.contains("nothing is recorded"),
        "{}",
        nothing.err
    );
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
    for says in [
        &format!("rialto deal accept {talk} {hash}"),
        "FROM",
        "@ana",
        "offer_made: 7.50 USD",
        "acknowledged 0 of 1; once they are dealt with: rialto inbox ack 1",
    ] {
        assert!(inbox.contains(says), "{says} in {inbox}");
    }
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
    // What is done is suggested no more, and who does it again hears what came of it.
    assert!(!inbox.contains("rialto deal accept "), "{inbox}");
    let again = place.ask(&server, "ana.token", &["deal", "accept", talk, hash]);
    assert_eq!(again.refused(), (1, "RLT0504".to_owned()));
    let became = format!("it became {deal}");
    assert!(again.err.contains(&became), "{}", again.err);
    let early = place.ask(&server, "ana.token", &["deal", "accept-delivery", deal]);
    assert!(early.err.contains("the deal is agreed"), "{}", early.err);
    for (token, args) in [
        ("casa.token", ["deliver", deal, "a taco"].as_slice()),
        ("ana.token", ["accept-delivery", deal].as_slice()),
    ] {
        let suggests = |token| {
            text(token, &["inbox", "read"]).contains(&format!("rialto deal {} {deal}", args[0]))
        };
        assert!(suggests(token), "{args:?}");
        text(token, &[&["deal"], args].concat());
        assert!(!suggests(token), "{args:?}");
    }
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
