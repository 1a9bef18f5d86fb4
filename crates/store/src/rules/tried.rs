//! What was tried on messages: lists of rules as they were, each once, so that a message names one.
//!
//! Every change of a rule makes a new list for each folder it is tried in, so that they are bounded:
//! [`MOST_SETS`] are kept, and a new one takes the place of the one that was unused for longest. Of a message
//! whose list is forgotten only what matched is known, which stands in its own trace.

use super::json;
use crate::counters;
use crate::params;
use crate::sql::{Error, Sql, Tx};
use model::{MessageId, Time, TriedRule};

/// Lists that are kept: a few MB of lists of usual length, about 100 MB of the longest.
pub const MOST_SETS: i64 = 2000;
/// That a list is in use is written down no more often than this, in seconds.
const DAY_S: i64 = 86_400;

/// The id of a list of rules as they were tried; the same list has one id.
pub async fn set_id(tx: &mut Tx, tried: &[TriedRule], at: Time) -> Result<i64, Error> {
    let content = json(&tried)?;
    let hash = *blake3::hash(content.as_bytes()).as_bytes();
    let known = "SELECT id, used_at FROM rule_sets WHERE hash = $1";
    if let Some(row) = tx.query_opt(known, params![hash]).await? {
        let (id, used_at): (i64, Time) = (row.get(0)?, row.get(1)?);
        if used_at.plus_s(DAY_S) <= at {
            tx.execute("UPDATE rule_sets SET used_at = $2 WHERE id = $1", params![id, at]).await?;
        }
        return Ok(id);
    }
    forget(tx).await?;
    let id = counters::take(tx, "rule_sets", 1).await?;
    let text = "INSERT INTO rule_sets (id, hash, content, used_at) VALUES ($1, $2, $3, $4)";
    tx.execute(text, params![id, hash, content, at]).await?;
    Ok(id)
}

/// Makes room for one more.
async fn forget(tx: &mut Tx) -> Result<(), Error> {
    let there: i64 = tx.query_one("SELECT COUNT(*) FROM rule_sets", params![]).await?.get(0)?;
    let more = there + 1 - MOST_SETS;
    if more > 0 {
        let text =
            "DELETE FROM rule_sets WHERE id IN (SELECT id FROM rule_sets ORDER BY used_at, id LIMIT $1)";
        tx.execute(text, params![more]).await?;
    }
    Ok(())
}

/// A list of rules as they were tried; `None` where it is forgotten.
pub async fn set(sql: &mut impl Sql, id: i64) -> Result<Option<Vec<TriedRule>>, Error> {
    let row = sql.query_opt("SELECT content FROM rule_sets WHERE id = $1", params![id]).await?;
    let content: Option<String> = row.map_or(Ok(None), |row| row.get(0).map(Some))?;
    // What cannot be read was written by a later version.
    Ok(content.and_then(|text| serde_json::from_str(&text).ok()))
}

/// What rules did with a message, as it is stored: JSON, or "".
pub async fn trace(sql: &mut impl Sql, id: MessageId) -> Result<String, Error> {
    let row = sql.query_opt("SELECT trace FROM messages WHERE id = $1", params![id]).await?;
    row.map_or(Ok(String::new()), |row| row.get(0))
}
