//! A visit to a mail server: signed in, and round after round until something fails.
//!
//! There is one kind for each protocol and mode; [`begin`] chooses. All else (when, how often, what
//! after a failure) is the supervisor's and common to all. Rounds write only in transactions of
//! [`Receive::transaction`], so that a process that has lost the mailbox to another writes nothing more.

use crate::operations::OwingVisit;
use crate::pop3::Pop3Visit;
use crate::round::ImapVisit;
use crate::synchronise::SynchroniseVisit;
use crate::trouble;
use desk::grant::NoToken;
use desk::mailbox::{Boxed, Trouble};
use desk::receive::Receive;
use model::{MailboxMode, Protocol};
use std::time::Duration;
use store::rounds::Source;
use wire::ConnectError;
use wire::imap::SessionError;
use wire::pop3;

/// Wait between rounds where the server does not say by itself that there is news.
pub const POLL: Duration = Duration::from_secs(60);

/// An open mailbox.
pub trait Visit: Send {
    /// Reads what is new to its end and settles what is owed to the server.
    fn round<'a>(
        &'a mut self,
        progress: &'a Progress<'a>,
    ) -> Boxed<'a, Result<Vec<FolderSummary>, RoundError>>;

    /// Comes back when it is time for the next round: the server has news, or the clock says so. May
    /// be dropped half way when somebody asks for a round at once.
    fn wait(&mut self) -> Boxed<'_, Result<(), RoundError>>;
}

/// Signs in.
pub async fn begin(receive: &Receive, source: &Source) -> Result<Box<dyn Visit>, RoundError> {
    Ok(match (source.protocol, source.mode) {
        (Protocol::Imap, _) if !source.active => Box::new(OwingVisit::begin(receive, source).await?),
        (Protocol::Imap, MailboxMode::File) => Box::new(ImapVisit::begin(receive, source).await?),
        (Protocol::Pop3, _) => Box::new(Pop3Visit::new(receive, source)),
        (Protocol::Imap, MailboxMode::Synchronise) => {
            Box::new(SynchroniseVisit::begin(receive, source).await?)
        }
    })
}

/// Hears how far a round is: (done, total) messages of the folder.
pub type Progress<'a> = dyn Fn(&str, u64, u64) + Send + Sync + 'a;

/// What one round did in one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderSummary {
    /// The folder.
    pub folder: String,
    /// Messages the server listed that had not been read before.
    pub seen: u64,
    /// Occurrences that are messages now.
    pub filed: u64,
    /// Listed, and gone before they could be fetched; or kept out by a filter.
    pub skipped: u64,
    /// Put aside.
    pub quarantined: u64,
    /// Left for the next round, which follows at once: a large folder is read in portions.
    pub more: u64,
    /// What rules want done on the server: the next round, which follows at once, begins with it.
    pub asked: u64,
    /// Why the server would not do what was due after filing, such as moving.
    pub refused: Option<String>,
}

impl FolderSummary {
    /// Whether the next round is to follow at once.
    pub fn goes_on(&self) -> bool {
        self.more > 0 || self.asked > 0
    }

    /// Adds what another look into the same folder did.
    pub fn add(&mut self, more: &FolderSummary) {
        self.seen += more.seen;
        self.filed += more.filed;
        self.skipped += more.skipped;
        self.quarantined += more.quarantined;
        self.more = more.more;
        self.asked += more.asked;
        self.refused = more.refused.clone().or(self.refused.take());
    }
}

/// Why a round ended before its end. Nothing is lost: the next one goes on where this one stopped.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The server could not be reached, or would not let us in or into a folder.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// The connection broke in the middle of the work.
    #[error("{0}")]
    Session(#[from] SessionError),
    /// The same of a POP3 connection.
    #[error("{0}")]
    Pop3(#[from] pop3::SessionError),
    /// The database refused.
    #[error("{0}")]
    Store(#[from] store::sql::Error),
    /// The server lists messages and does not give them; they are asked for again.
    #[error("the server lists {messages} messages in {folder} that it does not give")]
    Withheld {
        /// The folder.
        folder: String,
        /// How many.
        messages: u64,
    },
    /// The folder was renumbered, and too much of it looks new: somebody has to say whether it is.
    #[error(
        "{new} of {sampled} messages looked at in {folder} are unknown, though the folder was read before"
    )]
    Doubtful {
        /// The folder.
        folder: String,
        /// Messages that were looked at.
        sampled: u64,
        /// Those of them that are unknown.
        new: u64,
    },
    /// Its provider gives no token.
    #[error("{0}")]
    NoToken(#[from] NoToken),
    /// The mailbox cannot be read as it is set up.
    #[error("{0:#}")]
    SetUp(#[from] anyhow::Error),
}

impl RoundError {
    /// Whether it will not go away by itself: somebody has to do something.
    pub fn is_lasting(&self) -> bool {
        use wire::ConnectErrorKind as Kind;
        match self {
            RoundError::Connect(error) => !matches!(
                error.kind,
                Kind::Refused
                    | Kind::Unreachable
                    | Kind::Timeout
                    | Kind::Closed
                    | Kind::InUse
                    | Kind::Unavailable
                    | Kind::ServerBye
                    | Kind::Protocol
            ),
            RoundError::SetUp(_) | RoundError::Doubtful { .. } => true,
            RoundError::NoToken(error) => matches!(error, NoToken::Refused { .. }),
            _ => false,
        }
    }

    /// As the mailbox's page shows it.
    pub fn trouble(&self) -> Trouble {
        let again = "Nothing is lost; it is tried again by itself.";
        match self {
            RoundError::Connect(error) => trouble::of_connection(error),
            RoundError::Session(_) | RoundError::Pop3(_) => {
                Trouble::new("reading", "connection_lost", self.to_string(), again)
            }
            RoundError::Withheld { folder, messages } => {
                let trouble = Trouble::new("reading", "withheld", self.to_string(), again);
                trouble.with("folder", folder).with("messages", messages)
            }
            RoundError::Doubtful { folder, sampled, new } => {
                let remedy = "See whether the mailbox is still the right one. If it is, let it go on: what \
                              is unknown is then filed as new mail.";
                let trouble = Trouble::new("reading", "guard_paused", self.to_string(), remedy);
                trouble.with("folder", folder).with("sampled", sampled).with("new", new)
            }
            RoundError::Store(_) => {
                let remedy =
                    "Nothing is lost; look at the disk and the database, it is tried again by itself.";
                Trouble::new("storing", "storage", self.to_string(), remedy)
            }
            RoundError::NoToken(error) => trouble::of_token(error),
            RoundError::SetUp(_) => {
                let remedy = "Open the mailbox's settings and enter what is missing.";
                Trouble::new("setting_up", "incomplete", self.to_string(), remedy)
            }
        }
    }
}
