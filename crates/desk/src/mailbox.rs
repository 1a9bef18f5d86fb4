//! Connecting and changing mailboxes; how their rounds go.
//!
//! A group mailbox belongs to a process and its teams and is connected by administrators; a personal one
//! belongs to its owner. What somebody may do with one follows from what they [`Hold`] of it; to whom
//! they are nothing it is not there.
//!
//! A password goes in and never comes out again but through [`login`], for the rounds. It belongs to
//! the server, port, protection and user it was entered for: change one of these without entering it
//! again and it is forgotten and the mailbox switched off, so that nobody can have it sent to a server
//! of their own. A personal mailbox without one *waits for its owner*. A new mailbox is off unless it was
//! asked to be on.
//!
//! The rounds themselves are the business of the crate `sync`; whoever shows or asks them does so
//! through [`Rounds`].

mod add;
mod allowed;
mod authserv;
mod change;
pub(crate) mod checked;
mod clear;
mod default;
pub mod folders;
mod form;
mod hold;
mod rounds;
mod secret;
mod senders;
mod standing;

pub use add::add;
pub(crate) use add::reach_of;
pub(crate) use allowed::reach_now;
pub use allowed::{allow_hosts, allowed_hosts};
pub use authserv::server_name_seen;
pub use change::change;
pub use clear::{Clearing, clear, preview_clearing};
pub(crate) use folders::copy_to_sent;
pub use form::{FolderChoice, MailboxChange, NewMailbox, OutgoingChoice};
pub use hold::{Hold, Part};
pub use rounds::*;
pub(crate) use secret::reach_of_sending;
pub use secret::{fill_in, login, test_login};
pub use senders::{may_send, may_send_from};
pub use standing::*;

use crate::may::{Actor, Verb};
use crate::notification::{self, Notice};
use crate::{Desk, Refusal};
use checked::{checked_host, checked_port, checked_text};
use model::MailboxId;
use store::changes::{self, Change, ChangeKind};
use store::mailboxes::{self, Mailbox};
use store::sql::Tx;

/// Where filed messages are moved if nothing else was said.
pub const PROCESSED: &str = "Processed";
/// Folders of one mailbox that are read.
pub const MOST_FOLDERS: usize = 100;

/// The mailboxes somebody knows of: an administrator all, others their own and those they keep.
pub async fn list(desk: &Desk, actor: &Actor) -> Result<Vec<Mailbox>, Refusal> {
    actor.may(Verb::SeeMailboxes)?;
    match actor.user {
        _ if actor.administrator => Ok(mailboxes::all(&mut &desk.db).await?),
        Some(user) => Ok(mailboxes::held(&mut &desk.db, user).await?),
        None => Ok(Vec::new()),
    }
}

/// One of them.
pub async fn get(desk: &Desk, actor: &Actor, id: MailboxId) -> Result<Mailbox, Refusal> {
    actor.may(Verb::SeeMailboxes)?;
    let mailbox = mailboxes::mailbox(&mut &desk.db, id).await?.ok_or(Refusal::NotFound)?;
    Hold::of(actor, &mailbox).may(Part::Access)?;
    Ok(mailbox)
}

/// Host, port and user as they are written.
fn form_of_server(host: &str, port: u16, username: &str) -> Result<(String, u16, String), Refusal> {
    Ok((checked_host("host", host)?, checked_port("port", port)?, checked_text("username", username)?))
}

/// Server, port and user of an outgoing server that is no mailbox's, as they are written.
pub(crate) fn checked_server(
    host: &str,
    port: u16,
    username: &str,
    tls: model::Tls,
) -> Result<(String, u16, String), Refusal> {
    let server = form_of_server(host, port, username)?;
    checked::check_plain("tls", tls, &server.0, false)?;
    Ok(server)
}

/// Tells the owner of a mailbox that it waits for them.
async fn tell_owner(desk: &Desk, tx: &mut Tx, mailbox: &Mailbox) -> Result<(), Refusal> {
    let Some(owner) = mailbox.owner else { return Ok(()) };
    let notice = Notice::new("mailbox_waiting_for_owner").about_mailbox(mailbox);
    Ok(notification::tell(desk, tx, owner, &notice).await?)
}

pub(crate) async fn finish(
    desk: &Desk,
    mut tx: Tx,
    id: MailboxId,
    action: &'static str,
) -> Result<Mailbox, Refusal> {
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
