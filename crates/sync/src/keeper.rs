//! The task of one mailbox: visit, round, wait, and come again after a failure.

use crate::backoff::Backoff;
use crate::reconcile;
use crate::round;
use crate::supervisor::Supervisor;
use crate::trouble;
use crate::visit::{self, FolderSummary, POLL, RoundError, Visit};
use desk::mailbox::{self, Phase, Reconciled, RoundState};
use desk::receive::Receive;
use std::sync::Arc;
use std::time::Duration;
use store::rounds::Source;
use store::sql::Error;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// From the beginning of one round to that of the next, at least: a server that always claims to have
/// news is not asked in a circle.
const SHORTEST: Duration = Duration::from_secs(1);
/// What will not go away by itself is told after so many failures in a row.
const TOLD_AFTER: u32 = 2;

/// The task of one mailbox.
pub(crate) struct Keeper {
    pub(crate) supervisor: Supervisor,
    pub(crate) source: Source,
    /// Writes under the mailbox's lease.
    pub(crate) receive: Receive,
    pub(crate) wake: Arc<Notify>,
    pub(crate) stopped: watch::Receiver<bool>,
    /// The first visit begins so much later: thousands do not knock at the same moment.
    pub(crate) delay: Duration,
}

/// How the rounds of a mailbox went lately.
#[derive(Default)]
struct Lately {
    backoff: Backoff,
    /// Failures in a row that will not go away by themselves.
    lasting: u32,
    /// The database shows something else than a round that came to its end.
    is_troubled: bool,
}

