//! The native JSON of `/api`: requests, answers and problems.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rialto_core::command::Command;
use rialto_core::id::{AnyId, ApprovalId, TokenId};
use rialto_core::identity::AgentRef;
use rialto_core::reject::{Code, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::body::Body;
use crate::strict::Strict;

/// A command as clients send it, with its texts.
pub type NativeCommand = Command<Body>;

/// The most commands in one batch.
pub const MAX_COMMANDS: usize = 8_190;

/// One command of a batch, with what the headers say for a single one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchItem {
    /// The operation, such as `mail.send`.
    pub op: String,
    /// Its arguments.
    #[serde(default)]
    pub args: serde_json::Value,
    /// The agent to act as.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub acting: Option<AgentRef>,
    /// The idempotency key: Unix seconds, a point, and 1 to 64 visible characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<AnyId>,
}

/// `POST /api/commands`: commands decided one after another, each for itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The commands.
    pub commands: Vec<BatchItem>,
}

/// A new token's secret: returned once, stored nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewToken {
    /// The token's id.
    pub id: TokenId,
    /// The secret.
    pub secret: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewToken({})", self.id)
    }
}

/// An entry of an independent batch of transfers that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusedEntry {
    /// Its index.
    pub index: u32,
    /// The stable code.
    pub code: String,
    /// What is wrong.
    pub detail: String,
}

/// The answer to an accepted command.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Accepted {
    /// The position at which it was decided. It is durable.
    pub position: u64,
    /// The ids of new things, by kind: `{"agent": "agent_…", "tok": "tok_…"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ids: BTreeMap<String, AnyId>,
    /// True if the same command had already been accepted; nothing was repeated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
    /// The secret of the token just issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<NewToken>,
    /// The entries of an independent batch of transfers that were refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedEntry>,
    /// The hash of the offer just made, which its acceptance names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<String>,
    /// The approval that it waits for: a person decides, and nothing else has been done yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<ApprovalId>,
}

impl Accepted {
    /// Ids by kind; of several of a kind the first.
    #[must_use]
    pub fn by_kind(ids: &[AnyId]) -> BTreeMap<String, AnyId> {
        let mut by_kind = BTreeMap::new();
        for id in ids {
            by_kind.entry(id.prefix().to_owned()).or_insert(*id);
        }
        by_kind
    }

    /// The approval that a command waits for whose answer names these ids.
    #[must_use]
    pub fn waiting(ids: &[AnyId]) -> Option<ApprovalId> {
        ids.iter().find_map(|id| match id {
            AnyId::ApprovalId(approval) => Some(*approval),
            _ => None,
        })
    }
}

/// A problem in the form of RFC 9457, with the product's stable code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// Where the code is explained: `/errors/RLT0401`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One sentence that says what is wrong.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What it is about in this case.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The stable code.
    pub code: String,
    /// What to do next.
    pub hint: String,
    /// The position at which it was decided, if the realm decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

impl Problem {
    /// A rejection as a problem.
    #[must_use]
    pub fn new(rejection: &Rejection, status: u16, position: Option<u64>) -> Self {
        Self {
            kind: format!("/errors/{}", rejection.code),
            title: rejection.code.title().to_owned(),
            status,
            detail: rejection.detail.clone(),
            code: rejection.code.to_string(),
            hint: rejection.code.remedy().to_owned(),
            position,
        }
    }
}

/// The outcome of one command of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was accepted.
    Accepted(Accepted),
    /// It was refused.
    Refused(Problem),
}

/// The answer to a batch: one outcome for each command, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchAnswer {
    /// The outcomes.
    pub outcomes: Vec<Outcome>,
}

/// A batch as it comes in: each command's arguments are left in their text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBatch<'a> {
    /// The commands.
    #[serde(borrow)]
    pub commands: Vec<ReadItem<'a>>,
}

/// An incoming command: [`BatchItem`] with its arguments unparsed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadItem<'a> {
    /// The operation.
    #[serde(borrow)]
    pub op: Cow<'a, str>,
    /// The text of its arguments.
    #[serde(default, borrow)]
    pub args: Option<&'a RawValue>,
    /// The agent to act as.
    #[serde(default, rename = "as")]
    pub acting: Option<AgentRef>,
    /// The idempotency key.
    #[serde(default)]
    pub key: Option<String>,
    /// What caused it.
    #[serde(default)]
    pub cause: Option<AnyId>,
}

/// Parses one operation with the text of its arguments; no text means an empty object.
///
/// # Errors
/// [`Code::UnknownOperation`] or [`Code::Malformed`] with the place.
pub fn parse_command(op: &str, args: &[u8]) -> Result<NativeCommand, Rejection> {
    let args = if args.is_empty() || args == b"null" {
        b"{}"
    } else {
        args
    };
    let malformed = |e: serde_json::Error| Rejection::new(Code::Malformed, format!("{op}: {e}"));
    let mut json = serde_json::Deserializer::from_slice(args);
    let read = NativeCommand::read_args(op, Strict(&mut json));
    let command = read.ok_or_else(|| Rejection::new(Code::UnknownOperation, op))?;
    let command = command.map_err(malformed)?;
    json.end().map_err(malformed)?;
    Ok(command)
}

