//! Recall, decide, write: one transaction over a batch of letters.
//!
//! What is written is in the leaves: the rows of a message (`message`), links (`links`), the case (`case`),
//! what rules want done (`actions`).

mod actions;
mod answer;
mod case;
mod form;
mod links;
mod message;
pub(crate) mod sent;
mod tell;
pub(crate) mod trusted;
mod webhook;

use super::open::{Opened, Read, panic_reason};
use super::recall::{self, Recalled};
use super::{Channel, Filed, Receive};
use crate::Desk;
use crate::notification::Happened;
use actions::{Acted, Did};
use intake::plan::{Origin, Plan, Seen, ThreadPlan};
use intake::rules::{Rules, Trial};
use model::{AfterFiling, MessageId, OccurrenceId, QuarantineReason, ThreadId, Time};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use store::distribution::{self, Sharing};
use store::filing::{self, Writes};
use store::folders::Folder;
use store::operations;
use store::point;
use store::sql::{Error, Tx};

/// Files a batch. If the batch fails for a reason of its own letters, each is tried alone and the
/// one at fault is put aside; if the database fails, nothing changes and the error is returned.
pub(super) async fn file(
    receive: &Receive,
    channel: &Channel,
    folder: &Folder,
    mut batch: Vec<Opened>,
) -> Result<Filed, Error> {
    if channel.origin == Origin::History {
        recall::believe(&mut batch);
    }
    let quarantined = batch
        .iter()
        .filter(|one| one.kept.is_none() && one.read.is_none() && one.occurrence.is_some())
        .count();
    let mut result = file_together(receive, channel, folder, &batch).await;
    for _ in 0..MOST_REPEATS {
        // PostgreSQL ends one of two transactions that wait for each other.
        let Err(Error::Busy(_)) = result else { break };
        result = file_together(receive, channel, folder, &batch).await;
    }
    match result {
        Ok(mut filed) => {
            filed.quarantined += quarantined as u64;
            Ok(filed)
        }
        Err(error) if error.is_retryable() || batch.is_empty() => Err(error),
        Err(error) if is_of_the_machine(&error) => Err(error),
        Err(_) => {
            let mut done = Filed { quarantined: quarantined as u64, ..Filed::default() };
            for one in batch {
                done += file_alone(receive, channel, folder, one).await?;
            }
            Ok(done)
        }
    }
}

/// Faults that have nothing to do with what is being filed.
fn is_of_the_machine(error: &Error) -> bool {
    matches!(error, Error::Full(_) | Error::Io(_) | Error::Closed | Error::TakenOver | Error::Ambiguous(_))
}

async fn file_alone(
    receive: &Receive,
    channel: &Channel,
    folder: &Folder,
    one: Opened,
) -> Result<Filed, Error> {
    let occurrence = one.occurrence;
    match file_together(receive, channel, folder, std::slice::from_ref(&one)).await {
        Ok(filed) => Ok(filed),
        Err(error) if error.is_retryable() || is_of_the_machine(&error) => Err(error),
        Err(error) => {
            let Some(id) = occurrence else { return Ok(Filed::default()) };
            tracing::error!(occurrence = id.0, %error, "a message could not be filed and is quarantined");
            let mut tx = receive.transaction().await?;
            let reason = format!("it could not be filed: {error}");
            filing::quarantine(&mut tx, id, QuarantineReason::NotFiled, &reason).await?;
            tx.commit().await?;
            Ok(Filed { quarantined: 1, ..Filed::default() })
        }
    }
}

