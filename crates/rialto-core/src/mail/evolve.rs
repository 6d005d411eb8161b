//! Applies events about mail, and delivers the events of other modules.

use alloc::vec::Vec;

use super::{
    Contact, ContactState, Conversation, ConversationKind, Delivery, Inbox, Item, Lanes, MailEvent,
    MessageKey, lanes,
};
use crate::hash::Short;
use crate::id::{AgentId, ConversationId, MessageId, PostId};
use crate::limits;
use crate::policy;
use crate::social;
use crate::state::State;

pub(crate) fn evolve(state: &mut State, event: &MailEvent) {
    match event {
        MailEvent::ConversationOpened {
            conversation,
            kind,
            by,
            members,
            title,
        } => {
            let entity = Conversation {
                kind: *kind,
                members: members.clone(),
                opened_by: *by,
                used: state.now(),
            };
            state.bring(*conversation, entity);
            if title.is_some() {
                policy::count_rate(state, policy::Rate::Messages(*by));
                for member in members.iter().filter(|m| *m != by) {
                    deliver(state, *member, Item::Conversation(*conversation));
                }
            }
        }
        MailEvent::MessageSent {
            message,
            conversation,
            from,
            client_id,
            request,
            ..
        } => {
            sent(state, *message, *conversation, *from, *request);
            if let Some((key, body)) = client_id {
                remember(state, *key, *body, (*message, *from));
            }
        }
        MailEvent::RequestAnswered {
            by,
            stranger,
            admit,
        } => {
            let said = if *admit {
                ContactState::Admitted
            } else {
                ContactState::Refused
            };
            set_contact(state, (*by, *stranger), said);
            policy::count_rate(state, policy::Rate::Messages(*by));
            deliver(state, *stranger, Item::Contact(*by));
        }
        MailEvent::GroupChanged {
            conversation,
            added,
            removed,
            by,
        } => {
            if let Some(by) = by {
                policy::count_rate(state, policy::Rate::Messages(*by));
            }
            state
                .conversations
                .modify(conversation, &mut state.changes, |c| {
                    c.members.retain(|m| !removed.contains(m));
                    c.members.extend_from_slice(added);
                });
            for member in added {
                deliver(state, *member, Item::Conversation(*conversation));
            }
        }
        MailEvent::Acknowledged { agent, through } => {
            state
                .inboxes
                .modify(agent, &mut state.changes, |i| i.acknowledged = *through);
            if state.has_lanes() {
                lanes::acknowledged(state, *agent, *through);
            }
        }
        MailEvent::Trimmed { agent, first } => trim(state, *agent, *first),
        MailEvent::Erased { .. } => {}
        MailEvent::ConversationClosed { conversation } => {
            if state.take::<Conversation>(conversation).is_none() {
                state.changes.defect();
            }
        }
        MailEvent::ContactLapsed { receiver, sender } => {
            end_request(state, *receiver, *sender);
            if state.take::<Contact>(&(*receiver, *sender)).is_none() {
                state.changes.defect();
            }
        }
        MailEvent::LanesOpened => state.bring((), Lanes {}),
        MailEvent::Cleared { agent, through } => lanes::clear(state, *agent, *through),
    }
}

/// Fans a message out to the members of its conversation.
fn sent(
    state: &mut State,
    message: MessageId,
    conversation: ConversationId,
    from: AgentId,
    request: bool,
) {
    policy::count_rate(state, policy::Rate::Messages(from));
    let Some((kind, members, used)) = state
        .conversations
        .get(&conversation)
        .map(|c| (c.kind, c.members.clone(), c.used))
    else {
        state.changes.defect();
        return;
    };
    let now = state.now();
    if now.since(used) >= limits::USE_MS {
        state
            .conversations
            .modify(&conversation, &mut state.changes, |c| c.used = now);
    }
    for member in members.into_iter().filter(|m| *m != from) {
        // In a group a block holds member by member; the sender is not told.
        if state.has_lanes() && policy::blocked(state, member, from) {
            continue;
        }
        if request {
            set_contact(state, (member, from), ContactState::Requested);
            state
                .agents
                .modify(&from, &mut state.changes, |a| a.open_requests += 1);
        }
        let item = if request {
            Item::Request(message)
        } else {
            Item::Message(message)
        };
        deliver(state, member, item);
        if kind == ConversationKind::Direct {
            answered(state, from, member);
            use_contact(state, (member, from));
        }
    }
}

