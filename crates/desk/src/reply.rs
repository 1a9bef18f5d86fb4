//! Answers by people: what is proposed, and what is sent.
//!
//! An answer is a mail in the outbox and a message of the thread, both in one transaction: it is there at once, and
//! how far it is on its way stands beside it. It comes from a mailbox its writer may send from, and its Reply-To is the
//! address of the group that the thread belongs to, so that the next mail comes to the group and joins the case (D4).
//!
//! Proposed are the people of the newest trusted mail. Who came into a thread unverified is never proposed: they are
//! shown, and whoever wants to write to them types them in.

mod quote;

use crate::mailbox::{may_send, may_send_from};
use crate::may::{Actor, Verb};
use crate::message::Marks;
use crate::people::checked_address;
use crate::receive::file::sent::{self, Sent, SentBy};
use crate::{Desk, Refusal, bytes, case, message, thread, token};
use mail::Address;
use mail::compose::{Answer, By, answer};
use model::{CaseStatus, MailboxId, MailboxKind, MessageId, OutboxId, Person, RecordId, ThreadId, UserId};
use std::collections::HashSet;
use store::changes;
use store::filing::{self, Writes};
use store::mailboxes::{self, Mailbox};
use store::messages::{self, Message};
use store::outbox::{self, Recipient};
use store::replies::{self, Answered};
use store::sql::{Sql, Tx};
use store::threads::{self, Reader, ThreadRow};

/// Longest text, in bytes.
const LONGEST_BODY: usize = 500_000;
/// Longest subject, in bytes.
const LONGEST_SUBJECT: usize = 1_000;
/// People in To and Cc together.
const MOST_PEOPLE: usize = 100;

/// What is proposed to somebody who answers.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The message that is answered.
    pub message: MessageId,
    /// The mailboxes they may send from, the proposed one first.
    pub senders: Vec<Mailbox>,
    /// Where answers to it will go: the group's address.
    pub reply_to: Option<Person>,
    /// To whom.
    pub to: Vec<Person>,
    /// To whom in copy.
    pub cc: Vec<Person>,
    /// The subject.
    pub subject: String,
    /// What is quoted beneath.
    pub quoted: String,
    /// Where the thread's case stands.
    pub case: Option<CaseStatus>,
}

/// An answer as it was written.
#[derive(Clone, Debug, Default)]
pub struct NewReply {
    /// The text.
    pub body: String,
    /// The message that is answered; without one the proposed one.
    pub message: Option<MessageId>,
    /// From which mailbox; without one the proposed one.
    pub mailbox: Option<MailboxId>,
    /// To whom; without it the proposed ones.
    pub to: Option<Vec<Person>>,
    /// To whom in copy; without it nobody, or with `to` left out the proposed ones.
    pub cc: Option<Vec<Person>>,
    /// The subject; without one the proposed one.
    pub subject: Option<String>,
    /// Whether what is answered is quoted beneath.
    pub quote: Quote,
    /// Where the case stands then; without it it waits for the customer.
    pub status: Option<CaseStatus>,
}

/// Whether what is answered is quoted beneath.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quote {
    /// It is.
    #[default]
    Whole,
    /// It is not.
    None,
}

/// What is proposed to somebody who answers a thread, or one message of it.
pub async fn propose(
    desk: &Desk,
    actor: &Actor,
    id: ThreadId,
    answered: Option<MessageId>,
) -> Result<Proposal, Refusal> {
    actor.may(Verb::Reply)?;
    let senders = may_send_from(desk, actor).await?;
    let mut reader = desk.db.snapshot().await?;
    let context = Context::read(&mut reader, actor, id, answered).await?;
    let quoting = Quoting::begin(&mut reader, actor, &context).await?;
    drop(reader);
    Ok(context.proposal(senders, quoting.end().await?))
}

/// What is known of a thread that is answered.
struct Context {
    row: ThreadRow,
    message: Message,
    /// The mailbox of the group it belongs to.
    group: Option<Mailbox>,
    /// Addresses that are ours or the writer's own.
    own: HashSet<String>,
}

