//! The usage table, who depends on whom, and the FOCUS export.

use rialto_economics::concentration::{self, Concentration, Measure};
use rialto_economics::focus::{self, COLUMNS, Cell};
use rialto_economics::usage;

const HEAD: &str = "period_start,period_end,provider,model,chip,host,region,owner,agent,\
                    token_kind,tokens,spend_usd,list_usd_per_million\n";

fn table(rows: &str) -> String {
    format!("{HEAD}{rows}")
}

const ROWS: &str = "\
2026-10-01,2026-11-01,a,m1,trainium2,h1,r1,o1,@x,input,1000000,60,80
2026-10-01,2026-11-01,b,m2,h100_sxm,h1,r1,o1,@x,output,500000,30,
2026-10-05,2026-10-06,b,\"m,2\",,h2,,o2,,cached_input,500000,10,20
";

fn find<'a>(all: &'a [Concentration], dimension: &str, measure: Measure) -> &'a Concentration {
    all.iter()
        .find(|c| c.dimension == dimension && c.measure == measure)
        .unwrap()
}

#[test]
fn shares_and_index_by_hand() {
    let rows = usage::parse("usage.csv", &table(ROWS)).unwrap();
    let all = concentration::of_usage(&rows);
    let vendor = find(&all, "vendor", Measure::Spend);
    assert_eq!(vendor.total, 100.0);
    assert_eq!(vendor.shares[0].name.as_deref(), Some("a"));
    assert!((vendor.shares[0].share - 0.6).abs() < 1e-12);
    assert!((vendor.hhi.unwrap() - 0.52).abs() < 1e-12);
    assert!((vendor.effective_count.unwrap() - 1.0 / 0.52).abs() < 1e-12);
}

#[test]
fn what_names_nobody_is_unattributed_and_never_spread() {
    let rows = usage::parse("usage.csv", &table(ROWS)).unwrap();
    let all = concentration::of_usage(&rows);
    let chip = find(&all, "chip", Measure::Spend);
    let last = chip.shares.last().unwrap();
    assert_eq!((last.name.as_deref(), last.amount), (None, 10.0));
    // The index is over the 90 that are attributed: (2/3)^2 + (1/3)^2.
    assert!((chip.hhi.unwrap() - 5.0 / 9.0).abs() < 1e-12);
    for c in &all {
        let sum: f64 = c.shares.iter().map(|s| s.amount).sum();
        assert!(
            (sum - c.total).abs() < 1e-9,
            "{} does not add up",
            c.dimension
        );
    }
}

#[test]
fn chip_seconds_measure_capacity_where_they_are_known() {
    let text = "period_start,period_end,provider,model,chip,host,region,owner,agent,token_kind,\
                tokens,spend_usd,chip_seconds\n\
                2026-10-01,2026-11-01,a,m,trainium2,h,r,o,@x,input,10,1,30\n\
                2026-10-01,2026-11-01,b,m,h100_sxm,h,r,o,@x,input,10,1,10\n\
                2026-10-01,2026-11-01,b,m,h100_sxm,h,r,o,@x,output,10,1,\n";
    let rows = usage::parse("usage.csv", text).unwrap();
    let all = concentration::of_usage(&rows);
    let chip = find(&all, "chip", Measure::Capacity);
    assert_eq!((chip.unit, chip.total), ("chip-seconds", 40.0));
    assert!((chip.hhi.unwrap() - 0.625).abs() < 1e-12);
    let records = focus::records("usage.csv", &rows).unwrap();
    assert_eq!(records[0].cell("x_ChipSeconds"), Some(&Cell::Number(30.0)));
    assert_eq!(records[2].cell("x_ChipSeconds"), Some(&Cell::Null));
    let none = usage::parse("usage.csv", &table(ROWS)).unwrap();
    assert!(
        concentration::of_usage(&none)
            .iter()
            .all(|c| c.measure != Measure::Capacity)
    );
}

