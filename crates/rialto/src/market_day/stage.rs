//! What comes before a day: owners, agents with their tokens, money, goals.

use rialto_core::id::AnyId;
use rialto_wire::native::{Accepted, BatchItem};
use serde_json::{Value, json};

use super::buyer::{Buyer, Prices};
use super::realm::Realm;
use super::seat::{Seat, all_accepted, new_id};
use super::seller::Seller;
use super::words;
use crate::client::Client;
use crate::output::CliError;
use crate::scenario::money::Usd;
use crate::scenario::{Scenario, fit, strategy};

/// Commands sent in one request while the stage is set.
const BATCH: usize = 500;

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
pub(crate) async fn set(realm: &Realm, scenario: &Scenario, prices: Prices, seed: u64) -> Result<Cast, CliError> {
    let end = mark(realm).await?;
    lift_limits(realm).await?;
    let customers = owner(realm, &format!("customers{end}")).await?;
    let businesses = owner(realm, &format!("businesses{end}")).await?;
    let ids = scenario.customers.iter().map(|c| c.id.as_str()).chain(scenario.businesses.iter().map(|b| b.id.as_str()));
    let mut handles = fit::handles(ids, &end);
    let seller_handles = handles.split_off(scenario.customers.len());
    let profile = |text: &str| json!({ "description": text });
    let buyer_profiles = scenario.customers.iter().map(|c| profile(&c.name)).collect();
    let buyers = register(&customers, &handles, buyer_profiles).await?;
    let seller_profiles = scenario.businesses.iter().map(|b| profile(&b.name)).collect();
    let sellers = register(&businesses, &seller_handles, seller_profiles).await?;
    let issued = issue(realm, scenario, &handles).await?;
    let goals = goals(&customers, scenario, &handles).await?;
    let mut cast = Cast { buyers: Vec::new(), sellers: Vec::new(), issued };
    for ((business, handle), account) in scenario.businesses.iter().zip(seller_handles).zip(sellers) {
        let (agent, seat) = account;
        cast.sellers.push(Seller::new(business.clone(), format!("@{handle}"), agent, seat));
    }
    for ((((customer, handle), account), goal), place) in
        scenario.customers.iter().zip(handles).zip(buyers).zip(goals).zip(0_u64..)
    {
        let (agent, seat) = account;
        let who = (customer.clone(), format!("@{handle}"), agent);
        let lot = strategy::lot(seed, place);
        cast.buyers.push(Buyer::new(who, seat, goal.0, (prices, lot), goal.1));
    }
    Ok(cast)
}

/// What handles and owners end with, so that a server can see many days.
async fn mark(realm: &Realm) -> Result<String, CliError> {
    if realm.fresh {
        return Ok(String::new());
    }
    let read = realm.operator.get("/api/realm").await?;
    let position = read.get("position").and_then(Value::as_u64);
    let position = position.ok_or_else(|| CliError::failed("the server does not say at which position its realm is"))?;
    Ok(format!("-r{position}"))
}

/// A market day is a rush: everybody comes at once.
async fn lift_limits(realm: &Realm) -> Result<(), CliError> {
    let settings = json!({
        "sign_up_open": true, "sign_ups_per_hour": 0, "messages_per_minute": 0,
        "offers_per_minute": 0, "agents_per_owner": 0,
    });
    realm.operator.command("policy.set_settings", settings).await.map(|_| ())
}

async fn owner(realm: &Realm, name: &str) -> Result<Owner, CliError> {
    let args = json!({ "name": name, "kind": "organisation" });
    let accepted = realm.operator.command("owner.sign_up", args).await?;
    let (id, admin) = (new_id(&accepted, "owner")?, with_token(&realm.operator, &accepted)?);
    Ok(Owner { id, admin })
}

fn with_token(client: &Client, accepted: &Accepted) -> Result<Client, CliError> {
    let token = accepted.token.as_ref().ok_or_else(|| CliError::bug("the door issued no token"))?;
    client.with_token(&token.secret)
}

/// Sends commands in large batches; all must be accepted.
async fn send(client: &Client, op: &str, args: Vec<Value>) -> Result<Vec<Accepted>, CliError> {
    let mut accepted = Vec::with_capacity(args.len());
    for part in args.chunks(BATCH) {
        let items = part.iter().map(|args| BatchItem {
            op: op.to_owned(),
            args: args.clone(),
            acting: None,
            key: None,
            cause: None,
        });
        accepted.extend(all_accepted(client.batch(items.collect()).await?)?);
    }
    Ok(accepted)
}

async fn register(owner: &Owner, handles: &[String], profiles: Vec<Value>) -> Result<Vec<(String, Seat)>, CliError> {
    let each = handles.iter().zip(profiles);
    let args = each.map(|(handle, profile)| json!({ "owner": owner.id, "handle": handle, "profile": profile }));
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
    let given: Vec<(Usd, &String)> = budgets.zip(handles).filter(|(budget, _)| *budget > Usd::ZERO).collect();
    let args = given.iter().map(|(budget, handle)| {
        json!({ "to": format!("@{handle}"), "amount": words::decimal(*budget), "asset": words::ASSET })
    });
    send(&realm.operator, "ledger.issue", args.collect()).await?;
    Ok(given.iter().map(|(budget, _)| *budget).sum())
}

/// The person behind the customers tells each what to get. Returns the goals with their positions.
async fn goals(owner: &Owner, scenario: &Scenario, handles: &[String]) -> Result<Vec<(AnyId, u64)>, CliError> {
    let each = scenario.customers.iter().zip(handles);
    let args = each.map(|(customer, handle)| json!({ "worker": format!("@{handle}"), "body": customer.request }));
    let accepted = send(&owner.admin, "task.create", args.collect()).await?;
    accepted.iter().map(|a| Ok((new_id(a, "task")?, a.position))).collect()
}
