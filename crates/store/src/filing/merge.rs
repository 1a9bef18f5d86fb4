//! Two threads that turn out to be one: a late letter knew ids of both.

use crate::access;
use crate::counters;
use crate::params;
use crate::records;
use crate::sql::{Error, Sql, Tx};
use model::{CaseStatus, RecordId, ThreadId, Time};

/// Moves all that `from` has into `into`. A case of `from` goes along if `into` has none; else it is
/// closed as merged into that one, and its links and followers go over.
pub async fn merge_threads(tx: &mut Tx, into: ThreadId, from: ThreadId, at: Time) -> Result<(), Error> {
    let both = || params![into, from];
    for text in [
        "UPDATE messages SET thread_id = $1 WHERE thread_id = $2",
        "UPDATE thread_ids SET thread_id = $1 WHERE thread_id = $2",
        "UPDATE stream SET thread_id = $1 WHERE thread_id = $2",
        "UPDATE auto_replies SET thread_id = $1 WHERE thread_id = $2",
        "DELETE FROM links WHERE thread_id = $2 AND record_id IN (SELECT record_id FROM links WHERE thread_id = $1)",
        "UPDATE links SET thread_id = $1 WHERE thread_id = $2",
        "DELETE FROM suggestions WHERE thread_id = $2 AND record_id IN (SELECT record_id FROM suggestions WHERE thread_id = $1)",
        "UPDATE suggestions SET thread_id = $1 WHERE thread_id = $2",
        "UPDATE threads SET parted_from = $1 WHERE parted_from = $2",
        "INSERT INTO thread_labels (thread_id, label_id) SELECT CAST($1 AS BIGINT), label_id FROM thread_labels WHERE thread_id = $2 ON CONFLICT DO NOTHING",
        "INSERT INTO thread_access (token, thread_id, last_at) SELECT token, CAST($1 AS BIGINT), last_at FROM thread_access WHERE thread_id = $2
         ON CONFLICT (token, thread_id) DO UPDATE SET last_at = excluded.last_at WHERE thread_access.last_at < excluded.last_at",
    ] {
        tx.execute(text, both()).await?;
    }
    for text in [
        "DELETE FROM thread_access WHERE thread_id = $1",
        "DELETE FROM thread_reads WHERE thread_id = $1",
        "DELETE FROM thread_labels WHERE thread_id = $1",
    ] {
        tx.execute(text, params![from]).await?;
    }
    // What one of them was handed and filed to stays; a case of `from` has its own.
    tx.execute(
        "UPDATE threads SET team_id = COALESCE(team_id, (SELECT team_id FROM threads WHERE id = $2)),
           process_id = COALESCE(process_id, (SELECT process_id FROM threads WHERE id = $2)),
           assignee_id = COALESCE(assignee_id, (SELECT assignee_id FROM threads WHERE id = $2)),
           case_status = COALESCE(case_status, (SELECT case_status FROM threads WHERE id = $2)) WHERE id = $1 AND case_id IS NULL",
        both(),
    )
    .await?;
    merge_cases(tx, into, from, at).await?;
    // Subject of the first letter; beginning and writer of the last.
    tx.execute(
        "UPDATE threads SET messages = (SELECT COUNT(*) FROM messages WHERE thread_id = $1),
           attachments = (SELECT COALESCE(SUM(attachments), 0) FROM messages WHERE thread_id = $1),
           links = (SELECT COUNT(*) FROM links WHERE thread_id = $1),
           subject = (SELECT t.subject FROM threads t WHERE t.id IN ($1, $2) ORDER BY t.first_at, t.id LIMIT 1),
           snippet = (SELECT t.snippet FROM threads t WHERE t.id IN ($1, $2) ORDER BY t.last_at DESC, t.id LIMIT 1),
           from_name = (SELECT t.from_name FROM threads t WHERE t.id IN ($1, $2) ORDER BY t.last_at DESC, t.id LIMIT 1),
           from_address = (SELECT t.from_address FROM threads t WHERE t.id IN ($1, $2) ORDER BY t.last_at DESC, t.id LIMIT 1),
           first_at = (SELECT MIN(t.first_at) FROM threads t WHERE t.id IN ($1, $2)),
           last_at = (SELECT MAX(t.last_at) FROM threads t WHERE t.id IN ($1, $2)),
           last_message_id = (SELECT MAX(t.last_message_id) FROM threads t WHERE t.id IN ($1, $2)) WHERE id = $1",
        both(),
    )
    .await?;
    tx.execute(
        "UPDATE threads SET last_in_at = (SELECT MAX(t.last_in_at) FROM threads t WHERE t.id IN ($1, $2)),
           last_out_at = (SELECT MAX(t.last_out_at) FROM threads t WHERE t.id IN ($1, $2)),
           answered_by = (SELECT t.answered_by FROM threads t WHERE t.id IN ($1, $2) AND t.last_out_at IS NOT NULL ORDER BY t.last_out_at DESC LIMIT 1) WHERE id = $1",
        both(),
    )
    .await?;
    tx.execute("UPDATE threads SET merged_into = $1, messages = 0, case_id = NULL, case_status = NULL, assignee_id = NULL WHERE id = $2", both())
        .await?;
    access::refresh(tx, &[into]).await?;
    let change = counters::take(tx, "changes", 1).await?;
    tx.execute(
        "INSERT INTO changes (id, kind, entity_id, thread_id, action, at) VALUES ($1, 'thread', $2, $3, 'merged', $4)",
        params![change, from, into, at.0],
    )
    .await
    .map(drop)
}

