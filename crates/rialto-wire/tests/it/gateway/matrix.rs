//! What each pair of dialects carries, measured, and pinned in docs/gateway-conformance.md.
//!
//! A request is read from the caller's dialect, written in the server's, and read again from that:
//! what differs must have been named as lost. An answer goes the other way the same. So a cell says
//! `carried` only if both directions came back equal. `RIALTO_BLESS=1` writes the tables anew.

use std::collections::BTreeSet;
use std::path::Path;

use rialto_wire::dialect::{
    Inbound, Outbound, Passing, pass_request, peek, read_answer, read_error, write_answer,
    write_error, write_request,
};
use rialto_wire::model::{Answer, Format, Loss, Losses, ModelError, Request};
use serde_json::{Value, json};

use super::samples::{self, FEATURES};
use super::*;

/// The streaming path of Converse names the operation.
fn path(inbound: Inbound, feature: &str) -> &'static str {
    match (inbound, feature) {
        (Inbound::Converse, "stream") => "/model/claude-m/converse-stream",
        _ => PATH,
    }
}

/// What says the same in every dialect.
fn settled(mut request: Request) -> Request {
    request.include_usage = false;
    // Every server's default.
    request.parallel = request.parallel.filter(|p| !p);
    if let Some(Format::Schema { name, .. }) = &mut request.format {
        // The name that is given to a schema without one.
        *name = name.take().filter(|name| name != "answer");
    }
    if request.choice == Some(rialto_wire::model::Choice::Auto) {
        request.choice = None;
    }
    for part in request.messages.iter_mut().flat_map(|m| &mut m.parts) {
        if let Content::ToolCall(call) = &mut part.content {
            let json: Value = serde_json::from_str(&call.arguments).unwrap();
            call.arguments = json.to_string();
        }
    }
    request
}

/// The losses of a request, or why it is refused.
fn requested(inbound: Inbound, outbound: Outbound, feature: &str) -> Result<Losses, ModelError> {
    let body = samples::request(inbound, feature).to_string();
    let mut losses = Losses::default();
    let path = path(inbound, feature);
    let request = rialto_wire::dialect::read_request(inbound, path, body.as_bytes(), &mut losses)?;
    let sent = write_request(outbound, &request, &mut losses)?;
    let mut none = Losses::default();
    let path = bedrock::path(&request.model, request.stream);
    let back =
        rialto_wire::dialect::read_request(as_inbound(outbound), &path, &sent.body, &mut none)
            .unwrap_or_else(|e| panic!("{inbound:?} {outbound:?} {feature}: {e}"));
    assert!(
        none.is_empty(),
        "{inbound:?} {outbound:?} {feature}: {none:?}"
    );
    if losses.is_empty() {
        assert_eq!(
            settled(back),
            settled(request),
            "{inbound:?} {outbound:?} {feature}"
        );
    }
    Ok(losses)
}

/// The losses of an answer on its way back.
fn answered(inbound: Inbound, outbound: Outbound, body: &Value, losses: &mut Losses) {
    let request = Request {
        model: "claude-m".into(),
        ..Request::default()
    };
    let sent = write_request(outbound, &request, &mut Losses::default()).unwrap();
    let body = body.to_string();
    let answer = read_answer(outbound, &sent, body.as_bytes(), losses).unwrap();
    let mut new = Losses::default();
    let written = write_answer(inbound, &answer, &told(), &mut new);
    let (back, none) = read_back(inbound, &written);
    assert!(none.is_empty(), "{inbound:?} {outbound:?} {none:?}");
    same(
        &back,
        &answer,
        &new,
        &format!("{inbound:?} {outbound:?} {body}"),
    );
    new.all().iter().for_each(|l| losses.add(l.clone()));
}

/// Whatever differs was named.
fn same(back: &Answer, answer: &Answer, losses: &Losses, about: &str) {
    if !losses.all().iter().any(|l| matches!(l, Loss::UsageDetail)) {
        assert_eq!(settled_usage(back), settled_usage(answer), "{about}");
    }
    if losses.all().iter().all(|l| matches!(l, Loss::UsageDetail)) {
        assert_eq!(joined(back), joined(answer), "{about}");
        assert_eq!(back.stop, answer.stop, "{about}");
    }
}

fn settled_usage(answer: &Answer) -> [u64; 5] {
    let usage = &answer.usage;
    [
        usage.input.unwrap_or(0),
        usage.output.unwrap_or(0),
        usage.cache_read.unwrap_or(0),
        usage.cache_write(),
        usage.reasoning.unwrap_or(0),
    ]
}

/// A stream and the same stream translated come to the same answer.
fn streamed(inbound: Inbound, outbound: Outbound, losses: &mut Losses) {
    let stream = samples::stream(outbound);
    let answer = assembled(as_inbound(outbound), &stream).unwrap();
    let (written, new) = translated(inbound, outbound, &[&stream]);
    let back = assembled(inbound, &written).unwrap();
    same(
        &back,
        &answer,
        &new,
        &format!("{inbound:?} {outbound:?} stream"),
    );
    // The usage of the samples has its own row.
    let new = new.all().iter().filter(|l| **l != Loss::UsageDetail);
    new.for_each(|l| losses.add(l.clone()));
}

