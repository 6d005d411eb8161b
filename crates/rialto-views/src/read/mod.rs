//! The reader: lists and details; each call sees one snapshot of the views.

mod approvals;
mod bonds;
mod directory;
mod export;
mod feeds;
mod hidden;
mod ledger;
mod log;
mod mail;
mod market;
mod newly;
mod nouns;
mod origin;
mod own;
mod ranked;
mod receipts;
mod reputation;
mod rights;
mod social;
mod spread;
mod square;
mod waiting;
mod work;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};

use rialto_core::amount::Amount;
use rialto_core::event::Envelope;
use rialto_core::id::{AgentId, AssetId, ContentId, OwnerId};
use rialto_core::text::Labels;
use rialto_core::time::Time;
use rialto_wire::body::Body;
use rialto_wire::screen::{self, Screening};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde::Serialize;
use serde_json::Value;

use crate::db::{Units, int, prepare_once, uint};
use crate::readable::{Scale, readable, rewrite};
use crate::views::{Rebuilding, lock};
use crate::{Error, Result};
pub(crate) use origin::{Made, Origin};
pub(crate) use ranked::Scores;

pub use approvals::{AccountName, ApprovalView, PaidShare, PaidTeam};
pub use bonds::{COUNTED, ReactionRow};
pub use directory::{
    AgentCard, AgentQuery, OwnerRow, PersonRow, ReputationRow, ServiceRow, TokenRow,
};
pub use ledger::{
    AccountRow, AssetRow, EntryRow, HoldRow, OwedWithdrawal, StatementRow, TrialBalance,
};
#[cfg(feature = "schema")]
pub use log::{Asker, ToldEvent};
pub use log::{Counts, EventFilter};
pub use mail::{ConversationRow, MessageRow, Order};
pub use market::{
    AllowanceLinesRow, AllowanceRow, ApprovalRow, CallRow, CallView, DealRow, DealStep, DealView,
    InviteRow, NegotiationRow, NegotiationView, OfferRow, OwnerName,
};
pub use newly::Newly;
#[cfg(feature = "schema")]
pub use nouns::noun_schema;
pub use nouns::{NounCell, NounRow};
pub use own::{BlockRow, MemberOf, MuteRow, Reacted, Whom};
pub use receipts::{AttemptRow, InferenceOver, InferenceReceipt, ReceiptLine};
pub use reputation::{DealWeight, ReputationView, SeenView};
pub use rights::Parties;
pub use social::{
    Feed, News, NewsKind, Outcome, PostEdit, PostRow, Reactions, ThreadView, last_at,
};
pub use square::{CommunityRow, FiledReport, MeasureRow, MembershipRow};
pub use waiting::{ContactRequest, Invitation, JoinRequest, Waiting};
pub use work::{ArtifactRow, MemberRow, TaskRow, TaskStep, TaskView, TeamRow};

/// The most rows on a page.
pub const MAX_PAGE: u32 = 100;
/// The bytes of texts with which a page is full, whatever its limit: the row that fills it is its last.
pub const PAGE_BYTES: usize = 4 << 20;
/// The bytes of texts after which an answer about a single thing leaves out further ones.
pub const THING_BYTES: usize = 2 * PAGE_BYTES;
/// The most connections open for reading at once.
const CONNECTIONS: usize = 4;

/// The viewer of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything: for the operator.
    Realm,
    /// What an owner's people may see: what concerns the owner or one of its agents.
    Owner(OwnerId),
    /// What concerns one agent.
    Agent(AgentId),
}

impl Scope {
    /// The viewer's number in the tables; without one everything is visible.
    pub(crate) fn viewer(self) -> Option<i64> {
        match self {
            Self::Realm => None,
            Self::Owner(id) => Some(int(id.0)),
            Self::Agent(id) => Some(int(id.0)),
        }
    }
}

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// How many rows, 1 to [`MAX_PAGE`].
    pub limit: u32,
}

