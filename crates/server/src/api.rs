//! The handlers of `/api/v1`, one file per thing.

pub mod cases;
pub mod changes;
pub mod events;
pub mod guess;
pub mod health;
pub mod labels;
pub mod mailbox_folders;
pub mod mailbox_rounds;
pub mod mailboxes;
pub mod messages;
pub mod notifications;
pub mod oauth;
pub mod outbox;
pub mod people;
pub mod providers;
pub mod quarantine;
pub mod records;
pub mod rules;
pub mod search;
pub mod sending;
pub mod session;
pub mod settings;
pub mod suggestions;
pub mod threads;
pub mod tokens;
pub mod views;
