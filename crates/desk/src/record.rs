//! Accounts, contacts, leads, opportunities: lists, pages, streams, and what changes them.
//!
//! Addresses and domains matter to mail that comes later; threads that are there already are linked
//! by hand.

use crate::may::{Actor, Verb};
use crate::people::invalid;
use crate::{Desk, Refusal, thread};
use mail::fold::fold;
use model::{CaseStatus, NoteId, RecordId, RecordKind, Time, UserId};
use serde::{Deserialize, Serialize};
use store::changes::{self, Change, ChangeKind};
use store::records::{self, CaseRow, Content, Filter, Record, RecordRow, Sort};
use store::sql::{Error, Sql, Tx};
use store::stream::{self, Entry, NewEntry, StreamKind};
use store::threads::{self, Reader};

/// Longest name, in bytes.
pub const LONGEST_NAME: usize = 500;
/// Addresses, domains or fields one record may have.
pub const MOST_VALUES: usize = 200;
/// Longest address, domain, label or external id, in bytes.
pub const LONGEST_VALUE: usize = 320;
/// Longest value of a field, in bytes.
pub const LONGEST_FIELD: usize = 20_000;

/// A field the CRM's owner invented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// What it is called.
    pub label: String,
    /// What it says.
    pub value: String,
}

/// Which records, in which order.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// What they are.
    pub kind: Option<RecordKind>,
    /// The beginning of a word of the name or of an address, or a case's number.
    pub text: Option<String>,
    /// Of cases: where they stand.
    pub status: Option<CaseStatus>,
    /// Of cases: who is to act; `Some(None)` for nobody.
    pub assignee: Option<Option<UserId>>,
    /// The order; without one, cases newest first and the rest by name.
    pub sort: Option<Sort>,
}

/// A part of a list by position.
pub async fn list(
    desk: &Desk,
    actor: &Actor,
    listing: Listing,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<RecordRow>), Refusal> {
    actor.may(Verb::ReadRecords)?;
    let heard = actor.records_heard();
    let by_kind = if listing.kind == Some(RecordKind::Case) { Sort::Number } else { Sort::Name };
    let filter = Filter {
        kind: listing.kind,
        text: listing.text.as_deref().map(searched).filter(|text| !text.is_empty()),
        status: listing.status,
        assignee: listing.assignee,
        account: None,
        sort: listing.sort.unwrap_or(by_kind),
        heard: &heard,
    };
    let mut sql = desk.db.snapshot().await?;
    let total = records::count(&mut sql, &filter).await?;
    let rows = records::list(&mut sql, &filter, &actor.mail_access(), offset, limit).await?;
    Ok((total, rows))
}

/// An address is searched as it is written, anything else as words.
fn searched(text: &str) -> String {
    let text = text.trim();
    match text.contains('@') {
        true => text.to_lowercase(),
        false => fold(text),
    }
}

/// A record with what belongs to it.
#[derive(Clone, Debug)]
pub struct Page {
    /// The record.
    pub record: Record,
    /// Its line in a list.
    pub row: RecordRow,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Of an account: its contacts.
    pub contacts: Vec<RecordRow>,
    /// Its cases, newest first.
    pub cases: Vec<CaseRow>,
    /// Whether the actor follows it.
    pub following: bool,
}

/// One record. Cases answer too; what only they have is at [`crate::case::open`].
pub async fn open(desk: &Desk, actor: &Actor, id: RecordId) -> Result<Page, Refusal> {
    actor.may(Verb::ReadRecords)?;
    let mut sql = desk.db.snapshot().await?;
    page(&mut sql, actor, id).await
}

