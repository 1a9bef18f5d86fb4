//! Labels, and putting them on threads.

use crate::App;
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape;
use axum::extract::State;
use axum::http::StatusCode;
use desk::label::{self, Hue};
use model::{LabelId, ThreadId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A label.
#[derive(Serialize, ToSchema)]
pub struct Label {
    id: i64,
    name: String,
    #[schema(value_type = shape::Hue)]
    hue: String,
}

impl From<store::labels::Label> for Label {
    fn from(label: store::labels::Label) -> Label {
        Label { id: label.id.0, name: label.name, hue: label.hue }
    }
}

/// A label in the list of all.
#[derive(Serialize, ToSchema)]
pub struct LabelRow {
    id: i64,
    name: String,
    #[schema(value_type = shape::Hue)]
    hue: String,
    /// On how many conversations it is; null for those who may not remove labels.
    threads: Option<i64>,
}

/// A new label.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLabel {
    name: String,
    /// Grey where it is left out.
    #[schema(value_type = Option<shape::Hue>)]
    hue: Option<Hue>,
}

/// What is to change of a label.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelPatch {
    name: Option<String>,
    #[schema(value_type = Option<shape::Hue>)]
    hue: Option<Hue>,
}

/// Labels by name
#[utoipa::path(get, path = "/api/v1/labels", responses((status = 200, body = [LabelRow])))]
pub async fn list_labels(State(app): State<App>, Who(actor): Who) -> Result<Json<Vec<LabelRow>>, Problem> {
    let rows = label::counted(&app.desk, &actor).await?.into_iter();
    let row = |(label, threads): (store::labels::Label, Option<i64>)| LabelRow {
        id: label.id.0,
        name: label.name,
        hue: label.hue,
        threads,
    };
    Ok(Json(rows.map(row).collect()))
}

/// Add a label
#[utoipa::path(post, path = "/api/v1/labels", request_body = NewLabel, responses((status = 201, body = Label)))]
pub async fn create_label(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewLabel>,
) -> Result<(StatusCode, Json<Label>), Problem> {
    let label = label::create(&app.desk, &actor, &form.name, form.hue.unwrap_or(Hue::Grey)).await?;
    Ok((StatusCode::CREATED, Json(label.into())))
}

/// Rename a label, or give it another hue
#[utoipa::path(patch, path = "/api/v1/labels/{id}", params(("id" = i64, Path)), request_body = LabelPatch, responses((status = 200, body = Label)))]
pub async fn change_label(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<LabelPatch>,
) -> Result<Json<Label>, Problem> {
    Ok(Json(label::change(&app.desk, &actor, LabelId(id), form.name, form.hue).await?.into()))
}

/// Remove a label from everywhere; rules that put it are switched off
#[utoipa::path(delete, path = "/api/v1/labels/{id}", params(("id" = i64, Path)), responses((status = 204, description = "It is gone.")))]
pub async fn remove_label(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    label::remove(&app.desk, &actor, LabelId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Put a label on a thread
#[utoipa::path(put, path = "/api/v1/threads/{id}/labels/{label}", params(("id" = i64, Path), ("label" = i64, Path)), responses((status = 204, description = "It is there.")))]
pub async fn put_label(
    State(app): State<App>,
    Who(actor): Who,
    Path((id, label)): Path<(i64, i64)>,
) -> Result<StatusCode, Problem> {
    label::put(&app.desk, &actor, ThreadId(id), LabelId(label)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a label off a thread
#[utoipa::path(delete, path = "/api/v1/threads/{id}/labels/{label}", params(("id" = i64, Path), ("label" = i64, Path)), responses((status = 204, description = "It is not there.")))]
pub async fn take_label_off(
    State(app): State<App>,
    Who(actor): Who,
    Path((id, label)): Path<(i64, i64)>,
) -> Result<StatusCode, Problem> {
    label::take_off(&app.desk, &actor, ThreadId(id), LabelId(label)).await?;
    Ok(StatusCode::NO_CONTENT)
}
