//! Prepares a day: owners, agents with their tokens, money, goals.

use rialto_core::id::AnyId;
use serde_json::{Value, json};

use super::agent::AgentClient;
use super::buyer::{Assignment, Buyer, Prices};
use super::seller::Seller;
use super::venue::Venue;
use super::words;
use crate::ask::{lift_limits, new_id, send, with_token};
use crate::error::DayError;
use crate::money;
use crate::{Scenario, fit, strategy};
use rialto_client::Client;
use rialto_core::amount::Amount;

/// All participants of the day.
#[derive(Debug)]
pub(crate) struct Participants {
    pub(crate) buyers: Vec<Buyer>,
    pub(crate) sellers: Vec<Seller>,
    /// What customers were given, together.
    pub(crate) issued: Amount,
}

/// An owner with the token of its admin.
struct Owner {
    id: AnyId,
    admin: Client,
}

/// Registers everybody, hands out money and sets every customer its goal.
pub(crate) async fn prepare(
    venue: &Venue,
    scenario: &Scenario,
    prices: Prices,
    seed: u64,
) -> Result<Participants, DayError> {
    let end = mark(venue).await?;
    let market = (!end.is_empty()).then(|| format!("market-day{end}"));
    lift_limits(&venue.operator).await?;
    let customers = scenario.customers.iter().map(|c| c.id.as_str());
    let businesses = scenario.businesses.iter().map(|b| b.id.as_str());
    let mut handles = fit::handles(customers.chain(businesses), &end);
    let seller_handles = handles.split_off(scenario.customers.len());
    let shoppers = owner(venue, &format!("customers{end}")).await?;
    let traders = owner(venue, &format!("businesses{end}")).await?;
    let names = scenario.customers.iter().map(|c| c.name.as_str());
    let buyers = register(&shoppers, &handles, names).await?;
    let names = scenario.businesses.iter().map(|b| b.name.as_str());
    let sellers = register(&traders, &seller_handles, names).await?;
    let issued = issue(venue, scenario, &handles).await?;
    let goals = goals(&shoppers, scenario, &handles).await?;
    let sellers = scenario.businesses.iter().zip(seller_handles).zip(sellers);
    let sellers = sellers.map(|((business, handle), (agent, client))| {
        let names = (format!("@{handle}"), agent);
        Seller::new(business.clone(), names, client, market.clone())
    });
    let assignment = goals
        .into_iter()
        .zip(0_u64..)
        .map(|((goal, seen), place)| Assignment {
            goal,
            seen,
            prices,
            lot: strategy::lot(seed, place),
            market: market.clone(),
        });
    let buyers = scenario.customers.iter().zip(handles).zip(buyers);
    let buyers =
        buyers
            .zip(assignment)
            .map(|(((customer, handle), (agent, client)), assignment)| {
                Buyer::new(
                    customer.clone(),
                    (format!("@{handle}"), agent),
                    client,
                    assignment,
                )
            });
    Ok(Participants {
        buyers: buyers.collect(),
        sellers: sellers.collect(),
        issued,
    })
}

/// The ending of handles and owners, so that one server can host many days.
async fn mark(venue: &Venue) -> Result<String, DayError> {
    if venue.fresh {
        return Ok(String::new());
    }
    let read = venue.operator.get("/api/realm").await?;
    let position = read.get("position").and_then(Value::as_u64);
    let position = position.ok_or_else(|| {
        DayError::foreign("the server does not say at which position its realm is")
    })?;
    Ok(format!("-r{position}"))
}

async fn owner(venue: &Venue, name: &str) -> Result<Owner, DayError> {
    let args = json!({ "name": name, "kind": "organisation" });
    let accepted = venue.operator.command("owner.sign_up", args).await?;
    let (id, admin) = (
        new_id(&accepted, "owner")?,
        with_token(&venue.operator, &accepted)?,
    );
    Ok(Owner { id, admin })
}

async fn register(
    owner: &Owner,
    handles: &[String],
    names: impl Iterator<Item = &str>,
) -> Result<Vec<(String, AgentClient)>, DayError> {
    let args = handles.iter().zip(names).map(|(handle, name)| {
        json!({ "owner": owner.id, "handle": handle, "profile": { "description": name } })
    });
    let mut registered = Vec::with_capacity(handles.len());
    for accepted in send(&owner.admin, "agent.register", args.collect()).await? {
        let client = AgentClient::new(with_token(&owner.admin, &accepted)?);
        registered.push((new_id(&accepted, "agent")?.to_string(), client));
    }
    Ok(registered)
}

/// Every customer gets what the things it wants are worth to it, and not a cent more.
async fn issue(venue: &Venue, scenario: &Scenario, handles: &[String]) -> Result<Amount, DayError> {
    let budgets = scenario.customers.iter().map(|customer| customer.worth());
    let given: Vec<(Amount, &String)> = budgets
        .zip(handles)
        .filter(|(budget, _)| *budget > Amount::ZERO)
        .collect();
    let args = given.iter().map(|(budget, handle)| {
        json!({ "to": format!("@{handle}"), "amount": money::carried(*budget), "asset": words::ASSET })
    });
    send(&venue.operator, "ledger.issue", args.collect()).await?;
    Ok(money::total(given.iter().map(|(budget, _)| *budget)))
}

/// The person behind the customers tells each what to get. Returns the goals with their positions.
async fn goals(
    owner: &Owner,
    scenario: &Scenario,
    handles: &[String],
) -> Result<Vec<(AnyId, u64)>, DayError> {
    let each = scenario.customers.iter().zip(handles);
    let args = each.map(
        |(customer, handle)| json!({ "worker": format!("@{handle}"), "body": customer.request }),
    );
    let accepted = send(&owner.admin, "task.create", args.collect()).await?;
    accepted
        .iter()
        .map(|a| Ok((new_id(a, "task")?, a.position)))
        .collect()
}
