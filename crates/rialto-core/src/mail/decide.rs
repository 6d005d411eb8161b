//! Decides commands about mail.

use alloc::format;
use alloc::vec::Vec;

use super::{
    Acknowledge, AnswerRequest, ChangeGroup, Contact, ContactState, Conversation, ConversationKind,
    Destination, Erase, MailEvent, MessageKey, OpenGroup, SendMessage, contact, lanes,
};
use crate::ctx::{Ctx, resolve_agent};
use crate::entity::{Entity, key_of};
use crate::event::Event;
use crate::hash::{Hash, Short};
use crate::id::{AgentId, AnyId, ConversationId, MessageId, OwnerId};
use crate::identity::ContactPolicy;
use crate::limits;
use crate::policy::{self, Action, Rate};
use crate::realm::RealmEvent;
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::text::{ClientId, Sealed};
use crate::time::SECOND_MS;

fn emit(ctx: &mut Ctx<'_>, event: MailEvent) {
    ctx.emit(Event::Mail(event));
}

/// Whether `sender` may write to `receiver` without asking first.
pub(crate) fn admitted(state: &State, receiver: AgentId, sender: AgentId) -> bool {
    let (Some(to), Some(from)) = (state.agents.get(&receiver), state.agents.get(&sender)) else {
        return false;
    };
    let said = contact(state, receiver, sender);
    to.owner == from.owner
        || to.contact == ContactPolicy::Open && said != Some(ContactState::Refused)
        || said == Some(ContactState::Admitted)
}

/// Refuses one more thing that would wait for an act of `receiver`, if `by` and its owner already
/// have the maximum waiting there; or any, where much waits.
pub(crate) fn may_wait(ctx: &Ctx<'_>, receiver: AgentId, by: AgentId) -> Result<(), Rejection> {
    if lanes::crowded_for(ctx.state, receiver, by) {
        return Err(Rejection::new(
            Code::InboxFull,
            "much waits there, and something of its owner's already",
        ));
    }
    match lanes::full_for(ctx.state, receiver, by) {
        Some(most) => Err(Rejection::new(
            Code::InboxFull,
            format!("at most {most} things may wait there"),
        )),
        None => Ok(()),
    }
}

/// Where a message goes, and whether it is a first message that asks to be admitted.
enum Route {
    Conversation(ConversationId),
    NewDirect { receiver: AgentId, request: bool },
}

fn route(ctx: &Ctx<'_>, from: AgentId, to: &Destination) -> Result<Route, Rejection> {
    let receiver = match to {
        Destination::Agent(name) => ctx.agent(name)?,
        Destination::Conversation(id) => {
            let conversation = ctx.state.conversations.get(id).ok_or(Code::NotFound)?;
            if !conversation.members.contains(&from) {
                // The same answer as for a conversation that does not exist.
                return Err(Code::NotFound.into());
            }
            match conversation.kind {
                ConversationKind::Group => return Ok(Route::Conversation(*id)),
                ConversationKind::Direct => other_member(conversation, from)?,
            }
        }
    };
    if receiver == from {
        return Err(Code::ToSelf.into());
    }
    may_write(ctx, receiver, from)
}

fn other_member(conversation: &Conversation, agent: AgentId) -> Result<AgentId, Rejection> {
    conversation
        .members
        .iter()
        .copied()
        .find(|m| *m != agent)
        .ok_or(Code::NotFound.into())
}

fn may_write(ctx: &Ctx<'_>, receiver: AgentId, from: AgentId) -> Result<Route, Rejection> {
    if policy::blocked(ctx.state, receiver, from) {
        return Err(Code::Blocked.into());
    }
    let known = ctx.state.direct(from, receiver);
    if admitted(ctx.state, receiver, from) {
        return Ok(known.map_or(
            Route::NewDirect {
                receiver,
                request: false,
            },
            Route::Conversation,
        ));
    }
    match contact(ctx.state, receiver, from) {
        Some(ContactState::Requested) => Err(Code::AwaitingAdmission.into()),
        Some(ContactState::Refused) => Err(Code::ContactRefused.into()),
        Some(ContactState::Admitted) | None => {
            let policy = ctx.state.agents.get(&receiver).map(|a| a.contact);
            if policy == Some(ContactPolicy::Closed) {
                return Err(Code::ContactRefused.into());
            }
            let open = ctx.state.agents.get(&from).map_or(0, |a| a.open_requests);
            if open >= limits::OPEN_REQUESTS_PER_AGENT {
                return Err(Code::TooManyRequests.into());
            }
            may_wait(ctx, receiver, from)?;
            Ok(Route::NewDirect {
                receiver,
                request: true,
            })
        }
    }
}

