//! The writing end: one SQLite file, fed in the order of the log.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use rialto_core::event::Envelope;
use rialto_core::id::ContentId;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::db::{int, prepare_once, uint};
use crate::domain::{self, Behind, DOMAINS, Domain, LAYOUT, TRADE};
use crate::fold::{self, Cache, Pass};
use crate::read::{Scores, Snap, Source, ViewReader};
use crate::rollup::{self, GRAINS};
use crate::sweep::sweep;
use crate::{Error, Result};

/// The version of the file's own layout. A file of another one is created again; within it each domain has its
/// own version ([`crate::domain`]).
pub const VERSION: u32 = 11;
/// What marks the file as ours: "RLTV".
const APPLICATION: u32 = 0x524c_5456;
/// The full-text indexes.
const INDEXES: [&str; 4] = ["message_fts", "listing_fts", "agent_fts", "post_fts"];
/// How long a lock is waited for.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);

/// An envelope of the log with the contents it refers to, as far as they were not erased.
#[derive(Clone, Debug)]
pub struct Indexed {
    /// The envelope.
    pub envelope: Envelope,
    /// The contents.
    pub contents: Vec<(ContentId, Vec<u8>)>,
}

/// The read models of one realm. There is one writer; readers are made by [`Views::reader`].
pub struct Views {
    db: Arc<Mutex<Connection>>,
    source: Source,
    position: u64,
    scrub: bool,
    domains: Vec<Domain>,
    behind: Vec<Behind>,
    /// The file, for [`sweep`]; none in memory. Open for as long as this is: closing any descriptor of
    /// a file gives back the locks that SQLite holds on it. Declared after the connection.
    file: Option<File>,
}

/// A domain that is being rebuilt, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilding {
    /// Its name.
    pub domain: &'static str,
    /// The position of the last envelope that it has taken in again.
    pub position: u64,
    /// The position that the other domains have come to.
    pub of: u64,
}

impl std::fmt::Display for Rebuilding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            domain,
            position,
            of,
        } = self;
        write!(
            f,
            "the lists of {domain} are being rebuilt, at {position} of {of}"
        )
    }
}

/// Makes the file readable by its owner only: it holds everybody's messages. SQLite gives the files
/// beside it the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path)?;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

