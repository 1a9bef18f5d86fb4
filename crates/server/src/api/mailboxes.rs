//! Mailboxes: connect, change, test, scan; their state and their ledger.

mod form;

pub use form::{MailboxChange, NewFolder, NewMailbox};

use crate::App;
use crate::extract::{Json, Path, Who};
use crate::problem::Problem;
use crate::shape::{self, Moment, UserName};
use axum::extract::State;
use axum::http::StatusCode;
use desk::mailbox::{self as verbs, LastError, Phase, RoundState};
use model::{AfterFiling, MailboxId, MailboxKind, Protocol, Time, Tls};
use serde::Serialize;
use std::collections::BTreeMap;
use store::folders::{self, LedgerRow};
use utoipa::ToSchema;

/// A connected mail account. Its password is never shown.
#[derive(Serialize, ToSchema)]
pub struct Mailbox {
    id: i64,
    #[schema(value_type = shape::MailboxKind)]
    kind: MailboxKind,
    address: String,
    name: String,
    #[schema(value_type = shape::Protocol)]
    protocol: Protocol,
    host: String,
    port: u16,
    #[schema(value_type = shape::Tls)]
    tls: Tls,
    username: String,
    /// Whether a password is stored.
    has_password: bool,
    /// Of a personal one: whose.
    owner_id: Option<i64>,
    process: Option<UserName>,
    teams: Vec<UserName>,
    /// Whether a thread's first mail makes a case.
    create_cases: bool,
    /// Whether it is fetched.
    active: bool,
    folders: Vec<MailboxFolder>,
    state: MailboxState,
    ledger: Ledger,
}

/// A folder of a mailbox.
#[derive(Serialize, ToSchema)]
pub struct MailboxFolder {
    id: i64,
    name: String,
    /// Whether it is read; one that was chosen before is kept with its history.
    read: bool,
    #[schema(value_type = shape::AfterFiling)]
    after_filing: AfterFiling,
    processed_folder: Option<String>,
}

/// How the rounds stand with a mailbox.
#[derive(Serialize, ToSchema)]
pub struct MailboxState {
    #[schema(value_type = shape::Phase)]
    phase: Phase,
    last_success_at: Option<Moment>,
    last_error: Option<MailboxError>,
    /// Messages seen on the server that are not filed yet.
    backlog: i64,
    /// Seconds since the last success.
    lag_s: Option<i64>,
    progress: Option<Progress>,
}

/// Why the last round failed.
#[derive(Serialize, ToSchema)]
pub struct MailboxError {
    at: Moment,
    #[serde(flatten)]
    trouble: MailTrouble,
}

/// Why a mail server could not be used.
#[derive(Serialize, ToSchema)]
pub struct MailTrouble {
    /// How far it came: `dns`, `tcp`, `tls`, `greeting`, `login`, `list`, `select` …
    stage: String,
    /// A stable word: `wrong_password`, `certificate_expired`, `withheld` …
    code: String,
    /// What the sentence for the code speaks of, by name: `host`, `port`, `folder`, `said` …
    params: BTreeMap<String, String>,
    /// That sentence in English.
    message: String,
    /// What to do, in English.
    remedy: String,
}

impl From<verbs::Trouble> for MailTrouble {
    fn from(trouble: verbs::Trouble) -> MailTrouble {
        let verbs::Trouble { stage, code, params, message, remedy } = trouble;
        MailTrouble { stage, code, params, message, remedy }
    }
}

/// How far a scan has come.
#[derive(Serialize, ToSchema)]
pub struct Progress {
    done: u64,
    total: u64,
}

/// Everything ever seen on the server, and where it is.
#[derive(Default, Serialize, ToSchema)]
pub struct Ledger {
    seen: i64,
    filed: i64,
    filtered: i64,
    quarantined: i64,
    waiting: i64,
    /// Gone from the server before it could be fetched.
    vanished: i64,
    /// Seen and not accounted for.
    difference: i64,
}

/// The ledger of one folder.
#[derive(Serialize, ToSchema)]
pub struct FolderLedger {
    folder: String,
    seen: i64,
    filed: i64,
    filtered: i64,
    quarantined: i64,
    waiting: i64,
    vanished: i64,
    difference: i64,
}

/// All mailboxes.
#[derive(Serialize, ToSchema)]
pub struct MailboxPage {
    rows: Vec<Mailbox>,
}

/// How a connection test went.
#[derive(Serialize, ToSchema)]
pub struct TestResult {
    ok: bool,
    /// What was said, without passwords.
    log: Vec<String>,
    /// In the order they were taken, up to the one that failed.
    steps: Vec<TestStep>,
    folders: Vec<ServerFolder>,
    error: Option<MailTrouble>,
    /// What is worth knowing about this server, as stable words: `pop3_no_uidl`, `pop3_hides_mail` …
    notes: Vec<String>,
}

/// A step of a connection test.
#[derive(Serialize, ToSchema)]
pub struct TestStep {
    /// `dns`, `tcp`, `tls`, `greeting`, `login`; then `list`, or `send` of outgoing mail.
    stage: String,
    ok: bool,
    /// Of the one that failed: as in `error`.
    code: Option<String>,
    params: BTreeMap<String, String>,
}

