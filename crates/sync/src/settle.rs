//! What is owed to the server after filing: move, mark as read. In batches, and only what is filed.
//!
//! Doing it twice is harmless: a UID that is gone is simply not moved again. Only a server without MOVE
//! needs care, since a connection may break between COPY and the removal of the original: there it is
//! written down beforehand what is being copied, and what was left so is first looked for in the
//! target. A refusal is written down with the occurrences, shown, and tried again in later rounds,
//! [`MOST_REFUSALS`] times; then again by each new connection.

use crate::listing::is_numbering;
use crate::round::ImapVisit;
use crate::visit::RoundError;
use desk::receive::Receive;
use model::{AfterFiling, OccurrenceId};
use std::collections::HashMap;
use std::time::Duration;
use store::folders::{self, Due, Folder, Settled};
use store::point;
use store::sql::{Db, Error};
use wire::imap::{SessionError, UidSet};

/// How often a server may refuse on one connection before an occurrence is left where it is, with the
/// reason.
const MOST_REFUSALS: i64 = 20;
/// Added to a folder's id: what is held while it is settled.
const SETTLING: i64 = 0x4c63_0000_0000;
/// How long to wait for another process that settles the same folder.
const WAIT: Duration = Duration::from_secs(60);
/// A message that was moved away so often, and is there once more, is not moved again.
const MOST_RETURNS: i64 = 3;
/// Occurrences settled at a time.
const BATCH: i64 = 1000;
/// Occurrences copied at a time: after a break each is looked for on its own.
const COPY_BATCH: i64 = 100;

/// Settles everything that is due in the folder that is open. Returns why the server refused, if it
/// did.
pub async fn settle(
    receive: &Receive,
    visit: &mut ImapVisit,
    folder: &Folder,
) -> Result<Option<String>, RoundError> {
    let db = &receive.desk().db;
    if folders::due(&mut &*db, folder, 1).await?.is_empty() {
        return Ok(None);
    }
    point::reached("c11_due");
    // Servers copy twice what two connections move at the same moment.
    let _held = match db.hold(SETTLING + folder.id.0, WAIT).await {
        Err(Error::Busy(_)) => return Ok(None),
        held => held?,
    };
    let target = target(folder).filter(|_| !visit.session.offers("MOVE"));
    loop {
        let due = folders::due(&mut &*db, folder, if target.is_some() { COPY_BATCH } else { BATCH }).await?;
        if due.is_empty() {
            return Ok(None);
        }
        if let Some(refused) = put_aside(receive, folder, &due).await? {
            return Ok(Some(refused));
        }
        // What another process filed may have come after this session last looked: a UID it does not know
        // is passed over by the server without a word.
        visit.session.noop().await?;
        let ids: Vec<OccurrenceId> = due.iter().map(|one| one.id).collect();
        let mut copied = UidSet::new();
        if let Some(target) = target {
            copied = copied_before(db, visit, folder, target, &due).await?;
            let mut tx = receive.transaction().await?;
            folders::settling(&mut tx, &ids).await?;
            tx.commit().await?;
            point::reached("c13_intended");
        }
        receive.check().await?;
        match tell(visit, folder, &uids_of(&due), &copied).await {
            Ok(()) => {
                point::reached("c12_settled");
                let mut tx = receive.transaction().await?;
                folders::settled(&mut tx, &ids, how(folder)).await?;
                tx.commit().await?;
            }
            Err(error) if error.ends_session() => return Err(error.into()),
            Err(error) => {
                let mut tx = receive.transaction().await?;
                folders::refused(&mut tx, &ids, &error.to_string(), MOST_REFUSALS).await?;
                tx.commit().await?;
                tracing::warn!(folder = folder.name, messages = ids.len(), %error, "the server refused what is due after filing");
                return Ok(Some(error.to_string()));
            }
        }
    }
}

/// What is true of the occurrences afterwards.
fn how(folder: &Folder) -> Settled {
    target(folder).map_or(Settled::Done, |_| Settled::Moved)
}

/// What comes back each time it is moved is left where it is: its target is this folder under another
/// name, and it would go round for ever. Returns the reason if there is such.
async fn put_aside(receive: &Receive, folder: &Folder, due: &[Due]) -> Result<Option<String>, RoundError> {
    let Some(target) = target(folder) else { return Ok(None) };
    let ids: Vec<OccurrenceId> = due.iter().map(|one| one.id).collect();
    let returning = folders::returning(&mut &receive.desk().db, &ids, MOST_RETURNS).await?;
    if returning.is_empty() {
        return Ok(None);
    }
    let reason = format!("what is moved to {target} is here again each time");
    let mut tx = receive.transaction().await?;
    folders::refused(&mut tx, &returning, &reason, 0).await?;
    tx.commit().await?;
    tracing::error!(
        folder = folder.name,
        target,
        messages = returning.len(),
        "moved messages come back: they are left where they are"
    );
    Ok(Some(reason))
}

