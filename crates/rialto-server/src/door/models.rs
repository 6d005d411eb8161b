//! The doors of models: the addresses at which clients of OpenAI, Anthropic and Amazon Bedrock ask.
//!
//! A request goes to the gateway as it came, and comes back in the same dialect, errors too: also those of the
//! layers around. Who asks is proved by a realm's token, as a bearer token, as `x-api-key`, or by a signature
//! (AWS SigV4) with an access key that the realm derives from it. Nothing here knows a model or a price.

use std::fmt::Display;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rialto_core::id::{AnyId, TokenId};
use rialto_core::identity::{self, Auth, Need, Right, Rights};
use rialto_core::limits::SETTLED_AT_ONCE;
use rialto_core::model::{
    InferenceEnd, InferenceReport, MeteredBy, ModelCommand, ReserveInference, SettleInferences,
};
use rialto_core::reject::{Code, Rejection};
use rialto_core::text::ClientId;
use rialto_gateway::{Asking, Call, Meter, Offered, Reserved, Task, Who, model_error, refused};
use rialto_wire::bedrock::sigv4::{self, Signed};
use rialto_wire::dialect::Inbound;
use rialto_wire::native::Problem;
use rialto_wire::openai::models::{write_list, write_one};
use rialto_wire::{anthropic, model};

use super::auth::{self, Caller};
use super::problem::Refusal;
use super::{BODY_BYTES, Door};
use crate::node::{Ask, BootError, Node, Reply, TokenInfo};

/// What a token must be allowed for calls of models.
const NEED: Need = Need::All(Rights::of(&[Right::Models]));
/// Where a client puts the version into its base address, it stands twice.
const BASES: [&str; 2] = ["/v1", "/v1/v1"];
/// How signed requests say that they are.
const SIGNED: &str = "AWS4-HMAC-SHA256";
/// The letters of an access key that prove that the realm gave it.
const PROOF: usize = 16;

/// The routes. Clients of OpenAI that are given the bare address of the realm leave the version out.
pub(super) fn router() -> Router<Arc<Door>> {
    let mut router = Router::new()
        .route("/model/{id}/converse", answer(Inbound::Converse))
        .route("/model/{id}/converse-stream", answer(Inbound::Converse));
    for base in ["", "/v1", "/v1/v1"] {
        router = router
            .route(&format!("{base}/chat/completions"), answer(Inbound::Chat))
            .route(&format!("{base}/responses"), answer(Inbound::Responses))
            .route(&format!("{base}/embeddings"), task(Task::Embeddings));
    }
    for base in BASES {
        router = router
            .route(&format!("{base}/messages"), answer(Inbound::Messages))
            .route(&format!("{base}/messages/count_tokens"), task(Task::Count))
            .route(&format!("{base}/models"), get(list))
            .route(&format!("{base}/models/{{*model}}"), get(one));
    }
    router
}

fn answer(inbound: Inbound) -> axum::routing::MethodRouter<Arc<Door>> {
    task(Task::Answer(inbound))
}

fn task(task: Task) -> axum::routing::MethodRouter<Arc<Door>> {
    post(move |State(door), request| Box::pin(called(door, task, request)))
}

/// The dialect of an address of these doors; none of another's.
pub(super) fn dialect(path: &str) -> Option<Inbound> {
    if path.starts_with("/model/") {
        return Some(Inbound::Converse);
    }
    let bare = ["/chat/completions", "/responses", "/embeddings"];
    if !path.starts_with("/v1/") && !bare.contains(&path) {
        return None;
    }
    Some(match path {
        _ if path.contains("/messages") => Inbound::Messages,
        _ if path.ends_with("/responses") => Inbound::Responses,
        _ => Inbound::Chat,
    })
}

