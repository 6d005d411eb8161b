//! Conversations, and answering in them as one of one's own agents.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::pages::messages::{Conversation, Line, List, Message};
use rialto_console::shell::Place;
use rialto_core::command::Command;
use rialto_core::id::{AgentId, ConversationId, TaskId};
use rialto_core::mail::{Destination, SendMessage};
use rialto_core::policy::{Action, authorise};
use rialto_core::reject::Code;
use rialto_views::{ConversationRow, MessageRow, Order};
use rialto_wire::body::Body;
use rialto_wire::native::NativeCommand;

use super::desk::{Desk, Posted, answered, named, to};
use super::show::who;
use crate::door::problem::Refusal;

/// `GET /messages`.
pub(super) async fn list(desk: Desk) -> Result<Response, Refusal> {
    let text = desk.param("text").unwrap_or_default().to_owned();
    let (scope, paging) = (desk.scope().await?, desk.paging(30));
    let (mut rows, mut found, cursor) = (
        Vec::new(),
        Vec::new(),
        if text.is_empty() {
            let page = desk.view(move |v| v.conversations(scope, &paging)).await?;
            Found::Conversations(page.items, page.next_cursor)
        } else {
            let words = text.clone();
            let page = desk.view(move |v| v.search_messages(scope, &words, &paging));
            let page = page.await?;
            Found::Messages(page.items, page.next_cursor)
        },
    );
    let next = match cursor {
        Found::Conversations(items, next) => {
            rows = items.iter().map(|row| line(&desk, row)).collect();
            next
        }
        Found::Messages(items, next) => {
            found = items.iter().map(|row| message(&desk, row, &[])).collect();
            next
        }
    };
    let list = List {
        address: desk.visit.address.clone(),
        text,
        rows,
        found,
        next: desk.next(next.as_deref()),
        first: desk.param("cursor").is_none(),
    };
    desk.page("Messages", Place::Messages, &list.page()).await
}

enum Found {
    Conversations(Vec<ConversationRow>, Option<String>),
    Messages(Vec<MessageRow>, Option<String>),
}

fn line(desk: &Desk, row: &ConversationRow) -> Line {
    const SHOWN: usize = 80;
    Line {
        id: row.id.into(),
        kind: row.kind.clone(),
        title: row
            .title
            .as_ref()
            .map(|title| desk.written(title).line(SHOWN)),
        members: row.members.iter().map(who).collect(),
        count: row.member_count,
        created: desk.when(row.created),
    }
}

fn message(desk: &Desk, row: &MessageRow, own: &[AgentId]) -> Message {
    Message {
        id: row.id.into(),
        conversation: row.conversation.into(),
        from: who(&row.from),
        own: own.contains(&row.from.id),
        body: row.body.as_ref().map(|b| desk.written(b)),
        task: row.task.map(Into::into),
        request: row.request,
        at: desk.when(row.at),
    }
}

/// `GET /messages/{id}`.
pub(super) async fn one(desk: Desk, Path(name): Path<String>) -> Result<Response, Refusal> {
    conversation(&desk, named(&name)?, None).await
}

async fn conversation(
    desk: &Desk,
    id: ConversationId,
    sent: Option<Sent>,
) -> Result<Response, Refusal> {
    let (scope, paging) = (desk.scope().await?, desk.paging(40));
    let read = desk.view(move |v| {
        let Some(row) = v.conversation(scope, id)? else {
            return Ok(None);
        };
        Ok(Some((
            row,
            v.messages(scope, id, Order::NewestFirst, &paging)?,
        )))
    });
    let (row, messages) = read.await?.ok_or(Code::NotFound)?;
    let members: Vec<AgentId> = row.members.iter().map(|member| member.id).collect();
    let principal = desk.caller.principal;
    let judged = desk.state(move |state| {
        let may = |agent: &AgentId| authorise(state, principal, Action::ActFor(*agent)).is_ok();
        members.into_iter().filter(may).collect::<Vec<_>>()
    });
    let own = judged.await?;
    let voices = row.members.iter().filter(|member| own.contains(&member.id));
    let page = Conversation {
        address: desk.address(&format!("/messages/{id}")),
        line: line(desk, &row),
        messages: messages
            .items
            .iter()
            .map(|row| message(desk, row, &own))
            .collect(),
        next: desk.next(messages.next_cursor.as_deref()),
        first: desk.param("cursor").is_none(),
        voices: voices.map(|member| member.handle.clone()).collect(),
        seal: desk.seal(),
        sent,
    };
    desk.page(&format!("Conversation {id}"), Place::Messages, &page.page())
        .await
}

/// A message, of a task if it is about one.
pub(super) fn letter(to: Destination, task: Option<TaskId>, body: &str) -> NativeCommand {
    Command::SendMessage(SendMessage {
        to,
        body: Body::text(body),
        client_id: None,
        reply_to: None,
        task,
    })
}

/// `POST /messages/{id}`: an answer as one of the viewer's agents.
pub(super) async fn answer(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let id: ConversationId = named(&name)?;
    let outcome = async {
        let body = form.text("body", "a message")?;
        form.carry_out(letter(Destination::Conversation(id), None, body))
            .await
    };
    match outcome.await {
        Ok(_) => Ok(to(&format!("/messages/{id}"))),
        Err(refusal) => {
            let sent = form.refused("answer", &refusal);
            answered(&refusal, conversation(&form.desk, id, Some(sent)).await)
        }
    }
}
