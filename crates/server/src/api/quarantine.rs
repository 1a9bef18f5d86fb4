//! What could not be understood: see it, save its bytes, let it be tried again.

use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::paging::Page;
use crate::problem::Problem;
use crate::shape::Moment;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{OccurrenceId, QuarantineReason};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::quarantine::{self, Quarantined};
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
    /// Why, in English.
    reason: String,
    /// The same as a stable word: `too_large`, `unreadable`, `damaged`, `withheld`, `not_filed`.
    code: &'static str,
    /// What the sentence for the code speaks of: `said`, `size_bytes`.
    params: BTreeMap<&'static str, String>,
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
            code: row.code.word(),
            params: BTreeMap::from([
                ("said", row.reason.clone()),
                ("size_bytes", row.size_bytes.to_string()),
            ]),
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
    /// How many there are for each reason.
    reasons: Vec<ReasonCount>,
}

/// How many are in quarantine for one reason.
#[derive(Serialize, ToSchema)]
pub struct ReasonCount {
    code: &'static str,
    count: i64,
}

/// What is to be tried again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryAll {
    /// All of this reason; of every reason if null.
    reason: Option<String>,
}

/// What is tried again.
#[derive(Serialize, ToSchema)]
pub struct Retried {
    retried: usize,
}

/// The quarantine, newest first
#[utoipa::path(get, path = "/api/v1/quarantine", params(Page), responses((status = 200, body = QuarantinePage)))]
pub async fn list_quarantine(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<QuarantinePage>, Problem> {
    let span = page.span()?;
    let mut reader = app.desk.db.snapshot().await?;
    let rows = quarantine::page(&mut reader, span.offset, span.limit).await?;
    let reasons = quarantine::reasons(&mut reader).await?;
    Ok(Json(QuarantinePage {
        total: reasons.iter().map(|(_, count)| count).sum(),
        rows: rows.into_iter().map(QuarantineRow::from).collect(),
        reasons: reasons.into_iter().map(|(code, count)| ReasonCount { code: code.word(), count }).collect(),
    }))
}

/// Its exact bytes, to save
#[utoipa::path(get, path = "/api/v1/quarantine/{id}/raw", params(("id" = i64, Path)), responses((status = 200, description = "The message as it came.", content_type = "message/rfc822")))]
pub async fn get_quarantined_raw(State(app): State<App>, Path(id): Path<i64>) -> Result<Response, Problem> {
    let id = OccurrenceId(id);
    let mut reader = app.desk.db.snapshot().await?;
    quarantine::get(&mut reader, id).await?.ok_or_else(Problem::not_found)?;
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
    let mailbox = desk::quarantine::retry(&app.desk, &actor, OccurrenceId(id)).await?;
    app.rounds.scan_now(mailbox);
    Ok(StatusCode::NO_CONTENT)
}

/// Let all of a reason be filed anew, or everything
#[utoipa::path(post, path = "/api/v1/quarantine/retry", request_body = RetryAll, responses((status = 200, body = Retried)))]
pub async fn retry_quarantine(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<RetryAll>,
) -> Result<Json<Retried>, Problem> {
    let unknown =
        || Problem::invalid("reason", "unknown", "too_large, unreadable, damaged, withheld, not_filed");
    let code = form.reason.map(|word| QuarantineReason::of(&word).ok_or_else(unknown)).transpose()?;
    let (retried, mailboxes) = desk::quarantine::retry_all(&app.desk, &actor, code).await?;
    for mailbox in mailboxes {
        app.rounds.scan_now(mailbox);
    }
    Ok(Json(Retried { retried }))
}
