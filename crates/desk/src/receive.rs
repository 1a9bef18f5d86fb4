//! From a server's bytes to a filed message: keep, parse, recall, decide, file, tell.
//!
//! ```text
//! open   bytes -> parts for the shelf + what filing needs to know   (CPU, many at once)
//! keep   bytes and cursor, durable in one transaction
//! file   recall -> decide -> write, one transaction per batch; then the server may be touched
//! ```
//!
//! Taking apart for storage and reading are one pass over the bytes and so come before `keep`. That a
//! letter on which the program itself dies (not a panic, which is caught, but a stack or memory that
//! ends) cannot stop a mailbox is seen to in two steps. Each attempt is counted in the database
//! before it is made ([`keep::begin`], [`Receive::file_waiting`]); and what two runs began and did not
//! end is first read by another process ([`Probe`]), which may die of it in our place. Then it is
//! kept whole, unread, in quarantine. Decided against quarantine after so many attempts alone: a
//! machine that is switched off five times would put good mail aside. Decided against reading
//! everything in another process: it costs a copy of every byte.

pub(crate) mod file;
mod keep;
mod open;
mod recall;

pub use open::{Aside, Item, Opened, Place, arrived_at, hash_of, rehearse};

use crate::Desk;
use crate::mailbox::Boxed;
use crate::rule::RuleCache;
use intake::plan::{Mailbox, Origin};
use model::{FolderId, MailboxId, OccurrenceId, QuarantineReason};
use std::sync::Arc;
use store::claims;
use store::filing;
use store::folders::Folder;
use store::leases::Lease;
use store::point;
use store::sql::{Error, Tx};

/// Attempts begun and not ended before a letter is probed.
pub const TRUSTED_ATTEMPTS: i64 = 4;

/// How often the program may end while it handles a letter, alone and survived by the probe, before
/// the letter is put aside. Ends from outside count too, so there are many.
pub const MOST_ATTEMPTS: i64 = 30;

/// How many letters of a batch of `most` are handled together after so many attempts that did not come
/// to an end: half as many each time. A machine that is switched off again and again gets further with
/// each start, and the letter at fault is alone in the end.
pub fn together(most: usize, attempts: i64) -> usize {
    (most >> attempts.clamp(0, 16)).max(1)
}

/// Why a letter is put aside after [`MOST_ATTEMPTS`].
const ENDED_EACH_TIME: &str = "the program ended each time it handled this message";

/// Why a letter is put aside whose bytes do not come back.
const DAMAGED: &str = "its stored bytes cannot be put together; run `lettercase verify`";

/// Reads letters where it does no harm to die of one. The binary does it in a process of its own.
pub trait Probe: Send + Sync {
    /// For each letter why reading it ends a process, or `None` if it does not.
    fn probe<'a>(&'a self, letters: Vec<&'a [u8]>) -> Boxed<'a, Vec<Option<String>>>;
}

/// Trusts every letter: for tests and for short-lived commands.
struct NoProbe;

impl Probe for NoProbe {
    fn probe<'a>(&'a self, letters: Vec<&'a [u8]>) -> Boxed<'a, Vec<Option<String>>> {
        Box::pin(async move { vec![None; letters.len()] })
    }
}

/// The receiving desk. One per process; cheap to clone.
#[derive(Clone)]
pub struct Receive {
    desk: Desk,
    /// Under which all is written; `None` for a process that asks nobody.
    lease: Option<Lease>,
    stored: Arc<open::StoredParts>,
    rules: Arc<RuleCache>,
    probe: Arc<dyn Probe>,
}

/// What a filing did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filed {
    /// Occurrences that are messages now (copies of known ones included).
    pub filed: u64,
    /// Occurrences put aside.
    pub quarantined: u64,
    /// Occurrences that a filter left out.
    pub filtered: u64,
    /// Operations that rules asked for: the next round of the mailbox carries them out.
    pub asked: u64,
}

