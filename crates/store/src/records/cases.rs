//! What only cases have: numbers, status, people in charge.

use super::{MOST_RELATED, named, status_of};
use crate::changes::RecordsHeard;
use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{CaseStatus, ProcessId, RecordId, TeamId, Time, UserId};

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
                updated_at, last_at, version, number, status, priority, process_id, team_id) \
                VALUES ($1, 'case', $2, $3, $4, '[]', '', $5, $5, $6, 1, $7, 'open', 'normal', $8, $9)";
    let NewCase { subject, folded, account, process, team, last_at, at } = case;
    tx.execute(text, params![id, subject, folded, account, at, last_at, number, process, team]).await?;
    Ok((id, number))
}

/// What a case is to be.
#[derive(Clone, Debug)]
pub struct CaseChange {
    /// Its subject.
    pub subject: String,
    /// The subject as it is searched.
    pub folded: String,
    /// Where it stands.
    pub status: CaseStatus,
    /// Its priority's word.
    pub priority: String,
    /// Who is to act.
    pub assignee: Option<UserId>,
    /// When it was closed, if it is.
    pub closed_at: Option<Time>,
}

/// Writes a case over its `version`; false if somebody wrote it meanwhile.
pub async fn change_case(
    tx: &mut Tx,
    id: RecordId,
    version: i64,
    change: CaseChange,
    at: Time,
) -> Result<bool, Error> {
    let text = "UPDATE records SET name = $3, folded = $4, status = $5, priority = $6, assignee_id = $7, \
                closed_at = $8, updated_at = $9, version = version + 1 WHERE id = $1 AND version = $2";
    let CaseChange { subject, folded, status, priority, assignee, closed_at } = change;
    let params = params![id, version, subject, folded, status.word(), priority, assignee, closed_at, at];
    Ok(tx.execute(text, params).await? == 1)
}