/// An idempotency key in its parts: when it was made, in Unix seconds, and the client's own text.
///
/// # Errors
/// [`Code::BadKey`] when it is not of the form `1795351234.order-7`.
pub fn parse_key(key: &str) -> Result<(u64, &str), Rejection> {
    let bad = || Rejection::new(Code::BadKey, "");
    let (seconds, own) = key.split_once('.').ok_or_else(bad)?;
    let visible = own.bytes().all(|b| b.is_ascii_graphic());
    if own.is_empty() || own.len() > 64 || !visible || seconds.len() > 12 {
        return Err(bad());
    }
    let digits = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
    let seconds = if digits { seconds.parse().ok() } else { None };
    seconds.map(|s| (s, own)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_carry_their_time() {
        assert_eq!(
            parse_key("1795351234.order-7"),
            Ok((1_795_351_234, "order-7"))
        );
        for bad in [
            "",
            "x",
            ".x",
            "1.",
            "+1.x",
            "1.a b",
            "9999999999999.x",
            &format!("1.{}", "x".repeat(65)),
        ] {
            assert!(parse_key(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let args = serde_json::json!({ "deal": "deal_000000000001", "extra": 1 });
        assert_eq!(
            parse_command("deal.accept", args.to_string().as_bytes()).map_err(|r| r.code),
            Err(Code::Malformed)
        );
        assert_eq!(
            parse_command("deal.steal", b"").map_err(|r| r.code),
            Err(Code::UnknownOperation)
        );
    }

    #[test]
    fn arrays_do_not_pass_for_objects() {
        let taco = serde_json::json!({ "name": "Taco", "price": "3.50" });
        for (op, args, fine) in [
            (
                "deal.accept",
                serde_json::json!({ "deal": "deal_000000000001" }),
                true,
            ),
            (
                "deal.accept",
                serde_json::json!(["deal_000000000001"]),
                false,
            ),
            ("clock.accept", serde_json::json!([]), false),
            ("clock.accept", serde_json::json!({}), true),
            (
                "listing.publish",
                serde_json::json!({ "terms": { "title": "Casa", "items": [taco] } }),
                true,
            ),
            (
                "listing.publish",
                serde_json::json!({ "terms": { "title": "Casa", "items": [["Taco", "3.50"]] } }),
                false,
            ),
            (
                "mail.send",
                serde_json::json!({ "to": { "agent": "@bob" }, "body": [{ "text": "a" }] }),
                true,
            ),
            (
                "mail.send",
                serde_json::json!({ "to": { "agent": "@bob" }, "body": [{ "file": ["a", "b", "c"] }] }),
                false,
            ),
        ] {
            let parsed = parse_command(op, args.to_string().as_bytes());
            let code = parsed.as_ref().err().map(|why| why.code);
            let want = if fine { None } else { Some(Code::Malformed) };
            assert_eq!(code, want, "{op} {args}: {parsed:?}");
        }
    }

    #[test]
    fn names_that_come_in_are_clean_wherever_they_stand() {
        let listing = |title: &str, item: &str, attribute: &str, value: &str, tag: &str| {
            serde_json::json!({ "terms": {
                "title": title, "items": [{ "name": item, "price": "1" }], "tags": [tag],
                "attributes": [{ "name": attribute, "value": { "text": value } }],
            } })
        };
        let dirty = "Taco\u{202e}ocaT";
        let agent =
            |skill: &str| serde_json::json!({ "handle": "@a1", "profile": { "skills": [skill] } });
        for (op, args, fine) in [
            ("listing.publish", listing("a", "b", "c", "d", "e"), true),
            ("listing.publish", listing(dirty, "b", "c", "d", "e"), false),
            ("listing.publish", listing("a", dirty, "c", "d", "e"), false),
            ("listing.publish", listing("a", "b", dirty, "d", "e"), false),
            ("listing.publish", listing("a", "b", "c", dirty, "e"), false),
            ("listing.publish", listing("a", "b", "c", "d", dirty), false),
            (
                "listing.publish",
                listing("pаypal", "b", "c", "d", "e"),
                false,
            ),
            ("agent.register", agent("cooking"), true),
            ("agent.register", agent("cook\u{200b}ing"), false),
        ] {
            let parsed = parse_command(op, args.to_string().as_bytes());
            assert_eq!(parsed.is_ok(), fine, "{args}: {parsed:?}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(op in 0..NativeCommand::OPS.len(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_command(NativeCommand::OPS[op], &bytes);
            let _ = parse_key(&String::from_utf8_lossy(&bytes));
            let _ = Body::from_bytes(&bytes);
        }
    }
}
