//! Mail: conversations, groups, and one numbered inbox per agent.
//!
//! Holds who talks with whom and what waits where: references, never a message's text. A group
//! message is one event; its fan-out to the members' inboxes happens when the event is applied.

mod decide;
mod evolve;
mod lanes;
mod reach;
#[cfg(test)]
mod tests;

use alloc::format;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use decide::{admitted, may_wait, repetition};
pub(crate) use evolve::{admit_both, correct, deliver, evolve, hearers};
pub(crate) use lanes::{KeptIndex, known};
pub use lanes::{Lane, Lanes};
pub(crate) use reach::{count as count_reach, judge as judge_reach, tell};

use crate::command::{always, commands, never};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::fact::{TextOf, Told, facts};
use crate::hash::Short;
use crate::id::{
    AgentId, ApprovalId, CallId, CommunityId, ContentId, ConversationId, DealId, MeasureId,
    MessageId, NegotiationId, PostId, TaskId, TeamId,
};
use crate::identity::AgentRef;
use crate::limits;
use crate::share;
use crate::state::pair;
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

impl Conversation {
    /// The two agents of a direct conversation, in the order of their ids.
    fn pair(&self) -> Option<(AgentId, AgentId)> {
        match (self.kind, self.members.as_slice()) {
            (ConversationKind::Direct, [a, b]) => Some(pair(*a, *b)),
            _ => None,
        }
    }
}

impl Entity for Conversation {
    const KIND: u8 = 30;
    type Key = ConversationId;
    const DUE: Due<Self> = Due::Acts(
        |it| {
            // A silent conversation leaves memory, one without members at once.
            if it.members.is_empty() {
                return Some(it.used);
            }
            Some(it.used.after(limits::CONVERSATION_MS))
        },
        decide::close,
    );
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::CONVERSATIONS,
        what: "conversations",
        payer: |it, _, state| share::owner(state, it.opened_by),
    };
    const LOOKUP: Lookup<Self> = Lookup::While(
        |it, key, index| {
            if let Some(both) = it.pair() {
                index.direct.insert(both, key);
            }
        },
        |it, _, index| {
            if let Some(both) = it.pair() {
                index.direct.remove(&both);
            }
        },
    );
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
    /// The time of the first kept delivery whose age the clock has not checked.
    #[n(3)]
    pub oldest: Option<Time>,
    /// Up to which number the clock has checked the age of deliveries.
    #[n(4)]
    pub judged: Option<u64>,
    /// When the clock checks again the waiting deliveries that it kept past their time.
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
    const DUE: Due<Self> = Due::Acts(
        |it| {
            let old = it.oldest.map(|at| at.after(limits::DELIVERY_MS));
            old.into_iter().chain(it.again).min()
        },
        decide::expire,
    );
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
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

/// One delivery in an inbox: a reference to the event at a position.
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
    /// Its lane; none if it was made before lanes existed.
    #[n(3)]
    pub lane: Option<Lane>,
    /// The agent that caused it, if one did.
    #[n(4)]
    pub by: Option<AgentId>,
}

impl Entity for Delivery {
    const KIND: u8 = 32;
    type Key = (AgentId, u64);
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// A receiver's answer to a sender's first message.
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

/// A receiver's answer to a sender, if any.
fn contact(
    state: &crate::state::State,
    receiver: AgentId,
    sender: AgentId,
) -> Option<ContactState> {
    state.contacts.get(&(receiver, sender)).map(|c| c.state)
}

/// A receiver's relation to a sender. Keyed by (receiver, sender).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Contact {
    /// The receiver's answer.
    #[n(0)]
    pub state: ContactState,
    /// When it answered, or when a message last passed between them, to within [`limits::USE_MS`].
    #[n(1)]
    pub at: Time,
}

impl Entity for Contact {
    const KIND: u8 = 33;
    type Key = (AgentId, AgentId);
    const DUE: Due<Self> = Due::Acts(
        |it| {
            // A first message is forgotten when it leaves the inbox, an answer after long silence:
            // then the sender may ask again.
            Some(it.at.after(match it.state {
                ContactState::Requested => limits::DELIVERY_MS,
                ContactState::Admitted | ContactState::Refused => limits::CONTACT_MS,
            }))
        },
        decide::lapse,
    );
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::CONTACTS,
        what: "contacts",
        payer: |it, (receiver, sender), state| {
            // A first message is its sender's doing; what the receiver then says is the receiver's.
            let by = match it.state {
                ContactState::Requested => sender,
                ContactState::Admitted | ContactState::Refused => receiver,
            };
            share::owner(state, *by)
        },
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
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
    /// What the message said: the hash of its destination and its text.
    #[n(2)]
    pub body: Short,
    /// Who sent it.
    #[n(3)]
    pub from: AgentId,
}

