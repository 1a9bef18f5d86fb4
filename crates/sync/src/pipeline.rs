//! Fetch, open, keep and file as a pipeline: while one batch is filed the next is opened and the one
//! after that is on the wire. Three batches of at most [`BATCH_BYTES`] bound the memory, except for
//! a single message that is larger. The more mailboxes are at work, the smaller are their batches; none
//! waits for another, since one that waits may hang on a dead server.
//!
//! The UIDs of a batch are written down before it is opened, so that the next run knows what this
//! one may have died of, and takes less of it at a time.

use crate::visit::{FolderSummary, RoundError};
use desk::receive::{self, Aside, Channel, Item, Opened, Place, Receive};
use model::Time;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use store::folders::Folder;
use store::point;
use tokio::sync::mpsc;
use tokio::time::timeout;
use wire::imap::{Fetch, Fetched, SessionError, UidSet};

/// Messages opened together.
const BATCH_MESSAGES: usize = 128;
/// Bytes opened together, at most.
const BATCH_BYTES: usize = 6 << 20;
/// Bytes that one batch of each mailbox at work may have together: fifty mailboxes that are read for the
/// first time take no more memory than four.
const ALL_BATCHES_BYTES: usize = 4 * BATCH_BYTES;
/// With smaller batches than this the database's log would be the bottleneck.
const SMALLEST_BATCH_BYTES: usize = 256 << 10;
/// A batch is cut into so many pieces, opened at the same time.
const PIECES: usize = 2;

/// What has come is not held back for longer than this while a slow server gives more.
const GATHERING: Duration = Duration::from_secs(2);

/// A batch is opened in less than this, even where letters are put together to be slow. Else the round
/// ends, and after some more such rounds the letter at fault is found and put aside.
const OPENING_AT_MOST: Duration = Duration::from_secs(5 * 60);

/// Messages on their way from a server, whatever the protocol.
pub trait Messages: Send {
    /// The next one; none when all have come that the server gives. What it refused is left over.
    fn next(&mut self) -> impl Future<Output = Result<Option<Item>, RoundError>> + Send;
}

