//! Translation between the dialects of model servers.

mod clients;
mod hostile;
mod matrix;
mod real;
mod samples;
mod signatures;
mod traps;

use rialto_wire::anthropic;
use rialto_wire::bedrock;
use rialto_wire::dialect::{Inbound, Outbound, StreamReader, Translation};
use rialto_wire::model::{Answer, Assembly, Content, Delta, Losses, ModelError, Request, Told};
use rialto_wire::openai::{self, chat::Server};
use serde_json::Value;

pub(crate) const INBOUND: [(Inbound, &str); 4] = [
    (Inbound::Chat, "OpenAI chat completions"),
    (Inbound::Responses, "OpenAI responses"),
    (Inbound::Messages, "Anthropic messages"),
    (Inbound::Converse, "Bedrock converse"),
];

pub(crate) fn chat() -> Outbound {
    Outbound::Chat(Server::default())
}

pub(crate) fn outbound() -> [(Outbound, &'static str); 3] {
    [
        (chat(), "OpenAI-compatible chat"),
        (Outbound::Messages, "Anthropic"),
        (Outbound::Converse, "Bedrock"),
    ]
}

/// The inbound dialect that a server's is.
pub(crate) fn as_inbound(outbound: Outbound) -> Inbound {
    match outbound {
        Outbound::Chat(_) => Inbound::Chat,
        Outbound::Messages => Inbound::Messages,
        Outbound::Converse => Inbound::Converse,
    }
}

pub(crate) const PATH: &str = "/model/claude-m/converse";

pub(crate) fn told() -> Told {
    Told {
        id: "given".into(),
        created: 1_796_074_131,
        include_usage: true,
        input_estimate: 7,
        latency_ms: 12,
        ..Told::default()
    }
}

pub(crate) fn read(inbound: Inbound, body: &str) -> Result<(Request, Losses), ModelError> {
    let mut losses = Losses::default();
    let path = match body.contains(r#""stream_me":true"#) {
        true => "/model/claude-m/converse-stream",
        false => PATH,
    };
    let request = rialto_wire::dialect::read_request(inbound, path, body.as_bytes(), &mut losses)?;
    Ok((request, losses))
}

pub(crate) fn write(outbound: Outbound, request: &Request) -> Result<(Value, Losses), ModelError> {
    let mut losses = Losses::default();
    let sent = rialto_wire::dialect::write_request(outbound, request, &mut losses)?;
    Ok((serde_json::from_slice(&sent.body).unwrap(), losses))
}

/// A request as it is sent on, and all that was lost.
pub(crate) fn sent(inbound: Inbound, outbound: Outbound, body: &Value) -> (Value, String) {
    let (request, mut losses) = read(inbound, &body.to_string()).unwrap();
    let (body, more) = write(outbound, &request).unwrap();
    more.all().iter().for_each(|l| losses.add(l.clone()));
    (body, losses.header())
}

/// An answer as whoever speaks the dialect reads it.
pub(crate) fn read_back(dialect: Inbound, body: &[u8]) -> (Answer, Losses) {
    let mut losses = Losses::default();
    let answer = match dialect {
        Inbound::Chat => openai::read_answer(body, &mut losses),
        Inbound::Responses => openai::read_response(body, &mut losses),
        Inbound::Messages => anthropic::read_answer(body, &mut losses),
        Inbound::Converse => bedrock::read_answer(body, &mut losses),
    };
    (answer.unwrap(), losses)
}

pub(crate) fn deltas(dialect: Inbound, pieces: &[&[u8]]) -> Vec<Delta> {
    let (mut reader, mut out) = (StreamReader::new(dialect), Vec::new());
    for piece in pieces {
        reader.push(piece, &mut out);
    }
    reader.finish(&mut out);
    out
}

pub(crate) fn assembled(dialect: Inbound, stream: &[u8]) -> Result<Answer, ModelError> {
    let mut whole = Assembly::default();
    deltas(dialect, &[stream])
        .iter()
        .for_each(|d| whole.push(d));
    whole.finish()
}

/// A translation of the answer to a plain request.
pub(crate) fn translation(inbound: Inbound, outbound: Outbound) -> Translation {
    let request = Request {
        model: "claude-m".into(),
        max_tokens: Some(100),
        ..Request::default()
    };
    let mut losses = Losses::default();
    let sent = rialto_wire::dialect::write_request(outbound, &request, &mut losses).unwrap();
    Translation::new(inbound, outbound, &sent, told())
}

pub(crate) fn translated(
    inbound: Inbound,
    outbound: Outbound,
    pieces: &[&[u8]],
) -> (Vec<u8>, Losses) {
    let (mut translation, mut out) = (translation(inbound, outbound), Vec::new());
    for piece in pieces {
        translation.push(piece, &mut out);
    }
    translation.finish(&mut out);
    (out, translation.losses)
}

/// Texts in a row are one text: dialects cut them as they like.
pub(crate) fn joined(answer: &Answer) -> Vec<Content> {
    let mut parts: Vec<Content> = Vec::new();
    for part in &answer.parts {
        match (parts.last_mut(), &part.content) {
            (Some(Content::Text(text)), Content::Text(more)) => text.push_str(more),
            (_, Content::ToolCall(call)) => {
                let mut call = call.clone();
                // As a value: blanks in JSON say nothing.
                let json: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
                call.arguments = json.to_string();
                parts.push(Content::ToolCall(call));
            }
            (_, other) => parts.push(other.clone()),
        }
    }
    parts
}

/// The `data` of every event of a stream of server-sent events.
pub(crate) fn data(stream: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stream).unwrap();
    let lines = text.lines().filter_map(|l| l.strip_prefix("data: "));
    let values = lines.map(|d| serde_json::from_str(d).unwrap_or_else(|_| Value::from(d)));
    values.collect()
}
