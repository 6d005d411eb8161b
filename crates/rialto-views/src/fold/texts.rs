//! The texts, their full-text rows, and how both go away again.
//!
//! What is indexed are words ([`fulltext`](crate::fulltext)); the indexes keep no text. To take a row out one has to hand them the very text that went in, so
//! the text of a row is always computed from the tables, before they change.

use rialto_core::event::Event;
use rialto_core::fact::{Fact, TextOf};
use rialto_core::id::ContentId;
use rialto_core::mail::MailEvent;
use rialto_core::social::SocialEvent;
use rialto_core::text::{ContentRef, Labels};
use rialto_wire::body::Body;
use rialto_wire::screen;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use serde_json::Value as Json;

use super::Folding;
use crate::db::{int, uint};
use crate::domain::{DIRECTORY, MAIL, SQUARE, TRADE};
use crate::{Result, fulltext};

/// The most bytes of one text that are indexed; the rest is kept, but not found.
const INDEXED_BYTES: usize = 64 * 1024;

/// What a content is used for: whose full text it is part of. The numbers are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Other = 0,
    Message = 1,
    Listing = 2,
    Agent = 3,
    Post = 4,
    /// An earlier text of a post: it is in no index, and is read where the post may be.
    PostBefore = 5,
}

impl Use {
    /// The use with a stored number; nothing if there is none.
    pub(crate) fn stored(number: i64) -> Option<Self> {
        let all = [
            Self::Other,
            Self::Message,
            Self::Listing,
            Self::Agent,
            Self::Post,
            Self::PostBefore,
        ];
        all.into_iter().find(|used| *used as i64 == number)
    }

    /// The domain whose index has a text of this use, and how to ask whether it has a certain one.
    fn indexed_as(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Other => return None,
            Self::Message => (MAIL, "SELECT 1 FROM message WHERE id = ? AND content = ?"),
            Self::Post | Self::PostBefore => {
                (SQUARE, "SELECT 1 FROM post WHERE id = ? AND content = ?")
            }
            Self::Listing => (
                TRADE,
                "SELECT 1 FROM listing WHERE id = ? AND description = ?",
            ),
            Self::Agent => (
                DIRECTORY,
                "SELECT 1 FROM agent WHERE id = ? AND description = ?",
            ),
        })
    }
}

/// Whose full text a text is part of, and its number.
fn use_of(whose: TextOf) -> (Use, u64) {
    match whose {
        TextOf::Nothing => (Use::Other, 0),
        TextOf::Message(id) => (Use::Message, id.0),
        TextOf::Listing(id) => (Use::Listing, id.0),
        TextOf::Agent(id) => (Use::Agent, id.0),
        TextOf::Post(id) => (Use::Post, id.0),
    }
}

/// What is indexed of a body: its plain text up to a bound.
pub(crate) fn indexed_text(bytes: &[u8]) -> String {
    let mut text = Body::from_bytes(bytes)
        .map(|b| b.plain_text())
        .unwrap_or_default();
    if text.len() > INDEXED_BYTES {
        let end = (0..=INDEXED_BYTES)
            .rev()
            .find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
    }
    text
}

/// The screening of a body, as bits: by the rules, and by the realm itself, which knows its tokens.
fn screened(labels: Labels, bytes: Option<&[u8]>) -> u32 {
    let body = bytes.and_then(|bytes| Body::from_bytes(bytes).ok());
    screen::said_of(labels, body.map(|body| body.plain_text()).as_deref())
}

/// Whether a full-text row goes in or out.
#[derive(Clone, Copy)]
pub(super) enum Way {
    In,
    Out,
}

/// A full-text index: the statements that put a row in and take it out.
struct Index {
    goes_in: &'static str,
    goes_out: &'static str,
}

macro_rules! index {
    ($table:literal($columns:literal), $values:literal) => {
        Index {
            goes_in: concat!(
                "INSERT INTO ",
                $table,
                "(rowid, ",
                $columns,
                ") VALUES(?, ",
                $values,
                ")"
            ),
            goes_out: concat!(
                "INSERT INTO ",
                $table,
                "(",
                $table,
                ", rowid, ",
                $columns,
                ") VALUES('delete', ?, ",
                $values,
                ")"
            ),
        }
    };
}

