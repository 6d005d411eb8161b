//! The requests that agents, benchmarks and scenes make to a realm, and how they read its answers. Never
//! retries.

use rialto_client::Client;
use rialto_core::id::AnyId;
use rialto_wire::native::{Accepted, BatchItem, Outcome};
use serde_json::{Value, json};

use crate::error::DayError;

/// Commands of one request.
const BATCH: usize = 2_000;

/// Lifts the limits that keep strangers from crowding a realm: a market day is a rush.
///
/// # Errors
/// An error of the realm.
pub async fn lift_limits(operator: &Client) -> Result<(), DayError> {
    let settings = json!({
        "sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0, "text_bytes_per_minute": 0,
        "offers_per_minute": 0, "agents_per_owner": 0, "creations_per_minute": 0,
    });
    operator.command("policy.set_settings", settings).await?;
    Ok(())
}

/// The client of the token that a command issued.
///
/// # Errors
/// When the answer holds none.
pub fn with_token(client: &Client, accepted: &Accepted) -> Result<Client, DayError> {
    Ok(client.with_token(secret(accepted)?)?)
}

/// The token that a command issued.
///
/// # Errors
/// When the answer holds none.
pub fn secret(accepted: &Accepted) -> Result<&str, DayError> {
    let token = accepted.token.as_ref();
    let token = token.ok_or_else(|| DayError::foreign("the door issued no token"))?;
    Ok(&token.secret)
}

/// Sends commands in requests of 2,000; all must be accepted.
///
/// # Errors
/// An error of the realm, with the operation.
pub async fn send(client: &Client, op: &str, args: Vec<Value>) -> Result<Vec<Accepted>, DayError> {
    let mut accepted = Vec::with_capacity(args.len());
    let mut args = args.into_iter().peekable();
    while args.peek().is_some() {
        let items = args.by_ref().take(BATCH).map(|args| BatchItem {
            op: op.to_owned(),
            args,
            acting: None,
            key: None,
            cause: None,
        });
        let outcomes = client.batch(items.collect()).await?;
        accepted.extend(all_accepted(outcomes).map_err(|why| why.of(op))?);
    }
    Ok(accepted)
}

/// The answers of a batch in which nothing may be refused.
pub(crate) fn all_accepted(outcomes: Vec<Outcome>) -> Result<Vec<Accepted>, DayError> {
    let each = outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Accepted(accepted) => Ok(accepted),
        Outcome::Refused(problem) => Err(DayError::refused(problem)),
    });
    each.collect()
}

/// The id of a kind, such as `deal`, that an answer names.
///
/// # Errors
/// When it names none.
pub fn new_id(accepted: &Accepted, kind: &str) -> Result<AnyId, DayError> {
    let found = accepted.ids.get(kind).copied();
    found.ok_or_else(|| DayError::foreign(format!("the door's answer names no {kind}")))
}
