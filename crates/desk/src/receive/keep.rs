//! Bytes and cursor, durable in one transaction.

use super::open::{Opened, StoredParts};
use crate::Desk;
use model::FolderId;
use store::folders::{self, Folder};
use store::point;
use store::raw;
use store::sql::Error;

/// Counts an attempt at opening these UIDs, and commits that, before it is made.
pub(super) async fn begin(desk: &Desk, folder: FolderId, uids: &str, attempt: i64) -> Result<(), Error> {
    let mut tx = desk.db.begin().await?;
    folders::attempt(&mut tx, folder, uids, attempt).await?;
    tx.commit().await
}

/// Keeps what was opened; with each its occurrence, or `None` where it was there already.
pub(super) async fn keep(
    desk: &Desk,
    stored: &StoredParts,
    folder: &mut Folder,
    opened: &mut [Opened],
    cursor: i64,
) -> Result<(), Error> {
    let items: Vec<raw::Kept> = opened.iter_mut().filter_map(|one| one.kept.take()).collect();
    let mut tx = desk.db.begin().await?;
    let kept = raw::keep(&mut tx, &items, desk.clock.now()).await;
    let ids = match kept {
        Ok(ids) => ids,
        Err(error) => {
            // The one cause that repeating does not cure by itself: a part believed to be there.
            stored.clear();
            return Err(error);
        }
    };
    point::reached("c6_keeping");
    folders::advance(&mut tx, folder, cursor).await?;
    tx.commit().await?;
    stored.add(items.iter().filter_map(|item| item.body.as_ref()).flat_map(|body| &body.parts));
    for (one, id) in opened.iter_mut().zip(ids) {
        one.occurrence = id;
    }
    folder.cursor = folder.cursor.max(cursor);
    Ok(())
}
