//! The whole program against real and scripted servers, on both databases.
#![allow(clippy::unwrap_used, missing_docs)]

mod disk;
mod docs;
mod intake;
mod mails;
mod pop3;
mod program;
mod replies;
mod sweep;
mod tidy;
mod trouble;
