//! Outgoing mail: a row for each message and one for each of its recipients, who go their own ways.
//!
//! `in_data` is committed before the final dot is said. A row found so by whoever starts later is `ambiguous`:
//! nobody knows whether the server took it, and it is never sent again by itself.

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{MailboxId, MessageId, OutboxId, ThreadId, Time, UserId};

model::words! {
    /// How far a recipient's copy is.
    OutboxState {
        /// It waits for its time.
        Queued = "queued",
        /// The server may be taking it at this moment.
        InData = "in_data",
        /// The server took it.
        Sent = "sent",
        /// It was refused for good, or given up.
        Failed = "failed",
        /// The server was told everything and did not answer: it may have been sent or not.
        Ambiguous = "ambiguous",
    }
}

/// An outgoing message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: OutboxId,
    /// Through which mailbox; `None`: the system's outgoing server.
    pub mailbox: Option<MailboxId>,
    /// Where bounces go.
    pub envelope_from: String,
    /// Its Message-ID without angle brackets.
    pub mid: String,
    /// When it was written.
    pub created_at: Time,
}

/// One of its recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The address.
    pub address: String,
    /// How far it is.
    pub state: OutboxState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    pub next_at: Time,
    /// What the server said last, or why it was not reached.
    pub reply: Option<String>,
}

/// What became of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Of whom.
    pub address: String,
    /// How far it is now.
    pub state: OutboxState,
    /// What the server said, or why it was not reached.
    pub reply: String,
    /// When it is tried next.
    pub next_at: Time,
}

const MESSAGE: &str = "SELECT id, mailbox_id, envelope_from, mid, created_at FROM outbox";

fn message_of(row: &Row) -> Result<Message, Error> {
    Ok(Message {
        id: row.get(0)?,
        mailbox: row.get(1)?,
        envelope_from: row.get(2)?,
        mid: row.get(3)?,
        created_at: row.get(4)?,
    })
}

/// Adds a message, due at once for all recipients; `message.id` is ignored, the new one returned.
pub async fn add(tx: &mut Tx, message: &Message, raw: Vec<u8>, to: &[String]) -> Result<OutboxId, Error> {
    let id = OutboxId(counters::take(tx, "outbox", 1).await?);
    let m = message;
    let text = "INSERT INTO outbox (id, mailbox_id, envelope_from, mid, raw, created_at) \
                VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(text, params![id, m.mailbox, &m.envelope_from, &m.mid, raw, m.created_at]).await?;
    let queued = OutboxState::Queued.word();
    let rows = to.iter().map(|address| params![id, address, queued, 0i64, m.created_at]).collect();
    let head = "INSERT INTO outbox_recipients (outbox_id, address, state, attempts, next_at) VALUES";
    tx.insert_many(head, "ON CONFLICT DO NOTHING", rows).await?;
    Ok(id)
}

/// Messages with a recipient who is due, oldest first.
pub async fn due(sql: &mut impl Sql, now: Time, limit: u32) -> Result<Vec<OutboxId>, Error> {
    let text = "SELECT DISTINCT outbox_id FROM outbox_recipients WHERE state = 'queued' AND next_at <= $1 \
                ORDER BY outbox_id LIMIT $2";
    sql.query(text, params![now, limit]).await?.iter().map(|row| row.get(0)).collect()
}

/// When the next recipient is due; `None`: nobody waits.
pub async fn next_due(sql: &mut impl Sql) -> Result<Option<Time>, Error> {
    let text = "SELECT MIN(next_at) FROM outbox_recipients WHERE state = 'queued'";
    sql.query_one(text, params![]).await?.get(0)
}

/// Messages whose final dot was about to be said before a moment: whoever sent them ended then, or still waits.
pub async fn in_data(sql: &mut impl Sql, before: Time) -> Result<Vec<OutboxId>, Error> {
    let text = "SELECT DISTINCT outbox_id FROM outbox_recipients WHERE state = 'in_data' AND next_at < $1 \
                ORDER BY outbox_id";
    sql.query(text, params![before]).await?.iter().map(|row| row.get(0)).collect()
}

/// Says which message of a thread an outgoing one is.
pub async fn stands_as(tx: &mut Tx, id: OutboxId, message: MessageId) -> Result<(), Error> {
    tx.execute("UPDATE outbox SET message_id = $2 WHERE id = $1", params![id, message]).await.map(drop)
}

/// Says who gets a copy in the folder of sent mail once it was sent.
pub async fn wants_copy(tx: &mut Tx, id: OutboxId, user: UserId) -> Result<(), Error> {
    tx.execute("UPDATE outbox SET copy_for_id = $2 WHERE id = $1", params![id, user]).await.map(drop)
}

