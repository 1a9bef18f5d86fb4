//! Cases: the page of one, and changes.

use crate::App;
use crate::api::threads::{Link, ThreadRow};
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape::{self, Moment, UserName, given};
use axum::extract::State;
use desk::case::{Changes, Priority};
use model::{CaseStatus, RecordId, UserId};
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
            team: part.team.map(|(id, name)| UserName { id: id.0, name }),
            assignee: part.assignee.map(|(id, name)| UserName { id: id.0, name }),
            threads: case.threads.into_iter().map(ThreadRow::from).collect(),
            links: case.links.into_iter().map(Link::from).collect(),
            created_at: record.created_at.into(),
            closed_at: part.closed_at.map(Moment),
            version: record.version,
        }
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
    subject: Option<String>,
    /// With it, a change made meanwhile is a conflict (409, `changed_meanwhile`).
    version: Option<i64>,
}

/// One case
#[utoipa::path(get, path = "/api/v1/cases/{id}", params(("id" = i64, Path)), responses((status = 200, body = Case)))]
pub async fn get_case(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Case>, Problem> {
    Ok(Json(desk::case::open(&app.desk, &actor, RecordId(id)).await?.into()))
}

/// Change a case: status, assignee, priority, subject
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
        subject: change.subject,
        version: change.version,
    };
    Ok(Json(desk::case::change(&app.desk, &actor, RecordId(id), changes).await?.into()))
}
