//! Tasks and teams.

use rialto_core::id::{AgentId, DealId, OwnerId, TaskId, TeamId};
use rialto_core::identity::Principal;
use rialto_core::time::Time;
use rialto_core::work::TaskState;
use rialto_wire::screen::Screening;
use rusqlite::{OptionalExtension, Row};
use serde::Serialize;
use serde_json::Value;

use super::{Page, Paging, RESEMBLED, Scope, Snap, Table, ViewReader, Who, Written, time};
use crate::Result;
use crate::db::{int, join_principal, uint};

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// Who wants it done.
    pub requester: Principal,
    /// Who does it.
    pub worker: Who,
    /// The task it is part of.
    pub parent: Option<TaskId>,
    /// The deal that it delivers.
    pub deal: Option<DealId>,
    /// The team it is done for.
    pub team: Option<TeamId>,
    /// Its state; the names are A2A's, in lower case with underscores.
    pub state: String,
    /// What is wanted; a deal's task says so in the deal.
    pub body: Option<Written>,
    /// When it was given.
    pub created: Time,
    /// When it last changed its state.
    pub updated: Time,
}

/// A step in a task's history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskStep {
    /// Its new state.
    pub state: String,
    /// A note about it.
    pub note: Option<Written>,
    /// When.
    pub at: Time,
    /// The position of the event.
    pub position: u64,
}

/// Something made in a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArtifactRow {
    /// Its number within the task, from 1.
    pub number: u32,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub body: Option<Written>,
    /// When it was added.
    pub at: Time,
    /// The position of the event.
    pub position: u64,
}

/// A task with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskView {
    /// The task.
    pub task: TaskRow,
    /// Its history, oldest first; at most the first thousand steps.
    pub history: Vec<TaskStep>,
    /// What was made.
    pub artifacts: Vec<ArtifactRow>,
    /// Its parts that the viewer may see; at most the first thousand.
    pub children: Vec<TaskId>,
}

/// A member of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberRow {
    /// The agent.
    pub agent: Who,
    /// `lead`, `spender` or `member`.
    pub role: String,
    /// Whether it has joined; until then it is only invited.
    pub joined: bool,
    /// Its share in the split on the table, in millionths.
    pub share_ppm: Option<u32>,
    /// Whether it has agreed to that split.
    pub agreed: bool,
}

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TeamRow {
    /// Its id.
    pub id: TeamId,
    /// The owner whose unit it is.
    pub owner: OwnerId,
    /// Its name within the owner.
    pub name: String,
    /// What screening says of the name, if it says anything. A quarantined name is `[withheld]` unless it
    /// was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    /// Its members.
    pub members: Vec<MemberRow>,
    /// Since when.
    pub created: Time,
}

const TASK: &str = "SELECT id, requester_kind, requester, worker, parent, deal, team, state, body,
    at, updated FROM task WHERE id = ?";

impl ViewReader {
    /// Tasks that the scope asked for or works on, newest first; in any of some states, or in all
    /// when none is named.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn tasks(
        &self,
        scope: Scope,
        states: &[TaskState],
        paging: &Paging,
    ) -> Result<Page<TaskRow>> {
        let wanted = serde_json::to_string(states).unwrap_or_default();
        let among = "AND t.state IN (SELECT value FROM json_each(?4))";
        let filter = (!states.is_empty()).then_some((among, wanted.as_str()));
        let table = Table::of("task", TaskId::PREFIX);
        self.read(|snap| snap.listed(scope, table, filter, paging, |snap, id| snap.task(id)))
    }

    /// A task with its history, artifacts and parts.
    ///
    /// # Errors
    /// As every read.
    pub fn task(&self, scope: Scope, id: TaskId) -> Result<Option<TaskView>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            let Some(task) = snap.task(int(id.0))? else {
                return Ok(None);
            };
            Ok(Some(TaskView {
                task,
                history: snap.task_history(int(id.0))?,
                artifacts: snap.artifacts(int(id.0))?,
                children: snap.children(scope, int(id.0))?,
            }))
        })
    }

    /// Teams of the scope, newest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn teams(&self, scope: Scope, paging: &Paging) -> Result<Page<TeamRow>> {
        let table = Table::of("team", TeamId::PREFIX);
        self.read(|snap| snap.listed(scope, table, None, paging, |snap, id| snap.team(id)))
    }

    /// A team with its members and the split on the table.
    ///
    /// # Errors
    /// As every read.
    pub fn team(&self, scope: Scope, id: TeamId) -> Result<Option<TeamRow>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            snap.team(int(id.0))
        })
    }
}

