//! Accounts, contacts, leads, opportunities: lists, pages, streams, changes.

mod convert;
mod forms;
mod import;
mod merge;
mod rows;

pub use convert::*;
pub use forms::{NewRecord, RecordChange, RecordForm};
pub use import::*;
pub use merge::*;
pub use rows::{
    CaseRow, FieldChange, FieldValue, Record, RecordPage, RecordRow, StageSum, StageSums, StreamEntry,
    StreamPage,
};

use crate::App;
use crate::api::threads::{Note, ThreadPage};
use crate::extract::{Json, Path, Query, Who};
use crate::paging::{Page, limit_of};
use crate::problem::Problem;
use crate::shape;
use axum::extract::State;
use axum::http::StatusCode;
use desk::record::{Listing, Put};
use model::{CaseStatus, LeadStatus, NoteId, RecordId, RecordKind, Stage, TeamId, UserId};
use serde::{Deserialize, Serialize};
use store::records::Sort;
use store::stream::Only;
use utoipa::ToSchema;

/// A note that was written into a stream.
#[derive(Serialize, ToSchema)]
pub struct WrittenEntry {
    #[serde(flatten)]
    entry: StreamEntry,
    /// Names of people it names who may not see it and are not told.
    not_told: Vec<String>,
}

/// Which records, and which part of them.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RecordQuery {
    /// What they are.
    #[param(value_type = Option<shape::RecordKind>)]
    kind: Option<RecordKind>,
    /// The beginning of a word of the name or of an address, or a case's number.
    q: Option<String>,
    /// Of cases: where they stand.
    #[param(value_type = Option<shape::CaseStatus>)]
    status: Option<CaseStatus>,
    /// Of opportunities their stage, of leads their status.
    stage: Option<String>,
    /// Who is to act: a user's id, `me`, or `none` for nobody.
    assignee: Option<String>,
    /// The team in charge.
    team: Option<i64>,
    /// What belongs to this account.
    account: Option<i64>,
    /// Those one follows.
    followed: Option<bool>,
    /// The order. Default: cases newest first, the rest by name.
    #[param(value_type = Option<shape::RecordSort>, inline)]
    sort: Option<Sort>,
    /// Rows to leave out, from the beginning. Default 0.
    offset: Option<u64>,
    /// Rows at most, 1 to 200. Default 50.
    limit: Option<u32>,
}

/// Which part of a stream.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// Only its mail, its notes, or what else happened.
    #[param(value_type = Option<shape::StreamOnly>, inline)]
    only: Option<Only>,
    /// Entries before this one: `next` of the part before. Default: the newest.
    before: Option<i64>,
    /// Rows at most, 1 to 200. Default 50.
    limit: Option<u32>,
}

/// A part of a list of records
#[utoipa::path(get, path = "/api/v1/records", params(RecordQuery), responses((status = 200, body = RecordPage)))]
pub async fn list_records(
    State(app): State<App>,
    Who(actor): Who,
    Query(query): Query<RecordQuery>,
) -> Result<Json<RecordPage>, Problem> {
    let span = Page::of(query.offset, query.limit)?;
    let listing = query.listing(actor.user)?;
    let (offset, limit) = (span.offset as i64, i64::from(span.limit));
    let (total, rows) = desk::record::list(&app.desk, &actor, listing, offset, limit).await?;
    Ok(Json(RecordPage { total, rows: rows.into_iter().map(RecordRow::from).collect() }))
}

impl RecordQuery {
    fn listing(self, me: Option<UserId>) -> Result<Listing, Problem> {
        Ok(Listing {
            kind: self.kind,
            text: self.q,
            status: self.status,
            stage: self.stage.map(|word| stage(&word)).transpose()?,
            assignee: self.assignee.map(|word| assignee(&word, me)).transpose()?,
            team: self.team.map(TeamId),
            account: self.account.map(RecordId),
            followed: self.followed.unwrap_or(false),
            sort: self.sort,
        })
    }
}

/// Stages of opportunities and statuses of leads have some words in common.
fn stage(word: &str) -> Result<&'static str, Problem> {
    let known = Stage::of(word).map(Stage::word).or(LeadStatus::of(word).map(LeadStatus::word));
    known.ok_or_else(|| {
        Problem::invalid("stage", "bad_value", "a stage of opportunities or a status of leads")
    })
}

fn assignee(word: &str, me: Option<UserId>) -> Result<Option<UserId>, Problem> {
    match word {
        "none" => Ok(None),
        "me" => Ok(me),
        id => {
            let id = id
                .parse()
                .map_err(|_| Problem::invalid("assignee", "bad_value", "a user's id, `me` or `none`"))?;
            Ok(Some(UserId(id)))
        }
    }
}

