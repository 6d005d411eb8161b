//! An agent's reputation: the score, its parts, and the deals behind it; and the score as seen from
//! another agent.

use rialto_core::amount::Amount;
use rialto_core::id::{AgentId, DealId, OwnerId};
use rialto_core::time::Time;
use rusqlite::{OptionalExtension, Row};
use serde::Serialize;

use super::{Scope, Snap, ViewReader, Who, time};
use crate::Result;
use crate::db::{Units, int, uint};
use crate::fold::in_parts;
use crate::score::{Dealings, Dealt, Kept, Score, SeenScore, Side, score, seen};

/// The heaviest deals on either side that a score looks at. By weight, not by age: deals that weigh
/// nothing cost nothing, and push none out.
const DEALS: i64 = 200;
/// The owners that a reader has dealt with latest, through whom it sees others.
const FRIENDS: i64 = 32;

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
    /// How much of the payment vouched for the agent, in whole units: what had not vouched before.
    pub vouched: String,
    /// Its part in what was kept and what was not, in 1024ths.
    pub weight: u64,
}

/// A reputation as seen from an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeenView {
    /// Whose eyes see it so.
    pub from: Who,
    /// The score and its parts, in thousandths.
    pub score: SeenScore,
}

/// An agent's reputation, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReputationView {
    /// The agent.
    pub agent: Who,
    /// The score and its parts, in thousandths.
    pub score: Score,
    /// The same as seen from an agent, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<SeenView>,
    /// The time that ages were reckoned at.
    pub at: Time,
    /// The deals behind it that the reader may see, newest first.
    pub deals: Vec<DealWeight>,
    /// How many further deals are private to their parties. They count in the same way.
    pub private_deals: u64,
    /// The position that this was so at.
    pub position: u64,
}

const DEALT: &str = "SELECT d.id, d.seller = ?1, o.owner,
    CASE WHEN d.seller = ?1 THEN d.seller_vouched ELSE d.buyer_vouched END, d.price, s.scale,
    d.state, d.ended_why, d.dispute IS NOT NULL, d.since, o.id, d.returned FROM deal d
    JOIN agent o ON o.id = CASE WHEN d.seller = ?1 THEN d.buyer ELSE d.seller END
    JOIN asset s ON s.id = d.asset";
const ENDED: &str = "d.state IN ('settled', 'split', 'refunded', 'expired')";
const WITH: &str = "owner, paid, vouched, broken, lost, last FROM dealings";

/// A deal of an agent, with what only its explanation needs.
struct Found {
    dealt: Dealt,
    /// The other party.
    other: i64,
    /// How much vouched.
    vouched: String,
}

fn found(row: &Row<'_>, own: Option<i64>) -> rusqlite::Result<Found> {
    let side = if row.get(1)? {
        Side::Seller
    } else {
        Side::Buyer
    };
    let other: i64 = row.get(2)?;
    let (vouched, price): (Units, Units) = (row.get(3)?, row.get(4)?);
    let (state, why): (String, Option<String>) = (row.get(6)?, row.get(7)?);
    let (disputed, returned): (bool, Option<Units>) = (row.get(8)?, row.get(11)?);
    let unasked = why.as_deref() == Some("given_back") && !disputed;
    let kept = Kept::of(side, &state, unasked);
    let scale: u8 = row.get(5)?;
    let parts = |units: Units| in_parts(units.0, u32::from(scale));
    let dealt = Dealt {
        deal: DealId(uint(row.get(0)?)),
        ended: time(row.get(9)?),
        side,
        other: (Some(other) != own).then(|| OwnerId(uint(other))),
        vouched: parts(vouched),
        broken: match kept {
            Kept::Not | Kept::Half => parts(returned.unwrap_or_default()),
            Kept::Full | Kept::Silent => 0,
        },
        lost: match side.lost(&state, disputed) {
            true => parts(price),
            false => 0,
        },
        kept,
    };
    Ok(Found {
        dealt,
        other: row.get(10)?,
        vouched: Amount(vouched.0).display(scale),
    })
}

/// What an agent had with an owner, of columns that begin with the owner.
fn dealings(row: &Row<'_>) -> rusqlite::Result<(i64, Dealings)> {
    let with = Dealings {
        paid: uint(row.get(1)?),
        vouched: uint(row.get(2)?),
        broken: uint(row.get(3)?),
        lost: uint(row.get(4)?),
        last: time(row.get(5)?),
    };
    Ok((row.get(0)?, with))
}

/// The eyes of a reader: its owner, and what it had with the owners that it has dealt with latest.
pub(crate) struct Eyes {
    pub(crate) reader: i64,
    owner: i64,
    /// The last event that changed this; 0 if none did.
    pub(crate) moved: i64,
    with: Vec<(i64, Dealings)>,
}

impl Eyes {
    /// True if the reader has dealt with anybody, so that it has a view of its own.
    pub(crate) fn see(&self) -> bool {
        self.with.iter().any(|(_, with)| with.paid > 0)
    }
}

