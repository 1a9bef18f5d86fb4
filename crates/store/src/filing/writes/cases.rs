//! What a batch writes of cases: new ones, and what a letter changes of one that is there.
//!
//! Changes are kept in their order, because a later letter of the batch may undo what an earlier one did; the known
//! threads are changed at once, so that the next letter sees them so.

use super::{Params, Tx, Writes};
use crate::counters;
use crate::filing::CaseState;
use crate::params;
use crate::records;
use crate::sql::Error;
use model::{CaseStatus, Distribution, Priority, RecordId, TeamId, ThreadId, Time, UserId};
use std::collections::HashMap;

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
    /// How urgent it is.
    pub priority: Priority,
    /// Who is to act.
    pub assignee: Option<UserId>,
    /// The address of who wrote first, lower case.
    pub customer: String,
    /// When an answer is due.
    pub due_at: Option<Time>,
    /// How its team shares it as soon as somebody can take it; `None` (the word): it waits for nobody.
    pub waits_for: Distribution,
    /// The case it continues.
    pub continues: Option<RecordId>,
}

impl Writes {
    /// Creates a thread's case; one that the thread had is continued by it.
    pub async fn case(
        &mut self,
        tx: &mut Tx,
        thread: ThreadId,
        case: NewCase,
        at: Time,
    ) -> Result<RecordId, Error> {
        let record = RecordId(self.id("records")?);
        let number = counters::take(tx, "case_number", 1).await?;
        let state = CaseState {
            id: record,
            number,
            status: CaseStatus::Open.word().into(),
            assignee: case.assignee.map(|user| user.0),
            snoozed: false,
            closed_at: None,
            due: case.due_at.is_some(),
        };
        self.cases.push(row_of(record, number, case, at));
        if let Some(user) = state.assignee {
            self.take(UserId(user), 1);
        }
        self.thread_mut(thread)?.case = Some(state);
        self.charged.insert(thread);
        let data = serde_json::json!({ "number": number.to_string() }).to_string();
        self.note(Some(record), thread, "case_created", None, data, at);
        self.changes.insert(("case", record.0, thread.0, "created"));
        Ok(record)
    }

    /// Opens a thread's case again, for all threads that belong to it; one out of sight is seen again.
    pub fn reopen(&mut self, thread: ThreadId, at: Time) -> Result<(), Error> {
        let Some((record, _)) = self.stand(thread, CaseStatus::Open, at)? else { return Ok(()) };
        self.change_case(thread, |case| case.snoozed = false)?;
        self.case_changes.extend([(WAKE, params![record, at]), (WAKE_THREADS, params![record])]);
        self.note(Some(record), thread, "reopened", None, "{}".to_owned(), at);
        self.changes.insert(("case", record.0, thread.0, "reopened"));
        Ok(())
    }

    /// Writes where a thread's case stands, and what is known of it; gives the case and where it stood.
    fn stand(
        &mut self,
        thread: ThreadId,
        status: CaseStatus,
        at: Time,
    ) -> Result<Option<(RecordId, String)>, Error> {
        let Some(before) = self.case_of(thread).cloned() else { return Ok(None) };
        let is_closed = status == CaseStatus::Closed;
        self.change_case(thread, |case| {
            case.status = status.word().into();
            case.closed_at = if is_closed { case.closed_at.or(Some(at)) } else { None };
            case.snoozed &= !is_closed;
            case.due &= !is_closed;
        })?;
        // Only open cases count for how busy somebody is.
        let is_open = |word: &str| i64::from(word == CaseStatus::Open.word());
        if let Some(user) = before.assignee {
            self.take(UserId(user), is_open(status.word()) - is_open(&before.status));
        }
        self.case_changes.extend(records::standing(before.id, status, at));
        Ok(Some((before.id, before.status)))
    }

