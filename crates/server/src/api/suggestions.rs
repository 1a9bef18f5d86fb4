//! What a thread may belong to, and what a person says of a message that may not belong there.

use crate::App;
use crate::api::threads::{Link, RecordName};
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape;
use axum::extract::State;
use axum::http::StatusCode;
use model::{LinkReason, MessageId, RecordId, ThreadId};
use serde::Serialize;
use store::suggestions;
use utoipa::ToSchema;

/// A link somebody may make.
#[derive(Serialize, ToSchema)]
pub struct Suggestion {
    record: RecordName,
    #[schema(value_type = shape::LinkReason)]
    reason: LinkReason,
    /// What matched: an address, a domain, a number.
    detail: String,
    /// How sure it is, in percent.
    confidence: i64,
    /// The message that suggests it; null: the whole thread does.
    message_id: Option<i64>,
}

impl From<suggestions::Suggestion> for Suggestion {
    fn from(one: suggestions::Suggestion) -> Suggestion {
        Suggestion {
            record: one.record.into(),
            reason: one.reason,
            detail: one.detail,
            confidence: one.confidence,
            message_id: one.message.map(|id| id.0),
        }
    }
}

/// The thread a message went to.
#[derive(Serialize, ToSchema)]
pub struct DetachedTo {
    thread_id: i64,
}

/// What a thread may belong to, the likeliest first
#[utoipa::path(get, path = "/api/v1/threads/{id}/suggestions", params(("id" = i64, Path)), responses((status = 200, body = [Suggestion])))]
pub async fn list_suggestions(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Vec<Suggestion>>, Problem> {
    let found = desk::suggestion::list(&app.desk, &actor, ThreadId(id)).await?;
    Ok(Json(found.into_iter().map(Suggestion::from).collect()))
}

/// Link what was suggested
#[utoipa::path(post, path = "/api/v1/threads/{id}/suggestions/{record}/accept", params(("id" = i64, Path), ("record" = i64, Path)), responses((status = 201, body = Link)))]
pub async fn accept_suggestion(
    State(app): State<App>,
    Who(actor): Who,
    Path((id, record)): Path<(i64, i64)>,
) -> Result<(StatusCode, Json<Link>), Problem> {
    let link = desk::suggestion::accept(&app.desk, &actor, ThreadId(id), RecordId(record)).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

/// Dismiss what was suggested: nothing suggests or links it to this thread again
#[utoipa::path(post, path = "/api/v1/threads/{id}/suggestions/{record}/dismiss", params(("id" = i64, Path), ("record" = i64, Path)), responses((status = 204)))]
pub async fn dismiss_suggestion(
    State(app): State<App>,
    Who(actor): Who,
    Path((id, record)): Path<(i64, i64)>,
) -> Result<StatusCode, Problem> {
    desk::suggestion::dismiss(&app.desk, &actor, ThreadId(id), RecordId(record)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say that an unverified message belongs where it is
#[utoipa::path(post, path = "/api/v1/messages/{id}/verify", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn verify_message(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    desk::verify::verify(&app.desk, &actor, MessageId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a message out of its thread into one of its own
#[utoipa::path(post, path = "/api/v1/messages/{id}/detach", params(("id" = i64, Path)), responses((status = 200, body = DetachedTo)))]
pub async fn detach_message(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<DetachedTo>, Problem> {
    let thread = desk::verify::detach(&app.desk, &actor, MessageId(id)).await?;
    Ok(Json(DetachedTo { thread_id: thread.0 }))
}
