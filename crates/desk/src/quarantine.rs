//! Letting what could not be understood be tried again: one, or all of a reason.

use crate::may::{Actor, Verb};
use crate::{Desk, Refusal};
use model::{MailboxId, OccurrenceId, QuarantineReason};
use std::collections::BTreeSet;
use store::changes::{self, Change, ChangeKind};
use store::quarantine;
use store::sql::Tx;

/// Tried again in one transaction; other writes come in between.
const BATCH: i64 = 200;
/// Tried again by one request; the rest by the next.
const MOST: usize = 20_000;

/// Lets something quarantined be filed anew. The mailbox whose round will do it is returned.
pub async fn retry(desk: &Desk, actor: &Actor, id: OccurrenceId) -> Result<MailboxId, Refusal> {
    actor.may(Verb::ManageQuarantine)?;
    let mut tx = desk.db.begin().await?;
    let quarantined = quarantine::get(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if !quarantine::retry(&mut tx, id).await? {
        let message = "Its bytes were not taken: it is larger than the limit.";
        return Err(Refusal::conflict("bytes_not_kept", message));
    }
    tell(desk, &mut tx, quarantined.mailbox_id).await?;
    tx.commit().await?;
    Ok(quarantined.mailbox_id)
}

/// The same of all of a reason, or of everything; how many, and the mailboxes whose rounds will do it.
pub async fn retry_all(
    desk: &Desk,
    actor: &Actor,
    code: Option<QuarantineReason>,
) -> Result<(usize, BTreeSet<MailboxId>), Refusal> {
    actor.may(Verb::ManageQuarantine)?;
    let (mut retried, mut mailboxes, mut after) = (0, BTreeSet::new(), OccurrenceId(0));
    while retried < MOST {
        let mut tx = desk.db.begin().await?;
        let batch = quarantine::to_retry(&mut tx, code, after, BATCH).await?;
        let Some((last, _)) = batch.last() else { break };
        after = *last;
        let mut concerned = BTreeSet::new();
        for (id, mailbox) in batch {
            if quarantine::retry(&mut tx, id).await? {
                retried += 1;
                concerned.insert(mailbox);
            }
        }
        for mailbox in &concerned {
            tell(desk, &mut tx, *mailbox).await?;
        }
        tx.commit().await?;
        mailboxes.extend(concerned);
    }
    Ok((retried, mailboxes))
}

async fn tell(desk: &Desk, tx: &mut Tx, mailbox: MailboxId) -> Result<(), Refusal> {
    let action = "quarantine_retried";
    let change = Change { kind: ChangeKind::Mailbox, entity_id: mailbox.0, thread: None, action };
    changes::add(tx, change, desk.clock.now()).await?;
    Ok(())
}
