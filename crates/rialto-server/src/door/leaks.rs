//! Live tokens in incoming texts.
//!
//! A text that contains one is labelled when it is sealed, so that it is quarantined, and the token
//! ends in the same frame of the log. A short fact (a name, an address, a message id) cannot be
//! erased, so a command with a token in one is refused. Only a token's exact text is found, alone
//! or within other text; a token that was spelled out, split or encoded is not. A found token is
//! never logged or returned.

use rialto_core::command::Command;
use rialto_core::decide::secret_hash;
use rialto_core::id::TokenId;
use rialto_core::reject::Code;
use rialto_wire::body::Body;

use super::Door;
use super::problem::Refusal;

/// What every token's text begins with, and how many characters follow.
const BEGIN: &[u8] = b"rlt_";
const DIGITS: usize = 32;

/// Whether the text of a command's arguments may hold a token; a JSON string may also spell one out.
pub(super) fn may_hold(args: &[u8]) -> bool {
    args.windows(BEGIN.len()).any(|w| w == BEGIN) || args.windows(2).any(|w| w == b"\\u")
}

/// The live tokens in a text, each once.
pub(super) fn live_in(door: &Door, text: &[u8]) -> Vec<TokenId> {
    let mut found = Vec::new();
    for secret in spelled_in(text) {
        if let Some(info) = door.node.token(&secret_hash(secret))
            && !found.contains(&info.token)
        {
            found.push(info.token);
        }
    }
    found
}

/// Refuses a command with a live token among its facts.
///
/// # Errors
/// [`Code::TokenInName`].
pub(super) fn check_facts(door: &Door, command: &Command<Body>) -> Result<(), Refusal> {
    let facts = command.clone().map(&mut |_| ());
    let text = serde_json::to_vec(&facts).map_err(|_| Refusal::from(Code::Defect))?;
    if live_in(door, &text).is_empty() {
        Ok(())
    } else {
        Err(Code::TokenInName.into())
    }
}

/// What has the form of a token in a text.
fn spelled_in(text: &[u8]) -> impl Iterator<Item = &str> {
    let long = BEGIN.len() + DIGITS;
    let formed = move |at: &usize| {
        let rest = text.get(at + BEGIN.len()..at + long)?;
        let digit = |b: &u8| b.is_ascii_digit() || b.is_ascii_lowercase();
        rest.iter().all(digit).then_some(())?;
        std::str::from_utf8(text.get(*at..at + long)?).ok()
    };
    let begins = move |at: &usize| text.get(*at..).is_some_and(|t| t.starts_with(BEGIN));
    (0..text.len())
        .filter(begins)
        .filter_map(move |at| formed(&at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_form() {
        let token = format!("rlt_{}", "0123456789abcdefghjkmnpqrstvwxyz");
        for (text, found) in [
            (token.clone(), 1),
            (format!("my key:{token}, keep it"), 1),
            (format!("xrlt_{token}zz {token}"), 2),
            (format!("rlt_rlt_{}", &token[4..]), 1),
            (token[..35].to_owned(), 0),
            (token.to_uppercase(), 0),
            (token.replace('0', "-"), 0),
            ("rlt_".to_owned(), 0),
            ("rlt_ü".repeat(40), 0),
        ] {
            assert_eq!(spelled_in(text.as_bytes()).count(), found, "{text}");
        }
        assert!(may_hold(token.as_bytes()) && may_hold(br#""\u0072lt_""#));
        assert!(!may_hold(b"{\"body\":\"taco\"}"));
    }
}
