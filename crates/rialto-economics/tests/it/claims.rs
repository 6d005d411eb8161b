//! Claims against figures: the wording decides, units are carried, remedies are found.

use rialto_economics::claims::{self, Checked, ClaimFile, Verdict};
use rialto_economics::expression::{Formula, Unit};
use rialto_economics::parse_toml;

const FACTS: &str = r#"
[[fact]]
name = "before"
value = 130
unit = "USD_B"
source = "the statement"
[[fact]]
name = "plan"
value = 200
unit = "USD_B"
source = "earnings call"
[[fact]]
name = "operating_cash"
value = 139.5
unit = "USD_B"
source = "release"
[[fact]]
name = "share"
value = 90
unit = "%"
source = "the statement"
[[fact]]
name = "chips"
value = 500000
unit = "chips"
source = "public"
[[fact]]
name = "unit_cost"
value = 15000
unit = "USD/chips"
low = 10000
high = 25000
basis = "estimate"
source = "third party"
"#;

fn check(formula: &str, says: &str) -> Result<Checked, String> {
    let text =
        format!("{FACTS}\n[[claim]]\ntext = \"x\"\nformula = \"{formula}\"\nsays = \"{says}\"\n");
    let file: ClaimFile = parse_toml("claims.toml", &text).map_err(|e| e.to_string())?;
    let checked = claims::check(&file, &[]).map_err(|f| format!("{}: {}", f.path, f.message))?;
    Ok(checked.into_iter().next().unwrap())
}

fn verdict(formula: &str, says: &str) -> Verdict {
    check(formula, says).unwrap().verdict
}

fn needs(checked: &Checked, fact: &str) -> f64 {
    checked
        .remedies
        .iter()
        .find(|r| r.fact == fact)
        .unwrap()
        .needs
}

#[test]
fn from_130_to_200_is_53_8_percent_and_nearly_60_holds_only_against_125() {
    assert_eq!(verdict("plan / before - 1", "53.8 %"), Verdict::Follows);
    let nearly = check("plan / before - 1", "nearly 60 %").unwrap();
    assert_eq!(nearly.verdict, Verdict::DoesNotFollow);
    assert!((nearly.computed - 53.846).abs() < 0.001);
    assert!((needs(&nearly, "before") - 125.0).abs() < 1e-6);
    assert!((needs(&nearly, "plan") - 208.0).abs() < 1e-6);
}

#[test]
fn ninety_percent_of_operating_cash_would_leave_14_not_11_2() {
    let formula = "operating_cash * (1 - share)";
    assert_eq!(verdict(formula, "14.0 USD_B"), Verdict::Follows);
    let stated = check(formula, "11.2 USD_B").unwrap();
    assert_eq!(stated.verdict, Verdict::DoesNotFollow);
    assert!((stated.computed - 13.95).abs() < 1e-9);
    // 11.2 is left when 92.0 % was spent.
    assert!((needs(&stated, "share") - 91.97).abs() < 0.01);
}

#[test]
fn a_cluster_of_500_000_chips_does_not_primarily_drive_the_plan() {
    let cluster = check("chips * unit_cost", "7.5 USD_B").unwrap();
    assert_eq!(cluster.verdict, Verdict::FollowsInPart);
    assert_eq!((cluster.computed_low, cluster.computed_high), (5.0, 12.5));
    let drives = check("chips * unit_cost / plan", "primarily").unwrap();
    assert_eq!(drives.verdict, Verdict::DoesNotFollow);
    assert!((drives.computed - 3.75).abs() < 1e-9);
    assert!((drives.computed_high - 6.25).abs() < 1e-9);
    // It would with 6.7 million chips, or at 200,000 dollars each.
    assert!((needs(&drives, "chips") - 6_666_666.7).abs() < 1.0);
    assert!((needs(&drives, "unit_cost") - 200_000.0).abs() < 0.01);
}