impl From<verbs::TestOutcome> for TestResult {
    fn from(outcome: verbs::TestOutcome) -> TestResult {
        let trouble = outcome.trouble;
        let step = |step: verbs::Step| {
            let failure = trouble.as_ref().filter(|_| !step.ok);
            TestStep {
                stage: step.stage,
                ok: step.ok,
                code: failure.map(|trouble| trouble.code.clone()),
                params: failure.map_or_else(BTreeMap::new, |trouble| trouble.params.clone()),
            }
        };
        let folder = |folder: verbs::FoundFolder| ServerFolder {
            name: folder.name,
            special_use: folder.special_use,
            messages: folder.messages,
        };
        TestResult {
            ok: trouble.is_none(),
            log: outcome.log,
            steps: outcome.steps.into_iter().map(step).collect(),
            folders: outcome.folders.into_iter().map(folder).collect(),
            error: trouble.map(MailTrouble::from),
            notes: outcome.notes,
        }
    }
}

/// A folder found on the server.
#[derive(Serialize, ToSchema)]
pub struct ServerFolder {
    name: String,
    /// What the server says it is for: `sent`, `trash` …
    special_use: Option<String>,
    messages: u64,
}

/// All mailboxes with their state
#[utoipa::path(get, path = "/api/v1/mailboxes", responses((status = 200, body = MailboxPage)))]
pub async fn list_mailboxes(State(app): State<App>, Who(actor): Who) -> Result<Json<MailboxPage>, Problem> {
    let mailboxes = verbs::list(&app.desk, &actor).await?;
    let ledger = folders::ledger(&mut &app.desk.db, None).await?;
    let rows = mailboxes.into_iter().map(|mailbox| shown(&app, mailbox, &ledger)).collect();
    Ok(Json(MailboxPage { rows }))
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
    Ok((StatusCode::CREATED, Json(shown(&app, mailbox, &[]))))
}

/// Connect to a server, sign in, list its folders; save nothing
#[utoipa::path(post, path = "/api/v1/mailboxes/test", request_body = NewMailbox, responses((status = 200, body = TestResult)))]
pub async fn test_mailbox(
    State(app): State<App>,
    Who(actor): Who,
    Json(form): Json<NewMailbox>,
) -> Result<Json<TestResult>, Problem> {
    let stored = form.mailbox_id.map(MailboxId);
    let login = verbs::test_login(&app.desk, &actor, &form.into(), stored).await?;
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
    let ledger = folders::ledger(&mut &app.desk.db, Some(mailbox.id)).await?;
    Ok(Json(shown(&app, mailbox, &ledger)))
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
    let ledger = folders::ledger(&mut &app.desk.db, Some(mailbox.id)).await?;
    Ok(Json(shown(&app, mailbox, &ledger)))
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
        difference: row.difference,
    };
    Ok(Json(rows.into_iter().map(row).collect()))
}

fn shown(app: &App, mailbox: store::mailboxes::Mailbox, ledger: &[LedgerRow]) -> Mailbox {
    let ledger = sum(ledger.iter().filter(|row| row.mailbox_id == mailbox.id.0));
    let state = state(app, &mailbox, &ledger);
    let folder = |folder: store::mailboxes::ChosenFolder| MailboxFolder {
        id: folder.id.0,
        name: folder.name,
        read: folder.read,
        after_filing: folder.after_filing,
        processed_folder: folder.processed_folder,
    };
    Mailbox {
        id: mailbox.id.0,
        kind: mailbox.kind,
        address: mailbox.address,
        name: mailbox.name,
        protocol: mailbox.protocol,
        host: mailbox.host,
        port: mailbox.port,
        tls: mailbox.tls,
        username: mailbox.username,
        has_password: mailbox.has_secret,
        owner_id: mailbox.owner.map(|id| id.0),
        process: mailbox.process.map(|(id, name)| UserName { id: id.0, name }),
        teams: mailbox.teams.into_iter().map(|(id, name)| UserName { id: id.0, name }).collect(),
        create_cases: mailbox.create_cases,
        active: mailbox.active,
        folders: mailbox.folders.into_iter().map(folder).collect(),
        state,
        ledger,
    }
}

fn sum<'a>(rows: impl Iterator<Item = &'a LedgerRow>) -> Ledger {
    rows.fold(Ledger::default(), |mut sum, row| {
        sum.seen += row.seen;
        sum.filed += row.filed;
        sum.filtered += row.filtered;
        sum.quarantined += row.quarantined;
        sum.waiting += row.waiting;
        sum.vanished += row.vanished;
        sum.difference += row.difference;
        sum
    })
}

fn state(app: &App, mailbox: &store::mailboxes::Mailbox, ledger: &Ledger) -> MailboxState {
    let last_error: Option<LastError> =
        mailbox.last_error.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let now = app.desk.clock.now();
    // Just switched on or off, and the rounds have not looked yet: then the settings are right.
    let off = |round: &RoundState| round.phase == Phase::Off;
    let round = app.rounds.state(mailbox.id).filter(|round| mailbox.active && !off(round));
    let round = round.unwrap_or_else(|| resting(mailbox.active, last_error.is_some()));
    let lag = |at: Time| now.0.saturating_sub(at.0).max(0) / 1_000_000;
    MailboxState {
        phase: round.phase,
        last_success_at: mailbox.last_success_at.map(Moment),
        last_error: last_error
            .map(|error| MailboxError { at: error.at.into(), trouble: error.trouble.into() }),
        backlog: ledger.waiting + ledger.difference,
        lag_s: mailbox.last_success_at.map(lag),
        progress: round.progress.map(|(done, total)| Progress { done, total }),
    }
}

/// What the database alone tells, where the rounds run in no or another process.
fn resting(active: bool, failed: bool) -> RoundState {
    let phase = match (active, failed) {
        (false, _) => Phase::Off,
        (true, true) => Phase::Failed,
        (true, false) => Phase::Idle,
    };
    RoundState { phase, progress: None }
}
