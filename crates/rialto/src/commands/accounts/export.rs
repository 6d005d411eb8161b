//! `rialto accounts export`: calls of models as a usage table, or in the columns of FOCUS.
//!
//! The rows are made of receipts, so that they add up to what was paid: what a call paid is shared out by its
//! lines, and what rounding leaves goes to the last. The seller is the owner of the deployment, and the host
//! is through whom it serves. FOCUS is the FinOps Open Cost and Usage Specification (focus.finops.org), in
//! the version of [`rialto_economics::focus`].

use std::collections::BTreeMap;

use rialto_core::amount::Decimal;
use rialto_core::time::{DAY_MS, Time};
use rialto_economics::usage::{TokenKind, UsageRow};
use rialto_economics::{Basis, focus};
use rialto_fleet::cells::text_cell;
use serde_json::Value;

use super::super::parse;
use super::super::remote::{self, Remote};
use super::super::show;
use crate::output::{CliError, Output};

/// Digits after the point in which shares of a call are told apart.
const SCALE: u8 = 12;
/// The asset of a usage table.
const DOLLARS: &str = "USD";
const COLUMNS: &str = "period_start,period_end,provider,model,chip,host,region,owner,agent,token_kind,\
                       tokens,spend_usd,list_usd_per_million,basis";

/// Of what a row is the sum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// The day, in milliseconds since 1970.
    day: u64,
    seller: String,
    host: String,
    model: String,
    chip: String,
    owner: String,
    agent: String,
    kind: TokenKind,
    /// What a million cost.
    price: String,
    estimated: bool,
}

/// Tokens, and what was paid for them in 10⁻¹² of a dollar.
type Sums = BTreeMap<Key, (u64, i128)>;

