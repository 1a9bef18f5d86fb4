//! Records out of files: CSV and vCard, looked at first, then imported row by row.
//!
//! An upload is taken apart into rows, which are kept. A *preview* imports the first rows in a
//! transaction that is thrown away: what it shows is what will happen, because it is the same code. An
//! import goes on by batches, each asked for by the interface and each one transaction with its
//! outcomes: nothing runs in the background, a break anywhere loses and repeats nothing, and whoever
//! closed the page goes on where they were.
//!
//! Decided against a job that runs by itself (somebody has to look at what was refused anyway), and
//! against one transaction for a whole file (it would keep filing waiting for minutes).

mod columns;
mod plan;
mod row;
mod table;
mod vcard;

pub use plan::{Column, Existing, Plan, Target};

use super::difference::FieldChange;
use crate::may::{Actor, Verb};
use crate::message::apart;
use crate::{Desk, Refusal};
use model::{ImportId, RecordId, RecordKind, Time};
use row::{Done, import_row};
use std::collections::BTreeMap;
use store::imports::{self, Import, ImportRow, Outcome};
use store::sql::{Sql, Tx};

/// The largest file, in bytes.
pub const LARGEST_FILE: usize = 20 << 20;
/// Rows of one file.
pub const MOST_ROWS: usize = 20_000;
/// Columns of one file.
pub const MOST_COLUMNS: usize = 200;
/// Rows that a preview shows.
pub const PREVIEWED: i64 = 50;
/// Rows of a batch: filing waits for it.
const BATCH: i64 = 50;
/// Files of one user that are kept; the oldest goes.
const MOST_IMPORTS: i64 = 10;

/// A file as far as it was imported.
#[derive(Clone, Debug)]
pub struct State {
    /// Its id.
    pub id: ImportId,
    /// The file's name.
    pub name: String,
    /// When it was uploaded.
    pub created_at: Time,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// What becomes of them.
    pub plan: Plan,
    /// How many rows it has.
    pub total: i64,
    /// Rows that are done.
    pub done: i64,
    /// Rows by what became of them.
    pub outcomes: BTreeMap<String, i64>,
}

/// A row, and what would become of it or has.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its place, from 0.
    pub position: i64,
    /// Its cells.
    pub cells: Vec<String>,
    /// `created`, `changed`, `same`, `left`, `refused`.
    pub outcome: String,
    /// The record it makes or changes; of a preview of a new one its name alone.
    pub record: Option<(Option<RecordId>, String)>,
    /// Why it was refused: a code of a field or a refusal, and a sentence.
    pub reason: Option<(String, String)>,
    /// What would be different.
    pub changes: Vec<FieldChange>,
}

/// Keeps a file's rows, with columns guessed from their names.
pub async fn upload(
    desk: &Desk,
    actor: &Actor,
    kind: RecordKind,
    name: &str,
    bytes: Vec<u8>,
) -> Result<State, Refusal> {
    actor.may(Verb::CreateRecord)?;
    if kind == RecordKind::Case {
        return Err(Refusal::invalid("kind", "bad_value", "Cases are made of mail."));
    }
    let table = apart(move || table::read(&bytes)).await??;
    let plan = Plan::guess(kind, &table.columns);
    let import = Import {
        id: ImportId(0),
        user: actor.user,
        name: name.chars().take(200).collect(),
        columns: json(&table.columns)?,
        plan: json(&plan)?,
        total: table.rows.len() as i64,
        next: 0,
        created_at: desk.clock.now(),
    };
    let rows = table.rows.iter().map(json).collect::<Result<Vec<_>, _>>()?;
    let mut tx = desk.db.begin().await?;
    for old in
        imports::of_user(&mut tx, actor.user, MOST_IMPORTS).await?.iter().skip(MOST_IMPORTS as usize - 1)
    {
        imports::remove(&mut tx, old.id).await?;
    }
    let id = imports::add(&mut tx, &import, rows.into_iter()).await?;
    let state = state(&mut tx, actor, id).await?;
    tx.commit().await?;
    Ok(state)
}

