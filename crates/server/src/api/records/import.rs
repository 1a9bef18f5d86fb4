//! Records out of files: upload, preview, import by batches.

use super::FieldChange;
use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::problem::Problem;
use crate::shape::{self, Moment};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use desk::record::import::{self, Column, Existing, Plan, Row, Target};
use model::{ImportId, RecordKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What is uploaded.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// What its rows are.
    #[param(value_type = shape::RecordKind)]
    kind: RecordKind,
    /// The file's name.
    name: Option<String>,
}

/// How a file is imported.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportPlan {
    /// What its rows are.
    #[schema(value_type = shape::RecordKind)]
    kind: RecordKind,
    /// What becomes of each column.
    columns: Vec<ImportColumn>,
    /// What happens to records that are there already.
    #[schema(value_type = shape::ImportExisting)]
    existing: Existing,
}

/// What becomes of one column.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportColumn {
    #[schema(value_type = shape::ImportTarget)]
    to: Target,
    /// Of a field: what it is called.
    #[serde(default)]
    label: String,
}

impl From<Plan> for ImportPlan {
    fn from(plan: Plan) -> ImportPlan {
        let columns =
            plan.columns.into_iter().map(|column| ImportColumn { to: column.to, label: column.label });
        ImportPlan { kind: plan.kind, columns: columns.collect(), existing: plan.existing }
    }
}

impl From<ImportPlan> for Plan {
    fn from(plan: ImportPlan) -> Plan {
        let columns = plan.columns.into_iter().map(|column| Column { to: column.to, label: column.label });
        Plan { kind: plan.kind, columns: columns.collect(), existing: plan.existing }
    }
}

/// A file as far as it was imported.
#[derive(Serialize, ToSchema)]
pub struct ImportState {
    id: i64,
    /// The file's name.
    name: String,
    created_at: Moment,
    /// Names of its columns.
    columns: Vec<String>,
    plan: ImportPlan,
    /// How many rows it has.
    total: i64,
    /// How many of them are done.
    done: i64,
    /// Done rows by what became of them: `created`, `changed`, `same`, `left`, `refused`.
    outcomes: BTreeMap<String, i64>,
}

impl From<import::State> for ImportState {
    fn from(state: import::State) -> ImportState {
        ImportState {
            id: state.id.0,
            name: state.name,
            created_at: state.created_at.into(),
            columns: state.columns,
            plan: state.plan.into(),
            total: state.total,
            done: state.done,
            outcomes: state.outcomes,
        }
    }
}

/// The reader's files.
#[derive(Serialize, ToSchema)]
pub struct ImportStates {
    rows: Vec<ImportState>,
}

/// What an import would do.
#[derive(Serialize, ToSchema)]
pub struct ImportPreview {
    import: ImportState,
    /// The first rows that are not done.
    rows: Vec<ImportRow>,
}

/// Rows of a file.
#[derive(Serialize, ToSchema)]
pub struct ImportRows {
    rows: Vec<ImportRow>,
}

/// A row, and what became of it or would.
#[derive(Serialize, ToSchema)]
pub struct ImportRow {
    /// Its place in the file, from 1, without the row of names.
    number: i64,
    cells: Vec<String>,
    /// `created`, `changed`, `same`, `left`, `refused`.
    outcome: String,
    /// The record it changes; null for a new one.
    record_id: Option<i64>,
    /// Its name.
    record_name: Option<String>,
    /// Why it was refused: the field and the code of what is wrong, such as `addresses.bad_value`, or a code alone.
    reason: Option<String>,
    /// The same as a sentence.
    message: Option<String>,
    /// What is different afterwards.
    changes: Vec<FieldChange>,
}

impl From<Row> for ImportRow {
    fn from(row: Row) -> ImportRow {
        let (record_id, record_name) = row.record.map_or((None, None), |(id, name)| (id, Some(name)));
        let (reason, message) = row.reason.unzip();
        ImportRow {
            number: row.position + 1,
            cells: row.cells,
            outcome: row.outcome,
            record_id: record_id.map(|id| id.0),
            record_name,
            reason,
            message,
            changes: row.changes.into_iter().map(FieldChange::from).collect(),
        }
    }
}

