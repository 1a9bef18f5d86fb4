//! Events: what happened to mail and records that somebody should know of.
//!
//! Whoever makes an event names the people it concerns; [`event`] leaves out who did it, who may not see the
//! thread or the record, and who does not want to hear of it. What happens again to the same thread before
//! it was read is one line with a count. A mail tells of it once, and again when it was read meanwhile and
//! [`MAIL_PAUSE_S`] has passed: a talkative thread is no flood.
//!
//! Decided against rows that are written for everybody and hidden from some: what is not written cannot
//! leak. It is asked again when somebody looks ([`super::page`]), because rights are taken away too.

use super::changed_many;
use crate::may::Actor;
use crate::{Desk, Params, sending, sign_in};
use model::{MessageId, NotificationId, RecordId, ThreadId, Time, UserId};
use std::collections::{BTreeSet, HashMap, HashSet};
use store::notifications::{self, Before, Key, New};
use store::sql::{Error, Sql, Tx};
use store::{records, threads};

/// Seconds between two mails about the same thing to the same person.
pub const MAIL_PAUSE_S: i64 = 3600;
/// People one event is told to; the rest of a larger crowd learns of it from the lists.
const MOST_PEOPLE: usize = 500;

model::words! {
    /// What people can be told of.
    Event {
        /// A mail came to a record they follow.
        MailOnFollowed = "mail_on_followed",
        /// A mail came to a thread they are in charge of.
        ReplyOnMine = "reply_on_mine",
        /// They were put in charge of something.
        Assigned = "assigned",
        /// Somebody named them in a note.
        Mentioned = "mentioned",
        /// Their team has something that nobody is in charge of.
        TeamNew = "team_new",
        /// Somebody wrote a note on a record they follow.
        NoteOnFollowed = "note_on_followed",
        /// A case of theirs is back that was out of sight.
        SnoozeOver = "snooze_over",
        /// Nobody of their team could be given a case.
        NobodyAvailable = "nobody_available",
        /// An answer to a case of theirs was due.
        Overdue = "overdue",
    }
}

/// Where somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// In the interface.
    pub app: bool,
    /// By mail, to their first address.
    pub mail: bool,
}

impl Event {
    /// Where people are told of it who have not said otherwise: in the interface; of what is an alarm by mail too.
    pub fn default_ways(self) -> Ways {
        Ways { app: true, mail: self == Event::NobodyAvailable }
    }
}

/// What an event is about. Whom it is told may see all that is named here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The thread.
    pub thread: Option<ThreadId>,
    /// The record, or the case.
    pub record: Option<RecordId>,
    /// The message; of one message somebody is told once, by the first event that says so.
    pub message: Option<MessageId>,
}

/// An event and whom it concerns.
#[derive(Clone, Debug)]
pub struct Happened {
    /// What.
    pub event: Event,
    /// About what.
    pub subject: Subject,
    /// Who did it: is not told.
    pub by: Option<UserId>,
    /// Whom it concerns.
    pub people: Vec<UserId>,
    /// What the sentence speaks of: `subject` and `from` of a mail, `by` (a name), `name` of a record, `number`.
    pub data: Params,
}

/// Tells these people, as far as they may see it and want to know. In a filing push to `Round::happened`: its
/// threads can be seen only when the batch is written.
pub async fn event(
    desk: &Desk,
    tx: &mut Tx,
    event: Event,
    subject: &Subject,
    by: Option<UserId>,
    people: &[UserId],
    data: &Params,
) -> Result<(), Error> {
    let happened = Happened { event, subject: *subject, by, people: people.to_vec(), data: data.clone() };
    events(desk, tx, &[happened]).await
}

/// Tells of several events with a handful of queries, in this order.
pub(crate) async fn events(desk: &Desk, tx: &mut Tx, all: &[Happened]) -> Result<(), Error> {
    let people: BTreeSet<UserId> = all.iter().flat_map(concerned).collect();
    if people.is_empty() {
        return Ok(());
    }
    let people: Vec<UserId> = people.into_iter().collect();
    let rights = Rights::ask(tx, all, &people).await?;
    let lines = lines(all, &rights);
    write(desk, tx, lines).await
}

fn concerned(one: &Happened) -> impl Iterator<Item = UserId> {
    one.people.iter().copied().filter(|user| Some(*user) != one.by).take(MOST_PEOPLE)
}

