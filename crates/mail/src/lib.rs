//! The letter: bytes <-> message. Pure: no IO, no async, no clock, no database.
//!
//! [`open`] is what intake calls for each message: it takes the bytes apart for storage
//! ([`split`]) and reads them ([`parse`]) in one go. Everything else looks at a [`Letter`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod autoreply;
pub mod bounce;
pub mod html;
pub mod quote;
pub mod sanitize;
pub mod tnef;
