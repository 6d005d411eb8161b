//! Commands: parse, seal the texts, ask, answer.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap};
use ed25519_dalek::{Signature, VerifyingKey};
use rialto_core::command::Command;
use rialto_core::decide::{Request, RequestKey};
use rialto_core::hash::Hash;
use rialto_core::id::{AgentId, AnyId, TransferId};
use rialto_core::identity::{AgentRef, IdentityCommand, Principal};
use rialto_core::ledger::{LedgerCommand, Moved};
use rialto_core::mail::MailCommand;
use rialto_core::market::MarketCommand;
use rialto_core::reject::{Code, Rejection};
use rialto_core::social::SocialCommand;
use rialto_core::state::State;
use rialto_core::text::{Labels, Sealed};
use rialto_wire::body::{self, BadBody, Body};
use rialto_wire::native::{
    Accepted, BatchAnswer, MAX_COMMANDS, NativeCommand, NewToken, Outcome, ReadBatch, RefusedEntry,
    parse_command, parse_key,
};
use rialto_wire::strict;
use serde_json::Value;
use serde_json::value::RawValue;

use super::answer::Answer;
use super::auth::Caller;
use super::path::Path;
use super::problem::Refusal;
use super::reads::At;
use super::{Door, leaks, over, rates, sign_ups};
use crate::node::{Answered, Ask, Reply};

/// Operations that only the realm itself carries out.
pub(super) const INTERNAL: [&str; 7] = [
    "clock.tick",
    "token.end_leaked",
    "obligation.notice",
    "obligation.done",
    "realm.found",
    "realm.rotate_key",
    "realm.reset_operator_token",
];

/// Operations whose arguments may carry their agent's signature.
const SIGNED: [&str; 4] = [
    "call.propose",
    "negotiation.open",
    "negotiation.counter",
    "negotiation.accept",
];

