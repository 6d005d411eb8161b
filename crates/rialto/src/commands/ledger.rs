//! `rialto ledger …`: accounts, transfers and holds in double entry.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::parse;
use super::remote::{self, Paged, Remote};
use super::show;
use crate::output::{CliError, Output};
use rialto_client::{Client, quoted};

/// Money: accounts, transfers, holds.
#[derive(Debug, Args)]
pub struct LedgerArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: LedgerCommand,
}

/// From where to where how much goes.
#[derive(Debug, Args)]
struct Move {
    /// The paying account: its id, or its holder (@handle, agent, team or owner id).
    from: String,
    /// The receiving account, likewise.
    to: String,
    /// How much, in whole units such as 12.50.
    #[arg(value_parser = parse::amount)]
    amount: String,
    /// The asset; by default that of a named account, or the realm's first.
    #[arg(long, value_name = "CODE")]
    asset: Option<String>,
    /// A note about it; - reads standard input.
    #[arg(long, value_name = "TEXT")]
    memo: Option<String>,
    /// The model that it is spent on, by its alias, for limits that count by it.
    #[arg(long, value_name = "ALIAS")]
    model: Option<String>,
    /// The task that it is spent on, likewise.
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// The run that it is spent in, likewise.
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Lists accounts with their balances.
    Accounts {
        #[command(flatten)]
        paged: Paged,
    },
    /// Opens an account.
    OpenAccount {
        /// The holder: @handle, or an agent, team or owner id.
        holder: String,
        /// The asset; by default the realm's first.
        #[arg(long, value_name = "CODE")]
        asset: Option<String>,
        /// Its name; without one it is the holder's main account.
        #[arg(long)]
        label: Option<String>,
    },
    /// Closes an empty account with a label; its statement can still be read.
    CloseAccount {
        /// The account's id.
        account: String,
    },
    /// Moves money at once.
    Transfer {
        #[command(flatten)]
        moved: Move,
    },
    /// Holds money for a later payment.
    Hold {
        #[command(flatten)]
        moved: Move,
        /// How long until the hold expires and the money returns.
        #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
        expires_in: u64,
    },
    /// Pays out a part of a hold; the rest stays held.
    Capture {
        /// The hold's id.
        hold: String,
        /// How much: at most what is held still.
        #[arg(value_parser = parse::amount)]
        amount: String,
        /// A note about it; - reads standard input.
        #[arg(long, value_name = "TEXT")]
        memo: Option<String>,
    },
    /// Holds more under an open hold.
    Raise {
        /// The hold's id.
        hold: String,
        /// How much more.
        #[arg(value_parser = parse::amount)]
        amount: String,
    },
    /// Pays out what is held still, in full or in part, and ends the hold; the rest returns.
    Post {
        /// The hold's id.
        hold: String,
        /// How much; by default all that is held still.
        #[arg(value_parser = parse::amount)]
        amount: Option<String>,
    },
    /// Voids a hold: what is held still returns.
    Void {
        /// The hold's id.
        hold: String,
    },
    /// Lists open holds.
    Holds {
        #[command(flatten)]
        paged: Paged,
    },
    /// Issues realm credit; for the operator.
    Issue {
        /// The receiving account: its id, or its holder.
        to: String,
        /// How much, in whole units.
        #[arg(value_parser = parse::amount)]
        amount: String,
        /// The asset; by default the realm's first.
        #[arg(long, value_name = "CODE")]
        asset: Option<String>,
    },
    /// Corrects an entry: moves money back from its receiver to its payer, in total at most what it
    /// moved; for the operator.
    Correct {
        /// The entry that was wrong.
        entry: String,
        /// How much moves back, in whole units.
        #[arg(value_parser = parse::amount)]
        amount: String,
        /// Why; - reads standard input.
        reason: String,
    },
    /// Shows an account's statement, newest first.
    Statement {
        /// The account's id, or its holder for the holder's main account.
        account: String,
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows for each asset the sum over all accounts, which is zero.
    TrialBalance,
}

/// Runs one ledger command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: LedgerArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        LedgerCommand::Accounts { paged } => {
            let columns = [
                ("ID", "/id"),
                ("HOLDER", "/holder_name"),
                ("LABEL", "/label"),
                ("ASSET", "/asset"),
                ("BALANCE", "/balance"),
                ("HELD", "/pending_out"),
                ("AVAILABLE", "/available"),
                ("CLOSED", "/closed"),
            ];
            remote::list(remote, out, "/api/ledger/accounts", &paged, &[], &columns).await
        }
        LedgerCommand::OpenAccount {
            holder,
            asset,
            label,
        } => {
            let args = json!({ "holder": holder, "asset": asset, "label": label });
            remote::carry_out(remote, out, "ledger.open_account", args).await
        }
        LedgerCommand::CloseAccount { account } => {
            let args = json!({ "account": account });
            remote::carry_out(remote, out, "ledger.close_account", args).await
        }
        LedgerCommand::Transfer { moved } => moving(remote, out, "post", moved, None).await,
        LedgerCommand::Hold { moved, expires_in } => {
            moving(remote, out, "hold", moved, Some(expires_in)).await
        }
        LedgerCommand::Capture { hold, amount, memo } => {
            let memo = memo.as_deref().map(parse::text_or_stdin).transpose()?;
            let args = json!({ "hold": hold, "amount": amount, "memo": memo });
            remote::carry_out(remote, out, "ledger.capture", args).await
        }
        LedgerCommand::Raise { hold, amount } => {
            let args = json!({ "hold": hold, "amount": amount });
            remote::carry_out(remote, out, "ledger.raise", args).await
        }
        LedgerCommand::Post { hold, amount } => {
            let post = remote::without_nulls(json!({ "hold": hold, "amount": amount }));
            remote::carry_out(
                remote,
                out,
                "ledger.transfer",
                json!({ "transfers": [{ "post_hold": post }] }),
            )
            .await
        }
        LedgerCommand::Void { hold } => {
            let args = json!({ "transfers": [{ "void_hold": { "hold": hold } }] });
            remote::carry_out(remote, out, "ledger.transfer", args).await
        }
        LedgerCommand::Holds { paged } => {
            let columns = [
                ("ID", "/id"),
                ("FROM", "/from"),
                ("TO", "/to"),
                ("HELD", "/rest"),
                ("CAPTURED", "/captured"),
                ("ASSET", "/asset"),
                ("FOR", "/purpose"),
                ("EXPIRES", "/expires"),
            ];
            remote::list(remote, out, "/api/ledger/holds", &paged, &[], &columns).await
        }
        LedgerCommand::Issue { to, amount, asset } => {
            remote::carry_out(
                remote,
                out,
                "ledger.issue",
                json!({ "to": to, "amount": amount, "asset": asset }),
            )
            .await
        }
        LedgerCommand::Correct {
            entry,
            amount,
            reason,
        } => {
            let reason = parse::text_or_stdin(&reason)?;
            let args = json!({ "transfer": entry, "amount": amount, "reason": reason });
            remote::carry_out(remote, out, "ledger.correct", args).await
        }
        LedgerCommand::Statement { account, paged } => {
            statement(remote, out, &account, &paged).await
        }
        LedgerCommand::TrialBalance => {
            let balance = remote.client()?.get("/api/ledger/trial-balance").await?;
            let columns = [
                ("ASSET", "/asset"),
                ("SUM", "/sum"),
                ("HELD BY HOLDERS", "/held"),
                ("ISSUED", "/issued"),
                ("OUTSIDE", "/outside"),
                ("PENDING", "/pending"),
            ];
            show::page(out, &balance, &columns)
        }
    }
}

