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

mod hold;
mod statement;
mod threads;

pub use hold::Held;

use crate::sql::text::{Texts, value_tuples};
use crate::sql::{Error, Options, Params, Row};
use rusqlite::{Connection, OpenFlags};
use statement::{error, execute, query, script};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use threads::{Lane, Lease, State};
use tokio::sync::{oneshot, watch};

/// Bytes of a page. Larger than the default, for bodies and blobs.
const PAGE_BYTES: usize = 8192;
/// Pages in the write-ahead log after which a commit copies them into the database (32 MB).
const CHECKPOINT_PAGES: usize = 4096;
/// Size of the log's file above which readers are made to wait once, so that it starts over: a
/// steady stream of readers would otherwise let it grow for ever.
const MAX_LOG_BYTES: u64 = 4 * (PAGE_BYTES * CHECKPOINT_PAGES) as u64;
/// How often in a row it is tried, and how long each time waits for the readers of that moment: together a
/// second. Waiting once for all of it is often in vain though every reader is short: SQLite waits for the place
/// that readers of an older moment hold, and if a new reader takes over the place just then, all others join it
/// there and it is never free. Only the next try sees that nobody is in the way any more.
const RESTART_TRIES: usize = 4;
const RESTART_WAIT: Duration = Duration::from_millis(250);
/// After all that in vain, the next attempt comes so much later, or as soon as the log has grown by this: its
/// size is bounded by readers that end, and not by the clock.
const RESTART_AGAIN: Duration = Duration::from_secs(10);
const RESTART_GROWN: u64 = MAX_LOG_BYTES / 2;
/// How long another process (a backup, a shell) may hold a lock before it is an error.
const BUSY_WAIT: Duration = Duration::from_secs(10);
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
    /// The database's file.
    path: PathBuf,
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
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        Ok(Sqlite {
            writer,
            readers,
            texts: Arc::default(),
            wait: options.wait,
            log: Path::new(&log).into(),
            path,
        })
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

    /// Holds a name among all processes.
    pub(crate) async fn hold(&self, name: i64, wait: Duration) -> Result<Held, Error> {
        hold::hold(&self.path, name, wait).await
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
         PRAGMA auto_vacuum = INCREMENTAL;
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

impl State {
    /// Makes the log start over if it is large, and if that was not in vain just now.
    fn restart_log(&mut self, log: &Path) {
        let size = std::fs::metadata(log).map_or(0, |file| file.len());
        let lately = self
            .gave_up
            .is_some_and(|(at, before)| at.elapsed() < RESTART_AGAIN && size < before + RESTART_GROWN);
        if size <= MAX_LOG_BYTES || lately {
            return;
        }
        let _ = self.connection.busy_timeout(RESTART_WAIT);
        let blocked = (0..RESTART_TRIES)
            .map(|_| self.empty_log())
            .find(|held| !matches!(held, Ok(true)))
            .unwrap_or(Ok(true));
        let _ = self.connection.busy_timeout(BUSY_WAIT);
        self.gave_up = None;
        if !matches!(blocked, Ok(false)) {
            self.gave_up = Some((Instant::now(), size));
            tracing::warn!(size_bytes = size, ?blocked, "the write-ahead log could not start over");
        }
    }

    /// Copies the log into the database and empties it; true if somebody was in the way, which is no error
    /// here but the first column.
    fn empty_log(&self) -> rusqlite::Result<bool> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
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
