//! What is sent to connect, test and change mailboxes.

use crate::shape;
use desk::mailbox::{self as verbs, FolderChoice};
use desk::seal::Secret;
use model::{AfterFiling, MailboxKind, Tls, UserId};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// A folder to be read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFolder {
    name: String,
    /// Default: move.
    #[schema(value_type = Option<shape::AfterFiling>)]
    after_filing: Option<AfterFiling>,
    /// Default: Processed.
    processed_folder: Option<String>,
}

/// A mailbox to connect or to test.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMailbox {
    #[schema(value_type = shape::MailboxKind)]
    kind: MailboxKind,
    address: String,
    /// Default: the address.
    name: Option<String>,
    host: String,
    port: u16,
    /// `none` only to this machine itself.
    #[schema(value_type = shape::Tls)]
    tls: Tls,
    username: String,
    password: Option<String>,
    /// Of a personal one: whose. Default: one's own.
    owner_id: Option<i64>,
    /// Default: INBOX.
    #[serde(default)]
    folders: Vec<NewFolder>,
    /// Made if new.
    process: Option<String>,
    /// Made if new.
    team: Option<String>,
    #[serde(default)]
    create_cases: bool,
    /// A new mailbox is off unless this is true.
    #[serde(default)]
    active: bool,
    /// Of a test: the mailbox whose stored password is used where none is given, as long as server,
    /// port, protection and user are its own.
    pub(super) mailbox_id: Option<i64>,
}

/// What is to be changed of a mailbox. Host, port, tls or username without the password: the stored
/// password is forgotten and the mailbox switched off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailboxChange {
    address: Option<String>,
    name: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    #[schema(value_type = Option<shape::Tls>)]
    tls: Option<Tls>,
    username: Option<String>,
    password: Option<String>,
    /// All folders to be read.
    folders: Option<Vec<NewFolder>>,
    /// Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    process: Option<Option<String>>,
    /// Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    team: Option<Option<String>>,
    create_cases: Option<bool>,
    active: Option<bool>,
}

/// Tells null (`Some(None)`) from nothing (`None`).
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl From<NewMailbox> for verbs::NewMailbox {
    fn from(form: NewMailbox) -> verbs::NewMailbox {
        verbs::NewMailbox {
            kind: form.kind,
            address: form.address,
            name: form.name.unwrap_or_default(),
            owner: form.owner_id.map(UserId),
            host: form.host,
            port: form.port,
            tls: form.tls,
            username: form.username,
            password: form.password.filter(|password| !password.is_empty()).map(Secret::new),
            folders: chosen(form.folders),
            process: form.process,
            teams: form.team.into_iter().collect(),
            create_cases: form.create_cases,
            active: form.active,
        }
    }
}

impl From<MailboxChange> for verbs::MailboxChange {
    fn from(form: MailboxChange) -> verbs::MailboxChange {
        verbs::MailboxChange {
            address: form.address,
            name: form.name,
            host: form.host,
            port: form.port,
            tls: form.tls,
            username: form.username,
            password: form.password.map(Secret::new),
            folders: form.folders.map(chosen),
            process: form.process,
            teams: form.team.map(|team| team.into_iter().collect()),
            create_cases: form.create_cases,
            active: form.active,
        }
    }
}

fn chosen(folders: Vec<NewFolder>) -> Vec<FolderChoice> {
    let choice = |folder: NewFolder| FolderChoice {
        name: folder.name,
        after_filing: folder.after_filing.unwrap_or(AfterFiling::Move),
        processed_folder: folder.processed_folder,
    };
    folders.into_iter().map(choice).collect()
}
