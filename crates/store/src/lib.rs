//! The shelf: the only crate with SQL, for SQLite and PostgreSQL alike.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod dialect;
pub mod migrate;
pub mod sql;
