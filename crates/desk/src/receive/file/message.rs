//! The rows of a message, and who may see it.

use super::{Round, received_at};
use crate::receive::open::{Opened, Read};
use crate::receive::recall::{self, Recalled};
use intake::plan::{Origin, Plan};
use mail::Letter;
use model::{MailboxId, MessageId, ThreadId, Time};
use std::collections::{BTreeSet, HashMap};
use store::filing::{NewAttachment, NewMessage};
use store::sql::Error;

impl Round<'_> {
    pub(super) fn message(
        &mut self,
        thread: ThreadId,
        one: &Opened,
        read: &Read,
        plan: &Plan,
    ) -> Result<MessageId, Error> {
        let identity = read.identity_as(plan, self.channel.id);
        let message = NewMessage { identity, ..new(self.channel.origin, one, read, plan) };
        self.writes.message(thread, message, self.at)
    }

    /// Lets those see it who may: the mailbox's people, and users whose address is on it.
    pub(super) fn show(&mut self, recalled: &Recalled, thread: ThreadId, read: &Read) -> Result<(), Error> {
        let tokens = tokens(self.channel.id, &recalled.users, read);
        tokens.iter().try_for_each(|token| self.writes.access(thread, token))
    }
}

/// Who may see a letter: the people of the mailbox it came through, and users with one of its addresses.
pub(super) fn tokens(mailbox: MailboxId, users: &HashMap<String, Vec<i64>>, read: &Read) -> Vec<String> {
    let users: BTreeSet<i64> =
        recall::addresses(read).filter_map(|address| users.get(&address)).flatten().copied().collect();
    let users = users.into_iter().map(|user| format!("u{user}"));
    std::iter::once(format!("m{mailbox}")).chain(users).collect()
}

/// The rows of a message.
pub(super) fn new(origin: Origin, one: &Opened, read: &Read, plan: &Plan) -> NewMessage {
    let letter = &read.letter;
    let received_at = received_at(origin, one, read);
    let writer = letter.from.first();
    NewMessage {
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
        read: origin != Origin::Live || plan.is_read(),
        auth: plan.auth,
        unverified: plan.unverified,
        bounce_of: plan.bounce_of,
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

/// Rows of people per message; further ones are in the bytes and in the index.
const MOST_PARTICIPANTS: usize = 1000;
/// Rows of attachments per message; further ones are in the bytes.
const MOST_ATTACHMENTS: usize = 1000;
