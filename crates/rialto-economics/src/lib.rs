//! What the fleet costs, what it earns, and whether the capital comes back.
//!
//! Holds concentration, cost and margin, backlog, own silicon (chips of one's own design), capital plans,
//! the check of claims and the FOCUS export. Everything here is arithmetic on parsed input: no file, clock
//! or network is touched, a seed gives the same ranges on every machine, and no figure is invented where
//! the input has none. Money is in US dollars unless a name says `usd_b` (billions, 1e9).

pub mod backlog;
pub mod basis;
pub mod calendar;
pub mod cashflow;
pub mod claims;
pub mod concentration;
pub mod cost;
pub mod depreciation;
pub mod expression;
pub mod focus;
pub mod history;
pub mod input;
pub mod invest;
pub mod silicon;
pub mod simplex;
pub mod twin;
pub mod uncertainty;
pub mod usage;

pub use basis::Basis;
pub use calendar::{Month, Quarter};
pub use input::{Fault, InputError, Validate, parse_toml};
pub use uncertainty::{Range, Spread, Swing, Uncertain};