#[test]
fn wordings_mean_what_they_say() {
    // The ratio is 53.846 %.
    let ratio = "plan / before - 1";
    let table = [
        ("54 %", true),
        ("53 %", false),
        ("53.85 %", true),
        ("about 55 %", true),
        ("about 57 %", false),
        ("nearly 55 %", true),
        ("nearly 53 %", false),
        ("almost 56 %", true),
        ("over 53 %", true),
        ("more than 54 %", false),
        ("at least 53.8 %", true),
        ("under 54 %", true),
        ("less than 53 %", false),
        ("up to 54 %", true),
        ("at most 53 %", false),
        ("primarily", true),
        ("mostly", true),
        ("0.538", true),
    ];
    for (says, follows) in table {
        assert_eq!(verdict(ratio, says) == Verdict::Follows, follows, "{says}");
    }
}

#[test]
fn a_claim_can_hold_only_inside_the_range_of_its_facts() {
    assert_eq!(
        verdict("chips * unit_cost", "10.0 USD_B"),
        Verdict::OnlyInRange
    );
    assert_eq!(
        verdict("chips * unit_cost", "at least 5 USD_B"),
        Verdict::Follows
    );
    assert_eq!(
        verdict("chips * unit_cost", "over 20 USD_B"),
        Verdict::DoesNotFollow
    );
}

#[test]
fn units_are_carried_and_mixing_them_is_an_error() {
    let error = |formula: &str, says: &str| check(formula, says).unwrap_err();
    assert!(error("plan + chips", "1 USD_B").contains("units mixed up: USD and chips"));
    assert!(error("plan * 2", "60 %").contains("units mixed up: the formula gives USD"));
    assert!(error("plan / (before - before)", "60 %").contains("division by zero"));
    assert!(error("plan / missing", "60 %").contains("no fact is named \"missing\""));
    assert!(error("plan", "60 EUR").contains("\"EUR\" is no known unit"));
    assert!(error("plan / before -", "60 %").contains("expected a number or a name"));
    assert!(error("(plan", "60 %").contains("closing parenthesis"));
    assert!(error("plan", "primarily 60").contains("take no figure"));
    assert!(error("plan", "huge").contains("expected a figure"));
    // Dollars a chip times chips are dollars, whatever their prefix.
    assert_eq!(
        verdict("chips * unit_cost", "7500 USD_M"),
        Verdict::FollowsInPart
    );
}

#[test]
fn precedence_and_signs() {
    let value = |text: &str| {
        Formula::parse(text)
            .unwrap()
            .evaluate(&|_| None)
            .unwrap()
            .value
    };
    assert_eq!(value("2 + 3 * 4 - 6 / 2"), 11.0);
    assert_eq!(value("-(2 - 5) * --2"), 6.0);
    assert_eq!(value("8 / 2 / 2"), 2.0);
    assert!(Formula::parse(&"(".repeat(100_000)).is_err());
    assert!(Formula::parse(&format!("{}1", "-".repeat(1_000))).is_err());
}

#[test]
fn compound_units() {
    let unit = Unit::parse("USD_M/chips/years").unwrap();
    assert!((unit.scale - 1e6 / 8760.0).abs() < 1e-9);
    assert_eq!(unit.dimension.to_string(), "USD/chips*hours");
}

#[test]
fn a_table_of_facts_names_line_and_column() {
    let head = "name,value,unit,low,high,basis,source\n";
    let error = |rows: &str| {
        claims::parse_facts("facts.csv", &format!("{head}{rows}"))
            .unwrap_err()
            .to_string()
    };
    let good = "a,1,USD,,,measured,x\n";
    assert_eq!(
        claims::parse_facts("facts.csv", &format!("{head}{good}"))
            .unwrap()
            .len(),
        1
    );
    assert!(error("a,1,USD,,,measured,\n").starts_with("facts.csv:2: source: must not be empty"));
    assert!(error(&format!("{good}b,1,EUR,,,measured,x\n")).starts_with("facts.csv:3: unit: "));
    assert!(error("a,1,USD,2,3,measured,x\n").contains("value: needs low <= value <= high"));
    assert!(error("a,1,USD,,,guess,x\n").contains("basis: must be measured"));
    assert!(error("1a,1,USD,,,measured,x\n").contains("name: must begin with a letter"));
}
