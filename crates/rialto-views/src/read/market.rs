//! Calls, negotiations, deals, approvals and allowances.

use rialto_core::event::Event;
use rialto_core::fact::Fact;
use rialto_core::hash::Hash;
use rialto_core::id::{
    AgentId, AnyId, ApprovalId, CallId, DealId, HoldId, ListingId, NegotiationId, OwnerId,
    PersonId, TaskId, position_of,
};
use rialto_core::identity::Principal;
use rialto_core::market::MarketEvent;
use rialto_core::time::Time;
use rialto_wire::screen::{Screening, screen_names};
use rusqlite::{OptionalExtension, Row};
use serde::Serialize;
use serde_json::Value;

use super::{
    Page, Paging, Scope, Snap, Table, ViewReader, Who, Written, cursor, facts, limit, time,
};
use crate::Result;
use crate::codec::Coded;
use crate::db::{Units, int, uint};

/// A call for proposals.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallRow {
    /// Its id.
    pub id: CallId,
    /// Who calls.
    pub buyer: Who,
    /// What is wanted, in words.
    pub body: Option<Written>,
    /// What is wanted, as items.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<rialto_core::market::ItemLine>")
    )]
    pub wanted: Value,
    /// Properties that a proposal must have.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<rialto_core::market::Attribute>")
    )]
    pub attributes: Value,
    /// What screening says of those names, if it says anything. Quarantined names are `[withheld]` unless
    /// they were requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    /// Whether others than the invited may answer.
    pub public: bool,
    /// When proposals are opened.
    pub deadline: Time,
    /// The task that it serves; only the caller's side sees it.
    pub task: Option<TaskId>,
    /// `open`, `revealed`, `awarded` or `closed`.
    pub state: String,
    /// When it was opened.
    pub created: Time,
    /// When it last changed its state.
    pub since: Time,
}

/// An agent asked, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InviteRow {
    /// The agent.
    pub agent: Who,
    /// `sealed` until proposals are opened together, then `none`, `refused` or `proposed`.
    pub answer: String,
    /// The negotiation that its proposal opened.
    pub negotiation: Option<NegotiationId>,
}

/// A call with its invited agents. An invited agent sees only itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallView {
    /// The call.
    pub call: CallRow,
    /// Who was asked or has answered.
    pub invites: Vec<InviteRow>,
}

/// A negotiation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NegotiationRow {
    /// Its id.
    pub id: NegotiationId,
    /// Who would pay.
    pub buyer: Who,
    /// Who would deliver.
    pub seller: Who,
    /// The call that it answers.
    pub call: Option<CallId>,
    /// The listing that it is about.
    pub listing: Option<ListingId>,
    /// `open`, `agreed`, `left`, `expired` or `lost`.
    pub state: String,
    /// How many offers were made.
    pub offers: u32,
    /// The deal it became.
    pub deal: Option<DealId>,
    /// When it was opened.
    pub created: Time,
    /// When something last happened in it.
    pub since: Time,
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OfferRow {
    /// Its number within the negotiation, from 1.
    pub number: u32,
    /// Whose it is.
    pub by: Who,
    /// Its hash, which an acceptance must name.
    pub hash: Hash,
    /// What the buyer would pay, in whole units.
    pub price: String,
    /// The asset.
    pub asset: String,
    /// What is promised, further issues, and what a settlement depends on.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "crate::fold::market::OfferTerms<'static>")
    )]
    pub terms: Value,
    /// What screening says of the names in them, if it says anything. Quarantined names are `[withheld]`
    /// unless they were requested; the hash is that of the terms as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    /// A note about it.
    pub note: Option<Written>,
    /// Whether its author signed it.
    pub signed: bool,
    /// Whether the money of a buyer's offer is held, so that a deal takes it over. If not, the
    /// account could pay when the offer was made, but perhaps no longer. None for a seller's offer:
    /// the buyer pays when it accepts.
    pub funded: Option<bool>,
    /// The agent that would rule in a dispute; none is the operator.
    pub arbiter: Option<Who>,
    /// Who owns that agent.
    pub arbiter_owner: Option<OwnerName>,
    /// Until when it can be accepted.
    pub expires: Time,
    /// When it was made.
    pub at: Time,
    /// The position of the event.
    pub position: u64,
}

