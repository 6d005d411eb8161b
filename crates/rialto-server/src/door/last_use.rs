//! When each token was last used, to the minute.
//!
//! This is advice for people who tidy up their tokens; no decision hangs on it, so it stands beside the
//! log in a file of its own (`tokens.used`), written once a minute and when the realm is closed. A crash
//! loses a minute. It holds ids and times, no secret.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rialto_core::id::TokenId;
use rialto_core::time::{MINUTE_MS, Time};

use crate::node::write_private;

/// How often the file is written if anything changed.
pub(crate) const KEEP: Duration = Duration::from_secs(60);

/// The name of the file in the data folder.
const FILE: &str = "tokens.used";

/// When tokens were last used.
pub(crate) struct LastUse {
    file: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    at: HashMap<TokenId, Time>,
    changed: bool,
}

impl LastUse {
    /// What is known in a data folder; nothing is kept without one. A file that cannot be read is as good
    /// as none.
    pub(crate) fn open(folder: Option<&PathBuf>) -> Self {
        let file = folder.map(|folder| folder.join(FILE));
        let text = file.as_ref().map(std::fs::read_to_string);
        let text = text.and_then(Result::ok).unwrap_or_default();
        let known = Known {
            at: text.lines().filter_map(line).collect(),
            changed: false,
        };
        Self {
            file,
            known: Mutex::new(known),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token is used.
    pub(crate) fn note(&self, token: TokenId, now: Time) {
        let minute = Time(now.0 - now.0 % MINUTE_MS);
        let mut known = self.known();
        let before = known.at.insert(token, minute);
        known.changed |= before != Some(minute);
    }

    /// When a token was last used, if that is known.
    pub(crate) fn of(&self, token: TokenId) -> Option<Time> {
        self.known().at.get(&token).copied()
    }

    /// Writes the file if anything changed; forgets tokens that are not live.
    ///
    /// # Errors
    /// When the file cannot be written; it is tried again the next time.
    pub(crate) fn keep(&self, is_live: impl Fn(TokenId) -> bool) -> Result<(), String> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut known = self.known();
        if !known.changed {
            return Ok(());
        }
        known.at.retain(|token, _| is_live(*token));
        let lines = known
            .at
            .iter()
            .map(|(token, at)| format!("{token} {}\n", at.0));
        let text: String = lines.collect();
        known.changed = false;
        drop(known);
        write_private(file, &text).map_err(|why| {
            self.known().changed = true;
            why.to_string()
        })
    }
}

fn line(line: &str) -> Option<(TokenId, Time)> {
    let (token, at) = line.split_once(' ')?;
    Some((token.parse().ok()?, Time(at.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_use_outlives_the_process_and_ended_tokens_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_owned();
        let (kept, ended, idle) = (TokenId(7), TokenId(8), TokenId(9));
        let used = LastUse::open(Some(&folder));
        used.note(kept, Time(61_000));
        used.note(ended, Time(61_000));
        used.note(kept, Time(125_999));
        assert_eq!(used.of(kept), Some(Time(120_000)));
        used.keep(|token| token != ended).unwrap();
        let again = LastUse::open(Some(&folder));
        let found = [kept, ended, idle].map(|token| again.of(token));
        assert_eq!(found, [Some(Time(120_000)), None, None]);
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "what\ntoken_x 1\n\u{0}").unwrap();
        let used = LastUse::open(Some(&folder.path().to_owned()));
        assert_eq!(used.of(TokenId(1)), None);
    }
}
