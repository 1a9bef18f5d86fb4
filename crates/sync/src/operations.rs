//! What people asked to be done on the server, carried out in order: flags, moves, deletions, additions.
//!
//! A try is counted before it is made. When the next one finds it counted, the server may have done it and its
//! answer was lost: flags and deletions are simply done again, a UID that was to be moved and is gone was moved, and
//! where a copy may have been made ([`lost`]) it is looked for before another one is. A refusal is written down
//! with the operation and tried again by later rounds, [`MOST_TRIES`] times in all; then it has failed, and what
//! was shown in advance is put right by the next comparison.
//!
//! Decided against an operation at a time: what is asked for together (one change of flags of many messages, one
//! move) goes to the server together.

mod lost;
mod transfer;

use crate::listing::is_numbering;
use crate::round::ImapVisit;
use crate::visit::{FolderSummary, POLL, Progress, RoundError, Visit};
use desk::mailbox::Boxed;
use desk::receive::Receive;
use model::{Flag, FlagChange, FolderId, OccurrenceId, OperationId};
use std::collections::BTreeMap;
use std::time::Duration;
use store::folders::synchronised::{self, Whereabouts};
use store::folders::{self, Folder};
use store::operations::{self, Act, Operation};
use store::point;
use store::rounds::Source;
use store::sql::Error;
use wire::imap::{SessionError, UidSet};

/// How often an operation is tried.
pub const MOST_TRIES: i64 = 20;
/// Operations read at a time.
const BATCH: i64 = 500;
/// Added to a mailbox's id: what is held while its operations are carried out.
const OPERATING: i64 = 0x4c63_0200_0000_0000;
/// How long to wait for another process that does the same.
const WAIT: Duration = Duration::from_secs(60);

/// Why an operation cannot be done.
const GONE: &str = "the message is no longer in the mailbox";
const NUMBERED_ANEW: &str = "the server has numbered the folder anew; delete the message again";
const NOT_ALLOWED: &str = "deleting on the server is switched off in the mailbox's settings";

/// Carries out what is due. Says why the server refused something, if it did.
pub async fn carry_out(
    receive: &Receive,
    source: &Source,
    visit: &mut ImapVisit,
) -> Result<Option<String>, RoundError> {
    let db = &receive.desk().db;
    if operations::due(&mut &*db, source.id, OperationId(0), 1).await?.is_empty() {
        return Ok(None);
    }
    // Two that move the same messages at the same moment would copy them twice.
    let _held = match db.hold(OPERATING + source.id.0, WAIT).await {
        Err(Error::Busy(_)) => return Ok(None),
        held => held?,
    };
    let mut at_work = AtWork { receive, source, visit, refused: None };
    let mut after = OperationId(0);
    loop {
        let due = operations::due(&mut &*db, source.id, after, BATCH).await?;
        let Some(last) = due.last() else { return Ok(at_work.refused) };
        after = last.id;
        for together in due.chunk_by(is_one_wish) {
            at_work.carry(together).await?;
        }
    }
}

/// Whether two operations may go to the server in one command.
fn is_one_wish(one: &Operation, next: &Operation) -> bool {
    let may_join = matches!(one.act, Act::Flag(_) | Act::Move);
    may_join && one.act == next.act && (one.folder, one.target) == (next.folder, next.target)
}

struct AtWork<'a> {
    receive: &'a Receive,
    source: &'a Source,
    visit: &'a mut ImapVisit,
    refused: Option<String>,
}

/// An operation about an occurrence, and where that is now.
struct Item<'a> {
    operation: &'a Operation,
    at: Whereabouts,
}

