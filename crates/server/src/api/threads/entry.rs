//! What a thread consists of: messages, notes, events, links.

use super::RecordName;
use crate::shape::{self, Moment, Person, UserName};
use desk::message::{Failure, Marks};
use desk::thread::Item;
use model::{LinkReason, MessageId, Unverified, Verdict};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use store::links;
use store::messages::{self, Message};
use store::stream::{self, StreamKind};
use utoipa::ToSchema;

/// A message, a note or an event; `kind` says which.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Entry {
    /// A message.
    Message(Box<MessageEntry>),
    /// A note.
    Note(NoteEntry),
    /// An event.
    Event(EventEntry),
}

impl Entry {
    /// From what a thread has; `number` is that of its case.
    pub(super) fn of(item: Item, blocked: &HashMap<MessageId, u32>, number: Option<i64>) -> Entry {
        match item {
            Item::Message(message) => {
                let blocked = blocked.get(&message.id).copied().unwrap_or(0);
                Entry::Message(Box::new(MessageEntry::of(*message, blocked)))
            }
            Item::Entry(entry) if entry.kind == StreamKind::Note => Entry::Note((*entry).into()),
            Item::Entry(entry) => Entry::Event(EventEntry::of(*entry, number)),
        }
    }
}

/// Says that an entry is a message.
#[derive(Serialize, ToSchema)]
pub enum MessageKind {
    /// The only word.
    #[serde(rename = "message")]
    Message,
}

/// Says that an entry is a note.
#[derive(Serialize, ToSchema)]
pub enum NoteKind {
    /// The only word.
    #[serde(rename = "note")]
    Note,
}

/// Says that an entry is an event.
#[derive(Serialize, ToSchema)]
pub enum EventKind {
    /// The only word.
    #[serde(rename = "event")]
    Event,
}

/// Where a message comes from.
#[derive(Serialize, ToSchema)]
pub enum Direction {
    /// Somebody wrote to us.
    #[serde(rename = "in")]
    In,
    /// One of us wrote it.
    #[serde(rename = "out")]
    Out,
}

/// A message among the entries of a thread.
#[derive(Serialize, ToSchema)]
pub struct MessageEntry {
    #[schema(inline)]
    kind: MessageKind,
    id: i64,
    /// When it was received.
    at: Moment,
    #[schema(inline)]
    direction: Direction,
    from: Person,
    to: Vec<Person>,
    cc: Vec<Person>,
    subject: String,
    has_html: bool,
    /// Beginning of what its writer wrote, at most 200 characters.
    text_preview: String,
    attachments: Vec<Attachment>,
    /// Where it lies on servers.
    mailboxes: Vec<MessagePlace>,
    flags: MessageFlags,
    /// Remote pictures that are kept from loading.
    blocked_remote: u32,
    /// Why its place in the thread is not to be trusted; null: it is.
    #[schema(value_type = Option<shape::Unverified>)]
    unverified: Option<Unverified>,
    /// What the mailbox's own server says of its writer; empty: nobody who is believed says anything.
    #[schema(value_type = shape::Verdict)]
    auth: Verdict,
    /// Reports that it did not, or did, reach somebody.
    bounces: Vec<BounceOf>,
}

/// What a bounce says of a message of ours.
#[derive(Serialize, ToSchema)]
pub struct BounceOf {
    /// The bounce.
    message_id: i64,
    failures: Vec<BounceFailure>,
}

/// What it says of one recipient.
#[derive(Serialize, ToSchema)]
pub struct BounceFailure {
    address: String,
    /// `failed`, `delayed`, `delivered`, `relayed`, `expanded`, `complained`.
    kind: String,
    /// Enhanced status code (RFC 3463).
    status: Option<String>,
    /// Whether trying again is useless; null where it does not tell.
    permanent: Option<bool>,
    /// What the other server said.
    diagnostic: Option<String>,
}

impl From<Failure> for BounceFailure {
    fn from(failure: Failure) -> BounceFailure {
        let Failure { address, kind, status, permanent, diagnostic } = failure;
        BounceFailure { address, kind, status, permanent, diagnostic }
    }
}

impl BounceOf {
    fn of((id, marks): &(MessageId, String)) -> BounceOf {
        let failures = Marks::read(marks).failures;
        BounceOf { message_id: id.0, failures: failures.into_iter().map(BounceFailure::from).collect() }
    }
}

impl MessageEntry {
    /// From the shelf.
    pub(crate) fn of(message: Message, blocked_remote: u32) -> MessageEntry {
        let marks = Marks::of(&message);
        let people = |role: &str| {
            let named = message.people.iter().filter(|one| one.role == role);
            named.map(|one| one.person.clone().into()).collect()
        };
        MessageEntry {
            kind: MessageKind::Message,
            id: message.id.0,
            at: message.received_at.into(),
            direction: if message.outgoing { Direction::Out } else { Direction::In },
            to: people("to"),
            cc: people("cc"),
            attachments: message.attachments.iter().map(|one| Attachment::of(message.id, one)).collect(),
            from: message.from.into(),
            subject: message.subject,
            has_html: message.has_html,
            text_preview: message.snippet,
            mailboxes: message.places.into_iter().map(MessagePlace::from).collect(),
            flags: marks.into(),
            blocked_remote,
            unverified: message.unverified,
            auth: message.auth,
            bounces: message.bounces.iter().map(BounceOf::of).collect(),
        }
    }
}

