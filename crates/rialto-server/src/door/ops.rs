//! For operations: metrics, health, readiness.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Door;
use crate::node::ClockState;

/// `GET /healthz`: the process lives and its log can be written.
pub(super) async fn healthz(State(door): State<Arc<Door>>) -> Response {
    if door.node.has_stopped() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "stopped: the log could not be written\n",
        )
            .into_response();
    }
    "ok\n".into_response()
}

/// `GET /readyz`: requests are taken.
pub(super) async fn readyz(State(door): State<Arc<Door>>) -> Response {
    if door.node.has_stopped() || door.node.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response();
    }
    let clocks = door.node.clocks();
    let advice = clocks.advice();
    match (clocks.state, advice) {
        (ClockState::Jumped, Some(advice)) => {
            let text = format!("not ready: {advice}\n");
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
        (_, Some(advice)) => format!("ready, but {advice}\n").into_response(),
        (_, None) => "ready\n".into_response(),
    }
}

/// `GET /metrics`: the Prometheus text format, version 0.0.4.
pub(super) async fn metrics(State(door): State<Arc<Door>>) -> Response {
    let stats = door.node.stats();
    let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let hub = door.node.hub();
    let streams = super::STREAMS - door.streams.available_permits();
    let rows: [(&str, &str, &str, f64); 11] = [
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
            "rialto_inbox_streams",
            "gauge",
            "inboxes being streamed",
            as_f64(streams as u64),
        ),
        (
            "rialto_uptime_seconds",
            "gauge",
            "time since start",
            door.started.elapsed().as_secs_f64(),
        ),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in rows {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
        );
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a metric needs no more than 53 bits"
)]
fn as_f64(count: u64) -> f64 {
    count as f64
}