impl Snap<'_> {
    fn task(&self, id: i64) -> Result<Option<TaskRow>> {
        let mut query = self.db.prepare_cached(TASK)?;
        let mut rows = query.query([id])?;
        rows.next()?.map(|row| self.task_row(row)).transpose()
    }

    fn task_row(&self, row: &Row<'_>) -> Result<TaskRow> {
        Ok(TaskRow {
            id: TaskId(uint(row.get(0)?)),
            requester: join_principal(row.get(1)?, row.get(2)?),
            worker: self.who(row.get(3)?)?,
            parent: row.get::<_, Option<i64>>(4)?.map(|t| TaskId(uint(t))),
            deal: row.get::<_, Option<i64>>(5)?.map(|d| DealId(uint(d))),
            team: row.get::<_, Option<i64>>(6)?.map(|t| TeamId(uint(t))),
            state: row.get(7)?,
            body: self.written(row.get(8)?)?,
            created: time(row.get(9)?),
            updated: time(row.get(10)?),
        })
    }

    fn task_history(&self, task: i64) -> Result<Vec<TaskStep>> {
        let sql = "SELECT state, note, at, position FROM task_step WHERE task = ?
                   ORDER BY position LIMIT 1000";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([task])?;
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(TaskStep {
                state: row.get(0)?,
                note: self.written(row.get(1)?)?,
                at: time(row.get(2)?),
                position: uint(row.get(3)?),
            });
        }
        Ok(steps)
    }

    fn artifacts(&self, task: i64) -> Result<Vec<ArtifactRow>> {
        let sql = "SELECT number, name, content, at, position FROM artifact WHERE task = ?
                   ORDER BY number";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([task])?;
        let mut artifacts = Vec::new();
        while let Some(row) = rows.next()? {
            artifacts.push(ArtifactRow {
                number: row.get(0)?,
                name: row.get(1)?,
                body: self.written(row.get(2)?)?,
                at: time(row.get(3)?),
                position: uint(row.get(4)?),
            });
        }
        Ok(artifacts)
    }

    fn children(&self, scope: Scope, task: i64) -> Result<Vec<TaskId>> {
        let sql = "SELECT id FROM task WHERE parent = ? ORDER BY id LIMIT 1000";
        let mut query = self.db.prepare_cached(sql)?;
        let ids = query.query_map([task], |r| r.get(0))?;
        let mut children = Vec::new();
        for id in ids {
            let child = TaskId(uint(id?));
            if self.sees(scope, child.into())? {
                children.push(child);
            }
        }
        Ok(children)
    }

    fn team(&self, id: i64) -> Result<Option<TeamRow>> {
        let sql = "SELECT owner, name, at FROM team WHERE id = ?";
        let row = self.db.prepare_cached(sql)?.query_row([id], |r| {
            Ok((
                r.get::<_, i64>(0)?,
                r.get::<_, String>(1)?,
                r.get::<_, i64>(2)?,
            ))
        });
        let Some((owner, name, at)) = row.optional()? else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT m.agent, '@' || a.handle, m.role, m.joined, m.ppm, m.agreed, {RESEMBLED}
             FROM team_member m JOIN agent a ON a.id = m.agent WHERE m.team = ?
             ORDER BY m.since, m.agent"
        );
        let mut query = self.db.prepare_cached(&sql)?;
        let members = query.query_map([id], |r| {
            Ok(MemberRow {
                agent: Who {
                    id: AgentId(uint(r.get(0)?)),
                    handle: r.get(1)?,
                    resembles: r.get(6)?,
                },
                role: r.get(2)?,
                joined: r.get(3)?,
                share_ppm: r.get(4)?,
                agreed: r.get(5)?,
            })
        })?;
        let mut name = Value::String(name);
        let screening = self.named(&mut name);
        Ok(Some(TeamRow {
            id: TeamId(uint(id)),
            owner: OwnerId(uint(owner)),
            name: name.as_str().unwrap_or_default().to_owned(),
            screening,
            members: members.collect::<rusqlite::Result<_>>()?,
            created: time(at),
        }))
    }
}
