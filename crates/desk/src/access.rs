//! Who reaches filed mail: by address, by mailbox, and by the record it was filed to.
//!
//! The archive is one (B7): whoever is in charge of a thread, of its case or of a record it is linked to, as
//! its assignee or in its team, reaches the thread whoever it was sent to. What of that counts for somebody
//! is said by their role's mail level ([`Actor::mail_access`](crate::may::Actor::mail_access)): with *own*
//! what is theirs (`u`), with *team* what is their teams' too (`t`, and `m` of their mailboxes), with *no*
//! nothing. Following a record is a wish and no right; that somebody may see all records opens no mail.
//! When the reason goes (untied, handed to somebody else, another team) the access goes, unless another
//! reason is left. `store::access` has the table of tokens.
//!
//! To be called, in the same transaction, after whatever changes a reason: a link, a thread's or case's
//! assignee or team ([`refresh`]), a record's assignee or team ([`refresh_record`]). A filing does it for what
//! it links by itself (`Writes::flush`).
//!
//! An address that a user gets or loses is a reason that comes or goes for all the mail it is on, of years. That is
//! written down with the change ([`owe`]) and then done in batches, each a transaction of its own, so that no filing
//! waits for it: a few at once, by who made the change, the rest by the ticks ([`catch_up`]). A process that ends
//! meanwhile leaves nothing undone.

use crate::Desk;
use model::{RecordId, ThreadId, UserId};
use store::access::{self, Due};
use store::changes::{self, Change, ChangeKind};
use store::filing;
use store::sql::{Error, Tx};

/// Batches that are done at once for a change of addresses: mail of 10,000 messages.
pub(crate) const MOST_AT_ONCE: usize = 20;
/// Batches of one tick; the rest follows in the next.
pub const MOST_OF_TICK: usize = 200;

/// Which of a user's addresses are new or gone, in the transaction that changes them: their mail is due. Nothing is
/// filed meanwhile, because a filing knows the addresses from its beginning on.
pub(crate) async fn owe(tx: &mut Tx, user: UserId, before: &[String], after: &[String]) -> Result<(), Error> {
    let gone = before.iter().filter(|address| !after.contains(address));
    let new = after.iter().filter(|address| !before.contains(address));
    let changed: Vec<String> = gone.chain(new).cloned().collect();
    if changed.is_empty() {
        return Ok(());
    }
    tx.lock(filing::LOCK).await?;
    access::owe(tx, user, &changed).await
}

/// Does what is due of changed addresses, at most `most` batches.
pub async fn catch_up(desk: &Desk, most: usize) -> Result<(), Error> {
    for _ in 0..most {
        if access::due(&mut &desk.db).await?.is_none() {
            return Ok(());
        }
        let mut tx = desk.begin_filing().await?;
        // Asked again under the lock: other processes tick too.
        let Some(due) = access::due(&mut tx).await? else { return Ok(()) };
        if access::refresh_due(&mut tx, &due).await? {
            changes::add(&mut tx, changed(&due), desk.clock.now()).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

fn changed(due: &Due) -> Change {
    Change { kind: ChangeKind::User, entity_id: due.user.0, thread: None, action: "changed" }
}

/// After a link of the thread, or who is in charge of it, changed.
pub async fn refresh(tx: &mut Tx, thread: ThreadId) -> Result<(), Error> {
    access::refresh(tx, &[thread]).await
}

/// After a record's (or case's) assignee or team changed: for all its threads.
pub async fn refresh_record(tx: &mut Tx, record: RecordId) -> Result<(), Error> {
    access::refresh_record(tx, record).await
}