impl Messages for Fetch<'_> {
    async fn next(&mut self) -> Result<Option<Item>, RoundError> {
        match Fetch::next(self).await {
            Ok(fetched) => Ok(fetched.map(item)),
            Err(SessionError::Refused(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn item(message: Fetched) -> Item {
    let aside = message.truncated.map(|size_bytes| Aside::TooLarge { size_bytes });
    Item {
        uid: i64::from(message.uid),
        internal_at: Time(message.internal_date.unwrap_or(0)),
        raw: message.body,
        aside,
    }
}

/// What a pipeline works with.
pub struct Work<'a, M> {
    /// Where letters go.
    pub receive: &'a Receive,
    /// Through which mailbox they come.
    pub channel: &'a Channel,
    /// The letters: all of `fresh` has been asked for.
    pub messages: M,
    /// Hears how many messages are done.
    pub report: &'a (dyn Fn(u64) + Send + Sync),
}

/// Some fetched messages.
struct Batch {
    items: Vec<Item>,
    uids: UidSet,
    bytes: usize,
    /// How many its members may be together at most.
    together: usize,
    began: Instant,
}

impl Batch {
    fn new() -> Batch {
        Batch {
            items: Vec::new(),
            uids: UidSet::new(),
            bytes: 0,
            together: BATCH_MESSAGES,
            began: Instant::now(),
        }
    }

    /// Whether it has to go before another message of so many bytes, and so many together, joins it.
    fn is_full(&self, bytes: usize, together: usize) -> bool {
        let most = batch_bytes(AT_WORK.load(Ordering::Relaxed));
        let is_full = self.items.len() >= self.together.min(together) || self.bytes + bytes > most;
        !self.items.is_empty() && (is_full || self.began.elapsed() > GATHERING)
    }

    fn push(&mut self, item: Item, together: usize) {
        self.together = self.together.min(together);
        self.bytes += item.raw.len();
        self.uids.insert(uid_of(item.uid));
        self.items.push(item);
    }
}

/// Our numbers of messages fit into those of IMAP.
fn uid_of(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// Takes in, keeps and files `fresh`. Returns what the server did not give.
pub async fn run<M: Messages>(
    work: Work<'_, M>,
    folder: &mut Folder,
    fresh: &UidSet,
    summary: &mut FolderSummary,
) -> Result<UidSet, RoundError> {
    if fresh.is_empty() {
        return Ok(UidSet::new());
    }
    let Work { receive, channel, messages, report } = work;
    let _at_work = AtWork::begin();
    let place = Place { mailbox: folder.mailbox, folder: folder.id, uidvalidity: folder.uidvalidity };
    let suspects = Suspects::of(folder, fresh);
    let (fetched, to_open) = mpsc::channel(1);
    let (opened, to_file) = mpsc::channel(1);
    let fetching = fetch(messages, &suspects, fetched);
    let opening = open(receive, place, &suspects, to_open, opened);
    let filing = file(receive, channel, folder, fresh.clone(), to_file, summary, report);
    // A connection that breaks ends the fetching only: what has arrived is kept and filed first.
    let fetching = async { Ok::<_, RoundError>(fetching.await) };
    let (fetched, (), left) = tokio::try_join!(fetching, opening, filing)?;
    fetched.map(|()| left)
}

/// How many pipelines of this process run.
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// One that runs.
struct AtWork;

impl AtWork {
    fn begin() -> AtWork {
        AT_WORK.fetch_add(1, Ordering::Relaxed);
        AtWork
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        AT_WORK.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes of a batch where so many pipelines run.
fn batch_bytes(at_work: usize) -> usize {
    (ALL_BATCHES_BYTES / at_work.max(1)).clamp(SMALLEST_BATCH_BYTES, BATCH_BYTES)
}

/// UIDs whose opening was begun by an earlier run and not ended.
struct Suspects {
    uids: UidSet,
    attempts: i64,
}

impl Suspects {
    fn of(folder: &Folder, fresh: &UidSet) -> Suspects {
        let begun: UidSet = folder.attempt.parse().unwrap_or_default();
        Suspects { uids: begun.intersection(fresh), attempts: folder.attempts }
    }

    /// How many messages this one may be opened with.
    fn together(&self, uid: u32) -> usize {
        match self.uids.contains(uid) {
            true => receive::together(BATCH_MESSAGES, self.attempts),
            false => BATCH_MESSAGES,
        }
    }

    /// How often opening this batch is being begun now.
    fn attempt(&self, uids: &UidSet) -> i64 {
        match uids.intersection(&self.uids).is_empty() {
            true => 1,
            false => self.attempts + 1,
        }
    }
}

async fn fetch(
    mut messages: impl Messages,
    suspects: &Suspects,
    out: mpsc::Sender<Batch>,
) -> Result<(), RoundError> {
    let mut batch = Batch::new();
    loop {
        let item = match messages.next().await {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(error) => {
                // What has arrived is worth keeping; then the round ends with the error.
                send(&out, batch).await;
                return Err(error);
            }
        };
        point::reached("c2_fetched");
        let together = suspects.together(uid_of(item.uid));
        if batch.is_full(item.raw.len(), together)
            && !send(&out, std::mem::replace(&mut batch, Batch::new())).await
        {
            return Ok(());
        }
        batch.push(item, together);
    }
    send(&out, batch).await;
    Ok(())
}

/// False if nobody takes batches any more: the other end failed and has the error.
async fn send(out: &mpsc::Sender<Batch>, batch: Batch) -> bool {
    batch.items.is_empty() || out.send(batch).await.is_ok()
}

async fn open(
    receive: &Receive,
    place: Place,
    suspects: &Suspects,
    mut batches: mpsc::Receiver<Batch>,
    out: mpsc::Sender<Vec<Opened>>,
) -> Result<(), RoundError> {
    while let Some(mut batch) = batches.recv().await {
        let attempt = suspects.attempt(&batch.uids);
        receive.begin(place.folder, &batch.uids.to_string(), attempt).await?;
        point::reached("c9_begun");
        receive.sort_out(&mut batch.items, attempt).await;
        let opened = timeout(OPENING_AT_MOST, open_batch(receive, place, batch.items)).await;
        let opened = opened.map_err(|_| anyhow::anyhow!("reading some messages does not come to an end"))?;
        if out.send(opened).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn open_batch(receive: &Receive, place: Place, items: Vec<Item>) -> Vec<Opened> {
    let mut pieces: Vec<Vec<Item>> = (0..PIECES).map(|_| Vec::new()).collect();
    // Dealt out like cards, so that both have as much to do.
    for (number, item) in items.into_iter().enumerate() {
        pieces[number % PIECES].push(item);
    }
    let threads: Vec<_> = pieces
        .into_iter()
        .map(|piece| {
            let receive = receive.clone();
            tokio::task::spawn_blocking(move || {
                piece.into_iter().map(|item| receive.open(&place, item)).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut opened = Vec::new();
    for thread in threads {
        opened.extend(thread.await.expect("opening an item catches its panics"));
    }
    opened.sort_by_key(|one| one.uid);
    opened
}

async fn file(
    receive: &Receive,
    channel: &Channel,
    folder: &mut Folder,
    mut left: UidSet,
    mut batches: mpsc::Receiver<Vec<Opened>>,
    summary: &mut FolderSummary,
    report: &(dyn Fn(u64) + Send + Sync),
) -> Result<UidSet, RoundError> {
    let listed: UidSet = folder.listed.parse().unwrap_or_default();
    let total = left.len();
    while let Some(mut opened) = batches.recv().await {
        for one in &opened {
            left.remove(uid_of(one.uid));
        }
        // Everything below the first that is left is an occurrence.
        let cursor = left.first().map_or(listed.last().unwrap_or(0), |first| first - 1);
        point::reached("c5_opened");
        receive.keep(folder, &mut opened, i64::from(cursor)).await?;
        point::reached("c8_kept");
        let filed = receive.file(channel, folder, opened).await?;
        point::reached("c11_filed");
        summary.filed += filed.filed;
        summary.quarantined += filed.quarantined;
        report(total - left.len());
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_mailboxes_share_the_memory_of_a_few() {
        let sizes = [1, 4, 8, 48, 1000].map(|at_work| batch_bytes(at_work) >> 10);
        assert_eq!(sizes, [6144, 6144, 3072, 512, 256]);
    }
}
