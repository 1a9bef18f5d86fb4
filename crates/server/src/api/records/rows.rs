//! Records as they are read.

use crate::api::threads::{RecordName, data_of};
use crate::shape::{self, Moment, UserName};
use desk::record::Page;
use model::{CaseStatus, RecordKind, Time};
use serde::Serialize;
use std::collections::BTreeMap;
use store::{records, stream};
use utoipa::ToSchema;

/// A part of a list of records.
#[derive(Serialize, ToSchema)]
pub struct RecordPage {
    /// How many records the whole list has.
    pub(super) total: i64,
    pub(super) rows: Vec<RecordRow>,
}

/// A record as a line of a list.
#[derive(Serialize, ToSchema)]
pub struct RecordRow {
    id: i64,
    #[schema(value_type = shape::RecordKind)]
    kind: RecordKind,
    /// Its name; of a case: its subject.
    name: String,
    /// Of cases: the number, as people say it.
    number: Option<String>,
    /// Of cases: where they stand.
    #[schema(value_type = Option<shape::CaseStatus>)]
    status: Option<CaseStatus>,
    account: Option<RecordName>,
    /// Mail addresses, lower case.
    addresses: Vec<String>,
    /// Unfinished cases of its threads, as far as the reader may see the threads.
    open_cases: i64,
    /// Its newest message; null if none.
    last_at: Option<Moment>,
    updated_at: Moment,
    /// Of cases: who is to act.
    assignee: Option<UserName>,
}

impl From<records::RecordRow> for RecordRow {
    fn from(row: records::RecordRow) -> RecordRow {
        RecordRow {
            id: row.id.0,
            kind: row.kind,
            name: row.name,
            number: row.number.map(|number| number.to_string()),
            status: row.status,
            account: row.account.map(|(id, name)| RecordName::account(id.0, name)),
            addresses: row.addresses,
            open_cases: row.open_cases,
            last_at: (row.last_at != Time(0)).then_some(Moment(row.last_at)),
            updated_at: row.updated_at.into(),
            assignee: row.assignee.map(|(id, name)| UserName { id: id.0, name }),
        }
    }
}

/// A field the CRM's owner invented.
#[derive(Serialize, ToSchema)]
pub struct FieldValue {
    label: String,
    value: String,
}

/// A case as a line of a record's page.
#[derive(Serialize, ToSchema)]
pub struct CaseRow {
    id: i64,
    /// As people say it.
    number: String,
    subject: String,
    #[schema(value_type = shape::CaseStatus)]
    status: CaseStatus,
    #[schema(value_type = shape::Priority)]
    priority: String,
    assignee: Option<UserName>,
    created_at: Moment,
    updated_at: Moment,
}

impl From<records::CaseRow> for CaseRow {
    fn from(row: records::CaseRow) -> CaseRow {
        CaseRow {
            id: row.id.0,
            number: row.number.to_string(),
            subject: row.subject,
            status: row.status,
            priority: row.priority,
            assignee: row.assignee.map(|(id, name)| UserName { id: id.0, name }),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// A record with what belongs to it.
#[derive(Serialize, ToSchema)]
pub struct Record {
    #[serde(flatten)]
    row: RecordRow,
    /// Domains, lower case.
    domains: Vec<String>,
    fields: Vec<FieldValue>,
    /// Its id in another system.
    external_id: Option<String>,
    /// Of an account: its contacts.
    contacts: Vec<RecordRow>,
    /// Its cases, newest first.
    cases: Vec<CaseRow>,
    /// Whether the reader follows it.
    following: bool,
    created_at: Moment,
    /// For `PATCH`.
    version: i64,
}

impl From<Page> for Record {
    fn from(page: Page) -> Record {
        let fields = page.fields.into_iter();
        Record {
            row: page.row.into(),
            domains: page.record.domains,
            fields: fields.map(|field| FieldValue { label: field.label, value: field.value }).collect(),
            external_id: page.record.external_id,
            contacts: page.contacts.into_iter().map(RecordRow::from).collect(),
            cases: page.cases.into_iter().map(CaseRow::from).collect(),
            following: page.following,
            created_at: page.record.created_at.into(),
            version: page.record.version,
        }
    }
}

/// A part of a stream.
#[derive(Serialize, ToSchema)]
pub struct StreamPage {
    pub(super) rows: Vec<StreamEntry>,
    /// For `before`; null at the end.
    pub(super) next: Option<i64>,
}

/// Something that happened to a record.
#[derive(Serialize, ToSchema)]
pub struct StreamEntry {
    id: i64,
    at: Moment,
    /// `message_in`, `message_out`, `note`, `case_created`, `assigned`, `status_changed`,
    /// `priority_changed`, `reopened`, `linked`, `unlinked`, `created`, `changed`, `merged` …
    kind: String,
    /// Null: the machine.
    actor: Option<UserName>,
    /// The message it tells of.
    message: Option<StreamMessage>,
    /// A note's text.
    body: Option<String>,
    /// `from` and `to` of changes, `number` of cases, `record` of links.
    data: BTreeMap<String, String>,
}

/// The message an entry tells of.
#[derive(Serialize, ToSchema)]
pub struct StreamMessage {
    id: i64,
    thread_id: i64,
    subject: String,
    /// Its writer's name, or the address where they have none.
    from: String,
    /// Its beginning.
    snippet: String,
}

impl From<stream::Entry> for StreamEntry {
    fn from(entry: stream::Entry) -> StreamEntry {
        StreamEntry {
            id: entry.id.0,
            at: entry.at.into(),
            kind: entry.kind.word().to_owned(),
            actor: entry.user.map(|(id, name)| UserName { id: id.0, name }),
            message: entry.message.map(StreamMessage::from),
            body: Some(entry.body).filter(|body| !body.is_empty()),
            data: data_of(&entry.data),
        }
    }
}

impl From<stream::EntryMessage> for StreamMessage {
    fn from(message: stream::EntryMessage) -> StreamMessage {
        let from = if message.from.name.is_empty() { message.from.address } else { message.from.name };
        StreamMessage {
            id: message.id.0,
            thread_id: message.thread.0,
            subject: message.subject,
            from,
            snippet: message.snippet,
        }
    }
}