    /// Lets a case that is out of sight be seen again.
    pub fn wake(&mut self, thread: ThreadId, at: Time) -> Result<(), Error> {
        let Some(record) = self.change_case(thread, |case| case.snoozed = false)? else { return Ok(()) };
        self.case_changes.extend([(WAKE, params![record, at]), (WAKE_THREADS, params![record])]);
        self.note(Some(record), thread, "woken", None, "{}".to_owned(), at);
        self.changes.insert(("case", record.0, thread.0, "changed"));
        Ok(())
    }

    /// An answer to a case's customer is due, unless one is already.
    pub fn asked(&mut self, thread: ThreadId, due_at: Time) -> Result<(), Error> {
        let record = self.change_case(thread, |case| case.due = true)?;
        self.case_changes.extend(record.map(|record| (ASKED, params![record, due_at])));
        Ok(())
    }

    /// One of us answered a case's customer.
    pub fn answered(&mut self, thread: ThreadId, at: Time) -> Result<(), Error> {
        let record = self.change_case(thread, |case| case.due = false)?;
        self.case_changes.extend(record.map(|record| records::answer(record, at)));
        Ok(())
    }

    /// Writes a case's status, with an entry in its stream, if it is another one.
    pub fn set_status(&mut self, thread: ThreadId, status: CaseStatus, at: Time) -> Result<(), Error> {
        if self.case_of(thread).is_none_or(|case| case.status == status.word()) {
            return Ok(());
        }
        let Some((record, before)) = self.stand(thread, status, at)? else { return Ok(()) };
        let data = serde_json::json!({ "from": before, "to": status.word() }).to_string();
        self.note(Some(record), thread, "status_changed", None, data, at);
        self.changes.insert(("case", record.0, thread.0, "changed"));
        Ok(())
    }

    /// Writes how urgent a case is.
    pub fn set_priority(&mut self, thread: ThreadId, priority: Priority, at: Time) -> Result<(), Error> {
        let Some(record) = self.change_case(thread, |_| ())? else { return Ok(()) };
        self.case_changes.push((PRIORITY, params![record, priority.word(), at]));
        let data = serde_json::json!({ "to": priority.word() }).to_string();
        self.note(Some(record), thread, "priority_changed", None, data, at);
        self.changes.insert(("case", record.0, thread.0, "changed"));
        Ok(())
    }

    /// Says who is to act on a case, and of which team, if that is to change.
    pub fn assign(&mut self, thread: ThreadId, to: &Assign, at: Time) -> Result<(), Error> {
        let before = self.case_of(thread).and_then(|case| case.assignee);
        let user = to.user.as_ref().map(|(id, _)| *id);
        let Some(record) = self.change_case(thread, |case| case.assignee = user.map(|user| user.0))? else {
            return Ok(());
        };
        self.charged.insert(thread);
        before.into_iter().for_each(|user| self.take(UserId(user), -1));
        user.into_iter().for_each(|user| self.take(user, 1));
        let row = params![record, user, to.team, to.waits_for_word(), at];
        self.case_changes.extend([(ASSIGN, row), (ASSIGN_THREADS, params![record, user])]);
        let name = to.user.as_ref().map_or("", |(_, name)| name.as_str());
        let data = serde_json::json!({ "to": name, "by": to.by }).to_string();
        self.note(Some(record), thread, "assigned", None, data, at);
        self.changes.insert(("case", record.0, thread.0, "changed"));
        Ok(())
    }

    /// Says who is in charge of a thread that has no case: a user, or a team as a whole (`named`).
    pub fn hand(
        &mut self,
        thread: ThreadId,
        user: Option<UserId>,
        team: Option<TeamId>,
        named: &str,
        at: Time,
    ) -> Result<(), Error> {
        let state = self.thread_mut(thread)?;
        (state.holder, state.team) = (user.map(|user| user.0), team.map(|team| team.0));
        self.charged.insert(thread);
        self.case_changes.push((HAND, params![thread, user, team]));
        let data = serde_json::json!({ "from": "", "to": named }).to_string();
        self.note(None, thread, "handed", None, data, at);
        self.changes.insert(("thread", thread.0, thread.0, "handed"));
        Ok(())
    }

