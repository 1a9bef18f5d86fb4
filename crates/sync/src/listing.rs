//! What a folder on the server has, compared with what is known of it: listed, and written down, before
//! anything is fetched. Also whether its numbers still mean what they meant.

use crate::guard;
use crate::round::ImapVisit;
use crate::visit::{FolderSummary, RoundError};
use desk::receive::Receive;
use model::{OccurrenceState, QuarantineReason, Time};
use std::time::{Duration, Instant};
use store::folders::{self, Folder};
use store::mailboxes;
use store::point;
use store::raw::{self, Kept};
use wire::imap::{Selected, UidSet};

/// So often the whole of a folder is compared with what was kept, and at the beginning of each
/// connection: whatever went wrong before is put right then.
pub(crate) const COMPARE: Duration = Duration::from_secs(24 * 60 * 60);

/// What the server showed.
struct Look {
    found: UidSet,
    /// Whether `found` is everything there is, not only what lies above the cursor.
    whole: bool,
    /// The numbering it belongs to, if that is another one.
    numbering: Option<i64>,
}

/// Compares the server's list with ours, writes it down, and says what is to be fetched.
pub(crate) async fn list(
    receive: &Receive,
    folder: &mut Folder,
    selected: &Selected,
    visit: &mut ImapVisit,
    summary: &mut FolderSummary,
) -> Result<UidSet, RoundError> {
    let Look { found, whole, numbering } = look(receive, folder, selected, visit).await?;
    if let Some(numbering) = numbering {
        renumber(receive, folder, numbering, &found, visit).await?;
    }
    let before: UidSet = folder.listed.parse().unwrap_or_default();
    let known = known(receive, folder, &before, whole).await?;
    let fresh = found.difference(&known);
    let vanished = before.difference(&known).difference(&found);
    summary.seen = fresh.difference(&before).len();
    summary.skipped = vanished.len();
    if !fresh.is_empty() || !vanished.is_empty() || folder.listed.is_empty() {
        write(receive, folder, &before.union(&found), &vanished).await?;
        point::reached("c1_listed");
    }
    if whole {
        let mut tx = receive.transaction().await?;
        folders::settle_again(&mut tx, folder).await?;
        folders::guard_again(&mut tx, folder).await?;
        tx.commit().await?;
        visit.compared.insert(folder.id, Instant::now());
    }
    Ok(fresh)
}

async fn look(
    receive: &Receive,
    folder: &Folder,
    selected: &Selected,
    visit: &mut ImapVisit,
) -> Result<Look, RoundError> {
    if !is_numbering(folder, selected.uid_validity) {
        let found = visit.session.uid_search_from(1).await?;
        return Ok(Look { found, whole: true, numbering: Some(i64::from(selected.uid_validity)) });
    }
    let may_have_gone_back = selected.uid_next.is_some_and(|next| i64::from(next) <= highest(folder));
    let whole = may_have_gone_back || visit.compared.get(&folder.id).is_none_or(|at| at.elapsed() > COMPARE);
    let found = visit.session.uid_search_from(if whole { 1 } else { after_cursor(folder) }).await?;
    // RFC 9051, section 2.3.1.1, forbids it; servers that were restored from a backup do it. One whose
    // UIDNEXT does not even fit to what it lists is not believed.
    let went_back = may_have_gone_back && found.last() < selected.uid_next;
    let anew = went_back || (whole && guard::is_given_anew(receive, folder, &found, visit).await?);
    Ok(Look { found, whole, numbering: anew.then(|| folder.uidvalidity + NUMBERING + 1) })
}

/// The folder begins anew under another numbering: what is in it is read again and known by content.
async fn renumber(
    receive: &Receive,
    folder: &mut Folder,
    numbering: i64,
    found: &UidSet,
    visit: &mut ImapVisit,
) -> Result<(), RoundError> {
    let highest = i64::from(found.last().unwrap_or(0));
    if folder.uidvalidity == 0 {
        let is_history = mailboxes::is_history(&mut &receive.desk().db, folder.mailbox).await?
            || visit.reads_history_of(&folder.name);
        folder.history_until = if is_history { highest } else { 0 };
    } else {
        let sample = guard::sample(receive, folder, found).await?;
        guard::ask(receive, folder, visit.session.fetch(&sample)).await?;
        let (from, name) = (folder.uidvalidity, &folder.name);
        tracing::warn!(
            folder = name,
            from,
            to = numbering,
            "the server renumbered the folder: it is read again"
        );
        folder.match_until = highest;
        let is_open = folder.history_until > folder.cursor;
        folder.history_until = if is_open { highest } else { 0 };
    }
    (folder.uidvalidity, folder.cursor, folder.listed) = (numbering, 0, String::new());
    Ok(())
}

