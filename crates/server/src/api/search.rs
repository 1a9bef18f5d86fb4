//! Finding messages.

use crate::App;
use crate::extract::{Json, Query, Who};
use crate::paging::Page;
use crate::problem::Problem;
use crate::shape::Moment;
use axum::extract::State;
use desk::search::Hit;
use model::MailboxId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is looked for, and which part of it.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words, all of which have to be there. `"a phrase"`, `begin*`, `-without`, `this OR that`,
    /// `from:`, `to:`, `subject:`, `has:attachment`, `in:` a mailbox, `before:` and `after:` a day
    /// (YYYY-MM-DD, UTC). Case and diacritics do not matter.
    q: Option<String>,
    /// Only in threads that came through this mailbox.
    mailbox: Option<i64>,
    /// Rows to leave out, from the beginning. Default 0.
    offset: Option<u64>,
    /// Rows at most, 1 to 200. Default 50.
    limit: Option<u32>,
}

/// A piece of a message's text with the places that matched.
#[derive(Serialize, ToSchema)]
pub struct Snippet {
    /// Plain text on one line.
    text: String,
    /// Begin and end of each match, in UTF-16 code units, as JavaScript counts.
    matches: Vec<[usize; 2]>,
}

/// A message that was found.
#[derive(Serialize, ToSchema)]
pub struct SearchRow {
    message_id: i64,
    thread_id: i64,
    subject: String,
    /// Its writer's name, or the address where they have none.
    from: String,
    /// When it was received.
    at: Moment,
    snippet: Snippet,
    /// Ids of the mailboxes it was found in.
    mailboxes: Vec<i64>,
}

impl From<Hit> for SearchRow {
    fn from(hit: Hit) -> SearchRow {
        let at = hit.at().into();
        let message = hit.message;
        let mut mailboxes: Vec<i64> = message.places.iter().map(|place| place.mailbox.0).collect();
        mailboxes.dedup();
        let from = if message.from.name.is_empty() { message.from.address } else { message.from.name };
        SearchRow {
            message_id: message.id.0,
            thread_id: message.thread.0,
            subject: message.subject,
            from,
            at,
            snippet: Snippet {
                text: hit.snippet.text,
                matches: hit.snippet.ranges.into_iter().map(|range| [range.start, range.end]).collect(),
            },
            mailboxes,
        }
    }
}

/// A part of what was found.
#[derive(Serialize, ToSchema)]
pub struct SearchPage {
    /// How many messages there are; 10000 means that many or more.
    total: i64,
    rows: Vec<SearchRow>,
}

/// Find messages, newest arrival first
#[utoipa::path(get, path = "/api/v1/search", params(SearchQuery), responses((status = 200, body = SearchPage)))]
pub async fn search_messages(
    State(app): State<App>,
    Who(actor): Who,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchPage>, Problem> {
    let span = Page::of(query.offset, query.limit)?;
    let (offset, limit) = (span.offset as i64, i64::from(span.limit));
    let typed = query.q.unwrap_or_default();
    let mailbox = query.mailbox.map(MailboxId);
    let (total, hits) = desk::search::find(&app.desk, &actor, &typed, mailbox, offset, limit).await?;
    Ok(Json(SearchPage { total, rows: hits.into_iter().map(SearchRow::from).collect() }))
}
