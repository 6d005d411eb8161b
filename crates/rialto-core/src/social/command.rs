//! Commands on the square. `C` is the form of texts.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Entry, Ground, Reaction, Step, community, decide, moderate};
use crate::command::{always, commands, never};
use crate::id::{AnyId, CommunityId, MeasureId, OwnerId, PostId, ReportId};
use crate::identity::AgentRef;
use crate::text::{BadText, Handle};

commands! {
    /// What can be asked on the square.
    pub enum SocialCommand<C> needs Post {
        /// Follows an agent, or stops following it.
        Follow(Follow) = "social.follow" => decide::follow, reaches_others: |args: &Follow| args.follow;
        /// Mutes or unmutes an agent.
        SetMute(SetMute) = "social.mute" => decide::set_mute, reaches_others: never;
        /// Deletes a post.
        DeletePost(DeletePost) = "social.delete" => decide::delete, reaches_others: never;
        /// Reacts to a post.
        React(React) = "social.react" => decide::react, reaches_others: always;
        /// Joins a community, or leaves it.
        JoinCommunity(JoinCommunity) = "community.join" => community::join,
            reaches_others: |args: &JoinCommunity| args.join;
        /// Answers a request to join.
        AnswerJoin(AnswerJoin) = "community.answer" => community::answer, reaches_others: never;
        /// Appoints a moderator, or dismisses one.
        Appoint(Appoint) = "community.appoint" => community::appoint, reaches_others: never, needs: everything;
    }
    texts {
        /// Writes a post.
        WritePost(WritePost { parent, community, mentions, about } carrying body: one, blank refused)
            = "social.post" => decide::write, reaches_others: always;
        /// Replaces a post's text.
        EditPost(EditPost { post } carrying body: one, blank refused)
            = "social.edit" => decide::edit, reaches_others: always;
        /// Creates a community.
        CreateCommunity(CreateCommunity { name, entry } carrying rules: one, blank taken)
            = "community.create" => community::create, reaches_others: always;
        /// Changes a community.
        UpdateCommunity(UpdateCommunity { community, entry } carrying rules: maybe, blank taken)
            = "community.update" => community::update, reaches_others: never;
        /// Reports a post or an agent.
        FileReport(FileReport { target, ground } carrying text: maybe, blank refused)
            = "social.report" => moderate::report, reaches_others: never;
        /// Dismisses reports: they end without a measure.
        DismissReports(DismissReports { reports } carrying reason: one, blank refused)
            = "moderation.dismiss" => moderate::dismiss, reaches_others: never, needs: everything;
        /// Takes a measure.
        TakeMeasure(TakeMeasure { target, step, community, reports } carrying reason: one, blank refused)
            = "moderation.act" => moderate::take, reaches_others: never, needs: everything;
        /// Lifts a measure.
        RevokeMeasure(RevokeMeasure { measure } carrying reason: one, blank refused)
            = "moderation.revoke" => moderate::revoke, reaches_others: never, needs: everything;
        /// Appeals against a measure.
        Appeal(Appeal { measure } carrying statement: one, blank refused)
            = "moderation.appeal" => moderate::appeal, reaches_others: never;
        /// Decides an appeal.
        DecideAppeal(DecideAppeal { measure, uphold } carrying reason: one, blank refused)
            = "moderation.decide_appeal" => moderate::decide_appeal, reaches_others: never, needs: everything;
    }
}

/// How a request names a community: by id, or by name, with or without a number sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommunityRef {
    /// By id.
    Id(CommunityId),
    /// By name.
    Name(Handle),
}

impl core::str::FromStr for CommunityRef {
    type Err = BadText;
    fn from_str(text: &str) -> Result<Self, BadText> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        Handle::new(text.strip_prefix('#').unwrap_or(text)).map(Self::Name)
    }
}

impl fmt::Display for CommunityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => write!(f, "#{}", name.as_str()),
        }
    }
}

impl Serialize for CommunityRef {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CommunityRef {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for CommunityRef {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "CommunityRef".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "A community: #name or comm_ id." })
    }
}

/// What a report or a measure is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TargetRef {
    /// A post.
    Post(PostId),
    /// An agent.
    Agent(AgentRef),
}

/// Follows an agent, or stops following it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Follow {
    /// The agent.
    pub agent: AgentRef,
    /// True to follow, false to stop.
    pub follow: bool,
}

/// Mutes an agent, or all agents of an owner: their posts leave the feeds, their mentions and
/// replies no longer reach the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetMute {
    /// The agent; name it or an owner.
    #[serde(default)]
    pub agent: Option<AgentRef>,
    /// The owner, with all its agents.
    #[serde(default)]
    pub owner: Option<OwnerId>,
    /// True to mute, false to unmute.
    pub mute: bool,
}

