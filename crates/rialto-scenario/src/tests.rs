//! The scenario as a whole: reference figures reproduced, the bars for search and choice, what
//! praise may not move, and what bad folders are told.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::load::load;
use super::money::{self, CENT, ONE, dollars};
use super::reference::{Prices, run_day};
use super::strategy::{
    self, BuyerMove, Call, Competition, HAGGLE_ROUNDS, Proposal, SellerMove, buyer_move,
    seller_move,
};
use super::welfare::{self, DayFigures, LossReason};
use super::{Business, Customer, Item, Scenario, find_item};
use rialto_core::amount::Amount;
use rialto_wire::names::Name;

const SHIPPED: [&str; 4] = [
    "mexican_3_9",
    "mexican_33_99",
    "mexican_100_300",
    "contractors_33_99",
];

/// The folder of real scenarios, or `None` with a message where it is absent.
fn shared() -> Option<PathBuf> {
    rialto_testing::outside_data("magentic")
}

fn market_day() -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/market-day");
    load(&folder).expect("the shipped scenario loads")
}

fn usd(text: &str) -> Amount {
    money::read(text).expect("an amount")
}

fn day(scenario: &Scenario, prices: Prices) -> DayFigures {
    welfare::report(scenario, &run_day(scenario, prices, 1))
}

/// Utilities of every way to pick one business that has a customer's items.
fn pickable(scenario: &Scenario, customer: &Customer, attributes_too: bool) -> Vec<Amount> {
    let wants = strategy::wants(customer);
    let sellers = scenario.businesses.iter().filter(|business| {
        super::bundle_price(&business.menu, &wants.items).is_some()
            && (!attributes_too || business.has_attributes(&wants.attributes))
    });
    sellers
        .map(|business| {
            let price = super::bundle_price(&business.menu, &wants.items).expect("has all");
            welfare::utility(customer, business, price)
        })
        .collect()
}

/// `pick_cheapest`: the lowest list price among those with the items, attributes not looked at.
fn pick_cheapest(scenario: &Scenario) -> Amount {
    let each = scenario.customers.iter().map(|customer| {
        let wants = strategy::wants(customer);
        let priced = scenario.businesses.iter().filter_map(|business| {
            Some((super::bundle_price(&business.menu, &wants.items)?, business))
        });
        priced
            .min_by_key(|(price, _)| *price)
            .map_or(Amount::ZERO, |(price, business)| {
                welfare::utility(customer, business, price)
            })
    });
    money::total(each)
}

fn assert_reference_figures(scenario: &Scenario) {
    let name = &scenario.name;
    let shipped = scenario.baselines.as_ref().expect("reference figures");
    let figure = |baseline: &str, figure: &str| shipped[baseline][figure];
    assert_eq!(
        welfare::optimal_total(scenario),
        figure("pick_optimal_baseline", "constant"),
        "{name}: optimum"
    );
    assert_eq!(
        pick_cheapest(scenario),
        figure("pick_cheapest_baseline", "constant"),
        "{name}: cheapest with the items"
    );
    for (baseline, attributes_too) in [
        ("pick_any_baseline", false),
        ("pick_any_with_amenities_baseline", true),
    ] {
        let (mut lowest, mut highest, mut mean) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
        for customer in &scenario.customers {
            let picks = pickable(scenario, customer, attributes_too);
            let count = i128::try_from(picks.len()).expect("small");
            lowest.0 += picks.iter().min().copied().unwrap_or_default().0;
            highest.0 += picks.iter().max().copied().unwrap_or_default().0;
            mean.0 += money::scaled_up(money::total(picks), 1, count.max(1)).0;
        }
        assert!(lowest <= figure(baseline, "min"), "{name}: {baseline} min");
        assert!(highest >= figure(baseline, "max"), "{name}: {baseline} max");
        // The shipped figure is the median of random runs: the exact mean lies between quartiles
        // wherever there are enough customers for the two to be close.
        if scenario.customers.len() >= 12 {
            assert!(
                figure(baseline, "q1") < mean && mean < figure(baseline, "q3"),
                "{name}: {}",
                dollars(mean)
            );
        }
    }
}

#[test]
fn reference_figures_follow_from_the_menus() {
    let Some(shared) = shared() else { return };
    for name in SHIPPED {
        assert_reference_figures(&load(&shared.join(name)).expect(name));
    }
}

#[test]
fn reference_figures_of_the_own_scenario_follow_from_its_menus() {
    assert_reference_figures(&market_day());
}

