//! The fleet: price lists on the market, what settled deals used of it, who depends on whom.

use axum::response::Response;
use rialto_console::kit::Who;
use rialto_console::pages::fleet::{
    Concentration, Fleet, Measure, Modelled, PriceList, Share, Split, TokenPrice, Used,
};
use rialto_console::shell::Place;
use rialto_views as views;

use super::accounts::{Period, period};
use super::request::{SignedIn, pair};
use crate::door::problem::Refusal;

/// How many price lists stand on a page.
const LISTS: u32 = 30;

/// `GET /fleet`.
pub(super) async fn page(user: SignedIn) -> Result<Response, Refusal> {
    let (period, paging) = (period(&user)?, user.paging(LISTS));
    let (scope, range) = (user.scope().await?, period.range);
    let lists = user.view(move |v| v.price_lists(&paging)).await?;
    let told = user.view(move |v| v.fleet_use(scope, range)).await?;
    let page = Fleet {
        address: user.request.address.clone(),
        lists: lists.items.into_iter().map(price_list).collect(),
        next: user.next(lists.next_cursor.as_deref()),
        by_chip: split(told.by_chip, "chip", &period),
        by_model: split(told.by_model, "model", &period),
        total: told.total.into_iter().map(|row| used(row, None)).collect(),
        concentration: told.concentration.into_iter().map(concentration).collect(),
        position: told.position,
        period: period.name,
    };
    user.page("Fleet", Place::Fleet, &page.page()).await
}

fn price_list(list: views::PriceList) -> PriceList {
    let place = [list.vendor, list.host, list.region];
    PriceList {
        id: list.id.into(),
        title: list.title,
        provider: Who::new(list.seller.handle).resembling(list.seller.resembles.as_deref()),
        model: list.model,
        chip: list.chip,
        place: place.into_iter().flatten().collect(),
        asset: list.asset,
        tokens: [list.input, list.cached, list.output].map(|tokens| TokenPrice {
            price: tokens.price,
            modelled_cost: tokens.modelled_cost,
            modelled_chip_seconds: tokens.modelled_chip_seconds,
        }),
    }
}

fn split(split: views::Split, by: &str, period: &Period) -> Split {
    let row = |row: views::CapacityRow| {
        let facts = period.facts(by, &row.key);
        used(row, Some(facts))
    };
    let filters = [pair("by", by), pair("period", &period.name)];
    Split {
        rows: split.rows.into_iter().map(row).collect(),
        left_out: split.left_out,
        all: format!("/accounts?{}", filters.join("&")),
    }
}

fn used(row: views::CapacityRow, facts: Option<String>) -> Used {
    Used {
        name: row.name,
        asset: row.asset,
        deals: row.deals,
        charged: row.charged,
        modelled: row.modelled.map(|m| Modelled {
            chip_seconds: m.chip_seconds,
            cost: m.cost,
            margin: m.margin,
            margin_fraction: m.margin_fraction,
        }),
        facts,
    }
}

fn concentration(one: views::Concentration) -> Concentration {
    let share = |share: views::Share| Share {
        name: share.name,
        amount: share.amount,
        share: share.share,
    };
    Concentration {
        measure: match one.measure {
            views::Measure::Charged => Measure::Charged,
            views::Measure::Tokens => Measure::Tokens,
            views::Measure::ChipSeconds => Measure::ChipSeconds,
        },
        dimension: one.dimension,
        asset: one.asset,
        shares: one.shares.into_iter().map(share).collect(),
        left_out: one.left_out,
        hhi: one.hhi,
        effective_count: one.effective_count,
    }
}
