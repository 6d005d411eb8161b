//! What waits for a person, and its answer.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::kit::Thing;
use rialto_console::pages::approvals::{Approval, Approvals};
use rialto_console::pages::{joined, text};
use rialto_console::shell::Place;
use rialto_core::id::{AnyId, ApprovalId};
use rialto_core::policy::{Action, AnswerApproval, PolicyCommand, authorise};
use rialto_core::reject::Code;
use rialto_views::{ApprovalRow, ApprovalView};
use serde_json::Value;

use super::agents::span;
use super::deals::maud_of;
use super::request::{Posted, SignedIn, answered, named, to};
use super::show::{money, who};
use crate::door::approvals::{self, Left, Shown};
use crate::door::problem::Refusal;
use crate::door::reads;
use rialto_console::Markup;
use rialto_console::form::Sent;

/// `GET /approvals`.
pub(super) async fn list(user: SignedIn) -> Result<Response, Refusal> {
    let all = user.param("all") == Some("true");
    let (scope, paging) = (user.scope().await?, user.paging(30));
    let found = user
        .view(move |v| v.approvals(scope, !all, &paging))
        .await?;
    let page = Approvals {
        address: user.request.address.clone(),
        rows: rows(&user, &found.items).await?,
        all,
        single: false,
        next: user.next(found.next_cursor.as_deref()),
        sent: None,
    };
    user.page("Approvals", Place::Approvals, &page.page()).await
}

/// `GET /approvals/{id}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    single(&user, named(&name)?, None).await
}

async fn single(user: &SignedIn, id: ApprovalId, sent: Option<Sent>) -> Result<Response, Refusal> {
    let scope = user.scope().await?;
    let found = user.view(move |v| v.approval(scope, id)).await?;
    let page = Approvals {
        address: format!("/approvals/{id}"),
        rows: rows(user, &[found.ok_or(Code::NotFound)?]).await?,
        all: true,
        single: true,
        next: None,
        sent,
    };
    user.page(&format!("Approval {id}"), Place::Approvals, &page.page())
        .await
}

async fn rows(user: &SignedIn, found: &[ApprovalRow]) -> Result<Vec<Approval>, Refusal> {
    let (principal, owners) = (
        user.caller.principal,
        found.iter().map(|row| row.owner).collect::<Vec<_>>(),
    );
    let judged = user.state(move |state| {
        let may = |owner| authorise(state, principal, Action::Approve(owner)).is_ok();
        owners.into_iter().map(may).collect::<Vec<bool>>()
    });
    let judged = judged.await?;
    let (scope, ids) = (
        user.scope().await?,
        found.iter().map(|row| row.id).collect(),
    );
    let at = reads::At::revealing(user.param("quarantined") == Some("show"));
    let shown = approvals::shown(user.door(), scope, at, ids).await?;
    let mut rows = Vec::with_capacity(found.len());
    for (row, may) in found.iter().zip(judged) {
        let Some(shown) = shown.iter().find(|shown| shown.view.approval.id == row.id) else {
            continue;
        };
        rows.push(Approval {
            id: row.id.into(),
            agent: who(&row.agent),
            what: text(sentence(shown)),
            facts: facts(user, shown),
            money: money(&row.amount, &row.asset),
            created: user.when(row.created),
            expires: user.when(row.expires),
            end: row.end.clone(),
            by: row.by.map(Into::into),
            may,
            form_token: user.form_token(),
        });
    }
    Ok(rows)
}

/// What a yes does.
fn sentence(shown: &Shown) -> &'static str {
    match shown.view.act {
        "accept" => "Yes accepts this offer and holds the money at once.",
        "offer" => "Yes makes this offer; it binds the agent once the other side accepts it.",
        _ => "Yes moves the money at once.",
    }
}