pub(super) fn send(ctx: &mut Ctx<'_>, args: &SendMessage<Sealed>) -> Result<(), Rejection> {
    let from = ctx.actor()?;
    let key = args.client_id.as_ref().map(|id| message_key(from, id));
    let payer = share::owner(ctx.state, from);
    if key.is_some() {
        room_for_id(ctx, payer)?;
    }
    policy::throttle(ctx, Rate::Messages(from))?;
    if let Some(task) = args.task {
        let task = ctx.state.tasks.get(&task).ok_or(Code::NotFound)?;
        let requester = crate::identity::Principal::Agent(from);
        if task.worker != from && task.requester != requester {
            return Err(Code::NotFound.into());
        }
    }
    let (conversation, request) = match route(ctx, from, &args.to)? {
        Route::Conversation(id) => (id, false),
        Route::NewDirect { receiver, request } => {
            // Both the question and what the writing itself admits are remembered.
            ctx.room_for::<Contact>(payer, 1)?;
            (direct(ctx, from, receiver)?, request)
        }
    };
    let message = ctx.new_id(MessageId)?;
    ctx.ids.push(conversation.into());
    let body = ctx.place(args.body);
    let (reply_to, task) = (args.reply_to, args.task);
    let client_id = match key {
        Some(key) => {
            let place = place(ctx.state, from, &args.to).ok_or(Code::NotFound)?;
            Some((key, said(place, args)))
        }
        None => None,
    };
    emit(
        ctx,
        MailEvent::MessageSent {
            message,
            conversation,
            from,
            body,
            client_id,
            reply_to,
            task,
            request,
        },
    );
    Ok(())
}

/// Makes room for one more message id in the window that all agents of an owner share. Ids past their
/// least time leave a full window; while there are none, messages with an id are refused.
fn room_for_id(ctx: &mut Ctx<'_>, payer: Option<OwnerId>) -> Result<(), Rejection> {
    let Some(owner) = payer else {
        return ctx.room_for::<MessageKey>(None, 0);
    };
    let settings = ctx.state.settings();
    let (most, least_ms) = (
        settings.message_ids_of_owner(),
        settings.keep_message_ids_ms(),
    );
    let full = ctx.state.share(MessageKey::KIND, owner) as usize >= most;
    if !full && ctx.state.message_keys.len() < limits::MESSAGE_IDS {
        return Ok(());
    }
    let keys = past_their_time(ctx, owner, least_ms);
    if !keys.is_empty() {
        ctx.emit(RealmEvent::Retired { keys }.into());
        return Ok(());
    }
    if !full {
        return ctx.room_for::<MessageKey>(None, 0);
    }
    Err(window_full(ctx, owner, most, least_ms))
}

/// The first of an owner's message ids that have been remembered for `least_ms`.
fn past_their_time(ctx: &Ctx<'_>, owner: OwnerId, least_ms: u64) -> Vec<Vec<u8>> {
    let over = |key: &Short| {
        let known = ctx.state.message_keys.get(key);
        known.is_some_and(|it| ctx.now.since(it.at) >= least_ms)
    };
    ctx.state
        .leaving(MessageKey::KIND, owner)
        .map(|(_, key)| key)
        .take(limits::MESSAGE_IDS_FORGOTTEN)
        .take_while(over)
        .map(|key| key_of::<MessageKey>(&key).to_vec())
        .collect()
}

/// The refusal of a message id by a full window. It says when there is room again.
fn window_full(ctx: &Ctx<'_>, owner: OwnerId, most: usize, least_ms: u64) -> Rejection {
    let first = ctx.state.leaving(MessageKey::KIND, owner).next();
    let first = first.and_then(|(_, key)| ctx.state.message_keys.get(&key));
    let room = first.map_or(ctx.now, |it| it.at.after(least_ms));
    let bytes = most as u64 * limits::MESSAGE_ID_BYTES;
    let detail = format!(
        "{most} ids of this owner's agents ({bytes} bytes) are kept for {} s at least; room again at {room}",
        least_ms / SECOND_MS
    );
    Rejection::new(Code::MessageIdsFull, detail)
}

/// The message that a repeated client id names, if it is remembered.
///
/// # Errors
/// [`Code::MessageKeyReused`] when the id was used for another message.
pub(crate) fn repetition(
    state: &State,
    actor: Option<AgentId>,
    args: &SendMessage<Sealed>,
) -> Result<Option<MessageId>, Rejection> {
    let (Some(from), Some(id)) = (actor, &args.client_id) else {
        return Ok(None);
    };
    let Some(known) = state.message_keys.get(&message_key(from, id)) else {
        return Ok(None);
    };
    let says = place(state, from, &args.to).map(|place| said(place, args));
    if says == Some(known.body) {
        return Ok(Some(known.message));
    }
    Err(Rejection::new(
        Code::MessageKeyReused,
        format!("{}", known.message),
    ))
}

