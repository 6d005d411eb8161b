//! The invitations that can still be used, read from the state: there are few.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rialto_core::id::TokenId;
use rialto_core::text::Name;
use rialto_core::time::Time;
use serde::Serialize;

use super::Door;
use super::auth::Caller;
use super::problem::Refusal;
use super::reads::operator;

/// An invitation without its code, which is not stored.
#[derive(Debug, Serialize)]
struct Shown {
    id: TokenId,
    label: Option<Name>,
    /// How many sign-ups it still allows.
    uses: u32,
    expires: Time,
}

/// Open invitations, the earliest first.
#[derive(Debug, Serialize)]
pub(super) struct Open {
    items: Vec<Shown>,
    position: u64,
}

/// `GET /api/invitations`: at most a thousand are open.
pub(super) async fn open(
    State(door): State<Arc<Door>>,
    caller: Caller,
) -> Result<Json<Open>, Refusal> {
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
