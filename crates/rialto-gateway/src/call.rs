//! One call of a model, from what is asked to what is answered.
//!
//! The deployments are asked one after another until one begins its answer; each attempt is a call of its own at
//! the realm, with a reserve and an end. After the first content nobody else is asked: an answer is of one model.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use rialto_core::id::InferenceId;
use rialto_core::model::{InferenceEnd, MeteredBy, ReserveInference};
use rialto_core::reject::{Code, Rejection};
use rialto_core::text::Name;
use rialto_outside::{Bounds, CallError};
use rialto_wire::dialect::{self, Inbound, Outbound, Peeked};
use rialto_wire::model::{ErrorKind, Losses, ModelError, Told};
use rialto_wire::words::Words;

use crate::answer::{Pipe, Stream};
use crate::catalogue::Deployed;
use crate::fault;
use crate::gateway::{ATTEMPTS, Gateway, Watched};
use crate::meter::{Asking, Who};
use crate::prepare::{Asked, Prepared};
use crate::provider::{Asks, Provider};
use crate::route::{self, Choose, Standing};
use crate::running::{Running, Size};

/// The longest answer that is taken whole, in bytes.
const ANSWER: usize = 32 << 20;
/// The longest error that is read, in bytes.
const ERROR: usize = 256 << 10;
/// How long an error's text may take.
const ERROR_TIME: Duration = Duration::from_secs(5);
/// How long an answer may take that comes whole.
const WHOLE: Duration = Duration::from_secs(600);
/// When to ask again whose program is being started or replaced.
const CLOSED: Duration = Duration::from_secs(1);
/// How much of a request's beginning decides where alike ones go.
const PREFIX: usize = 512;

/// What is wanted of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// An answer, in the dialect of the request.
    Answer(Inbound),
    /// Embeddings, as OpenAI's API has them.
    Embeddings,
    /// How many tokens a request has, as Anthropic's API has it.
    Count,
}

impl Task {
    /// The dialect of its answers and errors.
    #[must_use]
    pub fn dialect(self) -> Inbound {
        match self {
            Self::Answer(inbound) => inbound,
            Self::Embeddings => Inbound::Chat,
            Self::Count => Inbound::Messages,
        }
    }
}

/// A call of a model.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is wanted.
    pub task: Task,
    /// The path of the request, encoded as it came.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Who calls.
    pub who: Who,
}

/// A deployment that may be asked, and its provider.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) deployed: Deployed,
    pub(crate) provider: Arc<Provider>,
    pub(crate) watched: Arc<Watched>,
}

impl Target {
    pub(crate) fn upstream(&self) -> &str {
        self.deployed.terms.upstream.as_str()
    }
}

/// An attempt that came to nothing.
struct Tried {
    error: ModelError,
    inference: Option<InferenceId>,
    /// Whether another deployment may be asked.
    again: bool,
}

impl From<ModelError> for Tried {
    fn from(error: ModelError) -> Self {
        Self {
            error,
            inference: None,
            again: false,
        }
    }
}

/// What a provider has begun to answer.
enum Begun {
    Whole(Bytes),
    Stream(Box<Stream>),
}

impl Gateway {
    /// Makes a call. The answer, or what went wrong, is in the dialect of the request.
    pub async fn call(&self, call: Call) -> Response<Body> {
        let inbound = call.task.dialect();
        let answered = match call.task {
            Task::Answer(inbound) => self.answer(inbound, &call).await,
            Task::Embeddings => self.embed(&call).await,
            Task::Count => self.count(&call).await,
        };
        answered.unwrap_or_else(|error| refused(inbound, &error))
    }

