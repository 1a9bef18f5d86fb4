//! POP3 (RFC 1939, RFC 2449) as a client that lists a maildrop, reads it and deletes what it was told to.
//!
//! From the wire upwards: `reply` reads the first line of an answer, `engine` keeps the commands in flight and takes
//! answers of many lines apart. Both know no socket. [`Session`] drives them over a connection.
//!
//! A message's number is good for one session only: what is remembered about a message hangs on its unique id (UIDL).
//! Nothing is deleted before QUIT is answered (section 6), so [`Session::quit`] tells how that went.

mod engine;
mod login;
mod reply;
mod retrieve;
mod session;
mod types;

pub use retrieve::{Retrieve, Retrieved};
pub use session::Session;
pub use types::{ProtocolError, Quit, Refusal, SessionError, Stat};
