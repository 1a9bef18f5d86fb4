//! The rounds: loops that fetch, settle and retry. They know when; `desk` knows what.
//!
//! [`visit`] is an open mailbox of any kind, [`round`] that of one read by IMAP; [`supervisor`] does that for every
//! active mailbox, wakes at IDLE or by the clock, and comes again later after a failure. What a
//! server refuses or garbles ends one round of one mailbox and nothing else.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backoff;
mod guard;
pub mod guess;
mod keeper;
mod listing;
pub mod oauth;
pub mod operations;
pub mod outbox;
mod pipeline;
mod places;
mod pop3;
pub mod reconcile;
pub mod round;
pub mod sending;
mod settle;
pub mod source;
pub mod supervisor;
pub mod synchronise;
pub mod test;
pub mod ticks;
mod trouble;
pub mod visit;
pub mod webhooks;