/// How many opportunities are in each stage, and what they are worth
///
/// Of the same filter as the list of records; a row for each stage and currency.
#[utoipa::path(get, path = "/api/v1/opportunities/stages", params(RecordQuery), responses((status = 200, body = StageSums)))]
pub async fn list_stages(
    State(app): State<App>,
    Who(actor): Who,
    Query(query): Query<RecordQuery>,
) -> Result<Json<StageSums>, Problem> {
    let listing = Listing { kind: Some(RecordKind::Opportunity), ..query.listing(actor.user)? };
    let rows = desk::record::stages(&app.desk, &actor, listing).await?;
    Ok(Json(StageSums { rows: rows.into_iter().map(StageSum::from).collect() }))
}

/// Make a record
///
/// With an `external_id` that a record of this kind has already, that record is changed instead (200).
#[utoipa::path(post, path = "/api/v1/records", request_body = NewRecord, responses((status = 201, body = Record), (status = 200, body = Record)))]
pub async fn create_record(
    State(app): State<App>,
    Who(actor): Who,
    Json(new): Json<NewRecord>,
) -> Result<(StatusCode, Json<Record>), Problem> {
    let changes = new.form.changes(new.external_id)?;
    Ok(written(desk::record::put(&app.desk, &actor, new.kind, changes).await?))
}

/// Make or change the record with this id in another system
///
/// Putting the same twice is putting it once, also at the same moment.
#[utoipa::path(put, path = "/api/v1/records/{kind}/external/{external_id}", params(("kind" = shape::RecordKind, Path), ("external_id" = String, Path)), request_body = RecordForm, responses((status = 201, body = Record), (status = 200, body = Record)))]
pub async fn put_record(
    State(app): State<App>,
    Who(actor): Who,
    Path((kind, external_id)): Path<(RecordKind, String)>,
    Json(form): Json<RecordForm>,
) -> Result<(StatusCode, Json<Record>), Problem> {
    let changes = form.changes(Some(external_id))?;
    Ok(written(desk::record::put(&app.desk, &actor, kind, changes).await?))
}

fn written((put, page): (Put, desk::record::Page)) -> (StatusCode, Json<Record>) {
    let status = match put {
        Put::Created => StatusCode::CREATED,
        Put::Changed => StatusCode::OK,
    };
    (status, Json(page.into()))
}

/// One record; of one that was merged into another that one
#[utoipa::path(get, path = "/api/v1/records/{id}", params(("id" = i64, Path)), responses((status = 200, body = Record)))]
pub async fn get_record(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Record>, Problem> {
    Ok(Json(desk::record::open(&app.desk, &actor, RecordId(id)).await?.into()))
}

/// Change a record that is no case
#[utoipa::path(patch, path = "/api/v1/records/{id}", params(("id" = i64, Path)), request_body = RecordChange, responses((status = 200, body = Record)))]
pub async fn change_record(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(change): Json<RecordChange>,
) -> Result<Json<Record>, Problem> {
    let version = change.version;
    let page = desk::record::change(&app.desk, &actor, RecordId(id), version, change.changes()?).await?;
    Ok(Json(page.into()))
}

/// What happened to a record, newest first
#[utoipa::path(get, path = "/api/v1/records/{id}/stream", params(("id" = i64, Path), StreamQuery), responses((status = 200, body = StreamPage)))]
pub async fn get_record_stream(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Query(query): Query<StreamQuery>,
) -> Result<Json<StreamPage>, Problem> {
    let limit = i64::from(limit_of(query.limit)?);
    let before = query.before.map(NoteId);
    let (rows, next) =
        desk::record::stream_of(&app.desk, &actor, RecordId(id), query.only, before, limit).await?;
    Ok(Json(StreamPage {
        rows: rows.into_iter().map(StreamEntry::from).collect(),
        next: next.map(|id| id.0),
    }))
}

/// Write a note into a record's stream
#[utoipa::path(post, path = "/api/v1/records/{id}/notes", params(("id" = i64, Path)), request_body = Note, responses((status = 201, body = WrittenEntry)))]
pub async fn add_record_note(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(note): Json<Note>,
) -> Result<(StatusCode, Json<WrittenEntry>), Problem> {
    let note = desk::note::on_record(&app.desk, &actor, RecordId(id), &note.body).await?;
    Ok((StatusCode::CREATED, Json(WrittenEntry { entry: note.entry.into(), not_told: note.not_told })))
}

/// The threads of a record, newest mail first; of an account also those of its contacts
#[utoipa::path(get, path = "/api/v1/records/{id}/threads", params(("id" = i64, Path), Page), responses((status = 200, body = ThreadPage)))]
pub async fn list_record_threads(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Query(page): Query<Page>,
) -> Result<Json<ThreadPage>, Problem> {
    let span = page.span()?;
    let (offset, limit) = (span.offset as i64, i64::from(span.limit));
    Ok(Json(desk::record::threads(&app.desk, &actor, RecordId(id), offset, limit).await?.into()))
}

/// Follow a record
#[utoipa::path(put, path = "/api/v1/records/{id}/follow", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn follow_record(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    desk::record::follow(&app.desk, &actor, RecordId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Follow a record no longer
#[utoipa::path(delete, path = "/api/v1/records/{id}/follow", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn unfollow_record(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    desk::record::unfollow(&app.desk, &actor, RecordId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
