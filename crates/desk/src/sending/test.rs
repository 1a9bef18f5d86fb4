//! Trying outgoing settings before they are saved: a real mail to whoever tries.

use super::{OutgoingMail, SendingLogin};
use crate::mailbox::checked::{check_plain, checked_host, checked_port, checked_text};
use crate::mailbox::{Credential, Rounds, TestOutcome, reach_of_sending};
use crate::may::Actor;
use crate::people::{Language, checked_address, invalid};
use crate::seal::Secret;
use crate::{Desk, Refusal};
use mail::compose::{Draft, compose};
use model::{GrantId, MailboxId, Tls};
use store::mailboxes::{self, Mailbox};
use store::people;

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct SendingTest {
    /// The sender.
    pub address: String,
    /// The recipient; the actor's first address if `None`.
    pub to: Option<String>,
    /// Where the server is.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in; empty: nobody, the server takes mail from anybody here.
    pub username: String,
    /// Their password.
    pub password: Option<Secret>,
    /// Signs in with this grant instead.
    pub grant: Option<GrantId>,
    /// The mailbox whose stored password is used where none is given and server, port, protection and user are its own.
    pub stored: Option<MailboxId>,
}

/// Sends one mail; saves nothing.
pub async fn test(
    desk: &Desk,
    actor: &Actor,
    rounds: &dyn Rounds,
    form: SendingTest,
) -> Result<TestOutcome, Refusal> {
    let from = checked_address("address", &form.address)?;
    let to = recipient(desk, actor, &form).await?;
    let (host, port) = (checked_host("host", &form.host)?, checked_port("port", form.port)?);
    let reach = reach_of_sending(desk, actor, form.stored, (&host, port)).await?;
    check_plain("tls", form.tls, &host, false)?;
    let server = (host, port, form.tls);
    let account = match form.username.trim() {
        "" => None,
        name => {
            let name = checked_text("username", name)?;
            let credential = credential(desk, actor, rounds, &form, (&server, &name)).await?;
            Some((name, credential))
        }
    };
    let (host, port, tls) = server;
    let login = SendingLogin { host, port, tls, reach, account };
    Ok(rounds.test_sending(login, mail(desk, actor, from, to).await?).await)
}

async fn recipient(desk: &Desk, actor: &Actor, form: &SendingTest) -> Result<String, Refusal> {
    let own = match actor.user {
        Some(user) => people::addresses(&mut &desk.db, user).await?.into_iter().next(),
        None => None,
    };
    match form.to.as_deref().map(str::trim).filter(|to| !to.is_empty()) {
        Some(to) => checked_address("to", to),
        None => own.ok_or_else(|| invalid("to", "required", "say where the test mail goes")),
    }
}

/// What the form says, or what is stored for this very server and user.
async fn credential(
    desk: &Desk,
    actor: &Actor,
    rounds: &dyn Rounds,
    form: &SendingTest,
    (server, username): (&(String, u16, Tls), &str),
) -> Result<Credential, Refusal> {
    if let Some(grant) = form.grant.filter(|_| form.password.is_none()) {
        let token = crate::grant::fresh_own(desk, actor, rounds.authority(), grant).await?;
        return Ok(Credential::Token(token));
    }
    if let Some(password) = &form.password {
        return Ok(Credential::Password(password.clone()));
    }
    let mut stored = None;
    if let Some(id) = form.stored {
        let mailbox = mailboxes::mailbox(&mut &desk.db, id).await?.ok_or(Refusal::NotFound)?;
        if is_its_own(&mailbox, server, username) {
            stored = super::stored_password(desk, id).await?;
        }
    }
    let stored = stored.map(Credential::Password);
    stored.ok_or_else(|| invalid("password", "required", "enter the password for sending"))
}

/// Whether the mailbox sends through this server as this user.
fn is_its_own(mailbox: &Mailbox, (host, port, tls): &(String, u16, Tls), username: &str) -> bool {
    let Some(own) = &mailbox.outgoing else { return false };
    let name = if own.username.is_empty() { &mailbox.username } else { &own.username };
    (&own.host, own.port, own.tls, name.as_str()) == (host, *port, *tls, username)
}

async fn mail(desk: &Desk, actor: &Actor, from: String, to: String) -> Result<OutgoingMail, Refusal> {
    let user = match actor.user {
        Some(user) => people::user(&mut &desk.db, user).await?,
        None => None,
    };
    let language = user.and_then(|user| Language::of(&user.language)).unwrap_or(Language::English);
    let (subject, text) = words(language);
    let to = vec![to];
    let draft = Draft {
        from: ("Lettercase", &from),
        to: &to,
        subject,
        text: &text.replace("{address}", &from),
        at_s: desk.clock.now().0 / 1_000_000,
        message_id: &super::message_id(&from),
    };
    let raw = compose(&draft);
    Ok(OutgoingMail { from, to, raw })
}

/// Subject and text of the test mail.
fn words(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => (
            "Lettercase: sending works",
            "This mail was sent by Lettercase to test sending from {address}. You need not answer it.\n",
        ),
        Language::Czech => (
            "Lettercase: odesílání funguje",
            "Tuto zprávu poslal Lettercase, aby vyzkoušel odesílání z adresy {address}. Není třeba na ni odpovídat.\n",
        ),
        Language::Slovak => (
            "Lettercase: odosielanie funguje",
            "Túto správu poslal Lettercase, aby vyskúšal odosielanie z adresy {address}. Netreba na ňu odpovedať.\n",
        ),
        Language::Polish => (
            "Lettercase: wysyłanie działa",
            "Tę wiadomość wysłał Lettercase, aby sprawdzić wysyłanie z adresu {address}. Nie trzeba na nią odpowiadać.\n",
        ),
    }
}