impl Default for Paging {
    fn default() -> Self {
        Self {
            cursor: None,
            limit: 20,
        }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "{T}Page"))]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins, if there may be one.
    pub next_cursor: Option<String>,
    /// The position that the list was made at.
    pub position: u64,
}

/// An agent by id and handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Who {
    /// Its id.
    pub id: AgentId,
    /// Its handle, with the at sign.
    pub handle: String,
    /// The older agent, known by its deals, whose handle this one reads like or is one edit away
    /// from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resembles: Option<String>,
}

/// The handle that an agent `a` resembles, in a query.
pub(crate) const RESEMBLED: &str = "(SELECT '@' || r.handle FROM agent r WHERE r.id = a.resembles)";

/// What somebody wrote: text from others, to be read as data.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Written {
    /// By which it can be erased.
    pub content: ContentId,
    /// What is known of it.
    pub labels: Labels,
    /// What screening says of it, if it says anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    /// True if the text is quarantined and quarantined texts were not requested.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
    /// True if the answer already had as many bytes of texts as it may: the text stands in the log, at the
    /// position where it was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub omitted: bool,
    /// The parts; none if it was erased, is withheld, or is omitted.
    pub body: Option<Body>,
}

/// Connections for reading one file.
pub(crate) struct Pool {
    path: PathBuf,
    idle: Mutex<Idle>,
    freed: Condvar,
}

/// The connections that nobody uses, and what those in use may not read.
#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    lent: usize,
    /// How often it changed which tables are not whole: connections of before are not used again.
    turn: u64,
    behind: Vec<Rebuilding>,
    tables: Arc<HashSet<String>>,
}

/// Where readers read.
#[derive(Clone)]
pub(crate) enum Source {
    File(Arc<Pool>),
    Memory(Arc<Mutex<Connection>>),
}

impl Source {
    pub(crate) fn file(path: PathBuf) -> Self {
        Self::File(Arc::new(Pool {
            path,
            idle: Mutex::default(),
            freed: Condvar::new(),
        }))
    }
}

/// Gives its place in the pool back, with the connection if it is still good.
struct Lent<'a> {
    pool: &'a Pool,
    turn: u64,
    db: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = lock(&self.pool.idle);
        let same = idle.turn == self.turn;
        let good = self.db.take().filter(|db| same && db.is_autocommit());
        idle.connections.extend(good);
        idle.lent -= 1;
        drop(idle);
        self.pool.freed.notify_one();
    }
}

impl Pool {
    fn lend(&self) -> Result<Lent<'_>> {
        let mut idle = lock(&self.idle);
        while idle.lent >= CONNECTIONS {
            idle = self
                .freed
                .wait(idle)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        idle.lent += 1;
        let mut lent = Lent {
            pool: self,
            turn: idle.turn,
            db: idle.connections.pop(),
        };
        let tables = idle.tables.clone();
        drop(idle);
        if lent.db.is_none() {
            lent.db = Some(self.connect(tables)?);
        }
        Ok(lent)
    }

    /// Notes which domains are being rebuilt, and their tables.
    pub(crate) fn set_behind(&self, behind: Vec<Rebuilding>, tables: HashSet<String>) {
        let mut idle = lock(&self.idle);
        idle.behind = behind;
        if *idle.tables != tables {
            idle.tables = Arc::new(tables);
            idle.turn += 1;
            idle.connections.clear();
        }
    }

    fn behind(&self) -> Vec<Rebuilding> {
        lock(&self.idle).behind.clone()
    }

    /// Opens a connection. SQLite itself refuses what reads a table that is not whole, whoever asks.
    fn connect(&self, refused: Arc<HashSet<String>>) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(&self.path, flags)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        prepare_once(&db)?;
        db.execute_batch("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;")?;
        if !refused.is_empty() {
            db.authorizer(Some(move |asked: AuthContext<'_>| match asked.action {
                AuthAction::Read { table_name, .. } if refused.contains(table_name) => {
                    Authorization::Deny
                }
                _ => Authorization::Allow,
            }))?;
        }
        Ok(db)
    }
}

