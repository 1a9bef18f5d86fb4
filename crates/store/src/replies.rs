//! What an answer by hand needs to know of a thread, and how far what was sent in it is.

use crate::params;
use crate::sql::{Error, Sql};
use model::{MessageId, ThreadId, Time, UserId};
use std::collections::HashSet;

/// Messages of a thread whose place in it is not to be trusted: nobody named in them is answered unasked.
pub async fn unverified(sql: &mut impl Sql, thread: ThreadId) -> Result<HashSet<MessageId>, Error> {
    let text = "SELECT id FROM messages WHERE thread_id = $1 AND unverified <> ''";
    sql.query(text, params![thread]).await?.iter().map(|row| row.get(0)).collect()
}

/// Whether somebody answered a thread, and who.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// When one of us wrote last.
    pub at: Time,
    /// Who, where it is known.
    pub by: Option<(UserId, String)>,
    /// Whether nobody outside has written since.
    pub is_last: bool,
}

/// Who answered each of these threads last; `None`: nobody did.
pub async fn answered(sql: &mut impl Sql, threads: &[ThreadId]) -> Result<Vec<Option<Answered>>, Error> {
    let text = "SELECT t.last_out_at, t.answered_by, u.name, COALESCE(t.last_in_at, 0) <= t.last_out_at \
                FROM threads t LEFT JOIN users u ON u.id = t.answered_by WHERE t.id = $1 AND t.last_out_at IS NOT NULL";
    let found = sql.query_many(text, threads.iter().map(|id| params![*id]).collect()).await?;
    let one = |row: &crate::sql::Row| {
        let by: Option<UserId> = row.get(1)?;
        let name: Option<String> = row.get(2)?;
        Ok(Answered {
            at: row.get(0)?,
            by: by.map(|id| (id, name.unwrap_or_default())),
            is_last: row.get(3)?,
        })
    };
    found.iter().map(|rows| rows.first().map(one).transpose()).collect()
}