/// Every reason to stop of a server.
pub(super) fn stops(outbound: Outbound) -> &'static [&'static str] {
    match outbound {
        Outbound::Chat(_) => &[
            "stop",
            "length",
            "tool_calls",
            "content_filter",
            "new_reason",
        ],
        Outbound::Messages => &[
            "end_turn",
            "max_tokens",
            "stop_sequence",
            "tool_use",
            "refusal",
            "model_context_window_exceeded",
            "pause_turn",
            "new_reason",
        ],
        Outbound::Converse => &[
            "end_turn",
            "tool_use",
            "max_tokens",
            "stop_sequence",
            "content_filtered",
            "guardrail_intervened",
            "model_context_window_exceeded",
            "malformed_tool_use",
            "new_reason",
        ],
    }
}

pub(super) fn stopped(outbound: Outbound, reason: &str) -> Value {
    let feature = if reason.starts_with("tool") {
        "tools"
    } else {
        "text"
    };
    let mut answer = samples::answer(outbound, feature);
    match outbound {
        Outbound::Chat(_) => answer["choices"][0]["finish_reason"] = reason.into(),
        Outbound::Messages => answer["stop_reason"] = reason.into(),
        Outbound::Converse => answer["stopReason"] = reason.into(),
    }
    answer
}

/// The reasons that do not come back as they were, and the losses that say so.
fn stop_cell(inbound: Inbound, outbound: Outbound) -> String {
    let mut lossy = Vec::new();
    for reason in stops(outbound) {
        let mut losses = Losses::default();
        answered(inbound, outbound, &stopped(outbound, reason), &mut losses);
        let named = losses.all().iter().filter(|l| **l != Loss::UsageDetail);
        let named: Vec<String> = named.map(ToString::to_string).collect();
        if !named.is_empty() {
            lossy.push(format!("`{reason}` ({})", named.join(", ")));
        }
    }
    match lossy.is_empty() {
        true => "carried".into(),
        false => format!("carried but {}", lossy.join(", ")),
    }
}

/// Errors as servers of a dialect tell them: status, header, body.
pub(super) fn errors(outbound: Outbound) -> Vec<(u16, &'static str, Value)> {
    let openai = |kind: &str, code: Value| json!({ "error": { "message": "m", "type": kind, "code": code } });
    let anthropic =
        |kind: &str| json!({ "type": "error", "error": { "type": kind, "message": "m" } });
    let message = json!({ "message": "m" });
    match outbound {
        Outbound::Chat(_) => vec![
            (400, "", openai("invalid_request_error", Value::Null)),
            (
                400,
                "",
                openai("invalid_request_error", "context_length_exceeded".into()),
            ),
            (
                401,
                "",
                openai("authentication_error", "invalid_api_key".into()),
            ),
            (403, "", openai("permission_error", Value::Null)),
            (
                404,
                "",
                openai("invalid_request_error", "model_not_found".into()),
            ),
            (
                429,
                "",
                openai("rate_limit_error", "rate_limit_exceeded".into()),
            ),
            (
                429,
                "",
                openai("insufficient_quota", "insufficient_quota".into()),
            ),
            (500, "", openai("server_error", Value::Null)),
            (503, "", openai("unavailable_error", 503.into())),
        ],
        Outbound::Messages => vec![
            (400, "", anthropic("invalid_request_error")),
            (401, "", anthropic("authentication_error")),
            (402, "", anthropic("billing_error")),
            (403, "", anthropic("permission_error")),
            (404, "", anthropic("not_found_error")),
            (413, "", anthropic("request_too_large")),
            (429, "", anthropic("rate_limit_error")),
            (500, "", anthropic("api_error")),
            (504, "", anthropic("timeout_error")),
            (529, "", anthropic("overloaded_error")),
        ],
        Outbound::Converse => vec![
            (400, "ValidationException", message.clone()),
            (403, "AccessDeniedException", message.clone()),
            (404, "ResourceNotFoundException", message.clone()),
            (408, "ModelTimeoutException", message.clone()),
            (424, "ModelErrorException", message.clone()),
            (429, "ThrottlingException", message.clone()),
            (429, "ModelNotReadyException", message.clone()),
            (500, "InternalServerException", message.clone()),
            (503, "ServiceUnavailableException", message),
        ],
    }
}

