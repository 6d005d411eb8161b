//! What an agent signs with its own key counts once: whoever has seen a signature does nothing with it.

use axum::http::{Method, StatusCode};
use ed25519_dalek::{Signer, SigningKey};
use rialto_server::node::Clock;
use serde_json::{Value, json};

use crate::door::Realm;

/// What is signed, as docs/concepts.md says it.
#[derive(Clone, Copy)]
struct Signed<'a> {
    realm: &'a str,
    handle: &'a str,
    op: &'a str,
    key: &'a str,
    args: &'a Value,
}

impl Signed<'_> {
    /// The arguments with the signature of these bytes.
    fn by(&self, key: &SigningKey) -> Value {
        let Self {
            realm,
            handle,
            op,
            key: once,
            args,
        } = self;
        let text = format!("rialto-sign-2\n{realm}\n{handle}\n{op}\n{once}\n{args}");
        let mut args = (*args).clone();
        args["signature"] = json!(hex(&key.sign(text.as_bytes()).to_bytes()));
        args
    }
}

/// Sends a command with an idempotency key, as an agent or by its own token.
async fn sent(
    realm: &Realm,
    (token, acting): (&str, Option<&str>),
    (op, key): (&str, Option<&str>),
    args: &Value,
) -> (StatusCode, Value) {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    headers.extend(acting.map(|agent| ("rialto-agent", agent)));
    headers.extend(key.map(|key| ("idempotency-key", key)));
    let path = format!("/api/{op}");
    realm
        .send(Method::POST, &path, &headers, args.to_string().into())
        .await
}

/// The operations whose arguments take a signature, as the description of the API says.
fn purposes() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let api: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let takes = |body: &Value| {
        let text = body.to_string();
        let names = text.split("#/components/schemas/").skip(1);
        let mut named = names.filter_map(|rest| rest.split('"').next());
        named.any(|name| !api["components"]["schemas"][name]["properties"]["signature"].is_null())
    };
    let paths = api["paths"].as_object().unwrap().iter();
    let signed = paths.filter(|(_, at)| takes(&at["post"]["requestBody"]));
    let mut all: Vec<_> = signed
        .filter_map(|(path, _)| path.strip_prefix("/api/").map(str::to_owned))
        .collect();
    all.sort();
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_signature_counts_twice_or_for_anything_else() {
    let realm = Realm::new().await;
    let (boss, seller) = realm.owner("seller").await;
    let (_, buyer) = realm.owner("buyer").await;
    let issue = json!({ "to": "@buyer-agent", "amount": "1000" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let own = SigningKey::from_bytes(&[7; 32]);
    let other = SigningKey::from_bytes(&[8; 32]);
    let public = hex(&own.verifying_key().to_bytes());
    let rotate = json!({ "agent": "@seller-agent", "key": public });
    realm.ok(&boss, "agent.rotate_key", rotate).await;
    let (_, about) = realm.get(&seller, "/api/realm").await;
    let key = about["key"].as_str().unwrap();

    let terms =
        json!({ "price": "5", "deliver_within_ms": 3_600_000, "review_within_ms": 3_600_000 });
    let call = json!({ "body": "tacos", "public": true, "open_for_ms": 600_000 });
    let call = realm.ok(&buyer, "call.open", call).await["ids"]["call"].clone();
    let opened =
        json!({ "with": "@seller-agent", "side": "buy", "terms": terms, "valid_for_ms": 600_000 });
    let contact = json!({ "agent": "@seller-agent", "profile": { "contact": "open" } });
    realm.ok(&seller, "agent.set_profile", contact).await;
    let countered = realm.ok(&buyer, "negotiation.open", opened.clone()).await;
    let accepted = realm.ok(&buyer, "negotiation.open", opened).await;
    let with =
        json!({ "with": "@buyer-agent", "side": "sell", "terms": terms, "valid_for_ms": 600_000 });
    let commands = [
        (
            "call.propose",
            json!({ "call": call, "terms": terms, "valid_for_ms": 600_000 }),
        ),
        (
            "negotiation.accept",
            json!({ "negotiation": accepted["ids"]["neg"], "offer": accepted["offer"] }),
        ),
        (
            "negotiation.counter",
            json!({ "negotiation": countered["ids"]["neg"], "terms": terms, "valid_for_ms": 600_000 }),
        ),
        ("negotiation.open", with),
    ];
    let asked: Vec<&str> = commands.iter().map(|(op, _)| *op).collect();
    assert_eq!(asked, purposes(), "every operation that takes a signature");

    for (op, args) in &commands {
        let made = realm.clock.now().0 / 1_000;
        let (once, again) = (format!("{made}.{op}"), format!("{made}.{op}-2"));
        let right = Signed {
            realm: key,
            handle: "@seller-agent",
            op,
            key: &once,
            args,
        };
        let own_token = (seller.as_str(), None);
        let wrong = [
            ("another key", right.by(&other), Some(&once)),
            ("another idempotency key", right.by(&own), Some(&again)),
            ("no idempotency key", right.by(&own), None),
            (
                "another realm",
                Signed {
                    realm: &"0".repeat(64),
                    ..right
                }
                .by(&own),
                Some(&once),
            ),
            (
                "another operation",
                Signed {
                    op: "deal.refund",
                    ..right
                }
                .by(&own),
                Some(&once),
            ),
            (
                "another agent",
                Signed {
                    handle: "@buyer-agent",
                    ..right
                }
                .by(&own),
                Some(&once),
            ),
        ];
        for (what, args, key) in wrong {
            let (_, said) = sent(&realm, own_token, (op, key.map(String::as_str)), &args).await;
            assert_eq!(said["code"], "RLT0018", "{op} with {what}: {said}");
        }
        let mut args = right.by(&own);
        let (status, first) = sent(&realm, own_token, (op, Some(&once)), &args).await;
        assert_eq!(status, StatusCode::OK, "{op}: {first}");
        // Seen and sent again: by the agent's own token, and by an admin's.
        for caller in [own_token, (boss.as_str(), Some("@seller-agent"))] {
            let (_, said) = sent(&realm, caller, (op, Some(&once)), &args).await;
            assert_eq!(said["duplicate"], true, "{op}: {said}");
            assert_eq!(said["position"], first["position"]);
            let (_, said) = sent(&realm, caller, (op, Some(&again)), &args).await;
            assert_eq!(said["code"], "RLT0018", "{op}: {said}");
        }
        args["note"] = json!("with a note that nobody signed");
        let (_, said) = sent(&realm, own_token, (op, Some(&once)), &args).await;
        assert_eq!(said["code"], "RLT0018", "{op} with other arguments: {said}");
    }
    realm.stop();
}
