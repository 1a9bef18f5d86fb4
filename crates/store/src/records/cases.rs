//! What only cases have: numbers, status, people in charge.

use super::{MOST_RELATED, named, status_of};
use crate::changes::RecordsHeard;
use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{CaseStatus, Distribution, ProcessId, RecordId, TeamId, Time, UserId};

/// A line of a record's cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRow {
    /// The case.
    pub id: RecordId,
    /// Its number.
    pub number: i64,
    /// Its subject.
    pub subject: String,
    /// Where it stands.
    pub status: CaseStatus,
    /// Its priority's word.
    pub priority: String,
    /// Who is to act.
    pub assignee: Option<(UserId, String)>,
    /// When it was made.
    pub created_at: Time,
    /// When it was written last.
    pub updated_at: Time,
}

/// The cases of a record: those that concern it as their account, and those of threads it is linked
/// to; newest first, as far as they may be seen.
pub async fn cases_of(
    sql: &mut impl Sql,
    record: RecordId,
    heard: &RecordsHeard,
) -> Result<Vec<CaseRow>, Error> {
    let mut params = params![record];
    let seen = heard.condition("r", &mut params);
    let text = format!(
        "SELECT r.id, r.number, r.name, r.status, r.priority, r.assignee_id, u.name, r.created_at, r.updated_at \
         FROM records r LEFT JOIN users u ON u.id = r.assignee_id \
         WHERE r.kind = 'case' AND r.merged_into IS NULL AND {seen} AND r.id IN (\
           SELECT c.id FROM records c WHERE c.account_id = $1 AND c.kind = 'case' \
           UNION SELECT t.case_id FROM links l JOIN threads t ON t.id = l.thread_id \
           WHERE l.record_id = $1 AND t.case_id IS NOT NULL) \
         ORDER BY r.number DESC LIMIT {MOST_RELATED}"
    );
    let rows = sql.query(&text, params).await?;
    rows.iter().map(case_row).collect()
}

fn case_row(row: &Row) -> Result<CaseRow, Error> {
    Ok(CaseRow {
        id: row.get(0)?,
        number: row.get(1)?,
        subject: row.get(2)?,
        status: status_of(row, 3)?,
        priority: row.get(4)?,
        assignee: named(row, 5)?.map(|(id, name)| (UserId(id), name)),
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
    })
}

/// A case to be made by hand.
#[derive(Clone, Debug)]
pub struct NewCase {
    /// Its subject.
    pub subject: String,
    /// The subject as it is searched.
    pub folded: String,
    /// The account it concerns.
    pub account: Option<RecordId>,
    /// The area of work.
    pub process: Option<ProcessId>,
    /// The team in charge.
    pub team: Option<TeamId>,
    /// Who is to act.
    pub assignee: Option<UserId>,
    /// The address of who wrote first, lower case.
    pub customer: String,
    /// Its newest message.
    pub last_at: Time,
    /// When.
    pub at: Time,
}

/// Makes a case; gives its id and number.
pub async fn add_case(tx: &mut Tx, case: NewCase) -> Result<(RecordId, i64), Error> {
    let id = RecordId(counters::take(tx, "records", 1).await?);
    let number = counters::take(tx, "case_number", 1).await?;
    let text = "INSERT INTO records (id, kind, name, folded, account_id, fields, description, created_at, \
                updated_at, last_at, version, number, status, priority, process_id, team_id, assignee_id, customer) \
                VALUES ($1, 'case', $2, $3, $4, '[]', '', $5, $5, $6, 1, $7, 'open', 'normal', $8, $9, $10, $11)";
    let NewCase { subject, folded, account, process, team, assignee, customer, last_at, at } = case;
    let params =
        params![id, subject, folded, account, at, last_at, number, process, team, assignee, customer];
    tx.execute(text, params).await?;
    Ok((id, number))
}

/// What a case is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseChange {
    /// Its subject.
    pub subject: String,
    /// The subject as it is searched.
    pub folded: String,
    /// Its priority's word.
    pub priority: String,
    /// Who is to act.
    pub assignee: Option<UserId>,
    /// The team in charge.
    pub team: Option<TeamId>,
    /// The area of work.
    pub process: Option<ProcessId>,
    /// How its team shares it as soon as somebody can take it.
    pub waits_for: Distribution,
    /// Out of sight until then.
    pub snoozed_until: Option<Time>,
}

/// Writes a case over its `version`; false if somebody wrote it meanwhile. Where it stands is written by
/// [`super::set_status`].
pub async fn change_case(
    tx: &mut Tx,
    id: RecordId,
    version: i64,
    change: CaseChange,
    at: Time,
) -> Result<bool, Error> {
    let text = "UPDATE records SET name = $3, folded = $4, priority = $5, assignee_id = $6, team_id = $7, \
                process_id = $8, waits_for = $9, snoozed_until = $10, updated_at = $11, version = version + 1 \
                WHERE id = $1 AND version = $2";
    let CaseChange { subject, folded, priority, assignee, team, process, waits_for, snoozed_until } = change;
    let waits_for = crate::filing::waits_for(waits_for);
    let mut params = params![id, version, subject, folded, priority, assignee, team];
    params.extend(params![process, waits_for, snoozed_until, at]);
    Ok(tx.execute(text, params).await? == 1)
}

