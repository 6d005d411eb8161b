//! Assets, accounts, statements, holds and the trial balance.

use std::collections::BTreeMap;

use rialto_core::amount::Amount;
use rialto_core::id::{
    AccountId, AnyId, AssetId, HoldId, ObligationId, TeamId, TransferId, position_of,
};
use rialto_core::identity::Principal;
use rialto_core::ledger::{EntryKind, Holder, Moved, Purpose};
use rialto_core::time::Time;
use rusqlite::{OptionalExtension, Row};
use serde::Serialize;

use super::{Page, Paging, Scope, Snap, Table, ViewReader, Written, cursor, limit, time};
use crate::Result;
use crate::codec::{Coded, holder, purpose};
use crate::db::{Units, int, kind_of, uint};

/// A kind of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AssetRow {
    /// Its id.
    pub id: AssetId,
    /// Its code.
    pub code: String,
    /// How many digits are after the point.
    pub scale: u8,
    /// The account that operator issues come from.
    pub issuance: AccountId,
    /// The account that stands for the world outside.
    pub outside: AccountId,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// Whose it is: an owner, team or agent; none for the realm's own.
    pub holder: Option<AnyId>,
    /// Its holder in words: `@casa`, an owner's or team's name, `issuance` or `outside`.
    pub holder_name: String,
    /// Its name, if it is not the holder's main account.
    pub label: Option<String>,
    /// The asset.
    pub asset: String,
    /// What it holds, in whole units.
    pub balance: String,
    /// What open holds would take from it.
    pub pending_out: String,
    /// What open holds would add to it.
    pub pending_in: String,
    /// What can be spent.
    pub available: String,
    /// When it was closed: nothing can be paid to it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Time>,
}

/// An entry as it concerns one account.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatementRow {
    /// The entry.
    #[serde(rename = "entry")]
    pub entry: EntryRow,
    /// What it changed the balance by.
    pub change: String,
    /// The balance after it.
    pub balance: String,
    /// What could be spent after it.
    pub available: String,
    /// The other account's holder.
    pub counterparty: String,
    /// The older agent, known by its deals, that the other party's handle could be taken for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterparty_resembles: Option<String>,
}

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EntryRow {
    /// Its id.
    pub id: TransferId,
    /// `post`, `hold`, `capture_hold`, `raise_hold`, `post_hold` or `void_hold`.
    pub kind: &'static str,
    /// The paying account.
    pub from: AccountId,
    /// The receiving account.
    pub to: AccountId,
    /// How much was moved or set aside, in whole units.
    pub amount: String,
    /// The asset.
    pub asset: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The hold it makes, changes or ends.
    pub hold: Option<HoldId>,
    /// Who moved it.
    pub by: Principal,
    /// A note about it.
    pub memo: Option<Written>,
    /// The payment's id outside.
    pub reference: Option<String>,
    /// When.
    pub at: Time,
    /// The position of the event.
    pub position: u64,
}

/// Money set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HoldRow {
    /// Its id.
    pub id: HoldId,
    /// The paying account.
    pub from: AccountId,
    /// The receiving account.
    pub to: AccountId,
    /// Everything that was ever held, raises included, in whole units.
    pub amount: String,
    /// How much of it was captured: paid out while it was open.
    pub captured: String,
    /// How much is held still; nothing once it has ended.
    pub rest: String,
    /// The asset.
    pub asset: String,
    /// What it is for.
    pub purpose: Purpose,
    /// When it was made.
    pub created: Time,
    /// When it is voided by itself.
    pub expires: Option<Time>,
    /// `open`, `posted` or `voided`.
    pub state: &'static str,
    /// How much its end paid out, beside what was captured before.
    pub posted: Option<String>,
}

/// A withdrawal that waits to be paid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwedWithdrawal {
    /// Its hold, which `ledger.end_withdrawal` names.
    pub hold: HoldId,
    /// Its obligation, which `obligation.failed` names: the key of its payment, so that a repeat is
    /// known as one.
    pub obligation: ObligationId,
    /// True if it is tried no more until the operator says so.
    pub dead: bool,
    /// The paying account.
    pub account: AccountId,
    /// How much, in whole units.
    pub amount: String,
    /// The asset.
    pub asset: String,
    /// What the payer calls it.
    pub reference: Option<String>,
    /// When it was asked for.
    pub created: Time,
}

