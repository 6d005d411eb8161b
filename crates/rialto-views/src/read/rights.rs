//! Who is party to a thing, and what a scope may see: judges access to what the views hold.

use rialto_core::id::{
    AccountId, AgentId, AnyId, CallId, HoldId, ListingId, MeasureId, MessageId, OwnerId, PostId,
    TransferId,
};
use rialto_core::ledger::Holder;
use rusqlite::OptionalExtension;
use serde::Serialize;

use super::{Scope, Snap, ViewReader};
use crate::Result;
use crate::codec::Coded;
use crate::db::{int, split, uint};

/// Who is party to a thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parties {
    /// True when everybody may see it.
    pub public: bool,
    /// The agents that may see it.
    pub agents: Vec<AgentId>,
    /// The owners that may see it: those of the agents, and those that it belongs to.
    pub owners: Vec<OwnerId>,
}

impl ViewReader {
    /// The parties of a thing; nothing if there is no such thing.
    ///
    /// # Errors
    /// As every read.
    pub fn parties(&self, id: AnyId) -> Result<Option<Parties>> {
        self.read(|snap| snap.parties(id))
    }

    /// Whether a scope may see a thing. What does not exist is not seen.
    ///
    /// # Errors
    /// As every read.
    pub fn sees(&self, scope: Scope, id: AnyId) -> Result<bool> {
        self.read(|snap| snap.sees(scope, id))
    }
}

