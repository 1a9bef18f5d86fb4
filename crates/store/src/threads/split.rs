//! Messages that leave their thread for one of their own, by hand.

use crate::counters;
use crate::filing::mid_hash;
use crate::params;
use crate::sql::{Error, Params, Sql, Tx};
use model::{MessageId, ThreadId, Time};

/// A message that is to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The message.
    pub id: MessageId,
    /// Its thread.
    pub thread: ThreadId,
    /// "in" or "out".
    pub direction: String,
    /// Its writer's address, lower case.
    pub from_address: String,
    mid: String,
}

/// Messages by id; those that are not there are left out.
pub async fn chosen(sql: &mut impl Sql, ids: &[MessageId]) -> Result<Vec<Chosen>, Error> {
    let text = "SELECT id, thread_id, direction, from_address, mid FROM messages WHERE id = $1";
    let rows = sql.query_many(text, ids.iter().map(|id| params![*id]).collect()).await?;
    let one = |row: &crate::sql::Row| {
        Ok(Chosen {
            id: row.get(0)?,
            thread: row.get(1)?,
            direction: row.get(2)?,
            from_address: row.get::<String>(3)?.to_lowercase(),
            mid: row.get(4)?,
        })
    };
    rows.iter().flatten().map(one).collect()
}

/// Moves messages of `from` into a new thread, which is returned; its links (the case's left out), readers and who may
/// see it are those of the old one. Answers to the moved messages belong to the new thread from now on.
pub async fn split(tx: &mut Tx, from: ThreadId, messages: &[Chosen], at: Time) -> Result<ThreadId, Error> {
    let id = ThreadId(counters::take(tx, "threads", 1).await?);
    let both = || params![id, from];
    tx.execute(
        "INSERT INTO threads (id, subject, snippet, from_name, from_address, first_at, last_at, last_message_id, messages, attachments, links, parted_from)
         SELECT CAST($1 AS BIGINT), subject, snippet, from_name, from_address, first_at, last_at, last_message_id, 0, 0, 0, id FROM threads WHERE id = $2",
        both(),
    )
    .await?;
    let each = |sql: &[&Chosen]| sql.iter().map(|one| params![id, one.id]).collect::<Vec<Params>>();
    let all: Vec<&Chosen> = messages.iter().collect();
    tx.execute_many("UPDATE messages SET thread_id = $1 WHERE id = $2", each(&all)).await?;
    tx.execute_many("UPDATE stream SET thread_id = $1 WHERE message_id = $2", each(&all)).await?;
    let mids = messages.iter().filter(|one| !one.mid.is_empty());
    let mids = mids.map(|one| params![id, mid_hash(&one.mid).to_vec()]).collect();
    tx.execute_many("UPDATE thread_ids SET thread_id = $1 WHERE mid = $2", mids).await?;
    for text in [
        "INSERT INTO thread_access (token, thread_id, last_at) SELECT token, CAST($1 AS BIGINT), last_at FROM thread_access WHERE thread_id = $2",
        "INSERT INTO thread_reads (user_id, thread_id, message_id) SELECT user_id, CAST($1 AS BIGINT), message_id FROM thread_reads WHERE thread_id = $2",
        "INSERT INTO thread_labels (thread_id, label_id) SELECT CAST($1 AS BIGINT), label_id FROM thread_labels WHERE thread_id = $2",
    ] {
        tx.execute(text, both()).await?;
    }
    copy_links(tx, id, from, at).await?;
    for thread in [id, from] {
        recount(tx, thread).await?;
    }
    Ok(id)
}

async fn copy_links(tx: &mut Tx, to: ThreadId, from: ThreadId, at: Time) -> Result<(), Error> {
    let text = "SELECT l.record_id, l.message_id, l.reason, l.detail, l.confidence FROM links l \
                JOIN records r ON r.id = l.record_id WHERE l.thread_id = $1 AND r.kind <> 'case' ORDER BY l.id";
    let found = tx.query(text, params![from]).await?;
    if found.is_empty() {
        return Ok(());
    }
    let first = counters::take(tx, "links", found.len() as i64).await?;
    let mut rows = Vec::with_capacity(found.len());
    for (row, id) in found.iter().zip(first..) {
        let record: i64 = row.get(0)?;
        let message: Option<i64> = row.get(1)?;
        let (reason, detail): (String, String) = (row.get(2)?, row.get(3)?);
        let confidence: i64 = row.get(4)?;
        rows.push(params![id, record, to, message, reason, detail, confidence, at]);
    }
    let head = "INSERT INTO links (id, record_id, thread_id, message_id, reason, detail, confidence, created_at) VALUES";
    tx.insert_many(head, "ON CONFLICT DO NOTHING", rows).await.map(drop)
}

/// What a thread's line says, anew from its messages: subject of the first, beginning of the last, and who wrote last
/// from outside (or at all, where nobody did).
async fn recount(tx: &mut Tx, id: ThreadId) -> Result<(), Error> {
    let last = "m.thread_id = $1 ORDER BY m.direction = 'in' DESC, m.received_at DESC, m.id DESC LIMIT 1";
    let text = format!(
        "UPDATE threads SET messages = (SELECT COUNT(*) FROM messages WHERE thread_id = $1),
           attachments = (SELECT COALESCE(SUM(attachments), 0) FROM messages WHERE thread_id = $1),
           links = (SELECT COUNT(*) FROM links WHERE thread_id = $1),
           subject = (SELECT m.subject FROM messages m WHERE m.thread_id = $1 ORDER BY m.received_at, m.id LIMIT 1),
           snippet = (SELECT m.snippet FROM messages m WHERE m.thread_id = $1 ORDER BY m.received_at DESC, m.id DESC LIMIT 1),
           from_name = (SELECT m.from_name FROM messages m WHERE {last}),
           from_address = (SELECT m.from_address FROM messages m WHERE {last}),
           first_at = (SELECT MIN(received_at) FROM messages WHERE thread_id = $1),
           last_at = (SELECT MAX(received_at) FROM messages WHERE thread_id = $1),
           last_message_id = (SELECT MAX(id) FROM messages WHERE thread_id = $1) WHERE id = $1"
    );
    tx.execute(&text, params![id]).await?;
    let text =
        "UPDATE thread_access SET last_at = (SELECT last_at FROM threads WHERE id = $1) WHERE thread_id = $1";
    tx.execute(text, params![id]).await.map(drop)
}
