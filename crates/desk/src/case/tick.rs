//! What happens to cases because time passes: a snooze is over, an answer is overdue, somebody can take what waits.
//!
//! Every process ticks; each thing is done by one of them, because it is asked for and done in one transaction under
//! the lock of all filings. What is due is looked for before, without the lock: mostly there is nothing.

use super::{tell, tell_everybody};
use crate::distribution::{self as share, Chosen};
use crate::may::Actor;
use crate::notification::{self, Event, Subject};
use crate::{Desk, Params, Refusal, access, thread};
use model::{Distribution, RecordId, TeamId, Time, UserId};
use std::collections::HashSet;
use store::changes::{self, RecordsHeard};
use store::distribution;
use store::records;
use store::sql::{Sql, Tx};
use store::stream::StreamKind;
use store::threads;

/// What one tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Cases and threads that are seen again.
    pub woken: usize,
    /// Cases whose answer is overdue since.
    pub overdue: usize,
    /// Cases that waited and were given to somebody.
    pub given: usize,
}

/// Cases of a kind that one transaction handles; the rest follows in the next tick.
const AT_ONCE: usize = 200;

/// Does what is due now.
pub async fn tick(desk: &Desk) -> Result<Ticked, Refusal> {
    let now = desk.clock.now();
    if is_quiet(&mut &desk.db, now).await? {
        return Ok(Ticked::default());
    }
    let mut tx = desk.begin_filing().await?;
    let ticked = Ticked {
        woken: wake(desk, &mut tx, now).await?,
        overdue: notice_overdue(desk, &mut tx, now).await?,
        given: give_waiting(desk, &mut tx, now).await?,
    };
    tx.commit().await?;
    Ok(ticked)
}

async fn is_quiet(sql: &mut impl Sql, now: Time) -> Result<bool, Refusal> {
    Ok(records::due_snoozes(sql, now, 1).await?.is_empty()
        && threads::due_snoozes(sql, now, 1).await?.is_empty()
        && records::newly_overdue(sql, now, 1).await?.is_empty()
        && distribution::waiting(sql, 1).await?.is_empty())
}

async fn wake(desk: &Desk, tx: &mut Tx, now: Time) -> Result<usize, Refusal> {
    let cases = records::due_snoozes(tx, now, AT_ONCE).await?;
    for &case in &cases {
        records::wake(tx, case, now).await?;
        threads::follow_case(tx, case).await?;
        tell(tx, &Actor::machine(), case, None, StreamKind::Woken, serde_json::json!({}), now).await?;
        tell_everybody(tx, case, now).await?;
        tell_in_charge(desk, tx, Event::SnoozeOver, case, None).await?;
    }
    let alone = threads::due_snoozes(tx, now, AT_ONCE).await?;
    for &id in &alone {
        threads::snooze(tx, id, None).await?;
        changes::add(tx, thread::change(id, "snoozed"), now).await?;
    }
    Ok(cases.len() + alone.len())
}

async fn notice_overdue(desk: &Desk, tx: &mut Tx, now: Time) -> Result<usize, Refusal> {
    let cases = records::newly_overdue(tx, now, AT_ONCE).await?;
    for &case in &cases {
        records::set_overdue(tx, case, now).await?;
        tell(tx, &Actor::machine(), case, None, StreamKind::Overdue, serde_json::json!({}), now).await?;
        tell_everybody(tx, case, now).await?;
        tell_in_charge(desk, tx, Event::Overdue, case, None).await?;
    }
    Ok(cases.len())
}

async fn give_waiting(desk: &Desk, tx: &mut Tx, now: Time) -> Result<usize, Refusal> {
    let mut nobody: HashSet<(TeamId, Distribution)> = HashSet::new();
    let mut given = 0;
    for one in distribution::waiting(tx, AT_ONCE).await? {
        if nobody.contains(&(one.team, one.how)) {
            continue;
        }
        match share::choose(tx, one.team, one.how, now).await? {
            Chosen::User(user, name) => {
                give(desk, tx, one.case, Some((user, name)), one.how.word()).await?;
                given += 1;
            }
            Chosen::Nobody(_) => drop(nobody.insert((one.team, one.how))),
        }
    }
    Ok(given)
}

/// Gives a case to somebody by the machine, or (`None`) back to its team; `by` says what decided it.
pub(crate) async fn give(
    desk: &Desk,
    tx: &mut Tx,
    case: RecordId,
    user: Option<(UserId, String)>,
    by: &str,
) -> Result<(), Refusal> {
    let now = desk.clock.now();
    let id = user.as_ref().map(|(id, _)| *id);
    records::give(tx, case, id, Distribution::None, now).await?;
    threads::follow_case(tx, case).await?;
    access::refresh_record(tx, case).await?;
    let data = serde_json::json!({ "to": user.map_or(String::new(), |(_, name)| name), "by": by });
    tell(tx, &Actor::machine(), case, None, StreamKind::Assigned, data, now).await?;
    tell_everybody(tx, case, now).await?;
    if id.is_some() {
        tell_in_charge(desk, tx, Event::Assigned, case, None).await?;
    }
    Ok(())
}

/// Tells who is in charge of a case: its assignee, else its team.
pub(super) async fn tell_in_charge(
    desk: &Desk,
    tx: &mut Tx,
    event: Event,
    case: RecordId,
    by: Option<UserId>,
) -> Result<(), Refusal> {
    let record = records::record(tx, case, &RecordsHeard::All).await?.ok_or(Refusal::NotFound)?;
    let part = record.case.ok_or(Refusal::NotFound)?;
    let people = match record.assignee {
        Some((user, _)) => vec![user],
        None => share::people_of(tx, record.team.map(|(id, _)| id), desk.clock.now()).await?,
    };
    let data = Params::from([("subject", record.name), ("number", part.number.to_string())]);
    let subject = Subject { record: Some(case), ..Subject::default() };
    Ok(notification::event(desk, tx, event, &subject, by, &people, &data).await?)
}
