//! From a server's bytes to a filed message: keep, parse, recall, decide, file, tell.
//!
//! ```text
//! open   bytes -> parts for the shelf + what filing needs to know   (CPU, many at once)
//! keep   bytes and cursor, durable in one transaction
//! file   recall -> decide -> write, one transaction per batch; then the server may be touched
//! ```
//!
//! Taking apart for storage and reading are one pass over the bytes and so come before `keep`; that
//! a letter on which the program itself dies cannot stop a mailbox is seen to by counting attempts
//! in the database before each ([`keep::begin`], [`Receive::file_waiting`]). After
//! [`MOST_ATTEMPTS`] the letter is kept whole, unread, in quarantine, and the mailbox goes on.
//! Decided against a process of its own for parsing: it costs a copy of every byte, and a panic is
//! caught here as well.

mod file;
mod keep;
mod open;
mod recall;

pub use open::{Item, Opened, Place};

use crate::Desk;
use intake::plan::{Mailbox, Origin};
use model::{FolderId, MailboxId, OccurrenceId};
use std::sync::Arc;
use store::filing;
use store::folders::Folder;
use store::sql::Error;

/// How often the program may die of a letter before it is put aside unread. Killing the program
/// from outside counts too, so it is not the first time.
pub const MOST_ATTEMPTS: i64 = 5;

/// The receiving desk. One per process; cheap to clone.
#[derive(Clone)]
pub struct Receive {
    desk: Desk,
    stored: Arc<open::StoredParts>,
}

/// What a filing did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filed {
    /// Occurrences that are messages now (copies of known ones included).
    pub filed: u64,
    /// Occurrences put aside.
    pub quarantined: u64,
}

impl std::ops::AddAssign for Filed {
    fn add_assign(&mut self, more: Filed) {
        self.filed += more.filed;
        self.quarantined += more.quarantined;
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

impl Receive {
    /// A receiving desk over a database.
    pub fn new(desk: Desk) -> Receive {
        Receive { desk, stored: Arc::default() }
    }

    /// The desk behind it.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Takes an item apart and reads it. Pure computation: call it where it may take a while.
    pub fn open(&self, place: &Place, item: Item) -> Opened {
        open::open(&self.stored, place, item)
    }

    /// Writes down that these UIDs are about to be opened, for the `attempt`-th time.
    pub async fn begin(&self, folder: FolderId, uids: &str, attempt: i64) -> Result<(), Error> {
        keep::begin(&self.desk, folder, uids, attempt).await
    }

    /// Makes the bytes durable and moves the cursor, in one transaction.
    pub async fn keep(&self, folder: &mut Folder, opened: &mut [Opened], cursor: i64) -> Result<(), Error> {
        keep::keep(&self.desk, &self.stored, folder, opened, cursor).await
    }

    /// Files what was kept. Whatever of it another process has filed meanwhile is left alone.
    pub async fn file(&self, channel: &Channel, folder: &Folder, opened: Vec<Opened>) -> Result<Filed, Error> {
        file::file(&self.desk, channel, folder, opened).await
    }

    /// Files what an earlier run kept and did not come to file, from its bytes on the shelf.
    pub async fn file_waiting(&self, channel: &Channel, folder: &Folder) -> Result<Filed, Error> {
        let mut done = Filed::default();
        let mut after = OccurrenceId(0);
        loop {
            let waiting = filing::waiting(&mut &self.desk.db, folder, after, WAITING_BATCH).await?;
            let Some(last) = waiting.last() else { return Ok(done) };
            after = last.id;
            let (fresh, suspect): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|one| one.attempts == 0);
            done += self.file_again(channel, folder, &fresh).await?;
            // One that was begun before and not ended is tried alone: it may be what ended the program.
            for one in suspect {
                done += self.file_again(channel, folder, &[one]).await?;
            }
        }
    }

    async fn file_again(&self, channel: &Channel, folder: &Folder, waiting: &[filing::Waiting]) -> Result<Filed, Error> {
        let mut opened = Vec::new();
        let mut tx = self.desk.db.begin().await?;
        let ids: Vec<OccurrenceId> = waiting.iter().map(|one| one.id).collect();
        filing::begin_attempt(&mut tx, &ids).await?;
        let mut quarantined = 0;
        for one in waiting {
            if one.attempts >= MOST_ATTEMPTS {
                filing::quarantine(&mut tx, one.id, "the program ended each time it read this message").await?;
                quarantined += 1;
            } else if let Some(raw) = crate::bytes::of_occurrence(&mut tx, one.id).await? {
                opened.push(open::again(one.id, one.internal_at, &raw));
            }
        }
        tx.commit().await?;
        let mut done = self.file(channel, folder, opened).await?;
        done.quarantined += quarantined;
        Ok(done)
    }
}

/// Occurrences filed from the shelf at a time; bounds memory.
const WAITING_BATCH: i64 = 50;
