//! The REST door at `/api`, the console for people at `/`, and what operations need beside them.
//!
//! Every request goes the same way: who asks ([`auth`]), what is asked ([`commands`], [`inbox`],
//! [`reads`]), and what is answered ([`problem`]). The routes stand in one table, from which both
//! the router and the API description ([`openapi`]) are made. Nothing here decides.

mod approvals;
mod auth;
mod commands;
mod console;
mod corrections;
mod errors;
mod inbox;
mod leaks;
mod openapi;
mod ops;
mod path;
mod problem;
mod reads;
mod routes;
mod serve;
mod square;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use rialto_core::id::AssetId;
use rialto_views::{Scale, ViewReader};
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
    /// Assets that have been asked for; they never change.
    assets: Mutex<BTreeMap<AssetId, Scale>>,
    pub(crate) sessions: console::Sessions,
    pub(crate) balance: console::Balance,
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
            assets: Mutex::default(),
            sessions: console::Sessions::default(),
            balance: console::Balance::default(),
        })
    }

    /// What is known of an asset. Blocks on the first question about one.
    pub(crate) fn asset(&self, id: AssetId) -> Option<Scale> {
        let known = || self.assets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scale) = known().get(&id) {
            return Some(scale.clone());
        }
        let read = self.node.read(move |state| {
            let asset = state.assets.get(&id)?;
            Some((asset.code.to_string(), asset.scale))
        });
        let (_, found) = tokio::runtime::Handle::current().block_on(read).ok()?;
        let scale = found?;
        known().insert(id, scale.clone());
        Some(scale)
    }

    /// The door as a service: for a listener, or to be called in the same process.
    pub fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new();
        for route in routes::routes() {
            router = router.route(route.path, route.guarded());
        }
        router
            .merge(console::router())
            .fallback(routes::no_such_path)
            .method_not_allowed_fallback(routes::wrong_method)
            .layer(console::pages_of_refusals(self))
            .layer(DefaultBodyLimit::max(BODY_BYTES))
            .with_state(self.clone())
    }
}
