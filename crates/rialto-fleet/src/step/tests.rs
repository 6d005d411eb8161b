//! The roofline against numbers worked out by hand, and its order properties.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::roofline::{MeanLoad, Roofline};
use super::*;
use crate::catalogue::Catalogue;
use crate::units::{Joules, Nanos};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::shipped().unwrap());
static SHIPPED: LazyLock<Parameters> = LazyLock::new(|| Parameters::shipped().unwrap());

fn deployment(
    chip: &str,
    model: &str,
    precision: &str,
    plan: Plan,
) -> Result<Deployment, StepError> {
    let c = &*CATALOGUE;
    let (chip, model) = (c.chip(chip).unwrap(), c.model(model).unwrap());
    Deployment::new(
        chip,
        model,
        c.precision(precision).unwrap(),
        plan,
        Engine::Vllm,
    )
}

fn ideal(chip: &str, model: &str, precision: &str, plan: Plan) -> StepModel {
    StepModel::new(
        &deployment(chip, model, precision, plan).unwrap(),
        &Parameters::ideal(),
    )
}

fn close(found: f64, by_hand: f64) -> bool {
    (found / by_hand - 1.0).abs() < 1e-3
}

#[test]
fn a_decode_step_reads_weights_and_cache_at_peak_bandwidth() {
    // Llama 3.1 8B in BF16 on one H100 of 3.35 TB/s, 4 sequences of 1,000 tokens.
    let terms =
        ideal("h100", "llama3.1-8b", "bf16", Plan::SINGLE).terms(&StepLoad::decode(4, 1000));
    // (8.030e9 - 128,256 x 4,096 embedding) parameters x 2 bytes = 15.01 GB -> 4.480 ms.
    assert!(
        close(terms.of(Term::Weights), 15.008e9 / 3.35e12),
        "{terms:?}"
    );
    // 4 x 1,000 tokens x 131,072 bytes -> 0.1565 ms.
    assert!(
        close(terms.of(Term::Cache), 4.0 * 1000.0 * 131_072.0 / 3.35e12),
        "{terms:?}"
    );
    // 4 tokens x 2 x 7.504e9 + 4 x 1,000 x 2 x 32 layers x 32 heads x 2 x 128 operations at 989e12.
    let flops = 4.0 * 2.0 * 7.504e9 + 4.0 * 1000.0 * 2.0 * 32.0 * 32.0 * 2.0 * 128.0;
    assert!(close(terms.of(Term::Compute), flops / 989e12), "{terms:?}");
    assert_eq!(terms.of(Term::Link), 0.0);
    assert_eq!(
        terms.of(Term::Fixed),
        0.0,
        "an ideal engine has no overhead"
    );
}

#[test]
fn a_step_waits_for_the_slower_of_memory_and_arithmetic_and_of_device_and_host() {
    // In the order of the terms: weights, experts, cache | compute, prefill | link | fixed |
    // layers, collectives | sequences.
    let cases = [
        (
            "memory-bound",
            [3.0, 2.0, 1.0, 4.0, 1.0, 0.5, 1.0, 0.7, 0.3, 2.0],
            7.5,
        ),
        (
            "compute-bound",
            [3.0, 2.0, 1.0, 4.0, 5.0, 0.5, 1.0, 0.7, 0.3, 2.0],
            10.5,
        ),
        (
            "host-bound",
            [3.0, 2.0, 1.0, 4.0, 1.0, 0.5, 1.0, 0.7, 0.3, 9.0],
            10.0,
        ),
        ("nothing to do", [0.0; 10], 0.0),
    ];
    for (name, seconds, by_hand) in cases {
        let total = StepTerms { seconds }.total_s();
        assert!((total - by_hand).abs() < 1e-12, "{name}: {total}");
    }
}

#[test]
fn every_data_parallel_rank_handles_its_own_sequences() {
    let d = |data| Plan {
        tensor: 1,
        pipeline: 1,
        expert: data,
        data,
    };
    let load = MeanLoad {
        decode_sequences: 64.0,
        ..MeanLoad::default()
    };
    let host = |data| {
        let d = deployment("h200", "gpt-oss-120b", "mxfp4", d(data)).unwrap();
        let terms = Roofline::new(&d).terms(&load);
        terms[TERMS.iter().position(|t| *t == Term::Sequences).unwrap()]
    };
    assert!(close(host(8), host(1) / 8.0), "{} {}", host(8), host(1));
}

