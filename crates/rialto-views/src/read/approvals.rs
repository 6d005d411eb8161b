//! What exactly a person is asked to approve: with whom, for what, on which terms, from which
//! account, who asked, why and for which task; and how it ended.

use rialto_core::event::{Envelope, Event};
use rialto_core::hash::Hash;
use rialto_core::id::{
    AccountId, AgentId, AnyId, ApprovalId, ContentId, ListingId, NegotiationId, OwnerId, TaskId,
    TeamId, position_of,
};
use rialto_core::identity::Principal;
use rialto_core::ledger::{Holder, LedgerEvent};
use rialto_core::policy::PolicyEvent;
use rialto_core::time::Time;
use rusqlite::OptionalExtension;
use serde::Serialize;
use serde_json::{Value, json};

use super::{ApprovalRow, OfferRow, Scope, Snap, ViewReader, Who, Written};
use crate::Result;
use crate::codec::Coded;
use crate::db::{int, split};

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
    /// The note of the offer or payment: text from others, to be read as data. That of an offer to be
    /// accepted is the other side's.
    pub note: Option<Written>,
    /// Who wrote that note.
    pub note_by: Option<Who>,
    /// What the agent that asks gives as its reason: the note of its own offer, payment or acceptance.
    /// Text from others, to be read as data.
    pub why: Option<Written>,
    /// Whether an offer to be made holds its money as it goes out.
    pub fund: bool,
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
    /// The title of that listing.
    pub listing_title: Option<String>,
    /// The account that would pay.
    pub pay_from: Option<AccountName>,
    /// The account that would be paid.
    pub pay_to: Option<AccountName>,
    /// The team that would be paid in the seller's place.
    pub payee_team: Option<PaidTeam>,
    /// Who sent the request.
    pub asked_by: Principal,
    /// Its name, for those whose people decide.
    pub asked_by_name: Option<String>,
    /// What the asker named as its cause.
    pub cause: Option<AnyId>,
    /// What that task, message or post says, if the reader may see it: text from others, to be read as
    /// data.
    pub cause_text: Option<Written>,
    /// Who wrote that.
    pub cause_by: Option<String>,
    /// The task that it serves.
    pub task: Option<TaskId>,
    /// The model on which the money of a transfer is spent, by its alias.
    pub model: Option<String>,
    /// The run in which the money of a transfer is spent.
    pub run: Option<String>,
    /// What that task asks for: text from others, to be read as data.
    pub goal: Option<Written>,
    /// Who wrote that.
    pub goal_by: Option<String>,
    /// Why it was approved or denied, as who decided says it: text from others, to be read as data.
    pub reason: Option<Written>,
    /// What a yes made: the deal, the negotiation, or the transfer; then what came with it.
    pub made: Vec<AnyId>,
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
            let Some(row) = snap.approval(scope, int(id.0))? else {
                return Ok(None);
            };
            snap.approval_view(scope, row).map(Some)
        })
    }
}

/// A member of a JSON object, as the type that it was written from.
fn field<T: std::str::FromStr>(value: &Value, name: &str) -> Option<T> {
    value.get(name)?.as_str()?.parse().ok()
}

/// The note is that of the agent which asks, and so its reason.
fn own_note(view: &mut ApprovalView) {
    view.note_by = view.note.is_some().then(|| view.approval.agent.clone());
    view.why = view.note.clone();
}

/// What an approval let through, as the answer named it: a deal before its task and hold. A transfer
/// is named by its entry.
fn made(ending: &Envelope) -> Vec<AnyId> {
    if !ending.ids.is_empty() {
        return ending.ids.clone();
    }
    let entries = ending.events.iter().filter_map(|event| match event {
        Event::Ledger(LedgerEvent::Entries { entries, .. }) => Some(entries),
        _ => None,
    });
    let entries = entries.flatten();
    entries.map(|entry| entry.transfer.into()).collect()
}

