//! Who made a delivery, and whether its reader can still act on it. Reads the state and the event; never
//! decides, and names no person of another owner.

use std::collections::{BTreeMap, BTreeSet};

use rialto_core::event::{Envelope, Event as Fact};
use rialto_core::fact::Fact as _;
use rialto_core::hash::Hash;
use rialto_core::id::AgentId;
use rialto_core::identity::Principal;
use rialto_core::mail::{Delivery, Item};
use rialto_core::market::{CallState, DealState, MarketEvent};
use rialto_core::policy::PolicyEvent;
use rialto_core::state::State as Realm;
use rialto_views::{ViewReader, Who};
use serde::Serialize;

/// What memory knows of a delivered thing that waits for its reader's act.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// A negotiation, by its latest offer.
    Offer(Hash),
    Deal(DealState),
    Call(CallState),
    /// What waits in one way only.
    Other,
}

impl Stage {
    /// Nothing if there is nothing left for the reader to do.
    pub(super) fn of(state: &Realm, reader: AgentId, delivery: &Delivery) -> Option<Self> {
        if let Item::Team(id) = delivery.item {
            let member = state.teams.get(&id)?.member(reader)?;
            return (!member.joined).then_some(Self::Other);
        }
        if !state.awaits(reader, delivery) {
            return None;
        }
        Some(match delivery.item {
            Item::Negotiation(id) => Self::Offer(state.negotiations.get(&id)?.latest.hash),
            Item::Deal(id) => Self::Deal(state.deals.get(&id)?.state),
            Item::Call(id) => Self::Call(state.calls.get(&id)?.state),
            _ => Self::Other,
        })
    }

    /// Whether the thing still stands where an event put it: an older delivery about it is past.
    pub(super) fn is_of(self, event: &Fact) -> bool {
        match (self, event) {
            (Self::Offer(latest), Fact::Market(MarketEvent::OfferMade { offer, .. })) => {
                offer.hash == latest
            }
            (Self::Deal(state), Fact::Market(event)) => match event {
                MarketEvent::DealAgreed { .. } => state == DealState::Agreed,
                MarketEvent::DealDelivered { .. } => state == DealState::Delivered,
                MarketEvent::DealDisputed { .. } => state == DealState::Disputed,
                _ => false,
            },
            (Self::Call(state), Fact::Market(event)) => match event {
                MarketEvent::CallOpened { .. } => state == CallState::Open,
                MarketEvent::CallRevealed { .. } => state == CallState::Revealed,
                _ => false,
            },
            (Self::Offer(_) | Self::Deal(_) | Self::Call(_), _)
            | (Self::Other, Fact::Policy(PolicyEvent::ApprovalEnded { .. })) => false,
            (Self::Other, _) => true,
        }
    }
}

/// What kind of principal made a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum SenderKind {
    /// An agent, or a person in its name.
    Agent,
    /// A person.
    Person,
    /// The operator.
    Operator,
    /// A service of the operator.
    Service,
    /// The realm: its clock.
    Realm,
}

/// Who made a delivery.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Sender {
    /// What it is.
    kind: SenderKind,
    /// The agent, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<Who>,
}

impl Sender {
    /// Who made an event. The agent's name is still to be filled in.
    pub(super) fn of(event: &Fact, envelope: &Envelope) -> Self {
        let told = event.told().into_iter().find_map(|line| line.by);
        let kind = match (told.or(envelope.actor), envelope.principal) {
            (Some(agent), _) | (None, Principal::Agent(agent)) => return Self::named(agent),
            (None, Principal::Person(_)) => SenderKind::Person,
            (None, Principal::Operator) => SenderKind::Operator,
            (None, Principal::Service(_)) => SenderKind::Service,
            (None, Principal::Realm | Principal::Public) => SenderKind::Realm,
        };
        Self { kind, agent: None }
    }

    /// Who most likely made what the log no longer tells.
    pub(super) fn unknown(by: Option<AgentId>) -> Self {
        by.map_or(
            Self {
                kind: SenderKind::Realm,
                agent: None,
            },
            Self::named,
        )
    }

    fn named(id: AgentId) -> Self {
        let agent = Who {
            id,
            handle: String::new(),
            resembles: None,
        };
        Self {
            kind: SenderKind::Agent,
            agent: Some(agent),
        }
    }
}

/// Fills in the names of agents: handles from memory, which `known` holds and `ask` completes, and the
/// marks of those that could be taken for others from the views as far as they are. An inbox is right
/// without the views, so that it is only less marked where they cannot be read.
pub(super) fn name_all<'a>(
    senders: impl Iterator<Item = &'a mut Sender>,
    mut known: BTreeMap<AgentId, String>,
    ask: impl FnOnce(BTreeSet<AgentId>) -> BTreeMap<AgentId, String>,
    views: &ViewReader,
) {
    let mut agents: Vec<&mut Who> = senders.filter_map(|s| s.agent.as_mut()).collect();
    let unknown = agents.iter().map(|who| who.id);
    let unknown: BTreeSet<AgentId> = unknown.filter(|id| !known.contains_key(id)).collect();
    if !unknown.is_empty() {
        known.extend(ask(unknown));
    }
    for who in &mut agents {
        who.handle = known.get(&who.id).cloned().unwrap_or_default();
    }
    let handles: Vec<String> = agents.iter().map(|who| who.handle.clone()).collect();
    let marks = views.resembled(&handles).unwrap_or_default();
    for (who, other) in agents.into_iter().zip(marks) {
        who.resembles = other;
    }
}
