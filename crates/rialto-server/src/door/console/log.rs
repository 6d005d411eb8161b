//! The log: events, one event, the digest of the state.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::kit::{Thing, Who};
use rialto_console::pages::log::{Digest, EventLine, Log, One};
use rialto_console::pages::{joined, text};
use rialto_console::shell::Place;
use rialto_core::id::{AgentId, AnyId};
use rialto_core::identity::{AgentRef, Principal};
use rialto_core::reject::Code;
use rialto_core::time::Time;
use rialto_views::{EventFilter, Scope};
use serde_json::Value;

use super::deals::maud_of;
use super::request::SignedIn;
use crate::door::problem::Refusal;

/// How many events a page shows.
const ROWS: u32 = 50;
/// How many ids of an event are named in the list.
const NAMED: usize = 4;

/// `GET /log`.
pub(super) async fn list(user: SignedIn) -> Result<Response, Refusal> {
    let scope = user.scope().await?;
    let filter = EventFilter {
        kind: user.param("kind").map(str::to_owned),
        actor: actor(&user).await?,
        ..EventFilter::default()
    };
    let after = user
        .param("after")
        .map(|text| text.parse::<u64>())
        .transpose()
        .map_err(|_| Refusal::new(Code::Malformed, "a position is a number"))?;
    let paging = user.paging(ROWS);
    let read = user.view(move |v| match after {
        Some(after) => v.events_after(scope, after, ROWS, &filter),
        None => v.latest_events(scope, &filter, &paging),
    });
    let found = read.await?;
    let mut rows: Vec<EventLine> = found.items.iter().map(|event| line(&user, event)).collect();
    let ids = rows.iter().map(|row| row.who.handle.clone()).collect();
    for (row, who) in rows.iter_mut().zip(user.named(ids).await?) {
        row.who = who;
    }
    let last = rows.last().map(|row| row.position);
    let next = match after {
        Some(_) => last
            .filter(|_| found.next_cursor.is_some())
            .map(|last| user.with_param("after", &last.to_string())),
        None => user.next(found.next_cursor.as_deref()),
    };
    let digest = match user.caller.principal {
        Principal::Operator => Some(digest(&user).await?),
        _ => None,
    };
    let live = after.is_none() && user.param("cursor").is_none();
    let text = |name| user.param(name).unwrap_or_default().to_owned();
    let page = Log {
        address: user.request.address.clone(),
        kind: text("kind"),
        actor: text("actor"),
        after: text("after"),
        rows,
        next,
        latest: (!live).then(|| "/log".to_owned()),
        digest,
        whole: scope == Scope::Realm,
        live,
    };
    user.page("Log", Place::Log, &page.page()).await
}

/// The agent whose events are asked for, by handle or id.
async fn actor(user: &SignedIn) -> Result<Option<AgentId>, Refusal> {
    let Some(name) = user.param("actor") else {
        return Ok(None);
    };
    let named: AgentRef = name
        .parse()
        .map_err(|e| Refusal::new(Code::Malformed, format!("actor: {e}")))?;
    let found = user.state(move |state| rialto_core::decide::resolve_agent(state, &named));
    Ok(Some(found.await??))
}

async fn digest(user: &SignedIn) -> Result<Digest, Refusal> {
    let digested = user.door().node.digest().await?;
    Ok(Digest {
        digest: format!("b3:{}", digested.digest),
        position: digested.position,
        entities: digested.entities,
    })
}

fn line(user: &SignedIn, event: &Value) -> EventLine {
    let number = |name: &str| event.get(name).and_then(Value::as_u64).unwrap_or_default();
    let ids = ids_of(event);
    let mut parts: Vec<_> = ids
        .iter()
        .take(NAMED)
        .map(|id| maud_of(Thing(*id)))
        .collect();
    if ids.len() > NAMED {
        parts.push(text(&format!("and {} more", ids.len() - NAMED)));
    }
    let at = event.get("at").and_then(Value::as_str).and_then(time_of);
    EventLine {
        position: number("position"),
        at: user.when(at.unwrap_or_default()),
        who: asker(event),
        kinds: kinds(event),
        made: joined(&parts),
        said: super::show::names(event.get("said").unwrap_or(&Value::Null)),
    }
}

fn ids_of(event: &Value) -> Vec<AnyId> {
    let ids = event.get("ids").and_then(Value::as_array);
    let parse = |id: &Value| id.as_str()?.parse().ok();
    ids.map(|ids| ids.iter().filter_map(parse).collect())
        .unwrap_or_default()
}

fn asker(event: &Value) -> Who {
    let named = |name: &str| event.get(name).and_then(Value::as_str);
    Who::new(named("actor").or_else(|| named("by")).unwrap_or_default())
}

/// The kinds of an envelope's events, each once: `market.offer_made`.
fn kinds(event: &Value) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    let events = event.get("events").and_then(Value::as_array);
    for fact in events.into_iter().flatten() {
        let Some((module, what)) = fact.as_object().and_then(|fields| fields.iter().next()) else {
            continue;
        };
        let name = match what {
            Value::String(name) => Some(name.as_str()),
            Value::Object(fields) => fields.keys().next().map(String::as_str),
            _ => None,
        };
        let kind = format!("{module}.{}", name.unwrap_or_default());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// A time as the log prints it: RFC 3339, UTC, with milliseconds.
fn time_of(text: &str) -> Option<Time> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    // Days from dates by Howard Hinnant's `days_from_civil`
    // (https://howardhinnant.github.io/date_algorithms.html), for years after 1970.
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted / 400, shifted % 400);
    let month_of_year = (month + 9) % 12;
    let day_of_year = (153 * month_of_year + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    let seconds = part(11..13)? * 3_600 + part(14..16)? * 60 + part(17..19)?;
    Some(Time((days * 86_400 + seconds) * 1_000 + part(20..23)?))
}

/// `GET /log/{position}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let position: u64 = name
        .parse()
        .map_err(|_| Refusal::new(Code::Malformed, "a position is a number"))?;
    let event = event_at(&user, position).await?;
    let json = serde_json::to_string_pretty(&event).unwrap_or_default();
    let mut facts = Vec::new();
    if let Some(cause) = event.get("cause").and_then(Value::as_str) {
        let cause = cause.parse::<AnyId>().map(|id| maud_of(Thing(id)));
        facts.push(("Caused by", cause.unwrap_or_else(|_| text("unknown"))));
    }
    let page = One {
        line: line(&user, &event),
        facts,
        json,
        neighbours: user.caller.principal == Principal::Operator,
        more: position < user.door().node.hub().indexed(),
    };
    user.page(&format!("Event {position}"), Place::Log, &page.page())
        .await
}

/// The event at a position with its texts, as far as it concerns the viewer.
async fn event_at(user: &SignedIn, position: u64) -> Result<Value, Refusal> {
    let scope = user.scope().await?;
    let found = user.view(move |v| v.describe_to(scope, position)).await?;
    found.ok_or(Code::NotFound.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_times_are_read_back() {
        for ms in [0, 951_782_400_000, 1_795_351_234_567, 4_107_542_399_999] {
            assert_eq!(time_of(&Time(ms).to_string()), Some(Time(ms)));
        }
        assert_eq!(time_of("soon"), None);
    }
}
