//! Cases: the page of one, what changes it, and making one by hand.
//!
//! A case is a record; what only it has (status, assignee, priority, snooze) is changed here. Status,
//! assignee and snooze stand a second time with each of its threads, where the views look for them, and
//! are written there in the same transaction. A case that was merged into another is that other one for
//! whoever asks.

mod charge;
mod merge;
mod snooze;
mod split;
pub(crate) mod status;
mod tick;

pub use merge::merge;
pub use snooze::snooze_thread;
pub use split::split;
pub(crate) use tick::give;
pub use tick::{Ticked, tick};

use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, access, record, thread};
use charge::{Given, in_charge};
use mail::fold::fold;
pub use model::Priority;
use model::{CaseStatus, LinkReason, ProcessId, RecordId, RecordKind, TeamId, ThreadId, Time, UserId};
use store::changes::{self, Change, ChangeKind, RecordsHeard};
use store::links::{self, Link, NewLink};
use store::people::Access;
use store::records::{self, CaseChange, CasePart, NewCase, Record};
use store::sql::{Sql, Tx};
use store::stream::{self, NewEntry, StreamKind};
use store::threads::{self, Reader, ThreadRow};

/// Longest subject, in bytes.
pub const LONGEST_SUBJECT: usize = 1000;
/// Threads of a case that its page shows.
const MOST_THREADS: i64 = 200;

/// A case with its threads.
#[derive(Clone, Debug)]
pub struct Case {
    /// The record.
    pub record: Record,
    /// What only cases have.
    pub part: CasePart,
    /// Its threads, newest first, as far as they may be seen.
    pub threads: Vec<ThreadRow>,
    /// Records its visible threads are linked to, and why.
    pub links: Vec<Link>,
    /// The case it continues, and the one that continues it, as far as they may be seen: number and subject.
    pub before: Option<Named>,
    /// The later one.
    pub after: Option<Named>,
}

/// A case in two words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The case.
    pub id: RecordId,
    /// Its number.
    pub number: i64,
    /// Its subject.
    pub subject: String,
}

/// What is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Where it stands.
    pub status: Option<CaseStatus>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// Who is to act; `Some(None)` for nobody.
    pub assignee: Option<Option<UserId>>,
    /// The team in charge.
    pub team: Option<Option<TeamId>>,
    /// The area of work.
    pub process: Option<Option<ProcessId>>,
    /// Out of sight until then; `Some(None)`: seen again now.
    pub snoozed_until: Option<Option<Time>>,
    /// Its subject.
    pub subject: Option<String>,
    /// The version the changes were thought for; without one the newest wins.
    pub version: Option<i64>,
}

/// One case.
pub async fn open(desk: &Desk, actor: &Actor, id: RecordId) -> Result<Case, Refusal> {
    actor.may(Verb::ReadRecords)?;
    let mut sql = desk.db.snapshot().await?;
    let id = records::case_survivor(&mut sql, id).await?;
    page(&mut sql, actor, id).await
}

/// The case of a number, as people say it.
pub async fn by_number(desk: &Desk, actor: &Actor, number: i64) -> Result<Case, Refusal> {
    actor.may(Verb::ReadRecords)?;
    let id = records::case_by_number(&mut &desk.db, number).await?.ok_or(Refusal::NotFound)?;
    open(desk, actor, id).await
}

async fn page(sql: &mut impl Sql, actor: &Actor, id: RecordId) -> Result<Case, Refusal> {
    let (record, part) = visible(sql, actor, id).await?;
    page_of(sql, actor, record, part).await
}

