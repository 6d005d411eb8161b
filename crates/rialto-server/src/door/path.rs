//! What a request's path names; a path that is not text is refused.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use rialto_core::reject::Code;
use serde::de::DeserializeOwned;

use super::problem::Refusal;

/// The placeholders of a route, as [`axum::extract::Path`] reads them.
pub(super) struct Path<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(named)) => Ok(Self(named)),
            Err(why) => Err(Refusal::new(Code::NoSuchPath, why.body_text())),
        }
    }
}
