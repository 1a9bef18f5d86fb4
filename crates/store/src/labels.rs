//! Labels of threads.

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{LabelId, ThreadId};

/// A label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Itself.
    pub id: LabelId,
    /// Its name, unique.
    pub name: String,
    /// Its hue, as a word.
    pub hue: String,
}

fn label_of(row: &Row) -> Result<Label, Error> {
    Ok(Label { id: row.get(0)?, name: row.get(1)?, hue: row.get(2)? })
}

/// All labels, by name.
pub async fn all(sql: &mut impl Sql) -> Result<Vec<Label>, Error> {
    sql.query("SELECT id, name, hue FROM labels ORDER BY name", params![])
        .await?
        .iter()
        .map(label_of)
        .collect()
}

/// On how many threads each label is that is on any.
pub async fn counts(sql: &mut impl Sql) -> Result<Vec<(LabelId, i64)>, Error> {
    let text = "SELECT label_id, COUNT(*) FROM thread_labels GROUP BY label_id";
    sql.query(text, params![]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// One label.
pub async fn get(sql: &mut impl Sql, id: LabelId) -> Result<Option<Label>, Error> {
    let row = sql.query_opt("SELECT id, name, hue FROM labels WHERE id = $1", params![id]).await?;
    row.as_ref().map(label_of).transpose()
}

/// Adds one; `None` where there is one of this name.
pub async fn add(tx: &mut Tx, name: &str, hue: &str) -> Result<Option<LabelId>, Error> {
    let id = LabelId(counters::take(tx, "labels", 1).await?);
    let text = "INSERT INTO labels (id, name, hue) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    Ok((tx.execute(text, params![id, name, hue]).await? > 0).then_some(id))
}

/// The label of this name.
pub async fn named(sql: &mut impl Sql, name: &str) -> Result<Option<Label>, Error> {
    let row = sql.query_opt("SELECT id, name, hue FROM labels WHERE name = $1", params![name]).await?;
    row.as_ref().map(label_of).transpose()
}

/// Changes one.
pub async fn change(tx: &mut Tx, label: &Label) -> Result<(), Error> {
    let values = params![label.id, &label.name, &label.hue];
    tx.execute("UPDATE labels SET name = $2, hue = $3 WHERE id = $1", values).await.map(drop)
}

/// Removes one, and takes it off all threads.
pub async fn remove(tx: &mut Tx, id: LabelId) -> Result<(), Error> {
    tx.execute("DELETE FROM thread_labels WHERE label_id = $1", params![id]).await?;
    tx.execute("DELETE FROM labels WHERE id = $1", params![id]).await.map(drop)
}

/// Puts a label on a thread; whether it was not there.
pub async fn put(tx: &mut Tx, thread: ThreadId, label: LabelId) -> Result<bool, Error> {
    let text = "INSERT INTO thread_labels (thread_id, label_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    Ok(tx.execute(text, params![thread, label]).await? > 0)
}

/// Takes a label off a thread; whether it was there.
pub async fn take_off(tx: &mut Tx, thread: ThreadId, label: LabelId) -> Result<bool, Error> {
    let text = "DELETE FROM thread_labels WHERE thread_id = $1 AND label_id = $2";
    Ok(tx.execute(text, params![thread, label]).await? > 0)
}

/// The labels of threads, in their order, by name.
pub async fn of_threads(sql: &mut impl Sql, threads: &[ThreadId]) -> Result<Vec<Vec<Label>>, Error> {
    let text = "SELECT l.id, l.name, l.hue FROM thread_labels t JOIN labels l ON l.id = t.label_id \
                WHERE t.thread_id = $1 ORDER BY l.name";
    let found = sql.query_many(text, threads.iter().map(|id| params![*id]).collect()).await?;
    found.iter().map(|rows| rows.iter().map(label_of).collect()).collect()
}
