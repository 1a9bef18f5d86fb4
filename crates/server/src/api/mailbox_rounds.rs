//! What is asked of a mailbox's rounds besides "scan now": to go on, and to look for what a restored
//! database does not know.

use crate::App;
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape::Moment;
use axum::extract::State;
use axum::http::StatusCode;
use desk::mailbox as verbs;
use model::MailboxId;
use serde::Serialize;
use utoipa::ToSchema;

/// How looking through the processed folders went.
#[derive(Serialize, ToSchema)]
pub struct Reconciled {
    /// When it began.
    at: Moment,
    /// Messages in the processed folders.
    looked: u64,
    /// Of them those that were unknown, and are filed now.
    filed: u64,
    /// Of them those that were unknown, and are in quarantine.
    quarantined: u64,
    /// Whether it came to its end; if not, the mailbox's error says why.
    complete: bool,
}

/// Go on: what looks new in the renumbered folders is right
#[utoipa::path(post, path = "/api/v1/mailboxes/{id}/resume", params(("id" = i64, Path)), responses((status = 204, description = "The rounds go on.")))]
pub async fn resume_mailbox(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    verbs::resume(&app.desk, &actor, MailboxId(id)).await?;
    app.rounds.settings_changed(MailboxId(id));
    Ok(StatusCode::NO_CONTENT)
}

/// Look through the processed folders for mail that is not known here
#[utoipa::path(post, path = "/api/v1/mailboxes/{id}/reconcile", params(("id" = i64, Path)), responses((status = 202, description = "It was asked for; the next round does it.")))]
pub async fn reconcile_mailbox(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    verbs::check_reconcile(&app.desk, &actor, MailboxId(id)).await?;
    app.rounds.reconcile(MailboxId(id));
    Ok(StatusCode::ACCEPTED)
}

/// How that went last; null if it was not asked for since this process began
#[utoipa::path(get, path = "/api/v1/mailboxes/{id}/reconcile", params(("id" = i64, Path)), responses((status = 200, body = Option<Reconciled>)))]
pub async fn get_reconciled(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Option<Reconciled>>, Problem> {
    let mailbox = verbs::get(&app.desk, &actor, MailboxId(id)).await?;
    let shown = |done: verbs::Reconciled| Reconciled {
        at: done.at.into(),
        looked: done.looked,
        filed: done.filed,
        quarantined: done.quarantined,
        complete: done.complete,
    };
    Ok(Json(app.rounds.reconciled(mailbox.id).map(shown)))
}
