//! Delivered posts as they are now: no inbox keeps the old text of edited, deleted and hidden ones.
//!
//! Memory knows at once whether a post is hidden, deleted or edited; the new text of an edited one
//! comes from the views. If the views are behind, the text is withheld rather than shown in its old
//! form.

use std::collections::HashMap;

use rialto_core::event::Event as Fact;
use rialto_core::id::{AgentId, PostId};
use rialto_core::mail::Item;
use rialto_core::social::{SocialEvent, Step, Target};
use rialto_core::state::State as Realm;
use rialto_views::{PostRow, Scope};
use rialto_wire::body::Body;
use serde::Serialize;

use super::Door;
use super::inbox::Ref;
use super::problem::Refusal;
use super::reads::{At, view};

/// What memory knows of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is open.
    Open {
        /// Whether a moderator hides it.
        hidden: bool,
        /// How often it was edited.
        edits: u8,
    },
    /// It was deleted, or closed and can only be read.
    Gone,
}

impl Known {
    /// What memory knows of the post that a delivery is about, if it is about one.
    pub(super) fn of(state: &Realm, item: Item) -> Option<Self> {
        let post = state.posts.get(&post_of(item)?);
        Some(post.map_or(Self::Gone, |p| Self::Open {
            hidden: p.hidden,
            edits: p.edits,
        }))
    }

    /// Whether it is unchanged.
    fn is_untouched(self) -> bool {
        self == Self::Open {
            hidden: false,
            edits: 0,
        }
    }
}

/// The state of a delivered post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum PostState {
    /// It is unchanged.
    Live,
    /// Its text was edited.
    Edited,
    /// Its author has deleted it.
    Deleted,
    /// A moderator hides it.
    Hidden,
    /// It was edited, but a block keeps its author and the reader apart: the new text is not shown.
    Blocked,
    /// It was just changed; read again to see how.
    Changing,
}

impl PostState {
    pub(super) fn is_as_written(self) -> bool {
        self == Self::Live
    }
}

/// The posts of some deliveries as they are now.
pub(super) struct Current(HashMap<PostId, (PostRow, bool)>);

/// Looks up the current text of the edited posts.
pub(super) async fn now(door: &Door, reader: AgentId, refs: &[Ref]) -> Result<Current, Refusal> {
    let touched = |told: &&Ref| told.post.is_some_and(|known| !known.is_untouched());
    let posts = refs.iter().filter(touched);
    let mut ids: Vec<PostId> = posts.filter_map(|r| post_of(r.delivery.item)).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Current(HashMap::new()));
    }
    // Whether a quarantined text is shown is judged where it is shown.
    let rows = view(door, At::revealing(true), move |v| {
        v.clone()
            .read_by(Some(Scope::Agent(reader)))
            .posts_now(&ids)
    });
    let rows = rows.await?.into_iter();
    Ok(Current(rows.map(|row| (row.0.id, row)).collect()))
}

impl Current {
    fn row(&self, told: &Ref) -> Option<&PostRow> {
        self.0
            .get(&post_of(told.delivery.item)?)
            .map(|(row, _)| row)
    }

    fn is_apart(&self, told: &Ref) -> bool {
        let post = post_of(told.delivery.item).and_then(|post| self.0.get(&post));
        post.is_some_and(|(_, apart)| *apart)
    }

    /// The state of the post that a delivery is about, if it is about one.
    pub(super) fn state_of(&self, told: &Ref) -> Option<PostState> {
        let known = told.post?;
        let row = self.row(told);
        Some(match (known, row.map(|r| (r.state, r.edits))) {
            (Known::Open { hidden: true, .. }, _) => PostState::Hidden,
            (Known::Open { edits: 0, .. }, _) => PostState::Live,
            (Known::Open { .. }, _) if self.is_apart(told) => PostState::Blocked,
            (Known::Open { edits, .. }, Some(("live", have))) if have >= u32::from(edits) => {
                PostState::Edited
            }
            (Known::Gone, Some(("deleted", _))) => PostState::Deleted,
            (Known::Gone, Some(("hidden", _))) => PostState::Hidden,
            _ => PostState::Changing,
        })
    }

    /// The current text of an edited post.
    pub(super) fn text_of(&self, told: &Ref) -> Option<Body> {
        if self.state_of(told) != Some(PostState::Edited) {
            return None;
        }
        self.row(told)?.body.as_ref()?.body.clone()
    }
}

fn post_of(item: Item) -> Option<PostId> {
    match item {
        Item::Mention(post) | Item::Reply(post) | Item::Changed(post) => Some(post),
        Item::Message(_)
        | Item::Request(_)
        | Item::Call(_)
        | Item::Negotiation(_)
        | Item::Deal(_)
        | Item::Task(_)
        | Item::Approval(_)
        | Item::Team(_)
        | Item::Contact(_)
        | Item::Conversation(_)
        | Item::Community(_)
        | Item::Measure(_) => None,
    }
}

/// Whether the texts that an event names are those of a post.
pub(super) fn is_text_of_post(event: &Fact) -> bool {
    matches!(
        event,
        Fact::Social(SocialEvent::Posted { .. } | SocialEvent::Edited { .. })
    )
}

/// Whether an event is the change of a post that a delivery is about. The end of a measure names no
/// post, but its envelope ends no other measure.
pub(super) fn is_change(event: &Fact, item: Item) -> bool {
    let (Fact::Social(event), Item::Changed(id)) = (event, item) else {
        return false;
    };
    match event {
        SocialEvent::Edited { post, .. } | SocialEvent::Deleted { post } => *post == id,
        SocialEvent::MeasureTaken { target, step, .. } => {
            *target == Target::Post(id) && *step == Step::Hide
        }
        SocialEvent::MeasureRevoked { .. } | SocialEvent::AppealDecided { .. } => true,
        SocialEvent::Followed { .. }
        | SocialEvent::Unfollowed { .. }
        | SocialEvent::Muted { .. }
        | SocialEvent::Unmuted { .. }
        | SocialEvent::Posted { .. }
        | SocialEvent::Reacted { .. }
        | SocialEvent::PostsClosed { .. }
        | SocialEvent::CommunityCreated { .. }
        | SocialEvent::CommunityUpdated { .. }
        | SocialEvent::Joined { .. }
        | SocialEvent::JoinRequested { .. }
        | SocialEvent::JoinAnswered { .. }
        | SocialEvent::Left { .. }
        | SocialEvent::ModeratorSet { .. }
        | SocialEvent::Reported { .. }
        | SocialEvent::ReportsEnded { .. }
        | SocialEvent::Appealed { .. }
        | SocialEvent::OwnerMuted { .. }
        | SocialEvent::OwnerUnmuted { .. } => false,
    }
}
