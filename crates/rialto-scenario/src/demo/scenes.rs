//! What the shipped scenario does not contain: a deal that goes wrong, a price above what an agent
//! may spend without approval, and posts about both on the square. Four more agents use the same
//! API, each step a request.

use rialto_core::id::AnyId;
use serde_json::{Value, json};

use super::square;
use super::story::{Basis, Listener, line};
use crate::ask::{new_id, with_token};
use crate::error::DayError;
use rialto_client::Client;

/// How long an offer can be accepted, in milliseconds.
const VALID_FOR_MS: u64 = 10 * 60 * 1_000;

/// An owner's admin and the agents that it needs here.
pub(super) struct Party {
    admin: Client,
    pub(super) agent: Client,
    pub(super) handle: String,
}

/// Plays the scenes and returns the ids of their deals.
pub(super) async fn play(to: &mut dyn Listener, operator: &Client) -> Result<Vec<AnyId>, DayError> {
    let traveller = party(operator, "visitors", "traveller").await?;
    let boat = party(operator, "late-boat-company", "late-boat").await?;
    let guild = party(operator, "guild", "guild").await?;
    operator
        .command(
            "ledger.issue",
            json!({ "to": traveller.handle, "amount": "60", "asset": "USD" }),
        )
        .await?;
    let listing = json!({ "terms": {
        "title": "Late Boat Company",
        "items": [{"name": "Crossing for Two", "price": "12"}, {"name": "Tour of the Islands", "price": "40"}],
        "asset": "USD",
    }});
    boat.agent.command("listing.publish", listing).await?;
    let disputed = dispute(to, &traveller, &boat, &guild).await?;
    let toured = approval(to, &traveller, &boat).await?;
    let stranger = party(operator, "quick-crossings", "quick-boat").await?;
    square::play(to, [&traveller, &boat, &guild, &stranger], disputed, toured).await?;
    Ok(vec![disputed, toured])
}

async fn party(operator: &Client, owner: &str, handle: &str) -> Result<Party, DayError> {
    let signed = operator
        .command(
            "owner.sign_up",
            json!({ "name": owner, "kind": "organisation" }),
        )
        .await?;
    let admin = with_token(operator, &signed)?;
    let registered = admin
        .command("agent.register", json!({ "handle": handle }))
        .await?;
    let agent = with_token(operator, &registered)?;
    Ok(Party {
        admin,
        agent,
        handle: format!("@{handle}"),
    })
}

/// A goal from the person behind the traveller.
async fn goal(traveller: &Party, text: &str) -> Result<AnyId, DayError> {
    let args = json!({ "worker": traveller.handle, "body": text });
    new_id(&traveller.admin.command("task.create", args).await?, "task")
}

fn terms(item: &str, price: &str, arbiter: Option<&str>) -> Value {
    let mut terms = json!({ "price": price, "asset": "USD", "lines": [{ "item": item }] });
    if let (Some(arbiter), Some(fields)) = (arbiter, terms.as_object_mut()) {
        fields.insert("arbiter".into(), json!({ "agent": arbiter }));
    }
    terms
}

/// The traveller opens with the listed price, and the boat takes it.
async fn strike(
    traveller: &Party,
    boat: &Party,
    goal: AnyId,
    terms: Value,
) -> Result<AnyId, DayError> {
    let args = json!({
        "with": boat.handle, "side": "buy", "terms": terms, "valid_for_ms": VALID_FOR_MS, "task": goal,
    });
    let opened = traveller
        .agent
        .caused_by(&goal.to_string())?
        .command("negotiation.open", args)
        .await?;
    let talk = new_id(&opened, "neg")?;
    let args = json!({ "negotiation": talk, "offer": latest_offer(&boat.agent, talk, opened.position).await? });
    let agreed = boat
        .agent
        .caused_by(&talk.to_string())?
        .command("negotiation.accept", args)
        .await?;
    new_id(&agreed, "deal")
}

async fn latest_offer(client: &Client, talk: AnyId, position: u64) -> Result<Value, DayError> {
    let view = client
        .get(&format!("/api/negotiations/{talk}?min_position={position}"))
        .await?;
    let offers = view.get("offers").and_then(Value::as_array);
    let hash = offers.and_then(|offers| offers.last()?.get("hash").cloned());
    hash.ok_or_else(|| DayError::foreign("the door shows a negotiation without an offer"))
}

async fn deliver(boat: &Party, deal: AnyId, items: Value) -> Result<(), DayError> {
    let args = json!({ "deal": deal, "body": [{ "data": { "items": items } }] });
    boat.agent
        .caused_by(&deal.to_string())?
        .command("deal.deliver", args)
        .await?;
    Ok(())
}

async fn about(client: &Client, op: &str, deal: AnyId, mut args: Value) -> Result<(), DayError> {
    if let Some(fields) = args.as_object_mut() {
        fields.insert("deal".into(), json!(deal));
    }
    client
        .caused_by(&deal.to_string())?
        .command(op, args)
        .await?;
    Ok(())
}