/// Writes down what was ever listed and what has gone; another process may have listed more.
async fn write(
    receive: &Receive,
    folder: &mut Folder,
    listed: &UidSet,
    vanished: &UidSet,
) -> Result<(), RoundError> {
    let gone = aside(folder, vanished, OccurrenceState::Vanished, VANISHED);
    let mut tx = receive.transaction().await?;
    raw::keep(&mut tx, &gone, receive.desk().clock.now()).await?;
    let now = folders::locked(&mut tx, folder.id).await?;
    match now.filter(|now| now.uidvalidity == folder.uidvalidity) {
        Some(now) => {
            let theirs: UidSet = now.listed.parse().unwrap_or_default();
            (folder.listed, folder.cursor) = (theirs.union(listed).to_string(), now.cursor);
        }
        None => {
            folder.listed = listed.to_string();
            folders::renumbered(&mut tx, folder.id, folder.match_until, folder.history_until).await?;
        }
    }
    folders::visited(&mut tx, folder.id, folder.uidvalidity, &folder.listed, folder.cursor).await?;
    Ok(tx.commit().await?)
}

/// The part of a folder's numbering that is the server's UIDVALIDITY.
pub(crate) const NUMBERING: i64 = u32::MAX as i64;

/// Whether what we know of a folder belongs to the server's present numbering.
pub(crate) fn is_numbering(folder: &Folder, uidvalidity: u32) -> bool {
    folder.uidvalidity & NUMBERING == i64::from(uidvalidity)
}

fn after_cursor(folder: &Folder) -> u32 {
    u32::try_from(folder.cursor).unwrap_or(u32::MAX).saturating_add(1)
}

/// The highest UID the server ever listed.
fn highest(folder: &Folder) -> i64 {
    let listed: UidSet = folder.listed.parse().unwrap_or_default();
    listed.last().map_or(0, i64::from)
}

/// What need not be fetched: all up to the cursor, and what was kept above it. Where the `whole` is
/// compared and fewer occurrences are there than were listed, exactly what was kept.
pub(crate) async fn known(
    receive: &Receive,
    folder: &Folder,
    before: &UidSet,
    whole: bool,
) -> Result<UidSet, RoundError> {
    let mut sql = &receive.desk().db;
    let mut known = match after_cursor(folder) {
        1 => UidSet::new(),
        first => before.intersection(&UidSet::range(1, first - 1)),
    };
    let mut from = folder.clone();
    if whole && folders::count_kept(&mut sql, folder).await? < known.len() {
        tracing::error!(
            folder = folder.name,
            "fewer messages were kept than were listed: the others are fetched again"
        );
        (known, from.cursor) = (UidSet::new(), 0);
    }
    for uid in folders::kept_above(&mut sql, &from).await? {
        known.insert(u32::try_from(uid).unwrap_or(0));
    }
    Ok(known)
}

/// Looks into what the server listed and, asked for it, did not give. What is gone has vanished;
/// what is still `there` is asked for again in later rounds, and put aside when it was asked for in
/// [`MOST_REQUESTS`] of them. Returns how many will be asked for again.
pub(crate) async fn not_given(
    receive: &Receive,
    folder: &mut Folder,
    left: UidSet,
    there: UidSet,
    summary: &mut FolderSummary,
) -> Result<u64, RoundError> {
    if left.is_empty() {
        return Ok(0);
    }
    let desk = receive.desk();
    let asked_before: UidSet = folder.attempt.parse().unwrap_or_default();
    let given_up = folder.attempts >= MOST_REQUESTS && there.difference(&asked_before).is_empty();
    let gone = left.difference(&there);
    let given_up = given_up || there.is_empty();
    let mut items = aside(folder, &gone, OccurrenceState::Vanished, VANISHED);
    summary.skipped += gone.len();
    if given_up {
        items.extend(aside(folder, &there, OccurrenceState::Quarantined, WITHHELD));
        summary.quarantined += there.len();
    }
    let mut tx = receive.transaction().await?;
    raw::keep(&mut tx, &items, desk.clock.now()).await?;
    if given_up {
        let listed: UidSet = folder.listed.parse().unwrap_or_default();
        folders::advance(&mut tx, folder, i64::from(listed.last().unwrap_or(0))).await?;
    } else {
        folders::attempt(&mut tx, folder.id, &there.to_string(), folder.attempts + 1).await?;
    }
    tx.commit().await?;
    Ok(if given_up { 0 } else { there.len() })
}

/// Rounds in which a message is asked for that the server lists and does not give.
const MOST_REQUESTS: i64 = 5;

/// Why there is nothing but a UID.
const WITHHELD: &str =
    "the server lists this message and does not give it; ask its operator to repair the mailbox";
/// The same.
pub(crate) const VANISHED: &str = "it was gone from the server before it could be fetched";

pub(crate) fn aside(folder: &Folder, uids: &UidSet, state: OccurrenceState, reason: &str) -> Vec<Kept> {
    let one = |uid: u32| Kept {
        mailbox: folder.mailbox,
        folder: folder.id,
        uidvalidity: folder.uidvalidity,
        uid: i64::from(uid),
        hash: [0; 32],
        size_bytes: 0,
        internal_at: Time(0),
        header: raw::zstd_of(b""),
        body: None,
        state,
        reason: Some(reason.to_owned()),
        reason_code: (state == OccurrenceState::Quarantined).then_some(QuarantineReason::Withheld),
    };
    uids.iter().map(one).collect()
}
