//! The report of a rule that matched, for another system (C6).

use super::Round;
use crate::receive::open::Read;
use crate::webhook;
use mail::Address;
use model::{MessageId, RuleId, ThreadId};
use serde_json::{Value, json};
use store::sql::{Error, Tx};

/// People of each kind that a report names.
const MOST_PEOPLE: usize = 50;

impl Round<'_> {
    /// Queues a report of a message; says what became of that in a word.
    pub(super) async fn report(
        &mut self,
        tx: &mut Tx,
        (thread, message): (ThreadId, MessageId),
        read: &Read,
        (rule, url): (RuleId, &str),
    ) -> Result<&'static str, Error> {
        let letter = &read.letter;
        let state = self.writes.thread(thread);
        let case = state.and_then(|state| state.case.as_ref());
        let records: Vec<i64> =
            state.map_or(Vec::new(), |state| state.records.iter().map(|id| id.0).collect());
        let body = json!({
            "event": "rule",
            "rule": { "id": rule.0 },
            "mailbox": { "id": self.channel.id.0, "address": self.channel.mailbox.address },
            "message": {
                "id": message.0,
                "message_id": letter.message_id,
                "in_reply_to": letter.in_reply_to,
                "subject": letter.subject,
                "date": letter.date.map(|date| date.to_string()),
                "from": people(&letter.from),
                "to": people(&letter.to),
                "cc": people(&letter.cc),
                "attachments": letter.attachments.len(),
            },
            "thread": { "id": thread.0 },
            "case": case.map(|case| json!({ "id": case.id.0, "number": case.number })),
            "records": records,
        });
        webhook::queue(self.desk, tx, url, &body).await
    }
}

fn people(people: &[Address]) -> Vec<Value> {
    let one =
        |one: &Address| json!({ "name": one.name.as_deref().unwrap_or_default(), "address": one.address });
    people.iter().take(MOST_PEOPLE).map(one).collect()
}
