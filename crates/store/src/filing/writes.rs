//! What a batch of plans writes, collected per table and written in one hop per table.

mod cases;
mod flush;
mod rules;
mod spoke;

pub use spoke::Voice;

pub(crate) use cases::waits_for;
pub use cases::{Assign, NewCase};

use super::{MidHash, ThreadState};
use crate::counters;
use crate::params;
use crate::search::IndexRow;
use crate::sql::{Error, Params, Tx};
use model::{
    AfterFiling, LinkReason, MailboxId, MessageId, OccurrenceId, RecordId, ThreadId, Time, Unverified,
    UserId, Verdict,
};
use std::collections::{BTreeSet, HashMap};

/// Everything a batch of plans writes, per table. Ids are taken from blocks that [`Writes::reserve`]
/// takes for the whole batch.
#[derive(Default)]
pub struct Writes {
    threads: HashMap<ThreadId, ThreadState>,
    dirty: BTreeSet<ThreadId>,
    messages: Vec<Params>,
    participants: Vec<Params>,
    attachments: Vec<Params>,
    thread_ids: Vec<Params>,
    access: Vec<Params>,
    moved: Vec<Params>,
    /// Threads that others may be in charge of now.
    charged: BTreeSet<ThreadId>,
    links: Vec<Params>,
    suggestions: Vec<Params>,
    cases: Vec<Params>,
    case_changes: Vec<(&'static str, Params)>,
    given: HashMap<UserId, i64>,
    stream: Vec<Params>,
    touched_records: Vec<Params>,
    heard: Vec<Params>,
    answered: Vec<Params>,
    first_answers: Vec<Params>,
    writers: Vec<Params>,
    filed: Vec<Params>,
    rules: rules::RuleWrites,
    index: Vec<IndexRow>,
    changes: BTreeSet<(&'static str, i64, i64, &'static str)>,
    next: HashMap<&'static str, std::ops::Range<i64>>,
}

/// A message to be written.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Its identity.
    pub identity: [u8; 32],
    /// "in" or "out".
    pub direction: &'static str,
    /// Message-ID or "".
    pub mid: String,
    /// In-Reply-To or "".
    pub in_reply_to: String,
    /// References, separated by blanks.
    pub refs: String,
    /// Subject.
    pub subject: String,
    /// The writer's name.
    pub from_name: String,
    /// The writer's address.
    pub from_address: String,
    /// The header's date, or the server's.
    pub sent_at: Time,
    /// When it arrived.
    pub received_at: Time,
    /// Size as sent.
    pub size_bytes: u64,
    /// Beginning of what its writer wrote.
    pub snippet: String,
    /// Whether it has an HTML body.
    pub has_html: bool,
    /// JSON marks: bounce, auto_reply, list_id, defects.
    pub marks: String,
    /// JSON steps of the plan.
    pub plan: String,
    /// (role, name, address in lower case)
    pub participants: Vec<(&'static str, String, String)>,
    /// Its attachments.
    pub attachments: Vec<NewAttachment>,
    /// Its place in the index, without labels.
    pub index: IndexText,
    /// It is nobody's unread mail: history, and what a rule marks read.
    pub read: bool,
    /// What the mailbox's own server says of its writer.
    pub auth: Verdict,
    /// Why its place in the thread is not to be trusted.
    pub unverified: Option<Unverified>,
    /// The message that it, a bounce, speaks of.
    pub bounce_of: Option<MessageId>,
}

/// A link to be suggested.
#[derive(Clone, Debug)]
pub struct NewSuggestion<'a> {
    /// The record.
    pub record: RecordId,
    /// The message that suggests it.
    pub message: MessageId,
    /// Why.
    pub reason: LinkReason,
    /// What matched.
    pub detail: &'a str,
    /// How sure it is, in percent.
    pub confidence: i64,
}

/// What the index is told of a letter: folded text.
#[derive(Clone, Debug, Default)]
pub struct IndexText {
    /// Subject.
    pub subject: String,
    /// Writers.
    pub from: String,
    /// Recipients.
    pub to: String,
    /// Text and names of attachments.
    pub body: String,
}

impl IndexText {
    fn row(self, message_id: MessageId, has_attachment: bool) -> IndexRow {
        IndexRow {
            message_id,
            subject: self.subject,
            from: self.from,
            to: self.to,
            body: self.body,
            has_attachment,
        }
    }
}

