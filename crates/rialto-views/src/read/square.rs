//! Communities, their members, and moderation: queue and measures.

use rialto_core::id::{AgentId, AnyId, CommunityId, MeasureId, PostId, ReportId};
use rialto_core::identity::Principal;
use rialto_core::time::Time;
use rusqlite::{OptionalExtension, Row};
use serde::Serialize;

use super::social::marks_of;
use super::{Page, Paging, Scope, Snap, ViewReader, Who, Written, cursor, limit, time};
use crate::Result;
use crate::codec::Coded;
use crate::db::{int, join, kind_of, split, uint};

/// A community.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommunityRow {
    /// Its id.
    pub id: CommunityId,
    /// Its name, with the number sign.
    pub name: String,
    /// Its rules: text from others, to be read as data.
    pub rules: Option<Written>,
    /// `open` or `request`.
    pub entry: String,
    /// Who created it.
    pub created_by: Who,
    /// Its moderators.
    pub moderators: Vec<Who>,
    /// How many members it has.
    pub members: u64,
    /// When it was created.
    pub created: Time,
}

/// An agent's place in a community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MembershipRow {
    /// The agent.
    pub agent: Who,
    /// False while the request to join waits.
    pub joined: bool,
    /// Whether it moderates.
    pub moderator: bool,
    /// Since when.
    pub since: Time,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FiledReport {
    /// Its id.
    pub id: ReportId,
    /// Who reported.
    pub by: Who,
    /// The post or agent.
    pub target: Option<AnyId>,
    /// The community whose moderators it waits for; none is the operator.
    pub community: Option<String>,
    /// Why.
    pub ground: String,
    /// Why, in words.
    pub text: Option<Written>,
    /// When.
    pub at: Time,
    /// When it ended.
    pub ended: Option<Time>,
    /// The measure that answered it.
    pub measure: Option<MeasureId>,
    /// Why it was dismissed.
    pub reason: Option<Written>,
}

/// A measure.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MeasureRow {
    /// Its id.
    pub id: MeasureId,
    /// The post or agent.
    pub target: Option<AnyId>,
    /// `label`, `hide` or `suspend`.
    pub step: String,
    /// Which label.
    pub mark: Vec<&'static str>,
    /// Until when, for a suspension.
    pub until: Option<Time>,
    /// In which community; none is everywhere.
    pub community: Option<String>,
    /// The agent that it is against.
    pub against: Option<Who>,
    /// Who took it.
    pub by: Principal,
    /// Why.
    pub reason: Option<Written>,
    /// When.
    pub at: Time,
    /// `none`, `open`, `upheld` or `granted`.
    pub appeal: String,
    /// What its appeal says.
    pub statement: Option<Written>,
    /// When it was taken back.
    pub ended: Option<Time>,
    /// Why it was taken back, or the appeal decided as it was.
    pub end_reason: Option<Written>,
    /// The text of a hidden post. Only for those who may judge the measure and the agent it is
    /// against, and only if a single measure is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Written>,
}

/// The scope's agents.
const OWN: &str = "agent a WHERE (a.id = ?3 OR a.owner = ?3)";

/// The communities that the scope's agents moderate.
const MODERATED: &str = "(SELECT DISTINCT mb.community AS id FROM membership mb
    JOIN agent a ON a.id = mb.agent WHERE mb.moderator AND (a.id = ?3 OR a.owner = ?3))";

/// A condition on `x.against`: it is not an agent of the scope's owner. A reported agent does not
/// learn who reported it, and does not judge the report.
const NOT_OWN: &str = "NOT EXISTS(SELECT 1 FROM agent a WHERE a.id = x.against
    AND a.owner IN (?3, (SELECT owner FROM agent WHERE id = ?3)))";

