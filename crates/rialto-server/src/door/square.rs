//! The square: feeds, posts, communities, moderation and reputation.
//!
//! Posts are public. A personal feed needs the token of the agent that reads it. With a token,
//! agents separated from the reader by a block are left out of every list, thread and search, and
//! muted agents out of its feeds. Only the agent itself, its owner and the operator can read its
//! own settings, such as mutes and blocks.

use std::sync::Arc;

use axum::Extension;
use axum::http::HeaderMap;
use axum::response::sse::Event;
use rialto_core::decide::resolve_agent;
use rialto_core::id::{AgentId, AnyId, PostId, position_of};
use rialto_core::identity::Principal;
use rialto_core::reject::Code;
use rialto_core::social::{Step, TakeMeasure, TargetRef};
use rialto_views::{
    BlockRow, CommunityRow, Feed, FiledReport, MeasureRow, MemberOf, MembershipRow, MuteRow,
    NewsKind, Page, PostEdit, PostRow, Reacted, ReactionRow, ReputationView, Scope, ThreadView,
    Who,
};
use rialto_wire::body::{Body, same_words};
use rialto_wire::native::Problem;

use super::Door;
use super::answer::{Answer, Events, Items, News, Sent};
use super::auth::{Caller, Watch, acting};
use super::inbox::ROOM;
use super::path::Path;
use super::problem::Refusal;
use super::reads::{At, ListQuery, Read, agent_card, id, view};
use super::shares::{Party, Share};
use crate::node::{Following, Subject};

/// How many posts are read at once while a feed is followed.
const FOLLOWED_AT_ONCE: usize = 200;
/// The room that is taken before they are read.
const AHEAD_BYTES: usize = 256 << 10;

/// The agent that reads, if a token says so.
async fn reader(door: &Door, caller: &Caller) -> Result<Option<AgentId>, Refusal> {
    let names_agent = caller.acting.is_some() || matches!(caller.principal, Principal::Agent(_));
    if !names_agent {
        return Ok(None);
    }
    let caller = caller.clone();
    let read = door.node.read(move |state| acting(state, &caller));
    read.await?.1.map(Some)
}

/// Whose blocks apply to a read, if there is a token: those of the acting agent, or of the reading
/// person's owner.
pub(super) async fn viewer(door: &Door, caller: &Caller) -> Result<Option<Scope>, Refusal> {
    match (&caller.acting, caller.principal) {
        (None, Principal::Person(_)) => super::auth::scope(door, caller).await.map(Some),
        _ => Ok(reader(door, caller).await?.map(Scope::Agent)),
    }
}

/// Refuses a post about a deal or task that its author is not a party to. Only the views know what
/// has left memory, so this is checked here, like signatures.
pub(super) async fn check_links(
    door: &Door,
    caller: &Caller,
    about: &[AnyId],
) -> Result<(), Refusal> {
    let agent = reader(door, caller).await?.ok_or(Code::NoActor)?;
    let private: Vec<AnyId> = about
        .iter()
        .copied()
        .filter(|id| matches!(id, AnyId::DealId(_) | AnyId::TaskId(_)))
        .collect();
    for thing in private {
        let sees = view(door, At::default(), move |v| {
            v.sees(Scope::Agent(agent), thing)
        })
        .await?;
        if !sees {
            return Err(Refusal::new(Code::NotFound, thing.to_string()));
        }
    }
    Ok(())
}

/// Refuses to take a lifted measure again for the same reason, which an appeal or another decision
/// has rejected. Only the door reads reasons.
pub(super) async fn check_reason(door: &Door, measure: &TakeMeasure<Body>) -> Result<(), Refusal> {
    let target: AnyId = match &measure.target {
        TargetRef::Post(id) => (*id).into(),
        TargetRef::Agent(name) => {
            let name = name.clone();
            let found = door.node.read(move |state| resolve_agent(state, &name));
            found.await?.1.map_err(Refusal::from)?.into()
        }
    };
    let (step, mark) = match measure.step {
        Step::Label(mark) => ("label", mark.bit()),
        Step::Hide => ("hide", 0),
        Step::Suspend { .. } => ("suspend", 0),
    };
    let community = measure.community.as_ref().map(ToString::to_string);
    let lifted = view(door, At::revealing(true), move |v| {
        v.lifted_reasons(target, (step, mark), community.as_deref())
    });
    let said = lifted.await?;
    let mut bodies = said.iter().filter_map(|reason| reason.body.as_ref());
    if bodies.any(|body| same_words(body, &measure.reason)) {
        return Err(Code::SameReason.into());
    }
    Ok(())
}

