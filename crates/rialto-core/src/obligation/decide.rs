//! Decides what opens and closes obligations, and when they are tried again.

use alloc::collections::BTreeSet;

use super::{
    DropObligation, Duty, Notice, ObligationEnd, ObligationEvent, ReportDone, ReportFailed,
    RetryObligation,
};
use crate::amount::Amount;
use crate::ctx::Ctx;
use crate::event::Event;
use crate::id::{HoldId, ObligationId, OwnerId};
use crate::identity::Principal;
use crate::limits;
use crate::obligation::Obligation;
use crate::policy::Action;
use crate::reject::{Code, Rejection};
use crate::text::Name;
use crate::time::Time;

fn emit(ctx: &mut Ctx<'_>, event: ObligationEvent) {
    ctx.emit(Event::Obligation(event));
}

fn only_the_realm(ctx: &Ctx<'_>) -> Result<(), Rejection> {
    match ctx.principal {
        Principal::Realm => Ok(()),
        _ => Err(Code::Forbidden.into()),
    }
}

fn owed<'a>(ctx: &Ctx<'a>, id: ObligationId) -> Result<&'a Obligation, Rejection> {
    ctx.state
        .obligations
        .get(&id)
        .ok_or_else(|| Code::NotFound.into())
}

/// When an obligation with this duty dies, if it is opened or begun anew now. Money is owed for ever.
fn deadline(duty: Duty, now: Time) -> Option<Time> {
    match duty {
        Duty::Notify { .. } => Some(now.after(limits::NOTIFY_MS)),
        Duty::PayOut { .. } => None,
    }
}

fn open(ctx: &mut Ctx<'_>, duty: Duty, owner: Option<OwnerId>) -> Result<(), Rejection> {
    let obligation = ctx.new_id(ObligationId)?;
    let deadline = deadline(duty, ctx.now);
    let opened = ObligationEvent::Opened {
        obligation,
        duty,
        owner,
        deadline,
    };
    emit(ctx, opened);
    Ok(())
}

/// Opens what is owed for a withdrawal that was just held.
pub(crate) fn open_pay_out(
    ctx: &mut Ctx<'_>,
    hold: HoldId,
    owner: Option<OwnerId>,
) -> Result<(), Rejection> {
    ctx.room_for::<Obligation>(owner, 0)?;
    open(ctx, Duty::PayOut { hold }, owner)
}

/// Closes what was owed, if it was.
pub(crate) fn close(ctx: &mut Ctx<'_>, duty: Duty, end: ObligationEnd) {
    if let Some(obligation) = ctx.state.owed(duty) {
        emit(ctx, ObligationEvent::Ended { obligation, end });
    }
}

/// What is owed already covers what has begun to wait meanwhile: it is counted when it is carried out.
pub(super) fn notice(ctx: &mut Ctx<'_>, args: &Notice) -> Result<(), Rejection> {
    only_the_realm(ctx)?;
    ctx.at_most("owners", args.owners.len(), limits::NOTICED_AT_ONCE)?;
    let operator = args.operator.then_some(None);
    let owners = args.owners.iter().copied().map(Some);
    let whom: BTreeSet<Option<OwnerId>> = owners.chain(operator).collect();
    for (planned, owner) in whom.into_iter().enumerate() {
        let duty = Duty::Notify { owner };
        let known = ctx.state.owed(duty);
        match known.and_then(|id| Some((id, ctx.state.obligations.get(&id)?))) {
            // What is new is a reason to try again.
            Some((id, old)) if old.is_dead() => begin_anew(ctx, id, duty),
            Some(_) => {}
            // An owner whose withdrawals fill its part of the table is not notified; others are.
            None if ctx.room_for::<Obligation>(owner, planned).is_err() => {}
            None => open(ctx, duty, owner)?,
        }
    }
    let position = args.position;
    emit(ctx, ObligationEvent::Noticed { position });
    Ok(())
}