async fn page(sql: &mut impl Sql, actor: &Actor, id: RecordId) -> Result<Page, Refusal> {
    let heard = actor.records_heard();
    let access = actor.mail_access();
    let record = records::record(sql, id, &heard).await?.ok_or(Refusal::NotFound)?;
    let row = records::rows(sql, &[id], &access).await?.pop().ok_or(Refusal::NotFound)?;
    let contacts = match record.kind {
        RecordKind::Account => {
            let filter = Filter {
                kind: Some(RecordKind::Contact),
                text: None,
                status: None,
                assignee: None,
                account: Some(id),
                sort: Sort::Name,
                heard: &heard,
            };
            records::list(sql, &filter, &access, 0, records::MOST_RELATED as i64).await?
        }
        _ => Vec::new(),
    };
    let cases = match record.kind {
        RecordKind::Case => Vec::new(),
        _ => records::cases_of(sql, id, &heard).await?,
    };
    let following = match actor.user {
        Some(user) => records::follows(sql, id, user).await?,
        None => false,
    };
    // What cannot be read was not written by this program; the rest of the page is still of use.
    let fields = serde_json::from_str(&record.fields).unwrap_or_default();
    Ok(Page { record, row, fields, contacts, cases, following })
}

/// What is written of a record; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Its name.
    pub name: Option<String>,
    /// Mail addresses, all of them.
    pub addresses: Option<Vec<String>>,
    /// Domains, all of them.
    pub domains: Option<Vec<String>>,
    /// Its account; `Some(None)` for none.
    pub account: Option<Option<RecordId>>,
    /// Fields, all of them, in their order.
    pub fields: Option<Vec<Field>>,
    /// Its id in another system; `Some(None)` for none.
    pub external_id: Option<Option<String>>,
}

/// Whether [`put`] made a record or changed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is new.
    Created,
    /// There was one with this external id.
    Changed,
}

/// Makes a record, or changes the one with the same kind and external id. Its maker follows it.
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
    let there = match &external {
        Some(external) => records::by_external_id(&mut tx, kind, external).await?,
        None => None,
    };
    let (put, id) = match there {
        Some(id) => (Put::Changed, write(&mut tx, actor, id, None, wanted, now).await?),
        None => (Put::Created, add(&mut tx, actor, kind, wanted, now).await?),
    };
    let page = page(&mut tx, actor, id).await?;
    tx.commit().await?;
    Ok((put, page))
}

async fn add(
    tx: &mut Tx,
    actor: &Actor,
    kind: RecordKind,
    wanted: Changes,
    now: Time,
) -> Result<RecordId, Refusal> {
    let content = checked(tx, actor, kind, wanted, None).await?;
    let id = records::add(tx, kind, &content, now).await?;
    if let Some(user) = actor.user {
        records::follow(tx, id, user).await?;
    }
    tell(tx, actor, id, StreamKind::Created, now).await?;
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
    write(&mut tx, actor, id, Some(version), wanted, now).await?;
    let page = page(&mut tx, actor, id).await?;
    tx.commit().await?;
    Ok(page)
}

async fn write(
    tx: &mut Tx,
    actor: &Actor,
    id: RecordId,
    version: Option<i64>,
    wanted: Changes,
    now: Time,
) -> Result<RecordId, Refusal> {
    let record = records::record(tx, id, &actor.records_heard()).await?.ok_or(Refusal::NotFound)?;
    if record.kind == RecordKind::Case {
        return Err(Refusal::conflict("is_case", "A case is changed at PATCH /cases/{id}."));
    }
    if version.is_some_and(|version| version != record.version) {
        return Err(changed_meanwhile());
    }
    let content = checked(tx, actor, record.kind, wanted, Some(&record)).await?;
    if content == content_of(&record) {
        return Ok(id);
    }
    let written = match records::change(tx, id, record.version, &content, now).await {
        Err(Error::Conflict { .. }) => return Err(external_id_taken()),
        written => written?,
    };
    if !written {
        return Err(changed_meanwhile());
    }
    tell(tx, actor, id, StreamKind::Changed, now).await?;
    changes::add(tx, change_of(id, record.kind, "changed"), now).await?;
    Ok(id)
}

pub(crate) fn changed_meanwhile() -> Refusal {
    let message = "Somebody changed this meanwhile. Load it again and repeat your change.";
    Refusal::conflict("changed_meanwhile", message)
}

fn external_id_taken() -> Refusal {
    Refusal::conflict("external_id_taken", "Another record of this kind has this external id.")
}

fn content_of(record: &Record) -> Content {
    Content {
        name: record.name.clone(),
        folded: fold(&record.name),
        account: record.account.as_ref().map(|(id, _)| *id),
        external_id: record.external_id.clone(),
        fields: record.fields.clone(),
        addresses: record.addresses.clone(),
        domains: record.domains.clone(),
    }
}

