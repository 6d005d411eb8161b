//! What commands on a data folder share: where it is, errors, and progress.

use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use rialto_journal::JournalError;
use rialto_server::node::BootError;

use crate::config::{self, Config};
use crate::output::{CliError, Output};

/// Which data folder.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DataFolder {
    /// The data folder [env: RIALTO_DATA] [default: rialto-data].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

impl DataFolder {
    /// The folder, as the option, the environment and the settings name it.
    ///
    /// # Errors
    /// A usage error when a settings file is malformed.
    pub(crate) fn path(&self) -> Result<PathBuf, CliError> {
        Ok(Config::load()?.data(self.data.as_deref()))
    }
}

/// Where archived segments of the log are.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ArchiveFolder {
    /// The folder that holds the archived segments of the log [env: RIALTO_ARCHIVE].
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: Option<PathBuf>,
}

impl ArchiveFolder {
    /// The folder, as the option, the environment and the settings name it; none if none does.
    ///
    /// # Errors
    /// A usage error when a settings file is malformed.
    pub(crate) fn path(&self) -> Result<Option<PathBuf>, CliError> {
        Ok(self.path_in(&Config::load()?))
    }

    /// The same with settings that were read.
    pub(crate) fn path_in(&self, config: &Config) -> Option<PathBuf> {
        let named = || config.get(&config::ARCHIVE, None).map(|s| s.value.into());
        self.archive.clone().or_else(named)
    }
}

/// Why a log cannot be read or written, as the command line's error. Made for `map_err`.
pub(crate) fn journal_error(error: JournalError) -> CliError {
    BootError::from(error).into()
}

/// A bar that follows positions in a log, and the closure that moves it.
pub(crate) fn positions(out: Output, label: &str) -> (ProgressBar, impl FnMut(u64, u64) + use<>) {
    let bar = out.progress(label, 0);
    let moved = bar.clone();
    let advance = move |position: u64, end: u64| {
        moved.set_length(end);
        moved.set_position(position);
    };
    (bar, advance)
}
