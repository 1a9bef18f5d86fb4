//! Connecting and changing mailboxes; how their rounds go.
//!
//! A password goes in and never comes out again but through [`login`], for the rounds. It belongs to
//! the server, port, protection and user it was entered for: change one of these without entering it
//! again and it is forgotten and the mailbox switched off, so that nobody can have it sent to a server
//! of their own. A new mailbox is off unless it was asked to be on.
//!
//! The rounds themselves are the business of the crate `sync`; whoever shows or asks them does so
//! through [`Rounds`].

pub(crate) mod checked;
pub mod folders;
mod rounds;
mod standing;

pub use rounds::*;
pub use standing::*;

use crate::may::{Actor, Verb};
use crate::people::{checked_address, checked_name, invalid};
use crate::seal::Secret;
use crate::{Desk, Refusal};
use checked::{
    check_active, check_plain, check_protection, checked_folders, checked_host, checked_port, checked_text,
    owner,
};
use model::{AfterFiling, MailboxId, MailboxKind, OccurrenceId, Protocol, Tls, UserId};
use store::changes::{self, Change, ChangeKind};
use store::mailboxes::{self, Mailbox};
use store::people;
use store::sql::Tx;

/// Where filed messages are moved if nothing else was said.
pub const PROCESSED: &str = "Processed";
/// Folders of one mailbox that are read.
pub const MOST_FOLDERS: usize = 100;

/// A folder to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderChoice {
    /// Its name on the server.
    pub name: String,
    /// What is done on the server after filing.
    pub after_filing: AfterFiling,
    /// Where filed messages are moved; [`PROCESSED`] if they are moved and nothing is said.
    pub processed_folder: Option<String>,
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
    /// The folders to read; INBOX if none.
    pub folders: Vec<FolderChoice>,
    /// The area of work, made if new.
    pub process: Option<String>,
    /// The teams in charge, made if new.
    pub teams: Vec<String>,
    /// Whether a thread's first mail makes a case.
    pub create_cases: bool,
    /// Whether it is fetched from now on.
    pub active: bool,
}

/// What is to be changed of a mailbox; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct MailboxChange {
    /// Its address.
    pub address: Option<String>,
    /// Its name as people see it.
    pub name: Option<String>,
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
    /// The folders to read, all of them.
    pub folders: Option<Vec<FolderChoice>>,
    /// The area of work, made if new; `Some(None)` for none.
    pub process: Option<Option<String>>,
    /// The teams in charge, all of them, made if new.
    pub teams: Option<Vec<String>>,
    /// Whether a thread's first mail makes a case.
    pub create_cases: Option<bool>,
    /// Whether it is fetched.
    pub active: Option<bool>,
}

/// All mailboxes.
pub async fn list(desk: &Desk, actor: &Actor) -> Result<Vec<Mailbox>, Refusal> {
    actor.may(Verb::ManageMailboxes)?;
    Ok(mailboxes::all(&mut &desk.db).await?)
}

/// One mailbox.
pub async fn get(desk: &Desk, actor: &Actor, id: MailboxId) -> Result<Mailbox, Refusal> {
    actor.may(Verb::ManageMailboxes)?;
    mailboxes::mailbox(&mut &desk.db, id).await?.ok_or(Refusal::NotFound)
}

/// Adds a mailbox, with its process and teams where they are new.
pub async fn add(desk: &Desk, actor: &Actor, new: NewMailbox) -> Result<Mailbox, Refusal> {
    actor.may(Verb::ManageMailboxes)?;
    let folders = checked_folders(new.folders)?;
    let mut draft = Mailbox {
        owner: owner(new.kind, new.owner, actor)?,
        host: checked_host(&new.host)?,
        port: checked_port(new.port)?,
        tls: new.tls,
        username: checked_text("username", &new.username)?,
        has_secret: new.password.is_some(),
        create_cases: new.create_cases,
        active: new.active,
        ..Mailbox::new(new.kind, &checked_address("address", &new.address)?)
    };
    draft.name = match new.name.trim() {
        "" => draft.address.clone(),
        name => checked_name("name", name)?,
    };
    check_protection(&draft)?;
    check_active(&draft)?;
    let mut tx = desk.db.begin().await?;
    if let Some(owner) = draft.owner {
        let known = people::user(&mut tx, owner).await?;
        known.ok_or_else(|| invalid("owner_id", "unknown", "there is no such user"))?;
    }
    draft.process = process(&mut tx, new.process.as_deref()).await?;
    let id = mailboxes::add(&mut tx, &draft, desk.clock.now()).await?;
    mailboxes::choose_folders(&mut tx, id, &folders).await?;
    set_teams(&mut tx, id, &new.teams).await?;
    if let Some(password) = &new.password {
        set_password(desk, &mut tx, id, password).await?;
    }
    finish(desk, tx, id, "added").await
}

