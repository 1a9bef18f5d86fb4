//! What a person says of a message whose place in its thread is not to be trusted: it is right, or it is not.
//!
//! A message that is right counts like any other from now on, its people belong to the thread, and what its filing held
//! back is made up for (`receive::file::trusted`): links, the case that it opens again, what people are told. One that
//! is not right leaves for a thread of its own, which never becomes one with the old one again, whatever ids later
//! mail names.

use crate::may::{Actor, Verb};
use crate::receive::file::trusted;
use crate::{Desk, Refusal, message, thread};
use model::{MessageId, ThreadId, Time};
use store::sql::Tx;
use store::stream::{self, NewEntry, StreamKind};
use store::threads;
use store::{changes, messages};

/// Trusts a message's place.
pub async fn verify(desk: &Desk, actor: &Actor, id: MessageId) -> Result<(), Refusal> {
    actor.may(Verb::LinkThread)?;
    let now = desk.clock.now();
    let mut sql = desk.db.snapshot().await?;
    let message = message::visible(&mut sql, actor, id).await?;
    let read = trusted::read(&mut sql, &message).await?;
    drop(sql);
    let mut tx = desk.begin_filing().await?;
    let message = message::visible(&mut tx, actor, id).await?;
    if message.unverified.is_none() {
        return Err(Refusal::conflict("verified_already", "This message is trusted already."));
    }
    messages::verify(&mut tx, id).await?;
    tell(&mut tx, actor, message.thread, StreamKind::Verified, &message.from.address, now).await?;
    if let Some(read) = read {
        trusted::make_up(desk, &mut tx, &message, read, actor.user).await?;
    }
    changes::add(&mut tx, thread::change(message.thread, "verified"), now).await?;
    Ok(tx.commit().await?)
}

/// Takes a message out of its thread into one of its own, which is returned.
pub async fn detach(desk: &Desk, actor: &Actor, id: MessageId) -> Result<ThreadId, Refusal> {
    actor.may(Verb::LinkThread)?;
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let message = message::visible(&mut tx, actor, id).await?;
    let from = message.thread;
    if messages::count(&mut tx, from).await? < 2 {
        let text = "It is the only message of this conversation.";
        return Err(Refusal::conflict("only_message", text));
    }
    let chosen = threads::chosen(&mut tx, &[id]).await?;
    let new = threads::split(&mut tx, from, &chosen, now).await?;
    messages::stand_alone(&mut tx, id, from, new).await?;
    for thread in [from, new] {
        tell(&mut tx, actor, thread, StreamKind::Detached, &message.from.address, now).await?;
        changes::add(&mut tx, thread::change(thread, "detached"), now).await?;
    }
    tx.commit().await?;
    Ok(new)
}

/// Says in the thread, and in the stream of its case, whose message it was.
async fn tell(
    tx: &mut Tx,
    actor: &Actor,
    thread: ThreadId,
    kind: StreamKind,
    who: &str,
    at: Time,
) -> Result<(), Refusal> {
    let data = serde_json::json!({ "name": who }).to_string();
    let record = threads::case_id(tx, thread).await?;
    let entry =
        NewEntry { record, thread: Some(thread), kind, user: actor.user, body: String::new(), data, at };
    stream::add(tx, entry).await?;
    Ok(())
}
