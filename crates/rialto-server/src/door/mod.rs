//! The REST door at `/api`, the console for people at `/`, and metrics, health and readiness.
//!
//! Every request takes the same way: its host name and origin ([`names`]), its bounded body
//! ([`bodies`]), the caller ([`auth`]), the request itself ([`commands`], [`inbox`], [`reads`]),
//! and the answer ([`answer`], [`problem`]). What one sender may take of the server meanwhile is bounded
//! ([`crowd`], [`shares`]). Calls of models go to the gateway ([`models`]). The routes are in one table, from which both the router and the
//! API description ([`openapi`]) are made. Nothing here decides.

mod about;
mod answer;
mod approvals;
mod auth;
mod awaited;
mod bodies;
mod budgets;
mod commands;
mod console;
mod corrections;
mod crowd;
#[cfg(feature = "schema")]
mod describe;
mod errors;
mod files;
mod http2;
mod inbox;
mod invitations;
mod last_use;
mod leaks;
mod measured;
mod models;
mod names;
mod nouns;
mod openapi;
mod ops;
mod over;
mod path;
mod problem;
mod rates;
mod reads;
mod routes;
mod seats;
mod serve;
mod shares;
mod sign_ups;
mod square;
mod tls;
mod turns;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use rialto_core::decide::secret_hash;
use rialto_core::hash::Hash;
use rialto_core::id::{AssetId, ContentId};
use rialto_gateway::Gateway;
use rialto_views::{Scale, ViewReader};
use tokio::sync::Semaphore;

use crate::histogram::ByRoute;
use crate::node::Node;
use crate::reload::Reloader;

pub use bodies::{
    BODIES, BODY_BYTES, BODY_PAUSE, BODY_RATE, BODY_TIME, BodyRule, HELD_BYTES, HELD_KEPT,
    HELD_OF_ADDRESS, HELD_OF_ONE, HELD_OF_STRANGERS, STRANGER_BYTES, Take, refusal_of,
};
pub use crowd::{ANSWER_BYTES, ANSWERS_OF_ONE, PART_OF_ONE};
#[cfg(feature = "schema")]
pub use describe::describe;
pub use errors::{error_page, error_pages};
pub use http2::{
    CONNECTION_WINDOW, STREAM_WINDOW, STREAMS_OF_CONNECTION, TAKEN_BACK, TAKEN_BACK_RATE,
};
pub(crate) use last_use::{KEEP, LastUse};
pub(crate) use models::NodeMeter;
pub use names::Names;
pub use problem::{Refusal, status_of};
pub(crate) use serve::serve;
pub use serve::{DRAIN, Ending, Listener, ServeError, WRITE_PAUSE, WRITE_RATE};
pub use tls::{TLS_PACE, Tls};

/// How long a read may wait for a position, or an inbox for a delivery.
pub const WAIT: Duration = Duration::from_secs(30);
/// How many inboxes may be streamed at the same time.
pub const STREAMS: usize = 20_000;

/// The settings of a server's door.
#[derive(Clone, Default)]
pub struct Rules {
    /// Its host names.
    pub(crate) names: Names,
    /// Proxies in front of it that are trusted about a request's address.
    pub(crate) proxies: Vec<IpAddr>,
    /// The hash of the secret that reads the metrics, besides the operator's.
    metrics: Option<Hash>,
    /// Reads the settings again.
    reloader: Option<Reloader>,
}

impl Rules {
    /// The rules of a server with these host names, which trusts these proxies about a request's
    /// origin.
    #[must_use]
    pub fn new(names: Names, proxies: &[IpAddr]) -> Self {
        Self {
            names,
            proxies: proxies.iter().map(IpAddr::to_canonical).collect(),
            metrics: None,
            reloader: None,
        }
    }

    /// The same rules, with a secret by which the metrics can be read. The secret itself is not kept.
    #[must_use]
    pub fn with_metrics_secret(self, secret: &str) -> Self {
        Self {
            metrics: Some(secret_hash(secret)),
            ..self
        }
    }

    /// The same rules, for a server whose settings can be read again.
    #[must_use]
    pub(crate) fn with_reloader(self, reloader: Option<Reloader>) -> Self {
        Self { reloader, ..self }
    }
}

/// What is counted where requests come in.
#[derive(Debug, Default)]
pub(crate) struct Edge {
    /// How long requests take.
    pub(crate) requests: ByRoute,
    /// How often a certificate was taken from changed files, and how often it could not be.
    pub(crate) tls_taken: AtomicU64,
    pub(crate) tls_refused: AtomicU64,
}

/// What the door needs.
pub(crate) struct Door {
    pub(crate) rules: Rules,
    pub(crate) edge: Arc<Edge>,
    pub(crate) bodies: Arc<shares::Shares>,
    pub(crate) crowd: crowd::Crowd,
    pub(crate) sign_ups: sign_ups::SignUps,
    pub(crate) node: Arc<Node>,
    pub(crate) views: ViewReader,
    pub(crate) realm: String,
    pub(crate) turns: turns::Turns,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) started: Instant,
    pub(crate) last_use: last_use::LastUse,
    /// Assets that have been asked for; they never change.
    assets: Mutex<BTreeMap<AssetId, Scale>>,
    /// What screening said of long texts, by content.
    screened: Mutex<HashMap<ContentId, u32>>,
    pub(crate) sessions: console::Sessions,
    pub(crate) balance: console::Balance,
    pub(crate) gateway: Arc<Gateway>,
}

impl Door {
    /// A door in front of a node and its views.
    #[must_use]
    pub(crate) fn with(
        node: Arc<Node>,
        views: ViewReader,
        realm: String,
        (rules, last_use): (Rules, LastUse),
        gateway: Arc<Gateway>,
    ) -> Arc<Self> {
        Arc::new(Self {
            rules,
            edge: Arc::default(),
            bodies: bodies::account(),
            crowd: crowd::Crowd::default(),
            sign_ups: sign_ups::SignUps::default(),
            node,
            views,
            realm,
            turns: turns::Turns::default(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            started: Instant::now(),
            last_use,
            assets: Mutex::default(),
            screened: Mutex::default(),
            sessions: console::Sessions::default(),
            balance: console::Balance::default(),
            gateway,
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
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new();
        for route in routes::all() {
            router = router.route(route.path, route.guarded());
        }
        router
            .merge(console::router())
            .merge(models::router())
            .fallback(routes::no_such_path)
            .method_not_allowed_fallback(routes::wrong_method)
            // From the outside in. As one layer, since the router boxes every route once a layer.
            .layer((
                DefaultBodyLimit::disable(),
                from_fn(models::in_dialect),
                from_fn_with_state(self.clone(), ops::timed),
                from_fn_with_state(self.clone(), names::own_names_only),
                console::pages_of_refusals(self),
                from_fn_with_state(self.clone(), crowd::bounded),
                from_fn_with_state(self.clone(), bodies::bounded),
            ))
            .with_state(self.clone())
    }
}
