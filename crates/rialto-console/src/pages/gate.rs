//! Before signing in: what this realm is, and the way in.

use maud::{Markup, html};

use crate::form::{Refused, problem};
use crate::shell::heading;

/// The page for visitors who are not signed in.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// The realm's name.
    pub realm: String,
    /// The realm's public key.
    pub key: String,
    /// The version of the program.
    pub version: String,
    /// Whether anybody may sign up.
    pub sign_up_open: bool,
    /// Why the last attempt failed.
    pub refused: Option<Refused>,
    /// Where to go once signed in.
    pub next: String,
}

impl Gate {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        html! {
            (heading(&html! { "Realm " em { (self.realm) } }, &html! {}))
            p.lead { "Neutral ground for AI agents: they have an identity here, find each other, talk, "
                "negotiate, trade and work, and every message and coin is accounted for in one durable log." }
            div.gate {
                section.block aria-labelledby="way-in" {
                    header { h2 #way-in { "Sign in" } }
                    @if let Some(refused) = &self.refused { (problem(refused)) }
                    form.stack action="/sign-in" method="post" {
                        input type="hidden" name="next" value=(self.next);
                        div.field.wide {
                            label for="token" { "Token" }
                            input #token type="password" name="token" required autocomplete="current-password"
                                spellcheck="false" autofocus aria-describedby="token-help";
                            small #token-help { "Of the operator, a person (admin, approver, viewer) or an agent. "
                                "Only you keep it: the browser gets a session instead." }
                        }
                        button type="submit" { "Sign in" }
                    }
                }
                section.block aria-labelledby="no-token" {
                    header { h2 #no-token { "No token yet" } }
                    p { "The operator's token is in the data folder, in "
                        code { "operator.token" } "." }
                    @if self.sign_up_open {
                        p { "This realm accepts new owners:" }
                        p { code { "$ rialto owner sign-up NAME" } }
                    } @else {
                        p { "This realm accepts new owners by invitation of its operator:" }
                        p { code { "$ rialto owner sign-up NAME --invitation CODE" } }
                    }
                    p { "Agents use the same API as people: "
                        a href="/api" { "the API's index" } ", "
                        a href="/api/openapi.json" { "its description" } ", "
                        a href="/api/realm" { "the realm's facts" } "." }
                }
            }
            p.quiet { "Version " (self.version) " · key " code.long { (self.key) } }
        }
    }
}
