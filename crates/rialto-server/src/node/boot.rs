//! Starting a realm: from its snapshot and log, or by founding it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rialto_core::command::{Command, Found, Nothing, RotateRealmKey};
use rialto_core::decide::Request;
use rialto_core::event::{BadEnvelope, Envelope, Event};
use rialto_core::identity::{Auth, Principal};
use rialto_core::ledger::{CreateAsset, LedgerCommand};
use rialto_core::realm::RealmCommand;
use rialto_core::reject::{Code, Rejection};
use rialto_core::state::State;
use rialto_core::text::{AssetCode, Handle};
use rialto_journal::digest::entity_hash;
use rialto_journal::entities::{EntityStore, MemoryEntities, SqliteEntities};
use rialto_journal::frame::GENESIS;
use rialto_journal::memory::{MemoryDisk, MemoryJournal, MemoryReader};
use rialto_journal::private::{self, Openness};
use rialto_journal::segment::StateSum;
use rialto_journal::sqlite::{SqliteJournal, SqliteReader};
use rialto_journal::{Checkpoint, Head, Journal, JournalError, LogReader};
use thiserror::Error;

use super::clock::{Chance, Clock};
use super::engine::{Ask, Reply};
use super::pipeline::{Failure, Node, NodeConfig};
use super::secrets::{RealmSecrets, SecretsError, write_private};
use super::tail::names_of;
use super::writer;

/// Where a realm is kept.
pub enum Storage {
    /// In a folder; what is archived of its log is read from a second one, if it is given.
    Folder {
        /// The data folder.
        data: PathBuf,
        /// Where the segments of the archive are.
        archive: Option<PathBuf>,
    },
    /// In memory, gone with the process.
    Memory,
}

/// Why a realm cannot be started.
#[derive(Debug, Error)]
pub enum BootError {
    /// The log or entity table.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The realm's secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The folder or a thread.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The log holds an envelope of a newer version.
    #[error("the log was written by a newer version (envelope version {0})")]
    Newer(u16),
    /// The log does not lead to a consistent state.
    #[error("the log is damaged at position {position}: {what}")]
    Corrupt {
        /// Where.
        position: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The realm refused what founding it needs.
    #[error("the realm cannot be founded: {0}")]
    Founding(Rejection),
    /// The views.
    #[error("cannot open the views: {0}")]
    Views(rialto_views::Error),
    /// The node did not answer.
    #[error("the node stopped while starting: {0:?}")]
    Node(Failure),
}

impl BootError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Journal(JournalError::Locked { .. }) => Code::DataLocked,
            Self::Journal(JournalError::StorageFull) => Code::StorageFull,
            Self::Journal(JournalError::NewerVersion { .. }) | Self::Newer(_) => Code::LogNewer,
            Self::Journal(JournalError::Foreign { .. } | JournalError::NotFound { .. }) => {
                Code::LogForeign
            }
            Self::Journal(JournalError::Corrupt { .. }) | Self::Corrupt { .. } => Code::LogCorrupt,
            Self::Journal(JournalError::NotEmpty { .. }) => Code::BackupTarget,
            Self::Journal(JournalError::KeysMissing { .. }) => Code::KeysMissing,
            Self::Journal(JournalError::KeysOther { .. }) => Code::KeysOther,
            Self::Journal(JournalError::Archived { .. }) => Code::Archived,
            Self::Journal(JournalError::BadSegment { .. }) => Code::BadSegment,
            Self::Journal(_) | Self::Secrets(_) | Self::Views(_) | Self::Io { .. } => {
                Code::StorageFailed
            }
            Self::Founding(rejection) => rejection.code,
            Self::Node(failure) => failure.code(),
        }
    }
}

/// A started realm.
pub struct Opened {
    /// The node.
    pub node: Arc<Node>,
    /// The operator's token, if it was issued just now.
    pub operator_token: Option<String>,
    /// How many envelopes were replayed after the snapshot.
    pub replayed: u64,
}

type Stores = (Box<dyn Journal>, Box<dyn EntityStore>, NewReader);
type NewReader = Box<dyn Fn() -> Box<dyn LogReader> + Send + Sync>;