/// The sums of an asset over all accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrialBalance {
    /// The asset.
    pub asset: String,
    /// The sum over all accounts: zero.
    pub sum: String,
    /// What owners, teams and agents hold together.
    pub held: String,
    /// What the operator has issued.
    pub issued: String,
    /// What came from outside, less what went there.
    pub outside: String,
    /// What is set aside in open holds.
    pub pending: String,
}

impl ViewReader {
    /// All assets, oldest first: at most a thousand exist.
    ///
    /// # Errors
    /// As every read.
    pub fn assets(&self) -> Result<Vec<AssetRow>> {
        self.read(|snap| {
            let sql = "SELECT id, code, scale, issuance, outside FROM asset ORDER BY id";
            let mut query = snap.db.prepare_cached(sql)?;
            let rows = query.query_map([], |r| {
                Ok(AssetRow {
                    id: AssetId(uint(r.get(0)?)),
                    code: r.get(1)?,
                    scale: r.get(2)?,
                    issuance: AccountId(uint(r.get(3)?)),
                    outside: AccountId(uint(r.get(4)?)),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Accounts of the scope, oldest first: an owner's are its own, its teams' and its agents'.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn accounts(&self, scope: Scope, paging: &Paging) -> Result<Page<AccountRow>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let filter = match scope {
            Scope::Realm => "?3 IS NULL",
            Scope::Owner(_) => "owner = ?3",
            Scope::Agent(_) => "holder = ?3",
        };
        let sql = format!("SELECT id FROM account WHERE id > ?1 AND {filter} ORDER BY id LIMIT ?2");
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(&sql)?;
            let ids = query.query_map((after, wide, scope.viewer()), |r| r.get(0))?;
            let mut found = Vec::new();
            for id in ids {
                let id = id?;
                found.extend(snap.account(id)?.map(|account| (id, account)));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// The accounts of a team that the scope may see: its budget; at most a hundred.
    ///
    /// # Errors
    /// As every read.
    pub fn team_accounts(&self, scope: Scope, team: TeamId) -> Result<Vec<AccountRow>> {
        self.read(|snap| {
            if !snap.sees(scope, team.into())? {
                return Ok(Vec::new());
            }
            let sql = "SELECT id FROM account WHERE holder_kind = ? AND holder = ?
                       ORDER BY id LIMIT 100";
            let mut query = snap.db.prepare_cached(sql)?;
            let ids = query.query_map(Holder::Team(team).split(), |r| r.get(0))?;
            let mut found = Vec::new();
            for id in ids {
                let id = id?;
                if snap.sees(scope, AccountId(uint(id)).into())? {
                    found.extend(snap.account(id)?);
                }
            }
            Ok(found)
        })
    }

    /// One account.
    ///
    /// # Errors
    /// As every read.
    pub fn account(&self, scope: Scope, id: AccountId) -> Result<Option<AccountRow>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            snap.account(int(id.0))
        })
    }

    /// The entries of an account with its running balance, newest first; nothing if the scope has
    /// no such account.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn statement(
        &self,
        scope: Scope,
        account: AccountId,
        paging: &Paging,
    ) -> Result<Option<Page<StatementRow>>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?);
        self.read(|snap| {
            if !snap.sees(scope, account.into())? {
                return Ok(None);
            }
            let mut found = Vec::new();
            let mut next = snap.entry_before(int(account.0), before)?;
            while let Some(id) = next
                && found.len() <= limit
                && !snap.is_full()
            {
                let row = snap.statement_row(account, id)?;
                found.push((id, row));
                next = snap.entry_before(int(account.0), Some(id))?;
            }
            Ok(Some(snap.page(found, limit)))
        })
    }

    /// An entry between accounts of which the scope sees one.
    ///
    /// # Errors
    /// As every read.
    pub fn entry(&self, scope: Scope, id: TransferId) -> Result<Option<EntryRow>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            Ok(Some(snap.entry(int(id.0))?.0))
        })
    }

    /// Open holds of the scope's deals and transfers, newest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn holds(&self, scope: Scope, paging: &Paging) -> Result<Page<HoldRow>> {
        let table = Table::of("hold", HoldId::PREFIX);
        let open = Some(("AND t.ended IS NULL", ""));
        self.read(|snap| snap.listed(scope, table, open, paging, |snap, id| snap.hold(id)))
    }

    /// A hold.
    ///
    /// # Errors
    /// As every read.
    pub fn hold(&self, scope: Scope, id: HoldId) -> Result<Option<HoldRow>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            snap.hold(int(id.0))
        })
    }

    /// The withdrawals of the whole realm that wait to be paid out, newest first; for payment services.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn owed_withdrawals(&self, paging: &Paging) -> Result<Page<OwedWithdrawal>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let sql =
            "SELECT n.id, n.state = 'dead', h.id, h.debit, h.amount, h.asset, e.reference, h.at
                   FROM noun n
                   JOIN link l ON l.to_kind = n.kind AND l.to_id = n.id AND l.from_kind = ?1
                   JOIN hold h ON h.id = l.from_id
                   JOIN entry e ON e.id = h.id
                   WHERE n.kind = ?2 AND n.state IN ('open', 'dead') AND n.id < ?3
                   ORDER BY n.id DESC LIMIT ?4";
        let kinds = (kind_of(HoldId::PREFIX), kind_of(ObligationId::PREFIX));
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(sql)?;
            let mut rows = query.query((kinds.0, kinds.1, before, wide))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (id, asset): (i64, i64) = (row.get(0)?, row.get(5)?);
                let owed = OwedWithdrawal {
                    hold: HoldId(uint(row.get(2)?)),
                    obligation: ObligationId(uint(id)),
                    dead: row.get(1)?,
                    account: AccountId(uint(row.get(3)?)),
                    amount: snap.decimal(row.get(4)?, asset)?,
                    asset: snap.asset(asset)?.0,
                    reference: row.get(6)?,
                    created: time(row.get(7)?),
                };
                found.push((id, owed));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// The sums of every asset over all accounts.
    ///
    /// # Errors
    /// As every read.
    pub fn trial_balance(&self) -> Result<Vec<TrialBalance>> {
        self.read(|snap| snap.trial_balance())
    }
}

