//! Errors as the outside sees them: problem+json (RFC 9457), with a stable `code` for programs.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::Refusal;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Why a request was not done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the status says the kind, `code` the details.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    #[schema(value_type = u16)]
    #[serde(serialize_with = "as_number")]
    pub status: StatusCode,
    /// What happened and what to do, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// A stable word for programs.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Seconds after which the same request may succeed (header `Retry-After`).
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem with this status and code; `detail` may be empty.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        let detail: String = detail.into();
        Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status,
            detail: (!detail.is_empty()).then_some(detail),
            code,
            fields: BTreeMap::new(),
            retry_after_s: None,
        }
    }

    /// There is no such thing, or the person may not know that there is.
    pub fn not_found() -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here, or you may not see it.")
    }

    /// Nobody is signed in.
    pub fn sign_in_required() -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "sign_in_required", "Sign in first.")
    }

    /// The request cannot be understood.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// A field's value cannot be taken.
    pub fn invalid(field: &str, message: impl Into<String>) -> Problem {
        let message: String = message.into();
        let mut problem =
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", format!("{field}: {message}"));
        problem.fields.insert(field.to_owned(), message);
        problem
    }

    /// The same request may succeed after so many seconds.
    pub fn retry_after(mut self, seconds: u64) -> Problem {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The machine failed. The cause goes to the log, never to the outside.
    pub fn failed(error: &anyhow::Error) -> Problem {
        let busy = error.downcast_ref::<store::sql::Error>().is_some_and(store::sql::Error::is_retryable);
        if busy {
            tracing::warn!(error = format!("{error:#}"), "request put off");
            let detail = "The database is busy. Nothing was changed; try again in a moment.";
            return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(1);
        }
        tracing::error!(error = format!("{error:#}"), "request failed");
        let detail = "The server failed. The log says why, under the request's id (header X-Request-Id).";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::NotFound => Problem::not_found(),
            Refusal::Forbidden(why) => Problem::new(StatusCode::FORBIDDEN, "forbidden", why),
            Refusal::Conflict { code, message } => Problem::new(StatusCode::CONFLICT, code, message),
            Refusal::Invalid { field, message } => Problem::invalid(field, message),
            Refusal::Failed(error) => Problem::failed(&error),
        }
    }
}

impl From<store::sql::Error> for Problem {
    fn from(error: store::sql::Error) -> Problem {
        Problem::failed(&anyhow::Error::from(error))
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Problem {
        Problem::failed(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem is plain data with text keys");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
