//! Bytes of a real server: llama.cpp (build 11549, by way of the Python package xllamacpp) with
//! SmolLM2-135M-Instruct, and Qwen2.5-Coder-0.5B for calls of tools, captured on a machine of ours. In
//! its ways: `error.code` is a number, the responses' stream leaves out `content_index`, the first
//! delta's content is null, a call's block has no input, cached tokens are told, each dialect in its
//! own way, and an error may come after a status of 200.

use rialto_wire::dialect::{Inbound, Passing, read_error, usage_of};
use rialto_wire::model::{ErrorKind, Stop, Usage};

use super::*;

const CHAT: &[u8] = include_bytes!("real/chat_stream.sse");
const CHAT_TOOL: &[u8] = include_bytes!("real/chat_tool_stream.sse");
const CHAT_ERROR: &[u8] = include_bytes!("real/chat_error_stream.sse");
const MESSAGES: &[u8] = include_bytes!("real/messages_stream.sse");
const MESSAGES_TOOL: &[u8] = include_bytes!("real/messages_tool_stream.sse");
const RESPONSES: &[u8] = include_bytes!("real/responses_stream.sse");
const RESPONSES_TOOL: &[u8] = include_bytes!("real/responses_tool_stream.sse");

fn usage(input: u64, cached: u64, output: u64) -> Usage {
    Usage {
        input: Some(input),
        cache_read: Some(cached),
        output: Some(output),
        ..Usage::default()
    }
}

fn text(text: &str) -> Vec<Content> {
    vec![Content::Text(text.into())]
}

#[test]
fn streams_of_text_come_to_the_answer() {
    let long = "I'm so glad you're here.";
    for (dialect, stream, want, told) in [
        (Inbound::Chat, CHAT, long, usage(12, 11, 8)),
        (Inbound::Messages, MESSAGES, long, usage(12, 11, 8)),
        (
            Inbound::Responses,
            RESPONSES,
            "I'm so glad you",
            usage(12, 11, 5),
        ),
    ] {
        let answer = assembled(dialect, stream).unwrap();
        assert_eq!(joined(&answer), text(want), "{dialect:?}");
        assert_eq!(answer.usage, told, "{dialect:?}");
    }
    assert_eq!(
        assembled(Inbound::Chat, CHAT).unwrap().stop,
        Stop::MaxTokens
    );
    assert_eq!(
        assembled(Inbound::Messages, MESSAGES).unwrap().stop,
        Stop::MaxTokens
    );
}

