//! The accountability report and the facts behind its rows; the trace of a thing.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::kit::Who;
use rialto_console::pages::accounts::{Accounts, Calls, Entered, Fact, Facts, Figures, Row};
use rialto_console::pages::trace::{self, Hop};
use rialto_console::shell::Place;
use rialto_core::id::AnyId;
use rialto_core::reject::Code;
use rialto_core::time::{DAY_MS, HOUR_MS, Time};
use rialto_views::{AccountsReport, Basis, Dimension, FactRow, ReportRow, TracePart};

use super::request::{SignedIn, pair};
use super::show::{money, word};
use crate::door::problem::Refusal;
use crate::door::reads::refused;

fn dimensions(by: &str) -> Result<Vec<Dimension>, Refusal> {
    by.split(',')
        .map(|name| name.trim().parse().map_err(refused))
        .collect()
}

/// The period of a report, which its links carry.
pub(super) struct Period {
    pub(super) name: String,
    pub(super) range: Option<(Time, Time)>,
}

impl Period {
    /// The address of the facts behind a row of the same period.
    pub(super) fn facts(&self, by: &str, key: &str) -> String {
        let mut query = vec![pair("by", by), pair("key", key)];
        if let Some((from, to)) = self.range {
            query.push(pair("from", &from.0.to_string()));
            if to.0 < u64::MAX {
                query.push(pair("to", &to.0.to_string()));
            }
        }
        format!("/accounts/events?{}", query.join("&"))
    }
}

/// The period that an address asks for.
///
/// # Errors
/// [`Code::Malformed`].
pub(super) fn period(user: &SignedIn) -> Result<Period, Refusal> {
    let number = |name| {
        user.param(name)
            .map(|text| text.parse::<u64>())
            .transpose()
            .map_err(|_| Refusal::new(Code::Malformed, format!("{name}: Unix milliseconds")))
    };
    let (from, to) = (number("from")?, number("to")?);
    if from.is_some() || to.is_some() {
        let range = Some((Time(from.unwrap_or(0)), Time(to.unwrap_or(u64::MAX))));
        return Ok(Period {
            name: "all".to_owned(),
            range,
        });
    }
    let name = user.param("period").unwrap_or("all");
    let back = match name {
        "hour" => Some(HOUR_MS),
        "day" => Some(DAY_MS),
        "week" => Some(7 * DAY_MS),
        _ => None,
    };
    let range = back.map(|ms| (Time(user.now().0.saturating_sub(ms)), Time(u64::MAX)));
    Ok(Period {
        name: name.to_owned(),
        range,
    })
}

/// `GET /accounts`.
pub(super) async fn page(user: SignedIn) -> Result<Response, Refusal> {
    let by = user.param("by").unwrap_or("owner").to_owned();
    let (wanted, period) = (dimensions(&by)?, period(&user)?);
    let (scope, range) = (user.scope().await?, period.range);
    let report = user.view(move |v| v.accounts_report(scope, &wanted, range));
    let page = filled(&user, by, period, &report.await?);
    user.page("Accounts", Place::Accounts, &page.page()).await
}

fn filled(user: &SignedIn, by: String, period: Period, report: &AccountsReport) -> Accounts {
    let names: Vec<String> = by.split(',').map(|n| n.trim().to_owned()).collect();
    let row = |row: &ReportRow| Row {
        by: names
            .iter()
            .map(|name| {
                let value = row.by.get(name).cloned().unwrap_or_default();
                let other = row.resembles.get(name).map(String::as_str);
                let who = Who::new(value).resembling(other);
                (who, row.ids.get(name).copied())
            })
            .collect(),
        asset: row.asset.clone(),
        figures: figures(&row.figures),
        facts: Some(period.facts(&by, &row.key)),
    };
    Accounts {
        address: user.request.address.clone(),
        rows: report.rows.iter().map(row).collect(),
        unattributed: report.unattributed.iter().map(row).collect(),
        total: report
            .total
            .iter()
            .map(|total| Row {
                by: Vec::new(),
                asset: total.asset.clone(),
                figures: figures(&total.figures),
                facts: None,
            })
            .collect(),
        entered: report
            .operator
            .iter()
            .map(|row| Entered {
                asset: row.asset.clone(),
                issued: row.issued.clone(),
                deposited: row.deposited.clone(),
                withdrawn: row.withdrawn.clone(),
                corrected: row.corrected.clone(),
            })
            .collect(),
        position: report.position,
        dimensions: names,
        by,
        period: period.name,
    }
}

