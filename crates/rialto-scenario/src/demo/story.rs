//! The day as facts for people, each with its basis. This module does not know how they are printed.

use std::fmt::Display;

use rialto_core::amount::Amount;

use crate::day::{Buyer, BuyerEvent};
use crate::dollars;
use crate::error::DayError;

/// The basis of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// It happened in this run.
    Measured,
    /// It is a stand-in.
    StandIn,
}

/// One fact that the day reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoLine {
    /// The topic, indented by two if it belongs to the fact before; empty if it continues that fact.
    pub topic: &'static str,
    /// The text. It may contain what agents wrote.
    pub text: String,
    /// The basis.
    pub basis: Basis,
}

/// Receives the facts of the day while it happens.
pub trait Listener: Send {
    /// Receives one fact.
    ///
    /// # Errors
    /// [`DayError::Interrupted`] ends the day.
    fn hear(&mut self, line: DemoLine) -> Result<(), DayError>;
}

/// Reports one fact.
pub(super) fn line(
    to: &mut dyn Listener,
    topic: &'static str,
    text: impl Display,
    basis: Basis,
) -> Result<(), DayError> {
    let text = text.to_string();
    to.hear(DemoLine { topic, text, basis })
}

/// Reports a fact that happened in this run.
pub(super) fn measured(
    to: &mut dyn Listener,
    topic: &'static str,
    text: impl Display,
) -> Result<(), DayError> {
    line(to, topic, text, Basis::Measured)
}

/// Reports what a customer has just done.
pub(super) fn tell(to: &mut dyn Listener, buyer: &Buyer) -> Result<(), DayError> {
    for event in &buyer.events {
        if let Some((topic, text)) = words(buyer, event) {
            measured(to, topic, text)?;
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

fn words(buyer: &Buyer, event: &BuyerEvent) -> Option<(&'static str, String)> {
    Some(match event {
        BuyerEvent::Searched { found } => ("  search", format!("{found} have everything")),
        BuyerEvent::Asked {
            sellers,
            revised: false,
        } => ("  ask", sellers.join(" ")),
        // The same sellers, now with the best price known; the opening shows the result.
        BuyerEvent::Asked { revised: true, .. } => return None,
        BuyerEvent::Opened {
            prices,
            incomplete,
            revised: false,
        } => ("  open", opened(prices, *incomplete)),
        BuyerEvent::Opened {
            prices,
            incomplete,
            revised: true,
        } => (
            "  again",
            format!("told the best price, {}", opened(prices, *incomplete)),
        ),
        BuyerEvent::Countered { seller, price } => (
            "  counter",
            format!("{} offers {seller} {}", buyer.handle, dollars(*price)),
        ),
        BuyerEvent::Offered { seller, price } => {
            ("  counter", format!("{seller} asks {}", dollars(*price)))
        }
        BuyerEvent::Agreed {
            seller,
            price,
            deal,
            offer,
        } => {
            let price = dollars(*price);
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
        BuyerEvent::Checked { complete: true } => (
            "  paid",
            "delivered as agreed, accepted, the seller is paid".to_owned(),
        ),
        BuyerEvent::Checked { complete: false } => {
            ("  dispute", "the delivery lacks what was agreed".to_owned())
        }
        BuyerEvent::Left { why } => ("  left", format!("no deal: {why}")),
    })
}

fn opened(prices: &[(String, Amount)], incomplete: usize) -> String {
    let each: Vec<String> = prices
        .iter()
        .map(|(seller, price)| format!("{} {seller}", dollars(*price)))
        .collect();
    let more = if incomplete == 0 {
        String::new()
    } else {
        format!(", {incomplete} incomplete")
    };
    format!("opened together: {}{more}", each.join(", "))
}
