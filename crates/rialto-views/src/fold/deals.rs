//! What ended deals say of their parties: how much of the payment vouched for each, and what all of
//! an agent's deals with one owner come to. Scores are reckoned from these rows when they are read.

use rialto_core::id::{AgentId, DealId};
use rialto_core::time::Time;
use rusqlite::OptionalExtension;

use super::Folding;
use crate::Result;
use crate::db::{Units, int, kind_of, uint};
use crate::provenance::part_of;
use crate::score::{Kept, ONE, Side, ranked};

/// More than this of any amount, in 1024ths of a whole unit, is not told apart: the value of a deal
/// is at its greatest long before.
const MOST: u64 = 1 << 40;

/// A deal whose money was paid or given back in this envelope. Owners are numbers, none is the
/// world outside.
pub(super) struct Ended {
    pub(super) deal: DealId,
    /// Whose account paid.
    pub(super) payer: Option<i64>,
    /// Whose account was paid.
    pub(super) payee: Option<i64>,
    pub(super) paid: i128,
    /// How much of that vouched.
    pub(super) vouched: i128,
    /// What a team shared out of it, and to which owners.
    pub(super) shares: Vec<(Option<i64>, i128)>,
}

impl Ended {
    /// How much vouches for a seller of this owner: the part of the payment that came to it.
    fn for_seller(&self, owner: i64) -> i128 {
        if self.payee == Some(owner) {
            return self.vouched;
        }
        let shares = self.shares.iter().filter(|(to, _)| *to == Some(owner));
        let got: i128 = shares.map(|(_, amount)| *amount).sum();
        part_of(self.vouched, got.min(self.paid), self.paid)
    }

    /// How much vouches for a buyer of this owner, if it paid itself.
    fn for_buyer(&self, owner: i64) -> i128 {
        if self.payer == Some(owner) {
            self.vouched
        } else {
            0
        }
    }
}

/// What the row of an ended deal says.
struct Row {
    buyer: i64,
    buyer_owner: i64,
    seller: i64,
    seller_owner: i64,
    price: i128,
    scale: u32,
    state: String,
    unasked: bool,
    disputed: bool,
}

const ROW: &str = "SELECT d.buyer, b.owner, d.seller, s.owner, d.price, a.scale, d.state,
    d.ended_why = 'given_back', d.dispute IS NOT NULL FROM deal d
    JOIN kin b ON b.kind = ?2 AND b.id = d.buyer JOIN kin s ON s.kind = ?2 AND s.id = d.seller JOIN asset a ON a.id = d.asset
    WHERE d.id = ?1";

/// An amount in 1024ths of a whole unit.
pub(crate) fn in_parts(units: i128, scale: u32) -> u64 {
    let one = 10_i128.checked_pow(scale).unwrap_or(i128::MAX);
    let parts = units.saturating_mul(i128::from(ONE)) / one;
    u64::try_from(parts).unwrap_or(0).min(MOST)
}

impl Folding<'_> {
    /// Notes a share of what a deal paid to a team.
    pub(super) fn shared(&mut self, deal: DealId, to: Option<i64>, amount: i128) {
        if let Some(ended) = self.ended.iter_mut().find(|e| e.deal == deal) {
            ended.shares.push((to, amount));
        }
    }

    /// Counts the deals whose money this envelope has paid or given back.
    pub(super) fn count_ended(&mut self) -> Result<()> {
        for ended in std::mem::take(&mut self.ended) {
            self.count_deal(&ended)?;
        }
        Ok(())
    }

    fn count_deal(&self, ended: &Ended) -> Result<()> {
        let mut query = self.db.prepare_cached(ROW)?;
        let row = query.query_row((int(ended.deal.0), kind_of(AgentId::PREFIX)), |r| {
            let price: Units = r.get(4)?;
            Ok(Row {
                buyer: r.get(0)?,
                buyer_owner: r.get(1)?,
                seller: r.get(2)?,
                seller_owner: r.get(3)?,
                price: price.0,
                scale: r.get(5)?,
                state: r.get(6)?,
                unasked: r.get::<_, Option<bool>>(7)?.unwrap_or(false),
                disputed: r.get(8)?,
            })
        });
        let Some(row) = row.optional()? else {
            return Ok(());
        };
        if row.buyer_owner == row.seller_owner {
            return Ok(());
        }
        let for_buyer = match row.state.as_str() {
            "settled" => ended.for_buyer(row.buyer_owner),
            _ => 0,
        };
        let for_seller = ended.for_seller(row.seller_owner);
        let buyer = self.dealt(&row, Side::Buyer, ended.paid, for_buyer)?;
        let seller = self.dealt(&row, Side::Seller, ended.paid, for_seller)?;
        self.run(
            "UPDATE deal SET buyer_vouched = ?, seller_vouched = ?, buyer_rank = ?, seller_rank = ?
             WHERE id = ?",
            (
                Units(for_buyer),
                Units(for_seller),
                int(buyer),
                int(seller),
                int(ended.deal.0),
            ),
        )?;
        self.run(
            "UPDATE record SET moved = ? WHERE agent IN (?, ?)",
            (int(self.position), row.buyer, row.seller),
        )
    }

    /// Adds a deal to what the agent on one side of it had with the other side's owner. Returns the deal's
    /// place among the agent's.
    fn dealt(&self, row: &Row, side: Side, paid: i128, vouched: i128) -> Result<u64> {
        let kept = Kept::of(side, &row.state, row.unasked && !row.disputed);
        if kept == Kept::Silent {
            return Ok(0);
        }
        let parts = |units| in_parts(units, row.scale);
        let broken = if kept == Kept::Full {
            0
        } else {
            parts(row.price - paid)
        };
        let (agent, owner) = match side {
            Side::Buyer => (row.buyer, row.seller_owner),
            Side::Seller => (row.seller, row.buyer_owner),
        };
        let lost = match side.lost(&row.state, row.disputed) {
            true => parts(row.price),
            false => 0,
        };
        self.run(
            "INSERT INTO dealings VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET
             paid = min(paid + ?3, ?8), vouched = min(vouched + ?4, ?8),
             broken = min(broken + ?5, ?8), lost = min(lost + ?6, ?8), last = ?7",
            (
                agent,
                owner,
                int(parts(paid)),
                int(parts(vouched)),
                int(broken),
                int(lost),
                self.now(),
                int(MOST),
            ),
        )?;
        let weighs = [parts(vouched), broken, lost];
        Ok(ranked(weighs, Time(uint(self.now()))))
    }
}
