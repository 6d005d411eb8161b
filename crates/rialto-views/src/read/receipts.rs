//! The receipt of a call of a model: what was reserved, what was reported, and the arithmetic in between.
//!
//! Everything in it is read from the two envelopes that begin and end the call, and worked out again by the
//! same code that priced it. Who serves a call sees its receipt too, but not what the call was for.

use rialto_core::amount::Decimal;
use rialto_core::event::{Envelope, Event};
use rialto_core::id::{DeploymentId, HoldId, InferenceId, TaskId, number, position_of};
use rialto_core::limits::INFERENCE_MS;
use rialto_core::model::{
    Bill, BillLine, Inference, InferenceEnd, ModelEvent, Receipt, TokenCounts,
};
use rialto_core::text::{Alias, ClientId, Name};
use rialto_core::time::Time;
use rusqlite::OptionalExtension;
use serde::Serialize;

use super::market::OwnerName;
use super::{Page, Paging, Scope, Snap, ViewReader, Who, cursor, limit};
use crate::Result;
use crate::db::{int, split, uint};

/// The most attempts before a call that its receipt names.
const ATTEMPTS: usize = 32;
/// Digits after the point of a whole unit in pico-units.
const PICO_SCALE: u8 = 12;
/// Digits after the point of a price of a million tokens, of which the last is a pico-unit a token.
const PER_MILLION_SCALE: u8 = 6;

/// The receipt of a call of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InferenceReceipt {
    /// The call.
    pub id: InferenceId,
    /// Who called.
    pub agent: Who,
    /// Whose agent that is.
    pub caller: OwnerName,
    /// The deployment that served it.
    pub deployment: DeploymentId,
    /// Whose that is.
    pub owner: OwnerName,
    /// The version of the deployment's terms that stood when the call began: its price version.
    pub terms: u32,
    /// The model, as it was called.
    pub model: Alias,
    /// Through whom it was served.
    pub provider: Alias,
    /// What the provider calls the model that was asked.
    pub upstream: Name,
    /// The kind of chip, where that is known.
    pub chip: Option<Alias>,
    /// The asset of all amounts.
    pub asset: String,
    /// When it began.
    pub begun: Time,
    /// What was held for it: the most that it could cost.
    pub reserved: String,
    /// The hold of that.
    pub hold: Option<HoldId>,
    /// The task that it served; only for the caller and its owner.
    pub task: Option<TaskId>,
    /// The run that it belonged to; only for the caller and its owner.
    pub run: Option<ClientId>,
    /// The attempts that it replaced, the latest first; only for the caller and its owner.
    pub attempts: Vec<AttemptRow>,
    /// Where it began in the log: a position.
    pub position: u64,
    /// What it came to; none while it is under way.
    pub over: Option<InferenceOver>,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InferenceOver {
    /// How it ended.
    pub end: InferenceEnd,
    /// When.
    pub at: Time,
    /// What was used, in one form: each part within its whole.
    pub tokens: TokenCounts,
    /// True if the provider did not say what was used, and somebody else counted.
    pub estimated: bool,
    /// The usage as the provider wrote it: JSON.
    pub raw: Option<String>,
    /// What the provider calls the request.
    pub request: Option<Name>,
    /// What the provider calls the model that answered.
    pub served: Option<Name>,
    /// The service tier that the provider says it was served in.
    pub tier: Option<Alias>,
    /// Milliseconds to the provider's first byte.
    pub first_ms: Option<u64>,
    /// Milliseconds in all.
    pub took_ms: Option<u64>,
    /// What could not be carried between the protocols.
    pub losses: Vec<Alias>,
    /// The arithmetic, line by line.
    pub lines: Vec<ReceiptLine>,
    /// The sum of the lines, to a millionth of a millionth.
    pub sum: String,
    /// The sum rounded up once, to the asset's smallest unit.
    pub cost: String,
    /// What was paid of it: at most what was reserved.
    pub paid: String,
    /// What is beyond that: the owner of the deployment bears it.
    pub borne: String,
    /// Where it ended in the log: a position.
    pub position: u64,
}

