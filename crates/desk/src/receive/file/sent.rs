//! A mail of ours: queued, kept and filed in one transaction.
//!
//! Its bytes lie in a folder of its own in the mailbox it goes out through, which no round reads, so that the ledger
//! and `verify` cover it. The copy that a server puts into its folder of sent mail has the same identity and is seen
//! to be one.

use super::message;
use crate::Desk;
use crate::receive::open::{self, Item, Place, StoredParts};
use intake::plan::{Direction, Origin, Plan, Step, ThreadPlan};
use model::{AfterFiling, MailboxId, MessageId, OutboxId, ThreadId, UserId, Verdict};
use std::collections::HashMap;
use store::filing::{Voice, Writes};
use store::sql::{Error, Tx};
use store::{folders, outbox, raw};

/// Name of the folder. No server's folder should have it: their numbers would collide.
const FOLDER: &str = "Sent (Lettercase)";

/// A mail that goes out and stands in a thread.
pub(crate) struct Sent {
    pub mailbox: MailboxId,
    pub thread: ThreadId,
    /// Where bounces go; empty: nowhere.
    pub envelope_from: String,
    pub to: Vec<String>,
    pub mid: String,
    pub raw: Vec<u8>,
    pub by: SentBy,
}

/// Who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SentBy {
    /// A user; it answers the thread.
    User(UserId),
    /// The program in their place; nobody has answered yet.
    Program,
}

/// Writes the mail into the outbox and into its thread. `writes` know the thread; `users` are those with one of the
/// mail's addresses, who may see it.
pub(crate) async fn send(
    desk: &Desk,
    tx: &mut Tx,
    writes: &mut Writes,
    users: &HashMap<String, Vec<i64>>,
    sent: Sent,
) -> Result<MessageId, Error> {
    let now = desk.clock.now();
    let Sent { mailbox, thread, envelope_from, to, mid, raw, by } = sent;
    let row =
        outbox::Message { id: OutboxId(0), mailbox: Some(mailbox), envelope_from, mid, created_at: now };
    let queued = outbox::add(tx, &row, raw.clone(), &to).await?;
    let mut folder = folders::import_folder(tx, mailbox, FOLDER).await?;
    let place = Place { mailbox, folder: folder.id, uidvalidity: folder.uidvalidity };
    let uid = folder.cursor + 1;
    let mut one =
        open::open(&StoredParts::default(), &place, Item { uid, internal_at: now, raw, aside: None });
    let kept = one.kept.take().ok_or_else(|| Error::Other("what was just opened is not there".into()))?;
    let occurrence = raw::keep(tx, &[kept], now).await?.pop().flatten();
    folder.listed = format!("1:{uid}");
    folders::visited(tx, folder.id, folder.uidvalidity, &folder.listed, uid).await?;
    let (Some(read), Some(occurrence)) = (one.read.as_deref(), occurrence) else {
        return Err(Error::Other("a mail that was just written cannot be read".into()));
    };
    let steps = vec![Step::new("thread", "sent", thread.to_string())];
    let new = message::new(Origin::Sent, &one, read, &plan(thread, steps));
    let received_at = new.received_at;
    let message = writes.message(thread, new, now)?;
    writes.ids_of_thread(thread, read.mids.iter().copied());
    for token in message::tokens(mailbox, users, read) {
        writes.access(thread, &token)?;
    }
    if let SentBy::User(user) = by {
        writes.spoke(thread, message, Voice::Us(Some(user)), now);
        outbox::wants_copy(tx, queued, user).await?;
    }
    writes.note_message(thread, message, Direction::Out.word(), received_at, now)?;
    writes.filed(occurrence, message, AfterFiling::Leave);
    outbox::stands_as(tx, queued, message).await?;
    Ok(message)
}

/// What is decided of a mail of ours: it stands where it was written.
fn plan(thread: ThreadId, steps: Vec<Step>) -> Plan {
    Plan {
        seen: None,
        direction: Direction::Out,
        thread: ThreadPlan::Join(thread),
        links: Vec::new(),
        suggestions: Vec::new(),
        unverified: None,
        auth: Verdict::Unknown,
        bounce_of: None,
        case: intake::plan::CasePlan::None,
        actions: Vec::new(),
        hits: Vec::new(),
        skip: None,
        silenced: Vec::new(),
        steps,
    }
}
