//! Trying a connection before it is saved: sign in, list the folders (of POP3 the maildrop), count their messages.

use crate::source::server_and_credentials;
use crate::trouble;
use desk::mailbox::{FoundFolder, Login, TestOutcome, Trouble, steps};
use model::Protocol;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wire::imap::{Folder, Session, SpecialUse};
use wire::pop3;
use wire::{ConnectError, ConnectErrorKind, Direction, Log, Stage};

/// A test ends after this long, whatever the server does.
const AT_MOST: Duration = Duration::from_secs(30);
/// Lines of the log that are shown.
const MOST_LINES: usize = 200;
/// Folders whose messages are counted.
const MOST_FOLDERS: usize = 200;

/// Tries a login. Saves nothing and changes nothing on the server.
pub async fn test(login: Login) -> TestOutcome {
    let log = Arc::new(Lines::default());
    let look = async {
        match login.protocol {
            Protocol::Imap => look(&login, log.clone()).await.map(|folders| (folders, Vec::new())),
            Protocol::Pop3 => look_into_maildrop(&login, log.clone()).await,
        }
    };
    let (found, trouble) = match tokio::time::timeout(AT_MOST, look).await {
        Ok(Ok(found)) => (found, None),
        Ok(Err(error)) => (Default::default(), Some(trouble::of_connection(&error))),
        Err(_) => (Default::default(), Some(too_slow(&login))),
    };
    let (folders, notes) = found;
    let steps = steps(login.tls, "list", trouble.as_ref());
    TestOutcome { steps, notes, log: log.take(), folders, trouble }
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

/// A maildrop as its one folder, and what is worth knowing about its server: `pop3_no_uidl` (messages must be deleted as
/// soon as they are fetched), `pop3_hides_mail` (what one program has fetched no other one sees).
async fn look_into_maildrop(
    login: &Login,
    log: Arc<Lines>,
) -> Result<(Vec<FoundFolder>, Vec<String>), ConnectError> {
    let (server, credentials) = server_and_credentials(login);
    let server = server.with_log(log);
    let mut session = pop3::Session::connect(&server, &credentials).await?;
    let stat = session.stat().await.map_err(|error| error.at(Stage::List, &server))?;
    let mut notes = Vec::new();
    match session.uidl().await {
        Ok(_) => {}
        Err(pop3::SessionError::Refused(refusal)) => {
            let error = session.without_uidl(&refusal);
            if error.kind != ConnectErrorKind::NoUidl {
                return Err(error);
            }
            notes.push(error.kind.name().to_owned());
        }
        Err(error) => return Err(error.at(Stage::List, &server)),
    }
    if HIDING.iter().any(|host| login.host == *host || login.host.ends_with(&format!(".{host}"))) {
        notes.push("pop3_hides_mail".to_owned());
    }
    // Nothing was marked: how it ends does not matter.
    drop(session.quit().await);
    let inbox = FoundFolder { name: "INBOX".into(), special_use: None, messages: u64::from(stat.messages) };
    Ok((vec![inbox], notes))
}

/// Providers whose POP3 servers list a message until one program has fetched it.
const HIDING: [&str; 2] = ["gmail.com", "googlemail.com"];

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
