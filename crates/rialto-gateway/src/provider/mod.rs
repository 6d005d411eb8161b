//! Providers: the servers of models that the operator's settings name.
//!
//! One file for each kind, which says how a request reaches it: its addresses, its headers, its dialect. What all
//! have in common is here: the settings, the connections, and the key, which is read from where it is kept, never
//! stands in settings, and is never shown.

mod anthropic;
mod bedrock;
mod openai;

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::HeaderName;
use axum::http::{HeaderMap, Uri, header};
use rialto_outside::{
    CallError, Connections, Credential, OpenHost, OutsideError, SecretError, SecretRef, Vault,
};
use rialto_wire::dialect::Outbound;
use rialto_wire::openai::chat::Server;

/// How long a provider may take until the first of its answer comes, unless its settings say otherwise.
pub const FIRST: Duration = Duration::from_secs(120);
/// The longest pause within an answer that comes in pieces, unless its settings say otherwise.
pub const PAUSE: Duration = Duration::from_secs(60);
/// How many tokens an answer may have where neither caller nor settings say it.
pub const OUTPUT: u64 = 4_096;
/// How long a key is used before it is read again from where it is kept.
const KEY_KEPT: Duration = Duration::from_secs(60);

/// What a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// OpenAI's API, and what speaks like it: vLLM, SGLang, llama.cpp, Ollama and others.
    OpenAi,
    /// Anthropic's API.
    Anthropic,
    /// Amazon Bedrock's Converse, by a Bedrock API key.
    Bedrock,
}

impl Kind {
    /// Every kind, by the word of settings.
    pub const ALL: [(&'static str, Self); 3] = [
        ("openai", Self::OpenAi),
        ("anthropic", Self::Anthropic),
        ("bedrock", Self::Bedrock),
    ];

    fn speaks(self) -> &'static dyn Speaks {
        match self {
            Self::OpenAi => &openai::OpenAi,
            Self::Anthropic => &anthropic::Anthropic,
            Self::Bedrock => &bedrock::Bedrock,
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == word);
        let names: Vec<_> = Self::ALL.iter().map(|(name, _)| *name).collect();
        found
            .map(|(_, kind)| *kind)
            .ok_or_else(|| format!("write one of {}", names.join(", ")))
    }
}

/// What is asked of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks<'a> {
    /// An answer of a model, in pieces or whole.
    Answer {
        /// The provider's name of the model.
        model: &'a str,
        /// Whether it comes in pieces.
        stream: bool,
    },
    /// Embeddings.
    Embeddings,
    /// How many tokens a request has.
    Count,
    /// Which models there are.
    Models,
}

/// How one kind of provider is spoken to.
trait Speaks: Send + Sync {
    /// The path after the base address; none where the kind has no such thing.
    fn path(&self, base: &str, asks: Asks<'_>) -> Option<String>;

    /// How its key goes with a request.
    fn credential(&self, key: SecretRef) -> Credential;

    /// Its dialect.
    fn dialect(&self, server: Server) -> Outbound;

    /// What of the caller's headers goes on to it, where the dialect is the same.
    fn passes(&self) -> &'static [&'static str];

    /// The headers of a request that was translated.
    fn own_headers(&self) -> &'static [(&'static str, &'static str)];
}

/// The first of some paths below a base that has its version in it already, or not.
fn under(base: &str, version: &str, rest: &str) -> String {
    let base = base.trim_end_matches('/');
    let last = base.rsplit('/').next().unwrap_or_default();
    let versioned = last
        .strip_prefix('v')
        .is_some_and(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
    match versioned {
        true => format!("{base}{rest}"),
        false => format!("{base}{version}{rest}"),
    }
}

/// What settings say of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What it speaks.
    pub kind: Kind,
    /// Its base address.
    pub url: String,
    /// Where its key is kept, if it wants one.
    pub key: Option<SecretRef>,
    /// How many tokens an answer may have where the caller does not say it.
    pub max_output: u64,
    /// How long it may take until the first of its answer comes.
    pub first: Duration,
    /// The longest pause within an answer.
    pub pause: Duration,
    /// Of servers that speak as OpenAI: what they take.
    pub server: Server,
}

