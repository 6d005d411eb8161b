//! A customer with its connection: goes from its goal to a paid delivery, one step at a time. `strategy`
//! makes its choices, from structured terms only.
//!
//! Each step has two halves, [`Buyer::look`] (reads) and [`Buyer::act`] (commands), so that many
//! customers can look at the same market before any of them changes it.

use rialto_core::id::AnyId;
use rialto_core::limits::TERMS_ENTRIES;
use rialto_wire::names::{Name, has_all};
use rialto_wire::search::MAX_TERMS;
use serde_json::{Value, json};

use super::agent::{AgentClient, Delivered, Order, id_in, text_in};
use super::words;
use crate::ask::new_id;
use crate::error::DayError;
use crate::strategy::{self, BuyerMove, Call, Listing, Match, Proposal, SearchQuery, Sort};
use crate::welfare::Outcome;
use crate::{Customer, bundle_price};
use rialto_core::amount::Amount;

/// Whether a day stops at first proposals or bargains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prices {
    /// First proposals are taken as they are.
    List,
    /// Revised call and haggling.
    Bargained,
}

/// The state of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum BuyerStage {
    /// It has a goal and has not looked around.
    Begun,
    /// It has found sellers to ask.
    Found,
    /// It waits for the proposals of a call.
    Asked { call: AnyId, revised: bool },
    /// Proposals were opened; it has to choose.
    Opened { call: AnyId, revised: bool },
    /// It made a counter-offer and waits.
    Countered { talk: AnyId, round: u32 },
    /// The seller answered a counter-offer.
    Answered {
        talk: AnyId,
        round: u32,
        offer: String,
        asked: Amount,
    },
    /// It has a deal and waits for the delivery.
    Bought { deal: AnyId, task: AnyId },
    /// The delivery is there.
    Delivered { deal: AnyId, complete: bool },
    /// There is nothing that it can buy.
    Leaving { why: &'static str },
    /// Nothing is left to do.
    Done,
}

/// A proposal with what is needed to accept or counter it.
#[derive(Clone, Debug)]
struct Open {
    talk: AnyId,
    hash: String,
    proposal: Proposal,
}

/// What a customer did in a step, for those who watch the day.
#[derive(Clone, Debug)]
pub(crate) enum BuyerEvent {
    /// It searched: how many sellers have everything.
    Searched { found: usize },
    /// It asked sellers for proposals.
    Asked { sellers: Vec<String>, revised: bool },
    /// Proposals were opened together.
    Opened {
        prices: Vec<(String, Amount)>,
        incomplete: usize,
        revised: bool,
    },
    /// It made a counter-offer.
    Countered { seller: String, price: Amount },
    /// The seller asked another price.
    Offered { seller: String, price: Amount },
    /// A deal was made and its price is held.
    Agreed {
        seller: String,
        price: Amount,
        deal: AnyId,
        offer: String,
    },
    /// It checked what was delivered.
    Checked { complete: bool },
    /// It left without a deal.
    Left { why: &'static str },
}

/// What a customer starts with.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    /// Its goal.
    pub(crate) goal: AnyId,
    /// The position of the goal.
    pub(crate) seen: u64,
    /// Whether it bargains.
    pub(crate) prices: Prices,
    /// Decides between equal prices.
    pub(crate) lot: u64,
    /// The tag of the market to go to, if the realm has several.
    pub(crate) market: Option<String>,
}

/// A customer with its connection.
#[derive(Debug)]
pub(crate) struct Buyer {
    pub(crate) customer: Customer,
    pub(crate) handle: String,
    pub(crate) agent: String,
    pub(crate) client: AgentClient,
    pub(crate) goal: AnyId,
    pub(crate) outcome: Outcome,
    /// The deal, once there is one.
    pub(crate) deal: Option<AnyId>,
    /// Sellers that it contacted in the last step.
    pub(crate) addressed: Vec<String>,
    /// What it has done since it was last asked.
    pub(crate) events: Vec<BuyerEvent>,
    prices: Prices,
    lot: u64,
    market: Option<String>,
    stage: BuyerStage,
    asked: Vec<String>,
    open: Vec<Open>,
    /// The seller's own first price and its bundle, once one is chosen.
    chosen: Option<Open>,
    /// Whether a complete proposal was cheaper than the first choice.
    dearer: bool,
    /// The position that the next read must have seen.
    pub(crate) seen: u64,
}

