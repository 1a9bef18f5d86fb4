//! One round of a mailbox that is read by IMAP: its chosen folders, to their end, and settled.

use crate::pipeline::{self, Work};
use crate::settle::settle;
use crate::source;
use crate::visit::{FolderSummary, POLL, Progress, RoundError, Visit};
use desk::mailbox::Boxed;
use desk::receive::{Channel, Filed, Receive};
use model::{AfterFiling, FolderId, OccurrenceState, Time};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use store::folders::{self, Folder};
use store::point;
use store::raw::{self, Kept};
use store::rounds::Source;
use store::sql::Db;
use wire::imap::{FolderName, IdleEvent, Selected, Session, SessionError, UidSet};
use wire::{Server, Stage};

/// An open mailbox: signed in, with the names of its folders.
pub struct ImapVisit {
    receive: Receive,
    source: Source,
    pub(crate) session: Session,
    pub(crate) server: Server,
    pub(crate) names: Vec<(String, FolderName)>,
    /// When each folder was compared as a whole.
    compared: HashMap<FolderId, Instant>,
}

/// Longest wait at IDLE: below what routers forget, and so the longest a lost wake-up costs.
const IDLE: Duration = Duration::from_secs(5 * 60);

/// So often the whole of a folder is compared with what was kept, and at the beginning of each
/// connection: whatever went wrong before is put right then.
const COMPARE: Duration = Duration::from_secs(24 * 60 * 60);

impl ImapVisit {
    /// Signs in.
    pub async fn begin(receive: &Receive, source: &Source) -> Result<ImapVisit, RoundError> {
        let (server, credentials) = source::server_of(receive.desk(), source).await?;
        let mut session = Session::connect(&server, &credentials).await?;
        let names = session.list().await.map_err(|error| error.at(Stage::List, &server))?;
        let names = names.into_iter().map(|folder| (folder.name, folder.wire_name)).collect();
        point::reached("c1_signed_in");
        let (receive, source) = (receive.clone(), source.clone());
        Ok(ImapVisit { receive, source, session, server, names, compared: HashMap::new() })
    }

    /// Opens a folder.
    pub(crate) async fn select(&mut self, name: &str, read_only: bool) -> Result<Selected, RoundError> {
        let wire_name = wire_name(&self.names, name);
        let selected = self.session.select(&wire_name, read_only).await;
        selected.map_err(|error| RoundError::Connect(error.at(Stage::Select, &self.server)))
    }

    /// Opens a folder to wait for its news.
    async fn watch(&mut self, folder: &str) -> Result<(), RoundError> {
        let wire_name = wire_name(&self.names, folder);
        if self.session.selected() != Some(&wire_name) {
            self.select(folder, false).await?;
        }
        Ok(())
    }

