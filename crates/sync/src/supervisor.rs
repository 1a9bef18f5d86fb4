//! Every active mailbox has a task that makes its rounds; this watches which are active.
//!
//! A task that fails waits and comes again; one whose mailbox was changed starts anew; none waits
//! for another. What a round is and how news are waited for is the business of the mailbox's kind of
//! [`Visit`].

use crate::backoff::Backoff;
use crate::round;
use crate::trouble;
use crate::visit::{self, FolderSummary, RoundError, Visit};
use desk::guess::Candidate;
use desk::mailbox::{self, Boxed, Login, Phase, RoundState, Rounds, TestOutcome};
use desk::outgoing::{Outgoing, OutgoingLogin};
use desk::receive::Receive;
use model::{MailboxId, Reach};
use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::rounds::{self, Source};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// How often the list of mailboxes is read even if no change was heard.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// From the beginning of one round to that of the next, at least: a server that always claims to have
/// news is not asked in a circle.
const SHORTEST: Duration = Duration::from_secs(1);

/// The rounds of all mailboxes, as others see them. Cheap to clone.
#[derive(Clone)]
pub struct Supervisor {
    receive: Receive,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    states: Mutex<HashMap<MailboxId, RoundState>>,
    running: AtomicBool,
    look: Notify,
    wakes: Mutex<HashMap<MailboxId, Arc<Notify>>>,
}

impl Supervisor {
    /// Rounds over a receiving desk; nothing runs before [`Supervisor::run`].
    pub fn new(receive: Receive) -> Supervisor {
        Supervisor { receive, inner: Arc::default() }
    }

    /// Makes the rounds until `stop` says so; then ends in order.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut tasks: HashMap<MailboxId, Task> = HashMap::new();
        let mut changes = self.receive.desk().db.changes_signal();
        tokio::pin!(stop);
        self.inner.running.store(true, Ordering::Relaxed);
        loop {
            match rounds::active(&mut &self.receive.desk().db).await {
                Ok(sources) => self.adjust(&mut tasks, sources),
                Err(error) => tracing::error!(%error, "the list of mailboxes cannot be read"),
            }
            tokio::select! {
                () = &mut stop => break,
                _ = changes.changed() => {}
                () = self.inner.look.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
        for (_, task) in tasks {
            task.end().await;
        }
    }

    /// Starts and ends tasks so that each active mailbox has one, as it is set up now.
    fn adjust(&self, tasks: &mut HashMap<MailboxId, Task>, sources: Vec<Source>) {
        let wanted: HashMap<MailboxId, Source> =
            sources.into_iter().map(|source| (source.id, source)).collect();
        tasks.retain(|id, task| {
            let stays = wanted.get(id) == Some(&task.source) && !task.handle.is_finished();
            if !stays {
                task.stop.send_replace(true);
                lock(&self.inner.wakes).remove(id);
                self.states().remove(id);
            }
            stays
        });
        for (id, source) in wanted {
            tasks.entry(id).or_insert_with(|| self.start(source));
        }
    }

    fn start(&self, source: Source) -> Task {
        let (stop, stopped) = watch::channel(false);
        let wake = Arc::new(Notify::new());
        lock(&self.inner.wakes).insert(source.id, wake.clone());
        let keeper = Keeper { supervisor: self.clone(), source: source.clone(), wake, stopped };
        Task { source, stop, handle: tokio::spawn(keeper.run()) }
    }

    fn states(&self) -> MutexGuard<'_, HashMap<MailboxId, RoundState>> {
        lock(&self.inner.states)
    }

    fn set(&self, id: MailboxId, state: RoundState) {
        self.states().insert(id, state);
    }
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
        self.stop.send_replace(true);
        if tokio::time::timeout(Duration::from_secs(10), self.handle).await.is_err() {
            tracing::warn!(mailbox = self.source.id.0, "a round did not end in time and was cut off");
        }
    }
}

/// The task of one mailbox.
struct Keeper {
    supervisor: Supervisor,
    source: Source,
    wake: Arc<Notify>,
    stopped: watch::Receiver<bool>,
}

