//! Threads: lists, the page of one, read marks, notes, links, a case by hand.

mod entry;
mod row;

pub use entry::{Entry, EventEntry, Link, MessageEntry, NoteEntry, data_of};
pub use row::{RecordName, ThreadCase, ThreadRow};

use super::suggestions::Suggestion;
use crate::App;
use crate::api::cases::Case;
use crate::api::handling::Charge;
use crate::extract::{Json, Path, Query, Who};
use crate::paging::Page;
use crate::problem::Problem;
use crate::shape::{self, Moment};
use axum::extract::State;
use axum::http::StatusCode;
use model::{LinkId, MailboxId, ProcessId, RecordId, TeamId, ThreadId};
use serde::{Deserialize, Serialize};
use store::threads::{Part, View};
use utoipa::ToSchema;

/// A part of a list of threads.
#[derive(Serialize, ToSchema)]
pub struct ThreadPage {
    /// How many threads the whole list has.
    total: i64,
    /// The newest change the list knows of; a part with another version may not fit to this one.
    version: i64,
    rows: Vec<ThreadRow>,
}

impl From<desk::thread::Page> for ThreadPage {
    fn from(page: desk::thread::Page) -> ThreadPage {
        let rows = page.rows.into_iter().map(ThreadRow::from).collect();
        ThreadPage { total: page.total, version: page.version, rows }
    }
}

/// A thread with everything in it.
#[derive(Serialize, ToSchema)]
pub struct Thread {
    row: ThreadRow,
    charge: Charge,
    /// Messages, notes and events, oldest first.
    entries: Vec<Entry>,
    /// Its records and why.
    links: Vec<Link>,
    /// Records that it may belong to, the likeliest first.
    suggestions: Vec<Suggestion>,
    /// The newest change this knows of.
    access_version: i64,
}

/// Which list, and which part of it.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ThreadQuery {
    /// The list. Default: all.
    #[param(value_type = Option<shape::View>)]
    view: Option<View>,
    /// Only what came through this mailbox.
    mailbox: Option<i64>,
    /// Only what this team is in charge of; counts where no mailbox is named.
    team: Option<i64>,
    /// Only what is filed to this area of work; counts where neither is named.
    process: Option<i64>,
    /// Rows to leave out, from the beginning. Default 0.
    offset: Option<u64>,
    /// Rows at most, 1 to 200. Default 50.
    limit: Option<u32>,
}

/// A note that was written.
#[derive(Serialize, ToSchema)]
pub struct WrittenNote {
    #[serde(flatten)]
    note: NoteEntry,
    /// Names of people it names who may not see it and are not told.
    not_told: Vec<String>,
}

/// A note as it is written. `@[Name](user:7)` names a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Plain text.
    pub(crate) body: String,
}

/// A record to be linked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    record_id: i64,
}

/// A case to be made of a thread.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCase {
    /// The area of work.
    process_id: Option<i64>,
}

/// A part of a list of threads, newest mail first
#[utoipa::path(get, path = "/api/v1/threads", params(ThreadQuery), responses((status = 200, body = ThreadPage)))]
pub async fn list_threads(
    State(app): State<App>,
    Who(actor): Who,
    Query(query): Query<ThreadQuery>,
) -> Result<Json<ThreadPage>, Problem> {
    let span = Page::of(query.offset, query.limit)?;
    let view = query.view.unwrap_or(View::All);
    let mailbox = query.mailbox.map(|id| Part::Mailbox(MailboxId(id)));
    let team = query.team.map(|id| Part::Team(TeamId(id)));
    let part = mailbox.or(team).or(query.process.map(|id| Part::Process(ProcessId(id))));
    let (offset, limit) = (span.offset as i64, i64::from(span.limit));
    Ok(Json(desk::thread::list(&app.desk, &actor, view, part, offset, limit).await?.into()))
}

/// One thread with messages, notes and events
///
/// Remote pictures are counted (`blocked_remote`) for its newest 20 messages with HTML; the page of a
/// message counts its own.
#[utoipa::path(get, path = "/api/v1/threads/{id}", params(("id" = i64, Path)), responses((status = 200, body = Thread)))]
pub async fn get_thread(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Thread>, Problem> {
    let thread = desk::thread::open(&app.desk, &actor, ThreadId(id)).await?;
    let number = thread.row.case.as_ref().map(|case| case.number);
    let blocked = thread.blocked_remote;
    let entries = thread.items.into_iter().map(|item| Entry::of(item, &blocked, number)).collect();
    Ok(Json(Thread {
        row: thread.row.into(),
        charge: thread.charge.into(),
        entries,
        links: thread.links.into_iter().map(Link::from).collect(),
        suggestions: thread.suggestions.into_iter().map(Suggestion::from).collect(),
        access_version: thread.version,
    }))
}

/// Mark a thread as read by oneself
#[utoipa::path(put, path = "/api/v1/threads/{id}/read", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn mark_thread_read(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    desk::thread::mark_read(&app.desk, &actor, ThreadId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mark a thread as unread for oneself
#[utoipa::path(delete, path = "/api/v1/threads/{id}/read", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn mark_thread_unread(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    desk::thread::mark_unread(&app.desk, &actor, ThreadId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Write an internal note into a thread
#[utoipa::path(post, path = "/api/v1/threads/{id}/notes", params(("id" = i64, Path)), request_body = Note, responses((status = 201, body = WrittenNote)))]
pub async fn add_thread_note(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(note): Json<Note>,
) -> Result<(StatusCode, Json<WrittenNote>), Problem> {
    let note = desk::note::in_thread(&app.desk, &actor, ThreadId(id), &note.body).await?;
    Ok((StatusCode::CREATED, Json(WrittenNote { note: note.entry.into(), not_told: note.not_told })))
}

/// Link a thread to a record
///
/// With a contact its account is linked too; a thread without a case joins the case it is linked to.
#[utoipa::path(post, path = "/api/v1/threads/{id}/links", params(("id" = i64, Path)), request_body = NewLink, responses((status = 201, body = Link)))]
pub async fn add_link(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(link): Json<NewLink>,
) -> Result<(StatusCode, Json<Link>), Problem> {
    let record = RecordId(link.record_id);
    let link = desk::link::add(&app.desk, &actor, ThreadId(id), record).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

/// Remove a link
#[utoipa::path(delete, path = "/api/v1/links/{id}", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn remove_link(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    desk::link::remove(&app.desk, &actor, LinkId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Until when a thread is out of sight.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Snooze {
    /// Null: it is seen again now.
    until: Option<Moment>,
}

/// Put a thread out of sight until later; where it has a case, the case
#[utoipa::path(post, path = "/api/v1/threads/{id}/snooze", params(("id" = i64, Path)), request_body = Snooze, responses((status = 204)))]
pub async fn snooze_thread(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(snooze): Json<Snooze>,
) -> Result<StatusCode, Problem> {
    let until = snooze.until.map(|until| until.0);
    desk::case::snooze_thread(&app.desk, &actor, ThreadId(id), until).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a case of a thread by hand
#[utoipa::path(post, path = "/api/v1/threads/{id}/case", params(("id" = i64, Path)), request_body = NewCase, responses((status = 201, body = Case)))]
pub async fn create_case(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(new): Json<NewCase>,
) -> Result<(StatusCode, Json<Case>), Problem> {
    let process = new.process_id.map(ProcessId);
    let case = desk::case::create(&app.desk, &actor, ThreadId(id), process).await?;
    Ok((StatusCode::CREATED, Json(case.into())))
}
