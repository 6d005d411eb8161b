//! Where translations go wrong, one test a trap; each was reported of some gateway in public.

mod content;
mod errors;
mod streams;
mod thinking;
mod tools;

use rialto_wire::dialect::Inbound;
use rialto_wire::model::Usage;
use serde_json::{Value, json};

pub(super) const CHAT: Inbound = Inbound::Chat;

#[expect(clippy::needless_pass_by_value, reason = "written where it is called")]
pub(super) fn chat_body(more: Value) -> Value {
    let mut body = json!({ "model": "claude-m", "max_tokens": 4000, "messages": [{ "role": "user", "content": "Hi" }] });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

pub(super) fn messages_body(more: Value) -> Value {
    chat_body(more)
}

#[expect(clippy::needless_pass_by_value, reason = "written where it is called")]
pub(super) fn usage_of(dialect: Inbound, usage: Value) -> Usage {
    let body = match dialect {
        Inbound::Chat => json!({ "choices": [{ "message": { "content": "a" } }], "usage": usage }),
        Inbound::Responses => json!({ "output": [], "usage": usage }),
        Inbound::Messages => json!({ "content": [], "usage": usage }),
        Inbound::Converse => json!({ "output": { "message": { "content": [] } }, "usage": usage }),
    };
    rialto_wire::dialect::usage_of(dialect, body.to_string().as_bytes()).unwrap()
}
