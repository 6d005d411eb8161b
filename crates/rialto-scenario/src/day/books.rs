//! What really happened in the realm: reads deals and balances back through the API as the operator, and
//! compares them with each other and with what the customers believe.

use std::collections::BTreeMap;

use serde_json::Value;

use super::buyer::Buyer;
use super::setup::Participants;
use super::venue::Venue;
use super::words::ASSET;
use crate::error::DayError;
use crate::money;
use rialto_client::Client;
use rialto_core::amount::Amount;

/// Rows asked for at once, the most that the API gives.
const PAGE: u32 = 100;

/// A settled deal of one of the day's customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The customer's place in the participants.
    pub(crate) buyer: usize,
    /// The seller's handle.
    pub(crate) seller: String,
    /// What the seller was paid.
    pub(crate) paid: Amount,
}

/// The day as the realm recorded it.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    /// Settled deals.
    pub(crate) settled: Vec<Settled>,
    /// How many deals ended in another way or are open, by state.
    pub(crate) others: BTreeMap<String, usize>,
    /// What sellers were paid, together.
    pub(crate) money_moved: Amount,
    /// The sum over all accounts, by asset: zero.
    pub(crate) trial_balance: BTreeMap<String, String>,
    /// The digest of the realm's state.
    pub(crate) digest: String,
    /// The position of that digest.
    pub(crate) position: u64,
}

/// Reads the books and checks them against each other.
pub(crate) async fn read(venue: &Venue, participants: &Participants) -> Result<Books, DayError> {
    let operator = &venue.operator;
    let (digest, position) = digest(operator).await?;
    let mut books = Books {
        settled: Vec::new(),
        others: BTreeMap::new(),
        money_moved: Amount::ZERO,
        trial_balance: trial_balance(operator, position).await?,
        digest,
        position,
    };
    deals(operator, position, participants, &mut books).await?;
    beliefs(&participants.buyers, &books.settled)?;
    balances(operator, position, participants, &books).await?;
    if let Some((asset, sum)) = books
        .trial_balance
        .iter()
        .find(|(_, sum)| money::read(sum) != Some(Amount::ZERO))
    {
        return Err(differ(format!(
            "the trial balance of {asset} is {sum} and not 0"
        )));
    }
    Ok(books)
}

fn differ(what: impl std::fmt::Display) -> DayError {
    DayError::Books(what.to_string())
}

/// The digest of the realm's state, and the position to which it belongs.
pub(crate) async fn digest(operator: &Client) -> Result<(String, u64), DayError> {
    let read = operator.get("/api/digest").await?;
    let position = read.get("position").and_then(Value::as_u64);
    Ok((text(&read, "digest"), position.unwrap_or_default()))
}

pub(crate) async fn trial_balance(
    operator: &Client,
    position: u64,
) -> Result<BTreeMap<String, String>, DayError> {
    let read = operator
        .get(&format!(
            "/api/ledger/trial-balance?min_position={position}"
        ))
        .await?;
    let rows = read
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    Ok(rows
        .map(|row| (text(row, "asset"), text(row, "sum")))
        .collect())
}

fn text(row: &Value, field: &str) -> String {
    row.get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn amount(row: &Value, field: &str) -> Result<Amount, DayError> {
    let written = text(row, field);
    money::read(&written)
        .ok_or_else(|| DayError::foreign(format!("the realm's {field} {written:?} is no amount")))
}

/// Every row of a list.
async fn all(operator: &Client, path: &str, position: u64) -> Result<Vec<Value>, DayError> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = operator
            .get(&format!(
                "{path}?limit={PAGE}&min_position={position}{cursor}"
            ))
            .await?;
        rows.extend(
            page.get("items")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
        );
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={}", rialto_client::quoted(next)),
            None => return Ok(rows),
        }
    }
}

async fn deals(
    operator: &Client,
    position: u64,
    participants: &Participants,
    books: &mut Books,
) -> Result<(), DayError> {
    let places: BTreeMap<&str, usize> = participants
        .buyers
        .iter()
        .enumerate()
        .map(|(place, buyer)| (buyer.handle.as_str(), place))
        .collect();
    for row in all(operator, "/api/deals", position).await? {
        let handle = |side: &str| {
            row.get(side)
                .map(|who| text(who, "handle"))
                .unwrap_or_default()
        };
        let Some(buyer) = places.get(handle("buyer").as_str()).copied() else {
            continue;
        };
        let state = text(&row, "state");
        if state == "settled" {
            let paid = amount(&row, "paid")?;
            books.money_moved.0 += paid.0;
            books.settled.push(Settled {
                buyer,
                seller: handle("seller"),
                paid,
            });
        } else {
            *books.others.entry(state).or_default() += 1;
        }
    }
    books.settled.sort_by_key(|deal| deal.buyer);
    Ok(())
}

/// Checks that what every customer believes it bought is what the realm settled.
fn beliefs(buyers: &[Buyer], settled: &[Settled]) -> Result<(), DayError> {
    for (place, buyer) in buyers.iter().enumerate() {
        let deals: Vec<(String, Amount)> = settled
            .iter()
            .filter(|deal| deal.buyer == place)
            .map(|d| (d.seller.clone(), d.paid))
            .collect();
        let believed: Vec<(String, Amount)> = buyer.outcome.deal.iter().cloned().collect();
        if deals != believed {
            let id = &buyer.customer.id;
            return Err(differ(format!(
                "{id} believes in {believed:?}, the realm settled {deals:?}"
            )));
        }
    }
    Ok(())
}

/// Checks that balances equal what was issued and paid, and that nothing is held for a settled deal.
async fn balances(
    operator: &Client,
    position: u64,
    participants: &Participants,
    books: &Books,
) -> Result<(), DayError> {
    let mut expected: BTreeMap<&str, Amount> = BTreeMap::new();
    for (place, buyer) in participants.buyers.iter().enumerate() {
        let bought = books.settled.iter().filter(|d| d.buyer == place);
        let paid = money::total(bought.map(|d| d.paid));
        let left = Amount(buyer.customer.worth().0 - paid.0);
        expected.insert(&buyer.agent, left);
    }
    for seller in &participants.sellers {
        let sold = books.settled.iter().filter(|d| d.seller == seller.handle);
        expected.insert(&seller.agent, money::total(sold.map(|d| d.paid)));
    }
    if books.others.is_empty() {
        for row in all(operator, "/api/ledger/accounts", position).await? {
            let holder = holder(&row);
            if text(&row, "asset") != ASSET {
                continue;
            }
            let Some(expected) = holder.and_then(|id| expected.remove(id)) else {
                continue;
            };
            let balance = amount(&row, "balance")?;
            if balance != expected {
                let expected = money::dollars(expected);
                return Err(differ(format!("{row} should have a balance of {expected}")));
            }
        }
        if let Some((agent, amount)) = expected
            .into_iter()
            .find(|(_, amount)| *amount != Amount::ZERO)
        {
            let amount = money::dollars(amount);
            return Err(differ(format!(
                "{agent} should have {amount} and has no account"
            )));
        }
    }
    Ok(())
}

/// The agent that holds an account.
fn holder(row: &Value) -> Option<&str> {
    row.get("holder").and_then(Value::as_str)
}