/// An attachment to be written.
#[derive(Clone, Debug)]
pub struct NewAttachment {
    /// Name or "".
    pub name: String,
    /// `type/subtype`.
    pub content_type: String,
    /// Content-ID or "".
    pub content_id: String,
    /// Size of the decoded bytes.
    pub size_bytes: u64,
    /// BLAKE3 of the decoded bytes.
    pub hash: [u8; 32],
    /// Meant to be shown inside the text.
    pub inline: bool,
}

impl Writes {
    /// Takes ids for `n` letters: as many as their plans can need. Links and entries of streams, which
    /// a letter can have any number of, get theirs when they are written.
    pub async fn reserve(&mut self, tx: &mut Tx, n: i64) -> Result<(), Error> {
        // A letter may be answered at once: that is a message too.
        for (name, n) in [("messages", 2 * n), ("threads", n), ("records", n)] {
            let first = counters::take(tx, name, n).await?;
            self.next.insert(name, first..first + n);
        }
        Ok(())
    }

    fn id(&mut self, name: &'static str) -> Result<i64, Error> {
        let next = self.next.get_mut(name).and_then(Iterator::next);
        next.ok_or_else(|| {
            Error::Other(format!("a batch of letters needs more ids for {name} than were reserved"))
        })
    }

    /// The threads of this batch as they stand.
    pub fn thread(&self, id: ThreadId) -> Option<&ThreadState> {
        self.threads.get(&id)
    }

    /// Takes in threads as they are on the shelf; those already here are newer and stay.
    pub fn know(&mut self, states: Vec<ThreadState>) {
        for state in states {
            self.threads.entry(state.id).or_insert(state);
        }
    }

    /// Forgets the threads, after [`Writes::flush`]: some were changed behind this batch's back. Returns
    /// which have to be read again.
    pub fn forget_threads(&mut self) -> Vec<ThreadId> {
        self.dirty.clear();
        self.threads.drain().map(|(id, _)| id).collect()
    }

    /// Begins a thread, which never becomes one with `parted_from` by itself.
    pub fn begin_thread(
        &mut self,
        subject: &str,
        parted_from: Option<ThreadId>,
        at: Time,
    ) -> Result<ThreadId, Error> {
        let id = ThreadId(self.id("threads")?);
        let state = ThreadState {
            id,
            is_new: true,
            subject: subject.to_owned(),
            snippet: String::new(),
            from_name: String::new(),
            from_address: String::new(),
            has_in: false,
            has_out: false,
            parted_from,
            first_at: at,
            last_at: at,
            last_message: MessageId(0),
            messages: 0,
            attachments: 0,
            case: None,
            holder: None,
            team: None,
            records: Vec::new(),
            dismissed: Vec::new(),
        };
        self.threads.insert(id, state);
        self.dirty.insert(id);
        Ok(id)
    }

    fn thread_mut(&mut self, id: ThreadId) -> Result<&mut ThreadState, Error> {
        self.dirty.insert(id);
        self.threads
            .get_mut(&id)
            .ok_or_else(|| Error::Other(format!("thread {id} is used before it was read")))
    }

    /// Adds a message to a thread, and a note of it to the streams of the thread's records.
    pub fn message(&mut self, thread: ThreadId, message: NewMessage, at: Time) -> Result<MessageId, Error> {
        let id = MessageId(self.id("messages")?);
        let state = self.thread_mut(thread)?;
        state.messages += 1;
        state.attachments += message.attachments.len() as i64;
        if !message.read {
            state.last_message = state.last_message.max(id);
        }
        if message.received_at < state.first_at {
            // The question came after its answer.
            state.first_at = message.received_at;
            state.subject.clone_from(&message.subject);
        }
        let is_newest = message.received_at >= state.last_at;
        if is_newest || state.snippet.is_empty() {
            state.last_at = state.last_at.max(message.received_at);
            state.snippet.clone_from(&message.snippet);
        }
        let is_in = message.direction == "in";
        if state.from_address.is_empty() || (is_in && (is_newest || !state.has_in)) {
            state.from_name.clone_from(&message.from_name);
            state.from_address.clone_from(&message.from_address);
        }
        state.has_in |= is_in;
        state.has_out |= !is_in;
        self.rows_of_message(id, thread, message, at);
        self.changes.insert(("thread", thread.0, thread.0, "message"));
        Ok(id)
    }