async fn page_of(
    sql: &mut impl Sql,
    actor: &Actor,
    mut record: Record,
    mut part: CasePart,
) -> Result<Case, Refusal> {
    let id = record.id;
    let access = actor.mail_access();
    let reader = Reader { user: actor.user };
    let (_, mut threads) = threads::of_records(sql, &[id], &access, reader, 0, MOST_THREADS).await?;
    if !is_read_by(sql, actor, id).await? {
        record.description.clear();
        part.customer.clear();
    }
    let heard = actor.records_heard();
    thread::keep_visible(sql, &mut threads, &heard).await?;
    let mut all: Vec<Link> = Vec::new();
    for thread in &threads {
        for link in links::of_thread(sql, thread.id).await? {
            let new = link.record.id != id && all.iter().all(|other| other.record.id != link.record.id);
            let all_heard = matches!(heard, RecordsHeard::All);
            if new && (all_heard || records::visible(sql, link.record.id, &heard).await?) {
                all.push(link);
            }
        }
    }
    let before = named(sql, part.continues, &heard).await?;
    let after = records::continued_by(sql, id).await?;
    let after = named(sql, after, &heard).await?;
    Ok(Case { record, part, threads, links: all, before, after })
}

/// Whether they may read any of a case's mail. Whom it concerns without that learns that there is work, and not
/// what was written by whom.
pub(crate) async fn is_read_by(sql: &mut impl Sql, actor: &Actor, id: RecordId) -> Result<bool, Refusal> {
    let access = actor.mail_access();
    if matches!(access, Access::All) {
        return Ok(true);
    }
    let threads = threads::of_case(sql, id).await?;
    Ok(!threads::visible_of(sql, &threads, &access).await?.is_empty())
}

async fn named(
    sql: &mut impl Sql,
    id: Option<RecordId>,
    heard: &RecordsHeard,
) -> Result<Option<Named>, Refusal> {
    let Some(id) = id else { return Ok(None) };
    let record = records::record(sql, id, heard).await?;
    Ok(record.and_then(|record| Some(Named { id, number: record.case?.number, subject: record.name })))
}

/// A case the actor may see.
async fn visible(sql: &mut impl Sql, actor: &Actor, id: RecordId) -> Result<(Record, CasePart), Refusal> {
    let record = records::record(sql, id, &actor.records_heard()).await?.ok_or(Refusal::NotFound)?;
    let part = record.case.clone().ok_or(Refusal::NotFound)?;
    Ok((record, part))
}

/// Changes a case, with an entry in its stream for each thing that became different.
pub async fn change(desk: &Desk, actor: &Actor, id: RecordId, wanted: Changes) -> Result<Case, Refusal> {
    actor.may(Verb::ChangeCase)?;
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let (record, part) = visible(&mut tx, actor, id).await?;
    if wanted.version.is_some_and(|version| version != record.version) {
        return Err(record::changed_meanwhile());
    }
    let (new, given) = applied(&mut tx, &record, &part, &wanted, now).await?;
    let told = differences(&mut tx, &record, &part, &new, given.by()).await?;
    let status = wanted.status.unwrap_or(part.status);
    if told.is_empty() && status == part.status {
        return page(&mut tx, actor, id).await;
    }
    let event = given.event(&record, &new);
    if !records::change_case(&mut tx, id, record.version, new, now).await? {
        return Err(record::changed_meanwhile());
    }
    threads::follow_case(&mut tx, id).await?;
    access::refresh_record(&mut tx, id).await?;
    for (kind, data) in told {
        tell(&mut tx, actor, id, None, kind, data, now).await?;
    }
    status::set(&mut tx, actor, id, (part.status, status), now).await?;
    if let Some(event) = event {
        tick::tell_in_charge(desk, &mut tx, event, id, actor.user).await?;
    }
    // Whoever gives away what they saw only because it was theirs sees once more how they left it.
    let record = records::record(&mut tx, id, &RecordsHeard::All).await?.ok_or(Refusal::NotFound)?;
    let part = record.case.clone().ok_or(Refusal::NotFound)?;
    let case = page_of(&mut tx, actor, record, part).await?;
    tx.commit().await?;
    Ok(case)
}

