//! Folders on servers: where reading stands, what has to be settled, and the ledger.
//!
//! Completeness hangs on UIDs alone, never on flags or dates. `listed` is every UID the server has
//! ever shown under the present UIDVALIDITY; `cursor` says up to where all of them are occurrences.
//! Both move only in the transaction that makes the bytes durable, so neither can be ahead of them.

pub mod contents;
pub mod synchronised;

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{AfterFiling, FolderId, MailboxId, OccurrenceId, Time};
use std::collections::HashMap;

/// A folder as the rounds see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The folder.
    pub id: FolderId,
    /// Its mailbox.
    pub mailbox: MailboxId,
    /// Its name, decoded.
    pub name: String,
    /// What is done on the server after filing.
    pub after_filing: AfterFiling,
    /// Where filed messages are moved, if they are moved.
    pub processed_folder: Option<String>,
    /// The numbering last seen: the server's UIDVALIDITY, plus 2^32 for each time the server gave its
    /// UIDs out anew without saying so; 0 before the first visit.
    pub uidvalidity: i64,
    /// Every listed UID up to this one is an occurrence.
    pub cursor: i64,
    /// Every UID ever listed under `uidvalidity`, as a sequence set.
    pub listed: String,
    /// UIDs whose taking apart was begun and not ended, as a sequence set.
    pub attempt: String,
    /// How often it was begun.
    pub attempts: i64,
    /// Items up to this UID are matched with those of earlier numberings before they count as new; 0 if
    /// the folder was not renumbered.
    pub match_until: i64,
    /// Whether the next renumbering is read without asking, however much of it looks new.
    pub unguarded: bool,
    /// Items up to this UID are history: nothing follows from them.
    pub history_until: i64,
}

const FOLDER: &str = "SELECT id, mailbox_id, name, after_filing, processed_folder, uidvalidity, cursor, listed, attempt, attempts, match_until, unguarded, history_until FROM folders WHERE";

/// The folders of a mailbox that are read, in the order they were chosen.
pub async fn read_folders(sql: &mut impl Sql, mailbox: MailboxId) -> Result<Vec<Folder>, Error> {
    let text = format!("{FOLDER} mailbox_id = $1 AND read ORDER BY id");
    sql.query(&text, params![mailbox]).await?.iter().map(folder).collect()
}

/// One folder.
pub async fn get(sql: &mut impl Sql, id: FolderId) -> Result<Option<Folder>, Error> {
    let row = sql.query_opt(&format!("{FOLDER} id = $1"), params![id]).await?;
    row.map(|row| folder(&row)).transpose()
}

fn folder(row: &Row) -> Result<Folder, Error> {
    let after: String = row.get(3)?;
    Ok(Folder {
        id: row.get(0)?,
        mailbox: row.get(1)?,
        name: row.get(2)?,
        after_filing: AfterFiling::of(&after)
            .ok_or_else(|| Error::Other(format!("folders.after_filing is {after:?}")))?,
        processed_folder: row.get(4)?,
        uidvalidity: row.get(5)?,
        cursor: row.get(6)?,
        listed: row.get(7)?,
        attempt: row.get(8)?,
        attempts: row.get(9)?,
        match_until: row.get(10)?,
        unguarded: row.get(11)?,
        history_until: row.get(12)?,
    })
}

/// The folder imported messages of a mailbox are kept in; made if new. It is never read on a server.
pub async fn import_folder(tx: &mut Tx, mailbox: MailboxId, name: &str) -> Result<Folder, Error> {
    let text = format!("{FOLDER} mailbox_id = $1 AND name = $2");
    if let Some(row) = tx.query_opt(&text, params![mailbox, name]).await? {
        return folder(&row);
    }
    let id = counters::take(tx, "folders", 1).await?;
    tx.execute(
        "INSERT INTO folders (id, mailbox_id, name, read, after_filing, uidvalidity, cursor, listed, attempt, attempts)
         VALUES ($1, $2, $3, FALSE, 'leave', 1, 0, '', '', 0)",
        params![id, mailbox, name],
    )
    .await?;
    folder(&tx.query_one(&text, params![mailbox, name]).await?)
}

/// Writes down what the server lists, before anything of it is fetched. With a new UIDVALIDITY the
/// reading starts over: identical messages are recognised by their identity and become occurrences.
pub async fn visited(
    tx: &mut Tx,
    folder: FolderId,
    uidvalidity: i64,
    listed: &str,
    cursor: i64,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE folders SET uidvalidity = $2, listed = $3, cursor = $4 WHERE id = $1",
        params![folder, uidvalidity, listed, cursor],
    )
    .await
    .map(drop)
}

