//! The tokens of an agent: ids and labels, never secrets; issuing one, which is shown once, and
//! revoking.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::form::{Among, FormToken, Sent, hidden};
use crate::kit::{Empty, When, section, table_or, words};

/// A token that lives.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its id.
    pub id: AnyId,
    /// Its name.
    pub label: Option<String>,
    /// Since when.
    pub created: When,
    /// What it may do.
    pub may: Vec<String>,
    /// What it has spent of what it may, with the asset, if that is limited.
    pub spent: Option<String>,
    /// From where it may be used; from everywhere if there is none.
    pub from: Vec<String>,
    /// When it was last used, if that is known.
    pub used: Option<When>,
    /// Until when; none is for good.
    pub expires: Option<When>,
    /// Whether a new one has replaced it.
    pub replaced: bool,
}

impl Token {
    fn scope(&self) -> Markup {
        html! {
            (self.may.join(", "))
            @if let Some(spent) = &self.spent { " · spent " (spent) }
            @if !self.from.is_empty() { " · from " (self.from.join(", ")) }
            @if self.replaced { " · replaced" }
        }
    }
}

/// What the form offers a token for; the command line and the API know every combination.
const FOR: [(&str, &str); 6] = [
    ("", "everything"),
    ("models", "model calls"),
    ("read read_mail", "reading, mail too"),
    ("read read_mail mail", "reading and mail"),
    ("read trade", "reading and trade"),
    (
        "read read_mail mail work trade post",
        "everything but its own affairs",
    ),
];

/// An agent's tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Where the forms go.
    pub action: String,
    /// The tokens that live; at most a hundred.
    pub rows: Vec<Token>,
    /// What the forms carry, for those who may.
    pub form_token: Option<FormToken>,
}

impl Tokens {
    /// The section of an agent's page.
    #[must_use]
    pub fn section(&self, sent: Option<&Sent>) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .rows
            .iter()
            .map(|token| {
                vec![
                    html! { span.id { (token.id) } },
                    html! { @if let Some(label) = &token.label { (label) } @else { span.quiet { "–" } } },
                    token.scope(),
                    html! { (token.created) },
                    html! { @if let Some(at) = &token.used { (at) } @else { span.quiet { "–" } } },
                    html! { @if let Some(at) = &token.expires { (at) } @else { span.quiet { "never" } } },
                    html! { @if let Some(form_token) = &self.form_token { (self.acts(token, form_token)) } },
                ]
            })
            .collect();
        let columns = [
            words("Token"),
            words("Label"),
            words("For"),
            words("Issued"),
            words("Last used"),
            words("Expires"),
            words("Do"),
        ];
        let empty = Empty::new(
            "It has no token: only an admin of its owner can act as it.",
            "rialto agent token @agent",
        );
        let body = html! {
            (table_or("Tokens", &columns, &rows, &empty))
            @if let Some(form_token) = &self.form_token { (self.issue(form_token, sent)) }
        };
        section(
            "Tokens",
            &html! { "secrets are shown once and stored nowhere" },
            &body,
        )
    }

    /// What can be done with a token: another in its place, or its end.
    fn acts(&self, token: &Token, form_token: &FormToken) -> Markup {
        let act = |name: &str, word: &str| {
            html! {
                form method="post" action={ (self.action) "/" (name) } {
                    (hidden(form_token))
                    input type="hidden" name="token" value=(token.id);
                    button.second type="submit" { (word) span.unseen { " " (token.id) } }
                }
            }
        };
        html! {
            @if !token.replaced { (act("rotate", "Replace")) }
            (act("revoke", "Revoke"))
        }
    }

    fn issue(&self, form_token: &FormToken, sent: Option<&Sent>) -> Markup {
        let among = Among {
            form: "token",
            sent,
        };
        html! {
            form.row-form method="post" action=(self.action) {
                (hidden(form_token))
                (among.line("label", "Label", "a name for it", false))
                (among.choice("may", "For", &FOR))
                (among.line("up_to", "Spends up to", "in all; only if it trades", false))
                (among.line("from", "From", "everywhere, or 10.0.0.0/8", false))
                (among.choice("days", "Expires", &[("", "never"), ("1", "in a day"), ("7", "in a week"), ("30", "in 30 days"), ("365", "in a year")]))
                button type="submit" { "Issue a token" }
            }
        }
    }
}
