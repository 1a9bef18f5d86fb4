//! The post: talks to other people's mail servers, and knows nothing else of ours.
//!
//! [`imap`] and [`pop3`] receive, [`smtp`] sends, [`guess`] finds out where, [`http`] asks for what is not mail.
//!
//! What receives is an engine without input and output (bytes in, commands out) and a thin
//! shell of tokio and rustls around it. Nobody here retries, schedules or stores: a call succeeds or
//! says why not, and the caller decides when to come again.
//!
//! Why not a crate for IMAP: none of those that exist streams bodies, pipelines commands and bears with
//! the servers of this world at the same time. We ask for whole messages only, never for ENVELOPE or
//! BODYSTRUCTURE (where servers err most), so the part of the grammar that is needed is small.
//!
//! Assumed of every server: it lies about sizes, stops in the middle, and talks without end. Every wait,
//! line, nesting and buffer has a limit ([`Timeouts`], [`Limits`]).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod deflate;
mod dial;
mod error;
mod link;
mod sasl;
mod server;
mod transcript;

pub mod guess;
pub mod http;
pub mod imap;
pub mod oauth;
pub mod pop3;
pub mod smtp;

pub use error::{CertificateProblem, ConnectError, ConnectErrorKind, Stage};
pub use server::{Credentials, Limits, Reach, Server, Timeouts, Tls, Trust};
pub use transcript::{Direction, LINE_CHARS, Log};
