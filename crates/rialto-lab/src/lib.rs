//! The laboratory: negotiation strategies, and runs that compare them.
//!
//! Holds multi-issue negotiation ([`negotiate`]): domains, strategies, sessions and tournaments. It never
//! does I/O, never reads a clock or the environment, and knows no server: it takes texts and returns
//! values, and a seed gives the same run on every machine.

pub mod negotiate;
