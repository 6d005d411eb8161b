//! What leaves the realm's own process: outgoing calls, the secrets that they need, and child processes.
//!
//! Calls go over pooled connections ([`Connections`]) and reach public addresses and what the operator has opened
//! ([`OpenHost`]), whatever a name's answers or a redirect say. Nothing here decides, retries a call, knows the words of the
//! protocols spoken over it, or logs what it sends.

mod body;
mod calls;
pub mod child;
mod connect;
mod error;
mod guard;
mod ranges;
mod redirect;
mod secret;
mod trust;
mod vault;

pub use calls::{
    Bounds, CALLS, CALLS_TO_A_HOST, Connections, Exchange, IDLE, IDLE_SERVING, IDLE_TIME,
};
pub use connect::{CONNECT, Resolve, Resolving, SystemResolver};
pub use error::{CallError, root_cause};
pub use guard::OpenHost;
pub use secret::{Credential, LONGEST, Secret, SecretError, SecretName, SecretRef};
pub use trust::OutsideError;
pub use vault::{Listed, SECRETS, Vault};