#[test]
fn search_and_choice_reach_the_optimum_and_bargaining_passes_it() {
    let Some(shared) = shared() else { return };
    for name in SHIPPED {
        let scenario = load(&shared.join(name)).expect(name);
        assert!(scenario.notes.is_empty(), "{:?}", scenario.notes);
        let listed = day(&scenario, Prices::List).welfare;
        let ratio = listed.ratio.expect("an optimum");
        assert!(
            ratio >= 0.99,
            "{name}: {ratio}, lost to {:?}",
            listed.lost_to
        );
        assert_eq!(listed.bargaining_gain, Amount::ZERO);
        let bargained = day(&scenario, Prices::Bargained).welfare;
        assert_eq!(bargained.list_price_total, listed.total);
        assert!(bargained.total > listed.total, "{name}: bargaining adds");
    }
}

#[test]
fn praise_threats_and_instructions_change_no_choice() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("competitive_description");
    let mut compared = 0;
    for entry in fs::read_dir(&folder).expect("readable") {
        let name = entry
            .expect("readable")
            .file_name()
            .into_string()
            .expect("utf-8");
        let (trade, _) = name.split_once('_').expect("trade_kind");
        let twin = load(&folder.join(format!("{trade}_control"))).expect("control");
        let scenario = load(&folder.join(&name)).expect(&name);
        for prices in [Prices::List, Prices::Bargained] {
            assert_eq!(
                run_day(&scenario, prices, 1),
                run_day(&twin, prices, 1),
                "{name}"
            );
        }
        compared += 1;
    }
    assert!(compared >= 12, "{compared} folders");
}

#[test]
fn the_own_market_day_shows_what_it_was_written_for() {
    let scenario = market_day();
    assert_eq!(
        (scenario.customers.len(), scenario.businesses.len()),
        (12, 18)
    );
    assert!(scenario.notes.is_empty(), "{:?}", scenario.notes);
    let outcomes = run_day(&scenario, Prices::Bargained, 1);
    let report = welfare::report(&scenario, &outcomes);
    assert_eq!(report.welfare.list_price_total, usd("655.80"));
    assert_eq!(report.welfare.lost_to, vec![]);
    let none: Vec<&str> = report
        .unmatched
        .iter()
        .map(|u| u.customer.as_str())
        .collect();
    assert_eq!(none, ["customer_12"], "nobody sells schie beside a landing");
    let alone = &report.unmatched[0];
    assert_eq!(alone.nearest.as_deref(), Some("business_03"));
    assert_eq!(alone.missing_items, ["Schie with Polenta"]);
    assert!(alone.missing_attributes.is_empty() && !alone.possible);
    let sold = |id: &str| {
        outcomes
            .iter()
            .any(|o| o.deal.as_ref().is_some_and(|(s, _)| s == id))
    };
    assert!(!sold("business_04"), "the boaster");
    assert!(
        !sold("business_15"),
        "the one with instructions in its listing"
    );
    let beads = &outcomes[4];
    let first = beads.first_choice.as_ref().expect("a first choice");
    let deal = beads.deal.as_ref().expect("a deal");
    assert_eq!(first.0, "business_17", "cheapest at list price");
    assert_eq!(
        deal.0, "business_18",
        "the one that could go lower wins the bargaining"
    );
}

#[test]
fn a_lost_optimum_is_named() {
    let scenario = market_day();
    let mut outcomes = run_day(&scenario, Prices::List, 1);
    type Spoil = fn(&mut welfare::Outcome);
    let table: [(usize, Spoil, LossReason); 4] = [
        (0, |o| o.found.clear(), LossReason::NotFound),
        (1, |o| o.asked.clear(), LossReason::NotAsked),
        (2, |o| o.proposed.clear(), LossReason::NoProposal),
        (3, |_| (), LossReason::DearerChoice),
    ];
    for (customer, spoil, _) in table {
        spoil(&mut outcomes[customer]);
        outcomes[customer].first_choice = None;
        outcomes[customer].deal = None;
    }
    let welfare = welfare::report(&scenario, &outcomes).welfare;
    let reasons: Vec<LossReason> = welfare.lost_to.iter().map(|loss| loss.reason).collect();
    assert_eq!(reasons, table.map(|(_, _, reason)| reason));
    let lost = money::total(welfare.lost_to.iter().map(|loss| loss.amount));
    let told = money::total([welfare.list_price_total, lost]);
    assert_eq!(told, welfare.optimal);
}

