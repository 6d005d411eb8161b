//! `rialto approval …`: approvals that wait for a person.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::bargain::{Lines, money, owned, terms, text};
use super::remote::{self, Paged, Remote};
use super::show::span;
use crate::output::{CliError, Output};
use rialto_client::quoted;

/// Approvals: acts of agents that need a person's consent.
#[derive(Debug, Args)]
pub struct ApprovalArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: ApprovalCommand,
}

#[derive(Debug, Subcommand)]
enum ApprovalCommand {
    /// Lists the approvals that wait.
    List {
        /// Also those that were approved, denied or have expired.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows an approval with everything that a yes agrees to: with whom, for what, on which terms,
    /// from which account, and what the limits leave.
    Show {
        /// Its id.
        approval: String,
    },
    /// Approves the act, which is then carried out.
    Approve {
        /// Its id.
        approval: String,
    },
    /// Denies the act.
    Deny {
        /// Its id.
        approval: String,
    },
}

/// Runs one approval command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: ApprovalArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    let (approval, approve) = match args.command {
        ApprovalCommand::List { all, paged } => {
            let columns = [
                ("ID", "/id"),
                ("AGENT", "/agent"),
                ("FOR", "/summary"),
                ("AMOUNT", "/amount"),
                ("ASSET", "/asset"),
                ("EXPIRES", "/expires"),
                ("END", "/end"),
                ("BY", "/by"),
            ];
            let all = all.then(|| "true".to_owned());
            return remote::list(
                remote,
                out,
                "/api/approvals",
                &paged,
                &[("all", all)],
                &columns,
            )
            .await;
        }
        ApprovalCommand::Show { approval } => {
            let client = remote.client()?;
            let path = format!("/api/approvals/{}", quoted(&approval));
            let shown = client.get(&path).await?;
            out.json(&shown)?;
            return out.line(words(&shown));
        }
        ApprovalCommand::Approve { approval } => (approval, true),
        ApprovalCommand::Deny { approval } => (approval, false),
    };
    let args = json!({ "approval": approval, "approve": approve });
    remote::carry_out(remote, out, "policy.answer_approval", args).await
}

/// An approval for people: everything that a yes agrees to.
fn words(view: &Value) -> String {
    let mut lines = Lines::default();
    let act = match text(view, "/act") {
        Some("accept") => "accept an offer",
        Some("offer") => "make an offer",
        _ => "pay",
    };
    lines.add("would", Some(act.to_owned()));
    lines.add("amount", money(view, "/amount", "/asset"));
    lines.add(
        "with",
        owned(view, "/with").or_else(|| owned(view, "/pay_to/holder")),
    );
    let offer = json!({ "terms": {
        "lines": view.get("lines"), "issues": view.get("issues"), "bargain": view.get("bargain"),
    } });
    terms(&mut lines, &offer);
    if view.get("bargain").is_some_and(|b| !b.is_null()) {
        let arbiter = owned(view, "/arbiter").unwrap_or_else(|| "the operator".to_owned());
        lines.add("arbiter", Some(arbiter));
    }
    lines.add("note", owned(view, "/note"));
    for (name, pointer) in [
        ("offer", "/offer"),
        ("in", "/negotiation"),
        ("listing", "/listing"),
    ] {
        lines.add(name, owned(view, pointer));
    }
    lines.add("offer ends", owned(view, "/offer_expires"));
    let valid = view.get("valid_for_ms").and_then(Value::as_u64);
    lines.add(
        "valid for",
        valid.map(|ms| format!("{} once it goes out", span(ms))),
    );
    for (name, pointer) in [("paid from", "/pay_from"), ("paid to", "/pay_to")] {
        let account = owned(view, &format!("{pointer}/id"));
        let holder = owned(view, &format!("{pointer}/holder"));
        lines.add(
            name,
            account.zip(holder).map(|(id, who)| format!("{who} ({id})")),
        );
    }
    lines.add("it holds", money(view, "/available", "/asset"));
    let budgets = view.get("budgets").and_then(Value::as_array);
    for budget in budgets.into_iter().flatten() {
        lines.add("limit", Some(limit(view, budget)));
    }
    lines.add("asked by", owned(view, "/agent"));
    lines.add("sent by", sender(view));
    lines.add("cause", owned(view, "/cause"));
    lines.add("serves", owned(view, "/task"));
    lines.add("goal", owned(view, "/goal"));
    lines.add("asked at", owned(view, "/created"));
    lines.add("until", owned(view, "/expires"));
    lines.add("decided by", owned(view, "/by"));
    let state = text(view, "/end").unwrap_or("waiting");
    let id = owned(view, "/id").unwrap_or_default();
    format!("{id} is {state}\n{}", lines.text())
}

