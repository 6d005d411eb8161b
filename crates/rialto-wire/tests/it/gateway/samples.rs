//! For every dialect and feature: a request, and the answer and stream of a server.

use rialto_wire::dialect::{Inbound, Outbound};
use serde_json::{Value, json};

pub(crate) const FEATURES: [&str; 12] = [
    "text",
    "stream",
    "tools",
    "parallel tools",
    "images",
    "images by address",
    "thinking",
    "cache marks",
    "structured output",
    "stop reasons",
    "errors",
    "usage",
];

const PNG: &str = "iVBORw0KGgo=";
const URL: &str = "https://example.com/a.png";

fn schema() -> Value {
    json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] })
}

/// Sets members of a request.
fn with(mut body: Value, more: Value) -> Value {
    let (Value::Object(body_members), Value::Object(more)) = (&mut body, more) else {
        panic!("objects");
    };
    body_members.extend(more);
    body
}

pub(crate) fn request(inbound: Inbound, feature: &str) -> Value {
    match inbound {
        Inbound::Chat => chat(feature),
        Inbound::Responses => responses(feature),
        Inbound::Messages => messages(feature),
        Inbound::Converse => converse(feature),
    }
}

fn chat(feature: &str) -> Value {
    let plain = json!({
        "model": "claude-m", "max_tokens": 4000, "temperature": 0.5, "stop": ["END"],
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "Hello" },
        ],
    });
    let call = |id: &str, city: &str| {
        json!({ "id": id, "type": "function",
            "function": { "name": "weather", "arguments": format!("{{\"city\":\"{city}\"}}") } })
    };
    let result = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": "rain" });
    let tools = json!([{ "type": "function", "function": {
        "name": "weather", "description": "Weather of a city", "parameters": schema() } }]);
    let user = json!({ "role": "user", "content": "Weather?" });
    match feature {
        "stream" => with(plain, json!({ "stream": true })),
        "tools" => with(
            plain,
            json!({ "tools": tools, "tool_choice": "required", "messages": [
                user, { "role": "assistant", "content": null, "tool_calls": [call("c1", "Oslo")] }, result("c1"),
            ] }),
        ),
        "parallel tools" => with(
            plain,
            json!({ "tools": tools, "parallel_tool_calls": true, "messages": [
                user,
                { "role": "assistant", "content": "Both.", "tool_calls": [call("c1", "Oslo"), call("c2", "Rome")] },
                result("c1"), result("c2"), { "role": "user", "content": "Well?" },
            ] }),
        ),
        "images" => with(
            plain,
            json!({ "messages": [{ "role": "user", "content": [
                { "type": "text", "text": "What is it?" },
                { "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{PNG}") } },
            ] }] }),
        ),
        "images by address" => with(
            plain,
            json!({ "messages": [{ "role": "user", "content": [
                { "type": "image_url", "image_url": { "url": URL } },
            ] }] }),
        ),
        "thinking" => {
            let mut body = with(plain, json!({ "reasoning_effort": "low" }));
            body.as_object_mut().unwrap().remove("temperature");
            body
        }
        "cache marks" => {
            let mark = json!({ "type": "ephemeral", "ttl": "1h" });
            with(
                plain,
                json!({ "messages": [
                    { "role": "system", "content": [{ "type": "text", "text": "Long.", "cache_control": mark }] },
                    { "role": "user", "content": [{ "type": "text", "text": "Hello", "cache_control": { "type": "ephemeral" } }] },
                ] }),
            )
        }
        "structured output" => with(
            plain,
            json!({ "response_format": { "type": "json_schema",
                "json_schema": { "name": "place", "schema": schema(), "strict": true } } }),
        ),
        _ => plain,
    }
}

