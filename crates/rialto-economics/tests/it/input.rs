//! Bad scenarios: the error names the file, the line and the field.

use rialto_economics::{backlog, concentration, cost, invest, parse_toml, silicon};

const INVEST: &str = include_str!("../../../../examples/invest-amazon-2026.toml");
const COST: &str = include_str!("../../../../examples/cost-two-chips.toml");
const BACKLOG: &str = include_str!("../../../../examples/backlog-move.toml");
const SILICON: &str = include_str!("../../../../examples/silicon-own-chip.toml");
const FLEET: &str = include_str!("../../../../examples/concentration-fleet.toml");

#[derive(Clone, Copy, Debug)]
enum Kind {
    Invest,
    Cost,
    Backlog,
    Silicon,
    Fleet,
}

fn parse(kind: Kind, text: &str) -> Result<(), String> {
    let told = |e: rialto_economics::InputError| e.to_string();
    match kind {
        Kind::Invest => parse_toml::<invest::InvestScenario>("f.toml", text)
            .map(drop)
            .map_err(told),
        Kind::Cost => parse_toml::<cost::CostScenario>("f.toml", text)
            .map(drop)
            .map_err(told),
        Kind::Backlog => parse_toml::<backlog::BacklogScenario>("f.toml", text)
            .map(drop)
            .map_err(told),
        Kind::Silicon => parse_toml::<silicon::SiliconScenario>("f.toml", text)
            .map(drop)
            .map_err(told),
        Kind::Fleet => parse_toml::<concentration::ConcentrationScenario>("f.toml", text)
            .map(drop)
            .map_err(told),
    }
}

fn source(kind: Kind) -> &'static str {
    match kind {
        Kind::Invest => INVEST,
        Kind::Cost => COST,
        Kind::Backlog => BACKLOG,
        Kind::Silicon => SILICON,
        Kind::Fleet => FLEET,
    }
}

/// Replaces the first `from` by `to` and expects an error on the line where `to` then stands.
fn check(kind: Kind, from: &str, to: &str, field: &str, message: &str) {
    let text = source(kind).replacen(from, to, 1);
    assert_ne!(text, source(kind), "{from:?} is not in the example");
    let at = text.find(to).unwrap();
    let line = 1 + text[..at].matches('\n').count();
    let error = parse(kind, &text).unwrap_err();
    let expected = format!("f.toml:{line}: {field}: ");
    assert!(
        error.starts_with(&expected),
        "{error}\nshould start with {expected}"
    );
    assert!(error.contains(message), "{error}\nshould contain {message}");
    assert!(!error.contains('\n'), "{error:?} has more than one line");
}

#[test]
fn useful_life_zero() {
    let (from, to) = (
        "useful_life_years = { low = 4, mid = 6, high = 6 }",
        "useful_life_years = 0",
    );
    check(
        Kind::Invest,
        from,
        to,
        "class[1].useful_life_years",
        "must be above zero",
    );
    let (from, to) = (
        "useful_life_years = { low = 3, mid = 5, high = 6 }",
        "useful_life_years = 0.0",
    );
    check(
        Kind::Cost,
        from,
        to,
        "chip[0].owned.useful_life_years",
        "must be above zero",
    );
    check(
        Kind::Silicon,
        from,
        to,
        "own.useful_life_years",
        "must be above zero",
    );
}

#[test]
fn negative_and_missing_prices() {
    let from = "output_usd_per_million = 2.4";
    let to = "output_usd_per_million = -2.4";
    check(
        Kind::Cost,
        from,
        to,
        "price[0].output_usd_per_million",
        "must be zero or more, is -2.4",
    );
    let error = parse(Kind::Cost, &COST.replacen(from, "", 1)).unwrap_err();
    assert!(
        error.contains("price[0]") && error.contains("missing field `output_usd_per_million`"),
        "{error}"
    );
    check(
        Kind::Cost,
        "usd_per_hour = {",
        "usd_per_hour = { low = -1, mid = 1, high = 2 } #",
        "chip[1].rented.usd_per_hour",
        "must be above zero",
    );
    check(
        Kind::Backlog,
        "usd_per_million = 0.9",
        "usd_per_million = -0.9",
        "contract[0].usd_per_million",
        "must be zero or more",
    );
}