    /// Tells in a new case's stream to whom it was given, and what decided it.
    pub fn given_to(
        &mut self,
        thread: ThreadId,
        record: RecordId,
        name: &str,
        by: &str,
        at: Time,
    ) -> Result<(), Error> {
        let data = serde_json::json!({ "to": name, "by": by }).to_string();
        self.note(Some(record), thread, "assigned", None, data, at);
        Ok(())
    }

    /// Cases that this batch gave to people and that are not written yet.
    pub fn given(&self) -> &HashMap<UserId, i64> {
        &self.given
    }

    fn take(&mut self, user: UserId, cases: i64) {
        *self.given.entry(user).or_default() += cases;
    }

    fn case_of(&self, thread: ThreadId) -> Option<&CaseState> {
        self.thread(thread)?.case.as_ref()
    }

    /// Changes what is known of a thread's case, in all known threads that belong to it.
    fn change_case(
        &mut self,
        thread: ThreadId,
        change: impl Fn(&mut CaseState),
    ) -> Result<Option<RecordId>, Error> {
        let Some(record) = self.thread_mut(thread)?.case.as_ref().map(|case| case.id) else {
            return Ok(None);
        };
        let all = self.threads.values_mut().filter_map(|thread| thread.case.as_mut());
        all.filter(|case| case.id == record).for_each(change);
        Ok(Some(record))
    }

    pub(super) async fn flush_case_changes(&mut self, tx: &mut Tx) -> Result<(), Error> {
        self.given.clear();
        let all = std::mem::take(&mut self.case_changes);
        for same in all.chunk_by(|one, other| one.0 == other.0) {
            tx.execute_many(same[0].0, same.iter().map(|(_, row)| row.clone()).collect()).await?;
        }
        Ok(())
    }
}

/// To whom a case is given.
#[derive(Clone, Debug)]
pub struct Assign {
    /// Who, and their name; `None`: nobody of the team.
    pub user: Option<(UserId, String)>,
    /// Its team from now on; `None`: as it is.
    pub team: Option<TeamId>,
    /// How the team shares it as soon as somebody can take it.
    pub waits_for: Distribution,
    /// What decided it, as a word: round_robin, least_busy, direct, rule, deputy.
    pub by: &'static str,
}

impl Assign {
    fn waits_for_word(&self) -> &'static str {
        waits_for(self.waits_for)
    }
}

/// What stands in `records.waits_for`.
pub(crate) fn waits_for(how: Distribution) -> &'static str {
    if how == Distribution::None { "" } else { how.word() }
}

fn row_of(id: RecordId, number: i64, case: NewCase, at: Time) -> Params {
    params![
        id,
        "case",
        case.name,
        case.folded,
        case.account,
        "[]",
        case.description,
        at.0,
        at.0,
        at.0,
        1_i64,
        number,
        CaseStatus::Open.word(),
        case.priority.word(),
        case.process,
        case.team,
        case.assignee,
        case.customer,
        case.due_at,
        waits_for(case.waits_for),
        case.continues
    ]
}

const WAKE: &str =
    "UPDATE records SET snoozed_until = NULL, updated_at = $2, version = version + 1 WHERE id = $1";
const WAKE_THREADS: &str = "UPDATE threads SET snoozed_until = NULL WHERE case_id = $1";
const ASKED: &str = "UPDATE records SET due_at = $2 WHERE id = $1 AND due_at IS NULL";
const PRIORITY: &str =
    "UPDATE records SET priority = $2, updated_at = $3, version = version + 1 WHERE id = $1";
const ASSIGN: &str = "UPDATE records SET assignee_id = $2, team_id = COALESCE($3, team_id), waits_for = $4, updated_at = $5, version = version + 1 WHERE id = $1";
const HAND: &str = "UPDATE threads SET assignee_id = $2, team_id = $3, case_status = 'open' WHERE id = $1 AND case_id IS NULL";
const ASSIGN_THREADS: &str = "UPDATE threads SET assignee_id = $2 WHERE case_id = $1";