impl Context {
    async fn read(
        sql: &mut impl Sql,
        actor: &Actor,
        id: ThreadId,
        answered: Option<MessageId>,
    ) -> Result<Context, Refusal> {
        let id = threads::survivor(sql, id).await?;
        let row = threads::row(sql, id, &actor.mail_access(), Reader { user: actor.user }).await?;
        let row = row.ok_or(Refusal::NotFound)?;
        let message = answered_message(sql, id, answered).await?;
        let group = group(sql, &row, &message).await?;
        let mut own: HashSet<String> = filing::our_addresses(sql).await?.into_iter().collect();
        if let Some(user) = actor.user {
            own.extend(store::people::addresses(sql, user).await?);
        }
        Ok(Context { row, message, group, own })
    }

    /// To whom: where the writer wants answers, or, of a mail of ours, to whom that went; and in copy all others.
    fn people(&self) -> (Vec<Person>, Vec<Person>) {
        let role = |role: &str| -> Vec<Person> {
            let named = self.message.people.iter().filter(|one| one.role == role);
            named.map(|one| one.person.clone()).collect()
        };
        let outside = |people: Vec<Person>| -> Vec<Person> {
            people
                .into_iter()
                .filter(|one| !self.own.contains(&one.address) && one.address.contains('@'))
                .collect()
        };
        let writer = match (self.message.outgoing, outside(role("reply_to"))) {
            (true, _) => role("to"),
            (false, named) if !named.is_empty() => named,
            (false, _) => role("from"),
        };
        let mut seen = HashSet::new();
        let mut once = |people: Vec<Person>| -> Vec<Person> {
            people.into_iter().filter(|one| seen.insert(one.address.clone())).take(MOST_PEOPLE / 2).collect()
        };
        let to = once(outside(writer));
        let others = if self.message.outgoing { role("cc") } else { [role("to"), role("cc")].concat() };
        let cc = once(outside(others));
        (to, cc)
    }

    fn reply_to(&self) -> Option<Person> {
        let group = self.group.as_ref()?;
        Some(Person { name: group.name.clone(), address: group.address.clone() })
    }

    fn proposal(self, mut senders: Vec<Mailbox>, quoted: String) -> Proposal {
        // The group's own address first: what the customer wrote to answers.
        let group = self.group.as_ref().map(|group| group.id);
        senders.sort_by_key(|mailbox| Some(mailbox.id) != group);
        let (to, cc) = self.people();
        Proposal {
            message: self.message.id,
            senders,
            reply_to: self.reply_to(),
            to,
            cc,
            subject: subject(&self.message.subject),
            quoted,
            case: self.row.case.map(|case| case.status),
        }
    }
}

/// The message that is answered: the one asked for, else the newest that somebody outside wrote and that is trusted,
/// else the newest of all.
async fn answered_message(
    sql: &mut impl Sql,
    thread: ThreadId,
    asked: Option<MessageId>,
) -> Result<Message, Refusal> {
    let mut all = messages::of_thread(sql, thread).await?;
    if let Some(asked) = asked {
        return all.into_iter().find(|one| one.id == asked).ok_or(Refusal::NotFound);
    }
    let unverified = replies::unverified(sql, thread).await?;
    let by_a_person = |one: &Message| {
        let marks = Marks::of(one);
        !one.outgoing && !marks.bounce && marks.auto_reply.is_none()
    };
    let trusted = |one: &Message| !unverified.contains(&one.id);
    let found = all.iter().rposition(|one| trusted(one) && by_a_person(one));
    let found = found.or_else(|| all.iter().rposition(trusted)).ok_or(Refusal::NotFound)?;
    Ok(all.swap_remove(found))
}

