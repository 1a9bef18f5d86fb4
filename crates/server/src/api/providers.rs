//! OAuth providers: where people sign in instead of entering a password.

use crate::App;
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use desk::grant::{self as verbs, PRESETS};
use desk::seal::Secret;
use model::ProviderId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A provider. Its client secret is never shown.
#[derive(Serialize, ToSchema)]
pub struct Provider {
    id: i64,
    name: String,
    /// The well-known provider it is; empty: another.
    preset: String,
    authorize_url: String,
    token_url: String,
    /// Empty: it lets nobody sign in on another device.
    device_url: String,
    /// Divided by spaces.
    scope: String,
    client_id: String,
    has_client_secret: bool,
}

/// All providers.
#[derive(Serialize, ToSchema)]
pub struct Providers {
    rows: Vec<Provider>,
    /// The words a new provider can be made of.
    presets: Vec<&'static str>,
}

/// A provider to set up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProvider {
    /// `google` or `microsoft`: fills in what is not said.
    preset: Option<String>,
    /// Default: the preset's.
    name: Option<String>,
    /// Default: the preset's; https.
    authorize_url: Option<String>,
    /// Default: the preset's; https.
    token_url: Option<String>,
    /// Default: the preset's.
    device_url: Option<String>,
    /// Default: the preset's.
    scope: Option<String>,
    /// As registered at the provider.
    client_id: String,
    /// Default: none, the client is public.
    client_secret: Option<String>,
}

/// What is to be changed of a provider. Another place for tokens or another client without the secret: the stored
/// one is forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderChange {
    name: Option<String>,
    authorize_url: Option<String>,
    token_url: Option<String>,
    device_url: Option<String>,
    scope: Option<String>,
    client_id: Option<String>,
    /// Empty: forget it.
    client_secret: Option<String>,
}

impl From<store::grants::Provider> for Provider {
    fn from(row: store::grants::Provider) -> Provider {
        Provider {
            id: row.id.0,
            name: row.name,
            preset: row.preset,
            authorize_url: row.authorize_url,
            token_url: row.token_url,
            device_url: row.device_url,
            scope: row.scope,
            client_id: row.client_id,
            has_client_secret: row.has_secret,
        }
    }
}

/// All providers that are set up
#[utoipa::path(get, path = "/api/v1/providers", responses((status = 200, body = Providers)))]
pub async fn list_providers(State(app): State<App>, Who(actor): Who) -> Result<Json<Providers>, Problem> {
    let rows = verbs::list(&app.desk, &actor).await?.into_iter().map(Into::into).collect();
    Ok(Json(Providers { rows, presets: PRESETS.iter().map(|preset| preset.word).collect() }))
}

/// Set up a provider
#[utoipa::path(post, path = "/api/v1/providers", request_body = NewProvider, responses((status = 201, body = Provider)))]
pub async fn create_provider(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewProvider>,
) -> Result<(StatusCode, Json<Provider>), Problem> {
    let new = verbs::ProviderChange {
        name: form.name,
        authorize_url: form.authorize_url,
        token_url: form.token_url,
        device_url: form.device_url,
        scope: form.scope,
        client_id: Some(form.client_id),
        client_secret: form.client_secret.map(Secret::new),
    };
    let made = verbs::add(&app.desk, &actor, form.preset.as_deref(), new).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Change a provider
#[utoipa::path(patch, path = "/api/v1/providers/{id}", params(("id" = i64, Path)), request_body = ProviderChange, responses((status = 200, body = Provider)))]
pub async fn change_provider(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<ProviderChange>,
) -> Result<Json<Provider>, Problem> {
    let change = verbs::ProviderChange {
        name: form.name,
        authorize_url: form.authorize_url,
        token_url: form.token_url,
        device_url: form.device_url,
        scope: form.scope,
        client_id: form.client_id,
        client_secret: form.client_secret.map(Secret::new),
    };
    Ok(Json(verbs::change(&app.desk, &actor, ProviderId(id), change).await?.into()))
}

/// Remove a provider that has granted nothing
#[utoipa::path(delete, path = "/api/v1/providers/{id}", params(("id" = i64, Path)), responses((status = 204, description = "It is gone.")))]
pub async fn remove_provider(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    verbs::remove(&app.desk, &actor, ProviderId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
