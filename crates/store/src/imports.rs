//! Files of records that were uploaded: their rows, and what became of each.
//!
//! The rows are kept, not the file: a batch of an import reads just its own, and its outcomes are
//! written in the transaction that writes its records, so that a break loses and repeats nothing.

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{ImportId, RecordId, Time, UserId};

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// Who uploaded it.
    pub user: Option<UserId>,
    /// The file's name.
    pub name: String,
    /// JSON: names of the columns.
    pub columns: String,
    /// JSON: what is to become of them.
    pub plan: String,
    /// How many rows it has.
    pub total: i64,
    /// Rows before this one are done.
    pub next: i64,
    /// When it was uploaded.
    pub created_at: Time,
}

/// A row of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Its place, from 0.
    pub position: i64,
    /// JSON: its cells.
    pub cells: String,
    /// What became of it; empty until it was tried.
    pub outcome: String,
    /// Why it was refused.
    pub reason: String,
    /// The record it made or changed.
    pub record: Option<RecordId>,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its place.
    pub position: i64,
    /// A word.
    pub outcome: &'static str,
    /// Why it was refused.
    pub reason: String,
    /// The record it made or changed.
    pub record: Option<RecordId>,
}

/// Keeps a file.
pub async fn add(
    tx: &mut Tx,
    import: &Import,
    rows: impl ExactSizeIterator<Item = String>,
) -> Result<ImportId, Error> {
    let id = ImportId(counters::take(tx, "imports", 1).await?);
    let text = "INSERT INTO imports (id, user_id, name, columns, plan, total, next, created_at, updated_at) \
                VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7)";
    let Import { user, name, columns, plan, created_at, .. } = import.clone();
    tx.execute(text, params![id, user, name, columns, plan, rows.len() as i64, created_at]).await?;
    let head = "INSERT INTO import_rows (import_id, position, cells, outcome, reason) VALUES";
    let rows = rows.enumerate().map(|(at, cells)| params![id, at as i64, cells, "", ""]).collect();
    tx.insert_many(head, "", rows).await?;
    Ok(id)
}

const IMPORT: &str = "SELECT id, user_id, name, columns, plan, total, next, created_at FROM imports";

/// One file of a user's.
pub async fn import(sql: &mut impl Sql, id: ImportId, user: Option<UserId>) -> Result<Option<Import>, Error> {
    let text = format!("{IMPORT} WHERE id = $1 AND COALESCE(user_id, 0) = $2");
    let row = sql.query_opt(&text, params![id, user.map_or(0, |id| id.0)]).await?;
    row.as_ref().map(import_of).transpose()
}

/// A user's files, newest first.
pub async fn of_user(sql: &mut impl Sql, user: Option<UserId>, limit: i64) -> Result<Vec<Import>, Error> {
    let text = format!("{IMPORT} WHERE COALESCE(user_id, 0) = $1 ORDER BY id DESC LIMIT $2");
    let rows = sql.query(&text, params![user.map_or(0, |id| id.0), limit]).await?;
    rows.iter().map(import_of).collect()
}

fn import_of(row: &Row) -> Result<Import, Error> {
    Ok(Import {
        id: row.get(0)?,
        user: row.get(1)?,
        name: row.get(2)?,
        columns: row.get(3)?,
        plan: row.get(4)?,
        total: row.get(5)?,
        next: row.get(6)?,
        created_at: row.get(7)?,
    })
}

/// Forgets a file and its rows.
pub async fn remove(tx: &mut Tx, id: ImportId) -> Result<(), Error> {
    tx.execute("DELETE FROM import_rows WHERE import_id = $1", params![id]).await?;
    tx.execute("DELETE FROM imports WHERE id = $1", params![id]).await.map(drop)
}

/// Writes what is to become of its columns.
pub async fn set_plan(tx: &mut Tx, id: ImportId, plan: &str, at: Time) -> Result<(), Error> {
    let text = "UPDATE imports SET plan = $2, updated_at = $3 WHERE id = $1";
    tx.execute(text, params![id, plan, at]).await.map(drop)
}

const ROW: &str = "SELECT position, cells, outcome, reason, record_id FROM import_rows";

/// Rows from a place on.
pub async fn rows(sql: &mut impl Sql, id: ImportId, from: i64, limit: i64) -> Result<Vec<ImportRow>, Error> {
    let text = format!("{ROW} WHERE import_id = $1 AND position >= $2 ORDER BY position LIMIT $3");
    let rows = sql.query(&text, params![id, from, limit]).await?;
    rows.iter().map(row_of).collect()
}

/// Rows with this outcome.
pub async fn rows_with(
    sql: &mut impl Sql,
    id: ImportId,
    outcome: &str,
    limit: i64,
) -> Result<Vec<ImportRow>, Error> {
    let text = format!("{ROW} WHERE import_id = $1 AND outcome = $2 ORDER BY position LIMIT $3");
    let rows = sql.query(&text, params![id, outcome, limit]).await?;
    rows.iter().map(row_of).collect()
}

fn row_of(row: &Row) -> Result<ImportRow, Error> {
    Ok(ImportRow {
        position: row.get(0)?,
        cells: row.get(1)?,
        outcome: row.get(2)?,
        reason: row.get(3)?,
        record: row.get(4)?,
    })
}

/// How many rows have which outcome.
pub async fn outcomes(sql: &mut impl Sql, id: ImportId) -> Result<Vec<(String, i64)>, Error> {
    let text = "SELECT outcome, count(*) FROM import_rows WHERE import_id = $1 GROUP BY outcome";
    let rows = sql.query(text, params![id]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Writes what became of rows, and that those before `next` are done.
pub async fn done(
    tx: &mut Tx,
    id: ImportId,
    outcomes: Vec<Outcome>,
    next: i64,
    at: Time,
) -> Result<(), Error> {
    let text = "UPDATE import_rows SET outcome = $3, reason = $4, record_id = $5 \
                WHERE import_id = $1 AND position = $2";
    let each = |one: Outcome| params![id, one.position, one.outcome, one.reason, one.record];
    tx.execute_many(text, outcomes.into_iter().map(each).collect()).await?;
    let text = "UPDATE imports SET next = $2, updated_at = $3 WHERE id = $1";
    tx.execute(text, params![id, next, at]).await.map(drop)
}
