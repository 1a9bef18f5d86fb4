//! Records that a row of an import or a web form may mean.

use crate::params;
use crate::sql::{Error, Row, Sql};
use model::{RecordId, RecordKind};

/// By what a record is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Its id in another system.
    ExternalId,
    /// A mail address, lower case.
    Address,
    /// A domain, lower case.
    Domain,
    /// Its name, folded.
    Name,
}

/// Records found for one key that are shown at most: two are as ambiguous as ten.
const MOST_FOUND: usize = 10;

impl Lookup {
    fn text(self) -> String {
        let from = match self {
            // One that was merged away stands for its survivor.
            Lookup::ExternalId => {
                "records o JOIN records r ON r.id = COALESCE(o.merged_into, o.id) \
                 WHERE o.kind = $1 AND o.external_id = $2"
            }
            Lookup::Address => {
                "record_addresses x JOIN records r ON r.id = x.record_id WHERE r.kind = $1 AND x.address = $2"
            }
            Lookup::Domain => {
                "record_domains x JOIN records r ON r.id = x.record_id WHERE r.kind = $1 AND x.domain = $2"
            }
            Lookup::Name => "records r WHERE r.kind = $1 AND r.folded = $2",
        };
        format!(
            "SELECT r.id, r.name FROM {from} AND r.merged_into IS NULL \
             ORDER BY r.id LIMIT {MOST_FOUND}"
        )
    }
}

/// The records of a kind for each key, oldest first.
pub async fn lookup(
    sql: &mut impl Sql,
    kind: RecordKind,
    by: Lookup,
    keys: &[String],
) -> Result<Vec<Vec<(RecordId, String)>>, Error> {
    let asked = keys.iter().map(|key| params![kind.word(), key]).collect();
    let found = sql.query_many(&by.text(), asked).await?;
    let one = |row: &Row| Ok((row.get(0)?, row.get(1)?));
    found.iter().map(|rows| rows.iter().map(one).collect()).collect()
}
