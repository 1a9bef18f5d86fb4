//! The system's own mail on its way: written into the outbox, and what became of it.

use super::{SendingLogin, message_id, stored_password};
use crate::grant::{self, Authority};
use crate::mailbox::{Credential, copy_to_sent, reach_now};
use crate::may::{Actor, Verb};
use crate::outgoing::{self, System};
use crate::{Desk, Refusal};
use mail::compose::{Draft, compose};
use model::{GrantId, MailboxId, OutboxId};
use store::changes::{self, Change, ChangeKind};
use store::mailboxes;
use store::outbox::{self, Message, OutboxState, Outcome, Recipient};
use store::sql::Tx;

/// Writes a mail of the system into the outbox, in the transaction of what it tells about. `None`: no mail of the
/// system goes out, because nobody has said through what.
pub async fn queue_system_mail(
    desk: &Desk,
    tx: &mut Tx,
    to: &str,
    subject: &str,
    text: &str,
) -> Result<Option<OutboxId>, store::sql::Error> {
    let Some((from, mailbox)) = outgoing::sender(tx).await? else { return Ok(None) };
    let (now, mid, to) = (desk.clock.now(), message_id(&from), vec![to.to_owned()]);
    let raw = compose(&Draft {
        from: ("Lettercase", &from),
        to: &to,
        subject,
        text,
        at_s: now.0 / 1_000_000,
        message_id: &mid,
    });
    let message = Message { id: OutboxId(0), mailbox, envelope_from: from, mid, created_at: now };
    let id = outbox::add(tx, &message, raw, &to).await?;
    tell(desk, tx, id, "mail_queued").await?;
    Ok(Some(id))
}

/// How to sign in for sending through a mailbox, or through the system's own server; and the grant that is used.
/// The error says in a sentence why it cannot be sent now.
pub async fn login_of(
    desk: &Desk,
    authority: &dyn Authority,
    mailbox: Option<MailboxId>,
) -> Result<(SendingLogin, Option<GrantId>), String> {
    let found = match mailbox {
        Some(id) => of_mailbox(desk, authority, id).await,
        None => of_system(desk).await,
    };
    found
        .map_err(|error| format!("{error:#}"))?
        .ok_or_else(|| "nobody has said through what it goes out".to_owned())
}

async fn of_system(desk: &Desk) -> anyhow::Result<Option<(SendingLogin, Option<GrantId>)>> {
    match outgoing::system(desk).await? {
        System::Server { login, .. } => Ok(Some((*login, None))),
        System::Mailbox { .. } | System::None => Ok(None),
    }
}

async fn of_mailbox(
    desk: &Desk,
    authority: &dyn Authority,
    id: MailboxId,
) -> anyhow::Result<Option<(SendingLogin, Option<GrantId>)>> {
    let Some(mailbox) = mailboxes::mailbox(&mut &desk.db, id).await? else { return Ok(None) };
    let Some(outgoing) = mailbox.outgoing else { return Ok(None) };
    let user = if outgoing.username.is_empty() { mailbox.username } else { outgoing.username };
    let credential = match outgoing.grant {
        Some(grant) => Some(Credential::Token(grant::fresh(desk, authority, grant).await?)),
        None => stored_password(desk, id).await?.map(Credential::Password),
    };
    let Some(credential) = credential else {
        anyhow::bail!("the password for sending from {} has not been entered", mailbox.address)
    };
    let reach = reach_now(desk, &outgoing.host, outgoing.reach).await?;
    let (host, port, tls) = (outgoing.host, outgoing.port, outgoing.tls);
    let login = SendingLogin { host, port, tls, reach, account: Some((user, credential)) };
    Ok(Some((login, outgoing.grant)))
}

/// The final dot is about to be said for these recipients; what became of the others is known already.
pub async fn begun(desk: &Desk, id: OutboxId, to: &[String], known: &[Outcome]) -> Result<(), Refusal> {
    let mut tx = desk.db.begin().await?;
    outbox::note(&mut tx, id, known).await?;
    outbox::begin(&mut tx, id, to, desk.clock.now()).await?;
    tell(desk, &mut tx, id, "mail_in_data").await?;
    Ok(tx.commit().await?)
}

/// What became of recipients. A copy for the folder of sent mail is asked for as soon as a server took the mail for one
/// of them: earlier it would lie there as sent though it was refused, and where nobody knows whether it was taken, what
/// lies there must be the server's own.
pub async fn noted(desk: &Desk, id: OutboxId, outcomes: &[Outcome]) -> Result<(), Refusal> {
    let any = |state| outcomes.iter().any(|one| one.state == state);
    let action = match () {
        () if any(OutboxState::Ambiguous) => "mail_ambiguous",
        () if any(OutboxState::Failed) => "mail_failed",
        () if any(OutboxState::Queued) => "mail_put_off",
        () => "mail_sent",
    };
    let mut tx = desk.db.begin().await?;
    outbox::note(&mut tx, id, outcomes).await?;
    if any(OutboxState::Sent) {
        copy(desk, &mut tx, id).await?;
    }
    tell(desk, &mut tx, id, action).await?;
    Ok(tx.commit().await?)
}

/// Asks for the copy that whoever wrote it gets, once.
async fn copy(desk: &Desk, tx: &mut Tx, id: OutboxId) -> Result<(), store::sql::Error> {
    let Some(user) = outbox::take_copy(tx, id).await? else { return Ok(()) };
    let Some(through) = outbox::message(tx, id).await?.and_then(|message| message.mailbox) else {
        return Ok(());
    };
    let (mailbox, raw) = (mailboxes::mailbox(tx, through).await?, outbox::raw(tx, id).await?);
    match (mailbox, raw) {
        (Some(mailbox), Some(raw)) => copy_to_sent(desk, tx, &mailbox, user, raw).await,
        _ => Ok(()),
    }
}

/// Outgoing mail, the newest first, with its recipients; and how much there is.
pub async fn page(
    desk: &Desk,
    actor: &Actor,
    offset: u64,
    limit: u32,
) -> Result<(i64, Vec<(Message, Vec<Recipient>)>), Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut reader = desk.db.snapshot().await?;
    let (total, messages) = outbox::page(&mut reader, offset, limit).await?;
    let mut rows = Vec::with_capacity(messages.len());
    for message in messages {
        let recipients = outbox::recipients(&mut reader, message.id).await?;
        rows.push((message, recipients));
    }
    Ok((total, rows))
}

/// Sends again what failed or is ambiguous: somebody has seen that it did not arrive.
pub async fn again(desk: &Desk, actor: &Actor, id: OutboxId) -> Result<(), Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut tx = desk.db.begin().await?;
    outbox::message(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    again_in(desk, &mut tx, id).await?;
    Ok(tx.commit().await?)
}

/// The same, in a transaction of somebody who may.
pub(crate) async fn again_in(desk: &Desk, tx: &mut Tx, id: OutboxId) -> Result<(), Refusal> {
    if outbox::again(tx, id, desk.clock.now()).await? == 0 {
        return Err(Refusal::conflict("nothing_to_send", "Nothing of it failed."));
    }
    Ok(tell(desk, tx, id, "mail_queued").await?)
}

/// Who looks after the system hears of it, and who has its thread open.
async fn tell(desk: &Desk, tx: &mut Tx, id: OutboxId, action: &'static str) -> Result<(), store::sql::Error> {
    let mut all = vec![Change { kind: ChangeKind::System, entity_id: id.0, thread: None, action }];
    all.extend(outbox::thread(tx, id).await?.map(|thread| crate::thread::change(thread, "delivery")));
    changes::add_many(tx, all, desk.clock.now()).await.map(drop)
}
