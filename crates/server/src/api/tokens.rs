//! One's own API tokens.

use crate::App;
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape::Moment;
use axum::extract::State;
use axum::http::StatusCode;
use desk::sign_in;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A token; its text is not kept.
#[derive(Serialize, ToSchema)]
pub struct Token {
    id: i64,
    name: String,
    created_at: Moment,
    /// To within some minutes.
    last_used_at: Option<Moment>,
}

/// A name for a new token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    name: String,
}

/// A new token.
#[derive(Serialize, ToSchema)]
pub struct TokenMade {
    id: i64,
    name: String,
    /// `lc_…`, shown this once.
    token: String,
}

/// One's own tokens, newest first
#[utoipa::path(get, path = "/api/v1/tokens", responses((status = 200, body = [Token])))]
pub async fn list_tokens(State(app): State<App>, Who(actor): Who) -> Result<Json<Vec<Token>>, Problem> {
    let rows = store::people::tokens(&mut &app.desk.db, actor.person()?).await?;
    let token = |row: store::people::Token| Token {
        id: row.id,
        name: row.name,
        created_at: row.created_at.into(),
        last_used_at: row.used_at.map(Moment),
    };
    Ok(Json(rows.into_iter().map(token).collect()))
}

/// Make a token with one's own rights
#[utoipa::path(post, path = "/api/v1/tokens", request_body = NewToken, responses((status = 201, body = TokenMade)))]
pub async fn create_token(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewToken>,
) -> Result<(StatusCode, Json<TokenMade>), Problem> {
    let (id, token) = sign_in::add_token(&app.desk, &actor, &form.name).await?;
    let name = form.name.trim().to_owned();
    Ok((StatusCode::CREATED, Json(TokenMade { id, name, token })))
}

/// Remove one of one's own tokens; it stops working at once
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", params(("id" = i64, Path)), responses((status = 204, description = "It is gone.")))]
pub async fn remove_token(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    sign_in::remove_token(&app.desk, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