/// Who gets a copy: said once.
pub async fn take_copy(tx: &mut Tx, id: OutboxId) -> Result<Option<UserId>, Error> {
    let text = "SELECT copy_for_id FROM outbox WHERE id = $1 AND copy_for_id IS NOT NULL";
    let Some(row) = tx.query_opt(text, params![id]).await? else { return Ok(None) };
    tx.execute("UPDATE outbox SET copy_for_id = NULL WHERE id = $1", params![id]).await?;
    row.get(0).map(Some)
}

/// The thread an outgoing message stands in.
pub async fn thread(sql: &mut impl Sql, id: OutboxId) -> Result<Option<ThreadId>, Error> {
    let text = "SELECT m.thread_id FROM outbox o JOIN messages m ON m.id = o.message_id WHERE o.id = $1";
    sql.query_opt(text, params![id]).await?.map(|row| row.get(0)).transpose()
}

/// How far each message of a thread that was sent from here is, by message.
pub async fn of_thread(
    sql: &mut impl Sql,
    thread: ThreadId,
) -> Result<Vec<(MessageId, OutboxId, Vec<Recipient>)>, Error> {
    let text = "SELECT m.id, o.id FROM messages m JOIN outbox o ON o.message_id = m.id \
                WHERE m.thread_id = $1 ORDER BY o.id DESC LIMIT 200";
    let mut found = Vec::new();
    for row in sql.query(text, params![thread]).await? {
        let id = row.get(1)?;
        found.push((row.get(0)?, id, recipients(sql, id).await?));
    }
    Ok(found)
}

/// A message.
pub async fn message(sql: &mut impl Sql, id: OutboxId) -> Result<Option<Message>, Error> {
    let row = sql.query_opt(&format!("{MESSAGE} WHERE id = $1"), params![id]).await?;
    row.as_ref().map(message_of).transpose()
}

/// Its bytes.
pub async fn raw(sql: &mut impl Sql, id: OutboxId) -> Result<Option<Vec<u8>>, Error> {
    let row = sql.query_opt("SELECT raw FROM outbox WHERE id = $1", params![id]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Its recipients, by address.
pub async fn recipients(sql: &mut impl Sql, id: OutboxId) -> Result<Vec<Recipient>, Error> {
    let text = "SELECT address, state, attempts, next_at, reply FROM outbox_recipients WHERE outbox_id = $1 \
                ORDER BY address";
    let of = |row: &Row| {
        let state: String = row.get(1)?;
        Ok(Recipient {
            address: row.get(0)?,
            state: OutboxState::of(&state).ok_or_else(|| {
                Error::Other(format!("an outgoing message has the unknown state {state:?}"))
            })?,
            attempts: row.get(2)?,
            next_at: row.get(3)?,
            reply: row.get(4)?,
        })
    };
    sql.query(text, params![id]).await?.iter().map(of).collect()
}

/// Messages, the newest first, and how many there are.
pub async fn page(sql: &mut impl Sql, offset: u64, limit: u32) -> Result<(i64, Vec<Message>), Error> {
    let text = format!("{MESSAGE} ORDER BY id DESC LIMIT $1 OFFSET $2");
    let rows = sql.query(&text, params![limit, offset]).await?;
    let total = sql.query_one("SELECT COUNT(*) FROM outbox", params![]).await?.get(0)?;
    Ok((total, rows.iter().map(message_of).collect::<Result<_, _>>()?))
}

/// Notes that the final dot is about to be said for these recipients.
pub async fn begin(tx: &mut Tx, id: OutboxId, addresses: &[String], at: Time) -> Result<(), Error> {
    let text = "UPDATE outbox_recipients SET state = 'in_data', attempts = attempts + 1, next_at = $3 \
                WHERE outbox_id = $1 AND address = $2 AND state = 'queued'";
    let rows = addresses.iter().map(|address| params![id, address, at]).collect();
    tx.execute_many(text, rows).await.map(drop)
}

/// Writes what became of recipients.
pub async fn note(tx: &mut Tx, id: OutboxId, outcomes: &[Outcome]) -> Result<(), Error> {
    // Who was in data has been counted when that began.
    let text = "UPDATE outbox_recipients SET attempts = attempts + CASE state WHEN 'queued' THEN 1 ELSE 0 END, \
                state = $3, reply = $4, next_at = $5 WHERE outbox_id = $1 AND address = $2";
    let row = |one: &Outcome| params![id, &one.address, one.state.word(), &one.reply, one.next_at];
    tx.execute_many(text, outcomes.iter().map(row).collect()).await.map(drop)
}

/// Sends again what failed or is ambiguous, because somebody asked; how many recipients.
pub async fn again(tx: &mut Tx, id: OutboxId, now: Time) -> Result<u64, Error> {
    let text = "UPDATE outbox_recipients SET state = 'queued', attempts = 0, next_at = $2 \
                WHERE outbox_id = $1 AND state IN ('failed', 'ambiguous')";
    tx.execute(text, params![id, now]).await
}
