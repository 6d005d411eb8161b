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
