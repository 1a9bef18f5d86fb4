//! Full-text search on both engines, with the same results.
//!
//! The index has one entry per message: FTS5 on SQLite, a tsvector under GIN on PostgreSQL. Neither
//! engine's own language handling takes part: text arrives folded (lower case, no diacritics, `ł` is
//! `l`), is taken apart into words here ([`words`]) and both engines are given the same words. The
//! question is a [`Query`], a tree; user text never reaches MATCH or to_tsquery as syntax, each word
//! is quoted and consists of letters and digits.
//!
//! Who may see a message is asked of `thread_access`, match by match, as in every list: what a list
//! shows is what search finds. Labels of access inside the index would be a little faster, but they
//! are of one message where access is of a thread, and FTS5 without content cannot change an entry
//! when a second mailbox receives the message or a case is assigned. Results come newest arrival
//! first, which is the order of ids; ranking by relevance would read every matching tsvector.
//!
//! Differences that remain: a phrase that begins behind the 16,383rd word of a message, or with the
//! 256th occurrence of a word, is found by SQLite only.

mod words;

use crate::params;
use crate::people::Access;
use crate::sql::{Engine, Error, Params, Sql, Tx, pick};
use model::{LabelId, MailboxId, MessageId, Time};
use words::{Columns, EVERY, HAS_ATTACHMENT, Mark, marked};

/// No search counts further than this.
pub const MAX_TOTAL: i64 = 10_000;

/// What the index is told of one message. All text is folded; how it is cut into words is decided
/// here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    /// The message.
    pub message_id: MessageId,
    /// Its subject.
    pub subject: String,
    /// Names and addresses of its writers (From, Sender, Reply-To).
    pub from: String,
    /// Names and addresses of its recipients (To, Cc, Bcc).
    pub to: String,
    /// Its text, and names of its attachments.
    pub body: String,
    /// Whether it has attachments (inline images are none).
    pub has_attachment: bool,
}

/// Adds messages to the index, in the transaction that files them. Each message once.
pub async fn index(tx: &mut Tx, rows: Vec<IndexRow>) -> Result<(), Error> {
    let columns = rows.iter().map(|row| (row.message_id, Columns::of(row)));
    match tx.engine() {
        Engine::Sqlite => {
            let head = "INSERT INTO search (rowid, subject, people, body, acl) VALUES";
            let rows = columns.map(|(id, c)| {
                params![id, c.subject.join(" "), c.people.join(" "), c.body.join(" "), c.acl.join(" ")]
            });
            let rows = rows.collect();
            tx.insert_many(head, "", rows).await?;
        }
        Engine::Postgres => {
            let sql = "INSERT INTO search (message_id, words) VALUES ($1, CAST($2 AS TEXT)::tsvector)";
            let rows = columns.map(|(id, c)| params![id, c.tsvector()]).collect();
            tx.execute_many(sql, rows).await?;
        }
    }
    Ok(())
}

/// Takes messages out of the index.
pub async fn forget(tx: &mut Tx, ids: &[MessageId]) -> Result<(), Error> {
    let sql =
        pick(tx.engine(), "DELETE FROM search WHERE rowid = $1", "DELETE FROM search WHERE message_id = $1");
    tx.execute_many(sql, ids.iter().map(|id| params![*id]).collect()).await?;
    Ok(())
}

/// Where a word has to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Anywhere: subject, people, text.
    Any,
    /// In the subject.
    Subject,
    /// In the name or address of a writer.
    From,
    /// In the name or address of a recipient.
    To,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// All of these; everything if empty.
    All(Vec<Query>),
    /// At least one of these; nothing if empty.
    Any(Vec<Query>),
    /// What the question finds, not.
    Not(Box<Query>),
    /// These words in a row (folded text, cut into words as the index does).
    Words {
        /// Where.
        field: Field,
        /// Folded text.
        text: String,
        /// The last word need only begin like this.
        prefix: bool,
    },
    /// Messages with attachments.
    HasAttachment,
}

