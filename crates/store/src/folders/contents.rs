//! What folders hold, as people see it: the tree, and the messages of one folder.
//!
//! What is on its way to another folder ([`crate::operations`]) is shown there already; it stays one
//! occurrence, so the two lists never show it twice.

use crate::params;
use crate::sql::{Error, Row, Sql};
use model::{Flag, Flags, FolderId, MailboxId, MessageId, OccurrenceId, Person, ThreadId, Time};
use std::collections::HashMap;

/// A folder as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFolder {
    /// The folder.
    pub id: FolderId,
    /// Its whole name, decoded.
    pub name: String,
    /// What divides the levels of its name.
    pub delimiter: Option<String>,
    /// What it is for: drafts, sent, trash, junk, archive …
    pub special_use: Option<String>,
    /// Messages in it.
    pub total: i64,
    /// Those nobody has read.
    pub unseen: i64,
}

/// What is shown of a folder.
const SHOWN: &str = "o.gone_at IS NULL AND o.hidden_at IS NULL AND o.state = 'filed'";

/// The folders of a mailbox that are on its server, by name.
pub async fn tree(sql: &mut impl Sql, mailbox: MailboxId) -> Result<Vec<ListedFolder>, Error> {
    // "seen" is the last of the words.
    let text = format!(
        "SELECT f.id, f.name, f.delimiter, f.special_use,
           (SELECT COUNT(*) FROM occurrences o WHERE o.folder_id = f.id AND {SHOWN}),
           (SELECT COUNT(*) FROM occurrences o WHERE o.folder_id = f.id AND {SHOWN} AND o.flags NOT LIKE '%seen')
         FROM folders f WHERE f.mailbox_id = $1 AND f.present ORDER BY f.name, f.id"
    );
    let rows = sql.query(&text, params![mailbox]).await?;
    let mut folders: Vec<ListedFolder> = rows.iter().map(folder).collect::<Result<_, _>>()?;
    let moving = moving(sql, mailbox).await?;
    for folder in &mut folders {
        if let Some((total, unseen)) = moving.get(&folder.id) {
            folder.total += total;
            folder.unseen += unseen;
        }
    }
    Ok(folders)
}

fn folder(row: &Row) -> Result<ListedFolder, Error> {
    Ok(ListedFolder {
        id: row.get(0)?,
        name: row.get(1)?,
        delimiter: row.get(2)?,
        special_use: row.get(3)?,
        total: row.get(4)?,
        unseen: row.get(5)?,
    })
}

/// By how much what is on its way changes the counts (total, unseen) of folders.
async fn moving(sql: &mut impl Sql, mailbox: MailboxId) -> Result<HashMap<FolderId, (i64, i64)>, Error> {
    let text = format!(
        "SELECT o.folder_id, p.target_id, o.flags FROM operations p JOIN occurrences o ON o.id = p.occurrence_id
         WHERE p.mailbox_id = $1 AND p.state = 'due' AND p.kind = 'move' AND {SHOWN}"
    );
    let mut changes: HashMap<FolderId, (i64, i64)> = HashMap::new();
    for row in sql.query(&text, params![mailbox]).await? {
        let unseen = i64::from(!Flags::of_words(&row.get::<String>(2)?).has(Flag::Seen));
        for (at, by) in [(row.get::<FolderId>(0)?, -1), (row.get::<FolderId>(1)?, 1)] {
            let change = changes.entry(at).or_default();
            change.0 += by;
            change.1 += by * unseen;
        }
    }
    Ok(changes)
}

/// A message in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderMessage {
    /// The item in this folder.
    pub occurrence: OccurrenceId,
    /// The message it is.
    pub message: MessageId,
    /// Its thread.
    pub thread: ThreadId,
    /// Its writer.
    pub from: Person,
    /// Its subject.
    pub subject: String,
    /// The beginning of what its writer wrote.
    pub snippet: String,
    /// When the server received it.
    pub at: Time,
    /// Its flags.
    pub flags: Flags,
    /// How many files came with it.
    pub attachments: i64,
}

