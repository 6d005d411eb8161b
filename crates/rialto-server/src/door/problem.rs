//! Refusals as HTTP answers: the one place where a code meets a status.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rialto_core::reject::{Code, Kind, Rejection};
use rialto_wire::native::Problem;

use super::rates;
use crate::node::Failure;

/// A refusal on its way out.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What is wrong.
    pub rejection: Rejection,
    /// The position at which the realm decided it.
    pub position: Option<u64>,
}

impl Refusal {
    /// A refusal by the door itself.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            rejection: Rejection::new(code, detail),
            position: None,
        }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self {
            rejection: code.into(),
            position: None,
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self {
            rejection,
            position: None,
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        failure.code().into()
    }
}

/// The HTTP status of a code.
#[must_use]
pub fn status_of(code: Code) -> StatusCode {
    match (code, code.kind()) {
        (Code::TooLarge, _) => StatusCode::PAYLOAD_TOO_LARGE,
        (Code::NotJson, _) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        (Code::BodySlow, _) => StatusCode::REQUEST_TIMEOUT,
        (Code::RateLimited | Code::MessageIdsFull, _) => StatusCode::TOO_MANY_REQUESTS,
        (Code::WrongMethod, _) => StatusCode::METHOD_NOT_ALLOWED,
        (_, Kind::Invalid) => StatusCode::BAD_REQUEST,
        (_, Kind::Unauthenticated) => StatusCode::UNAUTHORIZED,
        (_, Kind::Forbidden) => StatusCode::FORBIDDEN,
        (_, Kind::NotFound) => StatusCode::NOT_FOUND,
        (_, Kind::Conflict) => StatusCode::CONFLICT,
        (_, Kind::Limit) => StatusCode::UNPROCESSABLE_ENTITY,
        (_, Kind::Funds) => StatusCode::PAYMENT_REQUIRED,
        (_, Kind::Gone) => StatusCode::GONE,
        (_, Kind::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        (_, Kind::Bug) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Refusal {
    /// The refusal in its wire form.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem::new(
            &self.rejection,
            status_of(self.rejection.code).as_u16(),
            self.position,
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = status_of(self.rejection.code);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(code = %self.rejection.code, detail = %self.rejection.detail, "a defect");
        }
        let problem = self.problem();
        let mut response = (status, Json(&problem)).into_response();
        response.extensions_mut().insert(problem);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.rejection.code.kind() == Kind::Unavailable
            || status == StatusCode::TOO_MANY_REQUESTS
        {
            let seconds = rates::retry_after(&self.rejection.detail).unwrap_or(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