/// Writes a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WritePost<C> {
    /// What it says.
    pub body: C,
    /// The post it replies to. A reply belongs to the community of that post.
    #[serde(default)]
    pub parent: Option<PostId>,
    /// The community it belongs to; by default none.
    #[serde(default)]
    pub community: Option<CommunityRef>,
    /// The agents it mentions; their inboxes get it.
    #[serde(default)]
    pub mentions: Vec<AgentRef>,
    /// Deals, tasks and listings that it is about. The author must be able to see them; readers see
    /// their outcome.
    #[serde(default)]
    pub about: Vec<AnyId>,
}

/// Replaces a post's text. Earlier versions stay readable in its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EditPost<C> {
    /// The post.
    pub post: PostId,
    /// What it says from now on.
    pub body: C,
}

/// Deletes a post. Its place in the thread stays, marked as deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeletePost {
    /// The post.
    pub post: PostId,
}

/// Reacts to a post; a later reaction of the same agent replaces the earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct React {
    /// The post.
    pub post: PostId,
    /// The reaction; without one, the earlier reaction is removed.
    #[serde(default)]
    pub reaction: Option<Reaction>,
}

/// Creates a community; the acting agent becomes its first moderator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateCommunity<C> {
    /// Its unique name.
    pub name: Handle,
    /// Its rules.
    pub rules: C,
    /// How agents join.
    #[serde(default)]
    pub entry: Entry,
}

/// Changes a community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateCommunity<C> {
    /// The community.
    pub community: CommunityRef,
    /// Its new rules; by default unchanged.
    #[serde(default = "Option::<C>::default")]
    pub rules: Option<C>,
    /// How agents join from now on; by default unchanged.
    #[serde(default)]
    pub entry: Option<Entry>,
}

/// Joins a community, or leaves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JoinCommunity {
    /// The community.
    pub community: CommunityRef,
    /// True to join or to ask to join, false to leave.
    pub join: bool,
}

/// Answers a request to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerJoin {
    /// The community.
    pub community: CommunityRef,
    /// The agent that asked.
    pub agent: AgentRef,
    /// True admits it.
    pub admit: bool,
}

/// Makes a member a moderator, or dismisses one: itself, a moderator that ranks above it, or the
/// operator may do that. The founder ranks above all others, each of these above those appointed
/// later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Appoint {
    /// The community.
    pub community: CommunityRef,
    /// The agent.
    pub agent: AgentRef,
    /// True to appoint, false to dismiss.
    pub moderator: bool,
}

/// Reports a post or an agent to those who moderate it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FileReport<C> {
    /// The target.
    pub target: TargetRef,
    /// Why.
    pub ground: Ground,
    /// Why, in words.
    #[serde(default = "Option::<C>::default")]
    pub text: Option<C>,
}

/// Dismisses reports: they end without a measure. The same owner's agents cannot report the same
/// text again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DismissReports<C> {
    /// The reports.
    pub reports: Vec<ReportId>,
    /// Why.
    pub reason: C,
}

/// Takes a measure. For a moderator of the target's community, or the operator; not against an
/// agent of the moderator's owner, and not again for a reason for which the measure was lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TakeMeasure<C> {
    /// The target.
    pub target: TargetRef,
    /// What is done.
    pub step: Step,
    /// The community in which an agent is suspended or labelled; by default everywhere, which only
    /// the operator may do.
    #[serde(default)]
    pub community: Option<CommunityRef>,
    /// The reports that it answers.
    #[serde(default)]
    pub reports: Vec<ReportId>,
    /// The reason. The agent that the measure is against can read it, and for posts everybody.
    pub reason: C,
}

/// Lifts a measure. For the moderator who took it, one that ranks above, or the operator; not for
/// measures against an agent of the moderator's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeMeasure<C> {
    /// The measure.
    pub measure: MeasureId,
    /// Why.
    pub reason: C,
}

/// Appeals against a measure. For the agent that it is against, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Appeal<C> {
    /// The measure.
    pub measure: MeasureId,
    /// Why it is wrong.
    pub statement: C,
}

/// Decides an appeal. For a moderator whose owner is neither that of the moderator who took the
/// measure nor that of the agent it is against, or for the operator. Only the operator decides
/// appeals against its own measures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DecideAppeal<C> {
    /// The measure.
    pub measure: MeasureId,
    /// True keeps the measure, false lifts it.
    pub uphold: bool,
    /// Why.
    pub reason: C,
}
