//! A synchronised mailbox: all its folders are here as on the server, and the server as here.
//!
//! A round first carries out what people asked for ([`crate::operations`]), then follows the server: which folders
//! there are, and of each that changed what came, what left, and which flags changed. New mail goes the way of
//! all mail ([`crate::round`]); after filing it is left where it is.
//!
//! Which folders changed is asked in one command where the server has LIST-STATUS (RFC 5819), else with STATUS
//! each. The first round of a connection looks into all of them. INBOX is looked into last and stays open, for
//! IDLE.
//!
//! Decided against a connection for each folder (servers count them), and against NOTIFY (RFC 5465), which few
//! servers offer and which would be a second way to learn the same.

mod compare;
mod special;

use crate::operations;
use crate::round::{self, ImapVisit};
use crate::source;
use crate::visit::{FolderSummary, POLL, Progress, RoundError, Visit};
use desk::mailbox::Boxed;
use desk::mailbox::folders as verbs;
use desk::receive::{Channel, Filed, Receive};
use intake::plan::Origin;
use model::FolderId;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use store::folders::synchronised::{self, Synchronised};
use store::mailboxes;
use store::rounds::Source;
use wire::imap::{Folder, IdleEvent, ProtocolError, SessionError, Status};

/// The one folder every mailbox has.
const INBOX: &str = "INBOX";
/// Where the server counts no changes, flags are compared so often even if the numbers of a folder stay the same.
const FLAGS_AGAIN: Duration = Duration::from_secs(10 * 60);

/// An open synchronised mailbox.
pub struct SynchroniseVisit {
    receive: Receive,
    source: Source,
    imap: ImapVisit,
    /// The numbers folders had when they were last looked into.
    looked: HashMap<FolderId, (Status, Instant)>,
}

impl SynchroniseVisit {
    /// Signs in.
    pub async fn begin(receive: &Receive, source: &Source) -> Result<SynchroniseVisit, RoundError> {
        let imap = ImapVisit::begin(receive, source).await?;
        let mut tx = receive.transaction().await?;
        mailboxes::begun(&mut tx, source.id, receive.desk().clock.now()).await?;
        tx.commit().await?;
        Ok(SynchroniseVisit {
            receive: receive.clone(),
            source: source.clone(),
            imap,
            looked: HashMap::new(),
        })
    }

