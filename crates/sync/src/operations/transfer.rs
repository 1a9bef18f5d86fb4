//! Moves and additions: what puts a message into a folder.

use super::{AtWork, GONE, Item, ids, lost, uids};
use crate::visit::RoundError;
use desk::bytes;
use model::{Flag, FolderId, Time};
use std::collections::HashMap;
use store::folders::{self, Folder, synchronised};
use store::operations::{self, Operation};
use store::point;
use wire::imap::{Moved, SessionError, UidSet};

/// Why an addition cannot be made.
const NO_BYTES: &str = "its bytes are not kept here";
/// Moved at a time where the server has no MOVE: after a break each is looked for on its own.
const COPY_BATCH: usize = 100;

impl AtWork<'_> {
    /// Moves items of one folder to another.
    pub(super) async fn move_items(
        &mut self,
        folder: FolderId,
        items: Vec<Item<'_>>,
        target: FolderId,
    ) -> Result<(), RoundError> {
        let Some(target) = folders::get(&mut &self.receive.desk().db, target).await? else {
            return self.fail(&ids(&items), GONE).await;
        };
        for items in items.chunks(COPY_BATCH) {
            let ids = ids(items);
            let lost = match self.visit.session.offers("MOVE") || folder == target.id {
                true => UidSet::new(),
                false => self.copied_before(items, &target).await?,
            };
            self.begin(&ids).await?;
            if folder == target.id {
                self.done(&ids).await?;
                continue;
            }
            let Some(folder) = self.open(folder, &ids).await? else { continue };
            self.move_together(&folder, items, &target, &lost).await?;
        }
        Ok(())
    }

    /// Which of them were copied by a try whose answer was lost.
    async fn copied_before(&mut self, items: &[Item<'_>], target: &Folder) -> Result<UidSet, RoundError> {
        let mut copied = UidSet::new();
        for item in items.iter().filter(|item| item.operation.attempts > 0) {
            let db = &self.receive.desk().db;
            let Some(raw) = bytes::of_occurrence(&mut &*db, item.at.id).await? else { continue };
            let accounted =
                operations::accounted(&mut &*db, target.id, &item.at.hash, item.operation.created_at).await?;
            let wanted = lost::Wanted { mid: &item.at.mid, raw: &raw, accounted: accounted as usize };
            let name = self.visit.wire_name(&target.name);
            if lost::is_there(&mut self.visit.session, &name, &wanted).await? {
                copied.extend(u32::try_from(item.at.uid));
            }
        }
        Ok(copied)
    }

    async fn move_together(
        &mut self,
        folder: &Folder,
        items: &[Item<'_>],
        target: &Folder,
        copied: &UidSet,
    ) -> Result<(), RoundError> {
        let wanted = uids(items, folder);
        let was_tried = |item: &&Item<'_>| item.operation.attempts > 0;
        let tried = items.iter().filter(was_tried).filter_map(|item| u32::try_from(item.at.uid).ok());
        let tried: UidSet = tried.collect();
        let (moved, error) = match self.shift(&wanted, &tried.intersection(&wanted), copied, target).await {
            Ok(moved) => (moved, None),
            Err((moved, error)) => (moved, Some(error)),
        };
        let there = |item: &&Item<'_>| u32::try_from(item.at.uid).is_ok_and(|uid| moved.done.contains(uid));
        let (done, left): (Vec<&Item<'_>>, Vec<&Item<'_>>) = items.iter().partition(there);
        self.moved(&done, target, &moved).await?;
        let left: Vec<_> = left.iter().map(|item| item.operation.id).collect();
        match error {
            Some(error) => self.refused_or_lost(&left, error).await,
            None if left.is_empty() => Ok(()),
            None => self.give_back(&left, GONE, super::MOST_TRIES).await,
        }
    }

    /// Moves what is still there. What was `tried` before and is not there any more was moved then; what
    /// others took away meanwhile is looked for elsewhere by the next round.
    async fn shift(
        &mut self,
        wanted: &UidSet,
        tried: &UidSet,
        copied: &UidSet,
        target: &Folder,
    ) -> Result<Moved, (Moved, SessionError)> {
        let mut gone = Moved::default();
        let session = &mut self.visit.session;
        let there = session.uid_search_among(wanted).await.map_err(|error| (Moved::default(), error))?;
        gone.done = tried.difference(&there);
        let copied = copied.intersection(&there);
        if let Err(error) = self.remove(&copied).await {
            return Err((gone, error));
        }
        gone.done = gone.done.union(&copied);
        if !self.visit.session.offers("UIDPLUS") {
            gone.left_flagged = copied.clone();
        }
        let rest = there.difference(&copied);
        if rest.is_empty() {
            return Ok(gone);
        }
        let name = self.visit.wire_name(&target.name);
        let made = self.visit.name_to_make(&target.name);
        let session = &mut self.visit.session;
        let moved = match session.uid_move(&rest, &name).await {
            Err(refused) if is_missing(&refused.error) => match session.create(&made).await {
                Err(error) => return Err((gone, error)),
                Ok(_) => session.uid_move(&rest, &name).await,
            },
            moved => moved,
        };
        match moved {
            Ok(moved) => Ok(joined(gone, moved)),
            Err(error) => Err((joined(gone, error.moved), error.error)),
        }
    }

    /// Writes down what was moved: each occurrence has left its folder, and where the server said as what
    /// it is in the other one, it is there at once. One that the server cannot remove is not shown twice.
    async fn moved(&mut self, done: &[&Item<'_>], target: &Folder, moved: &Moved) -> Result<(), RoundError> {
        if done.is_empty() {
            return Ok(());
        }
        point::reached("c12_operation_done");
        let at = self.receive.desk().clock.now();
        let to: HashMap<u32, u32> = moved.mapping.iter().copied().collect();
        let is_left =
            |item: &&Item<'_>| u32::try_from(item.at.uid).is_ok_and(|uid| moved.left_flagged.contains(uid));
        let (left, gone): (Vec<&Item<'_>>, Vec<&Item<'_>>) = done.iter().partition(|item| is_left(item));
        let occurrences = |items: &[&Item<'_>]| items.iter().map(|item| item.at.id).collect::<Vec<_>>();
        let mut tx = self.receive.transaction().await?;
        operations::lock(&mut tx, self.source.id).await?;
        let known = folders::locked(&mut tx, target.id).await?;
        let known = known.filter(|known| {
            let told = moved.dest_uid_validity;
            known.uidvalidity > 0 && told.is_some_and(|told| crate::listing::is_numbering(known, told))
        });
        if let Some(known) = known {
            let mut listed: UidSet = known.listed.parse().unwrap_or_default();
            for item in done {
                let Some(uid) = u32::try_from(item.at.uid).ok().and_then(|uid| to.get(&uid)) else {
                    continue;
                };
                if let Some(new) = synchronised::moved(&mut tx, item.at.id, &known, *uid, at).await? {
                    listed.insert(*uid);
                    operations::follow(&mut tx, item.at.id, new, target.id).await?;
                }
            }
            let listed = listed.to_string();
            folders::visited(&mut tx, known.id, known.uidvalidity, &listed, known.cursor).await?;
        }
        synchronised::gone(&mut tx, &occurrences(&gone), at).await?;
        synchronised::hide(&mut tx, &occurrences(&left), at).await?;
        let ids: Vec<_> = done.iter().map(|item| item.operation.id).collect();
        operations::done(&mut tx, &ids, at).await?;
        Ok(tx.commit().await?)
    }

    /// Adds a message to a folder. If it was an occurrence elsewhere, it leaves there.
    pub(super) async fn append(
        &mut self,
        operation: &Operation,
        flags: &[Flag],
        internal_at: Time,
    ) -> Result<(), RoundError> {
        let db = self.receive.desk().db.clone();
        let ids = [operation.id];
        let Some(folder) = folders::get(&mut &db, operation.folder).await? else {
            return self.fail(&ids, GONE).await;
        };
        let (at, raw) = match operation.occurrence {
            Some(id) => {
                (synchronised::whereabouts_of(&mut &db, id).await?, bytes::of_occurrence(&mut &db, id).await?)
            }
            None => (None, operations::raw_of(&mut &db, operation.id).await?),
        };
        let Some(raw) = raw else { return self.fail(&ids, NO_BYTES).await };
        let name = self.visit.wire_name(&folder.name);
        if operation.attempts > 0 {
            let (mid, accounted) = match &at {
                Some(at) => {
                    let since = operation.created_at;
                    (at.mid.clone(), operations::accounted(&mut &db, folder.id, &at.hash, since).await?)
                }
                None => (bytes::message_id(&raw), 0),
            };
            let wanted = lost::Wanted { mid: &mid, raw: &raw, accounted: accounted as usize };
            if lost::is_there(&mut self.visit.session, &name, &wanted).await? {
                return self.appended(operation).await;
            }
        }
        self.begin(&ids).await?;
        let flags: Vec<&str> = flags.iter().map(|flag| flag.imap()).collect();
        let internal_at = (internal_at.0 > 0).then_some(internal_at.0);
        let made = self.visit.name_to_make(&folder.name);
        let session = &mut self.visit.session;
        let appended = match session.append(&name, &flags, internal_at, raw.clone()).await {
            Err(error) if is_missing(&error) => match session.create(&made).await {
                Err(error) => Err(error),
                Ok(name) => session.append(&name, &flags, internal_at, raw).await,
            },
            appended => appended,
        };
        match appended {
            Ok(_) => self.appended(operation).await,
            Err(error) => self.refused_or_lost(&ids, error).await,
        }
    }

    async fn appended(&mut self, operation: &Operation) -> Result<(), RoundError> {
        point::reached("c12_operation_done");
        let at = self.receive.desk().clock.now();
        let mut tx = self.receive.transaction().await?;
        let left: Vec<_> = operation.occurrence.into_iter().collect();
        synchronised::gone(&mut tx, &left, at).await?;
        operations::done(&mut tx, &[operation.id], at).await?;
        Ok(tx.commit().await?)
    }
}

fn joined(before: Moved, mut moved: Moved) -> Moved {
    moved.done = moved.done.union(&before.done);
    moved.left_flagged = moved.left_flagged.union(&before.left_flagged);
    moved
}

fn is_missing(error: &SessionError) -> bool {
    matches!(error, SessionError::Refused(refusal) if refusal.is_missing_folder())
}
