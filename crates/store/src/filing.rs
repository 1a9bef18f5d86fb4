//! What a filing reads before the decision and writes after it.
//!
//! A filing is one transaction over a batch of letters. It reads for the whole batch at once
//! (`seen`, `threads_by_ids`, `directory`), then collects rows per table in [`Writes`] and writes
//! them in one hop per table: with a round trip per statement PostgreSQL files some hundred messages
//! a second, in batches thousands. [`LOCK`] lets one filing run at a time, so that two mails of one
//! thread that arrive in two mailboxes at the same moment cannot both begin it.

mod merge;

pub use merge::merge_threads;

use crate::params;
use crate::search::{self, IndexRow};
use crate::sql::{Error, Params, Row, Sql, Tx};
use crate::{counters, folders::Folder};
use model::{AfterFiling, MailboxId, MessageId, OccurrenceId, RecordId, ThreadId, Time};
use std::collections::{BTreeSet, HashMap};

/// Name of the lock all filings share.
pub const LOCK: i64 = 0x4c63_0001;

/// First 16 bytes of the BLAKE3 of a Message-ID: what threads are found by.
pub type MidHash = [u8; 16];

/// Shortens a Message-ID to what is indexed; ids of any length cost the same.
pub fn mid_hash(mid: &str) -> MidHash {
    let hash = blake3::hash(mid.as_bytes());
    hash.as_bytes()[..16].try_into().expect("a BLAKE3 hash has 32 bytes")
}

/// Messages that are on the shelf already, by identity.
pub async fn seen(
    sql: &mut impl Sql,
    identities: &[[u8; 32]],
) -> Result<HashMap<[u8; 32], (MessageId, ThreadId)>, Error> {
    let asked = identities.iter().map(|identity| params![*identity]).collect();
    let found = sql.query_many("SELECT id, thread_id FROM messages WHERE identity = $1", asked).await?;
    let mut out = HashMap::new();
    for (identity, rows) in identities.iter().zip(found) {
        if let Some(row) = rows.first() {
            out.insert(*identity, (row.get(0)?, row.get(1)?));
        }
    }
    Ok(out)
}

/// Threads that Message-IDs belong to.
pub async fn threads_by_ids(
    sql: &mut impl Sql,
    mids: &[MidHash],
) -> Result<HashMap<MidHash, ThreadId>, Error> {
    let asked = mids.iter().map(|mid| params![mid.to_vec()]).collect();
    let found = sql.query_many("SELECT thread_id FROM thread_ids WHERE mid = $1", asked).await?;
    let mut out = HashMap::new();
    for (mid, rows) in mids.iter().zip(found) {
        if let Some(row) = rows.first() {
            out.insert(*mid, row.get(0)?);
        }
    }
    Ok(out)
}

/// A thread as a filing changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadState {
    /// The thread.
    pub id: ThreadId,
    /// Whether it is on the shelf yet.
    pub is_new: bool,
    /// Subject of its first message.
    pub subject: String,
    /// Beginning of its newest message.
    pub snippet: String,
    /// Who wrote last from outside (or at all, where nobody did).
    pub from_name: String,
    /// That person's address.
    pub from_address: String,
    /// Whether anybody outside wrote in it.
    pub has_in: bool,
    /// Arrival of the oldest message.
    pub first_at: Time,
    /// Arrival of the newest message.
    pub last_at: Time,
    /// The message filed last.
    pub last_message: MessageId,
    /// How many messages it has.
    pub messages: i64,
    /// How many attachments they have.
    pub attachments: i64,
    /// Its case.
    pub case: Option<CaseState>,
    /// Records linked to it, the case included.
    pub records: Vec<RecordId>,
}

/// A thread's case as a filing sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseState {
    /// The record.
    pub id: RecordId,
    /// Its number.
    pub number: i64,
    /// Its status' word.
    pub status: String,
    /// Its assignee.
    pub assignee: Option<i64>,
}

/// The present state of threads.
pub async fn thread_states(sql: &mut impl Sql, ids: &[ThreadId]) -> Result<Vec<ThreadState>, Error> {
    let asked = || ids.iter().map(|id| params![*id]).collect::<Vec<_>>();
    let threads = sql
        .query_many(
            "SELECT t.id, t.subject, t.snippet, t.from_name, t.from_address, t.first_at, t.last_at, t.last_message_id, t.messages, t.attachments,
                    r.id, r.number, r.status, r.assignee_id,
                    EXISTS (SELECT 1 FROM messages m WHERE m.thread_id = t.id AND m.direction = 'in')
             FROM threads t LEFT JOIN records r ON r.id = t.case_id WHERE t.id = $1",
            asked(),
        )
        .await?;
    let links =
        sql.query_many("SELECT record_id FROM links WHERE thread_id = $1 ORDER BY id", asked()).await?;
    threads
        .iter()
        .zip(links)
        .filter_map(|(rows, links)| rows.first().map(|row| thread_state(row, &links)))
        .collect()
}