#[test]
fn tensor_parallelism_divides_memory_and_adds_all_reduces() {
    let load = StepLoad::decode(8, 2000);
    let one = ideal("h100", "llama3.1-8b", "bf16", Plan::SINGLE).terms(&load);
    let four = ideal("h100", "llama3.1-8b", "bf16", Plan::tensor(4)).terms(&load);
    assert!(close(four.of(Term::Weights), one.of(Term::Weights) / 4.0));
    assert!(close(four.of(Term::Cache), one.of(Term::Cache) / 4.0));
    // 8 tokens x 32 layers x 2 all-reduces x 2 x 3/4 x 4,096 x 2 bytes at 450 GB/s.
    let bytes = 8.0 * 32.0 * 2.0 * 2.0 * 0.75 * 4096.0 * 2.0;
    assert!(close(four.of(Term::Link), bytes / 450e9), "{four:?}");
}

#[test]
fn a_step_of_few_tokens_reads_few_experts() {
    let model = ideal("b200", "gpt-oss-120b", "mxfp4", Plan::SINGLE);
    let experts = |n| model.terms(&StepLoad::decode(n, 1)).of(Term::Experts);
    // 36 layers x 128 experts x 3 x 2,880 x 2,880 x 4.25 bits, at 8 TB/s.
    let all = 36.0 * 128.0 * 3.0 * 2880.0 * 2880.0 * 4.25 / 8.0 / 8e12;
    assert!(close(experts(1), all * 4.0 / 128.0));
    assert!(close(experts(100_000), all));
}

#[test]
fn what_does_not_fit_or_divide_is_named() {
    let tight = deployment("h100", "llama3.1-70b", "bf16", Plan::SINGLE)
        .unwrap_err()
        .to_string();
    assert!(
        tight.contains("does not fit") && tight.contains("141.1 GB"),
        "{tight}"
    );
    let odd = deployment("h100", "llama3.1-70b", "bf16", Plan::tensor(3)).unwrap_err();
    assert!(matches!(
        odd,
        StepError::DoesNotDivide {
            field: "tensor",
            degree: 3,
            ..
        }
    ));
    let none = Plan {
        tensor: 0,
        ..Plan::SINGLE
    };
    let none = deployment("h100", "llama3.1-8b", "bf16", none).unwrap_err();
    assert!(matches!(
        none,
        StepError::ZeroDegree {
            field: "tensor",
            ..
        }
    ));
    let spread = Plan {
        tensor: 2,
        expert: 2,
        ..Plan::SINGLE
    };
    let spread = deployment("h100", "llama3.1-8b", "bf16", spread).unwrap_err();
    assert!(matches!(spread, StepError::NoExperts { degree: 2, .. }));
    let stages = Plan {
        pipeline: 64,
        ..Plan::SINGLE
    };
    let stages = deployment("h100", "llama3.1-8b", "bf16", stages).unwrap_err();
    assert!(matches!(
        stages,
        StepError::DoesNotDivide {
            field: "pipeline",
            ..
        }
    ));
}

#[test]
fn every_part_of_a_token_is_multiplied_in_its_own_format() {
    // gpt-oss-120b, one token: linear parts and head in BF16, experts in FP8 on B200. H200 has no
    // four-bit arithmetic and multiplies its unpacked experts in BF16 as well.
    let m = CATALOGUE.model("gpt-oss-120b").unwrap();
    let experts = 36.0 * 4.0 * m.expert_params();
    let rest = m.params_active() - experts;
    // Cache of 8 bits, so attention in FP8: 64 heads of 64 for keys and values in 18 layers.
    let attention = 2.0 * 18.0 * 64.0 * 2.0 * 64.0;
    for (chip, by_hand) in [
        (
            "b200",
            2.0 * rest / 2250e12 + (2.0 * experts + attention) / 4500e12,
        ),
        (
            "h200",
            2.0 * (rest + experts) / 989e12 + attention / 1979e12,
        ),
    ] {
        let step = ideal(chip, "gpt-oss-120b", "mxfp4", Plan::SINGLE);
        let terms = step.terms(&StepLoad::decode(1, 1));
        assert!(close(terms.of(Term::Compute), by_hand), "{chip}: {terms:?}");
    }
}

