//! What the server of a mailbox calls itself in Authentication-Results, as far as its newest messages tell.
//!
//! It is only offered to whoever changes the mailbox: anybody can send a mail with such a field, and a server that
//! writes none leaves what came from outside.

use crate::message::Marks;
use crate::{Desk, Refusal};
use model::MailboxId;
use std::collections::BTreeMap;
use store::messages;

/// Messages that are asked.
const NEWEST: i64 = 20;

/// The name that most of the newest messages have on top; `None` where fewer than half have one.
pub async fn server_name_seen(desk: &Desk, id: MailboxId) -> Result<Option<String>, Refusal> {
    let marks = messages::marks_of_mailbox(&mut &desk.db, id, NEWEST).await?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for field in marks.iter().filter_map(|marks| Marks::read(marks).authentication) {
        if let Some(name) = mail::auth::server(&field) {
            *counts.entry(name.to_lowercase()).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    Ok(most.filter(|(_, count)| count * 2 >= marks.len()).map(|(name, _)| name))
}
