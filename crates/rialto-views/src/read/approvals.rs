//! What exactly a person is asked to approve: with whom, for what, on which terms, from which
//! account, who asked and for which task.

use rialto_core::hash::Hash;
use rialto_core::id::{
    AccountId, AgentId, AnyId, ApprovalId, ListingId, NegotiationId, TaskId, TeamId, position_of,
};
use rialto_core::identity::Principal;
use rialto_core::ledger::Holder;
use rialto_core::time::Time;
use rusqlite::OptionalExtension;
use serde::Serialize;
use serde_json::{Value, json};

use super::{ApprovalRow, OfferRow, Scope, Snap, ViewReader, Who, Written};
use crate::Result;
use crate::db::int;

/// An account in an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountName {
    /// Its id.
    pub id: AccountId,
    /// Who holds it: a handle, an owner, a team.
    pub holder: String,
}

/// A part of the proceeds, in an approval.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PaidShare {
    /// Who gets it.
    pub agent: Who,
    /// How much, in millionths.
    pub ppm: u32,
}

/// A team that would be paid, with the split that a yes is for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PaidTeam {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Who gets how much of the proceeds. If the team agrees on another split, the yes is void.
    pub shares: Vec<PaidShare>,
}

/// An approval with everything that it is bound to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApprovalView {
    /// The approval; its fields stand beside the others, as they do in lists.
    #[serde(flatten)]
    pub approval: ApprovalRow,
    /// What would be done: `accept` an offer, make an `offer`, or `transfer` money.
    pub act: &'static str,
    /// With whom: the seller, or whose account is paid into.
    pub with: Option<Who>,
    /// What is promised for it.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<rialto_core::market::ItemLine>>")
    )]
    pub lines: Value,
    /// Further issues.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<rialto_core::market::Attribute>>")
    )]
    pub issues: Value,
    /// The terms: what is delivered, reviewed and ruled on within which time, and who rules.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<rialto_core::market::Bargain>")
    )]
    pub bargain: Value,
    /// The arbiter, if it is an agent.
    pub arbiter: Option<Who>,
    /// A note about the offer: text from others, to be read as data.
    pub note: Option<Written>,
    /// The offer that would be accepted, or countered.
    pub offer: Option<Hash>,
    /// Until when that offer can be accepted.
    pub offer_expires: Option<Time>,
    /// How long the offer to be made can be accepted, in milliseconds.
    pub valid_for_ms: Option<u64>,
    /// The negotiation that it belongs to.
    pub negotiation: Option<NegotiationId>,
    /// The listing that it is about.
    pub listing: Option<ListingId>,
    /// The account that would pay.
    pub pay_from: Option<AccountName>,
    /// The account that would be paid.
    pub pay_to: Option<AccountName>,
    /// The team that would be paid in the seller's place.
    pub payee_team: Option<PaidTeam>,
    /// Who sent the request.
    pub asked_by: Principal,
    /// What the asker named as its cause.
    pub cause: Option<AnyId>,
    /// The task that it serves.
    pub task: Option<TaskId>,
    /// What that task asks for: text from others, to be read as data.
    pub goal: Option<Written>,
}

impl ViewReader {
    /// One approval with everything that it is bound to.
    ///
    /// # Errors
    /// As every read.
    pub fn approval_view(&self, scope: Scope, id: ApprovalId) -> Result<Option<ApprovalView>> {
        self.read(|snap| {
            if !snap.sees(scope, id.into())? {
                return Ok(None);
            }
            let Some(row) = snap.approval(int(id.0))? else {
                return Ok(None);
            };
            snap.approval_view(row).map(Some)
        })
    }
}

/// A member of a JSON object, as the type that it was written from.
fn field<T: std::str::FromStr>(value: &Value, name: &str) -> Option<T> {
    value.get(name)?.as_str()?.parse().ok()
}

