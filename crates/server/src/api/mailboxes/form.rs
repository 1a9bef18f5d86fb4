//! What is sent to connect, test and change mailboxes.

use crate::shape::{self, given};
use desk::mailbox::{self as verbs, FolderChoice, OutgoingChoice};
use desk::seal::Secret;
use model::{AfterFiling, GrantId, MailboxKind, MailboxMode, Protocol, Tls, UserId};
use serde::Deserialize;
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

/// A server to send through.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOutgoing {
    host: String,
    port: u16,
    #[schema(value_type = shape::Tls)]
    tls: Tls,
    /// Empty: as for receiving.
    #[serde(default)]
    username: String,
    /// Where the user is that of receiving and the password for receiving is sent too, that one is taken.
    password: Option<String>,
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
    /// Of a personal one: whose. Default: one's own.
    owner_id: Option<i64>,
    /// Who may change it without being administrator.
    keeper_id: Option<i64>,
    /// Default: imap.
    #[schema(value_type = Option<shape::Protocol>)]
    protocol: Option<Protocol>,
    /// Default: file.
    #[schema(value_type = Option<shape::MailboxMode>)]
    mode: Option<MailboxMode>,
    host: String,
    port: u16,
    /// `none` only to this machine itself, or with `allow_plain`.
    #[schema(value_type = shape::Tls)]
    tls: Tls,
    username: String,
    /// Without it, a personal mailbox waits for its owner.
    password: Option<String>,
    /// What a provider granted to the user who sends this.
    grant_id: Option<i64>,
    /// The password may be sent without protection to another machine.
    #[serde(default)]
    allow_plain: bool,
    /// Default: INBOX.
    #[serde(default)]
    folders: Vec<NewFolder>,
    /// Lettercase may delete on the server.
    #[serde(default)]
    delete_on_server: bool,
    /// POP3: days after keeping that a message is deleted on the server.
    delete_after_days: Option<u16>,
    outgoing: Option<NewOutgoing>,
    /// Of a group one that sends: users may send from it, as their role says.
    #[serde(default)]
    shared: bool,
    /// Made if new; a group mailbox has one.
    process: Option<String>,
    /// Names, made if new; a group mailbox has at least one.
    #[serde(default)]
    teams: Vec<String>,
    /// One of `teams`; older programs send it.
    team: Option<String>,
    #[serde(default)]
    create_cases: bool,
    /// A new mailbox is off unless this is true. One that waits for its owner starts when the password is there.
    /// Whether what lies in its folders when they are first read is history: filed with its own dates, without cases
    /// or notifications.
    #[serde(default)]
    history: bool,
    #[serde(default)]
    active: bool,
    /// Makes it its owner's default; the first is that anyway.
    #[serde(default)]
    is_default: bool,
    /// Of a test: the mailbox whose stored password is used where none is given, as long as server,
    /// port, protection and user are its own.
    pub(super) mailbox_id: Option<i64>,
}

/// What is to be changed of a mailbox. Host, port, tls or username without the password: the stored
/// password is forgotten and the mailbox switched off; of outgoing mail likewise.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailboxChange {
    #[schema(value_type = Option<shape::MailboxKind>)]
    kind: Option<MailboxKind>,
    address: Option<String>,
    name: Option<String>,
    owner_id: Option<i64>,
    /// Null: nobody.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    keeper_id: Option<Option<i64>>,
    /// Not once mail was received.
    #[schema(value_type = Option<shape::Protocol>)]
    protocol: Option<Protocol>,
    /// Not once mail was received.
    #[schema(value_type = Option<shape::MailboxMode>)]
    mode: Option<MailboxMode>,
    host: Option<String>,
    port: Option<u16>,
    #[schema(value_type = Option<shape::Tls>)]
    tls: Option<Tls>,
    username: Option<String>,
    password: Option<String>,
    /// Null: none any more.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    grant_id: Option<Option<i64>>,
    allow_plain: Option<bool>,
    /// All folders to be read.
    folders: Option<Vec<NewFolder>>,
    delete_on_server: Option<bool>,
    /// Null: never.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u16>)]
    delete_after_days: Option<Option<u16>>,
    /// Null: it sends no more.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<NewOutgoing>)]
    outgoing: Option<Option<NewOutgoing>>,
    shared: Option<bool>,
    /// Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    process: Option<Option<String>>,
    /// All teams in charge, made if new.
    teams: Option<Vec<String>>,
    /// As `teams` with one or none; older programs send it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    team: Option<Option<String>>,
    create_cases: Option<bool>,
    /// What the mailbox's server calls itself in Authentication-Results (RFC 8601); empty: nobody is believed.
    authserv_id: Option<String>,
    active: Option<bool>,
    is_default: Option<bool>,
}

impl From<NewMailbox> for verbs::NewMailbox {
    fn from(form: NewMailbox) -> verbs::NewMailbox {
        verbs::NewMailbox {
            kind: form.kind,
            address: form.address,
            name: form.name.unwrap_or_default(),
            owner: form.owner_id.map(UserId),
            keeper: form.keeper_id.map(UserId),
            protocol: form.protocol.unwrap_or(Protocol::Imap),
            mode: form.mode.unwrap_or(MailboxMode::File),
            host: form.host,
            port: form.port,
            tls: form.tls,
            username: form.username,
            password: secret(form.password),
            grant: form.grant_id.map(GrantId),
            allow_plain: form.allow_plain,
            folders: chosen(form.folders),
            delete_on_server: form.delete_on_server,
            delete_after_days: form.delete_after_days,
            outgoing: form.outgoing.map(outgoing),
            shared: form.shared,
            process: form.process,
            teams: form.teams.into_iter().chain(form.team).collect(),
            create_cases: form.create_cases,
            history: form.history,
            active: form.active,
            is_default: form.is_default,
        }
    }
}

impl From<MailboxChange> for verbs::MailboxChange {
    fn from(form: MailboxChange) -> verbs::MailboxChange {
        verbs::MailboxChange {
            kind: form.kind,
            address: form.address,
            name: form.name,
            owner: form.owner_id.map(UserId),
            keeper: form.keeper_id.map(|keeper| keeper.map(UserId)),
            protocol: form.protocol,
            mode: form.mode,
            host: form.host,
            port: form.port,
            tls: form.tls,
            username: form.username,
            password: form.password.map(Secret::new),
            grant: form.grant_id.map(|grant| grant.map(GrantId)),
            allow_plain: form.allow_plain,
            folders: form.folders.map(chosen),
            delete_on_server: form.delete_on_server,
            delete_after_days: form.delete_after_days,
            outgoing: form.outgoing.map(|form| form.map(outgoing)),
            shared: form.shared,
            process: form.process,
            teams: form.teams.or(form.team.map(|team| team.into_iter().collect())),
            create_cases: form.create_cases,
            authserv_id: form.authserv_id,
            active: form.active,
            is_default: form.is_default,
        }
    }
}

fn secret(password: Option<String>) -> Option<Secret> {
    password.filter(|password| !password.is_empty()).map(Secret::new)
}

fn outgoing(form: NewOutgoing) -> OutgoingChoice {
    let NewOutgoing { host, port, tls, username, password } = form;
    OutgoingChoice { host, port, tls, username, password: secret(password) }
}

fn chosen(folders: Vec<NewFolder>) -> Vec<FolderChoice> {
    let choice = |folder: NewFolder| FolderChoice {
        name: folder.name,
        after_filing: folder.after_filing.unwrap_or(AfterFiling::Move),
        processed_folder: folder.processed_folder,
    };
    folders.into_iter().map(choice).collect()
}
