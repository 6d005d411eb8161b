//! An agent's reputation: the score, its parts, and the deals behind it.

use rialto_core::id::{AgentId, DealId, OwnerId};
use rialto_core::time::Time;
use rusqlite::{OptionalExtension, Row};
use serde::Serialize;

use super::{Scope, Snap, ViewReader, Who, time};
use crate::Result;
use crate::db::{Units, int, uint};
use crate::score::{Dealt, Kept, Score, Side, score};

/// The newest deals on either side that a score looks at.
const DEALS: i64 = 200;

/// A deal behind a score, and what it weighs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DealWeight {
    /// The deal.
    pub deal: DealId,
    /// On which side the agent was.
    pub side: Side,
    /// The other party.
    pub with: Who,
    /// What it says of the agent.
    pub kept: Kept,
    /// When it ended.
    pub ended: Time,
    /// Its part in the evidence, in 1024ths.
    pub weight: u64,
}

/// An agent's reputation, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReputationView {
    /// The agent.
    pub agent: Who,
    /// The score and its parts, in thousandths.
    pub score: Score,
    /// The time that ages were reckoned at.
    pub at: Time,
    /// The deals behind it that the reader may see, newest first.
    pub deals: Vec<DealWeight>,
    /// How many further deals are private to their parties. They count in the same way.
    pub private_deals: u64,
    /// The position that this was so at.
    pub position: u64,
}

const DEALT: &str = "SELECT d.id, d.seller = ?1, o.owner, o.partners, d.price, s.scale, d.state,
    d.ended_why, d.dispute IS NOT NULL, d.since, o.id FROM deal d
    JOIN agent o ON o.id = CASE WHEN d.seller = ?1 THEN d.buyer ELSE d.seller END
    JOIN asset s ON s.id = d.asset";
const ENDED: &str = "d.state IN ('settled', 'split', 'refunded', 'expired')";

fn dealt(row: &Row<'_>, own: Option<i64>) -> rusqlite::Result<(Dealt, i64)> {
    let side = if row.get(1)? {
        Side::Seller
    } else {
        Side::Buyer
    };
    let other: i64 = row.get(2)?;
    let (state, why): (String, Option<String>) = (row.get(6)?, row.get(7)?);
    let disputed: bool = row.get(8)?;
    let given_back = why.as_deref() == Some("given_back");
    let kept = match (side, state.as_str()) {
        (Side::Seller, "settled") => Kept::Full,
        (Side::Seller, "split") => Kept::Half,
        (Side::Seller, "refunded") if given_back && !disputed => Kept::Silent,
        (Side::Seller, _) => Kept::Not,
        (Side::Buyer, "settled") => Kept::Full,
        (Side::Buyer, _) => Kept::Silent,
    };
    let lost = match side {
        Side::Seller => state != "settled",
        Side::Buyer => state == "settled",
    };
    let units: Units = row.get(4)?;
    let scale: u32 = row.get(5)?;
    let one = 10_i128.checked_pow(scale).unwrap_or(i128::MAX);
    let dealt = Dealt {
        deal: DealId(uint(row.get(0)?)),
        ended: time(row.get(9)?),
        side,
        other: (Some(other) != own).then(|| OwnerId(uint(other))),
        other_partners: row.get(3)?,
        whole_units: u128::try_from(units.0 / one).unwrap_or(0),
        kept,
        lost_dispute: disputed && lost,
    };
    Ok((dealt, row.get(10)?))
}

impl ViewReader {
    /// An agent's reputation with its parts, as of the latest event, and the deals behind it that
    /// the scope may see; without a scope none.
    ///
    /// # Errors
    /// As every read.
    pub fn reputation(
        &self,
        scope: Option<Scope>,
        agent: AgentId,
    ) -> Result<Option<ReputationView>> {
        self.read(|snap| {
            let id = int(agent.0);
            let who = snap.who(id)?;
            if who.handle.is_empty() {
                return Ok(None);
            }
            let at = snap.latest()?;
            let found = snap.dealt(id)?;
            let deals: Vec<Dealt> = found.iter().map(|(dealt, _)| dealt.clone()).collect();
            let (score, weights) = score(&deals, at);
            let mut shown = Vec::new();
            let mut private_deals = 0;
            for ((dealt, other), weight) in found.into_iter().zip(weights) {
                let sees = match scope {
                    Some(scope) => snap.sees(scope, dealt.deal.into())?,
                    None => false,
                };
                if !sees {
                    private_deals += 1;
                    continue;
                }
                shown.push(DealWeight {
                    deal: dealt.deal,
                    side: dealt.side,
                    with: snap.who(other)?,
                    kept: dealt.kept,
                    ended: dealt.ended,
                    weight,
                });
            }
            Ok(Some(ReputationView {
                agent: who,
                score,
                at,
                deals: shown,
                private_deals,
                position: snap.position,
            }))
        })
    }
}

impl Snap<'_> {
    /// The time of the latest event.
    pub(crate) fn latest(&self) -> Result<Time> {
        self.time_at(int(self.position))
    }

    /// The time of the event at a position, or of the last before it.
    pub(crate) fn time_at(&self, position: i64) -> Result<Time> {
        let sql = "SELECT at FROM event WHERE position <= ? ORDER BY position DESC LIMIT 1";
        let at = self
            .db
            .prepare_cached(sql)?
            .query_row([position], |r| r.get(0));
        Ok(time(at.optional()?.unwrap_or(0)))
    }

    /// An agent's newest ended deals, with the other party of each, newest first.
    fn dealt(&self, agent: i64) -> Result<Vec<(Dealt, i64)>> {
        let sql = "SELECT owner FROM agent WHERE id = ?";
        let own = self
            .db
            .prepare_cached(sql)?
            .query_row([agent], |r| r.get(0))
            .optional()?;
        let mut found = Vec::new();
        for side in ["seller", "buyer"] {
            let sql =
                format!("{DEALT} WHERE d.{side} = ?1 AND {ENDED} ORDER BY d.id DESC LIMIT ?2");
            let mut query = self.db.prepare_cached(&sql)?;
            let rows = query.query_map((agent, DEALS), |row| dealt(row, own))?;
            found.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
        }
        found.sort_by_key(|(dealt, _)| std::cmp::Reverse((dealt.ended, dealt.deal)));
        Ok(found)
    }

    /// The score alone.
    pub(crate) fn score_of(&self, agent: i64, at: Time) -> Result<u32> {
        let deals: Vec<Dealt> = self.dealt(agent)?.into_iter().map(|(d, _)| d).collect();
        Ok(score(&deals, at).0.score)
    }
}
