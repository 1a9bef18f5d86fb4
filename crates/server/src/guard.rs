//! The door of every route: who asks, is it really them, may they.
//!
//! A program shows `Authorization: Bearer lc_…`. A browser shows its session cookie, which it sends by
//! itself also where another site made it ask; so whatever changes something must also show the
//! session's CSRF token in `X-CSRF-Token`, which another site cannot read, and a browser that says the
//! request comes from another site (`Sec-Fetch-Site`) is refused before anything is looked up.
//!
//! Permission is asked here, from the table of routes, and again by the verbs of `desk`.

use crate::App;
use crate::extract::Who;
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use desk::may::Verb;
use desk::sign_in::{self, Session};

/// The header that shows the session's CSRF token.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Everybody; nobody is looked up.
    Open,
    /// Everybody; a session is recognised where there is one.
    Anybody,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever may do this.
    May(Verb),
}

/// The browser session behind a request, for handlers that end or show it.
#[derive(Clone)]
pub struct Signed(pub Session);

/// The user's id, left on the response for the log.
#[derive(Clone, Copy)]
pub struct AskedBy(pub model::UserId);

/// Lets a request through its door, or answers with the problem.
pub async fn pass(State((app, door)): State<(App, Door)>, mut request: Request, next: Next) -> Response {
    let asked_by = match admit(&app, door, &mut request).await {
        Ok(asked_by) => asked_by,
        Err(problem) => return problem.into_response(),
    };
    let mut response = next.run(request).await;
    if let Some(user) = asked_by {
        response.extensions_mut().insert(AskedBy(user));
    }
    response
}

async fn admit(app: &App, door: Door, request: &mut Request) -> Result<Option<model::UserId>, Problem> {
    if door == Door::Open {
        return Ok(None);
    }
    let actor = match bearer(request.headers()) {
        Some(token) => {
            let actor = sign_in::by_token(&app.desk, token).await?;
            Some(actor.ok_or_else(bad_token)?)
        }
        None => by_cookie(app, door, request).await?,
    };
    match (&actor, door) {
        (Some(actor), Door::May(verb)) => actor.may(verb)?,
        (None, Door::May(_) | Door::SignedIn) => return Err(Problem::sign_in_required()),
        _ => {}
    }
    let user = actor.as_ref().and_then(|actor| actor.user);
    if let Some(actor) = actor {
        request.extensions_mut().insert(Who(actor));
    }
    Ok(user)
}

async fn by_cookie(
    app: &App,
    door: Door,
    request: &mut Request,
) -> Result<Option<desk::may::Actor>, Problem> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && from_other_site(request.headers()) {
        let detail = "The request comes from another site.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "cross_site", detail));
    }
    let Some(cookie) = cookie(request.headers(), app.settings.cookie_name()) else { return Ok(None) };
    let Some(session) = sign_in::by_cookie(&app.desk, cookie).await? else { return Ok(None) };
    // Who signs in anew has no use for the old session's token.
    if changes && door != Door::Anybody && !shows_csrf(request.headers(), &session.csrf) {
        let detail = "The header X-CSRF-Token is missing or old. Ask GET /api/v1/session for the token.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "csrf_token", detail));
    }
    let actor = session.actor.clone();
    request.extensions_mut().insert(Signed(session));
    Ok(Some(actor))
}

fn bad_token() -> Problem {
    let detail = "The token is unknown, ended or removed.";
    Problem::new(StatusCode::UNAUTHORIZED, "bad_token", detail)
}

/// `none`: typed into the address bar. No header: an old browser or a program, which the CSRF token
/// and the JSON content type hold off.
fn from_other_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

fn shows_csrf(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers.get(CSRF_HEADER).map(|value| value.as_bytes()).unwrap_or_default();
    sign_in::same_secret(shown, token.as_bytes())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a cookie (RFC 6265 section 5.4).
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
