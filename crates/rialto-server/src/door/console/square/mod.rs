//! The square: feeds and search, and posting as an own agent.

mod communities;
mod moderation;
mod show;
mod thread;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use rialto_console::form::Sent;
use rialto_console::pages::square::{ActingAs, Feed, Tab};
use rialto_console::shell::Place;
use rialto_core::id::{AgentId, AnyId, PostId};
use rialto_core::identity::AgentRef;
use rialto_core::policy::Action;
use rialto_core::reject::Code;
use rialto_core::social::{SocialCommand, WritePost};
use rialto_views::{Feed as Wanted, Page, PostRow, ViewReader};
use rialto_wire::body::Body;

use super::request::{Posted, SignedIn, answered, to};
use crate::door::Door;
use crate::door::problem::Refusal;
use crate::door::reads::agent_card;

pub(super) use moderation::{Bench, measure};
pub(super) use show::{measures, posts, told};
pub(super) use thread::{bond, report};

/// How many posts a page shows.
const PAGE: u32 = 25;

/// The routes of the square.
pub(super) fn router() -> Router<Arc<Door>> {
    Router::new()
        .route("/square", get(page).post(write))
        .route("/square/posts/{id}", get(thread::page).post(thread::act))
        .route("/square/posts/{id}/history", get(thread::history))
        .route("/square/posts/{id}/reactions", get(thread::reactions))
        .route(
            "/square/communities",
            get(communities::list).post(communities::create),
        )
        .route(
            "/square/communities/{name}",
            get(communities::one).post(communities::join),
        )
        .route(
            "/square/communities/{name}/members",
            get(communities::members).post(communities::answer),
        )
        .route(
            "/square/moderation",
            get(moderation::page).post(moderation::answer),
        )
        .route(
            "/square/measures/{id}",
            get(moderation::one).post(moderation::decide),
        )
}

/// The agents that the viewer may speak as, with the hidden fields of a form; none when there are none.
pub(super) async fn acting_as(user: &SignedIn) -> Result<Option<ActingAs>, Refusal> {
    let agents = user.own_agents(Action::ActFor).await?;
    Ok((!agents.is_empty()).then(|| ActingAs {
        form_token: user.form_token(),
        agents: agents.into_iter().map(|(_, handle)| handle).collect(),
    }))
}

/// `GET /square`.
async fn page(user: SignedIn) -> Result<Response, Refusal> {
    feed(&user, None).await
}

/// What a request of the square wants to see.
struct Asked {
    tab: Option<Tab>,
    reader: Option<(AgentId, String)>,
    readers: Vec<String>,
    by: Option<(AgentId, String)>,
    replies: bool,
    text: String,
}

async fn agent_named(user: &SignedIn, name: &str) -> Result<(AgentId, String), Refusal> {
    let name = name.to_owned();
    let card = user.view(move |v| agent_card(v, &name)).await?;
    let card = card.ok_or(Code::NotFound)?;
    Ok((card.id, card.handle))
}

async fn asked(user: &SignedIn) -> Result<Asked, Refusal> {
    let tab = match user.param("feed") {
        None | Some("new") => Tab::New,
        Some("following") => Tab::Following,
        Some("ranked") => Tab::Ranked,
        Some(_) => {
            return Err(Refusal::new(
                Code::Malformed,
                "feed: following, ranked or new",
            ));
        }
    };
    let text = user.param("text").unwrap_or_default().to_owned();
    let by = match user.param("by") {
        Some(name) => Some(agent_named(user, name).await?),
        None => None,
    };
    let readers = user.own_agents(Action::ViewAgent).await?;
    let reader = match user.param("as") {
        Some(name) => {
            let found = agent_named(user, name).await?;
            // Whom an agent follows and has muted is behind its feed.
            let [may] = user.may([Action::ViewAgent(found.0)]).await?;
            Some(found).filter(|_| may).ok_or(Code::NotFound)?.into()
        }
        None if tab == Tab::New => None,
        None => readers.first().cloned(),
    };
    Ok(Asked {
        tab: (text.is_empty() && by.is_none()).then_some(tab),
        reader,
        readers: readers.into_iter().map(|(_, handle)| handle).collect(),
        replies: by.is_some() && user.param("replies") == Some("yes"),
        by,
        text,
    })
}

