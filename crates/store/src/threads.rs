//! Views, lists and threads.
//!
//! A list is asked by position and answered by one walk over a partial index (`threads_by_last`,
//! `threads_by_status`, `threads_by_assignee`, `threads_unlinked`), newest first; its count is a walk
//! over the same index. What of it somebody may see is one more condition on each row, answered from
//! the primary key of `thread_access`. Where a list is "everything of one mailbox" or "everything I
//! may see" the walk starts from `thread_access` itself instead.
//!
//! Decided against kept counters per view and user: each would be a row that every filing fights
//! for, and with access by tokens there are as many counts as combinations of tokens.

mod charge;
mod list;
mod split;

pub use charge::{Charge, charge, file, hand};
pub use list::{Filter, Part, View, count, list};
pub use split::{Chosen, chosen, split};

use crate::labels::{self, Label};
use crate::params;
use crate::people::Access;
use crate::sql::{Error, Params, Row, Sql, Tx};
use model::{CaseStatus, MailboxId, MessageId, RecordId, RecordKind, ThreadId, Time, UserId};
use std::collections::HashSet;

/// A line of a list of threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadRow {
    /// The thread.
    pub id: ThreadId,
    /// Subject of its first message.
    pub subject: String,
    /// Beginning of its newest message.
    pub snippet: String,
    /// Who wrote last from outside; empty if the message has no name for them.
    pub from_name: String,
    /// That person's address.
    pub from_address: String,
    /// Arrival of the newest message.
    pub last_at: Time,
    /// How many messages it has.
    pub messages: i64,
    /// Whether it has messages the reader has not seen.
    pub unread: bool,
    /// How many attachments its messages have.
    pub attachments: i64,
    /// The message filed last.
    pub last_message: MessageId,
    /// Out of sight until then.
    pub snoozed_until: Option<Time>,
    /// Mailboxes its messages came through.
    pub mailboxes: Vec<MailboxId>,
    /// Its case.
    pub case: Option<CaseBrief>,
    /// Records it is linked to, the case left out, at most [`MOST_RECORDS`].
    pub records: Vec<RecordBrief>,
    /// Its labels, by name.
    pub labels: Vec<Label>,
}

/// Records named in a line of a list.
pub const MOST_RECORDS: usize = 2;

/// A case in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseBrief {
    /// The case.
    pub id: RecordId,
    /// Its number.
    pub number: i64,
    /// Where it stands.
    pub status: CaseStatus,
    /// Its priority's word.
    pub priority: String,
    /// Who is to act, with their name.
    pub assignee: Option<(UserId, String)>,
    /// When an answer to its customer is due; `None`: none is.
    pub due_at: Option<Time>,
}

/// A record in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBrief {
    /// The record.
    pub id: RecordId,
    /// What it is.
    pub kind: RecordKind,
    /// Its name.
    pub name: String,
    /// Of cases: the number.
    pub number: Option<i64>,
}

/// Who reads, for what is unread to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The user; without one nothing is unread.
    pub user: Option<UserId>,
}

const COLUMNS: &str = "t.id, t.subject, t.snippet, t.from_name, t.from_address, t.last_at, t.messages, \
     t.attachments, t.last_message_id, t.snoozed_until";

/// One thread, if it may be seen.
pub async fn row(
    sql: &mut impl Sql,
    id: ThreadId,
    access: &Access,
    reader: Reader,
) -> Result<Option<ThreadRow>, Error> {
    let mut params = params![id];
    let seen = access.condition("t.id", &mut params);
    let text = format!("SELECT {COLUMNS} FROM threads t WHERE t.id = $1 AND {seen}");
    let rows = sql.query(&text, params).await?;
    Ok(complete(sql, rows, reader).await?.pop())
}

/// Whether a thread may be seen.
pub async fn visible(sql: &mut impl Sql, id: ThreadId, access: &Access) -> Result<bool, Error> {
    let mut params = params![id];
    let seen = access.condition("t.id", &mut params);
    let text = format!("SELECT 1 FROM threads t WHERE t.id = $1 AND {seen}");
    Ok(sql.query_opt(&text, params).await?.is_some())
}

