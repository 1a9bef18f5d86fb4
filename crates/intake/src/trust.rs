//! Who is believed to belong to a thread.
//!
//! Message-IDs are no secret: whoever was ever forwarded a mail knows some. So an id proves that a letter speaks of a
//! thread, not that its writer may write into it. Trusted is whose address took part in it before, one of us, a contact
//! linked to it or of an account linked to it, and somebody of that account's own domain. All of that is only as good as
//! the From of a letter: where the mailbox's server says that it is forged, nobody is trusted.
//!
//! A thread in which we neither wrote nor work has nothing to get at: mail of a list or among friends, where each
//! answer is by somebody else. A stranger's mail joins it unmarked, but only in a mailbox that has the thread
//! already, or from a company that takes part in it: otherwise anybody could show one mailbox's mail to the readers of
//! another. The same holds of a copy of a message that is there: whoever was ever sent it can send it on, signatures and
//! all. It shows the thread to a mailbox that has it already, or takes part in it by its address, or if there is nothing
//! else in it, or if both copies arrived together, as mail to an alias does that names neither mailbox; else it is a
//! message of its own there. (The To of the copy itself proves nothing.)

use crate::freemail;
use crate::plan::{Known, Origin, Seen, Thread};
use mail::Letter;
use model::Unverified;

/// How a letter stands to a thread that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its writer belongs to it, or there is nothing in it yet.
    Trusted,
    /// Its writer does not, and can do no harm.
    Plain,
    /// It is shown there and marked, and nothing follows from it.
    Doubtful(Unverified),
    /// It is not to be shown there.
    Kept,
}

/// How `letter` stands to `thread`.
pub fn standing(letter: &Letter, known: &Known, thread: &Thread) -> Standing {
    if !thread.has_messages || known.origin == Origin::Sent {
        return Standing::Trusted;
    }
    let belongs = belongs(letter, known, thread);
    let is_forged = known.auth == model::Verdict::Fail;
    match () {
        () if belongs && !is_forged => Standing::Trusted,
        () if !thread.is_here && !is_colleague(letter, thread) => Standing::Kept,
        () if belongs => Standing::Doubtful(Unverified::AuthFail),
        () if thread.is_work() => Standing::Doubtful(Unverified::Stranger),
        () => Standing::Plain,
    }
}

/// Whether a copy of a message shows its thread to the readers of the mailbox it came through.
pub fn copy_shows(known: &Known, seen: Seen, thread: &Thread) -> bool {
    let takes_part = thread.people.contains(&known.mailbox.address);
    let together = known.received_at.0.abs_diff(seen.received_at.0) <= ONE_DELIVERY_S * 1_000_000;
    known.origin != Origin::Live || thread.is_here || takes_part || !thread.has_several || together
}

/// Copies of one delivery arrive within this time; a server that is asked to come again later needs most of it.
const ONE_DELIVERY_S: u64 = 3600;

/// Whether somebody of the writer's company takes part.
fn is_colleague(letter: &Letter, thread: &Thread) -> bool {
    let Some(writer) = letter.from.first().map(mail::Address::key) else { return false };
    let company = freemail::company_domain(&writer);
    company.is_some() && thread.people.iter().any(|person| freemail::company_domain(person) == company)
}

fn belongs(letter: &Letter, known: &Known, thread: &Thread) -> bool {
    if known.bounced.is_some_and(|of| of.thread == thread.id) {
        return true;
    }
    let Some(writer) = letter.from.first().map(mail::Address::key) else { return false };
    if thread.people.contains(&writer) || known.directory.ours.contains(&writer) {
        return true;
    }
    let is_linked = |id| thread.records.iter().any(|tied| tied.record == id);
    let theirs = known.directory.by_address.get(&writer).into_iter().flatten();
    let domain = freemail::company_domain(&writer);
    let company = domain.and_then(|domain| known.directory.by_domain.get(domain)).into_iter().flatten();
    theirs.flat_map(|entry| entry.accounts.iter().chain([&entry.record])).any(|id| is_linked(*id))
        || company.map(|entry| entry.record).any(is_linked)
}
