//! PostgreSQL: two small pools, statements pipelined.
//!
//! Reads that stand alone and snapshots use one pool, write transactions another, so that somebody
//! who reads while writing cannot wait for himself. Connections of the reading pool are read-only by
//! default, as the reading threads of SQLite are. Statements are prepared once per connection.
//!
//! A transaction is a pooled connection with a plain `BEGIN`: the driver's own transaction type
//! borrows the connection and could not be held by ours. Dropped without an end, the connection goes
//! back to the pool only after a `ROLLBACK`, else it is closed. A statement whose caller goes away is
//! cancelled on the server and its connection closed, since a cancellation that comes late would hit
//! the next statement. A lost connection is tried again
//! where nothing can have happened yet (reads, BEGIN); during COMMIT it is [`Error::Ambiguous`].
//!
//! Decided against `UNNEST` and `COPY` for bulk inserts: 15 % faster, but they need arrays of a type
//! per column (and COPY has no ON CONFLICT).

mod connect;
mod hold;
mod listen;
mod statement;
mod value;

use crate::sql::{Error, Options, Params, Row};
use connect::Server;
use deadpool_postgres::{ClientWrapper, HookError, Object, Pool, PoolError};
pub use hold::Held;
use statement::{error, execute, insert, query};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a dropped transaction may take to roll back before its connection is closed instead.
const ROLLBACK_WAIT: Duration = Duration::from_secs(5);

/// How long closing waits for running write transactions, and how often it looks.
const END_WAIT: Duration = Duration::from_secs(10);
const END_POLL: Duration = Duration::from_millis(10);

/// An open PostgreSQL database.
pub(crate) struct Postgres {
    read: Pool,
    write: Pool,
    tls: MakeRustlsConnect,
    server: Server,
    listener: JoinHandle<()>,
}

impl Postgres {
    /// Connects once to see that all is well, and begins to listen for the changes of other nodes.
    pub(crate) async fn open(
        url: &str,
        options: &Options,
        signal: watch::Sender<u64>,
    ) -> Result<Postgres, Error> {
        let server = Server::new(url)?;
        let read = server.pool(options.readers.max(1), options, true)?;
        let write = server.pool(options.writers.max(1), options, false)?;
        connect::inspect(&get(&read).await?).await?;
        let tls = server.tls.clone();
        let listener = tokio::spawn(listen::listen(server.clone(), signal));
        Ok(Postgres { read, write, tls, server, listener })
    }

    /// One statement, many parameters, in one round trip.
    pub(crate) async fn read(&self, sql: &str, params: &[Params]) -> Result<Vec<Vec<Row>>, Error> {
        let mut attempt = self.connect(&self.read).await?;
        // Every pooled connection may have died with the server; each is tried once.
        for _ in 0..self.read.status().max_size {
            match attempt.query(sql, params).await {
                Err(Error::Lost(_)) => attempt.discard(),
                result => return result,
            }
            attempt = self.connect(&self.read).await?;
        }
        attempt.query(sql, params).await
    }

    /// Holds a name among all nodes.
    pub(crate) async fn hold(&self, name: i64, wait: Duration) -> Result<Held, Error> {
        hold::hold(&self.server, name, wait).await
    }

    /// Whether the statement compiles; it is not run.
    pub(crate) async fn check(&self, sql: &str) -> Result<(), Error> {
        let client = get(&self.read).await?;
        client.prepare(sql).await.map(drop).map_err(|e| error(&e, sql))
    }

    /// Begins a write transaction.
    pub(crate) async fn begin(&self) -> Result<Open, Error> {
        self.begin_with(&self.write, "BEGIN READ WRITE").await
    }

