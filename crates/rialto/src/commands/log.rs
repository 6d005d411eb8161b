//! `rialto log …`: the log, read over a server or straight from a data folder.
//!
//! Reading a data folder changes nothing in it and works beside a running server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rialto_core::event::{BadEnvelope, Envelope, Event};
use rialto_core::id::{AgentId, AssetId};
use rialto_core::identity::{IdentityEvent, Principal};
use rialto_core::ledger::LedgerEvent;
use rialto_core::reject::Code;
use rialto_core::state::State;
use rialto_journal::digest::{Digest, entity_hash};
use rialto_journal::entities::{EntityStore, MemoryEntities};
use rialto_journal::segment::StateSum;
use rialto_journal::sqlite::SqliteReader;
use rialto_journal::{Checkpoint, Hash, JournalError, LogReader, StoredFrame};
use rialto_server::node::{base_state, content_refs, name_of};
use rialto_views::{EventFilter, Scale, readable};
use rialto_wire::body::{Body, content_hash};
use serde_json::{Map, Value, json};

use super::archive::{self, ArchiveArgs};
use super::remote::{self, Remote};
use super::show;
use super::storage::{ArchiveFolder, DataFolder, journal_error, positions};
use crate::output::{CliError, Exit, Output};

/// How much of the log is read at once, in bytes.
const READ_BYTES: usize = 4 << 20;
/// How many rows are shown by default.
const ROWS: u32 = 20;

/// The log: every event, in order.
#[derive(Debug, Args)]
pub struct LogArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: LogCommand,
}

/// Which events.
#[derive(Debug, Args)]
struct Selected {
    /// Only the event at this position, with its texts.
    position: Option<u64>,
    /// Events after this position.
    #[arg(long, value_name = "POSITION", conflicts_with = "position")]
    after: Option<u64>,
    /// How many, 1 to 100.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: Option<u32>,
    /// Only events of this kind, such as market.deal_agreed.
    #[arg(long)]
    kind: Option<String>,
    /// Only events by this agent (@handle or id), or by the person with this id.
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Read this data folder instead of asking a server.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    archive: ArchiveFolder,
}

#[derive(Debug, Subcommand)]
enum LogCommand {
    /// Prints events, oldest first.
    Show {
        #[command(flatten)]
        selected: Selected,
    },
    /// Walks the chain of a data folder's log, replays the log, checks its contents and prints head
    /// and digest. What is archived is verified too if its folder is named; otherwise the log is
    /// verified from the signed checkpoint at its beginning on.
    Verify {
        #[command(flatten)]
        folder: DataFolder,
        #[command(flatten)]
        archive: ArchiveFolder,
    },
    /// Moves what happened before a date out of a data folder's log, into compressed segments with
    /// signed checkpoints in another folder. Stop the server first. Nothing needs them afterwards
    /// but a rebuild of the views and a verification of the whole.
    Archive(ArchiveArgs),
    /// Asks the server for the digest of its state; for the operator.
    Digest,
}

/// Runs one log command.
///
/// # Errors
/// As the server's or the log's, or when the output cannot be written.
pub(crate) async fn run(args: LogArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        LogCommand::Show { selected } => match selected.data.clone() {
            Some(data) => show_offline(out, &data, &selected),
            None => show_online(remote, out, &selected).await,
        },
        LogCommand::Verify { folder, archive } => {
            verify(out, &folder.path()?, archive.path()?.as_deref())
        }
        LogCommand::Archive(args) => archive::run(&args, out),
        LogCommand::Digest => {
            let digest = remote.client()?.get("/api/digest").await?;
            show::record(out, &digest)
        }
    }
}

async fn show_online(remote: &Remote, out: Output, selected: &Selected) -> Result<(), CliError> {
    let client = remote.client()?;
    if let Some(position) = selected.position {
        return show::record(out, &client.get(&format!("/api/log/{position}")).await?);
    }
    let parameters = [
        ("after", selected.after.map(|n| n.to_string())),
        ("limit", selected.limit.map(|n| n.to_string())),
        ("kind", selected.kind.clone()),
        ("actor", selected.actor.clone()),
    ];
    let page = client.get(&remote::query("/api/log", &parameters)).await?;
    let more = page.get("next_cursor").is_some_and(|c| !c.is_null());
    print(out, &page, more)
}

