//! Applies events on the ledger.

use super::{Account, Asset, Corrected, Entry, EntryKind, Hold, Holder, LedgerEvent, Raised};
use crate::amount::Amount;
use crate::id::{AccountId, AssetId, position_of};
use crate::identity::Principal;
use crate::policy::{self, Quantity};
use crate::realm::Realm;
use crate::state::State;
use crate::text::Name;

pub(crate) fn evolve(state: &mut State, event: &LedgerEvent) {
    match event {
        LedgerEvent::AssetCreated {
            asset,
            code,
            scale,
            issuance,
            outside,
        } => {
            let entity = Asset {
                code: code.clone(),
                scale: *scale,
                issuance: *issuance,
                outside: *outside,
            };
            state.bring(*asset, entity);
            let first = |r: &mut Realm| r.asset = r.asset.or(Some(*asset));
            state.realm.modify(&(), &mut state.changes, first);
            open(state, *issuance, Holder::Issuance, *asset, None);
            open(state, *outside, Holder::Outside, *asset, None);
        }
        LedgerEvent::AccountOpened {
            account,
            holder,
            asset,
            label,
        } => {
            open(state, *account, *holder, *asset, label.clone());
        }
        LedgerEvent::AccountClosed { account } => {
            if state.take::<Account>(account).is_none() {
                state.changes.defect();
            }
        }
        LedgerEvent::Entries { by, entries, .. } => {
            for entry in entries {
                apply(state, *by, entry);
            }
        }
        LedgerEvent::PaymentNamed { key, payment } => state.bring(*key, payment.clone()),
        LedgerEvent::EntryCorrected { transfer, total } => {
            let corrected = Corrected { amount: *total };
            state.bring(*transfer, corrected);
        }
        LedgerEvent::HoldTaken { hold, purpose } => {
            let take = |h: &mut Hold| h.purpose = *purpose;
            state.holds.modify(hold, &mut state.changes, take);
        }
    }
}

fn open(state: &mut State, id: AccountId, holder: Holder, asset: AssetId, label: Option<Name>) {
    let (balance, pending_out, pending_in) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
    state.bring(
        id,
        Account {
            holder,
            asset,
            label,
            balance,
            pending_out,
            pending_in,
        },
    );
}

fn apply(state: &mut State, by: Principal, entry: &Entry) {
    let amount = entry.amount.0;
    match entry.kind {
        EntryKind::Post => {
            change(state, entry.from, |a| a.balance.0 -= amount);
            change(state, entry.to, |a| a.balance.0 += amount);
        }
        EntryKind::Hold => {
            change(state, entry.from, |a| a.pending_out.0 += amount);
            change(state, entry.to, |a| a.pending_in.0 += amount);
            add_hold(state, by, entry);
        }
        EntryKind::RaiseHold => {
            change(state, entry.from, |a| a.pending_out.0 += amount);
            change(state, entry.to, |a| a.pending_in.0 += amount);
            let raised = Raised {
                amount: entry.amount,
                at: state.now(),
                by: entry.transfer,
                charged: entry.charged.clone(),
            };
            change_hold(state, entry, |hold| hold.raise(raised));
        }
        EntryKind::CaptureHold => {
            change(state, entry.from, |a| {
                a.pending_out.0 -= amount;
                a.balance.0 -= amount;
            });
            change(state, entry.to, |a| {
                a.pending_in.0 -= amount;
                a.balance.0 += amount;
            });
            change_hold(state, entry, |hold| hold.capture(entry.amount));
        }
        EntryKind::PostHold | EntryKind::VoidHold => end_hold(state, entry),
    }
    for node in &entry.charged {
        let of = Quantity::money(entry.asset, entry.amount);
        policy::count(state, *node, &of, entry.spent_on.as_deref());
    }
}

fn change(state: &mut State, id: AccountId, change: impl FnOnce(&mut Account)) {
    state.accounts.modify(&id, &mut state.changes, change);
}

fn add_hold(state: &mut State, by: Principal, entry: &Entry) {
    let Some(id) = entry.hold else {
        state.changes.defect();
        return;
    };
    let hold = Hold {
        from: entry.from,
        to: entry.to,
        amount: entry.amount,
        expires: entry.expires,
        purpose: entry.purpose,
        by,
        at: state.now(),
        charged: entry.charged.clone(),
        captured: None,
        raised: None,
        spent_on: entry.spent_on.clone(),
    };
    state.bring(id, hold);
}

fn change_hold(state: &mut State, entry: &Entry, change: impl FnOnce(&mut Hold)) {
    match entry.hold {
        Some(id) => state.holds.modify(&id, &mut state.changes, change),
        None => state.changes.defect(),
    }
}

fn end_hold(state: &mut State, entry: &Entry) {
    let ended = entry
        .hold
        .and_then(|id| Some((id, state.take::<Hold>(&id)?)));
    let Some((id, mut hold)) = ended else {
        state.changes.defect();
        return;
    };
    let (held, amount) = (hold.amount.0, entry.amount.0);
    change(state, hold.from, |a| {
        a.pending_out.0 -= held;
        a.balance.0 -= amount;
    });
    change(state, hold.to, |a| {
        a.pending_in.0 -= held;
        a.balance.0 += amount;
    });
    hold.draw(entry.amount);
    let made = (hold.first(), &hold.charged, hold.at, id.0);
    let raised = hold.raises().iter();
    let raised = raised.map(|one| (one.amount, &one.charged, one.at, one.by.0));
    let on = hold.spent_on.as_deref();
    for (returned, charged, at, number) in core::iter::once(made).chain(raised) {
        let of = Quantity::money(entry.asset, returned);
        for node in charged {
            let counted = (at, position_of(number));
            policy::uncharge(state, *node, (&of, on), counted);
        }
    }
}
