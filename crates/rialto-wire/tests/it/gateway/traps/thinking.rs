//! Thoughts and their signatures.

use rialto_wire::dialect::{Inbound, Outbound, read_answer, write_answer, write_request};
use rialto_wire::model::{Content, Losses, Request};
use serde_json::{Value, json};

use super::super::samples::{self};
use super::super::*;
use super::*;

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
        json!({ "type": "enabled", "budget_tokens": 3000 })
    );
    assert_eq!(
        (written.get("temperature"), written.get("top_p")),
        (None, None)
    );
    assert_eq!(losses, "thinking.budget, sampling");
    let (written, losses) = sent(CHAT, Outbound::Converse, &chat_body(think));
    assert_eq!(
        written["additionalModelRequestFields"]["thinking"]["budget_tokens"],
        3000
    );
    assert_eq!(losses, "thinking.budget, sampling");

    // Without a limit there is room for both.
    let mut open = chat_body(json!({ "reasoning_effort": "high" }));
    open.as_object_mut().unwrap().remove("max_tokens");
    let (written, losses) = sent(CHAT, Outbound::Messages, &open);
    assert_eq!(written["thinking"]["budget_tokens"], 16384);
    assert_eq!(
        (&written["max_tokens"], losses.as_str()),
        (&json!(36864), "max_tokens, thinking.budget")
    );

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
