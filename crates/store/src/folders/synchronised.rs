//! Folders of a synchronised mailbox: which there are, what is in them, with which flags.

use super::Folder;
use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{AfterFiling, Flags, FolderId, MailboxId, MessageId, OccurrenceId, Time};
use std::collections::HashMap;

/// A folder as its server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFolder {
    /// Its whole name, decoded.
    pub name: String,
    /// What divides the levels of its name.
    pub delimiter: Option<char>,
    /// What it is for: drafts, sent, trash, junk, archive …
    pub special_use: Option<&'static str>,
}

/// A folder that is kept as on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synchronised {
    /// Itself; whatever was chosen to be done after filing, here nothing is.
    pub folder: Folder,
    /// What it is for.
    pub special_use: Option<String>,
    /// Up to where its changes are known (RFC 7162); 0: not at all.
    pub highest_modseq: i64,
}

const SYNCHRONISED: &str = "SELECT id, special_use, highest_modseq FROM folders WHERE mailbox_id = $1";

/// The folders of a mailbox that its server lists, INBOX first.
pub async fn present(sql: &mut impl Sql, mailbox: MailboxId) -> Result<Vec<Synchronised>, Error> {
    let text = format!("{SYNCHRONISED} AND present ORDER BY CASE WHEN name = 'INBOX' THEN 0 ELSE 1 END, id");
    let rows = sql.query(&text, params![mailbox]).await?;
    let mut found = Vec::new();
    for row in &rows {
        let folder = super::get(sql, row.get(0)?).await?;
        found.extend(folder.map(|folder| synchronised(folder, row)).transpose()?);
    }
    Ok(found)
}

fn synchronised(mut folder: Folder, row: &Row) -> Result<Synchronised, Error> {
    (folder.after_filing, folder.processed_folder) = (AfterFiling::Leave, None);
    Ok(Synchronised { folder, special_use: row.get(1)?, highest_modseq: row.get(2)? })
}

/// The folder of a mailbox for something special, if its server has one.
pub async fn special(sql: &mut impl Sql, mailbox: MailboxId, what: &str) -> Result<Option<FolderId>, Error> {
    let text =
        "SELECT id FROM folders WHERE mailbox_id = $1 AND special_use = $2 AND present ORDER BY id LIMIT 1";
    sql.query_opt(text, params![mailbox, what]).await?.map_or(Ok(None), |row| row.get(0).map(Some))
}

/// A folder of a mailbox by its name; one that is new is made on the server when something comes into it.
pub async fn named(tx: &mut Tx, mailbox: MailboxId, name: &str) -> Result<FolderId, Error> {
    let text = "SELECT id FROM folders WHERE mailbox_id = $1 AND name = $2";
    if let Some(row) = tx.query_opt(text, params![mailbox, name]).await? {
        return row.get(0);
    }
    add(tx, mailbox, name).await
}

async fn add(tx: &mut Tx, mailbox: MailboxId, name: &str) -> Result<FolderId, Error> {
    let id = FolderId(counters::take(tx, "folders", 1).await?);
    let text = "INSERT INTO folders (id, mailbox_id, name, read, after_filing, uidvalidity, cursor, listed, attempt, attempts, present)
                VALUES ($1, $2, $3, FALSE, 'leave', 0, 0, '', '', 0, FALSE)";
    tx.execute(text, params![id, mailbox, name]).await?;
    Ok(id)
}

/// Takes down which folders the server lists: new ones are added, those that are gone are left with
/// their history, and what was in them is gone. Says whether anything changed.
pub async fn listed(
    tx: &mut Tx,
    mailbox: MailboxId,
    folders: &[ServerFolder],
    at: Time,
) -> Result<bool, Error> {
    let text = "SELECT id, name, present, special_use, delimiter FROM folders WHERE mailbox_id = $1";
    let mut known = HashMap::new();
    for row in tx.query(text, params![mailbox]).await? {
        let state: (bool, Option<String>, Option<String>) = (row.get(2)?, row.get(3)?, row.get(4)?);
        known.insert(row.get::<String>(1)?, (row.get::<FolderId>(0)?, state));
    }
    let mut changed = false;
    for folder in folders {
        let wanted = (true, folder.special_use.map(str::to_owned), folder.delimiter.map(String::from));
        let (id, before) = match known.remove(&folder.name) {
            Some(found) => found,
            None => (add(tx, mailbox, &folder.name).await?, (false, None, None)),
        };
        if before != wanted {
            let text = "UPDATE folders SET present = TRUE, special_use = $2, delimiter = $3 WHERE id = $1";
            tx.execute(text, params![id, wanted.1, wanted.2]).await?;
            changed = true;
        }
    }
    for (id, _) in known.into_values().filter(|(_, state)| state.0) {
        tx.execute("UPDATE folders SET present = FALSE WHERE id = $1", params![id]).await?;
        let text = "UPDATE occurrences SET gone_at = $2 WHERE folder_id = $1 AND gone_at IS NULL";
        tx.execute(text, params![id, at]).await?;
        changed = true;
    }
    Ok(changed)
}

