//! What a mailbox signs in with: it goes in, and comes out only for the rounds.
//!
//! A password belongs to the server, port, protection and user it was entered for. Sending has a
//! server of its own and so a password of its own, sealed in a place of its own, also where both are
//! the same word: it is copied there only when it is entered, so that whoever changes the outgoing
//! server cannot have a stored password sent to it. A provider's grant is treated alike, and only by
//! the person who got it can it be given to a mailbox.

use super::checked::{check_plain, checked_host, checked_port, checked_text};
use super::hold::{Hold, Part, may_add};
use super::rounds::{Credential, Login, TestOutcome};
use super::{NewMailbox, OutgoingChoice, allowed, default, finish};
use crate::may::{Actor, Verb};
use crate::people::invalid;
use crate::seal::Secret;
use crate::sending::secret_place;
use crate::{Desk, Refusal};
use model::{GrantId, MailboxId, Reach};
use std::future::Future;
use store::mailboxes::{self, Mailbox};
use store::sql::Tx;

/// Longer passwords are refused.
const LONGEST: usize = 10_000;

/// What is entered to sign in with.
#[derive(Clone, Debug)]
pub(super) enum Entered {
    /// Nothing yet.
    None,
    /// A password.
    Password(Secret),
    /// What a provider granted.
    Grant(GrantId),
}

impl Entered {
    /// What is entered for an outgoing server together with `password` or `grant` for receiving:
    /// its own password, or those where its user is the same. `None`: nothing is entered.
    pub(super) fn of_outgoing(
        choice: Option<&OutgoingChoice>,
        password: Option<&Secret>,
        grant: Option<GrantId>,
    ) -> Option<Entered> {
        let choice = choice?;
        let same_user = choice.username.trim().is_empty();
        let own = choice.password.as_ref().filter(|password| !password.reveal().is_empty());
        let password = own.or(password.filter(|_| same_user)).cloned().map(Entered::Password);
        password.or(grant.filter(|_| same_user).map(Entered::Grant))
    }
}

/// Writes what receiving signs in with.
pub(super) async fn set_credential(
    desk: &Desk,
    tx: &mut Tx,
    mailbox: &mut Mailbox,
    credential: &Entered,
) -> Result<(), Refusal> {
    let sealed = sealed(desk, &place(mailbox.id), credential)?;
    (mailbox.has_secret, mailbox.grant) = (sealed.is_some(), grant_of(credential));
    Ok(mailboxes::set_secret(tx, mailbox.id, sealed).await?)
}

/// Writes what sending signs in with; nothing where it does not send. The grant is written with the
/// mailbox.
pub(super) async fn set_outgoing_credential(
    desk: &Desk,
    tx: &mut Tx,
    mailbox: &mut Mailbox,
    credential: &Entered,
) -> Result<(), Refusal> {
    let sealed = sealed(desk, &secret_place(mailbox.id), credential)?;
    if let Some(outgoing) = &mut mailbox.outgoing {
        (outgoing.has_secret, outgoing.grant) = (sealed.is_some(), grant_of(credential));
    }
    mailboxes::set_outgoing_secret(tx, mailbox.id, sealed).await?;
    Ok(mailboxes::change(tx, mailbox).await?)
}

fn grant_of(credential: &Entered) -> Option<GrantId> {
    match credential {
        Entered::Grant(grant) => Some(*grant),
        Entered::None | Entered::Password(_) => None,
    }
}

fn sealed(desk: &Desk, place: &str, credential: &Entered) -> Result<Option<Vec<u8>>, Refusal> {
    match credential {
        Entered::Password(password) => Ok(Some(desk.seal.seal(place, checked_password(password)?))),
        Entered::None | Entered::Grant(_) => Ok(None),
    }
}

fn checked_password(password: &Secret) -> Result<&Secret, Refusal> {
    match password.reveal().len() {
        1..=LONGEST => Ok(password),
        _ => Err(no_password()),
    }
}

fn no_password() -> Refusal {
    invalid("password", "required", "enter the mailbox's password")
}

/// Whether this person may let a mailbox use a grant: they were the one who got it.
pub(super) async fn check_grant(tx: &mut Tx, actor: &Actor, grant: GrantId) -> Result<(), Refusal> {
    let granted = mailboxes::granted(tx, grant).await?;
    match granted.is_some_and(|granted| granted.holder == actor.user) {
        true => Ok(()),
        false => Err(invalid("grant_id", "unknown", "sign in at the provider first")),
    }
}

/// Where a mailbox's password is kept, as the seal names it.
fn place(id: MailboxId) -> String {
    format!("mailboxes|{id}|secret")
}

/// What the rounds sign in with; `None` if no password is stored.
pub async fn login(desk: &Desk, id: MailboxId) -> Result<Option<Login>, Refusal> {
    let mut reader = desk.db.snapshot().await?;
    let mailbox = mailboxes::mailbox(&mut reader, id).await?.ok_or(Refusal::NotFound)?;
    let credential = match mailbox.grant {
        Some(grant) => crate::grant::token(desk, &mut reader, grant).await?.map(Credential::Token),
        None => match mailboxes::secret(&mut reader, id).await? {
            Some(sealed) => Some(Credential::Password(desk.seal.open(&place(id), &sealed)?)),
            None => None,
        },
    };
    let Some(credential) = credential else { return Ok(None) };
    Ok(Some(Login {
        protocol: mailbox.protocol,
        reach: allowed::reach(&mut reader, &mailbox.host, mailbox.reach).await?,
        host: mailbox.host,
        port: mailbox.port,
        tls: mailbox.tls,
        allow_plain: mailbox.allow_plain,
        username: mailbox.username,
        credential,
    }))
}