/// Writing to somebody admits them, so that they can answer. Writing to a group admits nobody,
/// because the answer comes through the group.
fn answered(state: &mut State, from: AgentId, to: AgentId) {
    let key = (from, to);
    match state.contacts.get(&key).map(|c| c.state) {
        Some(ContactState::Admitted) => use_contact(state, key),
        _ => set_contact(state, key, ContactState::Admitted),
    }
}

/// Records a receiver's answer to a sender, which ends a waiting request.
fn set_contact(state: &mut State, key: (AgentId, AgentId), said: ContactState) {
    end_request(state, key.0, key.1);
    let at = state.now();
    state.bring(key, Contact { state: said, at });
}

fn end_request(state: &mut State, receiver: AgentId, sender: AgentId) {
    let waits = |c: &Contact| c.state == ContactState::Requested;
    if !state.contacts.get(&(receiver, sender)).is_some_and(waits) {
        return;
    }
    state.agents.modify(&sender, &mut state.changes, |a| {
        a.open_requests = a.open_requests.saturating_sub(1);
    });
}

/// Notes that a message passed between two who know each other.
fn use_contact(state: &mut State, key: (AgentId, AgentId)) {
    let now = state.now();
    let stale =
        |c: &Contact| c.state == ContactState::Admitted && now.since(c.at) >= limits::USE_MS;
    if state.contacts.get(&key).is_some_and(stale) {
        state
            .contacts
            .modify(&key, &mut state.changes, |c| c.at = now);
    }
}

fn remember(state: &mut State, key: Short, body: Short, (message, from): (MessageId, AgentId)) {
    let at = state.now();
    let entity = MessageKey {
        message,
        at,
        body,
        from,
    };
    state.bring(key, entity);
}

/// Puts a reference to the envelope being applied into an agent's inbox.
pub(crate) fn deliver(state: &mut State, agent: AgentId, item: Item) {
    let (at, position) = (state.now(), state.position());
    state.changes.deliver_to(agent);
    let mut seq = 0;
    state
        .inboxes
        .upsert(agent, &mut state.changes, Inbox::default, |inbox| {
            seq = inbox.next;
            inbox.next += 1;
            inbox.oldest = inbox.oldest.or(Some(at));
        });
    if state.has_lanes() {
        lanes::keep(state, agent, seq, (at, item));
        return;
    }
    let delivery = Delivery {
        at,
        position,
        item,
        lane: None,
        by: None,
    };
    lanes::put(state, agent, seq, delivery);
    let kept_from = (seq + 1).saturating_sub(limits::INBOX_DELIVERIES as u64);
    if state
        .inboxes
        .get(&agent)
        .is_some_and(|i| i.first < kept_from)
    {
        trim(state, agent, kept_from);
    }
}

/// Drops the deliveries before `first`.
fn trim(state: &mut State, agent: AgentId, first: u64) {
    let Some(from) = state.inboxes.get(&agent).map(|i| i.first) else {
        state.changes.defect();
        return;
    };
    let first = first.max(from);
    for seq in from..first {
        lanes::drop(state, agent, seq);
    }
    let oldest = state.deliveries.get(&(agent, first)).map(|d| d.at);
    state.inboxes.modify(&agent, &mut state.changes, |i| {
        (i.first, i.oldest) = (first, oldest);
    });
}

/// Notifies the inboxes that keep a delivery of a post of its edit or removal. Edits by an author
/// that the reader has muted are left out; removals never are.
pub(crate) fn correct(state: &mut State, post: PostId, edited_by: Option<AgentId>) {
    if !state.has_lanes() {
        return;
    }
    for agent in hearers(state, post, edited_by) {
        deliver(state, agent, Item::Changed(post));
    }
}

/// The inboxes that hear of a change of a post.
pub(crate) fn hearers(state: &State, post: PostId, edited_by: Option<AgentId>) -> Vec<AgentId> {
    let mut told: Vec<AgentId> = lanes::told(state, post).into_iter().collect();
    let deaf = |agent, author| {
        policy::blocked(state, agent, author) || social::muted(state, agent, author)
    };
    told.retain(|agent| !edited_by.is_some_and(|author| deaf(*agent, author)));
    told
}

/// Two agents that made a deal may write to each other.
pub(crate) fn admit_both(state: &mut State, a: AgentId, b: AgentId) {
    answered(state, a, b);
    answered(state, b, a);
}
