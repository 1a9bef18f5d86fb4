//! Recall, decide, write: one transaction over a batch of letters.

use super::open::{Opened, Read, panic_reason};
use super::recall::{self, Recalled};
use super::{Channel, Filed, Receive};
use intake::plan::{CasePlan, Origin, Plan, Seen, ThreadPlan};
use mail::Letter;
use model::{LinkReason, MessageId, OccurrenceId, QuarantineReason, ThreadId, Time};
use std::collections::{BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use store::filing::{self, NewAttachment, NewCase, NewMessage, Writes};
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
    batch: Vec<Opened>,
) -> Result<Filed, Error> {
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
            Ok(Filed { filed: 0, quarantined: 1 })
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
    let mut round = Round {
        at: receive.desk.clock.now(),
        channel,
        folder,
        writes: Writes::default(),
        done: Filed::default(),
        brought: HashSet::new(),
    };
    round.writes.reserve(&mut tx, waiting.len() as i64).await?;
    let mut recalled = recall::recall(&mut tx, &mut round.writes, batch).await?;
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
    /// Messages that were moved here from another mailbox: history, however new the folder.
    brought: HashSet<MessageId>,
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
        let mut known = recalled.known(self.channel, read, &self.writes);
        if known.seen.is_some_and(|seen| self.brought.contains(&seen.message)) {
            known.origin = Origin::History;
        }
        let decided = catch_unwind(AssertUnwindSafe(|| intake::decide(&read.letter, &known)));
        let plan = match decided {
            Ok(plan) => plan,
            Err(panic) => return self.aside(tx, id, &panic_reason(&*panic)).await,
        };
        let seen = self.carry_out(tx, recalled, one, read, &plan).await?;
        recalled.remember(read, seen);
        self.writes.filed(id, seen.message, self.folder.after_filing);
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
        one: &Opened,
        read: &Read,
        plan: &Plan,
    ) -> Result<Seen, Error> {
        let thread = self.thread(tx, recalled, one, read, plan).await?;
        let message = match plan.seen {
            Some(seen) => seen.message,
            None => self.message(thread, one, read, plan)?,
        };
        self.show(recalled, thread, read)?;
        for link in &plan.links {
            self.link(thread, link.record, message, link.reason, &link.detail)?;
        }
        self.case(tx, thread, message, read, plan).await?;
        if plan.seen.is_none() {
            self.writes.note_message(
                thread,
                message,
                plan.direction.word(),
                received_at(self.channel.origin, one, read),
                self.at,
            )?;
        }
        Ok(Seen { message, thread })
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
            ThreadPlan::New => {
                self.writes.begin_thread(&read.letter.subject, received_at(self.channel.origin, one, read))?
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
                *into
            }
        };
        if plan.seen.is_none() {
            self.writes.ids_of_thread(thread, read.mids.iter().copied());
        }
        Ok(thread)
    }

    fn message(
        &mut self,
        thread: ThreadId,
        one: &Opened,
        read: &Read,
        plan: &Plan,
    ) -> Result<MessageId, Error> {
        let letter = &read.letter;
        let received_at = received_at(self.channel.origin, one, read);
        let writer = letter.from.first();
        let message = NewMessage {
            identity: read.identity,
            direction: plan.direction.word(),
            mid: letter.message_id.clone().unwrap_or_default(),
            in_reply_to: letter.in_reply_to.first().cloned().unwrap_or_default(),
            refs: letter.references.join(" "),
            subject: letter.subject.clone(),
            from_name: writer.and_then(|writer| writer.name.clone()).unwrap_or_default(),
            from_address: writer.map(|writer| writer.address.clone()).unwrap_or_default(),
            sent_at: letter.date.map_or(received_at, |date| Time(date.at)),
            received_at,
            size_bytes: one.size_bytes,
            snippet: read.snippet.clone(),
            has_html: read.has_html,
            marks: read.marks.clone(),
            plan: serde_json::to_string(&plan.steps).unwrap_or_default(),
            participants: participants(letter),
            attachments: attachments(letter),
            index: read.index.clone(),
            history: self.channel.origin != Origin::Live,
        };
        self.writes.message(thread, message, self.at)
    }

    /// Lets those see it who may: the mailbox's people, and users whose address is on it.
    fn show(&mut self, recalled: &Recalled, thread: ThreadId, read: &Read) -> Result<(), Error> {
        self.writes.access(thread, &format!("m{}", self.channel.id))?;
        let users: BTreeSet<i64> = recall::addresses(read)
            .filter_map(|address| recalled.users.get(&address))
            .flatten()
            .copied()
            .collect();
        users.into_iter().try_for_each(|user| self.writes.access(thread, &format!("u{user}")))
    }

    fn link(
        &mut self,
        thread: ThreadId,
        record: model::RecordId,
        message: MessageId,
        reason: LinkReason,
        detail: &str,
    ) -> Result<bool, Error> {
        self.writes.link(thread, record, message, reason.word(), detail, reason.confidence(), self.at)
    }

    async fn case(
        &mut self,
        tx: &mut Tx,
        thread: ThreadId,
        message: MessageId,
        read: &Read,
        plan: &Plan,
    ) -> Result<(), Error> {
        match plan.case {
            CasePlan::None => Ok(()),
            CasePlan::Note { reopen: false, .. } => Ok(()),
            CasePlan::Note { reopen: true, .. } => self.writes.reopen(thread, self.at),
            CasePlan::Create => {
                let account = plan
                    .links
                    .iter()
                    .find(|link| link.reason == LinkReason::ContactOf || link.reason == LinkReason::Domain);
                let case = NewCase {
                    name: read.letter.subject.clone(),
                    folded: read.index.subject.clone(),
                    description: cut(&mail::quote::reply_text(&read.letter.text), DESCRIPTION_BYTES)
                        .to_owned(),
                    account: account.map(|link| link.record),
                    process: self.channel.mailbox.process.map(|id| id.0),
                    team: self.channel.mailbox.team.map(|id| id.0),
                };
                let case = self.writes.case(tx, thread, case, self.at).await?;
                self.link(thread, case, message, LinkReason::CreatedCase, &read.letter.subject).map(drop)
            }
        }
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

fn participants(letter: &Letter) -> Vec<(&'static str, String, String)> {
    let roles = [
        ("from", &letter.from),
        ("sender", &letter.sender),
        ("reply_to", &letter.reply_to),
        ("to", &letter.to),
        ("cc", &letter.cc),
        ("bcc", &letter.bcc),
    ];
    let all = roles.into_iter().flat_map(|(role, people)| people.iter().map(move |person| (role, person)));
    all.take(MOST_PARTICIPANTS)
        .map(|(role, person)| (role, person.name.clone().unwrap_or_default(), person.key()))
        .collect()
}

fn attachments(letter: &Letter) -> Vec<NewAttachment> {
    let one = |part: &mail::Attachment| NewAttachment {
        name: part.name.clone().unwrap_or_default(),
        content_type: part.content_type.clone(),
        content_id: part.content_id.clone().unwrap_or_default(),
        size_bytes: part.size_bytes,
        hash: part.hash,
        inline: part.inline,
    };
    letter.attachments.iter().take(MOST_ATTACHMENTS).map(one).collect()
}

/// The longest beginning of at most `most` bytes that ends between characters.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// How often a batch that met somebody else's transaction is filed again at once.
const MOST_REPEATS: usize = 3;
/// Most of a case's description; the whole text is in the message.
const DESCRIPTION_BYTES: usize = 4000;
/// Rows of people per message; further ones are in the bytes and in the index.
const MOST_PARTICIPANTS: usize = 1000;
/// Rows of attachments per message; further ones are in the bytes.
const MOST_ATTACHMENTS: usize = 1000;
