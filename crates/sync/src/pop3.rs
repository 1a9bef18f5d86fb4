//! One round of a mailbox that is received by POP3: connect, list, read what is new, delete what is to be deleted, QUIT.
//!
//! A maildrop has one folder here, INBOX, and each message in it a number of ours ([`names`]): from there on a letter
//! goes the way of all letters. There is one session for each round, because the server shows nothing new in it and
//! lets nobody else in meanwhile.

mod names;
mod settle;

use crate::guard;
use crate::listing::{self, COMPARE};
use crate::pipeline::{self, Messages, Work};
use crate::source;
use crate::visit::{FolderSummary, POLL, Progress, RoundError, Visit};
use desk::mailbox::Boxed;
use desk::receive::{self, Aside, Item, Receive};
use model::{OccurrenceState, Time};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};
use store::folders::{self, Folder};
use store::rounds::Source;
use store::{mailboxes, point, raw};
use wire::Stage;
use wire::imap::UidSet;
use wire::pop3::{Retrieve, Session, SessionError};

/// Longest wait that a server may ask for between two sessions.
const LONGEST_DELAY: Duration = Duration::from_secs(60 * 60);

/// A maildrop that is looked into again and again.
pub struct Pop3Visit {
    receive: Receive,
    source: Source,
    /// When it was last compared as a whole with what was kept.
    compared: Option<Instant>,
    delay: Duration,
}

/// The messages of a session: our numbers and those of the session.
pub(crate) type Numbers = BTreeMap<i64, u32>;

impl Pop3Visit {
    /// Nothing is connected yet: each round is a session.
    pub fn new(receive: &Receive, source: &Source) -> Pop3Visit {
        Pop3Visit { receive: receive.clone(), source: source.clone(), compared: None, delay: POLL }
    }

    async fn read(&mut self, progress: &Progress<'_>) -> Result<Vec<FolderSummary>, RoundError> {
        let receive = self.receive.clone();
        let folder = folders::read_folders(&mut &receive.desk().db, self.source.id).await?.into_iter().next();
        let Some(mut folder) = folder else { return Ok(Vec::new()) };
        let (server, credentials) = source::server_of(receive.desk(), &self.source).await?;
        let mut session = Session::connect(&server, &credentials).await?;
        self.delay = session.login_delay().unwrap_or(POLL).clamp(POLL, LONGEST_DELAY);
        point::reached("p1_signed_in");
        let named = match names::list(&mut session, settle::deletes_at_once(&self.source)).await {
            Err(RoundError::Pop3(error @ SessionError::Refused(_))) => {
                return Err(error.at(Stage::List, &server).into());
            }
            named => named?,
        };
        let mut summary = FolderSummary { folder: folder.name.clone(), ..FolderSummary::default() };
        let (numbering, before) = (folder.uidvalidity, folder.listed.parse::<UidSet>().unwrap_or_default());
        let numbers = self.number(&mut folder, &mut session, named).await?;
        let fresh = self.fresh(&mut folder, &numbers, &mut summary).await?;
        let before = if folder.uidvalidity == numbering { before } else { UidSet::new() };
        summary.seen = fresh.difference(&before).len();
        let name = folder.name.clone();
        let report = |done: u64| progress(&name, done, fresh.len());
        report(0);
        let channel = source::channel(&self.source);
        let messages = Letters::of(&receive, &mut session, &numbers, &fresh);
        let work = Work { receive: &receive, channel: &channel, messages, report: &report };
        let left = pipeline::run(work, &mut folder, &fresh, &mut summary).await?;
        let withheld = listing::not_given(&receive, &mut folder, left.clone(), left, &mut summary).await?;
        summary.filed += receive.file_waiting(&channel, &folder).await?.filed;
        summary.refused = settle::settle(&receive, &self.source, &folder, session, &numbers).await?;
        if withheld > 0 {
            return Err(RoundError::Withheld { folder: folder.name, messages: withheld });
        }
        let mut tx = receive.transaction().await?;
        folders::scanned(&mut tx, folder.id, receive.desk().clock.now()).await?;
        tx.commit().await?;
        Ok(vec![summary])
    }

