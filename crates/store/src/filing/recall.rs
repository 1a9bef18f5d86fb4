//! What is asked of the shelf before a batch of letters is decided about: for all of them at once.

use super::MidHash;
use crate::params;
use crate::sql::{Error, Row, Sql};
use model::{MessageId, RecordId, RecordKind, ThreadId, Time, Unverified};
use std::collections::{HashMap, HashSet};

/// Where a message lies that is on the shelf already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelved {
    /// The message.
    pub message: MessageId,
    /// Its thread.
    pub thread: ThreadId,
    /// Why its place there is not to be trusted.
    pub unverified: Option<Unverified>,
    /// When its first copy arrived.
    pub received_at: Time,
}

fn shelved(row: &Row) -> Result<Shelved, Error> {
    let unverified = Unverified::of(&row.get::<String>(2)?);
    Ok(Shelved { message: row.get(0)?, thread: row.get(1)?, unverified, received_at: row.get(3)? })
}

/// Messages that are on the shelf already, by identity.
pub async fn seen(sql: &mut impl Sql, identities: &[[u8; 32]]) -> Result<HashMap<[u8; 32], Shelved>, Error> {
    let asked = identities.iter().map(|identity| params![*identity]).collect();
    let text = "SELECT id, thread_id, unverified, received_at FROM messages WHERE identity = $1";
    let found = sql.query_many(text, asked).await?;
    let mut out = HashMap::new();
    for (identity, rows) in identities.iter().zip(found) {
        if let Some(row) = rows.first() {
            out.insert(*identity, shelved(row)?);
        }
    }
    Ok(out)
}

/// Messages of ours with one of these Message-IDs: what a bounce may speak of. Others can bear any id.
pub async fn sent_by_ids(sql: &mut impl Sql, mids: &[&str]) -> Result<HashMap<String, Shelved>, Error> {
    let asked = mids.iter().map(|mid| params![*mid]).collect();
    let text = "SELECT id, thread_id, unverified, received_at FROM messages WHERE mid = $1 AND direction = 'out' ORDER BY id LIMIT 1";
    let found = sql.query_many(text, asked).await?;
    let mut out = HashMap::new();
    for (mid, rows) in mids.iter().zip(found) {
        if let Some(row) = rows.first() {
            out.insert((*mid).to_owned(), shelved(row)?);
        }
    }
    Ok(out)
}

/// What threads these ids (of our own making) are now: merged ones are what they became, ids of none are left out.
pub async fn survivors(sql: &mut impl Sql, ids: &[ThreadId]) -> Result<HashMap<ThreadId, ThreadId>, Error> {
    let asked = ids.iter().map(|id| params![*id]).collect();
    let found = sql.query_many("SELECT COALESCE(merged_into, id) FROM threads WHERE id = $1", asked).await?;
    let mut out = HashMap::new();
    for (id, rows) in ids.iter().zip(found) {
        if let Some(row) = rows.first() {
            out.insert(*id, row.get(0)?);
        }
    }
    Ok(out)
}

/// Addresses (lower case) that took part in threads: in From, Reply-To, To or Cc of messages whose place there is
/// trusted, and that are no bounces; at most [`MOST_PEOPLE`] of each.
pub async fn people(
    sql: &mut impl Sql,
    threads: &[ThreadId],
) -> Result<HashMap<ThreadId, HashSet<String>>, Error> {
    let text = format!(
        "SELECT DISTINCT p.address FROM messages m JOIN participants p ON p.message_id = m.id
         WHERE m.thread_id = $1 AND m.unverified = '' AND m.bounce_of IS NULL AND p.role IN ('from', 'reply_to', 'to', 'cc') LIMIT {MOST_PEOPLE}"
    );
    let found = sql.query_many(&text, threads.iter().map(|id| params![*id]).collect()).await?;
    let all = |rows: &Vec<Row>| rows.iter().map(|row| row.get(0)).collect::<Result<HashSet<String>, Error>>();
    threads.iter().zip(&found).map(|(id, rows)| Ok((*id, all(rows)?))).collect()
}

/// Addresses of a thread that are looked at. Who wrote to more is a list.
const MOST_PEOPLE: usize = 2000;

/// Which of these threads the bearers of a token see.
pub async fn seen_by(
    sql: &mut impl Sql,
    token: &str,
    threads: &[ThreadId],
) -> Result<HashSet<ThreadId>, Error> {
    let asked = threads.iter().map(|id| params![token, *id]).collect();
    let text = "SELECT 1 FROM thread_access WHERE token = $1 AND thread_id = $2";
    let found = sql.query_many(text, asked).await?;
    Ok(threads.iter().zip(found).filter(|(_, rows)| !rows.is_empty()).map(|(id, _)| *id).collect())
}

