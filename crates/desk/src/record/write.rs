//! Making and changing records: one way for people, the API, imports, web forms.

use super::check::{checked, content_of};
use super::difference::{self, FieldChange};
use super::{Field, Page, change_of, living, page};
use crate::may::{Actor, Verb};
use crate::notification::{self, Event, Subject};
use crate::people::invalid;
use crate::{Desk, Params, Refusal, access};
use model::{RecordId, RecordKind, TeamId, Time, UserId};
use store::changes::{self, RecordsHeard};
use store::records::{self, Record};
use store::sql::{Error, Tx};
use store::stream::{self, NewEntry, StreamKind};

/// What is written of a record; `None` leaves it, `Some(None)` empties it.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Its name.
    pub name: Option<String>,
    /// Mail addresses, all of them.
    pub addresses: Option<Vec<String>>,
    /// Domains, all of them.
    pub domains: Option<Vec<String>>,
    /// Its account.
    pub account: Option<Option<RecordId>>,
    /// Of a contact: further accounts, all of them.
    pub further_accounts: Option<Vec<RecordId>>,
    /// Fields, all of them, in their order.
    pub fields: Option<Vec<Field>>,
    /// Its id in another system.
    pub external_id: Option<Option<String>>,
    /// Its description.
    pub description: Option<String>,
    /// Of an opportunity its stage, of a lead its status: a word.
    pub stage: Option<String>,
    /// Of an opportunity: hundredths of its currency.
    pub amount: Option<Option<i64>>,
    /// ISO 4217.
    pub currency: Option<Option<String>>,
    /// The day it is expected to close: YYYY-MM-DD.
    pub closes_on: Option<Option<String>>,
    /// The team in charge.
    pub team: Option<Option<TeamId>>,
    /// Who is to act.
    pub assignee: Option<Option<UserId>>,
}

/// Whether [`put`] made a record or changed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is new.
    Created,
    /// There was one with this external id.
    Changed,
}

/// Makes a record, or changes the one with the same kind and external id. Whoever makes one by hand follows it; who
/// brings those of another system has not asked to hear of each of them.
pub async fn put(
    desk: &Desk,
    actor: &Actor,
    kind: RecordKind,
    wanted: Changes,
) -> Result<(Put, Page), Refusal> {
    actor.may(Verb::CreateRecord)?;
    if kind == RecordKind::Case {
        let message = "A case is made of a thread: POST /threads/{id}/case.";
        return Err(invalid("kind", "bad_value", message));
    }
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let external = wanted.external_id.clone().flatten();
    let maker = actor.user.filter(|_| external.is_none());
    let there = match &external {
        Some(external) => records::by_external_id(&mut tx, kind, external.trim()).await?,
        None => None,
    };
    let mut before = None;
    let (put, id) = match there {
        Some(id) => {
            // The id of one that was merged away names its survivor, which keeps its own.
            let wanted = Changes { external_id: None, ..wanted };
            before = write(&mut tx, actor, id, None, wanted, now).await?.assignee;
            (Put::Changed, id)
        }
        None => (Put::Created, add(&mut tx, actor, kind, wanted, now).await?),
    };
    if let (Put::Created, Some(user)) = (put, maker) {
        records::follow(&mut tx, id, user).await?;
    }
    let page = page(&mut tx, actor, id).await?;
    tell_assignee(desk, &mut tx, actor, before, &page.record).await?;
    tx.commit().await?;
    Ok((put, page))
}

/// Makes a record.
pub(crate) async fn add(
    tx: &mut Tx,
    actor: &Actor,
    kind: RecordKind,
    wanted: Changes,
    now: Time,
) -> Result<RecordId, Refusal> {
    let content = checked(tx, actor, kind, wanted, None).await?;
    let id = records::add(tx, kind, &content, now).await?;
    tell(tx, actor, id, StreamKind::Created, serde_json::json!({}), now).await?;
    changes::add(tx, change_of(id, kind, "added"), now).await?;
    Ok(id)
}

/// Changes a record that is no case.
pub async fn change(
    desk: &Desk,
    actor: &Actor,
    id: RecordId,
    version: i64,
    wanted: Changes,
) -> Result<Page, Refusal> {
    actor.may(Verb::ChangeRecord)?;
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let (id, _) = living(&mut tx, actor, id).await?;
    let before = write(&mut tx, actor, id, Some(version), wanted, now).await?.assignee;
    let page = page(&mut tx, actor, id).await?;
    tell_assignee(desk, &mut tx, actor, before, &page.record).await?;
    tx.commit().await?;
    Ok(page)
}

