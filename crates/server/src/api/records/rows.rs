//! Records as they are read.

use crate::api::threads::{RecordName, data_of};
use crate::shape::{self, Moment, TeamName, UserName};
use desk::record::{Page, decimal};
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
    /// Its newest message that the reader may see; null if none.
    last_at: Option<Moment>,
    updated_at: Moment,
    /// For `PATCH`.
    version: i64,
    /// Who is to act.
    assignee: Option<UserName>,
    /// The team in charge.
    team: Option<TeamName>,
    /// Of an opportunity its stage, of a lead its status.
    stage: Option<String>,
    /// Of an opportunity: what it is worth, a decimal number.
    amount: Option<String>,
    /// ISO 4217.
    currency: Option<String>,
    /// Of an opportunity: the day it is expected to close.
    closes_on: Option<String>,
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
            version: row.version,
            assignee: row.assignee.map(|(id, name)| UserName { id: id.0, name }),
            team: row.team.map(|(id, name)| TeamName { id: id.0, name }),
            stage: row.deal.stage,
            amount: row.deal.amount.map(decimal),
            currency: row.deal.currency,
            closes_on: row.deal.closes_on,
        }
    }
}

/// Numbers and sums of opportunities.
#[derive(Serialize, ToSchema)]
pub struct StageSums {
    pub(super) rows: Vec<StageSum>,
}

/// How many opportunities of one currency are in a stage.
#[derive(Serialize, ToSchema)]
pub struct StageSum {
    stage: String,
    /// Null: those without an amount.
    currency: Option<String>,
    records: i64,
    /// What they are worth together, a decimal number.
    amount: String,
}

impl From<records::StageSum> for StageSum {
    fn from(sum: records::StageSum) -> StageSum {
        let records::StageSum { stage, currency, records, amount } = sum;
        StageSum { stage, currency, records, amount: decimal(amount) }
    }
}

/// A field the CRM's owner invented.
#[derive(Serialize, ToSchema)]
pub struct FieldValue {
    label: String,
    value: String,
}

impl FieldValue {
    pub(super) fn new(label: String, value: String) -> FieldValue {
        FieldValue { label, value }
    }
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
    /// A text about it; of a case what was written first.
    description: String,
    /// Its id in another system.
    external_id: Option<String>,
    /// Of a contact: further accounts.
    further_accounts: Vec<RecordName>,
    /// Of a converted lead: the contact it became.
    converted_into: Option<RecordName>,
    /// Of an account: its contacts, also those who have it among further ones.
    contacts: Vec<RecordRow>,
    /// Of an account: its opportunities.
    opportunities: Vec<RecordRow>,
    /// Its cases, newest first.
    cases: Vec<CaseRow>,
    /// Whether the reader follows it.
    following: bool,
    created_at: Moment,
}

impl From<Page> for Record {
    fn from(page: Page) -> Record {
        let fields = page.fields.into_iter();
        let further = page.record.further_accounts.into_iter();
        Record {
            row: page.row.into(),
            domains: page.record.domains,
            fields: fields.map(|field| FieldValue::new(field.label, field.value)).collect(),
            description: page.record.description,
            external_id: page.record.external_id,
            further_accounts: further.map(|(id, name)| RecordName::account(id.0, name)).collect(),
            converted_into: page.record.converted_into.map(|(id, name)| RecordName::contact(id.0, name)),
            opportunities: page.opportunities.into_iter().map(RecordRow::from).collect(),
            contacts: page.contacts.into_iter().map(RecordRow::from).collect(),
            cases: page.cases.into_iter().map(CaseRow::from).collect(),
            following: page.following,
            created_at: page.record.created_at.into(),
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
    /// Of a changed record: what is different, field by field.
    changes: Vec<FieldChange>,
}

/// A field that changed. Names stand for ids.
#[derive(Serialize, ToSchema)]
pub struct FieldChange {
    /// As in the record's form; `fields` for one that people invented.
    field: String,
    /// What that one is called.
    label: String,
    /// Empty for nothing.
    from: String,
    /// Empty for nothing.
    to: String,
}

impl From<desk::record::FieldChange> for FieldChange {
    fn from(change: desk::record::FieldChange) -> FieldChange {
        let desk::record::FieldChange { field, label, from, to } = change;
        FieldChange { field, label, from, to }
    }
}

/// The changes that an entry's data name, if it does.
fn changes_of(json: &str) -> Vec<FieldChange> {
    #[derive(serde::Deserialize)]
    struct Data {
        changes: Vec<desk::record::FieldChange>,
    }
    let data: Option<Data> = serde_json::from_str(json).ok();
    data.map(|data| data.changes.into_iter().map(FieldChange::from).collect()).unwrap_or_default()
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
            changes: changes_of(&entry.data),
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
