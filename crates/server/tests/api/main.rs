//! The doors, from outside: requests to the whole router over a real database, SQLite and PostgreSQL.
#![allow(clippy::unwrap_used)]

mod browser;
mod cases;
mod doors;
mod events;
mod inbox;
mod leaks;
mod mailbox_folders;
mod mailbox_rights;
mod mailbox_settings;
mod mailboxes;
mod messages;
mod oauth;
#[path = "../../../desk/tests/office/mod.rs"]
mod office;
mod people;
mod quarantine;
mod records;
mod replies;
mod rules;
mod sending;
mod sessions;
mod shapes;
mod telling;
