//! Folders of a mailbox and the messages in them: look, flag, move, delete, add.

use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::paging::Page;
use crate::problem::Problem;
use crate::shape::{self, Moment, Person};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use desk::mailbox::folders as verbs;
use model::{Flag, FlagChange, Flags, FolderId, MailboxId, OccurrenceId};
use serde::{Deserialize, Serialize};
use store::folders::contents::{FolderMessage, ListedFolder};
use utoipa::ToSchema;

/// The folders of a mailbox.
#[derive(Serialize, ToSchema)]
pub struct FolderTree {
    /// By name.
    folders: Vec<TreeFolder>,
    /// What was asked for and is not done on the server yet.
    due: i64,
    /// What the server would not do, newest first.
    failed: Vec<FailedOperation>,
}

/// A folder of a mailbox as on its server.
#[derive(Serialize, ToSchema)]
pub struct TreeFolder {
    id: i64,
    /// The last level of its name.
    name: String,
    /// Its whole name.
    path: String,
    /// The whole name of the folder above, which need not be a folder that holds messages.
    parent: Option<String>,
    /// What it is for: `drafts`, `sent`, `trash`, `junk`, `archive`, `all`, `flagged`.
    special_use: Option<String>,
    total: i64,
    unseen: i64,
}

/// Something the server would not do.
#[derive(Serialize, ToSchema)]
pub struct FailedOperation {
    id: i64,
    /// `flag`, `move`, `delete`, `append`
    kind: String,
    folder: String,
    error: String,
    at: Moment,
}

/// A part of a folder's messages.
#[derive(Serialize, ToSchema)]
pub struct FolderPage {
    total: i64,
    /// Newest first.
    rows: Vec<FolderRow>,
}

/// A message in a folder.
#[derive(Serialize, ToSchema)]
pub struct FolderRow {
    occurrence_id: i64,
    message_id: i64,
    thread_id: i64,
    from: Person,
    subject: String,
    snippet: String,
    at: Moment,
    #[schema(value_type = Vec<shape::Flag>)]
    flags: Vec<Flag>,
    attachments: i64,
}

/// Flags to be set and to be taken off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlagRequest {
    /// At most 1000.
    occurrence_ids: Vec<i64>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<shape::Flag>>)]
    add: Vec<Flag>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<shape::Flag>>)]
    remove: Vec<Flag>,
}

/// Messages to be moved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveRequest {
    /// At most 1000.
    occurrence_ids: Vec<i64>,
    folder_id: i64,
}

/// Messages to be deleted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteRequest {
    /// At most 1000.
    occurrence_ids: Vec<i64>,
}

/// Where all messages of a mailbox are to be moved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveMessages {
    to_mailbox_id: i64,
    /// The folder's whole name; it is made if it is new.
    to_folder: String,
}

/// How many messages are on their way.
#[derive(Serialize, ToSchema)]
pub struct MovedMessages {
    operations: u64,
}

/// Which flags an added message gets.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AppendQuery {
    /// Words divided by commas: `draft,seen`.
    flags: Option<String>,
}

