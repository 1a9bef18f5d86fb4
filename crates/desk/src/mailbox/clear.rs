//! Clearing an inactive mailbox in bulk, so that the database gets smaller.
//!
//! In batches, each a transaction of its own: a clearing that is broken off is gone on with by asking
//! again. The server is touched only where deleting there is switched on, and then through the
//! operations that the rounds carry out.

use super::folders::clear_on_server;
use super::{Hold, Part, tell};
use crate::may::{Actor, Verb};
use crate::{Desk, Refusal};
use model::{MailboxId, OccurrenceId, Time};
use store::changes::{self, Change, ChangeKind};
use store::clearing::{self, Fate, Item};
use store::mailboxes::{self, Mailbox};
use store::sql::{Sql, Tx};

/// Messages cleared in one transaction: about a tenth of a second in which nobody else writes.
const BATCH: i64 = 200;
/// Messages cleared at one request; whoever asked asks again while some are left.
const MOST_AT_ONCE: i64 = 20_000;
/// Pages given back in one transaction.
const PAGES: u32 = 2_000;
/// Transactions that give pages back after one request.
const MOST_SHRINKS: u32 = 500;

/// What is or would be cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clearing {
    /// Messages in the mailbox.
    pub messages: i64,
    /// Their size as they came.
    pub bytes: i64,
    /// Messages that are still to be cleared: ask again.
    pub left: i64,
    /// Whether they are deleted on the server too.
    pub on_server: bool,
}

/// What clearing would remove: all that arrived before a moment, or all.
pub async fn preview_clearing(
    desk: &Desk,
    actor: &Actor,
    id: MailboxId,
    before: Option<Time>,
) -> Result<Clearing, Refusal> {
    let mut reader = desk.db.snapshot().await?;
    let mailbox = clearable(&mut reader, actor, id).await?;
    let (messages, bytes) = clearing::preview(&mut reader, id, until(before)).await?;
    Ok(Clearing { messages, bytes, left: messages, on_server: mailbox.delete_on_server })
}

/// Clears what arrived before a moment, or all, of an inactive mailbox. A message that came through another
/// mailbox too stays; nothing is fetched again should this one be switched on.
pub async fn clear(
    desk: &Desk,
    actor: &Actor,
    id: MailboxId,
    before: Option<Time>,
) -> Result<Clearing, Refusal> {
    let mut done = Clearing::default();
    while done.messages < MOST_AT_ONCE {
        let mut tx = desk.begin_filing().await?;
        let mailbox = clearable(&mut tx, actor, id).await?;
        done.on_server = mailbox.delete_on_server;
        let items = clearing::next(&mut tx, id, until(before), BATCH).await?;
        if items.is_empty() {
            break;
        }
        clear_batch(desk, &mut tx, actor, &mailbox, &items).await?;
        tx.commit().await?;
        done.messages += items.len() as i64;
        done.bytes += items.iter().map(|item| item.size_bytes).sum::<i64>();
    }
    give_back(desk).await?;
    done.left = clearing::preview(&mut &desk.db, id, until(before)).await?.0;
    Ok(done)
}

fn until(before: Option<Time>) -> Time {
    before.unwrap_or(Time(i64::MAX))
}

async fn clearable(sql: &mut impl Sql, actor: &Actor, id: MailboxId) -> Result<Mailbox, Refusal> {
    actor.may(Verb::SeeMailboxes)?;
    let mailbox = mailboxes::mailbox(sql, id).await?.ok_or(Refusal::NotFound)?;
    Hold::of(actor, &mailbox).may(Part::Belonging)?;
    match mailbox.active {
        false => Ok(mailbox),
        true => {
            let message = "Only an inactive mailbox can be cleared. Switch it off first.";
            Err(Refusal::conflict("mailbox_active", message).with("address", &mailbox.address))
        }
    }
}

async fn clear_batch(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    mailbox: &Mailbox,
    items: &[Item],
) -> Result<(), Refusal> {
    let ids: Vec<OccurrenceId> = items.iter().map(|item| item.id).collect();
    clear_on_server(desk, tx, actor, mailbox, &ids).await?;
    let fates = clearing::clear(tx, mailbox.id, items).await?;
    let change = |fate: Fate| {
        let (thread, action) = match fate {
            Fate::Changed(thread) => (thread, "changed"),
            Fate::Removed(thread) => (thread, "removed"),
        };
        Change { kind: ChangeKind::Thread, entity_id: thread.0, thread: Some(thread), action }
    };
    let rows: Vec<Change> = fates.into_iter().map(change).collect();
    if !rows.is_empty() {
        changes::add_many(tx, rows, desk.clock.now()).await?;
    }
    tell(desk, tx, mailbox.id, "cleared").await
}

/// Gives the room back to the disk, a little at a time so that others can write between.
async fn give_back(desk: &Desk) -> Result<(), Refusal> {
    for _ in 0..MOST_SHRINKS {
        let mut tx = desk.db.begin().await?;
        let given = clearing::shrink(&mut tx, PAGES).await?;
        tx.commit().await?;
        if given == 0 {
            break;
        }
    }
    Ok(())
}