/// Tells refusals of any layer in the dialect of the address.
pub(super) async fn in_dialect(request: Request, next: Next) -> Response {
    let Some(mut inbound) = dialect(request.uri().path()) else {
        return next.run(request).await;
    };
    if inbound == Inbound::Chat && is_anthropic(request.headers()) {
        // Both have addresses for the list of models.
        inbound = Inbound::Messages;
    }
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) => in_words_of(inbound, problem, response.headers()),
        None => response,
    }
}

fn in_words_of(inbound: Inbound, problem: &Problem, headers: &HeaderMap) -> Response {
    let code = problem.code.parse().unwrap_or(Code::Defect);
    let mut error = model_error(&Rejection::new(code, problem.detail.as_str()));
    let after = headers.get(header::RETRY_AFTER);
    error = error.after(after.and_then(|value| value.to_str().ok()));
    refused(inbound, &error)
}

async fn called(door: Arc<Door>, task: Task, request: Request) -> Response {
    let call = match call_of(&door, task, request).await {
        Ok(call) => call,
        Err(refusal) => return refusal.into_response(),
    };
    // What is paid is judged when it is reserved; what is not, here.
    let stands = match task {
        Task::Count => stands(&door, &call.who).await,
        Task::Answer(_) | Task::Embeddings => Ok(()),
    };
    match stands {
        Ok(()) => door.gateway.call(call).await,
        Err(refusal) => refusal.into_response(),
    }
}

async fn call_of(door: &Door, task: Task, request: Request) -> Result<Call, Refusal> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES).await;
    let body = body.map_err(|why| Refusal::new(Code::Malformed, why.to_string()))?;
    let who = who(door, &parts, &body)?;
    let path = parts.uri.path().to_owned();
    let headers = parts.headers;
    Ok(Call {
        task,
        path,
        headers,
        body,
        who,
    })
}

/// Whether somebody may ask anything at all: since the token was looked up, somebody may have been stopped.
async fn stands(door: &Door, who: &Who) -> Result<(), Refusal> {
    let caller = Caller {
        principal: who.principal,
        auth: who.auth,
        acting: who.acting.clone(),
    };
    auth::stands(door, &caller).await
}

/// Who asks.
fn who(door: &Door, parts: &Parts, body: &[u8]) -> Result<Who, Refusal> {
    let info = match is_signed(&parts.headers) {
        true => signer(door, parts, body)?,
        false => auth::token_of(&parts.extensions, &parts.headers, door)?,
    };
    if !info.may.meets(NEED) {
        return Err(identity::missing(info.may, NEED).into());
    }
    Ok(Who {
        principal: info.principal,
        auth: Auth::Token(info.token),
        acting: auth::acting_header(&parts.headers)?,
        owner: info.owner,
        task: told(&parts.headers, "rialto-task", str::parse)?,
        run: told(&parts.headers, "rialto-run", ClientId::new)?,
        at_most: told(&parts.headers, "rialto-at-most", str::parse)?,
    })
}

/// What a header says that a client may add: what a call is for.
fn told<T, E: Display>(
    headers: &HeaderMap,
    name: &str,
    read: fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Refusal> {
    let value = headers.get(name);
    let value = value.map(|value| read(value.to_str().unwrap_or_default()));
    let wrong = |why: E| Refusal::new(Code::Malformed, format!("{name}: {why}"));
    value.transpose().map_err(wrong)
}

fn is_signed(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION);
    value.is_some_and(|value| value.as_bytes().starts_with(SIGNED.as_bytes()))
}

