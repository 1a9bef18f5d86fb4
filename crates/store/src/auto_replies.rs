//! Every mail that a machine sent in answer: what the limits of automatic replies are counted from.

use crate::counters;
use crate::params;
use crate::sql::{Error, Sql, Tx};
use model::{MailboxId, RecordId, TemplateId, ThreadId, Time};

/// An automatic reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoReply {
    /// From which mailbox.
    pub mailbox: MailboxId,
    /// To whom, lower case.
    pub address: String,
    /// In which thread.
    pub thread: ThreadId,
    /// Its case.
    pub case: Option<RecordId>,
    /// Made from which template.
    pub template: TemplateId,
    /// When.
    pub at: Time,
}

/// How often somebody, or everybody, was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The address in this thread or case, ever.
    pub in_thread: i64,
    /// The address from this mailbox, since the day began.
    pub from_mailbox: i64,
    /// The address from all mailboxes, since the day began.
    pub to_address: i64,
    /// Everybody from this mailbox, since the hour began.
    pub by_mailbox: i64,
}

/// Counts what was sent before a reply that is about to be sent: days and hours end with it.
pub async fn counts(sql: &mut impl Sql, about: &AutoReply, day: Time, hour: Time) -> Result<Counts, Error> {
    let text = "SELECT (SELECT COUNT(*) FROM auto_replies WHERE address = $2 AND (thread_id = $3 OR case_id = $4)), \
                (SELECT COUNT(*) FROM auto_replies WHERE address = $2 AND at > $5 AND mailbox_id = $1), \
                (SELECT COUNT(*) FROM auto_replies WHERE address = $2 AND at > $5), \
                (SELECT COUNT(*) FROM auto_replies WHERE mailbox_id = $1 AND at > $6)";
    // No record has the id 0.
    let case = about.case.map_or(0, |case| case.0);
    let row =
        sql.query_one(text, params![about.mailbox, &about.address, about.thread, case, day, hour]).await?;
    Ok(Counts {
        in_thread: row.get(0)?,
        from_mailbox: row.get(1)?,
        to_address: row.get(2)?,
        by_mailbox: row.get(3)?,
    })
}

/// Takes one down.
pub async fn add(tx: &mut Tx, one: &AutoReply) -> Result<(), Error> {
    let id = counters::take(tx, "auto_replies", 1).await?;
    let text = "INSERT INTO auto_replies (id, mailbox_id, address, thread_id, case_id, template_id, at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let row = params![id, one.mailbox, &one.address, one.thread, one.case, one.template, one.at];
    tx.execute(text, row).await.map(drop)
}