#[test]
fn paying_for_less_than_everything_only_costs() {
    let scenario = market_day();
    let mut outcomes = run_day(&scenario, Prices::List, 1);
    // No outdoor tables there.
    outcomes[0].deal = Some(("business_03".into(), usd("10.50")));
    outcomes[1].deal = Some(("nobody".into(), usd("1")));
    let report = welfare::report(&scenario, &outcomes);
    assert_eq!(report.customers[0].utility, usd("-10.50"));
    assert_eq!(report.customers[1].utility, usd("-1"));
}

#[test]
fn spread_is_measured_in_order_of_size() {
    let amounts = ["4", "0", "2", "2"].map(usd).to_vec();
    let spread = welfare::spread(amounts);
    assert_eq!(
        (spread.min, spread.median, spread.max),
        (usd("0"), usd("2"), usd("4"))
    );
    assert_eq!(spread.gini, Some(0.375));
    assert_eq!(welfare::spread(vec![usd("3"); 5]).gini, Some(0.0));
    assert_eq!(welfare::spread(vec![]).gini, None);
    assert_eq!(welfare::spread(vec![usd("-3")]).gini, None);
}

/// A business with one menu, by text.
fn business(
    id: &str,
    menu: &[(&str, &str)],
    attributes: &[&str],
    factor_percent: i128,
) -> Business {
    Business {
        id: id.into(),
        name: id.into(),
        description: String::new(),
        menu: items(menu),
        attributes: names(attributes),
        min_price_factor: ONE / 100 * factor_percent,
    }
}

fn names(names: &[&str]) -> Vec<Name> {
    names.iter().copied().map(Name::from).collect()
}

fn items(menu: &[(&str, &str)]) -> Vec<Item> {
    menu.iter()
        .map(|(name, price)| Item {
            name: (*name).into(),
            price: usd(price),
        })
        .collect()
}

fn customer(wants: &[(&str, &str)], attributes: &[&str]) -> Customer {
    Customer {
        id: "c".into(),
        name: "c".into(),
        request: String::new(),
        wants: items(wants),
        attributes: names(attributes),
    }
}

fn market(customer: Customer, businesses: Vec<Business>) -> Scenario {
    Scenario {
        name: "test".into(),
        customers: vec![customer],
        businesses,
        baselines: None,
        notes: vec![],
    }
}

#[test]
fn claims_that_menus_do_not_hold_win_nothing() {
    let honest = business("honest", &[("Eel", "9"), ("Rice", "3")], &["Dock"], 80);
    let mut liar = business("liar", &[("Rice", "1")], &["Dock"], 50);
    liar.name = "Eel Eel Eel and Rice, Dock".into();
    liar.description = "We sell Eel for 1.00 at the Dock. Eel, Rice, Dock!".into();
    let near = business("near", &[("Eels", "1"), ("Rice", "1")], &["Dock"], 50);
    let inland = business("inland", &[("eel", "2"), ("RICE", "1")], &["No Dock"], 50);
    let decoy = business(
        "decoy",
        &[("EEL", "1"), ("eel ", "30"), ("Rice", "1")],
        &["dock"],
        99,
    );
    let buyer = customer(&[("Eel", "10"), ("Rice", "3")], &["Dock"]);
    let scenario = market(buyer, vec![liar, near, inland, decoy, honest]);
    for prices in [Prices::List, Prices::Bargained] {
        let outcomes = run_day(&scenario, prices, 1);
        assert_eq!(
            outcomes[0].asked,
            ["honest", "decoy"],
            "cheapest first, decoy at its dearer price"
        );
        assert_eq!(
            outcomes[0].deal.as_ref().map(|(seller, _)| seller.as_str()),
            Some("honest")
        );
    }
}

#[test]
fn a_name_written_exactly_so_comes_before_its_doubles() {
    let menu = items(&[("EEL", "1"), ("Eel", "5"), ("eel", "9")]);
    let price =
        |wanted: &str| find_item(&menu, &Name::from(wanted)).map(|item| dollars(item.price));
    assert_eq!(price("Eel").as_deref(), Some("5.00"));
    assert_eq!(price("eEl").as_deref(), Some("9.00"));
    assert_eq!(price("Eels"), None);
}

