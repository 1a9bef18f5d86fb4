//! Accounts, contacts, leads, opportunities: lists, pages, streams, changes.

mod forms;
mod rows;

pub use forms::{NewRecord, RecordChange};
pub use rows::{CaseRow, FieldValue, Record, RecordPage, RecordRow, StreamEntry, StreamPage};

use crate::App;
use crate::api::threads::{Note, ThreadPage};
use crate::extract::{Json, Path, Query, Who};
use crate::paging::{Page, limit_of};
use crate::problem::Problem;
use crate::shape;
use axum::extract::State;
use axum::http::StatusCode;
use desk::record::{Listing, Put};
use model::{CaseStatus, NoteId, RecordId, RecordKind, UserId};
use serde::Deserialize;
use store::records::Sort;

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
    /// Of cases: a user's id, `me`, or `none` for nobody.
    assignee: Option<String>,
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
    let listing = Listing {
        kind: query.kind,
        text: query.q,
        status: query.status,
        assignee: query.assignee.map(|word| assignee(&word, actor.user)).transpose()?,
        sort: query.sort,
    };
    let (offset, limit) = (span.offset as i64, i64::from(span.limit));
    let (total, rows) = desk::record::list(&app.desk, &actor, listing, offset, limit).await?;
    Ok(Json(RecordPage { total, rows: rows.into_iter().map(RecordRow::from).collect() }))
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

/// Make a record
///
/// With an `external_id` that a record of this kind has already, that record is changed instead (200).
#[utoipa::path(post, path = "/api/v1/records", request_body = NewRecord, responses((status = 201, body = Record), (status = 200, body = Record)))]
pub async fn create_record(
    State(app): State<App>,
    Who(actor): Who,
    Json(new): Json<NewRecord>,
) -> Result<(StatusCode, Json<Record>), Problem> {
    let (put, page) = desk::record::put(&app.desk, &actor, new.kind, new.changes()).await?;
    let status = match put {
        Put::Created => StatusCode::CREATED,
        Put::Changed => StatusCode::OK,
    };
    Ok((status, Json(page.into())))
}

/// One record
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
    let page = desk::record::change(&app.desk, &actor, RecordId(id), version, change.changes()).await?;
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
    let (rows, next) = desk::record::stream(&app.desk, &actor, RecordId(id), before, limit).await?;
    Ok(Json(StreamPage {
        rows: rows.into_iter().map(StreamEntry::from).collect(),
        next: next.map(|id| id.0),
    }))
}

/// Write a note into a record's stream
#[utoipa::path(post, path = "/api/v1/records/{id}/notes", params(("id" = i64, Path)), request_body = Note, responses((status = 201, body = StreamEntry)))]
pub async fn add_record_note(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(note): Json<Note>,
) -> Result<(StatusCode, Json<StreamEntry>), Problem> {
    let entry = desk::note::on_record(&app.desk, &actor, RecordId(id), &note.body).await?;
    Ok((StatusCode::CREATED, Json(entry.into())))
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