/// The content as it is to be, over what is there.
async fn checked(
    tx: &mut Tx,
    actor: &Actor,
    kind: RecordKind,
    wanted: Changes,
    there: Option<&Record>,
) -> Result<Content, Refusal> {
    let before = there.map(content_of);
    let name = wanted.name.or_else(|| before.as_ref().map(|c| c.name.clone())).unwrap_or_default();
    let name = one_line("name", &name, LONGEST_NAME)?;
    if name.is_empty() {
        return Err(invalid("name", "required", "A record needs a name."));
    }
    let fields = match wanted.fields {
        Some(fields) => checked_fields(&fields)?,
        None => before.as_ref().map_or("[]".to_owned(), |c| c.fields.clone()),
    };
    let account = wanted.account.unwrap_or(before.as_ref().and_then(|c| c.account));
    checked_account(tx, actor, kind, there, account).await?;
    let external_id = match wanted.external_id {
        Some(Some(id)) => Some(one_line("external_id", &id, LONGEST_VALUE)?).filter(|id| !id.is_empty()),
        Some(None) => None,
        None => before.as_ref().and_then(|c| c.external_id.clone()),
    };
    let addresses = match wanted.addresses {
        Some(list) => values("addresses", &list, is_address)?,
        None => before.as_ref().map(|c| c.addresses.clone()).unwrap_or_default(),
    };
    let domains = match wanted.domains {
        Some(list) => values("domains", &list, is_domain)?,
        None => before.map(|c| c.domains).unwrap_or_default(),
    };
    Ok(Content { folded: fold(&name), name, account, external_id, fields, addresses, domains })
}

fn one_line(field: &'static str, text: &str, longest: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.len() > longest {
        return Err(invalid(field, "too_long", format!("At most {longest} bytes.")).with("most", longest));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(field, "bad_text", "One line of plain text."));
    }
    Ok(text.to_owned())
}

fn checked_fields(fields: &[Field]) -> Result<String, Refusal> {
    if fields.len() > MOST_VALUES {
        return Err(
            invalid("fields", "too_many", format!("At most {MOST_VALUES} fields.")).with("most", MOST_VALUES)
        );
    }
    for field in fields {
        if one_line("fields", &field.label, LONGEST_VALUE)?.is_empty() {
            return Err(invalid("fields", "required", "Every field needs a label."));
        }
        if field.value.len() > LONGEST_FIELD {
            return Err(invalid("fields", "too_long", format!("A value has at most {LONGEST_FIELD} bytes."))
                .with("most", LONGEST_FIELD));
        }
    }
    serde_json::to_string(fields).map_err(|error| Refusal::Failed(error.into()))
}

/// Lower case, each once, in alphabetical order, as the shelf gives them back.
fn values(field: &'static str, list: &[String], fits: impl Fn(&str) -> bool) -> Result<Vec<String>, Refusal> {
    if list.len() > MOST_VALUES {
        return Err(invalid(field, "too_many", format!("At most {MOST_VALUES}.")).with("most", MOST_VALUES));
    }
    let mut out = Vec::with_capacity(list.len());
    for text in list {
        let value = one_line(field, text, LONGEST_VALUE)?.to_lowercase();
        if !fits(&value) {
            return Err(invalid(field, "bad_value", format!("“{value}” cannot be one.")).with("value", value));
        }
        out.push(value);
    }
    out.sort();
    out.dedup();
    Ok(out)
}

fn is_address(text: &str) -> bool {
    let domain = text.rsplit_once('@').filter(|(local, _)| !local.is_empty()).map(|(_, domain)| domain);
    domain.is_some_and(|domain| !domain.is_empty()) && !text.contains([' ', '<', '>', ',', ';'])
}

fn is_domain(text: &str) -> bool {
    let letters =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    text.contains('.') && text.split('.').all(letters)
}