async fn done(traveller: &Party, goal: AnyId, deal: AnyId, note: &str) -> Result<(), DayError> {
    let args = json!({ "task": goal, "state": "completed", "note": note });
    traveller
        .agent
        .caused_by(&deal.to_string())?
        .command("task.update", args)
        .await?;
    Ok(())
}

/// A delivery that is not what was agreed: disputed, and ruled on by the arbiter of the terms.
async fn dispute(
    to: &mut dyn Listener,
    traveller: &Party,
    boat: &Party,
    guild: &Party,
) -> Result<AnyId, DayError> {
    let goal = goal(traveller, "A crossing for two, please.").await?;
    let terms = terms("Crossing for Two", "12", Some(&guild.handle));
    let deal = strike(traveller, boat, goal, terms).await?;
    let (buyer, seller, arbiter) = (&traveller.handle, &boat.handle, &guild.handle);
    line(
        to,
        "",
        format!("{buyer} wants Crossing for Two"),
        Basis::Measured,
    )?;
    line(
        to,
        "  deal",
        format!("12.00 with {seller} · held · arbiter {arbiter} · {deal}"),
        Basis::Measured,
    )?;
    deliver(boat, deal, json!(["Crossing for One"])).await?;
    about(
        &traveller.agent,
        "deal.dispute",
        deal,
        json!({ "reason": "there was a seat for one only" }),
    )
    .await?;
    line(
        to,
        "  dispute",
        format!("{buyer}: there was a seat for one only"),
        Basis::Measured,
    )?;
    let ruling = json!({ "to_seller": "6", "reason": "half was delivered" });
    about(&guild.agent, "deal.rule", deal, ruling).await?;
    line(
        to,
        "  ruling",
        format!("{arbiter}: half was delivered · 6.00 to {seller}, 6.00 back to {buyer}"),
        Basis::Measured,
    )?;
    done(traveller, goal, deal, "half a crossing, half the price").await?;
    Ok(deal)
}

/// A price above what the traveller may spend alone: its person approves exactly this offer.
async fn approval(
    to: &mut dyn Listener,
    traveller: &Party,
    boat: &Party,
) -> Result<AnyId, DayError> {
    let args =
        json!({ "node": { "agent": traveller.handle }, "asset": "USD", "approval_above": "30" });
    traveller
        .admin
        .command("policy.set_allowance", args)
        .await?;
    let goal = goal(traveller, "A tour of the islands; ask me first.").await?;
    // The boat offers, so that the traveller is the one who accepts and pays.
    let ask = json!({
        "with": boat.handle, "side": "buy", "terms": terms("Tour of the Islands", "25", None),
        "valid_for_ms": VALID_FOR_MS, "task": goal,
    });
    let opened = traveller
        .agent
        .caused_by(&goal.to_string())?
        .command("negotiation.open", ask)
        .await?;
    let talk = new_id(&opened, "neg")?;
    let cause = talk.to_string();
    let counter = json!({
        "negotiation": talk, "terms": terms("Tour of the Islands", "36", None), "valid_for_ms": VALID_FOR_MS,
    });
    let countered = boat
        .agent
        .caused_by(&cause)?
        .command("negotiation.counter", counter)
        .await?;
    let (buyer, seller) = (&traveller.handle, &boat.handle);
    line(
        to,
        "",
        format!("{buyer} wants Tour of the Islands"),
        Basis::Measured,
    )?;
    line(
        to,
        "  counter",
        format!("{buyer} offers {seller} 25.00 · {seller} asks 36.00"),
        Basis::Measured,
    )?;
    let offer = latest_offer(&traveller.agent, talk, countered.position).await?;
    let accept = json!({ "negotiation": talk, "offer": offer });
    let parked = traveller
        .agent
        .caused_by(&cause)?
        .command("negotiation.accept", accept)
        .await?;
    let approval = new_id(&parked, "appr")?;
    line(
        to,
        "  approval",
        format!("36.00 is above the 30.00 that {buyer} may spend alone · {approval}"),
        Basis::Measured,
    )?;
    let answer = json!({ "approval": approval, "approve": true });
    let approved = traveller
        .admin
        .caused_by(&approval.to_string())?
        .command("policy.answer_approval", answer)
        .await?;
    let deal = new_id(&approved, "deal")?;
    line(
        to,
        "  approval",
        format!("its person said yes · 36.00 held · {deal}"),
        Basis::Measured,
    )?;
    deliver(boat, deal, json!(["Tour of the Islands"])).await?;
    about(&traveller.agent, "deal.accept", deal, json!({})).await?;
    line(
        to,
        "  paid",
        "delivered as agreed, accepted, the seller is paid",
        Basis::Measured,
    )?;
    done(traveller, goal, deal, "the tour was lovely").await?;
    Ok(deal)
}
