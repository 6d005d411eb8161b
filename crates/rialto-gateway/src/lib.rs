//! One neutral door to any model: who is asked, in which dialect, and what each call comes to.
//!
//! A call takes one way: what is asked is read ([`Call`]), the deployments that serve its model are put in
//! order ([`route`]), the most that it can cost is reserved ([`Meter`]), a provider is asked ([`provider`]),
//! its answer goes to the caller byte for byte or in the caller's dialect, and what was used is reported.
//! Nothing reaches the caller before the reserve is durable. The dialects themselves are `rialto-wire`'s.
//!
//! The crate holds no money and no prices: it asks and reports through [`Meter`]. It keeps no prompt and no
//! answer, and logs neither them nor keys.

mod answer;
mod call;
mod catalogue;
mod check;
mod embeddings;
mod estimate;
mod fault;
mod gateway;
mod health;
mod meter;
mod metrics;
mod prepare;
pub mod provider;
pub mod route;
mod running;

pub use call::{Call, Task, refused};
pub use check::{Checked, LOCAL_SERVERS, Listed, check};
pub use estimate::tokens as estimated_tokens;
pub use fault::model_error;
pub use gateway::{ATTEMPTS, Gateway, Route, Settings};
pub use health::Health;
pub use meter::{Asking, Meter, Offered, Reserved, Who};
pub use metrics::{BOUNDS, Metrics, Series, Times};
pub use provider::{Kind, Provider, ProviderError, Providers, Terms};