/// An owner by id and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwnerName {
    /// Its id.
    pub id: OwnerId,
    /// Its name.
    pub name: String,
}

/// A negotiation with all offers, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NegotiationView {
    /// The negotiation.
    pub negotiation: NegotiationRow,
    /// The offers.
    pub offers: Vec<OfferRow>,
}

/// A deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DealRow {
    /// Its id.
    pub id: DealId,
    /// The negotiation it came from.
    pub negotiation: NegotiationId,
    /// Who pays.
    pub buyer: Who,
    /// Who delivers.
    pub seller: Who,
    /// The price in whole units.
    pub price: String,
    /// The asset.
    pub asset: String,
    /// The hold of its payment.
    pub hold: HoldId,
    /// The task that it delivers.
    pub task: TaskId,
    /// `agreed`, `delivered`, `disputed`, `settled`, `split`, `refunded` or `expired`.
    pub state: String,
    /// Why it ended as it did.
    pub end: Option<String>,
    /// What the seller got.
    pub paid: Option<String>,
    /// What the buyer got back.
    pub returned: Option<String>,
    /// When it was agreed.
    pub created: Time,
    /// When it last changed its state.
    pub since: Time,
}

/// A step in a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DealStep {
    /// Its new state.
    pub state: String,
    /// Who did it; the realm is its clock.
    pub by: Principal,
    /// When.
    pub at: Time,
    /// The position of the event.
    pub position: u64,
}

/// A deal with its timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DealView {
    /// The deal.
    pub deal: DealRow,
    /// The hash of the accepted offer.
    pub offer: Hash,
    /// The accepted offer.
    pub accepted: Option<OfferRow>,
    /// Why it was accepted, as who accepted says it: text from others, to be read as data.
    pub note: Option<Written>,
    /// Who wrote that.
    pub note_by: Option<Who>,
    /// The agent that rules in a dispute; none is the operator.
    pub arbiter: Option<Who>,
    /// Who owns that agent.
    pub arbiter_owner: Option<OwnerName>,
    /// Why it was disputed.
    pub dispute: Option<Written>,
    /// The arbiter's reason.
    pub ruling: Option<Written>,
    /// What happened, oldest first.
    pub timeline: Vec<DealStep>,
}

/// Something that waits, or waited, for a person.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApprovalRow {
    /// Its id.
    pub id: ApprovalId,
    /// Whose people decide.
    pub owner: OwnerId,
    /// The agent that asks.
    pub agent: Who,
    /// What exactly would be done.
    #[cfg_attr(feature = "schema", schemars(with = "rialto_core::policy::Bound"))]
    pub what: Value,
    /// The same in a few words.
    pub summary: String,
    /// How much it would spend, in whole units.
    pub amount: String,
    /// The asset.
    pub asset: String,
    /// Until when it waits.
    pub expires: Time,
    /// When it was asked.
    pub created: Time,
    /// `approved`, `denied`, `expired`, or `over` when what it was about ended first; none while it
    /// waits.
    pub end: Option<String>,
    /// When it ended.
    pub ended: Option<Time>,
    /// Which person decided.
    pub by: Option<PersonId>,
    /// The name of who decided, for those whose people decide.
    pub by_name: Option<String>,
}

/// A spending limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AllowanceRow {
    /// `owner`, `team` or `agent`, with its id.
    pub node: rialto_core::policy::Node,
    /// The asset.
    pub asset: String,
    /// The most that one transfer or deal may spend.
    pub per_deal: Option<String>,
    /// The most that all transfers and deals together may take in a period.
    pub per_period: Option<String>,
    /// How long a period is, in milliseconds.
    pub period_ms: u64,
    /// The amount above which a person has to approve.
    pub approval_above: Option<String>,
}