/// A question with what is not asked of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What the index is asked.
    pub query: Query,
    /// Sent at this moment or later.
    pub from: Option<Time>,
    /// Sent before this moment.
    pub until: Option<Time>,
    /// In threads that reached all of these: each entry is a list of mailboxes of which one will do.
    pub mailboxes: Vec<Vec<MailboxId>>,
    /// In threads with all of these labels: each entry is a list of labels of which one will do.
    pub labelled: Vec<Vec<LabelId>>,
    /// In threads with none of these.
    pub unlabelled: Vec<LabelId>,
}

impl Search {
    /// A question to the index alone.
    pub fn of(query: Query) -> Search {
        Search {
            query,
            from: None,
            until: None,
            mailboxes: Vec::new(),
            labelled: Vec::new(),
            unlabelled: Vec::new(),
        }
    }
}

/// One page of what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many there are; [`MAX_TOTAL`] means "that many or more".
    pub total: i64,
    /// The page, newest first.
    pub ids: Vec<MessageId>,
}

/// Asks the index. `access` is folded in: what may not be seen is neither found nor counted.
pub async fn find(
    sql: &mut impl Sql,
    search: &Search,
    access: &Access,
    offset: i64,
    limit: i64,
) -> Result<Found, Error> {
    let engine = sql.engine();
    let Some(question) = render(engine, &search.query) else {
        return Ok(Found::default());
    };
    let mut params = params![question];
    let hits = hits(engine, search, access, &mut params);
    let text = format!("SELECT count(*) FROM (SELECT 1 {hits} LIMIT {MAX_TOTAL}) AS c");
    let total: i64 = sql.query_one(&text, params.clone()).await?.get(0)?;
    if offset >= total {
        return Ok(Found { total, ids: Vec::new() });
    }
    let at = params.len();
    params.extend(params![limit.min(total - offset), offset]);
    let text = page_text(engine, &hits, at);
    let rows = sql.query(&text, params).await?;
    let ids = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    Ok(Found { total, ids })
}

/// FROM and WHERE of the matches; `s` is the index, `$1` the question.
fn hits(engine: Engine, search: &Search, access: &Access, params: &mut Params) -> String {
    let mut conditions = String::new();
    if *access != Access::All {
        conditions.push_str(&format!(" AND {}", access.condition("m.thread_id", params)));
    }
    for one_of in &search.mailboxes {
        let reached = Access::Tokens(one_of.iter().map(|id| format!("m{id}")).collect());
        conditions.push_str(&format!(" AND {}", reached.condition("m.thread_id", params)));
    }
    for one_of in &search.labelled {
        conditions.push_str(&format!(" AND {}", labelled(one_of, params)));
    }
    if !search.unlabelled.is_empty() {
        conditions.push_str(&format!(" AND NOT {}", labelled(&search.unlabelled, params)));
    }
    for (comparison, bound) in [(">=", search.from), ("<", search.until)] {
        if let Some(time) = bound {
            params.push(time.into());
            conditions.push_str(&format!(" AND m.sent_at {comparison} ${}", params.len()));
        }
    }
    let (id, matches) = match engine {
        Engine::Sqlite => ("s.rowid", "search MATCH $1"),
        Engine::Postgres => ("s.message_id", "s.words @@ CAST($1 AS TEXT)::tsquery"),
    };
    match conditions.is_empty() {
        true => format!("FROM search s WHERE {matches}"),
        false => {
            format!("FROM search s JOIN messages m ON m.id = {id} WHERE {matches}{conditions}")
        }
    }
}

/// A condition: the message's thread has one of these labels.
fn labelled(one_of: &[LabelId], params: &mut Params) -> String {
    if one_of.is_empty() {
        return "1 = 0".to_owned();
    }
    let mut marks = Vec::with_capacity(one_of.len());
    for label in one_of {
        params.push((*label).into());
        marks.push(format!("${}", params.len()));
    }
    let marks = marks.join(",");
    format!(
        "EXISTS (SELECT 1 FROM thread_labels tl WHERE tl.thread_id = m.thread_id AND tl.label_id IN ({marks}))"
    )
}