/// What one kind of token adds to the cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReceiptLine {
    /// The kind; `call` is what a call costs beside its tokens.
    pub kind: &'static str,
    /// How many.
    pub quantity: u64,
    /// What a million of them cost, in whole units; for `call`, what one costs.
    pub price: String,
    /// What they cost, to a millionth of a millionth.
    pub amount: String,
}

/// An attempt before a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttemptRow {
    /// The attempt, a call of its own with a receipt of its own.
    pub id: InferenceId,
    /// What was to serve it.
    pub deployment: DeploymentId,
    /// Through whom.
    pub provider: Alias,
    /// How it ended; none while it is under way.
    pub end: Option<InferenceEnd>,
}

impl ViewReader {
    /// The receipt of a call that the scope may see; nothing if there is none.
    ///
    /// # Errors
    /// As every read.
    pub fn receipt(&self, scope: Scope, id: InferenceId) -> Result<Option<InferenceReceipt>> {
        self.read(|snap| match snap.sees(scope, id.into())? {
            true => snap.receipt(scope, id),
            false => Ok(None),
        })
    }
}

impl ViewReader {
    /// The receipts of the calls that a scope made and that ended within a period (from, until: the end is
    /// not part of it), in the order in which they began.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn receipts(
        &self,
        scope: Scope,
        period: Option<(Time, Time)>,
        paging: &Paging,
    ) -> Result<Page<InferenceReceipt>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(0));
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        self.read(|snap| {
            let (ended, first) = snap.ended_within(period)?;
            let sql = format!(
                "SELECT id FROM inference WHERE id > ?1 AND ended >= ?2 AND ended < ?3 AND {}
                 ORDER BY id LIMIT ?5",
                match scope {
                    Scope::Realm => "?4 IS NULL",
                    Scope::Owner(_) => "owner = ?4",
                    Scope::Agent(_) => "agent = ?4",
                }
            );
            let mut query = snap.db.prepare_cached(&sql)?;
            let key = (after.max(first), ended.0, ended.1, scope.viewer(), wide);
            let ids = query.query_map(key, |r| r.get(0))?;
            let ids = ids.collect::<rusqlite::Result<Vec<i64>>>()?;
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                let receipt = snap.receipt(scope, InferenceId(uint(id)))?;
                found.extend(receipt.map(|receipt| (id, receipt)));
            }
            Ok(snap.page(found, limit))
        })
    }
}

