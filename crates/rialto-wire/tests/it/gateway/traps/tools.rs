//! Tools and their calls.

use rialto_wire::dialect::{Inbound, Outbound, read_answer, write_request};
use rialto_wire::model::{Content, ErrorKind, Losses, Stop};
use serde_json::{Value, json};

use super::super::samples::{self, chunk, converse_event};
use super::super::*;
use super::*;

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
fn results_come_first_in_their_turn_wherever_the_caller_put_them() {
    let mut body = samples::request(Inbound::Messages, "parallel tools");
    let blocks = body["messages"][2]["content"].as_array_mut().unwrap();
    blocks.rotate_right(1);
    let (written, losses) = sent(Inbound::Messages, Outbound::Converse, &body);
    let blocks = written["messages"][2]["content"].as_array().unwrap();
    assert!(blocks[0].get("toolResult").is_some() && blocks[2].get("text").is_some());
    assert_eq!(losses, "order");
    let (written, losses) = sent(Inbound::Messages, chat(), &body);
    assert_eq!(
        written["messages"][5],
        json!({ "role": "user", "content": "Well?" })
    );
    assert_eq!(losses, "order");
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