async fn moving(
    remote: &Remote,
    out: Output,
    how: &str,
    moved: Move,
    expires: Option<u64>,
) -> Result<(), CliError> {
    let memo = moved
        .memo
        .as_deref()
        .map(parse::text_or_stdin)
        .transpose()?;
    let on = json!({ "model": moved.model, "task": moved.task, "run": moved.run });
    let on = remote::without_nulls(on);
    let on = on
        .as_object()
        .is_some_and(|named| !named.is_empty())
        .then_some(on);
    let entry = remote::without_nulls(json!({
        "from": moved.from, "to": moved.to, "amount": moved.amount, "asset": moved.asset,
        "expires_in_ms": expires, "spent_on": on,
    }));
    remote::carry_out(
        remote,
        out,
        "ledger.transfer",
        json!({ "transfers": [{ how: entry }], "memo": memo }),
    )
    .await
}

async fn statement(
    remote: &Remote,
    out: Output,
    account: &str,
    paged: &Paged,
) -> Result<(), CliError> {
    let id = if account.starts_with("acct_") {
        account.to_owned()
    } else {
        main_account(&remote.client()?, account).await?
    };
    let columns = [
        ("AT", "/entry/at"),
        ("ENTRY", "/entry/id"),
        ("WHAT", "/entry/kind"),
        ("FOR", "/entry/purpose"),
        ("WITH", "/counterparty"),
        ("CHANGE", "/change"),
        ("BALANCE", "/balance"),
        ("AVAILABLE", "/available"),
        ("MEMO", "/entry/memo"),
    ];
    remote::list(
        remote,
        out,
        &format!("/api/ledger/accounts/{}/entries", quoted(&id)),
        paged,
        &[],
        &columns,
    )
    .await
}

/// The main account of a holder, in the realm's first asset that it has one in.
async fn main_account(client: &Client, holder: &str) -> Result<String, CliError> {
    let mut cursor: Option<String> = None;
    loop {
        let path = remote::query(
            "/api/ledger/accounts",
            &[("limit", Some("100".to_owned())), ("cursor", cursor)],
        );
        let page = client.get(&path).await?;
        let is_wanted = |row: &&Value| {
            let named = [row.get("holder"), row.get("holder_name")]
                .into_iter()
                .flatten()
                .any(|v| v == holder);
            named && row.get("label").is_none_or(Value::is_null)
        };
        if let Some(id) = show::rows_of(&page)
            .iter()
            .find(is_wanted)
            .and_then(|row| row.get("id")?.as_str())
        {
            return Ok(id.to_owned());
        }
        cursor = page
            .get("next_cursor")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if cursor.is_none() {
            return Err(CliError::coded(
                rialto_core::reject::Code::NoAccount,
                holder,
            ));
        }
    }
}
