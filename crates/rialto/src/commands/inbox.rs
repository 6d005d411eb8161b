//! `rialto inbox …`: what waits for an agent.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::bargain;
use super::parse;
use super::post::shown;
use super::remote::{self, Remote};
use super::show::{self, Column};
use crate::output::{CliError, Output};
use rialto_client::{Client, ClientError};

/// How long to wait before connecting again.
const RECONNECT: Duration = Duration::from_secs(1);
/// How often in a row connecting again may fail.
const RECONNECTS: u32 = 30;

const COLUMNS: &[Column] = &[
    ("SEQ", "/seq"),
    ("AT", "/at"),
    ("FROM", "/who"),
    ("ABOUT", "/item/kind"),
    ("ID", "/item/id"),
    ("WHAT", "/what"),
    ("TEXT", "/text"),
    ("NOW", "/now"),
    ("MADE", "/made"),
    ("ANSWER WITH", "/next"),
];

/// The inbox of the acting agent.
#[derive(Debug, Args)]
pub struct InboxArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: InboxCommand,
}

#[derive(Debug, Subcommand)]
enum InboxCommand {
    /// Reads deliveries, by default those after the last acknowledged.
    Read {
        /// Deliveries after this number.
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
        /// How many, 1 to 100.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: Option<u32>,
        /// How long to wait for the first, at most 30s.
        #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
        wait: Option<u64>,
        /// Show quarantined texts too.
        #[arg(long)]
        quarantined: bool,
    },
    /// Prints deliveries as they come, until interrupted; reconnects if the connection breaks.
    Follow {
        /// Deliveries after this number.
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
        /// Show quarantined texts too.
        #[arg(long)]
        quarantined: bool,
    },
    /// Acknowledges all deliveries up to a number.
    Ack {
        /// The number.
        through: u64,
    },
    /// Admits a stranger whose first message waits as a request.
    Admit {
        /// The stranger's handle or id.
        agent: String,
    },
    /// Refuses a stranger whose first message waits as a request.
    Refuse {
        /// The stranger's handle or id.
        agent: String,
    },
}

/// Runs one inbox command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: InboxArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        InboxCommand::Read {
            after,
            limit,
            wait,
            quarantined,
        } => {
            let text = |n: Option<u64>| n.map(|n| n.to_string());
            let parameters = [
                ("after", text(after)),
                ("limit", limit.map(|n| n.to_string())),
                ("wait_ms", text(wait)),
                ("quarantined", shown(quarantined)),
            ];
            let page = remote
                .client()?
                .get(&remote::query("/api/inbox", &parameters))
                .await?;
            print(out, &page)
        }
        InboxCommand::Follow { after, quarantined } => {
            let parameters = [("quarantined", shown(quarantined))];
            let path = remote::query("/api/inbox/stream", &parameters);
            follow(&remote.client()?, out, &path, after).await
        }
        InboxCommand::Ack { through } => {
            remote::carry_out(
                remote,
                out,
                "mail.acknowledge",
                json!({ "through": through }),
            )
            .await
        }
        InboxCommand::Admit { agent } => answer(remote, out, &agent, true).await,
        InboxCommand::Refuse { agent } => answer(remote, out, &agent, false).await,
    }
}

async fn answer(remote: &Remote, out: Output, agent: &str, admit: bool) -> Result<(), CliError> {
    remote::carry_out(
        remote,
        out,
        "mail.answer_request",
        json!({ "agent": agent, "admit": admit }),
    )
    .await
}

fn print(out: Output, page: &Value) -> Result<(), CliError> {
    out.json(page)?;
    if out.is_json() {
        return Ok(());
    }
    let deliveries = page
        .get("deliveries")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    for span in page
        .get("trimmed")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        out.note(trimmed(span));
    }
    let rows: Vec<Value> = deliveries.iter().map(row).collect();
    if rows.is_empty() {
        out.note("nothing new");
    } else {
        show::table(out, &rows, COLUMNS)?;
    }
    let number = |of: &Value, name: &str| of.get(name).and_then(Value::as_u64).unwrap_or(0);
    let acknowledged = number(page, "acknowledged");
    let read = deliveries.last().map_or(0, |last| number(last, "seq"));
    let how = match read > acknowledged {
        true => format!("; once they are dealt with: rialto inbox ack {read}"),
        false => String::new(),
    };
    let last = number(page, "last");
    out.note(format!("acknowledged {acknowledged} of {last}{how}"));
    Ok(())
}

/// Says which deliveries are no longer kept.
fn trimmed(span: &Value) -> String {
    let number = |name: &str| span.get(name).and_then(Value::as_u64).unwrap_or(0);
    match (number("from"), number("through")) {
        (from, through) if from == through => format!("{from} is no longer kept"),
        (from, through) => format!("{from} to {through} are no longer kept"),
    }
}