impl std::ops::AddAssign for Filed {
    fn add_assign(&mut self, more: Filed) {
        self.filed += more.filed;
        self.quarantined += more.quarantined;
        self.filtered += more.filtered;
        self.asked += more.asked;
    }
}

/// A mailbox as receiving sees it.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The mailbox.
    pub id: MailboxId,
    /// What decisions depend on.
    pub mailbox: Mailbox,
    /// Today's mail or history.
    pub origin: Origin,
}

impl Channel {
    /// How a mailbox's mail is received as it arrives.
    pub fn of(mailbox: &store::mailboxes::Mailbox) -> Channel {
        let decides = Mailbox {
            create_cases: mailbox.create_cases,
            process: mailbox.process.as_ref().map(|(id, _)| *id),
            team: mailbox.teams.first().map(|(id, _)| *id),
            authserv_id: mailbox.authserv_id.clone(),
            ..Mailbox::new(mailbox.kind, &mailbox.address)
        };
        Channel { id: mailbox.id, mailbox: decides, origin: Origin::Live }
    }
}

impl Receive {
    /// A receiving desk over a database.
    pub fn new(desk: Desk) -> Receive {
        Receive { desk, lease: None, stored: Arc::default(), rules: Arc::default(), probe: Arc::new(NoProbe) }
    }

    /// The same, with suspicious letters read elsewhere first.
    pub fn with_probe(self, probe: Arc<dyn Probe>) -> Receive {
        Receive { probe, ..self }
    }

    /// The same, writing only as long as nobody takes the mailbox over.
    pub fn under(&self, lease: Lease) -> Receive {
        Receive { lease: Some(lease), ..self.clone() }
    }

    /// Marks those of `items` to be put aside that must not be opened any more, if opening them is
    /// now being begun for the `attempt`-th time.
    pub async fn sort_out(&self, items: &mut [Item], attempt: i64) {
        if attempt > MOST_ATTEMPTS && items.len() == 1 {
            items.iter_mut().for_each(|item| item.put_aside(ENDED_EACH_TIME.into()));
        } else if attempt > TRUSTED_ATTEMPTS {
            let found = self.probe.probe(items.iter().map(|item| item.raw.as_slice()).collect()).await;
            for (item, reason) in items.iter_mut().zip(found) {
                if let Some(reason) = reason {
                    item.put_aside(reason);
                }
            }
        }
    }

    /// The desk behind it.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Begins a write of a round. Everything a round writes is written in one of these.
    ///
    /// # Errors
    /// [`Error::TakenOver`] if another process has the mailbox now: the round has to end.
    pub async fn transaction(&self) -> Result<Tx, Error> {
        let mut tx = self.desk.db.begin().await?;
        if let Some(lease) = &self.lease {
            lease.check(&mut tx).await?;
        }
        Ok(tx)
    }

    /// Makes sure that nobody else has the mailbox, before its server is told something.
    pub async fn check(&self) -> Result<(), Error> {
        match &self.lease {
            Some(lease) => lease.is_held(&mut &self.desk.db).await?.then_some(()).ok_or(Error::TakenOver),
            None => Ok(()),
        }
    }

    /// Which of these items their folder has had before, under whatever number, or the archive knows.
    pub async fn known(&self, folder: &Folder, opened: &[Opened]) -> Result<Vec<bool>, Error> {
        let content = |one: &Opened| {
            let hash = one.kept.as_ref().map_or([0; 32], |kept| kept.hash);
            (hash, one.read.as_ref().map(|read| read.identity))
        };
        let contents: Vec<_> = opened.iter().map(content).collect();
        claims::known(&mut &self.desk.db, folder, &contents).await
    }

    /// Takes an item apart and reads it. Pure computation: call it where it may take a while.
    pub fn open(&self, place: &Place, item: Item) -> Opened {
        open::open(&self.stored, place, item)
    }

    /// Writes down that these UIDs are about to be opened, for the `attempt`-th time.
    pub async fn begin(&self, folder: FolderId, uids: &str, attempt: i64) -> Result<(), Error> {
        keep::begin(self, folder, uids, attempt).await
    }

