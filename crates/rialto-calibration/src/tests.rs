//! The solver on made-up measurements and the reader on good and bad rows.

use super::benchmark::Benchmark;
use super::point::{PointsError, Serving};
use super::read_points;
use super::solve::{Example, Explained, Feature, Kind, Prior, fit, predict_ln};
use rialto_fleet::catalogue::Catalogue;

const PRIOR: Prior = Prior {
    base: &[0.0, 0.0],
    spread: &[2.0, 2.0],
    noise: 0.05,
    robust: 0.2,
};

fn feature(key: &str, term: Option<usize>) -> Feature {
    Feature {
        key: key.to_owned(),
        term,
        value: 1.0,
        spread: 1.0,
    }
}

/// A measurement of 2 x + 0.5, in one group times 1.5.
fn example(x: f64, slow: bool) -> Example {
    let truth = (2.0 * x + 0.5) * if slow { 1.5 } else { 1.0 };
    let mut features = vec![feature("unused", Some(1))];
    if slow {
        features.push(feature("slow", None));
    }
    Example {
        explained: Explained {
            kinds: vec![Kind {
                share: 1.0,
                terms: vec![x, 1.0],
            }],
            combine: |_| (),
            features,
        },
        target_ln: libm::log(truth),
        weight: 1.0,
    }
}

#[test]
fn the_fit_finds_what_made_the_measurements() {
    let examples: Vec<Example> = (1..40)
        .map(|i| example(f64::from(i) * 0.1, i % 3 == 0))
        .collect();
    let layer = fit(&examples.iter().collect::<Vec<_>>(), &PRIOR);
    for e in &examples {
        let error = predict_ln(&layer, &e.explained) - e.target_ln;
        assert!(error.abs() < 0.02, "{error}");
    }
    assert!(
        (libm::exp(layer.effects["slow"]) - 1.5).abs() < 0.03,
        "{layer:?}"
    );
}

#[test]
fn a_wild_measurement_moves_the_fit_little() {
    let mut examples: Vec<Example> = (1..40)
        .map(|i| example(f64::from(i) * 0.1, false))
        .collect();
    examples[5].target_ln += 3.0;
    let layer = fit(&examples.iter().collect::<Vec<_>>(), &PRIOR);
    let e = example(2.0, false);
    let error = predict_ln(&layer, &e.explained) - e.target_ln;
    assert!(error.abs() < 0.05, "{error}");
}

const HEAD: &str = "id,silicon_data_source,backend,backend_version,model_path,system,precision,\
                    mode,isl,osl,batch_size,tp_size,attention_dp_size,moe_tp_size,moe_ep_size,\
                    silicon_ttft_ms,silicon_tpot_ms";

fn row(model: &str, isl: &str, tp: &str, tpot: &str) -> String {
    format!(
        "{HEAD}\na,db-dump/x; silicon_concurrency=32; measured=2026-03-01T0,vllm,0.9,{model},\
         h200_sxm,fp8,agg,{isl},1024,32,{tp},1,{tp},1,100.0,{tpot}\n"
    )
}

fn read(text: &str) -> Result<super::PointFile, PointsError> {
    read_points(&Catalogue::shipped().unwrap(), "points.csv", text)
}

#[test]
fn a_row_is_read_in_full() {
    let file = read(&row("deepseek-ai/DeepSeek-R1", "8192", "8", "12.5")).unwrap();
    let p = &file.points[0];
    assert_eq!((p.line, p.concurrency, p.input_tokens), (2, 32.0, 8192.0));
    assert_eq!(p.group(), "deepseek-v3 h200_sxm vllm fp8");
    assert_eq!(p.precision.kv_bits, 16.0, "vLLM on H200 keeps a wide cache");
    assert_eq!((p.build.as_str(), p.client), ("0.9 2026-03", "sweep"));
    assert_eq!(p.tpot_ms, Some(12.5));
    assert!(matches!(p.serving, Serving::Together(r) if r.chips == 8 && r.expert == 1));
}

#[test]
fn the_load_of_all_copies_is_told_from_that_of_one_engine() {
    let of = |text: &str| read(text).unwrap().points[0].concurrency;
    // 32 in flight, 8 on an engine: four copies of a dense model ...
    let dense = row("Qwen/Qwen3-32B", "8192", "2", "12.5").replace(",32,2,1,2,1,", ",8,2,1,1,1,");
    assert_eq!(of(&dense), 8.0);
    // ... but four ranks of one engine where experts are divided.
    let experts = row("gpt-oss-120b", "8192", "4", "12.5").replace(",32,4,1,4,1,", ",8,4,1,1,4,");
    assert_eq!(of(&experts), 32.0);
}

