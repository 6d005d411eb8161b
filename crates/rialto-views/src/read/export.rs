//! Everything of an owner, so that it can leave with it.

use rialto_core::id::{
    AccountId, AnyId, CallId, CommunityId, ContentId, ConversationId, DealId, NegotiationId,
    OwnerId, TaskId,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Order, Page, Paging, Scope, ViewReader};
use crate::{Error, Result};

/// Takes one line; false ends the export.
type Sink<'a> = &'a mut dyn FnMut(&Value) -> bool;

impl ViewReader {
    /// Hands out everything that the views hold of an owner, one JSON value a line: `{"kind": …,
    /// "value": …}`. Returns how many lines there were. Each page is a snapshot of its own.
    ///
    /// # Errors
    /// As every read.
    pub fn export(&self, owner: OwnerId, sink: Sink<'_>) -> Result<u64> {
        let whole = self.clone().revealing(true);
        whole.export_all(owner, sink)
    }

    fn export_all(&self, owner: OwnerId, sink: Sink<'_>) -> Result<u64> {
        let scope = Scope::Owner(owner);
        let mut lines = Lines {
            sink,
            written: 0,
            open: true,
        };
        if let Some(row) = self.owner(owner)? {
            lines.put("owner", &row);
        }
        lines.pages("person", |p| self.persons(owner, p))?;
        lines.pages("token", |p| self.tokens(scope, p))?;
        for allowance in self.allowances(owner)? {
            lines.put("allowance", &allowance);
        }
        for of_node in self.allowance_lines(owner)? {
            lines.put("allowance_lines", &of_node);
        }
        self.export_agents(owner, &mut lines)?;
        lines.pages("report", |p| self.reports(scope, true, p))?;
        lines.pages("measure", |p| self.measures(scope, false, p))?;
        lines.pages("team", |p| self.teams(scope, p))?;
        lines.pages("approval", |p| self.approvals(scope, false, p))?;
        for noun in rialto_core::noun::all() {
            lines.pages(noun.name, |p| self.nouns(scope, noun, None, p))?;
        }
        self.export_mail(scope, &mut lines)?;
        self.export_market(scope, &mut lines)?;
        self.export_money(scope, &mut lines)?;
        lines.pages("event", |p| {
            self.events(scope, &super::EventFilter::default(), p)
        })?;
        Ok(lines.written)
    }

    fn export_agents(&self, owner: OwnerId, lines: &mut Lines<'_>) -> Result<()> {
        for agent in self.agents_of(owner)? {
            if let Some(card) = self.agent(agent)? {
                lines.put("agent", &card);
            }
            lines.pages("listing", |p| self.listings_of(agent, p))?;
            lines.pages("post", |p| self.posts_of(agent, p))?;
            lines.pages("reply", |p| self.replies_of(agent, p))?;
            lines.pages("reaction", |p| self.reactions_of(agent, p))?;
            lines.pages("follow", |p| self.follows(agent, p))?;
            lines.pages("mute", |p| self.mutes(agent, p))?;
            lines.pages("block", |p| self.blocks(agent, p))?;
            lines.pages("membership", |p| self.communities_of(agent, p))?;
        }
        lines.pages("block", |p| self.owner_blocks(owner, p))?;
        for community in self.run_by(owner)? {
            lines.maybe("community", self.community(&community.to_string())?);
        }
        Ok(())
    }

    /// The communities that an owner's agents created or moderate, oldest first.
    fn run_by(&self, owner: OwnerId) -> Result<Vec<CommunityId>> {
        self.read(|snap| {
            let sql = "SELECT c.id FROM community c WHERE c.created_by IN
                       (SELECT id FROM agent WHERE owner = ?1) OR EXISTS(SELECT 1 FROM membership m
                       JOIN agent a ON a.id = m.agent WHERE m.community = c.id AND m.moderator
                       AND a.owner = ?1) ORDER BY c.id";
            let mut query = snap.db.prepare_cached(sql)?;
            let ids = query.query_map([crate::db::int(owner.0)], |r| r.get::<_, i64>(0))?;
            ids.map(|id| Ok(CommunityId(crate::db::uint(id?))))
                .collect()
        })
    }

    fn export_mail(&self, scope: Scope, lines: &mut Lines<'_>) -> Result<()> {
        for id in self.all(scope, ConversationId::PREFIX)? {
            let AnyId::ConversationId(id) = id else {
                continue;
            };
            if let Some(row) = self.conversation(scope, id)? {
                lines.put("conversation", &row);
            }
            lines.pages("message", |p| {
                self.messages(scope, id, Order::OldestFirst, p)
            })?;
        }
        Ok(())
    }

