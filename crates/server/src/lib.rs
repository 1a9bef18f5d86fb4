//! The doors: JSON API, live events, and the user interface.
//!
//! [`routes`] is the table of everything that is served; [`guard`] stands before each of its rows;
//! [`api`] holds the handlers, one file per thing. A handler reads through `store` and writes through
//! the verbs of `desk`; only here is decided what the outside sees ([`shape`], [`problem`]).
//!
//! Decided against a second, internal API for the user interface: it has nothing that a program could
//! not have too.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod document;
pub mod extract;
pub mod guard;
mod layers;
pub mod paging;
pub mod problem;
pub mod routes;
mod serve;
pub mod shape;
mod ui;

pub use serve::{router, serve};

use desk::Desk;
use desk::mailbox::Rounds;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What the binary decides about the doors.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The outside reaches the server by https: cookies are `Secure` and bound to the host.
    pub secure: bool,
    /// Where browsers reach the server, as `https://mail.acme.example`; `None`: where the request says.
    pub url: Option<String>,
}

impl Settings {
    /// The session's cookie. The prefix makes browsers refuse it from anything but https, this very
    /// host and the path `/` (RFC 6265bis section 4.1.3.2).
    pub fn cookie_name(&self) -> &'static str {
        match self.secure {
            true => "__Host-lettercase_session",
            false => "lettercase_session",
        }
    }
}

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The verbs' database, clock and key.
    pub desk: Desk,
    /// Those who fetch: asked for state, tests and scans.
    pub rounds: Arc<dyn Rounds>,
    /// What the binary decides.
    pub settings: Settings,
    /// Open live connections, counted.
    pub listeners: api::events::Listeners,
    /// Set when the server ends, so that live connections end too.
    pub closing: CancellationToken,
}

impl App {
    /// The doors to a desk.
    pub fn new(desk: Desk, rounds: Arc<dyn Rounds>, settings: Settings) -> App {
        let listeners = api::events::Listeners::default();
        App { desk, rounds, settings, listeners, closing: CancellationToken::new() }
    }
}

/// The OpenAPI document as JSON, for `/api/v1/openapi.json` and for the user interface's types.
pub fn openapi() -> String {
    format!("{:#}\n", document::document())
}
