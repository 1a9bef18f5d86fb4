//! The seam: one SQL for SQLite and PostgreSQL.
//!
//! A statement is written once, with `$1..$n`, in the subset both databases speak (architecture.md,
//! "Two databases, one SQL"). [`Db`] is the cheap handle everybody holds; [`Db::begin`] gives a write
//! transaction ([`Tx`]), [`Db::snapshot`] several reads of one moment ([`ReadTx`]), and reads that
//! stand alone go through the handle itself. Functions that only read take `&mut impl Sql` and work
//! with all three.
//!
//! A transaction whose statement failed can only be rolled back, on both databases, because
//! PostgreSQL knows nothing else. Expected conflicts are therefore written as `ON CONFLICT`.
//!
//! Decided against a trait with a crate per database (they drift apart), query builders (they hide
//! the SQL) and drivers that pretend to be both (slower, leaky); see dependencies.md, section 9.

pub(crate) mod error;
mod row;
pub(crate) mod text;
mod value;

pub use error::Error;
pub use row::{FromValue, Row};
pub use value::{Params, Value};

use crate::dialect::sqlite;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Which database is behind the handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file beside the program.
    Sqlite,
    /// A server, shared by several nodes.
    Postgres,
}

/// One of two texts, for the few statements that truly differ.
pub fn pick<'a>(engine: Engine, sqlite: &'a str, postgres: &'a str) -> &'a str {
    match engine {
        Engine::Sqlite => sqlite,
        Engine::Postgres => postgres,
    }
}

/// How much of everything. The defaults keep the whole process small.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections for reads outside of write transactions.
    pub readers: usize,
    /// PostgreSQL: connections for write transactions. SQLite has one.
    pub writers: usize,
    /// SQLite: page cache of the writing connection.
    pub writer_cache_bytes: usize,
    /// SQLite: page cache of each reading connection.
    pub reader_cache_bytes: usize,
    /// How long to wait for a connection before it is [`Error::Busy`].
    pub wait: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            readers: 4,
            writers: 4,
            writer_cache_bytes: 16 << 20,
            reader_cache_bytes: 4 << 20,
            wait: Duration::from_secs(60),
        }
    }
}

/// A database, as a handle that is cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    backend: Backend,
    signal: watch::Sender<u64>,
}

enum Backend {
    Sqlite(sqlite::Sqlite),
}

impl Db {
    /// Opens the SQLite database at `path`, creating the file if there is none.
    pub async fn open_sqlite(path: &Path, options: Options) -> Result<Db, Error> {
        let backend = Backend::Sqlite(sqlite::Sqlite::open(path, &options).await?);
        Ok(Db(Arc::new(Inner {
            backend,
            signal: watch::Sender::new(0),
        })))
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        match &self.0.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
        }
    }

    /// Begins a write transaction. Writers are served in the order of asking; on SQLite one at a
    /// time. [`Error::Busy`] after [`Options::wait`].
    pub async fn begin(&self) -> Result<Tx, Error> {
        let open = match &self.0.backend {
            Backend::Sqlite(sqlite) => Open::Sqlite(sqlite.begin().await?),
        };
        Ok(Tx {
            shared: Shared {
                db: self.clone(),
                open,
                failed: false,
            },
            notify: false,
        })
    }

    /// Begins several reads of one moment. Short, please: on SQLite the log cannot start over while
    /// one is open.
    pub async fn snapshot(&self) -> Result<ReadTx, Error> {
        let open = match &self.0.backend {
            Backend::Sqlite(sqlite) => Open::Sqlite(sqlite.snapshot().await?),
        };
        Ok(ReadTx {
            shared: Shared {
                db: self.clone(),
                open,
                failed: false,
            },
        })
    }

    /// Reads with a statement of its own moment. Writing is refused: that is what [`Tx`] is for.
    pub async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, Error> {
        Ok(self
            .query_many(sql, vec![params])
            .await?
            .pop()
            .unwrap_or_default())
    }

    /// As [`Db::query`]; the first row, if any.
    pub async fn query_opt(&self, sql: &str, params: Params) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// As [`Db::query`]; the first row, or [`Error::NoRow`].
    pub async fn query_one(&self, sql: &str, params: Params) -> Result<Row, Error> {
        self.query_opt(sql, params)
            .await?
            .ok_or_else(|| Error::NoRow(error::head(sql)))
    }

    /// One statement for many parameters in one hop: the rows for each, in order. On SQLite all of
    /// one moment.
    pub async fn query_many(&self, sql: &str, params: Vec<Params>) -> Result<Vec<Vec<Row>>, Error> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.read(sql, params).await,
        }
    }

    /// Whether the statement compiles against the schema; it is not run. For the test that checks
    /// every statement of the program on both databases.
    pub async fn check(&self, sql: &str) -> Result<(), Error> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.check(sql).await,
        }
    }

    /// Wakes after every commit of a transaction that called [`Tx::notify`], of this node and, with
    /// PostgreSQL, of the others. The number means nothing; wake-ups may be spurious, and several
    /// commits may be one. Nothing is missed between `borrow_and_update` and `changed`.
    pub fn changes_signal(&self) -> watch::Receiver<u64> {
        self.0.signal.subscribe()
    }

    /// Lets the running write transaction end, then closes; all clones of the handle answer
    /// [`Error::Closed`]. On SQLite the log is copied into the database.
    pub async fn close(self) {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
        }
    }
}

