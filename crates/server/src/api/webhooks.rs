//! Webhooks: other systems that rules report to, and what became of the reports.

use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::paging::Page;
use crate::problem::Problem;
use crate::shape::{self, Moment};
use axum::extract::State;
use axum::http::StatusCode;
use desk::webhook as verbs;
use model::JobId;
use serde::{Deserialize, Serialize};
use store::jobs::JobState;
use utoipa::ToSchema;

/// An address that rules may report to. Its secret is not shown.
#[derive(Serialize, ToSchema)]
pub struct Webhook {
    id: i64,
    url: String,
    /// Whether anything is sent there.
    enabled: bool,
    /// Rules that report there.
    rules: Vec<WebhookRule>,
    created_at: Moment,
}

/// A rule that reports to a webhook.
#[derive(Serialize, ToSchema)]
pub struct WebhookRule {
    id: i64,
    name: String,
}

/// What is to be different.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookPatch {
    /// Off: nothing is sent there, and what is on its way is given up.
    enabled: bool,
}

/// A report that was queued.
#[derive(Serialize, ToSchema)]
pub struct WebhookTest {
    delivery_id: i64,
}

/// An address to be named.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Begins with https://.
    url: String,
}

/// A webhook that was made.
#[derive(Serialize, ToSchema)]
pub struct WebhookMade {
    id: i64,
    url: String,
    /// What reports are signed with, shown this once. `X-Lettercase-Signature: t=<seconds>,v1=<hex>` is the
    /// HMAC-SHA256 of the seconds, a dot and the body.
    secret: String,
}

/// Reports, the newest first.
#[derive(Serialize, ToSchema)]
pub struct WebhookDeliveries {
    total: i64,
    rows: Vec<WebhookDelivery>,
}

/// A report on its way.
#[derive(Serialize, ToSchema)]
pub struct WebhookDelivery {
    id: i64,
    url: String,
    /// What it tells: `rule` or `test`.
    event: String,
    #[schema(value_type = shape::JobState)]
    state: JobState,
    attempts: i64,
    created_at: Moment,
    /// When it is tried next, while it waits.
    next_at: Option<Moment>,
    /// Why the last try failed.
    error: Option<String>,
}

/// Addresses that rules may report to
#[utoipa::path(get, path = "/api/v1/webhooks", responses((status = 200, body = [Webhook])))]
pub async fn list_webhooks(State(app): State<App>, Who(actor): Who) -> Result<Json<Vec<Webhook>>, Problem> {
    let one = |verbs::Used { webhook, rules }: verbs::Used| Webhook {
        id: webhook.id,
        url: webhook.url,
        enabled: webhook.enabled,
        rules: rules.into_iter().map(|(id, name)| WebhookRule { id: id.0, name }).collect(),
        created_at: webhook.created_at.into(),
    };
    Ok(Json(verbs::list(&app.desk, &actor).await?.into_iter().map(one).collect()))
}

/// Name an address that rules may report to
#[utoipa::path(post, path = "/api/v1/webhooks", request_body = NewWebhook, responses((status = 201, body = WebhookMade)))]
pub async fn create_webhook(
    State(app): State<App>,
    Who(actor): Who,
    Json(new): Json<NewWebhook>,
) -> Result<(StatusCode, Json<WebhookMade>), Problem> {
    let (made, secret) = verbs::add(&app.desk, &actor, &new.url).await?;
    let made = WebhookMade { id: made.id, url: made.url, secret: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Switch a webhook on or off
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", params(("id" = i64, Path)), request_body = WebhookPatch, responses((status = 204, description = "It is so.")))]
pub async fn change_webhook(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(patch): Json<WebhookPatch>,
) -> Result<StatusCode, Problem> {
    let state = if patch.enabled { verbs::Switch::On } else { verbs::Switch::Off };
    verbs::enable(&app.desk, &actor, id, state).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a webhook a report that tells nothing, to see whether it arrives
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", params(("id" = i64, Path)), responses((status = 202, body = WebhookTest)))]
pub async fn test_webhook(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<(StatusCode, Json<WebhookTest>), Problem> {
    let job = verbs::test(&app.desk, &actor, id).await?;
    Ok((StatusCode::ACCEPTED, Json(WebhookTest { delivery_id: job.0 })))
}

/// Remove a webhook; what is on its way to it is given up
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", params(("id" = i64, Path)), responses((status = 204, description = "It is gone.")))]
pub async fn remove_webhook(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    verbs::remove(&app.desk, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reports to other systems with what became of them
#[utoipa::path(get, path = "/api/v1/webhook-deliveries", params(Page), responses((status = 200, body = WebhookDeliveries)))]
pub async fn list_webhook_deliveries(
    State(app): State<App>,
    Who(actor): Who,
    Query(page): Query<Page>,
) -> Result<Json<WebhookDeliveries>, Problem> {
    let span = page.span()?;
    let (total, rows) = verbs::deliveries(&app.desk, &actor, span.offset, span.limit).await?;
    let row = |verbs::Reported { job, url, event }: verbs::Reported| WebhookDelivery {
        id: job.id.0,
        url,
        event,
        state: job.state,
        attempts: job.attempts,
        created_at: job.created_at.into(),
        next_at: (job.state == JobState::Due).then_some(Moment(job.next_at)),
        error: job.error,
    };
    Ok(Json(WebhookDeliveries { total, rows: rows.into_iter().map(row).collect() }))
}

/// Try a report again that was given up
#[utoipa::path(post, path = "/api/v1/webhook-deliveries/{id}/retry", params(("id" = i64, Path)), responses((status = 202, description = "It waits to be sent.")))]
pub async fn retry_webhook_delivery(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    verbs::again(&app.desk, &actor, JobId(id)).await?;
    Ok(StatusCode::ACCEPTED)
}