    async fn answer(&self, inbound: Inbound, call: &Call) -> Result<Response<Body>, ModelError> {
        let peeked = dialect::peek(inbound, &call.path, &call.body)?;
        let sizes = (call.body.len() as u64, peeked.max_tokens.unwrap_or(0));
        let targets = self.targets(call, &peeked.model, sizes).await?;
        let mut last = None;
        for target in targets.iter().take(ATTEMPTS) {
            let after = last.as_ref().and_then(|tried: &Tried| tried.inference);
            match self.attempt(inbound, call, (&peeked, target), after).await {
                Ok(response) => return Ok(response),
                Err(tried) if tried.again => last = Some(tried),
                Err(tried) => return Err(tried.error),
            }
        }
        Err(last.map_or_else(|| unserved(&peeked.model), |tried| tried.error))
    }

    /// The deployments that may serve a name, in the order in which they are asked.
    pub(crate) async fn targets(
        &self,
        call: &Call,
        name: &str,
        (input, output): (u64, u64),
    ) -> Result<Vec<Target>, ModelError> {
        let settings = self.settings();
        let own = [name.to_owned()];
        let route = settings.routes.get(name);
        let models = route.map_or(own.as_slice(), |route| &route.models);
        let choose = route.map_or_else(Choose::default, |route| route.choose);
        let (mut targets, mut exists, mut waits) = (Vec::new(), false, None);
        for model in models {
            let serving = self
                .catalogue
                .serving(self.meter.as_ref(), call.who.owner, model);
            let serving = serving.await.map_err(|why| fault::model_error(&why))?;
            exists |= !serving.is_empty();
            let known = serving.into_iter().filter_map(|deployed| {
                let provider = settings.providers.get(deployed.terms.provider.as_str())?;
                Some(Target {
                    watched: self.watch(&deployed, provider.name()),
                    provider: provider.clone(),
                    deployed,
                })
            });
            let (closed, known): (Vec<Target>, Vec<Target>) =
                known.partition(|target| self.is_closed(target.provider.name()));
            if !closed.is_empty() {
                waits = [waits, Some((CLOSED, false))].into_iter().flatten().min();
            }
            let prefix = prefix_of(&call.body);
            let (ready, soonest) = self.ordered(&known, choose, (input, output), prefix);
            targets.extend(ready);
            waits = [waits, soonest].into_iter().flatten().min();
        }
        if !targets.is_empty() {
            return Ok(targets);
        }
        Err(match waits {
            Some((wait, limited)) => overloaded(name, wait, limited),
            None if exists => unserved(name),
            None => absent(name),
        })
    }

    /// Those that may be asked now, in order; when the first of the others may be, and whether it limits its callers.
    fn ordered(
        &self,
        all: &[Target],
        choose: Choose,
        (input, output): (u64, u64),
        prefix: u64,
    ) -> (Vec<Target>, Option<(Duration, bool)>) {
        let now = Instant::now();
        let mut soonest: Option<(Duration, bool)> = None;
        let standings = all.iter().map(|target| {
            let health = target.watched.health();
            let waits = health.waits(now);
            let waiting = waits.map(|wait| (wait, health.limited));
            soonest = [soonest, waiting].into_iter().flatten().min();
            // All at one scale: what is compared is the order.
            let price = target.deployed.terms.prices.most(input, output, 12);
            Standing {
                seed: target.deployed.id.0,
                price: price.map_or(i128::MAX, |price| price.0),
                replicas: target.deployed.terms.replicas,
                tokens: health.tokens,
                first: health.first,
                waits: waits.is_some(),
            }
        });
        let standings: Vec<Standing> = standings.collect();
        let places = route::order(&standings, choose, self.next_turn(), prefix);
        let ready = places.into_iter().filter_map(|place| {
            let waits = standings.get(place)?.waits;
            (!waits).then(|| all.get(place).cloned()).flatten()
        });
        (ready.collect(), soonest)
    }

