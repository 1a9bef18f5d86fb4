//! Internal notes: in a thread, in a record's stream.

use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, record, thread};
use model::{RecordId, ThreadId};
use store::changes;
use store::sql::Tx;
use store::stream::{self, Entry, NewEntry, StreamKind};
use store::threads;

/// Longest note, in bytes.
pub const LONGEST_NOTE: usize = 100_000;

/// Writes a note into a thread; it stands in the stream of the thread's case too.
pub async fn in_thread(desk: &Desk, actor: &Actor, id: ThreadId, body: &str) -> Result<Entry, Refusal> {
    actor.may(Verb::NoteOnThread)?;
    let body = checked(body)?;
    let now = desk.clock.now();
    let mut tx = desk.db.begin().await?;
    thread::visible(&mut tx, actor, id).await?;
    let record = threads::case_id(&mut tx, id).await?;
    let entry = NewEntry {
        record,
        thread: Some(id),
        kind: StreamKind::Note,
        user: actor.user,
        body,
        data: "{}".to_owned(),
        at: now,
    };
    let entry = written(&mut tx, entry).await?;
    changes::add(&mut tx, thread::change(id, "note"), now).await?;
    tx.commit().await?;
    Ok(entry)
}

/// Writes a note into a record's stream.
pub async fn on_record(desk: &Desk, actor: &Actor, id: RecordId, body: &str) -> Result<Entry, Refusal> {
    actor.may(Verb::NoteOnRecord)?;
    let body = checked(body)?;
    let now = desk.clock.now();
    let mut tx = desk.db.begin().await?;
    let kind = record::visible(&mut tx, actor, id).await?;
    let entry = NewEntry {
        record: Some(id),
        thread: None,
        kind: StreamKind::Note,
        user: actor.user,
        body,
        data: "{}".to_owned(),
        at: now,
    };
    let entry = written(&mut tx, entry).await?;
    changes::add(&mut tx, record::change_of(id, kind, "note"), now).await?;
    tx.commit().await?;
    Ok(entry)
}

fn checked(body: &str) -> Result<String, Refusal> {
    let body = body.trim();
    if body.is_empty() {
        return Err(Refusal::invalid("body", "required", "Write something first."));
    }
    if body.len() > LONGEST_NOTE {
        let message = format!("A note has at most {LONGEST_NOTE} bytes.");
        return Err(Refusal::invalid("body", "too_long", message).with("most", LONGEST_NOTE));
    }
    Ok(body.to_owned())
}

async fn written(tx: &mut Tx, entry: NewEntry) -> Result<Entry, Refusal> {
    let id = stream::add(tx, entry).await?;
    stream::entry(tx, id).await?.ok_or(Refusal::NotFound)
}
