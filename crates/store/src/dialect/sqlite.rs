//! SQLite: one thread that writes, a few that read.
//!
//! Each thread owns a connection and runs the closures sent to it, so no driver call blocks the
//! async runtime. A [`Lease`] gives one thread to one caller at a time; leases are granted in the
//! order of asking (the semaphore is fair), which also makes write transactions queue instead of
//! meeting `SQLITE_BUSY`. What a dropped transaction leaves behind is rolled back by a job that is in
//! the thread's queue before the next holder's first one.
//!
//! WAL with `synchronous=FULL`: a commit is on the disk when it is acknowledged (reliability.md, I1).
//! Whoever files many things files them in one transaction and so shares one fsync. Decided against
//! sharing it between transactions of different callers: one slow, cancelled or failing transaction
//! would delay or undo its neighbours', and 2,600 commits/s of one row were measured without it.
//! Decided against a pool of equal connections (writers would collide and starve) and against
//! memory-mapped reading (an input/output error would be a signal instead of an error).

use crate::sql::text::{Texts, value_tuples};
use crate::sql::{Error, Options, Params, Row, Value, error::head};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags, Statement};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

/// Bytes of a page. Larger than the default, for bodies and blobs.
const PAGE_BYTES: usize = 8192;
/// Pages in the write-ahead log after which a commit copies them into the database (32 MB).
const CHECKPOINT_PAGES: usize = 4096;
/// Size of the log's file above which readers are made to wait once, so that it starts over: a
/// steady stream of readers would otherwise let it grow for ever.
const MAX_LOG_BYTES: u64 = 4 * (PAGE_BYTES * CHECKPOINT_PAGES) as u64;
/// How long a commit may wait for the readers of that moment.
const RESTART_WAIT: Duration = Duration::from_secs(1);
/// After waiting in vain, the next attempt comes this much later.
const RESTART_AGAIN: Duration = Duration::from_secs(10);
/// How long another process (a backup, a shell) may hold a lock before it is an error.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// How long closing waits for those who still read.
const END_WAIT: Duration = Duration::from_secs(10);
/// Compiled statements kept per connection.
const WRITER_STATEMENTS: usize = 256;
const READER_STATEMENTS: usize = 128;

/// An open SQLite database.
pub(crate) struct Sqlite {
    writer: Lane,
    readers: Lane,
    /// The statements' texts, shared by all transactions.
    texts: Arc<Texts>,
    wait: Duration,
    /// The write-ahead log's file.
    log: Arc<Path>,
}

impl Sqlite {
    /// Opens or creates the file and starts its threads.
    pub(crate) async fn open(path: &Path, options: &Options) -> Result<Sqlite, Error> {
        let (path, options) = (path.to_owned(), options.clone());
        tokio::task::spawn_blocking(move || Sqlite::open_now(path, &options))
            .await
            .map_err(|e| Error::Other(format!("opening the database: {e}")))?
    }

    fn open_now(path: PathBuf, options: &Options) -> Result<Sqlite, Error> {
        let writer = open_writer(&path, options)?;
        let writer = Lane::start("sqlite-writer", vec![writer])?;
        let readers = (0..options.readers.max(1))
            .map(|_| open_reader(&path, options))
            .collect::<Result<Vec<_>, Error>>()?;
        let readers = Lane::start("sqlite-reader", readers)?;
        let mut log = path.into_os_string();
        log.push("-wal");
        Ok(Sqlite { writer, readers, texts: Arc::default(), wait: options.wait, log: Path::new(&log).into() })
    }

    /// One statement, many parameters, on any reader, all of one moment.
    pub(crate) async fn read(&self, sql: &str, params: Vec<Params>) -> Result<Vec<Vec<Row>>, Error> {
        let sql = self.texts.numbered(sql);
        let lease = self.readers.lease(self.wait).await?;
        lease
            .call(move |connection| {
                if params.len() == 1 {
                    return query(connection, &sql, &params);
                }
                let moment = connection.unchecked_transaction().map_err(|e| error(&e, &sql))?;
                query(&moment, &sql, &params)
            })
            .await
    }

    /// Whether the statement compiles; it is not run.
    pub(crate) async fn check(&self, sql: &str) -> Result<(), Error> {
        let sql = self.texts.numbered(sql);
        let lease = self.readers.lease(self.wait).await?;
        lease.call(move |c| c.prepare(&sql).map(drop).map_err(|e| error(&e, &sql))).await
    }

    /// Leases the writer and begins a write transaction.
    pub(crate) async fn begin(&self) -> Result<Open, Error> {
        let lease = self.writer.lease(self.wait).await?;
        self.open_with(lease, "BEGIN IMMEDIATE").await
    }

    /// Leases a reader and begins a read transaction; its moment is that of its first query.
    pub(crate) async fn snapshot(&self) -> Result<Open, Error> {
        let lease = self.readers.lease(self.wait).await?;
        self.open_with(lease, "BEGIN DEFERRED").await
    }

