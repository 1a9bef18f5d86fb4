//! What surrounds every request: an id, a line in the log, headers that keep browsers careful.

use crate::App;
use crate::guard::AskedBy;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For whatever says nothing else: data that no page may run, frame or be led by.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// Gives the request an id and writes one line when its answer begins. The line has the route, not the
/// path, and the user's id, not their name: no personal data.
pub async fn log(request: Request, next: Next) -> Response {
    let id = format!("{:016x}", u64::from_be_bytes(desk::random::bytes()));
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let span = tracing::info_span!("request", id);
    let mut response = next.run(request).instrument(span).await;
    let user = response.extensions().get::<AskedBy>().map(|user| user.0.0);
    tracing::info!(
        id,
        %method,
        route = route.as_deref().unwrap_or("-"),
        status = response.status().as_u16(),
        ms = begun.elapsed().as_millis() as u64,
        user,
        "answered"
    );
    let value = HeaderValue::try_from(id).expect("hexadecimal digits are a header's value");
    response.headers_mut().insert(REQUEST_ID, value);
    response
}

/// Adds what every answer carries, unless the handler has said something stricter or its own.
pub async fn careful_headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    unless_set(headers, header::CONTENT_SECURITY_POLICY, DATA_POLICY);
    unless_set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_set(headers, header::REFERRER_POLICY, "no-referrer");
    unless_set(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    unless_set(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if app.settings.secure {
        unless_set(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

fn unless_set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