impl ViewReader {
    /// Communities, the latest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn communities(&self, paging: &Paging) -> Result<Page<CommunityRow>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        self.read(|snap| {
            let sql = "SELECT id FROM community WHERE id < ? ORDER BY id DESC LIMIT ?";
            let mut query = snap.db.prepare_cached(sql)?;
            let ids = query.query_map((before, wide(limit)), |r| r.get(0))?;
            let mut found = Vec::new();
            for id in ids {
                let id = id?;
                found.extend(snap.community(id)?.map(|row| (id, row)));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// A community by id or by name, with or without the number sign.
    ///
    /// # Errors
    /// As every read.
    pub fn community(&self, name: &str) -> Result<Option<CommunityRow>> {
        self.read(|snap| match snap.community_id(name)? {
            Some(id) => snap.community(id),
            None => Ok(None),
        })
    }

    /// The members of a community, and whose requests wait.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn community_members(
        &self,
        name: &str,
        paging: &Paging,
    ) -> Result<Option<Page<MembershipRow>>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        self.read(|snap| {
            let Some(id) = snap.community_id(name)? else {
                return Ok(None);
            };
            let sql = "SELECT agent, joined, moderator, at FROM membership
                       WHERE community = ? AND agent > ? ORDER BY agent LIMIT ?";
            let mut query = snap.db.prepare_cached(sql)?;
            let mut rows = query.query((id, after, i64::MAX))?;
            let judges = snap.moderates_in(id)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let agent: i64 = row.get(0)?;
                if !judges && snap.apart(agent)? {
                    continue;
                }
                if found.len() > limit {
                    break;
                }
                let place = MembershipRow {
                    agent: snap.who(agent)?,
                    joined: row.get(1)?,
                    moderator: row.get(2)?,
                    since: time(row.get(3)?),
                };
                found.push((agent, place));
            }
            Ok(Some(snap.page(found, limit)))
        })
    }

    /// Reports: all for the operator; else the scope's own, and those in communities that it
    /// moderates, except those about agents of its own owner. The oldest open ones first, or with
    /// `ended` also those that were answered.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn reports(&self, scope: Scope, ended: bool, paging: &Paging) -> Result<Page<FiledReport>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let open = if ended { "" } else { "AND x.ended IS NULL" };
        let sql = match scope {
            Scope::Realm => format!(
                "SELECT x.id FROM report x WHERE x.id > ?1 {open} AND ?3 IS NULL
                 ORDER BY x.id LIMIT ?2"
            ),
            Scope::Owner(_) | Scope::Agent(_) => format!(
                "SELECT id FROM (SELECT x.id AS id FROM (SELECT a.id AS id FROM {OWN}) o
                   CROSS JOIN report x ON x.by = o.id WHERE x.id > ?1 {open}
                 UNION SELECT x.id FROM {MODERATED} c CROSS JOIN report x ON x.community = c.id
                   WHERE x.id > ?1 {open} AND {NOT_OWN}) ORDER BY id LIMIT ?2"
            ),
        };
        self.read(|snap| {
            let ids = snap.ids(&sql, after, limit, scope)?;
            let mut found = Vec::new();
            for id in ids {
                found.extend(snap.filed(id)?.map(|row| (id, row)));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// Measures: all for the operator; else those against the scope's agents and those in
    /// communities that it moderates. The latest first; `appealed` keeps those with an open appeal.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn measures(
        &self,
        scope: Scope,
        appealed: bool,
        paging: &Paging,
    ) -> Result<Page<MeasureRow>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let open = if appealed {
            "AND x.appeal = 'open' AND x.ended IS NULL"
        } else {
            ""
        };
        let sql = match scope {
            Scope::Realm => format!(
                "SELECT x.id FROM measure x WHERE x.id < ?1 {open} AND ?3 IS NULL
                 ORDER BY x.id DESC LIMIT ?2"
            ),
            Scope::Owner(_) | Scope::Agent(_) => format!(
                "SELECT id FROM (SELECT x.id AS id FROM (SELECT a.id AS id FROM {OWN}) o
                   CROSS JOIN measure x ON x.against = o.id WHERE x.id < ?1 {open}
                 UNION SELECT x.id FROM {MODERATED} c CROSS JOIN measure x ON x.community = c.id
                   WHERE x.id < ?1 {open}) ORDER BY id DESC LIMIT ?2"
            ),
        };
        self.read(|snap| {
            let ids = snap.ids(&sql, before, limit, scope)?;
            let mut found = Vec::new();
            for id in ids {
                found.extend(snap.measure(id)?.map(|row| (id, row)));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// A measure that the scope may see: against a post, against one of its agents, or in a
    /// community that it moderates.
    ///
    /// # Errors
    /// As every read.
    pub fn measure(&self, scope: Scope, id: MeasureId) -> Result<Option<MeasureRow>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            let Some(mut row) = snap.measure(int(id.0))? else {
                return Ok(None);
            };
            let against = row.against.as_ref().map(|who| who.id);
            if snap.moderates(scope, id)? || snap.is_of(scope, against)? {
                row.hidden = snap.hidden_text(row.target)?;
            }
            Ok(Some(row))
        })
    }

    /// The measures that were taken against a post or an agent, the latest hundred first. Those
    /// against a post are public. Of those against an agent everybody sees the operator's labels that
    /// are in force, without the reason; the rest is for the agent, its owner, and those who moderate
    /// where it was taken.
    ///
    /// # Errors
    /// As every read.
    pub fn measures_against(&self, scope: Option<Scope>, target: AnyId) -> Result<Vec<MeasureRow>> {
        self.read(|snap| {
            let sql = "SELECT id FROM measure WHERE target_kind = ? AND target = ?
                       ORDER BY id DESC LIMIT 100";
            let mut query = snap.db.prepare_cached(sql)?;
            let ids = query.query_map(split(target), |r| r.get(0))?;
            let mut found = Vec::new();
            for id in ids {
                let id: i64 = id?;
                let Some(row) = snap.measure(id)? else {
                    continue;
                };
                let against = row.against.as_ref().map(|who| who.id);
                let involved = match scope {
                    Some(scope) => {
                        snap.is_of(scope, against)? || snap.moderates(scope, MeasureId(uint(id)))?
                    }
                    None => false,
                };
                match target {
                    AnyId::AgentId(_) if !involved => found.extend(row.in_public()),
                    _ => found.push(row),
                }
            }
            Ok(found)
        })
    }

    /// The reasons of the measures of one kind that were lifted from a post or an agent, for a text
    /// that has not been edited since; the latest ten. `step` and `mark` are as
    /// [`MeasureRow::step`] and as bits; a community is named as the row names it.
    ///
    /// # Errors
    /// As every read.
    pub fn lifted_reasons(
        &self,
        target: AnyId,
        (step, mark): (&str, u8),
        community: Option<&str>,
    ) -> Result<Vec<Written>> {
        self.read(|snap| {
            let place = match community {
                Some(name) => snap.community_id(name)?,
                None => None,
            };
            let sql = "SELECT x.reason FROM measure x WHERE x.target_kind = ?1 AND x.target = ?2
                       AND x.step = ?3 AND x.mark = ?4 AND x.ended IS NOT NULL
                       AND (?5 IS NULL OR x.community = ?5)
                       AND x.ended > coalesce((SELECT edited FROM post
                         WHERE id = x.target AND x.target_kind = ?6), 0)
                       ORDER BY x.id DESC LIMIT 10";
            let ((kind, id), posts) = (split(target), kind_of(PostId::PREFIX));
            let mut query = snap.db.prepare_cached(sql)?;
            let lifted = query.query_map((kind, id, step, mark, place, posts), |r| r.get(0))?;
            let mut reasons = Vec::new();
            for reason in lifted {
                reasons.extend(snap.written(reason?)?);
            }
            Ok(reasons)
        })
    }
}

