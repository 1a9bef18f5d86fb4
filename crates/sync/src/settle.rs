//! What is owed to the server after filing: move, mark as read. In batches, and only what is filed.
//!
//! Doing it twice is harmless: a UID that is gone is simply not moved again. A refusal is written
//! down with the occurrences and tried again in later rounds, [`MOST_REFUSALS`] times.

use crate::round::{RoundError, wire_name};
use model::{AfterFiling, OccurrenceId};
use store::folders::{self, Folder};
use store::sql::Db;
use wire::imap::{FolderName, Session, SessionError, UidSet};

/// How often a server may refuse before an occurrence is left where it is, with the reason.
const MOST_REFUSALS: i64 = 20;
/// Occurrences settled at a time.
const BATCH: i64 = 1000;

/// Settles everything that is due in the folder that is open in `session`.
pub async fn settle(db: &Db, session: &mut Session, folder: &Folder, names: &[(String, FolderName)]) -> Result<(), RoundError> {
    loop {
        let due = folders::due(&mut &*db, folder, BATCH).await?;
        if due.is_empty() {
            return Ok(());
        }
        let ids: Vec<OccurrenceId> = due.iter().map(|(id, _)| *id).collect();
        let mut uids = UidSet::new();
        for uid in due.iter().filter_map(|(_, uid)| u32::try_from(*uid).ok()) {
            uids.insert(uid);
        }
        match tell(session, folder, &uids, names).await {
            Ok(()) => {
                let mut tx = db.begin().await?;
                folders::settled(&mut tx, &ids).await?;
                tx.commit().await?;
            }
            Err(error) if error.ends_session() => return Err(error.into()),
            Err(error) => {
                let mut tx = db.begin().await?;
                folders::refused(&mut tx, &ids, &error.to_string(), MOST_REFUSALS).await?;
                tx.commit().await?;
                tracing::warn!(folder = folder.name, messages = ids.len(), %error, "the server refused what is due after filing");
                return Ok(());
            }
        }
    }
}

async fn tell(session: &mut Session, folder: &Folder, uids: &UidSet, names: &[(String, FolderName)]) -> Result<(), SessionError> {
    match (folder.after_filing, &folder.processed_folder) {
        (AfterFiling::Leave, _) => Ok(()),
        (AfterFiling::Move, Some(target)) if *target != folder.name => shift(session, uids, target, names).await,
        (AfterFiling::MarkRead | AfterFiling::Move, _) => session.uid_add_flags(uids, &["\\Seen"]).await,
    }
}

async fn shift(session: &mut Session, uids: &UidSet, target: &str, names: &[(String, FolderName)]) -> Result<(), SessionError> {
    let target_name = wire_name(names, target);
    match session.uid_move(uids, &target_name).await {
        Ok(_) => Ok(()),
        Err(refused) if is_missing(&refused.error) => {
            session.create(target).await?;
            session.uid_move(uids, &target_name).await.map(drop).map_err(|again| again.error)
        }
        Err(refused) => Err(refused.error),
    }
}

fn is_missing(error: &SessionError) -> bool {
    matches!(error, SessionError::Refused(refusal) if refusal.is_missing_folder())
}
