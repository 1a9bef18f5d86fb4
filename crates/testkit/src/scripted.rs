//! Mail servers made of a few lines, on loopback, that break on command.
//!
//! [`ImapServer`] serves a small mailbox well enough for a whole session and breaks its answers at a given byte:
//! cut, stall, garbage, repetition. It notes where lines and literals of its answers end, so that a test can
//! break at each of these places. [`Play`] says fixed lines, for servers that were never meant to be polite.
//!
//! Neither checks what a client says beyond what it needs to answer.

pub mod imap;
mod imap_words;
mod output;
mod play;

pub use imap::{Folder, ImapServer, Mailbox, Manner, Message};
pub use output::{Cut, Fault, Recording};
pub use play::{Play, Step};