/// Changes a record, of `version` if it matters; what is as it was is no change. Gives it as it was.
pub(crate) async fn write(
    tx: &mut Tx,
    actor: &Actor,
    id: RecordId,
    version: Option<i64>,
    wanted: Changes,
    now: Time,
) -> Result<Record, Refusal> {
    let record = records::record(tx, id, &actor.records_heard()).await?.ok_or(Refusal::NotFound)?;
    if record.kind == RecordKind::Case {
        return Err(Refusal::conflict("is_case", "A case is changed at PATCH /cases/{id}."));
    }
    if version.is_some_and(|version| version != record.version) {
        return Err(changed_meanwhile());
    }
    let content = checked(tx, actor, record.kind, wanted, Some(&record)).await?;
    put_down(tx, actor, &record, &content, now).await?;
    Ok(record)
}

/// Writes a record's new content, with what became different in its stream; whether anything did.
pub(super) async fn put_down(
    tx: &mut Tx,
    actor: &Actor,
    record: &Record,
    content: &records::Content,
    now: Time,
) -> Result<bool, Refusal> {
    if *content == content_of(record) {
        return Ok(false);
    }
    let id = record.id;
    let written = match records::change(tx, id, record.version, content, now).await {
        Err(Error::Conflict { .. }) => return Err(external_id_taken()),
        written => written?,
    };
    if !written {
        return Err(changed_meanwhile());
    }
    let after = records::record(tx, id, &RecordsHeard::All).await?.ok_or(Refusal::NotFound)?;
    tell_differences(tx, actor, record, &after, now).await?;
    if (&record.team, &record.assignee) != (&after.team, &after.assignee) {
        // Who is in charge of a record sees its mail.
        access::refresh_record(tx, id).await?;
    }
    changes::add(tx, change_of(id, record.kind, "changed"), now).await?;
    Ok(true)
}

async fn tell_differences(
    tx: &mut Tx,
    actor: &Actor,
    before: &Record,
    after: &Record,
    now: Time,
) -> Result<(), Refusal> {
    let changes: Vec<FieldChange> = difference::between(before, after);
    if !changes.is_empty() {
        let data = serde_json::json!({ "changes": changes });
        tell(tx, actor, after.id, StreamKind::Changed, data, now).await?;
    }
    if before.assignee != after.assignee {
        let name =
            |record: &Record| record.assignee.as_ref().map(|(_, name)| name.clone()).unwrap_or_default();
        let data = serde_json::json!({ "from": name(before), "to": name(after) });
        tell(tx, actor, after.id, StreamKind::Assigned, data, now).await?;
    }
    Ok(())
}

/// Whoever is newly in charge is told.
async fn tell_assignee(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    before: Option<(UserId, String)>,
    after: &Record,
) -> Result<(), Refusal> {
    let Some((user, _)) = after.assignee.as_ref().filter(|_| before != after.assignee) else {
        return Ok(());
    };
    let subject = Subject { record: Some(after.id), ..Subject::default() };
    let data = Params::from([("name", after.name.clone()), ("by", actor.name.clone())]);
    Ok(notification::event(desk, tx, Event::Assigned, &subject, actor.user, &[*user], &data).await?)
}

pub(crate) fn changed_meanwhile() -> Refusal {
    let message = "Somebody changed this meanwhile. Load it again and repeat your change.";
    Refusal::conflict("changed_meanwhile", message)
}

fn external_id_taken() -> Refusal {
    Refusal::conflict("external_id_taken", "Another record of this kind has this external id.")
}

/// An entry in a record's stream.
pub(super) async fn tell(
    tx: &mut Tx,
    actor: &Actor,
    id: RecordId,
    kind: StreamKind,
    data: serde_json::Value,
    at: Time,
) -> Result<(), Refusal> {
    let entry = NewEntry {
        record: Some(id),
        thread: None,
        kind,
        user: actor.user,
        body: String::new(),
        data: data.to_string(),
        at,
    };
    stream::add(tx, entry).await?;
    Ok(())
}
