//! Streams and their usage.

use rialto_wire::dialect::{Inbound, Outbound, Passing, StreamWriter, pass_request, peek};
use rialto_wire::model::{Content, ErrorKind, Losses, Stop};
use rialto_wire::openai::chat::Server;
use serde_json::{Value, json};

use super::super::samples::{self, chunk, converse_event, frame};
use super::super::*;
use super::*;

#[test]
fn both_conventions_of_cached_tokens_come_to_one_form() {
    let want = (Some(100), Some(60), 30, 10);
    for (dialect, usage) in [
        (
            CHAT,
            json!({ "prompt_tokens": 100, "completion_tokens": 5,
            "prompt_tokens_details": { "cached_tokens": 60, "cache_write_tokens": 30 } }),
        ),
        (
            Inbound::Responses,
            json!({ "input_tokens": 100, "output_tokens": 5,
            "input_tokens_details": { "cached_tokens": 60, "cache_write_tokens": 30 } }),
        ),
        (
            Inbound::Messages,
            json!({ "input_tokens": 10, "output_tokens": 5,
            "cache_read_input_tokens": 60, "cache_creation_input_tokens": 30 }),
        ),
        (
            Inbound::Converse,
            json!({ "inputTokens": 10, "outputTokens": 5, "totalTokens": 105,
            "cacheReadInputTokens": 60, "cacheWriteInputTokens": 30 }),
        ),
    ] {
        let usage = usage_of(dialect, usage);
        assert_eq!(
            (
                usage.input,
                usage.cache_read,
                usage.cache_write(),
                usage.fresh_input()
            ),
            want,
            "{dialect:?}"
        );
        assert_eq!(usage.total(), 105);
    }
}

#[test]
fn writes_to_a_cache_are_told_apart_by_their_time() {
    let usage = usage_of(
        Inbound::Messages,
        json!({ "input_tokens": 1, "cache_creation_input_tokens": 30,
            "cache_creation": { "ephemeral_1h_input_tokens": 10 } }),
    );
    assert_eq!(
        (usage.cache_write_5m, usage.cache_write_1h, usage.input),
        (Some(20), Some(10), Some(31))
    );
    let usage = usage_of(
        Inbound::Converse,
        json!({ "inputTokens": 1, "cacheWriteInputTokens": 30,
            "cacheDetails": [{ "ttl": "1h", "inputTokens": 10 }, { "ttl": "5m", "inputTokens": 20 }] }),
    );
    assert_eq!(
        (usage.cache_write_5m, usage.cache_write_1h, usage.input),
        (Some(20), Some(10), Some(31))
    );
}

#[test]
fn usage_told_twice_counts_once_and_what_is_missing_later_stays() {
    let start = json!({ "type": "message_start", "message": { "usage":
        { "input_tokens": 10, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 30, "output_tokens": 1 } } });
    let delta = |usage: Value| json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": usage });
    for (told, output) in [
        (vec![json!({ "output_tokens": 20 })], 20),
        (
            vec![json!({ "input_tokens": 10, "cache_read_input_tokens": 60, "output_tokens": 20 })],
            20,
        ),
        (
            vec![
                json!({ "output_tokens": 20 }),
                json!({ "output_tokens": 25 }),
            ],
            25,
        ),
        (
            vec![
                json!({ "output_tokens": 20 }),
                json!({ "output_tokens": 3, "input_tokens": 0 }),
            ],
            20,
        ),
        (
            vec![json!({ "output_tokens": null, "input_tokens": -4 })],
            1,
        ),
    ] {
        let mut stream = format!("data: {start}\n\n");
        for usage in told {
            stream.push_str(&format!("data: {}\n\n", delta(usage)));
        }
        stream.push_str("data: {\"type\":\"message_stop\"}\n\n");
        let usage = assembled(Inbound::Messages, stream.as_bytes())
            .unwrap()
            .usage;
        assert_eq!(
            (usage.input, usage.cache_read, usage.output),
            (Some(100), Some(60), Some(output))
        );
    }
}