const MESSAGES: Index = index!("message_fts"("body"), "?");
const POSTS: Index = index!("post_fts"("body"), "?");
const LISTINGS: Index = index!(
    "listing_fts"("title, description, items, tags"),
    "?, ?, ?, ?"
);
const AGENTS: Index = index!(
    "agent_fts"("handle, description, skills, tags"),
    "?, ?, ?, ?"
);

impl Index {
    /// Puts the words of a row's texts, one a column, into the index or takes them out.
    fn carry<const N: usize>(
        &self,
        db: &Connection,
        way: Way,
        id: i64,
        texts: [&str; N],
    ) -> Result<()> {
        let sql = match way {
            Way::In => self.goes_in,
            Way::Out => self.goes_out,
        };
        let words = texts.map(|text| Value::from(fulltext::indexed(text)));
        let row = std::iter::once(Value::from(id)).chain(words);
        db.prepare_cached(sql)?.execute(params_from_iter(row))?;
        Ok(())
    }
}

pub(super) fn message(db: &Connection, way: Way, id: i64, text: &str) -> Result<()> {
    MESSAGES.carry(db, way, id, [text])
}

pub(super) fn post(db: &Connection, way: Way, id: i64, text: &str) -> Result<()> {
    POSTS.carry(db, way, id, [text])
}

/// Puts a listing's texts, as the tables have them, into the index or takes them out.
pub(super) fn listing(db: &Connection, way: Way, id: i64) -> Result<()> {
    let sql = "SELECT l.title, c.bytes, l.terms FROM listing l
               LEFT JOIN content c ON c.id = l.description WHERE l.id = ? AND l.withdrawn = 0";
    let Some((title, described, terms)) = shown(db, sql, id)? else {
        return Ok(());
    };
    let items = names(&terms, "items", Some("name"));
    let tags = names(&terms, "tags", None);
    LISTINGS.carry(db, way, id, [&title, &described, &items, &tags])
}

/// Puts an agent's texts, as the tables have them, into the index or takes them out.
pub(super) fn agent(db: &Connection, way: Way, id: i64) -> Result<()> {
    let sql = "SELECT a.handle, c.bytes, a.profile FROM agent a
               LEFT JOIN content c ON c.id = a.description WHERE a.id = ?";
    let Some((handle, described, profile)) = shown(db, sql, id)? else {
        return Ok(());
    };
    let skills = names(&profile, "skills", None);
    let tags = names(&profile, "tags", None);
    AGENTS.carry(db, way, id, [&handle, &described, &skills, &tags])
}

/// What a thing is called, what is indexed of its description, and its facts, as the tables have them.
fn shown(db: &Connection, sql: &str, id: i64) -> Result<Option<(String, String, Json)>> {
    let row = db.prepare_cached(sql)?.query_row([id], |r| {
        Ok((
            r.get::<_, String>(0)?,
            r.get::<_, Option<Vec<u8>>>(1)?,
            r.get::<_, String>(2)?,
        ))
    });
    Ok(row.optional()?.map(|(name, description, facts)| {
        let described = description.map(|d| indexed_text(&d)).unwrap_or_default();
        (
            name,
            described,
            serde_json::from_str(&facts).unwrap_or_default(),
        )
    }))
}

/// The names in a list of names, or of things with names, one a line.
fn names(facts: &Json, list: &str, field: Option<&str>) -> String {
    let list = facts.get(list).and_then(Json::as_array);
    let name = |entry: &Json| {
        let name = field.map_or(Some(entry), |f| entry.get(f));
        name.and_then(Json::as_str).map(str::to_owned)
    };
    let names: Vec<String> = list.into_iter().flatten().filter_map(name).collect();
    names.join("\n")
}

/// Erases contents and their index entries; returns how many there were.
pub(crate) fn erase(db: &Connection, contents: &[ContentId]) -> Result<usize> {
    erase_from(db, contents, &|_| true)
}