/// Writes the table.
///
/// # Errors
/// As the server's; when a call was not paid in dollars, or the output cannot be written.
pub(super) async fn run(
    remote: &Remote,
    out: Output,
    in_focus: bool,
    (from, to): (Option<u64>, Option<u64>),
) -> Result<(), CliError> {
    let client = remote.client()?;
    let text = |n: Option<u64>| n.map(|n| n.to_string());
    let (mut sums, mut cursor) = (Sums::new(), None);
    loop {
        let parameters = [
            ("from", text(from)),
            ("to", text(to)),
            ("limit", Some("100".to_owned())),
            ("cursor", cursor.take()),
        ];
        let page = client
            .get(&remote::query("/api/inferences/receipts", &parameters))
            .await?;
        for receipt in show::rows_of(&page) {
            add(&mut sums, receipt)?;
        }
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    let rows: Vec<UsageRow> = sums.iter().map(row).collect();
    if !in_focus {
        out.json(&rows)?;
        return match out.is_json() {
            true => Ok(()),
            false => out.raw(&to_csv(&rows)),
        };
    }
    let records = focus::records("the calls", &rows);
    let records = records.map_err(|e| CliError::failed(e.to_string()))?;
    match out.is_json() {
        true => out.json(&records),
        false => out.raw(&focus::to_csv(&records)),
    }
}

fn word(value: &Value, pointer: &str) -> String {
    let word = value.pointer(pointer).and_then(Value::as_str);
    word.unwrap_or_default().to_owned()
}

/// An amount in 10⁻¹² of a whole unit.
fn pico(text: &str) -> Result<i128, CliError> {
    let decimal: Option<Decimal> = text.parse().ok();
    let amount = decimal.and_then(|decimal| decimal.amount(SCALE).ok());
    amount
        .map(|amount| amount.0)
        .ok_or_else(|| CliError::failed(format!("the server tells no amount: {text:?}")))
}

/// Adds what a receipt comes to.
fn add(sums: &mut Sums, receipt: &Value) -> Result<(), CliError> {
    let asset = word(receipt, "/asset");
    if asset != DOLLARS {
        let call = word(receipt, "/id");
        let why = format!("{call} was paid in {asset}: the table is in {DOLLARS}");
        return Err(CliError::failed(why));
    }
    let over = receipt.get("over").unwrap_or(&Value::Null);
    let at = parse::instant(&format!(
        "{}Z",
        word(over, "/at").split('.').next().unwrap_or("")
    ))
    .map_err(CliError::failed)?;
    let key = Key {
        day: at / DAY_MS * DAY_MS,
        seller: word(receipt, "/owner/name"),
        host: word(receipt, "/provider"),
        model: word(receipt, "/model"),
        chip: word(receipt, "/chip"),
        owner: word(receipt, "/caller/name"),
        agent: word(receipt, "/agent/handle"),
        kind: TokenKind::Input,
        price: String::new(),
        estimated: over.get("estimated").and_then(Value::as_bool) == Some(true),
    };
    let (sum, paid) = (pico(&word(over, "/sum"))?, pico(&word(over, "/paid"))?);
    let lines = over.get("lines").and_then(Value::as_array);
    let lines = lines.map_or(&[][..], Vec::as_slice);
    let mut left = paid;
    for (n, line) in lines.iter().enumerate() {
        let amount = pico(&word(line, "/amount"))?;
        let last = n + 1 == lines.len();
        let part = paid
            .checked_mul(amount)
            .and_then(|all| all.checked_div(sum));
        let part = if last { left } else { part.unwrap_or(0) };
        left -= part;
        let quantity = line.get("quantity").and_then(Value::as_u64).unwrap_or(0);
        let kind = word(line, "/kind");
        // What a call costs beside its tokens has no kind of its own: it is told with the first.
        let (of, tokens) = match kind.as_str() {
            "call" => (lines.first().unwrap_or(line), 0),
            _ => (line, quantity),
        };
        let (kind, price) = (kind_of(&word(of, "/kind")), word(of, "/price"));
        if tokens == 0 && part == 0 {
            continue;
        }
        let own = Key {
            kind,
            price,
            ..key.clone()
        };
        let row = sums.entry(own).or_default();
        row.0 = row.0.saturating_add(tokens);
        row.1 = row.1.saturating_add(part);
    }
    Ok(())
}

fn kind_of(kind: &str) -> TokenKind {
    match kind {
        "cached" => TokenKind::CachedInput,
        "written" | "written_long" => TokenKind::CacheWrite,
        "output" | "sound_out" => TokenKind::Output,
        "reasoning" => TokenKind::Reasoning,
        _ => TokenKind::Input,
    }
}

fn row((key, (tokens, paid)): (&Key, &(u64, i128))) -> UsageRow {
    let day = |ms: u64| {
        let mut text = Time(ms).to_string();
        text.truncate(10);
        text
    };
    let dollars = Decimal {
        units: *paid,
        scale: SCALE,
    };
    let number = |text: String| text.parse::<f64>().unwrap_or_default();
    UsageRow {
        period_start: day(key.day),
        period_end: day(key.day + DAY_MS),
        provider: key.seller.clone(),
        model: key.model.clone(),
        chip: key.chip.clone(),
        host: key.host.clone(),
        region: String::new(),
        owner: key.owner.clone(),
        agent: key.agent.clone(),
        token_kind: Some(key.kind),
        tokens: number(tokens.to_string()),
        spend_usd: number(dollars.text()),
        chip_seconds: None,
        list_usd_per_million: Some(number(key.price.clone())),
        basis: match key.estimated {
            true => Basis::Estimate,
            false => Basis::Measured,
        },
        line: 0,
    }
}

fn to_csv(rows: &[UsageRow]) -> String {
    let mut text = format!("{COLUMNS}\n");
    for row in rows {
        let texts = [
            &row.period_start,
            &row.period_end,
            &row.provider,
            &row.model,
            &row.chip,
            &row.host,
            &row.region,
            &row.owner,
            &row.agent,
        ];
        let mut cells: Vec<String> = texts.iter().map(|t| text_cell(t).into_owned()).collect();
        cells.extend(row.token_kind.map(|kind| kind.name().to_owned()));
        cells.push(row.tokens.to_string());
        cells.push(row.spend_usd.to_string());
        cells.push(row.list_usd_per_million.unwrap_or_default().to_string());
        cells.push(row.basis.to_string());
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_economics::usage;
    use serde_json::json;

    fn receipt(paid: &str, lines: &[(&str, u64, &str, &str)]) -> Value {
        let line = |(kind, quantity, price, amount): &(&str, u64, &str, &str)| json!({ "kind": kind, "quantity": quantity, "price": price, "amount": amount });
        let lines: Vec<Value> = lines.iter().map(line).collect();
        let sum: i128 = lines
            .iter()
            .map(|l| pico(&word(l, "/amount")).unwrap())
            .sum();
        let sum = Decimal {
            units: sum,
            scale: SCALE,
        }
        .text();
        json!({
            "id": "inference_000000000000", "asset": "USD", "model": "fast", "provider": "house",
            "chip": "trainium2", "owner": { "name": "=maker" }, "caller": { "name": "own" },
            "agent": { "handle": "@caller" },
            "over": { "at": "2026-11-30T23:59:59.999Z", "sum": sum, "paid": paid, "lines": lines }
        })
    }

    #[test]
    fn the_rows_add_up_to_what_was_paid() {
        let mut sums = Sums::new();
        let lines = [
            ("input", 400, "3.00", "0.0012"),
            ("cached", 600, "0.30", "0.00018"),
            ("output", 500, "15.00", "0.0075"),
            ("call", 1, "0.001", "0.001"),
        ];
        // The first paid what it came to, the second less: the rest was borne by the seller.
        for paid in ["0.00988", "0.005"] {
            add(&mut sums, &receipt(paid, &lines)).unwrap();
        }
        let paid: i128 = sums.values().map(|(_, paid)| paid).sum();
        assert_eq!(paid, 14_880_000_000);
        let rows: Vec<UsageRow> = sums.iter().map(row).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(
            (rows[0].tokens, rows[0].period_end.as_str()),
            (800.0, "2026-12-01")
        );
        // The table is read back, and a name stays a text in a spreadsheet.
        let text = to_csv(&rows);
        assert!(text.contains("\"'=maker\""), "{text}");
        let back = usage::parse("calls.csv", &text).unwrap();
        assert_eq!(back.len(), 3);
        let records = focus::records("calls", &rows).unwrap();
        let cell = |column| serde_json::to_value(records[0].cell(column).unwrap()).unwrap();
        assert_eq!(cell("ServiceCategory"), json!("AI and Machine Learning"));
        assert_eq!(cell("ConsumedQuantity"), json!(800.0));
        assert_eq!(cell("HostProviderName"), json!("house"));
        assert_eq!(cell("SubAccountId"), json!("@caller"));
    }

    #[test]
    fn other_assets_are_refused() {
        let mut other = receipt("0.1", &[]);
        other["asset"] = json!("EUR");
        assert!(add(&mut Sums::new(), &other).is_err());
    }
}