async fn checked_account(
    tx: &mut Tx,
    actor: &Actor,
    kind: RecordKind,
    there: Option<&Record>,
    account: Option<RecordId>,
) -> Result<(), Refusal> {
    let unchanged = there.is_some_and(|r| r.account.as_ref().map(|(id, _)| *id) == account);
    let Some(account) = account.filter(|_| !unchanged) else {
        return Ok(());
    };
    if kind == RecordKind::Account {
        return Err(invalid("account_id", "bad_value", "An account has no account."));
    }
    match records::record(tx, account, &actor.records_heard()).await? {
        Some(record) if record.kind == RecordKind::Account => Ok(()),
        _ => Err(invalid("account_id", "unknown", "There is no such account, or you may not see it.")),
    }
}

async fn tell(tx: &mut Tx, actor: &Actor, id: RecordId, kind: StreamKind, at: Time) -> Result<(), Refusal> {
    let entry = NewEntry {
        record: Some(id),
        thread: None,
        kind,
        user: actor.user,
        body: String::new(),
        data: "{}".to_owned(),
        at,
    };
    stream::add(tx, entry).await?;
    Ok(())
}

/// Its stream, newest first, before `before`; and the cursor of the next part, if there is one.
pub async fn stream(
    desk: &Desk,
    actor: &Actor,
    id: RecordId,
    before: Option<NoteId>,
    limit: i64,
) -> Result<(Vec<Entry>, Option<NoteId>), Refusal> {
    actor.may(Verb::ReadRecords)?;
    let mut sql = desk.db.snapshot().await?;
    visible(&mut sql, actor, id).await?;
    let access = actor.mail_access();
    // One more than asked for says whether there is a next part.
    let mut rows = stream::of_record(&mut sql, id, &access, before, limit + 1).await?;
    let more = rows.len() as i64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(0));
    let next = rows.last().map(|entry| entry.id).filter(|_| more);
    Ok((rows, next))
}

/// The threads of a record, newest first; of an account also those of its contacts.
pub async fn threads(
    desk: &Desk,
    actor: &Actor,
    id: RecordId,
    offset: i64,
    limit: i64,
) -> Result<thread::Page, Refusal> {
    actor.may(Verb::ReadRecords)?;
    let mut sql = desk.db.snapshot().await?;
    let version = changes::last(&mut sql).await?.0;
    let mut ids = vec![id];
    if visible(&mut sql, actor, id).await? == RecordKind::Account {
        ids.extend(records::contacts_of(&mut sql, id).await?);
    }
    let reader = Reader { user: actor.user };
    let access = actor.mail_access();
    let (total, mut rows) = threads::of_records(&mut sql, &ids, &access, reader, offset, limit).await?;
    thread::keep_visible(&mut sql, &mut rows, &actor.records_heard()).await?;
    Ok(thread::Page { total, version, rows })
}

/// Lets the actor follow a record: they hear of what happens to it.
pub async fn follow(desk: &Desk, actor: &Actor, id: RecordId) -> Result<(), Refusal> {
    actor.may(Verb::FollowRecord)?;
    let user = actor.person()?;
    let mut tx = desk.db.begin().await?;
    let kind = visible(&mut tx, actor, id).await?;
    records::follow(&mut tx, id, user).await?;
    changes::add(&mut tx, change_of(id, kind, "followed"), desk.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// Ends that.
pub async fn unfollow(desk: &Desk, actor: &Actor, id: RecordId) -> Result<(), Refusal> {
    actor.may(Verb::FollowRecord)?;
    let user = actor.person()?;
    let mut tx = desk.db.begin().await?;
    let kind = visible(&mut tx, actor, id).await?;
    records::unfollow(&mut tx, id, user).await?;
    changes::add(&mut tx, change_of(id, kind, "unfollowed"), desk.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// What the record is, if the actor may see it.
pub(crate) async fn visible(sql: &mut impl Sql, actor: &Actor, id: RecordId) -> Result<RecordKind, Refusal> {
    let kind = records::kind(sql, id, &actor.records_heard()).await?;
    kind.ok_or(Refusal::NotFound)
}

/// A change of a record.
pub(crate) fn change_of(id: RecordId, kind: RecordKind, action: &'static str) -> Change {
    let kind = if kind == RecordKind::Case { ChangeKind::Case } else { ChangeKind::Record };
    Change { kind, entity_id: id.0, thread: None, action }
}