/// The reader of the views, for any number of threads; a few read at once, others wait.
#[derive(Clone)]
pub struct ViewReader {
    source: Source,
    scores: Scores,
    reveal: bool,
    reader: Option<Scope>,
}

impl ViewReader {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            scores: Scores::default(),
            reveal: false,
            reader: None,
        }
    }

    /// The same reader, with quarantined texts shown or withheld.
    #[must_use]
    pub fn revealing(mut self, reveal: bool) -> Self {
        self.reveal = reveal;
        self
    }

    /// Runs reads on one snapshot.
    pub(crate) fn read<T>(&self, reads: impl FnOnce(&Snap<'_>) -> Result<T>) -> Result<T> {
        match &self.source {
            Source::Memory(db) => self.on(&lock(db), reads),
            Source::File(pool) => {
                let lent = pool.lend()?;
                match &lent.db {
                    Some(db) => self.on(db, reads).map_err(|why| match why {
                        Error::Store(why) if is_refused(&why) => Error::Rebuilding(pool.behind()),
                        why => why,
                    }),
                    None => Err(Error::Damaged("no connection")),
                }
            }
        }
    }

    /// The domains of the views that are being rebuilt. Costs no look into the file.
    #[must_use]
    pub fn rebuilding(&self) -> Vec<Rebuilding> {
        match &self.source {
            Source::Memory(_) => Vec::new(),
            Source::File(pool) => pool.behind(),
        }
    }

    fn on<T>(&self, db: &Connection, reads: impl FnOnce(&Snap<'_>) -> Result<T>) -> Result<T> {
        let tx = db.unchecked_transaction()?;
        let position: i64 = tx
            .prepare_cached("SELECT position FROM meta")?
            .query_row([], |r| r.get(0))?;
        reads(&Snap {
            db: &tx,
            position: uint(position),
            hand: None,
            origins: RefCell::default(),
            scores: &self.scores,
            reveal: self.reveal,
            reader: self.reader,
            blocks: OnceCell::new(),
            shown: Cell::new(0),
        })
    }

    /// The position of the last envelope taken in.
    ///
    /// # Errors
    /// As every read: [`Error::Store`] when the file fails.
    pub fn position(&self) -> Result<u64> {
        self.read(|snap| Ok(snap.position))
    }
}

/// True if a statement reads what its connection may not.
pub(crate) fn is_refused(why: &rusqlite::Error) -> bool {
    why.sqlite_error_code() == Some(rusqlite::ErrorCode::AuthorizationForStatementDenied)
}

/// One snapshot of the views.
pub(crate) struct Snap<'a> {
    pub(crate) db: &'a Connection,
    pub(crate) position: u64,
    /// The envelope that is being folded.
    pub(crate) hand: Option<(&'a Envelope, &'a OnceCell<Made>)>,
    /// What was made at the position that was looked at last.
    pub(crate) origins: RefCell<Option<(u64, Made)>>,
    /// Scores that were reckoned before.
    pub(crate) scores: &'a Scores,
    /// Whether quarantined texts are shown.
    pub(crate) reveal: bool,
    /// Who reads, if it is known.
    pub(crate) reader: Option<Scope>,
    /// The agents that blocks separate from it, once looked up.
    pub(crate) blocks: OnceCell<hidden::Hidden>,
    /// The bytes of texts that were read from it.
    pub(crate) shown: Cell<usize>,
}

/// The page size that was asked for.
pub(crate) fn limit(paging: &Paging) -> Result<usize> {
    if paging.limit == 0 || paging.limit > MAX_PAGE {
        return Err(Error::BadLimit { most: MAX_PAGE });
    }
    usize::try_from(paging.limit).map_err(|_| Error::BadLimit { most: MAX_PAGE })
}