/// Writes down up to where the changes of a folder are known.
pub async fn compared(tx: &mut Tx, folder: &Folder, highest_modseq: i64) -> Result<(), Error> {
    let text = "UPDATE folders SET highest_modseq = $3 WHERE id = $1 AND uidvalidity = $2";
    tx.execute(text, params![folder.id, folder.uidvalidity, highest_modseq]).await.map(drop)
}

/// An occurrence as the comparison sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Itself.
    pub id: OccurrenceId,
    /// Its UID.
    pub uid: i64,
    /// Its flags.
    pub flags: Flags,
    /// Whether it is known to have left the folder.
    pub gone: bool,
}

/// Up to `limit` occurrences of a folder's present numbering with a UID above `after`, by UID.
pub async fn placed(
    sql: &mut impl Sql,
    folder: &Folder,
    after: i64,
    limit: i64,
) -> Result<Vec<Placed>, Error> {
    let text = "SELECT id, uid, flags, gone_at IS NOT NULL FROM occurrences WHERE folder_id = $1 AND uidvalidity = $2 AND uid > $3
                AND state <> 'vanished' ORDER BY uid LIMIT $4";
    let rows = sql.query(text, params![folder.id, folder.uidvalidity, after, limit]).await?;
    let one = |row: &Row| {
        let flags = Flags::of_words(&row.get::<String>(2)?);
        Ok(Placed { id: row.get(0)?, uid: row.get(1)?, flags, gone: row.get(3)? })
    };
    rows.iter().map(one).collect()
}

/// Those of a folder's occurrences that have these UIDs.
pub async fn placed_at(sql: &mut impl Sql, folder: &Folder, uids: &[u32]) -> Result<Vec<Placed>, Error> {
    let text = "SELECT id, uid, flags, gone_at IS NOT NULL FROM occurrences WHERE folder_id = $1 AND uidvalidity = $2 AND uid = $3";
    let asked = uids.iter().map(|uid| params![folder.id, folder.uidvalidity, i64::from(*uid)]).collect();
    let one = |row: &Row| {
        let flags = Flags::of_words(&row.get::<String>(2)?);
        Ok(Placed { id: row.get(0)?, uid: row.get(1)?, flags, gone: row.get(3)? })
    };
    sql.query_many(text, asked).await?.iter().flatten().map(one).collect()
}

/// Writes down flags.
pub async fn set_flags(tx: &mut Tx, flags: &[(OccurrenceId, Flags)]) -> Result<(), Error> {
    let rows = flags.iter().map(|(id, flags)| params![*id, flags.words()]).collect();
    tx.execute_many("UPDATE occurrences SET flags = $2 WHERE id = $1", rows).await.map(drop)
}

/// Writes down that occurrences have left their folder.
pub async fn gone(tx: &mut Tx, ids: &[OccurrenceId], at: Time) -> Result<(), Error> {
    let rows = ids.iter().map(|id| params![*id, at]).collect();
    tx.execute_many("UPDATE occurrences SET gone_at = $2 WHERE id = $1 AND gone_at IS NULL", rows)
        .await
        .map(drop)
}

/// Writes down that occurrences are in their folder after all.
pub async fn back(tx: &mut Tx, ids: &[OccurrenceId]) -> Result<(), Error> {
    let rows = ids.iter().map(|id| params![*id]).collect();
    tx.execute_many("UPDATE occurrences SET gone_at = NULL WHERE id = $1", rows).await.map(drop)
}

/// Those of an earlier numbering of the folder are there no longer; what was deleted for good here stays
/// deleted under its new number.
pub async fn renumbered(tx: &mut Tx, folder: &Folder, at: Time) -> Result<u64, Error> {
    let hidden = "UPDATE occurrences SET hidden_at = $3 WHERE folder_id = $1 AND uidvalidity = $2 AND hidden_at IS NULL
                  AND message_id IN (SELECT e.message_id FROM occurrences e WHERE e.folder_id = $1 AND e.uidvalidity <> $2
                  AND e.hidden_at IS NOT NULL AND e.gone_at IS NULL)";
    tx.execute(hidden, params![folder.id, folder.uidvalidity, at]).await?;
    let text =
        "UPDATE occurrences SET gone_at = $3 WHERE folder_id = $1 AND uidvalidity <> $2 AND gone_at IS NULL";
    tx.execute(text, params![folder.id, folder.uidvalidity, at]).await
}

