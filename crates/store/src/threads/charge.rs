//! Who is in charge of a thread, where it is filed, and whether it was answered.
//!
//! A thread in a case has its case's assignee, team and process. One without can be handed to somebody by
//! itself; while it is, its `case_status` is `open`, so that the lists of open work find it by the same index
//! walk as cases. Decided against a status of its own beside the case's: every list would walk two indexes
//! and merge them.

use crate::changes::RecordsHeard;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{ProcessId, TeamId, ThreadId, Time, UserId};

/// Who is in charge of a thread and whether it was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// The user in charge.
    pub user: Option<(UserId, String)>,
    /// The team in charge.
    pub team: Option<(TeamId, String)>,
    /// The area of work it is filed to.
    pub process: Option<(ProcessId, String)>,
    /// When somebody outside wrote last.
    pub last_in_at: Option<Time>,
    /// When one of us wrote last.
    pub last_out_at: Option<Time>,
    /// Which of us that was, where it is known.
    pub answered_by: Option<(UserId, String)>,
}

/// Who is in charge of a thread (which may be seen: ask first); of its case only what `heard` lets see.
pub async fn charge(sql: &mut impl Sql, id: ThreadId, heard: &RecordsHeard) -> Result<Charge, Error> {
    let mut params = params![id];
    let seen = heard.condition("r", &mut params);
    let text = format!(
        "SELECT t.assignee_id, u.name, COALESCE(r.team_id, t.team_id), tm.name, \
         COALESCE(r.process_id, t.process_id), p.name, t.last_in_at, t.last_out_at, t.answered_by, a.name \
         FROM threads t LEFT JOIN records r ON r.id = t.case_id AND {seen} \
         LEFT JOIN users u ON u.id = t.assignee_id LEFT JOIN users a ON a.id = t.answered_by \
         LEFT JOIN teams tm ON tm.id = COALESCE(r.team_id, t.team_id) \
         LEFT JOIN processes p ON p.id = COALESCE(r.process_id, t.process_id) WHERE t.id = $1"
    );
    sql.query_opt(&text, params).await?.as_ref().map_or(Ok(Charge::default()), charge_of)
}

fn charge_of(row: &Row) -> Result<Charge, Error> {
    Ok(Charge {
        user: named(row, 0)?.map(|(id, name)| (UserId(id), name)),
        team: named(row, 2)?.map(|(id, name)| (TeamId(id), name)),
        process: named(row, 4)?.map(|(id, name)| (ProcessId(id), name)),
        last_in_at: row.get(6)?,
        last_out_at: row.get(7)?,
        answered_by: named(row, 8)?.map(|(id, name)| (UserId(id), name)),
    })
}

fn named(row: &Row, at: usize) -> Result<Option<(i64, String)>, Error> {
    let id: Option<i64> = row.get(at)?;
    let name: Option<String> = row.get(at + 1)?;
    Ok(id.map(|id| (id, name.unwrap_or_default())))
}

/// Hands a thread without a case to somebody, to a team, or back to nobody.
pub async fn hand(
    tx: &mut Tx,
    id: ThreadId,
    user: Option<UserId>,
    team: Option<TeamId>,
) -> Result<(), Error> {
    let status = (user.is_some() || team.is_some()).then_some("open");
    let text = "UPDATE threads SET assignee_id = $2, team_id = $3, case_status = $4 WHERE id = $1 AND case_id IS NULL";
    tx.execute(text, params![id, user, team, status]).await.map(drop)
}

/// Files a thread to an area of work, or to none.
pub async fn file(tx: &mut Tx, id: ThreadId, process: Option<ProcessId>) -> Result<(), Error> {
    tx.execute("UPDATE threads SET process_id = $2 WHERE id = $1", params![id, process]).await.map(drop)
}
