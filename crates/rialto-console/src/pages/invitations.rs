//! Who may sign up, and the invitations that are open: for the operator. A code is shown once.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::form::{Among, FormToken, Sent, hidden, refusal};
use crate::kit::{Empty, When, facts, numbers, section, table_or, words};
use crate::shell::heading;

/// An invitation that can still be used.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Its id.
    pub id: AnyId,
    /// Its name.
    pub label: Option<String>,
    /// How many sign-ups it still allows.
    pub uses: u32,
    /// When it expires.
    pub expires: When,
}

/// The page.
#[derive(Clone, Debug)]
pub struct Invitations {
    /// Whether anybody may sign up.
    pub open: bool,
    /// How often, in the whole realm and from one address, in words.
    pub rates: [String; 2],
    /// The invitations that are open.
    pub rows: Vec<Invitation>,
    /// What the forms carry.
    pub form_token: FormToken,
    /// The code that was just made, or none when its form was sent before.
    pub made: Option<Option<String>>,
    /// The result of a form that was just sent.
    pub sent: Option<Sent>,
}

impl Invitations {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let who = if self.open {
            "anybody, with or without an invitation"
        } else {
            "only people with an invitation"
        };
        html! {
            (heading(&html! { "Invitations" }, &html! {}))
            @if let Some(code) = &self.made { (told_once(code.as_deref())) }
            (refusal(self.sent.as_ref(), "invite"))
            (refusal(self.sent.as_ref(), "end"))
            section.block { (facts(&[
                ("Who may sign up", html! { (who) }),
                ("An hour, in the whole realm", html! { (self.rates[0]) }),
                ("An hour, from one address", html! { (self.rates[1]) }),
                ("Change it", html! { code { "rialto owner sign-ups --help" } }),
            ])) }
            (self.table())
        }
    }

    fn table(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self.rows.iter().map(|row| self.row(row)).collect();
        let columns = [
            words("Invitation"),
            words("Label"),
            numbers("Uses left"),
            words("Expires"),
            words("Do"),
        ];
        let empty = Empty::new("There is no open invitation.", "rialto invitation create");
        let body = html! {
            (table_or("Invitations", &columns, &rows, &empty))
            (self.invite())
        };
        section(
            "Open invitations",
            &html! { "codes are shown once and stored nowhere" },
            &body,
        )
    }

    fn row(&self, row: &Invitation) -> Vec<Markup> {
        vec![
            html! { span.id { (row.id) } },
            html! { @if let Some(label) = &row.label { (label) } @else { span.quiet { "–" } } },
            html! { (row.uses) },
            html! { (row.expires) },
            html! {
                form method="post" action="/invitations/end" {
                    (hidden(&self.form_token))
                    input type="hidden" name="invitation" value=(row.id);
                    button.second type="submit" { "Revoke" span.unseen { " " (row.id) } }
                }
            },
        ]
    }

    fn invite(&self) -> Markup {
        let among = Among {
            form: "invite",
            sent: self.sent.as_ref(),
        };
        html! {
            form.row-form method="post" action="/invitations" {
                (hidden(&self.form_token))
                (among.line("label", "Label", "a name for it", false))
                (among.choice("uses", "For", &[("1", "one owner"), ("5", "5 owners"), ("25", "25 owners"), ("100", "100 owners")]))
                (among.choice("days", "Expires", &[("7", "in a week"), ("1", "in a day"), ("30", "in 30 days"), ("365", "in a year")]))
                button type="submit" { "Invite" }
            }
        }
    }
}

/// A code that is shown this once.
fn told_once(code: Option<&str>) -> Markup {
    html! {
        div.done role="status" {
            @match code {
                Some(code) => {
                    p { strong { "An invitation is made." } " Its code is shown only now and stored nowhere: copy it. "
                        "Whoever holds it signs up with " code { "rialto owner sign-up NAME --invitation CODE" } "." }
                    p.secret { code #secret { (code) } button.second type="button" data-copy="secret" { "Copy" } }
                }
                None => p { strong { "This invitation was made before." } " Its code was shown only then; make another one." },
            }
        }
    }
}
