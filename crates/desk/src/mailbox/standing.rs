//! How the rounds of a mailbox stand: what they write down, and what somebody is told of it.

use super::{Hold, LastError, Part, Trouble, tell};
use crate::may::{Actor, Verb};
use crate::notification::{self, Notice};
use crate::{Desk, Refusal};
use model::{MailboxId, MailboxMode, Protocol, Time};
use store::sql::Tx;
use store::{folders, mailboxes, rounds};

/// A mailbox may be silent so long, in seconds, unless something else was said.
pub const SILENT_AFTER_S: i64 = 3600;

/// Notes when rounds that brought nothing came to their end, of many mailboxes at once. Nobody is told:
/// there is nothing to see but a time.
pub async fn rounds_succeeded(desk: &Desk, rounds: Vec<(MailboxId, Time)>) -> Result<(), Refusal> {
    if rounds.is_empty() {
        return Ok(());
    }
    let mut tx = desk.db.begin().await?;
    rounds::succeeded(&mut tx, rounds).await?;
    Ok(tx.commit().await?)
}

/// Tells those who look after a mailbox that its rounds fail for a reason that will not go away by itself;
/// once, until a round comes to its end.
pub async fn tell_of_failure(desk: &Desk, id: MailboxId, trouble: &Trouble) -> Result<(), Refusal> {
    let mut tx = desk.db.begin().await?;
    if alarm(desk, &mut tx, id, about("mailbox_failed", trouble)).await? {
        tx.commit().await?;
    }
    Ok(())
}

/// Gives the alarm of each mailbox that has been silent for too long; once for each silence. Nobody
/// looked before `since`.
pub async fn tell_of_silence(desk: &Desk, since: Time) -> Result<(), Refusal> {
    let now = desk.clock.now();
    for id in rounds::silent(&mut &desk.db, now, since, SILENT_AFTER_S).await? {
        let mut tx = desk.db.begin().await?;
        if alarm(desk, &mut tx, id, Notice::new("mailbox_silent")).await? {
            tracing::error!(mailbox = id.0, "no round has come to its end for too long");
            tx.commit().await?;
        }
    }
    Ok(())
}

async fn alarm(desk: &Desk, tx: &mut Tx, id: MailboxId, notice: Notice) -> Result<bool, Refusal> {
    if !rounds::alarmed(tx, id, desk.clock.now()).await? {
        return Ok(false);
    }
    notify(desk, tx, id, notice).await?;
    tell(desk, tx, id, "alarmed").await?;
    Ok(true)
}

/// A notice of trouble: with its code and what the code's sentence speaks of.
fn about(kind: &'static str, trouble: &Trouble) -> Notice {
    let names = ["host", "port", "user", "folder", "said", "sampled", "new"];
    let spoken = names.into_iter().filter_map(|name| Some((name, trouble.params.get(name)?)));
    let notice = Notice::new(kind).with("code", &trouble.code).with("message", &trouble.message);
    spoken.fold(notice, |notice, (name, value)| notice.with(name, value))
}

async fn notify(desk: &Desk, tx: &mut Tx, id: MailboxId, notice: Notice) -> Result<(), Refusal> {
    let mailbox = mailboxes::mailbox(tx, id).await?.ok_or(Refusal::NotFound)?;
    let notice = notice.about_mailbox(&mailbox);
    Ok(notification::tell_keepers(desk, tx, &mailbox, &notice).await?)
}

/// Stops the rounds of a mailbox until somebody says that they may go on.
pub async fn stop_and_ask(desk: &Desk, id: MailboxId, trouble: Trouble) -> Result<(), Refusal> {
    let mut tx = desk.db.begin().await?;
    notify(desk, &mut tx, id, about("mailbox_paused", &trouble)).await?;
    let question = LastError { at: desk.clock.now(), trouble };
    let text = serde_json::to_string(&question).map_err(anyhow::Error::from)?;
    mailboxes::pause(&mut tx, id, Some(&text)).await?;
    tell(desk, &mut tx, id, "paused").await?;
    Ok(tx.commit().await?)
}

/// The answer to the question: what is there is right, and the rounds go on. Of folders that were
/// renumbered whatever is unknown is filed as new mail.
pub async fn resume(desk: &Desk, actor: &Actor, id: MailboxId) -> Result<(), Refusal> {
    actor.may(Verb::SeeMailboxes)?;
    let mut tx = desk.db.begin().await?;
    let mailbox = mailboxes::mailbox(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    Hold::of(actor, &mailbox).may(Part::Access)?;
    if mailbox.paused.is_none() {
        return Err(Refusal::conflict("not_paused", "The mailbox's rounds are not paused."));
    }
    folders::unguard(&mut tx, id).await?;
    mailboxes::pause(&mut tx, id, None).await?;
    tell(desk, &mut tx, id, "resumed").await?;
    Ok(tx.commit().await?)
}

/// Whether a mailbox can be reconciled now: it is active, and its filed mail is moved.
pub async fn check_reconcile(desk: &Desk, actor: &Actor, id: MailboxId) -> Result<(), Refusal> {
    actor.may(Verb::SeeMailboxes)?;
    let mailbox = mailboxes::mailbox(&mut &desk.db, id).await?.ok_or(Refusal::NotFound)?;
    Hold::of(actor, &mailbox).may(Part::Access)?;
    if !mailbox.active {
        return Err(Refusal::conflict("mailbox_off", "The mailbox is switched off. Switch it on first."));
    }
    let is_filed = mailbox.protocol == Protocol::Imap && mailbox.mode == MailboxMode::File;
    match is_filed {
        true => Ok(()),
        false => Err(Refusal::conflict(
            "nothing_moved",
            "Only a mailbox whose filed mail is moved to a folder of an IMAP server can be reconciled.",
        )),
    }
}