/// Changes a mailbox. Server, port, protection or user without the password: the stored one is
/// forgotten and the mailbox switched off (unless the password comes with the change).
pub async fn change(
    desk: &Desk,
    actor: &Actor,
    id: MailboxId,
    change: MailboxChange,
) -> Result<Mailbox, Refusal> {
    actor.may(Verb::ManageMailboxes)?;
    let mut tx = desk.db.begin().await?;
    let before = mailboxes::mailbox(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    let mut after = changed(&before, &change)?;
    let elsewhere = (&before.host, before.port, before.tls, &before.username)
        != (&after.host, after.port, after.tls, &after.username);
    match &change.password {
        Some(password) => {
            set_password(desk, &mut tx, id, password).await?;
            after.has_secret = true;
        }
        None if elsewhere => {
            mailboxes::set_secret(&mut tx, id, None).await?;
            after.has_secret = false;
            after.active = false;
        }
        None => {}
    }
    check_protection(&after)?;
    check_active(&after)?;
    if let Some(name) = &change.process {
        after.process = process(&mut tx, name.as_deref()).await?;
    }
    mailboxes::change(&mut tx, &after).await?;
    if let Some(folders) = change.folders {
        mailboxes::choose_folders(&mut tx, id, &checked_folders(folders)?).await?;
    }
    if let Some(teams) = &change.teams {
        set_teams(&mut tx, id, teams).await?;
    }
    finish(desk, tx, id, "changed").await
}

/// The mailbox with the plain fields changed.
fn changed(before: &Mailbox, change: &MailboxChange) -> Result<Mailbox, Refusal> {
    let mut after = before.clone();
    if let Some(address) = &change.address {
        after.address = checked_address("address", address)?;
    }
    if let Some(name) = &change.name {
        after.name = checked_name("name", name)?;
    }
    if let Some(host) = &change.host {
        after.host = checked_host(host)?;
    }
    if let Some(port) = change.port {
        after.port = checked_port(port)?;
    }
    if let Some(username) = &change.username {
        after.username = checked_text("username", username)?;
    }
    after.tls = change.tls.unwrap_or(before.tls);
    after.create_cases = change.create_cases.unwrap_or(before.create_cases);
    after.active = change.active.unwrap_or(before.active);
    Ok(after)
}

async fn finish(desk: &Desk, mut tx: Tx, id: MailboxId, action: &'static str) -> Result<Mailbox, Refusal> {
    let mailbox = mailboxes::mailbox(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    tell(desk, &mut tx, id, action).await?;
    tx.commit().await?;
    Ok(mailbox)
}

async fn tell(desk: &Desk, tx: &mut Tx, id: MailboxId, action: &'static str) -> Result<(), Refusal> {
    let change = Change { kind: ChangeKind::Mailbox, entity_id: id.0, thread: None, action };
    changes::add(tx, change, desk.clock.now()).await?;
    Ok(())
}

async fn process(tx: &mut Tx, name: Option<&str>) -> Result<Option<(model::ProcessId, String)>, Refusal> {
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else { return Ok(None) };
    let name = checked_name("process", name)?;
    let (id, _) = people::process_named(tx, &name).await?;
    Ok(Some((id, name)))
}

async fn set_teams(tx: &mut Tx, id: MailboxId, names: &[String]) -> Result<(), Refusal> {
    let mut teams = Vec::with_capacity(names.len());
    for name in names.iter().filter(|name| !name.trim().is_empty()) {
        teams.push(people::team_named(tx, &checked_name("team", name)?).await?.0);
    }
    Ok(mailboxes::set_teams(tx, id, &teams).await?)
}

async fn set_password(desk: &Desk, tx: &mut Tx, id: MailboxId, password: &Secret) -> Result<(), Refusal> {
    if password.reveal().is_empty() || password.reveal().len() > 10_000 {
        return Err(invalid("password", "required", "enter the mailbox's password"));
    }
    let sealed = desk.seal.seal(&place(id), password);
    Ok(mailboxes::set_secret(tx, id, Some(sealed)).await?)
}

/// Where a mailbox's password is kept, as the seal names it.
fn place(id: MailboxId) -> String {
    format!("mailboxes|{id}|secret")
}

/// What the rounds sign in with; `None` if no password is stored.
pub async fn login(desk: &Desk, id: MailboxId) -> Result<Option<Login>, Refusal> {
    let mut reader = desk.db.snapshot().await?;
    let mailbox = mailboxes::mailbox(&mut reader, id).await?.ok_or(Refusal::NotFound)?;
    let Some(sealed) = mailboxes::secret(&mut reader, id).await? else { return Ok(None) };
    Ok(Some(Login {
        protocol: mailbox.protocol,
        host: mailbox.host,
        port: mailbox.port,
        tls: mailbox.tls,
        username: mailbox.username,
        credential: Credential::Password(desk.seal.open(&place(id), &sealed)?),
    }))
}

/// What a connection test signs in with: what the form says, or, where it names a mailbox and leaves
/// server and user as they are, the stored password.
pub async fn test_login(
    desk: &Desk,
    actor: &Actor,
    new: &NewMailbox,
    stored: Option<MailboxId>,
) -> Result<Login, Refusal> {
    actor.may(Verb::ManageMailboxes)?;
    let (host, port) = (checked_host(&new.host)?, checked_port(new.port)?);
    let username = checked_text("username", &new.username)?;
    check_plain(new.tls, &host)?;
    let credential = match (&new.password, stored) {
        (Some(password), _) => Some(Credential::Password(password.clone())),
        (None, Some(id)) => login(desk, id)
            .await?
            .filter(|kept| {
                (&kept.host, kept.port, kept.tls, &kept.username) == (&host, port, new.tls, &username)
            })
            .map(|kept| kept.credential),
        (None, None) => None,
    };
    let credential =
        credential.ok_or_else(|| invalid("password", "required", "enter the mailbox's password"))?;
    Ok(Login { protocol: Protocol::Imap, host, port, tls: new.tls, username, credential })
}

/// Whether the key can open what is stored; asked once at the start.
pub async fn check_key(desk: &Desk) -> Result<(), Refusal> {
    match mailboxes::any_secret(&mut &desk.db).await? {
        Some(sealed) => Ok(desk.seal.check(&sealed)?),
        None => Ok(()),
    }
}

/// Notes that a round came to its end.
pub async fn round_succeeded(desk: &Desk, id: MailboxId) -> Result<(), Refusal> {
    let mut tx = desk.db.begin().await?;
    mailboxes::succeeded(&mut tx, id, desk.clock.now()).await?;
    tell(desk, &mut tx, id, "scanned").await?;
    Ok(tx.commit().await?)
}

/// Notes why a round failed.
pub async fn round_failed(desk: &Desk, id: MailboxId, trouble: Trouble) -> Result<(), Refusal> {
    let error = LastError { at: desk.clock.now(), trouble };
    let text = serde_json::to_string(&error).map_err(anyhow::Error::from)?;
    let mut tx = desk.db.begin().await?;
    mailboxes::failed(&mut tx, id, &text).await?;
    tell(desk, &mut tx, id, "failed").await?;
    Ok(tx.commit().await?)
}

/// Lets something quarantined be filed anew. The mailbox whose round will do it is returned.
pub async fn retry_quarantined(desk: &Desk, actor: &Actor, id: OccurrenceId) -> Result<MailboxId, Refusal> {
    actor.may(Verb::ManageQuarantine)?;
    let mut tx = desk.db.begin().await?;
    let quarantined = mailboxes::quarantined(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if !mailboxes::retry(&mut tx, id).await? {
        let message = "Its bytes were not taken: it is larger than the limit.";
        return Err(Refusal::conflict("bytes_not_kept", message));
    }
    tell(desk, &mut tx, quarantined.mailbox_id, "quarantine_retried").await?;
    tx.commit().await?;
    Ok(quarantined.mailbox_id)
}