/// Which of these threads may be seen.
pub async fn visible_of(
    sql: &mut impl Sql,
    ids: &[ThreadId],
    access: &Access,
) -> Result<HashSet<ThreadId>, Error> {
    let mut seen = HashSet::new();
    if *access == Access::All {
        seen.extend(ids);
        return Ok(seen);
    }
    for some in ids.chunks(ASKED_AT_ONCE) {
        let mut params: Params = some.iter().map(|id| (*id).into()).collect();
        let marks: Vec<String> = (1..=params.len()).map(|at| format!("${at}")).collect();
        let condition = access.condition("t.id", &mut params);
        let text = format!("SELECT t.id FROM threads t WHERE t.id IN ({}) AND {condition}", marks.join(","));
        for row in sql.query(&text, params).await? {
            seen.insert(row.get(0)?);
        }
    }
    Ok(seen)
}

/// Ids in one statement.
const ASKED_AT_ONCE: usize = 500;

/// The threads linked to any of `records`, newest first, as far as they may be seen.
pub async fn of_records(
    sql: &mut impl Sql,
    records: &[RecordId],
    access: &Access,
    reader: Reader,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<ThreadRow>), Error> {
    let mut params = Params::new();
    let marks: Vec<String> = records
        .iter()
        .map(|record| {
            params.push((*record).into());
            format!("${}", params.len())
        })
        .collect();
    if marks.is_empty() {
        return Ok((0, Vec::new()));
    }
    let seen = access.condition("t.id", &mut params);
    let from = format!(
        "FROM threads t WHERE t.merged_into IS NULL AND {seen} \
         AND t.id IN (SELECT l.thread_id FROM links l WHERE l.record_id IN ({}))",
        marks.join(",")
    );
    let count = sql.query_one(&format!("SELECT count(*) {from}"), params.clone()).await?;
    let at = params.len();
    params.extend(params![limit, offset]);
    let page = format!(
        "SELECT {COLUMNS} {from} ORDER BY t.last_at DESC, t.id DESC LIMIT ${} OFFSET ${}",
        at + 1,
        at + 2
    );
    let rows = sql.query(&page, params).await?;
    Ok((count.get(0)?, complete(sql, rows, reader).await?))
}

/// Adds to the bare rows of a page what stands in other tables: one hop per table.
async fn complete(sql: &mut impl Sql, rows: Vec<Row>, reader: Reader) -> Result<Vec<ThreadRow>, Error> {
    let mut threads = rows.iter().map(bare).collect::<Result<Vec<_>, Error>>()?;
    let each = |threads: &[ThreadRow]| threads.iter().map(|t| params![t.id]).collect::<Vec<_>>();
    let cases = sql.query_many(CASE_OF_THREAD, each(&threads)).await?;
    let mailboxes = sql.query_many(MAILBOXES_OF_THREAD, each(&threads)).await?;
    let records = sql.query_many(RECORDS_OF_THREAD, each(&threads)).await?;
    let unread = unread(sql, &threads, reader).await?;
    let ids: Vec<ThreadId> = threads.iter().map(|thread| thread.id).collect();
    let labels = labels::of_threads(sql, &ids).await?;
    let more = cases.iter().zip(&mailboxes).zip(&records).zip(unread).zip(labels);
    for (thread, ((((cases, mailboxes), records), unread), labels)) in threads.iter_mut().zip(more) {
        thread.labels = labels;
        thread.case = cases.first().map(case_of).transpose()?;
        thread.mailboxes =
            mailboxes.iter().filter_map(|row| mailbox_of(row).transpose()).collect::<Result<_, _>>()?;
        thread.records =
            records.iter().filter_map(|row| record_of(row).transpose()).collect::<Result<_, _>>()?;
        thread.unread = unread;
    }
    Ok(threads)
}

