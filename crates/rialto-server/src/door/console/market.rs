//! The market: listings by search, calls for proposals.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::pages::market::{Call, CallLine, Calls, Invite, Listing, Search};
use rialto_console::shell::Place;
use rialto_console::written::State;
use rialto_core::market::{Attribute, Value as Issue};
use rialto_core::reject::Code;
use rialto_core::text::Name;
use rialto_views::CallRow;
use rialto_wire::search::{Hit, ListingQuery, ListingView, Match};

use super::deals::lines;
use super::request::{SignedIn, named};
use super::show::{described, money, who};
use crate::door::problem::Refusal;

fn malformed(why: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Malformed, why.to_string())
}

/// `GET /market`.
pub(super) async fn search(user: SignedIn) -> Result<Response, Refusal> {
    let items = user.param("items").unwrap_or_default();
    if items.is_empty() && user.param("text").is_none() {
        return newest(&user).await;
    }
    let wanted: Vec<Name> = items
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(Name::new)
        .collect::<Result<_, _>>()
        .map_err(malformed)?;
    let max_price = user.param("max_price").map(|price| {
        price
            .parse()
            .map_err(|_| malformed("at most: a decimal number"))
    });
    let query = ListingQuery {
        // What is missing is named, so that people see what comes near.
        matching: Match::Any,
        items: wanted,
        max_price: max_price.transpose()?,
        text: user.param("text").map(str::to_owned),
        cursor: user.param("cursor").map(str::to_owned),
        ..ListingQuery::default()
    };
    let found = user.view(move |v| v.search_listings(&query)).await?;
    let page = Search {
        text: user.param("text").unwrap_or_default().to_owned(),
        items: items.to_owned(),
        max_price: user.param("max_price").unwrap_or_default().to_owned(),
        hits: found.hits.iter().map(hit).collect(),
        next: user.next(found.next_cursor.as_deref()),
    };
    user.page("Market", Place::Market, &page.page()).await
}

/// The newest listings, if nothing is searched for.
async fn newest(user: &SignedIn) -> Result<Response, Refusal> {
    let paging = user.paging(30);
    let found = user.view(move |v| v.newest_listings(&paging)).await?;
    let page = Search {
        text: String::new(),
        items: String::new(),
        max_price: String::new(),
        hits: found.items.iter().map(listing).collect(),
        next: user.next(found.next_cursor.as_deref()),
    };
    user.page("Market", Place::Market, &page.page()).await
}

fn hit(hit: &Hit) -> Listing {
    let price = hit.bundle_price.as_ref();
    Listing {
        bundle: price
            .filter(|_| !hit.bundle.is_empty())
            .map(|price| money(&price.text(), &hit.listing.asset)),
        missing: hit.missing_items.iter().map(ToString::to_string).collect(),
        ..listing(&hit.listing)
    }
}

fn listing(view: &ListingView) -> Listing {
    let item = |item: &rialto_core::market::Item| {
        (
            item.name.to_string(),
            money(&item.price.text(), &view.asset),
        )
    };
    let mut attributes: Vec<String> = view.attributes.iter().map(attribute).collect();
    if view.funded_offers_only {
        attributes.push("takes funded offers only".to_owned());
    }
    Listing {
        id: view.id.into(),
        seller: rialto_console::kit::Who::new(view.seller.clone())
            .resembling(view.seller_resembles.as_deref()),
        title: view.title.to_string(),
        description: described(view),
        items: view.items.iter().map(item).collect(),
        attributes,
        tags: view.tags.iter().map(ToString::to_string).collect(),
        bundle: None,
        missing: Vec::new(),
    }
}

fn attribute(attribute: &Attribute) -> String {
    match &attribute.value {
        Issue::Flag(true) => attribute.name.to_string(),
        Issue::Flag(false) => format!("no {}", attribute.name),
        Issue::Number(number) => format!("{}: {number}", attribute.name),
        Issue::Text(text) => format!("{}: {text}", attribute.name),
    }
}

/// `GET /market/listings/{id}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let id = named(&name)?;
    let found = user.view(move |v| v.listing(id)).await?;
    let mut page = listing(&found.ok_or(Code::NotFound)?);
    if let Some(text) = page
        .description
        .as_mut()
        .filter(|t| t.state == State::Withheld)
    {
        text.reveal = Some(user.with_param("quarantined", "show"));
    }
    user.page(&page.title, Place::Market, &page.page()).await
}

/// `GET /market/calls`.
pub(super) async fn calls(user: SignedIn) -> Result<Response, Refusal> {
    let (scope, paging) = (user.scope().await?, user.paging(30));
    let found = user.view(move |v| v.calls(scope, &paging)).await?;
    let page = Calls {
        address: user.request.address.clone(),
        rows: found
            .items
            .iter()
            .map(|row| call_line(&user, row))
            .collect(),
        next: user.next(found.next_cursor.as_deref()),
        first: user.param("cursor").is_none(),
    };
    user.page("Calls", Place::Market, &page.page()).await
}

fn call_line(user: &SignedIn, row: &CallRow) -> CallLine {
    CallLine {
        id: row.id.into(),
        buyer: who(&row.buyer),
        wanted: lines(Some(&row.wanted)),
        state: row.state.clone(),
        deadline: user.when(row.deadline),
        since: user.when(row.since),
    }
}

/// `GET /market/calls/{id}`.
pub(super) async fn call(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let (id, scope) = (named(&name)?, user.scope().await?);
    let found = user.view(move |v| v.call(scope, id)).await?;
    let view = found.ok_or(Code::NotFound)?;
    let invites = view.invites.iter().map(|invite| Invite {
        agent: who(&invite.agent),
        answer: invite.answer.clone(),
        negotiation: invite.negotiation.map(Into::into),
    });
    let page = Call {
        address: user.request.address.clone(),
        line: call_line(&user, &view.call),
        body: view.call.body.as_ref().map(|said| user.written(said)),
        public: view.call.public,
        task: view.call.task.map(Into::into),
        invites: invites.collect(),
    };
    user.page(&format!("Call {id}"), Place::Market, &page.page())
        .await
}