/// Who sent the request, if it was not the agent itself.
fn sender(view: &Value) -> Option<String> {
    let kind = text(view, "/asked_by/kind")?;
    (kind != "agent").then(|| owned(view, "/asked_by/id").unwrap_or_else(|| kind.to_owned()))
}

/// What a limit is and leaves: `@buyer: 30.00 of 100.00 left until …; asks above 50.00`.
fn limit(view: &Value, budget: &Value) -> String {
    let of = |name: &str| {
        money(
            &json!({ "a": budget.get(name), "b": view.get("asset") }),
            "/a",
            "/b",
        )
    };
    let mut parts = Vec::new();
    if let (Some(left), Some(most)) = (of("left"), of("per_period")) {
        let renews = owned(budget, "/renews").unwrap_or_default();
        parts.push(format!("{left} of {most} left until {renews}"));
    }
    parts.extend(of("per_deal").map(|most| format!("at most {most} a deal")));
    let asks = budget.get("asks").is_some_and(|asks| asks == true);
    let why = if asks { ", which is why it asks" } else { "" };
    parts.extend(of("approval_above").map(|above| format!("a person approves above {above}{why}")));
    let name = owned(budget, "/name").unwrap_or_default();
    format!("{name}: {}", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_shows_all_that_it_is_bound_to() {
        let view = json!({
            "id": "appr_1", "act": "offer", "amount": "60.00", "asset": "USD", "end": null,
            "agent": { "id": "agent_1", "handle": "@ana" },
            "with": { "id": "agent_2", "handle": "@casa" },
            "lines": [{ "item": "Rope", "quantity": 2 }], "issues": [], "note": null,
            "bargain": {
                "deliver_within_ms": 86_400_000, "review_within_ms": 90_000,
                "rule_within_ms": 604_800_000, "on_no_review": "settle", "on_no_ruling": "halve",
            },
            "valid_for_ms": 3_600_000, "pay_from": { "id": "acct_1", "holder": "@ana" },
            "available": "940.00", "asked_by": { "kind": "person", "id": "person_1" },
            "task": "task_1", "created": "2026-11-22T16:20:06.000Z", "expires": "2026-11-25T16:20:06.000Z",
            "budgets": [{
                "name": "@ana", "per_deal": null, "per_period": "100.00", "left": "30.00",
                "renews": "2026-11-23T00:00:00.000Z", "approval_above": "50.00", "asks": true,
            }],
        });
        assert_eq!(
            words(&view),
            "appr_1 is waiting\n  \
             would      make an offer\n  \
             amount     60.00 USD\n  \
             with       @casa\n  \
             promised   Rope 2\n  \
             delivered  within 1 d of the agreement\n  \
             reviewed   within 1 min 30 s of the delivery, else settle\n  \
             ruled on   within 7 d of a dispute, else halve\n  \
             arbiter    the operator\n  \
             valid for  1 h once it goes out\n  \
             paid from  @ana (acct_1)\n  \
             it holds   940.00 USD\n  \
             limit      @ana: 30.00 USD of 100.00 USD left until 2026-11-23 00:00:00; \
             a person approves above 50.00 USD, which is why it asks\n  \
             asked by   @ana\n  \
             sent by    person_1\n  \
             serves     task_1\n  \
             asked at   2026-11-22 16:20:06\n  \
             until      2026-11-25 16:20:06"
        );
    }
}
