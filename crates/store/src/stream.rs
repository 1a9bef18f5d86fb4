//! Notes and events: what happened to a record or in a thread.
//!
//! One table for both readers. An entry with a record stands in that record's stream; an entry with
//! a thread stands among the thread's messages. An entry with both (a message that reached a record,
//! a note in a case's thread) is shown of a record only to those who may see the thread.

use crate::counters;
use crate::params;
use crate::people::Access;
use crate::sql::{Error, Params, Row, Sql, Tx};
use model::{MessageId, NoteId, Person, RecordId, ThreadId, Time, UserId};

model::words! {
    /// What an entry tells.
    StreamKind {
        /// A message came in.
        MessageIn = "message_in",
        /// A message went out.
        MessageOut = "message_out",
        /// Somebody wrote a note.
        Note = "note",
        /// A case was made of the thread.
        CaseCreated = "case_created",
        /// The case was given to somebody, or to nobody.
        Assigned = "assigned",
        /// The case's status changed by hand.
        StatusChanged = "status_changed",
        /// The case's priority changed.
        PriorityChanged = "priority_changed",
        /// A closed case was opened by a new mail.
        Reopened = "reopened",
        /// The thread was linked to the record by hand.
        Linked = "linked",
        /// The link was removed.
        Unlinked = "unlinked",
        /// A message's place in the thread was found to be right.
        Verified = "verified",
        /// A message was taken out into a thread of its own.
        Detached = "detached",
        /// The record was made by hand.
        Created = "created",
        /// The record's fields were changed.
        Changed = "changed",
        /// Two threads or records became one.
        Merged = "merged",
        /// A lead became a contact.
        Converted = "converted",
        /// The thread was handed to somebody, to a team, or back to nobody.
        Handed = "handed",
        /// The thread was filed to an area of work, or taken from it.
        FiledTo = "filed_to",
        /// Messages of the case became one of their own.
        Split = "split",
        /// It is out of sight until then.
        Snoozed = "snoozed",
        /// It is seen again.
        Woken = "woken",
        /// An answer was due and is not there.
        Overdue = "overdue",
        /// Another team is in charge.
        TeamChanged = "team_changed",
        /// It belongs to another area of work.
        ProcessChanged = "process_changed",
    }
}

model::words! {
    /// What of a stream is asked for.
    Only {
        /// Messages, in and out.
        Mail = "mail",
        /// Notes.
        Notes = "notes",
        /// Everything else.
        Changes = "changes",
    }
}

impl Only {
    fn condition(self) -> &'static str {
        match self {
            Only::Mail => " AND s.kind IN ('message_in', 'message_out')",
            Only::Notes => " AND s.kind = 'note'",
            Only::Changes => " AND s.kind NOT IN ('message_in', 'message_out', 'note')",
        }
    }
}

/// Entries of one thread that are shown: the newest ones, where there are more.
pub const MOST_OF_THREAD: usize = 1000;

/// An entry to be written.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The record in whose stream it stands.
    pub record: Option<RecordId>,
    /// The thread among whose messages it stands.
    pub thread: Option<ThreadId>,
    /// What it tells.
    pub kind: StreamKind,
    /// Who did it; `None` for the machine.
    pub user: Option<UserId>,
    /// A note's text, else empty.
    pub body: String,
    /// A JSON object of strings.
    pub data: String,
    /// When.
    pub at: Time,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id; ids sort by time.
    pub id: NoteId,
    /// The record it concerns.
    pub record: Option<RecordId>,
    /// What it tells.
    pub kind: StreamKind,
    /// Who did it.
    pub user: Option<(UserId, String)>,
    /// A note's text.
    pub body: String,
    /// A JSON object of strings.
    pub data: String,
    /// When.
    pub at: Time,
    /// The message it tells of.
    pub message: Option<EntryMessage>,
}

