//! Fetch, open, keep and file as a pipeline: while one batch is filed the next is opened and the one
//! after that is on the wire.
//!
//! A batch has at most [`BATCH_BYTES`], except for a single message that is larger, and needs one of the
//! process's [`TURNS`] from its first message until it is filed: that bounds the memory of all mailboxes
//! together, and since turns are given in the order of asking, one that has a hundred thousand messages
//! to read is no more than one among others. A server that pauses has no turn: what has come goes, and
//! an empty batch holds nothing, so that nobody waits for a server that is not theirs.
//!
//! The UIDs of a batch are written down before it is opened, so that the next run knows what this
//! one may have died of, and takes less of it at a time.

use crate::visit::{FolderSummary, RoundError};
use desk::receive::{self, Aside, Channel, Item, Opened, Place, Receive};
use model::Time;
use std::future::Future;
use std::time::{Duration, Instant};
use store::folders::Folder;
use store::point;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio::time::timeout;
use wire::imap::{Fetch, Fetched, SessionError, UidSet};

/// Messages opened together.
const BATCH_MESSAGES: usize = 128;
/// Bytes opened together, at most.
const BATCH_BYTES: usize = 6 << 20;
/// Batches in memory at the same time, of all mailboxes. One alone uses three.
const TURNS: usize = 12;
/// A batch is no larger while others wait for a turn, so that they wait less.
const SHARED_BATCH_BYTES: usize = 1 << 20;
/// A batch is cut into so many pieces, opened at the same time.
const PIECES: usize = 2;

/// What has come is not held back for longer than this while a slow server gives more.
const GATHERING: Duration = Duration::from_secs(2);
/// The same while others wait for a turn.
const SHARED_GATHERING: Duration = Duration::from_millis(100);

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
    /// Held from its first message on.
    turn: Option<SemaphorePermit<'static>>,
}

impl Batch {
    fn new() -> Batch {
        Batch {
            items: Vec::new(),
            uids: UidSet::new(),
            bytes: 0,
            together: BATCH_MESSAGES,
            began: Instant::now(),
            turn: None,
        }
    }

    /// Whether it has to go before another message of so many bytes, and so many together, joins it.
    fn is_full(&self, bytes: usize, together: usize) -> bool {
        let most = if is_crowded() { SHARED_BATCH_BYTES } else { BATCH_BYTES };
        let is_full = self.items.len() >= self.together.min(together) || self.bytes + bytes > most;
        !self.items.is_empty() && (is_full || self.began.elapsed() > GATHERING)
    }

    async fn push(&mut self, item: Item, together: usize) {
        if self.turn.is_none() {
            self.turn = Some(FREE.acquire().await.expect("the semaphore is never closed"));
            self.began = Instant::now();
        }
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

/// Turns that nobody has.
static FREE: Semaphore = Semaphore::const_new(TURNS);

/// Whether somebody waits for a turn, or soon will.
fn is_crowded() -> bool {
    FREE.available_permits() == 0
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
        let item = match gathered(&mut messages, &mut batch, &out).await {
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
        batch.push(item, together).await;
    }
    send(&out, batch).await;
    Ok(())
}

/// The next message. If it is long in coming, the batch goes meanwhile.
async fn gathered(
    messages: &mut impl Messages,
    batch: &mut Batch,
    out: &mpsc::Sender<Batch>,
) -> Result<Option<Item>, RoundError> {
    let next = messages.next();
    tokio::pin!(next);
    while !batch.items.is_empty() {
        let patience = if is_crowded() { SHARED_GATHERING } else { GATHERING };
        tokio::select! {
            item = &mut next => return item,
            () = tokio::time::sleep(patience) => {
                if !send(out, std::mem::replace(batch, Batch::new())).await {
                    return Ok(None);
                }
            }
        }
    }
    next.await
}

/// What was opened of a batch, and its turn.
type Read = (Vec<Opened>, Option<SemaphorePermit<'static>>);

/// False if nobody takes batches any more: the other end failed and has the error.
async fn send(out: &mpsc::Sender<Batch>, batch: Batch) -> bool {
    batch.items.is_empty() || out.send(batch).await.is_ok()
}

async fn open(
    receive: &Receive,
    place: Place,
    suspects: &Suspects,
    mut batches: mpsc::Receiver<Batch>,
    out: mpsc::Sender<Read>,
) -> Result<(), RoundError> {
    while let Some(mut batch) = batches.recv().await {
        let attempt = suspects.attempt(&batch.uids);
        receive.begin(place.folder, &batch.uids.to_string(), attempt).await?;
        point::reached("c9_begun");
        receive.sort_out(&mut batch.items, attempt).await;
        let opened = timeout(OPENING_AT_MOST, open_batch(receive, place, batch.items)).await;
        let opened = opened.map_err(|_| anyhow::anyhow!("reading some messages does not come to an end"))?;
        if out.send((opened, batch.turn)).await.is_err() {
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
    mut batches: mpsc::Receiver<Read>,
    summary: &mut FolderSummary,
    report: &(dyn Fn(u64) + Send + Sync),
) -> Result<UidSet, RoundError> {
    let listed: UidSet = folder.listed.parse().unwrap_or_default();
    let total = left.len();
    while let Some((mut opened, _turn)) = batches.recv().await {
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
        summary.asked += filed.asked;
        report(total - left.len());
    }
    Ok(left)
}