/// The case as it is to be, and what decided who gets it.
async fn applied(
    tx: &mut Tx,
    record: &Record,
    part: &CasePart,
    wanted: &Changes,
    now: Time,
) -> Result<(CaseChange, Given), Refusal> {
    let subject = match &wanted.subject {
        Some(subject) => checked_subject(subject)?,
        None => record.name.clone(),
    };
    let is_closed = wanted.status.unwrap_or(part.status) == CaseStatus::Closed;
    let (assignee, team, given) = in_charge(tx, record, part.status, wanted, now).await?;
    let change = CaseChange {
        folded: fold(&subject),
        subject,
        priority: wanted.priority.map_or(part.priority.clone(), |word| word.word().to_owned()),
        assignee,
        team,
        process: match wanted.process {
            Some(process) => known_process(tx, process).await?,
            None => part.process.as_ref().map(|(id, _)| *id),
        },
        waits_for: given.waits_for(part),
        // Closing ends a snooze by itself.
        snoozed_until: match wanted.snoozed_until {
            _ if is_closed => part.snoozed_until,
            Some(until) => snooze::checked(until, now)?,
            None => part.snoozed_until,
        },
    };
    Ok((change, given))
}

fn checked_subject(subject: &str) -> Result<String, Refusal> {
    let subject = subject.trim();
    let message = match subject.len() {
        0 => "A case needs a subject.".to_owned(),
        LONGEST_SUBJECT.. => format!("A subject has fewer than {LONGEST_SUBJECT} bytes."),
        _ => return Ok(subject.to_owned()),
    };
    Err(Refusal::invalid("subject", "bad_text", message))
}

/// What becomes different, as entries for the stream; where it stands is told by [`status::set`].
async fn differences(
    tx: &mut Tx,
    record: &Record,
    part: &CasePart,
    new: &CaseChange,
    by: Option<&str>,
) -> Result<Vec<(StreamKind, serde_json::Value)>, Refusal> {
    let mut told = Vec::new();
    if new.assignee != record.assignee.as_ref().map(|(id, _)| *id) {
        let name = match new.assignee {
            Some(id) => store::people::user(tx, id).await?.map(|user| user.name),
            None => None,
        };
        let from = record.assignee.as_ref().map_or("", |(_, name)| name.as_str());
        let mut data = serde_json::json!({ "from": from, "to": name.unwrap_or_default() });
        if let Some(by) = by {
            data["by"] = by.into();
        }
        told.push((StreamKind::Assigned, data));
    }
    if new.priority != part.priority {
        let data = serde_json::json!({ "from": part.priority, "to": new.priority });
        told.push((StreamKind::PriorityChanged, data));
    }
    told.extend(snooze::told(part.snoozed_until, new.snoozed_until));
    if new.team != record.team.as_ref().map(|(id, _)| *id) {
        let names = store::people::teams(tx).await?;
        let to = names.into_iter().find(|(id, _)| Some(*id) == new.team).map(|(_, name)| name);
        told.push((StreamKind::TeamChanged, from_to(record.team.as_ref().map(|(_, name)| name), to)));
    }
    if new.process != part.process.as_ref().map(|(id, _)| *id) {
        let names = store::people::processes(tx).await?;
        let to = names.into_iter().find(|(id, _)| Some(*id) == new.process).map(|(_, name)| name);
        told.push((StreamKind::ProcessChanged, from_to(part.process.as_ref().map(|(_, name)| name), to)));
    }
    if new.subject != record.name {
        let data = serde_json::json!({ "from": record.name, "to": new.subject });
        told.push((StreamKind::Changed, data));
    }
    Ok(told)
}

fn from_to(from: Option<&String>, to: Option<String>) -> serde_json::Value {
    serde_json::json!({ "from": from.map_or("", String::as_str), "to": to.unwrap_or_default() })
}

