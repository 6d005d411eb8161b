//! What the shipped scenario does not contain: a deal that goes wrong, a price above what an agent
//! may spend without approval, and posts about both on the square. Four more agents use the same
//! API, each step a request.

use rialto_core::id::AnyId;
use serde_json::{Value, json};

use super::square;
use super::story::{Listener, measured};
use crate::ask::{new_id, with_token};
use crate::error::DayError;
use rialto_client::Client;
use rialto_wire::native::Accepted;

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

/// Carries out a command with a cause.
async fn after(client: &Client, cause: AnyId, op: &str, args: Value) -> Result<Accepted, DayError> {
    Ok(client
        .caused_by(&cause.to_string())?
        .command(op, args)
        .await?)
}

/// The traveller makes the boat an offer; the talk, and the position at which it was opened.
async fn open(
    traveller: &Party,
    boat: &Party,
    goal: AnyId,
    terms: Value,
) -> Result<(AnyId, u64), DayError> {
    let offer = json!({
        "with": boat.handle, "side": "buy", "terms": terms, "valid_for_ms": VALID_FOR_MS, "task": goal,
    });
    let opened = after(&traveller.agent, goal, "negotiation.open", offer).await?;
    Ok((new_id(&opened, "neg")?, opened.position))
}

/// Takes the latest offer of a talk, as it is at a position.
async fn take(by: &Party, talk: AnyId, position: u64) -> Result<Accepted, DayError> {
    let offer = latest_offer(&by.agent, talk, position).await?;
    let args = json!({ "negotiation": talk, "offer": offer });
    after(&by.agent, talk, "negotiation.accept", args).await
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
    after(&boat.agent, deal, "deal.deliver", args).await?;
    Ok(())
}

async fn done(traveller: &Party, goal: AnyId, deal: AnyId, note: &str) -> Result<(), DayError> {
    let args = json!({ "task": goal, "state": "completed", "note": note });
    after(&traveller.agent, deal, "task.update", args).await?;
    Ok(())
}

/// A delivery that is not what was agreed: the buyer disputes it, and the arbiter named in the terms rules.
async fn dispute(
    to: &mut dyn Listener,
    traveller: &Party,
    boat: &Party,
    guild: &Party,
) -> Result<AnyId, DayError> {
    let goal = goal(traveller, "A crossing for two, please.").await?;
    let terms = terms("Crossing for Two", "12", Some(&guild.handle));
    let (talk, opened) = open(traveller, boat, goal, terms).await?;
    let deal = new_id(&take(boat, talk, opened).await?, "deal")?;
    let (buyer, seller, arbiter) = (&traveller.handle, &boat.handle, &guild.handle);
    measured(to, "", format!("{buyer} wants Crossing for Two"))?;
    let held = format!("12.00 with {seller} · held · arbiter {arbiter} · {deal}");
    measured(to, "  deal", held)?;
    deliver(boat, deal, json!(["Crossing for One"])).await?;
    let reason = json!({ "deal": deal, "reason": "there was a seat for one only" });
    after(&traveller.agent, deal, "deal.dispute", reason).await?;
    let said = format!("{buyer}: there was a seat for one only");
    measured(to, "  dispute", said)?;
    let ruling = json!({ "deal": deal, "to_seller": "6", "reason": "half was delivered" });
    after(&guild.agent, deal, "deal.rule", ruling).await?;
    let ruled = format!("{arbiter}: half was delivered · 6.00 to {seller}, 6.00 back to {buyer}");
    measured(to, "  ruling", ruled)?;
    done(traveller, goal, deal, "half a crossing, half the price").await?;
    Ok(deal)
}

/// A price above what the traveller may spend alone; its person approves exactly this offer.
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
    let (talk, countered) = bid_up(to, traveller, boat, goal).await?;
    let deal = approved(to, traveller, talk, countered).await?;
    deliver(boat, deal, json!(["Tour of the Islands"])).await?;
    let accept = json!({ "deal": deal });
    after(&traveller.agent, deal, "deal.accept", accept).await?;
    let paid = "delivered as agreed, accepted, the seller is paid";
    measured(to, "  paid", paid)?;
    done(traveller, goal, deal, "the tour was lovely").await?;
    Ok(deal)
}

/// The traveller offers less than the boat asks. The boat makes the last offer, so that the traveller is
/// the one who accepts and pays. Returns the talk, and the position of that offer.
async fn bid_up(
    to: &mut dyn Listener,
    traveller: &Party,
    boat: &Party,
    goal: AnyId,
) -> Result<(AnyId, u64), DayError> {
    let tour = |price| terms("Tour of the Islands", price, None);
    let (talk, _) = open(traveller, boat, goal, tour("25")).await?;
    let counter = json!({ "negotiation": talk, "terms": tour("36"), "valid_for_ms": VALID_FOR_MS });
    let countered = after(&boat.agent, talk, "negotiation.counter", counter).await?;
    let (buyer, seller) = (&traveller.handle, &boat.handle);
    measured(to, "", format!("{buyer} wants Tour of the Islands"))?;
    let prices = format!("{buyer} offers {seller} 25.00 · {seller} asks 36.00");
    measured(to, "  counter", prices)?;
    Ok((talk, countered.position))
}

/// The traveller accepts the offer; the acceptance waits for its person, who approves it.
async fn approved(
    to: &mut dyn Listener,
    traveller: &Party,
    talk: AnyId,
    position: u64,
) -> Result<AnyId, DayError> {
    let buyer = &traveller.handle;
    let approval = new_id(&take(traveller, talk, position).await?, "appr")?;
    let waits = format!("36.00 is above the 30.00 that {buyer} may spend alone · {approval}");
    measured(to, "  approval", waits)?;
    let answer = json!({ "approval": approval, "approve": true });
    let answered = after(&traveller.admin, approval, "policy.answer_approval", answer);
    let deal = new_id(&answered.await?, "deal")?;
    let yes = format!("its person said yes · 36.00 held · {deal}");
    measured(to, "  approval", yes)?;
    Ok(deal)
}
