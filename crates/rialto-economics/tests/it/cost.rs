//! Cost of ownership, cost of tokens and margin against sums done by hand.

use proptest::prelude::*;
use rialto_economics::cost::{self, CostScenario};
use rialto_economics::{Uncertain, parse_toml};
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::step::Parameters;

const TWO: &str = r#"
name = "two chips"
draws = 200
seed = 3
adoption_lag_quarters = [0, 4]
horizon_quarters = 16
agentic_share = 0.5
[[chip]]
name = "own"
utilisation = 0.5
basis = "estimate"
source = "invented"
[chip.owned]
capital_usd = 8760
useful_life_years = 4
cost_of_capital = 0
power_kw = 1
pue = 1.2
electricity_usd_per_kwh = 0.1
space_usd_per_kw_month = 73
network_usd_per_year = 438
staff_usd_per_year = 876
[[chip]]
name = "rented"
utilisation = 0.8
basis = "measured"
source = "invoice"
[chip.rented]
usd_per_hour = 2.88
[[throughput]]
chip = "own"
model = "m"
input_tokens_per_s = 1000
cached_tokens_per_s = 10000
output_tokens_per_s = 100
basis = "modelled"
source = "invented"
[[throughput]]
chip = "rented"
model = "m"
input_tokens_per_s = 4000
cached_tokens_per_s = 8000
output_tokens_per_s = 500
basis = "modelled"
source = "invented"
[[price]]
model = "m"
input_usd_per_million = 1.0
cached_usd_per_million = 0.2
output_usd_per_million = 5.0
[[class]]
name = "agents"
model = "m"
chip = "own"
discount = 0.1
input_million_per_month = 1000
cached_million_per_month = 5000
output_million_per_month = 200
[[class]]
name = "chat"
model = "m"
chip = "rented"
discount = 0
input_million_per_month = 100
cached_million_per_month = 0
output_million_per_month = 100
"#;

fn scenario(text: &str) -> CostScenario {
    parse_toml("cost.toml", text).unwrap()
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{a} is not {b}");
}

#[test]
fn a_chip_hour_by_hand() {
    let point = scenario(TWO).mid();
    let own = cost::chip_hour(&point.chip[0]);
    near(own.depreciation_usd, 0.25);
    near(own.capital_return_usd, 0.0);
    near(own.power_usd, 0.12);
    near(own.space_usd, 0.1);
    near(own.network_usd, 0.05);
    near(own.staff_usd, 0.1);
    near(own.total_usd(), 0.62);
    near(cost::chip_hour(&point.chip[1]).total_usd(), 2.88);
}

#[test]
fn the_cost_of_capital_is_the_annuity_less_depreciation() {
    let mut point = scenario(TWO).mid();
    point.chip[0].owned.as_mut().unwrap().cost_of_capital = 0.1;
    let hour = cost::chip_hour(&point.chip[0]);
    // The annuity factor of 4 years at 10 % is 0.31547.
    assert!((hour.depreciation_usd + hour.capital_return_usd - 0.315_471).abs() < 1e-6);
}

/// The catalogue holds another party's cost of ownership for chips whose capital it knows from
/// elsewhere; ordinary assumptions lead to the same figure within a tenth.
#[test]
fn cost_of_ownership_agrees_with_an_independent_model() {
    let catalogue = Catalogue::shipped().unwrap();
    for name in ["h100_sxm", "h200_sxm"] {
        let text = TWO
            .replace("\"own\"", &format!("\"{name}\""))
            .replace("capital_usd = 8760\n", "")
            .replace("power_kw = 1\n", "")
            .replace("useful_life_years = 4", "useful_life_years = 5")
            .replace("cost_of_capital = 0", "cost_of_capital = 0.09")
            .replace("pue = 1.2", "pue = 1.15")
            .replace(
                "electricity_usd_per_kwh = 0.1",
                "electricity_usd_per_kwh = 0.07",
            )
            .replace(
                "space_usd_per_kw_month = 73",
                "space_usd_per_kw_month = 120",
            )
            .replace("network_usd_per_year = 438", "network_usd_per_year = 400")
            .replace("staff_usd_per_year = 876", "staff_usd_per_year = 200");
        let mut scenario = scenario(&text);
        scenario.complete(&catalogue, &Parameters::ideal()).unwrap();
        let ours = cost::chip_hour(&scenario.mid().chip[0]).total_usd();
        let theirs = catalogue.chip(name).unwrap().tco_usd_per_hour.unwrap();
        assert!(
            (ours / theirs - 1.0).abs() < 0.1,
            "{name}: {ours} against {theirs}"
        );
    }
}

