//! Who gets cases: how a mailbox shares them, teams, when people take them.

use crate::App;
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape::{self, Moment, UserName, given};
use axum::extract::State;
use desk::distribution::{self as share, AvailabilityChange, Hours};
use model::{MailboxId, TeamId, Time, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::distribution::{Member as Row, Sharing as Kept};
use utoipa::ToSchema;

/// How a mailbox shares its cases.
#[derive(Serialize, ToSchema)]
pub struct Sharing {
    #[schema(value_type = shape::Distribution)]
    distribution: model::Distribution,
    /// Of direct: who gets them.
    user_id: Option<i64>,
    /// The team that shares them; null: the mailbox's first.
    team_id: Option<i64>,
    /// Minutes within which an answer is due, counted in the team's working hours; null: no target.
    reply_within_min: Option<i64>,
    /// Days after closing within which a mail opens the case again, later ones begin a new case; null: always.
    reopen_within_days: Option<i64>,
}

impl From<Kept> for Sharing {
    fn from(sharing: Kept) -> Sharing {
        Sharing {
            distribution: sharing.how,
            user_id: sharing.user.map(|id| id.0),
            team_id: sharing.chosen_team.map(|id| id.0),
            reply_within_min: sharing.reply_within_min,
            reopen_within_days: sharing.reopen_within_days,
        }
    }
}

/// What is to change of it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SharingChange {
    #[schema(value_type = Option<shape::Distribution>)]
    distribution: Option<model::Distribution>,
    /// Of direct: who gets them.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    user_id: Option<Option<i64>>,
    /// Null: the mailbox's first.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    team_id: Option<Option<i64>>,
    /// Null: no target.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    reply_within_min: Option<Option<i64>>,
    /// Null: always.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    reopen_within_days: Option<Option<i64>>,
}

/// How a mailbox shares its cases
#[utoipa::path(get, path = "/api/v1/mailboxes/{id}/distribution", params(("id" = i64, Path)), responses((status = 200, body = Sharing)))]
pub async fn get_distribution(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Sharing>, Problem> {
    Ok(Json(share::sharing(&app.desk, &actor, MailboxId(id)).await?.into()))
}

/// Change how a mailbox shares its cases
#[utoipa::path(patch, path = "/api/v1/mailboxes/{id}/distribution", params(("id" = i64, Path)), request_body = SharingChange, responses((status = 200, body = Sharing)))]
pub async fn change_distribution(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(change): Json<SharingChange>,
) -> Result<Json<Sharing>, Problem> {
    let change = share::SharingChange {
        how: change.distribution,
        user: change.user_id.map(|id| id.map(UserId)),
        team: change.team_id.map(|id| id.map(TeamId)),
        reply_within_min: change.reply_within_min,
        reopen_within_days: change.reopen_within_days,
    };
    Ok(Json(share::change_sharing(&app.desk, &actor, MailboxId(id), change).await?.into()))
}

/// On which days of the week somebody works from when to when, in their time zone.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    /// A zone of the IANA database: `Europe/Prague`.
    zone: String,
    /// By day of the week (`"1"` is Monday, `"7"` Sunday): from and to as `HH:MM`.
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    days: BTreeMap<u8, (String, String)>,
}

impl From<Hours> for WorkingHours {
    fn from(hours: Hours) -> WorkingHours {
        WorkingHours { zone: hours.zone, days: hours.days }
    }
}

impl From<WorkingHours> for Hours {
    fn from(hours: WorkingHours) -> Hours {
        Hours { zone: hours.zone, days: hours.days }
    }
}

/// Somebody who takes cases, how many they have and when they take them.
#[derive(Serialize, ToSchema)]
pub struct Member {
    user: UserName,
    /// Whether they may sign in.
    active: bool,
    /// Whether they are away now.
    away: bool,
    away_from: Option<Moment>,
    /// Null: until further notice.
    away_until: Option<Moment>,
    /// The id of who stands in for them.
    deputy_id: Option<i64>,
    /// Open cases they take at most; null: any number.
    capacity: Option<i64>,
    /// Null: always.
    working_hours: Option<WorkingHours>,
    /// Their open cases.
    open: i64,
    /// Those of them whose customer should have been answered.
    overdue: i64,
}

impl Member {
    fn of(row: Row, now: Time) -> Member {
        let availability = row.availability;
        let away = availability.away_from.is_some_and(|from| from <= now)
            && availability.away_until.is_none_or(|until| now < until);
        Member {
            user: UserName { id: row.id.0, name: row.name },
            active: row.active,
            away,
            away_from: availability.away_from.map(Moment),
            away_until: availability.away_until.map(Moment),
            deputy_id: availability.deputy.map(|id| id.0),
            capacity: availability.capacity,
            working_hours: Hours::kept(&availability.hours).map(WorkingHours::from),
            open: row.open,
            overdue: row.overdue,
        }
    }
}

