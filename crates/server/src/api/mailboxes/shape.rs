//! Mailboxes as they are answered: settings, state, ledger.

use super::test::MailTrouble;
use crate::shape::{self, Moment, UserName};
use desk::mailbox::Phase;
use model::{AfterFiling, MailboxKind, MailboxMode, Protocol, Tls};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A connected mail account. Its password is never shown.
#[derive(Serialize, ToSchema)]
pub struct Mailbox {
    pub(super) id: i64,
    #[schema(value_type = shape::MailboxKind)]
    pub(super) kind: MailboxKind,
    pub(super) address: String,
    pub(super) name: String,
    #[schema(value_type = shape::Protocol)]
    pub(super) protocol: Protocol,
    pub(super) host: String,
    pub(super) port: u16,
    #[schema(value_type = shape::Tls)]
    pub(super) tls: Tls,
    pub(super) username: String,
    /// Whether a password is stored.
    pub(super) has_password: bool,
    /// Whether the password may be sent without protection to another machine.
    pub(super) allow_plain: bool,
    /// Signs in with this instead of a password.
    pub(super) grant: Option<MailboxGrant>,
    /// Whether protocol and mode can be changed no more: mail was received.
    pub(super) protocol_locked: bool,
    #[schema(value_type = shape::MailboxMode)]
    pub(super) mode: MailboxMode,
    /// Of a personal one: whose.
    pub(super) owner_id: Option<i64>,
    pub(super) owner: Option<UserName>,
    /// May change it without being administrator.
    pub(super) keeper: Option<UserName>,
    pub(super) process: Option<UserName>,
    pub(super) teams: Vec<UserName>,
    /// Whether a thread's first mail makes a case.
    pub(super) create_cases: bool,
    /// What its server calls itself in Authentication-Results; empty: nobody is believed.
    pub(super) authserv_id: String,
    /// What its server seems to call itself, by its newest messages; null in lists, and where they do not tell.
    pub(super) authserv_seen: Option<String>,
    /// Whether it is fetched.
    pub(super) active: bool,
    /// A personal one whose owner has yet to enter the password.
    pub(super) waiting_for_owner: bool,
    /// Of one that waits: whether it is switched on as soon as the password is there.
    pub(super) starts: bool,
    /// Whether Lettercase may delete on the server at all.
    pub(super) delete_on_server: bool,
    /// POP3: days after keeping that a message is deleted on the server; null: never.
    pub(super) delete_after_days: Option<u16>,
    /// How it sends; null: it does not.
    pub(super) outgoing: Option<MailboxOutgoing>,
    /// Of a group one that sends: whether users may send from it, as their role says.
    pub(super) shared: bool,
    /// Whether it is the default of the user who asks.
    pub(super) is_default: bool,
    /// Whether the user who asks may change its settings. Its owner may always enter the password, choose the
    /// folders and switch it on and off.
    pub(super) may_edit: bool,
    /// Why the rounds stopped and ask; null: they run.
    pub(super) paused: Option<Paused>,
    pub(super) folders: Vec<MailboxFolder>,
    pub(super) state: MailboxState,
    pub(super) ledger: Ledger,
}

/// How a mailbox sends. Its password is never shown.
#[derive(Serialize, ToSchema)]
pub struct MailboxOutgoing {
    pub(super) host: String,
    pub(super) port: u16,
    #[schema(value_type = shape::Tls)]
    pub(super) tls: Tls,
    /// Empty: as for receiving.
    pub(super) username: String,
    /// Whether a password, or a grant, was entered for this server.
    pub(super) has_password: bool,
}

/// What a provider granted.
#[derive(Serialize, ToSchema)]
pub struct MailboxGrant {
    pub(super) provider_id: i64,
    pub(super) provider: String,
    /// When the token ends; it is refreshed before.
    pub(super) expires_at: Option<Moment>,
    /// Why the last refresh failed.
    pub(super) error: Option<String>,
}

/// Why the rounds of a mailbox stopped and ask.
#[derive(Serialize, ToSchema)]
pub struct Paused {
    pub(super) at: Moment,
    /// A stable word: `guard_paused` …
    pub(super) code: String,
    /// What the sentence for the code speaks of, by name.
    pub(super) params: BTreeMap<String, String>,
    /// That sentence in English.
    pub(super) message: String,
}

/// A folder of a mailbox.
#[derive(Serialize, ToSchema)]
pub struct MailboxFolder {
    pub(super) id: i64,
    pub(super) name: String,
    /// Whether it is read; one that was chosen before is kept with its history.
    pub(super) read: bool,
    #[schema(value_type = shape::AfterFiling)]
    pub(super) after_filing: AfterFiling,
    pub(super) processed_folder: Option<String>,
}

/// How the rounds stand with a mailbox.
#[derive(Serialize, ToSchema)]
pub struct MailboxState {
    #[schema(value_type = shape::Phase)]
    pub(super) phase: Phase,
    pub(super) last_success_at: Option<Moment>,
    pub(super) last_error: Option<MailboxError>,
    /// Messages seen on the server that are not filed yet.
    pub(super) backlog: i64,
    /// Seconds since the last success.
    pub(super) lag_s: Option<i64>,
    pub(super) progress: Option<Progress>,
    /// Whether it has been silent for so long that an alarm was given.
    pub(super) silent: bool,
}

/// Why the last round failed.
#[derive(Serialize, ToSchema)]
pub struct MailboxError {
    pub(super) at: Moment,
    #[serde(flatten)]
    pub(super) trouble: MailTrouble,
}

/// How far a scan has come.
#[derive(Serialize, ToSchema)]
pub struct Progress {
    pub(super) done: u64,
    pub(super) total: u64,
}

/// Everything ever seen on the server, and where it is.
#[derive(Default, Serialize, ToSchema)]
pub struct Ledger {
    pub(super) seen: i64,
    pub(super) filed: i64,
    pub(super) filtered: i64,
    pub(super) quarantined: i64,
    pub(super) waiting: i64,
    /// Gone from the server before it could be fetched.
    pub(super) vanished: i64,
    /// Cleared here to save room.
    pub(super) cleared: i64,
    /// Seen and not accounted for.
    pub(super) difference: i64,
}

/// The ledger of one folder.
#[derive(Serialize, ToSchema)]
pub struct FolderLedger {
    pub(super) folder: String,
    pub(super) seen: i64,
    pub(super) filed: i64,
    pub(super) filtered: i64,
    pub(super) quarantined: i64,
    pub(super) waiting: i64,
    pub(super) vanished: i64,
    pub(super) cleared: i64,
    pub(super) difference: i64,
}

/// All mailboxes.
#[derive(Serialize, ToSchema)]
pub struct MailboxPage {
    pub(super) rows: Vec<Mailbox>,
}
