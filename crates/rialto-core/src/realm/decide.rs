//! Decides commands about the realm itself.

use alloc::format;

use super::{Found, Nothing, RealmEvent, RotateRealmKey};
use crate::ctx::Ctx;
use crate::event::Event;
use crate::id::TokenId;
use crate::policy::Action;
use crate::reject::{Code, Rejection};

fn emit(ctx: &mut Ctx<'_>, event: RealmEvent) {
    ctx.emit(Event::Realm(event));
}

pub(super) fn found(ctx: &mut Ctx<'_>, args: &Found) -> Result<(), Rejection> {
    let (name, key) = (args.name.clone(), args.key);
    emit(ctx, RealmEvent::Founded { name, key });
    operator_token(ctx)
}

pub(super) fn accept_clock(ctx: &mut Ctx<'_>, _: &Nothing) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    let (from, to) = (ctx.state.now(), ctx.now);
    emit(ctx, RealmEvent::ClockMoved { from, to });
    Ok(())
}

/// Sets the clock back to the machine's, but never to before the jump that is undone.
pub(super) fn set_clock_back(ctx: &mut Ctx<'_>, _: &Nothing) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    let (from, wall) = (ctx.now, ctx.wall());
    let jump = ctx.state.clock.get(&()).and_then(|c| c.jump);
    let jump = jump.filter(|_| wall < from).ok_or_else(|| {
        let detail = format!("the realm's clock stands at {from}, the machine's at {wall}");
        Rejection::new(Code::NothingToUndo, detail)
    })?;
    let (to, jumped) = (wall.max(jump.from).min(from), jump.position);
    emit(ctx, RealmEvent::ClockSetBack { from, to, jumped });
    Ok(())
}

pub(super) fn reset_operator_token(ctx: &mut Ctx<'_>, _: &Nothing) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    operator_token(ctx)
}

pub(super) fn rotate_key(ctx: &mut Ctx<'_>, args: &RotateRealmKey) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    emit(ctx, RealmEvent::KeyRotated { key: args.key });
    Ok(())
}

fn operator_token(ctx: &mut Ctx<'_>) -> Result<(), Rejection> {
    let token = ctx.new_id(TokenId)?;
    let hash = ctx.new_secret(token);
    emit(ctx, RealmEvent::OperatorTokenReset { token, hash });
    Ok(())
}
