//! IMAP4rev1 and rev2 (RFC 3501, RFC 9051) as a client that reads a folder and settles what it has read.
//!
//! From the wire upwards: `frame` cuts the bytes of a server into lines and literals, `token` reads a line
//! as values and bears with bad grammar, `response` gives the few responses we need a type, `engine` keeps
//! the commands in flight. All of these know no socket. [`Session`] drives them over a connection.

mod changes;
mod command;
mod date;
mod engine;
mod fetch;
mod folder;
mod frame;
mod idle;
mod login;
mod response;
mod session;
mod settle;
mod token;
mod types;
mod uid_set;
mod utf7;

pub use fetch::{Fetch, Fetched};
pub use idle::IdleEvent;
pub use session::Session;
pub use types::{
    Appended, Folder, FolderName, Listed, MoveError, Moved, ProtocolError, Refusal, Selected, SessionError,
    SpecialUse, Status,
};
pub use uid_set::{NotAUidSet, UidSet};
