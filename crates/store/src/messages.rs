//! Filed messages: what their thread shows of them, and what a page about one of them shows.
//!
//! The text of a message is not here: it is read anew from the bytes ([`crate::raw`]) whenever
//! somebody looks, so a better parser shows old mail better. What lists need (subject, writer,
//! beginning of the text) was written when the message was filed.

use crate::params;
use crate::people::Access;
use crate::sql::{Error, Params, Row, Sql, Tx, Value};
use model::{FolderId, MailboxId, MessageId, OccurrenceId, Person, ThreadId, Time, Unverified, Verdict};

/// Messages of one thread that are shown: the newest ones, where there are more.
pub const MOST_OF_THREAD: usize = 1000;

/// A filed message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Its thread.
    pub thread: ThreadId,
    /// Whether one of us wrote it.
    pub outgoing: bool,
    /// Message-ID without <>; empty if it has none.
    pub mid: String,
    /// In-Reply-To, ids divided by blanks.
    pub in_reply_to: String,
    /// References, ids divided by blanks.
    pub references: String,
    /// Subject.
    pub subject: String,
    /// Its writer.
    pub from: Person,
    /// Date of the header where it has one, else the server's.
    pub sent_at: Time,
    /// When the server received it.
    pub received_at: Time,
    /// Size as sent.
    pub size_bytes: i64,
    /// Beginning of what its writer wrote.
    pub snippet: String,
    /// Whether it has an HTML body.
    pub has_html: bool,
    /// JSON: bounce, auto_reply, list_id, defects.
    pub marks: String,
    /// JSON: why it was filed as it was, step by step.
    pub plan: String,
    /// What its mailbox's own server says of the writer.
    pub auth: Verdict,
    /// Why its place in the thread is not to be trusted.
    pub unverified: Option<Unverified>,
    /// Bounces that speak of it: their ids, and their marks.
    pub bounces: Vec<(MessageId, String)>,
    /// Everybody named in it, by role in the order of the header.
    pub people: Vec<Participant>,
    /// What came with it.
    pub attachments: Vec<Attachment>,
    /// Where it lies on servers.
    pub places: Vec<Place>,
}

/// Somebody named in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// from, reply_to, to, cc, bcc …
    pub role: String,
    /// Name and address; the address in lower case.
    pub person: Person,
}

/// A file that came with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its place among the message's attachments, from 0.
    pub index: i64,
    /// Name; empty if none.
    pub name: String,
    /// `type/subtype` as the sender says.
    pub content_type: String,
    /// Content-ID without <>; empty if none.
    pub content_id: String,
    /// Size of the decoded bytes.
    pub size_bytes: i64,
    /// Meant to be shown inside the text.
    pub inline: bool,
}

/// A folder of a mailbox a message was found in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Its address.
    pub address: String,
    /// The folder's name.
    pub folder: String,
}

const COLUMNS: &str = "m.id, m.thread_id, m.direction, m.mid, m.in_reply_to, m.refs, m.subject, \
     m.from_name, m.from_address, m.sent_at, m.received_at, m.size_bytes, m.snippet, m.has_html, \
     m.marks, m.plan, m.auth, m.unverified";

/// One message, if it may be seen.
pub async fn message(sql: &mut impl Sql, id: MessageId, access: &Access) -> Result<Option<Message>, Error> {
    let mut params = params![id];
    let seen = access.condition("m.thread_id", &mut params);
    let text = format!("SELECT {COLUMNS} FROM messages m WHERE m.id = $1 AND {seen}");
    let rows = sql.query(&text, params).await?;
    Ok(complete(sql, rows).await?.pop())
}

/// The messages of a thread (which may be seen: ask first), oldest first.
pub async fn of_thread(sql: &mut impl Sql, thread: ThreadId) -> Result<Vec<Message>, Error> {
    let text = format!(
        "SELECT {COLUMNS} FROM messages m WHERE m.thread_id = $1 \
         ORDER BY m.sent_at DESC, m.id DESC LIMIT {MOST_OF_THREAD}"
    );
    let mut rows = sql.query(&text, params![thread]).await?;
    rows.reverse();
    complete(sql, rows).await
}

/// Messages by id, in the order asked for; what is gone is left out. Ask first who may see them.
pub async fn by_ids(sql: &mut impl Sql, ids: &[MessageId]) -> Result<Vec<Message>, Error> {
    let text = format!("SELECT {COLUMNS} FROM messages m WHERE m.id = $1");
    let found = sql.query_many(&text, ids.iter().map(|id| params![*id]).collect()).await?;
    complete(sql, found.into_iter().flatten().collect()).await
}