/// Takes occurrences out of what is shown; the message stays in the archive.
pub async fn hide(tx: &mut Tx, ids: &[OccurrenceId], at: Time) -> Result<(), Error> {
    let rows = ids.iter().map(|id| params![*id, at]).collect();
    tx.execute_many("UPDATE occurrences SET hidden_at = $2 WHERE id = $1", rows).await.map(drop)
}

/// Where an occurrence is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The occurrence.
    pub id: OccurrenceId,
    /// Its folder.
    pub folder: FolderId,
    /// The numbering of `uid`.
    pub uidvalidity: i64,
    /// Its UID.
    pub uid: i64,
    /// BLAKE3 of its bytes.
    pub hash: [u8; 32],
    /// Length of its bytes.
    pub size_bytes: i64,
    /// Its Message-ID without `<>`; may be empty.
    pub mid: String,
    /// The message it is.
    pub message: Option<MessageId>,
    /// Whether it is there, as far as is known.
    pub present: bool,
}

const WHEREABOUTS: &str = "SELECT o.id, o.folder_id, o.uidvalidity, o.uid, o.hash, o.size_bytes, COALESCE(m.mid, ''), o.message_id,
    o.gone_at IS NULL AND o.hidden_at IS NULL AND o.uidvalidity = f.uidvalidity AND f.present FROM occurrences o JOIN folders f ON f.id = o.folder_id LEFT JOIN messages m ON m.id = o.message_id";

/// Where an occurrence is, or was.
pub async fn whereabouts_of(sql: &mut impl Sql, id: OccurrenceId) -> Result<Option<Whereabouts>, Error> {
    let row = sql.query_opt(&format!("{WHEREABOUTS} WHERE o.id = $1"), params![id]).await?;
    row.map(|row| place_of(&row)).transpose()
}

/// Where an occurrence is; if it is gone, the newest other one of its message in the mailbox that is not.
pub async fn whereabouts(sql: &mut impl Sql, id: OccurrenceId) -> Result<Option<Whereabouts>, Error> {
    let found = whereabouts_of(sql, id).await?;
    let Some(Whereabouts { present: false, message: Some(message), .. }) = found else { return Ok(found) };
    let text = format!(
        "{WHEREABOUTS} WHERE o.message_id = $1 AND o.gone_at IS NULL AND o.hidden_at IS NULL AND o.uidvalidity = f.uidvalidity AND f.present
         AND o.mailbox_id = (SELECT mailbox_id FROM occurrences WHERE id = $2) ORDER BY o.id DESC LIMIT 1"
    );
    let row = sql.query_opt(&text, params![message, id]).await?;
    Ok(row.map(|row| place_of(&row)).transpose()?.or(found))
}

fn place_of(row: &Row) -> Result<Whereabouts, Error> {
    Ok(Whereabouts {
        id: row.get(0)?,
        folder: row.get(1)?,
        uidvalidity: row.get(2)?,
        uid: row.get(3)?,
        hash: row.get(4)?,
        size_bytes: row.get(5)?,
        mid: row.get(6)?,
        message: row.get(7)?,
        present: row.get(8)?,
    })
}

/// What a move made of an occurrence: another one with the same bytes, under the number the server gave
/// it in its new folder. Says which, or `None` if that number is an occurrence already.
pub async fn moved(
    tx: &mut Tx,
    id: OccurrenceId,
    to: &Folder,
    uid: u32,
    at: Time,
) -> Result<Option<OccurrenceId>, Error> {
    let new = counters::take(tx, "occurrences", 1).await?;
    let text = "INSERT INTO occurrences (id, mailbox_id, folder_id, uidvalidity, uid, hash, size_bytes, internal_at, header, body_id,
                  state, reason, attempts, message_id, settle, settle_attempts, kept_at, flags, hidden_at)
                SELECT CAST($2 AS BIGINT), mailbox_id, CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), hash, size_bytes, internal_at, header, body_id,
                  state, reason, 0, message_id, 'none', 0, CAST($6 AS BIGINT), flags, hidden_at FROM occurrences WHERE id = $1
                ON CONFLICT DO NOTHING";
    let made = tx.execute(text, params![id, new, to.id, to.uidvalidity, i64::from(uid), at]).await?;
    Ok((made > 0).then_some(OccurrenceId(new)))
}