impl Views {
    /// Opens the file, or creates it. A file of another version, of another program, or one too
    /// damaged to open is deleted and created again: [`Views::position`] is then 0.
    ///
    /// # Errors
    /// [`Error::Io`] when such a file cannot be removed, [`Error::Store`] when none can be made.
    ///
    /// A domain of another version is dropped and is then [rebuilding](Self::rebuilding); the others keep
    /// what they have.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, DOMAINS)
    }

    /// Opens the file with these domains.
    pub(crate) fn open_with(path: &Path, domains: &[Domain]) -> Result<Self> {
        match Self::try_open(path, domains) {
            Ok(views) => Ok(views),
            Err(Error::Store(why)) if is_beyond_use(&why) => Self::begin_anew(path, domains),
            Err(Error::Damaged(_)) => Self::begin_anew(path, domains),
            Err(why) => Err(why),
        }
    }

    /// Up to which position every domain in a file is whole; 0 if there is none that [`Views::open`] would
    /// go on with. Creates and deletes nothing.
    #[must_use]
    pub fn position_in(path: &Path) -> u64 {
        let read = || -> Result<u64> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let db = Connection::open_with_flags(path, flags)?;
            let header = |sql| db.query_row(sql, [], |r| r.get::<_, u32>(0));
            let whose = (
                header("PRAGMA application_id")?,
                header("PRAGMA user_version")?,
            );
            match whose == (APPLICATION, VERSION) {
                true => domain::whole_up_to(&db, DOMAINS),
                false => Ok(0),
            }
        };
        read().unwrap_or(0)
    }

    fn begin_anew(path: &Path, domains: &[Domain]) -> Result<Self> {
        for ending in ["", "-wal", "-shm", "-journal"] {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            match std::fs::remove_file(PathBuf::from(name)) {
                Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why.into()),
                _ => {}
            }
        }
        Self::try_open(path, domains)
    }

    fn try_open(path: &Path, domains: &[Domain]) -> Result<Self> {
        make_private(path)?;
        let db = Connection::open(path)?;
        let mut views = Self::with(db, domains, |_| Source::file(path.to_owned()))?;
        let file = File::options().read(true).write(true).open(path)?;
        views.file = Some(file);
        Ok(views)
    }

    /// Views that live in memory only.
    ///
    /// # Errors
    /// [`Error::Store`] when SQLite cannot be set up.
    pub fn in_memory() -> Result<Self> {
        Self::with(Connection::open_in_memory()?, DOMAINS, |db| {
            Source::Memory(Arc::clone(db))
        })
    }

    fn with(
        db: Connection,
        domains: &[Domain],
        source: impl FnOnce(&Arc<Mutex<Connection>>) -> Source,
    ) -> Result<Self> {
        let behind = set_up(&db, domains)?;
        let position = db.query_row("SELECT position FROM meta", [], |r| r.get(0))?;
        let db = Arc::new(Mutex::new(db));
        let source = source(&db);
        let views = Self {
            db,
            source,
            position: uint(position),
            scrub: false,
            domains: domains.to_vec(),
            behind,
            file: None,
        };
        views.tell()?;
        Ok(views)
    }

    /// Lets readers know which tables are not whole.
    fn tell(&self) -> Result<()> {
        let Source::File(pool) = &self.source else {
            return Ok(());
        };
        let db = lock(&self.db);
        let mut tables = HashSet::new();
        for Behind { domain, .. } in &self.behind {
            tables.extend(domain::tables(&db, domain.name)?);
        }
        pool.set_behind(self.rebuilding(), tables);
        Ok(())
    }

    /// The domains that are being rebuilt: those that have another version than the file had. They take in the
    /// log again by [`rebuild`](Self::rebuild) while the others go on; until they are done, what reads them is
    /// refused with [`Error::Rebuilding`].
    #[must_use]
    pub fn rebuilding(&self) -> Vec<Rebuilding> {
        let each = self.behind.iter().map(|behind| Rebuilding {
            domain: behind.domain.name,
            position: behind.position,
            of: self.position,
        });
        each.collect()
    }

    /// The position of the envelope that a rebuilding needs next; none if nothing is being rebuilt.
    #[must_use]
    pub fn rebuilds_from(&self) -> Option<u64> {
        let positions = self.behind.iter().map(|behind| behind.position);
        positions.min().map(|position| position + 1)
    }

    /// Whether new envelopes have to wait, because what every fold reads is being rebuilt.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.behind.iter().any(|behind| behind.domain.foundation)
    }

    /// Takes in again envelopes that the other domains have, in the order of the log, all or none. Those that
    /// are not needed are skipped. With the last of them a domain is done, and is read again.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn rebuild(&mut self, batch: &[Indexed]) -> Result<()> {
        let Some(next) = self.rebuilds_from() else {
            return Ok(());
        };
        let (pass, ahead): (Vec<Behind>, Vec<Behind>) =
            (self.behind.iter().copied()).partition(|behind| behind.position + 1 == next);
        // Up to where another one is taken along.
        let end = ahead
            .iter()
            .map(|b| b.position)
            .min()
            .unwrap_or(self.position);
        let domains: Vec<Domain> = pass.iter().map(|behind| behind.domain).collect();
        {
            let mut db = lock(&self.db);
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let pass = Pass {
                domains: &domains,
                live: false,
            };
            let within = |i: &&Indexed| (next..=end).contains(&i.envelope.position);
            let folded = take_in(&tx, pass, next - 1, batch.iter().filter(within))?;
            for domain in &domains {
                let done = folded.position == self.position;
                domain::reached(&tx, domain, (!done).then_some(folded.position))?;
            }
            tx.commit()?;
            self.scrub |= folded.erased > 0;
            self.behind = domain::behind(&db, &self.domains)?;
        }
        self.tell()
    }

    /// The position of the last envelope taken in; 0 before the first.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// A reading end. It sees whole batches only.
    #[must_use]
    pub fn reader(&self) -> ViewReader {
        ViewReader::new(self.source.clone())
    }

    /// Takes in envelopes in the order of the log, all or none. Those already taken in are skipped.
    ///
    /// # Errors
    /// [`Error::Gap`] when one is missing, [`Error::Store`] when the file fails, [`Error::Rebuilding`] while
    /// new envelopes have to [wait](Self::waits); nothing of the batch is kept then.
    pub fn apply(&mut self, batch: &[Indexed]) -> Result<u64> {
        if self.waits() {
            return Err(Error::Rebuilding(self.rebuilding()));
        }
        let folded = {
            let behind = |name| self.behind.iter().any(|b| b.domain.name == name);
            let domains: Vec<Domain> = (self.domains.iter().copied())
                .filter(|domain| !behind(domain.name))
                .collect();
            let mut db = lock(&self.db);
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let pass = Pass {
                domains: &domains,
                live: true,
            };
            let new = |i: &&Indexed| i.envelope.position > self.position;
            let folded = take_in(&tx, pass, self.position, batch.iter().filter(new))?;
            tx.prepare_cached("UPDATE meta SET position = ?")?
                .execute([int(folded.position)])?;
            tx.commit()?;
            folded
        };
        let position = folded.position;
        self.position = position;
        self.scrub |= folded.erased > 0;
        if self.scrub {
            match self.scrub() {
                Ok(()) | Err(Error::EraseIncomplete) => {}
                Err(why) => return Err(why),
            }
        }
        Ok(position)
    }

    /// Rolls up one span of the accounts, if one is over and not rolled up yet; false if there is none. It
    /// reads the entries of an hour at the most. Reports are the same before and after, only faster.
    ///
    /// # Errors
    /// [`Error::Store`] when the file fails; the span is then rolled up another time.
    pub fn roll_up(&mut self) -> Result<bool> {
        let behind = |name: &str| self.behind.iter().any(|b| b.domain.name == name);
        // What a span is made of has to be whole.
        if self.waits() || behind("log") || behind(TRADE) {
            return Ok(false);
        }
        let mut db = lock(&self.db);
        for grain in GRAINS.iter().filter(|grain| !behind(grain.name)) {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let rolled = rollup::roll(&Snap::of(&tx, self.position, &Scores::default()), grain)?;
            tx.commit()?;
            if rolled {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes durable what was taken in: a crash of the machine leaves the views at this position or
    /// a later one. Otherwise it may take them back a little, and the log gives it again.
    ///
    /// # Errors
    /// [`Error::Store`] when the file fails.
    pub fn settle(&mut self) -> Result<()> {
        let db = lock(&self.db);
        db.execute_batch("PRAGMA synchronous = FULL; UPDATE meta SET position = position; PRAGMA synchronous = NORMAL;")?;
        Ok(())
    }

    /// Wipes the texts of contents from every table and index and their bytes from the file, and
    /// returns how many were there. Reads the file once, and rewrites what it has to: erase in large
    /// batches.
    ///
    /// # Errors
    /// [`Error::EraseIncomplete`] when a long read kept the bytes from being wiped: no query finds
    /// them any more; call again, with any ids, to finish.
    pub fn erase(&mut self, contents: &[ContentId]) -> Result<usize> {
        let erased = {
            let mut db = lock(&self.db);
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let erased = fold::erase(&tx, contents)?;
            tx.commit()?;
            erased
        };
        self.scrub |= erased > 0;
        if self.scrub {
            self.scrub()?;
        }
        Ok(erased)
    }

    /// Sees to it that nothing of what was deleted is left in the file: rows and words are
    /// overwritten already, since both SQLite and its indexes delete securely; what remains are old
    /// pages in the write-ahead file, and gaps between cells.
    fn scrub(&mut self) -> Result<()> {
        let db = lock(&self.db);
        let busy: Option<i64> = db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))
            .optional()?;
        if busy.unwrap_or(0) != 0 {
            return Err(Error::EraseIncomplete);
        }
        if let Some(file) = &self.file {
            sweep(file)?;
            // What is cached still has the gaps as they were.
            db.release_memory()?;
        }
        drop(db);
        self.scrub = false;
        Ok(())
    }
}

