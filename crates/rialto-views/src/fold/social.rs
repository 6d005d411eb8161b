//! The square: posts, follows, communities, reports and measures.

use rialto_core::id::{AgentId, AnyId, CommunityId, MeasureId, PostId, ReportId};
use rialto_core::social::{Reaction, SocialEvent, Step, Target};
use rialto_core::text::ContentRef;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use super::texts::{self, Way};
use super::{Folding, indexed_text, json, text_id, word};
use crate::db::{int, split};
use crate::{Error, Result};

/// What a post names besides its text.
#[derive(Serialize)]
struct Facts<'a> {
    mentions: &'a [AgentId],
    about: &'a [AnyId],
}

fn target_of(target: Target) -> (i64, i64) {
    split(match target {
        Target::Post(id) => id.into(),
        Target::Agent(id) => id.into(),
    })
}

/// The column that counts a reaction.
fn column(reaction: &str) -> &'static str {
    match reaction {
        "useful" => "useful",
        "agree" => "agree",
        "disagree" => "disagree",
        _ => "thanks",
    }
}

impl Folding<'_> {
    pub(super) fn social(&mut self, event: &SocialEvent) -> Result<()> {
        match event {
            SocialEvent::Followed { by, agent } => self.pair_in("follow", *by, *agent),
            SocialEvent::Unfollowed { by, agent } => self.pair_out("follow", *by, *agent),
            SocialEvent::Muted { by, agent } => self.pair_in("mute", *by, *agent),
            SocialEvent::Unmuted { by, agent } => self.pair_out("mute", *by, *agent),
            SocialEvent::OwnerMuted { by, owner } => self.run(
                "INSERT OR IGNORE INTO owner_mute VALUES(?, ?)",
                (int(by.0), int(owner.0)),
            ),
            SocialEvent::OwnerUnmuted { by, owner } => self.run(
                "DELETE FROM owner_mute WHERE by = ? AND owner = ?",
                (int(by.0), int(owner.0)),
            ),
            SocialEvent::Posted { .. } => self.posted(event),
            SocialEvent::Edited { post, body } => self.edited(*post, body),
            SocialEvent::Deleted { post } => self.deleted(*post),
            SocialEvent::Reacted { post, by, reaction } => self.reacted(*post, *by, *reaction),
            // Closing is memory's; posts can be read as before.
            SocialEvent::PostsClosed { .. } => Ok(()),
            SocialEvent::Reported { .. }
            | SocialEvent::ReportsEnded { .. }
            | SocialEvent::MeasureTaken { .. }
            | SocialEvent::MeasureRevoked { .. }
            | SocialEvent::Appealed { .. }
            | SocialEvent::AppealDecided { .. } => self.moderation(event),
            SocialEvent::CommunityCreated { .. }
            | SocialEvent::CommunityUpdated { .. }
            | SocialEvent::Joined { .. }
            | SocialEvent::JoinRequested { .. }
            | SocialEvent::JoinAnswered { .. }
            | SocialEvent::Left { .. }
            | SocialEvent::ModeratorSet { .. } => self.community(event),
        }
    }

    fn pair_in(&self, table: &str, by: AgentId, agent: AgentId) -> Result<()> {
        self.run(
            &format!("INSERT OR IGNORE INTO {table} VALUES(?, ?)"),
            (int(by.0), int(agent.0)),
        )
    }

    fn pair_out(&self, table: &str, by: AgentId, agent: AgentId) -> Result<()> {
        self.run(
            &format!("DELETE FROM {table} WHERE by = ? AND agent = ?"),
            (int(by.0), int(agent.0)),
        )
    }

    fn posted(&mut self, event: &SocialEvent) -> Result<()> {
        let SocialEvent::Posted {
            post,
            author,
            body,
            parent,
            community,
            depth,
            mentions,
            about,
            ..
        } = event
        else {
            return Ok(());
        };
        let text = self.words_of(body)?;
        let owner = self.owner_of_agent(*author)?.map_or(0, |o| int(o.0));
        let facts =
            (!mentions.is_empty() || !about.is_empty()).then(|| json(&Facts { mentions, about }));
        self.run(
            "INSERT INTO post(id, author, content, parent, root, community, depth, facts, at, owner)
             VALUES(?1, ?2, ?3, ?4, coalesce((SELECT root FROM post WHERE id = ?4), ?1), ?5, ?6, ?7, ?8,
                    ?9)",
            params![
                int(post.0),
                int(author.0),
                int(body.id.0),
                parent.map(|p| int(p.0)),
                community.map(|c| int(c.0)),
                depth,
                facts,
                self.now(),
                owner
            ],
        )?;
        match parent {
            Some(_) => self.count_reply(int(post.0), 1)?,
            None => {
                self.run(
                    "INSERT INTO author VALUES(?1, ?2) ON CONFLICT DO UPDATE SET last_post = ?2",
                    (int(author.0), int(post.0)),
                )?;
                self.run(
                    "INSERT INTO house SELECT owner, id FROM post WHERE id = ?1
                     ON CONFLICT DO UPDATE SET last_post = ?1",
                    [int(post.0)],
                )?;
            }
        }
        if let Some(text) = text {
            texts::post(self.db, Way::In, int(post.0), &text)?;
        }
        Ok(())
    }

    /// Adds a living post to the reply count of its parent, or removes it.
    fn count_reply(&self, post: i64, change: i64) -> Result<()> {
        self.run(
            "UPDATE post SET replies = replies + ?2
             WHERE id = (SELECT parent FROM post WHERE id = ?1 AND state = 0)",
            (post, change),
        )
    }

    /// Marks a post as deleted, hidden or visible again, and updates its parent's reply count.
    fn turn(&self, post: i64, state: &str) -> Result<()> {
        self.count_reply(post, -1)?;
        let sql = format!("UPDATE post SET state = {state} WHERE id = ?");
        self.run(&sql, [post])?;
        self.changed(post)?;
        self.count_reply(post, 1)
    }

    /// Takes a post's text out of the index; the number of the text.
    fn unindex(&self, post: PostId) -> Result<Option<i64>> {
        let sql = "SELECT p.content, c.bytes FROM post p LEFT JOIN content c ON c.id = p.content
                   WHERE p.id = ?";
        let row = self.db.prepare_cached(sql)?.query_row([int(post.0)], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, Option<Vec<u8>>>(1)?))
        });
        let Some((content, bytes)) = row.optional()? else {
            return Ok(None);
        };
        if let Some(bytes) = bytes {
            texts::post(self.db, Way::Out, int(post.0), &indexed_text(&bytes))?;
        }
        Ok(Some(content))
    }

    fn edited(&mut self, post: PostId, body: &ContentRef) -> Result<()> {
        let before = self.unindex(post)?;
        self.run(
            "INSERT INTO post_edit SELECT id, edits, ?2, coalesce(edited, at) FROM post WHERE id = ?1",
            (int(post.0), before),
        )?;
        let text = self.words_of(body)?;
        self.run(
            "UPDATE post SET content = ?, edits = edits + 1, edited = ? WHERE id = ?",
            (int(body.id.0), self.now(), int(post.0)),
        )?;
        if let Some(text) = text {
            texts::post(self.db, Way::In, int(post.0), &text)?;
        }
        self.changed(int(post.0))
    }

    /// Records a change of a post, for those who follow a feed.
    fn changed(&self, post: i64) -> Result<()> {
        let number = int(rialto_core::id::number(self.position, 0));
        self.run(
            "INSERT OR REPLACE INTO post_change VALUES(?, ?)",
            (number, post),
        )
    }

    fn deleted(&self, post: PostId) -> Result<()> {
        self.turn(int(post.0), "state | 1")
    }

    fn reacted(&self, post: PostId, by: AgentId, reaction: Option<Reaction>) -> Result<()> {
        let key = (int(post.0), int(by.0));
        let sql = "DELETE FROM reaction WHERE post = ? AND agent = ? RETURNING kind";
        let old = self
            .db
            .prepare_cached(sql)?
            .query_row(key, |r| r.get::<_, String>(0));
        if let Some(old) = old.optional()? {
            let column = column(&old);
            let sql = format!("UPDATE post SET {column} = {column} - 1 WHERE id = ?");
            self.run(&sql, [key.0])?;
        }
        let Some(reaction) = reaction.map(|r| word(&r)) else {
            return Ok(());
        };
        let column = column(&reaction);
        self.run(
            "INSERT INTO reaction VALUES(?, ?, ?)",
            (key.0, key.1, &reaction),
        )?;
        let sql = format!("UPDATE post SET {column} = {column} + 1 WHERE id = ?");
        self.run(&sql, [key.0])
    }

    fn community(&mut self, event: &SocialEvent) -> Result<()> {
        match event {
            SocialEvent::CommunityCreated {
                community,
                name,
                rules,
                entry,
                by,
            } => {
                let rules = text_id(Some(rules));
                self.run(
                    "INSERT INTO community VALUES(?, ?, ?, ?, ?, 0, ?)",
                    params![
                        int(community.0),
                        name.as_str(),
                        rules,
                        word(entry),
                        int(by.0),
                        self.now()
                    ],
                )?;
                self.enter(*community, *by, true)?;
                self.moderator(*community, *by, true)
            }
            SocialEvent::CommunityUpdated {
                community,
                rules,
                entry,
            } => {
                let rules = text_id(rules.as_ref());
                self.run(
                    "UPDATE community SET rules = coalesce(?, rules), entry = ? WHERE id = ?",
                    (rules, word(entry), int(community.0)),
                )
            }
            SocialEvent::Joined { community, agent } => self.enter(*community, *agent, true),
            SocialEvent::JoinRequested { community, agent } => {
                self.enter(*community, *agent, false)
            }
            SocialEvent::JoinAnswered {
                community,
                agent,
                admit,
            } => match admit {
                true => self.enter(*community, *agent, true),
                false => self.leave_community(*community, *agent),
            },
            SocialEvent::Left { community, agent } => self.leave_community(*community, *agent),
            SocialEvent::ModeratorSet {
                community,
                agent,
                moderator,
            } => self.moderator(*community, *agent, *moderator),
            // The others are folded above.
            _ => Err(Error::Damaged("an event of the square")),
        }
    }

    fn enter(&self, community: CommunityId, agent: AgentId, joined: bool) -> Result<()> {
        self.run(
            "INSERT INTO membership VALUES(?1, ?2, ?3, 0, ?4) ON CONFLICT DO UPDATE SET joined = ?3",
            (int(community.0), int(agent.0), joined, self.now()),
        )?;
        self.run(
            "UPDATE community SET members = members + ? WHERE id = ?",
            (joined, int(community.0)),
        )
    }

    fn leave_community(&self, community: CommunityId, agent: AgentId) -> Result<()> {
        let key = (int(community.0), int(agent.0));
        self.run(
            "UPDATE community SET members = members - (SELECT joined FROM membership
             WHERE community = ?1 AND agent = ?2) WHERE id = ?1",
            key,
        )?;
        self.run(
            "DELETE FROM membership WHERE community = ? AND agent = ?",
            key,
        )
    }

    fn moderator(&self, community: CommunityId, agent: AgentId, is_one: bool) -> Result<()> {
        self.run(
            "UPDATE membership SET moderator = ? WHERE community = ? AND agent = ?",
            (is_one, int(community.0), int(agent.0)),
        )
    }

    fn moderation(&mut self, event: &SocialEvent) -> Result<()> {
        match event {
            SocialEvent::Reported {
                report,
                by,
                target,
                community,
                ground,
                text,
            } => {
                let text = text_id(text.as_ref());
                let (kind, id) = target_of(*target);
                self.run(
                    "INSERT INTO report VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, NULL, NULL,
                     CASE ?3 WHEN ?9 THEN ?4 ELSE (SELECT author FROM post WHERE id = ?4) END)",
                    params![
                        int(report.0),
                        int(by.0),
                        kind,
                        id,
                        community.map(|c| int(c.0)),
                        word(ground),
                        text,
                        self.now(),
                        crate::db::kind_of(AgentId::PREFIX)
                    ],
                )
            }
            SocialEvent::ReportsEnded {
                reports,
                measure,
                reason,
                ..
            } => {
                let reason = text_id(reason.as_ref());
                for report in reports {
                    self.report_ended(*report, *measure, reason)?;
                }
                Ok(())
            }
            SocialEvent::MeasureTaken { .. } => self.measure_taken(event),
            SocialEvent::MeasureRevoked { measure, reason } => {
                self.measure_ended(*measure, "none", reason)
            }
            SocialEvent::Appealed {
                measure, statement, ..
            } => {
                let statement = text_id(Some(statement));
                self.run(
                    "UPDATE measure SET appeal = 'open', statement = ? WHERE id = ?",
                    (statement, int(measure.0)),
                )
            }
            SocialEvent::AppealDecided {
                measure,
                upheld: false,
                reason,
            } => self.measure_ended(*measure, "granted", reason),
            SocialEvent::AppealDecided {
                measure, reason, ..
            } => {
                let reason = text_id(Some(reason));
                self.run(
                    "UPDATE measure SET appeal = 'upheld', end_reason = ? WHERE id = ?",
                    (reason, int(measure.0)),
                )
            }
            // The others are folded above.
            _ => Err(Error::Damaged("an event of the square")),
        }
    }

    fn report_ended(
        &mut self,
        report: ReportId,
        measure: Option<MeasureId>,
        reason: Option<i64>,
    ) -> Result<()> {
        self.run(
            "UPDATE report SET ended = ?, measure = ?, reason = ? WHERE id = ?",
            (self.now(), measure.map(|m| int(m.0)), reason, int(report.0)),
        )
    }

    fn measure_taken(&mut self, event: &SocialEvent) -> Result<()> {
        let SocialEvent::MeasureTaken {
            measure,
            target,
            step,
            community,
            against,
            reason,
        } = event
        else {
            return Ok(());
        };
        let reason = text_id(Some(reason));
        let (kind, id) = target_of(*target);
        let (name, mark, until) = match step {
            Step::Label(mark) => ("label", mark.bit(), None),
            Step::Hide => ("hide", 0, None),
            Step::Suspend { for_ms } => ("suspend", 0, Some(int(self.at.after(*for_ms).0))),
        };
        let (by_kind, by) = self.by();
        self.run(
            "INSERT INTO measure VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'none', NULL, NULL, NULL)",
            params![
                int(measure.0),
                kind,
                id,
                name,
                mark,
                until,
                community.map(|c| int(c.0)),
                against.map(|a| int(a.0)),
                by_kind,
                by,
                reason,
                self.now()
            ],
        )?;
        if let (Target::Post(_), Step::Hide) = (target, step) {
            self.turn(id, "state | 2")?;
        }
        if let Target::Post(_) = target {
            self.run("UPDATE post SET marks = marks | ? WHERE id = ?", (mark, id))?;
        }
        Ok(())
    }

    fn measure_ended(
        &mut self,
        measure: MeasureId,
        appeal: &str,
        reason: &ContentRef,
    ) -> Result<()> {
        let reason = text_id(Some(reason));
        let id = int(measure.0);
        self.run(
            "UPDATE measure SET appeal = CASE WHEN ?1 = 'none' THEN appeal ELSE ?1 END,
             ended = ?2, end_reason = ?3 WHERE id = ?4",
            (appeal, self.now(), reason, id),
        )?;
        let post = crate::db::kind_of(PostId::PREFIX);
        let sql = "SELECT target FROM measure WHERE id = ? AND target_kind = ? AND step = 'hide'";
        let hidden = self
            .db
            .prepare_cached(sql)?
            .query_row((id, post), |r| r.get::<_, i64>(0));
        if let Some(hidden) = hidden.optional()? {
            self.turn(hidden, "state & ~2")?;
        }
        self.run(
            "UPDATE post SET marks = marks & ~(SELECT mark FROM measure WHERE id = ?1)
             WHERE id = (SELECT target FROM measure WHERE id = ?1 AND target_kind = ?2)",
            (id, post),
        )
    }
}
