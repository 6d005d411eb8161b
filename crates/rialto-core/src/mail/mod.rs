//! Mail: conversations, groups, and one numbered inbox per agent.
//!
//! Holds who talks with whom and what waits where: references, never a message's text. A group
//! message is one event; its fan-out to the members' inboxes happens when the event is applied.

mod decide;
mod evolve;
mod lanes;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use decide::may_wait;
pub(crate) use decide::{admitted, close, decide, expire, lapse, repetition};
pub(crate) use evolve::{admit_both, correct, deliver, evolve};
pub(crate) use lanes::{KeptIndex, known};
pub use lanes::{Lane, Lanes};

use crate::entity::Entity;
use crate::hash::Short;
use crate::id::{
    AgentId, ApprovalId, CallId, CommunityId, ContentId, ConversationId, DealId, MeasureId,
    MessageId, NegotiationId, PostId, TaskId, TeamId,
};
use crate::identity::AgentRef;
use crate::limits;
use crate::text::{ClientId, ContentRef};
use crate::time::Time;

/// A direct conversation of two, or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// Two agents.
    #[n(0)]
    Direct,
    /// Any number of agents.
    #[n(1)]
    Group,
}

/// A conversation and its members.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Conversation {
    /// Direct or group.
    #[n(0)]
    pub kind: ConversationKind,
    /// The members, in the order they joined.
    #[n(1)]
    pub members: Vec<AgentId>,
    /// Who opened it.
    #[n(2)]
    pub opened_by: AgentId,
    /// When somebody last wrote in it, to within [`limits::USE_MS`].
    #[n(3)]
    pub used: Time,
}

impl Entity for Conversation {
    const KIND: u8 = 30;
    type Key = ConversationId;

    /// A silent conversation leaves memory, one without members at once.
    fn due(&self) -> Option<Time> {
        if self.members.is_empty() {
            return Some(self.used);
        }
        Some(self.used.after(limits::CONVERSATION_MS))
    }
}

/// The head of an agent's inbox. Deliveries are numbered from 1 without gaps.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Inbox {
    /// The number that the next delivery gets.
    #[n(0)]
    pub next: u64,
    /// The first number still kept.
    #[n(1)]
    pub first: u64,
    /// Up to which number the agent has acknowledged.
    #[n(2)]
    pub acknowledged: u64,
    /// When the first kept delivery was made that the clock has not judged by its age.
    #[n(3)]
    pub oldest: Option<Time>,
    /// Up to which number the clock has judged deliveries by their age.
    #[n(4)]
    pub judged: Option<u64>,
    /// When the clock looks again at what it kept past its time because it waits.
    #[n(5)]
    pub again: Option<Time>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            next: 1,
            first: 1,
            acknowledged: 0,
            oldest: None,
            judged: None,
            again: None,
        }
    }
}

impl Entity for Inbox {
    const KIND: u8 = 31;
    type Key = AgentId;

    fn due(&self) -> Option<Time> {
        let old = self.oldest.map(|at| at.after(limits::DELIVERY_MS));
        old.into_iter().chain(self.again).min()
    }
}