/// A delivery with who made it, what happened by name, and its first text.
fn row(delivery: &Value) -> Value {
    let mut row = delivery.clone();
    if let Some(fields) = row.as_object_mut() {
        let texts = delivery.get("texts").and_then(Value::as_object);
        let text = texts.and_then(|t| t.iter().next());
        fields.insert(
            "what".to_owned(),
            json!(what(delivery.get("event").unwrap_or(&Value::Null))),
        );
        fields.insert("who".to_owned(), who(delivery));
        fields.insert("next".to_owned(), json!(bargain::next_for(delivery)));
        // The post's state if it has changed since.
        let now = delivery.get("post").filter(|state| *state != "live");
        fields.insert("now".to_owned(), now.cloned().unwrap_or(Value::Null));
        fields.insert(
            "text".to_owned(),
            text.map_or(Value::Null, |(id, body)| {
                let origin = delivery.get("provenance").and_then(|p| p.get(id));
                let said = |name| origin.and_then(|o: &Value| o.get(name));
                json!({ "content": id, "body": body, "withheld": said("withheld"), "screening": said("screening") })
            }),
        );
    }
    row
}

/// Who made a delivery: an agent, or what else it was.
fn who(delivery: &Value) -> Value {
    let from = |name: &str| delivery.get("from").and_then(|from| from.get(name));
    let who = from("agent").or_else(|| from("kind"));
    who.cloned().unwrap_or(Value::Null)
}

/// The name of an event: `deal_agreed` of `{"market": {"deal_agreed": {…}}}`. An offer says what for how
/// much.
fn what(event: &Value) -> Option<String> {
    let (_, inner) = event.as_object()?.iter().next()?;
    let (name, fact) = match inner {
        Value::String(name) => return Some(name.clone()),
        _ => inner.as_object()?.iter().next()?,
    };
    if let Some(end) = fact.get("end").and_then(Value::as_str)
        && name == "approval_ended"
    {
        // A yes and a no are not the same news.
        return Some(format!("approval {end}"));
    }
    let offered = bargain::offered(fact).filter(|_| name == "offer_made");
    Some(offered.map_or_else(|| name.clone(), |offered| format!("{name}: {offered}")))
}

/// Follows the stream; after a broken connection it resumes after the last delivery.
async fn follow(
    client: &Client,
    out: Output,
    path: &str,
    after: Option<u64>,
) -> Result<(), CliError> {
    let mut last = after;
    let mut failures = 0;
    loop {
        let before = last;
        match follow_once(client, out, path, &mut last).await {
            Ok(()) => failures = 0,
            Err(Broken::For(error)) => return Err(error),
            Err(Broken::Perhaps(error)) => {
                failures = if last == before { failures + 1 } else { 1 };
                if failures > RECONNECTS {
                    return Err(error);
                }
                out.note(format!("{}; trying again", error.message));
            }
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

enum Broken {
    /// The server refuses.
    For(CliError),
    /// The connection failed, which may pass.
    Perhaps(CliError),
}

impl From<ClientError> for Broken {
    fn from(error: ClientError) -> Self {
        CliError::from(error).into()
    }
}

impl From<CliError> for Broken {
    fn from(error: CliError) -> Self {
        match error.code.as_deref() {
            Some("RLT0909" | "RLT0910" | "RLT0016") => Self::Perhaps(error),
            _ => Self::For(error),
        }
    }
}

async fn follow_once(
    client: &Client,
    out: Output,
    path: &str,
    last: &mut Option<u64>,
) -> Result<(), Broken> {
    let mut events = client.events(path, *last).await?;
    while let Some(event) = events.next_event().await? {
        if event.kind == "problem" {
            let problem =
                serde_json::from_str(&event.data).map_err(|e| CliError::failed(e.to_string()))?;
            return Err(CliError::from(&problem).into());
        }
        *last = event.id.or(*last);
        if out.is_json() {
            // One document a line, so that a reader can take them as they come.
            out.json_line(&event.data)?;
            continue;
        }
        let delivery: Value =
            serde_json::from_str(&event.data).map_err(|e| CliError::failed(e.to_string()))?;
        if event.kind == "trimmed" {
            out.note(trimmed(&delivery));
            continue;
        }
        show::row(out, &row(&delivery), COLUMNS)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_says_from_whom_it_is() {
        let ana = json!({ "id": "agent_a", "handle": "@ana", "resembles": "@anna" });
        let from = json!({ "from": { "kind": "agent", "agent": ana } });
        assert_eq!(show::brief(&who(&from)), "@ana (not @anna)");
        let clock = json!({ "from": { "kind": "realm" } });
        assert_eq!(show::brief(&who(&clock)), "realm");
    }

    #[test]
    fn events_are_named() {
        let offer = json!({ "market": { "offer_made": {
            "offer": { "bargain": { "price": "12.50", "asset": "USD" } },
            "lines": [{ "item": "Tacos", "quantity": 2 }, { "item": "Salsa", "quantity": 1 }],
        } } });
        assert_eq!(
            what(&offer).as_deref(),
            Some("offer_made: 12.50 USD for Tacos 2, Salsa 1")
        );
        assert_eq!(
            what(&json!({ "market": { "deal_agreed": { "deal": "x" } } })).as_deref(),
            Some("deal_agreed")
        );
        assert_eq!(
            what(&json!({ "realm": "clock_accepted" })).as_deref(),
            Some("clock_accepted")
        );
        for end in ["approved", "denied", "expired", "over"] {
            let event =
                json!({ "policy": { "approval_ended": { "approval": "appr_1", "end": end } } });
            assert_eq!(what(&event), Some(format!("approval {end}")));
        }
        assert_eq!(what(&Value::Null), None);
    }
}