impl Keeper {
    pub(crate) async fn run(mut self) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => {}
            () = self.visits() => {}
        }
        self.supervisor.ended(self.source.id, &self.wake);
    }

    async fn visits(&mut self) {
        self.pause(self.delay).await;
        let mut lately = Lately { is_troubled: self.is_troubled().await, ..Lately::default() };
        if let Err(error) = round::file_waiting(&self.receive, &self.source).await {
            tracing::error!(mailbox = self.source.id.0, %error, "messages kept earlier could not be filed yet");
        }
        loop {
            let wait = match self.visit(&mut lately).await {
                // Gave way to another mailbox of the same server.
                Ok(()) => POLL,
                Err(RoundError::Store(Error::TakenOver)) => {
                    tracing::info!(mailbox = self.source.id.0, "another process makes the rounds now");
                    return;
                }
                Err(error @ RoundError::Doubtful { .. }) => {
                    self.ask(&error).await;
                    return;
                }
                Err(error) => self.failed(&mut lately, &error).await,
            };
            self.pause(wait).await;
        }
    }

    /// Waits, or until somebody asks for a round.
    async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = sleep(wait) => {}
            () = self.wake.notified() => {}
        }
    }

    /// Signs in and makes rounds over one connection until something fails, or somebody wants the place.
    async fn visit(&mut self, lately: &mut Lately) -> Result<(), RoundError> {
        self.phase(Phase::Waiting);
        let place = self.supervisor.places().enter(&self.source.host, self.source.port).await;
        self.phase(Phase::Scanning);
        let mut visit = visit::begin(&self.receive, &self.source).await?;
        loop {
            let not_before = Instant::now() + SHORTEST;
            self.phase(Phase::Scanning);
            let summaries = self.round(&mut *visit).await?;
            self.succeeded(lately, &summaries).await;
            if self.supervisor.is_to_reconcile(self.source.id) {
                self.reconcile().await?;
            }
            if summaries.iter().any(|one| one.more > 0) {
                continue;
            }
            if summaries.iter().any(FolderSummary::goes_on) {
                sleep_until(not_before).await;
                continue;
            }
            self.phase(Phase::Idle);
            if place.is_wanted() {
                return Ok(());
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = place.wanted() => return Ok(()),
                waited = visit.wait() => waited?,
            }
            sleep_until(not_before).await;
        }
    }

    async fn round(&self, visit: &mut dyn Visit) -> Result<Vec<FolderSummary>, RoundError> {
        let (supervisor, id) = (&self.supervisor, self.source.id);
        let progress = move |_: &str, done: u64, total: u64| {
            let progress = (total > 0).then_some((done, total));
            supervisor.set(id, RoundState { phase: Phase::Scanning, progress });
        };
        visit.round(&progress).await
    }

    /// Looks through the processed folders, over a connection of its own.
    async fn reconcile(&self) -> Result<(), RoundError> {
        let id = self.source.id;
        let begun = Reconciled { at: self.receive.desk().clock.now(), ..Reconciled::default() };
        self.supervisor.note_reconciled(id, begun);
        let done = reconcile::run(&self.receive, &self.source).await?;
        let (looked, filed, quarantined) = (done.looked, done.filed, done.quarantined);
        tracing::info!(mailbox = id.0, looked, filed, quarantined, "reconciled");
        self.supervisor.note_reconciled(id, done);
        Ok(())
    }

    fn phase(&self, phase: Phase) {
        self.supervisor.set(self.source.id, RoundState { phase, progress: None });
    }

    /// Whether the first round that comes to its end is worth a line of its own.
    async fn is_troubled(&self) -> bool {
        let standing = store::rounds::is_troubled(&mut &self.receive.desk().db, self.source.id).await;
        standing.unwrap_or(true)
    }

    /// A round that brought something, or ended some trouble, is written down and told at once; of all
    /// others only the time is, for all mailboxes together.
    async fn succeeded(&self, lately: &mut Lately, summaries: &[FolderSummary]) {
        lately.backoff.succeeded();
        lately.lasting = 0;
        let brought = |one: &&FolderSummary| one.seen + one.filed + one.skipped + one.quarantined > 0;
        let mut news = summaries.iter().filter(brought).peekable();
        let desk = self.receive.desk();
        let mut written = match news.peek().is_some() || lately.is_troubled {
            true => mailbox::round_succeeded(desk, self.source.id).await,
            false => {
                self.supervisor.note_success(self.source.id, desk.clock.now());
                Ok(())
            }
        };
        lately.is_troubled = false;
        for FolderSummary { folder, seen, filed, skipped, quarantined, .. } in news {
            let (mailbox, address) = (self.source.id.0, &self.source.address);
            tracing::info!(mailbox, address, folder, seen, filed, skipped, quarantined, "read");
        }
        let refused = summaries.iter().find_map(|one| Some((&one.folder, one.refused.as_ref()?)));
        if let Some((folder, refused)) = refused {
            let trouble = trouble::unsettled(folder, refused);
            written = written.and(mailbox::round_failed(desk, self.source.id, trouble).await);
            lately.is_troubled = true;
        }
        if let Err(error) = written {
            tracing::error!(%error, "the success of a round could not be written down");
        }
    }

    /// Writes a failure down; returns how long to wait.
    async fn failed(&self, lately: &mut Lately, error: &RoundError) -> Duration {
        let wait = lately.backoff.after_failure(desk::random::bytes::<1>()[0]);
        let (mailbox, address) = (self.source.id.0, &self.source.address);
        tracing::warn!(mailbox, address, %error, wait_s = wait.as_secs(), "a round failed");
        self.phase(Phase::Failed);
        lately.is_troubled = true;
        lately.lasting = if error.is_lasting() { lately.lasting + 1 } else { 0 };
        let desk = self.receive.desk();
        if let (RoundError::Connect(error), Some(grant)) = (error, self.source.grant)
            && error.kind == wire::ConnectErrorKind::WrongPassword
            && let Err(error) = desk::grant::distrust(desk, grant).await
        {
            tracing::error!(%error, "that a token was not accepted could not be written down");
        }
        let mut written = mailbox::round_failed(desk, self.source.id, error.trouble()).await;
        if lately.lasting == TOLD_AFTER {
            written = written.and(mailbox::tell_of_failure(desk, self.source.id, &error.trouble()).await);
        }
        if let Err(error) = written {
            tracing::error!(%error, "the failure of a round could not be written down");
        }
        wait
    }

    /// Stops the rounds with a question.
    async fn ask(&self, error: &RoundError) {
        tracing::error!(mailbox = self.source.id.0, address = self.source.address, %error, "the rounds stop and ask");
        let asked = mailbox::stop_and_ask(self.receive.desk(), self.source.id, error.trouble()).await;
        if let Err(error) = asked {
            tracing::error!(%error, "the question could not be written down");
        }
    }
}
