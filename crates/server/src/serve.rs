//! The whole router, and serving it until told to end.

use crate::problem::Problem;
use crate::{App, document, layers, ui};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::any::Any;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// The largest body of a request.
const BODY_BYTES: usize = 1 << 20;
/// An answer begins within this time, or the request ends with 503.
const ANSWER: Duration = Duration::from_secs(60);
/// A client says what it wants within this time; between requests it may be silent as long.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 4_096;
/// Requests that run when the server is told to end have so long.
const GRACE: Duration = Duration::from_secs(10);

/// Everything that is served.
pub fn router(app: App) -> Router {
    let api = document::routes(&app);
    api.route("/api/{*rest}", axum::routing::any(no_such_route))
        .fallback(ui::serve)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn(in_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), layers::careful_headers))
        .layer(from_fn(layers::log))
        .layer(CompressionLayer::new())
        .with_state(app)
}

/// Serves until `shutdown` is done; then live connections end at once and running requests have ten
/// seconds. A client that is slow to say what it wants, or silent between requests, is let go.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let closing = app.closing.clone();
    let service = TowerToHyperService::new(router(app));
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let (seats, running) = (Arc::new(Semaphore::new(CONNECTIONS)), GracefulShutdown::new());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (seat, stream) = tokio::select! {
            next = next_connection(&listener, &seats) => next,
            () = &mut shutdown => break,
        };
        let connection = protocol.serve_connection(TokioIo::new(stream), service.clone());
        let connection = running.watch(connection);
        tokio::spawn(async move {
            // Clients come and go as they like; what went wrong with an answer was logged there.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(seat);
        });
    }
    drop(listener);
    closing.cancel();
    if tokio::time::timeout(GRACE, running.shutdown()).await.is_err() {
        tracing::warn!("requests were still running and are cut off");
    }
    Ok(())
}

/// The next client, once there is a seat.
async fn next_connection(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> (OwnedSemaphorePermit, TcpStream) {
    let seat = Arc::clone(seats).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (seat, stream),
            Err(error) => {
                // Out of file descriptors, or the client is gone already: others end meanwhile.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_such_route", "There is no such route; see /api/v1/openapi.json.")
}

async fn wrong_method() -> Problem {
    let detail = "This route has no such method; see /api/v1/openapi.json.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", detail)
}

async fn in_time(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    match tokio::time::timeout(ANSWER, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = "The server took too long. It may be busy; try again in a moment.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", detail).retry_after(5).into_response()
        }
    }
}

/// The panic's text goes to the log only.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    Problem::failed(&anyhow::anyhow!("panic: {}", text.unwrap_or("without a text"))).into_response()
}