/// What a connection test signs in with: the token of the form's grant, what the form says, or, where it names a mailbox and leaves
/// server and user as they are, the stored password.
pub async fn test_login(
    desk: &Desk,
    actor: &Actor,
    new: &NewMailbox,
    stored: Option<MailboxId>,
    token: Option<Secret>,
) -> Result<Login, Refusal> {
    let reach = may_test(desk, actor, new, stored).await?;
    let (host, port) = (checked_host("host", &new.host)?, checked_port("port", new.port)?);
    let username = checked_text("username", &new.username)?;
    check_plain("tls", new.tls, &host, new.allow_plain)?;
    let kept = match stored {
        Some(id) => login(desk, id).await?,
        None => None,
    };
    let same =
        |kept: &Login| (&kept.host, kept.port, kept.tls, &kept.username) == (&host, port, new.tls, &username);
    let credential = match &new.password {
        Some(password) => Some(Credential::Password(password.clone())),
        None if token.is_some() => token.map(Credential::Token),
        None => kept.filter(same).map(|kept| kept.credential),
    };
    Ok(Login {
        protocol: new.protocol,
        reach: allowed::reach(&mut &desk.db, &host, reach).await?,
        host,
        port,
        tls: new.tls,
        allow_plain: new.allow_plain,
        username,
        credential: credential.ok_or_else(no_password)?,
    })
}

/// Whether somebody may try this form, and where its server may be.
async fn may_test(
    desk: &Desk,
    actor: &Actor,
    new: &NewMailbox,
    stored: Option<MailboxId>,
) -> Result<Reach, Refusal> {
    let Some(id) = stored else {
        may_add(actor, new)?;
        return Ok(super::add::reach_of(actor));
    };
    let mailbox = mailboxes::mailbox(&mut &desk.db, id).await?.ok_or(Refusal::NotFound)?;
    let hold = Hold::of(actor, &mailbox);
    hold.may(Part::Access)?;
    // A server that an administrator chose stays within reach of those who hold the mailbox.
    if (&mailbox.host, mailbox.port, mailbox.tls) == (&new.host, new.port, new.tls) {
        return Ok(mailbox.reach);
    }
    hold.may(Part::Settings)?;
    Ok(super::add::reach_of(actor))
}

/// Where a server may be that somebody tries to send through, for a new mailbox or one there is.
pub(crate) async fn reach_of_sending(
    desk: &Desk,
    actor: &Actor,
    stored: Option<MailboxId>,
    (host, port): (&str, u16),
) -> Result<Reach, Refusal> {
    let mut chosen = super::add::reach_of(actor);
    match stored {
        None => actor.may(Verb::AddMailbox)?,
        Some(id) => {
            let mailbox = mailboxes::mailbox(&mut &desk.db, id).await?.ok_or(Refusal::NotFound)?;
            Hold::of(actor, &mailbox).may(Part::Settings)?;
            let same = mailbox.outgoing.filter(|own| (own.host.as_str(), own.port) == (host, port));
            chosen = same.map_or(chosen, |own| own.reach);
        }
    }
    Ok(allowed::reach(&mut &desk.db, host, chosen).await?)
}

/// The owner (or whoever may set the mailbox up) fills in the password: it is tried first, and saved
/// only if the server lets it in. One that was to start then starts. Returns how the test went and
/// the mailbox if it was saved.
pub async fn fill_in<F: Future<Output = TestOutcome>>(
    desk: &Desk,
    actor: &Actor,
    id: MailboxId,
    password: Secret,
    test: impl FnOnce(Login) -> F,
) -> Result<(TestOutcome, Option<Mailbox>), Refusal> {
    let before = super::get(desk, actor, id).await?;
    let login = Login {
        protocol: before.protocol,
        reach: allowed::reach(&mut &desk.db, &before.host, before.reach).await?,
        host: before.host.clone(),
        port: before.port,
        tls: before.tls,
        allow_plain: before.allow_plain,
        username: before.username.clone(),
        credential: Credential::Password(checked_password(&password)?.clone()),
    };
    let outcome = test(login).await;
    if outcome.trouble.is_some() {
        return Ok((outcome, None));
    }
    let mut tx = desk.db.begin().await?;
    let mut mailbox = mailboxes::mailbox(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if server_of(&mailbox) != server_of(&before) {
        let message = "The server was changed while the password was being tried. Try again.";
        return Err(Refusal::conflict("changed_meanwhile", message));
    }
    enter(desk, &mut tx, &mut mailbox, &Entered::Password(password)).await?;
    default::settle(&mut tx, &mailbox, None).await?;
    Ok((outcome, Some(finish(desk, tx, id, "changed").await?)))
}

/// What a password was entered for.
pub(super) fn server_of(mailbox: &Mailbox) -> (&str, u16, model::Tls, &str) {
    (&mailbox.host, mailbox.port, mailbox.tls, &mailbox.username)
}

/// Writes a credential for receiving, and for sending where that has the same user; starts a mailbox
/// that only waited for it. Writes the mailbox.
pub(super) async fn enter(
    desk: &Desk,
    tx: &mut Tx,
    mailbox: &mut Mailbox,
    credential: &Entered,
) -> Result<(), Refusal> {
    set_credential(desk, tx, mailbox, credential).await?;
    if mailbox.starts && mailbox.has_credential() {
        (mailbox.active, mailbox.starts) = (true, false);
    }
    match mailbox.outgoing.as_ref().is_some_and(|outgoing| outgoing.username.is_empty()) {
        true => set_outgoing_credential(desk, tx, mailbox, credential).await,
        false => Ok(mailboxes::change(tx, mailbox).await?),
    }
}