impl Buyer {
    pub(crate) fn new(
        customer: Customer,
        (handle, agent): (String, String),
        client: AgentClient,
        assignment: Assignment,
    ) -> Self {
        let Assignment {
            goal,
            seen,
            prices,
            lot,
            market,
        } = assignment;
        Self {
            customer,
            handle,
            agent,
            client,
            goal,
            outcome: Outcome::default(),
            deal: None,
            addressed: Vec::new(),
            events: Vec::new(),
            prices,
            lot,
            market,
            stage: BuyerStage::Begun,
            asked: Vec::new(),
            open: Vec::new(),
            chosen: None,
            dearer: false,
            seen,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.stage == BuyerStage::Done
    }

    /// Reads what the current stage waits for.
    pub(crate) async fn look(&mut self) -> Result<(), DayError> {
        match self.stage.clone() {
            BuyerStage::Begun => self.search().await,
            BuyerStage::Asked { call, revised } => self.await_proposals(call, revised).await,
            BuyerStage::Countered { talk, round } => self.await_answer(talk, round).await,
            BuyerStage::Bought { deal, task } => self.await_delivery(deal, task).await,
            _ => Ok(()),
        }
    }

    /// Does what the current stage asks for.
    pub(crate) async fn act(&mut self) -> Result<(), DayError> {
        match self.stage.clone() {
            BuyerStage::Found => self.ask(false).await,
            BuyerStage::Opened { call, revised } => self.choose(call, revised).await,
            BuyerStage::Answered {
                talk,
                round,
                offer,
                asked,
            } => self.bargain(talk, round, &offer, asked).await,
            BuyerStage::Delivered { deal, complete } => self.review(deal, complete).await,
            BuyerStage::Leaving { why } => self.leave(why).await,
            _ => Ok(()),
        }
    }

    /// Gives up waiting for an answer. A deal is left to its own terms.
    pub(crate) async fn give_up(&mut self) -> Result<(), DayError> {
        match self.stage {
            BuyerStage::Done => Ok(()),
            BuyerStage::Bought { .. } => {
                self.stage = BuyerStage::Done;
                Ok(())
            }
            _ => self.leave("nobody answered").await,
        }
    }

    async fn command(
        &mut self,
        op: &'static str,
        args: Value,
        cause: AnyId,
    ) -> Result<AnyIds, DayError> {
        let accepted = self
            .client
            .command(Order {
                op,
                args,
                cause: Some(cause),
            })
            .await?;
        self.seen = accepted.position;
        Ok(AnyIds(accepted))
    }

    async fn search(&mut self) -> Result<(), DayError> {
        if self.customer.wants.is_empty() || self.customer.wants.len() > TERMS_ENTRIES {
            self.stage = BuyerStage::Leaving {
                why: "it wants nothing, or more than the terms of one deal hold",
            };
            return Ok(());
        }
        let mut found: Vec<Listing> = Vec::new();
        for query in strategy::search_queries(&self.customer) {
            let path = format!("/api/search/listings?min_position={}", self.seen);
            let page = self
                .client
                .post(&path, search_body(&query, self.market.as_deref()))
                .await?;
            let hits = page
                .get("hits")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let listings = hits
                .filter_map(|hit| hit.get("listing"))
                .map(words::read_listing);
            found = listings.collect::<Result<_, _>>()?;
            if !found.is_empty() {
                break;
            }
        }
        let wants = strategy::wants(&self.customer);
        let complete = found.iter().filter(|listing| {
            has_all(&listing.attributes, &wants.attributes)
                && bundle_price(&listing.items, &wants.items).is_some()
        });
        self.outcome.found = complete.map(|listing| listing.seller.clone()).collect();
        self.asked = strategy::shortlist(&self.customer, &found)
            .iter()
            .map(|l| l.seller.clone())
            .collect();
        self.outcome.asked.clone_from(&self.asked);
        self.events.push(BuyerEvent::Searched {
            found: self.outcome.found.len(),
        });
        if self.asked.is_empty() {
            self.stage = BuyerStage::Leaving {
                why: "nobody has everything",
            };
            return Ok(());
        }
        self.stage = BuyerStage::Found;
        Ok(())
    }

    async fn ask(&mut self, revised: bool) -> Result<(), DayError> {
        let proposals: Vec<Proposal> = self.open.iter().map(|open| open.proposal.clone()).collect();
        let competition = if revised {
            strategy::competition(&self.customer, &proposals)
        } else {
            None
        };
        let call = Call {
            wants: strategy::wants(&self.customer),
            competition,
        };
        let args = words::call(
            &self.customer.request,
            &call,
            &self.asked,
            &self.goal.to_string(),
        )?;
        let made = self.command("call.open", args, self.goal).await?;
        self.stage = BuyerStage::Asked {
            call: made.id("call")?,
            revised,
        };
        self.addressed.clone_from(&self.asked);
        self.events.push(BuyerEvent::Asked {
            sellers: self.asked.clone(),
            revised,
        });
        Ok(())
    }

    async fn await_proposals(&mut self, call: AnyId, revised: bool) -> Result<(), DayError> {
        let news = self.client.inbox().await?;
        let revealed = news
            .iter()
            .find(|d| d.kind == "call_revealed" && is(d, "call", call));
        let Some(revealed) = revealed else {
            return Ok(());
        };
        let at = revealed.position;
        let view = self
            .client
            .get(&format!("/api/calls/{call}?min_position={at}"))
            .await?;
        let mut open = Vec::new();
        for talk in words::read_answers(&view)? {
            let view = self
                .client
                .get(&format!("/api/negotiations/{talk}?min_position={at}"))
                .await?;
            let (hash, proposal) = words::read_proposal(&view)?;
            open.push(Open {
                talk,
                hash,
                proposal,
            });
        }
        // In the order in which their sellers were asked.
        let place = |open: &Open| {
            self.asked
                .iter()
                .position(|seller| *seller == open.proposal.seller)
        };
        open.sort_by_key(|open| place(open).unwrap_or(usize::MAX));
        self.open = open;
        self.stage = BuyerStage::Opened { call, revised };
        Ok(())
    }

    async fn choose(&mut self, call: AnyId, revised: bool) -> Result<(), DayError> {
        let proposals: Vec<Proposal> = self.open.iter().map(|open| open.proposal.clone()).collect();
        let complete: Vec<&Proposal> = proposals
            .iter()
            .filter(|p| strategy::covers(&self.customer, p))
            .collect();
        self.events.push(BuyerEvent::Opened {
            prices: complete
                .iter()
                .map(|p| (p.seller.clone(), p.price))
                .collect(),
            incomplete: proposals.len() - complete.len(),
            revised,
        });
        let choice = strategy::choose(&self.customer, &proposals, self.lot);
        if !revised {
            self.outcome.proposed = complete.iter().map(|p| p.seller.clone()).collect();
            self.outcome.first_choice = choice
                .and_then(|place| proposals.get(place))
                .map(|p| (p.seller.clone(), p.price));
            let taken = self.outcome.first_choice.as_ref().map(|(_, price)| *price);
            self.dearer = taken.is_some_and(|taken| complete.iter().any(|p| p.price < taken));
        }
        let Some(open) = choice.and_then(|place| self.open.get(place)).cloned() else {
            return self.leave("no proposal is complete").await;
        };
        let price = open.proposal.price;
        if self.prices == Prices::List {
            if price > self.customer.worth() {
                return self
                    .leave("even the best costs more than it is worth")
                    .await;
            }
            return self
                .accept(open.talk, &open.hash, &open.proposal.seller, price)
                .await;
        }
        if !revised && strategy::competition(&self.customer, &proposals).is_some() {
            // The revised call takes the place of the first, whose proposals end with it.
            self.command("call.cancel", json!({ "call": call }), call)
                .await?;
            return self.ask(true).await;
        }
        self.chosen = Some(open.clone());
        self.bargain(open.talk, 0, &open.hash, price).await
    }

    /// Answers what the seller asks, after `round` counter-offers.
    async fn bargain(
        &mut self,
        talk: AnyId,
        round: u32,
        offer: &str,
        asked: Amount,
    ) -> Result<(), DayError> {
        let Some(chosen) = self.chosen.clone() else {
            return Err(DayError::defect("bargaining without a seller"));
        };
        let (seller, start) = (chosen.proposal.seller.clone(), chosen.proposal.price);
        if round > 0 {
            self.events.push(BuyerEvent::Offered {
                seller: seller.clone(),
                price: asked,
            });
        }
        match strategy::buyer_move(self.customer.worth(), start, asked, round + 1) {
            BuyerMove::Accept => self.accept(talk, offer, &seller, asked).await,
            BuyerMove::Leave => {
                self.leave("even the best costs more than it is worth")
                    .await
            }
            BuyerMove::Counter(price) => {
                let terms =
                    words::terms(&chosen.proposal.items, &chosen.proposal.attributes, price)?;
                let args = json!({ "negotiation": talk, "terms": terms, "valid_for_ms": words::VALID_FOR_MS });
                self.command("negotiation.counter", args, talk).await?;
                self.addressed = vec![seller.clone()];
                self.stage = BuyerStage::Countered {
                    talk,
                    round: round + 1,
                };
                self.events.push(BuyerEvent::Countered { seller, price });
                Ok(())
            }
        }
    }

    async fn accept(
        &mut self,
        talk: AnyId,
        offer: &str,
        seller: &str,
        price: Amount,
    ) -> Result<(), DayError> {
        let args = json!({ "negotiation": talk, "offer": offer });
        let made = self.command("negotiation.accept", args, talk).await?;
        self.agreed((made.id("deal")?, made.id("task")?), seller, price, offer);
        self.addressed = vec![seller.to_owned()];
        Ok(())
    }

    fn agreed(&mut self, (deal, task): (AnyId, AnyId), seller: &str, price: Amount, offer: &str) {
        self.deal = Some(deal);
        self.outcome.deal = Some((seller.to_owned(), price));
        self.stage = BuyerStage::Bought { deal, task };
        let (seller, offer) = (seller.to_owned(), offer.to_owned());
        self.events.push(BuyerEvent::Agreed {
            seller,
            price,
            deal,
            offer,
        });
    }

    async fn await_answer(&mut self, talk: AnyId, round: u32) -> Result<(), DayError> {
        let page = self.client.inbox().await?;
        for news in page.iter().filter(|news| is(news, "negotiation", talk)) {
            match news.kind.as_str() {
                "offer_made" => {
                    let made = news.fact.get("offer").unwrap_or(&Value::Null);
                    let asked = words::amount(made.pointer("/bargain/price"))?;
                    self.stage = BuyerStage::Answered {
                        talk,
                        round,
                        offer: text_in(made, "hash")?.to_owned(),
                        asked,
                    };
                }
                "deal_agreed" => {
                    let price = words::amount(news.fact.pointer("/bargain/price"))?;
                    let seller = self
                        .chosen
                        .as_ref()
                        .map(|c| c.proposal.seller.clone())
                        .unwrap_or_default();
                    let offer = text_in(&news.fact, "offer")?.to_owned();
                    let made = (id_in(&news.fact, "deal")?, id_in(&news.fact, "task")?);
                    self.agreed(made, &seller, price, &offer);
                    // A seller that accepts may deliver at once.
                    return self.take_delivery(made, &page).await;
                }
                "negotiation_ended" => {
                    self.stage = BuyerStage::Leaving {
                        why: "the seller left",
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn await_delivery(&mut self, deal: AnyId, task: AnyId) -> Result<(), DayError> {
        let page = self.client.inbox().await?;
        self.take_delivery((deal, task), &page).await
    }

    /// Looks at the delivery, if the inbox reports one.
    async fn take_delivery(
        &mut self,
        (deal, task): (AnyId, AnyId),
        news: &[Delivered],
    ) -> Result<(), DayError> {
        let delivered = news
            .iter()
            .find(|d| d.kind == "deal_delivered" && is(d, "deal", deal));
        let Some(delivered) = delivered else {
            return Ok(());
        };
        // What was delivered is an artifact of the deal's task.
        let path = format!("/api/tasks/{task}?min_position={}", delivered.position);
        let view = self.client.get(&path).await?;
        let (items, attributes) = words::read_delivery(view.pointer("/artifacts/0/body/body"));
        let complete = complete(&strategy::wants(&self.customer), &items, &attributes);
        self.stage = BuyerStage::Delivered { deal, complete };
        Ok(())
    }

    /// Pays for what is complete and disputes what is not; then reports back to whoever set the goal.
    async fn review(&mut self, deal: AnyId, complete: bool) -> Result<(), DayError> {
        self.events.push(BuyerEvent::Checked { complete });
        if complete {
            self.command("deal.accept", json!({ "deal": deal }), deal)
                .await?;
            self.end_goal("completed", "bought and paid", deal).await
        } else {
            let args = json!({ "deal": deal, "reason": "the delivery lacks what was agreed" });
            self.command("deal.dispute", args, deal).await?;
            self.outcome.deal = None;
            self.end_goal(
                "failed",
                "the delivery lacked what was agreed; disputed",
                deal,
            )
            .await
        }
    }

    /// Whether it would have taken a first proposal that is not one of the cheapest complete ones.
    pub(crate) fn preferred_dearer(&self) -> bool {
        self.dearer
    }

    async fn leave(&mut self, why: &'static str) -> Result<(), DayError> {
        match self.stage.clone() {
            BuyerStage::Asked { call, .. } | BuyerStage::Opened { call, .. } => {
                self.command("call.cancel", json!({ "call": call }), call)
                    .await?;
            }
            BuyerStage::Countered { talk, .. } | BuyerStage::Answered { talk, .. } => {
                self.command("negotiation.leave", json!({ "negotiation": talk }), talk)
                    .await?;
            }
            _ => {}
        }
        self.events.push(BuyerEvent::Left { why });
        let goal = self.goal;
        self.end_goal("failed", why, goal).await
    }

    async fn end_goal(&mut self, state: &str, note: &str, cause: AnyId) -> Result<(), DayError> {
        let args = json!({ "task": self.goal, "state": state, "note": note });
        self.command("task.update", args, cause).await?;
        self.stage = BuyerStage::Done;
        Ok(())
    }
}

/// The answer to a command, from which ids can be read.
struct AnyIds(rialto_wire::native::Accepted);

impl AnyIds {
    fn id(&self, kind: &str) -> Result<AnyId, DayError> {
        new_id(&self.0, kind)
    }
}

fn is(delivered: &Delivered, field: &str, id: AnyId) -> bool {
    delivered
        .fact
        .get(field)
        .and_then(Value::as_str)
        .is_some_and(|text| text == id.to_string())
}

/// Whether a delivery has everything that was wanted.
fn complete(wants: &strategy::Wants, items: &[Name], attributes: &[Name]) -> bool {
    has_all(items, &wants.items) && has_all(attributes, &wants.attributes)
}

/// A query as the API takes it. The customer itself checks what does not fit into the query.
fn search_body(query: &SearchQuery, market: Option<&str>) -> Value {
    let names = |names: &[Name]| {
        names
            .iter()
            .take(MAX_TERMS)
            .map(|n| n.text().to_owned())
            .collect::<Vec<_>>()
    };
    json!({
        "items": names(&query.wants.items),
        "attributes": names(&query.wants.attributes),
        "tags": market.into_iter().collect::<Vec<_>>(),
        "match": match query.matching { Match::All => "all", Match::Any => "any" },
        "sort": match query.sort { Sort::Price => "price", Sort::Relevance => "relevance" },
        "text": query.text,
        "limit": query.limit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_that_lacks_something_is_not_complete() {
        let names = |all: &[&str]| all.iter().map(|n| Name::from(*n)).collect::<Vec<_>>();
        let wants = strategy::Wants {
            items: names(&["Eel", "Pie"]),
            attributes: names(&["Dock"]),
        };
        for (items, attributes, whole) in [
            (vec!["Eel", "Pie"], vec!["Dock"], true),
            (vec!["pie", "EEL", "Tea"], vec!["dock", "Bar"], true),
            (vec!["Eel"], vec!["Dock"], false),
            (vec!["Eel", "Pies"], vec!["Dock"], false),
            (vec!["Eel", "Pie"], vec![], false),
        ] {
            assert_eq!(
                complete(&wants, &names(&items), &names(&attributes)),
                whole,
                "{items:?} {attributes:?}"
            );
        }
    }
}
