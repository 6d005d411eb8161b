//! What waits for a person, and its answer.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::kit::{Thing, Who, lasting};
use rialto_console::pages::approvals::{Approval, Approvals};
use rialto_console::pages::{joined, text};
use rialto_console::shell::Place;
use rialto_core::id::ApprovalId;
use rialto_core::policy::{Action, AnswerApproval, LineScope, PolicyCommand, authorise};
use rialto_core::reject::Code;
use rialto_views::{ApprovalRow, ApprovalView};
use rialto_wire::body::Body;

use super::deals::maud_of;
use super::request::{Posted, SignedIn, answered, named, to};
use super::show::{money, who};
use super::terms::terms;
use crate::door::approvals::{self, Left, Shown};
use crate::door::problem::Refusal;
use crate::door::reads;
use rialto_console::Markup;
use rialto_console::form::Sent;
use rialto_console::written::Written;

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
            ended: row.ended.map(|at| user.when(at)),
            by: row
                .by_name
                .clone()
                .or_else(|| row.by.map(|id| id.to_string())),
            reason: reason(user, shown),
            made: shown.view.made.clone(),
            obstacle: shown
                .obstacle
                .as_ref()
                .map(|why| match why.detail.as_str() {
                    "" => format!("{} ({})", why.title, why.code),
                    detail => format!("{}: {detail} ({})", why.title, why.code),
                }),
            over: shown.obstacle.as_ref().is_some_and(|why| why.over),
            may,
            form_token: user.form_token(),
        });
    }
    Ok(rows)
}

/// Why it was approved or denied.
fn reason(user: &SignedIn, shown: &Shown) -> Option<Written> {
    let written = user.written(shown.view.reason.as_ref()?);
    Some(match &shown.view.approval.by_name {
        Some(name) => written.by(name),
        None => written,
    })
}

/// What a yes does.
fn sentence(shown: &Shown) -> &'static str {
    match (shown.view.act, shown.view.fund) {
        ("accept", _) => "Yes accepts this offer and holds the money at once.",
        ("offer", true) => {
            "Yes makes this offer and holds its money at once; it binds the agent once the other side accepts it."
        }
        ("offer", false) => {
            "Yes makes this offer; it binds the agent once the other side accepts it, and the money is held then."
        }
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
    facts.extend(promised(view));
    let arbiter = view.arbiter.as_ref();
    let arbiter = arbiter.map_or_else(|| text("the operator"), |agent| maud_of(who(agent)));
    facts.extend(terms(&view.issues, &view.bargain, &arbiter));
    if let (Some(note), Some(by)) = (&view.note, others_note(view)) {
        facts.push(("Their note", maud_of(user.written(note).by(by))));
    }
    facts.extend(offer(user, view));
    facts.extend(reasons(user, view));
    facts.extend(accounts(user, shown));
    facts
}

/// What is promised.
fn promised(view: &ApprovalView) -> Option<(&'static str, Markup)> {
    let lines = view.lines.as_array().into_iter().flatten();
    let promised: Vec<String> = lines
        .filter_map(|line| {
            let item = line.get("item")?.as_str()?;
            Some(format!("{item} × {}", line.get("quantity")?))
        })
        .collect();
    (!promised.is_empty()).then(|| ("Promised", text(&promised.join(", "))))
}

/// Who wrote the note, if it is not the agent that asks.
fn others_note(view: &ApprovalView) -> Option<String> {
    let by = view.note_by.as_ref()?;
    let seller = view.with.as_ref().is_some_and(|with| with.id == by.id);
    let role = if seller { " (the seller)" } else { "" };
    (by.id != view.approval.agent.id).then(|| format!("{}{role}", by.handle))
}

/// The offer that would be accepted or made, and where it stands.
fn offer(user: &SignedIn, view: &ApprovalView) -> Vec<(&'static str, Markup)> {
    let mut facts = Vec::new();
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
        let said = format!("{}, once it goes out", lasting(ms));
        facts.push(("Valid for", text(&said)));
    }
    if let Some(id) = view.negotiation {
        facts.push(("Negotiation", maud_of(Thing(id.into()))));
    }
    if let Some(id) = view.listing {
        let title = view.listing_title.as_deref().unwrap_or_default();
        let parts = [text(title), maud_of(Thing(id.into()))];
        facts.push(("Listing", joined(&parts)));
    }
    facts
}

