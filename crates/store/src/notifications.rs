//! What somebody is told in the interface: one row for each person and event.

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{MailboxId, NotificationId, RecordId, ThreadId, Time, UserId};

/// Something to tell somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New<'a> {
    /// Whom.
    pub user: UserId,
    /// What, as a stable word.
    pub kind: &'a str,
    /// The mailbox it is about.
    pub mailbox: Option<MailboxId>,
    /// The thread it is about.
    pub thread: Option<ThreadId>,
    /// The record it is about.
    pub record: Option<RecordId>,
    /// What the sentence speaks of: a JSON object of strings.
    pub data: &'a str,
    /// When.
    pub at: Time,
}

/// Something somebody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its id; later ones are higher.
    pub id: NotificationId,
    /// What, as a stable word.
    pub kind: String,
    /// The mailbox it is about.
    pub mailbox: Option<MailboxId>,
    /// The thread it is about.
    pub thread: Option<ThreadId>,
    /// The record it is about.
    pub record: Option<RecordId>,
    /// What the sentence speaks of: a JSON object of strings.
    pub data: String,
    /// When.
    pub at: Time,
    /// Whether they have read it.
    pub read: bool,
}

fn notification_of(row: &Row) -> Result<Notification, Error> {
    Ok(Notification {
        id: row.get(0)?,
        kind: row.get(1)?,
        mailbox: row.get(2)?,
        thread: row.get(3)?,
        record: row.get(4)?,
        data: row.get(5)?,
        at: row.get(6)?,
        read: row.get::<Option<Time>>(7)?.is_some(),
    })
}

/// Adds one.
pub async fn add(tx: &mut Tx, new: &New<'_>) -> Result<NotificationId, Error> {
    let id = NotificationId(counters::take(tx, "notifications", 1).await?);
    let text = "INSERT INTO notifications (id, user_id, kind, mailbox_id, thread_id, record_id, data, at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.execute(text, params![id, new.user, new.kind, new.mailbox, new.thread, new.record, new.data, new.at])
        .await?;
    Ok(id)
}

/// Keeps the newest `most` of somebody's and forgets the rest.
pub async fn trim(tx: &mut Tx, user: UserId, most: i64) -> Result<(), Error> {
    let text = "DELETE FROM notifications WHERE user_id = $1 AND id <= COALESCE((SELECT id FROM notifications \
                WHERE user_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2), 0)";
    tx.execute(text, params![user, most]).await.map(drop)
}

/// Somebody's, the newest first.
pub async fn page(
    sql: &mut impl Sql,
    user: UserId,
    offset: u64,
    limit: u32,
) -> Result<Vec<Notification>, Error> {
    let text = "SELECT id, kind, mailbox_id, thread_id, record_id, data, at, read_at FROM notifications \
                WHERE user_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3";
    sql.query(text, params![user, limit, offset]).await?.iter().map(notification_of).collect()
}

/// How many somebody has, and how many of them are unread.
pub async fn counts(sql: &mut impl Sql, user: UserId) -> Result<(i64, i64), Error> {
    let text = "SELECT COUNT(*), COUNT(*) - COUNT(read_at) FROM notifications WHERE user_id = $1";
    let row = sql.query_one(text, params![user]).await?;
    Ok((row.get(0)?, row.get(1)?))
}

/// The newest of somebody's up to one.
pub async fn newest(
    sql: &mut impl Sql,
    user: UserId,
    up_to: NotificationId,
) -> Result<Option<NotificationId>, Error> {
    let text = "SELECT MAX(id) FROM notifications WHERE user_id = $1 AND id <= $2";
    sql.query_one(text, params![user, up_to]).await?.get(0)
}

/// Marks those up to one as read; how many that were.
pub async fn read(tx: &mut Tx, user: UserId, up_to: NotificationId, at: Time) -> Result<u64, Error> {
    let text = "UPDATE notifications SET read_at = $3 WHERE user_id = $1 AND id <= $2 AND read_at IS NULL";
    tx.execute(text, params![user, up_to, at]).await
}
