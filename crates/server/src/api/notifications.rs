//! What somebody is told, and that they have read it.

use crate::App;
use crate::extract::{Json, Query, Who};
use crate::paging::Page;
use crate::problem::Problem;
use crate::shape::{self, Moment};
use axum::extract::State;
use axum::http::StatusCode;
use desk::notification::{Event, Ways};
use model::NotificationId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Something one is told. The interface has a sentence for each kind.
#[derive(Serialize, ToSchema)]
pub struct Notification {
    id: i64,
    /// A stable word: `mailbox_waiting_for_owner`, `mailbox_silent` …
    kind: String,
    /// What the sentence speaks of, by name.
    data: BTreeMap<String, String>,
    mailbox_id: Option<i64>,
    thread_id: Option<i64>,
    record_id: Option<i64>,
    #[schema(value_type = Option<shape::RecordKind>)]
    record_kind: Option<String>,
    /// How often it happened since one read it.
    count: i64,
    at: Moment,
    read: bool,
}

/// A part of what one is told, the newest first.
#[derive(Serialize, ToSchema)]
pub struct NotificationPage {
    total: i64,
    unread: i64,
    rows: Vec<Notification>,
}

/// How far one has read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpTo {
    /// This one and all before it.
    up_to: i64,
}

fn row(row: store::notifications::Notification) -> Notification {
    Notification {
        id: row.id.0,
        kind: row.kind,
        data: serde_json::from_str(&row.data).unwrap_or_default(),
        mailbox_id: row.mailbox.map(|id| id.0),
        thread_id: row.thread.map(|id| id.0),
        record_id: row.record.map(|id| id.0),
        record_kind: row.record_kind,
        count: row.count,
        at: row.at.into(),
        read: row.read,
    }
}

/// What one is told, the newest first
#[utoipa::path(get, path = "/api/v1/notifications", params(Page), responses((status = 200, body = NotificationPage)))]
pub async fn list_notifications(
    State(app): State<App>,
    Who(actor): Who,
    Query(page): Query<Page>,
) -> Result<Json<NotificationPage>, Problem> {
    let span = page.span()?;
    let (total, unread, rows) = desk::notification::page(&app.desk, &actor, span.offset, span.limit).await?;
    Ok(Json(NotificationPage { total, unread, rows: rows.into_iter().map(row).collect() }))
}

/// Mark what one is told as read
#[utoipa::path(post, path = "/api/v1/notifications/read", request_body = UpTo, responses((status = 204, description = "They count as read.")))]
pub async fn read_notifications(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<UpTo>,
) -> Result<StatusCode, Problem> {
    desk::notification::read(&app.desk, &actor, NotificationId(form.up_to)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where one is told of an event.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationSetting {
    #[schema(value_type = shape::NotificationEvent)]
    event: Event,
    /// In the interface.
    app: bool,
    /// By mail, to one's first address.
    mail: bool,
}

/// Where one is told of each event
#[utoipa::path(get, path = "/api/v1/me/notifications", responses((status = 200, body = [NotificationSetting])))]
pub async fn get_notification_settings(
    State(app): State<App>,
    Who(actor): Who,
) -> Result<Json<Vec<NotificationSetting>>, Problem> {
    let ways = desk::notification::settings(&app.desk, &actor).await?;
    let row = |(event, Ways { app, mail })| NotificationSetting { event, app, mail };
    Ok(Json(ways.into_iter().map(row).collect()))
}

/// Say where one wants to be told; events that are left out stay as they are
#[utoipa::path(put, path = "/api/v1/me/notifications", request_body = [NotificationSetting], responses((status = 204)))]
pub async fn set_notification_settings(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<Vec<NotificationSetting>>,
) -> Result<StatusCode, Problem> {
    let wanted: Vec<(Event, Ways)> = form
        .into_iter()
        .take(Event::ALL.len())
        .map(|one| (one.event, Ways { app: one.app, mail: one.mail }))
        .collect();
    desk::notification::change(&app.desk, &actor, &wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}
