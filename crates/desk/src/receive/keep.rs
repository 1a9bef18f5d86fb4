//! Bytes and cursor, durable in one transaction.

use super::Receive;
use super::open::Opened;
use model::FolderId;
use store::claims::{self, Claim};
use store::folders::{self, Folder};
use store::mailboxes;
use store::point;
use store::raw;
use store::sql::Error;

/// Counts an attempt at opening these UIDs, and commits that, before it is made.
pub(super) async fn begin(
    receive: &Receive,
    folder: FolderId,
    uids: &str,
    attempt: i64,
) -> Result<(), Error> {
    let mut tx = receive.transaction().await?;
    folders::attempt(&mut tx, folder, uids, attempt).await?;
    tx.commit().await
}

/// Keeps what was opened; with each its occurrence, or `None` where it was there already, be it under
/// an earlier number.
pub(super) async fn keep(
    receive: &Receive,
    folder: &mut Folder,
    opened: &mut [Opened],
    cursor: i64,
) -> Result<(), Error> {
    let taken_out = |one: &mut Opened| Some((one.kept.take()?, one.read.as_ref().map(|read| read.identity)));
    let items: Vec<_> = opened.iter_mut().filter_map(taken_out).collect();
    let mut tx = receive.transaction().await?;
    let claims: Vec<Claim<'_>> =
        items.iter().map(|(item, identity)| Claim { item, identity: *identity }).collect();
    let claimed = claims::claim(&mut tx, folder, &claims).await?;
    let fresh: Vec<raw::Kept> = items
        .into_iter()
        .zip(&claimed)
        .filter(|(_, claimed)| !**claimed)
        .map(|((item, _), _)| item)
        .collect();
    let ids = match raw::keep(&mut tx, &fresh, receive.desk.clock.now()).await {
        Ok(ids) => ids,
        Err(error) => {
            // The one cause that repeating does not cure by itself: a part believed to be there.
            receive.stored.clear();
            return Err(error);
        }
    };
    folders::advance(&mut tx, folder, cursor).await?;
    if folder.cursor == 0 && !fresh.is_empty() {
        mailboxes::begun(&mut tx, folder.mailbox, receive.desk.clock.now()).await?;
    }
    point::reached("c6_keeping");
    tx.commit().await?;
    receive.stored.add(fresh.iter().filter_map(|item| item.body.as_ref()).flat_map(|body| &body.parts));
    let mut ids = ids.into_iter();
    for (one, claimed) in opened.iter_mut().zip(claimed) {
        one.occurrence = if claimed { None } else { ids.next().flatten() };
    }
    folder.cursor = folder.cursor.max(cursor);
    Ok(())
}