/// The mailbox of the group a thread belongs to: of those it came through that of the case's area of work, else the one
/// the answered message lies in; else any of that area.
async fn group(sql: &mut impl Sql, row: &ThreadRow, message: &Message) -> Result<Option<Mailbox>, Refusal> {
    let process = match &row.case {
        Some(case) => {
            let found = store::records::record(sql, case.id, &changes::RecordsHeard::All).await?;
            found.and_then(|record| record.case).and_then(|part| part.process).map(|(id, _)| id)
        }
        None => None,
    };
    let all = mailboxes::all(sql).await?;
    let groups = || all.iter().filter(|one| one.kind == MailboxKind::Group && one.address.contains('@'));
    let of_process = |one: &&Mailbox| process.is_some() && one.process.as_ref().map(|(id, _)| *id) == process;
    let through = |one: &&Mailbox| row.mailboxes.contains(&one.id);
    let holds = |one: &&Mailbox| message.places.iter().any(|place| place.mailbox == one.id);
    let found = groups()
        .find(|one| through(one) && of_process(one))
        .or_else(|| groups().find(holds))
        .or_else(|| groups().find(through))
        .or_else(|| groups().find(of_process));
    Ok(found.cloned())
}

/// `Re: ` before what was answered, once.
fn subject(of: &str) -> String {
    let mut rest = of.trim();
    loop {
        let lower = rest.to_lowercase();
        let prefix =
            ["re:", "odp:", "aw:", "antw:", "sv:"].into_iter().find(|prefix| lower.starts_with(prefix));
        let Some(prefix) = prefix else { break };
        // The prefixes are ASCII, so they are as long in the original.
        rest = rest[prefix.len()..].trim_start();
    }
    format!("Re: {rest}")
}

/// What is quoted of the message that is answered, before its bytes are read.
struct Quoting {
    outline: Vec<u8>,
    language: String,
    from: Person,
    at: model::Time,
}

impl Quoting {
    async fn begin(sql: &mut impl Sql, actor: &Actor, context: &Context) -> Result<Quoting, Refusal> {
        let outline = bytes::outline(sql, context.message.id).await?.unwrap_or_default();
        let user = match actor.user {
            Some(id) => store::people::user(sql, id).await?,
            None => None,
        };
        let language = user.map(|user| user.language).unwrap_or_default();
        Ok(Quoting { outline, language, from: context.message.from.clone(), at: context.message.sent_at })
    }

    /// Reads them: no transaction is open meanwhile.
    async fn end(self) -> Result<String, Refusal> {
        message::apart(move || {
            let letter = mail::parse::parse(&self.outline);
            quote::quoted(&self.language, &self.from, self.at, &letter.text)
        })
        .await
    }
}

/// Sends an answer: it is in the outbox and in the thread when this returns.
pub async fn send(desk: &Desk, actor: &Actor, id: ThreadId, new: NewReply) -> Result<MessageId, Refusal> {
    actor.may(Verb::Reply)?;
    let user = actor.person()?;
    let senders = may_send_from(desk, actor).await?;
    let mut reader = desk.db.snapshot().await?;
    let context = Context::read(&mut reader, actor, id, new.message).await?;
    let quoting = match new.quote {
        Quote::Whole => Some(Quoting::begin(&mut reader, actor, &context).await?),
        Quote::None => None,
    };
    drop(reader);
    let quoted = match quoting {
        Some(quoting) => quoting.end().await?,
        None => String::new(),
    };
    let letter = Letter::checked(actor, &context, senders, new, &quoted)?;
    let mut tx = desk.begin_filing().await?;
    // Others may have closed it, or taken it away, since it was read.
    let thread = threads::survivor(&mut tx, id).await?;
    thread::visible(&mut tx, actor, thread).await?;
    let message = write(desk, &mut tx, user, thread, &context, &letter).await?;
    if let Some(case) = threads::case_id(&mut tx, thread).await? {
        settle(desk, &mut tx, actor, case, letter.status).await?;
    }
    tx.commit().await?;
    Ok(message)
}

/// What was sent from here in a thread: the message, its place in the outbox, and how far each copy is.
pub type Sendings = Vec<(MessageId, OutboxId, Vec<Recipient>)>;