#[test]
fn zero_capacity() {
    let text = BACKLOG
        .replace("chips = 9000", "chips = 0")
        .replace("chips = 2000", "chips = 0");
    let text = text
        .replace("chips = 8000", "chips = 0")
        .replace("chips = 10000", "chips = 0");
    let error = parse(Kind::Backlog, &text).unwrap_err();
    assert!(error.contains("arrival[0].chips: zero capacity"), "{error}");
    check(
        Kind::Cost,
        "utilisation = { low = 0.4, mid = 0.55, high = 0.7 }",
        "utilisation = 0",
        "chip[0].utilisation",
        "must be above zero",
    );
    for kind in [
        (
            Kind::Cost,
            "utilisation = { low = 0.4, mid = 0.55, high = 0.7 }",
        ),
        (Kind::Backlog, "utilisation = 0.6"),
    ] {
        check(
            kind.0,
            kind.1,
            "utilisation = 1e-300",
            "chip[0].utilisation",
            "must lie between 0.001 and 1",
        );
    }
    check(
        Kind::Backlog,
        "tokens_million = 300e6",
        "tokens_million = 1e-300",
        "contract[0].tokens_million",
        "must be at least 1e-9, is 1e-300",
    );
    let plan = INVEST
        .lines()
        .filter(|l| !l.starts_with("revenue_usd"))
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        parse(Kind::Invest, &plan)
            .unwrap_err()
            .contains("class: zero capacity")
    );
    let none = "name = \"x\"\n[[pool]]\nsource = \"y\"\n";
    assert!(
        parse(Kind::Fleet, none)
            .unwrap_err()
            .starts_with("f.toml:2: pool: zero capacity")
    );
}

#[test]
fn units_mixed_up() {
    check(
        Kind::Invest,
        "tax_rate = { low = 0.16, mid = 0.19, high = 0.22 }",
        "tax_rate = 19",
        "tax_rate",
        "for 19 % write 0.19",
    );
    check(
        Kind::Invest,
        "usd_b = { low = 15, mid = 20, high = 25 }",
        "usd_b = 20000000000",
        "class[1].capex[0].usd_b",
        "billions of dollars",
    );
    check(
        Kind::Cost,
        "power_kw = { low = 0.6, mid = 0.75, high = 0.9 }",
        "power_kw = 750",
        "chip[0].owned.power_kw",
        "between 0 and 20",
    );
    check(
        Kind::Cost,
        "electricity_usd_per_kwh = { low = 0.05, mid = 0.07, high = 0.1 }",
        "electricity_usd_per_kwh = 70",
        "chip[0].owned.electricity_usd_per_kwh",
        "between 0 and 2",
    );
    check(
        Kind::Backlog,
        "million_tokens_per_chip_hour = 5.7",
        "million_tokens_per_chip_hour = 5700000",
        "rate[0].million_tokens_per_chip_hour",
        "between 0 and 3600",
    );
    check(
        Kind::Backlog,
        "tokens_million = 300e6",
        "tokens_million = 300e12",
        "contract[0].tokens_million",
        "counted in millions",
    );
    check(
        Kind::Backlog,
        "utilisation = 0.6",
        "utilisation = 60",
        "chip[0].utilisation",
        "for 60 % write 0.6",
    );
}

#[test]
fn dates_reversed() {
    check(
        Kind::Invest,
        "fit_to = \"2024Q4\"",
        "fit_to = \"2023Q4\"",
        "history.fit_to",
        "dates reversed",
    );
    check(
        Kind::Invest,
        "from = \"2025Q1\"",
        "from = \"2024Q2\"",
        "history.known_change[0].from",
        "must lie after the fit",
    );
    check(
        Kind::Invest,
        "year = 2026",
        "year = 2025",
        "class[0].capex[0].year",
        "lies outside the plan, 2026 to 2032",
    );
    check(
        Kind::Backlog,
        "start = \"2027-01\"",
        "start = \"2026-11\"",
        "contract[1].start",
        "begins before the plan",
    );
    check(
        Kind::Invest,
        "adoption_lag_quarters = [0, 4, 8, 12]",
        "adoption_lag_quarters = [4, 0]",
        "adoption_lag_quarters",
        "must rise",
    );
    check(
        Kind::Backlog,
        "slip_months = [0, 3, 6]",
        "slip_months = [3, 0]",
        "slip_months",
        "must begin with 0",
    );
}