/// The newest message of a thread; `None` if it has none.
pub async fn newest(sql: &mut impl Sql, thread: ThreadId) -> Result<Option<MessageId>, Error> {
    let text = "SELECT last_message_id FROM threads WHERE id = $1";
    let row = sql.query_opt(text, params![thread]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Adds what stands in other tables: one hop per table.
async fn complete(sql: &mut impl Sql, rows: Vec<Row>) -> Result<Vec<Message>, Error> {
    let mut messages = rows.iter().map(bare).collect::<Result<Vec<_>, Error>>()?;
    let each = |messages: &[Message]| messages.iter().map(|m| params![m.id]).collect::<Vec<_>>();
    let people = sql.query_many(PEOPLE, each(&messages)).await?;
    let attachments = sql.query_many(ATTACHMENTS, each(&messages)).await?;
    let places = sql.query_many(PLACES, each(&messages)).await?;
    let bounces = sql.query_many(BOUNCES, each(&messages)).await?;
    let more = people.iter().zip(&attachments).zip(&places).zip(&bounces);
    for (message, (((people, attachments), places), bounces)) in messages.iter_mut().zip(more) {
        message.bounces =
            bounces.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, _>>()?;
        message.people = people.iter().map(participant_of).collect::<Result<_, _>>()?;
        message.attachments = attachments.iter().map(attachment_of).collect::<Result<_, _>>()?;
        message.places = places.iter().map(place_of).collect::<Result<_, _>>()?;
    }
    Ok(messages)
}

const PEOPLE: &str =
    "SELECT role, name, address FROM participants WHERE message_id = $1 ORDER BY position, role";
const ATTACHMENTS: &str = "SELECT position, name, content_type, content_id, size_bytes, inline \
     FROM attachments WHERE message_id = $1 ORDER BY position";
const PLACES: &str = "SELECT DISTINCT b.id, b.address, f.name FROM occurrences o \
     JOIN mailboxes b ON b.id = o.mailbox_id JOIN folders f ON f.id = o.folder_id \
     WHERE o.message_id = $1 AND o.gone_at IS NULL ORDER BY b.id, f.name";

const BOUNCES: &str = "SELECT id, marks FROM messages WHERE bounce_of = $1 ORDER BY id LIMIT 20";

fn bare(row: &Row) -> Result<Message, Error> {
    Ok(Message {
        id: row.get(0)?,
        thread: row.get(1)?,
        outgoing: row.get::<String>(2)? == "out",
        mid: row.get(3)?,
        in_reply_to: row.get(4)?,
        references: row.get(5)?,
        subject: row.get(6)?,
        from: Person { name: row.get(7)?, address: row.get(8)? },
        sent_at: row.get(9)?,
        received_at: row.get(10)?,
        size_bytes: row.get(11)?,
        snippet: row.get(12)?,
        has_html: row.get(13)?,
        marks: row.get(14)?,
        plan: row.get(15)?,
        auth: Verdict::of(&row.get::<String>(16)?).unwrap_or(Verdict::Unknown),
        unverified: Unverified::of(&row.get::<String>(17)?),
        bounces: Vec::new(),
        people: Vec::new(),
        attachments: Vec::new(),
        places: Vec::new(),
    })
}

fn participant_of(row: &Row) -> Result<Participant, Error> {
    Ok(Participant { role: row.get(0)?, person: Person { name: row.get(1)?, address: row.get(2)? } })
}

fn attachment_of(row: &Row) -> Result<Attachment, Error> {
    Ok(Attachment {
        index: row.get(0)?,
        name: row.get(1)?,
        content_type: row.get(2)?,
        content_id: row.get(3)?,
        size_bytes: row.get(4)?,
        inline: row.get(5)?,
    })
}

fn place_of(row: &Row) -> Result<Place, Error> {
    Ok(Place { mailbox: row.get(0)?, address: row.get(1)?, folder: row.get(2)? })
}

/// One message of one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadMessage {
    /// The thread.
    pub thread: ThreadId,
    /// The message.
    pub message: MessageId,
    /// Its Message-ID; empty if it has none.
    pub mid: String,
}

/// All messages by thread, from after (thread, message) on: a walk over the archive.
pub async fn by_thread(
    sql: &mut impl Sql,
    after: (ThreadId, MessageId),
    limit: i64,
) -> Result<Vec<ThreadMessage>, Error> {
    let rows = sql
        .query(
            "SELECT thread_id, id, mid FROM messages WHERE (thread_id, id) > ($1, $2) ORDER BY thread_id, id LIMIT $3",
            params![after.0, after.1, limit],
        )
        .await?;
    rows.iter()
        .map(|row| Ok(ThreadMessage { thread: row.get(0)?, message: row.get(1)?, mid: row.get(2)? }))
        .collect()
}

/// Whether an occurrence is one of this message.
pub async fn has_occurrence(
    sql: &mut impl Sql,
    id: MessageId,
    occurrence: OccurrenceId,
) -> Result<bool, Error> {
    let text = "SELECT 1 FROM occurrences WHERE id = $1 AND message_id = $2";
    Ok(sql.query_opt(text, params![occurrence, id]).await?.is_some())
}

/// A message in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// Its id.
    pub id: MessageId,
    /// Its thread.
    pub thread: ThreadId,
    /// Subject.
    pub subject: String,
    /// Its writer.
    pub from: Person,
    /// When the server received it.
    pub received_at: Time,
    /// Size as sent.
    pub size_bytes: i64,
    /// What the mailbox's own server says of the sender; may be empty.
    pub auth: String,
}

