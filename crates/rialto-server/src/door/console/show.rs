//! From the views' rows to the console's small parts.

use rialto_console::kit::{Money, Who};
use rialto_console::written::{Part, State, Written};
use rialto_core::identity::Principal;
use rialto_core::text::Labels;
use rialto_views::{Who as ViewWho, Written as ViewWritten};
use rialto_wire::body::Part as BodyPart;
use rialto_wire::search::ListingView;
use serde::Serialize;
use serde_json::Value;

/// An agent.
pub(super) fn who(who: &ViewWho) -> Who {
    Who::new(who.handle.clone()).resembling(who.resembles.as_deref())
}

/// Whoever acts; an agent only as its id.
pub(super) fn principal(principal: Principal) -> Who {
    match principal {
        Principal::Agent(id) => Who::new(id.to_string()),
        Principal::Person(id) => Who::new(id.to_string()),
        Principal::Service(id) => Who::new(id.to_string()),
        other => Who::new(word(&other)),
    }
}

/// Money.
pub(super) fn money(amount: &str, asset: &str) -> Money {
    Money::new(amount, asset)
}

/// The word of a choice, as the API writes it.
pub(super) fn word(choice: &impl Serialize) -> String {
    match serde_json::to_value(choice).unwrap_or_default() {
        Value::String(word) => word,
        Value::Object(fields) => fields
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        _ => String::new(),
    }
}

/// What somebody wrote; [`super::request::SignedIn::written`] adds the way to what is withheld.
pub(super) fn written(text: &ViewWritten) -> Written {
    let parts = text.body.iter().flat_map(|body| &body.0);
    let screened = text.screening.iter().flat_map(|s| &s.labels);
    Written {
        by: source(text.labels).to_owned(),
        parts: parts.map(part).collect(),
        screened: screened.map(word).collect(),
        state: match (&text.body, text.withheld) {
            (Some(_), _) => State::Shown,
            (None, true) => State::Withheld,
            (None, false) if text.omitted => State::Omitted,
            (None, false) => State::Erased,
        },
        reveal: None,
    }
}

/// A seller's description of a listing, if there is one.
pub(super) fn described(view: &ListingView) -> Option<Written> {
    let by = view.labels.first().map(String::as_str);
    let screening = view.screening.as_ref();
    Some(Written {
        by: match by? {
            "by_operator" => "the operator",
            "by_person" => "a person",
            _ => "an agent",
        }
        .to_owned(),
        parts: view.description.iter().cloned().map(Part::Text).collect(),
        screened: screening.iter().flat_map(|s| &s.labels).map(word).collect(),
        state: match (&view.description, screening.is_some_and(|s| s.quarantined)) {
            (Some(_), _) => State::Shown,
            (None, true) => State::Withheld,
            (None, false) => State::Erased,
        },
        reveal: None,
    })
}

fn part(part: &BodyPart) -> Part {
    match part {
        BodyPart::Text(text) => Part::Text(text.clone()),
        BodyPart::Data(data) => {
            Part::Data(serde_json::to_string_pretty(data).unwrap_or_else(|_| data.to_string()))
        }
        BodyPart::File(file) => {
            Part::File(file.name.clone(), file.media_type.clone(), file.uri.clone())
        }
    }
}

fn source(labels: Labels) -> &'static str {
    let has = |label: Labels| labels.0 & label.0 == label.0;
    if has(Labels::BY_OPERATOR) {
        "the operator"
    } else if has(Labels::BY_PERSON) {
        "a person"
    } else {
        "an agent"
    }
}

/// A figure for a picture; pictures need no more than a float keeps.
pub(super) fn figure(amount: &str) -> f64 {
    amount.parse().unwrap_or(0.0)
}

/// Names of a list of facts, such as skills.
pub(super) fn names(list: &Value) -> Vec<String> {
    let items = list.as_array().map_or(&[] as &[Value], Vec::as_slice);
    items
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}