    /// Waits for news: at IDLE in the first folder, by the clock for the others.
    async fn news(&mut self) -> Result<(), RoundError> {
        let folders = folders::read_folders(&mut &self.receive.desk().db, self.source.id).await?;
        let Some(first) = folders.first() else {
            tokio::time::sleep(POLL).await;
            return Ok(());
        };
        // It was read last and is open, so that what the server said since is known.
        self.watch(&first.name).await?;
        let at_most = if folders.len() > 1 { POLL } else { IDLE };
        match self.session.idle(at_most).await {
            Ok(IdleEvent::Changed | IdleEvent::Timeout) => Ok(()),
            // Not every server that offers IDLE means it.
            Err(SessionError::NotOffered(_) | SessionError::Refused(_)) => {
                tokio::time::sleep(POLL).await;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Visit for ImapVisit {
    fn round<'a>(
        &'a mut self,
        progress: &'a Progress<'a>,
    ) -> Boxed<'a, Result<Vec<FolderSummary>, RoundError>> {
        let (receive, source) = (self.receive.clone(), self.source.clone());
        Box::pin(async move { run(&receive, &source, self, progress).await })
    }

    fn wait(&mut self) -> Boxed<'_, Result<(), RoundError>> {
        Box::pin(self.news())
    }
}

/// The wire name the server gave for a folder, or the one it would have if it were made.
pub(crate) fn wire_name(names: &[(String, FolderName)], name: &str) -> FolderName {
    if name.eq_ignore_ascii_case("inbox") {
        return FolderName::inbox();
    }
    let known = names.iter().find(|(known, _)| known == name);
    known.map_or_else(|| FolderName::encode(name), |(_, wire)| wire.clone())
}

/// Reads every chosen folder of a mailbox to its end and settles what was filed. Of several the first is
/// read once more at the end and stays open, for IDLE. A folder that fails does not keep the others
/// from being read; then the first failure is the result.
async fn run(
    receive: &Receive,
    source: &Source,
    visit: &mut ImapVisit,
    progress: &Progress<'_>,
) -> Result<Vec<FolderSummary>, RoundError> {
    let db = &receive.desk().db;
    let channel = source::channel(source);
    let mut chosen: Vec<FolderId> = read_ids(db, source).await?;
    chosen.extend((chosen.len() > 1).then(|| chosen[0]));
    let (mut summaries, mut failure): (Vec<FolderSummary>, _) = (Vec::new(), None);
    for id in chosen {
        let Some(folder) = folders::get(&mut &*db, id).await? else { continue };
        match read_folder(receive, &channel, folder, visit, progress).await {
            Ok(summary) => match summaries.iter_mut().find(|other| other.folder == summary.folder) {
                Some(first) => first.add(&summary),
                None => summaries.push(summary),
            },
            Err(error) if visit.session.ended().is_some() || matches!(error, RoundError::Store(_)) => {
                return Err(error);
            }
            Err(error) => drop(failure.get_or_insert(error)),
        }
    }
    failure.map_or(Ok(summaries), Err)
}

async fn read_ids(db: &Db, source: &Source) -> Result<Vec<FolderId>, RoundError> {
    let folders = folders::read_folders(&mut &*db, source.id).await?;
    Ok(folders.into_iter().map(|folder| folder.id).collect())
}

/// Files what an earlier run kept and did not come to file. Needs no server.
pub async fn file_waiting(receive: &Receive, source: &Source) -> Result<Filed, RoundError> {
    let channel = source::channel(source);
    let mut filed = Filed::default();
    for folder in folders::read_folders(&mut &receive.desk().db, source.id).await? {
        filed += receive.file_waiting(&channel, &folder).await?;
    }
    Ok(filed)
}

async fn read_folder(
    receive: &Receive,
    channel: &Channel,
    mut folder: Folder,
    visit: &mut ImapVisit,
    progress: &Progress<'_>,
) -> Result<FolderSummary, RoundError> {
    let desk = receive.desk();
    let selected = visit.select(&folder.name, folder.after_filing == AfterFiling::Leave).await?;
    let mut summary = FolderSummary { folder: folder.name.clone(), ..FolderSummary::default() };
    let fresh = list(receive, &mut folder, &selected, visit, &mut summary).await?;
    let name = folder.name.clone();
    let report = |done: u64| progress(&name, done, fresh.len());
    report(0);
    let work = Work { receive, channel, messages: visit.session.fetch(&fresh), report: &report };
    let left = pipeline::run(work, &mut folder, &fresh, &mut summary).await?;
    let there = if left.is_empty() { left.clone() } else { visit.session.uid_search_among(&left).await? };
    let withheld = not_given(receive, &mut folder, left, there, &mut summary).await?;
    summary.filed += receive.file_waiting(channel, &folder).await?.filed;
    summary.refused = settle(&desk.db, visit, &folder).await?;
    if withheld > 0 {
        return Err(RoundError::Withheld { folder: folder.name, messages: withheld });
    }
    let mut tx = receive.transaction().await?;
    folders::scanned(&mut tx, folder.id, desk.clock.now()).await?;
    tx.commit().await?;
    Ok(summary)
}

/// Compares the server's list with ours, writes it down, and says what is to be fetched.
async fn list(
    receive: &Receive,
    folder: &mut Folder,
    selected: &Selected,
    visit: &mut ImapVisit,
    summary: &mut FolderSummary,
) -> Result<UidSet, RoundError> {
    let desk = receive.desk();
    if !is_numbering(folder, selected.uid_validity) {
        if folder.uidvalidity != 0 {
            tracing::warn!(
                folder = folder.name,
                from = folder.uidvalidity,
                to = selected.uid_validity,
                "the server renumbered the folder: it is read again"
            );
        }
        renumber(folder, i64::from(selected.uid_validity));
    }
    let may_have_gone_back = selected.uid_next.is_some_and(|next| i64::from(next) <= highest(folder));
    let whole = may_have_gone_back || visit.compared.get(&folder.id).is_none_or(|at| at.elapsed() > COMPARE);
    let found = visit.session.uid_search_from(if whole { 1 } else { after_cursor(folder) }).await?;
    if may_have_gone_back && found.last() < selected.uid_next {
        // RFC 9051, section 2.3.1.1, forbids it; servers that were restored from a backup do it. One
        // whose UIDNEXT does not even fit to what it lists is not believed.
        tracing::error!(
            folder = folder.name,
            "the server gives UIDs out again under the same UIDVALIDITY: the folder is read again"
        );
        renumber(folder, folder.uidvalidity + NUMBERING + 1);
    }
    let before: UidSet = folder.listed.parse().unwrap_or_default();
    let known = known(receive, folder, &before, whole).await?;
    let fresh = found.difference(&known);
    let vanished = before.difference(&known).difference(&found);
    summary.seen = fresh.difference(&before).len();
    summary.skipped = vanished.len();
    if !fresh.is_empty() || !vanished.is_empty() || folder.listed.is_empty() {
        let gone = aside(folder, &vanished, OccurrenceState::Vanished, VANISHED);
        let mut tx = receive.transaction().await?;
        raw::keep(&mut tx, &gone, desk.clock.now()).await?;
        if let Some(now) = folders::locked(&mut tx, folder.id).await?
            && now.uidvalidity == folder.uidvalidity
        {
            // Another process may have listed more.
            let listed: UidSet = now.listed.parse().unwrap_or_default();
            (folder.listed, folder.cursor) = (listed.union(&before).union(&found).to_string(), now.cursor);
        } else {
            folder.listed = before.union(&found).to_string();
        }
        folders::visited(&mut tx, folder.id, folder.uidvalidity, &folder.listed, folder.cursor).await?;
        tx.commit().await?;
        point::reached("c1_listed");
    }
    if whole {
        let mut tx = receive.transaction().await?;
        folders::settle_again(&mut tx, folder).await?;
        tx.commit().await?;
        visit.compared.insert(folder.id, Instant::now());
    }
    Ok(fresh)
}

/// The part of a folder's numbering that is the server's UIDVALIDITY.
const NUMBERING: i64 = u32::MAX as i64;

/// Whether what we know of a folder belongs to the server's present numbering.
pub(crate) fn is_numbering(folder: &Folder, uidvalidity: u32) -> bool {
    folder.uidvalidity & NUMBERING == i64::from(uidvalidity)
}

fn renumber(folder: &mut Folder, uidvalidity: i64) {
    (folder.uidvalidity, folder.cursor, folder.listed) = (uidvalidity, 0, String::new());
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
const VANISHED: &str = "it was gone from the server before it could be fetched";

fn aside(folder: &Folder, uids: &UidSet, state: OccurrenceState, reason: &str) -> Vec<Kept> {
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
    };
    uids.iter().map(one).collect()
}