/// How far what was sent in a thread is, the newest first; and who answered it last.
pub async fn deliveries(
    desk: &Desk,
    actor: &Actor,
    id: ThreadId,
) -> Result<(Sendings, Option<Answered>), Refusal> {
    actor.may(Verb::ReadMail)?;
    let mut reader = desk.db.snapshot().await?;
    let id = threads::survivor(&mut reader, id).await?;
    thread::visible(&mut reader, actor, id).await?;
    let sent = outbox::of_thread(&mut reader, id).await?;
    let answered = replies::answered(&mut reader, &[id]).await?.pop().flatten();
    Ok((sent, answered))
}

/// Sends again what failed of a message of a thread, or what nobody knows about: somebody has seen that it did not
/// arrive. They may send from the mailbox it went through.
pub async fn again(desk: &Desk, actor: &Actor, id: ThreadId, outgoing: OutboxId) -> Result<(), Refusal> {
    actor.may(Verb::Reply)?;
    let senders = may_send_from(desk, actor).await?;
    let mut tx = desk.db.begin().await?;
    let id = threads::survivor(&mut tx, id).await?;
    thread::visible(&mut tx, actor, id).await?;
    let message = outbox::message(&mut tx, outgoing).await?.ok_or(Refusal::NotFound)?;
    if outbox::thread(&mut tx, outgoing).await? != Some(id) {
        return Err(Refusal::NotFound);
    }
    if !senders.iter().any(|one| Some(one.id) == message.mailbox) {
        return Err(Refusal::Forbidden("You may not send from the mailbox it went through."));
    }
    crate::sending::again_in(desk, &mut tx, outgoing).await?;
    Ok(tx.commit().await?)
}

/// An answer that can be sent.
struct Letter {
    mailbox: Mailbox,
    from_name: String,
    to: Vec<Address>,
    cc: Vec<Address>,
    subject: String,
    text: String,
    status: Option<CaseStatus>,
}

impl Letter {
    fn checked(
        actor: &Actor,
        context: &Context,
        senders: Vec<Mailbox>,
        new: NewReply,
        quoted: &str,
    ) -> Result<Letter, Refusal> {
        let mailbox = chosen(actor, context, senders, new.mailbox)?;
        let (proposed_to, proposed_cc) = context.people();
        let (to, cc) = match (new.to, new.cc) {
            (None, None) => (proposed_to, proposed_cc),
            (to, cc) => (to.unwrap_or(proposed_to), cc.unwrap_or_default()),
        };
        let (to, cc) = (checked_people("to", to)?, checked_people("cc", cc)?);
        if to.is_empty() {
            return Err(Refusal::invalid("to", "required", "Say to whom it goes."));
        }
        if to.len() + cc.len() > MOST_PEOPLE {
            let message = format!("An answer goes to at most {MOST_PEOPLE} people.");
            return Err(Refusal::invalid("to", "too_many", message).with("most", MOST_PEOPLE));
        }
        let subject = new.subject.filter(|subject| !subject.trim().is_empty());
        let subject = subject.unwrap_or_else(|| self::subject(&context.message.subject));
        check_length("subject", &subject, LONGEST_SUBJECT)?;
        check_length("body", &new.body, LONGEST_BODY)?;
        if new.body.trim().is_empty() {
            return Err(Refusal::invalid("body", "required", "Write something first."));
        }
        let body = new.body.trim_end();
        let text = if quoted.is_empty() { body.to_owned() } else { format!("{body}\n\n{quoted}") };
        let from_name = match mailbox.kind {
            MailboxKind::Group => mailbox.name.clone(),
            MailboxKind::Personal => actor.name.clone(),
        };
        Ok(Letter { mailbox, from_name, to, cc, subject, text, status: new.status })
    }
}

