//! SMTP (RFC 5321) as a client that hands messages to a submission server (RFC 6409), one at a time.
//!
//! A message is handed over in two calls. [`Session::transmit`] says everything but the line with the
//! final dot; until then the server must not deliver (RFC 5321 section 4.1.1.4), so whatever breaks there
//! has sent nothing. [`Session::end`] says the dot; what breaks from then on is [`Ending::Ambiguous`],
//! because nobody can know. Between the two the caller writes down that the dot is about to be said.
//!
//! Decided against a crate: those that exist give one error for "nothing was sent" and "nobody knows",
//! and which one it was decides whether a message may be sent again.
//!
//! On the wire lines end in CRLF and nothing else does, and no line but the last is a lone dot, whatever
//! the message looks like (T16: SMTP smuggling, CVE-2023-51764 and kin). An address with a control
//! character, a space or an angle bracket is refused before anything is said (T15).

mod auth;
mod reply;
mod session;
mod text;

pub use reply::Reply;
pub use session::{Ending, Envelope, RefusedRecipient, SendError, Session, Transmitted};
pub use text::{Unsendable, check_address};