/// Erases contents, and takes their words out of the indexes of some domains, as far as their rows have them.
fn erase_from(
    db: &Connection,
    contents: &[ContentId],
    indexed: &dyn Fn(&str) -> bool,
) -> Result<usize> {
    let mut erased = 0;
    for content in contents {
        let id = int(content.0);
        let sql = "SELECT use_kind, use_id, bytes FROM content WHERE id = ? AND bytes IS NOT NULL";
        let row = db.prepare_cached(sql)?.query_row([id], |r| {
            Ok((
                r.get::<_, i64>(0)?,
                r.get::<_, i64>(1)?,
                r.get::<_, Vec<u8>>(2)?,
            ))
        });
        let Some((used, by, bytes)) = row.optional()? else {
            continue;
        };
        let used = Use::stored(used).unwrap_or(Use::Other);
        let used = match used.indexed_as() {
            Some((domain, sql)) if indexed(domain) && stands(db, sql, by, id)? => used,
            _ => Use::Other,
        };
        match used {
            Use::Other => {}
            Use::Message => message(db, Way::Out, by, &indexed_text(&bytes))?,
            Use::Post | Use::PostBefore => post(db, Way::Out, by, &indexed_text(&bytes))?,
            Use::Listing => listing(db, Way::Out, by)?,
            Use::Agent => agent(db, Way::Out, by)?,
        }
        db.prepare_cached("UPDATE content SET bytes = NULL WHERE id = ?")?
            .execute([id])?;
        match used {
            // Of these nothing is left to find; the others are found by more than this text.
            Use::Other | Use::Message | Use::Post | Use::PostBefore => {}
            Use::Listing => listing(db, Way::In, by)?,
            Use::Agent => agent(db, Way::In, by)?,
        }
        erased += 1;
    }
    Ok(erased)
}

/// Whether a thing's row has a content as the text that is indexed.
fn stands(db: &Connection, sql: &str, thing: i64, content: i64) -> Result<bool> {
    Ok(db.prepare_cached(sql)?.exists((thing, content))?)
}

impl Folding<'_> {
    /// Takes in an event's texts, and what it says of earlier ones. Comes before the domains that index
    /// them, so that what goes is still as they have it.
    pub(super) fn kept(&mut self, event: &Event) -> Result<()> {
        let mut kept = Ok(());
        event.texts(&mut |text, whose| {
            if kept.is_ok() {
                kept = self.keep(text, whose);
            }
        });
        kept?;
        match event {
            Event::Mail(MailEvent::Erased { contents }) => {
                self.cache.erased += self.forget(contents)?;
                Ok(())
            }
            // Whoever may not read the post does not read what it said before.
            Event::Social(SocialEvent::Edited { post, body }) => self.run(
                "UPDATE content SET use_kind = ?1
                 WHERE use_id = ?2 AND use_kind IN (4, 5) AND id <> ?3",
                (Use::PostBefore as i64, int(post.0), int(body.id.0)),
            ),
            // Its text leaves the views; it stays in the log until the operator erases it.
            Event::Social(SocialEvent::Deleted { post }) => {
                let sql = "SELECT id FROM content WHERE use_id = ? AND use_kind IN (4, 5)";
                let mut query = self.db.prepare_cached(sql)?;
                let ids = query.query_map([int(post.0)], |r| Ok(ContentId(uint(r.get(0)?))))?;
                let ids: Vec<ContentId> = ids.collect::<rusqlite::Result<_>>()?;
                self.forget(&ids)?;
                self.run(
                    "UPDATE content SET use_kind = ?1 WHERE use_id = ?2 AND use_kind IN (4, 5)",
                    (Use::PostBefore as i64, int(post.0)),
                )
            }
            _ => Ok(()),
        }
    }

    /// Erases contents. When texts are read again, the indexes that stand further have lost these already.
    fn forget(&self, contents: &[ContentId]) -> Result<usize> {
        let pass = self.pass;
        erase_from(self.db, contents, &|domain| pass.live || pass.has(domain))
    }

    /// Keeps a content.
    fn keep(&self, content: &ContentRef, whose: TextOf) -> Result<()> {
        let bytes = self.bytes_of(content);
        let (used, by) = use_of(whose);
        self.run(
            "INSERT OR IGNORE INTO content VALUES(?, ?, ?, ?, ?, ?)",
            (
                int(content.id.0),
                content.labels.0,
                used as i64,
                int(by),
                screened(content.labels, bytes),
                bytes,
            ),
        )
    }
}
