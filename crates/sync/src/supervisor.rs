//! Every active mailbox has a task that makes its rounds; this watches which are active.
//!
//! A task that fails waits and comes again; one whose mailbox was changed starts anew; none waits
//! for another. What a round is and how news are waited for is the business of the mailbox's kind of
//! [`crate::visit::Visit`].
//!
//! Where several processes share a database, a process makes the rounds of the mailboxes it has leased
//! ([`store::leases`]). It takes what nobody alive holds, so that one that dies is replaced within
//! [`ALIVE`] and a look; decided against dividing the mailboxes between processes: one is enough for
//! ten thousand.

use crate::keeper::Keeper;
use crate::places::Places;
use desk::grant::Authority;
use desk::guess::Candidate;
use desk::mailbox::{self, Boxed, Login, Phase, Reconciled, RoundState, Rounds, TestOutcome};
use desk::receive::Receive;
use desk::sending::{OutgoingMail, SendingLogin};
use model::{MailboxId, Reach, Time};
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::leases::{self, Lease};
use store::rounds::{self, Source};
use store::sql::Error;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How often the list of mailboxes is read even if no change was heard.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// Between two readings of the list, unless somebody asks for one: changes come with every message.
const LOOK_SPACING: Duration = Duration::from_secs(5);
/// How often a process says that it is alive, and how long it is believed.
const BEAT: Duration = Duration::from_secs(5);
const ALIVE: Duration = Duration::from_secs(20);
/// How often the times of successful rounds are written, and silence is looked for.
const WRITE_EVERY: Duration = Duration::from_secs(30);
/// So much later than the one before a task begins: two hundred mailboxes sign in each second.
const SPACING: Duration = Duration::from_millis(5);

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections to one server (host and port), idle ones included.
    pub connections_per_server: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        // Below what the large providers allow: Gmail 15, Exchange 20, Dovecot 10 for each user and address.
        Limits { connections_per_server: 10 }
    }
}

/// The rounds of all mailboxes, as others see them. Cheap to clone.
#[derive(Clone)]
pub struct Supervisor {
    receive: Receive,
    inner: Arc<Inner>,
}

struct Inner {
    /// Under which name this process holds mailboxes.
    holder: String,
    places: Places,
    states: Mutex<HashMap<MailboxId, RoundState>>,
    /// Rounds that came to their end and are not written down yet.
    succeeded: Mutex<HashMap<MailboxId, Time>>,
    /// Mailboxes to be reconciled, and how that went.
    to_reconcile: Mutex<HashSet<MailboxId>>,
    reconciled: Mutex<HashMap<MailboxId, Reconciled>>,
    running: AtomicBool,
    look: Notify,
    wakes: Mutex<HashMap<MailboxId, Arc<Notify>>>,
}

impl Supervisor {
    /// Rounds over a receiving desk; nothing runs before [`Supervisor::run`].
    pub fn new(receive: Receive) -> Supervisor {
        Supervisor::within(receive, Limits::default())
    }

    /// The same within other limits.
    pub fn within(receive: Receive, limits: Limits) -> Supervisor {
        let holder = desk::random::bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        Supervisor::named(receive, limits, holder)
    }

    /// The same under a name that no other process has while this one lives. One that comes after it under the
    /// same name has its mailboxes at once, however it ended.
    pub fn named(receive: Receive, limits: Limits, holder: String) -> Supervisor {
        let inner = Inner {
            holder,
            places: Places::new(limits.connections_per_server),
            states: Mutex::default(),
            succeeded: Mutex::default(),
            to_reconcile: Mutex::default(),
            reconciled: Mutex::default(),
            running: AtomicBool::new(false),
            look: Notify::new(),
            wakes: Mutex::default(),
        };
        Supervisor { receive, inner: Arc::new(inner) }
    }