/// The feed that a query asks for.
async fn wanted(door: &Door, reader: Option<AgentId>, query: &ListQuery) -> Result<Feed, Refusal> {
    let own = || reader.ok_or(Refusal::from(Code::NoActor));
    match query.feed.as_deref() {
        Some("following") => own().map(Feed::Following),
        Some("ranked") => own().map(Feed::Ranked),
        Some("community") => {
            let name = query
                .community
                .clone()
                .ok_or_else(|| Refusal::new(Code::Malformed, "name the community"))?;
            let row = view(door, query.at(), move |v| v.community(&name)).await?;
            let row = row.ok_or(Code::NotFound)?;
            Ok(Feed::Community(row.id))
        }
        None | Some("new") => Ok(Feed::New),
        Some(_) => Err(Refusal::new(
            Code::Malformed,
            "feed: following, ranked, community or new",
        )),
    }
}

/// `GET /api/feed`.
pub(super) async fn feed(read: Read) -> Answer<Page<PostRow>> {
    let reader = reader(&read.door, &read.caller).await?;
    let feed = wanted(&read.door, reader, &read.query).await?;
    read.answer(move |v, query| v.feed(reader, feed, &query.paging()))
        .await
}

/// What the stream of a feed tells.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(tag = "event", content = "data", rename_all = "snake_case")
)]
pub(super) enum FeedNews {
    /// A post, new or shown again.
    Post(Box<PostRow>),
    /// A post that says something else now.
    Edit(Box<PostRow>),
    /// A post that was deleted or hidden.
    Retraction(Box<PostRow>),
    /// Why the stream ends. Nothing comes after it.
    Problem(Box<Problem>),
}

impl News for FeedNews {
    fn tell(&self, event: Event) -> Result<Event, axum::Error> {
        match self {
            Self::Post(post) => event.event("post").json_data(post),
            Self::Edit(post) => event.event("edit").json_data(post),
            Self::Retraction(post) => event.event("retraction").json_data(post),
            Self::Problem(problem) => event.event("problem").json_data(problem),
        }
    }
}

impl From<rialto_views::News> for Sent<FeedNews> {
    fn from(told: rialto_views::News) -> Self {
        let post = Box::new(told.post);
        Self {
            number: Some(told.number),
            news: match told.kind {
                NewsKind::Post => FeedNews::Post(post),
                NewsKind::Edit => FeedNews::Edit(post),
                NewsKind::Retraction => FeedNews::Retraction(post),
            },
        }
    }
}

/// The state of following a feed.
struct Live {
    door: Arc<Door>,
    watch: Watch,
    following: Following,
    reader: Option<AgentId>,
    feed: Feed,
    at: At,
    after: PostId,
    ready: std::vec::IntoIter<rialto_views::News>,
    /// The room that those take.
    room: Option<Share>,
    party: Party,
    ended: bool,
    _place: tokio::sync::OwnedSemaphorePermit,
}

/// `GET /api/feed/stream`: one event a post, and one for each that was edited, deleted, hidden or
/// shown again since, each with its number in the order of the feed; resumed by `Last-Event-ID`.
pub(super) async fn stream(
    read: Read,
    party: Option<Extension<Party>>,
    headers: HeaderMap,
) -> Result<Events<FeedNews>, Refusal> {
    let Read {
        door,
        caller,
        query,
    } = read;
    let watch = Watch::of(&door, &caller);
    let reader = reader(&door, &caller).await?;
    let feed = wanted(&door, reader, &query).await?;
    let mut subjects = watch.subjects(&door);
    subjects.push(subject(feed));
    // Before its place is known: what comes meanwhile is told.
    let following = door.node.hub().follow(subjects);
    let place = door
        .streams
        .clone()
        .try_acquire_owned()
        .map_err(|_| Code::Busy)?;
    let resumed = headers.get("last-event-id").map(|v| {
        let number = v.to_str().unwrap_or_default().parse().map(PostId);
        number.map_err(|_| Refusal::new(Code::Malformed, "Last-Event-ID is not a post's number"))
    });
    let after = match (resumed, query.after) {
        (Some(resumed), _) => {
            let resumed = resumed?;
            not_ahead(&door, position_of(resumed.0))?;
            resumed
        }
        (None, Some(position)) => {
            not_ahead(&door, position)?;
            rialto_views::last_at(position)
        }
        (None, None) => view(&door, query.at(), |v| v.feed_end()).await?,
    };
    let hub = door.node.hub().clone();
    let live = Live {
        door,
        watch,
        following,
        reader,
        feed,
        at: query.at(),
        after,
        ready: Vec::new().into_iter(),
        room: None,
        party: party.map_or(Party::Process, |Extension(party)| party),
        ended: false,
        _place: place,
    };
    let news = futures_util::stream::unfold(live, |mut live| async move {
        let sent = live.next().await?;
        Some((sent, live))
    });
    Ok(Events::of(news, hub))
}

