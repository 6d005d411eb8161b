//! Tasks, and answering the questions of those who work on them.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::pages::deals::Step;
use rialto_console::pages::square::ActingAs;
use rialto_console::pages::tasks::{Artifact, List, One, TaskLine};
use rialto_console::pages::{joined, text};
use rialto_console::shell::Place;
use rialto_core::id::TaskId;
use rialto_core::identity::{AgentRef, Principal};
use rialto_core::mail::Destination;
use rialto_core::policy::{Action, authorise};
use rialto_core::reject::Code;
use rialto_core::work::{TaskState, UpdateTask, WorkCommand};
use rialto_views::{TaskRow, TaskStep};
use rialto_wire::body::Body;
use rialto_wire::native::NativeCommand;
use serde::Deserialize;
use serde::de::value::{Error as WordError, StrDeserializer};

use super::deals::maud_of;
use super::messages::letter;
use super::request::{Posted, SignedIn, answered, done, named, to};
use super::show::{principal, who};
use crate::door::problem::Refusal;

/// The states between commas; all when there is no such parameter.
fn states(words: Option<&str>) -> Result<Vec<TaskState>, Refusal> {
    let state = |word| {
        let word = StrDeserializer::<WordError>::new(word);
        TaskState::deserialize(word).map_err(|e| Refusal::new(Code::Malformed, e.to_string()))
    };
    words
        .into_iter()
        .flat_map(|w| w.split(','))
        .map(state)
        .collect()
}

/// `GET /tasks`.
pub(super) async fn list(user: SignedIn) -> Result<Response, Refusal> {
    let states = states(user.param("state"))?;
    let (scope, paging) = (user.scope().await?, user.paging(30));
    let found = user.view(move |v| v.tasks(scope, &states, &paging)).await?;
    let mut rows: Vec<TaskLine> = found.items.iter().map(|row| line(&user, row)).collect();
    let ids = rows
        .iter()
        .map(|row| row.requester.handle.clone())
        .collect();
    for (row, who) in rows.iter_mut().zip(user.named(ids).await?) {
        row.requester = who;
    }
    let list = List {
        address: user.request.address.clone(),
        rows,
        state: user.param("state").map(str::to_owned),
        next: user.next(found.next_cursor.as_deref()),
        first: user.param("cursor").is_none(),
    };
    user.page("Tasks", Place::Tasks, &list.page()).await
}

fn line(user: &SignedIn, row: &TaskRow) -> TaskLine {
    const SHOWN: usize = 90;
    TaskLine {
        id: row.id.into(),
        requester: principal(row.requester),
        worker: who(&row.worker),
        text: row
            .body
            .as_ref()
            .map(|body| user.written(body).line(SHOWN))
            .unwrap_or_default(),
        deal: row.deal.map(Into::into),
        state: row.state.clone(),
        since: user.when(row.updated),
    }
}

/// `GET /tasks/{id}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let done = user.param("done").map(done);
    shown(&user, named(&name)?, done).await
}

async fn shown(user: &SignedIn, id: TaskId, sent: Option<Sent>) -> Result<Response, Refusal> {
    let scope = user.scope().await?;
    let found = user.view(move |v| v.task(scope, id)).await?;
    let view = found.ok_or(Code::NotFound)?;
    let step = |step: &TaskStep| {
        let mut parts = vec![rialto_console::kit::state(&step.state)];
        parts.extend(step.note.iter().map(|note| maud_of(user.written(note))));
        Step {
            at: user.when(step.at),
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
        at: user.when(view.task.created),
        what: joined(&[
            maud_of(principal(view.task.requester)),
            text("asked for it"),
        ]),
        tone: "plain",
        position: Some(rialto_core::id::position_of(view.task.id.0)),
    };
    let page = One {
        address: user.address(&format!("/tasks/{id}")),
        line: line(user, &view.task),
        answer: acting_as(user, &view.task).await?,
        sent,
        body: view.task.body.as_ref().map(|said| user.written(said)),
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
                body: made.body.as_ref().map(|said| user.written(said)),
                at: user.when(made.at),
                position: made.position,
            })
            .collect(),
    };
    user.page(&format!("Task {id}"), Place::Tasks, &page.page())
        .await
}

/// As whom the viewer answers a question of the worker's: as its own agent that gave the task, or, for
/// a task that a person gave to an own agent, as that agent. None where there is no question or it is
/// not the viewer's.
async fn acting_as(user: &SignedIn, task: &TaskRow) -> Result<Option<ActingAs>, Refusal> {
    if !matches!(task.state.as_str(), "input_required" | "auth_required") {
        return Ok(None);
    }
    let agent = match task.requester {
        Principal::Agent(agent) => agent,
        Principal::Person(_) => task.worker.id,
        _ => return Ok(None),
    };
    let principal = user.caller.principal;
    let judged = user.state(move |state| {
        authorise(state, principal, Action::ActFor(agent)).ok()?;
        Some(state.agents.get(&agent)?.handle.to_string())
    });
    let handle = judged.await?;
    Ok(handle.map(|handle| ActingAs {
        form_token: user.form_token(),
        agents: vec![handle],
    }))
}

/// `POST /tasks/{id}`: answers the worker's question. An agent's task is answered by a message about
/// it; a person's by moving it on with the answer as its note, since people have no inbox to write from.
pub(super) async fn answer(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let id: TaskId = named(&name)?;
    let outcome = async {
        let body = form.text("body", "an answer")?;
        let scope = form.user.scope().await?;
        let found = form.user.view(move |v| v.task(scope, id)).await?;
        let task = found.ok_or(Code::NotFound)?.task;
        let (done, command): (_, NativeCommand) = match task.requester {
            Principal::Agent(_) => {
                let to = Destination::Agent(AgentRef::Id(task.worker.id));
                ("write", letter(to, Some(id), body).into())
            }
            _ => {
                let update = UpdateTask {
                    task: id,
                    state: TaskState::Working,
                    note: Some(Body::text(body)),
                };
                ("answer", WorkCommand::UpdateTask(update).into())
            }
        };
        form.carry_out(command).await.map(|_| done)
    };
    match outcome.await {
        Ok(done) => Ok(to(&format!("/tasks/{id}?done={done}"))),
        Err(refusal) => {
            let sent = form.refused("answer", &refusal);
            answered(&refusal, shown(&form.user, id, Some(sent)).await)
        }
    }
}