    /// Makes the rounds until `stop` says so; then ends in order.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut tasks: HashMap<MailboxId, Task> = HashMap::new();
        self.inner.running.store(true, Ordering::Relaxed);
        tokio::select! {
            () = stop => {}
            never = self.look_again_and_again(&mut tasks) => match never {},
            never = self.write_again_and_again() => match never {},
            never = crate::outbox::run(self.receive.desk(), |id| self.scan_now(id)) => match never {},
            never = crate::webhooks::run(self.receive.desk()) => match never {},
            never = crate::ticks::run(self.receive.desk()) => match never {},
        }
        for task in tasks.values() {
            task.stop.send_replace(true);
        }
        for (_, task) in tasks {
            task.end().await;
        }
        self.leave().await;
    }

    async fn look_again_and_again(&self, tasks: &mut HashMap<MailboxId, Task>) -> Infallible {
        let mut changes = self.receive.desk().db.changes_signal();
        loop {
            let looked = Instant::now();
            if let Err(error) = self.look(tasks).await {
                tracing::error!(%error, "the list of mailboxes cannot be read");
            }
            let changed = async {
                // It is gone only with the database.
                let _ = changes.changed().await;
                sleep_until(looked + LOOK_SPACING).await;
            };
            tokio::select! {
                () = self.inner.look.notified() => {}
                () = changed => {}
                () = sleep_until(looked + LOOK_AGAIN) => {}
            }
        }
    }

    /// Ends the tasks of mailboxes that are no longer as they were, and takes and starts those that have
    /// none.
    async fn look(&self, tasks: &mut HashMap<MailboxId, Task>) -> Result<(), Error> {
        let sources = rounds::active(&mut &self.receive.desk().db).await?;
        let wanted: HashMap<MailboxId, Source> =
            sources.into_iter().map(|source| (source.id, source)).collect();
        tasks.retain(|id, task| {
            let stays = wanted.get(id) == Some(&task.source) && !task.handle.is_finished();
            if !stays {
                task.stop.send_replace(true);
                lock(&self.inner.wakes).remove(id);
                lock(&self.inner.states).remove(id);
            }
            stays
        });
        let mut free: Vec<MailboxId> = wanted.keys().copied().filter(|id| !tasks.contains_key(id)).collect();
        free.sort();
        for (number, lease) in self.take(&free).await?.into_iter().enumerate() {
            let delay = SPACING.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
            tasks.insert(lease.mailbox, self.start(wanted[&lease.mailbox].clone(), lease, delay));
        }
        Ok(())
    }

    async fn take(&self, free: &[MailboxId]) -> Result<Vec<Lease>, Error> {
        if free.is_empty() {
            return Ok(Vec::new());
        }
        let desk = self.receive.desk();
        let now = desk.clock.now();
        let mut tx = desk.db.begin().await?;
        leases::beat(&mut tx, &self.inner.holder, later(now, ALIVE)).await?;
        let taken = leases::take(&mut tx, &self.inner.holder, free, now).await?;
        tx.commit().await?;
        Ok(taken)
    }

    fn start(&self, source: Source, lease: Lease, delay: Duration) -> Task {
        let (stop, stopped) = watch::channel(false);
        let wake = Arc::new(Notify::new());
        lock(&self.inner.wakes).insert(source.id, wake.clone());
        let receive = self.receive.under(lease);
        let keeper =
            Keeper { supervisor: self.clone(), source: source.clone(), receive, wake, stopped, delay };
        Task { source, stop, handle: tokio::spawn(keeper.run()) }
    }

    /// Says that this process is alive, writes down what went well, and looks for silence.
    async fn write_again_and_again(&self) -> Infallible {
        let began = self.receive.desk().clock.now();
        let mut written = Instant::now();
        loop {
            sleep(BEAT).await;
            let mut done = self.beat().await.map_err(Into::into);
            if written.elapsed() >= WRITE_EVERY {
                written = Instant::now();
                done = done.and(self.write(began).await);
            }
            if let Err(error) = done {
                tracing::error!(%error, "how the rounds stand could not be written down");
            }
        }
    }

    async fn beat(&self) -> Result<(), Error> {
        let desk = self.receive.desk();
        let mut tx = desk.db.begin().await?;
        leases::beat(&mut tx, &self.inner.holder, later(desk.clock.now(), ALIVE)).await?;
        tx.commit().await
    }

    async fn write(&self, began: Time) -> Result<(), desk::Refusal> {
        self.write_successes().await?;
        mailbox::tell_of_silence(self.receive.desk(), began).await
    }

    async fn write_successes(&self) -> Result<(), desk::Refusal> {
        let succeeded = std::mem::take(&mut *lock(&self.inner.succeeded));
        mailbox::rounds_succeeded(self.receive.desk(), succeeded.into_iter().collect()).await
    }

    /// Gives back what this process holds.
    async fn leave(&self) {
        let left = async {
            self.write_successes().await?;
            let mut tx = self.receive.desk().db.begin().await?;
            leases::leave(&mut tx, &self.inner.holder).await?;
            Ok::<_, desk::Refusal>(tx.commit().await?)
        };
        if let Err(error) = left.await {
            tracing::warn!(%error, "the mailboxes could not be given back; they are free in a moment");
        }
    }

    /// The places of all servers.
    pub(crate) fn places(&self) -> &Places {
        &self.inner.places
    }

    /// How a mailbox stands now.
    pub(crate) fn set(&self, id: MailboxId, state: RoundState) {
        lock(&self.inner.states).insert(id, state);
    }

    /// A round came to its end and brought nothing.
    pub(crate) fn note_success(&self, id: MailboxId, at: Time) {
        lock(&self.inner.succeeded).insert(id, at);
    }

    /// Whether somebody asked for a mailbox to be reconciled; it is asked for no more.
    pub(crate) fn is_to_reconcile(&self, id: MailboxId) -> bool {
        lock(&self.inner.to_reconcile).remove(&id)
    }

    /// How reconciling went.
    pub(crate) fn note_reconciled(&self, id: MailboxId, done: Reconciled) {
        lock(&self.inner.reconciled).insert(id, done);
    }

    /// The task that listens to `wake` has ended.
    pub(crate) fn ended(&self, id: MailboxId, wake: &Arc<Notify>) {
        // Unless a new task has taken over.
        let wakes = lock(&self.inner.wakes);
        if wakes.get(&id).is_none_or(|other| Arc::ptr_eq(other, wake)) {
            lock(&self.inner.states).remove(&id);
        }
    }
}

