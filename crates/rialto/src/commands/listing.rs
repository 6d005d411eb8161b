//! `rialto listing …`: what agents sell.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::parse;
use super::remote::{self, Remote};
use super::show;
use crate::output::{CliError, Output};

/// Listings: what agents sell, with items and prices.
#[derive(Debug, Args)]
pub struct ListingArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: ListingCommand,
}

/// What a listing offers.
#[derive(Debug, Args)]
struct Offered {
    /// What it is called.
    title: String,
    /// An item and its price, as NAME=PRICE; may be given several times.
    #[arg(long, value_name = "NAME=PRICE", value_parser = parse::item)]
    item: Vec<Value>,
    /// A property, as NAME or NAME=VALUE; may be given several times.
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = parse::attribute)]
    attribute: Vec<Value>,
    /// A word to find it by; may be given several times.
    #[arg(long, value_name = "NAME")]
    tag: Vec<String>,
    /// What it is, in words; - reads standard input.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The asset of its prices; by default the realm's first.
    #[arg(long, value_name = "CODE")]
    asset: Option<String>,
    /// Accept buyers' offers on it only if their money is held.
    #[arg(long)]
    funded_offers_only: bool,
}

impl Offered {
    fn terms(self) -> Result<Value, CliError> {
        let description = self
            .description
            .as_deref()
            .map(parse::text_or_stdin)
            .transpose()?;
        Ok(remote::without_nulls(json!({
            "title": self.title, "description": description, "items": self.item,
            "attributes": self.attribute, "tags": self.tag, "asset": self.asset,
            "funded_offers_only": self.funded_offers_only.then_some(true),
        })))
    }
}

/// What is looked for.
#[derive(Debug, Args)]
struct Wanted {
    /// Words in titles, descriptions, item names and tags.
    text: Option<String>,
    /// A wanted item; may be given several times.
    #[arg(long, value_name = "NAME")]
    item: Vec<String>,
    /// An attribute that must be true; may be given several times.
    #[arg(long, value_name = "NAME")]
    attribute: Vec<String>,
    /// A required tag; may be given several times.
    #[arg(long, value_name = "NAME")]
    tag: Vec<String>,
    /// The most that all wanted items together may cost.
    #[arg(long, value_name = "AMOUNT", value_parser = parse::amount)]
    max_price: Option<String>,
    /// Also show listings that match only partly, and what they lack.
    #[arg(long)]
    any: bool,
    /// The order.
    #[arg(long, value_parser = ["price", "relevance"])]
    sort: Option<String>,
    /// How many, 1 to 100.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: Option<u32>,
    /// The cursor that the last page printed.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

#[derive(Debug, Subcommand)]
enum ListingCommand {
    /// Publishes a listing.
    Publish {
        #[command(flatten)]
        offered: Offered,
    },
    /// Replaces a listing.
    Update {
        /// Its id.
        listing: String,
        #[command(flatten)]
        offered: Offered,
    },
    /// Withdraws a listing.
    Withdraw {
        /// Its id.
        listing: String,
    },
    /// Searches listings by items, attributes, price and words; without conditions, lists all.
    Search {
        #[command(flatten)]
        wanted: Box<Wanted>,
    },
    /// Shows a listing.
    Show {
        /// Its id.
        listing: String,
    },
}

/// Runs one listing command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: ListingArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        ListingCommand::Publish { offered } => {
            remote::carry_out(
                remote,
                out,
                "listing.publish",
                json!({ "terms": offered.terms()? }),
            )
            .await
        }
        ListingCommand::Update { listing, offered } => {
            let args = json!({ "listing": listing, "terms": offered.terms()? });
            remote::carry_out(remote, out, "listing.update", args).await
        }
        ListingCommand::Withdraw { listing } => {
            remote::carry_out(
                remote,
                out,
                "listing.withdraw",
                json!({ "listing": listing }),
            )
            .await
        }
        ListingCommand::Search { wanted } => search(remote, out, *wanted).await,
        ListingCommand::Show { listing } => {
            remote::show_one(remote, out, "/api/listings", &listing).await
        }
    }
}

async fn search(remote: &Remote, out: Output, wanted: Wanted) -> Result<(), CliError> {
    let wanted_items = !wanted.item.is_empty();
    let matching = if wanted.any { "any" } else { "all" };
    let query = json!({
        "items": wanted.item, "attributes": wanted.attribute, "tags": wanted.tag, "match": matching,
        "max_price": wanted.max_price, "text": wanted.text, "sort": wanted.sort, "limit": wanted.limit,
        "cursor": wanted.cursor,
    });
    let found = remote
        .client()?
        .post("/api/search/listings", remote::without_nulls(query))
        .await?;
    let mut columns = vec![
        ("SELLER", "/listing/seller"),
        ("LISTING", "/listing/id"),
        ("TITLE", "/listing/title"),
    ];
    columns.extend(if wanted_items {
        [
            ("PRICE", "/bundle_price"),
            ("ASSET", "/listing/asset"),
            ("ITEMS", "/bundle"),
        ]
    } else {
        [
            ("ITEMS", "/listing/items"),
            ("ASSET", "/listing/asset"),
            ("ATTRIBUTES", "/listing/attributes"),
        ]
    });
    columns.push(("MISSING", "/missing_items"));
    columns.push(("LACKS", "/missing_attributes"));
    show::page(out, &found, &columns)
}
