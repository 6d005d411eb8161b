//! A draft of ledger entries: each is checked against the balances after the earlier ones.
//!
//! Every movement of money in the realm goes through the methods of [`Ctx`] in this file, so the
//! rules (conservation, no overdraft, allowances, each hold resolved once) are in one place.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use super::{Account, Entry, EntryKind, Hold, Holder, LedgerEvent, Purpose, Raised};
use crate::amount::Amount;
use crate::ctx::Ctx;
use crate::event::Event;
use crate::id::{AccountId, AgentId, AssetId, HoldId, TransferId};
use crate::limits;
use crate::policy::{self, Action, Drafted, Node, Quantity, Spend, SpentOn};
use crate::reject::{Code, Rejection};
use crate::share;
use crate::text::{ClientId, ContentRef};
use crate::time::Time;

/// What earlier entries of the same command change.
#[derive(Default)]
pub(crate) struct Draft {
    entries: Vec<Entry>,
    moved: BTreeMap<AccountId, Moved>,
    ended: BTreeSet<HoldId>,
    /// Open holds that were captured from or raised, as they are now.
    held: BTreeMap<HoldId, Hold>,
    spent: Drafted,
    opened: BTreeMap<AccountId, (Holder, AssetId)>,
    opened_for: BTreeMap<(Holder, AssetId), AccountId>,
    new_holds: usize,
    /// What counts at the limit of the token that asks.
    pub(crate) by_token: Amount,
}

impl Draft {
    /// Forgets the accounts opened under ids from `first` on.
    pub(crate) fn forget_opened(&mut self, first: u64) {
        for whose in self.opened.split_off(&AccountId(first)).values() {
            self.opened_for.remove(whose);
        }
    }
}

/// Who spends money, for whom and on what, as allowances count it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spending<'a> {
    /// The agent that acts, if one does.
    pub(crate) by: Option<AgentId>,
    /// Those who share in the money; if none are named, the holder of the credited account gets it.
    pub(crate) payees: &'a [Holder],
    /// What it is spent on.
    pub(crate) on: Option<Box<SpentOn>>,
}

/// The change of one account.
#[derive(Clone, Copy, Default)]
struct Moved {
    balance: i128,
    pending_out: i128,
    pending_in: i128,
}

/// An account as the draft leaves it.
struct View {
    holder: Holder,
    asset: AssetId,
    balance: i128,
    pending_out: i128,
    pending_in: i128,
}

impl View {
    fn available(&self) -> i128 {
        self.balance - self.pending_out
    }

    fn may_go_negative(&self) -> bool {
        matches!(self.holder, Holder::Issuance | Holder::Outside)
    }
}

