//! Cases: the page of one, changes, two that become one and one that becomes two.

use crate::App;
use crate::api::threads::{Link, ThreadRow};
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape::{self, Moment, UserName, given};
use axum::extract::State;
use axum::http::StatusCode;
use desk::case::{Changes, Priority};
use model::{CaseStatus, MessageId, ProcessId, RecordId, TeamId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A case with its threads.
#[derive(Serialize, ToSchema)]
pub struct Case {
    id: i64,
    /// As people say it.
    number: String,
    subject: String,
    #[schema(value_type = shape::CaseStatus)]
    status: CaseStatus,
    #[schema(value_type = shape::Priority)]
    priority: String,
    process: Option<UserName>,
    team: Option<UserName>,
    assignee: Option<UserName>,
    /// As far as the reader may see them, newest first.
    threads: Vec<ThreadRow>,
    /// Records its threads are linked to.
    links: Vec<Link>,
    created_at: Moment,
    closed_at: Option<Moment>,
    /// Out of sight until then.
    snoozed_until: Option<Moment>,
    /// When an answer to its customer is due; null: none is.
    due_at: Option<Moment>,
    /// When somebody first answered.
    first_reply_at: Option<Moment>,
    /// The address of who wrote first; empty: not known.
    customer: String,
    /// The case it continues, which was closed too long ago to be opened again.
    continues: Option<CaseName>,
    /// The case that continues it.
    continued_by: Option<CaseName>,
    /// For `PATCH`.
    version: i64,
}

impl From<desk::case::Case> for Case {
    fn from(case: desk::case::Case) -> Case {
        let (record, part) = (case.record, case.part);
        Case {
            id: record.id.0,
            number: part.number.to_string(),
            subject: record.name,
            status: part.status,
            priority: part.priority,
            process: part.process.map(|(id, name)| UserName { id: id.0, name }),
            team: record.team.map(|(id, name)| UserName { id: id.0, name }),
            assignee: record.assignee.map(|(id, name)| UserName { id: id.0, name }),
            threads: case.threads.into_iter().map(ThreadRow::from).collect(),
            links: case.links.into_iter().map(Link::from).collect(),
            created_at: record.created_at.into(),
            closed_at: part.closed_at.map(Moment),
            snoozed_until: part.snoozed_until.map(Moment),
            due_at: part.due_at.map(Moment),
            first_reply_at: part.first_reply_at.map(Moment),
            customer: part.customer,
            continues: case.before.map(CaseName::from),
            continued_by: case.after.map(CaseName::from),
            version: record.version,
        }
    }
}

/// A case in two words.
#[derive(Serialize, ToSchema)]
pub struct CaseName {
    id: i64,
    /// As people say it.
    number: String,
    subject: String,
}

impl From<desk::case::Named> for CaseName {
    fn from(case: desk::case::Named) -> CaseName {
        CaseName { id: case.id.0, number: case.number.to_string(), subject: case.subject }
    }
}

/// What is to change of a case.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseChange {
    #[schema(value_type = Option<shape::CaseStatus>)]
    status: Option<CaseStatus>,
    #[schema(value_type = Option<shape::Priority>)]
    priority: Option<Priority>,
    /// Null: nobody.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    assignee_id: Option<Option<i64>>,
    /// The team in charge; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    team_id: Option<Option<i64>>,
    /// The area of work; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    process_id: Option<Option<i64>>,
    /// Out of sight until then; null: seen again now.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Moment>)]
    snoozed_until: Option<Option<Moment>>,
    subject: Option<String>,
    /// With it, a change made meanwhile is a conflict (409, `changed_meanwhile`).
    version: Option<i64>,
}

/// One case
///
/// One that was merged into another answers as the other.
#[utoipa::path(get, path = "/api/v1/cases/{id}", params(("id" = i64, Path)), responses((status = 200, body = Case)))]
pub async fn get_case(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Case>, Problem> {
    Ok(Json(desk::case::open(&app.desk, &actor, RecordId(id)).await?.into()))
}

/// Change a case: status, assignee, team, process, priority, snooze, subject
#[utoipa::path(patch, path = "/api/v1/cases/{id}", params(("id" = i64, Path)), request_body = CaseChange, responses((status = 200, body = Case)))]
pub async fn change_case(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(change): Json<CaseChange>,
) -> Result<Json<Case>, Problem> {
    let changes = Changes {
        status: change.status,
        priority: change.priority,
        assignee: change.assignee_id.map(|id| id.map(UserId)),
        team: change.team_id.map(|id| id.map(TeamId)),
        process: change.process_id.map(|id| id.map(ProcessId)),
        snoozed_until: change.snoozed_until.map(|until| until.map(|until| until.0)),
        subject: change.subject,
        version: change.version,
    };
    Ok(Json(desk::case::change(&app.desk, &actor, RecordId(id), changes).await?.into()))
}

/// The case of a number
#[utoipa::path(get, path = "/api/v1/cases/number/{number}", params(("number" = i64, Path)), responses((status = 200, body = Case)))]
pub async fn get_case_by_number(
    State(app): State<App>,
    Who(actor): Who,
    Path(number): Path<i64>,
) -> Result<Json<Case>, Problem> {
    Ok(Json(desk::case::by_number(&app.desk, &actor, number).await?.into()))
}

/// Where a case goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseMerge {
    /// The case that stays.
    into: i64,
}

/// Make a case part of another
///
/// Its conversations, links, notes and followers go over; what the other is stays. Answers the other.
#[utoipa::path(post, path = "/api/v1/cases/{id}/merge", params(("id" = i64, Path)), request_body = CaseMerge, responses((status = 200, body = Case)))]
pub async fn merge_case(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(merge): Json<CaseMerge>,
) -> Result<Json<Case>, Problem> {
    let into = RecordId(merge.into);
    Ok(Json(desk::case::merge(&app.desk, &actor, RecordId(id), into).await?.into()))
}

/// What leaves a case.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseSplit {
    /// Some messages of one of its conversations.
    messages: Vec<i64>,
}

/// Make a case of its own of some messages
///
/// They become a conversation of their own, and answers to them belong to it. Answers the new case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/split", params(("id" = i64, Path)), request_body = CaseSplit, responses((status = 201, body = Case)))]
pub async fn split_case(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(split): Json<CaseSplit>,
) -> Result<(StatusCode, Json<Case>), Problem> {
    let messages: Vec<MessageId> = split.messages.into_iter().map(MessageId).collect();
    let case = desk::case::split(&app.desk, &actor, RecordId(id), &messages).await?;
    Ok((StatusCode::CREATED, Json(case.into())))
}