impl AtWork<'_> {
    async fn carry(&mut self, together: &[Operation]) -> Result<(), RoundError> {
        let Some(first) = together.first() else { return Ok(()) };
        match &first.act {
            Act::Flag(change) => {
                for (folder, items) in self.by_folder(together).await? {
                    self.flag(folder, &items, change).await?;
                }
                Ok(())
            }
            Act::Move => {
                let Some(target) = first.target else { return self.fail(&[first.id], GONE).await };
                for (folder, items) in self.by_folder(together).await? {
                    self.move_items(folder, items, target).await?;
                }
                Ok(())
            }
            Act::Delete { uidvalidity, uids } => self.delete(first, *uidvalidity, uids).await,
            Act::Append { flags, internal_at } => self.append(first, flags, *internal_at).await,
        }
    }

    /// Finds out where the occurrences are now. What is not there (yet: it may have been moved a moment
    /// ago) is written down.
    async fn by_folder<'o>(
        &mut self,
        together: &'o [Operation],
    ) -> Result<BTreeMap<FolderId, Vec<Item<'o>>>, RoundError> {
        let mut sql = &self.receive.desk().db;
        let mut found: BTreeMap<FolderId, Vec<Item<'o>>> = BTreeMap::new();
        let mut missing = Vec::new();
        for operation in together {
            let id = operation.occurrence.unwrap_or(OccurrenceId(0));
            match synchronised::whereabouts(&mut sql, id).await?.filter(|at| at.present) {
                Some(at) => found.entry(at.folder).or_default().push(Item { operation, at }),
                None => missing.push(operation.id),
            }
        }
        if !missing.is_empty() {
            self.begin(&missing).await?;
            self.give_back(&missing, GONE, MOST_TRIES).await?;
        }
        Ok(found)
    }

    async fn flag(
        &mut self,
        folder: FolderId,
        items: &[Item<'_>],
        change: &FlagChange,
    ) -> Result<(), RoundError> {
        let ids = ids(items);
        self.begin(&ids).await?;
        let Some(folder) = self.open(folder, &ids).await? else { return Ok(()) };
        let uids = uids(items, &folder);
        match self.store_flags(&uids, change).await {
            Ok(()) => self.done(&ids).await,
            Err(error) => self.refused_or_lost(&ids, error).await,
        }
    }

    async fn store_flags(&mut self, uids: &UidSet, change: &FlagChange) -> Result<(), SessionError> {
        let names = |flags: &[Flag]| flags.iter().map(|flag| flag.imap()).collect::<Vec<_>>();
        if !change.add.is_empty() {
            self.visit.session.uid_add_flags(uids, &names(&change.add)).await?;
        }
        if !change.remove.is_empty() {
            self.visit.session.uid_remove_flags(uids, &names(&change.remove)).await?;
        }
        Ok(())
    }

    /// Removes items for good: exactly these, or where the server cannot do that, flags them only.
    async fn delete(
        &mut self,
        operation: &Operation,
        uidvalidity: i64,
        uids: &str,
    ) -> Result<(), RoundError> {
        let ids = [operation.id];
        self.begin(&ids).await?;
        if !self.source.delete_on_server {
            return self.fail(&ids, NOT_ALLOWED).await;
        }
        let Some(folder) = self.open(operation.folder, &ids).await? else { return Ok(()) };
        if folder.uidvalidity != uidvalidity {
            return self.fail(&ids, NUMBERED_ANEW).await;
        }
        let uids: UidSet = uids.parse().unwrap_or_default();
        let deleted = match self.visit.session.uid_search_among(&uids).await {
            Ok(there) if there.is_empty() => Ok(()),
            Ok(there) => self.remove(&there).await,
            Err(error) => Err(error),
        };
        match deleted {
            Ok(()) => self.done(&ids).await,
            Err(error) => self.refused_or_lost(&ids, error).await,
        }
    }

    /// Takes exactly these out of the open folder; without UIDPLUS they stay, flagged.
    async fn remove(&mut self, uids: &UidSet) -> Result<(), SessionError> {
        if uids.is_empty() {
            return Ok(());
        }
        match self.visit.session.uid_delete(uids).await {
            Err(SessionError::NotOffered(_)) => {
                self.visit.session.uid_add_flags(uids, &[Flag::Deleted.imap()]).await
            }
            removed => removed,
        }
    }

    /// Opens a folder to change it. `None` if it cannot be opened, or was numbered anew since it was last
    /// read: then the operations wait for the reading.
    async fn open(&mut self, id: FolderId, ids: &[OperationId]) -> Result<Option<Folder>, RoundError> {
        let Some(folder) = folders::get(&mut &self.receive.desk().db, id).await? else {
            self.fail(ids, GONE).await?;
            return Ok(None);
        };
        let name = self.visit.wire_name(&folder.name);
        match self.visit.session.select(&name, false).await {
            Ok(selected) if is_numbering(&folder, selected.uid_validity) => Ok(Some(folder)),
            Ok(_) => {
                self.give_back(ids, "the server has numbered the folder anew", MOST_TRIES).await?;
                Ok(None)
            }
            Err(error) => {
                self.refused_or_lost(ids, error).await?;
                Ok(None)
            }
        }
    }

    /// Counts a try, before it is made.
    async fn begin(&self, ids: &[OperationId]) -> Result<(), RoundError> {
        self.receive.check().await?;
        let mut tx = self.receive.transaction().await?;
        operations::begin(&mut tx, ids).await?;
        tx.commit().await?;
        point::reached("c13_operation_begun");
        Ok(())
    }

    async fn done(&self, ids: &[OperationId]) -> Result<(), RoundError> {
        point::reached("c12_operation_done");
        let mut tx = self.receive.transaction().await?;
        operations::done(&mut tx, ids, self.receive.desk().clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// What the server says no to is tried again by a later round; what breaks the session ends this one.
    async fn refused_or_lost(&mut self, ids: &[OperationId], error: SessionError) -> Result<(), RoundError> {
        if error.ends_session() {
            return Err(error.into());
        }
        tracing::warn!(mailbox = self.source.id.0, operations = ids.len(), %error, "the server refused what somebody asked for");
        self.give_back(ids, &error.to_string(), MOST_TRIES).await?;
        self.refused = Some(error.to_string());
        Ok(())
    }

    /// Gives up at once what will never be done.
    async fn fail(&self, ids: &[OperationId], why: &str) -> Result<(), RoundError> {
        self.give_back(ids, why, 0).await
    }

    async fn give_back(&self, ids: &[OperationId], why: &str, most: i64) -> Result<(), RoundError> {
        let mut tx = self.receive.transaction().await?;
        operations::refused(&mut tx, ids, why, most, self.receive.desk().clock.now()).await?;
        Ok(tx.commit().await?)
    }
}

fn ids(items: &[Item<'_>]) -> Vec<OperationId> {
    items.iter().map(|item| item.operation.id).collect()
}

/// The UIDs of the items, as far as they belong to the folder's present numbering.
fn uids(items: &[Item<'_>], folder: &Folder) -> UidSet {
    let current = items.iter().filter(|item| item.at.uidvalidity == folder.uidvalidity);
    current.filter_map(|item| u32::try_from(item.at.uid).ok()).collect()
}

/// An open mailbox that is switched off and owes its server something. When that is done the mailbox is no
/// longer among those that are visited.
pub struct OwingVisit {
    receive: Receive,
    source: Source,
    imap: ImapVisit,
}

impl OwingVisit {
    /// Signs in.
    pub async fn begin(receive: &Receive, source: &Source) -> Result<OwingVisit, RoundError> {
        let imap = ImapVisit::begin(receive, source).await?;
        Ok(OwingVisit { receive: receive.clone(), source: source.clone(), imap })
    }

    async fn run(&mut self) -> Result<Vec<FolderSummary>, RoundError> {
        let refused = carry_out(&self.receive, &self.source, &mut self.imap).await?;
        Ok(refused
            .map(|refused| FolderSummary { refused: Some(refused), ..FolderSummary::default() })
            .into_iter()
            .collect())
    }
}

impl Visit for OwingVisit {
    fn round<'a>(
        &'a mut self,
        _progress: &'a Progress<'a>,
    ) -> Boxed<'a, Result<Vec<FolderSummary>, RoundError>> {
        Box::pin(self.run())
    }

    fn wait(&mut self) -> Boxed<'_, Result<(), RoundError>> {
        Box::pin(async {
            tokio::time::sleep(POLL).await;
            Ok(())
        })
    }
}
