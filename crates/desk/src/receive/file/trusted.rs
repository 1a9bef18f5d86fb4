//! What follows from a message once a person says that its place in its thread is right.
//!
//! Its filing held back what would make a stranger known or set people to work: links, the case, what rules do to it,
//! news for who follows what it is linked to. That is decided anew from its bytes, by the records and rules of today,
//! and done as a filing does it. Not made up for: the answer of a machine, which would come too late, and what was
//! done at once (labels, webhooks, news for who was in charge already).

use super::Round;
use crate::message::apart;
use crate::receive::open::{self, Opened};
use crate::receive::{Channel, Receive, recall};
use crate::{Desk, Refusal, bytes};
use intake::plan::{CasePlan, Plan, Step};
use intake::rules::Trial;
use model::{Action, MessageId, RecordId, ThreadId, UserId};
use store::messages::{self, Message};
use store::sql::{Error, Sql, Tx};
use store::{filing, folders, mailboxes};

/// Reads a message for [`make_up`], without its large files; `None` if its bytes were not taken.
pub(crate) async fn read(sql: &mut impl Sql, message: &Message) -> Result<Option<Opened>, Refusal> {
    let Some(raw) = bytes::outline(sql, message.id).await? else { return Ok(None) };
    let size_bytes = u64::try_from(message.size_bytes).unwrap_or(0);
    Ok(Some(apart(move || open::filed(&raw, size_bytes)).await?))
}

/// Does what its filing held back, under the lock of all filings; `by` said so, and is not told.
pub(crate) async fn make_up(
    desk: &Desk,
    tx: &mut Tx,
    message: &Message,
    one: Opened,
    by: Option<UserId>,
) -> Result<(), Error> {
    let Some((mailbox, folder)) = messages::arrival(tx, message.id).await? else { return Ok(()) };
    let mailbox = mailboxes::mailbox(tx, mailbox).await?;
    let (Some(mailbox), Some(folder)) = (mailbox, folders::get(tx, folder).await?) else { return Ok(()) };
    let (receive, channel) = (Receive::new(desk.clone()), Channel::of(&mailbox));
    let mut round = Round::begin(&receive, tx, &channel, &folder).await?;
    let plan = round.decide_trusted(tx, message, &one).await?;
    let new = round.follow(tx, message, &one, &plan).await?;
    round.writes.flush(tx, round.at).await?;
    round.tell_trusted(tx, message, &plan, (&new, by)).await?;
    messages::set_plan(tx, message.id, &steps(message, plan.steps)?).await
}

impl Round<'_> {
    async fn decide_trusted(&mut self, tx: &mut Tx, message: &Message, one: &Opened) -> Result<Plan, Error> {
        let read = one.read.as_deref().ok_or_else(|| Error::Other("a filed message was not read".into()))?;
        self.writes.reserve(tx, 1).await?;
        let batch = std::slice::from_ref(one);
        let mut recalled = recall::recall(self.desk, tx, self.channel.id, &mut self.writes, batch).await?;
        recalled.past = self.past();
        self.writes.know(filing::thread_states(tx, &[message.thread]).await?);
        let rules = self.rules.without_filters();
        let mut known = recalled.known_in(self.channel, read, &self.writes, message.thread);
        if !rules.tried().is_empty() {
            known.trial = Some(Trial { rules: &rules, size_bytes: one.size_bytes, nature: read.nature });
        }
        Ok(intake::decide_trusted(&read.letter, &known, message.thread))
    }

    /// Carries it out; gives the records that the thread is newly linked to.
    async fn follow(
        &mut self,
        tx: &mut Tx,
        message: &Message,
        one: &Opened,
        plan: &Plan,
    ) -> Result<Vec<RecordId>, Error> {
        let Some(read) = one.read.as_deref() else { return Ok(Vec::new()) };
        let (thread, id): (ThreadId, MessageId) = (message.thread, message.id);
        let before = self.linked(thread);
        self.writes.ids_of_thread(thread, read.ids(None));
        self.links(thread, id, plan)?;
        self.case(tx, thread, id, read, plan).await?;
        for one in &plan.actions {
            if let Action::Assign { assignment } = &one.action {
                self.assign(tx, thread, plan, assignment).await?;
            }
        }
        let mut new = self.linked(thread);
        new.retain(|record| !before.contains(record));
        let direction = plan.direction.word();
        self.writes.note_message_in(&new, (thread, id), direction, message.received_at, self.at);
        Ok(new)
    }

    fn linked(&self, thread: ThreadId) -> Vec<RecordId> {
        self.writes.thread(thread).map(|thread| thread.records.clone()).unwrap_or_default()
    }
}

/// Whether it is news again for who is in charge.
pub(super) fn sets_to_work(case: CasePlan) -> bool {
    matches!(
        case,
        CasePlan::Create(_) | CasePlan::Note { reopen: true, .. } | CasePlan::Note { wake: true, .. }
    )
}

/// Why it is where it is, and what followed in the end, as JSON.
fn steps(message: &Message, followed: Vec<Step>) -> Result<String, Error> {
    let mut steps: Vec<Step> = serde_json::from_str(&message.plan).unwrap_or_default();
    steps.retain(|step| step.step == "thread" && step.result != "unverified");
    steps.extend(followed);
    serde_json::to_string(&steps).map_err(|error| Error::Other(error.to_string()))
}
