//! What the rounds are asked and tell: the seam between those who fetch and those who show.

use crate::seal::Secret;
use model::{MailboxId, Protocol, Time, Tls};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;

/// What is needed to sign in at a mail server.
#[derive(Clone, Debug)]
pub struct Login {
    /// How mail is received there.
    pub protocol: Protocol,
    /// Where the server is.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in.
    pub username: String,
    /// Their password.
    pub password: Secret,
}

/// Why a mail server could not be used, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// How far it came: `dns`, `tcp`, `tls`, `greeting`, `login`, `list`, `select` …
    pub stage: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// The last round's trouble, with its time in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub at: Time,
    /// What.
    #[serde(flatten)]
    pub trouble: Trouble,
}

/// A folder that a test found on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFolder {
    /// Its name, decoded.
    pub name: String,
    /// What the server says it is for (RFC 6154), without the backslash, lower case.
    pub special_use: Option<String>,
    /// Messages in it, where the server said.
    pub messages: u64,
}

/// How a connection test went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestOutcome {
    /// What was said, without passwords.
    pub log: Vec<String>,
    /// What was found.
    pub folders: Vec<FoundFolder>,
    /// Why it failed; `None` if it did not.
    pub trouble: Option<Trouble>,
}

model::words! {
    /// What the rounds are doing with a mailbox.
    Phase {
        /// Switched off.
        Off = "off",
        /// Up to date, waiting for the server or the schedule.
        Idle = "idle",
        /// Fetching or filing.
        Scanning = "scanning",
        /// Waiting before trying again.
        Waiting = "waiting",
        /// The last round failed.
        Failed = "failed",
    }
}

/// How the rounds stand with a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundState {
    /// What they are doing.
    pub phase: Phase,
    /// Messages done and in all, while scanning.
    pub progress: Option<(u64, u64)>,
}

/// A future that a trait object can return.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Those who fetch. Implemented by the crate `sync`.
pub trait Rounds: Send + Sync {
    /// Connects, signs in and lists the folders; saves nothing, changes nothing, ends within 30 s.
    fn test(&self, login: Login) -> Boxed<'_, TestOutcome>;
    /// Asks for a round now; returns at once.
    fn scan_now(&self, mailbox: MailboxId);
    /// How a mailbox stands, or `None` if the rounds do not run in this process.
    fn state(&self, mailbox: MailboxId) -> Option<RoundState>;
    /// A mailbox was added, switched or changed: read its settings again.
    fn settings_changed(&self, mailbox: MailboxId);
}
