//! Bytes that come in any pieces, that are damaged, or that nobody sends who means well.

use proptest::collection::vec;
use proptest::prelude::*;
use rialto_wire::dialect::{Inbound, Passing, peek};
use rialto_wire::model::{Delta, ErrorKind};

use super::samples;
use super::*;

#[test]
fn a_stream_cut_at_any_byte_comes_to_the_same() {
    for (outbound, _) in outbound() {
        let stream = samples::stream(outbound);
        let dialect = as_inbound(outbound);
        let whole = deltas(dialect, &[&stream]);
        assert_eq!(whole.last(), Some(&Delta::End));
        for cut in 0..stream.len() {
            let (a, b) = stream.split_at(cut);
            assert_eq!(deltas(dialect, &[a, b]), whole, "{dialect:?} cut at {cut}");
        }
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        for (inbound, _) in INBOUND {
            let want = translated(inbound, outbound, &[&stream]);
            assert_eq!(
                translated(inbound, outbound, &single),
                want,
                "{inbound:?} {outbound:?}"
            );
            // What we wrote, cut the same way.
            let mine = deltas(inbound, &[&want.0]);
            let single: Vec<&[u8]> = want.0.chunks(1).collect();
            assert_eq!(deltas(inbound, &single), mine, "{inbound:?}");
        }
    }
}

#[test]
fn a_stream_that_ends_early_is_an_error_wherever_it_ends() {
    for (outbound, _) in outbound() {
        let stream = samples::stream(outbound);
        let dialect = as_inbound(outbound);
        let mut whole = 0;
        for end in 0..stream.len() {
            let all = deltas(dialect, &[&stream[..end]]);
            let last = all.last().unwrap();
            match last {
                // The reason to stop had come; only an end that says nothing is missing.
                Delta::End => whole += 1,
                Delta::Error(error) => assert_eq!(error.kind, ErrorKind::Interrupted, "{end}"),
                other => panic!("{other:?}"),
            }
        }
        assert!(whole < stream.len() / 3, "{dialect:?}: {whole}");
    }
}

#[test]
fn a_damaged_frame_ends_the_stream() {
    let stream = samples::converse_stream();
    for at in [0, 9, 40, 200, stream.len() - 1] {
        let mut bad = stream.clone();
        bad[at] ^= 1;
        let all = deltas(Inbound::Converse, &[&bad]);
        assert!(matches!(all.last(), Some(Delta::Error(_))), "{at}: {all:?}");
    }
}

