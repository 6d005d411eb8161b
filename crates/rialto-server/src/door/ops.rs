//! Metrics, health and readiness, for those who run the server.
//!
//! Health and readiness are for everybody who can reach the server, and name a code and its title at most.
//! Metrics tell how a realm is doing, which is not for everybody.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use rialto_core::decide::secret_hash;
use rialto_core::identity::Principal;
use rialto_core::reject::Code;
use rialto_views::Rebuilding;

use super::answer::{Answer, Health, Metrics};
use super::auth::{Caller, bearer, token_of};
use super::problem::Refusal;
use super::{Door, reads};
use crate::node::{ClockState, Failure, Lag, Trouble};
use crate::reload::Reloaded;

/// `GET /healthz`: the process lives and its log can be written.
pub(super) async fn healthz(State(door): State<Arc<Door>>) -> Health {
    let well = !door.node.has_stopped();
    let line = match well {
        true => "ok\n",
        false => "stopped: the log could not be written\n",
    };
    Health {
        well,
        line: line.to_owned(),
    }
}

/// Why the realm is not ready, if it is not: first what stops requests, then damage, then the
/// views.
fn trouble(door: &Door) -> Option<Trouble> {
    let node = &door.node;
    let stopped = node.failure();
    let stopped = stopped.or_else(|| node.hub().is_closing().then_some(Failure::Draining));
    let stopped = stopped.map(|failure| Trouble {
        code: failure.code(),
        detail: String::new(),
    });
    stopped
        .or_else(|| node.health().damage())
        .or_else(|| node.health().views())
}

/// What is wrong with the realm's clock. Public, because `/api/realm` shows the time.
fn clock_advice(door: &Door) -> Health {
    let clocks = door.node.clocks();
    let (well, line) = match (clocks.state, clocks.advice()) {
        (ClockState::Jumped, Some(advice)) => {
            let line = format!("not ready: {} {advice}\n", Code::ClockJump);
            (false, line)
        }
        (_, Some(advice)) => (true, format!("ready, but {advice}\n")),
        (_, None) => (true, "ready\n".to_owned()),
    };
    Health { well, line }
}

/// Views that lag longer than this make a realm not ready: readers do not see what was accepted.
const LAG: Duration = Duration::from_secs(10);

/// Why lists are not what the log says, if they lag for long, or are being rebuilt.
fn lists_advice(lag: Lag, rebuilding: &[Rebuilding]) -> Option<Health> {
    let rebuilt: Vec<String> = rebuilding.iter().map(ToString::to_string).collect();
    if lag.age > LAG {
        let (code, age) = (Code::ViewsLag, lag.age.as_secs());
        let mut line = format!(
            "not ready: {code} {}: {age} s, {} events",
            code.title(),
            lag.envelopes
        );
        for domain in rebuilt {
            line.push_str("; ");
            line.push_str(&domain);
        }
        line.push('\n');
        return Some(Health { well: false, line });
    }
    let line = (!rebuilt.is_empty()).then(|| format!("ready, but {}\n", rebuilt.join("; ")));
    line.map(|line| Health { well: true, line })
}

/// `GET /readyz`: the server accepts requests, knows of no damage to the log, and updates the
/// views, which do not lag for long. The operator also reads the exact problem.
pub(super) async fn readyz(State(door): State<Arc<Door>>, request: Request) -> Health {
    let Some(Trouble { code, detail }) = trouble(&door) else {
        let clock = clock_advice(&door);
        return match lists_advice(door.node.hub().lag(), &door.views.rebuilding()) {
            Some(lists) if clock.well => lists,
            _ => clock,
        };
    };
    let operator = token_of(request.extensions(), request.headers(), &door);
    let operator = operator.is_ok_and(|info| info.principal == Principal::Operator);
    let detail = match detail.as_str() {
        detail if operator && !detail.is_empty() => format!(": {detail}"),
        _ => String::new(),
    };
    Health {
        well: false,
        line: format!("not ready: {code} {}{detail}\n", code.title()),
    }
}