async fn merge_cases(tx: &mut Tx, into: ThreadId, from: ThreadId, at: Time) -> Result<(), Error> {
    let text = "SELECT case_id FROM threads WHERE id = $1";
    let survivor: Option<i64> = tx.query_one(text, params![into]).await?.get(0)?;
    let other: Option<i64> = tx.query_one(text, params![from]).await?.get(0)?;
    let Some(other) = other else { return Ok(()) };
    let Some(survivor) = survivor.filter(|survivor| *survivor != other) else {
        return tx
            .execute(
                "UPDATE threads SET case_id = (SELECT case_id FROM threads WHERE id = $2), case_status = (SELECT case_status FROM threads WHERE id = $2),
                   assignee_id = (SELECT assignee_id FROM threads WHERE id = $2), snoozed_until = (SELECT snoozed_until FROM threads WHERE id = $2) WHERE id = $1",
                params![into, from],
            )
            .await
            .map(drop);
    };
    merge_case(tx, RecordId(survivor), RecordId(other), at).await
}

/// Makes `other` part of `survivor`: threads, links, streams, followers. What is decided about the survivor stays:
/// status, assignee, snooze; unless it is closed, an answer is due when the first of both is. Other cases that continue
/// `other` continue the survivor now.
pub async fn merge_case(tx: &mut Tx, survivor: RecordId, other: RecordId, at: Time) -> Result<(), Error> {
    for text in [
        "DELETE FROM links WHERE record_id = $2 AND thread_id IN (SELECT thread_id FROM links WHERE record_id = $1)",
        "UPDATE links SET record_id = $1 WHERE record_id = $2",
        "DELETE FROM suggestions WHERE record_id = $2 AND thread_id IN (SELECT thread_id FROM suggestions WHERE record_id = $1)",
        "UPDATE suggestions SET record_id = $1 WHERE record_id = $2",
        "UPDATE auto_replies SET case_id = $1 WHERE case_id = $2",
        "UPDATE threads SET case_id = $1, case_status = (SELECT status FROM records WHERE id = $1),
           assignee_id = (SELECT assignee_id FROM records WHERE id = $1),
           snoozed_until = (SELECT snoozed_until FROM records WHERE id = $1),
           links = (SELECT COUNT(*) FROM links WHERE thread_id = threads.id) WHERE case_id = $2",
        "UPDATE stream SET record_id = $1 WHERE record_id = $2",
        "INSERT INTO followers (record_id, user_id) SELECT CAST($1 AS BIGINT), user_id FROM followers WHERE record_id = $2 ON CONFLICT DO NOTHING",
        "UPDATE records SET continues_id = $1 WHERE continues_id = $2 AND id <> $1",
        "UPDATE records SET due_at = CASE WHEN status = 'closed' THEN NULL ELSE (SELECT MIN(r.due_at) FROM records r WHERE r.id IN ($1, $2)) END,
           last_at = (SELECT MAX(r.last_at) FROM records r WHERE r.id IN ($1, $2)) WHERE id = $1",
    ] {
        tx.execute(text, params![survivor, other]).await?;
    }
    records::set_status(tx, other, CaseStatus::Closed, at).await?;
    tx.execute("UPDATE records SET merged_into = $1 WHERE id = $2", params![survivor, other]).await?;
    access::refresh_record(tx, survivor).await
}
