//! Receipts of calls of models, with the realm's signature.
//!
//! Whoever is shown a receipt can check it without the realm: the statement is one text, signed with the
//! realm's key, that holds the receipt, the positions of the envelopes that begin and end the call, and the
//! BLAKE3 hashes of their bytes. Whoever has the log, or an archive of it, finds the same bytes there, and
//! `rialto log verify` proves the chain around them. A receipt shows each reader what it may see, and is signed
//! as it is shown.

use axum::Json;
use ed25519_dalek::{Signature, VerifyingKey};
use rialto_core::hash::Hash;
use rialto_core::id::InferenceId;
use rialto_core::reject::Code;
use rialto_views::{InferenceReceipt, Page, Result, ViewReader};
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::path::Path;
use super::reads::{Read, id, view};

/// What the statement is called in its first field. Another form has another name.
const FORM: &str = "receipt 1";

/// A receipt, and how it is proven.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct SignedReceipt {
    /// The receipt.
    receipt: InferenceReceipt,
    /// Its proof.
    proof: ReceiptProof,
}

/// The realm's word for a receipt.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ReceiptProof {
    /// What is signed, byte for byte: JSON with the form, the realm's name, the envelopes (position and
    /// BLAKE3 hash of each) and the receipt.
    statement: String,
    /// The realm's Ed25519 public key, in hexadecimal.
    key: Hash,
    /// The Ed25519 signature of the statement's bytes, in hexadecimal.
    signature: String,
}

/// `GET /api/inferences/{id}/receipt`.
pub(super) async fn one(Path(name): Path<String>, read: Read) -> Answer<SignedReceipt> {
    let (wanted, scope): (InferenceId, _) = (id(&name)?, read.scope().await?);
    let (door, at) = (read.door.clone(), read.query.at());
    let found = view(&door, at, move |views| {
        let receipt = views.receipt(scope, wanted)?;
        receipt
            .map(|receipt| Ok((envelopes(views, &receipt)?, receipt)))
            .transpose()
    });
    let (envelopes, receipt) = found.await?.ok_or(Code::NotFound)?;
    let statement = json!({
        "form": FORM, "realm": door.realm.as_str(), "envelopes": envelopes, "receipt": receipt
    });
    let statement = statement.to_string();
    let secrets = door.node.secrets();
    Ok(Json(SignedReceipt {
        receipt,
        proof: ReceiptProof {
            key: secrets.public_key(),
            signature: hexadecimal(&secrets.sign(statement.as_bytes())),
            statement,
        },
    }))
}

/// `GET /api/inferences/receipts`.
pub(super) async fn list(read: Read) -> Answer<Page<InferenceReceipt>> {
    let scope = read.scope().await?;
    read.answer(move |v, query| v.receipts(scope, query.period(), &query.paging()))
        .await
}

/// Where a call begins and ends in the log.
fn envelopes(views: &ViewReader, receipt: &InferenceReceipt) -> Result<Vec<Value>> {
    let over = receipt.over.as_ref().map(|over| over.position);
    let mut places = Vec::with_capacity(2);
    for position in std::iter::once(receipt.position).chain(over) {
        if let Some(envelope) = views.envelope(position)? {
            let hash = Hash::from(*blake3::hash(&envelope.encode()).as_bytes());
            places.push(json!({ "position": position, "hash": hash }));
        }
    }
    Ok(places)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a statement is signed with a key. Both are in hexadecimal.
#[must_use]
pub fn receipt_is_signed(statement: &str, key: &str, signature: &str) -> bool {
    let key = bytes_of::<32>(key).and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let signature = bytes_of::<64>(signature).map(|bytes| Signature::from_bytes(&bytes));
    key.zip(signature)
        .is_some_and(|(key, signature)| key.verify_strict(statement.as_bytes(), &signature).is_ok())
}

fn bytes_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.len() == 2 * N && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut bytes = [0; N];
    for (n, byte) in bytes.iter_mut().enumerate().filter(|_| digits) {
        *byte = u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    digits.then_some(bytes)
}