/// Opens a realm, and founds it if its log is empty.
///
/// # Errors
/// [`BootError`].
pub async fn open(
    storage: Storage,
    name: &Handle,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
) -> Result<Opened, BootError> {
    let (mut journal, mut entities, new_reader) = stores(&storage)?;
    let secrets = secrets(&storage, journal.head().position == 0, chance.as_ref())?;
    let seed = chance
        .bytes()
        .first_chunk::<8>()
        .map_or(0, |b| u64::from_le_bytes(*b));
    let (state, replayed) = restore(journal.as_mut(), entities.as_mut(), seed)?;
    let empty = state.position() == 0;
    let key = secrets.public_key();
    let config = NodeConfig {
        clock,
        chance,
        secrets,
    };
    let started = Node::start(state, journal, entities, new_reader, config);
    let node = started.map_err(|source| BootError::Io {
        doing: "start the node's threads".into(),
        source,
    })?;
    let mut operator_token = None;
    if empty {
        let token = found(&node, name, key).await?;
        if let Storage::Folder { data, .. } = &storage {
            write_private(&data.join("operator.token"), &format!("{token}\n"))?;
        }
        operator_token = Some(token);
    }
    Ok(Opened {
        node,
        operator_token,
        replayed,
    })
}

fn stores(storage: &Storage) -> Result<Stores, BootError> {
    match storage {
        Storage::Memory => {
            let disk = MemoryDisk::default();
            let journal = MemoryJournal::open(&disk)?;
            let for_readers = disk.clone();
            let new_reader: NewReader = Box::new(move || Box::new(MemoryReader::new(&for_readers)));
            Ok((
                Box::new(journal),
                Box::new(MemoryEntities::default()),
                new_reader,
            ))
        }
        Storage::Folder {
            data: folder,
            archive,
        } => {
            make_folder(folder)?;
            let journal = SqliteJournal::open(folder)?.with_archive(archive.as_deref());
            let entities = open_entities(&folder.join("entities.db"))?;
            let (own, archive) = (folder.clone(), archive.clone());
            let new_reader: NewReader = Box::new(move || {
                Box::new(SqliteReader::lazy(&own).with_archive(archive.as_deref()))
            });
            Ok((Box::new(journal), Box::new(entities), new_reader))
        }
    }
}

/// The data folder is for its owner only: it holds secrets and private messages.
fn make_folder(folder: &Path) -> Result<(), BootError> {
    let failed = |doing: &str, source| BootError::Io {
        doing: format!("{doing} {}", folder.display()),
        source,
    };
    private::create_folder(folder).map_err(|e| failed("create", e))?;
    let found = private::close_folder(folder).map_err(|e| failed("look into", e))?;
    let folder = folder.display();
    match found {
        Openness::Private => {}
        Openness::Closed(mode) => {
            tracing::warn!("{folder} was open to other users (mode {mode:o}) and is now closed");
        }
        Openness::Open(mode) => tracing::warn!(
            "{folder} is open to other users (mode {mode:o}) and holds other things than the realm or is \
             another user's: keep the realm in a folder of its own"
        ),
    }
    Ok(())
}

/// The entity table can always be rebuilt, so a damaged one is replaced by a new one.
pub(super) fn open_entities(path: &Path) -> Result<SqliteEntities, BootError> {
    match SqliteEntities::open(path) {
        Ok(entities) => Ok(entities),
        Err(
            JournalError::Corrupt { .. }
            | JournalError::NewerVersion { .. }
            | JournalError::Foreign { .. },
        ) => {
            tracing::warn!("the entity table cannot be used and is rebuilt from the log");
            for end in ["", "-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(end);
                // A missing file is as good as a removed one.
                let _ = std::fs::remove_file(name);
            }
            Ok(SqliteEntities::open(path)?)
        }
        Err(error) => Err(error.into()),
    }
}

fn secrets(
    storage: &Storage,
    fresh_log: bool,
    chance: &dyn Chance,
) -> Result<RealmSecrets, BootError> {
    let Storage::Folder { data: folder, .. } = storage else {
        return Ok(RealmSecrets::fresh(chance));
    };
    let path = folder.join("realm.key");
    if path.exists() || !fresh_log {
        return Ok(RealmSecrets::load(&path)?);
    }
    let secrets = RealmSecrets::fresh(chance);
    secrets.store(&path)?;
    Ok(secrets)
}