impl ViewReader {
    /// An agent's reputation with its parts, as of the latest event, and the deals behind it that
    /// the scope may see; without a scope none. As seen from an agent too, if one is named: what that
    /// tells of the dealings of others is for that agent and its owner, which the caller judges.
    ///
    /// # Errors
    /// As every read.
    pub fn reputation(
        &self,
        scope: Option<Scope>,
        agent: AgentId,
        seen_from: Option<AgentId>,
    ) -> Result<Option<ReputationView>> {
        self.read(|snap| {
            let id = int(agent.0);
            let who = snap.who(id)?;
            if who.handle.is_empty() {
                return Ok(None);
            }
            let at = snap.latest()?;
            let seen = match seen_from {
                Some(reader) => Some(snap.seen_view(reader, id, at)?),
                None => None,
            };
            let found = snap.dealt(id)?;
            let deals: Vec<Dealt> = found.iter().map(|found| found.dealt.clone()).collect();
            let (score, weights) = score(&deals, at);
            let mut shown = Vec::new();
            let mut private_deals = 0;
            for (found, weight) in found.into_iter().zip(weights) {
                let dealt = found.dealt;
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
                    with: snap.who(found.other)?,
                    kept: dealt.kept,
                    ended: dealt.ended,
                    vouched: found.vouched,
                    weight,
                });
            }
            Ok(Some(ReputationView {
                agent: who,
                score,
                seen,
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

    /// An agent's heaviest ended deals, newest first. Where few weigh something, the newest others are shown
    /// with them.
    fn dealt(&self, agent: i64) -> Result<Vec<Found>> {
        let own = self.owner_by_number(agent)?;
        let mut all = Vec::new();
        for side in ["seller", "buyer"] {
            let mut room = DEALS;
            let heaviest = format!("d.{side}_rank DESC, d.id");
            for (which, order) in [("> 0", heaviest.as_str()), ("= 0", "d.id")] {
                let sql = format!(
                    "{DEALT} WHERE d.{side} = ?1 AND d.{side}_rank {which} AND {ENDED}
                     ORDER BY {order} DESC LIMIT ?2"
                );
                let mut query = self.db.prepare_cached(&sql)?;
                let rows = query.query_map((agent, room), |row| found(row, own))?;
                let before = all.len();
                all.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
                room -= i64::try_from(all.len() - before).unwrap_or(room);
            }
        }
        all.sort_by_key(|found| std::cmp::Reverse((found.dealt.ended, found.dealt.deal)));
        Ok(all)
    }

    fn owner_by_number(&self, agent: i64) -> Result<Option<i64>> {
        let mut query = (self.db).prepare_cached("SELECT owner FROM agent WHERE id = ?")?;
        Ok(query.query_row([agent], |r| r.get(0)).optional()?)
    }

    /// The score alone.
    pub(crate) fn score_of(&self, agent: i64, at: Time) -> Result<u32> {
        let deals: Vec<Dealt> = self.dealt(agent)?.into_iter().map(|f| f.dealt).collect();
        Ok(score(&deals, at).0.score)
    }

    /// The eyes of a reader.
    pub(crate) fn eyes_of(&self, reader: i64) -> Result<Eyes> {
        let mut query = (self.db).prepare_cached(
            "SELECT a.owner, n.moved FROM agent a JOIN record n ON n.agent = a.id WHERE a.id = ?",
        )?;
        let found = query.query_row([reader], |r| Ok((r.get(0)?, r.get(1)?)));
        let (owner, moved) = found.optional()?.unwrap_or_default();
        let sql = format!("SELECT {WITH} WHERE agent = ? ORDER BY last DESC, owner DESC LIMIT ?");
        let mut query = self.db.prepare_cached(&sql)?;
        let with = query.query_map((reader, FRIENDS), dealings)?;
        Ok(Eyes {
            reader,
            owner,
            moved,
            with: with.collect::<rusqlite::Result<_>>()?,
        })
    }

    /// An agent's score as seen through a reader's eyes: one look-up for each owner that the reader
    /// has dealt with, and one for its own.
    pub(crate) fn seen_through(&self, eyes: &Eyes, agent: i64, at: Time) -> Result<SeenScore> {
        let sql = format!("SELECT {WITH} WHERE agent = ? AND owner = ?");
        let mut query = self.db.prepare_cached(&sql)?;
        let mut of = |owner: i64| -> Result<Option<Dealings>> {
            let found = query.query_row((agent, owner), dealings).optional()?;
            Ok(found.map(|(_, with)| with))
        };
        let mut through = Vec::new();
        for (owner, reader) in &eyes.with {
            if let Some(theirs) = of(*owner)? {
                through.push((*reader, theirs));
            }
        }
        Ok(seen(of(eyes.owner)?, &through, at))
    }

    fn seen_view(&self, reader: AgentId, agent: i64, at: Time) -> Result<SeenView> {
        let eyes = self.eyes_of(int(reader.0))?;
        Ok(SeenView {
            from: self.who(eyes.reader)?,
            score: self.seen_through(&eyes, agent, at)?,
        })
    }
}
