//! `rialto approval …`: approvals that wait for a person.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::bargain::{Lines, money, owned, said, terms, text};
use super::parse;
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
        /// Why, for the agent that asked; - reads standard input.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Denies the act.
    Deny {
        /// Its id.
        approval: String,
        /// Why, for the agent that asked; - reads standard input.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// Runs one approval command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: ApprovalArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    let (approval, approve, reason) = match args.command {
        ApprovalCommand::List { all, paged } => {
            let columns = [
                ("ID", "/id"),
                ("AGENT", "/agent"),
                ("FOR", "/summary"),
                ("AMOUNT", "/amount"),
                ("ASSET", "/asset"),
                ("EXPIRES", "/expires"),
                ("END", "/end"),
                ("ENDED", "/ended"),
                ("BY", "/by_name"),
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
        ApprovalCommand::Approve { approval, reason } => (approval, true, reason),
        ApprovalCommand::Deny { approval, reason } => (approval, false, reason),
    };
    let reason = reason.as_deref().map(parse::text_or_stdin).transpose()?;
    let args = json!({ "approval": approval, "approve": approve, "reason": reason });
    remote::carry_out(remote, out, "policy.answer_approval", args).await
}

/// An approval for people: everything that a yes agrees to.
fn words(view: &Value) -> String {
    let mut lines = Lines::default();
    let funded = view.get("fund") == Some(&Value::Bool(true));
    let act = match (text(view, "/act"), funded) {
        (Some("accept"), _) => "accept an offer; its money is held at once",
        (Some("offer"), true) => "make an offer, funded: its money is held at once",
        (Some("offer"), false) => "make an offer; its money is held once it is accepted",
        _ => "pay, at once",
    };
    lines.add("would", Some(act.to_owned()));
    lines.add("amount", money(view, "/amount", "/asset"));
    lines.add(
        "with",
        owned(view, "/with").or_else(|| owned(view, "/pay_to/holder")),
    );
    promised(&mut lines, view);
    paid(&mut lines, view);
    asked(&mut lines, view);
    ended(&mut lines, view);
    next(&mut lines, view);
    let state = match text(view, "/end") {
        None => "waiting",
        Some("over") => "over: what it was about ended first",
        Some(end) => end,
    };
    let id = owned(view, "/id").unwrap_or_default();
    format!("{id} is {state}\n{}", lines.text())
}

/// What is promised on which terms, and the offer that would be accepted or made.
fn promised(lines: &mut Lines, view: &Value) {
    let offer = json!({ "terms": {
        "lines": view.get("lines"), "issues": view.get("issues"), "bargain": view.get("bargain"),
    } });
    terms(lines, &offer);
    if view.get("bargain").is_some_and(|b| !b.is_null()) {
        let arbiter = owned(view, "/arbiter").unwrap_or_else(|| "the operator".to_owned());
        lines.add("arbiter", Some(arbiter));
    }
    if text(view, "/note_by/id") != text(view, "/agent/id") {
        let seller = text(view, "/note_by/id") == text(view, "/with/id");
        let role = if seller { " (the seller)" } else { "" };
        let by = owned(view, "/note_by").map(|by| format!("{by}{role}"));
        lines.add("note", said(view, "/note", by));
    }
    for (name, pointer) in [("offer", "/offer"), ("in", "/negotiation")] {
        lines.add(name, owned(view, pointer));
    }
    let title = owned(view, "/listing_title");
    let listing = owned(view, "/listing").map(|id| match title {
        Some(title) => format!("{title} ({id})"),
        None => id,
    });
    lines.add("listing", listing);
    lines.add("offer ends", owned(view, "/offer_expires"));
    let valid = view.get("valid_for_ms").and_then(Value::as_u64);
    lines.add(
        "valid for",
        valid.map(|ms| format!("{} once it goes out", span(ms))),
    );
}

/// Which accounts, and what the account and the limits leave.
fn paid(lines: &mut Lines, view: &Value) {
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
}

/// Who asks and why: in the agent's own words, and by the task and the cause that it named.
fn asked(lines: &mut Lines, view: &Value) {
    lines.add("asked by", owned(view, "/agent"));
    lines.add("sent by", sender(view));
    let why = said(view, "/why", owned(view, "/agent"));
    let given = ["/why", "/task", "/cause"];
    let none = given.iter().all(|name| owned(view, name).is_none());
    lines.add(
        "why",
        why.or_else(|| none.then(|| "no reason given".to_owned())),
    );
    lines.add("cause", owned(view, "/cause"));
    let cause_by = owned(view, "/cause_by");
    lines.add("which says", said(view, "/cause_text", cause_by));
    lines.add("serves", owned(view, "/task"));
    lines.add("on model", owned(view, "/model"));
    lines.add("in run", owned(view, "/run"));
    lines.add("goal", said(view, "/goal", owned(view, "/goal_by")));
    lines.add("asked at", owned(view, "/created"));
    lines.add("until", owned(view, "/expires"));
}

/// How it ended: when, by whom, why, and what came of it.
fn ended(lines: &mut Lines, view: &Value) {
    let by = owned(view, "/by_name").or_else(|| owned(view, "/by"));
    lines.add("decided by", by.clone());
    lines.add("ended at", owned(view, "/ended"));
    lines.add("reason", said(view, "/reason", by));
    lines.add("made", owned(view, "/made").filter(|made| made != "-"));
}

/// What may be done next.
fn next(lines: &mut Lines, view: &Value) {
    let id = owned(view, "/id").unwrap_or_default();
    let first = text(view, "/made/0").unwrap_or_default();
    let seen = match first.split('_').next() {
        Some("deal" | "neg") => Some(format!("see rialto deal show {first}")),
        _ => None,
    };
    let waits = view.get("end").is_none_or(Value::is_null);
    if !waits {
        lines.add("next", seen);
        return;
    }
    let over = view.pointer("/obstacle/over") == Some(&Value::Bool(true));
    lines.add("but", obstacle(view));
    lines.add(
        "next",
        Some(match over {
            true => format!("rialto approval deny {id} (nothing is left to approve)"),
            false => format!(
                "rialto approval approve {id}\n(or rialto approval deny {id} --reason TEXT)"
            ),
        }),
    );
}

/// What would refuse a yes as things stand.
fn obstacle(view: &Value) -> Option<String> {
    let title = text(view, "/obstacle/title")?;
    let detail = text(view, "/obstacle/detail").filter(|detail| !detail.is_empty());
    let detail = detail.map_or_else(String::new, |detail| format!(": {detail}"));
    let code = text(view, "/obstacle/code").unwrap_or_default();
    Some(format!(
        "a yes would be refused now: {title}{detail} ({code})"
    ))
}

/// Who sent the request, if it was not the agent itself.
fn sender(view: &Value) -> Option<String> {
    let kind = text(view, "/asked_by/kind")?;
    if kind == "agent" && text(view, "/asked_by/id") == text(view, "/agent/id") {
        return None;
    }
    let name = owned(view, "/asked_by_name").or_else(|| owned(view, "/asked_by/id"));
    Some(name.unwrap_or_else(|| kind.to_owned()))
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
    parts.extend(of("left_after").map(|after| match after.strip_prefix('-') {
        Some(short) => format!("a yes needs {short} more than that"),
        None => format!("a yes leaves {after}"),
    }));
    let set = owned(budget, "/counts_from");
    parts.extend(set.map(|set| format!("counts since it was set, {set}")));
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
            "valid_for_ms": 3_600_000, "fund": true, "pay_from": { "id": "acct_1", "holder": "@ana" },
            "available": "940.00", "asked_by": { "kind": "person", "id": "person_1" },
            "task": "task_1", "created": "2026-11-22T16:20:06.000Z", "expires": "2026-11-25T16:20:06.000Z",
            "budgets": [{
                "name": "@ana", "per_deal": null, "per_period": "100.00", "left": "30.00",
                "left_after": "-30.00", "counts_from": "2026-11-22T12:00:00.000Z",
                "renews": "2026-11-23T00:00:00.000Z", "approval_above": "50.00", "asks": true,
            }],
        });
        assert_eq!(
            words(&view),
            "appr_1 is waiting\n  \
             would      make an offer, funded: its money is held at once\n  \
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
             a yes needs 30.00 USD more than that; counts since it was set, 2026-11-22 12:00:00; \
             a person approves above 50.00 USD, which is why it asks\n  \
             asked by   @ana\n  \
             sent by    person_1\n  \
             serves     task_1\n  \
             asked at   2026-11-22 16:20:06\n  \
             until      2026-11-25 16:20:06\n  \
             next       rialto approval approve appr_1\n             \
             (or rialto approval deny appr_1 --reason TEXT)"
        );
    }

    fn written(text: &str) -> Value {
        json!({ "content": "cont_1", "labels": ["by_agent"], "body": [{ "text": text }] })
    }

    #[test]
    fn every_text_stands_with_its_author() {
        let ana = json!({ "id": "agent_1", "handle": "@ana" });
        let casa = json!({ "id": "agent_2", "handle": "@casa" });
        let mut sold = written("the last one, ask your owner");
        sold["screening"] = json!({ "labels": ["authority_claim"], "quarantined": false });
        let accept = json!({
            "id": "appr_1", "act": "accept", "agent": ana, "with": casa, "note": sold, "note_by": casa,
            "why": written("for the boat"), "cause": "task_1", "cause_text": written("fit the boat out"),
            "cause_by": "Eve",
        });
        let pay = json!({
            "id": "appr_2", "act": "transfer", "agent": ana, "with": casa, "note": written("rent"),
            "note_by": ana, "why": written("rent"),
        });
        let silent = json!({ "id": "appr_3", "act": "accept", "agent": ana, "with": casa });
        for (view, wanted, never) in [
            (
                accept,
                &[
                    "note       by @casa (the seller) (screening: authority claim): the last one",
                    "why        by @ana: for the boat",
                    "cause      task_1",
                    "which says by Eve: fit the boat out",
                ][..],
                "no reason",
            ),
            (pay, &["why        by @ana: rent"], "note "),
            (silent, &["why        no reason given"], "note "),
        ] {
            let shown = words(&view);
            for wanted in wanted {
                assert!(shown.contains(wanted), "{wanted} in\n{shown}");
            }
            assert!(!shown.contains(never), "{never} in\n{shown}");
        }
    }

    #[test]
    fn an_answered_approval_says_how_it_ended() {
        let view = json!({
            "id": "appr_1", "act": "accept", "end": "approved", "by": "person_1", "by_name": "Eve",
            "ended": "2026-11-22T16:30:00.000Z", "reason": written("go on"),
            "made": ["deal_1", "task_1", "hold_1"],
        });
        let shown = words(&view);
        for wanted in [
            "appr_1 is approved\n",
            "decided by Eve\n",
            "ended at   2026-11-22 16:30:00\n",
            "reason     by Eve: go on\n",
            "made       deal_1, task_1, hold_1\n",
            "next       see rialto deal show deal_1",
        ] {
            assert!(shown.contains(wanted), "{wanted} in\n{shown}");
        }
    }

    #[test]
    fn what_is_over_is_not_offered_for_approval() {
        let view = json!({
            "id": "appr_1", "act": "accept", "end": null, "obstacle": {
                "code": "RLT0504", "title": "the negotiation has ended", "detail": "", "over": true,
            },
        });
        let shown = words(&view);
        assert!(
            shown.contains(
                "but        a yes would be refused now: the negotiation has ended (RLT0504)"
            ),
            "{shown}"
        );
        assert!(!shown.contains("approval approve"), "{shown}");
    }
}
