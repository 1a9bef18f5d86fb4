//! One round of a mailbox that is read by IMAP: its chosen folders, to their end, and settled.

use crate::listing;
use crate::operations;
use crate::pipeline::{self, Work};
use crate::settle::settle;
use crate::source;
use crate::synchronise;
use crate::visit::{FolderSummary, POLL, Progress, RoundError, Visit};
use desk::mailbox::Boxed;
use desk::receive::{Channel, Filed, Receive};
use model::{AfterFiling, FolderId, MailboxMode};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use store::folders::{self, Folder};
use store::point;
use store::rounds::Source;
use store::sql::Db;
use wire::imap::{FolderName, IdleEvent, Selected, Session, SessionError, UidSet};
use wire::{Credentials, Server, Stage};

/// An open mailbox: signed in, with the names of its folders.
pub struct ImapVisit {
    receive: Receive,
    source: Source,
    pub(crate) session: Session,
    pub(crate) server: Server,
    pub(crate) names: Vec<(String, FolderName)>,
    /// What the names of new folders begin with.
    prefix: String,
    /// When each folder was compared as a whole.
    pub(crate) compared: HashMap<FolderId, Instant>,
}

/// Longest wait at IDLE: below what routers forget, and so the longest a lost wake-up costs.
const IDLE: Duration = Duration::from_secs(5 * 60);

impl ImapVisit {
    /// Signs in.
    pub async fn begin(receive: &Receive, source: &Source) -> Result<ImapVisit, RoundError> {
        let (server, credentials) = source::server_of(receive.desk(), source).await?;
        ImapVisit::begin_at(receive, source, server, &credentials).await
    }

    /// Signs in at a server that is not quite the one the mailbox is set up with: with other patience or trust.
    pub async fn begin_at(
        receive: &Receive,
        source: &Source,
        server: Server,
        credentials: &Credentials,
    ) -> Result<ImapVisit, RoundError> {
        let mut session = Session::connect(&server, credentials).await?;
        if source.mode == MailboxMode::Synchronise {
            session.enable().await.map_err(|error| error.at(Stage::Login, &server))?;
        }
        let names = session.list().await.map_err(|error| error.at(Stage::List, &server))?;
        let names = names.into_iter().map(|folder| (folder.name, folder.wire_name)).collect();
        let prefix = session.personal_namespace().await.map_err(|error| error.at(Stage::List, &server))?;
        point::reached("c1_signed_in");
        let (receive, source) = (receive.clone(), source.clone());
        Ok(ImapVisit { receive, source, session, server, names, prefix, compared: HashMap::new() })
    }

    /// Whether what lies in a folder when it is first read is history: in a synchronised mailbox all but
    /// what is in INBOX, since nobody chose those folders for what they hold.
    pub(crate) fn reads_history_of(&self, name: &str) -> bool {
        self.source.mode == MailboxMode::Synchronise && name != "INBOX"
    }

    /// Opens a folder.
    pub(crate) async fn select(&mut self, name: &str, read_only: bool) -> Result<Selected, RoundError> {
        let wire_name = self.wire_name(name);
        let selected = self.session.select(&wire_name, read_only).await;
        selected.map_err(|error| RoundError::Connect(error.at(Stage::Select, &self.server)))
    }

    /// The wire name the server gave for a folder, or the one it would have if it were made.
    pub(crate) fn wire_name(&self, name: &str) -> FolderName {
        if name.eq_ignore_ascii_case("inbox") {
            return FolderName::inbox();
        }
        let known = self.names.iter().find(|(known, _)| known == name);
        let made = || self.session.folder_name(&self.name_to_make(name));
        known.map_or_else(made, |(_, wire)| wire.clone())
    }

    /// Whether the server has a folder of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        let made = self.name_to_make(name);
        self.names.iter().any(|(known, _)| known == name || *known == made)
    }

    /// A folder's name with what the server wants new names to begin with, such as `INBOX.`.
    pub(crate) fn name_to_make(&self, name: &str) -> String {
        let prefix = if name.starts_with(&self.prefix) { "" } else { &self.prefix };
        format!("{prefix}{name}")
    }

    /// Opens a folder to wait for its news.
    async fn watch(&mut self, folder: &str) -> Result<(), RoundError> {
        let wire_name = self.wire_name(folder);
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
    let refused = operations::carry_out(receive, source, visit).await?;
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
    if let (Some(refused), Some(last)) = (refused, summaries.last_mut()) {
        last.refused = Some(refused);
    }
    failure.map_or(Ok(summaries), Err)
}

