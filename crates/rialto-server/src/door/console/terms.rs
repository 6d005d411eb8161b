//! The terms of an offer, by name: the same on every page that shows one.

use rialto_console::Markup;
use rialto_console::kit::{Thing, lasting};
use rialto_console::pages::{joined, text};
use rialto_core::id::TeamId;
use serde_json::Value;

use super::deals::maud_of;

/// Issues, and the times to deliver, review and rule with what silence means, all as they bind.
pub(super) fn terms(
    issues: &Value,
    bargain: &Value,
    arbiter: &Markup,
) -> Vec<(&'static str, Markup)> {
    let mut facts = Vec::new();
    let issues = issues.as_array().filter(|issues| !issues.is_empty());
    if let Some(issues) = issues {
        let issues: Vec<String> = issues.iter().map(issue).collect();
        facts.push(("Issues", text(&issues.join(", "))));
    }
    let within = |name: &str| bargain.get(name).and_then(Value::as_u64).map(lasting);
    let word = |name: &str| bargain.get(name).and_then(Value::as_str);
    let silence = |name: &str| word(name).unwrap_or_default().replace('_', " ");
    if let Some(time) = within("deliver_within_ms") {
        let said = format!("within {time} of the agreement");
        facts.push(("Delivered", text(&said)));
    }
    if let Some(time) = within("review_within_ms") {
        let otherwise = silence("on_no_review");
        let said = format!("within {time} of the delivery, else {otherwise}");
        facts.push(("Reviewed", text(&said)));
    }
    if let Some(time) = within("rule_within_ms") {
        let otherwise = silence("on_no_ruling");
        let said = format!("within {time} of a dispute, else {otherwise}");
        let parts = [text("by"), arbiter.clone(), text(&said)];
        facts.push(("Ruled on", joined(&parts)));
    }
    let team = word("payee_team").and_then(|team| team.parse::<TeamId>().ok());
    facts.extend(team.map(|team| ("Shared by", maud_of(Thing(team.into())))));
    facts
}

/// A further issue: its name and its value.
fn issue(issue: &Value) -> String {
    let name = issue
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let value = issue.get("value").and_then(Value::as_object);
    let value = value.and_then(|value| value.values().next());
    let value = value.map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    format!("{name}: {}", value.unwrap_or_default())
}