/// `POST /api/{op}`: one command. Its body is the arguments.
pub(super) async fn one(
    Shared(door): Shared<Arc<Door>>,
    caller: Caller,
    Path(op): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Accepted> {
    let body = body.map_err(|e| unread(&e))?;
    let text = |name: &str| {
        headers
            .get(name)
            .map(|v| v.to_str().unwrap_or_default().to_owned())
    };
    let cause = text("rialto-cause").map(|c| c.parse()).transpose();
    let item = Item {
        op: &op,
        args: &body,
        acting: None,
        key: text("idempotency-key"),
        cause: cause.map_err(|e| Refusal::new(Code::Malformed, format!("Rialto-Cause: {e}")))?,
    };
    if op == "owner.sign_up" && caller.principal == Principal::Public {
        let from = sign_ups::address(&extensions, &headers, &door.rules.proxies);
        return sign_up(&door, &caller, from, item).await.map(Json);
    }
    carry_out(&door, &caller, item).await.map(Json)
}

/// A stranger's sign-up, counted by its address unless it has an invitation or is refused.
async fn sign_up(
    door: &Door,
    caller: &Caller,
    from: Option<IpAddr>,
    item: Item<'_>,
) -> Result<Accepted, Refusal> {
    let invited = match parse_command(item.op, item.args)? {
        Command::Identity(IdentityCommand::SignUp(args)) => args.invitation.is_some(),
        _ => false,
    };
    let Some(address) = from.filter(|_| !invited) else {
        return carry_out(door, caller, item).await;
    };
    let (_, settings) = door.node.read(State::settings).await?;
    let steady_ms = door.node.clock().steady_ms();
    let counted = door.sign_ups.count(address, &settings, steady_ms)?;
    let outcome = carry_out(door, caller, item).await;
    let fresh = outcome.as_ref().is_ok_and(|accepted| !accepted.duplicate);
    if let Some(counted) = counted.filter(|_| !fresh) {
        door.sign_ups.take_back(&counted);
    }
    outcome
}

/// Carries out one command, from any door.
pub(super) async fn carry_out(
    door: &Door,
    caller: &Caller,
    item: Item<'_>,
) -> Result<Accepted, Refusal> {
    let ask = prepare(door, caller, item).await?;
    asked(door, caller, ask).await
}

/// Asks the realm. Where it refuses an act on what is over, the answer says so.
async fn asked(door: &Door, caller: &Caller, ask: Ask) -> Result<Accepted, Refusal> {
    let subject = over::Subject::of(&ask.command, ask.request.acting.as_ref());
    match answer(door.node.ask(ask).await?) {
        Ok(accepted) => Ok(accepted),
        Err(refusal) => Err(over::explained(door, caller, subject, refusal).await),
    }
}

/// Carries out one command that is no text any more, with the checks of one that is.
pub(super) async fn ask(
    door: &Door,
    caller: &Caller,
    wanted: Wanted<'_>,
) -> Result<Accepted, Refusal> {
    let op = wanted.command.op();
    may_be_asked(caller, op)?;
    let acting = wanted.acting.or_else(|| caller.acting.clone());
    let mut key = None;
    if wanted.key.is_some() || SIGNED.contains(&op) {
        let written = serde_json::to_value(&wanted.command).map_err(|_| Code::Defect)?;
        let args = written.get("args").unwrap_or(&Value::Null);
        key = vouched(door, caller, acting.as_ref(), op, (wanted.key, args)).await?;
    }
    let known = Known {
        acting,
        key,
        cause: wanted.cause,
        // A form holds little text, so all of it is looked through.
        suspect: true,
    };
    let ask = sealed(door, caller, wanted.command, known).await?;
    asked(door, caller, ask).await
}

/// `POST /api/commands`: many commands, decided in order, each separately.
pub(super) async fn batch(
    Shared(door): Shared<Arc<Door>>,
    caller: Caller,
    body: Result<Bytes, BytesRejection>,
) -> Answer<BatchAnswer> {
    caller.known()?;
    let body = body.map_err(|e| unread(&e))?;
    let batch: ReadBatch<'_> =
        strict::from_slice(&body).map_err(|e| Refusal::new(Code::Malformed, e.to_string()))?;
    if batch.commands.len() > MAX_COMMANDS {
        let detail = format!("{} commands, at most {MAX_COMMANDS}", batch.commands.len());
        return Err(Refusal::new(Code::TooMany, detail));
    }
    let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(batch.commands.len());
    let (mut asks, mut subjects) = (Vec::with_capacity(batch.commands.len()), Vec::new());
    for item in batch.commands {
        let item = Item {
            op: &item.op,
            args: item.args.map_or("", RawValue::get).as_bytes(),
            acting: item.acting,
            key: item.key,
            cause: item.cause,
        };
        match prepare(&door, &caller, item).await {
            Ok(ask) => {
                subjects.push(over::Subject::of(&ask.command, ask.request.acting.as_ref()));
                asks.push(ask);
                outcomes.push(None);
            }
            Err(refusal) => outcomes.push(Some(Outcome::Refused(refusal.problem()))),
        }
    }
    let mut answers = Vec::with_capacity(subjects.len());
    for (answered, subject) in door.node.ask_all(asks).await.into_iter().zip(subjects) {
        answers.push(match answered.map_err(Refusal::from).and_then(answer) {
            Ok(accepted) => Outcome::Accepted(accepted),
            Err(refusal) => {
                let refusal = over::explained(&door, &caller, subject, refusal).await;
                Outcome::Refused(refusal.problem())
            }
        });
    }
    let mut answers = answers.into_iter();
    let outcomes = outcomes
        .into_iter()
        .map(|known| known.or_else(|| answers.next()));
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

/// One command with what headers, the batch or a form say about it.
pub(super) struct Item<'a> {
    /// The operation.
    pub(super) op: &'a str,
    /// The text of its arguments.
    pub(super) args: &'a [u8],
    /// The agent to act as.
    pub(super) acting: Option<AgentRef>,
    /// The idempotency key.
    pub(super) key: Option<String>,
    /// What caused it.
    pub(super) cause: Option<AnyId>,
}

/// One command as a value, with what a form says about it.
pub(super) struct Wanted<'a> {
    /// The command, its texts in it.
    pub(super) command: NativeCommand,
    /// The agent to act as.
    pub(super) acting: Option<AgentRef>,
    /// The idempotency key.
    pub(super) key: Option<&'a str>,
    /// What caused it.
    pub(super) cause: Option<AnyId>,
}

