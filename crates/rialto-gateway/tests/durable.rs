//! The promise behind every call: the provider may be asked early, but nothing reaches the caller before the
//! reserve is durable, and every reserve is reported once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use rialto_core::id::{AgentId, AssetId, DeploymentId, InferenceId, OwnerId, TokenId};
use rialto_core::identity::{Auth, Principal};
use rialto_core::model::{
    Deployment, InferenceEnd, InferenceReport, OpenTo, Prices, ReserveInference,
};
use rialto_core::reject::{Code, Rejection};
use rialto_core::text::{Alias, Name};
use rialto_gateway::{
    Asking, Call, Gateway, Kind, Meter, Offered, Provider, Providers, Reserved, Settings, Task,
    Terms, Who,
};
use rialto_wire::dialect::Inbound;
use rialto_wire::openai::chat::Server;
use tokio::sync::watch;

/// A realm whose log writes when it is told to.
struct Held {
    next: AtomicU64,
    durable: watch::Receiver<Option<bool>>,
    reports: Mutex<Vec<InferenceReport>>,
    /// How often it is busy before it takes a report.
    busy: AtomicUsize,
    decide: Duration,
}

impl Held {
    fn new(durable: watch::Receiver<Option<bool>>) -> Arc<Self> {
        Arc::new(Self {
            next: AtomicU64::new(1),
            durable,
            reports: Mutex::default(),
            busy: AtomicUsize::new(0),
            decide: Duration::ZERO,
        })
    }
}

/// The meter is shared with the test.
struct Shared(Arc<Held>);

impl Meter for Shared {
    fn reserve(&self, _: Who, ask: ReserveInference) -> Asking<Result<Reserved, Rejection>> {
        let held = self.0.clone();
        Box::pin(async move {
            tokio::time::sleep(held.decide).await;
            assert!(ask.input > 0 && ask.output == 9, "{ask:?}");
            let inference = InferenceId(held.next.fetch_add(1, Ordering::SeqCst));
            let mut durable = held.durable.clone();
            let durable = async move {
                match *durable.wait_for(Option::is_some).await.unwrap() {
                    Some(true) => Ok(()),
                    _ => Err(Code::StorageFull.into()),
                }
            };
            let durable = Box::pin(durable);
            Ok(Reserved { inference, durable })
        })
    }

    fn settle(&self, reports: Vec<InferenceReport>) -> Asking<Result<(), Rejection>> {
        let held = self.0.clone();
        Box::pin(async move {
            let busy = |n: usize| n.checked_sub(1);
            if held
                .busy
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, busy)
                .is_ok()
            {
                return Err(Code::Busy.into());
            }
            held.reports.lock().unwrap().extend(reports);
            Ok(())
        })
    }

    fn version(&self) -> u64 {
        1
    }

    fn offered(&self) -> Asking<Result<Offered, Rejection>> {
        let terms = Deployment {
            owner: OwnerId(1),
            model: Alias::new("fast").unwrap(),
            provider: Alias::new("house").unwrap(),
            upstream: Name::new("fast-1").unwrap(),
            chip: None,
            replicas: 1,
            open_to: OpenTo::Everyone,
            asset: AssetId(1),
            prices: Prices::default(),
            version: 1,
        };
        let all = vec![(DeploymentId(7), terms)];
        Box::pin(async move { Ok(Offered { version: 1, all }) })
    }
}

/// A server of models that counts who asks, and answers at once.
async fn upstream(asked: Arc<AtomicUsize>) -> String {
    let answer = move |body: Bytes| async move {
        asked.fetch_add(1, Ordering::SeqCst);
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains("\"model\":\"fast-1\""), "{body}");
        r#"{"model":"fast-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#
    };
    let router = Router::new().route("/v1/chat/completions", post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{at}")
}

async fn gateway(held: &Arc<Held>, asked: &Arc<AtomicUsize>) -> Arc<Gateway> {
    let terms = Terms {
        kind: Kind::OpenAi,
        url: upstream(asked.clone()).await,
        key: None,
        max_output: 9,
        first: Duration::from_secs(5),
        pause: Duration::from_secs(5),
        server: Server::default(),
    };
    let provider = Arc::new(Provider::new("house", terms).unwrap());
    let settings = Settings {
        providers: Providers::new([provider], None).unwrap(),
        routes: BTreeMap::new(),
        programs: BTreeMap::new(),
    };
    Gateway::new(Arc::new(Shared(held.clone())), settings, None, None)
}

fn call() -> Call {
    Call {
        task: Task::Answer(Inbound::Chat),
        path: "/v1/chat/completions".to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(br#"{"model":"fast","messages":[]}"#),
        who: Who {
            principal: Principal::Agent(AgentId(1)),
            auth: Auth::Token(TokenId(1)),
            acting: None,
            owner: Some(OwnerId(2)),
            task: None,
            run: None,
            at_most: None,
        },
    }
}

async fn until(what: impl Fn() -> bool) {
    let waited = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_is_asked_early_and_the_caller_answered_when_it_is_durable() {
    let (tell, durable) = watch::channel(None);
    let (held, asked) = (Held::new(durable), Arc::<AtomicUsize>::default());
    let gateway = gateway(&held, &asked).await;
    let calling = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.call(call()).await }
    });
    until(|| asked.load(Ordering::SeqCst) == 1).await;
    // The answer is there, and stays here.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!calling.is_finished());
    tell.send(Some(true)).unwrap();
    let response = calling.await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    gateway.flush().await;
    let reports = held.reports.lock().unwrap().clone();
    assert_eq!(reports.len(), 1);
    assert_eq!(
        (reports[0].end, reports[0].tokens.input),
        (InferenceEnd::Served, 3)
    );
    assert!(!reports[0].estimated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserve_that_was_never_made_lets_no_answer_out() {
    let (tell, durable) = watch::channel(None);
    let (held, asked) = (Held::new(durable), Arc::<AtomicUsize>::default());
    let gateway = gateway(&held, &asked).await;
    tell.send(Some(false)).unwrap();
    let response = gateway.call(call()).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&body).contains("Hi"), "{body:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_before_the_decision_leaves_no_reserve_behind() {
    let (_tell, durable) = watch::channel(Some(true));
    let asked = Arc::<AtomicUsize>::default();
    let mut held = Held::new(durable);
    Arc::get_mut(&mut held).unwrap().decide = Duration::from_millis(100);
    let gateway = gateway(&held, &asked).await;
    let left = tokio::time::timeout(Duration::from_millis(20), gateway.call(call())).await;
    assert!(left.is_err());
    until(|| !held.reports.lock().unwrap().is_empty()).await;
    let reports = held.reports.lock().unwrap().clone();
    assert_eq!((reports.len(), reports[0].end), (1, InferenceEnd::Failed));
    assert_eq!(reports[0].tokens.sum(), 0);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_was_not_taken_is_made_again_and_none_is_made_twice() {
    let (_tell, durable) = watch::channel(Some(true));
    let (held, asked) = (Held::new(durable), Arc::<AtomicUsize>::default());
    held.busy.store(2, Ordering::SeqCst);
    let gateway = gateway(&held, &asked).await;
    let calls = (0..50).map(|_| gateway.call(call()));
    let answers = futures_util::future::join_all(calls).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.status() == StatusCode::OK)
    );
    gateway.flush().await;
    let mut ids: Vec<_> = held
        .reports
        .lock()
        .unwrap()
        .iter()
        .map(|r| r.inference.0)
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=50).collect::<Vec<_>>());
}
