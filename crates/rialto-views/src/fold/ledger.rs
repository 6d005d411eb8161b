//! Assets, accounts, entries and holds. Balances of a batch's accounts are kept at hand and written
//! back once, since a batch moves the same accounts again and again. With each balance goes how
//! much of it is fresh ([`crate::provenance`]).

use rialto_core::id::{AccountId, AssetId, HoldId, TransferId};
use rialto_core::ledger::{Entry, EntryKind, Holder, LedgerEvent, Purpose};
use rialto_core::text::Name;
use rusqlite::{Connection, OptionalExtension, params};

use super::deals::Ended;
use super::{Folding, text_id};
use crate::codec::Coded;
use crate::db::{Units, int};
use crate::provenance::{Carried, Way, carry};
use crate::{Error, Result};

/// An account's sums while a batch is folded.
#[derive(Clone, Copy, Default)]
pub(super) struct Held {
    balance: i128,
    pending_out: i128,
    pending_in: i128,
    /// How much of the balance has come from outside and not vouched yet.
    fresh: i128,
    /// Whose it is; nobody's in the realm if it stands for issues or the world outside.
    owner: Option<i64>,
    /// Its last entry.
    last: Option<i64>,
}

/// Writes accounts back.
pub(super) fn flush(db: &Connection, accounts: impl Iterator<Item = (i64, Held)>) -> Result<()> {
    let sql = "UPDATE account SET balance = ?, pending_out = ?, pending_in = ?, fresh = ?, last = ? WHERE id = ?";
    let mut update = db.prepare_cached(sql)?;
    for (id, held) in accounts {
        update.execute((
            Units(held.balance),
            Units(held.pending_out),
            Units(held.pending_in),
            Units(held.fresh),
            held.last,
            id,
        ))?;
    }
    Ok(())
}

/// What the entries of one event have in common.
struct Common<'a> {
    by: (i64, i64),
    memo: Option<i64>,
    reference: Option<&'a str>,
}

/// In what way an entry moves money between accounts of these owners.
fn way_of(purpose: Purpose, from: Option<i64>, to: Option<i64>) -> Way {
    match (purpose, from) {
        (Purpose::Issue | Purpose::Deposit, None) => Way::Enters,
        (_, None) => Way::Returns,
        (Purpose::Deal(_), _) if from != to => Way::Pays,
        (Purpose::Share(_), _) if from != to => Way::Shares,
        _ => Way::Moves,
    }
}

