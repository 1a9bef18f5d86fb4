//! What filters left out: occurrences whose bytes are kept and that are no messages.

use crate::params;
use crate::raw;
use crate::sql::{Error, Row, Sql, Tx};
use model::{MailboxId, OccurrenceId, RuleId, Time};

/// Something a filter left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filtered {
    /// The occurrence.
    pub id: OccurrenceId,
    /// The folder's name.
    pub folder: String,
    /// The filter, and its name where it is still there.
    pub rule: Option<(RuleId, Option<String>)>,
    /// Whose filter it is, if it is somebody's own and still there.
    pub user: Option<model::UserId>,
    /// Its header as it came.
    pub header: Vec<u8>,
    /// Its size.
    pub size_bytes: i64,
    /// When the server says it arrived.
    pub at: Time,
}

/// What filters left out of a mailbox, newest first.
pub async fn page(
    sql: &mut impl Sql,
    mailbox: MailboxId,
    offset: u64,
    limit: u32,
) -> Result<Vec<Filtered>, Error> {
    let text = "SELECT o.id, f.name, o.rule_id, r.name, r.user_id, o.header, o.size_bytes, o.internal_at FROM occurrences o \
                JOIN folders f ON f.id = o.folder_id LEFT JOIN rules r ON r.id = o.rule_id \
                WHERE o.mailbox_id = $1 AND o.state = 'filtered' ORDER BY o.id DESC LIMIT $2 OFFSET $3";
    sql.query(text, params![mailbox, limit, offset]).await?.iter().map(filtered_of).collect()
}

fn filtered_of(row: &Row) -> Result<Filtered, Error> {
    let rule: Option<RuleId> = row.get(2)?;
    let name: Option<String> = row.get(3)?;
    Ok(Filtered {
        id: row.get(0)?,
        folder: row.get(1)?,
        rule: rule.map(|id| (id, name)),
        user: row.get(4)?,
        header: raw::unzstd(&row.get::<Vec<u8>>(5)?)?,
        size_bytes: row.get(6)?,
        at: row.get(7)?,
    })
}

/// How many filters left out of a mailbox.
pub async fn count(sql: &mut impl Sql, mailbox: MailboxId) -> Result<i64, Error> {
    let text = "SELECT COUNT(*) FROM occurrences WHERE mailbox_id = $1 AND state = 'filtered'";
    sql.query_one(text, params![mailbox]).await?.get(0)
}

/// The mailbox of something a filter left out.
pub async fn mailbox_of(sql: &mut impl Sql, id: OccurrenceId) -> Result<Option<MailboxId>, Error> {
    let text = "SELECT mailbox_id FROM occurrences WHERE id = $1 AND state = 'filtered'";
    sql.query_opt(text, params![id]).await?.map_or(Ok(None), |row| row.get(0).map(Some))
}

/// Lets it be filed after all: it waits to be filed, and its rule says that no filter is tried on it. Whether
/// there was one that has its bytes.
pub async fn file_after_all(tx: &mut Tx, id: OccurrenceId) -> Result<bool, Error> {
    let text = "UPDATE occurrences SET state = 'kept', attempts = 0, rule_id = COALESCE(rule_id, 0) \
                WHERE id = $1 AND state = 'filtered' AND body_id IS NOT NULL";
    Ok(tx.execute(text, params![id]).await? > 0)
}
