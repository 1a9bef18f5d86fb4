//! The IMAP client against a real Dovecot, and against scripted servers that break on command.

#![allow(clippy::unwrap_used)]

mod changes;
mod dovecot;
mod hostile;
mod sweep;
