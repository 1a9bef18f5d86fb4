//! POP3: the unique ids a maildrop lists, and the numbers that stand for them here.
//!
//! With a number for each, a maildrop is a folder like any other: cursor, list, occurrences and ledger know no other
//! protocol. Two messages may have one id (RFC 1939, section 7): they are told apart by an ordinal. An id that is no
//! longer listed is forgotten, since the server may give it to another message from then on.
//!
//! Message numbers of a session are never stored: the next session has others.

use crate::folders::Folder;
use crate::params;
use crate::raw::Hash;
use crate::sql::{Error, Sql, Tx};
use model::{OccurrenceId, Time};
use std::collections::HashMap;

/// What a message in a maildrop is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// Its unique id.
    pub uidl: String,
    /// How many messages before it have the same one.
    pub ordinal: i64,
}

/// What is known of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub uid: i64,
    /// The server was asked to remove the message.
    pub is_to_go: bool,
}

/// Rows read at a time: a row in memory is much larger than what is kept of it.
const PAGE: i64 = 10_000;

/// All names of a folder under its present numbering.
pub async fn known(sql: &mut impl Sql, folder: &Folder) -> Result<HashMap<Name, Known>, Error> {
    let text = "SELECT u.uidl, u.ordinal, u.uid, CASE WHEN o.settle IN ('due', 'moved') AND o.settle_attempts > 0 THEN 1 ELSE 0 END FROM uidls u
                LEFT JOIN occurrences o ON o.folder_id = u.folder_id AND o.uidvalidity = u.uidvalidity AND o.uid = u.uid
                WHERE u.folder_id = $1 AND u.uidvalidity = $2 AND u.uid > $3 ORDER BY u.uid LIMIT $4";
    let (mut known, mut after) = (HashMap::new(), 0);
    loop {
        let rows = sql.query(text, params![folder.id, folder.uidvalidity, after, PAGE]).await?;
        for row in &rows {
            let name = Name { uidl: row.get(0)?, ordinal: row.get(1)? };
            after = row.get(2)?;
            known.insert(name, Known { uid: after, is_to_go: row.get::<i64>(3)? == 1 });
        }
        if (rows.len() as i64) < PAGE {
            return Ok(known);
        }
    }
}

/// Names under which there may be another message by now, with the bytes they stood for: the server was asked to remove
/// it (fewer than `most` times) and did not refuse, and may have given the name again before anybody looked.
pub async fn given_back(
    sql: &mut impl Sql,
    folder: &Folder,
    most: i64,
) -> Result<HashMap<Name, Hash>, Error> {
    let text = "SELECT u.uidl, u.ordinal, o.hash FROM uidls u
                JOIN occurrences o ON o.folder_id = u.folder_id AND o.uidvalidity = u.uidvalidity AND o.uid = u.uid
                WHERE u.folder_id = $1 AND u.uidvalidity = $2 AND o.settle IN ('due', 'moved')
                AND o.settle_attempts > 0 AND o.settle_attempts < $3 AND o.settle_error IS NULL";
    let rows = sql.query(text, params![folder.id, folder.uidvalidity, most]).await?;
    rows.iter().map(|row| Ok((Name { uidl: row.get(0)?, ordinal: row.get(1)? }, row.get(2)?))).collect()
}

/// Writes new names down with their numbers.
pub async fn add(tx: &mut Tx, folder: &Folder, names: &[(Name, i64)]) -> Result<(), Error> {
    let rows = names
        .iter()
        .map(|(name, uid)| params![folder.id, folder.uidvalidity, name.uidl.clone(), name.ordinal, *uid])
        .collect();
    tx.insert_many("INSERT INTO uidls (folder_id, uidvalidity, uidl, ordinal, uid) VALUES", "", rows).await?;
    Ok(())
}

/// Forgets names that are no longer listed, by their numbers. What the server was asked to remove, it removed.
pub async fn forget(tx: &mut Tx, folder: &Folder, uids: &[i64]) -> Result<(), Error> {
    let rows = || uids.iter().map(|uid| params![folder.id, folder.uidvalidity, *uid]).collect();
    let text = "DELETE FROM uidls WHERE folder_id = $1 AND uidvalidity = $2 AND uid = $3";
    tx.execute_many(text, rows()).await?;
    let text = "UPDATE occurrences SET settle = 'moved', settle_error = NULL
                WHERE folder_id = $1 AND uidvalidity = $2 AND uid = $3 AND settle = 'due' AND settle_attempts > 0";
    tx.execute_many(text, rows()).await.map(drop)
}

/// Forgets the names of all earlier numberings.
pub async fn forget_earlier(tx: &mut Tx, folder: &Folder) -> Result<(), Error> {
    let text = "DELETE FROM uidls WHERE folder_id = $1 AND uidvalidity <> $2";
    tx.execute(text, params![folder.id, folder.uidvalidity]).await.map(drop)
}

/// Filed messages from the number `from` on that were kept by `before`, and that the server was asked to remove fewer
/// than `most` times.
pub async fn filed_before(
    sql: &mut impl Sql,
    folder: &Folder,
    from: i64,
    before: Time,
    most: i64,
) -> Result<Vec<(OccurrenceId, i64)>, Error> {
    let text = "SELECT id, uid FROM occurrences WHERE folder_id = $1 AND uidvalidity = $2 AND uid > $3
                AND state = 'filed' AND kept_at <= $4 AND settle_attempts < $5 ORDER BY uid LIMIT $6";
    let (mut filed, mut after) = (Vec::new(), from - 1);
    loop {
        let values = params![folder.id, folder.uidvalidity, after, before, most, PAGE];
        let rows = sql.query(text, values).await?;
        for row in &rows {
            after = row.get(1)?;
            filed.push((row.get(0)?, after));
        }
        if (rows.len() as i64) < PAGE {
            return Ok(filed);
        }
    }
}

/// Writes down that the server is about to be asked to remove these.
pub async fn asked(tx: &mut Tx, ids: &[OccurrenceId]) -> Result<(), Error> {
    let text = "UPDATE occurrences SET settle = 'due', settle_error = NULL, settle_attempts = settle_attempts + 1 WHERE id = $1";
    tx.execute_many(text, ids.iter().map(|id| params![*id]).collect()).await.map(drop)
}

/// Writes down why the server would not; asked `most` times, it is asked no more.
pub async fn refused(tx: &mut Tx, ids: &[OccurrenceId], why: &str, most: i64) -> Result<(), Error> {
    let text = "UPDATE occurrences SET settle_error = $2,
                settle = CASE WHEN settle_attempts >= $3 THEN 'failed' ELSE 'due' END WHERE id = $1";
    tx.execute_many(text, ids.iter().map(|id| params![*id, why, most]).collect()).await.map(drop)
}
