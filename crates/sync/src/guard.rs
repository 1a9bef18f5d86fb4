//! Whether a folder is still the one we know: asked before a renumbered one is read again, and of
//! numbers that may have been given out anew without a word.
//!
//! A server that was changed for another, a folder mixed up with another one's, a fault of ours that
//! makes everything look unknown: each would bring thousands of old mails as new ones, with their cases. So a
//! sample is fetched first, and if more than a fifth of it looks new, the mailbox stops and asks.

use crate::pipeline::Messages;
use crate::round::ImapVisit;
use crate::visit::RoundError;
use desk::receive::{Item, Place, Receive};
use store::claims::{self, Content};
use store::folders::Folder;
use wire::imap::{Listed, SessionError, UidSet};

/// Messages that are looked at.
const SAMPLE: u64 = 60;
/// With fewer messages no question is asked: they do no harm.
const SMALLEST: u64 = 20;
/// One in so many may look new.
const ONE_IN: u64 = 5;
/// The newest messages that a folder should have under their numbers.
const NEWEST: usize = 20;
/// Of those that are not as they were, so many are fetched and compared.
const SUSPECTS: usize = 3;

/// UIDs to be looked at before a folder with these messages is read again; none where nothing is asked.
pub(crate) async fn sample(receive: &Receive, folder: &Folder, found: &UidSet) -> Result<UidSet, RoundError> {
    if folder.unguarded || found.len() < SMALLEST {
        return Ok(UidSet::new());
    }
    let held = claims::held(&mut &receive.desk().db, folder).await?;
    Ok(if held < SMALLEST as i64 { UidSet::new() } else { spread(found, SAMPLE) })
}

/// Looks at the sample.
///
/// # Errors
/// [`RoundError::Doubtful`] if too much of it looks new and nobody has said that this is right.
pub(crate) async fn ask(
    receive: &Receive,
    folder: &Folder,
    mut messages: impl Messages,
) -> Result<(), RoundError> {
    let (mut sampled, mut new) = (0, 0);
    while let Some(item) = messages.next().await? {
        let opened = open(receive, folder, item).await;
        let known = receive.known(folder, std::slice::from_ref(&opened)).await?;
        sampled += 1;
        new += known.iter().filter(|known| !**known).count() as u64;
    }
    match new * ONE_IN > sampled {
        true => Err(RoundError::Doubtful { folder: folder.name.clone(), sampled, new }),
        false => Ok(()),
    }
}

async fn open(receive: &Receive, folder: &Folder, item: Item) -> desk::receive::Opened {
    let place = Place { mailbox: folder.mailbox, folder: folder.id, uidvalidity: folder.uidvalidity };
    let receive = receive.clone();
    let opened = tokio::task::spawn_blocking(move || receive.open(&place, item)).await;
    opened.expect("opening an item catches its panics")
}

/// So many UIDs (or all), evenly spread.
fn spread(uids: &UidSet, most: u64) -> UidSet {
    let every = uids.len().div_ceil(most).max(1) as usize;
    let mut out = UidSet::new();
    for uid in uids.iter().step_by(every) {
        out.insert(uid);
    }
    out
}

/// Whether numbers of known messages stand for others now, though neither UIDVALIDITY nor UIDNEXT says
/// so: a server that was restored from a backup and has received more than it lost.
pub(crate) async fn is_given_anew(
    receive: &Receive,
    folder: &Folder,
    found: &UidSet,
    visit: &mut ImapVisit,
) -> Result<bool, RoundError> {
    let db = &receive.desk().db;
    let known =
        claims::newest(&mut &*db, folder, i64::from(found.last().unwrap_or(0)), NEWEST as i64).await?;
    let there: Vec<Content> =
        known.into_iter().filter(|one| u32::try_from(one.uid).is_ok_and(|uid| found.contains(uid))).collect();
    if there.is_empty() {
        return Ok(false);
    }
    let listed = match visit.session.uid_list(&set(there.iter().map(|one| one.uid))).await {
        Err(SessionError::Refused(_)) => return Ok(false),
        listed => listed?,
    };
    let is_other = |one: &&Content| {
        let now = listed.iter().find(|listed| i64::from(listed.uid) == one.uid);
        now.is_some_and(|now| !looks_alike(one, now))
    };
    let suspects: Vec<Content> = there.iter().filter(is_other).take(SUSPECTS).cloned().collect();
    if suspects.is_empty() {
        return Ok(false);
    }
    let mut messages = visit.session.fetch(&set(suspects.iter().map(|one| one.uid)));
    while let Some(item) = Messages::next(&mut messages).await? {
        let before = suspects.iter().find(|one| one.uid == item.uid);
        let opened = open(receive, folder, item).await;
        if before.is_some_and(|before| !opened.is(before)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether size and date are what they were. Servers err in both: it is only a reason to look closer.
fn looks_alike(before: &Content, now: &Listed) -> bool {
    let same_size = now.rfc822_size.is_none_or(|size| size == before.size_bytes);
    same_size && now.internal_date.is_none_or(|at| at == before.internal_at.0)
}

fn set(uids: impl Iterator<Item = i64>) -> UidSet {
    let mut out = UidSet::new();
    for uid in uids.filter_map(|uid| u32::try_from(uid).ok()) {
        out.insert(uid);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_the_whole_folder() {
        let sample = spread(&UidSet::range(1, 6000), SAMPLE);
        assert_eq!((sample.len(), sample.first(), sample.last()), (60, Some(1), Some(5901)));
        assert_eq!(spread(&UidSet::range(1, 7), SAMPLE).len(), 7);
    }
}
