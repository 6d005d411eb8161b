//! Finds in how many bits a benchmark run kept its key-value cache.
//!
//! Number formats state eight bits for checkpoints of eight and four bits. vLLM and SGLang keep sixteen
//! bits unless the launch asks for eight; TensorRT-LLM follows the checkpoint, and MXFP4 checkpoints say
//! nothing. The rules here come from the launch scripts that InferenceX publishes. They never look at a
//! measured time.
//!
//! Source: github.com/SemiAnalysisAI/InferenceX (Apache-2.0), the settings `kv-cache-dtype` and
//! `kv_cache_config` in all revisions of `benchmarks/*.sh` from 2025-09 to 2026-05, read 2026-11-22.

use rialto_fleet::catalogue::Precision;
use rialto_fleet::step::Engine;

/// Bits of a cache that no launch narrowed.
const WIDE_BITS: f64 = 16.0;

/// Models that launches on Blackwell chips ran with a sixteen-bit cache at first, and the first day on
/// which their launch asked for eight bits.
const NARROWED: [(&str, Engine, &str); 2] = [
    ("minimax-m2", Engine::Vllm, "2026-04-03"),
    ("gpt-oss-120b", Engine::Vllm, "2025-12-05"),
];

/// The format of a run with the bits that its cache was kept in.
pub(super) fn as_launched(
    precision: &Precision,
    model: &str,
    chip: &str,
    engine: Engine,
    day: &str,
) -> Precision {
    let mut out = precision.clone();
    if wide(precision, model, chip, engine, day) {
        out.kv_bits = WIDE_BITS;
    }
    out
}

fn wide(precision: &Precision, model: &str, chip: &str, engine: Engine, day: &str) -> bool {
    let hopper = chip.starts_with("h100") || chip.starts_with("h200");
    match engine {
        Engine::Sglang if hopper => true,
        // Launches of Llama asked for eight bits on every chip.
        Engine::Vllm if hopper => !model.starts_with("llama"),
        Engine::TrtLlm if hopper => precision.name == "mxfp4",
        _ => NARROWED
            .iter()
            .any(|(m, e, first)| *m == model && *e == engine && !day.is_empty() && day < *first),
    }
}

#[cfg(test)]
mod tests {
    use super::as_launched;
    use rialto_fleet::catalogue::Catalogue;
    use rialto_fleet::step::Engine;

    #[test]
    fn the_cache_is_as_wide_as_the_launch_says() {
        let catalogue = Catalogue::shipped().unwrap();
        for (model, chip, engine, precision, day, bits) in [
            (
                "deepseek-v3",
                "h200_sxm",
                Engine::Sglang,
                "fp8",
                "2026-03-25",
                16.0,
            ),
            (
                "deepseek-v3",
                "h200_sxm",
                Engine::TrtLlm,
                "fp8",
                "2026-03-25",
                8.0,
            ),
            (
                "gpt-oss-120b",
                "h200_sxm",
                Engine::TrtLlm,
                "mxfp4",
                "2025-11-02",
                16.0,
            ),
            (
                "llama3.1-70b",
                "h200_sxm",
                Engine::Vllm,
                "fp8",
                "2025-10-29",
                8.0,
            ),
            (
                "minimax-m2",
                "h100_sxm",
                Engine::Vllm,
                "fp8",
                "2026-04-22",
                16.0,
            ),
            (
                "minimax-m2",
                "b200_sxm",
                Engine::Vllm,
                "fp8",
                "2026-04-02",
                16.0,
            ),
            (
                "minimax-m2",
                "b200_sxm",
                Engine::Vllm,
                "fp8",
                "2026-04-03",
                8.0,
            ),
            (
                "gpt-oss-120b",
                "b200_sxm",
                Engine::TrtLlm,
                "mxfp4",
                "2025-11-02",
                8.0,
            ),
            ("deepseek-v3", "b200_sxm", Engine::Sglang, "fp4", "", 8.0),
            ("minimax-m2", "b200_sxm", Engine::Vllm, "fp8", "", 8.0),
        ] {
            let stated = catalogue.precision(precision).unwrap();
            let found = as_launched(stated, model, chip, engine, day);
            assert_eq!(found.kv_bits, bits, "{model} {chip} {day}");
            assert_eq!(found.name, stated.name);
        }
    }
}
