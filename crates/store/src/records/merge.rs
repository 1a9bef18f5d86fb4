//! Two records that are one: everything of the one goes over to the other.
//!
//! What went over is not told apart afterwards: there is no way back. The record that ends stays as a
//! row that points to its survivor, because links in mails, bookmarks and other systems name it.

use crate::params;
use crate::sql::{Error, Sql, Tx};
use model::{RecordId, ThreadId, Time};

/// The record that stands for this one: itself, or what it was merged into.
pub async fn survivor(sql: &mut impl Sql, id: RecordId) -> Result<RecordId, Error> {
    let row =
        sql.query_opt("SELECT COALESCE(merged_into, id) FROM records WHERE id = $1", params![id]).await?;
    row.map_or(Ok(id), |row| row.get(0))
}

/// Statements with `$1` the survivor and `$2` the one that ends, in this order.
const MOVES: &[&str] = &[
    // The surer of two reasons stays.
    "UPDATE links SET reason = (SELECT o.reason FROM links o WHERE o.record_id = $2 AND o.thread_id = links.thread_id), \
       detail = (SELECT o.detail FROM links o WHERE o.record_id = $2 AND o.thread_id = links.thread_id), \
       message_id = (SELECT o.message_id FROM links o WHERE o.record_id = $2 AND o.thread_id = links.thread_id), \
       user_id = (SELECT o.user_id FROM links o WHERE o.record_id = $2 AND o.thread_id = links.thread_id), \
       confidence = (SELECT o.confidence FROM links o WHERE o.record_id = $2 AND o.thread_id = links.thread_id) \
     WHERE record_id = $1 AND confidence < \
       (SELECT o.confidence FROM links o WHERE o.record_id = $2 AND o.thread_id = links.thread_id)",
    "DELETE FROM links WHERE record_id = $2 AND thread_id IN (SELECT thread_id FROM links WHERE record_id = $1)",
    "UPDATE links SET record_id = $1 WHERE record_id = $2",
    "DELETE FROM suggestions WHERE record_id = $2 AND thread_id IN (SELECT thread_id FROM suggestions WHERE record_id = $1)",
    "UPDATE suggestions SET record_id = $1 WHERE record_id = $2",
    "UPDATE stream SET record_id = $1 WHERE record_id = $2",
    "UPDATE notifications SET record_id = $1 WHERE record_id = $2",
    "INSERT INTO followers (record_id, user_id) SELECT CAST($1 AS BIGINT), user_id FROM followers \
     WHERE record_id = $2 ON CONFLICT DO NOTHING",
    "UPDATE records SET account_id = $1 WHERE account_id = $2",
    "INSERT INTO record_accounts (record_id, account_id) SELECT record_id, CAST($1 AS BIGINT) FROM record_accounts \
     WHERE account_id = $2 ON CONFLICT DO NOTHING",
    "UPDATE records SET converted_into = $1 WHERE converted_into = $2",
    "UPDATE records SET merged_into = $1 WHERE merged_into = $2",
    "UPDATE records SET last_at = (SELECT MAX(r.last_at) FROM records r WHERE r.id IN ($1, $2)) WHERE id = $1",
];

/// Statements with `$1` the one that ends: what is left of it.
const LEAVES: &[&str] = &[
    "DELETE FROM followers WHERE record_id = $1",
    "DELETE FROM record_addresses WHERE record_id = $1",
    "DELETE FROM record_domains WHERE record_id = $1",
    "DELETE FROM record_accounts WHERE record_id = $1 OR account_id = $1",
];

/// Moves all that belongs to `from` over to `into`: links, suggestions, stream, followers, and what
/// names it as account. Its own columns are the caller's to write. Its external id goes on naming the
/// survivor, unless the survivor takes it over (`takes_external_id`). Gives the threads it was linked to.
pub async fn merge(
    tx: &mut Tx,
    into: RecordId,
    from: RecordId,
    takes_external_id: bool,
    at: Time,
) -> Result<Vec<ThreadId>, Error> {
    let rows = tx.query("SELECT thread_id FROM links WHERE record_id = $1", params![from]).await?;
    let threads = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<ThreadId>, _>>()?;
    for text in MOVES {
        tx.execute(text, params![into, from]).await?;
    }
    for text in LEAVES {
        tx.execute(text, params![from]).await?;
    }
    // An account that is a contact's first one is not one of its further ones too.
    let text = "DELETE FROM record_accounts WHERE account_id = $1 AND EXISTS \
                (SELECT 1 FROM records r WHERE r.id = record_accounts.record_id AND r.account_id = $1)";
    tx.execute(text, params![into]).await?;
    // What was linked to both has one link less, and what is linked needs no suggestion.
    let text = "UPDATE threads SET links = (SELECT COUNT(*) FROM links WHERE thread_id = $1) WHERE id = $1";
    tx.execute_many(text, threads.iter().map(|thread| params![*thread]).collect()).await?;
    let text = "DELETE FROM suggestions WHERE record_id = $1 AND thread_id IN \
                (SELECT thread_id FROM links WHERE record_id = $1)";
    tx.execute(text, params![into]).await?;
    let kept = if takes_external_id { "NULL" } else { "external_id" };
    let text = format!(
        "UPDATE records SET merged_into = $1, external_id = {kept}, updated_at = $3, version = version + 1 \
         WHERE id = $2"
    );
    tx.execute(&text, params![into, from, at]).await?;
    Ok(threads)
}

/// Lets those who follow `from` follow `to` as well.
pub async fn copy_followers(tx: &mut Tx, from: RecordId, to: RecordId) -> Result<(), Error> {
    let text = "INSERT INTO followers (record_id, user_id) SELECT CAST($1 AS BIGINT), user_id FROM followers \
                WHERE record_id = $2 ON CONFLICT DO NOTHING";
    tx.execute(text, params![to, from]).await.map(drop)
}