/// What came of a batch.
#[derive(Debug)]
struct TakenIn {
    position: u64,
    erased: usize,
}

/// Folds envelopes that follow one another into the tables of a pass.
fn take_in<'a>(
    db: &Connection,
    pass: Pass<'_>,
    mut position: u64,
    batch: impl Iterator<Item = &'a Indexed>,
) -> Result<TakenIn> {
    let mut cache = Cache::default();
    for indexed in batch {
        let got = indexed.envelope.position;
        if got != position + 1 {
            return Err(Error::Gap {
                expected: position + 1,
                got,
            });
        }
        fold::envelope(db, &mut cache, pass, indexed)?;
        position = got;
    }
    cache.flush(db)?;
    Ok(TakenIn {
        position,
        erased: cache.erased,
    })
}

/// A panic while the lock was held leaves a connection whose transaction was rolled back: usable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Makes an index forget the words that are taken out of it, at once and for good; a marker beside
/// them is its default. Words that were taken out before are merged away.
fn delete_securely(db: &Connection, index: &str) -> Result<()> {
    let sql = format!("SELECT v FROM {index}_config WHERE k = 'secure-delete'");
    let set: Option<i64> = db.query_row(&sql, [], |row| row.get(0)).optional()?;
    if set == Some(1) {
        return Ok(());
    }
    let set = format!("INSERT INTO {index}({index}, rank) VALUES('secure-delete', 1)");
    db.execute(&set, [])?;
    db.execute(
        &format!("INSERT INTO {index}({index}) VALUES('optimize')"),
        [],
    )?;
    Ok(())
}

