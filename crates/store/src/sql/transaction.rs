//! Transactions: [`Tx`] writes, [`ReadTx`] reads one moment.

use super::{Db, Engine, Error, Params, Row, Sql, Value};
use crate::dialect::{postgres, sqlite};

/// An open transaction of either database.
pub(super) enum Open {
    Sqlite(sqlite::Open),
    Postgres(postgres::Open),
}

/// What read and write transactions have in common.
struct Shared {
    db: Db,
    open: Open,
    /// Set while a statement runs, so that one that fails or is cancelled leaves it set.
    failed: bool,
}

impl Shared {
    fn start(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.failed, true) {
            true => Err(Error::Failed),
            false => Ok(()),
        }
    }

    fn end<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.failed = result.is_err();
        result
    }

    async fn query_many(&mut self, sql: &str, params: Vec<Params>) -> Result<Vec<Vec<Row>>, Error> {
        self.start()?;
        let result = match &mut self.open {
            Open::Sqlite(open) => open.query(sql, params).await,
            Open::Postgres(open) => open.query(sql, &params).await,
        };
        self.end(result)
    }
}

/// Several reads of one moment: that of the first of them.
pub struct ReadTx(Shared);

impl ReadTx {
    pub(super) fn new(db: Db, open: Open) -> ReadTx {
        ReadTx(Shared { db, open, failed: false })
    }
}

impl Sql for ReadTx {
    fn engine(&self) -> Engine {
        self.0.db.engine()
    }

    async fn query_many(&mut self, sql: &str, params: Vec<Params>) -> Result<Vec<Vec<Row>>, Error> {
        self.0.query_many(sql, params).await
    }
}

/// A write transaction. Dropped without [`Tx::commit`] it is rolled back. It holds a connection that
/// others wait for (on SQLite the only one that writes): no network, no parsing while it is open.
pub struct Tx {
    shared: Shared,
    notify: bool,
}

impl Sql for Tx {
    fn engine(&self) -> Engine {
        self.shared.db.engine()
    }

    async fn query_many(&mut self, sql: &str, params: Vec<Params>) -> Result<Vec<Vec<Row>>, Error> {
        self.shared.query_many(sql, params).await
    }
}

impl Tx {
    pub(super) fn new(db: Db, open: Open) -> Tx {
        Tx { shared: Shared { db, open, failed: false }, notify: false }
    }

    /// Runs a statement that returns no rows; gives the number of rows it changed.
    pub async fn execute(&mut self, sql: &str, params: Params) -> Result<u64, Error> {
        self.execute_many(sql, vec![params]).await
    }

    /// The same statement for many parameters, in order, in one hop; the number of changed rows of
    /// all together.
    pub async fn execute_many(&mut self, sql: &str, params: Vec<Params>) -> Result<u64, Error> {
        self.shared.start()?;
        let result = match &mut self.shared.open {
            Open::Sqlite(open) => open.execute(sql, params).await,
            Open::Postgres(open) => open.execute(sql, &params).await,
        };
        self.shared.end(result)
    }

    /// Inserts many rows: `head` is `INSERT INTO t (a, b) VALUES`, `tail` empty or an `ON CONFLICT`
    /// clause without parameters. Gives the number of rows inserted (or updated). All rows must have
    /// the same number of values.
    ///
    /// With `DO UPDATE` no two rows may have the same key: PostgreSQL refuses to touch a row twice in
    /// one statement.
    pub async fn insert_many(&mut self, head: &str, tail: &str, rows: Vec<Params>) -> Result<u64, Error> {
        self.shared.start()?;
        let result = match &mut self.shared.open {
            _ if rows.is_empty() => Ok(0),
            Open::Sqlite(open) => open.insert(head, tail, rows).await,
            Open::Postgres(open) => open.insert(head, tail, &rows).await,
        };
        self.shared.end(result)
    }

    /// Runs several statements without parameters, divided by `;`: for schema changes.
    pub async fn script(&mut self, sql: &str) -> Result<(), Error> {
        self.shared.start()?;
        let result = match &mut self.shared.open {
            Open::Sqlite(open) => open.script(sql).await,
            Open::Postgres(open) => open.script(sql).await,
        };
        self.shared.end(result)
    }

    /// Waits until no other transaction holds the lock `name`; held until this one ends. On SQLite
    /// there is nothing to do: write transactions come one after the other anyway.
    pub async fn lock(&mut self, name: i64) -> Result<(), Error> {
        match self.engine() {
            Engine::Sqlite => Ok(()),
            Engine::Postgres => {
                let sql = "SELECT pg_advisory_xact_lock($1)";
                self.query(sql, vec![Value::Int(name)]).await.map(drop)
            }
        }
    }

    /// Marks the transaction as one that others want to hear of ([`Db::changes_signal`]).
    pub fn notify(&mut self) {
        self.notify = true;
    }

    /// Makes everything durable. After an error nothing was kept, except for [`Error::Ambiguous`].
    /// If a statement failed before, everything is rolled back and the error is [`Error::Failed`].
    pub async fn commit(mut self) -> Result<(), Error> {
        self.shared.start()?;
        let wake = self.notify.then(|| self.shared.db.0.signal.clone());
        match &mut self.shared.open {
            Open::Sqlite(open) => open.commit(wake).await,
            Open::Postgres(open) => open.commit(wake).await,
        }
    }

    /// Undoes everything, and waits until that is done. Dropping does the same without waiting.
    pub async fn rollback(mut self) -> Result<(), Error> {
        match &mut self.shared.open {
            Open::Sqlite(open) => open.rollback().await,
            Open::Postgres(open) => open.rollback().await,
        }
    }
}
