//! One round: one mailbox, read to its end and settled.

use crate::pipeline::{self, Work};
use crate::settle::settle;
use crate::source;
use desk::receive::{Channel, Filed, Receive};
use model::{AfterFiling, OccurrenceState, Time};
use store::folders::{self, Folder};
use store::raw::{self, Kept};
use store::rounds::Source;
use wire::imap::{FolderName, Session, SessionError, UidSet};
use wire::{ConnectError, Server, Stage};

/// Why a round ended before its end. Nothing is lost: the next one goes on where this one stopped.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The server could not be reached, or would not let us in or into a folder.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// The connection broke in the middle of the work.
    #[error("{0}")]
    Session(#[from] SessionError),
    /// The database refused.
    #[error("{0}")]
    Store(#[from] store::sql::Error),
    /// The server lists messages and does not give them; they are asked for again.
    #[error("the server lists {messages} messages in {folder} that it does not give")]
    Withheld {
        /// The folder.
        folder: String,
        /// How many.
        messages: u64,
    },
    /// The mailbox cannot be read as it is set up.
    #[error("{0:#}")]
    SetUp(#[from] anyhow::Error),
}

/// What one round did in one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderSummary {
    /// The folder.
    pub folder: String,
    /// Messages the server listed that had not been read before.
    pub seen: u64,
    /// Occurrences that are messages now.
    pub filed: u64,
    /// Listed, and gone before they could be fetched; or kept out by a filter.
    pub skipped: u64,
    /// Put aside.
    pub quarantined: u64,
}

/// Hears how far a round is: (done, total) messages of the folder.
pub type Progress<'a> = dyn Fn(&str, u64, u64) + Send + Sync + 'a;

/// An open mailbox: signed in, with the names of its folders.
pub struct Visit {
    pub(crate) session: Session,
    pub(crate) server: Server,
    pub(crate) names: Vec<(String, FolderName)>,
}

impl Visit {
    /// Signs in.
    pub async fn begin(receive: &Receive, source: &Source) -> Result<Visit, RoundError> {
        let (server, credentials) = source::server_of(receive.desk(), source).await?;
        let mut session = Session::connect(&server, &credentials).await?;
        let names = session.list().await.map_err(|error| error.at(Stage::List, &server))?;
        let names = names.into_iter().map(|folder| (folder.name, folder.wire_name)).collect();
        Ok(Visit { session, server, names })
    }

    /// Opens a folder.
    pub(crate) async fn select(&mut self, name: &str, read_only: bool) -> Result<wire::imap::Selected, RoundError> {
        let wire_name = wire_name(&self.names, name);
        let selected = self.session.select(&wire_name, read_only).await;
        selected.map_err(|error| RoundError::Connect(error.at(Stage::Select, &self.server)))
    }

    /// Waits for news in the folder that is open.
    pub async fn idle(&mut self, at_most: std::time::Duration) -> Result<wire::imap::IdleEvent, SessionError> {
        self.session.idle(at_most).await
    }

    /// Opens a folder to wait for its news.
    pub async fn watch(&mut self, folder: &str) -> Result<(), RoundError> {
        let wire_name = wire_name(&self.names, folder);
        if self.session.selected() != Some(&wire_name) {
            self.select(folder, false).await?;
        }
        Ok(())
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

/// Reads every chosen folder of a mailbox to its end and settles what was filed.
pub async fn run(receive: &Receive, source: &Source, visit: &mut Visit, progress: &Progress<'_>) -> Result<Vec<FolderSummary>, RoundError> {
    let db = &receive.desk().db;
    let channel = source::channel(source);
    let mut summaries = Vec::new();
    for folder in folders::read_folders(&mut &*db, source.id).await? {
        summaries.push(read_folder(receive, &channel, folder, visit, progress).await?);
    }
    Ok(summaries)
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

async fn read_folder(receive: &Receive, channel: &Channel, mut folder: Folder, visit: &mut Visit, progress: &Progress<'_>) -> Result<FolderSummary, RoundError> {
    let desk = receive.desk();
    let selected = visit.select(&folder.name, folder.after_filing == AfterFiling::Leave).await?;
    let mut summary = FolderSummary { folder: folder.name.clone(), ..FolderSummary::default() };
    let fresh = list(receive, &mut folder, i64::from(selected.uid_validity), visit, &mut summary).await?;
    let name = folder.name.clone();
    let report = |done: u64| progress(&name, done, fresh.len());
    report(0);
    let work = Work { receive, channel, visit, report: &report };
    let left = pipeline::run(work, &mut folder, &fresh, &mut summary).await?;
    let withheld = not_given(receive, &mut folder, left, visit, &mut summary).await?;
    summary.filed += receive.file_waiting(channel, &folder).await?.filed;
    settle(&desk.db, &mut visit.session, &folder, &visit.names).await?;
    if withheld > 0 {
        return Err(RoundError::Withheld { folder: folder.name, messages: withheld });
    }
    let mut tx = desk.db.begin().await?;
    folders::scanned(&mut tx, folder.id, desk.clock.now()).await?;
    tx.commit().await?;
    Ok(summary)
}

/// Compares the server's list with ours, writes it down, and says what is to be fetched.
async fn list(receive: &Receive, folder: &mut Folder, uidvalidity: i64, visit: &mut Visit, summary: &mut FolderSummary) -> Result<UidSet, RoundError> {
    let desk = receive.desk();
    if folder.uidvalidity != uidvalidity {
        if folder.uidvalidity != 0 {
            tracing::warn!(folder = folder.name, from = folder.uidvalidity, to = uidvalidity, "the server renumbered the folder: it is read again");
        }
        (folder.uidvalidity, folder.cursor, folder.listed) = (uidvalidity, 0, String::new());
    }
    let first = u32::try_from(folder.cursor).unwrap_or(u32::MAX).saturating_add(1);
    let found = visit.session.uid_search_from(first).await?;
    let before: UidSet = folder.listed.parse().unwrap_or_default();
    let behind = UidSet::range(1, first - 1);
    let mut known = if first > 1 { before.intersection(&behind) } else { UidSet::new() };
    for uid in folders::kept_above(&mut &desk.db, folder).await? {
        known.insert(u32::try_from(uid).unwrap_or(0));
    }
    let fresh = found.difference(&known);
    let vanished = before.difference(&known).difference(&found);
    summary.seen = fresh.difference(&before).len();
    summary.skipped = vanished.len();
    if fresh.is_empty() && vanished.is_empty() && uidvalidity == folder.uidvalidity && !folder.listed.is_empty() {
        return Ok(fresh);
    }
    folder.listed = before.union(&found).to_string();
    let mut tx = desk.db.begin().await?;
    let gone = aside(folder, &vanished, OccurrenceState::Vanished, VANISHED);
    raw::keep(&mut tx, &gone, desk.clock.now()).await?;
    folders::visited(&mut tx, folder.id, uidvalidity, &folder.listed, folder.cursor).await?;
    tx.commit().await?;
    Ok(fresh)
}

/// Looks into what the server listed and, asked for it, did not give. What is gone has vanished;
/// what is still there is asked for again in later rounds, and put aside when it was asked for in
/// [`MOST_REQUESTS`] of them. Returns how many will be asked for again.
async fn not_given(receive: &Receive, folder: &mut Folder, left: UidSet, visit: &mut Visit, summary: &mut FolderSummary) -> Result<u64, RoundError> {
    if left.is_empty() {
        return Ok(0);
    }
    let desk = receive.desk();
    let there = visit.session.uid_search_among(&left).await?;
    let asked_before: UidSet = folder.attempt.parse().unwrap_or_default();
    let given_up = folder.attempts >= MOST_REQUESTS && there.difference(&asked_before).is_empty();
    let gone = left.difference(&there);
    let mut items = aside(folder, &gone, OccurrenceState::Vanished, VANISHED);
    summary.skipped += gone.len();
    let mut tx = desk.db.begin().await?;
    let withheld = if given_up || there.is_empty() {
        let reason = "the server lists this message and does not give it; ask its operator to repair the mailbox";
        items.extend(aside(folder, &there, OccurrenceState::Quarantined, reason));
        summary.quarantined += there.len();
        let listed: UidSet = folder.listed.parse().unwrap_or_default();
        folder.cursor = i64::from(listed.last().unwrap_or(0));
        folders::advance(&mut tx, folder.id, folder.cursor).await?;
        0
    } else {
        folders::attempt(&mut tx, folder.id, &there.to_string(), folder.attempts + 1).await?;
        there.len()
    };
    raw::keep(&mut tx, &items, desk.clock.now()).await?;
    tx.commit().await?;
    Ok(withheld)
}

/// Rounds in which a message is asked for that the server lists and does not give.
const MOST_REQUESTS: i64 = 5;

/// Why there is nothing but a UID.
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