/// Why a provider's settings cannot be used. Does not repeat the address, which may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It is no address of a server.
    #[error("{0}")]
    Address(String),
    /// A secret would cross a network in the clear.
    #[error("a key is sent over https only, or over http to this machine")]
    Clear,
}

struct Key {
    read: Instant,
    headers: HeaderMap,
}

/// A provider.
pub struct Provider {
    name: String,
    terms: Terms,
    /// The address without its path and query, for people and logs.
    origin: String,
    base: String,
    credential: Option<Credential>,
    key: Mutex<Option<Key>>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Provider");
        shown.field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for Provider {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.terms) == (&other.name, &other.terms)
    }
}

impl Provider {
    /// A provider as settings name it.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn new(name: &str, terms: Terms) -> Result<Self, ProviderError> {
        let bad = |why: &str| ProviderError::Address(why.to_owned());
        let uri: Uri = terms.url.parse().map_err(|_| bad("this is no URL"))?;
        OpenHost::of(&uri).map_err(|e| match e {
            CallError::Address(why) => bad(why),
            other => bad(&other.to_string()),
        })?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.authority()) else {
            return Err(bad("this is no URL"));
        };
        if uri.query().is_some() {
            return Err(bad("write it without a query"));
        }
        if terms.key.is_some() && scheme != "https" && !is_loopback(host.host()) {
            return Err(ProviderError::Clear);
        }
        let speaks = terms.kind.speaks();
        Ok(Self {
            name: name.to_owned(),
            origin: format!("{scheme}://{host}"),
            base: uri.path().trim_end_matches('/').to_owned(),
            credential: terms.key.clone().map(|key| speaks.credential(key)),
            key: Mutex::default(),
            terms,
        })
    }

    /// What settings call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What settings say of it.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The address without its path, for people and logs.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.origin
    }

    /// Its dialect.
    #[must_use]
    pub fn dialect(&self) -> Outbound {
        self.terms.kind.speaks().dialect(self.terms.server)
    }

    /// The address for what is asked of it; none where its kind has no such thing.
    pub(crate) fn address(&self, asks: Asks<'_>) -> Option<String> {
        let path = self.terms.kind.speaks().path(&self.base, asks)?;
        Some(format!("{}{path}", self.origin))
    }

    /// The headers of a request, the key among them.
    ///
    /// # Errors
    /// [`SecretError`] when the key cannot be had.
    pub(crate) fn headers(
        &self,
        from: Option<&HeaderMap>,
        vault: Option<&Vault>,
    ) -> Result<HeaderMap, SecretError> {
        let mut headers = self.key(vault)?;
        let speaks = self.terms.kind.speaks();
        for (name, value) in speaks.own_headers() {
            let value = header::HeaderValue::from_static(value);
            headers.insert(HeaderName::from_static(name), value);
        }
        for name in speaks.passes() {
            if let Some(value) = from.and_then(|from| from.get(*name)) {
                headers.insert(HeaderName::from_static(name), value.clone());
            }
        }
        Ok(headers)
    }

    /// Forgets the key, so that it is read anew: it was refused.
    pub(crate) fn forget_key(&self) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn key(&self, vault: Option<&Vault>) -> Result<HeaderMap, SecretError> {
        let Some(credential) = &self.credential else {
            return Ok(HeaderMap::new());
        };
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = kept.as_ref().filter(|key| key.read.elapsed() < KEY_KEPT) {
            return Ok(key.headers.clone());
        }
        let mut headers = HeaderMap::new();
        credential.apply(&mut headers, vault)?;
        *kept = Some(Key {
            read: Instant::now(),
            headers: headers.clone(),
        });
        Ok(headers)
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let ip: Result<std::net::IpAddr, _> = host.parse();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// All providers of a realm, with the connections to them. What the operator has named is reached as it is named,
/// host and port, whatever network it is in; nothing else that is not public is, and redirects are not followed.
#[derive(Clone)]
pub struct Providers {
    all: BTreeMap<String, Arc<Provider>>,
    pub(crate) connections: Connections,
}

impl Providers {
    /// The providers, whose certificates are trusted by a PEM file or else by the public roots.
    ///
    /// # Errors
    /// [`OutsideError`].
    pub fn new(
        all: impl IntoIterator<Item = Arc<Provider>>,
        ca: Option<&Path>,
    ) -> Result<Self, OutsideError> {
        let all: BTreeMap<_, _> = all.into_iter().map(|p| (p.name.clone(), p)).collect();
        let uris = all.values().filter_map(|p| p.origin.parse::<Uri>().ok());
        let open = uris.filter_map(|uri| OpenHost::of(&uri).ok()).collect();
        let connections = Connections::serving(open, ca)?;
        Ok(Self { all, connections })
    }

    /// A provider by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Provider>> {
        self.all.get(name)
    }

    /// Each of them.
    pub fn each(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.all.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(kind: Kind, url: &str) -> Terms {
        Terms {
            kind,
            url: url.to_owned(),
            key: None,
            max_output: OUTPUT,
            first: FIRST,
            pause: PAUSE,
            server: Server::default(),
        }
    }

    #[test]
    fn addresses_follow_from_the_base() {
        let answer = Asks::Answer {
            model: "us.acme:1",
            stream: true,
        };
        for (kind, base, asks, want) in [
            (
                Kind::OpenAi,
                "http://127.0.0.1:8080",
                answer,
                Some("http://127.0.0.1:8080/v1/chat/completions"),
            ),
            (
                Kind::OpenAi,
                "https://api.acme.example/v1/",
                answer,
                Some("https://api.acme.example/v1/chat/completions"),
            ),
            (
                Kind::OpenAi,
                "https://acme.example/openai/v1",
                Asks::Embeddings,
                Some("https://acme.example/openai/v1/embeddings"),
            ),
            (
                Kind::OpenAi,
                "http://127.0.0.1:8080",
                Asks::Models,
                Some("http://127.0.0.1:8080/v1/models"),
            ),
            (Kind::OpenAi, "http://127.0.0.1:8080", Asks::Count, None),
            (
                Kind::Anthropic,
                "https://api.acme.example",
                answer,
                Some("https://api.acme.example/v1/messages"),
            ),
            (
                Kind::Anthropic,
                "https://api.acme.example/v1",
                Asks::Count,
                Some("https://api.acme.example/v1/messages/count_tokens"),
            ),
            (
                Kind::Anthropic,
                "https://api.acme.example",
                Asks::Embeddings,
                None,
            ),
            (
                Kind::Bedrock,
                "https://bedrock.acme.example",
                answer,
                Some("https://bedrock.acme.example/model/us.acme%3A1/converse-stream"),
            ),
            (
                Kind::Bedrock,
                "https://bedrock.acme.example",
                Asks::Models,
                None,
            ),
        ] {
            let provider = Provider::new("acme", terms(kind, base)).unwrap();
            assert_eq!(provider.address(asks).as_deref(), want, "{base} {asks:?}");
        }
    }

    #[test]
    fn addresses_are_checked_and_keys_never_cross_a_network_in_the_clear() {
        let key: SecretRef = "env:ACME_KEY".parse().unwrap();
        for (url, keyed, want) in [
            ("http://10.0.0.7:8000", false, Ok(())),
            ("http://127.0.0.1:8000", true, Ok(())),
            ("http://10.0.0.7:8000", true, Err("over https only")),
            (
                "https://api.acme.example/v1?key=s3cret",
                true,
                Err("without a query"),
            ),
            ("ftp://acme.example", false, Err("http:// or https://")),
            ("s3cret", false, Err("it must start with http")),
        ] {
            let mut terms = terms(Kind::OpenAi, url);
            terms.key = keyed.then(|| key.clone());
            match (Provider::new("acme", terms), want) {
                (Ok(_), Ok(())) => {}
                (Err(error), Err(why)) => {
                    let told = error.to_string();
                    assert!(told.contains(why) && !told.contains("s3cret"), "{told}");
                }
                (found, want) => panic!("{url}: {found:?}, not {want:?}"),
            }
        }
    }
}
