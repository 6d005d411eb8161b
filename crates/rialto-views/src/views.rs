//! The writing end: one SQLite file, fed in the order of the log.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use rialto_core::event::Envelope;
use rialto_core::id::ContentId;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::db::{int, prepare_once, uint};
use crate::fold::{self, Cache};
use crate::read::{Source, ViewReader};
use crate::sweep::sweep;
use crate::{Error, Result};

/// The version of the tables. A file of another version is created again.
pub const VERSION: u32 = 10;
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
    /// The file, for [`sweep`]; none in memory. Open for as long as this is: closing any descriptor of
    /// a file gives back the locks that SQLite holds on it. Declared after the connection.
    file: Option<File>,
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
    pub fn open(path: &Path) -> Result<Self> {
        match Self::try_open(path) {
            Ok(views) => Ok(views),
            Err(Error::Store(why)) if is_beyond_use(&why) => Self::begin_anew(path),
            Err(Error::Damaged(_)) => Self::begin_anew(path),
            Err(why) => Err(why),
        }
    }

    /// The position of the views in a file; 0 if there is none that [`Views::open`] would go on with.
    /// Creates and deletes nothing.
    #[must_use]
    pub fn position_in(path: &Path) -> u64 {
        let read = || -> rusqlite::Result<u64> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let db = Connection::open_with_flags(path, flags)?;
            let header = |sql| db.query_row(sql, [], |r| r.get::<_, u32>(0));
            let whose = (
                header("PRAGMA application_id")?,
                header("PRAGMA user_version")?,
            );
            if whose != (APPLICATION, VERSION) {
                return Ok(0);
            }
            db.query_row("SELECT position FROM meta", [], |r| r.get(0))
                .map(uint)
        };
        read().unwrap_or(0)
    }

    fn begin_anew(path: &Path) -> Result<Self> {
        for ending in ["", "-wal", "-shm", "-journal"] {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            match std::fs::remove_file(PathBuf::from(name)) {
                Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why.into()),
                _ => {}
            }
        }
        Self::try_open(path)
    }

    fn try_open(path: &Path) -> Result<Self> {
        make_private(path)?;
        let db = Connection::open(path)?;
        let mut views = Self::with(db, |_| Source::file(path.to_owned()))?;
        let file = File::options().read(true).write(true).open(path)?;
        views.file = Some(file);
        Ok(views)
    }

    /// Views that live in memory only.
    ///
    /// # Errors
    /// [`Error::Store`] when SQLite cannot be set up.
    pub fn in_memory() -> Result<Self> {
        Self::with(Connection::open_in_memory()?, |db| {
            Source::Memory(Arc::clone(db))
        })
    }

    fn with(
        db: Connection,
        source: impl FnOnce(&Arc<Mutex<Connection>>) -> Source,
    ) -> Result<Self> {
        set_up(&db)?;
        let position = db.query_row("SELECT position FROM meta", [], |r| r.get(0))?;
        let db = Arc::new(Mutex::new(db));
        let source = source(&db);
        Ok(Self {
            db,
            source,
            position: uint(position),
            scrub: false,
            file: None,
        })
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
    /// [`Error::Gap`] when one is missing, [`Error::Store`] when the file fails; nothing of the
    /// batch is kept then.
    pub fn apply(&mut self, batch: &[Indexed]) -> Result<u64> {
        let (position, erased) = {
            let mut db = lock(&self.db);
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut cache = Cache::default();
            let mut position = self.position;
            for indexed in batch.iter().filter(|i| i.envelope.position > self.position) {
                let got = indexed.envelope.position;
                if got != position + 1 {
                    return Err(Error::Gap {
                        expected: position + 1,
                        got,
                    });
                }
                fold::envelope(&tx, &mut cache, indexed)?;
                position = got;
            }
            cache.flush(&tx)?;
            tx.prepare_cached("UPDATE meta SET position = ?")?
                .execute([int(position)])?;
            tx.commit()?;
            (position, cache.erased)
        };
        self.position = position;
        self.scrub |= erased > 0;
        if self.scrub {
            match self.scrub() {
                Ok(()) | Err(Error::EraseIncomplete) => {}
                Err(why) => return Err(why),
            }
        }
        Ok(position)
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

fn set_up(db: &Connection) -> Result<()> {
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
    if tables == 0 {
        let schema = include_str!("schema.sql");
        db.execute_batch(&format!(
            "BEGIN; {schema} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
    }
    INDEXES
        .into_iter()
        .try_for_each(|index| delete_securely(db, index))
}