/// What is known of a command when its texts are sealed.
struct Known {
    acting: Option<AgentRef>,
    key: Option<RequestKey>,
    cause: Option<AnyId>,
    /// Whether its texts may hold a token.
    suspect: bool,
}

/// Refuses what no door carries out for this caller.
fn may_be_asked(caller: &Caller, op: &str) -> Result<(), Refusal> {
    if caller.principal == Principal::Public && op != "owner.sign_up" {
        return Err(Code::Unauthenticated.into());
    }
    if INTERNAL.contains(&op) {
        return Err(Refusal::new(
            Code::Forbidden,
            "only the server's own machine may run this: rialto operator --help",
        ));
    }
    Ok(())
}

/// Makes an ask of a command that is a text: parses it, checks its key and signature, and seals its texts.
async fn prepare(door: &Door, caller: &Caller, item: Item<'_>) -> Result<Ask, Refusal> {
    let op = item.op;
    may_be_asked(caller, op)?;
    let command = parse_command(op, item.args)?;
    let acting = item.acting.or_else(|| caller.acting.clone());
    let mut key = None;
    if item.key.is_some() || SIGNED.contains(&op) {
        let written: Value = serde_json::from_slice(item.args).unwrap_or_default();
        let named = item.key.as_deref();
        key = vouched(door, caller, acting.as_ref(), op, (named, &written)).await?;
    }
    let known = Known {
        acting,
        key,
        cause: item.cause,
        suspect: leaks::may_hold(item.args),
    };
    sealed(door, caller, command, known).await
}

/// Checks what vouches for a command: its signature, if there is one, and the form of its key, which it
/// returns. Both are about the arguments as the client wrote them, whatever their order and white space.
/// What is signed counts once, whoever brings it: it needs a key, and the key is its agent's.
async fn vouched(
    door: &Door,
    caller: &Caller,
    acting: Option<&AgentRef>,
    op: &str,
    (key, args): (Option<&str>, &Value),
) -> Result<Option<RequestKey>, Refusal> {
    if args.get("signature").is_none_or(Value::is_null) {
        let key = key.map(|key| request_key(caller.principal, key, op, args));
        return Ok(key.transpose()?);
    }
    let Some(key) = key else {
        let why = "a signature counts once: send an idempotency key, which is signed too";
        return Err(Refusal::new(Code::BadSignature, why));
    };
    let agent = check_signature(door, caller, acting, (op, key, args)).await?;
    let key = request_key(Principal::Agent(agent), key, op, args)?;
    Ok(Some(RequestKey {
        signed: true,
        ..key
    }))
}