fn print(out: Output, page: &Value, more: bool) -> Result<(), CliError> {
    out.json(page)?;
    if out.is_json() {
        return Ok(());
    }
    let envelopes = show::rows_of(page);
    let rows: Vec<Value> = envelopes.iter().map(row).collect();
    if rows.is_empty() {
        out.note("nothing found");
        return Ok(());
    }
    let columns = [
        ("POSITION", "/position"),
        ("AT", "/at"),
        ("BY", "/by"),
        ("WHAT", "/what"),
        ("SAID", "/said"),
        ("IDS", "/ids"),
        ("CAUSE", "/cause"),
    ];
    show::table(out, &rows, &columns)?;
    if let Some(last) = rows.last().and_then(|r| r.get("position")).filter(|_| more) {
        out.note(format!("there are more: --after {last}"));
    }
    Ok(())
}

/// An envelope as a row: who did what.
fn row(envelope: &Value) -> Value {
    let events = envelope
        .get("events")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let kinds: Vec<String> = events.iter().filter_map(kind).collect();
    let actor = envelope.get("actor").filter(|a| !a.is_null());
    // Only the server knows names.
    let by = envelope.get("by");
    json!({
        "position": envelope.get("position"), "at": envelope.get("at"), "ids": envelope.get("ids"),
        "by": by.or(actor).or_else(|| envelope.get("principal")), "cause": envelope.get("cause"), "what": kinds,
        "said": envelope.get("said"),
    })
}

/// The kind of an event: `market.deal_agreed`.
fn kind(event: &Value) -> Option<String> {
    let (room, inner) = event.as_object()?.iter().next()?;
    let name = match inner {
        Value::String(name) => name,
        other => other.as_object()?.keys().next()?,
    };
    Some(format!("{room}.{name}"))
}

fn show_offline(out: Output, data: &Path, selected: &Selected) -> Result<(), CliError> {
    let filter = EventFilter {
        kind: selected.kind.clone(),
        ..EventFilter::default()
    };
    filter
        .check()
        .map_err(|why| CliError::usage(why.to_string()))?;
    let archive = selected.archive.path()?;
    let mut reader = SqliteReader::open(data)
        .map_err(journal_error)?
        .with_archive(archive.as_deref());
    // Which assets there are stands in the events before those that are shown, or in the state that
    // the log begins with.
    let (mut assets, mut handles) = (BTreeMap::new(), BTreeMap::new());
    let start = reader.start().map_err(journal_error)?.position;
    if start > 0
        && let Some((state, _)) = base_state(&mut reader, 0)?
    {
        state.assets.for_each(|id, asset| {
            assets.insert(*id, (asset.code.to_string(), asset.scale));
        });
        state.agents.for_each(|id, agent| {
            handles.insert(*id, agent.handle.to_string());
        });
    }
    if let Some(position) = selected.position {
        if position <= start {
            // Says which segment has it.
            reader.read_from(position, 0).map_err(journal_error)?;
        }
        let mut found = None;
        each_envelope(&mut reader, &mut |at, envelope| {
            learn_assets(envelope, &mut assets);
            if at == position {
                found = Some(envelope.clone());
            }
            Ok(at < position)
        })?;
        let envelope = found
            .ok_or_else(|| CliError::coded(Code::NotFound, &format!("position {position}")))?;
        let texts = texts(&mut reader, &envelope)?;
        let envelope = readable(&envelope, &mut |id| assets.get(&id).cloned());
        return show::record(out, &json!({ "envelope": envelope, "texts": texts }));
    }
    let after = selected.after.unwrap_or(start);
    if after < start {
        reader.read_from(after + 1, 0).map_err(journal_error)?;
    }
    if start > 0 && selected.after.is_none() {
        out.note(format!(
            "the positions 1 to {start} are archived: --archive DIR shows them"
        ));
    }
    let limit = usize::try_from(selected.limit.unwrap_or(ROWS)).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    each_envelope(&mut reader, &mut |at, envelope| {
        learn_assets(envelope, &mut assets);
        learn_handles(envelope, &mut handles);
        if at > after && is_by(envelope, selected.actor.as_deref(), &handles) {
            let value = readable(envelope, &mut |id| assets.get(&id).cloned());
            found.extend(Some(value).filter(|v| is_of(v, selected.kind.as_ref())));
        }
        // One more than is shown tells that there are more.
        Ok(found.len() <= limit)
    })?;
    let more = found.len() > limit;
    found.truncate(limit);
    print(out, &json!({ "items": found }), more)
}

