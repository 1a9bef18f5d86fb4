//! Clearing a mailbox: its occurrences lose their bytes, and what hangs on them goes.
//!
//! A cleared occurrence stays as a row with its number and hash: the ledger stays true, and nothing is
//! fetched again should the mailbox be read once more. A message goes with its last occurrence, a thread
//! with its last message unless it has a case or somebody wrote a note in it; bodies and parts go where
//! nothing refers to them any more.

use crate::params;
use crate::raw;
use crate::search;
use crate::sql::{Engine, Error, Params, Row, Sql, Tx};
use model::{MailboxId, MessageId, OccurrenceId, ThreadId, Time};
use std::collections::BTreeSet;

/// Which of a mailbox are cleared: those that arrived before a moment, came to rest, and are not on their way to
/// another mailbox, which will need their bytes.
const CLEARABLE: &str = "FROM occurrences WHERE folder_id IN (SELECT id FROM folders WHERE mailbox_id = $1) \
     AND state IN ('filed', 'quarantined', 'filtered') AND body_id IS NOT NULL AND internal_at < $2 \
     AND NOT EXISTS (SELECT 1 FROM operations p WHERE p.occurrence_id = occurrences.id AND p.kind = 'append' AND p.state = 'due')";

/// An occurrence to be cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The occurrence.
    pub id: OccurrenceId,
    /// Its size as it came.
    pub size_bytes: i64,
    message: Option<MessageId>,
    body: i64,
}

/// What became of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It has fewer messages, or fewer people see it.
    Changed(ThreadId),
    /// It is gone.
    Removed(ThreadId),
}

/// How many would be cleared, and how many bytes they were as they came.
pub async fn preview(sql: &mut impl Sql, mailbox: MailboxId, before: Time) -> Result<(i64, i64), Error> {
    let text = format!("SELECT COUNT(*), CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) {CLEARABLE}");
    let row = sql.query_one(&text, params![mailbox, before]).await?;
    Ok((row.get(0)?, row.get(1)?))
}

/// Up to `limit` that are to be cleared, oldest first.
pub async fn next(
    sql: &mut impl Sql,
    mailbox: MailboxId,
    before: Time,
    limit: i64,
) -> Result<Vec<Item>, Error> {
    let text = format!("SELECT id, size_bytes, message_id, body_id {CLEARABLE} ORDER BY id LIMIT $3");
    let item = |row: &Row| {
        Ok(Item { id: row.get(0)?, size_bytes: row.get(1)?, message: row.get(2)?, body: row.get(3)? })
    };
    sql.query(&text, params![mailbox, before, limit]).await?.iter().map(item).collect()
}

/// Clears them. The caller holds the lock of filing.
pub async fn clear(tx: &mut Tx, mailbox: MailboxId, items: &[Item]) -> Result<Vec<Fate>, Error> {
    raw::lock(tx).await?;
    let text = "UPDATE occurrences SET state = 'cleared', reason = NULL, header = $2, body_id = NULL, \
                message_id = NULL, settle = 'none', settle_error = NULL WHERE id = $1";
    let empty = raw::zstd_of(b"");
    tx.execute_many(text, items.iter().map(|item| params![item.id, empty.clone()]).collect()).await?;
    forget_bodies(tx, items.iter().map(|item| item.body).collect()).await?;
    let threads = forget_messages(tx, items.iter().filter_map(|item| item.message).collect()).await?;
    let mut fates = Vec::with_capacity(threads.len());
    for thread in threads {
        fates.push(settle_thread(tx, mailbox, thread).await?);
    }
    Ok(fates)
}

/// Those of `ids` for which `text` finds nothing.
async fn unused(tx: &mut Tx, text: &str, ids: &BTreeSet<i64>) -> Result<BTreeSet<i64>, Error> {
    let found = tx.query_many(text, each(ids)).await?;
    Ok(ids.iter().zip(found).filter(|(_, rows)| rows.is_empty()).map(|(id, _)| *id).collect())
}

fn each(ids: &BTreeSet<i64>) -> Vec<Params> {
    ids.iter().map(|id| params![*id]).collect()
}

async fn forget_bodies(tx: &mut Tx, bodies: BTreeSet<i64>) -> Result<(), Error> {
    let bodies = unused(tx, "SELECT 1 FROM occurrences WHERE body_id = $1 LIMIT 1", &bodies).await?;
    let mut parts = BTreeSet::new();
    for rows in tx.query_many("SELECT blob_id FROM body_parts WHERE body_id = $1", each(&bodies)).await? {
        for row in &rows {
            parts.insert(row.get::<i64>(0)?);
        }
    }
    tx.execute_many("DELETE FROM body_parts WHERE body_id = $1", each(&bodies)).await?;
    tx.execute_many("DELETE FROM bodies WHERE id = $1", each(&bodies)).await?;
    let parts = unused(tx, "SELECT 1 FROM body_parts WHERE blob_id = $1 LIMIT 1", &parts).await?;
    tx.execute_many("DELETE FROM blobs WHERE id = $1", each(&parts)).await.map(drop)
}

