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
    /// Until when; none is for good.
    pub expires: Option<When>,
}

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
                    html! { (token.created) },
                    html! { @if let Some(at) = &token.expires { (at) } @else { span.quiet { "never" } } },
                    html! { @if let Some(form_token) = &self.form_token { (self.revoke(token, form_token)) } },
                ]
            })
            .collect();
        let columns = [
            words("Token"),
            words("Label"),
            words("Issued"),
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

    fn revoke(&self, token: &Token, form_token: &FormToken) -> Markup {
        html! {
            form method="post" action={ (self.action) "/revoke" } {
                (hidden(form_token))
                input type="hidden" name="token" value=(token.id);
                button.second type="submit" { "Revoke" span.unseen { " " (token.id) } }
            }
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
                (among.choice("days", "Expires", &[("", "never"), ("1", "in a day"), ("7", "in a week"), ("30", "in 30 days"), ("365", "in a year")]))
                button type="submit" { "Issue a token" }
            }
        }
    }
}
