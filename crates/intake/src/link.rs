//! Which records a letter is linked to, and why.
//!
//! In order of trust: who wrote it, whom the answer goes to, who received it, who got a copy; a
//! contact brings its account along; the domain of the writer counts only where no address did. An
//! address that several records of a kind share decides nothing: guessing between two customers
//! files a letter to the wrong one, so it is named in the steps and left to a person.

use crate::plan::{Entry, Known, LinkPlan, Step};
use mail::{Address, Letter};
use model::{LinkReason, RecordId};

/// Finds the records, each once, with its most trusted reason.
pub fn find(letter: &Letter, known: &Known, steps: &mut Vec<Step>) -> Vec<LinkPlan> {
    let mut found = Found { links: Vec::new(), steps };
    by_addresses(&letter.from, LinkReason::From, known, &mut found);
    by_addresses(&letter.reply_to, LinkReason::ReplyTo, known, &mut found);
    by_addresses(&letter.to, LinkReason::To, known, &mut found);
    by_addresses(&letter.cc, LinkReason::Cc, known, &mut found);
    if !found.links.iter().any(|link| is_writer(link.reason)) {
        by_domain(&letter.from, known, &mut found);
    }
    found.links
}

/// What was found so far.
struct Found<'a> {
    links: Vec<LinkPlan>,
    steps: &'a mut Vec<Step>,
}

impl Found<'_> {
    fn add(&mut self, record: RecordId, reason: LinkReason, detail: &str) {
        if self.links.iter().any(|link| link.record == record) {
            return;
        }
        self.steps.push(Step::new("link", reason.word(), detail));
        self.links.push(LinkPlan { record, reason, detail: detail.to_owned() });
    }
}

fn is_writer(reason: LinkReason) -> bool {
    matches!(reason, LinkReason::From | LinkReason::ReplyTo)
}

fn by_addresses(people: &[Address], reason: LinkReason, known: &Known, found: &mut Found) {
    for person in people.iter().take(MOST_PEOPLE) {
        let address = person.key();
        if known.directory.ours.contains(&address) {
            continue;
        }
        match known.directory.by_address.get(&address).map(Vec::as_slice) {
            None | Some([]) => {}
            Some([entry]) => link_with_account(entry, reason, &address, found),
            Some(_) => found.steps.push(Step::new("link", "ambiguous", address)),
        }
    }
}

fn link_with_account(entry: &Entry, reason: LinkReason, address: &str, found: &mut Found) {
    found.add(entry.record, reason, address);
    if let Some(account) = entry.account {
        found.add(account, LinkReason::ContactOf, &entry.name);
    }
}

fn by_domain(writers: &[Address], known: &Known, found: &mut Found) {
    let Some(writer) = writers.first().map(Address::key) else { return };
    let Some((_, domain)) = writer.rsplit_once('@') else { return };
    if known.directory.ours.contains(&writer) {
        return;
    }
    match known.directory.by_domain.get(domain).map(Vec::as_slice) {
        None | Some([]) => {}
        Some([entry]) => found.add(entry.record, LinkReason::Domain, domain),
        Some(_) => found.steps.push(Step::new("link", "ambiguous", domain)),
    }
}

/// People looked up per header. A letter to hundreds is to nobody in particular.
const MOST_PEOPLE: usize = 50;
