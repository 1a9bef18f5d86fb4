//! Rounds against real and scripted servers: what other people and faults do to a mailbox.
#![allow(clippy::unwrap_used)]

mod breaks;
mod faults;
mod oddities;
mod others;
mod outbox;
mod pop3;
mod post_room;
mod renumbered;
mod restored;
mod rules;
mod serving;
mod synchronise;
mod three;
mod tokens;
mod webhooks;