fn error_cell(inbound: Inbound, outbound: Outbound) -> String {
    let mut changed = BTreeSet::new();
    for (status, name, body) in errors(outbound) {
        let header = |n: &str| (n == "x-amzn-errortype" && !name.is_empty()).then_some(name);
        let error = read_error(outbound, status, header, body.to_string().as_bytes());
        let answer = write_error(inbound, &error);
        let header = |n: &str| {
            let found = answer.headers.iter().find(|(name, _)| *name == n);
            found.map(|(_, value)| value.as_str())
        };
        let spoken = match inbound {
            Inbound::Chat | Inbound::Responses => chat(),
            Inbound::Messages => Outbound::Messages,
            Inbound::Converse => Outbound::Converse,
        };
        let back = read_error(spoken, answer.status, header, &answer.body);
        assert_eq!(
            back.retryable(),
            error.retryable(),
            "{inbound:?} {status} {name} {body}"
        );
        if back.kind != error.kind {
            changed.insert(format!("{:?} as {:?}", error.kind, back.kind));
        }
    }
    match changed.is_empty() {
        true => "carried".into(),
        false => {
            let changed: Vec<String> = changed.into_iter().collect();
            format!("carried but {}", changed.join(", "))
        }
    }
}

/// Where both speak the same, every byte passes.
fn passes(inbound: Inbound, outbound: Outbound, feature: &str) -> String {
    let body = samples::request(inbound, feature).to_string();
    let mut peeked = peek(inbound, path(inbound, feature), body.as_bytes()).unwrap();
    assert_eq!(
        (peeked.model.as_str(), peeked.max_tokens),
        ("claude-m", Some(4000))
    );
    assert_eq!(peeked.stream, feature == "stream");
    peeked.include_usage = true;
    let sent = pass_request(outbound, &peeked, ("claude-m", None), body.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(sent).unwrap(), body);
    let stream = samples::stream(outbound);
    let (mut passing, mut out) = (Passing::new(inbound, false), Vec::new());
    passing.push(&stream, &mut out);
    passing.finish(&mut out);
    assert_eq!(out, stream);
    assert_eq!(passing.heard.ended, Some(Ok(())));
    assert_eq!(passing.heard.usage.input, Some(100));
    "passes".into()
}

fn cell(inbound: Inbound, outbound: Outbound, feature: &str) -> String {
    if inbound.is_same(outbound) {
        return passes(inbound, outbound, feature);
    }
    let nothing = [
        (Inbound::Responses, "cache marks"),
        (Inbound::Converse, "images by address"),
    ];
    if nothing.contains(&(inbound, feature)) {
        return "none in the dialect".into();
    }
    match feature {
        "stop reasons" => return stop_cell(inbound, outbound),
        "errors" => return error_cell(inbound, outbound),
        _ => {}
    }
    let mut losses = match requested(inbound, outbound, feature) {
        Ok(losses) => losses,
        Err(error) => return format!("refused: `{}`", error.code.unwrap_or_default()),
    };
    match feature {
        "stream" => streamed(inbound, outbound, &mut losses),
        "usage" => answered(
            inbound,
            outbound,
            &samples::answer(outbound, feature),
            &mut losses,
        ),
        _ => {
            let mut more = Losses::default();
            answered(
                inbound,
                outbound,
                &samples::answer(outbound, feature),
                &mut more,
            );
            let more = more.all().iter().filter(|l| **l != Loss::UsageDetail);
            more.for_each(|l| losses.add(l.clone()));
        }
    }
    match losses.is_empty() {
        true => "carried".into(),
        false => format!("lossy: {}", losses.header()),
    }
}

const HEAD: &str = "# Gateway conformance

What a request and its answer keep on their way between the dialect of a caller and that of a model's server. The tests
write this page: a request is translated and read again from the result, an answer the same way back. `passes`: both
speak the same, every byte stays. `carried`: both directions came back equal. `lossy`: what is named was not carried as
it was said; the names stand in the answer's header. `refused`: to leave it out would change what is asked.

Answers are tried with text, calls of tools and thoughts, streams with text and two calls at once; each stream is cut at
every byte, and must come to the same. Embeddings and the list of models are spoken with OpenAI-compatible servers only;
`count_tokens` has an answer of its own.
";

fn document() -> String {
    let mut page = String::from(HEAD);
    for (inbound, name) in INBOUND {
        page.push_str(&format!("\n## From {name}\n\n| |"));
        outbound()
            .iter()
            .for_each(|(_, name)| page.push_str(&format!(" to {name} |")));
        page.push_str("\n|---|---|---|---|\n");
        for feature in FEATURES {
            page.push_str(&format!("| {feature} |"));
            for (outbound, _) in outbound() {
                page.push_str(&format!(" {} |", cell(inbound, outbound, feature)));
            }
            page.push('\n');
        }
    }
    page.push_str("\n## Losses\n\n| name | meaning |\n|---|---|\n");
    for loss in Loss::NAMED {
        page.push_str(&format!("| `{loss}` | {} |\n", loss.meaning()));
    }
    page.push_str("| `field.NAME` | A field that only the caller's dialect knows. |\n");
    page.push_str("| `kind.NAME` | A kind of part, item or tool that has no equal. |\n");
    page
}

#[test]
fn every_pair_carries_what_the_document_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gateway-conformance.md");
    let measured = document();
    if std::env::var_os("RIALTO_BLESS").is_some() {
        std::fs::write(&path, &measured).unwrap();
        return;
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == measured,
        "docs/gateway-conformance.md is behind the code: run the tests once with RIALTO_BLESS=1"
    );
}
