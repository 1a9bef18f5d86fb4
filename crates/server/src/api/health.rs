//! Whether the program works, and what it serves.

use crate::App;
use crate::extract::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::LazyLock;
use std::time::Duration;
use utoipa::ToSchema;

/// A database that does not answer so long is down.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the program works.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `failing` (with status 503).
    status: &'static str,
    /// The program's version.
    version: &'static str,
    /// `sqlite` or `postgres`.
    database: &'static str,
}

/// For monitors: 200 while requests can be served, else 503
#[utoipa::path(get, path = "/api/v1/health", responses((status = 200, body = Health), (status = 503, body = Health)))]
pub async fn get_health(State(app): State<App>) -> Response {
    let mut reader = &app.desk.db;
    let read = store::people::any_user(&mut reader);
    let works = matches!(tokio::time::timeout(PATIENCE, read).await, Ok(Ok(_)));
    let database = match app.desk.db.engine() {
        store::sql::Engine::Sqlite => "sqlite",
        store::sql::Engine::Postgres => "postgres",
    };
    let (code, status) = match works {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
    };
    (code, Json(Health { status, version: env!("CARGO_PKG_VERSION"), database })).into_response()
}

/// This document
#[utoipa::path(get, path = "/api/v1/openapi.json", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub async fn get_openapi() -> Response {
    static DOCUMENT: LazyLock<String> = LazyLock::new(crate::openapi);
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}
