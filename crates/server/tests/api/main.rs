//! The doors, from outside: requests to the whole router over a real database, SQLite and PostgreSQL.
#![allow(clippy::unwrap_used)]

mod browser;
mod doors;
mod events;
mod mailboxes;
mod people;
mod quarantine;
mod sessions;
mod shapes;
