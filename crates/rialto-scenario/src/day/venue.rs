//! The realm of a day: one in this process, or a server's.

use std::future::Future;

use rialto_core::text::Handle;
use rialto_core::time::{SECOND_MS, Time};
use rialto_server::node::{SeededChance, VirtualClock};
use rialto_server::realm::{Realm as Opened, Setup};

use crate::error::DayError;
use rialto_client::Client;

/// When the market day of an embedded realm begins: 2026-01-01T09:00:00Z.
const OPENING: Time = Time(1_767_258_000_000);

/// The realm of a day, with the operator's access to it.
pub struct Venue {
    /// A client with the operator's token.
    pub(crate) operator: Client,
    /// Whether the realm is new, so that every handle is free.
    pub(crate) fresh: bool,
    own: Option<Own>,
}

/// Lifts a realm's rate limits for some work, and restores them afterwards, whether or not the work
/// succeeds. They stay lifted only if the process is killed in between.
///
/// # Errors
/// An error of the work; or when the limits cannot be read before it or set after it.
pub async fn restoring_limits<T>(
    operator: &Client,
    work: impl Future<Output = Result<T, DayError>>,
) -> Result<T, DayError> {
    let realm = operator.get("/api/realm").await?;
    let before = realm.get("settings").cloned();
    let before = before.ok_or_else(|| DayError::foreign("the server does not tell its limits"))?;
    let outcome = work.await;
    let restored = operator
        .command("policy.set_settings", before.clone())
        .await;
    let lifted = |source| DayError::LimitsLifted {
        settings: before.clone(),
        source: Box::new(source),
    };
    match (outcome, restored) {
        (outcome, Ok(_)) => outcome,
        (Ok(_), Err(why)) => Err(lifted(why.into())),
        (Err(error), Err(_)) => Err(lifted(error)),
    }
}

/// What a realm in this process needs to keep running.
struct Own {
    realm: Opened,
    clock: VirtualClock,
}

impl Venue {
    /// A realm in this process: nothing is stored, time moves only by hand, and chance comes from
    /// the seed, so that the same requests in the same order give the same log.
    ///
    /// # Errors
    /// [`DayError::Open`].
    pub async fn embedded(seed: u64) -> Result<Self, DayError> {
        let name = Handle::new("market-day").map_err(|e| DayError::defect(e.to_string()))?;
        let clock = VirtualClock::new(OPENING);
        let setup = Setup::memory(name).driven_by(clock.clone(), SeededChance::new(seed));
        let realm = Opened::open(setup).await?;
        let token = realm
            .operator_token()
            .ok_or_else(|| DayError::defect("a new realm without an operator"))?;
        let operator = Client::in_process(realm.router()).with_token(token)?;
        Ok(Self {
            operator,
            fresh: true,
            own: Some(Own { realm, clock }),
        })
    }

    /// A realm behind a server, in which `operator` acts for the operator.
    #[must_use]
    pub fn served(operator: Client, fresh: bool) -> Self {
        Self {
            operator,
            fresh,
            own: None,
        }
    }

    /// Lets a little time pass, so that what is due happens. A server's clock needs no help.
    pub(crate) async fn pass(&self, seconds: u64) -> Result<(), DayError> {
        let Some(own) = &self.own else { return Ok(()) };
        own.clock.advance_ms(seconds * SECOND_MS);
        let ticked = own.realm.node().tick().await;
        ticked.map(|_| ()).map_err(DayError::Stopped)
    }

    /// Closes a realm of this process.
    pub fn close(self) {
        drop(self.own);
    }
}
