//! An owner, for its people and the operator, and its stop switch.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::pages::owners::{Owner, Person};
use rialto_console::shell::Place;
use rialto_core::identity::{IdentityCommand, StopAgents, Subject};
use rialto_core::policy::Action;
use rialto_core::reject::Code;
use rialto_views::{AgentQuery, Paging};

use super::agents::{allowance, line, switched};
use super::request::{Posted, SignedIn, answered, to};
use crate::door::budgets::of_rows;
use crate::door::problem::Refusal;
use crate::door::reads::{At, own};

/// `GET /owners/{id}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    shown(&user, &name, None).await
}

async fn shown(user: &SignedIn, name: &str, sent: Option<Sent>) -> Result<Response, Refusal> {
    let owner = own(user.door(), &user.caller, name).await?;
    let scope = user.scope().await?;
    let [stop, suspend] = user.may([Action::Stop(owner), Action::ManageRealm]).await?;
    let read = user.view(move |v| {
        let many = Paging {
            cursor: None,
            limit: 100,
        };
        let query = AgentQuery {
            owner: Some(owner),
            seen_by: Some(scope),
            ..AgentQuery::default()
        };
        let Some(row) = v.owner(owner)? else {
            return Ok(None);
        };
        let people = v.persons(owner, &many)?.items;
        let agents = v.agents(&query, &many)?.items;
        let limits = (v.allowances(owner)?, v.allowance_lines(owner)?);
        Ok(Some((row, people, agents, limits)))
    });
    let (row, people, agents, allowances) = read.await?.ok_or(Code::NotFound)?;
    let limits = of_rows(user.door(), At::default(), allowances).await?;
    let page = Owner {
        id: row.id.into(),
        name: row.name.clone(),
        kind: row.kind.clone(),
        status: row.status.clone(),
        agents_stopped: row.agents_stopped,
        created: user.when(row.created),
        agent_count: row.agents,
        people: people
            .iter()
            .map(|person| Person {
                id: person.id.into(),
                name: person.name.clone(),
                role: person.role.clone(),
                status: person.status.clone(),
                created: user.when(person.created),
            })
            .collect(),
        agents: agents.iter().map(|card| line(user, card, scope)).collect(),
        allowances: limits
            .into_iter()
            .map(|limit| allowance(user, limit))
            .collect(),
        stop: stop.then(|| user.form_token()),
        suspend: suspend.then(|| user.form_token()),
        sent,
    };
    user.page(&row.name, Place::Agents, &page.page()).await
}

/// `POST /owners/{id}/switch`.
pub(super) async fn switch(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let user = &form.user;
    let owner = own(user.door(), &user.caller, &name).await?;
    let command = switched(&form, Subject::Owner(owner))?;
    let outcome = match form.field("to") == Some("suspend") && form.field("sure") != Some("yes") {
        true => Err(Refusal::new(
            Code::Malformed,
            "tick the box first: it stops the people too",
        )),
        false => form.carry_out(command).await,
    };
    match outcome {
        Ok(_) => Ok(to(&format!("/owners/{owner}"))),
        Err(refusal) => {
            let sent = form.refused("switch", &refusal);
            answered(&refusal, shown(user, &name, Some(sent)).await)
        }
    }
}

/// `POST /owners/{id}/stop`: all its agents at once.
pub(super) async fn stop(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let user = &form.user;
    let owner = own(user.door(), &user.caller, &name).await?;
    let stop = match form.field("to") {
        Some("stop") => true,
        Some("start") => false,
        _ => return Err(Refusal::new(Code::Malformed, "to: stop or start")),
    };
    let all = StopAgents {
        owner: Some(owner),
        stop,
    };
    match form.carry_out(IdentityCommand::StopAgents(all)).await {
        Ok(_) => Ok(to(&format!("/owners/{owner}"))),
        Err(refusal) => {
            let sent = form.refused("stop", &refusal);
            answered(&refusal, shown(user, &name, Some(sent)).await)
        }
    }
}
