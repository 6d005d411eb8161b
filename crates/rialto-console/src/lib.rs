//! The console's pages, for people who watch a realm and step in.
//!
//! Each page is a pure function from a view model (a struct of this crate) to HTML. Whoever serves
//! them fills the models and answers the requests. A page for a further part of the realm is a file
//! in [`pages`], a line in [`shell::Place`], and a route where pages are served.
//!
//! # What is absent
//!
//! - No decisions: what may be seen or done is judged before a model is filled.
//! - No I/O, no sockets, no clock, no randomness: the time comes with the frame of a page.
//! - No inline script or style, so that a strict Content-Security-Policy holds: what a page needs is
//!   in [`assets`], embedded in the binary.
//! - No text from others as markup: everything passes through maud's escaping, and links to
//!   addresses that others wrote are shown as text.

pub mod assets;
pub mod chart;
pub mod form;
pub mod kit;
pub mod pages;
pub mod shell;
pub mod written;

pub use maud::{Markup, Render};