#[test]
fn adoption_lag_is_part_of_every_plan() {
    check(
        Kind::Invest,
        "adoption_lag_quarters = [0, 4, 8, 12]",
        "adoption_lag_quarters = [0]",
        "adoption_lag_quarters",
        "needs 2 to 12 cases",
    );
    let without = SILICON.replacen("adoption_lag_quarters = [0, 4, 8]", "", 1);
    assert!(
        parse(Kind::Silicon, &without)
            .unwrap_err()
            .contains("missing field `adoption_lag_quarters`")
    );
}

#[test]
fn ranges_out_of_order_or_incomplete() {
    check(
        Kind::Invest,
        "mid = 0.09",
        "mid = 0.2",
        "discount_rate",
        "needs low <= mid <= high, is 0.08, 0.2, 0.11",
    );
    check(
        Kind::Invest,
        "{ low = 0.08, mid = 0.09, high = 0.11 }",
        "{ low = 0.08, mid = 0.09 }",
        "discount_rate.high",
        "missing field `high`",
    );
    check(
        Kind::Invest,
        "{ low = 0.08, mid = 0.09, high = 0.11 }",
        "\"nine\"",
        "discount_rate",
        "a number or { low, mid, high }",
    );
    check(
        Kind::Invest,
        "high = 0.11 }",
        "most = 0.11 }",
        "discount_rate.most",
        "unknown field `most`",
    );
}

#[test]
fn names_that_do_not_meet() {
    let from = "chip = \"trainium2\"\ndiscount = { low = 0.3";
    let to = "chip = \"h100_sxm\"\ndiscount = { low = 0.3";
    check(
        Kind::Cost,
        from,
        to,
        "class[2].chip",
        "no [[throughput]] or [[twin]] is given",
    );
    let (from, to) = (
        "model = \"vision-specialist\"\ntokens",
        "model = \"none\"\ntokens",
    );
    check(
        Kind::Backlog,
        from,
        to,
        "contract[2].model",
        "no [[rate]] serves",
    );
    let (from, to) = ("chip = \"trainium2\"\nmonth", "chip = \"tranium2\"\nmonth");
    check(
        Kind::Backlog,
        from,
        to,
        "arrival[1].chip",
        "no [[chip]] is named",
    );
}

#[test]
fn unknown_fields_and_broken_syntax() {
    check(
        Kind::Invest,
        "seed = 7",
        "sed = 7",
        "sed",
        "unknown field `sed`",
    );
    check(
        Kind::Backlog,
        "month = \"2027-04\"",
        "month = \"2027-13\"",
        "arrival[2].month",
        "is not a month such as 2026-03",
    );
    let nameless = INVEST.replacen("name = ", "label = ", 1);
    let error = parse(Kind::Invest, &nameless).unwrap_err();
    assert!(error.contains(": label: unknown field"), "{error}");
    let lacking: String = INVEST
        .lines()
        .filter(|l| !l.starts_with("name = \""))
        .collect::<Vec<_>>()
        .join("\n");
    let error = parse(Kind::Invest, &lacking).unwrap_err();
    assert!(error.contains("name: missing field `name`"), "{error}");
    check(Kind::Silicon, "[own]", "[own", "syntax", "");
    check(
        Kind::Fleet,
        "chips = 9000",
        "chips = -9000",
        "pool[0].chips",
        "must be zero or more",
    );
    check(
        Kind::Fleet,
        "source = \"invented\"",
        "source = \"\"",
        "pool[0].source",
        "must not be empty",
    );
}
