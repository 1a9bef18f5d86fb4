//! Items of a renumbered folder take over the occurrences they were under earlier numbers.
//!
//! A server that renumbers a folder shows the same messages again. Each is matched by content with an
//! occurrence of an earlier numbering: by all of its bytes, else by what its writer made, since some
//! servers put a message together anew. Each occurrence is claimed once, so that two identical copies
//! stay two, and whatever nobody claims stays what it was: a message that has left the folder. Nothing
//! is filed and nothing new is seen; the ledger counts what the server has.
//!
//! Decided against matching by position, date or Message-ID: a server that was restored from a backup
//! has other positions, and the rest is not what a message is. It costs reading the folder once more.

use crate::folders::Folder;
use crate::params;
use crate::raw::{self, Hash, Kept};
use crate::sql::{Error, Row, Sql, Tx};
use model::{MailboxId, OccurrenceId, Time};
use std::collections::{HashMap, HashSet};

/// An item as it may be known: by its bytes, and by what its writer made.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The item.
    pub item: &'a Kept,
    /// Identity of its message; `None` where it could not be read.
    pub identity: Option<Hash>,
}

/// Which of these contents a folder has had, under whatever number, or the archive knows as a message.
pub async fn known(
    sql: &mut impl Sql,
    folder: &Folder,
    contents: &[(Hash, Option<Hash>)],
) -> Result<Vec<bool>, Error> {
    let asked =
        contents.iter().map(|(hash, identity)| params![folder.id, *hash, identity.unwrap_or_default()]);
    let text = "SELECT 1 WHERE EXISTS (SELECT 1 FROM occurrences WHERE folder_id = $1 AND hash = $2)
                OR EXISTS (SELECT 1 FROM messages WHERE identity = $3)";
    let found = sql.query_many(text, asked.collect()).await?;
    Ok(found.iter().map(|rows| !rows.is_empty()).collect())
}

/// What a folder has under a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The number.
    pub uid: i64,
    /// Its size as it came.
    pub size_bytes: u64,
    /// When the server said it arrived.
    pub internal_at: Time,
    /// BLAKE3 of its bytes.
    pub hash: Hash,
    /// Identity of its message, if it is filed.
    pub identity: Option<Hash>,
}

/// The content of up to `limit` messages of the present numbering whose bytes were taken, from the number
/// `up_to` downwards.
pub async fn newest(
    sql: &mut impl Sql,
    folder: &Folder,
    up_to: i64,
    limit: i64,
) -> Result<Vec<Content>, Error> {
    let text = "SELECT o.uid, o.size_bytes, o.internal_at, o.hash, m.identity FROM occurrences o
                LEFT JOIN messages m ON m.id = o.message_id
                WHERE o.folder_id = $1 AND o.uidvalidity = $2 AND o.uid <= $3 AND o.body_id IS NOT NULL
                ORDER BY o.uid DESC LIMIT $4";
    let rows = sql.query(text, params![folder.id, folder.uidvalidity, up_to, limit]).await?;
    let content = |row: &Row| {
        Ok(Content {
            uid: row.get(0)?,
            size_bytes: row.get::<i64>(1)? as u64,
            internal_at: row.get(2)?,
            hash: row.get(3)?,
            identity: row.get(4)?,
        })
    };
    rows.iter().map(content).collect()
}

/// By what a message is found in another folder of its server, where it has the same size and date.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trace {
    /// Its size as it came.
    pub size_bytes: i64,
    /// When the server says it arrived: microseconds UTC.
    pub internal_at: i64,
    /// Its Message-ID without `<>`; may be empty.
    pub mid: String,
}

/// The traces of all a mailbox has had, and how often each. A hundred bytes for each message.
pub async fn traces_of(sql: &mut impl Sql, mailbox: MailboxId) -> Result<HashMap<Trace, u64>, Error> {
    let text = "SELECT o.id, o.size_bytes, o.internal_at, m.mid FROM occurrences o
                JOIN messages m ON m.id = o.message_id
                WHERE o.mailbox_id = $1 AND o.id > $2 ORDER BY o.id LIMIT $3";
    let (mut traces, mut after) = (HashMap::new(), OccurrenceId(0));
    loop {
        let rows = sql.query(text, params![mailbox, after, PAGE]).await?;
        for row in &rows {
            after = row.get(0)?;
            let trace = Trace { size_bytes: row.get(1)?, internal_at: row.get(2)?, mid: row.get(3)? };
            *traces.entry(trace).or_default() += 1;
        }
        if (rows.len() as i64) < PAGE {
            return Ok(traces);
        }
    }
}

/// Rows read at a time.
const PAGE: i64 = 10_000;

/// How many messages a folder has had, under whatever number.
pub async fn held(sql: &mut impl Sql, folder: &Folder) -> Result<i64, Error> {
    let text = "SELECT COUNT(*) FROM occurrences WHERE folder_id = $1 AND state <> 'vanished'";
    sql.query_one(text, params![folder.id]).await?.get(0)
}

