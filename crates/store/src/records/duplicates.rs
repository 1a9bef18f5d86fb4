//! Records of one kind that may be the same.

use crate::changes::RecordsHeard;
use crate::params;
use crate::sql::{Error, Params, Row, Sql};
use model::{RecordId, RecordKind};

/// Pairs that are shown at most, for each reason. Whoever merges some sees further ones.
pub const MOST_PAIRS: usize = 200;

/// What two records have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Common {
    /// An address.
    Address,
    /// A domain.
    Domain,
    /// The name, whatever its case and accents.
    Name,
}

impl Common {
    /// What is told of it, and the pairs as `a` and `b`, the older record first.
    fn sql(self) -> (&'static str, &'static str) {
        match self {
            Common::Address => (
                "x.address",
                "record_addresses x JOIN record_addresses y ON y.address = x.address AND y.record_id > x.record_id \
                 JOIN records a ON a.id = x.record_id JOIN records b ON b.id = y.record_id",
            ),
            Common::Domain => (
                "x.domain",
                "record_domains x JOIN record_domains y ON y.domain = x.domain AND y.record_id > x.record_id \
                 JOIN records a ON a.id = x.record_id JOIN records b ON b.id = y.record_id",
            ),
            Common::Name => (
                "a.name",
                "records a JOIN records b ON b.kind = a.kind AND b.folded = a.folded AND b.id > a.id",
            ),
        }
    }
}

/// Pairs, the older record first, with what they have in common; of `one`, or all.
pub async fn duplicates(
    sql: &mut impl Sql,
    common: Common,
    kind: RecordKind,
    one: Option<RecordId>,
    heard: &RecordsHeard,
) -> Result<Vec<(RecordId, RecordId, String)>, Error> {
    let (what, join) = common.sql();
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
