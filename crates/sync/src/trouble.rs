//! What went wrong, as a mailbox's page shows it: stage, code, what the code's sentence speaks of.

use desk::mailbox::Trouble;
use wire::ConnectError;

/// Of a connection that did not come about.
pub(crate) fn of_connection(error: &ConnectError) -> Trouble {
    Trouble::new(error.stage.name(), error.kind.name(), &error.message, &error.remedy)
        .with("host", &error.host)
        .with("port", error.port)
        .with("said", &error.said)
}

/// All was read, and the server will not do what is due after filing.
pub(crate) fn unsettled(folder: &str, refused: &str) -> Trouble {
    let remedy = "Nothing is lost. See on the server whether the target folder can be written and has room.";
    let message = format!("Filed mail stays in {folder}: {refused}");
    Trouble::new("settling", "unsettled", message, remedy).with("folder", folder).with("said", refused)
}
