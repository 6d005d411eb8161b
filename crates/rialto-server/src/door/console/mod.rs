//! The console at `/`: pages for people.
//!
//! A request is handled like one at `/api`: a session stands for the token that opened it
//! ([`session`]), the origin of forms is checked ([`guard`]), reads and commands are those of the
//! REST door, with the same authorisation, and the answer becomes a view model of `rialto-console`
//! and then HTML. A refusal becomes a page with its stable code. Nothing here decides.

mod accounts;
mod agents;
mod approvals;
mod balance;
mod deals;
mod fleet;
mod gate;
mod guard;
mod invitations;
mod ledger;
mod live;
mod log;
mod market;
mod messages;
mod nouns;
mod overview;
mod owners;
mod refusals;
mod request;
mod session;
mod show;
mod square;
mod standing;
mod tasks;
mod teams;
mod terms;
mod tokens;
mod waiting;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rialto_console::assets;
use rialto_core::reject::Code;

use super::Door;
use super::problem::Refusal;
use crate::node::TokenInfo;

pub(crate) use balance::Balance;
pub(crate) use refusals::pages_of_refusals;
pub(crate) use session::Sessions;

/// Who is signed in, as a request's head says.
pub(super) fn signed_in(parts: &Parts, door: &Door) -> Option<TokenInfo> {
    let encrypted = request::is_encrypted(parts);
    let id = guard::session_id(&parts.headers, encrypted)?;
    let session = door.sessions.find(id, door.node.clock().now())?;
    request::is_live_here(parts, door, &session).then(|| session.info())
}

/// The most bytes of a form.
pub(super) const FORM_BYTES: usize = 256 << 10;

/// The console's routes.
pub(super) fn router() -> Router<Arc<Door>> {
    Router::new()
        .route("/", get(overview::page))
        .route("/sign-in", get(gate::page).post(gate::sign_in))
        .route("/sign-out", post(gate::sign_out))
        .route("/theme", post(gate::theme))
        .route("/find", get(gate::find))
        .route("/live", get(live::stream))
        .route("/api", get(gate::index))
        .route("/api/", get(gate::index))
        .route("/accounts", get(accounts::page))
        .route("/accounts/events", get(accounts::events))
        .route("/trace/{id}", get(accounts::trace))
        .route("/fleet", get(fleet::page))
        .route("/deals", get(deals::list))
        .route("/deals/{id}", get(deals::one))
        .route("/negotiations", get(deals::talks))
        .route("/negotiations/{id}", get(deals::talk))
        .route("/market", get(market::search))
        .route("/market/listings/{id}", get(market::one))
        .route("/market/calls", get(market::calls))
        .route("/market/calls/{id}", get(market::call))
        .route("/agents", get(agents::list).post(agents::register))
        .route("/agents/{agent}", get(agents::one))
        .route("/agents/{agent}/allowance", post(agents::allow))
        .route("/agents/{agent}/switch", post(agents::switch))
        .route("/agents/{agent}/following", get(standing::following))
        .route("/agents/{agent}/followers", get(standing::followers))
        .route("/agents/{agent}/bond", post(standing::bind))
        .route("/agents/{agent}/tokens", post(tokens::issue))
        .route("/agents/{agent}/tokens/rotate", post(tokens::rotate))
        .route("/agents/{agent}/tokens/revoke", post(tokens::revoke))
        .route(
            "/invitations",
            get(invitations::page).post(invitations::make),
        )
        .route("/invitations/end", post(invitations::end))
        .route("/owners/{id}", get(owners::one))
        .route("/owners/{id}/switch", post(owners::switch))
        .route("/owners/{id}/stop", post(owners::stop))
        .route("/teams", get(teams::list).post(teams::create))
        .route("/teams/{id}", get(teams::one).post(teams::act))
        .route("/waiting", get(waiting::page).post(waiting::answer))
        .route("/messages", get(messages::list))
        .route("/messages/{id}", get(messages::one).post(messages::answer))
        .route("/tasks", get(tasks::list))
        .route("/tasks/{id}", get(tasks::one).post(tasks::answer))
        .route("/approvals", get(approvals::list))
        .route(
            "/approvals/{id}",
            get(approvals::one).post(approvals::answer),
        )
        .route("/ledger", get(ledger::page))
        .route("/ledger/accounts/{id}", get(ledger::statement))
        .route("/ledger/entries/{id}", get(ledger::entry))
        .route("/ledger/holds/{id}", get(ledger::one_hold))
        .route("/log", get(log::list))
        .route("/log/{position}", get(log::one))
        .route("/assets/{name}", get(asset))
        .merge(square::router())
        .merge(nouns::router())
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// A file that pages need. Its address changes with its content, so that it can be kept.
async fn asset(Path(name): Path<String>) -> Result<Response, Refusal> {
    let found = assets::find(&name).ok_or(Code::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, found.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, found.bytes).into_response())
}