    /// Gives each message its number; a maildrop in which every name is another one begins anew, and what is in it is
    /// known by content.
    async fn number(
        &self,
        folder: &mut Folder,
        session: &mut Session,
        named: Vec<(u32, store::uidls::Name)>,
    ) -> Result<Numbers, RoundError> {
        let receive = &self.receive;
        if folder.uidvalidity == 0 {
            let is_history = mailboxes::is_history(&mut &receive.desk().db, folder.mailbox).await?;
            folder.history_until = if is_history { named.len() as i64 } else { 0 };
            return names::begin_anew(receive, folder, 1, &named).await;
        }
        let others = names::given_again(receive, folder, session, &named).await?;
        if let Some(numbers) = names::number(receive, folder, &named, &others).await? {
            return Ok(numbers);
        }
        let anew: Numbers = (1..).zip(named.iter().map(|(number, _)| *number)).collect();
        let found = uids_of(&anew);
        let sample = guard::sample(receive, folder, &found).await?;
        guard::ask(receive, folder, Letters::of(receive, session, &anew, &sample)).await?;
        tracing::warn!(mailbox = self.source.id.0, "the server names all messages anew: they are read again");
        let highest = named.len() as i64;
        folder.match_until = highest;
        folder.history_until = if folder.history_until > folder.cursor { highest } else { 0 };
        names::begin_anew(receive, folder, folder.uidvalidity + listing::NUMBERING + 1, &named).await
    }

    /// What is to be read; what has left unread is written down.
    async fn fresh(
        &mut self,
        folder: &mut Folder,
        numbers: &Numbers,
        summary: &mut FolderSummary,
    ) -> Result<UidSet, RoundError> {
        let whole = self.compared.is_none_or(|at| at.elapsed() > COMPARE);
        let (receive, found) = (&self.receive, uids_of(numbers));
        let listed: UidSet = folder.listed.parse().unwrap_or_default();
        let known = listing::known(receive, folder, &listed, whole).await?;
        let fresh = found.difference(&known);
        let vanished = listed.difference(&known).difference(&found);
        summary.skipped = vanished.len();
        if whole || !vanished.is_empty() {
            let gone = listing::aside(folder, &vanished, OccurrenceState::Vanished, listing::VANISHED);
            let mut tx = receive.transaction().await?;
            raw::keep(&mut tx, &gone, receive.desk().clock.now()).await?;
            folders::settle_again(&mut tx, folder).await?;
            folders::guard_again(&mut tx, folder).await?;
            tx.commit().await?;
            self.compared = Some(Instant::now());
        }
        Ok(fresh)
    }
}

impl Visit for Pop3Visit {
    fn round<'a>(
        &'a mut self,
        progress: &'a Progress<'a>,
    ) -> Boxed<'a, Result<Vec<FolderSummary>, RoundError>> {
        Box::pin(self.read(progress))
    }

    fn wait(&mut self) -> Boxed<'_, Result<(), RoundError>> {
        let delay = self.delay;
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            Ok(())
        })
    }
}

fn uids_of(numbers: &Numbers) -> UidSet {
    numbers.keys().filter_map(|uid| u32::try_from(*uid).ok()).collect()
}

/// Messages on their way from a maildrop.
struct Letters<'s> {
    retrieve: Retrieve<'s>,
    uids: HashMap<u32, i64>,
    now: Time,
}

impl<'s> Letters<'s> {
    fn of(receive: &Receive, session: &'s mut Session, numbers: &Numbers, wanted: &UidSet) -> Letters<'s> {
        let wanted = wanted.iter().filter_map(|uid| Some((*numbers.get(&i64::from(uid))?, i64::from(uid))));
        let wanted: Vec<(u32, i64)> = wanted.collect();
        let retrieve = session.retrieve(wanted.iter().map(|(number, _)| *number));
        Letters { retrieve, uids: wanted.into_iter().collect(), now: receive.desk().clock.now() }
    }
}

impl Messages for Letters<'_> {
    async fn next(&mut self) -> Result<Option<Item>, RoundError> {
        while let Some(letter) = self.retrieve.next().await? {
            let Some(uid) = self.uids.get(&letter.number).copied().filter(|_| letter.refused.is_none())
            else {
                continue;
            };
            let aside = letter.truncated.map(|size_bytes| Aside::TooLarge { size_bytes });
            // A server whose clock is ahead, or a sender who wrote the line because the server does not.
            let internal_at = receive::arrived_at(&letter.body).min(self.now);
            return Ok(Some(Item { uid, internal_at, raw: letter.body, aside }));
        }
        Ok(None)
    }
}