/// Removes messages that nothing is an occurrence of any more; gives the threads of all.
async fn forget_messages(tx: &mut Tx, messages: BTreeSet<MessageId>) -> Result<BTreeSet<ThreadId>, Error> {
    let messages: BTreeSet<i64> = messages.into_iter().map(|id| id.0).collect();
    let mut threads = BTreeSet::new();
    for rows in tx.query_many("SELECT thread_id FROM messages WHERE id = $1", each(&messages)).await? {
        for row in &rows {
            threads.insert(row.get::<ThreadId>(0)?);
        }
    }
    let gone = unused(tx, "SELECT 1 FROM occurrences WHERE message_id = $1 LIMIT 1", &messages).await?;
    search::forget(tx, &gone.iter().map(|id| MessageId(*id)).collect::<Vec<_>>()).await?;
    for text in [
        "DELETE FROM participants WHERE message_id = $1",
        "DELETE FROM attachments WHERE message_id = $1",
        "DELETE FROM stream WHERE message_id = $1",
        "UPDATE suggestions SET message_id = NULL WHERE message_id = $1",
        "UPDATE messages SET bounce_of = NULL WHERE bounce_of = $1",
        "DELETE FROM messages WHERE id = $1",
    ] {
        tx.execute_many(text, each(&gone)).await?;
    }
    Ok(threads)
}

/// Counts a thread anew, or removes it. People of the mailbox see it no longer through the mailbox if
/// nothing of it came that way.
async fn settle_thread(tx: &mut Tx, mailbox: MailboxId, thread: ThreadId) -> Result<Fate, Error> {
    let text = "SELECT 1 FROM threads t WHERE t.id = $1 AND t.case_id IS NULL \
                AND NOT EXISTS (SELECT 1 FROM messages WHERE thread_id = $1) \
                AND NOT EXISTS (SELECT 1 FROM stream WHERE thread_id = $1 AND kind = 'note')";
    if tx.query_opt(text, params![thread]).await?.is_some() {
        for text in [
            "DELETE FROM stream WHERE thread_id = $1",
            "DELETE FROM links WHERE thread_id = $1",
            "DELETE FROM suggestions WHERE thread_id = $1",
            "DELETE FROM thread_ids WHERE thread_id = $1",
            "DELETE FROM thread_access WHERE thread_id = $1",
            "DELETE FROM thread_reads WHERE thread_id = $1",
            "DELETE FROM notifications WHERE thread_id = $1",
            "DELETE FROM threads WHERE id = $1",
        ] {
            tx.execute(text, params![thread]).await?;
        }
        return Ok(Fate::Removed(thread));
    }
    let last = "FROM messages WHERE thread_id = $1 ORDER BY sent_at DESC, id DESC LIMIT 1";
    let text = format!(
        "UPDATE threads SET messages = (SELECT COUNT(*) FROM messages WHERE thread_id = $1), \
         attachments = (SELECT CAST(COALESCE(SUM(attachments), 0) AS BIGINT) FROM messages WHERE thread_id = $1), \
         last_message_id = COALESCE((SELECT MAX(id) FROM messages WHERE thread_id = $1), 0), \
         first_at = COALESCE((SELECT MIN(sent_at) FROM messages WHERE thread_id = $1), first_at), \
         last_at = COALESCE((SELECT sent_at {last}), last_at), snippet = COALESCE((SELECT snippet {last}), ''), \
         from_name = COALESCE((SELECT from_name {last}), from_name), \
         from_address = COALESCE((SELECT from_address {last}), from_address) WHERE id = $1"
    );
    tx.execute(&text, params![thread]).await?;
    let text = "DELETE FROM thread_access WHERE thread_id = $1 AND token = $3 AND NOT EXISTS (SELECT 1 FROM occurrences o \
                JOIN messages m ON m.id = o.message_id WHERE m.thread_id = $1 AND o.mailbox_id = $2)";
    tx.execute(text, params![thread, mailbox, format!("m{mailbox}")]).await?;
    let text =
        "UPDATE thread_access SET last_at = (SELECT last_at FROM threads WHERE id = $1) WHERE thread_id = $1";
    tx.execute(text, params![thread]).await?;
    Ok(Fate::Changed(thread))
}

/// Gives up to `pages` unused pages of the file back to the disk; how many were. PostgreSQL does so by
/// itself (autovacuum). A file made by a version that did not ask for it keeps its unused pages and fills
/// them again.
pub async fn shrink(tx: &mut Tx, pages: u32) -> Result<i64, Error> {
    if tx.engine() == Engine::Postgres {
        return Ok(0);
    }
    let count = "PRAGMA page_count";
    let before: i64 = tx.query_one(count, params![]).await?.get(0)?;
    tx.query(&format!("PRAGMA incremental_vacuum({pages})"), params![]).await?;
    let after: i64 = tx.query_one(count, params![]).await?.get(0)?;
    Ok(before - after)
}
