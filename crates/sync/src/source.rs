//! A mailbox of the shelf as a server to dial and a channel to receive through.

use desk::Desk;
use desk::receive::Channel;
use intake::plan::{Mailbox, Origin};
use store::rounds::Source;
use wire::{Credentials, Server};

/// The name a mailbox's sealed password is bound to.
pub fn secret_place(id: model::MailboxId) -> String {
    format!("mailboxes|{id}|secret")
}

/// The server of a mailbox and who signs in there.
///
/// # Errors
/// No password was entered yet, or the key file is not the one it was sealed with.
pub fn server_of(desk: &Desk, source: &Source) -> anyhow::Result<(Server, Credentials)> {
    let sealed = source.secret.as_deref().ok_or_else(|| anyhow::anyhow!("the password of {} has not been entered", source.address))?;
    let secret = desk.seal.open(&secret_place(source.id), sealed)?;
    let server = Server::new(&source.host, source.port, tls(source.tls));
    Ok((server, Credentials::password(&source.username, secret.reveal())))
}

/// The same word in the language of the wire.
pub fn tls(tls: model::Tls) -> wire::Tls {
    match tls {
        model::Tls::None => wire::Tls::None,
        model::Tls::StartTls => wire::Tls::StartTls,
        model::Tls::Implicit => wire::Tls::Implicit,
    }
}

/// What comes through a mailbox is received like this.
pub fn channel(source: &Source) -> Channel {
    Channel {
        id: source.id,
        mailbox: Mailbox {
            kind: source.kind,
            address: source.address.to_lowercase(),
            create_cases: source.create_cases,
            process: source.process,
            team: source.team,
        },
        origin: Origin::Live,
    }
}
