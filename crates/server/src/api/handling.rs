//! Handing threads over and filing them by hand; who is in charge and whether it was answered.

use crate::App;
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape::{Moment, UserName};
use axum::extract::State;
use axum::http::StatusCode;
use desk::Refusal;
use desk::hand::{self, To};
use model::{ProcessId, TeamId, ThreadId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who is in charge of a thread (or of its case), and whether it was answered.
#[derive(Serialize, ToSchema)]
pub struct Charge {
    /// The user in charge.
    user: Option<UserName>,
    /// The team in charge.
    team: Option<UserName>,
    /// The area of work it is filed to.
    process: Option<UserName>,
    /// When somebody outside wrote last.
    last_in_at: Option<Moment>,
    /// When one of us wrote last.
    last_out_at: Option<Moment>,
    /// Which of us that was, where it is known.
    answered_by: Option<UserName>,
}

impl From<store::threads::Charge> for Charge {
    fn from(charge: store::threads::Charge) -> Charge {
        let user = |one: Option<(UserId, String)>| one.map(|(id, name)| UserName { id: id.0, name });
        Charge {
            user: user(charge.user),
            team: charge.team.map(|(id, name)| UserName { id: id.0, name }),
            process: charge.process.map(|(id, name)| UserName { id: id.0, name }),
            last_in_at: charge.last_in_at.map(Moment::from),
            last_out_at: charge.last_out_at.map(Moment::from),
            answered_by: user(charge.answered_by),
        }
    }
}

/// To whom a thread is handed: a user, or a team, or (neither) nobody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ThreadHand {
    user: Option<i64>,
    team: Option<i64>,
}

/// What is to change of a thread.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ThreadPatch {
    /// The area of work it is filed to; null: none.
    process: Option<i64>,
}

/// Hand a thread to a user or a team
///
/// A thread in a case is handed over with its case. Who gets it may see it from then on, and is told.
#[utoipa::path(post, path = "/api/v1/threads/{id}/hand", params(("id" = i64, Path)), request_body = ThreadHand, responses((status = 204)))]
pub async fn hand_thread(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<ThreadHand>,
) -> Result<StatusCode, Problem> {
    let to = match (form.user, form.team) {
        (Some(user), None) => To::User(UserId(user)),
        (None, Some(team)) => To::Team(TeamId(team)),
        (None, None) => To::Nobody,
        (Some(_), Some(_)) => {
            let message = "To a user or to a team, not to both.";
            return Err(Refusal::invalid("team", "bad_value", message).into());
        }
    };
    hand::hand(&app.desk, &actor, ThreadId(id), to).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// File a thread to an area of work
#[utoipa::path(patch, path = "/api/v1/threads/{id}", params(("id" = i64, Path)), request_body = ThreadPatch, responses((status = 204)))]
pub async fn change_thread(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<ThreadPatch>,
) -> Result<StatusCode, Problem> {
    hand::file(&app.desk, &actor, ThreadId(id), form.process.map(ProcessId)).await?;
    Ok(StatusCode::NO_CONTENT)
}