fn responses(feature: &str) -> Value {
    let plain = json!({
        "model": "claude-m", "max_output_tokens": 4000, "temperature": 0.5,
        "instructions": "Be brief.", "input": "Hello", "store": false,
    });
    let call = |id: &str, city: &str| {
        json!({ "type": "function_call", "call_id": id, "name": "weather",
            "arguments": format!("{{\"city\":\"{city}\"}}") })
    };
    let result =
        |id: &str| json!({ "type": "function_call_output", "call_id": id, "output": "rain" });
    let tools = json!([{ "type": "function", "name": "weather",
        "description": "Weather of a city", "parameters": schema() }]);
    let user = json!({ "role": "user", "content": "Weather?" });
    match feature {
        "stream" => with(plain, json!({ "stream": true })),
        "tools" => with(
            plain,
            json!({ "tools": tools, "tool_choice": { "type": "function", "name": "weather" },
                "input": [user, call("c1", "Oslo"), result("c1")] }),
        ),
        "parallel tools" => with(
            plain,
            json!({ "tools": tools, "parallel_tool_calls": true, "input": [
                user, call("c1", "Oslo"), call("c2", "Rome"), result("c1"), result("c2"),
            ] }),
        ),
        "images" => with(
            plain,
            json!({ "input": [{ "role": "user", "content": [
                { "type": "input_text", "text": "What is it?" },
                { "type": "input_image", "image_url": format!("data:image/png;base64,{PNG}") },
            ] }] }),
        ),
        "images by address" => with(
            plain,
            json!({ "input": [{ "role": "user", "content": [{ "type": "input_image", "image_url": URL }] }] }),
        ),
        "thinking" => {
            let mut body = with(
                plain,
                json!({ "reasoning": { "effort": "low", "summary": "auto" }, "input": [
                    { "role": "user", "content": "Hello" },
                    { "type": "reasoning", "id": "r", "summary": [{ "type": "summary_text", "text": "Hm." }],
                      "encrypted_content": "rialto1.signature.c2ln" },
                    { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "Hi", "annotations": [] }] },
                    { "role": "user", "content": "Again" },
                ] }),
            );
            body.as_object_mut().unwrap().remove("temperature");
            body
        }
        "structured output" => with(
            plain,
            json!({ "text": { "format": { "type": "json_schema",
                "name": "place", "schema": schema(), "strict": true } } }),
        ),
        _ => plain,
    }
}