fn chosen(
    actor: &Actor,
    context: &Context,
    senders: Vec<Mailbox>,
    asked: Option<MailboxId>,
) -> Result<Mailbox, Refusal> {
    let group = context.group.as_ref().map(|group| group.id);
    let found = match asked {
        Some(asked) => senders.into_iter().find(|one| one.id == asked && may_send(actor, one)),
        None => {
            let at = senders.iter().position(|one| Some(one.id) == group).unwrap_or(0);
            senders.into_iter().nth(at)
        }
    };
    found.ok_or_else(|| {
        let message =
            "You may not send from this mailbox, or from none at all. An administrator can change it.";
        Refusal::invalid("mailbox", "may_not_send", message)
    })
}

fn checked_people(field: &'static str, people: Vec<Person>) -> Result<Vec<Address>, Refusal> {
    let one = |one: Person| {
        let address = checked_address(field, &one.address)?;
        Ok(Address { name: Some(one.name).filter(|name| !name.is_empty()), address })
    };
    people.into_iter().map(one).collect()
}

fn check_length(field: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    match text.len() <= most {
        true => Ok(()),
        false => {
            Err(Refusal::invalid(field, "too_long", format!("At most {most} bytes.")).with("most", most))
        }
    }
}

/// Queues the mail, files it, and leaves a change of its thread.
async fn write(
    desk: &Desk,
    tx: &mut Tx,
    user: UserId,
    thread: ThreadId,
    context: &Context,
    letter: &Letter,
) -> Result<MessageId, Refusal> {
    let now = desk.clock.now();
    let mailbox = &letter.mailbox;
    let mid = token::key_for_signing(desk, tx).await?.mint(thread, &mailbox.address);
    let reply_to = context.reply_to();
    let references: Vec<String> = context.message.references.split_whitespace().map(str::to_owned).collect();
    let raw = answer(&Answer {
        from: (&letter.from_name, &mailbox.address),
        reply_to: reply_to.as_ref().map(|one| (one.name.as_str(), one.address.as_str())),
        to: &letter.to,
        cc: &letter.cc,
        subject: &letter.subject,
        text: &letter.text,
        at_s: now.0 / 1_000_000,
        message_id: &mid,
        in_reply_to: Some(context.message.mid.as_str()).filter(|mid| !mid.is_empty()),
        references: &references,
        by: By::Person,
    });
    let mut to: Vec<String> = letter.to.iter().chain(&letter.cc).map(|one| one.address.clone()).collect();
    to.sort();
    to.dedup();
    let users = filing::users_by_addresses(tx, &to).await?;
    let mut writes = Writes::default();
    writes.reserve(tx, 1).await?;
    writes.know(filing::thread_states(tx, &[thread]).await?);
    let sent = Sent {
        mailbox: mailbox.id,
        thread,
        envelope_from: mailbox.address.clone(),
        to,
        mid,
        raw,
        by: SentBy::User(user),
    };
    let message = sent::send(desk, tx, &mut writes, &users, sent).await?;
    writes.answered(thread, now)?;
    writes.flush(tx, now).await?;
    Ok(message)
}

/// Where the case stands once it was answered: it waits for the customer, unless its writer says otherwise.
async fn settle(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    case: RecordId,
    wanted: Option<CaseStatus>,
) -> Result<(), Refusal> {
    let found = store::records::record(tx, case, &changes::RecordsHeard::All).await?;
    let Some(part) = found.and_then(|record| record.case) else { return Ok(()) };
    let status = match (wanted, part.status) {
        (Some(wanted), _) => wanted,
        (None, CaseStatus::Open) => CaseStatus::Waiting,
        (None, other) => other,
    };
    case::status::set(tx, actor, case, (part.status, status), desk.clock.now()).await
}

#[cfg(test)]
mod tests {
    use super::subject;

    #[test]
    fn the_subject_of_an_answer_bears_one_re() {
        for (of, expected) in [
            ("Broken printer", "Re: Broken printer"),
            ("RE: Re: Odp: Broken", "Re: Broken"),
            ("AW: Ťažkosti", "Re: Ťažkosti"),
            ("Regarding", "Re: Regarding"),
            ("", "Re: "),
        ] {
            assert_eq!(subject(of), expected);
        }
    }
}
