//! Connection tests as they are answered.

use desk::mailbox as verbs;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

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