/// The token whose access key signed a request.
fn signer(door: &Door, parts: &Parts, body: &[u8]) -> Result<TokenInfo, Refusal> {
    let text = |value: &'_ axum::http::HeaderValue| value.to_str().ok().map(str::to_owned);
    let named =
        |(name, value): (&axum::http::HeaderName, _)| Some((name.to_string(), text(value)?));
    let mut headers: Vec<(String, String)> = parts.headers.iter().filter_map(named).collect();
    if let Some(host) = parts.uri.authority()
        && !parts.headers.contains_key(header::HOST)
    {
        headers.push(("host".to_owned(), host.to_string()));
    }
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let signed = Signed {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &headers,
        body,
    };
    let now = door.node.clock().now().0 / 1_000;
    let secret = |key: &str| {
        token_of_key(door, key)?;
        Some(secret_of(door, key))
    };
    let key = sigv4::verify(&signed, "bedrock", now, secret)
        .map_err(|why| Refusal::new(Code::Unauthenticated, why.message()))?;
    let token = token_of_key(door, &key).ok_or(Code::Unauthenticated)?;
    let info = door.node.token_of_id(token).ok_or(Code::Unauthenticated)?;
    auth::may_come(info.token, &parts.extensions, &parts.headers, door)?;
    door.last_use.note(info.token, door.node.clock().now());
    Ok(info)
}

/// Whose token a signed request claims. Only who was given the access key knows it, so that others' parts of the
/// server are not taken in their name; the signature itself is judged when the body is there.
pub(super) fn claimed(door: &Door, headers: &HeaderMap) -> Option<TokenInfo> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let claim = value.strip_prefix(SIGNED)?;
    let key = claim.split_once("Credential=")?.1.split('/').next()?;
    door.node.token_of_id(token_of_key(door, key)?)
}

/// The access key of a token: its id, and a proof that the realm gave it.
fn key_of(door: &Door, token: TokenId) -> String {
    let proof = secret_of(door, &format!("proof {token}"));
    format!("{token}.{}", proof.get(..PROOF).unwrap_or_default())
}

fn token_of_key(door: &Door, key: &str) -> Option<TokenId> {
    let token = key.split_once('.')?.0.parse().ok()?;
    (key_of(door, token) == key).then_some(token)
}

fn secret_of(door: &Door, key: &str) -> String {
    sigv4::derive_secret(&door.node.secrets().access_key_root(), key)
}

/// An access key for signed requests, in the form in which AWS SDKs fetch one themselves
/// (`AWS_CONTAINER_CREDENTIALS_FULL_URI`).
#[derive(Debug, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub(super) struct AccessKey {
    /// The id of the access key.
    access_key_id: String,
    /// Its secret.
    secret_access_key: String,
    /// Empty: there is no session.
    token: String,
    /// When to fetch it again, though it lives as long as the token.
    expiration: String,
}

/// `GET /api/access-key`.
pub(super) async fn access_key(
    State(door): State<Arc<Door>>,
    caller: Caller,
) -> super::answer::Answer<AccessKey> {
    caller.known()?;
    auth::stands(&door, &caller).await?;
    let Auth::Token(token) = caller.auth else {
        return Err(Code::Unauthenticated.into());
    };
    let key = key_of(&door, token);
    let until = door.node.clock().now().after(rialto_core::time::DAY_MS);
    Ok(axum::Json(AccessKey {
        secret_access_key: secret_of(&door, &key),
        access_key_id: key,
        token: String::new(),
        expiration: until.to_string(),
    }))
}

/// `GET /v1/models`.
async fn list(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match models(&door, &parts).await {
        Err(refusal) => refusal,
        Ok(models) if is_anthropic(&parts.headers) => json(anthropic::write_models(&models)),
        Ok(models) => json(write_list(&models)),
    }
}

/// `GET /v1/models/{model}`.
async fn one(State(door): State<Arc<Door>>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let models = match models(&door, &parts).await {
        Err(refusal) => return refusal,
        Ok(models) => models,
    };
    match models.iter().find(|model| model.id == id) {
        None => {
            Refusal::new(Code::NotFound, "there is no such model that you may call").into_response()
        }
        Some(model) if is_anthropic(&parts.headers) => json(anthropic::write_model(model)),
        Some(model) => json(write_one(model)),
    }
}

