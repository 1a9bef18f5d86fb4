//! The shelf: the only crate with SQL.
//!
//! One file names a database driver, [`sql`] (with its `dialect`); every query is written once, in
//! the subset SQLite and PostgreSQL both speak, with `$1 … $n`. A module here is a shelf of its own:
//! it knows its tables and nothing about permission, which `desk` asks before it calls.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod auto_replies;
pub mod changes;
pub mod claims;
pub mod clearing;
pub mod counters;
mod dialect;
pub mod distribution;
pub mod filing;
pub mod filtered;
pub mod folders;
pub mod grants;
pub mod imports;
pub mod jobs;
pub mod labels;
pub mod leases;
pub mod links;
pub mod mailboxes;
pub mod messages;
pub mod migrate;
pub mod notifications;
pub mod operations;
pub mod outbox;
pub mod people;
pub mod point;
pub mod quarantine;
pub mod raw;
pub mod records;
pub mod replies;
pub mod rounds;
pub mod rules;
pub mod search;
pub mod settings;
pub mod sql;
pub mod stream;
pub mod suggestions;
pub mod templates;
pub mod threads;
pub mod uidls;