#[test]
fn collectives_cross_the_fabric_at_every_level_of_the_tree() {
    // 61 layers, two all-reduces of two crossings a level, 5 microseconds each; inside a domain
    // 15 microseconds a layer for eight chips.
    let of = |tensor| {
        let plan = Plan::tensor(tensor);
        let d = deployment("h200", "deepseek-v3", "fp8", plan).unwrap();
        let terms = Roofline::new(&d).terms(&MeanLoad::default());
        terms[TERMS.iter().position(|t| *t == Term::Collectives).unwrap()]
    };
    let inside = |chips: f64| 61.0 * 15e-6 * (1.0 + chips.log2()) / 4.0;
    assert!(close(of(8), inside(8.0)));
    assert!(close(of(16), inside(16.0) + 61.0 * 4.0 * 5e-6));
    assert!(close(of(32), inside(32.0) + 61.0 * 8.0 * 5e-6));
}

#[test]
fn an_attention_index_adds_a_third_to_the_kernels_of_a_layer() {
    let launches = |model| {
        let d = deployment("b200", model, "fp8", Plan::tensor(8)).unwrap();
        let terms = Roofline::new(&d).terms(&MeanLoad::default());
        terms[TERMS.iter().position(|t| *t == Term::Layers).unwrap()]
    };
    assert!(close(
        launches("deepseek-v3.2"),
        launches("deepseek-v3") * 4.0 / 3.0
    ));
}

#[test]
fn steps_with_prompts_launch_their_kernels_one_by_one() {
    let c = &*CATALOGUE;
    let launching = |chip: &str, engine: Engine, prompt_tokens: f64| {
        let d = Deployment::new(
            c.chip(chip).unwrap(),
            c.model("llama3.1-8b").unwrap(),
            c.precision("bf16").unwrap(),
            Plan::SINGLE,
            engine,
        );
        let load = MeanLoad {
            decode_sequences: 4.0,
            prefill_tokens: prompt_tokens,
            ..MeanLoad::default()
        };
        Roofline::new(&d.unwrap()).terms(&load)[7]
    };
    let times =
        |chip: &str, engine: Engine| launching(chip, engine, 512.0) / launching(chip, engine, 0.0);
    assert_eq!(times("h100", Engine::Vllm), 4.0);
    assert_eq!(times("trainium2", Engine::Neuron), 1.0, "compiled whole");
}

#[test]
fn cache_capacity_is_what_weights_leave() {
    let d = deployment("h100", "llama3.1-8b", "bf16", Plan::SINGLE).unwrap();
    // (85.521e9 x 0.9 - 16.06e9) / 131,072 bytes a token.
    let by_hand = (85.521e9 * 0.9 - 16.060e9) / 131_072.0;
    assert!(
        close(d.kv_capacity_tokens() as f64, by_hand),
        "{}",
        d.kv_capacity_tokens()
    );
    // Two key-value heads on four chips are kept twice.
    let d = deployment("b200", "qwen3.5-397b-a17b", "fp8", Plan::tensor(8)).unwrap();
    assert_eq!(d.kv_bytes_per_token(), 15.0 * 2.0 * 2.0 * 256.0 * 4.0);
}

#[test]
fn speculation_yields_more_tokens_for_a_longer_step() {
    let plain = deployment("h100", "llama3.1-8b", "bf16", Plan::SINGLE).unwrap();
    let spec = Speculation {
        draft_tokens: 3,
        acceptance: 0.5,
        draft: None,
    };
    let drafted = plain.clone().with_speculation(spec).unwrap();
    let (plain, drafted) = (
        StepModel::new(&plain, &Parameters::ideal()),
        StepModel::new(&drafted, &Parameters::ideal()),
    );
    assert_eq!(drafted.tokens_per_decode_step(), 1.875);
    let load = StepLoad::decode(1, 100);
    let longer = drafted.step_seconds(&load) / plain.step_seconds(&load);
    assert!((1.0..1.2).contains(&longer), "{longer}");
    let wild = Speculation {
        draft_tokens: 3,
        acceptance: 1.5,
        draft: None,
    };
    let d = deployment("h100", "llama3.1-8b", "bf16", Plan::SINGLE).unwrap();
    assert!(matches!(
        d.with_speculation(wild),
        Err(StepError::OutOfRange { .. })
    ));
}

