//! Whom an event concerns, and what of an envelope somebody may read who did not cause it.
//!
//! An owner reads every event about its agents and its money, whoever brought it about: what another
//! party's act did to them, and nothing else that stands in the same envelope. Nothing here decides.

use std::collections::BTreeSet;

use rialto_core::event::{Envelope, Event};
use rialto_core::id::AnyId;
use rialto_core::identity::{IdentityEvent, Principal};
use rialto_core::ledger::{Entry, LedgerEvent};
use rialto_core::mail::MailEvent;
use rialto_core::market::MarketEvent;
use rialto_core::policy::{Node, Party, PolicyEvent};
use rialto_core::social::SocialEvent;
use rialto_core::work::WorkEvent;
use serde_json::Value;

use crate::Result;
use crate::db::int;
use crate::read::{Scope, Snap};
use crate::trace::lines;

/// The things whose parties an event concerns. Entries of money are told by their accounts.
pub(crate) fn subjects(event: &Event) -> Vec<AnyId> {
    match event {
        Event::Realm(_) => Vec::new(),
        Event::Identity(event) => identity(event),
        Event::Policy(event) => policy(event),
        Event::Ledger(event) => ledger(event),
        // Who gave an answer to a call is not told of before all are opened.
        Event::Market(MarketEvent::CallRefused { agent, .. }) => vec![(*agent).into()],
        Event::Mail(MailEvent::ConversationOpened { conversation, .. }) => {
            vec![(*conversation).into()]
        }
        Event::Mail(MailEvent::RequestAnswered { by, stranger, .. }) => {
            vec![(*by).into(), (*stranger).into()]
        }
        Event::Mail(MailEvent::GroupChanged { added, removed, .. }) => {
            let agents = added.iter().chain(removed);
            agents.map(|agent| (*agent).into()).collect()
        }
        Event::Work(event) => match event {
            WorkEvent::TeamCreated { team, .. }
            | WorkEvent::MemberInvited { team, .. }
            | WorkEvent::MemberJoined { team, .. }
            | WorkEvent::SplitProposed { team, .. }
            | WorkEvent::SplitAgreed { team, .. } => vec![(*team).into()],
            WorkEvent::MemberLeft { team, agent } => vec![(*team).into(), (*agent).into()],
            _ => told(&Event::Work(event.clone())),
        },
        Event::Social(social) => square(social).unwrap_or_else(|| told(event)),
        other => told(other),
    }
}

/// What an event is about as the trace words it.
fn told(event: &Event) -> Vec<AnyId> {
    lines(event).into_iter().map(|line| line.subject).collect()
}

fn of_principal(principal: Principal) -> Vec<AnyId> {
    match principal {
        Principal::Person(id) => vec![id.into()],
        Principal::Agent(id) => vec![id.into()],
        Principal::Realm | Principal::Operator | Principal::Service(_) | Principal::Public => {
            Vec::new()
        }
    }
}

fn identity(event: &IdentityEvent) -> Vec<AnyId> {
    match event {
        IdentityEvent::OwnerCreated { owner, .. }
        | IdentityEvent::PersonAdded { owner, .. }
        | IdentityEvent::OwnerSwitched { owner, .. }
        | IdentityEvent::AgentsStopped { owner, .. } => vec![(*owner).into()],
        IdentityEvent::RoleSet { person, .. } | IdentityEvent::PersonSwitched { person, .. } => {
            vec![(*person).into()]
        }
        IdentityEvent::AgentRegistered { agent, .. }
        | IdentityEvent::ProfileSet { agent, .. }
        | IdentityEvent::AgentMoved { agent, .. }
        | IdentityEvent::KeyRotated { agent, .. }
        | IdentityEvent::AgentSwitched { agent, .. }
        | IdentityEvent::StakeHeld { agent, .. }
        | IdentityEvent::AgentClosed { agent } => vec![(*agent).into()],
        IdentityEvent::TokenIssued { principal, .. } => of_principal(*principal),
        IdentityEvent::HandleMarked { agent, .. } => vec![(*agent).into()],
        IdentityEvent::TokenEnded { token } | IdentityEvent::TokenLeaked { token, .. } => {
            vec![(*token).into()]
        }
        IdentityEvent::InvitationUsed { owner, .. } => vec![(*owner).into()],
        IdentityEvent::ServiceCreated { .. }
        | IdentityEvent::ServiceSwitched { .. }
        | IdentityEvent::Invited { .. }
        | IdentityEvent::InvitationEnded { .. } => Vec::new(),
    }
}

fn policy(event: &PolicyEvent) -> Vec<AnyId> {
    match event {
        PolicyEvent::SettingsChanged { .. } => Vec::new(),
        PolicyEvent::AllowanceSet { node, .. } => match node {
            Node::Realm => Vec::new(),
            Node::Owner(id) => vec![(*id).into()],
            Node::Team(id) => vec![(*id).into()],
            Node::Agent(id) => vec![(*id).into()],
        },
        // Whom a block hits is not told of it.
        PolicyEvent::Blocked { by, .. } | PolicyEvent::Unblocked { by, .. } => match by {
            Party::Owner(id) => vec![(*id).into()],
            Party::Agent(id) => vec![(*id).into()],
        },
        PolicyEvent::ApprovalRequested { approval, .. }
        | PolicyEvent::ApprovalEnded { approval, .. } => vec![(*approval).into()],
    }
}