    async fn open_with(&self, lease: Lease, sql: &'static str) -> Result<Open, Error> {
        let (texts, log) = (Arc::clone(&self.texts), Arc::clone(&self.log));
        // From here on a caller who goes away leaves a ROLLBACK behind.
        let open = Open { lease, texts, log, ended: false };
        open.lease.call(move |connection| script(connection, sql)).await?;
        Ok(open)
    }

    /// Refreshes the planner's statistics, of tables that changed much, from a sample of their rows.
    pub(crate) async fn optimize(&self) -> Result<(), Error> {
        let lease = self.writer.lease(self.wait).await?;
        let sql = "PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002";
        lease.call(move |connection| script(connection, sql)).await
    }

    /// Waits for the writer, copies the log into the database and ends the threads.
    pub(crate) async fn close(&self) {
        let lease = self.writer.lease(self.wait).await;
        self.writer.close();
        self.readers.close();
        self.readers.ended().await;
        if let Ok(lease) = lease {
            let sql = "PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)";
            if let Err(error) = lease.call(move |connection| script(connection, sql)).await {
                tracing::warn!(%error, "the write-ahead log could not be copied at the end");
            }
        }
        self.writer.ended().await;
    }
}

fn open_writer(path: &Path, options: &Options) -> Result<Connection, Error> {
    let connection = Connection::open(path).map_err(|e| error(&e, "open"))?;
    connection.set_prepared_statement_cache_capacity(WRITER_STATEMENTS);
    let setup = format!(
        "PRAGMA page_size = {PAGE_BYTES};
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
         PRAGMA journal_size_limit = {MAX_LOG_BYTES};"
    );
    set_up(&connection, &setup, options.writer_cache_bytes)?;
    Ok(connection)
}

fn open_reader(path: &Path, options: &Options) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| error(&e, "open"))?;
    connection.set_prepared_statement_cache_capacity(READER_STATEMENTS);
    set_up(&connection, "PRAGMA query_only = ON;", options.reader_cache_bytes)?;
    Ok(connection)
}

fn set_up(connection: &Connection, more: &str, cache_bytes: usize) -> Result<(), Error> {
    connection.busy_timeout(BUSY_WAIT).map_err(|e| error(&e, "busy_timeout"))?;
    let common = format!(
        "{more}
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA mmap_size = 0;
         PRAGMA cache_size = -{};",
        cache_bytes / 1024
    );
    script(connection, &common)
}

/// A closure for a thread.
type Job = Box<dyn FnOnce(&mut State) + Send>;

/// What a thread owns.
struct State {
    connection: Connection,
    /// When the log last could not be made to start over.
    gave_up: Option<Instant>,
}

impl State {
    fn restart_log(&mut self, log: &Path) {
        let size = std::fs::metadata(log).map_or(0, |file| file.len());
        let lately = self.gave_up.is_some_and(|at| at.elapsed() < RESTART_AGAIN);
        if size <= MAX_LOG_BYTES || lately {
            return;
        }
        let _ = self.connection.busy_timeout(RESTART_WAIT);
        // Being in somebody's way is no error here but the first column.
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let blocked = self.connection.query_row(sql, [], |row| row.get::<_, bool>(0));
        let _ = self.connection.busy_timeout(BUSY_WAIT);
        self.gave_up = None;
        if !matches!(blocked, Ok(false)) {
            self.gave_up = Some(Instant::now());
            tracing::warn!(size_bytes = size, ?blocked, "the write-ahead log could not start over");
        }
    }
}

/// Threads of one kind, leased in the order of asking.
struct Lane {
    shared: Arc<Idle>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What leases need of their lane.
struct Idle {
    permits: Arc<Semaphore>,
    workers: Mutex<Vec<Worker>>,
}

/// The way to one thread; it ends when this is gone.
struct Worker {
    jobs: mpsc::Sender<Job>,
    interrupt: InterruptHandle,
}

impl Lane {
    fn start(name: &str, connections: Vec<Connection>) -> Result<Lane, Error> {
        let permits = Arc::new(Semaphore::new(connections.len()));
        let (mut workers, mut threads) = (Vec::new(), Vec::new());
        for connection in connections {
            let (jobs, queue) = mpsc::channel::<Job>();
            workers.push(Worker { jobs, interrupt: connection.get_interrupt_handle() });
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                let mut state = State { connection, gave_up: None };
                while let Ok(job) = queue.recv() {
                    job(&mut state);
                }
            });
            threads.push(thread.map_err(|e| Error::Other(format!("starting a thread: {e}")))?);
        }
        let shared = Arc::new(Idle { permits, workers: Mutex::new(workers) });
        Ok(Lane { shared, threads: Mutex::new(threads) })
    }

    async fn lease(&self, wait: Duration) -> Result<Lease, Error> {
        let permit = tokio::time::timeout(wait, Arc::clone(&self.shared.permits).acquire_owned())
            .await
            .map_err(|_| Error::Busy(format!("no connection came free within {wait:?}")))?
            .map_err(|_| Error::Closed)?;
        let worker = self.shared.workers().pop().ok_or(Error::Closed)?;
        Ok(Lease { worker: Some(worker), idle: Arc::clone(&self.shared), _permit: permit })
    }

    /// Nobody gets a lease any more; idle threads end, the others when their lease does.
    fn close(&self) {
        self.shared.permits.close();
        self.shared.workers().clear();
    }

    /// Waits until all threads have ended and so closed their connections, but not for ever.
    async fn ended(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        if tokio::time::timeout(END_WAIT, joined).await.is_err() {
            tracing::warn!("a database connection is still in use while closing");
        }
    }
}