/// Refuses everybody except the operator and holders of the metrics' secret.
async fn may_read(door: &Arc<Door>, request: Request) -> Result<(), Refusal> {
    let secret = bearer(request.headers()).map(secret_hash);
    if secret.is_some() && secret == door.rules.metrics {
        return Ok(());
    }
    let caller = Caller::from_request_parts(&mut request.into_parts().0, door).await?;
    caller.known()?;
    if door.node.has_stopped() && caller.principal == Principal::Operator {
        // There is no state any more to judge it on.
        return Ok(());
    }
    reads::operator(door, &caller).await
}

/// `POST /api/config/reload`.
pub(super) async fn reload(State(door): State<Arc<Door>>, caller: Caller) -> Answer<Reloaded> {
    reads::operator(&door, &caller).await?;
    let Some(reloader) = &door.rules.reloader else {
        let why = "this server was started without settings";
        return Err(Refusal::new(Code::BadSettings, why));
    };
    let outcome = reloader.reload().await;
    Ok(Json(outcome.map_err(Refusal::from)?))
}

/// `GET /metrics`: the Prometheus text format, version 0.0.4.
pub(super) async fn metrics(
    State(door): State<Arc<Door>>,
    request: Request,
) -> Result<Metrics, Refusal> {
    may_read(&door, request).await?;
    // A node that has stopped has no state to count in.
    let owed = door.node.read(rialto_core::state::State::owed_counts).await;
    Ok(told(&door, owed.ok().map(|(_, counts)| counts)))
}

