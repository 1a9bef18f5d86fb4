//! Signing in at a provider: in the browser, or on another device.

use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::problem::Problem;
use crate::shape::Moment;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use desk::grant::{self as verbs, Standing};
use desk::may::Actor;
use desk::people::Language;
use model::ProviderId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the browser comes back to.
const CALLBACK: &str = "/api/v1/oauth/callback";

/// About which address somebody signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// The provider offers it as the login name.
    address: Option<String>,
}

/// A sign-in in the browser has begun.
#[derive(Serialize, ToSchema)]
pub struct Authorizing {
    /// Open this in a window of its own.
    url: String,
    /// How it went is at `/api/v1/grant-requests/{request}`.
    request: String,
}

/// A sign-in on another device has begun.
#[derive(Serialize, ToSchema)]
pub struct DeviceCode {
    /// How it goes is at `/api/v1/grant-requests/{request}`.
    request: String,
    /// What the person types in.
    user_code: String,
    /// Where.
    verification_uri: String,
    /// Seconds between two looks.
    interval_s: u64,
    expires_at: Moment,
}

/// How a sign-in at a provider stands.
#[derive(Serialize, ToSchema)]
pub struct GrantRequest {
    /// `pending`, `granted`, `refused`, `expired`.
    state: &'static str,
    /// What was granted, for a mailbox's `grant_id`.
    grant_id: Option<i64>,
    /// The provider's word why not: `access_denied` …
    error: Option<String>,
}

impl From<Standing> for GrantRequest {
    fn from(standing: Standing) -> GrantRequest {
        let (state, grant_id, error) = match standing {
            Standing::Pending => ("pending", None, None),
            Standing::Granted(id) => ("granted", Some(id.0), None),
            Standing::Refused(word) => ("refused", None, Some(word)),
            Standing::Expired => ("expired", None, None),
        };
        GrantRequest { state, grant_id, error }
    }
}

/// What a provider sends the browser back with; it may say more.
#[derive(Deserialize)]
pub struct Back {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// Begin to sign in at a provider in the browser
#[utoipa::path(post, path = "/api/v1/providers/{id}/authorize", params(("id" = i64, Path)), request_body = Authorize, responses((status = 200, body = Authorizing)))]
pub async fn authorize(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Json(form): Json<Authorize>,
) -> Result<Json<Authorizing>, Problem> {
    let back = format!("{}{CALLBACK}", origin(&app, &headers)?);
    let asked = verbs::authorize(&app.desk, &actor, ProviderId(id), &back, form.address.as_deref()).await?;
    Ok(Json(Authorizing { url: asked.url, request: asked.request }))
}

/// Begin to sign in at a provider on another device
#[utoipa::path(post, path = "/api/v1/providers/{id}/device", params(("id" = i64, Path)), responses((status = 200, body = DeviceCode)))]
pub async fn ask_device(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<DeviceCode>, Problem> {
    let asked = verbs::device(&app.desk, &actor, app.rounds.authority(), ProviderId(id)).await?;
    Ok(Json(DeviceCode {
        request: asked.request,
        user_code: asked.user_code,
        verification_uri: asked.verification_uri,
        interval_s: asked.interval_s,
        expires_at: Moment(asked.expires_at),
    }))
}

/// How one's own sign-in at a provider stands
#[utoipa::path(get, path = "/api/v1/grant-requests/{request}", params(("request" = String, Path)), responses((status = 200, body = GrantRequest)))]
pub async fn get_grant_request(
    State(app): State<App>,
    Who(actor): Who,
    Path(request): Path<String>,
) -> Result<Json<GrantRequest>, Problem> {
    Ok(Json(verbs::standing(&app.desk, &actor, app.rounds.authority(), &request).await?.into()))
}

/// Where a provider sends the browser back; a page for people
#[utoipa::path(get, path = "/api/v1/oauth/callback", responses((status = 200, description = "The sign-in is finished or refused; the page says so.", content_type = "text/html")))]
pub async fn oauth_callback(
    State(app): State<App>,
    who: Option<Who>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let Some(Who(actor)) = who else {
        return Ok(page(StatusCode::UNAUTHORIZED, Language::English, Outcome::NotSignedIn));
    };
    let language = language_of(&app, &actor).await?;
    let state = back.state.unwrap_or_default();
    let code = match (&back.code, &back.error) {
        (Some(code), None) => Ok(code.as_str()),
        (_, error) => Err(error.as_deref().unwrap_or("no_code")),
    };
    match verbs::granted(&app.desk, &actor, app.rounds.authority(), &state, code).await {
        Ok(Standing::Granted(_)) => Ok(page(StatusCode::OK, language, Outcome::Granted)),
        Ok(_) | Err(desk::Refusal::NotFound) => Ok(page(StatusCode::BAD_REQUEST, language, Outcome::Refused)),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn language_of(app: &App, actor: &Actor) -> Result<Language, Problem> {
    let Some(id) = actor.user else { return Ok(Language::English) };
    let user = store::people::user(&mut &app.desk.db, id).await?;
    Ok(user.and_then(|user| Language::of(&user.language)).unwrap_or(Language::English))
}

/// The configured address, or the one the request came to. A provider sends nobody to an address that was not
/// registered there, so a made-up host leads nowhere.
fn origin(app: &App, headers: &HeaderMap) -> Result<String, Problem> {
    if let Some(url) = &app.settings.url {
        return Ok(url.clone());
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let sound = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c));
    match sound {
        true => Ok(format!("{}://{host}", if app.settings.secure { "https" } else { "http" })),
        false => Err(Problem::bad_request("no_host", "The request does not say which host it asks.")),
    }
}

enum Outcome {
    Granted,
    Refused,
    NotSignedIn,
}

/// A page that says how it went and nothing of what came in the address.
fn page(status: StatusCode, language: Language, outcome: Outcome) -> Response {
    let text = match (language, outcome) {
        (_, Outcome::NotSignedIn) => "Sign in to Lettercase in this browser first, then begin again.",
        (Language::English, Outcome::Granted) => "Done. You can close this window.",
        (Language::Czech, Outcome::Granted) => "Hotovo. Okno můžete zavřít.",
        (Language::Slovak, Outcome::Granted) => "Hotovo. Okno môžete zavrieť.",
        (Language::Polish, Outcome::Granted) => "Gotowe. Możesz zamknąć to okno.",
        (Language::English, Outcome::Refused) => {
            "Signing in did not succeed. Close this window and begin again."
        }
        (Language::Czech, Outcome::Refused) => "Přihlášení se nezdařilo. Okno zavřete a začněte znovu.",
        (Language::Slovak, Outcome::Refused) => "Prihlásenie sa nepodarilo. Okno zavrite a začnite znova.",
        (Language::Polish, Outcome::Refused) => "Logowanie nie powiodło się. Zamknij okno i zacznij od nowa.",
    };
    let html = format!(
        "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><title>Lettercase</title><p>{text}</p></html>",
        language.word()
    );
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}