/// Writes down that a folder was given a new numbering, besides [`visited`]: everything up to
/// `match_until` may be there under an earlier number, and of history what was not read to its end.
pub async fn renumbered(tx: &mut Tx, folder: FolderId, match_until: i64, history: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE folders SET match_until = $2, history_until = $3, unguarded = FALSE WHERE id = $1",
        params![folder, match_until, history],
    )
    .await
    .map(drop)
}

/// The folder was seen whole and is not renumbered: the next renumbering is asked about.
pub async fn guard_again(tx: &mut Tx, folder: &mut Folder) -> Result<(), Error> {
    if std::mem::take(&mut folder.unguarded) {
        tx.execute("UPDATE folders SET unguarded = FALSE WHERE id = $1", params![folder.id]).await?;
    }
    Ok(())
}

/// Lets a renumbering of each folder of a mailbox be read without asking, until it is next seen whole.
pub async fn unguard(tx: &mut Tx, mailbox: MailboxId) -> Result<(), Error> {
    tx.execute("UPDATE folders SET unguarded = TRUE WHERE mailbox_id = $1", params![mailbox]).await.map(drop)
}

/// The folder as it is now; until the transaction ends nobody else changes it. Another process may
/// have read it since it was last looked at.
pub async fn locked(tx: &mut Tx, id: FolderId) -> Result<Option<Folder>, Error> {
    tx.execute("UPDATE folders SET read = read WHERE id = $1", params![id]).await?;
    get(tx, id).await
}

/// Writes down that taking these UIDs apart begins, for the `attempts`-th time: if the process dies
/// of it, the next one knows which they were.
pub async fn attempt(tx: &mut Tx, folder: FolderId, uids: &str, attempts: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE folders SET attempt = $2, attempts = $3 WHERE id = $1",
        params![folder, uids, attempts],
    )
    .await
    .map(drop)
}

/// Moves the cursor, in the transaction that keeps the bytes. Never backwards, and never that of
/// another numbering, which another process may have begun meanwhile.
pub async fn advance(tx: &mut Tx, folder: &Folder, cursor: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE folders SET cursor = $2 WHERE id = $1 AND uidvalidity = $3 AND cursor < $2",
        params![folder.id, cursor, folder.uidvalidity],
    )
    .await
    .map(drop)
}

/// Writes down that the folder was read to its end, and that no attempt is open.
pub async fn scanned(tx: &mut Tx, folder: FolderId, at: Time) -> Result<(), Error> {
    tx.execute(
        "UPDATE folders SET scanned_at = $2, attempt = '', attempts = 0 WHERE id = $1",
        params![folder, at.0],
    )
    .await
    .map(drop)
}

/// UIDs above the cursor that are occurrences already (kept out of order or by another process), in
/// rising order.
pub async fn kept_above(sql: &mut impl Sql, folder: &Folder) -> Result<Vec<i64>, Error> {
    let text = "SELECT uid FROM occurrences WHERE folder_id = $1 AND uidvalidity = $2 AND uid > $3
                ORDER BY uid LIMIT $4";
    let (mut uids, mut after) = (Vec::new(), folder.cursor);
    loop {
        let rows = sql.query(text, params![folder.id, folder.uidvalidity, after, KEPT_PAGE]).await?;
        for row in &rows {
            after = row.get(0)?;
            uids.push(after);
        }
        if (rows.len() as i64) < KEPT_PAGE {
            return Ok(uids);
        }
    }
}

/// UIDs read at a time: a row in memory is much larger than its number.
const KEPT_PAGE: i64 = 10_000;

/// How many occurrences a folder has up to its cursor.
pub async fn count_kept(sql: &mut impl Sql, folder: &Folder) -> Result<u64, Error> {
    let text = "SELECT COUNT(*) FROM occurrences WHERE folder_id = $1 AND uidvalidity = $2 AND uid <= $3";
    let row = sql.query_one(text, params![folder.id, folder.uidvalidity, folder.cursor]).await?;
    Ok(u64::try_from(row.get::<i64>(0)?).unwrap_or(0))
}

/// A filed occurrence the server has not been told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The occurrence.
    pub id: OccurrenceId,
    /// Its UID.
    pub uid: i64,
    /// How often the server was asked, as far as that is written down.
    pub attempts: i64,
}

