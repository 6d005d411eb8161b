//! `rialto deal …`: negotiations by offer and counter-offer, and the deals they become.

use clap::{Args, Subcommand};
use rialto_core::reject::Code;
use serde_json::{Value, json};

use super::bargain;
use super::parse;
use super::remote::{self, Paged, Remote};
use super::show;
use super::terms::Terms;
use crate::output::{CliError, Output};
use rialto_client::{Client, quoted};

/// The fewest digits of an offer's hash that name it.
const PREFIX: usize = 4;
/// The digits of a whole hash.
const WHOLE: usize = 64;

/// Offers and deals.
#[derive(Debug, Args)]
pub struct DealArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: DealCommand,
}

/// The other side and the subject of an offer.
#[derive(Debug, Args)]
struct About {
    /// The other side.
    #[arg(long, value_name = "AGENT")]
    with: String,
    /// Your side.
    #[arg(long, value_parser = ["buy", "sell"])]
    side: String,
    /// The account that a buyer pays from; by default the buyer's main account.
    #[arg(long, value_name = "ACCOUNT")]
    pay_from: Option<String>,
    /// Hold the buyer's money with the offer; the deal takes over the hold.
    #[arg(long)]
    fund: bool,
    /// The listing that it is about.
    #[arg(long, value_name = "LISTING")]
    listing: Option<String>,
    /// The task that it serves.
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
}

#[derive(Debug, Subcommand)]
enum DealCommand {
    /// Opens a negotiation with a first offer.
    Offer {
        #[command(flatten)]
        about: About,
        #[command(flatten)]
        terms: Box<Terms>,
    },
    /// Answers the latest offer with another.
    Counter {
        /// The negotiation's id.
        negotiation: String,
        /// The account that a buyer pays from; by default the buyer's main account.
        #[arg(long, value_name = "ACCOUNT")]
        pay_from: Option<String>,
        /// Hold the buyer's money with the offer; the deal takes over the hold.
        #[arg(long)]
        fund: bool,
        #[command(flatten)]
        terms: Box<Terms>,
    },
    /// Accepts the latest offer, which makes the deal and holds its payment.
    Accept {
        /// The negotiation's id.
        negotiation: String,
        /// The hash of the accepted offer, or its first digits, at least four.
        offer: String,
        /// The account that a buyer pays from; by default the buyer's main account.
        #[arg(long, value_name = "ACCOUNT")]
        pay_from: Option<String>,
        /// Why, for the person who may have to approve it and for the other side; - reads standard
        /// input. A task or message that causes it is named with --cause.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Leaves a negotiation.
    Leave {
        /// The negotiation's id.
        negotiation: String,
    },
    /// Delivers a deal; for its seller.
    Deliver {
        /// The deal's id.
        deal: String,
        /// What is delivered, in words; - reads standard input.
        text: String,
    },
    /// Accepts a delivery, which pays the seller; for the buyer, or an admin if the buyer is closed
    /// or stopped.
    AcceptDelivery {
        /// The deal's id.
        deal: String,
    },
    /// Disputes a delivery; for the buyer, or an admin if the buyer is closed or stopped.
    Dispute {
        /// The deal's id.
        deal: String,
        /// Why; - reads standard input.
        reason: String,
    },
    /// Rules in a dispute; by its arbiter. By the operator where none is named or can act, and on a deal
    /// whose next step is that of a closed or stopped agent.
    Rule {
        /// The deal's id.
        deal: String,
        /// How much of the held money the seller gets; the buyer gets the rest.
        #[arg(long, value_name = "AMOUNT", value_parser = parse::amount)]
        to_seller: String,
        /// Why; - reads standard input.
        reason: String,
    },
    /// Refunds the buyer in full; for the seller, or an admin if the seller is closed or stopped.
    Refund {
        /// The deal's id.
        deal: String,
    },
    /// Lists deals, or negotiations.
    List {
        /// List negotiations instead.
        #[arg(long)]
        negotiations: bool,
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows a deal with its course, or a negotiation with all its offers.
    Show {
        /// A deal_ or neg_ id.
        id: String,
    },
}

/// Runs one deal command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: DealArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    let (op, args) = match args.command {
        DealCommand::List {
            negotiations,
            paged,
        } => return list(remote, out, negotiations, &paged).await,
        DealCommand::Show { id } => {
            return show_thing(&remote.client()?, out, &id).await;
        }
        DealCommand::Offer { about, terms } => {
            let About {
                with,
                side,
                pay_from,
                fund,
                listing,
                task,
            } = about;
            let own = json!({ "with": with, "side": side, "pay_from": pay_from, "fund": fund.then_some(true), "listing": listing, "task": task });
            return offer(remote, out, "negotiation.open", terms.args(own)?).await;
        }
        DealCommand::Counter {
            negotiation,
            pay_from,
            fund,
            terms,
        } => {
            let own = json!({ "negotiation": negotiation, "pay_from": pay_from, "fund": fund.then_some(true) });
            return offer(remote, out, "negotiation.counter", terms.args(own)?).await;
        }
        DealCommand::Accept {
            negotiation,
            offer,
            pay_from,
            note,
        } => {
            let offer = whole_hash(&remote.client()?, &negotiation, &offer).await?;
            let note = note.as_deref().map(parse::text_or_stdin).transpose()?;
            (
                "negotiation.accept",
                json!({ "negotiation": negotiation, "offer": offer, "pay_from": pay_from, "note": note }),
            )
        }
        DealCommand::Leave { negotiation } => {
            ("negotiation.leave", json!({ "negotiation": negotiation }))
        }
        DealCommand::Deliver { deal, text } => (
            "deal.deliver",
            json!({ "deal": deal, "body": parse::text_or_stdin(&text)? }),
        ),
        DealCommand::AcceptDelivery { deal } => ("deal.accept", json!({ "deal": deal })),
        DealCommand::Dispute { deal, reason } => (
            "deal.dispute",
            json!({ "deal": deal, "reason": parse::text_or_stdin(&reason)? }),
        ),
        DealCommand::Rule {
            deal,
            to_seller,
            reason,
        } => {
            let reason = parse::text_or_stdin(&reason)?;
            (
                "deal.rule",
                json!({ "deal": deal, "to_seller": to_seller, "reason": reason }),
            )
        }
        DealCommand::Refund { deal } => ("deal.refund", json!({ "deal": deal })),
    };
    remote::carry_out(remote, out, op, args).await
}

