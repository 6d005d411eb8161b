//! What waits for a person, limits that keep what is not named, and stopping everything at once, through
//! the command line.

use crate::cli::Place;

/// How a command ends that waits for a person.
const WAITS: i32 = 5;

#[test]
fn a_command_that_waits_for_a_person_says_so() {
    let place = Place::new();
    let server = place.serve("data");
    let operator = place.path("data").join("operator.token");
    let operator = operator.to_str().unwrap();
    for (owner, agent) in [("acme", "@ana"), ("bistro", "@casa")] {
        let saved = format!("{owner}.token");
        let args = ["owner", "sign-up", owner, "--save", &saved];
        place.ask(&server, operator, &args).json();
        let keep = format!("{}.token", &agent[1..]);
        let args = ["agent", "register", agent, "--save", &keep];
        place.ask(&server, &saved, &args).json();
    }
    let issue = ["ledger", "issue", "@ana", "100"];
    place.ask(&server, operator, &issue).json();
    let limits = [
        "allowance",
        "set",
        "@ana",
        "--per-deal",
        "90",
        "--approval-above",
        "50",
    ];
    place.ask(&server, "acme.token", &limits).json();
    // What is not named stays.
    let limits = ["allowance", "set", "@ana", "--per-period", "95"];
    place.ask(&server, "acme.token", &limits).json();
    let set = place
        .ask(&server, "acme.token", &["allowance", "list"])
        .json();
    let row = &set["items"][0];
    assert_eq!(
        (&row["per_deal"], &row["per_period"]),
        (&"90.00".into(), &"95.00".into())
    );
    assert_eq!(row["approval_above"], "50.00");

    let stall = ["listing", "publish", "Rope", "--item", "Rope=60"];
    place.ask(&server, "casa.token", &stall).json();
    let offer = [
        "deal", "offer", "--with", "@casa", "--side", "buy", "--price", "60", "--line", "Rope=2",
    ];
    let parked = place.ask(&server, "ana.token", &offer);
    assert_eq!(parked.code, WAITS, "{}", parked.err);
    assert_eq!(parked.err, "");
    let answer: serde_json::Value = serde_json::from_str(&parked.out).unwrap();
    let approval = answer["waits_for"].as_str().unwrap().to_owned();
    let pay = ["ledger", "transfer", "@ana", "@casa", "51"];
    let mut people = place.command(&pay);
    people.args(["--server", &server.url, "--token-file", "ana.token"]);
    let told = people.output().unwrap();
    assert_eq!(told.status.code(), Some(WAITS));
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.starts_with("waits for approval appr_"), "{text}");
    assert!(!text.contains("accepted"), "{text}");

    let shown = place
        .command(&["approval", "show", &approval])
        .args(["--server", &server.url, "--token-file", "acme.token"])
        .output()
        .unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    for wanted in [
        "make an offer",
        "@casa",
        "Rope 2",
        "which is why it asks",
        "95.00 USD left",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let yes = ["approval", "approve", approval.as_str()];
    let done = place.ask(&server, "acme.token", &yes).json();
    let negotiation = done["ids"]["neg"].as_str().unwrap().to_owned();
    let view = place
        .ask(&server, "casa.token", &["deal", "show", &negotiation])
        .json();
    let hash = view["offers"][0]["hash"].as_str().unwrap().to_owned();
    let accept = ["deal", "accept", negotiation.as_str(), hash.as_str()];
    let agreed = place.ask(&server, "casa.token", &accept).json();
    assert!(agreed["ids"]["deal"].is_string(), "{agreed}");

    let clear = [
        "allowance",
        "set",
        "@ana",
        "--clear",
        "approval-above",
        "--clear",
        "per-deal",
    ];
    place.ask(&server, "acme.token", &clear).json();
    place.ask(&server, "acme.token", &["owner", "stop"]).json();
    let stopped = place.ask(&server, "ana.token", &["inbox", "read"]);
    assert!(stopped.err.contains("RLT0105"), "{}", stopped.err);
    place.ask(&server, "acme.token", &["owner", "start"]).json();
    place.ask(&server, "ana.token", &["inbox", "read"]).json();
    let clock = place.ask(&server, operator, &["clock", "show"]).json();
    assert_eq!(clock["state"], "level");
}

/// A buyer with a limit, a seller, and what a person of the buyer's owner may be asked.
struct Shop {
    place: Place,
    server: crate::cli::Server,
    operator: String,
}