/// What the people of some events may see and want to hear of.
struct Rights {
    ways: HashMap<(UserId, &'static str), Ways>,
    threads: HashMap<UserId, HashSet<ThreadId>>,
    records: HashMap<UserId, HashSet<RecordId>>,
}

impl Rights {
    async fn ask(sql: &mut impl Sql, all: &[Happened], people: &[UserId]) -> Result<Rights, Error> {
        let threads: Vec<ThreadId> = unique(all.iter().filter_map(|one| one.subject.thread));
        let records: Vec<RecordId> = unique(all.iter().filter_map(|one| one.subject.record));
        let mut rights = Rights { ways: HashMap::new(), threads: HashMap::new(), records: HashMap::new() };
        for actor in sign_in::actors(sql, people).await? {
            rights.see(sql, &actor, &threads, &records).await?;
        }
        for setting in notifications::settings(sql, people).await? {
            if let Some(event) = Event::of(&setting.event) {
                let ways = Ways { app: setting.app, mail: setting.mail };
                rights.ways.insert((setting.user, event.word()), ways);
            }
        }
        Ok(rights)
    }

    async fn see(
        &mut self,
        sql: &mut impl Sql,
        actor: &Actor,
        threads: &[ThreadId],
        records: &[RecordId],
    ) -> Result<(), Error> {
        let Some(user) = actor.user else { return Ok(()) };
        self.threads.insert(user, threads::visible_of(sql, threads, &actor.mail_access()).await?);
        self.records.insert(user, records::visible_of(sql, records, &actor.records_heard()).await?);
        Ok(())
    }

    /// Who may not sign in sees nothing, also where nothing is named.
    fn sees(&self, user: UserId, subject: &Subject) -> bool {
        let (Some(threads), Some(records)) = (self.threads.get(&user), self.records.get(&user)) else {
            return false;
        };
        subject.thread.is_none_or(|id| threads.contains(&id))
            && subject.record.is_none_or(|id| records.contains(&id))
    }

    fn ways(&self, user: UserId, event: Event) -> Ways {
        self.ways.get(&(user, event.word())).copied().unwrap_or(event.default_ways())
    }
}

/// What one person is told of one thing.
struct Line {
    key: Key,
    ways: Ways,
    count: i64,
    data: Params,
}

/// The lines of some events: of one thing one for each person, with the newest words.
fn lines(all: &[Happened], rights: &Rights) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut told: HashSet<(UserId, MessageId)> = HashSet::new();
    for one in all {
        for user in unique(concerned(one)) {
            let ways = rights.ways(user, one.event);
            if !(ways.app || ways.mail) || !rights.sees(user, &one.subject) {
                continue;
            }
            if one.subject.message.is_some_and(|message| !told.insert((user, message))) {
                continue;
            }
            let Subject { thread, record, .. } = one.subject;
            let key = Key { user, kind: one.event.word(), thread, record };
            let same = Key { record: record.filter(|_| thread.is_none()), ..key };
            match places.get(&same) {
                Some(at) => {
                    lines[*at].count += 1;
                    lines[*at].data.clone_from(&one.data);
                }
                None => {
                    places.insert(same, lines.len());
                    lines.push(Line { key, ways, count: 1, data: one.data.clone() });
                }
            }
        }
    }
    lines
}

async fn write(desk: &Desk, tx: &mut Tx, lines: Vec<Line>) -> Result<(), Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let now = desk.clock.now();
    let keys: Vec<Key> = lines.iter().map(|line| line.key).collect();
    let before = notifications::take(tx, &keys).await?;
    let mailed: Vec<bool> = lines.iter().zip(&before).map(|(line, b)| line.mails(b.as_ref(), now)).collect();
    let mut new = Vec::with_capacity(lines.len());
    for ((line, before), mails) in lines.iter().zip(before).zip(&mailed) {
        new.push(line.row(before, *mails, now)?);
    }
    let first = notifications::add(tx, new).await?;
    notifications::trim(tx, unique(keys.iter().map(|key| key.user)), super::MOST).await?;
    changed_many(desk, tx, (first.0..).map(NotificationId).take(lines.len()), "added").await?;
    for (line, mails) in lines.iter().zip(mailed) {
        if mails {
            sending::notice::queue(desk, tx, line.key.user, line.key.kind, &line.data).await?;
        }
    }
    Ok(())
}

impl Line {
    fn row(&self, before: Option<Before>, mails: bool, now: Time) -> Result<New<'_>, Error> {
        let unread = before.filter(|before| !before.read).map_or(0, |before| before.count);
        let data = serde_json::to_string(&self.data).map_err(|error| Error::Other(error.to_string()))?;
        Ok(New {
            user: self.key.user,
            kind: self.key.kind,
            mailbox: None,
            thread: self.key.thread,
            record: self.key.record,
            data,
            count: self.count + unread,
            mailed_at: if mails { Some(now) } else { before.and_then(|before| before.mailed_at) },
            read_at: (!self.ways.app).then_some(now),
            at: now,
        })
    }

    fn mails(&self, before: Option<&Before>, now: Time) -> bool {
        let Some(before) = before else { return self.ways.mail };
        let long_ago = before.mailed_at.is_none_or(|at| at.plus_s(MAIL_PAUSE_S) <= now);
        self.ways.mail && before.read && long_ago
    }
}

fn unique<T: Eq + std::hash::Hash + Copy>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(*item)).collect()
}