#[test]
fn the_usage_of_a_stream_is_asked_for_and_told_only_to_who_asked() {
    let body =
        chat_body(json!({ "stream": true, "stream_options": { "include_obfuscation": false } }))
            .to_string();
    let peeked = peek(CHAT, "", body.as_bytes()).unwrap();
    assert!(peeked.stream && !peeked.include_usage);
    let passed = pass_request(chat(), &peeked, ("claude-m", None), body.as_bytes()).unwrap();
    let passed: Value = serde_json::from_slice(&passed).unwrap();
    assert_eq!(
        passed["stream_options"],
        json!({ "include_usage": true, "include_obfuscation": false })
    );
    // A server that refuses the option is not sent it.
    let plain = Outbound::Chat(Server {
        stream_options: false,
        ..Server::default()
    });
    let untouched = pass_request(plain, &peeked, ("claude-m", None), body.as_bytes()).unwrap();
    assert_eq!(untouched, body.as_bytes());
    let request = read(
        Inbound::Messages,
        &messages_body(json!({ "stream": true })).to_string(),
    )
    .unwrap()
    .0;
    assert_eq!(
        write(plain, &request).unwrap().0.get("stream_options"),
        None
    );
    assert_eq!(
        write(chat(), &request).unwrap().0["stream_options"]["include_usage"],
        true
    );

    let stream = samples::chat_stream();
    let run = |strip| {
        let (mut passing, mut out) = (Passing::new(CHAT, strip), Vec::new());
        stream
            .chunks(7)
            .for_each(|piece| passing.push(piece, &mut out));
        passing.finish(&mut out);
        assert_eq!(passing.heard.usage.input, Some(100));
        String::from_utf8(out).unwrap()
    };
    assert_eq!(run(false).as_bytes(), stream);
    assert!(!run(true).contains("\"usage\"") && run(true).ends_with("data: [DONE]\n\n"));
}