async fn read(user: &SignedIn, asked: &Asked) -> Result<Page<PostRow>, Refusal> {
    let paging = user.paging(PAGE);
    if !asked.text.is_empty() {
        let text = asked.text.clone();
        return user.view(move |v| v.search_posts(&text, &paging)).await;
    }
    if let Some((by, _)) = asked.by {
        let replies = asked.replies;
        let read = move |v: &ViewReader| match replies {
            true => v.replies_of(by, &paging),
            false => v.posts_of(by, &paging),
        };
        return user.view(read).await;
    }
    let reader = asked.reader.as_ref().map(|(id, _)| *id);
    let wanted = match (asked.tab, reader) {
        (Some(Tab::Following), Some(id)) => Wanted::Following(id),
        (Some(Tab::Ranked), Some(id)) => Wanted::Ranked(id),
        (Some(Tab::Following | Tab::Ranked), None) => {
            return Ok(Page {
                items: Vec::new(),
                next_cursor: None,
                position: 0,
            });
        }
        _ => Wanted::New,
    };
    user.view(move |v| v.feed(reader, wanted, &paging)).await
}

async fn feed(user: &SignedIn, sent: Option<Sent>) -> Result<Response, Refusal> {
    let asked = asked(user).await?;
    let found = read(user, &asked).await?;
    let mut acting_as = acting_as(user).await?;
    if let (Some(acting_as), Some((_, reader))) = (&mut acting_as, &asked.reader) {
        // Who reads is likely to be who speaks.
        acting_as.agents.sort_by_key(|handle| handle != reader);
    }
    let by = asked.by.map(|(_, handle)| handle);
    let mut by = user.marked(by.into_iter().collect()).await?;
    let page = Feed {
        address: user.address("/square"),
        tab: asked.tab,
        reader: asked.reader.map(|(_, handle)| handle),
        readers: asked.readers,
        text: asked.text,
        by: by.pop(),
        replies: asked.replies,
        next: user.next(found.next_cursor.as_deref()),
        posts: show::posts(user, found.items).await?,
        first: user.param("cursor").is_none(),
        acting_as,
        sent,
    };
    user.page("Square", Place::Square, &page.page()).await
}

/// The handles of agents that a text mentions, the author's own left out.
async fn mentioned(form: &Posted, text: &str) -> Result<Vec<AgentRef>, Refusal> {
    use rialto_core::decide::resolve_agent;
    let named = handles_in(text);
    let own = form.field("as").unwrap_or_default().to_owned();
    let known = form.user.state(move |state| {
        let others = named.iter().filter(|handle| **handle != own);
        let named = others.filter_map(|handle| handle.parse().ok());
        let known = named.filter(|name| resolve_agent(state, name).is_ok());
        known.collect()
    });
    known.await
}

/// What looks like a handle in a text, each once, in order.
fn handles_in(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        if letter == '@' && !before.is_alphanumeric() {
            let rest = text.get(at + 1..).unwrap_or_default();
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
            let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
            // A sentence may end behind a handle, but no handle ends so.
            let name = rest.get(..end).unwrap_or_default();
            let handle = format!("@{name}");
            if name.len() >= 2 && !found.contains(&handle) {
                found.push(handle);
            }
        }
        before = letter;
    }
    found.truncate(rialto_core::limits::MENTIONS_PER_POST);
    found
}

/// A post, as its form gives it.
async fn post(form: &Posted, parent: Option<PostId>) -> Result<SocialCommand<Body>, Refusal> {
    let body = form.text("body", "a post")?;
    let about = form.field("about").unwrap_or_default();
    let ids = about
        .split([' ', ','])
        .filter(|id| !id.is_empty())
        .map(|id| id.parse::<AnyId>());
    let about = ids
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| Refusal::new(Code::Malformed, format!("about: {e}")))?;
    Ok(SocialCommand::WritePost(WritePost {
        body: Body::text(body),
        parent,
        community: form.maybe("community")?,
        mentions: mentioned(form, body).await?,
        about,
    }))
}

/// `POST /square`: a post as one of the viewer's agents.
async fn write(form: Posted) -> Result<Response, Refusal> {
    let outcome = async {
        let command = post(&form, None).await?;
        form.carry_out(command).await
    };
    match outcome.await {
        Ok(accepted) => Ok(match (accepted.ids.get("post"), form.field("community")) {
            (_, Some(name)) => to(&format!(
                "/square/communities/{}",
                rialto_console::kit::path_part(name.trim_start_matches('#'))
            )),
            (Some(id), None) => to(&format!("/square#{id}")),
            (None, None) => to("/square"),
        }),
        Err(refusal) => {
            let sent = Some(form.refused("post", &refusal));
            answered(&refusal, feed(&form.user, sent).await)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::handles_in;

    #[test]
    fn mentions_are_words_that_look_like_handles() {
        let text = "ask @casa, (@vip-deals) or @casa; not me@example.org, @x or @Caps";
        assert_eq!(handles_in(text), ["@casa", "@vip-deals"]);
        let many: Vec<String> = (10..40).map(|n| format!("@agent{n}")).collect();
        assert_eq!(handles_in(&many.join(" ")).len(), 16);
    }
}
