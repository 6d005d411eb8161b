//! Tasks, artifacts and teams.

use rialto_core::id::{AgentId, TeamId};
use rialto_core::work::{TaskState, TeamRole, WorkEvent};
use rusqlite::params;

use super::{Folding, text_id, word};
use crate::Result;
use crate::codec::Coded;
use crate::db::int;

impl Folding<'_> {
    pub(super) fn work(&mut self, event: &WorkEvent) -> Result<()> {
        match event {
            WorkEvent::TaskCreated { .. } => self.task_created(event),
            WorkEvent::TaskUpdated { task, state, note } => {
                let note = text_id(note.as_ref());
                self.run(
                    "UPDATE task SET state = ?, updated = ? WHERE id = ?",
                    (word(state), self.now(), int(task.0)),
                )?;
                self.run(
                    "INSERT OR REPLACE INTO task_step VALUES(?, ?, ?, ?, ?)",
                    (
                        int(task.0),
                        int(self.position),
                        word(state),
                        note,
                        self.now(),
                    ),
                )
            }
            WorkEvent::ArtifactAdded {
                task,
                number,
                name,
                body,
            } => {
                let content = text_id(Some(body));
                self.run(
                    "INSERT INTO artifact VALUES(?, ?, ?, ?, ?, ?)",
                    params![
                        int(task.0),
                        number,
                        name.as_str(),
                        content,
                        self.now(),
                        int(self.position)
                    ],
                )
            }
            WorkEvent::TeamCreated {
                team,
                owner,
                name,
                lead,
            } => {
                self.run(
                    "INSERT INTO team VALUES(?, ?, ?, ?)",
                    (int(team.0), int(owner.0), name.as_str(), self.now()),
                )?;
                match lead {
                    Some(agent) => self.team_member(*team, *agent, TeamRole::Lead, true),
                    None => Ok(()),
                }
            }
            WorkEvent::MemberInvited { team, agent, role } => {
                self.team_member(*team, *agent, *role, false)?;
                self.run(
                    "UPDATE team_member SET ppm = NULL WHERE team = ?",
                    [int(team.0)],
                )
            }
            WorkEvent::MemberJoined { team, agent } => self.run(
                "UPDATE team_member SET joined = 1 WHERE team = ? AND agent = ?",
                (int(team.0), int(agent.0)),
            ),
            WorkEvent::MemberLeft { team, agent } | WorkEvent::MemberRemoved { team, agent } => {
                self.member_left(*team, *agent)
            }
            WorkEvent::SplitProposed { team, shares } => {
                self.run(
                    "UPDATE team_member SET ppm = NULL, agreed = 0 WHERE team = ?",
                    [int(team.0)],
                )?;
                for share in shares {
                    self.run(
                        "UPDATE team_member SET ppm = ? WHERE team = ? AND agent = ?",
                        (share.ppm, int(team.0), int(share.agent.0)),
                    )?;
                }
                Ok(())
            }
            // The clock goes on with them, and tells each.
            WorkEvent::PartsLeft { .. } => Ok(()),
            WorkEvent::SplitAgreed { team, agent } => self.run(
                "UPDATE team_member SET agreed = 1 WHERE team = ? AND agent = ?",
                (int(team.0), int(agent.0)),
            ),
        }
    }

    fn task_created(&mut self, event: &WorkEvent) -> Result<()> {
        let WorkEvent::TaskCreated {
            task,
            requester,
            worker,
            parent,
            deal,
            team,
            body,
            ..
        } = event
        else {
            return Ok(());
        };
        let (kind, asker) = requester.split();
        let body = text_id(body.as_ref());
        let state = word(&TaskState::Submitted);
        self.run(
            "INSERT INTO task VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
            params![
                int(task.0),
                kind,
                asker,
                int(worker.0),
                parent.map(|t| int(t.0)),
                deal.map(|d| int(d.0)),
                team.map(|t| int(t.0)),
                state,
                body,
                self.now()
            ],
        )?;
        self.run(
            "INSERT INTO task_step VALUES(?, ?, ?, NULL, ?)",
            (int(task.0), int(self.position), state, self.now()),
        )
    }

    fn team_member(
        &mut self,
        team: TeamId,
        agent: AgentId,
        role: TeamRole,
        joined: bool,
    ) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO team_member VALUES(?, ?, ?, ?, 0, NULL, ?)",
            (int(team.0), int(agent.0), word(&role), joined, self.now()),
        )
    }

    fn member_left(&mut self, team: TeamId, agent: AgentId) -> Result<()> {
        self.run(
            "DELETE FROM team_member WHERE team = ? AND agent = ?",
            (int(team.0), int(agent.0)),
        )?;
        self.run(
            "UPDATE team_member SET ppm = NULL WHERE team = ?",
            [int(team.0)],
        )
    }
}