async fn tell_everybody(tx: &mut Tx, id: RecordId, now: Time) -> Result<(), Refusal> {
    let case = Change { kind: ChangeKind::Case, entity_id: id.0, thread: None, action: "changed" };
    let mut all = vec![case];
    all.extend(threads::of_case(tx, id).await?.into_iter().map(|id| thread::change(id, "case")));
    changes::add_many(tx, all, now).await?;
    Ok(())
}

async fn tell(
    tx: &mut Tx,
    actor: &Actor,
    record: RecordId,
    thread: Option<ThreadId>,
    kind: StreamKind,
    data: serde_json::Value,
    at: Time,
) -> Result<(), Refusal> {
    let entry = NewEntry {
        record: Some(record),
        thread,
        kind,
        user: actor.user,
        body: String::new(),
        data: data.to_string(),
        at,
    };
    stream::add(tx, entry).await?;
    Ok(())
}

/// Makes a case of a thread by hand. One that has a case is a conflict. The account the thread is
/// most surely linked to is the case's account.
pub async fn create(
    desk: &Desk,
    actor: &Actor,
    thread_id: ThreadId,
    process: Option<ProcessId>,
) -> Result<Case, Refusal> {
    actor.may(Verb::CreateCase)?;
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let reader = Reader { user: actor.user };
    let row = threads::row(&mut tx, thread_id, &actor.mail_access(), reader).await?;
    let row = row.ok_or(Refusal::NotFound)?;
    if let Some(case) = row.case {
        let message = format!("The thread has a case already: number {}.", case.number);
        return Err(Refusal::conflict("case_exists", message).with("number", case.number));
    }
    let subject = if row.subject.trim().is_empty() { "–".to_owned() } else { row.subject.clone() };
    let all = links::of_thread(&mut tx, thread_id).await?;
    // What the thread was handed and filed to is the case's.
    let held = threads::charge(&mut tx, thread_id, &actor.records_heard()).await?;
    let new = NewCase {
        folded: fold(&subject),
        subject,
        account: all.iter().find(|l| l.record.kind == RecordKind::Account).map(|l| l.record.id),
        process: known_process(&mut tx, process).await?.or(held.process.map(|(id, _)| id)),
        // Somebody has to see what they made: their team, if they are in one.
        team: held.team.map(|(id, _)| id).or(actor.teams.first().copied()),
        assignee: held.user.map(|(id, _)| id),
        customer: row.from_address.to_lowercase(),
        last_at: row.last_at,
        at: now,
    };
    let (id, number) = records::add_case(&mut tx, new).await?;
    threads::join_case(&mut tx, thread_id, id).await?;
    link_own_case(&mut tx, actor, thread_id, id, now).await?;
    access::refresh(&mut tx, thread_id).await?;
    let data = serde_json::json!({ "number": number.to_string() });
    tell(&mut tx, actor, id, Some(thread_id), StreamKind::CaseCreated, data, now).await?;
    if let Some(user) = actor.user {
        records::follow(&mut tx, id, user).await?;
    }
    tell_everybody(&mut tx, id, now).await?;
    let case = page(&mut tx, actor, id).await?;
    tx.commit().await?;
    Ok(case)
}

async fn known_process(tx: &mut Tx, id: Option<ProcessId>) -> Result<Option<ProcessId>, Refusal> {
    let Some(id) = id else {
        return Ok(None);
    };
    match store::people::processes(tx).await?.iter().any(|(known, _)| *known == id) {
        true => Ok(Some(id)),
        false => Err(Refusal::invalid("process_id", "unknown", "There is no such process.")),
    }
}

async fn link_own_case(
    tx: &mut Tx,
    actor: &Actor,
    thread: ThreadId,
    case: RecordId,
    at: Time,
) -> Result<(), Refusal> {
    let link = NewLink {
        thread,
        record: case,
        reason: LinkReason::CreatedCase,
        detail: String::new(),
        user: actor.user,
        at,
    };
    links::add(tx, link).await?;
    Ok(())
}
