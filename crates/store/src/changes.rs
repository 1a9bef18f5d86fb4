//! The feed of what happened: one row for every write that a person could notice.
//!
//! Ids are in the order of commit: taking one holds the counter's row until the transaction ends, so
//! whoever has read up to id n has missed nothing below n. The rows name things and say nothing about
//! them; who follows the feed asks for what they need by the ordinary routes.

use crate::counters;
use crate::params;
use crate::people::Access;
use crate::sql::{Error, Params, Row, Sql, Tx, Value};
use model::{ChangeId, TeamId, ThreadId, Time, UserId};

model::words! {
    /// What a change is about.
    ChangeKind {
        /// A thread: read marks, notes, links, messages.
        Thread = "thread",
        /// An account, contact, lead or opportunity.
        Record = "record",
        /// A case.
        Case = "case",
        /// A mailbox: its settings or its state.
        Mailbox = "mailbox",
        /// A message.
        Message = "message",
        /// A user, role, team or process.
        User = "user",
        /// Something somebody is told.
        Notification = "notification",
        /// A setting of the whole system.
        System = "system",
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub kind: ChangeKind,
    /// The id of that, of its kind.
    pub entity_id: i64,
    /// The thread it concerns: whoever may not see it does not hear of the change.
    pub thread: Option<ThreadId>,
    /// What was done, as a word: `added`, `changed`, `removed`, `filed` …
    pub action: &'static str,
}

/// A row of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its place in the feed.
    pub id: ChangeId,
    /// What it is about.
    pub kind: ChangeKind,
    /// The id of that, of its kind.
    pub entity_id: i64,
    /// The thread it concerns, if the listener may see it.
    pub thread: Option<ThreadId>,
    /// What was done, as a word.
    pub action: String,
    /// When.
    pub at: Time,
}

/// Who listens to the feed.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The threads they may see.
    pub mail: Access,
    /// The records they may hear of.
    pub records: RecordsHeard,
    /// The mailboxes they may hear of.
    pub mailboxes: MailboxesHeard,
    /// Whose notifications they hear of.
    pub user: Option<UserId>,
}

/// The mailboxes somebody may hear of.
#[derive(Clone, Debug)]
pub enum MailboxesHeard {
    /// None.
    None,
    /// Those the user owns or keeps.
    Of(UserId),
    /// All, and the system's settings.
    All,
}

/// The records somebody may hear of.
#[derive(Clone, Debug)]
pub enum RecordsHeard {
    /// None.
    None,
    /// Those assigned to the user, followed by them, or of one of these teams.
    Of(UserId, Vec<TeamId>),
    /// All but the cases of which no mail may be seen, unless they are of that kind too: what a case is called is
    /// the subject of a mail.
    AllBut(UserId, Vec<TeamId>, Access),
    /// All.
    All,
}

/// Adds a row and lets the listeners know once the transaction is committed.
pub async fn add(tx: &mut Tx, change: Change, at: Time) -> Result<ChangeId, Error> {
    add_many(tx, vec![change], at).await
}

/// Adds several rows; gives the last id.
pub async fn add_many(tx: &mut Tx, changes: Vec<Change>, at: Time) -> Result<ChangeId, Error> {
    let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
    let first = counters::take(tx, "changes", count).await?;
    let rows = (first..).zip(changes).map(|(id, change)| {
        let Change { kind, entity_id, thread, action } = change;
        params![id, kind.word(), entity_id, thread, action, at]
    });
    let head = "INSERT INTO changes (id, kind, entity_id, thread_id, action, at) VALUES";
    tx.insert_many(head, "", rows.collect()).await?;
    tx.notify();
    Ok(ChangeId(first + count - 1))
}

/// The newest id of the feed; 0 if nothing ever happened.
pub async fn last(sql: &mut impl Sql) -> Result<ChangeId, Error> {
    sql.query_one("SELECT COALESCE(MAX(id), 0) FROM changes", params![]).await?.get(0)
}

