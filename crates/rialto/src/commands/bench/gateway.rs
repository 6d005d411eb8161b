//! `rialto bench gateway`: what the gateway adds to a call of a model.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use rialto_bench::gateway::{self, GatewayCase, GatewayFigures, GatewayPlan, Peer};

use super::{Bar, PlaceArgs};
use crate::output::{CliError, Output};

/// What the gateway adds to a call of a model, and what that costs.
///
/// Starts a server of its own as another process, on disk, and a model's server within this process that answers at
/// once: a plain answer, or one in 50 pieces. Each call is one of chat completions; through the gateway it is reserved
/// on the ledger, durable before the first byte of its answer, and settled. The same calls go directly to the model's
/// server and, if named, to other gateways, in turns; of several rounds the one with the median rate is told. The
/// processor time is that of the gateway's process alone. A steady rate is asked whatever comes back; its times run
/// from when a call was due. Then one pair of agents makes deals beside such loads. At the end every call must be
/// settled.
#[derive(Debug, Args)]
pub(crate) struct GatewayArgs {
    /// How long each case lasts, in seconds.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Rounds of each case.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Calls a second of the steady rate.
    #[arg(long, default_value_t = 2_000)]
    rate: usize,
    /// Where the model's server listens; port 0 takes a free one. Other gateways are set to it.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    upstream: SocketAddr,
    /// Another gateway before the same model's server, as NAME=ADDR or, to tell its processor time and memory,
    /// NAME=ADDR,PROCESS; may be given several times.
    #[arg(long, value_name = "PEER", value_parser = peer)]
    peer: Vec<Peer>,
    /// A further header of calls of other gateways, as `name: value`; may be given several times.
    #[arg(long, value_name = "HEADER")]
    peer_header: Vec<String>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Reads `NAME=ADDR[,PROCESS]`.
fn peer(text: &str) -> Result<Peer, String> {
    let parts = || {
        let (name, place) = text.split_once('=')?;
        let (at, process) = match place.split_once(',') {
            None => (place, None),
            Some((at, process)) => (at, Some(process.parse().ok()?)),
        };
        let at = at.trim_start_matches("http://").parse().ok()?;
        Some(Peer {
            name: name.to_owned(),
            at,
            process,
        })
    };
    parts().ok_or_else(|| "write NAME=127.0.0.1:PORT or NAME=127.0.0.1:PORT,PROCESS".to_owned())
}

/// Runs `rialto bench gateway`.
pub(crate) async fn run(args: &GatewayArgs, out: Output) -> Result<(), CliError> {
    let plan = GatewayPlan {
        time: Duration::from_secs(args.seconds),
        rounds: args.rounds,
        rate: args.rate,
        peers: args.peer.clone(),
        upstream: args.upstream,
        headers: args.peer_header.clone(),
    };
    let (place, mut bar) = (args.place.place()?, Bar::new(out));
    let report = gateway::measure(&plan, &place, &mut bar).await?;
    bar.clear();
    print(&report, out)
}

fn print(report: &GatewayFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    for case in &report.cases {
        out.line(line(case, report))?;
    }
    for deals in &report.deals {
        out.line(format!(
            "steps of deals beside {}: {}",
            deals.beside,
            deals.steps.text()
        ))?;
    }
    Ok(())
}

fn line(case: &GatewayCase, report: &GatewayFigures) -> String {
    let load = match case.at_once {
        Some(at_once) => format!("{at_once} at once"),
        None => format!("{} a second", report.rate),
    };
    let kind = if case.streamed { "streams" } else { "plain" };
    let same = |other: &&GatewayCase| {
        (other.at_once, other.streamed) == (case.at_once, case.streamed) && other.name == "direct"
    };
    let added = report
        .cases
        .iter()
        .find(same)
        .map_or(String::new(), |direct| {
            let (p50, p99) = (
                case.calls.p50_ms - direct.calls.p50_ms,
                case.calls.p99_ms - direct.calls.p99_ms,
            );
            format!("; added p50 {p50:.2} ms, p99 {p99:.2} ms")
        });
    let added = if case.name == "direct" {
        String::new()
    } else {
        added
    };
    let cost = case
        .cpu_us
        .map_or(String::new(), |us| format!("; {us:.0} µs of a processor"));
    let memory = case.memory.map_or(String::new(), |memory| {
        format!("; {:.0} MiB", memory.now_mib)
    });
    format!(
        "{:<12} {load:>15} {kind:<7} {:>7.0}/s; {}{added}{cost}{memory}",
        case.name,
        case.calls_per_s,
        case.calls.text()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_a_name_an_address_and_perhaps_a_process() {
        let read = |text: &str| peer(text).map(|p| (p.name, p.at.port(), p.process)).ok();
        for (text, want) in [
            ("a=127.0.0.1:80", Some(("a".to_owned(), 80, None))),
            (
                "a=http://127.0.0.1:80,7",
                Some(("a".to_owned(), 80, Some(7))),
            ),
            ("a=127.0.0.1", None),
            ("127.0.0.1:80", None),
            ("a=127.0.0.1:80,x", None),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
    }
}