impl Ctx<'_> {
    fn view(&self, id: AccountId) -> Result<View, Rejection> {
        let moved = self.draft.moved.get(&id).copied().unwrap_or_default();
        let blank = |holder, asset| Account {
            holder,
            asset,
            label: None,
            balance: Amount::ZERO,
            pending_out: Amount::ZERO,
            pending_in: Amount::ZERO,
        };
        let fresh;
        let account = match self.state.accounts.get(&id) {
            Some(account) => account,
            None => {
                let (holder, asset) = self
                    .draft
                    .opened
                    .get(&id)
                    .ok_or_else(|| Rejection::new(Code::NoAccount, format!("{id}")))?;
                fresh = blank(*holder, *asset);
                &fresh
            }
        };
        Ok(View {
            holder: account.holder,
            asset: account.asset,
            balance: account.balance.0 + moved.balance,
            pending_out: account.pending_out.0 + moved.pending_out,
            pending_in: account.pending_in.0 + moved.pending_in,
        })
    }

    /// A holder's main account, which an earlier entry of the same command may have opened.
    pub(super) fn main_account(&self, holder: Holder, asset: AssetId) -> Option<AccountId> {
        let known = self.state.main_account(holder, asset);
        known.or_else(|| self.draft.opened_for.get(&(holder, asset)).copied())
    }

    /// The holder of an account, which an earlier entry of the same command may have opened.
    pub(super) fn holder(&self, account: AccountId) -> Option<Holder> {
        let known = self.state.accounts.get(&account).map(|a| a.holder);
        known.or_else(|| self.draft.opened.get(&account).map(|(holder, _)| *holder))
    }

    /// A holder's main account, opened now if there is none yet.
    pub(crate) fn ensure_account(
        &mut self,
        holder: Holder,
        asset: AssetId,
    ) -> Result<AccountId, Rejection> {
        if let Some(id) = self.main_account(holder, asset) {
            return Ok(id);
        }
        let payer = share::holder(self.state, holder);
        self.room_for::<Account>(payer, self.draft.opened.len())?;
        let account = AccountId(self.number()?);
        self.draft.opened.insert(account, (holder, asset));
        self.draft.opened_for.insert((holder, asset), account);
        self.emit(Event::Ledger(LedgerEvent::AccountOpened {
            account,
            holder,
            asset,
            label: None,
        }));
        Ok(account)
    }

    /// Checks a debit of one account and credit of another, and counts it at the allowances. It may be
    /// a part of a `whole` to which the limits of a single payment apply.
    fn check(
        &mut self,
        (from, to): (AccountId, AccountId),
        spending: &Spending<'_>,
        (amount, whole): (Amount, Amount),
        purpose: Purpose,
    ) -> Result<(AssetId, Vec<Node>), Rejection> {
        if from == to {
            return Err(Code::SameAccount.into());
        }
        let (debit, credit) = (self.view(from)?, self.view(to)?);
        if debit.asset != credit.asset {
            return Err(Code::AssetMismatch.into());
        }
        self.can_cover(from, amount)?;
        let most = crate::amount::MAX;
        let least = debit.balance - debit.pending_out - amount.0;
        if credit.balance + credit.pending_in + amount.0 > most || least < -most {
            return Err(Code::Overflow.into());
        }
        if !purpose.is_spending() {
            return Ok((debit.asset, Vec::new()));
        }
        let credited = [credit.holder];
        let payees = match spending.payees {
            // What a call of a model costs is used up, also where it is paid within one owner: the owner
            // pays the provider with it. It counts at every node, so that a budget binds one's own models too.
            _ if matches!(purpose, Purpose::Inference(_)) => &[],
            [] => &credited[..],
            all => all,
        };
        let spend = Spend {
            by: spending.by,
            from: Some((debit.holder, payees)),
            of: Quantity::money(debit.asset, amount),
            whole,
            on: spending.on.as_deref(),
        };
        let charged = self.charge(from, &spend)?;
        Ok((debit.asset, charged))
    }

    /// Counts a payment from an account at the allowances and at the token's limit, or refuses it. Only
    /// those who may see the account learn which limit is in the way.
    pub(crate) fn charge(
        &mut self,
        account: AccountId,
        spend: &Spend<'_>,
    ) -> Result<Vec<Node>, Rejection> {
        let drafted = &mut self.draft.spent;
        let charged = policy::charge(self.state, drafted, spend, self.now, &self.consent);
        let charged =
            charged.map_err(
                |why| match self.authorise(Action::ViewAccount(account)).is_ok() {
                    true => why,
                    false => why.code.into(),
                },
            )?;
        if let Some(money) = spend.of.money {
            self.spend_by_token(account, money)?;
        }
        Ok(charged)
    }

    /// The refusal for an account without enough money. Only those who may see the account learn
    /// its balance.
    fn insufficient(
        &self,
        account: AccountId,
        asset: AssetId,
        available: i128,
        needed: Amount,
    ) -> Rejection {
        if self.authorise(Action::ViewAccount(account)).is_err() {
            return Code::Insufficient.into();
        }
        let scale = self.state.assets.get(&asset).map_or(0, |a| a.scale);
        let (available, needed) = (Amount(available).display(scale), needed.display(scale));
        let detail = format!("{available} available, {needed} needed");
        Rejection::new(Code::Insufficient, detail)
    }

    /// Refuses if an account cannot cover an amount at the moment.
    pub(crate) fn can_cover(&self, account: AccountId, amount: Amount) -> Result<(), Rejection> {
        let view = self.view(account)?;
        if view.may_go_negative() || view.available() >= amount.0 {
            return Ok(());
        }
        Err(self.insufficient(account, view.asset, view.available(), amount))
    }

    fn moved(&mut self, account: AccountId) -> &mut Moved {
        self.draft.moved.entry(account).or_default()
    }

    /// What the acting agent spends, on nothing in particular.
    fn own_spending(&self) -> Spending<'static> {
        Spending {
            by: self.named_actor(),
            ..Spending::default()
        }
    }

    /// Moves money at once.
    pub(crate) fn post_transfer(
        &mut self,
        from: AccountId,
        to: AccountId,
        amount: Amount,
        purpose: Purpose,
    ) -> Result<TransferId, Rejection> {
        let spending = self.own_spending();
        self.post_for(spending, (from, to), amount, purpose)
    }

    /// Moves money at once, spent as is said.
    pub(crate) fn post_for(
        &mut self,
        spending: Spending<'_>,
        (from, to): (AccountId, AccountId),
        amount: Amount,
        purpose: Purpose,
    ) -> Result<TransferId, Rejection> {
        let (asset, charged) = self.check((from, to), &spending, (amount, amount), purpose)?;
        let transfer = TransferId(self.number()?);
        self.moved(from).balance -= amount.0;
        self.moved(to).balance += amount.0;
        let kind = EntryKind::Post;
        let entry = Entry {
            transfer,
            kind,
            from,
            to,
            amount,
            asset,
            purpose,
            hold: None,
            expires: None,
            charged,
            spent_on: spending.on,
        };
        self.draft.entries.push(entry);
        Ok(transfer)
    }

    /// Holds money.
    pub(crate) fn hold_transfer(
        &mut self,
        from: AccountId,
        to: AccountId,
        amount: Amount,
        purpose: Purpose,
        expires: Option<Time>,
    ) -> Result<HoldId, Rejection> {
        let spending = self.own_spending();
        self.hold_for(spending, (from, to), (amount, expires), purpose)
    }

    /// Holds money, to be spent as is said.
    pub(crate) fn hold_for(
        &mut self,
        spending: Spending<'_>,
        (from, to): (AccountId, AccountId),
        (amount, expires): (Amount, Option<Time>),
        purpose: Purpose,
    ) -> Result<HoldId, Rejection> {
        let payer = self.holder(from).and_then(|h| share::holder(self.state, h));
        self.room_for::<Hold>(payer, self.draft.new_holds)?;
        let (asset, charged) = self.check((from, to), &spending, (amount, amount), purpose)?;
        let transfer = TransferId(self.number()?);
        let hold = HoldId(transfer.0);
        self.draft.new_holds += 1;
        self.moved(from).pending_out += amount.0;
        self.moved(to).pending_in += amount.0;
        let (kind, hold_id) = (EntryKind::Hold, Some(hold));
        let entry = Entry {
            transfer,
            kind,
            from,
            to,
            amount,
            asset,
            purpose,
            hold: hold_id,
            expires,
            charged,
            spent_on: spending.on,
        };
        self.draft.entries.push(entry);
        Ok(hold)
    }

    /// Moves a part of what is held to where the hold leads; the rest stays held. At most what is
    /// held still can be moved, and what is moved stays counted at the allowances.
    pub(crate) fn capture_hold(
        &mut self,
        id: HoldId,
        amount: Amount,
    ) -> Result<TransferId, Rejection> {
        let mut hold = self.open_hold(id)?.clone();
        if amount > hold.amount {
            return Err(Code::TooMuch.into());
        }
        let transfer = TransferId(self.number()?);
        let from = self.moved(hold.from);
        from.pending_out -= amount.0;
        from.balance -= amount.0;
        let to = self.moved(hold.to);
        to.pending_in -= amount.0;
        to.balance += amount.0;
        hold.capture(amount);
        self.change_hold(
            (id, hold),
            (transfer, EntryKind::CaptureHold),
            amount,
            Vec::new(),
        )?;
        Ok(transfer)
    }

    /// Holds more under an open hold, by an agent and for those who will share it, on what the hold is
    /// spent on. It is checked as a new hold is: the limits of a single payment apply to everything
    /// that was ever held under it, those of a period to what is added.
    pub(crate) fn raise_hold(
        &mut self,
        id: HoldId,
        (by, payees): (Option<AgentId>, &[Holder]),
        amount: Amount,
    ) -> Result<TransferId, Rejection> {
        let mut hold = self.open_hold(id)?.clone();
        if hold.raises().len() >= limits::RAISES_PER_HOLD {
            let most = limits::RAISES_PER_HOLD;
            return Err(Rejection::new(
                Code::TooManyRaises,
                format!("at most {most}"),
            ));
        }
        let whole = hold.ever().plus(amount).ok_or(Code::Overflow)?;
        let spending = Spending {
            by,
            payees,
            on: hold.spent_on.clone(),
        };
        let sides = (hold.from, hold.to);
        let (_, charged) = self.check(sides, &spending, (amount, whole), hold.purpose)?;
        let transfer = TransferId(self.number()?);
        self.moved(hold.from).pending_out += amount.0;
        self.moved(hold.to).pending_in += amount.0;
        hold.raise(Raised {
            amount,
            at: self.now,
            by: transfer,
            charged: charged.clone(),
        });
        self.change_hold(
            (id, hold),
            (transfer, EntryKind::RaiseHold),
            amount,
            charged,
        )?;
        Ok(transfer)
    }

    /// Drafts an entry that changes an open hold, and keeps the hold as it leaves it.
    fn change_hold(
        &mut self,
        (id, hold): (HoldId, Hold),
        (transfer, kind): (TransferId, EntryKind),
        amount: Amount,
        charged: Vec<Node>,
    ) -> Result<(), Rejection> {
        let asset = self.view(hold.from)?.asset;
        self.draft.entries.push(Entry {
            transfer,
            kind,
            from: hold.from,
            to: hold.to,
            amount,
            asset,
            purpose: hold.purpose,
            hold: Some(id),
            expires: None,
            charged,
            spent_on: hold.spent_on.clone(),
        });
        self.draft.held.insert(id, hold);
        Ok(())
    }

    /// Ends a hold: pays out what is held still, in full or in part, or (with an amount of zero) gives
    /// it back.
    pub(crate) fn end_hold(&mut self, id: HoldId, amount: Amount) -> Result<TransferId, Rejection> {
        let hold = self.open_hold(id)?.clone();
        if amount > hold.amount {
            return Err(Code::TooMuch.into());
        }
        let asset = self.view(hold.from)?.asset;
        let transfer = TransferId(self.number()?);
        self.draft.ended.insert(id);
        let from = self.moved(hold.from);
        from.pending_out -= hold.amount.0;
        from.balance -= amount.0;
        let to = self.moved(hold.to);
        to.pending_in -= hold.amount.0;
        to.balance += amount.0;
        let kind = if amount == Amount::ZERO {
            EntryKind::VoidHold
        } else {
            EntryKind::PostHold
        };
        self.draft.entries.push(Entry {
            transfer,
            kind,
            from: hold.from,
            to: hold.to,
            amount,
            asset,
            purpose: hold.purpose,
            hold: Some(id),
            expires: None,
            charged: Vec::new(),
            spent_on: None,
        });
        Ok(transfer)
    }

    /// Lets a deal take over the hold of its offer: the money stays held and counted as before, and
    /// belongs to the deal from now on.
    pub(crate) fn take_over(&mut self, id: HoldId, purpose: Purpose) -> Result<HoldId, Rejection> {
        self.open_hold(id)?;
        if let Some(hold) = self.draft.held.get_mut(&id) {
            hold.purpose = purpose;
        }
        self.emit(Event::Ledger(LedgerEvent::HoldTaken { hold: id, purpose }));
        Ok(id)
    }

    /// A hold that neither the log nor this draft has ended.
    pub(crate) fn open_hold(&self, id: HoldId) -> Result<&Hold, Rejection> {
        let over = || Rejection::new(Code::HoldOver, format!("{id}"));
        if self.draft.ended.contains(&id) {
            return Err(over());
        }
        let drafted = self.draft.held.get(&id);
        drafted
            .or_else(|| self.state.holds.get(&id))
            .ok_or_else(over)
    }

    /// Refuses a memo to holders who have blocked the agent that writes it: words are words, beside
    /// whatever money they come.
    pub(crate) fn may_write_memo(&self) -> Result<(), Rejection> {
        let Some(by) = self.named_actor() else {
            return Ok(());
        };
        let mut payees = self.draft.entries.iter().filter_map(|e| self.holder(e.to));
        match payees.any(|payee| policy::holder_blocks(self.state, payee, by)) {
            true => Err(Rejection::new(
                Code::Blocked,
                "a memo is a message: leave it out",
            )),
            false => Ok(()),
        }
    }

    /// Emits the drafted entries as one event, if there are any.
    pub(crate) fn flush_entries(&mut self, memo: Option<ContentRef>, reference: Option<ClientId>) {
        let entries = core::mem::take(&mut self.draft.entries);
        if entries.is_empty() {
            return;
        }
        let by = self.principal;
        self.emit(Event::Ledger(LedgerEvent::Entries {
            by,
            entries,
            memo,
            reference,
        }));
    }
}
