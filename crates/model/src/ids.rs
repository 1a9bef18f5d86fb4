//! One type per kind of id.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares id types, and hands their list to a macro so that other crates can implement traits for
/// all of them in one line.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub i64);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
            }
        )*

        /// Calls the macro `$with` with the names of all id types: `each_id!(my_macro)`.
        #[macro_export]
        macro_rules! each_id { ($with:ident) => { $with!($($name),*); } }
    };
}

ids! {
    /// A person who signs in.
    UserId,
    /// A group of users in charge of something.
    TeamId,
    /// A named set of rights.
    RoleId,
    /// An area of work: helpdesk, sales, press.
    ProcessId,
    /// A connected mail account, of a group or of a person.
    MailboxId,
    /// A folder on a mailbox's server.
    FolderId,
    /// One item on one server.
    OccurrenceId,
    /// A filed message.
    MessageId,
    /// Messages that belong together.
    ThreadId,
    /// An account, contact, lead, opportunity or case.
    RecordId,
    /// A tie between a thread and a record.
    LinkId,
    /// An entry in a record's or thread's stream.
    NoteId,
    /// One entry of the feed of what happened.
    ChangeId,
    /// Stored bytes of a body or a part.
    BlobId,
    /// Something people asked to be done on a mail server.
    OperationId,
    /// An OAuth provider.
    ProviderId,
    /// What a provider granted.
    GrantId,
    /// Something somebody is told in the interface.
    NotificationId,
    /// An outgoing message.
    OutboxId,
    /// A link that somebody may make.
    SuggestionId,
    /// A label of threads.
    LabelId,
    /// A rule or a filter.
    RuleId,
    /// A text that answers are made from.
    TemplateId,
    /// Something to be done outside of the database.
    JobId,
    /// A file of records to be imported.
    ImportId,
}
