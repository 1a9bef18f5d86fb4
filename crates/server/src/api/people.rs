//! Users, roles, teams, processes.

use crate::App;
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape::{self, UserName};
use axum::extract::State;
use axum::http::StatusCode;
use desk::people::{Language, RoleChange, UserChange};
use desk::seal::Secret;
use model::{GroupMail, Level, RoleId, TeamId, UserId};
use serde::{Deserialize, Serialize};
use store::people;
use utoipa::ToSchema;

/// A user as others see them.
#[derive(Serialize, ToSchema)]
pub struct UserRow {
    id: i64,
    name: String,
    login: String,
    administrator: bool,
    /// Whether they may sign in.
    active: bool,
    role: UserName,
}

impl From<people::User> for UserRow {
    fn from(user: people::User) -> UserRow {
        UserRow {
            id: user.id.0,
            name: user.name,
            login: user.login,
            administrator: user.role.administrator,
            active: user.active,
            role: UserName { id: user.role.id.0, name: user.role.name },
        }
    }
}

/// A new user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    name: String,
    /// What they type to sign in; a mail address or a short name.
    login: String,
    /// At least 10 characters.
    password: String,
    #[schema(value_type = Option<shape::Language>)]
    language: Option<Language>,
    /// Their role; without one they see no mail.
    role_id: Option<i64>,
    /// Their mail addresses.
    addresses: Option<Vec<String>>,
    /// Their teams.
    teams: Option<Vec<i64>>,
}

/// What is to be changed of a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    name: Option<String>,
    /// At least 10 characters; ends their sessions.
    password: Option<String>,
    /// Ends their sessions.
    role_id: Option<i64>,
    /// False ends their sessions.
    active: Option<bool>,
    /// All their mail addresses.
    addresses: Option<Vec<String>>,
    /// All their teams.
    teams: Option<Vec<i64>>,
}

/// A named set of rights.
#[derive(Serialize, ToSchema)]
pub struct Role {
    id: i64,
    name: String,
    administrator: bool,
    #[schema(value_type = shape::Level)]
    mail: Level,
    #[schema(value_type = shape::Level)]
    records: Level,
    /// Whether its holders may connect personal mailboxes of their own.
    own_mailboxes: bool,
    /// From which shared group mailboxes they may send.
    #[schema(value_type = shape::GroupMail)]
    group_mail: GroupMail,
}

/// A name for a new team or process.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewName {
    name: String,
}

/// Users by name
#[utoipa::path(get, path = "/api/v1/users", responses((status = 200, body = [UserRow])))]
pub async fn list_users(State(app): State<App>) -> Result<Json<Vec<UserRow>>, Problem> {
    let users = people::users(&mut &app.desk.db).await?;
    Ok(Json(users.into_iter().map(UserRow::from).collect()))
}

/// Add a user
#[utoipa::path(post, path = "/api/v1/users", request_body = NewUser, responses((status = 201, body = UserRow)))]
pub async fn create_user(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewUser>,
) -> Result<(StatusCode, Json<UserRow>), Problem> {
    let new = desk::people::NewUser {
        name: form.name,
        login: form.login,
        password: Secret::new(form.password),
        language: form.language.unwrap_or(Language::English),
        role: form.role_id.map(RoleId),
        addresses: form.addresses.unwrap_or_default(),
        teams: form.teams.unwrap_or_default().into_iter().map(TeamId).collect(),
    };
    let user = desk::people::add_user(&app.desk, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(user.into())))
}

/// Change a user
#[utoipa::path(patch, path = "/api/v1/users/{id}", params(("id" = i64, Path)), request_body = UserPatch, responses((status = 200, body = UserRow)))]
pub async fn change_user(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<UserPatch>,
) -> Result<Json<UserRow>, Problem> {
    let change = UserChange {
        name: form.name,
        password: form.password.map(Secret::new),
        role: form.role_id.map(RoleId),
        active: form.active,
        addresses: form.addresses,
        teams: form.teams.map(|teams| teams.into_iter().map(TeamId).collect()),
    };
    Ok(Json(desk::people::change_user(&app.desk, &actor, UserId(id), change).await?.into()))
}

