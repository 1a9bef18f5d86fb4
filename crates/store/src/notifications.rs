//! What somebody is told in the interface: one row for each person and thing.
//!
//! What happens again before it was read is the same row with a higher `count`; it is written anew, so that
//! the newest stands first and later rows have higher ids. A row about a thread or record is there only for
//! who may see that now: [`Sees`] is folded into every list and count.

mod settings;

pub use settings::{Setting, set, settings};

use crate::changes::RecordsHeard;
use crate::counters;
use crate::params;
use crate::people::Access;
use crate::sql::{Error, Params, Row, Sql, Tx};
use model::{MailboxId, NotificationId, RecordId, ThreadId, Time, UserId};

/// Something to tell somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New<'a> {
    /// Whom.
    pub user: UserId,
    /// What, as a stable word.
    pub kind: &'a str,
    /// The mailbox it is about.
    pub mailbox: Option<MailboxId>,
    /// The thread it is about.
    pub thread: Option<ThreadId>,
    /// The record it is about.
    pub record: Option<RecordId>,
    /// What the sentence speaks of: a JSON object of strings.
    pub data: String,
    /// How often it happened since they read it.
    pub count: i64,
    /// When a mail last told of it.
    pub mailed_at: Option<Time>,
    /// Set where they do not want to hear of it in the interface.
    pub read_at: Option<Time>,
    /// When.
    pub at: Time,
}

/// Something somebody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its id; later ones are higher.
    pub id: NotificationId,
    /// What, as a stable word.
    pub kind: String,
    /// The mailbox it is about.
    pub mailbox: Option<MailboxId>,
    /// The thread it is about.
    pub thread: Option<ThreadId>,
    /// The record it is about.
    pub record: Option<RecordId>,
    /// What the sentence speaks of: a JSON object of strings.
    pub data: String,
    /// How often it happened since they read it.
    pub count: i64,
    /// When.
    pub at: Time,
    /// Whether they have read it.
    pub read: bool,
    /// What the record is, as a word.
    pub record_kind: Option<String>,
}

/// What makes two things one line: whom, what, and the thread (or else record) it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Whom.
    pub user: UserId,
    /// What, as a stable word.
    pub kind: &'static str,
    /// The thread it is about.
    pub thread: Option<ThreadId>,
    /// The record it is about; counts only where there is no thread.
    pub record: Option<RecordId>,
}

/// The line that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// How often it had happened.
    pub count: i64,
    /// Whether they had read it.
    pub read: bool,
    /// When a mail last told of it.
    pub mailed_at: Option<Time>,
}

/// Whose notifications, and what they may see.
#[derive(Clone, Debug)]
pub struct Sees {
    /// Whose.
    pub user: UserId,
    /// The threads they may see.
    pub mail: Access,
    /// The records they may see.
    pub records: RecordsHeard,
}

impl Sees {
    /// FROM and WHERE of what they were told and may still see.
    fn rows(&self) -> (String, Params) {
        let mut params = params![self.user];
        let thread = self.mail.condition("n.thread_id", &mut params);
        let record = self.records.condition("r", &mut params);
        let from = format!(
            "FROM notifications n WHERE n.user_id = $1 AND (n.thread_id IS NULL OR {thread}) AND (n.record_id IS NULL \
             OR EXISTS (SELECT 1 FROM records r WHERE r.id = n.record_id AND {record}))"
        );
        (from, params)
    }
}

/// Adds some; their ids count up from the one returned.
pub async fn add(tx: &mut Tx, new: Vec<New<'_>>) -> Result<NotificationId, Error> {
    let first = counters::take(tx, "notifications", new.len() as i64).await?;
    let row = |(id, one): (i64, New<'_>)| {
        params![
            id,
            one.user,
            one.kind,
            one.mailbox,
            one.thread,
            one.record,
            one.data,
            one.count,
            one.mailed_at,
            one.read_at,
            one.at
        ]
    };
    let head = "INSERT INTO notifications (id, user_id, kind, mailbox_id, thread_id, record_id, data, count, \
                mailed_at, read_at, at) VALUES";
    tx.insert_many(head, "", (first..).zip(new).map(row).collect()).await?;
    Ok(NotificationId(first))
}