impl Shop {
    fn new() -> Self {
        let place = Place::new();
        let server = place.serve("data");
        let operator = place.path("data").join("operator.token");
        let operator = operator.to_str().unwrap().to_owned();
        let shop = Self {
            place,
            server,
            operator,
        };
        for (owner, agent) in [("acme", "@ana"), ("bistro", "@casa")] {
            let saved = format!("{owner}.token");
            shop.json(
                &shop.operator,
                &["owner", "sign-up", owner, "--save", &saved],
            );
            let keep = format!("{}.token", &agent[1..]);
            let open = ["--save", &keep, "--contact", "open"];
            shop.json(&saved, &[&["agent", "register", agent][..], &open].concat());
        }
        shop.json(&shop.operator, &["ledger", "issue", "@ana", "1000"]);
        shop.json("ana.token", &["ledger", "transfer", "@ana", "@casa", "12"]);
        let limits = ["--per-period", "800", "--approval-above", "10"];
        let set = ["allowance", "set", "@ana"];
        shop.json("acme.token", &[&set[..], &limits].concat());
        shop
    }

    fn json(&self, token: &str, args: &[&str]) -> serde_json::Value {
        self.place.ask(&self.server, token, args).json()
    }

    /// What waits for a person now.
    fn parked(&self, token: &str, args: &[&str]) -> serde_json::Value {
        let done = self.place.ask(&self.server, token, args);
        assert_eq!(done.code, WAITS, "{}", done.err);
        serde_json::from_str(&done.out).unwrap()
    }

    fn refused(&self, token: &str, args: &[&str]) -> String {
        self.place.ask(&self.server, token, args).refused().1
    }

    /// What people read.
    fn words(&self, token: &str, args: &[&str]) -> String {
        let mut command = self.place.command(args);
        command.args(["--server", &self.server.url, "--token-file", token]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }
}

#[track_caller]
fn holds(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted} in\n{text}");
    }
}

#[test]
fn a_payment_waits_once_with_its_reason_and_says_how_it_ended() {
    let shop = Shop::new();
    let pay = [
        "ledger",
        "transfer",
        "@ana",
        "@casa",
        "400",
        "--memo",
        "two ropes for the boat",
    ];
    let asked = shop.parked("ana.token", &pay);
    let again = shop.parked("ana.token", &pay);
    assert_eq!(asked["waits_for"], again["waits_for"]);
    assert_eq!(again["duplicate"], true);
    let id = asked["waits_for"].as_str().unwrap();
    let view = shop.json("acme.token", &["approval", "show", id]);
    for text in ["why", "note"] {
        assert_eq!(
            view[text]["body"][0]["text"], "two ropes for the boat",
            "{view}"
        );
    }
    assert_eq!(view["note_by"]["handle"], "@ana");
    assert_eq!(
        (&view["obstacle"], &view["made"]),
        (&serde_json::Value::Null, &serde_json::json!([]))
    );
    let shown = shop.words("acme.token", &["approval", "show", id]);
    holds(
        &shown,
        &[
            "pay, at once",
            "why        by @ana: two ropes for the boat",
            "800.00 USD of 800.00 USD left",
            "a yes leaves 400.00 USD",
            "counts since it was set",
            &format!("next       rialto approval approve {id}"),
        ],
    );

    // What is not there, or another owner's, is no approval that was answered.
    let wrong = "appr_00000000zzzz";
    for (token, id) in [("acme.token", wrong), ("bistro.token", id)] {
        let refused = shop.refused(token, &["approval", "approve", id]);
        assert_eq!(refused, "RLT0103", "{token} {id}");
    }
    let deny = ["approval", "deny", id, "--reason", "one rope is enough"];
    shop.json("acme.token", &deny);
    assert_eq!(
        shop.refused("acme.token", &["approval", "approve", id]),
        "RLT0604"
    );
    assert_eq!(
        shop.refused("bistro.token", &["approval", "approve", id]),
        "RLT0103"
    );
    let shown = shop.words("acme.token", &["approval", "show", id]);
    holds(&shown, &["is denied", "decided by", "one rope is enough"]);

    let asked = shop.parked("ana.token", &pay);
    let id = asked["waits_for"].as_str().unwrap();
    let done = shop.json("acme.token", &["approval", "approve", id]);
    let paid = done["ids"]["xfer"].as_str().unwrap().to_owned();
    let statement = shop.json("casa.token", &["ledger", "statement", "@casa"]);
    let entries = statement["items"].as_array().unwrap().iter();
    let entry = entries
        .map(|row| &row["entry"])
        .find(|entry| entry["id"] == *paid);
    let memo = &entry.unwrap()["memo"]["body"][0]["text"];
    assert_eq!(memo, "two ropes for the boat");
    let news = shop.words("ana.token", &["inbox", "read"]);
    holds(
        &news,
        &[
            "approval denied",
            "one rope is enough",
            "approval approved",
            &paid,
        ],
    );
    let limits = shop.words("acme.token", &["allowance", "list"]);
    holds(
        &limits,
        &["@ana", "SPENT OR HELD", "400.00", "LEFT", "RENEWS"],
    );
}

