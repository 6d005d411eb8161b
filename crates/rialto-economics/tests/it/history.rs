//! The capital model on history: derived figures, naive forecasts, honest scores.

use rialto_economics::depreciation::straight_line_quarter;
use rialto_economics::history::{
    self, Backtest, FittedLine, History, HistoryColumns, HistoryError, HistorySetup,
};
use rialto_economics::invest::InvestScenario;
use rialto_economics::{Uncertain, parse_toml};

const EXAMPLE: &str = include_str!("../../../../examples/facts/aws_quarterly.csv");

fn setup() -> HistorySetup {
    HistorySetup {
        file: "aws_quarterly.csv".to_owned(),
        columns: None,
        fit_from: "2024Q1".parse().unwrap(),
        fit_to: "2024Q4".parse().unwrap(),
        known_change: vec![history::KnownChange {
            from: "2025Q1".parse().unwrap(),
            depreciation_usd_b_year: 0.7,
            source: "10-K for 2024".to_owned(),
        }],
    }
}

fn shipped() -> HistoryColumns {
    HistoryColumns::shipped().unwrap()
}

fn backtest(text: &str) -> Backtest {
    history::backtest(
        &History::parse("aws.csv", text, &shipped()).unwrap(),
        &setup(),
    )
    .unwrap()
}

#[test]
fn a_line_through_four_points_by_hand() {
    // y = 1, 2, 2, 3 at x = 0 to 3: slope 0.6, intercept 1.1, residual sum of squares 0.2.
    let line = FittedLine::fit(&[(0.0, 1.0), (1.0, 2.0), (2.0, 2.0), (3.0, 3.0)]).unwrap();
    assert!((line.slope - 0.6).abs() < 1e-12);
    assert!((line.intercept - 1.1).abs() < 1e-12);
    // s = sqrt(0.2 / 2); at x = 4: s * sqrt(1 + 1/4 + 2.5^2 / 5) = 0.5; t is 1.886.
    assert!((line.standard_error(4.0) - 0.5).abs() < 1e-12);
    assert!((line.half_width_80(4.0) - 0.943).abs() < 1e-12);
    assert!(FittedLine::fit(&[(0.0, 1.0), (1.0, 2.0)]).is_none());
    assert!(FittedLine::fit(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]).is_none());
}

#[test]
fn figures_derived_from_one_another_are_marked() {
    let history = History::parse("aws.csv", EXAMPLE, &shipped()).unwrap();
    let row = |quarter: &str| {
        let quarter = quarter.parse().unwrap();
        history
            .rows
            .iter()
            .find(|r| r.quarter == quarter)
            .unwrap()
            .clone()
    };
    let old = row("2024Q4");
    assert!(!old.revenue.unwrap().derived);
    assert!(old.depreciation.unwrap().derived);
    assert!(old.ppe_net.unwrap().derived);
    assert!(!row("2025Q1").depreciation.unwrap().derived);
    assert!(row("2023Q1").depreciation.is_none());
}

#[test]
fn a_derived_figure_is_never_a_target() {
    let marked = EXAMPLE.replace(
        "2025Q2,30.87,10.16,4.84,140.64,,",
        "2025Q2,30.87,10.16,4.84,140.64,depreciation,",
    );
    assert_ne!(marked, EXAMPLE);
    let b = backtest(&marked);
    assert_eq!(
        b.left_out
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["2025Q2"]
    );
    assert_eq!(b.quarters.len(), 4);
}

#[test]
fn naive_forecasts_are_what_they_say() {
    let b = backtest(EXAMPLE);
    let first = &b.quarters[0];
    assert_eq!(first.last_depreciation_usd_b, 3.86);
    assert!((first.last_margin - 10.632 / 28.786).abs() < 1e-12);
    // The line through 2.84, 3.07, 3.54, 3.86 is 2.798 + 0.353 x: 4.21 at x = 4.
    assert!((first.trend_depreciation_usd_b - 4.21).abs() < 1e-9);
}

