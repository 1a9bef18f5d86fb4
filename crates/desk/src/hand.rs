//! Handing over and filing by hand: who is in charge of a thread, and which area of work it belongs to.
//!
//! A thread in a case is handed over with its case (whoever may not change cases cannot do that); one without
//! a case is handed over by itself. Whoever is in charge may see it ([`crate::access`]). To an opportunity or
//! any other record a thread is filed by a link ([`crate::link`]).

use crate::case::{self, Changes};
use crate::distribution::{self as share, Chosen};
use crate::may::{Actor, Verb};
use crate::notification::{self, Event, Subject};
use crate::{Desk, Params, Refusal, access, thread};
use model::{ProcessId, TeamId, ThreadId, UserId};
use store::changes;
use store::people;
use store::sql::{Sql, Tx};
use store::stream::{self, NewEntry, StreamKind};
use store::threads::{self, Reader, ThreadRow};

/// To whom a thread is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To this user.
    User(UserId),
    /// To this team: as it shares its work, else whoever of it takes it.
    Team(TeamId),
    /// To nobody: it is done, or it was a mistake.
    Nobody,
}

/// Hands a thread over; who gets it is told. Whoever saw it only because they were in charge sees it no longer.
pub async fn hand(desk: &Desk, actor: &Actor, id: ThreadId, to: To) -> Result<(), Refusal> {
    actor.may(Verb::HandThread)?;
    let row = seen(&mut &desk.db, actor, id).await?;
    if let Some(case) = row.case {
        return case::change(desk, actor, case.id, of_case(to)).await.map(drop);
    }
    let mut tx = desk.begin_filing().await?;
    // Asked again under the lock: it may have become a case meanwhile.
    let row = seen(&mut tx, actor, id).await?;
    if row.case.is_some() {
        let message = "The thread has become a case meanwhile. Hand the case over.";
        return Err(Refusal::conflict("case_exists", message));
    }
    let (mut user, team) = checked(&mut tx, to).await?;
    let before = threads::charge(&mut tx, id, &actor.records_heard()).await?;
    if let Some((team, _)) = &team {
        let from = before.user.as_ref().map(|(id, _)| *id);
        if let Some((_, Chosen::User(id, name))) =
            share::of_team(&mut tx, *team, desk.clock.now(), from).await?
        {
            user = Some((id, name));
        }
    }
    if before.user == user && before.team == team {
        return Ok(());
    }
    threads::hand(&mut tx, id, user.as_ref().map(|(id, _)| *id), team.as_ref().map(|(id, _)| *id)).await?;
    access::refresh(&mut tx, id).await?;
    let name = |user: &Option<(UserId, String)>, team: &Option<(TeamId, String)>| {
        let user = user.as_ref().map(|(_, name)| name.clone());
        user.or(team.as_ref().map(|(_, name)| name.clone())).unwrap_or_default()
    };
    let words = (name(&before.user, &before.team), name(&user, &team));
    note(desk, &mut tx, actor, id, StreamKind::Handed, words).await?;
    let given = user.map_or(to, |(id, _)| To::User(id));
    tell(desk, &mut tx, actor, &row, given).await?;
    Ok(tx.commit().await?)
}

fn of_case(to: To) -> Changes {
    let (user, team) = match to {
        To::User(user) => (Some(user), None),
        To::Team(team) => (None, Some(Some(team))),
        To::Nobody => (None, None),
    };
    Changes { assignee: Some(user), team, ..Changes::default() }
}

/// Files a thread to an area of work, or to none; with a case it is the case's that changes.
pub async fn file(
    desk: &Desk,
    actor: &Actor,
    id: ThreadId,
    process: Option<ProcessId>,
) -> Result<(), Refusal> {
    actor.may(Verb::HandThread)?;
    if let Some(case) = seen(&mut &desk.db, actor, id).await?.case {
        let wanted = Changes { process: Some(process), ..Changes::default() };
        return case::change(desk, actor, case.id, wanted).await.map(drop);
    }
    let mut tx = desk.begin_filing().await?;
    seen(&mut tx, actor, id).await?;
    let known = people::processes(&mut tx).await?;
    let named = |id: ProcessId| known.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone());
    let to = match process {
        Some(process) => named(process)
            .ok_or_else(|| Refusal::invalid("process", "unknown", "There is no such process."))?,
        None => String::new(),
    };
    let before = threads::charge(&mut tx, id, &actor.records_heard()).await?.process;
    if before.as_ref().map(|(id, _)| *id) == process {
        return Ok(());
    }
    threads::file(&mut tx, id, process).await?;
    let words = (before.map(|(_, name)| name).unwrap_or_default(), to);
    note(desk, &mut tx, actor, id, StreamKind::FiledTo, words).await?;
    Ok(tx.commit().await?)
}

async fn seen(sql: &mut impl Sql, actor: &Actor, id: ThreadId) -> Result<ThreadRow, Refusal> {
    let row = threads::row(sql, id, &actor.mail_access(), Reader { user: actor.user }).await?;
    row.ok_or(Refusal::NotFound)
}

type Named<Id> = Option<(Id, String)>;

async fn checked(sql: &mut impl Sql, to: To) -> Result<(Named<UserId>, Named<TeamId>), Refusal> {
    match to {
        To::User(id) => match people::user(sql, id).await?.filter(|user| user.active) {
            Some(user) => Ok((Some((id, user.name)), None)),
            None => Err(Refusal::invalid(
                "user",
                "unknown",
                "There is no such user, or they may not sign in any more.",
            )),
        },
        To::Team(id) => match people::teams(sql).await?.into_iter().find(|(known, _)| *known == id) {
            Some(team) => Ok((None, Some(team))),
            None => Err(Refusal::invalid("team", "unknown", "There is no such team.")),
        },
        To::Nobody => Ok((None, None)),
    }
}

/// Among the thread's entries, and in the feed.
async fn note(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    id: ThreadId,
    kind: StreamKind,
    (from, to): (String, String),
) -> Result<(), Refusal> {
    let now = desk.clock.now();
    let entry = NewEntry {
        record: None,
        thread: Some(id),
        kind,
        user: actor.user,
        body: String::new(),
        data: serde_json::json!({ "from": from, "to": to }).to_string(),
        at: now,
    };
    stream::add(tx, entry).await?;
    changes::add(tx, thread::change(id, kind.word()), now).await?;
    Ok(())
}

async fn tell(desk: &Desk, tx: &mut Tx, actor: &Actor, row: &ThreadRow, to: To) -> Result<(), Refusal> {
    let (event, people) = match to {
        To::User(user) => (Event::Assigned, vec![user]),
        To::Team(team) => (Event::TeamNew, people::members(tx, team).await?),
        To::Nobody => return Ok(()),
    };
    let subject = Subject { thread: Some(row.id), ..Subject::default() };
    let data = Params::from([("subject", row.subject.clone()), ("by", actor.name.clone())]);
    Ok(notification::event(desk, tx, event, &subject, actor.user, &people, &data).await?)
}