#[test]
fn requests_that_are_malformed_are_refused_and_say_where() {
    for (inbound, body, want) in [
        (Inbound::Chat, "", "body"),
        (Inbound::Chat, "[]", "body"),
        (Inbound::Chat, "{\"model\":\"m\"", "body"),
        (Inbound::Chat, r#"{"model":"m"}"#, "messages"),
        (Inbound::Chat, r#"{"model":"m","messages":"x"}"#, "messages"),
        (Inbound::Chat, r#"{"model":1,"messages":[]}"#, "model"),
        (
            Inbound::Chat,
            r#"{"model":"m","messages":[{"role":"king"}]}"#,
            "role",
        ),
        (
            Inbound::Chat,
            r#"{"model":"m","messages":[],"max_tokens":-1}"#,
            "max_tokens",
        ),
        (
            Inbound::Chat,
            r#"{"model":"m","messages":[],"temperature":"hot"}"#,
            "temperature",
        ),
        (
            Inbound::Chat,
            r#"{"model":"m","messages":[],"temperature":1e999}"#,
            "temperature",
        ),
        (
            Inbound::Chat,
            r#"{"model":"m","messages":[],"max_tokens":1,"max_tokens":99}"#,
            "body",
        ),
        (
            Inbound::Messages,
            r#"{"model":"m","max_tokens":5,"messages":"x"}"#,
            "messages",
        ),
        (
            Inbound::Messages,
            r#"{"model":"m","max_tokens":5,"messages":[{"role":"user"}]}"#,
            "content",
        ),
        (Inbound::Responses, r#"{"model":"m"}"#, "input"),
        (Inbound::Responses, r#"{"model":"m","input":[1]}"#, "input"),
        (Inbound::Converse, r#"{"messages":[1]}"#, "messages"),
        (
            Inbound::Converse,
            r#"{"messages":[{"role":"user","content":"x"}]}"#,
            "content",
        ),
    ] {
        let error = read(inbound, body).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadRequest, "{body}");
        assert!(error.message.contains(want), "{body}: {}", error.message);
    }
}

#[test]
fn depth_and_number_of_losses_are_bounded() {
    let deep = |n: usize| {
        format!(
            r#"{{"model":"m","messages":[],"x":{}{}}}"#,
            "[".repeat(n),
            "]".repeat(n)
        )
    };
    assert!(read(Inbound::Chat, &deep(90)).is_ok());
    assert!(read(Inbound::Chat, &deep(100_000)).is_err());
    assert!(peek(Inbound::Chat, "", deep(100_000).as_bytes()).is_err());
    let many: String = (0..5000).map(|n| format!(r#","f{n}":1"#)).collect();
    let (_, losses) = read(
        Inbound::Chat,
        &format!(r#"{{"model":"m","messages":[]{many}}}"#),
    )
    .unwrap();
    assert!(losses.all().len() <= 32 && losses.header().len() < 500);
}

#[test]
fn arrays_and_objects_that_are_looked_into_are_bounded() {
    let many = vec!["1"; 200_000].join(",");
    for body in [
        format!(r#"{{"model":"m","messages":[{many}]}}"#),
        format!(r#"{{"model":"m","messages":[],"stop":[{many}]}}"#),
        format!(
            r#"{{"model":"m","messages":[{{"role":"user"{}}}]}}"#,
            (0..9000)
                .map(|n| format!(r#","{n}":1"#))
                .collect::<String>()
        ),
    ] {
        assert!(read(Inbound::Chat, &body).is_err());
    }
    // What only passes through is not.
    let schema = format!(
        r#"{{"model":"m","messages":[],"tools":[{{"type":"function","function":{{"name":"t","parameters":{{"enum":[{many}]}}}}}}]}}"#
    );
    assert!(read(Inbound::Chat, &schema).is_ok());
}

#[test]
fn numbers_that_are_no_counts_are_not_believed() {
    for number in [
        "-5",
        "1e300",
        "1.5",
        "\"7\"",
        "18446744073709551615",
        "99999999999999999999999",
        "null",
        "[]",
    ] {
        let body = format!(
            r#"{{"choices":[{{"message":{{"content":"a"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{number},"completion_tokens":5}}}}"#
        );
        let (answer, _) = read_back(Inbound::Chat, body.as_bytes());
        assert_eq!(
            (answer.usage.input, answer.usage.output),
            (None, Some(5)),
            "{number}"
        );
        let body = format!(
            r#"{{"content":[],"stop_reason":"end_turn","usage":{{"input_tokens":3,"cache_read_input_tokens":{number}}}}}"#
        );
        let (answer, _) = read_back(Inbound::Messages, body.as_bytes());
        assert_eq!(
            (answer.usage.input, answer.usage.cache_read),
            (Some(3), None),
            "{number}"
        );
    }
}

/// Any JSON, with names that the readers know.
fn json() -> impl Strategy<Value = Value> {
    const NAMES: &[&str] = &[
        "type",
        "role",
        "content",
        "messages",
        "message",
        "model",
        "tools",
        "function",
        "arguments",
        "input",
        "output",
        "delta",
        "choices",
        "usage",
        "index",
        "text",
        "id",
        "name",
        "error",
        "tool_calls",
        "content_block",
        "thinking",
        "signature",
        "toolUse",
        "source",
        "stop_reason",
        "finish_reason",
        "max_tokens",
        "response",
        "item",
        "system",
        "data",
        "code",
        "stream_options",
    ];
    const WORDS: &[&str] = &[
        "text",
        "user",
        "assistant",
        "tool",
        "system",
        "tool_use",
        "function_call",
        "message",
        "content_block_start",
        "content_block_delta",
        "message_delta",
        "text_delta",
        "error",
        "response.completed",
        "response.output_item.done",
        "function",
        "image_url",
        "reasoning",
        "",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(WORDS).prop_map(Value::from),
        "[a-z\"\\\\ \u{0}\u{7f}é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((proptest::sample::select(NAMES), inner), 0..6).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(n, v)| (n.to_owned(), v))
                    .collect()
            }),
        ]
    })
}

/// Puts any JSON in the place of some value of a sample.
fn damaged(sample: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *sample = with.clone();
    }
    *at = at.wrapping_sub(1);
    match sample {
        Value::Array(items) => items.iter_mut().for_each(|v| damaged(v, at, with)),
        Value::Object(members) => members.values_mut().for_each(|v| damaged(v, at, with)),
        _ => {}
    }
}

/// Whatever is read is written to every server and back, and only names of losses come of it.
fn tried(inbound: Inbound, body: &Value) {
    let _ = peek(inbound, PATH, body.to_string().as_bytes());
    let Ok((request, _)) = read(inbound, &body.to_string()) else {
        return;
    };
    for (outbound, _) in outbound() {
        if let Ok((sent, losses)) = write(outbound, &request) {
            assert!(sent.is_object());
            assert!(losses.header().is_ascii());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn a_damaged_request_is_read_or_refused(with in json(), feature in 0..12_usize, at in 0..60_usize) {
        for (inbound, _) in INBOUND {
            let mut body = samples::request(inbound, samples::FEATURES[feature]);
            damaged(&mut body, &mut at.clone(), &with);
            tried(inbound, &body);
            tried(inbound, &with);
        }
    }

    #[test]
    fn a_damaged_answer_is_read_or_refused(with in json(), feature in 0..12_usize, at in 0..40_usize) {
        for (outbound, _) in outbound() {
            let mut body = samples::answer(outbound, samples::FEATURES[feature]);
            damaged(&mut body, &mut at.clone(), &with);
            let text = body.to_string();
            let sent = rialto_wire::dialect::write_request(outbound, &Request::default(), &mut Losses::default()).unwrap();
            let mut losses = Losses::default();
            let answer = rialto_wire::dialect::read_answer(outbound, &sent, text.as_bytes(), &mut losses);
            for (inbound, _) in INBOUND {
                match &answer {
                    Ok(answer) => {
                        let out = rialto_wire::dialect::write_answer(inbound, answer, &told(), &mut losses);
                        prop_assert!(serde_json::from_slice::<Value>(&out).is_ok());
                    }
                    Err(error) => {
                        let out = rialto_wire::dialect::write_error(inbound, error);
                        prop_assert!(serde_json::from_slice::<Value>(&out.body).is_ok());
                    }
                }
            }
            let _ = rialto_wire::dialect::read_error(outbound, 400, |_| None, text.as_bytes());
        }
    }

    #[test]
    fn a_damaged_stream_is_written_whole_or_ends_with_an_error(with in json(), event in 0..20_usize, at in 0..12_usize) {
        for outbound in [chat(), Outbound::Messages] {
            let mut events = data(&samples::stream(outbound));
            let event = event % events.len();
            damaged(&mut events[event], &mut at.clone(), &with);
            let stream: String = events.iter().map(|e| match e.as_str() {
                Some(text) => format!("data: {}\n\n", text.replace(['\n', '\r'], " ")),
                None => format!("data: {e}\n\n"),
            }).collect();
            for (inbound, _) in INBOUND {
                let (written, _) = translated(inbound, outbound, &[stream.as_bytes()]);
                let back = deltas(inbound, &[&written]);
                // Nothing that we write is unreadable, and every stream has its end.
                prop_assert!(!back.contains(&Delta::Lost(rialto_wire::model::Loss::Event)), "{stream}");
                let theirs = deltas(as_inbound(outbound), &[stream.as_bytes()]);
                let broken = |all: &[Delta]| matches!(all.last(), Some(Delta::Error(_)));
                prop_assert_eq!(broken(&back), broken(&theirs), "{}", stream);
            }
        }
    }

    #[test]
    fn random_bytes_never_stop_a_reader(pieces in vec(vec(any::<u8>(), 0..40), 0..20)) {
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        for (inbound, _) in INBOUND {
            let all = deltas(inbound, &pieces);
            prop_assert_eq!(&all, &deltas(inbound, &[&pieces.concat()]));
            prop_assert!(matches!(all.last(), Some(Delta::Error(_))));
        }
    }

    #[test]
    fn random_events_are_the_same_however_they_are_cut(
        events in vec(json(), 1..12), ends in proptest::sample::select(vec!["\n\n", "\r\n\r\n", "\r\r"]), cuts in vec(0..4000_usize, 0..6),
    ) {
        let mut stream = Vec::new();
        let mut frames = Vec::new();
        for event in &events {
            stream.extend(format!("data: {event}{ends}").bytes());
            frames.extend(samples::converse_event("contentBlockDelta", event));
        }
        for (dialect, stream) in [(Inbound::Chat, &stream), (Inbound::Messages, &stream), (Inbound::Responses, &stream), (Inbound::Converse, &frames)] {
            let mut cuts: Vec<usize> = cuts.iter().map(|c| c % (stream.len() + 1)).collect();
            cuts.sort_unstable();
            let (mut pieces, mut from) = (Vec::new(), 0);
            for cut in cuts {
                pieces.push(&stream[from..cut]);
                from = cut;
            }
            pieces.push(&stream[from..]);
            prop_assert_eq!(deltas(dialect, &pieces), deltas(dialect, &[stream]));
            let mut out = Vec::new();
            let mut passing = Passing::new(dialect, false);
            pieces.iter().for_each(|p| passing.push(p, &mut out));
            passing.finish(&mut out);
            prop_assert_eq!(&out, stream);
            for (outbound, _) in outbound() {
                if as_inbound(outbound) == dialect {
                    for (inbound, _) in INBOUND {
                        let whole = translated(inbound, outbound, &[stream]);
                        prop_assert_eq!(translated(inbound, outbound, &pieces), whole);
                    }
                }
            }
        }
    }
}