/// Up to `limit` filed occurrences the server has not been told of, oldest first.
pub async fn due(sql: &mut impl Sql, folder: &Folder, limit: i64) -> Result<Vec<Due>, Error> {
    let rows = sql
        .query(
            "SELECT id, uid, settle_attempts FROM occurrences WHERE folder_id = $1 AND settle = 'due' AND uidvalidity = $2 ORDER BY id LIMIT $3",
            params![folder.id, folder.uidvalidity, limit],
        )
        .await?;
    rows.iter().map(|row| Ok(Due { id: row.get(0)?, uid: row.get(1)?, attempts: row.get(2)? })).collect()
}

/// Writes down that the server is about to be asked, where that was never tried.
pub async fn settling(tx: &mut Tx, ids: &[OccurrenceId]) -> Result<(), Error> {
    let text = "UPDATE occurrences SET settle_attempts = 1 WHERE id = $1 AND settle_attempts = 0";
    tx.execute_many(text, ids.iter().map(|id| params![*id]).collect()).await.map(drop)
}

/// By what a copy of an occurrence can be found on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The message's Message-ID, without `<>`; may be empty.
    pub mid: String,
    /// Copies of the same message that were settled in this mailbox before.
    pub settled: i64,
}

/// The traces of filed occurrences, in their order.
pub async fn traces(sql: &mut impl Sql, ids: &[OccurrenceId]) -> Result<Vec<Option<Trace>>, Error> {
    let text = "SELECT m.mid, (SELECT COUNT(*) FROM occurrences d WHERE d.message_id = o.message_id
                AND d.mailbox_id = o.mailbox_id AND d.settle = 'moved')
                FROM occurrences o JOIN messages m ON m.id = o.message_id WHERE o.id = $1";
    let found = sql.query_many(text, ids.iter().map(|id| params![*id]).collect()).await?;
    let trace = |row: &Row| Ok(Trace { mid: row.get(0)?, settled: row.get(1)? });
    found.iter().map(|rows| rows.first().map(trace).transpose()).collect()
}

model::words! {
    /// What the server has done after filing.
    Settled {
        /// The occurrence left its folder; should it be there again, it is moved again.
        Moved = "moved",
        /// It was marked, or left: it is never asked for again.
        Done = "done",
    }
}

/// Writes down that the server has done what was due.
pub async fn settled(tx: &mut Tx, ids: &[OccurrenceId], how: Settled) -> Result<(), Error> {
    let rows = ids.iter().map(|id| params![*id, how.word()]).collect();
    tx.execute_many("UPDATE occurrences SET settle = $2, settle_error = NULL WHERE id = $1", rows)
        .await
        .map(drop)
}

/// Which of these were moved out of the same folder at least `times` times, under the same numbering and
/// with the same bytes: their target is the folder itself under another name.
pub async fn returning(
    sql: &mut impl Sql,
    ids: &[OccurrenceId],
    times: i64,
) -> Result<Vec<OccurrenceId>, Error> {
    let text = "SELECT COUNT(*) FROM occurrences o JOIN occurrences d ON d.folder_id = o.folder_id AND d.hash = o.hash
                AND d.uidvalidity = o.uidvalidity AND d.settle = 'moved' WHERE o.id = $1";
    let found = sql.query_many(text, ids.iter().map(|id| params![*id]).collect()).await?;
    let mut out = Vec::new();
    for (id, rows) in ids.iter().zip(found) {
        let moved: i64 = rows.first().map_or(Ok(0), |row| row.get(0))?;
        out.extend((moved >= times).then_some(*id));
    }
    Ok(out)
}

/// Writes down that the server refused; after `most` refusals it is not asked again.
pub async fn refused(tx: &mut Tx, ids: &[OccurrenceId], error: &str, most: i64) -> Result<(), Error> {
    let rows = ids.iter().map(|id| params![*id, error, most]).collect();
    tx.execute_many(
        "UPDATE occurrences SET settle_attempts = settle_attempts + 1, settle_error = $2,
           settle = CASE WHEN settle_attempts + 1 >= $3 THEN 'failed' ELSE 'due' END WHERE id = $1",
        rows,
    )
    .await
    .map(drop)
}

/// Lets the server be asked again for what it refused so often that it was given up.
pub async fn settle_again(tx: &mut Tx, folder: &Folder) -> Result<u64, Error> {
    tx.execute(
        "UPDATE occurrences SET settle = 'due', settle_attempts = 1 WHERE folder_id = $1 AND settle = 'failed' AND uidvalidity = $2",
        params![folder.id, folder.uidvalidity],
    )
    .await
}

