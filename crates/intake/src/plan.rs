//! The plan: what is to be done with a letter, as a value one can print, test and run dry.

use crate::rules::Trial;
use mail::Letter;
use model::{
    Action, CaseStatus, Hit, LinkReason, MailboxKind, MessageId, Priority, ProcessId, RecordId, RecordKind,
    RuleId, TeamId, ThreadId, Time, Unverified, UserId, Verdict,
};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// What the shelf knows that bears on a letter.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// The mailbox the letter came through.
    pub mailbox: &'a Mailbox,
    /// Whether this is today's mail or history.
    pub origin: Origin,
    /// When the letter arrived.
    pub received_at: Time,
    /// The message this letter is another copy of.
    pub seen: Option<Seen>,
    /// Threads that the letter's own id or those it refers to belong to, each once, the nearest first.
    pub threads: Vec<Thread>,
    /// Of history: the thread that the letter, a reply of which no ancestor is there, has in common with its writer's
    /// mail by the subject.
    pub gathered: Option<ThreadId>,
    /// What the mailbox's own server says of the writer.
    pub auth: Verdict,
    /// Of a bounce: the message of ours that it speaks of, and the thread of that.
    pub bounced: Option<Seen>,
    /// Cases whose number stands in the subject or the text.
    pub numbered: Vec<Tied>,
    /// Records that may be matched.
    pub directory: &'a Directory,
    /// Rules that are tried; `None` where there are none.
    pub trial: Option<Trial<'a>>,
}

/// Today's mail has consequences; history is only put on the shelf (A23).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Fetched as it arrives.
    Live,
    /// Imported: no cases, replies or notifications.
    History,
    /// Written by us, whatever its writer's address: from a folder of sent mail. Like history it has no
    /// consequences.
    Sent,
}

/// What intake needs to know of a mailbox.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// A group's or a person's.
    pub kind: MailboxKind,
    /// Its address, lower case.
    pub address: String,
    /// Whether each new thread becomes a case.
    pub create_cases: bool,
    /// The process new cases belong to.
    pub process: Option<ProcessId>,
    /// The team new cases belong to.
    pub team: Option<TeamId>,
    /// What its server calls itself in Authentication-Results; empty: nobody is believed.
    pub authserv_id: String,
}

impl Mailbox {
    /// A mailbox that makes no cases.
    pub fn new(kind: MailboxKind, address: &str) -> Mailbox {
        Mailbox {
            kind,
            address: address.to_lowercase(),
            create_cases: false,
            process: None,
            team: None,
            authserv_id: String::new(),
        }
    }
}

/// A message that is already on the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The message.
    pub message: MessageId,
    /// Its thread.
    pub thread: ThreadId,
    /// Whether its place there is to be trusted.
    pub unverified: Option<Unverified>,
    /// When its first copy arrived.
    pub received_at: Time,
}

/// A thread the letter may belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// The thread.
    pub id: ThreadId,
    /// Its case, if it has one.
    pub case: Option<Case>,
    /// Addresses (lower case) that took part in it: From, Reply-To, To and Cc of its messages, but of
    /// bounces and those that are not verified.
    pub people: HashSet<String>,
    /// Records it is linked to.
    pub records: Vec<Tied>,
    /// Whether it has messages; without any it is known by mention only.
    pub has_messages: bool,
    /// Whether it has more than one.
    pub has_several: bool,
    /// Whether one of us wrote in it.
    pub has_ours: bool,
    /// Whether mail of it came through this mailbox.
    pub is_here: bool,
    /// Whether the letter names it by an id that we signed.
    pub is_signed: bool,
    /// The thread that a person took it out of, or that it was kept from: the two do not become one again.
    pub parted_from: Option<ThreadId>,
}

impl Thread {
    /// A thread of which nothing is known yet but that it is there.
    pub fn new(id: ThreadId) -> Thread {
        Thread {
            id,
            case: None,
            people: HashSet::new(),
            records: Vec::new(),
            has_messages: false,
            has_several: false,
            has_ours: false,
            is_here: false,
            is_signed: false,
            parted_from: None,
        }
    }

    /// Whether there is something in it that a stranger must not get at: work, or mail of ours.
    pub fn is_work(&self) -> bool {
        self.case.is_some() || self.has_ours
    }

    /// Whether the two were parted.
    pub fn is_parted_from(&self, other: &Thread) -> bool {
        self.parted_from == Some(other.id) || other.parted_from == Some(self.id)
    }
}

/// A record that a thread is linked to, or that a letter names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tied {
    /// The record.
    pub record: RecordId,
    /// What it is called; a case by number and name.
    pub name: String,
}

/// A thread's case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The case's record.
    pub id: RecordId,
    /// Its number, as people say it.
    pub number: i64,
    /// Where it stands.
    pub status: CaseStatus,
    /// Whether it is out of sight until later.
    pub snoozed: bool,
    /// Whether it was closed so long ago that a new mail begins a case that continues it.
    pub is_past: bool,
}

/// Addresses and domains of records, and the addresses that are ours.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Records by address, lower case.
    pub by_address: HashMap<String, Vec<Entry>>,
    /// Accounts by domain, lower case.
    pub by_domain: HashMap<String, Vec<Entry>>,
    /// Addresses of our mailboxes, lower case.
    pub ours: HashSet<String>,
}

