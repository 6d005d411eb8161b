//! The ledger: accounts with their statements, holds, entries, and the trial balance.

use maud::{Markup, html};
use rialto_core::id::AnyId;

use crate::kit::{
    Empty, Money, Thing, When, Who, amount, balanced, facts, next_page, numbers, position, section,
    state, table_or, words,
};
use crate::shell::{heading, kept_live};
use crate::written::Written;

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub id: AnyId,
    /// Whose it is.
    pub holder: String,
    /// The holder's id.
    pub holder_id: Option<AnyId>,
    /// Its name, if it is not the main one.
    pub label: Option<String>,
    /// The asset.
    pub asset: String,
    /// What it holds.
    pub balance: String,
    /// What open holds would take from it.
    pub pending_out: String,
    /// What open holds would add to it.
    pub pending_in: String,
    /// What can be spent.
    pub available: String,
    /// Whether it was closed: nothing can be paid to it.
    pub closed: bool,
}

/// Money set aside.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Its id.
    pub id: AnyId,
    /// The paying account.
    pub from: Markup,
    /// The receiving account.
    pub to: Markup,
    /// Everything that was ever held.
    pub money: Money,
    /// How much of it was captured.
    pub captured: Money,
    /// How much is held still.
    pub rest: Money,
    /// What it is for.
    pub purpose: Markup,
    /// Its state.
    pub state: String,
    /// Since when.
    pub created: When,
    /// When it is voided by itself.
    pub expires: Option<When>,
    /// How much its end paid out.
    pub posted: Option<Money>,
}

/// The sums of an asset.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The columns, by name.
pub struct Trial {
    pub asset: String,
    pub sum: String,
    pub even: bool,
    pub held: String,
    pub issued: String,
    pub outside: String,
    pub pending: String,
}

/// The page of the whole ledger.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Its address.
    pub address: String,
    /// The trial balance.
    pub trial: Vec<Trial>,
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Where further accounts are.
    pub next: Option<String>,
    /// The latest open holds.
    pub holds: Vec<Hold>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
}

impl Ledger {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let body = self.body();
        html! {
            (heading(&html! { "Ledger" }, &html! { "double entry; for each asset the sum over all accounts is zero" }))
            @if self.first { (kept_live("ledger", &self.address, &body)) } @else { (body) }
        }
    }

    fn body(&self) -> Markup {
        let holds: Vec<Vec<Markup>> = self.holds.iter().map(hold_cells).collect();
        let columns = [
            words("Hold"),
            numbers("Held"),
            numbers("Captured"),
            words("From"),
            words("To"),
            words("For"),
            words("Since"),
            words("Ends"),
        ];
        let none = Empty::new(
            "There is no open hold: every deal is settled.",
            "rialto ledger holds",
        );
        html! {
            (section("Trial balance", &html! { "all accounts of the realm" }, &self.trial()))
            (section("Accounts", &html! {}, &html! { (accounts(&self.accounts)) (next_page(self.next.as_deref())) }))
            (section("Open holds", &html! { "payments of deals under way" },
                &table_or("Open holds", &columns, &holds, &none)))
        }
    }

    fn trial(&self) -> Markup {
        let rows: Vec<Vec<Markup>> = self
            .trial
            .iter()
            .map(|row| {
                vec![
                    html! { (row.asset) },
                    amount(&row.sum),
                    balanced(row.even),
                    amount(&row.held),
                    amount(&row.issued),
                    amount(&row.outside),
                    amount(&row.pending),
                ]
            })
            .collect();
        let columns = [
            words("Asset"),
            numbers("Sum"),
            words("Verdict"),
            numbers("Held by owners, teams and agents"),
            numbers("Issued"),
            numbers("From outside"),
            numbers("Set aside"),
        ];
        let empty = Empty::new(
            "No asset yet.",
            "rialto op ledger.create_asset '{\"code\":\"USD\",\"scale\":9}'",
        );
        table_or("Trial balance", &columns, &rows, &empty)
    }
}

/// Accounts as a table.
#[must_use]
pub fn accounts(accounts: &[Account]) -> Markup {
    let rows: Vec<Vec<Markup>> = accounts
        .iter()
        .map(|account| {
            vec![
                html! { (Thing(account.id)) @if let Some(label) = &account.label { " " span.quiet { (label) } }
                    @if account.closed { " " span.quiet { "closed" } } },
                holder(account),
                html! { (account.asset) },
                amount(&account.balance),
                amount(&account.pending_out),
                amount(&account.pending_in),
                amount(&account.available),
            ]
        })
        .collect();
    let columns = [
        words("Account"),
        words("Holder"),
        words("Asset"),
        numbers("Balance"),
        numbers("Will leave"),
        numbers("Will come"),
        numbers("Available"),
    ];
    let empty = Empty::new(
        "No account yet: an agent's first payment opens one.",
        "rialto ledger issue @agent 100",
    );
    table_or("Accounts", &columns, &rows, &empty)
}