    async fn attempt(
        &self,
        inbound: Inbound,
        call: &Call,
        (peeked, target): (&Peeked, &Target),
        after: Option<InferenceId>,
    ) -> Result<Response<Body>, Tried> {
        let asked = Asked {
            inbound,
            path: &call.path,
            body: &call.body,
            peeked,
        };
        let prepared = asked.for_provider(&target.provider, target.upstream())?;
        let size = Size::of(&prepared.body, prepared.output);
        let (mut running, durable) = self.reserve(call, target, size, after).await?;
        running.losses = prepared.losses.clone();
        let told = Told {
            id: running.inference.to_string(),
            created: seconds_now(),
            model: peeked.model.clone(),
            input_estimate: size.likely,
            latency_ms: 0,
            include_usage: peeked.include_usage,
        };
        let inference = running.inference;
        let begun = self.serve(inbound, call, (peeked, target), (prepared, told), running);
        // The provider is asked while the reserve is made durable; nothing leaves before both are done.
        let (begun, durable) = tokio::join!(begun, durable);
        durable.map_err(|why| Tried::from(fault::model_error(&why)))?;
        begun.map_err(|error| {
            let again = error.retryable();
            Tried {
                error,
                inference: Some(inference),
                again,
            }
        })
    }

    /// Reserves room for a call. What was decided is reported even if nobody waits for it any more.
    pub(crate) async fn reserve(
        &self,
        call: &Call,
        target: &Target,
        size: Size,
        after: Option<InferenceId>,
    ) -> Result<(Running, Asking<Result<(), Rejection>>), ModelError> {
        let refused = fault::model_error;
        let place = self.reports.clone().reserve_owned().await;
        let place = place.map_err(|_| refused(&Code::Draining.into()))?;
        let ask = ReserveInference {
            deployment: target.deployed.id,
            input: size.input,
            output: size.output,
            pay_from: None,
            task: call.who.task,
            run: call.who.run.clone(),
            after,
            at_most: call.who.at_most,
            metered_by: Some(MeteredBy::Gateway),
        };
        let asking = self.meter.reserve(call.who.clone(), ask);
        let watched = target.watched.clone();
        let decided = tokio::spawn(async move {
            let reserved = asking.await?;
            let running = Running::new(reserved.inference, place, watched, size);
            Ok::<_, Rejection>((running, reserved.durable))
        });
        let decided = decided.await.map_err(|_| refused(&Code::Defect.into()))?;
        decided.map_err(|why| refused(&why))
    }

    /// Asks a provider, and gives its answer once that has begun. The call ends with the answer, or here.
    async fn serve(
        &self,
        inbound: Inbound,
        call: &Call,
        (peeked, target): (&Peeked, &Target),
        (prepared, told): (Prepared, Told),
        mut running: Running,
    ) -> Result<Response<Body>, ModelError> {
        let outbound = target.provider.dialect();
        let begun = self
            .begin(
                inbound,
                call,
                (peeked, target),
                (&prepared, told.clone()),
                &mut running,
            )
            .await;
        let mut headers = call_headers(inbound, target, running.inference);
        match begun {
            Err(error) => {
                running.fail(&error);
                Err(error)
            }
            Ok(Begun::Stream(mut stream)) => {
                losses_header(&mut headers, &running.losses);
                stream.running = Some(running);
                let kind = inbound.stream_type();
                Ok(answered(headers, kind, stream.into_body()))
            }
            Ok(Begun::Whole(body)) => {
                let told = Told {
                    latency_ms: running.first.map_or(0, |time| time.as_millis() as u64),
                    ..told
                };
                let translated = whole(inbound, outbound, (&prepared, told), body, &mut running);
                match translated {
                    Ok(body) => {
                        losses_header(&mut headers, &running.losses);
                        running.end(InferenceEnd::Served);
                        Ok(answered(headers, "application/json", Body::from(body)))
                    }
                    Err(error) => {
                        running.fail(&error);
                        Err(error)
                    }
                }
            }
        }
    }

