//! Versions, reasons to stop, instructions, marks, images, and what is lost.

use rialto_wire::dialect::{Inbound, Outbound, read_answer, write_answer, write_request};
use rialto_wire::model::{Content, ErrorKind, Losses, Part, Request, Role, Source};
use serde_json::{Value, json};

use super::super::matrix::{stopped, stops};
use super::super::samples::{self};
use super::super::*;
use super::*;

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
