//! A post with its replies, earlier versions and reactions, and the forms of its page.

use std::collections::HashMap;

use axum::extract::Path;
use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::kit::When;
use rialto_console::pages::square::{ActingAs, History, Reactions, Thread, Version};
use rialto_console::shell::Place;
use rialto_core::id::PostId;
use rialto_core::identity::AgentRef;
use rialto_core::policy::{PartyRef, PolicyCommand, SetBlock};
use rialto_core::reject::Code;
use rialto_core::social::{
    DeletePost, EditPost, FileReport, Follow, React, SetMute, SocialCommand, TargetRef,
};
use rialto_views::{PostRow, Written};
use rialto_wire::body::Body;
use rialto_wire::body::Part;
use rialto_wire::native::NativeCommand;

use super::{Bench, acting_as, measure, measures, post, show, told};
use crate::door::console::request::{Posted, SignedIn, answered, done, named, read, to};
use crate::door::console::show::who;
use crate::door::problem::Refusal;

/// How many replies a page shows.
const PAGE: u32 = 50;

/// `GET /square/posts/{id}`.
pub(super) async fn page(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let done = user.param("done").map(done);
    thread(&user, named(&name)?, done).await
}

/// The posts of a thread, each after the post it replies to, with its indentation. Replies to posts
/// on another page are not indented.
fn nested(top: PostId, rows: Vec<PostRow>) -> Vec<(PostRow, u8)> {
    let here: Vec<PostId> = rows.iter().map(|row| row.id).collect();
    let mut below: HashMap<PostId, Vec<PostRow>> = HashMap::new();
    for row in rows {
        let parent = row.parent.filter(|parent| here.contains(parent));
        below.entry(parent.unwrap_or(top)).or_default().push(row);
    }
    let mut sorted = Vec::with_capacity(here.len());
    let take = |below: &mut HashMap<PostId, Vec<PostRow>>, id, inset| {
        let rows = below.remove(&id).unwrap_or_default().into_iter().rev();
        rows.map(|row| (row, inset)).collect::<Vec<(PostRow, u8)>>()
    };
    let mut open = take(&mut below, top, 0);
    while let Some((row, inset)) = open.pop() {
        open.extend(take(&mut below, row.id, inset.saturating_add(1)));
        sorted.push((row, inset));
    }
    sorted
}

async fn thread(user: &SignedIn, id: PostId, sent: Option<Sent>) -> Result<Response, Refusal> {
    let (paging, scope) = (user.paging(PAGE), user.scope().await?);
    let read = user.view(move |v| {
        let Some(found) = v.thread(id, &paging)? else {
            return Ok(None);
        };
        Ok(Some((found, v.measures_against(Some(scope), id.into())?)))
    });
    let (found, against) = read.await?.ok_or(Code::NotFound)?;
    let bench = Bench::of(user).await?;
    let acting_as = acting_as(user).await?;
    let judge = bench.judge(user, found.post.community.clone()).await?;
    let judge = judge.filter(|_| bench.may(Some(found.post.author.id)));
    let own = is_own(&found.post, acting_as.as_ref());
    let text = found.post.body.as_ref().and_then(plain_text);
    let next = user.next(found.replies.next_cursor.as_deref());
    let nested = nested(id, found.replies.items);
    let insets: Vec<u8> = nested.iter().map(|(_, inset)| *inset).collect();
    let rows = std::iter::once(found.post).chain(nested.into_iter().map(|(row, _)| row));
    let mut posts = show::posts(user, rows.collect()).await?.into_iter();
    let page = Thread {
        address: user.address(&format!("/square/posts/{id}")),
        post: posts.next().ok_or(Code::NotFound)?,
        replies: posts.zip(insets).collect(),
        next,
        first: user.param("cursor").is_none(),
        measures: told(measures(user, &bench, against).await?),
        acting_as,
        own,
        text: text.filter(|_| own),
        judge,
        sent,
    };
    let title = format!("Post by {}", page.post.author.handle);
    user.page(&title, Place::Square, &page.page()).await
}

fn is_own(post: &PostRow, acting_as: Option<&ActingAs>) -> bool {
    let agents = acting_as.map_or(&[] as &[String], |v| v.agents.as_slice());
    post.state == "live" && agents.contains(&post.author.handle)
}

/// A text of text alone, which a field can hold.
fn plain_text(said: &Written) -> Option<String> {
    let parts = said.body.as_ref()?.0.iter().map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Data(_) | Part::File(_) => None,
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join("\n"))
}