/// The direct conversation of two agents, opened now if there is none.
fn direct(ctx: &mut Ctx<'_>, from: AgentId, to: AgentId) -> Result<ConversationId, Rejection> {
    if let Some(known) = ctx.state.direct(from, to) {
        return Ok(known);
    }
    ctx.room_for::<Conversation>(share::owner(ctx.state, from), 0)?;
    let conversation = ConversationId(ctx.number()?);
    let members = Vec::from([from, to]);
    let kind = ConversationKind::Direct;
    emit(
        ctx,
        MailEvent::ConversationOpened {
            conversation,
            kind,
            by: from,
            members,
            title: None,
        },
    );
    Ok(conversation)
}

/// A client's message id, as it is remembered.
fn message_key(from: AgentId, id: &ClientId) -> Short {
    Hash::of(&[b"message id", &from.0.to_le_bytes(), id.as_str().as_bytes()]).short()
}

/// Where a message goes, however it is named: to an agent, or to a group. Nothing where the sender has
/// no such place.
fn place(state: &State, from: AgentId, to: &Destination) -> Option<AnyId> {
    let id = match to {
        Destination::Agent(name) => return resolve_agent(state, name).ok().map(AnyId::from),
        Destination::Conversation(id) => id,
    };
    let conversation = state.conversations.get(id)?;
    if !conversation.members.contains(&from) {
        return None;
    }
    match conversation.kind {
        ConversationKind::Group => Some((*id).into()),
        ConversationKind::Direct => other_member(conversation, from).ok().map(AnyId::from),
    }
}

/// What a message says, as a repeat of it must: where it goes, what it is about, and its text by the
/// realm's mark of it, as its hash is salted.
fn said(place: AnyId, args: &SendMessage<Sealed>) -> Short {
    let number = |id: Option<u64>| id.map_or([0; 8], u64::to_le_bytes);
    let parts: [&[u8]; 6] = [
        b"message to",
        &[place.kind()],
        &place.number().to_le_bytes(),
        &number(args.reply_to.map(|id| id.0)),
        &number(args.task.map(|id| id.0)),
        args.body.same.0.as_slice(),
    ];
    Hash::of(&parts).short()
}

fn reachable(
    ctx: &Ctx<'_>,
    names: &[crate::identity::AgentRef],
    from: AgentId,
) -> Result<Vec<AgentId>, Rejection> {
    let mut members = Vec::with_capacity(names.len());
    for name in names {
        let agent = ctx.agent(name)?;
        if policy::blocked(ctx.state, agent, from) {
            return Err(Rejection::new(Code::Blocked, format!("{name}")));
        }
        if !admitted(ctx.state, agent, from) {
            return Err(Rejection::new(
                Code::ContactRefused,
                format!("{name} has not admitted this agent"),
            ));
        }
        if agent != from && !members.contains(&agent) {
            members.push(agent);
        }
    }
    Ok(members)
}

pub(super) fn open_group(ctx: &mut Ctx<'_>, args: &OpenGroup<Sealed>) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    ctx.at_most("members", args.members.len() + 1, limits::GROUP_MEMBERS)?;
    policy::throttle(ctx, Rate::Messages(by))?;
    let mut members = Vec::from([by]);
    members.extend(reachable(ctx, &args.members, by)?);
    ctx.room_for::<Conversation>(share::owner(ctx.state, by), 0)?;
    let conversation = ctx.new_id(ConversationId)?;
    let title = Some(ctx.place(args.title));
    let kind = ConversationKind::Group;
    emit(
        ctx,
        MailEvent::ConversationOpened {
            conversation,
            kind,
            by,
            members,
            title,
        },
    );
    Ok(())
}

pub(super) fn change_group(ctx: &mut Ctx<'_>, args: &ChangeGroup) -> Result<(), Rejection> {
    let by = if args.add.is_empty() {
        ctx.ending_actor()?
    } else {
        ctx.actor()?
    };
    let group = ctx
        .state
        .conversations
        .get(&args.conversation)
        .ok_or(Code::NotFound)?;
    if group.kind != ConversationKind::Group || !group.members.contains(&by) {
        return Err(Code::NotFound.into());
    }
    ctx.at_most("members to add", args.add.len(), limits::GROUP_MEMBERS)?;
    ctx.at_most(
        "members to remove",
        args.remove.len(),
        limits::GROUP_MEMBERS,
    )?;
    let mut added = reachable(ctx, &args.add, by)?;
    added.retain(|a| !group.members.contains(a));
    let mut removed = Vec::new();
    for name in &args.remove {
        let agent = ctx.agent(name)?;
        if agent != by {
            leads(ctx, group, by)?;
        }
        if group.members.contains(&agent) && !removed.contains(&agent) {
            removed.push(agent);
        }
    }
    if group.members.len() + added.len() - removed.len() > limits::GROUP_MEMBERS {
        return Err(Rejection::new(
            Code::GroupFull,
            format!("at most {}", limits::GROUP_MEMBERS),
        ));
    }
    let leaves = added.is_empty() && removed.iter().all(|agent| *agent == by);
    if !leaves {
        policy::throttle(ctx, Rate::Messages(by))?;
    }
    emit(
        ctx,
        MailEvent::GroupChanged {
            conversation: args.conversation,
            added,
            removed,
            by: (!leaves).then_some(by),
        },
    );
    Ok(())
}

