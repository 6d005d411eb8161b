//! Events in words, one line each: who was stopped or resumed, which limit was set to what, what
//! was paid by whom to whom. The API's log, the console and the command line use the same words.

use rialto_core::amount::Amount;
use rialto_core::event::{Envelope, Event, RealmEvent};
use rialto_core::fact::{Fact, Told};
use rialto_core::id::{AccountId, AgentId, AssetId, OwnerId};
use rialto_core::identity::{IdentityEvent, Principal, Status};
use rialto_core::ledger::{Entry, EntryKind, LedgerEvent, Purpose};
use rialto_core::policy::{LineScope, LineTerms, Node, Party, PolicyEvent, Unit};
use rialto_core::work::WorkEvent;
use rusqlite::OptionalExtension;
use serde_json::Value;

use crate::Result;
use crate::db::{Units, int};
use crate::read::{Scope, Snap};

/// The most lines of one envelope; a batch of payments may have thousands.
const LINES: usize = 16;

impl Snap<'_> {
    /// An envelope as JSON, its amounts as decimals, with who did it by name as `by`, and what its events
    /// say as `said`.
    pub(crate) fn told(&self, scope: Scope, envelope: &Envelope) -> Result<Value> {
        let mut value = self.readable(envelope)?;
        let by = self.doer(
            scope,
            envelope.actor.map_or(envelope.principal, Principal::Agent),
        )?;
        let mut said = Vec::new();
        for event in &envelope.events {
            if said.len() < LINES {
                said.extend(self.words_of(event)?);
            }
        }
        said.truncate(LINES);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("by".to_owned(), by.into());
            if !said.is_empty() {
                fields.insert("said".to_owned(), said.into());
            }
        }
        Ok(value)
    }

    /// An event in words. Nothing if its ids say enough.
    pub(crate) fn words_of(&self, event: &Event) -> Result<Vec<String>> {
        Ok(match event {
            Event::Realm(event) => realm(event).into_iter().collect(),
            Event::Identity(event) => self.identity(event)?.into_iter().collect(),
            Event::Policy(PolicyEvent::AllowanceSet { .. }) => self.allowance(event)?,
            Event::Policy(PolicyEvent::LinesSet { node, lines }) => {
                vec![self.lines_said(*node, lines)?]
            }
            Event::Policy(PolicyEvent::Blocked { by, party }) => {
                vec![format!(
                    "{} blocked {}",
                    self.party(*by)?,
                    self.party(*party)?
                )]
            }
            Event::Policy(PolicyEvent::Unblocked { by, party }) => {
                let (by, party) = (self.party(*by)?, self.party(*party)?);
                vec![format!("{by} no longer blocks {party}")]
            }
            Event::Ledger(LedgerEvent::Entries { entries, .. }) => {
                let first = entries.iter().take(LINES);
                first
                    .map(|entry| self.entry_said(entry))
                    .collect::<Result<_>>()?
            }
            other => other
                .told()
                .into_iter()
                .map(|line| format!("{}: {}", line.subject, line.what))
                .collect(),
        })
    }

    /// Who did what a line says, by name; a person only to those who may see it.
    pub(crate) fn doer(&self, scope: Scope, did: Principal) -> Result<String> {
        Ok(match did {
            Principal::Person(id) if !self.sees(scope, id.into())? => "a person".to_owned(),
            Principal::Operator => "operator".to_owned(),
            Principal::Realm => "realm".to_owned(),
            Principal::Public => "public".to_owned(),
            Principal::Agent(_) | Principal::Person(_) | Principal::Service(_) => {
                self.principal_name(did)?
            }
        })
    }

    /// A line of a trace or feed with names where it has ids.
    pub(crate) fn line_said(&self, event: &Event, line: &Told) -> Result<String> {
        match event {
            Event::Ledger(LedgerEvent::Entries { entries, .. }) => {
                // A hold has the number of the entry that made it.
                let number = line.subject.number();
                let entry = entries.iter().find(|entry| entry.transfer.0 == number);
                entry.map_or_else(|| Ok(line.what.clone()), |entry| self.entry_said(entry))
            }
            Event::Work(WorkEvent::TaskCreated { worker, .. }) => {
                let name = self.agent_name(*worker)?;
                Ok(line.what.replace(&worker.to_string(), &name))
            }
            _ => Ok(line.what.clone()),
        }
    }

    fn agent_name(&self, agent: AgentId) -> Result<String> {
        let who = self.who(int(agent.0))?;
        Ok(match who.handle.is_empty() {
            true => agent.to_string(),
            false => who.handle,
        })
    }

    fn name_in(&self, table: &str, id: u64) -> Result<Option<String>> {
        let sql = format!("SELECT name FROM {table} WHERE id = ?");
        let mut query = self.db.prepare_cached(&sql)?;
        Ok(query.query_row([int(id)], |r| r.get(0)).optional()?)
    }

    fn owner_name(&self, owner: OwnerId) -> Result<String> {
        let name = self.name_in("owner", owner.0)?;
        Ok(name.map_or_else(|| owner.to_string(), |name| format!("owner {name}")))
    }

    fn principal_name(&self, principal: Principal) -> Result<String> {
        Ok(match principal {
            Principal::Agent(id) => self.agent_name(id)?,
            Principal::Person(id) => match self.name_in("person", id.0)? {
                Some(name) => format!("person {name}"),
                None => id.to_string(),
            },
            Principal::Service(id) => match self.name_in("service", id.0)? {
                Some(name) => format!("service {name}"),
                None => id.to_string(),
            },
            Principal::Operator => "the operator".to_owned(),
            Principal::Realm => "the realm".to_owned(),
            Principal::Public => "somebody".to_owned(),
        })
    }

    fn party(&self, party: Party) -> Result<String> {
        match party {
            Party::Owner(id) => self.owner_name(id),
            Party::Agent(id) => self.agent_name(id),
        }
    }

    /// A node of the tree by name.
    pub(crate) fn node_name(&self, node: Node) -> Result<String> {
        Ok(match node {
            Node::Realm => "the realm".to_owned(),
            Node::Owner(id) => self.owner_name(id)?,
            Node::Team(id) => match self.name_in("team", id.0)? {
                Some(name) => format!("team {name}"),
                None => id.to_string(),
            },
            Node::Agent(id) => self.agent_name(id)?,
        })
    }

    fn identity(&self, event: &IdentityEvent) -> Result<Option<String>> {
        Ok(Some(match event {
            IdentityEvent::AgentSwitched { agent, status, .. } => {
                format!("{} {}", switched(*status), self.agent_name(*agent)?)
            }
            IdentityEvent::PersonSwitched { person, status, .. } => {
                let person = self.principal_name(Principal::Person(*person))?;
                format!("{} {person}", switched(*status))
            }
            IdentityEvent::ServiceSwitched { service, status } => {
                let service = self.principal_name(Principal::Service(*service))?;
                format!("{} {service}", switched(*status))
            }
            IdentityEvent::OwnerSwitched { owner, status } => {
                format!("{} {}", switched(*status), self.owner_name(*owner)?)
            }
            IdentityEvent::AgentsStopped { owner, stop, .. } => {
                let did = if *stop { "stopped" } else { "restarted" };
                format!("{did} all agents of {}", self.owner_name(*owner)?)
            }
            IdentityEvent::AgentClosed { agent } => format!("closed {}", self.agent_name(*agent)?),
            IdentityEvent::AgentRegistered { handle, .. } => format!("registered {handle}"),
            IdentityEvent::OwnerCreated { name, .. } => {
                format!("signed up owner {}", name.as_str())
            }
            IdentityEvent::ProfileSet { agent, .. } => {
                format!("changed the profile of {}", self.agent_name(*agent)?)
            }
            IdentityEvent::KeyRotated { agent, .. } => {
                format!("gave {} a new key", self.agent_name(*agent)?)
            }
            IdentityEvent::TokenIssued {
                principal, scope, ..
            } => {
                let whose = self.principal_name(*principal)?;
                match scope {
                    Some(scope) => {
                        let may: Vec<&str> = scope.may.names().collect();
                        format!("issued a token of {whose} for {}", may.join(", "))
                    }
                    None => format!("issued a token of {whose}"),
                }
            }
            IdentityEvent::TokenReplaced { principal, .. } => {
                format!("replaced a token of {}", self.principal_name(*principal)?)
            }
            IdentityEvent::PersonAdded { .. }
            | IdentityEvent::RoleSet { .. }
            | IdentityEvent::AgentMoved { .. }
            | IdentityEvent::TokenEnded { .. }
            | IdentityEvent::TokenLeaked { .. }
            | IdentityEvent::TokenSpent { .. }
            | IdentityEvent::ServiceCreated { .. }
            | IdentityEvent::StakeHeld { .. }
            | IdentityEvent::HandleMarked { .. }
            | IdentityEvent::Invited { .. }
            | IdentityEvent::InvitationUsed { .. }
            | IdentityEvent::InvitationEnded { .. } => return Ok(None),
        }))
    }

    fn allowance(&self, event: &Event) -> Result<Vec<String>> {
        let Event::Policy(PolicyEvent::AllowanceSet {
            node,
            asset,
            per_deal,
            per_period,
            period_ms,
            approval_above,
        }) = event
        else {
            return Ok(Vec::new());
        };
        let mut parts = Vec::new();
        if let Some(most) = per_deal {
            parts.push(format!("{} a deal", self.money(*most, *asset)?));
        }
        if let Some(most) = per_period {
            let most = self.money(*most, *asset)?;
            parts.push(format!("{most} in {}", period(*period_ms)));
        }
        if let Some(above) = approval_above {
            let above = self.money(*above, *asset)?;
            parts.push(format!("a person approves above {above}"));
        }
        let node = self.node_name(*node)?;
        Ok(vec![match parts.as_slice() {
            [] => format!("removed the allowance of {node}"),
            some => format!("set the allowance of {node}: {}", some.join(", ")),
        }])
    }

    fn lines_said(&self, node: Node, lines: &[LineTerms]) -> Result<String> {
        let mut parts = Vec::new();
        for line in lines {
            let limit = match line.unit {
                Unit::Money(asset) => self.money(line.limit, asset)?,
                Unit::Tokens => format!("{} tokens", line.limit.0),
                Unit::Milliseconds => format!("{} ms of work", line.limit.0),
            };
            let on = match line.on {
                LineScope::All => String::new(),
                _ => format!(" on {}", line.on),
            };
            let span = line.period_ms.map_or("all".to_owned(), period);
            parts.push(format!("{limit}{on} in {span}"));
        }
        let node = self.node_name(node)?;
        Ok(match parts.as_slice() {
            [] => format!("removed the lines of the allowance of {node}"),
            some => format!("set lines of the allowance of {node}: {}", some.join(", ")),
        })
    }

    fn money(&self, amount: Amount, asset: AssetId) -> Result<String> {
        let (code, _) = self.asset(int(asset.0))?;
        Ok(format!(
            "{} {code}",
            self.decimal(Units(amount.0), int(asset.0))?
        ))
    }

    fn account_said(&self, account: AccountId) -> Result<String> {
        let name = self.account_name(int(account.0))?;
        Ok(match name.is_empty() {
            true => account.to_string(),
            false => name,
        })
    }

    fn entry_said(&self, entry: &Entry) -> Result<String> {
        let amount = self.money(entry.amount, entry.asset)?;
        let (from, to) = (self.account_said(entry.from)?, self.account_said(entry.to)?);
        Ok(match (entry.kind, entry.purpose) {
            (EntryKind::Hold, purpose) => {
                format!("held {amount} from {from} to {to}{}", for_what(purpose))
            }
            (EntryKind::PostHold, purpose) => {
                format!(
                    "paid {amount} held from {from} to {to}{}",
                    for_what(purpose)
                )
            }
            (EntryKind::CaptureHold, purpose) => {
                format!(
                    "paid {amount} of what is held from {from} to {to}{}",
                    for_what(purpose)
                )
            }
            (EntryKind::RaiseHold, purpose) => {
                format!(
                    "held {amount} more from {from} to {to}{}",
                    for_what(purpose)
                )
            }
            (EntryKind::VoidHold, purpose) => {
                format!("returned the held money to {from}{}", for_what(purpose))
            }
            (EntryKind::Post, Purpose::Issue) => format!("issued {amount} to {to}"),
            (EntryKind::Post, Purpose::Deposit) => format!("deposited {amount} to {to}"),
            (EntryKind::Post, purpose) => {
                format!("paid {amount} from {from} to {to}{}", for_what(purpose))
            }
        })
    }
}