impl Snap<'_> {
    /// Between which ids calls ended in a period, and after which they began: none is under way for longer
    /// than [`INFERENCE_MS`].
    fn ended_within(&self, period: Option<(Time, Time)>) -> Result<((i64, i64), i64)> {
        let Some((from, until)) = period else {
            return Ok(((0, i64::MAX), 0));
        };
        let first = |at: Time| Ok::<i64, crate::Error>(int(number(self.first_at(at)?, 0)));
        let begun = Time(from.0.saturating_sub(2 * INFERENCE_MS));
        Ok(((first(from)?, first(until)?), first(begun)? - 1))
    }

    /// How a call began, with its envelope's position.
    pub(crate) fn call_begun(&self, id: InferenceId) -> Result<Option<(u64, Box<Inference>)>> {
        let position = position_of(id.0);
        let Some(envelope) = self.envelope(int(position))? else {
            return Ok(None);
        };
        let begun = envelope.events.into_iter().find_map(|event| match event {
            Event::Model(ModelEvent::Reserved {
                inference,
                reserved,
            }) if inference == id => Some(reserved),
            _ => None,
        });
        Ok(begun.map(|call| (position, call)))
    }

    /// How a call ended, with its envelope.
    fn call_over(&self, id: InferenceId) -> Result<Option<(Envelope, Box<Receipt>)>> {
        // What is told of a call after it has begun is its end.
        let sql = "SELECT max(position) FROM touch WHERE kind = ? AND id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let last = query.query_row(split(id.into()), |r| r.get::<_, Option<i64>>(0));
        let Some(last) = last.optional()?.flatten() else {
            return Ok(None);
        };
        let Some(envelope) = self.envelope(last)? else {
            return Ok(None);
        };
        let over = envelope.events.iter().find_map(|event| match event {
            Event::Model(ModelEvent::Settled {
                inference, receipt, ..
            }) if *inference == id => Some(receipt.clone()),
            _ => None,
        });
        Ok(over.map(|receipt| (envelope, receipt)))
    }

    fn receipt(&self, scope: Scope, id: InferenceId) -> Result<Option<InferenceReceipt>> {
        let Some((position, call)) = self.call_begun(id)? else {
            return Ok(None);
        };
        let own = self.is_party(scope, call.agent.into())?;
        let (asset, scale) = self.asset(int(call.terms.asset.0))?;
        let over = match self.call_over(id)? {
            Some((envelope, receipt)) => Some(self.over(&call, &envelope, *receipt, scale)?),
            None => None,
        };
        let terms = &call.terms;
        Ok(Some(InferenceReceipt {
            id,
            agent: self.who(int(call.agent.0))?,
            caller: self.caller_of(id)?,
            deployment: call.deployment,
            owner: self.owner_named(int(terms.owner.0))?,
            terms: terms.version,
            model: terms.model.clone(),
            provider: terms.provider.clone(),
            upstream: terms.upstream.clone(),
            chip: terms.chip.clone(),
            asset,
            begun: call.at,
            reserved: call.reserved.display(scale),
            hold: call.hold,
            task: call.on.tasks.first().copied().filter(|_| own),
            run: call.on.run.clone().filter(|_| own),
            attempts: match own {
                true => self.attempts(&call)?,
                false => Vec::new(),
            },
            position,
            over,
        }))
    }

    fn over(
        &self,
        call: &Inference,
        envelope: &Envelope,
        receipt: Receipt,
        scale: u8,
    ) -> Result<InferenceOver> {
        let answered = receipt.end == InferenceEnd::Served;
        let bill = call.terms.prices.bill(&receipt.tokens, answered, scale);
        let bill = bill.map_err(|_| crate::Error::Damaged("a call without a cost"))?;
        let borne = receipt.borne().display(scale);
        Ok(InferenceOver {
            end: receipt.end,
            at: envelope.at,
            tokens: receipt.tokens,
            estimated: receipt.estimated,
            raw: receipt.raw.map(|raw| raw.as_str().to_owned()),
            request: receipt.request,
            served: receipt.served,
            tier: receipt.tier,
            first_ms: receipt.first_ms,
            took_ms: receipt.took_ms,
            losses: receipt.losses,
            lines: lines(&bill),
            sum: decimal(bill.pico, PICO_SCALE),
            cost: receipt.cost.display(scale),
            paid: receipt.paid.display(scale),
            borne,
            position: envelope.position,
        })
    }

    fn caller_of(&self, id: InferenceId) -> Result<OwnerName> {
        let sql = "SELECT owner FROM inference WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let owner = query.query_row([int(id.0)], |r| r.get::<_, Option<i64>>(0));
        self.owner_named(owner.optional()?.flatten().unwrap_or_default())
    }

    /// The attempts before a call, as far as they are its agent's.
    fn attempts(&self, call: &Inference) -> Result<Vec<AttemptRow>> {
        let mut found = Vec::new();
        let mut before = call.after;
        while let Some(id) = before.filter(|_| found.len() < ATTEMPTS) {
            let Some((_, attempt)) = self.call_begun(id)? else {
                break;
            };
            if attempt.agent != call.agent {
                break;
            }
            found.push(AttemptRow {
                id,
                deployment: attempt.deployment,
                provider: attempt.terms.provider.clone(),
                end: self.call_over(id)?.map(|(_, receipt)| receipt.end),
            });
            before = attempt.after;
        }
        Ok(found)
    }
}

fn decimal(units: i128, scale: u8) -> String {
    Decimal { units, scale }.text()
}

fn lines(bill: &Bill) -> Vec<ReceiptLine> {
    let line = |line: &BillLine| ReceiptLine {
        kind: line.kind,
        quantity: line.quantity,
        price: match line.kind {
            "call" => decimal(line.price.into(), PICO_SCALE),
            _ => decimal(line.price.into(), PER_MILLION_SCALE),
        },
        amount: decimal(line.pico(), PICO_SCALE),
    };
    bill.lines.iter().map(line).collect()
}
