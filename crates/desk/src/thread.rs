//! Threads: views and lists, the page of one, read marks.
//!
//! Reading goes through here too, not only writing: what a person may see of a thread (its records,
//! its events) is decided in one place, and the API only gives it its outer shape.

use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, message, notification, suggestion};
use model::{MailboxId, MessageId, ProcessId, RecordId, TeamId, ThreadId, Time};
use std::collections::{HashMap, HashSet};
use store::changes::{self, Change, ChangeKind, RecordsHeard};
use store::links::{self, Link};
use store::messages::{self, Message};
use store::people;
use store::records;
use store::sql::Sql;
use store::stream::{self, Entry};
use store::suggestions::{self, Suggestion};
use store::threads::{self, Charge, Filter, Part, Reader, ThreadRow, View};

/// Areas of work that are counted.
const MOST_PROCESSES: usize = 50;

/// The lists of an inbox and how many threads they have.
#[derive(Clone, Debug)]
pub struct Views {
    /// Each list with its count.
    pub counts: Vec<(View, i64)>,
    /// The mailboxes somebody may look into, with their open threads.
    pub mailboxes: Vec<MailboxCount>,
    /// The newest change the numbers know of.
    pub version: i64,
    /// The reader's teams, with what is open of each.
    pub teams: Vec<(TeamId, String, i64)>,
    /// Areas of work that have something open.
    pub processes: Vec<(ProcessId, String, i64)>,
}

/// A mailbox as a list of its own.
#[derive(Clone, Debug)]
pub struct MailboxCount {
    /// The mailbox.
    pub id: MailboxId,
    /// Its address.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Its open threads.
    pub open: i64,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// How many threads the whole list has.
    pub total: i64,
    /// The newest change the list knows of.
    pub version: i64,
    /// The part.
    pub rows: Vec<ThreadRow>,
}

/// Something in a thread, in the order it happened.
#[derive(Clone, Debug)]
pub enum Item {
    /// A message.
    Message(Box<Message>),
    /// A note or an event.
    Entry(Box<Entry>),
}

/// A thread with everything in it.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Its line in a list.
    pub row: ThreadRow,
    /// Who is in charge of it and whether it was answered.
    pub charge: Charge,
    /// Messages, notes and events, oldest first.
    pub items: Vec<Item>,
    /// Its records and why.
    pub links: Vec<Link>,
    /// Records that it might concern too.
    pub suggestions: Vec<Suggestion>,
    /// Remote pictures that are kept from loading, by message: of the newest
    /// [`message::MOST_COUNTED`] messages with HTML.
    pub blocked_remote: HashMap<MessageId, u32>,
    /// The newest change this knows of.
    pub version: i64,
}

/// The lists and their counts.
pub async fn views(desk: &Desk, actor: &Actor) -> Result<Views, Refusal> {
    actor.may(Verb::ReadMail)?;
    let access = actor.mail_access();
    let mut sql = desk.db.snapshot().await?;
    let version = changes::last(&mut sql).await?.0;
    let mut counts = Vec::with_capacity(View::ALL.len());
    let now = desk.clock.now();
    let filter = |view, part| Filter { view, part, access: &access, user: actor.user, now };
    for view in View::ALL {
        counts.push((*view, threads::count(&mut sql, &filter(*view, None)).await?));
    }
    let mut of_mailboxes = Vec::new();
    for (id, address, name) in threads::mailboxes(&mut sql, &access).await? {
        let open = threads::count(&mut sql, &filter(View::Open, Some(Part::Mailbox(id)))).await?;
        of_mailboxes.push(MailboxCount { id, address, name, open });
    }
    let mut teams = people::teams(&mut sql).await?;
    teams.retain(|(id, _)| actor.teams.contains(id));
    let mut of_teams = Vec::with_capacity(teams.len());
    for (id, name) in teams {
        let open = threads::count(&mut sql, &filter(View::Open, Some(Part::Team(id)))).await?;
        of_teams.push((id, name, open));
    }
    let mut of_processes = Vec::new();
    for (id, name) in people::processes(&mut sql).await?.into_iter().take(MOST_PROCESSES) {
        let open = threads::count(&mut sql, &filter(View::Open, Some(Part::Process(id)))).await?;
        if open > 0 {
            of_processes.push((id, name, open));
        }
    }
    Ok(Views { counts, mailboxes: of_mailboxes, version, teams: of_teams, processes: of_processes })
}

/// A part of a list by position, newest first.
pub async fn list(
    desk: &Desk,
    actor: &Actor,
    view: View,
    part: Option<Part>,
    offset: i64,
    limit: i64,
) -> Result<Page, Refusal> {
    actor.may(Verb::ReadMail)?;
    let access = actor.mail_access();
    let filter = Filter { view, part, access: &access, user: actor.user, now: desk.clock.now() };
    let mut sql = desk.db.snapshot().await?;
    let version = changes::last(&mut sql).await?.0;
    let total = threads::count(&mut sql, &filter).await?;
    let mut rows = threads::list(&mut sql, &filter, total, offset, limit).await?;
    keep_visible(&mut sql, &mut rows, &actor.records_heard()).await?;
    Ok(Page { total, version, rows })
}