/// Whether an agent, by handle or id, or a person, by id, did it.
fn is_by(envelope: &Envelope, who: Option<&str>, handles: &BTreeMap<AgentId, String>) -> bool {
    let Some(who) = who else { return true };
    let is_person = match envelope.principal {
        Principal::Person(person) => person.to_string() == who,
        _ => false,
    };
    let agent = match envelope.principal {
        Principal::Agent(agent) => Some(agent),
        _ => envelope.actor,
    };
    let named = format!("@{}", who.trim_start_matches('@'));
    let is_agent = |agent: AgentId| {
        let handle = handles.get(&agent).map(String::as_str);
        agent.to_string() == who || handle == Some(named.as_str())
    };
    is_person || agent.is_some_and(is_agent)
}

fn is_of(envelope: &Value, wanted: Option<&String>) -> bool {
    let events = envelope
        .get("events")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let of_kind = |k: &String| events.iter().any(|event| kind(event).as_ref() == Some(k));
    wanted.is_none_or(of_kind)
}

/// Notes the handle of an agent that is registered.
fn learn_handles(envelope: &Envelope, handles: &mut BTreeMap<AgentId, String>) {
    for event in &envelope.events {
        if let Event::Identity(IdentityEvent::AgentRegistered { agent, handle, .. }) = event {
            handles.insert(*agent, handle.to_string());
        }
    }
}

/// Notes the code and scale of an asset that is created.
fn learn_assets(envelope: &Envelope, assets: &mut BTreeMap<AssetId, Scale>) {
    for event in &envelope.events {
        if let Event::Ledger(LedgerEvent::AssetCreated {
            asset, code, scale, ..
        }) = event
        {
            assets.insert(*asset, (code.to_string(), *scale));
        }
    }
}

/// Reads envelopes with their positions until `visit` says that it has enough.
fn each_envelope(
    reader: &mut dyn LogReader,
    visit: &mut dyn FnMut(u64, &Envelope) -> Result<bool, CliError>,
) -> Result<(), CliError> {
    let mut next = reader.start().map_err(journal_error)?.position + 1;
    loop {
        let frames = reader.read_from(next, READ_BYTES).map_err(journal_error)?;
        let Some(last) = frames.last().map(StoredFrame::last) else {
            return Ok(());
        };
        for frame in frames {
            for (position, facts) in (frame.first..).zip(&frame.envelopes) {
                if !visit(position, &decode(position, facts)?)? {
                    return Ok(());
                }
            }
        }
        next = last + 1;
    }
}

fn decode(position: u64, facts: &[u8]) -> Result<Envelope, CliError> {
    Envelope::decode(facts).map_err(|why| match why {
        BadEnvelope::Newer(version) => CliError::coded(
            Code::LogNewer,
            &format!("envelope version {version} at position {position}"),
        ),
        BadEnvelope::Malformed => damaged(position, "not an envelope"),
    })
}

fn damaged(position: u64, what: &str) -> CliError {
    journal_error(JournalError::Corrupt {
        position,
        what: what.to_owned(),
    })
}

/// The texts that an envelope names, by content id; null once erased.
fn texts(reader: &mut dyn LogReader, envelope: &Envelope) -> Result<Map<String, Value>, CliError> {
    let mut texts = Map::new();
    for reference in envelope.events.iter().flat_map(content_refs) {
        let stored = reader
            .content(&name_of(&reference))
            .map_err(journal_error)?;
        let body = stored.and_then(|content| Body::from_bytes(&content.bytes).ok());
        let body = serde_json::to_value(body).map_err(|e| CliError::bug(e.to_string()))?;
        texts.insert(reference.id.to_string(), body);
    }
    Ok(texts)
}