/// `GET /square/posts/{id}/history`.
pub(super) async fn history(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let id: PostId = named(&name)?;
    let read = user.view(move |v| {
        let Some(post) = v.post(id)? else {
            return Ok(None);
        };
        Ok(Some((post, v.post_history(id)?)))
    });
    let (post, edits) = read.await?.ok_or(Code::NotFound)?;
    let version = |body: Option<&Written>, at: When| Version {
        body: body.map(|said| user.written(said)),
        at,
    };
    let mut versions: Vec<Version> = Vec::new();
    for edit in edits {
        versions.push(version(edit.body.as_ref(), user.when(edit.at)));
    }
    if post.state == "live" {
        let since = user.when(post.edited.unwrap_or(post.at));
        versions.push(version(post.body.as_ref(), since));
    }
    let shown = show::posts(&user, vec![post]).await?;
    let page = History {
        post: shown.into_iter().next().ok_or(Code::NotFound)?,
        versions,
    };
    user.page("What a post said", Place::Square, &page.page())
        .await
}

/// `GET /square/posts/{id}/reactions`.
pub(super) async fn reactions(
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let (id, paging): (PostId, _) = (named(&name)?, user.paging(100));
    let read = user.view(move |v| {
        let Some(post) = v.post(id)? else {
            return Ok(None);
        };
        Ok(v.reactions_to(id, &paging)?.map(|rows| (post, rows)))
    });
    let (post, found) = read.await?.ok_or(Code::NotFound)?;
    let rows = found.items.iter();
    let page = Reactions {
        post: id.into(),
        author: who(&post.author),
        rows: rows
            .map(|row| (who(&row.agent), row.reaction.clone()))
            .collect(),
        next: user.next(found.next_cursor.as_deref()),
    };
    user.page("Reactions", Place::Square, &page.page()).await
}

/// What a button of the page asks for.
async fn wanted(form: &Posted, id: PostId, what: &str) -> Result<NativeCommand, Refusal> {
    if let Some(word) = what.strip_prefix("react:") {
        let reaction = (word != "none").then(|| read("do", word));
        let reaction = reaction.transpose()?;
        return Ok(SocialCommand::React(React { post: id, reaction }).into());
    }
    if let Some(bond) = bond(what, author(form, id).await?) {
        return Ok(bond);
    }
    let command = match what {
        "reply" => post(form, Some(id)).await?,
        "edit" => SocialCommand::EditPost(EditPost {
            post: id,
            body: Body::text(form.text("body", "a post")?),
        }),
        "delete" => SocialCommand::DeletePost(DeletePost { post: id }),
        "report" => report(form, TargetRef::Post(id))?,
        "measure" => measure(form, TargetRef::Post(id))?,
        _ => return Err(Refusal::new(Code::Malformed, "do: a button's name")),
    };
    Ok(command.into())
}

async fn author(form: &Posted, id: PostId) -> Result<AgentRef, Refusal> {
    let post = form.user.view(move |v| v.post(id)).await?;
    Ok(AgentRef::Id(post.ok_or(Code::NotFound)?.author.id))
}

/// The relations of an agent to another: following and muting.
pub(in crate::door::console) fn bond(what: &str, agent: AgentRef) -> Option<NativeCommand> {
    Some(match what {
        "follow" | "unfollow" => SocialCommand::Follow(Follow {
            agent,
            follow: what == "follow",
        })
        .into(),
        "mute" | "unmute" => SocialCommand::SetMute(SetMute {
            agent: Some(agent),
            owner: None,
            mute: what == "mute",
        })
        .into(),
        "block" | "unblock" => PolicyCommand::SetBlock(SetBlock {
            by: None,
            party: PartyRef::Agent(agent),
            block: what == "block",
        })
        .into(),
        _ => return None,
    })
}

/// A report, as its form gives it.
///
/// # Errors
/// [`Code::Malformed`] for a ground that there is not.
pub(in crate::door::console) fn report(
    form: &Posted,
    target: TargetRef,
) -> Result<SocialCommand<Body>, Refusal> {
    Ok(SocialCommand::FileReport(FileReport {
        target,
        ground: form.value("ground")?,
        text: form.field("words").map(Body::text),
    }))
}

/// `POST /square/posts/{id}`: answers, reacts, follows, mutes, reports, edits, deletes, moderates.
pub(super) async fn act(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let id: PostId = named(&name)?;
    let what = form.field("do").unwrap_or_default();
    let outcome = async {
        let command = wanted(&form, id, what).await?;
        form.carry_out(command).await
    };
    match outcome.await {
        Ok(accepted) => {
            let answer = accepted.ids.get("post").filter(|_| what == "reply");
            let done = what.split(':').next().unwrap_or_default();
            Ok(match answer {
                Some(answer) => to(&format!("/square/posts/{id}#{answer}")),
                None => to(&format!("/square/posts/{id}?done={done}")),
            })
        }
        Err(refusal) => {
            let stands = match what {
                "reply" | "report" | "measure" => what,
                "edit" | "delete" => "edit",
                _ => "gesture",
            };
            let sent = form.refused(stands, &refusal);
            answered(&refusal, thread(&form.user, id, Some(sent)).await)
        }
    }
}