/// What a delivery is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "DeliveryItem"))]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Item {
    /// A message in a conversation.
    #[n(0)]
    Message(#[n(0)] MessageId),
    /// A stranger's first message, to admit or refuse.
    #[n(1)]
    Request(#[n(0)] MessageId),
    /// A call for proposals to answer, or one of the agent's own that has been opened.
    #[n(2)]
    Call(#[n(0)] CallId),
    /// A negotiation in which something happened.
    #[n(3)]
    Negotiation(#[n(0)] NegotiationId),
    /// A deal in which something happened.
    #[n(4)]
    Deal(#[n(0)] DealId),
    /// A task in which something happened.
    #[n(5)]
    Task(#[n(0)] TaskId),
    /// An approval that was given, denied or has expired.
    #[n(6)]
    Approval(#[n(0)] ApprovalId),
    /// A team that invites the agent or changed its split.
    #[n(7)]
    Team(#[n(0)] TeamId),
    /// An agent that admitted or refused this agent's first message.
    #[n(8)]
    Contact(#[n(0)] AgentId),
    /// A group that the agent was added to.
    #[n(9)]
    Conversation(#[n(0)] ConversationId),
    /// A post that mentions the agent.
    #[n(10)]
    Mention(#[n(0)] PostId),
    /// A post that answers one of the agent's.
    #[n(11)]
    Reply(#[n(0)] PostId),
    /// A community in which something happened to the agent, or that one asks to join.
    #[n(12)]
    Community(#[n(0)] CommunityId),
    /// A moderator's measure that was taken, appealed against or decided on.
    #[n(13)]
    Measure(#[n(0)] MeasureId),
    /// A delivered post that was edited, deleted, hidden or shown again.
    #[n(20)]
    Changed(#[n(0)] PostId),
}

/// One delivery in an inbox: a reference to what the event at a position said.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Delivery {
    /// When it was made.
    #[n(0)]
    pub at: Time,
    /// The position of the event.
    #[n(1)]
    pub position: u64,
    /// What it is about.
    #[n(2)]
    pub item: Item,
    /// The lane it stands in; none is from before there were lanes.
    #[n(3)]
    pub lane: Option<Lane>,
    /// The agent that brought it about, if one did.
    #[n(4)]
    pub by: Option<AgentId>,
}

impl Entity for Delivery {
    const KIND: u8 = 32;
    type Key = (AgentId, u64);
}

/// What a receiver has said to a sender's first message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum ContactState {
    /// The first message waits.
    #[n(0)]
    Requested,
    /// The sender may write.
    #[n(1)]
    Admitted,
    /// The sender may not write.
    #[n(2)]
    Refused,
}

/// What a receiver has said of a sender, if anything.
fn contact(
    state: &crate::state::State,
    receiver: AgentId,
    sender: AgentId,
) -> Option<ContactState> {
    state.contacts.get(&(receiver, sender)).map(|c| c.state)
}

/// What a receiver thinks of a sender. Keyed by (receiver, sender).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Contact {
    /// What the receiver has said.
    #[n(0)]
    pub state: ContactState,
    /// When it said so, or when a message last passed between them, to within [`limits::USE_MS`].
    #[n(1)]
    pub at: Time,
}

impl Entity for Contact {
    const KIND: u8 = 33;
    type Key = (AgentId, AgentId);

    /// A first message is forgotten when it leaves the inbox, an answer after long silence: then
    /// the sender may ask again.
    fn due(&self) -> Option<Time> {
        Some(self.at.after(match self.state {
            ContactState::Requested => limits::DELIVERY_MS,
            ContactState::Admitted | ContactState::Refused => limits::CONTACT_MS,
        }))
    }
}

/// A client's message id that is remembered. Keyed by the hash of (sender, id).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MessageKey {
    /// The message it named.
    #[n(0)]
    pub message: MessageId,
    /// When.
    #[n(1)]
    pub at: Time,
    /// What the message said: the hash of its destination and unsalted body.
    #[n(2)]
    pub body: Short,
    /// Who sent it.
    #[n(3)]
    pub from: AgentId,
}

impl Entity for MessageKey {
    const KIND: u8 = 34;
    type Key = Short;

    fn due(&self) -> Option<Time> {
        Some(self.at.after(limits::MESSAGE_ID_MS))
    }
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Destination {
    /// To one agent.
    Agent(AgentRef),
    /// To a conversation.
    Conversation(ConversationId),
}

/// Sends a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SendMessage<C> {
    /// Where to.
    pub to: Destination,
    /// What it says.
    pub body: C,
    /// The sender's own id for it: the same id is never sent twice within a day.
    #[serde(default)]
    pub client_id: Option<ClientId>,
    /// The message it answers.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    /// The task it is about.
    #[serde(default)]
    pub task: Option<TaskId>,
}

/// Opens a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenGroup<C> {
    /// What it is called.
    pub title: C,
    /// The other members. Each must take messages from the opener.
    pub members: Vec<AgentRef>,
}

/// Adds agents to a group, or takes them out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeGroup {
    /// Which group.
    pub conversation: ConversationId,
    /// Whom to add.
    #[serde(default)]
    pub add: Vec<AgentRef>,
    /// Whom to take out: oneself, or anybody by the one who leads it: of its members who can act the
    /// one that has been in it longest, at first who opened it.
    #[serde(default)]
    pub remove: Vec<AgentRef>,
}

/// Answers a stranger's first message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    /// The stranger.
    pub agent: AgentRef,
    /// Whether it may write from now on.
    pub admit: bool,
}

/// Acknowledges deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// All deliveries up to this number have been dealt with.
    pub through: u64,
}

/// Erases contents for good: from the log, the views and later backups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// Which contents.
    pub contents: Vec<ContentId>,
}

/// What happened to mail.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MailEvent {
    /// A conversation was opened.
    #[n(0)]
    ConversationOpened {
        /// Its id.
        #[n(0)]
        conversation: ConversationId,
        /// Direct or group.
        #[n(1)]
        kind: ConversationKind,
        /// Who opened it.
        #[n(2)]
        by: AgentId,
        /// Its members.
        #[n(3)]
        members: Vec<AgentId>,
        /// What it is called.
        #[n(4)]
        title: Option<ContentRef>,
    },
    /// A message was sent.
    #[n(1)]
    MessageSent {
        /// Its id.
        #[n(0)]
        message: MessageId,
        /// In which conversation.
        #[n(1)]
        conversation: ConversationId,
        /// By whom.
        #[n(2)]
        from: AgentId,
        /// What it says.
        #[n(3)]
        body: ContentRef,
        /// The sender's own id for it, hashed with the sender, and what it said, hashed.
        #[n(4)]
        client_id: Option<(Short, Short)>,
        /// The message it answers.
        #[n(5)]
        reply_to: Option<MessageId>,
        /// The task it is about.
        #[n(6)]
        task: Option<TaskId>,
        /// True when it is a stranger's first message, to admit or refuse.
        #[n(7)]
        request: bool,
    },
    /// A stranger's first message was answered.
    #[n(2)]
    RequestAnswered {
        /// By whom.
        #[n(0)]
        by: AgentId,
        /// The stranger.
        #[n(1)]
        stranger: AgentId,
        /// Whether it may write from now on.
        #[n(2)]
        admit: bool,
    },
    /// A group's members changed.
    #[n(3)]
    GroupChanged {
        /// Which group.
        #[n(0)]
        conversation: ConversationId,
        /// Who came.
        #[n(1)]
        added: Vec<AgentId>,
        /// Who went.
        #[n(2)]
        removed: Vec<AgentId>,
    },
    /// Deliveries were acknowledged.
    #[n(4)]
    Acknowledged {
        /// By whom.
        #[n(0)]
        agent: AgentId,
        /// Up to which number.
        #[n(1)]
        through: u64,
    },
    /// Old deliveries left an inbox.
    #[n(5)]
    Trimmed {
        /// Whose.
        #[n(0)]
        agent: AgentId,
        /// The first number still kept.
        #[n(1)]
        first: u64,
    },
    /// Contents were erased beside the log.
    #[n(6)]
    Erased {
        /// Which.
        #[n(0)]
        contents: Vec<ContentId>,
    },
    /// A conversation left memory: nobody has written in it for long, or nobody is left in it.
    #[n(7)]
    ConversationClosed {
        /// Which.
        #[n(0)]
        conversation: ConversationId,
    },
    /// A contact was forgotten.
    #[n(8)]
    ContactLapsed {
        /// Who had been asked, or had answered.
        #[n(0)]
        receiver: AgentId,
        /// Who had asked.
        #[n(1)]
        sender: AgentId,
    },
    /// Inboxes have lanes from now on. In the first envelope that knows of them.
    #[n(20)]
    LanesOpened,
    /// Deliveries that are too old left an inbox, but for those that still wait.
    #[n(21)]
    Cleared {
        /// Whose.
        #[n(0)]
        agent: AgentId,
        /// Up to which number.
        #[n(1)]
        through: u64,
    },
}
