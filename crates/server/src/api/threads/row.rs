//! A thread, a case and a record as a line in a list.

use crate::api::labels::Label;
use crate::shape::{self, Moment, UserName};
use model::{CaseStatus, RecordKind};
use serde::Serialize;
use store::threads::{self, CaseBrief, RecordBrief};
use utoipa::ToSchema;

/// A thread as a line of a list.
#[derive(Serialize, ToSchema)]
pub struct ThreadRow {
    id: i64,
    subject: String,
    /// Beginning of its newest message.
    snippet: String,
    /// Who wrote last from outside: their name, or the address where they have none.
    from: String,
    from_address: String,
    /// Arrival of the newest message.
    last_at: Moment,
    /// How many messages it has.
    messages: i64,
    /// Whether it has messages the reader has not seen.
    unread: bool,
    has_attachments: bool,
    /// Ids of the mailboxes its messages came through.
    mailboxes: Vec<i64>,
    /// Out of sight until then.
    snoozed_until: Option<Moment>,
    case: Option<ThreadCase>,
    /// Up to two records it is linked to, the surest first.
    records: Vec<RecordName>,
    /// By name.
    labels: Vec<Label>,
}

impl From<threads::ThreadRow> for ThreadRow {
    fn from(row: threads::ThreadRow) -> ThreadRow {
        let from = if row.from_name.is_empty() { row.from_address.clone() } else { row.from_name };
        ThreadRow {
            id: row.id.0,
            subject: row.subject,
            snippet: row.snippet,
            from,
            from_address: row.from_address,
            last_at: row.last_at.into(),
            messages: row.messages,
            unread: row.unread,
            has_attachments: row.attachments > 0,
            mailboxes: row.mailboxes.into_iter().map(|id| id.0).collect(),
            snoozed_until: row.snoozed_until.map(Moment),
            case: row.case.map(ThreadCase::from),
            records: row.records.into_iter().map(RecordName::from).collect(),
            labels: row.labels.into_iter().map(Label::from).collect(),
        }
    }
}

/// A thread's case.
#[derive(Serialize, ToSchema)]
pub struct ThreadCase {
    id: i64,
    /// As people say it.
    number: String,
    #[schema(value_type = shape::CaseStatus)]
    status: CaseStatus,
    #[schema(value_type = shape::Priority)]
    priority: String,
    assignee: Option<UserName>,
    /// When an answer to its customer is due; null: none is.
    due_at: Option<Moment>,
}

impl From<CaseBrief> for ThreadCase {
    fn from(case: CaseBrief) -> ThreadCase {
        ThreadCase {
            id: case.id.0,
            number: case.number.to_string(),
            status: case.status,
            priority: case.priority,
            assignee: case.assignee.map(|(id, name)| UserName { id: id.0, name }),
            due_at: case.due_at.map(Moment),
        }
    }
}

/// A record in a few words.
#[derive(Serialize, ToSchema)]
pub struct RecordName {
    id: i64,
    #[schema(value_type = shape::RecordKind)]
    kind: RecordKind,
    name: String,
    /// Of cases: the number, as people say it.
    number: Option<String>,
}

impl From<RecordBrief> for RecordName {
    fn from(record: RecordBrief) -> RecordName {
        RecordName {
            id: record.id.0,
            kind: record.kind,
            name: record.name,
            number: record.number.map(|number| number.to_string()),
        }
    }
}

impl RecordName {
    /// An account, which has no number.
    pub(crate) fn account(id: i64, name: String) -> RecordName {
        RecordName { id, kind: RecordKind::Account, name, number: None }
    }

    /// A contact, which has none either.
    pub(crate) fn contact(id: i64, name: String) -> RecordName {
        RecordName { id, kind: RecordKind::Contact, name, number: None }
    }
}