#[test]
fn renaming_vendors_changes_no_index() {
    let rows = usage::parse("usage.csv", &table(ROWS)).unwrap();
    let swapped: Vec<_> = rows
        .iter()
        .cloned()
        .map(|mut r| {
            r.provider = if r.provider == "a" {
                "b".to_owned()
            } else {
                "a".to_owned()
            };
            r
        })
        .collect();
    let (one, two) = (
        concentration::of_usage(&rows),
        concentration::of_usage(&swapped),
    );
    assert_eq!(
        find(&one, "vendor", Measure::Spend).hhi,
        find(&two, "vendor", Measure::Spend).hhi
    );
}

#[test]
fn bad_rows_name_line_and_column() {
    let error = |from: &str, to: &str| {
        let text = table(&ROWS.replacen(from, to, 1));
        usage::parse("usage.csv", &text).unwrap_err().to_string()
    };
    let table = [
        (
            "2026-10-01,2026-11-01",
            "2026-11-01,2026-10-01",
            "usage.csv:2: period_end: dates reversed",
        ),
        (
            "2026-10-01,2026-11-01",
            "2026-10-01,2026-02-30",
            "usage.csv:2: period_end: \"2026-02-30\"",
        ),
        ("1000000", "-1", "usage.csv:2: tokens: must be zero or more"),
        (",30,", ",,", "usage.csv:3: spend_usd: must not be empty"),
        (
            ",30,",
            ",lots,",
            "usage.csv:3: spend_usd: \"lots\" is not a number",
        ),
        (
            ",30,",
            ",inf,",
            "usage.csv:3: spend_usd: \"inf\" is not a number",
        ),
        (
            "cached_input",
            "cached",
            "usage.csv:4: token_kind: must be input",
        ),
        (
            ",10,20",
            ",10,-2",
            "usage.csv:4: list_usd_per_million: must be zero or more",
        ),
        (
            ",10,20",
            ",10",
            "usage.csv:4: row: has 12 cells, the header has 13",
        ),
    ];
    for (from, to, expected) in table {
        let found = error(from, to);
        assert!(found.starts_with(expected), "{found}");
    }
    let missing = usage::parse("usage.csv", "tokens\n1\n")
        .unwrap_err()
        .to_string();
    assert!(missing.starts_with("usage.csv:1: period_start: the column is missing"));
}

#[test]
fn focus_rows_hold_tokens_prices_and_our_columns() {
    let rows = usage::parse("usage.csv", &table(ROWS)).unwrap();
    let records = focus::records("usage.csv", &rows).unwrap();
    let text = |i: usize, column: &str| match records[i].cell(column).unwrap() {
        Cell::Text(text) => text.clone(),
        other => panic!("{column} is {other:?}"),
    };
    let number = |i: usize, column: &str| match records[i].cell(column).unwrap() {
        Cell::Number(value) => *value,
        other => panic!("{column} is {other:?}"),
    };
    assert_eq!(text(0, "PricingUnit"), "tokens");
    assert_eq!(text(0, "ServiceCategory"), "AI and Machine Learning");
    assert_eq!(text(0, "x_Chip"), "trainium2");
    assert_eq!(text(0, "x_Agent"), "@x");
    assert_eq!(number(0, "PricingQuantity"), 1_000_000.0);
    assert_eq!(number(0, "ListCost"), 80.0);
    // A price times its quantity is its cost, on every row.
    for i in 0..records.len() {
        let quantity = number(i, "PricingQuantity");
        let close = |price: &str, cost: &str| {
            assert!(
                (number(i, price) * quantity - number(i, cost)).abs() < 1e-9,
                "{price}"
            );
        };
        close("ListUnitPrice", "ListCost");
        close("ContractedUnitPrice", "ContractedCost");
    }
    // Without a list price the contracted one stands in, and says so.
    assert_eq!(text(1, "x_ListPriceKnown"), "false");
    assert_eq!(number(1, "ListCost"), 30.0);
    assert_eq!(records[2].cell("RegionId"), Some(&Cell::Null));
    assert_eq!(records[2].cell("SubAccountId"), Some(&Cell::Null));
    assert_eq!(text(0, "BillingPeriodEnd"), "2026-11-01T00:00:00Z");
    assert_eq!(text(2, "BillingPeriodStart"), "2026-10-01T00:00:00Z");
    assert_eq!(text(2, "BillingPeriodEnd"), "2026-11-01T00:00:00Z");
    assert_eq!(text(2, "ChargePeriodEnd"), "2026-10-06T00:00:00Z");
}