/// Shows a deal or a negotiation.
async fn show_thing(client: &Client, out: Output, id: &str) -> Result<(), CliError> {
    let (folder, words): (_, fn(&Value) -> String) = if id.starts_with("neg_") {
        ("negotiations", bargain::negotiation)
    } else {
        ("deals", bargain::deal)
    };
    let shown = client.get(&format!("/api/{folder}/{}", quoted(id))).await?;
    out.json(&shown)?;
    out.line(words(&shown))
}

/// Makes an offer, and prints its hash and what the other side may do with it.
async fn offer(remote: &Remote, out: Output, op: &str, args: Value) -> Result<(), CliError> {
    let client = remote.client()?;
    let named = args.get("negotiation").and_then(Value::as_str);
    let named = named.map(str::to_owned);
    let accepted = client.command(op, remote::without_nulls(args)).await?;
    let opened = accepted.ids.get("neg").map(ToString::to_string);
    let named = opened.or(named).filter(|_| accepted.waits_for.is_none());
    let Some(negotiation) = named else {
        return remote::tell(out, &accepted, None);
    };
    let path = format!(
        "/api/negotiations/{}?min_position={}",
        quoted(&negotiation),
        accepted.position
    );
    let view = client.get(&path).await?;
    let hash = bargain::latest(&view).and_then(|offer| offer.get("hash"));
    if out.is_json() {
        let mut answer =
            serde_json::to_value(&accepted).map_err(|e| CliError::bug(e.to_string()))?;
        if let (Some(fields), Some(hash)) = (answer.as_object_mut(), hash) {
            fields.insert("offer".to_owned(), hash.clone());
        }
        return out.json(&answer);
    }
    remote::tell(out, &accepted, None)?;
    if let Some(hash) = hash.and_then(Value::as_str) {
        out.line(format!("  offer   {hash}"))?;
    }
    match bargain::next_in_negotiation(&view) {
        Some(next) => out.line(format!("  next    {}", next.replace('\n', "\n          "))),
        None => Ok(()),
    }
}

async fn list(
    remote: &Remote,
    out: Output,
    negotiations: bool,
    paged: &Paged,
) -> Result<(), CliError> {
    if negotiations {
        let columns = [
            ("ID", "/id"),
            ("BUYER", "/buyer"),
            ("SELLER", "/seller"),
            ("STATE", "/state"),
            ("OFFERS", "/offers"),
            ("DEAL", "/deal"),
            ("SINCE", "/since"),
        ];
        return remote::list(remote, out, "/api/negotiations", paged, &[], &columns).await;
    }
    let columns = [
        ("ID", "/id"),
        ("BUYER", "/buyer"),
        ("SELLER", "/seller"),
        ("STATE", "/state"),
        ("PRICE", "/price"),
        ("ASSET", "/asset"),
        ("SINCE", "/since"),
    ];
    let client = remote.client()?;
    let deals = client
        .get(&remote::page_of("/api/deals", paged, &[]))
        .await?;
    show::page(out, &deals, &columns)?;
    if out.is_json() || !show::rows_of(&deals).is_empty() {
        return Ok(());
    }
    // Whoever has just made an offer looks here first.
    let talks = client.get("/api/negotiations?limit=100").await?;
    let open = show::rows_of(&talks).iter();
    let open = open.filter(|talk| talk.get("state").is_some_and(|s| s == "open"));
    match open.count() {
        0 => out.note("there are no open negotiations either"),
        1 => out.note("1 negotiation is open: rialto deal list --negotiations"),
        some => out.note(format!(
            "{some} negotiations are open: rialto deal list --negotiations"
        )),
    }
    Ok(())
}

/// The hash of the offer that its first digits name.
async fn whole_hash(client: &Client, negotiation: &str, digits: &str) -> Result<String, CliError> {
    let digits = digits.trim_start_matches('#');
    if digits.len() == WHOLE {
        return Ok(digits.to_owned());
    }
    if digits.len() < PREFIX || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(CliError::usage(format!(
            "name an offer by its hash or at least {PREFIX} of its first digits"
        )));
    }
    let shown = client
        .get(&format!("/api/negotiations/{}", quoted(negotiation)))
        .await?;
    let offers = shown
        .get("offers")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let hashes = offers
        .iter()
        .filter_map(|offer| offer.get("hash")?.as_str());
    let named: Vec<&str> = hashes.filter(|hash| hash.starts_with(digits)).collect();
    match named.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(CliError::coded(
            Code::OfferStale,
            &format!("no offer of {negotiation} starts with {digits}"),
        )),
        _ => Err(CliError::usage(format!(
            "several offers of {negotiation} start with {digits}; write more digits"
        ))),
    }
}
