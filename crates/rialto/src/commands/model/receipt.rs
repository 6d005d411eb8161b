//! Receipts of calls: printed with their arithmetic, and checked without a server.

use std::path::Path;

use rialto_client::quoted;
use rialto_core::amount::Decimal;
use rialto_server::door::receipt_is_signed;
use serde_json::{Value, json};

use super::super::remote::Remote;
use super::super::show;
use crate::output::{CliError, Output};

/// Prints a receipt.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(super) async fn show(remote: &Remote, out: Output, id: &str) -> Result<(), CliError> {
    let path = format!("/api/inferences/{}/receipt", quoted(id));
    let answer = remote.client()?.get(&path).await?;
    out.json(&answer)?;
    if out.is_json() {
        return Ok(());
    }
    let mut receipt = answer.get("receipt").cloned().unwrap_or_default();
    let lines = receipt.pointer_mut("/over/lines").map(Value::take);
    show::record(out, &receipt)?;
    if let Some(Value::Array(lines)) = lines {
        let columns = [
            ("KIND", "/kind"),
            ("QUANTITY", "/quantity"),
            ("PRICE*", "/price"),
            ("AMOUNT", "/amount"),
        ];
        show::table(out, &lines, &columns)?;
        out.line("* of a million tokens; of one call")?;
    }
    let proof = |name: &str| {
        answer
            .pointer(&format!("/proof/{name}"))
            .and_then(Value::as_str)
    };
    out.line(format!(
        "signed by {}: rialto model verify checks what --json prints",
        proof("key").unwrap_or("-")
    ))
}

/// Checks a receipt that was kept.
///
/// # Errors
/// When the file is no receipt, or what it says does not hold.
pub(super) fn verify(file: &Path, key: &str, out: Output) -> Result<(), CliError> {
    let at = |why: String| CliError::usage(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| at(e.to_string()))?;
    let kept: Value = serde_json::from_str(&text).map_err(|e| at(e.to_string()))?;
    let held = holds(&kept, key).map_err(|why| {
        CliError::failed(format!(
            "{}: the receipt does not hold: {why}",
            file.display()
        ))
    })?;
    out.json(&held)?;
    if out.is_json() {
        return Ok(());
    }
    out.line("the receipt holds: it is signed with the key, and its lines add up")?;
    show::record(out, &held)
}

/// What a receipt proves: the call, what was paid, and where both stand in the log.
fn holds(kept: &Value, key: &str) -> Result<Value, String> {
    let proof = |name: &str| {
        kept.pointer(&format!("/proof/{name}"))
            .and_then(Value::as_str)
    };
    let missing = |what: &str| format!("it has no {what}");
    let statement = proof("statement").ok_or_else(|| missing("statement"))?;
    let signature = proof("signature").ok_or_else(|| missing("signature"))?;
    if !receipt_is_signed(statement, key, signature) {
        return Err("it is not signed with this key".to_owned());
    }
    let told: Value = serde_json::from_str(statement).map_err(|e| e.to_string())?;
    let receipt = told.get("receipt").ok_or_else(|| missing("receipt"))?;
    if kept.get("receipt") != Some(receipt) {
        return Err("what it shows is not what is signed".to_owned());
    }
    let over = receipt.get("over").filter(|over| !over.is_null());
    if let Some(over) = over {
        adds_up(over)?;
    }
    let part = |of: Option<&Value>, name: &str| of.and_then(|of| of.get(name)).cloned();
    Ok(json!({
        "realm": told.get("realm"), "call": receipt.get("id"), "asset": receipt.get("asset"),
        "cost": part(over, "cost"), "paid": part(over, "paid"), "envelopes": told.get("envelopes"),
    }))
}

/// Whether each line is its quantity times its price, and all are the sum.
fn adds_up(over: &Value) -> Result<(), String> {
    let pico = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        let decimal: Decimal = text.parse().map_err(|_| format!("{text:?} is no amount"))?;
        let amount = decimal.amount(12);
        amount.map(|amount| amount.0).map_err(|e| e.to_string())
    };
    let lines = over.get("lines").and_then(Value::as_array);
    let mut sum = 0_i128;
    for line in lines.into_iter().flatten() {
        let kind = line.get("kind").and_then(Value::as_str).unwrap_or_default();
        let quantity = line.get("quantity").and_then(Value::as_u64).unwrap_or(0);
        let priced = match kind {
            "call" => 1,
            _ => 1_000_000,
        };
        let (price, amount) = (pico(line.get("price"))?, pico(line.get("amount"))?);
        let times = price.checked_mul(i128::from(quantity));
        if times.map(|times| times / priced) != Some(amount) {
            return Err(format!(
                "the line {kind} is not its quantity times its price"
            ));
        }
        sum = sum.saturating_add(amount);
    }
    match sum == pico(over.get("sum"))? {
        true => Ok(()),
        false => Err("its lines do not add up".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_do_not_add_up_are_found() {
        let over = |amount: &str, sum: &str| {
            json!({ "sum": sum, "lines": [
                { "kind": "input", "quantity": 400, "price": "3.00", "amount": amount },
                { "kind": "call", "quantity": 1, "price": "0.001", "amount": "0.001" },
            ] })
        };
        assert_eq!(adds_up(&over("0.0012", "0.0022")), Ok(()));
        assert!(adds_up(&over("0.0012", "0.0023")).is_err());
        assert!(adds_up(&over("0.0013", "0.0023")).is_err());
    }

    #[test]
    fn a_receipt_without_a_signature_does_not_hold() {
        let kept = json!({ "receipt": {}, "proof": { "statement": "{}", "signature": "00" } });
        let why = holds(&kept, &"11".repeat(32)).unwrap_err();
        assert_eq!(why, "it is not signed with this key");
    }
}
