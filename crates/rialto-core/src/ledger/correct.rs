//! Corrections: new entries that move back what an earlier one moved, never more.
//!
//! Finished entries have left memory, so the door looks up in the views what an entry moved and
//! sends it with the command ([`Moved`]); an entry never changes, so it cannot be out of date. The
//! core itself keeps the sum of all corrections of an entry ([`Corrected`]), so that no two of them
//! race.

use alloc::format;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{AccountRef, Correct, LedgerEvent, Purpose, holder_of};
use crate::amount::Amount;
use crate::ctx::{Ctx, positive, room};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::event::Event;
use crate::id::{AccountId, AssetId, TransferId};
use crate::limits;
use crate::policy::Action;
use crate::reject::{Code, Rejection};
use crate::text::Sealed;

/// What an entry moved, as the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The paying account.
    pub from: AccountId,
    /// The receiving account.
    pub to: AccountId,
    /// The asset.
    pub asset: AssetId,
    /// How much: nothing for a hold that was made or given back.
    pub amount: Amount,
    /// The sum of its corrections so far. Used only if the core has no sum of its own yet, that is,
    /// until the first correction that it bounds.
    pub corrected: Amount,
}

/// The sum of all corrections of an entry. Keyed by the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Corrected {
    /// How much was moved back.
    #[n(0)]
    pub amount: Amount,
}

impl Entity for Corrected {
    const KIND: u8 = 24;
    type Key = TransferId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

pub(super) fn correct(ctx: &mut Ctx<'_>, args: &Correct<Sealed>) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    let unknown = || Rejection::new(Code::NotFound, format!("{}", args.transfer));
    let wrong = args.entry.ok_or_else(unknown)?;
    if let Some(code) = &args.asset
        && ctx.state.asset_coded(code) != Some(wrong.asset)
    {
        return Err(Code::AssetMismatch.into());
    }
    // What the receiver got too much goes back to the payer.
    let (from, to) = (wrong.to, wrong.from);
    names(ctx, args.from.as_ref(), from, wrong)?;
    names(ctx, args.to.as_ref(), to, wrong)?;
    let scale = ctx.state.assets.get(&wrong.asset).map_or(0, |a| a.scale);
    let amount = positive(args.amount, scale)?;
    let known = ctx.state.corrected.get(&args.transfer).map(|c| c.amount);
    if known.is_none() {
        room(
            "corrected entries",
            ctx.state.corrected.len(),
            limits::CORRECTED,
        )?;
    }
    let before = known.unwrap_or(wrong.corrected);
    let total = before.plus(amount).filter(|total| *total <= wrong.amount);
    let total = total.ok_or_else(|| {
        let (moved, before) = (wrong.amount.display(scale), before.display(scale));
        let detail = format!("it moved {moved}, of which {before} was corrected before");
        Rejection::new(Code::BeyondEntry, detail)
    })?;
    let transfer = ctx.post_transfer(from, to, amount, Purpose::Correction(args.transfer))?;
    ctx.ids.push(transfer.into());
    let reason = ctx.place(args.reason);
    ctx.flush_entries(Some(reason), None);
    ctx.emit(Event::Ledger(LedgerEvent::EntryCorrected {
        transfer: args.transfer,
        total,
    }));
    Ok(())
}

/// Refuses when a request names another account than the entry has on this side.
fn names(
    ctx: &Ctx<'_>,
    named: Option<&AccountRef>,
    wanted: AccountId,
    entry: Moved,
) -> Result<(), Rejection> {
    let Some(named) = named else { return Ok(()) };
    let account = match (named, holder_of(ctx, named)?) {
        (AccountRef::Account(id), _) => Some(*id),
        (_, holder) => holder.and_then(|h| ctx.main_account(h, entry.asset)),
    };
    if account == Some(wanted) {
        return Ok(());
    }
    let detail = format!("it moved money from {} to {}", entry.from, entry.to);
    Err(Rejection::new(Code::NotOfEntry, detail))
}
