//! What can go wrong with a database, sorted by what the caller can do about it.

/// A failed statement, transaction or connection. Texts name tables, constraints and statements,
/// never the values of a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A row with this key is there already (UNIQUE or PRIMARY KEY).
    #[error("a row of {table} with this key exists already ({constraint})")]
    Conflict {
        /// The table, where the database names it; else empty.
        table: String,
        /// PostgreSQL: the constraint's name. SQLite: its columns (`users.email`) or index.
        constraint: String,
    },
    /// A foreign key, CHECK or NOT NULL refuses the row.
    #[error("the database refuses the row: {0}")]
    Constraint(String),
    /// Somebody else is in the way (lock, deadlock, serialization, time limit, full pool): begin
    /// the transaction again.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The connection was lost, or none could be made; nothing of the open transaction was kept.
    #[error("no connection to the database: {0}")]
    Lost(String),
    /// The connection was lost while committing: kept or not kept, nobody knows. Read by key before
    /// doing it again.
    #[error("the connection was lost during COMMIT, the outcome is unknown: {0}")]
    Ambiguous(String),
    /// No space left on the disk of the database.
    #[error("the disk of the database is full: {0}")]
    Full(String),
    /// The disk reported an error. After one during COMMIT the process should be restarted: a
    /// failed fsync must not be tried again.
    #[error("input/output error of the database: {0}")]
    Io(String),
    /// Another process has taken this mailbox's rounds over: what began under the old lease ends.
    #[error("another process makes the rounds of this mailbox now")]
    TakenOver,
    /// [`super::Db::close`] was called.
    #[error("the database is closed")]
    Closed,
    /// An earlier statement of this transaction failed or was cancelled: it can only be rolled back.
    #[error("the transaction failed before and can only be rolled back")]
    Failed,
    /// `query_one` found no row.
    #[error("no such row: {0}")]
    NoRow(String),
    /// A column holds something else than was asked for.
    #[error("column {index} is {found}, not {wanted}")]
    Column {
        /// Counted from 0.
        index: usize,
        /// The kind that was asked for.
        wanted: &'static str,
        /// The kind that is there.
        found: &'static str,
    },
    /// The schema and the program do not fit together.
    #[error("migration {number} ({name}): {reason}")]
    Migration {
        /// The migration's number.
        number: i64,
        /// The migration's name.
        name: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Anything else: a mistake in a statement, a damaged file, a wrong password.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// Whether the same transaction, begun again, may succeed without anybody doing anything.
    /// [`Error::Ambiguous`] is not among them: first read whether it was kept.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Busy(_) | Error::Lost(_))
    }
}

/// The beginning of a statement for error messages, on one line.
pub(crate) fn head(sql: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().take(16).collect();
    words.join(" ").chars().take(120).collect()
}