    async fn run(&mut self, progress: &Progress<'_>) -> Result<Vec<FolderSummary>, RoundError> {
        let refused = operations::carry_out(&self.receive, &self.source, &mut self.imap).await?;
        let mut statuses = self.tree().await?;
        let mut folders = synchronised::present(&mut &self.receive.desk().db, self.source.id).await?;
        // INBOX last.
        folders.reverse();
        let (mut summaries, mut failure) = (Vec::new(), None);
        for folder in folders {
            let is_inbox = folder.folder.name == INBOX;
            let status = self.status(&folder, statuses.remove(&folder.folder.name)).await?;
            if !is_inbox && self.is_as_before(&folder, status.as_ref()) {
                continue;
            }
            let (id, name) = (folder.folder.id, folder.folder.name.clone());
            match self.look_into(folder, progress).await {
                Ok(summary) if summary.more > 0 => summaries.push(summary),
                Ok(summary) => {
                    summaries.push(summary);
                    self.looked.insert(id, (status.unwrap_or_default(), Instant::now()));
                }
                Err(error)
                    if self.imap.session.ended().is_some() || matches!(error, RoundError::Store(_)) =>
                {
                    return Err(error);
                }
                // Listed and not to be opened: somebody else's, shared for no more than its name.
                Err(RoundError::Connect(error)) if !is_inbox => {
                    tracing::warn!(mailbox = self.source.id.0, folder = name, %error, "a folder cannot be opened");
                }
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        if let (Some(refused), Some(last)) = (refused, summaries.last_mut()) {
            last.refused = Some(refused);
        }
        failure.map_or(Ok(summaries), Err)
    }

    /// Follows which folders there are. Says their numbers, by name, where the server gave them.
    async fn tree(&mut self) -> Result<HashMap<String, Status>, RoundError> {
        let listed = self.imap.session.list_with_status().await?;
        let open: Vec<&Folder> =
            listed.iter().map(|(folder, _)| folder).filter(|folder| folder.selectable).collect();
        if open.is_empty() {
            // Taken at its word, everything would be gone.
            return Err(SessionError::Protocol(ProtocolError::Unexpected("LIST")).into());
        }
        let desk = self.receive.desk();
        let mut tx = self.receive.transaction().await?;
        let known = special::known_as(&open);
        if synchronised::listed(&mut tx, self.source.id, &known, desk.clock.now()).await? {
            verbs::changed_on_server(desk, &mut tx, self.source.id).await.map_err(anyhow::Error::from)?;
        }
        tx.commit().await?;
        self.imap.names = open.iter().map(|folder| (folder.name.clone(), folder.wire_name.clone())).collect();
        let numbered = listed.into_iter().filter_map(|(folder, status)| Some((folder.name, status?)));
        Ok(numbered.collect())
    }

    /// A folder's numbers: those that came with the list, or asked for; none where the server refuses.
    async fn status(
        &mut self,
        folder: &Synchronised,
        listed: Option<Status>,
    ) -> Result<Option<Status>, RoundError> {
        let never_looked = !self.looked.contains_key(&folder.folder.id);
        if listed.is_some() || folder.folder.name == INBOX || never_looked && !self.asks_each() {
            return Ok(listed);
        }
        let name = self.imap.wire_name(&folder.folder.name);
        match self.imap.session.status(&name).await {
            Err(SessionError::Refused(_)) => Ok(None),
            status => Ok(Some(status?)),
        }
    }

    /// Whether numbers have to be asked for, folder by folder.
    fn asks_each(&self) -> bool {
        !self.imap.session.offers("LIST-STATUS")
    }

    /// Whether nothing can have changed since the folder was last looked into.
    fn is_as_before(&self, folder: &Synchronised, status: Option<&Status>) -> bool {
        let Some((before, at)) = self.looked.get(&folder.folder.id) else { return false };
        let counts_changes = before.highest_mod_seq.is_some_and(|highest| highest > 0);
        Some(before) == status && (counts_changes || at.elapsed() < FLAGS_AGAIN)
    }

    /// Reads what is new in a folder, then compares flags and what is gone.
    async fn look_into(
        &mut self,
        mut known: Synchronised,
        progress: &Progress<'_>,
    ) -> Result<FolderSummary, RoundError> {
        let channel = channel(&self.source, &known);
        let numbering = known.folder.uidvalidity;
        let is_whole = !self.looked.contains_key(&known.folder.id);
        let selected = self.imap.select(&known.folder.name, true).await?;
        let folder = &mut known.folder;
        let read =
            round::read_open(&self.receive, &channel, folder, &selected, &mut self.imap, progress).await?;
        if read.summary.more > 0 {
            // What is not here yet would miss its flags.
            return Ok(read.summary);
        }
        if known.folder.uidvalidity != numbering {
            known.highest_modseq = 0;
        }
        let compared =
            compare::compare(&self.receive, &known, &selected, &mut self.imap.session, is_whole).await;
        compared?;
        read.end(&self.receive, &known.folder).await
    }

    /// Waits for news in INBOX, or for the clock: the other folders have to be asked.
    async fn news(&mut self) -> Result<(), RoundError> {
        match self.imap.session.idle(POLL).await {
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

impl Visit for SynchroniseVisit {
    fn round<'a>(
        &'a mut self,
        progress: &'a Progress<'a>,
    ) -> Boxed<'a, Result<Vec<FolderSummary>, RoundError>> {
        Box::pin(self.run(progress))
    }

    fn wait(&mut self) -> Boxed<'_, Result<(), RoundError>> {
        Box::pin(self.news())
    }
}

/// How mail of a folder is received: what nobody has sent, what is thrown away and what looks like spam is
/// kept and has no consequences; what was sent is ours.
fn channel(source: &Source, folder: &Synchronised) -> Channel {
    let origin = match folder.special_use.as_deref() {
        Some("drafts" | "trash" | "junk") => Origin::History,
        Some("sent") => Origin::Sent,
        _ => Origin::Live,
    };
    Channel { origin, ..source::channel(source) }
}

/// Files what an earlier run kept and did not come to file. Needs no server.
pub async fn file_waiting(receive: &Receive, source: &Source) -> Result<Filed, RoundError> {
    let mut filed = Filed::default();
    for folder in synchronised::present(&mut &receive.desk().db, source.id).await? {
        filed += receive.file_waiting(&channel(source, &folder), &folder.folder).await?;
    }
    Ok(filed)
}
