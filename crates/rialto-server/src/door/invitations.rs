//! The invitations that can still be used, read from the state: there are few.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rialto_core::id::TokenId;
use rialto_core::text::Name;
use rialto_core::time::Time;
use serde::Serialize;

use super::Door;
use super::answer::Answer;
use super::auth::Caller;
use super::reads::operator;

/// An invitation without its code, which is not stored.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "InvitationRow"))]
pub(super) struct Shown {
    /// Its id.
    id: TokenId,
    /// What the operator calls it.
    label: Option<Name>,
    /// How many sign-ups it still allows.
    uses: u32,
    /// Until when it can be used.
    expires: Time,
}

/// Open invitations, the earliest first.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "InvitationList"))]
pub(super) struct Open {
    /// The invitations.
    items: Vec<Shown>,
    /// The position at which this was so.
    position: u64,
}

/// `GET /api/invitations`: at most a thousand are open.
pub(super) async fn open(State(door): State<Arc<Door>>, caller: Caller) -> Answer<Open> {
    operator(&door, &caller).await?;
    let read = door.node.read(|state| {
        let mut items = Vec::new();
        state.invitations.for_each(|_, open| {
            items.push(Shown {
                id: open.id,
                label: open.label.clone(),
                uses: open.uses,
                expires: open.expires,
            });
        });
        items
    });
    let (position, mut items) = read.await?;
    items.sort_unstable_by_key(|shown| shown.id);
    Ok(Json(Open { items, position }))
}