async fn models(
    door: &Door,
    parts: &Parts,
) -> Result<Vec<rialto_wire::openai::models::Model>, Response> {
    let who = who(door, parts, &[]).map_err(IntoResponse::into_response)?;
    let stands = stands(door, &who).await;
    stands.map_err(IntoResponse::into_response)?;
    let inbound = match is_anthropic(&parts.headers) {
        true => Inbound::Messages,
        false => Inbound::Chat,
    };
    let models = door.gateway.models(&who).await;
    models.map_err(|error: model::ModelError| refused(inbound, &error))
}

fn is_anthropic(headers: &HeaderMap) -> bool {
    headers.contains_key("anthropic-version")
}

fn json(body: Vec<u8>) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        Body::from(body),
    )
        .into_response()
}

/// The realm as the gateway meters at it.
pub(crate) struct NodeMeter(pub(crate) Arc<Node>);

impl NodeMeter {
    /// Ends the calls that a former process of the server has left behind: they cannot be under way any more, and
    /// nothing is paid for them.
    pub(crate) async fn give_back(&self) -> Result<(), BootError> {
        let left = self.0.read(|state| {
            let mut left = Vec::new();
            state.inferences.for_each(|id, call| {
                if call.metered_by == Some(MeteredBy::Gateway) {
                    left.push(InferenceReport::new(*id, InferenceEnd::Lost));
                }
            });
            left
        });
        let (_, left) = left.await.map_err(BootError::Node)?;
        for part in left.chunks(SETTLED_AT_ONCE) {
            if let Err(why) = self.settle(part.to_vec()).await {
                // Its time comes by itself: nothing is lost but patience.
                tracing::warn!(%why, "calls of models that were left behind stay held for a day");
                break;
            }
        }
        if !left.is_empty() {
            tracing::info!(
                calls = left.len(),
                "calls of models that were left behind are given back"
            );
        }
        Ok(())
    }
}

impl Meter for NodeMeter {
    fn reserve(&self, who: Who, ask: ReserveInference) -> Asking<Result<Reserved, Rejection>> {
        let node = self.0.clone();
        Box::pin(async move {
            let mut asked = Ask::by_the_realm(ModelCommand::Reserve(ask).into());
            asked.request.principal = who.principal;
            asked.request.auth = who.auth;
            asked.request.acting = who.acting;
            let failed = |why: crate::node::Failure| Rejection::from(why.code());
            let early = node.ask_early(asked).await.map_err(failed)?;
            let inference = match &early.decided().reply {
                Reply::Accepted { ids, .. } => ids.iter().find_map(|id| match id {
                    AnyId::InferenceId(id) => Some(*id),
                    _ => None,
                }),
                Reply::Refused(why) => return Err(why.clone()),
                Reply::Duplicate { .. } | Reply::Nothing => None,
            };
            let durable = async move { early.durable().await.map(drop).map_err(failed) };
            Ok(Reserved {
                inference: inference.ok_or(Code::Defect)?,
                durable: Box::pin(durable),
            })
        })
    }

    fn settle(&self, reports: Vec<InferenceReport>) -> Asking<Result<(), Rejection>> {
        let node = self.0.clone();
        Box::pin(async move {
            let calls = SettleInferences { calls: reports };
            let ask = Ask::by_the_realm(ModelCommand::Settle(calls).into());
            let answered = node.ask(ask).await;
            match answered.map_err(|why| Rejection::from(why.code()))?.reply {
                Reply::Refused(why) => Err(why),
                Reply::Accepted { .. } | Reply::Duplicate { .. } | Reply::Nothing => Ok(()),
            }
        })
    }

    fn version(&self) -> u64 {
        self.0.deployed()
    }

    fn offered(&self) -> Asking<Result<Offered, Rejection>> {
        let node = self.0.clone();
        Box::pin(async move {
            // Before the state: what comes in between is read again.
            let version = node.deployed();
            let read = node.read(|state| {
                let mut all = Vec::new();
                state
                    .deployments
                    .for_each(|id, terms| all.push((*id, terms.clone())));
                all
            });
            let (_, all) = read.await.map_err(|why| Rejection::from(why.code()))?;
            Ok(Offered { version, all })
        })
    }
}
