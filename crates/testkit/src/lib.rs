//! For tests only: servers, scripted and real, and what tests on both databases have in common.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod both;
pub mod dovecot;
pub mod folder;
pub mod postgres;
pub mod scripted;

#[doc(hidden)]
pub use anyhow;
