//! Runs a market day through the API: the customers and businesses of a scenario are agents with their own
//! tokens and make the requests that any outside agent would make.
//!
//! - [`venue`] is the realm where the day takes place, [`setup`] registers everybody there;
//! - [`buyer`] and [`seller`] are the two kinds of agents, [`agent`] their connection to the API, and
//!   [`words`] writes and reads what goes through it;
//! - [`books`] reads back from the realm what happened, [`report`] is the day in figures.
//!
//! Nothing here decides for an agent; `strategy` does. No figure of the report depends on what an agent
//! believes: [`books`] reads the figures from the realm and compares.

mod agent;
pub(crate) mod books;
mod buyer;
pub(crate) mod report;
mod seller;
pub(crate) mod setup;
#[cfg(test)]
mod tests;
mod venue;
mod words;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Instant;

use crate::Scenario;
use crate::error::DayError;

pub(crate) use buyer::{Buyer, BuyerEvent};
pub(crate) use setup::Participants;

pub use buyer::Prices;
pub use report::{Actions, DayReport, DealCounts};
pub use venue::{Venue, restoring_limits};

use agent::Meter;
use seller::Seller;

/// Rounds after which a day ends even if something is left to do: a purchase needs about a dozen.
const ROUNDS_MAX: usize = 64;
/// Rounds without any event after which waiting ends.
const QUIET_MAX: usize = 3;

/// Settings of a day.
#[derive(Clone, Copy, Debug)]
pub struct DayPlan {
    /// Whether customers bargain.
    pub prices: Prices,
    /// Seed: it breaks ties and, in a realm in this process, decides every random draw.
    pub seed: u64,
    /// How many agents of a kind act at the same time. With one (or none), arrival has a fixed order.
    pub lanes: usize,
}

/// A day in progress. Boxed, so that this crate alone holds the code of a day.
pub type Held<'a, T> = Pin<Box<dyn Future<Output = Result<T, DayError>> + Send + 'a>>;

/// Runs a whole day and measures it.
///
/// # Errors
/// When the realm refuses something, or the books differ.
#[must_use]
pub fn hold<'a>(venue: &'a Venue, scenario: &'a Scenario, plan: DayPlan) -> Held<'a, DayReport> {
    Box::pin(async move {
        let mut participants = setup::prepare(venue, scenario, plan.prices, plan.seed).await?;
        let begun = Instant::now();
        open_market(venue, &mut participants, plan.lanes).await?;
        purchases(venue, &mut participants, plan.lanes, &mut |_| Ok(())).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let actions = Actions::of(meter(&mut participants), seconds, plan.lanes);
        if !venue.fresh {
            // Stalls that nobody minds would only disappoint the customers of another day.
            wave(plan.lanes, &mut participants.sellers, SellerStep::Withdraw).await?;
        }
        let books = books::read(venue, &participants).await?;
        Ok(report::make(scenario, &participants, &books, actions, plan))
    })
}

/// Every business publishes what it sells.
pub(crate) async fn open_market(
    venue: &Venue,
    participants: &mut Participants,
    lanes: usize,
) -> Result<(), DayError> {
    venue.pass(1).await?;
    wave(lanes, &mut participants.sellers, SellerStep::Publish).await?;
    // Nobody comes before the stalls are up.
    let open_at = participants
        .sellers
        .iter()
        .map(|seller| seller.listed)
        .max()
        .unwrap_or_default();
    for buyer in &mut participants.buyers {
        buyer.seen = buyer.seen.max(open_at);
    }
    Ok(())
}

/// Every customer goes from its goal to its end. `watch` is shown each customer after each step.
pub(crate) async fn purchases(
    venue: &Venue,
    participants: &mut Participants,
    lanes: usize,
    watch: &mut (dyn FnMut(&mut Buyer) -> Result<(), DayError> + Send),
) -> Result<(), DayError> {
    let places = participants
        .sellers
        .iter()
        .enumerate()
        .map(|(place, seller)| (seller.handle.clone(), place));
    let places: BTreeMap<String, usize> = places.collect();
    let mut quiet = 0;
    for _ in 0..ROUNDS_MAX {
        if participants.buyers.iter().all(Buyer::is_done) {
            return Ok(());
        }
        venue.pass(1).await?;
        wave(lanes, &mut participants.buyers, BuyerStep::Look).await?;
        wave(lanes, &mut participants.buyers, BuyerStep::Act).await?;
        let mut moved = false;
        for buyer in &mut participants.buyers {
            moved |= !buyer.events.is_empty();
            watch(buyer)?;
            buyer.events.clear();
            for handle in buyer.addressed.drain(..) {
                if let Some(seller) = places
                    .get(&handle)
                    .and_then(|place| participants.sellers.get_mut(*place))
                {
                    seller.called = true;
                }
            }
        }
        wave(lanes, &mut participants.sellers, SellerStep::Attend).await?;
        quiet = if moved { 0 } else { quiet + 1 };
        if quiet >= QUIET_MAX {
            wave(lanes, &mut participants.buyers, BuyerStep::GiveUp).await?;
        }
    }
    Ok(())
}

/// The totals of everybody's requests, taken from their connections.
pub(crate) fn meter(participants: &mut Participants) -> Meter {
    let mut meter = Meter::default();
    for buyer in &mut participants.buyers {
        meter.absorb(&mut buyer.client.meter);
    }
    for seller in &mut participants.sellers {
        meter.absorb(&mut seller.client.meter);
    }
    meter
}

#[derive(Clone, Copy, Debug)]
enum BuyerStep {
    Look,
    Act,
    GiveUp,
}

#[derive(Clone, Copy, Debug)]
enum SellerStep {
    Publish,
    Attend,
    Withdraw,
}

/// An agent that takes steps through the API.
trait Actor: Send + Sized + 'static {
    type Step: Copy + Send + 'static;

    fn take(&mut self, step: Self::Step) -> impl Future<Output = Result<(), DayError>> + Send;
}

impl Actor for Buyer {
    type Step = BuyerStep;

    async fn take(&mut self, step: BuyerStep) -> Result<(), DayError> {
        match step {
            BuyerStep::Look => self.look().await,
            BuyerStep::Act => self.act().await,
            BuyerStep::GiveUp => self.give_up().await,
        }
    }
}

impl Actor for Seller {
    type Step = SellerStep;

    async fn take(&mut self, step: SellerStep) -> Result<(), DayError> {
        match step {
            SellerStep::Publish => self.publish().await,
            SellerStep::Attend if self.called => self.attend().await,
            SellerStep::Attend => Ok(()),
            SellerStep::Withdraw => self.withdraw().await,
        }
    }
}

/// Lets everybody take a step: in order, or in this many lanes at the same time.
async fn wave<A: Actor>(lanes: usize, actors: &mut Vec<A>, step: A::Step) -> Result<(), DayError> {
    if lanes <= 1 {
        for actor in actors.iter_mut() {
            actor.take(step).await?;
        }
        return Ok(());
    }
    let share = actors.len().div_ceil(lanes).max(1);
    let mut left = std::mem::take(actors);
    let mut tasks = Vec::with_capacity(lanes);
    while !left.is_empty() {
        let later = left.split_off(share.min(left.len()));
        let mut lane = std::mem::replace(&mut left, later);
        tasks.push(tokio::spawn(async move {
            for actor in &mut lane {
                actor.take(step).await?;
            }
            Ok::<_, DayError>(lane)
        }));
    }
    for task in tasks {
        let lane = task
            .await
            .map_err(|e| DayError::defect(format!("an agent's task ended badly: {e}")))?;
        actors.extend(lane?);
    }
    Ok(())
}