/// A part of a folder's messages, newest first.
pub async fn messages(
    sql: &mut impl Sql,
    folder: FolderId,
    offset: i64,
    limit: i64,
) -> Result<Vec<FolderMessage>, Error> {
    let text = format!(
        "SELECT l.id, m.id, m.thread_id, m.from_name, m.from_address, m.subject, m.snippet, l.internal_at, l.flags, m.attachments
         FROM (SELECT * FROM (
             SELECT o.id, o.message_id, o.internal_at, o.flags FROM occurrences o WHERE o.folder_id = $1 AND {SHOWN}
               AND NOT EXISTS (SELECT 1 FROM operations p WHERE p.occurrence_id = o.id AND p.kind = 'move' AND p.state = 'due')
             UNION ALL
             SELECT o.id, o.message_id, o.internal_at, o.flags FROM operations p JOIN occurrences o ON o.id = p.occurrence_id
               WHERE p.target_id = $1 AND p.state = 'due' AND p.kind = 'move' AND {SHOWN}) shown
           ORDER BY internal_at DESC, id DESC LIMIT $2 OFFSET $3) l
         JOIN messages m ON m.id = l.message_id ORDER BY l.internal_at DESC, l.id DESC"
    );
    sql.query(&text, params![folder, limit, offset]).await?.iter().map(message).collect()
}

fn message(row: &Row) -> Result<FolderMessage, Error> {
    Ok(FolderMessage {
        occurrence: row.get(0)?,
        message: row.get(1)?,
        thread: row.get(2)?,
        from: Person { name: row.get(3)?, address: row.get(4)? },
        subject: row.get(5)?,
        snippet: row.get(6)?,
        at: row.get(7)?,
        flags: Flags::of_words(&row.get::<String>(8)?),
        attachments: row.get(9)?,
    })
}

/// An item of a folder that somebody does something with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The occurrence.
    pub id: OccurrenceId,
    /// Its folder.
    pub folder: FolderId,
    /// The numbering of `uid`.
    pub uidvalidity: i64,
    /// Its UID.
    pub uid: i64,
    /// Its flags.
    pub flags: Flags,
}

/// Those of these occurrences that a mailbox shows.
pub async fn items(sql: &mut impl Sql, mailbox: MailboxId, ids: &[OccurrenceId]) -> Result<Vec<Item>, Error> {
    let text = format!(
        "SELECT o.id, o.folder_id, o.uidvalidity, o.uid, o.flags FROM occurrences o WHERE o.id = $1 AND o.mailbox_id = $2 AND {SHOWN}"
    );
    let found = sql.query_many(&text, ids.iter().map(|id| params![*id, mailbox]).collect()).await?;
    let item = |row: &Row| {
        Ok(Item {
            id: row.get(0)?,
            folder: row.get(1)?,
            uidvalidity: row.get(2)?,
            uid: row.get(3)?,
            flags: Flags::of_words(&row.get::<String>(4)?),
        })
    };
    found.iter().flatten().map(item).collect()
}

/// Up to `limit` messages a mailbox shows after `after` that are not on their way elsewhere, with the
/// time they arrived: what is left to be moved out of it.
pub async fn left_to_move(
    sql: &mut impl Sql,
    mailbox: MailboxId,
    after: OccurrenceId,
    limit: i64,
) -> Result<Vec<(OccurrenceId, Time)>, Error> {
    let text = format!(
        "SELECT o.id, CASE WHEN o.internal_at > 0 THEN o.internal_at ELSE m.sent_at END FROM occurrences o JOIN messages m ON m.id = o.message_id
         WHERE o.mailbox_id = $1 AND o.id > $2 AND {SHOWN} AND o.body_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM operations p WHERE p.occurrence_id = o.id AND p.kind = 'append' AND p.state = 'due')
         ORDER BY o.id LIMIT $3"
    );
    let rows = sql.query(&text, params![mailbox, after, limit]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
