//! What the POP3 client gives and refuses.

use std::fmt;
use std::time::Duration;

use crate::error::{ConnectError, ConnectErrorKind, Stage};
use crate::server::Server;

/// Size of a maildrop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Messages in it.
    pub messages: u32,
    /// Their bytes, as the server counts.
    pub bytes: u64,
}

/// How a session ended: whether what was to be deleted is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quit {
    /// The server removed what was to be deleted.
    Updated,
    /// The server could not remove some of it, or none: the next list of unique ids tells.
    Refused(Refusal),
    /// No answer came. Removed or not: the next list of unique ids tells.
    Lost(SessionError),
}

/// A server's `-ERR` to one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The command's name.
    pub command: &'static str,
    /// The response code in upper case (RFC 2449, RFC 3206): `IN-USE`, `LOGIN-DELAY`, `SYS/TEMP`, `SYS/PERM`, `AUTH`.
    pub code: Option<String>,
    /// What the server said, at most 200 characters.
    pub text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.as_deref().map(|c| format!("[{c}] ")).unwrap_or_default();
        write!(f, "the server refused {}: {code}{}", self.command, self.text)
    }
}

impl Refusal {
    /// Whether somebody else holds the maildrop (RFC 2449, section 8.1.1, or the words of servers without codes).
    fn is_in_use(&self) -> bool {
        match self.code.as_deref() {
            Some(code) => code == "IN-USE",
            None => {
                let text = self.text.to_ascii_lowercase();
                ["lock", "in use", "busy", "already open", "another session"]
                    .iter()
                    .any(|words| text.contains(words))
            }
        }
    }

    /// What it means for somebody who waits for a connection.
    fn kind(&self, stage: Stage) -> ConnectErrorKind {
        use ConnectErrorKind as K;
        match self.code.as_deref() {
            _ if self.is_in_use() => K::InUse,
            Some("LOGIN-DELAY" | "SYS/TEMP") => K::Unavailable,
            Some("SYS/PERM") => K::CommandRefused,
            _ if stage == Stage::Login => K::WrongPassword,
            _ => K::CommandRefused,
        }
    }
}

/// How a server broke the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// More bytes in one line or list than allowed.
    #[error("an answer of more than {0} bytes")]
    TooLong(usize),
    /// A message that does not end.
    #[error("a message of more than {0} bytes")]
    Endless(u64),
    /// A line that is no answer: we have lost step.
    #[error("a line that is no answer: {0:?}")]
    NotAReply(String),
    /// Something came that nobody asked for.
    #[error("an answer nobody asked for")]
    Unasked,
    /// An answer that does not fit the command.
    #[error("an unexpected answer to {0}")]
    Unexpected(&'static str),
}

/// Why a command of an open session failed. All but `Refused` and `BadName` end the session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The server closed the connection or the network did.
    #[error("the connection was lost{}: {reason}", in_message(.number))]
    Lost {
        /// What the system said.
        reason: String,
        /// The message whose bytes were on the way.
        number: Option<u32>,
    },
    /// Silence, or next to it.
    #[error("no answer for {waited:?}{}", in_message(.number))]
    Timeout {
        /// How long we waited.
        waited: Duration,
        /// The message whose bytes were on the way.
        number: Option<u32>,
    },
    /// The server broke the protocol.
    #[error("the server gave {0}")]
    Protocol(ProtocolError),
    /// The server said `-ERR`. The session goes on.
    #[error("{0}")]
    Refused(Refusal),
    /// A name or password that POP3 cannot carry. The session goes on.
    #[error("a name or password that POP3 cannot carry")]
    BadName,
}

fn in_message(number: &Option<u32>) -> String {
    number.map(|n| format!(" in the middle of message {n}")).unwrap_or_default()
}

impl SessionError {
    /// Whether the session is over.
    pub fn ends_session(&self) -> bool {
        !matches!(self, Self::Refused(_) | Self::BadName)
    }

    /// The same error for the person who waits for the connection, at the stage where it happened.
    pub fn at(&self, stage: Stage, server: &Server) -> ConnectError {
        use ConnectErrorKind as K;
        let (kind, detail) = match self {
            Self::Lost { reason, .. } => (K::Closed, reason.clone()),
            Self::Timeout { .. } => (K::Timeout, String::new()),
            Self::Protocol(ProtocolError::NotAReply(line)) if stage == Stage::Greeting => {
                (K::NotMailServer, line.clone())
            }
            Self::Protocol(e) => (K::Protocol, e.to_string()),
            Self::Refused(refusal) => (refusal.kind(stage), refusal.text.clone()),
            Self::BadName => (K::WrongPassword, self.to_string()),
        };
        ConnectError::new(stage, kind, server, &detail)
    }

    /// The same, in the middle of a message.
    pub(super) fn in_message(self, number: u32) -> Self {
        let number = Some(number);
        match self {
            Self::Lost { reason, .. } => Self::Lost { reason, number },
            Self::Timeout { waited, .. } => Self::Timeout { waited, number },
            other => other,
        }
    }
}
