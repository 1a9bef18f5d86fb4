//! Running a statement on a connection: values in, rows or errors out, all in our own words.

use crate::sql::{Error, Params, Row, Value, error::head};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement};

pub(super) fn script(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.execute_batch(sql).map_err(|e| error(&e, sql))
}

pub(super) fn query(connection: &Connection, sql: &str, params: &[Params]) -> Result<Vec<Vec<Row>>, Error> {
    let run = || -> rusqlite::Result<_> {
        let mut statement = connection.prepare_cached(sql)?;
        params.iter().map(|params| rows(&mut statement, params)).collect()
    };
    run().map_err(|e| error(&e, sql))
}

fn rows(statement: &mut Statement<'_>, params: &Params) -> rusqlite::Result<Vec<Row>> {
    bind(statement, params)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|i| value(row.get_ref(i)?));
        found.push(Row::new(values.collect::<rusqlite::Result<_>>()?));
    }
    Ok(found)
}

pub(super) fn execute(connection: &Connection, sql: &str, params: &[Params]) -> Result<u64, Error> {
    let run = || -> rusqlite::Result<_> {
        let mut statement = connection.prepare_cached(sql)?;
        let mut changed = 0;
        for params in params {
            bind(&mut statement, params)?;
            changed += statement.raw_execute()? as u64;
        }
        Ok(changed)
    };
    run().map_err(|e| error(&e, sql))
}

fn bind(statement: &mut Statement<'_>, params: &Params) -> rusqlite::Result<()> {
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), wanted));
    }
    for (index, value) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    Ok(())
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
            Value::Bool(yes) => ValueRef::Integer(i64::from(*yes)),
        }))
    }
}

fn value(value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(_) => Value::Text(value.as_str()?.to_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

/// The driver's error in our words. `SQLITE_READONLY` and damage stay [`Error::Other`].
pub(super) fn error(error: &rusqlite::Error, sql: &str) -> Error {
    let Some(code) = error.sqlite_error() else {
        return Error::Other(format!("{error} in: {}", head(sql)));
    };
    let text = match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    };
    match code.code {
        ErrorCode::ConstraintViolation => constraint(code.extended_code, &text),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Busy(text),
        ErrorCode::DiskFull => Error::Full(text),
        ErrorCode::SystemIoFailure => Error::Io(format!("{text} ({})", code.extended_code)),
        _ => Error::Other(format!("{text} in: {}", head(sql))),
    }
}

/// `UNIQUE constraint failed: users.email`, or `... failed: index 'users_by_fold'`.
fn constraint(extended_code: i32, text: &str) -> Error {
    use rusqlite::ffi;
    const UNIQUE: [i32; 3] =
        [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY, ffi::SQLITE_CONSTRAINT_ROWID];
    if !UNIQUE.contains(&extended_code) {
        return Error::Constraint(text.to_owned());
    }
    let what = text.split_once(": ").map_or(text, |(_, what)| what);
    let table = what.split_once('.').map_or("", |(table, _)| table);
    Error::Conflict { table: table.to_owned(), constraint: what.to_owned() }
}
