//! Owners, people, agents, services and tokens.

use rialto_core::amount::Amount;
use rialto_core::id::{AgentId, TokenId};
use rialto_core::identity::{
    Custody, IdentityEvent, Network, Principal, Profile, Rights, Status, TokenScope,
};
use rialto_core::text::{ContentRef, Name};
use rialto_core::time::Time;
use rialto_wire::names::name_key;
use rialto_wire::screen::screen_names;
use rusqlite::params;

use super::texts::{self, Way};
use super::{Folding, json, word};
use crate::Result;
use crate::codec::Coded;
use crate::db::{Units, int};

/// Kinds of an agent's terms.
pub(crate) const SKILL: i64 = 0;
pub(crate) const TAG: i64 = 1;

impl Folding<'_> {
    pub(super) fn identity(&mut self, event: &IdentityEvent) -> Result<()> {
        match event {
            IdentityEvent::OwnerCreated { owner, name, kind } => self.run(
                "INSERT INTO owner(id, name, kind, status, at) VALUES(?, ?, ?, ?, ?)",
                (
                    int(owner.0),
                    name.as_str(),
                    word(kind),
                    word(&Status::Active),
                    self.now(),
                ),
            ),
            IdentityEvent::PersonAdded {
                person,
                owner,
                name,
                role,
            } => self.run(
                "INSERT INTO person VALUES(?, ?, ?, ?, ?, ?)",
                params![
                    int(person.0),
                    int(owner.0),
                    name.as_str(),
                    word(role),
                    word(&Status::Active),
                    self.now()
                ],
            ),
            IdentityEvent::RoleSet { person, role } => self.run(
                "UPDATE person SET role = ? WHERE id = ?",
                (word(role), int(person.0)),
            ),
            IdentityEvent::AgentRegistered { .. } => self.agent_registered(event),
            IdentityEvent::ProfileSet { agent, profile } => self.profile_set(*agent, profile),
            IdentityEvent::AgentMoved { agent, team } => self.run(
                "UPDATE agent SET team = ? WHERE id = ?",
                (team.map(|t| int(t.0)), int(agent.0)),
            ),
            IdentityEvent::KeyRotated {
                agent,
                key,
                custody,
            } => self.run(
                "UPDATE agent SET key = ?, custody = ? WHERE id = ?",
                (key.bytes(), kept_by(custody), int(agent.0)),
            ),
            IdentityEvent::TokenIssued {
                token,
                principal,
                label,
                expires,
                scope,
                by,
                ..
            } => {
                let term = (label.as_ref(), *expires);
                self.token_issued(token.0, (*principal, *by), term, scope.as_deref())
            }
            IdentityEvent::TokenReplaced {
                token, by, until, ..
            } => self.token_replaced(token.0, by.0, *until),
            IdentityEvent::TokenSpent { token, amount } => self.token_spent(token.0, *amount),
            IdentityEvent::TokenEnded { token } => self.run(
                "UPDATE token SET ended = ? WHERE id = ?",
                (self.now(), int(token.0)),
            ),
            IdentityEvent::OwnerSwitched { owner, status } => self.switch("owner", owner.0, status),
            IdentityEvent::PersonSwitched { person, status, .. } => {
                self.switch("person", person.0, status)
            }
            IdentityEvent::AgentSwitched { agent, status, .. } => {
                self.switch("agent", agent.0, status)
            }
            IdentityEvent::ServiceCreated { service, name, .. } => self.run(
                "INSERT INTO service VALUES(?, ?, ?, ?)",
                (
                    int(service.0),
                    name.as_str(),
                    word(&Status::Active),
                    self.now(),
                ),
            ),
            IdentityEvent::AgentClosed { agent } => self.switch("agent", agent.0, &Status::Closed),
            IdentityEvent::AgentsStopped { owner, stop, .. } => self.run(
                "UPDATE owner SET stopped = ? WHERE id = ?",
                (stop, int(owner.0)),
            ),
            IdentityEvent::HandleMarked { agent, resembles } => self.run(
                "UPDATE agent SET resembles = coalesce(resembles, ?) WHERE id = ?",
                (int(resembles.0), int(agent.0)),
            ),
            IdentityEvent::TokenLeaked { token, .. } => self.run(
                "UPDATE token SET ended = ?1, leaked = ?1 WHERE id = ?2",
                (self.now(), int(token.0)),
            ),
            // The hold is on the ledger.
            IdentityEvent::StakeHeld { .. } => Ok(()),
            // The open ones are read from the state, the rest from the log.
            IdentityEvent::Invited { .. }
            | IdentityEvent::InvitationUsed { .. }
            | IdentityEvent::InvitationEnded { .. } => Ok(()),
            IdentityEvent::ServiceSwitched { service, status } => {
                self.switch("service", service.0, status)
            }
        }
    }

    fn switch(&self, table: &str, id: u64, status: &Status) -> Result<()> {
        self.run(
            &format!("UPDATE {table} SET status = ? WHERE id = ?"),
            (word(status), int(id)),
        )
    }

    fn agent_registered(&mut self, event: &IdentityEvent) -> Result<()> {
        let IdentityEvent::AgentRegistered {
            agent,
            owner,
            team,
            handle,
            key,
            custody,
            profile,
        } = event
        else {
            return Ok(());
        };
        self.run(
            "INSERT INTO agent(id, owner, team, handle, key, custody, status, profile, at)
             VALUES(?, ?, ?, ?, ?, ?, ?, '{}', ?)",
            params![
                int(agent.0),
                int(owner.0),
                team.map(|t| int(t.0)),
                handle.as_str(),
                key.bytes(),
                kept_by(custody),
                word(&Status::Active),
                self.now()
            ],
        )?;
        self.set_profile(*agent, profile)
    }

    fn profile_set(&mut self, agent: AgentId, profile: &Profile<ContentRef>) -> Result<()> {
        texts::agent(self.db, Way::Out, int(agent.0))?;
        self.run("DELETE FROM agent_term WHERE agent = ?", [int(agent.0)])?;
        self.set_profile(agent, profile)
    }

    fn set_profile(&mut self, agent: AgentId, profile: &Profile<ContentRef>) -> Result<()> {
        let described = profile.description.map(|c| int(c.id.0));
        let facts = json(&Profile::<()> {
            description: None,
            skills: profile.skills.clone(),
            tags: profile.tags.clone(),
            prices: profile.prices.clone(),
            endpoint: profile.endpoint.clone(),
            contact: profile.contact,
            funded_offers_only: profile.funded_offers_only,
            mentions: profile.mentions.clone(),
        });
        let names = screen_names(&crate::read::facts(&facts));
        self.run(
            "UPDATE agent SET description = ?, profile = ?, screen = ? WHERE id = ?",
            (described, facts, names, int(agent.0)),
        )?;
        self.agent_terms(agent, SKILL, &profile.skills)?;
        self.agent_terms(agent, TAG, &profile.tags)?;
        texts::agent(self.db, Way::In, int(agent.0))
    }

    fn agent_terms(&self, agent: AgentId, kind: i64, names: &[Name]) -> Result<()> {
        for name in names {
            self.run(
                "INSERT OR IGNORE INTO agent_term VALUES(?, ?, ?)",
                (kind, name_key(name.as_str()), int(agent.0)),
            )?;
        }
        Ok(())
    }

    fn token_issued(
        &mut self,
        token: u64,
        (principal, by): (Principal, Option<TokenId>),
        (label, expires): (Option<&Name>, Option<Time>),
        scope: Option<&TokenScope>,
    ) -> Result<()> {
        let (kind, holder) = principal.split();
        let owner = self.owner_of(principal)?;
        let may = scope.map_or(Rights::EVERYTHING, |scope| scope.may);
        let may: Vec<&str> = may.names().collect();
        let from = scope.map_or(&[] as &[Network], |scope| &scope.from);
        let from: Vec<String> = from.iter().map(ToString::to_string).collect();
        let limit = scope.and_then(|scope| scope.up_to);
        self.run(
            "INSERT INTO token VALUES(?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?, ?, ?, NULL, NULL, ?)",
            params![
                int(token),
                kind,
                holder,
                owner.map(|o| int(o.0)),
                label.map(Name::as_str),
                self.now(),
                expires.map(|t| int(t.0)),
                may.join(" "),
                from.join(" "),
                limit.map(|l| int(l.asset.0)),
                limit.map(|l| Units(l.amount.0)),
                by.map(|by| int(by.0)),
            ],
        )
    }

    /// The new token has the name of the old one and what was spent with it.
    fn token_replaced(&mut self, token: u64, by: u64, until: Time) -> Result<()> {
        self.run(
            "UPDATE token SET label = o.label, spent = o.spent
             FROM (SELECT label, spent FROM token WHERE id = ?2) o WHERE token.id = ?1",
            (int(by), int(token)),
        )?;
        self.run(
            "UPDATE token SET replaced_by = ?, expires = ? WHERE id = ?",
            (int(by), int(until.0), int(token)),
        )
    }

    fn token_spent(&mut self, token: u64, amount: Amount) -> Result<()> {
        let spent = "SELECT spent FROM token WHERE id = ?";
        let mut query = self.db.prepare_cached(spent)?;
        let before: Option<Units> = query.query_row([int(token)], |row| row.get(0))?;
        let spent = before
            .map_or(0, |Units(units)| units)
            .saturating_add(amount.0);
        self.run(
            "UPDATE token SET spent = ? WHERE id = ?",
            (Units(spent), int(token)),
        )
    }
}

fn kept_by(custody: &Custody) -> &'static str {
    match custody {
        Custody::Own => "own",
        Custody::Realm(_) => "realm",
    }
}
