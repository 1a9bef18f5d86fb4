//! Running statements on a connection, pipelined; errors in our own words.

use super::value;
use crate::sql::text::value_tuples;
use crate::sql::{Error, Params, Row, Value, error::head};
use deadpool_postgres::Object;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use std::error::Error as _;
use std::pin::pin;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;

/// Statements sent before the first answer is awaited.
const IN_FLIGHT: usize = 256;
/// Bulk inserts sent before the first answer is awaited; each may be [`MAX_CHUNK_BYTES`] large.
const CHUNKS_IN_FLIGHT: usize = 4;
/// Rows of one bulk insert: few sizes, so that few statements are prepared.
const CHUNK_ROWS: [usize; 3] = [128, 16, 1];
/// Text and bytes of one bulk insert, unless a single row is larger.
const MAX_CHUNK_BYTES: usize = 2 << 20;
/// The protocol counts parameters in 16 bits.
const MAX_PARAMS: usize = 65_535;
/// Prepared statements kept per connection; the server holds them too.
const MAX_STATEMENTS: usize = 512;
pub(super) async fn query(client: &Object, sql: &str, params: &[Params]) -> Result<Vec<Vec<Row>>, Error> {
    let statement = prepare(client, sql).await?;
    let mut found = Vec::with_capacity(params.len());
    for some in params.chunks(IN_FLIGHT) {
        let mut running = FuturesOrdered::new();
        for params in some {
            fits(&statement, params, sql)?;
            running.push_back(rows(client, &statement, params));
        }
        while let Some(result) = running.next().await {
            found.push(result.map_err(|e| stale(client, sql, &e))?);
        }
    }
    Ok(found)
}

pub(super) async fn execute(client: &Object, sql: &str, params: &[Params]) -> Result<u64, Error> {
    let statement = prepare(client, sql).await?;
    let mut changed = 0;
    for some in params.chunks(IN_FLIGHT) {
        let mut running = FuturesOrdered::new();
        for params in some {
            fits(&statement, params, sql)?;
            running.push_back(client.execute_raw(&statement, params));
        }
        while let Some(result) = running.next().await {
            changed += result.map_err(|e| stale(client, sql, &e))?;
        }
    }
    Ok(changed)
}

pub(super) async fn insert(client: &Object, start: &str, tail: &str, rows: &[Params]) -> Result<u64, Error> {
    let (mut rows, mut changed) = (rows, 0);
    let mut running = FuturesOrdered::new();
    while !rows.is_empty() {
        let chunk;
        (chunk, rows) = rows.split_at(chunk_rows(rows));
        let sql = format!("{start} {} {tail}", value_tuples(chunk.len(), chunk[0].len()));
        let statement = prepare(client, &sql).await?;
        let values: Vec<&Value> = chunk.iter().flatten().collect();
        if values.len() != statement.params().len() {
            return Err(Error::Other(format!("rows of unequal length for: {start}")));
        }
        running.push_back(async move { client.execute_raw(&statement, values).await });
        while running.len() > CHUNKS_IN_FLIGHT || (rows.is_empty() && !running.is_empty()) {
            if let Some(result) = running.next().await {
                changed += result.map_err(|e| error(&e, start))?;
            }
        }
    }
    Ok(changed)
}

async fn rows(
    client: &Object,
    statement: &Statement,
    params: &Params,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let mut stream = pin!(client.query_raw(statement, params).await?);
    let mut rows = Vec::new();
    while let Some(row) = stream.next().await {
        rows.push(value::row(&row?)?);
    }
    Ok(rows)
}

async fn prepare(client: &Object, sql: &str) -> Result<Statement, Error> {
    if client.statement_cache.size() >= MAX_STATEMENTS {
        client.statement_cache.clear();
    }
    client.prepare_cached(sql).await.map_err(|e| error(&e, sql))
}

fn fits(statement: &Statement, params: &Params, sql: &str) -> Result<(), Error> {
    let (wanted, given) = (statement.params().len(), params.len());
    match wanted == given {
        true => Ok(()),
        false => Err(Error::Other(format!("{given} values for {wanted} parameters: {}", head(sql)))),
    }
}

/// How many of the rows the next bulk insert takes.
fn chunk_rows(rows: &[Params]) -> usize {
    let fits = |count: &usize| {
        let parameters = count * rows[0].len();
        *count <= rows.len() && parameters <= MAX_PARAMS && bytes(&rows[..*count]) <= MAX_CHUNK_BYTES
    };
    CHUNK_ROWS.into_iter().find(fits).unwrap_or(1)
}

fn bytes(rows: &[Params]) -> usize {
    let size = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 8,
    };
    rows.iter().flatten().map(size).sum()
}

/// As [`error`]; a statement prepared before somebody changed the schema is forgotten, so that the
/// next attempt prepares it again.
fn stale(client: &Object, sql: &str, failure: &tokio_postgres::Error) -> Error {
    match failure.code() {
        Some(&SqlState::FEATURE_NOT_SUPPORTED | &SqlState::INVALID_SQL_STATEMENT_NAME) => {
            client.statement_cache.remove(sql, &[]);
            Error::Busy(format!("the schema changed under: {}", head(sql)))
        }
        _ => error(failure, sql),
    }
}

/// The driver's error in our words. The server's DETAIL is left out: it quotes values.
pub(super) fn error(failure: &tokio_postgres::Error, sql: &str) -> Error {
    let Some(server) = failure.as_db_error() else {
        let lost = failure.is_closed() || failure.source().is_some_and(|e| e.is::<std::io::Error>());
        let text = match failure.source() {
            Some(source) => format!("{failure}: {source}"),
            None => failure.to_string(),
        };
        return if lost { Error::Lost(text) } else { Error::Other(format!("{text} in: {}", head(sql))) };
    };
    let text = server.message().to_owned();
    match (server.code().code(), &server.code().code()[..2]) {
        ("23505", _) => Error::Conflict {
            table: server.table().unwrap_or_default().to_owned(),
            constraint: server.constraint().unwrap_or_default().to_owned(),
        },
        (_, "23") => Error::Constraint(text),
        // Serialization, deadlock; lock not available; cancelled by a time limit; too many clients.
        (_, "40") | ("55P03" | "57014" | "53300", _) => Error::Busy(text),
        // Shutdown, crash, starting up; connection exceptions; idle in transaction for too long.
        ("57P01" | "57P02" | "57P03" | "57P05" | "25P03", _) | (_, "08") => Error::Lost(text),
        ("53100", _) => Error::Full(text),
        ("58030", _) => Error::Io(text),
        _ => Error::Other(format!("{text} in: {}", head(sql))),
    }
}
