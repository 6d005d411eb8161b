//! Amazon Bedrock's runtime, by a Bedrock API key as the bearer token.

use rialto_outside::{Credential, SecretRef};
use rialto_wire::bedrock;
use rialto_wire::dialect::Outbound;
use rialto_wire::openai::chat::Server;

use super::{Asks, Speaks};

pub(super) struct Bedrock;

impl Speaks for Bedrock {
    fn path(&self, base: &str, asks: Asks<'_>) -> Option<String> {
        match asks {
            Asks::Answer { model, stream } => {
                Some(format!("{base}{}", bedrock::path(model, stream)))
            }
            Asks::Embeddings | Asks::Count | Asks::Models => None,
        }
    }

    fn credential(&self, key: SecretRef) -> Credential {
        Credential::bearer(key)
    }

    fn dialect(&self, _: Server) -> Outbound {
        Outbound::Converse
    }

    fn passes(&self) -> &'static [&'static str] {
        &[]
    }

    fn own_headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
}