#[test]
fn a_proposal_names_only_what_the_seller_has() {
    let seller = business("s", &[("Eel", "9")], &["Dock"], 50);
    let wants = strategy::Wants {
        items: names(&["eel", "Rice"]),
        attributes: names(&["Terrace", "DOCK"]),
    };
    let answer = strategy::proposal(
        &seller,
        &Call {
            wants,
            competition: None,
        },
    )
    .expect("has eel");
    assert_eq!(
        (answer.items, answer.attributes),
        (names(&["eel"]), names(&["DOCK"]))
    );
    assert_eq!(answer.price, usd("9"));
    let other = strategy::Wants {
        items: names(&["Rice"]),
        attributes: vec![],
    };
    assert_eq!(
        strategy::proposal(
            &seller,
            &Call {
                wants: other,
                competition: None
            }
        ),
        None
    );
}

#[test]
fn competing_sellers_bid_between_floor_and_best_price() {
    let wants = strategy::Wants {
        items: names(&["Eel"]),
        attributes: vec![],
    };
    let bid = |list: &str, factor: i128, best: &str, competitors: u32| {
        let seller = business("s", &[("Eel", list)], &[], factor);
        let competition = Some(Competition {
            best_price: usd(best),
            competitors,
        });
        let call = Call {
            wants: wants.clone(),
            competition,
        };
        dollars(strategy::proposal(&seller, &call).expect("has eel").price)
    };
    assert_eq!(bid("10", 60, "10", 2), "8.00");
    assert_eq!(bid("10", 60, "9", 3), "7.00");
    assert_eq!(bid("12", 60, "10", 2), "8.60");
    assert_eq!(
        bid("12", 90, "10", 2),
        "12.00",
        "cannot go below the best: stays"
    );
    assert_eq!(bid("10", 100, "10", 2), "10.00");
}

#[test]
fn ties_fall_by_lot_and_never_by_name() {
    let buyer = customer(&[("Eel", "10")], &[]);
    let offer = |seller: &str| Proposal {
        seller: seller.into(),
        items: names(&["Eel"]),
        attributes: vec![],
        price: usd("9"),
    };
    for seed in 0..64 {
        let lot = strategy::lot(seed, 0);
        let left = strategy::choose(&buyer, &[offer("a"), offer("b")], lot);
        let right = strategy::choose(&buyer, &[offer("z"), offer("a")], lot);
        assert_eq!(left, right, "renaming moves nothing");
    }
    let first = (0..64)
        .filter(|seed| strategy::lot(*seed, 0).is_multiple_of(2))
        .count();
    assert!(
        (16..48).contains(&first),
        "either place wins about half the time: {first}"
    );
}

#[test]
fn renaming_sellers_moves_no_deal() {
    let plain = market_day();
    let mut renamed = plain.clone();
    let alias = |id: &str| format!("x{}", id.chars().rev().collect::<String>());
    for business in &mut renamed.businesses {
        business.id = alias(&business.id);
    }
    let (plain, renamed) = (
        run_day(&plain, Prices::Bargained, 5),
        run_day(&renamed, Prices::Bargained, 5),
    );
    for (before, after) in plain.iter().zip(&renamed) {
        let expected = before
            .deal
            .as_ref()
            .map(|(seller, price)| (alias(seller), *price));
        assert_eq!(after.deal, expected);
    }
}

#[test]
fn nobody_pays_more_than_it_is_worth() {
    let dear = business("dear", &[("Eel", "30")], &[], 70);
    let scenario = market(customer(&[("Eel", "10")], &[]), vec![dear.clone()]);
    assert_eq!(run_day(&scenario, Prices::List, 1)[0].deal, None);
    assert_eq!(
        run_day(&scenario, Prices::Bargained, 1)[0].deal,
        None,
        "its floor is 21"
    );
    let softer = Business {
        min_price_factor: ONE / 2,
        ..dear
    };
    let scenario = market(customer(&[("Eel", "10")], &[]), vec![softer]);
    let outcomes = run_day(&scenario, Prices::Bargained, 1);
    let report = welfare::report(&scenario, &outcomes);
    assert!(
        outcomes[0]
            .deal
            .as_ref()
            .is_some_and(|(_, price)| *price <= usd("20"))
    );
    assert_eq!(
        (report.welfare.optimal, report.welfare.list_price_total),
        (usd("0"), usd("0"))
    );
    assert!(report.welfare.total >= usd("0") && report.welfare.ratio.is_none());
}

