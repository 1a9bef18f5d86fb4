//! What the shelf knows that bears on a batch of letters, asked for all of them at once.

use super::Channel;
use super::open::{Opened, Read};
use crate::{Desk, token};
use intake::archive;
use intake::plan::{Case, Directory, Entry, Known, Origin, Plan, Seen, Thread, ThreadPlan, Tied};
use model::{CaseStatus, MailboxId, RecordId, ThreadId, Time};
use std::collections::{HashMap, HashSet};
use store::filing::{self, Match, MidHash, Shelved, Writes};
use store::sql::{Error, Sql};

/// What is known; kept up to date as the batch is carried out, so that a letter sees those before it.
pub(super) struct Recalled {
    pub seen: HashMap<[u8; 32], Seen>,
    pub users: HashMap<String, Vec<i64>>,
    pub directory: Directory,
    threads_by_id: HashMap<MidHash, ThreadId>,
    /// Threads that ids of ours name, by the id.
    signed: HashMap<MidHash, ThreadId>,
    /// Messages of ours that bounces speak of, by Message-ID.
    bounced: HashMap<String, Seen>,
    people: HashMap<ThreadId, HashSet<String>>,
    /// Threads that came through the mailbox before.
    here: HashSet<ThreadId>,
    /// In history: the threads of this batch by writer and subject.
    topics: HashMap<(String, String), ThreadId>,
    names: HashMap<RecordId, String>,
    cases: HashMap<i64, (RecordId, String)>,
    /// Cases closed before then are past.
    pub past: Option<Time>,
}

/// Takes out of an archive's letters the references that are not to be believed.
pub(super) fn believe(batch: &mut [Opened]) {
    let letters: Vec<&mut Read> = batch.iter_mut().filter_map(|one| one.read.as_deref_mut()).collect();
    let doubted = archive::disbelieved(&letters.iter().map(|read| &read.letter).collect::<Vec<_>>());
    for (read, oldest) in letters.into_iter().zip(doubted) {
        read.disbelieve(oldest);
    }
}

/// Asks the shelf.
pub(super) async fn recall(
    desk: &Desk,
    sql: &mut impl Sql,
    mailbox: MailboxId,
    writes: &mut Writes,
    batch: &[Opened],
) -> Result<Recalled, Error> {
    let letters = || batch.iter().filter_map(|one| one.read.as_deref());
    let identities: Vec<_> =
        letters().flat_map(|read| [read.identity, read.identity_apart(mailbox)]).collect();
    let mids: Vec<MidHash> = unique(letters().flat_map(|read| read.mids.iter().copied()));
    let bounced: Vec<&str> = unique(letters().filter_map(|read| read.bounced.as_deref()));
    let numbers: Vec<i64> = unique(letters().flat_map(|read| read.numbers.iter().copied()));
    let seen = places(filing::seen(sql, &identities).await?);
    let mut threads_by_id = filing::threads_by_ids(sql, &mids).await?;
    let token = format!("m{mailbox}");
    // Whoever was shown a copy of a message in a thread of its own goes on there.
    let parted = filing::parted(sql, &token, &unique(threads_by_id.values().copied())).await?;
    for id in threads_by_id.values_mut() {
        *id = parted.get(id).copied().unwrap_or(*id);
    }
    let signed = signed(desk, sql, letters()).await?;
    let bounced = places(filing::sent_by_ids(sql, &bounced).await?);
    let of_messages = seen.values().chain(bounced.values()).map(|seen| seen.thread);
    let threads = unique(threads_by_id.values().chain(signed.values()).copied().chain(of_messages));
    let states = filing::thread_states(sql, &threads).await?;
    let records: Vec<RecordId> = unique(states.iter().flat_map(|state| state.records.iter().copied()));
    writes.know(states);
    Ok(Recalled {
        directory: directory(sql, letters()).await?,
        users: filing::users_by_addresses(sql, &unique(letters().flat_map(addresses))).await?,
        people: filing::people(sql, &threads).await?,
        here: filing::seen_by(sql, &token, &threads).await?,
        names: filing::record_names(sql, &records).await?,
        cases: filing::cases_by_numbers(sql, &numbers).await?,
        topics: HashMap::new(),
        seen,
        threads_by_id,
        signed,
        bounced,
        past: None,
    })
}

