//! What people asked to be done on a mail server, in order: flags, moves, deletions, additions.
//!
//! An operation is written in the transaction that shows its effect here, and carried out by the next
//! round. Until it is done it wins over what the server says ([`flags_due`], and the lists of
//! [`crate::folders::contents`]). `attempts` counts tries that were begun: above 0 a try may have been
//! carried out and its answer lost, and the server is looked into before it is repeated.

use crate::counters;
use crate::params;
use crate::raw;
use crate::sql::{Error, Row, Sql, Tx};
use model::{Flag, FlagChange, FolderId, MailboxId, MessageId, OccurrenceId, OperationId, Time, UserId};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// What is to be done, with what only this kind needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Act {
    /// Set and take off flags of the occurrence.
    Flag(FlagChange),
    /// Move the occurrence to the target folder.
    Move,
    /// Remove items of the folder for good.
    Delete {
        /// The numbering of `uids`.
        uidvalidity: i64,
        /// As a sequence set.
        uids: String,
    },
    /// Add a message to the folder: the operation's own bytes, or those of the occurrence, which then
    /// leaves where it was.
    Append {
        /// The flags it gets.
        flags: Vec<Flag>,
        /// When it arrived; 0 where nobody knows.
        internal_at: Time,
    },
}

impl Act {
    /// The word for its kind.
    pub fn word(&self) -> &'static str {
        match self {
            Act::Flag(_) => "flag",
            Act::Move => "move",
            Act::Delete { .. } => "delete",
            Act::Append { .. } => "append",
        }
    }
}

/// Something to be done.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// On whose server.
    pub mailbox: MailboxId,
    /// The folder it is about; of an addition, where it goes.
    pub folder: FolderId,
    /// The occurrence it is about.
    pub occurrence: Option<OccurrenceId>,
    /// Of a move, where it goes.
    pub target: Option<FolderId>,
    /// What.
    pub act: Act,
    /// Of an addition that is no occurrence: its bytes.
    pub raw: Option<Vec<u8>>,
    /// Who asked for it; `None` for the machine.
    pub user: Option<UserId>,
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id: its place in the order.
    pub id: OperationId,
    /// The folder it is about; of an addition, where it goes.
    pub folder: FolderId,
    /// The occurrence it is about.
    pub occurrence: Option<OccurrenceId>,
    /// Of a move, where it goes.
    pub target: Option<FolderId>,
    /// What.
    pub act: Act,
    /// How often it was begun.
    pub attempts: i64,
    /// When it was asked for.
    pub created_at: Time,
}

/// Name of the lock under which what people changed and what a server says are written.
const LOCK: i64 = 0x4c63_0100_0000_0000;

/// Until the transaction ends nobody else writes what people changed in a mailbox, or what its server says of
/// it: neither undoes what the other has not seen.
pub async fn lock(tx: &mut Tx, mailbox: MailboxId) -> Result<(), Error> {
    tx.lock(LOCK + mailbox.0).await
}

/// Adds operations, in their order.
pub async fn add(tx: &mut Tx, new: &[NewOperation], at: Time) -> Result<(), Error> {
    let first = counters::take(tx, "operations", new.len() as i64).await?;
    let rows = new.iter().zip(first..).map(|(one, id)| {
        let data = serde_json::to_string(&one.act).expect("an act is plain data");
        params![
            id,
            one.mailbox,
            one.folder,
            one.occurrence,
            one.target,
            one.act.word(),
            data,
            one.raw.as_deref().map(raw::zstd_of),
            "due",
            0_i64,
            one.user,
            at
        ]
    });
    let head = "INSERT INTO operations (id, mailbox_id, folder_id, occurrence_id, target_id, kind, data, raw, state, attempts, user_id, created_at) VALUES";
    tx.insert_many(head, "", rows.collect()).await.map(drop)
}

const OPERATION: &str =
    "SELECT id, folder_id, occurrence_id, target_id, data, attempts, created_at FROM operations";

/// Up to `limit` operations of a mailbox that are due after `after`, in their order.
pub async fn due(
    sql: &mut impl Sql,
    mailbox: MailboxId,
    after: OperationId,
    limit: i64,
) -> Result<Vec<Operation>, Error> {
    let text =
        format!("{OPERATION} WHERE mailbox_id = $1 AND state = 'due' AND id > $2 ORDER BY id LIMIT $3");
    sql.query(&text, params![mailbox, after, limit]).await?.iter().map(operation).collect()
}