/// The lines of a node's allowance.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AllowanceLinesRow {
    /// `owner`, `team` or `agent`, with its id.
    pub node: rialto_core::policy::Node,
    /// The lines: what each counts, in which unit, up to which limit, in which period.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<rialto_core::policy::LineTerms>")
    )]
    pub lines: serde_json::Value,
}

impl ViewReader {
    /// Calls of the scope: its own and those it was asked in; newest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn calls(&self, scope: Scope, paging: &Paging) -> Result<Page<CallRow>> {
        let table = Table::of("call", CallId::PREFIX);
        self.read(|snap| snap.listed(scope, table, None, paging, |snap, id| snap.call(scope, id)))
    }

    /// Open calls that anybody may answer, newest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn public_calls(&self, scope: Scope, paging: &Paging) -> Result<Page<CallRow>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        self.read(|snap| {
            let sql = "SELECT id FROM call WHERE id < ? AND public AND state = 'open'
                       ORDER BY id DESC LIMIT ?";
            let mut query = snap.db.prepare_cached(sql)?;
            let ids = query.query_map((before, wide), |r| r.get(0))?;
            let mut found = Vec::new();
            for id in ids {
                let id = id?;
                found.extend(snap.call(scope, id)?.map(|call| (id, call)));
                if snap.is_full() {
                    break;
                }
            }
            Ok(snap.page(found, limit))
        })
    }

    /// A call with those who were asked.
    ///
    /// # Errors
    /// As every read.
    pub fn call(&self, scope: Scope, id: CallId) -> Result<Option<CallView>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            let Some(call) = snap.call(scope, int(id.0))? else {
                return Ok(None);
            };
            let invites = snap.invites(scope, int(id.0))?;
            Ok(Some(CallView { call, invites }))
        })
    }

    /// Negotiations of the scope, newest first. A caller sees proposals once they are opened.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn negotiations(&self, scope: Scope, paging: &Paging) -> Result<Page<NegotiationRow>> {
        let table = Table::of("negotiation", NegotiationId::PREFIX);
        self.read(|snap| snap.listed(scope, table, None, paging, |snap, id| snap.negotiation(id)))
    }

    /// A negotiation with all offers.
    ///
    /// # Errors
    /// As every read.
    pub fn negotiation(&self, scope: Scope, id: NegotiationId) -> Result<Option<NegotiationView>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            let Some(negotiation) = snap.negotiation(int(id.0))? else {
                return Ok(None);
            };
            let offers = snap.offers(int(id.0), None)?;
            Ok(Some(NegotiationView {
                negotiation,
                offers,
            }))
        })
    }

    /// Deals of the scope, newest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn deals(&self, scope: Scope, paging: &Paging) -> Result<Page<DealRow>> {
        self.deals_in(scope, None, paging)
    }

    /// Deals of the scope that are in a state, newest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn deals_in(
        &self,
        scope: Scope,
        state: Option<&str>,
        paging: &Paging,
    ) -> Result<Page<DealRow>> {
        let table = Table::of("deal", DealId::PREFIX);
        let filter = state.map(|state| ("AND t.state = ?4", state));
        self.read(|snap| snap.listed(scope, table, filter, paging, |snap, id| snap.deal(id)))
    }

    /// A deal with its timeline.
    ///
    /// # Errors
    /// As every read.
    pub fn deal(&self, scope: Scope, id: DealId) -> Result<Option<DealView>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            snap.deal_view(int(id.0))
        })
    }

    /// Approvals of the scope, newest first; only those that wait, if wanted.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn approvals(
        &self,
        scope: Scope,
        open_only: bool,
        paging: &Paging,
    ) -> Result<Page<ApprovalRow>> {
        let table = Table::of("approval", ApprovalId::PREFIX);
        let filter = open_only.then_some(("AND t.ended IS NULL", ""));
        self.read(|snap| {
            snap.listed(scope, table, filter, paging, |snap, id| {
                snap.approval(scope, id)
            })
        })
    }

    /// One approval.
    ///
    /// # Errors
    /// As every read.
    pub fn approval(&self, scope: Scope, id: ApprovalId) -> Result<Option<ApprovalRow>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            snap.approval(scope, int(id.0))
        })
    }

    /// When the envelopes at some positions were decided, in their order; none where there is none.
    ///
    /// # Errors
    /// As every read.
    pub fn times(&self, positions: &[u64]) -> Result<Vec<Option<Time>>> {
        self.read(|snap| {
            let mut query = snap
                .db
                .prepare_cached("SELECT at FROM event WHERE position = ?")?;
            let mut times = Vec::with_capacity(positions.len());
            for position in positions {
                let at = query.query_row([int(*position)], |r| r.get(0)).optional()?;
                times.push(at.map(time));
            }
            Ok(times)
        })
    }

    /// The lines of allowances that an owner has set in its tree.
    ///
    /// # Errors
    /// As every read.
    pub fn allowance_lines(&self, owner: OwnerId) -> Result<Vec<AllowanceLinesRow>> {
        self.read(|snap| snap.allowance_lines(int(owner.0)))
    }

    /// The spending limits that an owner has set in its tree.
    ///
    /// # Errors
    /// As every read.
    pub fn allowances(&self, owner: OwnerId) -> Result<Vec<AllowanceRow>> {
        self.read(|snap| snap.allowances(int(owner.0)))
    }
}

