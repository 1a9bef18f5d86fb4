//! What an IMAP session tells its caller.

use std::fmt;
use std::time::Duration;

use crate::error::{ConnectError, ConnectErrorKind, Stage};
use crate::imap::uid_set::UidSet;
use crate::imap::utf7;
use crate::server::Server;

/// The name of a folder exactly as the server writes it: the key under which it is stored and asked for.
///
/// Modified UTF-7 (RFC 3501, section 5.1.3) has several spellings for one name and servers with broken ones,
/// so what is shown ([`FolderName::decoded`]) is never turned back into what is sent.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderName(pub(crate) Vec<u8>);

impl FolderName {
    /// The INBOX, whose name is the same on every server.
    pub fn inbox() -> Self {
        Self(b"INBOX".to_vec())
    }

    /// A name as it was stored by [`FolderName::as_stored`].
    pub fn from_stored(stored: &str) -> Self {
        Self(stored.chars().flat_map(|c| u8::try_from(u32::from(c))).collect())
    }

    /// The wire name as text that can be stored and given back: one character per byte.
    pub fn as_stored(&self) -> String {
        self.0.iter().map(|&b| char::from(b)).collect()
    }

    /// The name to create a new folder under: `name` in modified UTF-7.
    pub fn encode(name: &str) -> Self {
        Self(utf7::encode(name))
    }

    /// The name for people. What is not valid modified UTF-7 is shown as it is.
    pub fn decoded(&self) -> String {
        utf7::decode(&self.0)
    }

    /// The bytes on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for FolderName {
    fn from(wire: &[u8]) -> Self {
        Self(wire.to_vec())
    }
}

impl fmt::Debug for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FolderName({:?})", self.decoded())
    }
}

/// What a folder is for (RFC 6154, section 2; also the older XLIST words).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpecialUse {
    /// Every message of the account.
    All,
    /// Put away.
    Archive,
    /// Not sent yet.
    Drafts,
    /// Marked as important.
    Flagged,
    /// Spam.
    Junk,
    /// Sent.
    Sent,
    /// Thrown away.
    Trash,
}

/// One folder of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The name for people, with the delimiter inside: `Archive/2024`.
    pub name: String,
    /// The name on the wire.
    pub wire_name: FolderName,
    /// What separates levels in the name; none in a flat mailbox.
    pub delimiter: Option<char>,
    /// Attributes as the server wrote them, such as `\HasNoChildren`.
    pub attributes: Vec<String>,
    /// What the server says the folder is for.
    pub special_use: Option<SpecialUse>,
    /// Whether it can be opened: not `\Noselect`, not `\NonExistent`.
    pub selectable: bool,
}

/// An opened folder, as it was when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// Messages in it.
    pub exists: u32,
    /// UIDs are only good together with this number.
    pub uid_validity: u32,
    /// The UID the next message will get, if the server says.
    pub uid_next: Option<u32>,
    /// Highest modification sequence (RFC 7162), if the server keeps one.
    pub highest_mod_seq: Option<u64>,
    /// Flags that can be set for good, such as `\Seen`.
    pub permanent_flags: Vec<String>,
    /// Whether new keywords can be made (`\*` in PERMANENTFLAGS).
    pub new_keywords: bool,
    /// Opened for reading only, as asked or because the server allows no more.
    pub read_only: bool,
    /// The server does not keep UIDs (RFC 4315, UIDNOTSTICKY).
    pub uid_not_sticky: bool,
}

/// A message without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its UID in the open folder.
    pub uid: u32,
    /// Its flags, as the server wrote them.
    pub flags: Vec<String>,
    /// When the server received it: microseconds UTC.
    pub internal_date: Option<i64>,
    /// The size the server claims, in bytes.
    pub rfc822_size: Option<u64>,
}

/// A folder's numbers without opening it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Messages in it.
    pub messages: Option<u32>,
    /// Messages without `\Seen`.
    pub unseen: Option<u32>,
    /// The UID the next message will get.
    pub uid_next: Option<u32>,
    /// The number UIDs are good for.
    pub uid_validity: Option<u32>,
    /// Highest modification sequence.
    pub highest_mod_seq: Option<u64>,
}

/// Where an appended message landed, if the server says (RFC 4315, APPENDUID).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// UIDVALIDITY of the folder.
    pub uid_validity: u32,
    /// UID of the message.
    pub uid: u32,
}

/// What became of messages that were to be moved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// The server said OK to moving these. Some of them may not have been there at all:
    /// only `mapping` is proof.
    pub done: UidSet,
    /// UID here and UID in the target folder, where the server tells (COPYUID).
    pub mapping: Vec<(u32, u32)>,
    /// UIDVALIDITY of the target folder, where the server tells.
    pub dest_uid_validity: Option<u32>,
    /// These are in the target and still here, because the server knows no way to remove only them (no UIDPLUS):
    /// they are flagged `\Deleted`. A plain EXPUNGE would also remove what others flagged.
    pub left_flagged: UidSet,
    /// These were copied by the last batch and not removed, because what followed failed.
    /// Before they are moved again, the target must be looked into, or they will be there twice.
    pub copied_only: UidSet,
}

/// A move that stopped on the way.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct MoveError {
    /// What was done before.
    pub moved: Moved,
    /// What the command in flight was about: whether it was carried out is unknown
    /// unless the error is [`SessionError::Refused`].
    pub in_doubt: UidSet,
    /// Why it stopped.
    pub error: SessionError,
}

