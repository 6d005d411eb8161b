//! `rialto accounts`: what was spent, reserved, earned and returned, from the log alone.

mod export;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::parse;
use super::remote::{self, Paged, Remote};
use super::show::{self, Column};
use crate::output::{CliError, Output};

/// By what the figures are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Dimension {
    Owner,
    Agent,
    Counterparty,
    Asset,
    /// The model that was called, or that a deal on capacity bought.
    Model,
    /// The kind of chip behind it.
    Chip,
    /// Through whom a called model was served.
    Provider,
    /// The deployment that served it.
    Deployment,
}

impl Dimension {
    fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Agent => "agent",
            Self::Counterparty => "counterparty",
            Self::Asset => "asset",
            Self::Model => "model",
            Self::Chip => "chip",
            Self::Provider => "provider",
            Self::Deployment => "deployment",
        }
    }
}

/// Which figures.
#[derive(Debug, Args)]
pub struct AccountsArgs {
    /// By what the figures are grouped; several separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "owner")]
    by: Vec<Dimension>,
    /// Only this time, as FROM..TO: days (2026-11-01..2026-11-30, the last included) or UTC times.
    #[arg(long, value_name = "FROM..TO", value_parser = parse::period)]
    period: Option<(Option<u64>, Option<u64>)>,
    /// Show the events behind the row with this key instead.
    #[arg(long, value_name = "KEY")]
    events: Option<String>,
    #[command(flatten)]
    paged: Paged,
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: Option<AccountsCommand>,
}

#[derive(Debug, Subcommand)]
enum AccountsCommand {
    /// Writes what own calls of models came to as a usage table (CSV), one row a day for each kind of tokens, for
    /// `rialto fleet` and for spreadsheets.
    Export {
        /// In the columns of FOCUS 1.3 instead.
        #[arg(long)]
        focus: bool,
        /// Only calls that ended in this time, as FROM..TO.
        #[arg(long, value_name = "FROM..TO", value_parser = parse::period)]
        period: Option<(Option<u64>, Option<u64>)>,
    },
}

const FIGURES: [Column; 8] = [
    ("ASSET", "/asset"),
    ("SPENT", "/spent"),
    ("RESERVED", "/reserved"),
    ("EARNED", "/earned"),
    ("RETURNED", "/returned"),
    ("MARGIN", "/margin"),
    ("RETURN", "/return"),
    ("KEY", "/key"),
];

/// Printed if any deal states what it used of which chips.
const MODELLED: [Column; 2] = [
    ("CHIP-SECONDS*", "/modelled_chip_seconds"),
    ("CHIP COST*", "/modelled_chip_cost"),
];

/// Printed if any calls of models were counted: those that were made or, where there are none, served.
const CALLS: [Column; 5] = [
    ("CALLS", "/calls/calls"),
    ("INPUT", "/calls/input"),
    ("CACHED", "/calls/cached"),
    ("OUTPUT", "/calls/output"),
    ("REASONING", "/calls/reasoning"),
];

/// Prints the accounts, or the events behind one of their rows.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: AccountsArgs, out: Output) -> Result<(), CliError> {
    if let Some(AccountsCommand::Export { focus, period }) = args.command {
        return export::run(&args.remote, out, focus, period.unwrap_or((None, None))).await;
    }
    let by: Vec<&str> = args.by.iter().map(|d| d.name()).collect();
    let (from, to) = args.period.unwrap_or((None, None));
    let text = |n: Option<u64>| n.map(|n| n.to_string());
    let mut parameters = vec![
        ("by", Some(by.join(","))),
        ("from", text(from)),
        ("to", text(to)),
    ];
    if let Some(key) = args.events {
        parameters.push(("key", Some(key)));
        let columns = [
            ("AT", "/at"),
            ("POSITION", "/position"),
            ("WHAT", "/kind"),
            ("AMOUNT", "/amount"),
            ("ASSET", "/asset"),
            ("DEAL", "/deal"),
            ("CALL", "/inference"),
            ("ENTRY", "/entry"),
        ];
        let path = "/api/report/accounts/events";
        return remote::list(&args.remote, out, path, &args.paged, &parameters, &columns).await;
    }
    let report = args
        .remote
        .client()?
        .get(&remote::query("/api/report/accounts", &parameters))
        .await?;
    out.json(&report)?;
    if out.is_json() {
        return Ok(());
    }
    print(out, &report, &by)
}