impl Snap<'_> {
    fn one(&self, sql: &str, id: i64) -> Result<Option<i64>> {
        let found = self
            .db
            .prepare_cached(sql)?
            .query_row([id], |r| r.get::<_, Option<i64>>(0));
        Ok(found.optional()?.flatten())
    }

    /// Whether an event made this thing.
    pub(crate) fn exists(&self, id: AnyId) -> Result<bool> {
        let table = match id {
            AnyId::OwnerId(_) => "owner",
            AnyId::PersonId(_) => "person",
            AnyId::TeamId(_) => "team",
            AnyId::AgentId(_) => "agent",
            AnyId::ServiceId(_) => "service",
            AnyId::TokenId(_) => "token",
            AnyId::AssetId(_) => "asset",
            AnyId::AccountId(_) => "account",
            AnyId::TransferId(_) => "entry",
            AnyId::HoldId(_) => "hold",
            AnyId::ConversationId(_) => "conversation",
            AnyId::MessageId(_) => "message",
            AnyId::TaskId(_) => "task",
            AnyId::ListingId(_) => "listing",
            AnyId::CallId(_) => "call",
            AnyId::NegotiationId(_) => "negotiation",
            AnyId::DealId(_) => "deal",
            AnyId::ApprovalId(_) => "approval",
            AnyId::ContentId(_) => "content",
            AnyId::PostId(_) => "post",
            AnyId::CommunityId(_) => "community",
            AnyId::ReportId(_) => "report",
            AnyId::MeasureId(_) => "measure",
            AnyId::ObligationId(_)
            | AnyId::UsageId(_)
            | AnyId::DeploymentId(_)
            | AnyId::InferenceId(_) => return self.is_noun(id),
        };
        let sql = format!("SELECT 1 FROM {table} WHERE id = ?");
        Ok(self.one(&sql, int(id.number()))?.is_some())
    }

    pub(crate) fn parties(&self, id: AnyId) -> Result<Option<Parties>> {
        if !self.exists(id)? {
            return Ok(None);
        }
        let mut parties = Parties::default();
        match id {
            AnyId::AgentId(agent) => {
                parties.public = true;
                self.add_agent(&mut parties, int(agent.0))?;
            }
            AnyId::OwnerId(owner) => parties.owners.push(owner),
            AnyId::PersonId(_) => {
                self.add_owner(&mut parties, "SELECT owner FROM person WHERE id = ?", id)?;
            }
            AnyId::TokenId(_) => {
                self.add_owner(&mut parties, "SELECT owner FROM token WHERE id = ?", id)?;
            }
            AnyId::ListingId(listing) => self.listing_parties(&mut parties, listing)?,
            AnyId::CallId(call) => {
                self.seen_by(&mut parties, id)?;
                parties.public = self.public_call(call)?;
            }
            AnyId::AssetId(_) => parties.public = true,
            AnyId::PostId(_) | AnyId::CommunityId(_) => {
                parties.public = true;
                let sql = match id {
                    AnyId::PostId(_) => "SELECT author FROM post WHERE id = ?",
                    _ => "SELECT created_by FROM community WHERE id = ?",
                };
                if let Some(agent) = self.one(sql, int(id.number()))? {
                    self.add_agent(&mut parties, agent)?;
                }
            }
            AnyId::ReportId(_) => {
                if let Some(agent) =
                    self.one("SELECT by FROM report WHERE id = ?", int(id.number()))?
                {
                    self.add_agent(&mut parties, agent)?;
                }
            }
            AnyId::MeasureId(measure) => self.measure_parties(&mut parties, measure)?,
            AnyId::ServiceId(_) | AnyId::ContentId(_) => {}
            AnyId::AccountId(account) => self.account_parties(&mut parties, account)?,
            AnyId::TransferId(entry) => self.entry_parties(&mut parties, entry)?,
            AnyId::HoldId(hold) => self.hold_parties(&mut parties, hold)?,
            AnyId::MessageId(message) => self.message_parties(&mut parties, message)?,
            AnyId::TeamId(_)
            | AnyId::ConversationId(_)
            | AnyId::TaskId(_)
            | AnyId::NegotiationId(_)
            | AnyId::DealId(_)
            | AnyId::ApprovalId(_)
            | AnyId::ObligationId(_)
            | AnyId::UsageId(_)
            | AnyId::DeploymentId(_)
            | AnyId::InferenceId(_) => self.seen_by(&mut parties, id)?,
        }
        Ok(Some(parties))
    }

    pub(crate) fn sees(&self, scope: Scope, id: AnyId) -> Result<bool> {
        let Some(viewer) = scope.viewer() else {
            return self.exists(id);
        };
        if let AnyId::TeamId(_)
        | AnyId::ConversationId(_)
        | AnyId::TaskId(_)
        | AnyId::NegotiationId(_)
        | AnyId::DealId(_)
        | AnyId::ApprovalId(_)
        | AnyId::ObligationId(_)
        | AnyId::UsageId(_)
        | AnyId::DeploymentId(_)
        | AnyId::InferenceId(_) = id
        {
            return self.is_seen(viewer, id);
        }
        match id {
            AnyId::ReportId(report) => return self.sees_report(scope, int(report.0)),
            AnyId::MeasureId(measure) if self.moderates(scope, int(measure.0))? => {
                return Ok(true);
            }
            _ => {}
        }
        let Some(parties) = self.parties(id)? else {
            return Ok(false);
        };
        Ok(parties.public
            || match scope {
                Scope::Realm => true,
                Scope::Owner(owner) => parties.owners.contains(&owner),
                Scope::Agent(agent) => parties.agents.contains(&agent),
            })
    }

    fn is_seen(&self, viewer: i64, id: AnyId) -> Result<bool> {
        let (kind, id) = split(id);
        let sql = "SELECT 1 FROM seen WHERE viewer = ? AND kind = ? AND id = ?";
        let found = self
            .db
            .prepare_cached(sql)?
            .query_row((viewer, kind, id), |_| Ok(()));
        Ok(found.optional()?.is_some())
    }

    fn seen_by(&self, parties: &mut Parties, id: AnyId) -> Result<()> {
        let (kind, id) = split(id);
        let sql =
            "SELECT s.viewer, a.id IS NOT NULL FROM seen s LEFT JOIN agent a ON a.id = s.viewer
                   WHERE s.kind = ? AND s.id = ? ORDER BY s.viewer";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query((kind, id))?;
        while let Some(row) = rows.next()? {
            let viewer = uint(row.get(0)?);
            if row.get(1)? {
                parties.agents.push(AgentId(viewer));
            } else {
                parties.owners.push(OwnerId(viewer));
            }
        }
        Ok(())
    }

    fn add_agent(&self, parties: &mut Parties, agent: i64) -> Result<()> {
        if !parties.agents.contains(&AgentId(uint(agent))) {
            parties.agents.push(AgentId(uint(agent)));
        }
        let owner = self.one("SELECT owner FROM agent WHERE id = ?", agent)?;
        if let Some(owner) = owner.map(|o| OwnerId(uint(o)))
            && !parties.owners.contains(&owner)
        {
            parties.owners.push(owner);
        }
        Ok(())
    }

    fn add_owner(&self, parties: &mut Parties, sql: &str, id: AnyId) -> Result<()> {
        let owner = self.one(sql, int(id.number()))?;
        parties.owners.extend(owner.map(|o| OwnerId(uint(o))));
        Ok(())
    }

    fn listing_parties(&self, parties: &mut Parties, listing: ListingId) -> Result<()> {
        let id = int(listing.0);
        let withdrawn = self.one("SELECT withdrawn FROM listing WHERE id = ?", id)?;
        parties.public = withdrawn == Some(0);
        match self.one("SELECT agent FROM listing WHERE id = ?", id)? {
            Some(agent) => self.add_agent(parties, agent),
            None => Ok(()),
        }
    }

    /// Measures against posts are public; one against an agent is known to it.
    fn measure_parties(&self, parties: &mut Parties, measure: MeasureId) -> Result<()> {
        let id = int(measure.0);
        let kind = self.one("SELECT target_kind FROM measure WHERE id = ?", id)?;
        parties.public = kind == Some(crate::db::kind_of(PostId::PREFIX));
        match self.one("SELECT against FROM measure WHERE id = ?", id)? {
            Some(agent) => self.add_agent(parties, agent),
            None => Ok(()),
        }
    }

    fn public_call(&self, call: CallId) -> Result<bool> {
        Ok(self.one("SELECT public FROM call WHERE id = ?", int(call.0))? == Some(1))
    }

    fn account_parties(&self, parties: &mut Parties, account: AccountId) -> Result<()> {
        let sql = "SELECT holder_kind, holder, owner FROM account WHERE id = ?";
        let row = self
            .db
            .prepare_cached(sql)?
            .query_row([int(account.0)], |r| {
                Ok((
                    r.get::<_, i64>(0)?,
                    r.get::<_, i64>(1)?,
                    r.get::<_, Option<i64>>(2)?,
                ))
            });
        let Some((kind, holder, owner)) = row.optional()? else {
            return Ok(());
        };
        let owner = owner.map(|o| OwnerId(uint(o)));
        match Holder::join(kind, holder)? {
            Holder::Team(team) => self.joined_in(parties, int(team.0))?,
            Holder::Agent(agent) => self.add_agent(parties, int(agent.0))?,
            Holder::Owner(_) | Holder::Issuance | Holder::Outside => {}
        }
        if let Some(owner) = owner
            && !parties.owners.contains(&owner)
        {
            parties.owners.push(owner);
        }
        Ok(())
    }

    /// The agents that have joined a team. Those that are only invited do not see what it has.
    fn joined_in(&self, parties: &mut Parties, team: i64) -> Result<()> {
        let sql = "SELECT agent FROM team_member WHERE team = ? AND joined = 1 ORDER BY agent";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([team])?;
        while let Some(row) = rows.next()? {
            self.add_agent(parties, row.get(0)?)?;
        }
        Ok(())
    }

    fn both_accounts(&self, parties: &mut Parties, table: &str, id: u64) -> Result<()> {
        let sql = format!("SELECT debit, credit FROM {table} WHERE id = ?");
        let row = self.db.prepare_cached(&sql)?.query_row([int(id)], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?))
        });
        if let Some((debit, credit)) = row.optional()? {
            self.account_parties(parties, AccountId(uint(debit)))?;
            self.account_parties(parties, AccountId(uint(credit)))?;
        }
        parties.agents.sort_unstable();
        parties.agents.dedup();
        parties.owners.sort_unstable();
        parties.owners.dedup();
        Ok(())
    }

    fn entry_parties(&self, parties: &mut Parties, entry: TransferId) -> Result<()> {
        self.both_accounts(parties, "entry", entry.0)
    }

    fn hold_parties(&self, parties: &mut Parties, hold: HoldId) -> Result<()> {
        self.seen_by(parties, hold.into())?;
        self.both_accounts(parties, "hold", hold.0)
    }

    fn message_parties(&self, parties: &mut Parties, message: MessageId) -> Result<()> {
        let sql = "SELECT DISTINCT mb.agent FROM message m
                   JOIN member mb ON mb.conversation = m.conversation
                   AND mb.low <= m.id AND m.id < mb.high WHERE m.id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([int(message.0)])?;
        while let Some(row) = rows.next()? {
            self.add_agent(parties, row.get(0)?)?;
        }
        Ok(())
    }
}
