//! A business with its connection: it reads its inbox and answers. [`crate::strategy`] decides the answers;
//! they use nothing else from the texts that the business receives.

use std::collections::BTreeMap;

use rialto_core::id::AnyId;
use rialto_wire::names::Name;
use rialto_wire::native::Accepted;
use serde_json::json;

use super::agent::{AgentClient, Delivered, Order, id_in, text_in};
use super::words;
use crate::Business;
use crate::ask::new_id;
use crate::error::DayError;
use crate::strategy::{self, SellerMove};
use rialto_core::amount::Amount;

/// A business with its connection.
#[derive(Debug)]
pub(crate) struct Seller {
    pub(crate) business: Business,
    pub(crate) handle: String,
    pub(crate) agent: String,
    pub(crate) client: AgentClient,
    /// The tag of its market, if the realm has several.
    market: Option<String>,
    /// Whether somebody contacted it since it last looked.
    pub(crate) called: bool,
    /// The position of its listing.
    pub(crate) listed: u64,
    listing: Option<AnyId>,
    talks: BTreeMap<String, Talk>,
}

/// What it has offered in a negotiation.
#[derive(Clone, Debug)]
struct Talk {
    items: Vec<Name>,
    attributes: Vec<Name>,
    /// Its own first price.
    start: Amount,
}

/// What the business remembers once a command is accepted.
enum After {
    Nothing,
    Proposed(Talk),
    Agreed(String),
}

impl Seller {
    pub(crate) fn new(
        business: Business,
        (handle, agent): (String, String),
        client: AgentClient,
        market: Option<String>,
    ) -> Self {
        Self {
            business,
            handle,
            agent,
            client,
            market,
            called: false,
            listed: 0,
            listing: None,
            talks: BTreeMap::new(),
        }
    }

    /// Publishes what it sells.
    pub(crate) async fn publish(&mut self) -> Result<(), DayError> {
        if self.business.menu.is_empty() {
            return Ok(());
        }
        let listing = strategy::listing(&self.business);
        let args = words::listing(&listing, self.market.as_deref())?;
        let order = Order {
            op: "listing.publish",
            args,
            cause: None,
        };
        let accepted = self.client.command(order).await?;
        self.listing = Some(new_id(&accepted, "list")?);
        self.listed = accepted.position;
        Ok(())
    }

    /// Takes its listing off the market.
    pub(crate) async fn withdraw(&mut self) -> Result<(), DayError> {
        let Some(listing) = self.listing.take() else {
            return Ok(());
        };
        let args = json!({ "listing": listing });
        let order = Order {
            op: "listing.withdraw",
            args,
            cause: None,
        };
        self.client.command(order).await.map(|_| ())
    }

    /// Reads the inbox and answers everything in it.
    pub(crate) async fn attend(&mut self) -> Result<(), DayError> {
        self.called = false;
        let mut orders = Vec::new();
        let mut after = Vec::new();
        for delivered in self.client.inbox().await? {
            if let Some((order, then)) = self.answer(&delivered)? {
                orders.push(order);
                after.push(then);
            }
        }
        let answers = self.client.commands(orders).await?;
        let mut deliveries = Vec::new();
        for (accepted, then) in answers.iter().zip(after) {
            deliveries.extend(self.remember(accepted, then)?);
        }
        self.client.commands(deliveries).await.map(|_| ())
    }

    fn answer(&self, delivered: &Delivered) -> Result<Option<(Order, After)>, DayError> {
        match delivered.kind.as_str() {
            "call_opened" => self.to_call(delivered).map(Some),
            "offer_made" => self.to_offer(delivered),
            "deal_agreed" => {
                let (deal, talk) = (
                    id_in(&delivered.fact, "deal")?,
                    text_in(&delivered.fact, "negotiation")?,
                );
                Ok(self
                    .delivery(deal, talk)
                    .map(|order| (order, After::Nothing)))
            }
            _ => Ok(None),
        }
    }

    fn to_call(&self, delivered: &Delivered) -> Result<(Order, After), DayError> {
        let id = id_in(&delivered.fact, "call")?;
        let call = words::read_call(&delivered.fact, &delivered.texts);
        let cause = Some(id);
        let Some(proposal) = strategy::proposal(&self.business, &call) else {
            return Ok((
                Order {
                    op: "call.refuse",
                    args: json!({ "call": id }),
                    cause,
                },
                After::Nothing,
            ));
        };
        let talk = Talk {
            items: proposal.items,
            attributes: proposal.attributes,
            start: proposal.price,
        };
        let terms = words::terms(&talk.items, &talk.attributes, talk.start)?;
        let args = json!({ "call": id, "terms": terms, "valid_for_ms": words::VALID_FOR_MS });
        Ok((
            Order {
                op: "call.propose",
                args,
                cause,
            },
            After::Proposed(talk),
        ))
    }

    fn to_offer(&self, delivered: &Delivered) -> Result<Option<(Order, After)>, DayError> {
        let fact = &delivered.fact;
        let id = id_in(fact, "negotiation")?;
        let Some(talk) = self.talks.get(&id.to_string()) else {
            return Ok(None);
        };
        let offer = fact.get("offer").unwrap_or(&serde_json::Value::Null);
        let price = words::amount(offer.pointer("/bargain/price"))?;
        // Its own proposal is offer 1, the buyer's counters are 2, 4, 6 …
        let number = fact
            .get("number")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default();
        let round = u32::try_from(number / 2).unwrap_or(u32::MAX);
        let cause = Some(id);
        Ok(Some(
            match strategy::seller_move(&self.business, &talk.items, talk.start, price, round) {
                SellerMove::Accept => {
                    let args = json!({ "negotiation": id, "offer": text_in(offer, "hash")? });
                    (
                        Order {
                            op: "negotiation.accept",
                            args,
                            cause,
                        },
                        After::Agreed(id.to_string()),
                    )
                }
                SellerMove::Offer(price) => {
                    let terms = words::terms(&talk.items, &talk.attributes, price)?;
                    let args = json!({ "negotiation": id, "terms": terms, "valid_for_ms": words::VALID_FOR_MS });
                    (
                        Order {
                            op: "negotiation.counter",
                            args,
                            cause,
                        },
                        After::Nothing,
                    )
                }
            },
        ))
    }

    fn remember(&mut self, accepted: &Accepted, then: After) -> Result<Option<Order>, DayError> {
        match then {
            After::Nothing => Ok(None),
            After::Proposed(talk) => {
                self.talks
                    .insert(new_id(accepted, "neg")?.to_string(), talk);
                Ok(None)
            }
            After::Agreed(talk) => Ok(self.delivery(new_id(accepted, "deal")?, &talk)),
        }
    }

    fn delivery(&self, deal: AnyId, talk: &str) -> Option<Order> {
        let talk = self.talks.get(talk)?;
        let body = words::delivery(&self.business, &talk.items, &talk.attributes);
        Some(Order {
            op: "deal.deliver",
            args: json!({ "deal": deal, "body": body }),
            cause: Some(deal),
        })
    }
}
