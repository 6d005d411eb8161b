//! The demo's calls of a model: an agent with a budget asks through the gateway, by the wire of a stock client, until
//! its budget refuses. Without a model's server, one that answers with fixed words stands in; the money is real.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use rialto_bench::gateway::StandInModel;
use rialto_client::{Client, ClientError};
use rialto_gateway::provider::{FIRST, OUTPUT, PAUSE};
use rialto_gateway::{Kind, Provider, Providers, Settings, Terms};
use rialto_outside::{Bounds, Connections};
use rialto_scenario::demo::{Basis, DemoLine};
use serde_json::{Value, json};

use super::home::Home;
use crate::output::CliError;

/// What the agent may spend on models.
const BUDGET: &str = "0.0001";
/// More calls than that money is for.
const MOST: usize = 40;
/// The longest answer.
const ANSWER: usize = 1 << 20;
/// How long one call may take.
const TIME: Duration = Duration::from_secs(300);

/// What serves the model, and what it calls it.
pub(super) struct Served {
    pub(super) settings: Settings,
    upstream: String,
    basis: Basis,
    /// Ends with this value.
    _stand_in: Option<StandInModel>,
}

/// A server at an address with OpenAI's wire and the first of its models, or a stand-in.
pub(super) async fn served(address: Option<&str>) -> Result<Served, CliError> {
    let failed = |why: String| CliError::failed(format!("--model: {why}"));
    let stand_in = match address {
        Some(_) => None,
        None => {
            let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
            let started = StandInModel::start(any).await;
            Some(started.map_err(|e| CliError::bug(e.to_string()))?)
        }
    };
    let url = match (&stand_in, address) {
        (Some(stand_in), _) => format!("http://{}", stand_in.address()),
        (None, address) => address.unwrap_or_default().to_owned(),
    };
    let terms = Terms {
        kind: Kind::OpenAi,
        url,
        key: None,
        max_output: OUTPUT,
        first: FIRST,
        pause: PAUSE,
        server: rialto_wire::openai::chat::Server::default(),
    };
    let provider = Provider::new("demo", terms).map_err(|e| failed(e.to_string()))?;
    let providers = Providers::new([std::sync::Arc::new(provider)], None);
    let providers = providers.map_err(|e| CliError::bug(e.to_string()))?;
    let upstream = match &stand_in {
        Some(_) => "bench".to_owned(),
        None => first_model(&providers).await.map_err(failed)?,
    };
    Ok(Served {
        settings: Settings {
            providers,
            routes: std::collections::BTreeMap::new(),
            programs: std::collections::BTreeMap::new(),
        },
        upstream,
        basis: match stand_in {
            Some(_) => Basis::StandIn,
            None => Basis::Measured,
        },
        _stand_in: stand_in,
    })
}

async fn first_model(providers: &Providers) -> Result<String, String> {
    let checked = rialto_gateway::check(providers, None).await;
    match checked.into_iter().next().map(|one| one.listed) {
        Some(rialto_gateway::Listed::Models(models)) => {
            let first = models.into_iter().next();
            first.ok_or_else(|| "it lists no model".to_owned())
        }
        Some(rialto_gateway::Listed::Failed(why)) => Err(why),
        Some(rialto_gateway::Listed::Unlisted) | None => Err("it lists no model".to_owned()),
    }
}

/// Makes the calls, and tells what they came to.
pub(super) async fn play(home: &Home, served: &Served) -> Result<DemoLine, CliError> {
    let operator = &home.operator;
    let house = member(operator, "model-house", None).await?;
    let terms = json!({
        "model": "clerk", "provider": "demo", "upstream": served.upstream, "open_to": "everyone",
        "prices": { "per_million": { "input": "0.10", "output": "0.40" } },
    });
    house
        .command("deployment.create", json!({ "terms": terms }))
        .await?;
    let lector = member(operator, "reading-room", Some("lector")).await?;
    let issue = json!({ "to": "@lector", "amount": "1" });
    operator.command("ledger.issue", issue).await?;
    let budget =
        json!({ "node": { "agent": "@lector" }, "per_period": BUDGET, "period_ms": 86_400_000 });
    operator.command("policy.set_allowance", budget).await?;
    let (calls, refusal) = calls_until_refused(home, &lector).await?;
    let position = operator.get("/api/realm").await?["position"].clone();
    let list = format!("/api/inferences?limit=100&min_position={position}");
    let list = lector.client.get(&list).await?;
    let rows = list["items"].as_array().map_or(&[][..], Vec::as_slice);
    let sum = |name: &str| {
        rows.iter()
            .filter_map(|row| row[name].as_u64())
            .sum::<u64>()
    };
    let tokens = sum("input") + sum("output");
    let account = lector.client.get("/api/ledger/accounts").await?;
    let left = account["items"][0]["balance"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    Ok(DemoLine {
        topic: "gateway",
        text: format!(
            "@lector calls clerk {calls} times, {tokens} tokens, {left} of 1.00 left · call {next} refused: {refusal}",
            next = calls + 1
        ),
        basis: served.basis,
    })
}

/// Somebody at the door.
struct Member {
    client: Client,
    secret: String,
}

impl Member {
    async fn command(&self, op: &str, args: Value) -> Result<(), ClientError> {
        self.client.command(op, args).await.map(drop)
    }
}

/// An owner's admin, or its agent.
async fn member(operator: &Client, owner: &str, agent: Option<&str>) -> Result<Member, CliError> {
    let secret = |made: rialto_wire::native::Accepted| {
        let token = made.token.map(|token| token.secret);
        token.ok_or_else(|| CliError::bug("a sign-up without a token"))
    };
    let sign_up = json!({ "name": owner, "kind": "organisation" });
    let admin = secret(operator.command("owner.sign_up", sign_up).await?)?;
    let secret = match agent {
        None => admin,
        Some(handle) => {
            let admin = operator.with_token(&admin)?;
            let made = admin.command("agent.register", json!({ "handle": handle }));
            secret(made.await?)?
        }
    };
    Ok(Member {
        client: operator.with_token(&secret)?,
        secret,
    })
}

/// Calls until a call is refused: how many were answered, and the realm's words.
async fn calls_until_refused(home: &Home, agent: &Member) -> Result<(usize, String), CliError> {
    let connections = Connections::trusting(None).map_err(ClientError::from)?;
    let body = json!({
        "model": "clerk", "max_tokens": 50,
        "messages": [{ "role": "user", "content": "Name one thing that a market needs." }],
    })
    .to_string();
    for made in 0..MOST {
        let request = Request::post(format!("{}/v1/chat/completions", home.url))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", agent.secret))
            .body(Body::from(body.clone()));
        let request = request.map_err(|e| CliError::bug(e.to_string()))?;
        let answer = connections.call(request, Bounds::within(TIME)).await;
        let answer = answer.map_err(|e| CliError::failed(e.to_string()))?;
        if answer.status().is_success() {
            continue;
        }
        let told = to_bytes(answer.into_body(), ANSWER).await;
        let told = told.map_err(|e| CliError::failed(e.to_string()))?;
        let told: Value = serde_json::from_slice(&told).unwrap_or_default();
        let words = told["error"]["message"]
            .as_str()
            .unwrap_or("no reason given");
        return Ok((made, words.to_owned()));
    }
    Err(CliError::failed("the budget refused no call"))
}
