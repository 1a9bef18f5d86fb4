//! Ids: given out in order of arrival, in blocks, never reused.
//!
//! One row per kind of thing in `counters`. A block is taken inside the transaction that uses it, so
//! an id is seen by others only together with what bears it; a rolled-back block is given out again,
//! to nobody's knowledge. Decided against `AUTOINCREMENT`/sequences: a batch of rows that refer to
//! each other needs its ids before the first insert, on both engines alike.

use crate::params;
use crate::sql::{Error, Sql, Tx};

/// Takes `n` ids of the kind `name` and returns the first; the rest follow without gaps.
pub async fn take(tx: &mut Tx, name: &'static str, n: i64) -> Result<i64, Error> {
    let row = tx
        .query_one(
            "INSERT INTO counters (name, next) VALUES ($1, 1 + $2)
             ON CONFLICT (name) DO UPDATE SET next = counters.next + $2 RETURNING next",
            params![name, n],
        )
        .await?;
    Ok(row.get::<i64>(0)? - n)
}
