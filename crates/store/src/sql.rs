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
mod transaction;
mod value;

pub use error::Error;
pub use row::{FromValue, Row};
pub use transaction::{ReadTx, Tx};
pub use value::{Params, Value};

use crate::dialect::{postgres, sqlite};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use transaction::Open;

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
    Postgres(postgres::Postgres),
}

impl Db {
    /// Opens the SQLite database at `path`, creating the file if there is none.
    pub async fn open_sqlite(path: &Path, options: Options) -> Result<Db, Error> {
        let backend = Backend::Sqlite(sqlite::Sqlite::open(path, &options).await?);
        Ok(Db(Arc::new(Inner { backend, signal: watch::Sender::new(0) })))
    }

    /// Opens the PostgreSQL database at `postgres://user:password@host:port/database`, with libpq's
    /// `sslmode` and `sslrootcert` after a `?`. Connects once, so that a wrong address is noticed now.
    pub async fn open_postgres(url: &str, options: Options) -> Result<Db, Error> {
        let signal = watch::Sender::new(0);
        let postgres = postgres::Postgres::open(url, &options, signal.clone()).await?;
        let backend = Backend::Postgres(postgres);
        Ok(Db(Arc::new(Inner { backend, signal })))
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        match &self.0.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Begins a write transaction. Writers are served in the order of asking; on SQLite one at a
    /// time. [`Error::Busy`] after [`Options::wait`].
    pub async fn begin(&self) -> Result<Tx, Error> {
        let open = match &self.0.backend {
            Backend::Sqlite(sqlite) => Open::Sqlite(sqlite.begin().await?),
            Backend::Postgres(postgres) => Open::Postgres(postgres.begin().await?),
        };
        Ok(Tx::new(self.clone(), open))
    }

    /// Begins several reads of one moment. Short, please: on SQLite the log cannot start over while
    /// one is open.
    pub async fn snapshot(&self) -> Result<ReadTx, Error> {
        let open = match &self.0.backend {
            Backend::Sqlite(sqlite) => Open::Sqlite(sqlite.snapshot().await?),
            Backend::Postgres(postgres) => Open::Postgres(postgres.snapshot().await?),
        };
        Ok(ReadTx::new(self.clone(), open))
    }

    /// Reads with a statement of its own moment. Writing is refused: that is what [`Tx`] is for.
    pub async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, Error> {
        Ok(self.query_many(sql, vec![params]).await?.pop().unwrap_or_default())
    }

    /// As [`Db::query`]; the first row, if any.
    pub async fn query_opt(&self, sql: &str, params: Params) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// As [`Db::query`]; the first row, or [`Error::NoRow`].
    pub async fn query_one(&self, sql: &str, params: Params) -> Result<Row, Error> {
        self.query_opt(sql, params).await?.ok_or_else(|| Error::NoRow(error::head(sql)))
    }

    /// One statement for many parameters in one hop: the rows for each, in order. On SQLite all of
    /// one moment.
    pub async fn query_many(&self, sql: &str, params: Vec<Params>) -> Result<Vec<Vec<Row>>, Error> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.read(sql, params).await,
            Backend::Postgres(postgres) => postgres.read(sql, &params).await,
        }
    }

    /// Whether the statement compiles against the schema; it is not run. For the test that checks
    /// every statement of the program on both databases.
    pub async fn check(&self, sql: &str) -> Result<(), Error> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.check(sql).await,
            Backend::Postgres(postgres) => postgres.check(sql).await,
        }
    }

    /// Wakes after every commit of a transaction that called [`Tx::notify`], of this node and, with
    /// PostgreSQL, of the others. The number means nothing; wake-ups may be spurious, and several
    /// commits may be one. Nothing is missed between `borrow_and_update` and `changed`.
    pub fn changes_signal(&self) -> watch::Receiver<u64> {
        self.0.signal.subscribe()
    }

    /// Waits until nobody else holds `name`, in this process or another one on the same database, at most
    /// for `wait`; then it is [`Error::Busy`]. For what must not be done twice outside of the database.
    /// It is free again when the value is dropped or its process ends, however that happens.
    pub async fn hold(&self, name: i64, wait: Duration) -> Result<Held, Error> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.hold(name, wait).await.map(Held::Sqlite),
            Backend::Postgres(postgres) => postgres.hold(name, wait).await.map(Held::Postgres),
        }
    }

    /// Refreshes the statistics by which SQLite chooses indexes; a job for now and then (hourly).
    /// PostgreSQL does so itself.
    pub async fn optimize(&self) -> Result<(), Error> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.optimize().await,
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// Lets the running write transaction end, then closes; all clones of the handle answer
    /// [`Error::Closed`]. On SQLite the log is copied into the database.
    pub async fn close(self) {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }
}

/// A name that is held, see [`Db::hold`].
pub enum Held {
    #[doc(hidden)]
    Sqlite(sqlite::Held),
    #[doc(hidden)]
    Postgres(postgres::Held),
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
    fn query(&mut self, sql: &str, params: Params) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        async move { Ok(self.query_many(sql, vec![params]).await?.pop().unwrap_or_default()) }
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
    fn query_one(&mut self, sql: &str, params: Params) -> impl Future<Output = Result<Row, Error>> + Send {
        async move { self.query_opt(sql, params).await?.ok_or_else(|| Error::NoRow(error::head(sql))) }
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