    /// Asks a provider, until it has begun to answer.
    async fn begin(
        &self,
        inbound: Inbound,
        call: &Call,
        (peeked, target): (&Peeked, &Target),
        (prepared, told): (&Prepared, Told),
        running: &mut Running,
    ) -> Result<Begun, ModelError> {
        let asks = Asks::Answer {
            model: target.upstream(),
            stream: peeked.stream,
        };
        let same = inbound.is_same(target.provider.dialect());
        let from = same.then_some(&call.headers);
        let terms = target.provider.terms();
        let within = match peeked.stream {
            true => terms.first,
            false => terms.first.max(WHOLE),
        };
        let until = Instant::now() + within;
        running.used.asked = true;
        let response = self.ask(target, asks, (from, prepared.body.clone()), within);
        let response = response.await?;
        running.request = request_id(response.headers());
        if !peeked.stream {
            let body = read_whole(target, response.into_body(), until).await?;
            running.answered();
            return Ok(Begun::Whole(body));
        }
        let pipe = Pipe::new(
            inbound,
            target.provider.dialect(),
            (prepared.outgoing.as_ref(), told),
            !peeked.include_usage,
        );
        let mut stream = Stream::new(pipe, response.into_body(), target.provider.clone());
        stream.until_content(until, running).await?;
        running.answered();
        Ok(Begun::Stream(Box::new(stream)))
    }

    /// Makes a request of a provider. An answer that is an error is read as one.
    pub(crate) async fn ask(
        &self,
        target: &Target,
        asks: Asks<'_>,
        (from, body): (Option<&HeaderMap>, Bytes),
        within: Duration,
    ) -> Result<Response<Body>, ModelError> {
        let provider = &target.provider;
        let unable = |what: &str| {
            let message = format!("the provider {} {what}", provider.name());
            ModelError::new(ErrorKind::Unavailable, message)
        };
        let address = provider.address(asks);
        let address = address.ok_or_else(|| unable("has no such thing"))?;
        let headers = provider.headers(from, self.vault.as_deref());
        let headers = headers.map_err(|why| {
            tracing::error!(provider = provider.name(), %why, "a provider cannot be asked");
            unable("has no key: the operator's log says more")
        })?;
        let mut request = Request::post(address)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("rialto/", env!("CARGO_PKG_VERSION")))
            .body(Body::from(body))
            .map_err(|_| unable("has an address that cannot be asked"))?;
        request.headers_mut().extend(headers);
        let settings = self.settings();
        let answer = settings
            .providers
            .connections
            .call(request, Bounds::within(within));
        let answer = answer.await.map_err(|why| {
            tracing::warn!(provider = provider.name(), %why, "a provider did not answer");
            fault::unanswered(provider.name(), &why)
        })?;
        match answer.status().is_success() {
            true => Ok(answer),
            false => Err(self.error_of(provider, answer).await),
        }
    }

    async fn error_of(&self, provider: &Provider, answer: Response<Body>) -> ModelError {
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ERROR).collect();
        let body = tokio::time::timeout(ERROR_TIME, body).await;
        let body = body.ok().and_then(Result::ok).map(|body| body.to_bytes());
        let header = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok());
        let status = head.status.as_u16();
        let body = body.unwrap_or_default();
        let error = dialect::read_error(provider.dialect(), status, header, &body);
        if matches!(
            error.kind,
            ErrorKind::Authentication | ErrorKind::Permission
        ) {
            provider.forget_key();
        }
        let told = fault::of_provider(provider.name(), error);
        if told.kind == ErrorKind::Unavailable {
            // Its own words may hold part of a key, so only the status is told.
            tracing::warn!(
                provider = provider.name(),
                status,
                "a provider refused a call"
            );
        }
        told
    }
}

