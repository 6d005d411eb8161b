//! Sizing placements: the smallest count that meets the objective, and what binds.

use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::cluster::{PoolSpec, SloSpec, TrafficSource};
use rialto_fleet::plan::{Binds, Placement, PriceBasis, Question, evaluate, plans, rank, size};
use rialto_fleet::step::{Parameters, Plan};
use rialto_fleet::traffic::TrafficModel;

fn question(rate_per_s: f64, ttft_s: f64, tpot_s: f64) -> Question {
    Question {
        rate_per_s,
        slo: SloSpec { ttft_s, tpot_s },
        slo_share: 0.99,
        price: PriceBasis::List,
        faults: rialto_fleet::cluster::Faults::default(),
        trial_s: 60.0,
        seed: 1,
        traffic_name: "azure-conv".into(),
        traffic: TrafficSource::Model(TrafficModel::shipped("azure-conv").unwrap().unwrap()),
    }
}

fn place(question: &Question, spec: &PoolSpec) -> Placement {
    let parameters = Parameters::shipped().unwrap();
    size(question, spec, &Catalogue::shipped().unwrap(), &parameters)
}

fn spec(model: &str, chip: &str, tensor: u32) -> PoolSpec {
    PoolSpec::new("p", model, chip, Plan::tensor(tensor), 1, "azure-conv")
}

#[test]
fn one_replica_fewer_misses_the_objective() {
    let q = question(60.0, 0.5, 0.03);
    let pool = spec("llama3.1-8b", "h100_sxm", 1);
    let found = place(&q, &pool);
    let n = found.replicas.unwrap();
    assert!(n > 1 && found.slo_share >= 0.99, "{found:?}");
    let catalogue = Catalogue::shipped().unwrap();
    let parameters = Parameters::shipped().unwrap();
    let fewer = evaluate(&q, &pool, n - 1, &catalogue, &parameters);
    assert!(fewer.slo_share < 0.99, "{fewer:?}");
    assert!(matches!(
        found.binds,
        Binds::Ttft | Binds::Tpot | Binds::CacheMemory
    ));
    let usd = catalogue
        .chip("h100_sxm")
        .unwrap()
        .list_usd_per_hour
        .unwrap();
    assert_eq!(found.usd_per_hour, Some(usd * f64::from(n)));
}

/// What is simulated is a cell's share, so that the answer takes as long whatever the rate.
#[test]
fn counts_grow_with_the_rate_and_the_work_does_not() {
    let mut per_replica = Vec::new();
    for rate in [1e3, 1e6, 1e9] {
        let mut q = question(rate, 1.0, 0.05);
        q.trial_s = 20.0;
        let found = place(&q, &spec("llama3.1-8b", "h100_sxm", 1));
        let replicas = found.replicas.unwrap();
        assert!(found.slo_share >= 0.99 && found.binds != Binds::OneReplica);
        assert_eq!(found.chips, Some(replicas.into()));
        per_replica.push(rate / f64::from(replicas));
    }
    let spread = per_replica[0] / per_replica[2];
    assert!((0.7..1.5).contains(&spread), "{per_replica:?}");
}

#[test]
fn what_cannot_be_says_why() {
    let easy = question(1.0, 5.0, 0.5);
    let too_big = place(&easy, &spec("llama3.1-405b", "h100_sxm", 1));
    assert!(matches!(&too_big.binds, Binds::Refused(why) if why.contains("does not fit")));
    let uneven = place(&easy, &spec("llama3.1-8b", "h100_sxm", 3));
    assert!(matches!(&uneven.binds, Binds::Refused(why) if why.contains("does not divide")));
    assert_eq!(uneven.replicas, None);
    let slow = place(
        &question(1.0, 5.0, 1e-4),
        &spec("llama3.1-70b", "h100_sxm", 4),
    );
    assert_eq!(slow.binds, Binds::TpotAlone);
    let late = place(
        &question(1.0, 1e-4, 1.0),
        &spec("llama3.1-8b", "h100_sxm", 1),
    );
    assert_eq!(late.binds, Binds::TtftAlone);
    let one = place(&easy, &spec("llama3.1-8b", "h100_sxm", 1));
    assert_eq!((one.replicas, one.binds), (Some(1), Binds::OneReplica));
}

#[test]
fn the_cheapest_comes_first_and_the_impossible_last() {
    let q = question(5.0, 2.0, 0.1);
    let mut placements: Vec<Placement> = [
        spec("llama3.1-8b", "h100_sxm", 1),
        spec("llama3.1-405b", "h100_sxm", 1),
        spec("llama3.1-8b", "trainium2", 1),
        spec("llama3.1-8b", "h100_sxm", 8),
    ]
    .iter()
    .map(|s| place(&q, s))
    .collect();
    rank(&mut placements);
    let costs: Vec<f64> = placements.iter().filter_map(|p| p.usd_per_hour).collect();
    assert_eq!(costs.len(), 3);
    assert!(costs.windows(2).all(|w| w[0] <= w[1]), "{costs:?}");
    assert_eq!(placements[3].replicas, None);
}

#[test]
fn plans_stay_within_the_domain_and_spread_experts_of_mixtures() {
    let c = Catalogue::shipped().unwrap();
    let dense = plans(&c, "llama3.1-70b", "h100_sxm", 16).unwrap();
    assert_eq!(dense.len(), 4, "1, 2, 4 and 8 chips: {dense:?}");
    let mixture = plans(&c, "deepseek-v3", "trainium2", 16).unwrap();
    assert!(mixture.iter().all(|p| p.chips() <= 16));
    assert!(mixture.iter().any(|p| p.data > 1 && p.expert == p.chips()));
    assert!(plans(&c, "no-such-model", "h100_sxm", 8).is_err());
}

#[test]
fn what_fails_gets_spares_and_the_tokens_pay_for_every_chip() {
    let mut q = question(60.0, 0.5, 0.03);
    let pool = spec("llama3.1-8b", "h100_sxm", 1);
    let sound = place(&q, &pool);
    q.faults.chip_mtbf_h = Some(500.0);
    q.faults.chip_mttr_h = 24.0;
    let failing = place(&q, &pool);
    assert_eq!(sound.spare_replicas, 0);
    assert!(failing.spare_replicas > 0, "{failing:?}");
    let needed = failing.replicas.unwrap() - failing.spare_replicas;
    assert_eq!(Some(needed), sound.replicas);
    assert!(failing.usd_per_hour > sound.usd_per_hour);
    assert!(failing.working_share.unwrap() >= 0.99 && sound.working_share.is_none());
    assert!(failing.joules_per_output_token > sound.joules_per_output_token);
    q.faults.chip_mtbf_h = Some(1e-12);
    let hopeless = place(&q, &pool);
    assert_eq!(hopeless.binds, Binds::TooFewWorking);
    assert_eq!(hopeless.replicas, None);
    q.faults.chip_mtbf_h = Some(500.0);

    let costs = failing.token_costs.unwrap();
    let (input, cached, output) = costs.usd_per_million().unwrap();
    assert!(cached < input && input < output, "{costs:?}");
    let all_on_output = failing.usd_per_million_output_tokens.unwrap();
    assert!(output < all_on_output, "{output} of {all_on_output}");
}