async fn directory<'a>(
    sql: &mut impl Sql,
    letters: impl Iterator<Item = &'a Read>,
) -> Result<Directory, Error> {
    let addresses: Vec<String> = unique(letters.flat_map(addresses));
    let domains: Vec<String> =
        unique(addresses.iter().filter_map(|address| Some(address.rsplit_once('@')?.1.to_owned())));
    let mut ours = HashSet::from_iter(filing::our_addresses(sql).await?);
    ours.retain(|address: &String| !address.is_empty());
    Ok(Directory {
        by_address: entries(filing::by_addresses(sql, &addresses).await?),
        by_domain: entries(filing::by_domains(sql, &domains).await?),
        ours,
    })
}

/// The threads that signed ids name. The key is asked for only where an id looks like ours.
async fn signed<'a>(
    desk: &Desk,
    sql: &mut impl Sql,
    letters: impl Iterator<Item = &'a Read>,
) -> Result<HashMap<MidHash, ThreadId>, Error> {
    let ids: Vec<&(MidHash, String)> = letters.flat_map(|read| &read.signed).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let Some(key) = token::key(desk, sql).await? else { return Ok(HashMap::new()) };
    let named: Vec<(MidHash, ThreadId)> =
        ids.into_iter().filter_map(|(mid, id)| Some((*mid, key.read(id)?))).collect();
    let threads: Vec<ThreadId> = unique(named.iter().map(|(_, thread)| *thread));
    let now = filing::survivors(sql, &threads).await?;
    Ok(named.into_iter().filter_map(|(mid, thread)| Some((mid, *now.get(&thread)?))).collect())
}

