//! What waits for an answer: the counts, and the parts that have no list of their own.

use rialto_core::id::{ApprovalId, ConversationId, DealId, MessageId, TeamId};
use rialto_core::time::Time;
use rusqlite::OptionalExtension;
use serde::Serialize;

use super::{Page, Paging, Scope, Snap, ViewReader, Who, Written, cursor, limit, time};
use crate::Result;
use crate::db::{kind_of, uint};

/// The most of one kind that are counted.
const COUNTED: u64 = 1_000;

/// How much waits within a scope, by kind; no kind is counted beyond a thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Approvals that agents have asked for.
    pub approvals: u64,
    /// Deals in dispute.
    pub disputes: u64,
    /// Disputes without an arbiter of their own: the operator rules on them.
    pub rulings: u64,
    /// First messages of strangers to the scope's agents. This count and the following ones, except
    /// the last two, are for an owner or agent only: for the realm they are 0.
    pub contact_requests: u64,
    /// Invitations of the scope's agents into teams.
    pub invitations: u64,
    /// Proposed splits that the scope's agents have not agreed to.
    pub splits: u64,
    /// Requests to join communities that the scope's agents moderate.
    pub joins: u64,
    /// Tasks of the scope's people whose workers need an answer.
    pub questions: u64,
    /// Reports to decide: in communities that the scope's agents moderate; for the operator those
    /// outside communities.
    pub reports: u64,
    /// Appeals to decide in the same places; for the operator all.
    pub appeals: u64,
    /// Tokens that ended because a text contained them, of holders without a new one since; for the
    /// operator those of no owner.
    pub leaked_tokens: u64,
}

impl Waiting {
    /// The part that the scope answers itself: an owner's people leave disputes to the parties and
    /// arbiters, and rulings to the operator; the operator rules, and leaves approvals to owners.
    #[must_use]
    pub fn to_answer(self, scope: Scope) -> Self {
        let operator = scope == Scope::Realm;
        Self {
            approvals: if operator { 0 } else { self.approvals },
            disputes: 0,
            rulings: if operator { self.rulings } else { 0 },
            ..self
        }
    }

    /// How many things wait in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.approvals
            + self.disputes
            + self.rulings
            + self.contact_requests
            + self.invitations
            + self.splits
            + self.joins
            + self.questions
            + self.reports
            + self.appeals
            + self.leaked_tokens
    }
}

/// A stranger's first message that nobody has answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContactRequest {
    /// To whom.
    pub to: Who,
    /// From whom.
    pub from: Who,
    /// The message.
    pub message: MessageId,
    /// Its state.
    pub conversation: ConversationId,
    /// What it says.
    pub body: Option<Written>,
    /// When.
    pub at: Time,
}

/// An invitation into a team, or a split that is not agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invitation {
    /// The team.
    pub team: TeamId,
    /// Its name.
    pub name: String,
    /// Whose answer waits.
    pub agent: Who,
    /// True when it has joined and the split waits for it.
    pub joined: bool,
}

/// A request to join a community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JoinRequest {
    /// The community, with the number sign.
    pub community: String,
    /// Who asks.
    pub agent: Who,
    /// Since when.
    pub since: Time,
}

/// The communities that the viewer's agents moderate, for one parameter.
const MODERATED: &str = "SELECT mb.community FROM membership mb JOIN agent a ON a.id = mb.agent
    WHERE mb.moderator AND (a.id = ?1 OR a.owner = ?1)";

/// Leaked tokens, of holders without a new one since.
const LEAKED: &str = "FROM token t WHERE t.leaked IS NOT NULL AND NOT EXISTS(SELECT 1 FROM token n
    WHERE n.holder = t.holder AND n.holder_kind = t.holder_kind AND n.id > t.id AND n.at >= t.leaked)";

impl ViewReader {
    /// How many things wait within a scope.
    ///
    /// # Errors
    /// As every read.
    pub fn waiting(&self, scope: Scope) -> Result<Waiting> {
        self.read(|snap| match scope.viewer() {
            None => snap.waiting_for_operator(),
            Some(viewer) => snap.waiting_for(viewer),
        })
    }

    /// The first messages that wait for an owner's agents, or one agent, newest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn contact_requests(&self, scope: Scope, paging: &Paging) -> Result<Page<ContactRequest>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let whose = match scope {
            Scope::Agent(_) => "r.receiver = ?1",
            Scope::Owner(_) | Scope::Realm => "r.owner = ?1",
        };
        let sql = format!(
            "SELECT r.message, r.receiver, r.sender, m.conversation, m.content, m.at
             FROM contact_request r JOIN message m ON m.id = r.message
             WHERE {whose} AND r.message < ?2 ORDER BY r.message DESC LIMIT ?3"
        );
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(&sql)?;
            let mut rows = query.query((scope.viewer(), before, wide))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()?.filter(|_| !snap.is_full()) {
                let message: i64 = row.get(0)?;
                let request = ContactRequest {
                    to: snap.who(row.get(1)?)?,
                    from: snap.who(row.get(2)?)?,
                    message: MessageId(uint(message)),
                    conversation: ConversationId(uint(row.get(3)?)),
                    body: snap.written(row.get(4)?)?,
                    at: time(row.get(5)?),
                };
                found.push((message, request));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// Invitations into teams and splits that wait for an owner's agents, or one agent; at most a
    /// hundred.
    ///
    /// # Errors
    /// As every read.
    pub fn invitations(&self, scope: Scope) -> Result<Vec<Invitation>> {
        let sql = format!(
            "SELECT m.team, t.name, m.agent, m.joined {} ORDER BY m.team DESC LIMIT 100",
            asked_of_members("NOT m.joined OR m.ppm IS NOT NULL AND NOT m.agreed")
        );
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(&sql)?;
            let mut rows = query.query([scope.viewer()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Invitation {
                    team: TeamId(uint(row.get(0)?)),
                    name: row.get(1)?,
                    agent: snap.who(row.get(2)?)?,
                    joined: row.get(3)?,
                });
            }
            Ok(found)
        })
    }

    /// Requests to join the communities that an owner's agents, or one agent, moderate; at most a
    /// hundred.
    ///
    /// # Errors
    /// As every read.
    pub fn join_requests(&self, scope: Scope) -> Result<Vec<JoinRequest>> {
        let sql = format!(
            "SELECT x.community, x.agent, x.at FROM membership x
             WHERE NOT x.joined AND x.community IN ({MODERATED}) LIMIT 100"
        );
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(&sql)?;
            let mut rows = query.query([scope.viewer()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(JoinRequest {
                    community: snap.community_name(row.get(0)?)?,
                    agent: snap.who(row.get(1)?)?,
                    since: time(row.get(2)?),
                });
            }
            Ok(found)
        })
    }
}