    /// Begins a read transaction; its moment is that of its first query.
    pub(crate) async fn snapshot(&self) -> Result<Open, Error> {
        self.begin_with(&self.read, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    async fn begin_with(&self, pool: &Pool, sql: &str) -> Result<Open, Error> {
        let mut open = self.connect(pool).await?;
        for _ in 0..pool.status().max_size {
            open.in_transaction = true;
            match open.script(sql).await {
                Err(Error::Lost(_)) => open.discard(),
                result => return result.map(|()| open),
            }
            open = self.connect(pool).await?;
        }
        open.in_transaction = true;
        open.script(sql).await.map(|()| open)
    }

    async fn connect(&self, pool: &Pool) -> Result<Open, Error> {
        let (client, tls) = (Some(get(pool).await?), self.tls.clone());
        Ok(Open { client, tls, busy: false, in_transaction: false })
    }

    /// Ends the pools, and waits for the running write transactions, but not for ever.
    pub(crate) async fn close(&self) {
        self.listener.abort();
        self.read.close();
        self.write.close();
        let ended = async {
            while self.write.status().size > 0 {
                tokio::time::sleep(END_POLL).await;
            }
        };
        if tokio::time::timeout(END_WAIT, ended).await.is_err() {
            tracing::warn!("a write transaction is still open while closing");
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn get(pool: &Pool) -> Result<Object, Error> {
    pool.get().await.map_err(|failure| match failure {
        PoolError::Timeout(what) => Error::Busy(format!("no connection came free ({what:?})")),
        PoolError::Backend(failure) | PoolError::PostCreateHook(HookError::Backend(failure)) => {
            error(&failure, "connect")
        }
        PoolError::Closed => Error::Closed,
        other => Error::Other(other.to_string()),
    })
}

/// A leased connection, mostly with an open transaction. Dropped without an end that is rolled back.
pub(crate) struct Open {
    /// Taken when it ends.
    client: Option<Object>,
    tls: MakeRustlsConnect,
    /// A statement runs. If that is so when dropped, its caller went away.
    busy: bool,
    in_transaction: bool,
}

impl Open {
    fn client(&self) -> Result<&Object, Error> {
        self.client.as_ref().ok_or(Error::Closed)
    }

    pub(crate) async fn query(&mut self, sql: &str, params: &[Params]) -> Result<Vec<Vec<Row>>, Error> {
        self.busy = true;
        let result = query(self.client()?, sql, params).await;
        self.busy = false;
        result
    }

    pub(crate) async fn execute(&mut self, sql: &str, params: &[Params]) -> Result<u64, Error> {
        self.busy = true;
        let result = execute(self.client()?, sql, params).await;
        self.busy = false;
        result
    }

    pub(crate) async fn insert(&mut self, start: &str, tail: &str, rows: &[Params]) -> Result<u64, Error> {
        self.busy = true;
        let result = insert(self.client()?, start, tail, rows).await;
        self.busy = false;
        result
    }

    pub(crate) async fn script(&mut self, sql: &str) -> Result<(), Error> {
        self.busy = true;
        let result = self.client()?.batch_execute(sql).await.map_err(|e| error(&e, sql));
        self.busy = false;
        result
    }

    /// Commits; with `wake`, those who wait for changes are woken, here and on the other nodes. Once
    /// asked for, a commit happens, whether or not somebody still waits for the answer.
    pub(crate) async fn commit(&mut self, wake: Option<watch::Sender<u64>>) -> Result<(), Error> {
        let client = self.client.take().ok_or(Error::Closed)?;
        tokio::spawn(commit(client, wake)).await.map_err(|e| Error::Ambiguous(e.to_string()))?
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), Error> {
        self.script("ROLLBACK").await?;
        self.client = None;
        Ok(())
    }

    fn discard(mut self) {
        self.client.take().map(Object::take);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if self.busy => {
                drop(runtime.spawn(cancel(Object::take(client), self.tls.clone())));
            }
            Ok(runtime) if self.in_transaction => drop(runtime.spawn(roll_back(client))),
            Err(_) if self.busy || self.in_transaction => drop(Object::take(client)),
            _ => {}
        }
    }
}

/// Ends the statement on the server; dropping the client then closes the connection.
async fn cancel(client: ClientWrapper, tls: MakeRustlsConnect) {
    let token = client.cancel_token();
    let _ = tokio::time::timeout(ROLLBACK_WAIT, token.cancel_query(tls)).await;
}

async fn commit(client: Object, wake: Option<watch::Sender<u64>>) -> Result<(), Error> {
    let sql = if wake.is_some() { listen::NOTIFY_AND_COMMIT } else { "COMMIT" };
    match client.batch_execute(sql).await.map_err(|e| error(&e, sql)) {
        Ok(()) => {
            wake.inspect(|signal| signal.send_modify(|number| *number += 1));
            Ok(())
        }
        Err(Error::Lost(reason)) => {
            drop(Object::take(client));
            Err(Error::Ambiguous(reason))
        }
        Err(error) => {
            roll_back(client).await;
            Err(error)
        }
    }
}

async fn roll_back(client: Object) {
    let done = tokio::time::timeout(ROLLBACK_WAIT, client.batch_execute("ROLLBACK")).await;
    if !matches!(done, Ok(Ok(()))) {
        drop(Object::take(client));
    }
}
