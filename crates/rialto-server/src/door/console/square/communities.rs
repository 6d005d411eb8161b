//! Communities: the list, one with its feed, its members; creating, joining, admitting.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::kit::path_part;
use rialto_console::pages::communities::{CommunityLine, List, Member, Members, One};
use rialto_console::pages::square::ActingAs;
use rialto_console::shell::Place;
use rialto_core::reject::Code;
use rialto_core::social::{AnswerJoin, Appoint, CreateCommunity, JoinCommunity, SocialCommand};
use rialto_views::{CommunityRow, Feed};
use rialto_wire::body::Body;

use super::{Bench, PAGE, acting_as, show};
use crate::door::console::request::{Posted, SignedIn, answered, done, read, to};
use crate::door::console::show::who;
use crate::door::problem::Refusal;

fn line(user: &SignedIn, row: &CommunityRow) -> CommunityLine {
    CommunityLine {
        id: row.id.into(),
        name: row.name.clone(),
        rules: row.rules.as_ref().map(|said| user.written(said)),
        entry: row.entry.clone(),
        created_by: who(&row.created_by),
        moderators: row.moderators.iter().map(who).collect(),
        members: row.members,
        created: user.when(row.created),
    }
}

fn path_to(name: &str) -> String {
    let bare = name.trim_start_matches('#');
    format!("/square/communities/{}", path_part(bare))
}

/// `GET /square/communities`.
pub(super) async fn list(user: SignedIn) -> Result<Response, Refusal> {
    listed(&user, None).await
}

async fn listed(user: &SignedIn, sent: Option<Sent>) -> Result<Response, Refusal> {
    let paging = user.paging(30);
    let found = user.view(move |v| v.communities(&paging)).await?;
    let list = List {
        address: user.address("/square/communities"),
        rows: found.items.iter().map(|row| line(user, row)).collect(),
        next: user.next(found.next_cursor.as_deref()),
        first: user.param("cursor").is_none(),
        acting_as: acting_as(user).await?,
        sent,
    };
    user.page("Communities", Place::Square, &list.page()).await
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
        form.carry_out(SocialCommand::CreateCommunity(community))
            .await
    };
    match outcome.await {
        Ok(_) => Ok(to(&path_to(bare))),
        Err(refusal) => {
            let sent = form.refused("create", &refusal);
            answered(&refusal, listed(&form.user, Some(sent)).await)
        }
    }
}

async fn named_so(user: &SignedIn, name: &str) -> Result<CommunityRow, Refusal> {
    let name = name.to_owned();
    let row = user.view(move |v| v.community(&name)).await?;
    row.ok_or(Code::NotFound.into())
}

/// `GET /square/communities/{name}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let done = user.param("done").map(done);
    shown(&user, &name, done).await
}

async fn shown(user: &SignedIn, name: &str, sent: Option<Sent>) -> Result<Response, Refusal> {
    let row = named_so(user, name).await?;
    let (paging, feed) = (user.paging(PAGE), Feed::Community(row.id));
    let found = user.view(move |v| v.feed(None, feed, &paging)).await?;
    let page = One {
        address: user.address(&path_to(&row.name)),
        line: line(user, &row),
        next: user.next(found.next_cursor.as_deref()),
        posts: show::posts(user, found.items).await?,
        first: user.param("cursor").is_none(),
        acting_as: acting_as(user).await?,
        sent,
    };
    user.page(&row.name, Place::Square, &page.page()).await
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
        form.carry_out(SocialCommand::JoinCommunity(join)).await
    };
    match outcome.await {
        Ok(_) => Ok(to(&format!("{}?done=join", path_to(&name)))),
        Err(refusal) => {
            let sent = form.refused("join", &refusal);
            answered(&refusal, shown(&form.user, &name, Some(sent)).await)
        }
    }
}

/// `GET /square/communities/{name}/members`.
pub(super) async fn members(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let done = user.param("done").map(done);
    membership(&user, &name, done).await
}

async fn membership(user: &SignedIn, name: &str, sent: Option<Sent>) -> Result<Response, Refusal> {
    let row = named_so(user, name).await?;
    let (paging, wanted) = (user.paging(50), row.name.clone());
    let read = user.view(move |v| v.community_members(&wanted, &paging));
    let found = read.await?.ok_or(Code::NotFound)?;
    let bench = Bench::of(user).await?;
    let judge = bench.judge(user, Some(row.name.clone())).await?;
    let page = Members {
        address: user.address(&format!("{}/members", path_to(&row.name))),
        line: line(user, &row),
        rows: found
            .items
            .iter()
            .map(|place| Member {
                agent: who(&place.agent),
                joined: place.joined,
                moderator: place.moderator,
                since: user.when(place.since),
            })
            .collect(),
        next: user.next(found.next_cursor.as_deref()),
        acting_as: judge.map(|judge| ActingAs {
            form_token: judge.form_token,
            agents: judge.agents,
        }),
        sent,
    };
    let title = format!("Members of {}", row.name);
    user.page(&title, Place::Square, &page.page()).await
}

/// `POST /square/communities/{name}/members`: admits, refuses, appoints, dismisses.
pub(super) async fn answer(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let outcome = async {
        let (community, agent) = (read("community", &name)?, form.value("agent")?);
        let command = match form.field("do") {
            Some(what @ ("admit" | "refuse")) => SocialCommand::AnswerJoin(AnswerJoin {
                community,
                agent,
                admit: what == "admit",
            }),
            Some(what @ ("appoint" | "dismiss")) => SocialCommand::Appoint(Appoint {
                community,
                agent,
                moderator: what == "appoint",
            }),
            _ => return Err(Refusal::new(Code::Malformed, "do: a button's name")),
        };
        form.carry_out(command).await
    };
    match outcome.await {
        Ok(_) => Ok(to(&format!("{}/members?done=member", path_to(&name)))),
        Err(refusal) => {
            let sent = form.refused("member", &refusal);
            answered(&refusal, membership(&form.user, &name, Some(sent)).await)
        }
    }
}
