//! Outgoing mail of the system: what was sent, what failed, what nobody knows.

use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::paging::Page;
use crate::problem::Problem;
use crate::shape::{self, Moment};
use axum::extract::State;
use axum::http::StatusCode;
use desk::sending as verbs;
use model::OutboxId;
use serde::Serialize;
use store::outbox::OutboxState;
use utoipa::ToSchema;

/// Outgoing mail, the newest first.
#[derive(Serialize, ToSchema)]
pub struct OutboxPage {
    total: i64,
    rows: Vec<OutboxMessage>,
}

/// A message.
#[derive(Serialize, ToSchema)]
pub struct OutboxMessage {
    id: i64,
    /// Through which mailbox; null: the system's outgoing server.
    mailbox_id: Option<i64>,
    from: String,
    created_at: Moment,
    recipients: Vec<OutboxRecipient>,
}

/// A recipient's copy.
#[derive(Serialize, ToSchema)]
pub struct OutboxRecipient {
    address: String,
    #[schema(value_type = shape::OutboxState)]
    state: OutboxState,
    attempts: i64,
    /// When it is tried next, while it waits.
    next_at: Option<Moment>,
    /// What the server said last, or why it was not reached.
    reply: Option<String>,
}

/// Outgoing mail of the system with what became of it
#[utoipa::path(get, path = "/api/v1/outbox", params(Page), responses((status = 200, body = OutboxPage)))]
pub async fn list_outbox(
    State(app): State<App>,
    Who(actor): Who,
    Query(page): Query<Page>,
) -> Result<Json<OutboxPage>, Problem> {
    let span = page.span()?;
    let (total, rows) = verbs::page(&app.desk, &actor, span.offset, span.limit).await?;
    let recipient = |one: store::outbox::Recipient| OutboxRecipient {
        address: one.address,
        state: one.state,
        attempts: one.attempts,
        next_at: (one.state == OutboxState::Queued).then_some(Moment(one.next_at)),
        reply: one.reply,
    };
    let row =
        |(message, recipients): (store::outbox::Message, Vec<store::outbox::Recipient>)| OutboxMessage {
            id: message.id.0,
            mailbox_id: message.mailbox.map(|id| id.0),
            from: message.envelope_from,
            created_at: Moment(message.created_at),
            recipients: recipients.into_iter().map(recipient).collect(),
        };
    Ok(Json(OutboxPage { total, rows: rows.into_iter().map(row).collect() }))
}

/// Send again what failed or is ambiguous
#[utoipa::path(post, path = "/api/v1/outbox/{id}/retry", params(("id" = i64, Path)), responses((status = 202, description = "It waits to be sent.")))]
pub async fn retry_outbox(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    verbs::again(&app.desk, &actor, OutboxId(id)).await?;
    Ok(StatusCode::ACCEPTED)
}