/// Compares the checkpoints of archived segments with the state as it is replayed.
#[derive(Default)]
struct Checkpoints {
    /// The state up to what was replayed, as far as there is another checkpoint.
    entities: MemoryEntities,
    /// The next one.
    next: Option<Checkpoint>,
    /// The keys that the realm has had.
    keys: BTreeSet<Hash>,
    /// The keys that signed, each with a segment that it signed.
    signed: BTreeMap<Hash, String>,
}

impl Checkpoints {
    fn signed(&mut self, checkpoint: &Checkpoint) {
        let name = checkpoint.file_name();
        self.signed.insert(checkpoint.key, name);
    }

    fn knows(&mut self, state: &State) {
        let key = state.realm.get(&()).map(|realm| *realm.key.bytes());
        self.keys.extend(key);
    }

    /// Looks for the first checkpoint that ends after a position.
    fn look(&mut self, reader: &mut SqliteReader, position: u64) -> Result<(), CliError> {
        let found = reader.checkpoints(position, 1).map_err(journal_error)?;
        self.next = found.into_iter().next();
        Ok(())
    }

    /// Follows the state after a frame.
    fn pass(&mut self, reader: &mut SqliteReader, state: &mut State) -> Result<(), CliError> {
        self.knows(state);
        let touched = state.changes.take_touched();
        let Some(checkpoint) = &self.next else {
            return Ok(());
        };
        let changed: Vec<_> = touched
            .iter()
            .map(|key| (key.to_vec(), state.encode_entity(key)))
            .collect();
        let at = state.position();
        let sum = self
            .entities
            .apply(at, [0; 32], &changed)
            .map_err(journal_error)?;
        if at < checkpoint.last {
            return Ok(());
        }
        let told = (checkpoint.last, checkpoint.state);
        let found = StateSum {
            digest: sum.digest,
            entities: sum.count,
        };
        if told != (at, found) {
            return Err(refused(checkpoint, "the state at its end is another one"));
        }
        let checkpoint = checkpoint.clone();
        self.signed(&checkpoint);
        self.look(reader, at)
    }

    /// Whether only the realm has signed. A key that replaces another may sign what happened before.
    fn end(&self) -> Result<(), CliError> {
        let strange = self
            .signed
            .iter()
            .find(|(key, _)| !self.keys.contains(*key));
        let Some((_, name)) = strange else {
            return Ok(());
        };
        Err(journal_error(JournalError::BadSegment {
            name: name.clone(),
            what: "it is signed by a key that the realm never had".into(),
        }))
    }
}

fn refused(checkpoint: &Checkpoint, what: &str) -> CliError {
    journal_error(JournalError::BadSegment {
        name: checkpoint.file_name(),
        what: what.to_owned(),
    })
}

/// What replaying a log came to.
#[derive(Default)]
struct Replayed {
    contents: u64,
    erased: u64,
}

fn verify(out: Output, data: &Path, archive: Option<&Path>) -> Result<(), CliError> {
    let mut reader = SqliteReader::open(data)
        .map_err(journal_error)?
        .with_archive(archive);
    let (bar, mut advance) = positions(out, "chain");
    let report = rialto_journal::verify(&mut reader, &mut advance).map_err(journal_error)?;
    bar.finish_and_clear();
    let (bar, mut advance) = positions(out, "replay");
    let end = report.head.position;
    let archived = reader.base().map_err(journal_error)?;
    let archived = archived.map_or(0, |base| base.last);
    let (state, replayed) = replay(&mut reader, report.start.position, end, &mut advance)?;
    bar.finish_and_clear();
    let (digest, entities) = digest(&state)?;
    let chain: String = report
        .head
        .chain
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let answer = json!({
        "position": end, "frames": report.frames, "bytes": report.envelope_bytes, "chain": chain,
        "digest": format!("b3:{digest}"), "entities": entities, "contents": replayed.contents,
        "erased": replayed.erased, "archived": archived, "verified_from": report.start.position + 1,
    });
    out.json(&answer)?;
    out.line(format!("position  {end}"))?;
    if archived > 0 {
        let told = match report.start.position {
            0 => "and verified, with every signed checkpoint",
            _ => "and not read: verified from the signed checkpoint on; --archive DIR verifies all",
        };
        out.line(format!("archived  1 to {archived}, {told}"))?;
    }
    out.line(format!("chain     {chain}"))?;
    out.line(format!("digest    b3:{digest}"))?;
    out.line(format!(
        "the log holds: {} frames, {} bytes of facts, {} contents ({} erased), {entities} entities",
        report.frames, report.envelope_bytes, replayed.contents, replayed.erased
    ))
}

