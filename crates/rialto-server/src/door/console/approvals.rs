//! What waits for a person, and its answer.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::kit::Thing;
use rialto_console::pages::approvals::{Approval, Approvals};
use rialto_console::pages::{joined, text};
use rialto_console::shell::Place;
use rialto_core::id::{AnyId, ApprovalId};
use rialto_core::policy::{Action, authorise};
use rialto_core::reject::Code;
use rialto_views::ApprovalRow;
use serde_json::{Value, json};

use super::deals::maud_of;
use super::desk::{Desk, Posted, answered, named, to};
use super::show::{money, who};
use crate::door::problem::Refusal;
use rialto_console::form::Sent;

/// `GET /approvals`.
pub(super) async fn list(desk: Desk) -> Result<Response, Refusal> {
    let all = desk.param("all") == Some("true");
    let (scope, paging) = (desk.scope().await?, desk.paging(30));
    let found = desk
        .view(move |v| v.approvals(scope, !all, &paging))
        .await?;
    let page = Approvals {
        address: desk.visit.address.clone(),
        rows: rows(&desk, &found.items).await?,
        all,
        single: false,
        next: desk.next(found.next_cursor.as_deref()),
        sent: None,
    };
    desk.page("Approvals", Place::Approvals, &page.page()).await
}

/// `GET /approvals/{id}`.
pub(super) async fn one(desk: Desk, Path(name): Path<String>) -> Result<Response, Refusal> {
    single(&desk, named(&name)?, None).await
}

async fn single(desk: &Desk, id: ApprovalId, sent: Option<Sent>) -> Result<Response, Refusal> {
    let scope = desk.scope().await?;
    let found = desk.view(move |v| v.approval(scope, id)).await?;
    let page = Approvals {
        address: format!("/approvals/{id}"),
        rows: rows(desk, &[found.ok_or(Code::NotFound)?]).await?,
        all: true,
        single: true,
        next: None,
        sent,
    };
    desk.page(&format!("Approval {id}"), Place::Approvals, &page.page())
        .await
}

async fn rows(desk: &Desk, found: &[ApprovalRow]) -> Result<Vec<Approval>, Refusal> {
    let (principal, owners) = (
        desk.caller.principal,
        found.iter().map(|row| row.owner).collect::<Vec<_>>(),
    );
    let judged = desk.state(move |state| {
        let may = |owner| authorise(state, principal, Action::Approve(owner)).is_ok();
        owners.into_iter().map(may).collect::<Vec<bool>>()
    });
    let rows = found.iter().zip(judged.await?).map(|(row, may)| Approval {
        id: row.id.into(),
        agent: who(&row.agent),
        what: what(&row.what),
        money: money(&row.amount, &row.asset),
        created: desk.when(row.created),
        expires: desk.when(row.expires),
        end: row.end.clone(),
        by: row.by.map(Into::into),
        may,
        seal: desk.seal(),
    });
    Ok(rows.collect())
}

/// What exactly would be done, as the core bound it.
fn what(bound: &Value) -> rialto_console::Markup {
    let thing = |kind: &str, name: &str| {
        let id = bound.get(kind).and_then(|b| b.get(name));
        let id = id
            .and_then(Value::as_str)
            .and_then(|id| id.parse::<AnyId>().ok());
        id.map_or_else(|| text(""), |id| maud_of(Thing(id)))
    };
    if bound.get("accept").is_some() {
        let hash = bound.pointer("/accept/offer").and_then(Value::as_str);
        let short: String = hash.unwrap_or_default().chars().take(8).collect();
        return joined(&[
            text(&format!("to accept offer #{short} in")),
            thing("accept", "negotiation"),
            text("and pay from"),
            thing("accept", "pay_from"),
        ]);
    }
    joined(&[
        text("to move it from"),
        thing("transfer", "from"),
        text("to"),
        thing("transfer", "to"),
    ])
}

/// `POST /approvals/{id}`: approve or deny.
pub(super) async fn answer(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let id: ApprovalId = named(&name)?;
    let approve = match form.field("approve") {
        Some("true") => true,
        Some("false") => false,
        _ => return Err(Refusal::new(Code::Malformed, "approve: true or false")),
    };
    let args = json!({ "approval": id, "approve": approve });
    match form.carry_out("policy.answer_approval", args).await {
        Ok(_) => Ok(to(&format!("/approvals/{id}"))),
        Err(refusal) => {
            let sent = form.refused(&id.to_string(), &refusal);
            answered(&refusal, single(&form.desk, id, Some(sent)).await)
        }
    }
}
