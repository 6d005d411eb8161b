//! The REST door at `/api`, and what operations need beside it.
//!
//! Every request goes the same way: who asks ([`auth`]), what is asked ([`commands`], [`inbox`],
//! [`reads`]), and what is answered ([`problem`]). The routes stand in one table, from which both
//! the router and the API description ([`openapi`]) are made. Nothing here decides.

mod auth;
mod commands;
mod errors;
mod inbox;
mod openapi;
mod ops;
mod problem;
mod reads;
mod routes;
mod serve;
mod square;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use rialto_views::ViewReader;
use tokio::sync::Semaphore;

use crate::node::Node;

pub use errors::{error_page, error_pages};
pub use openapi::describe;
pub use problem::{Refusal, status_of};
pub use serve::{Listener, ServeError, Tls, serve};

/// The most bytes of a request's body.
pub const BODY_BYTES: usize = 16 << 20;
/// How long a read may wait for a position, or an inbox for a delivery.
pub const WAIT: Duration = Duration::from_secs(30);
/// How many requests read views at the same time; the others wait their turn.
const READS_AT_ONCE: usize = 16;
/// How many inboxes may be streamed at the same time.
pub const STREAMS: usize = 20_000;

/// What the door needs.
pub struct Door {
    pub(crate) node: Arc<Node>,
    pub(crate) views: ViewReader,
    pub(crate) realm: String,
    pub(crate) reads: Semaphore,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) started: Instant,
}

impl Door {
    /// A door in front of a node and its views.
    #[must_use]
    pub fn new(node: Arc<Node>, views: ViewReader, realm: String) -> Arc<Self> {
        Arc::new(Self {
            node,
            views,
            realm,
            reads: Semaphore::new(READS_AT_ONCE),
            streams: Arc::new(Semaphore::new(STREAMS)),
            started: Instant::now(),
        })
    }

    /// The door as a service: for a listener, or to be called in the same process.
    pub fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new();
        for route in routes::routes() {
            router = router.route(route.path, route.handler);
        }
        router
            .fallback(routes::no_such_path)
            .method_not_allowed_fallback(routes::wrong_method)
            .layer(DefaultBodyLimit::max(BODY_BYTES))
            .with_state(self.clone())
    }
}
