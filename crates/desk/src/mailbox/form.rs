//! What is asked for when a mailbox is added or changed.

use crate::seal::Secret;
use model::{AfterFiling, GrantId, MailboxKind, MailboxMode, Protocol, Tls, UserId};

/// A folder to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderChoice {
    /// Its name on the server.
    pub name: String,
    /// What is done on the server after filing.
    pub after_filing: AfterFiling,
    /// Where filed messages are moved; [`super::PROCESSED`] if they are moved and nothing is said.
    pub processed_folder: Option<String>,
}

/// A server to send through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingChoice {
    /// Where the server is.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in; empty: as for receiving.
    pub username: String,
    /// Their password; if the user is that of receiving and that password is given too, that one.
    pub password: Option<Secret>,
}

/// A new mailbox, as asked for.
#[derive(Clone, Debug)]
pub struct NewMailbox {
    /// Of a group or of a person.
    pub kind: MailboxKind,
    /// Its address.
    pub address: String,
    /// Its name as people see it; the address if empty.
    pub name: String,
    /// Of a personal one: whose; the actor's if `None`.
    pub owner: Option<UserId>,
    /// May change it without being administrator.
    pub keeper: Option<UserId>,
    /// How it is received.
    pub protocol: Protocol,
    /// What is done with its folders.
    pub mode: MailboxMode,
    /// Where the server is.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in there.
    pub username: String,
    /// Their password.
    pub password: Option<Secret>,
    /// A provider's grant to sign in with instead.
    pub grant: Option<GrantId>,
    /// Whether the password may be sent without protection to another machine.
    pub allow_plain: bool,
    /// The folders to read; INBOX if none.
    pub folders: Vec<FolderChoice>,
    /// Whether Lettercase may delete on the server at all.
    pub delete_on_server: bool,
    /// POP3: days after keeping that a message is deleted on the server; `None`: never.
    pub delete_after_days: Option<u16>,
    /// How it sends; `None`: it does not.
    pub outgoing: Option<OutgoingChoice>,
    /// Of a group one that sends: whether users may send from it, as their role says.
    pub shared: bool,
    /// The area of work, made if new.
    pub process: Option<String>,
    /// The teams in charge, made if new.
    pub teams: Vec<String>,
    /// Whether a thread's first mail makes a case.
    pub create_cases: bool,
    /// Whether what lies in its folders when they are first read is history: nothing follows from it.
    pub history: bool,
    /// Whether it is fetched from now on; of one that waits for its owner: as soon as it can be.
    pub active: bool,
    /// Whether it becomes its owner's default.
    pub is_default: bool,
}

impl NewMailbox {
    /// A mailbox of which nothing is said yet: IMAP with TLS, INBOX read, off.
    pub fn new(kind: MailboxKind, address: impl Into<String>) -> NewMailbox {
        NewMailbox {
            kind,
            address: address.into(),
            name: String::new(),
            owner: None,
            keeper: None,
            protocol: Protocol::Imap,
            mode: MailboxMode::File,
            host: String::new(),
            port: 993,
            tls: Tls::Implicit,
            username: String::new(),
            password: None,
            grant: None,
            allow_plain: false,
            folders: Vec::new(),
            delete_on_server: false,
            delete_after_days: None,
            outgoing: None,
            shared: false,
            process: None,
            teams: Vec::new(),
            create_cases: false,
            history: false,
            active: false,
            is_default: false,
        }
    }
}

/// What is to be changed of a mailbox; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct MailboxChange {
    /// Of a group or of a person.
    pub kind: Option<MailboxKind>,
    /// Its address.
    pub address: Option<String>,
    /// Its name as people see it.
    pub name: Option<String>,
    /// Of a personal one: whose.
    pub owner: Option<UserId>,
    /// Who keeps it; `Some(None)`: nobody.
    pub keeper: Option<Option<UserId>>,
    /// How it is received; not once mail was received.
    pub protocol: Option<Protocol>,
    /// What is done with its folders; not once mail was received.
    pub mode: Option<MailboxMode>,
    /// Where the server is.
    pub host: Option<String>,
    /// On which port.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub tls: Option<Tls>,
    /// Who signs in there.
    pub username: Option<String>,
    /// Their password.
    pub password: Option<Secret>,
    /// A provider's grant to sign in with instead; `Some(None)`: none any more.
    pub grant: Option<Option<GrantId>>,
    /// Whether the password may be sent without protection to another machine.
    pub allow_plain: Option<bool>,
    /// The folders to read, all of them.
    pub folders: Option<Vec<FolderChoice>>,
    /// Whether Lettercase may delete on the server at all.
    pub delete_on_server: Option<bool>,
    /// POP3: days after keeping that a message is deleted on the server; `Some(None)`: never.
    pub delete_after_days: Option<Option<u16>>,
    /// How it sends; `Some(None)`: no more.
    pub outgoing: Option<Option<OutgoingChoice>>,
    /// Whether users may send from it, as their role says.
    pub shared: Option<bool>,
    /// The area of work, made if new; `Some(None)` for none.
    pub process: Option<Option<String>>,
    /// The teams in charge, all of them, made if new.
    pub teams: Option<Vec<String>>,
    /// Whether a thread's first mail makes a case.
    pub create_cases: Option<bool>,
    /// What its server calls itself in Authentication-Results; empty: nobody is believed.
    pub authserv_id: Option<String>,
    /// Whether it is fetched.
    pub active: Option<bool>,
    /// Whether it becomes its owner's default.
    pub is_default: Option<bool>,
}
