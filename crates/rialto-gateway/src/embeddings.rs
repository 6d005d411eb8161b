//! What is asked of models beside answers: embeddings, a count of tokens, and which models there are.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use rialto_core::model::InferenceEnd;
use rialto_wire::model::{ErrorKind, ModelError};
use rialto_wire::openai::embeddings::{self, Asked};
use rialto_wire::openai::models::Model;
use rialto_wire::words::Words;
use rialto_wire::{anthropic, dialect};

use crate::call::{Call, Target, answered, call_headers, read_whole, request_id};
use crate::estimate;
use crate::fault;
use crate::gateway::{ATTEMPTS, Gateway};
use crate::meter::Who;
use crate::provider::Asks;
use crate::running::Size;

/// How long embeddings may take.
const EMBEDDINGS: Duration = Duration::from_secs(120);
/// How long a provider may take to count.
const COUNT: Duration = Duration::from_secs(20);

impl Gateway {
    pub(crate) async fn embed(&self, call: &Call) -> Result<Response<Body>, ModelError> {
        let asked = embeddings::read_request(&call.body)?;
        let mut size = Size::of(&call.body, 0);
        if let Some(tokens) = asked.tokens {
            (size.input, size.likely) = (tokens, tokens);
        }
        let targets = self.targets(call, &asked.model, (size.input, 0)).await?;
        let none = || {
            let message = "no provider of this model has embeddings";
            ModelError::new(ErrorKind::BadRequest, message)
        };
        let able = |target: &&Target| target.provider.address(Asks::Embeddings).is_some();
        let mut last = None;
        for target in targets.iter().filter(able).take(ATTEMPTS) {
            match self.embedded(call, (&asked, size), target).await {
                Ok(response) => return Ok(response),
                Err(error) if error.retryable() => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(none))
    }

    async fn embedded(
        &self,
        call: &Call,
        (asked, size): (&Asked, Size),
        target: &Target,
    ) -> Result<Response<Body>, ModelError> {
        let body = embeddings::for_server(&call.body, asked, target.upstream())?;
        let (mut running, durable) = self.reserve(call, target, size, None).await?;
        let headers = call_headers(call.task.dialect(), target, running.inference);
        let asking = async {
            let until = Instant::now() + EMBEDDINGS;
            running.used.asked = true;
            let from = Some(&call.headers);
            let asks = Asks::Embeddings;
            let response = self
                .ask(target, asks, (from, body.into()), EMBEDDINGS)
                .await?;
            running.request = request_id(response.headers());
            let body = read_whole(target, response.into_body(), until).await?;
            running.used.words = Words::of(&body);
            let (body, usage) = embeddings::answer(&body, asked.base64)?;
            running.used.usage = usage;
            running.used.usage.output = Some(0);
            Ok(body)
        };
        let (outcome, durable) = tokio::join!(asking, durable);
        durable.map_err(|why| fault::model_error(&why))?;
        match outcome {
            Ok(body) => {
                running.answered();
                running.end(InferenceEnd::Served);
                Ok(answered(headers, "application/json", Body::from(body)))
            }
            Err(error) => {
                running.fail(&error);
                Err(error)
            }
        }
    }

    /// Counts a request's tokens: the provider's own count where it has one, or else an estimate, which a header
    /// says. Nothing is paid for it.
    pub(crate) async fn count(&self, call: &Call) -> Result<Response<Body>, ModelError> {
        let inbound = dialect::Inbound::Messages;
        let peeked = dialect::peek(inbound, &call.path, &call.body)?;
        let sizes = (call.body.len() as u64, 0);
        let targets = self.targets(call, &peeked.model, sizes).await?;
        let own = targets
            .iter()
            .find(|target| target.provider.address(Asks::Count).is_some());
        let mut headers = HeaderMap::new();
        let tokens = match own {
            Some(target) => {
                let named = (target.upstream(), None);
                let outbound = target.provider.dialect();
                let body = dialect::pass_request(outbound, &peeked, named, &call.body)?;
                let from = Some(&call.headers);
                let asking = self.ask(target, Asks::Count, (from, body.into()), COUNT);
                let until = Instant::now() + COUNT;
                let body = read_whole(target, asking.await?.into_body(), until).await?;
                anthropic::read_count(&body)?
            }
            None => {
                let estimate = axum::http::HeaderValue::from_static("estimate");
                headers.insert("rialto-losses", estimate);
                estimate::tokens(&call.body)
            }
        };
        let body = Body::from(anthropic::write_count(tokens));
        Ok(answered(headers, "application/json", body))
    }

    /// The models that somebody may call.
    ///
    /// # Errors
    /// When the realm cannot say.
    pub async fn models(&self, who: &Who) -> Result<Vec<Model>, ModelError> {
        let meter = self.meter.as_ref();
        let models = self.catalogue.models(meter, who.owner).await;
        let models = models.map_err(|why| fault::model_error(&why))?;
        let mut listed: Vec<Model> = models
            .into_iter()
            .map(|(id, deployed)| Model {
                id,
                created: 0,
                owner: deployed.terms.provider.to_string(),
            })
            .collect();
        let callable: BTreeSet<String> = listed.iter().map(|model| model.id.clone()).collect();
        let settings = self.settings();
        let routes = settings.routes.iter().filter(|(name, route)| {
            !callable.contains(*name) && route.models.iter().any(|model| callable.contains(model))
        });
        listed.extend(routes.map(|(name, _)| Model {
            id: name.clone(),
            created: 0,
            owner: "route".to_owned(),
        }));
        listed.sort_by(|one, two| one.id.cmp(&two.id));
        Ok(listed)
    }
}