impl ViewReader {
    /// What an entry moved, and the sum of its corrections: these bound its next correction.
    ///
    /// # Errors
    /// As every read.
    pub fn moved_by(&self, id: TransferId) -> Result<Option<Moved>> {
        self.read(|snap| snap.moved_by(id))
    }
}

const ENTRY: &str = "SELECT id, kind, debit, credit, amount, asset, purpose, purpose_id, hold,
    by_kind, by_id, memo, reference, at FROM entry WHERE id = ?";

fn kind_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Post => "post",
        EntryKind::Hold => "hold",
        EntryKind::PostHold => "post_hold",
        EntryKind::VoidHold => "void_hold",
        EntryKind::CaptureHold => "capture_hold",
        EntryKind::RaiseHold => "raise_hold",
    }
}

/// Reads what an entry does off a column.
fn kind_in(row: &Row<'_>, column: usize) -> Result<EntryKind> {
    EntryKind::join(row.get(column)?, 0)
}

impl Snap<'_> {
    fn moved_by(&self, id: TransferId) -> Result<Option<Moved>> {
        let sql = "SELECT kind, debit, credit, asset, amount FROM entry WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([int(id.0)])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let (kind, amount) = (kind_in(row, 0)?, row.get::<_, Units>(4)?);
        let mut moved = Moved {
            from: AccountId(uint(row.get(1)?)),
            to: AccountId(uint(row.get(2)?)),
            asset: AssetId(uint(row.get(3)?)),
            amount: Amount(if kind.moves() { amount.0 } else { 0 }),
            corrected: Amount::ZERO,
        };
        let sql = "SELECT e.amount FROM link l JOIN entry e ON e.id = l.to_id
                   WHERE l.from_kind = ?1 AND l.from_id = ?2 AND l.to_kind = ?1
                   AND e.purpose = ?3 AND e.purpose_id = ?2";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows =
            query.query((kind_of(TransferId::PREFIX), int(id.0), purpose::CORRECTION))?;
        while let Some(row) = rows.next()? {
            let amount: Units = row.get(0)?;
            // Sums of what was moved fit: past any bound, everything is corrected.
            let sum = moved.corrected.0.saturating_add(amount.0);
            moved.corrected = Amount(sum);
        }
        Ok(Some(moved))
    }

    fn account(&self, id: i64) -> Result<Option<AccountRow>> {
        let sql =
            "SELECT holder_kind, holder, label, asset, balance, pending_out, pending_in, closed
                   FROM account WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let holder = Holder::join(row.get(0)?, row.get(1)?)?;
        let (code, scale) = self.asset(row.get(3)?)?;
        let (balance, out): (Units, Units) = (row.get(4)?, row.get(5)?);
        let print = |units: i128| Amount(units).display(scale);
        Ok(Some(AccountRow {
            id: AccountId(uint(id)),
            holder: match holder {
                Holder::Owner(id) => Some(id.into()),
                Holder::Team(id) => Some(id.into()),
                Holder::Agent(id) => Some(id.into()),
                Holder::Issuance | Holder::Outside => None,
            },
            holder_name: self.holder_name(holder)?,
            label: row.get(2)?,
            asset: code,
            balance: print(balance.0),
            pending_out: print(out.0),
            pending_in: print(row.get::<_, Units>(6)?.0),
            available: print(balance.0 - out.0),
            closed: row.get::<_, Option<i64>>(7)?.map(time),
        }))
    }

    pub(crate) fn holder_name(&self, holder: Holder) -> Result<String> {
        let (table, id) = match holder {
            Holder::Issuance => return Ok("issuance".to_owned()),
            Holder::Outside => return Ok("outside".to_owned()),
            Holder::Owner(id) => ("owner", id.0),
            Holder::Team(id) => ("team", id.0),
            Holder::Agent(id) => return Ok(self.who(int(id.0))?.handle),
        };
        let sql = format!("SELECT name FROM {table} WHERE id = ?");
        let name = self
            .db
            .prepare_cached(&sql)?
            .query_row([int(id)], |r| r.get(0))
            .optional()?;
        Ok(name.unwrap_or_default())
    }

    pub(crate) fn account_name(&self, account: i64) -> Result<String> {
        let sql = "SELECT holder_kind, holder FROM account WHERE id = ?";
        let row = self
            .db
            .prepare_cached(sql)?
            .query_row([account], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        row.map_or(Ok(String::new()), |(kind, holder)| {
            self.holder_name(Holder::join(kind, holder)?)
        })
    }

    /// An entry, with its amount in smallest units and its asset.
    pub(crate) fn entry(&self, id: i64) -> Result<(EntryRow, i128, i64)> {
        let mut query = self.db.prepare_cached(ENTRY)?;
        let mut rows = query.query([id])?;
        match rows.next()? {
            Some(row) => self.entry_row(row),
            None => Err(crate::Error::Damaged(
                "a statement names an entry that is not there",
            )),
        }
    }

    fn entry_row(&self, row: &Row<'_>) -> Result<(EntryRow, i128, i64)> {
        let asset: i64 = row.get(5)?;
        let amount: Units = row.get(4)?;
        let id = uint(row.get(0)?);
        let entry = EntryRow {
            id: TransferId(id),
            kind: kind_name(kind_in(row, 1)?),
            from: AccountId(uint(row.get(2)?)),
            to: AccountId(uint(row.get(3)?)),
            amount: self.decimal(amount, asset)?,
            asset: self.asset(asset)?.0,
            purpose: Purpose::join(row.get(6)?, row.get(7)?)?,
            hold: row.get::<_, Option<i64>>(8)?.map(|h| HoldId(uint(h))),
            by: Principal::join(row.get(9)?, row.get(10)?)?,
            memo: self.written(row.get(11)?)?,
            reference: row.get(12)?,
            at: time(row.get(13)?),
            position: position_of(id),
        };
        Ok((entry, amount.0, asset))
    }

    /// The entry of an account before a given one, or its last.
    fn entry_before(&self, account: i64, entry: Option<i64>) -> Result<Option<i64>> {
        let Some(entry) = entry else {
            let sql = "SELECT last FROM account WHERE id = ?";
            let last = self
                .db
                .prepare_cached(sql)?
                .query_row([account], |r| r.get(0));
            return Ok(last.optional()?.flatten());
        };
        let sql = "SELECT CASE ?1 WHEN debit THEN debit_prev WHEN credit THEN credit_prev END
                   FROM entry WHERE id = ?2";
        let mut query = self.db.prepare_cached(sql)?;
        let before = query.query_row((account, entry), |r| r.get(0));
        Ok(before.optional()?.flatten())
    }

    fn statement_row(&self, account: AccountId, id: i64) -> Result<StatementRow> {
        let sql = "SELECT debit = ?1, debit_balance, debit_out, credit_balance, credit_out
                   FROM entry WHERE id = ?2";
        let mut query = self.db.prepare_cached(sql)?;
        let (balance, out): (Units, Units) = query.query_row((int(account.0), id), |r| {
            let place = if r.get(0)? { 1 } else { 3 };
            Ok((r.get(place)?, r.get(place + 1)?))
        })?;
        let (entry, amount, asset) = self.entry(id)?;
        let moved = matches!(entry.kind, "post" | "post_hold" | "capture_hold");
        let (sign, other) = if entry.from == account {
            (-1, entry.to)
        } else {
            (1, entry.from)
        };
        let change = if moved { sign * amount } else { 0 };
        let counterparty = self.account_name(int(other.0))?;
        Ok(StatementRow {
            counterparty_resembles: self.resembled(&counterparty)?,
            counterparty,
            change: self.decimal(Units(change), asset)?,
            balance: self.decimal(balance, asset)?,
            available: self.decimal(Units(balance.0 - out.0), asset)?,
            entry,
        })
    }

    fn hold(&self, id: i64) -> Result<Option<HoldRow>> {
        let sql =
            "SELECT debit, credit, amount, asset, purpose, purpose_id, at, expires, ended, posted,
                    captured FROM hold WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let asset: i64 = row.get(3)?;
        let (ended, posted): (Option<i64>, Option<Units>) = (row.get(8)?, row.get(9)?);
        let (amount, captured): (Units, Units) = (row.get(2)?, row.get(10)?);
        let rest = match ended {
            None => amount.0 - captured.0,
            Some(_) => 0,
        };
        Ok(Some(HoldRow {
            id: HoldId(uint(id)),
            from: AccountId(uint(row.get(0)?)),
            to: AccountId(uint(row.get(1)?)),
            amount: self.decimal(amount, asset)?,
            captured: self.decimal(captured, asset)?,
            rest: self.decimal(Units(rest), asset)?,
            asset: self.asset(asset)?.0,
            purpose: Purpose::join(row.get(4)?, row.get(5)?)?,
            created: time(row.get(6)?),
            expires: row.get::<_, Option<i64>>(7)?.map(time),
            state: match (ended, posted) {
                (None, _) => "open",
                (Some(_), Some(Units(0)) | None) => "voided",
                (Some(_), Some(_)) => "posted",
            },
            posted: posted.map(|u| self.decimal(u, asset)).transpose()?,
        }))
    }

    fn trial_balance(&self) -> Result<Vec<TrialBalance>> {
        let mut sums: BTreeMap<i64, [i128; 4]> = BTreeMap::new();
        let sql = "SELECT asset, holder_kind, balance, pending_out FROM account";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (balance, out): (Units, Units) = (row.get(2)?, row.get(3)?);
            let sums = sums.entry(row.get(0)?).or_default();
            match row.get(1)? {
                holder::ISSUANCE => sums[1] += balance.0,
                holder::OUTSIDE => sums[2] += balance.0,
                _ => sums[0] += balance.0,
            }
            sums[3] += out.0;
        }
        let mut balances = Vec::new();
        for (asset, [held, issuance, outside, pending]) in sums {
            let (code, scale) = self.asset(asset)?;
            let print = |units: i128| Amount(units).display(scale);
            balances.push(TrialBalance {
                asset: code,
                sum: print(held + issuance + outside),
                held: print(held),
                issued: print(-issuance),
                outside: print(-outside),
                pending: print(pending),
            });
        }
        Ok(balances)
    }
}
