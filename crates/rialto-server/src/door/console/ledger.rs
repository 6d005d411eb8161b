//! The ledger: accounts, statements, entries, holds, the trial balance.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::Markup;
use rialto_console::kit::{Thing, thing_if};
use rialto_console::pages::ledger::{
    Account, Hold, Ledger, Sheet, Statement, StatementLine, Trial,
};
use rialto_console::pages::{joined, text};
use rialto_console::shell::Place;
use rialto_core::ledger::Purpose;
use rialto_core::reject::Code;
use rialto_views::{AccountRow, EntryRow, HoldRow, Paging, StatementRow, TrialBalance};

use super::deals::maud_of;
use super::request::{SignedIn, named};
use super::show::{money, principal};
use crate::door::problem::Refusal;

/// `GET /ledger`.
pub(super) async fn page(user: SignedIn) -> Result<Response, Refusal> {
    let (scope, paging) = (user.scope().await?, user.paging(40));
    let door = user.door().clone();
    let read = user.view(move |v| {
        let few = Paging {
            cursor: None,
            limit: 20,
        };
        let accounts = v.accounts(scope, &paging)?;
        let mut holds = Vec::new();
        for hold in v.holds(scope, &few)?.items {
            let seen = [
                v.sees(scope, hold.from.into())?,
                v.sees(scope, hold.to.into())?,
            ];
            holds.push((hold, seen));
        }
        Ok((door.balance.of(v)?, accounts, holds))
    });
    let (trial, accounts, holds) = read.await?;
    let page = Ledger {
        address: user.request.address.clone(),
        trial: trial.iter().map(trial_row).collect(),
        accounts: accounts.items.iter().map(account).collect(),
        next: user.next(accounts.next_cursor.as_deref()),
        holds: holds
            .iter()
            .map(|(row, seen)| hold(&user, row, *seen))
            .collect(),
        first: user.param("cursor").is_none(),
    };
    user.page("Ledger", Place::Ledger, &page.page()).await
}

fn trial_row(row: &TrialBalance) -> Trial {
    Trial {
        asset: row.asset.clone(),
        even: row.sum.bytes().all(|b| matches!(b, b'0' | b'.')),
        sum: row.sum.clone(),
        held: row.held.clone(),
        issued: row.issued.clone(),
        outside: row.outside.clone(),
        pending: row.pending.clone(),
    }
}

/// An account.
pub(super) fn account(row: &AccountRow) -> Account {
    Account {
        id: row.id.into(),
        holder: row.holder_name.clone(),
        holder_id: row.holder,
        label: row.label.clone(),
        asset: row.asset.clone(),
        balance: row.balance.clone(),
        pending_out: row.pending_out.clone(),
        pending_in: row.pending_in.clone(),
        available: row.available.clone(),
        closed: row.closed.is_some(),
    }
}

/// A hold, and which of its accounts the viewer may see.
fn hold(user: &SignedIn, row: &HoldRow, seen: [bool; 2]) -> Hold {
    Hold {
        id: row.id.into(),
        from: thing_if(seen[0], row.from.into()),
        to: thing_if(seen[1], row.to.into()),
        money: money(&row.amount, &row.asset),
        purpose: purpose(row.purpose),
        state: row.state.to_owned(),
        created: user.when(row.created),
        expires: row.expires.map(|at| user.when(at)),
        captured: money(&row.captured, &row.asset),
        rest: money(&row.rest, &row.asset),
        posted: row.posted.as_ref().map(|posted| money(posted, &row.asset)),
    }
}

/// What an entry is for.
fn purpose(purpose: Purpose) -> Markup {
    let thing = |word: &str, id: Option<rialto_core::id::AnyId>| {
        let mut parts = vec![text(word)];
        parts.extend(id.map(|id| maud_of(Thing(id))));
        joined(&parts)
    };
    match purpose {
        Purpose::Transfer => thing("transfer", None),
        Purpose::Issue => thing("issue", None),
        Purpose::Deposit => thing("deposit", None),
        Purpose::Withdrawal => thing("withdrawal", None),
        Purpose::Deal(id) => thing("", Some(id.into())),
        Purpose::Share(id) => thing("share of", Some(id.into())),
        Purpose::Correction(id) => thing("correction of", Some(id.into())),
        Purpose::Stake(id) => thing("stake of", Some(id.into())),
        Purpose::Offer(id) => thing("offer in", Some(id.into())),
        Purpose::Inference(id) => thing("", Some(id.into())),
    }
}

