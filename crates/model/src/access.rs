//! What of the mail somebody may see.

/// Folded into every list, count, search and event: a thread is visible if it carries one of the
/// tokens. Tokens name containers (`m<mailbox>`) and people (`u<user>`), so that a change of rights
/// changes the query and not the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every message of every mailbox.
    All,
    /// Threads with at least one of these tokens; an empty list sees nothing.
    Tokens(Vec<String>),
}

impl Access {
    /// Nothing at all.
    pub fn nothing() -> Access {
        Access::Tokens(Vec::new())
    }

    /// The token of what came through a mailbox.
    pub fn of_mailbox(id: crate::MailboxId) -> String {
        format!("m{id}")
    }

    /// The token of what a person wrote, received or was given.
    pub fn of_user(id: crate::UserId) -> String {
        format!("u{id}")
    }
}
