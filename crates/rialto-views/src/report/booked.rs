//! What an entry of the ledger says of its two sides: the facts that a report counts.
//!
//! Every purpose is named here on either side; what is new does not compile before it is said what it is.

use std::collections::HashMap;

use rialto_core::ledger::{EntryKind, Holder, Purpose};
use rusqlite::Row;

use super::{Fact, FactKind};
use crate::Result;
use crate::codec::{Coded, of_deals, purpose};
use crate::db::Units;
use crate::read::Snap;

/// What the report needs to know of an account.
#[derive(Clone, Copy)]
pub(super) struct Side {
    pub(super) realm: bool,
    pub(super) team: bool,
    pub(super) owner: Option<i64>,
    pub(super) agent: Option<i64>,
}

/// An entry with what it needs from elsewhere.
pub(super) struct Booked {
    pub(super) id: i64,
    pub(super) at: i64,
    pub(super) kind: EntryKind,
    pub(super) debit: i64,
    pub(super) credit: i64,
    pub(super) amount: i128,
    pub(super) asset: i64,
    pub(super) purpose: Purpose,
    /// What its hold held before it ended it.
    pub(super) held: i128,
    pub(super) deal: Option<(i64, i64, i64)>,
    /// The call of a model that it is for, and the agent that made it.
    pub(super) call: Option<(i64, i64)>,
}

pub(super) const BOOKED: &str =
    "e.id, e.at, e.kind, e.debit, e.credit, e.amount, e.asset, e.purpose, e.purpose_id, h.amount,
    h.captured, d.id, d.buyer, d.seller, i.id, i.agent";

/// What an entry needs from elsewhere: the hold that it ends, and the deal or call that it is for.
pub(super) fn joined() -> String {
    format!(
        "LEFT JOIN hold h ON h.id = e.hold
         LEFT JOIN deal d ON e.purpose IN ({}) AND d.id = e.purpose_id
         LEFT JOIN inference i ON e.purpose = {} AND i.id = e.purpose_id",
        of_deals(),
        purpose::INFERENCE
    )
}

/// The entries of some accounts, each account's from its last back to the period's first.
pub(super) fn chain(whose: &str) -> String {
    format!(
        "WITH RECURSIVE chain(account, id) AS (
           SELECT a.id, a.last FROM account a WHERE {whose} AND a.last >= ?1
           UNION ALL
           SELECT c.account, CASE c.account WHEN b.debit THEN b.debit_prev ELSE b.credit_prev END
           FROM chain c JOIN entry b ON b.id = c.id WHERE c.id >= ?1)
         SELECT id FROM chain WHERE id >= ?1"
    )
}

pub(super) fn booked(row: &Row<'_>) -> Result<Booked> {
    let deal: Option<i64> = row.get(11)?;
    let call: Option<i64> = row.get(14)?;
    let held = row.get::<_, Option<Units>>(9)?.unwrap_or_default();
    let captured = row.get::<_, Option<Units>>(10)?.unwrap_or_default();
    Ok(Booked {
        id: row.get(0)?,
        at: row.get(1)?,
        kind: EntryKind::join(row.get(2)?, 0)?,
        debit: row.get(3)?,
        credit: row.get(4)?,
        amount: row.get::<_, Units>(5)?.0,
        asset: row.get(6)?,
        purpose: Purpose::join(row.get(7)?, row.get(8)?)?,
        held: held.0 - captured.0,
        deal: match deal {
            Some(deal) => Some((deal, row.get(12)?, row.get(13)?)),
            None => None,
        },
        call: match call {
            Some(call) => Some((call, row.get(15)?)),
            None => None,
        },
    })
}

impl Booked {
    /// The facts of the debit side.
    pub(super) fn debits(&self, side: Side, tell: &mut dyn FnMut(Fact)) {
        let (deal, buyer, seller) = self.parties();
        let fact = |kind, amount| Fact {
            kind,
            entry: self.id,
            at: self.at,
            asset: self.asset,
            owner: side.owner,
            agent: buyer.or(self.caller()).or(side.agent),
            other: seller,
            deal,
            inference: self.call.map(|(call, _)| call),
            amount,
            calls: None,
        };
        let moved = |kind| self.moves().then(|| fact(kind, self.amount));
        let told = match self.purpose {
            Purpose::Deal(_) if self.kind == EntryKind::Hold => Some(fact(FactKind::Bought, 0)),
            Purpose::Deal(_) | Purpose::Inference(_) => moved(FactKind::Spent),
            Purpose::Withdrawal => moved(FactKind::Withdrawn),
            Purpose::Transfer => moved(FactKind::MovedOut),
            // What enters, and what a team shares out, is no expense of the side it comes from; a
            // correction tells for itself. A stake or an offer only holds money until it comes back
            // or a deal takes it over.
            Purpose::Issue
            | Purpose::Deposit
            | Purpose::Share(_)
            | Purpose::Correction(_)
            | Purpose::Stake(_)
            | Purpose::Offer(_) => None,
        };
        told.into_iter().for_each(&mut *tell);
        if self.kind.ends() && self.held > self.amount {
            tell(fact(FactKind::Returned, self.held - self.amount));
        }
    }