fn thread_state(row: &Row, links: &[Row]) -> Result<ThreadState, Error> {
    let case = match row.get::<Option<i64>>(10)? {
        None => None,
        Some(id) => Some(CaseState {
            id: RecordId(id),
            number: row.get(11)?,
            status: row.get(12)?,
            assignee: row.get(13)?,
        }),
    };
    Ok(ThreadState {
        id: row.get(0)?,
        is_new: false,
        subject: row.get(1)?,
        snippet: row.get(2)?,
        from_name: row.get(3)?,
        from_address: row.get(4)?,
        has_in: row.get(14)?,
        first_at: Time(row.get(5)?),
        last_at: Time(row.get(6)?),
        last_message: row.get(7)?,
        messages: row.get(8)?,
        attachments: row.get(9)?,
        case,
        records: links.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?,
    })
}

/// A record that an address or a domain belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The record.
    pub record: RecordId,
    /// Its name.
    pub name: String,
    /// Its account, if it has one.
    pub account: Option<RecordId>,
}

/// Records by address (lower case).
pub async fn by_addresses(
    sql: &mut impl Sql,
    addresses: &[String],
) -> Result<HashMap<String, Vec<Match>>, Error> {
    let text =
        "SELECT r.id, r.name, r.account_id FROM record_addresses a JOIN records r ON r.id = a.record_id
                WHERE a.address = $1 AND r.merged_into IS NULL ORDER BY r.id LIMIT 10";
    matches(sql, text, addresses).await
}

/// Accounts by domain (lower case).
pub async fn by_domains(
    sql: &mut impl Sql,
    domains: &[String],
) -> Result<HashMap<String, Vec<Match>>, Error> {
    let text = "SELECT r.id, r.name, r.account_id FROM record_domains d JOIN records r ON r.id = d.record_id
                WHERE d.domain = $1 AND r.merged_into IS NULL ORDER BY r.id LIMIT 10";
    matches(sql, text, domains).await
}

async fn matches(
    sql: &mut impl Sql,
    text: &str,
    keys: &[String],
) -> Result<HashMap<String, Vec<Match>>, Error> {
    let found = sql.query_many(text, keys.iter().map(|key| params![key]).collect()).await?;
    let mut out = HashMap::new();
    for (key, rows) in keys.iter().zip(found) {
        if rows.is_empty() {
            continue;
        }
        let one = |row: &Row| Ok(Match { record: row.get(0)?, name: row.get(1)?, account: row.get(2)? });
        out.insert(key.clone(), rows.iter().map(one).collect::<Result<_, Error>>()?);
    }
    Ok(out)
}

/// Users by one of their addresses (lower case).
pub async fn users_by_addresses(
    sql: &mut impl Sql,
    addresses: &[String],
) -> Result<HashMap<String, Vec<i64>>, Error> {
    let asked = addresses.iter().map(|address| params![address]).collect();
    let found = sql.query_many("SELECT user_id FROM user_addresses WHERE address = $1", asked).await?;
    let mut out = HashMap::new();
    for (address, rows) in addresses.iter().zip(found) {
        if !rows.is_empty() {
            out.insert(address.clone(), rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?);
        }
    }
    Ok(out)
}