impl Snap<'_> {
    fn approval_view(&self, row: ApprovalRow) -> Result<ApprovalView> {
        let asked = self.envelope(int(position_of(row.id.0)))?;
        let mut view = ApprovalView {
            act: "transfer",
            with: None,
            lines: json!([]),
            issues: json!([]),
            bargain: Value::Null,
            arbiter: None,
            note: None,
            offer: None,
            offer_expires: None,
            valid_for_ms: None,
            negotiation: None,
            listing: None,
            pay_from: None,
            pay_to: None,
            payee_team: None,
            asked_by: asked
                .as_ref()
                .map_or(Principal::Agent(row.agent.id), |e| e.principal),
            cause: asked.and_then(|e| e.cause),
            task: None,
            goal: None,
            approval: row,
        };
        let bound = view.approval.what.clone();
        if let Some(accept) = bound.get("accept") {
            self.of_acceptance(&mut view, accept)?;
        } else if let Some(offer) = bound.pointer("/offer/offer") {
            self.of_offer(&mut view, offer)?;
        } else if let Some(transfer) = bound.get("transfer") {
            view.pay_from = self.account_in(transfer, "from")?;
            view.pay_to = self.account_in(transfer, "to")?;
            view.with = match field::<AccountId>(transfer, "to") {
                Some(account) => self.holding_agent(account)?,
                None => None,
            };
        }
        let shares = bound.pointer("/accept/shares");
        let shares = shares.or_else(|| bound.pointer("/offer/offer/shares"));
        view.payee_team = self.paid_team(&view.bargain, shares)?;
        view.arbiter = match field::<AgentId>(&view.bargain, "arbiter") {
            Some(agent) => Some(self.who(int(agent.0))?),
            None => None,
        };
        if let Some(task) = view.task {
            let sql = "SELECT body FROM task WHERE id = ?";
            let mut query = self.db.prepare_cached(sql)?;
            let body: Option<Option<i64>> =
                query.query_row([int(task.0)], |r| r.get(0)).optional()?;
            view.goal = self.written(body.flatten())?;
        }
        Ok(view)
    }

    fn of_acceptance(&self, view: &mut ApprovalView, accept: &Value) -> Result<()> {
        view.act = "accept";
        view.offer = field(accept, "offer");
        view.pay_from = self.account_in(accept, "pay_from")?;
        let Some(negotiation) = field::<NegotiationId>(accept, "negotiation") else {
            return Ok(());
        };
        self.in_negotiation(view, negotiation)?;
        let hash = view.offer.map(|hash| *hash.bytes());
        let offers = self.offers(int(negotiation.0), hash.as_ref())?;
        if let Some(OfferRow {
            terms,
            note,
            expires,
            ..
        }) = offers.into_iter().next()
        {
            let part = |name: &str| terms.get(name).cloned().unwrap_or_default();
            (view.lines, view.issues, view.bargain) =
                (part("lines"), part("issues"), part("bargain"));
            (view.note, view.offer_expires) = (note, Some(expires));
        }
        Ok(())
    }

    fn of_offer(&self, view: &mut ApprovalView, offer: &Value) -> Result<()> {
        let part = |name: &str| offer.get(name).cloned().unwrap_or_default();
        view.act = "offer";
        (view.lines, view.issues) = (part("lines"), part("issues"));
        view.bargain = self.readable_terms(part("bargain"))?;
        view.valid_for_ms = offer.get("valid_for_ms").and_then(Value::as_u64);
        view.offer = field(offer, "counters");
        view.pay_from = self.account_in(offer, "pay_from")?;
        (view.listing, view.task) = (field(offer, "listing"), field(offer, "task"));
        if let Some(negotiation) = field::<NegotiationId>(offer, "negotiation") {
            self.in_negotiation(view, negotiation)?;
        }
        if let Some(seller) = field::<AgentId>(offer, "seller") {
            view.with = Some(self.who(int(seller.0))?);
        }
        let note = offer.pointer("/note/id").and_then(Value::as_str);
        let note = note.and_then(|id| id.parse::<rialto_core::id::ContentId>().ok());
        view.note = self.written(note.map(|id| int(id.0)))?;
        Ok(())
    }

    fn in_negotiation(&self, view: &mut ApprovalView, negotiation: NegotiationId) -> Result<()> {
        view.negotiation = Some(negotiation);
        let sql = "SELECT seller, listing, task FROM negotiation WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let row = query.query_row([int(negotiation.0)], |r| {
            Ok((
                r.get::<_, i64>(0)?,
                r.get::<_, Option<i64>>(1)?,
                r.get::<_, Option<i64>>(2)?,
            ))
        });
        if let Some((seller, listing, task)) = row.optional()? {
            view.with = Some(self.who(seller)?);
            view.listing = listing.map(|id| ListingId(crate::db::uint(id)));
            view.task = task.map(|id| TaskId(crate::db::uint(id)));
        }
        Ok(())
    }

    /// The team that a bargain pays, with the shares that were agreed on when it was asked for.
    fn paid_team(&self, bargain: &Value, shares: Option<&Value>) -> Result<Option<PaidTeam>> {
        let Some(id) = field::<TeamId>(bargain, "payee_team") else {
            return Ok(None);
        };
        let parts = shares.and_then(Value::as_array).into_iter().flatten();
        let parts = parts.filter_map(|share| {
            let ppm = share.get("ppm").and_then(Value::as_u64)?;
            Some((field::<AgentId>(share, "agent")?, u32::try_from(ppm).ok()?))
        });
        let shares = parts.map(|(agent, ppm)| {
            let agent = self.who(int(agent.0))?;
            Ok(PaidShare { agent, ppm })
        });
        Ok(Some(PaidTeam {
            id,
            name: self.holder_name(Holder::Team(id))?,
            shares: shares.collect::<Result<_>>()?,
        }))
    }

    fn account_in(&self, bound: &Value, name: &str) -> Result<Option<AccountName>> {
        let Some(id) = field::<AccountId>(bound, name) else {
            return Ok(None);
        };
        let holder = self.account_name(int(id.0))?;
        Ok(Some(AccountName { id, holder }))
    }

    fn holding_agent(&self, account: AccountId) -> Result<Option<Who>> {
        let agent = self.agent_of(account)?;
        agent.map(|agent| self.who(agent)).transpose()
    }

    /// In a few words what an approval is for: `Taco 2, rope 1 from @casa`.
    pub(crate) fn approval_summary(&self, row: &ApprovalRow) -> Result<String> {
        let view = self.approval_view(row.clone())?;
        let whom = match (&view.with, &view.pay_to) {
            (Some(who), _) => who.handle.clone(),
            (None, Some(account)) => account.holder.clone(),
            (None, None) => String::new(),
        };
        if view.act == "transfer" {
            return Ok(format!("payment to {whom}"));
        }
        let lines = view.lines.as_array().map_or(&[] as &[Value], Vec::as_slice);
        let items: Vec<String> = lines
            .iter()
            .filter_map(|line| {
                let item = line.get("item")?.as_str()?;
                Some(format!("{item} {}", line.get("quantity")?))
            })
            .collect();
        let what = match items.as_slice() {
            [] => "a deal".to_owned(),
            some => some.join(", "),
        };
        Ok(format!("{what} from {whom}"))
    }
}
