//! Records of one kind that may be the same.

use crate::changes::RecordsHeard;
use crate::params;
use crate::sql::{Error, Params, Row, Sql};
use model::{RecordId, RecordKind};

/// Pairs that are shown at most, for each reason. Whoever merges some sees further ones.
pub const MOST_PAIRS: usize = 200;

/// Two records, the older one first, and what they have in common.
type Pair = (RecordId, RecordId, String);

/// Pairs that have an address in common; of `one`, or all.
pub async fn same_address(
    sql: &mut impl Sql,
    kind: RecordKind,
    one: Option<RecordId>,
    heard: &RecordsHeard,
) -> Result<Vec<Pair>, Error> {
    let join = "record_addresses x JOIN record_addresses y ON y.address = x.address AND y.record_id > x.record_id \
                JOIN records a ON a.id = x.record_id JOIN records b ON b.id = y.record_id";
    pairs(sql, "x.address", join, kind, one, heard).await
}

/// Pairs that have a domain in common.
pub async fn same_domain(
    sql: &mut impl Sql,
    kind: RecordKind,
    one: Option<RecordId>,
    heard: &RecordsHeard,
) -> Result<Vec<Pair>, Error> {
    let join = "record_domains x JOIN record_domains y ON y.domain = x.domain AND y.record_id > x.record_id \
                JOIN records a ON a.id = x.record_id JOIN records b ON b.id = y.record_id";
    pairs(sql, "x.domain", join, kind, one, heard).await
}

/// Pairs that have the same name, whatever its case and accents.
pub async fn same_name(
    sql: &mut impl Sql,
    kind: RecordKind,
    one: Option<RecordId>,
    heard: &RecordsHeard,
) -> Result<Vec<Pair>, Error> {
    let join = "records a JOIN records b ON b.kind = a.kind AND b.folded = a.folded AND b.id > a.id";
    pairs(sql, "a.name", join, kind, one, heard).await
}

async fn pairs(
    sql: &mut impl Sql,
    what: &str,
    join: &str,
    kind: RecordKind,
    one: Option<RecordId>,
    heard: &RecordsHeard,
) -> Result<Vec<Pair>, Error> {
    let mut params: Params = params![MOST_PAIRS as i64];
    let mut text = format!(
        "SELECT a.id, b.id, {what} FROM {join} WHERE a.kind = '{kind}' AND b.kind = '{kind}' \
         AND a.merged_into IS NULL AND b.merged_into IS NULL"
    );
    if let Some(one) = one {
        params.push(one.into());
        text.push_str(&format!(" AND (a.id = ${0} OR b.id = ${0})", params.len()));
    }
    for r in ["a", "b"] {
        text.push_str(&format!(" AND {}", heard.condition(r, &mut params)));
    }
    text.push_str(" ORDER BY a.id, b.id LIMIT $1");
    let rows = sql.query(&text, params).await?;
    rows.iter().map(|row: &Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}