#[test]
fn extracts_are_of_the_sweep_and_studies_ran_the_checkpoint_they_name() {
    let of = |source: &str, model: &str| {
        let text = row(model, "1000", "1", "12.5")
            .replace("db-dump/x", source)
            .replace("; measured=2026-03-01T0", "")
            .replace("id,silicon", "gemm_quant_mode,id,silicon")
            .replace("\na,", "\nfp8_block,a,");
        let point = read(&text).unwrap().points.remove(0);
        (point.client, point.precision.name)
    };
    let (extract, study) = ("source_file=gap.csv", "source_file=/data/h200/llama.csv");
    let (plain, narrow) = (
        "meta-llama/Llama-3.1-8B-Instruct",
        "nvidia/Llama-3.1-8B-Instruct-FP8",
    );
    for (source, model, client, precision) in [
        (extract, plain, "sweep", "fp8"),
        (study, plain, "study", "bf16"),
        (study, narrow, "study", "fp8"),
    ] {
        let (found, ran) = of(source, model);
        assert_eq!(
            (found, ran.as_str()),
            (client, precision),
            "{source} {model}"
        );
    }
}

#[test]
fn slow_prefill_leaves_fewer_sequences_to_decode() {
    let text = row("deepseek-ai/DeepSeek-R1", "8192", "8", "12.5");
    let mut point = read(&text).unwrap().points.remove(0);
    point.concurrency = 2048.0;
    let engine = point.decoder();
    let mut cache_ms = |engines: f64| {
        point.serving = Serving::Split {
            prefill: engine,
            prefill_workers: Some(engines),
            decode: engine,
            decode_workers: Some(8.0),
            total_chips: None,
        };
        Benchmark::new(&point).tpot().kinds[0].terms[2]
    };
    let (one, four, many, more) = (
        cache_ms(1.0),
        cache_ms(4.0),
        cache_ms(256.0),
        cache_ms(512.0),
    );
    assert!(one < 0.9 * four && four < 0.9 * many, "{one} {four} {many}");
    assert_eq!(many, more, "enough is enough");
}

#[test]
fn squared_degrees_are_undone() {
    // tensor 1, data 64, experts 8 x 8: eight chips, data-parallel attention.
    let text =
        row("deepseek-ai/DeepSeek-R1", "8192", "8", "12.5").replace(",8,1,8,1,", ",1,64,8,8,");
    let replica = read(&text).unwrap().points[0].decoder();
    assert_eq!((replica.chips, replica.expert, replica.data), (8, 8, true));
}

#[test]
fn unknown_names_are_skipped_with_the_reason() {
    let file = read(&row("acme/Giant-9T", "8192", "8", "12.5")).unwrap();
    assert!(file.points.is_empty());
    assert_eq!(file.skipped[0].line, 2);
    assert!(
        file.skipped[0].reason.contains("acme/Giant-9T"),
        "{:?}",
        file.skipped
    );
}

#[test]
fn degrees_that_divide_no_heads_and_failed_measurements_are_skipped() {
    for (text, reason) in [
        (
            row("gpt-oss-120b", "8192", "3", "12.5"),
            "tp_size 3 does not divide the 64 attention heads of gpt-oss-120b",
        ),
        (
            row("gpt-oss-120b", "8192", "8", "NaN"),
            "silicon_tpot_ms is NaN: the measurement failed",
        ),
    ] {
        let file = read(&text).unwrap();
        assert!(file.points.is_empty());
        assert_eq!(
            (file.skipped[0].line, file.skipped[0].reason.as_str()),
            (2, reason)
        );
    }
}

#[test]
fn bad_values_name_file_line_and_field() {
    for (text, expected) in [
        (
            row("gpt-oss-120b", "8192", "8", "-3"),
            "points.csv: line 2: silicon_tpot_ms: \"-3\"",
        ),
        (
            row("gpt-oss-120b", "8192", "8", "0"),
            "points.csv: line 2: silicon_tpot_ms: \"0\"",
        ),
        (
            row("gpt-oss-120b", "many", "8", "3"),
            "points.csv: line 2: isl: \"many\" is not a number",
        ),
        (
            row("gpt-oss-120b", "", "8", "3"),
            "points.csv: line 2: isl: \"\" is missing",
        ),
        (
            row("gpt-oss-120b", "8192", "1.5", "3"),
            "points.csv: line 2: tp_size: \"1.5\"",
        ),
        (
            row("gpt-oss-120b", "99999999999999", "8", "3"),
            "points.csv: line 2: isl: \"99999999999999\" is above 16777216",
        ),
        (
            row("gpt-oss-120b", "8192", "8", "-3").replace('\n', "\r\n"),
            "points.csv: line 2: silicon_tpot_ms: \"-3\"",
        ),
        (
            format!("{HEAD}\na,b\n"),
            "points.csv: line 2: 2 fields where the header names 17",
        ),
        ("a,b\n1,2\n".to_owned(), "points.csv: line 1: no column"),
    ] {
        let error = read(&text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
