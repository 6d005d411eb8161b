//! Anthropic's API.

use axum::http::HeaderName;
use rialto_outside::{Credential, SecretRef};
use rialto_wire::anthropic::TRANSLATED_VERSION;
use rialto_wire::dialect::Outbound;
use rialto_wire::openai::chat::Server;

use super::{Asks, Speaks, under};

pub(super) struct Anthropic;

impl Speaks for Anthropic {
    fn path(&self, base: &str, asks: Asks<'_>) -> Option<String> {
        let rest = match asks {
            Asks::Answer { .. } => "/messages",
            Asks::Count => "/messages/count_tokens",
            Asks::Models => "/models",
            Asks::Embeddings => return None,
        };
        Some(under(base, "/v1", rest))
    }

    fn credential(&self, key: SecretRef) -> Credential {
        Credential::in_header(HeaderName::from_static("x-api-key"), key)
    }

    fn dialect(&self, _: Server) -> Outbound {
        Outbound::Messages
    }

    fn passes(&self) -> &'static [&'static str] {
        &["anthropic-version", "anthropic-beta"]
    }

    /// A caller's own version replaces it.
    fn own_headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", TRANSLATED_VERSION)]
    }
}