fn figures(figures: &rialto_views::Figures) -> Figures {
    Figures {
        spent: figures.spent.clone(),
        reserved: figures.reserved.clone(),
        earned: figures.earned.clone(),
        returned: figures.returned.clone(),
        margin: figures.margin.clone(),
        return_on_spend: figures.return_on_spend.clone(),
        bought: figures.bought,
        sold: figures.sold,
        modelled_chip_seconds: figures.modelled_chip_seconds.clone(),
        modelled_chip_cost: figures.modelled_chip_cost.clone(),
        calls: figures.called.or(figures.served).map(|calls| Calls {
            calls: calls.calls,
            input: calls.input,
            cached: calls.cached,
            output: calls.output,
            reasoning: calls.reasoning,
        }),
    }
}

/// `GET /accounts/events`: the facts behind a row.
pub(super) async fn events(user: SignedIn) -> Result<Response, Refusal> {
    let by = user.param("by").unwrap_or("owner").to_owned();
    let (wanted, range) = (dimensions(&by)?, period(&user)?.range);
    let key = user.param("key").unwrap_or_default().to_owned();
    let (scope, paging) = (user.scope().await?, user.paging(50));
    let read = user.view(move |v| v.report_rows_events(scope, &wanted, range, &key, &paging));
    let found = read.await?;
    let fact = |row: &FactRow| Fact {
        kind: word(&row.kind),
        money: money(&row.amount, &row.asset),
        entry: row.entry.map(Into::into),
        of: row.deal.map(Into::into).or(row.inference.map(Into::into)),
        at: user.when(row.at),
        position: row.position,
    };
    let facts = Facts {
        back: format!("/accounts?{}", pair("by", &by)),
        rows: found.items.iter().map(fact).collect(),
        next: user.next(found.next_cursor.as_deref()),
    };
    user.page("Events behind a row", Place::Accounts, &facts.page())
        .await
}

/// `GET /trace/{id}`.
pub(super) async fn trace(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let id: AnyId = name.parse().map_err(|_| Refusal::new(Code::NotFound, ""))?;
    let scope = user.scope().await?;
    let part = TracePart {
        kind: user.param("kind").map(str::to_owned),
        cursor: user.param("cursor").map(str::to_owned),
    };
    let found = user.view(move |v| v.trace_part(scope, id, &part)).await?;
    let found = found.ok_or(Code::NotFound)?;
    let hop = |hop: &rialto_views::Hop| Hop {
        id: hop.id,
        private: hop.private,
        at: hop.at.map(|at| user.when(at)),
        position: hop.position,
        who: hop
            .who
            .clone()
            .map(|handle| Who::new(handle).resembling(hop.who_resembles.as_deref())),
        what: hop.what.clone().unwrap_or_default(),
        amount: hop.amount.clone(),
        basis: hop.basis.map(|basis| match basis {
            Basis::Measured => "measured",
            Basis::Modelled => "modelled",
            Basis::StandIn => "stand-in",
        }),
        links: hop.links.clone(),
        folded: hop.folded.as_ref().map(|_| hop.kind.clone()),
    };
    let page = trace::Trace {
        address: user.request.address.clone(),
        id,
        hops: found.hops.iter().map(hop).collect(),
        gaps: found
            .gaps
            .map(|gaps| gaps.iter().map(|g| (g.id, g.named_by)).collect()),
        next: user.next(found.next_cursor.as_deref()),
    };
    user.page(&format!("Trace of {id}"), None, &page.page())
        .await
}