#[test]
fn focus_columns_that_must_not_be_null_never_are() {
    // Mandatory and not nullable for usage in FOCUS 1.3, Cost and Usage.
    const NEVER_NULL: [&str; 24] = [
        "BilledCost",
        "BillingAccountId",
        "BillingCurrency",
        "BillingPeriodEnd",
        "BillingPeriodStart",
        "ChargeCategory",
        "ChargePeriodEnd",
        "ChargePeriodStart",
        "ConsumedQuantity",
        "ConsumedUnit",
        "ContractedCost",
        "ContractedUnitPrice",
        "EffectiveCost",
        "HostProviderName",
        "InvoiceIssuerName",
        "ListCost",
        "ListUnitPrice",
        "PricingCategory",
        "PricingQuantity",
        "PricingUnit",
        "ServiceCategory",
        "ServiceName",
        "ServiceProviderName",
        "SkuPriceId",
    ];
    let bare = table("2026-10-01,2026-11-01,,m,,,,,,input,10,0,\n");
    let rows = usage::parse("usage.csv", &bare).unwrap();
    let records = focus::records("usage.csv", &rows).unwrap();
    for column in NEVER_NULL {
        assert_ne!(records[0].cell(column), Some(&Cell::Null), "{column}");
    }
    let own: Vec<&&str> = COLUMNS.iter().filter(|c| c.starts_with("x_")).collect();
    assert_eq!(own.len(), 7);
    assert!(
        COLUMNS
            .iter()
            .all(|c| c.starts_with("x_") || c.starts_with(char::is_uppercase))
    );
}

#[test]
fn focus_csv_reads_back() {
    let rows = usage::parse("usage.csv", &table(ROWS)).unwrap();
    let text = focus::to_csv(&focus::records("usage.csv", &rows).unwrap());
    let mut lines = text.lines();
    assert_eq!(lines.next().unwrap().split(',').count(), COLUMNS.len());
    assert_eq!(lines.clone().count(), 3);
    // The comma in a model's name is quoted, so the row keeps its width.
    let last = lines.last().unwrap();
    assert!(last.contains("\"m,2\""));
    // 30 dollars for half a million tokens, written without an exponent.
    assert!(text.contains(",0.00006,"));
    // Quantities are decimals even when they are whole.
    assert!(text.contains(",500000.0,tokens,"));
}

#[test]
fn focus_refuses_what_has_no_unit_price() {
    let error = |row: &str| {
        let rows = usage::parse("usage.csv", &table(row)).unwrap();
        focus::records("usage.csv", &rows).unwrap_err().to_string()
    };
    let free = error("2026-10-01,2026-11-01,a,m,c,h,r,o,@x,input,0,5,\n");
    assert!(
        free.starts_with("usage.csv:2: tokens: has spend but no tokens"),
        "{free}"
    );
    let unnamed = error("2026-10-01,2026-11-01,a,,c,h,r,o,@x,input,1,5,\n");
    assert!(
        unnamed.starts_with("usage.csv:2: model: names no model"),
        "{unnamed}"
    );
}

/// Kinds of tokens that are billed apart have their own meter.
#[test]
fn cache_writes_and_reasoning_are_kinds_of_their_own() {
    let rows = "2026-10-01,2026-11-01,a,m,c,h,r,o,@x,cache_write,100,1,\n\
                2026-10-01,2026-11-01,a,m,c,h,r,o,@x,reasoning,100,3,\n";
    let rows = usage::parse("usage.csv", &table(rows)).unwrap();
    let records = focus::records("usage.csv", &rows).unwrap();
    let told = |column: &str| -> Vec<Cell> {
        let cells = records.iter().map(|r| r.cell(column).unwrap().clone());
        cells.collect()
    };
    let text = |text: &str| Cell::Text(text.to_owned());
    assert_eq!(
        told("SkuMeter"),
        [text("Cache Write Tokens"), text("Reasoning Tokens")]
    );
    assert_eq!(told("SkuId"), [text("m/cache_write"), text("m/reasoning")]);
    assert_eq!(
        told("x_TokenKind"),
        [text("cache_write"), text("reasoning")]
    );
}