fn holder(account: &Account) -> Markup {
    html! {
        @if account.holder.starts_with('@') { (Who::new(account.holder.clone())) }
        @else if let Some(href) = account.holder_id.and_then(crate::kit::path_of) { a href=(href) { (account.holder) } }
        @else { (account.holder) }
    }
}

fn hold_cells(hold: &Hold) -> Vec<Markup> {
    vec![
        html! { (Thing(hold.id)) },
        html! { (hold.rest) },
        html! { (hold.captured) },
        hold.from.clone(),
        hold.to.clone(),
        hold.purpose.clone(),
        html! { (hold.created) },
        html! { @if let Some(expires) = hold.expires { (expires) } },
    ]
}

/// One line of a statement.
#[derive(Clone, Debug)]
pub struct StatementLine {
    /// The entry.
    pub id: AnyId,
    /// When.
    pub at: When,
    /// Its kind, in words.
    pub kind: &'static str,
    /// What it is for.
    pub purpose: Markup,
    /// The other account's holder.
    pub counterparty: Who,
    /// What it changed the balance by.
    pub change: String,
    /// The balance after it.
    pub balance: String,
    /// What could be spent after it.
    pub available: String,
    /// The position of the event.
    pub position: u64,
}

/// An account with its statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its address.
    pub address: String,
    /// The account.
    pub account: Account,
    /// Its entries, newest first.
    pub rows: Vec<StatementLine>,
    /// Where the next page is.
    pub next: Option<String>,
    /// True on the first page, which keeps itself up to date.
    pub first: bool,
}

impl Statement {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let aside = html! { (Thing(self.account.id)) };
        let body = self.body();
        html! {
            (heading(&html! { "Account of " (holder(&self.account)) }, &aside))
            @if self.first { (kept_live("statement", &self.address, &body)) } @else { (body) }
        }
    }

    fn body(&self) -> Markup {
        let account = &self.account;
        let asset = &account.asset;
        let money = |text: &str| html! { (Money::new(text, asset)) };
        let rows: Vec<Vec<Markup>> = self.rows.iter().map(statement_cells).collect();
        let columns = [
            words("When"),
            words("Entry"),
            words("What"),
            words("For"),
            words("With"),
            numbers("Change"),
            numbers("Balance"),
            numbers("Available"),
            words("Event"),
        ];
        let empty = Empty::new("No entry yet.", "rialto ledger issue @agent 100");
        html! {
            section.block { (facts(&[
                ("Balance", money(&account.balance)),
                ("Available", money(&account.available)),
                ("Set aside", money(&account.pending_out)),
                ("Will come", money(&account.pending_in)),
            ])) }
            (section("Statement", &html! { "newest first" }, &html! {
                (table_or("Statement", &columns, &rows, &empty)) (next_page(self.next.as_deref()))
            }))
        }
    }
}

fn statement_cells(line: &StatementLine) -> Vec<Markup> {
    vec![
        html! { (line.at) },
        html! { (Thing(line.id)) },
        html! { (line.kind) },
        line.purpose.clone(),
        html! { (line.counterparty) },
        amount(&line.change),
        amount(&line.balance),
        amount(&line.available),
        position(line.position),
    ]
}

/// One entry or hold with all that is known of it.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// What it is: `Entry` or `Hold`.
    pub kind: &'static str,
    /// Its id.
    pub id: AnyId,
    /// How much.
    pub money: Money,
    /// What is known, by name.
    pub facts: Vec<(&'static str, Markup)>,
    /// A note about it.
    pub memo: Option<Written>,
}

impl Sheet {
    /// The page.
    #[must_use]
    pub fn page(&self) -> Markup {
        let aside = html! { (Thing(self.id)) a href={ "/trace/" (self.id) } { "Trace" } };
        html! {
            (heading(&html! { (self.kind) " of " (self.money) }, &aside))
            section.block { (facts(&self.facts)) }
            @if let Some(memo) = &self.memo { (section("Memo", &html! {}, &html! { (memo) })) }
        }
    }
}

impl Hold {
    /// The hold on a page of its own.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let mut known = vec![
            ("State", state(&self.state)),
            ("From", self.from.clone()),
            ("To", self.to.clone()),
            ("For", self.purpose.clone()),
            ("Made", html! { (self.created) }),
        ];
        known.push(("Captured", html! { (self.captured) }));
        match &self.posted {
            Some(posted) => known.push(("Paid out at its end", html! { (posted) })),
            None => known.push(("Held still", html! { (self.rest) })),
        }
        if let Some(expires) = self.expires {
            known.push(("Ends by itself", html! { (expires) }));
        }
        Sheet {
            kind: "Hold",
            id: self.id,
            money: self.money.clone(),
            facts: known,
            memo: None,
        }
    }
}
