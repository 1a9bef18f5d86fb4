//! Which process makes a mailbox's rounds, where several share a database.
//!
//! A process says now and then that it is alive ([`beat`]: one row, however many mailboxes it has) and
//! takes what nobody alive holds. Each taking has a higher epoch, and each write of a round asks for its
//! epoch in the same transaction ([`Lease::check`]): a process that slept and wakes writes nothing more,
//! whatever its clock says. Time decides only when somebody may take over.

use crate::params;
use crate::sql::{Error, Sql, Tx, pick};
use model::{MailboxId, Time};

/// The right to write what the rounds of one mailbox do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Which taking it is.
    pub epoch: i64,
}

impl Lease {
    /// Makes sure that nobody has taken the mailbox over, until the transaction ends.
    ///
    /// # Errors
    /// [`Error::TakenOver`] if somebody has.
    pub async fn check(&self, tx: &mut Tx) -> Result<(), Error> {
        let text = pick(
            tx.engine(),
            "SELECT 1 FROM leases WHERE mailbox_id = $1 AND epoch = $2",
            "SELECT 1 FROM leases WHERE mailbox_id = $1 AND epoch = $2 FOR SHARE",
        );
        tx.query_opt(text, params![self.mailbox, self.epoch]).await?.map(drop).ok_or(Error::TakenOver)
    }
}

impl Lease {
    /// Whether nobody has taken the mailbox over, at this moment.
    pub async fn is_held(&self, sql: &mut impl Sql) -> Result<bool, Error> {
        let text = "SELECT 1 FROM leases WHERE mailbox_id = $1 AND epoch = $2";
        Ok(sql.query_opt(text, params![self.mailbox, self.epoch]).await?.is_some())
    }
}

/// Says that a process is alive, and will be until `expires_at`.
pub async fn beat(tx: &mut Tx, holder: &str, expires_at: Time) -> Result<(), Error> {
    let text = "INSERT INTO holders (name, expires_at) VALUES ($1, $2)
                ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at";
    tx.execute(text, params![holder, expires_at]).await.map(drop)
}

/// Says that a process has ended: what it held is free.
pub async fn leave(tx: &mut Tx, holder: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM holders WHERE name = $1", params![holder]).await.map(drop)
}

/// Takes those of these mailboxes that nobody alive at `now` holds, and anew those the process holds
/// itself. Forgets processes that have long been dead.
pub async fn take(
    tx: &mut Tx,
    holder: &str,
    mailboxes: &[MailboxId],
    now: Time,
) -> Result<Vec<Lease>, Error> {
    let new = mailboxes.iter().map(|id| params![*id, holder, 0_i64]).collect();
    tx.insert_many("INSERT INTO leases (mailbox_id, holder, epoch) VALUES", "ON CONFLICT DO NOTHING", new)
        .await?;
    let text = "UPDATE leases SET holder = $2, epoch = epoch + 1 WHERE mailbox_id = $1 AND (holder = $2
                OR NOT EXISTS (SELECT 1 FROM holders h WHERE h.name = leases.holder AND h.expires_at > $3))";
    tx.execute_many(text, mailboxes.iter().map(|id| params![*id, holder, now]).collect()).await?;
    let text = "SELECT epoch FROM leases WHERE mailbox_id = $1 AND holder = $2";
    let found = tx.query_many(text, mailboxes.iter().map(|id| params![*id, holder]).collect()).await?;
    let mut taken = Vec::new();
    for (&mailbox, rows) in mailboxes.iter().zip(found) {
        if let Some(row) = rows.first() {
            taken.push(Lease { mailbox, epoch: row.get(0)? });
        }
    }
    let long_ago = Time(now.0 - FORGOTTEN_AFTER_US);
    tx.execute("DELETE FROM holders WHERE expires_at < $1", params![long_ago]).await?;
    Ok(taken)
}

/// A process that was silent for an hour is forgotten.
const FORGOTTEN_AFTER_US: i64 = 3600 * 1_000_000;
