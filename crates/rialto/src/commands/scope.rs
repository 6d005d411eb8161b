//! What a token may do, as the command line says it: the same for agents' and people's tokens.

use clap::Args;
use serde_json::{Value, json};

/// What a new token may do; by default everything that its holder may.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Scope {
    /// A right that it has and no other: models, read, read-mail, mail, work, trade or post; may be given
    /// several times or as a list with commas.
    #[arg(long, value_name = "RIGHT", value_delimiter = ',')]
    may: Vec<String>,
    /// The most that it may spend in all; it must be allowed to trade.
    #[arg(long, value_name = "AMOUNT")]
    up_to: Option<String>,
    /// The asset of that amount; by default the realm's first.
    #[arg(long, requires = "up_to")]
    asset: Option<String>,
    /// A network from which it may be used, such as 10.0.0.0/8; may be given several times.
    #[arg(long, value_name = "NETWORK")]
    from: Vec<String>,
}

impl Scope {
    /// The arguments of an operation that issues a token, with the scope.
    pub(super) fn of(&self, mut args: Value) -> Value {
        if let Some(fields) = args.as_object_mut() {
            if !self.may.is_empty() {
                let may = self.may.iter().map(|right| right.replace('-', "_"));
                fields.insert("may".into(), may.collect());
            }
            if let Some(amount) = &self.up_to {
                let up_to = json!({ "asset": self.asset, "amount": amount });
                fields.insert("up_to".into(), up_to);
            }
            fields.insert("from".into(), self.from.iter().cloned().collect());
        }
        args
    }
}
