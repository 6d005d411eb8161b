//! The pages, one file a part of the console.

use maud::{Markup, html};

pub mod accounts;
pub mod agents;
pub mod approvals;
pub mod communities;
pub mod deals;
pub mod fleet;
pub mod gate;
pub mod invitations;
pub mod ledger;
pub mod log;
pub mod market;
pub mod messages;
pub mod moderation;
pub mod nouns;
pub mod overview;
pub mod owners;
pub mod reputation;
pub mod square;
pub mod tasks;
pub mod teams;
pub mod tokens;
pub mod trace;
pub mod waiting;

/// A text of the console's own, or a fact, as a part of a page.
#[must_use]
pub fn text(text: &str) -> Markup {
    html! { (text) }
}

/// Parts after each other, apart by a space.
#[must_use]
pub fn joined(parts: &[Markup]) -> Markup {
    html! { @for (place, part) in parts.iter().enumerate() { @if place > 0 { " " } (part) } }
}