fn json(value: &impl serde::Serialize) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(|error| Refusal::Failed(error.into()))
}

/// The actor's files, newest first.
pub async fn list(desk: &Desk, actor: &Actor) -> Result<Vec<State>, Refusal> {
    actor.may(Verb::CreateRecord)?;
    let mut sql = desk.db.snapshot().await?;
    let mut out = Vec::new();
    for import in imports::of_user(&mut sql, actor.user, MOST_IMPORTS).await? {
        out.push(state(&mut sql, actor, import.id).await?);
    }
    Ok(out)
}

/// One of them.
pub async fn open(desk: &Desk, actor: &Actor, id: ImportId) -> Result<State, Refusal> {
    actor.may(Verb::CreateRecord)?;
    state(&mut desk.db.snapshot().await?, actor, id).await
}

/// Forgets a file. What was imported of it stays.
pub async fn remove(desk: &Desk, actor: &Actor, id: ImportId) -> Result<(), Refusal> {
    actor.may(Verb::CreateRecord)?;
    let mut tx = desk.db.begin().await?;
    mine(&mut tx, actor, id).await?;
    imports::remove(&mut tx, id).await?;
    Ok(tx.commit().await?)
}

async fn mine(sql: &mut impl Sql, actor: &Actor, id: ImportId) -> Result<Import, Refusal> {
    imports::import(sql, id, actor.user).await?.ok_or(Refusal::NotFound)
}

async fn state(sql: &mut impl Sql, actor: &Actor, id: ImportId) -> Result<State, Refusal> {
    let import = mine(sql, actor, id).await?;
    let outcomes = imports::outcomes(sql, id).await?;
    Ok(State {
        id,
        columns: read(&import.columns)?,
        plan: read(&import.plan)?,
        name: import.name,
        created_at: import.created_at,
        total: import.total,
        done: import.next,
        outcomes: outcomes.into_iter().filter(|(outcome, _)| !outcome.is_empty()).collect(),
    })
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| Refusal::Failed(error.into()))
}

/// What an import by this plan would do with the first rows that are not done. The plan is kept; once
/// the first batch is in, it stays as it is.
pub async fn preview(
    desk: &Desk,
    actor: &Actor,
    id: ImportId,
    plan: Option<Plan>,
) -> Result<(State, Vec<Row>), Refusal> {
    actor.may(Verb::CreateRecord)?;
    let now = desk.clock.now();
    let mut tx = desk.db.begin().await?;
    let import = mine(&mut tx, actor, id).await?;
    if let Some(plan) = plan {
        let columns: Vec<String> = read(&import.columns)?;
        plan.check(columns.len())?;
        if import.next == 0 {
            imports::set_plan(&mut tx, id, &json(&plan)?, now).await?;
        }
    }
    let state = state(&mut tx, actor, id).await?;
    tx.commit().await?;

    let mut tx = desk.begin_filing().await?;
    let rows = imports::rows(&mut tx, id, state.done, PREVIEWED).await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let cells: Vec<String> = read(&row.cells)?;
        let done = import_row(&mut tx, actor, &state.plan, &cells, now).await?;
        out.push(previewed(row.position, cells, done));
    }
    // Thrown away: nothing of it was.
    drop(tx);
    Ok((state, out))
}

fn previewed(position: i64, cells: Vec<String>, done: Done) -> Row {
    let id = done.record.as_ref().map(|(id, _)| *id).filter(|_| done.outcome != "created");
    Row {
        position,
        cells,
        outcome: done.outcome.to_owned(),
        record: done.record.map(|(_, name)| (id, name)),
        reason: done.reason,
        changes: done.changes,
    }
}

