//! Where translations go wrong, one test a trap; each was reported of some gateway in public.

use rialto_wire::dialect::{
    Inbound, Outbound, Passing, StreamWriter, pass_request, peek, read_answer, read_error,
    write_answer, write_error, write_request,
};
use rialto_wire::model::{
    Content, Delta, ErrorKind, Losses, ModelError, Part, Request, Role, Source, Stop, Usage,
};
use rialto_wire::openai::chat::Server;
use serde_json::{Value, json};

use super::matrix::{stopped, stops};
use super::samples::{self, chunk, converse_event, frame};
use super::*;

const CHAT: Inbound = Inbound::Chat;

fn chat_body(more: Value) -> Value {
    let mut body = json!({ "model": "claude-m", "max_tokens": 4000, "messages": [{ "role": "user", "content": "Hi" }] });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

fn messages_body(more: Value) -> Value {
    chat_body(more)
}

fn usage_of(dialect: Inbound, usage: Value) -> Usage {
    let body = match dialect {
        Inbound::Chat => json!({ "choices": [{ "message": { "content": "a" } }], "usage": usage }),
        Inbound::Responses => json!({ "output": [], "usage": usage }),
        Inbound::Messages => json!({ "content": [], "usage": usage }),
        Inbound::Converse => json!({ "output": { "message": { "content": [] } }, "usage": usage }),
    };
    rialto_wire::dialect::usage_of(dialect, body.to_string().as_bytes())
}

// Versions of Anthropic's API.

#[test]
fn sampling_is_translated_under_a_version_that_takes_it() {
    assert_eq!(anthropic::TRANSLATED_VERSION, "2023-06-01");
    let (body, losses) = sent(
        CHAT,
        Outbound::Messages,
        &chat_body(json!({ "temperature": 1.6, "top_p": 0.9 })),
    );
    assert_eq!(
        (body["temperature"].as_f64(), body.get("top_p")),
        (Some(1.0), None)
    );
    assert_eq!(losses, "temperature, sampling");
}

#[test]
fn a_limit_is_always_written_and_several_answers_are_refused() {
    let mut body = chat_body(json!({}));
    body.as_object_mut().unwrap().remove("max_tokens");
    let (written, losses) = sent(CHAT, Outbound::Messages, &body);
    assert_eq!(
        (written["max_tokens"].as_u64(), losses.as_str()),
        (Some(4096), "max_tokens")
    );
    let error = read(CHAT, &chat_body(json!({ "n": 2 })).to_string()).unwrap_err();
    assert_eq!(error.code.as_deref(), Some("n"));
    assert!(read(CHAT, &chat_body(json!({ "n": 1 })).to_string()).is_ok());
}

#[test]
fn a_document_of_the_assistant_is_left_out() {
    let document = Content::Document(Source::Text("x".into()), None);
    let mut request = Request {
        max_tokens: Some(5),
        ..Request::default()
    };
    for (role, content) in [
        (Role::User, Content::Text("a".into())),
        (Role::Assistant, document),
        (Role::Assistant, Content::Text("b".into())),
    ] {
        request.messages.push(rialto_wire::model::Message {
            role,
            parts: vec![content.into()],
        });
    }
    let (body, losses) = write(Outbound::Messages, &request).unwrap();
    assert_eq!(losses.header(), "document");
    assert_eq!(body["messages"].as_array().unwrap().len(), 2);
}

// Usage.

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

// OpenAI's stream.

#[test]
fn the_usage_of_a_stream_is_asked_for_and_told_only_to_who_asked() {
    let body =
        chat_body(json!({ "stream": true, "stream_options": { "include_obfuscation": false } }))
            .to_string();
    let peeked = peek(CHAT, "", body.as_bytes()).unwrap();
    assert!(peeked.stream && !peeked.include_usage);
    let passed = pass_request(chat(), &peeked, "claude-m", body.as_bytes()).unwrap();
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
    let untouched = pass_request(plain, &peeked, "claude-m", body.as_bytes()).unwrap();
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

// Anthropic's stream.

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

// Bedrock's stream.

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

// Tools.

#[test]
fn arguments_are_a_text_here_and_an_object_there() {
    for (arguments, input, lost) in [
        (
            r#"{"b":1,"a":[1.50,"é"]}"#,
            json!({ "b": 1, "a": [1.5, "é"] }),
            "",
        ),
        ("", json!({}), ""),
        ("  ", json!({}), ""),
        ("not JSON", json!({ "raw": "not JSON" }), "tool_arguments"),
        ("{\"a\":", json!({ "raw": "{\"a\":" }), "tool_arguments"),
        ("[1]", json!({ "raw": "[1]" }), "tool_arguments"),
        ("\"x\"", json!({ "raw": "\"x\"" }), "tool_arguments"),
    ] {
        let body = chat_body(json!({
            "tools": [{ "type": "function", "function": { "name": "t" } }],
            "messages": [
                { "role": "user", "content": "Hi" },
                { "role": "assistant", "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "t", "arguments": arguments } }] },
                { "role": "tool", "tool_call_id": "c", "content": "" },
            ],
        }));
        let (written, losses) = sent(CHAT, Outbound::Messages, &body);
        assert_eq!(written["messages"][1]["content"][0]["input"], input);
        assert_eq!(losses, lost);
        let (written, losses) = sent(CHAT, Outbound::Converse, &body);
        assert_eq!(
            written["messages"][1]["content"][0]["toolUse"]["input"],
            input
        );
        assert_eq!(losses, lost);
    }
}

#[test]
fn the_text_of_arguments_and_schemas_keeps_its_order_and_numbers() {
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"t","input_schema":{"type":"object","properties":{"z":{"type":"number","maximum":1.0e2},"a":{}}}}]}"#;
    let (request, _) = read(Inbound::Messages, body).unwrap();
    let sent = write_request(chat(), &request, &mut Losses::default()).unwrap();
    let text = String::from_utf8(sent.body).unwrap();
    assert!(
        text.contains(r#""properties":{"z":{"type":"number","maximum":1.0e2},"a":{}}"#),
        "{text}"
    );
}

#[test]
fn results_of_parallel_calls_are_one_turn_of_the_user() {
    let body = samples::request(CHAT, "parallel tools");
    let (written, _) = sent(CHAT, Outbound::Messages, &body);
    let messages = written["messages"].as_array().unwrap();
    let roles: Vec<&Value> = messages.iter().map(|m| &m["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    let blocks = messages[2]["content"].as_array().unwrap();
    let kinds: Vec<&Value> = blocks.iter().map(|b| &b["type"]).collect();
    assert_eq!(kinds, ["tool_result", "tool_result", "text"]);
    let ids: Vec<&Value> = blocks[..2].iter().map(|b| &b["tool_use_id"]).collect();
    assert_eq!(ids, ["c1", "c2"]);
    // The way back takes the turn apart.
    let (written, _) = sent(
        Inbound::Messages,
        chat(),
        &samples::request(Inbound::Messages, "parallel tools"),
    );
    let messages = written["messages"].as_array().unwrap();
    let roles: Vec<&Value> = messages.iter().map(|m| &m["role"]).collect();
    assert_eq!(
        roles,
        ["system", "user", "assistant", "tool", "tool", "user"]
    );
}

#[test]
fn bedrock_gets_its_tools_whenever_the_conversation_holds_calls() {
    let mut body = samples::request(CHAT, "tools");
    body.as_object_mut().unwrap().remove("tools");
    body.as_object_mut().unwrap().remove("tool_choice");
    for (outbound, name) in [
        (Outbound::Converse, "/toolConfig/tools/0/toolSpec/name"),
        (Outbound::Messages, "/tools/0/name"),
    ] {
        let (written, losses) = sent(CHAT, outbound, &body);
        assert_eq!(written.pointer(name), Some(&json!("weather")));
        assert_eq!(losses, "tools_missing");
    }
}

#[test]
fn no_call_is_allowed_by_leaving_the_tools_out_where_there_is_no_such_choice() {
    let tools = json!([{ "type": "function", "function": { "name": "t" } }]);
    let (written, losses) = sent(
        CHAT,
        Outbound::Converse,
        &chat_body(json!({ "tools": tools, "tool_choice": "none" })),
    );
    assert_eq!((written.get("toolConfig"), losses.as_str()), (None, ""));
    let mut body = samples::request(CHAT, "tools");
    body["tool_choice"] = "none".into();
    let (written, losses) = sent(CHAT, Outbound::Converse, &body);
    assert!(
        written["toolConfig"]["tools"].is_array()
            && written["toolConfig"].get("toolChoice").is_none()
    );
    assert_eq!(losses, "tool_choice");
    let (written, losses) = sent(CHAT, Outbound::Messages, &body);
    assert_eq!(
        (&written["tool_choice"], losses.as_str()),
        (&json!({ "type": "none" }), "")
    );
}

#[test]
fn names_that_do_not_fit_are_changed_and_put_back() {
    let long = format!("mcp.server/{}", "x".repeat(80));
    let id = "call:1/é";
    let body = chat_body(json!({
        "tools": [{ "type": "function", "function": { "name": long } }],
        "tool_choice": { "type": "function", "function": { "name": long } },
        "messages": [
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "tool_calls": [{ "id": id, "type": "function", "function": { "name": long, "arguments": "{}" } }] },
            { "role": "tool", "tool_call_id": id, "content": "ok" },
        ],
    }));
    let (request, mut losses) = read(CHAT, &body.to_string()).unwrap();
    let sent = write_request(Outbound::Converse, &request, &mut losses).unwrap();
    assert_eq!(losses.header(), "tool_name");
    let written: Value = serde_json::from_slice(&sent.body).unwrap();
    let short = written["toolConfig"]["tools"][0]["toolSpec"]["name"]
        .as_str()
        .unwrap();
    assert!(
        short.len() <= 64
            && short
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    );
    assert_eq!(written["toolConfig"]["toolChoice"]["tool"]["name"], short);
    let call = &written["messages"][1]["content"][0]["toolUse"];
    let result = &written["messages"][2]["content"][0]["toolResult"];
    assert_eq!(
        (&call["name"], &call["toolUseId"]),
        (&json!(short), &result["toolUseId"])
    );

    let mut answer = samples::answer(Outbound::Converse, "tools");
    answer["output"]["message"]["content"][0]["toolUse"]["name"] = short.into();
    let answer = read_answer(
        Outbound::Converse,
        &sent,
        answer.to_string().as_bytes(),
        &mut losses,
    )
    .unwrap();
    let Content::ToolCall(call) = &answer.parts[0].content else {
        panic!("{answer:?}");
    };
    assert_eq!(call.name, long);
    let stream = [
        converse_event("contentBlockStart", &json!({ "contentBlockIndex": 0, "start": { "toolUse": { "toolUseId": "c", "name": short } } })),
        converse_event("messageStop", &json!({ "stopReason": "tool_use" })),
    ]
    .concat();
    let mut translation =
        rialto_wire::dialect::Translation::new(CHAT, Outbound::Converse, &sent, told());
    let mut out = Vec::new();
    translation.push(&stream, &mut out);
    assert!(String::from_utf8(out).unwrap().contains(&long));
}

#[test]
fn calls_are_told_apart_whatever_servers_number_them() {
    let call = |v: Value| chunk(json!({ "tool_calls": [v] }), None);
    let end = chunk(json!({}), Some("stop"));
    let piece = |name: &str, args: &str| json!({ "name": name, "arguments": args });
    let streams = [
        // No index at all; every call whole.
        vec![
            call(json!({ "id": "a", "function": piece("f", "{}") })),
            call(json!({ "id": "b", "function": piece("g", "{}") })),
        ],
        // Every call numbered 0.
        vec![
            call(json!({ "index": 0, "id": "a", "function": piece("f", "{}") })),
            call(json!({ "index": 0, "id": "b", "function": piece("g", "{}") })),
        ],
        // The id with every piece, the name after the id.
        vec![
            call(json!({ "index": 0, "id": "a" })),
            call(json!({ "index": 0, "id": "a", "function": piece("f", "{") })),
            call(json!({ "index": 0, "id": "a", "function": { "arguments": "}" } })),
            call(json!({ "index": 1, "id": "b", "function": piece("g", "{}") })),
        ],
        // Arguments as an object, both calls in one chunk.
        vec![chunk(
            json!({ "tool_calls": [
            { "index": 0, "id": "a", "function": { "name": "f", "arguments": {} } },
            { "index": 1, "id": "b", "function": { "name": "g", "arguments": {} } },
        ] }),
            None,
        )],
    ];
    for events in streams {
        let mut stream = String::new();
        events
            .iter()
            .chain([&end])
            .for_each(|e| stream.push_str(&format!("data: {e}\n\n")));
        let answer = assembled(CHAT, stream.as_bytes()).unwrap();
        let calls: Vec<(&str, &str, &str)> = answer
            .parts
            .iter()
            .map(|p| match &p.content {
                Content::ToolCall(c) => (c.id.as_str(), c.name.as_str(), c.arguments.as_str()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(calls, [("a", "f", "{}"), ("b", "g", "{}")], "{stream}");
        assert_eq!(answer.stop, Stop::ToolUse);
    }
    // Arguments of two calls in turns are an error, never mixed up.
    let mut stream = String::new();
    for event in [
        call(json!({ "index": 0, "id": "a", "function": piece("f", "{") })),
        call(json!({ "index": 1, "id": "b", "function": piece("g", "{") })),
        call(json!({ "index": 0, "function": { "arguments": "}" } })),
    ] {
        stream.push_str(&format!("data: {event}\n\n"));
    }
    assert_eq!(
        assembled(CHAT, stream.as_bytes()).unwrap_err().kind,
        ErrorKind::Malformed
    );
}

#[test]
fn a_failed_tool_and_pictures_in_results_are_carried_or_named() {
    let result = json!({ "type": "tool_result", "tool_use_id": "c", "is_error": true, "content": [
        { "type": "text", "text": "bad" },
        { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "eA==" } },
    ] });
    let body = messages_body(json!({
        "tools": [{ "name": "t", "input_schema": { "type": "object" } }],
        "messages": [
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "content": [{ "type": "tool_use", "id": "c", "name": "t", "input": {} }] },
            { "role": "user", "content": [result] },
        ],
    }));
    let (written, losses) = sent(Inbound::Messages, Outbound::Converse, &body);
    let told = &written["messages"][2]["content"][0]["toolResult"];
    assert_eq!((&told["status"], losses.as_str()), (&json!("error"), ""));
    assert_eq!(told["content"][1]["image"]["source"]["bytes"], "eA==");
    let (written, losses) = sent(Inbound::Messages, chat(), &body);
    assert_eq!(losses, "tool_result.failed, tool_result.media");
    assert_eq!(
        written["messages"][2],
        json!({ "role": "tool", "tool_call_id": "c", "content": "bad" })
    );
    assert_eq!(written["messages"][3]["content"][0]["type"], "image_url");
}

// Reasons to stop.

#[test]
fn reasons_to_stop_become_the_callers_and_an_unknown_one_never_fails() {
    let reason = |inbound, outbound, reason: &str| {
        let request = Request {
            max_tokens: Some(1),
            ..Request::default()
        };
        let sent = write_request(outbound, &request, &mut Losses::default()).unwrap();
        let body = stopped(outbound, reason).to_string();
        let answer = read_answer(outbound, &sent, body.as_bytes(), &mut Losses::default()).unwrap();
        let written = write_answer(inbound, &answer, &told(), &mut Losses::default());
        let written: Value = serde_json::from_slice(&written).unwrap();
        let at = match inbound {
            Inbound::Chat => "/choices/0/finish_reason",
            Inbound::Responses => "/status",
            Inbound::Messages => "/stop_reason",
            Inbound::Converse => "/stopReason",
        };
        written.pointer(at).unwrap().as_str().unwrap().to_owned()
    };
    let (messages, converse) = (Outbound::Messages, Outbound::Converse);
    for (inbound, outbound, theirs, ours) in [
        (CHAT, messages, "end_turn", "stop"),
        (CHAT, messages, "max_tokens", "length"),
        (CHAT, messages, "model_context_window_exceeded", "length"),
        (CHAT, messages, "tool_use", "tool_calls"),
        (CHAT, messages, "refusal", "content_filter"),
        (CHAT, messages, "pause_turn", "stop"),
        (CHAT, messages, "new_reason", "stop"),
        (CHAT, converse, "guardrail_intervened", "content_filter"),
        (CHAT, converse, "content_filtered", "content_filter"),
        (CHAT, converse, "malformed_tool_use", "stop"),
        (Inbound::Messages, chat(), "length", "max_tokens"),
        (Inbound::Messages, chat(), "tool_calls", "tool_use"),
        (Inbound::Messages, chat(), "content_filter", "refusal"),
        (Inbound::Messages, chat(), "new_reason", "end_turn"),
        (
            Inbound::Messages,
            converse,
            "stop_sequence",
            "stop_sequence",
        ),
        (Inbound::Converse, messages, "refusal", "content_filtered"),
        (Inbound::Responses, messages, "max_tokens", "incomplete"),
        (Inbound::Responses, messages, "stop_sequence", "completed"),
    ] {
        assert_eq!(
            reason(inbound, outbound, theirs),
            ours,
            "{inbound:?} {theirs}"
        );
    }
    for (outbound, _) in outbound() {
        for theirs in stops(outbound) {
            INBOUND
                .iter()
                .for_each(|(inbound, _)| drop(reason(*inbound, outbound, theirs)));
        }
    }
}

// System messages.

#[test]
fn instructions_come_to_the_head_with_their_blocks_and_marks_and_empty_texts_are_dropped() {
    let body = chat_body(json!({ "messages": [
        { "role": "system", "content": [
            { "type": "text", "text": "One.", "cache_control": { "type": "ephemeral" } },
            { "type": "text", "text": "" },
        ] },
        { "role": "developer", "content": "Two." },
        { "role": "user", "content": [{ "type": "text", "text": " " }, { "type": "text", "text": "Hi" }] },
        { "role": "assistant", "content": "" },
        { "role": "system", "content": "Three." },
    ] }));
    let (written, losses) = sent(CHAT, Outbound::Messages, &body);
    assert_eq!(
        written["system"],
        json!([
            { "type": "text", "text": "One.", "cache_control": { "type": "ephemeral" } },
            { "type": "text", "text": "Two." },
            { "type": "text", "text": "Three." },
        ])
    );
    assert_eq!(
        written["messages"],
        json!([{ "role": "user", "content": [{ "type": "text", "text": "Hi" }] }])
    );
    assert_eq!(losses, "system.place");
    let (written, _) = sent(CHAT, Outbound::Converse, &body);
    assert_eq!(
        written["system"][1],
        json!({ "cachePoint": { "type": "default" } })
    );
    // As one client sends it.
    let (request, _) = read(Inbound::Converse, r#"{"system":[],"messages":[]}"#).unwrap();
    assert!(request.system.is_empty());
}

// Prompt caching.

#[test]
fn marks_become_points_after_what_they_mark_four_at_most() {
    let block = |n: u32| json!({ "type": "text", "text": n.to_string(), "cache_control": { "type": "ephemeral", "ttl": "1h" } });
    let body = messages_body(json!({
        "tools": [{ "name": "t", "input_schema": { "type": "object" }, "cache_control": { "type": "ephemeral" } }],
        "system": [block(0)],
        "messages": [{ "role": "user", "content": [block(1), block(2), block(3)] }],
    }));
    let (written, losses) = sent(Inbound::Messages, Outbound::Converse, &body);
    assert_eq!(losses, "cache_mark.place");
    assert_eq!(
        written["toolConfig"]["tools"][1],
        json!({ "cachePoint": { "type": "default" } })
    );
    let hour = json!({ "cachePoint": { "type": "default", "ttl": "1h" } });
    assert_eq!(written["system"][1], hour);
    let content = &written["messages"][0]["content"];
    assert_eq!(
        *content,
        json!([{ "text": "1" }, hour, { "text": "2" }, hour, { "text": "3" }])
    );
    let (_, losses) = sent(Inbound::Messages, chat(), &body);
    assert_eq!(losses, "cache_mark");
    // And back.
    let (written, losses) = sent(
        Inbound::Converse,
        Outbound::Messages,
        &samples::request(Inbound::Converse, "cache marks"),
    );
    assert_eq!(
        written["system"][0]["cache_control"],
        json!({ "type": "ephemeral", "ttl": "1h" })
    );
    assert_eq!(losses, "");
}

// Thinking.

#[test]
fn signed_thoughts_are_replayed_byte_for_byte_and_unsigned_ones_never() {
    let signature = "EqQBCkgIARABGAIiQ\\u002b/+==\u{e9}";
    let body = messages_body(
        json!({ "thinking": { "type": "enabled", "budget_tokens": 2000 }, "messages": [
        { "role": "user", "content": "Hi" },
        { "role": "assistant", "content": [
            { "type": "thinking", "thinking": " a\n", "signature": signature },
            { "type": "redacted_thinking", "data": signature },
            { "type": "thinking", "thinking": "unsigned", "signature": "" },
            { "type": "text", "text": "b" },
        ] },
        { "role": "user", "content": "c" },
    ] }),
    );
    let (written, losses) = sent(Inbound::Messages, Outbound::Converse, &body);
    assert_eq!(losses, "thinking.history");
    assert_eq!(
        written["messages"][1]["content"],
        json!([
            { "reasoningContent": { "reasoningText": { "text": " a\n", "signature": signature } } },
            { "reasoningContent": { "redactedContent": signature } },
            { "text": "b" },
        ])
    );
    // Thoughts of a chat have no signature: they are not sent, and never as words.
    let body = chat_body(json!({ "messages": [
        { "role": "user", "content": "Hi" },
        { "role": "assistant", "reasoning_content": "secret", "content": "b" },
        { "role": "user", "content": "c" },
    ] }));
    for outbound in [Outbound::Messages, Outbound::Converse] {
        let (written, losses) = sent(CHAT, outbound, &body);
        assert!(!written.to_string().contains("secret"));
        assert_eq!(losses, "thinking.history");
    }
}

#[test]
fn responses_carry_signatures_through_a_clients_hands() {
    let stream = {
        let start = |i: u64, b: Value| {
            format!(
                "data: {}\n\n",
                json!({ "type": "content_block_start", "index": i, "content_block": b })
            )
        };
        let delta = |i: u64, d: Value| {
            format!(
                "data: {}\n\n",
                json!({ "type": "content_block_delta", "index": i, "delta": d })
            )
        };
        let stop = |i: u64| {
            format!(
                "data: {}\n\n",
                json!({ "type": "content_block_stop", "index": i })
            )
        };
        [
            start(0, json!({ "type": "thinking", "thinking": "", "signature": "" })),
            delta(0, json!({ "type": "thinking_delta", "thinking": "Hm." })),
            delta(0, json!({ "type": "signature_delta", "signature": "c2l" })),
            delta(0, json!({ "type": "signature_delta", "signature": "n" })),
            stop(0),
            start(1, json!({ "type": "redacted_thinking", "data": "b3Bh" })),
            stop(1),
            start(2, json!({ "type": "text", "text": "" })),
            delta(2, json!({ "type": "text_delta", "text": "Hi" })),
            stop(2),
            "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":3}}\n\ndata: {\"type\":\"message_stop\"}\n\n".into(),
        ]
        .concat()
    };
    let (written, losses) =
        translated(Inbound::Responses, Outbound::Messages, &[stream.as_bytes()]);
    assert!(losses.is_empty(), "{losses:?}");
    let response = data(&written).pop().unwrap()["response"].clone();
    let mut input = vec![json!({ "role": "user", "content": "Hi" })];
    input.extend(response["output"].as_array().unwrap().clone());
    input.push(json!({ "role": "user", "content": "Again" }));
    let body = json!({ "model": "claude-m", "max_output_tokens": 4000, "input": input });
    let (request, losses) = read(Inbound::Responses, &body.to_string()).unwrap();
    assert_eq!(losses.header(), "");
    let (again, _) = write(Outbound::Messages, &request).unwrap();
    assert_eq!(
        again["messages"][1]["content"],
        json!([
            { "type": "thinking", "thinking": "Hm.", "signature": "c2ln" },
            { "type": "redacted_thinking", "data": "b3Bh" },
            { "type": "text", "text": "Hi" },
        ])
    );
    // What another server sealed is not taken for a signature.
    let foreign = json!({ "model": "claude-m", "input": [
        { "type": "reasoning", "summary": [{ "type": "summary_text", "text": "x" }], "encrypted_content": "gAAAA" },
    ] });
    let (request, losses) = read(Inbound::Responses, &foreign.to_string()).unwrap();
    assert_eq!(losses.header(), "thinking.signature");
    assert_eq!(
        request.messages[0].parts[0].content,
        Content::Thinking("x".into(), None)
    );
}

#[test]
fn thinking_takes_sampling_out_and_steps_back_where_it_would_be_refused() {
    let think = json!({ "reasoning_effort": "high", "temperature": 0.2, "top_p": 0.5 });
    let (written, losses) = sent(CHAT, Outbound::Messages, &chat_body(think.clone()));
    assert_eq!(
        written["thinking"],
        json!({ "type": "enabled", "budget_tokens": 3999 })
    );
    assert_eq!(
        (written.get("temperature"), written.get("top_p")),
        (None, None)
    );
    assert_eq!(losses, "thinking.budget, sampling");
    let (written, losses) = sent(CHAT, Outbound::Converse, &chat_body(think));
    assert_eq!(
        written["additionalModelRequestFields"]["thinking"]["budget_tokens"],
        3999
    );
    assert_eq!(losses, "thinking.budget, sampling");

    // A forced tool; a call of the conversation without a signed thought; no room.
    let mut forced = samples::request(CHAT, "tools");
    forced["reasoning_effort"] = "low".into();
    let mut unsigned = forced.clone();
    unsigned["tool_choice"] = "auto".into();
    let tight = chat_body(json!({ "reasoning_effort": "low", "max_tokens": 1000 }));
    for (body, want) in [
        (forced, "thinking"),
        (unsigned, "thinking"),
        (tight, "thinking.budget, thinking"),
    ] {
        let (written, losses) = sent(CHAT, Outbound::Messages, &body);
        assert_eq!(written.get("thinking"), None, "{body}");
        assert_eq!(losses, want, "{body}");
    }
    // A model of another maker on Bedrock has no such word.
    let (mut request, _) = read(
        CHAT,
        &chat_body(json!({ "reasoning_effort": "low", "top_k": 4 })).to_string(),
    )
    .unwrap();
    request.model = "amazon.nova-pro-v1:0".into();
    let (written, losses) = write(Outbound::Converse, &request).unwrap();
    assert_eq!(
        (
            written.get("additionalModelRequestFields"),
            losses.header().as_str()
        ),
        (None, "thinking, sampling")
    );
}

#[test]
fn thoughts_never_become_words() {
    for (inbound, _) in INBOUND {
        for outbound in [chat(), Outbound::Messages, Outbound::Converse] {
            if inbound.is_same(outbound) {
                continue;
            }
            let sent = write_request(
                outbound,
                &Request {
                    max_tokens: Some(1),
                    ..Request::default()
                },
                &mut Losses::default(),
            )
            .unwrap();
            let body = samples::answer(outbound, "thinking").to_string();
            let answer =
                read_answer(outbound, &sent, body.as_bytes(), &mut Losses::default()).unwrap();
            let written = write_answer(inbound, &answer, &told(), &mut Losses::default());
            let (back, _) = read_back(inbound, &written);
            let texts: Vec<Content> = joined(&back)
                .into_iter()
                .filter(|c| matches!(c, Content::Text(_)))
                .collect();
            assert_eq!(texts, [Content::Text("Hi".into())], "{inbound:?}");
        }
    }
}

// Images and documents.

#[test]
fn bedrock_gets_bytes_and_an_address_is_found_and_refused() {
    let url = |url: &str| {
        chat_body(json!({ "messages": [{ "role": "user", "content": [
        { "type": "image_url", "image_url": { "url": url } }] }] }))
    };
    let (mut request, _) = read(CHAT, &url("https://example.com/a.png").to_string()).unwrap();
    let error = write(Outbound::Converse, &request).unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::BadRequest, Some("remote_media"))
    );
    assert!(write(Outbound::Messages, &request).unwrap().1.is_empty());
    // Whoever may fetch it puts the bytes in its place.
    for source in request.remote_media() {
        *source = Source::Base64("image/png".into(), "eA==".into());
    }
    let (written, _) = write(Outbound::Converse, &request).unwrap();
    assert_eq!(
        written["messages"][0]["content"][0]["image"],
        json!({ "format": "png", "source": { "bytes": "eA==" } })
    );
    let (request, _) = read(CHAT, &url("data:image/svg+xml;base64,eA==").to_string()).unwrap();
    assert_eq!(
        write(Outbound::Converse, &request)
            .unwrap_err()
            .code
            .as_deref(),
        Some("media_type")
    );
}

#[test]
fn names_of_documents_are_plain_and_unique() {
    let document = |name: &str| json!({ "type": "document", "title": name, "source": { "type": "base64", "media_type": "application/pdf", "data": "eA==" } });
    let body = messages_body(json!({ "messages": [{ "role": "user", "content": [
        document("Report  (1)"), document("a/b\u{202e}.pdf"), document("Report (1)"), document("***"),
    ] }] }));
    let (written, losses) = sent(Inbound::Messages, Outbound::Converse, &body);
    let content = written["messages"][0]["content"].as_array().unwrap();
    let names: Vec<&Value> = content.iter().map(|d| &d["document"]["name"]).collect();
    assert_eq!(
        names,
        ["Report (1)", "a b pdf 2", "Report (1) 3", "document 4"]
    );
    assert_eq!(losses, "document.name");
}

// What is lost is named.

#[test]
fn fields_parts_and_tools_of_one_dialect_only_are_named() {
    for (inbound, body, want) in [
        (
            CHAT,
            chat_body(json!({ "logit_bias": { "1": 2 }, "seed": 1, "logprobs": null })),
            "field.logit_bias, field.seed",
        ),
        (
            CHAT,
            chat_body(json!({ "tools": [{ "type": "custom", "custom": {} }] })),
            "kind.custom",
        ),
        (
            Inbound::Messages,
            messages_body(
                json!({ "container": "x", "tools": [{ "type": "web_search_20250305", "name": "web_search" }] }),
            ),
            "kind.web_search_20250305, field.container",
        ),
        (
            Inbound::Messages,
            messages_body(json!({ "messages": [{ "role": "user", "content": [
            { "type": "search_result", "source": "x" }, { "type": "text", "text": "a", "citations": [{ "type": "char_location" }] }] }] })),
            "kind.search_result, citations",
        ),
        (
            Inbound::Responses,
            json!({ "model": "m", "input": [{ "type": "computer_call", "id": "x" }], "truncation": "auto" }),
            "kind.computer_call, field.truncation",
        ),
        (
            Inbound::Converse,
            json!({ "messages": [{ "role": "user", "content": [{ "video": {} }, { "text": "a" }] }], "guardrailConfig": {} }),
            "kind.video, field.guardrailconfig",
        ),
    ] {
        let (_, losses) = read(inbound, &body.to_string()).unwrap();
        assert_eq!(losses.header(), want, "{body}");
    }
    for kept in ["previous_response_id", "conversation"] {
        let error = read(
            Inbound::Responses,
            &json!({ "model": "m", "input": "x", kept: "y" }).to_string(),
        )
        .unwrap_err();
        assert_eq!(error.code.as_deref(), Some(kept));
    }
}

#[test]
fn citations_refusals_and_unknown_blocks_of_answers_are_carried_or_named() {
    let sent = write_request(
        Outbound::Messages,
        &Request::default(),
        &mut Losses::default(),
    )
    .unwrap();
    let body = json!({ "content": [
        { "type": "server_tool_use", "id": "s", "name": "web_search", "input": {} },
        { "type": "text", "text": "a", "citations": [{ "type": "web_search_result_location" }] },
        { "type": "some_new_block" },
    ], "stop_reason": "end_turn" });
    let mut losses = Losses::default();
    let answer = read_answer(
        Outbound::Messages,
        &sent,
        body.to_string().as_bytes(),
        &mut losses,
    )
    .unwrap();
    assert_eq!(answer.parts, [Part::text("a")]);
    assert_eq!(
        losses.header(),
        "kind.server_tool_use, citations, kind.some_new_block"
    );

    let refusal = json!({ "choices": [{ "message": { "content": null, "refusal": "No." }, "finish_reason": "stop" }] });
    let answer =
        openai::read_answer(refusal.to_string().as_bytes(), &mut Losses::default()).unwrap();
    let mut losses = Losses::default();
    let (back, _) = read_back(
        Inbound::Responses,
        &write_answer(Inbound::Responses, &answer, &told(), &mut losses),
    );
    assert_eq!(joined(&back), [Content::Refusal("No.".into())]);
    assert!(losses.is_empty());
    let (back, _) = read_back(
        Inbound::Messages,
        &write_answer(Inbound::Messages, &answer, &told(), &mut losses),
    );
    assert_eq!(
        (joined(&back), losses.header()),
        (vec![Content::Text("No.".into())], "refusal".into())
    );
}

// Errors.

#[test]
fn too_many_requests_and_too_many_callers_stay_apart() {
    let openai = json!({ "error": { "message": "m", "type": "rate_limit_error", "code": "rate_limit_exceeded" } }).to_string();
    let anthropic =
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "m" } })
            .to_string();
    let header = |n: &str| (n == "retry-after").then_some("1.2");
    let limited = read_error(chat(), 429, header, openai.as_bytes());
    assert_eq!(
        (limited.kind, limited.retry_after, limited.status),
        (ErrorKind::RateLimited, Some(2), Some(429))
    );
    let overloaded = read_error(Outbound::Messages, 529, |_| None, anthropic.as_bytes());
    assert_eq!(
        (overloaded.kind, overloaded.retry_after),
        (ErrorKind::Overloaded, None)
    );
    assert!(limited.retryable() && overloaded.retryable());
    for (inbound, limit, over) in [
        (CHAT, 429, 503),
        (Inbound::Responses, 429, 503),
        (Inbound::Messages, 429, 529),
        (Inbound::Converse, 429, 503),
    ] {
        let answer = write_error(inbound, &limited);
        assert_eq!(answer.status, limit);
        assert!(answer.headers.contains(&("retry-after", "2".into())));
        assert_eq!(write_error(inbound, &overloaded).status, over);
    }
    let answer = write_error(Inbound::Converse, &limited);
    assert!(
        answer
            .headers
            .contains(&("x-amzn-errortype", "ThrottlingException".into()))
    );
    // A quota that is used up is no reason to come again.
    let quota = json!({ "error": { "message": "m", "type": "insufficient_quota", "code": "insufficient_quota" } }).to_string();
    assert!(!read_error(chat(), 429, |_| None, quota.as_bytes()).retryable());
    for bad in [
        "-1",
        "nan",
        "inf",
        "1e30",
        "Wed, 21 Oct 2026 07:28:00 GMT",
        "",
    ] {
        let header = |_: &str| Some(bad);
        assert_eq!(
            read_error(chat(), 429, header, b"{}").retry_after,
            None,
            "{bad}"
        );
    }
}

