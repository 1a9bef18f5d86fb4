//! What is asked of the shelf before a batch of letters is decided about: for all of them at once.

use super::MidHash;
use crate::params;
use crate::sql::{Error, Row, Sql};
use model::{MessageId, RecordId, ThreadId, Time};
use std::collections::HashMap;

/// Messages that are on the shelf already, by identity.
pub async fn seen(
    sql: &mut impl Sql,
    identities: &[[u8; 32]],
) -> Result<HashMap<[u8; 32], (MessageId, ThreadId)>, Error> {
    let asked = identities.iter().map(|identity| params![*identity]).collect();
    let found = sql.query_many("SELECT id, thread_id FROM messages WHERE identity = $1", asked).await?;
    let mut out = HashMap::new();
    for (identity, rows) in identities.iter().zip(found) {
        if let Some(row) = rows.first() {
            out.insert(*identity, (row.get(0)?, row.get(1)?));
        }
    }
    Ok(out)
}

/// Threads that Message-IDs belong to.
pub async fn threads_by_ids(
    sql: &mut impl Sql,
    mids: &[MidHash],
) -> Result<HashMap<MidHash, ThreadId>, Error> {
    let asked = mids.iter().map(|mid| params![mid.to_vec()]).collect();
    let found = sql.query_many("SELECT thread_id FROM thread_ids WHERE mid = $1", asked).await?;
    let mut out = HashMap::new();
    for (mid, rows) in mids.iter().zip(found) {
        if let Some(row) = rows.first() {
            out.insert(*mid, row.get(0)?);
        }
    }
    Ok(out)
}

/// A thread as a filing changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadState {
    /// The thread.
    pub id: ThreadId,
    /// Whether it is on the shelf yet.
    pub is_new: bool,
    /// Subject of its first message.
    pub subject: String,
    /// Beginning of its newest message.
    pub snippet: String,
    /// Who wrote last from outside (or at all, where nobody did).
    pub from_name: String,
    /// That person's address.
    pub from_address: String,
    /// Whether anybody outside wrote in it.
    pub has_in: bool,
    /// Arrival of the oldest message.
    pub first_at: Time,
    /// Arrival of the newest message.
    pub last_at: Time,
    /// The message filed last.
    pub last_message: MessageId,
    /// How many messages it has.
    pub messages: i64,
    /// How many attachments they have.
    pub attachments: i64,
    /// Its case.
    pub case: Option<CaseState>,
    /// Records linked to it, the case included.
    pub records: Vec<RecordId>,
}

/// A thread's case as a filing sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseState {
    /// The record.
    pub id: RecordId,
    /// Its number.
    pub number: i64,
    /// Its status' word.
    pub status: String,
    /// Its assignee.
    pub assignee: Option<i64>,
}

/// The present state of threads.
pub async fn thread_states(sql: &mut impl Sql, ids: &[ThreadId]) -> Result<Vec<ThreadState>, Error> {
    let asked = || ids.iter().map(|id| params![*id]).collect::<Vec<_>>();
    let threads = sql
        .query_many(
            "SELECT t.id, t.subject, t.snippet, t.from_name, t.from_address, t.first_at, t.last_at, t.last_message_id, t.messages, t.attachments,
                    r.id, r.number, r.status, r.assignee_id,
                    EXISTS (SELECT 1 FROM messages m WHERE m.thread_id = t.id AND m.direction = 'in')
             FROM threads t LEFT JOIN records r ON r.id = t.case_id WHERE t.id = $1",
            asked(),
        )
        .await?;
    let links =
        sql.query_many("SELECT record_id FROM links WHERE thread_id = $1 ORDER BY id", asked()).await?;
    threads
        .iter()
        .zip(links)
        .filter_map(|(rows, links)| rows.first().map(|row| thread_state(row, &links)))
        .collect()
}

fn thread_state(row: &Row, links: &[Row]) -> Result<ThreadState, Error> {
    let case = match row.get::<Option<i64>>(10)? {
        None => None,
        Some(id) => Some(CaseState {
            id: RecordId(id),
            number: row.get(11)?,
            status: row.get(12)?,
            assignee: row.get(13)?,
        }),
    };
    Ok(ThreadState {
        id: row.get(0)?,
        is_new: false,
        subject: row.get(1)?,
        snippet: row.get(2)?,
        from_name: row.get(3)?,
        from_address: row.get(4)?,
        has_in: row.get(14)?,
        first_at: Time(row.get(5)?),
        last_at: Time(row.get(6)?),
        last_message: row.get(7)?,
        messages: row.get(8)?,
        attachments: row.get(9)?,
        case,
        records: links.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?,
    })
}

/// A record that an address or a domain belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The record.
    pub record: RecordId,
    /// Its name.
    pub name: String,
    /// Its account, if it has one.
    pub account: Option<RecordId>,
}

/// Records by address (lower case).
pub async fn by_addresses(
    sql: &mut impl Sql,
    addresses: &[String],
) -> Result<HashMap<String, Vec<Match>>, Error> {
    let text =
        "SELECT r.id, r.name, r.account_id FROM record_addresses a JOIN records r ON r.id = a.record_id
                WHERE a.address = $1 AND r.merged_into IS NULL ORDER BY r.id LIMIT 10";
    matches(sql, text, addresses).await
}

/// Accounts by domain (lower case).
pub async fn by_domains(
    sql: &mut impl Sql,
    domains: &[String],
) -> Result<HashMap<String, Vec<Match>>, Error> {
    let text = "SELECT r.id, r.name, r.account_id FROM record_domains d JOIN records r ON r.id = d.record_id
                WHERE d.domain = $1 AND r.merged_into IS NULL ORDER BY r.id LIMIT 10";
    matches(sql, text, domains).await
}

async fn matches(
    sql: &mut impl Sql,
    text: &str,
    keys: &[String],
) -> Result<HashMap<String, Vec<Match>>, Error> {
    let found = sql.query_many(text, keys.iter().map(|key| params![key]).collect()).await?;
    let mut out = HashMap::new();
    for (key, rows) in keys.iter().zip(found) {
        if rows.is_empty() {
            continue;
        }
        let one = |row: &Row| Ok(Match { record: row.get(0)?, name: row.get(1)?, account: row.get(2)? });
        out.insert(key.clone(), rows.iter().map(one).collect::<Result<_, Error>>()?);
    }
    Ok(out)
}

/// Users by one of their addresses (lower case).
pub async fn users_by_addresses(
    sql: &mut impl Sql,
    addresses: &[String],
) -> Result<HashMap<String, Vec<i64>>, Error> {
    let asked = addresses.iter().map(|address| params![address]).collect();
    let found = sql.query_many("SELECT user_id FROM user_addresses WHERE address = $1", asked).await?;
    let mut out = HashMap::new();
    for (address, rows) in addresses.iter().zip(found) {
        if !rows.is_empty() {
            out.insert(address.clone(), rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?);
        }
    }
    Ok(out)
}

/// Addresses of all mailboxes, lower case: what is "ours".
pub async fn our_addresses(sql: &mut impl Sql) -> Result<Vec<String>, Error> {
    let rows = sql.query("SELECT DISTINCT address FROM mailboxes", params![]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}