async fn read_ids(db: &Db, source: &Source) -> Result<Vec<FolderId>, RoundError> {
    let folders = folders::read_folders(&mut &*db, source.id).await?;
    Ok(folders.into_iter().map(|folder| folder.id).collect())
}

/// Files what an earlier run kept and did not come to file. Needs no server.
pub async fn file_waiting(receive: &Receive, source: &Source) -> Result<Filed, RoundError> {
    if source.mode == MailboxMode::Synchronise {
        return synchronise::file_waiting(receive, source).await;
    }
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
    let selected = visit.select(&folder.name, folder.after_filing == AfterFiling::Leave).await?;
    let mut read = read_open(receive, channel, &mut folder, &selected, visit, progress).await?;
    read.summary.refused = settle(receive, visit, &folder).await?;
    read.end(receive, &folder).await
}

/// Reads what is new in the folder that is open.
pub(crate) async fn read_open(
    receive: &Receive,
    channel: &Channel,
    folder: &mut Folder,
    selected: &Selected,
    visit: &mut ImapVisit,
    progress: &Progress<'_>,
) -> Result<Read, RoundError> {
    let mut summary = FolderSummary { folder: folder.name.clone(), ..FolderSummary::default() };
    let fresh = listing::list(receive, folder, selected, visit, &mut summary).await?;
    let name = folder.name.clone();
    let report = |done: u64| progress(&name, done, fresh.len());
    report(0);
    let portion = portion(folder, &fresh);
    let work = Work { receive, channel, messages: visit.session.fetch(&portion), report: &report };
    let left = pipeline::run(work, folder, &fresh, &mut summary).await?;
    summary.more = fresh.len() - portion.len();
    let mut withheld = 0;
    // What was not given is looked into when all else is there.
    if !left.is_empty() && summary.more == 0 {
        let there = visit.session.uid_search_among(&left).await?;
        withheld = listing::not_given(receive, folder, left, there, &mut summary).await?;
    }
    let waited = receive.file_waiting(channel, folder).await?;
    summary.filed += waited.filed;
    summary.asked += waited.asked;
    Ok(Read { summary, withheld, any: !fresh.is_empty() })
}

/// What reading a folder did.
pub(crate) struct Read {
    pub(crate) summary: FolderSummary,
    /// Messages that the server lists and does not give.
    withheld: u64,
    /// Whether there was anything to read.
    any: bool,
}

impl Read {
    /// Writes down that the folder was read to its end, if the server gave all it lists.
    pub(crate) async fn end(self, receive: &Receive, folder: &Folder) -> Result<FolderSummary, RoundError> {
        if self.withheld > 0 {
            return Err(RoundError::Withheld { folder: folder.name.clone(), messages: self.withheld });
        }
        if self.any || folder.attempts > 0 {
            let mut tx = receive.transaction().await?;
            folders::scanned(&mut tx, folder.id, receive.desk().clock.now()).await?;
            tx.commit().await?;
        }
        Ok(self.summary)
    }
}

/// Messages fetched in one round of a folder. Then its list is asked for again, so that what comes in
/// while a large folder is read for the first time is not last.
const PORTION: u64 = 5_000;

/// What of a folder is fetched now: what is new before what is history.
fn portion(folder: &Folder, fresh: &UidSet) -> UidSet {
    if fresh.len() <= PORTION {
        return fresh.clone();
    }
    let history = UidSet::range(1, u32::try_from(folder.history_until).unwrap_or(0).max(1));
    let history = if folder.history_until > 0 { fresh.intersection(&history) } else { UidSet::new() };
    let mut portion = UidSet::new();
    for uid in fresh.difference(&history).iter().chain(history.iter()).take(PORTION as usize) {
        portion.insert(uid);
    }
    portion
}
