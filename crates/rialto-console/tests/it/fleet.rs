//! Models of the fleet in which every text is hostile.

use rialto_console::Markup;
use rialto_console::pages::fleet::{
    Concentration, Fleet, Measure, Modelled, PriceList, Share, Split, TokenPrice, Used,
};
use rialto_core::id::ListingId;

use crate::models::{s, who};

fn used(name: Option<String>) -> Used {
    Used {
        name,
        asset: s(),
        deals: 1,
        charged: s(),
        modelled: Some(Modelled {
            chip_seconds: s(),
            cost: s(),
            margin: Some(s()),
            margin_fraction: Some(s()),
        }),
        facts: Some("/accounts/events".to_owned()),
    }
}

fn split() -> Split {
    Split {
        rows: vec![used(Some(s())), used(None)],
        left_out: 2,
        all: "/accounts".to_owned(),
    }
}

fn price_list() -> PriceList {
    let tokens = TokenPrice {
        price: Some(s()),
        modelled_cost: Some(s()),
        modelled_chip_seconds: Some(s()),
    };
    PriceList {
        id: ListingId(1).into(),
        title: s(),
        provider: who(),
        model: Some(s()),
        chip: s(),
        place: vec![s(), s()],
        asset: s(),
        tokens: [tokens.clone(), TokenPrice::default(), tokens],
    }
}

fn concentration(measure: Measure, dimension: &'static str) -> Concentration {
    let share = |name, share| Share {
        name,
        amount: s(),
        share,
    };
    Concentration {
        measure,
        dimension,
        asset: s(),
        // No figure draws beyond its picture.
        shares: vec![
            share(Some(s()), 7.5),
            share(Some(format!("@{}", s())), f64::NAN),
            share(None, -1.0),
        ],
        left_out: 3,
        hhi: 1.0,
        effective_count: 1.0,
    }
}

fn fleet(lists: Vec<PriceList>, total: Vec<Used>) -> Fleet {
    Fleet {
        address: s(),
        period: s(),
        lists,
        next: Some("/fleet?cursor=k1".to_owned()),
        by_chip: split(),
        by_model: split(),
        total,
        concentration: vec![
            concentration(Measure::Charged, "provider"),
            concentration(Measure::Charged, "chip"),
            concentration(Measure::Tokens, "chip"),
            concentration(Measure::ChipSeconds, "chip"),
        ],
        position: 1,
    }
}

pub(crate) fn bodies() -> Vec<(&'static str, Markup)> {
    let full = fleet(vec![price_list()], vec![used(None)]);
    vec![
        ("fleet", full.page()),
        ("empty fleet", fleet(Vec::new(), Vec::new()).page()),
    ]
}

#[test]
fn what_is_modelled_says_so_and_only_providers_are_agents() {
    let full = fleet(vec![price_list()], vec![used(None)]);
    let html = full.page().into_string();
    for column in [
        "Charged, measured",
        "Chip-seconds, modelled",
        "Cost, modelled",
        "Margin, modelled",
    ] {
        assert!(html.contains(column), "{column}");
    }
    let of_chips = html.split_once("Charged by chip").unwrap().1;
    for (of, basis) in [
        ("Tokens by chip", "measured"),
        ("Chip-seconds by chip", "modelled"),
    ] {
        let block = html.split_once(of).unwrap().1;
        let first = block.split_once("modelled").unwrap().0;
        assert_eq!(!first.contains("measured"), basis == "modelled", "{of}");
    }
    assert!(!of_chips.contains("/agents/"), "a chip leads to an agent");
    assert!(!html.contains("width=\"NaN\"") && !html.contains("width=\"-"));
    assert!(!html.contains("width=\"750\""));
    let empty = fleet(Vec::new(), Vec::new()).page().into_string();
    assert!(empty.contains("rialto fleet publish"));
}