/// Where filed messages go, if they go.
fn target(folder: &Folder) -> Option<&str> {
    let target = folder.processed_folder.as_deref().filter(|target| *target != folder.name);
    target.filter(|_| folder.after_filing == AfterFiling::Move)
}

fn uids_of<'a>(due: impl IntoIterator<Item = &'a Due>) -> UidSet {
    let mut uids = UidSet::new();
    for uid in due.into_iter().filter_map(|one| u32::try_from(one.uid).ok()) {
        uids.insert(uid);
    }
    uids
}

/// Which of those whose copying was begun before are in the target: as many as it has more copies of
/// a message than were settled. In doubt none, since a second copy is better than no copy.
async fn copied_before(
    db: &Db,
    visit: &mut ImapVisit,
    folder: &Folder,
    target: &str,
    due: &[Due],
) -> Result<UidSet, RoundError> {
    let begun: Vec<&Due> = due.iter().filter(|one| one.attempts > 0).collect();
    if begun.is_empty() || visit.select(target, true).await.is_err() {
        return reopened(visit, folder).await.map(|()| UidSet::new());
    }
    let ids: Vec<OccurrenceId> = begun.iter().map(|one| one.id).collect();
    let traces = folders::traces(&mut &*db, &ids).await?;
    let (mut copied, mut spare) = (Vec::new(), HashMap::new());
    for (one, trace) in begun.into_iter().zip(traces) {
        let Some(trace) = trace.filter(|trace| !trace.mid.is_empty()) else { continue };
        let spare = match spare.get_mut(&trace.mid) {
            Some(spare) => spare,
            None => {
                // With its brackets, or it would be found as the end of a longer one.
                let found = visit.session.uid_search_header("Message-ID", &format!("<{}>", trace.mid)).await;
                let found = match found {
                    Err(error) if error.ends_session() => return Err(error.into()),
                    found => found.map_or(0, |found| found.len() as i64),
                };
                spare.entry(trace.mid).or_insert(found - trace.settled)
            }
        };
        if *spare > 0 {
            *spare -= 1;
            copied.push(*one);
        }
    }
    reopened(visit, folder).await?;
    Ok(uids_of(&copied))
}

/// Opens the folder again after another one was looked into.
async fn reopened(visit: &mut ImapVisit, folder: &Folder) -> Result<(), RoundError> {
    if visit.session.selected() == Some(&visit.wire_name(&folder.name)) {
        return Ok(());
    }
    let selected = visit.select(&folder.name, false).await?;
    match is_numbering(folder, selected.uid_validity) {
        true => Ok(()),
        false => {
            Err(anyhow::anyhow!("the server renumbered {} in the middle of the work", folder.name).into())
        }
    }
}

async fn tell(
    visit: &mut ImapVisit,
    folder: &Folder,
    uids: &UidSet,
    copied: &UidSet,
) -> Result<(), SessionError> {
    match (folder.after_filing, target(folder)) {
        (AfterFiling::Leave, _) => Ok(()),
        (AfterFiling::Move, Some(target)) => {
            remove(visit, copied).await?;
            shift(visit, &uids.difference(copied), target).await
        }
        (AfterFiling::MarkRead | AfterFiling::Move, _) => {
            visit.session.uid_add_flags(uids, &["\\Seen"]).await
        }
    }
}

/// Takes originals away whose copies are made; without UIDPLUS they stay, flagged.
async fn remove(visit: &mut ImapVisit, copied: &UidSet) -> Result<(), SessionError> {
    if copied.is_empty() {
        return Ok(());
    }
    match visit.session.uid_delete(copied).await {
        Err(SessionError::NotOffered(_)) => visit.session.uid_add_flags(copied, &["\\Deleted"]).await,
        removed => removed,
    }
}

async fn shift(visit: &mut ImapVisit, uids: &UidSet, target: &str) -> Result<(), SessionError> {
    let target_name = visit.wire_name(target);
    match visit.session.uid_move(uids, &target_name).await {
        Ok(_) => Ok(()),
        Err(refused) if is_missing(&refused.error) => {
            visit.session.create(&visit.name_to_make(target)).await?;
            visit.session.uid_move(uids, &target_name).await.map(drop).map_err(|again| again.error)
        }
        Err(refused) => Err(refused.error),
    }
}

fn is_missing(error: &SessionError) -> bool {
    matches!(error, SessionError::Refused(refusal) if refusal.is_missing_folder())
}