impl Recalled {
    /// What is known of one letter.
    pub fn known<'a>(
        &'a self,
        channel: &'a Channel,
        (read, received_at): (&Read, Time),
        writes: &Writes,
    ) -> Known<'a> {
        let apart = self.seen.get(&read.identity_apart(channel.id));
        let seen = apart.or_else(|| self.seen.get(&read.identity)).copied();
        let thread_of = |mid| self.threads_by_id.get(mid).or_else(|| self.signed.get(mid)).copied();
        let ids = match seen {
            Some(seen) => vec![seen.thread],
            None => unique(read.mids.iter().filter_map(thread_of)),
        };
        let is_signed = |id| read.mids.iter().any(|mid| self.signed.get(mid) == Some(&id));
        let threads =
            ids.into_iter().map(|id| Thread { is_signed: is_signed(id), ..self.thread(writes, id) });
        let numbered = read.numbers.iter().filter_map(|number| self.cases.get(number));
        Known {
            mailbox: &channel.mailbox,
            origin: channel.origin,
            received_at,
            seen,
            threads: threads.collect(),
            gathered: self.gathered(channel, read),
            auth: mail::auth::verdict(&read.letter, &channel.mailbox.authserv_id),
            bounced: read.bounced.as_ref().and_then(|mid| self.bounced.get(mid)).copied(),
            numbered: numbered.map(|(record, name)| Tied { record: *record, name: name.clone() }).collect(),
            directory: &self.directory,
            trial: None,
        }
    }

    fn thread(&self, writes: &Writes, id: ThreadId) -> Thread {
        let Some(state) = writes.thread(id) else { return Thread::new(id) };
        let named = |record: &RecordId| {
            Some(Tied { record: *record, name: self.names.get(record).cloned().unwrap_or_default() })
        };
        Thread {
            id,
            case: case(writes, id, self.past),
            people: self.people.get(&id).cloned().unwrap_or_default(),
            records: state.records.iter().filter_map(named).collect(),
            has_messages: state.messages > 0,
            has_several: state.messages > 1,
            has_ours: state.has_out,
            is_here: self.here.contains(&id),
            is_signed: false,
            parted_from: state.parted_from,
        }
    }

    fn gathered(&self, channel: &Channel, read: &Read) -> Option<ThreadId> {
        let may_be = channel.origin == Origin::History && archive::is_reply(&read.letter);
        may_be.then(|| self.topics.get(&archive::topic(&read.letter)).copied()).flatten()
    }

    /// What is known of a letter that is in a thread already, with that thread alone.
    pub fn known_in<'a>(
        &'a self,
        channel: &'a Channel,
        read: &Read,
        writes: &Writes,
        thread: ThreadId,
    ) -> Known<'a> {
        let known = self.known(channel, (read, Time(0)), writes);
        Known { seen: None, threads: vec![self.thread(writes, thread)], ..known }
    }

    /// Remembers where a letter went.
    pub fn remember(&mut self, channel: &Channel, read: &Read, plan: &Plan, seen: Seen) {
        if channel.origin == Origin::History {
            self.topics.entry(archive::topic(&read.letter)).or_insert(seen.thread);
        }
        self.seen.insert(read.identity_as(plan, channel.id), seen);
        if let ThreadPlan::Apart(from) = plan.thread {
            self.threads_by_id.values_mut().filter(|id| **id == from).for_each(|id| *id = seen.thread);
        }
        if plan.seen.is_none() {
            for mid in read.ids(plan.unverified) {
                self.threads_by_id.entry(mid).or_insert(seen.thread);
            }
        }
        if plan.unverified.is_none() && plan.bounce_of.is_none() {
            self.people.entry(seen.thread).or_default().extend(addresses(read));
        }
        self.here.insert(seen.thread);
    }

    /// Remembers that threads became one.
    pub fn merged(&mut self, into: ThreadId, from: &[ThreadId]) {
        let moved = |id: &ThreadId| from.contains(id);
        for id in self.threads_by_id.values_mut().chain(self.signed.values_mut()).filter(|id| moved(id)) {
            *id = into;
        }
        for id in self.topics.values_mut().filter(|id| moved(id)) {
            *id = into;
        }
        for seen in self.seen.values_mut().chain(self.bounced.values_mut()).filter(|seen| moved(&seen.thread))
        {
            seen.thread = into;
        }
        for other in from {
            let people = self.people.remove(other).unwrap_or_default();
            self.people.entry(into).or_default().extend(people);
        }
    }
}

fn case(writes: &Writes, id: ThreadId, past: Option<Time>) -> Option<Case> {
    let case = writes.thread(id)?.case.as_ref()?;
    let status = CaseStatus::of(&case.status).unwrap_or(CaseStatus::Open);
    let is_past = past.zip(case.closed_at).is_some_and(|(past, closed)| closed < past);
    Some(Case { id: case.id, number: case.number, status, snoozed: case.snoozed, is_past })
}

/// All addresses of a letter, lower case.
pub(super) fn addresses(read: &Read) -> impl Iterator<Item = String> {
    let letter = &read.letter;
    let people = letter.from.iter().chain(&letter.reply_to).chain(&letter.to).chain(&letter.cc);
    people.take(MOST_PEOPLE).map(mail::Address::key)
}

fn places<K: Eq + std::hash::Hash>(found: HashMap<K, Shelved>) -> HashMap<K, Seen> {
    let place = |one: Shelved| Seen {
        message: one.message,
        thread: one.thread,
        unverified: one.unverified,
        received_at: one.received_at,
    };
    found.into_iter().map(|(key, one)| (key, place(one))).collect()
}

fn entries(found: HashMap<String, Vec<Match>>) -> HashMap<String, Vec<Entry>> {
    let entry =
        |one: Match| Entry { record: one.record, kind: one.kind, name: one.name, accounts: one.accounts };
    found.into_iter().map(|(key, matches)| (key, matches.into_iter().map(entry).collect())).collect()
}

fn unique<T: Eq + std::hash::Hash + Clone>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(item.clone())).collect()
}

/// People of one letter that are looked up.
const MOST_PEOPLE: usize = 200;
