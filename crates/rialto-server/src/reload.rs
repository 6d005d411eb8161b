//! The way between the door, where an operator asks for the settings to be read again, and whoever holds them.
//!
//! Holds the line and the counts. It reads no settings and knows none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rialto_core::reject::{Code, Rejection};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

/// How many may wait in the line; the others wait for a place in it.
const LINE: usize = 8;

/// What came of reading the settings again: all of them apply, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reloaded {
    /// What has changed and applies now.
    pub applied: Vec<String>,
    /// What has changed and applies when the server is started the next time.
    pub needs_restart: Vec<String>,
    /// What to know besides, such as a secret that is not stored.
    pub warnings: Vec<String>,
}

type Outcome = Result<Reloaded, Rejection>;

/// Somebody who waits for the outcome.
pub struct Asked(oneshot::Sender<Outcome>);

/// Asks for the settings to be read again. Clones share the line and the counts.
#[derive(Clone)]
pub struct Reloader {
    line: mpsc::Sender<Asked>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    applied: AtomicU64,
    refused: AtomicU64,
}

/// Hears who asks.
pub struct Reloads {
    line: mpsc::Receiver<Asked>,
    counts: Arc<Counts>,
}

/// Both ends of a line.
#[must_use]
pub fn line() -> (Reloader, Reloads) {
    let (ask, hear) = mpsc::channel(LINE);
    let counts = Arc::<Counts>::default();
    let reloader = Reloader {
        line: ask,
        counts: counts.clone(),
    };
    (reloader, Reloads { line: hear, counts })
}

impl Reloader {
    /// Asks, and waits for the outcome.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub(crate) async fn reload(&self) -> Outcome {
        let (tell, told) = oneshot::channel();
        let ending = || Rejection::from(Code::Draining);
        self.line.send(Asked(tell)).await.map_err(|_| ending())?;
        told.await.map_err(|_| ending())?
    }

    /// How often the settings were read again and applied, and how often they were refused.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let Counts { applied, refused } = self.counts.as_ref();
        (
            applied.load(Ordering::Relaxed),
            refused.load(Ordering::Relaxed),
        )
    }
}

impl Reloads {
    /// The next that asks; none when nobody can any more.
    pub async fn next(&mut self) -> Option<Asked> {
        self.line.recv().await
    }

    /// Counts an outcome, and tells it to whoever waits for it.
    pub fn tell(&self, asked: Option<Asked>, outcome: Outcome) {
        let count = match &outcome {
            Ok(_) => &self.counts.applied,
            Err(_) => &self.counts.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if let Some(Asked(waiting)) = asked {
            // Who has gone meanwhile needs no answer.
            let _ = waiting.send(outcome);
        }
    }
}