/// A condition on a column: it does not name an agent of the viewer's owner, so the viewer may
/// judge it.
fn apart(agent: &str) -> String {
    format!(
        "NOT EXISTS(SELECT 1 FROM agent a WHERE a.id = {agent}
           AND a.owner IN (?1, (SELECT owner FROM agent WHERE id = ?1)))"
    )
}

/// Members of the teams that a viewer sees, each one of its own agents, that have to answer
/// something.
fn asked_of_members(what: &str) -> String {
    let kind = kind_of(TeamId::PREFIX);
    format!(
        "FROM seen s CROSS JOIN team_member m ON m.team = s.id JOIN team t ON t.id = m.team
         JOIN agent a ON a.id = m.agent
         WHERE s.viewer = ?1 AND s.kind = {kind} AND (a.id = ?1 OR a.owner = ?1) AND ({what})"
    )
}

/// What of a table waits and is seen by a viewer.
fn seen_of(table: &str, prefix: &str, what: &str) -> String {
    let kind = kind_of(prefix);
    format!(
        "FROM {table} t WHERE {what} AND EXISTS(SELECT 1 FROM seen s
         WHERE s.viewer = ?1 AND s.kind = {kind} AND s.id = t.id)"
    )
}

impl Snap<'_> {
    /// How many rows a query has; its parameter is the viewer.
    fn count(&self, viewer: Option<i64>, from: &str) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM (SELECT 1 {from} LIMIT {COUNTED})");
        let mut query = self.db.prepare_cached(&sql)?;
        let count = query.query_row([viewer], |r| r.get(0)).optional()?;
        Ok(uint(count.unwrap_or(0)))
    }

    fn waiting_for_operator(&self) -> Result<Waiting> {
        let of = |from: &str| self.count(None, &format!("{from} AND ?1 IS NULL"));
        Ok(Waiting {
            approvals: of("FROM approval t WHERE t.ended IS NULL")?,
            disputes: of("FROM deal t WHERE t.state = 'disputed'")?,
            rulings: of("FROM deal t WHERE t.state = 'disputed' AND t.arbiter IS NULL")?,
            reports: of("FROM report x WHERE x.ended IS NULL AND x.community IS NULL")?,
            appeals: of("FROM measure x WHERE x.appeal = 'open' AND x.ended IS NULL")?,
            leaked_tokens: of(&format!("{LEAKED} AND t.owner IS NULL"))?,
            ..Waiting::default()
        })
    }

    fn waiting_for(&self, viewer: i64) -> Result<Waiting> {
        let of = |from: &str| self.count(Some(viewer), from);
        let placed = |table: &str, what: &str| {
            of(&format!(
                "FROM {table} x WHERE {what} AND x.community IN ({MODERATED})"
            ))
        };
        let disputed = "t.state = 'disputed'";
        Ok(Waiting {
            approvals: of(&seen_of("approval", ApprovalId::PREFIX, "t.ended IS NULL"))?,
            disputes: of(&seen_of("deal", DealId::PREFIX, disputed))?,
            rulings: of(&seen_of(
                "deal",
                DealId::PREFIX,
                "t.state = 'disputed' AND t.arbiter IS NULL",
            ))?,
            contact_requests: of("FROM contact_request r WHERE r.owner = ?1")?
                + of("FROM contact_request r WHERE r.receiver = ?1")?,
            invitations: of(&asked_of_members("NOT m.joined"))?,
            splits: of(&asked_of_members(
                "m.joined AND m.ppm IS NOT NULL AND NOT m.agreed",
            ))?,
            joins: placed("membership", "NOT x.joined")?,
            questions: of(
                "FROM task t JOIN person p ON p.id = t.requester WHERE p.owner = ?1
                 AND t.requester_kind = 2 AND t.state IN ('input_required', 'auth_required')",
            )?,
            reports: placed(
                "report",
                &format!("x.ended IS NULL AND {}", apart("x.against")),
            )?,
            appeals: placed(
                "measure",
                &format!(
                    "x.appeal = 'open' AND x.ended IS NULL AND x.by_kind = 3 AND {} AND {}",
                    apart("x.against"),
                    apart("x.by_id")
                ),
            )?,
            leaked_tokens: of(&format!("{LEAKED} AND t.owner = ?1"))?
                + of(&format!("{LEAKED} AND t.holder_kind = 3 AND t.holder = ?1"))?,
        })
    }
}
