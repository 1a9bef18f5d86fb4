//! Settings of the whole system, by name.

use crate::params;
use crate::sql::{Error, Sql, Tx};

/// The value of a setting, where it was set.
pub async fn get(sql: &mut impl Sql, name: &str) -> Result<Option<String>, Error> {
    let row = sql.query_opt("SELECT value FROM settings WHERE name = $1", params![name]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Sets it.
pub async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<(), Error> {
    let text = "INSERT INTO settings (name, value) VALUES ($1, $2) \
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(text, params![name, value]).await.map(drop)
}