impl From<people::Role> for Role {
    fn from(role: people::Role) -> Role {
        Role {
            id: role.id.0,
            name: role.name,
            administrator: role.administrator,
            mail: role.mail,
            records: role.records,
            own_mailboxes: role.own_mailboxes,
            group_mail: role.group_mail,
        }
    }
}

/// What is to be a role, or to be changed of one; of a new one what is left out is no right.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolePatch {
    name: Option<String>,
    administrator: Option<bool>,
    #[schema(value_type = Option<shape::Level>)]
    mail: Option<Level>,
    #[schema(value_type = Option<shape::Level>)]
    records: Option<Level>,
    own_mailboxes: Option<bool>,
    #[schema(value_type = Option<shape::GroupMail>)]
    group_mail: Option<GroupMail>,
}

impl From<RolePatch> for RoleChange {
    fn from(form: RolePatch) -> RoleChange {
        let RolePatch { name, administrator, mail, records, own_mailboxes, group_mail } = form;
        RoleChange { name, administrator, mail, records, own_mailboxes, group_mail }
    }
}

/// Roles with their levels
#[utoipa::path(get, path = "/api/v1/roles", responses((status = 200, body = [Role])))]
pub async fn list_roles(State(app): State<App>) -> Result<Json<Vec<Role>>, Problem> {
    Ok(Json(people::roles(&mut &app.desk.db).await?.into_iter().map(Role::from).collect()))
}

/// Add a role
#[utoipa::path(post, path = "/api/v1/roles", request_body = RolePatch, responses((status = 201, body = Role)))]
pub async fn create_role(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<RolePatch>,
) -> Result<(StatusCode, Json<Role>), Problem> {
    let role = desk::people::add_role(&app.desk, &actor, form.into()).await?;
    Ok((StatusCode::CREATED, Json(role.into())))
}

/// Change a role, also one that was there from the beginning
#[utoipa::path(patch, path = "/api/v1/roles/{id}", params(("id" = i64, Path)), request_body = RolePatch, responses((status = 200, body = Role)))]
pub async fn change_role(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<RolePatch>,
) -> Result<Json<Role>, Problem> {
    Ok(Json(desk::people::change_role(&app.desk, &actor, RoleId(id), form.into()).await?.into()))
}

/// Teams by name
#[utoipa::path(get, path = "/api/v1/teams", responses((status = 200, body = [UserName])))]
pub async fn list_teams(State(app): State<App>) -> Result<Json<Vec<UserName>>, Problem> {
    let teams = people::teams(&mut &app.desk.db).await?;
    Ok(Json(teams.into_iter().map(|(id, name)| UserName { id: id.0, name }).collect()))
}

/// Add a team; one of this name is returned where there is one
#[utoipa::path(post, path = "/api/v1/teams", request_body = NewName, responses((status = 201, body = UserName)))]
pub async fn create_team(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewName>,
) -> Result<(StatusCode, Json<UserName>), Problem> {
    let id = desk::people::add_team(&app.desk, &actor, &form.name).await?;
    let name = form.name.trim().to_owned();
    Ok((StatusCode::CREATED, Json(UserName { id: id.0, name })))
}

/// Processes by name
#[utoipa::path(get, path = "/api/v1/processes", responses((status = 200, body = [UserName])))]
pub async fn list_processes(State(app): State<App>) -> Result<Json<Vec<UserName>>, Problem> {
    let processes = people::processes(&mut &app.desk.db).await?;
    Ok(Json(processes.into_iter().map(|(id, name)| UserName { id: id.0, name }).collect()))
}

/// Add a process; one of this name is returned where there is one
#[utoipa::path(post, path = "/api/v1/processes", request_body = NewName, responses((status = 201, body = UserName)))]
pub async fn create_process(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewName>,
) -> Result<(StatusCode, Json<UserName>), Problem> {
    let id = desk::people::add_process(&app.desk, &actor, &form.name).await?;
    let name = form.name.trim().to_owned();
    Ok((StatusCode::CREATED, Json(UserName { id: id.0, name })))
}
