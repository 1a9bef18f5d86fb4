//! The feed of changes, by cursor.

use crate::App;
use crate::extract::{Json, Query, Who};
use crate::paging::limit_of;
use crate::problem::Problem;
use crate::shape::{self, Moment};
use axum::extract::State;
use desk::may::Actor;
use model::ChangeId;
use serde::{Deserialize, Serialize};
use store::changes::{self, ChangeKind, Listener};
use utoipa::ToSchema;

/// Something that happened; who wants to know more asks the ordinary routes.
#[derive(Serialize, ToSchema)]
pub struct ChangeRow {
    id: i64,
    #[schema(value_type = shape::ChangeKind)]
    kind: ChangeKind,
    /// Of its kind.
    entity_id: i64,
    thread_id: Option<i64>,
    action: String,
    at: Moment,
}

impl From<changes::ChangeRow> for ChangeRow {
    fn from(row: changes::ChangeRow) -> ChangeRow {
        ChangeRow {
            id: row.id.0,
            kind: row.kind,
            entity_id: row.entity_id,
            thread_id: row.thread.map(|id| id.0),
            action: row.action,
            at: row.at.into(),
        }
    }
}

/// A part of the feed.
#[derive(Serialize, ToSchema)]
pub struct ChangePage {
    rows: Vec<ChangeRow>,
    /// For `after`, also where there is nothing new yet.
    next: i64,
}

/// Where to read on.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Cursor {
    /// Rows after this one. Default: from the beginning.
    after: Option<i64>,
    /// Rows at most, 1 to 200. Default 50.
    limit: Option<u32>,
}

/// What somebody may hear of.
pub fn listener(actor: &Actor) -> Listener {
    Listener {
        mail: actor.mail_access(),
        records: actor.records_heard(),
        mailboxes: actor.mailboxes_heard(),
        user: actor.user,
    }
}

/// The feed of changes, oldest first
#[utoipa::path(get, path = "/api/v1/changes", params(Cursor), responses((status = 200, body = ChangePage)))]
pub async fn list_changes(
    State(app): State<App>,
    Who(actor): Who,
    Query(cursor): Query<Cursor>,
) -> Result<Json<ChangePage>, Problem> {
    let after = ChangeId(cursor.after.unwrap_or(0));
    let limit = limit_of(cursor.limit)?;
    let (rows, next) = changes::after(&mut &app.desk.db, &listener(&actor), after, limit as usize).await?;
    Ok(Json(ChangePage { rows: rows.into_iter().map(ChangeRow::from).collect(), next: next.0 }))
}
