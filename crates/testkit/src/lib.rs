//! For tests only: servers, scripted and real, and what tests on both databases have in common.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod acme;
pub mod api;
mod both;
pub mod by_hand;
pub mod certificate;
pub mod courier;
pub mod cyrus;
pub mod dovecot;
pub mod folder;
pub mod lmtp;
pub mod oauth;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod sample;
pub mod scripted;
mod unpacked;

#[doc(hidden)]
pub use anyhow;