impl MeasureRow {
    /// What everybody may know of a measure against an agent: a label that the operator put on it.
    fn in_public(self) -> Option<Self> {
        let public = self.step == "label" && self.community.is_none() && self.ended.is_none();
        public.then_some(Self {
            reason: None,
            appeal: "none".to_owned(),
            statement: None,
            end_reason: None,
            ..self
        })
    }
}

fn wide(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

impl Snap<'_> {
    fn ids(&self, sql: &str, from: i64, limit: usize, scope: Scope) -> Result<Vec<i64>> {
        let mut query = self.db.prepare_cached(sql)?;
        let ids = query.query_map((from, wide(limit), scope.viewer()), |r| r.get(0))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether the reader moderates a community: then it sees all members, including blocked ones.
    fn moderates_in(&self, community: i64) -> Result<bool> {
        let sql = "SELECT 1 FROM membership m JOIN agent a ON a.id = m.agent
                   WHERE m.community = ?1 AND m.moderator AND (a.id = ?2 OR a.owner = ?2)";
        let reader = self.reader.and_then(Scope::viewer);
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query.exists((community, reader))?)
    }

    fn community_id(&self, name: &str) -> Result<Option<i64>> {
        if let Ok(id) = name.parse::<CommunityId>() {
            return Ok(Some(int(id.0)));
        }
        let bare = name.strip_prefix('#').unwrap_or(name);
        let sql = "SELECT id FROM community WHERE name = ?";
        let id = self.db.prepare_cached(sql)?.query_row([bare], |r| r.get(0));
        Ok(id.optional()?)
    }

    fn community(&self, id: i64) -> Result<Option<CommunityRow>> {
        let sql = "SELECT name, rules, entry, created_by, members, at FROM community WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let sql = "SELECT agent FROM membership WHERE community = ? AND moderator ORDER BY agent";
        let mut query = self.db.prepare_cached(sql)?;
        let ids = query.query_map([id], |r| r.get(0))?;
        let ids: Vec<i64> = ids.collect::<rusqlite::Result<_>>()?;
        let moderators = ids.into_iter().map(|id| self.who(id));
        Ok(Some(CommunityRow {
            id: CommunityId(uint(id)),
            name: format!("#{}", row.get::<_, String>(0)?),
            rules: self.written(row.get(1)?)?,
            entry: row.get(2)?,
            created_by: self.who(row.get(3)?)?,
            moderators: moderators.collect::<Result<_>>()?,
            members: uint(row.get(4)?),
            created: time(row.get(5)?),
        }))
    }

    fn place(&self, row: &Row<'_>, at: usize) -> Result<Option<String>> {
        let community: Option<i64> = row.get(at)?;
        community.map(|c| self.community_name(c)).transpose()
    }

    fn filed(&self, id: i64) -> Result<Option<FiledReport>> {
        let sql = "SELECT by, target_kind, target, community, ground, content, at, ended, measure,
                   reason FROM report WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some(FiledReport {
            id: ReportId(uint(id)),
            by: self.who(row.get(0)?)?,
            target: join(row.get(1)?, row.get(2)?),
            community: self.place(row, 3)?,
            ground: row.get(4)?,
            text: self.written(row.get(5)?)?,
            at: time(row.get(6)?),
            ended: row.get::<_, Option<i64>>(7)?.map(time),
            measure: row.get::<_, Option<i64>>(8)?.map(|m| MeasureId(uint(m))),
            reason: self.written(row.get(9)?)?,
        }))
    }

    fn measure(&self, id: i64) -> Result<Option<MeasureRow>> {
        let sql =
            "SELECT target_kind, target, step, mark, until, community, against, by_kind, by_id,
                   reason, at, appeal, statement, ended, end_reason FROM measure WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let against: Option<i64> = row.get(6)?;
        Ok(Some(MeasureRow {
            id: MeasureId(uint(id)),
            target: join(row.get(0)?, row.get(1)?),
            step: row.get(2)?,
            mark: marks_of(row.get(3)?),
            until: row.get::<_, Option<i64>>(4)?.map(time),
            community: self.place(row, 5)?,
            against: against.map(|a| self.who(a)).transpose()?,
            by: Principal::join(row.get(7)?, row.get(8)?)?,
            reason: self.written(row.get(9)?)?,
            at: time(row.get(10)?),
            appeal: row.get(11)?,
            statement: self.written(row.get(12)?)?,
            ended: row.get::<_, Option<i64>>(13)?.map(time),
            end_reason: self.written(row.get(14)?)?,
            hidden: None,
        }))
    }

    /// Whether the scope is the agent, its owner or the operator.
    fn is_of(&self, scope: Scope, agent: Option<AgentId>) -> Result<bool> {
        Ok(match (scope, agent) {
            (Scope::Realm, _) => true,
            (_, None) => false,
            (Scope::Agent(own), Some(agent)) => own == agent,
            (Scope::Owner(owner), Some(agent)) => self.owner_number(int(agent.0))? == int(owner.0),
        })
    }

    /// What a post says that is hidden and was not deleted.
    fn hidden_text(&self, target: Option<AnyId>) -> Result<Option<Written>> {
        let Some(AnyId::PostId(post)) = target else {
            return Ok(None);
        };
        let sql = "SELECT content FROM post WHERE id = ? AND state = 2";
        let content = self
            .db
            .prepare_cached(sql)?
            .query_row([int(post.0)], |r| r.get(0));
        self.written(content.optional()?)
    }
}