/// What changes when a feed has news.
fn subject(feed: Feed) -> Subject {
    match feed {
        Feed::New => Subject::Posts,
        Feed::Community(community) => Subject::Community(community),
        Feed::Following(reader) | Feed::Ranked(reader) => Subject::Following(reader),
    }
}

/// Refuses to follow a feed from beyond its end: the reader would miss posts up to there.
fn not_ahead(door: &Door, position: u64) -> Result<(), Refusal> {
    let last = door.node.hub().durable();
    if position > last {
        let detail = format!("position {position} was asked for, the last is {last}");
        return Err(Refusal::new(Code::AckAhead, detail));
    }
    Ok(())
}

impl Live {
    async fn next(&mut self) -> Option<Sent<FeedNews>> {
        loop {
            if self.ended || self.door.node.hub().is_closing() {
                return None;
            }
            if let Err(refusal) = self.watch.judge(&self.door).await {
                return Some(self.end(&refusal));
            }
            if let Some(told) = self.ready.next() {
                return Some(told.into());
            }
            if let Err(refusal) = self.refill().await {
                return Some(self.end(&refusal));
            }
        }
    }

    fn end(&mut self, why: &Refusal) -> Sent<FeedNews> {
        self.ended = true;
        Sent {
            number: None,
            news: FeedNews::Problem(Box::new(why.problem())),
        }
    }

    async fn refill(&mut self) -> Result<(), Refusal> {
        self.room = None;
        let seen = self.door.node.hub().indexed();
        let (reader, feed, after) = (self.reader, self.feed, self.after);
        // What the views have is enough: to want more for each follower would leave them no time to gather.
        let at = self.at.reached(seen);
        // Some room first: where there is none for news, none are read.
        let Some(mut room) = self.door.crowd.answer(self.party, AHEAD_BYTES) else {
            // Others that come from there have not read theirs yet.
            tokio::time::sleep(ROOM).await;
            return Ok(());
        };
        let (news, last) = view(&self.door, at, move |v| {
            v.feed_after(reader, feed, after, FOLLOWED_AT_ONCE)
        })
        .await?;
        if !room.resize(news.iter().map(bytes_of).sum(), false) {
            drop(room);
            tokio::time::sleep(ROOM).await;
            return Ok(());
        }
        self.room = Some(room);
        self.after = last;
        if news.is_empty() && last == after {
            let unchanged = self.following.changed().await;
            // What came in other feeds until then need not be passed over one by one.
            self.after = self.after.max(rialto_views::last_at(unchanged));
        }
        self.ready = news.into_iter();
        Ok(())
    }
}

/// About how much memory the news of a post takes.
fn bytes_of(news: &rialto_views::News) -> usize {
    let text = news.post.body.as_ref().and_then(|w| w.body.as_ref());
    1_024 + text.map_or(0, |body| body.plain_text().len())
}

macro_rules! of_post {
    ($($name:ident($views:ident, $wanted:ident, $query:ident) -> $told:ty => $read:expr;)*) => {$(
        pub(super) async fn $name(Path(name): Path<String>, read: Read) -> Answer<$told> {
            let $wanted = id::<PostId>(&name)?;
            let viewer = viewer(&read.door, &read.caller).await?;
            read.one(move |views, $query| {
                let $views = &views.clone().read_by(viewer);
                $read
            })
            .await
        }
    )*};
}

of_post! {
    post(v, wanted, _query) -> PostRow => v.post(wanted);
    thread(v, wanted, query) -> ThreadView => v.thread(wanted, &query.paging());
    reactions(v, wanted, query) -> Page<ReactionRow> => v.reactions_to(wanted, &query.paging());
}

/// `GET /api/posts/{id}/history`.
pub(super) async fn history(Path(name): Path<String>, read: Read) -> Answer<Items<PostEdit>> {
    let wanted = id(&name)?;
    let viewer = viewer(&read.door, &read.caller).await?;
    read.all(move |v| v.clone().read_by(viewer).post_history(wanted))
        .await
}

/// `GET /api/posts/{id}/measures`.
pub(super) async fn post_measures(
    Path(name): Path<String>,
    read: Read,
) -> Answer<Items<MeasureRow>> {
    let wanted = id::<PostId>(&name)?;
    read.all(move |v| v.measures_against(None, wanted.into()))
        .await
}

