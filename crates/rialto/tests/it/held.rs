//! Holds in pieces, lines of allowances and usage, through the command line.

use crate::cli::Place;

#[test]
fn holds_lines_and_usage_work_from_the_command_line() {
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
    place
        .ask(&server, operator, &["ledger", "issue", "@ana", "100"])
        .json();
    let limit = [
        "allowance",
        "limit",
        "@ana",
        "20",
        "--unit",
        "money",
        "--period",
        "1d",
        "--model",
        "fast",
    ];
    place.ask(&server, "acme.token", &limit).json();
    let limit = ["allowance", "limit", "@ana", "1000", "--unit", "tokens"];
    place.ask(&server, "acme.token", &limit).json();

    let hold = [
        "ledger",
        "hold",
        "@ana",
        "@casa",
        "10",
        "--expires-in",
        "1h",
        "--model",
        "fast",
    ];
    let held = place.ask(&server, "ana.token", &hold).json();
    let hold = held["ids"]["hold"].as_str().unwrap();
    for step in [
        ["ledger", "capture", hold, "4"],
        ["ledger", "raise", hold, "6"],
    ] {
        place.ask(&server, "ana.token", &step).json();
    }
    let listed = place.ask(&server, "ana.token", &["ledger", "holds"]).json();
    let row = &listed["items"][0];
    assert_eq!(
        (&row["rest"], &row["captured"]),
        (&"12.00".into(), &"4.00".into())
    );

    let reserve = ["usage", "reserve", "--tokens", "400"];
    let reserved = place.ask(&server, "ana.token", &reserve).json();
    let usage = reserved["ids"]["usage"].as_str().unwrap();
    let settle = ["usage", "settle", usage, "--tokens", "150"];
    place.ask(&server, "ana.token", &settle).json();
    let listed = place.ask(&server, "ana.token", &["usage", "list"]).json();
    assert_eq!(listed["items"][0]["state"], "settled");

    let limits = place
        .ask(&server, "acme.token", &["allowance", "list"])
        .json();
    let told: Vec<String> = limits["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row["asset"], row["spent"], row["left"]))
        .collect();
    assert_eq!(told, [r#""USD" "16.00" "4.00""#, r#""tokens" "150" "850""#]);

    let clear = ["allowance", "clear", "@ana", "--unit", "tokens"];
    place.ask(&server, "acme.token", &clear).json();
    let limits = place
        .ask(&server, "acme.token", &["allowance", "list"])
        .json();
    assert_eq!(limits["items"].as_array().unwrap().len(), 1);
}
