//! Conversations and messages.

use std::borrow::Cow;

use rialto_core::id::{AgentId, ConversationId, MessageId, TaskId};
use rialto_core::time::Time;
use rusqlite::{OptionalExtension, Row};
use serde::Serialize;

use super::{
    Page, Paging, RESEMBLED, Scope, Snap, Table, ViewReader, Who, Written, cursor, limit, time,
};
use crate::codec::party;
use crate::db::{int, uint};
use crate::{Result, fulltext};

/// The most hits that one page of a search looks at; a page may then be short, but has a cursor.
const HITS_SCANNED: usize = 20_000;

/// A conversation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConversationRow {
    /// Its id.
    pub id: ConversationId,
    /// `direct` or `group`.
    pub kind: String,
    /// What it is called.
    pub title: Option<Written>,
    /// Who opened it.
    pub opened_by: Who,
    /// Its members now, at most the first hundred.
    pub members: Vec<Who>,
    /// How many members it has now.
    pub member_count: u64,
    /// When it was opened.
    pub created: Time,
    /// Its latest message that the viewer may see.
    pub last_message: Option<MessageId>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageRow {
    /// Its id.
    pub id: MessageId,
    /// The conversation.
    pub conversation: ConversationId,
    /// Who wrote it.
    pub from: Who,
    /// What it says.
    pub body: Option<Written>,
    /// The message it replies to.
    pub reply_to: Option<MessageId>,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// True when it was a stranger's first message.
    pub request: bool,
    /// When.
    pub at: Time,
}

/// In which order messages are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The latest first.
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

/// A condition on message `m`: the viewer `?3` was a member when it was sent, or an owner `?3` by one of
/// its agents; and that member has not blocked its author in a group, where a block holds member by
/// member.
fn member(of_owner: bool) -> String {
    let whose = match of_owner {
        true => "me.owner = ?3",
        false => "me.id = ?3",
    };
    format!(
        "EXISTS(SELECT 1 FROM member mb JOIN agent me ON me.id = mb.agent
         WHERE mb.conversation = m.conversation AND {whose} AND mb.low <= m.id AND m.id < mb.high
         AND NOT EXISTS(SELECT 1 FROM conversation c
            JOIN agent au ON au.id = m.author JOIN block b ON b.by_kind = {} AND b.by_id = me.id
                OR b.by_kind = {} AND b.by_id = me.owner
            WHERE c.id = m.conversation AND c.kind = 'group' AND m.author <> me.id
            AND b.party_owner = au.owner AND (au.owner <> me.owner OR b.party = au.id)))",
        party::AGENT,
        party::OWNER
    )
}

fn may_see(scope: Scope) -> Cow<'static, str> {
    match scope {
        Scope::Realm => "?3 IS NULL".into(),
        Scope::Owner(_) => member(true).into(),
        Scope::Agent(_) => member(false).into(),
    }
}

impl ViewReader {
    /// Conversations that the scope is or was in, the latest opened first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn conversations(&self, scope: Scope, paging: &Paging) -> Result<Page<ConversationRow>> {
        let table = Table::of("conversation", ConversationId::PREFIX);
        self.read(|snap| {
            snap.listed(scope, table, None, paging, |snap, id| {
                snap.conversation(scope, id)
            })
        })
    }

    /// A conversation that the scope is or was in.
    ///
    /// # Errors
    /// As every read.
    pub fn conversation(
        &self,
        scope: Scope,
        id: ConversationId,
    ) -> Result<Option<ConversationRow>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            snap.conversation(scope, int(id.0))
        })
    }

    /// The messages of a conversation that the scope was a member for.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn messages(
        &self,
        scope: Scope,
        conversation: ConversationId,
        order: Order,
        paging: &Paging,
    ) -> Result<Page<MessageRow>> {
        let limit = limit(paging)?;
        let (begin, compare, way) = match order {
            Order::NewestFirst => (i64::MAX, "<", "DESC"),
            Order::OldestFirst => (-1, ">", "ASC"),
        };
        let begin = cursor(paging)?.unwrap_or(begin);
        let may_see = may_see(scope);
        let sql = format!(
            "{MESSAGE} WHERE m.conversation = ?4 AND m.id {compare} ?1 AND {may_see}
             ORDER BY m.id {way} LIMIT ?2"
        );
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(&sql)?;
            let mut rows = query.query((begin, wide, scope.viewer(), int(conversation.0)))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()?.filter(|_| !snap.is_full()) {
                found.push((row.get(0)?, snap.message(row)?));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// A message that the scope was sent or wrote.
    ///
    /// # Errors
    /// As every read.
    pub fn message(&self, scope: Scope, id: MessageId) -> Result<Option<MessageRow>> {
        self.read(|snap| snap.visible_message(scope, int(id.0)))
    }

    /// Messages within the scope that have every word, the latest first. The text is words only:
    /// nothing in it is syntax.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn search_messages(
        &self,
        scope: Scope,
        text: &str,
        paging: &Paging,
    ) -> Result<Page<MessageRow>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let words = fulltext::all_words(text);
        self.read(|snap| {
            let mut page = Page {
                items: Vec::new(),
                next_cursor: None,
                position: snap.position,
            };
            let Some(words) = words else {
                return Ok(page);
            };
            let sql = "SELECT rowid FROM message_fts WHERE message_fts MATCH ? AND rowid < ?
                       ORDER BY rowid DESC";
            let mut query = snap.db.prepare_cached(sql)?;
            let mut rows = query.query((words, before))?;
            let mut scanned = 0;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                if page.items.len() == limit || scanned == HITS_SCANNED || snap.is_full() {
                    page.next_cursor = Some(format!("k{:x}", id.saturating_add(1)));
                    break;
                }
                scanned += 1;
                page.items.extend(snap.visible_message(scope, id)?);
            }
            Ok(page)
        })
    }
}