/// On PostgreSQL the matches are gathered first: with ORDER BY and LIMIT in reach the planner would
/// rather walk all messages from the newest and test each of them.
fn page_text(engine: Engine, hits: &str, at: usize) -> String {
    let (limit, offset) = (at + 1, at + 2);
    match engine {
        Engine::Sqlite => {
            format!("SELECT s.rowid {hits} ORDER BY s.rowid DESC LIMIT ${limit} OFFSET ${offset}")
        }
        Engine::Postgres => format!(
            "WITH hits AS MATERIALIZED (SELECT s.message_id {hits}) \
             SELECT message_id FROM hits ORDER BY message_id DESC LIMIT ${limit} OFFSET ${offset}"
        ),
    }
}

/// The question in the engine's language, or `None` if nothing can match.
fn render(engine: Engine, query: &Query) -> Option<String> {
    let (or, not) = match engine {
        Engine::Sqlite => (" OR ", " NOT "),
        Engine::Postgres => (" | ", " & !"),
    };
    match query {
        Query::All(parts) => render_all(engine, not, parts),
        Query::Any(parts) => {
            let parts: Vec<String> = parts.iter().filter_map(|part| render(engine, part)).collect();
            (!parts.is_empty()).then(|| format!("({})", parts.join(or)))
        }
        Query::Not(_) => render_all(engine, not, std::slice::from_ref(query)),
        Query::Words { field, text, prefix } => render_words(engine, *field, text, *prefix),
        Query::HasAttachment => Some(quoted(engine, &marked(Mark::Label, HAS_ATTACHMENT))),
    }
}

/// Neither engine is asked for a NOT on its own: FTS5 knows it only as "this but not that".
fn render_all(engine: Engine, not: &str, parts: &[Query]) -> Option<String> {
    let mut wanted = Vec::new();
    let mut unwanted = String::new();
    for part in parts {
        match part {
            Query::Not(inner) => {
                if let Some(inner) = render(engine, inner) {
                    unwanted.extend([not, inner.as_str()]);
                }
            }
            part => wanted.push(render(engine, part)?),
        }
    }
    if wanted.is_empty() {
        wanted.push(quoted(engine, &marked(Mark::Label, EVERY)));
    }
    let and = pick(engine, " AND ", " & ");
    Some(format!("(({}){unwanted})", wanted.join(and)))
}

/// Text without a single letter or digit asks for nothing and so does not restrict.
fn render_words(engine: Engine, field: Field, text: &str, prefix: bool) -> Option<String> {
    let mark = match field {
        Field::Any | Field::Subject => Mark::None,
        Field::From => Mark::From,
        Field::To => Mark::To,
    };
    let words: Vec<String> = words::words(text).map(|word| marked(mark, word)).collect();
    if words.is_empty() {
        return Some(quoted(engine, &marked(Mark::Label, EVERY)));
    }
    let subject = field == Field::Subject;
    Some(match engine {
        Engine::Sqlite => {
            let column = if subject { "subject : " } else { "" };
            let star = if prefix { " *" } else { "" };
            format!("({column}\"{}\"{star})", words.join(" "))
        }
        Engine::Postgres => {
            let weight = if subject { "A" } else { "" };
            let last = words.len() - 1;
            let terms = words.iter().enumerate().map(|(at, word)| {
                let flags = if prefix && at == last { format!("*{weight}") } else { weight.to_owned() };
                let colon = if flags.is_empty() { "" } else { ":" };
                format!("'{word}'{colon}{flags}")
            });
            format!("({})", terms.collect::<Vec<_>>().join(" <-> "))
        }
    })
}

fn quoted(engine: Engine, word: &str) -> String {
    let quote = pick(engine, "\"", "'");
    format!("({quote}{word}{quote})")
}

#[cfg(test)]
mod tests;
