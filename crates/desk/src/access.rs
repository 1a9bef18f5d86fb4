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

use model::{RecordId, ThreadId};
use store::sql::{Error, Tx};

/// After a link of the thread, or who is in charge of it, changed.
pub async fn refresh(tx: &mut Tx, thread: ThreadId) -> Result<(), Error> {
    store::access::refresh(tx, &[thread]).await
}

/// After a record's (or case's) assignee or team changed: for all its threads.
pub async fn refresh_record(tx: &mut Tx, record: RecordId) -> Result<(), Error> {
    store::access::refresh_record(tx, record).await
}
