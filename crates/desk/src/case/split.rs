//! Messages of a case that are work of their own.

use super::{Case, link_own_case, page, tell, tell_everybody, visible};
use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, access, thread};
use mail::fold::fold;
use model::{MessageId, RecordId, ThreadId, Time};
use store::records::{self, NewCase, Record};
use store::sql::Tx;
use store::stream::StreamKind;
use store::threads::{self, Chosen, Reader};

/// Messages that are split off at a time.
pub const MOST_MESSAGES: usize = 200;

/// Makes a case of its own of some messages of one of a case's threads, with the same team, process and assignee.
/// Answers to them belong to it from now on.
pub async fn split(
    desk: &Desk,
    actor: &Actor,
    id: RecordId,
    messages: &[MessageId],
) -> Result<Case, Refusal> {
    actor.may(Verb::ChangeCase)?;
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let id = records::case_survivor(&mut tx, id).await?;
    let (record, _) = visible(&mut tx, actor, id).await?;
    let (thread, chosen) = checked(&mut tx, actor, id, messages).await?;
    let new_thread = threads::split(&mut tx, thread, &chosen, now).await?;
    let (case, number) = add(&mut tx, actor, &record, new_thread, &chosen, now).await?;
    threads::join_case(&mut tx, new_thread, case).await?;
    link_own_case(&mut tx, actor, new_thread, case, now).await?;
    records::take_messages(&mut tx, case, id, new_thread).await?;
    access::refresh_record(&mut tx, case).await?;
    let from = record.case.as_ref().map_or(0, |part| part.number);
    let data = serde_json::json!({ "number": from.to_string(), "record": record.name });
    tell(&mut tx, actor, case, Some(new_thread), StreamKind::Split, data, now).await?;
    let data = serde_json::json!({ "number": number.to_string() });
    tell(&mut tx, actor, id, Some(thread), StreamKind::Split, data, now).await?;
    tell_everybody(&mut tx, id, now).await?;
    tell_everybody(&mut tx, case, now).await?;
    let case = page(&mut tx, actor, case).await?;
    tx.commit().await?;
    Ok(case)
}

/// The messages, which are some but not all of one visible thread of the case.
async fn checked(
    tx: &mut Tx,
    actor: &Actor,
    case: RecordId,
    messages: &[MessageId],
) -> Result<(ThreadId, Vec<Chosen>), Refusal> {
    let refused = |code, message: &str| Err(Refusal::invalid("messages", code, message));
    let mut ids = messages.to_vec();
    ids.sort();
    ids.dedup();
    if ids.len() > MOST_MESSAGES {
        return Err(Refusal::invalid("messages", "too_many", format!("At most {MOST_MESSAGES} messages."))
            .with("most", MOST_MESSAGES));
    }
    let chosen = threads::chosen(tx, &ids).await?;
    let Some(thread) = chosen.first().map(|one| one.thread) else {
        return refused("required", "Choose the messages that are to leave.");
    };
    let is_of_case = threads::case_id(tx, thread).await? == Some(case);
    if !is_of_case || chosen.len() < ids.len() || chosen.iter().any(|one| one.thread != thread) {
        return refused("unknown", "The messages are not all of one conversation of this case.");
    }
    thread::visible(tx, actor, thread).await?;
    let row = threads::row(tx, thread, &actor.mail_access(), Reader { user: None }).await?;
    if row.is_none_or(|row| row.messages <= chosen.len() as i64) {
        return refused("all_messages", "One message at least has to stay where it is.");
    }
    Ok((thread, chosen))
}

async fn add(
    tx: &mut Tx,
    actor: &Actor,
    of: &Record,
    thread: ThreadId,
    chosen: &[Chosen],
    now: Time,
) -> Result<(RecordId, i64), Refusal> {
    let row = threads::row(tx, thread, &actor.mail_access(), Reader { user: None }).await?;
    let row = row.ok_or(Refusal::NotFound)?;
    let part = of.case.as_ref().ok_or(Refusal::NotFound)?;
    let subject = if row.subject.trim().is_empty() { "–".to_owned() } else { row.subject };
    let customer = chosen.iter().find(|one| one.direction == "in").map(|one| one.from_address.clone());
    let new = NewCase {
        folded: fold(&subject),
        subject,
        account: of.account.as_ref().map(|(id, _)| *id),
        process: part.process.as_ref().map(|(id, _)| *id),
        team: of.team.as_ref().map(|(id, _)| *id),
        assignee: of.assignee.as_ref().map(|(id, _)| *id),
        customer: customer.unwrap_or_else(|| part.customer.clone()),
        last_at: row.last_at,
        at: now,
    };
    Ok(records::add_case(tx, new).await?)
}
