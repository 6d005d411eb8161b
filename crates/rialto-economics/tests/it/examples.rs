//! The shipped examples are whole, and say where their figures come from.

use std::path::{Path, PathBuf};

use rialto_economics::claims::{self, ClaimFile, Verdict};
use rialto_economics::{
    Uncertain, backlog, concentration, cost, focus, invest, parse_toml, silicon, usage,
};
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::step::Parameters;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(examples().join(name)).unwrap()
}

fn facts() -> Vec<claims::Fact> {
    claims::parse_facts("amazon.csv", &read("facts/amazon.csv")).unwrap()
}

#[test]
fn the_claims_of_the_2026_plan() {
    let file: ClaimFile = parse_toml("claims", &read("claims-amazon-2026.toml")).unwrap();
    let checked = claims::check(&file, &facts()).unwrap();
    let verdicts: Vec<Verdict> = checked.iter().map(|c| c.verdict).collect();
    use Verdict::{DoesNotFollow, Follows, FollowsInPart};
    assert_eq!(
        verdicts,
        [
            Follows,
            DoesNotFollow,
            DoesNotFollow,
            Follows,
            FollowsInPart,
            DoesNotFollow,
            FollowsInPart,
            Follows,
        ]
    );
}

#[test]
fn published_figures_agree_with_one_another() {
    let facts = facts();
    let value = |name: &str| facts.iter().find(|f| f.name == name).unwrap().value;
    let left = value("ocf_2025") - value("fcf_2025");
    assert!((left - value("capex_net_2025")).abs() < 0.05);
    let margin = value("aws_operating_income_2025") / value("aws_revenue_2025");
    assert!((margin - 0.354).abs() < 0.0005);
    let growth = value("aws_revenue_2025") / value("aws_revenue_2024") - 1.0;
    assert!((growth - 0.197).abs() < 0.0005);
}

#[test]
fn the_2026_plan_spends_200_billion() {
    let plan: invest::InvestScenario =
        parse_toml("plan", &read("invest-amazon-2026.toml")).unwrap();
    let outcome = invest::outcome(&plan.mid(), 0);
    let spent: f64 = outcome.years.iter().map(|y| y.capex_usd_b).sum();
    assert!((spent - 200.0).abs() < 1e-9);
    // Free cash flow of the year is what the base brings, and the plan's own, less the 200.
    let first = &outcome.years[0];
    let base = 139.514 * 1.15;
    let expected = base + first.operating_cash_flow_usd_b - 200.0;
    assert!((first.total_free_cash_flow_usd_b.unwrap() - expected).abs() < 1e-9);
}

#[test]
fn the_other_examples_run() {
    let cluster: invest::InvestScenario = parse_toml("x", &read("invest-rainier.toml")).unwrap();
    assert!(
        invest::outcome(&cluster.mid(), 0).npv_usd_b > invest::outcome(&cluster.mid(), 8).npv_usd_b
    );
    let mut two: cost::CostScenario = parse_toml("x", &read("cost-two-chips.toml")).unwrap();
    let catalogue = Catalogue::shipped().unwrap();
    two.complete(&catalogue, &Parameters::ideal()).unwrap();
    let rent = catalogue.chip("h100_sxm").unwrap().rent_usd_per_hour;
    let rented = two.chip.iter().find_map(|c| c.rented.as_ref());
    assert_eq!(rented.map(|r| r.usd_per_hour.mid), rent);
    assert_eq!(cost::margins(&two.mid()).by_class.len(), 3);
    let moved: backlog::BacklogScenario = parse_toml("x", &read("backlog-move.toml")).unwrap();
    assert_eq!(Some(moved.chip[0].usd_per_chip_hour), rent);
    let report = backlog::report(&moved);
    assert!(report.schedules[0].total.profit_usd() > report.bought_only[0].total.profit_usd());
    assert!(report.schedules[2].at_risk_usd >= report.schedules[0].at_risk_usd);
    let own: silicon::SiliconScenario = parse_toml("x", &read("silicon-own-chip.toml")).unwrap();
    assert!(!silicon::outcome(&own.mid(), 0).workloads[2].worth_porting);
    let fleet: concentration::ConcentrationScenario =
        parse_toml("x", &read("concentration-fleet.toml")).unwrap();
    assert_eq!(concentration::of_scenario(&fleet).len(), 12);
    let rows = usage::parse("x", &read("usage-sample.csv")).unwrap();
    assert_eq!(
        focus::records("usage-sample.csv", &rows).unwrap().len(),
        rows.len()
    );
}
