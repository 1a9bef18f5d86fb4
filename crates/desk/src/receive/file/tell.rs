//! Who is told of new mail: after the batch is written, because only then it can be seen who may see what.
//!
//! In the order of how much it concerns somebody: who is in charge, then the team of a new case that nobody is
//! in charge of, then who follows a record. Of one message everybody is told once. Not of history, sent mail or
//! another copy; not whoever wrote it; not of the system's own notices, which would tell of themselves for ever.

use super::Round;
use super::trusted::sets_to_work;
use crate::notification::{self, Event, Happened, Subject};
use crate::receive::open::Read;
use crate::receive::recall::Recalled;
use crate::{Params, outgoing};
use intake::plan::{CasePlan, Direction, Origin, Plan};
use model::{MessageId, RecordId, ThreadId, UserId};
use store::messages::Message;
use store::notifications::{self, Audience};
use store::sql::{Error, Tx};

/// A mail that is news.
pub(super) struct News {
    thread: ThreadId,
    message: MessageId,
    /// Users whose address wrote it, and those whose own filters keep it from them: they are not told.
    writers: Vec<UserId>,
    from_address: String,
    data: Params,
    is_new_case: bool,
}

impl Round<'_> {
    /// Puts a mail aside to be told of, if it is news.
    pub(super) fn tell(&mut self, recalled: &Recalled, read: &Read, plan: &Plan, at: (ThreadId, MessageId)) {
        if self.channel.origin != Origin::Live || plan.seen.is_some() || plan.direction != Direction::In {
            return;
        }
        let writer = read.letter.from.first();
        let from_address = writer.map(mail::Address::key).unwrap_or_default();
        let writers = recalled.users.get(&from_address).into_iter().flatten().map(|id| UserId(*id));
        let writers = writers.chain(plan.silenced.iter().copied()).collect();
        let from = writer.map(|writer| writer.name.clone().unwrap_or_else(|| writer.address.clone()));
        let subject = read.letter.subject.clone();
        let data = Params::from([("from", from.unwrap_or_default()), ("subject", subject)]);
        let is_new_case = matches!(plan.case, CasePlan::Create(_));
        self.news.push(News { thread: at.0, message: at.1, writers, from_address, data, is_new_case });
    }

    /// Tells of a message that was filed long ago and is trusted now whoever was not told of it: who follows records
    /// that it is newly linked to, and who has to work again. Not `by`, who said so.
    pub(super) async fn tell_trusted(
        &mut self,
        tx: &mut Tx,
        message: &Message,
        plan: &Plan,
        (new, by): (&[RecordId], Option<UserId>),
    ) -> Result<(), Error> {
        let mut audience = notifications::audiences(tx, &[message.thread]).await?.pop().unwrap_or_default();
        audience.followers.retain(|(_, record)| new.contains(record));
        audience.assignee = audience.assignee.filter(|_| sets_to_work(plan.case));
        let from = &message.from;
        let from = if from.name.is_empty() { from.address.clone() } else { from.name.clone() };
        let news = News {
            thread: message.thread,
            message: message.id,
            writers: Vec::new(),
            from_address: message.from.address.clone(),
            data: Params::from([("from", from), ("subject", message.subject.clone())]),
            is_new_case: matches!(plan.case, CasePlan::Create(_)),
        };
        let mut all = std::mem::take(&mut self.happened);
        news.tell(&audience, &mut all);
        all.iter_mut().for_each(|one| one.by = by);
        notification::events(self.desk, tx, &all).await
    }

    /// Threads became one: what is to be told of them is of that one.
    pub(super) fn moved(&mut self, into: ThreadId, from: &[ThreadId]) {
        let news = self.news.iter_mut().map(|one| &mut one.thread);
        let other = self.happened.iter_mut().filter_map(|one| one.subject.thread.as_mut());
        news.chain(other).filter(|id| from.contains(id)).for_each(|id| *id = into);
    }

    /// Tells of what was put aside.
    pub(super) async fn tell_all(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let mut all = std::mem::take(&mut self.happened);
        let mut news = std::mem::take(&mut self.news);
        if !news.is_empty()
            && let Some((system, _)) = outgoing::sender(tx).await?
        {
            news.retain(|one| one.from_address != system);
        }
        let mut threads: Vec<ThreadId> = news.iter().map(|one| one.thread).collect();
        threads.sort();
        threads.dedup();
        let audiences = notifications::audiences(tx, &threads).await?;
        for one in &news {
            let audience = threads.iter().zip(&audiences).find(|(thread, _)| **thread == one.thread);
            if let Some((_, audience)) = audience {
                one.tell(audience, &mut all);
            }
        }
        notification::events(self.desk, tx, &all).await
    }
}

impl News {
    fn tell(&self, audience: &Audience, all: &mut Vec<Happened>) {
        let subject = Subject { thread: Some(self.thread), record: None, message: Some(self.message) };
        self.add(all, Event::ReplyOnMine, subject, audience.assignee.into_iter().collect());
        if self.is_new_case {
            let subject = Subject { record: audience.case, ..subject };
            self.add(all, Event::TeamNew, subject, audience.team.clone());
        }
        for (user, record) in &audience.followers {
            let subject = Subject { record: Some(*record), ..subject };
            self.add(all, Event::MailOnFollowed, subject, vec![*user]);
        }
    }

    fn add(&self, all: &mut Vec<Happened>, event: Event, subject: Subject, mut people: Vec<UserId>) {
        people.retain(|user| !self.writers.contains(user));
        if !people.is_empty() {
            all.push(Happened { event, subject, by: None, people, data: self.data.clone() });
        }
    }
}
