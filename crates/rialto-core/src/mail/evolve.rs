//! Applies events about mail, and delivers what other modules' events bring.

use super::{
    Contact, Conversation, ConversationKind, Delivery, Inbox, Item, MailEvent, MessageKey,
};
use crate::hash::Short;
use crate::id::{AgentId, ConversationId, MessageId};
use crate::limits;
use crate::policy;
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
            };
            state.add_conversation(*conversation, entity);
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
                remember(state, *key, *body, *message);
            }
        }
        MailEvent::RequestAnswered {
            by,
            stranger,
            admit,
        } => {
            if state.contacts.get(&(*by, *stranger)) == Some(&Contact::Requested) {
                let changes = &mut state.changes;
                state.agents.modify(stranger, changes, |a| {
                    a.open_requests = a.open_requests.saturating_sub(1);
                });
            }
            let contact = if *admit {
                Contact::Admitted
            } else {
                Contact::Refused
            };
            state
                .contacts
                .put((*by, *stranger), contact, &mut state.changes);
            policy::count_rate(state, policy::Rate::Messages(*by));
            deliver(state, *stranger, Item::Contact(*by));
        }
        MailEvent::GroupChanged {
            conversation,
            added,
            removed,
        } => {
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
        }
        MailEvent::Trimmed { agent, first } => trim(state, *agent, *first),
        MailEvent::Erased { .. } => {}
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
    let Some((kind, members)) = state
        .conversations
        .get(&conversation)
        .map(|c| (c.kind, c.members.clone()))
    else {
        state.changes.defect();
        return;
    };
    for member in members.into_iter().filter(|m| *m != from) {
        if request {
            state
                .contacts
                .put((member, from), Contact::Requested, &mut state.changes);
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
        }
    }
}

/// Writing to somebody admits them: an answer must be able to come back. Writing to a group admits
/// nobody, as the answer comes back through the group.
fn answered(state: &mut State, from: AgentId, to: AgentId) {
    let key = (from, to);
    match state.contacts.get(&key) {
        Some(Contact::Admitted) => return,
        Some(Contact::Requested) => {
            let changes = &mut state.changes;
            state.agents.modify(&to, changes, |a| {
                a.open_requests = a.open_requests.saturating_sub(1);
            });
        }
        Some(Contact::Refused) | None => {}
    }
    state
        .contacts
        .put(key, Contact::Admitted, &mut state.changes);
}

fn remember(state: &mut State, key: Short, body: Short, message: MessageId) {
    let at = state.now();
    state
        .message_keys
        .put(key, MessageKey { message, at, body }, &mut state.changes);
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
    state.deliveries.put(
        (agent, seq),
        Delivery { at, position, item },
        &mut state.changes,
    );
    let kept_from = (seq + 1).saturating_sub(limits::INBOX_DELIVERIES);
    if state
        .inboxes
        .get(&agent)
        .is_some_and(|i| i.first < kept_from)
    {
        trim(state, agent, kept_from);
    }
}

/// Lets the deliveries before `first` go.
fn trim(state: &mut State, agent: AgentId, first: u64) {
    let Some(from) = state.inboxes.get(&agent).map(|i| i.first) else {
        state.changes.defect();
        return;
    };
    let first = first.max(from);
    for seq in from..first {
        state.deliveries.remove(&(agent, seq), &mut state.changes);
    }
    let oldest = state.deliveries.get(&(agent, first)).map(|d| d.at);
    state.inboxes.modify(&agent, &mut state.changes, |i| {
        (i.first, i.oldest) = (first, oldest);
    });
}

/// Two agents that made a deal may write to each other.
pub(crate) fn admit_both(state: &mut State, a: AgentId, b: AgentId) {
    answered(state, a, b);
    answered(state, b, a);
}