/// The state at the journal's head: the snapshot, if it belongs to this log, or else the state that the
/// log begins with, and what came after it. Returns it with the number of envelopes replayed.
///
/// # Errors
/// [`BootError`] when the log cannot be read or does not lead to a consistent state.
pub fn restore(
    journal: &mut dyn Journal,
    entities: &mut dyn EntityStore,
    seed: u64,
) -> Result<(State, u64), BootError> {
    let mut reader = journal.reader();
    let mut state = match load_snapshot(reader.as_mut(), entities, seed)? {
        Some(state) => state,
        None => begin_anew(reader.as_mut(), entities, seed)?,
    };
    let from = state.position();
    let erased = replay(reader.as_mut(), &mut state)?;
    if !erased.is_empty() {
        // The process may have ended between an erasure's being logged and its being carried out.
        let names = names_of(reader.as_mut(), &erased)?;
        drop(reader);
        match journal.erase(&names) {
            // Somebody else reads, such as a backup; the next erasure finishes it.
            Ok(_) | Err(JournalError::EraseIncomplete) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((state, journal.head().position - from))
}

/// The state that the log begins with, and an entity table that holds it: empty, or that at the end of
/// what is archived.
fn begin_anew(
    reader: &mut dyn LogReader,
    entities: &mut dyn EntityStore,
    seed: u64,
) -> Result<State, BootError> {
    entities.reset()?;
    let Some(base) = reader.base()? else {
        return Ok(State::new(seed));
    };
    let loaded = match fill(reader, entities, &base) {
        Ok(()) => load_snapshot(reader, entities, seed)?,
        Err(BootError::Corrupt { .. }) => None,
        Err(error) => return Err(error),
    };
    match loaded {
        Some(state) => Ok(state),
        None if reader.start()? == Head::EMPTY => {
            tracing::warn!(
                "the state that the log begins with is damaged: all is replayed from the archive"
            );
            entities.reset()?;
            Ok(State::new(seed))
        }
        None => Err(base_damaged(&base)),
    }
}

/// Fills an empty entity table with the entities that the log begins with. It stays at position 0 until
/// they are known to be the right ones and the last batch is there, so that a table that was left half
/// filled counts as a new one.
fn fill(
    reader: &mut dyn LogReader,
    entities: &mut dyn EntityStore,
    base: &Checkpoint,
) -> Result<(), BootError> {
    const BATCH_BYTES: usize = 8 << 20;
    let (mut batch, mut bytes, mut written) = (Vec::new(), 0, Ok(()));
    let mut sum = StateSum::default();
    reader.base_entities(&mut |key, value| {
        sum.digest.add(&entity_hash(key, value));
        sum.entities += 1;
        batch.push((key.to_vec(), Some(value.to_vec())));
        bytes += key.len() + value.len();
        if bytes >= BATCH_BYTES && written.is_ok() {
            written = entities.apply(0, GENESIS, &batch).map(drop);
            batch.clear();
            bytes = 0;
        }
    })?;
    written?;
    if sum != base.state {
        return Err(base_damaged(base));
    }
    entities.apply(base.last, base.chain, &batch)?;
    Ok(())
}

fn base_damaged(base: &Checkpoint) -> BootError {
    BootError::Corrupt {
        position: base.last,
        what: "the state that the log begins with is damaged; the server can replay all from the archive: name its folder \
               with --archive",
    }
}

/// The state that a log begins with where frames are archived, compared with the digest in its
/// checkpoint; nothing if the log has all of its frames.
///
/// # Errors
/// [`BootError`].
pub fn base_state(
    reader: &mut dyn LogReader,
    seed: u64,
) -> Result<Option<(State, Checkpoint)>, BootError> {
    let Some(base) = reader.base()? else {
        return Ok(None);
    };
    let (mut state, mut bad) = (State::new(seed), false);
    let mut sum = StateSum::default();
    reader.base_entities(&mut |key, value| {
        sum.digest.add(&entity_hash(key, value));
        sum.entities += 1;
        bad |= state.load_entity(key, value).is_err();
    })?;
    if bad || sum != base.state {
        return Err(base_damaged(&base));
    }
    state.loaded(base.last);
    Ok(Some((state, base)))
}

fn load_snapshot(
    reader: &mut dyn LogReader,
    entities: &mut dyn EntityStore,
    seed: u64,
) -> Result<Option<State>, BootError> {
    let at = entities.state();
    if at.position == 0 {
        return Ok(None);
    }
    let on_log = match reader.base()? {
        Some(base) if at.position <= base.last => {
            (at.position, at.chain) == (base.last, base.chain)
        }
        _ => {
            let frame = reader.read_from(at.position, 0)?.into_iter().next();
            frame.is_some_and(|f| f.last() == at.position && f.chain == at.chain)
        }
    };
    if !on_log {
        tracing::warn!(
            position = at.position,
            "the entity table does not belong to this log and is rebuilt"
        );
        return Ok(None);
    }
    let mut state = State::new(seed);
    let mut bad = false;
    let loaded = entities.load(&mut |key, value| bad |= state.load_entity(key, value).is_err());
    match loaded {
        Ok(_) if !bad => {}
        Ok(_) | Err(JournalError::Corrupt { .. }) => {
            tracing::warn!("the entity table is damaged and is rebuilt from the log");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    }
    state.loaded(at.position);
    Ok(Some(state))
}

/// Applies what the log holds after the state's position; returns the contents it erases.
fn replay(reader: &mut dyn LogReader, state: &mut State) -> Result<Vec<u64>, BootError> {
    const READ_BYTES: usize = 4 << 20;
    let mut erased = Vec::new();
    loop {
        let frames = reader.read_from(state.position() + 1, READ_BYTES)?;
        if frames.is_empty() {
            return Ok(erased);
        }
        for frame in frames {
            for (position, facts) in (frame.first..).zip(&frame.envelopes) {
                if position <= state.position() {
                    continue;
                }
                let envelope = decode(position, facts)?;
                state.apply(&envelope);
                if state.changes.defects() > 0 {
                    return Err(BootError::Corrupt {
                        position,
                        what: "an event does not fit the state",
                    });
                }
                erased.extend(envelope.events.iter().flat_map(erased_by));
            }
        }
        drop(state.changes.take_delivered());
    }
}

pub(super) fn decode(position: u64, facts: &[u8]) -> Result<Envelope, BootError> {
    Envelope::decode(facts).map_err(|why| match why {
        BadEnvelope::Newer(version) => BootError::Newer(version),
        BadEnvelope::Malformed => BootError::Corrupt {
            position,
            what: "not an envelope",
        },
    })
}

fn erased_by(event: &Event) -> Vec<u64> {
    match event {
        Event::Mail(event) => writer::erased(event).collect(),
        // Only mail erases.
        _ => Vec::new(),
    }
}

/// Founds the realm with its first asset, and returns the operator's token.
async fn found(
    node: &Node,
    name: &Handle,
    key: rialto_core::hash::Hash,
) -> Result<String, BootError> {
    let founding = RealmCommand::Found(Found {
        name: name.clone(),
        key,
    });
    let secrets = local(node, Principal::Realm, founding.into()).await?;
    let code = AssetCode::new("USD").map_err(|_| BootError::Founding(Code::Defect.into()))?;
    local(
        node,
        Principal::Operator,
        LedgerCommand::CreateAsset(CreateAsset { code, scale: 9 }).into(),
    )
    .await?;
    secrets
        .into_iter()
        .next()
        .ok_or(BootError::Founding(Code::Defect.into()))
}

/// Carries out a command for whoever has the data folder.
async fn local(
    node: &Node,
    principal: Principal,
    command: Command<rialto_core::text::Sealed>,
) -> Result<Vec<String>, BootError> {
    let request = Request {
        principal,
        auth: Auth::Local,
        acting: None,
        key: None,
        cause: None,
    };
    let ask = Ask {
        request,
        command,
        contents: Vec::new(),
        custody: None,
        leaked: Vec::new(),
    };
    match node.ask(ask).await.map_err(BootError::Node)?.reply {
        Reply::Accepted { secrets, .. } => {
            Ok(secrets.into_iter().map(|(_, secret)| secret).collect())
        }
        Reply::Refused(rejection) => Err(BootError::Founding(rejection)),
        Reply::Duplicate { .. } | Reply::Nothing => Ok(Vec::new()),
    }
}

/// Accepts that the clock has jumped ahead, for whoever has the data folder.
///
/// # Errors
/// [`BootError`].
pub async fn accept_clock(node: &Node) -> Result<(), BootError> {
    let accept = RealmCommand::AcceptClock(Nothing {});
    local(node, Principal::Operator, accept.into())
        .await
        .map(|_| ())
}

/// Issues a new operator token for whoever has the data folder, and stores it there.
///
/// # Errors
/// [`BootError`].
pub async fn reset_operator_token(node: &Node, folder: &Path) -> Result<(), BootError> {
    let secrets = local(
        node,
        Principal::Operator,
        RealmCommand::ResetOperatorToken(Nothing {}).into(),
    )
    .await?;
    let token = secrets
        .into_iter()
        .next()
        .ok_or(BootError::Founding(Code::Defect.into()))?;
    Ok(write_private(
        &folder.join("operator.token"),
        &format!("{token}\n"),
    )?)
}

/// Gives the realm a new signing key. Keys in the realm's custody stay as they are.
///
/// # Errors
/// [`BootError`].
pub async fn rotate_realm_key(node: &Node, folder: &Path) -> Result<(), BootError> {
    let rotated = node.secrets().rotated(node.chance());
    // Stored first under another name: the log must never name a key that nobody holds.
    let (next, path) = (folder.join("realm.key.next"), folder.join("realm.key"));
    rotated.store(&next)?;
    let key = rotated.public_key();
    local(
        node,
        Principal::Operator,
        RealmCommand::RotateRealmKey(RotateRealmKey { key }).into(),
    )
    .await?;
    std::fs::rename(&next, &path).map_err(|source| BootError::Io {
        doing: format!("rename {}", next.display()),
        source,
    })
}
