//! The fleet: price lists on the market, what settled deals used of it, and whose it was.

use rialto_core::id::AnyId;
use rialto_core::time::Time;
use rialto_views::{CapacityRow, Concentration, Dimension, Measure, Paging, Scope, Split};
use serde_json::json;

use crate::accounts::bought;
use crate::realm::{Day, id_of};

const ALL: Paging = Paging {
    cursor: None,
    limit: 100,
};

/// A price list of the seller's.
fn published(day: &mut Day, chip: &str, seconds: &str, cost: &str) -> AnyId {
    let text = |name: &str, value: &str| json!({ "name": name, "value": { "text": value } });
    let terms = json!({ "title": format!("capacity on {chip}"),
        "items": [{ "name": "Million output tokens", "price": "0.50" },
                  { "name": "million input tokens", "price": "0.125" }],
        "attributes": [
            text("basis", "modelled"), text("model", "llama3.1-8b"), text("chip", chip),
            text("region", "us-east"),
            text("chip_seconds_per_million_output_tokens", seconds),
            text("cost_per_million_output_tokens", cost),
        ] });
    let args = json!({ "terms": terms });
    id_of(&day.realm.by(day.seller, "listing.publish", args), "list")
}

/// Two lists, and three settled deals on them beside one on something else.
fn day() -> (Day, [AnyId; 2]) {
    let mut day = Day::new().trade();
    let own = published(&mut day, "trainium2", "120.5", "0.07");
    let other = published(&mut day, "h100_sxm", "40", "0.05");
    bought(&mut day, own, 2, "1");
    bought(&mut day, own, 4, "2");
    bought(&mut day, other, 1, "0.04");
    (day, [own, other])
}

fn line(row: &CapacityRow) -> String {
    let name = row.name.as_deref().unwrap_or("unattributed");
    let (deals, charged) = (row.deals, &row.charged);
    let told = row.modelled.as_ref().map(|m| {
        let margin = m.margin.as_deref().unwrap_or_default();
        let fraction = m.margin_fraction.as_deref().unwrap_or_default();
        format!("{} {} {margin} {fraction}", m.chip_seconds, m.cost)
    });
    format!("{name}: {deals} {charged} {}", told.unwrap_or_default())
}

fn lines(split: &Split) -> Vec<String> {
    split.rows.iter().map(line).collect()
}

fn shares(told: &[Concentration]) -> Vec<String> {
    let one = |c: &Concentration| {
        let name = |s: &rialto_views::Share| {
            let name = s.name.as_deref().unwrap_or("-");
            format!("{name} {} {:.4}", s.amount, s.share)
        };
        let names: Vec<String> = c.shares.iter().map(name).collect();
        let of = match c.measure {
            Measure::Charged => "charged",
            Measure::Tokens => "tokens",
            Measure::ChipSeconds => "chip-seconds",
        };
        format!("{of} {} {:.4}: {}", c.dimension, c.hhi, names.join(", "))
    };
    told.iter().map(one).collect()
}

#[test]
fn use_is_told_by_chip_and_model_with_the_unattributed_apart() {
    let (day, _) = day();
    let views = day.realm.views();
    let reader = views.reader();
    let told = reader.fleet_use(Scope::Realm, None).unwrap();
    assert_eq!(
        lines(&told.by_chip),
        [
            "trainium2: 2 3.00 723.00 0.42 2.58 0.86",
            "h100_sxm: 1 0.04 40.00 0.05 -0.01 -0.25",
            "unattributed: 1 20.00 ",
        ]
    );
    assert_eq!(
        lines(&told.by_model),
        [
            "llama3.1-8b: 3 3.04 763.00 0.47 2.57 0.845394",
            "unattributed: 1 20.00 ",
        ]
    );
    let total: Vec<String> = told.total.iter().map(line).collect();
    assert_eq!(total, ["unattributed: 4 23.04 763.00 0.47 2.57 0.845394"]);
    assert_eq!(
        shares(&told.concentration),
        [
            "charged provider 1.0000: @seller 23.04 1.0000",
            "charged model 1.0000: llama3.1-8b 3.04 0.1319, - 20.00 0.8681",
            "charged chip 0.9740: trainium2 3.00 0.1302, h100_sxm 0.04 0.0017, - 20.00 0.8681",
            "charged region 1.0000: us-east 3.04 0.1319, - 20.00 0.8681",
            "tokens provider 1.0000: @seller 7000000 1.0000",
            "tokens model 1.0000: llama3.1-8b 7000000 1.0000",
            "tokens chip 0.7551: trainium2 6000000 0.8571, h100_sxm 1000000 0.1429",
            "tokens region 1.0000: us-east 7000000 1.0000",
            "chip-seconds provider 1.0000: @seller 763.00 1.0000",
            "chip-seconds model 1.0000: llama3.1-8b 763.00 1.0000",
            "chip-seconds chip 0.9006: trainium2 723.00 0.9476, h100_sxm 40.00 0.0524",
            "chip-seconds region 1.0000: us-east 763.00 1.0000",
        ]
    );
    for (split, by, facts) in [
        (&told.by_chip, Dimension::Chip, [8, 4, 4]),
        (&told.by_model, Dimension::Model, [12, 4, 0]),
    ] {
        for (row, facts) in split.rows.iter().zip(facts) {
            let found = reader.report_rows_events(Scope::Realm, &[by], None, &row.key, &ALL);
            let told = line(row);
            assert_eq!(found.unwrap().items.len(), facts, "behind {told}");
        }
    }
}