fn print(out: Output, report: &Value, by: &[&str]) -> Result<(), CliError> {
    let part = |name: &str| {
        report
            .get(name)
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice)
    };
    let mut rows: Vec<Value> = part("rows").iter().map(|row| flat(row, by, None)).collect();
    rows.extend(
        part("unattributed")
            .iter()
            .map(|row| flat(row, by, Some("unattributed"))),
    );
    rows.extend(part("total").iter().map(|row| flat(row, by, Some("total"))));
    let own: Vec<&str> = by.iter().copied().filter(|name| *name != "asset").collect();
    let heads: Vec<(&'static str, &'static str)> = own
        .iter()
        .map(|name| match *name {
            "owner" => ("OWNER", "/owner"),
            "agent" => ("AGENT", "/agent"),
            "model" => ("MODEL", "/model"),
            "chip" => ("CHIP", "/chip"),
            "provider" => ("PROVIDER", "/provider"),
            "deployment" => ("DEPLOYMENT", "/deployment"),
            _ => ("COUNTERPARTY", "/counterparty"),
        })
        .collect();
    let heads = if heads.is_empty() {
        vec![("", "/row")]
    } else {
        heads
    };
    let modelled = rows.iter().any(|row| {
        let seconds = row.get("modelled_chip_seconds");
        seconds.is_some_and(Value::is_string)
    });
    let (figures, key) = FIGURES.split_at(FIGURES.len() - 1);
    let chips = if modelled { &MODELLED[..] } else { &[] };
    show::table(out, &rows, &[&heads, figures, &CALLS, chips, key].concat())?;
    if modelled {
        out.line(
            "* modelled by the sellers' price lists: chip-seconds behind what was spent, and what \
             these cost",
        )?;
    }
    for row in part("operator") {
        let figure = |name: &str| {
            row.get(name)
                .and_then(Value::as_str)
                .unwrap_or("0")
                .to_owned()
        };
        out.line(format!(
            "{}: issued {}, deposited {}, withdrawn {}, corrected {}",
            figure("asset"),
            figure("issued"),
            figure("deposited"),
            figure("withdrawn"),
            figure("corrected")
        ))?;
    }
    out.line(format!(
        "from the log up to position {}",
        report.get("position").unwrap_or(&Value::Null)
    ))
}

/// A row with its dimensions beside its figures; `named` replaces the first dimension.
fn flat(row: &Value, by: &[&str], named: Option<&str>) -> Value {
    let mut cells: Map<String, Value> = row.as_object().cloned().unwrap_or_default();
    let dimensions = cells
        .remove("by")
        .and_then(|v| v.as_object().cloned())
        .unwrap_or_default();
    for (name, value) in dimensions {
        cells.insert(name, value);
    }
    let marks = cells
        .remove("resembles")
        .and_then(|v| v.as_object().cloned())
        .unwrap_or_default();
    for (name, value) in marks {
        cells.insert(format!("{name}_resembles"), value);
    }
    let made = cells.get("called").filter(|calls| calls.is_object());
    let calls = made.or(cells.get("served")).cloned();
    cells.insert("calls".to_owned(), calls.unwrap_or(Value::Null));
    if let Some(name) = named {
        let first = by.iter().find(|d| **d != "asset").copied().unwrap_or("row");
        cells.insert(first.to_owned(), json!(name));
    }
    if let Some(share) = cells.get("return_on_spend").and_then(Value::as_str) {
        let percent = percent(share);
        cells.insert("return".to_owned(), json!(percent));
    }
    Value::Object(cells)
}

/// A fraction with six digits as a percentage with one: `0.156000` is `+15.6 %`.
fn percent(fraction: &str) -> String {
    let Ok(fraction) = fraction.parse::<f64>() else {
        return fraction.to_owned();
    };
    format!("{:+.1} %", fraction * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_dimensions() {
        let row = json!({ "key": "k", "by": { "owner": "acme" }, "asset": "USD", "spent": "1.00", "return_on_spend": "0.156" });
        let cells = flat(&row, &["owner"], None);
        assert_eq!(
            (&cells["owner"], &cells["return"]),
            (&json!("acme"), &json!("+15.6 %"))
        );
        assert_eq!(
            flat(&json!({ "asset": "USD" }), &["asset"], Some("total"))["row"],
            json!("total")
        );
    }
}