fn told(door: &Door, owed: Option<(usize, usize)>) -> Metrics {
    let health = door.node.health();
    let stats = door.node.stats();
    let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let hub = door.node.hub();
    let lag = hub.lag();
    let streams = super::STREAMS - door.streams.available_permits();
    let mut rows: Vec<(&str, &str, &str, f64)> = vec![
        (
            "rialto_commands_accepted_total",
            "counter",
            "commands accepted",
            as_f64(load(&stats.accepted)),
        ),
        (
            "rialto_commands_refused_total",
            "counter",
            "commands refused",
            as_f64(load(&stats.refused)),
        ),
        (
            "rialto_frames_total",
            "counter",
            "frames synced",
            as_f64(load(&stats.frames)),
        ),
        (
            "rialto_envelopes_total",
            "counter",
            "envelopes synced",
            as_f64(load(&stats.envelopes)),
        ),
        (
            "rialto_sync_seconds_total",
            "counter",
            "time spent in syncing",
            as_f64(load(&stats.sync_us)) / 1e6,
        ),
        (
            "rialto_writer_longest_turn_seconds",
            "gauge",
            "longest turn of the writer",
            as_f64(load(&stats.longest_turn_us)) / 1e6,
        ),
        (
            "rialto_waiting_requests",
            "gauge",
            "requests that wait for the writer",
            as_f64(load(&stats.waiting)),
        ),
        (
            "rialto_state_reads_total",
            "counter",
            "reads of the state",
            as_f64(load(&stats.reads)),
        ),
        (
            "rialto_view_reads_total",
            "counter",
            "reads of the lists and the log",
            as_f64(door.turns.taken()),
        ),
        (
            "rialto_tls_reloads_total",
            "counter",
            "certificates taken from changed files",
            as_f64(load(&door.edge.tls_taken)),
        ),
        (
            "rialto_tls_refusals_total",
            "counter",
            "changed files of a certificate that could not be used",
            as_f64(load(&door.edge.tls_refused)),
        ),
        (
            "rialto_durable_position",
            "gauge",
            "last durable position",
            as_f64(hub.durable()),
        ),
        (
            "rialto_indexed_position",
            "gauge",
            "position of the views",
            as_f64(hub.indexed()),
        ),
        (
            "rialto_views_lag_envelopes",
            "gauge",
            "envelopes that the views have not taken in",
            as_f64(lag.envelopes),
        ),
        (
            "rialto_views_lag_seconds",
            "gauge",
            "how long the oldest of these has been durable",
            lag.age.as_secs_f64(),
        ),
        (
            "rialto_views_rebuilding",
            "gauge",
            "domains of the views that are being rebuilt",
            as_f64(door.views.rebuilding().len() as u64),
        ),
        (
            "rialto_inbox_streams",
            "gauge",
            "inboxes being streamed",
            as_f64(streams as u64),
        ),
        (
            "rialto_body_bytes",
            "gauge",
            "bytes of request bodies held",
            as_f64(door.bodies.held() as u64),
        ),
        (
            "rialto_answer_bytes",
            "gauge",
            "bytes of answers on their way",
            as_f64(door.crowd.answer_bytes() as u64),
        ),
        (
            "rialto_checked_position",
            "gauge",
            "position up to which the log has been checked in this pass",
            as_f64(health.checked()),
        ),
        (
            "rialto_checks_total",
            "counter",
            "passes over the whole log that found it sound",
            as_f64(health.passes()),
        ),
        (
            "rialto_log_damaged",
            "gauge",
            "1 when damage to the log is known",
            f64::from(u8::from(health.damage().is_some())),
        ),
        (
            "rialto_views_stopped",
            "gauge",
            "1 when the views are not being updated",
            f64::from(u8::from(health.views().is_some())),
        ),
        (
            "rialto_uptime_seconds",
            "gauge",
            "time since start",
            door.started.elapsed().as_secs_f64(),
        ),
    ];
    if let Some((open, dead)) = owed {
        rows.push((
            "rialto_obligations_open",
            "gauge",
            "effects owed to the outside",
            as_f64(open as u64),
        ));
        rows.push((
            "rialto_obligations_dead",
            "gauge",
            "effects owed to the outside that are tried no more",
            as_f64(dead as u64),
        ));
    }
    if let Some(reloader) = &door.rules.reloader {
        let (applied, refused) = reloader.counts();
        rows.push((
            "rialto_settings_reloads_total",
            "counter",
            "times the settings were read again and applied",
            as_f64(applied),
        ));
        rows.push((
            "rialto_settings_refused_total",
            "counter",
            "times the settings were read again and refused",
            as_f64(refused),
        ));
    }
    let mut text = String::new();
    for (name, kind, help, value) in rows {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
        );
    }
    let times = [
        (
            "rialto_queue_wait_seconds",
            "time that requests waited for the writer",
            &stats.queue_wait,
        ),
        (
            "rialto_durable_seconds",
            "time from the decision of an accepted command until it was durable",
            &stats.durable,
        ),
    ];
    for (name, help, histogram) in times {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
        histogram.write(&mut text, name, "");
    }
    let name = "rialto_request_seconds";
    let help = "time until the head of an answer was ready, by route and class of status";
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
    door.edge.requests.write(&mut text, name);
    super::measured::write(&mut text, &door.gateway);
    Metrics(text)
}

/// Counts how long each request takes until the head of its answer is ready. Waits that were asked for count
/// too; what is streamed after the head does not.
pub(super) async fn timed(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let answer = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    door.edge
        .requests
        .count(route, answer.status().as_u16(), began.elapsed());
    answer
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a metric needs no more than 53 bits"
)]
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_lag_for_long_are_not_ready_and_say_why() {
        let rebuilt = Rebuilding {
            domain: "square",
            position: 7,
            of: 90,
        };
        let told = |seconds, rebuilding: &[Rebuilding]| {
            let lag = Lag {
                envelopes: 12,
                age: Duration::from_secs(seconds),
            };
            lists_advice(lag, rebuilding).map(|health| (health.well, health.line))
        };
        let line = |well, line: &str| Some((well, line.to_owned()));
        assert_eq!(told(10, &[]), None);
        let lags = "not ready: RLT0921 the lists lag behind the log: 11 s, 12 events";
        assert_eq!(told(11, &[]), line(false, &format!("{lags}\n")));
        let square = "the lists of square are being rebuilt, at 7 of 90";
        let both = [rebuilt.clone()];
        assert_eq!(told(11, &both), line(false, &format!("{lags}; {square}\n")));
        assert_eq!(
            told(1, &[rebuilt]),
            line(true, &format!("ready, but {square}\n"))
        );
    }
}