/// Replays a log up to a position, from the first one or from the state at the end of what is archived,
/// and checks every content against the hash that names it and every checkpoint that it passes.
fn replay(
    reader: &mut SqliteReader,
    start: u64,
    end: u64,
    advance: &mut dyn FnMut(u64, u64),
) -> Result<(State, Replayed), CliError> {
    let mut state = State::new(0);
    let mut checkpoints = Checkpoints::default();
    if start > 0
        && let Some((base, checkpoint)) = base_state(reader, 0)?
    {
        state = base;
        checkpoints.signed(&checkpoint);
    }
    checkpoints.knows(&state);
    checkpoints.look(reader, state.position())?;
    let mut replayed = Replayed::default();
    while state.position() < end {
        let frames = reader
            .read_from(state.position() + 1, READ_BYTES)
            .map_err(journal_error)?;
        if frames.is_empty() {
            return Err(damaged(
                state.position() + 1,
                "the log ends before its head",
            ));
        }
        for frame in frames {
            for (position, facts) in (frame.first..).zip(&frame.envelopes) {
                if position > end {
                    break;
                }
                let envelope = decode(position, facts)?;
                state.apply(&envelope);
                if state.changes.defects() > 0 {
                    return Err(damaged(position, "an event does not fit the state"));
                }
                check_contents(reader, position, &envelope, &mut replayed)?;
            }
            checkpoints.pass(reader, &mut state)?;
        }
        // What was delivered is of no use here.
        drop(state.changes.take_delivered());
        advance(state.position(), end);
    }
    checkpoints.end()?;
    Ok((state, replayed))
}

fn check_contents(
    reader: &mut SqliteReader,
    position: u64,
    envelope: &Envelope,
    replayed: &mut Replayed,
) -> Result<(), CliError> {
    for reference in envelope.events.iter().flat_map(content_refs) {
        replayed.contents += 1;
        match reader
            .content(&name_of(&reference))
            .map_err(journal_error)?
        {
            None => replayed.erased += 1,
            Some(content) if content_hash(&content.salt, &content.bytes) == reference.hash => {}
            Some(_) => {
                let what = format!("{} does not match its hash", reference.id);
                return Err(damaged(position, &what));
            }
        }
    }
    Ok(())
}

fn digest(state: &State) -> Result<(Digest, u64), CliError> {
    let mut digest = Digest::default();
    let (mut entities, mut missing) = (0_u64, 0_u64);
    state.for_each_key(|key| match state.encode_entity(&key) {
        Some(value) => {
            digest.add(&entity_hash(&key.to_vec(), &value));
            entities += 1;
        }
        None => missing += 1,
    });
    if missing > 0 {
        return Err(CliError::new(
            Exit::Bug,
            format!("{missing} entities have a key but no value"),
        )
        .code(Code::Defect.to_string()));
    }
    Ok((digest, entities))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_the_realm_has_had_sign() {
        let mut checkpoints = Checkpoints::default();
        checkpoints.keys.extend([[1; 32], [3; 32]]);
        checkpoints.signed.insert([3; 32], "first".into());
        assert!(checkpoints.end().is_ok());
        checkpoints.signed.insert([2; 32], "second".into());
        let refused = checkpoints.end().unwrap_err();
        assert!(
            refused.message.contains("segment second"),
            "{}",
            refused.message
        );
    }

    #[test]
    fn rows_name_who_and_what() {
        let envelope = json!({
            "position": 7, "at": "2026-11-22T12:40:34.567Z", "principal": { "kind": "operator" }, "actor": null,
            "cause": null, "ids": [], "events": [{ "ledger": { "entries": {} } }, { "realm": "clock_accepted" }],
        });
        let row = row(&envelope);
        assert_eq!(
            row["what"],
            json!(["ledger.entries", "realm.clock_accepted"])
        );
        assert_eq!(row["by"], json!({ "kind": "operator" }));
    }
}