/// Takes out the lines of these keys, to be written anew; what they were.
pub async fn take(tx: &mut Tx, keys: &[Key]) -> Result<Vec<Option<Before>>, Error> {
    let text = "SELECT id, count, read_at, mailed_at FROM notifications WHERE user_id = $1 AND kind = $2 \
                AND COALESCE(thread_id, 0) = $3 AND ($3 <> 0 OR COALESCE(record_id, 0) = $4) \
                ORDER BY id DESC LIMIT 1";
    let key = |key: &Key| {
        let (thread, record) = (key.thread.map_or(0, |id| id.0), key.record.map_or(0, |id| id.0));
        params![key.user, key.kind, thread, record]
    };
    let found = tx.query_many(text, keys.iter().map(key).collect()).await?;
    let (mut before, mut gone) = (Vec::with_capacity(keys.len()), Vec::new());
    for rows in found {
        let Some(row) = rows.first() else {
            before.push(None);
            continue;
        };
        gone.push(params![row.get::<i64>(0)?]);
        let read = row.get::<Option<Time>>(2)?.is_some();
        before.push(Some(Before { count: row.get(1)?, read, mailed_at: row.get(3)? }));
    }
    tx.execute_many("DELETE FROM notifications WHERE id = $1", gone).await?;
    Ok(before)
}

/// Keeps the newest `most` of each of these people and forgets the rest.
pub async fn trim(tx: &mut Tx, users: impl IntoIterator<Item = UserId>, most: i64) -> Result<(), Error> {
    let text = "DELETE FROM notifications WHERE user_id = $1 AND id <= COALESCE((SELECT id FROM notifications \
                WHERE user_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2), 0)";
    tx.execute_many(text, users.into_iter().map(|user| params![user, most]).collect()).await.map(drop)
}

/// Somebody's, the newest first.
pub async fn page(
    sql: &mut impl Sql,
    sees: &Sees,
    offset: u64,
    limit: u32,
) -> Result<Vec<Notification>, Error> {
    let (from, mut params) = sees.rows();
    let at = params.len();
    params.extend(params![limit, offset]);
    let text = format!(
        "SELECT n.id, n.kind, n.mailbox_id, n.thread_id, n.record_id, n.data, n.count, n.at, n.read_at, \
         (SELECT k.kind FROM records k WHERE k.id = n.record_id) {from} \
         ORDER BY n.id DESC LIMIT ${} OFFSET ${}",
        at + 1,
        at + 2
    );
    sql.query(&text, params).await?.iter().map(notification_of).collect()
}

fn notification_of(row: &Row) -> Result<Notification, Error> {
    Ok(Notification {
        id: row.get(0)?,
        kind: row.get(1)?,
        mailbox: row.get(2)?,
        thread: row.get(3)?,
        record: row.get(4)?,
        data: row.get(5)?,
        count: row.get(6)?,
        at: row.get(7)?,
        read: row.get::<Option<Time>>(8)?.is_some(),
        record_kind: row.get(9)?,
    })
}

/// How many somebody has, and how many of them are unread.
pub async fn counts(sql: &mut impl Sql, sees: &Sees) -> Result<(i64, i64), Error> {
    let (from, params) = sees.rows();
    let text = format!("SELECT COUNT(*), COUNT(*) - COUNT(n.read_at) {from}");
    let row = sql.query_one(&text, params).await?;
    Ok((row.get(0)?, row.get(1)?))
}

/// The newest of somebody's up to one.
pub async fn newest(
    sql: &mut impl Sql,
    user: UserId,
    up_to: NotificationId,
) -> Result<Option<NotificationId>, Error> {
    let text = "SELECT MAX(id) FROM notifications WHERE user_id = $1 AND id <= $2";
    sql.query_one(text, params![user, up_to]).await?.get(0)
}

