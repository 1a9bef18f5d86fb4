//! Accounts, contacts, leads, opportunities: lists, pages, streams, and what changes them.
//!
//! Addresses and domains matter to mail that comes later; threads that are there already are linked
//! by hand. A record that was merged into another answers as that one, wherever it is asked for: its id
//! stands in bookmarks, mails and other systems.

mod check;
mod convert;
mod difference;
pub(crate) mod find;
pub(crate) mod form;
pub mod import;
mod merge;
mod write;

pub use convert::{Conversion, ToAccount, convert};
pub use difference::{FieldChange, decimal};
pub use form::{Found, try_form};
pub use merge::{Alike, Duplicate, Merge, duplicates, merge};
pub(crate) use write::changed_meanwhile;
pub use write::{Changes, Put, change, put};

use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, case, thread};
use mail::fold::fold;
use model::{CaseStatus, NoteId, RecordId, RecordKind, TeamId, UserId};
use serde::{Deserialize, Serialize};
use store::changes::{self, Change, ChangeKind, RecordsHeard};
use store::records::{self, CaseRow, Filter, Record, RecordRow, Sort, StageSum};
use store::sql::Sql;
use store::stream::{self, Entry, Only};
use store::threads::{self, Reader};

/// Longest name, in bytes.
pub const LONGEST_NAME: usize = 500;
/// Addresses, domains or fields one record may have.
pub const MOST_VALUES: usize = 200;
/// Longest address, domain, label or external id, in bytes.
pub const LONGEST_VALUE: usize = 320;
/// Longest value of a field, in bytes.
pub const LONGEST_FIELD: usize = 20_000;
/// Longest description, in bytes.
pub const LONGEST_TEXT: usize = 100_000;

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
    /// Of opportunities their stage, of leads their status.
    pub stage: Option<&'static str>,
    /// Who is to act; `Some(None)` for nobody.
    pub assignee: Option<Option<UserId>>,
    /// The team in charge.
    pub team: Option<TeamId>,
    /// The contacts, leads, opportunities and cases of this account.
    pub account: Option<RecordId>,
    /// Those the actor follows.
    pub followed: bool,
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
    let filter = filter(actor, listing, &heard);
    let mut sql = desk.db.snapshot().await?;
    let total = records::count(&mut sql, &filter).await?;
    let rows = records::list(&mut sql, &filter, &actor.mail_access(), offset, limit).await?;
    Ok((total, rows))
}

/// Numbers and sums of a list's records, by stage and currency: the heads of a board.
pub async fn stages(desk: &Desk, actor: &Actor, listing: Listing) -> Result<Vec<StageSum>, Refusal> {
    actor.may(Verb::ReadRecords)?;
    let heard = actor.records_heard();
    let mut sql = desk.db.snapshot().await?;
    Ok(records::stages(&mut sql, &filter(actor, listing, &heard)).await?)
}

fn filter<'a>(actor: &Actor, listing: Listing, heard: &'a RecordsHeard) -> Filter<'a> {
    let by_kind = if listing.kind == Some(RecordKind::Case) { Sort::Number } else { Sort::Name };
    Filter {
        kind: listing.kind,
        text: listing.text.as_deref().map(searched).filter(|text| !text.is_empty()),
        status: listing.status,
        stage: listing.stage,
        assignee: listing.assignee,
        team: listing.team,
        account: listing.account,
        follower: actor.user.filter(|_| listing.followed),
        sort: listing.sort.unwrap_or(by_kind),
        heard,
    }
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
    /// Of an account: its contacts, also those who have it among further ones.
    pub contacts: Vec<RecordRow>,
    /// Of an account: its opportunities.
    pub opportunities: Vec<RecordRow>,
    /// Its cases, newest first.
    pub cases: Vec<CaseRow>,
    /// Whether the actor follows it.
    pub following: bool,
}

