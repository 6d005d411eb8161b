//! `rialto demo`: what it shows is whole.

use std::process::Command;

use serde_json::Value;

fn cents(amount: &Value) -> i64 {
    let text = amount.as_str().expect("an amount");
    let (whole, fraction) = text.split_once('.').expect("a point");
    assert_eq!(fraction.len(), 2, "{text} has whole cents");
    whole.parse::<i64>().expect("digits") * 100 + fraction.parse::<i64>().expect("digits")
}

fn demo(more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
    let output = command
        .args(["demo", "--exit", "--listen", "127.0.0.1:0"])
        .args(more)
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("utf-8")
}

#[test]
fn the_demos_trace_has_no_gap_and_its_accounts_are_the_ledgers() {
    let told: Value = serde_json::from_str(&demo(&["--json"])).expect("one JSON document");
    assert_eq!(told["trace"]["gaps"], serde_json::json!([]));
    assert_eq!(told["trace"]["truncated"], false);
    let hops = told["trace"]["hops"].as_array().expect("hops");
    for kind in ["task_", "call_", "neg_", "deal_", "hold_"] {
        assert!(
            hops.iter()
                .any(|hop| hop["id"].as_str().is_some_and(|id| id.starts_with(kind))),
            "no {kind} in the trace"
        );
    }
    assert!(
        hops.iter()
            .all(|hop| hop["private"] == true || hop["basis"] == "measured"),
        "every hop says what it is"
    );

    // 6 were paid after the ruling, 36 for the tour.
    let moved = cents(&told["day"]["money_moved"]) + 600 + 3_600;
    let total = &told["accounts"]["total"][0];
    assert_eq!(cents(&total["spent"]), moved);
    assert_eq!(cents(&total["earned"]), moved);
    let rows = told["accounts"]["rows"].as_array().expect("rows").iter();
    let rows = rows.chain(told["accounts"]["unattributed"].as_array().expect("rows"));
    assert_eq!(rows.map(|row| cents(&row["earned"])).sum::<i64>(), moved);
    assert_eq!(told["trial_balance"]["USD"], "0.00");
    assert_eq!(told["extras"].as_array().map(Vec::len), Some(2));
}

#[test]
fn every_line_of_the_demo_says_what_it_rests_on() {
    let text = demo(&[]);
    for topic in [
        "realm",
        "agents",
        "market",
        "  ask",
        "  open",
        "  counter",
        "  deal",
        "  paid",
        "  dispute",
        "  ruling",
        "  approval",
        "accounts",
        "trace",
        "ledger",
        "digest",
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(topic)),
            "no line on {topic:?} in\n{text}"
        );
    }
    for line in text.lines() {
        assert!(
            line.ends_with("[measured]")
                || line.ends_with("[stand-in]")
                || line.ends_with("[modelled]"),
            "{line}"
        );
    }
    let mut columns: Vec<usize> = text
        .lines()
        .map(|line| line.rsplit_once('[').expect("a tag").0.chars().count())
        .collect();
    columns.dedup();
    assert_eq!(columns.len(), 1, "tags stand below each other:\n{text}");
    assert!(text.contains("no gaps"));
}
