//! After our own database was restored from an older backup: what was filed and moved since is on the
//! server, in the processed folders, and nobody here knows of it.
//!
//! Each processed folder is compared with what is known of the mailbox, by size, date and Message-ID, as
//! often as each is there; only what is unknown is fetched. It is kept and filed as if it had just come,
//! as occurrences of the processed folder, and it stays where it is. Doing it twice is doing it once.
//!
//! Decided against reading the processed folders as a matter of course: they belong to the people.

use crate::pipeline::{self, Work};
use crate::round::ImapVisit;
use crate::source;
use crate::visit::{FolderSummary, RoundError};
use desk::mailbox::Reconciled;
use desk::receive::{Receive, message_id_of};
use model::{AfterFiling, MailboxMode, Protocol};
use std::collections::BTreeSet;
use store::claims::{self, Trace};
use store::folders::{self, Folder};
use store::rounds::Source;
use wire::imap::UidSet;

/// Looks through the processed folders of a mailbox and files what is unknown.
///
/// # Errors
/// As of a round; what was filed until then stays filed.
pub async fn run(receive: &Receive, source: &Source) -> Result<Reconciled, RoundError> {
    if (source.protocol, source.mode) != (Protocol::Imap, MailboxMode::File) {
        let why = "only mailboxes whose filed mail is moved to a folder of an IMAP server can be reconciled";
        return Err(anyhow::anyhow!(why).into());
    }
    let chosen = folders::read_folders(&mut &receive.desk().db, source.id).await?;
    let read: BTreeSet<String> = chosen.iter().map(|folder| folder.name.clone()).collect();
    let moved = chosen.into_iter().filter(|folder| folder.after_filing == AfterFiling::Move);
    let targets: BTreeSet<String> = moved.filter_map(|folder| folder.processed_folder).collect();
    let mut visit = ImapVisit::begin(receive, source).await?;
    let mut done = Reconciled { at: receive.desk().clock.now(), ..Reconciled::default() };
    for target in targets.difference(&read) {
        // One that nothing was ever moved to may not exist.
        if visit.has(target) {
            reconcile(receive, source, target, &mut visit, &mut done).await?;
        }
    }
    // Whether the server says good-bye does not matter any more.
    let _ = visit.session.logout().await;
    Ok(Reconciled { complete: true, ..done })
}

async fn reconcile(
    receive: &Receive,
    source: &Source,
    target: &str,
    visit: &mut ImapVisit,
    done: &mut Reconciled,
) -> Result<(), RoundError> {
    let selected = visit.select(target, true).await?;
    let found = visit.session.uid_search_from(1).await?;
    let mut folder = folder_of(receive, source, target, i64::from(selected.uid_validity)).await?;
    let fresh = found.difference(&kept(receive, &folder).await?);
    let unknown = unknown(receive, source, &fresh, visit).await?;
    done.looked += found.len();
    let listed: UidSet = folder.listed.parse().unwrap_or_default();
    folder.listed = listed.union(&unknown).to_string();
    let mut tx = receive.transaction().await?;
    folders::visited(&mut tx, folder.id, folder.uidvalidity, &folder.listed, folder.cursor).await?;
    tx.commit().await?;
    let channel = source::channel(source);
    let messages = visit.session.fetch(&unknown);
    let work = Work { receive, channel: &channel, messages, report: &|_| {} };
    let mut summary = FolderSummary::default();
    pipeline::run(work, &mut folder, &unknown, &mut summary).await?;
    summary.filed += receive.file_waiting(&channel, &folder).await?.filed;
    done.filed += summary.filed;
    done.quarantined += summary.quarantined;
    Ok(())
}

/// The processed folder as a place of occurrences: it is not read, and nothing is done there.
async fn folder_of(
    receive: &Receive,
    source: &Source,
    name: &str,
    uidvalidity: i64,
) -> Result<Folder, RoundError> {
    let mut tx = receive.transaction().await?;
    let mut folder = folders::import_folder(&mut tx, source.id, name).await?;
    if folder.uidvalidity != uidvalidity {
        (folder.uidvalidity, folder.cursor, folder.listed) = (uidvalidity, 0, String::new());
        folders::visited(&mut tx, folder.id, uidvalidity, "", 0).await?;
    }
    tx.commit().await?;
    Ok(folder)
}

/// What an earlier run has kept.
async fn kept(receive: &Receive, folder: &Folder) -> Result<UidSet, RoundError> {
    let from = Folder { cursor: 0, ..folder.clone() };
    let mut out = UidSet::new();
    for uid in folders::kept_above(&mut &receive.desk().db, &from).await? {
        out.insert(u32::try_from(uid).unwrap_or(0));
    }
    Ok(out)
}

/// Which of these the mailbox does not know: of equal ones as many as are too many.
async fn unknown(
    receive: &Receive,
    source: &Source,
    fresh: &UidSet,
    visit: &mut ImapVisit,
) -> Result<UidSet, RoundError> {
    let mut known = claims::traces_of(&mut &receive.desk().db, source.id).await?;
    let mut out = UidSet::new();
    let mut stream = visit.session.fetch_traces(fresh);
    while let Some(one) = stream.next().await? {
        let trace = Trace {
            size_bytes: one.rfc822_size.and_then(|size| i64::try_from(size).ok()).unwrap_or(-1),
            internal_at: one.internal_date.unwrap_or(-1),
            mid: message_id_of(&one.body).unwrap_or_default(),
        };
        match known.get_mut(&trace).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => drop(out.insert(one.uid)),
        }
    }
    Ok(out)
}
