//! Out of sight until later: a case with all its threads, or a thread without one.
//!
//! Snoozed is a moment, not a status: what comes back is what it was. It comes back by itself ([`super::tick`]), by a
//! customer's mail, by closing the case, or by hand.

use super::{Changes, change};
use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, thread};
use model::{ThreadId, Time};
use serde_json::Value;
use store::changes;
use store::stream::{self, NewEntry, StreamKind};
use store::threads::{self, Reader};

/// Longest time out of sight: five years, in seconds.
const LONGEST_S: i64 = 5 * 366 * 86_400;

/// A moment somebody chose.
pub(super) fn checked(until: Option<Time>, now: Time) -> Result<Option<Time>, Refusal> {
    match until {
        Some(at) if at <= now || at > now.plus_s(LONGEST_S) => {
            let message = "A moment to come, within five years.";
            Err(Refusal::invalid("snoozed_until", "not_to_come", message))
        }
        until => Ok(until),
    }
}

/// What the stream is told when it became different.
pub(super) fn told(before: Option<Time>, after: Option<Time>) -> Option<(StreamKind, Value)> {
    match after {
        _ if before == after => None,
        Some(until) => Some((StreamKind::Snoozed, serde_json::json!({ "until": rfc3339(until) }))),
        None => Some((StreamKind::Woken, serde_json::json!({}))),
    }
}

fn rfc3339(at: Time) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| String::new(), |at| at.to_string())
}

/// Puts a thread out of sight until then, or (`None`) lets it be seen; where it has a case, the case.
pub async fn snooze_thread(
    desk: &Desk,
    actor: &Actor,
    id: ThreadId,
    until: Option<Time>,
) -> Result<(), Refusal> {
    actor.may(Verb::SnoozeThread)?;
    let now = desk.clock.now();
    let until = checked(until, now)?;
    let mut tx = desk.begin_filing().await?;
    thread::visible(&mut tx, actor, id).await?;
    if let Some(case) = threads::case_id(&mut tx, id).await? {
        tx.rollback().await?;
        change(desk, actor, case, Changes { snoozed_until: Some(until), ..Changes::default() }).await?;
        return Ok(());
    }
    let row = threads::row(&mut tx, id, &actor.mail_access(), Reader { user: None }).await?;
    let before = row.ok_or(Refusal::NotFound)?.snoozed_until;
    let Some((kind, data)) = told(before, until) else { return Ok(()) };
    threads::snooze(&mut tx, id, until).await?;
    let entry = NewEntry {
        record: None,
        thread: Some(id),
        kind,
        user: actor.user,
        body: String::new(),
        data: data.to_string(),
        at: now,
    };
    stream::add(&mut tx, entry).await?;
    changes::add(&mut tx, thread::change(id, "snoozed"), now).await?;
    Ok(tx.commit().await?)
}
