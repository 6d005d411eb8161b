//! Who is party to a thing, and what a scope may see: judges access to what the views hold.
//!
//! It reads the tables of the log's domain and the foundation alone, so that it says the same of a position
//! whenever that position is folded, and answers while another domain is rebuilt.

use rialto_core::id::{
    AccountId, AgentId, AnyId, CommunityId, ConversationId, MeasureId, OwnerId, ReportId,
};
use rialto_core::ledger::Holder;
use rialto_core::social::Target;
use rusqlite::OptionalExtension;
use serde::Serialize;

use super::{Origin, Scope, Snap, ViewReader};
use crate::Result;
use crate::codec::Coded;
use crate::db::{int, kind_of, split, uint};

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

/// Whether a thing is of a kind that only those see whom it was shown to, so that how it came to be need
/// not be looked up.
fn is_shown(id: AnyId) -> bool {
    matches!(
        id,
        AnyId::TeamId(_)
            | AnyId::ConversationId(_)
            | AnyId::TaskId(_)
            | AnyId::NegotiationId(_)
            | AnyId::DealId(_)
            | AnyId::ApprovalId(_)
            | AnyId::ObligationId(_)
            | AnyId::UsageId(_)
            | AnyId::DeploymentId(_)
            | AnyId::InferenceId(_)
    )
}