/// What the model achieves, stated as it is: far better than both naive forecasts on
/// depreciation; on the margin better by so little that it proves nothing.
fn assert_record(b: &Backtest) {
    assert_eq!(b.quarters.len(), 5);
    let [model, last, trend, ..] = b.scores.as_slice() else {
        panic!("scores are missing")
    };
    assert!(b.beats_naive_on_depreciation());
    assert!(
        model.depreciation_mape < 0.05,
        "{}",
        model.depreciation_mape
    );
    assert!(last.depreciation_mape > 0.30 && trend.depreciation_mape > 0.12);
    assert!((model.margin_mae - last.margin_mae.min(trend.margin_mae)).abs() < 0.005);
    assert!(b.depreciation_inside_80 >= 0.6 && b.margin_inside_80 >= 0.6);
}

#[test]
fn the_record_on_the_shipped_table() {
    assert_record(&backtest(EXAMPLE));
}

#[test]
fn the_record_on_the_shared_table() {
    let Some(path) = rialto_testing::outside_data("fleet/aws_quarterly.csv") else {
        return;
    };
    // The shared table has no column of derived figures: the mapping lists them.
    let columns = r#"
        quarter = "quarter"
        revenue = "aws_revenue_usd_b"
        operating_income = "aws_operating_income_usd_b"
        depreciation = "aws_dna_usd_b"
        ppe_net = "aws_ppe_net_usd_b"
        source = "source"
        derived_figures = [
            { figure = "revenue", from = "2024Q2", to = "2024Q3" },
            { figure = "depreciation", from = "2024Q1", to = "2024Q4" },
            { figure = "ppe_net", from = "2024Q4", to = "2024Q4" },
        ]
    "#;
    let columns = parse_toml("columns.toml", columns).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let history = History::parse("aws.csv", &text, &columns).unwrap();
    assert_record(&history::backtest(&history, &setup()).unwrap());
}

#[test]
fn the_targets_do_not_reach_the_fit() {
    // Ten times the depreciation after the fit changes scores, and no prediction.
    let other = EXAMPLE.replace(",7.28,", ",72.8,");
    let (a, b) = (backtest(EXAMPLE), backtest(&other));
    assert_eq!(a.fit, b.fit);
    assert_eq!(a.quarters[4].model, b.quarters[4].model);
    assert_ne!(a.scores[0], b.scores[0]);
}

/// Given what AWS really added in 2025Q2 to 2026Q1 (rise of net property plus depreciation), the
/// 2026 plan's own lives, service lags and split between classes give the rise of quarterly
/// depreciation that was reported, within a tenth. Old assets that leave are not counted.
#[test]
fn the_plans_lives_and_lags_agree_with_what_was_added() {
    let history = History::parse("aws.csv", EXAMPLE, &shipped()).unwrap();
    let text = include_str!("../../../../examples/invest-amazon-2026.toml");
    let plan: InvestScenario = parse_toml("plan.toml", text).unwrap();
    let plan = plan.mid();
    let aws: Vec<_> = plan
        .classes
        .iter()
        .filter(|c| c.name != "not AWS")
        .collect();
    let all: f64 = aws.iter().map(|c| c.capex[0].usd_b).sum();
    let rows: Vec<_> = history
        .rows
        .iter()
        .filter(|r| r.ppe_net.is_some())
        .collect();
    let figure = |f: Option<history::Figure>| f.unwrap().usd_b;
    let mut modelled = 0.0;
    let last = rows.len() - 1;
    for i in 2..rows.len() {
        let added =
            figure(rows[i].ppe_net) - figure(rows[i - 1].ppe_net) + figure(rows[i].depreciation);
        for class in &aws {
            let Some(age) = (last - i).checked_sub(class.in_service_lag_quarters as usize) else {
                continue;
            };
            let part = added * class.capex[0].usd_b / all;
            modelled += straight_line_quarter(part, 0.0, class.useful_life_years, age);
        }
    }
    let reported = figure(rows[last].depreciation) - figure(rows[1].depreciation);
    assert!((reported - 2.89).abs() < 1e-9);
    assert!(
        (modelled / reported - 1.0).abs() < 0.1,
        "{modelled} against {reported}"
    );
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let history = History::parse("aws.csv", EXAMPLE, &shipped()).unwrap();
    let mut from_2023 = setup();
    from_2023.fit_from = "2023Q1".parse().unwrap();
    let missing = HistoryError::Missing("2023Q1".parse().unwrap());
    assert_eq!(
        history::backtest(&history, &from_2023).unwrap_err(),
        missing
    );
    let mut to_the_end = setup();
    to_the_end.fit_to = "2026Q1".parse().unwrap();
    let none = HistoryError::NoTarget("2026Q1".parse().unwrap());
    assert_eq!(history::backtest(&history, &to_the_end).unwrap_err(), none);
}

