//! From what was collected to the tables, in an order in which every row finds what it refers to.

use super::Writes;
use crate::filing::ThreadState;
use crate::params;
use crate::sql::{Error, Params, Tx, Value};
use crate::{access, counters, search};
use model::{MessageId, Time};

impl Writes {
    /// Writes everything collected, and forgets it; the known threads stay known.
    pub async fn flush(&mut self, tx: &mut Tx, at: Time) -> Result<(), Error> {
        self.flush_threads(tx).await?;
        let mut messages = std::mem::take(&mut self.messages);
        for row in &mut messages {
            let Some(Value::Int(id)) = row.first() else { continue };
            let trace = self.take_trace(MessageId(*id));
            row.push(trace.into());
        }
        let insert = [
            (
                "INSERT INTO messages (id, identity, thread_id, direction, mid, in_reply_to, refs, subject, from_name, from_address, sent_at, received_at, size_bytes, snippet, has_html, attachments, marks, plan, filed_at, auth, unverified, bounce_of, trace) VALUES",
                "",
                messages,
            ),
            (
                "INSERT INTO participants (message_id, role, position, name, address) VALUES",
                "",
                std::mem::take(&mut self.participants),
            ),
            (
                "INSERT INTO attachments (message_id, position, name, content_type, content_id, size_bytes, hash, inline) VALUES",
                "",
                std::mem::take(&mut self.attachments),
            ),
            (
                "INSERT INTO thread_ids (mid, thread_id) VALUES",
                "ON CONFLICT DO NOTHING",
                std::mem::take(&mut self.thread_ids),
            ),
        ];
        for (head, tail, rows) in insert {
            tx.insert_many(head, tail, rows).await?;
        }
        self.flush_records(tx).await?;
        self.flush_spoke(tx).await?;
        self.flush_access(tx).await?;
        search::index(tx, std::mem::take(&mut self.index)).await?;
        tx.execute_many("UPDATE occurrences SET state = 'filed', reason = NULL, reason_code = NULL, message_id = $2, settle = $3 WHERE id = $1", std::mem::take(&mut self.filed))
            .await?;
        self.flush_rules(tx, at).await?;
        self.flush_changes(tx, at).await
    }

    async fn flush_threads(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for id in std::mem::take(&mut self.dirty) {
            let Some(thread) = self.threads.get_mut(&id) else {
                continue;
            };
            let is_new = std::mem::replace(&mut thread.is_new, false);
            if thread.messages > 1 {
                self.moved.push(params![thread.id, thread.last_at.0]);
            }
            let rows = if is_new { &mut new } else { &mut changed };
            rows.push(thread_row(thread));
        }
        let head = "INSERT INTO threads (id, subject, snippet, from_name, from_address, first_at, last_at, last_message_id, messages, attachments, links, case_id, case_status, assignee_id, parted_from) VALUES";
        tx.insert_many(head, "", new).await?;
        tx.execute_many(
            "UPDATE threads SET subject = $2, snippet = $3, from_name = $4, from_address = $5, first_at = $6, last_at = $7, last_message_id = $8, messages = $9,
               attachments = $10, links = $11, case_id = $12, case_status = CASE WHEN CAST($12 AS BIGINT) IS NULL THEN case_status ELSE $13 END,
               assignee_id = CASE WHEN CAST($12 AS BIGINT) IS NULL THEN assignee_id ELSE $14 END, parted_from = $15 WHERE id = $1",
            changed,
        )
        .await
        .map(drop)
    }

