//! The terms of a deployment, from flags and a TOML file.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use crate::output::{CliError, Output};

/// What a deployment is.
#[derive(Debug, Args)]
pub(super) struct TermsArgs {
    /// A TOML file of terms, whose fields are those of the operation; flags replace what it says.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The name by which agents call the model.
    #[arg(long, required_unless_present = "file")]
    model: Option<String>,
    /// Through whom it is served: a name of the server's settings.
    #[arg(long, required_unless_present = "file")]
    provider: Option<String>,
    /// What the provider calls the model.
    #[arg(long, required_unless_present = "file")]
    upstream: Option<String>,
    /// The kind of chip, such as trainium2.
    #[arg(long)]
    chip: Option<String>,
    /// How many replicas serve it.
    #[arg(long)]
    replicas: Option<u32>,
    /// Whose agents may call it.
    #[arg(long, value_parser = ["owner", "everyone"])]
    open_to: Option<String>,
    /// The asset of its prices.
    #[arg(long)]
    asset: Option<String>,
    /// What a million tokens of input cost.
    #[arg(long, value_name = "PRICE", required_unless_present = "file")]
    input: Option<String>,
    /// What a million tokens of output cost.
    #[arg(long, value_name = "PRICE", required_unless_present = "file")]
    output: Option<String>,
    /// What a million tokens that are read from a cache cost.
    #[arg(long, value_name = "PRICE")]
    cached: Option<String>,
    /// What a million tokens that are written to a cache for minutes cost.
    #[arg(long, value_name = "PRICE")]
    written: Option<String>,
    /// What a million tokens that are written to a cache for an hour cost.
    #[arg(long, value_name = "PRICE")]
    written_long: Option<String>,
    /// What a million tokens of images cost.
    #[arg(long, value_name = "PRICE")]
    image: Option<String>,
    /// What a million tokens of sound cost that is read.
    #[arg(long, value_name = "PRICE")]
    sound_in: Option<String>,
    /// What a million tokens of reasoning cost.
    #[arg(long, value_name = "PRICE")]
    reasoning: Option<String>,
    /// What a million tokens of sound cost that is made.
    #[arg(long, value_name = "PRICE")]
    sound_out: Option<String>,
    /// What each call costs beside its tokens.
    #[arg(long, value_name = "PRICE")]
    a_call: Option<String>,
    /// Says that prices which look like a slip are meant.
    #[arg(long)]
    sure: bool,
}

impl TermsArgs {
    /// The terms as the operation takes them.
    ///
    /// # Errors
    /// A usage error when the file cannot be read, or is no table.
    pub(super) fn read(self) -> Result<Value, CliError> {
        let mut terms = match &self.file {
            Some(file) => {
                let text = std::fs::read_to_string(file);
                let text = text
                    .map_err(|e| CliError::usage(format!("cannot read {}: {e}", file.display())))?;
                of_toml(&text)
                    .map_err(|why| CliError::usage(format!("{}: {why}", file.display())))?
            }
            None => Map::new(),
        };
        put(&mut terms, "replicas", self.replicas);
        for (name, word) in [
            ("model", self.model),
            ("provider", self.provider),
            ("upstream", self.upstream),
            ("chip", self.chip),
            ("open_to", self.open_to),
            ("asset", self.asset),
        ] {
            put(&mut terms, name, word);
        }
        let mut prices = taken(&mut terms, "prices");
        let mut rates = taken(&mut prices, "per_million");
        put(&mut prices, "a_call", self.a_call);
        put(&mut prices, "sure", self.sure.then_some(true));
        for (name, price) in [
            ("input", self.input),
            ("output", self.output),
            ("cached", self.cached),
            ("written", self.written),
            ("written_long", self.written_long),
            ("image", self.image),
            ("sound_in", self.sound_in),
            ("reasoning", self.reasoning),
            ("sound_out", self.sound_out),
        ] {
            put(&mut rates, name, price);
        }
        put(&mut prices, "per_million", Some(rates));
        put(&mut terms, "prices", Some(prices));
        Ok(Value::Object(terms))
    }
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value.into());
    }
}

/// The object under a name, taken out; empty if there is none.
fn taken(fields: &mut Map<String, Value>, name: &str) -> Map<String, Value> {
    match fields.remove(name) {
        Some(Value::Object(inner)) => inner,
        _ => Map::new(),
    }
}

/// The terms that a TOML text states. Prices may be written as numbers.
fn of_toml(text: &str) -> Result<Map<String, Value>, String> {
    let mut terms: Map<String, Value> = toml::from_str(text).map_err(|e| e.to_string())?;
    if let Some(prices) = terms.get_mut("prices") {
        in_decimals(prices);
    }
    Ok(terms)
}

/// Writes numbers as the decimals that the operation takes; what is no price stays a number.
fn in_decimals(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(in_decimals),
        Value::Object(fields) => {
            let prices = fields.iter_mut().filter(|(name, _)| *name != "above");
            prices.for_each(|(_, value)| in_decimals(value));
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Terms as a TOML text that [`of_toml`] reads back.
///
/// # Errors
/// When the output cannot be written.
pub(super) fn print(out: Output, terms: &Value) -> Result<(), CliError> {
    out.json(terms)?;
    match out.is_json() {
        true => Ok(()),
        false => out.line(to_toml(terms).trim_end()),
    }
}

fn to_toml(terms: &Value) -> String {
    let mut text = String::new();
    table(&mut text, "", terms);
    text
}

fn table(text: &mut String, path: &str, value: &Value) {
    let Some(fields) = value.as_object() else {
        return;
    };
    for (name, value) in fields {
        // A JSON text, number or truth value is one of TOML, too.
        if !value.is_object() && !value.is_array() && !value.is_null() {
            text.push_str(&format!("{name} = {value}\n"));
        }
    }
    let under = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    for (name, value) in fields {
        let path = under(name);
        if value.is_object() {
            text.push_str(&format!("\n[{path}]\n"));
            table(text, &path, value);
        }
        for item in value.as_array().into_iter().flatten() {
            text.push_str(&format!("\n[[{path}]]\n"));
            table(text, &path, item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_core::model::DeploymentTerms;
    use serde_json::json;

    #[test]
    fn a_file_may_write_prices_as_numbers() {
        let text = "model = \"fast\"\nprovider = \"house\"\nupstream = \"fast-1\"\nreplicas = 2\n\
            [prices]\nsure = true\n[prices.per_million]\ninput = 0.3\noutput = 15\n\
            [[prices.steps]]\nabove = 128000\nprices = { input = 0.6, output = \"22.5\" }\n";
        let terms = of_toml(text).unwrap();
        assert_eq!(
            terms["prices"],
            json!({ "sure": true, "per_million": { "input": "0.3", "output": "15" },
                "steps": [{ "above": 128_000, "prices": { "input": "0.6", "output": "22.5" } }] })
        );
        let terms: DeploymentTerms = serde_json::from_value(Value::Object(terms)).unwrap();
        assert!(terms.prices.read().is_ok());
        assert_eq!(terms.replicas, 2);
    }

    #[test]
    fn terms_are_read_back_as_they_are_printed() {
        let terms = json!({ "model": "a", "provider": "p", "upstream": "say \"x\"\\",
            "prices": { "per_million": { "input": "3", "output": "15" }, "sure": true,
                "steps": [{ "above": 9, "prices": { "input": "6", "output": "30" } }] } });
        let text = to_toml(&terms);
        assert_eq!(Value::Object(of_toml(&text).unwrap()), terms, "{text}");
    }
}
