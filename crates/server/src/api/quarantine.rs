//! What could not be understood: see it, save its bytes, let it be tried again.

use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::paging::Page;
use crate::problem::Problem;
use crate::shape::Moment;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::OccurrenceId;
use serde::Serialize;
use store::mailboxes::{self, Quarantined};
use utoipa::ToSchema;

/// Something that could not be understood; its bytes are kept.
#[derive(Serialize, ToSchema)]
pub struct QuarantineRow {
    occurrence_id: i64,
    /// The mailbox's address.
    mailbox: String,
    folder: String,
    /// Its number in the folder.
    uid: i64,
    reason: String,
    size_bytes: i64,
    at: Moment,
}

impl From<Quarantined> for QuarantineRow {
    fn from(row: Quarantined) -> QuarantineRow {
        QuarantineRow {
            occurrence_id: row.id.0,
            mailbox: row.mailbox,
            folder: row.folder,
            uid: row.uid,
            reason: row.reason,
            size_bytes: row.size_bytes,
            at: row.at.into(),
        }
    }
}

/// A part of the quarantine.
#[derive(Serialize, ToSchema)]
pub struct QuarantinePage {
    total: i64,
    rows: Vec<QuarantineRow>,
}

/// The quarantine, newest first
#[utoipa::path(get, path = "/api/v1/quarantine", params(Page), responses((status = 200, body = QuarantinePage)))]
pub async fn list_quarantine(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<QuarantinePage>, Problem> {
    let span = page.span()?;
    let (total, rows) = mailboxes::quarantine(&mut &app.desk.db, span.offset, span.limit).await?;
    Ok(Json(QuarantinePage { total, rows: rows.into_iter().map(QuarantineRow::from).collect() }))
}

/// Its exact bytes, to save
#[utoipa::path(get, path = "/api/v1/quarantine/{id}/raw", params(("id" = i64, Path)), responses((status = 200, description = "The message as it came.", content_type = "message/rfc822")))]
pub async fn get_quarantined_raw(State(app): State<App>, Path(id): Path<i64>) -> Result<Response, Problem> {
    let id = OccurrenceId(id);
    let mut reader = app.desk.db.snapshot().await?;
    mailboxes::quarantined(&mut reader, id).await?.ok_or_else(Problem::not_found)?;
    let bytes = desk::bytes::of_occurrence(&mut reader, id).await?.ok_or_else(Problem::not_found)?;
    let name = format!("attachment; filename=\"quarantine-{id}.eml\"");
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// Let it be filed anew
#[utoipa::path(post, path = "/api/v1/quarantine/{id}/retry", params(("id" = i64, Path)), responses((status = 204, description = "The next round of its mailbox files it.")))]
pub async fn retry_quarantined(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let mailbox = desk::mailbox::retry_quarantined(&app.desk, &actor, OccurrenceId(id)).await?;
    app.rounds.scan_now(mailbox);
    Ok(StatusCode::NO_CONTENT)
}
