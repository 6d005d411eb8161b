//! Deals and negotiations.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::Markup;
use rialto_console::kit::{Money, Thing};
use rialto_console::pages::deals::{Course, List, Listed, Offer, STATES, Step, TalkLine};
use rialto_console::pages::{joined, text};
use rialto_console::shell::Place;
use rialto_core::reject::Code;
use rialto_views::{DealView, NegotiationView, OfferRow, OwnerName, Scope};
use serde_json::Value;

use super::overview::deal;
use super::request::{SignedIn, named};
use super::show::{money, principal, who};
use super::terms::terms;
use crate::door::problem::Refusal;

/// `GET /deals`.
pub(super) async fn list(user: SignedIn) -> Result<Response, Refusal> {
    let state = user.param("state").map(str::to_owned);
    if let Some(word) = state.as_deref().filter(|word| !STATES.contains(word)) {
        let detail = format!("no state {word}: {}", STATES.join(", "));
        return Err(Refusal::new(Code::Malformed, detail));
    }
    let (scope, paging, wanted) = (user.scope().await?, user.paging(30), state.clone());
    let read = user.view(move |v| v.deals_in(scope, wanted.as_deref(), &paging));
    let found = read.await?;
    let rows = found.items.iter().map(|row| deal(&user, row)).collect();
    show(&user, Listed::Deals(rows, state), found.next_cursor).await
}

/// `GET /negotiations`.
pub(super) async fn talks(user: SignedIn) -> Result<Response, Refusal> {
    let (scope, paging) = (user.scope().await?, user.paging(30));
    let found = user.view(move |v| v.negotiations(scope, &paging)).await?;
    let rows = found.items.iter().map(|row| TalkLine {
        id: row.id.into(),
        buyer: who(&row.buyer),
        seller: who(&row.seller),
        state: row.state.clone(),
        offers: row.offers,
        deal: row.deal.map(Into::into),
        since: user.when(row.since),
    });
    let listed = Listed::Talks(rows.collect());
    show(&user, listed, found.next_cursor).await
}

async fn show(user: &SignedIn, listed: Listed, next: Option<String>) -> Result<Response, Refusal> {
    let list = List {
        address: user.request.address.clone(),
        listed,
        next: user.next(next.as_deref()),
        first: user.param("cursor").is_none(),
    };
    user.page("Deals", Place::Deals, &list.page()).await
}

/// `GET /deals/{id}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let (id, scope) = (named(&name)?, user.scope().await?);
    let read = user.view(move |v| {
        let Some(deal) = v.deal(scope, id)? else {
            return Ok(None);
        };
        let talk = v.negotiation(scope, deal.deal.negotiation)?;
        Ok(Some((deal, talk)))
    });
    let (view, talk) = read.await?.ok_or(Code::NotFound)?;
    let page = course(&user, &view, talk.as_ref());
    let title = format!("Deal {id}");
    user.page(&title, Place::Deals, &page.page()).await
}

/// `GET /negotiations/{id}`.
pub(super) async fn talk(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let (id, scope): (_, Scope) = (named(&name)?, user.scope().await?);
    let found = user.view(move |v| v.negotiation(scope, id)).await?;
    let view = found.ok_or(Code::NotFound)?;
    let row = &view.negotiation;
    // Only the latest offer can be accepted.
    let last = view.offers.last().filter(|_| row.state == "agreed");
    let taken = last.map(|offer| offer.hash.to_string());
    let mut facts = vec![("Opened", maud_of(user.when(row.created)))];
    if let Some(call) = row.call {
        facts.push(("Answers", maud_of(Thing(call.into()))));
    }
    if let Some(listing) = row.listing {
        facts.push(("About", maud_of(Thing(listing.into()))));
    }
    if let Some(deal) = row.deal {
        facts.push(("Became", maud_of(Thing(deal.into()))));
    }
    let page = Course {
        address: user.request.address.clone(),
        id: row.id.into(),
        buyer: who(&row.buyer),
        seller: who(&row.seller),
        state: row.state.clone(),
        price: None,
        facts,
        offers: offers(&user, &view, taken.as_deref()),
        steps: Vec::new(),
        dispute: None,
        ruling: None,
    };
    let title = format!("Negotiation {id}");
    user.page(&title, Place::Deals, &page.page()).await
}

/// Who rules in a dispute, and who owns it.
fn arbiter(agent: Option<&rialto_views::Who>, owner: Option<&OwnerName>) -> Markup {
    let Some(agent) = agent else {
        return text("the operator");
    };
    let mut parts = vec![maud_of(who(agent))];
    parts.extend(owner.map(|owner| text(&format!("of {}", owner.name))));
    joined(&parts)
}

/// A small part as markup.
pub(super) fn maud_of(part: impl rialto_console::Render) -> rialto_console::Markup {
    part.render()
}