/// Lets items take over what they were under earlier numbers. For each, whether it did. Only for items up
/// to the folder's `match_until`, and only while the folder has the numbering they were found under.
pub async fn claim(tx: &mut Tx, folder: &Folder, claims: &[Claim<'_>]) -> Result<Vec<bool>, Error> {
    let mut claimed = vec![false; claims.len()];
    if claims.iter().all(|claim| claim.item.uid > folder.match_until) {
        return Ok(claimed);
    }
    raw::lock(tx).await?;
    let now = crate::folders::get(tx, folder.id).await?;
    if now.is_none_or(|now| now.uidvalidity != folder.uidvalidity) {
        return Ok(claimed);
    }
    let mut open: Vec<usize> = Vec::new();
    for (index, absent) in
        raw::absent(tx, claims.iter().map(|claim| claim.item)).await?.into_iter().enumerate()
    {
        open.extend((absent && claims[index].item.uid <= folder.match_until).then_some(index));
    }
    let mut taken = HashSet::new();
    let by_hash: Vec<(usize, Hash)> = open.iter().map(|&index| (index, claims[index].item.hash)).collect();
    let found = matches(tx, BY_HASH, folder, &by_hash, &mut taken).await?;
    rename(tx, claims, &found).await?;
    for (index, _) in found {
        claimed[index] = true;
    }
    let by_identity: Vec<(usize, Hash)> = open
        .iter()
        .filter(|&&index| !claimed[index])
        .filter_map(|&index| Some((index, claims[index].identity?)))
        .collect();
    let found = matches(tx, BY_IDENTITY, folder, &by_identity, &mut taken).await?;
    rename(tx, claims, &found).await?;
    replace(tx, claims, &found).await?;
    for (index, _) in found {
        claimed[index] = true;
    }
    Ok(claimed)
}

/// Unclaimed occurrences of some bytes, those first that are most likely still in the folder.
const BY_HASH: &str =
    "SELECT o.id FROM occurrences o WHERE o.folder_id = $1 AND o.hash = $2 AND o.uidvalidity <> $3
    AND o.state <> 'vanished' ORDER BY CASE o.settle WHEN 'moved' THEN 1 ELSE 0 END, o.id LIMIT $4";
/// The same of a message.
const BY_IDENTITY: &str = "SELECT o.id FROM messages m JOIN occurrences o ON o.message_id = m.id
    WHERE o.folder_id = $1 AND m.identity = $2 AND o.uidvalidity <> $3
    ORDER BY CASE o.settle WHEN 'moved' THEN 1 ELSE 0 END, o.id LIMIT $4";

/// For each wanted content another occurrence, as long as there are any.
async fn matches(
    tx: &mut Tx,
    text: &str,
    folder: &Folder,
    wanted: &[(usize, Hash)],
    taken: &mut HashSet<OccurrenceId>,
) -> Result<Vec<(usize, OccurrenceId)>, Error> {
    let mut items: HashMap<Hash, Vec<usize>> = HashMap::new();
    for (index, content) in wanted {
        items.entry(*content).or_default().push(*index);
    }
    let items: Vec<(Hash, Vec<usize>)> = items.into_iter().collect();
    let asked = items.iter().map(|(content, items)| {
        let most = (items.len() + taken.len()) as i64;
        params![folder.id, *content, folder.uidvalidity, most]
    });
    let found = tx.query_many(text, asked.collect()).await?;
    let mut out = Vec::new();
    for ((_, items), rows) in items.iter().zip(found) {
        let ids = rows.iter().map(|row: &Row| row.get(0)).collect::<Result<Vec<OccurrenceId>, Error>>()?;
        let mut ids = ids.into_iter().filter(|id| !taken.contains(id)).collect::<Vec<_>>().into_iter();
        out.extend(items.iter().copied().zip(ids.by_ref()));
    }
    taken.extend(out.iter().map(|(_, id)| *id));
    Ok(out)
}

/// Gives occurrences the numbers of the items that claimed them. What was moved away and is back is due
/// again: it is looked for in its target first.
async fn rename(tx: &mut Tx, claims: &[Claim<'_>], found: &[(usize, OccurrenceId)]) -> Result<(), Error> {
    let rows = found.iter().map(|(index, id)| {
        let item = claims[*index].item;
        params![*id, item.uidvalidity, item.uid]
    });
    let text = "UPDATE occurrences SET uidvalidity = $2, uid = $3, gone_at = NULL,
                settle_attempts = CASE WHEN settle = 'moved' THEN 1 ELSE settle_attempts END,
                settle = CASE WHEN settle = 'moved' THEN 'due' ELSE settle END WHERE id = $1";
    tx.execute_many(text, rows.collect()).await.map(drop)
}

/// Keeps the bytes as the server gives them now, where they are not those it gave before.
async fn replace(tx: &mut Tx, claims: &[Claim<'_>], found: &[(usize, OccurrenceId)]) -> Result<(), Error> {
    let items: Vec<&Kept> = found.iter().map(|(index, _)| claims[*index].item).collect();
    let bodies = raw::keep_bodies(tx, &items).await?;
    let rows = found.iter().zip(&items).map(|((_, id), item)| {
        let body = item.body.as_ref().map(|body| bodies[&body.hash]);
        params![*id, item.hash, item.size_bytes as i64, item.internal_at, item.header.clone(), body]
    });
    let text =
        "UPDATE occurrences SET hash = $2, size_bytes = $3, internal_at = $4, header = $5, body_id = $6
                WHERE id = $1";
    tx.execute_many(text, rows.collect()).await.map(drop)
}