fn kind(word: &str) -> &'static str {
    match word {
        "hold" => "held",
        "post_hold" => "paid out of a hold",
        "void_hold" => "hold returned",
        "capture_hold" => "captured from a hold",
        "raise_hold" => "held more",
        _ => "moved",
    }
}

/// `GET /ledger/accounts/{id}`.
pub(super) async fn statement(
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let (id, scope, paging) = (named(&name)?, user.scope().await?, user.paging(40));
    let read = user.view(move |v| {
        let Some(account) = v.account(scope, id)? else {
            return Ok(None);
        };
        Ok(v.statement(scope, id, &paging)?.map(|rows| (account, rows)))
    });
    let (found, rows) = read.await?.ok_or(Code::NotFound)?;
    let line = |row: &StatementRow| StatementLine {
        id: row.entry.id.into(),
        at: user.when(row.entry.at),
        kind: kind(row.entry.kind),
        purpose: purpose(row.entry.purpose),
        counterparty: rialto_console::kit::Who::new(row.counterparty.clone())
            .resembling(row.counterparty_resembles.as_deref()),
        change: row.change.clone(),
        balance: row.balance.clone(),
        available: row.available.clone(),
        position: row.entry.position,
    };
    let page = Statement {
        address: user.request.address.clone(),
        account: account(&found),
        rows: rows.items.iter().map(line).collect(),
        next: user.next(rows.next_cursor.as_deref()),
        first: user.param("cursor").is_none(),
    };
    user.page(&format!("Account {id}"), Place::Ledger, &page.page())
        .await
}

/// `GET /ledger/entries/{id}`.
pub(super) async fn entry(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let (id, scope) = (named(&name)?, user.scope().await?);
    let read = user.view(move |v| {
        let Some(entry) = v.entry(scope, id)? else {
            return Ok(None);
        };
        let seen = [
            v.sees(scope, entry.from.into())?,
            v.sees(scope, entry.to.into())?,
        ];
        Ok(Some((entry, seen)))
    });
    let (found, seen) = read.await?.ok_or(Code::NotFound)?;
    let sheet = entry_sheet(&user, &found, seen);
    user.page(&format!("Entry {id}"), Place::Ledger, &sheet.page())
        .await
}

fn entry_sheet(user: &SignedIn, row: &EntryRow, seen: [bool; 2]) -> Sheet {
    let mut facts = vec![
        ("What", text(kind(row.kind))),
        ("For", purpose(row.purpose)),
        ("From", thing_if(seen[0], row.from.into())),
        ("To", thing_if(seen[1], row.to.into())),
        ("By", maud_of(principal(row.by))),
        ("When", maud_of(user.when(row.at))),
        ("Event", rialto_console::kit::position(row.position)),
    ];
    if let Some(hold) = row.hold {
        facts.push(("Hold", maud_of(Thing(hold.into()))));
    }
    if let Some(reference) = &row.reference {
        facts.push(("Reference", text(reference)));
    }
    Sheet {
        kind: "Entry",
        id: row.id.into(),
        money: money(&row.amount, &row.asset),
        facts,
        memo: row.memo.as_ref().map(|said| user.written(said)),
    }
}

/// `GET /ledger/holds/{id}`.
pub(super) async fn one_hold(
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let (id, scope) = (named(&name)?, user.scope().await?);
    let read = user.view(move |v| {
        let Some(hold) = v.hold(scope, id)? else {
            return Ok(None);
        };
        let seen = [
            v.sees(scope, hold.from.into())?,
            v.sees(scope, hold.to.into())?,
        ];
        Ok(Some((hold, seen)))
    });
    let (found, seen) = read.await?.ok_or(Code::NotFound)?;
    let sheet = hold(&user, &found, seen).sheet();
    user.page(&format!("Hold {id}"), Place::Ledger, &sheet.page())
        .await
}