/// The reader's uploaded files, newest first
#[utoipa::path(get, path = "/api/v1/records/imports", responses((status = 200, body = ImportStates)))]
pub async fn list_imports(State(app): State<App>, Who(actor): Who) -> Result<Json<ImportStates>, Problem> {
    let rows = import::list(&app.desk, &actor).await?;
    Ok(Json(ImportStates { rows: rows.into_iter().map(ImportState::from).collect() }))
}

/// Upload a file of records: CSV or vCard
///
/// Nothing is imported yet: what the columns are is guessed, and shown by the preview.
#[utoipa::path(post, path = "/api/v1/records/imports", params(UploadQuery), request_body(content = String, content_type = "application/octet-stream"), responses((status = 201, body = ImportState)))]
pub async fn upload_import(
    State(app): State<App>,
    Who(actor): Who,
    Query(query): Query<UploadQuery>,
    body: Bytes,
) -> Result<(StatusCode, Json<ImportState>), Problem> {
    let name = query.name.unwrap_or_default();
    let state = import::upload(&app.desk, &actor, query.kind, &name, body.to_vec()).await?;
    Ok((StatusCode::CREATED, Json(state.into())))
}

/// One uploaded file
#[utoipa::path(get, path = "/api/v1/records/imports/{id}", params(("id" = i64, Path)), responses((status = 200, body = ImportState)))]
pub async fn get_import(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<ImportState>, Problem> {
    Ok(Json(import::open(&app.desk, &actor, ImportId(id)).await?.into()))
}

/// Forget an uploaded file; what was imported of it stays
#[utoipa::path(delete, path = "/api/v1/records/imports/{id}", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn remove_import(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    import::remove(&app.desk, &actor, ImportId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A plan, or none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// Kept for the import; without one the plan as it is.
    plan: Option<ImportPlan>,
}

/// What an import would do with the first rows
///
/// Written and thrown away: what it shows is what will happen.
#[utoipa::path(post, path = "/api/v1/records/imports/{id}/preview", params(("id" = i64, Path)), request_body = PreviewRequest, responses((status = 200, body = ImportPreview)))]
pub async fn preview_import(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<PreviewRequest>,
) -> Result<Json<ImportPreview>, Problem> {
    let plan = form.plan.map(Plan::from);
    let (state, rows) = import::preview(&app.desk, &actor, ImportId(id), plan).await?;
    Ok(Json(ImportPreview { import: state.into(), rows: rows.into_iter().map(ImportRow::from).collect() }))
}

/// Import the next batch of rows
///
/// Called until `done` is `total`. A row that cannot be imported is put aside; the others go on. Interrupted
/// anywhere, it is called again.
#[utoipa::path(post, path = "/api/v1/records/imports/{id}/continue", params(("id" = i64, Path)), responses((status = 200, body = ImportState)))]
pub async fn continue_import(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<ImportState>, Problem> {
    Ok(Json(import::go_on(&app.desk, &actor, ImportId(id)).await?.into()))
}

/// The rows that were refused
#[utoipa::path(get, path = "/api/v1/records/imports/{id}/refused", params(("id" = i64, Path)), responses((status = 200, body = ImportRows)))]
pub async fn list_refused(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<ImportRows>, Problem> {
    let rows = import::refused(&app.desk, &actor, ImportId(id)).await?;
    Ok(Json(ImportRows { rows: rows.into_iter().map(ImportRow::from).collect() }))
}

/// The rows that were refused, as CSV, with their reason
#[utoipa::path(get, path = "/api/v1/records/imports/{id}/refused.csv", params(("id" = i64, Path)), responses((status = 200, body = String, content_type = "text/csv")))]
pub async fn get_refused(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<impl IntoResponse, Problem> {
    let csv = import::refused_csv(&app.desk, &actor, ImportId(id)).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"refused.csv\""),
    ];
    Ok((headers, csv))
}
