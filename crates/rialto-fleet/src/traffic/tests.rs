//! Parsing, fitting and generating traffic, on small traces written here.

use super::*;

const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n\
    2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n";

#[test]
fn azure_rows_become_requests_from_time_zero() {
    let trace = Trace::parse("conv.csv", AZURE, None).unwrap();
    assert_eq!(trace.requests.len(), 2);
    assert_eq!(trace.requests[0].arrival_ns, 0);
    assert_eq!(trace.requests[1].arrival_ns, 4_314_579_000);
    assert_eq!(
        (
            trace.requests[1].input_tokens,
            trace.requests[1].output_tokens
        ),
        (396, 109)
    );
}

#[test]
fn mooncake_prompts_share_their_listed_blocks() {
    let text = r#"{"timestamp": 0, "input_length": 1100, "output_length": 5, "hash_ids": [7, 8, 9]}
{"timestamp": 3, "input_length": 1024, "output_length": 5, "hash_ids": [7, 10]}"#;
    let trace = Trace::parse("m.jsonl", text, None).unwrap();
    let (a, b) = (trace.requests[0], trace.requests[1]);
    assert_eq!(
        (trace.prefixes.blocks(&a), trace.prefixes.blocks(&b)),
        (2, 2),
        "whole blocks only"
    );
    assert_eq!(
        trace.prefixes.hash(a.prefix, 0),
        trace.prefixes.hash(b.prefix, 0)
    );
    assert_ne!(
        trace.prefixes.hash(a.prefix, 1),
        trace.prefixes.hash(b.prefix, 1)
    );
    assert_eq!(b.arrival_ns, 3_000_000);
}

#[test]
fn request_log_keeps_sessions_and_selects_a_model() {
    let log = "model,arrived_at,input_tokens,output_tokens,session\n\
        a,2026-11-22T10:00:00Z,10,3,s1\nb,2026-11-22T10:00:01Z,20,3,s2\n\
        a,2026-11-22T10:00:02.5Z,40,3,s1\n";
    let all = Trace::parse("log.csv", log, None).unwrap();
    assert_eq!(all.requests.len(), 3);
    assert_eq!(all.requests[0].prefix, all.requests[2].prefix);
    assert_ne!(all.requests[0].prefix, all.requests[1].prefix);
    let only = Trace::parse("log.csv", log, Some("a")).unwrap();
    assert_eq!(only.requests.len(), 2);
    assert_eq!(only.requests[1].arrival_ns, 2_500_000_000);
}

/// Columns are read by their names, in whatever order they stand.
#[test]
fn columns_in_another_order_are_no_other_columns() {
    let usual = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,374,44\n";
    let swapped = "GeneratedTokens,TIMESTAMP,ContextTokens\r\n44,2023-11-16 18:15:46,374\r\n";
    let read = |text| Trace::parse("t.csv", text, None).unwrap().requests;
    assert_eq!(read(usual), read(swapped));
    let log = "output_tokens,arrived_at,input_tokens\n44,2023-11-16T18:15:46Z,374\n";
    assert_eq!(read(usual), read(log));
}

#[test]
fn a_field_of_megabytes_is_not_echoed_whole() {
    let huge = "9".repeat(5_000_000);
    for text in [
        format!("TIMESTAMP,ContextTokens,GeneratedTokens\n{huge},1,1\n"),
        format!("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,{huge},1\n"),
        format!("TIMESTAMP,ContextTokens,{huge}\n"),
        format!("arrived_at,{huge}\n"),
        format!("{{\"timestamp\": \"{huge}\", \"input_length\": 5}}"),
        format!("{{\"timestamp\": 0, \"input_length\": \"{huge}\"}}"),
        format!("{{\"time\": \"{huge}\", \"input_tokens\": 1, \"output_tokens\": 1}}"),
    ] {
        let error = Trace::parse("t.csv", &text, None).unwrap_err().to_string();
        assert!(
            error.len() < 4_000 && error.starts_with("t.csv, line "),
            "{} bytes",
            error.len()
        );
    }
    let huge = huge.replace('9', "x");
    for text in [
        format!("{huge} = 1\n"),
        format!("name = [\"{huge}\"]\n"),
        format!("name = \"{huge}\n"),
    ] {
        let error = TrafficModel::parse("t.toml", &text)
            .unwrap_err()
            .to_string();
        assert!(error.len() < 4_000, "{} bytes", error.len());
    }
}