#[test]
fn both_sides_of_a_deal_see_its_use_and_nobody_else() {
    let (day, _) = day();
    let views = day.realm.views();
    let reader = views.reader();
    let all = reader.fleet_use(Scope::Realm, None).unwrap();
    for scope in [
        Scope::Owner(day.ours.id),
        Scope::Owner(day.theirs.id),
        Scope::Agent(day.buyer),
        Scope::Agent(day.seller),
    ] {
        assert_eq!(reader.fleet_use(scope, None).unwrap(), all, "{scope:?}");
    }
    for scope in [Scope::Owner(day.stranger.id), Scope::Agent(day.rival)] {
        let told = reader.fleet_use(scope, None).unwrap();
        assert!(told.total.is_empty() && told.by_chip.rows.is_empty());
        assert!(told.concentration.is_empty());
    }
}

#[test]
fn only_what_was_settled_within_the_period_counts() {
    let (mut day, [own, _]) = day();
    day.realm.now_ms += 10_000;
    let later = Time(day.realm.now_ms);
    bought(&mut day, own, 1, "0.50");
    let views = day.realm.views();
    let reader = views.reader();
    let within = |from, until| {
        let told = reader.fleet_use(Scope::Realm, Some((from, until))).unwrap();
        told.total.first().map(line)
    };
    let last = "unattributed: 1 0.50 120.50 0.07 0.43 0.86";
    assert_eq!(within(later, Time(u64::MAX)).as_deref(), Some(last));
    let before = within(Time(0), later).unwrap();
    assert!(before.starts_with("unattributed: 4 23.04 "), "{before}");
    assert_eq!(within(Time(0), Time(1)), None);
}

#[test]
fn price_lists_are_the_modelled_listings_on_the_market() {
    let (mut day, [own, other]) = day();
    let plain = json!({ "terms": { "title": "crisps", "items": [{ "name": "bag", "price": "1" }],
        "attributes": [{ "name": "chip", "value": { "text": "potato" } }] } });
    day.realm.by(day.seller, "listing.publish", plain);
    let views = day.realm.views();
    let lists = views.reader().price_lists(&ALL).unwrap().items;
    let found: Vec<AnyId> = lists.iter().map(|list| list.id.into()).collect();
    assert_eq!(found, [other, own], "newest first");
    let list = &lists[1];
    assert_eq!(
        (
            list.seller.handle.as_str(),
            list.model.as_deref(),
            list.chip.as_str()
        ),
        ("@seller", Some("llama3.1-8b"), "trainium2")
    );
    assert_eq!(
        (list.region.as_deref(), list.host.as_deref()),
        (Some("us-east"), None)
    );
    let output = &list.output;
    assert_eq!(
        [
            &output.price,
            &output.modelled_cost,
            &output.modelled_chip_seconds
        ],
        [
            &Some("0.50".into()),
            &Some("0.07".into()),
            &Some("120.50".into())
        ]
    );
    assert_eq!(list.input.price.as_deref(), Some("0.125"));
    assert_eq!(list.input.modelled_cost, None);
    assert_eq!(list.cached.price, None);
    let one = |cursor| {
        let page = views.reader().price_lists(&Paging { cursor, limit: 1 });
        let page = page.unwrap();
        (AnyId::from(page.items[0].id), page.next_cursor)
    };
    let (first, next) = one(None);
    assert_eq!((first, one(next)), (other, (own, None)));

    let withdrawn = json!({ "listing": own });
    day.realm.by(day.seller, "listing.withdraw", withdrawn);
    let views = day.realm.views();
    let lists = views.reader().price_lists(&ALL).unwrap().items;
    assert_eq!(lists.len(), 1);
}
