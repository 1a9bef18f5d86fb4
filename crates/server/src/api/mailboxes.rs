//! Mailboxes: connect, change, test, scan; their state and their ledger.

mod form;
mod shape;
mod shown;
mod test;

pub use form::{MailboxChange, NewFolder, NewMailbox, NewOutgoing};
pub use shape::{FolderLedger, Ledger, Mailbox, MailboxPage};
pub use test::{MailTrouble, TestResult};

use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::problem::Problem;
use crate::shape::Moment;
use axum::extract::State;
use axum::http::StatusCode;
use desk::mailbox as verbs;
use desk::may::Actor;
use desk::seal::Secret;
use model::{MailboxId, MailboxKind};
use serde::{Deserialize, Serialize};
use shown::shown;
use store::folders::{self, LedgerRow};
use utoipa::ToSchema;

/// The mailboxes one knows of, with their state: an administrator all, others their own and those they keep
#[utoipa::path(get, path = "/api/v1/mailboxes", responses((status = 200, body = MailboxPage)))]
pub async fn list_mailboxes(State(app): State<App>, Who(actor): Who) -> Result<Json<MailboxPage>, Problem> {
    let mailboxes = verbs::list(&app.desk, &actor).await?;
    let mut ledger = Vec::new();
    match actor.administrator {
        true => ledger = folders::ledger(&mut &app.desk.db, None).await?,
        // Their few, not a walk over all.
        false => {
            for mailbox in &mailboxes {
                ledger.extend(folders::ledger(&mut &app.desk.db, Some(mailbox.id)).await?);
            }
        }
    }
    Ok(Json(MailboxPage { rows: shown(&app, &actor, mailboxes, &ledger).await? }))
}

/// Connect a mailbox
#[utoipa::path(post, path = "/api/v1/mailboxes", request_body = NewMailbox, responses((status = 201, body = Mailbox)))]
pub async fn create_mailbox(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewMailbox>,
) -> Result<(StatusCode, Json<Mailbox>), Problem> {
    if form.mailbox_id.is_some() {
        return Err(Problem::invalid("mailbox_id", "bad_value", "only a test takes it"));
    }
    let mailbox = verbs::add(&app.desk, &actor, form.into()).await?;
    app.rounds.settings_changed(mailbox.id);
    Ok((StatusCode::CREATED, one(&app, &actor, mailbox).await?))
}

/// Connect to a server, sign in, list its folders; save nothing
#[utoipa::path(post, path = "/api/v1/mailboxes/test", request_body = NewMailbox, responses((status = 200, body = TestResult)))]
pub async fn test_mailbox(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewMailbox>,
) -> Result<Json<TestResult>, Problem> {
    let stored = form.mailbox_id.map(MailboxId);
    let form: verbs::NewMailbox = form.into();
    let authority = app.rounds.authority();
    let token = match form.grant.filter(|_| form.password.is_none()) {
        Some(grant) => Some(desk::grant::fresh_own(&app.desk, &actor, authority, grant).await?),
        None => None,
    };
    if let Some(id) = stored {
        desk::grant::ready(&app.desk, authority, id).await?;
    }
    let login = verbs::test_login(&app.desk, &actor, &form, stored, token).await?;
    Ok(Json(app.rounds.test(login).await.into()))
}

/// One mailbox
#[utoipa::path(get, path = "/api/v1/mailboxes/{id}", params(("id" = i64, Path)), responses((status = 200, body = Mailbox)))]
pub async fn get_mailbox(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Mailbox>, Problem> {
    let mailbox = verbs::get(&app.desk, &actor, MailboxId(id)).await?;
    one(&app, &actor, mailbox).await
}

/// Change a mailbox
#[utoipa::path(patch, path = "/api/v1/mailboxes/{id}", params(("id" = i64, Path)), request_body = MailboxChange, responses((status = 200, body = Mailbox)))]
pub async fn change_mailbox(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<MailboxChange>,
) -> Result<Json<Mailbox>, Problem> {
    let mailbox = verbs::change(&app.desk, &actor, MailboxId(id), form.into()).await?;
    app.rounds.settings_changed(mailbox.id);
    one(&app, &actor, mailbox).await
}

async fn one(app: &App, actor: &Actor, mailbox: store::mailboxes::Mailbox) -> Result<Json<Mailbox>, Problem> {
    let ledger = folders::ledger(&mut &app.desk.db, Some(mailbox.id)).await?;
    let authserv_seen = verbs::server_name_seen(&app.desk, mailbox.id).await?;
    let mut rows = shown(app, actor, vec![mailbox], &ledger).await?;
    let row = rows.pop().expect("one goes in, one comes out");
    Ok(Json(Mailbox { authserv_seen, ..row }))
}

/// An address one may write from.
#[derive(Serialize, ToSchema)]
pub struct Sender {
    mailbox_id: i64,
    address: String,
    name: String,
    #[schema(value_type = crate::shape::MailboxKind)]
    kind: MailboxKind,
}

/// The addresses one may write from, the default first
#[utoipa::path(get, path = "/api/v1/me/senders", responses((status = 200, body = [Sender])))]
pub async fn list_senders(State(app): State<App>, Who(actor): Who) -> Result<Json<Vec<Sender>>, Problem> {
    let sender = |mailbox: store::mailboxes::Mailbox| Sender {
        mailbox_id: mailbox.id.0,
        address: mailbox.address,
        name: mailbox.name,
        kind: mailbox.kind,
    };
    let found = verbs::may_send_from(&app.desk, &actor).await?;
    Ok(Json(found.into_iter().map(sender).collect()))
}

/// What is to be cleared.
#[derive(Deserialize, ToSchema, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClearUntil {
    /// All that arrived before this moment. Default: all.
    before: Option<Moment>,
}