/// Who asks, and why: in the agent's own words, and by the task and the cause that it named.
fn reasons(user: &SignedIn, view: &ApprovalView) -> Vec<(&'static str, Markup)> {
    let asks = view.approval.agent.handle.as_str();
    let said = |text: &rialto_views::Written, by: Option<&str>| {
        let written = user.written(text);
        maud_of(match by {
            Some(by) => written.by(by),
            None => written,
        })
    };
    let mut facts = Vec::new();
    if let Some(why) = &view.why {
        facts.push(("Why", said(why, Some(asks))));
    } else if view.task.is_none() && view.cause.is_none() {
        facts.push(("Why", text("no reason given")));
    }
    facts.extend(view.task.map(|id| ("Serves", maud_of(Thing(id.into())))));
    let on = [("On model", &view.model), ("In run", &view.run)];
    facts.extend(
        on.into_iter()
            .filter_map(|(label, on)| Some((label, text(on.as_ref()?)))),
    );
    if let Some(goal) = &view.goal {
        facts.push(("Goal", said(goal, view.goal_by.as_deref())));
    }
    facts.extend(view.cause.map(|id| ("Caused by", maud_of(Thing(id)))));
    if let Some(text) = &view.cause_text {
        facts.push(("Which says", said(text, view.cause_by.as_deref())));
    }
    let sender = match (&view.asked_by_name, view.asked_by) {
        (Some(name), _) => Who::new(name.clone()),
        (None, by) => super::show::principal(by),
    };
    facts.push(("Sent by", maud_of(sender)));
    facts
}

/// Which accounts, and what the account and the limits leave.
fn accounts(user: &SignedIn, shown: &Shown) -> Vec<(&'static str, Markup)> {
    let view = &shown.view;
    let asset = &view.approval.asset;
    let mut facts = Vec::new();
    for (name, account) in [("Paid from", &view.pay_from), ("Paid to", &view.pay_to)] {
        if let Some(account) = account {
            let holder = text(&account.holder);
            facts.push((name, joined(&[holder, maud_of(Thing(account.id.into()))])));
        }
    }
    if let Some(available) = &shown.available {
        facts.push(("It holds", maud_of(money(available, asset))));
    }
    let limits = shown.budgets.iter();
    facts.extend(limits.map(|budget| ("Limit", limit(user, budget))));
    facts
}

/// What a limit is and leaves.
fn limit(user: &SignedIn, budget: &Left) -> Markup {
    let (limit, asset) = (&budget.limit, &budget.limit.asset);
    let mut parts = Vec::new();
    if let (Some(left), Some(most)) = (&limit.left, &limit.per_period) {
        parts.push(format!("{left} of {most} {asset} left"));
    }
    if let Some(after) = &budget.left_after {
        parts.push(match after.strip_prefix('-') {
            Some(short) => format!("a yes needs {short} {asset} more than that"),
            None => format!("a yes leaves {after} {asset}"),
        });
    }
    if let Some(most) = &limit.per_deal {
        parts.push(format!("at most {most} {asset} a deal"));
    }
    if let Some(above) = &limit.approval_above {
        let why = if budget.asks {
            ", which is why it asks"
        } else {
            ""
        };
        parts.push(format!("a person approves above {above} {asset}{why}"));
    }
    let on = limit.on.as_ref().map_or_else(String::new, |on| match on {
        LineScope::All => String::new(),
        on => format!(" on {on}"),
    });
    let mut said = vec![text(&format!("{}{on}: {}", limit.name, parts.join("; ")))];
    if let (Some(_), Some(renews)) = (&limit.per_period, limit.renews) {
        said.push(text("· renews"));
        said.push(maud_of(user.when(renews)));
    }
    if let Some(set) = limit.counts_from {
        said.push(text("· counts since it was set,"));
        said.push(maud_of(user.when(set)));
    }
    joined(&said)
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
        reason: form.field("reason").map(Body::text),
    };
    match form.carry_out(PolicyCommand::AnswerApproval(answer)).await {
        Ok(_) => Ok(to(&format!("/approvals/{id}"))),
        Err(refusal) => {
            let sent = form.refused(&id.to_string(), &refusal);
            answered(&refusal, single(&form.user, id, Some(sent)).await)
        }
    }
}