    /// The facts of the credit side.
    pub(super) fn credits(&self, side: Side, tell: &mut dyn FnMut(Fact)) {
        let (deal, buyer, seller) = self.parties();
        let fact = |kind, agent, amount| Fact {
            kind,
            entry: self.id,
            at: self.at,
            asset: self.asset,
            owner: side.owner,
            agent,
            other: buyer.or(self.caller()),
            deal,
            inference: self.call.map(|(call, _)| call),
            amount,
            calls: None,
        };
        let moved = |kind, agent| self.moves().then(|| fact(kind, agent, self.amount));
        let told = match self.purpose {
            Purpose::Deal(_) if self.kind == EntryKind::Hold => {
                Some(fact(FactKind::Sold, seller, 0))
            }
            // What a team is paid is earned where it is shared out.
            Purpose::Deal(_) if side.team => None,
            Purpose::Deal(_) => moved(FactKind::Earned, seller),
            Purpose::Share(_) | Purpose::Inference(_) => moved(FactKind::Earned, side.agent),
            Purpose::Issue => moved(FactKind::Issued, side.agent),
            Purpose::Deposit => moved(FactKind::Deposited, side.agent),
            Purpose::Transfer => moved(FactKind::MovedIn, side.agent),
            // Money that leaves is nobody's here; a correction tells for itself. What a stake or an
            // offer holds is paid to nobody.
            Purpose::Withdrawal
            | Purpose::Correction(_)
            | Purpose::Stake(_)
            | Purpose::Offer(_) => None,
        };
        told.into_iter().for_each(tell);
    }

    /// The agent that made the call.
    fn caller(&self) -> Option<i64> {
        self.call.map(|(_, caller)| caller)
    }

    /// Whether it moves any money.
    fn moves(&self) -> bool {
        self.kind.moves() && self.amount != 0
    }

    /// A correction: between holders it moves money, with the realm it makes or takes some.
    pub(super) fn corrects(&self, own: Side, other: Side, sign: i128, tell: &mut dyn FnMut(Fact)) {
        if own.realm {
            return;
        }
        let (kind, amount) = match (other.realm, sign) {
            (true, _) => (FactKind::Corrected, sign * self.amount),
            (false, 1) => (FactKind::MovedIn, self.amount),
            (false, _) => (FactKind::MovedOut, self.amount),
        };
        tell(Fact {
            kind,
            entry: self.id,
            at: self.at,
            asset: self.asset,
            owner: own.owner,
            agent: own.agent,
            other: None,
            deal: None,
            inference: None,
            amount,
            calls: None,
        });
    }

    fn parties(&self) -> (Option<i64>, Option<i64>, Option<i64>) {
        match self.deal {
            Some((deal, buyer, seller)) => (Some(deal), Some(buyer), Some(seller)),
            None => (None, None, None),
        }
    }
}

impl Snap<'_> {
    /// An account as the report needs it.
    pub(super) fn side(&self, known: &mut HashMap<i64, Side>, account: i64) -> Result<Side> {
        /// How many accounts are kept at hand.
        const KNOWN: usize = 100_000;
        if let Some(side) = known.get(&account) {
            return Ok(*side);
        }
        let sql = "SELECT holder_kind, holder, owner FROM account WHERE id = ?";
        let (kind, number, owner) = self
            .db
            .prepare_cached(sql)?
            .query_row([account], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        let holder = Holder::join(kind, number)?;
        let side = Side {
            realm: matches!(holder, Holder::Issuance | Holder::Outside),
            team: matches!(holder, Holder::Team(_)),
            owner,
            agent: matches!(holder, Holder::Agent(_)).then_some(number),
        };
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(account, side);
        Ok(side)
    }
}
