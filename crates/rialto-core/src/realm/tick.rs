//! The tick: does what is due, earliest first, a bounded number of things at a time.
//!
//! What there is to do about a thing stands in its declaration ([`crate::entity::Due`]).

use alloc::collections::BTreeSet;

use super::{Nothing, RealmEvent};
use crate::ctx::Ctx;
use crate::entity::EntityKey;
use crate::event::Event;
use crate::identity::Principal;
use crate::limits;
use crate::reject::{Code, Rejection};
use crate::state;

pub(super) fn tick(ctx: &mut Ctx<'_>, _: &Nothing) -> Result<(), Rejection> {
    if ctx.principal != Principal::Realm {
        return Err(Rejection::new(
            Code::Forbidden,
            "only the realm's own clock ticks",
        ));
    }
    let mut failing = BTreeSet::new();
    while let Err(key) = expire_due(ctx, &failing) {
        // What cannot be expired must never stand in the way of the rest: begin again without it.
        failing.insert(key);
        ctx.begin_anew();
    }
    Ok(())
}

/// The most ids that the end of one deal can need: an account and a transfer for each share.
const EXPIRY_ORDINALS: u64 = 4 * limits::TEAM_MEMBERS as u64;

/// Does what is due except what is known to fail, or names what fails now.
fn expire_due(ctx: &mut Ctx<'_>, failing: &BTreeSet<EntityKey>) -> Result<(), EntityKey> {
    let state = ctx.state;
    let due = state.changes.due_at(ctx.now);
    let mut retired = BTreeSet::new();
    for key in due
        .filter(|k| !failing.contains(k))
        .take(limits::TICK_EXPIRIES)
    {
        if ctx.ids_left() < EXPIRY_ORDINALS {
            break;
        }
        if state::expire(ctx, &key).map_err(|_| key)? {
            retired.insert(key.to_vec());
        }
    }
    if !retired.is_empty() {
        let keys = retired.into_iter().collect();
        ctx.emit(Event::Realm(RealmEvent::Retired { keys }));
    }
    Ok(())
}