/// A server's NO or BAD to one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The command's name.
    pub command: &'static str,
    /// The response code in upper case (RFC 9051, section 7.1), such as `TRYCREATE`, `OVERQUOTA`, `NONEXISTENT`.
    pub code: Option<String>,
    /// What the server said, at most 200 characters.
    pub text: String,
    /// BAD instead of NO: the server did not understand or want the command at all.
    pub bad: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.as_deref().map(|c| format!("[{c}] ")).unwrap_or_default();
        write!(f, "the server refused {}: {code}{}", self.command, self.text)
    }
}

impl Refusal {
    /// Whether the folder in question does not exist (RFC 3501 TRYCREATE, RFC 5530 NONEXISTENT, or the words
    /// of servers that give no code).
    pub fn is_missing_folder(&self) -> bool {
        match self.code.as_deref() {
            Some(code) => matches!(code, "TRYCREATE" | "NONEXISTENT"),
            None => [
                "doesn't exist",
                "does not exist",
                "not found",
                "unknown mailbox",
                "no such mailbox",
                "nonexistent",
            ]
            .iter()
            .any(|words| self.text.to_ascii_lowercase().contains(words)),
        }
    }
}

/// How a server broke the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// More bytes in one response than allowed.
    #[error("a response of more than {0} bytes")]
    TooLong(usize),
    /// More folders than anybody has.
    #[error("more than {0} folders")]
    TooManyFolders(usize),
    /// Parentheses nested too deeply.
    #[error("parentheses nested deeper than {0}")]
    TooDeep(usize),
    /// Untagged responses without end.
    #[error("more than {0} bytes of responses nobody asked for")]
    TooMuch(u64),
    /// A line that is no response: we have lost step, for instance after a literal of a wrong length.
    #[error("a line that is no response: {0:?}")]
    NotAResponse(String),
    /// A FETCH response whose structure is broken.
    #[error("a broken FETCH response")]
    BrokenFetch,
    /// A search whose answer is broken or missing. Taking it for "nothing" would look like an empty folder.
    #[error("a broken answer to a search")]
    BrokenSearch,
    /// The opened folder has no UIDVALIDITY.
    #[error("the folder has no UIDVALIDITY")]
    NoUidValidity,
    /// An answer that does not fit the command.
    #[error("an unexpected answer to {0}")]
    Unexpected(&'static str),
}

/// Why a command of an open session failed. All but `Refused`, `NotOffered` and `BadName` end the session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The server closed the connection or the network did.
    #[error("the connection was lost{}: {reason}", in_uid(.uid))]
    Lost {
        /// What the system said.
        reason: String,
        /// The message whose bytes were on the way.
        uid: Option<u32>,
    },
    /// Silence, or next to it.
    #[error("no answer for {waited:?}{}", in_uid(.uid))]
    Timeout {
        /// How long we waited.
        waited: Duration,
        /// The message whose bytes were on the way.
        uid: Option<u32>,
    },
    /// The server said BYE.
    #[error("the server ended the session: {0}")]
    Bye(String),
    /// The server broke the protocol.
    #[error("the server gave {0}")]
    Protocol(ProtocolError),
    /// The server said NO or BAD. The session goes on.
    #[error("{0}")]
    Refused(Refusal),
    /// The server does not offer what the command needs. The session goes on.
    #[error("the server does not offer {0}")]
    NotOffered(&'static str),
    /// A name with a NUL in it, which IMAP cannot carry. The session goes on.
    #[error("a name that IMAP cannot carry")]
    BadName,
}

fn in_uid(uid: &Option<u32>) -> String {
    uid.map(|u| format!(" in the middle of message {u}")).unwrap_or_default()
}

impl SessionError {
    /// Whether the session is over.
    pub fn ends_session(&self) -> bool {
        !matches!(self, Self::Refused(_) | Self::NotOffered(_) | Self::BadName)
    }

    /// The same error for the person who waits for the connection, at the stage where it happened.
    pub fn at(&self, stage: Stage, server: &Server) -> ConnectError {
        use ConnectErrorKind as K;
        let (kind, detail) = match self {
            Self::Lost { reason, .. } => (K::Closed, reason.clone()),
            Self::Timeout { .. } => (K::Timeout, String::new()),
            Self::Bye(text) => (K::ServerBye, text.clone()),
            Self::Protocol(ProtocolError::NotAResponse(_)) if stage == Stage::Greeting => {
                (K::NotMailServer, String::new())
            }
            Self::Protocol(e) => (K::Protocol, e.to_string()),
            Self::Refused(refusal) => (refused_kind(refusal, stage), refusal.text.clone()),
            Self::NotOffered(what) => (K::CommandRefused, format!("{what} is not offered")),
            Self::BadName => (K::MissingFolder, self.to_string()),
        };
        ConnectError::new(stage, kind, server, &detail)
    }
}

/// What a NO means depends on what was asked; the codes are those of RFC 5530.
fn refused_kind(refusal: &Refusal, stage: Stage) -> ConnectErrorKind {
    use ConnectErrorKind as K;
    match refusal.code.as_deref() {
        Some("UNAVAILABLE" | "INUSE" | "LIMIT" | "SERVERBUG" | "CONTACTADMIN") => K::Unavailable,
        Some("PRIVACYREQUIRED") => K::PlainRefused,
        _ if stage == Stage::Login && !refusal.bad => K::WrongPassword,
        _ if stage == Stage::Select && refusal.is_missing_folder() => K::MissingFolder,
        _ => K::CommandRefused,
    }
}