fn messages(feature: &str) -> Value {
    let plain = json!({
        "model": "claude-m", "max_tokens": 4000, "temperature": 0.5, "stop_sequences": ["END"],
        "system": "Be brief.", "messages": [{ "role": "user", "content": "Hello" }],
    });
    let call = |id: &str, city: &str| json!({ "type": "tool_use", "id": id, "name": "weather", "input": { "city": city } });
    let result = |id: &str| json!({ "type": "tool_result", "tool_use_id": id, "content": [{ "type": "text", "text": "rain" }] });
    let tools = json!([{ "name": "weather", "description": "Weather of a city", "input_schema": schema() }]);
    let user = json!({ "role": "user", "content": "Weather?" });
    match feature {
        "stream" => with(plain, json!({ "stream": true })),
        "tools" => with(
            plain,
            json!({ "tools": tools, "tool_choice": { "type": "any" }, "messages": [
                user, { "role": "assistant", "content": [call("c1", "Oslo")] }, { "role": "user", "content": [result("c1")] },
            ] }),
        ),
        "parallel tools" => with(
            plain,
            json!({ "tools": tools, "messages": [
                user,
                { "role": "assistant", "content": [{ "type": "text", "text": "Both." }, call("c1", "Oslo"), call("c2", "Rome")] },
                { "role": "user", "content": [result("c1"), result("c2"), { "type": "text", "text": "Well?" }] },
            ] }),
        ),
        "images" => with(
            plain,
            json!({ "messages": [{ "role": "user", "content": [
                { "type": "text", "text": "What is it?" },
                { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": PNG } },
            ] }] }),
        ),
        "images by address" => with(
            plain,
            json!({ "messages": [{ "role": "user", "content": [
                { "type": "image", "source": { "type": "url", "url": URL } },
            ] }] }),
        ),
        "thinking" => {
            let mut body = with(
                plain,
                json!({ "thinking": { "type": "enabled", "budget_tokens": 2048 }, "messages": [
                    { "role": "user", "content": "Hello" },
                    { "role": "assistant", "content": [
                        { "type": "thinking", "thinking": "Hm.", "signature": "c2ln" },
                        { "type": "redacted_thinking", "data": "b3BhcXVl" },
                        { "type": "text", "text": "Hi" },
                    ] },
                    { "role": "user", "content": "Again" },
                ] }),
            );
            body.as_object_mut().unwrap().remove("temperature");
            body
        }
        "cache marks" => with(
            plain,
            json!({
                "system": [{ "type": "text", "text": "Long.", "cache_control": { "type": "ephemeral", "ttl": "1h" } }],
                "messages": [{ "role": "user", "content": [
                    { "type": "text", "text": "Hello", "cache_control": { "type": "ephemeral" } },
                ] }],
            }),
        ),
        "structured output" => with(
            plain,
            json!({ "output_config": { "format": { "type": "json_schema", "schema": schema() } } }),
        ),
        _ => plain,
    }
}

fn converse(feature: &str) -> Value {
    let plain = json!({
        "inferenceConfig": { "maxTokens": 4000, "temperature": 0.5, "stopSequences": ["END"] },
        "system": [{ "text": "Be brief." }],
        "messages": [{ "role": "user", "content": [{ "text": "Hello" }] }],
    });
    let call = |id: &str, city: &str| json!({ "toolUse": { "toolUseId": id, "name": "weather", "input": { "city": city } } });
    let result =
        |id: &str| json!({ "toolResult": { "toolUseId": id, "content": [{ "text": "rain" }] } });
    let tool = json!({ "toolSpec": { "name": "weather", "description": "Weather of a city",
        "inputSchema": { "json": schema() } } });
    let user = json!({ "role": "user", "content": [{ "text": "Weather?" }] });
    match feature {
        "tools" => with(
            plain,
            json!({ "toolConfig": { "tools": [tool], "toolChoice": { "any": {} } }, "messages": [
                user, { "role": "assistant", "content": [call("c1", "Oslo")] }, { "role": "user", "content": [result("c1")] },
            ] }),
        ),
        "parallel tools" => with(
            plain,
            json!({ "toolConfig": { "tools": [tool] }, "messages": [
                user, { "role": "assistant", "content": [call("c1", "Oslo"), call("c2", "Rome")] },
                { "role": "user", "content": [result("c1"), result("c2")] },
            ] }),
        ),
        "images" => with(
            plain,
            json!({ "messages": [{ "role": "user", "content": [
                { "text": "What is it?" }, { "image": { "format": "png", "source": { "bytes": PNG } } },
            ] }] }),
        ),
        "thinking" => with(
            plain,
            json!({
                "inferenceConfig": { "maxTokens": 4000, "stopSequences": ["END"] },
                "additionalModelRequestFields": { "thinking": { "type": "enabled", "budget_tokens": 2048 } },
                "messages": [
                    { "role": "user", "content": [{ "text": "Hello" }] },
                    { "role": "assistant", "content": [
                        { "reasoningContent": { "reasoningText": { "text": "Hm.", "signature": "c2ln" } } },
                        { "reasoningContent": { "redactedContent": "b3BhcXVl" } },
                        { "text": "Hi" },
                    ] },
                    { "role": "user", "content": [{ "text": "Again" }] },
                ],
            }),
        ),
        "cache marks" => with(
            plain,
            json!({
                "system": [{ "text": "Long." }, { "cachePoint": { "type": "default", "ttl": "1h" } }],
                "messages": [{ "role": "user", "content": [
                    { "text": "Hello" }, { "cachePoint": { "type": "default" } },
                ] }],
            }),
        ),
        "structured output" => with(
            plain,
            json!({ "outputConfig": { "textFormat": { "type": "json_schema", "structure": {
                "jsonSchema": { "name": "place", "schema": schema().to_string() } } } } }),
        ),
        _ => plain,
    }
}

/// What the answers say: (parts of the dialect, reason to stop).
pub(crate) fn answer(outbound: Outbound, feature: &str) -> Value {
    match outbound {
        Outbound::Chat(_) => chat_answer(feature),
        Outbound::Messages => messages_answer(feature),
        Outbound::Converse => converse_answer(feature),
    }
}

fn chat_answer(feature: &str) -> Value {
    let call = |id: &str, city: &str| {
        json!({ "id": id, "type": "function",
            "function": { "name": "weather", "arguments": format!("{{\"city\":\"{city}\"}}") } })
    };
    let (message, reason) = match feature {
        "tools" => (
            json!({ "content": null, "tool_calls": [call("c1", "Oslo")] }),
            "tool_calls",
        ),
        "parallel tools" => (
            json!({ "content": "Both.", "tool_calls": [call("c1", "Oslo"), call("c2", "Rome")] }),
            "tool_calls",
        ),
        "thinking" => (
            json!({ "reasoning_content": "Hm.", "content": "Hi" }),
            "stop",
        ),
        _ => (json!({ "content": "Hi" }), "stop"),
    };
    let message = with(message, json!({ "role": "assistant" }));
    json!({
        "id": "x1", "model": "m", "object": "chat.completion",
        "choices": [{ "index": 0, "message": message, "finish_reason": reason }],
        "usage": { "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
            "prompt_tokens_details": { "cached_tokens": 60, "cache_write_tokens": 30 },
            "completion_tokens_details": { "reasoning_tokens": 5 } },
    })
}

fn messages_answer(feature: &str) -> Value {
    let call = |id: &str, city: &str| json!({ "type": "tool_use", "id": id, "name": "weather", "input": { "city": city } });
    let text = |text: &str| json!({ "type": "text", "text": text });
    let (content, reason) = match feature {
        "tools" => (json!([call("c1", "Oslo")]), "tool_use"),
        "parallel tools" => (
            json!([text("Both."), call("c1", "Oslo"), call("c2", "Rome")]),
            "tool_use",
        ),
        "thinking" => (
            json!([
                { "type": "thinking", "thinking": "Hm.", "signature": "c2ln" },
                { "type": "redacted_thinking", "data": "b3BhcXVl" },
                text("Hi"),
            ]),
            "end_turn",
        ),
        _ => (json!([text("Hi")]), "end_turn"),
    };
    json!({
        "id": "x1", "type": "message", "role": "assistant", "model": "m", "content": content,
        "stop_reason": reason, "stop_sequence": null,
        "usage": { "input_tokens": 10, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 30,
            "cache_creation": { "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10 },
            "output_tokens": 20 },
    })
}

fn converse_answer(feature: &str) -> Value {
    let call = |id: &str, city: &str| json!({ "toolUse": { "toolUseId": id, "name": "weather", "input": { "city": city } } });
    let (content, reason) = match feature {
        "tools" => (json!([call("c1", "Oslo")]), "tool_use"),
        "parallel tools" => (
            json!([{ "text": "Both." }, call("c1", "Oslo"), call("c2", "Rome")]),
            "tool_use",
        ),
        "thinking" => (
            json!([
                { "reasoningContent": { "reasoningText": { "text": "Hm.", "signature": "c2ln" } } },
                { "reasoningContent": { "redactedContent": "b3BhcXVl" } },
                { "text": "Hi" },
            ]),
            "end_turn",
        ),
        _ => (json!([{ "text": "Hi" }]), "end_turn"),
    };
    json!({
        "output": { "message": { "role": "assistant", "content": content } }, "stopReason": reason,
        "usage": { "inputTokens": 10, "outputTokens": 20, "totalTokens": 120,
            "cacheReadInputTokens": 60, "cacheWriteInputTokens": 30 },
        "metrics": { "latencyMs": 5 },
    })
}

/// A stream of text and two calls at once, with usage.
pub(crate) fn stream(outbound: Outbound) -> Vec<u8> {
    match outbound {
        Outbound::Chat(_) => chat_stream(),
        Outbound::Messages => messages_stream(),
        Outbound::Converse => converse_stream(),
    }
}

fn events(all: &[Value]) -> Vec<u8> {
    let mut out = String::new();
    for data in all {
        if let Some(name) = data["type"].as_str() {
            out.push_str(&format!("event: {name}\n"));
        }
        out.push_str(&format!("data: {data}\n\n"));
    }
    out.into_bytes()
}

#[expect(clippy::needless_pass_by_value, reason = "written where it is called")]
pub(crate) fn chunk(delta: Value, reason: Option<&str>) -> Value {
    json!({ "id": "x1", "object": "chat.completion.chunk", "model": "m", "created": 1,
        "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] })
}

pub(crate) fn chat_stream() -> Vec<u8> {
    let call = |index: u64, id: Option<&str>, arguments: &str| {
        let mut function = json!({ "arguments": arguments });
        let mut call = json!({ "index": index });
        if let Some(id) = id {
            function["name"] = "weather".into();
            call = with(call, json!({ "id": id, "type": "function" }));
        }
        call["function"] = function;
        chunk(json!({ "tool_calls": [call] }), None)
    };
    let mut out = b": keep-alive\n\n".to_vec();
    out.extend(events(&[
        chunk(json!({ "role": "assistant", "content": "" }), None),
        chunk(json!({ "content": "Bo" }), None),
        chunk(json!({ "content": "th é." }), None),
        call(0, Some("c1"), ""),
        call(0, None, "{\"city\":"),
        call(0, None, "\"Oslo\"}"),
        call(1, Some("c2"), "{\"city\":\"Rome\"}"),
        chunk(json!({}), Some("tool_calls")),
        json!({ "id": "x1", "object": "chat.completion.chunk", "model": "m", "created": 1, "choices": [],
            "usage": chat_answer("usage")["usage"] }),
    ]));
    out.extend(b"data: [DONE]\n\n");
    out
}

pub(crate) fn messages_stream() -> Vec<u8> {
    let start = |index: u64, block: Value| json!({ "type": "content_block_start", "index": index, "content_block": block });
    let delta = |index: u64, delta: Value| json!({ "type": "content_block_delta", "index": index, "delta": delta });
    let stop = |index: u64| json!({ "type": "content_block_stop", "index": index });
    let text = |text: &str| json!({ "type": "text_delta", "text": text });
    let input = |json: &str| json!({ "type": "input_json_delta", "partial_json": json });
    let call = |id: &str| json!({ "type": "tool_use", "id": id, "name": "weather", "input": {} });
    let mut first = messages_answer("usage")["usage"].clone();
    first["output_tokens"] = 1.into();
    events(&[
        json!({ "type": "message_start", "message": { "id": "x1", "type": "message", "role": "assistant",
            "model": "m", "content": [], "stop_reason": null, "usage": first } }),
        start(0, json!({ "type": "text", "text": "" })),
        json!({ "type": "ping" }),
        delta(0, text("Bo")),
        delta(0, text("th é.")),
        stop(0),
        start(1, call("c1")),
        delta(1, input("")),
        delta(1, input("{\"city\":")),
        delta(1, input("\"Oslo\"}")),
        stop(1),
        json!({ "type": "ping" }),
        start(2, call("c2")),
        delta(2, input("{\"city\":\"Rome\"}")),
        stop(2),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use", "stop_sequence": null },
            "usage": { "output_tokens": 20, "input_tokens": 10, "cache_read_input_tokens": 60 } }),
        json!({ "type": "message_stop" }),
    ])
}

/// CRC-32 bit by bit, so that the frames of the tests do not lean on the code that they test.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

pub(crate) fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(name.len() as u8);
        head.extend(name.bytes());
        head.push(7);
        head.extend((value.len() as u16).to_be_bytes());
        head.extend(value.bytes());
    }
    let mut out = ((head.len() + payload.len() + 16) as u32)
        .to_be_bytes()
        .to_vec();
    out.extend((head.len() as u32).to_be_bytes());
    out.extend(crc(&out).to_be_bytes());
    out.extend(head);
    out.extend(payload);
    out.extend(crc(&out).to_be_bytes());
    out
}