const CASE_OF_THREAD: &str = "SELECT r.id, r.number, r.status, r.priority, r.assignee_id, u.name, r.due_at \
     FROM threads t JOIN records r ON r.id = t.case_id LEFT JOIN users u ON u.id = r.assignee_id \
     WHERE t.id = $1";
const MAILBOXES_OF_THREAD: &str =
    "SELECT token FROM thread_access WHERE thread_id = $1 AND token LIKE 'm%' ORDER BY token";
const RECORDS_OF_THREAD: &str = "SELECT r.id, r.kind, r.name, r.number FROM links l \
     JOIN records r ON r.id = l.record_id WHERE l.thread_id = $1 AND r.kind <> 'case' \
     ORDER BY l.confidence DESC, l.id LIMIT 2";

fn bare(row: &Row) -> Result<ThreadRow, Error> {
    Ok(ThreadRow {
        id: row.get(0)?,
        subject: row.get(1)?,
        snippet: row.get(2)?,
        from_name: row.get(3)?,
        from_address: row.get(4)?,
        last_at: row.get(5)?,
        messages: row.get(6)?,
        unread: false,
        attachments: row.get(7)?,
        last_message: row.get(8)?,
        snoozed_until: row.get(9)?,
        mailboxes: Vec::new(),
        case: None,
        records: Vec::new(),
        labels: Vec::new(),
    })
}

fn case_of(row: &Row) -> Result<CaseBrief, Error> {
    let assignee: Option<UserId> = row.get(4)?;
    let name: Option<String> = row.get(5)?;
    Ok(CaseBrief {
        id: row.get(0)?,
        number: row.get(1)?,
        // A word this program does not know is work that nobody should overlook.
        status: CaseStatus::of(&row.get::<String>(2)?).unwrap_or(CaseStatus::Open),
        priority: row.get(3)?,
        assignee: assignee.map(|id| (id, name.unwrap_or_default())),
        due_at: row.get(6)?,
    })
}

fn mailbox_of(row: &Row) -> Result<Option<MailboxId>, Error> {
    let token: String = row.get(0)?;
    Ok(token.strip_prefix('m').and_then(|id| id.parse().ok()).map(MailboxId))
}

/// A record of `id, kind, name, number`, the first four columns; none for a kind of a later version.
pub(crate) fn record_of(row: &Row) -> Result<Option<RecordBrief>, Error> {
    let Some(kind) = RecordKind::of(&row.get::<String>(1)?) else {
        return Ok(None);
    };
    Ok(Some(RecordBrief { id: row.get(0)?, kind, name: row.get(2)?, number: row.get(3)? }))
}

async fn unread(sql: &mut impl Sql, threads: &[ThreadRow], reader: Reader) -> Result<Vec<bool>, Error> {
    let Some(user) = reader.user else {
        return Ok(vec![false; threads.len()]);
    };
    let text = "SELECT COALESCE(r.message_id, u.read_before) FROM users u \
                LEFT JOIN thread_reads r ON r.user_id = u.id AND r.thread_id = $2 WHERE u.id = $1";
    let each = threads.iter().map(|thread| params![user, thread.id]).collect();
    let read = sql.query_many(text, each).await?;
    threads
        .iter()
        .zip(read)
        .map(|(thread, rows)| match rows.first() {
            Some(row) => Ok(thread.last_message > row.get(0)?),
            None => Ok(false),
        })
        .collect()
}

/// Remembers that a user has read a thread up to a message.
pub async fn read_up_to(
    tx: &mut Tx,
    user: UserId,
    thread: ThreadId,
    message: MessageId,
) -> Result<(), Error> {
    let text = "INSERT INTO thread_reads (user_id, thread_id, message_id) VALUES ($1, $2, $3) \
                ON CONFLICT (user_id, thread_id) DO UPDATE SET message_id = excluded.message_id";
    tx.execute(text, params![user, thread, message]).await.map(drop)
}