async fn file_together(
    receive: &Receive,
    channel: &Channel,
    folder: &Folder,
    batch: &[Opened],
) -> Result<Filed, Error> {
    let mut tx = receive.transaction().await?;
    tx.lock(filing::LOCK).await?;
    let ids: Vec<OccurrenceId> = batch.iter().filter_map(|one| one.occurrence).collect();
    let waiting = filing::still_waiting(&mut tx, &ids).await?;
    let mut waiting = ids.into_iter().zip(waiting).filter_map(|(id, waits)| waits.then_some(id)).peekable();
    if waiting.peek().is_none() {
        return Ok(Filed::default());
    }
    let waiting: Vec<OccurrenceId> = waiting.collect();
    let mut round = Round::begin(receive, &mut tx, channel, folder).await?;
    round.writes.reserve(&mut tx, waiting.len() as i64).await?;
    let mut recalled = recall::recall(&receive.desk, &mut tx, channel.id, &mut round.writes, batch).await?;
    recalled.past = round.past();
    if operations::receives(&mut tx, folder.id).await? {
        let seen: Vec<MessageId> = recalled.seen.values().map(|seen| seen.message).collect();
        round.brought = operations::received(&mut tx, folder.id, &seen).await?;
    }
    for one in batch {
        let Some(id) = one.occurrence.filter(|id| waiting.contains(id)) else { continue };
        match one.read.as_deref() {
            Some(read) => round.letter(&mut tx, &mut recalled, id, one, read).await?,
            // Counted by the caller.
            None => {
                filing::quarantine(&mut tx, id, QuarantineReason::Unreadable, "the parser gave up").await?
            }
        }
    }
    round.writes.mailbox_changed(channel.id);
    round.writes.flush(&mut tx, round.at).await?;
    round.tell_all(&mut tx).await?;
    point::reached("c10_filing");
    tx.commit().await?;
    Ok(round.done)
}

/// One batch being filed.
struct Round<'a> {
    at: Time,
    channel: &'a Channel,
    folder: &'a Folder,
    writes: Writes,
    done: Filed,
    /// How the mailbox shares its cases; `None` of one that is no more.
    sharing: Option<Sharing>,
    /// Messages that were moved here from another mailbox: history, however new the folder.
    brought: HashSet<MessageId>,
    desk: &'a Desk,
    /// What people are to be told of when the batch is written: whoever has something to tell pushes it here.
    happened: Vec<Happened>,
    news: Vec<tell::News>,
    /// The rules of the folder.
    rules: Arc<Rules>,
    /// Under which id they are written down, once they are.
    set: Option<i64>,
}

impl<'a> Round<'a> {
    async fn begin(
        receive: &'a Receive,
        tx: &mut Tx,
        channel: &'a Channel,
        folder: &'a Folder,
    ) -> Result<Round<'a>, Error> {
        Ok(Round {
            at: receive.desk.clock.now(),
            channel,
            folder,
            writes: Writes::default(),
            done: Filed::default(),
            brought: HashSet::new(),
            desk: &receive.desk,
            happened: Vec::new(),
            news: Vec::new(),
            rules: receive.rules.of(tx, channel.id, folder.id).await?,
            set: None,
            sharing: distribution::sharing(tx, channel.id).await?,
        })
    }
}