fn operation(row: &Row) -> Result<Operation, Error> {
    let data: String = row.get(4)?;
    Ok(Operation {
        id: row.get(0)?,
        folder: row.get(1)?,
        occurrence: row.get(2)?,
        target: row.get(3)?,
        act: serde_json::from_str(&data)
            .map_err(|error| Error::Other(format!("an operation's data: {error}")))?,
        attempts: row.get(5)?,
        created_at: row.get(6)?,
    })
}

/// The bytes an addition brings itself.
pub async fn raw_of(sql: &mut impl Sql, id: OperationId) -> Result<Option<Vec<u8>>, Error> {
    let row = sql.query_opt("SELECT raw FROM operations WHERE id = $1", params![id]).await?;
    let packed: Option<Vec<u8>> = row.map_or(Ok(None), |row| row.get(0))?;
    packed.map(|packed| raw::unzstd(&packed)).transpose()
}

/// Counts a try, before it is made.
pub async fn begin(tx: &mut Tx, ids: &[OperationId]) -> Result<(), Error> {
    let rows = ids.iter().map(|id| params![*id]).collect();
    tx.execute_many("UPDATE operations SET attempts = attempts + 1 WHERE id = $1", rows).await.map(drop)
}

/// Writes down that the server has done it.
pub async fn done(tx: &mut Tx, ids: &[OperationId], at: Time) -> Result<(), Error> {
    let rows = ids.iter().map(|id| params![*id, at]).collect();
    let text = "UPDATE operations SET state = 'done', error = NULL, raw = NULL, done_at = $2 WHERE id = $1";
    tx.execute_many(text, rows).await.map(drop)
}

/// Writes down why the server did not do it; after `most` tries it is not asked again. What was shown
/// in advance is put right by comparing the folder as a whole.
pub async fn refused(
    tx: &mut Tx,
    ids: &[OperationId],
    error: &str,
    most: i64,
    at: Time,
) -> Result<(), Error> {
    let rows = ids.iter().map(|id| params![*id, error, most, at]).collect();
    let text =
        "UPDATE operations SET error = $2, state = CASE WHEN attempts >= $3 THEN 'failed' ELSE 'due' END,
                done_at = CASE WHEN attempts >= $3 THEN CAST($4 AS BIGINT) ELSE NULL END WHERE id = $1";
    tx.execute_many(text, rows).await?;
    let folders = "UPDATE folders SET highest_modseq = 0 WHERE id = (SELECT folder_id FROM operations WHERE id = $1 AND state = 'failed')";
    tx.execute_many(folders, ids.iter().map(|id| params![*id]).collect()).await.map(drop)
}

/// Flags that are to be changed of a folder's occurrences, by occurrence in their order.
pub async fn flags_due(
    sql: &mut impl Sql,
    folder: FolderId,
) -> Result<HashMap<OccurrenceId, Vec<FlagChange>>, Error> {
    let text = format!("{OPERATION} WHERE folder_id = $1 AND kind = 'flag' AND state = 'due' ORDER BY id");
    let mut changes: HashMap<OccurrenceId, Vec<FlagChange>> = HashMap::new();
    for row in sql.query(&text, params![folder]).await? {
        let operation = operation(&row)?;
        if let (Act::Flag(change), Some(occurrence)) = (operation.act, operation.occurrence) {
            changes.entry(occurrence).or_default().push(change);
        }
    }
    Ok(changes)
}

/// Which of these occurrences are on their way elsewhere: until they are there nothing else is begun
/// with them.
pub async fn leaving(sql: &mut impl Sql, ids: &[OccurrenceId]) -> Result<Vec<bool>, Error> {
    let text = "SELECT 1 FROM operations WHERE occurrence_id = $1 AND kind IN ('move', 'append') AND state = 'due' LIMIT 1";
    let found = sql.query_many(text, ids.iter().map(|id| params![*id]).collect()).await?;
    Ok(found.iter().map(|rows| !rows.is_empty()).collect())
}

/// How often rules have moved a message within a mailbox.
pub async fn moved_by_rules(
    sql: &mut impl Sql,
    mailbox: MailboxId,
    message: MessageId,
) -> Result<i64, Error> {
    let text = "SELECT COUNT(*) FROM operations p JOIN occurrences o ON o.id = p.occurrence_id
                WHERE o.message_id = $1 AND o.mailbox_id = $2 AND p.kind = 'move' AND p.user_id IS NULL";
    sql.query_one(text, params![message, mailbox]).await?.get(0)
}