#[test]
fn the_chunk_of_the_usage_has_no_choices_and_stands_before_the_end() {
    let (written, _) = translated(CHAT, Outbound::Messages, &[&samples::messages_stream()]);
    let all = data(&written);
    let [.., stop, usage, done] = &all[..] else {
        panic!("{all:?}");
    };
    assert_eq!(stop["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(
        (&usage["choices"], &usage["usage"]["prompt_tokens"]),
        (&json!([]), &json!(100))
    );
    assert_eq!(done, "[DONE]");
    let mut quiet = told();
    quiet.include_usage = false;
    let (mut writer, mut losses, mut out) = (
        StreamWriter::new(CHAT, quiet),
        Losses::default(),
        Vec::new(),
    );
    for delta in deltas(Inbound::Messages, &[&samples::messages_stream()]) {
        writer.write(&delta, &mut losses, &mut out);
    }
    assert!(!String::from_utf8(out).unwrap().contains("usage"));
}

#[test]
fn streams_of_chat_are_read_however_servers_end_them() {
    let reason = chunk(json!({}), Some("stop"));
    let text = chunk(json!({ "content": "Hi" }), None);
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": 2 } });
    let both = {
        let mut both = reason.clone();
        both["usage"] = usage["usage"].clone();
        both
    };
    for events in [
        vec![
            text.to_string(),
            reason.to_string(),
            usage.to_string(),
            "[DONE]".into(),
        ],
        vec![text.to_string(), reason.to_string(), usage.to_string()],
        vec![
            text.to_string(),
            usage.to_string(),
            reason.to_string(),
            "[DONE]".into(),
        ],
        vec![text.to_string(), both.to_string(), "[DONE]".into()],
    ] {
        let mut stream = String::from(": OPENROUTER PROCESSING\n\n");
        events
            .iter()
            .for_each(|e| stream.push_str(&format!("data: {e}\n\n")));
        let answer = assembled(CHAT, stream.as_bytes()).unwrap();
        assert_eq!(joined(&answer), [Content::Text("Hi".into())], "{stream}");
        assert_eq!(
            (answer.usage.input, answer.stop),
            (Some(3), Stop::End),
            "{stream}"
        );
    }
}

#[test]
fn content_in_parts_and_errors_as_texts_are_read() {
    let parts = json!([{ "type": "text", "text": "a" }, { "type": "reference", "ids": [1] }]);
    let events = [
        chunk(json!({ "content": parts }), None),
        chunk(json!({}), Some("stop")),
    ];
    let stream: String = events.iter().map(|e| format!("data: {e}\n\n")).collect();
    let (written, losses) = translated(Inbound::Messages, chat(), &[stream.as_bytes()]);
    let answer = assembled(Inbound::Messages, &written).unwrap();
    assert_eq!(joined(&answer), [Content::Text("a".into())]);
    assert_eq!(losses.header(), "kind.reference");
    let error = assembled(CHAT, b"data: {\"error\":\"out of memory\"}\n\n").unwrap_err();
    assert_eq!(error.message, "out of memory");
}

#[test]
fn pieces_of_a_call_that_never_began_are_named_and_go_to_no_other_part() {
    let delta = |delta: Value| {
        converse_event(
            "contentBlockDelta",
            &json!({ "contentBlockIndex": 0, "delta": delta }),
        )
    };
    let stream = [
        delta(json!({ "toolUse": { "input": "{}" } })),
        delta(json!({ "text": "a" })),
        delta(json!({ "toolUse": { "input": "{}" } })),
        converse_event("messageStop", &json!({ "stopReason": "end_turn" })),
    ]
    .concat();
    for inbound in [CHAT, Inbound::Responses, Inbound::Messages] {
        let (written, losses) = translated(inbound, Outbound::Converse, &[&stream]);
        assert_eq!(losses.header(), "event", "{inbound:?}");
        let answer = assembled(inbound, &written).unwrap();
        assert_eq!(joined(&answer), [Content::Text("a".into())], "{inbound:?}");
    }
}

#[test]
fn a_stream_of_messages_has_its_events_in_order_with_an_estimate_first() {
    let (written, _) = translated(Inbound::Messages, chat(), &[&samples::chat_stream()]);
    let all = data(&written);
    let kinds: Vec<&str> = all.iter().map(|e| e["type"].as_str().unwrap()).collect();
    let (start, delta, stop) = (
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    );
    assert_eq!(
        kinds,
        [
            "message_start",
            start,
            delta,
            delta,
            stop,
            start,
            delta,
            delta,
            stop,
            start,
            delta,
            stop,
            "message_delta",
            "message_stop",
        ]
    );
    assert_eq!(all[0]["message"]["usage"]["input_tokens"], 7);
    let last = &all[all.len() - 2]["usage"];
    assert_eq!(
        (&last["input_tokens"], &last["cache_read_input_tokens"]),
        (&json!(10), &json!(60))
    );
    let numbers: Vec<u64> = all
        .iter()
        .filter(|e| e["type"] == start)
        .map(|e| e["index"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [0, 1, 2]);
    let text = String::from_utf8(written).unwrap();
    for kind in ["message_start", stop] {
        assert!(text.contains(&format!("event: {kind}\ndata: {{\"type\":\"{kind}\"")));
    }
}

#[test]
fn an_error_in_mid_stream_comes_in_every_callers_own_words() {
    let mut stream = samples::messages_stream();
    stream.truncate(
        stream
            .windows(18)
            .position(|w| w == b"event: message_del")
            .unwrap(),
    );
    stream.extend(b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n");
    for (inbound, want) in [
        (
            CHAT,
            json!({ "error": { "message": "Overloaded", "type": "server_error", "param": null, "code": "overloaded" } }),
        ),
        (
            Inbound::Messages,
            json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } }),
        ),
    ] {
        let mut out = Vec::new();
        if inbound == Inbound::Messages {
            anthropic::write_error_event(
                &assembled(Inbound::Messages, &stream).unwrap_err(),
                &mut out,
            );
        } else {
            out = translated(inbound, Outbound::Messages, &[&stream]).0;
        }
        assert_eq!(data(&out).last(), Some(&want));
    }
    let (out, _) = translated(Inbound::Responses, Outbound::Messages, &[&stream]);
    let last = data(&out).pop().unwrap();
    assert_eq!(
        (&last["type"], &last["response"]["error"]["code"]),
        (&json!("response.failed"), &json!("overloaded"))
    );
    let (out, _) = translated(Inbound::Converse, Outbound::Messages, &[&stream]);
    let error = assembled(Inbound::Converse, &out).unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Unavailable, Some("serviceUnavailableException"))
    );
}

#[test]
fn the_usage_after_the_stop_reaches_the_last_delta_and_exceptions_are_errors() {
    let stream = samples::converse_stream();
    let (written, _) = translated(Inbound::Messages, Outbound::Converse, &[&stream]);
    let all = data(&written);
    assert_eq!(all[all.len() - 2]["usage"]["cache_read_input_tokens"], 60);
    assert_eq!(all[all.len() - 2]["delta"]["stop_reason"], "tool_use");

    let mut broken = converse_event("messageStart", &json!({ "role": "assistant" }));
    let headers = [
        (":exception-type", "throttlingException"),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    broken.extend(frame(&headers, br#"{"message":"Too many tokens"}"#));
    let error = assembled(Inbound::Converse, &broken).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::RateLimited, "Too many tokens")
    );
}
