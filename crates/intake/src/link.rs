//! Which records a letter is linked to, and why.
//!
//! In order of trust: what its thread is linked to already; who wrote it, whom the answer goes to, who received it,
//! who got a copy; a contact brings its account along; the domain of the writer counts only where no address did; a
//! case's number in the text suggests that case and does no more.
//!
//! Nothing is guessed: where an address leads to several records, or a contact to several accounts, each is suggested
//! and a person says which. Guessing between two customers files a letter to the wrong one. What a letter of doubtful
//! origin would be linked to is suggested too: a link would make its writer trusted in the thread.

use crate::freemail;
use crate::plan::{Entry, Known, LinkPlan, Step, Suggestion, Tied};
use crate::thread::Place;
use mail::{Address, Letter};
use model::{LinkReason, RecordId, RecordKind};

/// Finds the records, each once, with its most trusted reason; and those that are suggested.
pub fn find(
    letter: &Letter,
    known: &Known,
    place: &Place,
    steps: &mut Vec<Step>,
) -> (Vec<LinkPlan>, Vec<Suggestion>) {
    let mut found = Found {
        known,
        is_doubtful: place.unverified.is_some(),
        links: Vec::new(),
        suggestions: Vec::new(),
        steps,
    };
    if known.seen.is_none() && !found.is_doubtful {
        found.of_threads();
    }
    let headers = [
        (&letter.from, LinkReason::From),
        (&letter.reply_to, LinkReason::ReplyTo),
        (&letter.to, LinkReason::To),
        (&letter.cc, LinkReason::Cc),
    ];
    let mut is_writer_known = false;
    for (people, reason) in headers {
        let any = found.by_addresses(people, reason);
        is_writer_known |= any && matches!(reason, LinkReason::From | LinkReason::ReplyTo);
    }
    if !is_writer_known {
        found.by_domain(&letter.from);
    }
    for case in place.apart.iter().flat_map(|thread| &thread.records) {
        found.suggest(case.record, LinkReason::Reply, &case.name, 2);
    }
    for case in &known.numbered {
        found.suggest(case.record, LinkReason::Number, &case.name, 1);
    }
    found.finish()
}

/// What was found so far.
struct Found<'a> {
    known: &'a Known<'a>,
    is_doubtful: bool,
    links: Vec<LinkPlan>,
    suggestions: Vec<Suggestion>,
    steps: &'a mut Vec<Step>,
}

impl Found<'_> {
    fn add(&mut self, record: RecordId, reason: LinkReason, detail: &str) {
        if self.is_doubtful {
            return self.suggest(record, reason, detail, 2);
        }
        if self.links.iter().any(|link| link.record == record) {
            return;
        }
        self.steps.push(Step::new("link", reason.word(), detail));
        self.links.push(LinkPlan { record, reason, detail: detail.to_owned() });
    }

    /// Suggests one of `among` records that are as likely.
    fn suggest(&mut self, record: RecordId, reason: LinkReason, detail: &str, among: usize) {
        if self.suggestions.len() >= MOST_SUGGESTIONS
            || self.suggestions.iter().any(|one| one.record == record)
        {
            return;
        }
        let confidence = reason.confidence() / among.max(1) as i64;
        self.suggestions.push(Suggestion { record, reason, detail: detail.to_owned(), confidence });
    }

    /// What the thread is linked to, the letter is: nothing is to be written, but it is why.
    fn of_threads(&mut self) {
        for thread in &self.known.threads {
            let reason = if thread.is_signed { LinkReason::Token } else { LinkReason::Reply };
            for Tied { name, .. } in thread.records.iter().take(MOST_REASONS) {
                self.steps.push(Step::new("link", reason.word(), name.clone()));
            }
        }
    }

    /// Whether any of them leads to a record.
    fn by_addresses(&mut self, people: &[Address], reason: LinkReason) -> bool {
        let mut any = false;
        for person in people.iter().take(MOST_PEOPLE) {
            let address = person.key();
            if self.known.directory.ours.contains(&address) {
                continue;
            }
            let entries = self.known.directory.by_address.get(&address).map_or(&[][..], Vec::as_slice);
            any |= !entries.is_empty();
            self.by_entries(entries, reason, &address);
        }
        any
    }

    /// People before companies: an address of a contact and of its account is both of them.
    fn by_entries(&mut self, entries: &[Entry], reason: LinkReason, address: &str) {
        let is_person = |entry: &&Entry| matches!(entry.kind, RecordKind::Contact | RecordKind::Lead);
        let (people, others): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(is_person);
        for group in [&people, &others] {
            match group.as_slice() {
                [] => {}
                [entry] => {
                    self.add(entry.record, reason, address);
                    self.accounts_of(entry, address);
                }
                several => self.one_of(several, reason, address),
            }
        }
    }

    /// Several records have the address: each is suggested. What they have in common is sure.
    fn one_of(&mut self, several: &[&Entry], reason: LinkReason, address: &str) {
        self.steps.push(Step::new("link", "ambiguous", address));
        for entry in several {
            self.suggest(entry.record, reason, address, several.len());
        }
        match several {
            [first, rest @ ..] if rest.iter().all(|entry| entry.accounts == first.accounts) => {
                self.accounts_of(first, address);
            }
            _ => {}
        }
    }

    /// A contact's account. Of several the one whose domain the address has; else a person is asked.
    fn accounts_of(&mut self, entry: &Entry, address: &str) {
        let company =
            freemail::company_domain(address).and_then(|domain| self.known.directory.by_domain.get(domain));
        let is_of_domain =
            |id: &&RecordId| company.into_iter().flatten().any(|account| account.record == **id);
        let of_domain: Vec<&RecordId> = entry.accounts.iter().filter(is_of_domain).collect();
        match (entry.accounts.as_slice(), of_domain.as_slice()) {
            ([], _) => {}
            ([account], _) => self.add(*account, LinkReason::ContactOf, &entry.name),
            (_, [account]) => self.add(**account, LinkReason::ContactOf, &entry.name),
            (several, _) => {
                self.steps.push(Step::new("link", "several_accounts", entry.name.clone()));
                for account in several {
                    self.suggest(*account, LinkReason::ContactOf, &entry.name, several.len());
                }
            }
        }
    }

    fn by_domain(&mut self, writers: &[Address]) {
        let Some(writer) = writers.first().map(Address::key) else { return };
        if self.known.directory.ours.contains(&writer) {
            return;
        }
        let Some(domain) = freemail::company_domain(&writer) else { return };
        let entries = self.known.directory.by_domain.get(domain).map_or(&[][..], Vec::as_slice);
        match entries {
            [] => {}
            [entry] => self.add(entry.record, LinkReason::Domain, domain),
            several => {
                self.steps.push(Step::new("link", "ambiguous", domain));
                for entry in several {
                    self.suggest(entry.record, LinkReason::Domain, domain, several.len());
                }
            }
        }
    }

    fn finish(self) -> (Vec<LinkPlan>, Vec<Suggestion>) {
        let Found { known, links, mut suggestions, .. } = self;
        let of_threads = || known.threads.iter().flat_map(|thread| &thread.records);
        suggestions.retain(|one| {
            links.iter().all(|link| link.record != one.record)
                && of_threads().all(|tied| tied.record != one.record)
        });
        (links, suggestions)
    }
}

/// People looked up per header. A letter to hundreds is to nobody in particular.
const MOST_PEOPLE: usize = 50;
/// Suggestions of one letter; a person reads no more.
const MOST_SUGGESTIONS: usize = 20;
/// Records of a thread that are named as the reason.
const MOST_REASONS: usize = 5;