/// What every answer tells of its call.
pub(crate) fn call_headers(inbound: Inbound, target: &Target, call: InferenceId) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let id = call.to_string();
    let own = match inbound {
        Inbound::Chat | Inbound::Responses => "x-request-id",
        Inbound::Messages => "request-id",
        Inbound::Converse => "x-amzn-requestid",
    };
    let terms = &target.deployed.terms;
    let chip = terms.chip.as_ref().map_or("", |chip| chip.as_str());
    for (name, value) in [
        (own, id.as_str()),
        ("rialto-call", id.as_str()),
        ("rialto-deployment", &target.deployed.id.to_string()),
        ("rialto-chip", chip),
    ] {
        if let Ok(value) = HeaderValue::from_str(value)
            && !value.is_empty()
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// The whole answer in the caller's dialect.
fn whole(
    inbound: Inbound,
    outbound: Outbound,
    (prepared, told): (&Prepared, Told),
    body: Bytes,
    running: &mut Running,
) -> Result<Bytes, ModelError> {
    running.used.words = Words::of(&body);
    let Some(outgoing) = &prepared.outgoing else {
        running.used.usage = dialect::usage_of(inbound, &body)?;
        running.used.written = body.len() as u64;
        return Ok(body);
    };
    let mut losses = running.losses.clone();
    let answer = dialect::read_answer(outbound, outgoing, &body, &mut losses)?;
    running.used.usage = answer.usage;
    running.used.written = body.len() as u64;
    let body = dialect::write_answer(inbound, &answer, &told, &mut losses);
    running.losses = losses;
    Ok(body.into())
}

pub(crate) async fn read_whole(
    target: &Target,
    body: Body,
    until: Instant,
) -> Result<Bytes, ModelError> {
    let reading = Limited::new(body, ANSWER).collect();
    let read = tokio::time::timeout_at(until.into(), reading).await;
    let provider = target.provider.name();
    let late = CallError::Late(WHOLE);
    match read {
        Err(_) => Err(fault::unanswered(provider, &late)),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(why)) => {
            let message = format!("the provider {provider} broke off its answer");
            tracing::warn!(provider, %why, "an answer broke off");
            Err(ModelError::new(ErrorKind::Interrupted, message))
        }
    }
}

/// What a provider calls the request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<Name> {
    let names = ["x-request-id", "request-id", "x-amzn-requestid"];
    let found = names.iter().find_map(|name| headers.get(*name));
    Name::new(found?.to_str().ok()?).ok()
}

pub(crate) fn losses_header(headers: &mut HeaderMap, losses: &Losses) {
    if losses.is_empty() {
        return;
    }
    if let Ok(value) = HeaderValue::from_str(&losses.header()) {
        headers.insert(HeaderName::from_static("rialto-losses"), value);
    }
}

pub(crate) fn answered(headers: HeaderMap, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// An error in the dialect of a request.
#[must_use]
pub fn refused(inbound: Inbound, error: &ModelError) -> Response<Body> {
    let told = dialect::write_error(inbound, error);
    let mut headers = HeaderMap::new();
    for (name, value) in told.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    // Stock clients repeat what cannot succeed unless they are told.
    let again = if error.retryable() { "true" } else { "false" };
    headers.insert(
        HeaderName::from_static("x-should-retry"),
        HeaderValue::from_static(again),
    );
    let mut response = answered(headers, "application/json", Body::from(told.body));
    *response.status_mut() =
        StatusCode::from_u16(told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn absent(model: &str) -> ModelError {
    let shown: String = model.chars().take(80).collect();
    let message =
        format!("there is no model {shown:?} that you may call: GET /v1/models lists them");
    let mut error = ModelError::new(ErrorKind::NotFound, message);
    error.code = Some("model_not_found".to_owned());
    error
}

fn unserved(model: &str) -> ModelError {
    let message = format!(
        "the model {model} is deployed, but the realm's settings name none of its providers"
    );
    ModelError::new(ErrorKind::Unavailable, message)
}

fn overloaded(model: &str, wait: Duration, limited: bool) -> ModelError {
    let (kind, why) = match limited {
        true => (ErrorKind::RateLimited, "limits how often it is called"),
        false => (ErrorKind::Overloaded, "has too many callers, or fails"),
    };
    let message = format!("everything that serves the model {model} {why}");
    let mut error = ModelError::new(kind, message);
    error.retry_after = Some(wait.as_millis().div_ceil(1_000).max(1) as u64);
    error
}

fn prefix_of(body: &[u8]) -> u64 {
    // FNV-1a (Fowler, Noll, Vo): where alike requests go needs no secret.
    let beginning = body.iter().take(PREFIX);
    beginning.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn seconds_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