/// Plays a haggle to its end: the price, or `None` if the buyer left, with every step recorded.
fn haggle(
    seller: &Business,
    worth: Amount,
    start: Amount,
) -> (Option<Amount>, Vec<Amount>, Vec<Amount>) {
    let bundle = names(&["Eel"]);
    let (mut asks, mut bids) = (vec![start], vec![]);
    for round in 1..=HAGGLE_ROUNDS + 1 {
        let asked = *asks.last().expect("never empty");
        match buyer_move(worth, start, asked, round) {
            BuyerMove::Accept => return (Some(asked), asks, bids),
            BuyerMove::Leave => return (None, asks, bids),
            BuyerMove::Counter(bid) => {
                bids.push(bid);
                match seller_move(seller, &bundle, start, bid, round) {
                    SellerMove::Accept => return (Some(bid), asks, bids),
                    SellerMove::Offer(lower) => asks.push(lower),
                }
            }
        }
    }
    panic!("a haggle ends after its rounds");
}

proptest! {
    #[test]
    fn haggling_is_monotone_and_stays_within_both_limits(
        list in 0i128..2_000_000, start_percent in 0i128..=100, factor in 0i128..=100,
        worth in 0i128..4_000_000,
    ) {
        let list = Amount(CENT.0 * list);
        let seller = business("s", &[("Eel", &dollars(list))], &[], factor);
        let floor = seller.floor_price(list);
        let start = money::scaled_up(list, start_percent, 100).max(floor);
        let worth = Amount(CENT.0 * worth);
        let (price, asks, bids) = haggle(&seller, worth, start);
        prop_assert!(asks.windows(2).all(|w| w[1] <= w[0]), "{:?}", asks);
        prop_assert!(bids.windows(2).all(|w| w[1] >= w[0]), "{:?}", bids);
        prop_assert!(asks.iter().all(|ask| *ask >= floor));
        if let Some(price) = price {
            prop_assert!(floor <= price && price <= start && price <= worth);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn words_about_itself_never_move_a_deal(
        words in "\\PC{0,80}", which in 0usize..18, seed in 0u64..8,
    ) {
        let mut scenario = market_day();
        let plain = run_day(&scenario, Prices::Bargained, seed);
        scenario.businesses[which].description = words.clone();
        scenario.businesses[which].name = words;
        prop_assert_eq!(run_day(&scenario, Prices::Bargained, seed), plain);
    }
}

const CUSTOMER: &str = "id: c1\nmenu_features:\n  Eel: 9.5\n";
const BUSINESS: &str = "id: b1\nmenu_features:\n  Eel: 9\n";

fn folder(customer: &str, business: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (kind, text) in [("customers", customer), ("businesses", business)] {
        fs::create_dir(root.path().join(kind)).expect("writable");
        fs::write(root.path().join(kind).join("a.yaml"), text).expect("writable");
    }
    root
}

#[test]
fn optional_fields_have_defaults_and_unknown_ones_are_noted() {
    let root = folder(
        "menu_features: {Eel: 9, 'Tex''s \"Pie\"': '2.50'}\namenity_features: {Dock: yes, Bar: no}\nmood: good\n",
        "id: 7\nname: ~\nmenu_features:\n  Eel: 8\n  Eel: 7\namenity_features: [Dock]\n",
    );
    let scenario = load(root.path()).expect("tolerated");
    let (customer, business) = (&scenario.customers[0], &scenario.businesses[0]);
    assert_eq!((customer.id.as_str(), customer.name.as_str()), ("a", "a"));
    assert_eq!(customer.attributes, names(&["Dock"]));
    assert_eq!(customer.worth(), usd("23"));
    assert!(customer.request.contains("Tex's \"Pie\""));
    assert_eq!((business.id.as_str(), business.name.as_str()), ("7", "7"));
    assert_eq!(business.menu, items(&[("Eel", "7")]));
    assert_eq!(business.min_price_factor, ONE);
    assert_eq!(scenario.notes.len(), 2, "{:?}", scenario.notes);
    assert!(scenario.baselines.is_none());
}

#[test]
fn files_of_other_editors_are_read() {
    let root = folder(
        "\u{feff}id: c1\r\nmenu_features:\r\n  Eel: !!float 9.50\r\n",
        "---\n# note\nmenu_features: {\"Eel\": 9}\n...\n",
    );
    let scenario = load(root.path()).expect("read");
    assert_eq!(scenario.customers[0].wants, items(&[("Eel", "9.5")]));
    assert_eq!(scenario.customers[0].id, "c1");
}

#[test]
fn empty_menus_and_long_texts_are_noted_and_read() {
    let wordy = format!("menu_features: {{}}\ndescription: {}\n", "é".repeat(8_193));
    let root = folder("id: c\nmenu_features: {}\n", &wordy);
    let scenario = load(root.path()).expect("read");
    assert_eq!(scenario.businesses[0].description.len(), 16_384);
    assert!(scenario.businesses[0].menu.is_empty() && scenario.customers[0].wants.is_empty());
    assert_eq!(scenario.notes.len(), 3, "{:?}", scenario.notes);
    let report = day(&scenario, Prices::Bargained);
    assert_eq!(
        (report.welfare.total, report.welfare.ratio),
        (Amount::ZERO, None)
    );
}

#[test]
fn bad_folders_are_told_file_line_and_field() {
    let long = format!("id: {}\nmenu_features: {{Eel: 1}}\n", "x".repeat(201));
    let many: String = (0..501).map(|i| format!("  i{i}: 1\n")).collect();
    let many = format!("menu_features:\n{many}");
    let table: Vec<(&str, &str, &str)> = vec![
        ("", BUSINESS, "customers/a.yaml:1: the file is empty"),
        (
            "- Eel\n",
            BUSINESS,
            "customers/a.yaml:1: document: must be a mapping",
        ),
        (
            "id: c1\n",
            BUSINESS,
            "customers/a.yaml:1: menu_features: missing",
        ),
        (
            "menu_features: [Eel]\n",
            BUSINESS,
            "menu_features: must be a mapping",
        ),
        (
            "id: c\nmenu_features:\n  Eel: dear\n",
            BUSINESS,
            "customers/a.yaml:3: menu_features.Eel: \"dear\" is not an amount in USD",
        ),
        (
            "menu_features: {Eel: .nan}\n",
            BUSINESS,
            "\".nan\" is not an amount",
        ),
        (
            "menu_features: {Eel: [1]}\n",
            BUSINESS,
            "a nested value is not an amount",
        ),
        (
            "menu_features: {Eel: }\n",
            BUSINESS,
            "\"\" is not an amount",
        ),
        (
            "menu_features: {Eel: -1}\n",
            BUSINESS,
            "-1.00 is out of range",
        ),
        ("menu_features: {Eel: 1e10}\n", BUSINESS, "out of range"),
        (
            "menu_features: {'': 1}\n",
            BUSINESS,
            "an entry needs a name",
        ),
        (&long, BUSINESS, "longer than 200 characters"),
        (&many, BUSINESS, "at most 500 entries"),
        ("a: &x 1\nb: *x\n", BUSINESS, "customers/a.yaml:2: aliases"),
        ("id: [1, 2\nx: 3\n", BUSINESS, "not valid YAML"),
        (
            CUSTOMER,
            "menu_features: {Eel: 9}\nmin_price_factor: 1.2\n",
            "businesses/a.yaml:2: min_price_factor: \"1.2\" is not a share between 0 and 1",
        ),
        (
            CUSTOMER,
            "menu_features: {Eel: 9}\namenity_features: {Dock: maybe}\n",
            "businesses/a.yaml:2: amenity_features.Dock: \"maybe\" is neither true nor false",
        ),
        (CUSTOMER, CUSTOMER, "the id \"c1\" is used twice"),
    ];
    for (customer, business, expected) in table {
        let root = folder(customer, business);
        let told = load(root.path()).expect_err(expected).to_string();
        assert!(told.contains(expected), "{told:?} should say {expected:?}");
    }
}

#[test]
fn missing_and_oversize_files_are_told() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let told = |root: &Path| load(root).expect_err("must be refused").to_string();
    assert!(told(root.path()).contains("customers: "));
    fs::create_dir(root.path().join("customers")).expect("writable");
    assert!(told(root.path()).contains("no .yaml file"));

    let root = folder(CUSTOMER, &"# x\n".repeat(70_000));
    assert!(told(root.path()).contains("280000 bytes: at most 262144"));
    let root = folder(CUSTOMER, BUSINESS);
    fs::write(
        root.path().join("baseline_utilities.json"),
        "{\"a\": {\"b\": \"x\"}}",
    )
    .expect("writable");
    assert!(told(root.path()).contains("baseline_utilities.json:1: a.b: must be a number"));
    fs::write(root.path().join("customers/b.yaml"), [0xff, 0xfe]).expect("writable");
    assert!(told(root.path()).contains("b.yaml"));
}