pub(super) fn done(ctx: &mut Ctx<'_>, args: &ReportDone) -> Result<(), Rejection> {
    only_the_realm(ctx)?;
    owed(ctx, args.obligation)?;
    let (obligation, end) = (args.obligation, ObligationEnd::Done);
    emit(ctx, ObligationEvent::Ended { obligation, end });
    Ok(())
}

pub(super) fn failed(ctx: &mut Ctx<'_>, args: &ReportFailed) -> Result<(), Rejection> {
    let owed = match ctx.principal {
        Principal::Realm => owed(ctx, args.obligation)?,
        _ => {
            ctx.authorise(Action::HandlePayments)?;
            let paid = |owed: &&Obligation| matches!(owed.duty, Duty::PayOut { .. });
            let found = ctx.state.obligations.get(&args.obligation).filter(paid);
            found.ok_or(Code::NotFound)?
        }
    };
    if owed.is_dead() {
        return Err(Code::ObligationDead.into());
    }
    let attempts = owed.attempts.saturating_add(1);
    let over = owed.deadline.is_some_and(|at| at <= ctx.now);
    let next = (attempts < limits::OBLIGATION_ATTEMPTS && !over).then(|| {
        ctx.now
            .after(pause_ms(attempts, ctx.chance(args.obligation.0)))
    });
    emit(
        ctx,
        ObligationEvent::Failed {
            obligation: args.obligation,
            attempts,
            why: args.why.clone(),
            next,
        },
    );
    Ok(())
}

/// How long to wait after this many failures: a second, then twice as long each time, at most an hour;
/// a quarter more or less, so that what failed together is not tried together.
fn pause_ms(failures: u32, chance: u32) -> u64 {
    let doubled = 1_u64 << failures.saturating_sub(1).min(12);
    let pause = (limits::OBLIGATION_PAUSE_MS * doubled).min(limits::OBLIGATION_LONGEST_PAUSE_MS);
    let spread = pause / 2;
    pause - spread / 2 + spread * u64::from(chance) / u64::from(u32::MAX)
}

fn begin_anew(ctx: &mut Ctx<'_>, obligation: ObligationId, duty: Duty) {
    let deadline = deadline(duty, ctx.now);
    let retried = ObligationEvent::Retried {
        obligation,
        deadline,
    };
    emit(ctx, retried);
}

pub(super) fn retry(ctx: &mut Ctx<'_>, args: &RetryObligation) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    let duty = owed(ctx, args.obligation)?.duty;
    begin_anew(ctx, args.obligation, duty);
    Ok(())
}

pub(super) fn drop(ctx: &mut Ctx<'_>, args: &DropObligation) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    let duty = owed(ctx, args.obligation)?.duty;
    if let Duty::PayOut { hold } = duty {
        let returned = ctx.end_hold(hold, Amount::ZERO)?;
        ctx.ids.push(returned.into());
    }
    let (obligation, end) = (args.obligation, ObligationEnd::Dropped);
    emit(ctx, ObligationEvent::Ended { obligation, end });
    Ok(())
}

/// The time of an open one is over: it is dead. A dead one that nobody saw to is forgotten.
pub(super) fn expire(ctx: &mut Ctx<'_>, id: ObligationId) -> Result<bool, Rejection> {
    let owed = owed(ctx, id)?;
    if owed.is_dead() {
        let (obligation, end) = (id, ObligationEnd::Forgotten);
        emit(ctx, ObligationEvent::Ended { obligation, end });
        return Ok(false);
    }
    let why = Name::new("its time is over").map_err(|_| Code::Defect)?;
    let (attempts, next) = (owed.attempts, None);
    emit(
        ctx,
        ObligationEvent::Failed {
            obligation: id,
            attempts,
            why,
            next,
        },
    );
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_spread() {
        for (failures, least, most) in [
            (1, 750, 1_250),
            (2, 1_500, 2_500),
            (3, 3_000, 5_000),
            (11, 768_000, 1_280_000),
            (13, 2_700_000, 4_500_000),
            (u32::MAX, 2_700_000, 4_500_000),
        ] {
            assert_eq!(pause_ms(failures, 0), least);
            assert_eq!(pause_ms(failures, u32::MAX), most);
        }
    }
}
