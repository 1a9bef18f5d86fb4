//! Effects outside of the database that are due, written in the commit that decided them; and the webhooks that
//! they are sent to.

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{JobId, Time};

model::words! {
    /// How far a job is.
    JobState {
        /// It waits for its time.
        Due = "due",
        /// The other side has it.
        Done = "done",
        /// It was given up.
        Failed = "failed",
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does: `webhook`.
    pub kind: String,
    /// JSON, by kind.
    pub data: String,
    /// How far it is.
    pub state: JobState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    pub next_at: Time,
    /// Why the last try failed.
    pub error: Option<String>,
    /// When it was decided.
    pub created_at: Time,
}

const JOB: &str = "SELECT id, kind, data, state, attempts, next_at, error, created_at FROM jobs";

fn job(row: &Row) -> Result<Job, Error> {
    let state: String = row.get(3)?;
    Ok(Job {
        id: row.get(0)?,
        kind: row.get(1)?,
        data: row.get(2)?,
        state: JobState::of(&state)
            .ok_or_else(|| Error::Other(format!("a job has the unknown state {state:?}")))?,
        attempts: row.get(4)?,
        next_at: row.get(5)?,
        error: row.get(6)?,
        created_at: row.get(7)?,
    })
}

/// Adds a job, due at once.
pub async fn add(tx: &mut Tx, kind: &str, data: &str, at: Time) -> Result<JobId, Error> {
    let id = JobId(counters::take(tx, "jobs", 1).await?);
    let text = "INSERT INTO jobs (id, kind, data, state, attempts, next_at, created_at) \
                VALUES ($1, $2, $3, 'due', 0, $4, $4)";
    tx.execute(text, params![id, kind, data, at]).await?;
    Ok(id)
}

/// Jobs that are due, those that wait longest first.
pub async fn due(sql: &mut impl Sql, now: Time, limit: u32) -> Result<Vec<Job>, Error> {
    let text = format!("{JOB} WHERE state = 'due' AND next_at <= $1 ORDER BY next_at, id LIMIT $2");
    sql.query(&text, params![now, limit]).await?.iter().map(job).collect()
}

/// One job.
pub async fn get(sql: &mut impl Sql, id: JobId) -> Result<Option<Job>, Error> {
    let row = sql.query_opt(&format!("{JOB} WHERE id = $1"), params![id]).await?;
    row.as_ref().map(job).transpose()
}

/// Jobs, the newest first, and how many there are.
pub async fn page(sql: &mut impl Sql, offset: u64, limit: u32) -> Result<(i64, Vec<Job>), Error> {
    let rows =
        sql.query(&format!("{JOB} ORDER BY id DESC LIMIT $1 OFFSET $2"), params![limit, offset]).await?;
    let total = sql.query_one("SELECT COUNT(*) FROM jobs", params![]).await?.get(0)?;
    Ok((total, rows.iter().map(job).collect::<Result<_, _>>()?))
}

/// Writes what became of a try.
pub async fn tried(
    tx: &mut Tx,
    id: JobId,
    state: JobState,
    error: Option<&str>,
    next_at: Time,
) -> Result<(), Error> {
    let text = "UPDATE jobs SET state = $2, error = $3, next_at = $4, attempts = attempts + 1, \
                done_at = CASE WHEN $2 = 'done' THEN CAST($4 AS BIGINT) END WHERE id = $1";
    tx.execute(text, params![id, state.word(), error.map(str::to_owned), next_at]).await.map(drop)
}

/// Tries again what was given up; whether there was such a job.
pub async fn again(tx: &mut Tx, id: JobId, now: Time) -> Result<bool, Error> {
    let text = "UPDATE jobs SET state = 'due', attempts = 0, next_at = $2 WHERE id = $1 AND state = 'failed'";
    Ok(tx.execute(text, params![id, now]).await? > 0)
}

/// Forgets jobs that were done before a moment.
pub async fn forget_done(tx: &mut Tx, before: Time) -> Result<u64, Error> {
    tx.execute("DELETE FROM jobs WHERE state = 'done' AND done_at < $1", params![before]).await
}

/// An address that rules may report to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: i64,
    /// Where.
    pub url: String,
    /// The sealed secret.
    pub secret: Vec<u8>,
    /// Whether anything is sent there.
    pub enabled: bool,
    /// Since when.
    pub created_at: Time,
}

const WEBHOOK: &str = "SELECT id, url, secret, enabled, created_at FROM webhooks";

fn webhook(row: &Row) -> Result<Webhook, Error> {
    Ok(Webhook {
        id: row.get(0)?,
        url: row.get(1)?,
        secret: row.get(2)?,
        enabled: row.get(3)?,
        created_at: row.get(4)?,
    })
}

/// All webhooks by address.
pub async fn webhooks(sql: &mut impl Sql) -> Result<Vec<Webhook>, Error> {
    sql.query(&format!("{WEBHOOK} ORDER BY url"), params![]).await?.iter().map(webhook).collect()
}

/// The webhook at an address.
pub async fn webhook_at(sql: &mut impl Sql, url: &str) -> Result<Option<Webhook>, Error> {
    let row = sql.query_opt(&format!("{WEBHOOK} WHERE url = $1"), params![url]).await?;
    row.as_ref().map(webhook).transpose()
}

/// Takes an id for a webhook, which its secret is sealed for.
pub async fn next_webhook(tx: &mut Tx) -> Result<i64, Error> {
    counters::take(tx, "webhooks", 1).await
}

/// Adds a webhook; whether its address is new.
pub async fn add_webhook(tx: &mut Tx, one: &Webhook) -> Result<bool, Error> {
    let text = "INSERT INTO webhooks (id, url, secret, enabled, created_at) VALUES ($1, $2, $3, $4, $5) \
                ON CONFLICT (url) DO NOTHING";
    let row = params![one.id, &one.url, one.secret.clone(), one.enabled, one.created_at];
    Ok(tx.execute(text, row).await? > 0)
}

/// The webhook with an id.
pub async fn webhook_by_id(sql: &mut impl Sql, id: i64) -> Result<Option<Webhook>, Error> {
    let row = sql.query_opt(&format!("{WEBHOOK} WHERE id = $1"), params![id]).await?;
    row.as_ref().map(webhook).transpose()
}

/// Switches a webhook on or off; whether there is one.
pub async fn enable_webhook(tx: &mut Tx, id: i64, enabled: bool) -> Result<bool, Error> {
    Ok(tx.execute("UPDATE webhooks SET enabled = $2 WHERE id = $1", params![id, enabled]).await? > 0)
}

/// Removes a webhook; whether there was one.
pub async fn remove_webhook(tx: &mut Tx, id: i64) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM webhooks WHERE id = $1", params![id]).await? > 0)
}
