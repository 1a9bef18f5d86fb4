//! The letter: bytes <-> message. Pure: no IO, no async, no clock, no database.
//!
//! [`open`] is what intake calls for each message: it takes the bytes apart for storage
//! ([`mod@split`]) and reads them ([`mod@parse`]) in one go. Everything else looks at a [`Letter`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
pub mod auth;
pub mod autoreply;
pub mod bounce;
pub mod calendar;
mod charset;
pub mod compose;
pub mod fingerprint;
pub mod fold;
mod headers;
pub mod html;
pub mod inspect;
pub mod language;
mod letter;
pub mod list;
pub mod mbox;
pub mod nature;
pub mod parse;
mod part;
pub mod quote;
pub mod receipt;
mod received;
pub mod sanitize;
pub mod split;
pub mod tnef;

pub use charset::text_of;
pub use headers::Headers;
pub use letter::{Address, Attachment, Date, Defect, Leaf, Letter};
pub use parse::open;
pub use received::received_at;