    fn export_market(&self, scope: Scope, lines: &mut Lines<'_>) -> Result<()> {
        for prefix in [
            TaskId::PREFIX,
            CallId::PREFIX,
            NegotiationId::PREFIX,
            DealId::PREFIX,
        ] {
            for id in self.all(scope, prefix)? {
                match id {
                    AnyId::TaskId(id) => {
                        self.whole(lines, "task", self.task(scope, id)?.as_ref())?;
                    }
                    AnyId::CallId(id) => {
                        self.whole(lines, "call", self.call(scope, id)?.as_ref())?;
                    }
                    AnyId::NegotiationId(id) => {
                        self.whole(lines, "negotiation", self.negotiation(scope, id)?.as_ref())?;
                    }
                    AnyId::DealId(id) => {
                        self.whole(lines, "deal", self.deal(scope, id)?.as_ref())?;
                    }
                    _ => return Err(Error::Damaged("a kind that no export reads")),
                }
            }
        }
        Ok(())
    }

    /// A thing, and after it each text that its answer had no room for.
    fn whole(
        &self,
        lines: &mut Lines<'_>,
        kind: &str,
        value: Option<&impl Serialize>,
    ) -> Result<()> {
        let value = json!(value);
        if value.is_null() {
            return Ok(());
        }
        lines.put(kind, &value);
        let mut texts = Vec::new();
        omitted(&value, &mut texts);
        for text in texts {
            if !lines.open {
                break;
            }
            let written = self.read(|snap| snap.written(Some(crate::db::int(text.0))))?;
            lines.maybe("text", written);
        }
        Ok(())
    }

    fn export_money(&self, scope: Scope, lines: &mut Lines<'_>) -> Result<()> {
        let mut accounts: Vec<AccountId> = Vec::new();
        let mut paging = Paging {
            cursor: None,
            limit: super::MAX_PAGE,
        };
        loop {
            let page = self.accounts(scope, &paging)?;
            for account in &page.items {
                accounts.push(account.id);
                lines.put("account", account);
            }
            if page.next_cursor.is_none() {
                break;
            }
            paging.cursor = page.next_cursor;
        }
        for account in accounts {
            lines.pages("entry", |p| {
                let none = Page {
                    items: Vec::new(),
                    next_cursor: None,
                    position: 0,
                };
                Ok(self.statement(scope, account, p)?.unwrap_or(none))
            })?;
        }
        lines.pages("hold", |p| self.holds(scope, p))
    }

    /// The ids of a kind that the scope may see, oldest first.
    fn all(&self, scope: Scope, prefix: &str) -> Result<Vec<AnyId>> {
        let kind = crate::db::kind_of(prefix);
        self.read(|snap| {
            let sql = "SELECT id FROM seen WHERE viewer = ? AND kind = ? ORDER BY id";
            let mut query = snap.db.prepare_cached(sql)?;
            let ids = query.query_map((scope.viewer(), kind), |r| r.get::<_, i64>(0))?;
            let ids: Vec<i64> = ids.collect::<rusqlite::Result<_>>()?;
            Ok(ids
                .into_iter()
                .filter_map(|id| crate::db::join(kind, id))
                .collect())
        })
    }
}

/// The contents that a thing names without their texts, because it had no room for them.
fn omitted(value: &Value, found: &mut Vec<ContentId>) {
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| omitted(entry, found)),
        Value::Object(fields) => {
            if fields.get("omitted") == Some(&Value::Bool(true)) {
                let content = fields.get("content").and_then(Value::as_str);
                found.extend(content.and_then(|id| id.parse::<ContentId>().ok()));
            }
            fields.values().for_each(|field| omitted(field, found));
        }
        _ => {}
    }
}

struct Lines<'a> {
    sink: Sink<'a>,
    written: u64,
    open: bool,
}

impl Lines<'_> {
    fn put(&mut self, kind: &str, value: &impl Serialize) {
        if self.open {
            self.open = (self.sink)(&json!({ "kind": kind, "value": value }));
            self.written += 1;
        }
    }

    fn maybe(&mut self, kind: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.put(kind, &value);
        }
    }

    fn pages<T: Serialize>(
        &mut self,
        kind: &str,
        mut page: impl FnMut(&Paging) -> Result<Page<T>>,
    ) -> Result<()> {
        let mut paging = Paging {
            cursor: None,
            limit: super::MAX_PAGE,
        };
        while self.open {
            let next = page(&paging)?;
            next.items.iter().for_each(|row| self.put(kind, row));
            if next.next_cursor.is_none() {
                break;
            }
            paging.cursor = next.next_cursor;
        }
        Ok(())
    }
}