fn course(user: &SignedIn, view: &DealView, talk: Option<&NegotiationView>) -> Course {
    let row = &view.deal;
    let mut facts = vec![
        ("Hold", maud_of(Thing(row.hold.into()))),
        ("Task", maud_of(Thing(row.task.into()))),
        ("Negotiation", maud_of(Thing(row.negotiation.into()))),
    ];
    facts.push((
        "Arbiter",
        arbiter(view.arbiter.as_ref(), view.arbiter_owner.as_ref()),
    ));
    for (label, amount) in [("Seller got", &row.paid), ("Buyer got back", &row.returned)] {
        if let Some(amount) = amount {
            facts.push((label, maud_of(money(amount, &row.asset))));
        }
    }
    if let (Some(note), Some(by)) = (&view.note, &view.note_by) {
        let said = user.written(note).by(&by.handle);
        facts.push(("Accepted because", maud_of(said)));
    }
    if let Some(end) = &row.end {
        facts.push(("Ended because", text(&end.replace('_', " "))));
    }
    let hash = view.offer.to_string();
    let offered = match talk {
        Some(talk) => offers(user, talk, Some(&hash)),
        None => view
            .accepted
            .iter()
            .map(|offer| bubble(user, offer, view.deal.seller.id, Some(&hash)))
            .collect(),
    };
    Course {
        address: user.request.address.clone(),
        id: row.id.into(),
        buyer: who(&row.buyer),
        seller: who(&row.seller),
        state: row.state.clone(),
        price: Some(money(&row.price, &row.asset)),
        facts,
        offers: offered,
        steps: steps(user, view),
        dispute: view.dispute.as_ref().map(|said| user.written(said)),
        ruling: view.ruling.as_ref().map(|said| user.written(said)),
    }
}

fn steps(user: &SignedIn, view: &DealView) -> Vec<Step> {
    use rialto_console::kit::state;
    let row = &view.deal;
    let mut steps = Vec::new();
    for step in &view.timeline {
        let (tone, says) = match step.state.as_str() {
            "agreed" => ("good", "accepted the offer; its price was held"),
            "delivered" => ("busy", "delivered"),
            "disputed" => ("bad", "disputed the delivery"),
            "settled" => ("good", "settled: the seller was paid"),
            "split" => ("busy", "ruled: each got a part"),
            "refunded" => ("bad", "refunded the buyer in full"),
            "expired" => (
                "bad",
                "not delivered in time: the buyer was refunded in full",
            ),
            _ => ("plain", ""),
        };
        let by = agent_of(view, step.by);
        let mut parts = vec![maud_of(by), text(says)];
        match step.state.as_str() {
            "agreed" => parts.push(maud_of(money(&row.price, &row.asset))),
            "settled" | "split" => {
                parts.extend(row.paid.iter().map(|paid| maud_of(money(paid, &row.asset))));
            }
            _ => {}
        }
        parts.push(state(&step.state));
        steps.push(Step {
            at: user.when(step.at),
            what: joined(&parts),
            tone,
            position: Some(step.position),
        });
    }
    steps
}

/// Who took a step: a party by its handle.
fn agent_of(view: &DealView, by: rialto_core::identity::Principal) -> rialto_console::kit::Who {
    use rialto_core::identity::Principal;
    let parties = [
        Some(&view.deal.buyer),
        Some(&view.deal.seller),
        view.arbiter.as_ref(),
    ];
    let known = parties
        .into_iter()
        .flatten()
        .find(|party| by == Principal::Agent(party.id));
    known.map_or_else(|| principal(by), who)
}

fn offers(user: &SignedIn, talk: &NegotiationView, taken: Option<&str>) -> Vec<Offer> {
    let seller = talk.negotiation.seller.id;
    talk.offers
        .iter()
        .map(|offer| bubble(user, offer, seller, taken))
        .collect()
}

fn bubble(
    user: &SignedIn,
    row: &OfferRow,
    seller: rialto_core::id::AgentId,
    taken: Option<&str>,
) -> Offer {
    let hash = row.hash.to_string();
    let none = &Value::Null;
    let arbiter = arbiter(row.arbiter.as_ref(), row.arbiter_owner.as_ref());
    Offer {
        number: row.number,
        by: who(&row.by),
        sellers: row.by.id == seller,
        price: Money::new(row.price.clone(), row.asset.clone()),
        lines: lines(row.terms.get("lines")),
        terms: terms(
            row.terms.get("issues").unwrap_or(none),
            row.terms.get("bargain").unwrap_or(none),
            &arbiter,
        ),
        note: row
            .note
            .as_ref()
            .map(|said| user.written(said).by(&row.by.handle)),
        taken: taken == Some(hash.as_str()),
        hash,
        signed: row.signed,
        funded: row.funded,
        arbiter,
        at: user.when(row.at),
        expires: user.when(row.expires),
        position: row.position,
    }
}

/// Items with their number, where it is not one.
pub(super) fn lines(list: Option<&Value>) -> Vec<String> {
    let items = list
        .and_then(Value::as_array)
        .map_or(&[] as &[Value], Vec::as_slice);
    let line = |line: &Value| {
        let item = line.get("item")?.as_str()?;
        let number = line.get("quantity").and_then(Value::as_u64).unwrap_or(1);
        Some(match number {
            1 => item.to_owned(),
            more => format!("{more} × {item}"),
        })
    };
    items.iter().filter_map(line).collect()
}
