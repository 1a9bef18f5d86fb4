//! Errors as the outside sees them: problem+json (RFC 9457), with a stable `code` for programs.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::{Params, Refusal};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// Why a request was not done.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: &'static str,
    /// What happened and what to do, for people; may be empty.
    pub detail: String,
    /// What the sentence for the code speaks of.
    pub params: Params,
    /// What is wrong with which field.
    pub fields: BTreeMap<String, FieldProblem>,
    /// Seconds after which the same request may succeed (header `Retry-After`).
    pub retry_after_s: Option<u64>,
}

/// A problem as it is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct Sent<'a> {
    /// `about:blank`: the status says the kind, `code` the details.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened and what to do, for people.
    #[serde(skip_serializing_if = "str::is_empty")]
    #[schema(required = false)]
    detail: &'a str,
    /// A stable word for programs.
    code: &'static str,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    fields: &'a BTreeMap<String, FieldProblem>,
    /// What the sentence for the code speaks of, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false, value_type = BTreeMap<String, String>)]
    params: &'a Params,
}

/// What is wrong with a field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// A stable word for programs.
    pub code: &'static str,
    /// What the sentence for the code speaks of, by name.
    #[schema(value_type = BTreeMap<String, String>)]
    pub params: Params,
    /// The sentence in English: what is wrong and what would be right.
    pub message: String,
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Sent::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        "Problem".into()
    }
}

impl Problem {
    /// A problem with this status and code; `detail` may be empty.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        let (params, fields) = (Params::new(), BTreeMap::new());
        Problem { status, code, detail: detail.into(), params, fields, retry_after_s: None }
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
    pub fn invalid(field: &str, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::in_field(field, FieldProblem { code, params: Params::new(), message: message.into() })
    }

    fn in_field(field: &str, wrong: FieldProblem) -> Problem {
        let detail = format!("{field}: {}", wrong.message);
        let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
        problem.fields.insert(field.to_owned(), wrong);
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
            Refusal::Conflict { code, params, message } => {
                Problem { params, ..Problem::new(StatusCode::CONFLICT, code, message) }
            }
            Refusal::Invalid { field, code, params, message } => {
                Problem::in_field(field, FieldProblem { code, params, message })
            }
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
        let sent = Sent {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            fields: &self.fields,
            params: &self.params,
        };
        let body = serde_json::to_vec(&sent).expect("a problem is plain data with text keys");
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
