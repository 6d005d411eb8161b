//! A market day held through the door: customers and businesses of a scenario as agents with their
//! own tokens, making the requests that a stranger would make.
//!
//! - [`realm`] is where the day is held, [`stage`] brings everybody there;
//! - [`buyer`] and [`seller`] are the two kinds of agents, [`seat`] their place at the door, and
//!   [`words`] what passes through it;
//! - [`books`] reads back from the realm what happened, [`report`] is the day in figures.
//!
//! Nothing here decides for an agent: that is [`crate::scenario::strategy`]. No figure of the
//! report rests on what an agent believes: [`books`] takes it from the realm and compares.

pub(crate) mod books;
pub(crate) mod buyer;
pub(crate) mod realm;
pub(crate) mod report;
pub(crate) mod seat;
pub(crate) mod seller;
pub(crate) mod stage;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Instant;

use buyer::{Buyer, Prices};
use realm::Realm;
use seat::Meter;
use seller::Seller;
use stage::Cast;

use crate::output::CliError;
use crate::scenario::Scenario;
use report::{Actions, DayReport};

/// Rounds after which a day ends whatever is left: a purchase needs about a dozen.
const ROUNDS_MAX: usize = 64;
/// Rounds in which nothing happened before waiting ends.
const QUIET_MAX: usize = 3;

/// How a day is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Whether customers bargain.
    pub(crate) prices: Prices,
    /// Breaks ties, and in a realm of its own everything that is drawn.
    pub(crate) seed: u64,
    /// How many agents of a kind act at the same time. With one, arrival has a fixed order.
    pub(crate) lanes: usize,
}

/// Holds a whole day and measures it.
pub(crate) async fn hold(
    realm: &Realm,
    scenario: &Scenario,
    plan: Plan,
) -> Result<DayReport, CliError> {
    let mut cast = stage::set(realm, scenario, plan.prices, plan.seed).await?;
    let begun = Instant::now();
    open_market(realm, &mut cast, plan.lanes).await?;
    purchases(realm, &mut cast, plan.lanes, &mut |_| Ok(())).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let actions = Actions::of(meter(&mut cast), seconds, plan.lanes);
    if !realm.fresh {
        // Stalls that nobody minds would only disappoint the customers of another day.
        wave(plan.lanes, &mut cast.sellers, SellerStep::Withdraw).await?;
    }
    let books = books::read(realm, &cast).await?;
    report::make(scenario, &cast, &books, actions, plan)
}

/// Every business publishes what it sells.
pub(crate) async fn open_market(
    realm: &Realm,
    cast: &mut Cast,
    lanes: usize,
) -> Result<(), CliError> {
    realm.pass(1).await?;
    wave(lanes, &mut cast.sellers, SellerStep::Publish).await?;
    // Nobody comes before the stalls are up.
    let open_at = cast
        .sellers
        .iter()
        .map(|seller| seller.listed)
        .max()
        .unwrap_or_default();
    for buyer in &mut cast.buyers {
        buyer.seen = buyer.seen.max(open_at);
    }
    Ok(())
}

/// Every customer goes from its goal to its end. `watch` is shown each customer after each step.
pub(crate) async fn purchases(
    realm: &Realm,
    cast: &mut Cast,
    lanes: usize,
    watch: &mut dyn FnMut(&mut Buyer) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let places = cast
        .sellers
        .iter()
        .enumerate()
        .map(|(place, seller)| (seller.handle.clone(), place));
    let places: BTreeMap<String, usize> = places.collect();
    let mut quiet = 0;
    for _ in 0..ROUNDS_MAX {
        if cast.buyers.iter().all(Buyer::is_done) {
            return Ok(());
        }
        realm.pass(1).await?;
        wave(lanes, &mut cast.buyers, BuyerStep::Look).await?;
        wave(lanes, &mut cast.buyers, BuyerStep::Act).await?;
        let mut moved = false;
        for buyer in &mut cast.buyers {
            moved |= !buyer.told.is_empty();
            watch(buyer)?;
            buyer.told.clear();
            for handle in buyer.addressed.drain(..) {
                if let Some(seller) = places
                    .get(&handle)
                    .and_then(|place| cast.sellers.get_mut(*place))
                {
                    seller.called = true;
                }
            }
        }
        wave(lanes, &mut cast.sellers, SellerStep::Attend).await?;
        quiet = if moved { 0 } else { quiet + 1 };
        if quiet >= QUIET_MAX {
            wave(lanes, &mut cast.buyers, BuyerStep::GiveUp).await?;
        }
    }
    Ok(())
}

/// What everybody's requests came to, taken from their seats.
pub(crate) fn meter(cast: &mut Cast) -> Meter {
    let mut meter = Meter::default();
    for buyer in &mut cast.buyers {
        meter.absorb(&mut buyer.seat.meter);
    }
    for seller in &mut cast.sellers {
        meter.absorb(&mut seller.seat.meter);
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

/// Somebody who takes steps at the door.
trait Actor: Send + Sized + 'static {
    type Step: Copy + Send + 'static;

    fn take(&mut self, step: Self::Step) -> impl Future<Output = Result<(), CliError>> + Send;
}

impl Actor for Buyer {
    type Step = BuyerStep;

    async fn take(&mut self, step: BuyerStep) -> Result<(), CliError> {
        match step {
            BuyerStep::Look => self.look().await,
            BuyerStep::Act => self.act().await,
            BuyerStep::GiveUp => self.give_up().await,
        }
    }
}

impl Actor for Seller {
    type Step = SellerStep;

    async fn take(&mut self, step: SellerStep) -> Result<(), CliError> {
        match step {
            SellerStep::Publish => self.publish().await,
            SellerStep::Attend if self.called => self.attend().await,
            SellerStep::Attend => Ok(()),
            SellerStep::Withdraw => self.withdraw().await,
        }
    }
}

/// Lets everybody take a step: in order, or in as many lanes side by side.
async fn wave<A: Actor>(lanes: usize, actors: &mut Vec<A>, step: A::Step) -> Result<(), CliError> {
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
            Ok::<_, CliError>(lane)
        }));
    }
    for task in tasks {
        let lane = task
            .await
            .map_err(|e| CliError::bug(format!("an agent's task ended badly: {e}")))?;
        actors.extend(lane?);
    }
    Ok(())
}
