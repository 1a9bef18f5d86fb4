//! What a letter says of who spoke last, and the automatic reply to it.

use super::Round;
use super::sent::{Sent, SentBy, send};
use crate::auto_reply::{self, Written};
use crate::receive::open::{Opened, Read};
use crate::receive::recall::Recalled;
use crate::template::{filled, text_in, variables::Values};
use intake::plan::{CasePlan, Direction, Origin, Plan};
use mail::Address;
use model::{MessageId, TemplateId, ThreadId, UserId, Verdict};
use store::auto_replies::{self, AutoReply};
use store::changes::RecordsHeard;
use store::filing::Voice;
use store::mailboxes::{self, Mailbox};
use store::sql::{Error, Tx};
use store::templates::{self, Text};
use store::{people, records};

impl Round<'_> {
    /// Takes down who wrote a new message. What a machine wrote answers nothing and asks nothing.
    pub(super) fn spoke(
        &mut self,
        recalled: &Recalled,
        (thread, message): (ThreadId, MessageId),
        (one, read): (&Opened, &Read),
        plan: &Plan,
    ) {
        let letter = &read.letter;
        let is_machine =
            mail::autoreply::reason(letter).is_some() || letter.return_path.as_deref() == Some("");
        if is_machine {
            return;
        }
        let ours = || letter.sender.iter().chain(&letter.from).find_map(|one| recalled.users.get(&one.key()));
        let voice = match plan.direction {
            Direction::In => Voice::Outside,
            Direction::Out => Voice::Us(ours().and_then(|users| users.first()).map(|id| UserId(*id))),
        };
        let at = super::received_at(self.channel.origin, one, read);
        self.writes.spoke(thread, message, voice, at);
    }

    /// Answers the first mail of a case with the mailbox's template (D3).
    pub(super) async fn auto_reply(
        &mut self,
        tx: &mut Tx,
        recalled: &Recalled,
        thread: ThreadId,
        read: &Read,
        plan: &Plan,
    ) -> Result<(), Error> {
        if !matches!(plan.case, CasePlan::Create { .. }) {
            return Ok(());
        }
        let Some(template) = templates::of_mailbox(tx, self.channel.id).await? else { return Ok(()) };
        self.answer(tx, recalled, (thread, read), plan, template).await.map(drop)
    }

    /// Answers a letter with a template, unless that could be a machine's, or too much; then says why not.
    pub(super) async fn answer(
        &mut self,
        tx: &mut Tx,
        recalled: &Recalled,
        (thread, read): (ThreadId, &Read),
        plan: &Plan,
        template: TemplateId,
    ) -> Result<&'static str, Error> {
        let letter = &read.letter;
        if self.channel.origin != Origin::Live || plan.seen.is_some() || plan.direction == Direction::Out {
            return Ok("is_own");
        }
        if plan.unverified.is_some() || plan.auth == Verdict::Fail {
            return Ok("unverified");
        }
        let to = match auto_reply::recipient(letter, &read.marks, &recalled.directory.ours) {
            Ok(to) => to,
            Err(why) => return Ok(why),
        };
        let mailbox = mailboxes::mailbox(tx, self.channel.id).await?;
        let Some(mailbox) = mailbox.filter(|mailbox| mailbox.outgoing.is_some()) else {
            return Ok("cannot_send");
        };
        let about = AutoReply {
            mailbox: mailbox.id,
            address: auto_reply::counted(letter.from.first().map_or("", |writer| &writer.address)),
            thread,
            case: self.writes.thread(thread).and_then(|thread| thread.case.as_ref()).map(|case| case.id),
            template,
            at: self.at,
        };
        if let Err(why) = auto_reply::within_limits(self.desk, tx, &mailbox, &about).await? {
            return Ok(why);
        }
        let Some(text) = self.text(tx, recalled, (thread, read), &mailbox, template).await? else {
            return Ok("no_template");
        };
        let written = auto_reply::write(self.desk, tx, &mailbox, thread, (letter, &to, &text)).await?;
        self.send_reply(tx, recalled, &mailbox, (thread, to, written)).await?;
        auto_replies::add(tx, &about).await?;
        Ok("done")
    }

    async fn send_reply(
        &mut self,
        tx: &mut Tx,
        recalled: &Recalled,
        mailbox: &Mailbox,
        (thread, to, Written { mid, raw }): (ThreadId, Address, Written),
    ) -> Result<MessageId, Error> {
        let sent = Sent {
            mailbox: mailbox.id,
            thread,
            envelope_from: String::new(),
            to: vec![to.address],
            mid,
            raw,
            by: SentBy::Program,
        };
        send(self.desk, tx, &mut self.writes, &recalled.users, sent).await
    }

    /// The template's text in the writer's language, with what is known put in.
    async fn text(
        &mut self,
        tx: &mut Tx,
        recalled: &Recalled,
        (thread, read): (ThreadId, &Read),
        mailbox: &Mailbox,
        template: TemplateId,
    ) -> Result<Option<Text>, Error> {
        let Some(template) = templates::get(tx, template).await? else { return Ok(None) };
        let writer = read.letter.from.first().cloned().unwrap_or_default();
        let known = recalled.directory.by_address.get(&writer.key()).map(Vec::as_slice);
        let contact = match known {
            Some([entry]) => records::record(tx, entry.record, &RecordsHeard::All).await?,
            _ => None,
        };
        let language = contact.as_ref().and_then(|contact| auto_reply::language_of_fields(&contact.fields));
        let languages = auto_reply::languages(&read.letter, language, &writer.address);
        let Some(text) = text_in(&template, languages.iter().map(String::as_str)) else { return Ok(None) };
        let mut values = Values::default()
            .with("message.subject", &read.letter.subject)
            .with("customer.name", contact.as_ref().map_or("", |contact| &contact.name))
            .with("customer.name", writer.name.unwrap_or_default())
            .with("customer.address", &writer.address)
            .with("mailbox.name", &mailbox.name)
            .with("mailbox.address", &mailbox.address)
            .with(
                "account.name",
                contact.and_then(|contact| contact.account).map_or(String::new(), |(_, name)| name),
            )
            .with("case.process", mailbox.process.as_ref().map_or("", |(_, name)| name));
        let state = self.writes.thread(thread);
        if let Some((case, subject)) = state.and_then(|state| Some((state.case.as_ref()?, &state.subject))) {
            values = values.with("case.number", case.number).with("case.subject", subject);
            if let Some(id) = case.assignee
                && let Some(user) = people::user(tx, UserId(id)).await?
            {
                values = values.with("assignee.name", user.name);
            }
        }
        let filled = filled(text, &values);
        Ok(Some(Text { language: filled.language, subject: filled.subject, body: filled.body }))
    }
}