/// One thread. One that was merged into another answers as the other.
pub async fn open(desk: &Desk, actor: &Actor, id: ThreadId) -> Result<Thread, Refusal> {
    actor.may(Verb::ReadMail)?;
    let heard = actor.records_heard();
    let mut sql = desk.db.snapshot().await?;
    let version = changes::last(&mut sql).await?.0;
    let id = threads::survivor(&mut sql, id).await?;
    let reader = Reader { user: actor.user };
    let row = threads::row(&mut sql, id, &actor.mail_access(), reader).await?;
    let mut row = row.ok_or(Refusal::NotFound)?;
    let case = row.case.as_ref().map(|case| case.id);
    keep_visible(&mut sql, std::slice::from_mut(&mut row), &heard).await?;
    let charge = threads::charge(&mut sql, id, &heard).await?;
    let mut messages = messages::of_thread(&mut sql, id).await?;
    messages.iter_mut().for_each(|message| message::keep_places(actor, message));
    let entries = stream::of_thread(&mut sql, id, case).await?;
    let all = links::of_thread(&mut sql, id).await?;
    let named = all.iter().map(|link| link.record.id).chain(entries.iter().filter_map(|e| e.record));
    let named: HashSet<RecordId> = named.collect();
    let seen = seen(&mut sql, named, &heard).await?;
    let linked = all.into_iter().filter(|link| seen.contains(&link.record.id)).collect();
    let entries = entries.into_iter().filter(|entry| entry.record.is_none_or(|id| seen.contains(&id)));
    let suggestions = suggestions::of_thread(&mut sql, id, &heard, suggestion::MOST).await?;
    let blocked_remote = message::blocked_remote(&mut sql, &messages).await?;
    drop(sql);
    let blocked_remote = blocked_remote.count().await?;
    let items = merged(messages, entries);
    Ok(Thread { row, charge, items, links: linked, suggestions, blocked_remote, version })
}

/// Which of these records may be seen.
async fn seen(
    sql: &mut impl Sql,
    ids: HashSet<RecordId>,
    heard: &RecordsHeard,
) -> Result<HashSet<RecordId>, Refusal> {
    let ids: Vec<RecordId> = ids.into_iter().collect();
    Ok(records::visible_of(sql, &ids, heard).await?)
}

/// Takes what the reader may not see of the records out of lines. The case's status stays: it says
/// how the thread stands, and whoever may read the thread may know that.
pub(crate) async fn keep_visible(
    sql: &mut impl Sql,
    rows: &mut [ThreadRow],
    heard: &RecordsHeard,
) -> Result<(), Refusal> {
    if matches!(heard, RecordsHeard::All) {
        return Ok(());
    }
    let ids = rows.iter().flat_map(|row| row.records.iter().map(|record| record.id)).collect();
    let seen = seen(sql, ids, heard).await?;
    for row in rows {
        row.records.retain(|record| seen.contains(&record.id));
    }
    Ok(())
}

/// By time; a message before what was done about it in the same moment.
fn merged(messages: Vec<Message>, entries: impl Iterator<Item = Entry>) -> Vec<Item> {
    let messages = messages.into_iter().map(|message| Item::Message(Box::new(message)));
    let mut items: Vec<Item> = messages.chain(entries.map(|entry| Item::Entry(Box::new(entry)))).collect();
    items.sort_by_key(Item::at);
    items
}

impl Item {
    /// When it happened: a message when it was received, for its writer's clock may be wrong.
    pub fn at(&self) -> Time {
        match self {
            Item::Message(message) => message.received_at,
            Item::Entry(entry) => entry.at,
        }
    }
}

/// Marks a thread read by the actor, up to its newest message.
pub async fn mark_read(desk: &Desk, actor: &Actor, id: ThreadId) -> Result<(), Refusal> {
    mark(desk, actor, id, "read", |newest| newest).await
}

/// Marks a thread unread for the actor: its newest message is new again.
pub async fn mark_unread(desk: &Desk, actor: &Actor, id: ThreadId) -> Result<(), Refusal> {
    mark(desk, actor, id, "unread", |newest| MessageId(newest.0 - 1)).await
}

async fn mark(
    desk: &Desk,
    actor: &Actor,
    id: ThreadId,
    action: &'static str,
    up_to: impl Fn(MessageId) -> MessageId,
) -> Result<(), Refusal> {
    actor.may(Verb::MarkRead)?;
    let user = actor.person()?;
    let mut tx = desk.db.begin().await?;
    visible(&mut tx, actor, id).await?;
    let newest = messages::newest(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    threads::read_up_to(&mut tx, user, id, up_to(newest)).await?;
    if action == "read" {
        notification::read_of_thread(desk, &mut tx, user, id).await?;
    }
    changes::add(&mut tx, change(id, action), desk.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// Refuses where the actor may not see the thread, as if there were none.
pub(crate) async fn visible(sql: &mut impl Sql, actor: &Actor, id: ThreadId) -> Result<(), Refusal> {
    match threads::visible(sql, id, &actor.mail_access()).await? {
        true => Ok(()),
        false => Err(Refusal::NotFound),
    }
}

/// A change of a thread.
pub(crate) fn change(id: ThreadId, action: &'static str) -> Change {
    Change { kind: ChangeKind::Thread, entity_id: id.0, thread: Some(id), action }
}
