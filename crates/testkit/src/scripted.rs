//! Mail servers made of a few lines, on loopback, that break on command.
//!
//! [`ImapServer`] and [`Pop3Server`] serve a small mailbox well enough for a whole session and break their answers at a
//! given byte: cut, stall, garbage, repetition. They note where lines and literals of its answers end, so that a test can
//! break at each of these places. [`SmtpServer`] takes mail and keeps it. [`Play`] says fixed lines, for servers that
//! were never meant to be polite.
//!
//! None checks what a client says beyond what it needs to answer.

pub mod imap;
mod imap_words;
mod output;
mod play;
pub mod pop3;
pub mod smtp;

pub use imap::{Folder, ImapServer, Mailbox, Manner, Message};
pub use output::{Cut, Fault, Recording};
pub use play::{Play, Step};
pub use pop3::{AtQuit, Mail, Maildrop, Pop3Manner, Pop3Server};
pub use smtp::{End, Received, Secured, SmtpManner, SmtpServer};
