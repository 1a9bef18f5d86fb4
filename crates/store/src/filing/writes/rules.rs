//! What rules leave behind: occurrences that are left out, labels, read marks, counts, traces.

use super::Writes;
use crate::params;
use crate::sql::{Error, Params, Sql, Tx};
use model::{LabelId, MessageId, OccurrenceId, RuleId, ThreadId, Time, UserId};
use std::collections::{BTreeMap, HashMap};

/// What rules of a batch wrote.
#[derive(Default)]
pub(super) struct RuleWrites {
    filtered: Vec<Params>,
    labels: Vec<Params>,
    silenced: Vec<Params>,
    hits: BTreeMap<RuleId, i64>,
    /// By message what was tried on it: JSON, one value for each mailbox.
    traces: HashMap<MessageId, Vec<String>>,
}

/// Longest trace of a message in bytes, after which no further mailbox is added.
const LONGEST_TRACE: usize = 64 << 10;

impl Writes {
    /// Says that a filter leaves an occurrence out. Its bytes stay, and its server is told nothing.
    pub fn filtered(&mut self, occurrence: OccurrenceId, by: RuleId) {
        self.rules.filtered.push(params![occurrence, by]);
    }

    /// Counts a rule that matched.
    pub fn rule_hit(&mut self, rule: RuleId) {
        *self.rules.hits.entry(rule).or_insert(0) += 1;
    }

    /// Puts a label on a thread.
    pub fn label(&mut self, thread: ThreadId, label: LabelId) {
        self.rules.labels.push(params![thread, label]);
        self.changes.insert(("thread", thread.0, thread.0, "labelled"));
    }

    /// Spares a user the unread mark of a message: the thread is read to them up to it, if it was up to
    /// the one before, `before`.
    pub fn silence(&mut self, user: UserId, thread: ThreadId, message: MessageId, before: MessageId) {
        self.rules.silenced.push(params![user, thread, message, before]);
    }

    /// Takes down what rules did with a message in one mailbox, as JSON.
    pub fn trace(&mut self, message: MessageId, trial: String) {
        self.rules.traces.entry(message).or_default().push(trial);
    }

    /// The traces of a message that is about to be inserted.
    pub(super) fn take_trace(&mut self, message: MessageId) -> String {
        self.rules.traces.remove(&message).map_or(String::new(), |trials| joined("", &trials))
    }

    pub(super) async fn flush_rules(&mut self, tx: &mut Tx, at: Time) -> Result<(), Error> {
        let RuleWrites { filtered, labels, silenced, hits, traces } = std::mem::take(&mut self.rules);
        tx.execute_many(
            "UPDATE occurrences SET state = 'filtered', reason = NULL, reason_code = NULL, rule_id = $2, settle = 'none' WHERE id = $1",
            filtered,
        )
        .await?;
        let head = "INSERT INTO thread_labels (thread_id, label_id) VALUES";
        tx.insert_many(head, "ON CONFLICT DO NOTHING", labels).await?;
        tx.execute_many(
            "INSERT INTO thread_reads (user_id, thread_id, message_id)
             SELECT u.id, CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM users u WHERE u.id = $1
               AND COALESCE((SELECT r.message_id FROM thread_reads r WHERE r.user_id = $1 AND r.thread_id = $2), u.read_before) >= $4
             ON CONFLICT (user_id, thread_id) DO UPDATE SET message_id = excluded.message_id",
            silenced,
        )
        .await?;
        let hits = hits.into_iter().map(|(rule, hits)| params![rule, hits, at]).collect();
        tx.execute_many("UPDATE rules SET hits = hits + $2, hit_at = $3 WHERE id = $1", hits).await?;
        add_traces(tx, traces).await
    }
}

/// Of messages that were there before: copies that came through another mailbox.
async fn add_traces(tx: &mut Tx, traces: HashMap<MessageId, Vec<String>>) -> Result<(), Error> {
    let asked = traces.keys().map(|id| params![*id]).collect();
    let there = tx.query_many("SELECT trace FROM messages WHERE id = $1", asked).await?;
    let mut rows = Vec::new();
    for ((id, trials), there) in traces.iter().zip(there) {
        let Some(row) = there.first() else { continue };
        let there: String = row.get(0)?;
        if there.len() < LONGEST_TRACE {
            rows.push(params![*id, joined(&there, trials)]);
        }
    }
    tx.execute_many("UPDATE messages SET trace = $2 WHERE id = $1", rows).await.map(drop)
}

/// A JSON array with more values behind those it has; "" has none.
fn joined(there: &str, more: &[String]) -> String {
    let there = there.strip_prefix('[').and_then(|there| there.strip_suffix(']')).unwrap_or_default();
    let all: Vec<&str> =
        [there].into_iter().filter(|one| !one.is_empty()).chain(more.iter().map(String::as_str)).collect();
    format!("[{}]", all.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c7_traces_of_several_mailboxes_are_one_list() {
        let one = |text: &str| vec![text.to_owned()];
        assert_eq!(joined("", &one(r#"{"a":1}"#)), r#"[{"a":1}]"#);
        assert_eq!(joined(r#"[{"a":1}]"#, &one(r#"{"b":[2]}"#)), r#"[{"a":1},{"b":[2]}]"#);
    }
}
