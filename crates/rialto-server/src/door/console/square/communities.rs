//! Communities: the list, one with its feed, its members; creating, joining, admitting.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::kit::path_part;
use rialto_console::pages::communities::{Line, List, Member, Members, One};
use rialto_console::pages::square::Voice;
use rialto_console::shell::Place;
use rialto_core::command::Command;
use rialto_core::reject::Code;
use rialto_core::social::{AnswerJoin, Appoint, CreateCommunity, JoinCommunity};
use rialto_views::{CommunityRow, Feed};
use rialto_wire::body::Body;

use super::{Bench, PAGE, show, voice};
use crate::door::console::desk::{Desk, Posted, answered, done, read, to};
use crate::door::console::show::who;
use crate::door::problem::Refusal;

fn line(desk: &Desk, row: &CommunityRow) -> Line {
    Line {
        id: row.id.into(),
        name: row.name.clone(),
        rules: row.rules.as_ref().map(|said| desk.written(said)),
        entry: row.entry.clone(),
        created_by: who(&row.created_by),
        moderators: row.moderators.iter().map(who).collect(),
        members: row.members,
        created: desk.when(row.created),
    }
}

fn path_to(name: &str) -> String {
    let bare = name.trim_start_matches('#');
    format!("/square/communities/{}", path_part(bare))
}

/// `GET /square/communities`.
pub(super) async fn list(desk: Desk) -> Result<Response, Refusal> {
    listed(&desk, None).await
}

async fn listed(desk: &Desk, sent: Option<Sent>) -> Result<Response, Refusal> {
    let paging = desk.paging(30);
    let found = desk.view(move |v| v.communities(&paging)).await?;
    let list = List {
        address: desk.address("/square/communities"),
        rows: found.items.iter().map(|row| line(desk, row)).collect(),
        next: desk.next(found.next_cursor.as_deref()),
        first: desk.param("cursor").is_none(),
        voice: voice(desk).await?,
        sent,
    };
    desk.page("Communities", Place::Square, &list.page()).await
}

/// `POST /square/communities`: creates one.
pub(super) async fn create(form: Posted) -> Result<Response, Refusal> {
    let name = form.field("name").unwrap_or_default();
    let bare = name.trim_start_matches('#');
    let outcome = async {
        let rules = form.text("rules", "a community")?;
        let community = CreateCommunity {
            name: read("name", bare)?,
            rules: Body::text(rules),
            entry: form.value("entry")?,
        };
        form.carry_out(Command::CreateCommunity(community)).await
    };
    match outcome.await {
        Ok(_) => Ok(to(&path_to(bare))),
        Err(refusal) => {
            let sent = form.refused("create", &refusal);
            answered(&refusal, listed(&form.desk, Some(sent)).await)
        }
    }
}

async fn named_so(desk: &Desk, name: &str) -> Result<CommunityRow, Refusal> {
    let name = name.to_owned();
    let row = desk.view(move |v| v.community(&name)).await?;
    row.ok_or(Code::NotFound.into())
}

/// `GET /square/communities/{name}`.
pub(super) async fn one(desk: Desk, Path(name): Path<String>) -> Result<Response, Refusal> {
    let done = desk.param("done").map(done);
    shown(&desk, &name, done).await
}

async fn shown(desk: &Desk, name: &str, sent: Option<Sent>) -> Result<Response, Refusal> {
    let row = named_so(desk, name).await?;
    let (paging, feed) = (desk.paging(PAGE), Feed::Community(row.id));
    let found = desk.view(move |v| v.feed(None, feed, &paging)).await?;
    let page = One {
        address: desk.address(&path_to(&row.name)),
        line: line(desk, &row),
        next: desk.next(found.next_cursor.as_deref()),
        posts: show::posts(desk, found.items).await?,
        first: desk.param("cursor").is_none(),
        voice: voice(desk).await?,
        sent,
    };
    desk.page(&row.name, Place::Square, &page.page()).await
}

/// `POST /square/communities/{name}`: joins or leaves.
pub(super) async fn join(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let outcome = async {
        let join = match form.field("do") {
            Some("join") => true,
            Some("leave") => false,
            _ => return Err(Refusal::new(Code::Malformed, "do: join or leave")),
        };
        let community = read("community", &name)?;
        let join = JoinCommunity { community, join };
        form.carry_out(Command::JoinCommunity(join)).await
    };
    match outcome.await {
        Ok(_) => Ok(to(&format!("{}?done=join", path_to(&name)))),
        Err(refusal) => {
            let sent = form.refused("join", &refusal);
            answered(&refusal, shown(&form.desk, &name, Some(sent)).await)
        }
    }
}

/// `GET /square/communities/{name}/members`.
pub(super) async fn members(desk: Desk, Path(name): Path<String>) -> Result<Response, Refusal> {
    let done = desk.param("done").map(done);
    membership(&desk, &name, done).await
}

async fn membership(desk: &Desk, name: &str, sent: Option<Sent>) -> Result<Response, Refusal> {
    let row = named_so(desk, name).await?;
    let (paging, wanted) = (desk.paging(50), row.name.clone());
    let read = desk.view(move |v| v.community_members(&wanted, &paging));
    let found = read.await?.ok_or(Code::NotFound)?;
    let bench = Bench::of(desk).await?;
    let judge = bench.judge(desk, Some(row.name.clone())).await?;
    let page = Members {
        address: desk.address(&format!("{}/members", path_to(&row.name))),
        line: line(desk, &row),
        rows: found
            .items
            .iter()
            .map(|place| Member {
                agent: who(&place.agent),
                joined: place.joined,
                moderator: place.moderator,
                since: desk.when(place.since),
            })
            .collect(),
        next: desk.next(found.next_cursor.as_deref()),
        voice: judge.map(|judge| Voice {
            seal: judge.seal,
            voices: judge.voices,
        }),
        sent,
    };
    let title = format!("Members of {}", row.name);
    desk.page(&title, Place::Square, &page.page()).await
}

/// `POST /square/communities/{name}/members`: admits, refuses, appoints, dismisses.
pub(super) async fn answer(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let outcome = async {
        let (community, agent) = (read("community", &name)?, form.value("agent")?);
        let command = match form.field("do") {
            Some(what @ ("admit" | "refuse")) => Command::AnswerJoin(AnswerJoin {
                community,
                agent,
                admit: what == "admit",
            }),
            Some(what @ ("appoint" | "dismiss")) => Command::Appoint(Appoint {
                community,
                agent,
                moderator: what == "appoint",
            }),
            _ => return Err(Refusal::new(Code::Malformed, "do: what a button says")),
        };
        form.carry_out(command).await
    };
    match outcome.await {
        Ok(_) => Ok(to(&format!("{}/members?done=member", path_to(&name)))),
        Err(refusal) => {
            let sent = form.refused("member", &refusal);
            answered(&refusal, membership(&form.desk, &name, Some(sent)).await)
        }
    }
}