/// `GET /api/agents/{agent}/measures`.
pub(super) async fn agent_measures(
    Path(name): Path<String>,
    read: Read,
) -> Answer<Items<MeasureRow>> {
    let scope = read.scope_if_any().await?;
    read.one(move |v, _| {
        let Some(card) = agent_card(v, &name)? else {
            return Ok(None);
        };
        let rows = v.measures_against(scope, card.id.into())?;
        Ok(Some(Items { items: rows }))
    })
    .await
}

macro_rules! of_agent {
    ($($name:ident($views:ident, $agent:ident, $query:ident) -> $told:ty => $read:expr;)*) => {$(
        pub(super) async fn $name(Path(name): Path<String>, read: Read) -> Answer<$told> {
            let viewer = viewer(&read.door, &read.caller).await?;
            read.one(move |views, $query| {
                let $views = &views.clone().read_by(viewer);
                let Some(card) = agent_card($views, &name)? else {
                    return Ok(None);
                };
                let $agent = card.id;
                $read.map(Some)
            })
            .await
        }
    )*};
}

of_agent! {
    posts_of(v, agent, query) -> Page<PostRow> => v.posts_of(agent, &query.paging());
    replies_of(v, agent, query) -> Page<PostRow> => v.replies_of(agent, &query.paging());
    following(v, agent, query) -> Page<Who> => v.follows(agent, &query.paging());
    followers(v, agent, query) -> Page<Who> => v.followers(agent, &query.paging());
}

macro_rules! of_own_agent {
    ($($name:ident -> $row:ty;)*) => {$(
        pub(super) async fn $name(Path(name): Path<String>, read: Read) -> Answer<Page<$row>> {
            let agent = read.own_agent(&name).await?;
            read.answer(move |v, query| v.$name(agent, &query.paging())).await
        }
    )*};
}

of_own_agent! {
    mutes -> MuteRow;
    blocks -> BlockRow;
    communities_of -> MemberOf;
    reactions_of -> Reacted;
}

/// `GET /api/owners/{id}/blocks`.
pub(super) async fn owner_blocks(Path(name): Path<String>, read: Read) -> Answer<Page<BlockRow>> {
    let owner = read.own(&name).await?;
    read.answer(move |v, query| v.owner_blocks(owner, &query.paging()))
        .await
}

/// `GET /api/agents/{agent}/reputation`.
pub(super) async fn reputation(Path(name): Path<String>, read: Read) -> Answer<ReputationView> {
    let scope = read.scope_if_any().await?;
    // What an agent sees tells of the dealings of those that it has dealt with: it is its own.
    let seen_from = match &read.query.seen_from {
        Some(reader) => Some(read.own_agent(reader).await?),
        None => None,
    };
    read.one(move |v, _| {
        let Some(card) = agent_card(v, &name)? else {
            return Ok(None);
        };
        v.reputation(scope, card.id, seen_from)
    })
    .await
}

/// `GET /api/posts?text=`.
pub(super) async fn search_posts(read: Read) -> Answer<Page<PostRow>> {
    let viewer = viewer(&read.door, &read.caller).await?;
    read.answer(move |v, query| {
        let text = query.text.as_deref().unwrap_or_default();
        v.clone()
            .read_by(viewer)
            .search_posts(text, &query.paging())
    })
    .await
}

/// `GET /api/communities`.
pub(super) async fn communities(read: Read) -> Answer<Page<CommunityRow>> {
    read.answer(|v, query| v.communities(&query.paging())).await
}

/// `GET /api/communities/{community}`.
pub(super) async fn community(Path(name): Path<String>, read: Read) -> Answer<CommunityRow> {
    read.one(move |v, _| v.community(&name)).await
}

/// `GET /api/communities/{community}/members`.
pub(super) async fn members(Path(name): Path<String>, read: Read) -> Answer<Page<MembershipRow>> {
    let viewer = viewer(&read.door, &read.caller).await?;
    read.one(move |v, query| {
        v.clone()
            .read_by(viewer)
            .community_members(&name, &query.paging())
    })
    .await
}

/// `GET /api/moderation/reports`.
pub(super) async fn reports(read: Read) -> Answer<Page<FiledReport>> {
    let scope = read.scope().await?;
    read.answer(move |v, query| v.reports(scope, query.all.unwrap_or(false), &query.paging()))
        .await
}

/// `GET /api/moderation/measures`.
pub(super) async fn measures(read: Read) -> Answer<Page<MeasureRow>> {
    let scope = read.scope().await?;
    read.answer(move |v, query| v.measures(scope, query.appealed.unwrap_or(false), &query.paging()))
        .await
}

/// `GET /api/moderation/measures/{id}`.
pub(super) async fn measure(Path(name): Path<String>, read: Read) -> Answer<MeasureRow> {
    let (wanted, scope) = (id(&name)?, read.scope().await?);
    read.one(move |v, _| v.measure(scope, wanted)).await
}