/// The case a case became part of: itself, unless it was merged.
pub async fn case_survivor(sql: &mut impl Sql, id: RecordId) -> Result<RecordId, Error> {
    let mut at = id;
    // A chain is as long as there were merges of merges; a circle cannot be, but must not hang.
    for _ in 0..16 {
        let text = "SELECT merged_into FROM records WHERE id = $1 AND kind = 'case'";
        match sql.query_opt(text, params![at]).await?.map_or(Ok(None), |row| row.get(0))? {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(at)
}

/// The case of this number, also one that was merged into another.
pub async fn case_by_number(sql: &mut impl Sql, number: i64) -> Result<Option<RecordId>, Error> {
    let row = sql.query_opt("SELECT id FROM records WHERE number = $1", params![number]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// The case that continues this one.
pub async fn continued_by(sql: &mut impl Sql, id: RecordId) -> Result<Option<RecordId>, Error> {
    let text = "SELECT id FROM records WHERE continues_id = $1 ORDER BY id LIMIT 1";
    sql.query_opt(text, params![id]).await?.map(|row| row.get(0)).transpose()
}

/// Cases whose snooze is over, oldest first.
pub async fn due_snoozes(sql: &mut impl Sql, now: Time, limit: usize) -> Result<Vec<RecordId>, Error> {
    let text = "SELECT id FROM records WHERE snoozed_until <= $1 ORDER BY snoozed_until, id LIMIT $2";
    sql.query(text, params![now, limit]).await?.iter().map(|row| row.get(0)).collect()
}

/// Lets a case be seen again; false if it was.
pub async fn wake(tx: &mut Tx, id: RecordId, at: Time) -> Result<bool, Error> {
    let text = "UPDATE records SET snoozed_until = NULL, updated_at = $2, version = version + 1 \
                WHERE id = $1 AND snoozed_until IS NOT NULL";
    Ok(tx.execute(text, params![id, at]).await? == 1)
}

/// Open cases that should have been answered by `now`, which nobody has noticed.
pub async fn newly_overdue(sql: &mut impl Sql, now: Time, limit: usize) -> Result<Vec<RecordId>, Error> {
    let text = "SELECT id FROM records WHERE due_at < $1 AND overdue_at IS NULL AND status = 'open' \
                AND merged_into IS NULL ORDER BY due_at, id LIMIT $2";
    sql.query(text, params![now, limit]).await?.iter().map(|row| row.get(0)).collect()
}

/// Notes that a case is overdue; false if somebody had.
pub async fn set_overdue(tx: &mut Tx, id: RecordId, at: Time) -> Result<bool, Error> {
    let text = "UPDATE records SET overdue_at = $2 WHERE id = $1 AND overdue_at IS NULL";
    Ok(tx.execute(text, params![id, at]).await? == 1)
}

/// Gives a case to somebody, or (`None`) to its team as a whole, which then shares it as `waits_for` says.
pub async fn give(
    tx: &mut Tx,
    id: RecordId,
    user: Option<UserId>,
    waits_for: Distribution,
    at: Time,
) -> Result<(), Error> {
    let text = "UPDATE records SET assignee_id = $2, waits_for = $3, updated_at = $4, version = version + 1 \
                WHERE id = $1";
    tx.execute(text, params![id, user, crate::filing::waits_for(waits_for), at]).await.map(drop)
}

/// The entries of a thread's messages in the stream of `from` stand in that of `to` from now on; who follows the one
/// follows the other.
pub async fn take_messages(
    tx: &mut Tx,
    to: RecordId,
    from: RecordId,
    thread: model::ThreadId,
) -> Result<(), Error> {
    let text =
        "UPDATE stream SET record_id = $1 WHERE record_id = $2 AND thread_id = $3 AND message_id IS NOT NULL";
    tx.execute(text, params![to, from, thread]).await?;
    let text = "INSERT INTO followers (record_id, user_id) SELECT CAST($1 AS BIGINT), user_id FROM followers \
                WHERE record_id = $2 ON CONFLICT DO NOTHING";
    tx.execute(text, params![to, from]).await.map(drop)
}

/// Whether an address (lower case) is known in a case: who wrote first, or somebody on a trusted message of its threads.
pub async fn takes_part(sql: &mut impl Sql, id: RecordId, address: &str) -> Result<bool, Error> {
    let text = "SELECT 1 FROM records r WHERE r.id = $1 AND $2 <> '' AND (r.customer = $2 OR EXISTS (\
                  SELECT 1 FROM threads t JOIN messages m ON m.thread_id = t.id \
                  JOIN participants p ON p.message_id = m.id WHERE t.case_id = r.id AND m.unverified = '' \
                  AND p.address = $2 AND p.role IN ('from', 'reply_to', 'to', 'cc')))";
    Ok(sql.query_opt(text, params![id, address]).await?.is_some())
}
