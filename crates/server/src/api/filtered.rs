//! What filters left out of a mailbox: see it, have it filed after all.

use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::paging::Page;
use crate::problem::Problem;
use crate::shape::Moment;
use axum::extract::State;
use axum::http::StatusCode;
use desk::filtered::LeftOut;
use model::{MailboxId, OccurrenceId};
use serde::Serialize;
use utoipa::ToSchema;

/// A message that a filter left out; its bytes are kept.
#[derive(Serialize, ToSchema)]
pub struct FilteredRow {
    occurrence_id: i64,
    folder: String,
    /// The filter; null where it is somebody else's own.
    rule: Option<i64>,
    /// Its name; empty where it is gone, or somebody else's own.
    rule_name: String,
    subject: String,
    /// The writer's name, or the address where there is none.
    from: String,
    size_bytes: i64,
    at: Moment,
}

impl From<LeftOut> for FilteredRow {
    fn from(row: LeftOut) -> FilteredRow {
        FilteredRow {
            occurrence_id: row.id.0,
            folder: row.folder,
            rule: row.rule.map(|id| id.0),
            rule_name: row.rule_name,
            subject: row.subject,
            from: row.from,
            size_bytes: row.size_bytes,
            at: row.at.into(),
        }
    }
}

/// A part of what filters left out.
#[derive(Serialize, ToSchema)]
pub struct FilteredPage {
    total: i64,
    rows: Vec<FilteredRow>,
}

/// What filters left out of a mailbox, newest first
#[utoipa::path(get, path = "/api/v1/mailboxes/{id}/filtered", params(("id" = i64, Path), Page), responses((status = 200, body = FilteredPage)))]
pub async fn list_filtered(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Query(page): Query<Page>,
) -> Result<Json<FilteredPage>, Problem> {
    let span = page.span()?;
    let (total, rows) =
        desk::filtered::list(&app.desk, &actor, MailboxId(id), span.offset, span.limit).await?;
    Ok(Json(FilteredPage { total, rows: rows.into_iter().map(FilteredRow::from).collect() }))
}

/// Have one filed after all, without filters
#[utoipa::path(post, path = "/api/v1/filtered/{id}/file", params(("id" = i64, Path)), responses((status = 204, description = "The next round of its mailbox files it.")))]
pub async fn file_filtered(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let mailbox = desk::filtered::file_after_all(&app.desk, &actor, OccurrenceId(id)).await?;
    app.rounds.scan_now(mailbox);
    Ok(StatusCode::NO_CONTENT)
}