/// Marks those up to one as read; how many that were.
pub async fn read(tx: &mut Tx, user: UserId, up_to: NotificationId, at: Time) -> Result<u64, Error> {
    let text = "UPDATE notifications SET read_at = $3 WHERE user_id = $1 AND id <= $2 AND read_at IS NULL";
    tx.execute(text, params![user, up_to, at]).await
}

/// Marks what somebody was told of a thread as read; the newest of it, if there was any unread.
pub async fn read_of_thread(
    tx: &mut Tx,
    user: UserId,
    thread: ThreadId,
    at: Time,
) -> Result<Option<NotificationId>, Error> {
    let text = "SELECT MAX(id) FROM notifications WHERE user_id = $1 AND thread_id = $2 AND read_at IS NULL";
    let newest: Option<NotificationId> = tx.query_one(text, params![user, thread]).await?.get(0)?;
    if newest.is_some() {
        let text =
            "UPDATE notifications SET read_at = $3 WHERE user_id = $1 AND thread_id = $2 AND read_at IS NULL";
        tx.execute(text, params![user, thread, at]).await?;
    }
    Ok(newest)
}

/// Whom a mail in a thread may concern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Who is in charge of the thread or its case.
    pub assignee: Option<UserId>,
    /// Its case.
    pub case: Option<RecordId>,
    /// The members of the team in charge, where nobody is.
    pub team: Vec<UserId>,
    /// Who follows a record it is linked to, and one such record.
    pub followers: Vec<(UserId, RecordId)>,
}

/// People of one thread that are asked for.
const MOST_PEOPLE: usize = 500;

/// Whom a note on a record concerns: who follows it, and who is in charge.
pub async fn audience_of_record(sql: &mut impl Sql, record: RecordId) -> Result<Audience, Error> {
    let text =
        format!("SELECT user_id FROM followers WHERE record_id = $1 ORDER BY user_id LIMIT {MOST_PEOPLE}");
    let followers = sql.query(&text, params![record]).await?;
    let followers = followers.iter().map(|row| Ok((row.get(0)?, record))).collect::<Result<_, Error>>()?;
    let charge = sql.query_opt("SELECT assignee_id FROM records WHERE id = $1", params![record]).await?;
    let assignee = charge.map_or(Ok(None), |row| row.get(0))?;
    Ok(Audience { assignee, followers, ..Audience::default() })
}

/// Whom mails in these threads may concern, as each thread stands.
pub async fn audiences(sql: &mut impl Sql, threads: &[ThreadId]) -> Result<Vec<Audience>, Error> {
    let asked = || threads.iter().map(|id| params![*id]).collect::<Vec<Params>>();
    let charge = "SELECT t.assignee_id, t.case_id FROM threads t WHERE t.id = $1";
    let team = format!(
        "SELECT m.user_id FROM threads t LEFT JOIN records r ON r.id = t.case_id \
         JOIN team_members m ON m.team_id = COALESCE(r.team_id, t.team_id) \
         WHERE t.id = $1 AND t.assignee_id IS NULL ORDER BY m.user_id LIMIT {MOST_PEOPLE}"
    );
    let followers = format!(
        "SELECT f.user_id, MIN(f.record_id) FROM links l JOIN followers f ON f.record_id = l.record_id \
         WHERE l.thread_id = $1 GROUP BY f.user_id ORDER BY f.user_id LIMIT {MOST_PEOPLE}"
    );
    let charge = sql.query_many(charge, asked()).await?;
    let team = sql.query_many(&team, asked()).await?;
    let followers = sql.query_many(&followers, asked()).await?;
    let mut out = Vec::with_capacity(threads.len());
    for ((charge, team), followers) in charge.iter().zip(&team).zip(&followers) {
        let mut one = Audience::default();
        if let Some(row) = charge.first() {
            (one.assignee, one.case) = (row.get(0)?, row.get(1)?);
        }
        one.team = team.iter().map(|row| row.get(0)).collect::<Result<_, Error>>()?;
        one.followers =
            followers.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, Error>>()?;
        out.push(one);
    }
    Ok(out)
}