impl Entity for MessageKey {
    const KIND: u8 = 34;
    type Key = Short;
    const DUE: Due<Self> = Due::Leaves(|it| Some(it.at.after(limits::MESSAGE_ID_MS)));
    const CHARGE: Charge<Self> = Charge::Window {
        most: limits::MESSAGE_IDS,
        what: "remembered message ids",
        payer: |it, _, state| share::owner(state, it.from),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
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
    /// The destination.
    pub to: Destination,
    /// What it says.
    pub body: C,
    /// The sender's own id for it: a message with the same id is sent only once within the window of its
    /// owner, a day unless its agents send more than 15 a second, and ten minutes at least.
    #[serde(default)]
    pub client_id: Option<ClientId>,
    /// The message it replies to.
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

/// Adds agents to a group, or removes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeGroup {
    /// The group.
    pub conversation: ConversationId,
    /// Whom to add.
    #[serde(default)]
    pub add: Vec<AgentRef>,
    /// Whom to remove: an agent removes itself; the leader removes anybody. The longest-standing
    /// member that can act leads, at first the one that opened the group.
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
    /// True admits it, false refuses it.
    pub admit: bool,
}

/// Acknowledges deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// Acknowledges all deliveries up to this number.
    pub through: u64,
}

/// Erases contents for good: from the log, the views and later backups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// The contents.
    pub contents: Vec<ContentId>,
}

commands! {
    /// What can be asked about mail.
    pub enum MailCommand<C> needs Mail {
        /// Changes a group's members.
        ChangeGroup(ChangeGroup) = "mail.change_group" => decide::change_group,
            reaches_others: |args: &ChangeGroup| !args.add.is_empty();
        /// Answers a stranger's first message.
        AnswerRequest(AnswerRequest) = "mail.answer_request" => decide::answer_request, reaches_others: never;
        /// Acknowledges deliveries.
        Acknowledge(Acknowledge) = "mail.acknowledge" => decide::acknowledge, reaches_others: never;
        /// Erases contents for good.
        Erase(Erase) = "realm.erase" => decide::erase, reaches_others: never, needs: everything;
    }
    texts {
        /// Sends a message.
        SendMessage(SendMessage { to, client_id, reply_to, task } carrying body: one, blank refused)
            = "mail.send" => decide::send, reaches_others: always;
        /// Opens a group.
        OpenGroup(OpenGroup { members } carrying title: one, blank refused)
            = "mail.open_group" => decide::open_group, reaches_others: always;
    }
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
        /// The conversation.
        #[n(1)]
        conversation: ConversationId,
        /// The sender.
        #[n(2)]
        from: AgentId,
        /// What it says.
        #[n(3)]
        body: ContentRef,
        /// The sender's own id for it, hashed with the sender, and what it said, hashed.
        #[n(4)]
        client_id: Option<(Short, Short)>,
        /// The message it replies to.
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
        /// The acting agent.
        #[n(0)]
        by: AgentId,
        /// The stranger.
        #[n(1)]
        stranger: AgentId,
        /// True admits it, false refuses it.
        #[n(2)]
        admit: bool,
    },
    /// A group's members changed.
    #[n(3)]
    GroupChanged {
        /// The group.
        #[n(0)]
        conversation: ConversationId,
        /// Who came.
        #[n(1)]
        added: Vec<AgentId>,
        /// Who went.
        #[n(2)]
        removed: Vec<AgentId>,
        /// Whose message it counts as. Nothing for a member that leaves, and in older logs.
        #[n(3)]
        by: Option<AgentId>,
    },
    /// Deliveries were acknowledged.
    #[n(4)]
    Acknowledged {
        /// The agent.
        #[n(0)]
        agent: AgentId,
        /// Up to which number.
        #[n(1)]
        through: u64,
    },
    /// Old deliveries left an inbox.
    #[n(5)]
    Trimmed {
        /// The agent.
        #[n(0)]
        agent: AgentId,
        /// The first number still kept.
        #[n(1)]
        first: u64,
    },
    /// Contents were erased beside the log.
    #[n(6)]
    Erased {
        /// The contents.
        #[n(0)]
        contents: Vec<ContentId>,
    },
    /// A conversation left memory, after long silence or because it has no members.
    #[n(7)]
    ConversationClosed {
        /// The conversation.
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
    /// Inboxes have lanes from now on. The first envelope of code that knows lanes carries it.
    #[n(20)]
    LanesOpened,
    /// Deliveries that are too old left an inbox, except those that still wait.
    #[n(21)]
    Cleared {
        /// The agent.
        #[n(0)]
        agent: AgentId,
        /// Up to which number.
        #[n(1)]
        through: u64,
    },
}

facts! {
    MailEvent {
        ConversationOpened { conversation, title, .. } = "mail.conversation_opened",
            concerns [conversation], texts [title => TextOf::Nothing], told [];
        MessageSent { message, conversation, from, body, request, .. } = "mail.message_sent",
            concerns [message], texts [body => TextOf::Message(*message)], told [{
                let what = if *request { "wrote first to a stranger" } else { "wrote" };
                Told::new(*message, format!("{what} in {conversation}")).by(*from)
            }];
        RequestAnswered { by, stranger, .. } = "mail.request_answered", concerns [by, stranger], texts [], told [];
        GroupChanged { added, removed, .. } = "mail.group_changed", concerns [added, removed], texts [], told [];
        Acknowledged { .. } = "mail.acknowledged", concerns [], texts [], told [];
        Trimmed { .. } = "mail.trimmed", concerns [], texts [], told [];
        Erased { .. } = "mail.erased", concerns [], texts [], told [];
        ConversationClosed { .. } = "mail.conversation_closed", concerns [], texts [], told [];
        ContactLapsed { .. } = "mail.contact_lapsed", concerns [], texts [], told [];
        LanesOpened {} = "mail.lanes_opened", concerns [], texts [], told [];
        Cleared { .. } = "mail.cleared", concerns [], texts [], told [];
    }
}
