//! Forms: what every form carries, fields, and what went wrong beside them.

use maud::{Markup, html};

use crate::kit::capital;

/// What every form of a session carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormToken {
    /// Ties the form to the session: without it a form is refused.
    pub csrf: String,
    /// Makes sure that a form sent twice is carried out once.
    pub key: String,
}

/// A refusal, beside a form or on a page of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The stable code, such as `RLT0401`.
    pub code: String,
    /// What is wrong.
    pub title: String,
    /// What it is about in this case.
    pub detail: String,
    /// What to do next.
    pub hint: String,
}

/// The result of a form that was just sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The name of the form.
    pub form: String,
    /// What was typed into it, by field.
    pub fields: Vec<(String, String)>,
    /// Why it was refused; none when it was carried out.
    pub refused: Option<Refused>,
}

impl Sent {
    fn typed(&self, field: &str) -> &str {
        let found = self.fields.iter().find(|(name, _)| name == field);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// The typed text of a field in a refused form, so that it need not be typed again.
#[must_use]
pub fn typed<'a>(sent: Option<&'a Sent>, form: &str, field: &str) -> &'a str {
    sent.filter(|s| s.form == form && s.refused.is_some())
        .map_or("", |s| s.typed(field))
}

/// Why a form was refused, if it was.
#[must_use]
pub fn refusal(sent: Option<&Sent>, form: &str) -> Markup {
    let refused = sent
        .filter(|s| s.form == form)
        .and_then(|s| s.refused.as_ref());
    html! { @if let Some(refused) = refused { (problem(refused)) } }
}

/// A refusal.
#[must_use]
pub fn problem(refused: &Refused) -> Markup {
    html! {
        div.problem role="alert" {
            p { strong { (capital(refused.title.trim_end_matches('.'))) "." }
                @if !refused.detail.is_empty() { " " (capital(refused.detail.trim_end_matches('.'))) "." } }
            p { (refused.hint) " " a.code href={ "/errors/" (refused.code) } { (refused.code) } }
        }
    }
}

/// The hidden fields of every form.
#[must_use]
pub fn hidden(form_token: &FormToken) -> Markup {
    html! {
        input type="hidden" name="csrf" value=(form_token.csrf);
        input type="hidden" name="key" value=(form_token.key);
    }
}

/// A line of text.
pub struct Field<'a> {
    /// The name it is sent by, also its id within the page.
    pub name: &'a str,
    /// What it is.
    pub label: &'a str,
    /// What stands in it.
    pub value: &'a str,
    /// What is expected, below it.
    pub help: &'a str,
    /// Whether it must be filled.
    pub required: bool,
}

/// A field with its label and help.
#[must_use]
pub fn field(field: &Field<'_>) -> Markup {
    let help = format!("{}-help", field.name);
    html! {
        div.field {
            label for=(field.name) { (field.label) }
            input type="text" id=(field.name) name=(field.name) value=(field.value) autocomplete="off"
                autocapitalize="none" spellcheck="false" required[field.required]
                aria-describedby=[(!field.help.is_empty()).then_some(help.as_str())];
            @if !field.help.is_empty() { small id=(help) { (field.help) } }
        }
    }
}

/// Several lines of text.
#[must_use]
pub fn lines(name: &str, label: &str, value: &str) -> Markup {
    html! {
        div.field.wide {
            label for=(name) { (label) }
            textarea id=(name) name=(name) rows="3" required { (value) }
        }
    }
}

/// A choice of several.
#[must_use]
pub fn choice(name: &str, label: &str, options: &[(&str, &str)], chosen: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (value, text) in options {
                    option value=(value) selected[*value == chosen] { (text) }
                }
            }
        }
    }
}

/// One form among several of a page: the ids of its fields begin with its name, and its typed text
/// is kept after a refusal, which is shown at the top of the page.
#[derive(Clone, Copy)]
pub struct Among<'a> {
    /// Its name.
    pub form: &'a str,
    /// The result of the form that was just sent, if one was.
    pub sent: Option<&'a Sent>,
}

impl Among<'_> {
    fn id(&self, name: &str) -> String {
        format!("{}-{name}", self.form)
    }

    fn typed(&self, name: &str) -> &str {
        typed(self.sent, self.form, name)
    }

    /// A line of text.
    #[must_use]
    pub fn line(&self, name: &str, label: &str, help: &str, required: bool) -> Markup {
        let (id, help_id) = (self.id(name), self.id(&format!("{name}-help")));
        html! {
            div.field {
                label for=(id) { (label) }
                input type="text" id=(id) name=(name) value=(self.typed(name)) autocomplete="off"
                    autocapitalize="none" spellcheck="false" required[required]
                    aria-describedby=[(!help.is_empty()).then_some(help_id.as_str())];
                @if !help.is_empty() { small id=(help_id) { (help) } }
            }
        }
    }

    /// Several lines of text; `usual` is the default.
    #[must_use]
    pub fn area(&self, name: &str, label: &str, usual: &str) -> Markup {
        let (id, typed) = (self.id(name), self.typed(name));
        let value = if typed.is_empty() { usual } else { typed };
        html! {
            div.field.wide {
                label for=(id) { (label) }
                // The line break after the tag is no part of the text.
                textarea id=(id) name=(name) rows="3" required { "\n" (value) }
            }
        }
    }

    /// A choice of several.
    #[must_use]
    pub fn choice(&self, name: &str, label: &str, options: &[(&str, &str)]) -> Markup {
        let (id, chosen) = (self.id(name), self.typed(name));
        html! {
            div.field {
                label for=(id) { (label) }
                select id=(id) name=(name) {
                    @for (value, text) in options {
                        option value=(value) selected[*value == chosen] { (text) }
                    }
                }
            }
        }
    }

    /// The agent to act as: a choice when there are several.
    #[must_use]
    pub fn acting_as(&self, agents: &[String]) -> Markup {
        let options: Vec<(&str, &str)> = agents.iter().map(|v| (v.as_str(), v.as_str())).collect();
        match options.as_slice() {
            [] => html! {},
            [(only, _)] => html! { input type="hidden" name="as" value=(only); },
            several => self.choice("as", "As", several),
        }
    }
}