/// Of these threads those that the bearers of a token see another one instead of, which was parted from it.
pub async fn parted(
    sql: &mut impl Sql,
    token: &str,
    threads: &[ThreadId],
) -> Result<HashMap<ThreadId, ThreadId>, Error> {
    let asked = threads.iter().map(|id| params![token, *id]).collect();
    let text = "SELECT t.id FROM threads t JOIN thread_access a ON a.thread_id = t.id AND a.token = $1
                WHERE t.parted_from = $2 AND t.merged_into IS NULL
                  AND NOT EXISTS (SELECT 1 FROM thread_access b WHERE b.thread_id = $2 AND b.token = $1) ORDER BY t.id LIMIT 1";
    let found = sql.query_many(text, asked).await?;
    let mut out = HashMap::new();
    for (id, rows) in threads.iter().zip(found) {
        if let Some(row) = rows.first() {
            out.insert(*id, row.get(0)?);
        }
    }
    Ok(out)
}

/// What records are called; a case by number and name.
pub async fn record_names(sql: &mut impl Sql, ids: &[RecordId]) -> Result<HashMap<RecordId, String>, Error> {
    let asked = ids.iter().map(|id| params![*id]).collect();
    let found = sql.query_many("SELECT number, name FROM records WHERE id = $1", asked).await?;
    let mut out = HashMap::new();
    for (id, rows) in ids.iter().zip(found) {
        if let Some(row) = rows.first() {
            out.insert(*id, named(row.get(0)?, row.get(1)?));
        }
    }
    Ok(out)
}

/// Cases by number, with number and name.
pub async fn cases_by_numbers(
    sql: &mut impl Sql,
    numbers: &[i64],
) -> Result<HashMap<i64, (RecordId, String)>, Error> {
    let asked = numbers.iter().map(|number| params![*number]).collect();
    let text = "SELECT COALESCE(merged_into, id), name FROM records WHERE number = $1 AND kind = 'case'";
    let found = sql.query_many(text, asked).await?;
    let mut out = HashMap::new();
    for (number, rows) in numbers.iter().zip(found) {
        if let Some(row) = rows.first() {
            out.insert(*number, (row.get(0)?, named(Some(*number), row.get(1)?)));
        }
    }
    Ok(out)
}

fn named(number: Option<i64>, name: String) -> String {
    match number {
        Some(number) => format!("#{number} {name}"),
        None => name,
    }
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
    /// Whether one of us did.
    pub has_out: bool,
    /// The thread that a person took it out of, or that it was kept from.
    pub parted_from: Option<ThreadId>,
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
    /// Who is in charge of it by itself, where it has no case.
    pub holder: Option<i64>,
    /// The team in charge of it, or of its case.
    pub team: Option<i64>,
    /// Records linked to it, the case included.
    pub records: Vec<RecordId>,
    /// Records that somebody said it does not belong to.
    pub dismissed: Vec<RecordId>,
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
    /// Whether it is out of sight until later.
    pub snoozed: bool,
    /// When it was closed.
    pub closed_at: Option<Time>,
    /// Whether an answer to its customer is due.
    pub due: bool,
}

/// The present state of threads.
pub async fn thread_states(sql: &mut impl Sql, ids: &[ThreadId]) -> Result<Vec<ThreadState>, Error> {
    let asked = || ids.iter().map(|id| params![*id]).collect::<Vec<_>>();
    let threads = sql
        .query_many(
            "SELECT t.id, t.subject, t.snippet, t.from_name, t.from_address, t.first_at, t.last_at, t.last_message_id, t.messages, t.attachments,
                    r.id, r.number, r.status, r.assignee_id,
                    EXISTS (SELECT 1 FROM messages m WHERE m.thread_id = t.id AND m.direction = 'in'),
                    EXISTS (SELECT 1 FROM messages m WHERE m.thread_id = t.id AND m.direction = 'out'), t.parted_from,
                    r.snoozed_until, r.closed_at, r.due_at, CASE WHEN t.case_id IS NULL THEN t.assignee_id END,
                    COALESCE(r.team_id, t.team_id)
             FROM threads t LEFT JOIN records r ON r.id = t.case_id WHERE t.id = $1",
            asked(),
        )
        .await?;
    let links =
        sql.query_many("SELECT record_id FROM links WHERE thread_id = $1 ORDER BY id", asked()).await?;
    let text = "SELECT record_id FROM suggestions WHERE thread_id = $1 AND dismissed_at IS NOT NULL";
    let dismissed = sql.query_many(text, asked()).await?;
    threads
        .iter()
        .zip(links.iter().zip(&dismissed))
        .filter_map(|(rows, (links, dismissed))| rows.first().map(|row| thread_state(row, links, dismissed)))
        .collect()
}

