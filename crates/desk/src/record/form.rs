//! A web form's mail becomes a contact or a lead (C4).
//!
//! Found by its address, so that a second form, a second mailbox or a second try makes no double; what
//! is empty of the one that is found is filled. A form without an address is told apart by its name
//! among the records of its own thread.

use super::write::{Changes, add, write};
use super::{Field, fields_of, find};
use crate::may::{Actor, Verb};
use crate::message::apart;
use crate::{Desk, Refusal, bytes};
use intake::form::Form;
use mail::fold::fold;
use model::{FormMapping, MessageId, RecordId, RecordKind, ThreadId, Time};
use store::changes::RecordsHeard;
use store::records;
use store::sql::Tx;
use store::{links, messages};

/// What a mapping finds in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What was entered.
    pub form: Form,
    /// Whether enough was found to make a record.
    pub complete: bool,
}

/// Tries a mapping on a message that is there.
pub async fn try_form(
    desk: &Desk,
    actor: &Actor,
    message: MessageId,
    mapping: FormMapping,
) -> Result<Found, Refusal> {
    actor.may(Verb::ReadMail)?;
    let mut sql = desk.db.snapshot().await?;
    messages::message(&mut sql, message, &actor.mail_access()).await?.ok_or(Refusal::NotFound)?;
    let outline = bytes::outline(&mut sql, message).await?.unwrap_or_default();
    drop(sql);
    let form = apart(move || intake::form::read(&mail::parse::parse(&outline), &mapping)).await?;
    let complete = is_complete(&form);
    Ok(Found { form, complete })
}

fn is_complete(form: &Form) -> bool {
    !form.name.is_empty() || !form.address.is_empty()
}

/// Makes or completes the record of a form; `None` if nothing was entered that names somebody.
pub(crate) async fn record_of(
    tx: &mut Tx,
    kind: RecordKind,
    form: &Form,
    thread: ThreadId,
    now: Time,
) -> Result<Option<(RecordId, String)>, Refusal> {
    if !is_complete(form) {
        return Ok(None);
    }
    let machine = Actor::machine();
    let account = find::account_or_new(
        tx,
        &machine,
        &form.account,
        Some(&form.address).filter(|a| !a.is_empty()).map(String::as_str),
        now,
    )
    .await?;
    let id = match there(tx, kind, form, thread).await? {
        Some(id) => fill(tx, id, form, account, now).await?,
        None => {
            let name = if form.name.is_empty() { &form.address } else { &form.name };
            let wanted = Changes {
                name: Some(name.clone()),
                addresses: Some(Vec::from_iter((!form.address.is_empty()).then(|| form.address.clone()))),
                account: Some(account),
                fields: Some(fields(form)),
                ..Changes::default()
            };
            add(tx, &machine, kind, wanted, now).await?
        }
    };
    let record = records::record(tx, id, &RecordsHeard::All).await?;
    Ok(record.map(|record| (id, record.name)))
}

async fn there(
    tx: &mut Tx,
    kind: RecordKind,
    form: &Form,
    thread: ThreadId,
) -> Result<Option<RecordId>, Refusal> {
    if !form.address.is_empty() {
        return find::by_address(tx, kind, std::slice::from_ref(&form.address)).await;
    }
    let linked = links::of_thread(tx, thread).await?;
    let same = |link: &links::Link| link.record.kind == kind && fold(&link.record.name) == fold(&form.name);
    Ok(linked.into_iter().find(same).map(|link| link.record.id))
}

/// Fills what is empty; what people wrote stays.
async fn fill(
    tx: &mut Tx,
    id: RecordId,
    form: &Form,
    account: Option<RecordId>,
    now: Time,
) -> Result<RecordId, Refusal> {
    let record = records::record(tx, id, &RecordsHeard::All).await?.ok_or(Refusal::NotFound)?;
    let mut all = fields_of(&record);
    for field in fields(form) {
        match all.iter_mut().find(|own| own.label == field.label) {
            Some(own) if own.value.is_empty() => own.value = field.value,
            Some(_) => {}
            None => all.push(field),
        }
    }
    // A name that is only the address was nobody's choice.
    let nameless = record.addresses.contains(&record.name) && !form.name.is_empty();
    let wanted = Changes {
        name: nameless.then(|| form.name.clone()),
        account: account.filter(|_| record.account.is_none()).map(Some),
        fields: Some(all),
        ..Changes::default()
    };
    write(tx, &Actor::machine(), id, None, wanted, now).await?;
    Ok(id)
}

fn fields(form: &Form) -> Vec<Field> {
    form.fields.iter().map(|(label, value)| Field { label: label.clone(), value: value.clone() }).collect()
}