const NEGOTIATION: &str = "SELECT id, buyer, seller, call, listing, state, offers, deal, at, since
    FROM negotiation WHERE id = ?";
const DEAL: &str = "SELECT id, negotiation, buyer, seller, price, asset, hold, task, state,
    ended_why, paid, returned, at, since FROM deal WHERE id = ?";
const APPROVAL: &str = "SELECT id, owner, agent, bound, amount, asset, expires, at, ended_how,
    ended_by, ended FROM approval WHERE id = ?";

impl Snap<'_> {
    /// A call; what it serves is the caller's own affair.
    fn call(&self, scope: Scope, id: i64) -> Result<Option<CallRow>> {
        let sql = "SELECT buyer, body, wanted, attributes, public, deadline, task, state, at, since
                   FROM call WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let buyer: i64 = row.get(0)?;
        let own = self.stands_for(scope, buyer)?;
        let mut names = [
            facts(&row.get::<_, String>(2)?),
            facts(&row.get::<_, String>(3)?),
        ];
        let said = names
            .iter()
            .fold(0, |bits, names| bits | screen_names(names));
        names.iter_mut().for_each(|names| self.withhold(names));
        let [wanted, attributes] = names;
        let task = row.get::<_, Option<i64>>(6)?.map(|t| TaskId(uint(t)));
        Ok(Some(CallRow {
            id: CallId(uint(id)),
            buyer: self.who(buyer)?,
            body: self.written(row.get(1)?)?,
            wanted,
            attributes,
            screening: Screening::of_bits(said),
            public: row.get(4)?,
            deadline: time(row.get(5)?),
            task: task.filter(|_| own),
            state: row.get(7)?,
            created: time(row.get(8)?),
            since: time(row.get(9)?),
        }))
    }

    /// True when the scope is this agent, its owner, or everything.
    pub(crate) fn stands_for(&self, scope: Scope, agent: i64) -> Result<bool> {
        Ok(match scope {
            Scope::Realm => true,
            Scope::Agent(id) => int(id.0) == agent,
            Scope::Owner(owner) => {
                let sql = "SELECT 1 FROM agent WHERE id = ? AND owner = ?";
                let found = (agent, int(owner.0));
                self.db
                    .prepare_cached(sql)?
                    .query_row(found, |_| Ok(()))
                    .optional()?
                    .is_some()
            }
        })
    }

    fn invites(&self, scope: Scope, call: i64) -> Result<Vec<InviteRow>> {
        let sql =
            "SELECT i.agent, i.refused, i.negotiation, c.buyer, c.revealed, c.state FROM invite i
                   JOIN call c ON c.id = i.call WHERE i.call = ? ORDER BY i.number";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([call])?;
        let mut invites = Vec::new();
        while let Some(row) = rows.next()? {
            let (agent, buyer): (i64, i64) = (row.get(0)?, row.get(3)?);
            let own = self.stands_for(scope, agent)?;
            if !own && !self.stands_for(scope, buyer)? {
                continue;
            }
            let revealed: bool = row.get(4)?;
            let negotiation: Option<i64> = row.get(2)?;
            let answer = match (own || revealed, row.get::<_, bool>(1)?, negotiation) {
                (false, _, _) => "sealed",
                (true, true, _) => "refused",
                (true, false, Some(_)) => "proposed",
                (true, false, None) => "none",
            };
            invites.push(InviteRow {
                agent: self.who(agent)?,
                answer: answer.to_owned(),
                negotiation: negotiation
                    .filter(|_| own || revealed)
                    .map(|n| NegotiationId(uint(n))),
            });
        }
        Ok(invites)
    }

    fn negotiation(&self, id: i64) -> Result<Option<NegotiationRow>> {
        let mut query = self.db.prepare_cached(NEGOTIATION)?;
        let mut rows = query.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some(NegotiationRow {
            id: NegotiationId(uint(id)),
            buyer: self.who(row.get(1)?)?,
            seller: self.who(row.get(2)?)?,
            call: row.get::<_, Option<i64>>(3)?.map(|c| CallId(uint(c))),
            listing: row.get::<_, Option<i64>>(4)?.map(|l| ListingId(uint(l))),
            state: row.get(5)?,
            offers: row.get(6)?,
            deal: row.get::<_, Option<i64>>(7)?.map(|d| DealId(uint(d))),
            created: time(row.get(8)?),
            since: time(row.get(9)?),
        }))
    }

    /// The offers of a negotiation, or only the one with this hash.
    pub(super) fn offers(
        &self,
        negotiation: i64,
        hash: Option<&[u8; 32]>,
    ) -> Result<Vec<OfferRow>> {
        let sql =
            "SELECT o.number, o.author, o.hash, o.price, o.asset, o.terms, o.note, o.signed, o.expires,
                   o.at, o.position, o.hold, n.buyer FROM offer o JOIN negotiation n ON n.id = o.negotiation
                   WHERE o.negotiation = ?1 AND (?2 IS NULL OR o.hash = ?2) ORDER BY o.number";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query((negotiation, hash))?;
        let mut offers = Vec::new();
        while let Some(row) = rows.next()? {
            let (author, asset, buyer): (i64, i64, i64) = (row.get(1)?, row.get(4)?, row.get(12)?);
            let mut terms = facts(&row.get::<_, String>(5)?);
            let screening = self.named(&mut terms);
            let arbiter = terms.pointer("/bargain/arbiter").and_then(Value::as_str);
            let arbiter = arbiter.and_then(|id| id.parse::<AgentId>().ok());
            let arbiter = arbiter.map(|id| int(id.0));
            let held = row.get::<_, Option<i64>>(11)?.is_some();
            offers.push(OfferRow {
                number: row.get(0)?,
                by: self.who(author)?,
                hash: row.get::<_, [u8; 32]>(2)?.into(),
                price: self.decimal(row.get(3)?, asset)?,
                asset: self.asset(asset)?.0,
                terms: self.readable_terms(terms)?,
                screening,
                note: self.written(row.get(6)?)?,
                signed: row.get(7)?,
                funded: (author == buyer).then_some(held),
                arbiter: arbiter.map(|a| self.who(a)).transpose()?,
                arbiter_owner: arbiter.map(|a| self.owner_of(a)).transpose()?.flatten(),
                expires: time(row.get(8)?),
                at: time(row.get(9)?),
                position: uint(row.get(10)?),
            });
        }
        Ok(offers)
    }

    /// Who owns an agent.
    pub(super) fn owner_of(&self, agent: i64) -> Result<Option<OwnerName>> {
        let sql = "SELECT o.id, o.name FROM agent a JOIN owner o ON o.id = a.owner WHERE a.id = ?";
        let found = self.db.prepare_cached(sql)?.query_row([agent], |r| {
            Ok(OwnerName {
                id: OwnerId(uint(r.get(0)?)),
                name: r.get(1)?,
            })
        });
        Ok(found.optional()?)
    }

    fn deal(&self, id: i64) -> Result<Option<DealRow>> {
        let mut query = self.db.prepare_cached(DEAL)?;
        let mut rows = query.query([id])?;
        rows.next()?.map(|row| self.deal_row(row)).transpose()
    }

    fn deal_row(&self, row: &Row<'_>) -> Result<DealRow> {
        let asset: i64 = row.get(5)?;
        let amount = |column| -> Result<Option<String>> {
            let units: Option<Units> = row.get(column)?;
            units.map(|u| self.decimal(u, asset)).transpose()
        };
        Ok(DealRow {
            id: DealId(uint(row.get(0)?)),
            negotiation: NegotiationId(uint(row.get(1)?)),
            buyer: self.who(row.get(2)?)?,
            seller: self.who(row.get(3)?)?,
            price: self.decimal(row.get(4)?, asset)?,
            asset: self.asset(asset)?.0,
            hold: HoldId(uint(row.get(6)?)),
            task: TaskId(uint(row.get(7)?)),
            state: row.get(8)?,
            end: row.get(9)?,
            paid: amount(10)?,
            returned: amount(11)?,
            created: time(row.get(12)?),
            since: time(row.get(13)?),
        })
    }

    fn deal_view(&self, id: i64) -> Result<Option<DealView>> {
        let Some(deal) = self.deal(id)? else {
            return Ok(None);
        };
        let sql = "SELECT offer, arbiter, dispute, reason, negotiation FROM deal WHERE id = ?";
        let (offer, arbiter, dispute, ruling, negotiation) =
            self.db.prepare_cached(sql)?.query_row([id], |r| {
                Ok((
                    r.get::<_, [u8; 32]>(0)?,
                    r.get::<_, Option<i64>>(1)?,
                    r.get::<_, Option<i64>>(2)?,
                    r.get::<_, Option<i64>>(3)?,
                    r.get::<_, i64>(4)?,
                ))
            })?;
        let sql = "SELECT state, by_kind, by_id, at, position FROM deal_step WHERE deal = ?
                   ORDER BY position";
        let mut query = self.db.prepare_cached(sql)?;
        let timeline = query.query_map([id], |r| {
            Ok(DealStep {
                state: r.get(0)?,
                by: Principal::at(r, 1)?,
                at: time(r.get(3)?),
                position: uint(r.get(4)?),
            })
        })?;
        let (note, note_by) = self.acceptance(id)?;
        let mut timeline: Vec<DealStep> = timeline.collect::<rusqlite::Result<_>>()?;
        for step in &mut timeline {
            step.by = self.did(deal.id.into(), step.position)?.unwrap_or(step.by);
        }
        Ok(Some(DealView {
            deal,
            offer: offer.into(),
            accepted: self.offers(negotiation, Some(&offer))?.pop(),
            arbiter: arbiter.map(|a| self.who(a)).transpose()?,
            arbiter_owner: arbiter.map(|a| self.owner_of(a)).transpose()?.flatten(),
            dispute: self.written(dispute)?,
            ruling: self.written(ruling)?,
            timeline,
            note,
            note_by,
        }))
    }

    /// Why a deal was accepted, and who says so.
    fn acceptance(&self, deal: i64) -> Result<(Option<Written>, Option<Who>)> {
        let agreed = self.envelope(int(position_of(uint(deal))))?;
        let mut events = agreed.iter().flat_map(|agreed| &agreed.events);
        let said = events.find_map(|event| match event {
            Event::Market(MarketEvent::DealAgreed {
                deal: id, by, note, ..
            }) if int(id.0) == deal => note.as_ref().map(|note| (note.id, *by)),
            _ => None,
        });
        let Some((note, by)) = said else {
            return Ok((None, None));
        };
        let note = self.written(Some(int(note.0)))?;
        Ok((note, Some(self.who(int(by.0))?)))
    }

    /// The agent that did something to a thing at a position, if the event names one: of an act that a
    /// person let through, the agent that had asked.
    fn did(&self, thing: AnyId, position: u64) -> Result<Option<Principal>> {
        let envelope = self.envelope(int(position))?;
        let events = envelope.iter().flat_map(|envelope| &envelope.events);
        let mut lines = events.flat_map(Fact::told);
        let by = lines.find_map(|line| line.by.filter(|_| line.subject == thing));
        Ok(by.map(Principal::Agent))
    }

    pub(super) fn approval(&self, scope: Scope, id: i64) -> Result<Option<ApprovalRow>> {
        let mut query = self.db.prepare_cached(APPROVAL)?;
        let mut rows = query.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let asset: i64 = row.get(5)?;
        let mut row = ApprovalRow {
            summary: String::new(),
            id: ApprovalId(uint(id)),
            owner: OwnerId(uint(row.get(1)?)),
            agent: self.who(row.get(2)?)?,
            what: self.readable_terms(facts(&row.get::<_, String>(3)?))?,
            amount: self.decimal(row.get(4)?, asset)?,
            asset: self.asset(asset)?.0,
            expires: time(row.get(6)?),
            created: time(row.get(7)?),
            end: row.get(8)?,
            by: row.get::<_, Option<i64>>(9)?.map(|p| PersonId(uint(p))),
            ended: row.get::<_, Option<i64>>(10)?.map(time),
            by_name: None,
        };
        row.by_name = self.decided_by(scope, &row)?;
        row.summary = self.approval_summary(scope, &row)?;
        Ok(Some(row))
    }

    fn allowance_lines(&self, owner: i64) -> Result<Vec<AllowanceLinesRow>> {
        use rialto_core::policy::Node;
        let sql = "SELECT node_kind, node, lines FROM allowance_lines
                   WHERE owner = ? ORDER BY node_kind, node LIMIT 10000";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([owner])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let lines: String = row.get(2)?;
            let lines = serde_json::from_str(&lines).unwrap_or_default();
            found.push(AllowanceLinesRow {
                node: Node::join(row.get(0)?, row.get(1)?)?,
                lines: self.readable_terms(lines)?,
            });
        }
        Ok(found)
    }

    fn allowances(&self, owner: i64) -> Result<Vec<AllowanceRow>> {
        use rialto_core::policy::Node;
        let sql = "SELECT node_kind, node, asset, per_deal, per_period, period_ms, approval_above
                   FROM allowance WHERE owner = ? ORDER BY node_kind, node, asset LIMIT 10000";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([owner])?;
        let mut allowances = Vec::new();
        while let Some(row) = rows.next()? {
            let node = Node::join(row.get(0)?, row.get(1)?)?;
            let asset: i64 = row.get(2)?;
            let amount = |column| -> Result<Option<String>> {
                let units: Option<Units> = row.get(column)?;
                units.map(|u| self.decimal(u, asset)).transpose()
            };
            allowances.push(AllowanceRow {
                node,
                asset: self.asset(asset)?.0,
                per_deal: amount(3)?,
                per_period: amount(4)?,
                period_ms: uint(row.get(5)?),
                approval_above: amount(6)?,
            });
        }
        Ok(allowances)
    }
}
