//! Ties between threads and records, by hand.

use crate::may::{Actor, Verb};
use crate::notification::{self, Event, Subject};
use crate::{Desk, Params, Refusal, access, record, thread};
use model::{LinkId, LinkReason, RecordId, RecordKind, ThreadId, Time, UserId};
use store::changes;
use store::links::{self, Link, NewLink};
use store::notifications;
use store::records::{self, Record};
use store::sql::Tx;
use store::stream::{self, NewEntry, StreamKind};
use store::suggestions;
use store::threads::{self, Reader};

/// Ties a record to a thread; with a contact its account is tied too. A thread without a case joins
/// the case it is tied to; one that has a case keeps it. Tied already is a conflict.
pub async fn add(
    desk: &Desk,
    actor: &Actor,
    thread_id: ThreadId,
    record_id: RecordId,
) -> Result<Link, Refusal> {
    add_because(desk, actor, thread_id, record_id, String::new()).await
}

/// The same; the link keeps what it was suggested for.
pub(crate) async fn add_because(
    desk: &Desk,
    actor: &Actor,
    thread_id: ThreadId,
    record_id: RecordId,
    detail: String,
) -> Result<Link, Refusal> {
    actor.may(Verb::LinkThread)?;
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    thread::visible(&mut tx, actor, thread_id).await?;
    let heard = actor.records_heard();
    let Some(record) = records::record(&mut tx, record_id, &heard).await? else {
        let message = "There is no such record, or you may not see it.";
        return Err(Refusal::invalid("record_id", "unknown", message));
    };
    let link = NewLink {
        thread: thread_id,
        record: record_id,
        reason: LinkReason::ByHand,
        detail,
        user: actor.user,
        at: now,
    };
    let Some(id) = links::add(&mut tx, link).await? else {
        return Err(Refusal::conflict("linked_already", "The thread is linked to this record already."));
    };
    suggestions::forget(&mut tx, thread_id, record_id).await?;
    tell(&mut tx, actor, thread_id, record_id, &record.name, StreamKind::Linked, now).await?;
    account_of_contact(&mut tx, actor, thread_id, &record, now).await?;
    if record.kind == RecordKind::Case && threads::case_id(&mut tx, thread_id).await?.is_none() {
        threads::join_case(&mut tx, thread_id, record_id).await?;
    }
    access::refresh(&mut tx, thread_id).await?;
    tell_followers(desk, &mut tx, actor, thread_id, record_id).await?;
    changes::add(&mut tx, thread::change(thread_id, "linked"), now).await?;
    let link = links::link(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    tx.commit().await?;
    Ok(link)
}

/// To who follows the record, its mail is news, however old.
async fn tell_followers(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    thread: ThreadId,
    record: RecordId,
) -> Result<(), Refusal> {
    let row = threads::row(tx, thread, &actor.mail_access(), Reader { user: None }).await?;
    let row = row.ok_or(Refusal::NotFound)?;
    let audience = notifications::audience_of_record(tx, record).await?;
    let people: Vec<UserId> = audience.followers.iter().map(|(user, _)| *user).collect();
    let from = if row.from_name.is_empty() { row.from_address } else { row.from_name };
    let data = Params::from([("from", from), ("subject", row.subject)]);
    let subject = Subject { thread: Some(thread), record: Some(record), message: None };
    let event = Event::MailOnFollowed;
    Ok(notification::event(desk, tx, event, &subject, actor.user, &people, &data).await?)
}

/// As in filing: whoever writes for a company is company business.
async fn account_of_contact(
    tx: &mut Tx,
    actor: &Actor,
    thread: ThreadId,
    record: &Record,
    now: Time,
) -> Result<(), Refusal> {
    let (RecordKind::Contact, Some((account, name))) = (record.kind, &record.account) else {
        return Ok(());
    };
    let link = NewLink {
        thread,
        record: *account,
        reason: LinkReason::ContactOf,
        detail: record.name.clone(),
        user: actor.user,
        at: now,
    };
    if links::add(tx, link).await?.is_some() {
        tell(tx, actor, thread, *account, name, StreamKind::Linked, now).await?;
    }
    Ok(())
}

/// Unties; from a case it joined by hand the thread parts. The link to a case that was made of the
/// thread stays: that is no guess. Nothing ties the two again by itself.
pub async fn remove(desk: &Desk, actor: &Actor, id: LinkId) -> Result<(), Refusal> {
    actor.may(Verb::LinkThread)?;
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let link = links::link(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    thread::visible(&mut tx, actor, link.thread).await?;
    record::visible(&mut tx, actor, link.record.id).await?;
    if threads::case_id(&mut tx, link.thread).await? == Some(link.record.id) {
        if link.reason == LinkReason::CreatedCase {
            let message = "This is the thread's own case. It can be closed, not taken away.";
            return Err(Refusal::conflict("own_case", message));
        }
        threads::leave_case(&mut tx, link.thread).await?;
    }
    if !links::remove(&mut tx, id, link.thread).await? {
        return Err(Refusal::NotFound);
    }
    access::refresh(&mut tx, link.thread).await?;
    let record = link.record;
    suggestions::dismiss(&mut tx, link.thread, record.id, now).await?;
    tell(&mut tx, actor, link.thread, record.id, &record.name, StreamKind::Unlinked, now).await?;
    changes::add(&mut tx, thread::change(link.thread, "unlinked"), now).await?;
    Ok(tx.commit().await?)
}

async fn tell(
    tx: &mut Tx,
    actor: &Actor,
    thread: ThreadId,
    record: RecordId,
    name: &str,
    kind: StreamKind,
    at: Time,
) -> Result<(), Refusal> {
    let data = serde_json::json!({ "record": name }).to_string();
    let entry = NewEntry {
        record: Some(record),
        thread: Some(thread),
        kind,
        user: actor.user,
        body: String::new(),
        data,
        at,
    };
    stream::add(tx, entry).await?;
    Ok(())
}
