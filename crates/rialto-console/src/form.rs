//! Forms: what every form carries, fields, and what went wrong beside them.

use maud::{Markup, html};

/// What every form of a session carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seal {
    /// Ties the form to the session: without it a form is refused.
    pub csrf: String,
    /// Makes sure that a form sent twice is carried out once.
    pub key: String,
}

/// A refusal, as it stands beside a form or on a page of its own.
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

/// What became of a form that was just sent.
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

/// What was typed into a field of a form that was refused, so that it need not be typed again.
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
            p { strong { (capital(&refused.title)) "." }
                @if !refused.detail.is_empty() { " " (capital(&refused.detail)) "." } }
            p { (refused.hint) " " a.code href={ "/errors/" (refused.code) } { (refused.code) } }
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// The hidden fields of every form.
#[must_use]
pub fn hidden(seal: &Seal) -> Markup {
    html! {
        input type="hidden" name="csrf" value=(seal.csrf);
        input type="hidden" name="key" value=(seal.key);
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
