//! `rialto trace`: one thing through every cause and effect.

use clap::Args;
use rialto_core::id::AnyId;
use serde_json::{Value, json};

use super::remote::Remote;
use super::show;
use crate::output::{CliError, Output};

/// What to follow.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// The id of a goal, task, call, deal, message, hold or any other thing.
    id: String,
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
    let trace = client.get(&format!("/api/trace/{id}")).await?;
    let told = trace.get("hops").and_then(Value::as_array);
    if told.is_some_and(Vec::is_empty) {
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
    if trace.get("truncated").and_then(Value::as_bool) == Some(true) {
        out.note("the thread is longer than one answer: to continue, trace one of its last ids");
    }
    let gaps = part("gaps").len();
    let verdict = if gaps == 0 {
        "no gaps".to_owned()
    } else {
        format!("{gaps} gaps")
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
        if let Some(Value::String(basis)) = fields.get("basis") {
            let basis = basis.replace('_', "-");
            fields.insert("basis".to_owned(), json!(basis));
        }
    }
    row
}
