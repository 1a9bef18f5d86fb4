//! Ties between threads and records, each with its reason.

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use crate::threads::{RecordBrief, record_of};
use model::{LinkId, LinkReason, MessageId, RecordId, ThreadId, Time, UserId};

/// A tie between a thread and a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// The thread.
    pub thread: ThreadId,
    /// The record.
    pub record: RecordBrief,
    /// Why.
    pub reason: LinkReason,
    /// What matched: an address, a domain.
    pub detail: String,
    /// How sure it is, in percent.
    pub confidence: i64,
    /// The message that made it.
    pub message: Option<MessageId>,
    /// The person who made it.
    pub by: Option<(UserId, String)>,
    /// When.
    pub at: Time,
}

/// A tie to be made.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The thread.
    pub thread: ThreadId,
    /// The record.
    pub record: RecordId,
    /// Why.
    pub reason: LinkReason,
    /// What matched.
    pub detail: String,
    /// The person who makes it.
    pub user: Option<UserId>,
    /// When.
    pub at: Time,
}

const LINK: &str = "SELECT r.id, r.kind, r.name, r.number, l.id, l.thread_id, l.reason, l.detail, \
     l.confidence, l.message_id, l.user_id, u.name, l.created_at \
     FROM links l JOIN records r ON r.id = l.record_id LEFT JOIN users u ON u.id = l.user_id";

/// The links of a thread, the surest first.
pub async fn of_thread(sql: &mut impl Sql, thread: ThreadId) -> Result<Vec<Link>, Error> {
    let text = format!("{LINK} WHERE l.thread_id = $1 ORDER BY l.confidence DESC, l.id");
    links(&sql.query(&text, params![thread]).await?)
}

/// The links of a record.
pub async fn of_record(sql: &mut impl Sql, record: RecordId) -> Result<Vec<Link>, Error> {
    links(&sql.query(&format!("{LINK} WHERE l.record_id = $1 ORDER BY l.id"), params![record]).await?)
}

/// One link.
pub async fn link(sql: &mut impl Sql, id: LinkId) -> Result<Option<Link>, Error> {
    Ok(links(&sql.query(&format!("{LINK} WHERE l.id = $1"), params![id]).await?)?.pop())
}

/// The link between a thread and a record.
pub async fn between(sql: &mut impl Sql, thread: ThreadId, record: RecordId) -> Result<Option<Link>, Error> {
    let text = format!("{LINK} WHERE l.thread_id = $1 AND l.record_id = $2");
    Ok(links(&sql.query(&text, params![thread, record]).await?)?.pop())
}

/// Ties a record to a thread; `None` if they are tied already.
pub async fn add(tx: &mut Tx, link: NewLink) -> Result<Option<LinkId>, Error> {
    let id = LinkId(counters::take(tx, "links", 1).await?);
    let text = "INSERT INTO links (id, record_id, thread_id, reason, detail, confidence, user_id, created_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (thread_id, record_id) DO NOTHING";
    let NewLink { thread, record, reason, detail, user, at } = link;
    let made = tx
        .execute(text, params![id, record, thread, reason.word(), detail, reason.confidence(), user, at])
        .await?;
    if made == 0 {
        return Ok(None);
    }
    tx.execute("UPDATE threads SET links = links + 1 WHERE id = $1", params![thread]).await?;
    let newest = "UPDATE records SET last_at = (SELECT last_at FROM threads WHERE id = $2) \
                  WHERE id = $1 AND last_at < (SELECT last_at FROM threads WHERE id = $2)";
    tx.execute(newest, params![record, thread]).await?;
    Ok(Some(id))
}

/// Unties; false if there is no such link any more.
pub async fn remove(tx: &mut Tx, id: LinkId, thread: ThreadId) -> Result<bool, Error> {
    let removed = tx.execute("DELETE FROM links WHERE id = $1", params![id]).await?;
    if removed == 1 {
        tx.execute("UPDATE threads SET links = links - 1 WHERE id = $1", params![thread]).await?;
    }
    Ok(removed == 1)
}

/// Links to kinds or for reasons that this program does not know are left out.
fn links(rows: &[Row]) -> Result<Vec<Link>, Error> {
    rows.iter().filter_map(|row| link_of(row).transpose()).collect()
}

fn link_of(row: &Row) -> Result<Option<Link>, Error> {
    let reason = LinkReason::of(&row.get::<String>(6)?);
    let (Some(record), Some(reason)) = (record_of(row)?, reason) else {
        return Ok(None);
    };
    let user: Option<UserId> = row.get(10)?;
    let name: Option<String> = row.get(11)?;
    Ok(Some(Link {
        id: row.get(4)?,
        thread: row.get(5)?,
        record,
        reason,
        detail: row.get(7)?,
        confidence: row.get(8)?,
        message: row.get(9)?,
        by: user.map(|id| (id, name.unwrap_or_default())),
        at: row.get(12)?,
    }))
}