/// The message of an entry, in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryMessage {
    /// The message.
    pub id: MessageId,
    /// Its thread.
    pub thread: ThreadId,
    /// Its subject.
    pub subject: String,
    /// Its writer.
    pub from: Person,
    /// Its beginning.
    pub snippet: String,
}

/// Writes an entry.
pub async fn add(tx: &mut Tx, entry: NewEntry) -> Result<NoteId, Error> {
    let id = NoteId(counters::take(tx, "stream", 1).await?);
    let text = "INSERT INTO stream (id, record_id, thread_id, kind, user_id, body, data, at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let NewEntry { record, thread, kind, user, body, data, at } = entry;
    tx.execute(text, params![id, record, thread, kind.word(), user, body, data, at]).await?;
    Ok(id)
}

const COLUMNS: &str = "s.id, s.record_id, s.kind, s.user_id, u.name, s.body, s.data, s.at, \
     m.id, m.thread_id, m.subject, m.from_name, m.from_address, m.snippet \
     FROM stream s LEFT JOIN users u ON u.id = s.user_id LEFT JOIN messages m ON m.id = s.message_id";

/// Notes and events among a thread's messages (which may be seen: ask first), oldest first; with
/// those of its case. Messages are not repeated.
pub async fn of_thread(
    sql: &mut impl Sql,
    thread: ThreadId,
    case: Option<RecordId>,
) -> Result<Vec<Entry>, Error> {
    let text = format!(
        "SELECT {COLUMNS} WHERE (s.thread_id = $1 OR (s.record_id = $2 AND s.thread_id IS NULL)) \
         AND s.message_id IS NULL ORDER BY s.id DESC LIMIT {MOST_OF_THREAD}"
    );
    // No record has the id 0.
    let case = case.map_or(0, |id| id.0);
    let mut rows = sql.query(&text, params![thread, case]).await?;
    rows.reverse();
    entries(&rows)
}

/// The stream of a record, newest first, of what `access` lets see; entries before `before`.
pub async fn of_record(
    sql: &mut impl Sql,
    record: RecordId,
    access: &Access,
    only: Option<Only>,
    before: Option<NoteId>,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let only = only.map_or("", Only::condition);
    let mut params: Params = params![record, before.map_or(i64::MAX, |id| id.0), limit];
    let seen = access.condition("s.thread_id", &mut params);
    let text = format!(
        "SELECT {COLUMNS} WHERE s.record_id = $1 AND s.id < $2 AND (s.thread_id IS NULL OR {seen}){only} \
         ORDER BY s.id DESC LIMIT $3"
    );
    entries(&sql.query(&text, params).await?)
}

/// One entry.
pub async fn entry(sql: &mut impl Sql, id: NoteId) -> Result<Option<Entry>, Error> {
    let rows = sql.query(&format!("SELECT {COLUMNS} WHERE s.id = $1"), params![id]).await?;
    Ok(entries(&rows)?.pop())
}

/// Entries of a kind this program does not know are left out.
fn entries(rows: &[Row]) -> Result<Vec<Entry>, Error> {
    rows.iter().filter_map(|row| entry_of(row).transpose()).collect()
}

fn entry_of(row: &Row) -> Result<Option<Entry>, Error> {
    let Some(kind) = StreamKind::of(&row.get::<String>(2)?) else {
        return Ok(None);
    };
    let user: Option<UserId> = row.get(3)?;
    let name: Option<String> = row.get(4)?;
    let message = match row.get::<Option<MessageId>>(8)? {
        None => None,
        Some(id) => Some(EntryMessage {
            id,
            thread: row.get(9)?,
            subject: row.get(10)?,
            from: Person { name: row.get(11)?, address: row.get(12)? },
            snippet: row.get(13)?,
        }),
    };
    Ok(Some(Entry {
        id: row.get(0)?,
        record: row.get(1)?,
        kind,
        user: user.map(|id| (id, name.unwrap_or_default())),
        body: row.get(5)?,
        data: row.get(6)?,
        at: row.get(7)?,
        message,
    }))
}
