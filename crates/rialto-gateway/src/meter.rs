//! What the gateway asks of the realm: room for a call before it, and the account of it afterwards.
//!
//! Holds the seam only. Who implements it decides nothing about models, and the gateway nothing about money.

use std::pin::Pin;

use rialto_core::amount::Decimal;
use rialto_core::id::{DeploymentId, InferenceId, OwnerId, TaskId};
use rialto_core::identity::{AgentRef, Auth, Principal};
use rialto_core::model::{Deployment, InferenceReport, ReserveInference};
use rialto_core::reject::Rejection;
use rialto_core::text::ClientId;

/// An answer that is awaited.
pub type Asking<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Who calls a model.
#[derive(Clone, Debug)]
pub struct Who {
    /// Whose token it is.
    pub principal: Principal,
    /// How that was proved.
    pub auth: Auth,
    /// The agent to act as, if one is named.
    pub acting: Option<AgentRef>,
    /// Whose agents it may be: only what is open to this owner is offered.
    pub owner: Option<OwnerId>,
    /// The task that the call serves.
    pub task: Option<TaskId>,
    /// The run that it belongs to.
    pub run: Option<ClientId>,
    /// The most that it may cost, in whole units of the deployment's asset.
    pub at_most: Option<Decimal>,
}

/// Room for a call.
pub struct Reserved {
    /// The call.
    pub inference: InferenceId,
    /// Resolves once the reserve is durable; an error says that it never was made.
    pub durable: Asking<Result<(), Rejection>>,
}

/// All that is deployed, as of a version of it.
pub struct Offered {
    /// Grows whenever a deployment is made, changed or retired.
    pub version: u64,
    /// The deployments.
    pub all: Vec<(DeploymentId, Deployment)>,
}

/// The realm, as the gateway sees it.
pub trait Meter: Send + Sync + 'static {
    /// Reserves the most that a call can cost. The decision comes at once, its durability later.
    fn reserve(&self, who: Who, ask: ReserveInference) -> Asking<Result<Reserved, Rejection>>;

    /// Reports calls that are over, at most [`rialto_core::limits::SETTLED_AT_ONCE`] of them. Answers when
    /// that is durable; what was reported before may be reported again.
    fn settle(&self, reports: Vec<InferenceReport>) -> Asking<Result<(), Rejection>>;

    /// The version of what is deployed. Cheap: it is asked for each call.
    fn version(&self) -> u64;

    /// All that is deployed.
    fn offered(&self) -> Asking<Result<Offered, Rejection>>;
}