/// True if this code cannot use the database file, so that only a new one helps.
fn is_beyond_use(why: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    matches!(
        why.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    ) || matches!(
        why,
        rusqlite::Error::SqlInputError { .. } | rusqlite::Error::QueryReturnedNoRows
    ) || matches!(why, rusqlite::Error::SqliteFailure(code, _) if code.code == ErrorCode::Unknown)
}

fn set_up(db: &Connection, domains: &[Domain]) -> Result<Vec<Behind>> {
    db.busy_timeout(BUSY)?;
    prepare_once(db)?;
    let application: u32 = db.query_row("PRAGMA application_id", [], |r| r.get(0))?;
    let version: u32 = db.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    if tables > 0 && (application, version) != (APPLICATION, VERSION) {
        return Err(Error::Damaged("another version or another program's file"));
    }
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;
         PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;",
    )?;
    let tx = db.unchecked_transaction()?;
    if tables == 0 {
        tx.execute_batch(&format!(
            "{LAYOUT} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
        ))?;
    }
    let behind = domain::settle(&tx, domains)?;
    tx.commit()?;
    INDEXES
        .into_iter()
        .try_for_each(|index| delete_securely(db, index))?;
    Ok(behind)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rialto_core::event::{Event, RealmEvent, VERSION as FORM};
    use rialto_core::identity::{Auth, Principal};
    use rialto_core::time::Time;

    use super::*;
    use crate::fold::Folding;

    /// Another axis, as a later version brings it: what came by the month.
    const TOY: Domain = Domain {
        name: "toy",
        version: 1,
        schema: "CREATE TABLE toy(month INTEGER PRIMARY KEY, envelopes INTEGER NOT NULL);",
        foundation: false,
        made_of: None,
        fold: |fold: &mut Folding<'_>| {
            fold.run(
                "INSERT INTO toy VALUES(?, 1)
                 ON CONFLICT DO UPDATE SET envelopes = envelopes + 1",
                [fold.now() / 10],
            )
        },
    };

    fn log(count: u64) -> Vec<Indexed> {
        let envelope = |position| Envelope {
            version: FORM,
            position,
            at: Time(position),
            principal: Principal::Operator,
            auth: Auth::Local,
            actor: None,
            key: None,
            cause: None,
            events: vec![Event::Realm(RealmEvent::ClockAccepted)],
            ids: Vec::new(),
            steady_ms: None,
        };
        let indexed = |position| Indexed {
            envelope: envelope(position),
            contents: Vec::new(),
        };
        (1..=count).map(indexed).collect()
    }

    fn months(views: &Views) -> Vec<(i64, i64)> {
        let db = lock(&views.db);
        let mut query = db.prepare("SELECT month, envelopes FROM toy").unwrap();
        let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn a_domain_that_is_added_is_built_alone_and_one_that_goes_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("views.db");
        let log = log(25);
        Views::open(&path).unwrap().apply(&log).unwrap();

        let mut more = DOMAINS.to_vec();
        more.push(TOY);
        let mut views = Views::open_with(&path, &more).unwrap();
        let behind: Vec<&str> = views.rebuilding().iter().map(|b| b.domain).collect();
        assert_eq!(
            (behind.as_slice(), views.position()),
            (["toy"].as_slice(), 25)
        );
        views.rebuild(&log).unwrap();
        assert!(views.rebuilding().is_empty());
        assert_eq!(months(&views), [(0, 9), (1, 10), (2, 6)]);
        drop(views);

        let views = Views::open(&path).unwrap();
        assert!(
            views.rebuilding().is_empty(),
            "nothing of the others is rebuilt"
        );
        let tables: i64 = lock(&views.db)
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name = 'toy'",
                [],
                |r| r.get(0),
            )
            .unwrap();
        assert_eq!(tables, 0);
    }

    /// A fold that reads or writes what is another domain's is refused by SQLite.
    #[test]
    fn no_fold_may_touch_the_tables_of_another_domain() {
        use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../rialto-core/tests/golden");
        for name in ["deals", "square", "mail", "texts", "holds", "told", "v1"] {
            let stored = std::fs::read(format!("{path}/{name}.log")).unwrap();
            let (mut rest, mut log) = (stored.as_slice(), Vec::new());
            while let Some((len, after)) = rest.split_first_chunk::<4>() {
                let (bytes, after) = after.split_at(u32::from_le_bytes(*len) as usize);
                let envelope = Envelope::decode(bytes).unwrap();
                log.push(Indexed {
                    envelope,
                    contents: Vec::new(),
                });
                rest = after;
            }
            let mut views = Views::in_memory().unwrap();
            views.apply(&log).unwrap();
            for domain in DOMAINS {
                let mut db = lock(&views.db);
                db.execute(
                    "UPDATE domain SET version = 0 WHERE name = ?",
                    [domain.name],
                )
                .unwrap();
                domain::settle(&db, DOMAINS).unwrap();
                let mut own: HashSet<String> = HashSet::new();
                let mut read: HashSet<String> = HashSet::new();
                for other in DOMAINS {
                    let tables = domain::tables(&db, other.name).unwrap();
                    if other.name == domain.name {
                        own.extend(tables.iter().cloned());
                    }
                    if other.name == domain.name || other.foundation {
                        read.extend(tables);
                    }
                }
                db.flush_prepared_statement_cache();
                db.authorizer(Some(move |asked: AuthContext<'_>| match asked.action {
                    AuthAction::Read { table_name, .. } if !read.contains(table_name) => {
                        Authorization::Deny
                    }
                    AuthAction::Insert { table_name }
                    | AuthAction::Update { table_name, .. }
                    | AuthAction::Delete { table_name }
                        if !own.contains(table_name) =>
                    {
                        Authorization::Deny
                    }
                    _ => Authorization::Allow,
                }))
                .unwrap();
                let one = [*domain];
                let pass = Pass {
                    domains: &one,
                    live: false,
                };
                let taken = take_in(&db, pass, 0, log.iter());
                assert!(taken.is_ok(), "{name}, {}: {:?}", domain.name, taken.err());
                db.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)
                    .unwrap();
                domain::reached(&db, domain, None).unwrap();
            }
        }
    }
}