impl Keeper {
    async fn run(mut self) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => {}
            () = self.rounds() => {}
        }
        // Unless a new task has taken over.
        let wakes = lock(&self.supervisor.inner.wakes);
        if wakes.get(&self.source.id).is_none_or(|wake| Arc::ptr_eq(wake, &self.wake)) {
            self.supervisor.states().remove(&self.source.id);
        }
    }

    async fn rounds(&mut self) {
        let mut backoff = Backoff::default();
        if let Err(error) = round::file_waiting(&self.supervisor.receive, &self.source).await {
            tracing::error!(mailbox = self.source.id.0, %error, "messages kept earlier could not be filed yet");
        }
        loop {
            self.phase(Phase::Scanning);
            let error = match self.visit(&mut backoff).await {
                Ok(never) => match never {},
                Err(error) => error,
            };
            let wait = backoff.after_failure(desk::random::bytes::<1>()[0]);
            tracing::warn!(mailbox = self.source.id.0, address = self.source.address, %error, wait_s = wait.as_secs(), "a round failed");
            self.phase(Phase::Failed);
            self.write_failure(&error).await;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// Signs in and makes rounds over one connection until something fails.
    async fn visit(&mut self, backoff: &mut Backoff) -> Result<std::convert::Infallible, RoundError> {
        let mut visit = visit::begin(&self.supervisor.receive, &self.source).await?;
        loop {
            let not_before = Instant::now() + SHORTEST;
            self.phase(Phase::Scanning);
            let summaries = self.round(&mut *visit).await?;
            backoff.succeeded();
            self.write_success(&summaries).await;
            self.phase(Phase::Idle);
            tokio::select! {
                () = self.wake.notified() => {}
                waited = visit.wait() => waited?,
            }
            tokio::time::sleep_until(not_before).await;
        }
    }

    async fn round(&self, visit: &mut dyn Visit) -> Result<Vec<FolderSummary>, RoundError> {
        let (supervisor, id) = (&self.supervisor, self.source.id);
        let progress = move |_: &str, done: u64, total: u64| {
            supervisor.set(
                id,
                RoundState { phase: Phase::Scanning, progress: (total > 0).then_some((done, total)) },
            );
        };
        visit.round(&progress).await
    }

    fn phase(&self, phase: Phase) {
        self.supervisor.set(self.source.id, RoundState { phase, progress: None });
    }

    async fn write_success(&self, summaries: &[FolderSummary]) {
        for one in summaries.iter().filter(|one| one.seen + one.skipped + one.quarantined > 0) {
            tracing::info!(
                mailbox = self.source.id.0,
                address = self.source.address,
                folder = one.folder,
                seen = one.seen,
                filed = one.filed,
                skipped = one.skipped,
                quarantined = one.quarantined,
                "read"
            );
        }
        let desk = self.supervisor.receive.desk();
        let mut written = mailbox::round_succeeded(desk, self.source.id).await;
        if let Some((folder, refused)) =
            summaries.iter().find_map(|one| Some((&one.folder, one.refused.as_ref()?)))
        {
            written = written
                .and(mailbox::round_failed(desk, self.source.id, trouble::unsettled(folder, refused)).await);
        }
        if let Err(error) = written {
            tracing::error!(%error, "the success of a round could not be written down");
        }
    }

    async fn write_failure(&self, error: &RoundError) {
        let written =
            mailbox::round_failed(self.supervisor.receive.desk(), self.source.id, error.trouble()).await;
        if let Err(error) = written {
            tracing::error!(%error, "the failure of a round could not be written down");
        }
    }
}

impl Rounds for Supervisor {
    fn test(&self, login: Login) -> Boxed<'_, TestOutcome> {
        Box::pin(crate::test::test(login))
    }

    fn test_sending(&self, login: OutgoingLogin, mail: Outgoing) -> Boxed<'_, TestOutcome> {
        Box::pin(crate::sending::test(login, mail))
    }

    fn guess(&self, address: String, reach: Reach) -> Boxed<'_, Vec<Candidate>> {
        Box::pin(async move { crate::guess::guess(&address, reach).await })
    }

    fn scan_now(&self, id: MailboxId) {
        if let Some(wake) = lock(&self.inner.wakes).get(&id) {
            wake.notify_one();
        }
    }

    fn state(&self, id: MailboxId) -> Option<RoundState> {
        let off = RoundState { phase: Phase::Off, progress: None };
        let running = self.inner.running.load(Ordering::Relaxed);
        running.then(|| self.states().get(&id).copied().unwrap_or(off))
    }

    fn settings_changed(&self, id: MailboxId) {
        self.inner.look.notify_one();
        // Which folders are read is looked up by each round.
        self.scan_now(id);
    }
}