/// A credit lowers the spend of the name it is for; it has a cost and neither quantity nor price.
#[test]
fn credits_give_money_back_and_no_tokens() {
    let rows = format!(
        "{ROWS}2026-10-01,2026-11-01,a,m1,,,,o1,,,,-20,\n\
         2026-10-01,2026-11-01,c,,,,,o1,,input,77,-5,\n"
    );
    let rows = usage::parse("usage.csv", &table(&rows)).unwrap();
    let all = concentration::of_usage(&rows);
    let vendor = find(&all, "vendor", Measure::Spend);
    // 60 less 20 of a, 40 of b; what c gave back exceeds what it was paid.
    assert_eq!((vendor.total, vendor.credit_left), (80.0, 5.0));
    assert!((vendor.shares[0].share - 0.5).abs() < 1e-12);
    assert_eq!(vendor.shares.len(), 2);
    let tokens = find(&all, "vendor", Measure::Tokens);
    assert_eq!(tokens.total, 2_000_000.0, "a credit serves no tokens");

    let records = focus::records("usage.csv", &rows).unwrap();
    let credit = records.last().unwrap();
    let text = |text: &str| Some(Cell::Text(text.to_owned()));
    assert_eq!(credit.cell("ChargeCategory").cloned(), text("Credit"));
    assert_eq!(credit.cell("ChargeFrequency").cloned(), text("One-Time"));
    assert_eq!(credit.cell("BilledCost"), Some(&Cell::Number(-5.0)));
    assert_eq!(credit.cell("ListCost"), Some(&Cell::Number(-5.0)));
    for column in [
        "ConsumedQuantity",
        "PricingQuantity",
        "PricingUnit",
        "SkuId",
        "ListUnitPrice",
    ] {
        assert_eq!(credit.cell(column), Some(&Cell::Null), "{column}");
    }
    let sum: f64 = records
        .iter()
        .map(|r| match r.cell("BilledCost") {
            Some(Cell::Number(usd)) => *usd,
            other => panic!("{other:?}"),
        })
        .sum();
    assert_eq!(sum, 75.0, "the export adds up to what was paid");
}

#[test]
fn a_row_that_stands_twice_is_named_with_its_first() {
    let row = "2026-10-01,2026-11-01,a,m1,c,h,r,o,@x,input,10,1,\n";
    let other = row.replace(",10,1,", ",11,1,");
    let error = usage::parse("usage.csv", &table(&format!("{row}{other}{row}"))).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("usage.csv:4: row: stands twice: it repeats line 2"),
        "{error}"
    );
    assert!(usage::parse("usage.csv", &table(&format!("{row}{other}"))).is_ok());
}

/// No text of somebody else's runs in the spreadsheet that opens the export.
#[test]
fn focus_csv_holds_no_formula() {
    let row = "2026-10-01,2026-11-01,=1+1,+m,-c,\"\t=h\",@r,=cmd|' /C calc'!A0,@agent,input,5,1,\n";
    let rows = usage::parse("usage.csv", &table(row)).unwrap();
    let text = focus::to_csv(&focus::records("usage.csv", &rows).unwrap());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    for cell in reader.records().next().unwrap().unwrap().iter() {
        assert!(
            !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
            "{cell:?}"
        );
    }
    assert!(
        text.contains("\"'=1+1\"") && text.contains("\"'@agent\""),
        "{text}"
    );
}

#[test]
fn figures_beyond_all_measure_are_refused() {
    for (cell, expected) in [
        ("1e300", "usage.csv:2: tokens: 1e300 is beyond 1e18"),
        ("NaN", "usage.csv:2: tokens: \"NaN\" is not a number"),
    ] {
        let row = format!("2026-10-01,2026-11-01,a,m,c,h,r,o,@x,input,{cell},1,\n");
        let error = usage::parse("usage.csv", &table(&row))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