/// The folders of a mailbox as on its server
#[utoipa::path(get, path = "/api/v1/mailboxes/{id}/folders", params(("id" = i64, Path)), responses((status = 200, body = FolderTree)))]
pub async fn list_folders(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<FolderTree>, Problem> {
    let tree = verbs::tree(&app.desk, &actor, MailboxId(id)).await?;
    let failed = |one: store::operations::FailedOperation| FailedOperation {
        id: one.id.0,
        kind: one.kind,
        folder: one.folder,
        error: one.error,
        at: one.at.into(),
    };
    Ok(Json(FolderTree {
        folders: tree.folders.into_iter().map(folder).collect(),
        due: tree.due,
        failed: tree.failed.into_iter().map(failed).collect(),
    }))
}

fn folder(folder: ListedFolder) -> TreeFolder {
    let above = folder.delimiter.as_deref().and_then(|delimiter| folder.name.rsplit_once(delimiter));
    let (parent, name) = match above {
        Some((parent, name)) => (Some(parent.to_owned()), name.to_owned()),
        None => (None, folder.name.clone()),
    };
    TreeFolder {
        id: folder.id.0,
        name,
        path: folder.name,
        parent,
        special_use: folder.special_use,
        total: folder.total,
        unseen: folder.unseen,
    }
}

/// The messages in a folder
#[utoipa::path(get, path = "/api/v1/mailboxes/{id}/folders/{folder_id}/messages", params(("id" = i64, Path), ("folder_id" = i64, Path), Page), responses((status = 200, body = FolderPage)))]
pub async fn list_folder_messages(
    State(app): State<App>,
    Who(actor): Who,
    Path((id, folder)): Path<(i64, i64)>,
    Query(page): Query<Page>,
) -> Result<Json<FolderPage>, Problem> {
    let span = page.span()?;
    let offset = i64::try_from(span.offset).unwrap_or(i64::MAX);
    let part = (offset, i64::from(span.limit));
    let (total, rows) = verbs::messages(&app.desk, &actor, MailboxId(id), FolderId(folder), part).await?;
    Ok(Json(FolderPage { total, rows: rows.into_iter().map(row).collect() }))
}

fn row(message: FolderMessage) -> FolderRow {
    FolderRow {
        occurrence_id: message.occurrence.0,
        message_id: message.message.0,
        thread_id: message.thread.0,
        from: message.from.into(),
        subject: message.subject,
        snippet: message.snippet,
        at: message.at.into(),
        flags: message.flags.list(),
        attachments: message.attachments,
    }
}

fn occurrences(ids: &[i64]) -> Vec<OccurrenceId> {
    ids.iter().copied().map(OccurrenceId).collect()
}

/// Set flags of messages, or take them off, here and on the server
#[utoipa::path(post, path = "/api/v1/mailboxes/{id}/messages/flags", params(("id" = i64, Path)), request_body = FlagRequest, responses((status = 204, description = "It is shown here; the server follows with the next round.")))]
pub async fn flag_messages(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<FlagRequest>,
) -> Result<StatusCode, Problem> {
    let change = FlagChange { add: form.add, remove: form.remove };
    verbs::flag(&app.desk, &actor, MailboxId(id), &occurrences(&form.occurrence_ids), change).await?;
    app.rounds.scan_now(MailboxId(id));
    Ok(StatusCode::NO_CONTENT)
}

/// Move messages to another folder of the mailbox
#[utoipa::path(post, path = "/api/v1/mailboxes/{id}/messages/move", params(("id" = i64, Path)), request_body = MoveRequest, responses((status = 204, description = "It is shown here; the server follows with the next round.")))]
pub async fn move_folder_messages(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<MoveRequest>,
) -> Result<StatusCode, Problem> {
    let (ids, target) = (occurrences(&form.occurrence_ids), FolderId(form.folder_id));
    verbs::move_to(&app.desk, &actor, MailboxId(id), &ids, target).await?;
    app.rounds.scan_now(MailboxId(id));
    Ok(StatusCode::NO_CONTENT)
}

/// Delete messages: into the deleted items, and from there for good
#[utoipa::path(post, path = "/api/v1/mailboxes/{id}/messages/delete", params(("id" = i64, Path)), request_body = DeleteRequest, responses((status = 204, description = "It is shown here; the server follows with the next round, and removes for good only what the mailbox lets it.")))]
pub async fn delete_folder_messages(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<DeleteRequest>,
) -> Result<StatusCode, Problem> {
    verbs::delete(&app.desk, &actor, MailboxId(id), &occurrences(&form.occurrence_ids)).await?;
    app.rounds.scan_now(MailboxId(id));
    Ok(StatusCode::NO_CONTENT)
}

/// Add a message to a folder on the server
#[utoipa::path(post, path = "/api/v1/mailboxes/{id}/folders/{folder_id}/messages", params(("id" = i64, Path), ("folder_id" = i64, Path), AppendQuery), request_body(content = String, content_type = "message/rfc822"), responses((status = 202, description = "It is shown when the server has it.")))]
pub async fn append_message(
    State(app): State<App>,
    Who(actor): Who,
    Path((id, folder)): Path<(i64, i64)>,
    Query(query): Query<AppendQuery>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let words = query.flags.unwrap_or_default();
    let flags: Option<Vec<Flag>> = words.split(',').filter(|word| !word.is_empty()).map(Flag::of).collect();
    let flags =
        flags.ok_or_else(|| Problem::invalid("flags", "unknown", "answered, draft, flagged, seen"))?;
    let (id, folder) = (MailboxId(id), FolderId(folder));
    verbs::append(&app.desk, &actor, id, folder, body.to_vec(), Flags::of(&flags)).await?;
    app.rounds.scan_now(id);
    Ok(StatusCode::ACCEPTED)
}

/// Move all messages of a mailbox into a folder of an IMAP mailbox
#[utoipa::path(post, path = "/api/v1/mailboxes/{id}/move-messages", params(("id" = i64, Path)), request_body = MoveMessages, responses((status = 202, body = MovedMessages)))]
pub async fn move_mailbox_messages(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<MoveMessages>,
) -> Result<(StatusCode, Json<MovedMessages>), Problem> {
    let to = MailboxId(form.to_mailbox_id);
    let operations = verbs::move_messages(&app.desk, &actor, MailboxId(id), to, &form.to_folder).await?;
    app.rounds.scan_now(to);
    Ok((StatusCode::ACCEPTED, Json(MovedMessages { operations })))
}
