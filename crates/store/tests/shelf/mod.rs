//! Puts threads, messages and records on the shelf for tests, with as little said as they need.
#![allow(dead_code)]

use model::{RecordId, RecordKind, Time};
use store::params;
use store::records::{self, Content};
use store::sql::Tx;

/// Writes into a transaction. Times are seconds.
pub struct Shelf<'a>(pub &'a mut Tx);

impl Shelf<'_> {
    /// A thread whose newest message came at `last_s`, seen with these tokens.
    pub async fn thread(&mut self, id: i64, last_s: i64, tokens: &[&str]) {
        let at = Time(0).plus_s(last_s);
        let text = "INSERT INTO threads (id, subject, snippet, from_name, from_address, first_at, last_at,
            last_message_id, messages, attachments, links) VALUES ($1, $2, '', '', '', $3, $3, $1, 1, 0, 0)";
        self.0.execute(text, params![id, format!("thread {id}"), at]).await.unwrap();
        let text = "INSERT INTO thread_access (token, thread_id, last_at) VALUES ($1, $2, $3)";
        let rows = tokens.iter().map(|token| params![*token, id, at]).collect();
        self.0.execute_many(text, rows).await.unwrap();
    }

    /// A message of a thread, sent at `sent_s`.
    pub async fn message(&mut self, id: i64, thread: i64, sent_s: i64) {
        let text = "INSERT INTO messages (id, identity, thread_id, direction, mid, in_reply_to, refs, subject,
            from_name, from_address, sent_at, received_at, size_bytes, snippet, has_html, attachments, marks,
            plan, filed_at) VALUES ($1, $2, $3, 'in', '', '', '', '', '', '', $4, $4, 0, '', $5, 0, '{}', '[]', 0)";
        let at = Time(0).plus_s(sent_s);
        let identity = id.to_be_bytes().repeat(4);
        self.0.execute(text, params![id, identity, thread, at, false]).await.unwrap();
    }

    /// A record with addresses.
    pub async fn record(
        &mut self,
        kind: RecordKind,
        name: &str,
        account: Option<RecordId>,
        addresses: &[&str],
    ) -> RecordId {
        let content = Content {
            name: name.to_owned(),
            folded: name.to_lowercase(),
            account,
            fields: "[]".to_owned(),
            addresses: addresses.iter().map(|a| a.to_string()).collect(),
            ..Content::default()
        };
        records::add(self.0, kind, &content, Time(1)).await.unwrap()
    }
}