fn ledger(event: &LedgerEvent) -> Vec<AnyId> {
    match event {
        LedgerEvent::AssetCreated { .. } => Vec::new(),
        LedgerEvent::AccountOpened { account, .. } => vec![(*account).into()],
        LedgerEvent::Entries { entries, .. } => {
            let accounts: BTreeSet<_> = entries.iter().flat_map(|e| [e.from, e.to]).collect();
            accounts.into_iter().map(AnyId::from).collect()
        }
        LedgerEvent::PaymentNamed { payment, .. } => vec![payment.account.into()],
        LedgerEvent::EntryCorrected { transfer, .. } => vec![(*transfer).into()],
        LedgerEvent::HoldTaken { hold, .. } => vec![(*hold).into()],
    }
}

fn square(event: &SocialEvent) -> Option<Vec<AnyId>> {
    Some(match event {
        SocialEvent::Followed { by, agent } | SocialEvent::Unfollowed { by, agent } => {
            vec![(*by).into(), (*agent).into()]
        }
        SocialEvent::Muted { by, .. } | SocialEvent::Unmuted { by, .. } => vec![(*by).into()],
        SocialEvent::Posted {
            author,
            told,
            mentions,
            ..
        } => {
            let agents = told.iter().chain(mentions).chain([author]);
            agents.map(|agent| (*agent).into()).collect()
        }
        SocialEvent::Reacted { post, by, .. } => vec![(*post).into(), (*by).into()],
        SocialEvent::CommunityCreated { by, .. } => vec![(*by).into()],
        SocialEvent::Joined { agent, .. }
        | SocialEvent::JoinRequested { agent, .. }
        | SocialEvent::JoinAnswered { agent, .. }
        | SocialEvent::Left { agent, .. }
        | SocialEvent::ModeratorSet { agent, .. } => vec![(*agent).into()],
        SocialEvent::Reported { report, .. } => vec![(*report).into()],
        SocialEvent::ReportsEnded { reports, .. } => {
            reports.iter().map(|report| (*report).into()).collect()
        }
        SocialEvent::Appealed { measure, .. } | SocialEvent::AppealDecided { measure, .. } => {
            vec![(*measure).into()]
        }
        _ => return None,
    })
}

impl Snap<'_> {
    /// An envelope as somebody whom it concerns may read it: whole if it is its own doing, else the
    /// events that concern it. Nothing if there are none, or none of the wanted kind.
    pub(crate) fn told_to(
        &self,
        scope: Scope,
        envelope: &Envelope,
        own: bool,
        kind: Option<&str>,
    ) -> Result<Option<Value>> {
        if own || scope == Scope::Realm {
            return self.told(envelope).map(Some);
        }
        let mut part = envelope.clone();
        part.events.clear();
        for event in &envelope.events {
            part.events.extend(self.part_for(scope, event)?);
        }
        let wanted = |event: &Event| kind.is_none_or(|kind| crate::fold::kind(event) == kind);
        if !part.events.iter().any(wanted) {
            return Ok(None);
        }
        // Who stood behind an agent of others, with which token and key, is theirs.
        let (mut value, named) = (self.told(&part)?, of_principal(envelope.principal));
        if let Some(fields) = value.as_object_mut() {
            for name in ["auth", "key", "cause", "ids", "steady_ms"] {
                fields.remove(name);
            }
            if let (Some(AnyId::PersonId(_)), Some(who)) = (
                named.first(),
                fields.get_mut("principal").and_then(Value::as_object_mut),
            ) {
                who.remove("id");
            }
        }
        Ok(Some(value))
    }

    /// What of an event concerns a scope, if anything does.
    fn part_for(&self, scope: Scope, event: &Event) -> Result<Option<Event>> {
        if let Event::Ledger(LedgerEvent::Entries {
            by,
            entries,
            memo,
            reference,
        }) = event
        {
            let mut own = Vec::new();
            for entry in entries {
                own.extend(self.entry_for(scope, entry)?);
            }
            return Ok((!own.is_empty()).then(|| {
                Event::Ledger(LedgerEvent::Entries {
                    by: match by {
                        Principal::Person(_) => Principal::Public,
                        other => *other,
                    },
                    entries: own,
                    memo: *memo,
                    reference: reference.clone(),
                })
            }));
        }
        for subject in subjects(event) {
            if self.is_party(scope, subject)? {
                return Ok(Some(event.clone()));
            }
        }
        Ok(None)
    }

    /// An entry on an account of the scope. At which limits it counts is the payer's affair.
    fn entry_for(&self, scope: Scope, entry: &Entry) -> Result<Option<Entry>> {
        let pays = self.is_party(scope, entry.from.into())?;
        if !pays && !self.is_party(scope, entry.to.into())? {
            return Ok(None);
        }
        let charged = if pays {
            entry.charged.clone()
        } else {
            Vec::new()
        };
        Ok(Some(Entry {
            charged,
            ..entry.clone()
        }))
    }

    fn is_party(&self, scope: Scope, thing: AnyId) -> Result<bool> {
        let parties = self.parties(thing)?.unwrap_or_default();
        Ok(match scope {
            Scope::Realm => true,
            Scope::Owner(owner) => parties.owners.contains(&owner),
            Scope::Agent(agent) => parties.agents.contains(&agent),
        })
    }

    /// The numbers of the agents and owners that a thing concerns.
    pub(crate) fn viewers_of(&self, thing: AnyId) -> Result<Vec<i64>> {
        let parties = self.parties(thing)?.unwrap_or_default();
        let agents = parties.agents.iter().map(|agent| int(agent.0));
        Ok(agents
            .chain(parties.owners.iter().map(|owner| int(owner.0)))
            .collect())
    }
}