    /// Makes the bytes durable and moves the cursor, in one transaction.
    pub async fn keep(&self, folder: &mut Folder, opened: &mut [Opened], cursor: i64) -> Result<(), Error> {
        keep::keep(self, folder, opened, cursor).await
    }

    /// Files what was kept. Whatever of it another process has filed meanwhile is left alone.
    pub async fn file(
        &self,
        channel: &Channel,
        folder: &Folder,
        opened: Vec<Opened>,
    ) -> Result<Filed, Error> {
        let is_history =
            |one: &Opened| channel.origin == Origin::Live && one.uid > 0 && one.uid <= folder.history_until;
        let (history, live): (Vec<Opened>, Vec<Opened>) = opened.into_iter().partition(is_history);
        let mut filed = Filed::default();
        if !history.is_empty() {
            let channel = Channel { origin: Origin::History, ..channel.clone() };
            filed += file::file(self, &channel, folder, history).await?;
        }
        if !live.is_empty() {
            filed += file::file(self, channel, folder, live).await?;
        }
        Ok(filed)
    }

    /// Files what an earlier run kept and did not come to file, from its bytes on the shelf.
    pub async fn file_waiting(&self, channel: &Channel, folder: &Folder) -> Result<Filed, Error> {
        let mut done = Filed::default();
        let mut after = OccurrenceId(0);
        loop {
            let mut waiting =
                filing::waiting(&mut &self.desk.db, folder, after, WAITING_BATCH as i64).await?;
            let attempts = waiting.iter().map(|one| one.attempts).max().unwrap_or(0);
            waiting.truncate(together(WAITING_BATCH, attempts));
            let Some(last) = waiting.last() else { return Ok(done) };
            after = last.id;
            done += self.file_again(channel, folder, &waiting).await?;
        }
    }

    async fn file_again(
        &self,
        channel: &Channel,
        folder: &Folder,
        waiting: &[filing::Waiting],
    ) -> Result<Filed, Error> {
        let ids: Vec<OccurrenceId> = waiting.iter().map(|one| one.id).collect();
        let mut tx = self.transaction().await?;
        filing::begin_attempt(&mut tx, &ids).await?;
        tx.commit().await?;
        point::reached("c9_begun_again");
        let (mut opened, mut quarantined) = (Vec::new(), 0);
        for one in waiting {
            let raw = match crate::bytes::of_occurrence(&mut &self.desk.db, one.id).await {
                // Damage on the shelf is that of one message; the others go on.
                Ok(None) | Err(Error::Other(_)) => {
                    self.quarantine(one.id, QuarantineReason::Damaged, DAMAGED).await?;
                    quarantined += 1;
                    continue;
                }
                Ok(Some(raw)) => raw,
                Err(error) => return Err(error),
            };
            let mut item = [Item { uid: 0, internal_at: one.internal_at, raw, aside: None }];
            self.sort_out(&mut item, one.attempts + 1).await;
            let [item] = item;
            match item.aside {
                Some(reason) => {
                    self.quarantine(one.id, reason.code(), &reason.to_string()).await?;
                    quarantined += 1;
                }
                None => opened.push(open::again(one, &item.raw)),
            }
        }
        let mut done = self.file(channel, folder, opened).await?;
        done.quarantined += quarantined;
        Ok(done)
    }

    async fn quarantine(&self, id: OccurrenceId, code: QuarantineReason, reason: &str) -> Result<(), Error> {
        tracing::error!(occurrence = id.0, reason, "a message is quarantined");
        let mut tx = self.transaction().await?;
        filing::quarantine(&mut tx, id, code, reason).await?;
        tx.commit().await
    }
}

/// The Message-ID of a message of which these header fields are known, without `<>`.
pub fn message_id_of(header: &[u8]) -> Option<String> {
    mail::parse::parse(header).message_id
}

/// Occurrences filed from the shelf at a time; bounds memory.
const WAITING_BATCH: usize = 50;
