//! The laboratory: strategies, and the runs in which they are compared.
//!
//! Holds multi-issue negotiation ([`negotiate`]): domains, strategies, sessions and tournaments. It
//! never does I/O, never reads a clock or the environment, and knows no server: texts come in, values
//! go out, and a seed gives the same run on every machine.

pub mod negotiate;
