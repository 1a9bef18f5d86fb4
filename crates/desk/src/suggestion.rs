//! What a thread may belong to: shown with its reason, then accepted or dismissed by a person.

use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, link, thread};
use model::{RecordId, ThreadId};
use store::changes;
use store::links::Link;
use store::sql::Sql;
use store::suggestions::{self, Suggestion};
use store::threads;

/// Suggestions that a thread shows.
pub(crate) const MOST: usize = 12;

/// What a thread is suggested.
pub async fn list(desk: &Desk, actor: &Actor, id: ThreadId) -> Result<Vec<Suggestion>, Refusal> {
    actor.may(Verb::ReadMail)?;
    let mut sql = desk.db.snapshot().await?;
    let id = threads::survivor(&mut sql, id).await?;
    thread::visible(&mut sql, actor, id).await?;
    Ok(suggestions::of_thread(&mut sql, id, &actor.records_heard(), MOST).await?)
}

/// Links what was suggested, by hand; the link keeps what matched.
pub async fn accept(desk: &Desk, actor: &Actor, id: ThreadId, record: RecordId) -> Result<Link, Refusal> {
    actor.may(Verb::LinkThread)?;
    let mut sql = desk.db.snapshot().await?;
    let found = find(&mut sql, actor, id, record).await?;
    drop(sql);
    link::add_because(desk, actor, id, record, found.detail).await
}

/// Dismisses it: nothing suggests it or links it to this thread again.
pub async fn dismiss(desk: &Desk, actor: &Actor, id: ThreadId, record: RecordId) -> Result<(), Refusal> {
    actor.may(Verb::LinkThread)?;
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    find(&mut tx, actor, id, record).await?;
    suggestions::dismiss(&mut tx, id, record, now).await?;
    changes::add(&mut tx, thread::change(id, "suggestion_dismissed"), now).await?;
    Ok(tx.commit().await?)
}

async fn find(
    sql: &mut impl Sql,
    actor: &Actor,
    id: ThreadId,
    record: RecordId,
) -> Result<Suggestion, Refusal> {
    thread::visible(sql, actor, id).await?;
    let all = suggestions::of_thread(sql, id, &actor.records_heard(), MOST).await?;
    all.into_iter().find(|one| one.record.id == record).ok_or(Refusal::NotFound)
}