/// Up to `limit` rows after `after` that the listener may hear of, and up to where the feed was
/// looked through (which is further than the last row where the rest is not for them).
pub async fn after(
    sql: &mut impl Sql,
    listener: &Listener,
    after: ChangeId,
    limit: usize,
) -> Result<(Vec<ChangeRow>, ChangeId), Error> {
    // The end is read first: what comes in between is found the next time.
    let end = last(sql).await?;
    let mut params = params![after, end];
    let condition = heard(listener, &mut params);
    let thread = listener.mail.condition("c.thread_id", &mut params);
    params.push(Value::from(limit));
    let text = format!(
        "SELECT c.id, c.kind, c.entity_id, CASE WHEN {thread} THEN c.thread_id END, c.action, c.at FROM changes c \
         WHERE c.id > $1 AND c.id <= $2 AND ({condition}) ORDER BY c.id LIMIT ${}",
        params.len()
    );
    let rows = sql.query(&text, params).await?;
    let rows = rows.iter().filter_map(|row| change_of(row).transpose()).collect::<Result<Vec<_>, _>>()?;
    let looked = match rows.last() {
        Some(row) if rows.len() == limit => row.id,
        _ => end.max(after),
    };
    Ok((rows, looked))
}

fn change_of(row: &Row) -> Result<Option<ChangeRow>, Error> {
    let Some(kind) = ChangeKind::of(&row.get::<String>(1)?) else {
        return Ok(None);
    };
    Ok(Some(ChangeRow {
        id: row.get(0)?,
        kind,
        entity_id: row.get(2)?,
        thread: row.get(3)?,
        action: row.get(4)?,
        at: row.get(5)?,
    }))
}

/// What a listener may hear of, as a condition on `changes c`.
fn heard(listener: &Listener, params: &mut Params) -> String {
    let mut kinds = vec!["c.kind = 'user'".to_owned()];
    match listener.mailboxes {
        MailboxesHeard::None => {}
        MailboxesHeard::All => kinds.push("c.kind IN ('mailbox', 'system')".to_owned()),
        MailboxesHeard::Of(user) => {
            params.push(Value::from(user));
            let me = params.len();
            kinds.push(format!(
                "(c.kind = 'mailbox' AND EXISTS (SELECT 1 FROM mailboxes m \
                 WHERE m.id = c.entity_id AND (m.owner_id = ${me} OR m.keeper_id = ${me})))"
            ));
        }
    }
    if let Some(user) = listener.user {
        params.push(Value::from(user));
        kinds.push(format!(
            "(c.kind = 'notification' AND EXISTS (SELECT 1 FROM notifications n \
             WHERE n.id = c.entity_id AND n.user_id = ${}))",
            params.len()
        ));
    }
    kinds.extend(folders_heard(&listener.mail, params));
    if !listener.mail.is_none() {
        let thread = listener.mail.condition("c.thread_id", params);
        kinds.push(format!("(c.kind IN ('thread', 'message') AND c.thread_id IS NOT NULL AND {thread})"));
    }
    match &listener.records {
        RecordsHeard::None => {}
        RecordsHeard::All => kinds.push("c.kind IN ('record', 'case')".to_owned()),
        some => {
            let seen = some.condition("r", params);
            kinds.push(format!(
                "(c.kind IN ('record', 'case') AND EXISTS (SELECT 1 FROM records r WHERE r.id = c.entity_id AND {seen}))"
            ));
        }
    }
    kinds.join(" OR ")
}

/// Of a mailbox whose mail somebody sees they hear when its folders changed.
fn folders_heard(mail: &Access, params: &mut Params) -> Option<String> {
    let changed = "c.kind = 'mailbox' AND c.action = 'folders'";
    let Some(tokens) = mail.tokens() else { return Some(format!("({changed})")) };
    let ids = tokens.iter().filter_map(|token| token.strip_prefix('m')?.parse::<i64>().ok());
    let marks: Vec<String> = ids
        .map(|id| {
            params.push(Value::from(id));
            format!("${}", params.len())
        })
        .collect();
    (!marks.is_empty()).then(|| format!("({changed} AND c.entity_id IN ({}))", marks.join(",")))
}
