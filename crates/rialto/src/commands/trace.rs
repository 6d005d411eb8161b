//! `rialto trace`: one thing through every cause and effect.

use clap::Args;
use rialto_core::id::AnyId;
use serde_json::{Value, json};

use super::remote::Remote;
use super::show;
use crate::output::{CliError, Output};
use rialto_client::quoted;

/// What to follow.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// The id of a goal, task, call, deal, message, hold or any other thing.
    id: String,
    /// Only hops of this kind, each on a line of its own, such as policy.usage_settled.
    #[arg(long)]
    kind: Option<String>,
    /// Where the page before ended.
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Prints the thread of a thing, hop by hop, in the order of the log.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: TraceArgs, out: Output) -> Result<(), CliError> {
    let id: AnyId = args.id.parse().map_err(|_| not_an_id(&args.id))?;
    let client = args.remote.client()?;
    let part = [("kind", &args.kind), ("cursor", &args.cursor)];
    let part = part.into_iter().filter_map(|(name, given)| {
        let given = given.as_deref()?;
        Some(format!("{name}={}", quoted(given)))
    });
    let part: Vec<String> = part.collect();
    let path = format!("/api/trace/{id}?{}", part.join("&"));
    let trace = client.get(path.trim_end_matches('?')).await?;
    let told = trace.get("hops").and_then(Value::as_array);
    if part.is_empty() && told.is_some_and(Vec::is_empty) {
        return Err(nothing_under(id));
    }
    out.json(&trace)?;
    if out.is_json() {
        return Ok(());
    }
    print(out, &trace)
}

fn not_an_id(text: &str) -> CliError {
    CliError::usage(format!("{text:?} is not an id")).hint(
        "ids look like deal_000000005001: task_, call_, neg_, deal_, msg_, hold_ or another kind, \
         and twelve digits; commands print them, and rialto deal list or rialto task list finds them",
    )
}

/// Some things exist without a thread: what happens to them is in the log.
fn nothing_under(id: AnyId) -> CliError {
    let error = CliError::failed(format!("nothing is recorded under {id} in a trace"));
    error.hint(match id {
        AnyId::AgentId(_) | AnyId::PersonId(_) => {
            format!("see what it did: rialto log show --actor {id}")
        }
        _ => "a trace follows goals, tasks, calls, negotiations, deals, approvals, holds, transfers, \
              messages and posts"
            .to_owned(),
    })
}

/// Prints a trace for people.
///
/// # Errors
/// When the output cannot be written.
pub(crate) fn print(out: Output, trace: &Value) -> Result<(), CliError> {
    let part = |name: &str| {
        trace
            .get(name)
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice)
    };
    let hops: Vec<Value> = part("hops").iter().map(hop).collect();
    let columns = [
        ("POSITION", "/position"),
        ("AT", "/at"),
        ("THING", "/id"),
        ("WHO", "/who"),
        ("WHAT", "/what"),
        ("AMOUNT", "/amount"),
        ("CAUSE", "/links"),
        ("BASIS", "/basis"),
    ];
    show::table(out, &hops, &columns)?;
    for gap in part("gaps") {
        let id = |name: &str| {
            gap.get(name)
                .and_then(Value::as_str)
                .unwrap_or("-")
                .to_owned()
        };
        out.line(format!(
            "gap: {} was named as a cause by {}, but no event made it",
            id("id"),
            id("named_by")
        ))?;
    }
    if let Some(cursor) = trace.get("next_cursor").and_then(Value::as_str) {
        out.note(format!("there is more: --cursor {cursor}"));
    }
    let verdict = match trace.get("gaps").and_then(Value::as_array).map(Vec::len) {
        Some(0) => "no gaps".to_owned(),
        Some(gaps) => format!("{gaps} gaps"),
        None => {
            "cut: the thread is longer than a trace follows, so its gaps are not known".to_owned()
        }
    };
    out.line(format!(
        "{} hops, {verdict}, at position {}",
        hops.len(),
        trace.get("position").unwrap_or(&Value::Null)
    ))
}

/// A hop as a row; what is private says so.
fn hop(hop: &Value) -> Value {
    let mut row = hop.clone();
    let private = hop.get("private").and_then(Value::as_bool) == Some(true);
    if let Some(fields) = row.as_object_mut() {
        if private {
            fields.insert("what".to_owned(), json!("(private)"));
        } else if fields.get("what").is_none_or(Value::is_null) {
            let kind = fields.get("kind").cloned().unwrap_or(Value::Null);
            fields.insert("what".to_owned(), kind);
        }
        if let Some(folded) = fields.get("folded").cloned() {
            let number = |of: &str| folded.pointer(of).and_then(Value::as_u64);
            let hops = number("/hops").unwrap_or_default();
            let kind = fields.get("kind").and_then(Value::as_str).unwrap_or("-");
            let tokens = number("/work/tokens").map(|n| format!(", {n} tokens"));
            let what = format!("{hops} times {kind}{}", tokens.unwrap_or_default());
            fields.insert("what".to_owned(), json!(what));
        }
        if let Some(Value::String(basis)) = fields.get("basis") {
            let basis = basis.replace('_', "-");
            fields.insert("basis".to_owned(), json!(basis));
        }
    }
    row
}