    fn rows_of_message(&mut self, id: MessageId, thread: ThreadId, message: NewMessage, at: Time) {
        for (position, (role, name, address)) in message.participants.into_iter().enumerate() {
            self.participants.push(params![id, role, position as i64, name, address]);
        }
        let attachments = message.attachments.len() as i64;
        for (position, part) in message.attachments.into_iter().enumerate() {
            let place = params![id, position as i64, part.name, part.content_type, part.content_id];
            let bytes = params![part.size_bytes as i64, part.hash, part.inline];
            self.attachments.push(place.into_iter().chain(bytes).collect());
        }
        self.index.push(message.index.row(id, attachments > 0));
        self.messages.push(params![
            id,
            message.identity,
            thread,
            message.direction,
            message.mid,
            message.in_reply_to,
            message.refs,
            message.subject,
            message.from_name,
            message.from_address,
            message.sent_at.0,
            message.received_at.0,
            message.size_bytes as i64,
            message.snippet,
            message.has_html,
            attachments,
            message.marks,
            message.plan,
            at.0,
            message.auth.word(),
            message.unverified.map_or("", Unverified::word),
            message.bounce_of
        ]);
    }

    /// Says that Message-IDs belong to a thread.
    pub fn ids_of_thread(&mut self, thread: ThreadId, mids: impl IntoIterator<Item = MidHash>) {
        self.thread_ids.extend(mids.into_iter().map(|mid| params![mid.to_vec(), thread]));
    }

    /// Lets the bearers of a token see a thread.
    pub fn access(&mut self, thread: ThreadId, token: &str) -> Result<(), Error> {
        let last_at = self.thread_mut(thread)?.last_at;
        self.access.push(params![token, thread, last_at.0]);
        Ok(())
    }

    /// Links a record to a thread unless it is, or somebody said that it does not belong there; returns whether it
    /// was new.
    #[allow(clippy::too_many_arguments)]
    pub fn link(
        &mut self,
        thread: ThreadId,
        record: RecordId,
        message: MessageId,
        reason: &str,
        detail: &str,
        confidence: i64,
        at: Time,
    ) -> Result<bool, Error> {
        let state = self.thread_mut(thread)?;
        if state.records.contains(&record) || state.dismissed.contains(&record) {
            return Ok(false);
        }
        state.records.push(record);
        self.charged.insert(thread);
        self.links.push(params![record, thread, message, reason, detail, confidence, at.0]);
        Ok(true)
    }

    /// Suggests a record for a thread, unless it was suggested before: what somebody dismissed stays so.
    pub fn suggest(
        &mut self,
        thread: ThreadId,
        suggestion: &NewSuggestion<'_>,
        at: Time,
    ) -> Result<(), Error> {
        let NewSuggestion { record, message, reason, detail, confidence } = *suggestion;
        if !self.thread_mut(thread)?.records.contains(&record) {
            self.suggestions.push(params![thread, record, message, reason.word(), detail, confidence, at.0]);
        }
        Ok(())
    }

    /// Leaves a note of a message in the streams of all records of its thread.
    pub fn note_message(
        &mut self,
        thread: ThreadId,
        message: MessageId,
        direction: &str,
        received: Time,
        at: Time,
    ) -> Result<(), Error> {
        let records = self.thread_mut(thread)?.records.clone();
        self.note_message_in(&records, (thread, message), direction, received, at);
        Ok(())
    }

    /// The same in the streams of these records.
    pub fn note_message_in(
        &mut self,
        records: &[RecordId],
        (thread, message): (ThreadId, MessageId),
        direction: &str,
        received: Time,
        at: Time,
    ) {
        let kind = if direction == "out" { "message_out" } else { "message_in" };
        for record in records.iter().take(MOST_STREAMS) {
            self.note(Some(*record), thread, kind, Some(message), "{}".to_owned(), at);
            self.touched_records.push(params![*record, received.0]);
        }
    }

    /// An entry for the stream; `data` is a JSON object of strings.
    fn note(
        &mut self,
        record: Option<RecordId>,
        thread: ThreadId,
        kind: &str,
        message: Option<MessageId>,
        data: String,
        at: Time,
    ) {
        self.stream.push(params![record, thread, kind, message, at.0, "", data]);
    }

    /// Says that an occurrence is a message now, and what is due on the server.
    pub fn filed(&mut self, occurrence: OccurrenceId, message: MessageId, after: AfterFiling) {
        let settle = if after == AfterFiling::Leave { "none" } else { "due" };
        self.filed.push(params![occurrence, message, settle]);
    }

    /// Says that a mailbox has news, once per batch.
    pub fn mailbox_changed(&mut self, mailbox: MailboxId) {
        self.changes.insert(("mailbox", mailbox.0, 0, "filed"));
    }
}

/// Records whose streams note a message. A thread linked to more is linked by mistake or attack.
const MOST_STREAMS: usize = 40;