/// A file that came with a message.
#[derive(Serialize, ToSchema)]
pub struct Attachment {
    /// Its place among the message's attachments.
    index: i64,
    /// Name as the sender gave it; empty if none.
    name: String,
    /// `type/subtype` as the sender says.
    content_type: String,
    size_bytes: i64,
    /// Meant to be shown inside the text.
    inline: bool,
    /// Where its bytes are.
    url: String,
}

impl Attachment {
    fn of(message: MessageId, attachment: &messages::Attachment) -> Attachment {
        Attachment {
            index: attachment.index,
            name: attachment.name.clone(),
            content_type: attachment.content_type.clone(),
            size_bytes: attachment.size_bytes,
            inline: attachment.inline,
            url: format!("/api/v1/messages/{message}/attachments/{}", attachment.index),
        }
    }
}

/// A folder of a mailbox a message was found in.
#[derive(Serialize, ToSchema)]
pub struct MessagePlace {
    /// The mailbox.
    id: i64,
    address: String,
    folder: String,
}

impl From<messages::Place> for MessagePlace {
    fn from(place: messages::Place) -> MessagePlace {
        MessagePlace { id: place.mailbox.0, address: place.address, folder: place.folder }
    }
}

/// What was found out about a message.
#[derive(Serialize, ToSchema)]
pub struct MessageFlags {
    /// It says that another message could not be delivered.
    bounce: bool,
    /// A machine answered.
    auto_reply: bool,
    /// It came through a mailing list.
    list: bool,
    /// What was wrong with it, in stable words.
    defects: Vec<String>,
}

impl From<Marks> for MessageFlags {
    fn from(marks: Marks) -> MessageFlags {
        MessageFlags {
            bounce: marks.bounce,
            auto_reply: marks.auto_reply.is_some(),
            list: marks.list_id.is_some(),
            defects: marks.defects,
        }
    }
}

/// An internal note.
#[derive(Serialize, ToSchema)]
pub struct NoteEntry {
    #[schema(inline)]
    kind: NoteKind,
    id: i64,
    at: Moment,
    author: UserName,
    /// Plain text.
    body: String,
}

impl From<stream::Entry> for NoteEntry {
    fn from(entry: stream::Entry) -> NoteEntry {
        // Only a program with an older key could have written a note without a person.
        let (id, name) = entry.user.map_or((0, String::new()), |(id, name)| (id.0, name));
        NoteEntry {
            kind: NoteKind::Note,
            id: entry.id.0,
            at: entry.at.into(),
            author: UserName { id, name },
            body: entry.body,
        }
    }
}

/// Something that happened to a thread or its case.
#[derive(Serialize, ToSchema)]
pub struct EventEntry {
    #[schema(inline)]
    kind: EventKind,
    id: i64,
    at: Moment,
    /// Null: the machine.
    actor: Option<UserName>,
    /// `case_created`, `assigned`, `status_changed`, `priority_changed`, `reopened`, `linked`,
    /// `unlinked`, `changed`, `merged` …
    event: String,
    /// `from` and `to` of changes, `number` of cases, `record` of links.
    data: BTreeMap<String, String>,
}

impl EventEntry {
    fn of(entry: stream::Entry, number: Option<i64>) -> EventEntry {
        let mut data = data_of(&entry.data);
        if let (StreamKind::CaseCreated, Some(number)) = (entry.kind, number) {
            data.entry("number".to_owned()).or_insert(number.to_string());
        }
        EventEntry {
            kind: EventKind::Event,
            id: entry.id.0,
            at: entry.at.into(),
            actor: entry.user.map(|(id, name)| UserName { id: id.0, name }),
            event: entry.kind.word().to_owned(),
            data,
        }
    }
}

/// A JSON object of strings; what is none is empty.
pub fn data_of(json: &str) -> BTreeMap<String, String> {
    serde_json::from_str(json).unwrap_or_default()
}

/// A tie between a thread and a record.
#[derive(Serialize, ToSchema)]
pub struct Link {
    id: i64,
    record: RecordName,
    #[schema(value_type = shape::LinkReason)]
    reason: LinkReason,
    /// What matched: an address, a domain, a name.
    detail: String,
    /// How sure it is, in percent.
    confidence: i64,
    /// The message that made it.
    message_id: Option<i64>,
    /// The person who made it.
    by: Option<UserName>,
    at: Moment,
}

impl From<links::Link> for Link {
    fn from(link: links::Link) -> Link {
        Link {
            id: link.id.0,
            record: link.record.into(),
            reason: link.reason,
            detail: link.detail,
            confidence: link.confidence,
            message_id: link.message.map(|id| id.0),
            by: link.by.map(|(id, name)| UserName { id: id.0, name }),
            at: link.at.into(),
        }
    }
}
