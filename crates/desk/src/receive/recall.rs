//! What the shelf knows that bears on a batch of letters, asked for all of them at once.

use super::open::{Opened, Read};
use intake::plan::{Case, Directory, Entry, Known, Seen, Thread};
use model::{CaseStatus, ThreadId};
use std::collections::{HashMap, HashSet};
use store::filing::{self, Match, MidHash, Writes};
use store::sql::{Error, Sql};

/// What is known; kept up to date as the batch is carried out, so that a letter sees those before it.
pub(super) struct Recalled {
    pub seen: HashMap<[u8; 32], Seen>,
    pub threads_by_id: HashMap<MidHash, ThreadId>,
    pub users: HashMap<String, Vec<i64>>,
    pub directory: Directory,
}

/// Asks the shelf.
pub(super) async fn recall(
    sql: &mut impl Sql,
    writes: &mut Writes,
    batch: &[Opened],
) -> Result<Recalled, Error> {
    let letters = || batch.iter().filter_map(|one| one.read.as_deref());
    let identities: Vec<_> = letters().map(|read| read.identity).collect();
    let mids: Vec<MidHash> = unique(letters().flat_map(|read| read.mids.iter().copied()));
    let addresses: Vec<String> = unique(letters().flat_map(addresses));
    let domains: Vec<String> =
        unique(addresses.iter().filter_map(|address| Some(address.rsplit_once('@')?.1.to_owned())));
    let mut recalled = Recalled {
        seen: seen(filing::seen(sql, &identities).await?),
        threads_by_id: filing::threads_by_ids(sql, &mids).await?,
        users: filing::users_by_addresses(sql, &addresses).await?,
        directory: Directory {
            by_address: entries(filing::by_addresses(sql, &addresses).await?),
            by_domain: entries(filing::by_domains(sql, &domains).await?),
            ours: HashSet::from_iter(filing::our_addresses(sql).await?),
        },
    };
    recalled.directory.ours.retain(|address| !address.is_empty());
    let threads = unique(
        recalled.threads_by_id.values().copied().chain(recalled.seen.values().map(|seen| seen.thread)),
    );
    writes.know(filing::thread_states(sql, &threads).await?);
    Ok(recalled)
}

impl Recalled {
    /// What is known of one letter.
    pub fn known<'a>(&'a self, channel: &'a super::Channel, read: &Read, writes: &Writes) -> Known<'a> {
        let seen = self.seen.get(&read.identity).copied();
        let ids = match seen {
            Some(seen) => vec![seen.thread],
            None => unique(read.mids.iter().filter_map(|mid| self.threads_by_id.get(mid).copied())),
        };
        let threads = ids.into_iter().map(|id| Thread { id, case: case(writes, id) }).collect();
        Known { mailbox: &channel.mailbox, origin: channel.origin, seen, threads, directory: &self.directory }
    }

    /// Remembers where a letter went.
    pub fn remember(&mut self, read: &Read, seen: Seen) {
        self.seen.insert(read.identity, seen);
        for mid in &read.mids {
            self.threads_by_id.insert(*mid, seen.thread);
        }
    }

    /// Remembers that threads became one.
    pub fn merged(&mut self, into: ThreadId, from: &[ThreadId]) {
        self.threads_by_id.values_mut().filter(|id| from.contains(id)).for_each(|id| *id = into);
        self.seen.values_mut().filter(|seen| from.contains(&seen.thread)).for_each(|seen| seen.thread = into);
    }
}

fn case(writes: &Writes, id: ThreadId) -> Option<Case> {
    let case = writes.thread(id)?.case.as_ref()?;
    let status = CaseStatus::of(&case.status).unwrap_or(CaseStatus::Open);
    Some(Case { id: case.id, number: case.number, status })
}

/// All addresses of a letter, lower case.
pub(super) fn addresses(read: &Read) -> impl Iterator<Item = String> {
    let letter = &read.letter;
    let people = letter.from.iter().chain(&letter.reply_to).chain(&letter.to).chain(&letter.cc);
    people.take(MOST_PEOPLE).map(mail::Address::key)
}

fn seen(found: HashMap<[u8; 32], (model::MessageId, ThreadId)>) -> HashMap<[u8; 32], Seen> {
    found.into_iter().map(|(identity, (message, thread))| (identity, Seen { message, thread })).collect()
}

fn entries(found: HashMap<String, Vec<Match>>) -> HashMap<String, Vec<Entry>> {
    let entry = |one: Match| Entry { record: one.record, name: one.name, account: one.account };
    found.into_iter().map(|(key, matches)| (key, matches.into_iter().map(entry).collect())).collect()
}

fn unique<T: Eq + std::hash::Hash + Clone>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(item.clone())).collect()
}

/// People of one letter that are looked up.
const MOST_PEOPLE: usize = 200;
