//! Views and their counts.

use crate::App;
use crate::extract::{Json, Who};
use crate::problem::Problem;
use crate::shape;
use axum::extract::State;
use serde::Serialize;
use store::threads::View;
use utoipa::ToSchema;

/// A list of threads and how many it has.
#[derive(Serialize, ToSchema)]
pub struct ViewCount {
    #[schema(value_type = shape::View)]
    key: View,
    count: i64,
}

/// A mailbox as a list of its own.
#[derive(Serialize, ToSchema)]
pub struct MailboxCount {
    id: i64,
    address: String,
    name: String,
    /// Its open threads.
    count: i64,
}

/// A team or an area of work as a list of its own.
#[derive(Serialize, ToSchema)]
pub struct PartCount {
    id: i64,
    name: String,
    /// Its open threads.
    count: i64,
}

/// The lists of the inbox, as far as the reader may see.
#[derive(Serialize, ToSchema)]
pub struct Views {
    views: Vec<ViewCount>,
    mailboxes: Vec<MailboxCount>,
    /// The reader's teams, with the open threads they are in charge of.
    teams: Vec<PartCount>,
    /// Areas of work that have something open.
    processes: Vec<PartCount>,
    /// The newest change the counts know of.
    version: i64,
}

/// The lists of the inbox with their counts
#[utoipa::path(get, path = "/api/v1/views", responses((status = 200, body = Views)))]
pub async fn list_views(State(app): State<App>, Who(actor): Who) -> Result<Json<Views>, Problem> {
    let views = desk::thread::views(&app.desk, &actor).await?;
    let counts = views.counts.into_iter().map(|(key, count)| ViewCount { key, count });
    let mailboxes = views.mailboxes.into_iter().map(|one| MailboxCount {
        id: one.id.0,
        address: one.address,
        name: one.name,
        count: one.open,
    });
    let part = |(id, name, count)| PartCount { id, name, count };
    Ok(Json(Views {
        views: counts.collect(),
        mailboxes: mailboxes.collect(),
        teams: views.teams.into_iter().map(|(id, name, n)| part((id.0, name, n))).collect(),
        processes: views.processes.into_iter().map(|(id, name, n)| part((id.0, name, n))).collect(),
        version: views.version,
    }))
}