/// The subject of a thread.
pub async fn subject(sql: &mut impl Sql, id: ThreadId) -> Result<Option<String>, Error> {
    let row = sql.query_opt("SELECT subject FROM threads WHERE id = $1", params![id]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// The case of a thread; `None` where the thread has none or is none.
pub async fn case_id(sql: &mut impl Sql, id: ThreadId) -> Result<Option<RecordId>, Error> {
    let row = sql.query_opt("SELECT case_id FROM threads WHERE id = $1", params![id]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// The threads of a case, oldest first.
pub async fn of_case(sql: &mut impl Sql, case: RecordId) -> Result<Vec<ThreadId>, Error> {
    let rows = sql.query("SELECT id FROM threads WHERE case_id = $1 ORDER BY id", params![case]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Puts a thread into a case.
pub async fn join_case(tx: &mut Tx, thread: ThreadId, case: RecordId) -> Result<(), Error> {
    let text = "UPDATE threads SET case_id = $2, \
                case_status = (SELECT status FROM records WHERE id = $2), \
                assignee_id = (SELECT assignee_id FROM records WHERE id = $2), \
                snoozed_until = (SELECT snoozed_until FROM records WHERE id = $2) WHERE id = $1";
    tx.execute(text, params![thread, case]).await.map(drop)
}

/// Takes a thread out of its case.
pub async fn leave_case(tx: &mut Tx, thread: ThreadId) -> Result<(), Error> {
    let text = "UPDATE threads SET case_id = NULL, case_status = NULL, assignee_id = NULL, snoozed_until = NULL \
                WHERE id = $1";
    tx.execute(text, params![thread]).await.map(drop)
}

/// Writes status, assignee and snooze of a case to its threads, where the views look for them.
pub async fn follow_case(tx: &mut Tx, case: RecordId) -> Result<(), Error> {
    let text = "UPDATE threads SET case_status = (SELECT status FROM records WHERE id = $1), \
                assignee_id = (SELECT assignee_id FROM records WHERE id = $1), \
                snoozed_until = (SELECT snoozed_until FROM records WHERE id = $1) WHERE case_id = $1";
    tx.execute(text, params![case]).await.map(drop)
}

/// Puts a thread without a case out of sight until then, or back.
pub async fn snooze(tx: &mut Tx, thread: ThreadId, until: Option<Time>) -> Result<(), Error> {
    let text = "UPDATE threads SET snoozed_until = $2 WHERE id = $1";
    tx.execute(text, params![thread, until]).await.map(drop)
}

/// Threads without a case whose snooze is over.
pub async fn due_snoozes(sql: &mut impl Sql, now: Time, limit: usize) -> Result<Vec<ThreadId>, Error> {
    let text = "SELECT id FROM threads WHERE snoozed_until <= $1 AND case_id IS NULL ORDER BY snoozed_until, id LIMIT $2";
    sql.query(text, params![now, limit]).await?.iter().map(|row| row.get(0)).collect()
}

/// The thread a thread became: itself, unless it was merged into another.
pub async fn survivor(sql: &mut impl Sql, id: ThreadId) -> Result<ThreadId, Error> {
    let mut at = id;
    // A chain is as long as there were merges of merges; a circle cannot be, but must not hang.
    for _ in 0..16 {
        let row = sql.query_opt("SELECT merged_into FROM threads WHERE id = $1", params![at]).await?;
        match row.map_or(Ok(None), |row| row.get(0))? {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(at)
}

/// The mailboxes somebody may look into: id, address, name; group mailboxes first.
pub async fn mailboxes(
    sql: &mut impl Sql,
    access: &Access,
) -> Result<Vec<(MailboxId, String, String)>, Error> {
    let text = "SELECT id, address, name FROM mailboxes ORDER BY kind, address, id";
    let rows = sql.query(text, params![]).await?;
    let rows = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let open = |(id, ..): &(MailboxId, String, String)| match access {
        Access::All => true,
        Access::Tokens(tokens) => tokens.contains(&format!("m{id}")),
    };
    rows.filter(|row| row.as_ref().map_or(true, open)).collect()
}
