//! Which rate limit of the realm a command is nearest to: its sender is told how much is left before it is
//! refused. The realm counts and refuses; nothing here does.

use rialto_core::decide::{Request, resolve_agent};
use rialto_core::id::{AgentId, OwnerId};
use rialto_core::identity::Principal;
use rialto_core::policy::{Rate, RateRoom};
use rialto_core::state::State;

/// The rate limit that a command is nearest to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// What it limits.
    pub name: &'static str,
    /// What it leaves once the command is decided.
    pub room: RateRoom,
}

/// Operations that count as offers, as posts, and as gestures.
const OFFERS: [&str; 4] = [
    "call.open",
    "call.propose",
    "negotiation.open",
    "negotiation.counter",
];
const POSTS: [&str; 3] = ["social.post", "social.edit", "community.create"];
const GESTURES: [&str; 5] = [
    "social.follow",
    "social.mute",
    "social.react",
    "social.report",
    "community.join",
];
/// Operations by which an owner makes things for itself.
const CREATIONS: [&str; 12] = [
    "agent.register",
    "agent.rotate_key",
    "deployment.create",
    "ledger.open_account",
    "listing.publish",
    "person.add",
    "policy.set_allowance",
    "policy.set_block",
    "task.create",
    "team.create",
    "token.issue",
    "token.rotate",
];
/// What operations begin with that reach other agents, and so count as messages.
const REACHING: [&str; 7] = [
    "mail.",
    "contact.",
    "group.",
    "task.",
    "call.",
    "negotiation.",
    "deal.",
];

type RateOf = fn(AgentId, OwnerId) -> Rate;

/// What an operation is counted towards.
fn counted(op: &str) -> impl Iterator<Item = (&'static str, RateOf)> {
    let offers = OFFERS.contains(&op);
    let posts = POSTS.contains(&op);
    let gestures = GESTURES.contains(&op);
    let messages = REACHING.iter().any(|start| op.starts_with(start));
    let creations = CREATIONS.contains(&op);
    let all: [(bool, &'static str, RateOf); 6] = [
        (offers, "offers", |agent, _| Rate::Offers(agent)),
        (posts, "posts", |agent, _| Rate::Posts(agent)),
        (posts, "mentions", |_, owner| Rate::Mentions(owner)),
        (gestures, "gestures", |agent, _| Rate::Gestures(agent)),
        (messages, "messages", |agent, _| Rate::Messages(agent)),
        (creations, "creations", |_, owner| Rate::Creations(owner)),
    ];
    all.into_iter()
        .filter_map(|(is_so, name, rate)| is_so.then_some((name, rate)))
}

/// Who acts, if an agent does.
fn actor(state: &State, request: &Request) -> Option<AgentId> {
    match (&request.acting, request.principal) {
        (Some(name), _) => resolve_agent(state, name).ok(),
        (None, Principal::Agent(agent)) => Some(agent),
        (None, _) => None,
    }
}

/// The rate limit that a command is nearest to, as the state is now.
pub(super) fn nearest(state: &State, request: &Request, op: &str, steady_ms: u64) -> Option<Pace> {
    let mut counted = counted(op).peekable();
    counted.peek()?;
    let agent = actor(state, request)?;
    let owner = state.agents.get(&agent)?.owner;
    let room = |(name, rate): (&'static str, RateOf)| {
        let room = state.rate_room(rate(agent, owner), steady_ms)?;
        Some(Pace { name, room })
    };
    counted
        .filter_map(room)
        .min_by_key(|pace| pace.room.millionths())
}
