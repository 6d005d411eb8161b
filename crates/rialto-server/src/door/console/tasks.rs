//! Tasks.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::pages::deals::Step;
use rialto_console::pages::tasks::{Artifact, Line, List, One};
use rialto_console::pages::{joined, text};
use rialto_console::shell::Place;
use rialto_core::reject::Code;
use rialto_core::work::TaskState;
use rialto_views::{TaskRow, TaskStep};
use serde::Deserialize;
use serde::de::value::{Error as WordError, StrDeserializer};

use super::deals::maud_of;
use super::desk::{Desk, named};
use super::show::{principal, who};
use crate::door::problem::Refusal;

fn state_of(word: &str) -> Result<TaskState, Refusal> {
    let words = StrDeserializer::<WordError>::new(word);
    TaskState::deserialize(words).map_err(|e| Refusal::new(Code::Malformed, e.to_string()))
}

/// `GET /tasks`.
pub(super) async fn list(desk: Desk) -> Result<Response, Refusal> {
    let state = desk.param("state").map(state_of).transpose()?;
    let (scope, paging) = (desk.scope().await?, desk.paging(30));
    let found = desk.view(move |v| v.tasks(scope, state, &paging)).await?;
    let mut rows: Vec<Line> = found.items.iter().map(|row| line(&desk, row)).collect();
    let ids = rows
        .iter()
        .map(|row| row.requester.handle.clone())
        .collect();
    for (row, handle) in rows.iter_mut().zip(desk.handles(ids).await?) {
        row.requester = rialto_console::kit::Who::new(handle);
    }
    let list = List {
        address: desk.visit.address.clone(),
        rows,
        state: desk.param("state").map(str::to_owned),
        next: desk.next(found.next_cursor.as_deref()),
        first: desk.param("cursor").is_none(),
    };
    desk.page("Tasks", Place::Tasks, &list.page()).await
}

fn line(desk: &Desk, row: &TaskRow) -> Line {
    const SHOWN: usize = 90;
    Line {
        id: row.id.into(),
        requester: principal(row.requester),
        worker: who(&row.worker),
        text: row
            .body
            .as_ref()
            .map(|body| desk.written(body).line(SHOWN))
            .unwrap_or_default(),
        deal: row.deal.map(Into::into),
        state: row.state.clone(),
        since: desk.when(row.updated),
    }
}

/// `GET /tasks/{id}`.
pub(super) async fn one(desk: Desk, Path(name): Path<String>) -> Result<Response, Refusal> {
    let (id, scope) = (named(&name)?, desk.scope().await?);
    let found = desk.view(move |v| v.task(scope, id)).await?;
    let view = found.ok_or(Code::NotFound)?;
    let step = |step: &TaskStep| {
        let mut parts = vec![rialto_console::kit::state(&step.state)];
        parts.extend(step.note.iter().map(|note| maud_of(desk.written(note))));
        Step {
            at: desk.when(step.at),
            what: joined(&parts),
            tone: match step.state.as_str() {
                "completed" => "good",
                "failed" | "canceled" | "rejected" => "bad",
                _ => "busy",
            },
            position: Some(step.position),
        }
    };
    let created = Step {
        at: desk.when(view.task.created),
        what: joined(&[
            maud_of(principal(view.task.requester)),
            text("asked for it"),
        ]),
        tone: "plain",
        position: Some(rialto_core::id::position_of(view.task.id.0)),
    };
    let page = One {
        address: desk.visit.address.clone(),
        line: line(&desk, &view.task),
        body: view.task.body.as_ref().map(|said| desk.written(said)),
        parent: view.task.parent.map(Into::into),
        children: view.children.iter().map(|id| (*id).into()).collect(),
        steps: std::iter::once(created)
            .chain(view.history.iter().map(step))
            .collect(),
        artifacts: view
            .artifacts
            .iter()
            .map(|made| Artifact {
                number: made.number,
                name: made.name.clone(),
                body: made.body.as_ref().map(|said| desk.written(said)),
                at: desk.when(made.at),
                position: made.position,
            })
            .collect(),
    };
    desk.page(&format!("Task {id}"), Place::Tasks, &page.page())
        .await
}
