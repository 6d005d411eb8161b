//! The one error type of this crate.
//!
//! Every message is one sentence for the person who runs the server and says what to do next.
//! Holds no error of SQLite or of a codec as such: they are sorted into these cases, with the
//! original kept as the source where it helps.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::Position;

/// Why the log, the entity table or a backup could not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The frame does not start where the log ends.
    #[error(
        "the frame starts at position {found} but the log expects {expected}: another writer was here, rebuild state from the log and try again"
    )]
    Conflict {
        /// The only position the log would have taken.
        expected: Position,
        /// The position the frame named.
        found: Position,
    },
    /// An earlier append failed, so nothing can be said about what is on disk.
    #[error(
        "an earlier write to the log failed and a failed sync is never retried: stop the server, free or repair the disk, and start again from the log"
    )]
    Poisoned,
    /// The caller's frame breaks a limit or a rule of the format. Nothing was written.
    #[error("the frame was refused before writing: {what}")]
    Invalid {
        /// Which rule it breaks.
        what: String,
    },
    /// Stored bytes are not what was written.
    #[error("the log is damaged at position {position}: {what}; restore the last good backup")]
    Corrupt {
        /// Position at or after which the damage was met; 0 when the file as a whole is unreadable.
        position: Position,
        /// What was found.
        what: String,
    },
    /// The data was written by a newer release.
    #[error(
        "the data has format version {found} but this release reads up to {supported}: use the newer release that wrote it"
    )]
    NewerVersion {
        /// Version found.
        found: u32,
        /// Newest version this release reads.
        supported: u32,
    },
    /// The file is a database of some other program, or no database at all.
    #[error("{path} was not written by Rialto: choose another data folder", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another server writes to this data folder.
    #[error(
        "another server is using this data folder (lock file {path}): stop it first or choose another folder",
        path = path.display()
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A read-only opening met a folder without a log.
    #[error("there is no log at {path}: check the data folder, or start a server to create it", path = path.display())]
    NotFound {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The log has encrypted contents, but the file with their keys is not there.
    #[error(
        "the keys of the contents are missing: there is no {path}; put the keys file of this realm there, or restore from a backup without its contents",
        path = path.display()
    )]
    KeysMissing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// A keys file does not belong to the contents that are to be restored with it.
    #[error(
        "the keys in {path} do not open the contents of this backup: take the keys file of the same realm, from the time of the backup or later",
        path = path.display()
    )]
    KeysOther {
        /// The keys file.
        path: PathBuf,
    },
    /// A backup or restore was pointed at a folder that holds something already.
    #[error("{path} is not empty: choose a new folder", path = path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The log was copied while in use: its write-ahead file is there but its index is not.
    #[error(
        "the log at {path} was not closed cleanly and cannot be recovered without writing: start a server on it once, then try again",
        path = path.display()
    )]
    NeedsRecovery {
        /// The log file.
        path: PathBuf,
    },
    /// The contents are erased from the log, but old bytes wait in the write-ahead file.
    #[error(
        "the contents are erased but a long read keeps old bytes in the write-ahead file: erase again when it has ended"
    )]
    EraseIncomplete,
    /// What is asked for has left the log for the archive, which is not at hand.
    #[error(
        "the positions {first} to {last} of the log are archived, in {name}{}: name the folder that holds it with --archive or the setting `archive`",
        looked.as_ref().map_or_else(String::new, |folder| format!(", which is not in {}", folder.display()))
    )]
    Archived {
        /// First position of the segment that is needed.
        first: Position,
        /// Its last position.
        last: Position,
        /// Name of its file.
        name: String,
        /// The folder that does not have it, if one was named.
        looked: Option<PathBuf>,
    },
    /// A segment is not what the log says of it, or the log's record of one is damaged.
    #[error(
        "the segment {name} cannot be used: {what}; name the folder that holds the right one, or restore it from a copy"
    )]
    BadSegment {
        /// Name of its file.
        name: String,
        /// What was found.
        what: String,
    },
    /// No room left on the device, or the quota is used up.
    #[error("the disk is full: free some space, then start the server again")]
    StorageFull,
    /// The operating system refused.
    #[error("cannot {doing}: {source}; check the disk and the permissions of the data folder")]
    Io {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// The refusal.
        #[source]
        source: io::Error,
    },
}

impl JournalError {
    pub(crate) fn corrupt(position: Position, what: impl Into<String>) -> Self {
        Self::Corrupt {
            position,
            what: what.into(),
        }
    }

    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }

    pub(crate) fn bad_segment(name: &str, what: &str) -> Self {
        Self::BadSegment {
            name: name.to_owned(),
            what: what.to_owned(),
        }
    }

    /// Sorts an error of the file system.
    pub(crate) fn io(doing: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::StorageFull,
            _ => Self::Io { doing, source },
        }
    }

    /// Sorts an error of SQLite met while reading or writing near `position`.
    pub(crate) fn sqlite(doing: &'static str, position: Position, source: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match &source {
            E::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => Self::StorageFull,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                    Self::corrupt(position, source.to_string())
                }
                _ => Self::Io {
                    doing,
                    source: io::Error::other(source),
                },
            },
            E::InvalidColumnType(..)
            | E::IntegralValueOutOfRange(..)
            | E::FromSqlConversionFailure(..) => Self::corrupt(position, source.to_string()),
            _ => Self::Io {
                doing,
                source: io::Error::other(source),
            },
        }
    }

    /// As [`JournalError::sqlite`], for the first look at a file, where "not a database" means
    /// that the file is some other program's.
    pub(crate) fn opening(path: &Path, source: rusqlite::Error) -> Self {
        if source.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
            return Self::Foreign {
                path: path.to_owned(),
            };
        }
        Self::sqlite("open the data folder", 0, source)
    }
}