#[test]
fn a_malformed_table_names_line_and_column() {
    let error = |from: &str, to: &str| {
        let text = EXAMPLE.replacen(from, to, 1);
        assert_ne!(text, EXAMPLE);
        History::parse("aws.csv", &text, &shipped())
            .unwrap_err()
            .to_string()
    };
    assert!(error("2023Q3,", "2023Q4,").starts_with("aws.csv:4: quarter: 2023Q4 must directly"));
    assert!(error("22.1", "-22.1").starts_with("aws.csv:3: aws_revenue_usd_b: must be zero"));
    let jump = error("22.1", "22100");
    assert!(
        jump.starts_with("aws.csv:3: aws_revenue_usd_b: units mixed up: 22100"),
        "{jump}"
    );
    let income = error("22.1", "0.9");
    assert!(
        income.starts_with("aws.csv:3: aws_operating_income_usd_b: units mixed up"),
        "{income}"
    );
    assert!(error("22.1", "many").contains("\"many\" is not a number"));
    assert!(error("2024Q1,", "2024-1,").contains("is not a quarter such as 2026Q1"));
    assert!(
        error("aws_dna_usd_b", "aws_dna_eur").starts_with("aws.csv:1: aws_dna_usd_b: the column")
    );
}

/// Another company's table: other columns, in millions, no note is searched, and derived is what its column
/// says.
#[test]
fn any_columns_will_do() {
    let columns: HistoryColumns = parse_toml(
        "columns.toml",
        r#"
            quarter = "period"
            revenue = "Segment sales"
            operating_income = "Segment profit"
            depreciation = "D and A"
            derived = "worked out"
            usd_per_unit = 1_000_000.0
        "#,
    )
    .unwrap();
    let table = "period,Segment sales,D and A,Segment profit,worked out,notes\n\
                 2025Q1,1200,150,-80,,D&A derived from nothing: unsourced\n\
                 2025Q2,1500,200,90,depreciation; revenue,\n";
    let history = History::parse("own.csv", table, &columns).unwrap();
    let derived = |row: usize| {
        let row = &history.rows[row];
        [row.revenue, row.operating_income, row.depreciation].map(|f| f.unwrap().derived)
    };
    assert_eq!(derived(0), [false; 3]);
    assert_eq!(derived(1), [true, false, true]);
    let first = &history.rows[0];
    assert!((first.revenue.unwrap().usd_b - 1.2).abs() < 1e-12);
    assert!((first.operating_income.unwrap().usd_b + 0.08).abs() < 1e-12);
    assert_eq!(first.ppe_net, None);

    let wrong = table.replace("depreciation; revenue", "D&A");
    let told = History::parse("own.csv", &wrong, &columns).unwrap_err();
    assert!(
        told.to_string()
            .starts_with("own.csv:3: worked out: `D&A` is no figure; known: revenue"),
        "{told}"
    );
}

#[test]
fn a_mapping_that_cannot_be_names_its_field() {
    let text = include_str!("../../history-columns.toml");
    for (from, to, words) in [
        (
            "\"aws_dna_usd_b\"",
            "\"aws_revenue_usd_b\"",
            "depreciation: `aws_revenue_usd_b` is the column of revenue",
        ),
        ("\"aws_dna_usd_b\"", "\"\"", "depreciation: "),
        ("1_000_000_000.0", "0.0", "usd_per_unit: "),
        ("quarter = \"quarter\"", "", "quarter"),
        ("ppe_net =", "ppe =", "ppe"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let told = parse_toml::<HistoryColumns>("columns.toml", &changed).unwrap_err();
        assert!(told.to_string().contains(words), "{words}: {told}");
    }
}
