//! Signing in and out, first set-up, one's own settings.

use crate::App;
use crate::extract::{Json, Who};
use crate::guard::{self, Signed};
use crate::problem::Problem;
use crate::shape;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::people::{Density, Language, NewUser, SettingsChange, Theme};
use desk::seal::Secret;
use desk::sign_in::{self, NewSession, SignInError};
use model::{GroupMail, Level};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far somebody may look.
#[derive(Serialize, ToSchema)]
pub struct Rights {
    /// Mail.
    #[schema(value_type = shape::Level)]
    mail: Level,
    /// Records.
    #[schema(value_type = shape::Level)]
    records: Level,
    /// Whether they may connect personal mailboxes of their own.
    own_mailboxes: bool,
    /// From which shared group mailboxes they may send.
    #[schema(value_type = shape::GroupMail)]
    group_mail: GroupMail,
}

/// Oneself.
#[derive(Serialize, ToSchema)]
pub struct User {
    id: i64,
    name: String,
    login: String,
    /// Language of the interface.
    #[schema(value_type = shape::Language)]
    language: Language,
    /// Sets up mailboxes, people and roles.
    administrator: bool,
    #[schema(value_type = shape::Theme)]
    theme: Theme,
    #[schema(value_type = shape::Density)]
    density: Density,
    /// Whether single keys do things.
    shortcuts: bool,
    rights: Rights,
    /// The teams they are in.
    teams: Vec<i64>,
}

impl User {
    async fn of(app: &App, user: store::people::User) -> Result<User, Problem> {
        let teams = store::people::belongings(&mut &app.desk.db, user.id).await?.teams;
        Ok(User {
            id: user.id.0,
            name: user.name,
            login: user.login,
            language: Language::of(&user.language).unwrap_or(Language::English),
            administrator: user.role.administrator,
            theme: Theme::of(&user.theme).unwrap_or(Theme::System),
            density: Density::of(&user.density).unwrap_or(Density::Comfortable),
            shortcuts: user.shortcuts,
            teams: teams.into_iter().map(|id| id.0).collect(),
            rights: Rights {
                mail: user.role.mail,
                records: user.role.records,
                own_mailboxes: user.role.own_mailboxes,
                group_mail: user.role.group_mail,
            },
        })
    }
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub struct Session {
    /// Null: nobody.
    user: Option<User>,
    /// Nobody is there yet: show the first set-up.
    setup_required: bool,
    /// For the header `X-CSRF-Token`; empty where there is no session.
    csrf_token: String,
    /// The program's version.
    version: &'static str,
}

/// Login and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    login: String,
    password: String,
}

/// Somebody has signed in.
#[derive(Serialize, ToSchema)]
pub struct SignedIn {
    user: User,
    /// For the header `X-CSRF-Token`.
    csrf_token: String,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    name: String,
    login: String,
    /// At least 10 characters.
    password: String,
    #[schema(value_type = shape::Language)]
    language: Language,
}

/// What is to be changed of one's own settings.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeChange {
    name: Option<String>,
    #[schema(value_type = Option<shape::Language>)]
    language: Option<Language>,
    #[schema(value_type = Option<shape::Theme>)]
    theme: Option<Theme>,
    #[schema(value_type = Option<shape::Density>)]
    density: Option<Density>,
    shortcuts: Option<bool>,
}

/// Who is signed in, and whether anybody is there yet
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = Session)))]
pub async fn get_session(
    State(app): State<App>,
    who: Option<Who>,
    signed: Option<Extension<Signed>>,
) -> Result<Json<Session>, Problem> {
    let mut user = None;
    if let Some(id) = who.and_then(|who| who.0.user)
        && let Some(found) = store::people::user(&mut &app.desk.db, id).await?
    {
        user = Some(User::of(&app, found).await?);
    }
    let setup_required = user.is_none() && desk::people::set_up_required(&app.desk).await?;
    let csrf_token = signed.map_or(String::new(), |signed| signed.0.0.csrf);
    Ok(Json(Session { user, setup_required, csrf_token, version: env!("CARGO_PKG_VERSION") }))
}

/// Sign in
#[utoipa::path(post, path = "/api/v1/session", request_body = SignIn, responses((status = 200, body = SignedIn)))]
pub async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    Json(form): Json<SignIn>,
) -> Result<Response, Problem> {
    let old = guard::cookie(&headers, app.settings.cookie_name());
    let session = sign_in::sign_in(&app.desk, &form.login, &form.password, old).await?;
    signed_in(&app, session).await
}

/// Sign out
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204, description = "The session has ended.")))]
pub async fn sign_out(
    State(app): State<App>,
    signed: Option<Extension<Signed>>,
) -> Result<Response, Problem> {
    if let Some(Extension(Signed(session))) = signed {
        sign_in::sign_out(&app.desk, &session).await?;
    }
    let cookie = cookie(&app, "", 0);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// First set-up: make the administrator and sign in
#[utoipa::path(post, path = "/api/v1/setup", request_body = SetUp, responses((status = 200, body = SignedIn)))]
pub async fn set_up(State(app): State<App>, Json(form): Json<SetUp>) -> Result<Response, Problem> {
    let new = NewUser {
        name: form.name,
        login: form.login,
        password: Secret::new(form.password),
        language: form.language,
        role: None,
        addresses: Vec::new(),
        teams: Vec::new(),
    };
    let session = desk::people::set_up(&app.desk, new).await?;
    signed_in(&app, session).await
}

/// Change one's own settings
#[utoipa::path(patch, path = "/api/v1/me", request_body = MeChange, responses((status = 200, body = User)))]
pub async fn change_me(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<MeChange>,
) -> Result<Json<User>, Problem> {
    let MeChange { name, language, theme, density, shortcuts } = form;
    let change = SettingsChange { name, language, theme, density, shortcuts };
    let user = desk::people::change_settings(&app.desk, &actor, change).await?;
    Ok(Json(User::of(&app, user).await?))
}

async fn signed_in(app: &App, session: NewSession) -> Result<Response, Problem> {
    let cookie = cookie(app, &session.cookie, sign_in::LONGEST_S);
    let body = SignedIn { user: User::of(app, session.user).await?, csrf_token: session.csrf };
    Ok(([(header::SET_COOKIE, cookie)], Json(body)).into_response())
}

/// The browser may keep the cookie as long as a session can live; the server ends it earlier.
fn cookie(app: &App, value: &str, max_age_s: i64) -> HeaderValue {
    let secure = if app.settings.secure { "; Secure" } else { "" };
    let name = app.settings.cookie_name();
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}");
    HeaderValue::try_from(text).expect("name and value are base64 and ASCII words")
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Problem {
        let sentence = error.to_string();
        match error {
            SignInError::WrongLogin => Problem::new(StatusCode::UNAUTHORIZED, "wrong_login", sentence),
            SignInError::TooMany { retry_after_s } => {
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", sentence)
                    .retry_after(retry_after_s)
            }
            SignInError::Failed(error) => Problem::failed(&error),
        }
    }
}
