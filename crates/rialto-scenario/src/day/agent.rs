//! One agent's connection to the API: its token, its position in the inbox, and the time that its requests
//! took.

use std::time::Instant;

use rialto_core::id::AnyId;
use rialto_wire::native::{Accepted, BatchItem};
use serde_json::Value;

use crate::ask::all_accepted;
use crate::error::DayError;
use rialto_client::Client;

/// Deliveries asked for at once, the most that the API gives.
const PAGE: usize = 100;
/// Commands sent in one request.
const BATCH: usize = 500;

/// The totals of an agent's requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    /// How long each request took, in microseconds.
    pub(crate) took_us: Vec<u64>,
    /// Commands in these requests.
    pub(crate) commands: u64,
}

impl Meter {
    /// Adds another's requests.
    pub(crate) fn absorb(&mut self, other: &mut Meter) {
        self.took_us.append(&mut other.took_us);
        self.commands += std::mem::take(&mut other.commands);
    }
}

/// A command to be sent: operation, arguments and cause.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) op: &'static str,
    pub(crate) args: Value,
    pub(crate) cause: Option<AnyId>,
}

/// An agent with its connection.
#[derive(Debug)]
pub(crate) struct AgentClient {
    client: Client,
    /// The last delivery read.
    read: u64,
    pub(crate) meter: Meter,
}

/// One delivery, as far as built-in agents read it.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    /// The position of what happened.
    pub(crate) position: u64,
    /// The event's name within its module, such as `offer_made`.
    pub(crate) kind: String,
    /// What the event says.
    pub(crate) fact: Value,
    /// The texts it names.
    pub(crate) texts: Value,
}

impl AgentClient {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            read: 0,
            meter: Meter::default(),
        }
    }

    /// Carries out one command.
    pub(crate) async fn command(&mut self, order: Order) -> Result<Accepted, DayError> {
        let client = match order.cause {
            Some(cause) => &self.client.caused_by(&cause.to_string())?,
            None => &self.client,
        };
        let begun = Instant::now();
        let answer = client.command(order.op, order.args).await;
        self.count(begun, 1);
        answer.map_err(|why| DayError::from(why).of(order.op))
    }

    /// Carries out several commands, each separately, in as few requests as possible.
    pub(crate) async fn commands(
        &mut self,
        mut orders: Vec<Order>,
    ) -> Result<Vec<Accepted>, DayError> {
        if let (1, Some(only)) = (orders.len(), orders.first()) {
            return Ok(vec![self.command(only.clone()).await?]);
        }
        let mut accepted = Vec::with_capacity(orders.len());
        while !orders.is_empty() {
            let later = orders.split_off(BATCH.min(orders.len()));
            let now = std::mem::replace(&mut orders, later);
            let count = now.len() as u64;
            let begun = Instant::now();
            let outcomes = self.client.batch(now.into_iter().map(item).collect()).await;
            self.count(begun, count);
            accepted.extend(all_accepted(outcomes?)?);
        }
        Ok(accepted)
    }

    /// Reads a path.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Value, DayError> {
        let begun = Instant::now();
        let answer = self.client.get(path).await;
        self.count(begun, 0);
        Ok(answer?)
    }

    /// Asks a question with a body.
    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Result<Value, DayError> {
        let begun = Instant::now();
        let answer = self.client.post(path, body).await;
        self.count(begun, 0);
        Ok(answer?)
    }

    /// Everything in the inbox after what was read before.
    pub(crate) async fn inbox(&mut self) -> Result<Vec<Delivered>, DayError> {
        let mut all = Vec::new();
        loop {
            let page = self
                .get(&format!("/api/inbox?after={}&limit={PAGE}", self.read))
                .await?;
            let empty = Vec::new();
            let deliveries = page
                .get("deliveries")
                .and_then(Value::as_array)
                .unwrap_or(&empty);
            for delivery in deliveries {
                self.read = self.read.max(
                    delivery
                        .get("seq")
                        .and_then(Value::as_u64)
                        .unwrap_or_default(),
                );
                all.extend(delivered(delivery));
            }
            let last = page.get("last").and_then(Value::as_u64).unwrap_or_default();
            if deliveries.is_empty() || self.read >= last {
                return Ok(all);
            }
        }
    }

    fn count(&mut self, begun: Instant, commands: u64) {
        self.meter
            .took_us
            .push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
        self.meter.commands += commands;
    }
}

fn item(order: Order) -> BatchItem {
    BatchItem {
        op: order.op.to_owned(),
        args: order.args,
        acting: None,
        key: None,
        cause: order.cause,
    }
}

/// Events are written as `{module: {event: fields}}`.
fn delivered(delivery: &Value) -> Option<Delivered> {
    let module = delivery.get("event")?.as_object()?.values().next()?;
    let (kind, fact) = module.as_object()?.iter().next()?;
    Some(Delivered {
        position: delivery.get("position")?.as_u64()?,
        kind: kind.clone(),
        fact: fact.clone(),
        texts: delivery.get("texts").cloned().unwrap_or_default(),
    })
}

/// A field of a fact that is an id.
pub(crate) fn id_in(fact: &Value, field: &str) -> Result<AnyId, DayError> {
    let text = text_in(fact, field)?;
    text.parse()
        .map_err(|_| DayError::foreign(format!("the door's {field} {text:?} is no id")))
}

/// A field of a fact that is a text.
pub(crate) fn text_in<'a>(fact: &'a Value, field: &str) -> Result<&'a str, DayError> {
    let found = fact.get(field).and_then(Value::as_str);
    found.ok_or_else(|| DayError::foreign(format!("the door's answer has no {field}")))
}
