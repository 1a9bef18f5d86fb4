//! Labels: what there are, and on which threads.

use crate::may::{Actor, Verb};
use crate::people::checked_name;
use crate::rule;
use crate::thread;
use crate::{Desk, Refusal};
use model::{LabelId, ThreadId};
use std::collections::HashMap;
use store::changes::{self, Change, ChangeKind};
use store::labels::{self, Label};
use store::rules::Reference;
use store::sql::Tx;

model::words! {
    /// Colours of labels.
    Hue {
        /// Grey.
        Grey = "grey",
        /// Red.
        Red = "red",
        /// Amber.
        Amber = "amber",
        /// Green.
        Green = "green",
        /// Blue.
        Blue = "blue",
        /// Violet.
        Violet = "violet",
    }
}

/// Labels there may be.
pub const MOST_LABELS: usize = 500;
/// Labels on one thread.
pub const MOST_ON_THREAD: usize = 20;

/// All labels, by name, and for whoever may remove them on how many threads each is.
pub async fn counted(desk: &Desk, actor: &Actor) -> Result<Vec<(Label, Option<i64>)>, Refusal> {
    actor.may(Verb::SeePeople)?;
    let mut sql = desk.db.snapshot().await?;
    let all = labels::all(&mut sql).await?;
    if actor.may(Verb::ManageLabels).is_err() {
        return Ok(all.into_iter().map(|label| (label, None)).collect());
    }
    let counts: HashMap<LabelId, i64> = labels::counts(&mut sql).await?.into_iter().collect();
    let count = |label: &Label| counts.get(&label.id).copied().unwrap_or(0);
    Ok(all
        .into_iter()
        .map(|label| (count(&label), label))
        .map(|(count, label)| (label, Some(count)))
        .collect())
}

/// Adds a label.
pub async fn create(desk: &Desk, actor: &Actor, name: &str, hue: Hue) -> Result<Label, Refusal> {
    actor.may(Verb::LabelThread)?;
    let name = checked_name("name", name)?;
    let mut tx = desk.db.begin().await?;
    if labels::all(&mut tx).await?.len() >= MOST_LABELS {
        return Err(Refusal::conflict(
            "too_many_labels",
            format!("There are {MOST_LABELS} labels, which is the most."),
        )
        .with("most", MOST_LABELS));
    }
    let id = labels::add(&mut tx, &name, hue.word()).await?.ok_or_else(|| name_taken(&name))?;
    tell(desk, &mut tx, id, "label_added").await?;
    tx.commit().await?;
    Ok(Label { id, name, hue: hue.word().to_owned() })
}

fn name_taken(name: &str) -> Refusal {
    Refusal::conflict("label_taken", format!("There is a label {name} already.")).with("name", name)
}

/// Renames a label, or gives it another hue.
pub async fn change(
    desk: &Desk,
    actor: &Actor,
    id: LabelId,
    name: Option<String>,
    hue: Option<Hue>,
) -> Result<Label, Refusal> {
    actor.may(Verb::ManageLabels)?;
    let mut tx = desk.db.begin().await?;
    let mut label = labels::get(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if let Some(name) = name {
        label.name = checked_name("name", &name)?;
    }
    if let Some(hue) = hue {
        label.hue = hue.word().to_owned();
    }
    if labels::named(&mut tx, &label.name).await?.is_some_and(|other| other.id != id) {
        return Err(name_taken(&label.name));
    }
    labels::change(&mut tx, &label).await?;
    tell(desk, &mut tx, id, "label_changed").await?;
    tx.commit().await?;
    Ok(label)
}

/// Removes a label from everywhere. Rules that would put it are switched off, and their keepers told.
pub async fn remove(desk: &Desk, actor: &Actor, id: LabelId) -> Result<(), Refusal> {
    actor.may(Verb::ManageLabels)?;
    let mut tx = desk.begin_filing().await?;
    let label = labels::get(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    labels::remove(&mut tx, id).await?;
    rule::switch_off(desk, &mut tx, Reference::Label(id), &label.name).await?;
    tell(desk, &mut tx, id, "label_removed").await?;
    Ok(tx.commit().await?)
}

/// Puts a label on a thread.
pub async fn put(desk: &Desk, actor: &Actor, id: ThreadId, label: LabelId) -> Result<(), Refusal> {
    actor.may(Verb::LabelThread)?;
    let mut tx = desk.begin_filing().await?;
    thread::visible(&mut tx, actor, id).await?;
    labels::get(&mut tx, label).await?.ok_or(Refusal::NotFound)?;
    let there = labels::of_threads(&mut tx, &[id]).await?.pop().unwrap_or_default();
    if there.len() >= MOST_ON_THREAD && !there.iter().any(|one| one.id == label) {
        return Err(Refusal::conflict(
            "too_many_labels",
            format!("A conversation has at most {MOST_ON_THREAD} labels."),
        )
        .with("most", MOST_ON_THREAD));
    }
    if labels::put(&mut tx, id, label).await? {
        changes::add(&mut tx, thread::change(id, "labelled"), desk.clock.now()).await?;
    }
    Ok(tx.commit().await?)
}

/// Takes a label off a thread.
pub async fn take_off(desk: &Desk, actor: &Actor, id: ThreadId, label: LabelId) -> Result<(), Refusal> {
    actor.may(Verb::LabelThread)?;
    let mut tx = desk.begin_filing().await?;
    thread::visible(&mut tx, actor, id).await?;
    if labels::take_off(&mut tx, id, label).await? {
        changes::add(&mut tx, thread::change(id, "labelled"), desk.clock.now()).await?;
    }
    Ok(tx.commit().await?)
}

async fn tell(desk: &Desk, tx: &mut Tx, id: LabelId, action: &'static str) -> Result<(), Refusal> {
    let change = Change { kind: ChangeKind::User, entity_id: id.0, thread: None, action };
    changes::add(tx, change, desk.clock.now()).await?;
    Ok(())
}
