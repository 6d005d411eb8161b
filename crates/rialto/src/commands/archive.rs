//! `rialto log archive`: moves the beginning of a stopped realm's log into an archive.
//!
//! Parses, calls and prints; the work is [`rialto_server::node::archive`]'s.

use std::path::PathBuf;

use clap::Args;
use rialto_core::time::Time;
use rialto_server::node::{Archived, Step, SystemChance};
use serde_json::json;

use super::parse;
use super::storage::DataFolder;
use crate::output::{CliError, Output};

/// What to archive, and where to.
#[derive(Debug, Args)]
pub(crate) struct ArchiveArgs {
    #[command(flatten)]
    folder: DataFolder,
    /// Archive what happened before this day or time (UTC), such as 2026-11-01.
    #[arg(long, value_name = "DATE", value_parser = parse::instant)]
    before: u64,
    /// The folder that takes the segments; it may hold the realm's earlier ones.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Archives the beginning of a log.
///
/// # Errors
/// As the log's, or when a segment cannot be written.
pub(crate) fn run(args: &ArchiveArgs, out: Output) -> Result<(), CliError> {
    let data = args.folder.path()?;
    let bar = out.progress("archive", 0);
    let mut hear = |step: &Step| match step {
        Step::Written(checkpoint) => bar.set_length(checkpoint.last),
        Step::Removed(checkpoint) => bar.set_position(checkpoint.last),
        Step::Done => bar.set_message("giving space back"),
    };
    let done =
        rialto_server::node::archive(&data, Time(args.before), &args.to, &SystemChance, &mut hear);
    bar.finish_and_clear();
    tell(out, args, &done?)
}

fn tell(out: Output, args: &ArchiveArgs, done: &Archived) -> Result<(), CliError> {
    let to = args.to.display();
    out.json(&json!({
        "folder": args.to, "from": done.from, "until": done.until, "segments": done.segments,
        "frames": done.frames, "frame_bytes": done.frame_bytes, "segment_bytes": done.segment_bytes,
        "log_bytes_before": done.log_bytes_before, "log_bytes_after": done.log_bytes_after, "cut": done.cut,
    }))?;
    if !done.cut {
        out.note(
            "log.db keeps its size for now: the disk is too full to write it anew, or another program reads it; \
             later events fill the room, or run this again",
        );
    }
    if done.segments == 0 {
        return out.line(format!(
            "nothing to archive: no frame after position {} is from before then, besides the newest, which stays",
            done.until
        ));
    }
    out.line(format!(
        "the positions {} to {} are in {} segments in {to}: {} frames, {} bytes, compressed {}",
        done.from, done.until, done.segments, done.frames, done.frame_bytes, done.segment_bytes
    ))?;
    out.line(format!(
        "log.db had {} bytes and has {}",
        done.log_bytes_before, done.log_bytes_after
    ))?;
    out.note(format!(
        "keep the segments: a rebuild of the views needs them, with --archive {to}"
    ));
    Ok(())
}