#[test]
fn an_acceptance_shows_whose_words_are_whose_and_ends_with_its_negotiation() {
    let shop = Shop::new();
    let offer = [
        "deal",
        "offer",
        "--with",
        "@ana",
        "--side",
        "sell",
        "--price",
        "60",
        "--line",
        "Rope=1",
        "--note",
        "the last one",
    ];
    let mut negotiations = Vec::new();
    for _ in 0..2 {
        let made = shop.json("casa.token", &offer);
        let id = made["ids"]["neg"].as_str().unwrap().to_owned();
        negotiations.push((id, made["offer"].as_str().unwrap().to_owned()));
    }
    let [(first, taken), (second, left)] = negotiations.as_slice() else {
        panic!("two negotiations");
    };
    let accept = ["deal", "accept", first, taken, "--note", "for the boat"];
    let asked = shop.parked("ana.token", &accept);
    let id = asked["waits_for"].as_str().unwrap();
    let shown = shop.words("acme.token", &["approval", "show", id]);
    holds(
        &shown,
        &[
            "accept an offer; its money is held at once",
            "note       by @casa (the seller)",
            "the last one",
            "why        by @ana: for the boat",
        ],
    );
    let done = shop.json("acme.token", &["approval", "approve", id]);
    let deal = done["ids"]["deal"].as_str().unwrap().to_owned();
    let shown = shop.words("acme.token", &["approval", "show", id]);
    holds(
        &shown,
        &[
            "is approved",
            &deal,
            &format!("see rialto deal show {deal}"),
        ],
    );
    let shown = shop.words("casa.token", &["deal", "show", &deal]);
    holds(
        &shown,
        &[
            "by @casa (the seller)",
            "accepted   by @ana (the buyer): for the boat",
        ],
    );

    let asked = shop.parked("ana.token", &["deal", "accept", second, left]);
    let id = asked["waits_for"].as_str().unwrap();
    let shown = shop.words("acme.token", &["approval", "show", id]);
    holds(&shown, &["why        no reason given"]);
    shop.json("casa.token", &["deal", "leave", second]);
    let over = shop.json("acme.token", &["approval", "show", id]);
    assert_eq!(over["end"], "over");
    assert_eq!(
        shop.refused("acme.token", &["approval", "approve", id]),
        "RLT0604"
    );
}

#[test]
fn a_stop_says_whom_it_stopped_and_what_undoes_it() {
    let shop = Shop::new();
    shop.json(
        "acme.token",
        &["agent", "register", "@bea", "--save", "bea.token"],
    );
    shop.json("acme.token", &["agent", "suspend", "@bea"]);
    let told = shop.words("acme.token", &["owner", "stop"]);
    holds(&told, &["stopped 2 agents", "@bea", "rialto owner start"]);
    let listed = shop.json("acme.token", &["agent", "list"]);
    let causes = |handle: &str| {
        let rows = listed["items"].as_array().unwrap().iter();
        let mut found = rows.filter(|row| row["handle"] == handle);
        found.next().unwrap()["suspended_by"].clone()
    };
    assert_eq!(causes("@ana"), serde_json::json!(["all_stopped"]));
    assert_eq!(causes("@bea"), serde_json::json!(["itself", "all_stopped"]));
    let told = shop.words("acme.token", &["owner", "start"]);
    holds(&told, &["started 1 agent", "suspended individually: @bea"]);

    // The realm's limits are the operator's to set and to read.
    let set = ["allowance", "set", "realm", "--per-period", "5000"];
    shop.json(&shop.operator, &set);
    let limits = shop.json(&shop.operator, &["allowance", "list"]);
    assert_eq!(limits["items"][0]["name"], "the realm");
    assert_eq!(limits["items"][0]["left"], "5000.00");
    let refused = shop.refused("acme.token", &["allowance", "list", "realm"]);
    assert_eq!(refused, "RLT0101");
}