impl Snap<'_> {
    /// Whether an event made this thing.
    pub(crate) fn exists(&self, id: AnyId) -> Result<bool> {
        Ok(self.origin(id)?.is_some())
    }

    pub(crate) fn parties(&self, id: AnyId) -> Result<Option<Parties>> {
        let Some(origin) = self.origin(id)? else {
            return Ok(None);
        };
        let mut parties = Parties::default();
        match origin {
            Origin::Known(_) if matches!(id, AnyId::TeamId(_)) => {
                self.seen_by(&mut parties, id)?;
            }
            Origin::Known(owner) => {
                parties.owners.extend(owner);
                if let AnyId::AgentId(agent) = id {
                    parties.public = true;
                    parties.agents.push(agent);
                }
            }
            Origin::Asset => parties.public = true,
            Origin::Listing(agent) => {
                let sql = "SELECT 1 FROM withdrawn WHERE listing = ?";
                let gone = self.db.prepare_cached(sql)?.exists([int(id.number())])?;
                parties.public = !gone;
                self.add_agent(&mut parties, agent)?;
            }
            Origin::Call { public, .. } => {
                self.seen_by(&mut parties, id)?;
                parties.public = public;
            }
            Origin::Post(agent) | Origin::Community(agent) => {
                parties.public = true;
                self.add_agent(&mut parties, agent)?;
            }
            Origin::Report { by, .. } => self.add_agent(&mut parties, by)?,
            // Measures against posts are public; one against an agent is known to it.
            Origin::Measure {
                target, against, ..
            } => {
                parties.public = matches!(target, Target::Post(_));
                if let Some(agent) = against {
                    self.add_agent(&mut parties, agent)?;
                }
            }
            Origin::Account => self.account_parties(&mut parties, int(id.number()))?,
            Origin::Entry { from, to } => {
                if let AnyId::HoldId(_) = id {
                    self.seen_by(&mut parties, id)?;
                }
                self.both_accounts(&mut parties, from, to)?;
            }
            Origin::Message(conversation) => {
                self.message_parties(&mut parties, conversation, id)?;
            }
            Origin::Negotiation { .. } | Origin::Seen => self.seen_by(&mut parties, id)?,
            Origin::Text => {}
        }
        Ok(Some(parties))
    }

    /// The parties of a thing that an event names; none if there is no such thing.
    pub(crate) fn parties_of_named(&self, id: AnyId) -> Result<Parties> {
        if !is_shown(id) {
            return Ok(self.parties(id)?.unwrap_or_default());
        }
        let mut parties = Parties::default();
        self.seen_by(&mut parties, id)?;
        Ok(parties)
    }

    pub(crate) fn sees(&self, scope: Scope, id: AnyId) -> Result<bool> {
        let Some(viewer) = scope.viewer() else {
            return self.exists(id);
        };
        if is_shown(id) {
            return self.is_seen(viewer, id);
        }
        match id {
            AnyId::ReportId(report) => return self.sees_report(scope, report),
            AnyId::MeasureId(measure) if self.moderates(scope, measure)? => {
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
        let sql = "SELECT s.viewer, a.id IS NOT NULL FROM seen s
             LEFT JOIN kin a ON a.kind = ? AND a.id = s.viewer
             WHERE s.kind = ? AND s.id = ? ORDER BY s.viewer";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query((kind_of(AgentId::PREFIX), kind, id))?;
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

    /// Whose an agent is.
    fn kin_of(&self, agent: AgentId) -> Result<Option<OwnerId>> {
        let (kind, id) = split(agent.into());
        let sql = "SELECT owner FROM kin WHERE kind = ? AND id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let owner = query.query_row((kind, id), |r| r.get::<_, Option<i64>>(0));
        Ok(owner.optional()?.flatten().map(|o| OwnerId(uint(o))))
    }

    fn add_agent(&self, parties: &mut Parties, agent: AgentId) -> Result<()> {
        if !parties.agents.contains(&agent) {
            parties.agents.push(agent);
        }
        if let Some(owner) = self.kin_of(agent)?
            && !parties.owners.contains(&owner)
        {
            parties.owners.push(owner);
        }
        Ok(())
    }

    fn account_parties(&self, parties: &mut Parties, account: i64) -> Result<()> {
        let sql = "SELECT kind, holder, owner FROM holder WHERE account = ?";
        let row = self.db.prepare_cached(sql)?.query_row([account], |r| {
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
            Holder::Agent(agent) => self.add_agent(parties, agent)?,
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
        let sql = "SELECT agent FROM crew WHERE team = ? AND joined = 1 ORDER BY agent";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([team])?;
        while let Some(row) = rows.next()? {
            self.add_agent(parties, AgentId(uint(row.get(0)?)))?;
        }
        Ok(())
    }

    fn both_accounts(&self, parties: &mut Parties, from: AccountId, to: AccountId) -> Result<()> {
        self.account_parties(parties, int(from.0))?;
        self.account_parties(parties, int(to.0))?;
        parties.agents.sort_unstable();
        parties.agents.dedup();
        parties.owners.sort_unstable();
        parties.owners.dedup();
        Ok(())
    }

    fn message_parties(
        &self,
        parties: &mut Parties,
        conversation: ConversationId,
        message: AnyId,
    ) -> Result<()> {
        let sql = "SELECT DISTINCT agent FROM sent_to
                   WHERE conversation = ?1 AND low <= ?2 AND ?2 < high";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query((int(conversation.0), int(message.number())))?;
        while let Some(row) = rows.next()? {
            self.add_agent(parties, AgentId(uint(row.get(0)?)))?;
        }
        Ok(())
    }

    /// Whether the scope made a report, or is to judge it. A reported agent does not learn who reported it,
    /// and does not judge the report.
    pub(super) fn sees_report(&self, scope: Scope, report: ReportId) -> Result<bool> {
        let Some(Origin::Report {
            by,
            target,
            community,
        }) = self.origin(report.into())?
        else {
            return Ok(false);
        };
        if self.is_own(scope, by)? {
            return Ok(true);
        }
        let against = match target {
            Target::Agent(agent) => Some(agent),
            Target::Post(post) => match self.origin(post.into())? {
                Some(Origin::Post(author)) => Some(author),
                _ => None,
            },
        };
        let judges = self.judges_in(scope, community)?;
        Ok(judges && !against.map_or(Ok(false), |agent| self.is_of_owner(scope, agent))?)
    }

    /// Whether the scope moderates where a measure was taken. The operator moderates everywhere.
    pub(super) fn moderates(&self, scope: Scope, measure: MeasureId) -> Result<bool> {
        if scope == Scope::Realm {
            return Ok(true);
        }
        match self.origin(measure.into())? {
            Some(Origin::Measure { community, .. }) => self.judges_in(scope, community),
            _ => Ok(false),
        }
    }

    fn judges_in(&self, scope: Scope, community: Option<CommunityId>) -> Result<bool> {
        let (Some(community), Some(viewer)) = (community, scope.viewer()) else {
            return Ok(false);
        };
        let sql = "SELECT 1 FROM bench mb JOIN kin a ON a.kind = ?3 AND a.id = mb.agent
                   WHERE mb.community = ?1 AND (a.id = ?2 OR a.owner = ?2)";
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query.exists((int(community.0), viewer, kind_of(AgentId::PREFIX)))?)
    }

    /// Whether an agent is the scope, or one of its agents.
    fn is_own(&self, scope: Scope, agent: AgentId) -> Result<bool> {
        Ok(match scope {
            Scope::Realm => false,
            Scope::Agent(own) => own == agent,
            Scope::Owner(owner) => self.kin_of(agent)? == Some(owner),
        })
    }

    /// Whether an agent is of the scope's owner.
    fn is_of_owner(&self, scope: Scope, agent: AgentId) -> Result<bool> {
        let owner = match scope {
            Scope::Realm => return Ok(false),
            Scope::Agent(own) => self.kin_of(own)?,
            Scope::Owner(owner) => Some(owner),
        };
        Ok(owner.is_some() && self.kin_of(agent)? == owner)
    }
}