/// Nobody waits any more for the flags of these.
pub async fn drop_flags(tx: &mut Tx, ids: &[OccurrenceId], at: Time) -> Result<(), Error> {
    let text = "UPDATE operations SET state = 'done', done_at = $2 WHERE occurrence_id = $1 AND kind = 'flag' AND state = 'due'";
    tx.execute_many(text, ids.iter().map(|id| params![*id, at]).collect()).await.map(drop)
}

/// Whether something was ever added to a folder that was a message before.
pub async fn receives(sql: &mut impl Sql, folder: FolderId) -> Result<bool, Error> {
    let text = "SELECT 1 FROM operations WHERE folder_id = $1 AND kind = 'append' AND state IN ('due', 'done') AND occurrence_id IS NOT NULL LIMIT 1";
    Ok(sql.query_opt(text, params![folder]).await?.is_some())
}

/// Those of these messages that were added to a folder from elsewhere: old mail in a new place.
pub async fn received(
    sql: &mut impl Sql,
    folder: FolderId,
    messages: &[MessageId],
) -> Result<HashSet<MessageId>, Error> {
    let text = "SELECT o.message_id FROM occurrences o JOIN operations p ON p.occurrence_id = o.id
                WHERE o.message_id = $1 AND p.folder_id = $2 AND p.kind = 'append' AND p.state IN ('due', 'done') LIMIT 1";
    let found = sql.query_many(text, messages.iter().map(|id| params![*id, folder]).collect()).await?;
    found.iter().flatten().map(|row| row.get(0)).collect()
}

/// What is still due of an occurrence goes to the one it became.
pub async fn follow(
    tx: &mut Tx,
    from: OccurrenceId,
    to: OccurrenceId,
    folder: FolderId,
) -> Result<(), Error> {
    let text = "UPDATE operations SET occurrence_id = $2, folder_id = $3 WHERE occurrence_id = $1 AND state = 'due' AND kind IN ('flag', 'move')";
    tx.execute(text, params![from, to, folder]).await.map(drop)
}

/// An operation that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedOperation {
    /// Its id.
    pub id: OperationId,
    /// The word for its kind.
    pub kind: String,
    /// The folder it is about.
    pub folder: String,
    /// Why.
    pub error: String,
    /// When.
    pub at: Time,
}

/// How many operations of a mailbox are due, and the newest that were given up.
pub async fn state(
    sql: &mut impl Sql,
    mailbox: MailboxId,
    limit: i64,
) -> Result<(i64, Vec<FailedOperation>), Error> {
    let due = sql
        .query_one(
            "SELECT COUNT(*) FROM operations WHERE mailbox_id = $1 AND state = 'due'",
            params![mailbox],
        )
        .await?;
    let text = "SELECT o.id, o.kind, f.name, COALESCE(o.error, ''), COALESCE(o.done_at, 0) FROM operations o
                JOIN folders f ON f.id = o.folder_id WHERE o.mailbox_id = $1 AND o.state = 'failed' ORDER BY o.id DESC LIMIT $2";
    let failed = sql.query(text, params![mailbox, limit]).await?;
    let failed = failed.iter().map(|row| {
        Ok(FailedOperation {
            id: row.get(0)?,
            kind: row.get(1)?,
            folder: row.get(2)?,
            error: row.get(3)?,
            at: row.get(4)?,
        })
    });
    Ok((due.get(0)?, failed.collect::<Result<_, Error>>()?))
}

/// How many copies of these bytes a folder is known to have had before `at`, or to have got since by an
/// operation that is done: what is found beyond them was brought by one whose answer was lost.
pub async fn accounted(
    sql: &mut impl Sql,
    folder: FolderId,
    hash: &[u8; 32],
    at: Time,
) -> Result<i64, Error> {
    let text = "SELECT (SELECT COUNT(*) FROM occurrences WHERE folder_id = $1 AND hash = $2 AND gone_at IS NULL AND kept_at < $3)
                + (SELECT COUNT(*) FROM operations p JOIN occurrences o ON o.id = p.occurrence_id WHERE p.folder_id = $1
                   AND p.kind = 'append' AND p.state = 'done' AND p.done_at >= $3 AND o.hash = $2)
                + (SELECT COUNT(*) FROM occurrences o JOIN operations p ON p.occurrence_id = o.id WHERE p.target_id = $1
                   AND p.kind = 'move' AND p.state = 'done' AND p.done_at >= $3 AND o.hash = $2)";
    sql.query_one(text, params![folder, *hash, at]).await?.get(0)
}
