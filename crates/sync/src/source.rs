//! A mailbox of the shelf as a server to dial and a channel to receive through.

use crate::oauth::Network;
use crate::visit::RoundError;
use desk::Desk;
use desk::grant;
use desk::mailbox::{self, Credential, Login};
use desk::receive::Channel;
use intake::plan::{Mailbox, Origin};
use store::rounds::Source;
use wire::{Credentials, Server};

/// The server of a mailbox and who signs in there; a token is renewed before it is used.
///
/// # Errors
/// No password was entered yet, the provider does not renew the token, or the key file is not the one it was
/// sealed with.
pub async fn server_of(desk: &Desk, source: &Source) -> Result<(Server, Credentials), RoundError> {
    if let Some(id) = source.grant {
        grant::fresh(desk, &Network, id).await?;
    }
    let login = mailbox::login(desk, source.id).await.map_err(anyhow::Error::from)?;
    let login =
        login.ok_or_else(|| anyhow::anyhow!("the password of {} has not been entered", source.address))?;
    Ok(server_and_credentials(&login))
}

/// The same of a login that is only being tried.
pub fn server_and_credentials(login: &Login) -> (Server, Credentials) {
    let mut server = Server::new(&login.host, login.port, tls(login.tls));
    server.reach = reach(login.reach);
    server.allow_plain = login.allow_plain;
    (server, credentials(&login.username, &login.credential))
}

/// Who signs in, in the language of the wire.
pub(crate) fn credentials(user: &str, credential: &Credential) -> Credentials {
    match credential {
        Credential::Password(password) => Credentials::password(user, password.reveal()),
        Credential::Token(token) => {
            Credentials::Bearer { user: user.to_owned(), token: token.reveal().to_owned() }
        }
    }
}

/// The same word in the language of the wire.
pub(crate) fn tls(tls: model::Tls) -> wire::Tls {
    match tls {
        model::Tls::None => wire::Tls::None,
        model::Tls::StartTls => wire::Tls::StartTls,
        model::Tls::Implicit => wire::Tls::Implicit,
    }
}

/// Where a name may lead, in the language of the wire.
pub(crate) fn reach(reach: model::Reach) -> wire::Reach {
    match reach {
        model::Reach::Anywhere => wire::Reach::Anywhere,
        model::Reach::Public => wire::Reach::PublicOnly,
    }
}

/// What comes through a mailbox is received like this.
pub fn channel(source: &Source) -> Channel {
    Channel {
        id: source.id,
        mailbox: Mailbox {
            create_cases: source.create_cases,
            process: source.process,
            team: source.team,
            authserv_id: source.authserv_id.clone(),
            ..Mailbox::new(source.kind, &source.address)
        },
        origin: Origin::Live,
    }
}
