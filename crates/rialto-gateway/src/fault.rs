//! What goes wrong on the way to a model, in the neutral words that every dialect has a form for.
//!
//! A refusal of the realm keeps its stable code and says which limit it was. What a provider says about the
//! realm's own key, account or settings is the operator's business: the caller learns only that this
//! provider cannot serve now. Never holds a key, an address or a body.

use rialto_core::reject::{Code, Kind, Rejection};
use rialto_outside::CallError;
use rialto_wire::model::{ErrorKind, ModelError};

/// A refusal of the realm.
#[must_use]
pub fn model_error(refusal: &Rejection) -> ModelError {
    let kind = match (refusal.code, refusal.code.kind()) {
        (Code::TooLarge, _) => ErrorKind::TooLarge,
        (Code::RateLimited, _) => ErrorKind::RateLimited,
        (Code::BodySlow, _) => ErrorKind::Timeout,
        (_, Kind::Unauthenticated) => ErrorKind::Authentication,
        (_, Kind::Forbidden) => ErrorKind::Permission,
        (_, Kind::NotFound | Kind::Gone) => ErrorKind::NotFound,
        (_, Kind::Funds | Kind::Limit) => ErrorKind::Quota,
        (_, Kind::Invalid | Kind::Conflict) => ErrorKind::BadRequest,
        (_, Kind::Unavailable) => ErrorKind::Unavailable,
        (_, Kind::Bug) => ErrorKind::Server,
    };
    let detail = match refusal.detail.as_str() {
        "" => String::new(),
        detail => format!(": {detail}"),
    };
    let message = format!("{} {}{detail}", refusal.code, refusal.code.title());
    let mut error = ModelError::new(kind, message);
    error.code = Some(refusal.code.to_string());
    if kind == ErrorKind::Unavailable {
        error.retry_after = Some(1);
    }
    error
}

/// A call that a provider did not answer.
pub(crate) fn unanswered(provider: &str, error: &CallError) -> ModelError {
    let kind = match error {
        CallError::Late(_) | CallError::Endless(_) => ErrorKind::Timeout,
        CallError::TooLarge { .. } => ErrorKind::Malformed,
        _ => ErrorKind::Unavailable,
    };
    let what = match error {
        CallError::Late(_) | CallError::Endless(_) => "did not answer in time",
        CallError::TooLarge { .. } => "answered more than is taken",
        CallError::Busy => "has the maximum of calls under way",
        _ => "cannot be reached",
    };
    ModelError::new(kind, format!("the provider {provider} {what}"))
}

/// An error of a provider, as the caller is to know it.
pub(crate) fn of_provider(provider: &str, error: ModelError) -> ModelError {
    let ours = |what: &str| {
        let message = format!("the provider {provider} {what}: the operator's log says more");
        ModelError::new(ErrorKind::Unavailable, message)
    };
    match error.kind {
        ErrorKind::Authentication | ErrorKind::Permission => ours("refused the realm's key"),
        ErrorKind::Quota => ours("has no quota left for the realm"),
        ErrorKind::NotFound => ours("does not know the model"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_code_and_says_why() {
        for (code, kind) in [
            (Code::Insufficient, ErrorKind::Quota),
            (Code::OverAllowance, ErrorKind::Quota),
            (Code::Unauthenticated, ErrorKind::Authentication),
            (Code::Blocked, ErrorKind::Permission),
            (Code::NotFound, ErrorKind::NotFound),
            (Code::RateLimited, ErrorKind::RateLimited),
            (Code::Busy, ErrorKind::Unavailable),
            (Code::Malformed, ErrorKind::BadRequest),
        ] {
            let error = model_error(&Rejection::new(code, "the month's line is spent"));
            assert_eq!(error.kind, kind, "{code}");
            assert!(error.message.starts_with(&code.to_string()), "{error}");
            assert!(error.message.ends_with("the month's line is spent"));
        }
    }

    #[test]
    fn what_a_provider_says_of_the_realms_key_stays_with_the_operator() {
        for kind in [
            ErrorKind::Authentication,
            ErrorKind::Permission,
            ErrorKind::Quota,
            ErrorKind::NotFound,
        ] {
            let told = of_provider("acme", ModelError::new(kind, "Incorrect key sk-s3cret"));
            assert_eq!(told.kind, ErrorKind::Unavailable);
            assert!(told.retryable() && !told.message.contains("s3cret"));
        }
        let theirs = ModelError::new(ErrorKind::BadRequest, "temperature is too high");
        assert_eq!(of_provider("acme", theirs.clone()), theirs);
        assert!(!theirs.retryable());
    }
}