#[test]
fn nothing_to_do_takes_no_time_and_waiting_costs_idle_power() {
    let model = ideal("h100", "llama3.1-8b", "bf16", Plan::SINGLE);
    assert_eq!(model.step_time(&StepLoad::default()), Nanos::ZERO);
    assert_eq!(model.energy(&StepLoad::default()), Joules(0.0));
    // A quarter of 700 W for a second.
    assert_eq!(model.idle_energy(Nanos::from_secs_f64(1.0)), Joules(175.0));
    let busy = model.energy(&StepLoad::decode(1, 100));
    let seconds = model.step_seconds(&StepLoad::decode(1, 100));
    assert!(busy.0 > 175.0 * seconds && busy.0 <= 700.0 * 0.85 * seconds + 1e-12);
}

#[test]
fn shipped_parameters_stay_within_physics() {
    for (chip, model, precision, tensor) in [
        ("trainium2", "llama3.1-70b", "bf16", 16),
        ("inferentia2", "llama3.1-8b", "bf16", 4),
        ("h100", "llama3.1-70b", "fp8", 4),
        ("b200", "deepseek-v3", "fp4", 8),
        ("tpu_v6e", "llama3.1-8b", "bf16", 4),
    ] {
        let d = deployment(chip, model, precision, Plan::tensor(tensor)).unwrap();
        let bound = StepModel::new(&d, &Parameters::ideal());
        let fitted = StepModel::new(&d, &SHIPPED);
        for load in [StepLoad::decode(1, 1000), StepLoad::decode(64, 2000)] {
            let ratio = fitted.step_seconds(&load) / bound.step_seconds(&load);
            assert!(
                (0.8..60.0).contains(&ratio),
                "{model} on {chip}: {ratio} x the roofline"
            );
        }
    }
}

#[test]
fn a_parameter_file_of_another_version_is_refused() {
    let text = SHIPPED.to_toml().unwrap();
    assert_eq!(Parameters::parse("p.toml", &text).unwrap(), *SHIPPED);
    let other = text.replacen("base = [", "base = [0.5, ", 1);
    let error = Parameters::parse("p.toml", &other).unwrap_err().to_string();
    assert!(
        error.starts_with("p.toml: [tpot] base has 11 terms"),
        "{error}"
    );
    let error = Parameters::parse("p.toml", "fitted_on = 3")
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("p.toml: "), "{error}");
}

fn loads() -> impl Strategy<Value = StepLoad> {
    (0..8192_u32, 0..512_u32, 1..20_000_u64).prop_map(|(prompt, sequences, context)| StepLoad {
        prefill_tokens: prompt,
        prefill_sequences: prompt.min(1),
        prefill_context_tokens: StepLoad::prefill_context(0, u64::from(prompt)),
        ..StepLoad::decode(sequences, context)
    })
}

proptest! {
    #[test]
    fn more_work_never_takes_less_time(load in loads(), more in loads()) {
        for model in ["llama3.1-70b", "deepseek-v3", "gpt-oss-120b", "qwen3.5-397b-a17b"] {
            let d = deployment("b200", model, "fp8", Plan::tensor(8)).unwrap();
            let step = StepModel::new(&d, &SHIPPED);
            let sum = StepLoad {
                prefill_tokens: load.prefill_tokens + more.prefill_tokens,
                prefill_sequences: load.prefill_sequences + more.prefill_sequences,
                prefill_context_tokens: load.prefill_context_tokens + more.prefill_context_tokens,
                decode_sequences: load.decode_sequences + more.decode_sequences,
                decode_context_tokens: load.decode_context_tokens + more.decode_context_tokens,
            };
            prop_assert!(step.step_time(&sum) >= step.step_time(&load));
        }
    }

    #[test]
    fn a_faster_chip_is_never_slower(load in loads(), faster in 1.0..4.0_f64) {
        let d = deployment("h100", "llama3.1-70b", "fp8", Plan::tensor(4)).unwrap();
        let slow = StepModel::new(&d, &SHIPPED).step_time(&load);
        for change in 0..3 {
            let mut d = d.clone();
            match change {
                0 => d.chip.memory_tb_s *= faster,
                1 => d.chip.scaleup_gb_s *= faster,
                _ => d.chip.fp8_tflops = d.chip.fp8_tflops.map(|t| t * faster),
            }
            let fast = StepModel::new(&d, &SHIPPED).step_time(&load);
            prop_assert!(fast <= slow);
        }
    }
}
