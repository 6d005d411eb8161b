//! The terms of an offer, as options of the commands that make one.

use clap::Args;
use serde_json::{Value, json};

use super::parse;
use super::remote;
use crate::output::CliError;

/// What is offered.
#[derive(Debug, Args)]
#[command(next_help_heading = "Terms")]
pub(crate) struct Terms {
    /// What the buyer pays for everything together.
    #[arg(long, value_name = "AMOUNT", value_parser = parse::amount)]
    price: String,
    /// The asset; by default the realm's first.
    #[arg(long, value_name = "CODE")]
    asset: Option<String>,
    /// Something promised, as NAME or NAME=QUANTITY; may be given several times.
    #[arg(long, value_name = "NAME[=N]", value_parser = parse::line)]
    line: Vec<Value>,
    /// A further issue of the agreement, as NAME or NAME=VALUE; may be given several times.
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = parse::attribute)]
    issue: Vec<Value>,
    /// How long after agreement the seller has to deliver; by default a day.
    #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
    deliver_within: Option<u64>,
    /// How long after delivery the buyer has to accept or dispute; by default a day. Between
    /// different owners at least an hour, unless the realm's settings say otherwise.
    #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
    review_within: Option<u64>,
    /// How long after a dispute the arbiter has to rule; by default seven days.
    #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
    rule_within: Option<u64>,
    /// The agent that rules in a dispute, whose owner is on neither side; by default the realm's
    /// operator.
    #[arg(long, value_name = "AGENT")]
    arbiter: Option<String>,
    /// What happens if the buyer stays silent; by default settle.
    #[arg(long, value_parser = ["settle", "refund", "halve"])]
    on_no_review: Option<String>,
    /// What happens if the arbiter stays silent; by default halve.
    #[arg(long, value_parser = ["settle", "refund", "halve"])]
    on_no_ruling: Option<String>,
    /// The team whose members share the proceeds by their agreed split.
    #[arg(long, value_name = "TEAM")]
    payee_team: Option<String>,
    /// How long the offer can be accepted.
    #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms, default_value = "1d")]
    valid_for: u64,
    /// A note about it; - reads standard input.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Terms {
    /// The arguments that every operation with terms has: `terms`, `valid_for_ms` and `note`,
    /// joined with its own.
    ///
    /// # Errors
    /// When the note cannot be read.
    pub(crate) fn args(self, own: Value) -> Result<Value, CliError> {
        let note = self.note.as_deref().map(parse::text_or_stdin).transpose()?;
        let terms = json!({
            "price": self.price, "asset": self.asset, "lines": self.line, "issues": self.issue,
            "deliver_within_ms": self.deliver_within, "review_within_ms": self.review_within,
            "rule_within_ms": self.rule_within, "arbiter": self.arbiter.map(|a| json!({ "agent": a })),
            "on_no_review": self.on_no_review, "on_no_ruling": self.on_no_ruling,
            "payee_team": self.payee_team,
        });
        let mut args = json!({ "terms": terms, "valid_for_ms": self.valid_for, "note": note });
        if let (Some(args), Value::Object(own)) = (args.as_object_mut(), own) {
            args.extend(own);
        }
        Ok(remote::without_nulls(args))
    }
}