impl Folding<'_> {
    pub(super) fn ledger(&mut self, event: &LedgerEvent) -> Result<()> {
        match event {
            LedgerEvent::AssetCreated {
                asset,
                issuance,
                outside,
                ..
            } => {
                self.open(*issuance, Holder::Issuance, *asset, None)?;
                self.open(*outside, Holder::Outside, *asset, None)
            }
            LedgerEvent::AccountOpened {
                account,
                holder,
                asset,
                label,
            } => self.open(*account, *holder, *asset, label.as_ref()),
            LedgerEvent::Entries {
                by,
                entries,
                memo,
                reference,
            } => {
                let memo = text_id(memo.as_ref());
                let reference = reference.as_ref().map(|r| r.as_str());
                let common = Common {
                    by: by.split(),
                    memo,
                    reference,
                };
                entries
                    .iter()
                    .try_for_each(|entry| self.entry(entry, &common))
            }
            // What these keep the core from doing twice stands in the entries beside them.
            LedgerEvent::PaymentNamed { .. } | LedgerEvent::EntryCorrected { .. } => Ok(()),
            LedgerEvent::HoldTaken { hold, purpose } => self.hold_taken(*hold, *purpose),
            LedgerEvent::AccountClosed { account } => self.run(
                "UPDATE account SET closed = ? WHERE id = ?",
                (self.now(), int(account.0)),
            ),
        }
    }

    fn open(
        &mut self,
        account: AccountId,
        holder: Holder,
        asset: AssetId,
        label: Option<&Name>,
    ) -> Result<()> {
        let (kind, number) = holder.split();
        let owner = self.owner_of_holder(holder)?;
        self.run(
            "INSERT INTO account VALUES(?, ?, ?, ?, ?, ?, 0, 0, 0, 0, NULL, NULL)",
            params![
                int(account.0),
                kind,
                number,
                owner.map(|o| int(o.0)),
                int(asset.0),
                label.map(Name::as_str)
            ],
        )
    }

    fn entry(&mut self, entry: &Entry, common: &Common<'_>) -> Result<()> {
        let (purpose, purpose_id) = entry.purpose.split();
        let carried = self.carried(entry)?;
        let (debit, credit) = self.book(entry, carried)?;
        self.run(
            "INSERT INTO entry VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                int(entry.transfer.0),
                self.now(),
                entry.kind.split().0,
                int(entry.from.0),
                int(entry.to.0),
                Units(entry.amount.0),
                int(entry.asset.0),
                purpose,
                purpose_id,
                entry.hold.map(|h| int(h.0)),
                common.by.0,
                common.by.1,
                common.memo,
                common.reference,
                Units(debit.balance),
                Units(debit.pending_out),
                debit.last,
                Units(credit.balance),
                Units(credit.pending_out),
                credit.last,
            ],
        )?;
        match (entry.kind, entry.hold) {
            (EntryKind::Post, _) => {}
            (EntryKind::Hold, _) => self.hold_made(entry, purpose, purpose_id)?,
            (EntryKind::CaptureHold | EntryKind::RaiseHold, _) => self.hold_changed(entry)?,
            (EntryKind::PostHold | EntryKind::VoidHold, hold) => self.run(
                "UPDATE hold SET ended = ?, posted = ? WHERE id = ?",
                (
                    int(entry.transfer.0),
                    Units(entry.amount.0),
                    hold.map(|h| int(h.0)),
                ),
            )?,
        }
        Ok(())
    }

    /// What an entry does to the fresh money on its two sides. What it says of a deal is kept until
    /// the envelope is folded, since the deal's own event may come later.
    fn carried(&mut self, entry: &Entry) -> Result<Carried> {
        let deal = entry.purpose.deal();
        match entry.kind {
            EntryKind::Hold | EntryKind::RaiseHold => return Ok(Carried::default()),
            EntryKind::VoidHold if deal.is_none() => return Ok(Carried::default()),
            EntryKind::Post
            | EntryKind::PostHold
            | EntryKind::VoidHold
            | EntryKind::CaptureHold => {}
        }
        let (debit, credit) = (self.held(entry.from)?, self.held(entry.to)?);
        let amount = entry.amount.0;
        let way = way_of(entry.purpose, debit.owner, credit.owner);
        let carried = match credit.owner {
            Some(_) => carry(way, (debit.balance, debit.fresh), amount),
            None => Carried {
                brought: 0,
                ..carry(way, (debit.balance, debit.fresh), amount)
            },
        };
        match (entry.purpose, deal) {
            // What a deal comes to is counted at its end.
            _ if entry.kind == EntryKind::CaptureHold => {}
            (Purpose::Share(_), Some(deal)) => self.shared(deal, credit.owner, amount),
            (_, Some(deal)) => self.ended.push(Ended {
                deal,
                payer: debit.owner,
                payee: credit.owner,
                paid: amount,
                vouched: carried.vouched,
                shares: Vec::new(),
            }),
            _ => {}
        }
        Ok(carried)
    }

    /// Both accounts as the entry leaves them, each still naming the entry before as its last.
    fn book(&mut self, entry: &Entry, carried: Carried) -> Result<(Held, Held)> {
        let amount = entry.amount.0;
        let held = match entry.kind {
            EntryKind::Post | EntryKind::Hold | EntryKind::RaiseHold => 0,
            EntryKind::CaptureHold => amount,
            EntryKind::PostHold | EntryKind::VoidHold => self.rest_of(entry)?,
        };
        let debit = self.post(entry.from, entry.transfer, |a| {
            a.fresh -= carried.taken;
            match entry.kind {
                EntryKind::Post => a.balance -= amount,
                EntryKind::Hold | EntryKind::RaiseHold => a.pending_out += amount,
                EntryKind::PostHold | EntryKind::VoidHold | EntryKind::CaptureHold => {
                    a.pending_out -= held;
                    a.balance -= amount;
                }
            }
        })?;
        let credit = self.post(entry.to, entry.transfer, |a| {
            a.fresh += carried.brought;
            match entry.kind {
                EntryKind::Post => a.balance += amount,
                EntryKind::Hold | EntryKind::RaiseHold => a.pending_in += amount,
                EntryKind::PostHold | EntryKind::VoidHold | EntryKind::CaptureHold => {
                    a.pending_in -= held;
                    a.balance += amount;
                }
            }
        })?;
        Ok((debit, credit))
    }

    fn post(
        &mut self,
        account: AccountId,
        entry: TransferId,
        change: impl FnOnce(&mut Held),
    ) -> Result<Held> {
        let mut held = self.held(account)?;
        change(&mut held);
        let next = Held {
            last: Some(int(entry.0)),
            ..held
        };
        self.cache.accounts.insert(int(account.0), next);
        Ok(held)
    }

    /// An account's sums, from now on kept at hand.
    fn held(&mut self, account: AccountId) -> Result<Held> {
        let id = int(account.0);
        if let Some(held) = self.cache.accounts.get(&id) {
            return Ok(*held);
        }
        let held = self.load(id)?;
        self.cache.accounts.insert(id, held);
        Ok(held)
    }

    fn load(&self, account: i64) -> Result<Held> {
        let sql = "SELECT balance, pending_out, pending_in, fresh, owner, last
                   FROM account WHERE id = ?";
        let held = self.db.prepare_cached(sql)?.query_row([account], |r| {
            let (balance, out, coming): (Units, Units, Units) = (r.get(0)?, r.get(1)?, r.get(2)?);
            let fresh: Units = r.get(3)?;
            Ok(Held {
                balance: balance.0,
                pending_out: out.0,
                pending_in: coming.0,
                fresh: fresh.0,
                owner: r.get(4)?,
                last: r.get(5)?,
            })
        });
        held.optional()?.ok_or(Error::Damaged(
            "an entry names an account that was never opened",
        ))
    }

    fn hold_made(&mut self, entry: &Entry, purpose: i64, purpose_id: i64) -> Result<()> {
        self.run(
            "INSERT INTO hold VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, 0)",
            params![
                int(entry.transfer.0),
                int(entry.from.0),
                int(entry.to.0),
                Units(entry.amount.0),
                int(entry.asset.0),
                purpose,
                purpose_id,
                self.now(),
                entry.expires.map(|t| int(t.0))
            ],
        )
    }

    /// A hold was captured from or raised.
    fn hold_changed(&mut self, entry: &Entry) -> Result<()> {
        let (mut amount, mut captured) = self.held_by(entry)?;
        match entry.kind.moves() {
            true => captured += entry.amount.0,
            false => amount += entry.amount.0,
        }
        let hold = entry.hold.map(|h| int(h.0));
        self.run(
            "UPDATE hold SET amount = ?, captured = ? WHERE id = ?",
            (Units(amount), Units(captured), hold),
        )?;
        self.run(
            "INSERT INTO hold_step VALUES(?, ?, ?)",
            (hold, int(entry.transfer.0), Units(amount - captured)),
        )
    }

    /// A hold, and the entry that made it, change their purpose: an offer's money belongs to the
    /// deal, and is accounted for as if the deal had held it.
    fn hold_taken(&mut self, hold: HoldId, purpose: Purpose) -> Result<()> {
        let (code, number) = purpose.split();
        for table in ["hold", "entry"] {
            self.run(
                &format!("UPDATE {table} SET purpose = ?, purpose_id = ? WHERE id = ?"),
                (code, number, int(hold.0)),
            )?;
        }
        Ok(())
    }

    /// What is held still by the hold that an entry ends.
    fn rest_of(&self, entry: &Entry) -> Result<i128> {
        let (amount, captured) = self.held_by(entry)?;
        Ok(amount - captured)
    }

    /// What was ever held by the hold that an entry names, and what of it was captured.
    fn held_by(&self, entry: &Entry) -> Result<(i128, i128)> {
        let Some(hold) = entry.hold else {
            return Err(Error::Damaged("an entry does not name its hold"));
        };
        let sql = "SELECT amount, captured FROM hold WHERE id = ?";
        let held = self.db.prepare_cached(sql)?.query_row([int(hold.0)], |r| {
            let (amount, captured): (Units, Units) = (r.get(0)?, r.get(1)?);
            Ok((amount.0, captured.0))
        });
        let held = held.optional()?;
        held.ok_or(Error::Damaged("an entry names a hold that was never made"))
    }
}
