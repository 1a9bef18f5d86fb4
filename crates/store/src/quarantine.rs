//! What could not be understood or taken: its bytes, where there are any, and why.

use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{MailboxId, OccurrenceId, QuarantineReason, Time};

/// Something that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The occurrence.
    pub id: OccurrenceId,
    /// The mailbox's address.
    pub mailbox: String,
    /// The mailbox.
    pub mailbox_id: MailboxId,
    /// The folder's name.
    pub folder: String,
    /// Its number there.
    pub uid: i64,
    /// Why.
    pub reason: String,
    /// The same as a word.
    pub code: QuarantineReason,
    /// Its size.
    pub size_bytes: i64,
    /// When its bytes were kept.
    pub at: Time,
}

const QUARANTINED: &str = "SELECT o.id, m.address, m.id, f.name, o.uid, COALESCE(o.reason, ''), o.size_bytes, \
     o.kept_at, COALESCE(o.reason_code, '') FROM occurrences o JOIN mailboxes m ON m.id = o.mailbox_id \
     JOIN folders f ON f.id = o.folder_id WHERE o.state = 'quarantined'";

fn quarantined_of(row: &Row) -> Result<Quarantined, Error> {
    Ok(Quarantined {
        id: row.get(0)?,
        mailbox: row.get(1)?,
        mailbox_id: row.get(2)?,
        folder: row.get(3)?,
        uid: row.get(4)?,
        reason: row.get(5)?,
        code: QuarantineReason::of(&row.get::<String>(8)?).unwrap_or(QuarantineReason::Unreadable),
        size_bytes: row.get(6)?,
        at: row.get(7)?,
    })
}

/// The quarantine, newest first.
pub async fn page(sql: &mut impl Sql, offset: u64, limit: u32) -> Result<Vec<Quarantined>, Error> {
    let text = format!("{QUARANTINED} ORDER BY o.id DESC LIMIT $1 OFFSET $2");
    sql.query(&text, params![limit, offset]).await?.iter().map(quarantined_of).collect()
}

/// How many there are for each reason.
pub async fn reasons(sql: &mut impl Sql) -> Result<Vec<(QuarantineReason, i64)>, Error> {
    let text = "SELECT reason_code, COUNT(*) FROM occurrences WHERE state = 'quarantined' \
                GROUP BY reason_code ORDER BY reason_code";
    let reason = |row: &Row| {
        let word: Option<String> = row.get(0)?;
        let code = word.and_then(|word| QuarantineReason::of(&word));
        Ok((code.unwrap_or(QuarantineReason::Unreadable), row.get(1)?))
    };
    sql.query(text, params![]).await?.iter().map(reason).collect()
}

/// One of the quarantine.
pub async fn get(sql: &mut impl Sql, id: OccurrenceId) -> Result<Option<Quarantined>, Error> {
    let row = sql.query_opt(&format!("{QUARANTINED} AND o.id = $1"), params![id]).await?;
    row.as_ref().map(quarantined_of).transpose()
}

/// Up to `limit` after `after` that can be tried again, of one reason or of all: all but those of which
/// too little was taken.
pub async fn to_retry(
    sql: &mut impl Sql,
    code: Option<QuarantineReason>,
    after: OccurrenceId,
    limit: i64,
) -> Result<Vec<(OccurrenceId, MailboxId)>, Error> {
    let text = "SELECT id, mailbox_id FROM occurrences WHERE state = 'quarantined' AND id > $1 \
                AND reason_code <> 'too_large' AND ($2 = '' OR reason_code = $2) ORDER BY id LIMIT $3";
    let code = code.map_or("", QuarantineReason::word);
    let rows = sql.query(text, params![after, code, limit]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Lets one of the quarantine be filed anew, as if it had just been kept; one without bytes is asked for
/// again. Whether there was one that this is possible for.
pub async fn retry(tx: &mut Tx, id: OccurrenceId) -> Result<bool, Error> {
    let text = "UPDATE occurrences SET state = 'kept', reason = NULL, reason_code = NULL, attempts = 0 \
                WHERE id = $1 AND state = 'quarantined' AND body_id IS NOT NULL";
    if tx.execute(text, params![id]).await? > 0 {
        return Ok(true);
    }
    // The cursor goes back before it, so that the next round misses it.
    let text = "UPDATE folders SET cursor = (SELECT o.uid - 1 FROM occurrences o WHERE o.id = $1) \
                WHERE id = (SELECT o.folder_id FROM occurrences o WHERE o.id = $1 AND o.uidvalidity = folders.uidvalidity) \
                AND cursor >= (SELECT o.uid FROM occurrences o WHERE o.id = $1)";
    let withheld =
        "SELECT 1 FROM occurrences WHERE id = $1 AND state = 'quarantined' AND reason_code = 'withheld'";
    if tx.query_opt(withheld, params![id]).await?.is_none() {
        return Ok(false);
    }
    tx.execute(text, params![id]).await?;
    tx.execute("DELETE FROM occurrences WHERE id = $1", params![id]).await?;
    Ok(true)
}