impl Idle {
    fn workers(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to one thread; given back when dropped.
struct Lease {
    worker: Option<Worker>,
    idle: Arc<Idle>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    fn send(&self, job: Job) -> Result<(), Error> {
        let worker = self.worker.as_ref().ok_or(Error::Closed)?;
        worker.jobs.send(job).map_err(|_| Error::Closed)
    }

    /// Runs `work` on the thread. If the caller goes away, it is not begun or is interrupted.
    async fn call<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Box::new(move |state| {
            if !reply.is_closed() {
                let _ = reply.send(work(&mut state.connection));
            }
        }))?;
        let mut waiting = Waiting { lease: self, answered: false };
        let answer = answer.await;
        waiting.answered = true;
        answer.map_err(|_| Error::Closed)?
    }
}

/// Somebody who waits for an answer; gone without one, the statement is interrupted. The lease is
/// still held then, so it cannot be somebody else's statement.
struct Waiting<'a> {
    lease: &'a Lease,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let (false, Some(worker)) = (self.answered, &self.lease.worker) {
            worker.interrupt.interrupt();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(worker) = self.worker.take() else { return };
        let mut workers = self.idle.workers();
        // Asked under the lock: `close` clears the list after it has closed the semaphore.
        if !self.idle.permits.is_closed() {
            workers.push(worker);
        }
    }
}

/// An open transaction. Dropped without an end it is rolled back.
pub(crate) struct Open {
    lease: Lease,
    texts: Arc<Texts>,
    log: Arc<Path>,
    ended: bool,
}

impl Open {
    pub(crate) async fn query(&self, sql: &str, params: Vec<Params>) -> Result<Vec<Vec<Row>>, Error> {
        let sql = self.texts.numbered(sql);
        self.lease.call(move |connection| query(connection, &sql, &params)).await
    }

    pub(crate) async fn execute(&self, sql: &str, params: Vec<Params>) -> Result<u64, Error> {
        let sql = self.texts.numbered(sql);
        self.lease.call(move |connection| execute(connection, &sql, &params)).await
    }

    /// One row at a time: with a compiled statement the fastest way here.
    pub(crate) async fn insert(&self, start: &str, tail: &str, rows: Vec<Params>) -> Result<u64, Error> {
        let columns = rows.first().map_or(0, Vec::len);
        self.execute(&format!("{start} {} {tail}", value_tuples(1, columns)), rows).await
    }

    pub(crate) async fn script(&self, sql: &str) -> Result<(), Error> {
        let sql = sql.to_owned();
        self.lease.call(move |connection| script(connection, &sql)).await
    }

    /// Commits; with `wake`, those who wait for changes are woken. Once asked for, a commit happens,
    /// whether or not somebody still waits for the answer.
    pub(crate) async fn commit(&mut self, wake: Option<watch::Sender<u64>>) -> Result<(), Error> {
        self.ended = true;
        let (reply, answer) = oneshot::channel();
        let log = Arc::clone(&self.log);
        self.lease.send(Box::new(move |state| {
            let done = script(&state.connection, "COMMIT");
            match (&done, wake) {
                (Ok(()), Some(signal)) => signal.send_modify(|number| *number += 1),
                (Ok(()), None) => {}
                (Err(_), _) => roll_back(&state.connection),
            }
            let _ = reply.send(done);
            state.restart_log(&log);
        }))?;
        answer.await.map_err(|_| Error::Closed)?
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), Error> {
        self.ended = true;
        let (reply, answer) = oneshot::channel();
        self.lease.send(Box::new(move |state| {
            roll_back(&state.connection);
            let _ = reply.send(());
        }))?;
        answer.await.map_err(|_| Error::Closed)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.lease.send(Box::new(|state| roll_back(&state.connection)));
        }
    }
}

/// Ends whatever transaction is open; SQLite has ended it itself after some errors.
fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "a transaction could not be rolled back");
    }
}

fn script(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.execute_batch(sql).map_err(|e| error(&e, sql))
}

fn query(connection: &Connection, sql: &str, params: &[Params]) -> Result<Vec<Vec<Row>>, Error> {
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

fn execute(connection: &Connection, sql: &str, params: &[Params]) -> Result<u64, Error> {
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
fn error(error: &rusqlite::Error, sql: &str) -> Error {
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
