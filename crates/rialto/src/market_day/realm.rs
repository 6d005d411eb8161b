//! The realm that a day is held in: one of its own in this process, or a server's.

use std::future::Future;
use std::sync::Arc;

use rialto_core::text::Handle;
use rialto_core::time::{SECOND_MS, Time};
use rialto_server::door::Door;
use rialto_server::node::{Indexer, Node, SeededChance, Storage, VirtualClock, open};
use rialto_views::Views;

use crate::output::{CliError, Exit};
use rialto_client::Client;

/// When the market day of an embedded realm begins: 2026-01-01T09:00:00Z.
const OPENING: Time = Time(1_767_258_000_000);

/// A realm with the operator's word in it.
pub(crate) struct Realm {
    /// The operator at the door.
    pub(crate) operator: Client,
    /// Whether nobody was here before, so that every handle is free.
    pub(crate) fresh: bool,
    own: Option<Own>,
}

/// Does something for which a realm's rate limits are lifted, and sets them as they were before,
/// whatever comes of it. Only a process that is killed in between leaves them lifted.
///
/// # Errors
/// As the work's; or when the limits cannot be read before or set after it.
pub(crate) async fn restoring_limits<T>(
    operator: &Client,
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let realm = operator.get("/api/realm").await?;
    let before = realm.get("settings").cloned();
    let before = before.ok_or_else(|| CliError::failed("the server does not tell its limits"))?;
    let outcome = work.await;
    let restored = operator
        .command("policy.set_settings", before.clone())
        .await;
    match (outcome, restored) {
        (outcome, Ok(_)) => outcome,
        (Ok(_), Err(why)) => Err(CliError::from(why).hint(not_restored(&before))),
        (Err(error), Err(_)) => Err(error.hint(not_restored(&before))),
    }
}

fn not_restored(settings: &serde_json::Value) -> String {
    format!("the rate limits are still off; set them: rialto op policy.set_settings '{settings}'")
}

/// What a realm in this process needs to keep running.
struct Own {
    node: Arc<Node>,
    indexer: Indexer,
    clock: VirtualClock,
    /// Holds the views' file; removed with the realm.
    _folder: tempfile::TempDir,
}

impl Realm {
    /// A realm in this process: nothing of it is kept, time stands still until it is moved, and
    /// chance comes from the seed, so that the same requests in the same order give the same log.
    pub(crate) async fn embedded(seed: u64) -> Result<Self, CliError> {
        let name = Handle::new("market-day").map_err(|e| CliError::bug(e.to_string()))?;
        let clock = VirtualClock::new(OPENING);
        let opened = open(
            Storage::Memory,
            &name,
            Arc::new(clock.clone()),
            Arc::new(SeededChance::new(seed)),
        )
        .await
        .map_err(|e| CliError::new(Exit::Storage, e.to_string()))?;
        let token = opened
            .operator_token
            .ok_or_else(|| CliError::bug("a new realm without an operator"))?;
        let node = opened.node;
        let folder = tempfile::tempdir()
            .map_err(|e| CliError::failed(format!("no temporary folder: {e}")))?;
        let views = Views::open(&folder.path().join("views.db"));
        let views = views.map_err(|e| CliError::new(Exit::Storage, e.to_string()))?;
        let door = Door::new(node.clone(), views.reader(), name.as_str().to_owned());
        let indexer = Indexer::start(node.clone(), views);
        let indexer =
            indexer.map_err(|e| CliError::failed(format!("no thread for the views: {e}")))?;
        let operator = Client::in_process(door.router()).with_token(&token)?;
        Ok(Self {
            operator,
            fresh: true,
            own: Some(Own {
                node,
                indexer,
                clock,
                _folder: folder,
            }),
        })
    }

    /// A realm behind a server, in which `operator` acts for the operator.
    pub(crate) fn served(operator: Client, fresh: bool) -> Self {
        Self {
            operator,
            fresh,
            own: None,
        }
    }

    /// Lets a little time pass and what is due happen. A server's clock needs no help.
    pub(crate) async fn pass(&self, seconds: u64) -> Result<(), CliError> {
        let Some(own) = &self.own else { return Ok(()) };
        own.clock.advance_ms(seconds * SECOND_MS);
        let ticked = own.node.tick().await;
        ticked
            .map(|_| ())
            .map_err(|why| CliError::failed(format!("the realm stopped: {why:?}")))
    }

    /// Ends a realm of this process.
    pub(crate) fn close(self) {
        if let Some(own) = self.own {
            own.indexer.stop();
            own.node.stop();
        }
    }
}
