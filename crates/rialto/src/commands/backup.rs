//! `rialto backup` and `rialto restore`: copies of a realm's data folder.
//!
//! Both work on files and beside a running server. A backup holds the log with its texts, encrypted,
//! and their keys in a file of its own, which may be kept apart and renewed; secrets only when asked
//! for. Views and the entity table are rebuilt from the log.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use rialto_core::reject::Code;
use rialto_journal::{BackupReport, KeysFrom, private};
use serde_json::json;

use super::storage::{DataFolder, journal_error, positions};
use crate::output::{CliError, Exit, Output};

/// The files with secrets that a data folder has beside its log.
const SECRETS: [&str; 2] = ["realm.key", "operator.token"];

/// What to back up, and where to.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// A new or empty folder, which then only its owner can read. The keys of the texts are in its
    /// keys.db, which can be kept apart: without it, no text of the backup can be read.
    target: PathBuf,
    #[command(flatten)]
    folder: DataFolder,
    /// Also copy the realm's key and the operator's token. A realm cannot start without its key:
    /// keep a copy of it somewhere.
    #[arg(long)]
    with_secrets: bool,
    /// Only renew keys.db of a backup that is there already: texts that were erased since it was
    /// made are then erased in it too.
    #[arg(long, conflicts_with = "with_secrets")]
    keys_only: bool,
}

/// What to restore, and where to.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The folder of the backup.
    backup: PathBuf,
    #[command(flatten)]
    folder: DataFolder,
    /// The keys file, if it is not keys.db in the backup's folder.
    #[arg(long, value_name = "FILE", conflicts_with = "without_texts")]
    keys: Option<PathBuf>,
    /// Restore the log without its texts, for instance because their keys are lost. They are lost
    /// for good then.
    #[arg(long)]
    without_texts: bool,
}

/// Backs a data folder up.
///
/// # Errors
/// As the log's, or when a file cannot be copied.
pub(crate) fn backup(args: &BackupArgs, out: Output) -> Result<(), CliError> {
    let data = args.folder.path()?;
    if args.keys_only {
        rialto_journal::refresh_keys(&data, &args.target).map_err(journal_error)?;
        out.json(&json!({ "folder": args.target, "keys": "keys.db" }))?;
        return out.line(format!(
            "{} holds the keys of the texts that are not erased by now",
            args.target.display()
        ));
    }
    let (bar, mut advance) = positions(out, "backup");
    let report =
        rialto_journal::backup(&data, &args.target, &mut advance).map_err(journal_error)?;
    bar.finish_and_clear();
    let secrets = if args.with_secrets {
        copy_secrets(&data, &args.target)?
    } else {
        Vec::new()
    };
    tell(out, &report, &args.target, &secrets)
}

/// Restores a data folder from a backup, verifying it first.
///
/// # Errors
/// As the log's, or when a file cannot be copied.
pub(crate) fn restore(args: &RestoreArgs, out: Output) -> Result<(), CliError> {
    let data = args.folder.path()?;
    let (bar, mut advance) = positions(out, "restore");
    let keys = match &args.keys {
        _ if args.without_texts => KeysFrom::Nowhere,
        Some(file) => KeysFrom::File(file),
        None => KeysFrom::Backup,
    };
    let report =
        rialto_journal::restore(&args.backup, &data, keys, &mut advance).map_err(journal_error)?;
    bar.finish_and_clear();
    let secrets = copy_secrets(&args.backup, &data)?;
    if !secrets.contains(&"realm.key") {
        out.note(
            "the backup holds no realm.key: put your copy of it into the folder before serving it",
        );
    }
    tell(out, &report, &data, &secrets)
}

fn copy_secrets(from: &Path, to: &Path) -> Result<Vec<&'static str>, CliError> {
    let mut copied = Vec::new();
    for name in SECRETS {
        let (source, target) = (from.join(name), to.join(name));
        if !source.exists() {
            continue;
        }
        let failed = |e: std::io::Error| {
            CliError::new(
                Exit::Storage,
                format!("cannot copy {}: {e}", source.display()),
            )
            .code(Code::StorageFailed.to_string())
        };
        let secret = fs::read(&source).map_err(failed)?;
        let mut file = private::create_new(&target).map_err(failed)?;
        file.write_all(&secret)
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        copied.push(name);
    }
    Ok(copied)
}

fn tell(
    out: Output,
    report: &BackupReport,
    folder: &Path,
    secrets: &[&str],
) -> Result<(), CliError> {
    let (position, contents) = (report.head.position, report.contents);
    out.json(&json!({ "folder": folder, "position": position, "contents": contents, "blobs": report.blobs, "secrets": secrets }))?;
    out.line(format!(
        "{} holds the log up to position {position} with {contents} contents",
        folder.display()
    ))?;
    if !secrets.is_empty() {
        out.line(format!(
            "it holds secrets ({}): keep it as safe as the data folder",
            secrets.join(", ")
        ))?;
    }
    Ok(())
}