impl Round<'_> {
    async fn letter(
        &mut self,
        tx: &mut Tx,
        recalled: &mut Recalled,
        id: OccurrenceId,
        one: &Opened,
        read: &Read,
    ) -> Result<(), Error> {
        let rules = match one.after_all {
            true => Arc::new(self.rules.without_filters()),
            false => self.rules.clone(),
        };
        let received_at = received_at(self.channel.origin, one, read);
        let mut known = recalled.known(self.channel, (read, received_at), &self.writes);
        if known.seen.is_some_and(|seen| self.brought.contains(&seen.message)) {
            known.origin = Origin::History;
        }
        if !self.rules.tried().is_empty() {
            let (size_bytes, nature) = (one.size_bytes, read.nature);
            known.trial = Some(Trial { rules: &rules, size_bytes, nature });
        }
        let decided = catch_unwind(AssertUnwindSafe(|| intake::decide(&read.letter, &known)));
        let plan = match decided {
            Ok(plan) => plan,
            Err(panic) => return self.aside(tx, id, &panic_reason(&*panic)).await,
        };
        if let Some(rule) = plan.skip {
            self.writes.filtered(id, rule);
            self.writes.rule_hit(rule);
            self.done.filtered += 1;
            return Ok(());
        }
        let (seen, did) = self.carry_out(tx, recalled, (id, one, read), (&plan, &rules)).await?;
        recalled.remember(self.channel, read, &plan, seen);
        let after = if did.moves { AfterFiling::Leave } else { self.folder.after_filing };
        self.writes.filed(id, seen.message, after);
        self.done.filed += 1;
        Ok(())
    }

    async fn aside(&mut self, tx: &mut Tx, id: OccurrenceId, reason: &str) -> Result<(), Error> {
        tracing::warn!(occurrence = id.0, reason, "a message is quarantined");
        filing::quarantine(tx, id, QuarantineReason::Unreadable, reason).await?;
        self.done.quarantined += 1;
        Ok(())
    }

    async fn carry_out(
        &mut self,
        tx: &mut Tx,
        recalled: &mut Recalled,
        (id, one, read): (OccurrenceId, &Opened, &Read),
        (plan, rules): (&Plan, &Rules),
    ) -> Result<(Seen, Did), Error> {
        let thread = self.thread(tx, recalled, one, read, plan).await?;
        let before = self.writes.thread(thread).map_or(MessageId(0), |thread| thread.last_message);
        let message = match plan.seen {
            Some(seen) => seen.message,
            None => self.message(thread, one, read, plan)?,
        };
        for user in plan.silenced.iter().filter(|_| plan.seen.is_none()) {
            self.writes.silence(*user, thread, message, before);
        }
        self.show(recalled, thread, read)?;
        self.links(thread, message, plan)?;
        self.case(tx, thread, message, read, plan).await?;
        let acted = Acted { id, thread, message, one, read, plan, rules };
        let did = self.act(tx, recalled, &acted).await?;
        self.trace(tx, &acted, &did).await?;
        if plan.seen.is_none() {
            self.writes.note_message(
                thread,
                message,
                plan.direction.word(),
                received_at(self.channel.origin, one, read),
                self.at,
            )?;
            self.spoke(recalled, (thread, message), (one, read), plan);
        }
        self.tell(recalled, read, plan, (thread, message));
        self.auto_reply(tx, recalled, thread, read, plan).await?;
        let received_at = received_at(self.channel.origin, one, read);
        Ok((Seen { message, thread, unverified: plan.unverified, received_at }, did))
    }

    async fn thread(
        &mut self,
        tx: &mut Tx,
        recalled: &mut Recalled,
        one: &Opened,
        read: &Read,
        plan: &Plan,
    ) -> Result<ThreadId, Error> {
        let thread = match &plan.thread {
            ThreadPlan::New | ThreadPlan::Apart(_) => {
                let parted_from = match plan.thread {
                    ThreadPlan::Apart(from) => Some(from),
                    _ => None,
                };
                let at = received_at(self.channel.origin, one, read);
                self.writes.begin_thread(&read.letter.subject, parted_from, at)?
            }
            ThreadPlan::Join(id) => *id,
            ThreadPlan::Merge { into, from } => {
                self.writes.flush(tx, self.at).await?;
                for &other in from {
                    filing::merge_threads(tx, *into, other, self.at).await?;
                }
                // Other threads of a case that went into another one are changed too.
                let threads = self.writes.forget_threads();
                self.writes.know(filing::thread_states(tx, &threads).await?);
                recalled.merged(*into, from);
                self.moved(*into, from);
                *into
            }
        };
        if plan.seen.is_none() {
            self.writes.ids_of_thread(thread, read.ids(plan.unverified));
        }
        Ok(thread)
    }
}

/// When it arrived: by the server's clock, which no sender can set. History has its own dates; the
/// server's or the file's is only the day it was copied.
fn received_at(origin: Origin, one: &Opened, read: &Read) -> Time {
    match (origin, one.internal_at, read.letter.date) {
        (Origin::History | Origin::Sent, _, Some(date)) | (_, Time(0), Some(date)) => Time(date.at),
        (_, at, _) => at,
    }
}

/// How often a batch that met somebody else's transaction is filed again at once.
const MOST_REPEATS: usize = 3;