/// Makes an ask of a command: looks at what it links to and holds, and seals its texts.
async fn sealed(
    door: &Door,
    caller: &Caller,
    command: NativeCommand,
    known: Known,
) -> Result<Ask, Refusal> {
    let Known {
        acting,
        key,
        cause,
        suspect,
    } = known;
    if let Command::Social(SocialCommand::WritePost(post)) = &command
        && !post.about.is_empty()
    {
        let caller = Caller {
            acting: acting.clone(),
            ..caller.clone()
        };
        super::square::check_links(door, &caller, &post.about).await?;
    }
    if let Command::Social(SocialCommand::TakeMeasure(measure)) = &command {
        super::square::check_reason(door, measure).await?;
    }
    if suspect {
        leaks::check_facts(door, &command)?;
    }
    let written_by = labels(caller.principal);
    let marked = is_compared(&command);
    let (mut contents, mut leaked) = (Vec::new(), Vec::new());
    let (mut too_large, mut blank) = (None, false);
    let mut command = command.map(&mut |body: Body| {
        blank |= body.is_blank();
        let salt = salt(door);
        let bytes = body.to_bytes().unwrap_or_else(|why| {
            too_large = Some(why);
            Vec::new()
        });
        let held = match suspect {
            true => leaks::live_in(door, &bytes),
            false => Vec::new(),
        };
        let labels = match held.is_empty() {
            true => written_by,
            false => written_by.with(Labels::LIVE_TOKEN),
        };
        leaked.extend(held);
        let ordinal = u16::try_from(contents.len()).unwrap_or(u16::MAX);
        let mut sealed = body::seal(ordinal, &salt, &bytes, labels);
        sealed.blank = body.is_blank();
        if marked {
            sealed.same = door.node.secrets().text_mark(&bytes);
        }
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
    if blank && command.says_something() {
        let detail = "the text shows nothing: it needs at least one visible character";
        return Err(Refusal::new(Code::BadText, detail));
    }
    if let Command::Ledger(LedgerCommand::Correct(args)) = &mut command
        && caller.principal == Principal::Operator
    {
        args.entry = moved(door, args.transfer).await?;
    }
    let request = Request {
        principal: caller.principal,
        auth: caller.auth,
        acting,
        key,
        cause,
    };
    let custody = needs_key(&command).then(|| door.node.new_custody());
    Ok(Ask {
        request,
        command,
        contents,
        custody,
        leaked,
    })
}

/// What an entry to correct moved. It has left memory, so only the views know; it never changes, so
/// they cannot be out of date.
async fn moved(door: &Door, entry: TransferId) -> Result<Option<Moved>, Refusal> {
    let at = At::default().reached(door.node.hub().durable());
    super::reads::view(door, at, move |v| v.moved_by(entry)).await
}

/// Whether a command's text is compared with an earlier one: that of a message under its sender's own id,
/// and of what may wait for a person.
fn is_compared(command: &NativeCommand) -> bool {
    match command {
        Command::Mail(MailCommand::SendMessage(message)) => message.client_id.is_some(),
        Command::Ledger(LedgerCommand::Transfers(_)) => true,
        Command::Market(command) => matches!(
            command,
            MarketCommand::OpenNegotiation(_)
                | MarketCommand::Counter(_)
                | MarketCommand::AcceptOffer(_)
        ),
        _ => false,
    }
}

/// Whether the command makes a key pair that the realm keeps.
fn needs_key(command: &Command<Sealed>) -> bool {
    match command {
        Command::Identity(IdentityCommand::RegisterAgent(args)) => args.key.is_none(),
        Command::Identity(IdentityCommand::RotateKey(args)) => args.key.is_none(),
        _ => false,
    }
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
    let key = Hash::of(&[
        b"rialto key",
        spelled(principal).as_bytes(),
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
        signed: false,
    })
}

/// A principal as hashes of keys spell it. Keys are remembered under these hashes: they stay for ever.
fn spelled(principal: Principal) -> String {
    match principal {
        Principal::Realm => "Realm".to_owned(),
        Principal::Operator => "Operator".to_owned(),
        Principal::Person(id) => format!("Person(PersonId({}))", id.0),
        Principal::Agent(id) => format!("Agent(AgentId({}))", id.0),
        Principal::Service(id) => format!("Service(ServiceId({}))", id.0),
        Principal::Public => "Public".to_owned(),
    }
}

/// The bytes that an agent signs to bind itself: the realm by its key, handle, operation, idempotency key and
/// the arguments without the signature, fields sorted by name, no white space.
#[must_use]
pub(crate) fn signed_bytes(
    realm: &Hash,
    handle: &str,
    (op, key, args): (&str, &str, &Value),
) -> Vec<u8> {
    let mut args = args.clone();
    if let Some(fields) = args.as_object_mut() {
        fields.remove("signature");
    }
    format!("rialto-sign-2\n{realm}\n{handle}\n{op}\n{key}\n{args}").into_bytes()
}

/// Refuses what the acting agent has not signed; gives back which agent has.
async fn check_signature(
    door: &Door,
    caller: &Caller,
    acting: Option<&AgentRef>,
    (op, key, args): (&str, &str, &Value),
) -> Result<AgentId, Refusal> {
    let caller = Caller {
        acting: acting.cloned(),
        ..caller.clone()
    };
    let found = door.node.read(move |state| {
        let id = super::auth::acting(state, &caller)?;
        let agent = state.agents.get(&id).ok_or(Code::NotFound)?;
        let realm = state.realm.get(&()).ok_or(Code::Defect)?;
        let handle = agent.handle.to_string();
        Ok::<_, Refusal>((id, agent.key, handle, realm.key))
    });
    let (agent, public, handle, realm) = found.await?.1?;
    let text = args
        .get("signature")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let signature: rialto_core::hash::Signature = text
        .parse()
        .map_err(|e| Refusal::new(Code::BadSignature, format!("{e}")))?;
    let message = signed_bytes(&realm, &handle, (op, key, args));
    let public =
        VerifyingKey::from_bytes(public.bytes()).map_err(|_| Refusal::from(Code::BadSignature))?;
    let mut bytes = [0; 64];
    bytes.copy_from_slice(signature.0.as_slice());
    public
        .verify_strict(&message, &Signature::from_bytes(&bytes))
        .map(|()| agent)
        .map_err(|_| {
            Refusal::new(
                Code::BadSignature,
                "sign the bytes that docs/concepts.md describes under \"Signatures\"",
            )
        })
}

fn answer(answered: Answered) -> Result<Accepted, Refusal> {
    let at = answered.position;
    rates::note(answered.pace);
    match answered.reply {
        Reply::Accepted {
            ids,
            secrets,
            refused,
            offer,
        } => Ok(Accepted {
            position: at,
            waits_for: Accepted::waiting(&ids),
            ids: Accepted::by_kind(&ids),
            duplicate: false,
            token: secrets
                .into_iter()
                .next()
                .map(|(id, secret)| NewToken { id, secret }),
            refused: refused.into_iter().map(refused_entry).collect(),
            offer: offer.map(|hash| hash.to_string()),
        }),
        Reply::Duplicate { position, ids } => Ok(Accepted {
            position,
            waits_for: Accepted::waiting(&ids),
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

#[cfg(test)]
mod tests {
    use rialto_wire::native::NativeCommand;
    use serde_json::Value;

    use super::SIGNED;

    /// Keys that were remembered before this code must be found by it.
    #[test]
    fn keys_are_hashed_as_they_always_were() {
        use rialto_core::hash::Hash;
        use rialto_core::id::{AgentId, PersonId, ServiceId};
        use rialto_core::identity::Principal;
        for (principal, spelled) in [
            (Principal::Realm, "Realm"),
            (Principal::Operator, "Operator"),
            (
                Principal::Person(PersonId(16_384)),
                "Person(PersonId(16384))",
            ),
            (Principal::Agent(AgentId(32_769)), "Agent(AgentId(32769))"),
            (Principal::Service(ServiceId(7)), "Service(ServiceId(7))"),
            (Principal::Public, "Public"),
        ] {
            let key = super::request_key(principal, "1795351234.k", "op", &Value::Null).unwrap();
            let made = 1_795_351_234_u64.to_le_bytes();
            let parts: [&[u8]; 4] = [b"rialto key", spelled.as_bytes(), b"k", &made];
            assert_eq!(key.key, Hash::of(&parts).short(), "{principal:?}");
        }
    }

    /// An unchecked signature would be worthless.
    #[test]
    fn every_signature_is_checked() {
        let schema = Value::from(schemars::schema_for!(NativeCommand));
        let definitions = &schema["$defs"];
        let mut signed = Vec::new();
        for form in schema["oneOf"].as_array().unwrap() {
            let args = form["properties"]["args"]["$ref"].as_str().unwrap();
            let name = args.rsplit('/').next().unwrap();
            if !definitions[name]["properties"]["signature"].is_null() {
                signed.push(
                    form["properties"]["op"]["const"]
                        .as_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
        signed.sort_unstable();
        let mut known = SIGNED;
        known.sort_unstable();
        assert_eq!(signed, known);
    }
}