#[test]
fn errors_are_read_whatever_their_form() {
    for (body, message) in [
        (&b"<html>502 Bad Gateway</html>"[..], "<html>502 Bad Gateway</html>"),
        (b"", "the model server gave no reason"),
        (br#"{"error":"model 'x' not found"}"#, "model 'x' not found"),
        (br#"{"detail":"Not Found"}"#, "Not Found"),
        (br#"{"object":"error","message":"bad","type":"BadRequestError","param":null,"code":400}"#, "bad"),
        (br#"{"error":{"message":"x","code":null}}"#, "x"),
        (b"\xff\xfe", "\u{fffd}\u{fffd}"),
    ] {
        let error = read_error(chat(), 502, |_| None, body);
        assert_eq!((error.message.as_str(), error.kind), (message, ErrorKind::Server));
    }
    let long = format!("{{\"error\":{{\"message\":\"{}\"}}}}", "x".repeat(100_000));
    assert!(
        read_error(chat(), 400, |_| None, long.as_bytes())
            .message
            .len()
            <= 2000
    );
}

#[test]
fn content_that_came_is_known_so_that_no_answer_is_doubled() {
    let stream = samples::chat_stream();
    let text = stream.windows(9).position(|w| w == b"\"content\"").unwrap();
    let (mut passing, mut out) = (Passing::new(CHAT, false), Vec::new());
    passing.push(&stream[..text], &mut out);
    assert!(!passing.heard.content);
    passing.push(&stream[text..text + 400], &mut out);
    assert!(passing.heard.content);
    let mut translation = translation(Inbound::Messages, chat());
    let mut out = Vec::new();
    translation.push(&stream[..text + 400], &mut out);
    assert!(translation.heard.content);
    translation.fail(ModelError::new(ErrorKind::Timeout, "too slow"), &mut out);
    let last = data(&out).pop().unwrap();
    assert_eq!(
        last,
        json!({ "type": "error", "error": { "type": "timeout_error", "message": "too slow" } })
    );
    // Nothing comes after the end.
    let length = out.len();
    translation.push(&stream[text + 400..], &mut out);
    translation.finish(&mut out);
    assert_eq!(out.len(), length);
}

#[test]
fn a_delta_that_nothing_began_is_written_in_a_whole_stream() {
    for (inbound, _) in INBOUND {
        let (mut writer, mut losses, mut out) = (
            StreamWriter::new(inbound, told()),
            Losses::default(),
            Vec::new(),
        );
        for delta in [
            Delta::Text("a".into()),
            Delta::Stop(Stop::End),
            Delta::End,
            Delta::Text("late".into()),
        ] {
            writer.write(&delta, &mut losses, &mut out);
        }
        let answer = assembled(inbound, &out).unwrap();
        assert_eq!(joined(&answer), [Content::Text("a".into())], "{inbound:?}");
    }
}
