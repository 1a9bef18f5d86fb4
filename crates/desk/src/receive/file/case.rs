//! A letter's case: made and given to somebody, noted, opened again; and what rules make of it.

use super::Round;
use super::actions::Acted;
use crate::distribution::{self, Chosen, Why};
use crate::notification::{Event, Happened, Subject};
use crate::receive::open::Read;
use intake::plan::{CaseMaking, CasePlan, Direction, Origin, Plan};
use model::{
    Action, Assignment, CaseStatus, Distribution, LinkReason, MessageId, Priority, RecordId, TeamId,
    ThreadId, Time, UserId, Verdict,
};
use store::filing::{self, Assign, NewCase};
use store::sql::{Error, Tx};
use store::{records, threads};

impl Round<'_> {
    /// Cases of this mailbox that were closed before then are past.
    pub(super) fn past(&self) -> Option<Time> {
        let days = self.sharing.as_ref()?.reopen_within_days?;
        Some(self.at.plus_s(-days * 86_400))
    }

    pub(super) async fn case(
        &mut self,
        tx: &mut Tx,
        thread: ThreadId,
        message: MessageId,
        read: &Read,
        plan: &Plan,
    ) -> Result<(), Error> {
        match plan.case {
            CasePlan::None => {}
            CasePlan::Create(making) => {
                let case = self.make(tx, (thread, message), &making, read, plan).await?;
                self.link(thread, case, message, LinkReason::CreatedCase, &read.letter.subject)?;
            }
            CasePlan::Note { reopen, wake, asks, status, priority, .. } => {
                self.come_back(tx, thread, reopen, wake).await?;
                let due_at = self.sharing.as_ref().and_then(|sharing| distribution::due_at(sharing, self.at));
                if let (true, Some(due_at)) = (asks, due_at) {
                    self.writes.asked(thread, due_at)?;
                }
                self.update(thread, status, priority)?;
            }
        }
        let is_new = plan.seen.is_none() && self.channel.origin != Origin::History;
        let by_a_machine = mail::autoreply::reason(&read.letter).is_some();
        if plan.direction == Direction::Out && is_new && !by_a_machine {
            self.writes.answered(thread, self.at)?;
        }
        Ok(())
    }

    async fn make(
        &mut self,
        tx: &mut Tx,
        at: (ThreadId, MessageId),
        making: &CaseMaking,
        read: &Read,
        plan: &Plan,
    ) -> Result<RecordId, Error> {
        let account = plan
            .links
            .iter()
            .find(|link| link.reason == LinkReason::ContactOf || link.reason == LinkReason::Domain);
        let (thread, message) = at;
        let Share { assignee, team, waits_for, by, nobody } = self.share(tx, making, plan).await?;
        let case = NewCase {
            name: read.letter.subject.clone(),
            folded: read.index.subject.clone(),
            description: cut(&mail::quote::reply_text(&read.letter.text), DESCRIPTION_BYTES).to_owned(),
            account: account.map(|link| link.record),
            process: making.process.map(|id| id.0),
            team: team.map(|id| id.0),
            priority: making.priority,
            assignee: assignee.as_ref().map(|(id, _)| *id),
            customer: read.letter.from.first().map(mail::Address::key).unwrap_or_default(),
            due_at: self.sharing.as_ref().and_then(|sharing| distribution::due_at(sharing, self.at)),
            waits_for,
            continues: making.continues,
        };
        let record = self.writes.case(tx, thread, case, self.at).await?;
        let subject = Subject { thread: Some(thread), record: Some(record), message: Some(message) };
        if let Some((user, name)) = assignee {
            self.writes.given_to(thread, record, &name, by, self.at)?;
            self.happen(Event::Assigned, subject, vec![user], &read.letter.subject);
        }
        if nobody.is_some() {
            let people = distribution::people_of(tx, team, self.at).await?;
            self.happen(Event::NobodyAvailable, subject, people, &read.letter.subject);
        }
        Ok(record)
    }

    fn happen(&mut self, event: Event, subject: Subject, people: Vec<UserId>, of: &str) {
        let data = crate::Params::from([("subject", of.to_owned())]);
        self.happened.push(Happened { event, subject, by: None, people, data });
    }

    /// Who gets a new case: as the mailbox shares its own; where a rule says it, the rule.
    async fn share(&mut self, tx: &mut Tx, making: &CaseMaking, plan: &Plan) -> Result<Share, Error> {
        let is_assigned = plan.actions.iter().any(|one| matches!(one.action, Action::Assign { .. }));
        let is_of_rule = making.team != self.channel.mailbox.team;
        let nobody =
            Share { assignee: None, team: making.team, waits_for: Distribution::None, by: "", nobody: None };
        let Some(sharing) = self.sharing.as_ref().filter(|_| !is_assigned && !is_of_rule) else {
            return Ok(nobody);
        };
        let chosen = distribution::share(tx, sharing, self.at, self.writes.given()).await?;
        let (how, team) = (sharing.how, sharing.team.or(making.team));
        Ok(match chosen {
            None => nobody,
            Some(Chosen::User(user, name)) => {
                Share { assignee: Some((user, name)), team, by: how.word(), ..nobody }
            }
            Some(Chosen::Nobody(why)) => {
                Share { team, waits_for: waits_for(how), nobody: Some(why), ..nobody }
            }
        })
    }

    /// Opens a case again, or lets it be seen. One whose assignee is gone is given anew.
    async fn come_back(
        &mut self,
        tx: &mut Tx,
        thread: ThreadId,
        reopen: bool,
        wake: bool,
    ) -> Result<(), Error> {
        if !(reopen || wake) {
            return Ok(());
        }
        match reopen {
            true => self.writes.reopen(thread, self.at)?,
            false => self.writes.wake(thread, self.at)?,
        }
        let state = self.writes.thread(thread).and_then(|thread| thread.case.as_ref());
        let Some(user) = state.and_then(|case| case.assignee).map(UserId) else { return Ok(()) };
        if !distribution::is_gone(tx, user, self.at).await? {
            return Ok(());
        }
        let chosen = match &self.sharing {
            Some(sharing) => distribution::share(tx, sharing, self.at, self.writes.given()).await?,
            None => None,
        };
        let how = self.sharing.as_ref().map_or(Distribution::None, |sharing| sharing.how);
        self.give(tx, thread, chosen, None, how).await
    }

    fn update(
        &mut self,
        thread: ThreadId,
        status: Option<CaseStatus>,
        priority: Option<Priority>,
    ) -> Result<(), Error> {
        if let Some(status) = status {
            self.writes.set_status(thread, status, self.at)?;
        }
        if let Some(priority) = priority {
            self.writes.set_priority(thread, priority, self.at)?;
        }
        Ok(())
    }

    /// Changes the letter's case as a rule says: its thread's, else the one whose number it bears, if its writer is
    /// trusted there; then the thread becomes one of that case's.
    pub(super) async fn update_case(
        &mut self,
        tx: &mut Tx,
        acted: &Acted<'_>,
        status: Option<CaseStatus>,
        priority: Option<Priority>,
    ) -> Result<(&'static str, String), Error> {
        let Acted { thread, message, read, plan, .. } = *acted;
        match plan.case {
            // Done with the note.
            CasePlan::Note { .. } => return Ok(("done", self.case_number(thread))),
            CasePlan::Create(_) => {
                self.update(thread, status, priority)?;
                return Ok(("done", self.case_number(thread)));
            }
            CasePlan::None if self.writes.thread(thread).is_some_and(|thread| thread.case.is_some()) => {
                return Ok(("is_copy", self.case_number(thread)));
            }
            CasePlan::None => {}
        }
        let writer = read.letter.from.first().map(mail::Address::key).unwrap_or_default();
        let mut known = None;
        for number in &read.numbers {
            known = records::case_by_number(tx, *number).await?;
            if known.is_some() {
                break;
            }
        }
        let Some(case) = known else { return Ok(("no_case", String::new())) };
        let case = records::case_survivor(tx, case).await?;
        let forged = plan.auth == Verdict::Fail;
        if forged || self.channel.origin != Origin::Live || !records::takes_part(tx, case, &writer).await? {
            return Ok(("unverified", String::new()));
        }
        self.link(thread, case, message, LinkReason::Rule, &writer)?;
        self.writes.flush(tx, self.at).await?;
        threads::join_case(tx, thread, case).await?;
        let all = self.writes.forget_threads();
        self.writes.know(filing::thread_states(tx, &all).await?);
        self.update(thread, status, priority)?;
        Ok(("done", self.case_number(thread)))
    }

    /// Gives the thread's case, or a thread without one, to whom was chosen, and has them told.
    async fn give(
        &mut self,
        tx: &mut Tx,
        thread: ThreadId,
        chosen: Option<Chosen>,
        team: Option<TeamId>,
        how: Distribution,
    ) -> Result<(), Error> {
        let state = self.writes.thread(thread);
        let record = state.and_then(|state| Some(state.case.as_ref()?.id));
        let of = state.map_or(String::new(), |state| state.subject.clone());
        let subject = Subject { thread: Some(thread), record, message: None };
        let is_nobody = matches!(chosen, Some(Chosen::Nobody(_)));
        let user = match chosen {
            Some(Chosen::User(user, name)) => Some((user, name)),
            Some(Chosen::Nobody(_)) | None => None,
        };
        if let Some((user, _)) = &user {
            self.happen(Event::Assigned, subject, vec![*user], &of);
        } else if is_nobody || record.is_none() {
            let event = if is_nobody { Event::NobodyAvailable } else { Event::TeamNew };
            let team = team.or_else(|| self.sharing.as_ref()?.team);
            let people = distribution::people_of(tx, team, self.at).await?;
            self.happen(event, subject, people, &of);
        }
        if record.is_some() {
            let waits_for = if is_nobody { waits_for(how) } else { Distribution::None };
            return self.writes.assign(thread, &Assign { user, team, waits_for, by: how.word() }, self.at);
        }
        let named = match (&user, team) {
            (Some((_, name)), _) => name.clone(),
            (None, Some(team)) => {
                store::distribution::team(tx, team).await?.map_or(String::new(), |(name, _)| name)
            }
            (None, None) => return Ok(()),
        };
        self.writes.hand(thread, user.map(|(id, _)| id), team, &named, self.at)
    }

    /// Gives the thread's case, or a thread without one, to somebody, as a rule says: what came of it, as a word, and
    /// whom it speaks of. Later mail of a conversation does not move it on: who of the team has it keeps it, and what
    /// the team has as a whole is not given to it again.
    pub(super) async fn assign(
        &mut self,
        tx: &mut Tx,
        thread: ThreadId,
        plan: &Plan,
        assignment: &Assignment,
    ) -> Result<(&'static str, String), Error> {
        let state = self.writes.thread(thread);
        let holder = state.and_then(|state| state.case.as_ref().map_or(state.holder, |case| case.assignee));
        let is_new = matches!(plan.case, CasePlan::Create(_));
        let of_team = state.and_then(|state| state.team).filter(|_| holder.is_none() && !is_new);
        let (chosen, team, how) = match *assignment {
            Assignment::User { user } => {
                let chosen = distribution::direct(tx, user, self.at, self.writes.given()).await?;
                (Some(chosen), None, Distribution::Direct)
            }
            Assignment::Team { team, by } => {
                if let Some(user) = holder.map(UserId)
                    && let Some(name) = distribution::named_member(tx, team, user, self.at).await?
                {
                    return Ok(("kept", name));
                }
                match by {
                    Distribution::None | Distribution::Direct => (None, Some(team), Distribution::None),
                    by => {
                        let given = self.writes.given();
                        let chosen = distribution::choose_among(tx, team, by, self.at, given, None).await?;
                        (Some(chosen), Some(team), by)
                    }
                }
            }
        };
        let has_it = of_team.is_some() && of_team == team.map(|team| team.0);
        let said = match &chosen {
            Some(Chosen::User(user, name)) if holder == Some(user.0) => return Ok(("kept", name.clone())),
            Some(Chosen::User(_, name)) => ("done", name.clone()),
            Some(Chosen::Nobody(why)) => ("nobody_available", why.word().to_owned()),
            None if has_it => ("kept", String::new()),
            None => ("done", String::new()),
        };
        if !has_it || said.0 == "done" {
            self.give(tx, thread, chosen, team, how).await?;
        }
        Ok(said)
    }
}

/// To whom a new case is given.
struct Share {
    assignee: Option<(UserId, String)>,
    team: Option<TeamId>,
    waits_for: Distribution,
    /// What decided it.
    by: &'static str,
    /// Why it is nobody's, where somebody should have got it.
    nobody: Option<Why>,
}

/// Only what a team shares waits for somebody.
fn waits_for(how: Distribution) -> Distribution {
    if how == Distribution::Direct { Distribution::None } else { how }
}

/// The longest beginning of at most `most` bytes that ends between characters.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Most of a case's description; the whole text is in the message.
const DESCRIPTION_BYTES: usize = 4000;
