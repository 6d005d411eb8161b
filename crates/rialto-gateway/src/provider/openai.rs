//! OpenAI's API, and the many servers that speak like it.

use rialto_outside::{Credential, SecretRef};
use rialto_wire::dialect::Outbound;
use rialto_wire::openai::chat::Server;

use super::{Asks, Speaks, under};

pub(super) struct OpenAi;

impl Speaks for OpenAi {
    fn path(&self, base: &str, asks: Asks<'_>) -> Option<String> {
        let rest = match asks {
            Asks::Answer { .. } => "/chat/completions",
            Asks::Embeddings => "/embeddings",
            Asks::Models => "/models",
            Asks::Count => return None,
        };
        Some(under(base, "/v1", rest))
    }

    fn credential(&self, key: SecretRef) -> Credential {
        Credential::bearer(key)
    }

    fn dialect(&self, server: Server) -> Outbound {
        Outbound::Chat(server)
    }

    fn passes(&self) -> &'static [&'static str] {
        &["openai-beta"]
    }

    fn own_headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
}
