//! What the rounds are asked and tell: the seam between those who fetch and those who show.

use crate::grant::Authority;
use crate::guess::Candidate;
use crate::seal::Secret;
use crate::sending::{OutgoingMail, SendingLogin};
use model::{MailboxId, Protocol, Reach, Time, Tls};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// Which addresses the host may lead to.
    pub reach: Reach,
    /// Whether the password may be sent without protection to another machine.
    pub allow_plain: bool,
    /// Who signs in.
    pub username: String,
    /// What proves that it is them.
    pub credential: Credential,
}

/// What proves who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A password.
    Password(Secret),
    /// An access token of an OAuth provider.
    Token(Secret),
}

impl Credential {
    /// The secret, whichever it is.
    pub fn secret(&self) -> &Secret {
        match self {
            Credential::Password(secret) | Credential::Token(secret) => secret,
        }
    }
}

/// Why a mail server could not be used, for people: a code the interface has a sentence for in each
/// language, and that sentence in English.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// How far it came: `dns`, `tcp`, `tls`, `greeting`, `login`, `list`, `select` …
    pub stage: String,
    /// What went wrong, as a stable word: `wrong_password`, `certificate_expired`, `withheld` …
    #[serde(default)]
    pub code: String,
    /// What the sentence for the code speaks of: `host`, `port`, `folder`, `said` (by the server) …
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// What happened.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Trouble {
    /// Trouble with these words, that speaks of nothing yet.
    pub fn new(stage: &str, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Trouble {
        let (stage, code, params) = (stage.into(), code.into(), BTreeMap::new());
        Trouble { stage, code, params, message: message.into(), remedy: remedy.into() }
    }

    /// The same, speaking of `value` by this name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Trouble {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }
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

/// One step of a connection test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `dns`, `tcp`, `tls`, `greeting`, `login`; then `list`, or `send` of outgoing mail.
    pub stage: String,
    /// Whether it went well.
    pub ok: bool,
}

/// The steps of a test in the order they are taken, up to the one that failed. The `last` is what
/// follows on signing in.
pub fn steps(tls: Tls, last: &'static str, trouble: Option<&Trouble>) -> Vec<Step> {
    let order = match tls {
        Tls::None => vec!["dns", "tcp", "greeting", "login", last],
        Tls::StartTls => vec!["dns", "tcp", "greeting", "tls", "login", last],
        Tls::Implicit => vec!["dns", "tcp", "tls", "greeting", "login", last],
    };
    let failed = trouble.map(|trouble| trouble.stage.as_str());
    // Without TLS, its stage is where sending a password in the clear is refused: after connecting.
    let end = match failed {
        None => order.len(),
        Some(stage) => order.iter().position(|one| *one == stage).unwrap_or(2),
    };
    let passed = order[..end].iter().map(|stage| Step { stage: (*stage).into(), ok: true });
    passed.chain(failed.map(|stage| Step { stage: stage.into(), ok: false })).collect()
}

/// How a connection test went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestOutcome {
    /// How far it came, step by step; the failed one is `trouble`'s.
    pub steps: Vec<Step>,
    /// What is worth knowing about this server, as stable words: `pop3_no_uidl` …
    pub notes: Vec<String>,
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

/// What looking through the processed folders of a mailbox did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// When it began.
    pub at: Time,
    /// Messages in the processed folders.
    pub looked: u64,
    /// Of them those that were unknown, and are filed now.
    pub filed: u64,
    /// Of them those that were unknown, and are put aside.
    pub quarantined: u64,
    /// Whether it came to its end; if not, the mailbox's error says why.
    pub complete: bool,
}

/// A future that a trait object can return.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Those who fetch. Implemented by the crate `sync`.
pub trait Rounds: Send + Sync {
    /// Connects, signs in and lists the folders; saves nothing, changes nothing, ends within 30 s.
    fn test(&self, login: Login) -> Boxed<'_, TestOutcome>;
    /// Signs in for sending and hands a mail over; ends within 90 s.
    fn test_sending(&self, login: SendingLogin, mail: OutgoingMail) -> Boxed<'_, TestOutcome>;
    /// Looks for the servers of an address; ends within 10 s.
    fn guess(&self, address: String, reach: Reach) -> Boxed<'_, Vec<Candidate>>;
    /// Asks providers for tokens.
    fn authority(&self) -> &dyn Authority;
    /// Asks for a round now; returns at once.
    fn scan_now(&self, mailbox: MailboxId);
    /// How a mailbox stands, or `None` if the rounds do not run in this process.
    fn state(&self, mailbox: MailboxId) -> Option<RoundState>;
    /// Asks for the processed folders of a mailbox to be looked through for mail that is not known here,
    /// after our database was restored from a backup; returns at once.
    fn reconcile(&self, mailbox: MailboxId);
    /// How that went last in this process.
    fn reconciled(&self, mailbox: MailboxId) -> Option<Reconciled>;
    /// A mailbox was added, switched or changed: read its settings again.
    fn settings_changed(&self, mailbox: MailboxId);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(tls: Tls, failed: Option<&str>) -> String {
        let trouble = failed.map(|stage| Trouble::new(stage, "refused", "", ""));
        let steps = steps(tls, "list", trouble.as_ref());
        let said = steps.iter().map(|step| format!("{}{}", step.stage, if step.ok { "" } else { "!" }));
        said.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a9_the_steps_end_with_the_one_that_failed() {
        assert_eq!(said(Tls::Implicit, None), "dns tcp tls greeting login list");
        assert_eq!(said(Tls::StartTls, Some("tls")), "dns tcp greeting tls!");
        assert_eq!(said(Tls::None, Some("tls")), "dns tcp tls!");
        assert_eq!(said(Tls::Implicit, Some("dns")), "dns!");
        assert_eq!(said(Tls::Implicit, Some("login")), "dns tcp tls greeting login!");
    }
}