impl Snap<'_> {
    fn approval_view(&self, scope: Scope, row: ApprovalRow) -> Result<ApprovalView> {
        let asked = self.envelope(int(position_of(row.id.0)))?;
        let mut view = ApprovalView {
            act: "transfer",
            with: None,
            lines: json!([]),
            issues: json!([]),
            bargain: Value::Null,
            arbiter: None,
            note: None,
            note_by: None,
            why: None,
            fund: false,
            offer: None,
            offer_expires: None,
            valid_for_ms: None,
            negotiation: None,
            listing: None,
            listing_title: None,
            pay_from: None,
            pay_to: None,
            payee_team: None,
            asked_by: asked
                .as_ref()
                .map_or(Principal::Agent(row.agent.id), |e| e.principal),
            asked_by_name: None,
            cause: asked.and_then(|e| e.cause),
            cause_text: None,
            cause_by: None,
            task: None,
            model: None,
            run: None,
            goal: None,
            goal_by: None,
            reason: None,
            made: Vec::new(),
            approval: row,
        };
        let bound = view.approval.what.clone();
        if let Some(accept) = bound.get("accept") {
            self.of_acceptance(&mut view, accept)?;
        } else if let Some(offer) = bound.pointer("/offer/offer") {
            self.of_offer(&mut view, offer)?;
        } else if let Some(transfer) = bound.get("transfer") {
            self.of_transfer(&mut view, transfer)?;
        }
        let shares = bound.pointer("/accept/shares");
        let shares = shares.or_else(|| bound.pointer("/offer/offer/shares"));
        view.payee_team = self.paid_team(&view.bargain, shares)?;
        view.arbiter = match field::<AgentId>(&view.bargain, "arbiter") {
            Some(agent) => Some(self.who(int(agent.0))?),
            None => None,
        };
        self.reasons(scope, &mut view)?;
        if let Some(listing) = view.listing {
            view.listing_title = self.title_of(listing)?;
        }
        if view.approval.ended.is_some() {
            self.ended(&mut view)?;
        }
        Ok(view)
    }

    /// What the agent does it for: the task that it serves, and the cause that it named.
    fn reasons(&self, scope: Scope, view: &mut ApprovalView) -> Result<()> {
        let owner = view.approval.owner;
        view.asked_by_name = self.name_for(scope, owner, view.asked_by)?;
        if let Some(task) = view.task {
            (view.goal, view.goal_by) = self.said_by(scope, owner, task.into())?;
        }
        let cause = view
            .cause
            .filter(|cause| Some(*cause) != view.task.map(AnyId::from));
        if let Some(cause) = cause
            && self.sees(scope, cause)?
        {
            (view.cause_text, view.cause_by) = self.said_by(scope, owner, cause)?;
        }
        Ok(())
    }

    /// What a task, message or post says, and who wrote it.
    fn said_by(
        &self,
        scope: Scope,
        owner: OwnerId,
        thing: AnyId,
    ) -> Result<(Option<Written>, Option<String>)> {
        let agent = crate::codec::principal::AGENT;
        let sql = match thing {
            AnyId::TaskId(_) => {
                "SELECT body, requester_kind, requester FROM task WHERE id = ?1 AND ?2"
            }
            AnyId::MessageId(_) => "SELECT content, ?2, author FROM message WHERE id = ?1",
            AnyId::PostId(_) => "SELECT content, ?2, author FROM post WHERE id = ?1 AND state = 0",
            _ => return Ok((None, None)),
        };
        let mut query = self.db.prepare_cached(sql)?;
        let row = query.query_row((int(thing.number()), agent), |r| {
            Ok((r.get::<_, Option<i64>>(0)?, Principal::at(r, 1)?))
        });
        let Some((content, by)) = row.optional()? else {
            return Ok((None, None));
        };
        Ok((self.written(content)?, self.name_for(scope, owner, by)?))
    }

    /// The name of whoever did something about an approval. That of a person is for those whose people
    /// decide only.
    fn name_for(
        &self,
        scope: Scope,
        owner: OwnerId,
        principal: Principal,
    ) -> Result<Option<String>> {
        Ok(match principal {
            Principal::Agent(agent) => Some(self.who(int(agent.0))?.handle),
            Principal::Operator => Some("the operator".to_owned()),
            Principal::Person(person) => self.person_name(scope, owner, int(person.0))?,
            Principal::Realm | Principal::Service(_) | Principal::Public => None,
        })
    }

    /// The name of a person of the owner, for that owner's own readers.
    fn person_name(&self, scope: Scope, owner: OwnerId, person: i64) -> Result<Option<String>> {
        let reader = match scope {
            Scope::Realm => Some(owner),
            Scope::Owner(reader) => Some(reader),
            Scope::Agent(agent) => self.owner_of(int(agent.0))?.map(|owner| owner.id),
        };
        if reader != Some(owner) {
            return Ok(None);
        }
        let sql = "SELECT name FROM person WHERE id = ? AND owner = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let name = query.query_row((person, int(owner.0)), |r| r.get(0));
        Ok(name.optional()?)
    }

    fn title_of(&self, listing: ListingId) -> Result<Option<String>> {
        let sql = "SELECT title FROM listing WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let title = query.query_row([int(listing.0)], |r| r.get::<_, String>(0));
        let title = title.optional()?.map(|title| {
            let mut facts = json!({ "title": title });
            self.named(&mut facts);
            facts
                .get("title")
                .and_then(Value::as_str)
                .map(str::to_owned)
        });
        Ok(title.flatten())
    }

    /// The envelope that ended an approval: the last that says something about it.
    fn ending(&self, id: ApprovalId) -> Result<Option<Envelope>> {
        let sql = "SELECT max(position) FROM touch WHERE kind = ? AND id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let at: Option<i64> = query.query_row(split(id.into()), |r| r.get(0))?;
        at.map_or(Ok(None), |at| self.envelope(at))
    }

    /// Why it was approved or denied, and what a yes made.
    fn ended(&self, view: &mut ApprovalView) -> Result<()> {
        let id = view.approval.id;
        let Some(ending) = self.ending(id)? else {
            return Ok(());
        };
        let reason = ending.events.iter().find_map(|event| match event {
            Event::Policy(PolicyEvent::ApprovalEnded {
                approval, reason, ..
            }) if *approval == id => *reason,
            _ => None,
        });
        view.reason = self.written(reason.map(|reason| int(reason.id.0)))?;
        if view.approval.end.as_deref() == Some("approved") {
            view.made = made(&ending);
        }
        Ok(())
    }

    /// The name of who decided on an approval, for those whose people decide.
    pub(super) fn decided_by(&self, scope: Scope, row: &ApprovalRow) -> Result<Option<String>> {
        if !matches!(row.end.as_deref(), Some("approved" | "denied")) {
            return Ok(None);
        }
        let by = match row.by {
            Some(person) => Some(Principal::Person(person)),
            None => self.ending(row.id)?.map(|ending| ending.principal),
        };
        by.map_or(Ok(None), |by| self.name_for(scope, row.owner, by))
    }

    fn of_transfer(&self, view: &mut ApprovalView, transfer: &Value) -> Result<()> {
        view.pay_from = self.account_in(transfer, "from")?;
        view.pay_to = self.account_in(transfer, "to")?;
        view.with = match field::<AccountId>(transfer, "to") {
            Some(account) => self.holding_agent(account)?,
            None => None,
        };
        view.note = self.text_in(transfer, "/memo/id")?;
        if let Some(on) = transfer.get("spent_on") {
            let task = on.pointer("/tasks/0").and_then(Value::as_str);
            view.task = task.and_then(|id| id.parse().ok());
            (view.model, view.run) = (field(on, "model"), field(on, "run"));
        }
        own_note(view);
        Ok(())
    }

    /// The text that a request names.
    fn text_in(&self, bound: &Value, pointer: &str) -> Result<Option<Written>> {
        let id = bound.pointer(pointer).and_then(Value::as_str);
        let id = id.and_then(|id| id.parse::<ContentId>().ok());
        self.written(id.map(|id| int(id.0)))
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
        view.why = self.text_in(accept, "/note/id")?;
        if let Some(OfferRow {
            terms,
            note,
            expires,
            by,
            ..
        }) = offers.into_iter().next()
        {
            let part = |name: &str| terms.get(name).cloned().unwrap_or_default();
            (view.lines, view.issues, view.bargain) =
                (part("lines"), part("issues"), part("bargain"));
            view.note_by = note.is_some().then_some(by);
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
        view.fund = offer.get("fund") == Some(&Value::Bool(true));
        view.note = self.text_in(offer, "/note/id")?;
        own_note(view);
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
    pub(crate) fn approval_summary(&self, scope: Scope, row: &ApprovalRow) -> Result<String> {
        let shown = self.shown.get();
        let view = self.approval_view(scope, row.clone())?;
        // It shows no texts.
        self.shown.set(shown);
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