pub(crate) fn converse_event(name: &str, payload: &Value) -> Vec<u8> {
    let headers = [
        (":event-type", name),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    frame(&headers, payload.to_string().as_bytes())
}

pub(crate) fn converse_stream() -> Vec<u8> {
    let delta = |index: u64, delta: Value| {
        converse_event(
            "contentBlockDelta",
            &json!({ "contentBlockIndex": index, "delta": delta, "p": "abc" }),
        )
    };
    let start = |index: u64, id: &str| {
        converse_event(
            "contentBlockStart",
            &json!({ "contentBlockIndex": index, "start": { "toolUse": { "toolUseId": id, "name": "weather" } } }),
        )
    };
    let stop =
        |index: u64| converse_event("contentBlockStop", &json!({ "contentBlockIndex": index }));
    [
        converse_event("messageStart", &json!({ "role": "assistant" })),
        delta(0, json!({ "text": "Bo" })),
        delta(0, json!({ "text": "th é." })),
        stop(0),
        start(1, "c1"),
        delta(1, json!({ "toolUse": { "input": "{\"city\":" } })),
        delta(1, json!({ "toolUse": { "input": "\"Oslo\"}" } })),
        stop(1),
        start(2, "c2"),
        delta(2, json!({ "toolUse": { "input": "{\"city\":\"Rome\"}" } })),
        stop(2),
        converse_event("messageStop", &json!({ "stopReason": "tool_use" })),
        converse_event(
            "metadata",
            &json!({ "usage": converse_answer("usage")["usage"], "metrics": { "latencyMs": 5 } }),
        ),
    ]
    .concat()
}