#[test]
fn streams_of_calls_come_to_the_call() {
    for (dialect, stream) in [
        (Inbound::Chat, CHAT_TOOL),
        (Inbound::Messages, MESSAGES_TOOL),
        (Inbound::Responses, RESPONSES_TOOL),
    ] {
        let answer = assembled(dialect, stream).unwrap();
        assert_eq!(answer.stop, Stop::ToolUse, "{dialect:?}");
        let [Content::ToolCall(call)] = &joined(&answer)[..] else {
            panic!("{dialect:?}: {answer:?}");
        };
        assert_eq!(
            (call.name.as_str(), call.arguments.as_str()),
            ("get_weather", r#"{"city":"Paris"}"#)
        );
        assert!(!call.id.is_empty(), "{dialect:?}");
    }
}

#[test]
fn a_call_is_the_same_in_every_dialect_that_it_is_translated_to() {
    for (outbound, stream) in [(chat(), CHAT_TOOL), (Outbound::Messages, MESSAGES_TOOL)] {
        let answer = assembled(as_inbound(outbound), stream).unwrap();
        for (inbound, _) in INBOUND {
            let (written, losses) = translated(inbound, outbound, &[stream]);
            let back = assembled(inbound, &written).unwrap();
            assert_eq!(joined(&back), joined(&answer), "{inbound:?}");
            assert_eq!(back.stop, Stop::ToolUse, "{inbound:?}");
            assert!(losses.is_empty(), "{losses:?}");
        }
    }
}

#[test]
fn whole_answers_are_read() {
    let chat: &[u8] = include_bytes!("real/chat.json");
    let messages: &[u8] = include_bytes!("real/messages.json");
    let responses: &[u8] = include_bytes!("real/responses.json");
    let want = text("I'm so glad you're here. I'm so glad");
    for (dialect, body, told) in [
        (Inbound::Chat, chat, usage(24 - 12, 0, 12)),
        (Inbound::Messages, messages, usage(12, 11, 12)),
        (Inbound::Responses, responses, usage(12, 11, 12)),
    ] {
        let (answer, _) = read_back(dialect, body);
        assert_eq!(joined(&answer), want, "{dialect:?}");
        assert_eq!(usage_of(dialect, body), Ok(told), "{dialect:?}");
    }
    let chat: &[u8] = include_bytes!("real/chat_tool.json");
    let messages: &[u8] = include_bytes!("real/messages_tool.json");
    for (dialect, body) in [(Inbound::Chat, chat), (Inbound::Messages, messages)] {
        let (answer, _) = read_back(dialect, body);
        assert_eq!(answer.stop, Stop::ToolUse);
        // An empty text beside the call is nothing.
        assert_eq!(answer.parts.len(), 1, "{dialect:?}");
    }
    let models = openai::models::read_list(include_bytes!("real/models.json")).unwrap();
    assert_eq!(models[0].id, "smol");
    assert_eq!(
        anthropic::read_count(br#"{"input_tokens":12}"#).unwrap(),
        12
    );
}

#[test]
fn an_error_after_a_status_of_200_ends_every_callers_stream_in_its_own_words() {
    let error = assembled(Inbound::Chat, CHAT_ERROR).unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Server, Some("500"))
    );
    assert!(error.message.contains("peg-native"));
    for (inbound, _) in INBOUND {
        let (written, _) = translated(inbound, chat(), &[CHAT_ERROR]);
        let back = assembled(inbound, &written).unwrap_err();
        assert_eq!(back.message, error.message, "{inbound:?}");
        assert!(!written.ends_with(b"[DONE]\n\n"));
    }
    let (mut passing, mut out) = (Passing::new(Inbound::Chat, true), Vec::new());
    passing.push(CHAT_ERROR, &mut out);
    passing.finish(&mut out);
    assert_eq!(out, CHAT_ERROR);
    assert_eq!(passing.heard.ended, Some(Err(error)));
}

#[test]
fn numbers_as_codes_are_read_by_what_they_say() {
    for (status, body, want) in [
        (
            400,
            r#"{"error":{"code":400,"message":"request (6010 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":6010,"n_ctx":4096}}"#,
            ErrorKind::ContextTooLong,
        ),
        (
            503,
            r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#,
            ErrorKind::Unavailable,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"Expected 'messages' to be an array","type":"invalid_request_error"}}"#,
            ErrorKind::BadRequest,
        ),
        (
            404,
            r#"{"error":{"message":"File Not Found","type":"not_found_error","code":404}}"#,
            ErrorKind::NotFound,
        ),
    ] {
        for outbound in [chat(), Outbound::Messages] {
            let error = read_error(outbound, status, |_| None, body.as_bytes());
            assert_eq!(error.kind, want, "{body}");
            assert_eq!(error.code, Some(status.to_string()));
        }
    }
}

#[test]
fn the_chunk_of_the_usage_is_left_out_and_nothing_else() {
    let (mut passing, mut out) = (Passing::new(Inbound::Chat, true), Vec::new());
    passing.push(CHAT, &mut out);
    passing.finish(&mut out);
    let (want, text) = (
        std::str::from_utf8(CHAT).unwrap(),
        String::from_utf8(out).unwrap(),
    );
    let usage = want.find("data: {\"choices\":[],").unwrap();
    let done = want.find("data: [DONE]").unwrap();
    assert_eq!(text, format!("{}{}", &want[..usage], &want[done..]));
    assert_eq!(passing.heard.usage.output, Some(8));
    assert!(passing.heard.content);
}