/// One line of the ledger (A21): everything the server ever showed in a folder, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerRow {
    /// The mailbox.
    pub mailbox_id: i64,
    /// Its address.
    pub mailbox: String,
    /// The folder's name.
    pub folder: String,
    /// Messages ever listed by the server (or given to an import).
    pub seen: i64,
    /// Those that are messages now.
    pub filed: i64,
    /// Those a filter kept out.
    pub filtered: i64,
    /// Those that could not be understood; bytes and reason are kept.
    pub quarantined: i64,
    /// Those whose bytes are durable and that wait to be filed.
    pub waiting: i64,
    /// Those that were gone from the server before they could be fetched.
    pub vanished: i64,
    /// Those whose bytes were cleared here.
    pub cleared: i64,
    /// Those seen and not accounted for by any of the above: still to be fetched.
    pub difference: i64,
}

/// The ledger of one mailbox, or of all; by mailbox and folder.
pub async fn ledger(sql: &mut impl Sql, mailbox: Option<MailboxId>) -> Result<Vec<LedgerRow>, Error> {
    let folders = sql
        .query(
            "SELECT f.id, f.mailbox_id, m.address, f.name, f.uidvalidity, f.listed FROM folders f JOIN mailboxes m ON m.id = f.mailbox_id
             WHERE ((f.read AND m.active) OR f.uidvalidity > 0) AND ($1 = 0 OR f.mailbox_id = $1) ORDER BY m.address, f.mailbox_id, f.id",
            params![mailbox.map_or(0, |id| id.0)],
        )
        .await?;
    let numberings: Vec<(i64, i64)> =
        folders.iter().map(|row| Ok((row.get(0)?, row.get(4)?))).collect::<Result<_, Error>>()?;
    let counts = counts(sql, &numberings).await?;
    folders.iter().zip(counts).map(|(row, counts)| ledger_row(row, &counts)).collect()
}

/// Occurrences per state of folders (id, numbering); those of other numberings under "earlier" again,
/// counted as two ranges of the index, so that a folder of a million is not walked for them.
async fn counts(sql: &mut impl Sql, folders: &[(i64, i64)]) -> Result<Vec<HashMap<String, i64>>, Error> {
    let by_state = sql
        .query_many(
            "SELECT state, COUNT(*) FROM occurrences WHERE folder_id = $1 GROUP BY state",
            folders.iter().map(|(id, _)| params![*id]).collect(),
        )
        .await?;
    let earlier = sql
        .query_many(
            "SELECT (SELECT COUNT(*) FROM occurrences WHERE folder_id = $1 AND uidvalidity < $2)
                  + (SELECT COUNT(*) FROM occurrences WHERE folder_id = $1 AND uidvalidity > $2)",
            folders.iter().map(|(id, numbering)| params![*id, *numbering]).collect(),
        )
        .await?;
    let mut out = Vec::new();
    for (states, earlier) in by_state.iter().zip(earlier) {
        let mut counts = HashMap::new();
        for row in states {
            counts.insert(row.get(0)?, row.get(1)?);
        }
        counts.insert("earlier".into(), earlier.first().map_or(Ok(0), |row| row.get(0))?);
        out.push(counts);
    }
    Ok(out)
}

fn ledger_row(row: &Row, counts: &HashMap<String, i64>) -> Result<LedgerRow, Error> {
    let count = |state: &str| counts.get(state).copied().unwrap_or(0);
    let mut line = LedgerRow {
        mailbox_id: row.get(1)?,
        mailbox: row.get(2)?,
        folder: row.get(3)?,
        seen: set_len(&row.get::<String>(5)?) + count("earlier"),
        filed: count("filed"),
        filtered: count("filtered"),
        quarantined: count("quarantined"),
        waiting: count("kept"),
        vanished: count("vanished"),
        cleared: count("cleared"),
        difference: 0,
    };
    line.difference = line.seen
        - line.filed
        - line.filtered
        - line.quarantined
        - line.waiting
        - line.vanished
        - line.cleared;
    Ok(line)
}

/// How many numbers a sequence set (`1:5,9`) holds; it is our own, written by the rounds.
fn set_len(set: &str) -> i64 {
    let range = |part: &str| match part.split_once(':') {
        Some((from, to)) => Some(to.parse::<i64>().ok()? - from.parse::<i64>().ok()? + 1),
        None => part.parse::<i64>().ok().map(|_| 1),
    };
    set.split(',').filter_map(range).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_of_a_sequence_set_counts_ranges_and_single_numbers() {
        assert_eq!([set_len(""), set_len("7"), set_len("1:5,9,11:12")], [0, 1, 8]);
    }
}