/// What is or would be cleared.
#[derive(Serialize, ToSchema)]
pub struct Clearing {
    /// Messages in the mailbox.
    messages: i64,
    /// Their size as they came.
    bytes: i64,
    /// Messages still to be cleared: ask again while there are any.
    left: i64,
    /// Whether they are deleted on the server too.
    on_server: bool,
}

impl From<verbs::Clearing> for Clearing {
    fn from(clearing: verbs::Clearing) -> Clearing {
        let verbs::Clearing { messages, bytes, left, on_server } = clearing;
        Clearing { messages, bytes, left, on_server }
    }
}

/// What clearing an inactive mailbox would remove here
#[utoipa::path(get, path = "/api/v1/mailboxes/{id}/clear", params(("id" = i64, Path), ClearUntil), responses((status = 200, body = Clearing)))]
pub async fn preview_clearing(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Query(until): Query<ClearUntil>,
) -> Result<Json<Clearing>, Problem> {
    let before = until.before.map(|moment| moment.0);
    Ok(Json(verbs::preview_clearing(&app.desk, &actor, MailboxId(id), before).await?.into()))
}

/// Clear an inactive mailbox here; on its server only where deleting there is switched on
#[utoipa::path(post, path = "/api/v1/mailboxes/{id}/clear", params(("id" = i64, Path)), request_body = ClearUntil, responses((status = 200, body = Clearing)))]
pub async fn clear_mailbox(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(until): Json<ClearUntil>,
) -> Result<Json<Clearing>, Problem> {
    let before = until.before.map(|moment| moment.0);
    Ok(Json(verbs::clear(&app.desk, &actor, MailboxId(id), before).await?.into()))
}

/// A password to be filled in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Password {
    password: String,
}

/// How trying a password went, and whether it is stored now.
#[derive(Serialize, ToSchema)]
pub struct FilledIn {
    #[serde(flatten)]
    test: TestResult,
    saved: bool,
}

/// Fill in the password: it is tried first, and stored only if the server accepts it
#[utoipa::path(put, path = "/api/v1/mailboxes/{id}/password", params(("id" = i64, Path)), request_body = Password, responses((status = 200, body = FilledIn)))]
pub async fn fill_in_password(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(form): Json<Password>,
) -> Result<Json<FilledIn>, Problem> {
    let password = Secret::new(form.password);
    let test = |login| app.rounds.test(login);
    let (outcome, saved) = verbs::fill_in(&app.desk, &actor, MailboxId(id), password, test).await?;
    if let Some(mailbox) = &saved {
        app.rounds.settings_changed(mailbox.id);
    }
    Ok(Json(FilledIn { test: outcome.into(), saved: saved.is_some() }))
}

/// Scan now
#[utoipa::path(post, path = "/api/v1/mailboxes/{id}/scan", params(("id" = i64, Path)), responses((status = 202, description = "A round was asked for; its progress is in the mailbox's state.")))]
pub async fn scan_mailbox(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let mailbox = verbs::get(&app.desk, &actor, MailboxId(id)).await?;
    if !mailbox.active {
        let detail = "The mailbox is switched off. Switch it on first.";
        return Err(Problem::new(StatusCode::CONFLICT, "mailbox_off", detail));
    }
    app.rounds.scan_now(mailbox.id);
    Ok(StatusCode::ACCEPTED)
}

/// The ledger, folder by folder
#[utoipa::path(get, path = "/api/v1/mailboxes/{id}/ledger", params(("id" = i64, Path)), responses((status = 200, body = [FolderLedger])))]
pub async fn get_ledger(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Vec<FolderLedger>>, Problem> {
    let mailbox = verbs::get(&app.desk, &actor, MailboxId(id)).await?;
    let rows = folders::ledger(&mut &app.desk.db, Some(mailbox.id)).await?;
    let row = |row: LedgerRow| FolderLedger {
        folder: row.folder,
        seen: row.seen,
        filed: row.filed,
        filtered: row.filtered,
        quarantined: row.quarantined,
        waiting: row.waiting,
        vanished: row.vanished,
        cleared: row.cleared,
        difference: row.difference,
    };
    Ok(Json(rows.into_iter().map(row).collect()))
}
