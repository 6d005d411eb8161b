//! Payments from and to outside: deposits, withdrawals, and the references that make each count once.
//!
//! A payment service repeats a request if it did not get the answer, so a payment is recognised by
//! its reference: kept as a hash of 16 bytes, with the payment's account and amount, for as long as
//! the settings say (by default forever). It never asks a payment service anything.

use alloc::format;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Deposit, EndWithdrawal, LedgerEvent, Purpose, Withdraw};
use crate::amount::Amount;
use crate::ctx::{Ctx, positive};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::event::Event;
use crate::hash::{Hash, Short};
use crate::id::{AccountId, AnyId, HoldId, OwnerId, TransferId};
use crate::identity::Principal;
use crate::limits;
use crate::obligation::{self, Duty, ObligationEnd};
use crate::policy::Action;
use crate::reject::{Code, Rejection};
use crate::share;
use crate::text::ClientId;
use crate::time::Time;

/// A deposit or withdrawal that counts once. Keyed by the hash of its direction, the issuer of its
/// reference (the service that reports deposits, the owner that withdraws), and the reference.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Payment {
    /// The number of the entry that it made: a transfer's, or for a withdrawal its hold's.
    #[n(0)]
    pub entry: u64,
    /// The account that receives or pays it.
    #[n(1)]
    pub account: AccountId,
    /// How much.
    #[n(2)]
    pub amount: Amount,
    /// Until when the reference is kept; none means forever.
    #[n(3)]
    pub until: Option<Time>,
    /// The owner whose withdrawal it is; nobody for a deposit.
    #[n(4)]
    pub owner: Option<OwnerId>,
}

impl Entity for Payment {
    const KIND: u8 = 23;
    type Key = Short;
    const DUE: Due<Self> = Due::Leaves(|it| it.until);
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::PAYMENTS,
        what: "references of payments",
        payer: |it, _, _| it.owner,
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// A reference about to be used: its key and its payment.
struct Named<'a> {
    reference: &'a ClientId,
    key: Short,
    account: AccountId,
    amount: Amount,
    owner: Option<OwnerId>,
}

impl<'a> Named<'a> {
    /// A deposit's reference is its service's own: two services may use the same.
    fn deposit(service: Principal, reference: &'a ClientId, of: (AccountId, Amount)) -> Self {
        let Principal::Service(service) = service else {
            return Self::new(b"deposit", 0, reference, of, None);
        };
        Self::new(b"deposit", service.0, reference, of, None)
    }

    /// A withdrawal's reference is its owner's own, so that nobody learns of another's.
    fn withdrawal(
        owner: Option<OwnerId>,
        reference: &'a ClientId,
        of: (AccountId, Amount),
    ) -> Self {
        let whose = owner.map_or(0, |o| o.0);
        Self::new(b"withdrawal", whose, reference, of, owner)
    }

    fn new(
        direction: &[u8],
        whose: u64,
        reference: &'a ClientId,
        (account, amount): (AccountId, Amount),
        owner: Option<OwnerId>,
    ) -> Self {
        let hash = Hash::of(&[
            b"rialto payment",
            direction,
            &whose.to_le_bytes(),
            reference.as_str().as_bytes(),
        ]);
        Self {
            reference,
            key: hash.short(),
            account,
            amount,
            owner,
        }
    }

    /// The number of the entry that the same payment made before; nothing if the reference is new.
    fn before(&self, ctx: &Ctx<'_>) -> Result<Option<u64>, Rejection> {
        // One whose time is over is as good as forgotten, even before the clock has seen to it.
        let live = |p: &&Payment| p.until.is_none_or(|until| ctx.now < until);
        let Some(known) = ctx.state.payments.get(&self.key).filter(live) else {
            ctx.room_for::<Payment>(self.owner, 0)?;
            return Ok(None);
        };
        if (known.account, known.amount) == (self.account, self.amount) {
            return Ok(Some(known.entry));
        }
        let first: AnyId = match self.owner {
            Some(_) => HoldId(known.entry).into(),
            None => TransferId(known.entry).into(),
        };
        Err(Rejection::new(
            Code::ReferenceUsed,
            format!("{} was used for {first}", self.reference),
        ))
    }

    /// Keeps the reference with the entry that it made.
    fn keep(&self, ctx: &mut Ctx<'_>, entry: u64) {
        let kept_ms = ctx.state.settings().keep_references_ms;
        let payment = Payment {
            entry,
            account: self.account,
            amount: self.amount,
            until: kept_ms.map(|ms| ctx.now.after(ms)),
            owner: self.owner,
        };
        let key = self.key;
        ctx.flush_entries(None, Some(self.reference.clone()));
        ctx.emit(Event::Ledger(LedgerEvent::PaymentNamed { key, payment }));
    }
}

pub(super) fn deposit(ctx: &mut Ctx<'_>, args: &Deposit) -> Result<(), Rejection> {
    ctx.authorise(Action::HandlePayments)?;
    let (asset, scale) = ctx.asset_for(args.asset.as_ref(), [&args.to, &args.to])?;
    let amount = positive(args.amount, scale)?;
    let from = ctx.state.assets.get(&asset).ok_or(Code::NoAsset)?.outside;
    let to = ctx.holders_account(&args.to, asset)?;
    let named = Named::deposit(ctx.principal, &args.reference, (to, amount));
    if let Some(entry) = named.before(ctx)? {
        ctx.repeats = Some(TransferId(entry).into());
        return Ok(());
    }
    let transfer = ctx.post_transfer(from, to, amount, Purpose::Deposit)?;
    ctx.ids.push(transfer.into());
    named.keep(ctx, transfer.0);
    Ok(())
}

pub(super) fn withdraw(ctx: &mut Ctx<'_>, args: &Withdraw) -> Result<(), Rejection> {
    let (asset, scale) = ctx.asset_for(args.asset.as_ref(), [&args.from, &args.from])?;
    let amount = positive(args.amount, scale)?;
    let from = ctx.debit_account(&args.from, asset)?;
    let to = ctx.state.assets.get(&asset).ok_or(Code::NoAsset)?.outside;
    let owner = ctx.holder(from).and_then(|h| share::holder(ctx.state, h));
    let named = Named::withdrawal(owner, &args.reference, (from, amount));
    if let Some(entry) = named.before(ctx)? {
        ctx.repeats = Some(HoldId(entry).into());
        return Ok(());
    }
    let hold = ctx.hold_transfer(from, to, amount, Purpose::Withdrawal, None)?;
    ctx.ids.push(hold.into());
    named.keep(ctx, hold.0);
    obligation::open_pay_out(ctx, hold, owner)
}

pub(super) fn end_withdrawal(ctx: &mut Ctx<'_>, args: &EndWithdrawal) -> Result<(), Rejection> {
    ctx.authorise(Action::HandlePayments)?;
    let hold = ctx.open_hold(args.hold)?;
    if hold.purpose != Purpose::Withdrawal {
        // The same answer as for a hold that does not exist: deals are none of a payment service's.
        return Err(Rejection::new(Code::HoldOver, format!("{}", args.hold)));
    }
    let amount = if args.paid { hold.amount } else { Amount::ZERO };
    let transfer = ctx.end_hold(args.hold, amount)?;
    ctx.ids.push(transfer.into());
    let end = match args.paid {
        true => ObligationEnd::Done,
        false => ObligationEnd::Void,
    };
    obligation::close(ctx, Duty::PayOut { hold: args.hold }, end);
    Ok(())
}