/// Refuses agents that do not lead a group. The longest-standing member that can act leads it, at
/// first the one that opened it.
fn leads(ctx: &Ctx<'_>, group: &Conversation, by: AgentId) -> Result<(), Rejection> {
    let active = group.members.iter().filter_map(|m| {
        let agent = ctx.active_agent(*m).ok()?;
        Some((*m, &agent.handle))
    });
    match active.take(1).next() {
        Some((leader, handle)) if leader != by => Err(Rejection::new(
            Code::Forbidden,
            format!("only {handle}, which leads the group, may remove others"),
        )),
        _ => Ok(()),
    }
}

pub(super) fn answer_request(ctx: &mut Ctx<'_>, args: &AnswerRequest) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    let stranger = ctx.agent(&args.agent)?;
    let known = ctx.state.contacts.get(&(by, stranger));
    // A receiver may change its mind later: refuse whom it had admitted, and the other way round.
    if known.is_none() {
        return Err(Code::NoRequest.into());
    }
    ctx.room_for::<Contact>(share::owner(ctx.state, by), 0)?;
    policy::throttle(ctx, Rate::Messages(by))?;
    emit(
        ctx,
        MailEvent::RequestAnswered {
            by,
            stranger,
            admit: args.admit,
        },
    );
    Ok(())
}

pub(super) fn acknowledge(ctx: &mut Ctx<'_>, args: &Acknowledge) -> Result<(), Rejection> {
    let agent = ctx.actor()?;
    let inbox = ctx.state.inboxes.get(&agent).cloned().unwrap_or_default();
    if args.through >= inbox.next {
        return Err(Rejection::new(
            Code::AckAhead,
            format!("the last delivery is {}", inbox.next - 1),
        ));
    }
    if args.through > inbox.acknowledged {
        emit(
            ctx,
            MailEvent::Acknowledged {
                agent,
                through: args.through,
            },
        );
    }
    Ok(())
}

pub(super) fn erase(ctx: &mut Ctx<'_>, args: &Erase) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    ctx.at_most("contents", args.contents.len(), 10_000)?;
    emit(
        ctx,
        MailEvent::Erased {
            contents: args.contents.clone(),
        },
    );
    Ok(())
}

/// Drops deliveries that are too old from an inbox, a bounded number at a time.
pub(super) fn expire(ctx: &mut Ctx<'_>, agent: AgentId) -> Result<bool, Rejection> {
    let Some(inbox) = ctx.state.inboxes.get(&agent) else {
        return Ok(false);
    };
    if ctx.state.has_lanes() {
        let through = lanes::judge(ctx.state, agent, inbox, ctx.now);
        emit(ctx, MailEvent::Cleared { agent, through });
        return Ok(false);
    }
    let old = |seq: &u64| {
        let delivery = ctx.state.deliveries.get(&(agent, *seq));
        delivery.is_some_and(|d| ctx.now.since(d.at) >= limits::DELIVERY_MS)
    };
    let most = inbox
        .first
        .saturating_add(limits::TICK_EXPIRIES as u64)
        .min(inbox.next);
    let first = (inbox.first..most).find(|seq| !old(seq)).unwrap_or(most);
    emit(ctx, MailEvent::Trimmed { agent, first });
    Ok(false)
}

/// Lets a silent or empty conversation leave memory.
pub(super) fn close(ctx: &mut Ctx<'_>, conversation: ConversationId) -> Result<bool, Rejection> {
    emit(ctx, MailEvent::ConversationClosed { conversation });
    Ok(false)
}

/// Forgets a contact, and with it a first message that nobody answered.
pub(super) fn lapse(
    ctx: &mut Ctx<'_>,
    (receiver, sender): (AgentId, AgentId),
) -> Result<bool, Rejection> {
    emit(ctx, MailEvent::ContactLapsed { receiver, sender });
    Ok(false)
}