/// One record. Cases answer too; what only they have is at [`crate::case::open`].
pub async fn open(desk: &Desk, actor: &Actor, id: RecordId) -> Result<Page, Refusal> {
    actor.may(Verb::ReadRecords)?;
    let mut sql = desk.db.snapshot().await?;
    let id = records::survivor(&mut sql, id).await?;
    page(&mut sql, actor, id).await
}

async fn page(sql: &mut impl Sql, actor: &Actor, id: RecordId) -> Result<Page, Refusal> {
    let heard = actor.records_heard();
    let access = actor.mail_access();
    let mut record = records::record(sql, id, &heard).await?.ok_or(Refusal::NotFound)?;
    if record.kind == RecordKind::Case && !case::is_read_by(sql, actor, id).await? {
        record.description.clear();
    }
    let row = records::rows(sql, &[id], &access).await?.pop().ok_or(Refusal::NotFound)?;
    let (mut contacts, mut opportunities) = (Vec::new(), Vec::new());
    if record.kind == RecordKind::Account {
        let of = |kind| Filter { kind: Some(kind), account: Some(id), ..Filter::all(&heard) };
        let most = records::MOST_RELATED as i64;
        contacts = records::list(sql, &of(RecordKind::Contact), &access, 0, most).await?;
        opportunities = records::list(sql, &of(RecordKind::Opportunity), &access, 0, most).await?;
    }
    let cases = match record.kind {
        RecordKind::Case => Vec::new(),
        _ => records::cases_of(sql, id, &heard).await?,
    };
    let following = match actor.user {
        Some(user) => records::follows(sql, id, user).await?,
        None => false,
    };
    let fields = fields_of(&record);
    Ok(Page { record, row, fields, contacts, opportunities, cases, following })
}

/// What cannot be read was not written by this program; the rest of the record is still of use.
fn fields_of(record: &Record) -> Vec<Field> {
    serde_json::from_str(&record.fields).unwrap_or_default()
}

/// Its stream, newest first, before `before`; and the cursor of the next part, if there is one.
pub async fn stream(
    desk: &Desk,
    actor: &Actor,
    id: RecordId,
    before: Option<NoteId>,
    limit: i64,
) -> Result<(Vec<Entry>, Option<NoteId>), Refusal> {
    stream_of(desk, actor, id, None, before, limit).await
}

/// The same of mail, of notes or of changes alone.
pub async fn stream_of(
    desk: &Desk,
    actor: &Actor,
    id: RecordId,
    only: Option<Only>,
    before: Option<NoteId>,
    limit: i64,
) -> Result<(Vec<Entry>, Option<NoteId>), Refusal> {
    actor.may(Verb::ReadRecords)?;
    let mut sql = desk.db.snapshot().await?;
    let (id, _) = living(&mut sql, actor, id).await?;
    let access = actor.mail_access();
    // One more than asked for says whether there is a next part.
    let mut rows = stream::of_record(&mut sql, id, &access, only, before, limit + 1).await?;
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
    let (id, kind) = living(&mut sql, actor, id).await?;
    let mut ids = vec![id];
    if kind == RecordKind::Account {
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
    let (id, kind) = living(&mut tx, actor, id).await?;
    records::follow(&mut tx, id, user).await?;
    changes::add(&mut tx, change_of(id, kind, "followed"), desk.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// Ends that.
pub async fn unfollow(desk: &Desk, actor: &Actor, id: RecordId) -> Result<(), Refusal> {
    actor.may(Verb::FollowRecord)?;
    let user = actor.person()?;
    let mut tx = desk.db.begin().await?;
    let (id, kind) = living(&mut tx, actor, id).await?;
    records::unfollow(&mut tx, id, user).await?;
    changes::add(&mut tx, change_of(id, kind, "unfollowed"), desk.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// The record that this id stands for and what it is, if the actor may see it.
pub(crate) async fn living(
    sql: &mut impl Sql,
    actor: &Actor,
    id: RecordId,
) -> Result<(RecordId, RecordKind), Refusal> {
    let id = records::survivor(sql, id).await?;
    Ok((id, visible(sql, actor, id).await?))
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
