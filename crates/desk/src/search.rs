//! Finding messages: what a person types, and what they are shown of each hit.
//!
//! [`query`] reads the typed words into a tree (it cannot fail on words, only on operators with
//! values that mean nothing), the shelf asks its index, and [`snippet`] cuts the place of the match
//! out of the message's text, which is read anew for the page that is shown and for no other.

mod query;
mod snippet;

pub use snippet::Snippet;

use crate::may::{Actor, Verb};
use crate::message::{apart, keep_places};
use crate::{Desk, Refusal, bytes};
use mail::fold::fold_text;
use model::{MailboxId, Person, Time};
use query::Parsed;
use store::labels::{self, Label};
use store::messages::{self, Message};
use store::search::{self, Search};
use store::sql::Sql;
use store::threads;

/// Longest question, in bytes.
pub const LONGEST_QUERY: usize = 1000;

/// A message that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The message.
    pub message: Message,
    /// The place of the match, or the message's beginning where the match is elsewhere.
    pub snippet: Snippet,
}

impl Hit {
    /// Who wrote it.
    pub fn from(&self) -> &Person {
        &self.message.from
    }

    /// When it came.
    pub fn at(&self) -> Time {
        self.message.received_at
    }
}

/// A part of what was found, newest first, and how much there is (no further than
/// [`search::MAX_TOTAL`]).
pub async fn find(
    desk: &Desk,
    actor: &Actor,
    typed: &str,
    mailbox: Option<MailboxId>,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<Hit>), Refusal> {
    actor.may(Verb::ReadMail)?;
    let access = actor.mail_access();
    let parsed = query::parse(typed)?;
    let mut sql = desk.db.snapshot().await?;
    let mut search = asked(&mut sql, &parsed, &access).await?;
    search.mailboxes.extend(mailbox.map(|id| vec![id]));
    let found = search::find(&mut sql, &search, &access, offset, limit).await?;
    let mut hits = Vec::with_capacity(found.ids.len());
    for mut message in messages::by_ids(&mut sql, &found.ids).await? {
        keep_places(actor, &mut message);
        // Without words to mark there is no need to look for their place.
        let outline = match parsed.highlights.is_empty() {
            true => None,
            false => bytes::outline(&mut sql, message.id).await?,
        };
        hits.push((message, outline));
    }
    drop(sql);
    Ok((found.total, apart(move || shown(hits, &parsed.highlights)).await?))
}

/// The tree for the shelf: addresses of mailboxes and names of labels become their ids. A mailbox that does
/// not exist or may not be looked into is in no message, a label that does not exist on no thread.
async fn asked(
    sql: &mut impl Sql,
    parsed: &Parsed,
    access: &store::people::Access,
) -> Result<Search, Refusal> {
    let mut search = Search { from: parsed.after, until: parsed.before, ..Search::of(parsed.tree.clone()) };
    if !(parsed.labelled.is_empty() && parsed.unlabelled.is_empty()) {
        let all = labels::all(sql).await?;
        let named = |name: &String| {
            let is_it = |label: &&Label| fold_text(&label.name) == *name;
            all.iter().filter(is_it).map(|label| label.id).collect::<Vec<_>>()
        };
        search.labelled = parsed.labelled.iter().map(named).collect();
        search.unlabelled = parsed.unlabelled.iter().flat_map(named).collect();
    }
    if parsed.mailboxes.is_empty() {
        return Ok(search);
    }
    let open = threads::mailboxes(sql, access).await?;
    for wanted in &parsed.mailboxes {
        let is_it = |address: &str, name: &str| {
            let local = address.split('@').next().unwrap_or_default();
            [address, local, name].iter().any(|text| text.to_lowercase() == *wanted)
        };
        let ids = open.iter().filter(|(_, address, name)| is_it(address, name)).map(|(id, ..)| *id);
        search.mailboxes.push(ids.collect());
    }
    Ok(search)
}

fn shown(hits: Vec<(Message, Option<Vec<u8>>)>, highlights: &[query::Highlight]) -> Vec<Hit> {
    let hits = hits.into_iter().map(|(message, outline)| {
        let text = outline.map(|outline| mail::parse::parse(&outline).text).unwrap_or_default();
        let snippet = snippet::cut(&text, &message.snippet, highlights);
        Hit { message, snippet }
    });
    hits.collect()
}