/// Addresses of all mailboxes, lower case: what is "ours".
pub async fn our_addresses(sql: &mut impl Sql) -> Result<Vec<String>, Error> {
    let rows = sql.query("SELECT DISTINCT address FROM mailboxes", params![]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The labels a message has in the index: its mailboxes, its users, whether it has attachments.
pub async fn labels(sql: &mut impl Sql, message: MessageId) -> Result<Vec<String>, Error> {
    let rows = sql
        .query(
            "SELECT DISTINCT 'm' || o.mailbox_id FROM occurrences o WHERE o.message_id = $1
             UNION SELECT DISTINCT 'u' || a.user_id FROM participants p JOIN user_addresses a ON a.address = p.address WHERE p.message_id = $1
             UNION SELECT 'hasattachment' FROM messages m WHERE m.id = $1 AND m.attachments > 0",
            params![message],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// An occurrence that waits to be filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The occurrence.
    pub id: OccurrenceId,
    /// How often filing it was begun.
    pub attempts: i64,
    /// When the server says it arrived.
    pub internal_at: Time,
}

/// Up to `limit` kept occurrences of a folder with an id above `after`, oldest first.
pub async fn waiting(
    sql: &mut impl Sql,
    folder: &Folder,
    after: OccurrenceId,
    limit: i64,
) -> Result<Vec<Waiting>, Error> {
    let rows = sql
        .query(
            "SELECT id, attempts, internal_at FROM occurrences WHERE folder_id = $1 AND state = 'kept' AND id > $2 ORDER BY id LIMIT $3",
            params![folder.id, after, limit],
        )
        .await?;
    rows.iter()
        .map(|row| Ok(Waiting { id: row.get(0)?, attempts: row.get(1)?, internal_at: Time(row.get(2)?) }))
        .collect()
}

/// Which of these occurrences still wait: another process may have filed some.
pub async fn still_waiting(tx: &mut Tx, ids: &[OccurrenceId]) -> Result<Vec<bool>, Error> {
    let asked = ids.iter().map(|id| params![*id]).collect();
    let found = tx.query_many("SELECT 1 FROM occurrences WHERE id = $1 AND state = 'kept'", asked).await?;
    Ok(found.iter().map(|rows| !rows.is_empty()).collect())
}

/// Counts one more attempt at filing these, before it is made.
pub async fn begin_attempt(tx: &mut Tx, ids: &[OccurrenceId]) -> Result<(), Error> {
    let rows = ids.iter().map(|id| params![*id]).collect();
    tx.execute_many("UPDATE occurrences SET attempts = attempts + 1 WHERE id = $1", rows).await.map(drop)
}

/// Puts a kept occurrence aside with its reason; its bytes stay, the server is not touched.
pub async fn quarantine(tx: &mut Tx, id: OccurrenceId, reason: &str) -> Result<(), Error> {
    tx.execute("UPDATE occurrences SET state = 'quarantined', reason = $2 WHERE id = $1", params![id, reason])
        .await
        .map(drop)
}

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
    links: Vec<Params>,
    cases: Vec<Params>,
    reopened: Vec<Params>,
    stream: Vec<Params>,
    touched_records: Vec<Params>,
    filed: Vec<Params>,
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
    /// History is nobody's unread mail.
    pub history: bool,
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

/// A case to be written.
#[derive(Clone, Debug)]
pub struct NewCase {
    /// Its name: the subject.
    pub name: String,
    /// The name as it is searched.
    pub folded: String,
    /// The letter's text, cut.
    pub description: String,
    /// The account it concerns.
    pub account: Option<RecordId>,
    /// Its process.
    pub process: Option<i64>,
    /// Its team.
    pub team: Option<i64>,
}

impl Writes {
    /// Takes ids for `n` letters: as many as their plans can need. Links and entries of streams, which
    /// a letter can have any number of, get theirs when they are written.
    pub async fn reserve(&mut self, tx: &mut Tx, n: i64) -> Result<(), Error> {
        for name in ["messages", "threads", "records"] {
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

    /// Begins a thread.
    pub fn begin_thread(&mut self, subject: &str, at: Time) -> Result<ThreadId, Error> {
        let id = ThreadId(self.id("threads")?);
        let state = ThreadState {
            id,
            is_new: true,
            subject: subject.to_owned(),
            snippet: String::new(),
            from_name: String::new(),
            from_address: String::new(),
            has_in: false,
            first_at: at,
            last_at: at,
            last_message: MessageId(0),
            messages: 0,
            attachments: 0,
            case: None,
            records: Vec::new(),
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
        if !message.history {
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
            at.0
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

    /// Links a record to a thread unless it is; returns whether it was new.
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
        if state.records.contains(&record) {
            return Ok(false);
        }
        state.records.push(record);
        self.links.push(params![record, thread, message, reason, detail, confidence, at.0]);
        Ok(true)
    }

    /// Creates a thread's case.
    pub async fn case(
        &mut self,
        tx: &mut Tx,
        thread: ThreadId,
        case: NewCase,
        at: Time,
    ) -> Result<RecordId, Error> {
        let id = self.id("records")?;
        let number = counters::take(tx, "case_number", 1).await?;
        let record = RecordId(id);
        self.cases.push(params![
            id,
            case.name,
            case.folded,
            case.account,
            case.description,
            at.0,
            number,
            case.process,
            case.team
        ]);
        self.thread_mut(thread)?.case =
            Some(CaseState { id: record, number, status: "open".into(), assignee: None });
        self.note(record, thread, "case_created", None, at);
        self.changes.insert(("case", id, thread.0, "created"));
        Ok(record)
    }

    /// Opens a thread's case again: for all threads that belong to it.
    pub fn reopen(&mut self, thread: ThreadId, at: Time) -> Result<(), Error> {
        let Some(record) = self.thread_mut(thread)?.case.as_ref().map(|case| case.id) else {
            return Ok(());
        };
        for case in self.threads.values_mut().filter_map(|thread| thread.case.as_mut()) {
            if case.id == record {
                case.status = "open".into();
            }
        }
        self.reopened.push(params![record, at.0]);
        self.changes.insert(("case", record.0, thread.0, "reopened"));
        self.note(record, thread, "reopened", None, at);
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
        let kind = if direction == "out" { "message_out" } else { "message_in" };
        let records = self.thread_mut(thread)?.records.clone();
        for record in records.into_iter().take(MOST_STREAMS) {
            self.note(record, thread, kind, Some(message), at);
            self.touched_records.push(params![record, received.0]);
        }
        Ok(())
    }

    fn note(&mut self, record: RecordId, thread: ThreadId, kind: &str, message: Option<MessageId>, at: Time) {
        self.stream.push(params![record, thread, kind, message, at.0, "", "{}"]);
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

    /// Writes everything collected, and forgets it; the known threads stay known.
    pub async fn flush(&mut self, tx: &mut Tx, at: Time) -> Result<(), Error> {
        self.flush_threads(tx).await?;
        let insert = [
            (
                "INSERT INTO messages (id, identity, thread_id, direction, mid, in_reply_to, refs, subject, from_name, from_address, sent_at, received_at, size_bytes, snippet, has_html, attachments, marks, plan, filed_at) VALUES",
                "",
                std::mem::take(&mut self.messages),
            ),
            (
                "INSERT INTO participants (message_id, role, position, name, address) VALUES",
                "",
                std::mem::take(&mut self.participants),
            ),
            (
                "INSERT INTO attachments (message_id, position, name, content_type, content_id, size_bytes, hash, inline) VALUES",
                "",
                std::mem::take(&mut self.attachments),
            ),
            (
                "INSERT INTO thread_ids (mid, thread_id) VALUES",
                "ON CONFLICT DO NOTHING",
                std::mem::take(&mut self.thread_ids),
            ),
        ];
        for (head, tail, rows) in insert {
            tx.insert_many(head, tail, rows).await?;
        }
        self.flush_records(tx).await?;
        self.flush_access(tx).await?;
        search::index(tx, std::mem::take(&mut self.index)).await?;
        tx.execute_many("UPDATE occurrences SET state = 'filed', reason = NULL, message_id = $2, settle = $3 WHERE id = $1", std::mem::take(&mut self.filed))
            .await?;
        self.flush_changes(tx, at).await
    }

    async fn flush_threads(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for id in std::mem::take(&mut self.dirty) {
            let Some(thread) = self.threads.get_mut(&id) else {
                continue;
            };
            let is_new = std::mem::replace(&mut thread.is_new, false);
            if thread.messages > 1 {
                self.moved.push(params![thread.id, thread.last_at.0]);
            }
            let rows = if is_new { &mut new } else { &mut changed };
            rows.push(thread_row(thread));
        }
        let head = "INSERT INTO threads (id, subject, snippet, from_name, from_address, first_at, last_at, last_message_id, messages, attachments, links, case_id, case_status, assignee_id) VALUES";
        tx.insert_many(head, "", new).await?;
        tx.execute_many(
            "UPDATE threads SET subject = $2, snippet = $3, from_name = $4, from_address = $5, first_at = $6, last_at = $7, last_message_id = $8, messages = $9,
               attachments = $10, links = $11, case_id = $12, case_status = $13, assignee_id = $14 WHERE id = $1",
            changed,
        )
        .await
        .map(drop)
    }

    async fn flush_records(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let cases = std::mem::take(&mut self.cases).into_iter().map(case_row).collect();
        let head = "INSERT INTO records (id, kind, name, folded, account_id, fields, description, created_at, updated_at, last_at, version, number, status, priority, process_id, team_id) VALUES";
        tx.insert_many(head, "", cases).await?;
        let head = "INSERT INTO links (id, record_id, thread_id, message_id, reason, detail, confidence, created_at) VALUES";
        let links = numbered(tx, "links", std::mem::take(&mut self.links)).await?;
        tx.insert_many(head, "ON CONFLICT DO NOTHING", links).await?;
        let reopened = std::mem::take(&mut self.reopened);
        let cases = reopened.iter().map(|row| row[..1].to_vec()).collect();
        tx.execute_many(
            "UPDATE records SET status = 'open', closed_at = NULL, updated_at = $2, version = version + 1 WHERE id = $1",
            reopened,
        )
        .await?;
        tx.execute_many("UPDATE threads SET case_status = 'open' WHERE case_id = $1", cases).await?;
        let stream = numbered(tx, "stream", std::mem::take(&mut self.stream)).await?;
        tx.insert_many(
            "INSERT INTO stream (id, record_id, thread_id, kind, message_id, at, body, data) VALUES",
            "",
            stream,
        )
        .await?;
        tx.execute_many(
            "UPDATE records SET last_at = $2 WHERE id = $1 AND last_at < $2",
            std::mem::take(&mut self.touched_records),
        )
        .await
        .map(drop)
    }

    async fn flush_access(&mut self, tx: &mut Tx) -> Result<(), Error> {
        tx.insert_many(
            "INSERT INTO thread_access (token, thread_id, last_at) VALUES",
            "ON CONFLICT (token, thread_id) DO UPDATE SET last_at = excluded.last_at WHERE thread_access.last_at < excluded.last_at",
            last_of_each(std::mem::take(&mut self.access)),
        )
        .await?;
        // A message that came through one mailbox moves the thread up in the lists of all.
        let text = "UPDATE thread_access SET last_at = $2 WHERE thread_id = $1 AND last_at < $2";
        tx.execute_many(text, std::mem::take(&mut self.moved)).await.map(drop)
    }

    async fn flush_changes(&mut self, tx: &mut Tx, at: Time) -> Result<(), Error> {
        let changes = std::mem::take(&mut self.changes);
        let first = counters::take(tx, "changes", changes.len() as i64).await?;
        let rows = changes
            .into_iter()
            .zip(first..)
            .map(|((kind, entity, thread, action), id)| {
                let thread = (thread != 0).then_some(thread);
                params![id, kind, entity, thread, action, at.0]
            })
            .collect();
        tx.insert_many("INSERT INTO changes (id, kind, entity_id, thread_id, action, at) VALUES", "", rows)
            .await?;
        tx.notify();
        Ok(())
    }
}

/// Rows with ids before them.
async fn numbered(tx: &mut Tx, name: &'static str, rows: Vec<Params>) -> Result<Vec<Params>, Error> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let first = counters::take(tx, name, rows.len() as i64).await?;
    let with_id = |(id, row): (i64, Params)| params![id].into_iter().chain(row).collect();
    Ok((first..).zip(rows).map(with_id).collect())
}

/// Records whose streams note a message. A thread linked to more is linked by mistake or attack.
const MOST_STREAMS: usize = 40;

/// PostgreSQL refuses to update one row twice in one INSERT … ON CONFLICT: the last of each key stays.
fn last_of_each(rows: Vec<Params>) -> Vec<Params> {
    let mut places: Vec<Params> = Vec::with_capacity(rows.len());
    for row in rows {
        match places.iter_mut().rfind(|other| other[..2] == row[..2]) {
            Some(other) => *other = row,
            None => places.push(row),
        }
    }
    places
}

fn thread_row(thread: &ThreadState) -> Params {
    let case = thread.case.as_ref();
    params![
        thread.id,
        thread.subject.as_str(),
        thread.snippet.as_str(),
        thread.from_name.as_str(),
        thread.from_address.as_str(),
        thread.first_at.0,
        thread.last_at.0,
        thread.last_message,
        thread.messages,
        thread.attachments,
        thread.records.len() as i64,
        case.map(|case| case.id),
        case.map(|case| case.status.as_str()),
        case.and_then(|case| case.assignee)
    ]
}

/// From what [`Writes::case`] collects to a row of `records`.
fn case_row(case: Params) -> Params {
    let mut case = case.into_iter();
    let mut take = || case.next().unwrap_or_default();
    let (id, name, folded, account, description, at, number, process, team) =
        (take(), take(), take(), take(), take(), take(), take(), take(), take());
    let mut row = vec![id];
    row.extend(params!["case"]);
    row.extend([name, folded, account]);
    row.extend(params!["[]"]);
    row.extend([description, at.clone(), at.clone(), at]);
    row.extend(params![1_i64]);
    row.push(number);
    row.extend(params!["open", "normal"]);
    row.extend([process, team]);
    row
}
