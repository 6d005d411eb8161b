//! Approvals, allowances and blocks.

use rialto_core::id::{ApprovalId, OwnerId};
use rialto_core::policy::{Approval, LineTerms, Node, Party, PolicyEvent};
use rusqlite::params;

use super::{Folding, json, word};
use crate::Result;
use crate::codec::Coded;
use crate::db::{Units, int};

impl Folding<'_> {
    pub(super) fn policy(&mut self, event: &PolicyEvent) -> Result<()> {
        match event {
            PolicyEvent::SettingsChanged { .. } => Ok(()),
            PolicyEvent::AllowanceSet { .. } => self.allowance_set(event),
            PolicyEvent::Blocked { by, party } => {
                let owner = match *party {
                    Party::Owner(id) => Some(id),
                    Party::Agent(id) => self.owner_of_agent(id)?,
                };
                let owner = owner.map_or(0, |o| int(o.0));
                let ((by_kind, by), (kind, party)) = (by.split(), party.split());
                self.run(
                    "INSERT OR REPLACE INTO block VALUES(?, ?, ?, ?, ?, ?)",
                    (by_kind, by, kind, party, owner, self.now()),
                )
            }
            PolicyEvent::Unblocked { by, party } => {
                let ((by_kind, by), (kind, party)) = (by.split(), party.split());
                self.run(
                    "DELETE FROM block
                     WHERE by_kind = ? AND by_id = ? AND party_kind = ? AND party = ?",
                    (by_kind, by, kind, party),
                )
            }
            PolicyEvent::ApprovalRequested { approval, request } => {
                self.approval_requested(*approval, request)
            }
            PolicyEvent::ApprovalEnded {
                approval, end, by, ..
            } => self.run(
                "UPDATE approval SET ended = ?, ended_how = ?, ended_by = ? WHERE id = ?",
                (self.now(), word(end), by.map(|p| int(p.0)), int(approval.0)),
            ),
            PolicyEvent::LinesSet { node, lines } => self.lines_set(*node, lines),
            // Usage is a plain noun.
            PolicyEvent::UsageReserved { .. }
            | PolicyEvent::UsageSettled { .. }
            | PolicyEvent::UsageExpired { .. } => Ok(()),
            // Whether a rate limit is in memory is memory's, not history's.
            PolicyEvent::MeterKept { .. } => Ok(()),
        }
    }

    fn allowance_set(&mut self, event: &PolicyEvent) -> Result<()> {
        let PolicyEvent::AllowanceSet {
            node,
            asset,
            per_deal,
            per_period,
            period_ms,
            approval_above,
        } = event
        else {
            return Ok(());
        };
        let (kind, number) = node.split();
        let owner = self.node_owner(*node)?;
        if [per_deal, per_period, approval_above]
            .iter()
            .all(|limit| limit.is_none())
        {
            return self.run(
                "DELETE FROM allowance WHERE node_kind = ? AND node = ? AND asset = ?",
                (kind, number, int(asset.0)),
            );
        }
        let units = |a: &Option<rialto_core::amount::Amount>| a.map(|a| Units(a.0));
        self.run(
            "INSERT OR REPLACE INTO allowance VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                kind,
                number,
                int(asset.0),
                owner.map(|o| int(o.0)),
                units(per_deal),
                units(per_period),
                int(*period_ms),
                units(approval_above)
            ],
        )
    }

    fn lines_set(&mut self, node: Node, lines: &[LineTerms]) -> Result<()> {
        let (kind, number) = node.split();
        if lines.is_empty() {
            return self.run(
                "DELETE FROM allowance_lines WHERE node_kind = ? AND node = ?",
                (kind, number),
            );
        }
        let owner = self.node_owner(node)?.map(|o| int(o.0));
        self.run(
            "INSERT OR REPLACE INTO allowance_lines VALUES(?, ?, ?, ?)",
            (kind, number, owner, json(&lines)),
        )
    }

    fn node_owner(&mut self, node: Node) -> Result<Option<OwnerId>> {
        Ok(match node {
            Node::Realm => None,
            Node::Owner(id) => Some(id),
            Node::Team(id) => self.owner_of_team(id)?,
            Node::Agent(id) => self.owner_of_agent(id)?,
        })
    }

    fn approval_requested(&mut self, approval: ApprovalId, request: &Approval) -> Result<()> {
        self.run(
            "INSERT INTO approval VALUES(?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
            params![
                int(approval.0),
                int(request.owner.0),
                int(request.agent.0),
                json(&request.bound),
                Units(request.amount.0),
                int(request.asset.0),
                int(request.expires.0),
                self.now()
            ],
        )
    }
}