const MESSAGE: &str = "SELECT m.id, m.conversation, m.author, m.content, m.reply_to, m.task,
    m.request, m.at FROM message m";

impl Snap<'_> {
    pub(super) fn visible_message(&self, scope: Scope, id: i64) -> Result<Option<MessageRow>> {
        let may_see = may_see(scope);
        let sql = format!("{MESSAGE} WHERE m.id = ?1 AND {may_see} AND ?2 IS NULL");
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query((id, None::<i64>, scope.viewer()))?;
        rows.next()?.map(|row| self.message(row)).transpose()
    }

    fn message(&self, row: &Row<'_>) -> Result<MessageRow> {
        Ok(MessageRow {
            id: MessageId(uint(row.get(0)?)),
            conversation: ConversationId(uint(row.get(1)?)),
            from: self.who(row.get(2)?)?,
            body: self.written(row.get(3)?)?,
            reply_to: row.get::<_, Option<i64>>(4)?.map(|m| MessageId(uint(m))),
            task: row.get::<_, Option<i64>>(5)?.map(|t| TaskId(uint(t))),
            request: row.get(6)?,
            at: time(row.get(7)?),
        })
    }

    fn conversation(&self, scope: Scope, id: i64) -> Result<Option<ConversationRow>> {
        let sql = "SELECT kind, title, opened_by, at FROM conversation WHERE id = ?";
        let row = self.db.prepare_cached(sql)?.query_row([id], |r| {
            Ok((
                r.get::<_, String>(0)?,
                r.get::<_, Option<i64>>(1)?,
                r.get::<_, i64>(2)?,
                r.get::<_, i64>(3)?,
            ))
        });
        let Some((kind, title, opened_by, at)) = row.optional()? else {
            return Ok(None);
        };
        let (members, member_count) = self.members(id)?;
        let may_see = may_see(scope);
        let sql = format!(
            "SELECT m.id FROM message m WHERE m.conversation = ?1 AND ?2 IS NULL AND {may_see}
             ORDER BY m.id DESC LIMIT 1"
        );
        let last = self
            .db
            .prepare_cached(&sql)?
            .query_row((id, None::<i64>, scope.viewer()), |r| r.get(0))
            .optional()?;
        Ok(Some(ConversationRow {
            id: ConversationId(uint(id)),
            kind,
            title: self.written(title)?,
            opened_by: self.who(opened_by)?,
            members,
            member_count,
            created: time(at),
            last_message: last.map(|m| MessageId(uint(m))),
        }))
    }

    fn members(&self, conversation: i64) -> Result<(Vec<Who>, u64)> {
        let sql = format!(
            "SELECT mb.agent, '@' || a.handle, {RESEMBLED} FROM member mb JOIN agent a ON a.id = mb.agent
             WHERE mb.conversation = ? AND mb.high = ? ORDER BY mb.low, mb.agent LIMIT 100"
        );
        let mut query = self.db.prepare_cached(&sql)?;
        let rows = query.query_map((conversation, i64::MAX), |r| {
            Ok(Who {
                id: AgentId(uint(r.get(0)?)),
                handle: r.get(1)?,
                resembles: r.get(2)?,
            })
        })?;
        let members = rows.collect::<rusqlite::Result<_>>()?;
        let sql = "SELECT count(*) FROM member WHERE conversation = ? AND high = ?";
        let count = (conversation, i64::MAX);
        let count: i64 = self
            .db
            .prepare_cached(sql)?
            .query_row(count, |r| r.get(0))?;
        Ok((members, uint(count)))
    }
}