/// Imports the next batch; whoever calls again until all rows are done has imported the file. Two who
/// call at once share the work.
pub async fn go_on(desk: &Desk, actor: &Actor, id: ImportId) -> Result<State, Refusal> {
    actor.may(Verb::CreateRecord)?;
    if let Err(refusal) = batch(desk, actor, id, BATCH).await {
        // A fault of one row must not stop the others; alone it is found, and put aside.
        let Refusal::Failed(error) = refusal else { return Err(refusal) };
        if error.downcast_ref::<store::sql::Error>().is_some_and(store::sql::Error::is_retryable) {
            return Err(Refusal::Failed(error));
        }
        tracing::warn!(import = id.0, %error, "a batch of an import failed; its rows are tried one by one");
        one_by_one(desk, actor, id).await?;
    }
    open(desk, actor, id).await
}

async fn one_by_one(desk: &Desk, actor: &Actor, id: ImportId) -> Result<(), Refusal> {
    for _ in 0..BATCH {
        let Err(refusal) = batch(desk, actor, id, 1).await else { continue };
        let Refusal::Failed(error) = refusal else { return Err(refusal) };
        let mut tx = desk.begin_filing().await?;
        let import = mine(&mut tx, actor, id).await?;
        let reason = json(&("failed", error.to_string()))?;
        let outcome = Outcome { position: import.next, outcome: "refused", reason, record: None };
        imports::done(&mut tx, id, vec![outcome], import.next + 1, desk.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn batch(desk: &Desk, actor: &Actor, id: ImportId, most: i64) -> Result<(), Refusal> {
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let import = mine(&mut tx, actor, id).await?;
    let plan: Plan = read(&import.plan)?;
    let rows = imports::rows(&mut tx, id, import.next, most).await?;
    let next = import.next + rows.len() as i64;
    let outcomes = outcomes(&mut tx, actor, &plan, rows, now).await?;
    imports::done(&mut tx, id, outcomes, next, now).await?;
    Ok(tx.commit().await?)
}

async fn outcomes(
    tx: &mut Tx,
    actor: &Actor,
    plan: &Plan,
    rows: Vec<ImportRow>,
    now: Time,
) -> Result<Vec<Outcome>, Refusal> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let cells: Vec<String> = read(&row.cells)?;
        let done = import_row(tx, actor, plan, &cells, now).await?;
        let reason = done.reason.map(|reason| json(&reason)).transpose()?.unwrap_or_default();
        let record = done.record.map(|(id, _)| id);
        out.push(Outcome { position: row.position, outcome: done.outcome, reason, record });
    }
    Ok(out)
}

/// Rows that were refused, with the reason of each.
pub async fn refused(desk: &Desk, actor: &Actor, id: ImportId) -> Result<Vec<Row>, Refusal> {
    actor.may(Verb::CreateRecord)?;
    let mut sql = desk.db.snapshot().await?;
    mine(&mut sql, actor, id).await?;
    let rows = imports::rows_with(&mut sql, id, "refused", MOST_ROWS as i64).await?;
    rows.into_iter().map(row_of).collect()
}

fn row_of(row: ImportRow) -> Result<Row, Refusal> {
    let reason = if row.reason.is_empty() { None } else { Some(read(&row.reason)?) };
    Ok(Row {
        position: row.position,
        cells: read(&row.cells)?,
        outcome: row.outcome,
        record: None,
        reason,
        changes: Vec::new(),
    })
}

/// The refused rows as CSV, with their reason in a last column: mended, the file is uploaded again.
pub async fn refused_csv(desk: &Desk, actor: &Actor, id: ImportId) -> Result<Vec<u8>, Refusal> {
    let state = open(desk, actor, id).await?;
    let rows = refused(desk, actor, id).await?;
    let mut out = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Refusal::Failed(error.into());
    let head = state.columns.iter().map(String::as_str).chain(["Refused because"]);
    out.write_record(head).map_err(failed)?;
    for row in rows {
        let reason = row.reason.map(|(_, sentence)| sentence).unwrap_or_default();
        out.write_record(row.cells.iter().chain([&reason])).map_err(failed)?;
    }
    out.into_inner().map_err(|error| Refusal::Failed(anyhow::anyhow!("{error}")))
}
