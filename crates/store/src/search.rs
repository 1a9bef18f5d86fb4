//! Full-text search on both engines, with the same results.
//!
//! The index has one entry per message: FTS5 on SQLite, a tsvector under GIN on PostgreSQL. Neither
//! engine's own language handling takes part: text arrives folded (lower case, no diacritics, `ł` is
//! `l`), is taken apart into words here ([`words`]) and both engines are given the same words. The
//! question is a [`Query`], a tree; user text never reaches MATCH or to_tsquery as syntax, each word
//! is quoted and consists of letters and digits.
//!
//! Who may see a message is part of the question: the labels `m<mailbox>` and `u<user>` of the index
//! are ANDed into it, which costs nothing measurable. Results come newest arrival first, which is
//! the order of ids, so that no match has to be read to sort it; ranking by relevance would read
//! every matching tsvector.
//!
//! Differences that remain: a phrase that begins behind the 16,383rd word of a message, or with the
//! 256th occurrence of a word, is found by SQLite only.

mod words;

use crate::params;
use crate::sql::{Engine, Error, Params, Sql, Tx, pick};
use model::{Access, MessageId, Time};
use words::{Columns, EVERY, Mark, marked};

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
    /// Labels, divided by blanks: `m<mailbox>`, `u<user>`, `hasattachment`.
    pub acl: String,
}

/// Adds messages to the index, in the transaction that files them. Each message once.
pub async fn index(tx: &mut Tx, rows: Vec<IndexRow>) -> Result<(), Error> {
    let columns = rows.iter().map(|row| (row.message_id, Columns::of(row)));
    match tx.engine() {
        Engine::Sqlite => {
            let head = "INSERT INTO search (rowid, subject, people, body, acl) VALUES";
            let rows = columns.map(|(id, c)| {
                params![
                    id,
                    c.subject.join(" "),
                    c.people.join(" "),
                    c.body.join(" "),
                    c.acl.join(" ")
                ]
            });
            let rows = rows.collect();
            tx.insert_many(head, "", rows).await?;
        }
        Engine::Postgres => {
            let sql =
                "INSERT INTO search (message_id, words) VALUES ($1, CAST($2 AS TEXT)::tsvector)";
            let rows = columns.map(|(id, c)| params![id, c.tsvector()]).collect();
            tx.execute_many(sql, rows).await?;
        }
    }
    Ok(())
}

/// Takes messages out of the index.
pub async fn forget(tx: &mut Tx, ids: &[MessageId]) -> Result<(), Error> {
    let sql = pick(
        tx.engine(),
        "DELETE FROM search WHERE rowid = $1",
        "DELETE FROM search WHERE message_id = $1",
    );
    tx.execute_many(sql, ids.iter().map(|id| params![*id]).collect())
        .await?;
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
    /// One of the labels of [`IndexRow::acl`].
    Label(String),
}

/// A question with what cannot be asked of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What the index is asked.
    pub query: Query,
    /// Sent at this moment or later.
    pub from: Option<Time>,
    /// Sent before this moment.
    pub until: Option<Time>,
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
    let Some(question) = render(engine, &seen_by(&search.query, access)) else {
        return Ok(Found::default());
    };
    let dated = search.from.is_some() || search.until.is_some();
    let mut params = params![question];
    if dated {
        params.push(search.from.map_or(i64::MIN, |time| time.0).into());
        params.push(search.until.map_or(i64::MAX, |time| time.0).into());
    }
    let total = count(sql, engine, dated, params.clone()).await?;
    if offset >= total {
        return Ok(Found {
            total,
            ids: Vec::new(),
        });
    }
    params.extend(params![limit.min(total - offset), offset]);
    let rows = sql.query(page_text(engine, dated), params).await?;
    let ids = rows
        .iter()
        .map(|row| row.get(0))
        .collect::<Result<_, _>>()?;
    Ok(Found { total, ids })
}

async fn count(
    sql: &mut impl Sql,
    engine: Engine,
    dated: bool,
    params: Params,
) -> Result<i64, Error> {
    let text = match (engine, dated) {
        (Engine::Sqlite, false) => {
            "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH $1 LIMIT 10000) AS c"
        }
        (Engine::Sqlite, true) => {
            "SELECT count(*) FROM (SELECT 1 FROM search s JOIN messages m ON m.id = s.rowid
             WHERE search MATCH $1 AND m.sent_at >= $2 AND m.sent_at < $3 LIMIT 10000) AS c"
        }
        (Engine::Postgres, false) => {
            "SELECT count(*) FROM (SELECT 1 FROM search
             WHERE words @@ CAST($1 AS TEXT)::tsquery LIMIT 10000) AS c"
        }
        (Engine::Postgres, true) => {
            "SELECT count(*) FROM (SELECT 1 FROM search s JOIN messages m ON m.id = s.message_id
             WHERE s.words @@ CAST($1 AS TEXT)::tsquery
             AND m.sent_at >= $2 AND m.sent_at < $3 LIMIT 10000) AS c"
        }
    };
    sql.query_one(text, params).await?.get(0)
}

/// On PostgreSQL the matches are gathered first: with an ORDER BY and LIMIT in reach the planner
/// would rather walk all messages from the newest and test each of them.
fn page_text(engine: Engine, dated: bool) -> &'static str {
    match (engine, dated) {
        (Engine::Sqlite, false) => {
            "SELECT rowid FROM search WHERE search MATCH $1 ORDER BY rowid DESC LIMIT $2 OFFSET $3"
        }
        (Engine::Sqlite, true) => {
            "SELECT s.rowid FROM search s JOIN messages m ON m.id = s.rowid
             WHERE search MATCH $1 AND m.sent_at >= $2 AND m.sent_at < $3
             ORDER BY s.rowid DESC LIMIT $4 OFFSET $5"
        }
        (Engine::Postgres, false) => {
            "WITH hits AS MATERIALIZED (
               SELECT message_id FROM search WHERE words @@ CAST($1 AS TEXT)::tsquery
             ) SELECT message_id FROM hits ORDER BY message_id DESC LIMIT $2 OFFSET $3"
        }
        (Engine::Postgres, true) => {
            "WITH hits AS MATERIALIZED (
               SELECT message_id FROM search WHERE words @@ CAST($1 AS TEXT)::tsquery
             ) SELECT h.message_id FROM hits h JOIN messages m ON m.id = h.message_id
             WHERE m.sent_at >= $2 AND m.sent_at < $3
             ORDER BY h.message_id DESC LIMIT $4 OFFSET $5"
        }
    }
}

fn seen_by(query: &Query, access: &Access) -> Query {
    match access {
        Access::All => query.clone(),
        Access::Tokens(tokens) => {
            let one_of = tokens.iter().cloned().map(Query::Label).collect();
            Query::All(vec![query.clone(), Query::Any(one_of)])
        }
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
            let parts: Vec<String> = parts
                .iter()
                .filter_map(|part| render(engine, part))
                .collect();
            (!parts.is_empty()).then(|| format!("({})", parts.join(or)))
        }
        Query::Not(_) => render_all(engine, not, std::slice::from_ref(query)),
        Query::Words {
            field,
            text,
            prefix,
        } => render_words(engine, *field, text, *prefix),
        Query::Label(label) => Some(quoted(engine, &marked(Mark::Label, label))),
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
                let flags = if prefix && at == last {
                    format!("*{weight}")
                } else {
                    weight.to_owned()
                };
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