    async fn flush_records(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let cases = std::mem::take(&mut self.cases);
        let head = "INSERT INTO records (id, kind, name, folded, account_id, fields, description, created_at, updated_at, last_at, version, number, status, priority, process_id, team_id, assignee_id, customer, due_at, waits_for, continues_id) VALUES";
        tx.insert_many(head, "", cases).await?;
        let head = "INSERT INTO links (id, record_id, thread_id, message_id, reason, detail, confidence, created_at) VALUES";
        let links = numbered(tx, "links", std::mem::take(&mut self.links)).await?;
        tx.insert_many(head, "ON CONFLICT DO NOTHING", links).await?;
        let head = "INSERT INTO suggestions (id, thread_id, record_id, message_id, reason, detail, confidence, created_at) VALUES";
        let suggestions = numbered(tx, "suggestions", std::mem::take(&mut self.suggestions)).await?;
        tx.insert_many(head, "ON CONFLICT DO NOTHING", suggestions).await?;
        self.flush_case_changes(tx).await?;
        let stream = numbered(tx, "stream", std::mem::take(&mut self.stream)).await?;
        tx.insert_many(
            "INSERT INTO stream (id, record_id, thread_id, kind, message_id, at, body, data) VALUES",
            "",
            stream,
        )
        .await?;
        tx.execute_many(
            "UPDATE records SET last_at = $2 WHERE id = $1 AND last_at < $2",
            std::mem::take(&mut self.touched_records),
        )
        .await
        .map(drop)
    }

    async fn flush_access(&mut self, tx: &mut Tx) -> Result<(), Error> {
        tx.insert_many(
            "INSERT INTO thread_access (token, thread_id, last_at) VALUES",
            "ON CONFLICT (token, thread_id) DO UPDATE SET last_at = excluded.last_at WHERE thread_access.last_at < excluded.last_at",
            last_of_each(std::mem::take(&mut self.access)),
        )
        .await?;
        // A message that came through one mailbox moves the thread up in the lists of all.
        let text = "UPDATE thread_access SET last_at = $2 WHERE thread_id = $1 AND last_at < $2";
        tx.execute_many(text, std::mem::take(&mut self.moved)).await?;
        let charged: Vec<_> = std::mem::take(&mut self.charged).into_iter().collect();
        access::grant(tx, &charged).await
    }

    async fn flush_changes(&mut self, tx: &mut Tx, at: Time) -> Result<(), Error> {
        let changes = std::mem::take(&mut self.changes);
        let first = counters::take(tx, "changes", changes.len() as i64).await?;
        let rows = changes
            .into_iter()
            .zip(first..)
            .map(|((kind, entity, thread, action), id)| {
                let thread = (thread != 0).then_some(thread);
                params![id, kind, entity, thread, action, at.0]
            })
            .collect();
        tx.insert_many("INSERT INTO changes (id, kind, entity_id, thread_id, action, at) VALUES", "", rows)
            .await?;
        tx.notify();
        Ok(())
    }
}

/// Rows with ids before them.
async fn numbered(tx: &mut Tx, name: &'static str, rows: Vec<Params>) -> Result<Vec<Params>, Error> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let first = counters::take(tx, name, rows.len() as i64).await?;
    let with_id = |(id, row): (i64, Params)| params![id].into_iter().chain(row).collect();
    Ok((first..).zip(rows).map(with_id).collect())
}

/// PostgreSQL refuses to update one row twice in one INSERT … ON CONFLICT: the last of each key stays.
fn last_of_each(rows: Vec<Params>) -> Vec<Params> {
    let mut places: Vec<Params> = Vec::with_capacity(rows.len());
    for row in rows {
        match places.iter_mut().rfind(|other| other[..2] == row[..2]) {
            Some(other) => *other = row,
            None => places.push(row),
        }
    }
    places
}

fn thread_row(thread: &ThreadState) -> Params {
    let case = thread.case.as_ref();
    params![
        thread.id,
        thread.subject.as_str(),
        thread.snippet.as_str(),
        thread.from_name.as_str(),
        thread.from_address.as_str(),
        thread.first_at.0,
        thread.last_at.0,
        thread.last_message,
        thread.messages,
        thread.attachments,
        thread.records.len() as i64,
        case.map(|case| case.id),
        case.map(|case| case.status.as_str()),
        case.and_then(|case| case.assignee),
        thread.parted_from
    ]
}
