//! Sending: how a mailbox or the system signs in for it, the mail that tests it, and the system's own mail.
//!
//! What goes out is written into the outbox in the transaction of what it tells about; the crate `sync` hands it
//! over. A stored password is used only for the very server it was entered for.

pub(crate) mod notice;
mod outbox;
mod test;

pub(crate) use outbox::again_in;
pub use outbox::{again, begun, login_of, noted, page, queue_system_mail};
pub use test::{SendingTest, test};

use crate::mailbox::Credential;
use crate::seal::Secret;
use crate::{Desk, Refusal};
use model::{MailboxId, Reach, Tls};
use store::mailboxes;

/// What is needed to sign in for sending.
#[derive(Clone, Debug)]
pub struct SendingLogin {
    /// Where the server is.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Which addresses the host may lead to.
    pub reach: Reach,
    /// Who signs in, and with what; `None`: the server takes mail from anybody here.
    pub account: Option<(String, Credential)>,
}

/// A mail that is to be sent.
#[derive(Clone, Debug)]
pub struct OutgoingMail {
    /// Where bounces go.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
    /// The bytes, with CRLF.
    pub raw: Vec<u8>,
}

/// The password a mailbox sends with, where one was entered for its outgoing server.
pub(crate) async fn stored_password(desk: &Desk, id: MailboxId) -> Result<Option<Secret>, Refusal> {
    let Some(sealed) = mailboxes::outgoing_secret(&mut &desk.db, id).await? else { return Ok(None) };
    Ok(Some(desk.seal.open(&secret_place(id), &sealed)?))
}

/// Where a mailbox's password for sending is kept, as the seal names it.
pub(crate) fn secret_place(id: MailboxId) -> String {
    format!("mailboxes|{id}|smtp_secret")
}

/// A Message-ID that nobody else has: 128 random bits at the sender's domain.
pub(crate) fn message_id(sender: &str) -> String {
    let domain = sender.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    format!("{:032x}@{domain}", u128::from_be_bytes(crate::random::bytes()))
}
