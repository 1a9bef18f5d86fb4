//! Occurrences that are kept and not filed yet.

use crate::folders::Folder;
use crate::params;
use crate::sql::{Error, Sql, Tx};
use model::{OccurrenceId, QuarantineReason, Time};

/// An occurrence that waits to be filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The occurrence.
    pub id: OccurrenceId,
    /// Its number in the folder.
    pub uid: i64,
    /// How often filing it was begun.
    pub attempts: i64,
    /// When the server says it arrived.
    pub internal_at: Time,
    /// Somebody wants it filed although a filter says otherwise.
    pub after_all: bool,
}

/// Up to `limit` kept occurrences of a folder with an id above `after`, oldest first.
pub async fn waiting(
    sql: &mut impl Sql,
    folder: &Folder,
    after: OccurrenceId,
    limit: i64,
) -> Result<Vec<Waiting>, Error> {
    let rows = sql
        .query(
            "SELECT id, uid, attempts, internal_at, rule_id FROM occurrences WHERE folder_id = $1 AND state = 'kept' AND id > $2 ORDER BY id LIMIT $3",
            params![folder.id, after, limit],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                id: row.get(0)?,
                uid: row.get(1)?,
                attempts: row.get(2)?,
                internal_at: row.get(3)?,
                after_all: row.get::<Option<i64>>(4)?.is_some(),
            })
        })
        .collect()
}

/// Which of these occurrences still wait: another process may have filed some.
pub async fn still_waiting(tx: &mut Tx, ids: &[OccurrenceId]) -> Result<Vec<bool>, Error> {
    let asked = ids.iter().map(|id| params![*id]).collect();
    let found = tx.query_many("SELECT 1 FROM occurrences WHERE id = $1 AND state = 'kept'", asked).await?;
    Ok(found.iter().map(|rows| !rows.is_empty()).collect())
}

/// Counts one more attempt at filing these, before it is made.
pub async fn begin_attempt(tx: &mut Tx, ids: &[OccurrenceId]) -> Result<(), Error> {
    let rows = ids.iter().map(|id| params![*id]).collect();
    tx.execute_many("UPDATE occurrences SET attempts = attempts + 1 WHERE id = $1", rows).await.map(drop)
}

/// Puts a kept occurrence aside with its reason; its bytes stay, the server is not touched.
pub async fn quarantine(
    tx: &mut Tx,
    id: OccurrenceId,
    code: QuarantineReason,
    reason: &str,
) -> Result<(), Error> {
    let text = "UPDATE occurrences SET state = 'quarantined', reason_code = $2, reason = $3 WHERE id = $1";
    tx.execute(text, params![id, code.word(), reason]).await.map(drop)
}