/// Everything that a yes agrees to, by name.
fn facts(user: &SignedIn, shown: &Shown) -> Vec<(&'static str, Markup)> {
    let view = &shown.view;
    let mut facts: Vec<(&'static str, Markup)> = Vec::new();
    if let Some(with) = &view.with {
        facts.push(("With", maud_of(who(with))));
    }
    facts.extend(terms(view));
    if let Some(note) = &view.note {
        facts.push(("Note", maud_of(user.written(note))));
    }
    if let Some(offer) = view.offer {
        let short: String = offer.to_string().chars().take(8).collect();
        let what = if view.act == "offer" {
            "Counters"
        } else {
            "Offer"
        };
        facts.push((what, text(&format!("#{short}"))));
    }
    if let Some(until) = view.offer_expires {
        facts.push(("Offer ends", maud_of(user.when(until))));
    }
    if let Some(ms) = view.valid_for_ms {
        facts.push(("Valid for", text(&format!("{} once it goes out", span(ms)))));
    }
    let things: [(&str, Option<AnyId>); 3] = [
        ("Negotiation", view.negotiation.map(Into::into)),
        ("Listing", view.listing.map(Into::into)),
        ("Serves", view.task.map(Into::into)),
    ];
    for (name, thing) in things {
        facts.extend(thing.map(|id| (name, maud_of(Thing(id)))));
    }
    if let Some(goal) = &view.goal {
        facts.push(("Goal", maud_of(user.written(goal))));
    }
    for (name, account) in [("Paid from", &view.pay_from), ("Paid to", &view.pay_to)] {
        if let Some(account) = account {
            let holder = text(&account.holder);
            facts.push((name, joined(&[holder, maud_of(Thing(account.id.into()))])));
        }
    }
    let asset = &view.approval.asset;
    if let Some(available) = &shown.available {
        facts.push(("It holds", maud_of(money(available, asset))));
    }
    for budget in &shown.budgets {
        facts.push(("Limit", text(&limit(budget, asset))));
    }
    facts.push(("Sent by", maud_of(super::show::principal(view.asked_by))));
    if let Some(cause) = view.cause {
        facts.push(("Caused by", maud_of(Thing(cause))));
    }
    facts
}

/// The terms of an offer, by name.
fn terms(view: &ApprovalView) -> Vec<(&'static str, Markup)> {
    let mut facts = Vec::new();
    let lines = view.lines.as_array().into_iter().flatten();
    let promised: Vec<String> = lines
        .filter_map(|line| {
            let item = line.get("item")?.as_str()?;
            Some(format!("{item} × {}", line.get("quantity")?))
        })
        .collect();
    if !promised.is_empty() {
        facts.push(("Promised", text(&promised.join(", "))));
    }
    let issues = view.issues.as_array().filter(|issues| !issues.is_empty());
    if let Some(issues) = issues {
        let issues: Vec<String> = issues.iter().map(issue).collect();
        facts.push(("Issues", text(&issues.join(", "))));
    }
    let within = |name: &str| view.bargain.get(name).and_then(Value::as_u64).map(span);
    let word = |name: &str| {
        let word = view.bargain.get(name).and_then(Value::as_str);
        word.unwrap_or_default().replace('_', " ")
    };
    if let Some(time) = within("deliver_within_ms") {
        facts.push((
            "Delivered",
            text(&format!("within {time} of the agreement")),
        ));
    }
    if let Some(time) = within("review_within_ms") {
        let said = format!(
            "within {time} of the delivery, else {}",
            word("on_no_review")
        );
        facts.push(("Reviewed", text(&said)));
    }
    if let Some(time) = within("rule_within_ms") {
        let judge = view
            .arbiter
            .as_ref()
            .map_or("the operator", |who| &who.handle);
        let said = format!(
            "by {judge} within {time} of a dispute, else {}",
            word("on_no_ruling")
        );
        facts.push(("Ruled on", text(&said)));
    }
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

/// What a limit is and leaves.
fn limit(budget: &Left, asset: &str) -> String {
    let mut parts = Vec::new();
    if let (Some(left), Some(most)) = (&budget.left, &budget.per_period) {
        parts.push(format!(
            "{left} of {most} {asset} left until {}",
            budget.renews
        ));
    }
    if let Some(most) = &budget.per_deal {
        parts.push(format!("at most {most} {asset} a deal"));
    }
    if let Some(above) = &budget.approval_above {
        let why = if budget.asks {
            ", which is why it asks"
        } else {
            ""
        };
        parts.push(format!("a person approves above {above} {asset}{why}"));
    }
    format!("{}: {}", budget.name, parts.join("; "))
}

/// `POST /approvals/{id}`: approve or deny.
pub(super) async fn answer(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let id: ApprovalId = named(&name)?;
    let approve = match form.field("approve") {
        Some("true") => true,
        Some("false") => false,
        _ => return Err(Refusal::new(Code::Malformed, "approve: true or false")),
    };
    let answer = AnswerApproval {
        approval: id,
        approve,
    };
    match form.carry_out(PolicyCommand::AnswerApproval(answer)).await {
        Ok(_) => Ok(to(&format!("/approvals/{id}"))),
        Err(refusal) => {
            let sent = form.refused(&id.to_string(), &refusal);
            answered(&refusal, single(&form.user, id, Some(sent)).await)
        }
    }
}
