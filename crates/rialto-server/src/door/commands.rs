//! Commands: parsed, their texts sealed, asked, answered.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use ed25519_dalek::{Signature, VerifyingKey};
use rialto_core::command::Command;
use rialto_core::decide::{Request, RequestKey};
use rialto_core::hash::Hash;
use rialto_core::identity::Principal;
use rialto_core::reject::{Code, Rejection};
use rialto_core::text::Labels;
use rialto_wire::body::{self, BadBody, Body};
use rialto_wire::native::{
    Accepted, Batch, BatchAnswer, BatchItem, MAX_COMMANDS, NewToken, Outcome, RefusedEntry,
    parse_command, parse_key,
};
use serde_json::Value;

use super::Door;
use super::auth::Caller;
use super::problem::Refusal;
use crate::node::{Answered, Ask, Reply};

/// Operations that only the realm itself carries out.
const INTERNAL: [&str; 4] = [
    "clock.tick",
    "realm.found",
    "realm.rotate_key",
    "realm.reset_operator_token",
];

/// `POST /api/{op}`: one command. Its body is the arguments.
pub(super) async fn one(
    State(door): State<Arc<Door>>,
    caller: Caller,
    Path(op): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Accepted>, Refusal> {
    let args = parse_json(&body.map_err(|e| unread(&e))?)?;
    let text = |name: &str| {
        headers
            .get(name)
            .map(|v| v.to_str().unwrap_or_default().to_owned())
    };
    let cause = text("rialto-cause").map(|c| c.parse()).transpose();
    let item = BatchItem {
        op,
        args,
        acting: None,
        key: text("idempotency-key"),
        cause: cause.map_err(|e| Refusal::new(Code::Malformed, format!("Rialto-Cause: {e}")))?,
    };
    let ask = prepare(&door, &caller, item).await?;
    let answered = door.node.ask(ask).await?;
    answer(answered).map(Json)
}

/// `POST /api/commands`: many commands, decided in order, each for itself.
pub(super) async fn batch(
    State(door): State<Arc<Door>>,
    caller: Caller,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<BatchAnswer>, Refusal> {
    let body = body.map_err(|e| unread(&e))?;
    let batch: Batch =
        serde_json::from_slice(&body).map_err(|e| Refusal::new(Code::Malformed, e.to_string()))?;
    if batch.commands.len() > MAX_COMMANDS {
        let detail = format!("{} commands, at most {MAX_COMMANDS}", batch.commands.len());
        return Err(Refusal::new(Code::TooMany, detail));
    }
    let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(batch.commands.len());
    let mut asks = Vec::with_capacity(batch.commands.len());
    for item in batch.commands {
        match prepare(&door, &caller, item).await {
            Ok(ask) => {
                asks.push(ask);
                outcomes.push(None);
            }
            Err(refusal) => outcomes.push(Some(Outcome::Refused(refusal.problem()))),
        }
    }
    let mut answers = door.node.ask_all(asks).await?.into_iter();
    let outcomes = outcomes
        .into_iter()
        .map(|known| known.or_else(|| answers.next().map(outcome)));
    let outcomes = outcomes.collect::<Option<Vec<_>>>().ok_or(Code::Defect)?;
    Ok(Json(BatchAnswer { outcomes }))
}

fn unread(why: &BytesRejection) -> Refusal {
    let too_large = why.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE;
    let code = if too_large {
        Code::TooLarge
    } else {
        Code::Malformed
    };
    let detail = if too_large {
        format!("at most {} bytes", super::BODY_BYTES)
    } else {
        why.to_string()
    };
    Refusal::new(code, detail)
}

fn parse_json(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|e| Refusal::new(Code::Malformed, e.to_string()))
}

/// Makes an ask of a command: checks keys and signatures, and seals the texts.
async fn prepare(door: &Arc<Door>, caller: &Caller, item: BatchItem) -> Result<Ask, Refusal> {
    let op = item.op.as_str();
    if caller.principal == Principal::Public && op != "owner.sign_up" {
        return Err(Code::Unauthenticated.into());
    }
    if INTERNAL.contains(&op) {
        return Err(Refusal::new(
            Code::Forbidden,
            "this is done on the server's own machine: rialto operator --help",
        ));
    }
    let key = item
        .key
        .as_deref()
        .map(|key| request_key(caller.principal, key, op, &item.args))
        .transpose()?;
    let acting = item.acting.or_else(|| caller.acting.clone());
    if item.args.get("signature").is_some_and(|s| !s.is_null()) {
        check_signature(door, caller, acting.as_ref(), op, &item.args).await?;
    }
    let command = parse_command(op, item.args)?;
    if let Command::WritePost(post) = &command
        && !post.about.is_empty()
    {
        let caller = Caller {
            acting: acting.clone(),
            ..caller.clone()
        };
        super::square::check_links(door, &caller, &post.about).await?;
    }
    let labels = labels(caller.principal);
    let mut contents = Vec::new();
    let mut too_large = None;
    let command = command.map(&mut |body: Body| {
        let salt = salt(door);
        let bytes = body.to_bytes().unwrap_or_else(|why| {
            too_large = Some(why);
            Vec::new()
        });
        let ordinal = u16::try_from(contents.len()).unwrap_or(u16::MAX);
        let sealed = body::seal(ordinal, &salt, &bytes, labels);
        contents.push((salt, bytes));
        sealed
    });
    match too_large {
        Some(BadBody::TooLarge(bytes)) => {
            let detail = format!("a text of {bytes} bytes, at most {}", body::MAX_BYTES);
            return Err(Refusal::new(Code::TooLarge, detail));
        }
        Some(BadBody::Malformed) => {
            return Err(Refusal::new(Code::Malformed, "a text cannot be stored"));
        }
        None => {}
    }
    let request = Request {
        principal: caller.principal,
        auth: caller.auth,
        acting,
        key,
        cause: item.cause,
    };
    Ok(Ask {
        request,
        command,
        contents,
    })
}

fn salt(door: &Door) -> [u8; 16] {
    let mut salt = [0; 16];
    salt.copy_from_slice(door.node.chance().bytes().split_at(16).0);
    salt
}

fn labels(principal: Principal) -> Labels {
    match principal {
        Principal::Agent(_) | Principal::Service(_) => Labels::BY_AGENT,
        Principal::Person(_) | Principal::Public => Labels::BY_PERSON,
        Principal::Operator | Principal::Realm => Labels::BY_OPERATOR,
    }
}

fn request_key(
    principal: Principal,
    key: &str,
    op: &str,
    args: &Value,
) -> Result<RequestKey, Rejection> {
    let (made_at_s, own) = parse_key(key)?;
    let who = format!("{principal:?}");
    let key = Hash::of(&[
        b"rialto key",
        who.as_bytes(),
        own.as_bytes(),
        &made_at_s.to_le_bytes(),
    ])
    .short();
    // Objects keep their fields sorted by name, so equal requests have equal texts.
    let request = Hash::of(&[
        b"rialto request",
        op.as_bytes(),
        args.to_string().as_bytes(),
    ])
    .short();
    Ok(RequestKey {
        made_at_s,
        key,
        request,
    })
}

/// The bytes that an agent signs to bind itself: realm, handle, operation and the arguments without
/// the signature, fields sorted by name, no white space.
#[must_use]
pub(crate) fn signed_bytes(realm: &str, handle: &str, op: &str, args: &Value) -> Vec<u8> {
    let mut args = args.clone();
    if let Some(fields) = args.as_object_mut() {
        fields.remove("signature");
    }
    format!("rialto-sign-1\n{realm}\n{handle}\n{op}\n{args}").into_bytes()
}

async fn check_signature(
    door: &Door,
    caller: &Caller,
    acting: Option<&rialto_core::identity::AgentRef>,
    op: &str,
    args: &Value,
) -> Result<(), Refusal> {
    let caller = Caller {
        acting: acting.cloned(),
        ..caller.clone()
    };
    let found = door.node.read(move |state| {
        let agent = super::auth::acting(state, &caller)?;
        let agent = state.agents.get(&agent).ok_or(Code::NotFound)?;
        Ok::<_, Refusal>((agent.key, agent.handle.to_string()))
    });
    let (key, handle) = found.await?.1?;
    let text = args
        .get("signature")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let signature: rialto_core::hash::Signature = text
        .parse()
        .map_err(|e| Refusal::new(Code::BadSignature, format!("{e}")))?;
    let message = signed_bytes(&door.realm, &handle, op, args);
    let key =
        VerifyingKey::from_bytes(key.bytes()).map_err(|_| Refusal::from(Code::BadSignature))?;
    let mut bytes = [0; 64];
    bytes.copy_from_slice(signature.0.as_slice());
    key.verify_strict(&message, &Signature::from_bytes(&bytes))
        .map_err(|_| {
            Refusal::new(
                Code::BadSignature,
                "sign the bytes that docs/concepts.md describes under \"Signatures\"",
            )
        })
}

fn outcome(answered: Answered) -> Outcome {
    match answer(answered) {
        Ok(accepted) => Outcome::Accepted(accepted),
        Err(refusal) => Outcome::Refused(refusal.problem()),
    }
}

fn answer(answered: Answered) -> Result<Accepted, Refusal> {
    let at = answered.position;
    match answered.reply {
        Reply::Accepted {
            ids,
            secrets,
            refused,
        } => Ok(Accepted {
            position: at,
            ids: Accepted::by_kind(&ids),
            duplicate: false,
            token: secrets
                .into_iter()
                .next()
                .map(|(id, secret)| NewToken { id, secret }),
            refused: refused.into_iter().map(refused_entry).collect(),
        }),
        Reply::Duplicate { position, ids } => Ok(Accepted {
            position,
            ids: Accepted::by_kind(&ids),
            duplicate: true,
            ..Accepted::default()
        }),
        Reply::Nothing => Ok(Accepted {
            position: at,
            ..Accepted::default()
        }),
        Reply::Refused(rejection) => Err(Refusal {
            rejection,
            position: Some(at),
        }),
    }
}

fn refused_entry((index, why): (u32, Rejection)) -> RefusedEntry {
    RefusedEntry {
        index,
        code: why.code.to_string(),
        detail: why.to_string(),
    }
}
