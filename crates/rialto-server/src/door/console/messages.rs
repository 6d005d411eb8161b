//! Conversations, and answering in them as an own agent.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::pages::messages::{Conversation, ConversationLine, List, Message};
use rialto_console::shell::Place;
use rialto_core::id::{AgentId, ConversationId, TaskId};
use rialto_core::mail::{Destination, MailCommand, SendMessage};
use rialto_core::policy::{Action, authorise};
use rialto_core::reject::Code;
use rialto_views::{ConversationRow, MessageRow, Order};
use rialto_wire::body::Body;

use super::request::{Posted, SignedIn, answered, named, to};
use super::show::who;
use crate::door::problem::Refusal;

/// `GET /messages`.
pub(super) async fn list(user: SignedIn) -> Result<Response, Refusal> {
    let text = user.param("text").unwrap_or_default().to_owned();
    let (scope, paging) = (user.scope().await?, user.paging(30));
    let (mut rows, mut found, cursor) = (
        Vec::new(),
        Vec::new(),
        if text.is_empty() {
            let page = user.view(move |v| v.conversations(scope, &paging)).await?;
            Found::Conversations(page.items, page.next_cursor)
        } else {
            let words = text.clone();
            let page = user.view(move |v| v.search_messages(scope, &words, &paging));
            let page = page.await?;
            Found::Messages(page.items, page.next_cursor)
        },
    );
    let next = match cursor {
        Found::Conversations(items, next) => {
            rows = items.iter().map(|row| line(&user, row)).collect();
            next
        }
        Found::Messages(items, next) => {
            found = items.iter().map(|row| message(&user, row, &[])).collect();
            next
        }
    };
    let list = List {
        address: user.request.address.clone(),
        text,
        rows,
        found,
        next: user.next(next.as_deref()),
        first: user.param("cursor").is_none(),
    };
    user.page("Messages", Place::Messages, &list.page()).await
}

enum Found {
    Conversations(Vec<ConversationRow>, Option<String>),
    Messages(Vec<MessageRow>, Option<String>),
}

fn line(user: &SignedIn, row: &ConversationRow) -> ConversationLine {
    const SHOWN: usize = 80;
    ConversationLine {
        id: row.id.into(),
        kind: row.kind.clone(),
        title: row
            .title
            .as_ref()
            .map(|title| user.written(title).line(SHOWN)),
        members: row.members.iter().map(who).collect(),
        count: row.member_count,
        created: user.when(row.created),
    }
}

fn message(user: &SignedIn, row: &MessageRow, own: &[AgentId]) -> Message {
    Message {
        id: row.id.into(),
        conversation: row.conversation.into(),
        from: who(&row.from),
        own: own.contains(&row.from.id),
        body: row.body.as_ref().map(|b| user.written(b)),
        task: row.task.map(Into::into),
        request: row.request,
        at: user.when(row.at),
    }
}

/// `GET /messages/{id}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    conversation(&user, named(&name)?, None).await
}

async fn conversation(
    user: &SignedIn,
    id: ConversationId,
    sent: Option<Sent>,
) -> Result<Response, Refusal> {
    let (scope, paging) = (user.scope().await?, user.paging(40));
    let read = user.view(move |v| {
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
    let principal = user.caller.principal;
    let judged = user.state(move |state| {
        let may = |agent: &AgentId| authorise(state, principal, Action::ActFor(*agent)).is_ok();
        members.into_iter().filter(may).collect::<Vec<_>>()
    });
    let own = judged.await?;
    let agents = row.members.iter().filter(|member| own.contains(&member.id));
    let page = Conversation {
        address: user.address(&format!("/messages/{id}")),
        line: line(user, &row),
        messages: messages
            .items
            .iter()
            .map(|row| message(user, row, &own))
            .collect(),
        next: user.next(messages.next_cursor.as_deref()),
        first: user.param("cursor").is_none(),
        agents: agents.map(|member| member.handle.clone()).collect(),
        form_token: user.form_token(),
        sent,
    };
    user.page(&format!("Conversation {id}"), Place::Messages, &page.page())
        .await
}

/// A message, of a task if it is about one.
pub(super) fn letter(to: Destination, task: Option<TaskId>, body: &str) -> MailCommand<Body> {
    MailCommand::SendMessage(SendMessage {
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
            answered(&refusal, conversation(&form.user, id, Some(sent)).await)
        }
    }
}
