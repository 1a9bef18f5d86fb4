//! What went wrong, as a mailbox's page shows it: stage, code, what the code's sentence speaks of.

use desk::grant::NoToken;
use desk::mailbox::Trouble;
use wire::ConnectError;

/// Of a connection that did not come about.
pub(crate) fn of_connection(error: &ConnectError) -> Trouble {
    Trouble::new(error.stage.name(), error.kind.name(), &error.message, &error.remedy)
        .with("host", &error.host)
        .with("port", error.port)
        .with("said", &error.said)
}

/// Of a sign-in at a provider that gives no token.
pub(crate) fn of_token(error: &NoToken) -> Trouble {
    let message = format!("{error}.");
    match error {
        NoToken::Refused { provider, code } => {
            let remedy = "Open the mailbox's settings and sign in at the provider again.";
            Trouble::new("login", "grant_refused", message, remedy)
                .with("provider", provider)
                .with("said", code)
        }
        NoToken::Later { provider, reason } => {
            let remedy = "Nothing is lost; it is tried again by itself.";
            let trouble = Trouble::new("login", "provider_unreachable", message, remedy);
            trouble.with("provider", provider).with("said", reason)
        }
        NoToken::Failed(_) => {
            let remedy = "Open the mailbox's settings and enter what is missing.";
            Trouble::new("setting_up", "incomplete", message, remedy)
        }
    }
}

/// All was read, and the server will not do what is due after filing.
pub(crate) fn unsettled(folder: &str, refused: &str) -> Trouble {
    let remedy = "Nothing is lost. See on the server whether the target folder can be written and has room.";
    let message = format!("Filed mail stays in {folder}: {refused}");
    Trouble::new("settling", "unsettled", message, remedy).with("folder", folder).with("said", refused)
}