/// A team and how busy its members are.
#[derive(Serialize, ToSchema)]
pub struct TeamWork {
    id: i64,
    name: String,
    /// In which targets of its mailboxes are counted; null: always.
    working_hours: Option<WorkingHours>,
    members: Vec<Member>,
    /// Its open cases that are nobody's.
    unassigned: i64,
    /// Those of them whose customer should have been answered.
    overdue: i64,
}

impl TeamWork {
    fn of(team: share::Team, now: Time) -> TeamWork {
        TeamWork {
            id: team.id.0,
            name: team.name,
            working_hours: team.hours.map(WorkingHours::from),
            members: team.members.into_iter().map(|row| Member::of(row, now)).collect(),
            unassigned: team.unassigned,
            overdue: team.overdue,
        }
    }
}

/// A team with its members and their cases: for its members and administrators
#[utoipa::path(get, path = "/api/v1/teams/{id}", params(("id" = i64, Path)), responses((status = 200, body = TeamWork)))]
pub async fn get_team(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<TeamWork>, Problem> {
    let team = share::team(&app.desk, &actor, TeamId(id)).await?;
    Ok(Json(TeamWork::of(team, app.desk.clock.now())))
}

/// What is to change of a team.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamChange {
    /// Null: always.
    working_hours: Option<WorkingHours>,
}

/// Change a team's working hours
#[utoipa::path(put, path = "/api/v1/teams/{id}", params(("id" = i64, Path)), request_body = TeamChange, responses((status = 200, body = TeamWork)))]
pub async fn change_team(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(change): Json<TeamChange>,
) -> Result<Json<TeamWork>, Problem> {
    let hours = change.working_hours.map(Hours::from);
    let team = share::set_team_hours(&app.desk, &actor, TeamId(id), hours).await?;
    Ok(Json(TeamWork::of(team, app.desk.clock.now())))
}

/// What is to change of when somebody takes cases.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// Null: not away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Moment>)]
    away_from: Option<Option<Moment>>,
    /// Null: until further notice.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Moment>)]
    away_until: Option<Option<Moment>>,
    /// Null: nobody stands in.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    deputy_id: Option<Option<i64>>,
    /// Administrators only. Null: any number.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    capacity: Option<Option<i64>>,
    /// Administrators only. Null: always.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<WorkingHours>)]
    working_hours: Option<Option<WorkingHours>>,
}

/// When somebody takes cases: one's own, for administrators anybody's
#[utoipa::path(get, path = "/api/v1/users/{id}/availability", params(("id" = i64, Path)), responses((status = 200, body = Member)))]
pub async fn get_availability(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Member>, Problem> {
    let row = share::availability(&app.desk, &actor, UserId(id)).await?;
    Ok(Json(Member::of(row, app.desk.clock.now())))
}

/// Change when somebody takes cases
#[utoipa::path(patch, path = "/api/v1/users/{id}/availability", params(("id" = i64, Path)), request_body = MemberChange, responses((status = 200, body = Member)))]
pub async fn change_availability(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(change): Json<MemberChange>,
) -> Result<Json<Member>, Problem> {
    let change = AvailabilityChange {
        away_from: change.away_from.map(|at| at.map(|at| at.0)),
        away_until: change.away_until.map(|at| at.map(|at| at.0)),
        deputy: change.deputy_id.map(|id| id.map(UserId)),
        capacity: change.capacity,
        hours: change.working_hours.map(|hours| hours.map(Hours::from)),
    };
    let row = share::change(&app.desk, &actor, UserId(id), change).await?;
    Ok(Json(Member::of(row, app.desk.clock.now())))
}

/// How somebody's cases are handed over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// How other members of a case's team get it at once; none: it is the team's and nobody's.
    #[schema(value_type = shape::Distribution)]
    by: model::Distribution,
}

/// What became of somebody's cases.
#[derive(Serialize, ToSchema)]
pub struct HandedOver {
    /// Cases that others have now.
    given: u64,
    /// Cases that are their team's and nobody's.
    unassigned: u64,
}

/// Take somebody's cases from them, back to their teams
///
/// For oneself, and for administrators.
#[utoipa::path(post, path = "/api/v1/users/{id}/hand-over", params(("id" = i64, Path)), request_body = HandOver, responses((status = 200, body = HandedOver)))]
pub async fn hand_over_cases(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(how): Json<HandOver>,
) -> Result<Json<HandedOver>, Problem> {
    let done = share::hand_over(&app.desk, &actor, UserId(id), how.by).await?;
    Ok(Json(HandedOver { given: done.given, unassigned: done.unassigned }))
}