#[test]
fn a_million_tokens_by_hand() {
    let costs = cost::token_costs(&scenario(TWO).mid());
    // Rented: 2.88 an hour is 0.0008 a second, 0.001 a busy second at 80 %.
    near(costs[1].input_usd_per_million, 0.25);
    near(costs[1].cached_usd_per_million, 0.125);
    near(costs[1].output_usd_per_million, 2.0);
    // Own: 0.62 / 3600 / 0.5 a busy second.
    near(costs[0].output_usd_per_million, 0.62 / 3600.0 / 0.5 * 1e4);
}

#[test]
fn margin_by_class_chip_and_model() {
    let margins = cost::margins(&scenario(TWO).mid());
    let chat = &margins.by_class[1];
    near(chat.revenue_usd, 600.0);
    near(chat.cost_usd, 225.0);
    near(chat.margin().unwrap(), 0.625);
    // 225 dollars are 78.125 hours, which is 0.107 chips over a month of 730 hours.
    near(chat.chips, 225.0 / 2.88 / 730.0);
    let agents = &margins.by_class[0];
    near(agents.revenue_usd, 3000.0 * 0.9);
    near(margins.total.revenue_usd, agents.revenue_usd + 600.0);
    near(
        margins.by_chip.iter().map(|m| m.cost_usd).sum(),
        margins.total.cost_usd,
    );
    near(margins.by_model[0].profit_usd(), margins.total.profit_usd());
}

#[test]
fn capital_and_power_come_from_the_catalogue_when_left_out() {
    let text = TWO
        .replace("\"own\"", "\"trainium2\"")
        .replace("capital_usd = 8760\n", "");
    let catalogue = Catalogue::shipped().unwrap();
    let mut scenario = scenario(&text);
    scenario.complete(&catalogue, &Parameters::ideal()).unwrap();
    let known = catalogue.chip("trainium2").unwrap().capex_usd.unwrap();
    assert_eq!(
        scenario.chip[0]
            .owned
            .as_ref()
            .unwrap()
            .capital_usd
            .unwrap()
            .mid,
        known
    );
    let unknown = TWO.replace("capital_usd = 8760\n", "");
    let fault = self::scenario(&unknown)
        .complete(&catalogue, &Parameters::ideal())
        .unwrap_err();
    assert_eq!(fault.path, "chip[0].owned.capital_usd");
}

/// The scenario with its chips replaced by real ones and one throughput computed by the twin.
fn with_twin(sequences: u32, tensor: u32) -> Result<CostScenario, rialto_economics::Fault> {
    let text = TWO
        .replace("\"own\"", "\"trainium2\"")
        .replace("\"rented\"", "\"h100_sxm\"");
    let text = text.replace("\"m\"", "\"llama-3.1-8b\"");
    let given = text.find("[[throughput]]\nchip = \"h100_sxm\"").unwrap();
    let after = text.find("[[price]]").unwrap();
    let twin = format!(
        "[[twin]]\nchip = \"h100_sxm\"\nmodel = \"llama-3.1-8b\"\nprecision = \"bf16\"\n\
         engine = \"vllm\"\nplan = {{ tensor = {tensor}, pipeline = 1, expert = 1, data = 1 }}\n\
         sequences = {sequences}\ninput_tokens = 1000\noutput_tokens = 500\n"
    );
    let text = format!("{}{twin}{}", &text[..given], &text[after..]);
    let mut scenario = scenario(&text);
    scenario.complete(&Catalogue::shipped().unwrap(), &Parameters::ideal())?;
    Ok(scenario)
}

