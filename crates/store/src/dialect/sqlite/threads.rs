//! Threads that own a connection each, and leases of them in the order of asking.

use crate::sql::Error;
use rusqlite::{Connection, InterruptHandle};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// How long closing waits for those who still read.
const END_WAIT: Duration = Duration::from_secs(10);

/// A closure for a thread.
pub(super) type Job = Box<dyn FnOnce(&mut State) + Send>;

/// What a thread owns.
pub(super) struct State {
    pub(super) connection: Connection,
    /// When the log last could not be made to start over, and its size then.
    pub(super) gave_up: Option<(Instant, u64)>,
}

/// Threads of one kind, leased in the order of asking.
pub(super) struct Lane {
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
    pub(super) fn start(name: &str, connections: Vec<Connection>) -> Result<Lane, Error> {
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

    pub(super) async fn lease(&self, wait: Duration) -> Result<Lease, Error> {
        let permit = tokio::time::timeout(wait, Arc::clone(&self.shared.permits).acquire_owned())
            .await
            .map_err(|_| Error::Busy(format!("no connection came free within {wait:?}")))?
            .map_err(|_| Error::Closed)?;
        let worker = self.shared.workers().pop().ok_or(Error::Closed)?;
        Ok(Lease { worker: Some(worker), idle: Arc::clone(&self.shared), _permit: permit })
    }

    /// Nobody gets a lease any more; idle threads end, the others when their lease does.
    pub(super) fn close(&self) {
        self.shared.permits.close();
        self.shared.workers().clear();
    }

    /// Waits until all threads have ended and so closed their connections, but not for ever.
    pub(super) async fn ended(&self) {
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
pub(super) struct Lease {
    worker: Option<Worker>,
    idle: Arc<Idle>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    pub(super) fn send(&self, job: Job) -> Result<(), Error> {
        let worker = self.worker.as_ref().ok_or(Error::Closed)?;
        worker.jobs.send(job).map_err(|_| Error::Closed)
    }

    /// Runs `work` on the thread. If the caller goes away, it is not begun or is interrupted.
    pub(super) async fn call<R: Send + 'static>(
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
