//! The day as lines for people. Every line ends with what kind of fact it is.

use std::fmt::Display;

use crate::commands::show::plain;
use crate::market_day::buyer::{Buyer, Told};
use crate::output::{CliError, Output};
use crate::scenario::money::Usd;

/// What a line rests on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Basis {
    /// It happened in this run.
    Measured,
    /// Something here stands in for something else.
    StandIn,
}

/// The most characters of a line's text before its tag; a longer text goes on in further lines.
const TEXT_COLUMNS: usize = 96;

/// Prints one line: topic, text, tag. Tags stand below each other.
pub(super) fn line(
    out: Output,
    topic: &str,
    text: impl Display,
    basis: Basis,
) -> Result<(), CliError> {
    let tag = match basis {
        Basis::Measured => "[measured]",
        Basis::StandIn => "[stand-in]",
    };
    let text = plain(&text.to_string()).replace('\n', " ");
    for (number, part) in wrapped(&text, TEXT_COLUMNS).into_iter().enumerate() {
        let topic = if number == 0 { topic } else { "" };
        out.line(format!("{topic:<11}{part:<TEXT_COLUMNS$} {tag}"))?;
    }
    Ok(())
}

/// A text in lines of at most so many characters, broken between words where that is possible.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let gap = usize::from(used > 0);
            let room = most.saturating_sub(used + gap);
            if word.len() > room && used > 0 {
                lines.push(String::new());
                used = 0;
                continue;
            }
            let rest = word.split_off(word.len().min(most));
            if let Some(line) = lines.last_mut() {
                line.extend(std::iter::repeat_n(' ', gap).chain(word.iter().copied()));
            }
            used += gap + word.len();
            if rest.is_empty() {
                break;
            }
            word = rest;
        }
    }
    lines
}

/// Prints what a customer has just done.
pub(super) fn tell(out: Output, buyer: &Buyer) -> Result<(), CliError> {
    for told in &buyer.told {
        if let Some((topic, text)) = words(buyer, told) {
            line(out, topic, text, Basis::Measured)?;
        }
    }
    Ok(())
}

/// The line that introduces a customer.
pub(super) fn goal(buyer: &Buyer) -> String {
    let wants: Vec<&str> = buyer
        .customer
        .wants
        .iter()
        .map(|item| item.name.text())
        .collect();
    let attributes: Vec<&str> = buyer
        .customer
        .attributes
        .iter()
        .map(|name| name.text())
        .collect();
    let with = if attributes.is_empty() {
        String::new()
    } else {
        format!(" ({})", attributes.join(", "))
    };
    format!("{} wants {}{with}", buyer.handle, wants.join(" + "))
}

fn words(buyer: &Buyer, told: &Told) -> Option<(&'static str, String)> {
    Some(match told {
        Told::Searched { found } => ("  search", format!("{found} have everything")),
        Told::Asked {
            sellers,
            revised: false,
        } => ("  ask", sellers.join(" ")),
        // The same sellers, told the best price; the opening says what came of it.
        Told::Asked { revised: true, .. } => return None,
        Told::Opened {
            prices,
            incomplete,
            revised: false,
        } => ("  open", opened(prices, *incomplete)),
        Told::Opened {
            prices,
            incomplete,
            revised: true,
        } => (
            "  again",
            format!("told the best price, {}", opened(prices, *incomplete)),
        ),
        Told::Countered { seller, price } => (
            "  counter",
            format!("{} offers {seller} {price}", buyer.handle),
        ),
        Told::Offered { seller, price } => ("  counter", format!("{seller} asks {price}")),
        Told::Agreed {
            seller,
            price,
            deal,
            offer,
        } => {
            let short: String = offer
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .take(8)
                .collect();
            (
                "  deal",
                format!("{price} with {seller} · offer #{short} · {price} held · {deal}"),
            )
        }
        Told::Checked { complete: true } => (
            "  paid",
            "delivered as agreed, accepted, the seller is paid".to_owned(),
        ),
        Told::Checked { complete: false } => {
            ("  dispute", "the delivery lacks what was agreed".to_owned())
        }
        Told::Left { why } => ("  left", format!("no deal: {why}")),
    })
}

fn opened(prices: &[(String, Usd)], incomplete: usize) -> String {
    let each: Vec<String> = prices
        .iter()
        .map(|(seller, price)| format!("{price} {seller}"))
        .collect();
    let more = if incomplete == 0 {
        String::new()
    } else {
        format!(", {incomplete} incomplete")
    };
    format!("opened together: {}{more}", each.join(", "))
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_texts_go_on_in_further_lines() {
        for (text, want) in [
            ("", vec![""]),
            ("one two", vec!["one two"]),
            ("one two three", vec!["one two", "three"]),
            ("one twothree4 x", vec!["one", "twothree", "4 x"]),
            ("12345678 9", vec!["12345678", "9"]),
            ("ÄÖÜ ÄÖÜ ÄÖÜ", vec!["ÄÖÜ ÄÖÜ", "ÄÖÜ"]),
        ] {
            assert_eq!(wrapped(text, 8), want, "{text}");
        }
    }
}