#[test]
fn the_twin_supplies_throughput_inside_the_roofline() {
    let scenario = with_twin(32, 1).unwrap();
    let row = scenario.throughput.last().unwrap();
    assert_eq!(row.basis, rialto_economics::Basis::Modelled);
    let catalogue = Catalogue::shipped().unwrap();
    let chip = catalogue.chip("h100_sxm").unwrap();
    // 8 billion parameters take 16e9 operations a token; more than the peak allows is impossible.
    let (output, input) = (row.output_tokens_per_s.mid, row.input_tokens_per_s.mid);
    assert!(
        input > 1_000.0 && input < chip.bf16_tflops * 1e12 / 14e9,
        "{input}"
    );
    // Every step reads 16 GB of weights for 32 sequences.
    let most = 32.0 * chip.memory_tb_s * 1e12 / 14e9;
    assert!(output > 100.0 && output < most, "{output}");
    // Reading a prompt is cheaper than writing, a cached prompt cheaper still.
    assert!(row.cached_tokens_per_s.mid > input && input > output);
    // Together more sequences write more.
    let more = with_twin(64, 1)
        .unwrap()
        .throughput
        .last()
        .unwrap()
        .output_tokens_per_s
        .mid;
    assert!(more > output);
    assert!(cost::margins(&scenario.mid()).by_class[1].cost_usd > 0.0);
}

#[test]
fn a_twin_that_does_not_fit_names_its_field() {
    let fault = with_twin(90_000, 1).unwrap_err();
    assert_eq!(fault.path, "twin[0].sequences");
    assert!(
        fault.message.contains("the cache holds"),
        "{}",
        fault.message
    );
    let fault = with_twin(1, 7).unwrap_err();
    assert_eq!(fault.path, "twin[0].plan");
}

#[test]
fn a_report_ranks_what_moves_the_margin() {
    let text = TWO
        .replace(
            "utilisation = 0.5",
            "utilisation = { low = 0.3, mid = 0.5, high = 0.7 }",
        )
        .replace(
            "discount = 0.1",
            "discount = { low = 0.09, mid = 0.1, high = 0.11 }",
        );
    let report = cost::report(&scenario(&text));
    let inputs: Vec<&str> = report.tornado.iter().map(|s| s.input.as_str()).collect();
    assert_eq!(inputs, ["own: utilisation", "agents: discount"]);
    assert_eq!(report, cost::report(&scenario(&text)));
    assert!(report.adoption[0].margin.p10 < report.adoption[0].margin.p90);
}

proptest! {
    #[test]
    fn cheaper_the_longer_it_lives_and_the_better_it_is_used(
        life in 1.0..10.0_f64,
        utilisation in 0.1..0.9_f64,
        capital_rate in 0.0..0.2_f64,
    ) {
        let mut point = scenario(TWO).mid();
        point.chip[0].utilisation = utilisation;
        let owned = point.chip[0].owned.as_mut().unwrap();
        owned.useful_life_years = life;
        owned.cost_of_capital = capital_rate;
        let cost = |p: &CostScenario<f64>| cost::token_costs(p)[0].output_usd_per_million;
        let mut longer = point.clone();
        longer.chip[0].owned.as_mut().unwrap().useful_life_years = life + 1.0;
        prop_assert!(cost(&longer) < cost(&point));
        let mut fuller = point.clone();
        fuller.chip[0].utilisation = utilisation + 0.05;
        prop_assert!(cost(&fuller) < cost(&point));
        // Parts of the cost are never negative.
        prop_assert!(cost::chip_hour(&point.chip[0]).capital_return_usd >= -1e-12);
    }
}

/// Half of the volumes a year late in four: an eighth of them is not sold, the chips cost the same.
#[test]
fn late_agentic_demand_is_paid_for_and_not_sold() {
    let report = cost::report(&scenario(TWO));
    let [on_time, late] = report.adoption.as_slice() else {
        panic!("two lags");
    };
    assert_eq!(
        (on_time.adoption_lag_quarters, late.adoption_lag_quarters),
        (0, 4)
    );
    assert_eq!((on_time.sold_share, late.sold_share), (1.0, 0.875));
    assert_eq!(on_time.total, report.margins.total);
    assert!((late.total.revenue_usd / on_time.total.revenue_usd - 0.875).abs() < 1e-12);
    assert_eq!(late.total.cost_usd, on_time.total.cost_usd);
    assert!(late.margin.p50 < on_time.margin.p50);
    // Beyond the horizon all that waits is lost.
    assert_eq!(cost::sold_share(&scenario(TWO).mid(), 40), 0.5);
}