#[test]
fn errors_name_file_line_and_field() {
    let azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,";
    let table: [(String, usize, &str); 21] = [
        ("nonsense\n1,2".into(), 1, "header"),
        ("TIMESTAMP;ContextTokens;GeneratedTokens\n".into(), 1, "header"),
        ("TIMESTAMP,ContextTokens\n".into(), 1, "GeneratedTokens"),
        ("TIMESTAMP,ContextTokens,ContextTokens\n".into(), 1, "ContextTokens"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-02-30 18:15:46,1,1".into(), 2, "TIMESTAMP"),
        (String::new(), 1, "header"),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n".into(),
            1,
            "requests",
        ),
        (format!("{azure}374"), 2, "GeneratedTokens"),
        (format!("{azure}374,44,9"), 2, "GeneratedTokens"),
        (format!("{azure}-1,44"), 2, "ContextTokens"),
        (format!("{azure}0,44"), 2, "ContextTokens"),
        (format!("{azure}3.5k,44"), 2, "ContextTokens"),
        (format!("{azure}99999999999,44"), 2, "ContextTokens"),
        (
            format!("{azure}1,44\n2023-11-16 18:15:45,1,44"),
            3,
            "TIMESTAMP",
        ),
        (
            r#"{"timestamp": 0, "input_length": -4, "output_length": 5}"#.into(),
            1,
            "input_length",
        ),
        (
            r#"{"timestamp": 0, "input_length": 6758, "output_length": 5, "hash_ids": [1, 2]}"#
                .into(),
            1,
            "hash_ids",
        ),
        (
            r#"{"timestamp": 0, "input_length": 512, "output_length": 5, "hash_ids": [1, 2]}"#
                .into(),
            1,
            "hash_ids",
        ),
        (
            r#"{"timestamp": 0, "output_length": 5}"#.into(),
            1,
            "input_length",
        ),
        (
            r#"{"timestamp": 0, "input_length": 600.5, "output_length": 5}"#.into(),
            1,
            "input_length",
        ),
        (
            "{\"timestamp\": 0, \"input_length\": 5, \"output_length\": 5}\n\n{\"timestamp\": 1, \"input_length\": \"5\"}".into(),
            3,
            "input_length",
        ),
        (
            "arrived_at,input_tokens,output_tokens,latency_s\n".into(),
            1,
            "latency_s",
        ),
    ];
    for (text, line, field) in table {
        let error = Trace::parse("t.csv", &text, None).unwrap_err();
        assert_eq!(
            (error.line, error.field.as_str()),
            (line, field),
            "{text}: {error}"
        );
        assert!(error.to_string().starts_with("t.csv, line "), "{error}");
        assert!(!error.message.contains("line 1"), "{error}");
    }
}

fn two_length_model(rate_per_s: f64) -> TrafficModel {
    TrafficModel {
        name: "test".into(),
        source: "made up".into(),
        rate_per_s,
        curve_bin_s: 10.0,
        curve: vec![1.0, 3.0],
        burst_window_s: 10.0,
        burst_cv2: 0.25,
        batch_s: 0.0,
        lengths: Lengths {
            probabilities: vec![0.0, 0.5, 1.0],
            input_tokens: vec![100.0, 200.0, 400.0],
            output_tokens: vec![vec![10.0, 20.0, 30.0], vec![50.0, 60.0, 70.0]],
        },
        sessions: None,
    }
}

fn draw(model: &TrafficModel, seed: u64, share: Share, horizon_s: u64) -> Vec<Request> {
    Generator::new(model, seed, share, horizon_s * 1_000_000_000, 512).collect()
}

#[test]
fn a_generator_keeps_rate_curve_and_lengths() {
    let model = two_length_model(50.0);
    let requests = draw(&model, 3, Share::whole(1), 20_000);
    let rate = requests.len() as f64 / 20_000.0;
    assert!((rate / 50.0 - 1.0).abs() < 0.03, "rate {rate}");
    let high = requests
        .iter()
        .filter(|r| r.arrival_ns / 10_000_000_000 % 2 == 1)
        .count() as f64;
    assert!(
        (high / requests.len() as f64 - 0.75).abs() < 0.02,
        "curve {high}"
    );
    let (input, output) = model.lengths.means();
    let n = requests.len() as f64;
    let got_in = requests
        .iter()
        .map(|r| f64::from(r.input_tokens))
        .sum::<f64>()
        / n;
    let got_out = requests
        .iter()
        .map(|r| f64::from(r.output_tokens))
        .sum::<f64>()
        / n;
    assert!((got_in / input - 1.0).abs() < 0.01, "{got_in} {input}");
    assert!((got_out / output - 1.0).abs() < 0.03, "{got_out} {output}");
    assert!(
        requests
            .windows(2)
            .all(|w| w[0].arrival_ns <= w[1].arrival_ns)
    );
}