/// A record in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub record: RecordId,
    /// What it is.
    pub kind: RecordKind,
    /// Its name, for the explanation.
    pub name: String,
    /// The accounts it belongs to, the first one first.
    pub accounts: Vec<RecordId>,
}

/// Where a message goes to or comes from, as seen from the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Somebody wrote to us.
    In,
    /// One of our own addresses wrote it.
    Out,
}

impl Direction {
    /// The word in SQL and API.
    pub fn word(self) -> &'static str {
        match self {
            Direction::In => "in",
            Direction::Out => "out",
        }
    }
}

/// What to do with a letter, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The message it is a copy of, and counts as; then nothing is filed anew, only the occurrence is added.
    pub seen: Option<Seen>,
    /// In or out.
    pub direction: Direction,
    /// Which thread it joins.
    pub thread: ThreadPlan,
    /// Records it is linked to, each once.
    pub links: Vec<LinkPlan>,
    /// Records it may belong to, for a person to say; none that it is linked to.
    pub suggestions: Vec<Suggestion>,
    /// Why its place in the thread is not to be trusted.
    pub unverified: Option<Unverified>,
    /// What the mailbox's own server says of its writer.
    pub auth: Verdict,
    /// The message of ours that it, a bounce, speaks of.
    pub bounce_of: Option<MessageId>,
    /// What happens to a case.
    pub case: CasePlan,
    /// What rules say is to be done, in their order, also where it is decided above: what became of each is
    /// written down.
    pub actions: Vec<RuleAction>,
    /// The rules that matched.
    pub hits: Vec<Hit>,
    /// The filter that says that it is not to be imported. Then nothing else of the plan is carried out.
    pub skip: Option<RuleId>,
    /// Users who do not want to see it as unread.
    pub silenced: Vec<UserId>,
    /// How it came to this, in the order of decisions.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Whether a rule says that it is nobody's unread mail.
    pub fn is_read(&self) -> bool {
        self.actions.iter().any(|one| one.action == Action::MarkRead)
    }
}

/// Which thread a letter joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThreadPlan {
    /// It begins one.
    New,
    /// It begins one, although the message is on the shelf: its readers are not to see this thread, where that lies.
    Apart(ThreadId),
    /// It continues this one.
    Join(ThreadId),
    /// It proves that several threads are one: the oldest takes the others in.
    Merge {
        /// The thread that stays.
        into: ThreadId,
        /// Those that end.
        from: Vec<ThreadId>,
    },
}

/// A link to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPlan {
    /// The record.
    pub record: RecordId,
    /// Why.
    pub reason: LinkReason,
    /// What matched: an address or a domain.
    pub detail: String,
}

/// A link that is not sure enough to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The record.
    pub record: RecordId,
    /// Why.
    pub reason: LinkReason,
    /// What matched: an address, a domain, a number.
    pub detail: String,
    /// How sure it is, in percent.
    pub confidence: i64,
}

/// An action of a rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleAction {
    /// The rule.
    pub rule: RuleId,
    /// The action.
    pub action: Action,
}

/// What happens to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CasePlan {
    /// None is touched.
    None,
    /// One is created from this letter.
    Create(CaseMaking),
    /// The thread's case gets a note of this letter.
    Note {
        /// The case.
        case: RecordId,
        /// It was closed or waiting and is open again.
        reopen: bool,
        /// It was out of sight and is seen again.
        wake: bool,
        /// Its customer waits for an answer from now on.
        asks: bool,
        /// A rule gives it this status.
        status: Option<CaseStatus>,
        /// A rule makes it this urgent.
        priority: Option<Priority>,
    },
}

/// How a case is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseMaking {
    /// Its process: the rule's, else the mailbox's.
    pub process: Option<ProcessId>,
    /// Its team: the rule's, else the mailbox's.
    pub team: Option<TeamId>,
    /// How urgent it is.
    pub priority: Priority,
    /// The thread's case, which it continues.
    pub continues: Option<RecordId>,
}

/// One decision, for people to read: stable words, shown in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was decided: seen, thread, link, case.
    pub step: String,
    /// The outcome's word.
    pub result: String,
    /// What it hangs on: an id, an address, a number; may be empty.
    pub detail: String,
}

impl Step {
    /// A step from its words.
    pub fn new(step: &str, result: &str, detail: impl Into<String>) -> Step {
        Step { step: step.into(), result: result.into(), detail: detail.into() }
    }
}

/// The ids by which a letter's thread is found, the nearest first: In-Reply-To, References from the last on, its
/// own; each once.
pub fn thread_ids(letter: &Letter) -> Vec<&str> {
    let named = letter.in_reply_to.iter().chain(letter.references.iter().rev()).take(MOST_REFERENCES);
    let mut ids: Vec<&str> = Vec::new();
    for id in named.chain(&letter.message_id) {
        if !ids.contains(&id.as_str()) {
            ids.push(id);
        }
    }
    ids
}

/// References read of one letter. A chain of answers this long is a loop or an attack.
const MOST_REFERENCES: usize = 200;
