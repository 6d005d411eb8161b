//! `rialto bench mail`: messages a second, and how long one takes to arrive.

use clap::Args;
use rialto_bench::mail::{self, MailFigures, MailPlan};

use super::{Bar, PlaceArgs};
use crate::output::{CliError, Output};

/// Messages a second, durable and indexed, and how long one takes to arrive.
///
/// Starts its own server as another process, with the realm on disk. First, senders each write to a partner
/// in batches as fast as they are acknowledged; a message counts as delivered when its answer is back (it
/// is durable and in the inbox then), and as indexed when the views have it. Then senders write single
/// messages at a steady rate, and each partner follows its inbox by server-sent events; the time runs from
/// the moment the message was due to be sent until its event is read, so that a stall counts against every
/// message that it held up.
#[derive(Debug, Args)]
pub(crate) struct MailArgs {
    /// Messages of the first case.
    #[arg(long, default_value_t = 400_000)]
    messages: usize,
    /// Messages in a request of the first case.
    #[arg(long, default_value_t = 500)]
    batch: usize,
    /// Pairs of a sender and a receiver.
    #[arg(long, default_value_t = 16)]
    pairs: usize,
    /// Messages a second in the second case, all pairs together.
    #[arg(long, default_value_t = 2_000)]
    rate: usize,
    /// Seconds of the second case.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
    /// Every message carries an id of its sender's, by which a repeat is known.
    #[arg(long)]
    ids: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Runs `rialto bench mail`.
pub(crate) async fn run(args: &MailArgs, out: Output) -> Result<(), CliError> {
    let plan = MailPlan {
        messages: args.messages,
        batch: args.batch,
        pairs: args.pairs,
        rate: args.rate,
        seconds: args.seconds,
        ids: args.ids,
    };
    let (place, mut bar) = (args.place.place()?, Bar::new(out));
    let report = mail::measure(&plan, &place, &mut bar).await?;
    bar.clear();
    print(&report, out)
}

fn print(report: &MailFigures, out: Output) -> Result<(), CliError> {
    out.json(report)?;
    out.line(format!(
        "{} messages by {} pairs, {} a request: {:.0}/s delivered and durable, {:.0}/s indexed",
        report.messages, report.pairs, report.batch, report.delivered_per_s, report.indexed_per_s
    ))?;
    out.line(format!(
        "{} messages at {}/s, from due to read as an event: {}; server {:.0} MiB",
        report.steady_sent,
        report.steady_rate_per_s,
        report.send_to_event.text(),
        report.server.now_mib
    ))
}
