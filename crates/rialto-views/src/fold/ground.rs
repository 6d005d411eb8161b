//! Facts that never change once they are there. The folds of all domains read them at any position.

use rialto_core::event::Event;
use rialto_core::id::{AccountId, AnyId, OwnerId};
use rialto_core::identity::IdentityEvent;
use rialto_core::ledger::{Holder, LedgerEvent};
use rialto_core::work::WorkEvent;

use super::Folding;
use crate::Result;
use crate::codec::Coded;
use crate::db::{int, split};

impl Folding<'_> {
    pub(super) fn grounded(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Identity(event) => self.known(event),
            Event::Work(WorkEvent::TeamCreated { team, owner, .. }) => {
                self.of_owner(*team, Some(*owner))
            }
            Event::Ledger(LedgerEvent::AssetCreated {
                asset,
                code,
                scale,
                issuance,
                outside,
            }) => {
                self.run(
                    "INSERT INTO asset VALUES(?, ?, ?, ?, ?)",
                    (
                        int(asset.0),
                        code.as_str(),
                        scale,
                        int(issuance.0),
                        int(outside.0),
                    ),
                )?;
                self.held_by_whom(*issuance, Holder::Issuance)?;
                self.held_by_whom(*outside, Holder::Outside)
            }
            Event::Ledger(LedgerEvent::AccountOpened {
                account, holder, ..
            }) => self.held_by_whom(*account, *holder),
            _ => Ok(()),
        }
    }

    fn known(&mut self, event: &IdentityEvent) -> Result<()> {
        match event {
            IdentityEvent::OwnerCreated { owner, .. } => self.of_owner(*owner, Some(*owner)),
            IdentityEvent::PersonAdded { person, owner, .. } => {
                self.of_owner(*person, Some(*owner))
            }
            IdentityEvent::AgentRegistered { agent, owner, .. } => {
                self.of_owner(*agent, Some(*owner))
            }
            IdentityEvent::TokenIssued {
                token, principal, ..
            } => {
                let owner = self.owner_of(*principal)?;
                self.of_owner(*token, owner)
            }
            IdentityEvent::ServiceCreated { service, .. } => self.of_owner(*service, None),
            _ => Ok(()),
        }
    }

    fn of_owner(&self, thing: impl Into<AnyId>, owner: Option<OwnerId>) -> Result<()> {
        let (kind, id) = split(thing.into());
        self.run(
            "INSERT OR IGNORE INTO kin VALUES(?, ?, ?)",
            (kind, id, owner.map(|o| int(o.0))),
        )
    }

    fn held_by_whom(&mut self, account: AccountId, holder: Holder) -> Result<()> {
        let owner = self.owner_of_holder(holder)?;
        let (kind, number) = holder.split();
        self.run(
            "INSERT OR IGNORE INTO holder VALUES(?, ?, ?, ?)",
            (int(account.0), kind, number, owner.map(|o| int(o.0))),
        )
    }

    /// Whose money a holder's is; nobody's in the realm if it stands for issues or the world outside.
    pub(super) fn owner_of_holder(&mut self, holder: Holder) -> Result<Option<OwnerId>> {
        match holder {
            Holder::Issuance | Holder::Outside => Ok(None),
            Holder::Owner(id) => Ok(Some(id)),
            Holder::Team(id) => self.owner_of_team(id),
            Holder::Agent(id) => self.owner_of_agent(id),
        }
    }
}