/// The messages that came last through mailboxes (`None`: all), newest first, as far as they may be seen.
pub async fn newest_of(
    sql: &mut impl Sql,
    mailboxes: Option<&[MailboxId]>,
    access: &Access,
    limit: i64,
) -> Result<Vec<Brief>, Error> {
    let mut found = Vec::new();
    let each: Vec<Option<MailboxId>> = match mailboxes {
        Some(mailboxes) => mailboxes.iter().map(|id| Some(*id)).collect(),
        None => vec![None],
    };
    for mailbox in each {
        let mut params = Params::new();
        let from = match mailbox {
            Some(id) => {
                params.push(Value::from(id));
                "occurrences o JOIN messages m ON m.id = o.message_id WHERE o.mailbox_id = $1"
            }
            None => "messages m WHERE m.id > 0",
        };
        let order = if mailbox.is_some() { "o.id" } else { "m.id" };
        let seen = access.condition("m.thread_id", &mut params);
        params.push(Value::from(limit));
        let text = format!(
            "SELECT m.id, m.thread_id, m.subject, m.from_name, m.from_address, m.received_at, m.size_bytes, m.auth \
             FROM {from} AND {seen} ORDER BY {order} DESC LIMIT ${}",
            params.len()
        );
        let rows = sql.query(&text, params).await?;
        found.extend(rows.iter().map(brief_of).collect::<Result<Vec<_>, _>>()?);
    }
    found.sort_by_key(|brief| std::cmp::Reverse(brief.id));
    found.dedup_by_key(|brief| brief.id);
    found.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(found)
}

fn brief_of(row: &Row) -> Result<Brief, Error> {
    Ok(Brief {
        id: row.get(0)?,
        thread: row.get(1)?,
        subject: row.get(2)?,
        from: Person { name: row.get(3)?, address: row.get(4)? },
        received_at: row.get(5)?,
        size_bytes: row.get(6)?,
        auth: row.get(7)?,
    })
}

/// How many messages a thread has.
pub async fn count(sql: &mut impl Sql, thread: ThreadId) -> Result<i64, Error> {
    let text = "SELECT COUNT(*) FROM messages WHERE thread_id = $1";
    sql.query_one(text, params![thread]).await?.get(0)
}

/// Through which mailbox and folder it came first.
pub async fn arrival(sql: &mut impl Sql, id: MessageId) -> Result<Option<(MailboxId, FolderId)>, Error> {
    let text = "SELECT mailbox_id, folder_id FROM occurrences WHERE message_id = $1 ORDER BY id LIMIT 1";
    let row = sql.query_opt(text, params![id]).await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// Writes anew why it is filed as it is (JSON steps).
pub async fn set_plan(tx: &mut Tx, id: MessageId, plan: &str) -> Result<(), Error> {
    tx.execute("UPDATE messages SET plan = $2 WHERE id = $1", params![id, plan]).await.map(drop)
}

/// Its place in the thread is to be trusted.
pub async fn verify(tx: &mut Tx, id: MessageId) -> Result<(), Error> {
    tx.execute("UPDATE messages SET unverified = '' WHERE id = $1", params![id]).await.map(drop)
}

/// A message that left its thread for one of its own takes along what it suggested, and nothing that the old one is
/// linked to.
pub async fn stand_alone(tx: &mut Tx, id: MessageId, from: ThreadId, to: ThreadId) -> Result<(), Error> {
    verify(tx, id).await?;
    tx.execute("DELETE FROM links WHERE thread_id = $1", params![to]).await?;
    tx.execute("UPDATE threads SET links = 0 WHERE id = $1", params![to]).await?;
    let text = "UPDATE suggestions SET thread_id = $3 WHERE thread_id = $2 AND message_id = $1 AND dismissed_at IS NULL";
    tx.execute(text, params![id, from, to]).await?;
    let text = "DELETE FROM stream WHERE message_id = $1 AND record_id IS NOT NULL";
    tx.execute(text, params![id]).await.map(drop)
}

/// What the newest messages of a mailbox's threads say of themselves (JSON marks), for what its server calls itself.
pub async fn marks_of_mailbox(
    sql: &mut impl Sql,
    mailbox: MailboxId,
    limit: i64,
) -> Result<Vec<String>, Error> {
    let text = "SELECT m.marks FROM thread_access a JOIN threads t ON t.id = a.thread_id JOIN messages m ON m.id = t.last_message_id \
                WHERE a.token = $1 ORDER BY a.last_at DESC, a.thread_id DESC LIMIT $2";
    let rows = sql.query(text, params![format!("m{mailbox}"), limit]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}