fn for_what(purpose: Purpose) -> String {
    match purpose {
        Purpose::Deal(deal) | Purpose::Share(deal) => format!(" for {deal}"),
        Purpose::Correction(wrong) => format!(" to correct {wrong}"),
        Purpose::Withdrawal => " to be paid out".to_owned(),
        Purpose::Stake(agent) => format!(" as a stake for {agent}"),
        Purpose::Inference(inference) => format!(" for {inference}"),
        Purpose::Transfer | Purpose::Issue | Purpose::Deposit | Purpose::Offer(_) => String::new(),
    }
}

fn switched(status: Status) -> &'static str {
    match status {
        Status::Active => "resumed",
        Status::Suspended => "suspended",
        Status::Closed => "closed",
    }
}

fn realm(event: &RealmEvent) -> Option<String> {
    match event {
        RealmEvent::ClockMoved { from, to } => Some(format!(
            "accepted that the clock has gone from {from} to {to}"
        )),
        RealmEvent::ClockSetBack { from, to, .. } => {
            Some(format!("set the clock back from {from} to {to}"))
        }
        RealmEvent::Founded { .. }
        | RealmEvent::RulesAdopted { .. }
        | RealmEvent::OperatorTokenReset { .. }
        | RealmEvent::KeyRotated { .. }
        | RealmEvent::ClockAccepted
        | RealmEvent::Retired { .. } => None,
    }
}

/// A period in the largest unit that it is a whole number of.
fn period(ms: u64) -> String {
    use rialto_core::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
    let units = [
        (DAY_MS, "d"),
        (HOUR_MS, "h"),
        (MINUTE_MS, "min"),
        (SECOND_MS, "s"),
    ];
    let whole = units
        .iter()
        .find(|(unit, _)| ms >= *unit && ms.is_multiple_of(*unit));
    whole.map_or_else(
        || format!("{ms} ms"),
        |(unit, name)| format!("{} {name}", ms / unit),
    )
}
