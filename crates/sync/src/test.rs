//! Trying a connection before it is saved: sign in, list the folders, count their messages.

use crate::source::server_and_credentials;
use crate::trouble;
use desk::mailbox::{FoundFolder, Login, TestOutcome, Trouble, steps};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wire::imap::{Folder, Session, SpecialUse};
use wire::{ConnectError, Direction, Log, Stage};

/// A test ends after this long, whatever the server does.
const AT_MOST: Duration = Duration::from_secs(30);
/// Lines of the log that are shown.
const MOST_LINES: usize = 200;
/// Folders whose messages are counted.
const MOST_FOLDERS: usize = 200;

/// Tries a login. Saves nothing and changes nothing on the server.
pub async fn test(login: Login) -> TestOutcome {
    let log = Arc::new(Lines::default());
    let result = tokio::time::timeout(AT_MOST, look(&login, log.clone())).await;
    let (folders, trouble) = match result {
        Ok(Ok(folders)) => (folders, None),
        Ok(Err(error)) => (Vec::new(), Some(trouble::of_connection(&error))),
        Err(_) => (Vec::new(), Some(too_slow(&login))),
    };
    let steps = steps(login.tls, "list", trouble.as_ref());
    TestOutcome { steps, notes: Vec::new(), log: log.take(), folders, trouble }
}

async fn look(login: &Login, log: Arc<Lines>) -> Result<Vec<FoundFolder>, ConnectError> {
    let (server, credentials) = server_and_credentials(login);
    let server = server.with_log(log);
    let mut session = Session::connect(&server, &credentials).await?;
    let listed = session.list().await.map_err(|error| error.at(Stage::List, &server))?;
    let mut folders = Vec::new();
    for folder in listed.into_iter().filter(|folder| folder.selectable).take(MOST_FOLDERS) {
        let status = session.status(&folder.wire_name).await.unwrap_or_default();
        folders.push(found(folder, status.messages));
    }
    // Whether the server says good-bye does not matter any more.
    let _ = session.logout().await;
    Ok(folders)
}

fn found(folder: Folder, messages: Option<u32>) -> FoundFolder {
    let special_use = folder.special_use.map(|special_use| match special_use {
        SpecialUse::All => "all",
        SpecialUse::Archive => "archive",
        SpecialUse::Drafts => "drafts",
        SpecialUse::Flagged => "flagged",
        SpecialUse::Junk => "junk",
        SpecialUse::Sent => "sent",
        SpecialUse::Trash => "trash",
    });
    FoundFolder {
        name: folder.name,
        special_use: special_use.map(Into::into),
        messages: u64::from(messages.unwrap_or(0)),
    }
}

fn too_slow(login: &Login) -> Trouble {
    let message = "The server did not finish answering within half a minute.";
    let remedy = "Try again; if it stays so, ask the server's operator.";
    Trouble::new("list", "timeout", message, remedy).with("host", &login.host).with("port", login.port)
}

/// The protocol as it was spoken, secrets masked by the wire.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Log for Lines {
    fn line(&self, direction: Direction, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < MOST_LINES {
            let who = match direction {
                Direction::Sent => "→",
                Direction::Received => "←",
                Direction::Note => "·",
            };
            lines.push(format!("{who} {line}"));
        }
    }
}