fn thread_state(row: &Row, links: &[Row], dismissed: &[Row]) -> Result<ThreadState, Error> {
    let case = match row.get::<Option<i64>>(10)? {
        None => None,
        Some(id) => Some(CaseState {
            id: RecordId(id),
            number: row.get(11)?,
            status: row.get(12)?,
            assignee: row.get(13)?,
            snoozed: row.get::<Option<i64>>(17)?.is_some(),
            closed_at: row.get(18)?,
            due: row.get::<Option<i64>>(19)?.is_some(),
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
        has_out: row.get(15)?,
        parted_from: row.get(16)?,
        first_at: Time(row.get(5)?),
        last_at: Time(row.get(6)?),
        last_message: row.get(7)?,
        messages: row.get(8)?,
        attachments: row.get(9)?,
        case,
        holder: row.get(20)?,
        team: row.get(21)?,
        records: links.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?,
        dismissed: dismissed.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?,
    })
}

/// A record that an address or a domain belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The record.
    pub record: RecordId,
    /// What it is.
    pub kind: RecordKind,
    /// Its name.
    pub name: String,
    /// Its accounts, the first one first.
    pub accounts: Vec<RecordId>,
}

/// Records by address (lower case). A converted lead is the contact it became.
pub async fn by_addresses(
    sql: &mut impl Sql,
    addresses: &[String],
) -> Result<HashMap<String, Vec<Match>>, Error> {
    let text = "SELECT DISTINCT r.id, r.kind, r.name, r.account_id FROM record_addresses a
                JOIN records o ON o.id = a.record_id JOIN records r ON r.id = COALESCE(o.converted_into, o.id)
                WHERE a.address = $1 AND o.merged_into IS NULL AND r.merged_into IS NULL ORDER BY r.id LIMIT 10";
    let mut found = matches(sql, text, addresses).await?;
    further_accounts(sql, &mut found).await?;
    Ok(found)
}

/// Accounts by domain (lower case).
pub async fn by_domains(
    sql: &mut impl Sql,
    domains: &[String],
) -> Result<HashMap<String, Vec<Match>>, Error> {
    let text =
        "SELECT r.id, r.kind, r.name, r.account_id FROM record_domains d JOIN records r ON r.id = d.record_id
                WHERE d.domain = $1 AND r.merged_into IS NULL ORDER BY r.id LIMIT 10";
    matches(sql, text, domains).await
}

/// Records of a kind that this program does not know are left out.
async fn matches(
    sql: &mut impl Sql,
    text: &str,
    keys: &[String],
) -> Result<HashMap<String, Vec<Match>>, Error> {
    let found = sql.query_many(text, keys.iter().map(|key| params![key]).collect()).await?;
    let mut out = HashMap::new();
    for (key, rows) in keys.iter().zip(found) {
        let all: Vec<Match> =
            rows.iter().filter_map(|row| match_of(row).transpose()).collect::<Result<_, _>>()?;
        if !all.is_empty() {
            out.insert(key.clone(), all);
        }
    }
    Ok(out)
}

fn match_of(row: &Row) -> Result<Option<Match>, Error> {
    let Some(kind) = RecordKind::of(&row.get::<String>(1)?) else { return Ok(None) };
    let accounts = row.get::<Option<RecordId>>(3)?.into_iter().collect();
    Ok(Some(Match { record: row.get(0)?, kind, name: row.get(2)?, accounts }))
}

async fn further_accounts(sql: &mut impl Sql, found: &mut HashMap<String, Vec<Match>>) -> Result<(), Error> {
    let mut all: Vec<&mut Match> = found.values_mut().flatten().collect();
    let text = "SELECT account_id FROM record_accounts WHERE record_id = $1 ORDER BY account_id";
    let more = sql.query_many(text, all.iter().map(|one| params![one.record]).collect()).await?;
    for (one, rows) in all.iter_mut().zip(more) {
        for row in &rows {
            let account = row.get(0)?;
            if !one.accounts.contains(&account) {
                one.accounts.push(account);
            }
        }
    }
    Ok(())
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