/// Whoever can read: [`Db`] (as `&mut &db`), [`ReadTx`] and [`Tx`].
pub trait Sql: Send {
    /// Which database this is.
    fn engine(&self) -> Engine;

    /// One statement for many parameters in one hop: the rows for each, in order.
    fn query_many(
        &mut self,
        sql: &str,
        params: Vec<Params>,
    ) -> impl Future<Output = Result<Vec<Vec<Row>>, Error>> + Send;

    /// All rows of a statement: a SELECT, or in a [`Tx`] also something with RETURNING.
    fn query(
        &mut self,
        sql: &str,
        params: Params,
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        async move {
            Ok(self
                .query_many(sql, vec![params])
                .await?
                .pop()
                .unwrap_or_default())
        }
    }

    /// The first row, if any.
    fn query_opt(
        &mut self,
        sql: &str,
        params: Params,
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send {
        async move { Ok(self.query(sql, params).await?.into_iter().next()) }
    }

    /// The first row, or [`Error::NoRow`].
    fn query_one(
        &mut self,
        sql: &str,
        params: Params,
    ) -> impl Future<Output = Result<Row, Error>> + Send {
        async move {
            self.query_opt(sql, params)
                .await?
                .ok_or_else(|| Error::NoRow(error::head(sql)))
        }
    }
}

impl Sql for &Db {
    fn engine(&self) -> Engine {
        Db::engine(self)
    }

    async fn query_many(&mut self, sql: &str, params: Vec<Params>) -> Result<Vec<Vec<Row>>, Error> {
        Db::query_many(self, sql, params).await
    }
}

/// An open transaction of either database.
enum Open {
    Sqlite(sqlite::Open),
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

    fn sqlite_text(&self, sql: &str) -> Arc<str> {
        match &self.db.0.backend {
            Backend::Sqlite(sqlite) => sqlite.texts().numbered(sql),
        }
    }

    async fn query_many(&mut self, sql: &str, params: Vec<Params>) -> Result<Vec<Vec<Row>>, Error> {
        self.start()?;
        let result = match &self.open {
            Open::Sqlite(open) => open.query(self.sqlite_text(sql), params).await,
        };
        self.end(result)
    }
}

/// Several reads of one moment.
pub struct ReadTx {
    shared: Shared,
}

impl Sql for ReadTx {
    fn engine(&self) -> Engine {
        self.shared.db.engine()
    }

    async fn query_many(&mut self, sql: &str, params: Vec<Params>) -> Result<Vec<Vec<Row>>, Error> {
        self.shared.query_many(sql, params).await
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
    /// Runs a statement that returns no rows; gives the number of rows it changed.
    pub async fn execute(&mut self, sql: &str, params: Params) -> Result<u64, Error> {
        self.execute_many(sql, vec![params]).await
    }

    /// The same statement for many parameters, in order, in one hop; the number of changed rows of
    /// all together.
    pub async fn execute_many(&mut self, sql: &str, params: Vec<Params>) -> Result<u64, Error> {
        self.shared.start()?;
        let result = match &self.shared.open {
            Open::Sqlite(open) => open.execute(self.shared.sqlite_text(sql), params).await,
        };
        self.shared.end(result)
    }

    /// Inserts many rows: `head` is `INSERT INTO t (a, b) VALUES`, `tail` empty or an `ON CONFLICT`
    /// clause without parameters. Gives the number of rows inserted (or updated). All rows must have
    /// the same number of values.
    pub async fn insert_many(
        &mut self,
        head: &str,
        tail: &str,
        rows: Vec<Params>,
    ) -> Result<u64, Error> {
        let Some(columns) = rows.first().map(Vec::len) else {
            return Ok(0);
        };
        self.shared.start()?;
        let result = match (&self.shared.open, &self.shared.db.0.backend) {
            (Open::Sqlite(open), Backend::Sqlite(sqlite)) => {
                let sql = sqlite::Open::insert_text(sqlite.texts(), head, tail, columns);
                open.execute(sql, rows).await
            }
        };
        self.shared.end(result)
    }

    /// Runs several statements without parameters, divided by `;`: for schema changes.
    pub async fn script(&mut self, sql: &str) -> Result<(), Error> {
        self.shared.start()?;
        let result = match &self.shared.open {
            Open::Sqlite(open) => open.script(sql.to_owned()).await,
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
    pub async fn commit(mut self) -> Result<(), Error> {
        self.shared.start()?;
        match (&mut self.shared.open, &self.shared.db.0.backend) {
            (Open::Sqlite(open), Backend::Sqlite(sqlite)) => {
                open.commit().await?;
                sqlite.tidy_log(open);
            }
        }
        if self.notify {
            self.shared.db.0.signal.send_modify(|number| *number += 1);
        }
        Ok(())
    }

    /// Undoes everything, and waits until that is done. Dropping does the same without waiting.
    pub async fn rollback(mut self) -> Result<(), Error> {
        match &mut self.shared.open {
            Open::Sqlite(open) => open.rollback().await,
        }
    }
}