#[test]
fn shares_add_up_to_the_whole() {
    let model = two_length_model(200.0);
    let whole = draw(&model, 5, Share::whole(9), 2_000).len() as f64;
    let parts: usize = (0..8)
        .map(|index| {
            draw(
                &model,
                5,
                Share {
                    stream: 9,
                    index,
                    fraction: 0.125,
                },
                2_000,
            )
            .len()
        })
        .sum();
    assert!(
        (parts as f64 / whole - 1.0).abs() < 0.01,
        "{parts} of {whole}"
    );
}

#[test]
fn sessions_extend_one_prompt_and_start_in_the_steady_state() {
    let mut model = two_length_model(100.0);
    model.curve = vec![1.0];
    model.burst_cv2 = 0.0;
    model.sessions = Some(Sessions {
        turns_mean: 6.0,
        turn_gap_s: 5.0,
        turn_tokens_mean: 300.0,
        shared_tokens: 1024,
        max_input_tokens: 4000,
    });
    let requests = draw(&model, 11, Share::whole(2), 1_000);
    let half = requests
        .iter()
        .filter(|r| r.arrival_ns < 500_000_000_000)
        .count() as f64;
    assert!((half / 50_000.0 - 1.0).abs() < 0.05, "{half}");
    assert!(
        requests
            .windows(2)
            .all(|w| w[0].arrival_ns <= w[1].arrival_ns)
    );
    assert!(
        requests
            .iter()
            .all(|r| (1025..=4000).contains(&r.input_tokens))
    );
    let mut last = std::collections::HashMap::new();
    for r in &requests {
        let Prefix::Session {
            session,
            app_blocks,
            ..
        } = r.prefix
        else {
            unreachable!()
        };
        assert_eq!(app_blocks, 2);
        let before = last.insert(session, r.input_tokens).unwrap_or(0);
        assert!(before <= r.input_tokens, "a prompt shrank");
    }
}

#[test]
fn a_fit_recovers_the_model_that_drew_the_trace() {
    let mut model = two_length_model(40.0);
    model.curve_bin_s = 300.0;
    model.burst_cv2 = 0.2;
    let requests = draw(&model, 1, Share::whole(1), 6_000);
    let fitted = fit(
        &Trace {
            requests,
            prefixes: PrefixTable::default(),
        },
        "refit",
        "test",
    );
    fitted.validate().unwrap();
    assert!(
        (fitted.rate_per_s / 40.0 - 1.0).abs() < 0.05,
        "{}",
        fitted.rate_per_s
    );
    assert!(
        (fitted.burst_cv2 / 0.2 - 1.0).abs() < 0.35,
        "{}",
        fitted.burst_cv2
    );
    let (got, want) = (fitted.lengths.means(), model.lengths.means());
    assert!((got.0 / want.0 - 1.0).abs() < 0.02 && (got.1 / want.1 - 1.0).abs() < 0.03);
}

/// Requests logged in batches come in batches again, no burstier between batches than they were.
#[test]
fn a_fit_keeps_batches() {
    let mut model = two_length_model(4.0);
    model.curve = vec![1.0];
    model.burst_cv2 = 0.0;
    model.batch_s = 3.0;
    let requests = draw(&model, 1, Share::whole(1), 12_000);
    assert!((requests.len() as f64 / 48_000.0 - 1.0).abs() < 0.03);
    assert!(requests.iter().all(|r| r.arrival_ns % 3_000_000_000 == 0));
    let trace = Trace {
        requests,
        prefixes: PrefixTable::default(),
    };
    let fitted = fit(&trace, "refit", "test");
    assert_eq!((fitted.batch_s, fitted.burst_window_s), (3.0, 9.0));
    assert!(fitted.burst_cv2 < 0.005, "{}", fitted.burst_cv2);
    fitted.validate().unwrap();
    model.batch_s = 0.0;
    let alone = Trace {
        requests: draw(&model, 1, Share::whole(1), 12_000),
        prefixes: PrefixTable::default(),
    };
    assert_eq!(fit(&alone, "refit", "test").batch_s, 0.0);
}

#[test]
fn invalid_models_name_the_field() {
    type Spoil = fn(&mut TrafficModel);
    let table: [(Spoil, &str); 7] = [
        (|m| m.rate_per_s = -1.0, "rate_per_s"),
        (|m| m.curve = vec![], "curve"),
        (|m| m.curve_bin_s = 0.0, "curve_bin_s"),
        (|m| m.burst_cv2 = f64::NAN, "burst_cv2"),
        (|m| m.batch_s = -3.0, "batch_s"),
        (
            |m| m.lengths.input_tokens = vec![3.0, 2.0, 1.0],
            "lengths.input_tokens",
        ),
        (
            |m| m.lengths.output_tokens = vec![],
            "lengths.output_tokens",
        ),
    ];
    for (spoil, field) in table {
        let mut model = two_length_model(1.0);
        spoil(&mut model);
        assert_eq!(model.validate().unwrap_err().field, field);
    }
}
