//! Whether providers answer, how fast, and with which models; and which servers of models run on this machine.
//!
//! Asks for the list of models only: nothing is generated, and nothing is paid.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use http_body_util::{BodyExt, Limited};
use rialto_outside::{Bounds, Vault};
use rialto_wire::openai::models;

use crate::provider::{Asks, Kind, Provider, Providers};

/// How long a provider may take.
const TIME: Duration = Duration::from_secs(5);
/// The longest list of models, in bytes.
const LIST: usize = 4 << 20;

/// Well-known addresses of servers on this machine, with what usually runs there: Ollama, llama.cpp, vLLM, SGLang
/// and LM Studio, by the documentation of each.
pub const LOCAL_SERVERS: [(&str, &str); 5] = [
    ("ollama", "http://127.0.0.1:11434"),
    ("llama-cpp", "http://127.0.0.1:8080"),
    ("vllm", "http://127.0.0.1:8000"),
    ("sglang", "http://127.0.0.1:30000"),
    ("lm-studio", "http://127.0.0.1:1234"),
];

/// What a provider listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// These models.
    Models(Vec<String>),
    /// Its kind has no list.
    Unlisted,
    /// Nothing, and why.
    Failed(String),
}

/// What came of asking a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name in the settings.
    pub provider: String,
    /// What it speaks.
    pub kind: Kind,
    /// Its address without the path.
    pub shown: String,
    /// What it listed.
    pub listed: Listed,
    /// How long that took.
    pub took: Duration,
}

/// Asks each provider for its models, all at the same time.
pub async fn check(providers: &Providers, vault: Option<&Vault>) -> Vec<Checked> {
    let asking = providers
        .each()
        .map(|provider| one(providers, provider, vault));
    futures_util::future::join_all(asking).await
}

async fn one(providers: &Providers, provider: &Provider, vault: Option<&Vault>) -> Checked {
    let began = Instant::now();
    let listed = match provider.address(Asks::Models) {
        None => Listed::Unlisted,
        Some(address) => match list(providers, provider, address, vault).await {
            Ok(models) => Listed::Models(models),
            Err(why) => Listed::Failed(why),
        },
    };
    Checked {
        provider: provider.name().to_owned(),
        kind: provider.terms().kind,
        shown: provider.shown().to_owned(),
        listed,
        took: began.elapsed(),
    }
}

async fn list(
    providers: &Providers,
    provider: &Provider,
    address: String,
    vault: Option<&Vault>,
) -> Result<Vec<String>, String> {
    let headers = provider.headers(None, vault).map_err(|e| e.to_string())?;
    let request = Request::get(address).body(Body::empty());
    let mut request = request.map_err(|e| e.to_string())?;
    request.headers_mut().extend(headers);
    let bounds = Bounds::within(TIME).whole_within(TIME);
    let answer = providers.connections.call(request, bounds).await;
    let answer = answer.map_err(|e| e.to_string())?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("it answered {status}"));
    }
    let body = Limited::new(answer.into_body(), LIST).collect().await;
    let body = body.map_err(|e| e.to_string())?.to_bytes();
    let read = models::read_list(&body).map_err(|e| e.to_string())?;
    Ok(read.into_iter().map(|model| model.id).collect())
}
