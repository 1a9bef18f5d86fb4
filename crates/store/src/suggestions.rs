//! Records that a thread may belong to: links that are not sure enough to be made by the machine.
//!
//! Some were written when a message was filed ([`crate::filing::Writes::suggest`]); others follow from what the records
//! say today: one of their addresses takes part in the thread, though the record came later. Both are one list. What
//! somebody dismissed, or unlinked, stays as a row, so that nothing suggests or links it again to that thread.

use crate::changes::RecordsHeard;
use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use crate::threads::{RecordBrief, record_of};
use model::{LinkReason, MessageId, RecordId, ThreadId, Time};

/// A link somebody may make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The record.
    pub record: RecordBrief,
    /// Why.
    pub reason: LinkReason,
    /// What matched: an address, a domain, a number.
    pub detail: String,
    /// How sure it is, in percent.
    pub confidence: i64,
    /// The message that suggests it; `None`: the whole thread does.
    pub message: Option<MessageId>,
}

/// What a thread is suggested, the surest first, as far as the records may be seen; at most `limit`.
pub async fn of_thread(
    sql: &mut impl Sql,
    thread: ThreadId,
    heard: &RecordsHeard,
    limit: usize,
) -> Result<Vec<Suggestion>, Error> {
    let mut all = written(sql, thread, heard, limit).await?;
    for one in by_addresses(sql, thread, heard, limit).await? {
        if all.iter().all(|other| other.record.id != one.record.id) {
            all.push(one);
        }
    }
    all.sort_by_key(|one| (-one.confidence, one.record.id));
    all.truncate(limit);
    Ok(all)
}

const OPEN: &str = "r.merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM links l WHERE l.thread_id = $1 AND l.record_id = r.id)";

async fn written(
    sql: &mut impl Sql,
    thread: ThreadId,
    heard: &RecordsHeard,
    limit: usize,
) -> Result<Vec<Suggestion>, Error> {
    let mut params = params![thread, limit as i64];
    let seen = heard.condition("r", &mut params);
    let text = format!(
        "SELECT r.id, r.kind, r.name, r.number, s.reason, s.detail, s.confidence, s.message_id \
         FROM suggestions s JOIN records r ON r.id = s.record_id \
         WHERE s.thread_id = $1 AND s.dismissed_at IS NULL AND {OPEN} AND {seen} ORDER BY s.confidence DESC, s.id LIMIT $2"
    );
    let rows = sql.query(&text, params).await?;
    rows.iter().filter_map(|row| written_of(row).transpose()).collect()
}

fn written_of(row: &Row) -> Result<Option<Suggestion>, Error> {
    let (Some(record), Some(reason)) = (record_of(row)?, LinkReason::of(&row.get::<String>(4)?)) else {
        return Ok(None);
    };
    let (detail, confidence, message) = (row.get(5)?, row.get(6)?, row.get(7)?);
    Ok(Some(Suggestion { record, reason, detail, confidence, message }))
}

/// The most trusted role of an address first, as [`REASONS`] has them.
async fn by_addresses(
    sql: &mut impl Sql,
    thread: ThreadId,
    heard: &RecordsHeard,
    limit: usize,
) -> Result<Vec<Suggestion>, Error> {
    let mut params = params![thread, limit as i64];
    let seen = heard.condition("r", &mut params);
    let text = format!(
        "SELECT r.id, r.kind, r.name, r.number, \
           MIN(CASE p.role WHEN 'from' THEN 0 WHEN 'reply_to' THEN 1 WHEN 'to' THEN 2 ELSE 3 END) AS reason, MIN(p.address) \
         FROM messages m JOIN participants p ON p.message_id = m.id AND p.role IN ('from', 'reply_to', 'to', 'cc') \
         JOIN record_addresses a ON a.address = p.address JOIN records r ON r.id = a.record_id \
         WHERE m.thread_id = $1 AND {OPEN} AND {seen} \
           AND NOT EXISTS (SELECT 1 FROM suggestions s WHERE s.thread_id = $1 AND s.record_id = r.id) \
         GROUP BY r.id, r.kind, r.name, r.number ORDER BY reason, r.id LIMIT $2"
    );
    let rows = sql.query(&text, params).await?;
    rows.iter().filter_map(|row| by_address_of(row).transpose()).collect()
}

fn by_address_of(row: &Row) -> Result<Option<Suggestion>, Error> {
    let Some(record) = record_of(row)? else { return Ok(None) };
    let reason = REASONS[row.get::<i64>(4)?.clamp(0, 3) as usize];
    let confidence = reason.confidence();
    Ok(Some(Suggestion { record, reason, detail: row.get(5)?, confidence, message: None }))
}

const REASONS: [LinkReason; 4] = [LinkReason::From, LinkReason::ReplyTo, LinkReason::To, LinkReason::Cc];

/// Writes down that nothing is to tie the two by itself any more.
pub async fn dismiss(tx: &mut Tx, thread: ThreadId, record: RecordId, at: Time) -> Result<(), Error> {
    let id = counters::take(tx, "suggestions", 1).await?;
    let text = "INSERT INTO suggestions (id, thread_id, record_id, reason, detail, confidence, created_at, dismissed_at) \
                VALUES ($1, $2, $3, $4, '', 0, $5, $5) \
                ON CONFLICT (thread_id, record_id) DO UPDATE SET dismissed_at = excluded.dismissed_at";
    tx.execute(text, params![id, thread, record, LinkReason::ByHand.word(), at]).await.map(drop)
}

/// Forgets what was said of the two.
pub async fn forget(tx: &mut Tx, thread: ThreadId, record: RecordId) -> Result<(), Error> {
    let text = "DELETE FROM suggestions WHERE thread_id = $1 AND record_id = $2";
    tx.execute(text, params![thread, record]).await.map(drop)
}
