//! Errors, and what comes after them.

use rialto_wire::dialect::{Inbound, Outbound, Passing, StreamWriter, read_error, write_error};
use rialto_wire::model::{Content, Delta, ErrorKind, Losses, ModelError, Stop};
use serde_json::json;

use super::super::samples::{self};
use super::super::*;
use super::*;

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
