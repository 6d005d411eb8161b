//! Every shipped number is readable, in range, sourced, and agrees with what is published.

use super::*;

fn shipped() -> Catalogue {
    Catalogue::shipped().unwrap()
}

#[test]
fn counted_parameters_agree_with_published_ones() {
    for model in shipped().models {
        let total = model.params_total() / 1e9 / model.params_total_b;
        assert!(
            (0.95..1.05).contains(&total),
            "{}: total off by {total}",
            model.name
        );
    }
}

#[test]
fn every_number_of_a_chip_names_its_source() {
    for chip in shipped().chips {
        let table = toml::Table::try_from(&chip).unwrap();
        for (field, value) in &table {
            if !(value.is_float() || value.is_integer()) {
                continue;
            }
            let sourced = chip
                .sources
                .iter()
                .any(|s| s.fields.iter().any(|f| f == field));
            assert!(sourced, "{}: {field} has no source", chip.name);
        }
    }
}

#[test]
fn names_match_as_benchmarks_write_them() {
    let c = shipped();
    for (written, name) in [
        ("Llama-3.3-70B-Instruct-FP8", "llama3.1-70b"),
        ("nvidia/DeepSeek-R1-0528-NVFP4-v2", "deepseek-v3"),
        ("deepseek-r1", "deepseek-v3"),
        ("Qwen/Qwen3-235B-A22B-Thinking-2507", "qwen3-235b-a22b"),
        ("someone/Qwen3-32B-AWQ", "qwen3-32b"),
        ("llama2-70b-99.9", "llama2-70b"),
    ] {
        assert_eq!(c.model(written).unwrap().name, name, "{written}");
    }
    for (written, name) in [
        ("GB200", "gb200_nvl72"),
        ("NVIDIA H200-SXM-141GB", "h200_sxm"),
        ("Trainium2", "trainium2"),
    ] {
        assert_eq!(c.chip(written).unwrap().name, name, "{written}");
    }
    assert!(matches!(
        c.model("gpt-9"),
        Err(CatalogueError::Unknown { kind: "model", .. })
    ));
    assert!(c.model("").is_err());
}

#[test]
fn bad_tables_name_file_line_and_field() {
    let mut c = shipped();
    let error = c
        .add(
            "mine.toml",
            "[[fabric]]\nname = \"x\"\nlatency_us = \"fast\"\n",
        )
        .unwrap_err();
    assert!(
        error.to_string().starts_with("mine.toml: line 3"),
        "{error}"
    );
    let text = "[[fabric]]\nname = \"x\"\nlatency_us = -1.0\nsource = \"s\"\nconfidence = \"c\"\n";
    let error = c.add("mine.toml", text).unwrap_err().to_string();
    assert!(
        error.contains("mine.toml: line 3: fabric \"x\": latency_us is -1"),
        "{error}"
    );
    let error = c
        .add("mine.toml", "[[chip]]\nname = \"x\"\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("mine.toml: line 1: chip[0].vendor: missing field"),
        "{error}"
    );
}

#[test]
fn a_user_file_replaces_an_entry_of_the_same_name() {
    let mut c = shipped();
    let before = c.fabrics.len();
    let text =
        "[[fabric]]\nname = \"efa-v3\"\nlatency_us = 9.0\nsource = \"own\"\nconfidence = \"own\"\n";
    c.add("mine.toml", text).unwrap();
    assert_eq!(c.fabrics.len(), before);
    assert_eq!(c.fabric("efa-v3").unwrap().latency_us, 9.0);
}

#[test]
fn cache_bytes_follow_the_architecture() {
    let c = shipped();
    let bf16 = c.precision("bf16").unwrap();
    // 32 layers x 2 x 8 heads x 128 x 2 bytes; 61 layers x (512 + 64) x 2 bytes.
    assert_eq!(
        c.model("llama3.1-8b").unwrap().kv_bytes_per_token(bf16),
        131_072.0
    );
    assert_eq!(
        c.model("deepseek-v3").unwrap().kv_bytes_per_token(bf16),
        70_272.0
    );
}

#[test]
fn a_chip_without_a_format_computes_in_the_next_wider_one() {
    let c = shipped();
    assert_eq!(
        c.chip("h100").unwrap().flops(Compute::Fp4),
        (1979e12, Compute::Fp8)
    );
    assert_eq!(
        c.chip("a100").unwrap().flops(Compute::Fp4),
        (312e12, Compute::Bf16)
    );
}

#[test]
fn chips_come_as_a_table_too() {
    let head = "name,vendor,aliases,bf16_tflops,memory_gb,memory_tb_s,scaleup_gb_s,\
        scaleup_domain_chips,scaleout_gb_s,rent_usd_per_hour,source,confidence";
    let row = "mine,ACME,my chip;m1,500,96,3.2,200,16,25,1.10,data sheet,vendor doc";
    let mut c = shipped();
    c.add("mine.csv", &format!("{head}\r\n{row}\r\n")).unwrap();
    let mine = c.chip("M1").unwrap();
    assert_eq!(mine.rent_usd_per_hour, Some(1.1));
    assert_eq!((mine.fp8_tflops, mine.scaleup_domain_chips), (None, 16));
    assert!(
        mine.sources[0]
            .fields
            .contains(&"rent_usd_per_hour".to_owned())
    );
    let mut error = |from: &str, to: &str| {
        let text = format!("{head}\n{row}\n{}\n", row.replacen(from, to, 1));
        let text = text.replacen("\nmine", "\nother", 1);
        c.add("mine.csv", &text).unwrap_err().to_string()
    };
    for (from, to, expected) in [
        (
            ",500,",
            ",fast,",
            "mine.csv: line 3: bf16_tflops: \"fast\" is not a number",
        ),
        (
            ",96,",
            ",,",
            "mine.csv: line 3: memory_gb: must not be empty",
        ),
        (
            ",3.2,",
            ",3200,",
            "mine.csv: line 3: chip \"mine\": memory_tb_s is 3200",
        ),
        (",16,", ",1.5,", "mine.csv: line 3: scaleup_domain_chips: "),
        (",data sheet,", ",", "mine.csv: line 3: row: has 11 cells"),
    ] {
        let told = error(from, to);
        assert!(told.starts_with(expected), "{told}");
    }
    let odd = format!("{head},speed\n{row},1\n");
    let told = c.add("mine.csv", &odd).unwrap_err().to_string();
    assert!(
        told.starts_with("mine.csv: line 1: speed: no such column"),
        "{told}"
    );
}
