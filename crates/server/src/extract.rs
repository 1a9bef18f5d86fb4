//! What handlers take: who asks, ids, parameters and bodies, all refused as problem+json.

use crate::App;
use crate::problem::Problem;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::may::Actor;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Who asks. Put into the request by [`crate::guard`] after the route's permission was asked; a
/// handler behind a door that lets everybody in has none.
#[derive(Clone)]
pub struct Who(pub Actor);

impl FromRequestParts<App> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Who, Problem> {
        parts.extensions.get::<Who>().cloned().ok_or_else(Problem::sign_in_required)
    }
}

impl OptionalFromRequestParts<App> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Option<Who>, Problem> {
        Ok(parts.extensions.get::<Who>().cloned())
    }
}

/// Ids in the path. Something that is no id names nothing: 404.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Path<T>, Problem> {
        let path: Result<axum::extract::Path<T>, PathRejection> =
            <axum::extract::Path<T> as FromRequestParts<App>>::from_request_parts(parts, app).await;
        path.map(|axum::extract::Path(value)| Path(value)).map_err(|_| Problem::not_found())
    }
}

/// Parameters behind the `?`. Types deny unknown fields, so a misspelt one is an error.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Query<T>, Problem> {
        let query: Result<axum::extract::Query<T>, QueryRejection> =
            <axum::extract::Query<T> as FromRequestParts<App>>::from_request_parts(parts, app).await;
        match query {
            Ok(axum::extract::Query(value)) => Ok(Query(value)),
            Err(rejection) => Err(Problem::bad_request("bad_parameter", inner_text(&rejection))),
        }
    }
}

/// A JSON body, in or out. Types that come in deny unknown fields; the error names the field.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Json<T>, Problem> {
        let json: Result<axum::Json<T>, JsonRejection> = axum::Json::from_request(request, app).await;
        json.map(|axum::Json(value)| Json(value)).map_err(bad_body)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let kind = HeaderValue::from_static("application/json");
                let store = HeaderValue::from_static("no-store");
                ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, store)], body).into_response()
            }
            Err(error) => Problem::failed(&error.into()).into_response(),
        }
    }
}

fn bad_body(rejection: JsonRejection) -> Problem {
    match rejection {
        JsonRejection::MissingJsonContentType(_) => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "json_expected",
            "Send JSON, with the header Content-Type: application/json.",
        ),
        JsonRejection::JsonDataError(error) => Problem::bad_request("bad_body", inner_text(&error)),
        JsonRejection::JsonSyntaxError(error) => Problem::bad_request("bad_json", inner_text(&error)),
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "The request is larger than the server takes.",
        ),
        other => Problem::bad_request("bad_body", other.body_text()),
    }
}

/// The innermost cause: serde's own sentence, which names the field.
fn inner_text(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
