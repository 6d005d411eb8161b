//! Parsers and fits on the real traces, where they are at hand.

use rialto_fleet::traffic::{Format, Generator, Share, Trace, TrafficModel, fit};

fn real(name: &str) -> Option<(String, Trace)> {
    let path = rialto_testing::outside_data(&format!("fleet/{name}"))?;
    let text = std::fs::read_to_string(path).unwrap();
    let trace = Trace::parse(name, &text, None).unwrap();
    Some((text, trace))
}

#[test]
fn real_traces_parse_whole() {
    for (name, format, count, mean_input) in [
        ("azure_llm_2023_conv.csv", Format::Azure, 19_366, 1154.7),
        ("azure_llm_2023_code.csv", Format::Azure, 8_819, 2047.8),
        (
            "mooncake_conversation.jsonl",
            Format::Mooncake,
            12_031,
            12_035.1,
        ),
        (
            "mooncake_synthetic.jsonl",
            Format::Mooncake,
            3_993,
            15_325.5,
        ),
    ] {
        let Some((text, trace)) = real(name) else {
            continue;
        };
        assert_eq!(Trace::detect(name, &text).unwrap(), format);
        assert_eq!(trace.requests.len(), count, "{name}");
        let sum: f64 = trace
            .requests
            .iter()
            .map(|r| f64::from(r.input_tokens))
            .sum();
        let mean = sum / count as f64;
        assert!(
            (mean / mean_input - 1.0).abs() < 0.01,
            "{name}: mean input {mean}"
        );
    }
}

/// The shipped models are the fits of the public traces, to the last digit.
#[test]
fn shipped_traffic_is_the_fit_of_its_trace() {
    for (name, file) in [
        ("azure-conv", "azure_llm_2023_conv.csv"),
        ("azure-code", "azure_llm_2023_code.csv"),
        ("mooncake-conversation", "mooncake_conversation.jsonl"),
    ] {
        let shipped = TrafficModel::shipped(name).unwrap().unwrap();
        let Some((_, trace)) = real(file) else {
            continue;
        };
        assert_eq!(fit(&trace, name, &shipped.source), shipped, "{name}");
    }
}

/// A generator fitted to a trace gives its rate and mean lengths back.
#[test]
fn fits_reproduce_rate_and_lengths() {
    for (name, file) in [
        ("azure-conv", "azure_llm_2023_conv.csv"),
        ("azure-code", "azure_llm_2023_code.csv"),
    ] {
        let Some((_, trace)) = real(file) else {
            continue;
        };
        let model = TrafficModel::shipped(name).unwrap().unwrap().at_rate(50.0);
        let horizon_ns = (trace.duration_s() * 1e9) as u64;
        let drawn: Vec<_> = Generator::new(&model, 1, Share::whole(1), horizon_ns, 512).collect();
        let rate = drawn.len() as f64 / trace.duration_s();
        assert!((rate / 50.0 - 1.0).abs() < 0.15, "{name}: rate {rate}");
        let mean = |requests: &[rialto_fleet::traffic::Request], output: bool| {
            let pick = |r: &rialto_fleet::traffic::Request| {
                f64::from(if output {
                    r.output_tokens
                } else {
                    r.input_tokens
                })
            };
            requests.iter().map(pick).sum::<f64>() / requests.len() as f64
        };
        for output in [false, true] {
            let (got, want) = (mean(&drawn, output), mean(&trace.requests, output));
            assert!(
                (got / want - 1.0).abs() < 0.06,
                "{name} output {output}: {got} for {want}"
            );
        }
    }
}

#[test]
fn every_shipped_traffic_is_valid() {
    for (name, _) in TrafficModel::SHIPPED {
        let model = TrafficModel::shipped(name).unwrap().unwrap();
        assert_eq!(model.name, name);
        assert!(!model.source.is_empty());
    }
    assert!(TrafficModel::shipped("no-such-traffic").is_none());
    let broken = "name = \"x\"\nsource = \"y\"\nrate_per_s = -1\n";
    let error = TrafficModel::parse("x.toml", broken).unwrap_err();
    assert!(error.to_string().starts_with("x.toml, line "), "{error}");
}
