//! What comes before a day: owners, agents with their tokens, money, goals.

use rialto_core::id::AnyId;
use rialto_wire::native::{Accepted, BatchItem};
use serde_json::{Value, json};

use super::buyer::{Buyer, Errand, Prices};
use super::realm::Realm;
use super::seat::{Seat, all_accepted, new_id, said_of};
use super::seller::Seller;
use super::words;
use crate::output::CliError;
use crate::scenario::money::Usd;
use crate::scenario::{Scenario, fit, strategy};
use rialto_client::Client;

/// Commands sent in one request while the stage is set.
const BATCH: usize = 2_000;

/// Everybody who comes to market.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) buyers: Vec<Buyer>,
    pub(crate) sellers: Vec<Seller>,
    /// What customers were given, together.
    pub(crate) issued: Usd,
}

/// An owner with the token of its admin.
struct Owner {
    id: AnyId,
    admin: Client,
}

/// Registers everybody, hands out money and sets every customer its goal.
pub(crate) async fn set(
    realm: &Realm,
    scenario: &Scenario,
    prices: Prices,
    seed: u64,
) -> Result<Cast, CliError> {
    let end = mark(realm).await?;
    let market = (!end.is_empty()).then(|| format!("market-day{end}"));
    lift_limits(&realm.operator).await?;
    let customers = scenario.customers.iter().map(|c| c.id.as_str());
    let businesses = scenario.businesses.iter().map(|b| b.id.as_str());
    let mut handles = fit::handles(customers.chain(businesses), &end);
    let seller_handles = handles.split_off(scenario.customers.len());
    let shoppers = owner(realm, &format!("customers{end}")).await?;
    let traders = owner(realm, &format!("businesses{end}")).await?;
    let names = scenario.customers.iter().map(|c| c.name.as_str());
    let buyers = register(&shoppers, &handles, names).await?;
    let names = scenario.businesses.iter().map(|b| b.name.as_str());
    let sellers = register(&traders, &seller_handles, names).await?;
    let issued = issue(realm, scenario, &handles).await?;
    let goals = goals(&shoppers, scenario, &handles).await?;
    let sellers = scenario.businesses.iter().zip(seller_handles).zip(sellers);
    let sellers = sellers.map(|((business, handle), (agent, seat))| {
        let names = (format!("@{handle}"), agent);
        Seller::new(business.clone(), names, seat, market.clone())
    });
    let errands = goals
        .into_iter()
        .zip(0_u64..)
        .map(|((goal, seen), place)| Errand {
            goal,
            seen,
            prices,
            lot: strategy::lot(seed, place),
            market: market.clone(),
        });
    let buyers = scenario.customers.iter().zip(handles).zip(buyers);
    let buyers = buyers
        .zip(errands)
        .map(|(((customer, handle), (agent, seat)), errand)| {
            Buyer::new(
                customer.clone(),
                (format!("@{handle}"), agent),
                seat,
                errand,
            )
        });
    Ok(Cast {
        buyers: buyers.collect(),
        sellers: sellers.collect(),
        issued,
    })
}

/// What handles and owners end with, so that a server can see many days.
async fn mark(realm: &Realm) -> Result<String, CliError> {
    if realm.fresh {
        return Ok(String::new());
    }
    let read = realm.operator.get("/api/realm").await?;
    let position = read.get("position").and_then(Value::as_u64);
    let position = position.ok_or_else(|| {
        CliError::failed("the server does not say at which position its realm is")
    })?;
    Ok(format!("-r{position}"))
}

/// A market day is a rush: everybody comes at once.
pub(crate) async fn lift_limits(operator: &Client) -> Result<(), CliError> {
    let settings = json!({
        "sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0,
        "offers_per_minute": 0, "agents_per_owner": 0,
    });
    operator.command("policy.set_settings", settings).await?;
    Ok(())
}

async fn owner(realm: &Realm, name: &str) -> Result<Owner, CliError> {
    let args = json!({ "name": name, "kind": "organisation" });
    let accepted = realm.operator.command("owner.sign_up", args).await?;
    let (id, admin) = (
        new_id(&accepted, "owner")?,
        with_token(&realm.operator, &accepted)?,
    );
    Ok(Owner { id, admin })
}

/// The client of the token that a command issued.
pub(crate) fn with_token(client: &Client, accepted: &Accepted) -> Result<Client, CliError> {
    let token = accepted
        .token
        .as_ref()
        .ok_or_else(|| CliError::bug("the door issued no token"))?;
    Ok(client.with_token(&token.secret)?)
}

/// Sends commands in large batches; all must be accepted.
pub(crate) async fn send(
    client: &Client,
    op: &str,
    args: Vec<Value>,
) -> Result<Vec<Accepted>, CliError> {
    let mut accepted = Vec::with_capacity(args.len());
    let mut args = args.into_iter().peekable();
    while args.peek().is_some() {
        let items = args.by_ref().take(BATCH).map(|args| BatchItem {
            op: op.to_owned(),
            args,
            acting: None,
            key: None,
            cause: None,
        });
        let outcomes = client.batch(items.collect()).await?;
        accepted.extend(all_accepted(outcomes).map_err(|why| said_of(op, why))?);
    }
    Ok(accepted)
}

async fn register(
    owner: &Owner,
    handles: &[String],
    names: impl Iterator<Item = &str>,
) -> Result<Vec<(String, Seat)>, CliError> {
    let args = handles.iter().zip(names).map(|(handle, name)| {
        json!({ "owner": owner.id, "handle": handle, "profile": { "description": name } })
    });
    let mut registered = Vec::with_capacity(handles.len());
    for accepted in send(&owner.admin, "agent.register", args.collect()).await? {
        let seat = Seat::new(with_token(&owner.admin, &accepted)?);
        registered.push((new_id(&accepted, "agent")?.to_string(), seat));
    }
    Ok(registered)
}

/// Every customer gets what the things it wants are worth to it, and not a cent more.
async fn issue(realm: &Realm, scenario: &Scenario, handles: &[String]) -> Result<Usd, CliError> {
    let budgets = scenario.customers.iter().map(|customer| customer.worth());
    let given: Vec<(Usd, &String)> = budgets
        .zip(handles)
        .filter(|(budget, _)| *budget > Usd::ZERO)
        .collect();
    let args = given.iter().map(|(budget, handle)| {
        json!({ "to": format!("@{handle}"), "amount": words::decimal(*budget), "asset": words::ASSET })
    });
    send(&realm.operator, "ledger.issue", args.collect()).await?;
    Ok(given.iter().map(|(budget, _)| *budget).sum())
}

/// The person behind the customers tells each what to get. Returns the goals with their positions.
async fn goals(
    owner: &Owner,
    scenario: &Scenario,
    handles: &[String],
) -> Result<Vec<(AnyId, u64)>, CliError> {
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