fn later(now: Time, by: Duration) -> Time {
    Time(now.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Task {
    source: Source,
    stop: watch::Sender<bool>,
    handle: tokio::task::JoinHandle<()>,
}

impl Task {
    /// Lets the transaction at hand end; a round that waits for a server is cut off.
    async fn end(self) {
        if timeout(Duration::from_secs(10), self.handle).await.is_err() {
            tracing::warn!(mailbox = self.source.id.0, "a round did not end in time and was cut off");
        }
    }
}

impl Rounds for Supervisor {
    fn test(&self, login: Login) -> Boxed<'_, TestOutcome> {
        Box::pin(crate::test::test(login))
    }

    fn test_sending(&self, login: SendingLogin, mail: OutgoingMail) -> Boxed<'_, TestOutcome> {
        Box::pin(crate::sending::test(login, mail))
    }

    fn guess(&self, address: String, reach: Reach) -> Boxed<'_, Vec<Candidate>> {
        Box::pin(async move { crate::guess::guess(&address, reach).await })
    }

    fn authority(&self) -> &dyn Authority {
        &crate::oauth::Network
    }

    fn scan_now(&self, id: MailboxId) {
        if let Some(wake) = lock(&self.inner.wakes).get(&id) {
            wake.notify_one();
        }
    }

    fn state(&self, id: MailboxId) -> Option<RoundState> {
        let off = RoundState { phase: Phase::Off, progress: None };
        let running = self.inner.running.load(Ordering::Relaxed);
        running.then(|| lock(&self.inner.states).get(&id).copied().unwrap_or(off))
    }

    fn reconcile(&self, id: MailboxId) {
        lock(&self.inner.to_reconcile).insert(id);
        self.scan_now(id);
    }

    fn reconciled(&self, id: MailboxId) -> Option<Reconciled> {
        lock(&self.inner.reconciled).get(&id).copied()
    }

    fn settings_changed(&self, id: MailboxId) {
        self.inner.look.notify_one();
        // Which folders are read is looked up by each round.
        self.scan_now(id);
    }
}