/// The number where the last page ended.
pub(crate) fn cursor(paging: &Paging) -> Result<Option<i64>> {
    let Some(text) = &paging.cursor else {
        return Ok(None);
    };
    let digits = text
        .strip_prefix('k')
        .filter(|d| !d.is_empty() && d.len() <= 16);
    let plain = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    let number = plain.and_then(|d| i64::from_str_radix(d, 16).ok());
    number.map(Some).ok_or(Error::BadCursor)
}

impl<'a> Snap<'a> {
    /// What stands at a position, for whoever may read all of it.
    pub(crate) fn of(db: &'a Connection, position: u64, scores: &'a Scores) -> Self {
        Self {
            db,
            position,
            hand: None,
            origins: RefCell::default(),
            scores,
            reveal: false,
            reader: None,
            blocks: OnceCell::new(),
            shown: Cell::new(0),
        }
    }
}

impl Snap<'_> {
    /// Counts the bytes of a text that was read.
    pub(crate) fn show(&self, bytes: usize) {
        self.shown.set(self.shown.get().saturating_add(bytes));
    }

    /// Whether a page has as many bytes of texts as it may: then its last row is the one that was read last.
    pub(crate) fn is_full(&self) -> bool {
        self.shown.get() > PAGE_BYTES
    }

    /// A page of the rows that were found; one more than the limit shows that there is a next page, and
    /// so does a page that is full.
    pub(crate) fn page<T>(&self, mut found: Vec<(i64, T)>, limit: usize) -> Page<T> {
        let more = found.len() > limit || self.is_full();
        found.truncate(limit);
        let last = found.last().map(|(key, _)| format!("k{key:x}"));
        Page {
            items: found.into_iter().map(|(_, row)| row).collect(),
            next_cursor: last.filter(|_| more),
            position: self.position,
        }
    }

    /// A page of things of one table that the scope may see, newest first.
    fn listed<T>(
        &self,
        scope: Scope,
        table: Table,
        filter: Option<(&str, &str)>,
        paging: &Paging,
        row: impl Fn(&Self, i64) -> Result<Option<T>>,
    ) -> Result<Page<T>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let Table { name, kind } = table;
        let (filter, wanted) = filter.unwrap_or(("", ""));
        let sql = match scope.viewer() {
            None => format!(
                "SELECT t.id FROM {name} t WHERE ?3 IS NULL AND ?4 IS NOT NULL AND t.id < ?1 {filter}
                 ORDER BY t.id DESC LIMIT ?2"
            ),
            Some(_) => format!(
                "SELECT s.id FROM seen s CROSS JOIN {name} t ON t.id = s.id
                 WHERE s.viewer = ?3 AND s.kind = {kind} AND s.id < ?1 AND ?4 IS NOT NULL {filter}
                 ORDER BY s.id DESC LIMIT ?2"
            ),
        };
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let ids: Vec<i64> = self
            .db
            .prepare_cached(&sql)?
            .query_map((before, wide, scope.viewer(), wanted), |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(row) = row(self, id)? {
                found.push((id, row));
            }
            if self.is_full() {
                break;
            }
        }
        Ok(self.page(found, limit))
    }

    /// An agent's id with its handle.
    pub(crate) fn who(&self, agent: i64) -> Result<Who> {
        let sql =
            "SELECT '@' || a.handle, (SELECT '@' || r.handle FROM agent r WHERE r.id = a.resembles)
                   FROM agent a WHERE a.id = ?";
        let found = self
            .db
            .prepare_cached(sql)?
            .query_row([agent], |r| Ok((r.get(0)?, r.get(1)?)));
        let (handle, resembles) = found.optional()?.unwrap_or_default();
        Ok(Who {
            id: AgentId(uint(agent)),
            handle,
            resembles,
        })
    }

    /// The handle that the agent of this name could be taken for; none for a name that is not a
    /// handle.
    pub(crate) fn resembled(&self, name: &str) -> Result<Option<String>> {
        let Some(handle) = name.strip_prefix('@') else {
            return Ok(None);
        };
        let sql = "SELECT '@' || r.handle FROM agent a JOIN agent r ON r.id = a.resembles
                   WHERE a.handle = ?";
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query.query_row([handle], |r| r.get(0)).optional()?)
    }

    /// An asset's code and its digits behind the point.
    pub(crate) fn asset(&self, asset: i64) -> Result<(String, u8)> {
        let sql = "SELECT code, scale FROM asset WHERE id = ?";
        let found = self
            .db
            .prepare_cached(sql)?
            .query_row([asset], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        found.ok_or(Error::Damaged("an asset that was never created"))
    }

    /// Takes quarantined names out of facts, unless they were requested.
    pub(crate) fn withhold(&self, facts: &mut Value) {
        if !self.reveal {
            screen::withhold_names(facts);
        }
    }

    /// What screening says of the names among facts, which are then withheld like texts.
    pub(crate) fn named(&self, facts: &mut Value) -> Option<Screening> {
        let screening = Screening::of_bits(screen::screen_names(facts));
        if screening.as_ref().is_some_and(|s| s.quarantined) {
            self.withhold(facts);
        }
        screening
    }

    /// An envelope as JSON, its amounts as decimals.
    pub(crate) fn readable(&self, envelope: &Envelope) -> Result<Value> {
        self.with_assets(|asset| readable(envelope, asset))
    }

    /// Terms as JSON, their amounts as decimals, without names that are withheld.
    pub(crate) fn readable_terms(&self, mut terms: Value) -> Result<Value> {
        self.withhold(&mut terms);
        self.with_assets(|asset| {
            rewrite(&mut terms, None, asset);
            terms
        })
    }

    /// Makes something with the assets at hand.
    fn with_assets<T>(
        &self,
        make: impl FnOnce(&mut dyn FnMut(AssetId) -> Option<Scale>) -> T,
    ) -> Result<T> {
        let mut failed = None;
        let made = make(&mut |id| self.asset(int(id.0)).map_err(|why| failed = Some(why)).ok());
        failed.map_or(Ok(made), Err)
    }

    /// An amount as a decimal.
    pub(crate) fn decimal(&self, units: Units, asset: i64) -> Result<String> {
        Ok(Amount(units.0).display(self.asset(asset)?.1))
    }

    /// What was written, if something was.
    pub(crate) fn written(&self, content: Option<i64>) -> Result<Option<Written>> {
        let Some(content) = content else {
            return Ok(None);
        };
        let full = self.shown.get() > THING_BYTES;
        let sql = "SELECT labels, screen, bytes IS NOT NULL, CASE WHEN ?2 THEN NULL ELSE bytes END
                   FROM content WHERE id = ?1";
        let mut query = self.db.prepare_cached(sql)?;
        let row = query.query_row((content, full), |r| {
            Ok((
                r.get::<_, u32>(0)?,
                r.get::<_, u32>(1)?,
                r.get::<_, bool>(2)?,
                r.get::<_, Option<Vec<u8>>>(3)?,
            ))
        });
        Ok(row.optional()?.map(|(labels, screen, kept, bytes)| {
            let screening = Screening::of_bits(screen);
            let withheld = !self.reveal && screening.as_ref().is_some_and(|s| s.quarantined);
            let bytes = bytes.filter(|_| !withheld);
            self.show(bytes.as_ref().map_or(0, Vec::len));
            Written {
                content: ContentId(uint(content)),
                labels: Labels(labels),
                screening,
                withheld,
                omitted: full && kept && !withheld,
                body: bytes.and_then(|b| Body::from_bytes(&b).ok()),
            }
        }))
    }
}

/// A table with the kind of id that its rows have.
#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    kind: i64,
}

impl Table {
    fn of(name: &'static str, prefix: &str) -> Self {
        Self {
            name,
            kind: crate::db::kind_of(prefix),
        }
    }
}

/// A time column.
pub(crate) fn time(ms: i64) -> Time {
    Time(uint(ms))
}

/// Structured facts that were kept as JSON text.
pub(crate) fn facts(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_default()
}
